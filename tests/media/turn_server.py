"""A small STUN and TURN server on loopback (RFC 8489, RFC 8656), UDP and TCP, with long-term credentials."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any

from aioice import stun
from aioice.turn import make_integrity_key

REALM = "loopback"
NONCE = b"0123456789abcdef"
Reply = Callable[[bytes], None]


class Relay(asyncio.DatagramProtocol):
    """The relayed side of one allocation."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.channels: dict[int, tuple[str, int]] = {}
        self.transport: Any = None
        self.relayed = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for channel, peer in self.channels.items():
            if peer == addr[:2]:
                self.relayed += 1
                framed = struct.pack("!HH", channel, len(data)) + data
                self.reply(framed + bytes(-len(framed) % 4))


class TurnServer:
    """``async with TurnServer() as server``: :attr:`port` for UDP and TCP; counts what it relays."""

    def __init__(self, username: str = "user", password: str = "secret") -> None:
        self.username, self.key = username, make_integrity_key(username, REALM, password)
        self.relays: dict[Any, Relay] = {}
        self.allocations = 0
        self.refused = 0
        self.writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> TurnServer:
        loop = asyncio.get_running_loop()
        self.udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=("127.0.0.1", 0))
        self.port: int = self.udp.get_extra_info("sockname")[1]
        self.tcp = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.udp.close()
        self.tcp.close()
        for writer in tuple(self.writers):
            writer.close()
        for relay in self.relays.values():
            relay.transport.close()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        peer = ("tcp", *writer.get_extra_info("peername"))
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readexactly(4)
                length = struct.unpack("!H", head[2:])[0]
                rest = length + -length % 4 if head[0] & 0xC0 == 0x40 else length + 16
                await self.handle(head + await reader.readexactly(rest), peer, writer.write)
        self.writers.discard(writer)

    async def handle(self, data: bytes, client: Any, reply: Reply) -> None:
        if data[0] & 0xC0 == 0x40:
            channel, length = struct.unpack("!HH", data[:4])
            relay = self.relays.get(client)
            if relay is not None and channel in relay.channels:
                relay.relayed += 1
                relay.transport.sendto(data[4 : 4 + length], relay.channels[channel])
            return
        request = stun.parse_message(data)
        response = stun.Message(
            message_method=request.message_method,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        if request.message_method == stun.Method.BINDING:
            # As if there were an address translator on the way.
            response.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.7", 4711)
        elif request.attributes.get("USERNAME") != self.username or not request.check_message_integrity(self.key):
            self.refused += 1
            response.message_class = stun.Class.ERROR
            response.attributes.update({"ERROR-CODE": (401, "Unauthorized"), "REALM": REALM, "NONCE": NONCE})
            reply(bytes(response))
            return
        else:
            await self._act(request, response, client, reply)
            response.add_message_integrity(self.key)
        reply(bytes(response))

    async def _act(self, request: stun.Message, response: stun.Message, client: Any, reply: Reply) -> None:
        if request.message_method == stun.Method.ALLOCATE:
            loop = asyncio.get_running_loop()
            transport, relay = await loop.create_datagram_endpoint(lambda: Relay(reply), local_addr=("127.0.0.1", 0))
            self.relays[client] = relay
            self.allocations += 1
            response.attributes["LIFETIME"] = 600
            response.attributes["XOR-MAPPED-ADDRESS"] = ("127.0.0.1", client[-1])
            response.attributes["XOR-RELAYED-ADDRESS"] = transport.get_extra_info("sockname")
        elif request.message_method == stun.Method.CHANNEL_BIND:
            self.relays[client].channels[request.attributes["CHANNEL-NUMBER"]] = request.attributes["XOR-PEER-ADDRESS"]
        elif request.message_method == stun.Method.REFRESH:
            response.attributes["LIFETIME"] = request.attributes["LIFETIME"]
            if request.attributes["LIFETIME"] == 0:
                self.relays.pop(client).transport.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: TurnServer) -> None:
        self.server = server
        self.tasks: set[asyncio.Task[None]] = set()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        work = self.server.handle(data, addr, lambda answer: self.transport.sendto(answer, addr))
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
