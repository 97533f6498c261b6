"""The list of keyboard shortcuts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QWidget

from ui import forms
from ui.dialogs.base import Dialog
from ui.i18n import translate
from ui.meeting.shortcuts import SHORTCUTS
from ui.phone.shortcuts import PHONE_SHORTCUTS
from ui.theme import Radius, Space, theme

HEIGHT = 420


class KeyCap(QLabel):
    """One key as it stands on a keyboard."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumWidth(28)
        forms.follow_theme(self, self._restyle)

    def _restyle(self) -> None:
        p = theme().palette
        self.setStyleSheet(
            f"background: {p.canvas}; border: 1px solid {p.line}; border-radius: {Radius.SMALL}px;"
            f"padding: 2px {Space.S}px; color: {p.text}; font-weight: 600;"
        )


def shortcuts_table(parent: QWidget | None = None) -> QWidget:
    """What each key does, one row each."""
    table = QWidget(parent)
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, Space.M, 0)
    grid.setHorizontalSpacing(Space.L)
    grid.setVerticalSpacing(Space.S)
    every = (*SHORTCUTS, *PHONE_SHORTCUTS)
    for line, shortcut in enumerate(every):
        words = forms.label(shortcut.words)
        keys = [KeyCap(key) for key in shortcut.shown()]
        words.setAccessibleDescription(", ".join(shortcut.shown()))
        grid.addWidget(words, line, 0)
        grid.addLayout(forms.row(1, *keys, spacing=Space.XS), line, 1)
    grid.setColumnStretch(0, 1)
    grid.setRowStretch(len(every), 1)
    table.setProperty("look", "surface")
    return table


class ShortcutsDialog(Dialog):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "Keyboard shortcuts"), parent, width=520)
        self.content.addWidget(
            forms.label(self.tr("Single letters work while you are not typing in a field."), "muted")
        )
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setMinimumHeight(HEIGHT)
        scroll.setAccessibleName(self.tr("Keyboard shortcuts"))
        scroll.setWidget(shortcuts_table())
        self.content.addWidget(scroll)
        self.add_button(self.tr("Close"), self.accept, "primary")
