"""wazo-confd: users, lines, settings, meetings and their guests (wazo.md 3, 5.7, 7.8)."""

from __future__ import annotations

import base64
import secrets
import uuid
from collections.abc import Callable
from typing import Any

from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Handler, Reply, Service, invalid, not_found, page
from app.sandbox.wazo.people import stable_uuid
from app.sandbox.wazo.state import SWITCHBOARD, Line, User, now_iso

service = Service("confd/1.1", "C")
FORWARDS = ("busy", "noanswer", "unconditional")
EDITABLE = (
    "firstname", "lastname", "email", "mobile_phone_number", "language", "timezone", "ring_seconds",
    "online_call_record_enabled",
)  # fmt: skip
MAX_AUTHORIZATIONS = 128
MEETING_PREFIX = "799"


def line_data(line: Line, position: int, context: str = "default") -> dict[str, Any]:
    endpoint = {
        "uuid": stable_uuid("endpoint", line.name), "name": line.name, "label": line.name,
        "auth_section_options": [["username", line.name]],
    }  # fmt: skip
    return {
        "id": line.id, "name": line.name, "protocol": "sip", "context": context, "position": position,
        "is_webrtc": line.webrtc, "extensions": [{"id": line.id, "exten": line.exten, "context": context}],
        "endpoint_sip": endpoint, "endpoint_sccp": None, "endpoint_custom": None,
    }  # fmt: skip


def user_data(call: Call, user: User) -> dict[str, Any]:
    state = call.state
    reception = [{"uuid": state.switchboard_uuid, "name": SWITCHBOARD}] if user.account.switchboard else []
    return {
        "uuid": user.uuid,
        "id": user.id,
        **user.settings,
        "username": user.account.username,
        "subscription_type": user.account.subscription_type,
        "tenant_uuid": state.tenant_uuid,
        "lines": [line_data(line, index) for index, line in enumerate(user.lines, 1)],
        "forwards": {kind: dict(user.forwards[kind]) for kind in FORWARDS},
        "services": {name: {"enabled": on} for name, on in user.services.items()},
        "voicemail": user.voicemail,
        "agent": {"id": user.agent["id"], "number": user.agent["number"]} if user.agent else None,
        "switchboards": reception,
        "fallbacks": dict(user.fallbacks),
        "incalls": [], "groups": [], "queues": [], "call_pickup_target_users": [], "links": [],
    }  # fmt: skip


def _user(call: Call) -> User:
    if "user" not in call.params:
        return call.me
    user = call.state.users.get(call.params["user"])
    if user is None:
        raise not_found(f"Resource Not Found - User was not found ('uuid': {call.params['user']})")
    return user


def user_routes(method: str, path: str, acl: str) -> Callable[[Handler], Handler]:
    """Both ``users/me/...`` and ``users/{user}/...``."""

    def add(handler: Handler) -> Handler:
        service.route(method, f"users/me{path}", f"confd.users.me{acl}")(handler)
        service.route(method, f"users/{{user}}{path}", f"confd.users.{{user}}{acl}")(handler)
        return handler

    return add


@service.route("GET", "infos", "confd.infos.read")
def infos(call: Call) -> Any:
    return {"uuid": call.state.stack_uuid, "wazo_version": call.state.options.version}


@service.route("GET", "users", "confd.users.read")
def users(call: Call) -> Any:
    items = [user_data(call, user) for user in call.state.users.values()]
    return page(call, items, order="firstname", columns=("lastname", "id"), search=("firstname", "lastname", "email"))


@user_routes("GET", "", ".read")
def get_user(call: Call) -> Any:
    return user_data(call, _user(call))


@user_routes("PUT", "", ".update")
def put_user(call: Call) -> Reply:
    user = _user(call)
    for name, value in call.body.items():
        if name in EDITABLE:
            if name == "email" and value is not None and "@" not in str(value):
                raise invalid("email", "Not a valid email address.")
            user.settings[name] = value
    return NO_CONTENT


