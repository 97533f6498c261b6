"""Voice activity detection: scores for runs of samples, by any processor that rates short frames (sans-IO)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.media.levels import SPEECH_FLOOR_DBOV, SPEECH_RATIO_DB, SpeechDetector, dbov

RATE = 48_000
RUN_SIZES = (256, 512, 1024, 4096, 8192, 16384)
"""Samples per run that may be asked for; another number becomes the nearest."""
DEFAULT_RUN = 4096
"""At 48 kHz about twelve scores a second, as often as a meter moves."""
SCORE_RANGE_DB = 18.0
"""From the level at which speech begins (score 0.5) to a score of 1."""

Samples = NDArray[np.int16]


class VadProcessor(Protocol):
    """Rates frames of sound."""

    @property
    def sample_length(self) -> int:
        """Samples that :meth:`score` takes."""

    @property
    def frequency(self) -> int:
        """Samples a second that it works at."""

    def score(self, frame: NDArray[np.float32]) -> float:
        """How sure it is that the frame (mono, -1.0 .. 1.0) holds speech, 0.0 .. 1.0."""


class LevelVad:
    """Speech by its level over the learnt background; see :class:`app.media.levels.SpeechDetector`."""

    sample_length = 480
    frequency = RATE

    def __init__(self) -> None:
        self._detector = SpeechDetector()

    def score(self, frame: NDArray[np.float32]) -> float:
        level = dbov(np.clip(frame * 32767.0, -32768, 32767).astype(np.int16))
        threshold = max(SPEECH_FLOOR_DBOV, self._detector.noise_dbov + SPEECH_RATIO_DB)
        speech = self._detector.update(level)
        sure = max(0.0, min(1.0, 0.5 + (level - threshold) / (2 * SCORE_RANGE_DB)))
        # Within words there are pauses; a loud click is no word.
        return max(sure, 0.5) if speech else min(sure, 0.49)


def nearest_run(samples: int) -> int:
    """The one of :data:`RUN_SIZES` that is nearest to *samples*."""
    return min(RUN_SIZES, key=lambda size: abs(size - samples))


class VadEmitter:
    """Cuts sound into the processor's frames and publishes the highest score of each run.

    *run* is the number of samples per run, see :func:`nearest_run`. Raises ``ValueError`` for a processor that does
    not work at 48 kHz.
    """

    def __init__(self, processor: VadProcessor, publish: Callable[[float], None], run: int = DEFAULT_RUN) -> None:
        if processor.frequency != RATE:
            raise ValueError(f"the processor works at {processor.frequency} Hz, the microphone at {RATE}")
        self.run = nearest_run(run)
        self._processor = processor
        self._publish = publish
        self._pending = np.zeros(0, np.int16)
        self._counted = 0
        self._highest = 0.0

    def push(self, block: Samples) -> None:
        """Any number of samples, mono at 48 kHz."""
        length = self._processor.sample_length
        self._pending = np.concatenate((self._pending, block))
        while len(self._pending) >= length:
            frame, self._pending = self._pending[:length], self._pending[length:]
            self._highest = max(self._highest, self._processor.score(frame.astype(np.float32) / 32768.0))
            self._counted += length
            if self._counted >= self.run:
                self._publish(self._highest)
                # What is left over belongs to the next run, so that runs keep their mean length.
                self._counted -= self.run
                self._highest = 0.0
