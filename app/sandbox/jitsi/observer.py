"""Ground truth for tests: what server and bridge know of each participant, and an in-process participant that measures
the media it gets (picture stamps, tones, rates)."""

from __future__ import annotations

import json
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from app.calls.model import MediaKind
from app.media import rtp
from app.media.api import HeaderExtension
from app.media.stamp import Stamp
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, el, find, name_of
from app.sandbox.jitsi.bridge import Bridge
from app.sandbox.jitsi.channel import build
from app.sandbox.jitsi.conference import Conference, Member
from app.sandbox.jitsi.endpoint import Endpoint
from app.sandbox.jitsi.offer import AUDIO_LEVEL_ID, AUDIO_LEVEL_URI, H264_PT
from app.sandbox.jitsi.sessions import LocalSession
from app.sandbox.jitsi.stanza import attr, error_reply, resource, result_reply

if TYPE_CHECKING:
    from app.sandbox.jitsi.server import JitsiSandbox

_IDS = rtp.ExtensionIds((HeaderExtension(AUDIO_LEVEL_ID, AUDIO_LEVEL_URI),))
KEPT_STAMPS = 600
KEPT_SOUND_S = 2.0
RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class LayerTruth:
    ssrc: int
    rtx_ssrc: int | None
    payload_type: int
    packets: int
    octets: int
    keyframes: int
    bps: float


@dataclass(frozen=True, slots=True)
class SourceTruth:
    """One source as the bridge sees it arrive."""

    name: str
    kind: str
    video_type: str
    level_dbov: int | None
    layers: tuple[LayerTruth, ...]
    max_height_sent: int | None
    """Newest SenderSourceConstraints for it."""

    @property
    def packets(self) -> int:
        return sum(layer.packets for layer in self.layers)


@dataclass(frozen=True, slots=True)
class ParticipantTruth:
    """Everything the sandbox knows of one participant at one moment."""

    id: str
    name: str
    real_jid: str
    role: str
    affiliation: str
    is_bot: bool
    presence: dict[str, str]
    """Texts of plain presence children by element name, e.g. ``jitsi_participant_raisedHand``."""
    source_info: dict[str, dict[str, Any]]
    features: frozenset[str]
    forced_mute: frozenset[str]
    session_state: str
    """``none``, ``pending`` or ``active``."""
    sessions_started: int
    jingle_log: tuple[tuple[str, str], ...]
    transport_state: str
    channel: str
    """``sctp``, ``websocket``, ``local`` or empty."""
    sources: dict[str, SourceTruth] = field(default_factory=dict)
    constraints: dict[str, Any] = field(default_factory=dict)
    """Its newest ReceiverVideoConstraints, merged: lastN, defaultHeight, heights, onStage, selected."""
    forwarded: tuple[str, ...] = ()
    channel_messages: tuple[dict[str, Any], ...] = ()
    dropped_messages: tuple[str, ...] = ()

    def muted(self, kind: str) -> bool:
        """Whether all its sources of *kind* say muted in presence."""
        prefix = f"{self.id}-{'a' if kind == 'audio' else 'v'}"
        infos = [info for name, info in self.source_info.items() if name.startswith(prefix)]
        return all(info.get("muted", False) for info in infos)


def participant_truth(conference: Conference, member: Member, bridge: Bridge) -> ParticipantTruth:
    occupant = member.occupant
    texts = {child.tag.partition("}")[2]: child.text or "" for child in occupant.presence}
    try:
        info = json.loads(texts.get("SourceInfo", "{}"))
    except ValueError:
        info = {}
    endpoint = bridge.endpoint(conference.id, member.nick)
    return ParticipantTruth(
        id=member.nick,
        name=texts.get("nick", ""),
        real_jid=occupant.session.jid,
        role=occupant.role,
        affiliation=occupant.affiliation,
        is_bot=member.local,
        presence=texts,
        source_info=info if isinstance(info, dict) else {},
        features=member.raw_features,
        forced_mute=frozenset(member.forced_mute),
        session_state=member.session.state if member.session is not None else "none",
        sessions_started=member.sessions_started,
        jingle_log=tuple(member.jingle_log),
        transport_state=endpoint.transport.state if endpoint is not None and endpoint.transport else "",
        channel=endpoint.channel.kind if endpoint is not None and endpoint.channel is not None else "",
        **_bridge_truth(endpoint),
    )


