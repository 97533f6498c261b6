"""A phone call of a Wazo account: the shell around :class:`app.vendors.wazo.phone_core.CallCore`.

Offers and answers are made one after the other by one worker. Implements :class:`app.vendors.base.Session`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, Failure, Message, frozen_map
from app.calls.phone import Direction, PhoneInfo, ToneReceived
from app.calls.text import clean_message, clean_name
from app.media.api import RemoteSource, Transport
from app.media.errors import MediaError
from app.protocols.sdp.negotiation import NegotiationError, RemoteTrack
from app.protocols.sip import events as sip
from app.protocols.sip.message import Headers, name_of, user_of
from app.protocols.sip.user_agent import NotPossible, UserAgent
from app.vendors.base import ActionRefused, JoinFailed
from app.vendors.wazo import events as wz
from app.vendors.wazo import phone_actions
from app.vendors.wazo.call_media import CallMedia, offers_video
from app.vendors.wazo.errors import failure, sip_failure
from app.vendors.wazo.phone_core import LOCAL, REMOTE, CallCore, Exchange, MuteLine, Picture, Settled

if TYPE_CHECKING:
    from app.vendors.wazo.calls import Calls

REPLY_TIMEOUT_S = 34.0
"""A re-INVITE transaction ends by itself after 32 s (RFC 3261, timer B)."""
SETTLE_TIMEOUT_S = 20.0
"""A person waits for hold or video at most this long; the exchange itself may still end later."""
BUSY_DELAY_S = 0.2
"""Until the other side's offer, which came between, is answered."""
REQUEST_TIMEOUT_S = 33.0
CLOSE_TIMEOUT_S = 2.0
ICE_RESTARTS = 5
"""As the official client: more do not help."""
ICE_DELAY_S = 0.5
"""Short interruptions heal by themselves (the official client's iceReconnectDelay)."""
WAZO_CALL_ID = "X-Wazo-Call-ID"

log = logging.getLogger(__name__)


