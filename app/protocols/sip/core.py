"""What registration, calls and transfers share: identity, sending with authentication, the event queue."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from app.protocols.sip.digest import MAX_ATTEMPTS, DigestClient
from app.protocols.sip.events import Event
from app.protocols.sip.message import (
    MAX_FORWARDS,
    Request,
    Response,
    name_address,
    new_call_id,
    new_tag,
    parse_uri,
    user_of,
)
from app.protocols.sip.transaction import ClientTransaction, TransactionLayer, renew_via

ExtraHeaders = Iterable[tuple[str, str]]

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "MESSAGE", "INFO", "NOTIFY", "REFER", "UPDATE", "PRACK")
KNOWN_METHODS = frozenset((*METHODS, "REGISTER", "SUBSCRIBE", "PUBLISH"))
MAX_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Config:
    """Identity and manners of one user agent.

    ``aor`` is the address of record (``sip:alice@pbx.example``). The sent-by host of Via and Contact is random, for a
    client behind a WebSocket has no address (RFC 7118 section 5): ``.invalid`` names, or 192.0.2.N with
    ``numeric_host`` for servers that want an address.
    """

    aor: str
    display_name: str = ""
    auth_user: str = ""
    """Default: the user part of the aor."""
    password: str = field(default="", repr=False)
    registrar: str = ""
    """Default: the domain of the aor."""
    transport: str = "WSS"
    """In Via: ``WS`` or ``WSS``."""
    numeric_host: bool = False
    host: str = ""
    """Fixed sent-by host instead of a random one."""
    contact_user: str = ""
    user_agent: str = "Parley"
    allow: tuple[str, ...] = METHODS
    """Methods that are accepted and told; others are answered 405."""
    extra_methods: frozenset[str] = frozenset()
    """Methods handed on as :class:`RequestReceived`, e.g. REGISTER for a registrar."""
    supported: tuple[str, ...] = ("replaces", "timer", "100rel", "outbound")
    register_supported: tuple[str, ...] = ("outbound", "path", "gruu")
    register_expires: int = 600
    """Seconds asked for."""
    instance_id: str = ""
    """``urn:uuid:...`` for ``+sip.instance``; with it ``reg-id=1`` (RFC 5626)."""
    contact_parameters: tuple[tuple[str, str], ...] = ()
    """More Contact parameters of REGISTER."""
    session_expires: int | None = None
    """Seconds to ask for by RFC 4028; ``None`` leaves the choice to the server."""
    min_se: int = 90
    enforce_session_expiry: bool = True
    """End a call whose refreshes stop. Off for servers that refresh unasked and without agreement."""
    reuse_nonce: bool = True
    any_user: bool = False
    """Take calls for every user part (servers); else only for the contact and the aor."""
    max_calls: int = 100
    max_forwards: int = MAX_FORWARDS
    message_status: int = 200
    """How MESSAGE is answered (servers say 202)."""
    auto_options: bool = True
    """Answer OPTIONS by itself; off: handed on as :class:`RequestReceived`."""


class Pending:
    """A request on its way; survives authentication, after which :attr:`request` is the later one."""

    __slots__ = ("attempts", "core", "next_cseq", "on_response", "request", "transaction")

    def __init__(
        self,
        core: Core,
        request: Request,
        on_response: Callable[[Response, float], None],
        next_cseq: Callable[[], int] | None,
    ) -> None:
        self.core = core
        self.request = request
        self.on_response = on_response
        self.next_cseq = next_cseq
        self.attempts = 0
        self.transaction: ClientTransaction | None = None

    def start(self, now: float) -> None:
        renew_via(self.request, self.core.via)
        self.transaction = self.core.layer.start(self.request, now, self._responded, self._timed_out)

    def _responded(self, response: Response, now: float) -> None:
        if response.status in (401, 407) and self.attempts < MAX_ATTEMPTS:
            again = self.request.copy()
            if self.core.digest.answer(again, response):
                self.attempts += 1
                number = self.next_cseq() if self.next_cseq else again.cseq.sequence + 1
                again.headers.set("CSeq", f"{number} {again.method}")
                self.request = again
                self.start(now)
                return
        self.on_response(response, now)

    def _timed_out(self, now: float) -> None:
        status = 503 if self.core.offline else 408
        self.on_response(self.request.response(status, to_tag=""), now)


class Core:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.layer = TransactionLayer()
        self.digest = DigestClient(config.auth_user or user_of(config.aor), config.password, config.reuse_nonce)
        self.events: list[Event] = []
        self.offline = False
        self.owed: list[Callable[[float], None]] = []
        """What must be sent once there is a connection again."""
        self.random = random.Random(secrets.randbits(64))
        host = config.host
        if not host:
            # RFC 5737 TEST-NET-1 and RFC 2606: neither is ever somebody's address.
            host = (
                f"192.0.2.{self.random.randrange(1, 255)}" if config.numeric_host else f"{secrets.token_hex(6)}.invalid"
            )
        self.host = host
        self.contact_user = config.contact_user or secrets.token_hex(4)
        self.via = f"SIP/2.0/{config.transport} {host}"
        uri = parse_uri(config.aor)
        self.user, self.domain = uri.user or "", uri.host
        self.registrar = config.registrar or f"sip:{uri.host}" + (f":{uri.port}" if uri.port else "")

    @property
    def contact_uri(self) -> str:
        return f"sip:{self.contact_user}@{self.host};transport=ws"

    @property
    def contact(self) -> str:
        """For dialogs; ``ob`` asks to keep them on this connection (RFC 5626 section 4.3)."""
        return f"<{self.contact_uri};ob>" if "outbound" in self.config.supported else f"<{self.contact_uri}>"

    @property
    def identity(self) -> str:
        return name_address(self.config.display_name, self.config.aor)

    def emit(self, event: Event) -> None:
        if len(self.events) < MAX_EVENTS:
            self.events.append(event)

    def send(
        self,
        request: Request,
        now: float,
        on_response: Callable[[Response, float], None],
        next_cseq: Callable[[], int] | None = None,
        headers: ExtraHeaders = (),
    ) -> Pending:
        """Send with our usual headers, answering authentication by itself."""
        for name, value in headers:
            request.headers.add(name, value)
        self.decorate(request)
        if not request.to_tag:
            self.digest.authorise(request)
        pending = Pending(self, request, on_response, next_cseq)
        pending.start(now)
        return pending

    def decorate(self, message: Request | Response) -> None:
        """Allow, Supported and User-Agent, where they are not set and make sense."""
        headers, config = message.headers, self.config
        dialogue = isinstance(message, Response) or message.method in (
            "INVITE",
            "UPDATE",
            "REFER",
            "OPTIONS",
            "REGISTER",
        )
        if dialogue and "Allow" not in headers:
            headers.add("Allow", ", ".join(config.allow))
        if dialogue and "Supported" not in headers and config.supported:
            headers.add("Supported", ", ".join(config.supported))
        if "User-Agent" not in headers and config.user_agent:
            headers.add("User-Agent", config.user_agent)

    def new_request(self, method: str, uri: str, to: str = "", sender: str = "", call_id: str = "") -> Request:
        """A request outside dialogs. *to* and *sender* are addresses; default: the URI, and our identity."""
        request = Request(method=method, uri=uri)
        request.headers.add("Max-Forwards", str(self.config.max_forwards))
        request.headers.add("From", f"{sender or self.identity};tag={new_tag()}")
        request.headers.add("To", to or f"<{uri}>")
        request.headers.add("Call-ID", call_id or new_call_id())
        request.headers.add("CSeq", f"1 {method}")
        return request
