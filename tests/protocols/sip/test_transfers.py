"""REFER in both roles, Replaces, and a relay between several agents."""

from __future__ import annotations

from typing import Any

import pytest

from app.protocols.sip.dialog import Replaces, parse_replaces
from app.protocols.sip.events import (
    AnswerReceived,
    CallAnswered,
    CallEnded,
    CallProgress,
    DtmfReceived,
    IncomingCall,
    MessageReceived,
    OfferFailed,
    OfferReceived,
    ReferProgress,
    ReferReceived,
)
from app.protocols.sip.message import split_uri_headers
from app.protocols.sip.refer import refer_to
from app.protocols.sip.registrar import Registrar
from app.protocols.sip.relay import Relay
from app.protocols.sip.user_agent import Config, NotPossible, UserAgent
from tests.protocols.sip.pair import Pair


def test_blind_transfer_is_reported_to_its_end() -> None:
    pair = Pair()
    key, theirs = pair.call()
    refer = pair.a.refer(key, "sip:carol@test.example", pair.now)
    asked = pair.run().b_last(ReferReceived)
    assert (asked.call, asked.target, asked.referred_by) == (theirs, "sip:carol@test.example", "sip:alice@test.example")
    pair.b.accept_refer(asked.id, pair.now)
    pair.run()
    assert [(e.status, e.final) for e in pair.a_events if isinstance(e, ReferProgress)] == [(202, False), (100, False)]
    pair.a.bye(key, pair.now)
    pair.run()
    pair.b.notify_refer(asked.id, 180, pair.now)
    pair.b.notify_refer(asked.id, 200, pair.now, "OK")
    last = pair.run().a_last(ReferProgress)
    assert (last.id, last.status, last.final) == (refer, 200, True), "reports come after the call has ended, too"
    with pytest.raises(NotPossible):
        pair.b.notify_refer(asked.id, 200, pair.now)


def test_refused_and_forgotten_transfers() -> None:
    pair = Pair()
    key, theirs = pair.call()
    pair.a.refer(key, "sip:carol@test.example", pair.now)
    pair.run().b.reject_refer(pair.b_last(ReferReceived).id, pair.now)
    refused = pair.run().a_last(ReferProgress)
    assert (refused.status, refused.final, refused.accepted) == (603, True, False)
    pair.a.refer(key, "sip:carol@test.example", pair.now)
    pair.run().b.accept_refer(pair.b_last(ReferReceived).id, pair.now)
    pair.run().advance(200)
    assert pair.a_last(ReferProgress).status == 408


def test_refer_with_bad_targets() -> None:
    pair = Pair()
    key, theirs = pair.call()
    for value, status in (("<mailto:x@y.example>", 416), ("<sip:a@b>, <sip:c@d>", 400), ("<sip:>", 400)):
        pair.a.request("REFER", "", pair.now, call=key, headers=[("Refer-To", value)])
        assert any(f" {status} " in f.split("\r\n")[0] for n, f in pair.run().log[-2:] if n == "b")


def test_replaces_survives_the_uri() -> None:
    target, _ = split_uri_headers(refer_to("sip:x@y.example", Replaces("a@b", "to", "from"))[1:-1])
    assert target == "sip:x@y.example"
    assert parse_replaces("call;to-tag=1") is None and parse_replaces("") is None
    value = Replaces("425928@bobster.example.org", "7743", "6472", True)
    assert parse_replaces(split_uri_headers(refer_to("sip:x@y.example", value)[1:-1])[1]["replaces"]) == value


