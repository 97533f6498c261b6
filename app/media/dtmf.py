"""Telephone events (RFC 4733): payload format, and when which packet is due (sans-IO)."""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

DIGITS = "0123456789*#ABCD"
"""Event codes 0 to 15 (RFC 4733 3.2)."""
PAUSE = ","
"""Two seconds of silence, as in W3C's RTCDTMFSender."""
PAUSE_MS = 2_000.0
MIN_DURATION_MS, MAX_DURATION_MS, DEFAULT_DURATION_MS = 40, 6_000, 200
MIN_GAP_MS, MAX_GAP_MS, DEFAULT_GAP_MS = 30, 6_000, 50
"""Bounds as in W3C's RTCDTMFSender."""
MAX_QUEUE = 256
"""Digits waiting; a calling card number with its code has less than forty."""
VOLUME = 10
"""Level of the tone, -10 dBm0 (RFC 4733 2.3.3)."""
END_PACKETS = 3
"""The last packet is sent three times (RFC 4733 2.5.1.4)."""
MAX_UNITS = 0xFFFF


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """One telephone-event payload; *duration* is in timestamp units of the payload type."""

    event: int
    end: bool
    volume: int
    duration: int

    def build(self) -> bytes:
        return struct.pack("!BBH", self.event, (0x80 if self.end else 0) | self.volume & 0x3F, self.duration)

    @property
    def digit(self) -> str | None:
        return DIGITS[self.event] if self.event < len(DIGITS) else None


def parse_event(payload: bytes) -> TelephoneEvent | None:
    """The payload's first event, or ``None`` when it is too short."""
    if len(payload) < 4:
        return None
    event, flags, duration = struct.unpack_from("!BBH", payload)
    return TelephoneEvent(event, bool(flags & 0x80), flags & 0x3F, duration)


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What to send now. Packets of one event share the RTP timestamp of its first."""

    event: TelephoneEvent
    first: bool
    """First packet of the event: set the marker and take the timestamp anew."""


@dataclass(frozen=True, slots=True)
class _Tone:
    digit: str
    duration_ms: float
    gap_ms: float


class DtmfQueue:
    """Tones waiting and the one being sent. Call :meth:`due` about every 20 ms while :attr:`busy`."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._queue: deque[_Tone] = deque()
        self._tone: _Tone | None = None
        self._started_ms = 0.0
        self._free_at_ms = 0.0

    @property
    def busy(self) -> bool:
        return self._tone is not None or bool(self._queue)

    @property
    def sounding(self) -> bool:
        """An event is being sent: no audio packets in its time."""
        return self._tone is not None

    def add(self, tones: str, duration_ms: float = DEFAULT_DURATION_MS, gap_ms: float = DEFAULT_GAP_MS) -> None:
        """Queue digits; small letters are taken, ``,`` pauses, other characters are ignored, times are clamped."""
        duration = min(max(duration_ms, MIN_DURATION_MS), MAX_DURATION_MS, MAX_UNITS * 1000 / self._clock_rate)
        gap = min(max(gap_ms, MIN_GAP_MS), MAX_GAP_MS)
        for character in tones.upper():
            if (character in DIGITS or character == PAUSE) and len(self._queue) < MAX_QUEUE:
                self._queue.append(_Tone(character, duration, gap))

    def clear(self) -> None:
        """Forget what waits; the tone being sent ends at the next :meth:`due`."""
        self._queue.clear()

    def due(self, now_ms: float) -> list[EventPacket]:
        """Packets to send at this time."""
        if self._tone is None:
            return self._begin(now_ms)
        elapsed = now_ms - self._started_ms
        if elapsed < self._tone.duration_ms:
            return [EventPacket(self._event(self._tone, elapsed, end=False), False)]
        last = self._event(self._tone, self._tone.duration_ms, end=True)
        self._free_at_ms = now_ms + self._tone.gap_ms
        self._tone = None
        return [EventPacket(last, False)] * END_PACKETS

    def _begin(self, now_ms: float) -> list[EventPacket]:
        if not self._queue or now_ms < self._free_at_ms:
            return []
        tone = self._queue.popleft()
        if tone.digit == PAUSE:
            self._free_at_ms = now_ms + PAUSE_MS
            return []
        self._tone, self._started_ms = tone, now_ms
        return [EventPacket(self._event(tone, 0.0, end=False), True)]

    def _event(self, tone: _Tone, elapsed_ms: float, *, end: bool) -> TelephoneEvent:
        units = min(MAX_UNITS, round(elapsed_ms * self._clock_rate / 1000))
        return TelephoneEvent(DIGITS.index(tone.digit), end, VOLUME, units)


class DtmfReceiver:
    """Digits out of received telephone-event packets: each event once, whichever of its packets arrive."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._timestamp: int | None = None

    def receive(self, timestamp: int, payload: bytes) -> tuple[str, float] | None:
        """Digit and duration in ms, given with the first end packet of an event; else ``None``."""
        event = parse_event(payload)
        if event is None or not event.end or event.digit is None or timestamp == self._timestamp:
            return None
        self._timestamp = timestamp
        return event.digit, event.duration * 1000 / self._clock_rate
