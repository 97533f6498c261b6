"""Video inputs: the test card here, cameras and screens behind the same face.

:func:`open_video_input` returns a running :class:`VideoCapture` or raises :class:`app.media.errors.DeviceError`. It may
take as long as a device takes to start: call it from a worker thread, never on a loop.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from app.calls.model import SourceContent
from app.media import stamp
from app.media.api import Device, VideoInput
from app.media.errors import DeviceError

logger = logging.getLogger(__name__)

FrameListener = Callable[[Any, float], None]
"""Called in a capture thread with an ``av.VideoFrame`` (read only) and the monotonic time in ms when it was taken."""
FailureListener = Callable[[DeviceError], None]

STOP_TIMEOUT_S = 2.0
"""A capture thread that does not end within this is left behind as a daemon."""
MAX_TEST_SIZE = 4096


class VideoCapture(Protocol):
    """A running input, shared by everything that listens."""

    source: VideoInput

    @property
    def label(self) -> str:
        """Name to show: the camera, the screen, or ``Test card``."""

    def attach(self, listener: FrameListener) -> Callable[[], None]:
        """Call *listener* with each frame until the returned function is called."""

    def close(self) -> None:
        """Stop and release the device. Idempotent."""


class Listeners:
    """Who gets the frames of one capture; a base class for captures."""

    def __init__(self, source: VideoInput) -> None:
        self.source = source
        self._lock = threading.Lock()
        self._listeners: tuple[FrameListener, ...] = ()

    def attach(self, listener: FrameListener) -> Callable[[], None]:
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def detach() -> None:
            with self._lock:
                self._listeners = tuple(other for other in self._listeners if other is not listener)

        return detach

    def deliver(self, frame: Any, captured_ms: float) -> None:
        for listener in self._listeners:
            listener(frame, captured_ms)


class Pace:
    """Lets through at most *fps* pictures a second, evenly: a device may give more than it was asked for."""

    def __init__(self, fps: int) -> None:
        self._gap_ms = 1000 / max(1, fps)
        self._due_ms = float("-inf")

    def take(self, at_ms: float) -> bool:
        """Whether the picture of *at_ms* is wanted. A quarter of the distance early is in time."""
        if at_ms < self._due_ms - self._gap_ms / 4:
            return False
        self._due_ms = max(self._due_ms + self._gap_ms, at_ms)
        return True


def now_ms() -> float:
    """The clock of captured frames: monotonic, the same as ``loop.time() * 1000``."""
    return time.monotonic() * 1000


class TestCardCapture(Listeners):
    """The test card at a steady rate, from a thread of its own."""

    __test__ = False
    label = "Test card"

    def __init__(self, source: VideoInput, source_id: int | None = None) -> None:
        from app.media.testcard import TestCard

        super().__init__(source)
        width, height = (max(16, min(MAX_TEST_SIZE, size)) for size in (source.width, source.height))
        name = source.device_id or "test"
        self._card = TestCard(width, height, stamp.source_id(name) if source_id is None else source_id)
        self._interval = 1.0 / max(1, min(60, source.fps))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="test-card", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            if self._listeners:
                self.deliver(self._card.draw(), now_ms())
            due += self._interval
            # After a stall (a suspended machine) go on from now instead of catching up in a burst.
            due = max(due, time.monotonic() - self._interval)

    def close(self) -> None:
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_TIMEOUT_S)


def open_video_input(
    source: VideoInput, content: SourceContent, on_failed: FailureListener | None = None
) -> VideoCapture:
    """Open *source* for *content* (camera or screen) and start it.

    *on_failed* is called from any thread when a running device goes away. The capture then stays open and picks the
    same device up again when it comes back. Raises :class:`app.media.errors.DeviceError`; ``not_found`` when there is
    no such device. ``device_id`` of a test card, if given, names its stamp (:func:`app.media.stamp.source_id`).
    """
    if source.kind == "test":
        return TestCardCapture(source)
    failed = on_failed or _log_failure
    if source.kind == "camera":
        from app.media.camera_qt import open_camera

        if content is SourceContent.SCREEN:
            return _camera_as_screen(open_camera, source, failed)
        return open_camera(source, failed)
    if source.kind == "screen":
        from app.media.screen import open_screen

        return open_screen(source, failed)
    what = "screen" if content is SourceContent.SCREEN else "camera"
    raise DeviceError(what, "not_found", source.device_id, "No video input is selected.")


def _camera_as_screen(
    open_camera: Callable[[VideoInput, FailureListener], VideoCapture], source: VideoInput, on_failed: FailureListener
) -> VideoCapture:
    """A camera or capture card in the place of a screen: what fails then is the sharing, not the camera."""

    def of_screen(error: DeviceError) -> DeviceError:
        return DeviceError("screen", error.code, error.device, str(error))

    try:
        return open_camera(source, lambda error: on_failed(of_screen(error)))
    except DeviceError as error:
        raise of_screen(error) from error


def _log_failure(error: DeviceError) -> None:
    logger.warning("%s lost: %s", error.what, error)


def list_cameras() -> tuple[Device, ...]:
    """Cameras that can be opened now; works without a Qt application, too."""
    from app.media.camera_qt import cameras

    return cameras()
