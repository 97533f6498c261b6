"""The engine's thread with its own event loop, and the ways in and out of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from app.media.errors import InvalidState

logger = logging.getLogger(__name__)

T = TypeVar("T")

START_TIMEOUT_S = 10.0
"""A loop starts in milliseconds; a machine that swaps may take seconds."""
STOP_TIMEOUT_S = 5.0


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class MediaThread:
    """Runs one event loop in a daemon thread. :meth:`start` and :meth:`stop` may be called from any thread."""

    def __init__(self, name: str = "media") -> None:
        self._name = name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def running(self) -> bool:
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Raises :class:`InvalidState` before :meth:`start` and after :meth:`stop`."""
        if self._loop is None:
            raise InvalidState("the media engine is not running")
        return self._loop

    def start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            ready = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(ready,), name=self._name, daemon=True)
            self._thread.start()
            if not ready.wait(START_TIMEOUT_S):
                raise InvalidState("the media thread did not start")

    def _run(self, ready: threading.Event) -> None:
        loop = _new_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            self._loop = None
            with contextlib.suppress(RuntimeError):
                _cancel_all(loop)
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
            asyncio.set_event_loop(None)
            loop.close()

    def post(self, function: Callable[..., object], *args: object) -> None:
        """Call *function* on the loop soon; nothing happens when the loop is not running."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(function, *args)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* on the loop and wait for it on the caller's own loop; cancelling the caller cancels it."""
        loop = self._loop
        if loop is None:
            work.close()
            raise InvalidState("the media engine is not running")
        if asyncio.get_running_loop() is loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))

    def stop(self) -> None:
        """Stop the loop, cancelling what still runs, and wait for the thread. Idempotent."""
        with self._lock:
            thread, loop = self._thread, self._loop
            self._thread = None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)
        if thread is not None and thread is not threading.current_thread():
            thread.join(STOP_TIMEOUT_S)
            if thread.is_alive():
                logger.error("the media thread does not end")


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=STOP_TIMEOUT_S))


class Outbox:
    """Delivers events to a listener on the loop that was running when it was made, else on the calling thread."""

    def __init__(self, listener: Callable[[Any], None]) -> None:
        self._listener = listener
        self._closed = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def close(self) -> None:
        self._closed = True

    def send(self, event: object) -> None:
        """From any thread."""
        if self._closed:
            return
        if self._loop is None:
            self._deliver(event)
            return
        try:
            self._loop.call_soon_threadsafe(self._deliver, event)
        except RuntimeError:
            # The subscriber's loop is closed: nobody listens any more.
            self._closed = True

    def _deliver(self, event: object) -> None:
        if not self._closed:
            self._listener(event)
