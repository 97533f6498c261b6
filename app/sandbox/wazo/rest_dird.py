"""wazo-dird: lookups, favourites, personal contacts, sources, GraphQL (wazo.md 7.5)."""

from __future__ import annotations

import csv
import io
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

from app.sandbox.wazo.http import NO_CONTENT, ApiError, Call, Reply, Service, invalid, not_found, page
from app.sandbox.wazo.people import stable_uuid
from app.sandbox.wazo.state import CONFERENCES

service = Service("dird/0.1", "A")
HEADERS = ["Name", "Number", "Mobile", "Favorites", "E-mail", "Voicemail"]
TYPES = ["name", "number", "callable", "favorite", "email", "voicemail"]
SOURCES = (("internal", "wazo"), ("rooms", "conference"), ("suppliers", "phonebook"), ("personal", "personal"))
MAX_RESULTS = 1000
MAX_IMPORT = 10_000
KEYS = ("firstname", "lastname", "number", "email", "entreprise", "birthday", "address", "note")
SUPPLIERS = (
    ("Paper", "Mill", "+44201234001"),
    ("Coffee", "Roasters", "+44201234002"),
    ("Cable", "Works", "+44201234003"),
)


def source_uuid(backend: str) -> str:
    return stable_uuid("source", backend)


def _row(call: Call, values: list[Any], source: str, backend: str, entry: str, **relations: Any) -> dict[str, Any]:
    values[3] = (source, entry) in call.me.favorites
    empty = {"xivo_id": None, "agent_id": None, "user_id": None, "user_uuid": None, "endpoint_id": None}
    return {
        "column_values": values,
        "relations": {**empty, "source_entry_id": entry, **relations},
        "source": source,
        "backend": backend,
    }


def entries(call: Call) -> Iterator[dict[str, Any]]:
    """Everything of the profile, as rows of a lookup."""
    stack = call.state.stack_uuid
    for user in call.state.users.values():
        values = [user.name, user.exten, user.settings["mobile_phone_number"], False, user.settings["email"], None]
        ids = {"xivo_id": stack, "user_id": user.id, "user_uuid": user.uuid, "endpoint_id": user.lines[0].id}
        yield _row(call, values, "internal", "wazo", str(user.id), **ids)
    for person in call.state.people:
        values = [person.name, person.exten, person.mobile, False, person.email, None]
        ids = {"xivo_id": stack, "user_id": person.id, "user_uuid": person.uuid, "endpoint_id": person.id}
        yield _row(call, values, "internal", "wazo", str(person.id), **ids)
    for id_, name, exten in CONFERENCES:
        yield _row(call, [name, exten, None, False, None, None], "rooms", "conference", id_)
    for number, (first, last, phone) in enumerate(SUPPLIERS):
        yield _row(call, [f"{first} {last}", phone, None, False, None, None], "suppliers", "phonebook", str(number))
    for id_, contact in call.me.personal.items():
        name = f"{contact.get('firstname', '')} {contact.get('lastname', '')}".strip()
        values = [name, contact.get("number"), None, False, contact.get("email"), None]
        yield _row(call, values, "personal", "personal", id_)


def _profile(call: Call) -> None:
    if call.params["profile"] != "default":
        raise ApiError(404, f"The profile `{call.params['profile']}` does not exist", shape="B")


@service.route("GET", "directories/lookup/{profile}", "dird.directories.lookup.{profile}.read")
def lookup(call: Call) -> Any:
    _profile(call)
    term = call.query.get("term", "")
    if not term:
        raise ApiError(400, "term is missing", shape="B")
    wanted = term.lower()
    found = [
        r for r in entries(call) if any(wanted in str(v).lower() for v in r["column_values"] if isinstance(v, str))
    ]
    return {"term": term, "column_headers": HEADERS, "column_types": TYPES, "results": found[:MAX_RESULTS]}


@service.route("GET", "directories/favorites/{profile}", "dird.directories.favorites.{profile}.read")
def favorites(call: Call) -> Any:
    _profile(call)
    found = [r for r in entries(call) if r["column_values"][3]]
    return {"column_headers": HEADERS, "column_types": TYPES, "results": found}


