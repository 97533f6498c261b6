"""Small helpers on top of :mod:`app.protocols.xmpp` for the server's side of XMPP."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, find, name_of, namespace_of, serialise


def bare(jid: str) -> str:
    """The JID without its resource, in its own spelling."""
    return jid.partition("/")[0]


def resource(jid: str) -> str:
    return jid.partition("/")[2]


def node(jid: str) -> str:
    local, separator, _ = bare(jid).partition("@")
    return local if separator else ""


def domain(jid: str) -> str:
    return bare(jid).rpartition("@")[2]


def attr(stanza: Element, key: str) -> str:
    """The attribute's value, empty when it is missing."""
    return stanza.get(key) or ""


def text_of(element: Element | None) -> str:
    return "" if element is None else element.text or ""


def own_children(stanza: Element) -> list[Element]:
    return list(stanza)


def error_reply(stanza: Element, kind: str, condition: str, text: str = "", *details: Element) -> Element:
    """The error for *stanza* (RFC 6120 8.3): swapped addresses, original ``id``, details inside ``<error>``."""
    error = el("error", ns.CLIENT, {"type": kind}, el(condition, ns.STANZAS))
    if text:
        error.append(el("text", ns.STANZAS, text=text))
    error.extend(details)
    reply = _reply(stanza, "error")
    if name_of(stanza) == "presence" and find(stanza, "x", ns.MUC) is not None:
        reply.append(el("x", ns.MUC))
    reply.append(error)
    return reply


def result_reply(stanza: Element, *children: Element) -> Element:
    """The empty or filled result of an IQ get or set."""
    reply = _reply(stanza, "result")
    reply.extend(children)
    return reply


def _reply(stanza: Element, kind: str) -> Element:
    attributes = {"type": kind, "id": stanza.get("id"), "to": stanza.get("from"), "from": stanza.get("to")}
    return el(name_of(stanza), ns.CLIENT, attributes)


def stream_element(name: str, *children: Element) -> str:
    """``<stream:features>`` or ``<stream:error>`` with the prefix that servers write (RFC 7395 3.3)."""
    inner = "".join(serialise(child) for child in children)
    return f'<stream:{name} xmlns:stream="{ns.STREAMS}">{inner}</stream:{name}>'


def is_stanza(element: Element) -> bool:
    return namespace_of(element) in (ns.CLIENT, "") and name_of(element) in ("iq", "message", "presence")
