"""A signed-in Wazo account: the shell around the pure parts (wazo.md 2.2). Implements
:class:`app.vendors.base.AccountSession`."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from app.calls import accounts as acc
from app.calls.accounts import AccountPhase, Registration
from app.calls.events import CallEvent
from app.calls.model import Failure, frozen_map
from app.media.api import MediaEngine
from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.sip import events as sip
from app.protocols.sip.user_agent import Config, NotPossible
from app.vendors.base import (
    REFRESH_TOKEN,
    AccountHooks,
    ActionRefused,
    CallRequest,
    Session,
    SignInFailed,
    SignInRequest,
)
from app.vendors.wazo import account_actions, account_queries, rest_auth
from app.vendors.wazo import events as wz
from app.vendors.wazo.account_reading import Reading
from app.vendors.wazo.calls import Calls
from app.vendors.wazo.capabilities import capabilities, services
from app.vendors.wazo.client import RestError, TokenOptions, WazoClient
from app.vendors.wazo.errors import failure, network_failure
from app.vendors.wazo.events_socket import Event, EventSocket, socket_url
from app.vendors.wazo.inputs import Inputs
from app.vendors.wazo.log_shipping import LogShipper, shipper_of
from app.vendors.wazo.phone_link import PhoneLink, sip_url
from app.vendors.wazo.rest_confd import Profile, SipLine, get_line_sip, parse_line_sip
from app.vendors.wazo.signing_in import open_token, read_account
from app.vendors.wazo.state import AccountCore
from app.vendors.wazo.wire import RestRequest

REGISTER_TIMEOUT_S = 8.0
"""Signing in returns after this even when the phone server does not answer; the phone goes on trying."""
RENEW_AT = 0.8
"""Of a token's life: long before it ends, so that a server that is away for a while does not matter."""
RENEW_AGAIN_S = 30.0
SIGN_OUT_TIMEOUT_S = 4.0
log = logging.getLogger(__name__)


