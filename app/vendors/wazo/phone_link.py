"""The SIP edge of an account: one WebSocket, one user agent, kept registered (wazo.md 4.1 to 4.3).

Owns the clock, the socket and the registration; what calls do with SIP events is theirs. A lost socket keeps running
calls: their media does not depend on it, and they are told when there is a connection again.
"""

from __future__ import annotations

import asyncio
import logging
import socket as sockets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from app.calls.accounts import Registration
from app.calls.model import Failure
from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.sip import events as sip
from app.protocols.sip.user_agent import Config, NotPossible, UserAgent
from app.protocols.websocket import open_websocket
from app.vendors.wazo.errors import failure, network_failure, registration_failure
from app.vendors.wazo.events_socket import Backoff

FIRST_DELAY_S = (0.1, 1.0)
"""The SIP socket comes back first: without it nobody can call."""
MAX_DELAY_S = 30.0
REFUSED_DELAY_S = 60.0
"""After a refusal that repeating does not change; the administrator may put it right meanwhile."""
WATCH_EVERY_S = 5.0
"""How often sleep, a changed address and silence are looked for."""
SLEPT_S = 20.0
"""A wall clock that ran this much longer than the monotonic one means that the computer slept."""
SILENCE_S = 75.0
"""The server qualifies us every 60 s, so longer silence deserves a probe."""
PROBE_TIMEOUT_S = 5.0
"""The official client's heartbeat timeout."""
UNREGISTER_TIMEOUT_S = 2.0
STABLE_AFTER_S = 20.0

log = logging.getLogger(__name__)
T = TypeVar("T")


def sip_url(host: str, user: str) -> str:
    query = f"?{urlencode({'userUuid': user})}" if user else ""
    return f"wss://{host}/api/asterisk/ws{query}"


