"""Recordings are read back with a reader that knows nothing of the recorder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media import stamp
from app.media.frames import FrameSlotImpl
from app.media.record import AUDIO_FRAME, RecordedPicture, Recorder, _Soundtrack, arrange, contained
from app.media.testcard import TestCard

ROOT = Path(__file__).parents[2]


def tone(hertz: float, seconds: float, level: float = 8_000) -> np.ndarray:
    moments = np.arange(int(48_000 * seconds)) / 48_000
    return (np.sin(2 * np.pi * hertz * moments) * level).astype(np.int16)


def read_back(path: Path) -> tuple[list[tuple[float, np.ndarray]], np.ndarray]:
    """Luma pictures with their times in seconds, and all samples."""
    pictures: list[tuple[float, np.ndarray]] = []
    sound: list[np.ndarray] = []
    with av.open(str(path)) as container:
        assert container.format.name.startswith("matroska")
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                height, width = frame.height, frame.width
                pictures.append((float(frame.time or 0), frame.to_ndarray()[:height, :width]))
            else:
                sound.append(frame.to_ndarray().reshape(-1))
    return pictures, np.concatenate(sound) if sound else np.zeros(0)


def strongest(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.fft.rfftfreq(len(samples), 1 / 48_000)[spectrum.argmax()])


def record(
    path: Path, seconds: float, pictures: list[tuple[TestCard, RecordedPicture]], size: tuple[int, int] = (640, 360)
) -> Recorder:
    recorder = Recorder(path, width=size[0], height=size[1], fps=15)
    recorder.set_pictures(tuple(picture for _, picture in pictures))
    began = time.monotonic()
    remote, local = tone(440, seconds), tone(1_000, seconds, 3_000)
    pause = threading.Event()
    for block in range(int(seconds * 100)):
        part = slice(block * 480, block * 480 + 480)
        at_ms = (began + block / 100) * 1000
        recorder.write_audio(remote[part], at_ms)
        recorder.write_audio(local[part], at_ms, "microphone")
        if block % 4 == 0:
            for card, picture in pictures:
                picture.slot.put(card.draw(), at_ms)
        pause.wait(max(0.0, began + block / 100 - time.monotonic()))
    return recorder


def test_sound_and_pictures_are_in_the_file(tmp_path: Path) -> None:
    pictures = [(TestCard(640, 360, 10 + index), RecordedPicture(f"p{index}", FrameSlotImpl())) for index in range(4)]
    recorder = record(tmp_path / "call.mkv", 1.6, pictures)
    assert recorder.close() == tmp_path / "call.mkv"
    assert recorder.close() == tmp_path / "call.mkv" and recorder.failure == ""
    seen, sound = read_back(recorder.path)
    assert len(seen) >= 12 and 1.2 <= seen[-1][0] <= 2.5
    last = seen[-1][1]
    for index, (left, top, width, height) in enumerate(arrange(4, 0, 640, 360)):
        left, top, width, height = contained(640, 360, (left, top, width, height))
        found = stamp.read_luma(last[top : top + height, left : left + width])
        assert found is not None and found.source == 10 + index and found.number >= 30
    assert 1.3 <= len(sound) / 48_000 <= 2.5
    assert abs(strongest(sound[12_000:60_000]) - 440) < 5
    spectrum = np.abs(np.fft.rfft(sound[12_000:60_000] * np.hanning(48_000)))
    assert spectrum[995:1_006].max() > 20 * np.median(spectrum), "the microphone is mixed in"


def test_a_screen_is_large_and_the_others_beside_it(tmp_path: Path) -> None:
    pictures = [
        (TestCard(640, 360, 1), RecordedPicture("camera", FrameSlotImpl())),
        (TestCard(640, 360, 2), RecordedPicture("screen", FrameSlotImpl(), is_screen=True)),
    ]
    recorder = record(tmp_path / "call.mkv", 0.8, pictures, (1280, 720))
    recorder.close()
    last = read_back(recorder.path)[0][-1][1]
    places = arrange(2, 1, 1280, 720)
    for place, source in zip(places, (2, 1), strict=True):
        left, top, width, height = contained(640, 360, place)
        found = stamp.read_luma(last[top : top + height, left : left + width])
        assert found is not None and found.source == source
    assert places[0][2] > 3 * places[1][2]


def test_a_muted_camera_leaves_and_a_still_screen_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.record.STALE_S", 0.2)
    for is_screen in (False, True):
        picture = RecordedPicture("p", FrameSlotImpl(), is_screen)
        picture.slot.put(TestCard(640, 360, 8).draw(), 0.0)
        recorder = record(tmp_path / f"{is_screen}.mkv", 0.9, [])
        recorder.set_pictures((picture,))
        threading.Event().wait(0.6)
        recorder.close()
        seen = [stamp.read_luma(luma) for _, luma in read_back(recorder.path)[0]]
        assert any(found is not None and found.source == 8 for found in seen)
        assert (seen[-1] is not None) == is_screen


def test_a_file_cut_off_by_a_crash_still_plays(tmp_path: Path) -> None:
    path = tmp_path / "crash.mkv"
    script = f"""
