"""Microphone, camera and screen of an account's calls: open while any call needs them."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from app.calls import actions as ac
from app.media.api import AudioInput, AudioOutput, MediaEngine, VideoInput
from app.media.errors import DeviceError
from app.vendors.base import ActionRefused
from app.vendors.wazo.errors import ERRORS, failure

DEFAULT_HEIGHT = 720


class Inputs:
    """Raises :class:`ActionRefused` when a device does not work."""

    def __init__(self, engine: MediaEngine) -> None:
        self._engine = engine
        self._users: dict[str, set[str]] = {"microphone": set(), "camera": set(), "screen": set()}
        self._microphone_id = ""
        self._camera_id = ""

    async def microphone(self, call_id: str, options: Mapping[str, Any]) -> None:
        if not self._users["microphone"]:
            kind = options.get("audio")
            if kind == "test":
                source: AudioInput | None = AudioInput("test", tone_hz=float(options.get("tone_hz", 440.0)))
            elif kind == "none":
                return
            else:
                source = AudioInput("device", self._microphone_id or str(options.get("microphone", "")))
            await self._guard(self._engine.set_microphone(source))
        self._users["microphone"].add(call_id)

    async def camera(self, call_id: str, options: Mapping[str, Any]) -> None:
        if not self._users["camera"]:
            height = int(options.get("resolution", DEFAULT_HEIGHT))
            width, fps = height * 16 // 9, int(options.get("fps", 30))
            kind = options.get("video")
            if kind == "none":
                raise ActionRefused(failure("device_not_found", "camera: none"))
            if kind == "test":
                source = VideoInput("test", width=width, height=height, fps=fps)
            else:
                device = self._camera_id or str(options.get("camera", ""))
                source = VideoInput("camera", device, width=width, height=height, fps=fps)
            await self._guard(self._engine.set_camera(source))
        self._users["camera"].add(call_id)

    async def screen(self, call_id: str, action: ac.ShareScreen) -> None:
        text = action.source or ""
        kind, _, device = text.partition(":")
        if text == "test":
            source = VideoInput("test", optimise_for=action.optimise_for)
        elif kind == "camera":
            source = VideoInput("camera", device, optimise_for=action.optimise_for)
        else:
            source = VideoInput("screen", text, width=1920, height=1080, optimise_for=action.optimise_for)
        await self._guard(self._engine.set_screen(source))
        self._users["screen"].add(call_id)

    async def release(self, call_id: str, *what: str) -> None:
        """Close what no other call needs; without names everything of *call_id*."""
        for name in what or tuple(self._users):
            users = self._users[name]
            if call_id not in users:
                continue
            users.discard(call_id)
            if users:
                continue
            if name == "microphone":
                await self._engine.set_microphone(None)
            elif name == "camera":
                await self._engine.set_camera(None)
            else:
                await self._engine.set_screen(None)

    def uses(self, call_id: str, what: str) -> bool:
        return call_id in self._users.get(what, ())

    async def select(self, action: ac.SelectDevices, options: Mapping[str, Any]) -> None:
        """Devices in use change at once, others when they are opened."""
        if action.microphone is not None:
            self._microphone_id = action.microphone
            if self._users["microphone"]:
                await self._guard(self._engine.set_microphone(AudioInput("device", action.microphone)))
        if action.camera is not None:
            self._camera_id = action.camera
            if self._users["camera"]:
                height = int(options.get("resolution", DEFAULT_HEIGHT))
                source = VideoInput("camera", action.camera, width=height * 16 // 9, height=height)
                await self._guard(self._engine.set_camera(source))
        if action.speaker is not None:
            await self._guard(self._engine.set_speaker(AudioOutput("device", action.speaker)))

    @staticmethod
    async def _guard(opening: Awaitable[None]) -> None:
        try:
            await opening
        except DeviceError as error:
            code = f"device_{error.code}" if f"device_{error.code}" in ERRORS else "device_general"
            raise ActionRefused(failure(code, f"{error.what}: {error}")) from error
