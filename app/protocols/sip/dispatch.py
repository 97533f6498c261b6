"""What to do with a request that arrived (RFC 3261 section 8.2), split off :mod:`app.protocols.sip.user_agent`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.protocols.sip.core import KNOWN_METHODS
from app.protocols.sip.dialog import Replaces, parse_replaces
from app.protocols.sip.events import (
    DtmfReceived,
    IncomingCall,
    InfoReceived,
    MessageReceived,
    NotifyReceived,
    RequestReceived,
)
from app.protocols.sip.invite import Call
from app.protocols.sip.message import (
    RemoteProtocolError,
    Request,
    name_of,
    new_tag,
    parse_uri,
    split_uri_headers,
    uri_of,
)
from app.protocols.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from app.protocols.sip.user_agent import UserAgent

EXTENSIONS = frozenset(("replaces", "timer", "100rel", "outbound", "path", "gruu", "norefersub"))
"""Option tags that may stand in Require."""
_SIGNAL = re.compile(r"^\s*(?:Signal\s*=\s*)?([0-9A-Da-d*#])\s*$", re.MULTILINE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*(\d{1,5})", re.MULTILINE | re.IGNORECASE)
DEFAULT_TONE_MS = 250


def request(agent: UserAgent, message: Request, now: float) -> None:
    if message.method == "ACK":
        agent.core.layer.receive_request(message, now)
        call = agent.by_tag.get((message.call_id, message.to_tag))
        if call is not None:
            call.receive_ack(message, now)
        return
    merged = not message.to_tag and _is_merged(agent, message)
    transaction = agent.core.layer.receive_request(message, now)
    if transaction is None:
        return
    if message.method == "CANCEL":
        _cancel(agent, transaction, now)
    elif merged:
        refuse(agent, transaction, 482, now)
    elif message.to_tag:
        _in_dialog(agent, transaction, now)
    else:
        _outside(agent, transaction, now)


def refuse(
    agent: UserAgent, transaction: ServerTransaction, status: int, now: float, headers: Iterable[tuple[str, str]] = ()
) -> None:
    response = transaction.request.response(status, to_tag=new_tag(), headers=headers)
    agent.core.decorate(response)
    agent.core.layer.respond(transaction, response, now)


def _accept(agent: UserAgent, transaction: ServerTransaction, now: float, status: int = 200) -> None:
    response = transaction.request.response(status, to_tag=new_tag())
    if transaction.request.method == "OPTIONS":
        response.headers.add("Accept", "application/sdp, application/dtmf-relay, text/plain")
    agent.core.decorate(response)
    agent.core.layer.respond(transaction, response, now)


def _is_merged(agent: UserAgent, message: Request) -> bool:
    """The same request over two paths (RFC 3261 section 8.2.2.2)."""
    cseq = (message.from_tag, message.call_id, message.headers.get("CSeq"))
    return message.method not in ("CANCEL", "ACK") and any(
        (t.request.from_tag, t.request.call_id, t.request.headers.get("CSeq")) == cseq
        and not t.request.to_tag
        and t.request.branch != message.branch
        for t in agent.core.layer.servers.values()
    )


def _cancel(agent: UserAgent, transaction: ServerTransaction, now: float) -> None:
    target = agent.core.layer.find_cancelled(transaction.request)
    if target is None:
        refuse(agent, transaction, 481, now)
        return
    _accept(agent, transaction, now)
    if target.on_cancel is not None and target.state == "proceeding":
        target.on_cancel(transaction.request, now)


def _unacceptable(agent: UserAgent, transaction: ServerTransaction, now: float) -> bool:
    """Checks of RFC 3261 section 8.2.1 to 8.2.3 that every request must pass; refuses it when it does not."""
    message, config = transaction.request, agent.config
    method = message.method
    if method not in config.allow and method not in config.extra_methods:
        allow = [("Allow", ", ".join(config.allow))]
        refuse(agent, transaction, 405 if method in KNOWN_METHODS else 501, now, allow)
        return True
    unknown = sorted(message.headers.tokens("Require") - EXTENSIONS)
    if unknown:
        refuse(agent, transaction, 420, now, [("Unsupported", ", ".join(unknown))])
        return True
    if message.body and "Content-Encoding" in message.headers:
        encoding = message.headers.get("Content-Encoding").lower()
        if encoding != "identity":
            refuse(agent, transaction, 415, now, [("Accept-Encoding", "identity")])
            return True
    if method in ("INVITE", "UPDATE", "PRACK") and message.body and message.sdp is None:
        refuse(agent, transaction, 415, now, [("Accept", "application/sdp")])
        return True
    accepted = message.headers.tokens("Accept")
    if method == "INVITE" and accepted and not accepted & {"application/sdp", "application/*", "*/*"}:
        refuse(agent, transaction, 406, now)
        return True
    return False


# ---------------------------------------------------------------- outside dialogs


def _outside(agent: UserAgent, transaction: ServerTransaction, now: float) -> None:
    message = transaction.request
    try:
        uri = parse_uri(message.uri)
        if split_uri_headers(message.uri)[1]:
            raise RemoteProtocolError("a Request-URI has no headers")
    except RemoteProtocolError as error:
        refuse(agent, transaction, error.status, now)
        return
    if agent.authenticator is not None:
        user, stale = agent.authenticator.check(message, now)
        if user is None:
            agent.core.layer.respond(transaction, agent.authenticator.challenge(message, now, stale), now)
            return
    if _unacceptable(agent, transaction, now):
        return
    method = message.method
    if method in agent.config.extra_methods or (method == "OPTIONS" and not agent.config.auto_options):
        key = agent.hand_over(transaction, now)
        if key is not None:
            agent.core.emit(RequestReceived(key, message))
        return
    # Servers rewrite host and port of our contact: only the user part tells whom it is for.
    if not agent.config.any_user and uri.user and uri.user not in (agent.core.contact_user, agent.core.user):
        refuse(agent, transaction, 404, now)
        return
    if method == "INVITE":
        _incoming_call(agent, transaction, now)
    elif method == "OPTIONS":
        _accept(agent, transaction, now)
    elif method == "REFER":
        agent.refers.receive(transaction, "", None, now)
    elif method in ("MESSAGE", "NOTIFY", "INFO"):
        _inform(agent, transaction, "", now)
    else:
        # BYE, UPDATE and PRACK without a dialog.
        refuse(agent, transaction, 481, now)


def _incoming_call(agent: UserAgent, transaction: ServerTransaction, now: float) -> None:
    message = transaction.request
    if len(agent.calls) >= agent.config.max_calls:
        refuse(agent, transaction, 486, now)
        return
    replaces, replaced = None, ""
    values = message.headers.all("Replaces")
    if values:
        replaces = parse_replaces(values[0])
        if replaces is None or len(values) > 1:
            refuse(agent, transaction, 400, now)
            return
        replaced = agent.find_replaced(replaces)
        status = _replaced_status(agent, replaces, replaced)
        if status:
            refuse(agent, transaction, status, now)
            return
    call = Call(agent.core, "", agent._forget)
    refusal = call.invite_refused(message)
    if refusal is not None:
        agent.core.layer.respond(transaction, refusal, now)
        return
    call.begin(transaction, now, replaces)
    call.replaces_call = replaced
    agent.add_call(call)
    sender = message.headers.get("From")
    agent.core.emit(
        IncomingCall(
            call.key, call.call_id, name_of(sender), uri_of(sender), uri_of(message.headers.get("To")), message.uri,
            message.sdp, message.headers, replaces, replaced,
        )
    )  # fmt: skip


def _replaced_status(agent: UserAgent, replaces: Replaces, replaced: str) -> int:
    """0 when the call may take the place; else how to refuse it (RFC 3891 section 3)."""
    call = agent.calls.get(replaced)
    if call is None:
        # A server looks among the dialogs of its other connections.
        return 0 if agent.config.any_user else 481
    if call.state == "confirmed":
        return 486 if replaces.early_only else 0
    return 0 if call.outgoing else 481


# ---------------------------------------------------------------- inside dialogs


def _in_dialog(agent: UserAgent, transaction: ServerTransaction, now: float) -> None:
    message = transaction.request
    call = agent.by_tag.get((message.call_id, message.to_tag))
    # Reports on a transfer may come after its call has ended.
    if message.method == "NOTIFY" and agent.refers.receive_notify(message):
        _accept(agent, transaction, now)
        return
    dialog = None
    if call is not None:
        mine = (call.dialog, *call.early.values())
        dialog = next((d for d in mine if d is not None and d.remote_tag == message.from_tag), None)
    if call is None or dialog is None:
        refuse(agent, transaction, 481, now)
        return
    if not dialog.accepts(message):
        refuse(agent, transaction, 500, now)
        return
    if message.method != "BYE" and _unacceptable(agent, transaction, now):
        return
    _in_call(agent, call, transaction, now)


def _in_call(agent: UserAgent, call: Call, transaction: ServerTransaction, now: float) -> None:
    method = transaction.request.method
    if method in ("INVITE", "UPDATE"):
        call.receive_offer(transaction, now)
    elif method == "BYE":
        call.receive_bye(transaction, now)
    elif method == "PRACK":
        call.receive_prack(transaction, now)
    elif method == "REFER":
        agent.refers.receive(transaction, call.key, call.dialog, now)
    elif method == "OPTIONS":
        _accept(agent, transaction, now)
    elif method in ("MESSAGE", "INFO", "NOTIFY"):
        _inform(agent, transaction, call.key, now)
    elif method in agent.config.extra_methods:
        key = agent.hand_over(transaction, now)
        if key is not None:
            agent.core.emit(RequestReceived(key, transaction.request))
    else:
        refuse(agent, transaction, 405, now, [("Allow", ", ".join(agent.config.allow))])


def _inform(agent: UserAgent, transaction: ServerTransaction, call: str, now: float) -> None:
    """MESSAGE, INFO and NOTIFY: answered at once, told to the owner."""
    message = transaction.request
    headers, kind, text = message.headers, message.content_type, message.text
    sender = headers.get("From")
    if message.method == "MESSAGE":
        _accept(agent, transaction, now, agent.config.message_status)
        agent.core.emit(MessageReceived(call, uri_of(sender), name_of(sender), kind or "text/plain", text, headers))
    elif message.method == "NOTIFY":
        _accept(agent, transaction, now)
        agent.core.emit(NotifyReceived(call, headers.get("Event").partition(";")[0].strip(), kind, text, headers))
    elif kind in ("application/dtmf-relay", "application/dtmf"):
        tone = _SIGNAL.search(text[:500])
        if tone is None:
            refuse(agent, transaction, 400, now)
            return
        _accept(agent, transaction, now)
        duration = _DURATION.search(text[:500])
        length = int(duration.group(1)) if duration else DEFAULT_TONE_MS
        agent.core.emit(DtmfReceived(call, tone.group(1).upper(), length))
    else:
        _accept(agent, transaction, now)
        agent.core.emit(InfoReceived(call, kind, text, headers))
