"""The rest of wazo-calld: voicemails, greetings, fax, switchboards, applications (wazo.md 7.3, 7.9)."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from app.sandbox.wazo.bridges import MusicRobot, PairBridge
from app.sandbox.wazo.call_server import voicemail_data
from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, invalid, not_found, page
from app.sandbox.wazo.legs import Leg
from app.sandbox.wazo.rest_calld import DIGITS, service
from app.sandbox.wazo.state import User

__all__ = ["new_app_call", "service"]

FOLDERS = {1: ("inbox", "new"), 2: ("old", "old"), 3: ("urgent", "urgent"), 4: ("other", "other")}
GREETINGS = ("unavailable", "busy", "name")
FAX_S = 0.5
"""How long sending a fax takes."""
FAX_FAILS = "699"
"""A number whose fax machine does not answer."""


# ---------------------------------------------------------------------- voicemail


def _mailbox(call: Call) -> User:
    if call.me.voicemail is None:
        raise not_found("No such user voicemail", "no-such-user-voicemail", user_uuid=call.me.uuid)
    return call.me


@service.route("GET", "users/me/voicemails", "calld.users.me.voicemails.read")
def voicemail(call: Call) -> Any:
    user = _mailbox(call)
    folders = []
    for id_, (name, kind) in FOLDERS.items():
        messages = [voicemail_data(user, m) for m in user.voicemails if m["folder"]["id"] == id_]
        for message in messages:
            message.pop("voicemail")
            message.pop("folder")
        folders.append({"id": id_, "name": name, "type": kind, "messages": messages})
    data = user.voicemail or {}
    return {**data, "number": user.exten, "accesstype": "personal", "folders": folders}


@service.route("GET", "users/me/voicemails/messages", "calld.users.me.voicemails.messages.read")
def messages(call: Call) -> Any:
    user = _mailbox(call)
    if call.query.get("voicemail_type", "all") not in ("all", "personal", "global"):
        raise invalid("voicemail_type", "Must be one of: all, personal, global.")
    mine = [] if call.query.get("voicemail_type") == "global" else user.voicemails
    items = [voicemail_data(user, m) for m in mine]
    columns = ("id", "caller_id_name", "duration", "timestamp")
    return page(call, items, order="timestamp", direction="desc", columns=columns)


def _message(call: Call) -> dict[str, Any]:
    found = next((m for m in _mailbox(call).voicemails if m["id"] == call.params["message"]), None)
    if found is None:
        raise not_found("No such voicemail message", "no-such-voicemail-message", message_id=call.params["message"])
    return found


@service.route("GET", "users/me/voicemails/messages/{message}", "calld.users.me.voicemails.messages.{message}.read")
def message(call: Call) -> Any:
    return voicemail_data(call.me, _message(call))


@service.route("PUT", "users/me/voicemails/messages/{message}", "calld.users.me.voicemails.messages.{message}.update")
def move(call: Call) -> Reply:
    found, folder = _message(call), call.body.get("folder_id")
    if folder not in FOLDERS:
        raise ApiError(404, "No such voicemail folder", "no-such-voicemail-folder")
    name, kind = FOLDERS[folder]
    found["folder"] = {"id": folder, "name": name, "type": kind}
    call.server.voicemail_event(call.me, found, "updated")
    return NO_CONTENT


@service.route(
    "DELETE", "users/me/voicemails/messages/{message}", "calld.users.me.voicemails.messages.{message}.delete"
)
def delete(call: Call) -> Reply:
    found = _message(call)
    call.me.voicemails.remove(found)
    call.server.voicemail_event(call.me, found, "deleted")
    return NO_CONTENT


@service.route(
    "GET",
    "users/me/voicemails/messages/{message}/recording",
    "calld.users.me.voicemails.messages.{message}.recording.read"
)  # fmt: skip
def listen(call: Call) -> Reply:
    return Reply(200, body=call.state.voicemail_audio(_message(call)), content_type="audio/wav")


def _greeting(call: Call) -> str:
    if call.params["greeting"] not in GREETINGS:
        raise not_found("No such greeting", "no-such-voicemail-greeting")
    return call.params["greeting"]


@service.route("GET", "users/me/voicemails/greetings/{greeting}", "calld.users.me.voicemails.greetings.read")
def greeting(call: Call) -> Reply:
    audio = _mailbox(call).greetings.get(_greeting(call))
    if audio is None:
        raise not_found("No such greeting", "no-such-voicemail-greeting")
    return Reply(200, body=audio, content_type="audio/wav")


@service.route("POST PUT", "users/me/voicemails/greetings/{greeting}", "calld.users.me.voicemails.greetings.update")
def set_greeting(call: Call) -> Reply:
    if not call.raw.startswith(b"RIFF"):
        raise ApiError(400, "Invalid greeting", "invalid-recording")
    if call.request.method == "POST" and _greeting(call) in call.me.greetings:
        raise ApiError(409, "Greeting already exists", "greeting-already-exists")
    _mailbox(call).greetings[_greeting(call)] = call.raw
    return NO_CONTENT


@service.route("DELETE", "users/me/voicemails/greetings/{greeting}", "calld.users.me.voicemails.greetings.delete")
def delete_greeting(call: Call) -> Reply:
    if _mailbox(call).greetings.pop(_greeting(call), None) is None:
        raise not_found("No such greeting", "no-such-voicemail-greeting")
    return NO_CONTENT


@service.route("POST", "users/me/voicemails/greetings/{greeting}/copy", "calld.users.me.voicemails.greetings.update")
def copy_greeting(call: Call) -> Reply:
    destination = call.text("dest_greeting")
    audio = _mailbox(call).greetings.get(_greeting(call))
    if audio is None or destination not in GREETINGS:
        raise not_found("No such greeting", "no-such-voicemail-greeting")
    call.me.greetings[destination] = audio
    return NO_CONTENT


# ---------------------------------------------------------------------- fax


@service.route("POST", "users/me/faxes", "calld.users.me.faxes.create")
def fax(call: Call) -> Reply:
    number = call.query.get("extension", "")
    if not number:
        raise invalid("extension", "Missing data for required field.")
    if not call.raw.startswith(b"%PDF"):
        raise ApiError(400, "Could not convert PDF to TIFF", "fax-failure")
    user, state = call.me, call.state
    entry: dict[str, Any] = {
        "id": str(uuid.uuid4()), "call_id": call.server.new_id(), "extension": number, "context": "default",
        "caller_id": call.query.get("caller_id", ""), "ivr_extension": None, "wait_time": None, "user_uuid": user.uuid,
        "tenant_uuid": state.tenant_uuid,
    }  # fmt: skip
    user.faxes.append({**entry, "bytes": len(call.raw), "status": "sending"})
    acl = f"events.faxes.outbound.users.{user.uuid}"
    state.bus.publish("fax_outbound_user_created", entry, [user.uuid], f"{acl}.created")

    async def send() -> None:
        await asyncio.sleep(FAX_S)
        failed = number == FAX_FAILS
        kept = next(f for f in user.faxes if f["id"] == entry["id"])
        kept["status"] = "failed" if failed else "succeeded"
        data = {**entry, "error": "recipient did not answer"} if failed else entry
        what = "failed" if failed else "succeeded"
        state.bus.publish(f"fax_outbound_user_{what}", data, [user.uuid], f"{acl}.{what}")

    call.server.spawn(send())
    return Reply(201, entry)


# ---------------------------------------------------------------------- switchboards


def _items(call: Call, kind: str) -> list[dict[str, Any]]:
    if call.params["switchboard"] != call.state.switchboard_uuid or kind not in call.state.switchboard:
        raise not_found("No such switchboard", "no-such-switchboard", switchboard_uuid=call.params["switchboard"])
    return call.state.switchboard[kind]


@service.route("GET", "switchboards/{switchboard}/calls/{kind}", "calld.switchboards.{switchboard}.calls.{kind}.read")
def switchboard(call: Call) -> Any:
    return {"items": list(_items(call, call.params["kind"]))}


def _waiting(call: Call, kind: str) -> dict[str, Any]:
    found = next((item for item in _items(call, kind) if item["id"] == call.params["call_id"]), None)
    if found is None:
        raise not_found("No such call", "no-such-call", call_id=call.params["call_id"])
    return found


@service.route(
    "PUT",
    "switchboards/{switchboard}/calls/{kind}/{call_id}/answer",
    "calld.switchboards.{switchboard}.calls.{kind}.answer"
)  # fmt: skip
def answer_switchboard(call: Call) -> Any:
    kind, state, server = call.params["kind"], call.state, call.server
    item = _waiting(call, kind)
    text = call.query.get("line_id", "")
    line_id = int(text) if text.isdigit() else 0
    operator = call.me
    waiting = server.legs.get(item["id"])
    operator_call = server.new_id()

    def taken(leg: Leg) -> None:
        from app.sandbox.wazo.bots import PersonRobot

        if waiting is not None and not waiting.ended:
            if waiting.bridge is not None:
                waiting.bridge.leave(waiting)
            PairBridge(server, waiting, leg)
        else:
            PersonRobot(server, leg, item["caller_id_name"])
        leg.publish("call_updated")

    server.dialing.ring(
        operator, None, taken, lambda status, cause: None, name=item["caller_id_name"], number=item["caller_id_number"],
        auto_answer=True, line_id=line_id,
    )  # fmt: skip
    state.leave_switchboard(item)
    data = {
        "switchboard_uuid": state.switchboard_uuid, "operator_call_id": operator_call, f"{kind}_call_id": item["id"],
        "tenant_uuid": state.tenant_uuid,
    }  # fmt: skip
    acl = f"events.switchboards.{state.switchboard_uuid}.calls.{kind}.answered"
    state.bus.publish(f"switchboard_{kind}_call_answered", data, None, acl)
    return {"call_id": operator_call}


@service.route(
    "PUT", "switchboards/{switchboard}/calls/held/{call_id}", "calld.switchboards.{switchboard}.calls.held.update"
)
def hold_switchboard(call: Call) -> Reply:
    """The operator's call (its id, or the other party's) goes to the held ones; the operator's leg ends."""
    _items(call, "held")
    leg = call.server.legs.get(call.params["call_id"])
    queued = next((i for i in call.state.switchboard["queued"] if i["id"] == call.params["call_id"]), None)
    if leg is None and queued is None:
        raise not_found("No such call", "no-such-call", call_id=call.params["call_id"])
    if queued is not None:
        call.state.switchboard["queued"].remove(queued)
        call.state.switchboard["held"].append(queued)
        call.state.switchboard_changed("queued")
    elif leg is not None:
        others = leg.bridge.others(leg) if leg.bridge is not None else []
        party, operator = (others[0], leg) if others and leg.user is call.me else (leg, others[0] if others else None)
        item = {"id": party.id, "caller_id_name": party.name, "caller_id_number": party.number}
        if party is leg and leg.user is call.me:
            # A synthetic caller: it waits under the name the operator saw.
            item.update(caller_id_name=leg.peer_name, caller_id_number=leg.peer_number)
            operator = leg
        bridge = leg.bridge
        if bridge is not None:
            bridge.leave(party)
            if operator is not None and operator is not party:
                bridge.leave(operator)
                MusicRobot(call.server, party)
        call.state.switchboard["held"].append(item)
        if operator is not None:
            operator.hang_up()
    call.state.switchboard_changed("held")
    return NO_CONTENT


