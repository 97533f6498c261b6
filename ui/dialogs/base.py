"""Frame of all dialogs: title, content, a row of buttons. Modal to its window, never to the program."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from ui import forms
from ui.theme import Space
from ui.widgets.buttons import PushButton
from ui.widgets.focus import FocusRing

WIDTH = 420


class Dialog(QDialog):
    """Deletes itself when closed. Escape cancels, Enter presses the primary button."""

    def __init__(self, title: str, parent: QWidget | None = None, *, width: int = WIDTH) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(width)
        self.title = forms.label(title, "title")
        self.content = QVBoxLayout()
        self.content.setSpacing(Space.M)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(Space.S)
        self.buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        layout.setSpacing(Space.L)
        layout.addWidget(self.title)
        layout.addLayout(self.content)
        layout.addLayout(self.buttons)
        self._ring = FocusRing(self)

    def showEvent(self, event: QShowEvent) -> None:
        # Wrapped labels ask for more height before they know their width.
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            self.resize(self.width(), layout.totalHeightForWidth(self.width()))
        super().showEvent(event)

    def add_button(self, text: str, clicked: object, kind: str = "") -> PushButton:
        """Add a button at the end of the row; the primary or dangerous one is pressed by Enter."""
        button = forms.push_button(text, clicked, kind=kind)  # type: ignore[arg-type]
        if kind in ("primary", "danger"):
            button.setDefault(True)
        self.buttons.addWidget(button)
        return button

    def add_cancel(self, text: str = "") -> PushButton:
        return self.add_button(text or self.tr("Cancel"), self.reject)
