"""The slot keeps the newest picture and works only for those who look."""

from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app.media import stamp
from app.media.api import Picture
from app.media.frames import FrameSlotImpl, Strand, rotated, shown_size
from app.media.testcard import TestCard

WAIT_S = 5.0


@pytest.fixture
def card() -> TestCard:
    return TestCard(640, 360, 5)


def read(picture: Picture | None) -> int:
    assert picture is not None
    found = stamp.read_bgra(picture.data, picture.width, picture.height, picture.stride)
    assert found is not None
    return found.number


class Watcher:
    def __init__(self, slot: FrameSlotImpl) -> None:
        self.event = threading.Event()
        self.detach = slot.attach(self.event.set)

    def wait(self) -> None:
        assert self.event.wait(WAIT_S), "no picture"
        self.event.clear()


def test_the_newest_picture_is_taken(card: TestCard) -> None:
    slot = FrameSlotImpl()
    assert slot.take() is None
    watcher = Watcher(slot)
    slot.put(card.draw(), 10.0)
    watcher.wait()
    picture = slot.take()
    assert picture is not None and (picture.width, picture.height, picture.timestamp_ms) == (640, 360, 10.0)
    assert read(picture) == 0 and picture.sequence == 1 and picture.stride >= 640 * 4
    slot.put(card.draw(), 20.0)
    watcher.wait()
    newer = slot.take()
    assert newer is not None and read(newer) == 1 and newer.sequence == 2
    assert read(picture) == 0, "an older picture stays valid while somebody holds it"


def test_nothing_is_converted_while_nobody_looks(card: TestCard) -> None:
    with ThreadPoolExecutor(1) as pool:
        slot = FrameSlotImpl(pool)
        slot.put(card.draw(), 1.0)
        pool.submit(lambda: None).result(WAIT_S)
        assert slot.take() is None
        watcher = Watcher(slot)
        watcher.wait()
        assert read(slot.take()) == 0, "who comes later sees the last picture"
        slot.wants(0, 0)
        slot.put(card.draw(), 2.0)
        pool.submit(lambda: None).result(WAIT_S)
        assert read(slot.take()) == 0
        slot.wants(640, 360)
        watcher.wait()
        assert read(slot.take()) == 1
        watcher.detach()
        slot.put(card.draw(), 3.0)
        pool.submit(lambda: None).result(WAIT_S)
        assert read(slot.take()) == 1


