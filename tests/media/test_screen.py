"""Sharing a screen or a window of a real X server (Xvfb), and saying plainly when there is nothing to share."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from app.calls.model import SourceContent
from app.media import camera_qt, screen, stamp, x11_windows
from app.media.api import VideoInput
from app.media.errors import DeviceError
from app.media.testcard import TestCard
from app.media.video_capture import Listeners, open_video_input

ROOT = Path(__file__).parents[2]
WAIT_S = 10.0

WINDOW_WITH_TEST_CARD = """
import os, sys
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QRasterWindow
from app.media.testcard import TestCard

class Window(QRasterWindow):
    card = TestCard(640, 360, 4242)
    def paintEvent(self, event):
        frame = self.card.draw().reformat(format="bgra")
        plane = frame.planes[0]
        image = QImage(memoryview(plane), 640, 360, plane.line_size, QImage.Format.Format_RGB32)
        painter = QPainter(self)
        painter.drawImage(0, 0, image)
        painter.end()

application = QGuiApplication([])
window = Window()
window.setFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.Window)
window.setGeometry(0, 0, 640, 360)
window.setTitle("Card window")
window.show()
timer = QTimer(); timer.timeout.connect(window.update); timer.start(40)
print(int(window.winId()), flush=True)
application.exec()
"""


def announce_window(display: str, window: int) -> None:
    """Do what a window manager does: name the window in the list of the desktop."""
    xcb = x11_windows._library()
    connection = xcb.xcb_connect(display.encode(), None)
    server = x11_windows._Connection(xcb, connection)
    with server._ask("intern_atom", 0, 16, b"_NET_CLIENT_LIST") as reply:
        atom = reply.contents.atom
    xcb.xcb_change_property.argtypes = [ctypes.c_void_p, ctypes.c_uint8, *[ctypes.c_uint32] * 3]
    xcb.xcb_change_property.argtypes += [ctypes.c_uint8, ctypes.c_uint32, ctypes.c_char_p]
    of_type_window = 33
    # The second one does not exist: a window that closed a moment ago.
    both = window.to_bytes(4, sys.byteorder) + (window + 4_000_000).to_bytes(4, sys.byteorder)
    xcb.xcb_change_property(connection, 0, server.root(), atom, of_type_window, 32, 2, both)
    assert server.property(server.root(), "_NET_CLIENT_LIST", 100)
    xcb.xcb_disconnect(connection)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server of 640 x 360 with a window that fills it and shows the test card."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x360x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as numbers:
        name = f":{numbers.readline().strip()}"
    environment = os.environ | {"DISPLAY": name, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW_WITH_TEST_CARD],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert window.stdout is not None
    number = window.stdout.readline().strip()
    assert number, "the window did not open"
    announce_window(name, int(number))
    yield name
    for process in (window, server):
        process.terminate()
        process.wait(WAIT_S)
    window.stdout.close()


@pytest.fixture
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.mark.parametrize("which", [0, 1], ids=["screen", "window"])
def test_screens_and_windows_are_listed_captured_and_move(
    which: int, display: str, no_desktop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    listed = screen.list_screens()
    assert [(source.kind, source.title) for source in listed] == [("screen", "Screen 1"), ("window", "Card window")]
    assert (listed[1].width, listed[1].height) == (640, 360)
    capture = open_video_input(VideoInput("screen", listed[which].id, fps=20), SourceContent.SCREEN)
    numbers: list[int] = []
    enough = threading.Event()

    def see(frame: av.VideoFrame, captured_ms: float) -> None:
        found = stamp.read(frame)
        if found is not None:
            assert found.source == 4242 and abs(time.monotonic() * 1000 - captured_ms) < 1_000
            numbers.append(found.number)
        if len(numbers) >= 4:
            enough.set()

    capture.attach(see)
    assert enough.wait(WAIT_S)
    assert capture.label == listed[which].title
    capture.close()
    capture.close()
    assert numbers == sorted(numbers)


def test_a_thumbnail_shows_the_screen(display: str, no_desktop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", display)
    pictures = [screen.thumbnail("screen:0", 320, 320) for _ in range(2)]
    picture = pictures[-1]
    assert picture is not None and (picture.width, picture.height) == (320, 180)
    found = stamp.read_bgra(picture.data, picture.width, picture.height, picture.stride)
    assert found is not None and found.source == 4242


def test_with_a_window_system_of_qt_the_same_screen_is_listed_and_captured(display: str) -> None:
    script = """
