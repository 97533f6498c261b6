"""Events of the event socket as facts (wazo.md 6.2). Pure: names and raw data in, values out; what is unknown or does
not fit gives nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.calls.accounts import CallLogEntry, ChatMessage, Presence, WaitingCall
from app.calls.text import clean_name
from app.vendors.wazo import rest_call_logd, rest_calld, rest_chatd
from app.vendors.wazo.events_socket import Event
from app.vendors.wazo.rest_calld import RoomMember, ServerCall
from app.vendors.wazo.wire import read


@dataclass(frozen=True, slots=True)
class CallNews:
    """``what``: created, updated, answered, ended, missed, held, resumed, record_active, record_inactive,
    record_paused."""

    what: str
    call: ServerCall


@dataclass(frozen=True, slots=True)
class ToneNews:
    call_id: str
    digit: str


@dataclass(frozen=True, slots=True)
class TransferNews:
    """``status`` as in the object, or ended, completed, cancelled, abandoned by the event's name."""

    id: str
    status: str
    initiator_call: str = ""
    transferred_call: str = ""
    recipient_call: str = ""


@dataclass(frozen=True, slots=True)
class RelocateNews:
    """``what``: initiated, answered, completed or ended."""

    what: str
    id: str
    initiator_call: str = ""
    recipient_call: str = ""


@dataclass(frozen=True, slots=True)
class AdhocNews:
    """``what``: created, deleted, joined or left."""

    what: str
    conference_id: str
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class RoomNews:
    """``what``: joined, left, talking or silent."""

    what: str
    member: RoomMember
    meeting: bool = False


@dataclass(frozen=True, slots=True)
class AdmissionNews:
    """A guest asks to be let into a meeting of ours. ``status``: pending, accepted, rejected or deleted."""

    meeting_id: str
    authorization_id: str
    guest_name: str
    status: str


@dataclass(frozen=True, slots=True)
class PresenceNews:
    presence: Presence


@dataclass(frozen=True, slots=True)
class DoNotDisturbNews:
    enabled: bool


@dataclass(frozen=True, slots=True)
class ForwardNews:
    kind: str
    enabled: bool
    destination: str


@dataclass(frozen=True, slots=True)
class ChatNews:
    message: ChatMessage


@dataclass(frozen=True, slots=True)
class Stale:
    """What must be read again. ``what``: as in :class:`app.calls.accounts.ListChanged`, or agent."""

    what: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class CallLogged:
    entry: CallLogEntry


@dataclass(frozen=True, slots=True)
class FaxNews:
    id: str
    number: str
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class WaitingNews:
    switchboard_id: str
    held: bool
    calls: tuple[WaitingCall, ...]


@dataclass(frozen=True, slots=True)
class AgentNews:
    """``None`` leaves a value as it is. ``queue_id`` is set when only the membership of one queue changed."""

    agent_id: str
    logged_in: bool | None = None
    paused: bool | None = None
    paused_reason: str = ""
    queue_id: str = ""
    queue_logged_in: bool | None = None


@dataclass(frozen=True, slots=True)
class SessionExpiring:
    session_id: str


@dataclass(frozen=True, slots=True)
class SessionDeleted:
    session_id: str


Fact = (
    CallNews
    | ToneNews
    | TransferNews
    | RelocateNews
    | AdhocNews
    | RoomNews
    | AdmissionNews
    | PresenceNews
    | DoNotDisturbNews
    | ForwardNews
    | ChatNews
    | Stale
    | CallLogged
    | FaxNews
    | WaitingNews
    | AgentNews
    | SessionExpiring
    | SessionDeleted
)


class _Ids(msgspec.Struct):
    """Every field that some event has, under its own name."""

    uuid: str = ""
    id: str = ""
    call_id: str = ""
    conference_id: str = ""
    meeting_uuid: str = ""
    guest_name: str = ""
    status: str = ""
    digit: str = ""
    enabled: bool = False
    destination: str = ""
    agent_id: str = ""
    queue_id: str = ""
    paused: bool = False
    paused_reason: str = ""
    switchboard_uuid: str = ""
    initiator_call: str = ""
    transferred_call: str = ""
    recipient_call: str = ""
    source: str = ""
    room_uuid: str = ""


def translate(event: Event, me: str) -> Fact | None:
    """The fact that *event* tells the user with the id *me*."""
    handler = _HANDLERS.get(event.name)
    ids = read(_Ids, event.data)
    return handler(event.name, event.data, ids, me) if handler and ids is not None else None


_Data = Mapping[str, Any]


