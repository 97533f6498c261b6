"""Sessions and stanza routing: who is connected under which JID, and where a stanza goes.

Everything is synchronous and runs on one event loop; time comes in through ``call_later`` only.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Protocol
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, name_of, serialise
from app.sandbox.jitsi.stanza import attr, bare, domain, error_reply

log = logging.getLogger(__name__)

MAX_UNACKED = 1000
"""Stanzas kept for a client that does not acknowledge; beyond that the session ends."""

ACK_REQUEST_EVERY = 5
"""``smacks_max_unacked_stanzas`` of Jitsi's docker images."""


class Cancellable(Protocol):
    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Cancellable]


class Session:
    """A bound resource. Subclasses deliver stanzas to their owner."""

    def __init__(self, jid: str) -> None:
        self.jid = jid
        self.query_room = ""
        """Room of the ``?room=`` parameter of the connection, as several components require it."""
        self.claims: dict[str, object] = {}
        """Claims of the session's token."""
        self.machine_uid = ""
        self.on_end: list[Callable[[], None]] = []

    def deliver(self, stanza: Element) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """The session is over: run the owners' clean-ups once."""
        callbacks, self.on_end = self.on_end, []
        for callback in callbacks:
            callback()


class LocalSession(Session):
    """A resource inside this process (focus, bots): stanzas go to a function."""

    def __init__(self, jid: str, on_stanza: Callable[[Element], None]) -> None:
        super().__init__(jid)
        self._on_stanza = on_stanza

    def deliver(self, stanza: Element) -> None:
        self._on_stanza(stanza)


class RemoteSession(Session):
    """A resource bound by a client, with stream management (XEP-0198) when it was enabled.

    ``attach`` gives it a writer (a live connection); after ``detach`` it keeps what it could not send until it is
    resumed or its hibernation ends.
    """

    def __init__(self, jid: str, call_later: CallLater, hibernate_s: float) -> None:
        super().__init__(jid)
        self._call_later = call_later
        self._hibernate_s = hibernate_s
        self._write: Callable[[str], None] | None = None
        self._timer: Cancellable | None = None
        self._unacked: deque[Element] = deque()
        self.sm_id = ""
        self.received = 0
        self.acknowledged = 0
        self._since_request = 0
        self.ended = False

    @property
    def connected(self) -> bool:
        return self._write is not None

    def attach(self, write: Callable[[str], None]) -> None:
        self._write = write
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def detach(self, write: Callable[[str], None]) -> None:
        """The connection behind *write* is gone without a stream close; nothing happens if another one took over."""
        if self._write != write or self.ended:
            return
        self._write = None
        if self.sm_id:
            self._timer = self._call_later(self._hibernate_s, self.end)
        else:
            self.end()

    def deliver(self, stanza: Element) -> None:
        if self.ended:
            return
        if self.sm_id:
            self._unacked.append(stanza)
            if len(self._unacked) > MAX_UNACKED:
                self.end()
                return
        if self._write is None:
            return
        self._write(serialise(stanza))
        if self.sm_id:
            self._since_request += 1
            if self._since_request >= ACK_REQUEST_EVERY:
                self._since_request = 0
                self._write(serialise(el("r", ns.SM)))

    def acknowledge(self, handled: int) -> bool:
        """The client has handled so many stanzas; False when that is more than it was sent."""
        count = (handled - self.acknowledged) % 2**32
        if count > len(self._unacked):
            return False
        for _ in range(count):
            self._unacked.popleft()
        self.acknowledged = handled
        return True

    def resend(self) -> None:
        if self._write is not None:
            for stanza in self._unacked:
                self._write(serialise(stanza))

    def end(self) -> None:
        if self.ended:
            return
        self.ended = True
        self._write = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().end()


Handler = Callable[[Session, Element], None]


class Router:
    """Sends stanzas to sessions or to the handler of their domain."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self._domains: dict[str, Handler] = {}
        self._suffixes: list[tuple[str, str, Handler]] = []

    def serve(self, name: str, handler: Handler) -> None:
        """Stanzas to that domain (any node) go to *handler*."""
        self._domains[name] = handler

    def serve_tenants(self, prefix: str, suffix: str, handler: Handler) -> None:
        """Also serve ``<prefix>.<tenant>.<suffix>`` with one label for the tenant."""
        self._suffixes.append((f"{prefix}.", f".{suffix}", handler))

    def register(self, session: Session) -> None:
        self.sessions[session.jid] = session
        session.on_end.append(lambda: self._unregister(session))

    def _unregister(self, session: Session) -> None:
        if self.sessions.get(session.jid) is session:
            del self.sessions[session.jid]

    def _handler(self, host: str) -> Handler | None:
        handler = self._domains.get(host)
        if handler is not None:
            return handler
        for prefix, suffix, candidate in self._suffixes:
            if host.startswith(prefix) and host.endswith(suffix) and len(host) > len(prefix) + len(suffix) - 1:
                return candidate
        return None

    def route(self, session: Session, stanza: Element) -> None:
        """A stanza that *session* sent. Its ``from`` is stamped here."""
        stanza.set("from", session.jid)
        to = attr(stanza, "to")
        if not to:
            to = domain(session.jid)
            if name_of(stanza) == "presence":
                return
        handler = self._handler(domain(to))
        if handler is not None and ("@" not in to or to not in self.sessions):
            handler(session, stanza)
            return
        target = self.sessions.get(to)
        if target is not None:
            target.deliver(stanza)
        elif stanza.get("type") not in ("error", "result") and name_of(stanza) != "presence":
            condition = "remote-server-not-found" if handler is None else "service-unavailable"
            session.deliver(error_reply(stanza, "cancel", condition))

    def send(self, to: str, stanza: Element) -> None:
        """Deliver a stanza of a service to a full JID, if it is connected."""
        stanza.set("to", to)
        target = self.sessions.get(to)
        if target is not None:
            target.deliver(stanza)

    def find(self, bare_jid: str) -> list[Session]:
        return [session for jid, session in self.sessions.items() if bare(jid) == bare_jid]
