"""One client's XMPP stream: authentication, binding, stream management. Sans-IO; used by WebSocket and BOSH alike."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, el, find, name_of, namespace_of, serialise
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sasl import Challenge, Outcome, SaslServer, Success, TokenError, check_token
from app.sandbox.jitsi.sessions import CallLater, RemoteSession, Router
from app.sandbox.jitsi.stanza import attr, error_reply, is_stanza, node, result_reply, stream_element

SESSION = "urn:ietf:params:xml:ns:xmpp-session"


@dataclass(slots=True)
class Streams:
    """What all streams of one server share."""

    options: SandboxOptions
    faults: Faults
    router: Router
    call_later: CallLater
    resumable: dict[str, RemoteSession] = field(default_factory=dict)
    on_bound: Callable[[RemoteSession], None] = lambda session: None
    next_node: Callable[[], str] = lambda: secrets.token_hex(16)

    def forget(self, session: RemoteSession) -> None:
        self.resumable.pop(session.sm_id, None)

    def domains(self) -> tuple[str, ...]:
        names = (self.options.domain,)
        return (*names, self.options.guest_domain) if self.options.secure_domain else names

    def mechanisms(self, host: str) -> tuple[str, ...]:
        if self.faults.mechanisms is not None:
            return self.faults.mechanisms
        passwords = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
        if host == self.options.guest_domain:
            return ("ANONYMOUS",)
        if self.options.login_required:
            return passwords
        if self.options.secure_domain:
            return passwords if self.options.token is None else ("ANONYMOUS", *passwords)
        return ("ANONYMOUS", *passwords) if self.options.accounts else ("ANONYMOUS",)


class ClientStream:
    """The server's side of one stream.

    *write* sends one element's text; *close* ends the connection. *query* holds the parameters of the connection's
    URL (``room``, ``token``, ``previd``).
    """

    def __init__(
        self, shared: Streams, write: Callable[[str], None], close: Callable[[], None], query: Mapping[str, str]
    ) -> None:
        self._shared = shared
        self.write = write
        self._close = close
        self._query = dict(query)
        self.host = ""
        self._sasl: SaslServer | None = None
        self._user = ""
        self._claims: dict[str, object] = {}
        self.session: RemoteSession | None = None
        self.resumed_session = False

    # ------------------------------------------------------------------ stream level

    def open(self, to: str) -> str | None:
        """A stream header to host *to*; the features to answer, or ``None`` (with a stream error sent)."""
        if to not in self._shared.domains():
            self.stream_error("host-unknown")
            return None
        self.host = to
        if not self._user:
            names = (el("mechanism", ns.SASL, text=name) for name in self._shared.mechanisms(to))
            return stream_element("features", el("mechanisms", ns.SASL, None, *names))
        features = [el("bind", ns.BIND), el("session", SESSION, None, el("optional", SESSION))]
        if self._shared.options.resumption:
            features.append(el("sm", ns.SM))
        return stream_element("features", *features)

    def stream_error(self, condition: str) -> None:
        self.write(stream_element("error", el(condition, ns.STREAM_ERRORS)))
        self._close()

    def closed(self, clean: bool) -> None:
        """The connection ended, *clean* when the client had closed the stream."""
        session, self.session = self.session, None
        if session is None:
            return
        if clean:
            session.end()
        else:
            session.detach(self.write)

    # ------------------------------------------------------------------ elements

    def receive(self, stanza: Element) -> None:
        if namespace_of(stanza) == ns.SASL:
            self._authenticate(stanza)
        elif namespace_of(stanza) == ns.SM:
            self._manage(stanza)
        elif not is_stanza(stanza):
            self.stream_error("unsupported-stanza-type")
        elif not self._user:
            self.stream_error("not-authorized")
        elif self.session is None:
            self._bind(stanza)
        else:
            self.session.received = (self.session.received + 1) % 2**32
            if name_of(stanza) == "iq" and find(stanza, "session", SESSION) is not None:
                self.session.deliver(result_reply(stanza))
                return
            self._shared.router.route(self.session, stanza)

    def _authenticate(self, stanza: Element) -> None:
        try:
            text = (stanza.text or "").strip()
            data = b"" if text in ("", "=") else base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            self._refuse("incorrect-encoding")
            return
        if name_of(stanza) == "auth":
            if self._shared.faults.refuse_login:
                self._refuse(self._shared.faults.refuse_login)
                return
            self._sasl = SaslServer(
                self._shared.mechanisms(self.host),
                self._shared.options.accounts,
                self._anonymous_node(),
                self._token_error(),
            )
            self._answer(self._sasl.start(attr(stanza, "mechanism"), data))
        elif name_of(stanza) == "response" and self._sasl is not None:
            self._answer(self._sasl.respond(data))
        else:
            self._refuse("aborted" if name_of(stanza) == "abort" else "malformed-request")

    def _anonymous_node(self) -> str:
        previous = self._shared.resumable.get(self._query.get("previd", ""))
        return node(previous.jid) if previous is not None else self._shared.next_node()

    def _token_error(self) -> str:
        policy, token = self._shared.options.token, self._query.get("token", "")
        if self._shared.faults.token_expired:
            return "Not acceptable by exp"
        if policy is None or self.host == self._shared.options.guest_domain:
            return ""
        if not token:
            return "Token required" if policy.required else ""
        try:
            self._claims = dict(check_token(policy, token))
        except TokenError as error:
            return str(error)
        return ""

    def _answer(self, outcome: Outcome) -> None:
        if isinstance(outcome, Challenge):
            self.write(serialise(el("challenge", ns.SASL, text=base64.b64encode(outcome.data).decode())))
        elif isinstance(outcome, Success):
            self._user = outcome.username
            data = base64.b64encode(outcome.data).decode()
            self.write(serialise(el("success", ns.SASL, text=data or None)))
        else:
            self._refuse(outcome.condition, outcome.text)

    def _refuse(self, condition: str, text: str = "") -> None:
        detail = el("text", ns.SASL, text=text) if text else None
        self.write(serialise(el("failure", ns.SASL, None, el(condition, ns.SASL), detail)))

    def _bind(self, stanza: Element) -> None:
        request = find(stanza, "bind", ns.BIND)
        if name_of(stanza) != "iq" or stanza.get("type") != "set" or request is None:
            self.write(serialise(error_reply(stanza, "auth", "not-authorized")))
            return
        resource = (child_text(request, "resource") or "")[:64] or secrets.token_urlsafe(6)
        jid = f"{self._user}@{self.host}/{resource}"
        if jid in self._shared.router.sessions:
            jid = f"{self._user}@{self.host}/{secrets.token_urlsafe(6)}"
        session = RemoteSession(jid, self._shared.call_later, self._shared.options.hibernate_s)
        session.query_room = self._query.get("room", "").lower()
        session.claims = self._claims
        session.attach(self.write)
        self.session = session
        self._shared.router.register(session)
        self.write(serialise(result_reply(stanza, el("bind", ns.BIND, None, el("jid", ns.BIND, text=jid)))))
        self._shared.on_bound(session)

    # ------------------------------------------------------------------ XEP-0198

    def _manage(self, stanza: Element) -> None:
        session = self.session
        if name_of(stanza) == "resume":
            self._resume(stanza)
        elif session is None or not self._shared.options.resumption:
            self.write(_failed("unexpected-request"))
        elif name_of(stanza) == "enable":
            if session.sm_id:
                self.write(_failed("unexpected-request"))
                return
            session.sm_id = secrets.token_hex(12)
            session.received = 0
            self._shared.resumable[session.sm_id] = session
            session.on_end.append(lambda: self._shared.forget(session))
            maximum = int(self._shared.options.hibernate_s)
            self.write(serialise(el("enabled", ns.SM, {"id": session.sm_id, "resume": "true", "max": maximum})))
        elif name_of(stanza) == "r":
            self.write(serialise(el("a", ns.SM, {"h": session.received})))
        elif name_of(stanza) == "a" and (
            not attr(stanza, "h").isdigit() or not session.acknowledge(int(attr(stanza, "h")))
        ):
            self.stream_error("undefined-condition")

    def _resume(self, stanza: Element) -> None:
        previous = self._shared.resumable.get(attr(stanza, "previd"))
        refused = self._shared.faults.refuse_resumption
        valid = previous is not None and node(previous.jid) == self._user and attr(stanza, "h").isdigit()
        if not self._user or self.session is not None or previous is None or not valid or refused:
            if previous is not None and refused:
                previous.end()
            self.write(_failed("item-not-found"))
            return
        previous.attach(self.write)
        if not previous.acknowledge(int(attr(stanza, "h"))):
            previous.end()
            self.write(_failed("item-not-found"))
            return
        self.session = previous
        self.resumed_session = True
        self.write(serialise(el("resumed", ns.SM, {"previd": previous.sm_id, "h": previous.received})))
        previous.resend()


def _failed(condition: str) -> str:
    return serialise(el("failed", ns.SM, None, el(condition, ns.STANZAS)))