class Office:
    """A call server with a line to each phone; every call goes through :class:`Relay`."""

    def __init__(self, *names: str) -> None:
        self.now = 0.0
        self.registrar = Registrar()
        self.phones: dict[str, UserAgent] = {}
        self.lines: dict[str, UserAgent] = {}
        self.events: dict[str, list[Any]] = {}
        self.relays: list[Relay] = []
        self.ring_all: dict[str, tuple[str, ...]] = {}
        for name in names:
            self.phones[name] = UserAgent(Config(aor=f"sip:{name}@office.example", display_name=name.title()))
            self.lines[name] = UserAgent(
                Config(aor="sip:server@office.example", any_user=True, supported=("replaces",))
            )
            self.events[name] = []

    def run(self) -> None:
        for _ in range(300):
            moved = False
            for name, phone in self.phones.items():
                for frame in phone.outgoing():
                    moved = True
                    self.serve(self.lines[name], self.lines[name].receive(frame, self.now))
                for frame in self.lines[name].outgoing():
                    moved = True
                    self.events[name] += phone.receive(frame, self.now)
            for line in self.lines.values():
                self.serve(line, line.take_events())
            if not moved:
                break
        for name, phone in self.phones.items():
            self.events[name] += phone.take_events()

    def serve(self, line: UserAgent, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, IncomingCall):
                self.connect(line, event)
            elif isinstance(event, ReferReceived):
                self.transfer(line, event)
            else:
                assert sum(relay.handle(line, event, self.now) for relay in self.relays) <= 1

    def connect(self, line: UserAgent, event: IncomingCall) -> None:
        user = event.request_uri.partition(":")[2].partition("@")[0]
        relay = Relay(line, event)
        self.relays.append(relay)
        for name in self.ring_all.get(user, (user,)):
            if name not in self.lines:
                line.reject(event.call, self.now, 404)
                return
            relay.ring(
                self.lines[name], f"sip:{self.phones[name].core.contact_user}@1.2.3.4:5", self.now,
                sender=f'"{event.from_name}" <{event.from_uri}>',
            )  # fmt: skip

    def transfer(self, line: UserAgent, event: ReferReceived) -> None:
        line.accept_refer(event.id, self.now)
        if event.replaces is None:
            return
        found = [(x, x.find_replaced(event.replaces)) for x in self.lines.values()]
        assert [key for _, key in found if key], "the dialog to be replaced is one of ours"
        line.notify_refer(event.id, 200, self.now)

    def last(self, name: str, kind: type) -> Any:
        return next(e for e in reversed(self.events[name]) if isinstance(e, kind))

    def kinds(self, name: str) -> list[type]:
        return [type(e) for e in self.events[name]]

    def call(self, caller: str, callee: str) -> tuple[str, str]:
        key = self.phones[caller].invite(f"sip:{callee}@office.example", "offer", self.now)
        self.run()
        theirs = self.last(callee, IncomingCall).call
        self.phones[callee].progress(theirs, self.now)
        self.run()
        self.phones[callee].answer(theirs, "answer", self.now)
        self.run()
        return key, theirs


def test_call_over_a_server() -> None:
    office = Office("ann", "bob")
    key, theirs = office.call("ann", "bob")
    incoming = office.last("bob", IncomingCall)
    assert (incoming.from_name, incoming.from_uri) == ("Ann", "sip:ann@office.example")
    assert incoming.call_id != key and office.last("ann", CallAnswered).sdp == "answer"
    assert office.last("ann", CallProgress).status == 180
    ann, bob = office.phones["ann"], office.phones["bob"]
    ann.reinvite(key, "hold", 0.0, [("Subject", "upgrade-video")])
    office.run()
    offer = office.last("bob", OfferReceived)
    assert offer.sdp == "hold" and offer.headers.get("Subject") == "upgrade-video"
    bob.accept_offer(theirs, "held", 0.0)
    office.run()
    assert office.last("ann", AnswerReceived).sdp == "held"
    bob.reinvite(theirs, "bad", 0.0)
    office.run()
    ann.reject_offer(key, 0.0, 488)
    office.run()
    assert office.last("bob", OfferFailed).status == 488
    ann.message("", "hello", 0.0, call=key)
    bob.dtmf(theirs, "5", 0.0)
    office.run()
    assert office.last("bob", MessageReceived).body == "hello" and office.last("ann", DtmfReceived).digit == "5"
    bob.bye(theirs, 0.0)
    office.run()
    assert office.last("ann", CallEnded).by == "remote"
    assert not any(agent.calls for agent in (*office.phones.values(), *office.lines.values()))


