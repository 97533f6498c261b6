"""What a person does in a phone call, one function per action (wazo.md 4.6 to 4.14)."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.model import CallPhase, Message, Participant
from app.calls.phone import Direction
from app.calls.text import clean_message
from app.media.errors import InvalidState
from app.protocols.sip.user_agent import NotPossible, UserAgent
from app.vendors.base import ActionRefused
from app.vendors.wazo import rest_calld
from app.vendors.wazo.errors import failure, sip_failure
from app.vendors.wazo.phone_core import LOCAL, Picture

if TYPE_CHECKING:
    from app.vendors.wazo.phone import WazoCallSession

TONES = frozenset("0123456789ABCDabcd*#,")
PAUSE_S = 2.0
"""A comma between tones sent by INFO."""
TRANSFER_TIMEOUT_S = 12.0
"""A server that took the transfer but says nothing more has done it."""
HOLD_BEFORE_TRANSFER_S = 3.0
DECLINE, BUSY = 603, 486

log = logging.getLogger(__name__)


def refuse(code: str, details: str = "") -> ActionRefused:
    return ActionRefused(failure(code, details))


async def perform(session: WazoCallSession, action: ac.Action) -> None:
    handler = _HANDLERS.get(type(action))
    if handler is None:
        raise refuse("not_supported", type(action).__name__)
    await handler(session, action)


def _need_call(session: WazoCallSession) -> None:
    if not session.core.established:
        raise refuse("not_in_call")


# ---------------------------------------------------------------- answering and ending


async def _answer(session: WazoCallSession, action: ph.Answer) -> None:
    await session.answer(video=action.video)


async def _decline(session: WazoCallSession, action: ph.Decline) -> None:
    core = session.core
    if core.phase is not CallPhase.INCOMING:
        raise refuse("not_ringing")
    if action.redirect_to:
        target = session.calls.uri(action.redirect_to)
        try:
            session.agent(lambda a, now: a.redirect(session.sip_key, (target,), now))
        except NotPossible as error:
            raise refuse("not_ringing", str(error)) from error
        core.ended("declined")
        session.drain()
        return
    # Busy makes the server apply what the person has set for busy calls, which is voicemail where there is one.
    session.hang_up(status=BUSY if action.to_voicemail else DECLINE)


async def _ignore(session: WazoCallSession, action: ph.IgnoreCall) -> None:
    """Nothing goes out: the caller hears no difference."""


async def _leave(session: WazoCallSession, action: ac.Leave) -> None:
    session.hang_up()


# ---------------------------------------------------------------- own media


async def _microphone(session: WazoCallSession, action: ac.SetMicrophone) -> None:
    if not action.muted:
        await session.calls.account.inputs.microphone(session.call_id, session.options)
    session.core.set_microphone(action.muted)
    session.drain()
    session.calls.mute_on_server(session, action.muted)


async def _camera(session: WazoCallSession, action: ac.SetCamera) -> None:
    core, inputs = session.core, session.calls.account.inputs
    if action.muted:
        core.set_camera(True)
        session.drain()
        await inputs.release(session.call_id, "camera")
        return
    await inputs.camera(session.call_id, session.options)
    if core.wanted.picture is Picture.SCREEN:
        core.set_camera(False)
        session.drain()
        return
    core.set_camera(False)
    if core.wanted.picture is not Picture.CAMERA:
        _need_call(session)
        core.set_picture(Picture.CAMERA)
        await session.settle()
    session.drain()


async def _video(session: WazoCallSession, action: ph.SetVideo) -> None:
    _need_call(session)
    core, inputs = session.core, session.calls.account.inputs
    if action.enabled:
        await inputs.camera(session.call_id, session.options)
        core.set_camera(False)
        core.set_picture(Picture.CAMERA)
        await _settle_video(session)
        await _tell_track(session, "upgrade")
        return
    await _tell_track(session, "downgrade")
    core.set_camera(True)
    core.set_picture(Picture.NONE, video=False)
    await session.settle()
    await inputs.release(session.call_id, "camera", "screen")


async def _settle_video(session: WazoCallSession) -> None:
    try:
        await session.settle()
    finally:
        if session.core.agreed.picture is not Picture.CAMERA:
            await session.calls.account.inputs.release(session.call_id, "camera")
    if session.core.agreed.picture is Picture.NONE:
        raise refuse("no_codec", "video refused")


async def _tell_track(session: WazoCallSession, update: str) -> None:
    """Older clients learn about a change of tracks by a message (wazo.md 4.9); its loss does not matter."""
    content = {
        "type": "onTrackUpdated",
        "update": update,
        "sipCallId": session.sip_call_id,
        "callId": session.server_call_id or None,
        "number": session.core.info.remote_number,
        "callerNumber": None,
    }
    body = json.dumps({"type": "message/TYPE_SIGNAL", "content": content})
    session.calls.account.start(_quiet(session.send_body(body, "text/plain")), "track update")


async def _quiet(work: Awaitable[None]) -> None:
    try:
        await work
    except ActionRefused as error:
        log.info("not told: %s", error.failure.code)


async def _share(session: WazoCallSession, action: ac.ShareScreen) -> None:
    _need_call(session)
    core, inputs = session.core, session.calls.account.inputs
    if action.source is None:
        back = Picture.CAMERA if not core.camera_muted and inputs.uses(session.call_id, "camera") else Picture.NONE
        core.set_picture(back, video=back is not Picture.NONE or session.room or session.remote_video)
        await session.settle()
        await inputs.release(session.call_id, "screen")
        return
    await inputs.screen(session.call_id, action)
    core.set_picture(Picture.SCREEN)
    try:
        await session.settle()
    except ActionRefused:
        await inputs.release(session.call_id, "screen")
        raise


async def _devices(session: WazoCallSession, action: ac.SelectDevices) -> None:
    await session.calls.account.inputs.select(action, session.options)


async def _hold(session: WazoCallSession, action: ph.SetHold) -> None:
    _need_call(session)
    session.core.set_hold(action.held)
    await session.settle()
    session.drain()


# ---------------------------------------------------------------- tones, messages


async def _tones(session: WazoCallSession, action: ac.SendDtmf) -> None:
    _need_call(session)
    media = session.media
    if not action.tones or any(tone not in TONES for tone in action.tones):
        raise refuse("bad_tones")
    if media is None or media.transport is None:
        raise refuse("no_media")
    sender = media.tone_sender()
    if sender and session.options.get("dtmf") != "info":
        try:
            media.transport.send_dtmf(sender, action.tones.upper(), action.duration_ms, action.gap_ms)
        except InvalidState as error:
            raise refuse("no_media", str(error)) from error
        return
    for tone in action.tones.upper():
        if tone == ",":
            await asyncio.sleep(PAUSE_S)
            continue
        status = await session.request(partial(_tone, session.sip_key, tone, action.duration_ms))
        if status >= 300:
            raise ActionRefused(sip_failure(status))


def _tone(call: str, tone: str, duration_ms: int, agent: UserAgent, now: float) -> str:
    return agent.dtmf(call, tone, now, duration_ms)


async def _message(session: WazoCallSession, action: ac.SendMessage) -> None:
    text = clean_message(action.text)
    if not text.strip():
        raise refuse("empty_message")
    message_id = action.message_id or f"{session.call_id}-out-{secrets.token_hex(6)}"
    sender = session.core.local_name
    message = Message(message_id, LOCAL, sender, text, session.calls.now_ms(), is_local=True)
    try:
        await session.send_body(session.chat_body(text), "application/json")
    except ActionRefused as error:
        failed = Message(
            message_id, LOCAL, sender, text, message.sent_at, True, delivered=False, error=error.failure.message
        )
        session.emit(ev.MessageReceived(failed))
        raise
    session.emit(ev.MessageReceived(message))


async def _signal(session: WazoCallSession, action: ph.SendSignal) -> None:
    try:
        if action.kind == "message":
            plain = action.payload if isinstance(action.payload, str) else None
            body = plain if plain is not None else json.dumps(action.payload)
            content_type = "text/plain" if plain is not None else "application/json"
        else:
            kind = "message/TYPE_CHAT" if action.kind == "chat" else "message/TYPE_SIGNAL"
            body, content_type = json.dumps({"type": kind, "content": action.payload}), "application/json"
    except (TypeError, ValueError, RecursionError) as error:
        raise refuse("bad_request", type(error).__name__) from error
    await session.send_body(body, content_type)


async def _endpoint_message(session: WazoCallSession, action: ac.SendEndpointMessage) -> None:
    await _signal(session, ph.SendSignal(dict(action.payload)))


# ---------------------------------------------------------------- transfer


async def _transfer(session: WazoCallSession, action: ph.TransferTo) -> None:
    _need_call(session)
    if action.consult:
        # Consulting is a call of its own, which the controller places.
        raise refuse("not_supported", "consultation")
    if action.call_id:
        await _attended(session, action.call_id)
    else:
        await _blind(session, action.target)


async def _attended(session: WazoCallSession, other_id: str) -> None:
    """The far side takes our place in the other call (RFC 3891): both calls then end here."""
    other = session.calls.by_id(other_id)
    if other is None or not other.core.established:
        raise refuse("unknown_call")
    await _hold_quietly(session)
    status = await _refer(session, "", other.sip_key)
    if status >= 300:
        raise refuse("transfer_failed", f"SIP {status}")
    for one in (session, other):
        one.hang_up()


async def _blind(session: WazoCallSession, target: str) -> None:
    if not target.strip():
        raise refuse("number_invalid")
    was_held = session.core.wanted.held
    await _hold_quietly(session)
    try:
        if session.options.get("transfer") == "server":
            await _by_server(session, target)
            return
        status = await _refer(session, session.calls.uri(target), "")
        if status in (405, 501):
            await _by_server(session, target)
            return
        if status >= 300:
            raise refuse("transfer_failed", f"SIP {status}")
    except ActionRefused:
        if not was_held and session.core.established:
            session.core.set_hold(False)
            session.drain()
        raise
    session.hang_up()


async def _hold_quietly(session: WazoCallSession) -> None:
    session.core.set_hold(True)
    try:
        async with asyncio.timeout(HOLD_BEFORE_TRANSFER_S):
            await session.settle()
    except (TimeoutError, ActionRefused):
        log.info("transferred without hold")


async def _refer(session: WazoCallSession, target: str, replaces: str) -> int:
    """The final status of the transfer as the far side tells it."""
    referred_by = ("Referred-By", f"<{session.calls.identity}>")
    try:
        key = session.agent(
            lambda a, now: a.refer(session.sip_key, target, now, replaces_call=replaces, headers=(referred_by,))
        )
    except NotPossible as error:
        raise refuse("not_in_call", str(error)) from error
    waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    session.refers[key] = waiting
    try:
        async with asyncio.timeout(TRANSFER_TIMEOUT_S):
            return await waiting
    except TimeoutError:
        return 202
    finally:
        session.refers.pop(key, None)


async def _by_server(session: WazoCallSession, target: str) -> None:
    call = await session.calls.server_call(session)
    await session.calls.account.client.ask(rest_calld.transfer(call, target, attended=False))


# ---------------------------------------------------------------- conference


async def _merge(session: WazoCallSession, action: ph.MergeCalls) -> None:
    """One conference on the server of this call and others; the server then ends the others' legs here."""
    _need_call(session)
    calls = session.calls
    others = [other for other in (calls.by_id(one) for one in action.call_ids) if other is not None]
    others = [other for other in others if other is not session and other.core.established]
    if not others:
        raise refuse("unknown_call")
    await calls.learn_server_calls()
    client = calls.account.client
    conference = session.core.info.conference_id
    if not conference:
        host = await calls.server_call(session)
        members = tuple(leg for one in (session, *others) for leg in one.talking_to)
        if not members:
            raise refuse("no_call_id")
        body = await client.ask(rest_calld.create_adhoc(host, members))
        conference = rest_calld.string_of(body, "conference_id")
        if not conference:
            raise refuse("bad_answer", "conference")
        _show_members(session, session)
    else:
        for leg in (leg for other in others for leg in other.talking_to):
            await client.ask(rest_calld.adhoc_participant(conference, leg))
    for one in (session, *others):
        one.core.change(conference_id=conference)
        if one is not session:
            _show_members(session, one)
        one.drain()
        calls.update_capabilities(one)
    if session.core.wanted.held:
        session.core.set_hold(False)
        await session.settle()


