"""Small questions of the phone."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui import forms
from ui.dialogs.base import Dialog
from ui.widgets.fields import TextField

MAX_NUMBER = 256


class NumberDialog(Dialog):
    """Signals: chosen(str number)."""

    chosen = Signal(str)

    def __init__(self, title: str, act: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.number = TextField(self.tr("Number"), self.tr("Number, extension or SIP address"))
        self.number.setMaxLength(MAX_NUMBER)
        self.number.textChanged.connect(self._changed)
        self.content.addWidget(self.number)
        self.add_cancel()
        self.confirm = self.add_button(act, self._confirm, "primary")
        self._changed()
        self.number.setFocus()

    def _changed(self) -> None:
        self.confirm.set_enabled(bool(self.number.text().strip()), self.tr("Type a number first"))

    def _confirm(self) -> None:
        number = self.number.text().strip()
        if number:
            self.accept()
            self.chosen.emit(number)


class ConfirmDialog(Dialog):
    """Signals: confirmed()."""

    confirmed = Signal()

    def __init__(self, title: str, text: str, act: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.content.addWidget(forms.label(text))
        self.add_cancel()
        self.add_button(act, self._confirm, "danger")

    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit()
