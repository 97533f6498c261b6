"""Every sound exists, is heard, and is what the script makes."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from app.media.mixer import Mixer
from app.media.sounds import FOLDER, Sound, play, play_dtmf, read, samples
from app.media.tones import power_at


@pytest.mark.parametrize("sound", list(Sound))
def test_sound_is_heard_and_not_too_loud(sound: Sound) -> None:
    data = samples(sound)
    assert 4_800 < len(data) <= 48_000 * 6
    assert 1_500 < np.max(np.abs(data)) < 16_000
    assert abs(int(data[-1])) < 200


def test_files_are_those_of_the_script() -> None:
    script = runpy.run_path(str(FOLDER / "generate.py"))
    for name, notes in script["NOTES"].items():
        made, stored = script["render"](notes), read(FOLDER / f"{name}.wav")
        # Not bit-exact across machines' sine functions.
        assert np.max(np.abs(made.astype(int) - stored)) <= 1, name


def test_ringback_loops_until_stopped_and_a_blip_ends() -> None:
    mixer = Mixer()
    ringing = play(mixer, Sound.RINGBACK)
    heard = np.concatenate([mixer.pull(0.0) for _ in range(600)])
    assert power_at(heard[:48_000], 425) > 3_000
    assert not heard[60_000:200_000].any()
    assert power_at(heard[-48_000:], 425) > 3_000
    ringing.stop()
    mixer.pull(0.0)
    assert not mixer.pull(0.0).any()
    play(mixer, Sound.JOIN)
    blip = np.concatenate([mixer.pull(0.0) for _ in range(100)])
    assert blip[:4800].any() and not blip[24_000:].any()


def test_keys() -> None:
    mixer = Mixer()
    assert play_dtmf(mixer, "7") is not None
    assert play_dtmf(mixer, "x") is None
    heard = np.concatenate([mixer.pull(0.0) for _ in range(12)])
    assert power_at(heard, 852) > 1_500 and power_at(heard, 1209) > 1_500


def test_damaged_files_are_silence(tmp_path: Path) -> None:
    assert len(read(tmp_path / "missing.wav")) == 0
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFFxxxx")
    assert len(read(broken)) == 0
