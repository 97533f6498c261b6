"""Small questions about the room: its subject and its password."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from ui.dialogs.base import Dialog
from ui.widgets.fields import PasswordField, TextField
from ui.widgets.text import label

SUBJECT_LIMIT = 100
PASSWORD_LIMIT = 100


class SubjectDialog(Dialog):
    """Asks for a new subject and hands it to *chosen*."""

    def __init__(self, subject: str, chosen: Callable[[str], object], parent: QWidget) -> None:
        super().__init__("", parent)
        self.setWindowTitle(self.tr("Subject of the meeting"))
        self.title.setText(self.windowTitle())
        self.field = TextField(self.windowTitle(), self.tr("For example: Weekly planning"))
        self.field.setMaxLength(SUBJECT_LIMIT)
        self.field.setText(subject)
        self.field.selectAll()
        self.content.addWidget(self.field)
        self.add_button(self.tr("Cancel"), self.reject)
        self.add_button(self.tr("Change subject"), lambda: self._done(chosen), "primary")
        self.field.setFocus()

    def _done(self, chosen: Callable[[str], object]) -> None:
        chosen(self.field.text().strip())
        self.accept()


class LockDialog(Dialog):
    """Sets or removes the password; *chosen* gets it, or ``None`` to remove it."""

    def __init__(self, locked: bool, chosen: Callable[[str | None], object], parent: QWidget) -> None:
        super().__init__("", parent)
        self._chosen = chosen
        self.setWindowTitle(self.tr("Meeting password"))
        self.title.setText(self.windowTitle())
        words = (
            self.tr("Newcomers must give the password. Those who are here already stay.")
            if not locked
            else self.tr("The meeting has a password. You can set another one or remove it.")
        )
        self.content.addWidget(label(words, "muted", wrap=True))
        self.field = PasswordField(self.windowTitle(), self.tr("Password"))
        self.field.setMaxLength(PASSWORD_LIMIT)
        self.content.addWidget(self.field)
        self.add_button(self.tr("Cancel"), self.reject)
        if locked:
            self.add_button(self.tr("Remove password"), lambda: self._done(None))
        self._set = self.add_button(self.tr("Set password"), lambda: self._done(self.field.text()), "primary")
        self._set.setEnabled(False)
        self.field.textChanged.connect(lambda text: self._set.setEnabled(bool(text.strip())))
        self.field.setFocus()

    def _done(self, password: str | None) -> None:
        self._chosen(password)
        self.accept()
