"""Where sound comes from and goes to: the engine's view of microphones and loudspeakers.

Two backends: Qt Multimedia (:mod:`app.media.devices_qt`, when there is a Qt application) and the stand-ins here, which
keep time with a thread: a null loudspeaker that plays into nowhere, and a test microphone. Blocks from a microphone
are 10 ms, int16 mono, 48 kHz, given on the device's own thread; a loudspeaker pulls the mixer on its own thread. The
engine's loop therefore never waits for a device, and a device never for the engine's loop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.media.api import AudioInput, AudioOutput, Device, EngineEvent
from app.media.errors import DeviceError
from app.media.mixer import BLOCK, BLOCK_MS, Mixer, now_ms
from app.media.tones import TestSignal

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]
BlockListener = Callable[[Samples, float], None]
"""Called with 10 ms of sound and the time of its first sample (:func:`app.media.mixer.now_ms`)."""

MAX_CATCH_UP_MS = 200.0
"""A clock thread that was held up longer than this (suspended machine) goes on from now instead of catching up."""
JOIN_TIMEOUT_S = 2.0
"""A clock thread looks at its stop flag every 10 ms; longer means that a listener hangs."""


class Stream(Protocol):
    """An open microphone or loudspeaker."""

    @property
    def device(self) -> str:
        """Label of the device in use."""

    def close(self) -> None:
        """Stop; no listener is called after it returns. Idempotent."""


class AudioBackend(Protocol):
    """Opens real devices. Callable from any thread but the backend's own."""

    def devices(self) -> tuple[Device, ...]: ...

    def open_microphone(self, device_id: str, listener: BlockListener) -> Stream:
        """Raises :class:`DeviceError`. ``""`` follows the system's default."""

    def open_speaker(self, device_id: str, mixer: Mixer) -> Stream: ...

    def close(self) -> None: ...


class ClockThread:
    """Calls *tick* every 10 ms of real time with the time it was due, without drift."""

    def __init__(self, name: str, tick: Callable[[float], None]) -> None:
        self._tick = tick
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_TIMEOUT_S)
            if self._thread.is_alive():
                logger.error("Audio clock %s does not stop", self._thread.name)

    def _run(self) -> None:
        due = now_ms()
        while not self._stopped.is_set():
            late = now_ms() - due
            if late < 0:
                time.sleep(-late / 1000)
            elif late > MAX_CATCH_UP_MS:
                due = now_ms()
            self._tick(due)
            due += BLOCK_MS


class NullSpeaker:
    """Plays the mixer into nowhere, in real time: taps, levels and lip sync work as with a device."""

    device = "null"

    def __init__(self, mixer: Mixer) -> None:
        self._clock = ClockThread("null-speaker", lambda due: self._play(mixer))

    @staticmethod
    def _play(mixer: Mixer) -> None:
        mixer.pull(now_ms())

    def close(self) -> None:
        self._clock.close()


class TestMicrophone:
    """Tone and chirps of :class:`app.media.tones.TestSignal`, in real time."""

    __test__ = False
    device = "test"

    def __init__(self, tone_hz: float, listener: BlockListener) -> None:
        self._listener = listener
        self._signal: TestSignal | None = None
        self._tone_hz = tone_hz
        self._next_ms = 0.0
        self._clock = ClockThread("test-microphone", self._capture)

    def _capture(self, due: float) -> None:
        # A block is complete 10 ms after its first sample, as with a device.
        first = due - BLOCK_MS
        if self._signal is None or abs(first - self._next_ms) > 1.0:
            self._signal = TestSignal(self._tone_hz, first)
        self._next_ms = first + BLOCK_MS
        self._listener(self._signal.block(BLOCK), first)

    def close(self) -> None:
        self._clock.close()


class NoBackend:
    """A machine without sound, or a process without Qt."""

    def devices(self) -> tuple[Device, ...]:
        return ()

    def open_microphone(self, device_id: str, listener: BlockListener) -> Stream:
        raise DeviceError("microphone", "not_found", device_id, "There is no microphone on this computer.")

    def open_speaker(self, device_id: str, mixer: Mixer) -> Stream:
        raise DeviceError("speaker", "not_found", device_id, "There is no loudspeaker on this computer.")

    def close(self) -> None:
        """Holds nothing."""


def make_backend(on_event: Callable[[EngineEvent], None]) -> AudioBackend:
    """The Qt backend when this process has a Qt application, else none. *on_event* is called on any thread."""
    import sys

    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QCoreApplication

        if QCoreApplication.instance() is not None:
            from app.media.devices_qt import QtAudioBackend

            return QtAudioBackend(on_event)
    return NoBackend()


def open_microphone(backend: AudioBackend, source: AudioInput, listener: BlockListener) -> Stream | None:
    """A stream for any kind of :class:`AudioInput`; ``None`` for ``none``. Raises :class:`DeviceError`."""
    if source.kind == "test":
        return TestMicrophone(source.tone_hz, listener)
    if source.kind == "device":
        return backend.open_microphone(source.device_id, listener)
    return None


def open_speaker(backend: AudioBackend, output: AudioOutput, mixer: Mixer) -> Stream:
    """A stream for any kind of :class:`AudioOutput`. Raises :class:`DeviceError`."""
    if output.kind == "null":
        return NullSpeaker(mixer)
    return backend.open_speaker(output.device_id, mixer)
