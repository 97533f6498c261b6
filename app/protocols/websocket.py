"""Opening of client WebSockets (RFC 6455) with bounded waits and failures that name their cause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.protocols.http import CONNECT_TIMEOUT_S, HttpClient, NetworkFailure, explain, websocket_proxy

if TYPE_CHECKING:
    import aiohttp

MAX_MESSAGE_BYTES = 4_000_000
CLOSE_TIMEOUT_S = 1.0
"""A peer that does not answer our close frame within a second is not worth waiting for."""


async def open_websocket(
    http: HttpClient,
    url: str,
    *,
    protocols: Sequence[str] = (),
    origin: str | None = None,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> aiohttp.ClientWebSocketResponse:
    """An open socket that answers pings by itself. Raises :class:`app.protocols.http.NetworkFailure`."""
    failure = NetworkFailure("tls")
    for trust in http.trust_choices:
        try:
            return await _open(http, url, protocols, origin, timeout_s, trust)
        except NetworkFailure as error:
            if error.code != "tls":
                raise
            failure = error
    raise failure


async def _open(
    http: HttpClient, url: str, protocols: Sequence[str], origin: str | None, timeout_s: float, trust: Any
) -> aiohttp.ClientWebSocketResponse:
    import aiohttp

    try:
        async with asyncio.timeout(timeout_s):
            socket = await http.session.ws_connect(
                url,
                protocols=tuple(protocols),
                origin=origin,
                ssl=trust,
                proxy=websocket_proxy(url),
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
            )
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise await explain(error, url) from error
    if protocols and socket.protocol not in protocols:
        await socket.close()
        raise NetworkFailure("websocket_refused", f"sub-protocol {socket.protocol}")
    return socket
