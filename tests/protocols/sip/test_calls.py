"""Two user agents that talk over a lossless wire: set-up, progress, changes, ends."""

from __future__ import annotations

import pytest

from app.protocols.sip import events
from app.protocols.sip.events import (
    AnswerReceived,
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    DtmfReceived,
    IncomingCall,
    MessageReceived,
    OfferFailed,
    OfferReceived,
    OfferWithdrawn,
    RequestAnswered,
    RetryOffer,
    SessionRefreshed,
)
from app.protocols.sip.message import Request, Response, new_tag, parse
from app.protocols.sip.user_agent import NotPossible
from tests.protocols.sip.pair import Pair


def test_call_from_ringing_to_bye() -> None:
    pair = Pair()
    key, theirs = pair.call()
    incoming = pair.b_last(IncomingCall)
    assert (incoming.from_name, incoming.from_uri, incoming.sdp) == ("Alice", "sip:alice@test.example", "offer")
    assert pair.a_last(CallProgress).status == 180
    assert pair.a_last(CallAnswered).sdp == "answer"
    assert pair.b_last(CallConfirmed).call == theirs
    pair.b.bye(theirs, pair.now, ("Q.850;cause=16",))
    pair.run()
    ended = pair.a_last(CallEnded)
    assert ended.by == "remote" and ended.reasons[0].cause == 16
    assert not pair.a.calls and not pair.b.calls and not pair.a.by_tag and not pair.b.by_tag


def test_early_media_and_180_after_it() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.progress(theirs, pair.now, status=183, sdp="early")
    assert pair.run().a_last(CallProgress).sdp == "early"
    pair.b.progress(theirs, pair.now, status=180)
    pair.b.answer(theirs, None, pair.now)
    pair.run()
    assert pair.a_last(CallAnswered).sdp == "early", "a 200 without a body keeps the early answer"


def test_reliable_progress_waits_for_prack() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.progress(theirs, pair.now, status=183, sdp="early", reliable=True)
    pair.b.answer(theirs, "answer", pair.now)
    assert not any("200 OK" in line for line in pair.lines("b"))
    pair.run()
    assert any(line.startswith("PRACK") for line in pair.lines("a"))
    assert pair.a_last(CallAnswered).sdp == "answer"


def test_reliable_progress_is_repeated_then_given_up() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.progress(theirs, pair.now, status=183, sdp="early", reliable=True)
    first = pair.b.outgoing()
    pair.advance(1.0, carry=False)
    again = pair.b.outgoing()
    assert again and again[0] == first[0]
    pair.advance(40.0, carry=False)
    assert pair.b_last(CallEnded).status == 504


@pytest.mark.parametrize("status", [486, 603, 480, 404, 488])
def test_refusals(status: int) -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.reject(theirs, pair.now, status)
    ended = pair.run().a_last(CallEnded)
    assert (ended.status, ended.by) == (status, "remote")
    assert not pair.a.calls and not pair.b.calls
    pair.advance(40)
    assert not pair.a.core.layer.clients and not pair.b.core.layer.servers


def test_redirect_is_shown_not_followed() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.redirect(theirs, ("sip:carol@test.example",), pair.now)
    assert pair.run().a_last(CallEnded).contacts == ("sip:carol@test.example",)


def test_cancel_waits_for_a_provisional_response() -> None:
    pair = Pair()
    key = pair.a.invite("sip:bob@test.example", "offer", pair.now)
    pair.a.cancel(key, pair.now)
    invite = pair.a.outgoing()
    assert [f.split()[0] for f in invite] == ["INVITE"]
    pair.b_events += pair.b.receive(invite[0], pair.now)
    pair.run()
    ended = pair.a_last(CallEnded)
    assert (ended.status, ended.by) == (487, "local")
    assert pair.b_last(CallEnded).status == 487 and not pair.b.calls


