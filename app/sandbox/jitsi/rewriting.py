"""Rewriting of RTP packets for one receiver: SSRC, sequence, timestamp and VP8 picture numbers stay continuous although
the source or the simulcast layer behind an SSRC changes (jitsi.md 6.2). Pure: bytes in, bytes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from app.media.rtp import ReceivedPacket
from app.sandbox.jitsi.offer import AUDIO_LEVEL_ID, H264_PT, VP8_PT

_HEADER = Struct("!BBHLL")
_LEVEL_EXTENSION = bytes((0xBE, 0xDE, 0, 1, AUDIO_LEVEL_ID << 4))
MAX_REORDER = 1000
"""Packets further behind the newest are dropped."""


@dataclass(slots=True)
class Vp8Fields:
    """Positions and values inside a VP8 payload descriptor (RFC 7741 4.2)."""

    keyframe: bool
    picture_at: int = 0
    picture_bits: int = 0
    picture_id: int = 0
    tl0_at: int = 0
    tl0: int = 0


def parse_vp8(payload: bytes) -> Vp8Fields | None:
    """``None`` when the descriptor is cut off."""
    size = len(payload)
    if size < 1:
        return None
    first = payload[0]
    fields = Vp8Fields(False)
    at = 1
    if first & 0x80:
        if size < 2:
            return None
        extension = payload[1]
        at = 2
        if extension & 0x80:
            if size < at + 1:
                return None
            fields.picture_at = at
            if payload[at] & 0x80:
                if size < at + 2:
                    return None
                fields.picture_bits, fields.picture_id = 15, ((payload[at] & 0x7F) << 8) | payload[at + 1]
                at += 2
            else:
                fields.picture_bits, fields.picture_id = 7, payload[at]
                at += 1
        if extension & 0x40:
            if size < at + 1:
                return None
            fields.tl0_at, fields.tl0 = at, payload[at]
            at += 1
        if extension & 0x30:
            at += 1
    begins = first & 0x17 == 0x10
    fields.keyframe = begins and size > at and payload[at] & 1 == 0
    return fields


def starts_keyframe(payload_type: int, payload: bytes) -> bool:
    """Whether this packet begins a picture that needs no other."""
    if payload_type == VP8_PT:
        fields = parse_vp8(payload)
        return fields is not None and fields.keyframe
    if payload_type == H264_PT and payload:
        kind = payload[0] & 0x1F
        if kind == 24 and len(payload) > 3:
            kind = payload[3] & 0x1F
        if kind == 28 and len(payload) > 1:
            return bool(payload[1] & 0x80) and payload[1] & 0x1F == 5
        return kind in (5, 7)
    return False


@dataclass(slots=True)
class OutputStream:
    """One outgoing SSRC of one receiver and what is behind it now."""

    ssrc: int
    rtx_ssrc: int | None
    clock_rate: int
    source: str = ""
    layer_ssrc: int = 0
    """SSRC of the sender's layer that is being forwarded, 0 for none."""
    packets: int = 0
    octets: int = 0
    used_at: float = 0.0
    _sequence_offset: int = 0
    _timestamp_offset: int = 0
    _picture_offset: int = 0
    _tl0_offset: int = 0
    _base: int = 0
    _newest_in: int = 0
    _last_sequence: int = 0
    _last_timestamp: int = 0
    _last_picture: int = 0
    _last_tl0: int = 0
    _sent_at: float = 0.0
    _started: bool = False

    def stop(self) -> None:
        """Forward nothing until :meth:`rewrite` is called for a new layer."""
        self.layer_ssrc = 0

    def timestamp(self, sender_timestamp: int) -> int:
        return (sender_timestamp + self._timestamp_offset) & 0xFFFFFFFF

    def _switch(self, packet: ReceivedPacket, now: float, vp8: Vp8Fields | None) -> None:
        self.layer_ssrc = packet.ssrc
        self._base = self._newest_in = packet.sequence_number
        if self._started:
            elapsed = max(now - self._sent_at, 1 / 30)
            timestamp = self._last_timestamp + int(elapsed * self.clock_rate)
            self._sequence_offset = self._last_sequence + 1 - packet.sequence_number
            self._timestamp_offset = timestamp - packet.timestamp
            if vp8 is not None:
                self._picture_offset = self._last_picture + 1 - vp8.picture_id
                self._tl0_offset = self._last_tl0 + 1 - vp8.tl0
        self._started = True

    def skip(self, packet: ReceivedPacket) -> None:
        """The packet is withheld (silence): close the gap that it would leave, as receivers take gaps for losses."""
        ahead = (packet.sequence_number - self._newest_in) & 0xFFFF
        if packet.ssrc == self.layer_ssrc and 0 < ahead < 0x8000:
            self._newest_in = packet.sequence_number
            self._base = (packet.sequence_number + 1) & 0xFFFF
            self._sequence_offset -= 1

    def rewrite(self, packet: ReceivedPacket, now: float) -> bytes | None:
        """The packet for the receiver; ``None`` when it belongs before the point where this layer took over.

        The caller makes sure that the first packet of a new video layer begins a keyframe.
        """
        is_vp8 = packet.payload_type == VP8_PT
        vp8 = parse_vp8(packet.payload) if is_vp8 else None
        if packet.ssrc != self.layer_ssrc:
            self._switch(packet, now, vp8)
        behind = (self._newest_in - packet.sequence_number) & 0xFFFF
        if behind < 0x8000:
            since_base = (packet.sequence_number - self._base) & 0xFFFF
            if behind > MAX_REORDER or since_base >= 0x8000:
                return None
        else:
            self._newest_in = packet.sequence_number
            if (packet.sequence_number - self._base) & 0xFFFF > 0x4000:
                self._base = (packet.sequence_number - 0x2000) & 0xFFFF
        sequence = (packet.sequence_number + self._sequence_offset) & 0xFFFF
        timestamp = self.timestamp(packet.timestamp)
        body = packet.raw[packet.header_length :]
        if vp8 is not None and vp8.picture_bits:
            body = self._rewrite_vp8(body, vp8, behind == 0 or behind >= 0x8000)
        if behind == 0 or behind >= 0x8000:
            self._last_sequence, self._last_timestamp, self._sent_at = sequence, timestamp, now
        level = packet.audio_level
        first = 0x80 | (packet.raw[0] & 0x20) | (0x10 if level is not None else 0)
        second = (packet.marker << 7) | packet.payload_type
        header = _HEADER.pack(first, second, sequence, timestamp, self.ssrc)
        if level is not None:
            header += _LEVEL_EXTENSION + bytes(((0x80 if packet.voice else 0) | -level, 0, 0))
        self.packets += 1
        self.octets += len(body)
        self.used_at = now
        return header + body

    def _rewrite_vp8(self, body: bytes, vp8: Vp8Fields, newest: bool) -> bytes:
        if not self._picture_offset and not self._tl0_offset:
            if newest:
                self._last_picture, self._last_tl0 = vp8.picture_id, vp8.tl0
            return body
        changed = bytearray(body)
        modulus = 1 << vp8.picture_bits
        picture = (vp8.picture_id + self._picture_offset) % modulus
        if vp8.picture_bits == 15:
            changed[vp8.picture_at] = 0x80 | picture >> 8
            changed[vp8.picture_at + 1] = picture & 0xFF
        else:
            changed[vp8.picture_at] = picture
        tl0 = (vp8.tl0 + self._tl0_offset) & 0xFF
        if vp8.tl0_at:
            changed[vp8.tl0_at] = tl0
        if newest:
            self._last_picture, self._last_tl0 = picture, tl0
        return bytes(changed)
