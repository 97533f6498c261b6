"""Device formats to 48 kHz mono and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media.convert import SAMPLE_TYPES, FromDevice, ToDevice
from tests.media.audio_helpers import frequency, tone


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_type", list(SAMPLE_TYPES))
def test_there_and_back(rate: int, channels: int, sample_type: str) -> None:
    sound = tone(1000, 1)
    to_device, from_device = ToDevice(rate, channels, sample_type), FromDevice(rate, channels, sample_type, 480)
    blocks = []
    for at in range(0, len(sound), 480):
        blocks += from_device.push(to_device.push(sound[at : at + 480]))
    heard = np.concatenate(blocks)
    assert {len(block) for block in blocks} == {480}
    assert len(heard) > 45_000
    assert frequency(heard[4800:]) == pytest.approx(1000, abs=0.3)
    assert np.std(heard[4800:-4800]) == pytest.approx(np.std(sound), rel=0.03)


@given(st.lists(st.binary(max_size=3000), max_size=20))
def test_any_cut_of_the_bytes(pieces: list[bytes]) -> None:
    whole, cut = FromDevice(48_000, 2, "Int16", 480), FromDevice(48_000, 2, "Int16", 480)
    expected = whole.push(b"".join(pieces))
    got = [block for piece in pieces for block in cut.push(piece)]
    assert len(got) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(got, expected, strict=True))
    assert cut.pending < 480
