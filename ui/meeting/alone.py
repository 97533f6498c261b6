"""What stands over the stage while nobody else is in the meeting."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.theme import DARK, Size, Space, colour
from ui.widgets.buttons import LabelButton
from ui.widgets.text import label


class AloneCard(QWidget):
    """A sentence and the one thing to do about it. Signals: copyRequested."""

    copyRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = LabelButton("copy", self.tr("Copy meeting link"), self)
        self.button.clicked.connect(self.copyRequested)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.L, Space.XS, Space.XS, Space.XS)
        row.setSpacing(Space.M)
        row.addWidget(label(self.tr("You are the only one here"), "stage"))
        row.addWidget(self.button)
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(DARK.line), Size.LINE))
        painter.setBrush(colour(DARK.raised))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.end()