def _show_members(host: WazoCallSession, call: WazoCallSession) -> None:
    name = call.core.info.remote_name or call.core.info.remote_number
    for leg in call.talking_to:
        host.members[leg] = name
        host.emit(ev.ParticipantJoined(Participant(leg, name)))


async def _split(session: WazoCallSession, action: ph.SplitCall) -> None:
    conference = session.core.info.conference_id
    if not conference:
        raise refuse("not_merged")
    for leg in session.talking_to:
        request = rest_calld.adhoc_participant(conference, leg, remove=True)
        await session.calls.account.client.ask(request)
    session.core.change(conference_id="")
    session.drain()
    session.calls.update_capabilities(session)


async def _kick(session: WazoCallSession, action: ac.Kick) -> None:
    conference = session.core.info.conference_id
    if not conference:
        raise refuse("not_merged")
    if action.participant_id not in session.members:
        raise refuse("unknown_participant")
    request = rest_calld.adhoc_participant(conference, action.participant_id, remove=True)
    await session.calls.account.client.ask(request)


async def _end_for_all(session: WazoCallSession, action: ac.EndForAll) -> None:
    conference = session.core.info.conference_id
    if not conference:
        raise refuse("not_merged")
    await session.calls.account.client.ask(rest_calld.delete_adhoc(conference))


