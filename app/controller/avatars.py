"""Pictures of people: fetched from where the meeting says, if the person's privacy settings allow that place."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from app.protocols.http import HttpClient, NetworkFailure

log = logging.getLogger(__name__)

MAX_BYTES = 512_000
"""A portrait has a few dozen kilobytes."""
MAX_KEPT = 100
"""Pictures kept; the one not asked for longest goes first. Refusals count, so that nobody is asked twice."""
MAX_AT_ONCE = 4
TIMEOUT_S = 8.0
MAX_URL = 2_048

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


def allowed(url: str, server: str, own_server_only: bool) -> bool:
    """Whether a picture may be fetched from *url* in a meeting on host *server*.

    HTTPS with a host name only, without credentials in it; an address in the local network would let a stranger make
    us ask our own router. The meeting's own server is trusted with that.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        ok = parts.scheme == "https" and bool(host) and parts.username is None and 0 < (parts.port or 443) < 65_536
    except ValueError:
        return False
    if not ok or len(url) > MAX_URL:
        return False
    server = server.rstrip(".").lower()
    if server and (host == server or host.endswith(f".{server}")):
        return True
    return not own_server_only and _is_public(host)


def _is_public(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal", ".lan", ".home.arpa"))


def is_picture(body: bytes) -> bool:
    """PNG, JPEG, GIF or WebP, by its first bytes whatever the server calls it."""
    return body.startswith(_SIGNATURES) or (body[:4] == b"RIFF" and body[8:12] == b"WEBP")


class Avatars:
    """Lives on the signalling loop. Refuses quietly: a face is nice to have."""

    def __init__(self, make_http: Callable[[Iterable[str]], Any] = HttpClient) -> None:
        self._make_http = make_http
        self._kept: OrderedDict[tuple[str, frozenset[str]], asyncio.Future[bytes | None]] = OrderedDict()
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._tasks: set[asyncio.Task[bytes | None]] = set()

    async def fetch(self, url: str, trusted: tuple[str, ...] = ()) -> bytes | None:
        """The picture as it came (decode it with bounds), ``None`` when there is none. *trusted*: accepted
        certificates of the meeting's server."""
        key = (url, frozenset(trusted))
        if key not in self._kept:
            task = asyncio.get_running_loop().create_task(self._fetch(url, trusted), name="avatar")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._kept[key] = task
        self._kept.move_to_end(key)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        # One who does not want it any more must not take it from the others.
        return await asyncio.shield(self._kept[key])

    async def _fetch(self, url: str, trusted: tuple[str, ...]) -> bytes | None:
        async with self._slots:
            http = self._make_http(trusted)
            try:
                response = await http.request(
                    "GET", url, timeout_s=TIMEOUT_S, max_bytes=MAX_BYTES, follow_redirects=False
                )
            except NetworkFailure as error:
                log.info("no picture of somebody: %s", error.code)
                return None
            finally:
                await http.close()
        body: bytes = response.body
        return body if response.status == 200 and is_picture(body) else None

    async def close(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()
