"""One call: setting up, ringing, forks, answering, ending (RFC 3261 sections 9, 13, 15; RFC 3262)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.protocols.sip import dialog as dialogs
from app.protocols.sip.core import Core, ExtraHeaders, Pending
from app.protocols.sip.dialog import Dialog, Replaces
from app.protocols.sip.events import (
    CallAnswered,
    CallEnded,
    CallProgress,
    OfferReceived,
    answered_elsewhere,
    parse_reasons,
)
from app.protocols.sip.message import Headers, Request, Response, new_tag, uri_of
from app.protocols.sip.modify import Modifying, NotPossible
from app.protocols.sip.session_timer import too_small
from app.protocols.sip.transaction import T1, TRANSACTION_TIMEOUT, ServerTransaction, cancel_for

MAX_FORKS = 20
MAX_CONTACTS = 20
MAX_TIMER_TRIES = 2


@dataclass(slots=True)
class _Reliable:
    """A provisional response repeated until PRACK (RFC 3262 section 3)."""

    response: Response
    rseq: int
    next_at: float
    deadline: float
    interval: float = T1


class Call(Modifying):
    """State: calling, proceeding (ours, not answered); ringing (theirs, not answered); confirmed; ended."""

    def __init__(self, core: Core, key: str, forget: Callable[[Call], None]) -> None:
        super().__init__(core, key)
        self.outgoing = True
        self.state = "calling"
        self.call_id = ""
        self.local_tag = ""
        self.remote_headers = Headers()
        self.replaces: Replaces | None = None
        self.replaces_call = ""
        self.early: dict[str, Dialog] = {}
        self._early_sdp: dict[str, str] = {}
        self._forget = forget
        self._invite: Pending | None = None
        self._offered = False
        self._cancel: tuple[str, ...] | None = None
        self._cancel_sent = False
        self._delayed_prack: tuple[Dialog, Response] | None = None
        self._rseq_seen: dict[str, int] = {}
        self._timer_tries = 0
        self._server: ServerTransaction | None = None
        self._reliable: _Reliable | None = None
        self._rseq = 0
        self._answer_queued: Callable[[float], None] | None = None
        self._bye_queued = False
        self._answered_sdp = False

    # ------------------------------------------------------------ outgoing

    def start(
        self,
        target: str,
        sdp: str | None,
        now: float,
        *,
        headers: ExtraHeaders = (),
        call_id: str = "",
        sender: str = "",
    ) -> None:
        request = self.core.new_request("INVITE", target, sender=sender, call_id=call_id)
        request.headers.add("Contact", self.core.contact)
        request.set_body(sdp)
        if self.timers_used:
            self.timer.offer(request, self.core.config.session_expires, self.core.config.min_se)
        self.call_id, self.local_tag = request.call_id, request.from_tag
        self.local_sdp, self._offered = sdp, sdp is not None
        self._invite = self.core.send(request, now, self._invite_answered, headers=headers)

    def _invite_answered(self, response: Response, now: float) -> None:
        if response.status < 200:
            self._provisional(response, now)
        elif response.status < 300:
            self._accepted(response, now)
        elif self.state in ("calling", "proceeding"):
            self._failed(response, now)

    def _provisional(self, response: Response, now: float) -> None:
        if self.state not in ("calling", "proceeding"):
            return
        self.state = "proceeding"
        if self._cancel is not None:
            self._send_cancel(now)
            return
        if response.status == 100:
            return
        tag = response.to_tag
        dialog = self._early_dialog(response) if tag else None
        reliable = "100rel" in response.headers.tokens("Require") and dialog is not None
        sdp = response.sdp
        if reliable and dialog is not None and not self._take_reliable(dialog, response, sdp, now):
            return
        if sdp is not None and tag and self._offered:
            self._early_sdp[tag] = sdp
        if sdp is not None and not self._offered:
            sdp = None
        self.core.emit(CallProgress(self.key, response.status, response.reason, sdp, tag, response.headers))

    def _early_dialog(self, response: Response) -> Dialog | None:
        assert self._invite is not None
        dialog = self.early.get(response.to_tag)
        if dialog is not None:
            dialog.refresh_target(response)
        elif len(self.early) < MAX_FORKS:
            dialog = self.early[response.to_tag] = dialogs.from_response(self._invite.request, response)
        if self.dialog is None or not self.dialog.confirmed:
            self.dialog = dialog or self.dialog
        return dialog

    def _take_reliable(self, dialog: Dialog, response: Response, sdp: str | None, now: float) -> bool:
        """Acknowledge with PRACK; ``False`` for repetitions and gaps (RFC 3262 section 4)."""
        rseq = response.headers.number("RSeq")
        seen = self._rseq_seen.get(dialog.remote_tag)
        if rseq is None or (seen is not None and rseq != seen + 1):
            return False
        self._rseq_seen[dialog.remote_tag] = rseq
        if sdp is not None and not self._offered and dialog.remote_tag not in self._early_sdp:
            # The offer was theirs to make: the answer goes into PRACK (RFC 3262 section 5).
            self._early_sdp[dialog.remote_tag] = sdp
            self._delayed_prack = (dialog, response)
            self.core.emit(OfferReceived(self.key, sdp, "PRACK", response.headers))
        else:
            self._send_prack(dialog, response, None, now)
        return True

    def _send_prack(self, dialog: Dialog, response: Response, sdp: str | None, now: float) -> None:
        rack = f"{response.headers.number('RSeq')} {response.cseq.sequence} INVITE"
        self.send("PRACK", now, lambda r, t: None, sdp, headers=[("RAck", rack)], dialog=dialog)

    def _accepted(self, response: Response, now: float) -> None:
        assert self._invite is not None
        tag = response.to_tag
        known = self.early.get(tag)
        if known is not None and self._repeat_ack(known, response):
            return
        if self._delayed_ack is not None and self._delayed_ack.to_tag == tag:
            return
        dialog = known or dialogs.from_response(self._invite.request, response)
        if self.state not in ("calling", "proceeding") or self._cancel is not None:
            self._drop_fork(dialog, response, now)
            return
        self.early = {tag: dialog}
        # After authentication the dialog goes on from the later CSeq; PRACK may have used more since.
        dialog.local_cseq = max(dialog.local_cseq, self._invite.request.cseq.sequence)
        dialog.confirmed = True
        dialog.refresh_target(response)
        if known is None or response.headers.all("Record-Route"):
            dialog.route_set = tuple(reversed(response.headers.listed("Record-Route")))
        self.dialog, self.state = dialog, "confirmed"
        if self.timers_used:
            self.timer.agreed(response.headers, sent_by_us=True, now=now)
        sdp = response.sdp or self._early_sdp.get(tag)
        asks = response.sdp is not None and not self._offered and tag not in self._early_sdp
        if asks:
            self._delayed_ack = response
        else:
            self.acknowledge(dialog, response, self._invite, now)
        self.core.emit(CallAnswered(self.key, sdp, tag, response.headers, needs_answer=asks))

    def _drop_fork(self, dialog: Dialog, response: Response, now: float) -> None:
        """Another branch answered too, or our CANCEL crossed the answer: take it and hang up at once."""
        self.early.setdefault(dialog.remote_tag, dialog)
        self.acknowledge(dialog, response, self._invite, now)
        self.send("BYE", now, lambda r, t: None, dialog=dialog)
        if self.state in ("calling", "proceeding"):
            self.end("local", now, status=487, reason="Request Terminated")

    def _failed(self, response: Response, now: float) -> None:
        assert self._invite is not None
        wanted = response.headers.number("Min-SE") or 0
        if response.status == 422 and wanted and self._timer_tries < MAX_TIMER_TRIES and self._cancel is None:
            self._timer_tries += 1
            again = self._invite.request.copy()
            again.headers.set("CSeq", f"{again.cseq.sequence + 1} INVITE")
            asked = max(wanted, self.core.config.session_expires or 0)
            again.headers.set("Session-Expires", str(asked))
            again.headers.set("Min-SE", str(wanted))
            self._invite = Pending(self.core, again, self._invite_answered, None)
            self._invite.start(now)
            return
        contacts = tuple(uri_of(c) for c in response.headers.listed("Contact")[:MAX_CONTACTS])
        reasons = parse_reasons(response.headers)
        by = "remote"
        if self._cancel is not None:
            by = "local"
        elif response.status == 408 and "Server" not in response.headers and not response.to_tag:
            by = "timeout"
        elif self.core.offline:
            by = "transport"
        self._finish(
            CallEnded(
                self.key, by, response.status, response.reason, reasons, answered_elsewhere(reasons),
                contacts if 300 <= response.status < 400 else (), response.headers,
            )
        )  # fmt: skip

    def cancel(self, now: float, reasons: tuple[str, ...] = ()) -> None:
        """Give up an unanswered call of ours. CANCEL waits for the first provisional response (section 9.1)."""
        if self.state not in ("calling", "proceeding"):
            raise NotPossible("the call is not ringing out")
        if self._cancel is None:
            self._cancel = reasons
            if self.state == "proceeding":
                self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        assert self._invite is not None and self._invite.transaction is not None
        if self._cancel_sent:
            return
        self._cancel_sent = True
        cancel = cancel_for(self._invite.request, self._cancel or ())
        self.core.decorate(cancel)
        layer = self.core.layer
        layer.start(cancel, now, lambda r, t: None, lambda t: None)
        layer.limit_client(self._invite.transaction, now + TRANSACTION_TIMEOUT)

    # ------------------------------------------------------------ incoming

    def begin(self, transaction: ServerTransaction, now: float, replaces: Replaces | None) -> None:
        """Take an INVITE; the caller has checked it."""
        request = transaction.request
        self.outgoing, self.state = False, "ringing"
        self.call_id, self.local_tag = request.call_id, new_tag()
        self.remote_headers, self.replaces = request.headers, replaces
        self.dialog = dialogs.from_request(request, self.local_tag)
        self._server, self._offered = transaction, request.sdp is not None
        transaction.on_cancel = self._cancelled
        self.core.layer.respond(transaction, request.response(100), now)

    def invite_refused(self, request: Request) -> Response | None:
        """422 for a session interval below ours."""
        if self.timers_used and too_small(request, self.core.config.min_se):
            return request.response(422, to_tag=new_tag(), headers=[("Min-SE", str(self.core.config.min_se))])
        return None

    def progress(
        self, now: float, status: int, sdp: str | None, headers: ExtraHeaders, reliable: bool, reason: str = ""
    ) -> None:
        """Send 180, 183 ...; reliably where asked or required and the caller can (RFC 3262)."""
        server = self._server
        if self.state != "ringing" or server is None:
            raise NotPossible("the call is not ringing here")
        request = server.request
        response = self._response(request, status, reason, headers)
        response.headers.set("Contact", self.core.contact)
        response.set_body(sdp)
        required = "100rel" in request.headers.tokens("Require")
        can = required or "100rel" in request.headers.tokens("Supported")
        if required or (reliable and can and "100rel" in self.core.config.supported):
            if self._reliable is not None:
                raise NotPossible("the last reliable response is not acknowledged yet")
            self._rseq = self._rseq + 1 if self._rseq else self.core.random.randint(1, 2**30)
            response.headers.add("Require", "100rel")
            response.headers.add("RSeq", str(self._rseq))
            self._reliable = _Reliable(response, self._rseq, now + T1, now + TRANSACTION_TIMEOUT)
            self._answered_sdp = self._answered_sdp or sdp is not None
            if sdp is not None:
                self.local_sdp = sdp
        self.core.layer.respond(server, response, now)

    def receive_prack(self, transaction: ServerTransaction, now: float) -> None:
        waiting, request = self._reliable, transaction.request
        words = request.headers.get("RAck").split()
        numbers = [int(w) for w in words[:2] if w.isascii() and w.isdigit() and len(w) <= 10]
        known = waiting is not None and self._server is not None and len(words) == 3 and words[2] == "INVITE"
        if not known or numbers != [self._rseq, self._server_cseq]:
            self._refuse(transaction, 481, now)
            return
        self._reliable = None
        self.core.layer.respond(transaction, self._response(request, 200), now)
        if self._answer_queued is not None:
            queued, self._answer_queued = self._answer_queued, None
            queued(now)

    @property
    def _server_cseq(self) -> int:
        return self._server.request.cseq.sequence if self._server is not None else -1

    def answer(self, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        """200 OK; with our answer, or our offer when the INVITE had none."""
        server = self._server
        if self.state != "ringing" or server is None or self.dialog is None:
            raise NotPossible("the call is not ringing here")
        extra = tuple(headers)
        if self._reliable is not None:
            # RFC 3262 section 3: no 2xx while a reliable response with a description is open.
            self._answer_queued = lambda at: self.answer(sdp, at, extra)
            return
        response = self._response(server.request, 200, headers=extra)
        response.set_body(sdp)
        self.local_sdp = sdp or self.local_sdp
        if self.timers_used:
            config = self.core.config
            self.timer.accept(server.request, response, config.min_se, config.session_expires, now)
        self.state = "confirmed"
        self.dialog.confirmed = True
        self.core.layer.respond(server, response, now)
        self.await_ack(response, now, expects_answer=not self._offered and sdp is not None, initial=True)

    def reject(self, now: float, status: int, reason: str = "", headers: ExtraHeaders = ()) -> None:
        if self.state != "ringing" or self._server is None:
            raise NotPossible("the call is not ringing here")
        self._refuse(self._server, status, now, headers, reason)
        self._finish(CallEnded(self.key, "local", status, reason))

    def _cancelled(self, cancel: Request, now: float) -> None:
        if self.state != "ringing" or self._server is None:
            return
        self._refuse(self._server, 487, now)
        reasons = parse_reasons(cancel.headers)
        self._finish(
            CallEnded(self.key, "remote", 487, "cancelled", reasons, answered_elsewhere(reasons), (), cancel.headers)
        )

    # ------------------------------------------------------------ both

    def accept_offer(self, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        if self._delayed_ack is not None and self.dialog is not None:
            response, self._delayed_ack = self._delayed_ack, None
            self.local_sdp = sdp
            self.acknowledge(self.dialog, response, self._invite, now, sdp)
        elif self._delayed_prack is not None:
            (dialog, response), self._delayed_prack = self._delayed_prack, None
            self.local_sdp = sdp
            self._send_prack(dialog, response, sdp, now)
        else:
            super().accept_offer(sdp, now, headers)

    def receive_offer(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        unanswered = self.state == "ringing" and not self._answered_sdp and request.sdp is not None
        if self.state == "ringing" and (request.method == "INVITE" or unanswered):
            self._refuse(transaction, 500, now, [("Retry-After", str(self.core.random.randint(0, 10)))])
        elif self.state == "proceeding" and request.sdp is not None and self._offered and not self._early_sdp:
            self._refuse(transaction, 491, now)
        else:
            super().receive_offer(transaction, now)

    def hang_up(self, now: float, reasons: tuple[str, ...] = (), status: int = 480) -> None:
        """End it, whatever its state: CANCEL, a refusal with *status*, or BYE."""
        if self.state in ("calling", "proceeding"):
            self.cancel(now, reasons)
        elif self.state == "ringing":
            self.reject(now, status, headers=[("Reason", r) for r in reasons])
        elif self.state == "confirmed":
            if self.unacknowledged is not None and self.unacknowledged.initial:
                # RFC 3261 section 15: the callee must not send BYE before the ACK.
                self._bye_queued = True
                return
            if self._delayed_ack is not None and self.dialog is not None:
                response, self._delayed_ack = self._delayed_ack, None
                self.acknowledge(self.dialog, response, self._invite, now)
            self.end("local", now, bye=True, reasons=reasons)

    def acknowledged(self, now: float) -> None:
        if self._bye_queued:
            self.end("local", now, bye=True)

    def receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        self.core.layer.respond(transaction, self._response(request, 200), now)
        if self._server is not None and self.state == "ringing":
            self._refuse(self._server, 487, now)
        reasons = parse_reasons(request.headers)
        self._finish(
            CallEnded(self.key, "remote", 0, "", reasons, answered_elsewhere(reasons), (), request.headers), now
        )

    def end(
        self,
        by: str,
        now: float,
        *,
        status: int = 0,
        reason: str = "",
        bye: bool = False,
        reasons: tuple[str, ...] = (),
    ) -> None:
        if self.state == "ended":
            return
        if bye and self.dialog is not None:
            if self.core.offline:
                self.core.owed.append(lambda at: self._send_bye(at, reasons))
                del self.core.owed[:-20]
            else:
                self._send_bye(now, reasons)
        self._finish(CallEnded(self.key, by, status, reason), now)

    def _send_bye(self, now: float, reasons: tuple[str, ...]) -> None:
        self.send("BYE", now, lambda r, t: None, headers=[("Reason", r) for r in reasons])

    def _finish(self, event: CallEnded, now: float | None = None) -> None:
        if self.state == "ended":
            return
        self.state = "ended"
        if self.remote_offer is not None and now is not None:
            self._refuse(self.remote_offer.transaction, 487, now)
        self.local_offer = self.remote_offer = self.unacknowledged = None
        self.retry_at = self._reliable = self._answer_queued = None
        self.timer.stop()
        self.core.emit(event)
        self._forget(self)

    def connection_lost(self, now: float) -> None:
        """Established calls live on; those that ring here cannot be answered any more."""
        self.remote_offer = None
        if self.state == "ringing":
            self._finish(CallEnded(self.key, "transport", 503, "connection lost"))

    def next_timeout(self) -> float | None:
        times = self._modify_timeouts()
        if self._reliable is not None:
            times += [self._reliable.next_at, self._reliable.deadline]
        return min(times, default=None)

    def poll(self, now: float) -> None:
        waiting = self._reliable
        if waiting is not None and waiting.deadline <= now:
            # RFC 3262 section 3: nobody acknowledged, so the INVITE is refused.
            self.reject(now, 504)
            return
        if waiting is not None and waiting.next_at <= now:
            waiting.interval *= 2
            waiting.next_at = now + waiting.interval
            self.core.layer.out.append(str(waiting.response))
        self._modify_poll(now)
