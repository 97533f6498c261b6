"""The machine-readable stamp survives scaling, conversion and VP8, and is never read where there is none."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.media import stamp
from app.media.testcard import TestCard
from app.media.video_codec import VideoDecoder, Vp8Encoder


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 0xFFFF), st.integers(0, 2**24 - 1), st.integers(0, 2**41), st.integers(64, 400), st.integers(36, 300)
)
def test_what_is_drawn_is_read(source: int, number: int, time_ms: int, width: int, height: int) -> None:
    luma = np.full((height, width), 90, np.uint8)
    stamp.draw(luma, source, number, time_ms)
    assert stamp.read_luma(luma) == stamp.Stamp(source, number, time_ms % 2**32)


def test_layout_is_as_specified() -> None:
    luma = np.zeros((180, 320), np.uint8)
    stamp.draw(luma, 0x1234, 5, 6)
    bits = [int(luma[150 + row * 10 + 5, column * 10 + 5] > 128) for row in range(3) for column in range(32)]
    value = int("".join(map(str, bits)), 2).to_bytes(12, "big")
    assert value[:10] == bytes.fromhex("a7 1234 000005 00000006")
    assert luma[149, 0] == 0, "nothing above the stamp is touched"


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (320, 180), (160, 90), (1920, 1080), (854, 480)])
def test_scaled_and_converted_pictures_are_read(size: tuple[int, int]) -> None:
    frame = TestCard(1280, 720, 77).draw(1_234_567)
    scaled = frame.reformat(width=size[0], height=size[1], format="bgra")
    expected = stamp.Stamp(77, 0, 1_234_567)
    assert stamp.read(scaled) == expected
    plane = scaled.planes[0]
    assert stamp.read_bgra(memoryview(plane), size[0], size[1], plane.line_size) == expected


def test_vp8_at_the_lowest_rate_keeps_the_stamp() -> None:
    card, encoder, decoder = TestCard(320, 180, 9), Vp8Encoder(320, 180, 80_000, 30, False), VideoDecoder("VP8")
    read = sent = 0
    for index in range(60):
        encoded = encoder.encode(card.draw(index * 33.0), index * 3_000 + 1, False)
        if encoded is None:
            continue
        sent += 1
        picture = decoder.decode(encoded.data)
        read += stamp.read(picture) == stamp.Stamp(9, index, int(index * 33.0))
    encoder.close()
    assert sent > 20 and read == sent


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=64 * 36, max_size=64 * 36))
def test_noise_is_no_stamp(noise: bytes) -> None:
    assert stamp.read_luma(np.frombuffer(noise, np.uint8).reshape(36, 64)) is None


def test_age_wraps() -> None:
    assert stamp.Stamp(0, 0, 2**32 - 10).age_ms(2**32 + 20) == 30
    assert stamp.Stamp(0, 0, 50).age_ms(20) == -30


def test_tiny_pictures_are_left_alone() -> None:
    luma = np.zeros((20, 30), np.uint8)
    stamp.draw(luma, 1, 1, 1)
    assert not luma.any() and stamp.read_luma(luma) is None
    assert stamp.read(av.VideoFrame(16, 16, "yuv420p")) is None
