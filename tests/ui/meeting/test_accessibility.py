"""What keyboard and screen reader get: names, states, reach, plain text; and sound reference counts."""

from __future__ import annotations

import gc
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QSlider,
    QWidget,
)

from app.calls.model import CallState
from tests.ui.fakes import meeting
from tests.ui.meeting.conftest import ShowMeeting
from ui.meeting.arrange import TileKey
from ui.meeting.shortcuts import SHORTCUTS
from ui.meeting.tile import Tile
from ui.widgets import IconButton, PushButton

INTERACTIVE = (QAbstractButton, QLineEdit, QComboBox, QSlider, QAbstractItemView, Tile)
STATES = [
    pytest.param(meeting(1), id="alone"),
    pytest.param(meeting(9, share=1, hands=[2], muted=[3], unread=2), id="share"),
    pytest.param(meeting(60), id="many"),
]


def interactive(root: QWidget) -> list[QWidget]:
    found = [one for one in root.findChildren(QWidget) if isinstance(one, INTERACTIVE) and one.isVisible()]
    # Parts of Qt's own controls (the clear button of a field) are not ours to name.
    return [one for one in found if not isinstance(one.parentWidget(), QLineEdit)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("panel", ["", "chat", "keypad", "statistics"])
def test_every_control_has_a_name_and_can_be_reached(show: ShowMeeting, state: CallState, panel: str) -> None:
    shown = show(state)
    if panel:
        shown.view.toggle_panel(panel)
    controls = interactive(shown.view)
    assert len(controls) > 12
    nameless = [one for one in controls if not one.accessibleName().strip()]
    assert nameless == []
    unreachable = [
        one.accessibleName()
        for one in controls
        if not one.focusPolicy() & Qt.FocusPolicy.TabFocus
        # A tile's menu opens with the menu key on the tile.
        and not (isinstance(one, IconButton) and isinstance(one.parentWidget(), Tile))
    ]
    assert unreachable == []


def test_tab_reaches_every_enabled_control(show: ShowMeeting) -> None:
    shown = show(meeting(5, share=1))
    wanted = {
        id(one)
        for one in interactive(shown.view)
        if one.isEnabled() and not (isinstance(one, IconButton) and isinstance(one.parentWidget(), Tile))
    }
    seen: set[int] = set()
    for _ in range(len(wanted) * 2 + 10):
        QTest.keyClick(QApplication.focusWidget() or shown.view, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        seen.add(id(focused))
    missing = [one.accessibleName() for one in interactive(shown.view) if id(one) in wanted - seen]
    assert missing == []


def test_focus_has_a_ring_two_pixels_away(show: ShowMeeting) -> None:
    shown = show()
    button = shown.view.toolbar.buttons["hand"]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert shown.ring.target is button
    corner = button.mapTo(shown.window, button.rect().topLeft())
    assert shown.ring.geometry().topLeft() == corner - shown.ring.rect().topLeft() - type(corner)(4, 4)
    assert shown.ring.width() == button.width() + 8
    shown.view.setFocus()
    QApplication.processEvents()
    assert shown.ring.target is None


def test_toggles_tell_their_state(show: ShowMeeting) -> None:
    shown = show()
    for name in ("microphone", "camera", "share", "chat", "participants", "hand", "layout"):
        button = shown.view.toolbar.buttons[name]
        assert button.accessibleDescription(), name
        assert button.accessibleDescription() != button.accessibleName()


def test_tiles_are_described(show: ShowMeeting) -> None:
    shown = show(meeting(4, muted=[1], hands=[1]))
    tile = shown.view.stage.tile(TileKey("p0000001"))
    assert tile is not None and tile.accessibleName() == "Amélie Laurent"
    assert "microphone off" in tile.accessibleDescription() and "hand raised" in tile.accessibleDescription()


def test_no_label_interprets_remote_text(show: ShowMeeting) -> None:
    shown = show(meeting(4, names=["<img src=x>", "<b>Bob</b>", "&amp;"]))
    shown.controller.update(subject="<h1>Title</h1>")
    for panel in ("statistics", "keypad", "chat"):
        shown.view.panels.open(panel)
        shown.view._show_again()
    for one in shown.view.findChildren(QLabel):
        assert one.textFormat() == Qt.TextFormat.PlainText, one.text()
    assert shown.view.top_bar.title.text() == "<h1>Title</h1>"


def test_shortcut_table_is_consistent() -> None:
    letters = [one.letter for one in SHORTCUTS if one.letter]
    combinations = [keys for one in SHORTCUTS for keys in one.keys]
    assert len(letters) == len(set(letters)) and len(combinations) == len(set(combinations))
    assert all(one.words and one.shown() for one in SHORTCUTS)


def test_disabled_buttons_say_why(qapp: QApplication) -> None:
    for button in (PushButton("Join"), IconButton("x", "Close")):
        button.set_enabled(False, "Because")
        assert not button.isEnabled()
        assert button.toolTip() == "Because" and button.accessibleDescription() == "Because"
        button.set_enabled(True)
        assert button.isEnabled() and button.toolTip() != "Because"


def test_right_to_left_mirrors(show: ShowMeeting, qapp: QApplication) -> None:
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    try:
        shown = show(meeting(5, speaker=1))
        stage = shown.view.stage
        large, small = stage.tile(TileKey("p0000001")), stage.tile(TileKey("p0000002"))
        assert large is not None and small is not None and small.x() < large.x()
        bar = shown.view.toolbar
        assert bar.leave.x() < bar.buttons["microphone"].x()
        assert shown.view.top_bar.home.x() > shown.view.top_bar.full_screen.x()
        shown.view.toggle_panel("chat")
        assert shown.view.panels.x() == 0 and stage.x() >= shown.view.panels.width()
    finally:
        qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal there")
def test_qt_calls_leave_reference_counts_alone(show: ShowMeeting) -> None:
    """Some builds of the binding release ``None`` once too often per call and end the process."""
    shown = show()
    label, button = QLabel(), shown.view.toolbar.buttons["hand"]
    # What earlier tests left behind must not be collected in between: it holds references of its own.
    gc.collect()
    gc.disable()
    try:
        before = sys.getrefcount(None)
        for number in range(400):
            label.setText(str(number))
            button.setChecked(number % 2 == 0)
            button.update()
            shown.view.stage.choicesChanged.emit()
        after = sys.getrefcount(None)
    finally:
        gc.enable()
    assert abs(after - before) < 100
