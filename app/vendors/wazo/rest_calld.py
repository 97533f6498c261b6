"""wazo-calld: calls, transfers, relocation, conferences, voicemail, fax, switchboards (wazo.md 4.14, 5, 7.1-7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.calls.accounts import VoicemailMessage, WaitingCall
from app.calls.text import clean_message, clean_name
from app.vendors.wazo.wire import CALLD, RestRequest, items, parameters, path, read, total

ME = f"{CALLD}/users/me"
FOLDER_IDS = {"new": 1, "old": 2, "urgent": 3, "other": 4}
DTMF_CHARACTERS = frozenset("0123456789*#")


class _Call(msgspec.Struct):
    call_id: str
    sip_call_id: str = ""
    user_uuid: str = ""
    status: str = ""
    peer_caller_id_name: str = ""
    peer_caller_id_number: str = ""
    caller_id_name: str = ""
    caller_id_number: str = ""
    on_hold: bool = False
    muted: bool = False
    is_video: bool = False
    is_caller: bool = False
    record_state: str = "inactive"
    talking_to: dict[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerCall:
    """A call as the server sees it; ``sip_call_id`` ties it to ours, ``talking_to`` are the legs at the other end."""

    call_id: str
    sip_call_id: str = ""
    user_uuid: str = ""
    status: str = ""
    name: str = ""
    number: str = ""
    on_hold: bool = False
    muted: bool = False
    is_video: bool = False
    record_state: str = "inactive"
    talking_to: tuple[str, ...] = ()


def list_calls() -> RestRequest:
    return RestRequest("GET", f"{ME}/calls")


def parse_call(body: Any) -> ServerCall | None:
    call = read(_Call, body)
    return _server_call(call) if call else None


def parse_calls(body: Any) -> tuple[ServerCall, ...]:
    return tuple(_server_call(call) for call in items(body, _Call))


def _server_call(raw: _Call) -> ServerCall:
    state = raw.record_state if raw.record_state in ("inactive", "active", "paused") else "inactive"
    return ServerCall(
        raw.call_id,
        raw.sip_call_id,
        raw.user_uuid,
        raw.status,
        clean_name(raw.peer_caller_id_name),
        clean_name(raw.peer_caller_id_number),
        raw.on_hold,
        raw.muted,
        raw.is_video,
        state,
        tuple(list(raw.talking_to)[:64]),
    )


def make_call(
    extension: str, *, from_mobile: bool = False, line_id: str = "", all_lines: bool = False, auto_answer: bool = False
) -> RestRequest:
    body: dict[str, Any] = {"extension": extension, "from_mobile": from_mobile}
    if line_id:
        body["line_id"] = _id(line_id)
    if all_lines:
        body["all_lines"] = True
    if auto_answer:
        body["auto_answer_caller"] = True
    return RestRequest("POST", f"{ME}/calls", body=body)


def _id(value: str) -> int | str:
    return int(value) if value.isdecimal() else value


def cancel_call(call: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{ME}/calls", call))


def _switch(call: str, what: str, command: str) -> RestRequest:
    return RestRequest("PUT", path(f"{ME}/calls", call, what, command))


def set_mute(call: str, muted: bool) -> RestRequest:
    return _switch(call, "mute", "start" if muted else "stop")


def set_hold(call: str, held: bool) -> RestRequest:
    return _switch(call, "hold", "start" if held else "stop")


def record(call: str, command: str) -> RestRequest:
    """*command*: start, stop, pause or resume."""
    return _switch(call, "record", command)


def send_dtmf(call: str, digits: str) -> RestRequest:
    return RestRequest("PUT", path(f"{ME}/calls", call, "dtmf"), query=parameters(digits=digits))


# ---------------------------------------------------------------- transfers, relocation, conferences


def transfer(call: str, extension: str, *, attended: bool) -> RestRequest:
    body = {"initiator_call": call, "exten": extension, "flow": "attended" if attended else "blind"}
    return RestRequest("POST", f"{ME}/transfers", body=body)


def complete_transfer(transfer_id: str) -> RestRequest:
    return RestRequest("PUT", path(f"{ME}/transfers", transfer_id, "complete"))


def cancel_transfer(transfer_id: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{ME}/transfers", transfer_id))


def relocate(call: str, *, line_id: str = "", to_mobile: bool = False, contact: str = "") -> RestRequest:
    body: dict[str, Any] = {
        "initiator_call": call,
        "destination": "mobile" if to_mobile else "line",
        "completions": ["answer"],
        "auto_answer": not to_mobile,
    }
    if not to_mobile:
        location: dict[str, Any] = {"line_id": _id(line_id)}
        if contact:
            location["contact"] = contact
        body["location"] = location
    return RestRequest("POST", f"{ME}/relocates", body=body)


def create_adhoc(host: str, others: tuple[str, ...]) -> RestRequest:
    """*host* is our leg, *others* are the legs of the people at the other end, the host's own peer included."""
    body = {"host_call_id": host, "participant_call_ids": list(others)}
    return RestRequest("POST", f"{ME}/conferences/adhoc", body=body)


