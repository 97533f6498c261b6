"""Recording a call into one Matroska file: the mixed sound (Opus) and one picture of everybody (H.264).

The picture is composed here, a screen large with the cameras beside it, or the cameras in a grid, so that the file
plays anywhere and does not depend on what the window shows. Everything slow (scaling, encoding, the disk) happens in
the recorder's own thread; what callers hand over is bounded and the oldest is dropped when the disk cannot keep up.

Matroska is written in clusters of at most a second: after a crash or a power cut the file plays up to the last one.
"""

from __future__ import annotations

import atexit
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.media.frames import FrameSlotImpl

logger = logging.getLogger(__name__)

SAMPLE_RATE = 48_000
AUDIO_FRAME = 960
"""Samples of one Opus frame, 20 ms."""
AUDIO_BITRATE = 64_000
SETTLE_MS = 200.0
"""Sound is written this long after its time, so that microphone and loudspeaker blocks of one moment meet."""
MAX_BLOCKS = 1_000
"""Sound blocks waiting for the writer, ten seconds of one source."""
MAX_TILES = 16
STALE_S = 3.0
"""A camera without a new picture for so long is muted or gone and leaves the recording; a screen may stand still."""
CLUSTER_MS = 1_000
CLOSE_TIMEOUT_S = 10.0
GAP = 4
"""Pixels between pictures, even."""
_BLACK = (16, 128, 128)

Samples = NDArray[np.int16]
Rect = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class RecordedPicture:
    """One picture of the recording."""

    name: str
    slot: FrameSlotImpl
    is_screen: bool = False


def arrange(count: int, screens: int, width: int, height: int) -> list[Rect]:
    """Places (left, top, width, height; all even) of *count* pictures, of which the first *screens* are screens.

    A screen takes four fifths of the width with the others in a column beside it; without one there is a grid.
    """
    if count <= 0:
        return []
    if screens and count > screens:
        stage = width * 4 // 5 & ~1
        return _grid(screens, 0, 0, stage - GAP, height) + _column(count - screens, stage, width - stage, height)
    return _grid(count, 0, 0, width, height)


