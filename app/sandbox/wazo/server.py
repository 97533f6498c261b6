"""A whole Wazo stack in one process, on loopback: the entry point of this package.

    async with WazoSandbox() as sandbox:
        print(sandbox.host, sandbox.fingerprint)

All methods must be called on the loop that runs the sandbox; :class:`ThreadedSandbox` runs one in a thread of its own
and passes calls over.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, Self

from aiohttp import web

from app.sandbox.threaded import Threaded
from app.sandbox.wazo import rest_accessd, rest_auth, rest_calld_more, rest_chatd, rest_confd, rest_dird, rest_misc
from app.sandbox.wazo.bots import Colleague
from app.sandbox.wazo.call_server import CallServer
from app.sandbox.wazo.certificate import self_signed
from app.sandbox.wazo.event_socket import EventSocket
from app.sandbox.wazo.faults import Faults
from app.sandbox.wazo.http import Api
from app.sandbox.wazo.legs import Leg
from app.sandbox.wazo.options import SandboxOptions
from app.sandbox.wazo.sip_socket import Peer, SipSockets
from app.sandbox.wazo.state import State, User
from app.sandbox.wazo.web import WebServer

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TOKEN_TICK_S = 0.5
"""How often tokens are looked at for expiry."""


class WazoSandbox:
    """See the module's words. Keyword arguments are fields of :class:`SandboxOptions`."""

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.options = SandboxOptions(**options)
        self.faults = Faults()
        self._wanted_port = port
        self.port = 0
        self.fingerprint = ""
        """SHA-256 of the certificate in use; empty without TLS."""
        self.state = State(self.options, self.faults)
        self.calls = CallServer(self.state)
        self.sip = SipSockets(self.options, self.faults, self.calls.password_of, self.calls.handle)
        self.sip.on_lost = self.calls.connection_lost
        self.calls.sockets = self.sip
        services = (
            rest_auth.service, rest_confd.service, rest_calld_more.service, rest_chatd.service, rest_dird.service,
            rest_misc.call_logd, rest_misc.agentd, rest_misc.webhookd, rest_misc.amid, rest_accessd.service,
        )  # fmt: skip
        self.api = Api(self.state, self.calls, services)
        self.events = EventSocket(self.state)
        self.web = WebServer(self.state, self.api, self.events, self.sip)
        self.colleague = Colleague(self.calls)
        self._context: ssl.SSLContext | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._ticker: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Bind the port and serve. Raises :class:`OSError` when the port is taken."""
        runner = web.AppRunner(self.web.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runner = runner
        if self.options.tls:
            self._context, self.fingerprint = self_signed()
        try:
            await self._listen(self._wanted_port)
        except OSError:
            await runner.cleanup()
            raise
        self._ticker = asyncio.get_running_loop().create_task(self._tick())
        self.calls.start()

    async def _listen(self, port: int) -> None:
        assert self._runner is not None
        site = web.TCPSite(self._runner, HOST, port, ssl_context=self._context, reuse_address=True)
        await site.start()
        self._site = site
        self.port = self._runner.addresses[0][1]
        self.sip.port = self.port

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TOKEN_TICK_S)
            self.state.warn_tokens()

    async def close(self) -> None:
        """Stop serving; connections break as they do when a server goes away."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await self.colleague.close()
        await self.calls.close()
        self.events.drop()
        self.sip.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # ------------------------------------------------------------------ addresses and people

    @property
    def host(self) -> str:
        """Server as a person types it: ``127.0.0.1:port``."""
        return f"{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{'https' if self.options.tls else 'http'}://{self.host}"

    def user(self, username: str) -> User:
        """Raises :class:`KeyError`."""
        user = self.state.user_named(username)
        if user is None:
            raise KeyError(username)
        return user

    # ------------------------------------------------------------------ truth

    def legs(self, username: str = "") -> list[Leg]:
        """Call legs that exist now, of one user or of everybody, oldest first."""
        found = list(self.calls.legs.values())
        return [leg for leg in found if not username or (leg.user and leg.user.account.username == username)]

    def contacts(self, username: str) -> list[str]:
        """Contact URIs registered now for all lines of a user."""
        return [b.uri for line in self.user(username).lines for b in self.calls.registrar.contacts_of(line.name)]

    def registered(self, username: str) -> bool:
        return bool(self.contacts(username))

    def event_names(self) -> list[str]:
        return self.state.bus.names()

    def requests(self, path: str = "", method: str = "") -> list[Any]:
        """REST requests seen so far whose path contains *path*."""
        return [r for r in self.state.requests if path in r.path and method in ("", r.method)]

    # ------------------------------------------------------------------ things that happen to people

    def expire_tokens(self, username: str = "") -> int:
        """Tokens end now, as if their time were over; refresh tokens stay."""
        count = 0
        for token in list(self.state.tokens.values()):
            if not username or token.user_uuid == self.user(username).uuid:
                self.state.drop_token(token.token)
                count += 1
        return count

    def shorten_tokens(self, username: str, seconds: float) -> None:
        """Tokens have so long left; ``auth_session_expire_soon`` follows when it is due."""
        for token in self.state.sessions_of(self.user(username).uuid):
            token.expires_at = min(token.expires_at, time.time() + seconds)
            token.warned = False

    def revoke(self, username: str) -> None:
        """Tokens and refresh tokens end: only the password helps."""
        uuid_ = self.user(username).uuid
        known = self.state.refresh_tokens
        for text in [t for t, k in known.items() if k["user_uuid"] == uuid_]:
            del known[text]
        self.expire_tokens(username)

    def drop_events(self, code: int = 0, username: str = "") -> int:
        """Close event sockets with a code, or break them (0); returns how many."""
        return self.events.drop(code, self.user(username).uuid if username else "")

    def drop_sip(self, username: str = "") -> int:
        """Break SIP connections without any close; returns how many."""
        if not username:
            return self.sip.drop()
        peers = {b.peer for line in self.user(username).lines for b in self.calls.registrar.contacts_of(line.name)}
        peers |= {leg.peer for leg in self.legs(username) if leg.peer is not None}
        for socket in {peer.socket for peer in peers}:
            socket.abort()
        return len(peers)

    def peers(self, username: str) -> list[Peer]:
        return list({b.peer for line in self.user(username).lines for b in self.calls.registrar.contacts_of(line.name)})

    async def change_certificate(self, host: str = "localhost") -> None:
        """Go on with another certificate (by default a trusted-looking one of the same name): clients that trust
        exactly the old one must refuse it. Connections break."""
        assert self._site is not None and self._runner is not None
        self._context, self.fingerprint = self_signed(host)
        await self.restart()

    async def restart(self) -> None:
        """All connections break and the same port is served anew; registrations are gone, tokens stay."""
        assert self._site is not None
        port = self.port
        await self._site.stop()
        self.events.drop()
        for socket in list(self.sip.sockets):
            socket.abort()
        for connection in self._runner.server.connections if self._runner and self._runner.server else []:
            if connection.transport is not None:
                connection.transport.abort()
        await self._listen(port)

    def set_media_faults(self, loss: float = 0.0, delay_s: float = 0.0, blackhole: bool = False) -> None:
        """Lose or delay media packets in both directions, for all calls that exist and to come."""
        self.faults.media_loss, self.faults.media_delay_s, self.faults.media_blackhole = loss, delay_s, blackhole
        self.calls.apply_media_faults()


class ThreadedSandbox(Threaded[WazoSandbox]):
    """``with ThreadedSandbox() as box: box.call(lambda s: s.drop_sip("alice"))``"""

    def __init__(self, port: int = 0, **options: Any) -> None:
        super().__init__("wazo-sandbox", lambda: WazoSandbox(port, **options))

    @property
    def host(self) -> str:
        assert self.sandbox is not None
        return self.sandbox.host

    @property
    def fingerprint(self) -> str:
        assert self.sandbox is not None
        return self.sandbox.fingerprint


async def serve(port: int = 0, on_ready: Callable[[WazoSandbox], None] | None = None, **options: Any) -> None:
    """Run a sandbox until cancelled; *on_ready* is called once it listens."""
    async with WazoSandbox(port, **options) as sandbox:
        if on_ready is not None:
            on_ready(sandbox)
        await asyncio.Event().wait()
