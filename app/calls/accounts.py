"""The domain of a signed-in account: registration, people, presence, messages, history, voicemail and what one can do.

An account outlives its calls. Its services differ by vendor and by what the server grants; ``AccountState.services``
says what is there now, and the window shows only that. Large collections (contacts, call log, messages) are never part
of the state: they are read page by page with a query and change by events that name what became stale.

Times are milliseconds since the epoch unless a name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.calls.model import Capability, Failure, frozen_map


class AccountPhase(StrEnum):
    SIGNED_OUT = "signed_out"
    SIGNING_IN = "signing_in"
    SIGNED_IN = "signed_in"
    EXPIRED = "expired"
    """The server no longer accepts the token and the refresh token: the person must sign in again."""
    FAILED = "failed"


class Registration(StrEnum):
    """Whether calls can reach us (RFC 3261 section 10), as it really is."""

    NONE = "none"
    """The account has no line for calls."""
    REGISTERING = "registering"
    REGISTERED = "registered"
    LOST = "lost"
    """Was registered; trying again by itself."""
    REFUSED = "refused"


class Service(StrEnum):
    """What an account can offer. Named in ``AccountState.services`` only when the server and the token allow it."""

    CALLS = "calls"
    VIDEO = "video"
    DIRECTORY = "directory"
    PERSONAL_CONTACTS = "personal_contacts"
    PRESENCE = "presence"
    CALL_LOG = "call_log"
    VOICEMAIL = "voicemail"
    CHAT = "chat"
    ROOMS = "rooms"
    MEETINGS = "meetings"
    FORWARDS = "forwards"
    SWITCHBOARD = "switchboard"
    AGENT = "agent"
    FAX = "fax"
    RECORDING = "recording"
    APPLICATIONS = "applications"
    ADMINISTRATION = "administration"
    API_REQUESTS = "api_requests"


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    label: str
    number: str
    is_webrtc: bool = True
    video: bool = False
    rooms: bool = False
    """The server sends one video per participant (SFU)."""


@dataclass(frozen=True, slots=True)
class Presence:
    """``state``: available, away, busy, unavailable or invisible. ``line``: ringing, progressing, holding, talking,
    available or unavailable."""

    user_id: str
    state: str = "unavailable"
    status: str = ""
    line: str = ""
    do_not_disturb: bool = False
    connected: bool = False
    last_activity: int | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """``kind``: unconditional, busy or noanswer."""

    kind: str
    enabled: bool = False
    destination: str = ""


@dataclass(frozen=True, slots=True)
class AgentState:
    id: str
    number: str
    logged_in: bool = False
    paused: bool = False
    paused_reason: str = ""
    queues: tuple[AgentQueue, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentQueue:
    id: str
    name: str
    logged_in: bool = False
    paused: bool = False


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    number: str
    label: str = ""
    """home, work, mobile, extension ... as the source names it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One person of a directory. ``id`` is unique within ``source``."""

    id: str
    source: str
    name: str
    numbers: tuple[PhoneNumber, ...] = ()
    email: str = ""
    user_id: str = ""
    """Id of the person's account on the same server, for presence and chat; empty when there is none."""
    favourite: bool = False
    personal: bool = False
    fields: Mapping[str, str] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class CallLogEntry:
    """``direction``: inbound, outbound, internal. ``status``: answered, missed, unanswered (by whom we
    called), blocked, voicemail."""

    id: str
    direction: str
    status: str
    started_at: int
    duration_ms: int
    name: str
    number: str
    requested: str = ""
    recordings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VoicemailMessage:
    id: str
    name: str
    number: str
    received_at: int
    duration_ms: int
    folder: str
    """new, old, urgent or other."""
    mailbox: str = ""
    transcription: str = ""


@dataclass(frozen=True, slots=True)
class ChatRoom:
    id: str
    name: str
    user_ids: tuple[str, ...]
    last_text: str = ""
    last_at: int | None = None
    unread: int = 0


@dataclass(frozen=True, slots=True)
class ChatMessage:
    id: str
    room_id: str
    sender_id: str
    sender_name: str
    text: str
    sent_at: int
    is_local: bool = False
    error: str = ""
    """One sentence when sending failed; the text stays as a draft that can be sent again."""


