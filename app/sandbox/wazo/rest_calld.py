"""wazo-calld: calls, transfers, relocates, ad hoc conferences, rooms, parking (wazo.md 7.1, 7.2, 4.14, 5.6).

Voicemail, fax, switchboards and applications register with the same service in modules of their own.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from app.sandbox.wazo.dialing import EXTENSIONS
from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, Service, invalid, not_found
from app.sandbox.wazo.legs import Leg
from app.sandbox.wazo.rooms import Bot, MixBridge, RoomBridge
from app.sandbox.wazo.state import CONFERENCES

service = Service("calld/1.0", "A")
DIGITS = re.compile(r"[0-9*#]+")
EXTEN = re.compile(r"[0-9*#+A-Za-z._-]{1,64}")


def own_leg(call: Call, call_id: str = "") -> Leg:
    """A call of the token's user. 404 for unknown ones, 403 for other people's."""
    wanted = call_id or call.params["call_id"]
    leg = call.server.legs.get(wanted)
    if leg is None:
        raise not_found("No such call", "no-such-call", call_id=wanted)
    if leg.user is not call.me and not call.me.account.admin:
        raise ApiError(403, "User does not have permission to hangup the specified call", "user-permission-denied")
    return leg


# ---------------------------------------------------------------------- calls


@service.route("GET", "users/me/calls", "calld.users.me.calls.read")
def calls(call: Call) -> Any:
    return {"items": [leg.data() for leg in call.server.legs.values() if leg.user is call.me]}


@service.route("GET", "calls", "calld.calls.read")
def all_calls(call: Call) -> Any:
    return {"items": [leg.data() for leg in call.server.legs.values()]}


@service.route("POST", "users/me/calls", "calld.users.me.calls.create")
def make_call(call: Call) -> Reply:
    """The caller's own phone rings first; once it answers, the number is called."""
    number, server, user = call.text("extension"), call.server, call.me
    known = number in EXTENSIONS or number in {e for _, _, e in CONFERENCES} or call.state.user_of_exten(number)
    if not EXTEN.fullmatch(number) or not (known or any(p.exten == number for p in call.state.people)):
        raise ApiError(400, "The extension is invalid", "invalid-extension", exten=number)
    lines = [line for line in user.lines if call.body.get("line_id") in (None, line.id)]
    if not lines:
        raise ApiError(400, "User has no line", "user-missing-main-line")
    if not any(server.registrar.contacts_of(line.name) for line in lines):
        raise ApiError(400, "The origin is not available", "call-origin-unavailable")
    call_id = server.new_id()

    def taken(leg: Leg) -> None:
        server.dialing.connect(leg, number, lambda branch, status: leg.hang_up() if status >= 300 else None)

    server.dialing.ring(
        user, None, taken, lambda status, cause: None, name=user.name, number=number,
        auto_answer=bool(call.body.get("auto_answer_caller")), line_id=int(call.body.get("line_id") or 0),
        leg_id=call_id,
    )  # fmt: skip
    data = {
        "call_id": call_id, "user_uuid": user.uuid, "status": "Ring", "dialed_extension": number, "is_caller": True,
        "caller_id_name": user.name, "caller_id_number": user.exten, "talking_to": {}, "bridges": [], "on_hold": False,
        "muted": False, "line_id": lines[0].id, "creation_time": None, "record_state": "inactive",
        "direction": "internal",
    }  # fmt: skip
    return Reply(201, data)


@service.route("DELETE", "users/me/calls/{call_id}", "calld.users.me.calls.{call_id}.delete")
def hang_up(call: Call) -> Reply:
    own_leg(call).hang_up()
    return NO_CONTENT


@service.route("PUT", "users/me/calls/{call_id}/mute/{action}", "calld.users.me.calls.{call_id}.mute.{action}.update")
def mute(call: Call) -> Reply:
    leg = own_leg(call)
    muted = _start_or_stop(call)
    leg.muted = muted
    if isinstance(leg.bridge, RoomBridge):
        leg.bridge.mute(leg, muted)
    else:
        leg.publish("call_updated")
    return NO_CONTENT


def _start_or_stop(call: Call) -> bool:
    if call.params["action"] not in ("start", "stop"):
        raise not_found("Not Found")
    return call.params["action"] == "start"


