from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramMechanism

from app.protocols.xmpp import ns
from app.protocols.xmpp.bosh import BoshError, BoshSession
from app.protocols.xmpp.iq import IqTracker
from app.protocols.xmpp.sasl import Credentials, SaslError, SaslExchange, choose_mechanism
from app.protocols.xmpp.sm import SmError, StreamManagement
from app.protocols.xmpp.stanza import iq, message
from app.protocols.xmpp.stream import (
    ClientStream,
    CloseStream,
    OpenStream,
    StanzaReceived,
    StreamFailed,
    StreamReady,
)
from app.protocols.xmpp.xml import el, name_of, parse

FEATURES = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'>%s</stream:features>"
MECHANISMS = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</mechanisms>"
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>"


def offered(*names: str) -> str:
    return FEATURES % (MECHANISMS % "".join(f"<mechanism>{n}</mechanism>" for n in names))


def logged_in(stream: ClientStream) -> None:
    stream.receive(parse(offered("ANONYMOUS")))
    stream.receive(el("success", ns.SASL))
    stream.receive(parse(FEATURES % BIND))


def bound(stream: ClientStream) -> None:
    logged_in(stream)
    jid = el("jid", ns.BIND, text="a@example.com/r")
    stream.receive(iq("result", "bind", None, el("bind", ns.BIND, None, jid)))
    stream.receive(el("enabled", ns.SM, {"resume": "true", "id": "tok"}))


def test_anonymous_login_holds_stanzas_until_management_is_enabled() -> None:
    stream = ClientStream("example.com")
    assert stream.take_output() == [OpenStream("example.com")]
    stream.send(message("x@y"))
    logged_in(stream)
    names = [type(o).__name__ if not hasattr(o, "tag") else name_of(o) for o in stream.take_output()]
    assert names == ["auth", "OpenStream", "iq"]
    stream.receive(iq("result", "bind", None, el("bind", ns.BIND, None, el("jid", ns.BIND, text="a@example.com/r"))))
    assert [name_of(o) for o in stream.take_output()] == ["enable"]  # type: ignore[arg-type]
    stream.receive(el("enabled", ns.SM, {"resume": "true", "id": "tok"}))
    assert [name_of(o) for o in stream.take_output()] == ["message"]  # type: ignore[arg-type]
    assert stream.take_events() == [StreamReady("a@example.com/r")]
    assert stream.sm.token == "tok"


def test_resumption_sends_the_unacknowledged_again() -> None:
    first = ClientStream("example.com")
    bound(first)
    for index in range(3):
        first.send(message("x@y", id_=str(index)))
    first.receive(message("me", from_="x@y"))
    first.suspend()
    first.send(message("x@y", id_="late"))
    again = ClientStream("example.com", sm=first.sm, jid=first.jid)
    again.receive(parse(offered("ANONYMOUS")))
    again.receive(el("success", ns.SASL))
    again.take_output()
    again.receive(parse(FEATURES % BIND))
    resume = again.take_output()[0]
    assert (resume.get("h"), resume.get("previd")) == ("1", "tok")  # type: ignore[union-attr]
    again.receive(el("resumed", ns.SM, {"h": "1", "previd": "tok"}))
    assert [o.get("id") for o in again.take_output()] == ["1", "2"]  # type: ignore[union-attr]
    assert again.take_events() == [StreamReady("a@example.com/r", True)]
    assert [s.get("id") for s in first.take_held()] == ["late"]


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (offered("PLAIN"), "password_required"),
        ("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>", "not_authorized"),
        (
            "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict "
            "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
            "stream_error",
        ),
    ],
)
def test_failed_logins(element: str, code: str) -> None:
    stream = ClientStream("example.com")
    if code == "not_authorized":
        stream.receive(parse(offered("ANONYMOUS")))
    stream.receive(parse(element))
    (event,) = stream.take_events()
    assert isinstance(event, StreamFailed) and event.code == code
    assert stream.take_output()[-1] == CloseStream()


