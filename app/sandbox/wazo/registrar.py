"""Where registered phones are: bindings of lines to connections (RFC 3261 section 10, wazo.md 4.2)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.protocols.sip.message import Request, Response, split_parameters, uri_of, user_of
from app.sandbox.wazo.options import SandboxOptions

if TYPE_CHECKING:
    from app.sandbox.wazo.sip_socket import Peer


@dataclass(slots=True)
class Binding:
    """One registered contact."""

    line: str
    uri: str
    """As the client wrote it."""
    user: str
    """User part; requests to the client are addressed to it."""
    peer: Peer
    expires_at: float
    user_agent: str
    parameters: dict[str, str]
    call_id: str = ""
    cseq: int = 0
    refreshes: int = 0


class Registrar:
    def __init__(self, options: SandboxOptions, changed: Callable[[str], None]) -> None:
        """*changed* is told the line whose contacts came or went."""
        self._options, self._changed = options, changed
        self.bindings: dict[str, list[Binding]] = {}
        self.registers = 0

    def contacts_of(self, line: str) -> list[Binding]:
        now = time.monotonic()
        kept = [b for b in self.bindings.get(line, []) if b.expires_at > now]
        if line in self.bindings and len(kept) != len(self.bindings[line]):
            self.bindings[line] = kept
            self._changed(line)
        return kept

    def register(self, request: Request, line: str, peer: Peer) -> Response:
        """Answer a REGISTER whose sender is known."""
        self.registers += 1
        contacts = request.headers.listed("Contact")
        bindings = self.bindings.setdefault(line, [])
        if user_of(request.headers.get("To")) != line:
            return request.response(403)
        if contacts == ["*"]:
            if request.headers.number("Expires") != 0:
                return request.response(400)
            bindings.clear()
        for contact in contacts if contacts != ["*"] else []:
            refusal = self._bind(request, line, peer, contact)
            if refusal is not None:
                return refusal
        self._changed(line)
        return self._answer(request, line)

    def _bind(self, request: Request, line: str, peer: Peer, contact: str) -> Response | None:
        options = self._options
        parameters = split_parameters(contact)[1]
        text = parameters.get("expires", "") or request.headers.get("Expires")
        expires = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else options.default_expires
        if 0 < expires < options.min_expires:
            return request.response(423, headers=[("Min-Expires", str(options.min_expires))])
        bindings = self.bindings[line]
        user = user_of(contact)
        known = next((b for b in bindings if b.user == user), None)
        if expires == 0:
            if known is not None:
                bindings.remove(known)
            return None
        if known is None:
            if len(self.contacts_of(line)) >= options.max_contacts:
                return request.response(403)
            agent = request.headers.get("User-Agent")
            known = Binding(line, uri_of(contact), user, peer, 0.0, agent, parameters)
            self.bindings[line].append(known)
        known.peer, known.uri, known.refreshes = peer, uri_of(contact), known.refreshes + 1
        known.call_id, known.cseq = request.call_id, request.cseq.sequence
        known.expires_at = time.monotonic() + min(expires, options.max_expires)
        return None

    def _answer(self, request: Request, line: str) -> Response:
        response = request.response(200)
        now = time.monotonic()
        for binding in self.contacts_of(line):
            # The seconds told are one less than granted, as Asterisk counts them.
            left = max(1, int(binding.expires_at - now - 0.001))
            response.headers.add("Contact", f"<{binding.uri}>;expires={left}")
        response.headers.add("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))
        return response

    def drop_peer(self, peer: Peer) -> None:
        """A connection is gone, and the contacts that were reached over it."""
        for line, bindings in self.bindings.items():
            kept = [b for b in bindings if b.peer is not peer]
            if len(kept) != len(bindings):
                self.bindings[line] = kept
                self._changed(line)

    def expire(self, line: str) -> None:
        """Forget a line's contacts, as when the server lost its database."""
        if self.bindings.pop(line, None):
            self._changed(line)
