"""A SIP user agent without I/O (RFC 3261) for one reliable connection, e.g. a WebSocket (RFC 7118).

Feed it with :meth:`UserAgent.receive` and :meth:`UserAgent.poll`, give it commands, and send what
:meth:`UserAgent.outgoing` returns, one frame per item. Times are seconds of a monotonic clock. Commands that do not fit
the state raise :class:`NotPossible`. Responses to INVITEs that arrive are the owner's to give; everything that needs
no decision (OPTIONS, MESSAGE, INFO, NOTIFY, authentication, refreshes, repetitions) is answered here.
"""

from __future__ import annotations

from app.protocols.sip import dispatch
from app.protocols.sip.core import Config, Core, ExtraHeaders
from app.protocols.sip.dialog import Replaces
from app.protocols.sip.digest import DigestServer
from app.protocols.sip.events import Event, Malformed, RegistrationState, RequestAnswered
from app.protocols.sip.invite import Call
from app.protocols.sip.message import (
    SINGLE,
    RemoteProtocolError,
    Request,
    Response,
    is_keep_alive,
    new_tag,
    parse,
)
from app.protocols.sip.modify import NotPossible
from app.protocols.sip.refer import Refers
from app.protocols.sip.registration import Registration
from app.protocols.sip.transaction import ServerTransaction

__all__ = ["Config", "NotPossible", "UserAgent"]

MAX_OPEN_REQUESTS = 200
"""Requests handed to the owner and not answered yet."""