@user_routes("GET", "/lines/{line}/associated/endpoints/sip", ".lines.{line}.associated.endpoints.sip.read")
def line_sip(call: Call) -> Any:
    user, wanted = _user(call), call.params["line"]
    line = next((x for x in user.lines if wanted in ("main", str(x.id))), None)
    if line is None:
        return Reply(404, "Resource Not Found - Line was not found")
    options = call.state.options
    allow = options.allow
    video = "25" if options.video_rooms else "1"
    section = [["dtls_auto_generate_cert", "yes"], ["allow", allow], ["max_audio_streams", "1"]]
    section += [
        ["max_video_streams", video],
        ["timers", "always"],
        ["timers_sess_expires", str(options.session_expires)],
    ]
    section += [["timers_min_se", str(options.min_se)], ["dtmf_mode", "rfc4733"], ["direct_media", "no"]]
    section.append(["context", "default"])
    return {
        "uuid": stable_uuid("endpoint", line.name), "tenant_uuid": call.state.tenant_uuid, "name": line.name,
        "label": line.name,
        "aor_section_options": [
            ["maximum_expiration", str(options.max_expires)], ["default_expiration", str(options.default_expires)],
            ["minimum_expiration", str(options.min_expires)], ["qualify_frequency", str(int(options.qualify_s))],
            ["remove_existing", "false"], ["max_contacts", str(options.max_contacts)],
        ],
        "auth_section_options": [["username", line.name], ["password", line.password]],
        "endpoint_section_options": ([["webrtc", "yes"]] if line.webrtc else []) + section,
        "templates": [{"uuid": stable_uuid("template"), "label": "webrtc" if line.webrtc else "global"}],
        "transport": {"uuid": stable_uuid("transport")}, "line": {"id": line.id, "links": []}, "trunk": None,
        "links": [],
    }  # fmt: skip


# ---------------------------------------------------------------------- forwards, services, fallbacks


@user_routes("GET", "/forwards", ".forwards.read")
def get_forwards(call: Call) -> Any:
    return {kind: dict(_user(call).forwards[kind]) for kind in FORWARDS}


@user_routes("PUT", "/forwards", ".forwards.update")
def put_forwards(call: Call) -> Reply:
    for kind in FORWARDS:
        if isinstance(call.body.get(kind), dict):
            _set_forward(call, kind, call.body[kind])
    return NO_CONTENT


def _set_forward(call: Call, kind: str, wish: dict[str, Any]) -> None:
    user = _user(call)
    forward = user.forwards[kind]
    destination = wish.get("destination", forward["destination"])
    enabled = wish.get("enabled", forward["enabled"])
    if not isinstance(enabled, bool) or (enabled and not destination):
        raise invalid("destination", "required when enabled")
    forward.update(enabled=enabled, destination=destination)
    call.state.user_event(user, f"users_forwards_{kind}_updated", dict(forward))


@user_routes("GET", "/forwards/{kind}", ".forwards.{kind}.read")
def get_forward(call: Call) -> Any:
    if call.params["kind"] not in FORWARDS:
        raise not_found("Resource Not Found - Forward was not found")
    return dict(_user(call).forwards[call.params["kind"]])


@user_routes("PUT", "/forwards/{kind}", ".forwards.{kind}.update")
def put_forward(call: Call) -> Reply:
    if call.params["kind"] not in FORWARDS:
        raise not_found("Resource Not Found - Forward was not found")
    _set_forward(call, call.params["kind"], call.body)
    return NO_CONTENT


@user_routes("GET", "/services", ".services.read")
def get_services(call: Call) -> Any:
    return {name: {"enabled": on} for name, on in _user(call).services.items()}


@user_routes("GET", "/services/{name}", ".services.{name}.read")
def get_service(call: Call) -> Any:
    if call.params["name"] not in _user(call).services:
        raise not_found("Resource Not Found - Service was not found")
    return {"enabled": _user(call).services[call.params["name"]]}


@user_routes("PUT", "/services/{name}", ".services.{name}.update")
def put_service(call: Call) -> Reply:
    user, name, enabled = _user(call), call.params["name"], call.body.get("enabled")
    if name not in user.services:
        raise not_found("Resource Not Found - Service was not found")
    if not isinstance(enabled, bool):
        raise invalid("enabled", "Not a valid boolean.")
    if name == "dnd":
        call.state.set_dnd(user, enabled)
    else:
        user.services[name] = enabled
        call.state.user_event(user, f"users_services_{name}_updated", {"enabled": enabled})
    return NO_CONTENT


@user_routes("GET", "/fallbacks", ".fallbacks.read")
def get_fallbacks(call: Call) -> Any:
    return dict(_user(call).fallbacks)


@user_routes("PUT", "/fallbacks", ".fallbacks.update")
def put_fallbacks(call: Call) -> Reply:
    fallbacks = _user(call).fallbacks
    fallbacks.update({k: v for k, v in call.body.items() if k in fallbacks})
    return NO_CONTENT


# ---------------------------------------------------------------------- small things


