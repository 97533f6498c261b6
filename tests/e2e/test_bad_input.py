"""Whatever goes wrong while joining becomes one sentence that says what happened and what to do.

Controller, session and engine are real; the server misbehaves as its faults say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from app.calls import actions as act
from app.calls import events as ev
from app.calls.model import Asked, CallPhase, CallState
from app.cli import exit_codes, sources
from app.cli.headless import HeadlessRun
from app.cli.report import Report
from app.controller.api import JoinOptions
from app.controller.controller import Controller
from app.sandbox.jitsi import JitsiSandbox
from app.storage.history import History
from app.storage.settings_file import SettingsStore

WAIT_S = 30.0
pytestmark = pytest.mark.logs_errors


@dataclass(frozen=True)
class Case:
    """*spoil* makes the server misbehave; *words* stand in the sentence."""

    name: str
    spoil: Callable[[JitsiSandbox], None]
    words: tuple[str, ...]
    covers: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    retryable: bool | None = None


def fault(name: str, value: Any) -> Callable[[JitsiSandbox], None]:
    return lambda box: setattr(box.faults, name, value)


def nothing(box: JitsiSandbox) -> None:
    return None


CASES = (
    Case("no config", fault("config_status", 404), ("no meeting server", "link"), retryable=False),
    Case("server error", fault("config_status", 503), ("server", "later"), ("jitsi:error.connection.SERVER_ERROR",)),
    Case(
        "shutting down",
        fault("graceful_shutdown", True),
        ("maintenance",),
        ("jitsi:error.conference.GRACEFUL_SHUTDOWN",),
    ),
    Case(
        "reservation",
        fault("reservation_error", (2, "The room is booked from noon.")),
        ("booked",),
        ("jitsi:error.conference.RESERVATION_ERROR",),
    ),
    Case("full", nothing, ("full",), ("jitsi:error.conference.CONFERENCE_MAX_USERS",), (("max_occupants", 0),)),
    Case("certificate", nothing, ("certificate",), (), (("tls", True),), False),
)


async def join(box: JitsiSandbox, room: str = "team", **options: Any) -> tuple[Controller, str, CallState]:
    """Join until it is clear how it goes; the controller must be closed."""
    controller = Controller(
        SettingsStore(None), History(None), inputs=sources.inputs("test", "test", (), headless=True)
    )
    changed = asyncio.Event()
    unsubscribe = controller.subscribe(lambda state, event: changed.set())
    address = controller.recognise(box.url(room)).address
    assert address is not None
    call_id = await controller.join(address, JoinOptions(display_name="Tester", **options))
    clear = (CallPhase.JOINED, CallPhase.ASKING, CallPhase.FAILED, CallPhase.ENDED)
    async with asyncio.timeout(WAIT_S):
        while controller.state(call_id).phase not in clear:
            changed.clear()
            await changed.wait()
    unsubscribe()
    return controller, call_id, controller.state(call_id)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.name, marks=pytest.mark.covers(*case.covers)) for case in CASES]
)
async def test_one_sentence_for_each(case: Case) -> None:
    async with JitsiSandbox(bots=0, **dict(case.options)) as box:
        case.spoil(box)
        controller, call_id, state = await join(box)
        try:
            assert state.phase is CallPhase.FAILED
            assert state.failure is not None
            sentence = state.failure.message
            assert sentence.endswith(".") and all(word in sentence for word in case.words), sentence
            assert "Error" not in sentence and "XMPP" not in sentence
            assert case.retryable is None or state.failure.retryable is case.retryable
            assert state.address == box.url("team")  # the typed link stays
        finally:
            await controller.close()


@pytest.mark.covers("jitsi:error.conference.VIDEOBRIDGE_NOT_AVAILABLE")
async def test_without_a_bridge_the_meeting_says_so_and_stays() -> None:
    """Chat goes on without media, so this is a notice, not an end."""
    async with JitsiSandbox(bots=1) as box:
        box.faults.bridge_not_available = True
        controller = Controller(
            SettingsStore(None), History(None), inputs=sources.inputs("test", "test", (), headless=True)
        )
        try:
            told: asyncio.Queue[ev.Notice] = asyncio.Queue(100)
            controller.subscribe(lambda state, event: told.put_nowait(event) if isinstance(event, ev.Notice) else None)
            address = controller.recognise(box.url("team")).address
            assert address is not None
            call_id = await controller.join(address, JoinOptions(display_name="Tester"))
            async with asyncio.timeout(WAIT_S):
                while "media server" not in (notice := await told.get()).message:
                    continue
            assert notice.level in ("warning", "error") and notice.message.endswith(".")
            assert controller.state(call_id).phase is CallPhase.JOINED
        finally:
            await controller.close()


@pytest.mark.covers("jitsi:error.conference.PASSWORD_REQUIRED", "jitsi:param.conference.join.password")
async def test_a_locked_meeting_asks_until_the_password_is_right() -> None:
    async with JitsiSandbox(bots=1) as box:
        first, _, state = await join(box)
        assert state.phase is CallPhase.JOINED
        box.set_password("team", "open sesame")
        second, call_id, state = await join(box)
        try:
            assert (state.phase, state.asked) == (CallPhase.ASKING, Asked.ROOM_PASSWORD)
            asked_again = asyncio.Event()
            second.subscribe(lambda state, event: state.failure is not None and asked_again.set())
            await second.perform(call_id, act.SubmitPassword("wrong"))
            await asyncio.wait_for(asked_again.wait(), WAIT_S)
            again = second.state(call_id)
            assert again.phase is CallPhase.ASKING and again.failure is not None and "password" in again.failure.message
            joined = asyncio.Event()
            second.subscribe(lambda state, event: state.phase is CallPhase.JOINED and joined.set())
            await second.perform(call_id, act.SubmitPassword("open sesame"))
            await asyncio.wait_for(joined.wait(), WAIT_S)
        finally:
            await second.close()
            await first.close()


async def headless(box: JitsiSandbox, duration: float, room: str = "team", **options: Any) -> tuple[Any, Report]:
    report = Report()
    controller = Controller(SettingsStore(None), History(None), inputs=sources.inputs(None, None, (), headless=True))
    try:
        address = controller.recognise(box.url(room)).address
        assert address is not None
        run = HeadlessRun(controller, report, duration=duration)
        return await run.run(address, JoinOptions(display_name="Tester", **options)), report
    finally:
        await controller.close()


async def test_a_wrong_password_on_the_command_line_ends_with_three() -> None:
    async with JitsiSandbox(bots=1) as box:
        first, _, _ = await join(box)
        try:
            box.set_password("team", "open sesame")
            outcome, _ = await headless(box, 1.0, password="wrong")
            assert outcome.exit_code == exit_codes.COULD_NOT_JOIN and "password" in outcome.sentence
            outcome, _ = await headless(box, 0.5, password="open sesame")
            assert outcome.exit_code == exit_codes.GOOD
        finally:
            await first.close()


@pytest.mark.slow
async def test_blocked_media_ends_with_four() -> None:
    """Signalling works, every media packet is lost: as behind a firewall that blocks UDP."""
    async with JitsiSandbox(bots=2) as box:
        box.faults.loss = 1.0
        outcome, report = await headless(box, 8.0)
        assert outcome.exit_code == exit_codes.MEDIA_NEVER_CAME, report.document()
        assert "UDP" in outcome.sentence


async def test_alone_in_a_room_nothing_is_missing() -> None:
    async with JitsiSandbox(bots=0) as box:
        outcome, report = await headless(box, 1.0)
        assert outcome.exit_code == exit_codes.GOOD
        assert [one["local"] for one in report.document()["participants"]] == [True]


@pytest.mark.slow
@pytest.mark.covers("jitsi:event.conference.KICKED")
async def test_being_removed_ends_the_run_and_says_who() -> None:
    async with JitsiSandbox(bots=1) as box:
        controller, call_id, state = await join(box)
        try:
            ended = asyncio.Event()
            controller.subscribe(lambda state, event: state.phase is CallPhase.ENDED and ended.set())
            box.kick("team", state.local_id, "too loud")
            await asyncio.wait_for(ended.wait(), WAIT_S)
            assert "too loud" in controller.state(call_id).end_reason
        finally:
            await controller.close()
