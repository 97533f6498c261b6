"""REGISTER: make, keep, renew and drop our binding (RFC 3261 section 10, RFC 5626)."""

from __future__ import annotations

from app.protocols.sip.core import Core, ExtraHeaders, Pending
from app.protocols.sip.events import RegistrationChanged, RegistrationState
from app.protocols.sip.message import Headers, Request, Response, new_call_id, new_tag, split_parameters, user_of

REFRESH_FRACTION = 0.9
"""Of the granted time (RFC 5626 section 4.4.1 asks for 80 to 100 %)."""
REFRESH_MARGIN_S = 5.0
RETRY_S = 10.0
"""After a failed renewal, while the old binding still holds."""
MAX_EXPIRES = 86_400
MAX_BRIEF = 3
"""How often a 423 may raise the time before we give up."""


class Registration:
    """State is the server's: ``registered`` only while a 2xx listed our contact and its time has not run out."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.state = RegistrationState.UNREGISTERED
        self.expires_at: float | None = None
        self.refresh_at: float | None = None
        self.granted = 0
        self.service_route: tuple[str, ...] = ()
        """RFC 3608: routes for later requests outside dialogs."""
        self._call_id = new_call_id()
        self._tag = new_tag()
        self._cseq = 0
        self._ask = core.config.register_expires
        self._pending: Pending | None = None
        self._brief = 0
        self._headers: tuple[tuple[str, str], ...] = ()

    def register(self, now: float, headers: ExtraHeaders = ()) -> None:
        """Register, or renew at once. Does nothing while a REGISTER is under way."""
        if self._pending is not None:
            return
        self._headers = tuple(headers)
        self._brief = 0
        self._send(now, self._ask)

    def unregister(self, now: float) -> None:
        if self.state in (RegistrationState.UNREGISTERED, RegistrationState.FAILED) and self._pending is None:
            return
        self._pending = None
        self.refresh_at = None
        self._send(now, 0)

    def connection_lost(self) -> None:
        """The binding lived on the connection that is gone (RFC 5626 section 4.2)."""
        self._pending = None
        self._drop()
        if self.state is not RegistrationState.UNREGISTERED:
            self._set(RegistrationState.UNREGISTERED, 503, "connection lost")

    def next_timeout(self) -> float | None:
        times = [t for t in (self.refresh_at, self.expires_at) if t is not None]
        return min(times, default=None)

    def poll(self, now: float) -> None:
        if self.expires_at is not None and self.expires_at <= now:
            self._drop()
            self._set(RegistrationState.FAILED, 408, "registration ran out")
        elif self.refresh_at is not None and self.refresh_at <= now:
            self.refresh_at = None
            if self._pending is None:
                self._send(now, self._ask)

    # ------------------------------------------------------------ inside

    def _send(self, now: float, expires: int) -> None:
        core, config = self.core, self.core.config
        self._cseq += 1
        request = Request(method="REGISTER", uri=core.registrar)
        headers = request.headers
        headers.add("Max-Forwards", str(config.max_forwards))
        headers.add("To", f"<{config.aor}>")
        headers.add("From", f"{core.identity};tag={self._tag}")
        headers.add("Call-ID", self._call_id)
        headers.add("CSeq", f"{self._cseq} REGISTER")
        contact = f"<{core.contact_uri}>"
        if config.instance_id:
            contact += f';reg-id=1;+sip.instance="<{config.instance_id}>"'
        for name, value in config.contact_parameters:
            contact += f";{name}={value}" if value else f";{name}"
        headers.add("Contact", f"{contact};expires={expires}")
        headers.add("Expires", str(expires))
        if config.register_supported:
            headers.add("Supported", ", ".join(config.register_supported))
        for name, value in self._headers:
            headers.add(name, value)
        if self.state is not RegistrationState.REGISTERED or expires == 0:
            self._set(RegistrationState.REGISTERING if expires else RegistrationState.UNREGISTERING)
        pending: list[Pending] = []

        def answered(response: Response, at: float) -> None:
            if pending and self._pending is pending[0] and response.status >= 200:
                self._pending = None
                self._finished(response, at, expires)

        self._pending = core.send(request, now, answered, self._next_cseq)
        pending.append(self._pending)

    def _next_cseq(self) -> int:
        self._cseq += 1
        return self._cseq

    def _finished(self, response: Response, now: float, asked: int) -> None:
        if response.status < 300:
            if asked == 0:
                self._drop()
                self._set(RegistrationState.UNREGISTERED, response.status, response.reason)
            else:
                self._registered(response, now)
            return
        if response.status == 423 and asked and self._brief < MAX_BRIEF:
            wanted = response.headers.number("Min-Expires")
            if wanted is not None and asked < wanted <= MAX_EXPIRES:
                self._brief += 1
                self._ask = wanted
                self._send(now, wanted)
                return
        if asked == 0:
            # Whatever the server says to goodbye, we do not renew: the binding ends by itself.
            self._drop()
            self._set(RegistrationState.UNREGISTERED, response.status, response.reason)
        elif (
            self.expires_at is not None and now + RETRY_S < self.expires_at and response.status in (408, 500, 503, 504)
        ):
            self.refresh_at = now + max(RETRY_S, float(response.headers.number("Retry-After") or 0))
        else:
            self._drop()
            self._set(
                RegistrationState.FAILED, response.status, response.reason,
                retry_after=response.headers.number("Retry-After"), response=response,
            )  # fmt: skip

    def _registered(self, response: Response, now: float) -> None:
        granted = self._granted(response)
        if granted <= 0:
            self._drop()
            self._set(RegistrationState.FAILED, response.status, "the server did not keep our contact")
            return
        self.granted = granted
        self.expires_at = now + granted
        self.refresh_at = now + max(1.0, min(granted * REFRESH_FRACTION, granted - REFRESH_MARGIN_S))
        self.service_route = tuple(response.headers.listed("Service-Route")[:10])
        self._set(RegistrationState.REGISTERED, response.status, response.reason, response=response)

    def _granted(self, response: Response) -> int:
        """Seconds; 0 when our contact is not among the bindings. Servers rewrite its host: the user part counts."""
        general = response.headers.number("Expires")
        contacts = response.headers.listed("Contact")
        for contact in contacts:
            if user_of(contact) != self.core.contact_user:
                continue
            text = split_parameters(contact)[1].get("expires", "")
            if text.isascii() and text.isdigit():
                return min(int(text[:9]), MAX_EXPIRES)
            return min(self._ask if general is None else general, MAX_EXPIRES)
        return 0

    def _drop(self) -> None:
        self.expires_at = self.refresh_at = None
        self.granted = 0

    def _set(
        self,
        state: RegistrationState,
        status: int = 0,
        reason: str = "",
        *,
        retry_after: int | None = None,
        response: Response | None = None,
    ) -> None:
        if state is self.state and state is not RegistrationState.FAILED and state is not RegistrationState.REGISTERED:
            return
        self.state = state
        headers = response.headers if response is not None else Headers()
        self.core.emit(RegistrationChanged(state, status, reason, self.granted, retry_after, headers))
