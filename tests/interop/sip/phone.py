"""Parley's own phone against a plain registrar: registration, calls and media of the product, without REST services.

What a person would see or hear is read from the call's events, the loudspeaker and the picture slots.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any, Self

import numpy as np

from app.calls import events as ev
from app.calls import phone as ph
from app.calls.accounts import Registration
from app.calls.actions import Action
from app.calls.model import CallPhase, Failure, MediaKind
from app.media import stamp
from app.media.api import VideoInput
from app.media.audio_receive import AudioReceiver
from app.media.call_media import EngineParts
from app.media.engine import Engine
from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.sip import events as sip
from app.protocols.sip.user_agent import Config
from app.vendors.base import CallRequest
from app.vendors.wazo.calls import Calls
from app.vendors.wazo.inputs import Inputs
from app.vendors.wazo.phone import WazoCallSession
from app.vendors.wazo.phone_link import PhoneLink
from tests.media.test_engine_loop import Ear, Eye
from tests.media.transport_tools import eventually

WAIT_S = 20.0
"""Everything here takes well under a second on a machine that is not loaded."""
REGISTER_S = 10.0


class NoServices:
    """There is a registrar and nothing else."""

    async def call(self, request: Any) -> Any:
        raise NetworkFailure("closed")

    ask = call


class ListeningParts(EngineParts):
    """The engine's own, with an ear for telephone events."""

    def __init__(self, mixer: Any, on_key: Callable[[str, float], None]) -> None:
        super().__init__(mixer)
        self._on_key = on_key

    def audio_receiver(self, source: Any, codecs: Any, on_started: Callable[[], None]) -> AudioReceiver:
        return AudioReceiver(source, codecs, self._mixer, on_started, on_dtmf=self._on_key)


class NamedCards(Inputs):
    """The test card says whose it is."""

    def __init__(self, engine: Engine, name: str) -> None:
        super().__init__(engine)
        self._camera_id = name

    async def camera(self, call_id: str, options: Mapping[str, Any]) -> None:
        if not self._users["camera"]:
            source = VideoInput("test", self._camera_id, width=640, height=360, fps=15)
            await self._engine.set_camera(source)
        self._users["camera"].add(call_id)


