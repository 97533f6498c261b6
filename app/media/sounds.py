"""Sounds that the application makes itself: short signals from files, call progress tones made when needed."""

from __future__ import annotations

import logging
import wave
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.media.mixer import Mixer, PlayingSound
from app.media.tones import BUSY, CALL_WAITING, CONGESTION, RINGBACK, dtmf, sequence

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "sounds"
RATE = 48_000
MAX_SECONDS = 30
"""Longer files are cut: a sound is kept in memory."""
TEST_NOTES = (((523.25,), 220), ((659.26,), 220), ((783.99,), 420))
RING = (((659.26, 783.99), 400), ((), 200), ((659.26, 783.99), 400), ((), 2_000))
RING_CLASSIC = (*((((1_000.0,), 40), ((1_250.0,), 40)) * 12), ((), 2_500))
"""The two bells of an old telephone, in turn."""
RING_SOFT = (((392.0,), 500), ((), 100), ((523.25,), 700), ((), 2_700))


class Sound(StrEnum):
    """Every sound by its name; the values of the first group are file names in ``resources/sounds``."""

    JOIN = "join"
    LEAVE = "leave"
    HAND = "hand"
    MESSAGE = "message"
    REACTION = "reaction"
    KNOCK = "knock"
    RECORDING_ON = "recording_on"
    RECORDING_OFF = "recording_off"
    MUTED = "muted"
    DISCONNECTED = "disconnected"

    RING = "ring"
    RING_CLASSIC = "ring_classic"
    RING_SOFT = "ring_soft"
    RINGBACK = "ringback"
    BUSY = "busy"
    CONGESTION = "congestion"
    CALL_WAITING = "call_waiting"
    TEST = "test"

    @property
    def loops(self) -> bool:
        """Goes on until stopped."""
        return self in _LOOPS


_LOOPS = frozenset(
    {
        Sound.RING,
        Sound.RING_CLASSIC,
        Sound.RING_SOFT,
        Sound.RINGBACK,
        Sound.BUSY,
        Sound.CONGESTION,
        Sound.CALL_WAITING,
    }
)
_MADE = {
    Sound.RING: RING,
    Sound.RING_CLASSIC: RING_CLASSIC,
    Sound.RING_SOFT: RING_SOFT,
    Sound.RINGBACK: RINGBACK,
    Sound.BUSY: BUSY,
    Sound.CONGESTION: CONGESTION,
    Sound.CALL_WAITING: CALL_WAITING,
    Sound.TEST: TEST_NOTES,
}


@lru_cache(maxsize=len(Sound))
def samples(sound: Sound) -> Samples:
    """48 kHz mono int16; empty (and logged) when its file is missing or is not 16-bit mono at 48 kHz."""
    if sound in _MADE:
        return sequence(_MADE[sound])
    return read(FOLDER / f"{sound.value}.wav")


def read(path: Path) -> Samples:
    """A WAV file of 16-bit mono at 48 kHz; empty when it is anything else."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE):
                logger.warning("%s is not 16-bit mono at 48 kHz", path.name)
                return np.zeros(0, np.int16)
            data = file.readframes(RATE * MAX_SECONDS)
    except (OSError, EOFError, wave.Error) as error:
        logger.warning("Sound %s cannot be read: %s", path.name, error)
        return np.zeros(0, np.int16)
    return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)


def play(mixer: Mixer, sound: Sound, volume: float = 1.0, on_done: Callable[[], None] | None = None) -> PlayingSound:
    """Play into the mix; looping ones until :meth:`app.media.mixer.PlayingSound.stop`. *on_done* is called on the
    playout thread."""
    return mixer.play(samples(sound), volume=volume, loop=sound.loops, on_done=on_done)


def play_dtmf(mixer: Mixer, digit: str, volume: float = 0.6) -> PlayingSound | None:
    """The sound of a pressed key, for the one who presses it; ``None`` for what is no key."""
    try:
        return mixer.play(dtmf(digit), volume=volume)
    except ValueError:
        return None
