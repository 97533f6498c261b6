"""What a person does with the account, one function per action. Each returns what the action's docstring names."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.calls import accounts as acc
from app.calls.model import Failure
from app.vendors.base import ActionRefused
from app.vendors.wazo import (
    rest_agentd,
    rest_auth,
    rest_calld,
    rest_chatd,
    rest_confd,
    rest_dird,
    vcard,
)
from app.vendors.wazo.administration import COMMANDS, MissingParameter, in_tenant
from app.vendors.wazo.errors import failure
from app.vendors.wazo.wire import RestRequest, parameters

if TYPE_CHECKING:
    from app.vendors.wazo.account import WazoAccount

MAX_FAX_BYTES = 16_000_000
"""The server's proxy refuses larger bodies."""
MAX_CHAT_USERS = 100
IMPORT_AT_ONCE = 4
"""Requests in parallel while cards are imported one by one."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


def refuse(code: str, details: str = "") -> ActionRefused:
    return ActionRefused(failure(code, details))


async def perform(account: WazoAccount, action: acc.AccountAction) -> Any:
    """Raises :class:`ActionRefused`."""
    handler = _HANDLERS.get(type(action))
    if handler is None:
        raise refuse("not_supported", type(action).__name__)
    return await handler(account, action)


async def _set_presence(account: WazoAccount, action: acc.SetPresence) -> None:
    if action.state not in rest_chatd.STATES - {"busy"}:
        raise refuse("bad_request", action.state)
    await account.client.ask(rest_chatd.set_presence(account.me, action.state, action.status))
    own = account.core.presences.get(account.me, acc.Presence(account.me))
    account.emit_all(account.core.presence(replace(own, state=action.state, status=action.status)))


async def _set_dnd(account: WazoAccount, action: acc.SetDoNotDisturb) -> None:
    await account.client.ask(rest_confd.set_do_not_disturb(account.me, action.enabled))
    own = account.core.presences.get(account.me, acc.Presence(account.me))
    account.emit_all(account.core.presence(replace(own, do_not_disturb=action.enabled)))


async def _set_forward(account: WazoAccount, action: acc.SetForward) -> None:
    forward = action.forward
    if forward.kind not in rest_confd.FORWARD_KINDS or (forward.enabled and not forward.destination.strip()):
        raise refuse("bad_request", forward.kind)
    await account.client.ask(rest_confd.set_forward(account.me, forward))
    account.core.forwards[forward.kind] = forward
    account.emit(acc.ForwardsChanged(tuple(account.core.forwards.values())))


async def _watch(account: WazoAccount, action: acc.WatchPresences) -> None:
    wanted = frozenset(action.user_ids[:1_000])
    fresh = [user for user in wanted if user and user not in account.core.presences]
    account.core.watched = wanted
    for request in rest_chatd.get_presences(sorted(fresh)):
        for presence in rest_chatd.parse_presences(await account.client.ask(request)):
            account.emit_all(account.core.presence(presence))


# ---------------------------------------------------------------- contacts


async def _set_favourite(account: WazoAccount, action: acc.SetFavourite) -> None:
    contact = action.contact
    if not contact.id or not contact.source:
        raise refuse("not_found", "contact without id")
    await account.client.ask(rest_dird.set_favourite(contact.source, contact.id, action.favourite))
    account.emit(acc.ListChanged("favourites", contact.id))


async def _save_contact(account: WazoAccount, action: acc.SaveContact) -> acc.Contact | None:
    if not action.contact.name.strip() and not action.contact.numbers:
        raise refuse("bad_request", "contact without name and number")
    body = await account.client.ask(rest_dird.save_personal(action.contact))
    account.emit(acc.ListChanged("contacts", action.contact.id))
    return rest_dird.parse_personal(body)


async def _delete_contact(account: WazoAccount, action: acc.DeleteContact) -> None:
    await account.client.ask(rest_dird.delete_personal(action.contact.id))
    account.emit(acc.ListChanged("contacts", action.contact.id))


async def _import(account: WazoAccount, action: acc.ImportContacts) -> int:
    """How many contacts were made."""
    if action.format == "csv":
        text = vcard.normalise_csv(action.text)
        if not text:
            raise refuse("bad_contacts")
        made, failed = rest_dird.parse_import(await account.client.ask(rest_dird.import_csv(text)))
    else:
        contacts = vcard.read_vcards(action.text)
        if not contacts:
            raise refuse("bad_contacts")
        made, failed = await _import_cards(account, contacts)
    account.emit(acc.ListChanged("contacts"))
    if failed:
        text = f"{made} contacts were imported, {failed} could not be."
        account.emit(acc.AccountNotice("some_contacts_failed", text, "warning"))
    return made


async def _import_cards(account: WazoAccount, contacts: tuple[acc.Contact, ...]) -> tuple[int, int]:
    gate = asyncio.Semaphore(IMPORT_AT_ONCE)

    async def one(contact: acc.Contact) -> bool:
        async with gate:
            try:
                await account.client.ask(rest_dird.save_personal(contact))
            except ActionRefused as error:
                if error.failure.code in ("conflict", "bad_request"):
                    return False
                raise
            return True

    results = await asyncio.gather(*(one(contact) for contact in contacts))
    return sum(results), len(results) - sum(results)


# ---------------------------------------------------------------- voicemail, calls


async def _move_voicemail(account: WazoAccount, action: acc.MoveVoicemail) -> None:
    if action.folder not in rest_calld.FOLDER_IDS:
        raise refuse("bad_request", action.folder)
    await account.client.ask(rest_calld.move_voicemail(action.message_id, action.folder))
    account.reading.voicemail_changed(action.message_id)


async def _delete_voicemail(account: WazoAccount, action: acc.DeleteVoicemail) -> None:
    await account.client.ask(rest_calld.delete_voicemail(action.message_id))
    account.reading.voicemail_changed(action.message_id)


async def _calls_seen(account: WazoAccount, action: acc.MarkCallsSeen) -> None:
    # Missed calls are counted where calls ring; the server keeps no mark of what was seen.
    account.emit(acc.CountsChanged(missed_calls=0))


# ---------------------------------------------------------------- chat


async def _open_room(account: WazoAccount, action: acc.OpenChatRoom) -> acc.ChatRoom:
    users = [user for user in dict.fromkeys(action.user_ids) if user and user != account.me][:MAX_CHAT_USERS]
    if not users:
        raise refuse("bad_request", "nobody to write to")
    body = await account.client.ask(rest_chatd.create_room([*users, account.me], action.name))
    room = rest_chatd.parse_room(body)
    if room is None:
        raise refuse("bad_answer", "chat room")
    account.emit(acc.ListChanged("chat_rooms", room.id))
    return account.core.room(room)


async def _send_message(account: WazoAccount, action: acc.SendChatMessage) -> acc.ChatMessage:
    draft = account.core.drafts.get(action.message_id)
    text = action.text or (draft.text if draft else "")
    if not text.strip():
        raise refuse("empty_message")
    room = action.room_id or (draft.room_id if draft else "")
    try:
        body = await account.client.ask(rest_chatd.send_message(room, text, account.display_name))
    except ActionRefused as error:
        account.emit_all(account.core.draft(_draft(account, room, text, action.message_id, error.failure)))
        raise
    message = rest_chatd.parse_message(body, account.me, room)
    if message is None:
        raise refuse("bad_answer", "chat message")
    if action.message_id:
        account.emit_all(account.core.draft_sent(action.message_id))
    account.emit_all(account.core.message(replace(message, is_local=True)))
    return message


def _draft(account: WazoAccount, room: str, text: str, message_id: str, problem: Failure) -> acc.ChatMessage:
    return acc.ChatMessage(
        message_id or f"draft-{secrets.token_hex(8)}",
        room,
        account.me,
        account.display_name,
        text,
        int(time.time() * 1000),
        True,
        problem.message,
    )


async def _read(account: WazoAccount, action: acc.MarkChatRead) -> None:
    account.emit_all(account.core.read(action.room_id))


# ---------------------------------------------------------------- switchboard, agent, fax


async def _answer_waiting(account: WazoAccount, action: acc.AnswerWaitingCall) -> str:
    """The server's id of the call that now comes to our phone by itself."""
    request = rest_calld.answer_waiting(
        action.switchboard_id, action.call_id, held=action.held, line_id=account.line_id
    )
    return rest_calld.string_of(await account.client.ask(request), "call_id")


