"""The account at the foot of the rail: picture, and a mark that always says whether calls can reach us."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.calls.accounts import AccountState
from ui import icons
from ui.phone.words import account_name, account_words
from ui.theme import colour, theme
from ui.widgets.buttons import IconButton
from ui.widgets.marks import paint_avatar

_ORDER = ("good", "muted", "accent", "warn", "bad")
"""From best to worst: with several accounts the worst is shown."""
_ICONS = {"good": "check", "warn": "wifi-off", "bad": "x"}


class AccountButton(IconButton):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("user-circle", "", parent, size=44)
        self.setCheckable(True)
        self._name = ""
        self._tone = ""
        self.show_accounts(())

    @property
    def tone(self) -> str:
        """Palette token of the mark; empty without an account."""
        return self._tone

    def show_accounts(self, accounts: tuple[AccountState, ...]) -> None:
        if not accounts:
            self._name = self._tone = ""
            self.set_text(self.tr("Sign in"))
            self.set_state(self.tr("No account"))
        else:
            said = [(account_name(one), *account_words(one)) for one in accounts]
            self._name = said[0][0]
            self._tone = max((tone for _name, _words, tone in said), key=_ORDER.index)
            self.set_text(self.tr("Accounts"))
            self.set_state("; ".join(f"{name}: {words}" for name, words, _tone in said))
            self.setToolTip("\n".join(f"{name}: {words}" for name, words, _tone in said))
        self.update()

    def paint_body(self, painter: QPainter) -> None:
        if not self._name:
            super().paint_body(painter)
            return
        p = theme().palette
        fill = self.fill()
        if fill is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        side = min(self.width(), self.height()) - 10.0
        face = QRectF(0, 0, side, side)
        face.moveCenter(QRectF(self.rect()).center())
        paint_avatar(painter, face, self._name)
        mark = QRectF(0, 0, 16, 16)
        mark.moveCenter(face.bottomLeft() if self.isRightToLeft() else face.bottomRight())
        mark.translate(2 if self.isRightToLeft() else -2, -3)
        painter.setPen(QPen(colour(p.surface), 2))
        painter.setBrush(colour(str(getattr(p, self._tone))))
        painter.drawEllipse(mark)
        icon = _ICONS.get(self._tone)
        if icon:
            icons.paint(painter, icon, p.surface, mark.adjusted(3, 3, -3, -3))
