"""Who needs which device, and the one place that opens and closes them.

Preview and calls *hold* devices; a device is open while somebody holds it. Handing over from the preview to a call is
therefore nothing but a new holder before the old one lets go: the device stays open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.media.api import AudioInput, AudioOutput, AudioProcessing, MediaEngine, VideoInput
from app.media.errors import DeviceError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """What one holder needs."""

    microphone: bool = False
    camera: bool = False
    speaker: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """Sources that replace the chosen devices for this run (``--video test``). ``None``: use the settings.

    ``none_found`` replaces a camera or microphone only when this computer has none.
    """

    microphone: AudioInput | None = None
    camera: VideoInput | None = None
    speaker: AudioOutput | None = None
    camera_if_none: VideoInput | None = None
    microphone_if_none: AudioInput | None = None


class DeviceKeeper:
    """Opens what is held with the devices that the settings name; one change at a time, the newest wish wins."""

    def __init__(
        self,
        engine: Callable[[], MediaEngine],
        setting: Callable[[str], Any],
        on_failure: Callable[[DeviceError], None],
        inputs: Inputs | None = None,
    ) -> None:
        self._engine = engine
        self._setting = setting
        self._on_failure = on_failure
        self._inputs = inputs or Inputs()
        self._holds: dict[str, Hold] = {}
        self._microphone: AudioInput | None = None
        self._camera: VideoInput | None = None
        self._speaker: AudioOutput | None = None
        self._errors: dict[str, DeviceError] = {}
        self._refused: dict[str, AudioInput | VideoInput | AudioOutput] = {}
        self._lock = asyncio.Lock()

    def held(self, holder: str) -> Hold:
        return self._holds.get(holder, Hold())

    def any_held(self) -> bool:
        return bool(self._holds)

    def hold(self, holder: str, wanted: Hold) -> bool:
        """Note what *holder* needs now; true when that is new. :meth:`settle` then makes it so."""
        if self.held(holder) == wanted:
            return False
        if wanted == Hold():
            self._holds.pop(holder, None)
        else:
            self._holds[holder] = wanted
        return True

    def error(self, what: str) -> DeviceError | None:
        """Why ``microphone``, ``camera`` or ``speaker`` is not open although it is held."""
        return self._errors.get(what)

    def try_again(self, *whats: str) -> None:
        """Forget earlier failures (all without *whats*): the next :meth:`settle` tries those devices anew."""
        for what in whats or tuple(self._refused):
            self._refused.pop(what, None)

    def lost(self, what: str) -> None:
        """The engine closed a device on its own; opening it again is not a repetition."""
        if what == "microphone":
            self._microphone = None
        elif what == "camera":
            self._camera = None

    async def settle(self) -> None:
        """Bring the engine in line with what is held. Device errors go to ``on_failure`` and :meth:`error`."""
        async with self._lock:
            await self._settle_speaker()
            await self._settle_microphone()
            await self._settle_camera()

    def processing(self) -> AudioProcessing:
        return AudioProcessing(
            echo_cancellation=self._setting("audio.echo_cancellation"),
            noise_suppression=self._setting("audio.noise_suppression"),
            gain_control=self._setting("audio.gain_control"),
            high_pass=self._setting("audio.high_pass"),
        )

    # ------------------------------------------------------------ wishes

    def _wants(self, what: str) -> bool:
        return any(getattr(hold, what) for hold in self._holds.values())

    def _missing(self, kind: str) -> bool:
        return not any(device.kind == kind for device in self._engine().devices())

    def _wanted_microphone(self) -> AudioInput | None:
        if not self._wants("microphone"):
            return None
        if self._inputs.microphone is not None:
            return self._inputs.microphone
        if self._inputs.microphone_if_none is not None and self._missing("audioinput"):
            return self._inputs.microphone_if_none
        return AudioInput("device", self._setting("devices.microphone"))

    def _wanted_camera(self) -> VideoInput | None:
        if not self._wants("camera"):
            return None
        if self._inputs.camera is not None:
            return self._inputs.camera
        width, height = (int(part) for part in self._setting("video.camera_size").split("x"))
        fps = self._setting("video.max_fps")
        if self._inputs.camera_if_none is not None and self._missing("videoinput"):
            return self._inputs.camera_if_none
        camera = self._setting("devices.camera") or self._facing_camera()
        return VideoInput("camera", camera, width, height, fps, min_fps=min(fps, self._setting("video.min_fps")))

    def _facing_camera(self) -> str:
        """The first camera that faces as the person prefers; empty, the system's default, when there is none."""
        facing = self._setting("video.facing")
        cameras = (device for device in self._engine().devices() if device.kind == "videoinput")
        return next((device.id for device in cameras if facing and device.facing == facing), "")

    def _wanted_speaker(self) -> AudioOutput | None:
        if not self._wants("speaker"):
            return None
        return self._inputs.speaker or AudioOutput("device", self._setting("devices.speaker"))

    # ------------------------------------------------------------ engine

    async def _settle_microphone(self) -> None:
        wanted = self._wanted_microphone()
        if wanted == self._microphone or self._gave_up("microphone", wanted):
            return
        # "none" is a choice of the person, not a device: nothing is opened and nothing is missing.
        source = None if wanted is not None and wanted.kind == "none" else wanted
        try:
            if source is not None:
                self._engine().set_processing(self.processing())
            await self._engine().set_microphone(source)
        except DeviceError as error:
            self._failed("microphone", wanted, error)
            self._microphone = None
            return
        self._microphone = wanted
        self._errors.pop("microphone", None)

    async def _settle_camera(self) -> None:
        wanted = self._wanted_camera()
        if wanted == self._camera or self._gave_up("camera", wanted):
            return
        source = None if wanted is not None and wanted.kind == "none" else wanted
        try:
            await self._engine().set_camera(source)
        except DeviceError as error:
            self._failed("camera", wanted, error)
            self._camera = None
            return
        self._camera = wanted
        self._errors.pop("camera", None)

    async def _settle_speaker(self) -> None:
        wanted = self._wanted_speaker()
        if wanted is None or wanted == self._speaker or self._gave_up("speaker", wanted):
            return
        try:
            await self._engine().set_speaker(wanted)
        except DeviceError as error:
            self._failed("speaker", wanted, error)
            return
        self._speaker = wanted
        self._errors.pop("speaker", None)

    def _gave_up(self, what: str, wanted: AudioInput | VideoInput | AudioOutput | None) -> bool:
        """Whether exactly this failed before: one toast is enough until the person or the hardware does something."""
        return wanted is not None and self._refused.get(what) == wanted

    def _failed(self, what: str, wanted: AudioInput | VideoInput | AudioOutput | None, error: DeviceError) -> None:
        log.warning("%s could not be opened: %s", what, error.code, exc_info=error)
        if wanted is not None:
            self._refused[what] = wanted
        self._errors[what] = error
        self._on_failure(error)