def _grid(count: int, left: int, top: int, width: int, height: int) -> list[Rect]:
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell_width, cell_height = (width // columns) & ~1, (height // rows) & ~1
    inner = GAP if count > 1 else 0
    return [
        (
            left + index % columns * cell_width,
            top + index // columns * cell_height,
            cell_width - inner,
            cell_height - inner,
        )
        for index in range(count)
    ]


def _column(count: int, left: int, width: int, height: int) -> list[Rect]:
    cell = min(width * 9 // 16, height // count) & ~1
    return [(left, index * cell, width & ~1, max(2, cell - GAP)) for index in range(count)]


def contained(width: int, height: int, place: Rect) -> Rect:
    """The largest even place of a picture's shape in the middle of *place*."""
    left, top, room_width, room_height = place
    scale = min(room_width / width, room_height / height)
    fit_width = max(2, min(room_width, round(width * scale)) & ~1)
    fit_height = max(2, min(room_height, round(height * scale)) & ~1)
    return (
        left + ((room_width - fit_width) // 2 & ~1),
        top + ((room_height - fit_height) // 2 & ~1),
        fit_width,
        fit_height,
    )


class _Soundtrack:
    """Adds blocks of several sources into one line of samples, by time."""

    def __init__(self, origin_ms: float) -> None:
        self._origin_ms = origin_ms
        self._start = 0
        """Sample number of the first sample in the buffer."""
        self._buffer = np.zeros(SAMPLE_RATE * 4, np.int32)
        self._next: dict[str, int] = {}

    def add(self, source: str, samples: Samples, at_ms: float) -> None:
        position = round((at_ms - self._origin_ms) * SAMPLE_RATE / 1000)
        expected = self._next.get(source)
        # Blocks of one source follow each other; only a real gap moves them, never the jitter of a clock.
        if expected is not None and abs(position - expected) < SAMPLE_RATE // 10:
            position = expected
        self._next[source] = position + len(samples)
        begin = position - self._start
        if begin < 0:
            samples, begin = samples[-begin:], 0
        room = len(self._buffer) - begin
        if room > 0 and len(samples):
            part = samples[:room]
            self._buffer[begin : begin + len(part)] += part

    def take(self, until_ms: float) -> list[tuple[int, Samples]]:
        """Whole Opus frames that end before *until_ms*, each with the number of its first sample."""
        frames = []
        while (self._start + AUDIO_FRAME) * 1000 / SAMPLE_RATE <= until_ms - self._origin_ms:
            mixed = np.clip(self._buffer[:AUDIO_FRAME], -32768, 32767).astype(np.int16)
            frames.append((self._start, mixed))
            self._buffer[:-AUDIO_FRAME] = self._buffer[AUDIO_FRAME:]
            self._buffer[-AUDIO_FRAME:] = 0
            self._start += AUDIO_FRAME
        return frames


class Recorder:
    """One running recording. Methods may be called from any thread and return at once, except :meth:`close`.

    *on_failed* is called from the recorder's thread with one sentence when the file can no longer be written; what was
    written until then is kept. Raises ``OSError`` when the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int = 1280,
        height: int = 720,
        fps: int = 15,
        on_failed: Callable[[str], None] | None = None,
    ) -> None:
        self.path = path
        self._width, self._height, self._fps = width & ~1, height & ~1, fps
        self._on_failed = on_failed
        self._lock = threading.Lock()
        self._blocks: deque[tuple[str, Samples, float]] = deque(maxlen=MAX_BLOCKS)
        self._pictures: tuple[RecordedPicture, ...] = ()
        self._stop = threading.Event()
        self._reformatters: dict[str, Any] = {}
        self._progress: dict[str, tuple[int, float]] = {}
        self._origin_ms = time.monotonic() * 1000
        self._sound = _Soundtrack(self._origin_ms)
        self.frames = 0
        self.failure = ""
        self._open()
        atexit.register(self.close)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ input

    def set_pictures(self, pictures: tuple[RecordedPicture, ...]) -> None:
        """Who is in the recording from now on, in order; at most :data:`MAX_TILES` are shown, screens first."""
        ordered = sorted(pictures, key=lambda picture: not picture.is_screen)
        with self._lock:
            self._pictures = tuple(ordered[:MAX_TILES])

    def write_audio(self, samples: Any, at_ms: float, source: str = "remote") -> None:
        """Mono 48 kHz int16 *samples* that are (or were) heard at *at_ms* of the monotonic clock.

        Blocks of different *source* are mixed: pass what the loudspeaker plays as one, the microphone as another.
        """
        block = np.array(samples, np.int16).reshape(-1)
        self._blocks.append((source, block, at_ms))

    # ------------------------------------------------------------ file

    def _open(self) -> None:
        import av

        options = {"cluster_time_limit": str(CLUSTER_MS), "flush_packets": "1"}
        self._container: Any = av.open(str(self.path), "w", format="matroska", container_options=options)
        video: Any = self._container.add_stream("libx264", rate=self._fps)
        video.width, video.height, video.pix_fmt = self._width, self._height, "yuv420p"
        video.time_base = Fraction(1, 1000)
        # A picture mostly stands still between people's movements: constant quality, and a keyframe each cluster or two
        # so that players can seek.
        video.options = {"preset": "superfast", "tune": "zerolatency", "crf": "26"}
        video.gop_size = self._fps * 2
        video.codec_context.thread_count = 1
        audio: Any = self._container.add_stream("libopus", rate=SAMPLE_RATE)
        audio.layout, audio.bit_rate = "mono", AUDIO_BITRATE
        audio.time_base = Fraction(1, SAMPLE_RATE)
        self._video, self._audio = video, audio
        # Writes the header now, so that a path that cannot be written is found now.
        self._container.start_encoding()

    def _run(self) -> None:
        import av

        interval = 1.0 / self._fps
        due = time.monotonic()
        try:
            while not self._stop.wait(max(0.0, due - time.monotonic())):
                self._write_picture()
                self._write_sound(time.monotonic() * 1000 - SETTLE_MS)
                due = max(due + interval, time.monotonic() - interval)
            self._write_sound(time.monotonic() * 1000)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._fail(error)
        finally:
            self._finish()

    def _write_sound(self, until_ms: float) -> None:
        import av

        for _ in range(len(self._blocks)):
            source, samples, at_ms = self._blocks.popleft()
            self._sound.add(source, samples, at_ms)
        for number, samples in self._sound.take(until_ms):
            frame: Any = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, number, Fraction(1, SAMPLE_RATE)
            self._container.mux(self._audio.encode(frame))

    def _write_picture(self) -> None:
        frame = self._compose()
        frame.pts = int(time.monotonic() * 1000 - self._origin_ms)
        frame.time_base = Fraction(1, 1000)
        self._container.mux(self._video.encode(frame))
        self.frames += 1

    def _fail(self, error: Exception) -> None:
        self.failure = f"The recording stopped: {error.args[-1] if error.args else error}"
        logger.warning("%s", self.failure)
        if self._on_failed is not None:
            self._on_failed(self.failure)

    def _finish(self) -> None:
        import av

        try:
            for stream in (self._video, self._audio):
                self._container.mux(stream.encode(None))
        except (av.FFmpegError, OSError, ValueError) as error:
            logger.warning("the end of the recording is missing: %s", error)
        try:
            self._container.close()
        except (av.FFmpegError, OSError) as error:
            logger.warning("the recording has no index: %s", error)

    def close(self) -> Path:
        """Write what is left and finish the file. Idempotent; waits for the disk."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_TIMEOUT_S)
        atexit.unregister(self.close)
        return self.path

    # ------------------------------------------------------------ picture

    def _compose(self) -> Any:
        import av

        with self._lock:
            pictures = self._pictures
        newest = [(picture, frame) for picture in pictures if (frame := self._newest(picture)) is not None]
        canvas = av.VideoFrame(self._width, self._height, "yuv420p")
        planes = []
        for plane, value in zip(canvas.planes, _BLACK, strict=True):
            rows = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * plane.height]
            rows[:] = value
            planes.append(rows.reshape(plane.height, plane.line_size))
        screens = sum(picture.is_screen for picture, _ in newest)
        places = arrange(len(newest), screens, self._width, self._height)
        for (picture, frame), place in zip(newest, places, strict=True):
            self._place(planes, picture.name, frame, place)
        names = {picture.name for picture in pictures}
        self._progress = {name: progress for name, progress in self._progress.items() if name in names}
        for gone in set(self._reformatters) - names:
            del self._reformatters[gone]
        return canvas

    def _newest(self, picture: RecordedPicture) -> Any | None:
        """The frame to show, ``None`` when there is none or it is too old."""
        raw = picture.slot.raw()
        if raw is None:
            return None
        now = time.monotonic()
        number, since = self._progress.get(picture.name, (-1, now))
        if raw[2] != number:
            self._progress[picture.name] = (raw[2], now)
            return raw[0]
        return raw[0] if picture.is_screen or now - since <= STALE_S else None

    def _place(self, planes: list[Any], name: str, frame: Any, place: Rect) -> None:
        from av.video.reformatter import Interpolation, VideoReformatter

        left, top, width, height = contained(frame.width, frame.height, place)
        reformatter = self._reformatters.setdefault(name, VideoReformatter())
        scaled = reformatter.reformat(
            frame, width=width, height=height, format="yuv420p", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        for index, plane in enumerate(scaled.planes):
            shift = 0 if index == 0 else 1
            rows, columns = height >> shift, width >> shift
            source = np.frombuffer(memoryview(plane), np.uint8)[: plane.line_size * rows].reshape(rows, plane.line_size)
            y, x = top >> shift, left >> shift
            planes[index][y : y + rows, x : x + columns] = source[:, :columns]
