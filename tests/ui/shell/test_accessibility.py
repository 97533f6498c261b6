"""Every control of every view has a name for screen readers, states have words, the focus goes in order."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QComboBox, QLineEdit, QListView, QWidget

from app.calls.events import PhaseChanged
from app.calls.model import CallPhase, Failure
from tests.ui.fakes import CALL, FakeController, meeting
from tests.ui.shell.helpers import address, controls, message, recent, settle
from ui.main_window import MainWindow
from ui.settings.window import SettingsWindow


def unnamed(root: QWidget) -> list[str]:
    found = []
    for widget in controls(root):
        name = widget.accessibleName()
        if not name and isinstance(widget, QAbstractButton):
            name = widget.text()
        if not name and type(widget) is QAbstractScrollArea:
            continue
        if not name:
            found.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    return found


@pytest.mark.parametrize("view", ["home", "prejoin", "failure", "left", "meeting", "chat", "participants"])
async def test_every_control_has_a_name(window: MainWindow, controller: FakeController, view: str) -> None:
    controller.recent_list = (recent("Alpha"),)
    controller.states[CALL] = meeting(8, messages=(message(1),), moderator=False)
    if view == "prejoin":
        window.open_address(address())
    elif view == "failure":
        failure = Failure("tls", "The certificate is not trusted.", "x")
        controller.update(PhaseChanged(CallPhase.FAILED), phase=CallPhase.FAILED, failure=failure)
        window._failed(CALL)
        window.failure.toggle_details()
    elif view == "left":
        window._ended(controller.states[CALL])
    elif view in ("meeting", "chat", "participants"):
        window._joined(CALL)
        await settle()
        if view != "meeting":
            window.meeting.panels.open(view)
    window.home.refresh()
    await settle()
    assert sum(1 for _ in controls(window)) > 4
    assert unnamed(window) == []


async def test_settings_have_names(english: object, qtbot: object, controller: FakeController) -> None:
    settings = SettingsWindow(controller)
    settings.show()
    for page in settings.pages:
        settings.show_section(page.section.value)
        if page.advanced.isHidden():
            page.toggle_advanced()
        await settle(2)
        assert unnamed(settings) == [], page.section
    settings.close()
    settings.release()
    settings.deleteLater()


async def test_toggles_tell_their_state(window: MainWindow) -> None:
    window.open_address(address())
    await settle()
    view = window.prejoin.self_view
    assert view.microphone.accessibleName() == "Mute microphone"
    assert view.microphone.accessibleDescription() == "Microphone is on"
    view.microphone.click()
    assert view.microphone.accessibleName() == "Unmute microphone"
    assert view.microphone.accessibleDescription() == "Microphone is off"


async def test_lists_speak_their_rows(window: MainWindow, controller: FakeController) -> None:
    controller.states[CALL] = meeting(3, messages=(message(1, "hello there"),), hands=(1,))
    window._joined(CALL)
    window.meeting.panels.open("chat")
    window.meeting.panels.open("participants")
    await settle()
    for name, words in (("chat", "hello there"), ("participants", "hand raised")):
        view = window.meeting.panels.panel(name).findChild(QListView)
        assert words in view.model().index(0, 0).data(11)  # Qt.AccessibleTextRole


async def test_tab_goes_through_prejoin_in_reading_order(window: MainWindow) -> None:
    window.open_address(address())
    await settle()
    wanted = (QLineEdit, QComboBox, QAbstractButton)
    order = []
    widget: QWidget | None = window.prejoin.name
    for _ in range(60):
        assert widget is not None
        if isinstance(widget, wanted) and widget.isVisible() and window.prejoin.isAncestorOf(widget):
            order.append(widget)
        widget = widget.nextInFocusChain()
    view = window.prejoin
    wanted_order = [
        view.name, view.microphone.box, view.speaker.box, view.test_sound, view.camera.box,
        view.area.join, view.area.more,
    ]  # fmt: skip
    assert order[: len(wanted_order)] == wanted_order
