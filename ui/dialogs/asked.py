"""The server asks for something in the middle of a call."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.calls.model import Asked, Failure
from ui.dialogs.base import Dialog
from ui.i18n import translate
from ui.prejoin.asked import AskedForm


class AskedDialog(Dialog):
    """Signals: answered(Action)."""

    answered = Signal(object)

    def __init__(self, what: Asked, failure: Failure | None, name: str = "", parent: QWidget | None = None) -> None:
        titles = {
            Asked.ROOM_PASSWORD: translate("AskedDialog", "Password needed"),
            Asked.SIGN_IN: translate("AskedDialog", "Sign in"),
            Asked.DISPLAY_NAME: translate("AskedDialog", "Your name"),
        }
        super().__init__(titles[what], parent)
        self.form = AskedForm(self)
        self.form.submitted.connect(self._submit)
        self.content.addWidget(self.form)
        self.add_cancel()
        button = self.add_button(self.tr("Continue"), self._submit, "primary")
        # The form answers to Enter; a default button would answer a second time.
        button.setDefault(False)
        self.form.ask(what, failure, name)

    def _submit(self) -> None:
        action = self.form.action()
        if action is None:
            self.form.first_field().setFocus()
            return
        self.accept()
        self.answered.emit(action)
