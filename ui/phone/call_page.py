"""A phone call: without video who it is, how long, and round buttons; with video the meeting's stage and a bar."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.calls.model import CallPhase, CallState
from app.calls.selectors import quality_bars, remote_participants
from ui import forms
from ui.meeting.view import MeetingView
from ui.phone.acts import Act, PhoneActs
from ui.phone.buttons import RoundButton
from ui.phone.hub import PhoneHub
from ui.phone.words import call_words, peer, peer_number
from ui.theme import Duration, Size, Space
from ui.widgets.buttons import IconButton, open_menu_at
from ui.widgets.marks import Avatar, Pill
from ui.widgets.text import Line
from ui.widgets.toast import announce

ROW = ("mute", "hold", "transfer", "add", "keypad", "video", "record")
BAR = ("hold", "transfer", "add", "keypad", "video", "record")
WIDE = 780
"""Narrower pages put the buttons in two rows."""
DIGITS = "0123456789*#"


def show_act(button: IconButton, act: Act) -> None:
    """Make *button* say what *act* says."""
    button.setVisible(act.capability.present)
    button.set_icon(act.icon)
    if isinstance(button, RoundButton):
        button.set_words(act.words, does=act.does)
        button.set_tone(act.tone)
    button.set_text(act.does, act.shortcut)
    button.set_enabled(act.capability.allowed, PhoneActs.reason(act))
    if act.capability.allowed:
        button.set_state(act.state)


class AudioPage(QWidget):
    """A call without pictures."""

    def __init__(self, hub: PhoneHub, acts: PhoneActs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._acts = acts
        self._state: CallState | None = None
        self._rows = 0
        self._spoken = ""
        self.setProperty("look", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.avatar = Avatar("", 104)
        self.name = forms.label("", "display")
        self.number = forms.label("", "muted", wrap=False)
        self.status = forms.label("", "emphasis")
        self.note = forms.label("", "warn")
        for label in (self.name, self.number, self.status, self.note):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.quality = Pill("", "good")
        self.recording = Pill(self.tr("Recording"), "bad", "player-record")
        self.buttons = {name: RoundButton("dots", "") for name in ROW}
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _c=False, n=name: acts.run(n))
        self.more = RoundButton("dots", self.tr("More"))
        self.more.set_text(self.tr("More actions"))
        self.more.clicked.connect(self._open_menu)
        self.hang_up = RoundButton("phone-off", self.tr("Hang up"))
        self.hang_up.set_tone("danger")
        self.hang_up.clicked.connect(lambda: acts.run("hang_up"))
        self._lay_out()
        self._clock = QTimer(self)
        self._clock.setInterval(Duration.TICK)
        self._clock.timeout.connect(self._tick)

    def _lay_out(self) -> None:
        pills = forms.row(1, self.quality, self.recording, 1)
        self._upper, self._lower = QHBoxLayout(), QHBoxLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        column.setSpacing(Space.XS)
        column.addStretch(3)
        column.addWidget(self.avatar, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(Space.S)
        for widget in (self.name, self.number, self.status, self.note):
            column.addWidget(widget)
        column.addLayout(pills)
        column.addStretch(3)
        for line in (self._upper, self._lower):
            line.setSpacing(Space.XS)
            column.addLayout(line)
        column.addStretch(1)

    def _arrange(self, rows: int) -> None:
        if rows == self._rows:
            return
        self._rows = rows
        for line in (self._upper, self._lower):
            while line.count():
                line.takeAt(0)
        every: list[QWidget] = [*self.buttons.values(), self.more]
        half = 5
        upper, lower = (every, [self.hang_up]) if rows == 1 else (every[:half], [*every[half:], self.hang_up])
        for line, widgets in ((self._upper, upper), (self._lower, lower)):
            line.addStretch(1)
            for widget in widgets:
                line.addWidget(widget)
            line.addStretch(1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(1 if self.width() >= WIDE and self.height() >= 460 else 2)

    def show_state(self, state: CallState) -> None:
        self._state = state
        name = peer(state)
        self.avatar.set_person(name)
        self.name.setText(name)
        self.number.setText(peer_number(state))
        self.number.setVisible(bool(self.number.text()))
        phone = state.phone
        self.note.setText(self._note(state))
        self.note.setVisible(bool(self.note.text()))
        self.recording.setVisible(phone is not None and phone.recording in ("active", "paused"))
        paused = phone is not None and phone.recording == "paused"
        self.recording.set_text(self.tr("Recording paused") if paused else self.tr("Recording"))
        self._show_quality(state)
        setting_up = state.phase in (CallPhase.CONNECTING, CallPhase.RINGING)
        acts = self._acts.describe(state)
        for key, button in self.buttons.items():
            show_act(button, acts[key])
            if setting_up and key not in ("mute", "keypad"):
                button.set_enabled(False, self.tr("Wait until the call is answered"))
        self.more.setVisible(not setting_up)
        self._tick()

    def _note(self, state: CallState) -> str:
        phone = state.phone
        if phone is None:
            return ""
        if phone.held_by_remote:
            return self.tr("{name} has put you on hold").format(name=peer(state))
        others = [
            peer(one)
            for one in self._hub.shown_calls()
            if phone.conference_id and one.phone and one.phone.conference_id == phone.conference_id
            if one.call_id != state.call_id
        ]
        return self.tr("Conference with {names}").format(names=", ".join(others)) if others else ""

    def _show_quality(self, state: CallState) -> None:
        person = next(iter(remote_participants(state)), None)
        bars = quality_bars(person.quality if person is not None else None)
        self.quality.setVisible(bars is not None and state.phase is CallPhase.JOINED)
        if bars is not None:
            words = {3: self.tr("Good connection"), 2: self.tr("Fair connection"), 1: self.tr("Poor connection")}[bars]
            self.quality.set_text(words, {3: "good", 2: "warn", 1: "bad"}[bars])

    def _tick(self) -> None:
        state = self._state
        if state is None:
            return
        words = call_words(state, self._hub.held_since.get(state.call_id))
        self.status.setText(words)
        # Seconds are not read aloud, changes of state are.
        kind = f"{state.phase}{state.phone.held if state.phone else ''}"
        if kind != self._spoken and self.isVisible():
            self._spoken = kind
            announce(self.status, words)

    def _open_menu(self) -> None:
        if self._state is not None:
            open_menu_at(self._acts.more_menu(self._state, self), self.more)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._clock.start()
        self._tick()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._clock.stop()


class PhoneStage(MeetingView):
    """The meeting's stage for a phone call: digits are tones for the other side."""

    digit: Callable[[str], object] | None = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier
        if self.digit is not None and event.text() in DIGITS and event.text() and not plain:
            self.digit(event.text())
            return
        super().keyPressEvent(event)