async def _hold_waiting(account: WazoAccount, action: acc.HoldWaitingCall) -> None:
    await account.client.ask(rest_calld.hold_waiting(action.switchboard_id, action.call_id))


async def _set_agent(account: WazoAccount, action: acc.SetAgent) -> None:
    line = action.line_id or account.line_id
    commands: dict[str, RestRequest] = {
        "logout": rest_agentd.logout(),
        "pause": rest_agentd.pause(action.reason or "parley"),
        "resume": rest_agentd.resume(),
    }
    if line:
        commands["login"] = rest_agentd.login(line)
    if action.queue_id:
        commands["join_queue"] = rest_agentd.queue(action.queue_id, join=True)
        commands["leave_queue"] = rest_agentd.queue(action.queue_id, join=False)
    request = commands.get(action.command)
    if request is None:
        raise refuse("bad_request", action.command)
    await account.client.ask(request)
    account.emit_all(account.core.set_agent(rest_agentd.parse_agent(await account.client.ask(rest_agentd.status()))))


async def _send_fax(account: WazoAccount, action: acc.SendFax) -> acc.FaxJob:
    known = account.core.faxes.get(action.fax_id)
    number = action.number or (known.number if known else "")
    path = action.path or (known.path if known else "")
    if not number.strip():
        raise refuse("number_invalid")
    job = acc.FaxJob(action.fax_id or f"fax-{secrets.token_hex(6)}", number, path, "sending")
    if known is not None:
        account.core.faxes.pop(known.id, None)
    account.emit_all(account.core.fax(job))
    try:
        document = await _read_pdf(path)
        body = await account.client.ask(rest_calld.send_fax(number, document, action.caller_id))
    except ActionRefused as error:
        account.emit_all(account.core.fax(replace(job, state="failed", error=error.failure.message)))
        raise
    parsed = rest_calld.parse_fax(body)
    if parsed is not None and parsed[0] != job.id:
        account.core.name_fax(parsed[0], job.id)
    return job


