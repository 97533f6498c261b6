"""Decisions of the Qt streams, with devices that exist only in name."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from PySide6.QtCore import QByteArray

from app.media import devices_qt
from app.media.api import InputFailed, InputStarted
from app.media.devices_qt import MAX_RESTARTS, STALLED_MS, _QtStream
from app.media.errors import DeviceError


class FakeDevice:
    """As much of QAudioDevice as the streams look at."""

    def __init__(self, name: str) -> None:
        self._name = name

    def id(self) -> QByteArray:
        return QByteArray(self._name.encode())

    def description(self) -> str:
        return self._name.title()


class FakeWorker:
    """Devices by name, the first is the default; events collected."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.events: list[Any] = []
        self.notify = self.events.append

    def find(self, kind: str, wanted: str) -> FakeDevice | None:
        if wanted:
            return FakeDevice(wanted) if wanted in self.names else None
        return FakeDevice(self.names[0]) if self.names else None

    def has(self, kind: str, wanted: str) -> bool:
        return wanted in self.names


class FakeStream(_QtStream):
    what, kind = "microphone", "audioinput"

    def __init__(self, worker: FakeWorker, wanted: str = "") -> None:
        super().__init__(worker, wanted)  # type: ignore[arg-type]
        self.log: list[str] = []
        self.refuse: set[str] = set()

    def _acquire(self, device: Any) -> None:
        name = device.description()
        if name in self.refuse:
            raise DeviceError("microphone", "busy", name, "busy")
        self.log.append(name)

    def _release(self) -> None:
        self.log.append("-")

    def _nothing_left(self) -> None:
        self.log.append("nothing")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    time = [0.0]
    monkeypatch.setattr(devices_qt, "now_ms", lambda: time[0])
    return time


def opened(stream: FakeStream) -> list[str]:
    return [entry for entry in stream.log if entry != "-"]


def test_follows_the_default(clock: list[float]) -> None:
    worker = FakeWorker("a", "b")
    stream = FakeStream(worker)
    stream.start()
    worker.names = ["b", "a"]
    stream.devices_changed()
    assert opened(stream) == ["A", "B"]
    assert worker.events == [InputStarted("microphone", "B")]


def test_chosen_device_is_kept_when_the_default_changes(clock: list[float]) -> None:
    worker = FakeWorker("a", "b")
    stream = FakeStream(worker, "b")
    stream.start()
    worker.names = ["c", "a", "b"]
    stream.devices_changed()
    assert opened(stream) == ["B"]


def test_unplugged_and_back(clock: list[float]) -> None:
    worker = FakeWorker("a", "b")
    stream = FakeStream(worker, "b")
    stream.start()
    worker.names = ["a"]
    stream.devices_changed()
    assert stream.device == "A"
    worker.names = ["a", "b"]
    stream.devices_changed()
    assert opened(stream) == ["B", "A", "B"]
    assert [type(event) for event in worker.events] == [InputFailed, InputStarted, InputStarted]
    assert (worker.events[0].code, worker.events[0].device) == ("not_found", "B")


def test_last_device_goes_and_comes(clock: list[float]) -> None:
    worker = FakeWorker("a")
    stream = FakeStream(worker)
    stream.start()
    worker.names = []
    stream.devices_changed()
    assert opened(stream) == ["A", "nothing"]
    assert stream.current_id == ""
    worker.names = ["a"]
    stream.devices_changed()
    assert stream.device == "A"


def test_stalled_device_is_opened_again_a_few_times(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = FakeWorker("a")
    stream = FakeStream(worker)
    stream.start()
    stream.alive()
    clock[0] += STALLED_MS - 1
    stream.watch()
    assert opened(stream) == ["A"]
    for _ in range(100):
        clock[0] += 250
        stream.watch()
    assert opened(stream) == ["A"] * (1 + MAX_RESTARTS)
    assert [(event.code, event.device) for event in worker.events] == [("general", "A")]
    stream.alive()
    clock[0] += STALLED_MS
    stream.watch()
    assert len(opened(stream)) == 2 + MAX_RESTARTS


def test_device_that_refuses_to_open_again_is_reported_once(clock: list[float]) -> None:
    worker = FakeWorker("a", "b")
    stream = FakeStream(worker, "b")
    stream.start()
    worker.names = ["a"]
    stream.refuse = {"A"}
    stream.devices_changed()
    assert [event.code for event in worker.events] == ["not_found", "busy"]
    assert stream.log[-1] == "nothing"


def test_nothing_to_open(clock: list[float]) -> None:
    with pytest.raises(DeviceError, match="no microphone"):
        FakeStream(FakeWorker()).start()
    with pytest.raises(DeviceError, match="not found"):
        FakeStream(FakeWorker("a"), "b").start()