def _bridge_truth(endpoint: Endpoint | None) -> dict[str, Any]:
    if endpoint is None:
        return {}
    now = time.monotonic()
    sources = {}
    for name, source in endpoint.sources.items():
        layers = tuple(
            LayerTruth(x.ssrc, x.rtx_ssrc, x.payload_type, x.packets, x.octets, x.keyframes, x.meter.bps(now * 1000))
            for x in source.layers
        )
        kind = source.kind.value
        sources[name] = SourceTruth(name, kind, source.video_type, source.level_dbov, layers, source.max_height_sent)
    wishes = endpoint.wishes
    constraints: dict[str, Any] = {}
    if wishes.heard:
        constraints = {
            "lastN": wishes.last_n,
            "defaultHeight": wishes.default_height,
            "heights": dict(wishes.heights),
            "onStage": list(wishes.on_stage),
            "selected": list(wishes.selected),
        }
    return {
        "sources": sources,
        "constraints": constraints,
        "forwarded": tuple(endpoint.forwarded or ()),
        "channel_messages": tuple(endpoint.messages),
        "dropped_messages": tuple(endpoint.bad_messages),
    }


@dataclass(slots=True)
class VideoSeen:
    """Pictures of one source as the observer decoded them."""

    frames: int = 0
    width: int = 0
    height: int = 0
    broken: int = 0
    stamps: deque[tuple[float, Stamp]] = field(default_factory=lambda: deque(maxlen=KEPT_STAMPS))
    """(arrival in ms since the epoch, stamp)."""
    times: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_STAMPS))
    codec: str = ""

    @property
    def fps(self) -> float:
        """Mean over the last two seconds."""
        now = time.monotonic()
        return sum(1 for at in self.times if now - at < RATE_WINDOW_S) / RATE_WINDOW_S

    @property
    def stamp(self) -> Stamp | None:
        return self.stamps[-1][1] if self.stamps else None


@dataclass(slots=True)
class AudioSeen:
    """Sound of one source as the observer decoded it."""

    packets: int = 0
    level_dbov: int | None = None
    events: list[int] = field(default_factory=list)
    """RFC 4733 events (DTMF digits) in order, one entry per tone."""
    _blocks: deque[Any] = field(default_factory=lambda: deque(maxlen=int(KEPT_SOUND_S * 50)))

    def samples(self) -> Any:
        """The last two seconds, int16 mono at 48 kHz."""
        import numpy as np

        return np.concatenate(list(self._blocks)) if self._blocks else np.zeros(0, np.int16)

    def tone_power(self, hz: float) -> float:
        """Amplitude (0..32767) of one frequency in the last two seconds."""
        from app.media.tones import power_at

        samples = self.samples()
        return power_at(samples, hz) if len(samples) else 0.0


class _ObserverChannel:
    kind = "local"

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def send(self, text: str) -> None:
        self._observer.bridge_message(json.loads(text))

    def close(self) -> None:
        """Nothing to do."""


