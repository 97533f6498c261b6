"""All calls of one account: which SIP event, server event and action belongs to which of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import Capability, frozen_map
from app.calls.phone import Direction, PhoneInfo, ToneReceived
from app.calls.text import clean_name
from app.protocols.http import NetworkFailure
from app.protocols.sip import events as sip
from app.protocols.sip.message import Headers, user_of
from app.protocols.sip.user_agent import NotPossible
from app.vendors.base import ActionRefused, CallRequest
from app.vendors.wazo import events as wz
from app.vendors.wazo import rest_calld
from app.vendors.wazo.call_media import ice_servers, offers_video
from app.vendors.wazo.call_shell import CallShell
from app.vendors.wazo.client import RestError
from app.vendors.wazo.errors import failure
from app.vendors.wazo.phone import WazoCallSession
from app.vendors.wazo.phone_actions import SUPPORTED
from app.vendors.wazo.rest_calld import ServerCall

if TYPE_CHECKING:
    from app.vendors.wazo.account import WazoAccount

MAX_RINGING = 20
MAX_EARLY = 100
"""Server calls that are known before the SIP call that they belong to."""
MAX_DIVERSIONS = 10
SEPARATORS = str.maketrans("", "", " -./()\u00a0")
CLOSE_TIMEOUT_S = 4.0

log = logging.getLogger(__name__)


class Calls:
    def __init__(self, account: WazoAccount) -> None:
        self.account = account
        self.ice_servers = ice_servers(account.options.get("iceServers"))
        self.connected = True
        self._ringing: OrderedDict[str, sip.IncomingCall] = OrderedDict()
        self._by_id: dict[str, WazoCallSession] = {}
        self._by_sip: dict[str, WazoCallSession] = {}
        self._by_server: dict[str, WazoCallSession] = {}
        self._early: OrderedDict[str, ServerCall] = OrderedDict()
        self._outside: dict[str, asyncio.Future[int]] = {}

    @staticmethod
    def now_ms() -> int:
        return int(time.time() * 1000)

    @property
    def identity(self) -> str:
        line = self.account.line
        return f"sip:{line.username if line else 'anonymous'}@{self.account.sip_domain}"

    def uri(self, target: str) -> str:
        """The SIP URI to call for what was typed: a number, extension, SIP or telephone URI."""
        text = target.strip()
        if text.lower().startswith(("sip:", "sips:")):
            return text if "@" in text else f"{text}@{self.account.sip_domain}"
        if text.lower().startswith("tel:"):
            text = text[4:].partition(";")[0]
        if "@" in text:
            return f"sip:{text}"
        number = text.translate(SEPARATORS) if any(character.isdigit() for character in text) else text
        if number.startswith("wazo-meeting-") or text.startswith("wazo-meeting-"):
            number = text
        escaped = "".join(c if c.isalnum() or c in "-_.!~*'()&=+$,;?/#" else f"%{ord(c):02X}" for c in number[:128])
        return f"sip:{escaped.replace('#', '%23')}@{self.account.sip_domain}"

    def by_id(self, call_id: str) -> WazoCallSession | None:
        return self._by_id.get(call_id)

    # ------------------------------------------------------------ making sessions

    def place(self, request: CallRequest, emit: Callable[[CallEvent], None]) -> WazoCallSession:
        info = PhoneInfo(
            Direction.OUTGOING, self.account.account_id, remote_number=clean_name(request.target), video=request.video
        )
        kind: type[WazoCallSession] = WazoCallSession
        if request.room:
            from app.vendors.wazo.room import WazoRoomSession

            kind = WazoRoomSession
        session = kind(
            self,
            request.call_id,
            info,
            emit,
            target=request.target,
            video=request.video,
            microphone_muted=request.microphone_muted,
            display_name=request.display_name,
            options=request.options,
        )
        self._by_id[request.call_id] = session
        return session

    def incoming(self, event: sip.IncomingCall) -> bool:
        """Keep a call until it is shown. ``False`` when it is refused here."""
        if len(self._ringing) >= MAX_RINGING:
            self._refuse(event.call, 486)
            return False
        self._ringing[event.call] = event
        return True

    def _refuse(self, call: str, status: int) -> None:
        phone = self.account.phone
        if phone is not None:
            try:
                phone.do(lambda a, now: a.reject(call, now, status))
            except NotPossible:
                log.info("call is over already")

    def accept(self, session_key: str, call_id: str, emit: Callable[[CallEvent], None]) -> WazoCallSession:
        """Raises :class:`ActionRefused` when the call is over already."""
        event = self._ringing.pop(session_key, None)
        if event is None:
            raise ActionRefused(failure("not_ringing"))
        session = WazoCallSession(self, call_id, self._info(event), emit, incoming=event)
        self._by_id[call_id] = session
        self.bind(session)
        session.ring()
        return session

    def _info(self, event: sip.IncomingCall) -> PhoneInfo:
        headers = event.headers
        own = {line.username for line in (self.account.line,) if line is not None}
        if self.account.phone is not None:
            # Servers that call our contact write it into To as well: no number that anybody dialled.
            own.add(self.account.phone.contact_user)
        called = user_of(headers.get("To"))
        diverted = tuple(clean_name(user_of(value)) for value in headers.listed("Diversion")[:MAX_DIVERSIONS])
        return PhoneInfo(
            Direction.INCOMING,
            self.account.account_id,
            clean_name(event.from_name),
            clean_name(user_of(event.from_uri)),
            "" if called in own else clean_name(called),
            tuple(number for number in diverted if number),
            ringing=True,
            # Alert-Info is used for ring tones as well, so only this header decides (wazo.md 4.5).
            auto_answered=asks_auto_answer(headers),
            offers_video=offers_video(event.sdp),
        )

    def bind(self, session: WazoCallSession) -> None:
        self._by_sip[session.sip_key] = session
        known = self._early.pop(session.sip_call_id, None)
        if known is not None:
            self._learn(session, known)

    def bind_server_call(self, session: WazoCallSession) -> None:
        self._by_server[session.server_call_id] = session

    def forget(self, session: CallShell) -> None:
        for index, key in (
            (self._by_id, session.call_id),
            (self._by_sip, session.sip_key),
            (self._by_server, session.server_call_id),
        ):
            if index.get(key) is session:
                del index[key]

    # ------------------------------------------------------------ SIP

    def sip_event(self, event: sip.Event) -> None:
        key = getattr(event, "call", "")
        session = self._by_sip.get(key) if key else None
        if session is not None:
            session.sip_event(event)
        elif isinstance(event, sip.CallEnded):
            # The caller gave up before the window was told: say so to whoever takes it now.
            self._ringing.pop(key, None)
        elif isinstance(event, sip.RequestAnswered):
            waiting = self._outside.pop(event.id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(event.status)
        elif isinstance(event, sip.MessageReceived):
            from app.calls.accounts import AccountNotice

            name = clean_name(event.from_name) or clean_name(user_of(event.from_uri))
            self.account.emit(AccountNotice("sip_message", f"{name}: {clean_name(event.body, 500)}"))
        elif isinstance(event, sip.ReferReceived):
            self._refuse_refer(event)

    def _refuse_refer(self, event: sip.ReferReceived) -> None:
        from app.calls.accounts import AccountNotice

        phone = self.account.phone
        if phone is not None:
            try:
                phone.do(lambda a, now: a.reject_refer(event.id, now))
            except NotPossible:
                log.info("REFER is answered already")
        number = clean_name(user_of(event.target))
        self.account.emit(AccountNotice("refer_requested", f"The phone server asks you to call {number}."))

    async def send_outside(self, target: str, text: str) -> None:
        """A MESSAGE outside of calls. Raises :class:`ActionRefused`."""
        phone = self.account.phone
        if phone is None or not phone.registered:
            raise ActionRefused(failure("not_registered"))
        key = phone.do(lambda a, now: a.message(self.uri(target), text, now))
        waiting: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._outside[key] = waiting
        try:
            async with asyncio.timeout(33.0):
                status = await waiting
        except TimeoutError:
            status = 408
        finally:
            self._outside.pop(key, None)
        if status >= 300:
            raise ActionRefused(failure("message_failed", f"SIP {status}"))

    def connection_changed(self, connected: bool) -> None:
        self.connected = connected
        for session in tuple(self._by_id.values()):
            session.connection_changed(connected)

    # ------------------------------------------------------------ what the server tells

    def fact(self, fact: wz.Fact) -> None:
        match fact:
            case wz.CallNews(what, call):
                self._call_news(what, call)
            case wz.ToneNews(call_id, digit):
                session = self._by_server.get(call_id)
                if session is not None:
                    session.emit(ToneReceived(digit))
            case wz.AdhocNews():
                self._adhoc(fact)
            case wz.RoomNews():
                for session in tuple(self._by_id.values()):
                    session.room_news(fact)
            case _:
                return

    def _call_news(self, what: str, call: ServerCall) -> None:
        session = self._by_server.get(call.call_id) or next(
            (one for one in self._by_id.values() if call.sip_call_id and one.sip_call_id == call.sip_call_id), None
        )
        if session is None:
            if call.sip_call_id and what == "created":
                self._early[call.sip_call_id] = call
                while len(self._early) > MAX_EARLY:
                    self._early.popitem(last=False)
            return
        if what.startswith("record_"):
            session.core.change(recording=call.record_state)
        elif what in ("created", "updated", "answered"):
            self._learn(session, call)
        session.drain()

    def _learn(self, session: WazoCallSession, call: ServerCall) -> None:
        session.know_server_call(call.call_id)
        if call.talking_to:
            session.talking_to = call.talking_to
        session.core.named(call.name, call.number)
        session.core.change(recording=call.record_state)
        session.drain()

    def _adhoc(self, news: wz.AdhocNews) -> None:
        for session in tuple(self._by_id.values()):
            if session.core.info.conference_id != news.conference_id:
                continue
            if news.what == "deleted":
                for member in tuple(session.members):
                    session.emit(ev.ParticipantLeft(member))
                session.members.clear()
                session.core.change(conference_id="")
                self.update_capabilities(session)
            elif news.what == "left" and news.call_id in session.members:
                del session.members[news.call_id]
                session.emit(ev.ParticipantLeft(news.call_id))
            session.drain()

    async def learn_server_calls(self) -> None:
        """Ask the server which of its calls are ours. Raises :class:`ActionRefused`."""
        for call in rest_calld.parse_calls(await self.account.client.ask(rest_calld.list_calls())):
            self._call_news("updated", call)

    async def server_call(self, session: WazoCallSession) -> str:
        """The server's id of our leg. Raises :class:`ActionRefused`."""
        if not session.server_call_id:
            await self.learn_server_calls()
        if not session.server_call_id:
            raise ActionRefused(failure("no_call_id"))
        return session.server_call_id

    def events_live(self) -> None:
        """Events may have been missed while the socket was away."""
        if self._by_id:
            self.account.start(self._quietly(self.learn_server_calls()), "wazo calls")

    def mute_on_server(self, session: WazoCallSession, muted: bool) -> None:
        """So that other devices see it; our own silence does not depend on it."""
        if session.server_call_id and session.core.established:
            request = rest_calld.set_mute(session.server_call_id, muted)
            self.account.start(self._quietly(self.account.client.call(request)), "wazo mute")

    @staticmethod
    async def _quietly(work: Any) -> None:
        try:
            await work
        except (RestError, NetworkFailure, ActionRefused) as error:
            log.info("not told to the server: %s", type(error).__name__)

    # ------------------------------------------------------------ state of all

    def established(self, session: CallShell) -> None:
        if not session.server_call_id:
            self.account.start(self._quietly(self.learn_server_calls()), "wazo call id")

    def update_capabilities(self, session: CallShell) -> None:
        yes = Capability(True)
        found = dict.fromkeys(SUPPORTED | session.more_actions, yes)
        line = self.account.line
        if line is not None and not line.video:
            no = Capability(False, "Your line has no video.", present=False)
            found |= dict.fromkeys(("SetVideo", "SetCamera", "ShareScreen"), no)
        if not session.core.info.conference_id:
            absent = Capability(False, "This call is not part of a conference.", present=False)
            missing = {"SplitCall", "EndForAll", "Kick"} - session.more_actions
            found |= dict.fromkeys(missing, absent)
        session.emit(ev.CapabilitiesChanged(frozen_map(found)))

    async def close(self) -> None:
        """End all calls, bounded in time."""
        sessions = tuple(self._by_id.values())
        for key in tuple(self._ringing):
            self._ringing.pop(key, None)
            self._refuse(key, 480)
        if sessions:
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await asyncio.gather(*(session.close() for session in sessions))
            except TimeoutError:
                log.warning("calls did not end in time")


def asks_auto_answer(headers: Headers) -> bool:
    """``Answer-Mode: Auto`` (RFC 5373)."""
    return headers.get("Answer-Mode").partition(";")[0].strip().lower() == "auto"
