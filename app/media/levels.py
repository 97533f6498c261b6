"""Loudness and speech: levels of blocks, speech detection, hints about the microphone (sans-IO)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

SILENCE_DBOV = -127.0
METER_FLOOR_DBOV = -60.0
"""What a level meter shows as empty."""

MEAN_S = 5
"""Reports give means over this many seconds."""

SPEECH_RATIO_DB = 9.0
"""Speech stands out of the background by at least this much."""
SPEECH_FLOOR_DBOV = -52.0
"""Quieter is never called speech: it is a fan, or a neighbour's room."""
ATTACK_BLOCKS = 3
"""30 ms of loud blocks, so that a single click is no speech."""
HANGOVER_BLOCKS = 30
"""300 ms, longer than the stops inside words."""
NOISE_RISE_DB = 0.02
"""Per 10 ms block, 2 dB a second: the background estimate must not follow speech."""
NOISE_FALL = 0.2
INITIAL_NOISE_DBOV = -60.0

TALKING_WHILE_MUTED_MS = 500.0
"""This much speech within :data:`TALKING_WINDOW_MS` means that somebody talks to the others."""
TALKING_WINDOW_MS = 2_000.0
HINT_PAUSE_MS = 10_000.0
"""The same hint is not repeated sooner."""
NO_SIGNAL_MS = 5_000.0
"""Digital silence for so long: a real microphone always gives some noise."""
NO_SIGNAL_DBOV = -90.0
NOISY_DBOV = -42.0
"""Background louder than this for :data:`NOISY_MS` without speech is called noisy."""
NOISY_MS = 6_000.0


def dbov(samples: Samples) -> float:
    """Level in dB to overload (RFC 6464 5): 0 is a full-scale square wave, -127 digital silence."""
    if not len(samples):
        return SILENCE_DBOV
    mean = float(np.mean(np.square(samples, dtype=np.float32)))
    if mean <= 0.0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0.0, 10.0 * math.log10(mean / (32767.0 * 32767.0))))


class MeanLevel:
    """Energy mean of the last five seconds, and of the one that has begun. Feed one level in dBov per block."""

    def __init__(self, block_ms: int) -> None:
        self._per_second = 1000 // block_ms
        self._seconds: deque[tuple[float, int]] = deque(maxlen=MEAN_S)
        self._energy, self._blocks = 0.0, 0

    def add(self, level_dbov: float) -> None:
        if level_dbov > SILENCE_DBOV:
            self._energy += math.pow(10.0, level_dbov / 10.0)
        self._blocks += 1
        if self._blocks >= self._per_second:
            self._seconds.append((self._energy, self._blocks))
            self._energy, self._blocks = 0.0, 0

    @property
    def dbov(self) -> float:
        seconds = tuple(self._seconds)
        energy = self._energy + sum(one for one, _ in seconds)
        blocks = self._blocks + sum(count for _, count in seconds)
        return max(SILENCE_DBOV, 10.0 * math.log10(energy / blocks)) if energy > 0.0 else SILENCE_DBOV


def meter(level_dbov: float) -> float:
    """A level in dBov as 0.0 .. 1.0 for a meter, linear in dB."""
    return max(0.0, min(1.0, 1.0 - level_dbov / METER_FLOOR_DBOV))


class SpeechDetector:
    """Speech by level over a slowly learnt background, with hangover. Feed 10 ms blocks' levels."""

    def __init__(self) -> None:
        self.noise_dbov = INITIAL_NOISE_DBOV
        self.speech = False
        self._loud = 0
        self._hangover = 0

    def update(self, level_dbov: float) -> bool:
        """Level of one 10 ms block in dBov; whether there is speech now."""
        loud = level_dbov > max(SPEECH_FLOOR_DBOV, self.noise_dbov + SPEECH_RATIO_DB)
        self._loud = self._loud + 1 if loud else 0
        if self._loud >= ATTACK_BLOCKS:
            self._hangover = HANGOVER_BLOCKS
        else:
            self._hangover = max(0, self._hangover - 1)
        self.speech = self._hangover > 0
        if level_dbov < self.noise_dbov:
            self.noise_dbov += (max(level_dbov, METER_FLOOR_DBOV - 20) - self.noise_dbov) * NOISE_FALL
        else:
            self.noise_dbov += min(NOISE_RISE_DB, level_dbov - self.noise_dbov)
        return self.speech


@dataclass(frozen=True, slots=True)
class Reading:
    """One 10 ms block of the microphone."""

    level_dbov: float
    speech: bool
    hint: str | None = None
    """``talking_while_muted``, ``no_signal``, ``signal_back`` or ``noisy``."""


class MicrophoneMonitor:
    """Watches the microphone; times come from the caller."""

    def __init__(self) -> None:
        self.muted = False
        self._detector = SpeechDetector()
        self._speech: deque[tuple[float, bool]] = deque()
        self._spoken_ms = 0.0
        self._last_signal_ms: float | None = None
        self._signal_missing = False
        self._noisy_since_ms: float | None = None
        self._hinted: dict[str, float] = {}

    def update(self, raw: Samples, processed: Samples, now_ms: float) -> Reading:
        """*raw* decides whether the device gives a signal, *processed* (noise removed) whether somebody speaks."""
        raw_level, level = dbov(raw), dbov(processed)
        speech = self._detector.update(level)
        hint = self._signal_hint(raw_level, now_ms) or self._muted_hint(speech, now_ms)
        return Reading(level, speech, hint or self._noise_hint(raw_level, speech, now_ms))

    def _signal_hint(self, level: float, now_ms: float) -> str | None:
        if self._last_signal_ms is None:
            self._last_signal_ms = now_ms
        if level > NO_SIGNAL_DBOV:
            self._last_signal_ms = now_ms
            if self._signal_missing:
                self._signal_missing = False
                return "signal_back"
        elif not self._signal_missing and now_ms - self._last_signal_ms >= NO_SIGNAL_MS:
            self._signal_missing = True
            return "no_signal"
        return None

    def _muted_hint(self, speech: bool, now_ms: float) -> str | None:
        if not self.muted:
            self._speech.clear()
            self._spoken_ms = 0.0
            return None
        self._speech.append((now_ms, speech))
        self._spoken_ms += 10.0 if speech else 0.0
        while self._speech and now_ms - self._speech[0][0] > TALKING_WINDOW_MS:
            self._spoken_ms -= 10.0 if self._speech.popleft()[1] else 0.0
        return self._once("talking_while_muted", now_ms) if self._spoken_ms >= TALKING_WHILE_MUTED_MS else None

    def _noise_hint(self, level: float, speech: bool, now_ms: float) -> str | None:
        if speech or level < NOISY_DBOV:
            self._noisy_since_ms = None
            return None
        if self._noisy_since_ms is None:
            self._noisy_since_ms = now_ms
        return self._once("noisy", now_ms) if now_ms - self._noisy_since_ms >= NOISY_MS else None

    def _once(self, code: str, now_ms: float) -> str | None:
        last = self._hinted.get(code)
        if last is not None and now_ms - last < HINT_PAUSE_MS:
            return None
        self._hinted[code] = now_ms
        return code
