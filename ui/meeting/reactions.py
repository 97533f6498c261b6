"""Reactions: the emoji of each key, and the layer on which they float up."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import DARK, SCRIM, SCRIM_OPACITY, Duration, Space, Type, colour, elide, font, theme
from ui.widgets.text import plain

MOST = 12
"""Reactions in the air at once; a flood of them would hide the meeting."""
_FRAME_MS = 33
_RISE = 190
_GLYPH = 34


@dataclass(frozen=True, slots=True)
class Reaction:
    key: str
    emoji: str
    label: str

    @property
    def words(self) -> str:
        return QCoreApplication.translate("Reactions", self.label)


REACTIONS: tuple[Reaction, ...] = tuple(
    Reaction(key, emoji, str(words))
    for key, emoji, words in (
        ("like", "👍", QT_TRANSLATE_NOOP("Reactions", "Thumbs up")),
        ("clap", "👏", QT_TRANSLATE_NOOP("Reactions", "Clapping")),
        ("laugh", "😂", QT_TRANSLATE_NOOP("Reactions", "Laughter")),
        ("surprised", "😮", QT_TRANSLATE_NOOP("Reactions", "Surprise")),
        ("boo", "👎", QT_TRANSLATE_NOOP("Reactions", "Disapproval")),
        ("silence", "🤫", QT_TRANSLATE_NOOP("Reactions", "Silence")),
        ("love", "❤️", QT_TRANSLATE_NOOP("Reactions", "Love")),
    )
)
"""In the order of the keys Alt+1 to Alt+6; the last has no key."""
EMOJI = {reaction.key: reaction.emoji for reaction in REACTIONS}


@dataclass(slots=True)
class _Flying:
    emoji: str
    name: str
    x: float
    age_ms: int = 0


class ReactionLayer(QWidget):
    """Laid over the stage; lets every click through; hidden while nothing floats."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._flying: list[_Flying] = []
        self._next = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._step)
        self.hide()

    @property
    def count(self) -> int:
        return len(self._flying)

    def add(self, key: str, name: str) -> None:
        """Let the emoji of *key* rise, with the name of who sent it. Unknown keys are ignored."""
        emoji = EMOJI.get(key)
        if emoji is None:
            return
        # Side by side in turn, so that several at once do not cover each other.
        self._next = (self._next + 1) % 5
        self._flying.append(_Flying(emoji, plain(name, 40), 0.42 + 0.11 * self._next))
        del self._flying[:-MOST]
        self.show()
        self.raise_()
        self._timer.start()
        self.update()

    def _step(self) -> None:
        for one in self._flying:
            one.age_ms += _FRAME_MS
        self._flying = [one for one in self._flying if one.age_ms < Duration.REACTION]
        if not self._flying:
            self._timer.stop()
            self.hide()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        still = theme().reduced_motion
        for one in self._flying:
            progress = 0.35 if still else one.age_ms / Duration.REACTION
            painter.setOpacity(1.0 if still else min(1.0, (1 - progress) * 3))
            rise = (1 - (1 - progress) ** 2) * min(_RISE, self.height() * 0.5)
            across = 1 - one.x if self.isRightToLeft() else one.x
            self._paint_one(painter, one, QPointF(self.width() * across, self.height() - 110 - rise))
        painter.end()

    def _paint_one(self, painter: QPainter, one: _Flying, centre: QPointF) -> None:
        painter.setPen(colour(DARK.text))
        painter.setFont(font(_GLYPH))
        box = QRectF(centre.x() - _GLYPH, centre.y() - _GLYPH / 2 - 6, _GLYPH * 2, _GLYPH * 1.4)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, one.emoji)
        used = font(Type.CAPTION)
        text = elide(one.name, used, 120)
        wide = QFontMetrics(used).horizontalAdvance(text) + 2 * Space.S
        pill = QRectF(centre.x() - wide / 2, box.bottom() + 2, wide, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(SCRIM, SCRIM_OPACITY))
        painter.drawRoundedRect(pill, 10, 10)
        painter.setFont(used)
        painter.setPen(colour(DARK.text))
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
