"""Screens and windows to share: what there is, how it looks, and capturing it.

On X11 a screen or window is read by FFmpeg's ``x11grab`` in a thread of its own, which costs the window's thread
nothing and works without a window of ours. On other systems both come from QtMultimedia. On Wayland an application
may not look around: there is one entry, and the system's own dialog asks the person what to share.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.media import x11_windows
from app.media.api import Picture, VideoInput
from app.media.camera_qt import AvDeviceCapture, QtCapture, call_on_main, code_of_message, qt_application
from app.media.errors import DeviceError
from app.media.video_capture import FailureListener, Listeners, TestCardCapture, VideoCapture

PORTAL_ID = "screen:portal"
"""The one source on Wayland: the system asks which screen or window."""
THUMBNAIL_TIMEOUT_S = 3.0
STILL_MS = 1_000.0
"""A screen that stands still is passed on this often all the same."""
MAX_WINDOWS = 100
MAX_TITLE = 200
_NO_DESKTOP = ("offscreen", "minimal", "vnc", "linuxfb")
"""Qt platforms whose screens are not what a person sees."""


@dataclass(frozen=True, slots=True)
class ScreenSource:
    """Something that can be shared."""

    id: str
    """For :attr:`app.media.api.VideoInput.device_id`; windows keep theirs while they exist."""
    title: str
    kind: str
    """``screen``, ``window``, or ``portal`` when the system's own dialog will ask."""
    width: int = 0
    height: int = 0
    """Pixels, 0 when unknown before capturing."""
    is_primary: bool = False


_windows: dict[str, Any] = {}
_windows_lock = threading.Lock()
_window_ids = 0


def list_screens() -> tuple[ScreenSource, ...]:
    """Screens, then windows. From any thread but the engine's loop: it asks Qt's main thread."""
    if _on_wayland():
        return (ScreenSource(PORTAL_ID, "Screen or window", "portal", is_primary=True),)
    if _desktop() is not None:
        return call_on_main(_list_with_qt)
    if os.environ.get("DISPLAY"):
        return (ScreenSource("screen:0", "Screen 1", "screen", is_primary=True), *_list_x11_windows())
    return ()


def _desktop() -> Any:
    """The Qt application if it is on a real desktop, else ``None``."""
    application = qt_application()
    return application if application is not None and application.platformName() not in _NO_DESKTOP else None


def _on_wayland() -> bool:
    application = _desktop()
    if application is not None:
        return bool(application.platformName().startswith("wayland"))
    return bool(sys.platform == "linux" and os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("DISPLAY"))


def _on_x11() -> bool:
    return bool(sys.platform == "linux" and os.environ.get("DISPLAY") and not _on_wayland())


def _list_with_qt() -> tuple[ScreenSource, ...]:
    """In Qt's main thread."""
    from PySide6.QtGui import QGuiApplication

    found = []
    primary = QGuiApplication.primaryScreen()
    for index, screen in enumerate(QGuiApplication.screens()):
        _, _, width, height = _pixels_of(screen)
        title = f"Screen {index + 1}"
        found.append(ScreenSource(f"screen:{index}", title, "screen", width, height, screen is primary))
    found.extend(_list_x11_windows() if _on_x11() else _list_windows())
    return tuple(found)


def _list_x11_windows() -> list[ScreenSource]:
    return [
        ScreenSource(f"window:{window.id}", window.title[:MAX_TITLE] or "Window", "window", window.width, window.height)
        for window in x11_windows.list_windows()
    ]


def _list_windows() -> list[ScreenSource]:
    global _window_ids
    from PySide6.QtMultimedia import QWindowCapture

    found = []
    present: dict[str, Any] = {}
    with _windows_lock:
        for window in QWindowCapture.capturableWindows()[:MAX_WINDOWS]:
            if not window.isValid():
                continue
            known = next((key for key, other in _windows.items() if other == window), None)
            if known is None:
                _window_ids += 1
                known = f"window:{_window_ids}"
            present[known] = window
            found.append(ScreenSource(known, window.description()[:MAX_TITLE] or "Window", "window"))
        _windows.clear()
        _windows.update(present)
    return found


