"""Optional sending of the program's log to a fluentd HTTP endpoint: buffered, redacted, retried (wazo.md 7.11)."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.protocols.http import HttpClient, NetworkFailure

LEVELS = ("trace", "debug", "info", "log", "warn", "error")
BUFFER_SIZE = 100
BUFFER_TIMEOUT_S = 5.0
"""Entries wait this long for company."""
MAX_WAITING = 1_000
"""Entries kept while the server is away; the oldest go first."""
MAX_MESSAGE = 2_000
MAX_TRIES = 10
MIN_DELAY_S, MAX_DELAY_S, GROWTH = 1.0, 50.0, 1.5
CLOSE_TIMEOUT_S = 1.0

_TOKEN = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_SECRET = re.compile(r"(?i)(password|secret|token|authorization|credential|pwd)([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+")


def redact(text: str) -> str:
    """Tokens keep their first group, secrets nothing."""
    text = _SECRET.sub(r"\1\2xxxxxx", text[: MAX_MESSAGE * 2])
    return _TOKEN.sub(r"\1-xxxxxx", text)[:MAX_MESSAGE]


class LogShipper(logging.Handler):
    """Takes log records of the program and entries of :meth:`log`; sends in a task of its own while there are any."""

    def __init__(self, http: HttpClient, url: str, level: str, extra: Mapping[str, Any]) -> None:
        super().__init__(logging.DEBUG)
        self._http = http
        self._url = url
        self._least = LEVELS.index(level)
        self.extra = dict(extra)
        """Sent with every entry."""
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        logging.getLogger("app").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("app.vendors.wazo.log_shipping"):
            return
        level = (
            "error"
            if record.levelno >= 40
            else "warn"
            if record.levelno >= 30
            else "info"
            if record.levelno >= 20
            else "debug"
        )
        category, message = record.name.removeprefix("app."), record.getMessage()
        try:
            self._loop.call_soon_threadsafe(self.log, level, category, message)
        except RuntimeError:
            # The loop is closed: nobody sends any more.
            return

    def log(self, level: str, category: str, message: str, extra: Mapping[str, Any] | None = None) -> None:
        """Queue one entry; below the set level it is dropped."""
        if LEVELS.index(level) < self._least:
            return
        date = datetime.now().isoformat(" ", "milliseconds")
        entry = {"level": level, "date": date, "message": redact(message), "category": category}
        self._waiting.append({**entry, **(extra or {}), **self.extra})
        if len(self._waiting) >= BUFFER_SIZE:
            self._wake.set()
        if self._sending is None or self._sending.done():
            self._sending = self._loop.create_task(self._run(), name="wazo log shipping")

    async def _run(self) -> None:
        while self._waiting:
            self._wake.clear()
            try:
                async with asyncio.timeout(BUFFER_TIMEOUT_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BUFFER_SIZE))]
            await self._deliver(batch)

    async def _deliver(self, batch: list[dict[str, Any]]) -> None:
        for attempt in range(MAX_TRIES):
            body = [{**entry, "_retry": attempt} for entry in batch] if attempt else batch
            try:
                response = await self._http.request("POST", self._url, json_body=body if len(body) > 1 else body[0])
                if response.status < 500:
                    return
            except NetworkFailure:
                pass
            ceiling = min(MIN_DELAY_S * GROWTH**attempt, MAX_DELAY_S)
            await asyncio.sleep(max(MIN_DELAY_S, random.random() * ceiling))

    async def stop(self) -> None:
        """Send what waits, bounded in time."""
        logging.getLogger("app").removeHandler(self)
        if self._sending is None or self._sending.done():
            return
        self._wake.set()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.shield(self._sending)
        except TimeoutError:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)


def shipper_of(options: Mapping[str, Any], http: HttpClient) -> LogShipper | None:
    """From ``logs.host``, ``logs.port``, ``logs.tag``, ``logs.level`` and ``logs.extra``; ``None`` when it is off."""
    host, level = options.get("logs.host"), options.get("logs.level")
    if not isinstance(host, str) or not host or level not in LEVELS:
        return None
    port = int(options.get("logs.port") or 443)
    tag = str(options.get("logs.tag") or "parley")
    url = f"https://{host}/{tag}" if port == 443 else f"http://{host}:{port}/{tag}"
    extra = options.get("logs.extra")
    return LogShipper(http, url, str(level), extra if isinstance(extra, Mapping) else {})