# ---------------------------------------------------------------- recording, other devices


async def _record(session: WazoCallSession, action: ph.SetRecording) -> None:
    _need_call(session)
    known = session.core.info.recording
    commands = {
        ("inactive", "active"): "start",
        ("paused", "active"): "resume",
        ("active", "paused"): "pause",
        ("active", "inactive"): "stop",
        ("paused", "inactive"): "stop",
    }
    command = commands.get((known, action.state))
    if command is None:
        if known == action.state:
            return
        raise refuse("bad_request", f"{known} to {action.state}")
    call = await session.calls.server_call(session)
    await session.calls.account.client.ask(rest_calld.record(call, command))
    session.core.change(recording=action.state)
    session.drain()


async def _relocate(session: WazoCallSession, action: ph.Relocate) -> None:
    _need_call(session)
    if session.core.info.direction is Direction.NONE or (not action.to_mobile and not action.line_id):
        raise refuse("bad_request", "no line")
    call = await session.calls.server_call(session)
    request = rest_calld.relocate(call, line_id=action.line_id, to_mobile=action.to_mobile)
    await session.calls.account.client.ask(request)


async def _volume(session: WazoCallSession, action: ac.SetParticipantVolume) -> None:
    media = session.media
    if media is None or media.transport is None:
        raise refuse("no_media")
    for name, source in media.sources.items():
        # A room's sound is one stream for everybody.
        if source.kind.value == "audio" and (source.participant_id == action.participant_id or session.room):
            media.transport.set_volume(name, action.volume)