def adhoc_participant(conference: str, call: str, *, remove: bool = False) -> RestRequest:
    where = path(f"{ME}/conferences/adhoc", conference, "participants", call)
    return RestRequest("DELETE" if remove else "PUT", where)


def delete_adhoc(conference: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{ME}/conferences/adhoc", conference))


class _Participant(msgspec.Struct):
    call_id: str = ""
    id: str = ""
    caller_id_name: str = ""
    caller_id_number: str = ""
    user_uuid: str = ""
    muted: bool = False
    admin: bool = False
    join_time: int = 0
    conference_id: str = ""
    meeting_uuid: str = ""


@dataclass(frozen=True, slots=True)
class RoomMember:
    """One member of a room; ``call_id`` is the id of the member's channel and the label of its video."""

    call_id: str
    name: str
    number: str = ""
    user_uuid: str = ""
    muted: bool = False
    admin: bool = False
    room_id: str = ""


def parse_member(body: Any) -> RoomMember | None:
    raw = read(_Participant, body)
    return _member(raw) if raw is not None and (raw.call_id or raw.id) else None


def parse_members(body: Any) -> tuple[RoomMember, ...]:
    return tuple(_member(raw) for raw in items(body, _Participant) if raw.call_id or raw.id)


def _member(raw: _Participant) -> RoomMember:
    name = clean_name(raw.caller_id_name)
    number = clean_name(raw.caller_id_number)
    if name in ("", "<unknown>"):
        name = number
    room = raw.meeting_uuid or raw.conference_id
    return RoomMember(raw.call_id or raw.id, name, number, raw.user_uuid, raw.muted, raw.admin, room)


def room_members(room_id: str, *, meeting: bool) -> RestRequest:
    kind = "meetings" if meeting else "conferences"
    return RestRequest("GET", path(f"{ME}/{kind}", room_id, "participants"))


def ban_from_meeting(meeting: str, call: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{ME}/meetings", meeting, "participants", call))


def conference_participant(conference: str, participant: str, command: str) -> RestRequest:
    """For administrators. *command*: mute, unmute or kick."""
    where = path(f"{CALLD}/conferences", conference, "participants", participant)
    if command == "kick":
        return RestRequest("DELETE", where)
    return RestRequest("PUT", f"{where}/{command}")


def conference_record(conference: str, on: bool) -> RestRequest:
    return RestRequest("POST" if on else "DELETE", path(f"{CALLD}/conferences", conference, "record"))


def guest_meeting_status(meeting: str) -> RestRequest:
    return RestRequest("GET", path(f"{CALLD}/guests/me/meetings", meeting, "status"), authenticated=False)


# ---------------------------------------------------------------- voicemail


class _Folder(msgspec.Struct):
    id: str = ""
    name: str = ""
    type: str = ""


class _Box(msgspec.Struct):
    id: str = ""
    name: str = ""
    accesstype: str = ""


class _Transcription(msgspec.Struct):
    text: str = ""


class _Voicemail(msgspec.Struct):
    id: str
    caller_id_name: str = ""
    caller_id_num: str = ""
    duration: float = 0
    timestamp: float = 0
    folder: _Folder = msgspec.field(default_factory=_Folder)
    voicemail: _Box = msgspec.field(default_factory=_Box)
    transcription: _Transcription = msgspec.field(default_factory=_Transcription)


class _VoicemailFolder(msgspec.Struct):
    type: str = ""
    messages: tuple[_Voicemail, ...] = ()


def list_voicemail_messages(offset: int = 0, limit: int = 50) -> RestRequest:
    query = parameters(offset=offset or None, limit=limit, order="timestamp", direction="desc", voicemail_type="all")
    return RestRequest("GET", f"{ME}/voicemails/messages", query=query)


def list_voicemails() -> RestRequest:
    """The mailbox with its folders; servers without the list of messages offer only this."""
    return RestRequest("GET", f"{ME}/voicemails")


def parse_voicemail_messages(body: Any) -> tuple[tuple[VoicemailMessage, ...], int | None]:
    return tuple(_voicemail(raw, raw.folder.type) for raw in items(body, _Voicemail)), total(body)


def parse_voicemails(body: Any) -> tuple[VoicemailMessage, ...]:
    """Messages of a mailbox with folders, newest first."""
    box = clean_name(body.get("name", "")) if isinstance(body, dict) and isinstance(body.get("name"), str) else ""
    found = [
        _voicemail(raw, folder.type, box)
        for folder in items(body, _VoicemailFolder, "folders")
        for raw in folder.messages
    ]
    return tuple(sorted(found, key=lambda message: message.received_at, reverse=True))


def _voicemail(raw: _Voicemail, folder: str, box: str = "") -> VoicemailMessage:
    return VoicemailMessage(
        raw.id,
        clean_name(raw.caller_id_name),
        clean_name(raw.caller_id_num),
        _whole(raw.timestamp),
        _whole(raw.duration),
        folder if folder in FOLDER_IDS else "other",
        clean_name(raw.voicemail.name) or box,
        clean_message(raw.transcription.text),
    )


def _whole(seconds: float) -> int:
    return int(seconds * 1000) if 0 <= seconds < 1e11 else 0


def move_voicemail(message: str, folder: str) -> RestRequest:
    return RestRequest("PUT", path(f"{ME}/voicemails/messages", message), body={"folder_id": FOLDER_IDS[folder]})


def delete_voicemail(message: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{ME}/voicemails/messages", message))


def voicemail_audio(message: str) -> RestRequest:
    return RestRequest("GET", path(f"{ME}/voicemails/messages", message, "recording"), long=True)


# ---------------------------------------------------------------- fax, switchboards, trunks


def send_fax(extension: str, pdf: bytes, caller_id: str = "") -> RestRequest:
    query = parameters(extension=extension, caller_id=caller_id)
    return RestRequest("POST", f"{ME}/faxes", query=query, data=pdf, content_type="application/pdf", long=True)


class _Fax(msgspec.Struct):
    id: str
    extension: str = ""
    error: str = ""


def parse_fax(body: Any) -> tuple[str, str, str] | None:
    """Id, number and error of a fax answer or event."""
    fax = read(_Fax, body)
    return (fax.id, clean_name(fax.extension), clean_name(fax.error)) if fax else None


class _Waiting(msgspec.Struct):
    id: str
    caller_id_name: str = ""
    caller_id_number: str = ""


def switchboard_calls(switchboard: str, *, held: bool) -> RestRequest:
    return RestRequest("GET", path(f"{CALLD}/switchboards", switchboard, "calls", "held" if held else "queued"))


def parse_waiting(body: Any, held: bool) -> tuple[WaitingCall, ...]:
    return tuple(
        WaitingCall(raw.id, clean_name(raw.caller_id_name), clean_name(raw.caller_id_number), held)
        for raw in items(body, _Waiting)
    )


def answer_waiting(switchboard: str, call: str, *, held: bool, line_id: str = "") -> RestRequest:
    where = path(f"{CALLD}/switchboards", switchboard, "calls", "held" if held else "queued", call, "answer")
    return RestRequest("PUT", where, query=parameters(line_id=line_id))


def hold_waiting(switchboard: str, call: str) -> RestRequest:
    return RestRequest("PUT", path(f"{CALLD}/switchboards", switchboard, "calls", "held", call))


def list_trunks() -> RestRequest:
    return RestRequest("GET", f"{CALLD}/trunks")


def string_of(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, Mapping) else None
    return value if isinstance(value, str) else ""
