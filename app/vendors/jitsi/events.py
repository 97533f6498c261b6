"""What the session core asks its shell to do. The core itself does no I/O.

One frozen dataclass per request; :data:`Effect` is the closed union. Call events go out as :class:`Emit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from app.calls.events import CallEvent
from app.calls.model import CallPhase, Failure, SourceContent
from app.media.api import IceCandidate, RemoteSource, TransportConfig, TransportDescription


@dataclass(frozen=True, slots=True)
class Send:
    stanza: Element


@dataclass(frozen=True, slots=True)
class Emit:
    event: CallEvent


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Open a transport, make the senders, call ``media_opened``, do what it asks, then start towards *remote*."""

    generation: int
    config: TransportConfig
    remote: TransportDescription
    senders: tuple[tuple[str, SourceContent], ...]


@dataclass(frozen=True, slots=True)
class CloseMedia:
    generation: int


@dataclass(frozen=True, slots=True)
class RestartIce:
    """Make new ICE credentials and call ``ice_restarted`` with them, then continue towards *remote*."""

    generation: int
    remote: TransportDescription
    ice_generation: str


@dataclass(frozen=True, slots=True)
class AddCandidates:
    generation: int
    candidates: tuple[IceCandidate, ...]


@dataclass(frozen=True, slots=True)
class AddSender:
    """Make a further sender and call ``sender_added``."""

    generation: int
    name: str
    content: SourceContent


@dataclass(frozen=True, slots=True)
class RemoveSender:
    name: str


@dataclass(frozen=True, slots=True)
class MapSource:
    source: RemoteSource


@dataclass(frozen=True, slots=True)
class UnmapSource:
    name: str


@dataclass(frozen=True, slots=True)
class SetReceiving:
    """Stop or resume decoding of a remote video."""

    name: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class MuteSender:
    name: str
    muted: bool


@dataclass(frozen=True, slots=True)
class LimitSender:
    name: str
    max_height: int | None


@dataclass(frozen=True, slots=True)
class SendTones:
    name: str
    tones: str
    duration_ms: int
    gap_ms: int


@dataclass(frozen=True, slots=True)
class ReleaseInput:
    """Close the device: a moderator muted us. ``what`` is microphone, camera or screen."""

    what: str


@dataclass(frozen=True, slots=True)
class OpenBridge:
    """Connect the bridge channel: over a WebSocket, or with ``url`` ``None`` over the transport's data channel."""

    generation: int
    url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class CloseBridge:
    pass


@dataclass(frozen=True, slots=True)
class SendBridge:
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PostConference:
    """The conference request over HTTP; answer with ``conference_response``."""

    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Log in on the auth domain and ask the focus for a session there; answer with ``authenticated``."""

    user: str
    password: str = field(repr=False)
    request: Element = field(repr=False, default_factory=lambda: Element("conference"))


@dataclass(frozen=True, slots=True)
class Entered:
    """We are in the conference: joining is done."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The session is over. ``phase`` is ENDED or FAILED; the shell cleans up and emits it."""

    phase: CallPhase
    reason: str = ""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ActionDone:
    """Outcome of an action that had to wait for an answer."""

    ticket: int
    failure: Failure | None = None


Effect = (
    Send
    | Emit
    | OpenMedia
    | CloseMedia
    | RestartIce
    | AddCandidates
    | AddSender
    | RemoveSender
    | MapSource
    | UnmapSource
    | SetReceiving
    | MuteSender
    | LimitSender
    | SendTones
    | ReleaseInput
    | OpenBridge
    | CloseBridge
    | SendBridge
    | PostConference
    | Authenticate
    | Entered
    | Finish
    | ActionDone
)
