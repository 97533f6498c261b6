from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli import listening
from app.cli.listening import Ear, keys_heard, tone_heard
from app.media.mixer import BLOCK
from app.media.tones import DTMF_KEYS, RATE, TestSignal, dtmf, sine

SILENCE = np.zeros(RATE // 10, np.int16)


def noise(seconds: float, level: float) -> np.ndarray:
    return (np.random.default_rng(7).standard_normal(int(RATE * seconds)) * level).astype(np.int16)


def test_the_test_signal_is_heard_with_its_tone_only() -> None:
    signal = TestSignal(440.0, 0.0).block(RATE // 2)
    assert tone_heard(signal, 440.0) and not tone_heard(signal, 330.0)
    assert not tone_heard(SILENCE, 440.0) and not tone_heard(noise(0.4, 3_000), 440.0)
    assert not tone_heard(SILENCE[:0], 440.0)
    quiet = sine(440.0, RATE // 2, 0.001).astype(np.int16)
    assert not tone_heard(quiet, 440.0)


@settings(max_examples=30, deadline=None)
@given(st.text(DTMF_KEYS, max_size=8), st.integers(0, 700))
def test_keys_are_heard_in_their_order(keys: str, offset: int) -> None:
    pieces = [np.zeros(offset, np.int16)]
    for key in keys:
        pieces += [dtmf(key, 120), SILENCE]
    assert keys_heard(np.concatenate(pieces)) == keys


def test_tones_and_noise_are_no_keys() -> None:
    assert keys_heard(TestSignal(440.0, 0.0).block(2 * RATE)) == ""
    assert keys_heard(noise(2.0, 5_000)) == ""
    assert keys_heard(sine(697, RATE, 0.3).astype(np.int16)) == ""
    assert keys_heard(dtmf("5", 20)) == ""  # too short to be a key


def test_the_ear_keeps_what_was_heard_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = Ear()
    for number in range(5):
        ear.hear(np.full(BLOCK, number, np.int16), 0.0)
    mark = ear.mark()
    assert len(ear.since(mark)) == 0
    ear.hear(np.full((BLOCK, 2), 9, np.int16), 0.0)
    assert set(ear.since(mark)) == {9} and set(ear.since(0, 2)) == {4, 9}
    assert len(ear.since(0)) == 6 * BLOCK
    assert ear._blocks.maxlen == listening.MAX_BLOCKS
