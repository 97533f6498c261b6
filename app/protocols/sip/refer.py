"""Transfers: REFER and the NOTIFYs that follow, both roles (RFC 3515, RFC 3891, RFC 5589)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from app.protocols.sip import dialog as dialogs
from app.protocols.sip.core import Core, ExtraHeaders, Pending
from app.protocols.sip.dialog import Dialog, Replaces, parse_replaces
from app.protocols.sip.events import ReferProgress, ReferReceived
from app.protocols.sip.message import (
    REASONS,
    RemoteProtocolError,
    Request,
    Response,
    new_tag,
    parse_uri,
    split_list,
    split_parameters,
    split_uri_headers,
    uri_of,
)
from app.protocols.sip.modify import NotPossible
from app.protocols.sip.transaction import ServerTransaction

MAX_REFERS = 50
REFER_EXPIRES_S = 180.0
"""A transfer that is not reported on for so long is given up."""
_STATUS = re.compile(r"SIP/2\.0 (\d{3}) ?([^\r\n]*)")


def refer_to(target: str, replaces: Replaces | None = None) -> str:
    """A ``Refer-To`` value. With *replaces* the referred-to call takes the place of that dialog."""
    if replaces is None:
        return f"<{target}>"
    return f"<{target}?Replaces={quote(str(replaces), safe='')}>"


@dataclass(slots=True)
class _Sent:
    call: str
    dialog: Dialog
    pending: Pending
    deadline: float


@dataclass(slots=True)
class _Received:
    call: str
    dialog: Dialog
    transaction: ServerTransaction
    event: str
    accepted: bool = False


class Refers:
    def __init__(self, core: Core) -> None:
        self.core = core
        self._sent: dict[str, _Sent] = {}
        self._received: dict[str, _Received] = {}
        self._count = 0

    # ------------------------------------------------------------ we ask

    def send(
        self,
        dialog: Dialog,
        call: str,
        target: str,
        now: float,
        replaces: Replaces | None = None,
        headers: ExtraHeaders = (),
    ) -> str:
        request = dialog.request("REFER", self.core.contact)
        request.headers.add("Refer-To", refer_to(target, replaces))
        request.headers.add("Referred-By", f"<{self.core.config.aor}>")
        self._count += 1
        key = f"refer-{self._count}"

        def answered(response: Response, at: float) -> None:
            self._answered(key, response)

        pending = self.core.send(request, now, answered, dialog.next_cseq, headers)
        self._sent[key] = _Sent(call, dialog, pending, now + REFER_EXPIRES_S)
        while len(self._sent) > MAX_REFERS:
            del self._sent[next(iter(self._sent))]
        return key

    def _answered(self, key: str, response: Response) -> None:
        sent = self._sent.get(key)
        if sent is None or response.status < 200:
            return
        if response.status >= 300:
            del self._sent[key]
            self.core.emit(ReferProgress(key, sent.call, response.status, response.reason, True, accepted=False))
        else:
            # RFC 4488: the server may say that no NOTIFY will come.
            final = response.headers.get("Refer-Sub").lower() == "false"
            if final:
                del self._sent[key]
            self.core.emit(ReferProgress(key, sent.call, response.status, response.reason, final))

    def receive_notify(self, request: Request) -> bool:
        """``False`` when it belongs to no REFER of ours."""
        event, parameters = split_parameters(request.headers.get("Event"))
        if event.lower() != "refer":
            return False
        key = self._match(request, parameters.get("id", ""))
        if key is None:
            return False
        sent = self._sent[key]
        state = request.headers.get("Subscription-State").partition(";")[0].strip().lower()
        found = _STATUS.search(request.text[:2000])
        status, reason = (int(found.group(1)), found.group(2)[:200]) if found else (0, "")
        final = status >= 200 or state == "terminated"
        if final:
            del self._sent[key]
        self.core.emit(ReferProgress(key, sent.call, status, reason, final))
        return True

    def _match(self, request: Request, wanted: str) -> str | None:
        mine = [
            (key, sent)
            for key, sent in self._sent.items()
            if sent.dialog.call_id == request.call_id and sent.dialog.local_tag == request.to_tag
        ]
        for key, sent in mine:
            if wanted and str(sent.pending.request.cseq.sequence) == wanted:
                return key
        # Without id the first REFER of the dialog is meant (RFC 3515 section 2.4.6).
        return mine[0][0] if mine and not wanted else None

    # ------------------------------------------------------------ we are asked

    def receive(self, transaction: ServerTransaction, call: str, dialog: Dialog | None, now: float) -> None:
        request = transaction.request
        values = [item for value in request.headers.all("Refer-To") for item in split_list(value)]
        if len(values) != 1 or len(self._received) >= MAX_REFERS:
            self._refuse(transaction, 400, now)
            return
        target, uri_headers = split_uri_headers(uri_of(values[0]))
        try:
            parse_uri(target)
        except RemoteProtocolError as error:
            self._refuse(transaction, error.status, now)
            return
        replaces = parse_replaces(uri_headers.get("replaces", ""))
        if dialog is None:
            dialog = dialogs.from_request(request, new_tag())
        self._count += 1
        key = f"referred-{self._count}"
        self._received[key] = _Received(call, dialog, transaction, f"refer;id={request.cseq.sequence}")
        by = uri_of(request.headers.get("Referred-By")) if "Referred-By" in request.headers else ""
        self.core.emit(ReferReceived(key, call, target, replaces, by, request.headers))

    def accept(self, key: str, now: float) -> None:
        """202, and a first NOTIFY (RFC 3515 section 2.4.4)."""
        received = self._get(key)
        request = received.transaction.request
        response = request.response(202, to_tag=received.dialog.local_tag, headers=[("Contact", self.core.contact)])
        self.core.decorate(response)
        self.core.layer.respond(received.transaction, response, now)
        received.accepted = True
        self.notify(key, 100, "Trying", now)

    def reject(self, key: str, status: int, now: float) -> None:
        received = self._get(key)
        del self._received[key]
        self._refuse(received.transaction, status, now, received.dialog.local_tag)

    def notify(self, key: str, status: int, reason: str, now: float) -> None:
        """Tell how the new call goes on; a status of 200 or more ends it."""
        received = self._get(key)
        if not received.accepted:
            raise NotPossible("the transfer is not accepted yet")
        request = received.dialog.request("NOTIFY", self.core.contact)
        final = status >= 200
        request.headers.add("Event", received.event)
        state = "terminated;reason=noresource" if final else f"active;expires={int(REFER_EXPIRES_S)}"
        request.headers.add("Subscription-State", state)
        request.set_body(f"SIP/2.0 {status} {reason or REASONS.get(status, '')}\r\n", "message/sipfrag;version=2.0")
        self.core.send(request, now, lambda r, t: None, received.dialog.next_cseq)
        if final:
            del self._received[key]

    def knows(self, key: str) -> bool:
        return key in self._received

    def forget_call(self, call: str) -> None:
        """The dialog is gone, and with it a REFER that nobody answered. Reports of accepted ones may still come."""
        for key in [k for k, r in self._received.items() if r.call == call and not r.accepted]:
            del self._received[key]

    def next_timeout(self) -> float | None:
        return min((s.deadline for s in self._sent.values()), default=None)

    def poll(self, now: float) -> None:
        for key in [k for k, s in self._sent.items() if s.deadline <= now]:
            sent = self._sent.pop(key)
            self.core.emit(ReferProgress(key, sent.call, 408, "no report", True))

    def _get(self, key: str) -> _Received:
        received = self._received.get(key)
        if received is None:
            raise NotPossible("no such transfer")
        return received

    def _refuse(self, transaction: ServerTransaction, status: int, now: float, tag: str = "") -> None:
        self.core.layer.respond(transaction, transaction.request.response(status, to_tag=tag or new_tag()), now)
