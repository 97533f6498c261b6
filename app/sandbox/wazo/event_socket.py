"""The event socket, wazo-websocketd, protocol versions 1 and 2 (wazo.md 6)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import WSMsgType, web

from app.sandbox.wazo.acl import allows
from app.sandbox.wazo.state import State

NO_TOKEN, AUTH_FAILED, AUTH_EXPIRED, PROTOCOL_ERROR = 4001, 4002, 4003, 4004
MAX_FRAME_BYTES = 64 * 1024
MAX_QUEUED = 2000
PING_S = 60.0


class Misuse(Exception):
    """The client broke the protocol; the session closes with 4004."""


class EventSession:
    """One connection. Frames to the client are queued and written in order."""

    def __init__(self, state: State, request: web.Request, socket: web.WebSocketResponse, version: int) -> None:
        self.state, self.request, self.socket, self.version = state, request, socket, version
        self.token = self.user_uuid = ""
        self.events: set[str] = set()
        self.started = False
        self.received: list[dict[str, Any]] = []
        """Operations of the client, newest last (at most 200)."""
        self._queue: asyncio.Queue[str | int] = asyncio.Queue(MAX_QUEUED)

    # ------------------------------------------------------------------ to the client

    def _put(self, item: str | int) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            self.abort()

    def answer(self, op: str, data: Any = None) -> None:
        self._put(json.dumps({"op": op, "code": 0, "data": data}))

    def close(self, code: int) -> None:
        self._put(code)

    def abort(self) -> None:
        """Break the connection as a dead network does."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def event(self, event: dict[str, Any], required_acl: str) -> None:
        """One event of the bus that is meant for this user."""
        if not self.started or not ("*" in self.events or event["name"] in self.events):
            return
        token = self.state.tokens.get(self.token)
        if token is None or not allows(token.acl, required_acl, token.user_uuid, token.session_uuid):
            return
        if self.version == 1:
            self._put(json.dumps(event))
        else:
            self.answer("event", event)

    def token_gone(self) -> None:
        self.close(AUTH_EXPIRED)

    async def pump(self) -> None:
        while True:
            item = await self._queue.get()
            try:
                if isinstance(item, int):
                    await self.socket.close(code=item)
                    return
                await self.socket.send_str(item)
            except (ConnectionError, RuntimeError):
                return

    # ------------------------------------------------------------------ from the client

    def authenticate(self, text: str) -> int:
        """0, or the code to close with."""
        if not text:
            return NO_TOKEN
        token = self.state.token(text)
        if token is None or not allows(token.acl, "websocketd", token.user_uuid):
            return AUTH_FAILED
        self.token, self.user_uuid = text, token.user_uuid
        return 0

    def receive(self, text: str) -> None:
        """One frame. Raises :class:`Misuse`."""
        try:
            message = json.loads(text)
            op, data = message["op"], message.get("data") or {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Misuse from None
        if not isinstance(data, dict) or any(not isinstance(value, str) for value in data.values()):
            raise Misuse
        self.received.append({"op": op, **{k: v for k, v in data.items() if k != "token"}})
        del self.received[:-200]
        quiet = self.version == 1 and self.started
        if op == "subscribe" and "event_name" in data:
            self.events.add(data["event_name"])
        elif op == "start":
            self.started = True
        elif op == "token" and "token" in data:
            code = self.authenticate(data["token"])
            if code:
                self.close(code)
                return
        elif op == "ping" and self.version == 2:
            self.answer("pong", {"payload": data.get("payload", "")})
            return
        else:
            raise Misuse
        if not quiet:
            self.answer(op)


class EventSocket:
    """Serves ``/api/websocketd/``."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.sessions: set[EventSession] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self.state.faults.refuse_websocket:
            return web.Response(status=self.state.faults.refuse_websocket)
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, heartbeat=PING_S)
        await socket.prepare(request)
        text = request.query.get("version", "1")
        if text not in ("1", "2"):
            await socket.close(code=PROTOCOL_ERROR)
            return socket
        session = EventSession(self.state, request, socket, int(text))
        token = request.query.get("token", "") or request.headers.get("X-Auth-Token", "")
        if code := session.authenticate(token):
            await socket.close(code=code)
            return socket
        await self._serve(session)
        return socket

    async def _serve(self, session: EventSession) -> None:
        self.sessions.add(session)
        bus, state = self.state.bus, self.state
        was_connected = bus.connected(session.user_uuid)
        bus.subscribers.add(session)
        if not was_connected:
            state.presence_changed(session.user_uuid)
        session.answer("init", {"version": session.version})
        pump = asyncio.get_running_loop().create_task(session.pump())
        try:
            async for message in session.socket:
                if message.type is not WSMsgType.TEXT:
                    session.close(PROTOCOL_ERROR)
                    break
                try:
                    session.receive(message.data)
                except Misuse:
                    session.close(PROTOCOL_ERROR)
        finally:
            self.sessions.discard(session)
            bus.subscribers.discard(session)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            if not bus.connected(session.user_uuid):
                state.presence_changed(session.user_uuid)

    def drop(self, code: int = 0, user_uuid: str = "") -> int:
        """Close sessions with *code*, or break their connections without any close (0); returns how many."""
        chosen = [s for s in self.sessions if user_uuid in ("", s.user_uuid)]
        for session in chosen:
            if code:
                session.close(code)
            else:
                session.abort()
        return len(chosen)
