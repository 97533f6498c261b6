"""Makes the sound files of this folder: ``python resources/sounds/generate.py``. Same input, same bytes."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
LEVEL = 0.28

NOTES: dict[str, tuple[tuple[float, int], ...]] = {
    "join": ((587.33, 90), (880.0, 160)),
    "leave": ((880.0, 90), (587.33, 160)),
    "hand": ((659.26, 80), (987.77, 80), (1318.51, 140)),
    "message": ((1046.5, 60), (1396.91, 110)),
    "reaction": ((1174.66, 60), (1567.98, 90)),
    "knock": ((392.0, 90), (0.0, 60), (392.0, 90)),
    "recording_on": ((523.25, 120), (783.99, 220)),
    "recording_off": ((783.99, 120), (523.25, 220)),
    "muted": ((440.0, 90), (349.23, 110)),
    "disconnected": ((440.0, 140), (349.23, 140), (261.63, 240)),
}
"""Name to notes: frequency in Hz (0 is a rest) and milliseconds."""


def note(hz: float, milliseconds: int) -> NDArray[np.float64]:
    """A struck tone: quick attack, exponential decay, a little of the octave."""
    times = np.arange(RATE * milliseconds // 1000) / RATE
    if not hz:
        return np.zeros(len(times))
    sound = np.sin(2 * np.pi * hz * times) + 0.2 * np.sin(4 * np.pi * hz * times)
    length = milliseconds / 1000
    envelope = np.minimum(times / 0.004, 1.0) * np.exp(-3.0 * times / length) * np.clip((length - times) / 0.01, 0, 1)
    return sound * envelope / 1.2


def render(notes: tuple[tuple[float, int], ...]) -> NDArray[np.int16]:
    sound = np.concatenate([note(hz, milliseconds) for hz, milliseconds in notes])
    return (sound * LEVEL * 32767).round().astype("<i2")


def main() -> None:
    for name, notes in NOTES.items():
        with wave.open(str(Path(__file__).parent / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(render(notes).tobytes())


if __name__ == "__main__":
    main()
