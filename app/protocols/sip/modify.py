"""Changing a call that stands: re-INVITE, UPDATE, glare, refreshes (RFC 3261 section 14, RFC 3311, RFC 6337)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.protocols.sip.core import Core, ExtraHeaders, Pending
from app.protocols.sip.dialog import Dialog
from app.protocols.sip.events import (
    AnswerReceived,
    CallConfirmed,
    OfferFailed,
    OfferReceived,
    OfferWithdrawn,
    RetryOffer,
    SessionRefreshed,
)
from app.protocols.sip.message import Request, Response
from app.protocols.sip.session_timer import SessionTimer, too_small
from app.protocols.sip.transaction import T1, T2, TRANSACTION_TIMEOUT, ServerTransaction, renew_via

BUSY_REFRESH_S = 2.0
"""A refresh that meets an open offer waits this long."""
MAX_RETRY_AFTER_S = 10


class NotPossible(ValueError):
    """The command does not fit the state of the call."""


@dataclass(slots=True)
class Unacknowledged:
    """A 2xx of ours that is repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

    response: Response
    cseq: int
    next_at: float
    deadline: float
    expects_answer: bool
    initial: bool
    interval: float = T1


@dataclass(slots=True)
class LocalOffer:
    pending: Pending | None
    sdp: str | None
    refresh: bool
    min_se: int = 0


@dataclass(slots=True)
class RemoteOffer:
    transaction: ServerTransaction
    has_sdp: bool


