"""One account: who, whether calls reach it, presence, do not disturb, forwards, and signing out."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.calls.accounts import (
    AccountPhase,
    AccountState,
    Forward,
    Registration,
    Service,
    SetDoNotDisturb,
    SetForward,
    SetPresence,
)
from ui import forms, i18n
from ui.phone.context import PhoneContext, account_capability
from ui.phone.words import account_name, account_words, presence_tone, state_words
from ui.theme import Space
from ui.widgets.buttons import open_menu_at
from ui.widgets.fields import ComboBox, Switch, TextField
from ui.widgets.marks import Avatar, Pill
from ui.widgets.menus import Menu
from ui.widgets.text import plain

STATES = ("available", "away", "busy", "unavailable", "invisible")
KINDS = ("unconditional", "busy", "noanswer")
MAX_STATUS = 120
MAX_NUMBER = 80


class ForwardRow(QWidget):
    """One kind of forward. Switching it on without a number puts the keyboard into the field."""

    def __init__(self, kind: str, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = kind
        self.switch = Switch(words)
        self.number = TextField(self.tr("Forward to"), self.tr("Number"))
        self.number.setAccessibleDescription(words)
        self.number.setMaxLength(MAX_NUMBER)
        self.number.setMinimumWidth(120)
        self.number.setMaximumWidth(180)
        line = forms.row(self.switch, 1, self.number, parent=self)
        line.setSpacing(Space.M)

    def show(self, forward: Forward) -> None:  # type: ignore[override]
        self.switch.blockSignals(True)
        self.switch.setChecked(forward.enabled)
        self.switch._move(forward.enabled)
        self.switch.blockSignals(False)
        if not self.number.hasFocus():
            self.number.setText(forward.destination)


class AccountCard(QFrame):
    """Signals: sign_in_requested(str account id)."""

    sign_in_requested = Signal(str)

    def __init__(self, context: PhoneContext, account_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "card")
        self._context = context
        self.account_id = account_id
        self.avatar = Avatar("", 48)
        self.name = forms.ElidedLabel("", strong=True, size=15)
        self.where = forms.ElidedLabel("", muted=True, size=12)
        self.pill = Pill("", "muted")
        self.problem = forms.label("", "bad")
        self.again = forms.push_button(self.tr("Sign in again"), lambda: self.sign_in_requested.emit(account_id),
                                       kind="primary")  # fmt: skip
        self.more = forms.icon_button("dots", self.tr("More for this account"), self._open_menu)
        self._make_presence()
        self._make_forwards()
        self._lay_out()
        context.changed.connect(self._changed)
        self.show_state(context.controller.account(account_id))

    def _make_presence(self) -> None:
        self.presence = ComboBox(self.tr("Your presence"))
        for state in STATES:
            self.presence.addItem(state_words(state), state)
        self.presence.activated.connect(lambda _i: self._set_presence())
        self.status = TextField(self.tr("Status message"), self.tr("Status message, such as “Back at 14:00”"))
        self.status.setMaxLength(MAX_STATUS)
        self.status.editingFinished.connect(self._set_presence)
        self.dnd = Switch(self.tr("Do not disturb"))
        self.dnd.clicked.connect(self._set_dnd)

    def _make_forwards(self) -> None:
        words = {
            "unconditional": self.tr("Forward every call"),
            "busy": self.tr("When I am busy"),
            "noanswer": self.tr("When I do not answer"),
        }
        self.forwards: dict[str, ForwardRow] = {}
        for kind in KINDS:
            row = ForwardRow(kind, words[kind])
            row.switch.clicked.connect(lambda on, one=row: self._switch_forward(one, on))
            row.number.editingFinished.connect(lambda one=row: self._number_forward(one))
            self.forwards[kind] = row

    def _lay_out(self) -> None:
        words = forms.column(spacing=2)
        words.addWidget(self.name)
        words.addWidget(self.where)
        top = forms.row(self.avatar, words, self.pill, self.more, spacing=Space.M)
        top.setStretch(1, 1)
        self._presence_box = QWidget()
        box = forms.column(self._presence_box, spacing=Space.S)
        box.addWidget(forms.separator())
        line = forms.row(self.presence, self.status, spacing=Space.S)
        line.setStretch(0, 2)
        line.setStretch(1, 3)
        box.addLayout(line)
        box.addWidget(self.dnd)
        self._forward_box = QWidget()
        box = forms.column(self._forward_box, spacing=Space.S)
        box.addWidget(forms.separator())
        box.addWidget(forms.label(self.tr("Forwards"), "caption"))
        for row in self.forwards.values():
            box.addWidget(row)
        column = forms.column(self, margin=Space.L, spacing=Space.M)
        column.addLayout(top)
        column.addWidget(self.problem)
        column.addLayout(forms.row(self.again, 1))
        column.addWidget(self._presence_box)
        column.addWidget(self._forward_box)

    # ------------------------------------------------------------ state

    def _changed(self, state: AccountState) -> None:
        if state.account_id == self.account_id:
            self.show_state(state)

    def show_state(self, state: AccountState) -> None:
        self._state = state
        name = account_name(state)
        signed_in = state.phase is AccountPhase.SIGNED_IN
        self.avatar.set_person(name, None, presence_tone(state.presence) if signed_in else "")
        self.name.set_text(name)
        number = next((line.number for line in state.lines if line.number), "")
        self.where.set_text(" · ".join(plain(part) for part in (number, state.user, state.server) if part))
        words, tone = account_words(state)
        self.pill.set_text(words, tone)
        self.setAccessibleName(f"{name}: {words}")
        failure = state.failure
        if signed_in:
            broken = state.registration in (Registration.LOST, Registration.REFUSED)
            failure = state.registration_failure if broken else None
        self.problem.setText(i18n.sentence(failure.message) if failure is not None else "")
        self.problem.setToolTip(failure.details if failure is not None else "")
        self.problem.setVisible(bool(self.problem.text()))
        asleep = (AccountPhase.EXPIRED, AccountPhase.FAILED, AccountPhase.SIGNED_OUT)
        self.again.setVisible(state.phase in asleep)
        self._show_presence(state, signed_in)
        self._forward_box.setVisible(signed_in and Service.FORWARDS in state.services)
        known = {one.kind: one for one in state.forwards}
        for kind, row in self.forwards.items():
            row.show(known.get(kind, Forward(kind)))

    def _show_presence(self, state: AccountState, signed_in: bool) -> None:
        self._presence_box.setVisible(signed_in and Service.PRESENCE in state.services)
        self.presence.setCurrentIndex(max(0, self.presence.findData(state.presence.state)))
        allowed = account_capability(state, SetPresence)
        self.presence.setEnabled(allowed.allowed)
        self.presence.setToolTip("" if allowed.allowed else i18n.sentence(allowed.reason))
        if not self.status.hasFocus():
            self.status.setText(state.presence.status)
        self.dnd.blockSignals(True)
        self.dnd.setChecked(state.presence.do_not_disturb)
        self.dnd._move(state.presence.do_not_disturb)
        self.dnd.blockSignals(False)

    # ------------------------------------------------------------ acts

    def _ask(self, action: object) -> None:
        self._context.ask(action, failed=self._not_done, account=self.account_id)  # type: ignore[arg-type]

    def _not_done(self, failure: object) -> None:
        # The control goes back to what is true.
        self.show_state(self._context.controller.account(self.account_id))
        self._context.refused(failure)  # type: ignore[arg-type]

    def _set_presence(self) -> None:
        state, status = str(self.presence.currentData()), self.status.text().strip()
        if (state, status) != (self._state.presence.state, self._state.presence.status):
            self._ask(SetPresence(state, status))

    def _set_dnd(self, enabled: bool) -> None:
        self._ask(SetDoNotDisturb(enabled))

    def _switch_forward(self, row: ForwardRow, enabled: bool) -> None:
        number = row.number.text().strip()
        if enabled and not number:
            row.switch.setChecked(False)
            row.number.set_invalid(self.tr("Type the number first"))
            row.number.setFocus()
            return
        row.number.set_invalid("")
        self._ask(SetForward(Forward(row.kind, enabled, number)))

    def _number_forward(self, row: ForwardRow) -> None:
        number = row.number.text().strip()
        row.number.set_invalid("")
        known = next((one for one in self._state.forwards if one.kind == row.kind), Forward(row.kind))
        if number != known.destination:
            self._ask(SetForward(replace(known, destination=number, enabled=known.enabled and bool(number))))

    def _open_menu(self) -> None:
        open_menu_at(self.make_menu(), self.more, above=False)

    def make_menu(self) -> Menu:
        menu = Menu(self.tr("Account"), self)
        controller, account_id = self._context.controller, self.account_id
        if self._state.phase is AccountPhase.SIGNED_IN:
            menu.entry(self.tr("Sign out"), lambda: self._context.run(controller.sign_out(account_id)), "logout")
            menu.entry(
                self.tr("Sign out everywhere"),
                lambda: self._context.run(controller.sign_out(account_id, everywhere=True)),
                "logout",
            )
            menu.addSeparator()
        menu.entry(
            self.tr("Remove this account"),
            lambda: self._context.run(controller.sign_out(account_id, forget=True)),
            "trash",
            danger=True,
        )
        return menu