@service.route("PUT", "users/me/calls/{call_id}/hold/{action}", "calld.users.me.calls.{call_id}.hold.{action}.update")
def hold(call: Call) -> Reply:
    own_leg(call)
    _start_or_stop(call)
    raise ApiError(400, "The endpoint has no phone plugin", "call-hold-unsupported")


RECORD = {"start": "active", "stop": "inactive", "pause": "paused", "resume": "active"}
RECORD_EVENTS = {"start": "started", "stop": "stopped", "pause": "paused", "resume": "resumed"}


@service.route(
    "PUT", "users/me/calls/{call_id}/record/{action}", "calld.users.me.calls.{call_id}.record.{action}.update"
)
def record(call: Call) -> Reply:
    leg, action = own_leg(call), call.params["action"]
    if action not in RECORD:
        raise not_found("Not Found")
    if not call.me.settings["online_call_record_enabled"]:
        raise ApiError(403, "Recording is not allowed", "recording-unauthorized")
    if not leg.up or (action == "resume" and leg.record_state != "paused"):
        raise ApiError(400, "The call cannot be recorded now", "invalid-call-state")
    leg.record_state = RECORD[action]
    data = {"call_id": leg.id, "tenant_uuid": call.state.tenant_uuid}
    call.state.bus.publish(
        f"recording_{RECORD_EVENTS[action]}", data, [call.me.uuid], f"events.calls.{call.me.uuid}"
    )  # fmt: skip
    leg.publish("call_updated")
    return NO_CONTENT


@service.route("PUT", "users/me/calls/{call_id}/dtmf", "calld.users.me.calls.{call_id}.dtmf.update")
def dtmf(call: Call) -> Reply:
    leg, digits = own_leg(call), call.query.get("digits", "")
    if not DIGITS.fullmatch(digits):
        raise ApiError(400, "Invalid digits", "invalid-dtmf")
    for digit in digits[:64]:
        leg.media.heard.digits.append((digit, "rest"))
        call.server.digit(leg, digit, "rest")
    return NO_CONTENT


@service.route("PUT", "users/me/calls/{call_id}/answer", "calld.users.me.calls.{call_id}.answer.update")
def answer(call: Call) -> Reply:
    own_leg(call)
    raise ApiError(400, "The endpoint has no phone plugin", "call-answer-unsupported")


@service.route("PUT", "users/me/calls/{call_id}/park", "calld.users.me.calls.{call_id}.park.update")
def park(call: Call) -> Reply:
    own_leg(call)
    raise ApiError(400, "No parking lot", "no-such-parking")


@service.route("GET", "parkinglots", "calld.parkings.read")
def parkings(call: Call) -> Any:
    return {"items": [], "total": 0, "filtered": 0}


@service.route("GET", "trunks", "calld.trunks.read")
def trunks(call: Call) -> Any:
    trunk = {"id": 1, "technology": "sip", "name": "provider", "registered": True, "current_call_count": 0}
    return {"items": [trunk], "total": 1}


# ---------------------------------------------------------------------- transfers and relocates


@service.route("POST", "users/me/transfers", "calld.users.me.transfers.create")
def start_transfer(call: Call) -> Reply:
    leg, number = own_leg(call, call.text("initiator_call")), call.text("exten")
    flow = call.text("flow", required=False, default="attended")
    if flow not in ("attended", "blind"):
        raise invalid("flow", "Must be one of: attended, blind.")
    if any(t.initiator is leg for t in call.server.transfers.open.values()):
        raise ApiError(409, "A transfer is already in progress", "transfer-already-started")
    transfer = call.server.transfers.start(call.me, leg, number, flow)
    if transfer is None:
        raise ApiError(409, "The call has more than one candidate", "too-many-transferred-candidates")
    return Reply(201, transfer.data(call.state.tenant_uuid))


@service.route("GET", "users/me/transfers", "calld.users.me.transfers.read")
def transfers(call: Call) -> Any:
    mine = [t for t in call.server.transfers.open.values() if t.user is call.me]
    return {"items": [t.data(call.state.tenant_uuid) for t in mine]}


def _transfer(call: Call) -> Any:
    transfer = call.server.transfers.open.get(call.params["transfer"])
    if transfer is None or transfer.user is not call.me:
        raise not_found("No such transfer", "no-such-transfer")
    return transfer


