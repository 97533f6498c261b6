"""wazo-chatd: presences, rooms, messages (wazo.md 7.4)."""

from __future__ import annotations

from typing import Any

from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, Service, invalid, not_found, page

service = Service("chatd/1.0", "A")
STATES = ("available", "away", "unavailable", "invisible")
MAX_ROOM_USERS = 100
MAX_ALIAS = 256
MAX_CONTENT = 100_000
MAX_USERS_ASKED = 100


def _who(call: Call) -> str:
    """The user that the path names; the caller's own uuid arrives as ``me``."""
    named = call.params.get("user", "me")
    return call.me.uuid if named == "me" else named


@service.route("GET", "users/presences", "chatd.users.presences.read")
def presences(call: Call) -> Any:
    wanted = [u for u in call.query.get("user_uuid", "").split(",") if u]
    if len(wanted) > MAX_USERS_ASKED:
        raise invalid("user_uuid", "too many")
    everybody = wanted or [*call.state.users, *(p.uuid for p in call.state.people)]
    found = [presence for u in everybody if (presence := call.state.presence(u)) is not None]
    missing = [u for u in wanted if call.state.presence(u) is None]
    if missing:
        raise not_found(f"No such user(s): {missing}", "unknown-users", user_uuids=missing)
    return {"items": found, "total": len(call.state.users) + len(call.state.people), "filtered": len(found)}


@service.route("GET", "users/me/presences", "chatd.users.me.presences.read")
@service.route("GET", "users/{user}/presences", "chatd.users.{user}.presences.read")
def presence(call: Call) -> Any:
    uuid_ = _who(call)
    found = call.state.presence(uuid_)
    if found is None:
        raise not_found("No such user", "unknown-user", user_uuid=uuid_)
    return found


@service.route("PUT", "users/me/presences", "chatd.users.me.presences.update")
@service.route("PUT", "users/{user}/presences", "chatd.users.{user}.presences.update")
def put_presence(call: Call) -> Reply:
    uuid_ = _who(call)
    state, status = call.body.get("state"), call.body.get("status")
    if state not in STATES:
        raise invalid("state", "Must be one of: " + ", ".join(STATES) + ".")
    if status is not None and not isinstance(status, str):
        raise invalid("status", "Not a valid string.")
    if call.state.presence(uuid_) is None:
        raise not_found("No such user", "unknown-user", user_uuid=uuid_)
    call.state.set_presence(uuid_, str(state), status)
    return NO_CONTENT


def _mine(call: Call) -> list[dict[str, Any]]:
    me = call.me.uuid
    return [room for room in call.state.chat_rooms.values() if any(u["uuid"] == me for u in room["users"])]


@service.route("GET", "users/me/rooms", "chatd.users.me.rooms.read")
def rooms(call: Call) -> Any:
    items = _mine(call)
    wanted = {u for u in call.query.get("user_uuid", "").split(",") if u}
    found = [r for r in items if wanted <= {u["uuid"] for u in r["users"]}] if wanted else items
    return {"items": found, "total": len(items), "filtered": len(found)}


@service.route("POST", "users/me/rooms", "chatd.users.me.rooms.create")
def create_room(call: Call) -> Reply:
    users = call.body.get("users")
    if not isinstance(users, list) or not users or len(users) > MAX_ROOM_USERS:
        raise invalid("users", f"1 to {MAX_ROOM_USERS} users are needed")
    uuids = {str(u.get("uuid", "")) for u in users if isinstance(u, dict)} | {call.me.uuid}
    if any(call.state.presence(u) is None for u in uuids):
        raise ApiError(409, "Unreachable participant", "unreachable-participant")
    if len(uuids) < 2:
        raise invalid("users", "somebody else is needed")
    return Reply(201, call.state.chat_room(uuids, call.text("name", required=False)))


def _room(call: Call) -> dict[str, Any]:
    room = next((r for r in _mine(call) if r["uuid"] == call.params["room"]), None)
    if room is None:
        raise not_found(f'No such room: "{call.params["room"]}"', "unknown-room", room_uuid=call.params["room"])
    return room


@service.route("GET", "users/me/rooms/messages", "chatd.users.me.rooms.messages.read")
def all_messages(call: Call) -> Any:
    mine = {room["uuid"] for room in _mine(call)}
    found = [m for m in call.state.chat_messages if m["room"]["uuid"] in mine]
    if "search" not in call.query and "distinct" not in call.query:
        raise ApiError(
            400, "Sent data is invalid", "invalid-data", _schema={"message": "search or distinct is required"}
        )
    if call.query.get("distinct") == "room_uuid":
        found = list({m["room"]["uuid"]: m for m in found}.values())
    return page(call, found, order="created_at", direction="desc", search=("content",))


@service.route("GET", "users/me/rooms/{room}/messages", "chatd.users.me.rooms.{room}.messages.read")
def messages(call: Call) -> Any:
    room = _room(call)["uuid"]
    found = [m for m in call.state.chat_messages if m["room"]["uuid"] == room]
    if start := call.query.get("from_date"):
        found = [m for m in found if m["created_at"] >= start.replace("Z", "+00:00").replace(" ", "+")]
    return page(call, found, order="created_at", direction="desc", search=("content",))


@service.route("POST", "users/me/rooms/{room}/messages", "chatd.users.me.rooms.{room}.messages.create")
def send_message(call: Call) -> Reply:
    room, content = _room(call), call.text("content")
    alias = call.text("alias", required=False)
    if len(alias) > MAX_ALIAS:
        raise invalid("alias", f"Longer than maximum length {MAX_ALIAS}.")
    if len(content) > MAX_CONTENT:
        raise invalid("content", "too long")
    return Reply(201, call.state.chat(room, call.me.uuid, content, alias))


@service.route("GET", "users/me/identities", "chatd.users.me.identities.read")
def identities(call: Call) -> Any:
    return {"items": [], "total": 0, "filtered": 0}