class WazoAccount:
    """Make it on the signalling loop."""

    def __init__(self, request: SignInRequest, engine: MediaEngine, hooks: AccountHooks) -> None:
        self._request = request
        self.engine = engine
        self._hooks = hooks
        self.http = HttpClient(request.trusted_certificates)
        options = request.options
        self._tokens = TokenOptions(
            client_id=str(options.get("clientId") or client_id_of(request.account_id)),
            expiration_s=int(options.get("tokenExpiration") or rest_auth.DEFAULT_EXPIRATION_S),
            backend=request.backend or ("ldap_user" if request.domain else rest_auth.DEFAULT_BACKEND),
            domain=request.domain,
            mobile=bool(options.get("isMobile", False)),
        )
        self._shipper: LogShipper | None = shipper_of(options, self.http)
        self.client = WazoClient(
            self.http,
            host_of(request.server),
            self._tokens,
            on_session=self._renewed,
            on_refused=self._refused,
            on_request=self._note_request,
        )
        self.core = AccountCore()
        self.profile: Profile | None = None
        self.line: SipLine | None = None
        self.version = ""
        self.phone: PhoneLink | None = None
        self._socket: EventSocket | None = None
        self._phase = AccountPhase.SIGNED_OUT
        self._tasks: set[asyncio.Task[Any]] = set()
        self._renewal: asyncio.Task[None] | None = None
        self._registration = Registration.NONE
        self._closed = False
        self.inputs = Inputs(engine)
        self.reading = Reading(self)
        self.calls = Calls(self)

    # ------------------------------------------------------------------ small facts

    @property
    def me(self) -> str:
        return self.core.me

    @property
    def display_name(self) -> str:
        return self._request.display_name or (self.profile.name if self.profile else "")

    @property
    def line_id(self) -> str:
        return self.line.line.id if self.line else ""

    @property
    def sip_domain(self) -> str:
        return sip_host(self.client.host)

    @property
    def account_id(self) -> str:
        return self._request.account_id

    @property
    def options(self) -> Any:
        return self._request.options

    @property
    def events_live(self) -> bool:
        return self._socket is not None and self._socket.open

    def emit(self, event: acc.AccountEvent) -> None:
        self._hooks.emit(event)

    def emit_all(self, events: Sequence[acc.AccountEvent]) -> None:
        for event in events:
            self._hooks.emit(event)

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """A task that ends with the account at the latest."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task %s failed", task.get_name(), exc_info=task.exception())

    # ------------------------------------------------------------------ signing in

    async def sign_in(self) -> None:
        self._set_phase(AccountPhase.SIGNING_IN)
        try:
            await open_token(self._request, self._tokens, self.client)
            found = await read_account(self._request, self._tokens, self.client)
        except SignInFailed as error:
            await self._sign_in_failed(error.failure)
            raise
        except NetworkFailure as error:
            problem = network_failure(error)
            await self._sign_in_failed(problem)
            raise SignInFailed(problem) from error
        session = self.client.session
        assert session is not None
        self.profile, self.line, self.version = found.profile, found.line, found.version
        self._keep(session)
        offered = services(session, found.profile, found.line)
        details = {
            "server": self.client.host,
            "version": found.version,
            "tenant": session.tenant_uuid,
            "stack": session.stack_uuid,
            **rest_auth.shown(session.metadata),
            "email": found.profile.email,
            "mobile": found.profile.mobile,
            "voicemail": found.profile.voicemail_id,
            "agent": found.profile.agent_id,
        }
        self.core.me = found.profile.uuid
        if self._shipper is not None:
            self._shipper.extra["user_uuid"] = self.me
        lines = tuple(line.value() for line in found.lines)
        self.emit(acc.ProfileChanged(self.me, self.display_name, lines, offered, frozen_map(details)))
        self.emit(acc.AccountCapabilitiesChanged(capabilities(offered)))
        self.emit_all(self.core.signed_in(found.profile))
        self._set_phase(AccountPhase.SIGNED_IN)
        self._schedule_renewal(session)
        self._socket = EventSocket(self.http, self._socket_address, self._renew_for_socket, self._on_event, self._live)
        self._socket.start()
        self.start(self.reading.load(offered), "wazo load")
        await self._start_phone()

    async def _sign_in_failed(self, problem: Failure) -> None:
        self._set_phase(AccountPhase.FAILED, problem)
        await self._shut()

    def _set_phase(self, phase: AccountPhase, problem: Failure | None = None) -> None:
        self._phase = phase
        self.emit(acc.AccountPhaseChanged(phase, problem))

    async def _start_phone(self) -> None:
        line = self.line
        if line is None:
            self._registered(Registration.NONE, failure("no_webrtc_line"))
            return
        if self._request.options.get("register") is False:
            self._registered(Registration.NONE, None)
            return
        host = str(self._request.options.get("websocketSip") or self.client.host)
        self.phone = PhoneLink(
            self.http,
            sip_url(host, self.me),
            Config(
                aor=f"sip:{line.username}@{self.sip_domain}",
                display_name=self.display_name,
                auth_user=line.username,
                password=line.password,
                numeric_host=True,
                user_agent=str(self._request.options.get("userAgentString") or "Parley"),
                enforce_session_expiry=False,
            ),
            on_event=self._on_sip,
            on_registration=self._registered,
            on_connection=self.calls.connection_changed,
            new_password=self._reread_line,
        )
        await self.phone.start(REGISTER_TIMEOUT_S)

    def _registered(self, state: Registration, problem: Failure | None) -> None:
        self._registration = state
        self.emit(acc.RegistrationChanged(state, problem))

    async def _reread_line(self) -> bool:
        line = self.line
        if line is None or self.phone is None:
            return False
        try:
            body = await self.client.call(get_line_sip(self.me, line.line.id))
        except (RestError, NetworkFailure):
            return False
        fresh = parse_line_sip(body, line.line)
        if fresh is None or fresh.password == line.password or fresh.username != line.username:
            return False
        self.line = fresh
        self.phone.use_password(fresh.password)
        return True

    # ------------------------------------------------------------------ tokens

    def _keep(self, session: rest_auth.Session) -> None:
        if session.refresh_token:
            self._hooks.keep_secret(REFRESH_TOKEN, session.refresh_token)

    def _renewed(self, session: rest_auth.Session) -> None:
        self._keep(session)
        self._schedule_renewal(session)
        if self._socket is not None:
            self.start(self._socket.update_token(session.token), "wazo socket token")

    def _refused(self, problem: Failure) -> None:
        if problem.code != "token_revoked" or self._phase is not AccountPhase.SIGNED_IN:
            return
        self._hooks.keep_secret(REFRESH_TOKEN, "")
        self._set_phase(AccountPhase.EXPIRED, problem)

    def _schedule_renewal(self, session: rest_auth.Session) -> None:
        if self._renewal is not None and self._renewal is not asyncio.current_task():
            self._renewal.cancel()
        life_s = float(self._tokens.expiration_s)
        if session.life_s is not None:
            # Not by our clock: a computer whose clock is ahead would renew without end.
            life_s = min(life_s, session.life_s)
        elif session.expires_at is not None:
            life_s = min(life_s, max(session.expires_at / 1000 - time.time(), 1.0))
        self._renewal = self.start(self._renew_after(life_s * RENEW_AT), "wazo renewal")

    async def _renew_after(self, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        while self.client.refresh_token:
            try:
                await self.client.renew()
                return
            except (RestError, NetworkFailure):
                await asyncio.sleep(RENEW_AGAIN_S)

    async def _renew_for_socket(self) -> bool:
        try:
            await self.client.renew()
        except RestError:
            return bool(self.client.refresh_token)
        except NetworkFailure:
            return True
        return True

    async def renew_now(self) -> None:
        """Exchange the token at once. Raises :class:`ActionRefused`."""
        try:
            await self.client.renew()
        except RestError as error:
            raise ActionRefused(error.failure) from error
        except NetworkFailure as error:
            raise ActionRefused(network_failure(error)) from error

    # ------------------------------------------------------------------ event socket

    def _socket_address(self) -> str:
        session = self.client.session
        return socket_url(self.client.host, session.token if session else "", self.me)

    def _live(self, live: bool) -> None:
        log.info("wazo events: %s", "live" if live else "lost")
        if live:
            # What happened meanwhile was not told: everything on screen may be stale.
            for what in ("contacts", "call_log", "voicemail", "chat_rooms", "rooms"):
                self.emit(acc.ListChanged(what))
            self.reading.again("presence")
            self.reading.again("voicemail")
            self.calls.events_live()

    def _on_event(self, event: Event) -> None:
        fact = wz.translate(event, self.me)
        if fact is None:
            return
        self.emit_all(self.core.fact(fact))
        match fact:
            case wz.SessionExpiring(session_id):
                session = self.client.session
                if session is not None and session_id in ("", session.session_uuid):
                    self.start(self._renew_for_socket(), "wazo expiring")
            case wz.SessionDeleted(session_id):
                session = self.client.session
                if session is not None and session_id and session_id == session.session_uuid:
                    self.start(self._renew_for_socket(), "wazo deleted session")
            case wz.Stale(what="voicemail"):
                self.reading.again("voicemail")
            case wz.AgentNews():
                self.reading.again("agent")
            case _:
                self.calls.fact(fact)

    # ------------------------------------------------------------------ what the controller asks

    async def perform(self, action: acc.AccountAction) -> Any:
        self._need_signed_in()
        return await account_actions.perform(self, action)

    async def find(self, query: acc.Query) -> acc.Page:
        self._need_signed_in()
        return await account_queries.find(self, query)

    def _need_signed_in(self) -> None:
        if self._phase is AccountPhase.EXPIRED:
            raise ActionRefused(failure("token_revoked"))
        if self._phase is not AccountPhase.SIGNED_IN:
            raise ActionRefused(failure("not_signed_in"))

    def place_call(self, request: CallRequest, emit: Callable[[CallEvent], None]) -> Session:
        return self.calls.place(request, emit)

    def accept_session(self, session_key: str, call_id: str, emit: Callable[[CallEvent], None]) -> Session:
        return self.calls.accept(session_key, call_id, emit)

    def network_changed(self) -> None:
        """The operating system says so; both sockets start anew and running calls re-attach."""
        if self.phone is not None:
            self.phone.network_changed()
        if self._socket is not None:
            self._socket.retry_now()

    # ------------------------------------------------------------------ SIP

    def _on_sip(self, event: sip.Event) -> None:
        if isinstance(event, sip.IncomingCall):
            if self.calls.incoming(event):
                self._hooks.on_incoming(event.call)
        else:
            self.calls.sip_event(event)

    async def send_text(self, target: str, text: str) -> None:
        """A SIP MESSAGE outside of calls. Raises :class:`ActionRefused`."""
        await self.calls.send_outside(target, text)

    # ------------------------------------------------------------------ the end

    async def sign_out(self, *, everywhere: bool = False) -> None:
        """Ends calls, unregisters and drops the tokens; *everywhere* drops all sessions of the user."""
        await self.calls.close()
        if self.phone is not None:
            await self.phone.close()
            self.phone = None
        try:
            async with asyncio.timeout(SIGN_OUT_TIMEOUT_S):
                await self._drop_tokens(everywhere)
        except TimeoutError:
            log.info("signing out: no answer in time")
        self._hooks.keep_secret(REFRESH_TOKEN, "")
        await self._shut()
        self._registered(Registration.NONE, None)
        self._set_phase(AccountPhase.SIGNED_OUT)

    async def _drop_tokens(self, everywhere: bool) -> None:
        session = self.client.session
        if session is None:
            return
        requests: list[RestRequest] = []
        if everywhere:
            requests += await self._all_sessions(session)
        requests += [rest_auth.delete_refresh_token(self._tokens.client_id), rest_auth.delete_token(session.token)]
        # A 401 now must not renew what is being thrown away.
        self.client.refresh_token = ""
        for request in requests:
            try:
                await self.client.send(request)
            except (RestError, NetworkFailure) as error:
                log.info("signing out: %s", type(error).__name__)

    async def _all_sessions(self, session: rest_auth.Session) -> list[RestRequest]:
        out: list[RestRequest] = []
        for listing, key, build in (
            (rest_auth.refresh_tokens(), "client_id", rest_auth.delete_refresh_token),
            (rest_auth.sessions(), "uuid", rest_auth.delete_session),
        ):
            try:
                body = await self.client.call(listing)
            except (RestError, NetworkFailure) as error:
                log.info("signing out everywhere: %s", type(error).__name__)
                continue
            found = body.get("items") if isinstance(body, dict) else None
            for item in found if isinstance(found, list) else ():
                name = item.get(key) if isinstance(item, dict) else None
                if isinstance(name, str) and name not in (session.session_uuid, self._tokens.client_id):
                    out.append(build(name))
        return out

    async def close(self) -> None:
        await self.calls.close()
        if self.phone is not None:
            await self.phone.close()
            self.phone = None
        await self._shut()

    async def _shut(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._socket is not None:
            await self._socket.close()
        await self.client.close()
        current = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not current]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._shipper is not None:
            await self._shipper.stop()
        await self.http.close()

    def _note_request(self, request: RestRequest, status: int, duration_ms: float) -> None:
        # Paths hold tokens and ids; the service and the method are enough to see what went wrong.
        service = request.path.partition("/")[0]
        log.debug("%s %s -> %d in %.0f ms", request.method, service, status, duration_ms)
        if self._shipper is not None:
            level = "error" if status >= 500 or status == 0 else "warn" if status >= 400 else "trace"
            extra = {"method": request.method, "status": status, "duration": round(duration_ms)}
            self._shipper.log(level, "http", service, extra)


def host_of(server: str) -> str:
    """Host and port out of what was typed, which may be a whole address."""
    text = server.strip()
    for scheme in ("https://", "http://", "wss://"):
        text = text.removeprefix(scheme)
    return text.partition("/")[0].rpartition("@")[2]


def sip_host(host: str) -> str:
    """The host without its port: the SIP domain never has one (wazo.md 1)."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def client_id_of(account_id: str) -> str:
    """One per computer and account: the server keeps one refresh token per client id."""
    digest = hashlib.sha256(f"{uuid.getnode():012x} {account_id}".encode()).hexdigest()
    return f"parley-{digest[:16]}"


__all__ = ["NotPossible", "WazoAccount"]
