"""What is heard in a run without a window: tones and key sounds in what the loudspeaker plays."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from app.media.tones import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS, RATE, power_at

Samples = NDArray[np.int16]

MAX_BLOCKS = 12_000
"""Blocks of 10 ms kept: two minutes."""
MIN_AMPLITUDE = 300.0
"""About -40 dBFS; below it is noise of codecs."""
TONE_SHARE = 0.5
"""Part of the whole amplitude that a heard tone has; the rest is chirps and noise."""
KEY_WINDOW = RATE * 30 // 1000
KEY_STEP = RATE // 100
KEY_SHARE = 0.6
MIN_KEY_STEPS = 4
"""A key is heard for 40 ms at least (ITU-T Q.24)."""

_FREQUENCIES = np.array((*DTMF_ROWS, *DTMF_COLUMNS), np.float64)
_WAVES = np.exp(-2j * np.pi * np.outer(_FREQUENCIES, np.arange(KEY_WINDOW)) / RATE)


class Ear:
    """Takes played blocks (:meth:`hear`, on the playout thread) and says what was in them."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque(maxlen=MAX_BLOCKS)
        self._count = 0

    def hear(self, block: Samples, at_ms: float) -> None:
        self._blocks.append(block if block.ndim == 1 else block[:, 0])
        self._count += 1

    def mark(self) -> int:
        """Now, for :meth:`since`."""
        return self._count

    def since(self, mark: int, most: int = MAX_BLOCKS) -> Samples:
        """What was heard since, at most the last *most* blocks of 10 ms."""
        wanted = min(self._count - mark, most, len(self._blocks))
        blocks = list(self._blocks)[-wanted:] if wanted > 0 else []
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def tone_heard(samples: Samples, hz: float) -> bool:
    """Whether a tone of *hz* is the loudest part of *samples*."""
    if not len(samples):
        return False
    amplitude = power_at(samples, hz)
    whole = float(np.sqrt(2 * np.mean(np.square(samples.astype(np.float64)))))
    return amplitude >= MIN_AMPLITUDE and amplitude >= TONE_SHARE * whole


def keys_heard(samples: Samples) -> str:
    """Keys whose sound (ITU-T Q.23) is in *samples*, in their order; a key that is pressed twice needs a pause."""
    keys: list[str] = []
    current, length = "", 0
    for at in range(0, len(samples) - KEY_WINDOW + 1, KEY_STEP):
        key = _key(samples[at : at + KEY_WINDOW])
        if key == current:
            length += 1
        else:
            current, length = key, 1
        if current and length == MIN_KEY_STEPS:
            keys.append(current)
    return "".join(keys)


def _key(window: Samples) -> str:
    """The key that sounds in *window*, empty when none does."""
    sound = window.astype(np.float64)
    amplitudes = 2 * np.abs(_WAVES @ sound) / len(sound)
    row, column = int(np.argmax(amplitudes[:4])), int(np.argmax(amplitudes[4:]))
    low, high = float(amplitudes[row]), float(amplitudes[4 + column])
    if min(low, high) < MIN_AMPLITUDE:
        return ""
    energy = float(np.mean(np.square(sound)))
    return DTMF_KEYS[row * 4 + column] if (low**2 + high**2) / 2 >= KEY_SHARE * energy else ""