class PhoneLink:
    """Make it on the signalling loop; :meth:`start` keeps it connected and registered until :meth:`close`."""

    def __init__(
        self,
        http: HttpClient,
        url: str,
        config: Config,
        *,
        on_event: Callable[[sip.Event], None],
        on_registration: Callable[[Registration, Failure | None], None],
        on_connection: Callable[[bool], None] = lambda connected: None,
        new_password: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """*on_connection* tells ``True`` after each registration that follows a lost connection or address, so that
        running calls re-attach, and ``False`` when the socket broke. *new_password* reads the line's password again
        after a refusal; ``True`` when it changed (the caller sets it with :meth:`use_password`)."""
        self._http = http
        self._url = url
        self.agent = UserAgent(config)
        self._on_event = on_event
        self._on_registration = on_registration
        self._on_connection = on_connection
        self._new_password = new_password
        self._socket: Any = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._dropped: set[asyncio.Task[bool]] = set()
        self._backoff = Backoff(FIRST_DELAY_S, MAX_DELAY_S)
        self._wake = asyncio.Event()
        self._state = Registration.REGISTERING
        self._was_registered = False
        self._lost = False
        self._reread = False
        self._closing = False
        self._unregistered = asyncio.Event()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._first: asyncio.Future[Failure | None] | None = None

    @property
    def registered(self) -> bool:
        return self.agent.registered and self._socket is not None

    @property
    def contact_user(self) -> str:
        return self.agent.core.contact_user

    # ------------------------------------------------------------------ life

    async def start(self, timeout_s: float) -> Failure | None:
        """Start, and wait for the first result: ``None`` when registered. Goes on trying either way."""
        loop = asyncio.get_running_loop()
        self._first = loop.create_future()
        self._tasks = [
            loop.create_task(self._run(), name="wazo phone"),
            loop.create_task(self._watch(), name="wazo phone watch"),
        ]
        self._on_registration(Registration.REGISTERING, None)
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self._first)
        except TimeoutError:
            return failure("phone_unreachable", "no answer to REGISTER")

    async def close(self) -> None:
        """Unregister, bounded in time, and close the socket."""
        self._closing = True
        if self.registered:
            self.do(lambda agent, now: agent.unregister(now))
            try:
                async with asyncio.timeout(UNREGISTER_TIMEOUT_S):
                    await self._unregistered.wait()
            except TimeoutError:
                log.info("no answer to un-REGISTER")
        tasks, self._tasks = self._tasks, []
        for task in (*tasks, *self._dropped):
            task.cancel()
        await asyncio.gather(*tasks, *self._dropped, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        if self._first is not None and not self._first.done():
            self._first.set_result(failure("closed"))

    def use_password(self, password: str) -> None:
        self.agent.core.digest.password = password
        self.agent.core.digest.forget()

    def network_changed(self) -> None:
        """The computer woke up or has another address: the old connection is worth nothing."""
        self._lost = True
        self._backoff.reset()
        self._wake.set()
        if self._socket is not None:
            self._spawn_close(self._socket)

    def _spawn_close(self, socket: Any) -> None:
        # Wakes the reader at once; a dead peer does not answer the close frame, and that wait is bounded.
        task = asyncio.get_running_loop().create_task(socket.close(), name="wazo phone socket close")
        self._dropped.add(task)
        task.add_done_callback(self._dropped.discard)

    # ------------------------------------------------------------------ commands

    def do(self, command: Callable[[UserAgent, float], T]) -> T:
        """Run a command of the user agent, send what it gives and deliver its events.

        Raises :class:`app.protocols.sip.user_agent.NotPossible`.
        """
        try:
            return command(self.agent, self._now())
        finally:
            self._flush()
            # Events of a command reach its owner after the command has returned, so that ids are known by then.
            asyncio.get_running_loop().call_soon(self._deliver_taken)

    def _deliver_taken(self) -> None:
        self._deliver(self.agent.take_events())
        self._flush()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _deliver(self, events: list[sip.Event]) -> None:
        for event in events:
            if isinstance(event, sip.RegistrationChanged):
                self._registration(event)
            else:
                self._on_event(event)

    def _flush(self) -> None:
        for frame in self.agent.outgoing():
            self._outbox.put_nowait(frame)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.agent.next_timeout()
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(due, loop.time()), self._poll)

    def _poll(self) -> None:
        self._timer = None
        self._deliver(self.agent.poll(self._now()))
        self._flush()

    # ------------------------------------------------------------------ registration

    def _registration(self, event: sip.RegistrationChanged) -> None:
        state = event.state
        if state is sip.RegistrationState.REGISTERED:
            self._reread = False
            self._backoff.reset()
            self._set(Registration.REGISTERED, None)
            self._settle(None)
            if self._lost:
                self._lost = False
                self._on_connection(True)
            self._was_registered = True
        elif state is sip.RegistrationState.UNREGISTERED and self._closing:
            self._unregistered.set()
            self._set(Registration.NONE, None)
        elif state is sip.RegistrationState.FAILED:
            self._refused(event)

    def _refused(self, event: sip.RegistrationChanged) -> None:
        problem = registration_failure(event.status, event.reason)
        if problem.code == "phone_unreachable":
            self._set(Registration.LOST if self._was_registered else Registration.REGISTERING, problem)
            self._later(max(float(event.retry_after or 0), self._backoff.delay()))
            if self._first is not None and not self._first.done() and event.status != 503:
                self._settle(problem)
            return
        if problem.code == "sip_credentials" and not self._reread and self._new_password is not None:
            self._reread = True
            self._tasks.append(asyncio.get_running_loop().create_task(self._read_password(problem), name="wazo line"))
            return
        self._set(Registration.REFUSED, problem)
        self._settle(problem)
        self._later(max(float(event.retry_after or 0), REFUSED_DELAY_S))

    async def _read_password(self, problem: Failure) -> None:
        assert self._new_password is not None
        if await self._new_password():
            self.do(lambda agent, now: agent.register(now))
            return
        self._set(Registration.REFUSED, problem)
        self._settle(problem)
        self._later(REFUSED_DELAY_S)

    def _later(self, delay_s: float) -> None:
        asyncio.get_running_loop().call_later(delay_s, self._register_again)

    def _register_again(self) -> None:
        if self._socket is not None and not self._closing and not self.agent.registered:
            self.do(lambda agent, now: agent.register(now))

    def _set(self, state: Registration, problem: Failure | None) -> None:
        if state is not self._state or problem is not None:
            self._state = state
            self._on_registration(state, problem)

    def _settle(self, problem: Failure | None) -> None:
        if self._first is not None and not self._first.done():
            self._first.set_result(problem)

    # ------------------------------------------------------------------ the socket

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            opened = loop.time()
            problem: Failure | None = None
            try:
                await self._connection()
            except NetworkFailure as error:
                problem = network_failure(error, phone=True)
                log.info("phone socket: %s", error.code)
                self._settle(problem)
            if loop.time() - opened > STABLE_AFTER_S:
                self._backoff.reset()
            problem = problem or failure("phone_unreachable", "connection lost")
            self._set(Registration.LOST if self._was_registered else Registration.REGISTERING, problem)
            self._wake.clear()
            try:
                async with asyncio.timeout(self._backoff.delay()):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _connection(self) -> None:
        import aiohttp

        socket = await open_websocket(self._http, self._url, protocols=("sip",))
        self._socket = socket
        self._outbox = asyncio.Queue()
        writing = asyncio.get_running_loop().create_task(self._write(socket, self._outbox), name="wazo phone send")
        try:
            self._deliver(self.agent.connected(self._now()))
            self.do(lambda agent, now: agent.register(now))
            async for message in socket:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    self._deliver(self.agent.receive(message.data, self._now()))
                    self._flush()
        finally:
            self._socket = None
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            self._lost = True
            if not self._closing:
                self._on_connection(False)
            self._deliver(self.agent.connection_lost(self._now()))
            self._flush()
            await socket.close()

    @staticmethod
    async def _write(socket: Any, outbox: asyncio.Queue[str]) -> None:
        while True:
            frame = await outbox.get()
            try:
                await socket.send_str(frame)
            except (ConnectionError, RuntimeError):
                # The reader sees the end of the connection and says so.
                return

    # ------------------------------------------------------------------ watching

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        wall, mono = time.time(), loop.time()
        address = self._local_address()
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            slept = (time.time() - wall) - (loop.time() - mono) > SLEPT_S
            wall, mono = time.time(), loop.time()
            current = self._local_address()
            moved = bool(address and current and current != address)
            address = current or address
            if slept or moved:
                log.info("phone socket: %s", "woke up" if slept else "new address")
                self.network_changed()
            elif self._socket is not None and mono - (self.agent.heard_at or mono) > SILENCE_S:
                await self._probe()

    def _local_address(self) -> str:
        """The address that this computer uses towards the server; no packet is sent to find out."""
        peer = self._socket.get_extra_info("peername") if self._socket is not None else None
        if not peer:
            return ""
        family = sockets.AF_INET6 if ":" in peer[0] else sockets.AF_INET
        try:
            with sockets.socket(family, sockets.SOCK_DGRAM) as probe:
                probe.connect((peer[0], peer[1]))
                return str(probe.getsockname()[0])
        except OSError:
            return ""

    async def _probe(self) -> None:
        heard = self.agent.heard_at
        try:
            self.do(lambda agent, now: agent.options(now))
        except NotPossible:
            return
        await asyncio.sleep(PROBE_TIMEOUT_S)
        if self.agent.heard_at == heard and self._socket is not None:
            log.info("phone socket does not answer")
            self.network_changed()
