"""The small controls: names, states, limits, plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.calls.model import Capability
from ui.theme import DARK, LIGHT, colour, theme
from ui.widgets import (
    Avatar,
    Badge,
    CallButton,
    ComboBox,
    FocusRing,
    IconButton,
    LevelMeter,
    Menu,
    PasswordField,
    Pill,
    PushButton,
    SearchField,
    SidePanel,
    Switch,
    TextField,
    initials,
    label,
    plain,
)


@given(st.text(max_size=2000), st.integers(2, 100))
def test_plain_is_one_bounded_harmless_line(text: str, limit: int) -> None:
    result = plain(text, limit)
    assert len(result) <= limit
    assert not any(char in result for char in "\n\r\t\u202e\u202a\u2066\u2069\u0000\u0007")
    assert plain(result, limit) == result


def test_plain_keeps_people_s_names() -> None:
    for name in ("Amélie Laurent", "Mei-Ling Chen", "علی", "O'Connor", "👩‍💻 Dev", "王芳", "क्\u200dष"):
        assert plain(name) == name


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Amélie Laurent", "AL"), ("Tomás", "T"), ("  a  b  c ", "AC"), ("", "?"), ("***", "?"), ("王 芳", "王芳"),
     ("<b>Eve</b>", "B"), ("42 Team", "4T")],
)  # fmt: skip
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(st.text(max_size=300))
def test_initials_never_raise(name: str) -> None:
    assert 1 <= len(initials(name)) <= 4


def test_call_button_shows_off_by_fill_too(qtbot: QtBot) -> None:
    button = CallButton("microphone", "Mute microphone")
    qtbot.addWidget(button)
    button.show()
    spot = QPoint(8, 22)
    on = button.grab().toImage().pixelColor(spot)
    button.set_off(True)
    assert button.grab().toImage().pixelColor(spot) == colour(DARK.off_fill) != on


def test_caret_is_a_button_of_its_own(qtbot: QtBot) -> None:
    button = CallButton("microphone", "Mute microphone", caret_text="Choose microphone")
    qtbot.addWidget(button)
    button.show()
    assert button.caret is not None and button.caret.accessibleName() == "Choose microphone"
    clicked: list[str] = []
    button.clicked.connect(lambda: clicked.append("button"))
    button.caretClicked.connect(lambda: clicked.append("caret"))
    QTest.mouseClick(button.caret, Qt.MouseButton.LeftButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, pos=QPoint(10, 20))
    QTest.keyClick(button, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(button.caret, Qt.Key.Key_Return)
    QTest.keyClick(button, Qt.Key.Key_Return)
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert clicked == ["caret", "button", "caret", "caret", "button", "button"]


def test_counts_show_and_go(qtbot: QtBot) -> None:
    badge = Badge()
    qtbot.addWidget(badge)
    badge.set_count(3)
    assert badge.isVisibleTo(None) and badge.accessibleName() == "3"  # type: ignore[arg-type]
    badge.set_count(0)
    assert badge.isHidden()
    button = IconButton("message", "Open chat")
    qtbot.addWidget(button)
    bare = button.grab().toImage()
    button.set_count(120)
    assert button.count == 120 and button.grab().toImage() != bare


def test_switch_toggles_with_pointer_and_space(qtbot: QtBot) -> None:
    switch = Switch("Mirror my picture")
    qtbot.addWidget(switch)
    switch.show()
    QTest.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(5, 14))
    assert switch.isChecked()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    assert not switch.isChecked()
    assert switch.accessibleName() == "Mirror my picture"


def test_fields_have_names_and_limits(qtbot: QtBot) -> None:
    field = TextField("Meeting", "Link or room")
    qtbot.addWidget(field)
    field.setText("x" * 100_000)
    assert len(field.text()) == 2048
    field.set_invalid("Not a link")
    assert field.accessibleDescription() == "Not a link"
    search = SearchField("Search people")
    qtbot.addWidget(search)
    assert search.placeholderText() == "Search people"
    password = PasswordField("Password")
    qtbot.addWidget(password)
    assert password.echoMode() == QLineEdit.EchoMode.Password
    password._eye.trigger()
    assert password.echoMode() == QLineEdit.EchoMode.Normal


def test_level_meter_is_clamped_and_lazy(qtbot: QtBot) -> None:
    meter = LevelMeter("Microphone level")
    qtbot.addWidget(meter)
    meter.set_level(7.0)
    assert meter.level == 1.0
    meter.set_level(-1.0)
    assert meter.level == 0.0 and meter._lit == 0


def test_menu_leaves_out_what_is_unknown_and_explains_what_is_not_allowed(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    menu = Menu("Actions", window)
    called: list[str] = []
    assert menu.entry("Kick", capability=Capability(False, "", present=False)) is None
    refused = menu.entry("Lock", capability=Capability(False, "Only moderators"))
    assert refused is not None and not refused.isEnabled() and refused.toolTip() == "Only moderators"
    taken = menu.entry("Tom & Jerry\u202e", lambda: called.append("x"))
    assert taken is not None and taken.text() == "Tom && Jerry"
    taken.trigger()
    assert called == ["x"]


def test_panel_closes_with_cross_and_escape(qtbot: QtBot) -> None:
    panel = SidePanel("Chat")
    qtbot.addWidget(panel)
    panel.show()
    with qtbot.waitSignal(panel.closeRequested, timeout=1000):
        panel.close_button.click()
    with qtbot.waitSignal(panel.closeRequested, timeout=1000):
        QTest.keyClick(panel, Qt.Key.Key_Escape)


def test_focus_ring_follows_and_forgets(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    first, second = PushButton("One"), TextField("Two")
    column.addWidget(first)
    column.addWidget(second)
    ring = FocusRing(window)
    window.show()
    window.activateWindow()
    first.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert ring.target is first
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert ring.target is second
    second.move(second.x(), second.y() + 20)
    assert ring.y() == second.y() - 4
    second.hide()
    assert ring.target is first
    first.deleteLater()
    QApplication.sendPostedEvents(None, 52)
    QApplication.processEvents()
    assert ring.target is None


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_everything_paints_in_both_themes_and_directions(
    qtbot: QtBot, qapp: QApplication, mode: str, direction: Qt.LayoutDirection
) -> None:
    theme().install(qapp)
    theme().set_mode(mode)
    window = QWidget()
    window.setLayoutDirection(direction)
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    combo = ComboBox("Device")
    combo.addItem("Built-in microphone")
    for widget in (
        PushButton("Join", "primary"), IconButton("settings", "Settings"), CallButton("video", "Cam", caret_text="c"),
        combo, Switch("On"), Avatar("Amélie"), Pill("Moderator", "accent", "shield"), LevelMeter("Level"),
        label("Text", "muted"),
    ):  # fmt: skip
        column.addWidget(widget)
    window.show()
    image = window.grab().toImage()
    colours = {
        image.pixelColor(x, y).name().upper() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)
    }
    accent = (LIGHT if mode == "light" else DARK).accent
    assert accent.upper() in colours
    theme().set_mode("system")
