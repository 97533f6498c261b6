"""The shell around :class:`app.vendors.wazo.phone_core.CallCore`: its media and its exchanges of descriptions.

Offers and answers are made by one worker, so that none of them sees a half-finished other one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import Failure
from app.calls.phone import PhoneInfo
from app.media.api import RemoteSource, Transport
from app.media.errors import MediaError
from app.protocols.sdp.negotiation import NegotiationError, RemoteTrack
from app.protocols.sip import events as sip
from app.protocols.sip.user_agent import NotPossible, UserAgent
from app.vendors.base import JoinFailed
from app.vendors.wazo import events as wz
from app.vendors.wazo.call_media import CallMedia
from app.vendors.wazo.errors import failure, sip_failure
from app.vendors.wazo.phone_core import CallCore, Exchange, MuteLine, Picture, Settled

if TYPE_CHECKING:
    from app.vendors.wazo.calls import Calls

REPLY_TIMEOUT_S = 34.0
"""A re-INVITE transaction ends by itself after 32 s (RFC 3261, timer B)."""
BUSY_DELAY_S = 0.2
"""Until the other side's offer, which came between, is answered."""
ICE_RESTARTS = 5
"""As the official client: more do not help."""
ICE_DELAY_S = 0.5
"""Short interruptions heal by themselves (the official client's iceReconnectDelay)."""

log = logging.getLogger(__name__)


class CallShell:
    """What every call has: its core, its media, the worker. Lives on the signalling loop."""

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
                # An offer that could not be made is refused; nothing may stay open.
                self.core.exchange_failed(failure("no_media", str(error)[:200]), retry=False)
            self.drain()

    def agent(self, command: Callable[[UserAgent, float], Any]) -> Any:
        """A command of the user agent. Raises :class:`NotPossible`."""
        phone = self.calls.account.phone
        if phone is None:
            raise NotPossible("no phone")
        return phone.do(command)

    def _fail(self, problem: Failure) -> None:
        self.core.ended(problem.code, problem, failed=True)
        self.drain()

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

    # ------------------------------------------------------------ the end

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
