"""Opus through libopus and through the fallback."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media import opus
from app.media.jitter import DecodeError
from tests.media.audio_helpers import encode, frequency, longest_gap_ms, speech, tone


def test_library_is_found() -> None:
    """The fallback works, but this machine must have what releases rely on."""
    assert opus.load_library() is not None
    assert isinstance(opus.make_decoder(), opus.LibopusDecoder)


def test_tone_survives() -> None:
    decoder = opus.make_decoder()
    sound = np.concatenate([decoder.decode(payload) for payload in encode(tone(1000, 1))])
    assert len(sound) == 48_000
    assert frequency(sound) == pytest.approx(1000, abs=0.2)
    assert np.max(np.abs(sound)) == pytest.approx(0.3 * 32767, rel=0.1)


def test_bitrate_changes_while_running() -> None:
    encoder = opus.make_encoder(40_000)
    sound = speech(4)
    blocks = [sound[at : at + 960] for at in range(0, len(sound), 960)]
    high = sum(len(encoder.encode(block)) for block in blocks[:100]) * 8 / 2
    encoder.set_bitrate(16_000)
    low = sum(len(encoder.encode(block)) for block in blocks[100:]) * 8 / 2
    assert 30_000 < high < 50_000
    assert 10_000 < low < 22_000


def test_redundancy_follows_reported_loss() -> None:
    encoder = opus.make_encoder(32_000)
    sound = speech(4)
    blocks = [sound[at : at + 960] for at in range(0, len(sound), 960)]
    encoder.set_loss(0)
    without = sum(opus.has_fec(encoder.encode(block)) for block in blocks[:100])
    encoder.set_loss(0.2)
    with_fec = sum(opus.has_fec(encoder.encode(block)) for block in blocks[100:])
    assert without == 0
    assert with_fec > 40


def test_dtx_makes_silence_tiny() -> None:
    encoder = opus.make_encoder(32_000, dtx=True)
    silence = np.zeros(960, np.int16)
    sizes = [len(encoder.encode(silence)) for _ in range(100)]
    assert sum(size <= 2 for size in sizes) > 50
    encoder.set_dtx(False)
    assert all(len(encoder.encode(silence)) > 2 for _ in range(10))


def test_fec_rebuilds_a_lost_packet() -> None:
    coded = encode(speech(3), loss=0.25)
    whole = opus.make_decoder()
    original = [whole.decode(payload) for payload in coded]
    index = next(i for i in range(60, len(coded)) if opus.has_fec(coded[i]) and np.std(original[i - 1]) > 1000)
    results = {}
    for fec in (True, False):
        decoder = opus.make_decoder()
        for payload in coded[: index - 1]:
            decoder.decode(payload)
        rebuilt = decoder.recover(coded[index], 960) if fec else decoder.conceal(960)
        assert rebuilt.shape == (960,)
        results[fec] = float(np.mean(np.square(rebuilt.astype(float) - original[index - 1])))
    assert results[True] < 0.5 * results[False]


@pytest.mark.parametrize("decoder", [opus.make_decoder, opus.PyAvOpusDecoder])
def test_concealment_continues_and_fades(decoder: type) -> None:
    made = decoder()
    for payload in encode(tone(440, 0.5)):
        made.decode(payload)
    filled = np.concatenate([made.conceal(480) for _ in range(100)])
    assert len(filled) == 48_000
    assert frequency(filled[:2400]) == pytest.approx(440, abs=15)
    assert longest_gap_ms(filled[:960]) == 0
    assert np.max(np.abs(filled[-4800:])) < 200


def test_fallback_codec_speaks_the_same_language() -> None:
    encoder, decoder = opus.PyAvOpusEncoder(), opus.PyAvOpusDecoder()
    sound = tone(700, 1)
    payloads = [encoder.encode(sound[at : at + 960]) for at in range(0, len(sound), 960)]
    ours = opus.make_decoder()
    for result in (
        np.concatenate([ours.decode(payload) for payload in payloads if payload]),
        np.concatenate([decoder.decode(payload) for payload in payloads if payload]),
    ):
        assert frequency(result[9600:]) == pytest.approx(700, abs=0.5)


def test_durations() -> None:
    assert opus.packet_samples(b"") == 0
    assert opus.packet_samples(b"\xfc\xff\xfe") == 960
    assert opus.packet_samples(bytes([0b11100_0_11])) == 0
    assert opus.packet_samples(bytes([0b00011_0_11, 3])) == 0
    assert opus.packet_samples(bytes([0b00001_0_11, 3])) == 2880


@given(st.binary(max_size=300))
def test_garbage_raises_only_decode_error(payload: bytes) -> None:
    decoder = opus.make_decoder()
    assert 0 <= opus.packet_samples(payload) <= 5760
    for call in (decoder.decode, lambda data: decoder.recover(data, 960)):
        with suppress(DecodeError):
            assert len(call(payload)) <= 5760
    assert decoder.conceal(480).shape == (480,)
    opus.has_fec(payload)


def test_closed_decoder_says_so() -> None:
    decoder = opus.make_decoder()
    decoder.close()
    decoder.close()
    with pytest.raises(DecodeError):
        decoder.decode(b"\xfc\xff\xfe")
