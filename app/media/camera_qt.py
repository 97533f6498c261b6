"""Cameras: QtMultimedia where a Qt application runs, FFmpeg's device readers where none does (headless).

Qt objects live in the application's main thread, so everything that touches them goes through :func:`call_on_main`.
Frames are copied out of Qt's buffers in a worker, never in the main thread.
"""

from __future__ import annotations

import asyncio
import glob
import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import numpy as np

from app.media.api import Device, VideoInput
from app.media.errors import DeviceError
from app.media.frames import Strand, decode_pool
from app.media.video_capture import STOP_TIMEOUT_S, FailureListener, Listeners, Pace, VideoCapture, now_ms

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAIN_TIMEOUT_S = 10.0
"""A main thread that does not answer within this is blocked; the device call fails instead of hanging."""
FIRST_FRAME_TIMEOUT_S = 5.0
"""Cameras need up to three seconds for the first picture."""
SYSFS = "/sys/class/video4linux"
"""Where Linux names its cameras."""
RETRY_S = 2.0
"""Between attempts to open a device that went away."""
RESUME_S = 0.1
"""Before a device that stopped in the middle is opened again without a word."""

_main_caller: Any = None
_main_lock = threading.Lock()


def qt_application() -> Any:
    """The running ``QGuiApplication``, or ``None``; never imports Qt by itself."""
    if "PySide6.QtGui" not in sys.modules:
        return None
    from PySide6.QtCore import QCoreApplication

    application = QCoreApplication.instance()
    return application if application is not None and application.inherits("QGuiApplication") else None


def call_on_main(function: Callable[[], T]) -> T:
    """Run *function* in Qt's main thread and return its result; needs a Qt application."""
    from PySide6.QtCore import QThread

    application = qt_application()
    if application is None:
        raise DeviceError("screen", "general", "", "No window system is running.")
    if QThread.currentThread() is application.thread() or threading.current_thread() is threading.main_thread():
        return function()
    return _post_to_main(application, function).result(MAIN_TIMEOUT_S)


def _post_to_main(application: Any, function: Callable[[], T]) -> Future[T]:
    """Have *function* run in Qt's main thread, unless the future is cancelled before; in the order of the calls."""
    future: Future[T] = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who waits for it
            future.set_exception(error)

    _caller(application).called.emit(run)
    return future


def run_posted() -> None:
    """Run what waits for Qt's main thread at once; does nothing when called in another thread."""
    from PySide6.QtCore import QCoreApplication

    if _main_caller is not None and threading.current_thread() is threading.main_thread():
        QCoreApplication.sendPostedEvents(_main_caller)


def _caller(application: Any) -> Any:
    global _main_caller
    from PySide6.QtCore import QObject, Qt, Signal, Slot

    with _main_lock:
        if _main_caller is None:

            class Caller(QObject):
                called = Signal(object)

                def __init__(self) -> None:
                    super().__init__()
                    self.called.connect(self.run, Qt.ConnectionType.QueuedConnection)

                @Slot(object)
                def run(self, function: Callable[[], None]) -> None:
                    function()

            _main_caller = Caller()
            _main_caller.moveToThread(application.thread())
        return _main_caller


# ---------------------------------------------------------------- frames

_FORMATS = {
    "Format_YUV420P": "yuv420p",
    "Format_YUV422P": "yuv422p",
    "Format_NV12": "nv12",
    "Format_NV21": "nv21",
    "Format_YUYV": "yuyv422",
    "Format_UYVY": "uyvy422",
    "Format_BGRA8888": "bgra",
    "Format_BGRA8888_Premultiplied": "bgra",
    "Format_BGRX8888": "bgr0",
    "Format_ARGB8888": "argb",
    "Format_ARGB8888_Premultiplied": "argb",
    "Format_XRGB8888": "0rgb",
    "Format_RGBA8888": "rgba",
    "Format_RGBX8888": "rgb0",
    "Format_ABGR8888": "abgr",
    "Format_XBGR8888": "0bgr",
    "Format_Y8": "gray",
}


