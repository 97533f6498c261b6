"""Short questions before something that cannot be taken back."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.calls.actions import EndForAll
from app.calls.model import CallState, Role
from app.calls.selectors import capability
from ui import forms
from ui.dialogs.base import Dialog
from ui.i18n import translate
from ui.widgets.fields import PasswordField, TextField

MAX_REASON = 200
MAX_NAME = 100
MAX_PASSWORD = 128


def leaves_without_moderator(state: CallState) -> bool:
    """True when others stay behind, we moderate, nobody else does, and the meeting can be ended for all."""
    people = [p for p in state.participants.values() if not p.is_hidden and not p.is_bot]
    others = [p for p in people if not p.is_local]
    me = state.participants.get(state.local_id)
    can_end = capability(state, EndForAll).allowed
    alone_moderator = me is not None and me.role is Role.MODERATOR and all(p.role is not Role.MODERATOR for p in others)
    return bool(others) and alone_moderator and can_end


class EndForAllDialog(Dialog):
    confirmed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "End the meeting for everyone?"), parent)
        self.content.addWidget(forms.label(self.tr("All participants are disconnected.")))
        self.add_cancel()
        self.add_button(self.tr("End for everyone"), self._confirm, "danger")

    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit()


class LastModeratorDialog(Dialog):
    """Signals: leave_chosen(), end_chosen()."""

    leave_chosen = Signal()
    end_chosen = Signal()

    def __init__(self, state: CallState, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Leave without a moderator?"), parent)
        self.content.addWidget(
            forms.label(
                self.tr("You are the only moderator. The others can go on without you, or you end the meeting.")
            )
        )
        self.add_cancel(self.tr("Stay"))
        self.add_button(self.tr("End for everyone"), lambda: self._choose(self.end_chosen))
        self.add_button(self.tr("Leave"), lambda: self._choose(self.leave_chosen), "danger")

    def _choose(self, signal: object) -> None:
        self.accept()
        signal.emit()  # type: ignore[attr-defined]


class SwitchDialog(Dialog):
    """A link was opened while a meeting runs."""

    confirmed = Signal()

    def __init__(self, running: str, wanted: str, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Leave this meeting?"), parent)
        self.content.addWidget(
            forms.label(
                self.tr("You are in “{running}”. To join “{wanted}” you leave it first.").format(
                    running=running, wanted=wanted
                )
            )
        )
        self.add_cancel(self.tr("Stay"))
        self.add_button(self.tr("Leave and go on"), self._confirm, "primary")

    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit()


class KickDialog(Dialog):
    """Signals: confirmed(str reason)."""

    confirmed = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Remove {name}?").format(name=name), parent)
        self.content.addWidget(forms.label(self.tr("They are disconnected at once and read your reason.")))
        self.reason = TextField(self.tr("Reason"), self.tr("Reason (optional)"))
        self.reason.setMaxLength(MAX_REASON)
        self.content.addWidget(self.reason)
        self.add_cancel()
        self.add_button(self.tr("Remove"), self._confirm, "danger")
        self.reason.setFocus()

    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit(self.reason.text().strip())


class LockDialog(Dialog):
    """Signals: confirmed(str password)."""

    confirmed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Lock the meeting"), parent)
        self.content.addWidget(forms.label(self.tr("Newcomers need this password. Those who are in stay in.")))
        self.password = PasswordField(self.tr("Password"), self.tr("Password"))
        self.password.setMaxLength(MAX_PASSWORD)
        self.password.textChanged.connect(self._changed)
        self.content.addWidget(self.password)
        self.add_cancel()
        self.confirm = self.add_button(self.tr("Lock"), self._confirm, "primary")
        self._changed()
        self.password.setFocus()

    def _changed(self) -> None:
        self.confirm.set_enabled(bool(self.password.text()), self.tr("Enter a password first"))

    def _confirm(self) -> None:
        if self.password.text():
            self.accept()
            self.confirmed.emit(self.password.text())


class RenameDialog(Dialog):
    """Signals: confirmed(str name)."""

    confirmed = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Change your name"), parent)
        self.name = TextField(self.tr("Your name"), self.tr("Your name"))
        self.name.setMaxLength(MAX_NAME)
        self.name.setText(name)
        self.name.selectAll()
        self.content.addWidget(self.name)
        self.add_cancel()
        self.add_button(self.tr("Change"), self._confirm, "primary")
        self.name.setFocus()

    def _confirm(self) -> None:
        self.accept()
        self.confirmed.emit(self.name.text().strip())
