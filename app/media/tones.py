"""Synthetic sound: test tone with chirps, DTMF, call progress tones; and finding the chirps again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 48_000
CHIRP_MS = 40
CHIRP_FROM_HZ, CHIRP_TO_HZ = 1_200.0, 3_200.0
"""Within what every codec and echo canceller lets through, above the usual test tones."""
CHIRP_PERIOD_MS = 1_000
CHIRP_LEVEL, TONE_LEVEL = 0.5, 0.12
CHIRP_MATCH = 0.5
"""Normalised correlation that a chirp has at least after Opus and the mixer; tone and speech stay under 0.3."""
DTMF_ROWS = (697, 770, 852, 941)
DTMF_COLUMNS = (1209, 1336, 1477, 1633)
DTMF_KEYS = "123A456B789C*0#D"
FADE_MS = 4
"""Edges of generated tones, against clicks."""


def sine(hz: float, samples: int, level: float, start: int = 0) -> NDArray[np.float32]:
    """Part of an endless sine, *start* samples after its beginning; *level* 0..1."""
    times = (np.arange(samples) + start) / RATE
    result: NDArray[np.float32] = (np.sin(2 * np.pi * hz * times) * level * 32767).astype(np.float32)
    return result


def faded(samples: NDArray[np.float32], milliseconds: float = FADE_MS) -> NDArray[np.float32]:
    """With soft edges."""
    count = min(len(samples) // 2, int(RATE * milliseconds / 1000))
    if not count:
        return samples
    result = samples.copy()
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    result[:count] *= ramp
    result[-count:] *= ramp[::-1]
    return result


@lru_cache(maxsize=1)
def chirp() -> NDArray[np.float32]:
    """The chirp, 40 ms from 1.2 to 3.2 kHz, at full level."""
    count = RATE * CHIRP_MS // 1000
    times = np.arange(count) / RATE
    duration = count / RATE
    phase = 2 * np.pi * (CHIRP_FROM_HZ * times + (CHIRP_TO_HZ - CHIRP_FROM_HZ) * times**2 / (2 * duration))
    result: NDArray[np.float32] = (np.sin(phase) * np.hanning(count) * 32767).astype(np.float32)
    return result


class TestSignal:
    """Test microphone: a steady tone, and a chirp at every whole second of the clock (``captured_ms % 1000 == 0``).

    Whoever hears it on the same machine knows the latency: the time a chirp is heard, modulo a second.
    """

    __test__ = False

    def __init__(self, tone_hz: float, start_ms: float = 0.0) -> None:
        self._hz = tone_hz
        self._position = round(start_ms * RATE / 1000)

    def block(self, samples: int) -> Samples:
        """The next *samples*, int16 mono."""
        result = sine(self._hz, samples, TONE_LEVEL, self._position % (RATE * 3600))
        period = RATE * CHIRP_PERIOD_MS // 1000
        phase = self._position % period
        shape = chirp()
        for begin in range(-phase, samples, period):
            low, high = max(0, begin), min(samples, begin + len(shape))
            if low < high:
                result[low:high] += shape[low - begin : high - begin] * np.float32(CHIRP_LEVEL)
        self._position += samples
        return np.clip(result, -32768, 32767).astype(np.int16)


def find_chirps(samples: Samples, threshold: float = CHIRP_MATCH) -> list[int]:
    """Where chirps begin, as sample offsets in 48 kHz mono int16."""
    shape = chirp() / 32767
    if len(samples) < len(shape):
        return []
    sound = samples.astype(np.float32) / 32767
    size = 1 << (len(sound) + len(shape)).bit_length()
    matched = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(shape, size)), size)
    matched = matched[: len(sound) - len(shape) + 1]
    # Only energy in the chirp's own band counts, or the tone under it would lower the score.
    spectrum = np.fft.rfft(sound, size)
    bins = np.fft.rfftfreq(size, 1 / RATE)
    spectrum[(bins < CHIRP_FROM_HZ * 0.8) | (bins > CHIRP_TO_HZ * 1.2)] = 0
    band = np.fft.irfft(spectrum, size)[: len(sound)]
    energy = np.concatenate(([0.0], np.cumsum(np.square(band))))
    local = energy[len(shape) :] - energy[: -len(shape)]
    scores = matched / np.sqrt((local + 1e-3) * float(np.dot(shape, shape)))
    found: list[int] = []
    while len(found) < len(samples) // len(shape) + 1:
        best = int(np.argmax(scores))
        if scores[best] < threshold:
            break
        found.append(best)
        scores[max(0, best - RATE // 4) : best + RATE // 4] = 0
    return sorted(found)


def power_at(samples: NDArray[np.int16] | NDArray[np.float32], hz: float) -> float:
    """Amplitude of one frequency (Goertzel), in the unit of the samples."""
    times = np.arange(len(samples)) / RATE
    return float(2 * np.abs(np.mean(samples * np.exp(-2j * np.pi * hz * times))))


def dtmf(digit: str, milliseconds: int = 120) -> Samples:
    """The sound of a key (ITU-T Q.23); raises :class:`ValueError` for what is no key."""
    key = DTMF_KEYS.index(digit.upper())
    count = RATE * milliseconds // 1000
    mix = sine(DTMF_ROWS[key // 4], count, 0.2) + sine(DTMF_COLUMNS[key % 4], count, 0.2)
    return faded(mix).astype(np.int16)


def sequence(parts: Sequence[tuple[Sequence[float], int]], level: float = 0.15) -> Samples:
    """Tones one after the other: each part is its frequencies (none: silence) and milliseconds."""
    pieces = []
    for frequencies, milliseconds in parts:
        count = RATE * milliseconds // 1000
        piece = np.zeros(count, np.float32)
        for hz in frequencies:
            piece += sine(hz, count, level / max(1, len(frequencies)))
        pieces.append(faded(piece))
    return np.concatenate(pieces).astype(np.int16) if pieces else np.zeros(0, np.int16)


RINGBACK = (((425.0,), 1_000), ((), 4_000))
BUSY = (((425.0,), 500), ((), 500))
CONGESTION = (((425.0,), 250), ((), 250))
CALL_WAITING = (((425.0,), 200), ((), 200), ((425.0,), 200), ((), 4_400))
"""One period each, to be looped; frequencies and cadences of ITU-T E.180 (European)."""