@user_routes("GET", "/callerids/outgoing", ".callerids.outgoing.read")
def caller_ids(call: Call) -> Any:
    user = _user(call)
    items = [
        {"type": "main", "number": f"+331000{user.exten}", "caller_id_name": "Sandbox Ltd"},
        {"type": "associated", "number": f"+332000{user.exten}", "caller_id_name": user.name},
        {"type": "anonymous", "number": None, "caller_id_name": None},
    ]
    return {"items": items, "total": len(items), "filtered": len(items)}


@user_routes("GET", "/external/apps", ".external.apps.read")
def apps(call: Call) -> Any:
    return {"items": [_app("crm")], "total": 1, "filtered": 1}


def _app(name: str) -> dict[str, Any]:
    return {"name": name, "label": "Customers", "configuration": {"url": "https://crm.example/"}}


@user_routes("GET", "/external/apps/{name}", ".external.apps.{name}.read")
def app(call: Call) -> Any:
    if call.params["name"] != "crm":
        raise not_found("Resource Not Found - ExternalApp was not found")
    return _app("crm")


@service.route("GET", "applications", "confd.applications.read")
def applications(call: Call) -> Any:
    keys = ("uuid", "tenant_uuid", "name", "destination", "destination_options", "lines")
    items = [{k: a[k] for k in keys} for a in call.state.applications.values()]
    return page(call, items, order="name", search=("name",))


@service.route("GET", "users/me/blocklist/numbers", "confd.users.me.blocklist.read")
def blocklist(call: Call) -> Any:
    return page(call, list(call.me.blocklist.values()), order="number", columns=("label",), search=("number", "label"))


@service.route("POST", "users/me/blocklist/numbers", "confd.users.me.blocklist.create")
def block(call: Call) -> Reply:
    value = call.text("number")
    if any(entry["number"] == value for entry in call.me.blocklist.values()):
        raise ApiError(400, "Resource Error - BlocklistNumber already exists")
    entry = {"uuid": str(uuid.uuid4()), "number": value, "label": call.text("label", required=False) or None}
    call.me.blocklist[entry["uuid"] or ""] = entry
    return Reply(201, entry)


def _blocked(call: Call) -> dict[str, Any]:
    entry = call.me.blocklist.get(call.params["entry"])
    if entry is None:
        raise not_found("Resource Not Found - BlocklistNumber was not found")
    return entry


@service.route("GET", "users/me/blocklist/numbers/{entry}", "confd.users.me.blocklist.read")
def blocked(call: Call) -> Any:
    return _blocked(call)


@service.route("PUT", "users/me/blocklist/numbers/{entry}", "confd.users.me.blocklist.update")
def change_blocked(call: Call) -> Reply:
    _blocked(call).update({k: v for k, v in call.body.items() if k in ("number", "label")})
    return NO_CONTENT


@service.route("DELETE", "users/me/blocklist/numbers/{entry}", "confd.users.me.blocklist.delete")
def unblock(call: Call) -> Reply:
    del call.me.blocklist[_blocked(call)["uuid"]]
    return NO_CONTENT


# ---------------------------------------------------------------------- meetings


def sip_authorization(meeting: dict[str, Any]) -> str:
    return base64.b64encode(f"{meeting['guest_user']}:{meeting['guest_password']}".encode()).decode()


def meeting_data(call: Call, meeting: dict[str, Any]) -> dict[str, Any]:
    data = {k: v for k, v in meeting.items() if not k.startswith("guest_")}
    closed = meeting["require_authorization"]
    return {
        **data,
        "ingress_http_uri": f"{call.request.scheme}://{call.request.host}",
        "guest_sip_authorization": None if closed else sip_authorization(meeting),
    }


@service.route("GET", "users/me/meetings", "confd.users.me.meetings.read")
def meetings(call: Call) -> Any:
    mine = [meeting_data(call, m) for m in call.state.meetings.values() if call.me.uuid in m["owner_uuids"]]
    return page(call, mine, order="name", columns=("creation_time",), search=("name",))


@service.route("POST", "users/me/meetings", "confd.users.me.meetings.create")
def create_meeting(call: Call) -> Reply:
    meeting = new_meeting(call.state, call.me.uuid, call.text("name"), **{
        k: bool(call.body.get(k)) for k in ("persistent", "require_authorization")
    })  # fmt: skip
    data = meeting_data(call, meeting)
    for status in ("progress", "ready"):
        progress = {**data, "status": status, "user_uuid": call.me.uuid}
        call.state.bus.publish("meeting_user_progress", progress, [call.me.uuid], "events.users.me.meetings.progress")
    return Reply(201, data)