@service.route("GET", "users/me/transfers/{transfer}", "calld.users.me.transfers.read")
def transfer(call: Call) -> Any:
    return _transfer(call).data(call.state.tenant_uuid)


@service.route("PUT", "users/me/transfers/{transfer}/complete", "calld.users.me.transfers.{transfer}.complete.update")
def complete_transfer(call: Call) -> Reply:
    call.server.transfers.complete(_transfer(call))
    return NO_CONTENT


@service.route("DELETE", "users/me/transfers/{transfer}", "calld.users.me.transfers.{transfer}.delete")
def cancel_transfer(call: Call) -> Reply:
    call.server.transfers.cancel(_transfer(call))
    return NO_CONTENT


@service.route("POST", "users/me/relocates", "calld.users.me.relocates.create")
def relocate(call: Call) -> Reply:
    leg, destination = own_leg(call, call.text("initiator_call")), call.text("destination")
    if destination not in ("line", "mobile"):
        raise invalid("destination", "Must be one of: line, mobile.")
    location = call.body.get("location") or {}
    if destination == "line":
        line = next((x for x in call.me.lines if x.id == location.get("line_id")), None)
        if line is None:
            raise ApiError(400, "Invalid line", "invalid-user-line")
        if not call.server.registrar.contacts_of(line.name):
            raise ApiError(400, "The line has no phone", "relocate-creation-error")
    elif not call.server.registrar.contacts_of(call.me.lines[-1].name):
        raise ApiError(400, "User has no mobile phone number", "user-missing-mobile-phone-number")
    record = call.server.transfers.relocate(call.me, leg, call.body)
    if record is None:
        raise ApiError(400, "Relocate creation error", "relocate-creation-error")
    return Reply(201, record)


@service.route("GET", "users/me/relocates", "calld.users.me.relocates.read")
def relocates(call: Call) -> Any:
    return {"items": [r for r in call.server.transfers.relocates.values() if r["initiator"] == call.me.uuid]}


# ---------------------------------------------------------------------- ad hoc conferences


def _participant(call: Call, call_id: str) -> Leg:
    leg = call.server.legs.get(call_id)
    if leg is None:
        raise ApiError(400, "Participant call not found", "participant-call-not-found", call_id=call_id)
    return leg


def _adhoc(call: Call) -> MixBridge:
    room = call.server.rooms.adhoc.get(call.params["conference"])
    if room is None or room.host.user is not call.me:
        raise not_found("Adhoc conference not found", "adhoc-conference-not-found")
    return room


def _bring(room: MixBridge, leg: Leg) -> None:
    """Move a remote party into the conference; the host's leg to it ends."""
    old = leg.bridge
    hosts = [x for x in (old.others(leg) if old is not None else []) if x.user is room.host.user and x is not room.host]
    if old is not None:
        old.leave(leg)
        for host in hosts:
            old.leave(host)
    room.join(leg)
    for host in hosts:
        host.hang_up()


@service.route("POST", "users/me/conferences/adhoc", "calld.users.me.conferences.adhoc.create")
def create_adhoc(call: Call) -> Reply:
    host = call.server.legs.get(call.text("host_call_id"))
    if host is None or host.user is not call.me:
        raise ApiError(400, "Host call not found", "host-call-not-found")
    wanted = call.body.get("participant_call_ids")
    if not isinstance(wanted, list) or not wanted:
        raise invalid("participant_call_ids", "a list is needed")
    legs = [_participant(call, str(one)) for one in wanted]
    if any(room.host is host for room in call.server.rooms.adhoc.values()):
        raise ApiError(409, "Host already in conference", "host-already-in-conference")
    if any(isinstance(leg.bridge, MixBridge) for leg in legs):
        raise ApiError(409, "Participant already in conference", "participant-already-in-conference")
    key = str(uuid.uuid4())
    room = MixBridge(call.server, call.server.rooms, key, host)
    call.server.rooms.adhoc[key] = room
    data = {"conference_id": key, "tenant_uuid": call.state.tenant_uuid}
    acl = f"events.users.{call.me.uuid}.conferences.adhoc"
    call.state.bus.publish("conference_adhoc_created", data, [call.me.uuid], acl)
    if host.bridge is not None:
        host.bridge.leave(host)
    room.join(host)
    for leg in legs:
        _bring(room, leg)
    return Reply(201, {"conference_id": key})