async def _visible(session: WazoCallSession, action: ac.SetVisibleSources) -> None:
    media = session.media
    if media is None or media.transport is None:
        return
    shown = {source.name for source in action.sources}
    for name, source in media.sources.items():
        if source.kind.value == "video":
            media.transport.set_receiving(name, name in shown)


async def _read(session: WazoCallSession, action: ac.MarkMessagesRead) -> None:
    session.emit(ev.MessagesRead())


_HANDLERS: dict[type, Callable[[WazoCallSession, Any], Awaitable[None]]] = {
    ph.Answer: _answer,
    ph.Decline: _decline,
    ph.IgnoreCall: _ignore,
    ac.Leave: _leave,
    ac.SetMicrophone: _microphone,
    ac.SetCamera: _camera,
    ph.SetVideo: _video,
    ac.ShareScreen: _share,
    ac.SelectDevices: _devices,
    ph.SetHold: _hold,
    ac.SendDtmf: _tones,
    ac.SendMessage: _message,
    ph.SendSignal: _signal,
    ac.SendEndpointMessage: _endpoint_message,
    ph.TransferTo: _transfer,
    ph.MergeCalls: _merge,
    ph.SplitCall: _split,
    ac.Kick: _kick,
    ac.EndForAll: _end_for_all,
    ph.SetRecording: _record,
    ph.Relocate: _relocate,
    ac.SetParticipantVolume: _volume,
    ac.SetVisibleSources: _visible,
    ac.MarkMessagesRead: _read,
}
SUPPORTED = frozenset(kind.__name__ for kind in _HANDLERS)
