"""Plays a voicemail or a recording: play, pause, position. Hidden while nothing is loaded."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt, QUrl, Signal
from PySide6.QtWidgets import QSlider, QWidget

from app.calls.accounts import FetchAudio, Page
from app.calls.model import Failure
from app.calls.selectors import duration_text
from ui import forms, i18n
from ui.phone.context import PhoneContext
from ui.theme import Space
from ui.widgets.text import Line, plain

MAX_AUDIO = 64 * 1024 * 1024
"""Bytes; an hour of telephone sound is less."""
STEP_MS = 5000


class Player(QWidget):
    """Signals: started(str key): its sound plays now."""

    started = Signal(str)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._player: Any = None
        self._buffer: QBuffer | None = None
        self._output: Any = None
        self.key = ""
        self.setAccessibleName(self.tr("Player"))
        self.title = forms.ElidedLabel("", strong=True)
        self.toggle = forms.icon_button("player-play", self.tr("Play"), self.toggle_play)
        self.position = QSlider(Qt.Orientation.Horizontal)
        self.position.setAccessibleName(self.tr("Position"))
        self.position.setPageStep(STEP_MS)
        self.position.setSingleStep(STEP_MS)
        self.position.sliderMoved.connect(self.seek)
        self.position.actionTriggered.connect(lambda _a: self.seek(self.position.sliderPosition()))
        self.time = forms.label("0:00 / 0:00", "caption", wrap=False)
        self.close_button = forms.icon_button("x", self.tr("Close the player"), self.stop)
        self.problem = forms.label("", "bad")
        self.problem.hide()
        line = forms.row(self.toggle, self.position, self.time, self.close_button)
        line.setStretch(1, 1)
        column = forms.column(self, spacing=Space.XS)
        column.addWidget(Line())
        inner = forms.column(margin=Space.M, spacing=Space.XS)
        inner.addWidget(self.title)
        inner.addLayout(line)
        inner.addWidget(self.problem)
        column.addLayout(inner)
        self.hide()

    def load(self, key: str, title: str, query: FetchAudio, account: str) -> None:
        """Fetch the sound and play it; the same *key* again only plays on."""
        if key == self.key and self._player is not None:
            self._player.play()
            return
        self.stop()
        self.key = key
        self.title.set_text(title)
        self.time.setText(self.tr("Loading…"))
        self.toggle.set_enabled(False, self.tr("Loading…"))
        self.position.setEnabled(False)
        self.show()
        self._context.find(query, lambda page: self._fetched(key, page), lambda f: self._broke(key, f), account)

    def _fetched(self, key: str, page: Page) -> None:
        if key != self.key:
            return
        data = page.items[0] if page.items else b""
        if not isinstance(data, (bytes, bytearray)) or not data or len(data) > MAX_AUDIO:
            self._broke(key, Failure("no_audio", self.tr("The server sent no sound.")))
            return
        self._start(bytes(data))

    def _start(self, data: bytes) -> None:
        from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer

        self._buffer = QBuffer(self)
        self._buffer.setData(QByteArray(data))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._output = QAudioOutput(self)
        self._player = QMediaPlayer(self)
        self._player.setAudioOutput(self._output)
        self._player.positionChanged.connect(lambda _p: self._show())
        self._player.durationChanged.connect(lambda _d: self._show())
        self._player.playbackStateChanged.connect(lambda _s: self._show())
        self._player.errorOccurred.connect(lambda _e, words: self._show_problem(words))
        self._player.setSourceDevice(self._buffer, QUrl("sound.wav"))
        self.toggle.set_enabled(True)
        self.position.setEnabled(True)
        self._player.play()
        self._show()
        self.started.emit(self.key)

    def _broke(self, key: str, failure: Failure) -> None:
        if key == self.key:
            self._show_problem(i18n.sentence(failure.message))

    def _show_problem(self, words: str) -> None:
        self.time.setText("")
        self.problem.setText(plain(words, 300) or self.tr("This sound cannot be played."))
        self.problem.show()
        self.key = ""

    @property
    def playing(self) -> bool:
        return self._player is not None and self._player.playbackState() == self._player.PlaybackState.PlayingState

    def _show(self) -> None:
        if self._player is None:
            return
        length, now = self._player.duration(), self._player.position()
        self.position.setMaximum(max(1, length))
        if not self.position.isSliderDown():
            self.position.setValue(now)
        self.time.setText(f"{duration_text(now)} / {duration_text(length)}")
        self.toggle.set_icon("player-pause" if self.playing else "player-play")
        self.toggle.set_text(self.tr("Pause") if self.playing else self.tr("Play"))
        self.toggle.set_state(self.tr("Playing") if self.playing else self.tr("Paused"))

    def toggle_play(self) -> None:
        if self._player is not None:
            self._player.pause() if self.playing else self._player.play()

    def seek(self, milliseconds: int) -> None:
        if self._player is not None:
            self._player.setPosition(milliseconds)

    def stop(self) -> None:
        """Stop and forget the sound."""
        for one in (self._player, self._output, self._buffer):
            if one is not None:
                one.deleteLater()
        if self._player is not None:
            self._player.stop()
        self._player = self._output = self._buffer = None
        self.key = ""
        self.problem.hide()
        self.hide()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        if self._player is not None:
            self._player.pause()
