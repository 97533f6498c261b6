"""Dial: one field for number, name, extension or SIP address, with the pad under it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.calls.accounts import AccountPhase, Registration, Service
from ui import forms, i18n
from ui.meeting.keypad import KEYS, KeypadKey
from ui.phone.context import PhoneContext
from ui.phone.search import Target, TargetSearch, looks_like_number
from ui.phone.words import account_words
from ui.theme import Space
from ui.widgets.text import plain

WIDTH = 300
BOTH = 700
"""From this height on, suggestions and pad are shown together."""
KEY_HEIGHT = 48


class DialPane(QWidget):
    """Signals: dialled(str target, bool video)."""

    dialled = Signal(str, bool)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.setFixedWidth(WIDTH)
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Dial"))
        self.search = TargetSearch(context, self.tr("Number, name or SIP address"), with_video=True)
        self.search.picked.connect(lambda target: self._pick(target, video=False))
        self.search.video_picked.connect(lambda target: self._pick(target, video=True))
        self.search.text_changed.connect(lambda _text: self._edited())
        self.keys: dict[str, KeypadKey] = {}
        self.pad = self._make_pad()
        self.call = forms.push_button(self.tr("Call"), lambda: self.dial(), kind="primary", large=True, icon="phone")
        self.video = forms.icon_button("video", self.tr("Call with video"), lambda: self.dial(video=True), size=44)
        self.erase = forms.icon_button("backspace", self.tr("Erase the last digit"), self._erase, size=44)
        self.note = forms.label("", "warn")
        column = QVBoxLayout(self)
        column.setContentsMargins(Space.L, Space.L, Space.L, Space.L)
        column.setSpacing(Space.M)
        column.addWidget(self.search, 1)
        column.addWidget(self.pad, 0, Qt.AlignmentFlag.AlignHCenter)
        line = forms.row(self.call, self.video, self.erase)
        line.setStretch(0, 1)
        column.addLayout(line)
        column.addWidget(self.note)
        self._column = column
        context.changed.connect(self.refresh)
        context.current_changed.connect(self.refresh)
        self.refresh()
        self._edited()

    def _make_pad(self) -> QWidget:
        pad = QWidget()
        # Digits run left to right on every telephone.
        pad.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        grid = QGridLayout(pad)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(Space.S)
        names = {"*": self.tr("star"), "#": self.tr("hash")}
        for index, (tone, letters) in enumerate(KEYS):
            key = KeypadKey(tone, letters, names.get(tone, tone))
            key.clicked.connect(lambda _c=False, t=tone: self.press(t))
            grid.addWidget(key, index // 3, index % 3)
            self.keys[tone] = key
        return pad

    # ------------------------------------------------------------ use

    def enter(self) -> None:
        self.search.field.setFocus()
        self.search.search()

    def press(self, tone: str) -> None:
        self.search.field.setText(self.search.field.text() + tone)
        self._edited()

    def _erase(self) -> None:
        self.search.field.setText(self.search.field.text()[:-1])

    def _pick(self, target: Target, *, video: bool) -> None:
        self._context.dial(target.number, video=video)
        self.search.field.clear()
        self.dialled.emit(target.number, video)

    def dial(self, *, video: bool = False) -> None:
        text = self.search.text()
        if text and looks_like_number(text):
            self._pick(Target(text), video=video)
        elif text and self.search.targets():
            self._pick(self.search.targets()[0], video=video)
        else:
            self.search.field.setFocus()

    def _edited(self) -> None:
        text = self.search.text()
        ready = bool(text) and (looks_like_number(text) or bool(self.search.targets()))
        self.call.set_enabled(ready and self._reachable, self._reason or self.tr("Type a number or name first"))
        self.video.set_enabled(ready and self._reachable, self._reason or self.tr("Type a number or name first"))
        self.erase.setVisible(bool(text))
        both = self.height() >= BOTH
        searching = bool(text) and not looks_like_number(text)
        self.search.list.setVisible(both or searching)
        self.pad.setVisible(both or not searching)
        self._column.setStretch(0, 1 if self.search.list.isVisibleTo(self) else 0)

    _reachable = True
    _reason = ""

    def refresh(self) -> None:
        """Say why when no call can be made now."""
        account = self._context.account(Service.CALLS)
        usable = account is not None and account.phase is AccountPhase.SIGNED_IN
        ready = account is not None and account.registration is Registration.REGISTERED
        self._reachable = usable and ready
        self._reason = "" if account is None or ready else account_words(account)[0]
        failure = account.registration_failure if account is not None and not ready else None
        self.note.setText(plain(i18n.sentence(failure.message), 300) if failure is not None else self._reason)
        self.note.setVisible(bool(self.note.text()))
        self.video.setVisible(account is not None and Service.VIDEO in account.services)
        self._edited()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._edited()
