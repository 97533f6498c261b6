"""RTCP: compound packets in and out, feedback messages, transport-wide feedback (RFC 3550, RFC 4585, RFC 5104).

Transport-wide congestion control follows draft-holmer-rmcat-transport-wide-cc-extensions-01, REMB
draft-alvestrand-rmcat-remb-03. Whatever a peer sends, :func:`parse` returns the parts that are sound and never raises.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    clamp_packets_lost,
    pack_remb_fci,
    unpack_remb_fci,
)

from app.media.rtp import ReceptionStatistics

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
RTPFB_NACK, RTPFB_TRANSPORT_CC = 1, 15
PSFB_PLI, PSFB_FIR, PSFB_APP = 1, 4, 15
SDES_CNAME = 1
NTP_EPOCH_OFFSET_S = 2208988800
"""1900 to 1970."""
MAX_PARTS = 64
"""Parts of one compound packet that are looked at."""
MAX_NACKS = 1024
MAX_REPORT_BLOCKS = 31
MAX_REMB_SSRCS = 60
"""Keeps the message under 300 bytes."""
TCC_UNIT_MS = 0.25
TCC_REFERENCE_MS = 64
MAX_TCC_PACKETS = 2048


@dataclass(frozen=True, slots=True)
class TransportFeedback:
    """Transport-wide feedback: per packet from *base_sequence* on, arrival in milliseconds (remote clock) or None."""

    ssrc: int
    media_ssrc: int
    base_sequence: int
    count: int
    arrivals_ms: tuple[float | None, ...]


Part = AnyRtcpPacket | TransportFeedback


def ntp_time(wall_s: float | None = None) -> int:
    """64-bit NTP time of a wall clock time in seconds since 1970."""
    seconds = (time.time() if wall_s is None else wall_s) + NTP_EPOCH_OFFSET_S
    return (int(seconds) << 32) | int((seconds % 1) * 4294967296)


def ntp_to_unix_ms(ntp: int) -> float:
    return ((ntp >> 32) - NTP_EPOCH_OFFSET_S) * 1000 + (ntp & 0xFFFFFFFF) * 1000 / 4294967296


def ntp_middle(ntp: int) -> int:
    return (ntp >> 16) & 0xFFFFFFFF


def parse(data: bytes) -> list[Part]:
    """All sound parts of a compound packet; stops at the first that breaks the framing."""
    parts: list[Part] = []
    position = 0
    while position + 4 <= len(data) and len(parts) < MAX_PARTS:
        head, kind = data[position], data[position + 1]
        end = position + 4 + 4 * ((data[position + 2] << 8) | data[position + 3])
        if head & 0xC0 != 0x80 or end > len(data):
            break
        body = data[position + 4 : end]
        position = end
        if head & 0x20:
            if not body or not 0 < body[-1] <= len(body):
                break
            body = body[: -body[-1]]
        part = _parse_part(kind, head & 0x1F, body)
        if part is not None:
            parts.append(part)
    return parts


def _parse_part(kind: int, count: int, body: bytes) -> Part | None:
    try:
        if kind == SR:
            # Profile-specific extensions may follow the report blocks.
            return RtcpSrPacket.parse(body[: 24 + 24 * count], count)
        if kind == RR:
            return RtcpRrPacket.parse(body[: 4 + 24 * count], count)
        if kind == SDES:
            return RtcpSdesPacket.parse(body, count)
        if kind == BYE:
            return RtcpByePacket.parse(body, count)
        if kind == RTPFB:
            if count == RTPFB_TRANSPORT_CC:
                return parse_transport_feedback(body)
            packet = RtcpRtpfbPacket.parse(body, count)
            del packet.lost[MAX_NACKS:]
            return packet
        if kind == PSFB:
            return RtcpPsfbPacket.parse(body, count)
    except (ValueError, struct.error, IndexError):
        return None
    return None


def parse_remb(packet: RtcpPsfbPacket) -> tuple[int, list[int]] | None:
    """``(bits per second, SSRCs)`` of a REMB, ``None`` when it is something else or malformed."""
    try:
        return unpack_remb_fci(packet.fci)
    except (ValueError, struct.error, IndexError):
        return None


def parse_fir(packet: RtcpPsfbPacket) -> list[int]:
    """SSRCs that a FIR asks a keyframe of (RFC 5104 section 4.3.1)."""
    return [int.from_bytes(packet.fci[i : i + 4], "big") for i in range(0, len(packet.fci) - 7, 8)]


# ---------------------------------------------------------------- making


def feedback_prefix(ssrc: int) -> bytes:
    """The empty receiver report that makes feedback a compound packet (RFC 4585 section 3.1)."""
    return b"\x80\xc9\x00\x01" + ssrc.to_bytes(4, "big")


def make_pli(ssrc: int, media_ssrc: int) -> bytes:
    return bytes(RtcpPsfbPacket(fmt=PSFB_PLI, ssrc=ssrc, media_ssrc=media_ssrc))


def make_fir(ssrc: int, media_ssrc: int, command: int) -> bytes:
    fci = struct.pack("!LL", media_ssrc, (command & 0xFF) << 24)
    return bytes(RtcpPsfbPacket(fmt=PSFB_FIR, ssrc=ssrc, media_ssrc=0, fci=fci))


def make_nack(ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Generic NACK; sequence numbers in any order, across the wrap."""
    numbers = sorted(set(sequences))
    if numbers and numbers[-1] - numbers[0] > 0x8000:
        numbers = [n for n in numbers if n >= 0x8000] + [n for n in numbers if n < 0x8000]
    payload = struct.pack("!LL", ssrc, media_ssrc)
    first: int | None = None
    mask = 0
    for number in numbers[:MAX_NACKS]:
        distance = 0 if first is None else ((number - first) & 0xFFFF) - 1
        if first is not None and distance < 16:
            mask |= 1 << distance
            continue
        if first is not None:
            payload += struct.pack("!HH", first, mask)
        first, mask = number & 0xFFFF, 0
    if first is not None:
        payload += struct.pack("!HH", first, mask)
    return struct.pack("!BBH", 0x80 | RTPFB_NACK, RTPFB, len(payload) // 4) + payload


def make_remb(ssrc: int, bps: float, media_ssrcs: Sequence[int]) -> bytes:
    fci = pack_remb_fci(max(0, int(bps)), list(media_ssrcs[:MAX_REMB_SSRCS]))
    return bytes(RtcpPsfbPacket(fmt=PSFB_APP, ssrc=ssrc, media_ssrc=0, fci=fci))


def make_bye(ssrcs: list[int]) -> bytes:
    return bytes(RtcpByePacket(sources=ssrcs[:31]))


def make_sdes(ssrc: int, cname: str) -> bytes:
    return bytes(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=ssrc, items=[(SDES_CNAME, cname.encode()[:255])])]))


