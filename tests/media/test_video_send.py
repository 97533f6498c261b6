"""What is sent follows bitrate, bounds, mute and keyframe requests."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.model import SourceContent
from app.media.testcard import TestCard
from app.media.video_codec import depayload
from app.media.video_send import HEIGHTS, VideoSender, choose_fps, choose_height, max_bitrate, scaled_size
from tests.media.video_harness import VP8, Line, Pair

CAMERA, SCREEN = SourceContent.CAMERA, SourceContent.SCREEN


@pytest.mark.parametrize(
    ("source", "bound", "bitrate", "current", "expected"),
    [
        (720, None, 1_500_000, None, 720),
        (720, None, 500_000, None, 540),
        (720, None, 500_000, 720, 720),
        (720, None, 470_000, 720, 540),
        (720, None, 300_000, None, 360),
        (720, None, 100_000, None, 180),
        (720, 360, 5_000_000, None, 360),
        (720, 180, 5_000_000, 720, 180),
        (720, 100, 5_000_000, None, 100),
        (720, 0, 5_000_000, None, 0),
        (1080, None, 3_000_000, None, 1080),
        (1080, 720, 3_000_000, None, 720),
        (480, None, 3_000_000, None, 480),
        (360, 720, 3_000_000, None, 360),
        (120, None, 3_000_000, None, 120),
        (720, 2160, 3_000_000, None, 720),
    ],
)
def test_camera_heights(source: int, bound: int | None, bitrate: int, current: int | None, expected: int) -> None:
    assert choose_height(CAMERA, source, bound, bitrate, current) == expected


@given(
    st.integers(16, 4_000),
    st.one_of(st.none(), st.integers(-5, 4_000)),
    st.floats(0, 1e8),
    st.one_of(st.none(), st.integers(16, 4_000)),
)
def test_heights_never_exceed_source_or_bound(
    source: int, bound: int | None, bitrate: float, current: int | None
) -> None:
    for content in (CAMERA, SCREEN):
        height = choose_height(content, source, bound, bitrate, current)
        assert 0 <= height <= source and (bound is None or height <= max(0, bound))
        assert (height == 0) == (bound is not None and bound <= 0)


def test_a_screen_keeps_its_pixels_and_gives_up_frames() -> None:
    assert choose_height(SCREEN, 1440, None, 100_000, None) == 1440
    assert choose_height(SCREEN, 1440, 720, 2_500_000, None) == 720
    assert choose_fps(SCREEN, "text", 2_500_000) == 15
    assert choose_fps(SCREEN, "text", 480_000) == 8
    assert choose_fps(SCREEN, "text", 10_000) == 5
    assert choose_fps(SCREEN, "motion", 100_000) == 30
    assert choose_fps(CAMERA, "text", 100_000) == 30


def test_bitrate_table() -> None:
    assert [max_bitrate(CAMERA, height) for height in (180, 360, 720, 1080, 2160)] == [
        200_000,
        500_000,
        1_500_000,
        3_000_000,
        3_000_000,
    ]
    assert max_bitrate(SCREEN, 360) == 2_500_000
    assert set(HEIGHTS) >= {180, 360, 720}


def test_sizes_are_even_and_keep_the_shape() -> None:
    assert scaled_size(1280, 720, 360) == (640, 360)
    assert scaled_size(1281, 721, 9_000) == (1280, 720)
    assert scaled_size(854, 480, 180) == (320, 180)
    assert scaled_size(3, 2_000, 180) == (2, 180)


async def test_resolution_follows_what_the_far_side_asks() -> None:
    pair = Pair(Line(), size=(1280, 720))
    pair.sender.set_target_bitrate(1_500_000)
    await pair.run(8)
    await pair.run_until_shown(7)
    pair.sender.set_max_height(360)
    await pair.run(8)
    await pair.run_until_shown(15)
    pair.sender.set_max_height(180)
    await pair.run(8)
    await pair.run_until_shown(23)
    assert list(dict.fromkeys(pair.sizes)) == [(1280, 720), (640, 360), (320, 180)]
    sent = len(pair.line.sent)
    pair.sender.set_max_height(0)
    await pair.run(5)
    assert len(pair.line.sent) - sent <= 1, "paused"
    pair.sender.set_max_height(None)
    await pair.run(8)
    await pair.run_until_shown(34)
    assert pair.sizes[-1] == (1280, 720)
    pair.close()


async def test_a_smaller_bitrate_makes_no_keyframe_until_the_size_changes() -> None:
    pair = Pair(Line(), size=(640, 360))
    pair.sender.set_target_bitrate(500_000)
    await pair.run(15)
    for bitrate in (450_000, 300_000, 380_000, 200_000):
        pair.sender.set_target_bitrate(bitrate)
        await pair.run(5)
    await pair.run_until_shown(34)
    assert pair.sender.stats().keyframes == 1 and set(pair.sizes) == {(640, 360)}
    pair.sender.set_target_bitrate(60_000)
    await pair.run(10)
    await pair.run_until_shown(40)
    assert pair.sender.stats().keyframes == 2 and pair.sizes[-1] == (320, 180)
    pair.close()


async def test_muted_sends_nothing_and_resumes_with_a_keyframe() -> None:
    pair = Pair(Line())
    await pair.run(5)
    await pair.run_until_shown(4)
    pair.sender.set_muted(True)
    sent = len(pair.line.sent)
    await pair.run(10)
    pair.sender.request_keyframe()
    await asyncio.sleep(0.1)
    assert len(pair.line.sent) == sent
    pair.sender.set_muted(False)
    number = pair.push()
    await pair.until_shown(number)
    assert depayload("VP8", pair.line.sent[sent].payload).keyframe
    pair.close()


async def test_a_storm_of_keyframe_requests_costs_few_keyframes() -> None:
    pair = Pair(Line())
    await pair.run(5)
    for _ in range(20):
        pair.sender.request_keyframe()
        await pair.run(1)
    await pair.run_until_shown(22)
    stats = pair.sender.stats()
    assert 2 <= stats.keyframes <= 5 and stats.plis == 20
    pair.close()


async def test_a_still_screen_serves_a_new_viewer_within_a_second() -> None:
    pair = Pair(Line(), content=SCREEN, optimise_for="text")
    pair.push()
    await pair.until_shown(0)
    # A viewer who comes later has no picture to build upon.
    pair.receiver.set_receiving(False)
    pair.receiver.set_receiving(True)
    pair.stamps.clear()
    began = pair.loop.time()
    await pair.until_shown(0)
    assert pair.loop.time() - began < 1.0
    pair.close()


async def test_a_still_screen_repairs_its_last_picture_by_itself() -> None:
    line = Line()
    pair = Pair(line, content=SCREEN)
    line.drop = lambda packet: True
    pair.push()
    async with asyncio.timeout(5):
        await line.something_sent.wait()
    line.drop = lambda packet: False
    assert (await pair.until_shown(0)).number == 0
    pair.close()


async def test_a_still_screen_is_sent_when_it_is_unmuted() -> None:
    pair = Pair(Line(), content=SCREEN)
    pair.sender.set_muted(True)
    pair.push()
    pair.sender.set_muted(False)
    assert (await pair.until_shown(0)).number == 0
    # The camera of before muting is gone: it is not shown when the camera comes back.
    pair.sender.set_muted(True)
    sent = len(pair.line.sent)
    pair.sender.set_muted(False)
    pair.sender.request_keyframe()
    await asyncio.sleep(0.2)
    assert len(pair.line.sent) == sent
    pair.close()


async def test_the_last_change_of_a_screen_is_not_lost_to_the_frame_rate() -> None:
    pair = Pair(Line(), content=SCREEN, optimise_for="text")
    pair.sender.set_target_bitrate(100_000)
    pair.push()
    await pair.until_shown(0)
    began = pair.loop.time()
    for _ in range(3):
        pair.push()
    await pair.run_until_shown(3)
    assert pair.loop.time() - began < 0.6, "sooner than the repetition of a still screen"
    pair.close()


async def test_text_gets_few_frames_and_motion_all() -> None:
    counts = {}
    for optimise_for in ("text", "motion"):
        pair = Pair(Line(), content=SCREEN, optimise_for=optimise_for)
        pair.sender.set_target_bitrate(600_000)
        await pair.run(30)
        await pair.until_shown(20)
        counts[optimise_for] = pair.sender.stats().frames
        pair.close()
    assert 8 <= counts["text"] <= 13 and counts["motion"] >= 22, counts


async def test_a_slow_encoder_takes_the_newest_picture() -> None:
    with ThreadPoolExecutor(1) as pool:
        line = Line()
        sender = VideoSender(1, VP8, line, CAMERA, pool=pool)
        release = threading.Event()
        pool.submit(release.wait, 5)
        card = TestCard(320, 180)
        loop = asyncio.get_running_loop()
        for index in range(10):
            sender.push(card.draw(), loop.time() * 1000 + index * 33)
        release.set()
        await loop.run_in_executor(pool, lambda: None)
        await asyncio.sleep(0)
        stats = sender.stats()
        assert (stats.frames, stats.skipped) == (1, 9)
        sender.close()


async def test_packets_are_well_formed() -> None:
    pair = Pair(Line(), size=(640, 360))
    await pair.run(6)
    await pair.run_until_shown(5)
    sent = pair.line.sent
    assert {packet.ssrc for packet in sent} == {4711} and {packet.payload_type for packet in sent} == {100}
    numbers = [packet.sequence_number for packet in sent]
    assert numbers == [(numbers[0] + index) % 65_536 for index in range(len(numbers))]
    stamps = [packet.timestamp for packet in sent if packet.marker]
    steps = [(after - before) % 2**32 for before, after in zip(stamps, stamps[1:], strict=False)]
    assert all(0 < step < 90_000 for step in steps)
    pair.close()
