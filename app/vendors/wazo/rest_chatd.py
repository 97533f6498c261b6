"""wazo-chatd: presence, rooms and messages (wazo.md 7.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.calls.accounts import ChatMessage, ChatRoom, Presence
from app.calls.text import MAX_MESSAGE, clean_message, clean_name
from app.vendors.wazo.wire import CHATD, RestRequest, items, milliseconds, parameters, path, read, timestamp, total

PRESENCE_BATCH = 30
"""User ids in one request; more make the address too long for some proxies."""
STATES = frozenset({"available", "away", "busy", "unavailable", "invisible"})
LINE_STATES = ("ringing", "progressing", "holding", "talking", "available", "unavailable")
MAX_ALIAS = 256


class _Line(msgspec.Struct):
    id: str = ""
    state: str = ""


class _Presence(msgspec.Struct):
    uuid: str
    state: str = ""
    status: str = ""
    last_activity: str = ""
    line_state: str = ""
    do_not_disturb: bool = False
    connected: bool = False
    lines: tuple[_Line, ...] = ()


class _RoomUser(msgspec.Struct):
    uuid: str


class _Room(msgspec.Struct):
    uuid: str
    name: str = ""
    users: tuple[_RoomUser, ...] = ()


class _RoomId(msgspec.Struct):
    uuid: str = ""


class _Message(msgspec.Struct):
    uuid: str
    content: str = ""
    alias: str = ""
    user_uuid: str = ""
    created_at: str = ""
    room: _RoomId = msgspec.field(default_factory=_RoomId)


@dataclass(frozen=True, slots=True)
class Delivery:
    """State of a message that goes to another network (``chatd_message_delivery_status``)."""

    message_id: str
    status: str


def get_presence(user: str) -> RestRequest:
    return RestRequest("GET", path(CHATD, "users", user, "presences"))


def get_presences(users: Sequence[str]) -> tuple[RestRequest, ...]:
    """One request per :data:`PRESENCE_BATCH` users."""
    return tuple(
        RestRequest(
            "GET",
            f"{CHATD}/users/presences",
            query=parameters(user_uuid=",".join(users[start : start + PRESENCE_BATCH])),
        )
        for start in range(0, len(users), PRESENCE_BATCH)
    )


def set_presence(user: str, state: str, status: str | None = None) -> RestRequest:
    body = {"state": state}
    if status is not None:
        body["status"] = status
    return RestRequest("PUT", path(CHATD, "users", user, "presences"), body=body)


def parse_presence(body: Any) -> Presence | None:
    raw = read(_Presence, body)
    if raw is None:
        return None
    states = {line.state for line in raw.lines} | {raw.line_state}
    line = next((state for state in LINE_STATES if state in states), "")
    return Presence(
        raw.uuid,
        raw.state if raw.state in STATES else "unavailable",
        clean_name(raw.status),
        raw.line_state or line,
        raw.do_not_disturb,
        raw.connected,
        milliseconds(raw.last_activity),
    )


def parse_presences(body: Any) -> tuple[Presence, ...]:
    found = body.get("items") if isinstance(body, dict) else None
    parsed = (parse_presence(item) for item in (found if isinstance(found, list) else ()))
    return tuple(presence for presence in parsed if presence is not None)


# ---------------------------------------------------------------- rooms and messages


def list_rooms(user: str = "") -> RestRequest:
    return RestRequest("GET", f"{CHATD}/users/me/rooms", query=parameters(user_uuid=user))


def create_room(users: Sequence[str], name: str = "") -> RestRequest:
    """A room with the same people that exists already is what the server answers with."""
    body = {"name": name or None, "users": [{"uuid": user} for user in users]}
    return RestRequest("POST", f"{CHATD}/users/me/rooms", body=body)


def parse_room(body: Any) -> ChatRoom | None:
    raw = read(_Room, body)
    return _room(raw) if raw else None


def parse_rooms(body: Any) -> tuple[ChatRoom, ...]:
    return tuple(_room(raw) for raw in items(body, _Room))


def _room(raw: _Room) -> ChatRoom:
    return ChatRoom(raw.uuid, clean_name(raw.name), tuple(user.uuid for user in raw.users))


def list_messages(
    room: str, *, text: str = "", limit: int = 50, offset: int = 0, since: int | None = None
) -> RestRequest:
    """Newest first."""
    query = parameters(
        limit=limit,
        offset=offset or None,
        order="created_at",
        direction="desc",
        search=text,
        from_date=timestamp(since) if since is not None else None,
    )
    return RestRequest("GET", path(f"{CHATD}/users/me/rooms", room, "messages"), query=query)


def search_messages(text: str, limit: int = 50) -> RestRequest:
    return RestRequest("GET", f"{CHATD}/users/me/rooms/messages", query=parameters(search=text, limit=limit))


def last_messages() -> RestRequest:
    """The newest message of every room."""
    return RestRequest("GET", f"{CHATD}/users/me/rooms/messages", query=parameters(distinct="room_uuid"))


def send_message(room: str, text: str, alias: str) -> RestRequest:
    body = {"content": text[:MAX_MESSAGE], "alias": alias[:MAX_ALIAS]}
    return RestRequest("POST", path(f"{CHATD}/users/me/rooms", room, "messages"), body=body)


def parse_message(body: Any, me: str, room: str = "") -> ChatMessage | None:
    raw = read(_Message, body)
    return _message(raw, me, room) if raw else None


def parse_messages(body: Any, me: str, room: str = "") -> tuple[tuple[ChatMessage, ...], int | None]:
    return tuple(_message(raw, me, room) for raw in items(body, _Message)), total(body)


def _message(raw: _Message, me: str, room: str) -> ChatMessage:
    return ChatMessage(
        raw.uuid,
        raw.room.uuid or room,
        raw.user_uuid,
        clean_name(raw.alias),
        clean_message(raw.content),
        milliseconds(raw.created_at) or 0,
        raw.user_uuid == me,
    )


class _Delivery(msgspec.Struct):
    message_uuid: str
    status: str = ""


def parse_delivery(body: Any) -> Delivery | None:
    raw = read(_Delivery, body)
    return Delivery(raw.message_uuid, raw.status) if raw else None
