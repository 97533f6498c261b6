"""The connection against the smallest XMPP server that can resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from aiohttp import WSMsgType, web

from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.xmpp import ns
from app.protocols.xmpp.connection import ConnectionOptions, ConnectionState, XmppConnection
from app.protocols.xmpp.framing import is_open, open_frame
from app.protocols.xmpp.stanza import iq, message, result_of
from app.protocols.xmpp.xml import el, find, name_of, namespace_of, parse, serialise

PATIENCE_S = 10.0


class Server:
    """Anonymous login, bind, stream management with one resumable session."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.queries: list[str] = []
        self.stanzas: list[Element] = []
        self.received = 0
        self.sent = 0
        self.refuse_resume = False
        self.answer_pings = True
        self.pings = 0
        self.arrived = asyncio.Event()
        self.port = 0

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("xmpp",))
        await socket.prepare(request)
        self.sockets.append(socket)
        self.queries.append("&".join(f"{k}={v}" for k, v in request.query.items()))
        authenticated = False
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            element = parse(frame.data)
            if is_open(element):
                await socket.send_str(serialise(open_frame(from_="example.com")))
                inner = [el("bind", ns.BIND), el("sm", ns.SM)]
                if not authenticated:
                    inner = [el("mechanisms", ns.SASL, None, el("mechanism", ns.SASL, text="ANONYMOUS"))]
                await socket.send_str(serialise(el("features", ns.STREAMS, None, *inner)))
            elif namespace_of(element) == ns.SASL:
                authenticated = True
                await socket.send_str(serialise(el("success", ns.SASL)))
            elif namespace_of(element) == ns.SM:
                await self._manage(socket, element)
            else:
                await self._stanza(socket, element)
        return socket

    async def _manage(self, socket: web.WebSocketResponse, element: Element) -> None:
        name = name_of(element)
        if name == "enable":
            self.received = self.sent = 0
            await socket.send_str(serialise(el("enabled", ns.SM, {"resume": "true", "id": "tok/1"})))
        elif name == "r":
            await socket.send_str(serialise(el("a", ns.SM, {"h": self.received})))
        elif name == "resume":
            assert element.get("h") == str(self.sent)
            answer = el("failed", ns.SM) if self.refuse_resume else el("resumed", ns.SM, {"h": self.received})
            await socket.send_str(serialise(answer))

    async def _stanza(self, socket: web.WebSocketResponse, element: Element) -> None:
        if find(element, "bind", ns.BIND) is not None:
            jid = el("jid", ns.BIND, text="a1b2c3d4@example.com/r")
            await socket.send_str(serialise(result_of(element, el("bind", ns.BIND, None, jid))))
            return
        self.received += 1
        if find(element, "ping", ns.PING) is not None:
            self.pings += 1
            if self.answer_pings:
                self.sent += 1
                await socket.send_str(serialise(result_of(element)))
            return
        self.stanzas.append(element)
        self.arrived.set()

    async def push(self, stanza: Element) -> None:
        self.sent += 1
        await self.sockets[-1].send_str(serialise(stanza))

    def cut(self) -> None:
        transport: Any = self.sockets[-1]._req.transport  # type: ignore[union-attr]
        transport.abort()


class Client:
    def __init__(self, server: Server, **options: Any) -> None:
        self.stanzas: list[Element] = []
        self.states: list[str] = []
        self.changed = asyncio.Event()
        self.http = HttpClient()
        made = {"resume_delays_s": ((0.0, 0.01),) * 3, "keep_alive_s": -1.0, **options}
        self.connection = XmppConnection(
            ConnectionOptions(f"ws://127.0.0.1:{server.port}/xmpp-websocket?room=team", "example.com", **made),
            self.http,
            self.on_stanza,
            self.on_state,
        )

    def on_stanza(self, stanza: Element) -> None:
        self.stanzas.append(stanza)
        self.changed.set()

    def on_state(self, state: ConnectionState) -> None:
        self.states.append(state.state + (":" + state.failure.code if state.state == "lost" and state.failure else ""))
        self.changed.set()

    async def until(self, met: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not met():
                self.changed.clear()
                await self.changed.wait()

    async def close(self) -> None:
        await self.connection.close()
        await self.http.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    application = web.Application()
    application.router.add_get("/xmpp-websocket", made.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def _arrived(server: Server, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(server.stanzas) < count:
            server.arrived.clear()
            await server.arrived.wait()


async def test_resumption_loses_and_doubles_nothing(server: Server) -> None:
    client = Client(server)
    assert await client.connection.connect() == "a1b2c3d4@example.com/r"
    for number in range(12):
        client.connection.send(message("x@y", id_=str(number)))
    await _arrived(server, 12)
    await server.push(message("me", id_="from-server"))
    await client.until(lambda: client.stanzas)
    server.cut()
    await client.until(lambda: "interrupted" in client.states)
    client.connection.send(message("x@y", id_="while-away"))
    await client.until(lambda: "resumed" in client.states)
    client.connection.send(message("x@y", id_="after"))
    await _arrived(server, 14)
    assert [s.get("id") for s in server.stanzas] == [str(n) for n in range(12)] + ["while-away", "after"]
    assert server.queries[-1] == "room=team&previd=tok/1"
    await client.close()


async def test_refused_resumption_is_reported(server: Server) -> None:
    client = Client(server)
    await client.connection.connect()
    server.refuse_resume = True
    server.cut()
    await client.until(lambda: client.states[-1].startswith("lost"))
    assert client.states == ["connected", "interrupted", "lost:resume_failed"]
    await client.close()


async def test_silent_server_is_noticed_by_pings(server: Server) -> None:
    client = Client(server, ping_interval_s=0.05, ping_timeout_s=0.05, ping_threshold=2)
    await client.connection.connect()
    server.answer_pings = False
    await client.until(lambda: "resumed" in client.states)
    assert server.pings >= 2
    await client.close()


async def test_bad_frames_are_dropped_and_a_flood_of_them_ends_it(server: Server) -> None:
    client = Client(server, resume_delays_s=())
    await client.connection.connect()
    await server.sockets[-1].send_str("<not xml")
    await server.push(iq("result", "q", None))
    await client.until(lambda: client.stanzas)
    for _ in range(20):
        await server.sockets[-1].send_str("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
    await client.until(lambda: client.states[-1].startswith("lost"))
    await client.close()


async def test_refused_connections_say_why() -> None:
    http = HttpClient()
    options = ConnectionOptions("ws://127.0.0.1:9/x", "example.com")
    with pytest.raises(NetworkFailure) as failed:
        await XmppConnection(options, http, lambda _s: None, lambda _s: None).connect()
    assert failed.value.code == "tcp"
    await http.close()