def test_glare_over_a_server() -> None:
    office = Office("ann", "bob")
    key, theirs = office.call("ann", "bob")
    office.phones["ann"].reinvite(key, "x", 0.0)
    office.phones["bob"].reinvite(theirs, "y", 0.0)
    office.run()
    failed = [e for name in ("ann", "bob") for e in office.events[name] if isinstance(e, OfferFailed)]
    assert failed and all(e.status == 491 for e in failed)


def test_everybody_rings_and_one_answers() -> None:
    office = Office("ann", "bob", "cem")
    office.ring_all["all"] = ("bob", "cem")
    office.phones["ann"].invite("sip:all@office.example", "offer", 0.0)
    office.run()
    bob, cem = office.phones["bob"], office.phones["cem"]
    bob.progress(office.last("bob", IncomingCall).call, 0.0)
    cem.answer(office.last("cem", IncomingCall).call, "cem", 0.0)
    office.run()
    assert office.last("ann", CallAnswered).sdp == "cem"
    ended = office.last("bob", CallEnded)
    assert ended.elsewhere and ended.status == 487


def test_all_refuse() -> None:
    office = Office("ann", "bob", "cem")
    office.ring_all["all"] = ("bob", "cem")
    office.phones["ann"].invite("sip:all@office.example", "offer", 0.0)
    office.run()
    office.phones["bob"].reject(office.last("bob", IncomingCall).call, 0.0, 486)
    office.run()
    assert CallEnded not in office.kinds("ann")
    office.phones["cem"].reject(office.last("cem", IncomingCall).call, 0.0, 603)
    office.run()
    assert office.last("ann", CallEnded).status == 603


def test_caller_gives_up() -> None:
    office = Office("ann", "bob")
    key = office.phones["ann"].invite("sip:bob@office.example", "offer", 0.0)
    office.run()
    office.phones["bob"].progress(office.last("bob", IncomingCall).call, 0.0)
    office.run()
    office.phones["ann"].cancel(key, 0.0)
    office.run()
    assert office.last("bob", CallEnded).status == 487 and not office.lines["bob"].calls
    assert office.last("ann", CallEnded).status == 487


def test_attended_transfer_names_the_right_dialog() -> None:
    office = Office("ann", "bob", "cem")
    first, _ = office.call("ann", "bob")
    second, _ = office.call("ann", "cem")
    office.phones["ann"].refer(first, "", 0.0, replaces_call=second)
    office.run()
    assert office.last("ann", ReferProgress).status == 200


def test_call_that_takes_the_place_of_another() -> None:
    """INVITE with Replaces straight to the phone (RFC 3891)."""
    pair = Pair()
    key, theirs = pair.call()
    replaces = pair.a.replaces_of(key)
    assert pair.b.find_replaced(replaces) == theirs
    new = pair.a.invite("sip:bob@test.example", "new offer", pair.now, replaces=replaces)
    incoming = pair.run().b_last(IncomingCall)
    assert incoming.replaces_call == theirs
    pair.b.answer(incoming.call, "new answer", pair.now)
    pair.run()
    assert pair.a_last(CallEnded).call == key and set(pair.a.calls) == {new}
    assert set(pair.b.calls) == {incoming.call}


def test_replaces_that_cannot_be_honoured() -> None:
    pair = Pair()
    key, theirs = pair.call()
    good = pair.a.replaces_of(key)
    for replaces, status in (
        (Replaces("nobody", "a", "b"), 481),
        (Replaces(good.call_id, good.to_tag, good.from_tag, early_only=True), 486),
    ):
        pair.a.invite("sip:bob@test.example", "x", pair.now, replaces=replaces)
        assert pair.run().a_last(CallEnded).status == status
    assert theirs in pair.b.calls