@service.route("DELETE", "users/me/conferences/adhoc/{conference}", "calld.users.me.conferences.adhoc.delete")
def end_adhoc(call: Call) -> Reply:
    _adhoc(call).end()
    return NO_CONTENT


@service.route(
    "PUT", "users/me/conferences/adhoc/{conference}/participants/{call_id}",
    "calld.users.me.conferences.adhoc.participants.update",
)  # fmt: skip
def add_to_adhoc(call: Call) -> Reply:
    room, leg = _adhoc(call), _participant(call, call.params["call_id"])
    if isinstance(leg.bridge, MixBridge):
        raise ApiError(409, "Participant already in conference", "participant-already-in-conference")
    _bring(room, leg)
    return NO_CONTENT


@service.route(
    "DELETE", "users/me/conferences/adhoc/{conference}/participants/{call_id}",
    "calld.users.me.conferences.adhoc.participants.delete",
)  # fmt: skip
def remove_from_adhoc(call: Call) -> Reply:
    room = _adhoc(call)
    leg = next((x for x in room.members if x.id == call.params["call_id"]), None)
    if leg is None:
        raise not_found("Participant call not found", "participant-call-not-found")
    leg.hang_up()
    return NO_CONTENT


# ---------------------------------------------------------------------- conferences and meetings


def _room(call: Call, key: str, *, member: bool = True) -> RoomBridge:
    room = call.server.rooms.open.get(key)
    inside = room is not None and any(leg.user is call.me for leg in room.members)
    if room is None or (member and not inside):
        raise ApiError(403, "User is not a participant of the conference", "user-not-participant")
    return room


@service.route("GET", "users/me/conferences/{room}/participants", "calld.users.me.conferences.{room}.participants.read")
@service.route("GET", "users/me/meetings/{room}/participants", "calld.users.me.meetings.{room}.participants.read")
def participants(call: Call) -> Any:
    items = _room(call, call.params["room"]).participants()
    return {"items": items, "total": len(items)}


def _member(room: RoomBridge, call_id: str) -> Leg | Bot:
    everybody: list[Leg | Bot] = [*room.members, *room.bots]
    member = next((m for m in everybody if m.id == call_id), None)
    if member is None:
        raise not_found("No such participant", "no-such-participant")
    return member


@service.route(
    "DELETE", "users/me/meetings/{room}/participants/{call_id}", "calld.users.me.meetings.participants.delete"
)
@service.route("DELETE", "conferences/{room}/participants/{call_id}", "calld.conferences.participants.delete")
def kick(call: Call) -> Reply:
    room = _room(call, call.params["room"], member="users/me" in call.request.path)
    if room.meeting is not None and call.me.uuid not in room.meeting["owner_uuids"]:
        raise ApiError(403, "Only owners may do that", "user-permission-denied")
    member = _member(room, call.params["call_id"])
    if isinstance(member, Bot):
        room.remove_bot(member)
    else:
        member.hang_up()
    return NO_CONTENT


@service.route("PUT", "conferences/{room}/participants/{call_id}/{action}", "calld.conferences.participants.update")
def moderate(call: Call) -> Reply:
    if call.params["action"] not in ("mute", "unmute"):
        raise not_found("Not Found")
    room = _room(call, call.params["room"], member=False)
    room.mute(_member(room, call.params["call_id"]), call.params["action"] == "mute")
    return NO_CONTENT


@service.route("POST DELETE", "conferences/{room}/record", "calld.conferences.record.create")
def record_room(call: Call) -> Reply:
    _room(call, call.params["room"], member=False).record(call.request.method == "POST")
    return NO_CONTENT


@service.route("GET", "guests/me/meetings/{room}/status", token=False)
def meeting_status(call: Call) -> Any:
    from app.sandbox.wazo.rooms import MAX_MEMBERS

    if call.params["room"] not in call.state.meetings:
        raise not_found("No such meeting", "no-such-meeting")
    room = call.server.rooms.open.get(call.params["room"])
    return {"full": room is not None and len(room.members) + len(room.bots) >= MAX_MEMBERS}