def make_sr(
    ssrc: int, ntp: int, rtp_timestamp: int, packets: int, octets: int, reports: list[RtcpReceiverInfo]
) -> bytes:
    info = RtcpSenderInfo(
        ntp_timestamp=ntp,
        rtp_timestamp=rtp_timestamp & 0xFFFFFFFF,
        packet_count=packets & 0xFFFFFFFF,
        octet_count=octets & 0xFFFFFFFF,
    )
    return bytes(RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=reports))


def make_rr(ssrc: int, reports: list[RtcpReceiverInfo]) -> bytes:
    return bytes(RtcpRrPacket(ssrc=ssrc, reports=reports))


def report_block(stats: ReceptionStatistics, now_s: float) -> RtcpReceiverInfo:
    """The report block of one remote SSRC; closes its loss interval."""
    fraction = stats.close_interval()
    delay = int((now_s - stats.last_sr_at) * 65536) if stats.last_sr else 0
    return RtcpReceiverInfo(
        ssrc=stats.ssrc,
        fraction_lost=fraction,
        packets_lost=clamp_packets_lost(stats.lost),
        highest_sequence=(stats.cycles + stats.max_sequence) & 0xFFFFFFFF,
        jitter=min(0xFFFFFFFF, int(stats.jitter)),
        lsr=stats.last_sr,
        dlsr=min(0xFFFFFFFF, max(0, delay)),
    )


def round_trip_ms(report: RtcpReceiverInfo, now_ntp: int) -> float | None:
    """RFC 3550 section 6.4.1; ``None`` when the block carries no time or a nonsensical one."""
    if not report.lsr:
        return None
    trip = ((ntp_middle(now_ntp) - report.lsr - report.dlsr) & 0xFFFFFFFF) / 65.536
    return trip if trip < 30_000 else None


# ---------------------------------------------------------------- transport-wide feedback


