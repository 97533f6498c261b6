"""The event socket (wazo-websocketd, wazo.md 6): a pure protocol machine and its edge that keeps a socket open."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.websocket import open_websocket

VERSION = 2
PING_EVERY_S = 30.0
"""The server pings every 60 s itself and proxies drop a silent connection after 90 s; half of the first notices a
dead one within two of ours."""
PONG_TIMEOUT_S = 10.0
"""A reachable server answers within its slowest round trip; longer means that the connection is dead."""
FIRST_DELAY_S = (0.5, 2.0)
"""Range of the first delay, random so that a restarted server is not stormed."""
GROWTH = 1.5
MAX_DELAY_S = 30.0
STABLE_AFTER_S = 20.0
"""A connection that held this long starts the delays from the beginning."""
MAX_TEXT = 1_000_000
"""Characters of one event; a meeting object is a few thousand."""
AUTH_CLOSE_CODES = frozenset({4001, 4002, 4003})

log = logging.getLogger(__name__)


class SocketState(StrEnum):
    CLOSED = "closed"
    OPENING = "opening"
    STARTED = "started"
    """Events arrive."""


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Started:
    pass


@dataclass(frozen=True, slots=True)
class Pong:
    payload: str


class Reaction(StrEnum):
    """What to do about a closed socket."""

    RECONNECT = "reconnect"
    RENEW = "renew"
    """Renew the token first."""


class EventProtocol:
    """What to send and what arrived, for one connection. Version 1 servers are recognised by what they send."""

    def __init__(self, events: tuple[str, ...] = ("*",), version: int = VERSION) -> None:
        self._events = events
        self.version = version
        self.state = SocketState.OPENING
        self.out: list[str] = []
        """Texts to send, taken by the edge."""

    def receive(self, text: str) -> list[Event | Started | Pong]:
        """Anything that is not a message of this protocol is ignored."""
        if len(text) > MAX_TEXT:
            return []
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return []
        if not isinstance(message, dict):
            return []
        op = message.get("op")
        if op is None:
            return self._event(message) if self.state is SocketState.STARTED else []
        handler = {
            "init": self._on_init,
            "start": self._on_start,
            "event": self._on_event,
            "pong": self._on_pong,
        }.get(op if isinstance(op, str) else "")
        return handler(message) if handler else []

    def _on_init(self, message: dict[str, Any]) -> list[Event | Started | Pong]:
        if self.state is not SocketState.OPENING or self.out:
            return []
        data = message.get("data")
        version = data.get("version") if isinstance(data, dict) else None
        self.version = version if version in (1, 2) else 1
        for event in self._events:
            self._send("subscribe", {"event_name": event})
        self._send("start")
        return []

    def _on_start(self, message: dict[str, Any]) -> list[Event | Started | Pong]:
        if self.state is SocketState.STARTED:
            return []
        self.state = SocketState.STARTED
        return [Started()]

    def _on_event(self, message: dict[str, Any]) -> list[Event | Started | Pong]:
        inner = message.get("data")
        return self._event(inner) if isinstance(inner, dict) else []

    def _event(self, message: dict[str, Any]) -> list[Event | Started | Pong]:
        name, data = message.get("name"), message.get("data")
        if not isinstance(name, str) or not isinstance(data, dict):
            return []
        return [Event(name[:128], data)]

    def _on_pong(self, message: dict[str, Any]) -> list[Event | Started | Pong]:
        data = message.get("data")
        payload = data.get("payload") if isinstance(data, dict) else None
        return [Pong(payload if isinstance(payload, str) else "")]

    def ping(self, payload: str) -> bool:
        """``False`` where the server has no ping (version 1)."""
        if self.version < 2 or self.state is not SocketState.STARTED:
            return False
        self._send("ping", {"payload": payload})
        return True

    def renew(self, token: str) -> bool:
        """Give the open connection a new token; ``False`` when it must be opened anew instead."""
        if self.version < 2 or self.state is not SocketState.STARTED:
            return False
        self._send("token", {"token": token})
        return True

    @staticmethod
    def closed(code: int | None) -> Reaction:
        return Reaction.RENEW if code in AUTH_CLOSE_CODES else Reaction.RECONNECT

    def _send(self, op: str, data: Mapping[str, str] | None = None) -> None:
        message: dict[str, Any] = {"op": op}
        if data is not None:
            message["data"] = dict(data)
        self.out.append(json.dumps(message))


class Backoff:
    """Jittered, growing delays."""

    def __init__(self, first_s: tuple[float, float] = FIRST_DELAY_S, max_s: float = MAX_DELAY_S) -> None:
        self._first = first_s
        self._max = max_s
        self._next: float | None = None

    def delay(self) -> float:
        if self._next is None:
            self._next = random.uniform(*self._first)
            return self._next
        self._next = min(self._next * GROWTH, self._max)
        return self._next * random.uniform(0.7, 1.0)

    def reset(self) -> None:
        self._next = None


def socket_url(host: str, token: str, user: str, version: int = VERSION) -> str:
    query = urlencode({"token": token, "version": version, "userUuid": user})
    return f"wss://{host}/api/websocketd/?{query}"


class EventSocket:
    """Keeps one event socket open until :meth:`close`.

    *address* gives the URL of each attempt (it holds the newest token); *renew* renews the token and is awaited when
    the server refused it; *on_state* says ``True`` when events arrive and ``False`` when they stopped.
    """

    def __init__(
        self,
        http: HttpClient,
        address: Callable[[], str],
        renew: Callable[[], Awaitable[bool]],
        on_event: Callable[[Event], None],
        on_state: Callable[[bool], None],
    ) -> None:
        self._http = http
        self._address = address
        self._renew = renew
        self._on_event = on_event
        self._on_state = on_state
        self._task: asyncio.Task[None] | None = None
        self._protocol: EventProtocol | None = None
        self._socket: Any = None
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._pongs = 0

    @property
    def open(self) -> bool:
        return self._protocol is not None and self._protocol.state is SocketState.STARTED

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="wazo events")

    def retry_now(self) -> None:
        """The network changed or the computer woke up: do not wait for the next attempt."""
        self._wake.set()

    async def update_token(self, token: str) -> None:
        """Tell the server the new token; a connection that cannot take it is opened anew."""
        protocol, socket = self._protocol, self._socket
        if protocol is None or socket is None:
            return
        if protocol.renew(token):
            await self._flush()
        elif protocol.state is SocketState.STARTED:
            await socket.close()

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # ------------------------------------------------------------------ one connection after the other

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            opened = loop.time()
            code: int | None = None
            try:
                code = await self._connection()
            except NetworkFailure as error:
                log.info("event socket: %s", error.code)
                if error.status in (401, 403):
                    code = 4002
            if loop.time() - opened > STABLE_AFTER_S:
                self._backoff.reset()
            if EventProtocol.closed(code) is Reaction.RENEW and not await self._renew():
                log.info("event socket: token refused")
                return
            self._wake.clear()
            try:
                async with asyncio.timeout(self._backoff.delay()):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _connection(self) -> int | None:
        """Open, run until closed, and return the close code. Raises :class:`NetworkFailure`."""
        import aiohttp

        self._socket = await open_websocket(self._http, self._address())
        self._protocol = protocol = EventProtocol()
        pinging = asyncio.get_running_loop().create_task(self._ping(), name="wazo event ping")
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                for item in protocol.receive(message.data):
                    self._handle(item)
                await self._flush()
            code: int | None = self._socket.close_code
            return code
        finally:
            was_started = protocol.state is SocketState.STARTED
            protocol.state = SocketState.CLOSED
            pinging.cancel()
            await asyncio.gather(pinging, return_exceptions=True)
            socket, self._socket, self._protocol = self._socket, None, None
            await socket.close()
            if was_started:
                self._on_state(False)

    def _handle(self, item: Event | Started | Pong) -> None:
        if isinstance(item, Event):
            self._on_event(item)
        elif isinstance(item, Pong):
            self._pongs += 1
        else:
            self._on_state(True)

    async def _flush(self) -> None:
        protocol, socket = self._protocol, self._socket
        while protocol is not None and protocol.out and socket is not None and not socket.closed:
            await socket.send_str(protocol.out.pop(0))

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            seen = self._pongs
            if self._protocol is None or not self._protocol.ping("parley"):
                continue
            await self._flush()
            await asyncio.sleep(PONG_TIMEOUT_S)
            if self._pongs == seen and self._socket is not None:
                log.info("event socket does not answer")
                await self._socket.close()
