"""SIP over WebSocket, server side (RFC 7118): connections, and user agents that outlive them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from app.protocols.sip.digest import DigestServer
from app.protocols.sip.events import Event
from app.protocols.sip.message import RemoteProtocolError, Request, Response, is_keep_alive, parse
from app.protocols.sip.user_agent import Config, UserAgent
from app.sandbox.wazo.faults import Faults
from app.sandbox.wazo.options import SandboxOptions

log = logging.getLogger(__name__)

SUBPROTOCOL = "sip"
REALM = "asterisk"
SERVER = "Wazo PBX"
MAX_FRAME_BYTES = 256 * 1024
MAX_QUEUED = 2000
KEPT_FRAMES = 2000
NONCE_LIFE_S = 3600.0
"""Long, so that only the fault that drops nonces makes clients meet stale ones."""
REATTACH_S = 32.0
"""A call whose connection broke waits so long for the client to come back."""
ALLOW = (
    "OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK",
    "INFO", "MESSAGE", "REFER",
)  # fmt: skip
Handler = Callable[["Peer", Event], None]


class Peer:
    """A user agent of the server towards one client. Its dialogs survive the connection for a while."""

    def __init__(self, sockets: SipSockets, socket: SipSocket, user_uuid: str) -> None:
        self.sockets, self.socket = sockets, socket
        self.user_uuid = user_uuid
        options = sockets.options
        self.agent = UserAgent(
            Config(
                aor=f"sip:{SERVER.replace(' ', '-')}@127.0.0.1",
                transport="WS",
                host=f"127.0.0.1:{sockets.port}",
                contact_user="asterisk",
                user_agent=SERVER,
                allow=ALLOW,
                extra_methods=frozenset(("REGISTER",)),
                supported=("100rel", "timer", "replaces", "norefersub"),
                session_expires=options.session_expires,
                min_se=options.min_se,
                enforce_session_expiry=False,
                any_user=True,
                message_status=202,
            ),
            sockets.authenticator,
        )
        self._timer: asyncio.TimerHandle | None = None
        self._lost_timer: asyncio.TimerHandle | None = None
        self._pumping = False

    def receive(self, text: str) -> None:
        self._dispatch(self.agent.receive(text, time.monotonic()))

    def pump(self) -> None:
        """Send what waits and handle events that commands caused; call it after every command."""
        if not self._pumping:
            self._dispatch(self.agent.take_events())

    def _dispatch(self, events: list[Event]) -> None:
        if self._pumping:
            # A command inside a handler: its events follow those at hand.
            self.agent.core.events[:0] = events
            return
        self._pumping = True
        try:
            while events:
                for event in events:
                    self._write()
                    self.sockets.handler(self, event)
                events = self.agent.take_events()
        finally:
            self._pumping = False
        self._write()
        self._schedule()

    def _write(self) -> None:
        for frame in self.agent.outgoing():
            self.socket.write(frame)

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.agent.next_timeout()
        if due is not None:
            delay = max(0.0, due - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay, self._poll)

    def _poll(self) -> None:
        self._timer = None
        self._dispatch(self.agent.poll(time.monotonic()))

    # ------------------------------------------------------------------ connections come and go

    def lost(self) -> None:
        self._dispatch(self.agent.connection_lost(time.monotonic()))
        if not self.agent.calls:
            self.close()
        else:
            self._lost_timer = asyncio.get_running_loop().call_later(REATTACH_S, self._give_up)

    def attach(self, socket: SipSocket) -> None:
        """The client came back on another connection."""
        if self._lost_timer is not None:
            self._lost_timer.cancel()
            self._lost_timer = None
        self.socket.peers.discard(self)
        self.socket = socket
        socket.peers.add(self)
        self._dispatch(self.agent.connected(time.monotonic()))

    def _give_up(self) -> None:
        now = time.monotonic()
        for key in list(self.agent.calls):
            self.agent.bye(key, now)
        self._dispatch(self.agent.take_events())
        self.close()

    def close(self) -> None:
        for timer in (self._timer, self._lost_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._lost_timer = None
        self.sockets.peers.discard(self)


class SipSocket:
    """One WebSocket connection with its ordered, possibly delayed, output."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, faults: Faults) -> None:
        self.request, self.socket, self._faults = request, socket, faults
        self.peers: set[Peer] = set()
        self.frames: deque[tuple[str, str]] = deque(maxlen=KEPT_FRAMES)
        """``<`` from the client or ``>`` to it, and the frame."""
        self._queue: deque[tuple[float, str]] = deque()
        self._wake = asyncio.Event()

    def write(self, text: str) -> None:
        faults = self._faults
        lost = next((start for start in faults.lose_sip if text.startswith(start)), None)
        if lost is not None:
            faults.lose_sip.remove(lost)
        if lost is not None or faults.silent_sip:
            return
        if len(self._queue) >= MAX_QUEUED:
            self.abort()
            return
        self.frames.append((">", text))
        self._queue.append((time.monotonic() + faults.delay_sip_s, text))
        self._wake.set()

    def abort(self) -> None:
        """Break the connection as a dead network does."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def pump(self) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            due, text = self._queue.popleft()
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            try:
                await self.socket.send_str(text)
            except (ConnectionError, RuntimeError):
                return


class SipSockets:
    """Serves ``/api/asterisk/ws``."""

    def __init__(
        self, options: SandboxOptions, faults: Faults, password_of: Callable[[str], str | None], handler: Handler
    ) -> None:
        self.options, self.faults, self.handler = options, faults, handler
        self.authenticator = DigestServer(REALM, password_of, options.digest_algorithms, nonce_life_s=NONCE_LIFE_S)
        self.on_lost: Callable[[Peer], None] = lambda peer: None
        self.port = 0
        self.sockets: set[SipSocket] = set()
        self.peers: set[Peer] = set()
        self.malformed: deque[str] = deque(maxlen=100)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.faults.refuse_sip_socket:
            return web.Response(status=self.faults.refuse_sip_socket)
        if request.headers.get("Sec-WebSocket-Protocol") != SUBPROTOCOL:
            return web.Response(status=403, text="<html><h1>403 Forbidden</h1></html>", content_type="text/html")
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,), max_msg_size=MAX_FRAME_BYTES)
        await socket.prepare(request)
        connection = SipSocket(request, socket, self.faults)
        primary = Peer(self, connection, request.query.get("userUuid", ""))
        connection.peers.add(primary)
        self.sockets.add(connection)
        self.peers.add(primary)
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(connection.pump()), loop.create_task(self._keep_alive(connection))]
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._frame(connection, primary, message.data)
                elif message.type is WSMsgType.BINARY:
                    self._frame(connection, primary, message.data.decode("utf-8", "replace"))
        finally:
            self.sockets.discard(connection)
            for peer in list(connection.peers):
                peer.lost()
                self.on_lost(peer)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return socket

    async def _keep_alive(self, connection: SipSocket) -> None:
        while True:
            await asyncio.sleep(self.options.keep_alive_s)
            connection.write("\r\n\r\n")

    def _frame(self, connection: SipSocket, primary: Peer, text: str) -> None:
        connection.frames.append(("<", text))
        if is_keep_alive(text):
            return
        peer = primary
        try:
            message: Any = parse(text)
        except RemoteProtocolError as error:
            self.malformed.append(str(error))
        else:
            peer = self._owner(connection, primary, message)
        peer.receive(text)

    def _owner(self, connection: SipSocket, primary: Peer, message: Request | Response) -> Peer:
        """Whose dialog or transaction a message belongs to; its peer moves to this connection if it must."""
        if isinstance(message, Response):
            key = (message.branch, message.cseq.method, "")
            return next((p for p in connection.peers if key in p.agent.core.layer.clients), primary)
        if message.to_tag:
            tag = (message.call_id, message.to_tag)
            for peer in self.peers:
                if tag in peer.agent.by_tag:
                    if peer.socket is not connection:
                        peer.attach(connection)
                    return peer
        return primary

    def drop(self, user_uuid: str = "") -> int:
        """Break connections without any close; returns how many."""
        chosen = [s for s in self.sockets if not user_uuid or any(p.user_uuid == user_uuid for p in s.peers)]
        for socket in chosen:
            socket.abort()
        return len(chosen)

    def close(self) -> None:
        for peer in list(self.peers):
            peer.close()
        for socket in list(self.sockets):
            socket.abort()
