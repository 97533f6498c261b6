"""Registration against a registrar, with authentication; time is the test's."""

from __future__ import annotations

from typing import Any

import pytest

from app.protocols.sip.digest import (
    Challenge,
    DigestClient,
    DigestServer,
    challenges,
    compute,
    parse_challenge,
)
from app.protocols.sip.events import (
    CallEnded,
    IncomingCall,
    RegistrationChanged,
    RegistrationState,
    RequestAnswered,
    RequestReceived,
)
from app.protocols.sip.message import Request, Response, parse
from app.protocols.sip.registrar import Registrar
from tests.protocols.sip.pair import Pair

REGISTERED, FAILED = RegistrationState.REGISTERED, RegistrationState.FAILED
SERVER: dict[str, Any] = {
    "aor": "sip:server@test.example",
    "any_user": True,
    "extra_methods": frozenset({"REGISTER"}),
}


class Office(Pair):
    """``b`` is a registrar."""

    def __init__(self, a: dict[str, Any] | None = None, registrar: Registrar | None = None, **digest: Any) -> None:
        guard = DigestServer("test", {"alice": "secret"}.get, **digest)
        super().__init__({"password": "secret", **(a or {})}, SERVER, authenticator=guard)
        self.registrar = registrar or Registrar()
        self.silent = False

    def run(self) -> Office:
        super().run()
        waiting = [e for e in self.b_events if isinstance(e, RequestReceived)]
        self.b_events = [e for e in self.b_events if not isinstance(e, RequestReceived)]
        for event in waiting:
            if not self.silent:
                self.b.send_response(event.id, self.registrar.register(event.request, self.now, "b"), self.now)
        if waiting and not self.silent:
            self.run()
        return self

    @property
    def state(self) -> RegistrationState:
        return self.a.registration.state


def requests(pair: Pair, method: str) -> list[Request]:
    found = [parse(f) for n, f in pair.log if n == "a" and f.startswith(method)]
    return [m for m in found if isinstance(m, Request)]


def test_registers_renews_and_leaves() -> None:
    office = Office()
    office.a.register(office.now)
    office.run()
    assert office.state is REGISTERED and office.a.registered
    assert [e.state for e in office.a_events] == [RegistrationState.REGISTERING, REGISTERED]
    assert office.a_last(RegistrationChanged).expires == 600
    (binding,) = office.registrar.bindings("alice", office.now)
    assert binding.contact == office.a.core.contact_uri
    first, second = requests(office, "REGISTER")
    assert first.call_id == second.call_id and second.cseq.sequence == first.cseq.sequence + 1
    assert first.from_tag == second.from_tag and first.branch != second.branch
    office.advance(3000)
    assert office.state is REGISTERED
    assert [e.state for e in office.a_events if e.state is not REGISTERED] == [RegistrationState.REGISTERING]
    office.a.unregister(office.now)
    office.run()
    assert office.state is RegistrationState.UNREGISTERED
    assert office.registrar.bindings("alice", office.now) == ()
    office.advance(3000)
    assert office.state is RegistrationState.UNREGISTERED


def test_state_is_true_when_the_server_falls_silent() -> None:
    office = Office()
    office.a.register(office.now)
    office.run()
    office.silent = True
    office.advance(599)
    assert office.state is REGISTERED
    office.advance(3)
    assert office.state is FAILED and not office.a.registered


def test_wrong_password_is_told_once() -> None:
    office = Office({"password": "wrong"})
    office.a.register(office.now)
    office.run()
    assert office.a_last(RegistrationChanged).status == 401 and office.state is FAILED
    assert len(requests(office, "REGISTER")) == 2
    office.a.register(office.now)
    office.run()
    assert office.state is FAILED


def test_interval_too_brief() -> None:
    office = Office({"register_expires": 30}, Registrar(min_expires=90))
    office.a.register(office.now)
    office.run()
    assert office.a_last(RegistrationChanged).expires == 90


def test_stale_nonce_costs_one_more_round_and_no_password() -> None:
    office = Office(nonce_life_s=30.0)
    office.a.register(office.now)
    office.run()
    office.log.clear()
    office.advance(100)
    office.a.options(office.now)
    office.run()
    assert office.a_last(RequestAnswered).status == 200
    assert any("stale=true" in f for n, f in office.log if n == "b")