def new_meeting(
    state: Any, owner: str, name: str, persistent: bool = False, require_authorization: bool = False
) -> dict[str, Any]:
    meeting = {
        "uuid": str(uuid.uuid4()), "name": name, "owner_uuids": [owner], "tenant_uuid": state.tenant_uuid,
        "exten": f"{MEETING_PREFIX}{len(state.meetings) + 1:04d}", "persistent": persistent, "creation_time": now_iso(),
        "require_authorization": require_authorization, "guest_user": f"guest{secrets.token_hex(4)}",
        "guest_password": secrets.token_hex(8),
    }  # fmt: skip
    state.meetings[meeting["uuid"]] = meeting
    return meeting


def _meeting(call: Call, *, own: bool = True) -> dict[str, Any]:
    meeting = call.state.meetings.get(call.params["meeting"])
    if meeting is None or (own and call.me.uuid not in meeting["owner_uuids"]):
        raise not_found(f"Resource Not Found - Meeting was not found ('uuid': {call.params['meeting']})")
    found: dict[str, Any] = meeting
    return found


@service.route("GET", "users/me/meetings/{meeting}", "confd.users.me.meetings.{meeting}.read")
def meeting(call: Call) -> Any:
    return meeting_data(call, _meeting(call))


@service.route("PUT", "users/me/meetings/{meeting}", "confd.users.me.meetings.{meeting}.update")
def change_meeting(call: Call) -> Reply:
    _meeting(call).update({k: v for k, v in call.body.items() if k in ("name", "persistent", "require_authorization")})
    return NO_CONTENT


@service.route("DELETE", "users/me/meetings/{meeting}", "confd.users.me.meetings.{meeting}.delete")
def delete_meeting(call: Call) -> Reply:
    del call.state.meetings[_meeting(call)["uuid"]]
    return NO_CONTENT


@service.route("GET", "guests/me/meetings/{meeting}", token=False)
def guest_meeting(call: Call) -> Any:
    return meeting_data(call, _meeting(call, own=False))


@service.route("POST", "guests/{guest}/meetings/{meeting}/authorizations", token=False)
def ask_authorization(call: Call) -> Reply:
    meeting = _meeting(call, own=False)
    if sum(1 for g in call.state.guests.values() if g["meeting_uuid"] == meeting["uuid"]) >= MAX_AUTHORIZATIONS:
        raise ApiError(400, "Resource Error - too many authorizations")
    authorization = {
        "uuid": str(uuid.uuid4()), "meeting_uuid": meeting["uuid"], "guest_uuid": call.params["guest"],
        "guest_name": call.text("guest_name"), "status": "pending", "creation_time": now_iso(),
        "guest_sip_authorization": None,
    }  # fmt: skip
    call.state.guests[str(authorization["uuid"])] = authorization
    _tell_owners(call, meeting, authorization, "created")
    return Reply(201, authorization)


def _tell_owners(call: Call, meeting: dict[str, Any], authorization: dict[str, Any], what: str) -> None:
    for owner in meeting["owner_uuids"]:
        name = f"meeting_user_guest_authorization_{what}"
        call.state.bus.publish(name, {**authorization, "user_uuid": owner}, [owner], f"events.users.{owner}.meetings")


def _authorization(call: Call) -> dict[str, Any]:
    found = call.state.guests.get(call.params["authorization"])
    if found is None or found["meeting_uuid"] != call.params["meeting"]:
        raise not_found("Resource Not Found - MeetingAuthorization was not found")
    return found


@service.route("GET", "guests/{guest}/meetings/{meeting}/authorizations/{authorization}", token=False)
def guest_authorization(call: Call) -> Any:
    found = _authorization(call)
    if found["guest_uuid"] != call.params["guest"]:
        raise not_found("Resource Not Found - MeetingAuthorization was not found")
    return found


@service.route("GET", "users/me/meetings/{meeting}/authorizations", "confd.users.me.meetings.{meeting}.read")
def authorizations(call: Call) -> Any:
    items = [g for g in call.state.guests.values() if g["meeting_uuid"] == _meeting(call)["uuid"]]
    return page(call, items, order="creation_time", columns=("guest_name",))


@service.route(
    "PUT",
    "users/me/meetings/{meeting}/authorizations/{authorization}/{verdict}",
    "confd.users.me.meetings.{meeting}.update"
)  # fmt: skip
def judge(call: Call) -> Any:
    meeting, found, verdict = _meeting(call), _authorization(call), call.params["verdict"]
    if verdict not in ("accept", "reject"):
        raise not_found("Not Found")
    found["status"] = "accepted" if verdict == "accept" else "rejected"
    found["guest_sip_authorization"] = sip_authorization(meeting) if verdict == "accept" else None
    _tell_owners(call, meeting, found, "updated")
    return found
