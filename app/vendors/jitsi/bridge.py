"""The I/O of the bridge channel: a WebSocket, or the transport's data channel; reconnects by itself (jitsi.md 7.1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.media.api import Transport
from app.media.errors import MediaError
from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.websocket import open_websocket

if TYPE_CHECKING:
    import aiohttp

LABEL = "JVB data channel"
PROTOCOL = "http://jitsi.org/protocols/colibri"
FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
"""lib-jitsi-meet tries again after 1, 2, 4 ... 60 seconds."""
MAX_QUEUED = 200
"""Messages waiting for a slow socket; constraints are sent again after a reconnect anyway."""
CLOSE_TIMEOUT_S = 1.0

log = logging.getLogger(__name__)


class BridgeChannel:
    """One channel to one bridge. Callbacks run on the loop that made it."""

    def __init__(
        self,
        http: HttpClient,
        on_open: Callable[[], None],
        on_text: Callable[[str], None],
        on_closed: Callable[[], None],
    ) -> None:
        self._http = http
        self._on_open = on_open
        self._on_text = on_text
        self._on_closed = on_closed
        self._transport: Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[str] | None = None
        self._lost = asyncio.Event()
        self._data_open = False
        self._ended = False

    # ------------------------------------------------------------------ data channel

    def use_data_channel(self, transport: Transport) -> None:
        self._transport = transport
        self._task = asyncio.create_task(self._keep_data_channel(transport))

    async def _keep_data_channel(self, transport: Transport) -> None:
        delay = FIRST_RETRY_S
        while not self._ended:
            self._lost.clear()
            try:
                await transport.open_data_channel(LABEL, PROTOCOL)
                await self._lost.wait()
                delay = FIRST_RETRY_S
            except MediaError as error:
                log.info("bridge data channel: %s", error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_S)

    def data_channel_opened(self) -> None:
        if self._transport is not None and not self._data_open:
            self._data_open = True
            self._on_open()

    def data_channel_closed(self) -> None:
        if self._data_open:
            self._data_open = False
            self._on_closed()
        self._lost.set()

    def data_channel_text(self, text: str) -> None:
        if self._transport is not None:
            self._on_text(text)

    # ------------------------------------------------------------------ WebSocket

    def use_websocket(self, url: str) -> None:
        self._task = asyncio.create_task(self._keep_websocket(url))

    async def _keep_websocket(self, url: str) -> None:
        parts = urlsplit(url)
        origin = ("https" if parts.scheme == "wss" else "http") + "://" + parts.netloc
        delay = FIRST_RETRY_S
        while not self._ended:
            try:
                socket = await open_websocket(self._http, url, origin=origin)
            except NetworkFailure as failure:
                log.info("bridge websocket: %s", failure.code)
            else:
                delay = FIRST_RETRY_S
                await self._use_socket(socket)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY_S)

    async def _use_socket(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        import aiohttp

        self._queue = asyncio.Queue(MAX_QUEUED)
        writer = asyncio.create_task(self._write(socket, self._queue))
        self._on_open()
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._on_text(message.data)
        except (aiohttp.ClientError, OSError) as error:
            log.info("bridge websocket lost: %s", type(error).__name__)
        finally:
            self._queue = None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            if not self._ended:
                self._on_closed()
            await socket.close()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse, queue: asyncio.Queue[str]) -> None:
        while True:
            text = await queue.get()
            try:
                await socket.send_str(text)
            except (ConnectionError, RuntimeError, OSError):
                return

    # ------------------------------------------------------------------ both

    def send(self, text: str) -> None:
        """Sends when the channel is open; what cannot be sent is dropped, as the bridge never acknowledges anyway."""
        if self._transport is not None:
            if self._data_open:
                try:
                    self._transport.send_data(LABEL, text)
                except MediaError as error:
                    log.info("bridge data channel: %s", error)
        elif self._queue is not None:
            try:
                self._queue.put_nowait(text)
            except asyncio.QueueFull:
                log.warning("bridge websocket takes no more messages")

    async def close(self) -> None:
        self._ended = True
        self._data_open = False
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_TIMEOUT_S)
