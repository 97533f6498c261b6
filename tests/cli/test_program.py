"""The program as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.window import crash_sentences, has_display
from app.crash import CrashHandler

ROOT = Path(__file__).resolve().parents[2]


def parley(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_doctor_looks_at_everything(own_home: Path) -> None:
    result = parley("doctor")
    assert result.returncode in (0, 3), result.stderr
    for what in ("Qt", "Codecs", "Microphone", "Camera", "Password store", "UDP on loopback", "Settings"):
        assert what in result.stdout
    assert str(own_home) in result.stdout
    assert "→" in result.stdout  # this machine lacks something, and the doctor says what to do


@pytest.mark.parametrize("text", ["not a link at all://", "sip:anna@example.org", "javascript:alert(1)"])
def test_what_is_no_meeting_is_bad_usage(text: str) -> None:
    result = parley("join", text, "--headless")
    assert result.returncode == 2
    assert result.stderr.startswith("parley: ") and result.stderr.count("\n") == 1
    assert "Traceback" not in result.stderr


def test_a_device_that_is_not_there_is_bad_usage() -> None:
    result = parley("join", "room", "--headless", "--video", "No such camera 4711")
    assert result.returncode == 2 and "camera" in result.stderr


def test_displays() -> None:
    assert not has_display({}, "linux")
    assert has_display({"DISPLAY": ":0"}, "linux")
    assert has_display({"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert has_display({"QT_QPA_PLATFORM": "offscreen"}, "linux")
    assert has_display({}, "darwin")


def test_a_crash_is_told_of_once(tmp_path: Path) -> None:
    crashes = CrashHandler(tmp_path)
    assert crash_sentences(crashes) == ()
    path = crashes.write("Unhandled RuntimeError", "details")
    (sentence,) = crash_sentences(crashes)
    assert str(path) in sentence
    assert crash_sentences(crashes) == () and crashes.pending() == (path,)