def to_av(qt_frame: Any) -> Any | None:
    """An ``av.VideoFrame`` with a copy of a ``QVideoFrame``'s pixels, or ``None`` when it cannot be read."""
    import av
    from PySide6.QtMultimedia import QVideoFrame

    name = _FORMATS.get(qt_frame.pixelFormat().name)
    if name is None:
        return _through_image(qt_frame)
    if not qt_frame.map(QVideoFrame.MapMode.ReadOnly):
        return None
    try:
        width, height = qt_frame.width(), qt_frame.height()
        frame = av.VideoFrame(width, height, name)
        for index, plane in enumerate(frame.planes):
            source = np.frombuffer(qt_frame.bits(index), np.uint8)
            from_stride, to_stride = qt_frame.bytesPerLine(index), plane.line_size
            rows = min(plane.height, len(source) // from_stride) if from_stride else 0
            used = min(from_stride, to_stride)
            target = np.frombuffer(memoryview(plane), np.uint8)[: to_stride * plane.height].reshape(
                plane.height, to_stride
            )
            target[:rows, :used] = source[: rows * from_stride].reshape(rows, from_stride)[:, :used]
        return frame
    finally:
        qt_frame.unmap()


def _through_image(qt_frame: Any) -> Any | None:
    import av

    image = qt_frame.toImage()
    if image.isNull():
        return None
    from PySide6.QtGui import QImage

    image = image.convertToFormat(QImage.Format.Format_RGB32)
    width, height = image.width(), image.height()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rows[:, : width * 4].reshape(height, width, 4)), "bgra")


class QtCapture(Listeners):
    """Frames of a ``QVideoSink``, whatever feeds it. Subclasses make the Qt objects in :meth:`_start`."""

    what = "camera"

    def __init__(self, source: VideoInput, on_failed: FailureListener) -> None:
        super().__init__(source)
        self.label = ""
        self._on_failed = on_failed
        self._strand = Strand(decode_pool())
        self._first = threading.Event()
        self._error: DeviceError | None = None
        self._qt: list[Any] = []
        self._closed = False
        self._pace = Pace(source.fps)

    def open(self) -> None:
        """Start and wait for the first picture; off the main thread only. Raises ``DeviceError``."""
        try:
            call_on_main(self._start)
            waits = threading.current_thread() is not threading.main_thread()
            # In the main thread waiting would keep the very picture from coming.
            if waits and not self._first.wait(FIRST_FRAME_TIMEOUT_S) and self._error is None:
                self._error = DeviceError(self.what, "general", self.label, "The device gives no picture.")
            if self._error is not None:
                raise self._error
        except DeviceError:
            self.close()
            raise
        except TimeoutError as error:
            self.close()
            raise DeviceError(self.what, "general", self.label, "The window does not answer.") from error

    def _start(self) -> None:
        raise NotImplementedError

    def _make_sink(self) -> Any:
        from PySide6.QtCore import Qt
        from PySide6.QtMultimedia import QVideoSink

        sink = QVideoSink()
        sink.videoFrameChanged.connect(self._frame_changed, Qt.ConnectionType.DirectConnection)
        return sink

    def _frame_changed(self, qt_frame: Any) -> None:
        now = now_ms()
        if self._closed or self._strand.waiting or not self._pace.take(now):
            return
        from PySide6.QtMultimedia import QVideoFrame

        kept = QVideoFrame(qt_frame)
        self._strand.post(lambda: self._convert(kept, now))

    def _convert(self, qt_frame: Any, captured_ms: float) -> None:
        frame = to_av(qt_frame)
        if frame is not None and not self._closed:
            self._first.set()
            self.deliver(frame, captured_ms)

    def _failed(self, error: DeviceError) -> None:
        self._error = error
        if self._first.is_set():
            self._on_failed(error)
        self._first.set()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._strand.close()
        application = qt_application()
        if application is None:
            return
        if threading.current_thread() is threading.main_thread():
            self._stop()
        else:
            # Nobody waits for it: whoever opens the device next asks the same thread, and so after this.
            _post_to_main(application, self._stop)

    def _stop(self) -> None:
        """Release the Qt objects, in the main thread."""
        self._qt.clear()


