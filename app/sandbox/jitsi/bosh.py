"""BOSH (XEP-0124, XEP-0206): the XMPP stream over held HTTP requests. No stream management here."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import BadXml, name_of, parse
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.stanza import attr
from app.sandbox.jitsi.stream import ClientStream, Streams

MAX_WAIT_S = 60
INACTIVITY_S = 60.0
"""A session without an open request ends after this time."""
MAX_SESSIONS = 200
MAX_PENDING = 5000


def _body(attributes: Mapping[str, str], inner: str = "") -> str:
    extra = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f'<body xmlns="{ns.HTTPBIND}" xmlns:xmpp="{ns.XBOSH}" xmlns:stream="{ns.STREAMS}"{extra}>{inner}</body>'


def _terminate(condition: str) -> str:
    return _body({"type": "terminate", "condition": condition})


class BoshSession:
    """One BOSH session; requests are answered in the order of their ``rid``."""

    def __init__(self, sid: str, wait: int, streams: Streams, query: Mapping[str, str]) -> None:
        self.sid, self.wait = sid, wait
        self.stream = ClientStream(streams, self._write, self._close, query)
        self._pending: deque[str] = deque(maxlen=MAX_PENDING)
        self._wake = asyncio.Event()
        self.closing = False
        self.open_requests = 0
        self.last_rid = 0
        self.last_seen = 0.0
        self.answers: dict[int, str] = {}
        self._serial = 0

    def _write(self, text: str) -> None:
        self._pending.append(text)
        self._wake.set()

    def _close(self) -> None:
        self.closing = True
        self._wake.set()

    def take(self) -> str:
        text = "".join(self._pending)
        self._pending.clear()
        return text

    async def hold(self) -> str:
        """Wait until there is something to send, a newer request came, or the wait time is over."""
        self._serial += 1
        serial = self._serial
        self._wake.set()
        deadline = asyncio.get_running_loop().time() + self.wait
        while not self._pending and not self.closing and serial == self._serial:
            self._wake.clear()
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except TimeoutError:
                break
        return self.take()


class BoshSessions:
    """All BOSH sessions of one server."""

    def __init__(self, streams: Streams, faults: Faults) -> None:
        self._streams, self._faults = streams, faults
        self.sessions: dict[str, BoshSession] = {}

    async def handle(self, text: str, query: Mapping[str, str]) -> str:
        """Answer one request body."""
        self._expire()
        try:
            body = parse(text)
        except BadXml:
            return _terminate("bad-request")
        if name_of(body) != "body":
            return _terminate("bad-request")
        sid = attr(body, "sid")
        if not sid:
            return self._create(body, query)
        session = self.sessions.get(sid)
        if session is None:
            return _terminate("item-not-found")
        rid = int(attr(body, "rid")) if attr(body, "rid").isdigit() else 0
        if rid in session.answers:
            return session.answers[rid]
        return await self._continue(session, body, rid)

    def _create(self, body: Element, query: Mapping[str, str]) -> str:
        if len(self.sessions) >= MAX_SESSIONS:
            return _terminate("policy-violation")
        wait = min(int(attr(body, "wait")) if attr(body, "wait").isdigit() else MAX_WAIT_S, MAX_WAIT_S)
        session = BoshSession(secrets.token_hex(12), wait, self._streams, query)
        session.last_seen = asyncio.get_running_loop().time()
        self.sessions[session.sid] = session
        features = session.stream.open(attr(body, "to"))
        if features is None:
            del self.sessions[session.sid]
            return _body({"type": "terminate", "condition": "host-unknown"})
        attributes = {
            "sid": session.sid, "wait": str(wait), "requests": "2", "hold": "1", "ver": "1.6",
            "from": attr(body, "to"), "inactivity": str(int(INACTIVITY_S)), "authid": secrets.token_hex(8),
            "xmpp:version": "1.0", "xmpp:restartlogic": "true",
        }  # fmt: skip
        return _body(attributes, features)

    async def _continue(self, session: BoshSession, body: Element, rid: int) -> str:
        loop = asyncio.get_running_loop()
        session.last_rid = max(session.last_rid, rid)
        session.last_seen = loop.time()
        session.open_requests += 1
        try:
            if body.get(f"{{{ns.XBOSH}}}restart") == "true":
                features = session.stream.open(attr(body, "to") or session.stream.host)
                if features is not None:
                    session.stream.write(features)
            for stanza in list(body):
                session.stream.receive(stanza)
            if attr(body, "type") == "terminate":
                del self.sessions[session.sid]
                session.stream.closed(clean=True)
                return _body({"type": "terminate"}, session.take())
            if self._faults.delay_stanzas_s:
                await asyncio.sleep(self._faults.delay_stanzas_s)
            inner = await session.hold()
        finally:
            session.open_requests -= 1
            session.last_seen = loop.time()
        if session.closing:
            self.sessions.pop(session.sid, None)
            session.stream.closed(clean=True)
            return _body({"type": "terminate", "condition": "remote-stream-error"}, inner)
        answer = _body({}, inner)
        session.answers[rid] = answer
        for old in sorted(session.answers)[:-4]:
            del session.answers[old]
        return answer

    def _expire(self) -> None:
        now = asyncio.get_running_loop().time()
        for sid, session in list(self.sessions.items()):
            if not session.open_requests and now - session.last_seen > INACTIVITY_S:
                self.drop(sid)

    def drop(self, sid: str) -> None:
        session = self.sessions.pop(sid, None)
        if session is not None:
            session.stream.closed(clean=False)

    def close(self) -> None:
        """Answer every held request and forget all sessions."""
        for session in list(self.sessions.values()):
            session.stream.stream_error("system-shutdown")