def parse_transport_feedback(body: bytes) -> TransportFeedback | None:
    """The FCI of a transport-wide feedback message; ``None`` when malformed."""
    if len(body) < 16:
        return None
    ssrc, media_ssrc, base, count = struct.unpack_from("!LLHH", body)
    reference = int.from_bytes(body[12:15], "big", signed=True)
    if count > MAX_TCC_PACKETS:
        return None
    symbols: list[int] = []
    position = 16
    while len(symbols) < count:
        if position + 2 > len(body):
            return None
        chunk = (body[position] << 8) | body[position + 1]
        position += 2
        if chunk & 0x8000:
            width = 2 if chunk & 0x4000 else 1
            mask = (1 << width) - 1
            symbols += [(chunk >> (14 - width * (i + 1))) & mask for i in range(14 // width)]
        else:
            symbols += [(chunk >> 13) & 3] * min(chunk & 0x1FFF, count - len(symbols))
            if not chunk & 0x1FFF:
                return None
    arrivals: list[float | None] = []
    clock = float(reference * TCC_REFERENCE_MS)
    for symbol in symbols[:count]:
        if symbol == 1:
            if position + 1 > len(body):
                return None
            clock += body[position] * TCC_UNIT_MS
            position += 1
        elif symbol == 2:
            if position + 2 > len(body):
                return None
            clock += int.from_bytes(body[position : position + 2], "big", signed=True) * TCC_UNIT_MS
            position += 2
        arrivals.append(clock if symbol in (1, 2) else None)
    return TransportFeedback(ssrc, media_ssrc, base, body[15], tuple(arrivals))


class TransportFeedbackBuilder:
    """Collects arrivals of transport-wide sequence numbers and makes feedback messages of them."""

    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}
        self._next: int | None = None
        self._count = 0

    def add(self, sequence: int, arrived_ms: float) -> None:
        unwrapped = self._unwrap(sequence)
        if unwrapped is not None and len(self._arrivals) < MAX_TCC_PACKETS:
            self._arrivals.setdefault(unwrapped, arrived_ms)

    def _unwrap(self, sequence: int) -> int | None:
        if self._next is None:
            self._next = sequence
            return sequence
        delta = ((sequence - self._next) & 0xFFFF) - (0x10000 if (sequence - self._next) & 0x8000 else 0)
        # Too old to be reported, or a jump so large that it starts anew.
        if delta < 0 and not self._arrivals:
            return None
        if delta > MAX_TCC_PACKETS:
            self._arrivals.clear()
            self._next += delta
            return self._next
        return self._next + delta if delta >= 0 else None

    def build(self, ssrc: int, media_ssrc: int) -> bytes | None:
        """The feedback for everything since the last call, ``None`` when nothing arrived."""
        if not self._arrivals or self._next is None:
            return None
        first, last = self._next, max(self._arrivals)
        reference = int(self._arrivals[min(self._arrivals)] // TCC_REFERENCE_MS)
        clock = reference * TCC_REFERENCE_MS / TCC_UNIT_MS
        symbols, deltas = [], b""
        for sequence in range(first, last + 1):
            arrived = self._arrivals.get(sequence)
            if arrived is None:
                symbols.append(0)
                continue
            delta = round(arrived / TCC_UNIT_MS - clock)
            if not -32768 <= delta <= 32767:
                last = sequence - 1
                break
            clock += delta
            small = 0 <= delta <= 255
            symbols.append(1 if small else 2)
            deltas += delta.to_bytes(1, "big") if small else delta.to_bytes(2, "big", signed=True)
        chunks = b"".join(_status_chunks(symbols))
        body = struct.pack("!LLHH", ssrc, media_ssrc, first & 0xFFFF, len(symbols))
        body += (reference & 0xFFFFFF).to_bytes(3, "big") + bytes((self._count & 0xFF,)) + chunks + deltas
        body += bytes(-len(body) % 4)
        self._count += 1
        self._next = last + 1
        self._arrivals = {s: a for s, a in self._arrivals.items() if s > last}
        if not symbols:
            self._arrivals.clear()
            self._next = None
            return None
        return struct.pack("!BBH", 0x80 | RTPFB_TRANSPORT_CC, RTPFB, len(body) // 4) + body


def _status_chunks(symbols: list[int]) -> Iterable[bytes]:
    position = 0
    while position < len(symbols):
        run = 1
        while position + run < len(symbols) and symbols[position + run] == symbols[position] and run < 0x1FFF:
            run += 1
        if run >= 7:
            yield struct.pack("!H", (symbols[position] << 13) | run)
            position += run
            continue
        chunk = 0xC000
        for offset, symbol in enumerate(symbols[position : position + 7]):
            chunk |= symbol << (12 - 2 * offset)
        yield struct.pack("!H", chunk)
        position += 7
