"""Several phone calls at once: dialling, incoming calls, holding the others, transfer, ringing, missed calls."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

from app.calls import actions as act
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.actions import Action
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState
from app.calls.phone import Direction, PhoneChanged, Transfer
from app.calls.reducer import FINAL_PHASES
from app.calls.selectors import is_phone, is_talking
from app.calls.text import clean_name
from app.controller.accounts import Accounts
from app.controller.api import JoinOptions
from app.controller.call import Call, Listener, PhoneSide
from app.controller.devices import Hold
from app.controller.refusals import INTERNAL, refused
from app.controller.ringing import Ringer
from app.vendors.base import ActionRefused, Address, CallRequest, Session
from app.vendors.registry import recognise_number

log = logging.getLogger(__name__)

MAX_TARGET = 512
"""Characters of a number, SIP URI or meeting link."""
HOLD_TIMEOUT_S = 3.0
"""Holding takes a round trip; a call whose server does not answer must not keep the next one waiting."""
AUTO_ANSWER_DELAY_S = 1.0
"""Long enough to see who it is."""
MAX_INCOMING = 10
"""Calls that ring at once; further ones ring at the server only."""

AUTO_NEVER = "never"
AUTO_ASKED = "asked"
AUTO_ALWAYS = "always"

Perform = Callable[[Call, Action], Awaitable[None]]


class Phone:
    """Rules over all calls of one controller. Lives on the signalling loop."""

    def __init__(
        self,
        *,
        calls: Mapping[str, Call],
        add: Callable[[Call], None],
        listener: Listener,
        accounts: Accounts,
        perform: Perform,
        wish: Perform,
        hold: Callable[[str, Hold], None],
        start: Callable[[Coroutine[Any, Any, None], str], None],
        ringer: Ringer,
        setting: Callable[[str], Any],
        options: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._calls = calls
        self._add = add
        self._listener = listener
        self._accounts = accounts
        self._perform = perform
        self._wish = wish
        self._hold = hold
        self._start = start
        self._ringer = ringer
        self._setting = setting
        self._options = options
        self._answering: set[str] = set()
        self._declined: set[str] = set()
        self._auto_answered: set[str] = set()

    # ------------------------------------------------------------ calls come and go

    async def dial(
        self, account_id: str, target: str, *, video: bool = False, room: bool = False, replaces_call_id: str = ""
    ) -> str:
        """See :meth:`app.controller.api.AccountsApi.dial`."""
        target = clean_name(target, MAX_TARGET)
        target = recognise_number(target) or target
        account = self._accounts.state(account_id)
        address = Address(account.vendor, target, dial_url(target), account.server, target, target)
        options = JoinOptions(account.display_name, camera_muted=not video)
        side = PhoneSide(account_id, target, video=video, room=room, replaces_call_id=replaces_call_id)
        call = Call(uuid.uuid4().hex, address, options, self._listener, side)
        self._add(call)
        self._hold(call.call_id, Hold(microphone=True, camera=video, speaker=True))
        self._start(self._hold_others(call), "hold the other calls")
        self._start(call.join(lambda: self._open(call)), f"call {call.call_id}")
        return call.call_id

    async def _open(self, call: Call) -> Session:
        phone = call.phone
        assert phone is not None
        if not phone.target:
            raise refused("no_target")
        request = CallRequest(
            call.call_id,
            phone.target,
            video=phone.video,
            room=phone.room,
            display_name=call.options.display_name,
            microphone_muted=call.options.microphone_muted,
            replaces_call_id=phone.replaces_call_id,
            options=self._options(),
        )
        return self._accounts.session(phone.account_id).place_call(request, call.emit)

    async def again(self, call: Call) -> str:
        """Dial the number of a call that is over once more; an incoming one is called back."""
        phone, info = call.phone, call.state.phone
        assert phone is not None
        target = phone.target or (info.remote_number if info is not None else "")
        return await self.dial(phone.account_id, target, video=phone.video, room=phone.room)

    def incoming(self, account_id: str, session_key: str) -> None:
        """Somebody calls: a call with the phase ``INCOMING`` appears."""
        ringing = [call for call in self._calls.values() if call.state.phase is CallPhase.INCOMING]
        if len(ringing) >= MAX_INCOMING:
            log.warning("too many calls ring at once; one more is left to the server")
            return
        account = self._accounts.state(account_id)
        address = Address(account.vendor, "", "", account.server, "", "")
        options = JoinOptions(account.display_name, camera_muted=True)
        call = Call(uuid.uuid4().hex, address, options, self._listener, PhoneSide(account_id, incoming=True))
        call.silenced = account.presence.do_not_disturb
        self._add(call)
        try:
            call.session = self._accounts.session(account_id).accept_session(session_key, call.call_id, call.emit)
        except ActionRefused as error:
            call.fail(error.failure)
        except Exception as error:
            log.exception("an incoming call could not be taken")
            call.fail(replace(INTERNAL, details=type(error).__name__))
        else:
            call.emit(ev.PhaseChanged(CallPhase.INCOMING))
            call.show_phone()

    # ------------------------------------------------------------ actions

    async def perform(self, call: Call, action: Action) -> bool:
        """Do what concerns several calls. True when nothing remains to be done by the session."""
        if isinstance(action, ph.IgnoreCall):
            call.silenced = True
            call.show_phone()
            self._ring()
            return True
        if isinstance(action, ph.Decline):
            self._declined.add(call.call_id)
        elif isinstance(action, ph.Answer):
            await self._answer(call, action)
            return True
        elif isinstance(action, ph.SetHold) and not action.held:
            await self._hold_others(call)
        elif isinstance(action, ph.TransferTo) and action.consult:
            await self._consult(call, action.target)
            return True
        elif isinstance(action, (ph.CompleteTransfer, ph.CancelTransfer)):
            source = self._source(call)
            if source is not None:
                await (self._complete(source) if isinstance(action, ph.CompleteTransfer) else self._cancel(source))
                return True
        return False

    async def _answer(self, call: Call, action: ph.Answer) -> None:
        if call.call_id in self._answering:
            return
        if call.state.phase is not CallPhase.INCOMING:
            raise refused("no_call")
        self._answering.add(call.call_id)
        self._ring()
        try:
            self._hold(call.call_id, Hold(microphone=True, camera=action.video, speaker=True))
            await self._hold_others(call)
            await self._perform(call, action)
        finally:
            self._answering.discard(call.call_id)
            self._ring()

    async def make_room(self, call: Call) -> None:
        """Hold the phone calls and mute the meetings beside *call*, which is about to be spoken in."""
        await self._hold_others(call)

    async def _hold_others(self, call: Call) -> None:
        own = call.state.phone.conference_id if call.state.phone is not None else ""
        wishes = []
        for other in tuple(self._calls.values()):
            if other is call or not is_talking(other.state):
                continue
            phone = other.state.phone
            if phone is not None and not (own and phone.conference_id == own):
                wishes.append(self._wish(other, ph.SetHold(True)))
            elif phone is None and is_phone(call.state) and not other.state.local.microphone_muted:
                # A meeting cannot be held, and must not listen to the phone.
                wishes.append(self._wish(other, act.SetMicrophone(True)))
        if not wishes:
            return
        try:
            await asyncio.wait_for(asyncio.gather(*wishes), HOLD_TIMEOUT_S)
        except TimeoutError:
            log.warning("another call could not be held in time")

    # ------------------------------------------------------------ attended transfer

    async def _consult(self, call: Call, target: str) -> None:
        if call.transfer is not None and call.transfer.state != "failed":
            raise refused("transfer_running")
        if call.phone is None or call.state.phase is not CallPhase.JOINED:
            raise refused("not_answered")
        if not clean_name(target, MAX_TARGET):
            raise refused("no_target")
        self._show_transfer(call, Transfer(target, "consulting"))
        consultation = await self.dial(call.phone.account_id, target, replaces_call_id=call.call_id)
        if not call.is_over:
            self._show_transfer(call, Transfer(target, "consulting", consultation))

    def _source(self, call: Call) -> Call | None:
        """The call to be handed over, given it or its consultation; ``None`` when we conduct no such transfer."""
        if call.transfer is not None:
            return call
        source = self._calls.get(call.phone.replaces_call_id) if call.phone is not None else None
        if source is None or source.transfer is None or source.transfer.consultation_call_id != call.call_id:
            return None
        return source

    async def _complete(self, source: Call) -> None:
        transfer = source.transfer
        if transfer is None or transfer.state == "failed" or source.is_over:
            raise refused("no_transfer")
        if transfer.state == "completing":
            return
        consultation = self._calls.get(transfer.consultation_call_id)
        if consultation is None or transfer.state != "answered":
            raise refused("not_answered")
        self._show_transfer(source, replace(transfer, state="completing"))
        try:
            await self._perform(source, ph.TransferTo(transfer.target, call_id=transfer.consultation_call_id))
        except ActionRefused as error:
            # Everybody is still there: the person may try again or cancel.
            self._show_transfer(source, replace(transfer, state="answered", error=error.failure.message))
            raise

    async def _cancel(self, source: Call) -> None:
        transfer, source.transfer = source.transfer, None
        source.show_phone()
        consultation = self._calls.get(transfer.consultation_call_id) if transfer is not None else None
        if consultation is not None and not consultation.is_over:
            await consultation.leave()
        if not source.is_over and source.state.phone is not None and source.state.phone.held:
            await self._perform(source, ph.SetHold(False))

    def _follow_consultation(self, call: Call) -> None:
        source = self._source(call)
        if source is None or source is call or source.transfer is None or source.is_over:
            return
        transfer = source.transfer
        if call.state.phase is CallPhase.JOINED and transfer.state == "consulting":
            self._show_transfer(source, replace(transfer, state="answered"))
        elif call.is_over and transfer.state == "consulting":
            failure = call.state.failure
            sentence = failure.message if failure is not None else "The other side did not answer."
            self._show_transfer(source, replace(transfer, state="failed", error=sentence))
        elif call.is_over and transfer.state == "answered":
            self._show_transfer(source, None)

    @staticmethod
    def _show_transfer(call: Call, transfer: Transfer | None) -> None:
        call.transfer = transfer
        call.show_phone()

    # ------------------------------------------------------------ following the calls

    def observe(self, call: Call, state: CallState, event: CallEvent) -> None:
        """After each event of any call, phone or meeting."""
        if isinstance(event, (ev.PhaseChanged, ev.Joined, PhoneChanged)):
            self._ring()
        if call.phone is None:
            return
        if isinstance(event, (ev.PhaseChanged, ev.Joined)):
            self._follow_consultation(call)
        if isinstance(event, ev.PhaseChanged) and event.phase in FINAL_PHASES:
            self._over(call, state)
        elif state.phase is CallPhase.INCOMING:
            self._consider_answering(call, state)

    def _over(self, call: Call, state: CallState) -> None:
        phone = state.phone
        self._ringer.ended(state)
        missed = (
            phone is not None
            and phone.direction is Direction.INCOMING
            and phone.answered_at is None
            and state.joined_at is None
            and not phone.answered_elsewhere
            and phone.cause != "elsewhere"
            and call.call_id not in self._declined
        )
        self._declined.discard(call.call_id)
        self._auto_answered.discard(call.call_id)
        if missed and call.phone is not None:
            self._accounts.missed(call.phone.account_id)

    def _consider_answering(self, call: Call, state: CallState) -> None:
        rule = self._setting("phone.auto_answer")
        asked = state.phone is not None and state.phone.auto_answered
        if call.silenced or call.call_id in self._auto_answered or rule == AUTO_NEVER:
            return
        if rule == AUTO_ASKED and not asked:
            return
        if any(is_talking(other.state) for other in self._calls.values()):
            return  # nobody is put on hold by a stranger
        self._auto_answered.add(call.call_id)
        self._start(self._answer_by_itself(call), "auto answer")

    async def _answer_by_itself(self, call: Call) -> None:
        await asyncio.sleep(AUTO_ANSWER_DELAY_S)
        if call.state.phase is not CallPhase.INCOMING or call.silenced:
            return
        try:
            await self._answer(call, ph.Answer())
        except ActionRefused as error:
            log.info("the call was not answered by itself: %s", error.failure.code)

    def _ring(self) -> None:
        self._ringer.update([one.state for one in self._calls.values()], frozenset(self._answering))

    async def end_calls(self, account_id: str) -> None:
        """Leave every call of an account that is about to be signed out."""
        ours = [one for one in self._calls.values() if one.phone is not None and one.phone.account_id == account_id]
        await asyncio.gather(*(call.leave() for call in ours if not call.is_over))


def dial_url(target: str) -> str:
    """*target* as a URI: SIP and web links as they are, anything else as a telephone number (RFC 3966)."""
    return target if ":" in target else f"tel:{target}"
