"""The HTTP edge of a Wazo account: requests with a token that renews itself.

A refused token is renewed once, by one request that everybody waits for, and the refused request is sent again once
(wazo.md 1.1). Whoever needs the new token (event socket, storage) is told through ``on_session``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.calls.model import Failure
from app.protocols.http import HttpClient, HttpResponse, NetworkFailure
from app.vendors.base import ActionRefused
from app.vendors.wazo import rest_auth
from app.vendors.wazo.errors import failure, network_failure, server_failure
from app.vendors.wazo.wire import CALLD, CTID_NG, RestRequest, ServerError, read_error

REQUEST_TIMEOUT_S = 20.0
"""A directory lookup asks other servers first and may take many seconds; a person gives up later than this."""
LONG_TIMEOUT_S = 300.0
"""Sound and fax files over a slow line."""
MAX_FILE_BYTES = 64_000_000
"""An hour of 8 kHz sound is 58 MB."""

log = logging.getLogger(__name__)


class RestError(Exception):
    """The server answered with an error."""

    def __init__(self, error: ServerError) -> None:
        super().__init__(f"{error.status} {error.error_id}".strip())
        self.error = error

    @property
    def failure(self) -> Failure:
        return server_failure(self.error)


@dataclass(frozen=True, slots=True)
class TokenOptions:
    """How tokens are asked for again."""

    client_id: str = ""
    expiration_s: int = rest_auth.DEFAULT_EXPIRATION_S
    backend: str = rest_auth.DEFAULT_BACKEND
    domain: str = ""
    mobile: bool = False


class WazoClient:
    """Requests of one account. Make it on the signalling loop; close *http* when done with it."""

    def __init__(
        self,
        http: HttpClient,
        host: str,
        tokens: TokenOptions,
        *,
        on_session: Callable[[rest_auth.Session], None] = lambda session: None,
        on_refused: Callable[[Failure], None] = lambda failure: None,
        on_request: Callable[[RestRequest, int, float], None] = lambda request, status, duration_ms: None,
        extra_headers: Mapping[str, str] | None = None,
    ) -> None:
        """*on_refused* is called when neither token nor refresh token is accepted any more; *on_request* after each
        request with its status (0 without an answer) and duration, for the log."""
        self._http = http
        self.host = host
        self._tokens = tokens
        self._on_session = on_session
        self._on_refused = on_refused
        self._on_request = on_request
        self._extra = dict(extra_headers or {})
        self.session: rest_auth.Session | None = None
        self.refresh_token = ""
        self._renewing: asyncio.Task[rest_auth.Session] | None = None
        self._old_calld = False

    def url(self, target: str) -> str:
        if self._old_calld and target.startswith(f"{CALLD}/"):
            target = CTID_NG + target.removeprefix(CALLD)
        return f"https://{self.host}/api/{target}"

    # ------------------------------------------------------------------ requests

    async def call(self, request: RestRequest) -> Any:
        """The decoded body, ``None`` when there is none. Raises :class:`RestError`, :class:`NetworkFailure`."""
        return (await self.send(request)).json()

    async def ask(self, request: RestRequest) -> Any:
        """Like :meth:`call` for something that a person asked for. Raises :class:`ActionRefused`."""
        try:
            return await self.call(request)
        except RestError as error:
            raise ActionRefused(error.failure) from error
        except NetworkFailure as error:
            raise ActionRefused(network_failure(error)) from error

    async def send(self, request: RestRequest) -> HttpResponse:
        """The response of a request that was accepted. Raises :class:`RestError`, :class:`NetworkFailure`."""
        token = self.session.token if self.session else ""
        response = await self._send(request, token)
        if response.status == 404 and response.json() is None and request.path.startswith(f"{CALLD}/"):
            response = await self._try_old_name(request, token, response)
        if response.status < 400:
            return response
        error = read_error(response.status, response.json())
        # Twice: somebody else's new token may have ended as well by the time we use it.
        for _ in range(2):
            if not (request.authenticated and error.token_refused and self.refresh_token):
                break
            if self.session is not None and self.session.token == token:
                await self.renew()
            token = self.session.token if self.session else ""
            response = await self._send(request, token)
            if response.status < 400:
                return response
            error = read_error(response.status, response.json())
        # With a refresh token that works it is this request that is refused, not the person.
        if request.authenticated and error.token_refused and error.status == 401 and not self.refresh_token:
            self._on_refused(server_failure(error))
        raise RestError(error)

    async def _try_old_name(self, request: RestRequest, token: str, refused: HttpResponse) -> HttpResponse:
        """No service at all answers there: it may be a server from before the service was renamed."""
        if self._old_calld:
            return refused
        self._old_calld = True
        response = await self._send(request, token)
        if response.status == 404 and response.json() is None:
            self._old_calld = False
            return refused
        return response

    async def _send(self, request: RestRequest, token: str) -> HttpResponse:
        headers = {"Accept": "application/json", "Content-Type": request.content_type, **self._extra, **request.headers}
        if request.authenticated:
            headers["X-Auth-Token"] = token
        if request.long:
            headers["Accept"] = "*/*"
        started = time.monotonic()
        status = 0
        try:
            response = await self._http.request(
                request.method,
                self.url(request.target),
                json_body=request.body,
                data=request.data,
                headers=headers,
                timeout_s=LONG_TIMEOUT_S if request.long else REQUEST_TIMEOUT_S,
                max_bytes=MAX_FILE_BYTES,
            )
            status = response.status
            return response
        finally:
            self._on_request(request, status, (time.monotonic() - started) * 1000)

    # ------------------------------------------------------------------ tokens

    async def open_session(self, request: RestRequest) -> rest_auth.Session:
        """Get a token. Raises :class:`RestError`, :class:`NetworkFailure` (``bad_answer`` as ``http_200``)."""
        response = await self._send(request, "")
        if response.status >= 400:
            raise RestError(read_error(response.status, response.json()))
        session = rest_auth.parse_session(response.json())
        if session is None:
            raise NetworkFailure("http_404", "token answer without a token", status=404)
        stack = {name.lower(): value for name, value in response.headers.items()}.get("wazo-stack-host", "")
        if stack:
            self.host = stack
        self.adopt(session)
        return session

    def adopt(self, session: rest_auth.Session) -> None:
        """Use this session from now on; a refresh token stays until there is another."""
        if session.refresh_token:
            self.refresh_token = session.refresh_token
        self.session = replace(session, refresh_token=self.refresh_token)

    async def renew(self) -> rest_auth.Session:
        """Exchange the refresh token for a new token; everybody who asks meanwhile shares the one request.

        Raises :class:`RestError`, :class:`NetworkFailure`.
        """
        if self._renewing is None:
            self._renewing = asyncio.get_running_loop().create_task(self._renew(), name="wazo token")
            self._renewing.add_done_callback(self._renewed)
        # Shielded: who gives up waiting must not take the token away from the others.
        return await asyncio.shield(self._renewing)

    async def _renew(self) -> rest_auth.Session:
        if not self.refresh_token:
            raise RestError(ServerError(401, "no refresh token"))
        tokens = self._tokens
        try:
            session = await self.open_session(
                rest_auth.refresh(
                    self.refresh_token,
                    tokens.client_id,
                    expiration_s=tokens.expiration_s,
                    backend=tokens.backend,
                    domain=tokens.domain,
                    mobile=tokens.mobile,
                )
            )
        except RestError as error:
            if error.error.status in (400, 401):
                self.refresh_token = ""
                self._on_refused(failure("token_revoked", f"{error.error.status} {error.error.text}"))
            raise
        self._on_session(session)
        return session

    def _renewed(self, task: asyncio.Task[rest_auth.Session]) -> None:
        self._renewing = None
        if not task.cancelled() and task.exception() is not None:
            log.info("token renewal failed: %s", type(task.exception()).__name__)

    async def close(self) -> None:
        """Stop a renewal under way."""
        task = self._renewing
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
