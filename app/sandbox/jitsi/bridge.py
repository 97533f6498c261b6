"""The videobridge: forwards RTP between endpoints without transcoding (jitsi.md 6, 7)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable

from aiohttp import WSMsgType, web
from aiortc.rtcdtlstransport import RTCCertificate

from app.calls.model import MediaKind
from app.media import dtls
from app.media.api import MediaDescription, TransportConfig, TransportDescription
from app.media.errors import InvalidState
from app.media.rtp import ReceivedPacket
from app.media.transport import SILENCE_S, BundledTransport
from app.protocols.jingle import SourceSet
from app.sandbox.jitsi import channel as colibri
from app.sandbox.jitsi.allocation import allocate
from app.sandbox.jitsi.endpoint import (
    LAYER_ACTIVE_S,
    SILENCE_DBOV,
    SILENT_PACKETS,
    Channel,
    Endpoint,
    Layer,
    MediaSource,
    candidate_of,
)
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.offer import BridgeOffer, MemberFeatures, audio_description, video_description
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.rewriting import OutputStream, starts_keyframe
from app.sandbox.jitsi.speaker import DominantSpeaker

log = logging.getLogger(__name__)

TICK_S = 0.1
REALLOCATE_S = 0.5
REPORT_S = 1.0
STATS_S = 10.0
KEYFRAME_INTERVAL_S = 0.2
"""Requests for one SSRC are forwarded at most this often."""
SIMULCAST_HEIGHTS = (180, 360, 720)
SINGLE_HEIGHT = 720
LOCAL_FEATURES = MemberFeatures(True, True, False, False, False, False, True, True)
"""Of endpoints inside this process: rewriting, no retransmission (nothing is lost)."""
CHANNEL_LABEL = "JVB data channel"


class SocketChannel:
    """A bridge channel over WebSocket; sends are queued and written in order."""

    kind = "websocket"

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(1000)

    def send(self, text: str) -> None:
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            raise ConnectionError("bridge channel congested") from None

    def close(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def pump(self) -> None:
        while (text := await self._queue.get()) is not None:
            await self._socket.send_str(text)
        await self._socket.close()


class DataChannel:
    """A bridge channel over SCTP."""

    kind = "sctp"

    def __init__(self, transport: BundledTransport, label: str) -> None:
        self._transport, self._label = transport, label

    def send(self, text: str) -> None:
        self._transport.send_data(self._label, text)

    def close(self) -> None:
        """Closed with the transport."""


class BridgeConference:
    """Endpoints of one conference and the forwarding between them."""

    def __init__(self, conference_id: str, inactive_after_s: float) -> None:
        self.id, self._inactive_after_s = conference_id, inactive_after_s
        self.endpoints: dict[str, Endpoint] = {}
        self.sources: dict[str, MediaSource] = {}
        self.speaker = DominantSpeaker()
        self._keyframe_at: dict[int, float] = {}
        self._next_allocation = self._next_report = 0.0
        self._next_stats = 0.0
        self._dirty = True

    # ------------------------------------------------------------------ ConferencePort

    def source(self, name: str) -> MediaSource | None:
        return self.sources.get(name)

    def request_keyframe(self, source: MediaSource, ssrc: int) -> None:
        now = time.monotonic()
        if now - self._keyframe_at.get(ssrc, -1e9) < KEYFRAME_INTERVAL_S:
            return
        self._keyframe_at[ssrc] = now
        owner = self.endpoints.get(source.owner)
        if owner is not None:
            owner.request_keyframe(ssrc)

    # ------------------------------------------------------------------ media

    def packet(self, sender: Endpoint, packet: ReceivedPacket) -> None:
        """One packet of a sender, decrypted, retransmission already undone."""
        entry = sender.by_ssrc.get(packet.ssrc)
        if entry is None:
            return
        source, layer = entry
        now = time.monotonic()
        if not packet.payload:
            self._padding(sender, source, layer, packet, now)
            return
        was_active = source.live is not None or now - layer.last_at < LAYER_ACTIVE_S
        layer.last_at = now
        layer.packets += 1
        layer.octets += len(packet.payload)
        layer.payload_type = packet.payload_type
        layer.meter.add(len(packet.raw), now * 1000)
        if source.kind in sender.forced:
            for output in self._outputs(source.name):
                output.stop()
            return
        if source.kind is MediaKind.AUDIO:
            self._audio(sender, source, packet, now)
            return
        if starts_keyframe(packet.payload_type, packet.payload):
            layer.keyframes += 1
        if not was_active:
            self._dirty = True
            self.allocate(now)
        for receiver in self.endpoints.values():
            if receiver is not sender:
                receiver.take_video(source, layer, packet, now)

    def _padding(self, sender: Endpoint, source: MediaSource, layer: Layer, packet: ReceivedPacket, now: float) -> None:
        """Probing on the media SSRC uses up sequence numbers: who gets the layer gets these too, or would miss them."""
        for receiver in self.endpoints.values():
            output = receiver.outputs.get(source.name)
            if receiver is not sender and output is not None and output.layer_ssrc == layer.ssrc:
                receiver.take_video(source, layer, packet, now)

    def _audio(self, sender: Endpoint, source: MediaSource, packet: ReceivedPacket, now: float) -> None:
        level = packet.audio_level
        if level is not None:
            source.level_dbov = level
            source.silent = source.silent + 1 if level == SILENCE_DBOV else 0
            if self.speaker.level(sender.id, level, now):
                self.announce_speaker()
            if source.silent > SILENT_PACKETS:
                for output in self._outputs(source.name):
                    output.skip(packet)
                return
        for receiver in self.endpoints.values():
            if receiver is not sender:
                receiver.take_audio(source, packet, now)

    def _outputs(self, name: str) -> Iterable[OutputStream]:
        found = (receiver.outputs.get(name) for receiver in self.endpoints.values())
        return (output for output in found if output is not None)

    def sender_report(self, sender: Endpoint, ssrc: int, timestamp: int) -> None:
        entry = sender.by_ssrc.get(ssrc)
        if entry is not None:
            entry[1].report = (timestamp, time.monotonic())

    # ------------------------------------------------------------------ allocation

    def changed(self) -> None:
        """Something that matters for who gets what has changed."""
        self._dirty = True
        self.allocate(time.monotonic())

    def allocate(self, now: float) -> None:
        self._dirty = False
        self._next_allocation = now + REALLOCATE_S
        wanted: dict[str, int] = {}
        video = [s for s in self.sources.values() if s.kind is MediaKind.VIDEO]
        for receiver in self.endpoints.values():
            receiver.downlink.update(receiver.sent_meter.bps(now * 1000), receiver.reported_loss, now)
            candidates = []
            for source in video:
                owner = self.endpoints.get(source.owner)
                if source.owner != receiver.id and owner is not None and MediaKind.VIDEO not in owner.forced:
                    candidates.append(candidate_of(source, now))
            if not receiver.features.video:
                candidates = []
            result = allocate(candidates, receiver.wishes, self.speaker.order, receiver.downlink.usable_bps)
            receiver.apply(result)
            for name, height in result.wanted.items():
                wanted[name] = max(wanted.get(name, 0), height)
        for source in video:
            height = wanted.get(source.name, 0)
            if source.max_height_sent != height:
                source.max_height_sent = height
                owner = self.endpoints.get(source.owner)
                if owner is not None:
                    owner.tell("SenderSourceConstraints", sourceName=source.name, maxHeight=height)

    # ------------------------------------------------------------------ endpoints

    def set_sources(self, endpoint: Endpoint, sources: list[MediaSource]) -> None:
        before = set(endpoint.sources)
        endpoint.set_sources(sources)
        for name in before - set(endpoint.sources):
            self._drop_source(name)
        self.sources.update(endpoint.sources)
        self.changed()

    def _drop_source(self, name: str) -> None:
        self.sources.pop(name, None)
        for receiver in self.endpoints.values():
            receiver.forget_source(name)

    def remove(self, endpoint_id: str) -> Endpoint | None:
        endpoint = self.endpoints.pop(endpoint_id, None)
        if endpoint is None:
            return None
        for name in list(endpoint.sources):
            self._drop_source(name)
        if self.speaker.remove(endpoint_id) and self.speaker.current:
            self.announce_speaker()
        self.changed()
        return endpoint

    def announce_speaker(self, only: Endpoint | None = None) -> None:
        if not self.speaker.current:
            return
        for endpoint in self.endpoints.values() if only is None else (only,):
            endpoint.tell(
                "DominantSpeakerEndpointChangeEvent",
                dominantSpeakerEndpoint=self.speaker.current,
                previousSpeakers=self.speaker.previous,
                silence=self.speaker.silence,
            )
        self._dirty = True

    def tick(self, now: float) -> None:
        if self.speaker.tick(now):
            self.announce_speaker()
        if self._dirty or now >= self._next_allocation:
            self.allocate(now)
        if now >= self._next_report:
            self._next_report = now + REPORT_S
            for endpoint in self.endpoints.values():
                endpoint.send_reports(now)
                self._watch_activity(endpoint, now)
        if now >= self._next_stats:
            self._next_stats = now + STATS_S
            for endpoint in self.endpoints.values():
                bps = min(endpoint.downlink.usable_bps, 20_000_000.0)
                endpoint.tell("ConnectionStats", estimatedDownlinkBandwidth=int(bps))

    def _watch_activity(self, endpoint: Endpoint, now: float) -> None:
        if endpoint.transport is None or endpoint.transport.state in ("new", "connecting"):
            return
        if endpoint.transport.state == "connected":
            endpoint.connected_at = now
        # The transport itself notices silence after about two seconds.
        active = now - endpoint.connected_at < max(self._inactive_after_s - SILENCE_S, REPORT_S / 2)
        if active != endpoint.active:
            endpoint.active = active
            for other in self.endpoints.values():
                if other is not endpoint:
                    other.tell(
                        "EndpointConnectivityStatusChangeEvent", endpoint=endpoint.id, active=str(active).lower()
                    )

    # ------------------------------------------------------------------ channel

    def channel_opened(self, endpoint: Endpoint, channel: Channel) -> None:
        if endpoint.channel is not None and endpoint.channel is not channel:
            endpoint.channel.close()
        endpoint.channel = channel
        if channel.kind != "sctp":
            endpoint.tell("ServerHello", version="sandbox")
        for source in endpoint.sources.values():
            if source.kind is MediaKind.VIDEO and source.max_height_sent is not None:
                endpoint.tell("SenderSourceConstraints", sourceName=source.name, maxHeight=source.max_height_sent)
        endpoint.tell("ForwardedSources", forwardedSources=endpoint.forwarded or [])
        endpoint.announce_all()
        self.announce_speaker(endpoint)

    def message(self, endpoint: Endpoint, text: str) -> None:
        """One message of a client; what a real bridge would drop is noted and dropped."""
        try:
            message, raw = colibri.parse(text)
        except colibri.BadMessage as error:
            endpoint.bad_messages.append(str(error))
            log.info("bridge message of %s dropped: %s", endpoint.id, error)
            return
        endpoint.messages.append(raw)
        if isinstance(message, colibri.ReceiverVideoConstraints):
            self._constraints(endpoint, message)
        elif isinstance(message, colibri.LastNChangedEvent):
            endpoint.wishes.last_n = message.lastN
            self.changed()
        elif isinstance(message, colibri.EndpointMessage | colibri.EndpointStats):
            self._relay(endpoint, message, raw)
        elif isinstance(message, colibri.ClientHello):
            endpoint.tell("ServerHello", version="sandbox")
        elif isinstance(message, colibri.SourceVideoType):
            endpoint.video_types[message.sourceName] = message.videoType.lower()
        elif isinstance(message, colibri.ReceiverAudioSubscription):
            mode = (message.mode or "").lower()
            endpoint.audio_all = message.all if message.all is not None else mode in ("", "all", "exclude")
            names = [str(name) for name in message.names] if isinstance(message.names, list) else []
            endpoint.audio_include = set(message.include or (names if mode == "include" else ()))
            endpoint.audio_exclude = set(message.exclude or (names if mode == "exclude" else ()))

    def _constraints(self, endpoint: Endpoint, message: colibri.ReceiverVideoConstraints) -> None:
        wishes = endpoint.wishes
        wishes.heard = True
        if message.lastN is not None:
            wishes.last_n = message.lastN
        if message.selectedSources is not None:
            wishes.selected = tuple(message.selectedSources)
        if message.onStageSources is not None:
            wishes.on_stage = tuple(message.onStageSources)
        if message.defaultConstraints is not None:
            wishes.default_height = message.defaultConstraints.maxHeight
        if message.constraints is not None:
            wishes.heights = {name: c.maxHeight for name, c in message.constraints.items()}
        if message.assumedBandwidthBps is not None:
            wishes.assumed_bps = message.assumedBandwidthBps
        self.changed()

    def _relay(
        self, sender: Endpoint, message: colibri.EndpointMessage | colibri.EndpointStats, raw: dict[str, object]
    ) -> None:
        fields = {key: value for key, value in raw.items() if key not in ("colibriClass", "from")}
        to = message.to if isinstance(message, colibri.EndpointMessage) else ""
        for receiver in list(self.endpoints.values()):
            if receiver is not sender and to in ("", receiver.id):
                receiver.tell(str(raw["colibriClass"]), **{"from": sender.id, **fields})


class Bridge:
    """All conferences of the sandbox; implements what focus and web server ask of a bridge."""

    def __init__(self, options: SandboxOptions, faults: Faults) -> None:
        self._options, self._faults = options, faults
        self.web_socket_base = ""
        self.conferences: dict[str, BridgeConference] = {}
        self._certificate: RTCCertificate | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self.down = False

    # ------------------------------------------------------------------ life

    def conference(self, conference_id: str) -> BridgeConference:
        found = self.conferences.get(conference_id)
        if found is None:
            found = self.conferences[conference_id] = BridgeConference(conference_id, self._options.inactive_after_s)
            if self._ticker is None:
                self._ticker = asyncio.get_running_loop().create_task(self._tick())
        return found

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            for conference in list(self.conferences.values()):
                conference.tick(now)

    async def close(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        for conference in list(self.conferences.values()):
            for endpoint_id in list(conference.endpoints):
                self.expire(conference.id, endpoint_id)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def endpoint(self, conference_id: str, endpoint_id: str) -> Endpoint | None:
        conference = self.conferences.get(conference_id)
        return None if conference is None else conference.endpoints.get(endpoint_id)

    # ------------------------------------------------------------------ BridgePort

    async def allocate(self, conference: str, endpoint: str, features: MemberFeatures) -> BridgeOffer:
        self.expire(conference, endpoint)
        if self._certificate is None:
            self._certificate = dtls.make_certificate()
        sctp = features.sctp and "sctp" in self._options.bridge_channels
        config = TransportConfig(
            call_id=f"jvb-{endpoint}",
            controlling=True,
            setup="actpass",
            use_ipv6=False,
            media=_media(features),
            data_channel=sctp,
        )
        transport = BundledTransport(
            config, bind_addresses=("127.0.0.1",), certificate=self._certificate, auto_nack=True
        )
        description = await transport.gather()
        owner = self.conference(conference)
        created = Endpoint(endpoint, owner, features, transport)
        owner.endpoints[endpoint] = created
        self._wire(owner, created, transport)
        self._apply_faults(transport)
        return self._offer(conference, created, description, sctp)

    def _offer(self, conference: str, endpoint: Endpoint, local: TransportDescription, sctp: bool) -> BridgeOffer:
        sockets: tuple[str, ...] = ()
        if "websocket" in self._options.bridge_channels:
            base = f"{self.web_socket_base}/colibri-ws/sandbox/{conference}/{endpoint.id}"
            sockets = (f"{base}?pwd={endpoint.password}",)
        return BridgeOffer(
            endpoint.session_id, local, sockets, sctp, secrets.randbits(31) + 1, secrets.randbits(31) + 1
        )

    def _wire(self, conference: BridgeConference, endpoint: Endpoint, transport: BundledTransport) -> None:
        session = transport.session
        session.on_rtp = lambda packet: conference.packet(endpoint, packet)
        session.on_keyframe_request = endpoint.keyframe_wanted
        session.on_sender_report = lambda ssrc, ntp_ms, timestamp: conference.sender_report(endpoint, ssrc, timestamp)
        if endpoint.features.remb:
            session.on_bandwidth = lambda bps: (
                endpoint.downlink.on_remb(bps) if session.send_estimator.informed else None
            )

        def opened(label: str, protocol: str) -> None:
            if not self._faults.refuse_bridge_channel:
                conference.channel_opened(endpoint, DataChannel(transport, label))

        def received(label: str, data: str | bytes) -> None:
            if isinstance(data, str) and not self._faults.refuse_bridge_channel:
                conference.message(endpoint, data)

        transport.on_channel_open = opened
        transport.on_message = received

    async def accept(self, conference: str, endpoint: str, remote: TransportDescription, last_n: int) -> None:
        found = self.endpoint(conference, endpoint)
        if found is None or found.transport is None:
            return
        found.wishes.last_n = last_n
        with contextlib.suppress(InvalidState):
            await found.transport.start(remote)

    async def restart_ice(self, conference: str, endpoint: str, remote: TransportDescription | None) -> BridgeOffer:
        """Without *remote* new credentials of ours, with it the member's answer to them."""
        found = self.endpoint(conference, endpoint)
        if found is None or found.transport is None:
            raise InvalidState("no such endpoint")
        if remote is not None:
            await found.transport.continue_ice(remote)
            return self._offer(conference, found, found.transport.local, found.transport.config.data_channel)
        local = await found.transport.restart_ice()
        return self._offer(conference, found, local, found.transport.config.data_channel)

    def set_sources(self, conference: str, endpoint: str, sources: SourceSet) -> None:
        found = self.endpoint(conference, endpoint)
        if found is not None:
            made = list(media_sources(endpoint, sources))
            for source in made:
                source.live = True if found.transport is None else None
            self.conference(conference).set_sources(found, made)

    def set_muted(self, conference: str, endpoint: str, kind: MediaKind, muted: bool) -> None:
        found = self.endpoint(conference, endpoint)
        if found is not None:
            (found.forced.add if muted else found.forced.discard)(kind)
            self.conference(conference).changed()

    def expire(self, conference: str, endpoint: str) -> None:
        owner = self.conferences.get(conference)
        found = owner.remove(endpoint) if owner is not None else None
        if owner is not None and not owner.endpoints:
            self.conferences.pop(conference, None)
        if found is None:
            return
        if found.channel is not None:
            found.channel.close()
        if found.transport is not None:
            task = asyncio.get_running_loop().create_task(found.transport.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # ------------------------------------------------------------------ endpoints inside this process

    def add_local(
        self,
        conference: str,
        endpoint: str,
        deliver: Callable[[bytes], None] | None,
        on_keyframe: Callable[[int], None] | None,
    ) -> Endpoint:
        """An endpoint without a transport; :meth:`inject` sends for it, *deliver* gets RTP meant for it."""
        owner = self.conference(conference)
        created = Endpoint(endpoint, owner, LOCAL_FEATURES, None, deliver, on_keyframe)
        owner.endpoints[endpoint] = created
        return created

    def inject(self, conference: str, endpoint: str, packet: ReceivedPacket) -> None:
        owner = self.conferences.get(conference)
        sender = owner.endpoints.get(endpoint) if owner is not None else None
        if owner is not None and sender is not None:
            owner.packet(sender, packet)

    # ------------------------------------------------------------------ ColibriPort

    async def web_socket(self, conference: str, endpoint: str, password: str, socket: web.WebSocketResponse) -> None:
        found = self.endpoint(conference, endpoint)
        allowed = found is not None and secrets.compare_digest(found.password.encode(), password.encode())
        if found is None or not allowed or self._faults.refuse_bridge_channel:
            await socket.close(code=1001 if found is None else 1008)
            return
        channel = SocketChannel(socket)
        owner = self.conference(conference)
        pump = asyncio.get_running_loop().create_task(channel.pump())
        owner.channel_opened(found, channel)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    owner.message(found, message.data)
        finally:
            if found.channel is channel:
                found.channel = None
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    # ------------------------------------------------------------------ faults

    def _transports(self, conference: str = "") -> Iterable[BundledTransport]:
        for owner in self.conferences.values():
            if not conference or owner.id == conference:
                for endpoint in owner.endpoints.values():
                    if endpoint.transport is not None:
                        yield endpoint.transport

    def _apply_faults(self, transport: BundledTransport) -> None:
        transport.faults.loss = self._faults.loss
        transport.faults.delay_ms = self._faults.delay_media_s * 1000

    def apply_faults(self) -> None:
        for transport in self._transports():
            self._apply_faults(transport)

    def kill(self, conference: str = "") -> None:
        """Transports that exist now go silent for good; later ones work."""
        for transport in self._transports(conference):
            transport.faults.blackhole = True

    def drop_channel(self, conference: str, endpoint: str) -> None:
        found = self.endpoint(conference, endpoint)
        if found is not None and found.channel is not None:
            found.channel.close()
            found.channel = None


def _media(features: MemberFeatures) -> tuple[MediaDescription, ...]:
    audio, video = audio_description(features), video_description(features)
    return (
        MediaDescription(MediaKind.AUDIO, "audio", audio.codecs, audio.header_extensions),
        MediaDescription(MediaKind.VIDEO, "video", video.codecs, video.header_extensions),
    )


def media_sources(owner: str, sources: SourceSet) -> Iterable[MediaSource]:
    """The bridge's sources from what Jingle says: one per name, layers in ``SIM`` order (small to large)."""
    rtx = {g.ssrcs[0]: g.ssrcs[1] for g in sources.video_groups if g.semantics == "FID" and len(g.ssrcs) == 2}
    simulcast = {g.ssrcs[0]: g.ssrcs for g in sources.video_groups if g.semantics == "SIM"}
    for source in sources.audio:
        yield MediaSource(source.name, owner, MediaKind.AUDIO, "", [Layer(source.ssrc, None, 0)])
    done: set[str] = set()
    secondary = set(rtx.values()) | {ssrc for ssrcs in simulcast.values() for ssrc in ssrcs[1:]}
    for source in sources.video:
        if source.name in done or source.ssrc in secondary:
            continue
        done.add(source.name)
        ssrcs = simulcast.get(source.ssrc, (source.ssrc,))
        heights = SIMULCAST_HEIGHTS if len(ssrcs) > 1 else (SINGLE_HEIGHT,)
        layers = [Layer(ssrc, rtx.get(ssrc), heights[min(index, len(heights) - 1)]) for index, ssrc in enumerate(ssrcs)]
        yield MediaSource(source.name, owner, MediaKind.VIDEO, source.video_type or "camera", layers)