def test_cancel_says_answered_elsewhere() -> None:
    pair = Pair()
    key = pair.a.invite("sip:bob@test.example", "offer", pair.now)
    pair.run()
    pair.a.cancel(key, pair.now, ('SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=26"))
    pair.run()
    ended = pair.b_last(CallEnded)
    assert ended.elsewhere and [r.cause for r in ended.reasons] == [200, 26]


def test_cancel_that_crosses_the_answer_hangs_up() -> None:
    pair = Pair()
    key = pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.answer(theirs, "answer", pair.now)
    pair.a.cancel(key, pair.now)
    pair.run()
    assert [line.split()[0] for line in pair.lines("a")][-4:].count("BYE") == 1
    assert pair.a_last(CallEnded).by == "local" and pair.b_last(CallEnded).by == "remote"
    assert not pair.a.calls and not pair.b.calls


def test_callee_hangs_up_before_the_ack() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.answer(theirs, "answer", pair.now)
    pair.b.bye(theirs, pair.now)
    assert not any(f.startswith("BYE") for f in pair.b.core.layer.out)
    pair.run()
    assert pair.a_last(CallEnded).by == "remote" and not pair.b.calls


def test_answer_is_repeated_until_the_ack_comes() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    theirs = pair.run().b_last(IncomingCall).call
    pair.b.answer(theirs, "answer", pair.now)
    lost = pair.b.outgoing()
    pair.advance(1.0, carry=False)
    again = pair.b.outgoing()
    assert lost[-1] in again
    pair.a_events += pair.a.receive(again[0], pair.now)
    ack = pair.a.outgoing()
    assert ack[0].startswith("ACK")
    pair.a_events += pair.a.receive(again[0], pair.now)
    assert pair.a.outgoing() == ack, "each repetition is acknowledged again"
    pair.advance(40.0, carry=False)
    ended = pair.b_last(CallEnded)
    assert ended.reason == "no ACK" and any(f.startswith("BYE") for f in pair.b.outgoing())


def test_slow_start() -> None:
    pair = Pair()
    key = pair.a.invite("sip:bob@test.example", None, pair.now)
    incoming = pair.run().b_last(IncomingCall)
    assert incoming.sdp is None
    pair.b.answer(incoming.call, "their offer", pair.now)
    answered = pair.run().a_last(CallAnswered)
    assert answered.needs_answer and answered.sdp == "their offer"
    assert not any(isinstance(e, CallConfirmed) for e in pair.b_events)
    pair.a.accept_offer(key, "our answer", pair.now)
    assert pair.run().b_last(CallConfirmed).sdp == "our answer"


def test_reinvite_without_offer_asks_for_one() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.reinvite(key, None, pair.now)
    assert pair.run().b_last(OfferReceived).sdp is None
    pair.b.accept_offer(theirs, "offer of b", pair.now)
    assert pair.run().a_last(OfferReceived).sdp == "offer of b"
    pair.a.accept_offer(key, "answer of a", pair.now)
    assert pair.run().b_last(AnswerReceived).sdp == "answer of a"
    assert pair.a.can_offer(key) and pair.b.can_offer(theirs)


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_hold_and_refusal(method: str) -> None:
    pair = Pair()
    key, theirs = pair.call()
    change = pair.a.reinvite if method == "INVITE" else pair.a.update
    change(key, "hold", pair.now)
    offer = pair.run().b_last(OfferReceived)
    assert (offer.sdp, offer.method) == ("hold", method)
    pair.b.accept_offer(theirs, "held", pair.now)
    assert pair.run().a_last(AnswerReceived).sdp == "held"
    change(key, "video", pair.now)
    pair.run().b.reject_offer(theirs, pair.now, 488)
    failed = pair.run().a_last(OfferFailed)
    assert failed.status == 488 and not failed.will_retry
    assert pair.a.can_offer(key) and pair.b.can_offer(theirs)


def test_glare_is_settled_by_different_waits() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.reinvite(key, "from a", pair.now)
    pair.b.reinvite(theirs, "from b", pair.now)
    began = pair.now
    pair.run()
    assert pair.a_last(OfferFailed).will_retry and pair.b_last(OfferFailed).will_retry
    pair.advance(2.0)
    assert pair.b_last(RetryOffer), "who did not make the call waits up to two seconds"
    assert not any(isinstance(e, RetryOffer) for e in pair.a_events)
    pair.b.reinvite(theirs, "again from b", pair.now)
    pair.run().a.accept_offer(key, "yes", pair.now)
    assert pair.run().b_last(AnswerReceived).sdp == "yes"
    pair.advance(began + 4.01 - pair.now)
    assert pair.a_last(RetryOffer)


def test_only_one_offer_at_a_time() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.reinvite(key, "one", pair.now)
    with pytest.raises(NotPossible):
        pair.a.reinvite(key, "two", pair.now)
    pair.run()
    with pytest.raises(NotPossible):
        pair.b.reinvite(theirs, "mine", pair.now)
    pair.b.accept_offer(theirs, "ok", pair.now)
    with pytest.raises(NotPossible):
        pair.b.accept_offer(theirs, "ok", pair.now)


def test_a_reinvite_can_be_withdrawn_by_the_far_side() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.reinvite(key, "one", pair.now)
    pair.run()
    from app.protocols.sip.transaction import cancel_for

    offer = pair.a.calls[key].local_offer
    assert offer is not None and offer.pending is not None
    pair.b_events += pair.b.receive(str(cancel_for(offer.pending.request)), pair.now)
    assert pair.b_last(OfferWithdrawn).call == theirs
    assert pair.run().a_last(OfferFailed).status == 487


def test_unanswered_reinvite_of_a_dead_dialog_ends_the_call() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.b._forget(pair.b.calls[theirs])
    pair.a.reinvite(key, "x", pair.now)
    assert pair.run().a_last(CallEnded).status == 481


def test_messages_info_and_tones_in_the_call() -> None:
    pair = Pair()
    key, theirs = pair.call()
    sent = pair.a.message("", '{"a":1}', pair.now, content_type="application/json", call=key)
    got = pair.run().b_last(MessageReceived)
    assert (got.call, got.content_type, got.body) == (theirs, "application/json", '{"a":1}')
    answered = pair.a_last(RequestAnswered)
    assert (answered.id, answered.status) == (sent, 200)
    pair.b.dtmf(theirs, "#", pair.now, 250)
    tone = pair.run().a_last(DtmfReceived)
    assert (tone.digit, tone.duration_ms) == ("#", 250)
    with pytest.raises(NotPossible):
        pair.a.dtmf(key, "12", pair.now)
    pair.a.info(key, "x", "text/x-own", pair.now)
    assert pair.run().b_last(events.InfoReceived).body == "x"


def test_message_outside_calls_and_options() -> None:
    pair = Pair()
    pair.a.message("sip:bob@test.example", "grüße", pair.now)
    got = pair.run().b_last(MessageReceived)
    assert (got.call, got.body, got.from_name) == ("", "grüße", "Alice")
    pair.a.options(pair.now)
    assert pair.run().a_last(RequestAnswered).status == 200
    answer = next(f for n, f in pair.log if n == "b" and "CSeq: 1 OPTIONS" in f)
    assert "Allow: INVITE" in answer and "Accept: application/sdp" in answer


def test_methods_that_are_not_ours() -> None:
    pair = Pair()
    for method, status in (("SUBSCRIBE", 405), ("FROBNICATE", 501), ("BYE", 481), ("UPDATE", 481)):
        pair.a.request(method, "sip:bob@test.example", pair.now)
        answer = pair.run().a_last(RequestAnswered)
        assert answer.status == status
        if status == 405:
            assert "INVITE" in answer.headers.get("Allow")
    pair.a.request("OPTIONS", "sip:stranger@test.example", pair.now)
    assert pair.run().a_last(RequestAnswered).status == 404
    pair.a.request("OPTIONS", "sip:bob@test.example", pair.now, headers=[("Require", "teleport, replaces")])
    refused = pair.run().a_last(RequestAnswered)
    assert refused.status == 420 and refused.headers.get("Unsupported") == "teleport"


def test_the_same_call_over_two_paths_is_a_loop() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    frame = pair.a.outgoing()[0]
    pair.b.receive(frame, pair.now)
    pair.b.receive(frame.replace("branch=z9hG4bK", "branch=z9hG4bKother"), pair.now)
    assert any("482 Loop Detected" in f for f in pair.b.outgoing())
    assert len(pair.b.calls) == 1
    pair.b.receive(frame, pair.now)
    assert len(pair.b.calls) == 1, "a repetition belongs to its transaction"


def test_first_of_two_forks_wins() -> None:
    pair = Pair()
    key = pair.a.invite("sip:bob@test.example", "offer", pair.now)
    invite = parse(pair.a.outgoing()[0])
    assert isinstance(invite, Request)

    def fork(status: int, tag: str, body: str = "") -> Response:
        answer = invite.response(status, to_tag=tag, headers=[("Contact", f"<sip:{tag}@192.0.2.1>")])
        answer.set_body(body or None)
        return answer

    one, two = new_tag(), new_tag()
    for answer in (fork(180, one), fork(183, two, "early two"), fork(200, two, "two"), fork(200, one, "one")):
        pair.a_events += pair.a.receive(str(answer), pair.now)
    sent = [f.split("\r\n")[0] for f in pair.a.outgoing()]
    assert [s.split()[0] for s in sent] == ["ACK", "ACK", "BYE"]
    assert two in sent[0] and one in sent[1] and one in sent[2]
    assert pair.a_last(CallAnswered).fork == two and key in pair.a.calls
    assert {e.fork for e in pair.a_events if isinstance(e, CallProgress)} == {one, two}


def test_session_refresh_by_update_and_by_reinvite() -> None:
    for allow, method in ((None, "UPDATE"), (("INVITE", "ACK", "BYE", "CANCEL"), "INVITE")):
        pair = Pair({"session_expires": 120}, {"allow": allow} if allow else {})
        key, theirs = pair.call()
        assert pair.a.calls[key].timer.ours and pair.a.calls[key].timer.interval == 120
        assert pair.b.calls[theirs].timer.interval == 120 and not pair.b.calls[theirs].timer.ours
        pair.log.clear()
        pair.advance(61)
        assert pair.lines("a")[0].startswith(method)
        if method == "INVITE":
            assert pair.b_last(OfferReceived).sdp == "offer"
            pair.b.accept_offer(theirs, "answer", pair.now)
            pair.run()
        assert isinstance(pair.a_last(SessionRefreshed), SessionRefreshed)
        for _ in range(10):
            pair.advance(30)
            if pair.b.calls[theirs].remote_offer is not None:
                pair.b.accept_offer(theirs, "answer", pair.now)
                pair.run()
        assert pair.a.calls and pair.b.calls


def test_call_without_refresh_ends_by_itself() -> None:
    pair = Pair({"session_expires": 120})
    key, theirs = pair.call()
    pair.b._forget(pair.b.calls[theirs])
    lone = pair.b
    pair.a.calls[key].timer.refresh_at = None
    pair.advance(120)
    assert pair.a_last(CallEnded).reason == "session expired"
    assert lone.calls == {}


def test_session_interval_too_small_is_raised() -> None:
    pair = Pair({"session_expires": 90}, {"min_se": 200})
    key, theirs = pair.call()
    assert any("422" in line for line in pair.lines("b"))
    assert pair.a.calls[key].timer.interval == 200 and pair.b.calls[theirs].timer.interval == 200


def test_connection_loss_keeps_the_call() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.reinvite(key, "x", pair.now)
    pair.a_events += pair.a.connection_lost(pair.now)
    assert pair.a_last(OfferFailed).status == 503 and key in pair.a.calls
    pair.a_events += pair.a.connected(pair.now)
    pair.a.reinvite(key, "again", pair.now)
    pair.run().b.accept_offer(theirs, "ok", pair.now)
    assert pair.run().a_last(AnswerReceived).sdp == "ok"


def test_hang_up_while_offline_is_sent_later() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a_events += pair.a.connection_lost(pair.now)
    pair.a.bye(key, pair.now)
    assert pair.a.outgoing() == [] and pair.run().a_last(CallEnded).by == "local"
    pair.a_events += pair.a.connected(pair.now)
    assert pair.run().b_last(CallEnded).by == "remote"


def test_connection_loss_while_setting_up() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    pair.run()
    assert [type(e) for e in pair.a.connection_lost(pair.now)] == [CallEnded]
    assert [type(e) for e in pair.b.connection_lost(pair.now)] == [CallEnded]
    assert not pair.a.calls and not pair.b.calls


def test_no_answer_at_all() -> None:
    pair = Pair()
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    pair.a.outgoing()
    pair.advance(33, carry=False)
    ended = pair.a_last(CallEnded)
    assert (ended.by, ended.status) == ("timeout", 408)


def test_bounds() -> None:
    pair = Pair({"max_calls": 3}, {"max_calls": 2})
    for _ in range(3):
        pair.a.invite("sip:bob@test.example", "offer", pair.now)
    pair.run()
    assert len(pair.b.calls) == 2 and pair.a_last(CallEnded).status == 486
    pair.a.invite("sip:bob@test.example", "offer", pair.now)
    with pytest.raises(NotPossible):
        pair.a.invite("sip:bob@test.example", "offer", pair.now)
