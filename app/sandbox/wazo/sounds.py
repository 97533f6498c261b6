"""Sound files: voicemails and recordings with a tone that tests can recognise."""

from __future__ import annotations

import io
import wave
from functools import lru_cache

RATE = 8000


@lru_cache(maxsize=32)
def speech_like_wav(seconds: float, hz: float) -> bytes:
    """A WAV file (8 kHz, mono, 16 bit) with a tone of *hz* in bursts of a quarter of a second."""
    import numpy as np

    times = np.arange(int(seconds * RATE)) / RATE
    bursts = (times % 0.5) < 0.25
    samples = (np.sin(2 * np.pi * hz * times) * 9000 * bursts).astype("<i2")
    return to_wav(samples.tobytes())


def to_wav(pcm: bytes, rate: int = RATE) -> bytes:
    """Wrap 16-bit mono samples."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()
