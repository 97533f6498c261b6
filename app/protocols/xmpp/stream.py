"""The client's side of an XMPP stream (RFC 6120, RFC 7395) as a state machine without I/O.

Feed it what the transport receives, send what :meth:`ClientStream.take_output` gives, act on
:meth:`ClientStream.take_events`. It logs in, binds or resumes, and counts stanzas (XEP-0198).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.sasl import Credentials, SaslError, SaslExchange, choose_mechanism
from app.protocols.xmpp.sm import SmError, StreamManagement
from app.protocols.xmpp.stanza import iq, parse_error
from app.protocols.xmpp.xml import child_text, el, find, find_all, name_of, namespace_of

MAX_HELD = 500
"""Stanzas held while logging in."""


class _Phase(Enum):
    OPENING = auto()
    AUTHENTICATING = auto()
    REOPENING = auto()
    BINDING = auto()
    ENABLING = auto()
    RESUMING = auto()
    READY = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class OpenStream:
    """Output: open (or, after authentication, open again) the stream to the domain."""

    to: str
    restart: bool = False


@dataclass(frozen=True, slots=True)
class CloseStream:
    """Output: close the stream."""


@dataclass(frozen=True, slots=True)
class StreamReady:
    jid: str
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class StanzaReceived:
    element: Element


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """``code``: password_required (ANONYMOUS not offered), not_authorized, no_mechanism, bind_failed,
    resume_failed, stream_error or protocol."""

    code: str
    text: str = ""


Output = OpenStream | CloseStream | Element
StreamEvent = StreamReady | StanzaReceived | StreamFailed


class ClientStream:
    """One connection's stream. Pass the same :class:`StreamManagement` again to resume its session."""

    def __init__(
        self,
        domain: str,
        credentials: Credentials | None = None,
        sm: StreamManagement | None = None,
        *,
        jid: str = "",
        want_sm: bool = True,
    ) -> None:
        self._domain = domain
        self._credentials = credentials
        self._resuming = sm is not None and sm.token is not None
        self.sm = sm or StreamManagement()
        self._want_sm = want_sm
        self.jid = jid
        self._phase = _Phase.OPENING
        self._sasl: SaslExchange | None = None
        self._output: list[Output] = [OpenStream(domain)]
        self._events: list[StreamEvent] = []
        self._held: deque[Element] = deque()

    @property
    def ready(self) -> bool:
        return self._phase is _Phase.READY

    def take_output(self) -> list[Output]:
        output, self._output = self._output, []
        return output

    def take_events(self) -> list[StreamEvent]:
        events, self._events = self._events, []
        return events

    def send(self, stanza: Element) -> None:
        """Sends a stanza, or holds it until the stream is ready (the oldest is dropped when too many wait)."""
        if self._phase is _Phase.CLOSED:
            return
        if self._phase is not _Phase.READY:
            if len(self._held) >= MAX_HELD:
                self._held.popleft()
            self._held.append(stanza)
            return
        try:
            request = self.sm.on_stanza_sent(stanza)
        except SmError as error:
            self._fail("protocol", str(error))
            return
        self._output.append(stanza)
        if request is not None:
            self._output.append(request)

    def close(self) -> None:
        if self._phase is not _Phase.CLOSED:
            self._phase = _Phase.CLOSED
            self._output.append(CloseStream())

    def suspend(self) -> None:
        """The socket is gone: what is sent from now on waits for :meth:`take_held` of the next stream."""
        if self._phase is not _Phase.CLOSED:
            self._phase = _Phase.OPENING
        self._output.clear()

    def take_held(self) -> list[Element]:
        held, self._held = list(self._held), deque()
        return held

    def receive(self, element: Element) -> None:
        """Any element but ``<open/>`` and ``<close/>``."""
        namespace, name = namespace_of(element), name_of(element)
        if self._phase is _Phase.CLOSED:
            return
        if namespace == ns.STREAMS and name == "error":
            condition = next((name_of(c) for c in element if name_of(c) != "text"), "undefined-condition")
            self._fail("stream_error", f"{condition}: {child_text(element, 'text') or ''}")
        elif namespace == ns.STREAMS and name == "features":
            self._features(element)
        elif namespace == ns.SASL:
            self._sasl_element(name, element)
        elif namespace == ns.SM:
            self._sm_element(name, element)
        elif namespace in (ns.CLIENT, ""):
            self._stanza(element)

    # ------------------------------------------------------------------ login

    def _fail(self, code: str, text: str = "") -> None:
        self._phase = _Phase.CLOSED
        self._output.append(CloseStream())
        self._events.append(StreamFailed(code, text[:300]))

    def _features(self, features: Element) -> None:
        if self._phase is _Phase.OPENING:
            self._authenticate(features)
        elif self._phase is _Phase.REOPENING:
            has_sm = find(features, "sm", ns.SM) is not None
            self._want_sm = self._want_sm and has_sm
            if self._resuming and has_sm:
                self._phase = _Phase.RESUMING
                self._output.append(self.sm.resume())
            elif self._resuming:
                self._fail("resume_failed", "the server no longer offers stream management")
            else:
                self._phase = _Phase.BINDING
                self._output.append(iq("set", "bind", None, el("bind", ns.BIND)))

    def _authenticate(self, features: Element) -> None:
        mechanisms = find(features, "mechanisms", ns.SASL)
        offered = [(m.text or "").strip() for m in find_all(mechanisms, "mechanism")] if mechanisms is not None else []
        mechanism = choose_mechanism(offered, self._credentials)
        if mechanism is None:
            self._fail("password_required" if self._credentials is None else "no_mechanism", ",".join(offered))
            return
        try:
            self._sasl = SaslExchange(mechanism, self._credentials)
        except SaslError as error:
            self._fail("not_authorized", str(error))
            return
        self._phase = _Phase.AUTHENTICATING
        self._output.append(el("auth", ns.SASL, {"mechanism": mechanism}, text=self._sasl.initial))

    def _sasl_element(self, name: str, element: Element) -> None:
        if self._phase is not _Phase.AUTHENTICATING or self._sasl is None:
            return
        try:
            if name == "challenge":
                self._output.append(el("response", ns.SASL, text=self._sasl.challenge((element.text or "").strip())))
            elif name == "success":
                self._sasl.success((element.text or "").strip())
                self._phase = _Phase.REOPENING
                self._output.append(OpenStream(self._domain, restart=True))
            elif name == "failure":
                condition = next((name_of(c) for c in element if name_of(c) != "text"), "")
                self._fail("not_authorized", f"{condition}: {child_text(element, 'text') or ''}")
        except SaslError as error:
            self._fail("not_authorized", str(error))

    def _sm_element(self, name: str, element: Element) -> None:
        try:
            if self._phase is _Phase.ENABLING and name == "enabled":
                self.sm.on_enabled(element)
                self._become_ready(resumed=False)
            elif self._phase is _Phase.ENABLING and name == "failed":
                self._become_ready(resumed=False)
            elif self._phase is _Phase.RESUMING and name == "resumed":
                again = self.sm.on_resumed(element)
                self._output.extend(again)
                self._become_ready(resumed=True)
            elif self._phase is _Phase.RESUMING and name == "failed":
                self._fail("resume_failed", next((name_of(c) for c in element), ""))
            elif name in ("r", "a"):
                answer = self.sm.on_control(element)
                if answer is not None:
                    self._output.append(answer)
        except SmError as error:
            self._fail("protocol", str(error))

    def _become_ready(self, *, resumed: bool) -> None:
        self._phase = _Phase.READY
        self._events.append(StreamReady(self.jid, resumed))
        held, self._held = self._held, deque()
        for stanza in held:
            self.send(stanza)

    def _stanza(self, element: Element) -> None:
        self.sm.on_stanza_received(element)
        if self._phase is _Phase.BINDING and element.get("id") == "bind":
            bind = find(element, "bind", ns.BIND)
            jid = child_text(bind, "jid") if bind is not None else None
            error = parse_error(element)
            if not jid or error is not None:
                self._fail("bind_failed", error.condition if error else "no address given")
                return
            self.jid = jid
            if self._want_sm:
                self._phase = _Phase.ENABLING
                self._output.append(self.sm.enable())
            else:
                self._become_ready(resumed=False)
            return
        self._events.append(StanzaReceived(element))
