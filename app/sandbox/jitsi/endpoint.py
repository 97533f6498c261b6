"""One endpoint on the bridge: the sources it sends, and what of the others' sources goes to it."""

from __future__ import annotations

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.calls.model import MediaKind
from app.media import rtcp
from app.media.congestion import RateMeter
from app.media.errors import InvalidState
from app.media.rtp import ReceivedPacket
from app.media.transport import BundledTransport
from app.sandbox.jitsi import channel as colibri
from app.sandbox.jitsi.allocation import Allocation, Candidate, Downlink, LayerInfo, ReceiverWishes
from app.sandbox.jitsi.offer import MemberFeatures
from app.sandbox.jitsi.rewriting import OutputStream, starts_keyframe

log = logging.getLogger(__name__)

SLOTS = 50
"""Rewritten SSRCs per kind and receiver."""
LAYER_ACTIVE_S = 2.0
"""A layer without packets for this long is not offered to anybody."""
SILENT_PACKETS = 3
"""Packets of digital silence that are still forwarded."""
SILENCE_DBOV = -127
ASSUMED_BPS = {180: 150_000.0, 360: 450_000.0, 720: 1_300_000.0}


@dataclass(slots=True)
class Layer:
    """One SSRC of a source and its retransmission."""

    ssrc: int
    rtx_ssrc: int | None
    height: int
    meter: RateMeter = field(default_factory=RateMeter)
    packets: int = 0
    octets: int = 0
    keyframes: int = 0
    payload_type: int = -1
    last_at: float = -1e9
    report: tuple[int, float] | None = None
    """RTP timestamp of the sender's newest report and when it came (monotonic seconds)."""

    def bps(self, now: float) -> float:
        measured = self.meter.bps(now * 1000)
        return measured or ASSUMED_BPS.get(self.height, 500_000.0)


@dataclass(slots=True)
class MediaSource:
    name: str
    owner: str
    kind: MediaKind
    video_type: str
    layers: list[Layer]
    live: bool | None = None
    """Whether packets can be had, for sources inside this process; ``None``: seen from the packets."""
    silent: int = 0
    level_dbov: int | None = None
    max_height_sent: int | None = None
    """Newest SenderSourceConstraints told to the owner."""

    def active_layers(self, now: float) -> list[Layer]:
        if self.live is not None:
            return self.layers if self.live else []
        return [layer for layer in self.layers if now - layer.last_at < LAYER_ACTIVE_S]


class Channel(Protocol):
    kind: str

    def send(self, text: str) -> None: ...

    def close(self) -> None: ...


class ConferencePort(Protocol):
    """What an endpoint asks of its conference."""

    def request_keyframe(self, source: MediaSource, ssrc: int) -> None: ...

    def source(self, name: str) -> MediaSource | None: ...