class WazoCallSession:
    """Made by :class:`app.vendors.wazo.calls.Calls`; lives on the signalling loop."""

    room = False
    more_actions: frozenset[str] = frozenset()
    """Names of actions beyond those of every call."""

    def __init__(
        self,
        calls: Calls,
        call_id: str,
        info: PhoneInfo,
        emit: Callable[[CallEvent], None],
        *,
        target: str = "",
        video: bool = False,
        microphone_muted: bool = False,
        display_name: str = "",
        options: Mapping[str, Any] | None = None,
        incoming: sip.IncomingCall | None = None,
    ) -> None:
        self.calls = calls
        self.call_id = call_id
        self.target = target
        self.video = video
        self.options = {**dict(calls.account.options), **dict(options or {})}
        self._emit_out = emit
        self._incoming = incoming
        self.sip_key = incoming.call if incoming else ""
        self.sip_call_id = incoming.call_id if incoming else ""
        self.server_call_id = ""
        self.talking_to: tuple[str, ...] = ()
        self.members: dict[str, str] = {}
        """Name by leg of those in a conference that this call hosts."""
        self.core = CallCore(
            info,
            local_name=display_name or calls.account.display_name,
            now_ms=calls.now_ms,
            microphone_muted=microphone_muted,
            camera_muted=not video,
            room=self.room,
        )
        self.media: CallMedia | None = None
        self._jobs: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entered.add_done_callback(lambda f: f.cancelled() or f.exception())
        self._reply: asyncio.Future[sip.AnswerReceived | sip.OfferFailed] | None = None
        self._settling: list[asyncio.Future[Failure | None]] = []
        self._requests: dict[str, asyncio.Future[int]] = {}
        self.refers: dict[str, asyncio.Future[int]] = {}
        self._restarts = 0
        self._messages = 0
        self._ending: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    @property
    def transport(self) -> Transport | None:
        return self.media.transport if self.media else None

    # ------------------------------------------------------------ events out

    def emit(self, event: CallEvent) -> None:
        self._emit_out(event)

    def drain(self) -> None:
        """Carry out what the core put out, and start what it wants."""
        core = self.core
        while core.out:
            item = core.out.pop(0)
            if isinstance(item, MuteLine):
                if self.media is not None:
                    self.media.set_muted(item.kind, item.muted)
            elif isinstance(item, Settled):
                for waiting in self._settling:
                    if not waiting.done():
                        waiting.set_result(item.failure)
                self._settling.clear()
            else:
                self.emit(item)
        exchange = core.next_exchange()
        if exchange is not None:
            self._put(lambda: self._offer(exchange))
        if core.is_over and self._ending is None:
            self._ending = self.calls.account.start(self._clean_up(), f"end of call {self.call_id}")

    def _put(self, job: Callable[[], Awaitable[None]]) -> None:
        if self._worker is None:
            self._worker = asyncio.get_running_loop().create_task(self._work(), name=f"call {self.call_id}")
        self._jobs.put_nowait(job)

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except (NegotiationError, MediaError, OSError, TimeoutError, NotPossible) as error:
                log.warning("call: %s: %s", type(error).__name__, error)
            self.drain()

    def agent(self, command: Callable[[UserAgent, float], Any]) -> Any:
        """A command of the user agent. Raises :class:`NotPossible`."""
        phone = self.calls.account.phone
        if phone is None:
            raise NotPossible("no phone")
        return phone.do(command)

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

    def _fail(self, problem: Failure) -> None:
        self.core.ended(problem.code, problem, failed=True)
        self.drain()

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

    def _make_media(self, *, accept_video: bool, send_video: bool) -> CallMedia:
        return CallMedia(
            self.calls.account.engine,
            self.call_id,
            self.emit,
            self._on_media_state,
            servers=self.calls.ice_servers,
            accept_video=accept_video,
            send_video=send_video,
            name_source=self._name_source(),
        )

    def _name_source(self) -> Callable[[RemoteTrack], RemoteSource | None] | None:
        return None

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
        await asyncio.shield(self._entered)

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

    def _try(self, command: Callable[[UserAgent, float], Any]) -> bool:
        try:
            self.agent(command)
        except NotPossible as error:
            log.info("call: %s", error)
            return False
        return True

    def _established(self) -> None:
        media, core = self.media, self.core
        if media is None or core.is_over:
            return
        sends = core.camera_muted is False and media.negotiation.first("video") is not None
        core.answered(video=media.has_video, picture=Picture.CAMERA if sends and media.has_video else Picture.NONE)
        self.drain()
        outcome = media.negotiated.outcome
        if outcome is not None:
            media.applied(outcome)
            core.remote_changed(held_by_remote=outcome.held_by_remote, video=media.has_video)
        self.emit(ev.DtmfSupportChanged(True))
        self.calls.update_capabilities(self)
        self.drain()
        if not self._entered.done():
            self._entered.set_result(None)
        self.calls.established(self)
        self.joined()

    def joined(self) -> None:
        """For rooms."""

    def room_news(self, news: wz.RoomNews) -> None:
        """For rooms."""

    @property
    def remote_video(self) -> bool:
        """The far side shows something now."""
        return self.media is not None and any(s.kind.value == "video" for s in self.media.sources.values())

    # ------------------------------------------------------------ exchanges

    async def _offer(self, exchange: Exchange) -> None:
        core, media = self.core, self.media
        if media is None or core.is_over:
            core.exchange_failed(failure("not_in_call"), retry=False)
            return
        if not self.calls.connected:
            # Made again once the phone is registered.
            core.exchange_failed(failure("pending"), retry=True)
            self.calls.retry_later(self)
            return
        await media.wish(exchange.wanted)
        offer = await media.negotiated.offer(ice_restart=exchange.ice_restart)
        headers = (("Subject", exchange.subject),) if exchange.subject else ()
        self._reply = asyncio.get_running_loop().create_future()
        try:
            self.agent(lambda a, now: a.reinvite(self.sip_key, offer, now, headers=headers))
        except NotPossible:
            # Their offer came between; it waits in the queue behind us.
            await media.negotiated.refuse()
            core.exchange_failed(failure("pending"), retry=True)
            asyncio.get_running_loop().call_later(BUSY_DELAY_S, self._retry)
            return
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                reply = await self._reply
        except TimeoutError:
            await media.negotiated.refuse()
            core.exchange_failed(failure("phone_unreachable"), retry=False)
            return
        finally:
            self._reply = None
        await self._replied(media, reply)

    async def _replied(self, media: CallMedia, reply: sip.AnswerReceived | sip.OfferFailed) -> None:
        core = self.core
        if isinstance(reply, sip.AnswerReceived) and reply.sdp is not None:
            try:
                outcome = await media.negotiated.answered(reply.sdp)
            except NegotiationError as error:
                await media.negotiated.refuse()
                core.exchange_failed(failure("no_codec", str(error)[:200]), retry=False)
                return
            if core.open is not None:
                await media.show(core.open.wanted.picture)
            core.exchange_done(video=media.has_video)
            media.applied(outcome)
            core.remote_changed(held_by_remote=outcome.held_by_remote, video=media.has_video)
            return
        await media.negotiated.refuse()
        if isinstance(reply, sip.OfferFailed):
            core.exchange_failed(sip_failure(reply.status, reply.reason), retry=reply.will_retry)
        else:
            core.exchange_failed(failure("no_codec", "answer without description"), retry=False)

    def _retry(self) -> None:
        self.core.retry()
        self.drain()

    def retry(self) -> None:
        """There is a connection again."""
        self._retry()

    async def _remote_offer(self, event: sip.OfferReceived) -> None:
        media = self.media
        if media is None or self.core.is_over:
            self._try(lambda a, now: a.reject_offer(self.sip_key, now, 488))
            return
        try:
            if event.sdp is None:
                sdp = await media.negotiated.offer()
            else:
                media.accept_video(send=self.core.agreed.picture is not Picture.NONE)
                media.negotiated.offered(event.sdp)
                sdp = await media.negotiated.answer()
        except NegotiationError as error:
            log.info("their offer: %s", error)
            await media.negotiated.refuse()
            self._try(lambda a, now: a.reject_offer(self.sip_key, now, 488))
            return
        self._try(lambda a, now: a.accept_offer(self.sip_key, sdp, now))
        if event.sdp is not None and media.negotiated.outcome is not None:
            self._after_their_offer(media)

    def _after_their_offer(self, media: CallMedia) -> None:
        outcome = media.negotiated.outcome
        if outcome is not None:
            media.applied(outcome)
            self.core.remote_changed(held_by_remote=outcome.held_by_remote, video=media.has_video)

    async def _confirmed(self, sdp: str) -> None:
        """The answer to an offer of ours that went out in a response."""
        media = self.media
        if media is None or media.negotiation.phase != "local-offer":
            return
        await media.negotiated.answered(sdp)
        if not self.core.established:
            self._established()
        else:
            self._after_their_offer(media)

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

    async def _early(self, sdp: str) -> None:
        media = self.media
        if media is None or self.core.established:
            return
        try:
            outcome = await media.negotiated.answered(sdp, provisional=True)
        except NegotiationError as error:
            log.info("early media: %s", error)
            return
        media.applied(outcome)

    async def _answered(self, event: sip.CallAnswered) -> None:
        media = self.media
        if media is None or self.core.is_over:
            return
        try:
            if event.sdp is None:
                raise NegotiationError("answer without description")
            await media.negotiated.answered(event.sdp)
        except NegotiationError as error:
            self._try(lambda a, now: a.bye(self.sip_key, now))
            self._fail(failure("no_codec", str(error)[:200]))
            return
        self._established()

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

    # ------------------------------------------------------------ media state

    def _on_media_state(self, state: str) -> None:
        if state == "connected":
            self._restarts = 0
        elif state in ("disconnected", "failed") and not self.core.is_over:
            asyncio.get_running_loop().call_later(ICE_DELAY_S, self._restart_ice, state)

    def _restart_ice(self, state: str) -> None:
        core, transport = self.core, self.transport
        if core.is_over or transport is None or not core.established:
            return
        if getattr(transport, "state", state) == "connected":
            return
        if self._restarts >= ICE_RESTARTS:
            problem = failure("ice_blocked")
            self.emit(ev.Notice(problem.code, problem.message, "error"))
            return
        self._restarts += 1
        core.reconnected()
        self.drain()

    def connection_changed(self, connected: bool) -> None:
        """The phone's socket. Media does not depend on it."""
        if connected:
            self.core.reconnected()
            self._retry()
        else:
            self.core.disconnected()
            if self._reply is not None and not self._reply.done():
                self._reply.set_result(sip.OfferFailed(self.sip_key, 503, "connection lost", will_retry=True))
        self.drain()

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

    async def _clean_up(self) -> None:
        if not self._entered.done():
            problem = self.core.failure or failure("cancelled")
            self._entered.set_exception(JoinFailed(problem))
        for settling in self._settling:
            if not settling.done():
                settling.cancel()
        for request in self._requests.values():
            if not request.done():
                request.set_result(408)
        self.calls.forget(self)
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        if self.media is not None:
            await self.media.close()
        await self.calls.account.inputs.release(self.call_id)
        self._over.set()


def _object(body: str) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


__all__ = ["LOCAL", "REMOTE", "WazoCallSession", "offers_video"]
