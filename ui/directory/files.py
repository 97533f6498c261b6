"""Contacts to a file: vCard (RFC 6350) and CSV (RFC 4180). Reading is the account's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from app.calls.accounts import Contact

MAX_FILE = 8 * 1024 * 1024
"""Bytes of a file that is imported; ten thousand contacts need less."""


def _escaped(text: str) -> str:
    """A text value (RFC 6350 section 3.4)."""
    return text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;").replace("\r", "").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Lines of at most 75 octets; the rest is continued after a space (section 3.2)."""
    parts, current, size = [], "", 0
    for char in line:
        length = len(char.encode())
        if size + length > 75:
            parts.append(current)
            current, size = " ", 1
        current += char
        size += length
    return "\r\n".join([*parts, current])


def to_vcard(contacts: Iterable[Contact]) -> str:
    lines = []
    for one in contacts:
        lines += ["BEGIN:VCARD", "VERSION:4.0", f"FN:{_escaped(one.name)}"]
        for number in one.numbers:
            kind = {"mobile": "cell", "home": "home", "work": "work"}.get(number.label.casefold(), "voice")
            lines.append(f"TEL;TYPE={kind}:{_escaped(number.number)}")
        if one.email:
            lines.append(f"EMAIL:{_escaped(one.email)}")
        if one.fields.get("company"):
            lines.append(f"ORG:{_escaped(one.fields['company'])}")
        lines.append("END:VCARD")
    return "".join(_folded(line) + "\r\n" for line in lines)


def to_csv(contacts: Iterable[Contact]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("name", "number", "mobile", "email", "company"))
    for one in contacts:
        mobile = next((n.number for n in one.numbers if n.label.casefold() == "mobile"), "")
        number = next((n.number for n in one.numbers if n.number != mobile), "")
        writer.writerow((one.name, number, mobile, one.email, one.fields.get("company", "")))
    return out.getvalue()