class Modifying:
    """The part of a call that begins once a dialog is there."""

    key: str
    core: Core
    state: str
    dialog: Dialog | None

    def __init__(self, core: Core, key: str) -> None:
        self.core = core
        self.key = key
        self.dialog = None
        self.local_sdp: str | None = None
        """The description of ours that holds now."""
        self.local_offer: LocalOffer | None = None
        self.remote_offer: RemoteOffer | None = None
        self.unacknowledged: Unacknowledged | None = None
        self.retry_at: float | None = None
        self.timer = SessionTimer(enforce=core.config.enforce_session_expiry)
        self._acks: dict[tuple[str, int], Request] = {}
        self._delayed_ack: Response | None = None
        """A 2xx with an offer: its ACK waits for our answer."""

    def end(self, by: str, now: float, *, status: int = 0, reason: str = "", bye: bool = False) -> None:
        raise NotImplementedError

    # ------------------------------------------------------------ requests in the dialog

    def send(
        self,
        method: str,
        now: float,
        on_response: Callable[[Response, float], None],
        body: str | None = None,
        content_type: str = "application/sdp",
        headers: ExtraHeaders = (),
        dialog: Dialog | None = None,
    ) -> Pending:
        dialog = dialog or self.dialog
        if dialog is None:
            raise NotPossible("there is no dialog yet")
        contact = self.core.contact if method in ("INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY") else ""
        request = dialog.request(method, contact)
        request.set_body(body, content_type)
        return self.core.send(request, now, on_response, dialog.next_cseq, headers)

    @property
    def timers_used(self) -> bool:
        return "timer" in self.core.config.supported

    # ------------------------------------------------------------ our offers

    def offer(
        self, sdp: str | None, now: float, *, method: str = "INVITE", headers: ExtraHeaders = (), refresh: bool = False
    ) -> None:
        """Send a re-INVITE or UPDATE. Raises :class:`NotPossible` while another offer is open."""
        early_update = method == "UPDATE" and self.state in ("proceeding", "ringing") and self.dialog is not None
        if self.state != "confirmed" and not early_update:
            raise NotPossible("the call is not established")
        if self.local_offer or self.remote_offer or self._answer_awaited or self._delayed_ack:
            raise NotPossible("an offer is open already")
        self.retry_at = None
        self._offer(sdp, now, method, tuple(headers), refresh, self.core.config.min_se)

    @property
    def _answer_awaited(self) -> bool:
        return self.unacknowledged is not None and self.unacknowledged.expects_answer

    def _offer(
        self, sdp: str | None, now: float, method: str, headers: tuple[tuple[str, str], ...], refresh: bool, min_se: int
    ) -> None:
        assert self.dialog is not None
        request = self.dialog.request(method, self.core.contact)
        request.set_body(sdp)
        if self.timers_used:
            self.timer.offer(request, self.core.config.session_expires, min_se)
        offer = LocalOffer(None, sdp, refresh, min_se)
        self.local_offer = offer

        def answered(response: Response, at: float) -> None:
            self._offer_answered(offer, method, headers, response, at)

        offer.pending = self.core.send(request, now, answered, self.dialog.next_cseq, headers)

    def _offer_answered(
        self, offer: LocalOffer, method: str, headers: tuple[tuple[str, str], ...], response: Response, now: float
    ) -> None:
        dialog = self.dialog
        if response.status < 200 or dialog is None:
            return
        if 200 <= response.status < 300:
            if method == "INVITE" and self._repeat_ack(dialog, response):
                return
            if self._delayed_ack is not None and self._delayed_ack.cseq == response.cseq:
                return
            asked = method == "INVITE" and offer.sdp is None and not offer.refresh and response.sdp is not None
            if asked and self.local_offer is offer:
                self._delayed_ack = response
                self.core.emit(OfferReceived(self.key, response.sdp, "INVITE", response.headers))
            elif method == "INVITE":
                self.acknowledge(dialog, response, offer.pending, now)
        if self.local_offer is not offer:
            return
        self.local_offer = None
        if self.state == "ended":
            return
        if response.status < 300:
            self._offer_accepted(dialog, offer, method, response, now)
        elif response.status == 422 and (wanted := response.headers.number("Min-SE") or 0) > offer.min_se:
            self.timer.interval = max(self.timer.interval, wanted) if self.timer.interval else 0
            self._offer(offer.sdp, now, method, headers, offer.refresh, wanted)
        elif response.status in (481, 408):
            self.end("timeout" if response.status == 408 else "remote", now, status=response.status,
                     reason=response.reason, bye=True)  # fmt: skip
        else:
            self._offer_refused(offer, response, now)

    def _offer_accepted(self, dialog: Dialog, offer: LocalOffer, method: str, response: Response, now: float) -> None:
        dialog.refresh_target(response)
        if offer.sdp is not None:
            self.local_sdp = offer.sdp
        if self.timers_used:
            self.timer.agreed(response.headers, sent_by_us=True, now=now)
        if offer.refresh:
            self.core.emit(SessionRefreshed(self.key))
        if offer.sdp is not None:
            self.core.emit(AnswerReceived(self.key, response.sdp, method, response.headers, offer.refresh))

    def _offer_refused(self, offer: LocalOffer, response: Response, now: float) -> None:
        glare = response.status == 491
        if glare or offer.refresh:
            assert self.dialog is not None
            # RFC 3261 section 14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
            low, high = (210, 400) if self.dialog.initiator else (0, 200)
            wait = self.core.random.randint(low, high) / 100
            if offer.refresh:
                self.timer.postpone(now, max(wait, 0.1 if glare else BUSY_REFRESH_S))
                return
            self.retry_at = now + wait
        self.core.emit(OfferFailed(self.key, response.status, response.reason, will_retry=glare))

    # ------------------------------------------------------------ ACK

    def acknowledge(
        self, dialog: Dialog, response: Response, pending: Pending | None, now: float, sdp: str | None = None
    ) -> None:
        """ACK of a 2xx: a request of its own, kept for repetitions of the 2xx (RFC 3261 section 13.2.2.4)."""
        number = response.cseq.sequence
        dialog.refresh_target(response)
        ack = dialog.request("ACK", cseq=number)
        ack.set_body(sdp)
        if pending is not None:
            for name in ("Authorization", "Proxy-Authorization"):
                for value in pending.request.headers.all(name):
                    ack.headers.add(name, value)
        self.core.decorate(ack)
        renew_via(ack, self.core.via)
        self._acks[(dialog.remote_tag, number)] = ack
        while len(self._acks) > 20:
            del self._acks[next(iter(self._acks))]
        self.core.layer.out.append(str(ack))

    def _repeat_ack(self, dialog: Dialog, response: Response) -> bool:
        known = self._acks.get((dialog.remote_tag, response.cseq.sequence))
        if known is not None:
            self.core.layer.out.append(str(known))
        return known is not None

    def receive_ack(self, request: Request, now: float) -> None:
        waiting = self.unacknowledged
        if waiting is None or request.cseq.sequence != waiting.cseq:
            return
        self.unacknowledged = None
        if waiting.initial:
            self.core.emit(CallConfirmed(self.key, request.sdp if waiting.expects_answer else None))
        elif waiting.expects_answer:
            self.core.emit(AnswerReceived(self.key, request.sdp, "ACK", request.headers))
        self.acknowledged(now)

    def acknowledged(self, now: float) -> None:
        """For commands that wait for the ACK."""

    # ------------------------------------------------------------ their offers

    def receive_offer(self, transaction: ServerTransaction, now: float) -> None:
        """A re-INVITE, or an UPDATE."""
        request, dialog = transaction.request, self.dialog
        assert dialog is not None
        unanswered = self.remote_offer is not None or (self._answer_awaited and request.sdp is not None)
        if unanswered or (request.method == "INVITE" and self.unacknowledged is not None):
            wait = str(self.core.random.randint(0, MAX_RETRY_AFTER_S))
            self._refuse(transaction, 500, now, [("Retry-After", wait)])
            return
        if self.local_offer is not None and (request.sdp is not None or request.method == "INVITE"):
            self._refuse(transaction, 491, now)
            return
        if self.timers_used and too_small(request, self.core.config.min_se):
            self._refuse(transaction, 422, now, [("Min-SE", str(self.core.config.min_se))])
            return
        dialog.refresh_target(request)
        if request.method == "UPDATE" and request.sdp is None:
            self._accept(transaction, None, now)
            self.core.emit(SessionRefreshed(self.key))
            return
        self.remote_offer = RemoteOffer(transaction, request.sdp is not None)
        if request.method == "INVITE":
            self.core.layer.respond(transaction, request.response(100), now)
            transaction.on_cancel = self._offer_cancelled
        self.core.emit(OfferReceived(self.key, request.sdp, request.method, request.headers))

    def accept_offer(self, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        """Answer the open offer, or give the offer that was asked for."""
        offer = self.remote_offer
        if offer is None:
            raise NotPossible("no offer is open")
        self.remote_offer = None
        self._accept(offer.transaction, sdp, now, headers, expects_answer=not offer.has_sdp)

    def reject_offer(self, now: float, status: int = 488, reason: str = "") -> None:
        offer = self.remote_offer
        if offer is None:
            raise NotPossible("no offer is open")
        self.remote_offer = None
        self._refuse(offer.transaction, status, now, reason=reason)

    def _accept(
        self,
        transaction: ServerTransaction,
        sdp: str | None,
        now: float,
        headers: ExtraHeaders = (),
        expects_answer: bool = False,
    ) -> None:
        request = transaction.request
        response = self._response(request, 200, headers=headers)
        response.set_body(sdp)
        if sdp is not None:
            self.local_sdp = sdp
        if self.timers_used:
            config = self.core.config
            self.timer.accept(request, response, config.min_se, config.session_expires, now)
        self.core.layer.respond(transaction, response, now)
        if request.method == "INVITE":
            self.await_ack(response, now, expects_answer=expects_answer, initial=False)

    def await_ack(self, response: Response, now: float, *, expects_answer: bool, initial: bool) -> None:
        self.unacknowledged = Unacknowledged(
            response, response.cseq.sequence, now + T1, now + TRANSACTION_TIMEOUT, expects_answer, initial
        )

    def _refuse(
        self, transaction: ServerTransaction, status: int, now: float, headers: ExtraHeaders = (), reason: str = ""
    ) -> None:
        response = self._response(transaction.request, status, reason, headers)
        self.core.layer.respond(transaction, response, now)

    def _response(self, request: Request, status: int, reason: str = "", headers: ExtraHeaders = ()) -> Response:
        local_tag = self.dialog.local_tag if self.dialog is not None else ""
        response = request.response(status, reason, to_tag=local_tag, headers=headers)
        if status > 100:
            if request.method in ("INVITE", "UPDATE") and status < 300:
                response.headers.add("Contact", self.core.contact)
            self.core.decorate(response)
        return response

    def _offer_cancelled(self, cancel: Request, now: float) -> None:
        offer = self.remote_offer
        if offer is not None:
            self.remote_offer = None
            self._refuse(offer.transaction, 487, now)
            self.core.emit(OfferWithdrawn(self.key))

    # ------------------------------------------------------------ time

    def _modify_timeouts(self) -> list[float]:
        times = [self.retry_at, self.timer.refresh_at, self.timer.expires_at]
        if self.unacknowledged is not None:
            times += [self.unacknowledged.next_at, self.unacknowledged.deadline]
        return [t for t in times if t is not None]

    def _modify_poll(self, now: float) -> None:
        waiting = self.unacknowledged
        if waiting is not None and waiting.deadline <= now:
            self.unacknowledged = None
            self.end("timeout", now, status=408, reason="no ACK", bye=True)
            return
        if waiting is not None and waiting.next_at <= now:
            waiting.interval = min(waiting.interval * 2, T2)
            waiting.next_at = now + waiting.interval
            self.core.layer.out.append(str(waiting.response))
        if self.retry_at is not None and self.retry_at <= now:
            self.retry_at = None
            self.core.emit(RetryOffer(self.key))
        if self.timer.expires_at is not None and self.timer.expires_at <= now:
            self.timer.stop()
            self.end("timeout", now, status=408, reason="session expired", bye=True)
        elif self.timer.refresh_at is not None and self.timer.refresh_at <= now and self.state == "confirmed":
            self._refresh(now)

    def _refresh(self, now: float) -> None:
        assert self.dialog is not None
        if self.local_offer is not None or self.remote_offer is not None or self.unacknowledged is not None:
            self.timer.postpone(now, BUSY_REFRESH_S)
            return
        self.timer.refresh_at = None
        if "UPDATE" in self.dialog.peer_allow:
            self._offer(None, now, "UPDATE", (), True, self.core.config.min_se)
        elif self.local_sdp is not None:
            self._offer(self.local_sdp, now, "INVITE", (), True, self.core.config.min_se)