def _call(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    call = rest_calld.parse_call(data)
    what = "missed" if name == "user_missed_call" else name.removeprefix("call_")
    return CallNews(what, call) if call else None


def _recording(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    states = {"started": "active", "stopped": "inactive", "paused": "paused", "resumed": "active"}
    state = states[name.removeprefix("recording_")]
    return CallNews(f"record_{state}", ServerCall(ids.call_id, record_state=state)) if ids.call_id else None


def _tone(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    return ToneNews(ids.call_id, ids.digit) if ids.call_id and len(ids.digit) == 1 else None


def _transfer(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    what = name.removeprefix("transfer_")
    status = what if what in ("cancelled", "completed", "abandoned", "ended") else ids.status or what
    return TransferNews(ids.id, status, ids.initiator_call, ids.transferred_call, ids.recipient_call)


def _relocate(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    return RelocateNews(name.removeprefix("relocate_"), ids.uuid, ids.initiator_call, ids.recipient_call)


def _adhoc(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    what = name.rpartition("_")[2]
    return AdhocNews(what, ids.conference_id, ids.call_id) if ids.conference_id else None


def _room(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    member = rest_calld.parse_member(data)
    what = {"started": "talking", "stopped": "silent"}.get(name.rpartition("_")[2], name.rpartition("_")[2])
    return RoomNews(what, member, name.startswith("meeting_")) if member else None


def _admission(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    status = "deleted" if name.endswith("_deleted") else ids.status or "pending"
    return AdmissionNews(ids.meeting_uuid, ids.uuid, clean_name(ids.guest_name), status)


def _presence(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    presence = rest_chatd.parse_presence(data)
    return PresenceNews(presence) if presence else None


def _dnd(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    return DoNotDisturbNews(ids.enabled)


def _forward(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    return ForwardNews(name.split("_")[2], ids.enabled, ids.destination)


def _chat(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    message = rest_chatd.parse_message(data, me)
    return ChatNews(message) if message and message.room_id else None


def _logged(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    entry = rest_call_logd.parse_entry(data, me)
    return CallLogged(entry) if entry else Stale("call_log")


def _fax(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    fax = rest_calld.parse_fax(data)
    state = {"created": "sending", "succeeded": "sent", "failed": "failed"}[name.rpartition("_")[2]]
    return FaxNews(fax[0], fax[1], state, fax[2]) if fax else None


def _waiting(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    held = "_held_" in name
    return WaitingNews(ids.switchboard_uuid, held, rest_calld.parse_waiting(dict(data), held))


def _agent(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    if name == "agent_status_update":
        return AgentNews(ids.agent_id, logged_in=ids.status == "logged_in")
    if name.startswith("user_agent_queue_"):
        return AgentNews(ids.agent_id, queue_id=ids.queue_id, queue_logged_in=name.endswith("logged_in"))
    return AgentNews(ids.agent_id, paused=name == "agent_paused", paused_reason=clean_name(ids.paused_reason))


def _expiring(name: str, data: _Data, ids: _Ids, me: str) -> Fact | None:
    return SessionExpiring(ids.uuid) if name.endswith("soon") else SessionDeleted(ids.uuid)


def _stale(what: str) -> Callable[[str, _Data, _Ids, str], Fact | None]:
    return lambda name, data, ids, me: Stale(what, ids.uuid or ids.id)


_HANDLERS: dict[str, Callable[[str, _Data, _Ids, str], Fact | None]] = {
    **dict.fromkeys(
        (
            "call_created",
            "call_updated",
            "call_answered",
            "call_ended",
            "user_missed_call",
            "call_held",
            "call_resumed",
        ),
        _call,
    ),
    **{f"recording_{what}": _recording for what in ("started", "stopped", "paused", "resumed")},
    "call_dtmf_created": _tone,
    **{
        f"transfer_{what}": _transfer
        for what in ("created", "updated", "answered", "cancelled", "completed", "abandoned", "ended")
    },
    **{f"relocate_{what}": _relocate for what in ("initiated", "answered", "completed", "ended")},
    **{f"conference_adhoc_{what}": _adhoc for what in ("created", "deleted", "participant_joined", "participant_left")},
    **{f"conference_user_participant_{what}": _room for what in ("joined", "left", "talk_started", "talk_stopped")},
    **{f"meeting_user_participant_{what}": _room for what in ("joined", "left")},
    **{f"meeting_user_guest_authorization_{what}": _admission for what in ("created", "updated", "deleted")},
    "meeting_user_progress": _stale("rooms"),
    "chatd_presence_updated": _presence,
    "chatd_user_room_created": _stale("chat_rooms"),
    "chatd_user_room_message_created": _chat,
    "users_services_dnd_updated": _dnd,
    **{f"users_forwards_{kind}_updated": _forward for kind in ("busy", "noanswer", "unconditional")},
    **{
        f"{scope}_voicemail_message_{what}": _stale("voicemail")
        for scope in ("user", "global")
        for what in ("created", "updated", "deleted")
    },
    "user_voicemail_transcription_created": _stale("voicemail"),
    "user_voicemail_transcription_deleted": _stale("voicemail"),
    "call_log_user_created": _logged,
    "favorite_added": _stale("favourites"),
    "favorite_deleted": _stale("favourites"),
    **{f"fax_outbound_user_{what}": _fax for what in ("created", "succeeded", "failed")},
    "switchboard_queued_calls_updated": _waiting,
    "switchboard_held_calls_updated": _waiting,
    "agent_status_update": _agent,
    "agent_paused": _agent,
    "agent_unpaused": _agent,
    "user_agent_queue_logged_in": _agent,
    "user_agent_queue_logged_off": _agent,
    "auth_session_expire_soon": _expiring,
    "auth_session_deleted": _expiring,
    **{
        f"application_{what}": _stale("applications")
        for what in (
            "call_entered",
            "call_initiated",
            "call_updated",
            "call_answered",
            "call_deleted",
            "node_created",
            "node_updated",
            "node_deleted",
            "playback_created",
            "playback_deleted",
        )
    },
}
