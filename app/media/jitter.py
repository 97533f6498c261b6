"""Adaptive playout buffer of one audio stream: packets in, 10 ms blocks out (sans-IO, the caller owns the clock).

Time model: every sample has a media time (RTP timestamp). Playing it ``target`` after the fastest packet could have
brought it is the aim (:class:`app.media.delay.DelayEstimator`). The real playout delay is compared with the aim on
every block and corrected by removing or repeating a pitch period, never by a cut.

Losses: a packet that is missing while later ones are here is rebuilt from its copy in the next packet (Opus in-band
FEC), else concealed, and time goes on. When nothing is here, the sound is continued while time stands still: if the
packet was only late it is played from its beginning; if it was lost, the concealed time is taken off the gap.
Gaps in timestamps without gaps in sequence numbers are silence (DTX, mute), not loss.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.media.delay import DelayEstimator
from app.media.stretch import NEEDED_TO_SHORTEN, lengthen, shorten

Samples = NDArray[np.int16]

RATE = 48_000
BLOCK = 480
BLOCK_MS = 10.0
MAX_PACKETS = 150
"""Three seconds of 20 ms packets; more can only come from a broken or hostile sender."""
MAX_PAYLOAD = 4_000
"""Bytes. 120 ms of Opus at its highest rate is 7.6 kB in theory; real packets stay under one MTU."""
DISCONTINUITY_MS = 2_000.0
"""A packet whose timestamp is this far from where its arrival puts it begins a new timeline (SSRC reused, mute)."""
DISCONTINUITY_PACKETS = 1_000
EXACT_GAP = RATE * 120 // 1000
"""Shorter losses are filled to the sample; after longer ones playout is scheduled anew (nobody hears the phase)."""
SKIP_MS = 250.0
"""Further behind than this over the target, sound is dropped: stretching would take seconds to catch up."""
LOW_MS, HIGH_MS = 10.0, 12.0
"""Tolerance below and above the target before stretching. Less than a block would make it swing."""
URGENT_MS = 60.0
STRETCH_PAUSE = 4
"""Blocks between two corrections, so that they are not heard as flutter; one when urgent."""
DELAY_WINDOW = 20
"""Blocks over which the smallest delay counts: a device that pulls in bursts is judged by its hungriest moment."""
IDLE_BLOCKS = 100
"""After one second without packets the stream is idle and is not asked for sound any more."""
FADE_FROM, FADE_TO = RATE * 60 // 1000, RATE * 200 // 1000
"""Concealment is faded out between 60 and 200 ms: libopus alone lets a steady tone ring for more than half a second."""
FADE_IN = 240
"""5 ms, for sound that begins again after silence."""
HISTORY = NEEDED_TO_SHORTEN


class DecodeError(Exception):
    """A payload cannot be decoded."""


class AudioDecoder(Protocol):
    """A decoder to 48 kHz mono int16. ``decode``, ``recover`` and ``conceal`` raise :class:`DecodeError`."""

    def duration(self, payload: bytes) -> int:
        """Samples at 48 kHz that the payload will give; 0 if malformed."""

    def decode(self, payload: bytes) -> Samples: ...

    def can_recover(self, payload: bytes) -> bool:
        """Whether the payload holds a copy of the packet before it."""

    def recover(self, payload: bytes, samples: int) -> Samples:
        """The packet before *payload*, which had *samples*."""

    def conceal(self, samples: int) -> Samples:
        """Continue the sound without data."""

    def reset(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, order=True)
class _Packet:
    sequence: int
    timestamp: int = field(compare=False)
    payload: bytes = field(compare=False)
    samples: int = field(compare=False)

    @property
    def end(self) -> int:
        return self.timestamp + self.samples


@dataclass(frozen=True, slots=True)
class JitterStats:
    """Counters since the beginning, delays now."""

    buffer_ms: float = 0.0
    """Delay that the buffer adds now, over the fastest packet."""
    target_ms: float = 0.0
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550 6.4.1)."""
    packets: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    discarded: int = 0
    """Malformed, or strays that continue nothing."""
    skipped: int = 0
    """Dropped to catch up after a stall, or to stay within bounds."""
    recovered: int = 0
    """Lost packets rebuilt from FEC."""
    concealed_ms: float = 0.0
    shortened_ms: float = 0.0
    lengthened_ms: float = 0.0
    resets: int = 0


