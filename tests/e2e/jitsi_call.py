"""A person in a meeting, without a window: a session on the real engine, its events and the state they lead to."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from app.calls.events import CallEvent
from app.calls.model import CallState
from app.calls.reducer import reduce
from app.media.engine import Engine
from app.vendors.base import JoinRequest
from app.vendors.jitsi.address import recognise
from app.vendors.jitsi.client import JitsiSession

E = TypeVar("E")
PATIENCE_S = 20.0
"""For a loaded machine; all of this takes milliseconds on an idle one."""


QT_TURN_S = 0.02
"""Between two turns of Qt's loop; devices are listed no faster than that."""


class Person:
    """Use as an async context manager; leaves and closes the engine."""

    def __init__(
        self, url: str, name: str = "Ada", *, start: bool = True, options: dict[str, Any] | None = None, **request: Any
    ):
        self.engine = Engine()
        self.engine.start()
        address = recognise(url)
        assert address is not None
        made = {"video": "test", "audio": "test", "resolution": 180, "fps": 10, "resume_delays_s": ((0.01, 0.02),) * 3}
        request.setdefault("microphone_muted", True)
        request.setdefault("camera_muted", True)
        self.request = replace(
            JoinRequest(f"call-{name}", address, name), options={**made, **(options or {})}, **request
        )
        self.events: list[CallEvent] = []
        self.state = CallState(f"call-{name}")
        self._changed = asyncio.Event()
        self.session = JitsiSession(self.request, self.engine, self._on_event)
        self._start = start
        self._stack = contextlib.AsyncExitStack()

    def _on_event(self, event: CallEvent) -> None:
        self.events.append(event)
        self.state = reduce(self.state, event)
        self._changed.set()

    async def __aenter__(self) -> Person:
        await self._stack.enter_async_context(qt_running())
        if self._start:
            await self.session.join()
        return self

    async def __aexit__(self, *_: object) -> None:
        # Nobody needs Qt's thread to close, so it does nothing from here on.
        await self._stack.aclose()
        await self.session.close()
        await self.engine.close()

    @property
    def id(self) -> str:
        return self.state.local_id

    async def do(self, action: Any) -> None:
        await self.session.perform(action)

    async def until(self, met: Callable[[CallState], Any]) -> CallState:
        """Waits until the state is as asked."""
        async with asyncio.timeout(PATIENCE_S):
            while not met(self.state):
                self._changed.clear()
                await self._changed.wait()
        return self.state

    async def event(self, kind: type[E], met: Callable[[E], bool] = lambda _e: True) -> E:
        """The first such event, now or later."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.events:
                    if isinstance(event, kind) and met(event):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def forget(self) -> None:
        self.events.clear()


async def run_qt() -> None:
    """What Qt's loop does in the program: it answers an engine that asks Qt's thread for devices. Runs for ever."""
    while True:
        if "PySide6.QtCore" in sys.modules:
            application = sys.modules["PySide6.QtCore"].QCoreApplication.instance()
            if application is not None:
                application.processEvents()
        await asyncio.sleep(QT_TURN_S)


@contextlib.asynccontextmanager
async def qt_running() -> AsyncIterator[None]:
    task = asyncio.ensure_future(run_qt())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def with_qt_alive(work: Awaitable[None]) -> None:
    async with qt_running():
        await work


async def eventually(met: Callable[[], Any]) -> Any:
    """For what only the sandbox's truth knows, which announces nothing."""
    async with asyncio.timeout(PATIENCE_S):
        while not (value := met()):  # noqa: ASYNC110 - the sandbox's truth has no events
            await asyncio.sleep(0.02)
        return value
