"""Stand-ins for devices: they keep real time, and say what is missing."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.media.api import AudioInput, AudioOutput
from app.media.devices import NoBackend, NullSpeaker, TestMicrophone, open_microphone, open_speaker
from app.media.errors import DeviceError
from app.media.mixer import Mixer, now_ms
from app.media.tones import find_chirps, power_at
from tests.media.audio_helpers import Samples


def test_null_speaker_plays_in_real_time() -> None:
    mixer, enough = Mixer(), threading.Event()
    times: list[float] = []

    def tap(block: Samples, at_ms: float) -> None:
        times.append(at_ms)
        if len(times) == 60:
            enough.set()

    mixer.add_tap(tap)
    speaker = NullSpeaker(mixer)
    try:
        assert enough.wait(10)
    finally:
        speaker.close()
    count = len(times)
    assert (times[59] - times[0]) / 59 == pytest.approx(10, abs=4)
    assert len(times) == count
    assert threading.active_count() < 10


def test_test_microphone_gives_tone_and_stamped_chirps() -> None:
    received: list[tuple[Samples, float]] = []
    enough = threading.Event()

    def listen(block: Samples, captured_ms: float) -> None:
        received.append((block, captured_ms))
        if len(received) == 230:
            enough.set()

    microphone = TestMicrophone(500.0, listen)
    try:
        assert enough.wait(20)
    finally:
        microphone.close()
    sound = np.concatenate([block for block, _ in received])
    assert power_at(sound, 500) > 2_000
    chirps = find_chirps(sound)
    assert len(chirps) >= 2
    for at in chirps[:2]:
        block, rest = divmod(at, 480)
        assert (received[block][1] + rest / 48) % 1000 == pytest.approx(0, abs=1) or (
            received[block][1] + rest / 48
        ) % 1000 == pytest.approx(1000, abs=1)
    assert abs(now_ms() - received[-1][1]) < 2_000


def test_no_devices_is_said() -> None:
    backend = NoBackend()
    assert backend.devices() == ()
    with pytest.raises(DeviceError) as caught:
        open_microphone(backend, AudioInput(), lambda block, at: None)
    assert (caught.value.what, caught.value.code) == ("microphone", "not_found")
    with pytest.raises(DeviceError) as caught:
        open_speaker(backend, AudioOutput(), Mixer())
    assert (caught.value.what, caught.value.code) == ("speaker", "not_found")
    assert open_microphone(backend, AudioInput("none"), lambda block, at: None) is None
