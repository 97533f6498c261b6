"""Building and reading of IQ, message and presence stanzas and their errors (RFC 6120 section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, el, find, name_of, namespace_of

MAX_ERROR_TEXT = 500


@dataclass(frozen=True, slots=True)
class StanzaError:
    type: str
    condition: str
    text: str = ""
    details: tuple[tuple[str, str], ...] = ()
    """(namespace, name) of application-specific conditions, inside ``<error>`` or next to it."""

    def has(self, name: str, namespace: str | None = None) -> bool:
        return any(d[1] == name and (namespace is None or d[0] == namespace) for d in self.details)


def iq(type_: str, id_: str, to: str | None, *children: Element | None, from_: str | None = None) -> Element:
    return el("iq", ns.CLIENT, {"type": type_, "id": id_, "to": to, "from": from_}, *children)


def message(
    to: str | None,
    *children: Element | None,
    type_: str | None = None,
    id_: str | None = None,
    from_: str | None = None,
) -> Element:
    return el("message", ns.CLIENT, {"type": type_, "to": to, "from": from_, "id": id_}, *children)


def presence(to: str | None, *children: Element | None, type_: str | None = None, from_: str | None = None) -> Element:
    return el("presence", ns.CLIENT, {"type": type_, "to": to, "from": from_}, *children)


def result_of(request: Element, *children: Element | None) -> Element:
    """The empty or filled result for an IQ request: same id, back to the exact sender."""
    return el("iq", ns.CLIENT, {"type": "result", "id": request.get("id"), "to": request.get("from")}, *children)


def error_of(request: Element, type_: str, condition: str, *details: Element, text: str = "") -> Element:
    """The error reply for a stanza."""
    error = el("error", ns.CLIENT, {"type": type_}, el(condition, ns.STANZAS))
    if text:
        error.append(el("text", ns.STANZAS, text=text))
    error.extend(details)
    return el(name_of(request), ns.CLIENT, {"type": "error", "id": request.get("id"), "to": request.get("from")}, error)


def parse_error(stanza: Element) -> StanzaError | None:
    """The error of a stanza of type ``error``, ``None`` for other stanzas."""
    if stanza.get("type") != "error":
        return None
    error = find(stanza, "error")
    if error is None:
        return StanzaError("cancel", "undefined-condition")
    condition = "undefined-condition"
    details = []
    for child in error:
        if namespace_of(child) == ns.STANZAS:
            if name_of(child) != "text":
                condition = name_of(child)
        else:
            details.append((namespace_of(child), name_of(child)))
    details += [(namespace_of(c), name_of(c)) for c in stanza if c is not error]
    text = child_text(error, "text") or ""
    return StanzaError(error.get("type", "cancel"), condition, text[:MAX_ERROR_TEXT], tuple(details[:32]))
