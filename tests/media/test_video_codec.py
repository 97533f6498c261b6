"""Payload formats and encoders."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.media import stamp
from app.media.testcard import TestCard
from app.media.video_codec import (
    MAX_PAYLOAD,
    DecodeError,
    PayloadError,
    VideoDecoder,
    depayload,
    make_encoder,
    packetize,
    packetize_h264,
    packetize_vp8,
    split_annex_b,
)
from app.media.video_vpx import library


@given(st.binary(min_size=1, max_size=6_000), st.integers(0, 70_000))
def test_vp8_payloads_come_back_together(data: bytes, picture_id: int) -> None:
    payloads = packetize_vp8(data, picture_id)
    parts = [depayload("VP8", payload) for payload in payloads]
    assert b"".join(part.data for part in parts) == data
    assert [part.opens for part in parts] == [True] + [False] * (len(parts) - 1)
    assert parts[0].keyframe == (not data[0] & 1)
    assert max(map(len, payloads)) <= MAX_PAYLOAD
    assert payloads[0][:2] == b"\x90\x80" and payloads[0][2] & 0x80, "start of partition 0, 15-bit picture id"


@pytest.mark.parametrize(
    ("descriptor", "opens"),
    [
        (b"\x10", True),
        (b"\x00", False),
        (b"\x11", False),
        (b"\x90\x80\x12", True),
        (b"\x90\x80\x92\x34", True),
        (b"\x90\xc0\x92\x34\x07", True),
        (b"\x90\xf0\x92\x34\x07\x20", True),
        (b"\x90\x20\x40", True),
        (b"\xb0\x10\x05", True),
    ],
)
def test_vp8_descriptor_forms(descriptor: bytes, opens: bool) -> None:
    part = depayload("VP8", descriptor + b"\x10rest")
    assert part.data == b"\x10rest" and part.opens is opens and part.keyframe is opens


nal_units = st.lists(
    st.tuples(st.sampled_from([0x67, 0x68, 0x65, 0x41, 0x06]), st.integers(1, 4_000), st.integers(0, 9)),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)
@given(nal_units)
def test_h264_units_come_back_together(described: list[tuple[int, int, int]]) -> None:
    units = [
        bytes((kind,)) + bytes(random.Random(seed).choices(range(1, 256), k=size)) for kind, size, seed in described
    ]
    payloads = packetize_h264(b"".join(b"\x00\x00\x00\x01" + unit for unit in units))
    parts = [depayload("H264", payload) for payload in payloads]
    assert list(split_annex_b(b"".join(part.data for part in parts))) == units
    assert max(map(len, payloads)) <= MAX_PAYLOAD
    assert any(part.keyframe for part in parts) == any(unit[0] & 0x1F in (5, 7) for unit in units)


@given(st.sampled_from(["VP8", "H264", "AV1"]), st.binary(max_size=60))
def test_arbitrary_payloads_raise_only_payload_error(codec: str, payload: bytes) -> None:
    try:
        part = depayload(codec, payload)
    except PayloadError:
        return
    assert len(part.data) <= len(payload) * 5


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["VP8", "H264"]), st.binary(max_size=300), st.booleans())
def test_decoders_survive_anything(codec: str, data: bytes, as_keyframe: bool) -> None:
    decoder = VideoDecoder(codec)
    prefix = b"\x10\x02\x00\x9d\x01\x2a\xff\x3f\xff\x3f" if as_keyframe else b""
    for _ in range(2):
        try:
            decoder.decode(prefix + data)
        except DecodeError:
            continue


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_bitrate_follows_without_a_keyframe(codec: str) -> None:
    noise = random.Random(5)
    card = TestCard(640, 360)
    encoder = make_encoder(codec, 640, 360, 900_000, 30.0, False)
    sizes: list[int] = []
    keyframes: list[int] = []
    grain = bytes(noise.randbytes(1 << 16)) * 4
    for index in range(300):
        if index == 120:
            encoder.set_bitrate(200_000)
        if index == 210:
            encoder.set_bitrate(700_000)
        frame = card.draw(index * 400.0)
        luma = memoryview(frame.planes[0])
        # Grain makes the picture expensive enough that the rate matters.
        start = noise.randrange(1 << 16)
        luma[: 640 * 90] = grain[start : start + 640 * 90]
        encoded = encoder.encode(frame, index * 3_000 + 1, False)
        sizes.append(len(encoded.data) if encoded else 0)
        if encoded is not None and encoded.keyframe:
            keyframes.append(index)
    encoder.close()
    before, low, after = (sum(sizes[start : start + 60]) * 8 / 2 for start in (60, 150, 240))
    assert keyframes == [0]
    assert low < before * 0.6 and after > low * 1.4, (before, low, after)
    assert before < 900_000 * 1.5 and low < 200_000 * 1.8, (before, low, after)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_a_forced_keyframe_can_be_decoded_alone(codec: str) -> None:
    card = TestCard(320, 180, 3)
    encoder = make_encoder(codec, 320, 180, 300_000, 30.0, False)
    encoded = [encoder.encode(card.draw(index), index * 3_000 + 1, index in (0, 7)) for index in range(9)]
    encoder.close()
    assert [bool(frame and frame.keyframe) for frame in encoded] == [index in (0, 7) for index in range(9)]
    decoder = VideoDecoder(codec)
    shown = [decoder.decode(frame.data) for frame in encoded[7:] if frame]
    assert [stamp.read(picture).number for picture in shown] == [7, 8]
    parts = [depayload(codec, payload) for payload in packetize(codec, encoded[7].data, 1)]
    assert parts[0].opens and parts[0].keyframe


def test_libvpx_is_driven_directly_here() -> None:
    assert library() is not None, "the installed libvpx was refused: bitrate changes would cost keyframes"
