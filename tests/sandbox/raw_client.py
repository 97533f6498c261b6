"""A tiny Jitsi client for tests of the sandbox: plain text and regular expressions over a WebSocket, nothing of the
project's own XMPP code, so that both sides cannot share a mistake."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import re
from xml.etree import ElementTree

import aiohttp

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
FEATURES = [
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/disco#info",
    "http://jitsi.org/json-encoded-sources",
    "http://jitsi.org/remb",
    "http://jitsi.org/ssrc-rewriting-1",
    "urn:ietf:rfc:4588",
    "urn:xmpp:jingle:1",
    "urn:xmpp:jingle:apps:dtls:0",
    "urn:xmpp:jingle:apps:rtp:1",
    "urn:xmpp:jingle:apps:rtp:audio",
    "urn:xmpp:jingle:apps:rtp:video",
    "urn:xmpp:jingle:transports:dtls-sctp:1",
    "urn:xmpp:jingle:transports:ice-udp:1",
]
TIMEOUT_S = 10.0


class Stanza:
    """A received element with its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.xml = ElementTree.fromstring(text)

    @property
    def name(self) -> str:
        return self.xml.tag.rpartition("}")[2]

    def get(self, key: str) -> str:
        return self.xml.get(key) or ""

    def has(self, fragment: str) -> bool:
        return fragment in self.text

    def find(self, name: str) -> ElementTree.Element | None:
        return next((node for node in self.xml.iter() if node.tag.rpartition("}")[2] == name), None)

    def all(self, name: str) -> list[ElementTree.Element]:
        return [node for node in self.xml.iter() if node.tag.rpartition("}")[2] == name]


