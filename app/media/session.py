"""One RTP session with everything bundled in it: routing, retransmission, reports, feedback, bandwidth (RFC 3550).

No I/O: decrypted packets come in by :meth:`RtpSession.receive_rtp` and :meth:`RtpSession.receive_rtcp`, plain packets
go out by the two callbacks, and :meth:`RtpSession.tick` must be called about every 20 ms. Malformed input is counted.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from aiortc.rtp import (
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from app.calls.model import MediaKind
from app.media import rtcp, rtp
from app.media.api import Codec, MediaDescription
from app.media.congestion import Pacer, ReceiveEstimator, SendEstimator
from app.media.rtp import ExtensionIds, NackGenerator, OutgoingStream, ReceivedPacket, ReceptionStatistics

REPORT_INTERVAL_S = 1.0
REMB_DROP = 0.97
"""A fall of the estimate by more than this is told at once."""
TCC_INTERVAL_S = 0.1
KEYFRAME_INTERVAL_S = 0.25
"""Between two requests for one SSRC; bridges forward about one per 200 ms."""
ACTIVE_S = 10.0
MAX_ASKED = 2048
MAX_FEEDBACK_BYTES = 1100
PACING_FACTOR = 2.5
MIN_PACING_BPS = 2_500_000.0

Handler = Callable[[ReceivedPacket], None]


class Router:
    """Who gets a packet: by SSRC, then by MID, then by payload type (RFC 8843 section 9.2)."""

    def __init__(self) -> None:
        self._by_ssrc: dict[int, Handler] = {}
        self._by_mid: dict[str, Handler] = {}
        self._by_payload_type: dict[int, Handler] = {}
        self._learnt: dict[int, Handler] = {}

    def add(
        self, handler: Handler, *, ssrc: int | None = None, mid: str = "", payload_types: tuple[int, ...] = ()
    ) -> None:
        if ssrc is not None:
            self._by_ssrc[ssrc] = handler
            self._learnt.pop(ssrc, None)
        if mid:
            self._by_mid[mid] = handler
        for payload_type in payload_types:
            self._by_payload_type[payload_type] = handler

    def remove(self, handler: Handler) -> None:
        for table in (self._by_ssrc, self._learnt):
            for ssrc in [s for s, h in table.items() if h == handler]:
                del table[ssrc]
        for mid in [m for m, h in self._by_mid.items() if h == handler]:
            del self._by_mid[mid]
        for payload_type in [p for p, h in self._by_payload_type.items() if h == handler]:
            del self._by_payload_type[payload_type]

    def route(self, packet: ReceivedPacket) -> Handler | None:
        handler = self._by_ssrc.get(packet.ssrc) or self._learnt.get(packet.ssrc)
        if handler is not None:
            return handler
        if packet.mid is not None:
            handler = self._by_mid.get(packet.mid)
        handler = handler or self._by_payload_type.get(packet.payload_type)
        if handler is not None and len(self._learnt) < rtp.MAX_TRACKED_SSRCS:
            self._learnt[packet.ssrc] = handler
        return handler


class RtpSession:
    """Bundled RTP and RTCP. Callbacks are plain attributes, set them before the first packet."""

    def __init__(
        self,
        media: tuple[MediaDescription, ...],
        *,
        send_rtp: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
        cname: str = "",
        auto_nack: bool = False,
    ) -> None:
        self.cname = cname or secrets.token_hex(8)
        self.router = Router()
        self.estimator = ReceiveEstimator()
        self.send_estimator = SendEstimator()
        self.pacer: Pacer[tuple[OutgoingStream, bytes | bytearray, bool]] = Pacer()
        self.streams: dict[int, OutgoingStream] = {}
        self.reception: dict[int, ReceptionStatistics] = {}
        self.round_trip_ms: float | None = None
        self.dropped = 0
        self.loss_received: float | None = None
        self.on_rtp: Handler | None = None
        """Sees every media packet before it is routed."""
        self.on_unrouted: Handler | None = None
        self.on_rtcp: Callable[[bytes, list[rtcp.Part]], None] | None = None
        self.on_sender_report: Callable[[int, float, int], None] | None = None
        """SSRC, wall clock in ms since 1970, RTP timestamp."""
        self.on_keyframe_request: Callable[[int], None] | None = None
        self.on_reported_loss: Callable[[int, float], None] | None = None
        """Local SSRC and loss 0..1 of a receiver report."""
        self.on_bandwidth: Callable[[float], None] | None = None
        self.on_bye: Callable[[int], None] | None = None
        self.on_queued: Callable[[], None] = lambda: None
        """Packets wait in the pacer: call :meth:`flush` when their time comes."""
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._auto_nack = auto_nack
        self._own_ssrc = secrets.randbits(32) or 1
        self._nackers: dict[int, NackGenerator] = {}
        self._rtx_to_media: dict[int, int] = {}
        self._asked: dict[int, int] = {}
        self._keyframe_sent: dict[int, float] = {}
        self._keyframe_due: set[int] = set()
        self._fir_command = 0
        self._transport_sequence = 0
        self._tcc = rtcp.TransportFeedbackBuilder()
        self._tcc_media_ssrc = 0
        self._next_report = self._next_tcc = 0.0
        self._told_bps: float | None = None
        self.configure(media)

    def configure(self, media: tuple[MediaDescription, ...]) -> None:
        """Apply (or change) payload types, header extensions and feedback."""
        self._media = media
        self._ids = ExtensionIds(e for m in media for e in m.header_extensions)
        self._codecs: dict[int, tuple[Codec, bool]] = {}
        self._rtx_apt: dict[int, int] = {}
        video_feedback: set[str] = set()
        for description in media:
            is_video = description.kind is MediaKind.VIDEO
            for codec in description.codecs:
                self._codecs[codec.payload_type] = (codec, is_video)
                if is_video:
                    video_feedback.update(codec.feedback)
            for apt, rtx_type in rtp.rtx_payload_types(description.codecs).items():
                self._rtx_apt[rtx_type] = apt
        self.transport_cc = "transport-cc" in video_feedback and self._ids.transport_cc > 0
        self.remb = "goog-remb" in video_feedback and not self.transport_cc
        self._use_fir = "ccm fir" in video_feedback and "nack pli" not in video_feedback

    def description(self, kind: MediaKind) -> MediaDescription | None:
        return next((m for m in self._media if m.kind is kind), None)

    def line(self, kind: MediaKind, mid: str) -> MediaDescription | None:
        """The description of one line; without such a line, the first of the kind."""
        return next((m for m in self._media if m.kind is kind and m.mid == mid), None) or self.description(kind)

    # ------------------------------------------------------------ receiving

    def receive_rtp(self, data: bytes, arrived_ms: float) -> None:
        if len(data) < rtp.HEADER_LENGTH:
            self.dropped += 1
            return
        size, retransmitted = len(data), False
        apt = self._rtx_apt.get(data[1] & 0x7F)
        if apt is not None:
            retransmitted = True
            self.estimator.add_bytes(size, arrived_ms)
            unwrapped = self._unwrap(data, apt)
            if unwrapped is None:
                # Probing padding, or a retransmission of an unknown stream: it still counts for bandwidth.
                probe = rtp.parse(data, self._ids) if self.transport_cc else None
                if probe is not None and probe.transport_sequence is not None:
                    self._tcc.add(probe.transport_sequence, arrived_ms)
                return
            data = unwrapped
        packet = rtp.parse(data, self._ids, arrived_ms)
        if packet is None:
            self.dropped += 1
            return
        entry = self._codecs.get(packet.payload_type)
        if entry is None:
            self.dropped += 1
            return
        if packet.transport_sequence is not None and self.transport_cc:
            self._tcc.add(packet.transport_sequence, arrived_ms)
        ssrc = packet.ssrc
        stats = self.reception.get(ssrc)
        if stats is None:
            stats = self._new_reception(ssrc, entry[0].clock_rate)
        if retransmitted:
            packet.retransmitted = True
            stats.bytes += size
        else:
            stats.add(packet.sequence_number, packet.timestamp, arrived_ms, size)
            if entry[1]:
                self.estimator.add(ssrc, packet.timestamp, entry[0].clock_rate, arrived_ms, size)
        if self._auto_nack and "nack" in entry[0].feedback:
            self._note_gap(packet)
        if self.on_rtp is not None:
            self.on_rtp(packet)
        # Padding alone (bandwidth probing on the media SSRC) fills the sequence but has nothing for a decoder.
        handler = self.router.route(packet)
        if handler is not None:
            handler(packet)
        elif self.on_unrouted is not None:
            self.on_unrouted(packet)

    def _unwrap(self, data: bytes, apt: int) -> bytes | None:
        rtx_ssrc = int.from_bytes(data[8:12], "big")
        media_ssrc = self._rtx_to_media.get(rtx_ssrc)
        if media_ssrc is None:
            start = rtp.header_length(data)
            if start is None or len(data) < start + 2:
                return None
            # RFC 4588 section 5.3: the stream is the one that misses this sequence number.
            media_ssrc = self._asked.get(int.from_bytes(data[start : start + 2], "big"))
            if media_ssrc is None:
                return None
            self.map_rtx(rtx_ssrc, media_ssrc)
        return rtp.unwrap_rtx(data, apt, media_ssrc)

    def map_rtx(self, rtx_ssrc: int, media_ssrc: int) -> None:
        self._rtx_to_media[rtx_ssrc] = media_ssrc
        if len(self._rtx_to_media) > rtp.MAX_TRACKED_SSRCS:
            del self._rtx_to_media[next(iter(self._rtx_to_media))]

    def _new_reception(self, ssrc: int, clock_rate: int) -> ReceptionStatistics:
        if len(self.reception) >= rtp.MAX_TRACKED_SSRCS:
            self.forget(min(self.reception, key=lambda s: self.reception[s].last_arrival_ms))
        stats = self.reception[ssrc] = ReceptionStatistics(ssrc, clock_rate)
        return stats

    def forget(self, ssrc: int) -> None:
        """Drop everything known of a remote SSRC."""
        self.reception.pop(ssrc, None)
        self._nackers.pop(ssrc, None)
        self._keyframe_sent.pop(ssrc, None)
        self._keyframe_due.discard(ssrc)
        self.estimator.forget(ssrc)
        for rtx_ssrc in [r for r, m in self._rtx_to_media.items() if m == ssrc]:
            del self._rtx_to_media[rtx_ssrc]

    def _note_gap(self, packet: ReceivedPacket) -> None:
        nacker = self._nackers.get(packet.ssrc)
        if nacker is None:
            nacker = self._nackers[packet.ssrc] = NackGenerator()
        now_s = packet.arrived_ms / 1000
        if nacker.add(packet.sequence_number, now_s):
            self.request_retransmission(packet.ssrc, nacker.due(now_s, self._trip_s))

    @property
    def _trip_s(self) -> float:
        return (self.round_trip_ms or 100.0) / 1000

    def receive_rtcp(self, data: bytes) -> None:
        parts = rtcp.parse(data)
        if not parts:
            self.dropped += 1
            return
        worst: float | None = None
        for part in parts:
            if isinstance(part, (RtcpSrPacket, RtcpRrPacket)):
                if isinstance(part, RtcpSrPacket):
                    self._on_sender_report(part)
                for report in part.reports:
                    loss = self._on_report(report)
                    worst = loss if worst is None or (loss is not None and loss > worst) else worst
            elif isinstance(part, rtcp.TransportFeedback):
                now_ms = time.monotonic() * 1000
                self.send_estimator.on_feedback(part.base_sequence, part.arrivals_ms, now_ms)
                self._bandwidth_changed()
            elif isinstance(part, RtcpRtpfbPacket):
                if part.fmt == rtcp.RTPFB_NACK:
                    self._on_nack(part.media_ssrc, part.lost)
            elif isinstance(part, RtcpPsfbPacket):
                self._on_payload_feedback(part)
            elif isinstance(part, RtcpByePacket) and self.on_bye is not None:
                for source in part.sources:
                    self.on_bye(source)
        if worst is not None:
            self.send_estimator.on_loss(worst, time.monotonic() * 1000)
            self._bandwidth_changed()
        if self.on_rtcp is not None:
            self.on_rtcp(data, parts)

    def _on_sender_report(self, part: RtcpSrPacket) -> None:
        stats = self.reception.get(part.ssrc)
        if stats is None:
            return
        stats.last_sr = rtcp.ntp_middle(part.sender_info.ntp_timestamp)
        stats.last_sr_at = time.monotonic()
        if self.on_sender_report is not None:
            ntp_ms = rtcp.ntp_to_unix_ms(part.sender_info.ntp_timestamp)
            self.on_sender_report(part.ssrc, ntp_ms, part.sender_info.rtp_timestamp)

    def _on_report(self, report: RtcpReceiverInfo) -> float | None:
        stream = self.streams.get(report.ssrc)
        if stream is None:
            return None
        trip = rtcp.round_trip_ms(report, rtcp.ntp_time())
        if trip is not None:
            self.note_round_trip(trip)
        stream.loss = report.fraction_lost / 256
        stream.lost = report.packets_lost
        stream.jitter = report.jitter
        if self.on_reported_loss is not None:
            self.on_reported_loss(report.ssrc, stream.loss)
        return stream.loss

    def note_round_trip(self, trip_ms: float) -> None:
        known = self.round_trip_ms
        self.round_trip_ms = trip_ms if known is None else 0.7 * known + 0.3 * trip_ms

    def _on_nack(self, ssrc: int, sequences: list[int]) -> None:
        stream = self.streams.get(ssrc)
        if stream is None:
            return
        stream.nacks += 1
        now_s = time.monotonic()
        for sequence in sequences:
            again = stream.retransmit(sequence, now_s)
            if again is None:
                continue
            size = len(again[0])
            if self.pacer.take(size, now_s):
                self._leave(stream, again[0], again[1], now_s)
            else:
                self.pacer.push((stream, again[0], again[1]), size, first=True)
                self.on_queued()

    def _on_payload_feedback(self, part: RtcpPsfbPacket) -> None:
        if part.fmt == rtcp.PSFB_PLI:
            self._keyframe_wanted(part.media_ssrc)
        elif part.fmt == rtcp.PSFB_FIR:
            for ssrc in rtcp.parse_fir(part):
                self._keyframe_wanted(ssrc)
        elif part.fmt == rtcp.PSFB_APP:
            remb = rtcp.parse_remb(part)
            if remb is not None:
                self.send_estimator.on_remb(remb[0])
                self._bandwidth_changed()

    def _keyframe_wanted(self, ssrc: int) -> None:
        stream = self.streams.get(ssrc)
        if stream is not None:
            stream.plis += 1
            if self.on_keyframe_request is not None:
                self.on_keyframe_request(ssrc)

    def _bandwidth_changed(self) -> None:
        self.pacer.bps = max(MIN_PACING_BPS, self.send_estimator.bps * PACING_FACTOR)
        if self.on_bandwidth is not None:
            self.on_bandwidth(self.send_estimator.bps)

    # ------------------------------------------------------------ sending

    def add_stream(
        self, ssrc: int, kind: MediaKind, *, rtx_ssrc: int | None = None, reports: bool = True, mid: str = ""
    ) -> OutgoingStream:
        """Register a local SSRC. *reports* off leaves sender reports to the owner (a forwarder)."""
        description = self.line(kind, mid)
        stream = self.streams[ssrc] = OutgoingStream(
            ssrc,
            kind=kind.value,
            codecs=description.codecs if description else (),
            ids=ExtensionIds(description.header_extensions if description else ()),
            mid=description.mid if description else "",
            rtx_ssrc=rtx_ssrc,
            rtx_sequence=secrets.randbits(15),
            reports=reports,
        )
        return stream

    def remove_stream(self, ssrc: int) -> None:
        """Forget a local SSRC and say goodbye for it (RFC 3550 section 6.6)."""
        stream = self.streams.pop(ssrc, None)
        if stream is not None and stream.packets:
            gone = [ssrc] + ([stream.rtx_ssrc] if stream.rtx_ssrc else [])
            self._send_rtcp(rtcp.feedback_prefix(ssrc) + rtcp.make_sdes(ssrc, self.cname) + rtcp.make_bye(gone))

    def send_rtp(
        self,
        packet: RtpPacket,
        *,
        audio_level_dbov: int | None = None,
        voice: bool = False,
        captured_ms: float | None = None,
    ) -> None:
        """See :class:`app.media.parts.PacketSink`."""
        stream = self.streams.get(packet.ssrc)
        if stream is None:
            return
        now_s = time.monotonic()
        data = stream.build(packet, audio_level_dbov, voice)
        if packet.payload_type in stream.clock_rates:
            stream.last_timestamp = packet.timestamp
            stream.last_timestamp_at = now_s if captured_ms is None else captured_ms / 1000
        elif stream.last_timestamp is None:
            stream.last_timestamp, stream.last_timestamp_at = packet.timestamp, now_s
        size = len(data)
        if stream.kind == "audio" or self.pacer.take(size, now_s):
            self._leave(stream, data, True, now_s)
        else:
            self.pacer.push((stream, data, True), size)
            self.on_queued()

    def send_raw(self, data: bytes, stream: OutgoingStream | None = None) -> None:
        """Send a complete packet as it is; with *stream* it is counted and kept for retransmission."""
        self._send_rtp(data)
        self.send_estimator.rate.add(len(data), time.monotonic() * 1000)
        if stream is not None:
            stream.raw = True
            stream.last_timestamp = int.from_bytes(data[4:8], "big")
            stream.last_timestamp_at = time.monotonic()
            stream.sent(data, rtp.HEADER_LENGTH)

    def _leave(self, stream: OutgoingStream, data: bytes | bytearray, fresh: bool, now_s: float) -> None:
        """*fresh*: not sent before under this SSRC and sequence number, so it may (and must) be stamped."""
        if fresh and isinstance(data, bytearray):
            if stream.transport_wide:
                self._transport_sequence = (self._transport_sequence + 1) & 0xFFFF
                self.send_estimator.sent(self._transport_sequence, len(data), now_s * 1000)
            stream.stamp(data, now_s, self._transport_sequence)
        packet = bytes(data)
        self._send_rtp(packet)
        self.send_estimator.rate.add(len(packet), now_s * 1000)
        if packet[8:12] == stream.ssrc.to_bytes(4, "big") and fresh:
            stream.sent(packet, rtp.HEADER_LENGTH)
        else:
            stream.bytes += len(packet)

    # ------------------------------------------------------------ feedback to the far side

    def request_keyframe(self, ssrc: int) -> None:
        now_s = time.monotonic()
        if now_s - self._keyframe_sent.get(ssrc, -1e9) < KEYFRAME_INTERVAL_S:
            if len(self._keyframe_due) < rtp.MAX_TRACKED_SSRCS:
                self._keyframe_due.add(ssrc)
            return
        self._keyframe_due.discard(ssrc)
        self._keyframe_sent[ssrc] = now_s
        if len(self._keyframe_sent) > rtp.MAX_TRACKED_SSRCS:
            del self._keyframe_sent[next(iter(self._keyframe_sent))]
        if stats := self.reception.get(ssrc):
            stats.plis += 1
        own = self.feedback_ssrc
        if self._use_fir:
            self._fir_command += 1
            # Call servers that write only "ccm fir" were seen to act on PLI, which tells the source in its header.
            asked = rtcp.make_fir(own, ssrc, self._fir_command) + rtcp.make_pli(own, ssrc)
            self._send_rtcp(rtcp.feedback_prefix(own) + asked)
        else:
            self._send_rtcp(rtcp.feedback_prefix(own) + rtcp.make_pli(own, ssrc))

    def request_retransmission(self, ssrc: int, sequences: list[int]) -> None:
        if not sequences:
            return
        for sequence in sequences:
            self._asked.pop(sequence, None)
            self._asked[sequence] = ssrc
        while len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        if stats := self.reception.get(ssrc):
            stats.nacks += 1
        own = self.feedback_ssrc
        self._send_rtcp(rtcp.feedback_prefix(own) + rtcp.make_nack(own, ssrc, sequences))

    @property
    def feedback_ssrc(self) -> int:
        return next(iter(self.streams), self._own_ssrc)

    def tick(self, now_s: float) -> None:
        """Pace, repeat requests and report. Call every 20 ms or so."""
        self.flush(now_s)
        for ssrc in tuple(self._keyframe_due):
            if now_s - self._keyframe_sent.get(ssrc, 0.0) >= KEYFRAME_INTERVAL_S:
                self.request_keyframe(ssrc)
        for ssrc, nacker in self._nackers.items():
            if len(nacker):
                self.request_retransmission(ssrc, nacker.due(now_s, self._trip_s))
        if self.transport_cc and now_s >= self._next_tcc:
            self._next_tcc = now_s + TCC_INTERVAL_S
            if feedback := self._tcc.build(self.feedback_ssrc, self._last_video_ssrc()):
                self._send_rtcp(rtcp.feedback_prefix(self.feedback_ssrc) + feedback)
        if now_s >= self._next_report:
            self._next_report = now_s + REPORT_INTERVAL_S
            self._report(now_s)
        estimate = self.estimator.update(self.loss_received, now_s * 1000)
        if self._told_bps is not None and estimate < self._told_bps * REMB_DROP:
            self._send_remb(now_s)

    def flush(self, now_s: float) -> float | None:
        """Send queued packets whose time has come; seconds until the next one, ``None`` when nothing waits."""
        while (entry := self.pacer.pop(now_s)) is not None:
            stream, data, fresh = entry
            if stream.ssrc in self.streams:
                self._leave(stream, data, fresh, now_s)
        return self.pacer.wait_s() if len(self.pacer) else None

    def _report(self, now_s: float) -> None:
        blocks, expected, lost = [], 0, 0.0
        for stats in self.reception.values():
            if now_s * 1000 - stats.last_arrival_ms < ACTIVE_S * 1000:
                before = stats.expected_prior
                blocks.append(rtcp.report_block(stats, now_s))
                expected += stats.expected - before
                lost += stats.loss_fraction * (stats.expected - before)
        self.loss_received = lost / expected if expected > 0 else None
        ntp, reports = rtcp.ntp_time(), []
        for stream in self.streams.values():
            stamp = stream.timestamp_at(now_s) if stream.reports else None
            if stamp is not None and stream.packets != stream.packets_at_report:
                stream.packets_at_report = stream.packets
                first, blocks = blocks[: rtcp.MAX_REPORT_BLOCKS], blocks[rtcp.MAX_REPORT_BLOCKS :]
                reports.append(
                    rtcp.make_sr(stream.ssrc, ntp, stamp, stream.packets, stream.payload_bytes, first)
                    + rtcp.make_sdes(stream.ssrc, self.cname)
                )
        own = self.feedback_ssrc
        while blocks or not reports:
            first, blocks = blocks[: rtcp.MAX_REPORT_BLOCKS], blocks[rtcp.MAX_REPORT_BLOCKS :]
            reports.append(rtcp.make_rr(own, first) + rtcp.make_sdes(own, self.cname))
        compound = b""
        for report in reports:
            if compound and len(compound) + len(report) > MAX_FEEDBACK_BYTES:
                self._send_rtcp(compound)
                compound = b""
            compound += report
        self._send_rtcp(compound)
        self._send_remb(now_s)

    def _send_remb(self, now_s: float) -> None:
        """One message for all video: a far side takes every REMB as the total."""
        if not self.remb:
            return
        ssrcs = self._video_ssrcs(now_s)
        if ssrcs:
            self._told_bps = self.estimator.bps
            own = self.feedback_ssrc
            self._send_rtcp(rtcp.feedback_prefix(own) + rtcp.make_remb(own, self._told_bps, ssrcs))

    def _video_ssrcs(self, now_s: float) -> list[int]:
        fresh_ms = (now_s - ACTIVE_S) * 1000
        active = [s for s in self.reception.values() if s.clock_rate == 90000 and s.last_arrival_ms > fresh_ms]
        return [s.ssrc for s in active]

    def _last_video_ssrc(self) -> int:
        return next((s.ssrc for s in self.reception.values() if s.clock_rate == 90000), 0)