class UserAgent:
    def __init__(self, config: Config, authenticator: DigestServer | None = None) -> None:
        """*authenticator*: challenge requests outside dialogs (servers)."""
        self.config = config
        self.core = Core(config)
        self.registration = Registration(self.core)
        self.refers = Refers(self.core)
        self.authenticator = authenticator
        self.calls: dict[str, Call] = {}
        self.by_tag: dict[tuple[str, str], Call] = {}
        self.open_requests: dict[str, ServerTransaction] = {}
        self.heard_at: float | None = None
        """When the peer was last heard, keep-alives included."""
        self._count = 0

    # ------------------------------------------------------------ the connection

    def receive(self, data: str | bytes, now: float) -> list[Event]:
        """Take one frame. Never raises, whatever is in it."""
        self.heard_at = now
        if is_keep_alive(data):
            return self._drain()
        try:
            message = parse(data)
            if isinstance(message, Response):
                self.core.layer.receive_response(message, now)
            else:
                dispatch.request(self, message, now)
        except RemoteProtocolError as error:
            self._refuse_malformed(error)
        return self._drain()

    def _refuse_malformed(self, error: RemoteProtocolError) -> None:
        self.core.emit(Malformed(str(error)))
        request = getattr(error, "request", None)
        if isinstance(request, Request) and request.method != "ACK":
            for name in SINGLE:
                request.headers.set(name, request.headers.get(name))
            if all(request.headers.get(name) for name in (*SINGLE, "Via")):
                self.core.layer.out.append(str(request.response(error.status, to_tag=new_tag())))

    def poll(self, now: float) -> list[Event]:
        """Let due timers act."""
        self.core.layer.poll(now)
        self.registration.poll(now)
        self.refers.poll(now)
        for call in list(self.calls.values()):
            call.poll(now)
        return self._drain()

    def next_timeout(self) -> float | None:
        """When :meth:`poll` should be called next."""
        times = [self.core.layer.next_timeout(), self.registration.next_timeout(), self.refers.next_timeout()]
        times += [call.next_timeout() for call in self.calls.values()]
        return min((t for t in times if t is not None), default=None)

    def outgoing(self) -> list[str]:
        """Frames to send now, in order; empty while the connection is down."""
        if self.core.offline:
            return []
        out, self.core.layer.out = self.core.layer.out, []
        return out

    def connection_lost(self, now: float) -> list[Event]:
        """The connection broke. Established calls stay; everything that waits for an answer fails with 503."""
        if not self.core.offline:
            self.core.offline = True
            self.core.layer.fail_all(now)
            self.open_requests.clear()
            for call in list(self.calls.values()):
                call.connection_lost(now)
            self.registration.connection_lost()
        return self._drain()

    def connected(self, now: float) -> list[Event]:
        """There is a connection again; hang-ups that are owed go out. Register next, then re-INVITE running calls."""
        self.core.offline = False
        self.core.layer.out.clear()
        owed, self.core.owed = self.core.owed, []
        for send in owed:
            send(now)
        return self._drain()

    def _drain(self) -> list[Event]:
        events, self.core.events = self.core.events, []
        return events

    def take_events(self) -> list[Event]:
        """Events that commands caused since the last receive or poll."""
        return self._drain()

    # ------------------------------------------------------------ registration

    @property
    def registered(self) -> bool:
        return self.registration.state is RegistrationState.REGISTERED

    def register(self, now: float, headers: ExtraHeaders = ()) -> None:
        self.registration.register(now, headers)

    def unregister(self, now: float) -> None:
        self.registration.unregister(now)

    # ------------------------------------------------------------ calls

    def invite(
        self,
        target: str,
        sdp: str | None,
        now: float,
        *,
        headers: ExtraHeaders = (),
        replaces: Replaces | None = None,
        call_id: str = "",
        sender: str = "",
    ) -> str:
        """Call *target* (a URI); returns the call's key, which is its Call-ID. *replaces*: take that dialog's place;
        *sender*: another From address (servers)."""
        if len(self.calls) >= self.config.max_calls:
            raise NotPossible("too many calls")
        call = Call(self.core, "", self._forget)
        extra = list(headers)
        if replaces is not None:
            extra += [("Replaces", str(replaces)), ("Require", "replaces")]
        call.start(target, sdp, now, headers=extra, call_id=call_id, sender=sender)
        self.add_call(call)
        return call.key

    def add_call(self, call: Call) -> None:
        key, number = call.call_id, 2
        while key in self.calls:
            # We called ourselves through a proxy: two calls with one Call-ID.
            key, number = f"{call.call_id}#{number}", number + 1
        call.key = key
        self.calls[key] = call
        self.by_tag[(call.call_id, call.local_tag)] = call

    def _forget(self, call: Call) -> None:
        self.calls.pop(call.key, None)
        self.by_tag.pop((call.call_id, call.local_tag), None)
        self.refers.forget_call(call.key)

    def call(self, key: str) -> Call:
        found = self.calls.get(key)
        if found is None:
            raise NotPossible("no such call")
        return found

    def progress(
        self,
        call: str,
        now: float,
        *,
        status: int = 180,
        sdp: str | None = None,
        headers: ExtraHeaders = (),
        reliable: bool = False,
    ) -> None:
        self.call(call).progress(now, status, sdp, headers, reliable)

    def answer(self, call: str, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        """200 OK. Ends the call whose place this one takes."""
        taken = self.call(call)
        taken.answer(sdp, now, headers)
        if taken.replaces_call in self.calls:
            self.calls[taken.replaces_call].hang_up(now)

    def reject(self, call: str, now: float, status: int = 603, reason: str = "", headers: ExtraHeaders = ()) -> None:
        self.call(call).reject(now, status, reason, headers)

    def redirect(self, call: str, targets: tuple[str, ...], now: float) -> None:
        """302 with where to call instead."""
        self.call(call).reject(now, 302, headers=[("Contact", f"<{target}>") for target in targets])

    def cancel(self, call: str, now: float, reasons: tuple[str, ...] = ()) -> None:
        """*reasons*: whole ``Reason`` values, e.g. ``SIP;cause=200;text="Call completed elsewhere"``."""
        self.call(call).cancel(now, reasons)

    def bye(self, call: str, now: float, reasons: tuple[str, ...] = ()) -> None:
        """End a call in whatever state it is: BYE, CANCEL or a refusal."""
        self.call(call).hang_up(now, reasons)

    def reinvite(self, call: str, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        """Without *sdp* the far side is asked for an offer, which comes as :class:`OfferReceived`."""
        self.call(call).offer(sdp, now, headers=headers)

    def update(self, call: str, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        self.call(call).offer(sdp, now, method="UPDATE", headers=headers)

    def accept_offer(self, call: str, sdp: str | None, now: float, headers: ExtraHeaders = ()) -> None:
        self.call(call).accept_offer(sdp, now, headers)

    def reject_offer(self, call: str, now: float, status: int = 488) -> None:
        self.call(call).reject_offer(now, status)

    def can_offer(self, call: str) -> bool:
        """No offer is open in either direction."""
        found = self.calls.get(call)
        return (
            found is not None
            and found.state == "confirmed"
            and found.local_offer is None
            and found.remote_offer is None
            and found.unacknowledged is None
            and found._delayed_ack is None
        )

    def replaces_of(self, call: str) -> Replaces:
        """Names the dialog of *call* for ``Replaces`` in somebody else's INVITE."""
        dialog = self.call(call).dialog
        if dialog is None:
            raise NotPossible("there is no dialog yet")
        return dialog.replaces()

    def remote_target(self, call: str) -> str:
        dialog = self.call(call).dialog
        return dialog.remote_target if dialog is not None else ""

    def find_replaced(self, replaces: Replaces) -> str:
        """The call that *replaces* names, or ``""``."""
        for key, call in self.calls.items():
            if any(d.matches(replaces) for d in (call.dialog, *call.early.values()) if d is not None):
                return key
        return ""

    # ------------------------------------------------------------ transfers

    def refer(self, call: str, target: str, now: float, *, replaces_call: str = "", headers: ExtraHeaders = ()) -> str:
        """Send the far side of *call* to *target*, or (attended) in place of us into *replaces_call*. Returns an id;
        :class:`ReferProgress` follows."""
        source = self.call(call)
        if source.dialog is None or source.state != "confirmed":
            raise NotPossible("the call is not established")
        replaces = None
        if replaces_call:
            replaces = self.replaces_of(replaces_call)
            target = target or self.remote_target(replaces_call)
        return self.refers.send(source.dialog, call, target, now, replaces, headers)

    def accept_refer(self, refer_id: str, now: float) -> None:
        self.refers.accept(refer_id, now)

    def reject_refer(self, refer_id: str, now: float, status: int = 603) -> None:
        self.refers.reject(refer_id, status, now)

    def notify_refer(self, refer_id: str, status: int, now: float, reason: str = "") -> None:
        self.refers.notify(refer_id, status, reason, now)

    # ------------------------------------------------------------ other requests

    def message(
        self,
        target: str,
        body: str,
        now: float,
        *,
        content_type: str = "text/plain",
        call: str = "",
        headers: ExtraHeaders = (),
    ) -> str:
        """MESSAGE in the dialog of *call*, or to *target*. Returns an id for :class:`RequestAnswered`."""
        return self.request("MESSAGE", target, now, body=body, content_type=content_type, call=call, headers=headers)

    def info(self, call: str, body: str, content_type: str, now: float, headers: ExtraHeaders = ()) -> str:
        return self.request("INFO", "", now, body=body, content_type=content_type, call=call, headers=headers)

    def dtmf(self, call: str, digit: str, now: float, duration_ms: int = 160) -> str:
        """A tone by INFO."""
        if len(digit) != 1 or digit.upper() not in "0123456789*#ABCD":
            raise NotPossible("no such tone")
        body = f"Signal={digit}\r\nDuration={duration_ms}\r\n"
        return self.info(call, body, "application/dtmf-relay", now, [("Content-Disposition", "render")])

    def options(self, now: float, target: str = "", call: str = "") -> str:
        """A keep-alive probe: any answer proves that the server lives."""
        return self.request("OPTIONS", target or f"sip:{self.core.domain}", now, call=call)

    def request(
        self,
        method: str,
        target: str,
        now: float,
        *,
        body: str | None = None,
        content_type: str = "text/plain",
        call: str = "",
        headers: ExtraHeaders = (),
    ) -> str:
        """Any request that makes no dialog."""
        self._count += 1
        key = f"request-{self._count}"

        def answered(response: Response, at: float) -> None:
            if response.status >= 200:
                self.core.emit(
                    RequestAnswered(
                        key, method, response.status, response.reason, call, response.headers, response.body
                    )
                )

        if call:
            self.call(call).send(method, now, answered, body, content_type, headers)
        else:
            request = self.core.new_request(method, target)
            request.set_body(body, content_type)
            self.core.send(request, now, answered, headers=headers)
        return key

    def respond(
        self,
        request_id: str,
        status: int,
        now: float,
        *,
        reason: str = "",
        headers: ExtraHeaders = (),
        body: str | None = None,
        content_type: str = "text/plain",
    ) -> None:
        """Answer a :class:`RequestReceived`."""
        transaction = self.open_requests.get(request_id)
        if transaction is None:
            raise NotPossible("no such request")
        response = transaction.request.response(status, reason, to_tag=new_tag(), headers=headers)
        response.set_body(body, content_type)
        self.send_response(request_id, response, now)

    def send_response(self, request_id: str, response: Response, now: float) -> None:
        """Answer a :class:`RequestReceived` with a response made elsewhere (e.g. by a registrar)."""
        transaction = self.open_requests.get(request_id)
        if transaction is None:
            raise NotPossible("no such request")
        self.core.decorate(response)
        if response.status >= 200:
            del self.open_requests[request_id]
        self.core.layer.respond(transaction, response, now)

    def hand_over(self, transaction: ServerTransaction, now: float) -> str | None:
        """Keep a request for :meth:`respond`; ``None`` when too many wait."""
        if len(self.open_requests) >= MAX_OPEN_REQUESTS:
            self.core.layer.respond(transaction, transaction.request.response(503, to_tag=new_tag()), now)
            return None
        self._count += 1
        key = f"received-{self._count}"
        self.open_requests[key] = transaction
        return key