import json, threading
from PySide6.QtGui import QGuiApplication
from app.calls.model import SourceContent
from app.media import screen, stamp
from app.media.api import VideoInput
from app.media.screen import QtScreen
application = QGuiApplication([])
out = {}

def work():
    try:
        out["listed"] = [(s.id, s.kind, s.width, s.height) for s in screen.list_screens()]
        for name, opened in (
            ("x11", lambda: screen.open_screen(VideoInput("screen", "screen:0"), print)),
            ("qt", open_qt),
        ):
            seen = threading.Event()
            def see(frame, ms, name=name, seen=seen):
                found = stamp.read(frame)
                if found: out[name] = found.source; seen.set()
            capture = opened()
            capture.attach(see)
            seen.wait(8)
            capture.close()
        try:
            screen.open_screen(VideoInput("screen", "window:99"), print)
        except Exception as error:
            out["window"] = getattr(error, "code", repr(error))
    except Exception as error:
        out["error"] = repr(error)
    print(json.dumps(out), flush=True)
    screen.call_on_main(application.quit)

def open_qt():
    capture = QtScreen(VideoInput("screen", "screen:0"), print)
    capture.open()
    return capture

threading.Thread(target=work, daemon=True).start()
application.exec()
"""
    environment = os.environ | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    environment.pop("WAYLAND_DISPLAY", None)
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout, run.stderr
    out = json.loads(run.stdout.strip().splitlines()[-1])
    window = out["listed"].pop()
    assert window[0].startswith("window:") and window[1:] == ["window", 640, 360]
    assert out == {"listed": [["screen:0", "screen", 640, 360]], "x11": 4242, "qt": 4242, "window": "not_found"}


@pytest.mark.usefixtures("no_desktop")
def test_without_a_display_there_is_nothing_to_share() -> None:
    assert screen.list_screens() == ()
    for wanted in ("", "screen:0", "window:1"):
        with pytest.raises(DeviceError) as caught:
            open_video_input(VideoInput("screen", wanted), SourceContent.SCREEN)
        assert (caught.value.what, caught.value.code) == ("screen", "not_found")
    assert screen.thumbnail("screen:0") is None
    assert x11_windows.list_windows() == [] and x11_windows.list_windows(":9987") == []


def test_a_dead_display_is_an_error_not_a_hang(no_desktop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9987")
    with pytest.raises(DeviceError) as caught:
        open_video_input(VideoInput("screen", "screen:0"), SourceContent.SCREEN)
    assert caught.value.what == "screen"


def test_on_wayland_the_system_asks(no_desktop: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    (only,) = screen.list_screens()
    assert only.kind == "portal" and screen.thumbnail(only.id) is None


def test_the_test_card_can_be_shared_as_a_screen() -> None:
    capture = open_video_input(VideoInput("screen", "test", 640, 360, 30), SourceContent.SCREEN)
    seen: list[stamp.Stamp | None] = []
    enough = threading.Event()

    def see(frame: av.VideoFrame, captured_ms: float) -> None:
        seen.append(stamp.read(frame))
        if len(seen) >= 5:
            enough.set()

    detach = capture.attach(see)
    assert enough.wait(WAIT_S)
    detach()
    capture.close()
    assert all(found is not None for found in seen)


def test_no_camera_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_qt.glob, "glob", lambda pattern: [])
    monkeypatch.setattr(camera_qt, "qt_application", lambda: None)
    for wanted in ("", "Some camera"):
        with pytest.raises(DeviceError) as caught:
            open_video_input(VideoInput("camera", wanted), SourceContent.CAMERA)
        assert (caught.value.what, caught.value.code) == ("camera", "not_found")
    assert camera_qt.cameras() == ()


def test_no_input_is_an_error_of_its_own() -> None:
    with pytest.raises(DeviceError) as caught:
        open_video_input(VideoInput("none"), SourceContent.CAMERA)
    assert (caught.value.what, caught.value.code) == ("camera", "not_found")


def test_a_device_that_goes_away_is_reported_once_and_picked_up_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(camera_qt, "RETRY_S", 0.05)
    path = tmp_path / "device.y4m"
    with av.open(str(path), "w", format="yuv4mpegpipe") as container:
        stream = container.add_stream("rawvideo", rate=30, options={})
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        card = TestCard(64, 36, 7)
        for index in range(5):
            frame = card.draw()
            frame.pts = index
            container.mux(stream.encode(frame))
    failures: list[DeviceError] = []
    frames = 0
    again = threading.Event()
    capture = camera_qt.AvDeviceCapture(
        VideoInput(), "camera", "File camera", str(path), "yuv4mpegpipe", ({},), failures.append
    )

    def see(frame: av.VideoFrame, captured_ms: float) -> None:
        nonlocal frames
        frames += 1
        if len(failures) >= 2:
            again.set()

    capture.attach(see)
    assert again.wait(WAIT_S), "the device was not opened again"
    capture.close()
    assert failures[0].what == "camera" and frames > 5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Device or resource busy", "busy"),
        ("Permission denied", "permission_denied"),
        ("Camera not found", "not_found"),
        ("Unsupported format", "unsupported_resolution"),
        ("", "general"),
    ],
)
def test_words_of_devices_become_codes(text: str, code: str) -> None:
    assert camera_qt.code_of_message(text) == code


def test_errors_of_the_system_become_codes() -> None:
    assert camera_qt.code_of_error(FileNotFoundError(2, "x")) == "not_found"
    assert camera_qt.code_of_error(PermissionError(13, "x")) == "permission_denied"
    assert camera_qt.code_of_error(OSError(16, "x")) == "busy"
    assert camera_qt.code_of_error(ValueError("x")) == "general"


def test_pictures_of_qt_are_copied_in_any_format() -> None:
    script = """
