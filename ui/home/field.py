"""The one field of the home view: what was typed or dropped, what was recognised, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.controller.api import ControllerApi, Recognition
from app.vendors.base import Address
from ui import forms, i18n, icons
from ui.theme import Size, Space, theme
from ui.widgets.fields import TextField
from ui.widgets.toast import announce

MAX_TEXT = 4096
"""Characters; no meeting link is longer."""
RECOGNISE_DELAY_MS = 60
"""Typing quickly asks once, not per key."""


def dropped_text(data: QMimeData) -> str:
    """The first link of *data*, else its first line of text."""
    for url in data.urls():
        if not url.isLocalFile():
            return str(url.toString())[:MAX_TEXT]
    return next((line.strip()[:MAX_TEXT] for line in data.text().splitlines() if line.strip()), "")


class MeetingField(QWidget):
    """Signals:
    opened(Address): the person wants to go there.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller: ControllerApi | None = None
        self._recognition: Recognition | None = None
        self._pending_open = False
        words = self.tr("Meeting link, room, name or number")
        self.edit = TextField(words, words, self, large=True)
        self.edit.setMaxLength(MAX_TEXT)
        self.edit.setClearButtonEnabled(True)
        self.edit.setAcceptDrops(False)
        self.edit.textChanged.connect(self._changed)
        self.edit.returnPressed.connect(self.open)
        self.button = forms.push_button(self.tr("Continue"), self.open, kind="primary", large=True)
        self.button.setMinimumWidth(120)
        self.button.setFixedHeight(self.edit.sizeHint().height())
        self.hint_icon = QLabel(self)
        self.hint_icon.setFixedSize(Size.ICON_SMALL, Size.ICON_SMALL)
        self.hint = forms.label("", "muted")
        self.hint.setObjectName("hint")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(RECOGNISE_DELAY_MS)
        self._timer.timeout.connect(self.recognise)
        self._lay_out()
        forms.follow_theme(self, self._show_hint)

    def _lay_out(self) -> None:
        self._hint_row = QWidget(self)
        hints = QHBoxLayout(self._hint_row)
        hints.setContentsMargins(Space.XS, 0, 0, 0)
        hints.setSpacing(Space.S)
        hints.addWidget(self.hint_icon, 0, Qt.AlignmentFlag.AlignTop)
        hints.addWidget(self.hint, 1)
        self._hint_row.setMinimumHeight(Size.ICON)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.S)
        layout.addLayout(forms.row(self.edit, self.button, spacing=Space.M))
        layout.addWidget(self._hint_row)

    # ------------------------------------------------------------ use

    def attach(self, controller: ControllerApi) -> None:
        self._controller = controller
        self.recognise()
        if self._pending_open:
            self._pending_open = False
            self.open()

    def text(self) -> str:
        return self.edit.text()

    def set_text(self, text: str) -> None:
        self.edit.setText(text[:MAX_TEXT])
        self.recognise()

    def open(self) -> None:
        """Go to what is typed; when it cannot be used the sentence under the field says why and the text stays."""
        if self._controller is None:
            # Typed and confirmed before the rest of the program was loaded.
            self._pending_open = bool(self.text().strip())
            return
        self.recognise()
        recognition = self._recognition
        if recognition is not None and recognition.address is not None:
            self.opened.emit(recognition.address)
            return
        if not self.text().strip():
            self._set(self.tr("Type or paste a meeting link, or the name of a room."), bad=True)
        else:
            self._set(i18n.sentence(recognition.hint) if recognition else "", bad=True)
        self.edit.setFocus()
        self.edit.selectAll()

    @property
    def address(self) -> Address | None:
        return self._recognition.address if self._recognition else None

    # ------------------------------------------------------------ recognition

    def _changed(self) -> None:
        self._pending_open = False
        self._timer.start()

    def recognise(self) -> None:
        self._timer.stop()
        text = self.text().strip()
        if self._controller is None or not text:
            self._recognition = None
            self._set("")
            return
        self._recognition = self._controller.recognise(text)
        self._set(i18n.sentence(self._recognition.hint))

    def _set(self, hint: str, *, bad: bool = False) -> None:
        changed = hint != self.hint.text()
        self._bad = bad
        self.hint.setText(hint)
        self.edit.set_invalid(hint if bad else "")
        self.edit.setAccessibleDescription(hint)
        self._show_hint()
        if changed and hint:
            announce(self.hint, hint)

    _bad = False

    def _show_hint(self) -> None:
        p = theme().palette
        found = self._recognition is not None and self._recognition.address is not None and not self._bad
        name, tint = ("alert-circle", p.bad) if self._bad else ("check", p.good) if found else ("info-circle", p.muted)
        self.hint_icon.setVisible(bool(self.hint.text()))
        self.hint_icon.setPixmap(icons.pixmap(name, tint, Size.ICON_SMALL, self.devicePixelRatioF()))
        forms.set_look(self.hint, "bad" if self._bad else "muted")

    # ------------------------------------------------------------ keys and drops

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.edit.clear()
            event.accept()
            return
        super().keyPressEvent(event)

    @staticmethod
    def accepts(event: QDragEnterEvent) -> bool:
        return bool(dropped_text(event.mimeData()))

    def take_drop(self, event: QDropEvent) -> None:
        self.set_text(dropped_text(event.mimeData()))
        event.acceptProposedAction()
        self.open()
