"""Dialogs: the two-party relation that an INVITE (or REFER) makes (RFC 3261 section 12)."""

from __future__ import annotations

from dataclasses import dataclass

from app.protocols.sip.message import (
    MAX_CSEQ,
    MAX_FORWARDS,
    RemoteProtocolError,
    Request,
    Response,
    parse_uri,
    split_parameters,
    tag_of,
    uri_of,
)


@dataclass(frozen=True, slots=True)
class Replaces:
    """Names a dialog that a new one shall take the place of (RFC 3891), tags as the receiver of the header sees them:
    ``to_tag`` is the receiver's own."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    def __str__(self) -> str:
        text = f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}"
        return text + ";early-only" if self.early_only else text


def parse_replaces(value: str) -> Replaces | None:
    """``None`` when it is malformed."""
    call_id, parameters = split_parameters(value)
    to_tag, from_tag = parameters.get("to-tag", ""), parameters.get("from-tag", "")
    if not call_id or not to_tag or not from_tag:
        return None
    return Replaces(call_id, to_tag, from_tag, "early-only" in parameters)


@dataclass(slots=True)
class Dialog:
    """``local`` and ``remote`` are From/To values without tags; ``remote_target`` is the peer's Contact URI."""

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    remote: str
    remote_target: str
    route_set: tuple[str, ...] = ()
    local_cseq: int = 0
    remote_cseq: int | None = None
    confirmed: bool = False
    initiator: bool = True
    """We sent the request that made it: owner of the Call-ID in the sense of RFC 3261 section 14.1."""
    peer_allow: frozenset[str] = frozenset()

    @property
    def id(self) -> tuple[str, str, str]:
        return (self.call_id, self.local_tag, self.remote_tag)

    def next_cseq(self) -> int:
        self.local_cseq += 1
        if self.local_cseq >= MAX_CSEQ:
            raise RemoteProtocolError("CSeq is used up")
        return self.local_cseq

    def request(self, method: str, contact: str = "", cseq: int | None = None) -> Request:
        """A request inside the dialog (RFC 3261 section 12.2.1.1); loose routes, and strict ones of old peers."""
        uri, routes = self.remote_target, list(self.route_set)
        if routes and not _is_loose(routes[0]):
            uri, routes = uri_of(routes[0]), [*routes[1:], f"<{self.remote_target}>"]
        request = Request(method=method, uri=uri)
        request.headers.add("Max-Forwards", str(MAX_FORWARDS))
        for route in routes:
            request.headers.add("Route", route)
        request.headers.add("From", f"{self.local};tag={self.local_tag}")
        request.headers.add("To", f"{self.remote};tag={self.remote_tag}" if self.remote_tag else self.remote)
        request.headers.add("Call-ID", self.call_id)
        request.headers.add("CSeq", f"{self.next_cseq() if cseq is None else cseq} {method}")
        if contact:
            request.headers.add("Contact", contact)
        return request

    def accepts(self, request: Request) -> bool:
        """CSeq must grow (RFC 3261 section 12.2.2); an older one is refused with 500."""
        number = request.cseq.sequence
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, message: Request | Response) -> None:
        """INVITE, UPDATE and their 2xx may move the remote target (RFC 3261 section 12.2)."""
        contact = contact_uri(message)
        if contact:
            self.remote_target = contact
        if "Allow" in message.headers:
            self.peer_allow = frozenset(token.upper() for token in message.headers.tokens("Allow"))

    def replaces(self) -> Replaces:
        """The value to send to the peer of another call so that it can take this dialog's place (section 4.11 of the
        same name in RFC 5589: our remote tag is their ``to-tag``)."""
        return Replaces(self.call_id, to_tag=self.remote_tag, from_tag=self.local_tag)

    def matches(self, replaces: Replaces) -> bool:
        """RFC 3891 section 3: ``to-tag`` is ours; a missing tag of old peers is written as 0."""
        remote = self.remote_tag or "0"
        return (self.call_id, self.local_tag, remote) == (replaces.call_id, replaces.to_tag, replaces.from_tag or "0")


def from_response(request: Request, response: Response) -> Dialog:
    """The dialog at the sender of *request* (RFC 3261 section 12.1.2)."""
    routes = tuple(reversed(response.headers.listed("Record-Route")))
    dialog = Dialog(
        call_id=request.call_id,
        local_tag=request.from_tag,
        remote_tag=response.to_tag,
        local=_without_tag(request.headers.get("From")),
        remote=_without_tag(request.headers.get("To")),
        remote_target=contact_uri(response) or uri_of(request.headers.get("To")),
        route_set=routes,
        local_cseq=request.cseq.sequence,
        confirmed=200 <= response.status < 300,
    )
    dialog.refresh_target(response)
    return dialog


def from_request(request: Request, local_tag: str) -> Dialog:
    """The dialog at the receiver of *request* (RFC 3261 section 12.1.1)."""
    dialog = Dialog(
        call_id=request.call_id,
        local_tag=local_tag,
        remote_tag=request.from_tag,
        local=_without_tag(request.headers.get("To")),
        remote=_without_tag(request.headers.get("From")),
        remote_target=contact_uri(request) or uri_of(request.headers.get("From")),
        route_set=tuple(request.headers.listed("Record-Route")),
        remote_cseq=request.cseq.sequence,
        initiator=False,
    )
    dialog.refresh_target(request)
    return dialog


def contact_uri(message: Request | Response) -> str:
    """The first Contact's URI, ``""`` when it is absent, malformed or not one we can send to."""
    contacts = message.headers.listed("Contact")
    if not contacts:
        return ""
    uri = uri_of(contacts[0])
    try:
        parse_uri(uri)
    except RemoteProtocolError:
        return ""
    return uri


def _without_tag(value: str) -> str:
    """An address whose only interesting parts are name and URI."""
    if not tag_of(value):
        return value
    plain, parameters = split_parameters(value)
    rest = "".join(f";{name}={v}" if v else f";{name}" for name, v in parameters.items() if name != "tag")
    return plain + rest


def _is_loose(route: str) -> bool:
    return ";lr" in uri_of(route).lower()
