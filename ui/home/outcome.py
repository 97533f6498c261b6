"""Calm full views for the end of a call: it did not work, or it is over."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.calls.model import CallState, Failure
from ui import forms, i18n
from ui.theme import Size, Space
from ui.widgets.buttons import IconButton
from ui.widgets.text import plain
from ui.widgets.toast import announce

CONTENT_WIDTH = 520
DETAILS_HEIGHT = 140
STARS = 5
MAX_DETAILS = 8000
MAX_REASON = 200


class _Centred(QWidget):
    """A column of at most :data:`CONTENT_WIDTH` in the middle of the view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("look", "canvas")
        content = QWidget()
        content.setMaximumWidth(CONTENT_WIDTH)
        self.content = QVBoxLayout(content)
        self.content.setContentsMargins(0, 0, 0, 0)
        self.content.setSpacing(Space.M)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(content, 1000)
        line.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        outer.addStretch(2)
        outer.addLayout(line)
        outer.addStretch(3)


class FailureView(_Centred):
    """Signals:
    retry_requested(), back_requested(), certificate_requested(): explain the certificate problem.
    """

    retry_requested = Signal()
    back_requested = Signal()
    certificate_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failure = Failure("", "")
        self._address = ""
        self.title = forms.label("", "title")
        self.sentence = forms.label("")
        self.address = forms.ElidedLabel("", muted=True)
        self.retry = forms.push_button(self.tr("Try again"), self.retry_requested.emit, kind="primary")
        self.back = forms.push_button(self.tr("Back"), self.back_requested.emit)
        self.certificate = forms.push_button(
            self.tr("About this certificate"), self.certificate_requested.emit, kind="quiet"
        )
        self.fold = forms.push_button(self.tr("Show details"), self.toggle_details, kind="quiet")
        self.copy = forms.push_button(self.tr("Copy details"), self.copy_details, kind="quiet")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setTabChangesFocus(True)
        self.details.setAccessibleName(self.tr("Details"))
        self.details.setMinimumHeight(DETAILS_HEIGHT // 2)
        self.details.setMaximumHeight(DETAILS_HEIGHT)
        self.content.addWidget(forms.icon_label("alert-circle", "bad", 40))
        for widget in (self.title, self.sentence, self.address):
            self.content.addWidget(widget)
        self.content.addSpacing(Space.S)
        self.content.addLayout(forms.row(self.retry, self.back, 1))
        self.content.addLayout(forms.row(self.fold, self.copy, 1, spacing=Space.XS))
        self.content.addLayout(forms.row(self.certificate, 1))
        self.content.addWidget(self.details)

    def show_failure(self, failure: Failure, address: str, title: str = "") -> None:
        """*address*: what was typed, kept in view; *title*: name of the meeting."""
        self._failure, self._address = failure, address
        self.title.setText(
            self.tr("Could not join “{title}”").format(title=title) if title else self.tr("Could not join the meeting")
        )
        self.sentence.setText(i18n.sentence(failure.message))
        self.address.set_text(address)
        self.details.setPlainText(self.details_text())
        self.details.hide()
        self.fold.setText(self.tr("Show details"))
        self.copy.hide()
        self.retry.setVisible(failure.retryable)
        self.certificate.setVisible(failure.code == "tls" or failure.code.startswith("tls_"))
        forms.set_property(self.back, "kind", "" if failure.retryable else "primary")
        if self.isVisible():
            self.focus_first()
        announce(self, f"{self.title.text()}. {self.sentence.text()}", urgent=True)

    def details_text(self) -> str:
        failure = self._failure
        lines = [f"{failure.code}: {failure.message}", self._address, failure.details]
        return "\n".join(line for line in lines if line)[:MAX_DETAILS]

    def focus_first(self) -> None:
        (self.retry if self._failure.retryable else self.back).setFocus()

    def toggle_details(self) -> None:
        visible = self.details.isHidden()
        self.details.setVisible(visible)
        self.copy.setVisible(visible)
        self.fold.setText(self.tr("Hide details") if visible else self.tr("Show details"))

    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(self.details_text())
        self.copy.setText(self.tr("Copied"))

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.copy.setText(self.tr("Copy details"))
        self.focus_first()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            (self.retry_requested if self._failure.retryable else self.back_requested).emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.back_requested.emit()
        else:
            super().keyPressEvent(event)


class Stars(QWidget):
    """One to five stars.

    Signals: chosen(int).
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rating = 0
        self.buttons: list[IconButton] = []
        for number in range(1, STARS + 1):
            button = forms.icon_button("star", self.tr("%n star(s)", "", number), partial(self.choose, number))
            button.setCheckable(True)
            self.buttons.append(button)
        forms.row(*self.buttons, 1, spacing=0, parent=self)
        self.setAccessibleName(self.tr("Rating"))

    def choose(self, number: int) -> None:
        self.rating = number
        for place, button in enumerate(self.buttons, 1):
            button.setChecked(place <= number)
            button.set_state(self.tr("chosen") if place == number else "")
        self.chosen.emit(number)

    def clear(self) -> None:
        self.rating = 0
        for button in self.buttons:
            button.setChecked(False)


class LeftView(_Centred):
    """ "You left": why and how long, a way back in, and how it was.

    Signals:
        rejoin_requested(), home_requested(), rated(int stars).
    """

    rejoin_requested = Signal()
    home_requested = Signal()
    rated = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = forms.label("", "title")
        self.sentence = forms.label("", "muted")
        self.rejoin = forms.push_button(self.tr("Rejoin"), self.rejoin_requested.emit)
        self.home = forms.push_button(self.tr("Back to start"), self.home_requested.emit, kind="primary")
        self.question = forms.label(self.tr("How was the meeting?"))
        self.stars = Stars()
        self.stars.chosen.connect(self._rated)
        self.thanks = forms.label("", "good", wrap=False)
        self.content.addWidget(self.title)
        self.content.addWidget(self.sentence)
        self.content.addSpacing(Space.S)
        self.content.addLayout(forms.row(self.home, self.rejoin, 1))
        self.content.addSpacing(Space.L)
        self.content.addWidget(forms.separator())
        self.content.addSpacing(Space.S)
        self.content.addWidget(self.question)
        self.content.addLayout(forms.row(self.stars, self.thanks, 1))
        self.thanks.setMinimumHeight(Size.BUTTON)

    def show_state(self, state: CallState, now_ms: int) -> None:
        name = state.subject or state.room
        self.title.setText(self.tr("You left {meeting}").format(meeting=name) if name else self.tr("You left"))
        if state.failure is not None:
            # Without one the person left; with one somebody or something else ended it and may have said why.
            self.title.setText(self.tr("The meeting is over for you"))
            sentence = i18n.sentence(state.failure.message)
            said = plain(state.end_reason, MAX_REASON)
            if said and said != state.failure.message:
                sentence += " " + self.tr("The reason given: {reason}").format(reason=said)
            self.sentence.setText(sentence)
        elif state.joined_at is not None:
            self.sentence.setText(self._stay(max(0, now_ms - state.joined_at) // 60_000))
        else:
            self.sentence.setText("")
        self.stars.clear()
        self.thanks.setText("")
        announce(self, f"{self.title.text()}. {self.sentence.text()}")

    def _stay(self, minutes: int) -> str:
        if not minutes:
            return self.tr("You were in it for less than a minute.")
        hours, minutes = divmod(minutes, 60)
        if not hours:
            return self.tr("You were in it for %n minute(s).", "", minutes)
        return self.tr("You were in it for {duration} h.").format(duration=f"{hours}:{minutes:02}")

    def _rated(self, stars: int) -> None:
        self.thanks.setText(self.tr("Noted on this computer. Thank you."))
        self.rated.emit(stars)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.home.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focus = self.focusWidget()
            if isinstance(focus, QAbstractButton):
                focus.click()
        elif event.key() == Qt.Key.Key_Escape:
            self.home_requested.emit()
        else:
            super().keyPressEvent(event)
