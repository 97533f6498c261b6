"""Conference rooms and meetings: join, make, copy the invitation."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QWidget

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    DeleteMeeting,
    FindRooms,
    Room,
    SaveMeeting,
    Service,
)
from ui import forms
from ui.dialogs.base import Dialog
from ui.paged import RowAct, RowLook
from ui.phone.context import PhoneContext, account_capability
from ui.phone.dialogs import ConfirmDialog
from ui.phone.page import Listing, Page, concerns
from ui.theme import Space
from ui.widgets.fields import TextField
from ui.widgets.menus import Menu
from ui.widgets.text import plain

MAX_NAME = 100
MAX_ROOMS = 1000


class MeetingDialog(Dialog):
    """Signals: saved(SaveMeeting)."""

    saved = Signal(object)

    def __init__(self, room: Room | None = None, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        words = self.tr("New meeting") if room is None else self.tr("Change the meeting")
        self.title.setText(words)
        self.setWindowTitle(words)
        self._id = room.id if room is not None else ""
        self.name = TextField(self.tr("Name"), self.tr("Name of the meeting"))
        self.name.setMaxLength(MAX_NAME)
        self.name.setText(room.name if room is not None else "")
        self.persistent = QCheckBox(self.tr("Keep it after the first time"))
        self.authorize = QCheckBox(self.tr("Guests wait until somebody lets them in"))
        self.authorize.setChecked(room.needs_authorization if room is not None else False)
        for widget in (self.name, self.persistent, self.authorize):
            self.content.addWidget(widget)
        self.add_cancel()
        self.save = self.add_button(self.tr("Save"), self._save, "primary")
        self.name.textChanged.connect(lambda _t: self._changed())
        self._changed()
        self.name.setFocus()

    def _changed(self) -> None:
        self.save.set_enabled(bool(self.name.text().strip()), self.tr("Type a name first"))

    def _save(self) -> None:
        name = self.name.text().strip()
        if name:
            self.accept()
            self.saved.emit(SaveMeeting(name, self._id, self.persistent.isChecked(), self.authorize.isChecked()))


class RoomsPage(Page):
    services = (Service.ROOMS, Service.MEETINGS)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("Rooms"))
        self.setAccessibleName(self.tr("Rooms"))
        self.make = forms.push_button(self.tr("New meeting"), self.new_meeting, icon="plus")
        self.header.addWidget(self.make)
        words = self.tr("Room number or meeting link")
        self.field = TextField(words, words)
        self.field.returnPressed.connect(self.join_typed)
        self.join_button = forms.push_button(self.tr("Join"), self.join_typed, kind="primary")
        tools = QWidget()
        line = forms.row(self.field, self.join_button, parent=tools)
        line.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        self.listing = Listing(self.tr("Rooms"), self._look, self.tr("No rooms yet. Make a meeting to invite others."),
                               "users")  # fmt: skip
        self.listing.retry_requested.connect(self.refresh)
        self.listing.list.chosen.connect(self.join)
        self.listing.list.acted.connect(self._act)
        self.listing.list.menu_requested.connect(lambda item, where: self._menu(item, where))
        self.body.addWidget(tools)
        self.body.addWidget(self.listing, 1)

    def refresh(self) -> None:
        account = self.account
        if account is not None:
            self.make.setVisible(Service.MEETINGS in account.services)
            # Rooms come whole, not in pages.
            self.context.find(
                FindRooms(),
                lambda page: self.listing.show_items(page.items[:MAX_ROOMS]),
                self.listing.list.rows.failed.emit,
                account.account_id,
            )

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        if concerns(event, "rooms"):
            self.mark_stale()

    def enter(self) -> None:
        self.field.setFocus()

    # ------------------------------------------------------------ rows

    def _look(self, room: Room) -> RowLook:
        kind = self.tr("Meeting") if room.kind == "meeting" else self.tr("Conference room")
        parts = (kind, plain(room.number), self.tr("Guests wait to be let in") if room.needs_authorization else "")
        acts = [RowAct("join", "door-enter", self.tr("Join"), "accent", always=True)]
        if room.link:
            acts.insert(0, RowAct("copy", "link", self.tr("Copy invitation link")))
        icon = "video" if room.kind == "meeting" else "users"
        return RowLook(plain(room.name) or plain(room.number), " · ".join(p for p in parts if p), icon=icon,
                       acts=tuple(acts))  # fmt: skip

    def _act(self, act: str, room: Any) -> None:
        self.join(room) if act == "join" else self.copy_link(room)

    def join(self, room: Room) -> None:
        account = self.account
        if account is not None:
            self.context.enter_room(room.number or room.link, account)

    def join_typed(self) -> None:
        text = self.field.text().strip()
        account = self.account
        if not text:
            self.field.setFocus()
        elif account is not None:
            self.context.enter_room(text, account)

    def copy_link(self, room: Room) -> None:
        QGuiApplication.clipboard().setText(room.link)
        self.context.say(self.tr("Link copied"), "good")

    def make_menu(self, room: Room) -> Menu:
        menu = Menu(self.tr("Room"), self)
        menu.entry(self.tr("Join"), partial(self.join, room), "door-enter")
        if room.link:
            menu.entry(self.tr("Copy invitation link"), partial(self.copy_link, room), "link")
        if room.kind == "meeting" and room.owned:
            menu.addSeparator()
            menu.entry(self.tr("Change…"), partial(self._edit, room), "pencil",
                       capability=account_capability(self.account, SaveMeeting))  # fmt: skip
            menu.entry(self.tr("Delete"), partial(self.ask_delete, room), "trash", danger=True,
                       capability=account_capability(self.account, DeleteMeeting))  # fmt: skip
        return menu

    def _menu(self, room: Any, where: QPoint) -> None:
        self.make_menu(room).popup(where)

    def new_meeting(self) -> None:
        self._edit(None)

    def _edit(self, room: Room | None) -> None:
        dialog = MeetingDialog(room, self.window())
        dialog.saved.connect(lambda action: self.context.ask(action, self._saved))
        dialog.open()

    def _saved(self, room: Any) -> None:
        if isinstance(room, Room) and room.link:
            QGuiApplication.clipboard().setText(room.link)
            self.context.say(self.tr("The meeting is ready; its link is copied."), "good")
        self.refresh()

    def ask_delete(self, room: Room) -> None:
        dialog = ConfirmDialog(
            self.tr("Delete this meeting?"),
            self.tr("The link of “{name}” no longer works.").format(name=plain(room.name)),
            self.tr("Delete"),
            self.window(),
        )
        action = DeleteMeeting(room.id)
        dialog.confirmed.connect(lambda: self.context.ask(action, lambda _r: self.refresh()))
        dialog.open()
