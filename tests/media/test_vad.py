"""Scores of speech in runs of samples, the pace of pictures, what names of devices tell."""

from __future__ import annotations

import numpy as np
import pytest

from app.media.camera_qt import facing_of
from app.media.devices_qt import group_of
from app.media.vad import RUN_SIZES, LevelVad, VadEmitter, nearest_run
from app.media.video_capture import Pace

TONE = (np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000) * 8000).astype(np.int16)


@pytest.mark.parametrize(("asked", "run"), [(1, 256), (300, 256), (700, 512), (2000, 1024), (99_999, 16_384)])
def test_other_runs_become_the_nearest(asked: int, run: int) -> None:
    assert nearest_run(asked) == run
    assert all(nearest_run(size) == size for size in RUN_SIZES)


@pytest.mark.parametrize("run", [256, 1024, 4096])
def test_one_score_for_each_run_whatever_the_blocks(run: int) -> None:
    scores: list[float] = []
    emitter = VadEmitter(LevelVad(), scores.append, run)
    for start in range(0, 48_000, 317):
        emitter.push(TONE[start : start + 317])
    # A frame of 480 samples is the finest there is.
    assert len(scores) == pytest.approx(48_000 / max(run, 480), abs=1)


def test_speech_scores_high_and_silence_low() -> None:
    scores: list[float] = []
    emitter = VadEmitter(LevelVad(), scores.append)
    emitter.push(np.zeros(48_000, np.int16))
    assert scores and max(scores) < 0.1
    scores.clear()
    emitter.push(TONE)
    assert min(scores[1:]) >= 0.5


def test_processor_of_another_rate_is_refused() -> None:
    class Other(LevelVad):
        frequency = 16_000

    with pytest.raises(ValueError, match="16000"):
        VadEmitter(Other(), lambda score: None)


@pytest.mark.parametrize(("given", "wanted", "expected"), [(30, 30, 30), (30, 20, 20), (30, 10, 10), (25, 60, 25)])
def test_pace(given: int, wanted: int, expected: int) -> None:
    pace = Pace(wanted)
    taken = sum(pace.take(1000 * number / given + number % 3) for number in range(given * 4))
    assert taken == pytest.approx(4 * expected, rel=0.05)


def test_names_tell_side_and_equipment() -> None:
    assert [facing_of(name) for name in ("Front Camera", "Tablet rear", "C920")] == ["user", "environment", ""]
    both = {group_of("alsa_input.usb-Maker_Model-00.mono"), group_of("alsa_output.usb-Maker_Model-00.stereo")}
    assert both == {"usb-Maker_Model-00"}
    assert group_of("alsa_output.pci-0000_00_1f.3.analog-stereo") == "" == group_of("")
