"""A person in a meeting, without a window: a session on the real engine, its events and the state they lead to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
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

    def _on_event(self, event: CallEvent) -> None:
        self.events.append(event)
        self.state = reduce(self.state, event)
        self._changed.set()

    async def __aenter__(self) -> Person:
        if self._start:
            await self.session.join()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await with_qt_alive(self.engine.close())

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


async def with_qt_alive(work: Coroutine[Any, Any, None]) -> None:
    """An engine in a process with a Qt application asks Qt's thread for devices; closing waits for the answer."""
    task = asyncio.ensure_future(work)
    application = sys.modules["PySide6.QtCore"].QCoreApplication.instance() if "PySide6.QtCore" in sys.modules else None
    while application is not None and not task.done():
        application.processEvents()
        await asyncio.wait({task}, timeout=0.01)
    await task


async def eventually(met: Callable[[], Any]) -> Any:
    """For what only the sandbox's truth knows, which announces nothing."""
    async with asyncio.timeout(PATIENCE_S):
        while not (value := met()):  # noqa: ASYNC110 - the sandbox's truth has no events
            await asyncio.sleep(0.02)
        return value
