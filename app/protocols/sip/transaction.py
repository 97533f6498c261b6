"""Transactions over a reliable transport (RFC 3261 section 17, with the corrections of RFC 6026).

WebSocket, TCP and TLS do not lose messages, so requests and responses are never repeated here (timers A, E and G), and
timers D, I, J and K are zero. What remains are the waits of 64*T1. Time is a number of seconds that callers pass in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.protocols.sip.message import BRANCH_COOKIE, Request, Response, new_branch

T1 = 0.5
"""Round-trip estimate in seconds (RFC 3261 section 17.1.1.1)."""
T2 = 4.0
"""Longest interval between repetitions of a 2xx or a reliable 1xx."""
TRANSACTION_TIMEOUT = 64 * T1
"""Timers B, F, H, L and M."""
MAX_TRANSACTIONS = 1000
"""At once and per direction; a peer that opens more gets 503."""

Key = tuple[str, str, str]


@dataclass(slots=True)
class ClientTransaction:
    """State: calling, proceeding, accepted (2xx to INVITE came; forks may follow), completed, terminated."""

    request: Request
    on_response: Callable[[Response, float], None]
    on_timeout: Callable[[float], None]
    deadline: float | None
    state: str = "calling"

    @property
    def key(self) -> Key:
        return (self.request.branch, self.request.method, "")


@dataclass(slots=True)
class ServerTransaction:
    """State: proceeding, accepted (2xx sent), completed (waiting for ACK), terminated."""

    request: Request
    key: Key
    deadline: float | None = None
    state: str = "proceeding"
    last: Response | None = None
    on_cancel: Callable[[Request, float], None] | None = None


@dataclass(slots=True)
class TransactionLayer:
    """Matches messages to transactions; frames to send gather in :attr:`out`."""

    out: list[str] = field(default_factory=list)
    clients: dict[Key, ClientTransaction] = field(default_factory=dict)
    servers: dict[Key, ServerTransaction] = field(default_factory=dict)

    # ------------------------------------------------------------ client (section 17.1)

    def start(
        self,
        request: Request,
        now: float,
        on_response: Callable[[Response, float], None],
        on_timeout: Callable[[float], None],
    ) -> ClientTransaction:
        """Send *request* (its top Via must carry a fresh branch). 2xx and final responses come by *on_response*."""
        transaction = ClientTransaction(request, on_response, on_timeout, now + TRANSACTION_TIMEOUT)
        self.clients[transaction.key] = transaction
        self.out.append(str(request))
        return transaction

    def receive_response(self, response: Response, now: float) -> bool:
        """``False`` when no transaction waits for it."""
        method = response.cseq.method
        transaction = self.clients.get((response.branch, method, ""))
        if transaction is None or transaction.request.call_id != response.call_id:
            return False
        invite = method == "INVITE"
        if transaction.state == "completed":
            if invite and response.status >= 300:
                self.out.append(str(ack_for(transaction.request, response)))
            return True
        if transaction.state == "accepted":
            # RFC 6026 section 7.2: further 2xx are forks or repetitions; everything else is dropped.
            if 200 <= response.status < 300:
                transaction.on_response(response, now)
            return True
        if response.status < 200:
            transaction.state = "proceeding"
            if invite:
                # Timer B ends with the first provisional response: the far side may ring as long as it likes.
                transaction.deadline = None
        elif invite and response.status < 300:
            transaction.state, transaction.deadline = "accepted", now + TRANSACTION_TIMEOUT
        elif invite:
            transaction.state, transaction.deadline = "completed", now + TRANSACTION_TIMEOUT
            self.out.append(str(ack_for(transaction.request, response)))
        else:
            self._end_client(transaction)
        transaction.on_response(response, now)
        return True

    def limit_client(self, transaction: ClientTransaction, deadline: float) -> None:
        """Wait no longer than *deadline* for a final response (after CANCEL, RFC 3261 section 9.1)."""
        if transaction.state in ("calling", "proceeding"):
            transaction.deadline = deadline

    def _end_client(self, transaction: ClientTransaction) -> None:
        transaction.state = "terminated"
        self.clients.pop(transaction.key, None)

    # ------------------------------------------------------------ server (section 17.2)

    def receive_request(self, request: Request, now: float) -> ServerTransaction | None:
        """A new transaction, or ``None`` when the request belongs to a known one (repetition or ACK of a failure)."""
        key = server_key(request)
        known = self.servers.get(key)
        if known is not None:
            if request.method == "ACK":
                if known.state == "completed":
                    self._end_server(known)
                    return None
                # ACK to 2xx carries a branch of its own; some peers re-use the INVITE's: it is for the dialog.
                return ServerTransaction(request, key, None, "terminated")
            if known.last is not None and known.state != "accepted":
                self.out.append(str(known.last))
            return None
        if request.method == "ACK":
            return ServerTransaction(request, key, None, "terminated")
        transaction = ServerTransaction(request, key)
        if len(self.servers) >= MAX_TRANSACTIONS:
            self.respond(transaction, request.response(503, headers=[("Retry-After", "10")]), now)
            return None
        self.servers[key] = transaction
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Send a response; after a final one the transaction takes no other."""
        if transaction.state in ("completed", "terminated"):
            return
        if transaction.state == "accepted" and response.status >= 300:
            return
        self.out.append(str(response))
        transaction.last = response
        if response.status < 200:
            return
        if transaction.request.method != "INVITE":
            self._end_server(transaction)
        elif response.status < 300:
            transaction.state, transaction.deadline = "accepted", now + TRANSACTION_TIMEOUT
        else:
            transaction.state, transaction.deadline = "completed", now + TRANSACTION_TIMEOUT

    def find_cancelled(self, cancel: Request) -> ServerTransaction | None:
        """The INVITE transaction that a CANCEL is for (RFC 3261 section 9.2)."""
        branch, _, sent_by = server_key(cancel)
        return self.servers.get((branch, "INVITE", sent_by))

    def _end_server(self, transaction: ServerTransaction) -> None:
        transaction.state = "terminated"
        self.servers.pop(transaction.key, None)

    # ------------------------------------------------------------ time

    def next_timeout(self) -> float | None:
        times = [t.deadline for t in self.clients.values() if t.deadline is not None]
        times += [t.deadline for t in self.servers.values() if t.deadline is not None]
        return min(times, default=None)

    def poll(self, now: float) -> None:
        for server in [t for t in self.servers.values() if t.deadline is not None and t.deadline <= now]:
            self._end_server(server)
        for client in [t for t in self.clients.values() if t.deadline is not None and t.deadline <= now]:
            waiting = client.state in ("calling", "proceeding")
            self._end_client(client)
            if waiting:
                client.on_timeout(now)

    def fail_all(self, now: float) -> None:
        """The connection is gone: every waiting client transaction times out at once, servers are forgotten."""
        self.out.clear()
        self.servers.clear()
        for client in list(self.clients.values()):
            waiting = client.state in ("calling", "proceeding")
            self._end_client(client)
            if waiting:
                client.on_timeout(now)


