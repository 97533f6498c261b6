"""Personal contacts as vCard 3.0 and 4.0 (RFC 2426, RFC 6350) and as CSV, in and out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from app.calls.accounts import Contact, PhoneNumber
from app.calls.model import frozen_map
from app.calls.text import clean_name

MAX_TEXT = 4_000_000
MAX_CONTACTS = 5_000
MAX_LINES_PER_CARD = 500
LINE_OCTETS = 75
"""RFC 6350 section 3.2: longer lines are folded."""

CSV_COLUMNS = ("firstname", "lastname", "number", "email", "entreprise", "birthday", "address", "note", "mobile", "fax")
"""Keys of personal contacts in wazo-dird; the French spelling is the server's."""
_CSV_NAMES = {
    "first name": "firstname",
    "given name": "firstname",
    "prénom": "firstname",
    "last name": "lastname",
    "family name": "lastname",
    "surname": "lastname",
    "nom": "lastname",
    "phone": "number",
    "telephone": "number",
    "phone number": "number",
    "phone 1 - value": "number",
    "e-mail": "email",
    "e-mail address": "email",
    "e-mail 1 - value": "email",
    "company": "entreprise",
    "organization": "entreprise",
    "organisation": "entreprise",
    "mobile phone": "mobile",
    "notes": "note",
}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMPONENT = re.compile(r"((?:[^\\;]|\\.)*)(?:;|$)", re.DOTALL)
"""One component of a structured value; an escaped separator does not end it."""


def read_vcards(text: str) -> tuple[Contact, ...]:
    """Every card with a name or a number. Never raises; what is malformed is left out."""
    contacts: list[Contact] = []
    card: list[tuple[str, str, str]] | None = None
    for line in _unfold(text[:MAX_TEXT]):
        head, colon, value = line.partition(":")
        if not colon:
            continue
        name, _, params = head.partition(";")
        name = name.rpartition(".")[2].strip().upper()
        if name == "BEGIN" and value.strip().upper() == "VCARD":
            card = []
        elif name == "END" and card is not None:
            contact = _contact(card)
            card = None
            if contact is not None:
                contacts.append(contact)
                if len(contacts) >= MAX_CONTACTS:
                    break
        elif card is not None and len(card) < MAX_LINES_PER_CARD:
            card.append((name, params.upper(), value.strip()))
    return tuple(contacts)


def _unfold(text: str) -> Iterable[str]:
    current = ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if line[:1] in (" ", "\t") and current:
            if len(current) < 10_000:
                current += line[1:]
            continue
        if current:
            yield current
        current = line[:10_000]
    if current:
        yield current


def _split(value: str) -> list[str]:
    """Components of a structured value, still escaped."""
    return [match[1] for match in _COMPONENT.finditer(value)] or [""]


def _unescape(value: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _contact(card: list[tuple[str, str, str]]) -> Contact | None:
    fields: dict[str, str] = {}
    numbers: list[PhoneNumber] = []
    email = full = ""
    for name, params, value in card:
        text = clean_name(_unescape(value))
        if name == "FN":
            full = text
        elif name == "N":
            parts = [clean_name(_unescape(part)) for part in _split(value)]
            fields["lastname"] = parts[0]
            fields["firstname"] = parts[1] if len(parts) > 1 else ""
        elif name == "TEL" and text:
            numbers.append(PhoneNumber(text.lower().removeprefix("tel:"), _label(params, bool(numbers))))
        elif name == "EMAIL" and not email:
            email = text.removeprefix("mailto:")
        elif name == "ORG":
            fields["entreprise"] = clean_name(_unescape(_split(value)[0]))
        elif name == "BDAY":
            fields["birthday"] = text
        elif name == "NOTE":
            fields["note"] = text
        elif name == "ADR":
            parts = [clean_name(_unescape(part)) for part in _split(value)]
            fields["address"] = ", ".join(part for part in parts if part)
    if "firstname" not in fields and full:
        fields["firstname"], _, fields["lastname"] = full.partition(" ")
    shown = full or " ".join(p for p in (fields.get("firstname", ""), fields.get("lastname", "")) if p)
    if not shown and not numbers:
        return None
    kept = {key: value for key, value in fields.items() if value}
    return Contact(
        "", "personal", shown or numbers[0].number, tuple(numbers), email, personal=True, fields=frozen_map(kept)
    )


def _label(params: str, further: bool) -> str:
    if "CELL" in params:
        return "mobile"
    if "FAX" in params:
        return "fax"
    return "phone" if further else "number"


def write_vcards(contacts: Iterable[Contact]) -> str:
    """vCard 4.0, one card per contact."""
    lines: list[str] = []
    for contact in contacts:
        fields = contact.fields
        first, last = fields.get("firstname", ""), fields.get("lastname", "")
        if not first and not last:
            first, _, last = contact.name.partition(" ")
        lines += ["BEGIN:VCARD", "VERSION:4.0", f"FN:{_escape(contact.name)}", f"N:{_escape(last)};{_escape(first)};;;"]
        for number in contact.numbers:
            kind = {"mobile": ";TYPE=cell", "fax": ";TYPE=fax"}.get(number.label, ";TYPE=voice")
            lines.append(f"TEL{kind}:{_escape(number.number)}")
        if contact.email:
            lines.append(f"EMAIL:{_escape(contact.email)}")
        for key, name in (("entreprise", "ORG"), ("birthday", "BDAY"), ("note", "NOTE")):
            if fields.get(key):
                lines.append(f"{name}:{_escape(fields[key])}")
        if fields.get("address"):
            lines.append(f"ADR:;;{_escape(fields['address'])};;;;")
        lines.append("END:VCARD")
    return "".join(f"{folded}\r\n" for line in lines for folded in _fold(line))


def _escape(value: str) -> str:
    for raw, escaped in (("\\", "\\\\"), (",", "\\,"), (";", "\\;"), ("\n", "\\n")):
        value = value.replace(raw, escaped)
    return value


def _fold(line: str) -> Iterable[str]:
    part = ""
    size = 0
    for character in line:
        octets = len(character.encode("utf-8", "replace"))
        if size + octets > LINE_OCTETS:
            yield part
            part, size = " ", 1
        part += character
        size += octets
    yield part


def normalise_csv(text: str) -> str:
    """CSV with the server's column names, whatever separator and common headings the file has; empty when it has no
    usable column."""
    text = text[:MAX_TEXT].lstrip("\ufeff")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows: list[dict[str, str]] = []
    try:
        reader = csv.DictReader(io.StringIO(text), delimiter=separator)
        names = {name: _column(name) for name in reader.fieldnames or () if name}
        for row in reader:
            clean = {
                names[key]: clean_name(value) for key, value in row.items() if key in names and isinstance(value, str)
            }
            clean = {key: value for key, value in clean.items() if value and key in CSV_COLUMNS}
            if clean:
                rows.append(clean)
            if len(rows) >= MAX_CONTACTS:
                break
    except csv.Error:
        return ""
    columns = [column for column in CSV_COLUMNS if any(column in row for row in rows)]
    if not rows or not columns:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _column(name: str) -> str:
    name = name.strip().lower()
    return _CSV_NAMES.get(name, name)
