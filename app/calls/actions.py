"""What a person can do in a call: a small, closed set. The controller carries them; a session performs them.

An action is a request, not a fact: the matching event says what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.calls.model import MediaKind, frozen_map
from app.calls.phone import PhoneAction


@dataclass(frozen=True, slots=True)
class SetMicrophone:
    muted: bool


@dataclass(frozen=True, slots=True)
class SetCamera:
    muted: bool


@dataclass(frozen=True, slots=True)
class ShareScreen:
    """Start, change (while sharing) or stop (``None``) sharing.

    ``source`` is an id from :func:`app.media.screen.list_screens` (``screen:0``, ``window:<n>``), a camera id
    (``camera:<id>``: a capture card as a screen) or ``test`` for the moving test card. ``optimise_for`` is
    ``text`` (sharp, few frames) or ``motion``.
    """

    source: str | None
    optimise_for: str = "text"


@dataclass(frozen=True, slots=True)
class SelectDevices:
    """Change devices while the call runs; ``None`` leaves one as it is, ``""`` follows the system's default."""

    microphone: str | None = None
    speaker: str | None = None
    camera: str | None = None


@dataclass(frozen=True, slots=True)
class SetParticipantVolume:
    """Local playout volume of one participant, 0.0 (muted for me) .. 2.0."""

    participant_id: str
    volume: float


@dataclass(frozen=True, slots=True)
class SendMessage:
    text: str
    to: str | None = None
    reply_to: str | None = None
    message_id: str | None = None
    """Id of a failed message to send again."""


@dataclass(frozen=True, slots=True)
class ReactToMessage:
    message_id: str
    emoji: str


@dataclass(frozen=True, slots=True)
class RetractMessage:
    """Take back a message of ours."""

    message_id: str


@dataclass(frozen=True, slots=True)
class MarkMessagesRead:
    pass


@dataclass(frozen=True, slots=True)
class RaiseHand:
    raised: bool


@dataclass(frozen=True, slots=True)
class LowerHand:
    """Moderator: ask somebody to lower the hand."""

    participant_id: str


@dataclass(frozen=True, slots=True)
class SendReaction:
    key: str


@dataclass(frozen=True, slots=True)
class SetDisplayName:
    name: str


@dataclass(frozen=True, slots=True)
class SetSubject:
    subject: str


@dataclass(frozen=True, slots=True)
class Lock:
    """Set the room password; ``None`` removes it."""

    password: str | None

    def __repr__(self) -> str:
        return f"Lock(password={'***' if self.password else None})"


@dataclass(frozen=True, slots=True)
class Kick:
    participant_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GrantModerator:
    participant_id: str


@dataclass(frozen=True, slots=True)
class RevokeModerator:
    participant_id: str


@dataclass(frozen=True, slots=True)
class MuteParticipant:
    """Moderator: mute somebody's microphone, camera or screen. Nobody can be unmuted by others."""

    participant_id: str
    kind: MediaKind
    screen: bool = False


@dataclass(frozen=True, slots=True)
class MuteEveryone:
    kind: MediaKind
    except_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetStartMutedPolicy:
    audio: bool
    video: bool


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """``tones`` is made of 0-9 A-D * # and comma (pause); durations in milliseconds (RFC 4733)."""

    tones: str
    duration_ms: int = 200
    gap_ms: int = 100


@dataclass(frozen=True, slots=True)
class VisibleSource:
    name: str
    height: int
    """Height in device pixels at which it is shown."""
    on_stage: bool = False


@dataclass(frozen=True, slots=True)
class SetVisibleSources:
    """What is really on screen now; decides what the server sends. Empty when the window is hidden."""

    sources: tuple[VisibleSource, ...] = ()


@dataclass(frozen=True, slots=True)
class SetReceiveLimit:
    """Upper bounds for what we receive. ``None`` means no bound; ``last_n`` 0 receives no video."""

    max_height: int | None = None
    last_n: int | None = None


@dataclass(frozen=True, slots=True)
class SetSendLimit:
    max_height: int | None


@dataclass(frozen=True, slots=True)
class SetAudioOnly:
    enabled: bool


@dataclass(frozen=True, slots=True)
class SetProperty:
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Jitsi ``sendCommand``/``sendCommandOnce``: repeated in every presence, or once."""

    name: str
    value: str = ""
    attributes: Mapping[str, str] = field(default_factory=frozen_map)
    children: tuple[Mapping[str, Any], ...] = ()
    once: bool = False


@dataclass(frozen=True, slots=True)
class RemoveCommand:
    name: str


@dataclass(frozen=True, slots=True)
class SendEndpointMessage:
    """``to`` is a participant id, or ``""`` for everybody."""

    payload: Mapping[str, Any]
    to: str = ""


@dataclass(frozen=True, slots=True)
class SendEndpointStats:
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SetFeature:
    """Announce or withdraw an "external" feature of ours (Jitsi ``addFeature``/``removeFeature``)."""

    feature: str
    enabled: bool
    submit: bool = True


@dataclass(frozen=True, slots=True)
class SendFeedback:
    """Rating of the meeting, 1..5, kept in the local log (no server takes it any more)."""

    overall: int
    details: str = ""


@dataclass(frozen=True, slots=True)
class SubmitPassword:
    """Answer to ``InputAsked(ROOM_PASSWORD)``."""

    password: str

    def __repr__(self) -> str:
        return "SubmitPassword(password=***)"


@dataclass(frozen=True, slots=True)
class SignIn:
    """Answer to ``InputAsked(SIGN_IN)``."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"SignIn(user={self.user!r}, password=***)"


@dataclass(frozen=True, slots=True)
class SubmitDisplayName:
    """Answer to ``InputAsked(DISPLAY_NAME)``."""

    name: str


@dataclass(frozen=True, slots=True)
class Leave:
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndForAll:
    pass


Action = (
    SetMicrophone
    | SetCamera
    | ShareScreen
    | SelectDevices
    | SetParticipantVolume
    | SendMessage
    | ReactToMessage
    | RetractMessage
    | MarkMessagesRead
    | RaiseHand
    | LowerHand
    | SendReaction
    | SetDisplayName
    | SetSubject
    | Lock
    | Kick
    | GrantModerator
    | RevokeModerator
    | MuteParticipant
    | MuteEveryone
    | SetStartMutedPolicy
    | SendDtmf
    | SetVisibleSources
    | SetReceiveLimit
    | SetSendLimit
    | SetAudioOnly
    | SetProperty
    | SendCommand
    | RemoveCommand
    | SendEndpointMessage
    | SendEndpointStats
    | SetFeature
    | SendFeedback
    | SubmitPassword
    | SignIn
    | SubmitDisplayName
    | Leave
    | EndForAll
    | PhoneAction
)
