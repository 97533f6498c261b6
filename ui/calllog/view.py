"""Calls: the log with search and filters, calling back, recordings; and beside it the dial pad."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    CallLogEntry,
    Contact,
    CountsChanged,
    FetchAudio,
    FindCalls,
    MarkCallsSeen,
    PhoneNumber,
    Query,
    SaveContact,
    Service,
)  # fmt: skip
from app.calls.accounts import (
    Page as Rows,
)
from app.calls.selectors import duration_text
from ui import forms
from ui.paged import RowAct, RowLook
from ui.phone.context import PhoneContext
from ui.phone.dial import DialPane
from ui.phone.page import Listing, Page, concerns, fetcher
from ui.phone.words import now_ms, when_text
from ui.theme import Space
from ui.voicemail.player import Player
from ui.widgets.fields import ComboBox, SearchField
from ui.widgets.menus import Menu
from ui.widgets.text import Line, plain

DELAY_MS = 150
SEEN_MS = 1500
"""Missed calls count as seen after the list was in view this long."""
DAY_MS = 86_400_000
NARROW = 860
"""Narrower pages put the filters under the search field."""


class CallsPage(Page):
    services = (Service.CALLS, Service.CALL_LOG)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("Calls"))
        self.setAccessibleName(self.tr("Calls"))
        self._timer: QTimer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.refresh)
        self._seen = QTimer(self)
        self._seen.setSingleShot(True)
        self._seen.setInterval(SEEN_MS)
        self._seen.timeout.connect(self._mark_seen)
        self.search = SearchField(self.tr("Search calls"))
        self.search.textChanged.connect(lambda _t: self._timer.start())
        self.filter = ComboBox(self.tr("Which calls"))
        for words, direction, status in (
            (self.tr("All calls"), "", ""),
            (self.tr("Missed"), "", "missed"),
            (self.tr("Received"), "inbound", ""),
            (self.tr("Made"), "outbound", ""),
        ):
            self.filter.addItem(words, (direction, status))
        self.since = ComboBox(self.tr("From when"))
        for words, days in (
            (self.tr("Any time"), 0),
            (self.tr("Today"), 1),
            (self.tr("Last 7 days"), 7),
            (self.tr("Last 30 days"), 30),
        ):
            self.since.addItem(words, days)
        for box in (self.filter, self.since):
            box.setMinimumContentsLength(7)
            box.activated.connect(lambda _i: self.refresh())
        self.listing = Listing(self.tr("Calls"), self._look, self.tr("Calls you make and get are listed here."),
                               "phone")  # fmt: skip
        self.listing.retry_requested.connect(self.refresh)
        self.listing.list.chosen.connect(self.call_back)
        self.listing.list.acted.connect(self._act)
        self.listing.list.menu_requested.connect(self._menu)
        self.player = Player(context)
        self.dial = DialPane(context)
        self._lay_out()

    def _lay_out(self) -> None:
        tools = QWidget()
        self._tools = QGridLayout(tools)
        self._tools.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        self._tools.setSpacing(Space.S)
        self._arrange(narrow=False)
        self._log = QWidget()
        self._log.setProperty("look", "surface")
        self._log.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self._log)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(tools)
        column.addWidget(self.listing, 1)
        column.addWidget(self.player)
        self._edge = Line(vertical=True)
        line = forms.row(self._log, self._edge, self.dial, spacing=0)
        line.setStretch(0, 1)
        self.body.addLayout(line, 1)

    def _arrange(self, *, narrow: bool) -> None:
        """The filters beside the search field, or under it."""
        self._narrow = narrow
        for place, widget in enumerate((self.search, self.filter, self.since)):
            self._tools.removeWidget(widget)
            if not narrow:
                self._tools.addWidget(widget, 0, place)
        if narrow:
            self._tools.addWidget(self.search, 0, 0, 1, 2)
            self._tools.addWidget(self.filter, 1, 0)
            self._tools.addWidget(self.since, 1, 1)
        self._tools.setColumnStretch(0, 1 if narrow else 2)
        self._tools.setColumnStretch(1, 1)
        self._tools.setColumnStretch(2, 0 if narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW
        if narrow != self._narrow:
            self._arrange(narrow=narrow)

    # ------------------------------------------------------------ reading

    def refresh(self, keep: bool = False) -> None:
        self._timer.stop()
        account = self.account
        if account is None:
            return
        self._log.setVisible(Service.CALL_LOG in account.services)
        self.dial.setVisible(Service.CALLS in account.services)
        self.dial.refresh()
        if Service.CALL_LOG in account.services:
            text = self.search.text().strip()
            filtered = bool(text) or self.filter.currentIndex() > 0 or self.since.currentIndex() > 0
            self.listing.load(
                fetcher(self.context, account.account_id, self._query),
                keep=keep,
                empty=self.tr("No call fits the search.") if filtered else "",
            )
            if account.missed_calls:
                self._seen.start()

    def _query(self, offset: int, limit: int) -> Query:
        direction, status = self.filter.currentData()
        days = int(self.since.currentData())
        since = now_ms() - days * DAY_MS if days else None
        text = self.search.text().strip()
        return FindCalls(text, direction, status, since, offset=offset, limit=limit)

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        if concerns(event, "call_log") and self.isVisible():
            self.refresh(keep=True)
        elif concerns(event, "call_log"):
            self.mark_stale()
        if isinstance(event, CountsChanged) and state.missed_calls and self.isVisible():
            self._seen.start()

    def _mark_seen(self) -> None:
        account = self.account
        if account is not None and account.missed_calls and self.isVisible():
            self.context.ask(MarkCallsSeen(), failed=lambda _f: None, account=account.account_id)

    def enter(self) -> None:
        if self.dial.isVisibleTo(self):
            self.dial.enter()
        else:
            self.search.setFocus()

    # ------------------------------------------------------------ rows

    def _look(self, entry: CallLogEntry) -> RowLook:
        missed = entry.status in ("missed", "blocked")
        outgoing = entry.direction == "outbound"
        name = plain(entry.name or entry.number) or self.tr("Unknown caller")
        kind = self.tr("Missed call") if missed and not outgoing else self.tr("Made") if outgoing else (
            self.tr("Went to voicemail") if entry.status == "voicemail" else self.tr("Received")
        )  # fmt: skip
        parts = [plain(entry.number) if entry.name else "", kind]
        if entry.duration_ms and not missed:
            parts.append(duration_text(entry.duration_ms))
        icon = "phone-x" if missed and not outgoing else "arrow-up-right" if outgoing else "arrow-down-left"
        acts = [RowAct("call", "phone", self.tr("Call back"))]
        if entry.recordings:
            acts.insert(0, RowAct("play", "player-play", self.tr("Play the recording"), always=True))
        when = when_text(entry.started_at)
        detail = " · ".join(part for part in parts if part)
        return RowLook(
            name, detail, when, face=name, mark=icon, mark_tint="bad" if missed and not outgoing else "muted",
            strong=missed and not outgoing, acts=tuple(acts), spoken=f"{name}, {detail}, {when}",
        )  # fmt: skip

    def _act(self, act: str, entry: Any) -> None:
        if act == "call":
            self.call_back(entry)
        elif act == "play":
            self.play(entry)

    def call_back(self, entry: CallLogEntry, *, video: bool = False) -> None:
        number = entry.number or entry.requested
        if number and self.account is not None:
            self.context.dial(number, video=video, account=self.account.account_id)

    def play(self, entry: CallLogEntry) -> None:
        if self.account is not None and entry.recordings:
            title = self.tr("Recording with {name}").format(name=plain(entry.name or entry.number))
            query = FetchAudio("recording", entry.id, entry.recordings[0])
            self.player.load(f"{entry.id}/{entry.recordings[0]}", title, query, self.account.account_id)

    def make_menu(self, entry: CallLogEntry) -> Menu:
        menu = Menu(self.tr("Call"), self)
        menu.entry(self.tr("Call back"), partial(self.call_back, entry), "phone")
        account = self.account
        if account is not None and Service.VIDEO in account.services:
            menu.entry(self.tr("Call with video"), partial(self.call_back, entry, video=True), "video")
        if entry.recordings:
            menu.entry(self.tr("Play the recording"), partial(self.play, entry), "player-play")
        if account is not None and Service.PERSONAL_CONTACTS in account.services and entry.number:
            menu.entry(self.tr("Add to contacts"), partial(self._add, entry), "user-plus")
        menu.entry(self.tr("Copy number"), partial(_copy, entry.number), "copy")
        return menu

    def _menu(self, entry: Any, where: QPoint) -> None:
        self.make_menu(entry).popup(where)

    def _add(self, entry: CallLogEntry) -> None:
        from ui.directory.edit import ContactDialog

        known = Contact("", "personal", entry.name or entry.number, (PhoneNumber(entry.number),), personal=True)
        dialog = ContactDialog(known, self.window())
        dialog.saved.connect(lambda contact: self.context.ask(SaveContact(contact)))
        dialog.open()

    def rows(self) -> Rows:
        """What is loaded now, for tests."""
        return Rows(self.listing.list.rows.loaded_items(), self.listing.list.rows.total)


def _copy(text: str) -> None:
    from PySide6.QtGui import QGuiApplication

    QGuiApplication.clipboard().setText(text)
