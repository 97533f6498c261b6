"""The engine as one call's session sees it: a session says *that* it needs a camera, the settings say *which*.

Inputs are shared by preview and calls; if each opened them itself, one would close what another uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.calls.model import SourceContent
from app.controller.devices import DeviceKeeper, Hold
from app.media import api as media
from app.media.api import (
    AudioInput,
    AudioOutput,
    AudioProcessing,
    Device,
    EngineEvent,
    FrameSlot,
    MediaEngine,
    MediaEvent,
    Transport,
    TransportConfig,
    VideoInput,
)

HINT_SETTINGS = {
    "talking_while_muted": "hints.talk_while_muted",
    "no_signal": "hints.no_signal",
    "signal_back": "hints.no_signal",
    "noisy": "hints.noisy",
}


class CallEngine:
    """:class:`app.media.api.MediaEngine` for one session; devices go through the keeper, the rest goes through."""

    def __init__(
        self, engine: Callable[[], MediaEngine], keeper: DeviceKeeper, call_id: str, setting: Callable[[str], Any]
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._call_id = call_id
        self._setting = setting
        self._asked: set[str] = set()

    # ------------------------------------------------------------ devices

    async def set_microphone(self, source: AudioInput | None) -> None:
        await self._hold("microphone", source is not None)

    async def set_camera(self, source: VideoInput | None) -> None:
        await self._hold("camera", source is not None)

    async def set_speaker(self, output: AudioOutput) -> None:
        await self._hold("speaker", True)

    async def set_screen(self, source: VideoInput | None) -> None:
        if source is not None and source.optimise_for == "text":
            source = replace(source, fps=min(source.fps, self._setting("screen.max_fps")))
        await self._engine().set_screen(source)

    async def _hold(self, what: str, wanted: bool) -> None:
        """Raises :class:`app.media.errors.DeviceError` when the device is wanted and cannot be opened."""
        held = self._keeper.held(self._call_id)
        self._keeper.hold(self._call_id, replace(held, **{what: wanted}))
        if wanted and what in self._asked:
            # The first wish of a call repeats what joining has just tried; later ones are the person's.
            self._keeper.try_again(what)
        self._asked.add(what)
        await self._keeper.settle()
        error = self._keeper.error(what)
        if wanted and error is not None:
            self._keeper.hold(self._call_id, replace(self._keeper.held(self._call_id), **{what: False}))
            raise error

    # ------------------------------------------------------------ passed through

    def start(self) -> None:
        self._engine().start()

    async def close(self) -> None:
        """The engine outlives the call; only the call's holds end."""
        if self._keeper.hold(self._call_id, Hold()):
            await self._keeper.settle()

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> Callable[[], None]:
        def wanted(event: EngineEvent) -> None:
            if isinstance(event, media.MicrophoneHint) and not self._setting(
                HINT_SETTINGS.get(event.code, "hints.noisy")
            ):
                return
            listener(event)

        return self._engine().subscribe(wanted)

    async def open_transport(self, config: TransportConfig, on_event: Callable[[MediaEvent], None]) -> Transport:
        return await self._engine().open_transport(config, on_event)

    def devices(self) -> tuple[Device, ...]:
        return self._engine().devices()

    async def find_active_microphone(self) -> Device | None:
        return await self._engine().find_active_microphone()

    def set_processing(self, processing: AudioProcessing) -> None:
        self._engine().set_processing(processing)

    def preview(self, content: SourceContent) -> FrameSlot:
        return self._engine().preview(content)

    async def play_test_sound(self) -> None:
        await self._engine().play_test_sound()

    def play_sound(self, name: str, volume: float = 1.0, device_id: str | None = None) -> Callable[[], None]:
        return self._engine().play_sound(name, volume, device_id)

    def add_tap(self, tap: Callable[[Any, float], None]) -> Callable[[], None]:
        return self._engine().add_tap(tap)

    async def start_recording(self, path: Path, call_id: str) -> None:
        await self._engine().start_recording(path, call_id)

    async def stop_recording(self) -> Path | None:
        return await self._engine().stop_recording()
