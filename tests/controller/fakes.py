"""Stand-ins for an engine and a session that record what is asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.calls import actions as act
from app.calls import events as ev
from app.calls.model import (
    Asked,
    CallPhase,
    Capability,
    Failure,
    MediaKind,
    Participant,
    Source,
    SourceContent,
    frozen_map,
)
from app.media import api as media
from app.media.errors import DeviceError
from app.vendors.base import Address, JoinFailed, JoinRequest
from app.vendors.registry import Registry, Vendor


class FakeSlot:
    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def take(self) -> None:
        return None

    def wants(self, max_width: int, max_height: int) -> None:
        pass


class FakeEngine:
    """``log`` lists the calls; ``errors`` maps microphone, camera, speaker to the error that opening raises."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Any]] = []
        self.errors: dict[str, DeviceError] = {}
        self.listeners: list[Callable[[media.EngineEvent], None]] = []
        self.found = (
            media.Device("mic1", "Microphone one", "audioinput", True),
            media.Device("cam1", "Camera one", "videoinput", True),
        )
        self.closed = False

    def start(self) -> None:
        self.log.append(("start", None))

    async def close(self) -> None:
        self.closed = True

    def subscribe(self, listener: Callable[[media.EngineEvent], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def report(self, event: media.EngineEvent) -> None:
        for listener in tuple(self.listeners):
            listener(event)

    def devices(self) -> tuple[media.Device, ...]:
        return self.found

    async def _open(self, what: str, source: Any) -> None:
        await asyncio.sleep(0)
        if source is not None and what in self.errors:
            error = self.errors[what]
            # The real engine reports and raises.
            self.report(media.InputFailed(what, error.code, error.device, str(error)))
            raise error
        self.log.append((what, source))

    async def set_microphone(self, source: media.AudioInput | None) -> None:
        await self._open("microphone", source)

    async def set_camera(self, source: media.VideoInput | None) -> None:
        await self._open("camera", source)

    async def set_screen(self, source: media.VideoInput | None) -> None:
        await self._open("screen", source)

    async def set_speaker(self, output: media.AudioOutput) -> None:
        await self._open("speaker", output)

    def set_processing(self, processing: media.AudioProcessing) -> None:
        self.log.append(("processing", processing))

    def preview(self, content: SourceContent) -> FakeSlot:
        return FakeSlot()

    async def play_test_sound(self) -> None:
        self.log.append(("test sound", None))

    def play_sound(self, name: str, volume: float = 1.0) -> Callable[[], None]:
        return lambda: None

    async def start_recording(self, path: Path, call_id: str) -> None:
        self.log.append(("record", path))

    async def stop_recording(self) -> Path | None:
        return None

    async def open_transport(self, config: Any, on_event: Any) -> Any:
        raise NotImplementedError

    def opened(self, what: str) -> list[Any]:
        return [source for name, source in self.log if name == what]


class FakeTransport:
    def __init__(self) -> None:
        self.volumes: list[tuple[str, float]] = []

    def set_volume(self, source_name: str, volume: float) -> None:
        self.volumes.append((source_name, volume))

    def slot(self, source_name: str) -> FakeSlot:
        return FakeSlot()


class FakeSession:
    """Joins at once, unless told otherwise by the room's name: ``locked``, ``dead``, ``slow``, ``bug``."""

    made: list[FakeSession] = []
    joining = asyncio.Event()
    """Set once a session that never answers has begun to join."""

    def __init__(self, request: JoinRequest, engine: Any, emit: Callable[[Any], None]) -> None:
        self.request = request
        self.emit = emit
        self.engine = engine
        self.hints: list[str] = []
        self.unsubscribe = engine.subscribe(self.on_engine_event)
        self.performed: list[Any] = []
        self.closed = False
        self.transport: Any = FakeTransport()
        self.password = asyncio.get_running_loop().create_future()
        FakeSession.made.append(self)

    def on_engine_event(self, event: Any) -> None:
        if isinstance(event, media.MicrophoneHint):
            self.hints.append(event.code)

    async def open_inputs(self) -> None:
        """As real sessions do: open what is not muted; what fails is muted."""
        if not self.request.microphone_muted:
            try:
                await self.engine.set_microphone(media.AudioInput())
            except DeviceError:
                self.emit(ev.LocalMediaChanged(microphone_muted=True, microphone_available=False))
        if not self.request.camera_muted:
            try:
                await self.engine.set_camera(media.VideoInput())
            except DeviceError:
                self.emit(ev.LocalMediaChanged(camera_muted=True, camera_available=False))

    async def join(self) -> None:
        room = self.request.address.room
        if room == "dead":
            failure = Failure("dns", "The server name was not found.")
            self.emit(ev.PhaseChanged(CallPhase.FAILED, failure=failure))
            raise JoinFailed(failure)
        if room == "bug":
            raise ZeroDivisionError("a mistake")
        if room == "slow":
            FakeSession.joining.set()
            await asyncio.Event().wait()
        if room == "locked":
            self.emit(ev.InputAsked(Asked.ROOM_PASSWORD))
            await self.password
        self.emit(ev.ParticipantJoined(Participant("me", self.request.display_name, is_local=True)))
        self.emit(ev.ParticipantJoined(Participant("anna", "Anna")))
        self.emit(
            ev.LocalMediaChanged(microphone_muted=self.request.microphone_muted, camera_muted=self.request.camera_muted)
        )
        self.emit(
            ev.CapabilitiesChanged(
                frozen_map(
                    {
                        "RaiseHand": Capability(True),
                        "Kick": Capability(False, "Only moderators can remove people."),
                        "Lock": Capability(False, present=False),
                    }
                )
            )
        )
        self.emit(ev.Joined("me", room, 1_000))
        await self.open_inputs()
        self.emit(ev.SourceAdded(Source("anna-a0", "anna", MediaKind.AUDIO, SourceContent.MICROPHONE, muted=False)))

    async def perform(self, action: Any) -> None:
        self.performed.append(action)
        if isinstance(action, act.SubmitPassword):
            self.password.set_result(None)
        elif isinstance(action, act.ShareScreen):
            await self.engine.set_screen(media.VideoInput("screen", action.source or "", optimise_for="text"))
        elif isinstance(action, act.SetCamera):
            await self.engine.set_camera(None if action.muted else media.VideoInput())
            self.emit(ev.LocalMediaChanged(camera_muted=action.muted))
        elif isinstance(action, act.SetMicrophone):
            self.emit(ev.LocalMediaChanged(microphone_muted=action.muted))

    async def close(self) -> None:
        self.closed = True
        self.unsubscribe()
        if self.request.address.room == "hangs":
            await asyncio.Event().wait()
        self.emit(ev.PhaseChanged(CallPhase.ENDED, "left"))


def fake_address(text: str, default_server: str) -> Address | None:
    if " " in text:
        return None
    return Address("fake", text, f"{default_server}/{text}", default_server, text, text)


def fake_registry() -> Registry:
    return Registry((Vendor("fake", "Fake", fake_address, lambda: FakeSession),))
