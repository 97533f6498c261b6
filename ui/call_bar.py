"""A running call that is not in view: a bar at the top of every other view."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.calls.model import CallPhase, CallState
from ui import forms
from ui.phone.words import call_words, peer
from ui.theme import Duration, Size, Space
from ui.widgets.buttons import IconButton
from ui.widgets.marks import Avatar
from ui.widgets.text import Line, plain


def duration_text(milliseconds: int) -> str:
    """``4:05`` or ``1:04:05``."""
    seconds = max(0, milliseconds) // 1000
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class CallBar(QWidget):
    """A meeting, or the phone call in the foreground with a word about the others.

    Signals: return_requested(), microphone_requested(bool muted), leave_requested().
    """

    return_requested = Signal()
    microphone_requested = Signal(bool)
    leave_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "surface")
        self.setAccessibleName(self.tr("Running meeting"))
        self._state: CallState | None = None
        self._note = ""
        self._held_since: int | None = None
        self.avatar = Avatar("", 32)
        self.name = forms.ElidedLabel("", strong=True)
        self.detail = forms.ElidedLabel("", muted=True, size=12)
        self.microphone = IconButton("microphone", self.tr("Mute microphone"))
        self.microphone.clicked.connect(self._toggle)
        self.leave = IconButton("phone-off", self.tr("Leave"))
        self.leave.set_tint("bad")
        self.leave.clicked.connect(self.leave_requested)
        self.back = forms.push_button(self.tr("Return"), self.return_requested.emit, kind="primary")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self.name)
        texts.addWidget(self.detail)
        inner = QWidget()
        inner.setFixedHeight(Size.TOP_BAR + Space.S)
        line = QHBoxLayout(inner)
        line.setContentsMargins(Space.L, 0, Space.L, 0)
        line.setSpacing(Space.S)
        line.addWidget(self.avatar)
        line.addLayout(texts, 1)
        for widget in (self.microphone, self.leave, self.back):
            line.addWidget(widget)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(inner)
        whole.addWidget(Line())
        self._clock = QTimer(self)
        self._clock.setInterval(Duration.TICK)
        self._clock.timeout.connect(self._tick)
        self.hide()

    def show_state(self, state: CallState, note: str = "", held_since: int | None = None) -> None:
        """*note*: what else there is ("2 other calls on hold"); *held_since* of a phone call on hold, ms."""
        self._state, self._note, self._held_since = state, note, held_since
        phone = state.phone is not None
        self.setAccessibleName(self.tr("Running call") if phone else self.tr("Running meeting"))
        self.leave.set_text(self.tr("Hang up") if phone else self.tr("Leave"))
        name = peer(state) if phone else plain(state.subject or state.room)
        self.avatar.set_person(name)
        self.name.set_text(name)
        muted = state.local.microphone_muted
        self.microphone.set_icon("microphone-off" if muted else "microphone")
        self.microphone.set_text(self.tr("Unmute microphone") if muted else self.tr("Mute microphone"))
        self.microphone.set_state(self.tr("Microphone is off") if muted else self.tr("Microphone is on"))
        self.microphone.set_tint("bad" if muted else "")
        self._tick()

    def _tick(self) -> None:
        state = self._state
        if state is None:
            return
        if state.phone is not None:
            words = call_words(state, self._held_since)
            self.detail.set_text(f"{words} · {self._note}" if self._note else words)
        elif state.phase is CallPhase.RECONNECTING:
            self.detail.set_text(self.tr("Reconnecting…"))
        elif state.joined_at is not None:
            self.detail.set_text(duration_text(int(time.time() * 1000) - state.joined_at))
        else:
            self.detail.set_text(self.tr("Joining…"))

    def _toggle(self) -> None:
        if self._state is not None:
            self.microphone_requested.emit(not self._state.local.microphone_muted)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._clock.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._clock.stop()
