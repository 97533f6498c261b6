"""wazo-call-logd: the own call log and recordings (wazo.md 7.6)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from app.calls.accounts import CallLogEntry, FindCalls
from app.calls.text import clean_name
from app.vendors.wazo.wire import CALL_LOGD, RestRequest, items, milliseconds, parameters, path, read, timestamp, total

ME = f"{CALL_LOGD}/users/me/cdr"
STATUSES = {"answered": "answered", "blocked": "blocked", "voicemail": "voicemail"}
_NOT_DIGIT = re.compile(r"[^0-9]")


class _Recording(msgspec.Struct):
    uuid: str
    deleted: bool = False


class _Cdr(msgspec.Struct):
    id: str
    start: str = ""
    answered: bool | None = None
    answer: str = ""
    duration: float = 0
    call_direction: str = ""
    call_status: str = ""
    source_name: str = ""
    source_extension: str = ""
    source_user_uuid: str = ""
    destination_name: str = ""
    destination_extension: str = ""
    requested_name: str = ""
    requested_extension: str = ""
    tags: tuple[str, ...] = ()
    recordings: tuple[_Recording, ...] = ()


def list_calls(query: FindCalls) -> RestRequest:
    """*query.number* finds that number at either end. "missed" has no filter of its own on the server: see
    :func:`wanted`."""
    number = _NOT_DIGIT.sub("", query.number)
    return RestRequest(
        "GET",
        ME,
        query=parameters(
            search=query.text,
            offset=query.offset or None,
            limit=query.limit,
            from_=timestamp(query.since) if query.since is not None else None,
            until=timestamp(query.until) if query.until is not None else None,
            number=f"_{number}" if number else None,
            call_direction=query.direction,
            call_status=query.status if query.status in STATUSES else None,
            distinct="peer_exten" if query.distinct_peers else None,
            order="start",
            direction="desc",
        ),
    )


def recordings_of(call: str) -> RestRequest:
    """The entries of one call; its recordings are part of the entry."""
    return RestRequest("GET", ME, query=parameters(from_id=call, limit=1, order="start", direction="desc"))


def recording_audio(call: str, recording: str) -> RestRequest:
    return RestRequest("GET", path(ME, call, "recordings", recording, "media"), long=True)


def parse_calls(body: Any, me: str) -> tuple[tuple[CallLogEntry, ...], int | None]:
    return tuple(_entry(raw, me) for raw in items(body, _Cdr)), total(body)


def parse_entry(body: Any, me: str) -> CallLogEntry | None:
    raw = read(_Cdr, body)
    return _entry(raw, me) if raw else None


def wanted(entry: CallLogEntry, query: FindCalls) -> bool:
    """What the server cannot filter: missed calls."""
    return query.status != "missed" or entry.status == "missed"


def _entry(raw: _Cdr, me: str) -> CallLogEntry:
    outgoing = raw.call_direction == "outbound" or raw.source_user_uuid == me
    if outgoing:
        name, number = raw.destination_name or raw.requested_name, raw.destination_extension or raw.requested_extension
    else:
        name, number = raw.source_name, raw.source_extension
    answered = raw.answered if raw.answered is not None else bool(raw.answer)
    # An unanswered call that we made is not one that we missed.
    fallback = "answered" if answered else "unanswered" if outgoing else "missed"
    status = raw.call_status if raw.call_status in ("blocked", "voicemail") else fallback
    return CallLogEntry(
        raw.id,
        raw.call_direction if raw.call_direction in ("inbound", "outbound", "internal") else "",
        status,
        milliseconds(raw.start) or 0,
        int(raw.duration * 1000) if 0 <= raw.duration < 1e9 else 0,
        clean_name(name) or clean_name(number),
        clean_name(number),
        clean_name(raw.requested_extension),
        tuple(recording.uuid for recording in raw.recordings if not recording.deleted),
        tuple(clean_name(tag) for tag in raw.tags[:32]),
    )
