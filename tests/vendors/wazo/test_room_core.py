"""The roster of a room, from every source that tells about it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.calls import events as ev
from app.calls.model import CallState
from app.calls.reducer import reduce
from app.vendors.wazo.call_media import ice_servers, offers_video
from app.vendors.wazo.rest_calld import RoomMember
from app.vendors.wazo.room_core import HAND, REQUEST, UPDATE, RoomCore
from tests.vendors.wazo.test_wire import JSON


def fold(core: RoomCore, state: CallState | None = None) -> CallState:
    state = state or CallState("r")
    for event in core.out:
        state = reduce(state, event)
    core.out.clear()
    return state


def channel(call_id: str, name: str, protocol_id: str = "", talking: str = "off") -> dict[str, Any]:
    return {
        "id": call_id, "protocol_id": protocol_id, "caller": {"name": name, "number": "1"}, "talking_status": talking,
    }  # fmt: skip


def confbridge(kind: str, *channels: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"Confbridge{kind}", "channels": list(channels)}


def test_welcome_names_everybody_and_finds_ourselves() -> None:
    core = RoomCore("our-call-id")
    core.confbridge(confbridge("Welcome", channel("1.1", "Me", "our-call-id"), channel("1.2", "Bob", "x")))
    state = fold(core)
    assert core.own_call_id == "1.1" and set(state.participants) == {"1.2"}
    core.confbridge(confbridge("Leave", channel("1.2", "Bob")))
    assert not fold(core, state).participants


def test_video_may_come_before_its_owner() -> None:
    core = RoomCore()
    core.seen("1.2")
    state = fold(core)
    assert state.participants["1.2"].name == ""
    core.listed((RoomMember("1.2", "Bob", "1002"), RoomMember("1.3", "Carol")))
    state = fold(core, state)
    assert state.participants["1.2"].name == "Bob" and "1.3" in state.participants
    core.listed((RoomMember("1.3", "Carol"),))
    assert set(fold(core, state).participants) == {"1.3"}


def test_statuses_hands_and_extras() -> None:
    core = RoomCore()
    core.own_leg("1.1")
    core.joined(RoomMember("1.2", "Bob"))
    status = {"callId": "1.2", "audioMuted": True, "extra": {"color": "blue", HAND: "123"}}
    assert core.signal({"type": UPDATE, "status": status}) is False
    state = fold(core)
    assert state.sources["voice/1.2"].muted and state.participants["1.2"].properties["color"] == "blue"
    assert state.participants["1.2"].raised_hand_at == 123
    core.signal({"type": UPDATE, "status": {"callId": "1.2", "extra": {"size": 3}}})
    state = fold(core, state)
    assert state.participants["1.2"].properties["color"] == "blue", "extras are merged, not replaced"
    core.signal({"type": UPDATE, "status": {"callId": "1.2"}})
    assert core.out == []


def test_a_request_is_answered_when_it_is_for_us() -> None:
    core = RoomCore()
    core.own_leg("1.1")
    assert core.signal({"type": REQUEST, "origin": {"callId": "1.2"}}) is True
    assert core.signal({"type": REQUEST, "origin": {}, "callId": "1.1"}) is True
    assert core.signal({"type": REQUEST, "origin": {}, "callId": "9.9"}) is False


def test_being_removed_is_told() -> None:
    core = RoomCore()
    core.own_leg("1.1")
    core.signal({"type": UPDATE, "status": {"callId": "1.1", "banned": True}})
    assert core.out == [ev.LocalKicked(None)]


def test_who_talks() -> None:
    core = RoomCore()
    core.joined(RoomMember("1.2", "Bob"))
    core.out.clear()
    core.confbridge(confbridge("Talking", channel("1.2", "Bob", talking="on")))
    assert ev.DominantSpeakerChanged("1.2") in core.out
    core.out.clear()
    core.confbridge(confbridge("Talking", channel("1.2", "Bob", talking="off")))
    assert core.out == [ev.AudioLevelsChanged({})]


@given(JSON, JSON)
def test_any_message_is_survived(first: Any, second: Any) -> None:
    core = RoomCore("x")
    core.joined(RoomMember("1.2", "Bob"))
    for content in (first, {"type": UPDATE, "status": second}, {"type": REQUEST, "origin": second, "callId": first}):
        if isinstance(content, dict):
            core.signal(content)
    core.confbridge({"type": "ConfbridgeJoin", "channels": second})
    core.confbridge({"type": "ConfbridgeJoin", "channels": [second]})
    fold(core)


@given(st.text(max_size=80))
def test_relay_addresses(url: str) -> None:
    ice_servers([{"urls": url}])
    assert offers_video(url) is False


def test_relay_servers_in_the_usual_form() -> None:
    found = ice_servers(
        [
            {"urls": ["stun:stun.example", "turn:turn.example:3479?transport=tcp"], "username": "u", "credential": "c"},
            {"urls": "turns:[2001:db8::1]:443"},
            {"urls": "http://no"},
        ]
    )
    assert [(s.scheme, s.host, s.port, s.transport) for s in found] == [
        ("stun", "stun.example", 3478, "udp"),
        ("turn", "turn.example", 3479, "tcp"),
        ("turns", "2001:db8::1", 443, "tcp"),
    ]
    assert "credential='c'" not in repr(found)
