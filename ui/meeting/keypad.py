"""Keypad panel: tones for conferences and telephone systems (RFC 4733)."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QVBoxLayout, QWidget

from ui.theme import DISABLED_OPACITY, Radius, Space, Type, colour, follow, font, theme
from ui.widgets.panel import SidePanel
from ui.widgets.text import label

KEYS = (
    ("1", ""), ("2", "ABC"), ("3", "DEF"), ("4", "GHI"), ("5", "JKL"), ("6", "MNO"),
    ("7", "PQRS"), ("8", "TUV"), ("9", "WXYZ"), ("*", ""), ("0", "+"), ("#", ""),
)  # fmt: skip
SHOWN_LIMIT = 32
"""Digits kept on the display; nobody reads more, and PINs should not stay."""


class KeypadKey(QAbstractButton):
    def __init__(self, tone: str, letters: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._letters = letters
        self.setText(tone)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setProperty("focusRadius", Radius.CARD)
        self.setFixedSize(72, 56)
        follow(self)

    def sizeHint(self) -> QSize:
        return QSize(72, 56)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(DISABLED_OPACITY)
        painter.setPen(Qt.PenStyle.NoPen)
        fill = p.pressed if self.isDown() else p.hover if self.underMouse() else p.canvas
        painter.setBrush(colour(fill))
        painter.drawRoundedRect(QRectF(self.rect()), Radius.CARD, Radius.CARD)
        painter.setPen(colour(p.text))
        painter.setFont(font(Type.TITLE, strong=True, tabular=True))
        digit = self.rect().adjusted(0, 6, 0, -20) if self._letters else self.rect()
        painter.drawText(digit, Qt.AlignmentFlag.AlignCenter, self.text())
        if self._letters:
            painter.setPen(colour(p.muted))
            painter.setFont(font(11))
            painter.drawText(self.rect().adjusted(0, 32, 0, -6), Qt.AlignmentFlag.AlignCenter, self._letters)
        painter.end()


class KeypadPanel(SidePanel):
    """Signals: toneRequested(str), one of ``0-9 * #``."""

    toneRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(self.tr("Keypad"), parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.display = label("", "title")
        self.display.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.display.setMinimumHeight(40)
        self.display.setFont(font(Type.TITLE, tabular=True))
        self.reason = label("", "muted", wrap=True)
        self.reason.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.reason.hide()
        grid = QGridLayout()
        grid.setSpacing(Space.S)
        names = {"*": self.tr("star"), "#": self.tr("hash")}
        self.keys: dict[str, KeypadKey] = {}
        for index, (tone, letters) in enumerate(KEYS):
            key = KeypadKey(tone, letters, names.get(tone, tone))
            key.clicked.connect(lambda _=False, t=tone: self._press(t))
            grid.addWidget(key, index // 3, index % 3)
            self.keys[tone] = key
        holder = QVBoxLayout()
        holder.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        holder.setSpacing(Space.M)
        holder.addWidget(self.display)
        # Digits run left to right on every telephone.
        pad = QWidget()
        pad.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        pad.setLayout(grid)
        holder.addWidget(pad, 0, Qt.AlignmentFlag.AlignHCenter)
        holder.addWidget(self.reason)
        holder.addStretch()
        self.body.addLayout(holder)

    def set_allowed(self, allowed: bool, reason: str = "") -> None:
        for key in self.keys.values():
            key.setEnabled(allowed)
            key.setToolTip("" if allowed else reason)
        self.reason.setText("" if allowed else reason)
        self.reason.setVisible(bool(self.reason.text()))

    def _press(self, tone: str) -> None:
        self.display.setText((self.display.text() + tone)[-SHOWN_LIMIT:])
        self.toneRequested.emit(tone)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        tone = event.text()
        if tone in self.keys and tone and self.keys[tone].isEnabled():
            self._press(tone)
            return
        super().keyPressEvent(event)
