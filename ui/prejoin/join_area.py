"""The foot of the pre-join view: what is asked for, what went wrong, Join with its progress, and other ways in."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from app.calls.model import Asked, Failure
from ui import forms, i18n
from ui.prejoin.asked import AskedForm
from ui.theme import Space
from ui.widgets.menus import Menu
from ui.widgets.toast import announce


class JoinArea(QWidget):
    """Signals:
    join_requested(bool start_silent, bool audio_only), cancel_requested(), answered(Action).
    """

    join_requested = Signal(bool, bool)
    cancel_requested = Signal()
    answered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.busy = False
        self.asked = AskedForm(self)
        self.asked.submitted.connect(self.press)
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.join = forms.push_button(self.tr("Join"), self.press, kind="primary", large=True)
        self.join.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.cancel = forms.push_button(self.tr("Cancel"), self.cancel_requested.emit, large=True)
        self.cancel.hide()
        self.more = forms.push_button(self.tr("More ways to join"), self.open_menu, kind="quiet")
        self.more.setAccessibleDescription(self.tr("Opens a menu"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addWidget(self.asked)
        layout.addWidget(self.problem)
        layout.addLayout(forms.row(self.join, self.cancel))
        layout.addWidget(self.more)

    def press(self) -> None:
        """Join, or answer what was asked."""
        if self.busy:
            return
        if self.asked.what is not None:
            action = self.asked.action()
            if action is None:
                self.asked.first_field().setFocus()
                return
            self.set_busy(True)
            self.answered.emit(action)
        else:
            self.join_requested.emit(False, False)

    def open_menu(self) -> None:
        menu = self.make_menu()
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def make_menu(self) -> Menu:
        menu = Menu(self.tr("More ways to join"), self)
        menu.entry(
            self.tr("Join without sound (another device in this room)"),
            lambda: self.join_requested.emit(True, False),
            "volume-off",
        )
        menu.entry(
            self.tr("Join without video (saves data)"), lambda: self.join_requested.emit(False, True), "headphones"
        )
        return menu

    def set_busy(self, busy: bool, words: str = "") -> None:
        """Joining goes on: the button says so and Cancel is there."""
        self.busy = busy
        text = (words or self.tr("Joining…")) if busy else self.tr("Join")
        if self.join.text() != text:
            self.join.setText(text)
            if busy:
                announce(self.join, text)
        self.join.setEnabled(not busy)
        self.cancel.setVisible(busy or self.asked.what is not None)
        self.more.setVisible(not busy and self.asked.what is None)
        if busy:
            self.problem.hide()

    def ask(self, what: Asked, failure: Failure | None, name: str) -> None:
        """Show what the server asks for; Cancel stays."""
        self.busy = False
        self.asked.ask(what, failure, name)
        self.join.setEnabled(True)
        self.join.setText(self.tr("Sign in and join") if what is Asked.SIGN_IN else self.tr("Join"))
        self.cancel.show()
        self.more.hide()
        self.problem.hide()

    def reset(self) -> None:
        self.asked.clear()
        self.set_busy(False)

    def show_problem(self, sentence: str) -> None:
        self.problem.setText(i18n.sentence(sentence))
        self.problem.setVisible(bool(sentence))
        if sentence:
            announce(self.problem, self.problem.text(), urgent=True)
