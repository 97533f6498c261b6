"""The server's side of REGISTER: bindings of addresses of record to contacts (RFC 3261 section 10.3)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from app.protocols.sip.message import (
    RemoteProtocolError,
    Request,
    Response,
    new_tag,
    parse_address,
    split_parameters,
    uri_of,
    user_of,
)

MIN_EXPIRES, DEFAULT_EXPIRES, MAX_EXPIRES = 60, 120, 3600
MAX_CONTACTS = 10
MAX_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Binding:
    contact: str
    """URI as the client gave it."""
    expires_at: float
    call_id: str
    cseq: int
    connection: Hashable
    """Whatever the owner uses to find the connection that the contact lives on."""
    instance: str = ""


class Registrar:
    """Authentication comes before: give only requests that passed it."""

    def __init__(
        self, *, min_expires: int = MIN_EXPIRES, max_expires: int = MAX_EXPIRES, max_contacts: int = MAX_CONTACTS
    ) -> None:
        self.min_expires, self.max_expires, self.max_contacts = min_expires, max_expires, max_contacts
        self._bindings: dict[str, list[Binding]] = {}

    def bindings(self, user: str, now: float) -> tuple[Binding, ...]:
        """Live bindings, newest last."""
        live = [b for b in self._bindings.get(user, ()) if b.expires_at > now]
        if live:
            self._bindings[user] = live
        else:
            self._bindings.pop(user, None)
        return tuple(live)

    def drop_connection(self, connection: Hashable) -> tuple[str, ...]:
        """The connection is gone and its bindings with it; returns the users that lost one."""
        lost = [user for user, found in self._bindings.items() if any(b.connection == connection for b in found)]
        for user in lost:
            self._bindings[user] = [b for b in self._bindings[user] if b.connection != connection]
        return tuple(lost)

    def register(self, request: Request, now: float, connection: Hashable = None) -> Response:
        """The answer to a REGISTER; bindings are changed only when all of it can be taken."""
        user = user_of(request.headers.get("To"))
        if not user or (user not in self._bindings and len(self._bindings) >= MAX_USERS):
            return request.response(404, to_tag=new_tag())
        bindings = {b.contact: b for b in self.bindings(user, now)}
        try:
            refusal = self._update(bindings, request, now, connection)
        except RemoteProtocolError as error:
            return request.response(error.status, to_tag=new_tag())
        if refusal is not None:
            return refusal
        self._bindings[user] = list(bindings.values())
        response = request.response(200, to_tag=new_tag())
        for binding in self.bindings(user, now):
            response.headers.add("Contact", f"<{binding.contact}>;expires={round(binding.expires_at - now)}")
        return response

    def _update(
        self, bindings: dict[str, Binding], request: Request, now: float, connection: Hashable
    ) -> Response | None:
        contacts = request.headers.listed("Contact")
        general = request.headers.number("Expires")
        if "*" in contacts:
            if len(contacts) > 1 or general != 0:
                return request.response(400, to_tag=new_tag())
            bindings.clear()
            return None
        for contact in contacts:
            parse_address(contact)
            uri = uri_of(contact)
            parameters = split_parameters(contact)[1]
            text = parameters.get("expires", "")
            expires = int(text[:9]) if text.isascii() and text.isdigit() else general
            expires = DEFAULT_EXPIRES if expires is None else min(expires, self.max_expires)
            old = bindings.get(uri)
            if old is not None and old.call_id == request.call_id and old.cseq >= request.cseq.sequence:
                return request.response(500, to_tag=new_tag())
            if expires == 0:
                bindings.pop(uri, None)
                continue
            if expires < self.min_expires:
                return request.response(423, to_tag=new_tag(), headers=[("Min-Expires", str(self.min_expires))])
            instance = parameters.get("+sip.instance", "")
            if instance:
                # RFC 5626 section 6: the same phone on a new connection takes its old binding's place.
                for other in [b for b in bindings.values() if b.instance == instance and b.contact != uri]:
                    del bindings[other.contact]
            if uri not in bindings and len(bindings) >= self.max_contacts:
                return request.response(403, to_tag=new_tag())
            bindings[uri] = Binding(uri, now + expires, request.call_id, request.cseq.sequence, connection, instance)
        return None
