"""The Prosody of the system's packages as an ordinary process, a meeting controller beside it, and a wire to cut.

Nothing of Prosody is replaced: its own WebSocket, BOSH, login, room and stream management modules with a generated
configuration. Jitsi's own Prosody modules are not there, so the controller is an external component (XEP-0114).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from xml.etree.ElementTree import Element, XMLPullParser

DOMAIN = "meet.test"
ACCOUNTS = "accounts.meet.test"
MUC = "conference.meet.test"
FOCUS = "focus.meet.test"
START_TIMEOUT_S = 20.0
"""Prosody listens after a second; a loaded machine may need much longer."""
STOP_TIMEOUT_S = 5.0
POLL_S = 0.02
COMPONENT = "{jabber:component:accept}"
OCCUPANT = "{http://jabber.org/protocol/muc#user}"

CONFIGURATION = """
run_as_root = {root}
data_path = "{folder}"
pidfile = "{folder}/prosody.pid"
log = {{ info = "{folder}/prosody.log" }}
modules_enabled = {{ "saslauth"; "disco"; "ping"; "websocket"; "bosh"; "smacks" }}
modules_disabled = {{ "s2s"; "tls"; "offline" }}
c2s_ports = {{ }}
c2s_direct_tls_ports = {{ }}
interfaces = {{ "127.0.0.1" }}
http_ports = {{ {http} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
http_default_host = "{domain}"
component_ports = {{ {component} }}
component_interfaces = {{ "127.0.0.1" }}
c2s_require_encryption = false
consider_bosh_secure = true
consider_websocket_secure = true
smacks_hibernation_time = 60

VirtualHost "{domain}"
  authentication = "anonymous"
VirtualHost "{accounts}"
  authentication = "internal_hashed"
Component "{muc}" "muc"
  restrict_room_creation = false
  muc_room_locking = false
  muc_room_default_public_jids = true
Component "{focus}"
  component_secret = "{secret}"
"""


class ProsodyMissing(Exception):
    """Prosody is not installed or does not start; the text says what to do or what it said."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Prosody:
    """A running server: ``accounts`` (name to password) exist on the host :data:`ACCOUNTS`."""

    def __init__(self, folder: Path, accounts: dict[str, str]) -> None:
        self._folder = folder
        self._accounts = accounts
        self.http_port, self.component_port = free_port(), free_port()
        self.secret = secrets.token_hex(8)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        if shutil.which("prosody") is None or shutil.which("prosodyctl") is None:
            raise ProsodyMissing("prosody is not installed; as an administrator: apt-get install prosody")
        configuration = self._folder / "prosody.cfg.lua"
        configuration.write_text(
            CONFIGURATION.format(
                **{"folder": self._folder, "root": str(os.geteuid() == 0).lower(), "domain": DOMAIN},
                **{"accounts": ACCOUNTS, "muc": MUC, "focus": FOCUS, "secret": self.secret},
                **{"http": self.http_port, "component": self.component_port},
            )
        )
        for name, password in self._accounts.items():
            await self._run("prosodyctl", "--config", str(configuration), "register", name, ACCOUNTS, password)
        self._process = await asyncio.create_subprocess_exec(
            *("prosody", "--config", str(configuration), "-F"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await self._until_listening(self._process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    @staticmethod
    async def _run(*command: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await asyncio.wait_for(process.communicate(), START_TIMEOUT_S)
        if process.returncode != 0:
            raise ProsodyMissing(f"{command[0]} failed: {output.decode(errors='replace').strip()}")

    async def _until_listening(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                for port in (self.http_port, self.component_port):
                    while not await _listens(port):
                        if process.returncode is not None:
                            raise ProsodyMissing(f"prosody ended with {process.returncode}: {self.log()}")
                        await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            raise ProsodyMissing(f"prosody does not listen: {self.log()}") from error

    def log(self) -> str:
        path = self._folder / "prosody.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else "(no log)"

    def config(self, port: int | None = None, **more: Any) -> dict[str, Any]:
        """What ``config.js`` would say; *port* when the way there leads through a :class:`Wire`."""
        place = f"127.0.0.1:{port or self.http_port}"
        hosts = {"domain": DOMAIN, "muc": MUC, "focus": FOCUS, "authdomain": ACCOUNTS}
        return {
            "hosts": hosts,
            "websocket": f"ws://{place}/xmpp-websocket",
            "bosh": f"http://{place}/http-bind",
            "websocketKeepAlive": -1,
            **more,
        }


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Focus:
    """A meeting controller without media: enters each room that is asked for as ``focus``, makes the first participant
    owner when there is none, and passes mutes on as Jicofo does."""

    def __init__(self, prosody: Prosody) -> None:
        self._prosody = prosody
        self.asked: list[str] = []
        """Rooms, one entry for each conference request."""
        self.members: dict[str, dict[str, str]] = {}
        """Room to nick to real JID."""
        self._owners: dict[str, set[str]] = {}
        self._entered: dict[str, list[Callable[[], None]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._number = 0

    async def __aenter__(self) -> Self:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._prosody.component_port)
        self._writer = writer
        parser = XMLPullParser(("start", "end"))
        writer.write(
            b"<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
            b"to='%s'>" % FOCUS.encode()
        )
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._read(reader, parser, ready))
        async with asyncio.timeout(START_TIMEOUT_S):
            await ready
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._writer is not None:
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader, parser: XMLPullParser, ready: asyncio.Future[None]) -> None:
        depth = 0
        while data := await reader.read(65_536):
            parser.feed(data)
            for kind, element in parser.read_events():
                depth += 1 if kind == "start" else -1
                if kind == "start" and depth == 1:
                    proof = hashlib.sha1((element.get("id", "") + self._prosody.secret).encode()).hexdigest()
                    self._write(f"<handshake>{proof}</handshake>")
                elif kind == "end" and depth == 1:
                    if element.tag == f"{COMPONENT}handshake":
                        ready.set_result(None)
                    else:
                        self._stanza(element)
        if not ready.done():
            ready.set_exception(ProsodyMissing("prosody refused the controller"))

    def _write(self, text: str) -> None:
        assert self._writer is not None
        self._writer.write(text.encode())

    def _stanza(self, stanza: Element) -> None:
        conference = stanza.find("{http://jitsi.org/protocol/focus}conference")
        if stanza.tag == f"{COMPONENT}presence":
            self._presence(stanza)
        elif conference is not None and stanza.get("type") == "set":
            room = conference.get("room", "")
            self.asked.append(room)
            self._when_entered(room, lambda: self._answer_conference(stanza))
        elif stanza.tag == f"{COMPONENT}iq" and stanza.get("type") in ("get", "set"):
            self._on_request(stanza)

    def _answer_conference(self, stanza: Element) -> None:
        self._write(
            f"<iq type='result' id='{stanza.get('id')}' from='{FOCUS}' to='{stanza.get('from')}'>"
            f"<conference xmlns='http://jitsi.org/protocol/focus' ready='true' focusjid='focus@{FOCUS}'/></iq>"
        )

    def _when_entered(self, room: str, then: Callable[[], None]) -> None:
        if "focus" in self.members.get(room, {}):
            then()
            return
        self._entered.setdefault(room, []).append(then)
        self._write(
            f"<presence from='focus@{FOCUS}/focus' to='{room}/focus'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )

    def _presence(self, stanza: Element) -> None:
        room, _, nick = stanza.get("from", "").partition("/")
        item = stanza.find(f"{OCCUPANT}x/{OCCUPANT}item")
        if item is None or stanza.get("type") == "error":
            return
        members, owners = self.members.setdefault(room, {}), self._owners.setdefault(room, set())
        owners.discard(nick)
        if stanza.get("type") == "unavailable":
            members.pop(nick, None)
            return
        members[nick] = item.get("jid", "")
        if nick == "focus":
            for then in self._entered.pop(room, []):
                then()
            return
        if item.get("affiliation") == "owner":
            owners.add(nick)
        elif not owners:
            owners.add(nick)
            self._number += 1
            self._write(
                f"<iq type='set' id='grant{self._number}' from='focus@{FOCUS}/focus' to='{room}'>"
                f"<query xmlns='http://jabber.org/protocol/muc#admin'>"
                f"<item affiliation='owner' jid='{members[nick].partition('/')[0]}'/></query></iq>"
            )

    def _on_request(self, stanza: Element) -> None:
        """A moderator's mute goes on to the one who is meant, and everybody may unmute themselves."""
        sender, id_ = stanza.get("from", ""), stanza.get("id", "")
        room, _, nick = sender.partition("/")
        mute = next((child for child in stanza if child.tag.endswith("}mute")), None)
        if mute is not None and mute.get("jid") == sender:
            self._write(f"<iq type='result' id='{id_}' from='focus@{FOCUS}/focus' to='{sender}'/>")
            return
        if mute is None or mute.text != "true" or nick not in self._owners.get(room, ()):
            condition = "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
            self._write(
                f"<iq type='error' id='{id_}' from='focus@{FOCUS}/focus' to='{sender}'>"
                f"<error type='cancel'>{condition}</error></iq>"
            )
            return
        namespace = mute.tag[1:].partition("}")[0]
        self._number += 1
        self._write(
            f"<iq type='set' id='mute{self._number}' from='focus@{FOCUS}/focus' to='{mute.get('jid')}'>"
            f"<mute xmlns='{namespace}' actor='{sender}'>true</mute></iq>"
            f"<iq type='result' id='{id_}' from='focus@{FOCUS}/focus' to='{sender}'/>"
        )


class Wire:
    """A way to a port that can be cut without goodbye, and through which data can be lost."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()
        self.swallow = False
        """What is sent now, in either direction, never arrives."""
        self.opened = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        self._abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self.opened += 1
        self._pairs |= {writer, there_writer}
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                if not self.swallow:
                    sink.write(data)
            if sink.can_write_eof() and not sink.is_closing():
                sink.write_eof()

    def _abort(self) -> None:
        pairs, self._pairs = self._pairs, set()
        for writer in pairs:
            writer.transport.abort()

    def cut(self) -> None:
        """Reset all connections; new ones wait until :meth:`mend`."""
        self._open.clear()
        self._abort()
        self.swallow = False

    def mend(self) -> None:
        self._open.set()
