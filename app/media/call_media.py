"""The media of one call on the engine's loop: receivers and senders composed over one bundled transport.

Signalling and the window never see this class; they hold the thread-safe :class:`app.media.engine.EngineTransport`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from app.calls.model import MediaKind, SourceContent
from app.media import api
from app.media.api import Codec, LocalSource, MediaDescription, RemoteSource, TransportConfig
from app.media.audio_receive import AudioReceiver
from app.media.audio_send import AudioSender
from app.media.congestion import SendEstimator, share
from app.media.errors import InvalidState
from app.media.frames import FrameSlotImpl
from app.media.levels import SILENCE_DBOV, meter
from app.media.mixer import Mixer, now_ms
from app.media.rtp import ReceivedPacket, rtx_payload_types
from app.media.stats import Rates
from app.media.transport import BundledTransport
from app.media.video_receive import VideoReceiver
from app.media.video_send import VideoSender, max_bitrate

logger = logging.getLogger(__name__)

LEVEL_INTERVAL_S = 0.2
STATS_EVERY = 5
"""Level rounds per statistics round: once a second."""
EARLY_PACKETS = 300
"""Packets of SSRCs nobody mapped yet: a keyframe of a few sources."""
EARLY_MAX_AGE_MS = 2000.0
MAX_RESTARTS = 5
"""Of one source's receiver within a call: a source that crashes more often stays off."""
AUDIO_SHARE_BPS = 48_000.0
SCREEN_WEIGHT, CAMERA_WEIGHT = 2.0, 1.0
SYNC_LIMIT_MS = 1000.0
"""A larger difference between sound and picture is a broken clock, not something to wait for."""


class Parts(Protocol):
    """Makes receivers and senders; replaced in tests."""

    def audio_receiver(
        self, source: RemoteSource, codecs: tuple[Codec, ...], on_started: Callable[[], None]
    ) -> Any: ...

    def video_receiver(
        self,
        source: RemoteSource,
        codecs: tuple[Codec, ...],
        feedback: Any,
        slot: FrameSlotImpl,
        on_started: Callable[[str], None],
        on_frozen: Callable[[str, bool], None],
    ) -> Any: ...

    def audio_sender(self, ssrc: int, codec: Codec, sink: Any, telephone_event: Codec | None) -> Any: ...

    def video_sender(self, ssrc: int, codec: Codec, sink: Any, content: SourceContent) -> Any: ...


class EngineParts:
    """The real ones."""

    def __init__(self, mixer: Mixer) -> None:
        self._mixer = mixer

    def audio_receiver(
        self, source: RemoteSource, codecs: tuple[Codec, ...], on_started: Callable[[], None]
    ) -> AudioReceiver:
        return AudioReceiver(source, codecs, self._mixer, on_started)

    def video_receiver(
        self,
        source: RemoteSource,
        codecs: tuple[Codec, ...],
        feedback: Any,
        slot: FrameSlotImpl,
        on_started: Callable[[str], None],
        on_frozen: Callable[[str, bool], None],
    ) -> VideoReceiver:
        return VideoReceiver(source, codecs, feedback, slot, on_started, on_frozen)

    def audio_sender(self, ssrc: int, codec: Codec, sink: Any, telephone_event: Codec | None) -> AudioSender:
        return AudioSender(ssrc, codec, sink, telephone_event=telephone_event, muted=True)

    def video_sender(self, ssrc: int, codec: Codec, sink: Any, content: SourceContent) -> VideoSender:
        return VideoSender(ssrc, codec, sink, content)


