"""Data forms (XEP-0004): read fields, build forms and submissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, find, find_all

MAX_FIELDS = 200


def build_form(type_: str, fields: Mapping[str, str | Sequence[str]], form_type: str | None = None) -> Element:
    """A form of type ``form``, ``submit`` or ``result`` whose ``FORM_TYPE`` is *form_type*."""
    form = el("x", ns.DATA, {"type": type_})
    if form_type is not None:
        form.append(_field("FORM_TYPE", [form_type], "hidden"))
    for name, value in fields.items():
        form.append(_field(name, [value] if isinstance(value, str) else value))
    return form


def _field(name: str, values: Sequence[str], type_: str | None = None) -> Element:
    return el("field", ns.DATA, {"var": name, "type": type_}, *(el("value", ns.DATA, text=v) for v in values))


def parse_form(parent: Element) -> dict[str, tuple[str, ...]]:
    """All fields of the form inside *parent* (or *parent* itself); empty without a form."""
    form = parent if parent.tag == f"{{{ns.DATA}}}x" else find(parent, "x", ns.DATA)
    fields: dict[str, tuple[str, ...]] = {}
    if form is None:
        return fields
    for field in find_all(form, "field", ns.DATA):
        if len(fields) >= MAX_FIELDS:
            break
        fields[field.get("var", "")] = tuple((v.text or "") for v in find_all(field, "value", ns.DATA))[:MAX_FIELDS]
    return fields


def first(fields: Mapping[str, tuple[str, ...]], name: str, default: str = "") -> str:
    values = fields.get(name, ())
    return values[0] if values else default