def test_a_slow_converter_skips_to_the_newest(card: TestCard) -> None:
    with ThreadPoolExecutor(1) as pool:
        slot = FrameSlotImpl(pool)
        release = threading.Event()
        pool.submit(release.wait, WAIT_S)
        watcher = Watcher(slot)
        for index in range(20):
            slot.put(card.draw(), float(index))
        release.set()
        watcher.wait()
        picture = slot.take()
        assert read(picture) == 19 and picture is not None and picture.sequence == 1


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, (1280, 720)),
        ((0, 0), (1280, 720)),
        ((1280, 720), (1280, 720)),
        ((641, 361), (1280, 720)),
        ((640, 360), (640, 360)),
        ((200, 120), (214, 120)),
        ((424, 239), (425, 239)),
        ((320, 500), (1280, 720)),
        ((1, 1), (2, 1)),
    ],
)
def test_large_pictures_are_made_as_small_as_the_tile_they_cover(
    wanted: tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    width, height = shown_size(1280, 720, wanted)
    if wanted != (1, 1):
        assert (width, height) == expected
    assert width >= 1 and height >= 1


def test_a_small_tile_gets_a_small_picture(card: TestCard) -> None:
    slot = FrameSlotImpl()
    slot.wants(160, 90)
    watcher = Watcher(slot)
    slot.put(card.draw(), 1.0)
    watcher.wait()
    picture = slot.take()
    assert picture is not None and (picture.width, picture.height) == (160, 90) and read(picture) == 0


def test_raw_frames_for_recorder_and_renderer(card: TestCard) -> None:
    slot = FrameSlotImpl()
    assert slot.raw() is None
    got: list[tuple[object, float]] = []
    detach = slot.attach_raw(lambda frame, ms: got.append((frame, ms)))
    frame = card.draw()
    slot.put(frame, 7.0)
    assert got == [(frame, 7.0)] and slot.raw() == (frame, 7.0, 1)
    detach()
    slot.put(card.draw(), 8.0)
    assert len(got) == 1


def test_clear_takes_the_picture_away(card: TestCard) -> None:
    slot = FrameSlotImpl()
    watcher = Watcher(slot)
    slot.put(card.draw(), 7.0)
    watcher.wait()
    slot.clear()
    watcher.wait()
    assert slot.take() is None and slot.raw() is None


def test_many_producers_and_readers_end_with_the_last_picture(card: TestCard) -> None:
    slot = FrameSlotImpl()
    watcher = Watcher(slot)
    frames = [card.draw() for _ in range(60)]
    threads = [
        threading.Thread(target=lambda part=part: [slot.put(frame, 0.0) for frame in part])  # type: ignore[misc]
        for part in (frames[:20], frames[20:40], frames[40:])
    ]
    for thread in threads:
        thread.start()
    for _ in range(200):
        picture = slot.take()
        if picture is not None:
            read(picture)
    for thread in threads:
        thread.join(WAIT_S)
    slot.put(card.draw(), 1.0)
    for _ in range(80):
        watcher.wait()
        if read(slot.take()) == 60:
            break
    assert read(slot.take()) == 60


def test_pictures_are_freed() -> None:
    slot = FrameSlotImpl()
    card = TestCard(64, 36)
    watcher = Watcher(slot)
    alive: list[weakref.ref[object]] = []
    for index in range(10):
        slot.put(card.draw(), float(index))
        watcher.wait()
        picture = slot.take()
        assert picture is not None
        alive.append(weakref.ref(picture.data))
        del picture
    gc.collect()
    assert sum(reference() is not None for reference in alive) <= 2


def test_a_strand_keeps_order_and_never_runs_twice_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        strand = Strand(pool)
        out: list[int] = []
        running = threading.Semaphore(1)
        done = threading.Event()

        def job(number: int) -> None:
            assert running.acquire(blocking=False)
            out.append(number)
            running.release()
            if number == 199:
                done.set()

        for number in range(200):
            strand.post(lambda number=number: job(number))  # type: ignore[misc]
        assert done.wait(WAIT_S)
        assert out == list(range(200))
        strand.close()
        strand.post(lambda: out.append(-1))
        assert out[-1] == 199


def test_a_broken_job_does_not_stop_the_strand(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as pool:
        strand = Strand(pool)
        done = threading.Event()
        strand.post(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        strand.post(done.set)
        assert done.wait(WAIT_S)
    assert "media worker job failed" in caplog.text


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("size", [(64, 36), (200, 100), (66, 50)])
def test_pictures_of_phones_are_turned(degrees: int, size: tuple[int, int]) -> None:
    frame = TestCard(*size, 3).draw(5_000)
    turned = rotated(frame, degrees)
    expected_size = size if degrees == 180 else (size[1], size[0])
    assert (turned.width, turned.height) == expected_size
    rgb, turned_rgb = frame.to_ndarray(format="rgb24").astype(int), turned.to_ndarray(format="rgb24").astype(int)
    assert abs(np.rot90(rgb, -degrees // 90) - turned_rgb).mean() < 12
    back = rotated(turned, 360 - degrees)
    assert (back.to_ndarray() == frame.to_ndarray()).all()


@pytest.mark.parametrize("degrees", [0, 45, -90, 360])
def test_other_angles_leave_the_picture_alone(degrees: int) -> None:
    frame = TestCard(64, 36).draw()
    assert rotated(frame, degrees) is frame