class Endpoint:
    """See the module's words. *transport* for participants with a connection, *deliver* for those in this process
    (it gets complete RTP packets)."""

    def __init__(
        self,
        endpoint_id: str,
        conference: ConferencePort,
        features: MemberFeatures,
        transport: BundledTransport | None = None,
        deliver: Callable[[bytes], None] | None = None,
        on_keyframe: Callable[[int], None] | None = None,
    ) -> None:
        self.id, self.features = endpoint_id, features
        self.transport, self._deliver, self._on_keyframe = transport, deliver, on_keyframe
        self._conference = conference
        self.session_id = secrets.token_hex(8)
        self.password = secrets.token_urlsafe(12)
        self.sources: dict[str, MediaSource] = {}
        self.by_ssrc: dict[int, tuple[MediaSource, Layer]] = {}
        self.forced: set[MediaKind] = set()
        self.wishes = ReceiverWishes()
        self.downlink = Downlink(trusted=features.rtx)
        self.allocation = Allocation({}, {})
        self.outputs: dict[str, OutputStream] = {}
        self._slots: dict[MediaKind, list[OutputStream]] = {MediaKind.AUDIO: [], MediaKind.VIDEO: []}
        self.channel: Channel | None = None
        self.forwarded: list[str] | None = None
        self.active = True
        self.connected_at = time.monotonic()
        self.audio_all = True
        self.audio_include: set[str] = set()
        self.audio_exclude: set[str] = set()
        self.bad_messages: deque[str] = deque(maxlen=50)
        """Why channel messages of this endpoint were dropped."""
        self.messages: deque[dict[str, Any]] = deque(maxlen=200)
        """Channel messages of this endpoint that were accepted, raw."""
        self.video_types: dict[str, str] = {}
        self.sent_meter = RateMeter()
        self.cname = secrets.token_hex(8)

    @property
    def takes_media(self) -> bool:
        """False for synthetic participants: they ask for video, so that people's cameras run, but watch nothing."""
        return self.transport is not None or self._deliver is not None

    # ------------------------------------------------------------------ what it sends

    def set_sources(self, sources: Iterable[MediaSource]) -> None:
        """Replace the set of sources; layers that stay keep their state."""
        known = {ssrc: layer for ssrc, (_, layer) in self.by_ssrc.items()}
        self.sources.clear()
        self.by_ssrc.clear()
        for source in sources:
            source.layers = [known.get(layer.ssrc, layer) for layer in source.layers]
            self.sources[source.name] = source
            for layer in source.layers:
                self.by_ssrc[layer.ssrc] = (source, layer)
                if layer.rtx_ssrc is not None and self.transport is not None:
                    self.transport.session.map_rtx(layer.rtx_ssrc, layer.ssrc)
        gone = set(known) - set(self.by_ssrc)
        if self.transport is not None:
            for ssrc in gone:
                self.transport.session.forget(ssrc)

    def request_keyframe(self, ssrc: int) -> None:
        if self.transport is not None:
            self.transport.session.request_keyframe(ssrc)
        elif self._on_keyframe is not None:
            self._on_keyframe(ssrc)

    # ------------------------------------------------------------------ channel

    def tell(self, name: str, **fields: Any) -> None:
        """Send one bridge message, if there is a channel."""
        if self.channel is not None:
            try:
                self.channel.send(colibri.build(name, **fields))
            except (InvalidState, ConnectionError):
                log.info("bridge channel of %s takes no messages", self.id)

    # ------------------------------------------------------------------ what it gets

    def _slot(self, source: MediaSource, now: float) -> OutputStream | None:
        """The outgoing stream of a source; a new one is announced first."""
        output = self.outputs.get(source.name)
        if output is not None:
            return output
        clock = 48000 if source.kind is MediaKind.AUDIO else 90000
        if not self.features.rewriting:
            first = source.layers[0]
            output = OutputStream(first.ssrc, first.rtx_ssrc if self.features.rtx else None, clock)
            self._register(output, source.kind)
        else:
            slots = self._slots[source.kind]
            output = next((slot for slot in slots if not slot.source), None)
            if output is None and len(slots) < SLOTS:
                rtx = source.kind is MediaKind.VIDEO and self.features.rtx
                output = OutputStream(secrets.randbits(31) + 1, secrets.randbits(31) + 1 if rtx else None, clock)
                slots.append(output)
                self._register(output, source.kind)
            elif output is None:
                idle = [slot for slot in slots if slot.source not in self.allocation.layers]
                output = min(idle, key=lambda slot: slot.used_at, default=None)
                if output is None:
                    return None
                del self.outputs[output.source]
        output.source = source.name
        output.stop()
        self.outputs[source.name] = output
        if self.features.rewriting:
            self._announce([source])
        return output

    def _register(self, output: OutputStream, kind: MediaKind) -> None:
        if self.transport is not None:
            self.transport.session.add_stream(output.ssrc, kind, rtx_ssrc=output.rtx_ssrc, reports=False)

    def _announce(self, sources: list[MediaSource]) -> None:
        for kind, name in ((MediaKind.AUDIO, "AudioSourcesMap"), (MediaKind.VIDEO, "VideoSourcesMap")):
            entries: list[dict[str, Any]] = []
            for source in sources:
                output = self.outputs.get(source.name)
                if source.kind is not kind or output is None:
                    continue
                entry: dict[str, Any] = {"source": source.name, "owner": source.owner, "ssrc": output.ssrc}
                if kind is MediaKind.VIDEO:
                    entry |= {"rtx": output.rtx_ssrc or 0, "videoType": source.video_type.upper()}
                entries.append(entry)
            if entries:
                self.tell(name, mappedSources=entries)

    def announce_all(self) -> None:
        """The full maps, as sent when a channel connects."""
        known = (self._conference.source(name) for name in self.outputs)
        if self.features.rewriting:
            self._announce([source for source in known if source is not None])

    def forget_source(self, name: str) -> None:
        """A source of somebody else is gone."""
        output = self.outputs.pop(name, None)
        if output is None:
            return
        output.stop()
        output.source = ""
        if not self.features.rewriting and self.transport is not None:
            self.transport.session.remove_stream(output.ssrc)

    def wants_audio(self, name: str) -> bool:
        if name in self.audio_exclude:
            return False
        return self.audio_all or name in self.audio_include

    def take_audio(self, source: MediaSource, packet: ReceivedPacket, now: float) -> None:
        if self.takes_media and self.features.audio and self.wants_audio(source.name):
            output = self._slot(source, now)
            if output is not None:
                self._forward(output, packet, now)

    def take_video(self, source: MediaSource, layer: Layer, packet: ReceivedPacket, now: float) -> None:
        target = self.allocation.layers.get(source.name)
        if target is None or not self.takes_media:
            return
        output = self._slot(source, now)
        if output is None:
            return
        if layer.ssrc != output.layer_ssrc:
            if layer.ssrc != target:
                return
            if not starts_keyframe(packet.payload_type, packet.payload):
                self._conference.request_keyframe(source, target)
                return
        self._forward(output, packet, now)

    def _forward(self, output: OutputStream, packet: ReceivedPacket, now: float) -> None:
        data = output.rewrite(packet, now)
        if data is None:
            return
        if output.clock_rate == 90000:
            self.sent_meter.add(len(data), now * 1000)
        if self._deliver is not None:
            self._deliver(data)
        elif self.transport is not None:
            session = self.transport.session
            stream = session.streams.get(output.ssrc)
            if stream is not None:
                session.send_raw(data, stream)

    def keyframe_wanted(self, out_ssrc: int) -> None:
        """The receiver asks for a keyframe on one of its SSRCs."""
        for output in self.outputs.values():
            if output.ssrc == out_ssrc:
                source = self._conference.source(output.source)
                target = self.allocation.layers.get(output.source)
                if source is not None and target is not None:
                    self._conference.request_keyframe(source, target)

    def apply(self, allocation: Allocation) -> None:
        """Use a new allocation: stop what is no longer in it, ask for keyframes of what is new."""
        self.allocation = allocation
        for name, output in self.outputs.items():
            if output.clock_rate == 90000 and name not in allocation.layers:
                output.stop()
        for name, ssrc in allocation.layers.items():
            current = self.outputs.get(name)
            if self.takes_media and (current is None or current.layer_ssrc != ssrc):
                source = self._conference.source(name)
                if source is not None:
                    self._conference.request_keyframe(source, ssrc)
        forwarded = list(allocation.layers)
        if self.forwarded is None or set(self.forwarded) != set(forwarded):
            self.forwarded = forwarded
            self.tell("ForwardedSources", forwardedSources=forwarded)

    # ------------------------------------------------------------------ reports

    def send_reports(self, now: float) -> None:
        """Sender reports of every active outgoing stream, on the sender's clock, so that lips stay in sync."""
        if self.transport is None:
            return
        ntp = rtcp.ntp_time()
        compound = b""
        for output in self.outputs.values():
            if not output.layer_ssrc or now - output.used_at > LAYER_ACTIVE_S:
                continue
            source = self._conference.source(output.source)
            layer = next((x for x in source.layers if x.ssrc == output.layer_ssrc), None) if source else None
            if layer is None or layer.report is None:
                continue
            sender_now = layer.report[0] + int((now - layer.report[1]) * output.clock_rate)
            report = rtcp.make_sr(output.ssrc, ntp, output.timestamp(sender_now), output.packets, output.octets, [])
            compound += report + rtcp.make_sdes(output.ssrc, self.cname)
            if len(compound) > 1000:
                self.transport.send_rtcp_raw(compound)
                compound = b""
        if compound:
            self.transport.send_rtcp_raw(compound)

    @property
    def reported_loss(self) -> float:
        """The worst recently reported loss of video, 0..1."""
        if self.transport is None:
            return 0.0
        streams = self.transport.session.streams
        outputs = (o for o in self.outputs.values() if o.clock_rate == 90000 and o.layer_ssrc)
        return max((streams[o.ssrc].loss for o in outputs if o.ssrc in streams), default=0.0)


def candidate_of(source: MediaSource, now: float) -> Candidate:
    """The source as the allocation sees it."""
    layers = tuple(LayerInfo(x.ssrc, x.height, x.bps(now)) for x in source.active_layers(now))
    return Candidate(source.name, source.owner, layers)
