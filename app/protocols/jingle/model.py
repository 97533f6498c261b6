"""The Jingle data model: what a ``<jingle>`` element says, in both directions."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.media.api import Codec, Fingerprint, HeaderExtension, IceCandidate


@dataclass(frozen=True, slots=True)
class JingleSource:
    """One SSRC of one source (XEP-0339, or one entry of Jitsi's compact JSON form)."""

    ssrc: int
    name: str = ""
    owner: str = ""
    """Endpoint id; ``jvb`` for the bridge's own sources, empty for the sender of the stanza."""
    msid: str = ""
    video_type: str = ""
    """``camera``, ``desktop`` or empty (then camera)."""


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """``FID`` (media and its retransmission) or ``SIM`` (simulcast layers), RFC 5576."""

    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SourceSet:
    """Sources and groups of both kinds, wherever they were written."""

    audio: tuple[JingleSource, ...] = ()
    video: tuple[JingleSource, ...] = ()
    audio_groups: tuple[SourceGroup, ...] = ()
    video_groups: tuple[SourceGroup, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.audio or self.video)

    def __add__(self, other: SourceSet) -> SourceSet:
        return SourceSet(
            self.audio + other.audio,
            self.video + other.video,
            self.audio_groups + other.audio_groups,
            self.video_groups + other.video_groups,
        )


@dataclass(frozen=True, slots=True)
class RtpDescription:
    media: str
    """``audio``, ``video`` or ``application``."""
    codecs: tuple[Codec, ...] = ()
    header_extensions: tuple[HeaderExtension, ...] = ()
    sources: tuple[JingleSource, ...] = ()
    groups: tuple[SourceGroup, ...] = ()
    rtcp_mux: bool = True
    extmap_allow_mixed: bool = False


@dataclass(frozen=True, slots=True)
class IceTransport:
    """ICE-UDP transport with DTLS, SCTP map and Jitsi's bridge WebSocket."""

    ufrag: str = ""
    pwd: str = field(default="", repr=False)
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: str = ""
    candidates: tuple[IceCandidate, ...] = ()
    web_sockets: tuple[str, ...] = field(default=(), repr=False)
    rtcp_mux: bool = True
    sctp_port: int | None = None
    sctp_streams: int = 0
    ice_generation: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    name: str
    creator: str = "initiator"
    senders: str = "both"
    description: RtpDescription | None = None
    transport: IceTransport | None = None
    initial_last_n: int | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    condition: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class BridgeSession:
    id: str
    region: str = ""
    restart: bool | None = None
    ice_restart: bool | None = None


@dataclass(frozen=True, slots=True)
class Jingle:
    action: str
    sid: str
    initiator: str = ""
    responder: str = ""
    contents: tuple[Content, ...] = ()
    bundle: tuple[str, ...] = ()
    """Content names of the BUNDLE group (XEP-0338)."""
    reason: Reason | None = None
    bridge_session: BridgeSession | None = None
    start_muted: tuple[bool, bool] | None = None
    """(audio, video) of Jitsi's start-muted element."""
    json_sources: SourceSet = SourceSet()
    """Sources of Jitsi's compact form; see :meth:`all_sources`."""
    ice_state: str = ""

    def content(self, media: str) -> Content | None:
        """The first content whose description is for *media*."""
        return next((c for c in self.contents if c.description is not None and c.description.media == media), None)

    @property
    def transport(self) -> IceTransport | None:
        """The bundled transport: contents repeat it; SCTP port and WebSockets may be in any of them."""
        transports = [c.transport for c in self.contents if c.transport is not None]
        if not transports:
            return None
        first = next((t for t in transports if t.ufrag), transports[0])
        sctp = next((t for t in transports if t.sctp_port is not None), first)
        sockets = tuple(dict.fromkeys(url for t in transports for url in t.web_sockets))
        return IceTransport(
            first.ufrag,
            first.pwd,
            first.fingerprints,
            first.setup,
            first.candidates,
            sockets,
            first.rtcp_mux,
            sctp.sctp_port,
            sctp.sctp_streams,
            first.ice_generation,
        )

    @property
    def all_sources(self) -> SourceSet:
        """XML and JSON sources together."""
        audio = [c.description for c in self.contents if c.description is not None and c.description.media == "audio"]
        video = [c.description for c in self.contents if c.description is not None and c.description.media == "video"]
        xml = SourceSet(
            tuple(s for d in audio for s in d.sources),
            tuple(s for d in video for s in d.sources),
            tuple(g for d in audio for g in d.groups),
            tuple(g for d in video for g in d.groups),
        )
        return xml + self.json_sources
