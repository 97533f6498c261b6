"""The rail at the edge: where one can go, and at its foot settings and help."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.theme import Size, Space, colour, follow, theme
from ui.widgets.buttons import IconButton


class Rail(QWidget):
    """Signals: home_requested(), meeting_requested(), settings_requested(), help_requested()."""

    home_requested = Signal()
    meeting_requested = Signal()
    settings_requested = Signal()
    help_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(Size.RAIL)
        self.setAccessibleName(self.tr("Navigation"))
        side = Size.CALL_BUTTON
        self.home = IconButton("home", self.tr("Home"), size=side)
        self.meeting = IconButton("video", self.tr("Meeting"), size=side)
        self.settings = IconButton("settings", self.tr("Settings"), size=side)
        self.help = IconButton("help", self.tr("Help"), size=side)
        for button in (self.home, self.meeting):
            button.setCheckable(True)
        self.home.clicked.connect(lambda: self._go(self.home_requested))
        self.meeting.clicked.connect(lambda: self._go(self.meeting_requested))
        self.settings.clicked.connect(self.settings_requested)
        self.help.clicked.connect(self.help_requested)
        self._where = "home"
        column = QVBoxLayout(self)
        column.setContentsMargins(10, Space.M, 10, Space.M)
        column.setSpacing(Space.S)
        column.addWidget(self.home)
        column.addWidget(self.meeting)
        column.addStretch(1)
        column.addWidget(self.help)
        column.addWidget(self.settings)
        self.meeting.hide()
        self.set_where("home")
        follow(self)

    def _go(self, signal: object) -> None:
        # The window answers with set_where: a click alone does not move the mark.
        self.set_where(self._where)
        signal.emit()  # type: ignore[attr-defined]

    def set_where(self, where: str) -> None:
        """``home``, ``meeting`` or empty."""
        self._where = where
        for name, button in (("home", self.home), ("meeting", self.meeting)):
            button.setChecked(name == where)
            button.set_state(self.tr("shown now") if name == where else "")

    def set_meeting(self, running: bool) -> None:
        self.meeting.setVisible(running)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(p.surface))
        x = 0 if self.isRightToLeft() else self.width() - Size.LINE
        painter.fillRect(QRectF(x, 0, Size.LINE, self.height()), colour(p.line))
        painter.end()
