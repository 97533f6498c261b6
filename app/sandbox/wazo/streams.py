"""Outgoing RTP streams of a leg that stay continuous whatever feeds them, and what is heard and seen on a leg."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from app.media.api import Codec
from app.media.rtp import ReceivedPacket
from app.sandbox.jitsi.rewriting import Vp8Fields, parse_vp8

_HEADER = Struct("!BBHLL")
RATE = 48_000
BLOCK = 960
"""20 ms at 48 kHz."""
KEPT_SOUND_S = 2.0
KEPT_STAMPS = 600
RATE_WINDOW_S = 2.0
TALK_LEVEL = 200.0
"""RMS of int16 samples above which somebody counts as talking."""
QUIET_BLOCKS = 25


def starts_keyframe(codec: str, payload: bytes) -> bool:
    """Whether this packet begins a picture that needs no other."""
    if codec == "VP8":
        fields = parse_vp8(payload)
        return fields is not None and fields.keyframe
    if codec == "H264" and payload:
        kind = payload[0] & 0x1F
        if kind == 24 and len(payload) > 3:
            kind = payload[3] & 0x1F
        if kind == 28 and len(payload) > 1:
            return bool(payload[1] & 0x80) and payload[1] & 0x1F in (5, 7)
        return kind in (5, 7)
    return codec not in ("VP8", "H264")


@dataclass(slots=True)
class OutStream:
    """One SSRC towards a client: relayed packets keep their spacing, sources may change (bytes in, bytes out)."""

    ssrc: int
    clock_rate: int
    source: int = 0
    """SSRC that is being relayed, 0 for what the server makes itself."""
    packets: int = 0
    _sequence_offset: int = 0
    _timestamp_offset: int = 0
    _picture_offset: int = 0
    _tl0_offset: int = 0
    _last_sequence: int = 0
    _last_timestamp: int = 0
    _last_picture: int = 0
    _last_tl0: int = 0
    _sent_at: float = 0.0
    _started: bool = False

    def stop(self) -> None:
        """What comes next is a new source, even if it has the same SSRC."""
        self.source = -1

    def _next_timestamp(self, now: float) -> int:
        elapsed = max(now - self._sent_at, 0.02) if self._started else 0.0
        return (self._last_timestamp + int(elapsed * self.clock_rate)) & 0xFFFFFFFF

    def relay(self, packet: ReceivedPacket, payload_type: int, codec: str, now: float) -> bytes:
        vp8 = parse_vp8(packet.payload) if codec == "VP8" else None
        if packet.ssrc != self.source:
            self._switch(packet, vp8, now)
        sequence = (packet.sequence_number + self._sequence_offset) & 0xFFFF
        timestamp = (packet.timestamp + self._timestamp_offset) & 0xFFFFFFFF
        body = packet.raw[packet.header_length :]
        if vp8 is not None and vp8.picture_bits:
            body = self._renumber(body, vp8)
        self._note(sequence, timestamp, now)
        return self._pack(packet.raw[0] & 0x20, packet.marker, payload_type, sequence, timestamp) + body

    def _switch(self, packet: ReceivedPacket, vp8: Vp8Fields | None, now: float) -> None:
        self.source = packet.ssrc
        if self._started:
            self._sequence_offset = self._last_sequence + 1 - packet.sequence_number
            self._timestamp_offset = self._next_timestamp(now) - packet.timestamp
            if vp8 is not None:
                self._picture_offset = self._last_picture + 1 - vp8.picture_id
                self._tl0_offset = self._last_tl0 + 1 - vp8.tl0

    def _renumber(self, body: bytes, vp8: Vp8Fields) -> bytes:
        changed = bytearray(body)
        picture = (vp8.picture_id + self._picture_offset) % (1 << vp8.picture_bits)
        if vp8.picture_bits == 15:
            changed[vp8.picture_at] = 0x80 | picture >> 8
            changed[vp8.picture_at + 1] = picture & 0xFF
        else:
            changed[vp8.picture_at] = picture
        if vp8.tl0_at:
            changed[vp8.tl0_at] = self._last_tl0 = (vp8.tl0 + self._tl0_offset) & 0xFF
        self._last_picture = picture
        return bytes(changed)

    def make(self, payload: bytes, payload_type: int, now: float, *, marker: int = 0, samples: int = 0) -> bytes:
        """A packet of the server's own; *samples*: timestamp units since the one before, 0 for the same frame."""
        if self.source != 0 or not self._started:
            self.source = 0
            timestamp = self._next_timestamp(now)
        else:
            timestamp = (self._last_timestamp + samples) & 0xFFFFFFFF
        sequence = (self._last_sequence + 1) & 0xFFFF
        self._note(sequence, timestamp, now)
        return self._pack(0, marker, payload_type, sequence, timestamp) + payload

    def next_picture(self) -> int:
        """Picture id of a frame that the server makes itself."""
        self._last_picture = (self._last_picture + 1) & 0x7FFF
        return self._last_picture

    def _note(self, sequence: int, timestamp: int, now: float) -> None:
        if not self._started or (sequence - self._last_sequence) & 0xFFFF < 0x8000:
            self._last_sequence, self._last_timestamp, self._sent_at = sequence, timestamp, now
        self._started = True
        self.packets += 1

    def _pack(self, padding: int, marker: int, payload_type: int, sequence: int, timestamp: int) -> bytes:
        return _HEADER.pack(0x80 | padding, (marker << 7) | payload_type, sequence, timestamp, self.ssrc)