@service.route("PUT", "directories/favorites/{source}/{entry}", "dird.directories.favorites.{source}.{entry}.update")
def favor(call: Call) -> Reply:
    key = (call.params["source"], call.params["entry"])
    if key[0] not in dict(SOURCES):
        raise ApiError(404, "No such source", shape="B")
    if key in call.me.favorites:
        raise ApiError(409, "Adding this favorite would create a duplicate", shape="B")
    call.me.favorites.append(key)
    _favorite_event(call, "favorite_added", key)
    return NO_CONTENT


@service.route("DELETE", "directories/favorites/{source}/{entry}", "dird.directories.favorites.{source}.{entry}.delete")
def disfavor(call: Call) -> Reply:
    key = (call.params["source"], call.params["entry"])
    if key not in call.me.favorites:
        raise ApiError(404, "No such favorite", shape="B")
    call.me.favorites.remove(key)
    _favorite_event(call, "favorite_deleted", key)
    return NO_CONTENT


def _favorite_event(call: Call, name: str, key: tuple[str, str]) -> None:
    data = {"xivo_uuid": call.state.stack_uuid, "source": key[0], "source_entry_id": key[1]}
    call.state.user_event(call.me, name, data)


# ---------------------------------------------------------------------- personal contacts


def _shown(id_: str, contact: dict[str, Any]) -> dict[str, Any]:
    return {"id": id_, **contact}


def _contact_body(call: Call) -> dict[str, Any]:
    contact = {str(k): str(v) for k, v in call.body.items() if k != "id" and v not in (None, "")}
    if not contact:
        raise ApiError(400, "Contact should not be empty", shape="B")
    return contact


def _contact(call: Call) -> dict[str, Any]:
    contact = call.me.personal.get(call.params["contact"])
    if contact is None:
        raise ApiError(404, f"No such personal contact: {call.params['contact']}", shape="B")
    return contact


@service.route("GET", "personal", "dird.personal.read")
def personal(call: Call) -> Any:
    items = [_shown(id_, contact) for id_, contact in call.me.personal.items()]
    return page(call, items, columns=(*KEYS, "id"), search=KEYS)


@service.route("POST", "personal", "dird.personal.create")
def add_contact(call: Call) -> Reply:
    contact = _contact_body(call)
    if contact in call.me.personal.values():
        raise ApiError(409, "Adding this personal contact would create a duplicate", shape="B")
    id_ = str(uuid.uuid4())
    call.me.personal[id_] = contact
    return Reply(201, _shown(id_, contact))


@service.route("DELETE", "personal", "dird.personal.delete")
def purge(call: Call) -> Reply:
    call.me.personal.clear()
    return NO_CONTENT


@service.route("POST", "personal/import", "dird.personal.import.create")
def import_contacts(call: Call) -> Reply:
    charset = call.request.charset or "utf-8"
    try:
        text = call.raw.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise ApiError(400, "The charset does not fit the file", shape="B") from None
    created, failed = [], []
    for line, row in enumerate(csv.DictReader(io.StringIO(text)), 2):
        if line > MAX_IMPORT:
            break
        contact = {k: v for k, v in row.items() if k and v}
        if None in row or not contact:
            failed.append({"line": line, "errors": ["too many fields" if None in row else "empty contact"]})
        elif contact in call.me.personal.values():
            failed.append({"line": line, "errors": ["duplicate contact"]})
        else:
            id_ = str(uuid.uuid4())
            call.me.personal[id_] = dict(contact)
            created.append(_shown(id_, dict(contact)))
    if not created and not failed:
        raise ApiError(400, "No contacts found", shape="B")
    return Reply(201 if created else 400, {"created": created, "failed": failed})


@service.route("GET", "personal/{contact}", "dird.personal.{contact}.read")
def one_contact(call: Call) -> Any:
    return _shown(call.params["contact"], _contact(call))


