"""Reading and writing of single XML elements, bounded and without entities.

Elements are :class:`xml.etree.ElementTree.Element` with ``{namespace}name`` tags. Reading refuses DTDs, entities and
processing instructions (defusedxml), oversized input and deep nesting. Writing declares default namespaces only, as
peers that compare prefixes expect, and drops characters that XML 1.0 forbids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import ElementTree as DefusedTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

from app.protocols.xmpp import ns

MAX_STANZA_CHARS = 1_000_000
"""A session-initiate with some hundred JSON sources stays below 100 000 characters; ten times that is abuse."""
MAX_DEPTH = 40
"""Jingle nests nine levels."""

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PREFIXES = {ns.XML: "xml", ns.XBOSH: "xmpp"}


class BadXml(ValueError):
    """The text is not one acceptable XML element."""


def parse(text: str, limit: int = MAX_STANZA_CHARS) -> Element:
    """The element that *text* consists of. Raises :class:`BadXml`."""
    if len(text) > limit:
        raise BadXml(f"element of {len(text)} characters exceeds {limit}")
    try:
        element = DefusedTree.fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, UnicodeError) as error:
        raise BadXml(type(error).__name__ + ": " + str(error)[:200]) from error
    assert isinstance(element, Element)
    level = [element]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in parent]
        if not level:
            return element
    raise BadXml(f"nested deeper than {MAX_DEPTH}")


def el(
    name: str,
    namespace: str,
    attributes: Mapping[str, object | None] | None = None,
    *children: Element | None,
    text: str | None = None,
) -> Element:
    """A new element; attributes and children that are ``None`` are left out."""
    element = Element(f"{{{namespace}}}{name}" if namespace else name)
    for key, value in (attributes or {}).items():
        if value is not None:
            element.set(key, str(value))
    element.extend(child for child in children if child is not None)
    element.text = text
    return element


def namespace_of(element: Element) -> str:
    tag = element.tag
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def name_of(element: Element) -> str:
    tag = element.tag
    return tag.partition("}")[2] if tag.startswith("{") else tag


def find(element: Element, name: str, namespace: str | None = None) -> Element | None:
    """First direct child of that local name; any namespace when *namespace* is ``None``."""
    return next(find_all(element, name, namespace), None)


def find_all(element: Element, name: str, namespace: str | None = None) -> Iterator[Element]:
    for child in element:
        if name_of(child) == name and (namespace is None or namespace_of(child) == namespace):
            yield child


def child_text(element: Element, name: str, namespace: str | None = None) -> str | None:
    """Text of the first such child, stripped; ``None`` without the child, ``""`` when it is empty."""
    child = find(element, name, namespace)
    return None if child is None else (child.text or "").strip()


def clean(text: str) -> str:
    """*text* without the characters that XML 1.0 cannot carry."""
    return _FORBIDDEN.sub("", text)


def serialise(element: Element) -> str:
    """The element as text that is well-formed on its own."""
    return "".join(_write(element, ""))


def _write(element: Element, inherited: str) -> Iterable[str]:
    namespace, name = namespace_of(element), name_of(element)
    yield "<" + name
    if namespace != inherited:
        yield " xmlns=" + quoteattr(namespace)
    declared: set[str] = set()
    for key, value in element.items():
        if key.startswith("{"):
            attribute_ns, _, key = key[1:].partition("}")
            prefix = _PREFIXES.get(attribute_ns)
            if prefix is None:
                continue
            if attribute_ns != ns.XML and prefix not in declared:
                declared.add(prefix)
                yield f" xmlns:{prefix}={quoteattr(attribute_ns)}"
            key = f"{prefix}:{key}"
        yield f" {key}={quoteattr(clean(value))}"
    if not len(element) and not element.text:
        yield "/>"
        return
    yield ">"
    if element.text:
        yield escape(clean(element.text))
    for child in element:
        yield from _write(child, namespace)
        if child.tail:
            yield escape(clean(child.tail))
    yield f"</{name}>"