import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtMultimedia import QVideoFrame, QVideoFrameFormat
from app.media import stamp
from app.media.camera_qt import _FORMATS, to_av
from app.media.testcard import TestCard
application = QGuiApplication([])
card = TestCard(320, 180, 99)
read = []
for qt_name, av_name in sorted(_FORMATS.items()):
    source = card.draw().reformat(format=av_name)
    frame = QVideoFrame(QVideoFrameFormat(QSize(320, 180), getattr(QVideoFrameFormat.PixelFormat, qt_name)))
    assert frame.map(QVideoFrame.MapMode.WriteOnly), qt_name
    for index, plane in enumerate(source.planes):
        to_stride, rows = frame.bytesPerLine(index), plane.height
        target = np.frombuffer(frame.bits(index), np.uint8)[: to_stride * rows].reshape(rows, to_stride)
        data = np.frombuffer(plane, np.uint8)[: plane.line_size * rows].reshape(rows, plane.line_size)
        used = min(to_stride, plane.line_size)
        target[:, :used] = data[:, :used]
    frame.unmap()
    found = stamp.read(to_av(frame))
    assert found is not None and found.source == 99, qt_name
    read.append(qt_name)
print(len(read))
"""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.strip() == "17", run.stderr


def test_a_still_screen_is_passed_on_once_a_second() -> None:
    card = TestCard(320, 180)
    one, other = card.draw(1_000), card.draw(2_000)

    class Inner(Listeners):
        label = "inner"

        def close(self) -> None: ...

    inner = Inner(VideoInput("screen"))
    changing = screen.Changing(inner)
    seen: list[float] = []
    changing.attach(lambda frame, ms: seen.append(ms))
    for moment, frame in ((0.0, one), (100.0, one), (200.0, other), (300.0, other), (1_150.0, other), (1_250.0, other)):
        inner.deliver(frame, moment)
    assert seen == [0.0, 200.0, 1_250.0]
    changing.attach(lambda frame, ms: None)
    inner.deliver(other, 1_300.0)
    assert seen[-1] == 1_300.0, "who comes later sees it at once"


def test_equal_pictures_are_told_from_different_ones() -> None:
    card = TestCard(320, 180)
    one = card.draw(1_000)
    same = av.VideoFrame.from_ndarray(one.to_ndarray(), "yuv420p")
    assert screen.same_picture(one, same)
    changed = one.to_ndarray()
    changed[100, 100] ^= np.uint8(1)
    assert not screen.same_picture(one, av.VideoFrame.from_ndarray(changed, "yuv420p"))
    assert not screen.same_picture(one, one.reformat(format="nv12"))
