"""G.711 tables against the recommendation's corner values, and the way to 48 kHz and back."""

from __future__ import annotations

import numpy as np
import pytest

from app.media.g711 import G711Decoder, G711Encoder, decoding_table, encoding_table
from app.media.jitter import DecodeError
from tests.media.audio_helpers import frequency, longest_gap_ms, tone


def test_corner_values() -> None:
    mu, a = decoding_table("PCMU"), decoding_table("PCMA")
    assert (mu[0x00], mu[0x80], mu[0xFF], mu[0x7F]) == (-32124, 32124, 0, 0)
    assert (a[0x2A], a[0xAA], a[0x55], a[0xD5]) == (-32256, 32256, -8, 8)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_encoding_takes_the_nearest_value(law: str) -> None:
    values, codes = decoding_table(law).astype(int), encoding_table(law)
    samples = np.arange(-32768, 32768, 37)
    chosen = values[codes[samples.astype(np.int16).view(np.uint16)]]
    nearest = np.min(np.abs(values[None, :] - samples[:, None]), axis=1)
    assert np.array_equal(np.abs(chosen - samples), nearest)


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_tone_there_and_back(law: str) -> None:
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    sound = tone(1000, 1)
    payloads = [encoder.encode(sound[at : at + 960]) for at in range(0, 48_000, 960)]
    assert {len(payload) for payload in payloads} == {160}
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    assert frequency(heard[4800:]) == pytest.approx(1000, abs=0.2)
    assert np.max(np.abs(heard)) == pytest.approx(0.3 * 32767, rel=0.06)
    filled = decoder.conceal(960)
    assert longest_gap_ms(filled) == 0


def test_nothing_above_4_khz_folds_down() -> None:
    encoder, decoder = G711Encoder("PCMU"), G711Decoder("PCMU")
    sound = tone(6000, 1)
    heard = np.concatenate([decoder.decode(encoder.encode(sound[at : at + 960])) for at in range(0, 48_000, 960)])
    assert np.std(heard) < 100


def test_lengths() -> None:
    decoder = G711Decoder("PCMU")
    assert decoder.duration(b"") == 0
    assert decoder.duration(bytes(2000)) == 0
    with pytest.raises(DecodeError):
        decoder.decode(b"")
