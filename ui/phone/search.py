"""Find whom to call: one field, contacts and the number itself as suggestions. Used to dial, to transfer and to add."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from app.calls.accounts import Contact, FindContacts, Page, Service
from app.calls.model import CallState
from app.calls.selectors import duration_text, talk_ms
from ui import forms
from ui.paged import PagedList, RowAct, RowLook
from ui.phone.context import PhoneContext
from ui.phone.words import label_words, now_ms, number_of, peer, peer_number, presence_tone
from ui.theme import Space
from ui.widgets.fields import SearchField
from ui.widgets.text import plain

DELAY_MS = 120
"""Typing quickly searches once."""
MOST = 20


def looks_like_number(text: str) -> bool:
    """Whether *text* can be dialled as it is: digits and their punctuation, or a SIP address."""
    text = text.strip()
    if text.lower().startswith(("sip:", "sips:", "tel:")) or ("@" in text and " " not in text):
        return True
    digits = [char for char in text if char.isdigit()]
    return bool(digits) and all(char.isdigit() or char in "+*#() .-/" for char in text)


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to call: *number* is dialled; with *call_id* it is a call that already exists."""

    number: str
    name: str = ""
    label: str = ""
    call_id: str = ""
    user_id: str = ""


class TargetSearch(QWidget):
    """Signals: picked(Target): Enter or a click. video_picked(Target). text_changed(str)."""

    picked = Signal(object)
    video_picked = Signal(object)
    text_changed = Signal(str)

    def __init__(
        self,
        context: PhoneContext,
        hint: str,
        parent: QWidget | None = None,
        *,
        calls: Callable[[], tuple[CallState, ...]] | None = None,
        with_video: bool = False,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._calls = calls
        self._with_video = with_video
        self._contacts: tuple[Contact, ...] = ()
        self._asked = ""
        self.field = SearchField(hint, hint)
        self.field.textChanged.connect(self._changed)
        self.field.returnPressed.connect(self.pick_first)
        self.field.installEventFilter(self)
        self.list = PagedList(self.tr("Suggestions"), self._look, single_click=True)
        self.list.chosen.connect(self.picked)
        self.list.acted.connect(lambda act, item: (self.video_picked if act == "video" else self.picked).emit(item))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.search)
        column = forms.column(self, spacing=Space.S)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)

    def text(self) -> str:
        return str(self.field.text().strip())

    def start(self) -> None:
        self.field.clear()
        self._contacts = ()
        self.search()
        self.field.setFocus()

    def _changed(self) -> None:
        self._timer.start()
        self._show()
        self.text_changed.emit(self.text())

    def search(self) -> None:
        self._timer.stop()
        text = self._asked = self.text()
        account = self._context.account(Service.DIRECTORY)
        if account is None:
            self._show()
            return
        query = FindContacts(text, favourites=not text, limit=MOST)
        self._context.find(query, lambda page: self._found(text, page), lambda _f: self._show(), account.account_id)
        self._show()

    def _found(self, text: str, page: Page) -> None:
        if text == self._asked:
            self._contacts = tuple(one for one in page.items if isinstance(one, Contact))
            self._show()

    def targets(self) -> tuple[Target, ...]:
        text = self.text()
        found: list[Target] = []
        for state in self._calls() if self._calls is not None else ():
            if not text or text.casefold() in f"{peer(state)} {peer_number(state)}".casefold():
                found.append(Target(peer_number(state), peer(state), call_id=state.call_id))
        if text and looks_like_number(text):
            found.append(Target(text))
        for one in self._contacts:
            for number in one.numbers[:4]:
                found.append(Target(number.number, one.name, number.label, user_id=one.user_id))
        return tuple(found[: MOST * 2])

    def _show(self) -> None:
        found = self.targets()
        if found != self.list.rows.loaded_items():
            self.list.rows.set_items(found)

    def _look(self, target: Target) -> RowLook:
        acts = (RowAct("video", "video", self.tr("Call with video")),) if self._with_video else ()
        if target.call_id:
            state = self._context.controller.state(target.call_id)
            detail = self.tr("This call · {number}").format(number=target.number)
            return RowLook(target.name, detail, duration_text(talk_ms(state, now_ms())), face=target.name)
        if not target.name:
            return RowLook(self.tr("Call {number}").format(number=plain(target.number)), icon="phone", acts=acts)
        detail = " · ".join(part for part in (plain(target.number), label_words(target.label)) if part)
        account = self._context.account(Service.PRESENCE)
        known = account.known_presences.get(target.user_id) if account is not None else None
        return RowLook(plain(target.name), detail, face=target.name, dot=presence_tone(known), acts=acts)

    def pick_first(self) -> None:
        """Enter: the marked suggestion; else what was typed when it can be dialled, else the first that was found."""
        marked: Any = (
            self.list.rows.item(self.list.currentIndex().row()) if self.list.currentIndex().isValid() else None
        )
        found = self.targets()
        text = self.text()
        if marked is None and text and looks_like_number(text):
            marked = Target(text)
        if marked is None:
            marked = found[0] if found else Target(text) if text and " " not in text else None
        if marked is not None:
            self.picked.emit(marked)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step and self.list.rows.rowCount():
                row = max(0, min(self.list.rows.rowCount() - 1, self.list.currentIndex().row() + step))
                self.list.setCurrentIndex(self.list.rows.index(row))
                return True
        return super().eventFilter(watched, event)


def target_of(contact: Contact) -> Target:
    return Target(number_of(contact), contact.name, user_id=contact.user_id)
