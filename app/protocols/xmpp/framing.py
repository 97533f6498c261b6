"""RFC 7395: XMPP over WebSocket. One element per text frame."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, name_of, namespace_of

SUBPROTOCOL = "xmpp"


def open_frame(to: str | None = None, from_: str | None = None, stream_id: str | None = None) -> Element:
    return el("open", ns.FRAMING, {"to": to, "from": from_, "id": stream_id, "version": "1.0"})


def close_frame(see_other_uri: str | None = None) -> Element:
    return el("close", ns.FRAMING, {"see-other-uri": see_other_uri})


def is_open(element: Element) -> bool:
    return namespace_of(element) == ns.FRAMING and name_of(element) == "open"


def is_close(element: Element) -> bool:
    return namespace_of(element) == ns.FRAMING and name_of(element) == "close"