def server_key(request: Request) -> Key:
    """RFC 3261 section 17.2.3; peers without the magic cookie are told apart by the older rules."""
    via = request.via
    sent_by = f"{via.host.lower()}:{via.port or ''}"
    method = "INVITE" if request.method == "ACK" else request.method
    branch = request.branch
    if not branch.startswith(BRANCH_COOKIE) or branch == BRANCH_COOKIE:
        branch = f"{branch}|{request.uri}|{request.from_tag}|{request.call_id}|{request.cseq.sequence}"
        if request.method == "CANCEL":
            method = "CANCEL"
    return (branch, method, sent_by)


def ack_for(invite: Request, response: Response) -> Request:
    """ACK of a failed INVITE: same branch, the response's To (RFC 3261 section 17.1.1.3)."""
    ack = Request(method="ACK", uri=invite.uri)
    ack.headers.add("Via", invite.headers.listed("Via")[0])
    for name in ("Route",):
        for value in invite.headers.all(name):
            ack.headers.add(name, value)
    ack.headers.add("From", invite.headers.get("From"))
    ack.headers.add("To", response.headers.get("To"))
    ack.headers.add("Call-ID", invite.call_id)
    ack.headers.add("CSeq", f"{invite.cseq.sequence} ACK")
    ack.headers.add("Max-Forwards", "70")
    return ack


def cancel_for(invite: Request, reasons: tuple[str, ...] = ()) -> Request:
    """CANCEL of a pending INVITE (RFC 3261 section 9.1)."""
    cancel = Request(method="CANCEL", uri=invite.uri)
    cancel.headers.add("Via", invite.headers.listed("Via")[0])
    for value in invite.headers.all("Route"):
        cancel.headers.add("Route", value)
    cancel.headers.add("From", invite.headers.get("From"))
    cancel.headers.add("To", invite.headers.get("To"))
    cancel.headers.add("Call-ID", invite.call_id)
    cancel.headers.add("CSeq", f"{invite.cseq.sequence} CANCEL")
    cancel.headers.add("Max-Forwards", "70")
    for reason in reasons:
        cancel.headers.add("Reason", reason)
    return cancel


def renew_via(request: Request, via: str) -> None:
    """Put a Via with a new branch on top: every transaction has its own."""
    request.headers.remove("Via")
    request.headers.add_first("Via", f"{via};branch={new_branch()}")
