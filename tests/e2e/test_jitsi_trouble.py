"""What goes wrong on the way into a meeting or during one, as a person reads it; and what heals by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import Asked, CallPhase
from app.sandbox.jitsi import JitsiSandbox
from app.sandbox.jitsi.sasl import TokenPolicy, make_token
from app.vendors.base import ActionRefused, JoinFailed
from tests.e2e.jitsi_call import Person, eventually


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


async def _fails(url: str, **how: Any) -> tuple[str, Person]:
    async with Person(url, start=False, **how) as ada:
        with pytest.raises(JoinFailed) as failed:
            await ada.session.join()
        assert ada.state.phase is CallPhase.FAILED and ada.state.failure == failed.value.failure
        assert ada.state.failure is not None and ada.state.failure.message.endswith(".")
        return failed.value.failure.code, ada


# ---------------------------------------------------------------- the way in


@pytest.mark.covers("jitsi:error.connection.CONNECTION_ERROR", "jitsi:event.connection.CONNECTION_FAILED")
async def test_dead_addresses_are_known_soon() -> None:
    started = time.monotonic()
    assert (await _fails("http://127.0.0.1:9/team"))[0] == "tcp"
    assert (await _fails("https://no-such-host.invalid/team"))[0] == "dns"
    assert time.monotonic() - started < 10


async def test_untrusted_certificate_and_its_acceptance() -> None:
    async with JitsiSandbox(bots=0, tls=True) as sandbox:
        code, ada = await _fails(sandbox.url("team"))
        assert code == "tls" and ada.state.failure is not None
        fingerprint = ada.state.failure.details.rpartition("sha256=")[2]
        assert len(fingerprint) == 64
        async with Person(sandbox.url("team"), trusted_certificates=(fingerprint,)) as bob:
            assert bob.state.phase is CallPhase.JOINED
        assert (await _fails(sandbox.url("team"), trusted_certificates=("00" * 32,)))[0] == "tls"


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"config_status": 403}, "http_403"),
        ({"config_status": 503}, "server_error"),
        ({"config_text": "<html>nothing here</html>"}, "bad_config"),
        ({"refuse_websocket": 404}, "http_404"),
        pytest.param(
            {"refuse_websocket": 502}, "server_error", marks=pytest.mark.covers("jitsi:error.connection.SERVER_ERROR")
        ),
        pytest.param(
            {"reservation_error": (409, "Room is booked")},
            "reservation_error",
            marks=pytest.mark.covers("jitsi:error.conference.RESERVATION_ERROR"),
        ),
        pytest.param(
            {"graceful_shutdown": True},
            "graceful_shutdown",
            marks=pytest.mark.covers("jitsi:error.conference.GRACEFUL_SHUTDOWN"),
        ),
        ({"members_only": True}, "members_only"),
        ({"room_creation_restricted": 10}, "room_creation_restricted"),
        ({"focus_unavailable": True}, "conference_request_failed"),
    ],
)
@pytest.mark.covers("jitsi:event.conference.CONFERENCE_FAILED")
async def test_refusals(sandbox: JitsiSandbox, faults: dict[str, Any], code: str) -> None:
    for name, value in faults.items():
        setattr(sandbox.faults, name, value)
    got, ada = await _fails(sandbox.url("team"))
    assert got == code
    if code == "reservation_error":
        assert ada.state.failure is not None and "Room is booked" in ada.state.failure.message


@pytest.mark.covers("jitsi:error.conference.CONFERENCE_MAX_USERS")
async def test_full_meeting() -> None:
    async with JitsiSandbox(bots=0, max_occupants=1) as sandbox, Person(sandbox.url("team")):
        code, bob = await _fails(sandbox.url("team"), name="Bob")
        assert code == "max_users" and "full" in bob.state.failure.message  # type: ignore[union-attr]


async def test_focus_that_needs_time_is_waited_for(sandbox: JitsiSandbox) -> None:
    sandbox.faults.not_ready = 1
    sandbox.faults.session_invalid = 1
    async with Person(sandbox.url("team")) as ada:
        assert ada.state.phase is CallPhase.JOINED


async def test_display_name_is_asked_for() -> None:
    async with (
        JitsiSandbox(bots=0, display_name_required=True) as sandbox,
        Person(sandbox.url("team"), "", start=False) as ada,
    ):
        joining = asyncio.create_task(ada.session.join())
        await ada.until(lambda s: s.asked is Asked.DISPLAY_NAME)
        await ada.do(ac.SubmitDisplayName("Grace"))
        await joining
        assert sandbox.participants("team")[ada.id].name == "Grace"


@pytest.mark.covers(
    "jitsi:error.conference.AUTHENTICATION_REQUIRED",
    "jitsi:option.connection.hosts.anonymousdomain",
    "jitsi:event.conference.AUTH_STATUS_CHANGED",
)
async def test_host_signs_in_on_a_secure_domain() -> None:
    async with (
        JitsiSandbox(bots=0, secure_domain=True, accounts={"host": "secret"}) as sandbox,
        Person(sandbox.url("team"), start=False) as ada,
    ):
        joining = asyncio.create_task(ada.session.join())
        await ada.until(lambda s: s.asked is Asked.SIGN_IN)
        await ada.do(ac.SignIn("host", "wrong"))
        await ada.until(lambda s: s.asked is Asked.SIGN_IN and s.failure and s.failure.code == "sign_in_failed")
        await ada.do(ac.SignIn("host", "secret"))
        await joining
        assert ada.state.auth_enabled
        async with Person(sandbox.url("team"), "Guest") as guest:
            assert guest.state.phase is CallPhase.JOINED


@pytest.mark.covers(
    "jitsi:error.connection.PASSWORD_REQUIRED",
    "jitsi:connection.connect",
    "jitsi:param.connection.connect.id",
    "jitsi:param.connection.connect.password",
    "jitsi:event.connection.CONNECTION_ESTABLISHED",
)
async def test_server_that_wants_a_login() -> None:
    async with JitsiSandbox(bots=0, login_required=True, accounts={"ada": "secret"}) as sandbox:
        async with Person(sandbox.url("team"), user="ada", user_password="secret") as ada:
            assert ada.state.phase is CallPhase.JOINED
        async with Person(sandbox.url("team"), start=False) as bob:
            joining = asyncio.create_task(bob.session.join())
            await bob.until(lambda s: s.asked is Asked.SIGN_IN)
            await bob.do(ac.SignIn("ada", "secret"))
            await joining


@pytest.mark.covers("jitsi:param.connection.new.token", "jitsi:connection.new")
async def test_token_of_the_link_opens_the_meeting() -> None:
    policy = TokenPolicy("a secret of the operator")
    async with JitsiSandbox(bots=0, token=policy) as sandbox:
        token = make_token(policy, room="team")
        async with Person(f"{sandbox.url('team')}?jwt={token}") as ada:
            assert ada.state.phase is CallPhase.JOINED
        expired = make_token(policy, room="team", lifetime_s=-60)
        code, _ = await _fails(f"{sandbox.url('team')}?jwt={expired}")
        assert code == "token_refused"
        code, _ = await _fails(f"{sandbox.url('other')}?jwt={token}")
        assert code == "token_mismatch"


async def test_closing_while_asked_ends_the_joining() -> None:
    async with (
        JitsiSandbox(bots=0, login_required=True, accounts={"a": "b"}) as sandbox,
        Person(sandbox.url("t"), start=False) as ada,
    ):
        joining = asyncio.create_task(ada.session.join())
        await ada.until(lambda s: s.asked is Asked.SIGN_IN)
        await ada.session.close()
        with pytest.raises(JoinFailed):
            await joining
        assert ada.state.phase is CallPhase.ENDED


async def test_cancelled_joining_cleans_up(sandbox: JitsiSandbox) -> None:
    sandbox.faults.delay_http_s = 5.0
    async with Person(sandbox.url("team"), start=False) as ada:
        joining = asyncio.create_task(ada.session.join())
        await ada.until(lambda s: s.phase is CallPhase.CONNECTING)
        joining.cancel()
        with pytest.raises(asyncio.CancelledError):
            await joining
        assert ada.state.phase is CallPhase.ENDED


# ---------------------------------------------------------------- devices


@pytest.mark.covers("jitsi:error.track.NOT_FOUND")
async def test_missing_devices_leave_us_in_the_meeting(sandbox: JitsiSandbox) -> None:
    missing = {"video": "no such camera", "audio": "no such microphone"}
    async with Person(sandbox.url("team"), options=missing, microphone_muted=False, camera_muted=False) as ada:
        await ada.until(lambda s: not s.local.camera_available and not s.local.microphone_available)
        await ada.until(lambda s: s.local.camera_muted and s.local.microphone_muted)
        with pytest.raises(ActionRefused) as refused:
            await ada.do(ac.SetCamera(False))
        assert refused.value.failure.code == "device_not_found"
        assert ada.state.local.camera_muted and ada.state.phase is CallPhase.JOINED
        await eventually(lambda: sandbox.participants("team")[ada.id].muted("video"))


# ---------------------------------------------------------------- other ways of connecting


@pytest.mark.covers("jitsi:option.connection.bosh", "jitsi:option.connection.serviceUrl")
async def test_bosh() -> None:
    async with (
        JitsiSandbox(bots=0, websocket=False) as sandbox,
        Person(sandbox.url("team")) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
    ):
        await ada.do(ac.SendMessage("over http"))
        await bob.until(lambda s: s.messages and s.messages[-1].text == "over http")
        await bob.do(ac.SendMessage("and back"))
        await ada.until(lambda s: s.messages[-1].text == "and back")


async def test_conference_request_over_http_and_tenant() -> None:
    async with (
        JitsiSandbox(bots=0, http_conference_request=True) as sandbox,
        Person(sandbox.url("Team Réunion", "acme")) as ada,
        Person(sandbox.url("team réunion", "acme"), "Bob"),
    ):
        await ada.until(lambda s: len(s.participants) == 2)


# ---------------------------------------------------------------- during the meeting


@pytest.mark.covers("jitsi:error.connection.CONNECTION_DROPPED_ERROR", "jitsi:error.conference.CONNECTION_ERROR")
async def test_lost_socket_is_resumed_without_anybody_noticing(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team"), microphone_muted=False) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
    ):
        await bob.until(lambda s: s.sources.get(f"{ada.id}-a0") and s.sources[f"{ada.id}-a0"].receiving)
        bob.forget()
        sessions = sandbox.participants("team")[ada.id].sessions_started
        sandbox.drop_connection("team", ada.id)
        await ada.until(lambda s: s.phase is CallPhase.RECONNECTING)
        await ada.until(lambda s: s.phase is CallPhase.JOINED)
        await ada.do(ac.SendMessage("still here"))
        await bob.until(lambda s: s.messages and s.messages[-1].text == "still here")
        assert not [e for e in bob.events if isinstance(e, ev.ParticipantLeft)]
        assert sandbox.participants("team")[ada.id].sessions_started == sessions


async def test_refused_resumption_leads_to_joining_again(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: ada.id in s.participants)
        ada.forget()
        sandbox.faults.refuse_resumption = True
        sandbox.drop_connection("team", ada.id)
        await ada.event(ev.Joined)
        await ada.do(ac.SendMessage("back"))
        state = await bob.until(lambda s: s.messages and s.messages[-1].text == "back")
        assert state.messages[-1].sender_name == "Ada"


async def test_server_that_stays_away_is_given_up_and_retryable() -> None:
    sandbox = JitsiSandbox(bots=0)
    await sandbox.start()
    async with Person(sandbox.url("team")) as ada:
        await sandbox.close()
        state = await ada.until(lambda s: s.phase is CallPhase.FAILED)
        assert state.failure is not None and state.failure.retryable
        assert state.failure.code == "connection_dropped"


@pytest.mark.covers("jitsi:error.conference.CONFERENCE_DESTROYED")
async def test_ended_meeting(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        sandbox.destroy("team", "The meeting has been terminated")
        state = await ada.until(lambda s: s.phase is CallPhase.ENDED)
        assert state.end_reason == "The meeting has been terminated"


@pytest.mark.covers("jitsi:error.conference.VIDEOBRIDGE_NOT_AVAILABLE", "jitsi:event.conference.CONFERENCE_ERROR")
async def test_missing_bridge_is_said(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        sandbox.bridge_not_available("team")
        notice = await ada.event(ev.Notice, lambda e: e.code == "videobridge_not_available")
        assert "No media server" in notice.message


async def test_dead_bridge_is_replaced(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team"), microphone_muted=False) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
    ):
        await bob.until(lambda s: s.sources.get(f"{ada.id}-a0") and s.sources[f"{ada.id}-a0"].receiving)
        before = sandbox.participants("team")[ada.id].sessions_started
        sandbox.move("team", ada.id)
        await eventually(lambda: sandbox.participants("team")[ada.id].sessions_started > before)
        bob.forget()
        await ada.until(lambda s: s.details.get("bridge_channel_state") == "open")
        await eventually(lambda: sandbox.participants("team")[ada.id].transport_state == "connected")
        truth = sandbox.participants("team")[ada.id].sources[f"{ada.id}-a0"]
        await eventually(lambda: sandbox.participants("team")[ada.id].sources[f"{ada.id}-a0"].packets > truth.packets)


async def test_peer_offers_are_declined_and_doubles_refused() -> None:
    async with (
        JitsiSandbox(bots=1, quiet_bots=True) as sandbox,
        Person(sandbox.url("team"), microphone_muted=False) as ada,
    ):
        state = await ada.until(lambda s: sum(x.receiving for x in s.sources.values()) == 2)
        bot = next(p for p in state.participants if p != ada.id)
        sandbox.duplicate_offer("team", ada.id)
        sandbox.offer_peer_session("team", ada.id, bot)

        def log() -> list[tuple[str, str]]:
            return list(sandbox.participants("team")[ada.id].jingle_log)

        await eventually(lambda: ("session-initiate", "service-unavailable") in log())
        await eventually(lambda: any(action.startswith("p2p") and "terminate" in action for action, _ in log()))
        assert ada.state.media_state == "connected"
