"""The process with a window: Qt and asyncio on one loop, one instance per person, links from outside.

Entry point::

    run(controller_factory, *, open_text=None, demo=None, start_demo=False,
        language="", theme_mode="", profile="") -> int

``controller_factory``
    Makes the :class:`app.controller.api.ControllerApi`; called with the loop running, after the first paint of the
    window, so heavy imports belong into it. May be a coroutine function.
``open_text``
    A link, room or name to open at once: the pre-join view comes up. When a window of this person already runs,
    it gets the text and this process ends with 0.
``demo``
    Coroutine function that starts a local meeting with synthetic participants and returns its link; called when the
    person asks for it ("Try a demo meeting") or, with ``start_demo``, at once. Whoever made it stops it after
    :func:`run` has returned. Without it the demo button is absent.
``language``, ``theme_mode``
    What to start with (settings ``appearance.language`` and ``appearance.theme``), so that the first paint is right;
    empty follows the system. The controller's settings hold as soon as it is there.
``profile``
    Names another settings folder: its windows are an instance of their own.

Returns the exit code: 0 after the window was closed and all calls were left.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFileOpenEvent, QGuiApplication
from PySide6.QtWidgets import QApplication

from app.controller.api import ControllerApi
from ui import i18n
from ui.single_instance import SingleInstance, hand_over, server_name
from ui.tasks import Tasks
from ui.theme import theme

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 6.0
"""Leaving calls takes a round trip to the server; a dead network must not keep a windowless process alive."""
MAX_OPEN_TEXT = 4096
"""Longer texts from outside are no link."""

ControllerFactory = Callable[[], ControllerApi | Awaitable[ControllerApi]]
DemoStarter = Callable[[], Coroutine[Any, Any, str]]


def run(
    controller_factory: ControllerFactory,
    *,
    open_text: str | None = None,
    demo: DemoStarter | None = None,
    start_demo: bool = False,
    language: str = "",
    theme_mode: str = "",
    profile: str = "",
) -> int:
    """Run the window until it is closed; see the module's description."""
    app = make_application(language, theme_mode)
    name = server_name(profile)
    if hand_over((open_text or "")[:MAX_OPEN_TEXT], name):
        return 0
    os.environ.setdefault("QT_API", "pyside6")
    import qasync  # type: ignore[import-untyped]

    loop = qasync.QEventLoop(app)
    with loop:
        return int(
            loop.run_until_complete(
                Program(app, controller_factory, demo=demo, instance_name=name).main(open_text, start_demo)
            )
        )


def make_application(language: str = "", theme_mode: str = "") -> QApplication:
    """The application object with its name, look and language; the running one when there is one."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Parley")
    app.setApplicationDisplayName("Parley")
    app.setOrganizationName("Parley")
    QGuiApplication.setDesktopFileName("parley")
    app.setQuitOnLastWindowClosed(False)
    i18n.install(app, "" if language == "system" else language)
    theme().install(app)
    if theme_mode:
        theme().set_mode(theme_mode)
    return app


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Program(QObject):
    """Owns the window and the controller for the life of the process."""

    def __init__(
        self,
        app: QApplication,
        controller_factory: ControllerFactory,
        *,
        demo: DemoStarter | None = None,
        instance_name: str = "",
    ) -> None:
        super().__init__()
        self._app = app
        self._factory = controller_factory
        self._demo = demo
        self._instance_name = instance_name
        self.controller: ControllerApi | None = None
        self._tasks = Tasks()

    async def main(self, open_text: str | None, start_demo: bool) -> int:
        from ui.main_window import MainWindow

        loop = asyncio.get_running_loop()
        closed: asyncio.Future[None] = loop.create_future()
        window = MainWindow(demo=self._demo)
        window.closed.connect(partial(_finish, closed))
        instance = SingleInstance(self._instance_name, self)
        instance.listen()
        instance.opened.connect(window.open_from_outside)
        if sys.platform == "darwin":
            self._app.installEventFilter(self)
        self._window = window
        self._stop_on_signals(loop, window.close)
        window.show()
        await self._painted(window)
        try:
            made = self._factory()
            self.controller = await made if inspect.isawaitable(made) else made
            window.attach(self.controller)
            warm_up = getattr(self.controller, "warm_up", None)
            if warm_up is not None:
                self._tasks.spawn(warm_up())
            if open_text:
                window.open_text(open_text[:MAX_OPEN_TEXT])
            elif start_demo:
                window.start_demo()
            await closed
        finally:
            self._app.removeEventFilter(self)
            instance.close()
            await self._close(window)
        return 0

    async def _painted(self, window: QObject) -> None:
        """Wait for the first paint, so that the person sees the window before anything heavy is imported."""
        painted = getattr(window, "painted", None)
        if painted is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(painted.wait(), timeout=FIRST_PAINT_TIMEOUT_S)

    async def _close(self, window: Any) -> None:
        window.hide()
        await window.shutdown()
        await self._tasks.close()
        if self.controller is not None:
            try:
                await asyncio.wait_for(self.controller.close(), timeout=CLOSE_TIMEOUT_S)
            except TimeoutError:
                log.warning("closing took longer than %.0f s; ending anyway", CLOSE_TIMEOUT_S)
        window.deleteLater()

    @staticmethod
    def _stop_on_signals(loop: asyncio.AbstractEventLoop, close: Callable[[], object]) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, close)
            except (NotImplementedError, RuntimeError, ValueError):
                # Not on Windows, not outside the main thread: there the system's own handling stays.
                continue

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # macOS hands links over as events instead of arguments.
        if event.type() == QEvent.Type.FileOpen and isinstance(event, QFileOpenEvent):
            text = event.url().toString() or event.file()
            self._window.open_from_outside(text[:MAX_OPEN_TEXT])
            return True
        return super().eventFilter(watched, event)


FIRST_PAINT_TIMEOUT_S = 1.0
"""A window that starts minimised or on another desktop is never painted; the program goes on without."""