class RawClient:
    """One connection. ``seen`` keeps everything that came, in order."""

    def __init__(self, sandbox, room: str = "room", name: str = "Raw", features: list[str] | None = None) -> None:
        self.sandbox, self.room, self.name = sandbox, room, name
        self.features = sorted(FEATURES if features is None else features)
        self.domain = sandbox.options.domain
        self.seen: list[Stanza] = []
        self.jid = ""
        self.nick = ""
        self.answer_disco = True
        self._ids = itertools.count(1)
        self._arrived = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()

    @property
    def room_jid(self) -> str:
        return f"{self.room}@{self.sandbox.options.muc}"

    # ------------------------------------------------------------ stream

    async def connect(self, query: str = "", to: str = "") -> None:
        self._session = self._session or aiohttp.ClientSession()
        url = f"{self.sandbox.web.base_url}/xmpp-websocket?room={self.room}{query}"
        self._socket = await self._session.ws_connect(url, protocols=["xmpp"])
        self.closed = asyncio.Event()
        self._reader = asyncio.create_task(self._read(self._socket))
        await self.open(to)

    async def open(self, to: str = "") -> Stanza:
        mark = len(self.seen)
        await self.send(f"<open xmlns='{FRAMING}' to='{to or self.domain}' version='1.0'/>")
        return await self.wait(lambda s: s.name in ("features", "error"), mark)

    async def login(self, mechanism: str = "ANONYMOUS", initial: str = "", query: str = "", to: str = "") -> Stanza:
        await self.connect(query, to)
        mark = len(self.seen)
        payload = f" mechanism='{mechanism}'>{initial}</auth>"
        await self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{payload}")
        return await self.wait(lambda s: s.name in ("success", "failure", "challenge"), mark)

    async def bind(self, to: str = "") -> None:
        await self.open(to)
        reply = await self.iq("set", "", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>")
        jid = reply.find("jid")
        assert jid is not None and jid.text
        self.jid = jid.text
        self.nick = self.jid[:8]

    async def start(self, query: str = "") -> None:
        assert (await self.login(query=query)).name == "success"
        await self.bind()

    async def enable_resumption(self) -> str:
        mark = len(self.seen)
        await self.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        return (await self.wait(lambda s: s.name == "enabled", mark)).get("id")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            stanza = Stanza(message.data)
            self.seen.append(stanza)
            self._arrived.set()
            if stanza.name == "iq" and stanza.get("type") == "get" and stanza.has("disco#info") and self.answer_disco:
                await self._answer_disco(stanza)
        self.closed.set()
        self._arrived.set()

    async def _answer_disco(self, stanza: Stanza) -> None:
        query = stanza.find("query")
        assert query is not None
        node = f" node='{query.get('node')}'" if query.get("node") else ""
        features = "".join(f"<feature var='{f}'/>" for f in self.features)
        await self.send(
            f"<iq xmlns='jabber:client' type='result' id='{stanza.get('id')}' to='{stanza.get('from')}'>"
            f"<query xmlns='http://jabber.org/protocol/disco#info'{node}>{features}</query></iq>"
        )

    async def send(self, text: str) -> None:
        assert self._socket is not None
        await self._socket.send_str(text)

    async def wait(self, wanted, since: int = 0, seconds: float = TIMEOUT_S) -> Stanza:
        """The first stanza after index *since* for which *wanted* holds."""
        async with asyncio.timeout(seconds):
            while True:
                for stanza in self.seen[since:]:
                    if wanted(stanza):
                        return stanza
                if self.closed.is_set():
                    raise ConnectionError("closed while waiting")
                self._arrived.clear()
                await self._arrived.wait()

    async def iq(self, kind: str, to: str, payload: str) -> Stanza:
        number = f"q{next(self._ids)}-{self.nick}"
        mark = len(self.seen)
        address = f" to='{to}'" if to else ""
        await self.send(f"<iq xmlns='jabber:client' type='{kind}' id='{number}'{address}>{payload}</iq>")
        return await self.wait(lambda s: s.name == "iq" and s.get("id") == number, mark)

    async def result(self, stanza: Stanza) -> None:
        await self.send(f"<iq xmlns='jabber:client' type='result' id='{stanza.get('id')}' to='{stanza.get('from')}'/>")

    async def close(self, clean: bool = True) -> None:
        if self._socket is not None and not self._socket.closed:
            if clean:
                await self.send(f"<close xmlns='{FRAMING}'/>")
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # ------------------------------------------------------------ meeting

    async def request(self, extra: str = "", attributes: str = "") -> Stanza:
        payload = (
            f"<conference xmlns='http://jitsi.org/protocol/focus' room='{self.room_jid}' machine-uid='{'a' * 32}'"
            f"{attributes}>{extra}</conference>"
        )
        return await self.iq("set", f"focus.{self.domain}", payload)

    @property
    def ver(self) -> str:
        text = "".join(f"{f}<" for f in self.features)
        return base64.b64encode(hashlib.sha1(text.encode()).digest()).decode()

    def presence_xml(self, inside: str = "", join: bool = False, password: str = "") -> str:
        secret = f"<password>{password}</password>" if password else ""
        x = f"<x xmlns='http://jabber.org/protocol/muc'>{secret}</x>" if join else ""
        nick = f"<nick xmlns='http://jabber.org/protocol/nick'>{self.name}</nick>" if self.name else ""
        caps = f"<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://jitsi.org/x' ver='{self.ver}'/>"
        return f"<presence xmlns='jabber:client' to='{self.room_jid}/{self.nick}'>{x}{caps}{nick}{inside}</presence>"

    async def join(self, password: str = "", inside: str = "") -> Stanza:
        """Our own presence, or the error."""
        mark = len(self.seen)
        await self.send(self.presence_xml(inside, True, password))
        own = f"{self.room_jid}/{self.nick}"

        def done(s: Stanza) -> bool:
            return s.name == "presence" and s.get("from") == own and (s.get("type") == "error" or s.has('code="110"'))

        return await self.wait(done, mark)

    async def enter(self, query: str = "") -> None:
        await self.start(query)
        assert (await self.request()).has('ready="true"')
        assert (await self.join()).get("type") == ""

    async def offer(self, since: int = 0) -> Stanza:
        stanza = await self.wait(lambda s: s.has("session-initiate"), since)
        await self.result(stanza)
        return stanza

    async def jingle(self, payload: str) -> Stanza:
        return await self.iq("set", f"{self.room_jid}/focus", payload)

    async def say(self, text: str, to: str = "") -> None:
        kind, address = ("chat", f"{self.room_jid}/{to}") if to else ("groupchat", self.room_jid)
        await self.send(
            f"<message xmlns='jabber:client' type='{kind}' to='{address}' id='m1'><body>{text}</body></message>"
        )


def sid_of(offer: Stanza) -> str:
    found = re.search(r'sid="([^"]+)"', offer.text)
    assert found
    return found.group(1)


def accept_xml(client: RawClient, offer: Stanza, sources: str = "", fingerprint: str = ":".join(["AB"] * 32)) -> str:
    """A session-accept with *sources* (XML, in the audio or video description given by the caller)."""
    return (
        f"<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='{sid_of(offer)}' responder='{client.jid}'>"
        f"<content creator='responder' name='audio' senders='both'>"
        f"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>{sources}</description>"
        f"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='abcd' pwd='{'p' * 22}'>"
        f"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='sha-256' setup='active'>{fingerprint}</fingerprint>"
        f"</transport></content></jingle>"
    )


def source_xml(ssrc: int, name: str, msid: str) -> str:
    return (
        f"<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='{ssrc}' name='{name}'>"
        f"<parameter name='msid' value='{msid}'/></source>"
    )
