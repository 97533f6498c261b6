"""Frame of a side panel: title, close button, content."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from ui.theme import Size, Space
from ui.widgets.buttons import IconButton
from ui.widgets.text import Line, label


class SidePanel(QWidget):
    """Chat, participants, keypad and the like stand in this frame. :attr:`body` takes the content.

    Signals:
        closeRequested: the person pressed the cross or Escape.
    """

    closeRequested = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        # The panel as a whole may have the keyboard (keypad digits); a ring around it would say nothing.
        self.setProperty("noFocusRing", True)
        self.setMinimumWidth(Size.SIDE_PANEL_MIN)
        self._title = label(title, "emphasis")
        self.header = QHBoxLayout()
        """Between title and cross, for the panel's own buttons."""
        self.close_button = IconButton("x", self.tr("Close panel"))
        top = QHBoxLayout()
        top.setContentsMargins(Space.L, 0, Space.S, 0)
        top.setSpacing(Space.XS)
        top.addWidget(self._title, 1)
        top.addLayout(self.header)
        top.addWidget(self.close_button)
        bar = QWidget()
        bar.setFixedHeight(Size.TOP_BAR)
        bar.setLayout(top)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(bar)
        whole.addWidget(Line())
        whole.addLayout(self.body, 1)
        self.close_button.clicked.connect(self.closeRequested)

    def set_title(self, title: str) -> None:
        self._title.setText(title)
        self.setAccessibleName(title)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closeRequested.emit()
            return
        super().keyPressEvent(event)
