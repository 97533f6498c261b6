"""BOSH (XEP-0124, XEP-0206) without I/O: numbers requests, keeps one open, delivers responses in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.stream import CloseStream, OpenStream, Output
from app.protocols.xmpp.xml import BadXml, el, name_of, parse, serialise

WAIT_S = 60
"""Longest time the server may hold a request; the reference client's value."""
HOLD = 1
MAX_RETRIES = 3
MAX_BODY_CHARS = 4_000_000
"""One body may carry several stanzas."""


class BoshError(Exception):
    """The session is over: terminated by the server, or a response nobody can read."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class BoshRequest:
    rid: int
    body: str


class BoshSession:
    """One session. The driver posts each request of :meth:`next_request` and gives back :meth:`on_response`."""

    def __init__(self, domain: str, first_rid: int) -> None:
        self._domain = domain
        self._rid = first_rid
        self._next_response = first_rid
        self._sid: str | None = None
        self._requests = 2
        self._in_flight: set[int] = set()
        self._responses: dict[int, Element] = {}
        self._queue: deque[Output] = deque()
        self.closed = False

    def send(self, item: Output) -> None:
        self._queue.append(item)

    def next_request(self) -> BoshRequest | None:
        """The next request to post now, ``None`` when one is open already and nothing waits to be sent."""
        if self.closed or len(self._in_flight) >= self._requests:
            return None
        first = self._sid is None
        if first and self._in_flight:
            return None
        if not self._queue and (self._in_flight or first):
            return None
        body = el("body", ns.HTTPBIND, {"rid": self._rid, "sid": self._sid})
        while self._queue:
            item = self._queue.popleft()
            if isinstance(item, OpenStream):
                self._open(body, restart=item.restart)
                break
            if isinstance(item, CloseStream):
                body.set("type", "terminate")
                self.closed = True
                break
            body.append(item)
        if first and body.get("wait") is None:
            return None
        request = BoshRequest(self._rid, serialise(body))
        self._in_flight.add(self._rid)
        self._rid += 1
        return request

    def _open(self, body: Element, *, restart: bool) -> None:
        body.set("to", self._domain)
        body.set(f"{{{ns.XML}}}lang", "en")
        if restart:
            body.set(f"{{{ns.XBOSH}}}restart", "true")
            return
        for key, value in (
            ("wait", str(WAIT_S)),
            ("hold", str(HOLD)),
            ("ver", "1.6"),
            ("content", "text/xml; charset=utf-8"),
        ):
            body.set(key, value)
        body.set(f"{{{ns.XBOSH}}}version", "1.0")

    def on_response(self, rid: int, text: str) -> list[Element]:
        """Elements that are now deliverable, in order of the requests. Raises :class:`BoshError`."""
        self._in_flight.discard(rid)
        try:
            body = parse(text, MAX_BODY_CHARS)
        except BadXml as error:
            raise BoshError("bad-response") from error
        if name_of(body) != "body":
            raise BoshError("bad-response")
        if rid < self._next_response:
            return self._take(body)
        self._responses[rid] = body
        delivered: list[Element] = []
        while self._next_response in self._responses:
            delivered += self._take(self._responses.pop(self._next_response))
            self._next_response += 1
        return delivered

    @property
    def gap(self) -> bool:
        """Whether responses wait for one to an earlier request."""
        return bool(self._responses)

    def skip_gap(self) -> list[Element]:
        """What waits, in order: the earlier request is held open, as some servers do. Raises :class:`BoshError`."""
        delivered: list[Element] = []
        for rid in sorted(self._responses):
            delivered += self._take(self._responses.pop(rid))
            self._next_response = rid + 1
        return delivered

    def _take(self, body: Element) -> list[Element]:
        if self._sid is None:
            self._sid = body.get("sid")
            requests = body.get("requests", "2")
            self._requests = min(max(int(requests), 1), 5) if requests.isascii() and requests.isdigit() else 2
        if body.get("type") == "terminate":
            self.closed = True
            if not len(body):
                raise BoshError(body.get("condition", "terminated"))
        return list(body)
