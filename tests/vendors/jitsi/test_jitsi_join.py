from __future__ import annotations

import pytest
from jitsi_harness import JID, ROOM, Harness

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import Asked, CallPhase
from app.vendors.jitsi import events as fx


def _refuse(h: Harness, error: str, child: str = "") -> None:
    h.stanza(
        f"<presence xmlns='jabber:client' type='error' from='{ROOM}/{h.core.ctx.nick}' to='{JID}'>"
        f"<error type='{error.partition('/')[0]}'><{error.partition('/')[2]} "
        f"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{child}</error></presence>"
    )


def _failed(h: Harness) -> str:
    finish = h.of(fx.Finish)[-1]
    assert finish.phase is CallPhase.FAILED
    return str(finish.failure.code)


def test_join_asks_the_focus_first_and_carries_everything_in_presence() -> None:
    h = Harness(region="eu", email="ada@example.com").connect()
    assert not [s for s in h.sent() if s.startswith("<presence")]
    h.request_ok()
    presence = h.sent()[-1]
    assert f'to="{ROOM}/a1b2c3d4"' in presence
    for part in (
        "http://jabber.org/protocol/muc",
        '"a1b2c3d4-a0":{"muted":false}'.replace('"', "&quot;") if False else "a1b2c3d4-a0",
        "vp8,h264",
        "Ada",
        "ada@example.com",
        "jitsi_participant_region",
        "http://jabber.org/protocol/caps",
    ):
        assert part in presence
    h.member("0f9e8d7c", "<nick xmlns='http://jabber.org/protocol/nick'>Bob</nick>")
    assert not h.events(ev.ParticipantJoined)
    h.own(role="moderator")
    joined = h.last(ev.Joined)
    assert (joined.local_id, joined.room) == ("a1b2c3d4", "Team42")
    names = [(e.participant.id, e.participant.name, e.participant.is_local) for e in h.events(ev.ParticipantJoined)]
    assert names == [("a1b2c3d4", "Ada", True), ("0f9e8d7c", "Bob", False)]
    assert h.of(fx.Entered)


def test_a_conference_that_is_not_ready_is_asked_for_again() -> None:
    h = Harness().connect()
    h.answer("protocol/focus", "<conference xmlns='http://jitsi.org/protocol/focus' ready='false'/>")
    before = len(h.sent())
    h.advance(999)
    assert len(h.sent()) == before
    h.advance(1)
    assert "protocol/focus" in h.sent()[-1]


def test_wrong_password_asks_again_and_the_right_one_enters() -> None:
    h = Harness(password="wrong").connect().request_ok()
    assert "<password>wrong</password>" in h.sent()[-1]
    _refuse(h, "auth/not-authorized")
    asked = h.last(ev.InputAsked)
    assert asked.what is Asked.ROOM_PASSWORD and asked.failure.code == "password_wrong"
    h.perform(ac.SubmitPassword("right"))
    h.request_ok()
    assert "<password>right</password>" in h.sent()[-1]
    h.own()
    assert h.events(ev.Joined)


def test_password_first_time_has_no_reproach() -> None:
    h = Harness().connect().request_ok()
    _refuse(h, "auth/not-authorized")
    assert h.last(ev.InputAsked).failure is None


@pytest.mark.parametrize(
    ("error", "child", "code"),
    [
        ("cancel/service-unavailable", "", "max_users"),
        (
            "auth/registration-required",
            "<lobbyroom xmlns='http://jitsi.org/jitmeet'>x@lobby</lobbyroom>",
            "members_only",
        ),
        ("auth/forbidden", "", "access_denied"),
        ("cancel/not-allowed", "", "not_allowed"),
        (
            "cancel/not-allowed",
            "<authentication-required xmlns='http://jitsi.org/jitmeet'/>",
            "authentication_required",
        ),
        (
            "cancel/not-allowed",
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Room and token mismatched</text>",
            "token_mismatch",
        ),
        ("wait/internal-server-error", "", "connection_error"),
    ],
)
def test_refused_join(error: str, child: str, code: str) -> None:
    h = Harness().connect().request_ok()
    _refuse(h, error, child)
    assert _failed(h) == code


def test_display_name_is_asked_for() -> None:
    h = Harness(display_name="").connect().request_ok()
    _refuse(h, "modify/not-acceptable", "<displayname-required xmlns='http://jitsi.org/jitmeet' lobby='true'/>")
    assert h.last(ev.InputAsked).what is Asked.DISPLAY_NAME
    h.perform(ac.SubmitDisplayName("Grace"))
    h.request_ok()
    assert "Grace" in h.sent()[-1]


def test_room_that_does_not_exist_yet_is_tried_three_times() -> None:
    h = Harness().connect()
    for _ in range(3):
        h.request_ok()
        _refuse(h, "cancel/not-allowed", "<room-does-not-exist xmlns='http://jitsi.org/jitmeet'/>")
        h.advance(4000)
    h.request_ok()
    _refuse(h, "cancel/not-allowed", "<room-does-not-exist xmlns='http://jitsi.org/jitmeet'/>")
    assert _failed(h) == "room_creation_restricted"


