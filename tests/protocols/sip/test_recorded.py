"""Traffic of the official SDK with a real Asterisk: it is all understood, and our agent takes the SDK's place in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app.protocols.sdp.description import parse as parse_sdp
from app.protocols.sip import events
from app.protocols.sip.message import Request, Response, parse
from app.protocols.sip.user_agent import Config, UserAgent

TEXT = (Path(__file__).parents[2] / "data" / "sip" / "recorded.txt").read_text()


def frames() -> list[tuple[str, str]]:
    """``C`` or ``S`` and the message, line ends and body lengths as on the wire."""
    found = []
    for mark, body in re.findall(
        r"^(>>>>>> C->S|<<<<<< S->C)\n(.*?)(?=^(?:>>>>>> C->S|<<<<<< S->C)$|\Z)", TEXT, re.M | re.S
    ):
        head, _, rest = body.partition("\n\n")
        if not head.strip() or not re.match(r"\S+ \S+ \S+|SIP/2\.0", head):
            continue
        head = head.replace("\n", "\r\n")
        length = int(re.search(r"Content-Length:\s*(\d+)", head).group(1))  # type: ignore[union-attr]
        is_sdp = "application/sdp" in head
        rest = rest.replace("\n", "\r\n") if is_sdp else rest
        found.append((mark[7], head + "\r\n\r\n" + rest.encode()[:length].decode()))
    return found


FRAMES = frames()


def test_there_is_much_of_it() -> None:
    assert len(FRAMES) > 100
    methods = {m.method for _, f in FRAMES if isinstance(m := parse(f), Request)}
    assert methods >= {"REGISTER", "OPTIONS", "INVITE", "ACK", "BYE", "MESSAGE"}


@pytest.mark.parametrize("number", range(len(FRAMES)))
def test_every_message_parses_and_is_built_again(number: int) -> None:
    message = parse(FRAMES[number][1])
    again = parse(str(message))
    assert list(again.headers)[:-1] == [h for h in message.headers if h[0] != "Content-Length"]
    assert again.body == message.body
    if message.sdp is not None:
        description = parse_sdp(message.sdp)
        assert parse_sdp(str(description)) == description
        assert description.sections and description.transport is not None


def sessions() -> dict[str, list[tuple[str, Request | Response]]]:
    found: dict[str, list[tuple[str, Request | Response]]] = {}
    for side, text in FRAMES:
        message = parse(text)
        found.setdefault(message.call_id, []).append((side, message))
    return found


def translate(message: Request | Response, ours: Request) -> str:
    """A recorded response, made to answer the request that we sent in the SDK's place."""
    copy = parse(str(message))
    for name in ("Via", "From", "Call-ID", "CSeq"):
        copy.headers.remove(name)
        for value in ours.headers.all(name):
            copy.headers.add(name, value)
    return str(copy)


def test_agent_registers_with_the_recorded_server() -> None:
    sent = [(side, m) for s in sessions().values() for side, m in s if m.cseq.method == "REGISTER"]
    answers = [m for side, m in sent if side == "S"][:2]
    agent = UserAgent(Config(aor="sip:alice@127.0.0.1", password="alicepw", contact_user="725bq3c5", numeric_host=True))
    agent.register(0.0)
    changes: list[Any] = []
    for answer in answers:
        ours = parse(agent.outgoing()[0])
        assert isinstance(ours, Request)
        changes += agent.receive(translate(answer, ours), 0.0)
    assert [e.state.value for e in agent.take_events() + changes][-1] == "registered"
    assert agent.registration.granted == 599


def test_agent_calls_the_recorded_room() -> None:
    """INVITE, challenge, 200, ACK; then the server's own requests in the dialog are taken as they were sent."""
    call = next(
        s for s in sessions().values() if any(isinstance(m, Request) and m.uri.startswith("sip:700@") for _, m in s)
    )
    agent = UserAgent(Config(aor="sip:alice@127.0.0.1", password="alicepw", contact_user="725bq3c5"))
    offer = next(m for side, m in call if side == "C" and m.cseq.method == "INVITE").text
    key = agent.invite("sip:700@127.0.0.1", offer, 0.0)
    ours = parse(agent.outgoing()[0])
    assert isinstance(ours, Request)
    seen: list[Any] = []
    for side, message in call:
        if side != "S":
            continue
        if isinstance(message, Response):
            if message.cseq.method != "INVITE" or key not in agent.calls or agent.calls[key].state == "confirmed":
                continue
            seen += agent.receive(translate(message, ours), 0.0)
        else:
            copy = parse(str(message))
            copy.headers.set("Call-ID", ours.call_id)
            copy.headers.set("To", f"<sip:alice@127.0.0.1>;tag={ours.from_tag}")
            seen += agent.receive(str(copy), 0.0)
            if key in agent.calls and agent.calls[key].remote_offer is not None:
                agent.accept_offer(key, offer, 0.0)
        for frame in agent.outgoing():
            out = parse(frame)
            if isinstance(out, Request) and out.method == "INVITE":
                ours = out
            if isinstance(out, Response):
                assert out.status in (100, 200), "every request of the server is taken"
    kinds = [type(e) for e in seen]
    assert events.CallAnswered in kinds and events.OfferReceived in kinds
    messages = [e for e in seen if isinstance(e, events.MessageReceived)]
    assert {"ConfbridgeJoin", "ConfbridgeWelcome"} <= {m.body.split('"')[3] for m in messages if m.body.startswith("{")}
    rooms = [parse_sdp(e.sdp) for e in seen if isinstance(e, events.OfferReceived)]
    assert any(section.label for room in rooms for section in room.sections)
