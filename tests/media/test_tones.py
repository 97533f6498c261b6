"""Generated sound, and chirps found again."""

from __future__ import annotations

import numpy as np
import pytest

from app.media.tones import BUSY, TestSignal, dtmf, find_chirps, power_at, sequence
from tests.media.audio_helpers import longest_gap_ms, speech, tone


def test_chirps_begin_at_whole_seconds_whatever_the_start() -> None:
    start_ms = 123_456.0
    signal = TestSignal(440.0, start_ms)
    sound = np.concatenate([signal.block(480) for _ in range(300)])
    assert [round(start_ms + at / 48, 1) for at in find_chirps(sound)] == [124_000.0, 125_000.0, 126_000.0]
    assert power_at(sound, 440) > 3_000


def test_chirps_are_found_in_noise_and_not_in_speech() -> None:
    signal = TestSignal(440.0, 500.0)
    noise = np.random.default_rng(1).normal(0, 1500, 96_000)
    noisy = np.clip(signal.block(96_000) + noise, -32768, 32767).astype(np.int16)
    assert [round(at / 480) for at in find_chirps(noisy)] == [50, 150]
    assert find_chirps(speech(3)) == []
    assert find_chirps(tone(2000, 1)) == []
    assert find_chirps(np.zeros(100, np.int16)) == []
    assert find_chirps(np.zeros(48_000, np.int16)) == []


def test_dtmf_frequencies() -> None:
    sound = dtmf("5", 200)
    assert power_at(sound, 770) > 5_000
    assert power_at(sound, 1336) > 5_000
    assert power_at(sound, 941) < 300
    with pytest.raises(ValueError):
        dtmf("x")


def test_cadence() -> None:
    sound = sequence(BUSY)
    assert len(sound) == 48_000
    assert longest_gap_ms(sound) == pytest.approx(500, abs=10)
    assert len(sequence(())) == 0
