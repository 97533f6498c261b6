"""What ``--video`` and ``--audio`` name: a device, the test source, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from app.controller.devices import Inputs
from app.media.api import AudioInput, AudioOutput, Device, VideoInput

TEST = "test"
NONE = "none"


class UnknownDevice(ValueError):
    """No device has that name; the text is the sentence for the person."""


def needs_devices(video: str | None, audio: str | None) -> bool:
    """Whether the list of devices must be read to make sense of the options."""
    return any(source not in (None, TEST, NONE) for source in (video, audio))


def inputs(video: str | None, audio: str | None, devices: Sequence[Device], *, headless: bool) -> Inputs:
    """Replacements for the chosen devices. Raises :class:`UnknownDevice`."""
    if headless:
        video, audio = video or TEST, audio or TEST
    return Inputs(
        microphone=_audio(audio, devices),
        camera=_video(video, devices),
        speaker=AudioOutput("null") if headless else None,
    )


def _audio(source: str | None, devices: Sequence[Device]) -> AudioInput | None:
    if source is None:
        return None
    if source in (TEST, NONE):
        return AudioInput(source)
    return AudioInput("device", find(source, "audioinput", devices).id)


def _video(source: str | None, devices: Sequence[Device]) -> VideoInput | None:
    if source is None:
        return None
    if source in (TEST, NONE):
        return VideoInput(source)
    return VideoInput("camera", find(source, "videoinput", devices).id)


def find(name: str, kind: str, devices: Sequence[Device]) -> Device:
    """The device whose id or label is *name*; else the only one whose label contains it, whatever the case."""
    fitting = [device for device in devices if device.kind == kind]
    for device in fitting:
        if name in (device.id, device.label):
            return device
    similar = [device for device in fitting if name.casefold() in device.label.casefold()]
    if len(similar) == 1:
        return similar[0]
    what = "microphone" if kind == "audioinput" else "camera"
    if len(similar) > 1:
        names = ", ".join(f"“{device.label}”" for device in similar)
        raise UnknownDevice(f"Several {what}s fit “{name}”: {names}.")
    if not fitting:
        raise UnknownDevice(f"This computer has no {what}; use “test” or “none”.")
    names = ", ".join(f"“{device.label}”" for device in fitting)
    raise UnknownDevice(f"There is no {what} “{name}”. There is: {names}, or “test” or “none”.")
