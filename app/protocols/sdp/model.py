"""Values of offer/answer: our lines, what the far side sends, what an exchange comes to."""

from __future__ import annotations

from dataclasses import dataclass

from app.calls.model import MediaKind
from app.media.api import Codec, HeaderExtension, LocalSource, MediaDescription, TransportDescription
from app.protocols.sdp import codecs as formats
from app.protocols.sdp.description import Section

REVERSED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


def direction(send: bool, receive: bool) -> str:
    return ("sendrecv" if receive else "sendonly") if send else ("recvonly" if receive else "inactive")


def may_send(value: str) -> bool:
    return value in ("sendrecv", "sendonly")


def may_receive(value: str) -> bool:
    return value in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Line:
    """One ``m=`` line. ``wanted`` is our wish, ``current`` what both agreed (seen from us)."""

    kind: str
    mid: str
    wanted: str = "sendrecv"
    current: str = "inactive"
    ours: bool = True
    """Made by us, or the first of its kind in their offer: the one that our own source goes out on."""
    source: LocalSource | None = None
    content: str = ""
    rejected: bool = False
    stopping: bool = False
    """We want it gone: port 0 in the next description of ours."""
    codecs: tuple[Codec, ...] = ()
    """Agreed; their payload types."""
    extensions: tuple[HeaderExtension, ...] = ()
    bandwidth_kbps: int | None = None
    remote: Section | None = None
    has_mid: bool = True

    @property
    def live(self) -> bool:
        return not self.rejected


@dataclass(frozen=True, slots=True)
class RemoteTrack:
    """Something the far side sends on a line now."""

    mid: str
    kind: MediaKind
    ssrc: int
    """0 when it was not told: take whatever comes for this kind."""
    rtx_ssrc: int | None
    stream_id: str
    track_id: str
    label: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What holds after a completed (or provisional) exchange."""

    remote: TransportDescription | None
    media: tuple[MediaDescription, ...]
    tracks: tuple[RemoteTrack, ...]
    """Only where we agreed to receive."""
    sending: tuple[str, ...]
    """Mids on which we may send."""
    held_by_remote: bool = False
    """No line of theirs that we sent on before receives any more."""
    remote_restarted_ice: bool = False
    new_endpoint: bool = False
    """Another certificate than before: nothing of the old transport can go on."""
    data_channel: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What this side can and wants."""

    audio: tuple[Codec, ...] = formats.AUDIO_CODECS
    video: tuple[Codec, ...] = formats.VIDEO_CODECS
    audio_extensions: tuple[HeaderExtension, ...] = formats.AUDIO_EXTENSIONS
    video_extensions: tuple[HeaderExtension, ...] = formats.VIDEO_EXTENSIONS
    accept_video: bool = True
    """Off: every video line is rejected (audio-only)."""
    send_video: bool = True
    """Whether the first video line of their offer is one that we want to send on."""
    data_channel: bool = False
    hold_direction: str = "sendonly"
    """``sendonly`` as SIP phones do, or ``inactive``."""
    address: str = "127.0.0.1"
    """In ``o=``."""
