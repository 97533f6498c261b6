"""Worker threads for pictures, and the slot that holds the newest picture of one source.

Decoding, conversion and encoding release the interpreter lock, so threads are enough. Work of one source always runs
in order and never twice at once (a :class:`Strand`); different sources share the pool.
"""

from __future__ import annotations

import functools
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app.media.api import Picture

logger = logging.getLogger(__name__)

DECODE_WORKERS = 2
"""Decoding and conversion of all sources: two keep nine 720p streams at full rate on two cores."""
ENCODE_WORKERS = 2
"""Camera and screen at the same time."""
SHRINK_RATIO = 2.0
"""A picture is made smaller before it is shown when it is at least so many times as large as wanted."""
BEHIND_MS = 100.0
"""A source whose decoder is behind shows at least one picture in so many milliseconds."""

Job = Callable[[], None]
RawListener = Callable[[Any, float], None]


class Strand:
    """Runs jobs of one owner one after the other on a shared pool. Thread-safe."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._jobs: deque[Job] = deque()
        self._busy = False
        self._closed = False

    def post(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                return
            self._jobs.append(job)
            if self._busy:
                return
            self._busy = True
        self._submit()

    def _submit(self) -> None:
        try:
            self._pool.submit(self._run)
        except RuntimeError:
            # The pool is shut down with the process; what is left has no one to see it.
            self.close()

    @property
    def waiting(self) -> int:
        """Jobs that have not begun."""
        return len(self._jobs)

    def clear(self) -> None:
        with self._lock:
            self._jobs.clear()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._jobs.clear()

    def _run(self) -> None:
        with self._lock:
            if not self._jobs:
                self._busy = False
                return
            job = self._jobs.popleft()
        try:
            job()
        except Exception:
            # A worker must outlive a broken job; the job's owner handles the errors it expects.
            logger.exception("media worker job failed")
        with self._lock:
            if not self._jobs:
                self._busy = False
                return
        self._submit()


@functools.cache
def decode_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(DECODE_WORKERS, thread_name_prefix="media-decode")


@functools.cache
def encode_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(ENCODE_WORKERS, thread_name_prefix="media-encode")


class FrameSlotImpl:
    """:class:`app.media.api.FrameSlot`: keeps the newest frame, converts it only for those who look.

    Producers call :meth:`put` from any thread; it never blocks on conversion. Readers use :meth:`attach`,
    :meth:`take` and :meth:`wants`; the recorder and a renderer that takes planar YUV use :meth:`attach_raw` and
    :meth:`raw`.
    """

    def __init__(self, pool: ThreadPoolExecutor | None = None) -> None:
        self._lock = threading.Lock()
        self._strand = Strand(pool or decode_pool())
        self._listeners: dict[int, Callable[[], None]] = {}
        self._raw_listeners: dict[int, RawListener] = {}
        self._ids = 0
        self._frame: Any = None
        self._frame_ms = 0.0
        self._frame_number = 0
        self._picture: Picture | None = None
        self._picture_of = 0
        self._scheduled = False
        self._converted_at = 0.0
        self._wanted: tuple[int, int] | None = None
        self._reformatter: Any = None
        self._pictures = 0

    # ------------------------------------------------------------ readers

    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            self._ids += 1
            key = self._ids
            self._listeners[key] = listener
            pending = self._frame is not None
        if pending:
            self._schedule()

        def detach() -> None:
            with self._lock:
                self._listeners.pop(key, None)

        return detach

    def take(self) -> Picture | None:
        return self._picture

    def wants(self, max_width: int, max_height: int) -> None:
        """As in the protocol; a size of 0 says that nothing is shown at all and stops the conversion."""
        with self._lock:
            was_hidden = self._hidden()
            self._wanted = (max_width, max_height)
            shown_again = was_hidden and not self._hidden() and self._frame is not None
        if shown_again:
            self._schedule()

    def attach_raw(self, listener: RawListener) -> Callable[[], None]:
        """Call *listener* (frame, media time in ms) with every frame, in the producer's thread: return at once."""
        with self._lock:
            self._ids += 1
            key = self._ids
            self._raw_listeners[key] = listener

        def detach() -> None:
            with self._lock:
                self._raw_listeners.pop(key, None)

        return detach

    def raw(self) -> tuple[Any, float, int] | None:
        """Newest ``av.VideoFrame`` (mostly ``yuv420p``; read only), its media time in ms, and its number."""
        with self._lock:
            return None if self._frame is None else (self._frame, self._frame_ms, self._frame_number)

    # ------------------------------------------------------------ producers

    def put(self, frame: Any, timestamp_ms: float) -> None:
        """A new frame; conversion, if wanted, happens later in a worker."""
        if self._store(frame, timestamp_ms):
            self._schedule()

    def put_from_worker(self, frame: Any, timestamp_ms: float, behind: bool) -> None:
        """A new frame from a worker thread: converted right here, unless newer ones are waiting (*behind*)."""
        if not self._store(frame, timestamp_ms):
            return
        if not behind or (time.monotonic() - self._converted_at) * 1000 > BEHIND_MS:
            self._convert()

    def clear(self) -> None:
        """Forget the picture: the source is gone."""
        with self._lock:
            self._frame = None
            self._picture = None
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener()

    def close(self) -> None:
        self._strand.close()

    def _store(self, frame: Any, timestamp_ms: float) -> bool:
        with self._lock:
            self._frame, self._frame_ms = frame, timestamp_ms
            self._frame_number += 1
            raw_listeners = list(self._raw_listeners.values()) if self._raw_listeners else ()
            looked_at = bool(self._listeners) and not self._hidden()
        for listener in raw_listeners:
            listener(frame, timestamp_ms)
        return looked_at

    def _hidden(self) -> bool:
        return self._wanted is not None and 0 in self._wanted

    def _schedule(self) -> None:
        with self._lock:
            if self._scheduled:
                return
            self._scheduled = True
        self._strand.post(self._convert_scheduled)

    def _convert_scheduled(self) -> None:
        with self._lock:
            self._scheduled = False
        self._convert()

    def _convert(self) -> None:
        with self._lock:
            frame, timestamp_ms, number = self._frame, self._frame_ms, self._frame_number
            if frame is None or number == self._picture_of or not self._listeners or self._hidden():
                return
            wanted = self._wanted
            self._picture_of = number
        width, height = shown_size(frame.width, frame.height, wanted)
        plane = self._to_bgra(frame, width, height)
        with self._lock:
            if self._frame is None:
                return
            self._pictures += 1
            self._picture = Picture(width, height, plane.line_size, memoryview(plane), timestamp_ms, self._pictures)
            self._converted_at = time.monotonic()
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener()

    def _to_bgra(self, frame: Any, width: int, height: int) -> Any:
        from av.video.reformatter import Interpolation, VideoReformatter

        # A reformatter keeps swscale's tables between frames; two threads never use one at once, so a taken one
        # (producer and worker at the same time, rare) is replaced by a fresh one.
        reformatter, self._reformatter = self._reformatter or VideoReformatter(), None
        converted = reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="bgra",
            # The mean of what falls together, or thin lines flicker; costs less than painting a larger picture.
            interpolation=Interpolation.AREA if width < frame.width else Interpolation.FAST_BILINEAR,
            threads=1,
        )
        self._reformatter = reformatter
        return converted.planes[0]