class Phone:
    """What :class:`app.vendors.wazo.calls.Calls` needs of an account, kept by a plain registrar."""

    def __init__(
        self,
        url: str,
        name: str,
        password: str,
        *,
        domain: str,
        tone_hz: float = 440.0,
        addresses: tuple[str, ...] | None = ("127.0.0.1",),
        obliging: bool = False,
        config: dict[str, Any] | None = None,
    ) -> None:
        """*obliging*: does what a REFER asks, as a desk phone does."""
        self.name, self.sip_domain, self.tone_hz, self.obliging = name, domain, tone_hz, obliging
        self.account_id, self.display_name = name, name.capitalize()
        self.engine = Engine(bind_addresses=addresses)
        self.keys: list[str] = []
        """Telephone events (RFC 4733) as the receivers of sound decode them."""
        self.engine._parts = ListeningParts(self.engine._inputs.mixer, lambda key, ms: self.keys.append(key))
        self.ear = Ear(self.engine)
        self.options = {"audio": "test", "tone_hz": tone_hz, "video": "test"}
        self.inputs = NamedCards(self.engine, name)
        self.client = NoServices()
        self.line = SimpleNamespace(username=name, video=True, rooms=True)
        self.calls = Calls(self)  # type: ignore[arg-type]
        self.http = HttpClient()
        self.states: list[tuple[Registration, Failure | None]] = []
        self.connections: list[bool] = []
        self.rung: list[str] = []
        self.sip: list[sip.Event] = []
        self._count = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self.changed = asyncio.Event()
        settings = {"transport": "WS", "numeric_host": True, "enforce_session_expiry": False, **(config or {})}
        self.phone = PhoneLink(
            self.http,
            url,
            Config(f"sip:{name}@{domain}", self.display_name, password=password, **settings),
            on_event=self._on_sip,
            on_registration=self._on_registration,
            on_connection=self._on_connection,
        )

    async def __aenter__(self) -> Self:
        problem = await self.phone.start(REGISTER_S)
        if problem is not None:
            await self.__aexit__()
            raise AssertionError(f"{self.name} is not registered: {problem}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.calls.close()
        await self.phone.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.ear.remove()
        await self.engine.close()
        await self.http.close()

    # ------------------------------------------------------------ what calls ask of their account

    def emit(self, event: Any) -> None:
        self.changed.set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def conference_rooms(self) -> tuple[Any, ...]:
        return ()

    def _on_registration(self, state: Registration, problem: Failure | None) -> None:
        self.states.append((state, problem))
        self.changed.set()

    def _on_connection(self, connected: bool) -> None:
        self.connections.append(connected)
        self.calls.connection_changed(connected)
        self.changed.set()

    def _on_sip(self, event: sip.Event) -> None:
        self.sip.append(event)
        if isinstance(event, sip.IncomingCall):
            if self.calls.incoming(event):
                self.rung.append(event.call)
        elif self.obliging and isinstance(event, sip.ReferReceived):
            self.start(self._oblige(event), "transfer")
        else:
            self.calls.sip_event(event)
        self.changed.set()

    async def _oblige(self, event: sip.ReferReceived) -> None:
        """Call whom the other side names, in place of a dialog if it says so, and tell how it goes."""
        self.phone.do(lambda a, now: a.accept_refer(event.id, now))
        call = self._session(event.target)
        if event.replaces is not None:
            headers = (("Replaces", str(event.replaces)), ("Require", "replaces"))
            call.session._invite_headers = lambda: headers  # type: ignore[method-assign]
        try:
            await call.session.join()
            status = 200
        except Exception:
            status = 603
        self.phone.do(lambda a, now: a.notify_refer(event.id, status, now))

    # ------------------------------------------------------------ what a person does

    def _session(self, target: str, video: bool = False, room: bool = False) -> Call:
        self._count += 1
        call = Call(self)
        request = CallRequest(f"{self.name}-{self._count}", target, video, room, self.display_name)
        call.session = self.calls.place(request, call.take)
        self.made = call
        return call

    async def call(self, target: str, *, video: bool = False, room: bool = False) -> Call:
        """Returns at once; see :meth:`Call.until_active`."""
        call = self._session(target, video, room)
        call.joining = self.start(call.session.join(), "join")
        return call

    async def ringing(self) -> Call:
        """The next incoming call, shown."""
        await self.until(lambda: bool(self.rung))
        self._count += 1
        call = Call(self)
        call.session = self.calls.accept(self.rung.pop(0), f"{self.name}-{self._count}", call.take)
        return call

    async def until(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> None:
        await eventually(lambda: bool(condition()), timeout_s, self.changed)

    # ------------------------------------------------------------ what a person hears

    def hears(self, hz: float) -> bool:
        """The tone stands out of the last 300 ms."""
        block = self.ear.heard(0.3).astype(np.float64)
        if len(block) < 9600:
            return False
        spectrum = np.abs(np.fft.rfft(block * np.hanning(len(block))))
        at = round(hz * len(block) / 48000)
        found = spectrum[at - 3 : at + 4].max()
        return bool(found > 20 * np.median(spectrum) and found > 1e5)

    def silent(self) -> bool:
        block = self.ear.heard(0.3)
        return len(block) >= 9600 and int(np.abs(block).max()) < 50


class Call:
    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.events: list[Any] = []
        self.session: WazoCallSession
        self.joining: asyncio.Task[None] | None = None
        self._eyes: dict[str, Eye] = {}

    def take(self, event: Any) -> None:
        self.events.append(event)
        self.phone.changed.set()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def info(self) -> ph.PhoneInfo:
        return self.session.core.info

    @property
    def over(self) -> bool:
        return self.session.core.is_over

    @property
    def tones(self) -> str:
        return "".join(event.digit for event in self.of(ph.ToneReceived))

    async def until(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> None:
        await self.phone.until(condition, timeout_s)

    async def perform(self, action: Action) -> None:
        await self.session.perform(action)

    async def answer(self, *, video: bool = False) -> Call:
        await self.perform(ph.Answer(video))
        await self.until_active()
        return self

    async def until_active(self) -> None:
        """Established, and media flows."""
        await self.until(lambda: self.session.core.established or self.over)
        assert not self.over, self.info
        await self.until(lambda: any(e.state == "connected" for e in self.of(ev.MediaStateChanged)))

    async def until_over(self) -> str:
        await self.until(lambda: self.session._over.is_set())
        if self.joining is not None:
            await asyncio.gather(self.joining, return_exceptions=True)
        return self.info.cause

    def videos(self) -> dict[str, Any]:
        media = self.session.media
        return {n: s for n, s in (media.sources if media else {}).items() if s.kind is MediaKind.VIDEO}

    def stamps(self, source: str = "") -> list[tuple[stamp.Stamp, float]]:
        """What the picture of the only other side, or of *source*, has said since this was first asked."""
        names = [source] if source else list(self.videos())
        if not names or self.session.transport is None:
            return []
        name = names[0]
        if name not in self._eyes:
            self._eyes[name] = Eye(self.session.transport.slot(name))  # type: ignore[attr-defined]
        return self._eyes[name].stamps

    @property
    def phase(self) -> CallPhase:
        return self.session.core.phase

    async def sees(self, count: int = 4, source: str = "", of: str = "") -> None:
        """New stamps arrive, all of the phone named *of*."""
        before = len(self.stamps(source))
        await self.until(lambda: len(self.stamps(source)) >= before + count)
        if of:
            assert {seen.source for seen, _ in self.stamps(source)[before:]} == {stamp.source_id(of)}
