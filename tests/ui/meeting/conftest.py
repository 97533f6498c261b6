"""A meeting view on a fake controller, shown in a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from app.calls.model import CallState
from tests.ui.fakes import CALL, FakeController, SyncTasks, meeting
from ui.meeting.view import MeetingView
from ui.theme import theme
from ui.widgets import FocusRing, SidePanel, TextField


class PlainPanel(SidePanel):
    """Stands in for the chat and the participants."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.field = TextField(title)
        self.body.addWidget(self.field)
        self.written_to: list[str] = []

    def write_to(self, participant_id: str) -> None:
        self.written_to.append(participant_id)


class Shown:
    """The view, its controller and its window."""

    def __init__(self, state: CallState, size: tuple[int, int]) -> None:
        self.controller = FakeController(state)
        self.window = QMainWindow()
        self.window.resize(*size)
        panels: dict[str, Callable[[], QWidget]] = {
            "chat": lambda: PlainPanel("Chat"),
            "participants": lambda: PlainPanel("Participants"),
        }
        self.view = MeetingView(self.controller, CALL, tasks=SyncTasks(), panels=panels)
        # Tests look right after each event.
        self.view.show_interval_ms = 0
        self.window.setCentralWidget(self.view)
        self.ring = FocusRing(self.window)
        self.window.show()
        self.window.activateWindow()
        self.view.setFocus()
        QTest.qWaitForWindowExposed(self.window)
        # What the window does in reaction to being exposed is posted, so one more round.
        for _ in range(3):
            QApplication.processEvents()


ShowMeeting = Callable[..., Shown]


@pytest.fixture
def show(qapp: QApplication) -> Iterator[ShowMeeting]:
    theme().install(qapp)
    theme().set_reduced_motion(True)
    made: list[Shown] = []

    def make(state: CallState | None = None, size: tuple[int, int] = (1280, 800), **settings: object) -> Shown:
        shown = Shown(state or meeting(4), size)
        for key, value in settings.items():
            shown.controller.set_setting(key.replace("__", "."), value)
        made.append(shown)
        return shown

    yield make
    for shown in made:
        shown.view.release()
        shown.window.close()
        shown.window.deleteLater()
    theme().set_mode("system")
    qapp.processEvents()
