"""Microphone, camera, screen and loudspeaker of the engine, shared by all its calls. Runs on the engine's loop.

Devices deliver on threads of their own; opening and closing them happens in worker threads, never on a loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from app.calls.model import SourceContent
from app.media import api
from app.media.api import AudioInput, AudioOutput, AudioProcessing, VideoInput
from app.media.devices import AudioBackend, NoBackend, Stream, open_microphone, open_speaker
from app.media.errors import DeviceError
from app.media.frames import FrameSlotImpl
from app.media.levels import MicrophoneMonitor, Reading, meter
from app.media.mixer import Mixer, Samples
from app.media.processing import MicrophoneProcessor
from app.media.vad import LevelVad, VadEmitter
from app.media.video_capture import VideoCapture, open_video_input

logger = logging.getLogger(__name__)

LEVEL_BLOCKS = 10
"""Blocks of 10 ms per report of the own level."""
SLOW_OPEN_S = 1.5
"""A device that has not opened by then is said to be starting still; most take half a second."""
MEASURE_FPS_MS = 3_000.0
"""Cameras begin slowly in the dark; the rate over three seconds is theirs."""
FPS_TOLERANCE = 0.9
WHAT = {SourceContent.CAMERA: "camera", SourceContent.SCREEN: "screen"}

BlockSink = Callable[[Samples, float], None]
"""20 ms of processed sound and the time of its first sample, on the engine's loop."""


class MicrophoneChain:
    """From the device's 10 ms blocks to processed 20 ms blocks; :meth:`feed` runs on the device's thread."""

    def __init__(
        self,
        *,
        post: Callable[..., None],
        deliver: BlockSink,
        report: Callable[[Reading, float], None],
        process: Callable[[Samples, float], Samples] | None,
    ) -> None:
        self.monitor = MicrophoneMonitor()
        self._post = post
        self._deliver = deliver
        self._report = report
        self._score = 0.0
        self._vad = VadEmitter(LevelVad(), self._scored)
        self.process = process
        self._half: tuple[Samples, float] | None = None
        self._count = 0
        self._loudest: Reading | None = None
        self._failed = False

    def feed(self, block: Samples, at_ms: float) -> None:
        processed = self._processed(block, at_ms)
        reading = self.monitor.update(block, processed, at_ms)
        self._vad.push(processed)
        self._level(reading)
        if self._half is None:
            self._half = (processed, at_ms)
            return
        first, started = self._half
        self._half = None
        self._post(self._deliver, np.concatenate((first, processed)), started)

    def _scored(self, score: float) -> None:
        self._score = score

    def _processed(self, block: Samples, at_ms: float) -> Samples:
        if self.process is None:
            return block
        try:
            return self.process(block, at_ms)
        except Exception:
            # A broken echo canceller must not silence the microphone.
            if not self._failed:
                self._failed = True
                logger.exception("audio processing failed, the microphone goes on unprocessed")
            self.process = None
            return block

    def _level(self, reading: Reading) -> None:
        if self._loudest is None or reading.level_dbov > self._loudest.level_dbov or reading.hint:
            hint = reading.hint or (self._loudest.hint if self._loudest else None)
            self._loudest = Reading(reading.level_dbov, reading.speech, hint)
        self._count += 1
        if self._count >= LEVEL_BLOCKS:
            loudest, self._count, self._loudest = self._loudest, 0, None
            self._post(self._report, loudest, self._score)


class CameraCheck:
    """Looks at a camera's first seconds and tells once when it gives less than was asked. On the capture's thread."""

    def __init__(self, capture: VideoCapture, tell: Callable[[api.InputLimited], None]) -> None:
        self._capture = capture
        self._tell = tell
        self._began_ms: float | None = None
        self._count = 0
        self._detach = capture.attach(self._frame)

    def _frame(self, frame: Any, captured_ms: float) -> None:
        wanted = self._capture.source
        if self._began_ms is None:
            self._began_ms = captured_ms
            if frame.width < wanted.width and frame.height < wanted.height:
                self._limited("unsupported_resolution", frame, 0.0)
            return
        self._count += 1
        passed = captured_ms - self._began_ms
        if passed >= MEASURE_FPS_MS:
            self._detach()
            fps = self._count * 1000 / passed
            if fps < wanted.min_fps * FPS_TOLERANCE:
                self._limited("constraint_failed", frame, fps)

    def _limited(self, code: str, frame: Any, fps: float) -> None:
        self._tell(api.InputLimited("camera", code, self._capture.label, frame.width, frame.height, fps))


