"""RTP packets as the transport handles them: parsing, header extensions, retransmission, reception statistics.

RFC 3550 (RTP), RFC 8285 (header extensions), RFC 6464 (audio level), RFC 4588 (retransmission). Pure functions and
small state holders; this is the hot path, so a packet is parsed once and never written again field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from struct import Struct

from aiortc.rtp import HeaderExtensions, RtpPacket

from app.media.api import Codec, HeaderExtension, MediaDescription

HEADER = Struct("!BBHLL")
HEADER_LENGTH = 12
ONE_BYTE_PROFILE = 0xBEDE
TWO_BYTE_PROFILE_MASK = 0xFFF0
TWO_BYTE_PROFILE = 0x1000

URI_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
URI_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
URI_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
URI_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
URI_VIDEO_ORIENTATION = "urn:3gpp:video-orientation"

HISTORY_PACKETS = 512
"""About two seconds of 2.5 Mbit/s video: longer than any retransmission is useful."""
RESEND_INTERVAL_S = 0.01
"""The same packet is not sent again sooner, whatever a peer asks."""
MAX_NACK_GAP = 250
"""A larger hole is not worth asking for; a keyframe repairs it."""
MAX_NACK_TRIES = 8
MAX_NACK_AGE_S = 1.0
MAX_TRACKED_SSRCS = 300
"""Bound on reception statistics: a bridge has at most 100 slots, each with RTX."""


class ExtensionIds:
    """Which local number each header extension has on this transport."""

    __slots__ = ("abs_send_time", "audio_level", "mid", "transport_cc", "video_orientation")

    def __init__(self, extensions: Iterable[HeaderExtension] = ()) -> None:
        by_uri = {e.uri: e.id for e in extensions if 0 < e.id < 15}
        self.audio_level = by_uri.get(URI_AUDIO_LEVEL, 0)
        self.abs_send_time = by_uri.get(URI_ABS_SEND_TIME, 0)
        self.mid = by_uri.get(URI_MID, 0)
        self.transport_cc = by_uri.get(URI_TRANSPORT_CC, 0)
        self.video_orientation = by_uri.get(URI_VIDEO_ORIENTATION, 0)


class ReceivedPacket(RtpPacket):
    """A decrypted packet that arrived, RTX already unwrapped. Do not change its fields: others share it."""

    raw: bytes
    """The packet as plain bytes (RTX unwrapped), ready to be forwarded."""
    header_length: int
    arrived_ms: float
    """Monotonic milliseconds."""
    audio_level: int | None
    """dBov, 0 loudest .. -127 silence (RFC 6464); ``None`` without the extension."""
    voice: bool
    mid: str | None
    abs_send_time: int | None
    transport_sequence: int | None
    rotation: int | None
    """How far to turn the picture clockwise for display, in degrees (3GPP TS 26.114 section 7.4.5)."""
    retransmitted: bool

    @property
    def extensions(self) -> HeaderExtensions:
        level = None if self.audio_level is None else (self.voice, -self.audio_level)
        return HeaderExtensions(
            abs_send_time=self.abs_send_time,
            audio_level=level,
            mid=self.mid,
            transport_sequence_number=self.transport_sequence,
        )

    @extensions.setter
    def extensions(self, value: HeaderExtensions) -> None:
        raise AttributeError("a received packet is read-only")


def is_rtcp(datagram: bytes) -> bool:
    """RFC 5761 section 4: payload types 64..95 with the marker bit are RTCP."""
    return len(datagram) >= 2 and 192 <= datagram[1] <= 223


def parse(data: bytes, ids: ExtensionIds, arrived_ms: float = 0.0) -> ReceivedPacket | None:
    """Parse a plain RTP packet; ``None`` when it is malformed."""
    if len(data) < HEADER_LENGTH:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first & 0xC0 != 0x80:
        return None
    packet: ReceivedPacket = ReceivedPacket.__new__(ReceivedPacket)
    packet.version = 2
    packet.marker = second >> 7
    packet.payload_type = second & 0x7F
    packet.sequence_number = sequence
    packet.timestamp = timestamp
    packet.ssrc = ssrc
    packet.audio_level = packet.mid = packet.abs_send_time = packet.transport_sequence = packet.rotation = None
    packet.voice = packet.retransmitted = False
    packet.arrived_ms = arrived_ms
    packet.raw = data
    position = HEADER_LENGTH
    if csrcs := first & 0x0F:
        position += 4 * csrcs
        packet.csrc = [int.from_bytes(data[i : i + 4], "big") for i in range(HEADER_LENGTH, position, 4)]
    else:
        packet.csrc = []
    if first & 0x10:
        if len(data) < position + 4:
            return None
        end = position + 4 + 4 * ((data[position + 2] << 8) | data[position + 3])
        if len(data) < end:
            return None
        _parse_extensions(packet, data, position, end, ids)
        position = end
    padding = data[-1] if first & 0x20 else 0
    if position + padding > len(data) or (first & 0x20 and not padding):
        return None
    packet.header_length = position
    packet.padding_size = padding
    packet.payload = data[position : len(data) - padding]
    return packet


def _parse_extensions(packet: ReceivedPacket, data: bytes, start: int, end: int, ids: ExtensionIds) -> None:
    profile = (data[start] << 8) | data[start + 1]
    position = start + 4
    if profile == ONE_BYTE_PROFILE:
        while position < end:
            head = data[position]
            position += 1
            if head == 0:
                continue
            number, length = head >> 4, (head & 0x0F) + 1
            if number == 15 or position + length > end:
                return
            _set_extension(packet, number, data, position, length, ids)
            position += length
    elif profile & TWO_BYTE_PROFILE_MASK == TWO_BYTE_PROFILE:
        while position + 1 < end:
            number, length = data[position], data[position + 1]
            if number == 0:
                position += 1
                continue
            position += 2
            if position + length > end:
                return
            _set_extension(packet, number, data, position, length, ids)
            position += length


def _set_extension(p: ReceivedPacket, number: int, data: bytes, at: int, length: int, ids: ExtensionIds) -> None:
    if length == 0:
        return
    if number == ids.audio_level:
        p.audio_level = -(data[at] & 0x7F)
        p.voice = data[at] >= 0x80
    elif number == ids.abs_send_time:
        if length == 3:
            p.abs_send_time = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2]
    elif number == ids.transport_cc:
        if length >= 2:
            p.transport_sequence = (data[at] << 8) | data[at + 1]
    elif number == ids.video_orientation:
        # The sender turned the picture counter-clockwise by so many quarters; turning it back is clockwise.
        p.rotation = (data[at] & 0x03) * 90
    elif number == ids.mid:
        p.mid = data[at : at + length].decode("ascii", "replace")


def header_length(data: bytes) -> int | None:
    """Bytes before the payload, ``None`` when malformed."""
    if len(data) < HEADER_LENGTH or data[0] & 0xC0 != 0x80:
        return None
    position = HEADER_LENGTH + 4 * (data[0] & 0x0F)
    if data[0] & 0x10:
        if len(data) < position + 4:
            return None
        position += 4 + 4 * ((data[position + 2] << 8) | data[position + 3])
    return position if position <= len(data) else None


def unwrap_rtx(data: bytes, payload_type: int, ssrc: int) -> bytes | None:
    """The original packet out of a retransmission (RFC 4588 section 4); ``None`` for padding and malformed ones."""
    start = header_length(data)
    if start is None or len(data) < start + 2:
        return None
    if data[0] & 0x20 and len(data) - start - data[-1] < 2:
        return None
    header = bytearray(data[:start])
    header[1] = (header[1] & 0x80) | payload_type
    header[2:4] = data[start : start + 2]
    header[8:12] = ssrc.to_bytes(4, "big")
    return bytes(header) + data[start + 2 :]


def wrap_rtx(data: bytes, payload_type: int, ssrc: int, sequence: int) -> bytearray | None:
    """A retransmission of *data* (RFC 4588 section 4)."""
    start = header_length(data)
    if start is None:
        return None
    packet = bytearray(data[:start])
    packet[1] = (packet[1] & 0x80) | payload_type
    packet[8:12] = ssrc.to_bytes(4, "big")
    packet += packet[2:4]
    packet[2:4] = sequence.to_bytes(2, "big")
    packet += data[start:]
    return packet


def abs_send_time(now_s: float) -> int:
    """24 bits of 6.18 fixed-point seconds."""
    return int(now_s * 262144) & 0xFFFFFF


def sequence_newer(a: int, b: int) -> bool:
    """Whether *a* comes after *b* modulo 2**16."""
    return 0 < ((a - b) & 0xFFFF) < 0x8000


class OutgoingStream:
    """One local SSRC: its header extensions, history for retransmission and counters for sender reports."""

    def __init__(
        self,
        ssrc: int,
        *,
        kind: str,
        codecs: tuple[Codec, ...] = (),
        ids: ExtensionIds | None = None,
        mid: str = "",
        rtx_ssrc: int | None = None,
        rtx_sequence: int = 0,
        reports: bool = True,
    ) -> None:
        self.ssrc = ssrc
        self.kind = kind
        self.rtx_ssrc = rtx_ssrc
        self.reports = reports
        # Telephone events share the SSRC but not the clock of the sound (RFC 4733 section 2.5.1.2).
        self.clock_rates = {c.payload_type: c.clock_rate for c in codecs if c.name.lower() != "telephone-event"}
        self.rtx_types = rtx_payload_types(codecs)
        self.nack_types = {c.payload_type for c in codecs if "nack" in c.feedback}
        self.raw = False
        """Packets come ready made, with header extensions of somebody else: nothing is written into them."""
        self.bytes = self.packets = self.retransmissions = self.nacks = self.plis = 0
        self.payload_bytes = 0
        self.clock: Callable[[], tuple[int, float] | None] | None = None
        """RTP timestamp and the monotonic time in ms when its media was captured; else the newest packet counts."""
        self.last_timestamp: int | None = None
        self.last_timestamp_at = 0.0
        self.last_payload_type = 0
        self.packets_at_report = 0
        self.loss = 0.0
        self.lost = 0
        self.jitter = 0
        self._rtx_sequence = rtx_sequence
        self._history: dict[int, bytes] = {}
        self._resent: dict[int, float] = {}
        self._ids = ids or ExtensionIds()
        self._form = (codecs, mid)
        self._block, self._level_at, self._time_at, self._tcc_at = self._template(mid)

    def fits(self, description: MediaDescription) -> bool:
        """Whether the stream is made for this description already."""
        ids = ExtensionIds(description.header_extensions)
        same = all(getattr(ids, name) == getattr(self._ids, name) for name in ExtensionIds.__slots__)
        return same and self._form == (description.codecs, description.mid)

    def take_over(self, before: OutgoingStream) -> None:
        """Go on counting where the stream of the same SSRC stopped."""
        self.bytes, self.packets, self.payload_bytes = before.bytes, before.packets, before.payload_bytes
        self.retransmissions, self.nacks, self.plis = before.retransmissions, before.nacks, before.plis
        self._rtx_sequence = before._rtx_sequence

    def _template(self, mid: str) -> tuple[bytes, int, int, int]:
        """The extension block with places for values that change per packet (offsets from the RTP header's end)."""
        ids, block = self._ids, bytearray()
        level_at = time_at = tcc_at = 0
        encoded = mid.encode("ascii", "ignore")[:16]
        if ids.mid and encoded:
            block += bytes(((ids.mid << 4) | (len(encoded) - 1),)) + encoded
        if ids.audio_level and self.kind == "audio":
            block += bytes((ids.audio_level << 4,))
            level_at = len(block) + 4
            block += b"\x7f"
        if ids.abs_send_time and self.kind == "video":
            block += bytes(((ids.abs_send_time << 4) | 2,))
            time_at = len(block) + 4
            block += b"\0\0\0"
        if ids.transport_cc:
            block += bytes(((ids.transport_cc << 4) | 1,))
            tcc_at = len(block) + 4
            block += b"\0\0"
        if not block:
            return b"", 0, 0, 0
        block += bytes(-len(block) % 4)
        head = ONE_BYTE_PROFILE.to_bytes(2, "big") + (len(block) // 4).to_bytes(2, "big")
        return head + bytes(block), level_at, time_at, tcc_at

    def build(self, packet: RtpPacket, audio_level_dbov: int | None, voice: bool) -> bytearray:
        """Serialise *packet*; time stamps and transport-wide numbers are set by :meth:`stamp` when it leaves."""
        block, csrc = self._block, packet.csrc
        data = bytearray(
            HEADER.pack(
                0x80 | (0x10 if block else 0) | len(csrc),
                (packet.marker << 7) | packet.payload_type,
                packet.sequence_number,
                packet.timestamp,
                packet.ssrc,
            )
        )
        for source in csrc:
            data += source.to_bytes(4, "big")
        if block:
            start = len(data)
            data += block
            if self._level_at and audio_level_dbov is not None:
                data[start + self._level_at] = (0x80 if voice else 0) | min(127, max(0, -audio_level_dbov))
        data += packet.payload
        return data

    def stamp(self, data: bytearray, now_s: float, transport_sequence: int) -> None:
        """Write abs-send-time and the transport-wide sequence number into a packet made by :meth:`build`."""
        if (self._time_at or self._tcc_at) and not self.raw:
            start = HEADER_LENGTH + 4 * (data[0] & 0x0F)
            if self._time_at:
                at = start + self._time_at
                data[at : at + 3] = abs_send_time(now_s).to_bytes(3, "big")
            if self._tcc_at:
                at = start + self._tcc_at
                data[at : at + 2] = (transport_sequence & 0xFFFF).to_bytes(2, "big")

    @property
    def transport_wide(self) -> bool:
        return bool(self._tcc_at) and not self.raw

    def timestamp_at(self, now_s: float) -> int | None:
        """RTP timestamp of media captured now, for a sender report (RFC 3550 section 6.4.1)."""
        known = self.clock() if self.clock is not None else None
        rate = self.clock_rates.get(self.last_payload_type) or next(iter(self.clock_rates.values()), 90000)
        if known is not None:
            return known[0] + int((now_s - known[1] / 1000) * rate)
        if self.last_timestamp is None:
            return None
        return self.last_timestamp + int((now_s - self.last_timestamp_at) * rate)

    def sent(self, data: bytes, header: int) -> None:
        """Count a packet that left and remember it if the peer may ask for it again."""
        self.packets += 1
        self.bytes += len(data)
        self.payload_bytes += len(data) - header
        payload_type = data[1] & 0x7F
        self.last_payload_type = payload_type
        if payload_type in self.nack_types or payload_type in self.rtx_types:
            self.remember(data)

    def remember(self, data: bytes) -> None:
        history = self._history
        sequence = (data[2] << 8) | data[3]
        history.pop(sequence, None)
        history[sequence] = data
        if len(history) > HISTORY_PACKETS:
            oldest = next(iter(history))
            del history[oldest]
            self._resent.pop(oldest, None)

    def retransmit(self, sequence: int, now_s: float) -> tuple[bytes | bytearray, bool] | None:
        """``(packet, is_rtx)`` for a sequence number the peer misses, ``None`` if it is gone or was just sent.

        Without RTX the very same bytes go out again: an altered packet under the same SRTP index would expose keys.
        """
        data = self._history.get(sequence)
        if data is None or now_s - self._resent.get(sequence, -1.0) < RESEND_INTERVAL_S:
            return None
        self._resent[sequence] = now_s
        self.retransmissions += 1
        rtx_type = self.rtx_types.get(data[1] & 0x7F)
        if self.rtx_ssrc is None or rtx_type is None:
            return data, False
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        packet = wrap_rtx(data, rtx_type, self.rtx_ssrc, self._rtx_sequence)
        return None if packet is None else (packet, True)


def rtx_payload_types(codecs: Iterable[Codec]) -> dict[int, int]:
    """Media payload type to RTX payload type."""
    found: dict[int, int] = {}
    for codec in codecs:
        apt = codec.parameters.get("apt", "")
        if codec.name.lower() == "rtx" and apt.isdigit():
            found[int(apt)] = codec.payload_type
    return found


class ReceptionStatistics:
    """RFC 3550 A.3 and A.8 for one remote SSRC."""

    __slots__ = (
        "base",
        "bytes",
        "clock_rate",
        "cycles",
        "expected_prior",
        "jitter",
        "last_arrival_ms",
        "last_sr",
        "last_sr_at",
        "loss_fraction",
        "max_sequence",
        "nacks",
        "packets",
        "plis",
        "received_prior",
        "ssrc",
        "_transit",
    )

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self.base: int | None = None
        self.max_sequence = 0
        self.cycles = 0
        self.packets = self.bytes = self.nacks = self.plis = 0
        self.expected_prior = self.received_prior = 0
        self.jitter = 0.0
        """In timestamp units."""
        self.last_arrival_ms = 0.0
        self.last_sr = 0
        self.last_sr_at = 0.0
        self.loss_fraction = 0.0
        self._transit = 0

    def add(self, sequence: int, timestamp: int, arrived_ms: float, size: int, in_time: bool = True) -> None:
        self.packets += 1
        self.bytes += size
        self.last_arrival_ms = arrived_ms
        if self.base is None:
            self.base = self.max_sequence = sequence
            self._transit = int(arrived_ms * self.clock_rate / 1000) - timestamp
            return
        ahead = (sequence - self.max_sequence) & 0xFFFF
        if 0 < ahead < 0x8000:
            if sequence < self.max_sequence:
                self.cycles += 0x10000
            self.max_sequence = sequence
        if in_time:
            transit = int(arrived_ms * self.clock_rate / 1000) - timestamp
            delta = abs(transit - self._transit)
            self._transit = transit
            # A jump (wrap, new source in the same slot) is no jitter.
            if delta < self.clock_rate:
                self.jitter += (delta - self.jitter) / 16

    @property
    def expected(self) -> int:
        return 0 if self.base is None else self.cycles + self.max_sequence - self.base + 1

    @property
    def lost(self) -> int:
        return self.expected - self.packets

    @property
    def jitter_ms(self) -> float:
        return self.jitter * 1000 / self.clock_rate

    def close_interval(self) -> int:
        """Loss since the last call in 1/256 (RFC 3550 6.4.1), also kept as :attr:`loss_fraction`."""
        expected, received = self.expected - self.expected_prior, self.packets - self.received_prior
        self.expected_prior, self.received_prior = self.expected, self.packets
        lost = max(0, expected - received)
        self.loss_fraction = lost / expected if expected > 0 else 0.0
        return min(255, int(self.loss_fraction * 256))


class NackGenerator:
    """Finds holes in one SSRC's sequence and says when to ask for them again (RFC 4585 section 6.2.1)."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, list[float]] = {}

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, sequence: int, now_s: float) -> bool:
        """Note an arrival; ``True`` when new holes appeared."""
        if self._highest is None:
            self._highest = sequence
            return False
        if not sequence_newer(sequence, self._highest):
            self._missing.pop(sequence, None)
            return False
        gap = ((sequence - self._highest) & 0xFFFF) - 1
        if gap > MAX_NACK_GAP:
            self._missing.clear()
            gap = 0
        for offset in range(gap):
            # [first seen, next request, tries]
            self._missing[(self._highest + 1 + offset) & 0xFFFF] = [now_s, now_s, 0]
        while len(self._missing) > MAX_NACK_GAP:
            del self._missing[next(iter(self._missing))]
        self._highest = sequence
        return gap > 0

    def due(self, now_s: float, round_trip_s: float) -> list[int]:
        """Sequence numbers to ask for now; forgets those that are too old."""
        wanted: list[int] = []
        for sequence, entry in list(self._missing.items()):
            if now_s - entry[0] > MAX_NACK_AGE_S or entry[2] >= MAX_NACK_TRIES:
                del self._missing[sequence]
            elif now_s >= entry[1]:
                entry[1] = now_s + max(0.02, round_trip_s * 1.25)
                entry[2] += 1
                wanted.append(sequence)
        return wanted