class QtCamera(QtCapture):
    """A ``QCamera``; comes back by itself when it is plugged in again."""

    what = "camera"

    def __init__(self, source: VideoInput, on_failed: FailureListener) -> None:
        super().__init__(source, on_failed)
        self._camera: Any = None
        self._lost = False

    def _start(self) -> None:
        from PySide6.QtMultimedia import QCamera, QMediaCaptureSession, QMediaDevices

        device = self._find(QMediaDevices)
        if device is None:
            raise DeviceError("camera", "not_found", self.source.device_id, "No camera was found.")
        self._check_permission()
        self.label = device.description()
        camera = QCamera(device)
        chosen = self._format(device)
        if chosen is not None:
            camera.setCameraFormat(chosen)
        session, sink = QMediaCaptureSession(), self._make_sink()
        session.setCamera(camera)
        session.setVideoSink(sink)
        camera.errorOccurred.connect(self._camera_error)
        devices = QMediaDevices()
        devices.videoInputsChanged.connect(self._inputs_changed)
        self._camera = camera
        self._qt = [devices, session, camera, sink]
        camera.start()

    def _find(self, media_devices: Any) -> Any | None:
        inputs = media_devices.videoInputs()
        wanted = self.source.device_id
        if not wanted:
            return media_devices.defaultVideoInput() if inputs else None
        for device in inputs:
            if wanted in (device_id(device), device.description()):
                return device
        return None

    def _check_permission(self) -> None:
        from PySide6 import QtCore

        kind = getattr(QtCore, "QCameraPermission", None)
        application = qt_application()
        if kind is None or application is None or not hasattr(application, "checkPermission"):
            return
        if application.checkPermission(kind()) == QtCore.Qt.PermissionStatus.Denied:
            raise DeviceError("camera", "permission_denied", self.source.device_id, "The camera may not be used.")

    def _format(self, device: Any) -> Any | None:
        """The smallest format that covers the wanted size at the wanted rate, else the largest."""

        def rank(item: Any) -> tuple[bool, bool, int]:
            size = item.resolution()
            covers = size.width() >= self.source.width and size.height() >= self.source.height
            fast = item.maxFrameRate() >= min(self.source.fps, 30) - 1
            area = size.width() * size.height()
            return (not fast, not covers, area if covers else -area)

        formats = device.videoFormats()
        return min(formats, key=rank) if formats else None

    def _camera_error(self, error: Any, text: str) -> None:
        if error.name == "NoError":
            return
        self._failed(DeviceError("camera", code_of_message(text), self.label, text or "The camera failed."))

    def _inputs_changed(self) -> None:
        from PySide6.QtMultimedia import QMediaDevices

        if self._closed or self._camera is None:
            return
        mine = self._camera.cameraDevice().id()
        present = [device for device in QMediaDevices.videoInputs() if device.id() == mine]
        if not present and not self._lost:
            self._lost = True
            self._failed(DeviceError("camera", "not_found", self.label, "The camera was unplugged."))
        elif present and self._lost:
            self._lost = False
            self._camera.setCameraDevice(present[0])
            self._camera.start()

    def _stop(self) -> None:
        if self._camera is not None:
            self._camera.stop()
            self._camera = None
        super()._stop()


def device_id(device: Any) -> str:
    """Id of a ``QCameraDevice`` as text."""
    return bytes(device.id().data()).decode("utf-8", "replace")


def facing_of(label: str) -> str:
    """Where a camera looks by its name, for systems that do not say: ``user``, ``environment`` or empty."""
    words = set(re.findall(r"[a-z]+", label.lower()))
    if words & {"front", "user"}:
        return "user"
    return "environment" if words & {"rear", "back", "world"} else ""


def code_of_message(text: str) -> str:
    """Error code of a device error that comes as words only."""
    lowered = text.lower()
    for words, code in (
        (("busy", "in use", "already"), "busy"),
        (("permission", "denied", "access"), "permission_denied"),
        (("not found", "no such", "unplugged", "disconnected"), "not_found"),
        (("format", "resolution"), "unsupported_resolution"),
    ):
        if any(word in lowered for word in words):
            return code
    return "general"


# ---------------------------------------------------------------- FFmpeg devices


def code_of_error(error: OSError | ValueError) -> str:
    import errno

    number = getattr(error, "errno", None)
    return {
        errno.ENOENT: "not_found",
        errno.ENODEV: "not_found",
        errno.ENXIO: "not_found",
        errno.EACCES: "permission_denied",
        errno.EPERM: "permission_denied",
        errno.EBUSY: "busy",
        errno.EINVAL: "unsupported_resolution",
    }.get(number or 0, "general")


