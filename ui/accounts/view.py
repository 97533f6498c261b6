"""The page of accounts: each with its state, presence and forwards; add another."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from ui import forms
from ui.accounts.card import AccountCard
from ui.phone.context import PhoneContext
from ui.theme import Space

WIDTH = 560


class AccountsView(QWidget):
    """Signals: sign_in_requested(str): account id, empty for a new one."""

    sign_in_requested = Signal(str)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setProperty("look", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Accounts"))
        self.cards: dict[str, AccountCard] = {}
        self.add = forms.push_button(self.tr("Add account"), lambda: self.sign_in_requested.emit(""), icon="plus")
        self._column = QVBoxLayout()
        self._column.setSpacing(Space.M)
        inner = QWidget()
        inner.setMaximumWidth(WIDTH)
        box = QVBoxLayout(inner)
        box.setContentsMargins(Space.L, Space.XL, Space.L, Space.XL)
        box.setSpacing(Space.L)
        title = forms.row(forms.label(self.tr("Accounts"), "display", wrap=False), 1, self.add)
        box.addLayout(title)
        box.addLayout(self._column)
        box.addStretch(1)
        holder = QWidget()
        line = forms.row(1, inner, 1, parent=holder)
        line.setStretch(1, 100)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(holder)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        context.changed.connect(self.refresh)

    def refresh(self) -> None:
        known = [one.account_id for one in self._context.accounts()]
        for account_id in [one for one in self.cards if one not in known]:
            card = self.cards.pop(account_id)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for account_id in known:
            if account_id not in self.cards:
                card = AccountCard(self._context, account_id)
                card.sign_in_requested.connect(self.sign_in_requested)
                self.cards[account_id] = card
                self._column.addWidget(card)

    def enter(self) -> None:
        self.add.setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
