"""Echo cancellation and its companions on a synthetic room."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from app.media.api import AudioProcessing
from app.media.mixer import Mixer, now_ms
from app.media.processing import MicrophoneProcessor, Processor
from tests.media.audio_helpers import Samples, speech, tone

OFF = AudioProcessing(False, False, False, False)


def room(sound: Samples, delay_ms: float = 60, loss_db: float = 8) -> Samples:
    """What a microphone hears of a loudspeaker: delay, an exponentially fading response of 120 ms, attenuation."""
    random = np.random.default_rng(5)
    count = 48 * 120
    response = random.normal(0, 1, count) * np.exp(-np.arange(count) / (48 * 25))
    response[0] = 4.0
    response *= 10 ** (-loss_db / 20) / np.sqrt(np.sum(np.square(response)))
    echo = np.convolve(sound.astype(np.float64), response)[: len(sound)]
    delayed = np.concatenate((np.zeros(int(48 * delay_ms)), echo))[: len(sound)]
    return np.clip(delayed + random.normal(0, 5, len(sound)), -32768, 32767).astype(np.int16)


def process(processor: Processor, far: Samples, near: Samples) -> Samples:
    result = []
    for at in range(0, len(far) - 479, 480):
        processor.played(far[at : at + 480])
        result.append(processor.captured(near[at : at + 480]))
    return np.concatenate(result)


def power_db(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound.astype(np.float64))) + 1e-9))


def test_echo_is_removed_by_15_db_at_least() -> None:
    processor = Processor(AudioProcessing(True, False, False, True))
    assert processor.available
    processor.set_delay(60)
    far = speech(8)
    near = room(far)
    result = process(processor, far, near)
    removed = power_db(near[-3 * 48_000 :]) - power_db(result[-3 * 48_000 :])
    assert removed >= 15, removed


def test_near_speech_passes_without_echo() -> None:
    processor = Processor(AudioProcessing(True, False, False, False))
    near = tone(600, 3)
    result = process(processor, np.zeros_like(near), near)
    assert power_db(result[-48_000:]) == pytest.approx(power_db(near[-48_000:]), abs=3)


def test_noise_suppression_lowers_noise() -> None:
    noise = np.random.default_rng(2).normal(0, 600, 48_000 * 4).astype(np.int16)
    result = process(Processor(AudioProcessing(False, True, False, False)), noise, noise)
    assert power_db(noise[-48_000:]) - power_db(result[-48_000:]) > 8


def test_high_pass_removes_rumble() -> None:
    rumble = tone(30, 2)
    result = process(Processor(AudioProcessing(False, False, False, True)), rumble, rumble)
    assert power_db(rumble[-24_000:]) - power_db(result[-24_000:]) > 10


def test_gain_control_raises_a_quiet_voice() -> None:
    quiet = speech(6, 0.02)
    result = process(Processor(AudioProcessing(False, False, True, False)), np.zeros_like(quiet), quiet)
    assert power_db(result[-96_000:]) - power_db(quiet[-96_000:]) > 3


def test_switching_live() -> None:
    processor = Processor(OFF)
    block = tone(440, 0.01)
    assert processor.captured(block) is block
    processor.configure(AudioProcessing(False, False, False, True))
    rumble = tone(30, 2)
    on = process(processor, rumble, rumble)
    processor.configure(OFF)
    off = process(processor, rumble, rumble)
    assert power_db(off[-24_000:]) - power_db(on[-24_000:]) > 10
    assert np.array_equal(off, rumble[: len(off)])


def test_missing_library_passes_sound_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit", None)
    processor = Processor()
    block = tone(440, 0.01)
    assert processor.captured(block) is block
    processor.played(block)
    assert not processor.available
    processor.configure(OFF)
    assert processor.captured(block) is block


def test_wired_to_the_mixer_it_removes_what_is_played() -> None:
    """The mixer plays a voice, the microphone hears the room: without any reference given by hand."""
    mixer = Mixer()
    processor = MicrophoneProcessor(AudioProcessing(True, False, False, True), mixer)
    assert processor.available
    far = speech(8)
    mixer.play(far)
    near = room(far, delay_ms=40)
    played, result = [], []
    for at in range(0, len(far) - 479, 480):
        result.append(processor.process(near[at : at + 480], now_ms() - 10.0))
        played.append(mixer.pull(now_ms(), 40.0))
    assert power_db(np.concatenate(played)) > 60
    tail = slice(-3 * 48_000, None)
    assert power_db(near[tail]) - power_db(np.concatenate(result)[tail]) >= 15
    processor.close()
    assert not mixer._taps