def _pixels_of(screen: Any) -> tuple[int, int, int, int]:
    """Left, top, width and height of a ``QScreen`` in pixels of the whole desktop."""
    ratio, area = screen.devicePixelRatio(), screen.geometry()
    return area.x(), area.y(), round(area.width() * ratio), round(area.height() * ratio)


# ---------------------------------------------------------------- capture


class QtScreen(QtCapture):
    """``QScreenCapture`` or ``QWindowCapture``."""

    what = "screen"

    def _start(self) -> None:
        from PySide6.QtGui import QGuiApplication
        from PySide6.QtMultimedia import QMediaCaptureSession, QScreenCapture, QWindowCapture

        session, sink = QMediaCaptureSession(), self._make_sink()
        wanted = self.source.device_id
        capture: Any
        if wanted.startswith("window:"):
            with _windows_lock:
                window = _windows.get(wanted)
            if window is None or not window.isValid():
                raise DeviceError("screen", "not_found", wanted, "That window is closed.")
            capture = QWindowCapture()
            capture.setWindow(window)
            session.setWindowCapture(capture)
            self.label = window.description()[:MAX_TITLE]
        else:
            capture = QScreenCapture()
            screens = QGuiApplication.screens()
            index = screen_index(wanted)
            if index >= len(screens):
                raise DeviceError("screen", "not_found", wanted, "That screen is not connected.")
            capture.setScreen(screens[index])
            session.setScreenCapture(capture)
            self.label = f"Screen {index + 1}"
        session.setVideoSink(sink)
        capture.errorOccurred.connect(self._capture_error)
        self._qt = [session, capture, sink]
        capture.start()

    def _capture_error(self, error: Any, text: str) -> None:
        if error.name == "NoError":
            return
        code = {"NotFound": "not_found", "CapturingNotSupported": "unsupported_resolution"}.get(error.name)
        if _on_wayland() and code is None:
            # The portal reports a closed dialog as a failure without a code of its own.
            code = "cancelled"
        code = code or code_of_message(text)
        self._failed(DeviceError("screen", code, self.label, text or "The screen cannot be shared."))

    def _stop(self) -> None:
        if len(self._qt) > 1:
            self._qt[1].stop()
        super()._stop()


class Changing(Listeners):
    """Passes on only the frames of another capture that differ from the one before, and one each second.

    A desktop stands still most of the time; what does not change need not be scaled and encoded.
    """

    def __init__(self, inner: VideoCapture) -> None:
        super().__init__(inner.source)
        self._inner = inner
        self._before: Any = None
        self._delivered_ms = float("-inf")
        self._detach = inner.attach(self._frame)

    @property
    def label(self) -> str:
        return self._inner.label

    def attach(self, listener: Callable[[Any, float], None]) -> Callable[[], None]:
        # Who comes later gets the next frame even if nothing moves.
        self._before = None
        return super().attach(listener)

    def _frame(self, frame: Any, captured_ms: float) -> None:
        before = self._before
        still = captured_ms - self._delivered_ms < STILL_MS and before is not None and same_picture(before, frame)
        if still:
            return
        self._before, self._delivered_ms = frame, captured_ms
        self.deliver(frame, captured_ms)

    def close(self) -> None:
        self._detach()
        self._inner.close()
        self._before = None


def same_picture(one: Any, other: Any) -> bool:
    """Whether two ``av.VideoFrame`` hold the same pixels."""
    if (one.width, one.height, one.format.name) != (other.width, other.height, other.format.name):
        return False
    return all(
        np.array_equal(np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8))
        for first, second in zip(one.planes, other.planes, strict=True)
    )


def screen_index(source_id: str) -> int:
    """Number in ``screen:<n>``; 0 for anything else."""
    number = source_id.partition(":")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0