import os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.media.test_record import record, RecordedPicture, FrameSlotImpl, TestCard
recorder = record(Path({str(path)!r}), 2.6, [(TestCard(640, 360, 5), RecordedPicture("p", FrameSlotImpl()))])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", script], timeout=60, check=False).returncode == 9
    pictures, sound = read_back(path)
    assert pictures[-1][0] >= 1.0 and len(sound) >= 48_000


def test_a_file_is_finished_when_the_program_ends_without_closing(tmp_path: Path) -> None:
    path = tmp_path / "exit.mkv"
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.media.test_record import record, RecordedPicture, FrameSlotImpl, TestCard
record(Path({str(path)!r}), 0.6, [(TestCard(640, 360, 5), RecordedPicture("p", FrameSlotImpl()))])
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with av.open(str(path)) as container:
        assert container.duration is not None and container.duration > 400_000, "the file has its index and length"


def test_a_path_that_cannot_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Recorder(tmp_path / "missing" / "call.mkv")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_ends_the_recording_with_a_sentence() -> None:
    failed = threading.Event()
    words: list[str] = []

    def on_failed(sentence: str) -> None:
        words.append(sentence)
        failed.set()

    recorder = Recorder(Path("/dev/full"), width=320, height=180, on_failed=on_failed)
    assert failed.wait(10)
    recorder.close()
    assert words[0].startswith("The recording stopped")


def test_what_waits_for_the_disk_is_bounded(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "call.mkv", width=320, height=180)
    block = np.zeros(480, np.int16)
    for index in range(5_000):
        recorder.write_audio(block, index * 1e9)
    assert len(recorder._blocks) <= 1_000
    recorder.close()


@given(st.integers(0, 30), st.integers(0, 5), st.integers(200, 2_000), st.integers(200, 2_000))
def test_places_are_even_inside_and_apart(count: int, screens: int, width: int, height: int) -> None:
    width, height, screens = width & ~1, height & ~1, min(screens, count)
    places = arrange(count, screens, width, height)
    assert len(places) == count
    for index, (left, top, wide, high) in enumerate(places):
        assert left >= 0 and top >= 0 and left + wide <= width and top + high <= height and wide > 0 and high > 0
        inner = contained(640, 480, places[index])
        assert all(value % 2 == 0 for value in inner)
        assert inner[0] + inner[2] <= width and inner[1] + inner[3] <= height
        for other_left, other_top, other_wide, other_high in places[:index]:
            apart = left >= other_left + other_wide or other_left >= left + wide
            assert apart or top >= other_top + other_high or other_top >= top + high


def test_sound_of_two_sources_meets_at_its_time_and_gaps_are_silent() -> None:
    sound = _Soundtrack(1_000.0)
    sound.add("a", np.full(480, 100, np.int16), 1_000.0)
    sound.add("a", np.full(480, 100, np.int16), 1_010.7)
    sound.add("b", np.full(960, 30_000, np.int16), 1_040.0)
    sound.add("c", np.full(960, 30_000, np.int16), 1_040.0)
    frames = sound.take(1_061.0)
    assert [number for number, _ in frames] == [0, AUDIO_FRAME, 2 * AUDIO_FRAME]
    assert (frames[0][1] == 100).all(), "jitter of the clock makes no hole"
    assert not frames[1][1].any()
    assert (frames[2][1] == 32_767).all(), "clipped, not wrapped"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3_000), st.floats(-1e12, 1e12)), max_size=20))
def test_any_times_of_sound_are_survived(blocks: list[tuple[str, int, float]]) -> None:
    sound = _Soundtrack(0.0)
    for source, size, at_ms in blocks:
        sound.add(source, np.ones(size, np.int16), at_ms)
    assert len(sound.take(100.0)) == 5
