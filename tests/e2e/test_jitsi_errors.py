"""Each trouble of a server or a meeting as the sentence that stands in the window, with a way on where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.calls import actions as ac
from app.calls.model import CallPhase
from app.protocols.xmpp.stanza import error_of
from app.sandbox.jitsi import JitsiSandbox
from app.vendors.base import ActionRefused
from app.vendors.jitsi import joining
from tests.e2e.desk import Desk
from tests.e2e.jitsi_call import Person, eventually


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


@pytest.fixture
async def desk(english: Any, qtbot: Any) -> AsyncIterator[Desk]:
    async with Desk() as made:
        made.open_window()
        yield made


def _booked(sandbox: JitsiSandbox) -> None:
    sandbox.faults.reservation_error = (409, "Room is booked")


def _closing_down(sandbox: JitsiSandbox) -> None:
    sandbox.faults.graceful_shutdown = True


def _mute_rooms(sandbox: JitsiSandbox) -> None:
    sandbox.router.serve(sandbox.options.muc, lambda _session, _stanza: None)


def _no_focus(sandbox: JitsiSandbox) -> None:
    sandbox.faults.focus_unavailable = True


def _server_errors(sandbox: JitsiSandbox) -> None:
    sandbox.faults.refuse_websocket = 503


def _refuse_stream(sandbox: JitsiSandbox) -> None:
    sandbox.web._frame = lambda connection, stream, text: bool(  # type: ignore[method-assign]
        stream.stream_error("undefined-condition")
    )


def _covers(name: str) -> Any:
    return pytest.mark.covers(f"jitsi:error.{name}")


@pytest.mark.covers("jitsi:meet.errors")
@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        pytest.param(_booked, "Room is booked", marks=_covers("conference.RESERVATION_ERROR")),
        pytest.param(_closing_down, "maintenance", marks=_covers("conference.GRACEFUL_SHUTDOWN")),
        pytest.param(_mute_rooms, "could not be set up", marks=_covers("conference.SETUP_FAILED")),
        pytest.param(_server_errors, "The server has a problem", marks=_covers("connection.SERVER_ERROR")),
        pytest.param(_refuse_stream, "connection to the server failed", marks=_covers("connection.OTHER_ERROR")),
    ],
)
async def test_what_keeps_us_out_and_trying_again(
    sandbox: JitsiSandbox,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[JitsiSandbox], None],
    sentence: str,
) -> None:
    """The sentence, then the trouble is over and "Try again" leads into the meeting."""
    monkeypatch.setattr(joining, "JOIN_TIMEOUT_MS", 300)
    frame, rooms = sandbox.web._frame, sandbox.muc.handle
    break_it(sandbox)
    window = desk.window
    await desk.join_by_window(sandbox.url("team"))
    await desk.seen(lambda: window.failure is not None and window.stack.currentWidget() is window.failure)
    assert sentence in window.failure.sentence.text()
    assert window.failure.retry.isVisible()
    sandbox.faults.reservation_error, sandbox.faults.graceful_shutdown = None, False
    sandbox.faults.refuse_websocket = 0
    sandbox.web._frame = frame  # type: ignore[method-assign]
    sandbox.router.serve(sandbox.options.muc, rooms)
    monkeypatch.setattr(joining, "JOIN_TIMEOUT_MS", 15_000)
    window.failure.retry.click()
    await desk.seen(lambda: window.meeting is not None and window.stack.currentWidget() is window.meeting)
    assert len([p for p in sandbox.participants("team").values() if p.name == "Dora"]) == 1


@pytest.mark.covers(
    "jitsi:error.conference.FOCUS_DISCONNECTED",
    "jitsi:error.conference.PASSWORD_NOT_SUPPORTED",
    "jitsi:error.conference.VIDEOBRIDGE_NOT_AVAILABLE",
    "jitsi:error.conference.CONFERENCE_DESTROYED",
)
async def test_what_goes_wrong_during_a_meeting(sandbox: JitsiSandbox, desk: Desk) -> None:
    window = desk.window
    await desk.join_by_window(sandbox.url("team"))
    await desk.seen(lambda: window.meeting)
    desk.call_id = desk.controller.calls()[0]

    def shown(words: str) -> Callable[[], bool]:
        return lambda: words in desk.toasts()

    sandbox.muc.room_iq = lambda _room, session, stanza: session.deliver(
        error_of(stanza, "cancel", "feature-not-implemented")
    )
    await desk.until(lambda s: s.capabilities["Lock"].allowed)
    window._perform(ac.Lock("secret"))
    await desk.seen(shown("cannot be locked with a password"))
    assert not desk.state.locked
    sandbox.bridge_not_available("team")
    await desk.seen(shown("No media server is available"))
    room = sandbox.room("team")
    room.leave(room.occupants["focus"], "left")
    await desk.seen(shown("meeting controller is gone"))
    sandbox.destroy("team", "Closed for today")
    await desk.seen(lambda: window.left is not None and window.stack.currentWidget() is window.left)
    from PySide6.QtWidgets import QLabel

    assert any("Closed for today" in label.text() for label in window.left.findChildren(QLabel))


@pytest.mark.covers("jitsi:error.dataChannel.NetworkError")
async def test_a_broken_bridge_channel_is_told_apart_from_one_not_yet_open(english: Any, qtbot: Any) -> None:
    async with (
        JitsiSandbox(bots=0, bridge_channels=("websocket",)) as sandbox,
        Person(sandbox.url("team")) as bob,
        Desk() as desk,
    ):
        desk.open_window()
        await desk.join_by_window(sandbox.url("team"))
        await desk.seen(lambda: desk.window.meeting)
        desk.call_id = desk.controller.calls()[0]
        await desk.until(lambda s: s.capabilities["SendReaction"].allowed)
        sandbox.faults.refuse_bridge_channel = True
        sandbox.drop_bridge_channel("team", desk.id)
        await desk.until(lambda s: not s.capabilities["SendReaction"].allowed)
        with pytest.raises(ActionRefused) as refused:
            await desk.controller.perform(desk.call_id, ac.SendEndpointMessage({"name": "x"}))
        assert "connection to the media server broke" in refused.value.failure.message
        desk.window.meeting._refused(refused.value.failure)
        await desk.seen(lambda: "connection to the media server broke" in desk.toasts())
        sandbox.faults.refuse_bridge_channel = False
        await desk.until(lambda s: s.capabilities["SendReaction"].allowed)
        await desk.controller.perform(desk.call_id, ac.SendEndpointMessage({"name": "again"}))
        await eventually(lambda: any(getattr(e, "payload", {}).get("name") == "again" for e in bob.events))
        assert desk.state.phase is CallPhase.JOINED
