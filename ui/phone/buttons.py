"""The round buttons of a phone call, with their words under them."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from ui import icons
from ui.theme import Size, Space, Type, colour, elide, font, theme
from ui.widgets.buttons import IconButton

CIRCLE = 52
WORDS = 20


class RoundButton(IconButton):
    """*tone*: empty, ``danger`` (ends), ``good`` (answers) or ``on`` (switched on now)."""

    def __init__(self, icon: str, words: str, parent: QWidget | None = None, *, width: int = 84) -> None:
        super().__init__(icon, words, parent, icon_size=Size.ICON_CALL)
        self._words = words
        self._tone = ""
        self.setFixedSize(width, CIRCLE + WORDS + Space.XS)
        self.setProperty("focusRadius", 10)

    def set_words(self, words: str, *, does: str = "") -> None:
        """The word under the circle; *does* says a click's effect where the word alone is too short."""
        if words != self._words:
            self._words = words
            self.update()
        self.set_text(does or words)

    @property
    def words(self) -> str:
        return self._words

    def set_tone(self, tone: str) -> None:
        if tone != self._tone:
            self._tone = tone
            self.update()

    @property
    def tone(self) -> str:
        return self._tone

    def sizeHint(self) -> QSize:
        return self.size()

    def _colours(self) -> tuple[str, str]:
        p = theme().palette
        if self._tone == "danger":
            down, hover = p.danger_pressed, p.danger_hover
            return (down if self.isDown() else hover if self.underMouse() else p.danger), p.on_danger
        if self._tone == "good":
            return p.good, p.surface
        if self._tone == "on":
            return p.accent, p.on_accent
        if self._tone == "off":
            return p.off_fill, p.bad
        return (p.raised_pressed if self.isDown() else p.raised_hover if self.underMouse() else p.surface), p.text

    def paint_body(self, painter: QPainter) -> None:
        p = theme().palette
        fill, ink = self._colours()
        circle = QRectF((self.width() - CIRCLE) / 2, 0, CIRCLE, CIRCLE).adjusted(1, 1, -1, -1)
        painter.setPen(colour(p.line) if not self._tone else Qt.PenStyle.NoPen)
        painter.setBrush(colour(fill))
        painter.drawEllipse(circle)
        box = QRectF(0, 0, Size.ICON_CALL, Size.ICON_CALL)
        box.moveCenter(circle.center())
        icons.paint(painter, self.icon_name, ink, box)
        used = font(Type.CAPTION)
        painter.setFont(used)
        painter.setPen(colour(p.text))
        room = QRectF(0, CIRCLE + Space.XS, self.width(), WORDS)
        words = self._words
        if QFontMetrics(used).horizontalAdvance(words) > self.width():
            words = elide(words, used, self.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, words)
