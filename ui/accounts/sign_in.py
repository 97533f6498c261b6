"""Sign in to a server: what it asks for, and a refusal in words with everything that was typed still there."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.calls.accounts import AccountEvent, AccountPhase, AccountState
from app.calls.model import Failure
from ui import forms, i18n
from ui.phone.context import PhoneContext
from ui.theme import Size, Space
from ui.widgets.fields import ComboBox, PasswordField, TextField
from ui.widgets.toast import announce

WIDTH = 400
MAX_FIELD = 256
_WRONG_FIELD = {
    "dns": "server",
    "tcp": "server",
    "connect": "server",
    "tls": "server",
    "http": "server",
    "not_found": "server",
    "wrong_server": "server",
    "wrong_credentials": "password",
    "password_wrong": "password",
    "credentials": "password",
    "unauthorized": "password",
}
"""Which field a refusal is about, by its code; it gets the mark and the keyboard."""


class SignInView(QWidget):
    """Signals: done(str account id): signed in. cancelled(): the person goes back."""

    done = Signal(str)
    cancelled = Signal()

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._account_id = ""
        self._failure: Failure | None = None
        self._past: Failure | None = None
        """What the try before the present one was refused with."""
        self.setProperty("look", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._make_fields()
        self._lay_out()
        self._vendor_changed()
        context.changed.connect(self._event)

    # ------------------------------------------------------------ building

    def _make_fields(self) -> None:
        self.title = forms.label(self.tr("Sign in"), "display")
        self.vendor = ComboBox(self.tr("Service"))
        for one in self._context.controller.vendors():
            self.vendor.addItem(one.label, one)
        self.vendor.currentIndexChanged.connect(lambda _i: self._vendor_changed())
        self.server = TextField(self.tr("Server"), self.tr("phone.example.org"))
        self.user = TextField(self.tr("User name"))
        self.password = PasswordField(self.tr("Password"))
        self.domain = TextField(self.tr("Domain"), self.tr("Only if your organisation gave you one"))
        for field in (self.server, self.user, self.password, self.domain):
            field.setMaxLength(MAX_FIELD)
            field.textChanged.connect(self._edited)
            field.returnPressed.connect(self.submit)
        self.stay = QCheckBox(self.tr("Stay signed in"))
        self.stay.setChecked(True)
        note = getattr(self._context.controller, "secrets_note", None)
        self.note = forms.label(i18n.sentence(note()) if note is not None else "", "caption")
        self.note.setVisible(bool(self.note.text()))
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.details = forms.label("", "caption")
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details.hide()
        self.details_button = forms.push_button(self.tr("Details"), self._toggle_details, kind="quiet")
        self.details_button.hide()
        self.button = forms.push_button(self.tr("Sign in"), self.submit, kind="primary", large=True)
        self.cancel = forms.push_button(self.tr("Cancel"), self._cancel, kind="quiet")

    def _field(self, label: str, field: QWidget) -> QWidget:
        box = QWidget()
        column = forms.column(box, spacing=Space.XS)
        words = forms.label(label, "caption", wrap=False)
        # A layout that scrolls squeezes what does not say its height.
        field.setMinimumHeight(Size.FIELD)
        words.setBuddy(field)
        column.addWidget(words)
        column.addWidget(field)
        return box

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        column.setSpacing(Space.M)
        self._vendor_box = self._field(self.tr("Service"), self.vendor)
        self._vendor_box.setVisible(self.vendor.count() > 1)
        self._domain_box = self._field(self.tr("Domain"), self.domain)
        column.addWidget(self.title)
        column.addWidget(self._vendor_box)
        column.addWidget(self._field(self.tr("Server"), self.server))
        column.addWidget(self._field(self.tr("User name"), self.user))
        column.addWidget(self._field(self.tr("Password"), self.password))
        column.addWidget(self._domain_box)
        column.addWidget(self.stay)
        column.addWidget(self.note)
        column.addWidget(self.problem)
        column.addLayout(forms.row(self.details_button, 1))
        column.addWidget(self.details)
        column.addWidget(self.button)
        column.addWidget(self.cancel)
        card = forms.card()
        card.setLayout(column)
        card.setFixedWidth(WIDTH)
        inner = QWidget()
        around = QVBoxLayout(inner)
        around.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        around.addStretch(1)
        around.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        around.addStretch(2)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area = area
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def _vendor_changed(self) -> None:
        info: Any = self.vendor.currentData()
        self._domain_box.setVisible(bool(info is not None and info.asks_domain))

    # ------------------------------------------------------------ use

    def start(self, known: AccountState | None = None) -> None:
        """Empty for a new account, or filled with what is known of one that must sign in again."""
        self._account_id = ""
        self._busy(False)
        self._show_problem(None)
        self.password.clear()
        self.title.setText(self.tr("Sign in") if known is None else self.tr("Sign in again"))
        if known is not None:
            for index in range(self.vendor.count()):
                if self.vendor.itemData(index).vendor == known.vendor:
                    self.vendor.setCurrentIndex(index)
            self.server.setText(known.server)
            self.user.setText(known.user)
            self._show_problem(known.failure)
        self.enter()

    def enter(self) -> None:
        empty = [field for field in (self.server, self.user, self.password) if not field.text().strip()]
        (empty or [self.password])[0].setFocus()

    def submit(self) -> None:
        if not self.button.isEnabled():
            return
        for field, sentence in (
            (self.server, self.tr("Type the address of your server.")),
            (self.user, self.tr("Type your user name.")),
            (self.password, self.tr("Type your password.")),
        ):
            if not field.text().strip():
                self._show_problem(Failure("missing", sentence))
                field.set_invalid(sentence)
                field.setFocus()
                return
        self._past = self._failure
        self._show_problem(None)
        self._busy(True)
        controller, info = self._context.controller, self.vendor.currentData()
        request = controller.sign_in(
            info.vendor,
            self.server.text().strip(),
            self.user.text().strip(),
            self.password.text(),
            domain=self.domain.text().strip() if info.asks_domain else "",
            stay_signed_in=self.stay.isChecked(),
        )
        self._context.run(request, self._started, self._refused)

    def _started(self, account_id: str) -> None:
        self._account_id = account_id
        state = self._context.controller.account(account_id)
        # The account may still show how the try before this one ended.
        if state.phase in (AccountPhase.SIGNING_IN, AccountPhase.SIGNED_IN) or state.failure not in (None, self._past):
            self._follow(state)

    def _event(self, state: AccountState, event: AccountEvent) -> None:
        if self._account_id and state.account_id == self._account_id:
            self._follow(state)

    def _follow(self, state: AccountState) -> None:
        if state.phase is AccountPhase.SIGNED_IN:
            account_id, self._account_id = self._account_id, ""
            self._busy(False)
            self.password.clear()
            self.done.emit(account_id)
        elif state.phase in (AccountPhase.FAILED, AccountPhase.EXPIRED):
            self._account_id = ""
            self._refused(state.failure or Failure("unknown", self.tr("Signing in did not work. Try again.")))
        elif state.phase is AccountPhase.SIGNED_OUT:
            self._account_id = ""
            self._busy(False)

    def _refused(self, failure: Failure) -> None:
        self._busy(False)
        self._show_problem(failure)
        wrong = _WRONG_FIELD.get(failure.code)
        if wrong is not None:
            field: TextField = getattr(self, wrong)
            field.set_invalid(i18n.sentence(failure.message))
            field.setFocus()
            field.selectAll()

    def _cancel(self) -> None:
        if self._account_id:
            account_id, self._account_id = self._account_id, ""
            self._context.run(self._context.controller.sign_out(account_id, forget=True))
            self._busy(False)
        self.password.clear()
        self.cancelled.emit()

    # ------------------------------------------------------------ state

    def _busy(self, busy: bool) -> None:
        for widget in (self.vendor, self.server, self.user, self.password, self.domain, self.stay):
            widget.setEnabled(not busy)
        self.button.set_enabled(not busy, self.tr("Signing in…"))
        self.button.setText(self.tr("Signing in…") if busy else self.tr("Sign in"))

    def _edited(self) -> None:
        for field in (self.server, self.user, self.password):
            if field.property("invalid") == "true":
                field.set_invalid("")

    def _show_problem(self, failure: Failure | None) -> None:
        self._failure = failure
        sentence = i18n.sentence(failure.message) if failure is not None else ""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self.details.setText(failure.details if failure is not None else "")
        self.details.hide()
        self.details_button.setVisible(bool(self.details.text()))
        for field in (self.server, self.user, self.password):
            field.set_invalid("")
        if sentence:
            announce(self.problem, sentence, urgent=True)

    def _toggle_details(self) -> None:
        self.details.setVisible(not self.details.isVisible())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._cancel()
            return
        super().keyPressEvent(event)