class PhoneBar(QWidget):
    """Above the stage: what a phone call has beyond a meeting. Signals: none; it runs *acts*."""

    more_requested = Signal()

    def __init__(self, hub: PhoneHub, acts: PhoneActs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub, self._acts = hub, acts
        self._state: CallState | None = None
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = forms.ElidedLabel("", strong=True)
        self.status = forms.ElidedLabel("", muted=True, size=12)
        self.buttons = {name: IconButton("dots", name) for name in BAR}
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _c=False, n=name: acts.run(n))
        self.more = IconButton("dots", self.tr("More actions"))
        self.more.clicked.connect(self._open_menu)
        words = forms.column(spacing=0)
        words.addWidget(self.name)
        words.addWidget(self.status)
        inner = QWidget()
        inner.setFixedHeight(Size.TOP_BAR)
        line = forms.row(words, *self.buttons.values(), self.more, spacing=Space.XS, parent=inner)
        line.setContentsMargins(Space.L, 0, Space.M, 0)
        line.setStretch(0, 1)
        column = forms.column(self, spacing=0)
        column.addWidget(inner)
        column.addWidget(Line())
        self._clock = QTimer(self)
        self._clock.setInterval(Duration.TICK)
        self._clock.timeout.connect(self._tick)
        self._clock.start()

    def show_state(self, state: CallState) -> None:
        self._state = state
        self.name.set_text(" · ".join(part for part in (peer(state), peer_number(state)) if part))
        acts = self._acts.describe(state)
        for key, button in self.buttons.items():
            show_act(button, acts[key])
            button.set_tint("bad" if acts[key].tone == "off" else "accent" if acts[key].tone == "on" else "")
        self._tick()

    def _tick(self) -> None:
        if self._state is not None:
            self.status.set_text(call_words(self._state, self._hub.held_since.get(self._state.call_id)))

    def _open_menu(self) -> None:
        if self._state is not None:
            open_menu_at(self._acts.more_menu(self._state, self), self.more, above=False)
