"""Languages: French loads and leaves no English behind, plurals, right to left, sentences from below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from resources.translations.build import main, sentences, template
from tests.ui.fakes import CALL, DEVICES, NAMES, FakeController, meeting
from tests.ui.shell.helpers import address, recent, settle
from ui import i18n
from ui.main_window import MainWindow
from ui.settings.window import SettingsWindow

KEEP = {
    "Parley",
    "English",
    "Français",
    "VP8",
    "H.264",
    "meet.example.org",
    "Robin Meyer",
    "Team meeting",
    "https://meet.jit.si",
}
ENGLISH = re.compile(
    r"\b(the|and|your|you|with|meeting|join|leave|microphone|settings|show|hide|share|nobody|again)\b", re.I
)


@pytest.fixture
def french(english: QApplication) -> Iterator[QApplication]:
    i18n.install(english, "fr")
    yield english
    i18n.install(english, "en")


def texts(root: QWidget) -> Iterator[str]:
    for widget in root.findChildren(QWidget):
        yield widget.accessibleName()
        yield widget.accessibleDescription()
        yield widget.toolTip()
        if isinstance(widget, (QLabel, QAbstractButton)):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QComboBox):
            yield from (widget.itemText(i) for i in range(widget.count()))


def english_words(root: QWidget) -> list[str]:
    names = KEEP | set(NAMES) | {d.label for d in DEVICES}
    found = []
    for text in texts(root):
        bare = text
        for name in names:
            bare = bare.replace(name, "")
        if ENGLISH.search(bare):
            found.append(text)
    return found


def test_nothing_is_left_untranslated() -> None:
    assert main(["--check"]) == 0


async def test_no_english_in_the_main_views(french: QApplication, qtbot: object) -> None:
    controller = FakeController()
    controller.settings["appearance.language"] = "fr"
    controller.settings["profile.display_name"] = "Robin Meyer"
    controller.recent_list = (recent("Alpha"),)

    async def demo() -> str:
        return ""

    window = MainWindow(demo=demo)
    window.show()
    window.attach(controller)
    await settle()
    assert window.home.title.text() == "Rejoindre une réunion"
    window.open_address(address("Alpha"))
    controller.states[CALL] = meeting(9, hands=(2,), moderator=False)
    await settle()
    window._joined(CALL)
    await settle()
    for name in ("chat", "participants", "statistics", "keypad"):
        window.meeting.panels.open(name)
        await settle()
    settings = SettingsWindow(controller)
    settings.show()
    await settle()
    left = english_words(window)
    assert not left, "; ".join(left)
    assert english_words(settings) == []
    menu = window.meeting.panels.panel("participants").make_menu("p0000002")
    assert not [a.text() for a in menu.actions() if ENGLISH.search(a.text())]
    settings.close()
    settings.release()
    await window.shutdown()
    window.deleteLater()


def test_plurals(french: QApplication) -> None:
    from ui.home.outcome import LeftView

    view = LeftView()
    assert view._stay(1) == "Vous y êtes resté 1 minute."
    assert view._stay(5) == "Vous y êtes resté 5 minutes."
    i18n.install(french, "en")
    assert view._stay(1) == "You were in it for 1 minute."
    assert view._stay(5) == "You were in it for 5 minutes."


def test_sentences_from_below(french: QApplication) -> None:
    assert i18n.sentence("The meeting is full.") == "La réunion est complète."
    assert i18n.sentence("Carla turned your microphone off.").startswith("Carla a coupé votre")
    assert i18n.sentence("Nobody translated this one.") == "Nobody translated this one."
    assert len(i18n.sentence("x" * 5000)) == i18n.MAX_SENTENCE


def test_pseudo_language_runs_right_to_left(english: QApplication) -> None:
    i18n.install(english, i18n.PSEUDO_RTL)
    assert english.layoutDirection() is Qt.LayoutDirection.RightToLeft
    assert "{name}" in i18n.translate("ChatPanel", "Private to {name}")
    i18n.install(english, "en")
    assert english.layoutDirection() is Qt.LayoutDirection.LeftToRight


def test_picking_a_language() -> None:
    assert i18n.pick_language("fr") == "fr"
    assert i18n.pick_language("xx") in {"en", "fr"}


def test_sentences_are_collected_with_their_values() -> None:
    assert "The meeting is full." in sentences()
    node = ast.parse('f"{self.who} and {self.who} left {x()}."', mode="eval").body
    assert isinstance(node, ast.JoinedStr)
    assert template(node) == "{who} and {who_} left {value}."
    assert Path(i18n.TRANSLATIONS, "parley_fr.qm").exists()