def shown_size(width: int, height: int, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """Size to convert to: the frame's own, or the least that covers what is *wanted* when that is far smaller."""
    if wanted is None or 0 in wanted:
        return width, height
    ratio = min(width / wanted[0], height / wanted[1])
    if ratio < SHRINK_RATIO:
        return width, height
    return max(2, math.ceil(width / ratio)), max(1, math.ceil(height / ratio))


def rotated(frame: Any, degrees: int) -> Any:
    """*frame* turned clockwise by 90, 180 or 270 degrees, as a new ``yuv420p`` frame; anything else returns it as is.

    Phones send pictures as their camera sits and say in a header extension how to turn them (3GPP TS 26.114 7.4.5).
    """
    if degrees not in (90, 180, 270):
        return frame
    import av
    import numpy as np

    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    swapped = degrees != 180
    # An odd size has half a chroma sample more at the end, which must not end up at the beginning.
    width, height = frame.width & ~1, frame.height & ~1
    turned = av.VideoFrame(height if swapped else width, width if swapped else height, "yuv420p")
    for index, (source, target) in enumerate(zip(frame.planes, turned.planes, strict=True)):
        columns, rows = (width, height) if index == 0 else (width // 2, height // 2)
        pixels = np.frombuffer(memoryview(source), np.uint8)[: source.line_size * rows].reshape(rows, source.line_size)
        room = np.frombuffer(memoryview(target), np.uint8)[: target.line_size * target.height]
        result = np.rot90(pixels[:, :columns], -degrees // 90)
        room.reshape(target.height, target.line_size)[:, : result.shape[1]] = result
    return turned
