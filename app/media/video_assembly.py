"""From RTP packets to whole frames: reordering, retransmission, keyframe waiting. Sans-IO.

A frame is released as soon as its marker packet and everything before it are there, never by the start of the next
frame, so the last picture of a screen that stands still is shown. Times are milliseconds of any one clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.media.video_codec import Part

MAX_PACKETS = 2_048
"""Packets held at most, about 5 s of 3 Mbit/s; beyond it the stream is restarted at a keyframe."""
MAX_BYTES = 6_000_000
MAX_MISSING = 600
"""Missing packets followed at most; a longer outage is repaired by a keyframe."""
MAX_JUMP = 3_000
"""A sequence number further away is a stray packet or a new stream (RFC 3550 appendix A.1)."""
REORDER_HOLD_MS = 8.0
"""A gap younger than this is taken for reordering and not asked for."""
LEAST_NACK_INTERVAL_MS = 25.0
MAX_NACKS = 10
LEAST_GIVE_UP_MS = 250.0
MOST_GIVE_UP_MS = 700.0
"""A gap is given up after 100 ms and four round trips, within these bounds; then a keyframe is asked for."""
KEYFRAME_RETRY_MS = 350.0
"""At least so long, and two round trips, between requests for one and the same missing keyframe."""
MAX_NACKS_PER_POLL = 128


@dataclass(frozen=True, slots=True)
class AssembledFrame:
    codec: str
    data: bytes
    timestamp: int
    """RTP timestamp, 32 bits."""
    keyframe: bool
    first_arrived_ms: float
    completed_ms: float


@dataclass(frozen=True, slots=True)
class Requests:
    """What to ask of the sender now."""

    retransmit: list[int]
    """Sequence numbers, 16 bits."""
    keyframe: bool


@dataclass(slots=True)
class _Entry:
    timestamp: int
    marker: bool
    part: Part | None
    """``None`` for padding and for what could not be parsed."""
    damaged: bool
    codec: str
    arrived_ms: float


@dataclass(slots=True)
class _Missing:
    since_ms: float
    asked_ms: float = float("-inf")
    times: int = 0


class FrameAssembler:
    """State of one stream. Feed :meth:`push`, call :meth:`poll` now and then while :attr:`needs_poll`."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._bytes = 0
        self._missing: dict[int, _Missing] = {}
        self._key_starts: set[int] = set()
        self._next: int | None = None
        self._highest: int | None = None
        self._stray_next: int | None = None
        self._waiting = True
        self._keyframe_asked_ms = float("-inf")
        self._codec = ""
        self.damaged_frames = 0

    @property
    def waiting_for_keyframe(self) -> bool:
        return self._waiting

    @property
    def needs_poll(self) -> bool:
        return self._waiting or bool(self._missing)

    @property
    def held(self) -> int:
        """Packets held, for tests and statistics."""
        return len(self._entries)

    def reset(self) -> None:
        """Forget the stream and wait for a keyframe: another source takes over the SSRC, or nobody was looking."""
        self._forget()
        self._highest = None
        self._keyframe_asked_ms = float("-inf")

    def expect_keyframe(self) -> None:
        """The decoder lost its state: drop what is held and wait for a keyframe; sequence numbers go on."""
        self._forget()

    def keyframe_asked(self, now: float) -> None:
        """Somebody else asked for a keyframe: the next request waits its time."""
        self._keyframe_asked_ms = now

    def _forget(self) -> None:
        self._entries.clear()
        self._missing.clear()
        self._key_starts.clear()
        self._bytes = 0
        self._next = None
        self._waiting = True

    # ------------------------------------------------------------ input

    def push(
        self, sequence: int, timestamp: int, marker: bool, part: Part | None, codec: str, now: float, damaged: bool
    ) -> list[AssembledFrame]:
        """Take one packet; returns the frames it completes, in order.

        *part* is ``None`` for padding-only packets and, with *damaged*, for payloads that do not parse.
        """
        extended = self._unwrap(sequence)
        if extended is None or extended in self._entries or (self._next is not None and extended < self._next):
            return []
        in_order = self._note_arrival(extended, now)
        entry = _Entry(timestamp, marker, part, damaged, codec, now)
        self._entries[extended] = entry
        if part is not None:
            self._bytes += len(part.data)
            if part.keyframe:
                self._key_starts.add(extended)
        if len(self._entries) > MAX_PACKETS or self._bytes > MAX_BYTES or len(self._missing) > MAX_MISSING:
            self._forget()
            return []
        before = self._entries.get(extended - 1)
        # In the middle of a frame nothing can be complete: most packets need no search.
        if in_order and not marker and before is not None and before.timestamp == timestamp:
            return []
        return self._release(now)

    def _unwrap(self, sequence: int) -> int | None:
        if self._highest is None:
            self._stray_next = None
            return sequence + 0x10000
        delta = (sequence - self._highest + 0x8000) % 0x10000 - 0x8000
        if abs(delta) <= MAX_JUMP:
            self._stray_next = None
            return self._highest + delta
        if sequence != self._stray_next:
            self._stray_next = (sequence + 1) % 0x10000
            return None
        self.reset()
        self._stray_next = None
        return sequence + 0x10000

    def _note_arrival(self, extended: int, now: float) -> bool:
        if self._highest is None:
            self._highest = extended
            return True
        if extended > self._highest:
            for lost in range(max(self._highest + 1, extended - MAX_MISSING - 1), extended):
                self._missing[lost] = _Missing(now)
            in_order = extended == self._highest + 1
            self._highest = extended
            return in_order
        self._missing.pop(extended, None)
        return False

    # ------------------------------------------------------------ output

    def _release(self, now: float) -> list[AssembledFrame]:
        frames = []
        while (frame := self._next_frame(now)) is not None:
            frames.append(frame)
        return frames

    def _next_frame(self, now: float) -> AssembledFrame | None:
        while True:
            if not self._waiting:
                assert self._next is not None
                start = self._skip_padding(self._next)
                self._next = start
                end = self._frame_end(start)
                if end is not None:
                    frame = self._take(start, end, now)
                    if frame is not None:
                        return frame
                    continue
            found = self._find_keyframe()
            if found is None:
                if self._waiting:
                    self._trim()
                return None
            start, end = found
            self._waiting = False
            self._codec = ""
            frame = self._take(start, end, now)
            if frame is not None:
                return frame

    def _skip_padding(self, position: int) -> int:
        while (entry := self._entries.get(position)) is not None and entry.part is None and not entry.damaged:
            del self._entries[position]
            position += 1
        return position

    def _frame_end(self, start: int) -> int | None:
        """Position after the last packet of the complete frame that begins at *start*."""
        entry = self._entries.get(start)
        if entry is None:
            return None
        timestamp, position = entry.timestamp, start
        while entry is not None:
            if entry.timestamp != timestamp:
                # A sender that sets no marker: the next frame's packet follows without a gap.
                return position
            position += 1
            if entry.marker:
                return position
            entry = self._entries.get(position)
        return None

    def _find_keyframe(self) -> tuple[int, int] | None:
        for candidate in sorted(self._key_starts, reverse=True):
            start, timestamp = candidate, self._entries[candidate].timestamp
            while (before := self._entries.get(start - 1)) is not None and before.timestamp == timestamp:
                start -= 1
            first = self._entries[start].part
            known_start = (start - 1) in self._entries or start == self._next or (first is not None and first.opens)
            if not known_start:
                start = candidate
                opening = self._entries[candidate].part
                if opening is None or not opening.opens:
                    continue
            end = self._frame_end(start)
            if end is not None:
                return start, end
        return None

    def _take(self, start: int, end: int, now: float) -> AssembledFrame | None:
        entries = [self._entries[position] for position in range(start, end)]
        self._drop_before(end)
        self._next = end
        parts = [entry.part for entry in entries if entry.part is not None]
        if not parts:
            damaged = any(entry.damaged for entry in entries)
            if damaged:
                self._damage()
            return None
        keyframe = any(part.keyframe for part in parts)
        codec = next(entry.codec for entry in entries if entry.part is not None)
        broken = any(entry.damaged for entry in entries) or parts[0].continues
        if broken or (codec != self._codec and not keyframe):
            self._damage()
            return None
        self._codec = codec
        return AssembledFrame(
            codec=codec,
            data=b"".join(part.data for part in parts),
            timestamp=entries[0].timestamp,
            keyframe=keyframe,
            first_arrived_ms=min(entry.arrived_ms for entry in entries),
            completed_ms=now,
        )

    def _damage(self) -> None:
        self.damaged_frames += 1
        self._waiting = True

    def _drop_before(self, position: int) -> None:
        for old in [key for key in self._entries if key < position]:
            part = self._entries.pop(old).part
            if part is not None:
                self._bytes -= len(part.data)
        for old in [key for key in self._missing if key < position]:
            del self._missing[old]
        if self._key_starts:
            self._key_starts = {key for key in self._key_starts if key >= position}

    def _trim(self) -> None:
        """While waiting for a keyframe, keep only what may still become one."""
        assert self._highest is not None
        oldest = min(self._key_starts, default=self._highest - 64)
        self._drop_before(oldest if self._key_starts else max(oldest, 0))

    # ------------------------------------------------------------ requests

    def poll(self, now: float, round_trip_ms: float) -> Requests:
        """Packets to ask for again, and whether a keyframe is needed. Call every 10 ms or so while needed."""
        give_up = min(MOST_GIVE_UP_MS, max(LEAST_GIVE_UP_MS, 100.0 + 4 * round_trip_ms))
        interval = max(LEAST_NACK_INTERVAL_MS, round_trip_ms * 1.1 + 5.0)
        retransmit: list[int] = []
        lost = []
        for position, missing in self._missing.items():
            age = now - missing.since_ms
            if age > give_up or missing.times >= MAX_NACKS:
                lost.append(position)
            elif age >= REORDER_HOLD_MS and now - missing.asked_ms >= interval and len(retransmit) < MAX_NACKS_PER_POLL:
                missing.asked_ms = now
                missing.times += 1
                retransmit.append(position % 0x10000)
        if lost:
            self._give_up(lost)
        return Requests(retransmit, self._keyframe_due(now, round_trip_ms))

    def _give_up(self, lost: list[int]) -> None:
        for position in lost:
            del self._missing[position]
        if self._waiting:
            return
        self._waiting = True
        newest = max(lost)
        self._drop_before(newest + 1)
        self._next = None
        if self._highest is not None:
            self._trim()

    def _keyframe_due(self, now: float, round_trip_ms: float) -> bool:
        if not self._waiting or now - self._keyframe_asked_ms < max(KEYFRAME_RETRY_MS, 2 * round_trip_ms):
            return False
        newest = max(self._key_starts, default=None)
        if newest is not None and now - self._entries[newest].arrived_ms < KEYFRAME_RETRY_MS:
            # One is on its way.
            return False
        self._keyframe_asked_ms = now
        return True
