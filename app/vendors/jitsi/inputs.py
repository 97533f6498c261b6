"""Our devices during a meeting: opened when first needed, released when the camera is muted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.calls import actions as ac
from app.calls import events as ev
from app.media.api import AudioInput, AudioOutput, MediaEngine, VideoInput
from app.media.errors import DeviceError
from app.vendors.base import ActionRefused, JoinRequest
from app.vendors.jitsi.errors import device_failure, failure


class LocalInputs:
    """Opens and closes the engine's inputs for one session. Raises ``ActionRefused`` when a device does not work."""

    def __init__(self, request: JoinRequest, engine: MediaEngine, emit: Callable[[ev.CallEvent], None]) -> None:
        self._engine = engine
        self._emit = emit
        self._options = request.options
        self._microphone_id = str(request.options.get("microphone", ""))
        self._camera_id = str(request.options.get("camera", ""))
        self.microphone_open = False
        self.camera_open = False
        self.screen_open = False

    def _audio_input(self) -> AudioInput | None:
        kind = self._options.get("audio")
        if kind == "test":
            return AudioInput("test", tone_hz=float(self._options.get("tone_hz", 440.0)))
        if kind == "none":
            return None
        return AudioInput("device", self._microphone_id or (str(kind) if kind else ""))

    def _video_input(self) -> VideoInput | None:
        kind = self._options.get("video")
        width, height = self._size()
        fps = int(self._options.get("fps", 30))
        if kind == "test":
            return VideoInput("test", width=width, height=height, fps=fps)
        if kind == "none":
            return None
        device = self._camera_id or (str(kind) if kind else "")
        return VideoInput("camera", device, width=width, height=height, fps=fps)

    def _size(self) -> tuple[int, int]:
        height = int(self._options.get("resolution", 720))
        return height * 16 // 9, height

    async def open_microphone(self) -> None:
        if not self.microphone_open:
            source = self._audio_input()
            if source is None:
                raise ActionRefused(failure("device_not_found", "microphone: none"))
            await self._guard(self._engine.set_microphone(source))
            self.microphone_open = True
            self._emit(ev.LocalMediaChanged(microphone_available=True))

    async def open_camera(self) -> None:
        if not self.camera_open:
            source = self._video_input()
            if source is None:
                raise ActionRefused(failure("device_not_found", "camera: none"))
            await self._guard(self._engine.set_camera(source))
            self.camera_open = True
            self._emit(ev.LocalMediaChanged(camera_available=True))

    async def close_camera(self) -> None:
        if self.camera_open:
            self.camera_open = False
            await self._engine.set_camera(None)

    async def close_microphone(self) -> None:
        if self.microphone_open:
            self.microphone_open = False
            await self._engine.set_microphone(None)

    async def open_screen(self, source: str, optimise_for: str) -> None:
        kind, _, device = source.partition(":")
        if source == "test":
            picked = VideoInput("test", optimise_for=optimise_for)
        elif kind == "camera":
            picked = VideoInput("camera", device, optimise_for=optimise_for)
        else:
            picked = VideoInput("screen", source, width=1920, height=1080, optimise_for=optimise_for)
        await self._guard(self._engine.set_screen(picked))
        self.screen_open = True

    async def close_screen(self) -> None:
        if self.screen_open:
            self.screen_open = False
            await self._engine.set_screen(None)

    async def select(self, action: ac.SelectDevices) -> None:
        """Changes devices in use at once; others when they are opened."""
        if action.microphone is not None:
            self._microphone_id = action.microphone
            if self.microphone_open:
                await self._guard(self._engine.set_microphone(AudioInput("device", action.microphone)))
        if action.camera is not None:
            self._camera_id = action.camera
            if self.camera_open:
                width, height = self._size()
                picked = VideoInput("camera", action.camera, width=width, height=height)
                await self._guard(self._engine.set_camera(picked))
        if action.speaker is not None:
            await self._guard(self._engine.set_speaker(AudioOutput("device", action.speaker)))

    async def _guard(self, opening: Any) -> None:
        try:
            await opening
        except DeviceError as error:
            self.device_failed(error.what, error.code, str(error))
            raise ActionRefused(device_failure(error.what, error.code, str(error))) from error

    def device_failed(self, what: str, code: str, details: str) -> None:
        """Tells the window which device does not work and why."""
        problem = device_failure(what, code, details)
        if what == "microphone":
            self.microphone_open = False
            self._emit(ev.LocalMediaChanged(microphone_available=False))
        elif what == "camera":
            self.camera_open = False
            self._emit(ev.LocalMediaChanged(camera_available=False))
        elif what == "screen":
            self.screen_open = False
        self._emit(ev.Notice(problem.code, problem.message, "info" if code == "cancelled" else "error"))

    async def close(self) -> None:
        await self.close_screen()
        await self.close_camera()
        await self.close_microphone()