def test_nonce_is_used_again_and_counted() -> None:
    office = Office()
    office.a.register(office.now)
    office.run()
    office.a.invite("sip:bob@test.example", "offer", office.now)
    office.run()
    (invite,) = requests(office, "INVITE")
    assert "nc=00000002" in invite.headers.get("Authorization")
    assert office.b_last(IncomingCall)


def test_challenged_invite_is_acknowledged_and_sent_again() -> None:
    office = Office({"reuse_nonce": False})
    key = office.a.invite("sip:bob@test.example", "offer", office.now)
    office.run()
    assert [line.split()[0] for line in office.lines("a")] == ["INVITE", "ACK", "INVITE"]
    first, second = requests(office, "INVITE")
    assert second.cseq.sequence == first.cseq.sequence + 1 and second.from_tag == first.from_tag
    theirs = office.b_last(IncomingCall).call
    office.b.answer(theirs, "answer", office.now)
    office.run()
    (_, ack) = requests(office, "ACK")
    assert ack.cseq.sequence == second.cseq.sequence and ack.headers.get("Authorization")
    office.a.bye(key, office.now)
    assert office.run().b_last(CallEnded).by == "remote"
    (bye,) = requests(office, "BYE")
    assert bye.cseq.sequence == second.cseq.sequence + 1


def test_call_with_wrong_password_fails() -> None:
    office = Office({"password": "wrong"})
    office.a.invite("sip:bob@test.example", "offer", office.now)
    assert office.run().a_last(CallEnded).status == 401


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("algorithms", [("MD5",), ("MD5-SESS",), ("SHA-256",), ("SHA-256-SESS",), ("MD5", "SHA-256")])
def test_algorithms(algorithms: tuple[str, ...], proxy: bool) -> None:
    office = Office(algorithms=algorithms, proxy=proxy)
    office.a.register(office.now)
    office.run()
    assert office.state is REGISTERED
    header = requests(office, "REGISTER")[1].headers.get("Proxy-Authorization" if proxy else "Authorization")
    assert f"algorithm={algorithms[-1]}" in header, "the strongest is chosen (RFC 8760 section 2.3)"


def test_examples_of_the_rfcs() -> None:
    """RFC 7616 section 3.9.1 (both algorithms) and RFC 2617 section 3.5."""
    asked = {"username": "Mufasa", "password": "Circle of Life", "method": "GET", "uri": "/dir/index.html"}
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    more = {"cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "nc": "00000001"}
    realm = "http-auth@example.org"
    md5 = compute(Challenge(realm, nonce, "MD5", ("auth",)), **asked, **more)
    assert md5 == "8ca523f5e9506fed4657c9700eebdbec"
    sha = compute(Challenge(realm, nonce, "SHA-256", ("auth",)), **asked, **more)
    assert sha == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    old = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "MD5", ("auth",))
    asked["password"] = "Circle Of Life"
    assert compute(old, **asked, cnonce="0a4f113b", nc="00000001") == "6629fae49393a05397450978507c4ef1"


def test_recorded_answer_of_the_official_client() -> None:
    challenge = parse_challenge(
        'Digest realm="asterisk",nonce="1795194897/709e00921b617f3df85550d8b89193bc",opaque="1f999a3c191af038",'
        'algorithm=MD5,qop="auth"'
    )
    assert challenge is not None
    response = compute(
        challenge, username="alice", password="alicepw", method="REGISTER", uri="sip:127.0.0.1",
        cnonce="n8bshkoahi8k", nc="00000001",
    )  # fmt: skip
    assert response == "cbed7ee6ae1bad75b3cead1fee3eccba"


def test_challenges_that_cannot_be_answered() -> None:
    for value in (
        "Basic realm=x",
        "Digest",
        'Digest realm="a", nonce="b", algorithm=AKAv1-MD5',
        'Digest realm="a", nonce="b", qop="auth-int"',
        'Digest realm="a", nonce="b',
        "NoOneKnowsThisScheme opaque-data=here",
    ):
        assert parse_challenge(value) is None
    known = parse_challenge('Digest realm="a,b\\"c", nonce="n", qop="auth,auth-int", stale=TRUE')
    assert known == Challenge('a,b"c', "n", "MD5", ("auth", "auth-int"), "", True)


