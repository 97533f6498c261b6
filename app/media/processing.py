"""Echo cancellation, noise suppression, gain control and high-pass filter of the microphone.

WebRTC's audio processing comes from ``livekit`` (:class:`livekit.rtc.AudioProcessingModule`), the one wheel that ships
it for Linux, macOS and Windows. It is imported when first needed, because that takes about half a second: in the
calling thread by :class:`Processor`, in a thread of its own by :class:`MicrophoneProcessor`. Without it (Windows on
Arm, not installed) sound passes unchanged and :attr:`Processor.available` is false, so that the window can say that
headphones are advised.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.media.api import AudioProcessing
from app.media.mixer import Mixer, now_ms

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]

RATE = 48_000
BLOCK = 480
MAX_DELAY_MS = 500
"""What the echo canceller accepts as a hint."""
DELAY_STEP_MS = 10.0
"""Smaller changes of the delay are the jitter of the two device threads."""
MICROPHONE_OPEN_MS = 1_000.0
"""Without blocks of a microphone for so long, what is played is of no interest."""


class Processor:
    """One microphone and one loudspeaker. Both block methods take 10 ms int16 mono at 48 kHz, from any thread."""

    def __init__(self, settings: AudioProcessing | None = None) -> None:
        self._lock = threading.Lock()
        self._settings = settings or AudioProcessing()
        self._frame_type: Any = None
        self._module: Any = None
        self._delay_ms = 0
        self._tried = False
        self._loader: threading.Thread | None = None
        self._failed = False

    @property
    def settings(self) -> AudioProcessing:
        return self._settings

    @property
    def available(self) -> bool:
        """Whether real processing is there (waits until the library is loaded)."""
        if self._loader is not None:
            self._loader.join()
        with self._lock:
            self._load()
            return self._frame_type is not None and not self._failed

    def configure(self, settings: AudioProcessing) -> None:
        """Switch parts on or off, from the next block. What the filters had learnt is learnt anew in a second."""
        with self._lock:
            if settings == self._settings and self._tried:
                return
            self._settings = settings
            if self._tried:
                self._build()

    def set_delay(self, milliseconds: float) -> None:
        """Time from a block given to :meth:`played` until its echo is in a block given to :meth:`captured`."""
        delay = max(0, min(MAX_DELAY_MS, round(milliseconds)))
        with self._lock:
            if delay == self._delay_ms:
                return
            self._delay_ms = delay
            self._apply_delay()

    def played(self, block: Samples) -> None:
        """What the loudspeaker plays: the reference of the echo canceller."""
        if not self._settings.echo_cancellation:
            return
        with self._lock:
            if self._ready():
                self._run(self._module.process_reverse_stream, block)

    def captured(self, block: Samples) -> Samples:
        """The block of the microphone, processed; the same block when everything is off or unavailable."""
        with self._lock:
            return self._run(self._module.process_stream, block) if self._ready() else block

    def _ready(self) -> bool:
        self._load()
        return self._module is not None and not self._failed

    def _run(self, process: Any, block: Samples) -> Samples:
        frame = self._frame_type(bytearray(block.tobytes()), RATE, 1, BLOCK)
        try:
            process(frame)
        except RuntimeError:
            self._failed = True
            logger.exception("Audio processing failed and is off")
            return block
        return np.frombuffer(frame.data, np.int16)

    def load_in_background(self) -> None:
        """Import the library in a thread; until then sound passes unchanged. Call before anything else."""
        self._loader = threading.Thread(target=self._import, name="audio-processing-import", daemon=True)
        self._loader.start()

    def _load(self) -> None:
        """With the lock held."""
        if not self._tried and self._loader is None:
            self._import_now()

    def _import(self) -> None:
        # Imported without the lock, which the device threads want every 10 ms.
        with contextlib.suppress(ImportError, OSError):
            import livekit.rtc  # noqa: F401
        with self._lock:
            self._import_now()

    def _import_now(self) -> None:
        self._tried = True
        try:
            from livekit import rtc
        except (ImportError, OSError) as error:
            logger.warning("No echo cancellation on this computer: %s", error)
            return
        self._frame_type = rtc.AudioFrame
        self._build()

    def _build(self) -> None:
        if self._frame_type is None:
            return
        wanted = self._settings
        self._failed = False
        if not (wanted.echo_cancellation or wanted.noise_suppression or wanted.gain_control or wanted.high_pass):
            self._module = None
            return
        from livekit import rtc

        self._module = rtc.AudioProcessingModule(
            echo_cancellation=wanted.echo_cancellation,
            noise_suppression=wanted.noise_suppression,
            high_pass_filter=wanted.high_pass,
            auto_gain_control=wanted.gain_control,
        )
        self._apply_delay()

    def _apply_delay(self) -> None:
        if self._module is None or not self._settings.echo_cancellation:
            return
        try:
            self._module.set_stream_delay_ms(self._delay_ms)
        except RuntimeError:
            logger.warning("The delay hint was refused")


class MicrophoneProcessor:
    """A :class:`Processor` wired between the mixer (reference) and the microphone's blocks.

    :meth:`process` runs on the microphone's thread, the reference comes on the loudspeaker's.
    """

    def __init__(self, settings: AudioProcessing, mixer: Mixer) -> None:
        self._processor = Processor(settings)
        self._processor.load_in_background()
        self._captured_at_ms = -MICROPHONE_OPEN_MS
        self._render_delay_ms = 0.0
        self._delay_ms: float | None = None
        self._detach = mixer.add_tap(self._played)

    @property
    def available(self) -> bool:
        """See :attr:`Processor.available`."""
        return self._processor.available

    def configure(self, settings: AudioProcessing) -> None:
        self._processor.configure(settings)

    def process(self, block: Samples, captured_ms: float) -> Samples:
        """One block of 10 ms whose first sample was heard at *captured_ms*."""
        now = now_ms()
        self._captured_at_ms = now
        delay = self._render_delay_ms + now - captured_ms
        if self._delay_ms is None or abs(delay - self._delay_ms) > DELAY_STEP_MS:
            self._delay_ms = delay
            self._processor.set_delay(delay)
        return self._processor.captured(block)

    def close(self) -> None:
        self._detach()

    def _played(self, block: Samples, plays_at_ms: float) -> None:
        now = now_ms()
        if now - self._captured_at_ms > MICROPHONE_OPEN_MS:
            return
        self._render_delay_ms = plays_at_ms - now
        self._processor.played(block)