@dataclass(slots=True)
class AudioHeard:
    """Sound that came from a client, decoded."""

    packets: int = 0
    codec: str = ""
    silent_packets: int = 0
    talking: bool = False
    level: float = 0.0
    digits: list[tuple[str, str]] = field(default_factory=list)
    """Digit and how it came: ``rfc4733``, ``info`` or ``rest``; newest last."""
    _blocks: deque[Any] = field(default_factory=lambda: deque(maxlen=int(KEPT_SOUND_S * 50)))
    _quiet: int = 0

    def add(self, samples: Any) -> bool:
        """Take one decoded packet; True when talking began or ended."""
        import numpy as np

        self.packets += 1
        self._blocks.append(samples)
        self.level = float(np.sqrt(np.mean(np.square(samples.astype(np.float32))))) if len(samples) else 0.0
        if self.level > TALK_LEVEL:
            self._quiet = 0
        else:
            self._quiet += 1
            self.silent_packets += 1
        talking = self.level > TALK_LEVEL or (self.talking and self._quiet < QUIET_BLOCKS)
        changed, self.talking = talking != self.talking, talking
        return changed

    def samples(self) -> Any:
        """The last two seconds, int16 mono at 48 kHz."""
        import numpy as np

        return np.concatenate(list(self._blocks)) if self._blocks else np.zeros(0, np.int16)

    def clear(self) -> None:
        """Forget the sound so far, so that only what comes from now on is measured."""
        self._blocks.clear()

    def tone_power(self, hz: float) -> float:
        """Amplitude (0..32767) of one frequency in the sound that is kept."""
        from app.media.tones import power_at

        samples = self.samples()
        return power_at(samples, hz) if len(samples) else 0.0

    def loudest(self) -> float:
        """The strongest frequency in Hz, 0 for silence."""
        import numpy as np

        samples = self.samples()
        if len(samples) < 4800 or not math.isfinite(self.level):
            return 0.0
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        spectrum[: int(60 * len(samples) / RATE)] = 0
        at = int(np.argmax(spectrum))
        return at * RATE / len(samples) if spectrum[at] > 1000 * len(samples) / 100 else 0.0


@dataclass(slots=True)
class VideoSeen:
    """Pictures that came from a client. They are decoded only while :attr:`decode` is set."""

    packets: int = 0
    frames: int = 0
    keyframes: int = 0
    codec: str = ""
    ssrc: int = 0
    width: int = 0
    height: int = 0
    broken: int = 0
    decode: bool = False
    stamps: deque[tuple[float, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_STAMPS))
    """(arrival in ms since the epoch, stamp)."""
    times: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_STAMPS))
    _decoder: Any = None
    _decoder_codec: str = ""
    _pieces: bytearray = field(default_factory=bytearray)

    @property
    def fps(self) -> float:
        """Mean over the last two seconds."""
        now = time.monotonic()
        return sum(1 for at in self.times if now - at < RATE_WINDOW_S) / RATE_WINDOW_S

    @property
    def stamp(self) -> Any:
        return self.stamps[-1][1] if self.stamps else None

    def add(self, packet: ReceivedPacket, codec: Codec) -> bool:
        """Take one packet; True when the decoder needs a keyframe."""
        name = codec.name.upper()
        self.packets += 1
        self.codec, self.ssrc = name, packet.ssrc
        if starts_keyframe(name, packet.payload):
            self.keyframes += 1
        if packet.marker:
            self.frames += 1
            self.times.append(time.monotonic())
        return self._decode(packet, name) if self.decode and name in ("VP8", "H264") else False

    def _decode(self, packet: ReceivedPacket, name: str) -> bool:
        from app.media.stamp import read
        from app.media.video_codec import DecodeError, PayloadError, VideoDecoder, depayload

        fresh = self._decoder is None or self._decoder_codec != name
        if fresh:
            self._decoder, self._decoder_codec = VideoDecoder(name), name
            self._pieces.clear()
        try:
            part = depayload(name, packet.payload)
        except PayloadError:
            self.broken += 1
            return False
        if part.opens and name == "VP8":
            self._pieces.clear()
        self._pieces += part.data
        if not packet.marker:
            return fresh
        data = bytes(self._pieces)
        self._pieces.clear()
        try:
            frame = self._decoder.decode(data)
        except DecodeError:
            self.broken += 1
            return True
        if frame is None:
            return fresh
        self.width, self.height = frame.width, frame.height
        stamp = read(frame)
        if stamp is not None:
            self.stamps.append((time.time() * 1000, stamp))
        return False
