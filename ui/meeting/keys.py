"""Runs the keyboard shortcuts of :mod:`ui.meeting.shortcuts` on a meeting view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from app.controller.api import ControllerApi
from ui.meeting.commands import Commands
from ui.meeting.shortcuts import SHORTCUTS, letter_action

_TEXT_WIDGETS = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)


def takes_text(widget: QWidget | None) -> bool:
    """Whether letters typed now belong to *widget*."""
    if isinstance(widget, QComboBox):
        return widget.isEditable()
    return isinstance(widget, _TEXT_WIDGETS)


class Keys(QObject):
    """Letters come through the view's key events (fields keep theirs), combinations through ``QShortcut``.

    Args:
        actions: id of a shortcut to what it does; ``focus`` takes the digit.
    """

    def __init__(
        self,
        view: QWidget,
        controller: ControllerApi,
        commands: Commands,
        actions: dict[str, Callable[[], object]],
        focus: Callable[[int], object],
    ) -> None:
        super().__init__(view)
        self._controller = controller
        self._commands = commands
        self._actions = actions
        self._focus = focus
        self._space_held = False
        for shortcut in SHORTCUTS:
            for keys in shortcut.keys:
                made = QShortcut(QKeySequence(keys), view)
                made.setContext(Qt.ShortcutContext.WindowShortcut)
                made.setAutoRepeat(False)
                made.activated.connect(lambda name=shortcut.id: self.run(name))

    def run(self, name: str) -> bool:
        if name.startswith("focus_"):
            self._focus(int(name[-1]))
            return True
        action = self._actions.get(name)
        if action is None:
            return False
        action()
        return True

    def press(self, event: QKeyEvent) -> bool:
        """Handle a key press; true when it was one of ours."""
        if event.key() == Qt.Key.Key_Escape:
            return self.run("back")
        if takes_text(QApplication.focusWidget()):
            return False
        if event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            return self._space(event)
        if not self._controller.setting("shortcuts.single_letter"):
            return False
        name = letter_action(event)
        if name is None:
            return False
        # A key that is held must not mute and unmute in turn.
        return True if event.isAutoRepeat() else self.run(name)

    def _space(self, event: QKeyEvent) -> bool:
        if not self._controller.setting("shortcuts.push_to_talk"):
            return False
        if not event.isAutoRepeat():
            self._space_held = True
            self._commands.talk(True)
        return True

    def release(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space_held:
            self.let_go()
            return True
        return False

    def let_go(self) -> None:
        """The window lost the keyboard while Space was held: nobody would see its release."""
        self._space_held = False
        self._commands.talk(False)
