"""Filling of lost sound by repeating the last pitch period, for codecs without concealment of their own.

The idea is that of ITU-T G.711 appendix I: repeat the last period of the waveform, fade it out within 60 ms, and
cross-fade into the sound that follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

HISTORY_MS = 40
FADE_START_MS, FADE_END_MS = 10, 60
"""Repetition sounds metallic after about 60 ms, so it is silent by then (G.711 appendix I)."""
MERGE_MS = 4


def find_period(samples: NDArray[np.float32], shortest: int, longest: int) -> tuple[int, float]:
    """Best lag between *shortest* and *longest* at which the end of *samples* repeats, and its correlation -1..1.

    Needs ``2 * longest`` samples; the search is coarse (every sixth sample) and then exact around the best.
    """
    step = 6 if longest > 240 else 1
    coarse = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1) if step > 1 else samples
    lag, _ = _best_lag(coarse, max(2, shortest // step), longest // step)
    if step == 1:
        return lag, _
    low, high = max(shortest, (lag - 1) * step), min(longest, (lag + 1) * step)
    return _best_lag(samples, low, high)


def _best_lag(samples: NDArray[np.float32], shortest: int, longest: int) -> tuple[int, float]:
    length = min(longest, len(samples) - longest)
    if length <= 0 or shortest > longest:
        return longest, 0.0
    template = samples[-length:]
    window = samples[-length - longest : len(samples) - shortest]
    products = np.correlate(window, template, "valid")
    squares = np.concatenate(([0.0], np.cumsum(np.square(window, dtype=np.float64))))
    energies = squares[length:] - squares[:-length]
    energy = float(np.dot(template, template))
    scores = products / np.sqrt(energies * energy + 1.0)
    best = int(np.argmax(scores))
    return longest - best, float(scores[best])


class Repeater:
    """Remembers what was heard and continues it."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._history: NDArray[np.float32] = np.zeros(rate * HISTORY_MS // 1000, np.float32)
        self._period: NDArray[np.float32] | None = None
        self._offset = 0
        self._concealed = 0

    def heard(self, samples: Samples) -> Samples:
        """Give decoded sound; returns it, cross-faded if it follows concealment."""
        result = samples
        if self._period is not None:
            count = min(len(samples), self._rate * MERGE_MS // 1000)
            ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
            mixed = self._continue(count) * (1 - ramp) + samples[:count] * ramp
            result = samples.copy()
            result[:count] = mixed.astype(np.int16)
            self._period, self._concealed = None, 0
        self._history = np.concatenate((self._history, result.astype(np.float32)))[-len(self._history) :]
        return result

    def conceal(self, samples: int) -> Samples:
        """The waveform repeated for *samples*, fading to silence."""
        return self._continue(samples).astype(np.int16)

    def reset(self) -> None:
        self._history[:] = 0
        self._period, self._concealed = None, 0

    def _continue(self, samples: int) -> NDArray[np.float32]:
        if self._period is None:
            lag, _ = find_period(self._history, self._rate // 400, self._rate * 16 // 1000)
            self._period, self._offset = self._history[-lag:].copy(), 0
        indices = (np.arange(samples) + self._offset) % len(self._period)
        self._offset += samples
        start, end = self._rate * FADE_START_MS // 1000, self._rate * FADE_END_MS // 1000
        gains = np.clip((end - (np.arange(samples) + self._concealed)) / (end - start), 0.0, 1.0).astype(np.float32)
        self._concealed += samples
        result: NDArray[np.float32] = self._period[indices] * gains
        return result