def _open_x11_window(source: VideoInput, on_failed: FailureListener) -> VideoCapture:
    wanted = source.device_id
    window = next((one for one in x11_windows.list_windows() if wanted == f"window:{one.id}"), None)
    if window is None:
        raise DeviceError("screen", "not_found", wanted, "That window is closed.")
    options = {"framerate": str(max(1, min(30, source.fps))), "window_id": str(window.id)}
    label = window.title[:MAX_TITLE] or "Window"
    return AvDeviceCapture(source, "screen", label, os.environ["DISPLAY"], "x11grab", (options,), on_failed)


def _open_x11(source: VideoInput, on_failed: FailureListener) -> VideoCapture:
    options = {"framerate": str(max(1, min(30, source.fps))), "draw_mouse": "1"}
    index = screen_index(source.device_id)
    application = _desktop()
    if application is not None:

        def area() -> tuple[int, int, int, int] | None:
            screens = application.screens()
            return _pixels_of(screens[index]) if index < len(screens) else None

        found = call_on_main(area)
        if found is None:
            raise DeviceError("screen", "not_found", source.device_id, "That screen is not connected.")
        left, top, width, height = found
        options |= {"grab_x": str(left), "grab_y": str(top), "video_size": f"{width}x{height}"}
    elif index > 0:
        raise DeviceError("screen", "not_found", source.device_id, "That screen is not connected.")
    display = os.environ["DISPLAY"]
    return AvDeviceCapture(source, "screen", f"Screen {index + 1}", display, "x11grab", (options,), on_failed)


def open_screen(source: VideoInput, on_failed: FailureListener) -> VideoCapture:
    """Capture what :func:`list_screens` listed, or the first screen for ``""``; ``test`` is the test card.

    ``camera:<id>`` shares a camera or capture card as a screen. Raises :class:`DeviceError`: not_found (no such screen
    or window, or no display at all), cancelled (the person closed the system's dialog).
    """
    wanted = source.device_id
    if wanted == "test":
        return TestCardCapture(source)
    if wanted.startswith("camera:"):
        from dataclasses import replace

        from app.media.camera_qt import open_camera

        return open_camera(replace(source, kind="camera", device_id=wanted.removeprefix("camera:")), on_failed)
    if wanted.startswith("window:") and _on_x11():
        return Changing(_open_x11_window(source, on_failed))
    if wanted.startswith("window:") or (_desktop() is not None and not _on_x11()):
        if _desktop() is None:
            raise DeviceError("screen", "not_found", wanted, "That window is closed.")
        capture = QtScreen(source, on_failed)
        capture.open()
        return Changing(capture)
    if _on_x11():
        return Changing(_open_x11(source, on_failed))
    raise DeviceError("screen", "not_found", wanted, "There is no display to share.")


def thumbnail(source_id: str, max_width: int = 320, max_height: int = 200) -> Picture | None:
    """One small picture of a source for a picker, or ``None`` when it cannot be had (always so on Wayland).

    Takes up to :data:`THUMBNAIL_TIMEOUT_S`: call it in a worker thread (``asyncio.to_thread``), one source at a time.
    """
    if source_id == PORTAL_ID or _on_wayland():
        return None
    done = threading.Event()
    frames: list[Any] = []

    def keep(frame: Any, _captured_ms: float) -> None:
        if not frames:
            frames.append(frame)
            done.set()

    try:
        capture = open_screen(VideoInput("screen", source_id, fps=10), lambda error: done.set())
    except DeviceError:
        return None
    try:
        detach = capture.attach(keep)
        done.wait(THUMBNAIL_TIMEOUT_S)
        detach()
    finally:
        capture.close()
    return _shrink(frames[0], max_width, max_height) if frames else None


def _shrink(frame: Any, max_width: int, max_height: int) -> Picture:
    from av.video.reformatter import Interpolation

    scale = min(1.0, max_width / frame.width, max_height / frame.height)
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = frame.reformat(width=width, height=height, format="bgra", interpolation=Interpolation.AREA)
    plane = small.planes[0]
    return Picture(width, height, plane.line_size, memoryview(plane), 0.0, 1)