@dataclass(frozen=True, slots=True)
class Room:
    """A conference room or meeting that can be joined."""

    id: str
    name: str
    number: str
    kind: str = "conference"
    """conference or meeting."""
    link: str = ""
    needs_authorization: bool = False
    owned: bool = False


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call in a switchboard: ``held`` by an operator or queued."""

    id: str
    name: str
    number: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Switchboard:
    id: str
    name: str
    calls: tuple[WaitingCall, ...] = ()


@dataclass(frozen=True, slots=True)
class FaxJob:
    """``state``: sending, sent or failed. ``path`` stays until it is sent, so that it can be tried again."""

    id: str
    number: str
    path: str
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class AccountState:
    """Everything the window shows of one account without asking. Made only by the account reducer."""

    account_id: str
    vendor: str
    server: str = ""
    user: str = ""
    user_id: str = ""
    display_name: str = ""
    phase: AccountPhase = AccountPhase.SIGNED_OUT
    failure: Failure | None = None
    registration: Registration = Registration.NONE
    registration_failure: Failure | None = None
    services: frozenset[Service] = frozenset()
    lines: tuple[Line, ...] = ()
    presence: Presence = Presence("")
    forwards: tuple[Forward, ...] = ()
    known_presences: Mapping[str, Presence] = field(default_factory=frozen_map)
    """By user id: only of people who are on screen or favourites."""
    voicemail_new: int = 0
    chat_unread: int = 0
    missed_calls: int = 0
    agent: AgentState | None = None
    switchboards: tuple[Switchboard, ...] = ()
    faxes: tuple[FaxJob, ...] = ()
    capabilities: Mapping[str, Capability] = field(default_factory=frozen_map)
    """By action class name."""
    details: Mapping[str, str] = field(default_factory=frozen_map)


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class AccountPhaseChanged:
    phase: AccountPhase
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ProfileChanged:
    user_id: str
    display_name: str
    lines: tuple[Line, ...]
    services: frozenset[Service]
    details: Mapping[str, str] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    registration: Registration
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    presence: Presence


@dataclass(frozen=True, slots=True)
class ForwardsChanged:
    forwards: tuple[Forward, ...]


@dataclass(frozen=True, slots=True)
class CountsChanged:
    """``None`` leaves a count as it is."""

    voicemail_new: int | None = None
    chat_unread: int | None = None
    missed_calls: int | None = None


@dataclass(frozen=True, slots=True)
class AgentChanged:
    agent: AgentState | None


@dataclass(frozen=True, slots=True)
class SwitchboardChanged:
    switchboard: Switchboard


@dataclass(frozen=True, slots=True)
class FaxChanged:
    fax: FaxJob


@dataclass(frozen=True, slots=True)
class ChatMessageReceived:
    """Ours included; the same id again replaces it."""

    message: ChatMessage


@dataclass(frozen=True, slots=True)
class ListChanged:
    """Pages of this list that were read before are stale.

    ``what``: contacts, favourites, call_log, voicemail, chat_rooms, chat_messages, rooms, applications,
    admissions (guests who wait to be let into meeting ``id``).
    """

    what: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class AccountNotice:
    code: str
    message: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class AccountCapabilitiesChanged:
    capabilities: Mapping[str, Capability] = field(default_factory=frozen_map)


AccountEvent = (
    AccountPhaseChanged
    | ProfileChanged
    | RegistrationChanged
    | PresenceChanged
    | ForwardsChanged
    | CountsChanged
    | AgentChanged
    | SwitchboardChanged
    | FaxChanged
    | ChatMessageReceived
    | ListChanged
    | AccountNotice
    | AccountCapabilitiesChanged
)


# ---------------------------------------------------------------- queries: read one page of something large


@dataclass(frozen=True, slots=True)
class Page:
    """``items`` are values of this module, ``total`` counts those that match, ``None`` when the server does not say."""

    items: tuple[Any, ...]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class FindContacts:
    text: str = ""
    sources: tuple[str, ...] = ()
    favourites: bool = False
    personal: bool = False
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindCalls:
    text: str = ""
    direction: str = ""
    status: str = ""
    since: int | None = None
    until: int | None = None
    number: str = ""
    distinct_peers: bool = False
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindVoicemails:
    folder: str = ""
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindChatRooms:
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class FindChatMessages:
    room_id: str = ""
    text: str = ""
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class FindRooms:
    pass


@dataclass(frozen=True, slots=True)
class FindRecordings:
    call_id: str


@dataclass(frozen=True, slots=True)
class FetchAudio:
    """Sound of a voicemail or recording, as WAV bytes in ``Page.items[0]``. ``kind``: voicemail or recording."""

    kind: str
    id: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class FindAdministration:
    """``what``: users, groups, tenants, policies, applications, sources, sessions, trunks ..."""

    what: str
    text: str = ""
    parent: str = ""
    offset: int = 0
    limit: int = 50
    tenant: str = ""
    """Of another tenant that the account may see."""


Query = (
    FindContacts
    | FindCalls
    | FindVoicemails
    | FindChatRooms
    | FindChatMessages
    | FindRooms
    | FindRecordings
    | FetchAudio
    | FindAdministration
)


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class SetPresence:
    state: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class SetDoNotDisturb:
    enabled: bool


@dataclass(frozen=True, slots=True)
class SetForward:
    forward: Forward


@dataclass(frozen=True, slots=True)
class WatchPresences:
    """Whose presence is on screen now."""

    user_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetFavourite:
    contact: Contact
    favourite: bool


@dataclass(frozen=True, slots=True)
class SaveContact:
    """Add (empty id) or change a personal contact."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class DeleteContact:
    contact: Contact