def test_several_realms_are_answered_together() -> None:
    response = Response(status=407, reason="x")
    response.headers.add("Proxy-Authenticate", 'Digest realm="one", nonce="1", algorithm=MD5, qop="auth"')
    response.headers.add("Proxy-Authenticate", 'Digest realm="one", nonce="1s", algorithm=SHA-256, qop="auth"')
    response.headers.add("Proxy-Authenticate", 'Digest realm="two", nonce="2"')
    assert [c.algorithm for c in challenges(response)] == ["SHA-256", "MD5", "MD5"]
    request = Request(method="OPTIONS", uri="sip:x@y.example")
    client = DigestClient("u", "p")
    assert client.answer(request, response)
    values = request.headers.all("Proxy-Authorization")
    assert len(values) == 2 and "SHA-256" in values[0] and "qop" not in values[1]
    assert not client.answer(request, response), "the same nonces refused again: the password is wrong"
    assert "p" not in repr(client).split("username")[1].split(",")[1:]


def test_contact_must_be_kept_by_the_server() -> None:
    office = Office()
    office.a.register(office.now)
    pair_request = parse(office.a.outgoing()[0])
    assert isinstance(pair_request, Request)
    answer = pair_request.response(200, to_tag="t", headers=[("Contact", "<sip:other@192.0.2.1>;expires=60")])
    office.a_events += office.a.receive(str(answer), office.now)
    assert office.state is FAILED


def test_server_may_rewrite_the_contacts_host() -> None:
    office = Office()
    office.a.register(office.now)
    sent = parse(office.a.outgoing()[0])
    assert isinstance(sent, Request)
    contact = f"<sip:{office.a.core.contact_user}@10.1.2.3:4711;transport=ws>;expires=50"
    office.a_events += office.a.receive(str(sent.response(200, headers=[("Contact", contact)])), office.now)
    assert office.state is REGISTERED and office.a_last(RegistrationChanged).expires == 50


def test_outbound_registration_names_the_instance() -> None:
    office = Office({"instance_id": "urn:uuid:0-1"})
    for _ in range(2):
        office.a.register(office.now)
        office.run()
        office.a.connection_lost(office.now)
        office.a.connected(office.now)
    contact = requests(office, "REGISTER")[0].headers.get("Contact")
    assert ";reg-id=1" in contact and '+sip.instance="<urn:uuid:0-1>"' in contact
    assert len(office.registrar.bindings("alice", office.now)) == 1


def test_lost_connection_means_unregistered() -> None:
    office = Office()
    office.a.register(office.now)
    office.run()
    office.a_events += office.a.connection_lost(office.now)
    assert office.state is RegistrationState.UNREGISTERED and office.a.outgoing() == []
    assert office.a.next_timeout() is None
    office.a.connected(office.now)
    office.a.register(office.now)
    assert office.run().state is REGISTERED


def test_registrar_bounds_and_wildcard() -> None:
    registrar = Registrar(max_contacts=2)

    def register(contact: str, cseq: int, expires: str = "100", call_id: str = "c") -> int:
        request = Request(method="REGISTER", uri="sip:test.example")
        for name, value in (
            ("Via", "SIP/2.0/WS h.invalid;branch=z9hG4bKx"), ("From", "<sip:u@test.example>;tag=1"),
            ("To", "<sip:u@test.example>"), ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER"),
            ("Contact", contact), ("Expires", expires),
        ):  # fmt: skip
            request.headers.add(name, value)
        return registrar.register(request, 0.0, "c1").status

    assert register("<sip:a@h>", 1) == 200 and register("<sip:b@h>", 2) == 200
    assert register("<sip:c@h>", 3) == 403
    assert register("<sip:a@h>", 1) == 500
    assert register("*", 4) == 400
    assert register("<mailto:x@y>", 5) == 416
    assert register("*", 6, "0") == 200 and registrar.bindings("u", 0.0) == ()
    assert register("<sip:a@h>", 7) == 200
    assert registrar.drop_connection("c1") == ("u",) and registrar.bindings("u", 0.0) == ()
