"""Time-stretching of speech by whole pitch periods (the overlap-add idea behind WSOLA), for 48 kHz mono int16.

One call removes or repeats one stretch of 2.5 to 15 ms where the waveform repeats itself, so pitch and loudness stay
and no click is made. Where the waveform does not repeat well, nothing happens and the caller tries again later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.media.conceal import find_period

Samples = NDArray[np.int16]

SHORTEST, LONGEST = 120, 720
"""2.5 ms and 15 ms: pitch from 400 Hz (higher ones match at a multiple of their period) down to 67 Hz."""
FADE = 240
"""5 ms cross-fade."""
NEEDED_TO_SHORTEN = 2 * LONGEST
"""Samples that :func:`shorten` must see."""
SILENCE_RMS = 60.0
"""About -55 dBFS: here any place is a good one to cut."""
GOOD_MATCH = 0.85
FAIR_MATCH = 0.4
"""Enough when the delay is far off: a small artefact is better than a second of lag."""


def _ramp(count: int) -> NDArray[np.float32]:
    return np.linspace(0.0, 1.0, count, dtype=np.float32)


def _cross_fade(old: Samples, new: Samples) -> Samples:
    ramp = _ramp(len(old))
    return (old.astype(np.float32) * (1 - ramp) + new.astype(np.float32) * ramp).astype(np.int16)


def _match(samples: NDArray[np.float32], urgent: bool) -> int:
    """Lag to cut or repeat at the end of ``2 * LONGEST`` samples, or 0 when the waveform does not repeat."""
    if float(np.sqrt(np.mean(np.square(samples)))) < SILENCE_RMS:
        return LONGEST
    lag, score = find_period(samples, SHORTEST, LONGEST)
    return lag if score >= (FAIR_MATCH if urgent else GOOD_MATCH) else 0


def shorten(samples: Samples, *, urgent: bool = False) -> Samples:
    """*samples* without one period; unchanged if there are fewer than :data:`NEEDED_TO_SHORTEN` or no period fits."""
    end = NEEDED_TO_SHORTEN
    if len(samples) < end:
        return samples
    lag = _match(samples[:end].astype(np.float32), urgent)
    if not lag:
        return samples
    fade = min(FADE, lag)
    joint = _cross_fade(samples[end - lag - fade : end - lag], samples[end - fade : end])
    return np.concatenate((samples[: end - lag - fade], joint, samples[end:]))


def lengthen(history: Samples, samples: Samples, *, urgent: bool = False) -> Samples:
    """*samples* preceded by a repeat of the last period of *history* (what was played just before).

    Unchanged if history is shorter than :data:`NEEDED_TO_SHORTEN`, samples than :data:`FADE`, or no period fits.
    """
    if len(history) < NEEDED_TO_SHORTEN or len(samples) < FADE:
        return samples
    lag = _match(history[-NEEDED_TO_SHORTEN:].astype(np.float32), urgent)
    if not lag:
        return samples
    both = np.concatenate((history[-lag:], samples))
    joint = _cross_fade(samples[:FADE], both[:FADE])
    return np.concatenate((joint, both[FADE:]))
