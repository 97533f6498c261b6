from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from app.media.api import Device
from app.media.devices import NoBackend
from app.media.engine import Engine
from app.media.mixer import Mixer, now_ms
from app.media.tones import power_at

WAIT_S = 10.0


class Speaker:
    """Played by the test, block by block."""

    device = "bell"

    def __init__(self, mixer: Mixer) -> None:
        self.mixer = mixer
        self.closed = threading.Event()

    def hear(self, blocks: int = 30) -> Any:
        return np.concatenate([self.mixer.pull(now_ms()) for _ in range(blocks)])

    def close(self) -> None:
        self.closed.set()


class Backend(NoBackend):
    def __init__(self) -> None:
        self.opened: dict[str, Speaker] = {}
        self.ready = threading.Event()

    def devices(self) -> tuple[Device, ...]:
        return (Device("bell", "Bell", "audiooutput"),)

    def open_speaker(self, device_id: str, mixer: Mixer) -> Speaker:  # type: ignore[override]
        if device_id != "bell":
            super().open_speaker(device_id, mixer)
        self.opened[device_id] = Speaker(mixer)
        self.ready.set()
        return self.opened[device_id]


@pytest.fixture
async def lab() -> Any:
    engine, backend = Engine(), Backend()
    engine.start()
    engine._prepare_backend = lambda: None  # type: ignore[method-assign]
    engine._inputs.backend = backend
    yield engine, backend
    await engine.close()


async def test_it_rings_on_its_own_device_only_until_stopped(lab: Any) -> None:
    engine, backend = lab
    stop = engine.play_sound("ring", 0.5, "bell")
    assert backend.ready.wait(WAIT_S)
    speaker = backend.opened["bell"]
    heard = np.zeros(1)
    for _ in range(200):  # the device opens a moment before the sound begins
        heard = speaker.hear(10)
        if np.any(heard):
            break
    heard = speaker.hear(30)
    assert power_at(heard, 659.26) > 500 and power_at(heard, 783.99) > 500
    assert not engine._inputs.mixer._sounds  # nothing where calls are heard
    stop()
    assert speaker.closed.wait(WAIT_S)
    assert not np.any(speaker.hear(5)[480:])


async def test_half_the_volume_is_half_as_loud(lab: Any) -> None:
    engine, backend = lab
    levels = []
    for volume in (1.0, 0.5):
        backend.ready.clear()
        stop = engine.play_sound("ring_soft", volume, "bell")
        assert backend.ready.wait(WAIT_S)
        speaker = backend.opened["bell"]
        for _ in range(200):
            if np.any(speaker.hear(1)):
                break
        levels.append(power_at(speaker.hear(20), 392.0))
        stop()
        assert speaker.closed.wait(WAIT_S)
    assert levels[1] == pytest.approx(levels[0] / 2, rel=0.1)


async def test_a_device_that_is_gone_lets_it_ring_where_calls_are_heard(lab: Any) -> None:
    engine, _ = lab
    heard = threading.Event()
    remove = engine.add_tap(lambda block, at_ms: heard.set() if np.any(block) else None)
    stop = engine.play_sound("ring", 1.0, "unplugged")
    assert heard.wait(WAIT_S)
    stop()
    remove()