async def _read_pdf(path: str) -> bytes:
    def read() -> bytes:
        with Path(path).open("rb") as file:
            return file.read(MAX_FAX_BYTES + 1)

    try:
        document = await asyncio.to_thread(read)
    except (OSError, ValueError) as error:
        raise refuse("unreadable_file", type(error).__name__) from error
    if len(document) > MAX_FAX_BYTES:
        raise refuse("too_large")
    if not document.startswith(b"%PDF"):
        raise refuse("not_pdf")
    return document


# ---------------------------------------------------------------- meetings, password, anything else


async def _save_meeting(account: WazoAccount, action: acc.SaveMeeting) -> acc.Room:
    request = rest_confd.save_meeting(
        action.name, action.id, persistent=action.persistent, require_authorization=action.require_authorization
    )
    body = await account.client.ask(request)
    if body is None and action.id:
        body = await account.client.ask(rest_confd.get_meeting(action.id))
    meeting = rest_confd.parse_meeting(body)
    if meeting is None:
        raise refuse("bad_answer", "meeting")
    account.emit(acc.ListChanged("rooms", meeting.uuid))
    return rest_confd.meeting_room(meeting, account.me)


async def _delete_meeting(account: WazoAccount, action: acc.DeleteMeeting) -> None:
    await account.client.ask(rest_confd.delete_meeting(action.id))
    account.emit(acc.ListChanged("rooms", action.id))


async def _change_password(account: WazoAccount, action: acc.ChangePassword) -> None:
    try:
        await account.client.ask(rest_auth.change_password(account.me, action.old, action.new))
    except ActionRefused as error:
        # The server says 401 for a wrong old password as well.
        if error.failure.code == "token_revoked" and account.client.refresh_token:
            raise refuse("wrong_password") from error
        raise


async def _api_request(account: WazoAccount, action: acc.ApiRequest) -> Any:
    method = action.method.upper()
    path = action.path.strip().removeprefix("/").removeprefix("api/")
    if method not in METHODS or not path or ".." in path or "\\" in path or path.startswith("/"):
        raise refuse("bad_request", f"{method} {path}")
    return await account.client.ask(RestRequest(method, path, query=parameters(**action.query), body=action.body))


async def _administer(account: WazoAccount, action: acc.Administer) -> Any:
    build = COMMANDS.get(action.command)
    if build is None:
        raise refuse("not_here", action.command)
    try:
        request = in_tenant(build(action.parameters), str(action.parameters.get("tenant") or ""))
    except MissingParameter as error:
        raise ActionRefused(failure("bad_request", error.name)) from error
    return await account.client.ask(request)


_HANDLERS: dict[type, Callable[[WazoAccount, Any], Awaitable[Any]]] = {
    acc.SetPresence: _set_presence,
    acc.SetDoNotDisturb: _set_dnd,
    acc.SetForward: _set_forward,
    acc.WatchPresences: _watch,
    acc.SetFavourite: _set_favourite,
    acc.SaveContact: _save_contact,
    acc.DeleteContact: _delete_contact,
    acc.ImportContacts: _import,
    acc.MoveVoicemail: _move_voicemail,
    acc.DeleteVoicemail: _delete_voicemail,
    acc.MarkCallsSeen: _calls_seen,
    acc.OpenChatRoom: _open_room,
    acc.SendChatMessage: _send_message,
    acc.MarkChatRead: _read,
    acc.AnswerWaitingCall: _answer_waiting,
    acc.HoldWaitingCall: _hold_waiting,
    acc.SetAgent: _set_agent,
    acc.SendFax: _send_fax,
    acc.SaveMeeting: _save_meeting,
    acc.DeleteMeeting: _delete_meeting,
    acc.ChangePassword: _change_password,
    acc.ApiRequest: _api_request,
    acc.Administer: _administer,
}
