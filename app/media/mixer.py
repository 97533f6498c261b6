"""Many voices to one loudspeaker: sums sources into 10 ms blocks at 48 kHz.

The playout device (or the null device's clock) pulls; so the mixer runs on the thread of that device. Sources and taps
may be added and removed from any thread. All times are :func:`now_ms`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.media.levels import SILENCE_DBOV, dbov

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]
Tap = Callable[[Samples, float], None]
"""Called with each block that is played (int16 mono, 480 samples, not to be changed) and the time at which the
loudspeaker will give its first sample, on the playout thread: hand over and return."""

RATE = 48_000
BLOCK = 480
BLOCK_MS = 10.0
CEILING = 0.92 * 32767
"""Peaks are held under -0.7 dBFS; the rest is headroom for the device's own conversion."""
RELEASE = 0.04
"""Share of the way back to full gain per block: about a quarter of a second, so that it does not pump."""
MAX_VOLUME = 4.0
MAX_SOUNDS = 8
"""Sounds at once; the oldest gives way."""


def now_ms() -> float:
    """The clock of the engine's audio: monotonic, milliseconds."""
    return time.monotonic() * 1000.0


class MixerSource(Protocol):
    """Something that can be heard."""

    volume: float

    @property
    def participant_id(self) -> str: ...

    @property
    def active(self) -> bool:
        """``False`` while there is nothing to play: the mixer does not ask then."""

    def pull(self, at_ms: float, latency_ms: float) -> Samples | None:
        """The next 10 ms; *at_ms* is now, *latency_ms* how long the device still takes to play it."""

    @property
    def playout_offset_ms(self) -> float | None:
        """Local time of playing minus the sender's wall clock of capturing; ``None`` while unknown."""


class Limiter:
    """Keeps peaks under the ceiling: down within the block, up slowly."""

    def __init__(self) -> None:
        self._gain = 1.0

    def apply(self, block: NDArray[np.float32]) -> Samples:
        peak = float(np.max(np.abs(block)))
        allowed = min(1.0, CEILING / peak) if peak > 0 else 1.0
        target = min(allowed, self._gain + (1.0 - self._gain) * RELEASE)
        if target < 1.0 or self._gain < 1.0:
            # The new gain is reached after 1 ms: what sticks out before that is clipped below.
            gains = np.full(len(block), target, np.float32)
            gains[:48] = np.linspace(self._gain, target, 48, dtype=np.float32)
            block = block * gains
        self._gain = target
        return np.clip(block, -32768, 32767).astype(np.int16)


class PlayingSound:
    """A sound given to :meth:`Mixer.play`."""

    def __init__(self, samples: Samples, volume: float, loop: bool, on_done: Callable[[], None] | None) -> None:
        self._samples = samples
        self._position = 0
        self._loop = loop
        self._on_done = on_done
        self._volume = volume
        self.done = len(samples) == 0

    def stop(self) -> None:
        """End it with the next block."""
        self._samples = self._samples[: self._position]
        self._loop = False

    def next_block(self) -> NDArray[np.float32]:
        block = np.zeros(BLOCK, np.float32)
        filled = 0
        while filled < BLOCK and not self.done:
            part = self._samples[self._position : self._position + BLOCK - filled]
            block[filled : filled + len(part)] = part
            filled += len(part)
            self._position += len(part)
            if self._position >= len(self._samples):
                self._position = 0
                self.done = not self._loop or len(self._samples) == 0
        if self.done and self._on_done:
            self._on_done()
        return block * np.float32(self._volume)


class Mixer:
    """One output. *channels* 2 repeats the mono mix on both."""

    def __init__(self, channels: int = 1) -> None:
        self._channels = channels
        self._lock = threading.Lock()
        self._sources: tuple[MixerSource, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._sounds: list[PlayingSound] = []
        self._limiter = Limiter()
        self._offsets: dict[str, float] = {}
        self.volume = 1.0
        """Of everything, 0.0 .. 1.0; 0.0 silences the loudspeaker while levels go on."""
        self.level_dbov = SILENCE_DBOV
        """Of the last block."""

    def add(self, source: MixerSource) -> None:
        with self._lock:
            if source not in self._sources:
                self._sources += (source,)

    def remove(self, source: MixerSource) -> None:
        with self._lock:
            self._sources = tuple(one for one in self._sources if one is not source)
            if not any(one.participant_id == source.participant_id for one in self._sources):
                self._offsets.pop(source.participant_id, None)

    def add_tap(self, tap: Tap) -> Callable[[], None]:
        """Give every played block to *tap*; returns the function that ends it. For recording and echo cancellation."""
        with self._lock:
            self._taps += (tap,)

        def remove() -> None:
            with self._lock:
                self._taps = tuple(one for one in self._taps if one is not tap)

        return remove

    def play(
        self, samples: Samples, *, volume: float = 1.0, loop: bool = False, on_done: Callable[[], None] | None = None
    ) -> PlayingSound:
        """Play 48 kHz mono int16 into the mix. *on_done* is called on the playout thread."""
        sound = PlayingSound(samples, min(volume, MAX_VOLUME), loop, on_done)
        with self._lock:
            self._sounds.append(sound)
            while len(self._sounds) > MAX_SOUNDS:
                self._sounds.pop(0).stop()
        return sound

    def playout_offset_ms(self, participant_id: str) -> float | None:
        """For lip sync: a picture whose sender's wall clock (sender report) is T belongs on the screen at local time
        T + offset. ``None`` while the participant is silent or has sent no report."""
        return self._offsets.get(participant_id)

    def pull(self, at_ms: float, latency_ms: float = 0.0) -> Samples:
        """The next 10 ms: ``(480,)`` int16, or ``(480, channels)``. *latency_ms* is what the device holds already."""
        mix = np.zeros(BLOCK, np.float32)
        for source in self._sources:
            if not source.active:
                continue
            block = self._pull_source(source, at_ms, latency_ms)
            if block is None:
                continue
            volume = min(max(source.volume, 0.0), MAX_VOLUME)
            if volume == 1.0:
                mix += block
            elif volume > 0.0:
                mix += block * np.float32(volume)
            offset = source.playout_offset_ms
            if offset is not None and source.participant_id:
                self._offsets[source.participant_id] = offset
        self._add_sounds(mix)
        if self.volume != 1.0:
            mix *= np.float32(min(max(self.volume, 0.0), 1.0))
        played = self._limiter.apply(mix)
        self.level_dbov = dbov(played)
        self._give_to_taps(played, at_ms + latency_ms)
        return played if self._channels == 1 else np.repeat(played[:, None], self._channels, axis=1)

    def _pull_source(self, source: MixerSource, at_ms: float, latency_ms: float) -> Samples | None:
        try:
            return source.pull(at_ms, latency_ms)
        except Exception:
            # One broken decoder must not silence everybody else.
            logger.exception("A source failed and is not heard any more")
            self.remove(source)
            return None

    def _give_to_taps(self, played: Samples, plays_at_ms: float) -> None:
        for tap in self._taps:
            try:
                tap(played, plays_at_ms)
            except Exception:
                logger.exception("A tap of the mixer failed and gets nothing any more")
                with self._lock:
                    self._taps = tuple(one for one in self._taps if one is not tap)

    def _add_sounds(self, mix: NDArray[np.float32]) -> None:
        if not self._sounds:
            return
        with self._lock:
            sounds = list(self._sounds)
        for sound in sounds:
            mix += sound.next_block()
        with self._lock:
            self._sounds = [sound for sound in self._sounds if not sound.done]
