"""A phone call of a Wazo account, placed or ringing here. Implements :class:`app.vendors.base.Session`."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import CallPhase, Failure, Message, frozen_map
from app.calls.phone import Direction, ToneReceived
from app.calls.text import clean_message, clean_name
from app.media.errors import MediaError
from app.protocols.sdp.negotiation import NegotiationError
from app.protocols.sip import events as sip
from app.protocols.sip.message import Headers, name_of, user_of
from app.protocols.sip.user_agent import NotPossible, UserAgent
from app.vendors.base import ActionRefused, JoinFailed
from app.vendors.wazo import phone_actions
from app.vendors.wazo.call_media import offers_video
from app.vendors.wazo.call_shell import CallShell
from app.vendors.wazo.errors import failure, sip_failure
from app.vendors.wazo.phone_core import LOCAL, REMOTE

if TYPE_CHECKING:
    pass

SETTLE_TIMEOUT_S = 20.0
"""A person waits for hold or video at most this long; the exchange itself may still end later."""
REQUEST_TIMEOUT_S = 33.0
CLOSE_TIMEOUT_S = 2.0
WAZO_CALL_ID = "X-Wazo-Call-ID"

log = logging.getLogger(__name__)


class WazoCallSession(CallShell):
    """Made by :class:`app.vendors.wazo.calls.Calls`."""

    # ------------------------------------------------------------ outgoing

    async def join(self) -> None:
        core = self.core
        core.begin()
        self.drain()
        try:
            await self._place()
        except ActionRefused as error:
            self._fail(error.failure)
            raise JoinFailed(error.failure) from error
        except (NegotiationError, MediaError, OSError, TimeoutError) as error:
            problem = failure("no_media", f"{type(error).__name__}: {error}"[:200])
            self._fail(problem)
            raise JoinFailed(problem) from error
        await asyncio.shield(self._entered)

    async def _place(self) -> None:
        account = self.calls.account
        phone = account.phone
        if phone is None:
            raise ActionRefused(failure("no_webrtc_line"))
        if not phone.registered:
            raise ActionRefused(failure("not_registered"))
        await account.inputs.microphone(self.call_id, self.options)
        if self.video:
            await account.inputs.camera(self.call_id, self.options)
        self.media = self._make_media(accept_video=True, send_video=self.video)
        self.media.prepare(video=self.video, conference=self.room)
        self.media.set_muted("audio", self.core.microphone_muted)
        self.media.set_muted("video", not self.video)
        offer = await self.media.negotiated.offer()
        if self.core.is_over:
            raise ActionRefused(failure("cancelled"))
        target = self.calls.uri(self.target)
        try:
            self.sip_key = self.agent(lambda a, now: a.invite(target, offer, now, headers=self._invite_headers()))
        except (NotPossible, ValueError) as error:
            raise ActionRefused(failure("number_invalid", str(error)[:200])) from error
        self.sip_call_id = self.sip_key.partition("#")[0]
        self.calls.bind(self)

    def _invite_headers(self) -> tuple[tuple[str, str], ...]:
        return ()

    # ------------------------------------------------------------ incoming

    def ring(self) -> None:
        """Tell the caller that it rings here, and the window that somebody calls."""
        self.core.begin()
        self.drain()
        self._note_headers(self._incoming.headers if self._incoming else Headers())
        try:
            self.agent(lambda a, now: a.progress(self.sip_key, now))
        except NotPossible:
            self.core.ended("cancelled")
        self.drain()

    async def answer(self, *, video: bool) -> None:
        """Take the call. Raises :class:`ActionRefused`."""
        core, incoming = self.core, self._incoming
        if core.phase is not CallPhase.INCOMING or incoming is None:
            raise ActionRefused(failure("not_ringing"))
        account = self.calls.account
        await account.inputs.microphone(self.call_id, self.options)
        if video:
            try:
                await account.inputs.camera(self.call_id, self.options)
            except ActionRefused as error:
                # Better a call without picture than none.
                video = False
                self.emit(ev.Notice(error.failure.code, error.failure.message, "warning"))
        core.camera_muted = not video
        self._put(lambda: self._accept(incoming, video))
        try:
            await asyncio.shield(self._entered)
        except JoinFailed as error:
            raise ActionRefused(error.failure) from error

    async def _accept(self, incoming: sip.IncomingCall, video: bool) -> None:
        core = self.core
        if core.phase is not CallPhase.INCOMING:
            return
        try:
            self.media = media = self._make_media(accept_video=video, send_video=video)
            media.set_muted("audio", core.microphone_muted)
            media.set_muted("video", not video)
            if incoming.sdp is None:
                media.prepare(video=video)
                sdp = await media.negotiated.offer()
            else:
                media.negotiated.offered(incoming.sdp)
                sdp = await media.negotiated.answer()
            if core.is_over:
                return
            self.agent(lambda a, now: a.answer(self.sip_key, sdp, now))
        except (NegotiationError, MediaError, OSError, TimeoutError) as error:
            log.warning("answering: %s: %s", type(error).__name__, error)
            code = "no_codec" if isinstance(error, NegotiationError) else "no_media"
            self._try(lambda a, now: a.reject(self.sip_key, now, 488))
            self._fail(failure(code, str(error)[:200]))
            return
        except NotPossible:
            core.ended("cancelled")
            return
        if incoming.sdp is not None:
            self._established()

    # ------------------------------------------------------------ SIP events

    def sip_event(self, event: Any) -> None:
        match event:
            case sip.CallProgress():
                self._note_headers(event.headers)
                early = event.sdp is not None
                if event.sdp is not None:
                    sdp = event.sdp
                    self._put(lambda: self._early(sdp))
                self.core.progress(event.status, early_media=early)
            case sip.CallAnswered():
                self._note_headers(event.headers)
                self._put(lambda: self._answered(event))
            case sip.CallConfirmed(sdp=str(sdp)):
                self._put(lambda: self._confirmed(sdp))
            case sip.CallEnded():
                self._ended(event)
            case sip.OfferReceived():
                self._note_headers(event.headers)
                self._put(lambda: self._remote_offer(event))
            case sip.AnswerReceived(refresh=False) | sip.OfferFailed():
                if self._reply is not None and not self._reply.done():
                    self._reply.set_result(event)
            case sip.RetryOffer():
                self.core.retry()
            case sip.MessageReceived():
                self.message_received(event.content_type, event.body)
            case sip.DtmfReceived():
                self.emit(ToneReceived(event.digit))
            case sip.ReferProgress():
                self._refer_progress(event)
            case sip.RequestAnswered():
                waiting = self._requests.pop(event.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(event.status)
            case sip.ReferReceived():
                # Nobody else decides whom this computer calls.
                self._try(lambda a, now: a.reject_refer(event.id, now))
                number = clean_name(user_of(event.target))
                text = f"The other side asks you to call {number}."
                self.emit(ev.Notice("refer_requested", text))
        self.drain()

    def _note_headers(self, headers: Headers) -> None:
        """The server's id of our leg, and who is really at the other end (RFC 3325)."""
        call_id = headers.get(WAZO_CALL_ID)
        if call_id:
            self.know_server_call(call_id[:128])
        identity = headers.get("P-Asserted-Identity")
        if identity:
            self.core.named(clean_name(name_of(identity)), clean_name(user_of(identity)))

    def know_server_call(self, server_call_id: str) -> None:
        if server_call_id != self.server_call_id:
            self.server_call_id = server_call_id
            self.core.change(server_call_id=server_call_id)
            self.calls.bind_server_call(self)

    def _ended(self, event: sip.CallEnded) -> None:
        core = self.core
        established = core.info.answered_at is not None
        for refer in self.refers.values():
            if not refer.done():
                # The server hangs up on us once the transfer is done.
                refer.set_result(200)
        if event.elsewhere:
            core.ended("elsewhere")
        elif event.by == "local" and not core.failure:
            core.ended("normal" if established else "cancelled")
        elif established:
            if event.by == "remote":
                core.ended("normal")
            else:
                core.ended("call_lost", failure("call_lost", f"{event.by} {event.status}"), failed=True)
        elif core.info.direction is Direction.INCOMING:
            core.ended("cancelled")
        else:
            problem = sip_failure(event.status, event.reason)
            if event.by == "transport":
                problem = failure("phone_unreachable", "connection lost")
            core.ended(problem.code, problem, failed=True)

    def _refer_progress(self, event: sip.ReferProgress) -> None:
        waiting = self.refers.get(event.id)
        if waiting is not None and event.final and not waiting.done():
            waiting.set_result(event.status)

    # ------------------------------------------------------------ messages

    def message_received(self, content_type: str, body: str) -> None:
        parsed = _object(body)
        if parsed is None:
            self._chat(body)
            return
        kind, content = parsed.get("type"), parsed.get("content")
        if kind == "message/TYPE_CHAT":
            self._chat(content if isinstance(content, str) else json.dumps(content)[:10_000])
        elif kind == "message/TYPE_SIGNAL" and isinstance(content, dict):
            self.signal_received(content)
        else:
            self.emit(ev.EndpointMessageReceived(REMOTE, frozen_map(parsed)))

    def _chat(self, text: str, sender: str = REMOTE, name: str = "") -> None:
        self._messages += 1
        shown = name or self.core.info.remote_name or self.core.info.remote_number
        message_id = f"{self.call_id}-in-{self._messages}"
        message = Message(message_id, sender, shown, clean_message(text), self.calls.now_ms())
        self.emit(ev.MessageReceived(message))

    def signal_received(self, content: Mapping[str, Any]) -> None:
        if content.get("type") == "onTrackUpdated":
            # What is received follows from the descriptions; old clients say it as well.
            return
        self.emit(ev.EndpointMessageReceived(REMOTE, frozen_map(content)))

    def chat_body(self, text: str) -> str:
        """A chat message as the official client sends it."""
        return json.dumps({"type": "message/TYPE_CHAT", "content": text})

    async def send_body(self, body: str, content_type: str) -> None:
        """A MESSAGE in the call. Raises :class:`ActionRefused`."""
        if not self.core.established:
            raise ActionRefused(failure("not_in_call"))
        status = await self.request(
            lambda a, now: a.message("", body, now, content_type=content_type, call=self.sip_key)
        )
        if status >= 300:
            raise ActionRefused(failure("message_failed", f"SIP {status}"))

    async def request(self, command: Callable[[UserAgent, float], str]) -> int:
        """Send a request in the call and wait for its final status. Raises :class:`ActionRefused`."""
        try:
            key = self.agent(command)
        except NotPossible as error:
            raise ActionRefused(failure("not_in_call", str(error))) from error
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._requests[key] = waiting
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await waiting
        except TimeoutError:
            return 408
        finally:
            self._requests.pop(key, None)

    # ------------------------------------------------------------ actions

    async def perform(self, action: ac.Action) -> None:
        if self.core.is_over:
            raise ActionRefused(failure("not_in_call"))
        await phone_actions.perform(self, action)

    async def settle(self) -> None:
        """Wait until every wish is agreed on. Raises :class:`ActionRefused` when it is refused."""
        self.drain()
        if self.core.settled or self.core.is_over:
            return
        waiting: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()
        self._settling.append(waiting)
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                problem = await waiting
        except TimeoutError:
            problem = failure("phone_unreachable")
        if problem is not None:
            raise ActionRefused(problem)

    def hang_up(self, *, status: int = 480, busy: bool = False) -> None:
        """End it in whatever state it is: CANCEL, a refusal or BYE."""
        core = self.core
        if core.is_over:
            return
        if not self.sip_key:
            core.ended("cancelled")
            self.drain()
            return
        incoming = core.phase is CallPhase.INCOMING
        done = self._try(lambda a, now: a.reject(self.sip_key, now, status) if incoming else a.bye(self.sip_key, now))
        if incoming or not done:
            core.ended("declined" if incoming else "normal")
        elif not core.is_over:
            core.leaving()
        self.drain()

    # ------------------------------------------------------------ the end

    async def close(self) -> None:
        self.hang_up()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._over.wait()
        except TimeoutError:
            # The other side does not answer our goodbye; for us the call is over.
            self.core.ended("normal")
            self.drain()
            if self._ending is not None:
                await asyncio.wait({self._ending}, timeout=CLOSE_TIMEOUT_S)


def _object(body: str) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


__all__ = ["LOCAL", "REMOTE", "WazoCallSession", "offers_video"]