class SlotTable:
    """Picture slots by source name; made from any thread, kept until the call closes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[str, FrameSlotImpl] = {}

    def get(self, name: str) -> FrameSlotImpl:
        with self._lock:
            slot = self._slots.get(name)
            if slot is None:
                slot = self._slots[name] = FrameSlotImpl()
            return slot

    def items(self) -> list[tuple[str, FrameSlotImpl]]:
        with self._lock:
            return list(self._slots.items())

    def close(self) -> None:
        with self._lock:
            slots, self._slots = list(self._slots.values()), {}
        for slot in slots:
            slot.close()


class Remote:
    """One remote source: finds its receiver, survives the receiver's crashes, keeps wishes of the window."""

    def __init__(self, media: CallMedia, source: RemoteSource) -> None:
        self.media = media
        self.source = source
        self.ssrc = source.ssrc
        """The SSRC in use; differs from the source's when that is 0 (whatever comes for this kind)."""
        self.receiver: Any = None
        self.level_dbov = SILENCE_DBOV
        self.has_level = False
        self.crashes = 0
        self.codecs: tuple[Codec, ...] = ()
        self._build()

    def refit(self) -> None:
        """Other payload types: a new receiver for the same source."""
        if self.receiver is None or self.codecs == self.media.codecs(self.source.kind, self.source.mid):
            return
        self.receiver.close()
        self._build()
        if self.source.kind is MediaKind.VIDEO:
            self.request_keyframe(self.ssrc)

    def _build(self) -> None:
        media, source = self.media, self.source
        codecs = self.codecs = media.codecs(source.kind, source.mid)
        if source.kind is MediaKind.AUDIO:
            self.receiver = media.parts.audio_receiver(source, codecs, self._audio_started)
            self.receiver.volume = media.volumes.get(source.name, 1.0)
            return
        slot = media.slots.get(source.name)
        self.receiver = media.parts.video_receiver(source, codecs, self, slot, self._video_started, self._frozen)
        if source.name in media.unwanted:
            self.receiver.set_receiving(False)

    def receive(self, packet: ReceivedPacket) -> None:
        if self.source.ssrc == 0:
            self.ssrc = packet.ssrc
        level = packet.audio_level
        if level is not None:
            self.has_level = True
            if level > self.level_dbov:
                self.level_dbov = level
        if self.receiver is None:
            return
        try:
            self.receiver.receive(packet, packet.arrived_ms)
        except Exception:
            # Whatever a stranger's packets do to a decoder costs this source only.
            self._crashed()

    def _crashed(self) -> None:
        self.crashes += 1
        if self.crashes == 1:
            logger.exception("receiver of %s failed, starting it anew", self.source.name)
        broken, self.receiver = self.receiver, None
        try:
            broken.close()
        except Exception:
            logger.exception("receiver of %s cannot be closed", self.source.name)
        if self.crashes <= MAX_RESTARTS:
            self._build()
            if self.source.kind is MediaKind.VIDEO:
                self.request_keyframe(self.ssrc)
        else:
            logger.error("receiver of %s stays off after %d failures", self.source.name, self.crashes)

    def retarget(self, source: RemoteSource) -> None:
        """The SSRC carries another source of the same kind now, or the same one with other details."""
        self.source = source
        if source.ssrc:
            self.ssrc = source.ssrc
        if self.receiver is None:
            return
        self.level_dbov = SILENCE_DBOV
        if source.kind is MediaKind.AUDIO:
            self.receiver.remap(source)
            self.receiver.volume = self.media.volumes.get(source.name, 1.0)
        else:
            self.receiver.retarget(source, self.media.slots.get(source.name))
            self.receiver.set_receiving(source.name not in self.media.unwanted)

    def take_level(self) -> float:
        """Level in dBov since the last call, from the header extension where there is one."""
        if self.has_level:
            level, self.level_dbov = self.level_dbov, SILENCE_DBOV
            return level
        return float(self.receiver.level_dbov) if self.receiver is not None else SILENCE_DBOV

    def sender_report(self, ntp_ms: float, rtp_timestamp: int) -> None:
        if self.receiver is not None:
            self.receiver.sender_report(ntp_ms, rtp_timestamp)

    def stats(self) -> Any:
        """Of the receiver; ``None`` without one, or when it cannot tell."""
        if self.receiver is None:
            return None
        try:
            return self.receiver.stats()
        except Exception:
            self._crashed()
            return None

    def close(self) -> None:
        if self.receiver is not None:
            self.receiver.close()
            self.receiver = None

    # Feedback of app.media.parts: the receiver knows its source, not which SSRC carries it.

    def request_keyframe(self, ssrc: int) -> None:
        if ssrc or self.ssrc:
            self.media.transport.session.request_keyframe(ssrc or self.ssrc)

    def request_retransmission(self, ssrc: int, sequence_numbers: list[int]) -> None:
        self.media.transport.session.request_retransmission(ssrc or self.ssrc, sequence_numbers)

    @property
    def round_trip_ms(self) -> float:
        trip = self.media.transport.session.round_trip_ms
        return 100.0 if trip is None else trip

    def _audio_started(self) -> None:
        self.media.emit(api.SourceStarted(self.source.name, MediaKind.AUDIO))

    def _video_started(self, name: str) -> None:
        self.media.emit(api.SourceStarted(name, MediaKind.VIDEO))

    def _frozen(self, name: str, frozen: bool) -> None:
        self.media.emit(api.SourceFrozen(name, frozen))