@dataclass(frozen=True, slots=True)
class ImportContacts:
    """vCard (RFC 6350) or CSV text."""

    text: str
    format: str = "vcard"


@dataclass(frozen=True, slots=True)
class MoveVoicemail:
    message_id: str
    folder: str


@dataclass(frozen=True, slots=True)
class DeleteVoicemail:
    message_id: str


@dataclass(frozen=True, slots=True)
class OpenChatRoom:
    """Find or make the room with these people; the result is a :class:`ChatRoom`."""

    user_ids: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class SendChatMessage:
    room_id: str
    text: str
    message_id: str = ""
    """Id of a failed message to send again."""


@dataclass(frozen=True, slots=True)
class MarkChatRead:
    room_id: str


@dataclass(frozen=True, slots=True)
class MarkCallsSeen:
    pass


@dataclass(frozen=True, slots=True)
class AnswerWaitingCall:
    switchboard_id: str
    call_id: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class HoldWaitingCall:
    switchboard_id: str
    call_id: str


@dataclass(frozen=True, slots=True)
class SetAgent:
    """``command``: login, logout, pause, resume, join_queue, leave_queue."""

    command: str
    reason: str = ""
    queue_id: str = ""
    line_id: str = ""


@dataclass(frozen=True, slots=True)
class SendFax:
    number: str
    path: str
    """PDF file on this computer."""
    caller_id: str = ""
    fax_id: str = ""
    """Id of a failed fax to send again."""


@dataclass(frozen=True, slots=True)
class SaveMeeting:
    """Make (empty id) or change a meeting; the result is a :class:`Room`."""

    name: str
    id: str = ""
    persistent: bool = False
    require_authorization: bool = False


@dataclass(frozen=True, slots=True)
class DeleteMeeting:
    id: str


@dataclass(frozen=True, slots=True)
class ChangePassword:
    old: str = field(repr=False)
    new: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """Any request to the server's API with the account's token; the result is the decoded body."""

    method: str
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class Administer:
    """A vendor's administrative command by name with its parameters; the result is the decoded body. The parameter
    ``tenant`` does it in another tenant that the account may see."""

    command: str
    parameters: Mapping[str, Any] = field(default_factory=frozen_map)


AccountAction = (
    SetPresence
    | SetDoNotDisturb
    | SetForward
    | WatchPresences
    | SetFavourite
    | SaveContact
    | DeleteContact
    | ImportContacts
    | MoveVoicemail
    | DeleteVoicemail
    | OpenChatRoom
    | SendChatMessage
    | MarkChatRead
    | MarkCallsSeen
    | AnswerWaitingCall
    | HoldWaitingCall
    | SetAgent
    | SendFax
    | SaveMeeting
    | DeleteMeeting
    | ChangePassword
    | ApiRequest
    | Administer
)
