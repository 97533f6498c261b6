"""Contacts: search over all sources, favourites with presence, personal contacts, import and export."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QWidget

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    Contact,
    DeleteContact,
    FindContacts,
    ImportContacts,
    PresenceChanged,
    Query,
    SaveContact,
    Service,
    SetFavourite,
    WatchPresences,
)  # fmt: skip
from app.calls.accounts import (
    Page as Rows,
)
from ui import forms
from ui.directory.edit import ContactDialog
from ui.directory.files import MAX_FILE, to_csv, to_vcard
from ui.paged import PAGE, RowAct, RowLook
from ui.phone.context import PhoneContext, account_capability
from ui.phone.dialogs import ConfirmDialog
from ui.phone.page import Listing, Page, concerns, fetcher
from ui.phone.words import label_words, number_of, presence_tone, presence_words
from ui.theme import Space
from ui.widgets.buttons import open_menu_at
from ui.widgets.fields import SearchField
from ui.widgets.menus import Menu
from ui.widgets.text import plain

DELAY_MS = 120
WATCH_MS = 300
"""Presences are asked for once scrolling has settled."""
MAX_WATCHED = 200
MAX_EXPORTED = 20_000


class DirectoryPage(Page):
    services = (Service.DIRECTORY, Service.PERSONAL_CONTACTS)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("Contacts"))
        self.setAccessibleName(self.tr("Contacts"))
        self._timer: QTimer = self._single(DELAY_MS, self.refresh)
        self._watch_timer: QTimer = self._single(WATCH_MS, self._watch)
        self._watched: frozenset[str] = frozenset()
        self.search = SearchField(self.tr("Search contacts"), self.tr("Name, number or e-mail"))
        self.search.textChanged.connect(lambda _t: self._timer.start())
        self.scopes = {
            name: forms.push_button(words)
            for name, words in (
                ("all", self.tr("All")),
                ("favourites", self.tr("Favourites")),
                ("personal", self.tr("Personal")),
            )
        }
        group = QButtonGroup(self)
        for button in self.scopes.values():
            button.setCheckable(True)
            group.addButton(button)
            button.clicked.connect(lambda _c=False: self.refresh())
        self.scopes["all"].setChecked(True)
        self.add = forms.push_button(self.tr("Add contact"), self.add_contact, icon="user-plus")
        self.more = forms.icon_button("dots", self.tr("Import and export"), self._open_more)
        self.header.addWidget(self.add)
        self.header.addWidget(self.more)
        self.listing = Listing(self.tr("Contacts"), self._look, self.tr("There are no contacts yet."), "address-book")
        self.listing.retry_requested.connect(self.refresh)
        self.listing.list.chosen.connect(self.call)
        self.listing.list.acted.connect(self._act)
        self.listing.list.menu_requested.connect(lambda item, where: self._menu(item, where))
        self.listing.list.verticalScrollBar().valueChanged.connect(lambda _v: self._watch_timer.start())
        self.listing.list.rows.loaded.connect(lambda: self._watch_timer.start())
        tools = QWidget()
        line = forms.row(self.search, *self.scopes.values(), spacing=Space.XS, parent=tools)
        line.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        line.setStretch(0, 1)
        self.body.addWidget(tools)
        self.body.addWidget(self.listing, 1)

    def _single(self, delay: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay)
        timer.timeout.connect(slot)
        return timer

    # ------------------------------------------------------------ reading

    @property
    def scope(self) -> str:
        return next(name for name, button in self.scopes.items() if button.isChecked())

    def refresh(self, keep: bool = False) -> None:
        self._timer.stop()
        account = self.account
        if account is None:
            return
        personal = Service.PERSONAL_CONTACTS in account.services
        self.add.setVisible(personal)
        self.scopes["personal"].setVisible(personal)
        empty = {
            "favourites": self.tr("Mark people with the star, and they are here."),
            "personal": self.tr("Contacts that only you see are here. Add one or import a file."),
        }.get(self.scope, "")
        if self.search.text().strip():
            empty = self.tr("Nobody fits the search.")
        self.listing.load(fetcher(self.context, account.account_id, self._query), keep=keep, empty=empty)

    def _query(self, offset: int, limit: int) -> Query:
        scope = self.scope
        return FindContacts(
            self.search.text().strip(),
            favourites=scope == "favourites",
            personal=scope == "personal",
            offset=offset,
            limit=limit,
        )

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        if isinstance(event, PresenceChanged):
            who = event.presence.user_id
            self.listing.list.rows.refresh_row(lambda item: item.user_id == who)
        elif concerns(event, "contacts", "favourites"):
            if self.isVisible():
                self.refresh(keep=True)
            else:
                self.mark_stale()

    def _watch(self) -> None:
        """Presences of the people on screen."""
        account, rows = self.account, self.listing.list.rows
        if account is None or Service.PRESENCE not in account.services or not self.isVisible():
            return
        first = max(0, self.listing.list.indexAt(QPoint(8, 8)).row())
        shown = self.listing.list.viewport().height() // 56 + 2
        items = [rows.item(row) for row in range(first, min(rows.rowCount(), first + shown))]
        users = frozenset(item.user_id for item in items if item is not None and item.user_id)
        users = frozenset(sorted(users)[:MAX_WATCHED])
        if users != self._watched:
            self._watched = users
            self.context.ask(WatchPresences(tuple(sorted(users))), failed=lambda _f: None, account=account.account_id)

    def enter(self) -> None:
        self.search.setFocus()

    # ------------------------------------------------------------ rows

    def _look(self, contact: Contact) -> RowLook:
        account = self.account
        presence = account.known_presences.get(contact.user_id) if account is not None else None
        numbers = ", ".join(plain(one.number) for one in contact.numbers[:3])
        words = presence_words(presence)
        detail = " · ".join(part for part in (words, numbers or plain(contact.email)) if part)
        star = self.tr("Remove from favourites") if contact.favourite else self.tr("Add to favourites")
        acts = [RowAct("star", "star-filled" if contact.favourite else "star", star,
                       "warn" if contact.favourite else "", always=contact.favourite)]  # fmt: skip
        if contact.user_id and account is not None and Service.CHAT in account.services:
            acts.append(RowAct("chat", "message", self.tr("Chat")))
        if contact.numbers:
            if account is not None and Service.VIDEO in account.services:
                acts.append(RowAct("video", "video", self.tr("Call with video")))
            acts.append(RowAct("call", "phone", self.tr("Call")))
        name = plain(contact.name) or numbers
        trailing = self.tr("Personal") if contact.personal else plain(contact.fields.get("company", ""), 40)
        return RowLook(name, detail, trailing, face=name, dot=presence_tone(presence), acts=tuple(acts))

    def _act(self, act: str, contact: Any) -> None:
        if act == "call":
            self.call(contact)
        elif act == "video":
            self.call(contact, video=True)
        elif act == "chat":
            self.context.chat_requested.emit(contact)
        else:
            self.toggle_favourite(contact)

    def call(self, contact: Contact, *, number: str = "", video: bool = False) -> None:
        wanted = number or number_of(contact)
        if wanted:
            self.context.dial(wanted, video=video)
        else:
            self.context.say(self.tr("This contact has no number."), "warning")

    def toggle_favourite(self, contact: Contact) -> None:
        action = SetFavourite(contact, not contact.favourite)
        self.context.ask(action, lambda _r: self.refresh(keep=True))

    def make_menu(self, contact: Contact) -> Menu:
        menu = Menu(self.tr("Contact"), self)
        for one in contact.numbers[:6]:
            label = " ".join(part for part in (label_words(one.label), one.number) if part)
            menu.entry(self.tr("Call {number}").format(number=label), partial(self.call, contact, number=one.number),
                       "phone")  # fmt: skip
        account = self.account
        if contact.user_id and account is not None and Service.CHAT in account.services:
            menu.entry(self.tr("Chat"), partial(self.context.chat_requested.emit, contact), "message")
        star = self.tr("Remove from favourites") if contact.favourite else self.tr("Add to favourites")
        menu.entry(star, partial(self.toggle_favourite, contact), "star",
                   capability=account_capability(account, SetFavourite))  # fmt: skip
        if contact.personal:
            menu.addSeparator()
            menu.entry(self.tr("Edit"), partial(self.edit_contact, contact), "pencil",
                       capability=account_capability(account, SaveContact))  # fmt: skip
            menu.entry(self.tr("Delete"), partial(self.ask_delete, contact), "trash", danger=True,
                       capability=account_capability(account, DeleteContact))  # fmt: skip
        return menu

    def _menu(self, contact: Any, where: QPoint) -> None:
        self.make_menu(contact).popup(where)

    # ------------------------------------------------------------ personal contacts

    def add_contact(self) -> None:
        self._edit(None)

    def edit_contact(self, contact: Contact) -> None:
        self._edit(contact)

    def _edit(self, contact: Contact | None) -> None:
        dialog = ContactDialog(contact, self.window())
        dialog.saved.connect(self._save)
        dialog.open()

    def _save(self, contact: Contact) -> None:
        self.context.ask(SaveContact(contact), lambda _r: self.refresh(keep=True))

    def ask_delete(self, contact: Contact) -> None:
        dialog = ConfirmDialog(
            self.tr("Delete this contact?"),
            self.tr("{name} is removed from your personal contacts.").format(name=plain(contact.name)),
            self.tr("Delete"),
            self.window(),
        )
        dialog.confirmed.connect(lambda: self.context.ask(DeleteContact(contact), lambda _r: self.refresh(keep=True)))
        dialog.open()

    # ------------------------------------------------------------ files

    def make_more(self) -> Menu:
        menu = Menu(self.tr("Import and export"), self)
        account = self.account
        if account is not None and Service.PERSONAL_CONTACTS in account.services:
            menu.entry(self.tr("Import from a file…"), self._pick_import, "upload",
                       capability=account_capability(account, ImportContacts))  # fmt: skip
            menu.entry(self.tr("Export as vCard…"), lambda: self._pick_export("vcf"), "download")
            menu.entry(self.tr("Export as CSV…"), lambda: self._pick_export("csv"), "download")
        return menu

    def _open_more(self) -> None:
        open_menu_at(self.make_more(), self.more, above=False)

    def _pick_import(self) -> None:
        path, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Import contacts"), "", self.tr("Contacts (*.vcf *.csv)")
        )
        if path:
            self.import_file(Path(path))

    def import_file(self, path: Path) -> None:
        try:
            if path.stat().st_size > MAX_FILE:
                self.context.say(self.tr("This file is too large to be a list of contacts."), "error")
                return
            text = path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            self.context.say(self.tr("The file could not be read: {why}").format(why=error.strerror), "error")
            return
        kind = "csv" if path.suffix.casefold() == ".csv" else "vcard"
        self.context.ask(ImportContacts(text, kind), lambda _r: self._imported())

    def _imported(self) -> None:
        self.context.say(self.tr("The contacts were imported."), "good")
        self.refresh()

    def _pick_export(self, kind: str) -> None:
        path, _kind = QFileDialog.getSaveFileName(self, self.tr("Export contacts"), f"contacts.{kind}", f"*.{kind}")
        if path:
            self.export_file(Path(path))

    def export_file(self, path: Path) -> None:
        """Write every personal contact, page by page."""
        self._export_page(path, ())

    def _export_page(self, path: Path, got: tuple[Contact, ...]) -> None:
        query = FindContacts(personal=True, offset=len(got), limit=PAGE)

        def arrived(page: Rows) -> None:
            every = (*got, *page.items)
            if len(page.items) == PAGE and len(every) < MAX_EXPORTED:
                self._export_page(path, every)
            else:
                self._write(path, every)

        self.context.find(query, arrived)

    def _write(self, path: Path, contacts: tuple[Contact, ...]) -> None:
        text = to_csv(contacts) if path.suffix.casefold() == ".csv" else to_vcard(contacts)
        try:
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            self.context.say(self.tr("The file could not be written: {why}").format(why=error.strerror), "error")
            return
        self.context.say(self.tr("%n contact(s) exported", "", len(contacts)), "good")


def as_personal(contact: Contact) -> Contact:
    """A copy that belongs to the person."""
    return replace(contact, id="", source="personal", personal=True, favourite=False)
