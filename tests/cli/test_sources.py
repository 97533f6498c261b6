from __future__ import annotations

import pytest

from app.cli import sources
from app.media.api import AudioInput, AudioOutput, Device, VideoInput

DEVICES = (
    Device("m1", "Built-in microphone", "audioinput"),
    Device("m2", "USB microphone", "audioinput"),
    Device("c1", "Front camera", "videoinput"),
)


def test_headless_sends_the_test_sources_and_plays_to_nowhere() -> None:
    found = sources.inputs(None, None, (), headless=True)
    assert (found.microphone, found.camera) == (AudioInput("test"), VideoInput("test"))
    assert found.speaker == AudioOutput("null")


def test_a_window_uses_the_settings_unless_told_otherwise() -> None:
    found = sources.inputs(None, "none", (), headless=False)
    assert found.camera is None and found.speaker is None and found.microphone == AudioInput("none")


def test_devices_by_id_label_or_part_of_it() -> None:
    assert sources.inputs("c1", "usb", DEVICES, headless=True).microphone == AudioInput("device", "m2")
    assert sources.inputs("Front camera", None, DEVICES, headless=True).camera == VideoInput("camera", "c1")


@pytest.mark.parametrize(
    ("video", "audio", "sentence"),
    [
        (None, "microphone", "Several microphones fit"),
        ("Back", None, "There is no camera “Back”"),
    ],
)
def test_unknown_devices_are_explained(video: str | None, audio: str | None, sentence: str) -> None:
    with pytest.raises(sources.UnknownDevice, match=sentence):
        sources.inputs(video, audio, DEVICES, headless=True)
    with pytest.raises(sources.UnknownDevice, match="This computer has no camera"):
        sources.inputs("Back", None, (), headless=True)
