"""Small marks: avatar, pill, badge, level meter. They take no input."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui import icons
from ui.theme import ON_PERSON, Type, blend, colour, follow, font, person_colour, theme
from ui.widgets.text import plain


def initials(name: str) -> str:
    """One or two letters that stand for *name*; ``?`` for a name without letters or digits."""
    words = [word for word in plain(name).split() if any(char.isalnum() for char in word)]
    letters = [next(char for char in word if char.isalnum()) for word in words]
    if not letters:
        return "?"
    return (letters[0] + (letters[-1] if len(letters) > 1 else "")).upper()


def paint_avatar(painter: QPainter, rect: QRectF, name: str, image: QImage | None = None) -> None:
    """A round picture, or initials on the colour that belongs to *name*."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if image is not None and not image.isNull():
        path = QPainterPath()
        path.addEllipse(rect)
        painter.setClipPath(path)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = min(image.width(), image.height())
        source = QRectF((image.width() - side) / 2, (image.height() - side) / 2, side, side)
        painter.drawImage(rect, image, source)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(person_colour(name)))
        painter.drawEllipse(rect)
        painter.setPen(colour(ON_PERSON))
        painter.setFont(font(max(8, round(rect.height() * 0.38)), strong=True))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, initials(name))
    painter.restore()


class Avatar(QWidget):
    """Picture or initials of a person, *side* px, with an optional presence dot (palette token)."""

    def __init__(self, name: str = "", side: int = 32, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._image: QImage | None = None
        self._dot = ""
        self.setFixedSize(side, side)
        follow(self)

    def set_person(self, name: str, image: QImage | None = None, dot: str = "") -> None:
        if (name, image, dot) != (self._name, self._image, self._dot):
            self._name, self._image, self._dot = name, image, dot
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_avatar(painter, QRectF(self.rect()), self._name, self._image)
        if self._dot:
            p = theme().palette
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            side = max(8.0, self.width() * 0.3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.surface))
            painter.drawEllipse(QRectF(self.width() - side, self.height() - side, side, side))
            painter.setBrush(colour(str(getattr(p, self._dot))))
            painter.drawEllipse(QRectF(self.width() - side + 2, self.height() - side + 2, side - 4, side - 4))
        painter.end()


class Pill(QWidget):
    """A short word in a rounded fill: a role, a state. *tone*: good, warn, bad, accent or muted."""

    def __init__(self, text: str = "", tone: str = "muted", icon: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._tone, self._icon = text, tone, icon
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        follow(self)

    def set_text(self, text: str, tone: str = "") -> None:
        self._text, self._tone = text, tone or self._tone
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(font(Type.CAPTION, strong=True)).horizontalAdvance(self._text)
        return QSize(words + 16 + (18 if self._icon else 0), 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        tone = str(getattr(p, self._tone))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(blend(tone, p.surface, 0.12)))
        painter.drawRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        box = QRectF(self.rect()).adjusted(8, 0, -8, 0)
        if self._icon:
            x = box.right() - 14 if self.isRightToLeft() else box.x()
            icons.paint(painter, self._icon, tone, QRectF(x, 4, 14, 14))
            box = box.adjusted(0, 0, -18, 0) if self.isRightToLeft() else box.adjusted(18, 0, 0, 0)
        painter.setFont(font(Type.CAPTION, strong=True))
        painter.setPen(colour(p.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, self._text)
        painter.end()


class Badge(QWidget):
    """A number in the accent colour; hidden at 0. ``99+`` above 99."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count = 0
        self.setFixedHeight(18)
        self.hide()
        follow(self)

    def set_count(self, count: int) -> None:
        if count == self._count:
            return
        self._count = count
        self.setAccessibleName(str(count))
        self.setFixedWidth(self.sizeHint().width())
        self.setVisible(count > 0)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(max(18, QFontMetrics(font(11, strong=True)).horizontalAdvance(self._text()) + 10), 18)

    def _text(self) -> str:
        return "99+" if self._count > 99 else str(self._count)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(p.accent))
        painter.drawRoundedRect(QRectF(self.rect()), 9, 9)
        painter.setPen(colour(p.on_accent))
        painter.setFont(font(11, strong=True, tabular=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text())
        painter.end()


class LevelMeter(QWidget):
    """Bar of steps that shows how loud the microphone is; amber above 0.85."""

    STEPS = 24

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._level = 0.0
        self._lit = 0
        self.setAccessibleName(name)
        self.setFixedHeight(8)
        self.setMinimumWidth(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        follow(self)

    @property
    def level(self) -> float:
        return self._level

    def set_level(self, level: float) -> None:
        """0.0 .. 1.0; repaints only when another step lights up."""
        self._level = min(1.0, max(0.0, level))
        lit = round(self._level * self.STEPS)
        if lit != self._lit:
            self._lit = lit
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        step = self.width() / self.STEPS
        for index in range(self.STEPS):
            place = self.STEPS - 1 - index if self.isRightToLeft() else index
            loud = index >= self.STEPS * 0.85
            value = (p.warn if loud else p.good) if index < self._lit else p.line
            painter.setBrush(colour(value))
            painter.drawRoundedRect(QRectF(place * step, 0, max(1.0, step - 2), self.height()), 2, 2)
        painter.end()


__all__ = ["Avatar", "Badge", "LevelMeter", "Pill", "initials", "paint_avatar"]
