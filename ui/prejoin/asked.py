"""What a server asks for before it lets somebody in: room password, sign-in, display name."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.calls.actions import Action, SignIn, SubmitDisplayName, SubmitPassword
from app.calls.model import Asked, Failure
from ui import forms, i18n
from ui.theme import Space
from ui.widgets.fields import PasswordField, TextField
from ui.widgets.toast import announce

MAX_SECRET = 512
MAX_NAME = 100


class AskedForm(QWidget):
    """Fields for one :class:`Asked`, with the sentence that says why and what was wrong with the last answer.

    Signals:
        submitted(): Enter was pressed in the last field.
        changed(): a field changed.
    """

    submitted = Signal()
    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what: Asked | None = None
        self.explanation = forms.label("")
        self.problem = forms.label("", "bad")
        self.user = self._prepare(TextField(self.tr("User name"), self.tr("User name")), MAX_NAME)
        self.password = PasswordField(self.tr("Password"), self.tr("Password"))
        self._prepare(self.password, MAX_SECRET)
        self.name = self._prepare(TextField(self.tr("Your name"), self.tr("Your name")), MAX_NAME)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        for widget in (self.explanation, self.user, self.password, self.name, self.problem):
            layout.addWidget(widget)
        self.hide()

    def _prepare(self, edit: TextField, length: int) -> TextField:
        edit.setMaxLength(length)
        edit.textEdited.connect(self._edited)
        edit.returnPressed.connect(lambda: self._return(edit))
        return edit

    def ask(self, what: Asked, failure: Failure | None, display_name: str = "") -> None:
        """Show the fields for *what*; with *failure* say what was wrong and keep the focus in the field."""
        repeated = failure is not None and self.what is what
        self.what = what
        self.user.setVisible(what is Asked.SIGN_IN)
        self.password.setVisible(what is not Asked.DISPLAY_NAME)
        self.name.setVisible(what is Asked.DISPLAY_NAME)
        sentences = {
            Asked.ROOM_PASSWORD: self.tr("This meeting is locked. Enter its password to join."),
            Asked.SIGN_IN: self.tr("Only people with an account can start this meeting. Sign in to go on."),
            Asked.DISPLAY_NAME: self.tr("This meeting wants to know your name."),
        }
        self.explanation.setText(sentences[what])
        if what is Asked.DISPLAY_NAME and not self.name.text():
            self.name.setText(display_name)
        self.problem.setText(i18n.sentence(failure.message) if failure else "")
        self.problem.setVisible(failure is not None)
        for edit in (self.user, self.password, self.name):
            edit.set_invalid("")
        self.show()
        target = self.password if repeated and what is not Asked.DISPLAY_NAME else self.first_field()
        target.setFocus()
        target.selectAll()
        if failure is not None:
            target.set_invalid(self.problem.text())
            announce(self.problem, self.problem.text(), urgent=True)

    def first_field(self) -> TextField:
        return {Asked.SIGN_IN: self.user, Asked.DISPLAY_NAME: self.name}.get(
            self.what or Asked.ROOM_PASSWORD, self.password
        )

    def action(self) -> Action | None:
        """The answer as an action; ``None`` while a field is empty."""
        if self.what is Asked.ROOM_PASSWORD and self.password.text():
            return SubmitPassword(self.password.text())
        if self.what is Asked.SIGN_IN and self.user.text().strip() and self.password.text():
            return SignIn(self.user.text().strip(), self.password.text())
        if self.what is Asked.DISPLAY_NAME and self.name.text().strip():
            return SubmitDisplayName(self.name.text().strip())
        return None

    def clear(self) -> None:
        """Forget what was typed and hide."""
        self.what = None
        for edit in (self.user, self.password):
            edit.clear()
        self.problem.clear()
        self.hide()

    def _edited(self) -> None:
        for edit in (self.user, self.password, self.name):
            edit.set_invalid("")
        self.changed.emit()

    def _return(self, edit: TextField) -> None:
        if self.what is Asked.SIGN_IN and edit is self.user and not self.password.text():
            self.password.setFocus()
            return
        self.submitted.emit()
