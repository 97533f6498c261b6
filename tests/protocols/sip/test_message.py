"""The parser against arbitrary input, and what it must get right."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocols.sip import message as sip
from app.protocols.sip.dialog import parse_replaces
from app.protocols.sip.digest import parse_challenge
from app.protocols.sip.message import MAX_MESSAGE, Headers, RemoteProtocolError, Request, Response, parse
from app.protocols.sip.user_agent import Config, UserAgent

DATA = Path(__file__).parents[2] / "data" / "sip"
SEEDS = [p.read_bytes() for p in sorted(DATA.glob("rfc*/*.dat"))]

BASE = (
    "INVITE sip:bob@test.example SIP/2.0\r\n"
    "Via: SIP/2.0/WSS h.invalid;branch=z9hG4bK1\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@test.example>;tag=1\r\n"
    "To: <sip:bob@test.example>\r\n"
    "Call-ID: c1\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:alice@h.invalid;transport=ws>\r\n"
    "Content-Length: 0\r\n\r\n"
)


def change(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new)


MARKS = [b"\r\n", b";", b",", b'"', b"<", b">", b"%"]


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)))
def test_anything_is_parsed_or_refused(data: str | bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(data)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 12)))
        data[at:end] = draw(st.one_of(st.binary(max_size=8), st.sampled_from(MARKS)))
    return bytes(data)


@settings(max_examples=300)
@given(st.lists(mutated(), min_size=1, max_size=4))
def test_agent_survives_mutated_messages(frames: list[bytes]) -> None:
    agent = UserAgent(Config(aor="sip:user@example.com", any_user=True, password="p"))
    agent.register(0.0)
    agent.invite("sip:bob@test.example", "offer", 0.0)
    for number, frame in enumerate(frames):
        agent.receive(frame, float(number))
        agent.poll(float(number))
        for out in agent.outgoing():
            assert "\r\n\r\n" in out and len(out) <= 2 * MAX_MESSAGE
    agent.poll(1000.0)
    assert len(agent.calls) <= len(frames) + 1


@given(st.text(max_size=200))
def test_pieces_never_raise_anything_else(text: str) -> None:
    for reader in (sip.parse_uri, sip.parse_address, sip.parse_via):
        with contextlib.suppress(RemoteProtocolError):
            reader(text)
    sip.split_list(text)
    sip.split_parameters(text)
    sip.split_uri_headers(text)
    sip.user_of(text)
    sip.name_of(text)
    parse_replaces(text)
    parse_challenge("Digest " + text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_header_values_cannot_break_out(name: str, value: str) -> None:
    request = Request(headers=Headers(parse(BASE).headers), method="INVITE", uri="sip:bob@test.example")
    request.headers.set("Subject", value)
    request.headers.set("From", sip.name_address(name, "sip:alice@test.example", ";tag=1"))
    again = parse(str(request))
    assert len(again.headers) == len(request.headers)
    assert sip.uri_of(again.headers.get("From")) == "sip:alice@test.example"


def test_round_trip() -> None:
    first = parse(change("Content-Length: 0\r\n\r\n", "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\ngrüß"))
    assert first.text == "grüß" and str(parse(str(first))) == str(first)


@pytest.mark.parametrize(
    "bad",
    [
        change("Content-Length: 0", "Content-Length: -1"),
        change("Content-Length: 0", "Content-Length: 0\r\nContent-Length: 5"),
        change("Content-Length: 0", "Content-Length: ٣"),
        change("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE"),
        change("CSeq: 1 INVITE", "CSeq: -1 INVITE"),
        change("CSeq: 1 INVITE", "CSeq: 1 BYE"),
        change("CSeq: 1 INVITE\r\n", ""),
        change("To: <sip:bob@test.example>", "To: <sip:bob@test.example"),
        change("To: <sip:bob@test.example>", "To: <>"),
        change("To: <sip:bob@test.example>", "To: sip:bob@test.example, sip:eve@test.example"),
        change("From: ", "From: <sip:x@y.example>;tag=2\r\nFrom: "),
        change("Max-Forwards: 70", "Max-Forwards: 256"),
        change("Max-Forwards: 70", "Max-Forwards: many"),
        change("Via: ", "Via: nonsense\r\nVia: "),
        change(";branch", ":99999;branch"),
        change("Contact: ", "Con tact: "),
        change("INVITE sip:bob@test.example SIP/2.0\r\n", "INVITE sip:bob@test.example SIP/2.0\r\n folded\r\n"),
        change("Call-ID: c1", "X: " + "x" * 9000 + "\r\nCall-ID: c1"),
        change("Call-ID: c1", "X: 1\r\n" * 400 + "Call-ID: c1"),
    ],
)
def test_refused(bad: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(bad)


def test_folding_compact_names_and_lists() -> None:
    text = change("Call-ID: c1", "i: c1\r\nSupported: timer,\r\n  100rel\r\nk: Replaces\r\nSubject: one\r\n\t two")
    message = parse(text)
    assert message.call_id == "c1"
    assert message.headers.tokens("supported") == {"timer", "100rel", "replaces"}
    assert message.headers.get("subject") == "one two"


def test_too_large() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse(BASE + "x" * MAX_MESSAGE)
    assert caught.value.status == 513


def test_keep_alives_are_no_messages() -> None:
    agent = UserAgent(Config(aor="sip:user@example.com"))
    for frame in ("\r\n\r\n", "", " \r\n", b"\r\n"):
        assert agent.receive(frame, 1.0) == [] and agent.outgoing() == []
    assert agent.heard_at == 1.0


def test_hostile_patterns_take_no_time() -> None:
    """Shapes that make backtracking expressions slow."""
    began = time.perf_counter()
    for value in (
        "<sip:" + "a-" * 3000,
        '"' + '\\"' * 3500,
        "<sip:" + "1." * 3000 + "@>",
        ";x=" * 2000,
        "tel:" + "1" * 7000,
    ):
        for header in ("Contact", "To", "Via", "Refer-To", "From"):
            with contextlib.suppress(RemoteProtocolError):
                parse(change("Max-Forwards: 70", f"Max-Forwards: 70\r\n{header}: {value}"))
            for reader in (sip.parse_address, sip.parse_via, sip.parse_uri):
                with contextlib.suppress(RemoteProtocolError):
                    reader(value)
    assert time.perf_counter() - began < 5


def test_sdp_in_multipart_body() -> None:
    body = (
        "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n"
    )
    text = change("Content-Length: 0\r\n\r\n", "Content-Type: multipart/mixed;boundary=b\r\n\r\n" + body)
    assert parse(text).sdp == "v=0\r\n\r\n"


def test_responses_copy_what_they_must() -> None:
    request = parse(change("Call-ID: c1", "Call-ID: c1\r\nRecord-Route: <sip:p.example;lr>\r\nTimestamp: 5"))
    assert isinstance(request, Request)
    ringing = parse(str(request.response(180, to_tag="t")))
    assert isinstance(ringing, Response)
    assert ringing.to_tag == "t" and ringing.headers.all("Record-Route") == ["<sip:p.example;lr>"]
    assert request.response(100).to_tag == "" and request.response(100).headers.get("Timestamp") == "5"
