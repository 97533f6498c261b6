"""What carries a stream: a WebSocket (RFC 7395) or BOSH requests. Both move elements in order and end with
:class:`TransportClosed`."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING, Protocol
from xml.etree.ElementTree import Element

from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.websocket import open_websocket
from app.protocols.xmpp.bosh import MAX_RETRIES, WAIT_S, BoshError, BoshRequest, BoshSession
from app.protocols.xmpp.framing import SUBPROTOCOL, close_frame, is_close, is_open, open_frame
from app.protocols.xmpp.stream import CloseStream, OpenStream, Output
from app.protocols.xmpp.xml import BadXml, parse, serialise

if TYPE_CHECKING:
    import aiohttp

MAX_QUEUED = 2000
"""Elements waiting to be written; more means that the socket takes nothing any more."""
MAX_BAD_FRAMES = 10
BOSH_RETRY_S = 1.0
BOSH_POLL_DELAY_S = 0.01
"""Before asking again: answers to what has just come travel in the same request."""
BOSH_REORDER_S = 0.1
"""How long a response waits for that of an earlier request, which may only be slower on its own connection."""
BOSH_ANSWER_MARGIN_S = 10.0
"""The server may hold a request for WAIT_S; this much longer means that it is gone."""


class TransportClosed(Exception):
    """Nothing more comes. ``code`` as in :class:`app.protocols.http.NetworkFailure`."""

    def __init__(self, text: str = "", code: str = "closed", status: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


class XmppTransport(Protocol):
    async def start(self) -> None:
        """Raises :class:`app.protocols.http.NetworkFailure`."""

    def send(self, item: Output) -> None: ...

    async def receive(self) -> Element:
        """The next element. Raises :class:`TransportClosed`."""

    def abort(self) -> None: ...

    async def close(self) -> None:
        """Write what waits, then end."""


class WebSocketTransport:
    def __init__(self, http: HttpClient, url: str) -> None:
        self._http = http
        self._url = url
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._queue: asyncio.Queue[str | None] = asyncio.Queue(MAX_QUEUED)
        self._writer: asyncio.Task[None] | None = None
        self._aborted = asyncio.Event()
        self._bad = 0

    async def start(self) -> None:
        self._socket = await open_websocket(self._http, self._url, protocols=(SUBPROTOCOL,))
        self._writer = asyncio.create_task(self._write(self._socket))

    def send(self, item: Output) -> None:
        if isinstance(item, OpenStream):
            text = serialise(open_frame(item.to))
        elif isinstance(item, CloseStream):
            text = serialise(close_frame())
        else:
            text = serialise(item)
        try:
            self._queue.put_nowait(text)
        except asyncio.QueueFull:
            self.abort()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while (text := await self._queue.get()) is not None:
            try:
                await socket.send_str(text)
            except (ConnectionError, RuntimeError, OSError):
                self.abort()
                return

    async def receive(self) -> Element:
        import aiohttp

        assert self._socket is not None
        while True:
            receiving = asyncio.ensure_future(self._socket.receive())
            aborted = asyncio.ensure_future(self._aborted.wait())
            try:
                await asyncio.wait({receiving, aborted}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                aborted.cancel()
                if not receiving.done():
                    receiving.cancel()
            if self._aborted.is_set() or receiving.cancelled():
                raise TransportClosed("cut")
            try:
                message = receiving.result()
            except (aiohttp.ClientError, OSError, RuntimeError) as error:
                raise TransportClosed(type(error).__name__) from error
            if message.type is not aiohttp.WSMsgType.TEXT:
                if message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG):
                    continue
                self._aborted.set()
                raise TransportClosed(f"socket closed {self._socket.close_code}")
            try:
                element = parse(message.data)
            except BadXml as error:
                # One bad frame is dropped; a peer that sends nothing else is cut off.
                self._bad += 1
                if self._bad > MAX_BAD_FRAMES:
                    raise TransportClosed("unreadable frames", "protocol") from error
                continue
            if is_close(element):
                raise TransportClosed("stream closed by the server")
            if not is_open(element):
                return element

    def abort(self) -> None:
        self._aborted.set()
        if self._writer is not None:
            self._writer.cancel()
        socket = self._socket
        if socket is not None and not socket.closed:
            response = socket._response
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()

    async def close(self) -> None:
        if self._writer is not None:
            await self._queue.put(None)
            await asyncio.wait({self._writer})
        if self._socket is not None and not self._aborted.is_set():
            await self._socket.close()


class BoshTransport:
    def __init__(self, http: HttpClient, url: str, domain: str) -> None:
        self._http = http
        self._url = url
        self._session = BoshSession(domain, random.randrange(1, 2**48))
        self._tasks: set[asyncio.Task[None]] = set()
        self._received: asyncio.Queue[Element | TransportClosed] = asyncio.Queue(MAX_QUEUED)
        self._ended = False

    async def start(self) -> None:
        return

    def send(self, item: Output) -> None:
        self._session.send(item)
        # What is sent in one go travels in one request.
        asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        while not self._ended and (request := self._session.next_request()) is not None:
            task = asyncio.create_task(self._post(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _post(self, request: BoshRequest) -> None:
        failure = NetworkFailure("closed")
        for attempt in range(MAX_RETRIES + 1):
            if attempt:
                await asyncio.sleep(BOSH_RETRY_S * attempt)
            try:
                response = await self._http.request(
                    "POST",
                    self._url,
                    data=request.body.encode(),
                    headers={"Content-Type": "text/xml; charset=utf-8"},
                    timeout_s=WAIT_S + BOSH_ANSWER_MARGIN_S,
                )
                if response.status == 200:
                    self._deliver(request, response.text)
                    return
                failure = NetworkFailure(f"http_{response.status}", status=response.status)
                if response.status in (400, 403, 404):
                    break
            except NetworkFailure as error:
                failure = error
                if error.code in ("dns", "tls", "bad_address"):
                    break
        self._end(TransportClosed("BOSH request failed", failure.code, failure.status))

    def _deliver(self, request: BoshRequest, text: str) -> None:
        try:
            elements = self._session.on_response(request.rid, text)
        except BoshError as error:
            self._end(TransportClosed(error.condition))
            return
        self._hand_over(elements)
        if self._session.gap and not self._ended:
            asyncio.get_running_loop().call_later(BOSH_REORDER_S, self._skip_gap)

    def _skip_gap(self) -> None:
        if self._session.gap and not self._ended:
            try:
                self._hand_over(self._session.skip_gap())
            except BoshError as error:
                self._end(TransportClosed(error.condition))

    def _hand_over(self, elements: list[Element]) -> None:
        for element in elements:
            with contextlib.suppress(asyncio.QueueFull):
                self._received.put_nowait(element)
        if self._session.closed:
            self._end(TransportClosed("terminated"))
        else:
            asyncio.get_running_loop().call_later(BOSH_POLL_DELAY_S, self._pump)

    def _end(self, reason: TransportClosed) -> None:
        if not self._ended:
            self._ended = True
            with contextlib.suppress(asyncio.QueueFull):
                self._received.put_nowait(reason)

    async def receive(self) -> Element:
        item = await self._received.get()
        if isinstance(item, TransportClosed):
            raise item
        return item

    def abort(self) -> None:
        self._end(TransportClosed("cut"))
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        self._pump()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
