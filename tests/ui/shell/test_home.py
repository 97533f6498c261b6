"""Home: recognition while typing, bad input, recent meetings, drops."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QGuiApplication

from app.controller.api import Recognition
from tests.ui.fakes import FakeController
from tests.ui.shell.helpers import address, click, press, recent, settle, type_text
from ui.home.field import dropped_text
from ui.home.recent import when_text
from ui.main_window import MainWindow


async def test_field_has_the_focus_and_recognises_while_typing(window: MainWindow) -> None:
    await settle()
    field = window.home.field
    assert window.focusWidget() is field.edit
    type_text(field.edit, "TeamMeeting")
    field.recognise()
    assert field.hint.text() == "Jitsi meeting TeamMeeting on meet.example.org"
    assert field.edit.accessibleDescription() == field.hint.text()


async def test_enter_opens_the_prejoin_view(window: MainWindow) -> None:
    type_text(window.home.field.edit, "TeamMeeting")
    press(window.home.field.edit, Qt.Key.Key_Return)
    await settle()
    assert window.stack.currentWidget() is window.prejoin
    assert window.prejoin.title.text() == "TeamMeeting"


async def test_bad_input_says_why_and_keeps_the_text(window: MainWindow) -> None:
    field = window.home.field
    type_text(field.edit, "two words")
    press(field.edit, Qt.Key.Key_Return)
    await settle()
    assert window.stack.currentWidget() is window.home
    assert field.text() == "two words"
    assert field.hint.text() == "This is not a meeting link"
    assert field.hint.property("look") == "bad"
    assert field.edit.property("invalid") == "true"


async def test_empty_field_says_what_to_do(window: MainWindow) -> None:
    window.home.field.open()
    assert "Type or paste" in window.home.field.hint.text()


async def test_text_confirmed_before_the_controller_is_there_opens_afterwards(english: object, qtbot: object) -> None:
    window = MainWindow()
    window.show()
    type_text(window.home.field.edit, "TeamMeeting")
    press(window.home.field.edit, Qt.Key.Key_Return)
    window.attach(FakeController())
    await settle()
    assert window.stack.currentWidget() is window.prejoin
    await window.shutdown()
    window.deleteLater()


async def test_recent_meetings_join_copy_remove(window: MainWindow, controller: FakeController) -> None:
    assert window.home.empty.isVisibleTo(window) and not window.home.recent.isVisibleTo(window)
    controller.recent_list = (recent("Alpha"), recent("Beta"))
    window.home.refresh()
    await settle()
    rows = window.home.recent.rows
    assert [row.meeting.title for row in rows] == ["Alpha", "Beta"]
    assert not window.home.empty.isVisibleTo(window)
    click(rows[0].copy_button)
    assert QGuiApplication.clipboard().text() == "https://meet.example.org/Alpha"
    click(rows[0].remove_button)
    await settle()
    assert [row.meeting.title for row in window.home.recent.rows] == ["Beta"]
    click(window.home.recent.rows[0].join_button)
    await settle()
    assert window.prejoin.title.text() == "Beta"


async def test_demo_button_starts_the_demo(english: object, qtbot: object, controller: FakeController) -> None:
    async def demo() -> str:
        return "https://meet.example.org/Demo"

    window = MainWindow(demo=demo)
    window.show()
    window.attach(controller)
    await settle()
    click(window.home.demo_button)
    await settle()
    assert window.stack.currentWidget() is window.prejoin
    assert window.prejoin.title.text() == "Demo"
    await window.shutdown()
    window.deleteLater()


def test_dropped_links_and_text() -> None:
    data = QMimeData()
    data.setUrls([QUrl("https://meet.example.org/Room")])
    assert dropped_text(data) == "https://meet.example.org/Room"
    data = QMimeData()
    data.setText("\n  https://meet.example.org/Two \nmore")
    assert dropped_text(data) == "https://meet.example.org/Two"
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/etc/passwd")])
    data.setText("")
    assert "meet" not in dropped_text(data)


def test_when_text_names_near_days(english: object) -> None:
    from PySide6.QtCore import QDate, QDateTime, QTime

    now = QDateTime(QDate(2026, 3, 18), QTime(12, 0))
    assert when_text(now.toMSecsSinceEpoch(), now).startswith("Today, ")
    assert when_text(now.addDays(-1).toMSecsSinceEpoch(), now).startswith("Yesterday, ")
    assert when_text(now.addDays(-3).toMSecsSinceEpoch(), now).startswith("Sunday, ")


async def test_a_hint_from_below_is_plain_text(window: MainWindow, controller: FakeController) -> None:
    controller.recognition = lambda text: Recognition(address(), "<b>bold</b>")
    window.home.field.set_text("x")
    assert window.home.field.hint.text() == "<b>bold</b>"
    assert window.home.field.hint.textFormat() is Qt.TextFormat.PlainText
