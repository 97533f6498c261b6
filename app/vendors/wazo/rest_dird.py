"""wazo-dird: lookup over sources, favourites, personal contacts, contacts of one source (wazo.md 7.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.calls.accounts import Contact, PhoneNumber, Room
from app.calls.model import frozen_map
from app.calls.text import clean_name
from app.vendors.wazo.wire import DIRD, RestRequest, items, parameters, path

PROFILE = "default"
PERSONAL_SOURCE = "personal"
NUMBER_TYPES = frozenset({"number", "callable"})
PERSONAL_NUMBER_KEYS = ("number", "mobile", "phone", "fax")
MAX_FIELDS = 40
LISTED_BACKENDS = ("wazo", "phonebook", "csv", "csv_ws", "ldap", "google", "office365")
"""Backends whose contacts can be listed without a search term."""


@dataclass(frozen=True, slots=True)
class Source:
    uuid: str
    name: str
    backend: str


class _Source(msgspec.Struct):
    uuid: str
    name: str = ""
    backend: str = ""


class _Relations(msgspec.Struct):
    user_uuid: str = ""
    source_entry_id: str = ""


class _Result(msgspec.Struct):
    column_values: list[Any] = msgspec.field(default_factory=list)
    relations: _Relations = msgspec.field(default_factory=_Relations)
    source: str = ""
    backend: str = ""


class _Extension(msgspec.Struct):
    exten: str = ""


class _Conference(msgspec.Struct):
    id: str
    name: str = ""
    extensions: tuple[_Extension, ...] = ()


def lookup(term: str) -> RestRequest:
    return RestRequest("GET", path(f"{DIRD}/directories/lookup", PROFILE), query=parameters(term=term))


def favourites() -> RestRequest:
    return RestRequest("GET", path(f"{DIRD}/directories/favorites", PROFILE))


def set_favourite(source: str, entry: str, favourite: bool) -> RestRequest:
    return RestRequest("PUT" if favourite else "DELETE", path(f"{DIRD}/directories/favorites", source, entry))


def list_sources(backend: str = "") -> RestRequest:
    query = parameters(backend=backend)
    return RestRequest("GET", path(f"{DIRD}/directories", PROFILE, "sources"), query=query)


def parse_sources(body: Any) -> tuple[Source, ...]:
    return tuple(Source(raw.uuid, raw.name, raw.backend) for raw in items(body, _Source))


def source_contacts(
    backend: str, source: str, *, text: str = "", offset: int = 0, limit: int | None = 50, uuids: Sequence[str] = ()
) -> RestRequest:
    query = parameters(search=text, offset=offset or None, limit=limit, uuid=",".join(uuids))
    return RestRequest("GET", path(f"{DIRD}/backends", backend, "sources", source, "contacts"), query=query)


def parse_results(body: Any) -> tuple[Contact, ...]:
    """Contacts of a lookup or of the favourites; columns are named by position."""
    if not isinstance(body, dict):
        return ()
    headers = _texts(body.get("column_headers"))
    types = _texts(body.get("column_types"))
    return tuple(
        contact
        for contact in (_result(raw, headers, types) for raw in items(body, _Result, "results"))
        if contact is not None
    )


def _texts(raw: Any) -> list[str]:
    return [value if isinstance(value, str) else "" for value in raw] if isinstance(raw, list) else []


def _result(raw: _Result, headers: list[str], types: list[str]) -> Contact | None:
    name, email, favourite, personal = "", "", False, raw.backend == PERSONAL_SOURCE
    numbers: list[PhoneNumber] = []
    fields: dict[str, str] = {}
    for position, value in enumerate(raw.column_values[:MAX_FIELDS]):
        kind = types[position] if position < len(types) else ""
        header = clean_name(headers[position]) if position < len(headers) else ""
        if kind == "favorite":
            favourite = value is True
        elif kind == "personal":
            personal = personal or value is True
        elif isinstance(value, str) and value:
            value = clean_name(value)
            if kind == "name":
                name = value
            elif kind in NUMBER_TYPES:
                numbers.append(PhoneNumber(value, header))
            elif kind == "email":
                email = value
            elif header:
                fields[header] = value
    entry = raw.relations.source_entry_id
    if not entry and not name:
        return None
    return Contact(
        entry,
        raw.source,
        name or (numbers[0].number if numbers else ""),
        tuple(dict.fromkeys(numbers)),
        email,
        raw.relations.user_uuid,
        favourite,
        personal,
        frozen_map(fields),
    )


# ---------------------------------------------------------------- personal contacts


def list_personal(offset: int = 0, limit: int = 50, order: str = "lastname") -> RestRequest:
    query = parameters(offset=offset or None, limit=limit, order=order, direction="asc")
    return RestRequest("GET", f"{DIRD}/personal", query=query)


def save_personal(contact: Contact) -> RestRequest:
    body = personal_fields(contact)
    if contact.id:
        return RestRequest("PUT", path(f"{DIRD}/personal", contact.id), body=body)
    return RestRequest("POST", f"{DIRD}/personal", body=body)


def delete_personal(contact_id: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{DIRD}/personal", contact_id))


def import_csv(text: str) -> RestRequest:
    return RestRequest(
        "POST", f"{DIRD}/personal/import", data=text.encode(), content_type="text/csv; charset=utf-8", long=True
    )


def personal_fields(contact: Contact) -> dict[str, str]:
    """The free keys of a personal contact; first and last name are split where the fields do not name them."""
    fields = {key: value for key, value in contact.fields.items() if value}
    if "firstname" not in fields and "lastname" not in fields:
        first, _, last = contact.name.strip().partition(" ")
        fields |= {"firstname": first, "lastname": last}
    for position, number in enumerate(contact.numbers):
        key = "number" if position == 0 else number.label if number.label in PERSONAL_NUMBER_KEYS else ""
        if key and (position == 0 or key != "number"):
            fields[key] = number.number
    if contact.email:
        fields["email"] = contact.email
    return {key: value for key, value in fields.items() if value}


def parse_personal(body: Any) -> Contact | None:
    if not isinstance(body, dict) or not isinstance(body.get("id"), (str, int)):
        return None
    texts = {
        str(key)[:64]: clean_name(value)
        for key, value in list(body.items())[:MAX_FIELDS]
        if isinstance(value, str) and key != "id"
    }
    name = " ".join(part for part in (texts.get("firstname", ""), texts.get("lastname", "")) if part)
    numbers = tuple(PhoneNumber(texts[key], key) for key in PERSONAL_NUMBER_KEYS if texts.get(key))
    return Contact(
        str(body["id"]),
        PERSONAL_SOURCE,
        name or texts.get("name", "") or (numbers[0].number if numbers else ""),
        numbers,
        texts.get("email", ""),
        personal=True,
        fields=frozen_map(
            {key: value for key, value in texts.items() if key not in (*PERSONAL_NUMBER_KEYS, "email") and value}
        ),
    )


def parse_personals(body: Any) -> tuple[Contact, ...]:
    found = body.get("items") if isinstance(body, dict) else None
    parsed = (parse_personal(item) for item in (found if isinstance(found, list) else ()))
    return tuple(contact for contact in parsed if contact is not None)


def parse_import(body: Any) -> tuple[int, int]:
    """How many were made and how many failed."""
    if not isinstance(body, dict):
        return 0, 0
    created, failed = body.get("created"), body.get("failed")
    return (
        len(created) if isinstance(created, list) else 0,
        len(failed) if isinstance(failed, list) else 0,
    )


# ---------------------------------------------------------------- contacts of a source


_NUMBER_COLUMNS = ("exten", "number", "mobile_phone_number", "mobile", "phone", "businessPhones", "numbers")


def parse_source_contacts(body: Any, source: Source) -> tuple[Contact, ...]:
    found = body.get("items") if isinstance(body, dict) else None
    parsed = (_source_contact(item, source) for item in (found if isinstance(found, list) else ()))
    return tuple(contact for contact in parsed if contact is not None)


def _source_contact(raw: Any, source: Source) -> Contact | None:
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), (str, int)):
        return None
    texts: dict[str, str] = {}
    numbers: list[PhoneNumber] = []
    for key, value in list(raw.items())[:MAX_FIELDS]:
        if key in _NUMBER_COLUMNS:
            for number in value if isinstance(value, list) else (value,):
                if isinstance(number, str) and number:
                    numbers.append(PhoneNumber(clean_name(number), _label(key)))
        elif isinstance(value, str) and value:
            texts[str(key)[:64]] = clean_name(value)
    name = " ".join(part for part in (texts.get("firstname", ""), texts.get("lastname", "")) if part)
    user = texts.get("uuid", "") if source.backend == "wazo" else ""
    kept = {key: value for key, value in texts.items() if key not in ("uuid", "email", "id")}
    return Contact(
        str(raw["id"]),
        source.name,
        name or texts.get("name", "") or (numbers[0].number if numbers else ""),
        tuple(dict.fromkeys(numbers)),
        texts.get("email", ""),
        user,
        fields=frozen_map(kept),
    )


def _label(key: str) -> str:
    return {"exten": "extension", "mobile_phone_number": "mobile"}.get(key, key)


def parse_conferences(body: Any) -> tuple[Room, ...]:
    """Conference rooms that have an extension."""
    return tuple(
        Room(raw.id, clean_name(raw.name), raw.extensions[0].exten)
        for raw in items(body, _Conference)
        if raw.extensions and raw.extensions[0].exten
    )


# ---------------------------------------------------------------- reverse lookup


def find_numbers(numbers: Sequence[str]) -> RestRequest:
    quoted = ", ".join('"' + "".join(c for c in number if c.isalnum() or c in "+*#") + '"' for number in numbers)
    query = (
        f'{{me {{contacts (profile: "{PROFILE}", extens: [{quoted}]) {{edges {{node {{firstname lastname wazoReverse'
        " wazoBackend email wazoSourceEntryId wazoSourceName ... on WazoContact {userUuid}}}}}}"
    )
    return RestRequest("POST", f"{DIRD}/graphql", body={"query": query})


def parse_numbers(body: Any) -> tuple[str, ...]:
    """Names in the order of the numbers asked for, empty where nobody was found."""
    node: Any = body
    for key in ("data", "me", "contacts", "edges"):
        node = node.get(key) if isinstance(node, Mapping) else None
    names = []
    for edge in node if isinstance(node, list) else ():
        found = edge.get("node") if isinstance(edge, dict) else None
        name = found.get("wazoReverse") if isinstance(found, dict) else None
        names.append(clean_name(name) if isinstance(name, str) else "")
    return tuple(names)
