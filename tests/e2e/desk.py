"""A person at the program: the real controller with the real engine and its settings, and the window where wanted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState
from app.controller.api import JoinOptions
from app.controller.controller import Controller
from app.controller.devices import Inputs
from app.media.api import AudioInput, AudioOutput, TransportConfig, VideoInput
from app.media.engine import Engine
from app.storage.history import History
from app.storage.settings_file import SettingsStore
from tests.e2e.jitsi_call import PATIENCE_S, qt_running

TEST_INPUTS = Inputs(AudioInput("test"), VideoInput("test", width=320, height=180, fps=10), AudioOutput("null"))


class WatchedEngine(Engine):
    """Remembers the transports it opened."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.opened: list[Any] = []

    async def open_transport(self, config: TransportConfig, on_event: Any) -> Any:
        transport = await super().open_transport(config, on_event)
        self.opened.append((config, transport))
        return transport


class Desk:
    """An async context manager; *file* and *history* keep what belongs there, *settings* are set at the start."""

    def __init__(
        self, file: Path | None = None, *, history: Path | None = None, inputs: Inputs = TEST_INPUTS, **settings: Any
    ) -> None:
        self.store = SettingsStore(file)
        for key, value in settings.items():
            self.store.set(key.replace("__", "."), value)
        self.engine = WatchedEngine()
        self.controller = Controller(self.store, History(history), engine_factory=lambda: self.engine, inputs=inputs)
        self.call_id = ""
        self.events: list[CallEvent] = []
        self._changed = asyncio.Event()
        self.controller.subscribe(self._on_event)
        self.window: Any = None
        self._stack = contextlib.AsyncExitStack()

    def _on_event(self, _state: CallState, event: CallEvent) -> None:
        self.events.append(event)
        self._changed.set()

    async def __aenter__(self) -> Desk:
        await self._stack.enter_async_context(qt_running())
        return self

    async def __aexit__(self, *_: object) -> None:
        # Nobody needs Qt's thread to close, so it does nothing from here on.
        await self._stack.aclose()
        if self.window is not None:
            self.window.hide()
            await self.window.shutdown()
        await self.controller.close()
        if self.window is not None:
            from PySide6.QtCore import QCoreApplication, QEvent

            self.window.deleteLater()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    @property
    def state(self) -> CallState:
        return self.controller.state(self.call_id)

    @property
    def id(self) -> str:
        return self.state.local_id

    async def start(self, link: str, **options: Any) -> None:
        """Starts joining; does not wait."""
        options = {"display_name": "Dora", "microphone_muted": True, "camera_muted": True, **options}
        address = self.controller.recognise(link).address
        assert address is not None
        self.call_id = await self.controller.join(address, JoinOptions(**options))

    async def join(self, link: str, **options: Any) -> CallState:
        await self.start(link, **options)
        return await self.until(lambda s: s.phase is CallPhase.JOINED)

    async def until(self, met: Callable[[CallState], Any]) -> CallState:
        async with asyncio.timeout(PATIENCE_S):
            while not met(self.state):
                self._changed.clear()
                await self._changed.wait()
        return self.state

    async def leave(self) -> None:
        from app.calls.actions import Leave

        await self.controller.perform(self.call_id, Leave())

    # ------------------------------------------------------------ the window

    def open_window(self) -> Any:
        """The real window with this controller, in English."""
        from ui.main_window import MainWindow

        self.store.set("appearance.language", "en")
        self.window = MainWindow()
        self.window.resize(1100, 760)
        self.window.show()
        self.window.attach(self.controller)
        return self.window

    async def seen(self, met: Callable[[], Any]) -> Any:
        """Lets the window live until *met*; what it gave."""
        from PySide6.QtWidgets import QApplication

        async with asyncio.timeout(PATIENCE_S):
            while True:
                QApplication.processEvents()
                if found := met():
                    return found
                await asyncio.sleep(0.01)

    async def join_by_window(self, link: str) -> None:
        """Types the link and presses Join; does not wait."""
        window = self.window
        window.open_text(link)
        view = await self.seen(lambda: window.prejoin if window.stack.currentWidget() is window.prejoin else None)
        view.name.setText("Dora")
        view.set_microphone(True)
        view.set_camera(True)
        view.join()

    def toasts(self) -> str:
        """All toasts on screen, as one text."""
        from ui.widgets.toast import Toast

        return "\n".join(toast.message.text for toast in self.window.findChildren(Toast) if toast.isVisible())
