"""HTTP and TLS at the edge: bounded requests whose failures tell DNS, TCP, TLS and HTTP apart."""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 4.0
"""TCP and TLS to a reachable server take well under a second; a dead address must be known within ten."""
TOTAL_TIMEOUT_S = 8.0
MAX_RESPONSE_BYTES = 2_000_000
USER_AGENT = "Parley"


class NetworkFailure(Exception):
    """``code``: dns, tcp, timeout, tls, http_<status>, websocket_refused, too_large, bad_address or closed.

    ``details`` is for the log and the details fold: no query strings, no bodies. ``fingerprint`` is the SHA-256 of
    the certificate that was not trusted.
    """

    def __init__(self, code: str, details: str = "", *, status: int = 0, fingerprint: str = "") -> None:
        super().__init__(f"{code} {details}".strip())
        self.code = code
        self.details = details
        self.status = status
        self.fingerprint = fingerprint


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    text: str
    headers: Mapping[str, str]
    body: bytes = b""
    """The same as received, for what is no text."""

    def json(self) -> Any:
        """The body as JSON, ``None`` when it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


class HttpClient:
    """One client session: system trust, plus the certificate fingerprints that the person has accepted.

    Make it on the loop that uses it; :meth:`close` it.
    """

    def __init__(self, trusted_fingerprints: Iterable[str] = ()) -> None:
        self._trusted = frozenset(_normalise(f) for f in trusted_fingerprints)
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            timeout = aiohttp.ClientTimeout(total=TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
            self._session = aiohttp.ClientSession(
                timeout=timeout,
                headers={"User-Agent": USER_AGENT},
                trust_env=True,
            )
        return self._session

    @property
    def trust_choices(self) -> tuple[Any, ...]:
        """Values for aiohttp's ``ssl``, to be tried in order: the system's trust, then what the person accepted."""
        return (True, _trusting_context(self._trusted)) if self._trusted else (True,)

    async def request(
        self,
        method: str,
        url: str,
        *,
        json_body: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        max_bytes: int = MAX_RESPONSE_BYTES,
        follow_redirects: bool = True,
    ) -> HttpResponse:
        """Any status is a response. Raises :class:`NetworkFailure` when there is none."""
        failure = NetworkFailure("tls")
        for trust in self.trust_choices:
            try:
                return await self._request(
                    method, url, json_body, data, headers, timeout_s, trust, max_bytes, follow_redirects
                )
            except NetworkFailure as error:
                # Nothing was sent when TLS failed, so asking again with the next trust is safe.
                if error.code != "tls":
                    raise
                failure = error
        raise failure

    async def _request(
        self,
        method: str,
        url: str,
        json_body: Any,
        data: bytes | None,
        headers: Mapping[str, str] | None,
        timeout_s: float | None,
        trust: Any,
        max_bytes: int,
        follow_redirects: bool,
    ) -> HttpResponse:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=timeout_s or TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        try:
            async with self.session.request(
                method,
                url,
                json=json_body,
                data=data,
                headers=headers,
                timeout=timeout,
                ssl=trust,
                allow_redirects=follow_redirects,
            ) as response:
                body = await response.content.read(max_bytes + 1)
                while len(body) <= max_bytes:
                    more = await response.content.read(max_bytes + 1 - len(body))
                    if not more:
                        break
                    body += more
                if len(body) > max_bytes:
                    raise NetworkFailure("too_large", _where(url))
                return HttpResponse(response.status, body.decode("utf-8", "replace"), dict(response.headers), body)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise await explain(error, url) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def websocket_proxy(url: str) -> str | None:
    """The system's HTTPS (or HTTP) proxy for a WebSocket address: sockets take the way that requests take."""
    parts = urlsplit(url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get("https" if parts.scheme == "wss" else "http")


def _normalise(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _trusting_context(trusted: frozenset[str]) -> Any:
    import aiohttp

    class AnyOf(aiohttp.Fingerprint):
        """Accepts exactly the certificates that the person has accepted; asked only instead of system trust."""

        def check(self, transport: asyncio.Transport) -> None:
            ssl_object = transport.get_extra_info("ssl_object")
            certificate = ssl_object.getpeercert(binary_form=True) if ssl_object else b""
            digest = hashlib.sha256(certificate or b"")
            if ssl_object is not None and digest.hexdigest() not in trusted:
                raise aiohttp.ServerFingerprintMismatch(b"", digest.digest(), "", 0)

    return AnyOf(bytes(32))


def _where(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


async def explain(error: BaseException, url: str) -> NetworkFailure:
    """What a client library's exception means for the person."""
    import aiohttp

    where = _where(url)
    if isinstance(error, NetworkFailure):
        return error
    if isinstance(error, (aiohttp.ClientConnectorDNSError,)):
        return NetworkFailure("dns", where)
    if isinstance(error, (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError)):
        fingerprint = await certificate_fingerprint(url)
        return NetworkFailure("tls", f"{where} {type(error).__name__}", fingerprint=fingerprint)
    if isinstance(error, aiohttp.WSServerHandshakeError):
        code = "websocket_refused" if error.status < 400 else f"http_{error.status}"
        return NetworkFailure(code, where, status=error.status)
    if isinstance(error, (TimeoutError, aiohttp.ServerTimeoutError)):
        return NetworkFailure("timeout", where)
    if isinstance(error, (aiohttp.InvalidURL, ValueError)):
        return NetworkFailure("bad_address", where)
    if isinstance(error, (aiohttp.ClientConnectorError, OSError)):
        return NetworkFailure("tcp", f"{where} {getattr(error, 'errno', None) or ''}".strip())
    return NetworkFailure("tcp", f"{where} {type(error).__name__}")


async def certificate_fingerprint(url: str) -> str:
    """SHA-256 of the certificate that the server shows, for the person to compare; empty when it shows none."""
    parts = urlsplit(url)
    context = ssl.create_default_context()
    context.check_hostname = False
    # Nothing is sent over this connection: it only reads the certificate that verification has just refused.
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S / 2):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=context)
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
    except (OSError, TimeoutError, ValueError):
        return ""
    return hashlib.sha256(certificate).hexdigest() if certificate else ""