@dataclass(slots=True)
class Local:
    source: LocalSource
    sender: Any
    muted: bool = True
    max_height: int | None = None
    max_bitrate: int | None = None
    target_bps: float = 0.0
    mid: str = ""
    codec: Codec | None = None
    detach: Callable[[], None] = field(default=lambda: None)

    @property
    def is_video(self) -> bool:
        return self.source.kind is MediaKind.VIDEO


class CallMedia:
    """Everything of one transport; all methods on the engine's loop except where :class:`SlotTable` says."""

    def __init__(
        self,
        config: TransportConfig,
        *,
        emit: Callable[[api.MediaEvent], None],
        parts: Parts,
        mixer: Mixer,
        bind_addresses: tuple[str, ...] | None = None,
    ) -> None:
        self.config = config
        self.emit = emit
        self.parts = parts
        self.slots = SlotTable()
        self.volumes: dict[str, float] = {}
        self.unwanted: set[str] = set()
        self.transport = BundledTransport(config, bind_addresses=bind_addresses)
        if config.start_bitrate_bps is not None:
            self.transport.session.send_estimator = SendEstimator(config.start_bitrate_bps)
        self.remotes: dict[str, Remote] = {}
        self.locals: dict[str, Local] = {}
        self.attach_input: Callable[[Local], Callable[[], None]] = lambda local: lambda: None
        """Set by the engine: connects a sender to the input of its content; returns the function that ends it."""
        self.on_muted: Callable[[], None] = lambda: None
        self._mixer = mixer
        self._by_ssrc: dict[int, Remote] = {}
        self._early: deque[ReceivedPacket] = deque(maxlen=EARLY_PACKETS)
        self._rates = Rates()
        self._ticker: asyncio.Task[None] | None = None
        self._closed = False
        self._wire()

    def _wire(self) -> None:
        transport, session = self.transport, self.transport.session
        transport.on_state = lambda state, reason: self.emit(api.TransportStateChanged(state, reason))
        transport.on_channel_open = lambda label, protocol: self.emit(api.DataChannelOpened(label))
        transport.on_channel_close = lambda label: self.emit(api.DataChannelClosed(label))
        transport.on_message = self._on_message
        session.on_unrouted = self._early.append
        session.on_sender_report = self._on_sender_report
        session.on_keyframe_request = self._on_keyframe_request
        session.on_reported_loss = self._on_reported_loss
        session.on_bandwidth = lambda bps: self.share_bandwidth()

    async def open(self) -> api.TransportDescription:
        local = await self.transport.gather()
        self._ticker = asyncio.create_task(self._tick())
        return local

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        for local in self.locals.values():
            local.detach()
            local.sender.close()
        for remote in set(self.remotes.values()):
            remote.close()
        await self.transport.close()
        self.locals.clear()
        self.remotes.clear()
        self._by_ssrc.clear()
        self._early.clear()
        self.slots.close()

    def codecs(self, kind: MediaKind, mid: str = "") -> tuple[Codec, ...]:
        description = self.transport.session.line(kind, mid)
        return description.codecs if description else ()

    # ------------------------------------------------------------ remote sources

    def map_source(self, source: RemoteSource) -> None:
        if self._closed:
            return
        known = self.remotes.get(source.name)
        if known is not None and (known.source.ssrc != source.ssrc or known.source.kind is not source.kind):
            self._drop(known)
        holder = self._by_ssrc.get(source.ssrc) if source.ssrc else self.remotes.get(source.name)
        if holder is not None and holder.source.kind is not source.kind:
            self._drop(holder)
            holder = None
        if holder is not None:
            if self.remotes.get(holder.source.name) is holder:
                del self.remotes[holder.source.name]
            holder.retarget(source)
        else:
            holder = self._add(source)
        self.remotes[source.name] = holder
        if source.rtx_ssrc is not None and source.ssrc:
            self.transport.session.map_rtx(source.rtx_ssrc, source.ssrc)

    def _add(self, source: RemoteSource) -> Remote:
        remote = Remote(self, source)
        router = self.transport.session.router
        if source.ssrc:
            self._by_ssrc[source.ssrc] = remote
            router.add(remote.receive, ssrc=source.ssrc)
        else:
            description = self.transport.session.line(source.kind, source.mid)
            types = tuple(c.payload_type for c in description.codecs) if description else ()
            router.add(remote.receive, mid=description.mid if description else "", payload_types=types)
        self._replay(remote)
        return remote

    def _replay(self, remote: Remote) -> None:
        """Packets that came before their mapping."""
        oldest = now_ms() - EARLY_MAX_AGE_MS
        mine = [p for p in self._early if p.ssrc == remote.source.ssrc and p.arrived_ms >= oldest]
        if mine or len(self._early) == EARLY_PACKETS:
            kept = [p for p in self._early if p.ssrc != remote.source.ssrc and p.arrived_ms >= oldest]
            self._early.clear()
            self._early.extend(kept)
        for packet in mine:
            remote.receive(packet)

    def _drop(self, remote: Remote) -> None:
        self.transport.session.router.remove(remote.receive)
        if self._by_ssrc.get(remote.source.ssrc) is remote:
            del self._by_ssrc[remote.source.ssrc]
        if self.remotes.get(remote.source.name) is remote:
            del self.remotes[remote.source.name]
        if remote.ssrc:
            self.transport.session.forget(remote.ssrc)
        remote.close()

    def unmap_source(self, name: str) -> None:
        remote = self.remotes.get(name)
        if remote is not None:
            self._drop(remote)
            if remote.source.kind is MediaKind.VIDEO:
                self.slots.get(name).clear()

    def set_volume(self, name: str, volume: float) -> None:
        self.volumes[name] = volume
        remote = self.remotes.get(name)
        if remote is not None and remote.source.kind is MediaKind.AUDIO and remote.receiver is not None:
            remote.receiver.volume = volume

    def set_receiving(self, name: str, wanted: bool) -> None:
        (self.unwanted.discard if wanted else self.unwanted.add)(name)
        remote = self.remotes.get(name)
        if remote is not None and remote.source.kind is MediaKind.VIDEO and remote.receiver is not None:
            remote.receiver.set_receiving(wanted)

    def _on_sender_report(self, ssrc: int, ntp_ms: float, rtp_timestamp: int) -> None:
        for remote in self.remotes.values():
            if remote.ssrc == ssrc:
                remote.sender_report(ntp_ms, rtp_timestamp)

    # ------------------------------------------------------------ local sources

    def add_sender(self, name: str, content: SourceContent, mid: str = "") -> LocalSource:
        if self._closed:
            raise InvalidState("the transport is closed")
        if name in self.locals:
            raise InvalidState(f"there is a sender {name!r} already")
        kind = MediaKind.AUDIO if content is SourceContent.MICROPHONE else MediaKind.VIDEO
        session = self.transport.session
        description = session.line(kind, mid)
        codec = self._send_codec(description, kind)
        if description is None or codec is None:
            raise InvalidState(f"no codec for {kind} was negotiated")
        ssrc = self._new_ssrc()
        rtx_ssrc = self._new_ssrc() if codec.payload_type in rtx_payload_types(description.codecs) else None
        tag = secrets.token_hex(4)
        msid = f"{name}-{tag} {name}-{tag}-t"
        source = LocalSource(name, kind, content, ssrc, rtx_ssrc, session.cname, msid)
        local = self.locals[name] = Local(source, None, mid=mid)
        self._make_sender(local, description, codec)
        self.share_bandwidth()
        self.on_muted()
        return source

    def _make_sender(self, local: Local, description: MediaDescription, codec: Codec) -> None:
        """A sender and its stream for what is agreed now."""
        session, source = self.transport.session, local.source
        if source.kind is MediaKind.AUDIO:
            events = [c for c in description.codecs if c.name.lower() == "telephone-event"]
            event = next((c for c in events if c.clock_rate == codec.clock_rate), events[0] if events else None)
            sender = self.parts.audio_sender(source.ssrc, codec, session, event)
        else:
            sender = self.parts.video_sender(source.ssrc, codec, session, source.content)
            sender.set_muted(True)
        stream = session.add_stream(source.ssrc, source.kind, rtx_ssrc=source.rtx_ssrc, mid=description.mid)
        if source.kind is MediaKind.VIDEO and hasattr(sender, "rtp_time"):
            stream.clock = lambda: (sender.rtp_time(now_ms()), now_ms())
        elif hasattr(sender, "clock"):
            stream.clock = lambda: sender.clock
        local.sender, local.codec = sender, codec
        local.detach = self.attach_input(local)

    def _refit(self, local: Local) -> None:
        """After a renegotiation: other payload types or extensions, the same SSRC, the sequence going on."""
        session, source = self.transport.session, local.source
        description = session.line(source.kind, local.mid)
        codec = self._send_codec(description, source.kind)
        if description is None or codec is None:
            return
        before = session.streams.get(source.ssrc)
        if codec == local.codec and before is not None and before.fits(description):
            return
        self._remake(local, description, codec)

    def change_content(self, name: str, content: SourceContent) -> LocalSource:
        """Another input on a running video sender, seen by the far side as the same source."""
        local = self.locals.get(name)
        if local is None or not local.is_video or content is SourceContent.MICROPHONE:
            raise InvalidState(f"there is no video sender {name!r}")
        description = self.transport.session.line(local.source.kind, local.mid)
        codec = self._send_codec(description, local.source.kind)
        if description is None or codec is None:
            raise InvalidState("no codec for video was negotiated")
        if content is not local.source.content:
            local.source = replace(local.source, content=content)
            self._remake(local, description, codec)
            self.share_bandwidth()
        return local.source

    def _remake(self, local: Local, description: MediaDescription, codec: Codec) -> None:
        session, source = self.transport.session, local.source
        before = session.streams.get(source.ssrc)
        old = local.sender
        local.detach()
        self._make_sender(local, description, codec)
        if before is not None and before.packets:
            # A jump backwards would look like a rollover to the far side's SRTP (RFC 3711 section 3.3.1).
            local.sender._sequence = old._sequence
            session.streams[source.ssrc].take_over(before)
        old.close()
        if local.is_video:
            local.sender.set_max_height(local.max_height)
            local.sender.set_max_bitrate(local.max_bitrate)
        local.sender.set_muted(local.muted)

    def _send_codec(self, description: MediaDescription | None, kind: MediaKind) -> Codec | None:
        if description is None:
            return None
        if kind is MediaKind.VIDEO:
            for name in self.config.video_codecs:
                for codec in description.codecs:
                    if codec.name.upper() == name.upper() and _sendable(codec):
                        return codec
            return None
        playable = ("opus", "pcmu", "pcma", "g722")
        return next((c for c in description.codecs if c.name.lower() in playable), None)

    def _new_ssrc(self) -> int:
        streams = self.transport.session.streams
        used = set(streams) | {s.rtx_ssrc for s in streams.values()} | set(self._by_ssrc) | {0}
        while (ssrc := secrets.randbits(32)) in used:
            continue
        return ssrc

    def remove_sender(self, name: str) -> None:
        local = self.locals.pop(name, None)
        if local is not None:
            local.detach()
            local.sender.close()
            self.transport.session.remove_stream(local.source.ssrc)
            self.share_bandwidth()
            self.on_muted()

    def local(self, name: str) -> Local | None:
        return self.locals.get(name)

    def set_muted(self, name: str, muted: bool) -> None:
        local = self.locals.get(name)
        if local is not None and local.muted != muted:
            local.muted = muted
            local.sender.set_muted(muted)
            self.share_bandwidth()
            self.on_muted()

    def set_max_height(self, name: str, max_height: int | None) -> None:
        local = self.locals.get(name)
        if local is not None and local.is_video and local.max_height != max_height:
            local.max_height = max_height
            local.sender.set_max_height(max_height)
            self.share_bandwidth()

    def set_max_bitrate(self, name: str, bps: int | None) -> None:
        local = self.locals.get(name)
        if local is not None:
            local.max_bitrate = bps
            if local.is_video:
                local.sender.set_max_bitrate(bps)
            self.share_bandwidth()

    def send_dtmf(self, name: str, tones: str, duration_ms: int, gap_ms: int) -> None:
        local = self.locals.get(name)
        if local is not None and not local.is_video:
            local.sender.send_dtmf(tones, duration_ms, gap_ms)

    def share_bandwidth(self) -> None:
        """Sound first, the rest among the videos that run: a screen counts twice a camera."""
        active = [x for x in self.locals.values() if not x.muted and x.max_height != 0]
        audio = [x for x in active if not x.is_video]
        total = self.transport.session.send_estimator.bps
        for local in audio:
            local.target_bps = min(AUDIO_SHARE_BPS, local.max_bitrate or AUDIO_SHARE_BPS)
            local.sender.set_target_bitrate(local.target_bps)
        wishes: dict[Any, tuple[float, float]] = {}
        for local in active:
            if local.is_video:
                screen = local.source.content is SourceContent.SCREEN
                most = float(max_bitrate(local.source.content, local.max_height or 1080))
                if local.max_bitrate is not None:
                    most = min(most, float(local.max_bitrate))
                wishes[local.source.name] = (SCREEN_WEIGHT if screen else CAMERA_WEIGHT, most)
        for name, bps in share(total - sum(x.target_bps for x in audio), wishes).items():
            local = self.locals[str(name)]
            local.target_bps = bps
            local.sender.set_target_bitrate(bps)

    def _by_local_ssrc(self, ssrc: int) -> Local | None:
        return next((x for x in self.locals.values() if x.source.ssrc == ssrc), None)

    def _on_keyframe_request(self, ssrc: int) -> None:
        if local := self._by_local_ssrc(ssrc):
            local.sender.request_keyframe()

    def _on_reported_loss(self, ssrc: int, fraction: float) -> None:
        if local := self._by_local_ssrc(ssrc):
            local.sender.set_loss(fraction)

    def _on_message(self, label: str, data: str | bytes) -> None:
        if isinstance(data, bytes):
            data = data.decode("utf-8", "replace")
        self.emit(api.DataChannelMessage(label, data))

    # ------------------------------------------------------------ once in a while

    async def _tick(self) -> None:
        rounds, audible = 0, False
        while True:
            await asyncio.sleep(LEVEL_INTERVAL_S)
            rounds += 1
            levels = {}
            for remote in self.remotes.values():
                if remote.source.kind is MediaKind.AUDIO and (level := meter(remote.take_level())) > 0.0:
                    levels[remote.source.name] = level
            if levels or audible:
                self.emit(api.AudioLevels(levels))
            audible = bool(levels)
            self._synchronise()
            if rounds % STATS_EVERY == 0:
                self.emit(api.StatsReported(self.statistics()))

    def _synchronise(self) -> None:
        """Hold pictures back until the same participant's sound is heard (never the other way round)."""
        clocks_differ_ms = time.time() * 1000 - now_ms()
        for remote in self.remotes.values() if self.config.lip_sync else ():
            if remote.source.content is SourceContent.CAMERA and isinstance(remote.receiver, VideoReceiver):
                offset = self._mixer.playout_offset_ms(remote.source.participant_id)
                target = None if offset is None else offset + clocks_differ_ms
                if target is not None and remote.receiver.delay_ms is not None:
                    target = min(target, remote.receiver.delay_ms + SYNC_LIMIT_MS)
                remote.receiver.set_target_delay(target)

    def statistics(self) -> api.TransportStats:
        from app.media.call_stats import transport_stats

        return transport_stats(self, self._rates)

    def replace_media(self, media: tuple[MediaDescription, ...]) -> None:
        """Other payload types or extensions after a renegotiation."""
        if self._closed:
            return
        self.config = replace(self.config, media=media)
        self.transport.session.configure(media)
        for local in self.locals.values():
            self._refit(local)
        for remote in set(self.remotes.values()):
            remote.refit()
        self.share_bandwidth()


def _sendable(codec: Codec) -> bool:
    """H.264 is made in packetisation mode 1 (RFC 6184 section 6.3) and not with other profiles than baseline."""
    return codec.name.upper() != "H264" or codec.parameters.get("packetization-mode", "1") == "1"