# ---------------------------------------------------------------------- applications


def _application(call: Call) -> dict[str, Any]:
    found = call.state.applications.get(call.params["application"])
    if found is None:
        raise not_found("No such application", "no-such-application", application_uuid=call.params["application"])
    return found


def _app_call(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = _application(call)["calls"].get(call.params["call_id"])
    if found is None:
        raise not_found("No such call", "no-such-call", call_id=call.params["call_id"])
    return found


def _app_event(call: Call, name: str, data: dict[str, Any]) -> None:
    app = _application(call)
    full = {"application_uuid": app["uuid"], "tenant_uuid": call.state.tenant_uuid, **data}
    call.state.bus.publish(f"application_{name}", full, None, f"events.applications.{app['uuid']}")


BASE = "applications/{application}"
ACL = "calld.applications.{application}"


@service.route("GET", BASE + "/calls", ACL + ".calls.read")
def app_calls(call: Call) -> Any:
    return {"items": list(_application(call)["calls"].values())}


def new_app_call(application: dict[str, Any], call_id: str, number: str, node: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": call_id, "status": "Up", "caller_id_name": number, "caller_id_number": number, "conversation_id": call_id,
        "creation_time": None, "dialed_extension": number, "is_caller": False, "on_hold": False, "muted": False,
        "node_uuid": node, "moh_uuid": None, "snoops": {}, "variables": {}, "user_uuid": None, "tenant_uuid": None,
        "progress": False, "playbacks": {},
    }  # fmt: skip
    application["calls"][call_id] = entry
    return entry


@service.route("POST", BASE + "/calls", ACL + ".calls.create")
def app_make_call(call: Call) -> Reply:
    entry = new_app_call(_application(call), call.server.new_id(), call.text("exten"), None)
    _app_event(call, "call_initiated", {"call": entry})
    return Reply(201, entry)


@service.route("DELETE", BASE + "/calls/{call_id}", ACL + ".calls.{call_id}.delete")
def app_hang_up(call: Call) -> Reply:
    entry = _app_call(call)
    del _application(call)["calls"][entry["id"]]
    for node in _application(call)["nodes"].values():
        node["calls"] = [c for c in node["calls"] if c["id"] != entry["id"]]
    _app_event(call, "call_deleted", {"call": entry})
    return NO_CONTENT


@service.route("PUT", BASE + "/calls/{call_id}/answer", ACL + ".calls.{call_id}.answer.update")
def app_answer(call: Call) -> Reply:
    entry = _app_call(call)
    entry["status"] = "Up"
    _app_event(call, "call_answered", {"call": entry})
    return NO_CONTENT


@service.route("PUT", BASE + "/calls/{call_id}/dtmf", ACL + ".calls.{call_id}.dtmf.update")
def app_dtmf(call: Call) -> Reply:
    entry, digits = _app_call(call), call.query.get("digits", "")
    if not DIGITS.fullmatch(digits):
        raise ApiError(400, "Invalid digits", "invalid-dtmf")
    for digit in digits[:64]:
        data = {"call_id": entry["id"], "conversation_id": entry["conversation_id"], "dtmf": digit}
        _app_event(call, "call_dtmf_received", data)
    return NO_CONTENT


@service.route("PUT", BASE + "/calls/{call_id}/moh/stop", ACL + ".calls.{call_id}.moh.stop.update")
def app_moh_stop(call: Call) -> Reply:
    _app_call(call)["moh_uuid"] = None
    _app_event(call, "call_updated", {"call": _app_call(call)})
    return NO_CONTENT


@service.route("PUT", BASE + "/calls/{call_id}/moh/{moh}/start", ACL + ".calls.{call_id}.moh.start.update")
def app_moh(call: Call) -> Reply:
    _app_call(call)["moh_uuid"] = call.params["moh"]
    _app_event(call, "call_updated", {"call": _app_call(call)})
    return NO_CONTENT


@service.route("PUT", BASE + "/calls/{call_id}/{what}/{action}", ACL + ".calls.{call_id}.{what}.{action}.update")
def app_switch(call: Call) -> Reply:
    keys = {"progress": "progress", "hold": "on_hold", "mute": "muted"}
    key, action = keys.get(call.params["what"]), call.params["action"]
    if key is None or action not in ("start", "stop"):
        raise not_found("Not Found")
    _app_call(call)[key] = action == "start"
    started = "started" if action == "start" else "stopped"
    _app_event(call, f"progress_{started}" if key == "progress" else "call_updated", {"call": _app_call(call)})
    return NO_CONTENT


@service.route("POST", BASE + "/calls/{call_id}/playbacks", ACL + ".calls.{call_id}.playbacks.create")
def app_play(call: Call) -> Reply:
    entry: dict[str, Any] = {
        "uuid": str(uuid.uuid4()),
        "uri": call.text("uri"),
        "language": call.body.get("language"),
        "state": "queued",
    }
    _app_call(call)["playbacks"][entry["uuid"]] = entry
    _app_event(call, "playback_created", {"playback": entry, "call_id": call.params["call_id"]})
    return Reply(201, entry)


@service.route("DELETE", BASE + "/playbacks/{playback}", ACL + ".playbacks.{playback}.delete")
def app_stop_playing(call: Call) -> Reply:
    for entry in _application(call)["calls"].values():
        playback = entry["playbacks"].pop(call.params["playback"], None)
        if playback is not None:
            _app_event(call, "playback_deleted", {"playback": playback, "call_id": entry["id"]})
            return NO_CONTENT
    raise not_found("No such playback", "no-such-playback")


@service.route("GET", BASE + "/nodes", ACL + ".nodes.read")
def app_nodes(call: Call) -> Any:
    return {"items": list(_application(call)["nodes"].values())}


@service.route("POST", BASE + "/nodes", ACL + ".nodes.create")
def app_new_node(call: Call) -> Reply:
    wanted = call.body.get("calls")
    if not isinstance(wanted, list) or not wanted:
        raise invalid("calls", "a list is needed")
    calls = _application(call)["calls"]
    ids = [str(entry.get("id", "")) for entry in wanted if isinstance(entry, dict)]
    if any(one not in calls for one in ids):
        raise ApiError(400, "No such call", "no-such-call")
    node = {"uuid": str(uuid.uuid4()), "calls": [{"id": one} for one in ids]}
    _application(call)["nodes"][node["uuid"]] = node
    for one in ids:
        calls[one]["node_uuid"] = node["uuid"]
    _app_event(call, "node_created", {"node": node})
    return Reply(201, node)


def _node(call: Call) -> dict[str, Any]:
    found: dict[str, Any] | None = _application(call)["nodes"].get(call.params["node"])
    if found is None:
        raise not_found("No such node", "no-such-node", node_uuid=call.params["node"])
    return found


@service.route("GET", BASE + "/nodes/{node}", ACL + ".nodes.{node}.read")
def app_node(call: Call) -> Any:
    return _node(call)


@service.route("DELETE", BASE + "/nodes/{node}", ACL + ".nodes.{node}.delete")
def app_delete_node(call: Call) -> Reply:
    node = _node(call)
    for entry in node["calls"]:
        _application(call)["calls"].pop(entry["id"], None)
    del _application(call)["nodes"][node["uuid"]]
    _app_event(call, "node_deleted", {"node": node})
    return NO_CONTENT


@service.route("PUT DELETE", BASE + "/nodes/{node}/calls/{call_id}", ACL + ".nodes.{node}.calls.{call_id}.update")
def app_node_call(call: Call) -> Reply:
    node, entry = _node(call), _app_call(call)
    node["calls"] = [c for c in node["calls"] if c["id"] != entry["id"]]
    adding = call.request.method == "PUT"
    if adding:
        node["calls"].append({"id": entry["id"]})
    entry["node_uuid"] = node["uuid"] if adding else None
    _app_event(call, "node_updated", {"node": node})
    return NO_CONTENT


@service.route("POST", BASE + "/nodes/{node}/calls", ACL + ".nodes.{node}.calls.create")
def app_node_new_call(call: Call) -> Reply:
    node = _node(call)
    call.text("context")
    entry = new_app_call(_application(call), call.server.new_id(), call.text("exten"), node["uuid"])
    node["calls"].append({"id": entry["id"]})
    _app_event(call, "node_updated", {"node": node})
    return Reply(201, entry)


@service.route("GET", BASE + "/snoops", ACL + ".snoops.read")
def snoops(call: Call) -> Any:
    return {"items": list(_application(call)["snoops"].values())}


@service.route("POST", BASE + "/calls/{call_id}/snoops", ACL + ".calls.{call_id}.snoops.create")
def new_snoop(call: Call) -> Reply:
    mode = call.text("whisper_mode", required=False, default="none")
    if mode not in ("in", "out", "both", "none"):
        raise invalid("whisper_mode", "Must be one of: in, out, both, none.")
    snoop = {
        "uuid": str(uuid.uuid4()), "whisper_mode": mode, "snooped_call_id": _app_call(call)["id"],
        "snooping_call_id": call.text("snooping_call_id"),
    }  # fmt: skip
    _application(call)["snoops"][snoop["uuid"]] = snoop
    _app_event(call, "snoop_created", {"snoop": snoop})
    return Reply(201, snoop)


@service.route("GET PUT DELETE", BASE + "/snoops/{snoop}", ACL + ".snoops.{snoop}.update")
def snoop(call: Call) -> Any:
    found: dict[str, Any] | None = _application(call)["snoops"].get(call.params["snoop"])
    if found is None:
        raise not_found("No such snoop", "no-such-snoop")
    if call.request.method == "GET":
        return found
    if call.request.method == "PUT":
        found["whisper_mode"] = call.text("whisper_mode")
        _app_event(call, "snoop_updated", {"snoop": found})
    else:
        del _application(call)["snoops"][found["uuid"]]
        _app_event(call, "snoop_deleted", {"snoop": found})
    return NO_CONTENT