def test_refused_resumption() -> None:
    sm = StreamManagement()
    sm.on_enabled(el("enabled", ns.SM, {"resume": "1", "id": "t"}))
    stream = ClientStream("example.com", sm=sm)
    logged_in(stream)
    stream.receive(el("failed", ns.SM, None, el("item-not-found", ns.STANZAS)))
    assert stream.take_events() == [StreamFailed("resume_failed", "item-not-found")]


def test_malformed_elements_never_raise() -> None:
    stream = ClientStream("example.com")
    bound(stream)
    stream.take_events()
    for text in (
        "<a xmlns='urn:xmpp:sm:3' h='-1'/>",
        "<whatever/>",
        "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
    ):
        stream.receive(parse(text))
    assert any(isinstance(e, StreamFailed | StanzaReceived) for e in stream.take_events())


# ---------------------------------------------------------------- stream management


@given(st.lists(st.sampled_from(["send", "ack", "receive", "ask", "resume"]), max_size=200), st.randoms())
def test_counters_agree_with_a_peer_that_counts(steps: list[str], random) -> None:  # type: ignore[no-untyped-def]
    """Both counters stay exact, and a resumption sends exactly what the peer has not seen."""
    sm = StreamManagement()
    sm.on_enabled(el("enabled", ns.SM, {"resume": "true", "id": "t"}))
    sent: list[str] = []
    peer_has, peer_sent, acked = 0, 0, 0
    for number, step in enumerate(steps):
        if step == "send":
            sm.on_stanza_sent(message("x", id_=str(number)))
            sent.append(str(number))
            if random.random() < 0.8 and peer_has == len(sent) - 1:
                peer_has += 1
        elif step == "ack":
            acked = random.randint(acked, peer_has)
            sm.on_control(el("a", ns.SM, {"h": acked}))
        elif step == "receive":
            sm.on_stanza_received(message("me"))
            sm.on_stanza_received(el("r", ns.SM))
            peer_sent += 1
        elif step == "ask":
            answer = sm.on_control(el("r", ns.SM))
            assert answer is not None and answer.get("h") == str(peer_sent)
        else:
            again = sm.on_resumed(el("resumed", ns.SM, {"h": peer_has}))
            assert [s.get("id") for s in again] == sent[peer_has:]
            acked, peer_has = peer_has, len(sent)
        assert [s.get("id") for s in sm.unacked] == sent[acked:]
        assert sm.sent == len(sent)


@given(st.text(max_size=12) | st.integers().map(str))
def test_any_acknowledgement_is_counted_or_refused(h: str) -> None:
    sm = StreamManagement()
    sm.on_enabled(el("enabled", ns.SM, {"resume": "true", "id": "t"}))
    sm.on_stanza_sent(message("x"))
    try:
        sm.on_control(parse("<a xmlns='urn:xmpp:sm:3'/>") if not h else el("a", ns.SM, {"h": h}))
    except SmError:
        return
    assert sm.sent == 1


def test_counter_wraps_at_two_to_the_32() -> None:
    sm = StreamManagement()
    sm.on_enabled(el("enabled", ns.SM))
    sm._acked = 2**32 - 1
    sm.on_stanza_sent(message("x"))
    assert sm.sent == 0
    sm.on_control(el("a", ns.SM, {"h": 0}))
    assert sm.unacked == ()


def test_peer_that_never_acknowledges_is_given_up() -> None:
    sm = StreamManagement()
    sm.on_enabled(el("enabled", ns.SM))
    asked = 0
    with pytest.raises(SmError):
        for _ in range(2000):
            asked += sm.on_stanza_sent(message("x")) is not None
    assert asked == 200


# ---------------------------------------------------------------- SASL


