"""IQ requests that wait for their answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.stanza import StanzaError, iq, parse_error

DEFAULT_TIMEOUT_MS = 10_000
"""lib-jitsi-meet's IQ timeout; a focus that needs longer is overloaded."""
MAX_PENDING = 500

TIMEOUT = StanzaError("wait", "remote-server-timeout")
"""Given to the callback when no answer came in time."""

OnAnswer = Callable[[Element | None, StanzaError | None], None]


@dataclass(slots=True)
class _Pending:
    to: str
    deadline_ms: int
    on_answer: OnAnswer


class IqTracker:
    """Gives each request a unique id and each answer to its owner. Time comes from the caller, in milliseconds."""

    def __init__(self, make_id: Callable[[], str]) -> None:
        self._make_id = make_id
        self._pending: dict[str, _Pending] = {}

    def request(
        self,
        type_: str,
        to: str | None,
        child: Element,
        on_answer: OnAnswer,
        now_ms: int,
        timeout_ms: int = DEFAULT_TIMEOUT_MS,
    ) -> Element:
        """The IQ to send. *on_answer* is called exactly once: (result, None) or (None, error)."""
        if len(self._pending) >= MAX_PENDING:
            self.expire(max(p.deadline_ms for p in self._pending.values()))
        id_ = self._make_id()
        self._pending[id_] = _Pending((to or "").lower(), now_ms + timeout_ms, on_answer)
        return iq(type_, id_, to, child)

    def handle(self, stanza: Element) -> bool:
        """Whether the stanza was an answer somebody waited for (its sender must be who was asked)."""
        if stanza.tag != f"{{{ns.CLIENT}}}iq" or stanza.get("type") not in ("result", "error"):
            return False
        pending = self._pending.get(stanza.get("id", ""))
        if pending is None:
            return False
        if pending.to and stanza.get("from", pending.to).lower() != pending.to:
            return False
        del self._pending[stanza.get("id", "")]
        error = parse_error(stanza)
        pending.on_answer(None if error else stanza, error)
        return True

    def expire(self, now_ms: int) -> None:
        for id_, pending in list(self._pending.items()):
            if pending.deadline_ms <= now_ms and self._pending.pop(id_, None) is not None:
                pending.on_answer(None, TIMEOUT)

    def next_deadline(self) -> int | None:
        return min((p.deadline_ms for p in self._pending.values()), default=None)

    def cancel_all(self) -> None:
        """Forgets all requests without calling anybody (the session is gone)."""
        self._pending.clear()
