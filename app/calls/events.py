"""What can happen in a call. Sessions emit these; the reducer folds them; toasts and reports read them.

One frozen dataclass per fact, in the past tense. ``CallEvent`` is the closed union.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.calls.model import (
    Asked,
    CallPhase,
    Capability,
    Failure,
    MediaKind,
    Message,
    Participant,
    Role,
    Source,
    StartMutedPolicy,
    frozen_map,
)
from app.calls.phone import PhoneEvent


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    phase: CallPhase
    reason: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class InputAsked:
    """Joining waits for the person: a room password, a sign-in, a display name.

    ``failure`` is set when an earlier answer was refused (for example a wrong password).
    """

    what: Asked
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    local_id: str
    room: str
    joined_at: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should know now; shown as a toast. ``level`` is info, warning or error."""

    code: str
    message: str
    level: str = "info"
    participant_id: str | None = None


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """New value of a participant who is already known (name, role, hand, quality, properties ...)."""

    participant: Participant


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    participant_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ParticipantKicked:
    participant_id: str
    actor_id: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LocalKicked:
    actor_id: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RoleChanged:
    participant_id: str
    role: Role


@dataclass(frozen=True, slots=True)
class PropertyChanged:
    participant_id: str
    key: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class HandRaised:
    participant_id: str
    raised_at: int | None
    """``None`` when the hand went down."""


@dataclass(frozen=True, slots=True)
class ReactionReceived:
    participant_id: str
    reactions: tuple[str, ...]
    """Keys: like, clap, laugh, surprised, boo, silence, love."""


@dataclass(frozen=True, slots=True)
class SourceAdded:
    source: Source


@dataclass(frozen=True, slots=True)
class SourceChanged:
    source: Source


@dataclass(frozen=True, slots=True)
class SourceRemoved:
    name: str


@dataclass(frozen=True, slots=True)
class AudioLevelsChanged:
    """Participant id to level 0.0 .. 1.0; participants not named are silent. At most five times a second."""

    levels: Mapping[str, float] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class DominantSpeakerChanged:
    participant_id: str | None
    previous: tuple[str, ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True)
class ForwardedSourcesChanged:
    """Which video sources the server sends us now."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalMediaChanged:
    """The truth about what we send. ``None`` leaves a field as it is."""

    microphone_muted: bool | None = None
    camera_muted: bool | None = None
    sharing_screen: bool | None = None
    microphone_available: bool | None = None
    camera_available: bool | None = None
    muted_by: str | None = None
    """Set when a moderator muted us; applies to the medium that this event mutes."""
    audio_level: float | None = None
    audio_only: bool | None = None
    send_max_height: int | None = None


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A chat message, ours included. Same ``id`` again replaces it (delivery, retraction, reaction)."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessagesRead:
    pass


@dataclass(frozen=True, slots=True)
class SubjectChanged:
    subject: str


@dataclass(frozen=True, slots=True)
class LockChanged:
    locked: bool


@dataclass(frozen=True, slots=True)
class StartMutedPolicyChanged:
    policy: StartMutedPolicy


@dataclass(frozen=True, slots=True)
class StartedMuted:
    """We were muted on entry by the meeting's rule."""

    audio: bool
    video: bool


@dataclass(frozen=True, slots=True)
class MeetingInfoChanged:
    """Facts about the conference. ``None`` leaves a field as it is."""

    meeting_id: str | None = None
    started_at: int | None = None
    auth_enabled: bool | None = None
    auth_identity: str | None = None
    details: Mapping[str, str] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class DtmfSupportChanged:
    supported: bool


@dataclass(frozen=True, slots=True)
class EndpointMessageReceived:
    participant_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A user-defined command in a participant's presence (Jitsi ``sendCommand``)."""

    participant_id: str
    name: str
    value: str
    attributes: Mapping[str, str] = field(default_factory=frozen_map)
    children: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class SpeakerStatsChanged:
    """Participant id to total milliseconds as dominant speaker."""

    speaking_ms: Mapping[str, int] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class CapabilitiesChanged:
    capabilities: Mapping[str, Capability] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class StatsUpdated:
    """Local statistics, once a second. ``stats`` has the fields of :class:`app.media.api.TransportStats`."""

    stats: Mapping[str, Any] = field(default_factory=frozen_map)
    quality: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteStatsUpdated:
    participant_id: str
    stats: Mapping[str, Any] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class MediaStateChanged:
    """State of the media transport: new, connecting, connected, disconnected, failed, closed."""

    state: str


@dataclass(frozen=True, slots=True)
class AudioInputHint:
    """About our own microphone: ``talking_while_muted``, ``no_signal``, ``signal_back``, ``noisy``."""

    code: str
    kind: MediaKind = MediaKind.AUDIO


CallEvent = (
    PhaseChanged
    | InputAsked
    | Joined
    | Notice
    | ParticipantJoined
    | ParticipantChanged
    | ParticipantLeft
    | ParticipantKicked
    | LocalKicked
    | RoleChanged
    | PropertyChanged
    | HandRaised
    | ReactionReceived
    | SourceAdded
    | SourceChanged
    | SourceRemoved
    | AudioLevelsChanged
    | DominantSpeakerChanged
    | ForwardedSourcesChanged
    | LocalMediaChanged
    | MessageReceived
    | MessagesRead
    | SubjectChanged
    | LockChanged
    | StartMutedPolicyChanged
    | StartedMuted
    | MeetingInfoChanged
    | DtmfSupportChanged
    | EndpointMessageReceived
    | CommandReceived
    | SpeakerStatsChanged
    | CapabilitiesChanged
    | StatsUpdated
    | RemoteStatsUpdated
    | MediaStateChanged
    | AudioInputHint
    | PhoneEvent
)
