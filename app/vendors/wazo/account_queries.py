"""What is read page by page: contacts, calls, voicemail, chat, rooms, sound, administration."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.calls import accounts as acc
from app.calls.accounts import Page
from app.calls.model import frozen_map
from app.protocols.http import NetworkFailure
from app.vendors.base import ActionRefused
from app.vendors.wazo import rest_call_logd, rest_calld, rest_chatd, rest_confd, rest_dird
from app.vendors.wazo.account_actions import refuse
from app.vendors.wazo.administration import LISTS, in_tenant
from app.vendors.wazo.client import RestError
from app.vendors.wazo.errors import network_failure
from app.vendors.wazo.rest_dird import Source
from app.vendors.wazo.wire import total

if TYPE_CHECKING:
    from app.vendors.wazo.account import WazoAccount

MAX_ROUNDS = 10
"""Pages read to fill one page of missed calls, which the server cannot filter."""


async def find(account: WazoAccount, query: acc.Query) -> Page:
    """Raises :class:`ActionRefused`."""
    return await _HANDLERS[type(query)](account, query)


# ---------------------------------------------------------------- contacts


async def _contacts(account: WazoAccount, query: acc.FindContacts) -> Page:
    client = account.client
    if query.favourites:
        found = rest_dird.parse_results(await client.ask(rest_dird.favourites()))
        return _slice(_matching(found, query), query.offset, query.limit)
    if query.personal:
        return await _personal(account, query)
    if query.text.strip():
        found = rest_dird.parse_results(await client.ask(rest_dird.lookup(query.text.strip())))
        return _slice(_in_sources(found, query), query.offset, query.limit)
    return await _everybody(account, query)


async def _personal(account: WazoAccount, query: acc.FindContacts) -> Page:
    if query.text.strip():
        found = rest_dird.parse_results(await account.client.ask(rest_dird.lookup(query.text.strip())))
        return _slice(tuple(contact for contact in found if contact.personal), query.offset, query.limit)
    body = await account.client.ask(rest_dird.list_personal(query.offset, query.limit))
    contacts = rest_dird.parse_personals(body)
    count = total(body)
    if len(contacts) > query.limit:
        # Servers that know no paging of personal contacts send all of them.
        return _slice(contacts, query.offset, query.limit)
    return Page(contacts, count)


async def _everybody(account: WazoAccount, query: acc.FindContacts) -> Page:
    """All contacts, source after source, each paged by its server."""
    sources = [
        source for source in await account.reading.sources() if not query.sources or source.name in query.sources
    ]
    skip, room, counted = query.offset, query.limit, 0
    out: list[acc.Contact] = []
    for source in sources:
        request = rest_dird.source_contacts(source.backend, source.uuid, offset=skip, limit=max(room, 1))
        try:
            body = await account.client.ask(request)
        except ActionRefused as error:
            if error.failure.code in ("acl_refused", "not_found", "server_error", "service_down"):
                continue
            raise
        found = rest_dird.parse_source_contacts(body, source)[:room]
        size = total(body)
        size = size if size is not None else skip + len(found)
        out += found
        counted += size
        skip = max(0, skip - size)
        room -= len(found)
    return Page(tuple(out), counted)


def _in_sources(found: tuple[acc.Contact, ...], query: acc.FindContacts) -> tuple[acc.Contact, ...]:
    return tuple(contact for contact in found if not query.sources or contact.source in query.sources)


def _matching(found: tuple[acc.Contact, ...], query: acc.FindContacts) -> tuple[acc.Contact, ...]:
    words = query.text.casefold().split()
    return tuple(
        contact
        for contact in _in_sources(found, query)
        if all(
            word in contact.name.casefold() or any(word in number.number for number in contact.numbers)
            for word in words
        )
    )


def _slice(found: tuple[Any, ...], offset: int, limit: int) -> Page:
    return Page(found[offset : offset + limit], len(found))


async def listable_sources(account: WazoAccount) -> tuple[Source, ...]:
    """Sources whose contacts can be listed; conference rooms are no contacts."""
    body = await account.client.ask(rest_dird.list_sources())
    found = rest_dird.parse_sources(body)
    order = {backend: place for place, backend in enumerate(rest_dird.LISTED_BACKENDS)}
    return tuple(sorted((s for s in found if s.backend in order), key=lambda s: (order[s.backend], s.name)))


# ---------------------------------------------------------------- calls, voicemail


async def _calls(account: WazoAccount, query: acc.FindCalls) -> Page:
    if query.status != "missed":
        body = await account.client.ask(rest_call_logd.list_calls(query))
        entries, count = rest_call_logd.parse_calls(body, account.me)
        return Page(entries, count)
    # Missed calls are found by reading on until the page is full; offset counts missed ones.
    wanted: list[acc.CallLogEntry] = []
    step = replace(query, offset=0, limit=max(query.limit * 2, 50))
    count = None
    for _ in range(MAX_ROUNDS):
        body = await account.client.ask(rest_call_logd.list_calls(step))
        entries, count = rest_call_logd.parse_calls(body, account.me)
        wanted += [entry for entry in entries if rest_call_logd.wanted(entry, query)]
        step = replace(step, offset=step.offset + len(entries))
        if len(entries) < step.limit or len(wanted) >= query.offset + query.limit:
            break
    done = len(entries) < step.limit
    return Page(tuple(wanted[query.offset : query.offset + query.limit]), len(wanted) if done else None)


async def _voicemails(account: WazoAccount, query: acc.FindVoicemails) -> Page:
    messages = await account.reading.voicemail_messages(query.offset + query.limit if not query.folder else 1_000)
    found = tuple(message for message in messages[0] if not query.folder or message.folder == query.folder)
    count = messages[1] if not query.folder else len(found)
    return Page(found[query.offset : query.offset + query.limit], count)


async def _recordings(account: WazoAccount, query: acc.FindRecordings) -> Page:
    body = await account.client.ask(rest_call_logd.recordings_of(query.call_id))
    entries, _ = rest_call_logd.parse_calls(body, account.me)
    entry = next((entry for entry in entries if entry.id == query.call_id), None)
    return Page(entry.recordings if entry else (), len(entry.recordings) if entry else 0)


async def _audio(account: WazoAccount, query: acc.FetchAudio) -> Page:
    if query.kind == "voicemail":
        request = rest_calld.voicemail_audio(query.id)
    else:
        request = rest_call_logd.recording_audio(query.id, query.part)
    try:
        response = await account.client.send(request)
    except RestError as error:
        raise ActionRefused(error.failure) from error
    except NetworkFailure as error:
        raise ActionRefused(network_failure(error)) from error
    if not response.body:
        raise refuse("not_found", "empty sound")
    return Page((response.body,), 1)


# ---------------------------------------------------------------- chat, rooms


async def _chat_rooms(account: WazoAccount, query: acc.FindChatRooms) -> Page:
    rooms_body, last_body = await asyncio.gather(
        account.client.ask(rest_chatd.list_rooms(query.user_id)), account.client.ask(rest_chatd.last_messages())
    )
    for message in rest_chatd.parse_messages(last_body, account.me)[0]:
        account.core.remember_last(message)
    rooms = [account.core.room(room) for room in rest_chatd.parse_rooms(rooms_body)]
    rooms.sort(key=lambda room: room.last_at or 0, reverse=True)
    return Page(tuple(rooms), len(rooms))


async def _chat_messages(account: WazoAccount, query: acc.FindChatMessages) -> Page:
    if not query.room_id:
        body = await account.client.ask(rest_chatd.search_messages(query.text, query.limit))
        return Page(*rest_chatd.parse_messages(body, account.me))
    found: list[acc.ChatMessage] = []
    offset, count = 0, None
    # The server pages by offset only; what is newer than asked for is read over.
    for _ in range(MAX_ROUNDS):
        request = rest_chatd.list_messages(query.room_id, text=query.text, limit=query.limit, offset=offset)
        page, count = rest_chatd.parse_messages(await account.client.ask(request), account.me, query.room_id)
        found += [message for message in page if query.before is None or message.sent_at < query.before]
        offset += len(page)
        if len(page) < query.limit or len(found) >= query.limit:
            break
    if query.before is None and not query.text:
        found += [draft for draft in account.core.drafts.values() if draft.room_id == query.room_id]
    found.sort(key=lambda message: message.sent_at, reverse=True)
    return Page(tuple(found[: query.limit + len(account.core.drafts)]), count)


async def _rooms(account: WazoAccount, query: acc.FindRooms) -> Page:
    """Conference rooms of the directory and meetings of one's own; a part that is not there is left out."""
    rooms: list[acc.Room] = []
    try:
        rooms += await account.reading.conference_rooms()
    except ActionRefused as error:
        if error.failure.code not in ("acl_refused", "not_found"):
            raise
    try:
        meetings = rest_confd.parse_meetings(await account.client.ask(rest_confd.list_meetings()))
        rooms += [rest_confd.meeting_room(meeting, account.me) for meeting in meetings]
    except ActionRefused as error:
        if error.failure.code not in ("acl_refused", "not_found", "service_down"):
            raise
    return Page(tuple(rooms), len(rooms))


# ---------------------------------------------------------------- administration


async def _administration(account: WazoAccount, query: acc.FindAdministration) -> Page:
    build = LISTS.get(query.what)
    if build is None:
        raise refuse("not_here", query.what)
    body = await account.client.ask(in_tenant(build(query), query.tenant))
    found = body.get("items") if isinstance(body, dict) else body
    values = tuple(frozen_map(item) for item in (found if isinstance(found, list) else ()) if isinstance(item, dict))
    count = total(body)
    return Page(values, count if count is not None else len(values))


_HANDLERS: dict[type, Callable[[WazoAccount, Any], Awaitable[Page]]] = {
    acc.FindContacts: _contacts,
    acc.FindCalls: _calls,
    acc.FindVoicemails: _voicemails,
    acc.FindRecordings: _recordings,
    acc.FetchAudio: _audio,
    acc.FindChatRooms: _chat_rooms,
    acc.FindChatMessages: _chat_messages,
    acc.FindRooms: _rooms,
    acc.FindAdministration: _administration,
}
