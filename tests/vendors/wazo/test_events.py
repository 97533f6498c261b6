"""The event socket's protocol, and events as facts and account state."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.accounts import (
    AgentChanged,
    AgentQueue,
    AgentState,
    ChatMessageReceived,
    CountsChanged,
    FaxChanged,
    FaxJob,
    ForwardsChanged,
    ListChanged,
    PresenceChanged,
    Service,
    SwitchboardChanged,
)
from app.vendors.wazo import events as wz
from app.vendors.wazo.capabilities import allows, services
from app.vendors.wazo.events_socket import Backoff, Event, EventProtocol, Pong, Reaction, Started, socket_url
from app.vendors.wazo.rest_auth import Session
from app.vendors.wazo.rest_confd import Profile, SipLine, UserLine
from app.vendors.wazo.state import AccountCore
from tests.vendors.wazo.test_wire import JSON


def started(version: int = 2) -> EventProtocol:
    protocol = EventProtocol()
    protocol.receive(json.dumps({"op": "init", "code": 0, "data": {"version": version}}))
    assert [json.loads(text)["op"] for text in protocol.out] == ["subscribe", "start"]
    protocol.out.clear()
    assert protocol.receive('{"op":"start","code":0,"data":null}') == [Started()]
    return protocol


def test_version_2_conversation() -> None:
    protocol = started()
    event = {"name": "call_created", "data": {"call_id": "1.2"}, "required_acl": "x"}
    assert protocol.receive(json.dumps({"op": "event", "code": 0, "data": event})) == [
        Event("call_created", {"call_id": "1.2"})
    ]
    assert protocol.ping("x") and json.loads(protocol.out.pop())["data"] == {"payload": "x"}
    assert protocol.receive('{"op":"pong","code":0,"data":{"payload":"x"}}') == [Pong("x")]
    assert protocol.renew("new") and json.loads(protocol.out.pop()) == {"op": "token", "data": {"token": "new"}}


def test_version_1_sends_bare_events_and_takes_no_token() -> None:
    protocol = started(1)
    assert protocol.receive('{"name":"favorite_added","data":{}}') == [Event("favorite_added", {})]
    assert not protocol.renew("t") and not protocol.ping("x") and not protocol.out


def test_nothing_is_an_event_before_the_start() -> None:
    protocol = EventProtocol()
    assert protocol.receive('{"name":"call_created","data":{}}') == []


@given(st.text(max_size=200) | JSON.map(lambda value: json.dumps(value, default=str)))
def test_any_text_is_survived(text: str) -> None:
    EventProtocol().receive(text)
    started().receive(text)


@pytest.mark.parametrize(
    ("code", "reaction"), [(4002, Reaction.RENEW), (4003, Reaction.RENEW), (1011, Reaction.RECONNECT)]
)
def test_close_codes(code: int | None, reaction: Reaction) -> None:
    assert EventProtocol.closed(code) is reaction


def test_the_address_holds_token_version_and_user() -> None:
    assert socket_url("h:8443", "t&t", "u") == "wss://h:8443/api/websocketd/?token=t%26t&version=2&userUuid=u"


def test_delays_grow_to_their_bound() -> None:
    backoff = Backoff((1.0, 1.0), 10.0)
    delays = [backoff.delay() for _ in range(20)]
    assert delays[0] == 1.0 and all(delay <= 10.0 for delay in delays) and delays[-1] >= 6.9
    backoff.reset()
    assert backoff.delay() == 1.0


# ---------------------------------------------------------------- facts


def fact(name: str, **data: Any) -> wz.Fact | None:
    return wz.translate(Event(name, data), "me")


@given(st.sampled_from(sorted(wz._HANDLERS)), st.dictionaries(st.sampled_from(sorted(wz._Ids.__struct_fields__)), JSON))
def test_any_event_data_is_survived(name: str, data: dict[str, Any]) -> None:
    found = wz.translate(Event(name, data), "me")
    core = AccountCore()
    core.me = "me"
    if found is not None:
        core.fact(found)


def test_events_of_calls_and_rooms() -> None:
    created = fact("call_created", call_id="1.2", sip_call_id="abc", talking_to={"3.4": None})
    assert isinstance(created, wz.CallNews) and created.call.talking_to == ("3.4",)
    paused = fact("recording_paused", call_id="1.2")
    assert isinstance(paused, wz.CallNews) and paused.call.record_state == "paused"
    assert fact("conference_adhoc_participant_left", conference_id="c", call_id="3.4") == wz.AdhocNews(
        "left", "c", "3.4"
    )
    talking = fact("conference_user_participant_talk_started", call_id="5.6", conference_id=7)
    assert isinstance(talking, wz.RoomNews) and (talking.what, talking.member.room_id) == ("talking", "7")
    assert fact("transfer_completed", id="t", status="ready") == wz.TransferNews("t", "completed")
    assert fact("no_such_event") is None


def signed_in() -> AccountCore:
    core = AccountCore()
    core.signed_in(Profile("me", "Me", agent_id="5", switchboards=(("s1", "Desk"),)))
    return core


def apply(core: AccountCore, name: str, **data: Any) -> list[Any]:
    found = fact(name, **data)
    assert found is not None
    return core.fact(found)


def test_do_not_disturb_and_forwards() -> None:
    core = signed_in()
    (changed,) = apply(core, "users_services_dnd_updated", user_uuid="me", enabled=True)
    assert isinstance(changed, PresenceChanged) and changed.presence.do_not_disturb
    (forwards,) = apply(core, "users_forwards_busy_updated", enabled=True, destination="1002")
    assert isinstance(forwards, ForwardsChanged) and forwards.forwards[-1].destination == "1002"


def test_presence_of_those_on_screen_only() -> None:
    core = signed_in()
    assert apply(core, "chatd_presence_updated", uuid="bob", state="away") == []
    core.watched = frozenset({"bob"})
    (changed,) = apply(core, "chatd_presence_updated", uuid="bob", state="away")
    assert changed.presence.state == "away"
    assert apply(core, "chatd_presence_updated", uuid="bob", state="away") == []


def test_a_chat_message_counts_once_until_read() -> None:
    core = signed_in()
    data = {
        "uuid": "m1",
        "content": "hi",
        "user_uuid": "bob",
        "room": {"uuid": "r"},
        "created_at": "2026-11-20T10:00:00",
    }
    events = apply(core, "chatd_user_room_message_created", **data)
    assert isinstance(events[0], ChatMessageReceived) and CountsChanged(chat_unread=1) in events
    assert CountsChanged(chat_unread=1) not in apply(core, "chatd_user_room_message_created", **data)
    assert core.read("r")[0] == CountsChanged(chat_unread=0) and core.read("r") == []


def test_waiting_calls_of_both_kinds() -> None:
    core = signed_in()
    apply(core, "switchboard_queued_calls_updated", switchboard_uuid="s1", items=[{"id": "1"}])
    (changed,) = apply(core, "switchboard_held_calls_updated", switchboard_uuid="s1", items=[{"id": "2"}])
    assert isinstance(changed, SwitchboardChanged)
    assert [(call.id, call.held) for call in changed.switchboard.calls] == [("1", False), ("2", True)]
    assert apply(core, "switchboard_queued_calls_updated", switchboard_uuid="unknown", items=[]) == []


def test_agent_events() -> None:
    core = signed_in()
    core.set_agent(AgentState("5", "801", queues=(AgentQueue("3", "Support"),)))
    (changed,) = apply(core, "agent_status_update", agent_id=5, status="logged_in")
    assert isinstance(changed, AgentChanged) and changed.agent is not None and changed.agent.logged_in
    (paused,) = apply(core, "agent_paused", agent_id="5", paused_reason="lunch")
    assert paused.agent.paused_reason == "lunch"
    (queue,) = apply(core, "user_agent_queue_logged_in", agent_id="5", queue_id="3")
    assert queue.agent.queues[0].logged_in
    assert apply(core, "agent_paused", agent_id="6") == []


def test_a_fax_keeps_its_file_until_it_is_sent() -> None:
    core = signed_in()
    core.fax(FaxJob("ours", "123", "/a.pdf", "sending"))
    assert apply(core, "fax_outbound_user_created", id="theirs", extension="123") == []
    (failed,) = apply(core, "fax_outbound_user_failed", id="theirs", extension="123", error="no carrier")
    assert failed == FaxChanged(FaxJob("ours", "123", "/a.pdf", "failed", "no carrier"))


def test_lists_become_stale() -> None:
    core = signed_in()
    assert apply(core, "user_voicemail_message_created", message_id="x") == [ListChanged("voicemail", "")]
    assert apply(core, "call_log_user_created", id=7) == [ListChanged("call_log", "7")]


# ---------------------------------------------------------------- rights


@pytest.mark.parametrize(
    ("acl", "access", "granted"),
    [
        (["calld.users.me.#"], "calld.users.me.calls.read", True),
        (["calld.users.me.#"], "calld.users.u1.calls.read", True),
        (["calld.users.me.#"], "calld.users.u2.calls.read", False),
        (["chatd.users.*.presences.read"], "chatd.users.u9.presences.read", True),
        (["chatd.users.*.presences.read"], "chatd.users.a.b.presences.read", False),
        (["#", "!auth.#"], "auth.users.read", False),
        (["dird"], "dird.personal.read", False),
        (None, "anything", True),
        ([], "anything", False),
    ],
)
def test_access_lists(acl: list[str] | None, access: str, granted: bool) -> None:
    assert allows(acl, access, "u1") is granted


def test_services_follow_rights_and_equipment() -> None:
    line = SipLine(UserLine("1", "l", "1001", "c", True), "u", "p", True, True, True)
    profile = Profile("u1", "U", agent_id="5")
    everything = services(Session("t", "u1", acl=("#",)), profile, line)
    assert {Service.CALLS, Service.VIDEO, Service.AGENT, Service.ADMINISTRATION} <= everything
    assert Service.SWITCHBOARD not in everything
    little = services(Session("t", "u1", acl=("dird.personal.#",)), profile, None)
    assert little == {Service.PERSONAL_CONTACTS, Service.API_REQUESTS}
