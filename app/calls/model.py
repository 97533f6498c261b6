"""What a call is made of. Frozen values only; :mod:`app.calls.reducer` is the one place that makes new ones.

Times are milliseconds since the epoch unless a name says otherwise. Identifiers are the vendor's own
(for Jitsi: the endpoint id, which is the MUC nickname; source names such as ``a1b2c3d4-v0``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.calls.phone import PhoneInfo


def frozen_map(items: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """A read-only copy of *items* for use as a field of a frozen dataclass."""
    return MappingProxyType(dict(items or {}))


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


class SourceContent(StrEnum):
    """What a source shows or carries; decides layout (a screen is contained, a face may be cropped)."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"


class Role(StrEnum):
    MODERATOR = "moderator"
    PARTICIPANT = "participant"
    NONE = "none"


class CallPhase(StrEnum):
    """Where a call stands.

    ``RINGING`` while our call rings at the other side, ``INCOMING`` while somebody's call rings here.
    ``CONNECTING`` until the conference is joined; ``ASKING`` while the person must give something (password,
    sign-in, display name) before joining can go on; ``JOINED``; ``RECONNECTING`` keeps the call on screen while
    signalling or media comes back; ``LEAVING``; ``ENDED`` (on purpose or by others) and ``FAILED`` are final.
    """

    IDLE = "idle"
    CONNECTING = "connecting"
    RINGING = "ringing"
    INCOMING = "incoming"
    ASKING = "asking"
    JOINED = "joined"
    RECONNECTING = "reconnecting"
    LEAVING = "leaving"
    ENDED = "ended"
    FAILED = "failed"


class Asked(StrEnum):
    """What the person is asked for while the phase is ``ASKING``."""

    ROOM_PASSWORD = "room_password"
    SIGN_IN = "sign_in"
    DISPLAY_NAME = "display_name"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work, in words a person can act on.

    ``code`` is stable and machine-readable (``password_required``, ``dns``, ``tls`` ...); ``message`` is one
    translatable sentence that says what happened and what to do; ``details`` is for the "Details" fold and the
    log: it never holds secrets. ``retryable`` decides whether a Retry button is offered.
    """

    code: str
    message: str
    details: str = ""
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class Participant:
    id: str
    name: str = ""
    role: Role = Role.NONE
    is_local: bool = False
    is_hidden: bool = False
    is_bot: bool = False
    email: str = ""
    avatar_url: str = ""
    status: str = ""
    raised_hand_at: int | None = None
    """When the hand went up (ms since the epoch); the smallest value speaks first."""
    quality: int | None = None
    """Connection quality 0..100 as the participant reports it, ``None`` while unknown."""
    connection_active: bool = True
    """False while the server says that the participant's media is interrupted."""
    audio_level: float = 0.0
    """0.0 (silence) .. 1.0 (full scale)."""
    supports_dtmf: bool = False
    features: frozenset[str] = frozenset()
    properties: Mapping[str, str] = field(default_factory=frozen_map)
    region: str = ""
    joined_at: int = 0
    speaking_ms: int = 0
    """Total time as dominant speaker, milliseconds (speaker statistics)."""
    stats: Mapping[str, Any] = field(default_factory=frozen_map)
    """Newest connection statistics that the participant reports about itself, as received."""


@dataclass(frozen=True, slots=True)
class Source:
    """One audio or video source of one participant; exists from its announcement until it is withdrawn."""

    name: str
    participant_id: str
    kind: MediaKind
    content: SourceContent
    muted: bool = True
    forwarded: bool = True
    """Video only: False while the server does not send it to us (last-N, constraints)."""
    receiving: bool = False
    """Media has arrived at least once since it was last unmuted."""
    frozen: bool = False
    """Video only: no new picture for longer than its frame rate explains."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    sender_id: str
    sender_name: str
    text: str
    sent_at: int
    is_local: bool = False
    private_to: str | None = None
    """Participant id at the other end of a private message (whoever wrote it), ``None`` for everybody."""
    reply_to: str | None = None
    delivered: bool = True
    error: str = ""
    """One sentence when sending failed; the text stays so that it can be sent again."""
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=frozen_map)
    """Emoji to the ids of those who reacted with it."""
    retracted: bool = False
    system: bool = False


@dataclass(frozen=True, slots=True)
class StartMutedPolicy:
    audio: bool = False
    video: bool = False


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What we send, as it really is (not as it was asked for)."""

    microphone_muted: bool = True
    camera_muted: bool = True
    sharing_screen: bool = False
    microphone_available: bool = True
    camera_available: bool = True
    microphone_muted_by: str | None = None
    """Participant id of the moderator who muted us, ``None`` when we did it ourselves."""
    camera_muted_by: str | None = None
    audio_level: float = 0.0
    send_max_height: int | None = None
    audio_only: bool = False


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether an action can be done now, and if not why not (shown as the control's tooltip)."""

    allowed: bool
    reason: str = ""
    present: bool = True
    """False when the vendor or server does not know the action at all: the control is absent, not disabled."""


@dataclass(frozen=True, slots=True)
class CallState:
    """Everything the window shows about one call. Made only by :func:`app.calls.reducer.reduce`."""

    call_id: str
    vendor: str = ""
    address: str = ""
    """What was typed or clicked, so that Retry and the recent list can use it again."""
    room: str = ""
    phase: CallPhase = CallPhase.IDLE
    asked: Asked | None = None
    failure: Failure | None = None
    end_reason: str = ""
    local_id: str = ""
    subject: str = ""
    meeting_id: str = ""
    started_at: int | None = None
    """When the conference began on the server (ms since the epoch)."""
    joined_at: int | None = None
    locked: bool = False
    auth_enabled: bool = False
    auth_identity: str = ""
    participants: Mapping[str, Participant] = field(default_factory=frozen_map)
    """By id, in order of arrival, the local one included."""
    sources: Mapping[str, Source] = field(default_factory=frozen_map)
    dominant_speaker: str | None = None
    previous_speakers: tuple[str, ...] = ()
    dominant_silent: bool = False
    messages: tuple[Message, ...] = ()
    unread_messages: int = 0
    start_muted_policy: StartMutedPolicy = StartMutedPolicy()
    local: LocalMedia = LocalMedia()
    capabilities: Mapping[str, Capability] = field(default_factory=frozen_map)
    """By action class name, e.g. ``"Lock"``."""
    dtmf_supported: bool = False
    local_quality: int | None = None
    stats: Mapping[str, Any] = field(default_factory=frozen_map)
    """Newest statistics, keys as in :class:`app.media.api.TransportStats`."""
    details: Mapping[str, str] = field(default_factory=frozen_map)
    """Connection details for the details view (shard, region, bridge, transport, codecs)."""
    phone: PhoneInfo | None = None
    """Set for phone calls only."""
    media_state: str = ""
    """State of the media transport, see :class:`app.calls.events.MediaStateChanged`."""
