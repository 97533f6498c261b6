"""A back-to-back user agent for tests and the sandbox: one caller, one or more callees, descriptions passed through.

The first callee who answers has the call, the others are cancelled; from then on offers, messages, tones and the end
go both ways.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.protocols.sip import events
from app.protocols.sip.core import ExtraHeaders
from app.protocols.sip.events import Event
from app.protocols.sip.modify import NotPossible
from app.protocols.sip.user_agent import UserAgent

ELSEWHERE = ('SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=26")


@dataclass(frozen=True, slots=True)
class Leg:
    agent: UserAgent
    call: str


class Relay:
    """Give it every event of the agents of its legs; it says whether the event was its own."""

    def __init__(self, caller: UserAgent, incoming: events.IncomingCall) -> None:
        self.caller = Leg(caller, incoming.call)
        self.callees: list[Leg] = []
        self.answered: Leg | None = None
        self.ended = False
        self._sdp = incoming.sdp
        self._worst = 0
        """The refusal that the caller hears when all refuse: the lowest class wins, 6xx above all."""

    def ring(self, agent: UserAgent, target: str, now: float, *, sender: str = "", headers: ExtraHeaders = ()) -> Leg:
        """Call one more callee. *sender*: the From address to show, e.g. ``"Ann" <sip:1001@...>``."""
        leg = Leg(agent, agent.invite(target, self._sdp, now, sender=sender, headers=headers))
        self.callees.append(leg)
        return leg

    def other(self, leg: Leg) -> Leg | None:
        return self.answered if leg == self.caller else self.caller

    def handle(self, agent: UserAgent, event: Event, now: float) -> bool:
        key = getattr(event, "call", "")
        leg = Leg(agent, key)
        if not key or (leg != self.caller and leg not in self.callees):
            return False
        try:
            self._handle(leg, event, now)
        except NotPossible:
            # The two sides crossed: whoever was overtaken hears of it by the end of its call.
            if isinstance(event, events.OfferReceived):
                leg.agent.reject_offer(leg.call, now, 491)
        return True

    def hang_up(self, now: float, reasons: tuple[str, ...] = ()) -> None:
        self.ended = True
        for leg in (self.caller, *self.callees):
            if leg.call in leg.agent.calls:
                leg.agent.bye(leg.call, now, reasons)

    def _handle(self, leg: Leg, event: Event, now: float) -> None:
        if isinstance(event, events.CallEnded):
            self._ended(leg, event, now)
        elif isinstance(event, events.CallProgress):
            if self.answered is None:
                self.caller.agent.progress(self.caller.call, now, status=event.status, sdp=event.sdp)
        elif isinstance(event, events.CallAnswered):
            self._answered(leg, event, now)
        else:
            other = self.other(leg)
            if other is not None:
                _pass(leg, other, event, now)

    def _answered(self, leg: Leg, event: events.CallAnswered, now: float) -> None:
        if self.answered is not None:
            leg.agent.bye(leg.call, now)
            return
        self.answered = leg
        for other in list(self.callees):
            if other != leg:
                self.callees.remove(other)
                other.agent.bye(other.call, now, ELSEWHERE)
        self.caller.agent.answer(self.caller.call, event.sdp, now)

    def _ended(self, leg: Leg, event: events.CallEnded, now: float) -> None:
        reasons = tuple(event.headers.all("Reason"))[:5]
        if leg in self.callees:
            self.callees.remove(leg)
            self._worst = _better(self._worst, event.status or 480)
            if self.answered is None and self.callees:
                return
        self.ended = True
        for rest in self.callees:
            rest.agent.bye(rest.call, now, reasons)
        if leg != self.caller and self.caller.call in self.caller.agent.calls:
            call = self.caller.agent.call(self.caller.call)
            call.hang_up(now, reasons, status=self._worst or 480)


def _better(first: int, second: int) -> int:
    """RFC 3261 section 16.7 step 6."""
    if first >= 600 or not second:
        return first
    return second if not first or second >= 600 or second // 100 < first // 100 else first


def _pass(leg: Leg, other: Leg, event: Event, now: float) -> None:
    match event:
        case events.OfferReceived():
            subject = [("Subject", s) for s in event.headers.all("Subject")[:1]]
            other.agent.reinvite(other.call, event.sdp, now, subject)
        case events.AnswerReceived(refresh=False):
            other.agent.accept_offer(other.call, event.sdp, now)
        case events.OfferFailed():
            other.agent.reject_offer(other.call, now, event.status)
        case events.MessageReceived():
            other.agent.message("", event.body, now, content_type=event.content_type, call=other.call)
        case events.InfoReceived():
            other.agent.info(other.call, event.body, event.content_type, now)
        case events.DtmfReceived():
            other.agent.dtmf(other.call, event.digit, now, event.duration_ms)
        case _:
            return