def test_scram_proves_both_sides() -> None:
    mechanism = ScramMechanism("SCRAM-SHA-256")
    auth = mechanism.make_auth_info("pencil", iteration_count=4096)
    server = mechanism.make_server(lambda _user: auth)
    exchange = SaslExchange("SCRAM-SHA-256", Credentials("user", "pencil"))
    assert exchange.initial is not None
    server.set_client_first(base64.b64decode(exchange.initial).decode())
    response = exchange.challenge(base64.b64encode(server.get_server_first().encode()).decode())
    server.set_client_final(base64.b64decode(response).decode())
    exchange.success(base64.b64encode(server.get_server_final().encode()).decode())
    with pytest.raises(SaslError):
        SaslExchange("SCRAM-SHA-1", Credentials("user", "pencil")).challenge("bm9uc2Vuc2U=")


def test_server_without_proof_is_not_believed() -> None:
    exchange = SaslExchange("SCRAM-SHA-1", Credentials("user", "pencil"))
    with pytest.raises(SaslError):
        exchange.success("")


def test_mechanisms() -> None:
    account = Credentials("u", "p")
    assert choose_mechanism(["PLAIN", "SCRAM-SHA-1", "ANONYMOUS"], account) == "SCRAM-SHA-1"
    assert choose_mechanism(["PLAIN"], None) is None
    assert choose_mechanism(["X"], account) is None
    assert base64.b64decode(SaslExchange("PLAIN", account).initial or "") == b"\0u\0p"
    assert "p'" not in repr(Credentials("u", "p"))


@given(st.text())
def test_any_challenge_is_answered_or_refused(text: str) -> None:
    exchange = SaslExchange("SCRAM-SHA-1", Credentials("user", "pencil"))
    for step in (exchange.challenge, exchange.success):
        try:
            step(text)
        except SaslError:
            pass
        else:
            assert step is None


# ---------------------------------------------------------------- IQ


def test_answers_must_come_from_who_was_asked() -> None:
    ids = iter("abc")
    tracker = IqTracker(lambda: next(ids))
    answers: list[object] = []
    tracker.request("get", "room@x", el("q", "u"), lambda r, e: answers.append(r if r is not None else e), 0)
    assert not tracker.handle(iq("result", "a", None, from_="evil@x"))
    assert tracker.handle(iq("result", "a", None, from_="room@x"))
    assert not tracker.handle(iq("result", "a", None, from_="room@x"))
    tracker.request("get", "room@x", el("q", "u"), lambda r, e: answers.append(e), 0, 1000)
    assert tracker.next_deadline() == 1000
    tracker.expire(999)
    assert len(answers) == 1
    tracker.expire(1000)
    assert answers[1].condition == "remote-server-timeout"  # type: ignore[attr-defined]


# ---------------------------------------------------------------- BOSH


def test_bosh_keeps_one_request_open_and_orders_responses() -> None:
    session = BoshSession("example.com", 100)
    assert session.next_request() is None
    session.send(OpenStream("example.com"))
    first = session.next_request()
    assert (
        first is not None
        and 'rid="100"' in first.body
        and 'wait="60"' in first.body
        and 'xmpp:version="1.0"' in first.body
    )
    assert session.next_request() is None
    body = "<body xmlns='http://jabber.org/protocol/httpbind' sid='s' requests='2'>%s</body>"
    assert [name_of(e) for e in session.on_response(100, body % "<x/>")] == ["x"]
    poll = session.next_request()
    assert poll is not None and 'sid="s"' in poll.body
    assert session.next_request() is None
    session.send(message("a@b"))
    session.send(OpenStream("example.com", restart=True))
    extra = session.next_request()
    assert extra is not None and "<message" in extra.body and "restart" in extra.body
    assert session.next_request() is None
    assert session.on_response(102, body % "<second/>") == []
    assert [name_of(e) for e in session.on_response(101, body % "<first/>")] == ["first", "second"]


def test_bosh_termination() -> None:
    session = BoshSession("example.com", 1)
    session.send(OpenStream("example.com"))
    session.next_request()
    with pytest.raises(BoshError, match="item-not-found"):
        text = "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>"
        session.on_response(1, text)
    assert session.closed
    with pytest.raises(BoshError):
        BoshSession("example.com", 1).on_response(1, "<html/>")