class AvDeviceCapture(Listeners):
    """Reads an FFmpeg input device in a thread; opens it again after it failed, until closed."""

    def __init__(
        self,
        source: VideoInput,
        what: str,
        label: str,
        url: str,
        file_format: str,
        attempts: tuple[dict[str, str], ...],
        on_failed: FailureListener,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(source)
        self.label, self._what = label, what
        self._url, self._format, self._attempts = url, file_format, attempts
        self._on_failed = on_failed
        self._stop = threading.Event()
        self._pictures = 0
        self._pace = pace
        container = self._open()
        self._thread = threading.Thread(target=self._run, args=(container,), name=f"{what}-capture", daemon=True)
        self._thread.start()

    def _open(self) -> Any:
        import av

        error: Exception | None = None
        for options in self._attempts:
            try:
                return av.open(self._url, format=self._format, options=options)
            except (av.FFmpegError, OSError, ValueError) as caught:
                error = caught
                if code_of_error(caught) not in ("unsupported_resolution", "general"):  # type: ignore[arg-type]
                    break
        assert isinstance(error, OSError | ValueError)
        code = code_of_error(error)
        message = f"The {self._what} could not be opened: {error.args[-1]}"
        raise DeviceError(self._what, code, self.label, message) from error

    def _run(self, container: Any) -> None:
        while not self._stop.is_set():
            failure = self._read(container)
            if self._stop.is_set():
                return
            container = self._resume() if failure.code == "general" else None
            if container is not None:
                continue
            self._on_failed(failure)
            container = self._reopen()
            if container is None:
                return

    def _read(self, container: Any) -> DeviceError:
        import av

        code, words = "not_found", "The device stopped."
        try:
            for frame in container.decode(video=0):
                if self._stop.is_set():
                    break
                self._pictures += 1
                now = now_ms()
                if self._pace is None or self._pace.take(now):
                    self.deliver(frame, now)
        except (av.FFmpegError, OSError, ValueError) as error:
            code, words = code_of_error(error), str(error.args[-1])  # type: ignore[arg-type]
        finally:
            container.close()
        return DeviceError(self._what, code, self.label, f"The {self._what} stopped: {words}")

    def _resume(self) -> Any | None:
        """Open again at once if there were pictures before: a shared window has another size now, nothing worse."""
        had_pictures, self._pictures = self._pictures > 0, 0
        if not had_pictures or self._stop.wait(RESUME_S):
            return None
        try:
            return self._open()
        except DeviceError:
            return None

    def _reopen(self) -> Any | None:
        while not self._stop.wait(RETRY_S):
            try:
                return self._open()
            except DeviceError as error:
                logger.debug("%s is still away: %s", self._what, error)
        return None

    def close(self) -> None:
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_TIMEOUT_S)


def _headless_devices() -> tuple[Device, ...]:
    """Cameras as the system names them, without Qt; Linux only."""
    found: list[Device] = []
    for path in sorted(glob.glob("/dev/video*")):
        label = path
        try:
            with open(f"{SYSFS}/{path.rsplit('/', 1)[-1]}/name", encoding="utf-8") as name:
                label = name.read(200).strip() or path
        except OSError:
            logger.debug("%s has no name", path)
        found.append(Device(path, label, "videoinput", is_default=not found, facing=facing_of(label)))
    return tuple(found)


def _headless_camera(source: VideoInput, on_failed: FailureListener) -> VideoCapture:
    devices = _headless_devices()
    wanted = source.device_id
    match = [device for device in devices if not wanted or wanted in (device.id, device.label)]
    if not match:
        raise DeviceError("camera", "not_found", wanted, "No camera was found.")
    size = {"video_size": f"{source.width}x{source.height}", "framerate": str(source.fps)}
    attempts: tuple[dict[str, str], ...] = ({**size, "input_format": "mjpeg"}, size, {})
    pace = Pace(source.fps)
    return AvDeviceCapture(source, "camera", match[0].label, match[0].id, "v4l2", attempts, on_failed, pace)


# ---------------------------------------------------------------- entry points


def cameras() -> tuple[Device, ...]:
    """Cameras that can be opened now. Any thread."""
    return _headless_devices() if qt_application() is None else call_on_main(_read_cameras)


async def cameras_soon() -> tuple[Device, ...]:
    """The same without a thread that waits, so that giving up takes no time. Raises ``TimeoutError``."""
    application = qt_application()
    if application is None:
        return await asyncio.to_thread(_headless_devices)
    return await asyncio.wait_for(asyncio.wrap_future(_post_to_main(application, _read_cameras)), MAIN_TIMEOUT_S)


def _read_cameras() -> tuple[Device, ...]:
    from PySide6.QtMultimedia import QCameraDevice, QMediaDevices

    default = QMediaDevices.defaultVideoInput().id()
    facing = {QCameraDevice.Position.FrontFace: "user", QCameraDevice.Position.BackFace: "environment"}
    return tuple(
        Device(
            id=device_id(device),
            label=device.description(),
            kind="videoinput",
            is_default=device.id() == default,
            facing=facing.get(device.position(), "") or facing_of(device.description()),
        )
        for device in QMediaDevices.videoInputs()
    )


def open_camera(source: VideoInput, on_failed: FailureListener) -> VideoCapture:
    """Open a camera by id or by name; ``""`` is the default one. Raises ``DeviceError``. Not on a loop's thread."""
    if qt_application() is None:
        return _headless_camera(source, on_failed)
    began = time.monotonic()
    camera = QtCamera(source, on_failed)
    camera.open()
    logger.info("camera %s open after %d ms", camera.label, (time.monotonic() - began) * 1000)
    return camera
