"""A sandbox of any vendor in a thread with an event loop of its own, for tests whose loop belongs to a window."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Self, TypeVar

START_TIMEOUT_S = 20.0
"""Clips are encoded and certificates made at the start; a loaded machine takes a few seconds."""
CLOSE_TIMEOUT_S = 10.0
"""Closing ends every session and transport; longer means that something hangs."""

S = TypeVar("S")
T = TypeVar("T")


class Threaded(Generic[S]):
    """Runs what *make* returns until :meth:`close`; :meth:`call` and :meth:`wait` pass work over to its loop."""

    def __init__(self, name: str, make: Callable[[], AbstractAsyncContextManager[S]]) -> None:
        self._make = make
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._stop: asyncio.Event | None = None
        self.sandbox: S | None = None

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except (OSError, ValueError, TypeError) as error:
            self._error = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with self._make() as sandbox:
            self.sandbox = sandbox
            self._ready.set()
            await self._stop.wait()

    def start(self) -> None:
        """Return once the sandbox listens; raises ``RuntimeError`` when it does not start."""
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S) or self.sandbox is None:
            raise RuntimeError("the sandbox did not start") from self._error

    def close(self) -> None:
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(CLOSE_TIMEOUT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def call(self, action: Callable[[S], T], timeout_s: float = 10.0) -> T:
        """Run *action* on the sandbox's loop and return its result."""
        assert self._loop is not None and self.sandbox is not None
        sandbox = self.sandbox

        async def run() -> T:
            return action(sandbox)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout_s)

    def wait(self, action: Callable[[S], Any], timeout_s: float = 30.0) -> Any:
        """Run a coroutine function of the sandbox and wait for its result."""
        assert self._loop is not None and self.sandbox is not None
        return asyncio.run_coroutine_threadsafe(action(self.sandbox), self._loop).result(timeout_s)