class Inputs:
    """What is open, and who gets it."""

    def __init__(
        self, *, post: Callable[..., None], emit: Callable[[api.EngineEvent], None], mixer: Mixer | None = None
    ) -> None:
        self.mixer = mixer or Mixer()
        self.backend: AudioBackend = NoBackend()
        self.processing = AudioProcessing()
        self.make_processor: Callable[[AudioProcessing, Mixer], Any] = MicrophoneProcessor
        self._post = post
        self._emit = emit
        self._locks = {what: asyncio.Lock() for what in ("microphone", "speaker", "camera", "screen")}
        self._closed = False
        self._microphone: Stream | None = None
        self._chain: MicrophoneChain | None = None
        self._processor: Any = None
        self._speaker: Stream | None = None
        self._sinks: set[BlockSink] = set()
        self._broken: set[BlockSink] = set()
        self._captures: dict[SourceContent, VideoCapture] = {}
        self._detach_preview: dict[SourceContent, Callable[[], None]] = {}
        self._video_senders: dict[Any, tuple[SourceContent, Callable[[], None]]] = {}
        self._previews: dict[SourceContent, FrameSlotImpl] = {}
        self._preview_lock = threading.Lock()
        self._muted = False
        self._test_tone = False

    # ------------------------------------------------------------ loudspeaker

    async def ensure_output(self) -> None:
        """Something must pull the mixer, also when no loudspeaker was chosen."""
        async with self._locks["speaker"]:
            if self._speaker is None:
                self._speaker = await asyncio.to_thread(
                    open_speaker, self.backend, AudioOutput(kind="null"), self.mixer
                )

    async def set_speaker(self, output: AudioOutput) -> None:
        async with self._locks["speaker"]:
            # Two devices pulling at once would play everything at double speed.
            old, self._speaker = self._speaker, None
            if old is not None:
                await asyncio.to_thread(old.close)
            try:
                self._speaker = await asyncio.to_thread(open_speaker, self.backend, output, self.mixer)
            except DeviceError as error:
                self._speaker = await asyncio.to_thread(
                    open_speaker, self.backend, AudioOutput(kind="null"), self.mixer
                )
                self._fail(error)
                raise
            self._emit(api.InputStarted("speaker", self._speaker.device))

    # ------------------------------------------------------------ microphone

    async def set_microphone(self, source: AudioInput | None) -> None:
        async with self._locks["microphone"]:
            if source is None or source.kind == "none":
                await self._close_microphone()
                return
            chain = await self._new_chain(source)
            opening = asyncio.ensure_future(asyncio.to_thread(open_microphone, self.backend, source, chain.feed))
            try:
                stream = await asyncio.shield(opening)
            except DeviceError as error:
                self._fail(error, "48000 Hz, mono")
                raise
            except asyncio.CancelledError:
                # The thread cannot be stopped: what it opens must not stay open with nobody to close it.
                opening.add_done_callback(_close_unwanted)
                raise
            if self._closed:
                if stream is not None:
                    await asyncio.to_thread(stream.close)
                return
            old, self._microphone, self._chain = self._microphone, stream, chain
            if old is not None:
                await asyncio.to_thread(old.close)
            self._test_tone = source.kind == "test"
            if stream is not None:
                self._emit(api.InputStarted("microphone", stream.device))

    async def _new_chain(self, source: AudioInput) -> MicrophoneChain:
        process = None
        # A test signal must arrive as it is: noise suppression would remove the tone.
        if source.kind == "device":
            if self._processor is None:
                self._processor = self.make_processor(self.processing, self.mixer)
                # Loads the library, half a second, which the device's thread must not wait for.
                await asyncio.to_thread(lambda: self._processor.available)
            process = self._processor.process
        chain = MicrophoneChain(post=self._post, deliver=self._deliver, report=self._report, process=process)
        chain.monitor.muted = self._muted
        return chain

    async def _close_microphone(self) -> None:
        old, self._microphone, self._chain = self._microphone, None, None
        if old is not None:
            await asyncio.to_thread(old.close)

    def set_processing(self, processing: AudioProcessing) -> None:
        self.processing = processing
        if self._processor is not None:
            self._processor.configure(processing)

    def set_muted(self, muted: bool) -> None:
        """Whether nobody hears the microphone, for the hint to people who talk while muted."""
        self._muted = muted
        if self._chain is not None:
            self._chain.monitor.muted = muted

    def add_sink(self, sink: BlockSink) -> Callable[[], None]:
        self._sinks.add(sink)

        def remove() -> None:
            self._sinks.discard(sink)
            self._broken.discard(sink)

        return remove

    def _deliver(self, block: Samples, at_ms: float) -> None:
        for sink in tuple(self._sinks):
            try:
                sink(block, at_ms)
            except Exception:
                # One call's broken encoder must not silence the microphone in another, nor fill the log.
                if sink not in self._broken:
                    self._broken.add(sink)
                    logger.exception("a microphone's listener failed")

    def _report(self, reading: Reading, score: float) -> None:
        self._emit(api.LocalAudioLevel(meter(reading.level_dbov), reading.speech, score))
        # A test tone is steady sound without speech, which is what noise is recognised by.
        if reading.hint is not None and not (self._test_tone and reading.hint == "noisy"):
            self._emit(api.MicrophoneHint(reading.hint))

    # ------------------------------------------------------------ camera and screen

    async def set_video(self, content: SourceContent, source: VideoInput | None) -> None:
        what = WHAT[content]
        async with self._locks[what]:
            # Most cameras open once only, so the old one goes first.
            await self._close_video(content)
            if source is None or source.kind == "none":
                return

            def failed(error: DeviceError) -> None:
                self._post(self._fail, error)

            slow = asyncio.get_running_loop().call_later(SLOW_OPEN_S, self._emit, api.InputSlow(what))
            try:
                capture = await asyncio.to_thread(open_video_input, source, content, failed)
            except DeviceError as error:
                self._fail(error, f"{source.width}x{source.height}, {source.fps} fps")
                raise
            finally:
                slow.cancel()
            self._captures[content] = capture
            slot = self.preview(content)
            self._detach_preview[content] = capture.attach(slot.put)
            for sender, (wanted, _) in tuple(self._video_senders.items()):
                if wanted is content:
                    self._connect(sender, content)
            self._emit(api.InputStarted(what, capture.label))
            if source.kind == "camera" and content is SourceContent.CAMERA:
                CameraCheck(capture, lambda limited: self._post(self._emit, limited))

    async def _close_video(self, content: SourceContent) -> None:
        capture = self._captures.pop(content, None)
        if capture is None:
            return
        self._detach_preview.pop(content, lambda: None)()
        for sender, (wanted, detach) in tuple(self._video_senders.items()):
            if wanted is content:
                detach()
                self._video_senders[sender] = (content, lambda: None)
                sender.input_stopped()
        await asyncio.to_thread(capture.close)
        self.preview(content).clear()

    def add_video_sender(self, sender: Any, content: SourceContent) -> Callable[[], None]:
        self._video_senders[sender] = (content, lambda: None)
        self._connect(sender, content)

        def remove() -> None:
            self._video_senders.pop(sender, (content, lambda: None))[1]()

        return remove

    def _connect(self, sender: Any, content: SourceContent) -> None:
        capture = self._captures.get(content)
        if capture is not None:
            if hasattr(sender, "set_optimise_for"):
                sender.set_optimise_for(capture.source.optimise_for)
            self._video_senders[sender] = (content, capture.attach(sender.push))

    def preview(self, content: SourceContent) -> FrameSlotImpl:
        """Callable from any thread."""
        with self._preview_lock:
            if content not in self._previews:
                self._previews[content] = FrameSlotImpl()
            return self._previews[content]

    # ------------------------------------------------------------ end

    def _fail(self, error: DeviceError, constraints: str = "") -> None:
        self._emit(api.InputFailed(error.what, error.code, error.device, str(error), error.original, constraints))

    async def close(self) -> None:
        self._closed = True
        async with self._locks["microphone"]:
            await self._close_microphone()
        for content in WHAT:
            async with self._locks[WHAT[content]]:
                await self._close_video(content)
        async with self._locks["speaker"]:
            old, self._speaker = self._speaker, None
            if old is not None:
                await asyncio.to_thread(old.close)
        if self._processor is not None:
            self._processor.close()
            self._processor = None
        await asyncio.to_thread(self.backend.close)
        for slot in self._previews.values():
            slot.close()


def _close_unwanted(opening: asyncio.Future[Stream | None]) -> None:
    if opening.cancelled() or opening.exception() is not None:
        return
    stream = opening.result()
    if stream is not None:
        stream.close()
