"""What the user agent tells its owner. Frozen values; ``call`` is the key of a call within one user agent."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.protocols.sip.dialog import Replaces
from app.protocols.sip.message import Headers, Request, split_parameters


class RegistrationState(StrEnum):
    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    UNREGISTERING = "unregistering"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One ``Reason`` header value (RFC 3326): ``Q.850`` causes or ``SIP`` status codes."""

    protocol: str
    cause: int | None = None
    text: str = ""


def parse_reasons(headers: Headers) -> tuple[Reason, ...]:
    found = []
    for value in headers.listed("Reason")[:10]:
        protocol, parameters = split_parameters(value)
        cause = parameters.get("cause", "")
        number = int(cause) if cause.isascii() and cause.isdigit() and len(cause) < 5 else None
        found.append(Reason(protocol, number, parameters.get("text", "")))
    return tuple(found)


def answered_elsewhere(reasons: tuple[Reason, ...]) -> bool:
    """Another phone of ours took the call (RFC 3326 section 2, Q.850 cause 26)."""
    return any(
        (r.protocol.upper() == "SIP" and r.cause == 200) or (r.protocol.upper() == "Q.850" and r.cause == 26)
        for r in reasons
    )


@dataclass(frozen=True, slots=True)
class RegistrationChanged:
    state: RegistrationState
    status: int = 0
    reason: str = ""
    expires: int = 0
    """Seconds granted, while registered."""
    retry_after: int | None = None
    headers: Headers = field(default_factory=Headers)


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An INVITE that makes a new call. Answer it with ``progress``, ``answer``, ``reject`` or ``redirect``."""

    call: str
    call_id: str
    from_name: str
    from_uri: str
    to_uri: str
    request_uri: str
    sdp: str | None
    """``None``: slow start, the offer is ours to make in the answer."""
    headers: Headers
    replaces: Replaces | None = None
    replaces_call: str = ""
    """The call of ours that this one takes the place of; it ends once this is answered."""


@dataclass(frozen=True, slots=True)
class CallProgress:
    """A provisional response. With *sdp* early media flows (an answer, per fork)."""

    call: str
    status: int
    reason: str
    sdp: str | None
    fork: str
    """The far side's tag: several branches may ring at once."""
    headers: Headers


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Our INVITE was answered. With *needs_answer* the sdp is an offer: give ``accept_offer``."""

    call: str
    sdp: str | None
    fork: str
    headers: Headers
    needs_answer: bool = False


@dataclass(frozen=True, slots=True)
class CallConfirmed:
    """The ACK for our answer came."""

    call: str
    sdp: str | None = None
    """The answer to our offer when the INVITE had none."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """``by``: local, remote, timeout, transport. ``status`` is the final SIP status of the INVITE, 0 after BYE."""

    call: str
    by: str
    status: int = 0
    reason: str = ""
    reasons: tuple[Reason, ...] = ()
    elsewhere: bool = False
    contacts: tuple[str, ...] = ()
    """Where a 3xx points to."""
    headers: Headers = field(default_factory=Headers)


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """A re-INVITE or UPDATE (or a reliable 1xx) with an offer; without *sdp* the offer is asked of us. Answer with
    ``accept_offer`` or ``reject_offer``."""

    call: str
    sdp: str | None
    method: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer to our offer in a re-INVITE or UPDATE. *refresh*: the user agent repeated the old offer by itself."""

    call: str
    sdp: str | None
    method: str
    headers: Headers
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """Our re-INVITE or UPDATE was refused: everything is as before (RFC 3261 section 14.1). After 491 with
    *will_retry*, :class:`RetryOffer` follows."""

    call: str
    status: int
    reason: str
    will_retry: bool = False


@dataclass(frozen=True, slots=True)
class RetryOffer:
    """The wait after a glare is over; make the offer again from the present state."""

    call: str


@dataclass(frozen=True, slots=True)
class OfferWithdrawn:
    """The far side cancelled its re-INVITE before we answered."""

    call: str


@dataclass(frozen=True, slots=True)
class SessionRefreshed:
    """The session timer was renewed by either side (RFC 4028)."""

    call: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """Final response to a request sent by ``message``, ``info``, ``options``, ``refer`` or ``request``; status 408 when
    none came, 503 when the connection went."""

    id: str
    method: str
    status: int
    reason: str
    call: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A MESSAGE, answered 200 already. ``call`` is empty outside dialogs."""

    call: str
    from_uri: str
    from_name: str
    content_type: str
    body: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class InfoReceived:
    call: str
    content_type: str
    body: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """A tone by INFO (``application/dtmf-relay`` or ``application/dtmf``)."""

    call: str
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class NotifyReceived:
    """A NOTIFY that belongs to no REFER of ours, e.g. message waiting."""

    call: str
    event: str
    content_type: str
    body: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class ReferReceived:
    """Somebody asks us to call ``target``. Answer with ``accept_refer`` or ``reject_refer``."""

    id: str
    call: str
    target: str
    """URI without headers."""
    replaces: Replaces | None
    referred_by: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class ReferProgress:
    """How a REFER of ours goes on: 202 accepted, then the statuses that NOTIFY tells; *final* ends it."""

    id: str
    call: str
    status: int
    reason: str
    final: bool
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """A request of a method in ``Config.extra_methods``; answer it with ``respond``."""

    id: str
    request: Request


@dataclass(frozen=True, slots=True)
class Malformed:
    """The peer sent something that breaks the protocol; it was refused or dropped."""

    problem: str


Event = (
    RegistrationChanged
    | IncomingCall
    | CallProgress
    | CallAnswered
    | CallConfirmed
    | CallEnded
    | OfferReceived
    | AnswerReceived
    | OfferFailed
    | RetryOffer
    | OfferWithdrawn
    | SessionRefreshed
    | RequestAnswered
    | MessageReceived
    | InfoReceived
    | DtmfReceived
    | NotifyReceived
    | ReferReceived
    | ReferProgress
    | RequestReceived
    | Malformed
)
