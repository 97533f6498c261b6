"""Levels, speech detection and hints."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.media.levels import HINT_PAUSE_MS, SILENCE_DBOV, MeanLevel, MicrophoneMonitor, SpeechDetector, dbov, meter
from tests.media.audio_helpers import Samples, speech, tone

SILENCE = np.zeros(480, np.int16)


def noise(level_dbov: float, blocks: int, seed: int = 1) -> Samples:
    sigma = 32767 * 10 ** (level_dbov / 20)
    return np.clip(np.random.default_rng(seed).normal(0, sigma, blocks * 480), -32768, 32767).astype(np.int16)


def feed(monitor: MicrophoneMonitor, sound: Samples, start_ms: float = 0.0) -> list[tuple[float, str]]:
    hints = []
    for index in range(len(sound) // 480):
        block = sound[index * 480 : (index + 1) * 480]
        reading = monitor.update(block, block, start_ms + index * 10.0)
        if reading.hint:
            hints.append((start_ms + index * 10.0, reading.hint))
    return hints


def test_levels() -> None:
    assert dbov(SILENCE) == -127
    assert dbov(np.zeros(0, np.int16)) == -127
    assert dbov(np.full(480, 32767, np.int16)) == pytest.approx(0, abs=0.01)
    assert dbov(np.full(480, -32768, np.int16)) == 0
    assert dbov(tone(1000, 0.1, 1.0)) == pytest.approx(-3.01, abs=0.05)
    assert meter(-127) == 0.0
    assert meter(0) == 1.0
    assert meter(-30) == pytest.approx(0.5)


def test_speech_over_noise_with_hangover() -> None:
    detector = SpeechDetector()
    for block in noise(-58, 300).reshape(-1, 480):
        assert not detector.update(dbov(block))
    spoken = [detector.update(dbov(block)) for block in speech(2).reshape(-1, 480)]
    assert np.mean(spoken[10:]) > 0.9
    after = [detector.update(-70.0) for _ in range(60)]
    assert after[20] and not after[40]


def test_steady_fan_is_no_speech_for_ever() -> None:
    detector = SpeechDetector()
    spoken = [detector.update(dbov(block)) for block in noise(-45, 1500).reshape(-1, 480)]
    assert not any(spoken[1000:])


def test_click_is_no_speech() -> None:
    detector = SpeechDetector()
    assert not any(detector.update(-10.0 if index == 50 else -70.0) for index in range(100))


def test_talking_while_muted_is_said_once_in_a_while() -> None:
    monitor = MicrophoneMonitor()
    monitor.muted = True
    hints = feed(monitor, speech(8))
    assert [code for _, code in hints] == ["talking_while_muted"]
    assert 400 <= hints[0][0] <= 2_500
    assert [code for _, code in feed(monitor, speech(8), HINT_PAUSE_MS + 8_000)] == ["talking_while_muted"]


def test_no_hint_when_talking_unmuted() -> None:
    assert feed(MicrophoneMonitor(), speech(8)) == []


def test_dead_microphone_and_its_return() -> None:
    monitor = MicrophoneMonitor()
    hints = feed(monitor, np.zeros(480 * 700, np.int16))
    assert [code for _, code in hints] == ["no_signal"]
    assert hints[0][0] == pytest.approx(5_000, abs=20)
    assert [code for _, code in feed(monitor, noise(-60, 50), 7_000)] == ["signal_back"]


def test_noisy_room_and_quiet_room() -> None:
    assert [code for _, code in feed(MicrophoneMonitor(), noise(-35, 2_000))] in (["noisy"], ["noisy", "noisy"])
    assert feed(MicrophoneMonitor(), noise(-60, 1_500)) == []


def test_mean_level_is_of_energy_and_forgets_after_five_seconds() -> None:
    mean = MeanLevel(10)
    assert mean.dbov == SILENCE_DBOV
    for second in range(6):
        for block in range(100):
            mean.add(-10.0 if block < 10 and second < 5 else SILENCE_DBOV)
    # One second in ten is loud: a tenth of the energy, 10 dB less; of the last five seconds one has no sound.
    assert mean.dbov == pytest.approx(-20.0 + 10 * math.log10(0.8), abs=0.3)
    for _ in range(500):
        mean.add(SILENCE_DBOV)
    assert mean.dbov == SILENCE_DBOV
