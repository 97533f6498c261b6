"""Stand-ins for an engine and a session that record what is asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.calls import accounts as ac
from app.calls import actions as act
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.accounts import AccountPhase, Page
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
from app.calls.phone import Direction, PhoneChanged, PhoneInfo
from app.media import api as media
from app.media.errors import DeviceError
from app.vendors.base import (
    REFRESH_TOKEN,
    AccountHooks,
    ActionRefused,
    Address,
    CallRequest,
    JoinFailed,
    JoinRequest,
    SignInFailed,
    SignInRequest,
)
from app.vendors.registry import AccountVendor, Dialable, Registry, Vendor, recognise_number


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
        self.sounds: list[tuple[str, float, str | None]] = []
        self.playing: list[tuple[str, float, str | None]] = []
        """Sounds that go on now."""

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

    def play_sound(self, name: str, volume: float = 1.0, device_id: str | None = None) -> Callable[[], None]:
        playing = (name, volume, device_id)
        self.sounds.append(playing)
        self.playing.append(playing)
        return lambda: self.playing.remove(playing)

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


def fake_dialable(text: str, server: str) -> Dialable | None:
    number = recognise_number(text)
    return Dialable(number) if number is not None else None


def fake_registry() -> Registry:
    return Registry(
        (Vendor("fake", "Fake", fake_address, lambda: FakeSession),),
        (AccountVendor("phones", "Phones", fake_dialable, lambda: FakeAccountSession),),
    )


class FakePhoneSession:
    """A phone call. Rings until the test says otherwise with :meth:`answered` or :meth:`ended`; the targets ``busy``
    and ``nobody`` fail at once."""

    def __init__(self, emit: Callable[[Any], None], request: CallRequest | None, call_id: str = "") -> None:
        self.request = request
        self.call_id = request.call_id if request is not None else call_id
        self.emit = emit
        self.performed: list[Any] = []
        self.refusals: dict[str, ActionRefused] = {}
        self.closed = False
        self.transport: Any = FakeTransport()
        direction = Direction.OUTGOING if request is not None else Direction.INCOMING
        number = request.target if request is not None else "1042"
        self.phone = PhoneInfo(direction, remote_name="Amélie", remote_number=number)
        self.picked_up = asyncio.get_running_loop().create_future()

    def change(self, **fields: Any) -> None:
        self.phone = replace(self.phone, **fields)
        self.emit(PhoneChanged(self.phone))

    async def join(self) -> None:
        assert self.request is not None, "incoming calls are not joined"
        if self.request.target in ("busy", "nobody"):
            self.change(cause="busy" if self.request.target == "busy" else "not_found")
            failure = Failure("busy", "The line is busy.")
            self.emit(ev.PhaseChanged(CallPhase.FAILED, failure=failure))
            raise JoinFailed(failure)
        self.change(ringing=True)
        self.emit(ev.PhaseChanged(CallPhase.RINGING))
        await self.picked_up

    def answered(self) -> None:
        self.change(answered_at=1_000, ringing=False)
        self.emit(ev.Joined("me", self.phone.remote_number, 1_000))
        if not self.picked_up.done():
            self.picked_up.set_result(None)

    def ended(self, cause: str = "normal", **fields: Any) -> None:
        self.change(cause=cause, **fields)
        self.emit(ev.PhaseChanged(CallPhase.ENDED, cause))

    async def perform(self, action: Any) -> None:
        self.performed.append(action)
        await asyncio.sleep(0)
        if type(action).__name__ in self.refusals:
            raise self.refusals[type(action).__name__]
        if isinstance(action, ph.Answer):
            self.answered()
        elif isinstance(action, ph.SetHold):
            self.change(held=action.held)
        elif isinstance(action, ph.Decline):
            self.ended("declined")
        elif isinstance(action, ph.TransferTo):
            self.ended("normal")
        elif isinstance(action, act.SetCamera):
            self.emit(ev.LocalMediaChanged(camera_muted=action.muted))

    async def close(self) -> None:
        self.closed = True
        if not self.picked_up.done():
            self.picked_up.cancel()
        self.emit(ev.PhaseChanged(CallPhase.ENDED, "left"))


class FakeAccountSession:
    """An account. Signs in at once, unless the user is ``wrong``, ``offline``, ``revoked``, ``slow`` or ``bug``.

    A password or the refresh token ``token-<user>`` is accepted; the token is then kept.
    """

    made: list[FakeAccountSession] = []
    pages: dict[str, Any] = {}
    """Query class name to all items, or to a function of the query."""
    offline_times = 0

    def __init__(self, request: SignInRequest, engine: Any, hooks: AccountHooks) -> None:
        self.request = request
        self.engine = engine
        self.hooks = hooks
        self.log: list[str] = []
        self.performed: list[Any] = []
        self.queries: list[Any] = []
        self.calls: list[FakePhoneSession] = []
        FakeAccountSession.made.append(self)

    async def sign_in(self) -> None:
        user = self.request.user
        self.hooks.emit(ac.AccountPhaseChanged(AccountPhase.SIGNING_IN))
        await asyncio.sleep(0)
        if user == "bug":
            raise ZeroDivisionError("a mistake")
        if user == "slow":
            await asyncio.Event().wait()
        if user == "offline" and FakeAccountSession.offline_times > 0:
            FakeAccountSession.offline_times -= 1
            self._fail(Failure("dns", "The server name was not found."))
        if user == "revoked" and self.request.password is None:
            self._fail(Failure("token", "Sign in again.", retryable=False), AccountPhase.EXPIRED)
        if self.request.password is None and self.request.refresh_token != f"token-{user}" or user == "wrong":
            self._fail(Failure("password", "Wrong name or password.", retryable=False))
        self.hooks.keep_secret(REFRESH_TOKEN, f"token-{user}")
        line = ac.Line("l1", "Desk", "1000")
        services = frozenset({ac.Service.CALLS, ac.Service.DIRECTORY, ac.Service.CALL_LOG})
        self.hooks.emit(ac.ProfileChanged(f"u-{user}", user.title(), (line,), services))
        self.hooks.emit(ac.AccountPhaseChanged(AccountPhase.SIGNED_IN))
        self.hooks.emit(ac.RegistrationChanged(ac.Registration.REGISTERED))

    def _fail(self, failure: Failure, phase: AccountPhase = AccountPhase.FAILED) -> None:
        self.hooks.emit(ac.AccountPhaseChanged(phase, failure))
        raise SignInFailed(failure)

    async def sign_out(self, *, everywhere: bool = False) -> None:
        self.log.append(f"sign out{' everywhere' if everywhere else ''}")

    async def perform(self, action: Any) -> Any:
        self.performed.append(action)
        return "done"

    async def find(self, query: Any) -> Page:
        self.queries.append(query)
        await asyncio.sleep(0)
        items = self.pages.get(type(query).__name__, ())
        if callable(items):
            page: Page = items(query)
            return page
        return Page(tuple(items[query.offset : query.offset + query.limit]), len(items))

    def place_call(self, request: CallRequest, emit: Callable[[Any], None]) -> FakePhoneSession:
        self.calls.append(FakePhoneSession(emit, request))
        return self.calls[-1]

    def accept_session(self, session_key: str, call_id: str, emit: Callable[[Any], None]) -> FakePhoneSession:
        session = FakePhoneSession(emit, None, call_id)
        self.calls.append(session)
        session.change(ringing=True, auto_answered=session_key == "intercom")
        emit(ev.PhaseChanged(CallPhase.INCOMING))
        return session

    async def close(self) -> None:
        self.log.append("close")
        if self.request.user == "hangs":
            await asyncio.Event().wait()