@service.route("PUT", "personal/{contact}", "dird.personal.{contact}.update")
def change_contact(call: Call) -> Any:
    _contact(call)
    call.me.personal[call.params["contact"]] = _contact_body(call)
    return one_contact(call)


@service.route("DELETE", "personal/{contact}", "dird.personal.{contact}.delete")
def delete_contact(call: Call) -> Reply:
    _contact(call)
    del call.me.personal[call.params["contact"]]
    return NO_CONTENT


# ---------------------------------------------------------------------- sources


@service.route("GET", "directories/{profile}/sources", "dird.directories.{profile}.sources.read")
def sources(call: Call) -> Any:
    _profile(call)
    wanted = call.query.get("backend", "")
    items = [
        {"uuid": source_uuid(backend), "name": name, "backend": backend, "tenant_uuid": call.state.tenant_uuid}
        for name, backend in SOURCES
        if wanted in ("", backend)
    ]
    answer = page(call, items, order="name", columns=("backend",), search=("name",))
    answer["total"] = len(SOURCES)
    return answer


@service.route(
    "GET", "backends/{backend}/sources/{source}/contacts", "dird.backends.{backend}.sources.{source}.contacts.read"
)
def contacts(call: Call) -> Any:
    backend = call.params["backend"]
    if call.params["source"] != source_uuid(backend) or backend not in {b for _, b in SOURCES}:
        raise not_found("No such source", "unknown-source", resource_id=call.params["source"])
    items: list[dict[str, Any]]
    if backend == "conference":
        items = [
            {"id": id_, "name": name, "extensions": [{"context": "default", "exten": exten}], "incalls": []}
            for id_, name, exten in CONFERENCES
        ]
    elif backend == "wazo":
        items = [
            {"id": u.id, "uuid": u.uuid, "firstname": u.settings["firstname"], "lastname": u.settings["lastname"],
             "email": u.settings["email"], "exten": u.exten, "voicemail_number": None,
             "mobile_phone_number": u.settings["mobile_phone_number"]}
            for u in call.state.users.values()
        ]  # fmt: skip
        items += [
            {"id": p.id, "uuid": p.uuid, "firstname": p.firstname, "lastname": p.lastname, "email": p.email,
             "exten": p.exten, "mobile_phone_number": p.mobile or None, "voicemail_number": None}
            for p in call.state.people
        ]  # fmt: skip
        if asked := call.query.get("uuid"):
            items = [item for item in items if item["uuid"] in asked.split(",")]
    else:
        items = [
            {"id": str(number), "firstname": first, "lastname": last, "number": phone}
            for number, (first, last, phone) in enumerate(SUPPLIERS)
        ]
    columns = ("firstname", "lastname", "name", "exten", "email", "number")
    return page(call, items, columns=columns, search=columns)


# ---------------------------------------------------------------------- GraphQL

_EXTENS = re.compile(r"extens:\s*\[([^\]]*)\]")


@service.route("POST", "graphql", "dird.graphql.me")
def graphql(call: Call) -> Any:
    """Only the query that phones make: contacts by numbers, in their order."""
    match = _EXTENS.search(call.text("query"))
    if match is None:
        return {"errors": [{"message": "Cannot query", "locations": []}], "data": None, "timestamp": time.time()}
    numbers = re.findall(r'"([^"]*)"', match.group(1))[:MAX_RESULTS]
    if not numbers:
        raise invalid("extens", "none")
    by_number: dict[str, dict[str, Any]] = {}
    for row in entries(call):
        for value in row["column_values"][1:3]:
            if value:
                by_number.setdefault(str(value), row)
    return {"data": {"me": {"contacts": {"edges": [{"node": _node(by_number.get(n))} for n in numbers]}}}}


def _node(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    first, _, last = str(row["column_values"][0]).partition(" ")
    return {
        "firstname": first, "lastname": last, "wazoReverse": row["column_values"][0], "wazoBackend": row["backend"],
        "email": row["column_values"][4], "wazoSourceEntryId": row["relations"]["source_entry_id"],
        "wazoSourceName": row["source"], "userUuid": row["relations"]["user_uuid"],
    }  # fmt: skip
