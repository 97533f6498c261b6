"""A phone for tests: a user agent on a WebSocket, media by the same transport as the server's legs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import numpy as np

from app.protocols.sip.events import AnswerReceived, CallAnswered, CallProgress, IncomingCall, OfferReceived
from app.protocols.sip.message import user_of
from app.protocols.sip.user_agent import Config, UserAgent
from app.sandbox.wazo import Faults, WazoSandbox
from app.sandbox.wazo.bridges import Tone
from app.sandbox.wazo.clips import STEP, Projector
from app.sandbox.wazo.leg_media import LegMedia, Line
from app.sandbox.wazo.streams import VideoSeen
from tests.sandbox.wazo.client import trusting

WAIT_S = 15.0
ALLOW = ("opus", "ulaw", "alaw", "vp8", "h264")


async def until(condition: Callable[[], Any], seconds: float = WAIT_S) -> Any:
    """The first true value of *condition*; raises :class:`TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 (looks at facts of several owners)
            await asyncio.sleep(0.02)
    return value


class ClientMedia(LegMedia):
    """Takes every line of an offer, and keeps what each carries apart."""

    def __init__(self, leg_id: str, allow: tuple[str, ...]) -> None:
        super().__init__(leg_id, allow, Faults())
        self.tracks: dict[int, VideoSeen] = {}
        self.decode = False

    def _taken(self, index: int, section: Any, only: Any, video: bool) -> Line:
        line = super()._taken(index, section, only, video)
        if index >= 2 and not section.rejected and section.kind == "video":
            line.live, line.label = True, section.label
        return line

    def _received(self, packet: Any) -> None:
        video = self.video
        codec = video.codec_of(packet.payload_type) if video is not None else None
        if codec is None or not packet.payload:
            super()._received(packet)
            return
        fresh = packet.ssrc not in self.tracks
        seen = self.tracks.setdefault(packet.ssrc, VideoSeen())
        seen.decode = self.decode
        if (seen.add(packet, codec) or fresh) and self.transport is not None:
            self.transport.session.request_keyframe(packet.ssrc)

    def track(self, label: str) -> VideoSeen | None:
        """What comes for the line with this label (``""``: the line of our own picture)."""
        for line in self.lines:
            if line.kind == "video" and line.label == label and line.remote is not None and line.remote.ssrcs:
                return self.tracks.get(line.remote.ssrcs[0])
        return None

    @property
    def labels(self) -> set[str]:
        return {line.label for line in self.lines if line.label and line.live}


class PhoneCall:
    """One call of a phone and its media."""

    def __init__(self, phone: Phone, key: str, allow: tuple[str, ...] = ALLOW) -> None:
        self.phone, self.key = phone, key
        self.media = ClientMedia(f"phone-{key}", allow)
        self.tone: Tone | None = None
        self.camera: Projector | None = None
        self.digits: list[str] = []
        self.offers: list[str] = []

    @property
    def state(self) -> str:
        call = self.phone.agent.calls.get(self.key)
        return call.state if call is not None else "ended"

    def events(self, kind: type[Any]) -> list[Any]:
        return [e for e in self.phone.events if isinstance(e, kind) and getattr(e, "call", "") == self.key]

    def hears(self, hz: float, least: float = 800.0) -> bool:
        return self.media.heard.tone_power(hz) > least

    def tick(self) -> None:
        if self.tone is not None:
            self.media.play(self.tone.block())
        elif self.media.connected:
            self.media.play(np.zeros(960, np.int16))
        if self.camera is not None and self.media.connected:
            frame = self.camera.due(time.monotonic())
            if frame is not None:
                self.media.show(self.media.video, frame, STEP)

    async def reinvite(self, direction: str = "sendrecv", **headers: str) -> None:
        for line in self.media.lines:
            if not line.label:
                line.direction = direction
        sdp = await self.media.offer()
        answers = len(self.events(AnswerReceived))
        self.phone.agent.reinvite(self.key, sdp, time.monotonic(), list(headers.items()))
        self.phone.pump()
        await until(lambda: len(self.events(AnswerReceived)) > answers)


class Phone:
    def __init__(self, sandbox: WazoSandbox, username: str = "alice", line: int = 0, **config: Any) -> None:
        self.sandbox, self.user = sandbox, sandbox.user(username)
        sip = self.user.lines[line]
        self.config = Config(
            aor=f"sip:{sip.name}@127.0.0.1", display_name=self.user.name, password=sip.password, transport="WS",
            numeric_host=True, **config,
        )  # fmt: skip
        self.agent = UserAgent(self.config)
        self.events: list[Any] = []
        self.calls: dict[str, PhoneCall] = {}
        self.auto_answer = False
        self.allow = ALLOW
        self._session = aiohttp.ClientSession(connector=trusting(sandbox))
        self.socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._jobs: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------------ connection

    async def open(self, register: bool = True) -> None:
        url = f"{self.sandbox.base_url}/api/asterisk/ws?userUuid={self.user.uuid}"
        self.socket = await self._session.ws_connect(url, protocols=("sip",))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._clock())]
        if register:
            self.agent.register(time.monotonic())
            self.pump()
            await until(lambda: self.agent.registered)

    async def reopen(self) -> None:
        """After the connection was lost: connect, register."""
        for task in self._tasks:
            task.cancel()
        self._take(self.agent.connection_lost(time.monotonic()))
        url = f"{self.sandbox.base_url}/api/asterisk/ws?userUuid={self.user.uuid}"
        self.socket = await self._session.ws_connect(url, protocols=("sip",))
        self._take(self.agent.connected(time.monotonic()))
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._clock())]
        self.agent.register(time.monotonic())
        self.pump()
        await until(lambda: self.agent.registered)

    async def close(self) -> None:
        for task in (*self._tasks, *self._jobs):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._jobs, return_exceptions=True)
        for call in self.calls.values():
            await call.media.close()
        await self._session.close()

    async def _read(self) -> None:
        assert self.socket is not None
        async for message in self.socket:
            self._take(self.agent.receive(message.data, time.monotonic()))

    async def _clock(self) -> None:
        due = time.monotonic()
        while True:
            due = max(due + 0.02, time.monotonic() - 0.2)
            await asyncio.sleep(max(0, due - time.monotonic()))
            self._take(self.agent.poll(time.monotonic()))
            for call in list(self.calls.values()):
                if call.state == "confirmed":
                    call.tick()

    def pump(self) -> None:
        self._take(self.agent.take_events())

    def _take(self, events: list[Any]) -> None:
        for event in events:
            self.events.append(event)
            self._event(event)
        frames = self.agent.outgoing()
        if frames and self.socket is not None:
            self._run(self._send(frames))

    async def _send(self, frames: list[str]) -> None:
        assert self.socket is not None
        with contextlib.suppress(ConnectionError):
            for frame in frames:
                await self.socket.send_str(frame)

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    # ------------------------------------------------------------------ events

    def _event(self, event: Any) -> None:
        if isinstance(event, IncomingCall):
            self.calls[event.call] = PhoneCall(self, event.call, self.allow)
            self.agent.progress(event.call, time.monotonic())
            if self.auto_answer:
                self._run(self.answer(event.call))
        elif isinstance(event, CallAnswered | CallProgress | AnswerReceived):
            if event.sdp:
                self._run(self._apply(self.calls[event.call], event.sdp))
        elif isinstance(event, OfferReceived):
            self._run(self._reply(self.calls[event.call], event.sdp))

    async def _apply(self, call: PhoneCall, sdp: str) -> None:
        await call.media.apply_answer(sdp)

    async def _reply(self, call: PhoneCall, sdp: str) -> None:
        call.offers.append(sdp)
        await call.media.accept(sdp)
        self.agent.accept_offer(call.key, call.media.answer(), time.monotonic())
        self.pump()

    # ------------------------------------------------------------------ calling

    async def call(self, number: str, *, video: bool = False, tone: float = 0.0, wait: bool = True) -> PhoneCall:
        call = PhoneCall(self, "", self.allow)
        call.tone = Tone(tone) if tone else None
        sdp = await call.media.offer(video=video)
        call.key = self.agent.invite(f"sip:{number}@127.0.0.1", sdp, time.monotonic())
        self.calls[call.key] = call
        self.pump()
        if wait:
            await until(lambda: call.state in ("confirmed", "ended"))
            if call.state == "confirmed":
                await until(lambda: call.media.connected)
        return call

    async def answer(self, key: str = "", tone: float = 0.0) -> PhoneCall:
        """Answer an incoming call (the newest)."""
        event = await until(lambda: self.incoming(key))
        call = self.calls[event.call]
        call.tone = Tone(tone) if tone else call.tone
        await call.media.accept(event.sdp)
        self.agent.answer(event.call, call.media.answer(), time.monotonic())
        self.pump()
        await until(lambda: call.media.connected)
        return call

    def incoming(self, key: str = "") -> Any:
        found = [e for e in self.events if isinstance(e, IncomingCall) and key in ("", e.call)]
        return found[-1] if found else None

    def hang_up(self, call: PhoneCall) -> None:
        self.agent.bye(call.key, time.monotonic())
        self.pump()

    def ended(self, call: PhoneCall) -> Any:
        from app.protocols.sip.events import CallEnded

        return next((e for e in self.events if isinstance(e, CallEnded) and e.call == call.key), None)

    def film(self, call: PhoneCall, name: str) -> None:
        """Send stamped pictures."""
        call.camera = Projector(self.sandbox.calls.camera(name))

    @property
    def contact(self) -> str:
        return user_of(self.agent.core.contact_uri)