def test_taken_name_is_replaced_once() -> None:
    h = Harness().connect().request_ok()
    _refuse(h, "cancel/conflict")
    assert h.core.ctx.nick != "a1b2c3d4" and h.core.ctx.nick in h.sent()[-1]
    _refuse(h, "cancel/conflict")
    assert _failed(h) == "connection_error"


def test_sign_in_in_the_middle() -> None:
    h = Harness().connect()
    h.answer("protocol/focus", error="type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>")
    assert h.last(ev.InputAsked).what is Asked.SIGN_IN
    h.perform(ac.SignIn("bob", "secret"))
    request = h.of(fx.Authenticate)[-1]
    assert request.user == "bob" and "secret" not in repr(request)
    h.core.joining.authenticated(None, None)
    h.pump()
    assert h.last(ev.InputAsked).failure.code == "sign_in_failed"
    h.perform(ac.SignIn("bob", "better"))
    h.core.joining.authenticated("session7", None)
    h.pump()
    assert 'session-id="session7"' in h.sent()[-1]


@pytest.mark.parametrize(
    ("child", "code"),
    [
        (
            "<reservation-error xmlns='http://jitsi.org/protocol/focus' error-code='409'/>"
            "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>Room is booked</text>",
            "reservation_error",
        ),
        ("<graceful-shutdown xmlns='http://jitsi.org/protocol/focus'/>", "graceful_shutdown"),
    ],
)
def test_conference_request_refused_for_good(child: str, code: str) -> None:
    h = Harness().connect()
    error = "type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" + child
    h.answer("protocol/focus", error=error)
    assert _failed(h) == code
    if code == "reservation_error":
        assert "Room is booked" in h.of(fx.Finish)[-1].failure.message


def test_absent_focus_is_asked_four_times_then_given_up() -> None:
    h = Harness().connect()
    for _ in range(4):
        error = "type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        h.answer("protocol/focus", error=error)
        h.advance(4000)
    assert _failed(h) == "conference_request_failed"


def test_silent_room_is_given_up() -> None:
    h = Harness().connect().request_ok()
    h.advance(15_000)
    assert _failed(h) == "setup_failed"


def test_not_live_conference() -> None:
    h = Harness().connect()
    h.request_ok(properties="<property name='live' value='false'/>")
    assert _failed(h) == "not_live"


def test_request_over_http() -> None:
    config = {
        "hosts": {"domain": "meet.example.com"},
        "conferenceRequestUrl": "https://meet.example.com/conference-request/v1",
    }
    h = Harness(config).connect()
    assert h.of(fx.PostConference)[-1].body["room"] == ROOM
    reply = {"ready": True, "focusJid": "focus@auth.meet.example.com", "properties": {"authentication": "false"}}
    h.core.joining.conference_response(200, "", reply)
    h.pump()
    assert "billingid" in h.sent()[-1]
    refused = Harness(config).connect()
    refused.core.joining.conference_response(403, "", None)
    refused.pump()
    assert refused.last(ev.InputAsked).what is Asked.SIGN_IN


def test_leaving_says_goodbye_and_waits_for_the_echo() -> None:
    h = Harness().join()
    h.core.leave("bye")
    h.pump()
    assert 'type="unavailable"' in h.sent()[-1] and "bye" in h.sent()[-1]
    assert not h.of(fx.Finish)
    h.gone("a1b2c3d4", "<status code='110'/>")
    assert h.of(fx.Finish)[-1].phase is CallPhase.ENDED


def test_kicked_and_destroyed_end_the_call_with_the_reason() -> None:
    h = Harness().join()
    h.member("0f9e8d7c")
    h.gone(
        "a1b2c3d4",
        "<item role='none'><actor nick='0f9e8d7c'/><reason>Noise</reason></item><status code='307'/><status code='110'/>",  # noqa: E501
    )
    assert h.last(ev.LocalKicked) == ev.LocalKicked("0f9e8d7c", "Noise")
    assert h.of(fx.Finish)[-1].failure.code == "kicked"
    h = Harness().join()
    h.gone("a1b2c3d4", "<destroy jid=''><reason>The meeting has been terminated</reason></destroy>")
    assert h.of(fx.Finish)[-1].failure.code == "conference_destroyed"
    assert h.of(fx.Finish)[-1].reason == "The meeting has been terminated"


def test_rejoining_keeps_name_and_tells_who_left() -> None:
    h = Harness().join()
    h.member("0f9e8d7c")
    h.core.disconnected()
    h.pump()
    assert h.last(ev.ParticipantLeft).participant_id == "0f9e8d7c"
    h.core.connected("ffff0000-1@meet.example.com/r2")
    h.pump()
    h.request_ok()
    assert f"{ROOM}/a1b2c3d4" in h.sent()[-1]
