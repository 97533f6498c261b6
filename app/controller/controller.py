"""The controller: every action of the person, mapped onto the session of the call.

Costs nothing while idle: no timers, and the media engine is made when something first needs it.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from app import logs
from app.calls import actions as act
from app.calls import events as ev
from app.calls.accounts import AccountAction, AccountEvent, AccountPhase, AccountState, Page, Query, Service
from app.calls.actions import Action
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState, Capability, SourceContent, frozen_map
from app.calls.reducer import FINAL_PHASES
from app.controller import avatars
from app.controller.accounts import Accounts, DirectLists, Lists
from app.controller.api import JoinOptions, RecentMeeting, Recognition, Unsubscribe, VendorInfo
from app.controller.call import Call, now_ms
from app.controller.call_engine import CallEngine
from app.controller.devices import DeviceKeeper, Hold, Inputs
from app.controller.phone import Phone
from app.controller.refusals import refused, refused_device
from app.controller.ringing import Ringer
from app.controller.signals import Signals
from app.controller.tasks import TaskScope
from app.media import api as media
from app.media.api import Device, EngineEvent, FrameSlot, MediaEngine
from app.media.errors import DeviceError, MediaError
from app.storage import settings
from app.storage.accounts import AccountStore
from app.storage.credentials import Credentials
from app.storage.history import History, MeetingRecord
from app.storage.settings_file import SettingsStore
from app.vendors.base import ActionRefused, Address, JoinRequest, Session
from app.vendors.registry import ACCOUNT, ROOM, AccountRef, Registry

log = logging.getLogger(__name__)

MAX_FINISHED = 20
"""Calls that are over and still known, so that they can be joined again and their summary shown."""
ENGINE_CLOSE_TIMEOUT_S = 5.0
"""The engine ends its thread in well under a second; more means that a driver hangs."""
PREVIEW = "preview"
_Listener = TypeVar("_Listener")
_SECRET_EXTRAS = frozenset({"jwt", "token", "password"})
"""Parts of an address that are good for one join and must not be kept."""

_DEVICE_SETTINGS = frozenset(
    {
        "devices.microphone",
        "devices.camera",
        "devices.speaker",
        "video.camera_size",
        "video.max_fps",
        "video.min_fps",
        "video.facing",
    }
)
_PROCESSING_SETTINGS = frozenset(
    {"audio.echo_cancellation", "audio.noise_suppression", "audio.gain_control", "audio.high_pass"}
)


def _make_engine() -> MediaEngine:
    return cast(MediaEngine, importlib.import_module("app.media.engine").Engine())


@dataclass(frozen=True, slots=True)
class Preset:
    """What the command line gave for the first meeting, used where the pre-join view says nothing else."""

    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


class Controller:
    """Implements :class:`app.controller.api.ControllerApi` and :class:`app.controller.api.AccountsApi`.

    Make it on the running signalling loop; close it there.
    """

    def __init__(
        self,
        store: SettingsStore,
        history: History,
        *,
        registry: Registry | None = None,
        engine_factory: Callable[[], MediaEngine] = _make_engine,
        inputs: Inputs | None = None,
        preset: Preset | None = None,
        accounts: AccountStore | None = None,
        credentials: Credentials | None = None,
        lists: Lists | None = None,
    ) -> None:
        self._store = store
        self._history = history
        self._registry = registry or Registry()
        self._engine_factory = engine_factory
        self._engine: MediaEngine | None = None
        self._engine_listeners: list[Callable[[EngineEvent], None]] = []
        self._reported: set[str] = set()
        self._calls: dict[str, Call] = {}
        self._listeners: list[Callable[[CallState, CallEvent], None]] = []
        self._tasks = TaskScope()
        self._keeper = DeviceKeeper(self.engine, store.get, self._device_failed, inputs)
        self._preset = preset or Preset()
        self._signals = Signals(lambda name: self.engine().play_sound(name), store.get)
        self._avatars = avatars.Avatars()
        self._before_close: list[Callable[[], Awaitable[None]]] = []
        self._after_close: list[Callable[[], Awaitable[None]]] = []
        self._closed = False
        self._account_store = accounts or AccountStore()
        self._accounts = Accounts(
            store=self._account_store,
            credentials=credentials or Credentials(),
            registry=self._registry,
            lists=lists or DirectLists(),
            tasks=self._tasks,
            engine=self._engine_for,
            on_incoming=lambda account_id, key: self._phone.incoming(account_id, key),
            options=self._account_options,
            trusted=self._trusted,
        )
        self._phone = Phone(
            calls=self._calls,
            add=self._add,
            listener=self._on_event,
            accounts=self._accounts,
            perform=self._perform,
            wish=self._wish,
            hold=self._hold,
            start=self._start,
            ringer=Ringer(lambda *tone: self.engine().play_sound(*tone), store.get),
            setting=store.get,
            options=self._vendor_options,
        )
        self._unsubscribe_store = store.subscribe(self._settings_changed)

    # ------------------------------------------------------------ finding and joining

    def recognise(self, text: str) -> Recognition:
        callers = tuple(
            AccountRef(one.account_id, one.vendor, one.server)
            for one in self._accounts.states()
            if one.phase is AccountPhase.SIGNED_IN and Service.CALLS in one.services
        )
        found = self._registry.recognise(text, self._store.get("general.default_server"), callers)
        return Recognition(found.address, found.hint)

    def recent(self) -> tuple[RecentMeeting, ...]:
        return tuple(_meeting(record) for record in self._history.recent())

    def remove_recent(self, url: str) -> None:
        self._history.remove(url)

    async def join(self, address: Address, options: JoinOptions) -> str:
        account_id = address.extra.get(ACCOUNT)
        if account_id is not None:
            room = bool(address.extra.get(ROOM))
            video = room and not options.camera_muted and not options.audio_only
            return await self._phone.dial(account_id, address.room, video=video, room=room)
        call = Call(uuid.uuid4().hex, address, options, self._on_event)
        self._add(call)
        silent = options.start_silent
        camera = not options.camera_muted and not options.audio_only
        self._keeper.hold(call.call_id, Hold(microphone=not silent, camera=camera, speaker=not silent))
        self._tasks.start(self._join(call), f"join {call.call_id}")
        return call.call_id

    def _add(self, call: Call) -> None:
        call.refusals = lambda: self._refusals(call)
        self._forget_old_calls()
        self._calls[call.call_id] = call

    def _hold(self, holder: str, wanted: Hold) -> None:
        if self._keeper.hold(holder, wanted):
            self._start(self._keeper.settle(), "devices")

    async def _join(self, call: Call) -> None:
        # The devices open while the server answers; neither waits for the other.
        self._tasks.start(self._keeper.settle(), "devices")
        self._tasks.start(self._phone.make_room(call), "hold the phone calls")
        await call.join(lambda: self._open_meeting(call))

    async def _open_meeting(self, call: Call) -> Session:
        factory = await self._registry.factory(call.address.vendor)
        return factory(self._request(call), self._engine_for(call.call_id), call.emit)

    def _engine_for(self, holder: str) -> MediaEngine:
        return CallEngine(self.engine, self._keeper, holder, self._store.get)

    def _request(self, call: Call) -> JoinRequest:
        options = call.options
        vendor_options = self._vendor_options()
        vendor_options["startSilent"] = options.start_silent
        vendor_options["audio_only"] = options.audio_only
        vendor_options["send_max_height"] = self._store.get("video.send_max_height") or None
        return JoinRequest(
            call_id=call.call_id,
            address=call.address,
            display_name=options.display_name,
            password=options.password or self._preset.password,
            token=options.token or self._preset.token or call.address.token,
            microphone_muted=options.microphone_muted or options.start_silent,
            camera_muted=options.camera_muted or options.audio_only,
            start_silent=options.start_silent,
            trusted_certificates=self._trusted(call.address.server),
            options=vendor_options,
        )

    def _vendor_options(self) -> dict[str, Any]:
        if not self._store.get("machine.uid"):
            # Servers tell a person who comes back from a new one by it.
            self._store.set("machine.uid", uuid.uuid4().hex)
        options: dict[str, Any] = settings.join_options(self._store.values())
        if options["channelLastN"] < 0:
            del options["channelLastN"]  # no limit of ours: the server's own holds
        return options

    def _account_options(self) -> dict[str, Any]:
        expiration_s = self._store.get("phone.sign_in_hours") * 3600
        return {
            **self._vendor_options(),
            **settings.log_options(self._store.values()),
            "tokenExpiration": expiration_s,
        }

    def _trusted(self, server: str) -> tuple[str, ...]:
        host = _host(server)
        pairs = (entry.split() for entry in self._store.get("network.trusted_certificates"))
        return tuple(pair[1] for pair in pairs if len(pair) == 2 and pair[0] in (host, server))

    async def retry(self, call_id: str) -> str:
        call = self._calls[call_id]
        if not call.is_over:
            await call.leave()
        if call.phone is not None:
            return await self._phone.again(call)
        return await self.join(call.address, call.options)

    def _forget_old_calls(self) -> None:
        finished = [call for call in self._calls.values() if call.finished.is_set()]
        for call in finished[: max(0, len(finished) - MAX_FINISHED)]:
            del self._calls[call.call_id]

    # ------------------------------------------------------------ acting

    async def perform(self, call_id: str, action: Action) -> None:
        call = self._calls.get(call_id)
        if call is None:
            raise refused("no_call")
        if isinstance(action, act.Leave):
            await call.leave(action.reason)
        elif isinstance(action, act.SendFeedback):
            self._history.rate(call.address.url, now_ms(), min(5, max(1, action.overall)), action.details[:2_000])
        elif call.is_over:
            raise refused("no_call")
        elif isinstance(action, act.MarkMessagesRead):
            call.emit(ev.MessagesRead())
        elif isinstance(action, act.SelectDevices):
            await self._select_devices(action)
        elif isinstance(action, act.SetParticipantVolume):
            call.volumes[action.participant_id] = min(2.0, max(0.0, action.volume))
            call.apply_volume(action.participant_id)
        else:
            self._check_allowed(call, action)
            if call.phone is None or not await self._phone.perform(call, action):
                await self._perform(call, action)

    def _refusals(self, call: Call) -> dict[str, Capability]:
        """What the settings forbid. Sharing that goes on can always be stopped."""
        if self._store.get("screen.allowed") or call.state.local.sharing_screen:
            return {}
        return {act.ShareScreen.__name__: Capability(False, refused("screen_not_allowed").failure.message)}

    def _check_allowed(self, call: Call, action: Action) -> None:
        """Refuse before the session is asked."""
        if call.session is None:
            raise refused("not_connected")
        if isinstance(action, act.ShareScreen) and action.source is not None and not self._store.get("screen.allowed"):
            raise refused("screen_not_allowed")
        capability = call.state.capabilities.get(type(action).__name__)
        if capability is None or capability.allowed:
            return
        raise refused("not_allowed" if capability.present else "absent", capability.reason)

    async def _perform(self, call: Call, action: Action) -> None:
        if call.session is None:
            raise refused("not_connected")
        try:
            await call.session.perform(action)
        except DeviceError as error:
            raise refused_device(error) from error
        except MediaError as error:
            raise refused("media", details=str(error)) from error
        except TimeoutError as error:
            raise refused("no_answer") from error

    async def _select_devices(self, action: act.SelectDevices) -> None:
        chosen = {"microphone": action.microphone, "speaker": action.speaker, "camera": action.camera}
        changes = {f"devices.{what}": device for what, device in chosen.items() if device is not None}
        self._keeper.try_again(*(what for what, device in chosen.items() if device is not None))
        self._store.update(changes)
        await self._keeper.settle()
        for what, device in chosen.items():
            error = self._keeper.error(what) if device is not None else None
            if error is not None:
                raise refused_device(error)

    # ------------------------------------------------------------ states

    def state(self, call_id: str) -> CallState:
        """Raises ``KeyError`` for a call that never was or was forgotten."""
        return self._calls[call_id].state

    def calls(self) -> tuple[str, ...]:
        return tuple(call_id for call_id, call in self._calls.items() if not call.is_over)

    def subscribe(self, listener: Callable[[CallState, CallEvent], None]) -> Unsubscribe:
        return _subscribe(self._listeners, listener)

    def _on_event(self, call: Call, state: CallState, event: CallEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(state, event)
            except Exception:
                # One view that fails must not take the call or the other views along.
                log.exception("a listener failed on %s", type(event).__name__)
        if not call.options.start_silent:
            self._signals.observe(state, event)
        self._phone.observe(call, state, event)
        self._follow(call, event)

    def _follow(self, call: Call, event: CallEvent) -> None:
        if isinstance(event, ev.Joined):
            self._remember(call)
            self._tasks.start(self._apply_choices(call), f"choices {call.call_id}")
        elif isinstance(event, ev.LocalMediaChanged):
            self._follow_local_media(call, event)
        elif isinstance(event, ev.PhaseChanged) and event.phase in FINAL_PHASES:
            self._remember(call)
            self._tasks.start(self._finish(call), f"finish {call.call_id}")

    def _follow_local_media(self, call: Call, event: ev.LocalMediaChanged) -> None:
        """The camera is open exactly while its picture is sent; the microphone stays, to notice talking while muted."""
        if event.camera_muted is None:
            return
        held = self._keeper.held(call.call_id)
        wanted = Hold(held.microphone, not event.camera_muted, held.speaker)
        if self._keeper.hold(call.call_id, wanted):
            self._tasks.start(self._keeper.settle(), "devices")

    async def _finish(self, call: Call) -> None:
        await call.leave()
        if self._keeper.hold(call.call_id, Hold()):
            await self._keeper.settle()

    async def _apply_choices(self, call: Call) -> None:
        """What the settings mean for a call that has just been joined."""
        wishes: list[Action] = []
        if self._store.get("video.receive_max_height") or self._store.get("video.receive_last_n") >= 0:
            wishes.append(self._receive_limit())
        for wish in wishes:
            await self._wish(call, wish)

    async def _wish(self, call: Call, action: Action) -> None:
        """Perform something that nobody asked for just now: a refusal is only logged."""
        if call.is_over:
            return
        try:
            self._check_allowed(call, action)
            await self._perform(call, action)
        except ActionRefused as error:
            log.info("%s was refused: %s", type(action).__name__, error.failure.code)

    def _receive_limit(self) -> act.SetReceiveLimit:
        last_n = self._store.get("video.receive_last_n")
        return act.SetReceiveLimit(
            max_height=self._store.get("video.receive_max_height") or None, last_n=None if last_n < 0 else last_n
        )

    def _send_limit(self) -> act.SetSendLimit:
        return act.SetSendLimit(self._store.get("video.send_max_height") or None)

    def _remember(self, call: Call) -> None:
        if call.phone is not None or call.state.joined_at is None or not self._store.get("general.keep_recent"):
            return
        address = call.address
        joined_at = call.started_at
        duration = now_ms() - joined_at if call.is_over else 0
        self._history.remember(
            MeetingRecord(
                address.url,
                address.vendor,
                address.text,
                address.server,
                address.room,
                address.title,
                joined_at,
                duration,
                frozen_map({key: value for key, value in address.extra.items() if key not in _SECRET_EXTRAS}),
            )
        )

    # ------------------------------------------------------------ accounts

    def vendors(self) -> tuple[VendorInfo, ...]:
        return self._accounts.vendors()

    def accounts(self) -> tuple[AccountState, ...]:
        return self._accounts.states()

    def account(self, account_id: str) -> AccountState:
        """Raises ``KeyError`` for an account that never was or was forgotten."""
        return self._accounts.state(account_id)

    def secrets_note(self) -> str:
        return self._accounts.secrets_note()

    async def sign_in(
        self, vendor: str, server: str, user: str, password: str, *, domain: str = "", stay_signed_in: bool = True
    ) -> str:
        stay = stay_signed_in and self._store.get("phone.keep_signed_in")
        return await self._accounts.sign_in(vendor, server, user, password, domain=domain, stay_signed_in=stay)

    async def resume_accounts(self) -> None:
        await self._accounts.resume_accounts()

    def start_resuming(self) -> None:
        """:meth:`resume_accounts` from plain code; the controller owns the task."""
        self._start(self._accounts.resume_accounts(), "resume accounts")

    async def sign_out(self, account_id: str, *, everywhere: bool = False, forget: bool = False) -> None:
        await self._phone.end_calls(account_id)
        await self._accounts.sign_out(account_id, everywhere=everywhere, forget=forget)

    def subscribe_accounts(self, listener: Callable[[AccountState, AccountEvent], None]) -> Unsubscribe:
        return self._accounts.subscribe(listener)

    async def account_perform(self, account_id: str, action: AccountAction) -> Any:
        return await self._accounts.perform(account_id, action)

    async def find(self, account_id: str, query: Query) -> Page:
        return await self._accounts.find(account_id, query)

    async def dial(self, account_id: str, target: str, *, video: bool = False, room: bool = False) -> str:
        return await self._phone.dial(account_id, target, video=video, room=room)

    # ------------------------------------------------------------ media

    def engine(self) -> MediaEngine:
        """The engine, made and started on first use."""
        if self._engine is None:
            engine = self._engine_factory()
            engine.start()
            engine.set_processing(self._keeper.processing())
            engine.subscribe(self._on_engine_event)
            self._engine = engine
        return self._engine

    async def warm_up(self) -> None:
        """Import what the first call will need, in a worker thread, so that joining and previews start at once."""
        for module in ("app.media.engine", "app.vendors.jitsi.client"):
            await asyncio.to_thread(importlib.import_module, module)

    def slot(self, call_id: str, source_name: str) -> FrameSlot | None:
        call = self._calls.get(call_id)
        transport = call.session.transport if call is not None and call.session is not None else None
        return transport.slot(source_name) if transport is not None else None

    async def avatar(self, call_id: str, participant_id: str) -> bytes | None:
        call = self._calls.get(call_id)
        person = call.state.participants.get(participant_id) if call is not None else None
        if call is None or person is None or not person.avatar_url:
            return None
        server = _host(call.address.server)
        if not avatars.allowed(person.avatar_url, server, self._store.get("privacy.no_third_party")):
            return None
        return await self._avatars.fetch(person.avatar_url, self._trusted(call.address.server))

    def preview(self, content: SourceContent) -> FrameSlot:
        return self.engine().preview(content)

    def devices(self) -> tuple[Device, ...]:
        return self.engine().devices()

    async def find_active_microphone(self) -> Device | None:
        return await self.engine().find_active_microphone()

    def subscribe_engine(self, listener: Callable[[EngineEvent], None]) -> Unsubscribe:
        return _subscribe(self._engine_listeners, listener)

    async def open_preview(self, *, camera: bool, microphone: bool) -> None:
        self._keeper.hold(PREVIEW, Hold(microphone=microphone, camera=camera, speaker=True))
        self._keeper.try_again()
        await self._keeper.settle()

    async def close_preview(self) -> None:
        if self._keeper.hold(PREVIEW, Hold()):
            await self._keeper.settle()

    async def play_test_sound(self) -> None:
        try:
            await self.engine().play_test_sound()
        except DeviceError as error:
            raise refused_device(error) from error

    async def start_recording(self, call_id: str, path: Any) -> None:
        """Record a call into a Matroska file; raises :class:`app.media.errors.MediaError` when that cannot be."""
        await self.engine().start_recording(path, call_id)

    async def stop_recording(self) -> Any:
        return await self.engine().stop_recording()

    def _on_engine_event(self, event: EngineEvent) -> None:
        if isinstance(event, media.InputFailed):
            self._reported.add(event.what)
            self._keeper.lost(event.what)
        elif isinstance(event, media.DevicesChanged):
            self._keeper.try_again()
            if self._keeper.any_held():
                self._start(self._keeper.settle(), "devices")
        for listener in tuple(self._engine_listeners):
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on %s", type(event).__name__)

    def _device_failed(self, error: DeviceError) -> None:
        """The engine raised; views learn it as an event, unless the engine has sent that itself."""
        if error.what in self._reported:
            self._reported.discard(error.what)
            return
        self._on_engine_event(media.InputFailed(error.what, error.code, error.device, str(error)))
        self._reported.discard(error.what)

    # ------------------------------------------------------------ settings

    def setting(self, key: str) -> Any:
        return self._store.get(key)

    def set_setting(self, key: str, value: Any) -> None:
        self._store.set(key, value)

    def subscribe_settings(self, listener: Callable[[Mapping[str, Any]], None]) -> Unsubscribe:
        return self._store.subscribe(listener)

    def problems(self) -> tuple[str, ...]:
        """Sentences about settings or history that could not be read; to be shown once."""
        return (*self._store.problems, *self._history.problems, *self._account_store.problems)

    def _settings_changed(self, changes: Mapping[str, Any]) -> None:
        keys = frozenset(changes)
        if "diagnostics.log_level" in keys:
            logs.set_level(changes["diagnostics.log_level"])
        if keys & _PROCESSING_SETTINGS and self._engine is not None:
            self._engine.set_processing(self._keeper.processing())
        if keys & _DEVICE_SETTINGS and self._keeper.any_held():
            self._keeper.try_again()
            self._start(self._keeper.settle(), "devices")
        if "screen.allowed" in keys:
            for call in self._calls.values():
                call.refresh_capabilities()
        wishes: list[Action] = []
        if keys & {"video.receive_max_height", "video.receive_last_n"}:
            wishes.append(self._receive_limit())
        if "video.send_max_height" in keys:
            wishes.append(self._send_limit())
        if "profile.display_name" in keys and changes["profile.display_name"]:
            wishes.append(act.SetDisplayName(changes["profile.display_name"]))
        for call in self._calls.values():
            if call.state.phase is CallPhase.JOINED:
                for wish in wishes:
                    self._start(self._wish(call, wish), "setting")

    # ------------------------------------------------------------ end

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._closed:
            work.close()
            return
        self._tasks.start(work, name)

    def before_close(self, work: Callable[[], Awaitable[None]]) -> None:
        """*work* runs when closing begins, with the calls still there; it must be bounded in time."""
        self._before_close.append(work)

    def after_close(self, work: Callable[[], Awaitable[None]]) -> None:
        """*work* runs when everything is closed, on the same loop; it must be bounded in time."""
        self._after_close.append(work)

    async def close(self) -> None:
        """Idempotent. Bounded by the time to leave plus the time to close the engine."""
        if self._closed:
            return
        self._closed = True
        for work in self._before_close:
            await work()
        self._unsubscribe_store()
        await asyncio.gather(*(call.leave() for call in self._calls.values()))
        await self._accounts.close()
        await self._avatars.close()
        self._preset = Preset()
        await self._tasks.close()
        if self._engine is not None:
            try:
                await asyncio.wait_for(self._engine.close(), ENGINE_CLOSE_TIMEOUT_S)
            except TimeoutError:
                log.warning("the media engine did not close in time")
        await asyncio.to_thread(self._history.close)
        for work in self._after_close:
            await work()


def _host(server: str) -> str:
    return server.split("//")[-1].split("/")[0].split(":")[0]


def _subscribe(listeners: list[_Listener], listener: _Listener) -> Unsubscribe:
    listeners.append(listener)

    def unsubscribe() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return unsubscribe


def _meeting(record: MeetingRecord) -> RecentMeeting:
    address = Address(record.vendor, record.text, record.url, record.server, record.room, record.title, record.extra)
    return RecentMeeting(address, record.title, record.joined_at, record.duration_ms)
