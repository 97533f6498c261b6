"""The I/O edge of XMPP: WebSocket or BOSH transport, login, keep-alive, ping, and resumption after a loss."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit, urlunsplit
from xml.etree.ElementTree import Element

from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.xmpp import ns
from app.protocols.xmpp.sasl import Credentials
from app.protocols.xmpp.sm import StreamManagement
from app.protocols.xmpp.stanza import iq
from app.protocols.xmpp.stream import ClientStream, StanzaReceived, StreamFailed, StreamReady
from app.protocols.xmpp.transports import BoshTransport, TransportClosed, WebSocketTransport, XmppTransport
from app.protocols.xmpp.xml import el

log = logging.getLogger(__name__)

LOGIN_TIMEOUT_S = 6.0
"""From the open socket to the bound session; four round trips on any usable network."""
RESUME_DELAYS_S = ((1.5, 3.0), (3.0, 9.0), (4.5, 27.0))
"""Random delay before the first, second and third try to resume (lib-jitsi-meet's values)."""
CLOSE_TIMEOUT_S = 1.0
KEEP_ALIVE_FIRST_S = 5.0


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    service_url: str = field(repr=False)
    """ws(s) for RFC 7395, http(s) for BOSH, query parameters (room, token) included."""
    domain: str = ""
    credentials: Credentials | None = None
    resume: bool = True
    ping_interval_s: float = 10.0
    ping_timeout_s: float = 5.0
    ping_threshold: int = 2
    keep_alive_s: float = 60.0
    """Mean interval of keep-alive GETs; negative for none."""
    keep_alive_url: str = field(default="", repr=False)
    resume_delays_s: tuple[tuple[float, float], ...] = RESUME_DELAYS_S


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """``connected``, ``interrupted``, ``resumed``, ``lost`` (``failure`` says why) or ``moved`` (another shard)."""

    state: str
    failure: NetworkFailure | None = None


class XmppConnection:
    """One logged-in stream that survives the loss of its socket. Use on one loop."""

    def __init__(
        self,
        options: ConnectionOptions,
        http: HttpClient,
        on_stanza: Callable[[Element], None],
        on_state: Callable[[ConnectionState], None],
    ) -> None:
        self._options = options
        self._http = http
        self._on_stanza = on_stanza
        self._on_state = on_state
        self._sm: StreamManagement | None = None
        self._stream: ClientStream | None = None
        self._transport: XmppTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_received = 0.0
        self._heard = asyncio.Event()
        self._closing = False
        self._shard: str | None = None
        self.jid = ""

    @property
    def uses_bosh(self) -> bool:
        return urlsplit(self._options.service_url).scheme in ("http", "https")

    async def connect(self) -> str:
        """Log in and return the full JID. Raises :class:`NetworkFailure`; its code is one of the transport's or of
        :class:`app.protocols.xmpp.stream.StreamFailed`."""
        await self._login(None)
        self._spawn(self._run())
        self._spawn(self._ping_loop())
        if self._options.keep_alive_s >= 0 and self._options.keep_alive_url:
            self._spawn(self._keep_alive_loop())
        self._on_state(ConnectionState("connected"))
        return self.jid

    def send(self, element: Element) -> None:
        """Queues a stanza; while interrupted it is kept and sent after the resumption."""
        if self._stream is not None:
            self._stream.send(element)
            self._flush()

    def drop(self) -> None:
        """Cuts the socket without a goodbye, as a lost network does (pings that fail, tests)."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Closes the stream, bounded in time. Never raises."""
        self._closing = True
        with contextlib.suppress(NetworkFailure, TransportClosed, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if self._stream is not None and self._transport is not None:
                    self._stream.close()
                    self._flush()
                    await self._transport.close()
        if self._transport is not None:
            self._transport.abort()
        tasks = [t for t in self._tasks if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ inside

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("XMPP connection task failed", exc_info=error)
            if not self._closing:
                self._on_state(ConnectionState("lost", NetworkFailure("protocol", type(error).__name__)))

    def _make_transport(self) -> XmppTransport:
        if self.uses_bosh:
            return BoshTransport(self._http, self._options.service_url, self._options.domain)
        url = self._options.service_url
        if self._sm is not None and self._sm.token:
            parts = urlsplit(url)
            query = "&".join(filter(None, (parts.query, "previd=" + quote(self._sm.token, safe=""))))
            url = urlunsplit(parts._replace(query=query))
        return WebSocketTransport(self._http, url)

    async def _login(self, sm: StreamManagement | None) -> None:
        transport = self._make_transport()
        stream = ClientStream(
            self._options.domain,
            self._options.credentials,
            sm,
            jid=self.jid,
            want_sm=self._options.resume and not self.uses_bosh,
        )
        old = self._stream
        await transport.start()
        if self._transport is not None:
            # Its socket is lost, its task still waits for something to write.
            self._transport.abort()
        self._transport = transport
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_S):
                while not stream.ready:
                    for item in stream.take_output():
                        transport.send(item)
                    element = await transport.receive()
                    stream.receive(element)
                    self._handle_login_events(stream)
        except TimeoutError as error:
            transport.abort()
            raise NetworkFailure("timeout", "XMPP login") from error
        except TransportClosed as error:
            transport.abort()
            raise NetworkFailure("closed", str(error)) from error
        except BaseException:
            transport.abort()
            raise
        self._stream = stream
        self._sm = stream.sm
        self.jid = stream.jid
        self._last_received = asyncio.get_running_loop().time()
        if old is not None:
            for stanza in old.take_held():
                stream.send(stanza)
        self._flush()

    def _handle_login_events(self, stream: ClientStream) -> None:
        for event in stream.take_events():
            if isinstance(event, StreamFailed):
                raise NetworkFailure(event.code, event.text)
            if isinstance(event, StanzaReceived):
                self._on_stanza(event.element)

    def _flush(self) -> None:
        if self._stream is None or self._transport is None:
            return
        for item in self._stream.take_output():
            self._transport.send(item)

    async def _run(self) -> None:
        while not self._closing:
            reason = await self._read_until_lost()
            if self._closing:
                return
            if self._sm is None or self._sm.token is None or reason.code in ("protocol", "resume_failed"):
                self._on_state(ConnectionState("lost", reason))
                return
            assert self._stream is not None
            self._stream.suspend()
            self._on_state(ConnectionState("interrupted", reason))
            failure = await self._resume(reason)
            if failure is not None:
                self._on_state(ConnectionState("lost", failure))
                return
            self._on_state(ConnectionState("resumed"))

    async def _read_until_lost(self) -> NetworkFailure:
        assert self._stream is not None and self._transport is not None
        stream, transport = self._stream, self._transport
        while True:
            try:
                element = await transport.receive()
            except TransportClosed as error:
                return NetworkFailure(error.code, str(error), status=error.status)
            self._last_received = asyncio.get_running_loop().time()
            self._heard.set()
            stream.receive(element)
            for event in stream.take_events():
                if isinstance(event, StreamFailed):
                    self._flush()
                    transport.abort()
                    return NetworkFailure(event.code, event.text)
                if isinstance(event, StanzaReceived):
                    self._deliver(event.element)
                assert not isinstance(event, StreamReady)
            self._flush()

    def _deliver(self, element: Element) -> None:
        if element.get("id", "").startswith("ping-") and element.get("type") in ("result", "error"):
            return
        self._on_stanza(element)

    async def _resume(self, reason: NetworkFailure) -> NetworkFailure | None:
        failure = reason
        for low, high in self._options.resume_delays_s:
            await asyncio.sleep(random.uniform(low, high))
            try:
                await self._login(self._sm)
                return None
            except NetworkFailure as error:
                failure = error
                if error.code in ("resume_failed", "not_authorized", "protocol"):
                    return error
        return failure

    async def _ping_loop(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        number = 0
        while not self._closing:
            await asyncio.sleep(self._options.ping_interval_s)
            stream = self._stream
            if stream is None or not stream.ready or loop.time() - self._last_received < self._options.ping_interval_s:
                failures = 0
                continue
            number += 1
            self._heard.clear()
            self.send(iq("get", f"ping-{number}", self._options.domain, el("ping", ns.PING)))
            try:
                async with asyncio.timeout(self._options.ping_timeout_s):
                    await self._heard.wait()
                failures = 0
            except TimeoutError:
                failures += 1
            if failures >= self._options.ping_threshold and self._stream is stream:
                failures = 0
                self.drop()

    async def _keep_alive_loop(self) -> None:
        await asyncio.sleep(KEEP_ALIVE_FIRST_S)
        while not self._closing:
            # A failed keep-alive means nothing: the stream's own pings decide about the connection.
            with contextlib.suppress(NetworkFailure):
                response = await self._http.request("GET", self._options.keep_alive_url)
                shard = next((v for k, v in response.headers.items() if k.lower() == "x-jitsi-shard"), None)
                if shard is not None and self._shard is not None and shard != self._shard:
                    self._on_state(ConnectionState("moved"))
                self._shard = shard or self._shard
            await asyncio.sleep(self._options.keep_alive_s * (1 + random.random()))
