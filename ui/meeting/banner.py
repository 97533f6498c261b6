"""Quiet banner over a call that is coming back, and the words for being alone."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ui import icons
from ui.theme import DARK, Size, Space, Type, colour, elide, font
from ui.widgets.toast import announce


class Banner(QWidget):
    """One line at the upper edge of the stage: icon and sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._icon = "wifi-off"
        self._tone = "warn"
        self.hide()

    @property
    def text(self) -> str:
        return self._text

    def set_message(self, text: str, icon: str = "wifi-off", tone: str = "warn") -> None:
        """An empty text hides the banner."""
        if (text, icon, tone) == (self._text, self._icon, self._tone):
            return
        self._text, self._icon, self._tone = text, icon, tone
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        if text:
            announce(self, text)
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(font(Type.BODY, strong=True)).horizontalAdvance(self._text)
        return QSize(words + Size.ICON + 3 * Space.M, Size.BUTTON)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(DARK.line), Size.LINE))
        painter.setBrush(colour(DARK.raised))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        mirrored = self.isRightToLeft()
        x = self.width() - Space.M - Size.ICON if mirrored else Space.M
        tone = str(getattr(DARK, self._tone))
        icons.paint(painter, self._icon, tone, QRectF(x, (self.height() - Size.ICON) / 2, Size.ICON, Size.ICON))
        used = font(Type.BODY, strong=True)
        painter.setFont(used)
        painter.setPen(colour(DARK.text))
        near, far = Space.M + Size.ICON + Space.S, Space.M
        area = self.rect().adjusted(far if mirrored else near, 0, -near if mirrored else -far, 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(area, flags, elide(self._text, used, area.width() + 2))
        painter.end()