class JitterBuffer:
    """Not thread-safe: the owner locks. *clock_rate* is that of the RTP timestamps (48000, 16000 or 8000)."""

    def __init__(self, decoder: AudioDecoder, clock_rate: int = RATE) -> None:
        self._decoder = decoder
        self._scale = max(1, RATE // clock_rate)
        self._estimator = DelayEstimator()
        self._packets_seen = self._lost = self._late = self._duplicates = self._discarded = 0
        self._recovered = self._resets = self._skipped = 0
        self._concealed = self._shortened = self._lengthened = 0
        self._jitter = 0.0
        self._suspect: tuple[int, int, bytes, float] | None = None
        self._history: Samples = np.zeros(HISTORY, np.int16)
        self._forget()

    def _forget(self) -> None:
        """State of one timeline."""
        self._packets: list[_Packet] = []
        self._pcm: Samples = np.zeros(0, np.int16)
        self._position = 0
        self._playing = False
        self._held = 0
        self._pending_concealed = 0
        self._dry_blocks = 0
        self._concealing = 0
        self._silent = False
        self._last_played = -1
        self._missing: deque[int] = deque(maxlen=64)
        self._delays: deque[float] = deque(maxlen=DELAY_WINDOW)
        self._since_stretch = 0
        self._top_sequence: int | None = None
        self._top_timestamp = 0
        self._last_transit: float | None = None
        self._estimator.reset()

    # ------------------------------------------------------------ packets in

    @property
    def active(self) -> bool:
        """Whether :meth:`pull` has something to give, now or soon."""
        return self._playing or bool(self._packets)

    @property
    def playout_timestamp(self) -> int | None:
        """RTP timestamp (32 bit, clock rate of the stream) of the next sample that :meth:`pull` gives."""
        if not self._playing:
            return None
        return ((self._position - len(self._pcm)) // self._scale) & 0xFFFFFFFF

    def insert(self, sequence: int, timestamp: int, payload: bytes, arrived_ms: float) -> None:
        """Add a packet: 16-bit sequence number, 32-bit timestamp, local time of arrival. Never raises."""
        samples = self._decoder.duration(payload) if 0 < len(payload) <= MAX_PAYLOAD else 0
        if samples <= 0:
            self._discarded += 1
            return
        if self._top_sequence is None:
            self._begin(sequence, timestamp)
        extended, stamp = self._extend(sequence, timestamp)
        if self._is_discontinuity(extended, stamp, arrived_ms):
            if not self._accept_discontinuity(sequence, timestamp, payload, arrived_ms):
                return
            extended, stamp = self._extend(sequence, timestamp)
        self._suspect = None
        self._store(_Packet(extended, stamp, payload, samples), arrived_ms)

    def _begin(self, sequence: int, timestamp: int) -> None:
        # Far above zero, so that packets before the first one do not get negative numbers.
        self._top_sequence = 0x10000 + sequence
        self._top_timestamp = ((1 << 32) + timestamp) * self._scale

    def _extend(self, sequence: int, timestamp: int) -> tuple[int, int]:
        assert self._top_sequence is not None
        step = ((sequence - self._top_sequence + 0x8000) & 0xFFFF) - 0x8000
        top = self._top_timestamp // self._scale
        shift = ((timestamp - top + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        return self._top_sequence + step, (top + shift) * self._scale

    def _is_discontinuity(self, sequence: int, stamp: int, arrived_ms: float) -> bool:
        assert self._top_sequence is not None
        if abs(sequence - self._top_sequence) > DISCONTINUITY_PACKETS:
            return True
        if not self._estimator.known:
            return False
        return abs(arrived_ms - stamp / 48.0 - self._estimator.base_ms) > DISCONTINUITY_MS

    def _accept_discontinuity(self, sequence: int, timestamp: int, payload: bytes, arrived_ms: float) -> bool:
        """A single stray packet is ignored; a second one that continues it starts the new timeline (RFC 3550 A.1)."""
        before, self._suspect = self._suspect, (sequence, timestamp, payload, arrived_ms)
        if before is None or (sequence - before[0]) & 0xFFFF not in (1, 2):
            self._discarded += int(before is not None)
            return False
        if abs(((timestamp - before[1]) & 0xFFFFFFFF) * self._scale - RATE) > 2 * RATE:
            self._discarded += 1
            return False
        self._forget()
        self._resets += 1
        self._begin(before[0], before[1])
        self._suspect = None
        self.insert(*before)
        return True

    def _store(self, packet: _Packet, arrived_ms: float) -> None:
        assert self._top_sequence is not None
        media_ms = packet.timestamp / 48.0
        self._estimator.update(arrived_ms, media_ms, packet.samples / 48.0)
        transit = arrived_ms - media_ms
        if self._last_transit is not None:
            self._jitter += (abs(transit - self._last_transit) - self._jitter) / 16.0
        self._last_transit = transit
        if packet.sequence > self._top_sequence:
            self._top_sequence, self._top_timestamp = packet.sequence, packet.timestamp
        if self._playing and packet.sequence <= self._last_played:
            if packet.sequence in self._missing:
                self._missing.remove(packet.sequence)
                self._late += 1
                self._lost -= 1
            else:
                self._duplicates += 1
            return
        index = bisect_left(self._packets, packet)
        if index < len(self._packets) and self._packets[index].sequence == packet.sequence:
            self._duplicates += 1
            return
        self._packets_seen += 1
        insort(self._packets, packet)
        while len(self._packets) > MAX_PACKETS:
            self._packets.pop(0)
            self._skipped += 1

    # ------------------------------------------------------------ blocks out

    def pull(self, now_ms: float) -> Samples | None:
        """The next 10 ms of sound, or ``None`` while there is nothing to play. Never raises."""
        if not self._playing and not self._start(now_ms):
            return None
        self._skip_if_far_behind(now_ms)
        dry = not self._packets and len(self._pcm) < BLOCK
        self._dry_blocks = self._dry_blocks + 1 if dry else 0
        if self._dry_blocks > IDLE_BLOCKS:
            self._stop()
            return None
        clean = self._fill(BLOCK, now_ms)
        if clean and self._delays_known(now_ms):
            self._stretch(now_ms)
        block, self._pcm = self._pcm[:BLOCK], self._pcm[BLOCK:]
        self._history = np.concatenate((self._history[BLOCK:], block))
        return block

    def stats(self) -> JitterStats:
        return JitterStats(
            buffer_ms=max(0.0, self._delays[-1]) if self._delays and self._playing else 0.0,
            target_ms=self._estimator.target_ms,
            jitter_ms=self._jitter,
            packets=self._packets_seen,
            lost=max(0, self._lost),
            late=self._late,
            duplicates=self._duplicates,
            discarded=self._discarded,
            skipped=self._skipped,
            recovered=self._recovered,
            concealed_ms=self._concealed / 48.0,
            shortened_ms=self._shortened / 48.0,
            lengthened_ms=self._lengthened / 48.0,
            resets=self._resets,
        )

    def reset(self) -> None:
        """Start anew, as for another stream."""
        self._forget()
        self._suspect = None
        self._resets += 1
        self._decoder.reset()

    def _age_ms(self, stamp: float, now_ms: float) -> float:
        """Playout delay that sound of this media time would have if played now."""
        return now_ms - stamp / 48.0 - self._estimator.base_ms

    def _start(self, now_ms: float) -> bool:
        if not self._packets or self._age_ms(self._packets[0].timestamp, now_ms) < self._estimator.target_ms:
            return False
        self._playing = True
        self._position = self._packets[0].timestamp
        self._last_played = self._packets[0].sequence - 1
        self._held = self._pending_concealed = self._dry_blocks = 0
        self._silent = False
        self._delays.clear()
        return True

    def _stop(self) -> None:
        # What was concealed since the last packet was a sender that stopped, not a loss.
        self._playing = False
        self._held = self._pending_concealed = 0
        self._decoder.reset()

    def _skip_if_far_behind(self, now_ms: float) -> None:
        if not self._packets or self._age_ms(self._packets[0].timestamp, now_ms) < self._limit():
            return
        while len(self._packets) > 1 and self._age_ms(self._packets[0].timestamp, now_ms) > self._estimator.target_ms:
            self._packets.pop(0)
            self._skipped += 1
        first = self._packets[0]
        self._position, self._last_played, self._held = first.timestamp, first.sequence - 1, 0
        self._delays.clear()

    def _limit(self) -> float:
        return self._estimator.target_ms + SKIP_MS

    def _fill(self, wanted: int, now_ms: float) -> bool:
        """Decode or conceal until *wanted* samples are there; whether all of it was received sound."""
        clean = True
        while len(self._pcm) < wanted:
            clean = self._produce(now_ms) and clean
        return clean

    def _produce(self, now_ms: float) -> bool:
        head = self._packets[0] if self._packets else None
        if head is None:
            self._continue_without_packets()
            return False
        if head.timestamp > self._position and self._held:
            self._position = min(head.timestamp, self._position + self._held)
        contiguous = head.sequence == self._last_played + 1
        if self._held and head.timestamp >= self._position:
            # Silence between contiguous packets is not concealment.
            self._concealed += 0 if contiguous and head.timestamp > self._position else self._pending_concealed
            self._held = self._pending_concealed = 0
            self._delays.clear()
        gap = head.timestamp - self._position
        if gap <= 0:
            self._play(head)
            return True
        if contiguous or gap > EXACT_GAP:
            self._bridge_silence(head, gap, now_ms, lost=not contiguous)
        else:
            self._bridge_loss(head, gap)
        return False

    def _continue_without_packets(self) -> None:
        self._append(self._conceal(BLOCK))
        if self._silent:
            self._position += BLOCK
        else:
            self._held += BLOCK
            self._pending_concealed += BLOCK

    def _bridge_silence(self, head: _Packet, gap: int, now_ms: float, *, lost: bool) -> None:
        if self._age_ms(head.timestamp, now_ms) + len(self._pcm) / 48.0 >= self._estimator.target_ms:
            self._position = head.timestamp
            return
        self._append(self._conceal(BLOCK))
        self._concealed += BLOCK if lost else 0
        self._position = min(self._position + BLOCK, head.timestamp - 1)

    def _bridge_loss(self, head: _Packet, gap: int) -> None:
        rebuilt = head.samples if self._decoder.can_recover(head.payload) else 0
        if rebuilt and gap <= rebuilt:
            try:
                sound = self._decoder.recover(head.payload, head.samples)[-gap:]
                self._recovered += 1
            except DecodeError:
                sound = self._conceal(gap)
                self._concealed += gap
            self._append(sound)
            self._position = head.timestamp
            return
        count = min(BLOCK, gap - rebuilt)
        self._append(self._conceal(count))
        self._concealed += count
        self._position += count

    def _play(self, head: _Packet) -> None:
        self._packets.pop(0)
        missing = min(head.sequence - self._last_played - 1, DISCONTINUITY_PACKETS)
        if missing > 0:
            self._lost += missing
            self._missing.extend(range(max(head.sequence - 64, head.sequence - missing), head.sequence))
        self._last_played = head.sequence
        try:
            sound = self._decoder.decode(head.payload)
        except DecodeError:
            self._discarded += 1
            self._append(self._conceal(head.samples))
            self._concealed += head.samples
            self._position = max(self._position, head.end)
            return
        sound = self._resume(sound)
        # One or two bytes are Opus' way of saying that there is silence until further notice (DTX).
        self._silent = len(head.payload) <= 2
        already_played = max(0, self._position - head.timestamp)
        self._append(sound[already_played:])
        self._position = max(self._position, head.timestamp + len(sound))

    def _conceal(self, count: int) -> Samples:
        done, self._concealing = self._concealing, self._concealing + count
        if done >= FADE_TO and not self._silent:
            return np.zeros(count, np.int16)
        try:
            sound = self._decoder.conceal(count)
        except DecodeError:
            sound = np.zeros(count, np.int16)
        if len(sound) < count:
            sound = np.concatenate((sound, np.zeros(count - len(sound), np.int16)))
        sound = sound[:count]
        if done + count <= FADE_FROM or self._silent:
            return sound
        gains = np.clip((FADE_TO - done - np.arange(count)) / (FADE_TO - FADE_FROM), 0.0, 1.0)
        return (sound * gains).astype(np.int16)

    def _resume(self, sound: Samples) -> Samples:
        """Received sound after concealment, which begins softly if that had faded."""
        faded, self._concealing = self._concealing > FADE_FROM, 0
        if not faded or self._silent or not len(sound):
            return sound
        count = min(FADE_IN, len(sound))
        result = sound.copy()
        result[:count] = result[:count] * np.linspace(0.0, 1.0, count)
        return result

    def _append(self, sound: Samples) -> None:
        self._pcm = np.concatenate((self._pcm, sound)) if len(self._pcm) else sound

    # ------------------------------------------------------------ delay control

    def _delays_known(self, now_ms: float) -> bool:
        self._delays.append(self._age_ms(self._position - len(self._pcm), now_ms))
        self._since_stretch += 1
        return len(self._delays) == DELAY_WINDOW

    def _stretch(self, now_ms: float) -> None:
        excess = min(self._delays) - self._estimator.target_ms
        urgent = abs(excess) > URGENT_MS
        if self._since_stretch < (1 if urgent else STRETCH_PAUSE):
            return
        if excess > HIGH_MS:
            if not self._fill_from_packets(NEEDED_TO_SHORTEN):
                return
            changed = shorten(self._pcm, urgent=urgent)
        elif excess < -LOW_MS:
            changed = lengthen(self._history, self._pcm, urgent=urgent)
        else:
            return
        difference = len(changed) - len(self._pcm)
        if not difference:
            return
        self._pcm = changed
        self._shortened += max(0, -difference)
        self._lengthened += max(0, difference)
        self._since_stretch = 0
        self._delays = deque((delay + difference / 48.0 for delay in self._delays), maxlen=DELAY_WINDOW)

    def _fill_from_packets(self, wanted: int) -> bool:
        while len(self._pcm) < wanted:
            if not self._packets or self._packets[0].timestamp > self._position:
                return False
            self._play(self._packets[0])
        return True
