"""Stream management (XEP-0198): counters, acknowledgements and what to send again after a resumption."""

from __future__ import annotations

from collections import deque
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, name_of

ACK_EVERY = 5
"""Ask for an acknowledgement after this many stanzas; the reference deployment allows five unacknowledged ones."""
MAX_UNACKED = 1000
"""A peer that acknowledges nothing for this long is gone; the queue must not grow without bound."""
_MODULUS = 2**32

COUNTED = frozenset({f"{{{ns.CLIENT}}}iq", f"{{{ns.CLIENT}}}message", f"{{{ns.CLIENT}}}presence"})


class SmError(Exception):
    """The peer's counter cannot be right, or it stopped acknowledging."""


class StreamManagement:
    """State of one session, kept across the connections that carry it."""

    def __init__(self) -> None:
        self.token: str | None = None
        """``previd`` for resumption, ``None`` until enabled with resumption."""
        self.enabled = False
        self.received = 0
        self._acked = 0
        self._unacked: deque[Element] = deque()

    @property
    def sent(self) -> int:
        return (self._acked + len(self._unacked)) % _MODULUS

    @property
    def unacked(self) -> tuple[Element, ...]:
        return tuple(self._unacked)

    @staticmethod
    def enable() -> Element:
        return el("enable", ns.SM, {"resume": "true"})

    def on_enabled(self, element: Element) -> None:
        """``<enabled/>``: counting begins with the next stanza (section 3)."""
        self.enabled = True
        self.received = 0
        resumable = element.get("resume") in ("true", "1")
        self.token = (element.get("id") or None) if resumable else None

    def on_stanza_received(self, element: Element) -> None:
        if self.enabled and element.tag in COUNTED:
            self.received = (self.received + 1) % _MODULUS

    def on_stanza_sent(self, element: Element) -> Element | None:
        """Remembers a stanza; gives ``<r/>`` to send after it when it is time to ask. Raises :class:`SmError`."""
        if not self.enabled or element.tag not in COUNTED:
            return None
        if len(self._unacked) >= MAX_UNACKED:
            raise SmError("the server acknowledges nothing")
        self._unacked.append(element)
        return el("r", ns.SM) if len(self._unacked) % ACK_EVERY == 0 else None

    def on_control(self, element: Element) -> Element | None:
        """``<r/>`` or ``<a/>``; gives the answer to send, if any. Raises :class:`SmError`."""
        if name_of(element) == "r":
            return el("a", ns.SM, {"h": self.received})
        if name_of(element) == "a":
            self._acknowledge(element.get("h"))
        return None

    def resume(self) -> Element:
        return el("resume", ns.SM, {"h": self.received, "previd": self.token or ""})

    def on_resumed(self, element: Element) -> tuple[Element, ...]:
        """``<resumed/>``: the stanzas to send again, in order. Raises :class:`SmError`."""
        self._acknowledge(element.get("h"))
        return tuple(self._unacked)

    def _acknowledge(self, h: str | None) -> None:
        if h is None or not h.isascii() or not h.isdigit() or len(h) > 10:
            raise SmError("acknowledgement without a number")
        count = (int(h) - self._acked) % _MODULUS
        if count > len(self._unacked):
            raise SmError("more acknowledged than sent")
        for _ in range(count):
            self._unacked.popleft()
        self._acked = int(h) % _MODULUS
