"""What needs Qt's thread while that thread has no time: closing waits for nothing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from app.media import camera_qt
from app.media.engine import Engine

SOON_S = 3.0
"""Far below the ten seconds after which a blocked thread is given up."""


@pytest.fixture
def busy_window(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A Qt application whose loop does not run: what is posted stays here."""
    posted: list[Any] = []

    class Called:
        def emit(self, function: Any) -> None:
            posted.append(function)

    class Caller:
        called = Called()

    monkeypatch.setattr(camera_qt, "qt_application", lambda: object())
    monkeypatch.setattr(camera_qt, "_caller", lambda application: Caller())
    return posted


async def test_an_engine_closes_while_cameras_are_being_listed(busy_window: list[Any]) -> None:
    engine = Engine()
    engine.start()
    engine._thread.post(engine._tell_devices)
    async with asyncio.timeout(SOON_S):
        while not busy_window:  # noqa: ASYNC110 - the engine announces nothing before the list is there
            await asyncio.sleep(0.01)
    began = time.monotonic()
    await engine.close()
    assert time.monotonic() - began < SOON_S
    # The window's thread gets round to it later, when nobody wants it any more.
    for function in busy_window:
        function()


async def test_a_capture_is_released_without_waiting(busy_window: list[Any]) -> None:
    class Capture(camera_qt.QtCapture):
        stopped = 0

        def _stop(self) -> None:
            self.stopped += 1

    from app.media.api import VideoInput

    capture = Capture(VideoInput("camera"), lambda error: None)
    began = time.monotonic()
    await asyncio.to_thread(capture.close)
    assert time.monotonic() - began < SOON_S and capture.stopped == 0
    busy_window[0]()
    assert capture.stopped == 1