class Observer:
    """See the module's words. Made by :meth:`JitsiSandbox.observe`."""

    def __init__(self, sandbox: JitsiSandbox, conference: Conference, name: str) -> None:
        self._sandbox, self.conference, self.name = sandbox, conference, name
        self.nick = secrets.token_hex(4)
        self.session = LocalSession(f"{secrets.token_hex(8)}@{sandbox.options.domain}/observer", self._on_stanza)
        self.video: dict[str, VideoSeen] = {}
        self.audio: dict[str, AudioSeen] = {}
        self.chat: list[tuple[str, str, bool]] = []
        """(sender, text, private)."""
        self.presences: dict[str, dict[str, str]] = {}
        self.left: list[str] = []
        self.subject = ""
        self.messages: list[dict[str, Any]] = []
        """Messages of the bridge channel."""
        self._mapped: dict[int, str] = {}
        self._video_decoders: dict[int, tuple[Any, bytearray]] = {}
        self._audio_decoders: dict[int, Any] = {}
        self._event_at: dict[int, int] = {}
        self.decode_video = True

    @classmethod
    async def enter(cls, sandbox: JitsiSandbox, room_jid: str, name: str) -> Observer:
        conference = sandbox.focus.ensure(room_jid, {})
        observer = cls(sandbox, conference, name)
        sandbox.router.register(observer.session)
        password = conference.room.password
        join = el("x", ns.MUC, None, el("password", ns.MUC, text=password) if password else None)
        observer.send_presence(join)
        endpoint = sandbox.bridge.add_local(conference.id, observer.nick, observer._on_rtp, None)
        sandbox.bridge.conference(conference.id).channel_opened(endpoint, _ObserverChannel(observer))
        observer.want(720)
        return observer

    def leave(self) -> None:
        to = f"{self.conference.room.jid}/{self.nick}"
        self._sandbox.router.route(self.session, el("presence", ns.CLIENT, {"type": "unavailable", "to": to}))
        self.session.end()

    # ------------------------------------------------------------------ doing

    def send_presence(self, *extra: Element) -> None:
        stanza = el("presence", ns.CLIENT, {"to": f"{self.conference.room.jid}/{self.nick}"}, *extra)
        stanza.append(el("nick", ns.NICK, text=self.name))
        self._sandbox.router.route(self.session, stanza)

    def say(self, text: str, to: str = "") -> None:
        room = self.conference.room.jid
        attributes = {"type": "chat" if to else "groupchat", "to": f"{room}/{to}" if to else room}
        stanza = el("message", ns.CLIENT, {**attributes, "id": secrets.token_hex(8)})
        stanza.append(el("body", ns.CLIENT, text=text))
        self._sandbox.router.route(self.session, stanza)

    def want(self, height: int, last_n: int = -1, **heights: int) -> None:
        """Ask for all video up to *height*; *heights* are exceptions by source name (hyphens as underscores)."""
        exceptions = {name.replace("_", "-"): {"maxHeight": value} for name, value in heights.items()}
        text = build(
            "ReceiverVideoConstraints", lastN=last_n, defaultConstraints={"maxHeight": height}, constraints=exceptions
        )
        self._channel_message(text)

    def send_endpoint_message(self, to: str, payload: object) -> None:
        self._channel_message(build("EndpointMessage", to=to, msgPayload=payload))

    def _channel_message(self, text: str) -> None:
        owner = self._sandbox.bridge.conference(self.conference.id)
        endpoint = owner.endpoints.get(self.nick)
        if endpoint is not None:
            owner.message(endpoint, text)

    # ------------------------------------------------------------------ seeing

    def _on_stanza(self, stanza: Element) -> None:
        kind, sender = attr(stanza, "type"), resource(attr(stanza, "from"))
        name = name_of(stanza)
        if name == "presence":
            if kind == "unavailable":
                self.presences.pop(sender, None)
                self.left.append(sender)
            elif not kind:
                self.presences[sender] = {child.tag.partition("}")[2]: child.text or "" for child in stanza}
        elif name == "message":
            text, subject = child_text(stanza, "body"), find(stanza, "subject")
            if text is not None:
                self.chat.append((sender, text, kind == "chat"))
            elif subject is not None:
                self.subject = subject.text or ""
        elif kind in ("get", "set"):
            known = find(stanza, "ping", ns.PING) is not None or find(stanza, "query", ns.DISCO_INFO) is not None
            reply = result_reply(stanza) if known else error_reply(stanza, "cancel", "service-unavailable")
            self._sandbox.router.route(self.session, reply)

    def bridge_message(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        del self.messages[:-1000]
        if message.get("colibriClass") in ("AudioSourcesMap", "VideoSourcesMap"):
            for entry in message["mappedSources"]:
                self._mapped[entry["ssrc"]] = entry["source"]
                self._video_decoders.pop(entry["ssrc"], None)
                self._audio_decoders.pop(entry["ssrc"], None)

    def _on_rtp(self, data: bytes) -> None:
        packet = rtp.parse(data, _IDS)
        name = self._mapped.get(packet.ssrc) if packet is not None else None
        source = self._sandbox.bridge.conference(self.conference.id).source(name) if name is not None else None
        if packet is None or name is None or source is None or not packet.payload:
            return
        if source.kind is MediaKind.AUDIO:
            self._hear(name, packet)
        else:
            self._see(name, packet)

    def _hear(self, name: str, packet: rtp.ReceivedPacket) -> None:
        from app.media.opus import make_decoder
        from app.sandbox.jitsi.offer import DTMF_PT

        seen = self.audio.setdefault(name, AudioSeen())
        seen.packets += 1
        seen.level_dbov = packet.audio_level
        if packet.payload_type == DTMF_PT:
            if self._event_at.get(packet.ssrc) != packet.timestamp:
                self._event_at[packet.ssrc] = packet.timestamp
                seen.events.append(packet.payload[0])
            return
        decoder = self._audio_decoders.get(packet.ssrc)
        if decoder is None:
            decoder = self._audio_decoders[packet.ssrc] = make_decoder()
        seen._blocks.append(decoder.decode(packet.payload))

    def _see(self, name: str, packet: rtp.ReceivedPacket) -> None:
        from app.media.stamp import read
        from app.media.video_codec import DecodeError, PayloadError, VideoDecoder, depayload

        seen = self.video.setdefault(name, VideoSeen())
        codec = "H264" if packet.payload_type == H264_PT else "VP8"
        seen.codec = codec
        entry = self._video_decoders.get(packet.ssrc)
        if entry is None:
            entry = self._video_decoders[packet.ssrc] = (VideoDecoder(codec), bytearray())
        decoder, pieces = entry
        try:
            part = depayload(codec, packet.payload)
        except PayloadError:
            seen.broken += 1
            return
        if part.opens and codec == "VP8":
            pieces.clear()
        pieces += part.data
        if not packet.marker:
            return
        frame_data = bytes(pieces)
        pieces.clear()
        seen.frames += 1
        seen.times.append(time.monotonic())
        if not self.decode_video:
            return
        try:
            frame = decoder.decode(frame_data)
        except DecodeError:
            seen.broken += 1
            return
        if frame is not None:
            seen.width, seen.height = frame.width, frame.height
            stamp = read(frame)
            if stamp is not None:
                seen.stamps.append((time.time() * 1000, stamp))
