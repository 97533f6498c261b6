"""RFC 4475 and RFC 5118: every message, with what a careful user agent server does with it.

A verdict is the status of the answer; ``accepted`` (handed on or, for a call, 100); ``dropped``: no answer, no harm.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.protocols.sip.digest import DigestServer
from app.protocols.sip.events import IncomingCall, MessageReceived, RequestReceived
from app.protocols.sip.message import RemoteProtocolError, Request, parse, parse_address
from app.protocols.sip.registrar import Registrar
from app.protocols.sip.user_agent import Config, UserAgent

DATA = Path(__file__).parents[2] / "data" / "sip"

RFC_4475: dict[str, int | str] = {
    # 3.1.1 valid
    "wsinv": 481, "intmeth": 501, "esc01": "accepted", "escnull": "accepted", "esc02": 501, "lwsdisp": 200,
    "longreq": "accepted", "dblreq": "accepted", "semiuri": 200, "transports": 200, "mpart01": "accepted",
    "unreason": "dropped", "noreason": "dropped",
    # 3.1.2 invalid
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "scalarlg": "dropped", "quotbal": 400,
    "ltgtruri": 400, "lwsruri": 400, "lwsstart": 400, "trws": 400, "escruri": 400, "baddate": "accepted",
    "regbadct": 400, "badaspec": 400, "baddn": 400, "badvers": 505, "mismatch01": 400, "mismatch02": 400,
    "bigcode": "dropped",
    # 3.2 transaction layer
    "badbranch": 200,
    # 3.3 application layer
    "insuf": "dropped", "unkscm": 416, "novelsc": 416, "unksm2": 404, "bext01": 420, "invut": 415,
    "regaut01": "accepted", "multi01": 400, "mcl01": 400, "bcast": "dropped", "zeromf": 200,
    "cparam01": "accepted", "cparam02": "accepted", "regescrt": "accepted", "sdp01": 406,
    # 3.4 backward compatibility
    "inv2543": "accepted",
}  # fmt: skip
"""wsinv carries a To tag of a dialog that nobody has; insuf lacks what an answer would need; the date of baddate is
nothing that a phone looks at."""

RFC_5118: dict[str, int | str] = {
    "ipv6-good": "accepted", "ipv6-bad": 400, "port-ambiguous": "accepted", "port-unambiguous": "accepted",
    "via-received-param-with-delim": 481, "via-received-param-no-delim": 200, "ipv6-in-sdp": "accepted",
    "mult-ip-in-header": 481, "mult-ip-in-sdp": "accepted", "ipv4-mapped-ipv6": "accepted",
    "ipv6-bug-abnf-3-colons": 200,
}  # fmt: skip


def server(authenticator: DigestServer | None = None) -> UserAgent:
    config = Config(aor="sip:user@example.com", any_user=True, extra_methods=frozenset({"REGISTER"}))
    return UserAgent(config, authenticator)


def verdict(data: bytes) -> int | str:
    agent = server()
    events = agent.receive(data, 0.0)
    for event in events:
        if isinstance(event, RequestReceived):
            answer = Registrar().register(event.request, 0.0)
            agent.send_response(event.id, answer, 0.0)
            return answer.status if answer.status >= 300 else "accepted"
        if isinstance(event, (IncomingCall, MessageReceived)):
            return "accepted"
    out = agent.outgoing()
    if not out:
        return "dropped"
    # Not parsed: an answer repeats the headers of a request that is malformed.
    return int(out[-1].split(" ", 2)[1])


def read(folder: str, name: str) -> bytes:
    return (DATA / folder / f"{name}.dat").read_bytes()


def test_all_messages_are_there() -> None:
    assert {p.stem for p in (DATA / "rfc4475").iterdir()} == set(RFC_4475) and len(RFC_4475) == 49
    assert {p.stem for p in (DATA / "rfc5118").iterdir()} == set(RFC_5118) and len(RFC_5118) == 11


@pytest.mark.parametrize("name", RFC_4475)
def test_rfc_4475(name: str) -> None:
    assert verdict(read("rfc4475", name)) == RFC_4475[name]


@pytest.mark.parametrize("name", RFC_5118)
def test_rfc_5118(name: str) -> None:
    assert verdict(read("rfc5118", name)) == RFC_5118[name]


def test_tortuous_invite_is_read_right() -> None:
    message = parse(read("rfc4475", "wsinv"))
    assert isinstance(message, Request)
    assert message.cseq.sequence == 9 and message.headers.number("Max-Forwards") == 68
    assert parse_address(message.headers.get("From")).name == 'J Rosenberg \\"'
    assert message.to_tag == "1918181833n" and message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert len(message.headers.listed("Via")) == 3 and message.branch == "390skdjuw"
    assert message.sdp is not None and len(message.body) == 150
    assert message.headers.listed("Contact")[0].startswith('"Quoted string \\"\\""')


def test_wide_range_of_characters() -> None:
    message = parse(read("rfc4475", "intmeth"))
    assert isinstance(message, Request)
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert parse_address(message.headers.get("To")).uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"


def test_escapes_do_not_become_structure() -> None:
    message = parse(read("rfc4475", "esc01"))
    assert isinstance(message, Request)
    agent = server()
    assert isinstance(agent.receive(read("rfc4475", "esc01"), 0.0)[0], IncomingCall)
    assert message.uri == "sip:sips%3Auser%40example.com@example.net"


def test_second_message_of_a_frame_is_left_alone() -> None:
    message = parse(read("rfc4475", "dblreq"))
    assert message.body == b"" and message.headers.get("Call-ID") == "dblreq.0ha0isndaksdj99sdfafnl3lk233412"


def test_unknown_authorisation_scheme_is_challenged() -> None:
    agent = server(DigestServer("example.com", {}.get))
    agent.receive(read("rfc4475", "regaut01"), 0.0)
    assert parse(agent.outgoing()[0]).status == 401  # type: ignore[union-attr]


def test_contact_parameters_and_uri_parameters_are_told_apart() -> None:
    first = parse_address(parse(read("rfc4475", "cparam01")).headers.get("Contact"))
    second = parse_address(parse(read("rfc4475", "cparam02")).headers.get("Contact"))
    assert "unknownparam" in first.parameters and "unknownparam" not in first.uri.parameters
    assert "unknownparam" in second.uri.parameters and not second.parameters


def test_refusals_say_why_and_to_whom() -> None:
    agent = server()
    agent.receive(read("rfc4475", "mcl01"), 0.0)
    answer = parse(agent.outgoing()[0])
    assert answer.call_id == "mcl01.fhn2323orihawfdoa3o4r52o3irsdf" and answer.to_tag
    with pytest.raises(RemoteProtocolError):
        parse(read("rfc4475", "mcl01"))
