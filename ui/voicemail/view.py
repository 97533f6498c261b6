"""Voicemail: new and old messages, listen with position, call back, delete."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    CountsChanged,
    DeleteVoicemail,
    FetchAudio,
    FindVoicemails,
    MoveVoicemail,
    Query,
    Service,
    VoicemailMessage,
)
from app.calls.selectors import duration_text
from ui.paged import RowAct, RowLook
from ui.phone.context import PhoneContext
from ui.phone.dialogs import ConfirmDialog
from ui.phone.page import Listing, Page, concerns, fetcher
from ui.phone.words import when_text
from ui.voicemail.player import Player
from ui.widgets.fields import ComboBox
from ui.widgets.menus import Menu
from ui.widgets.text import plain


class VoicemailPage(Page):
    services = (Service.VOICEMAIL,)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("Voicemail"))
        self.setAccessibleName(self.tr("Voicemail"))
        self.folder = ComboBox(self.tr("Folder"))
        self.folder.setMinimumContentsLength(13)
        for words, folder in (
            (self.tr("All messages"), ""),
            (self.tr("New"), "new"),
            (self.tr("Heard"), "old"),
            (self.tr("Urgent"), "urgent"),
        ):
            self.folder.addItem(words, folder)
        self.folder.activated.connect(lambda _i: self.refresh())
        self.header.addWidget(self.folder)
        self.listing = Listing(self.tr("Messages"), self._look, self.tr("Nobody has left a message."), "record-mail")
        self.listing.retry_requested.connect(self.refresh)
        self.listing.list.chosen.connect(self.play)
        self.listing.list.acted.connect(self._act)
        self.listing.list.menu_requested.connect(lambda item, where: self._menu(item, where))
        self.player = Player(context)
        self.body.addWidget(self.listing, 1)
        self.body.addWidget(self.player)

    def refresh(self, keep: bool = False) -> None:
        account = self.account
        if account is not None:
            self.listing.load(fetcher(self.context, account.account_id, self._query), keep=keep)

    def _query(self, offset: int, limit: int) -> Query:
        return FindVoicemails(str(self.folder.currentData()), offset, limit)

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        if concerns(event, "voicemail") or isinstance(event, CountsChanged) and event.voicemail_new is not None:
            if self.isVisible():
                self.refresh(keep=True)
            else:
                self.mark_stale()

    def enter(self) -> None:
        self.listing.list.setFocus()

    # ------------------------------------------------------------ rows

    def _look(self, message: VoicemailMessage) -> RowLook:
        new = message.folder in ("new", "urgent")
        name = plain(message.name or message.number) or self.tr("Unknown caller")
        kind = self.tr("New") if message.folder == "new" else self.tr("Urgent") if message.folder == "urgent" else ""
        parts = [kind, plain(message.number) if message.name else "", duration_text(message.duration_ms),
                 plain(message.transcription, 200)]  # fmt: skip
        acts = (
            RowAct("delete", "trash", self.tr("Delete")),
            RowAct("call", "phone", self.tr("Call back")),
            RowAct("play", "player-play", self.tr("Play"), "accent", always=True),
        )
        detail = " · ".join(part for part in parts if part)
        return RowLook(name, detail, when_text(message.received_at), face=name, strong=new, acts=acts,
                       mark="record-mail" if new else "", mark_tint="accent")  # fmt: skip

    def _act(self, act: str, message: Any) -> None:
        {"play": self.play, "call": self.call_back, "delete": self.ask_delete}[act](message)

    def play(self, message: VoicemailMessage) -> None:
        account = self.account
        if account is None:
            return
        title = self.tr("Message from {name}").format(name=plain(message.name or message.number))
        query = FetchAudio("voicemail", message.id, message.mailbox)
        self.player.load(message.id, title, query, account.account_id)
        if message.folder == "new":
            move = MoveVoicemail(message.id, "old")
            self.context.ask(move, failed=lambda _f: None, account=account.account_id)

    def call_back(self, message: VoicemailMessage) -> None:
        if message.number and self.account is not None:
            self.context.dial(message.number, account=self.account.account_id)

    def ask_delete(self, message: VoicemailMessage) -> None:
        name = plain(message.name or message.number)
        dialog = ConfirmDialog(
            self.tr("Delete this message?"),
            self.tr("The message from {name} cannot be brought back.").format(name=name),
            self.tr("Delete"),
            self.window(),
        )
        dialog.confirmed.connect(lambda: self.delete(message))
        dialog.open()

    def delete(self, message: VoicemailMessage) -> None:
        if self.player.key == message.id:
            self.player.stop()
        self.context.ask(DeleteVoicemail(message.id), lambda _r: self.refresh(keep=True))

    def make_menu(self, message: VoicemailMessage) -> Menu:
        menu = Menu(self.tr("Message"), self)
        menu.entry(self.tr("Play"), partial(self.play, message), "player-play")
        menu.entry(self.tr("Call back"), partial(self.call_back, message), "phone")
        heard = message.folder == "old"
        words = self.tr("Mark as new") if heard else self.tr("Mark as heard")
        move = MoveVoicemail(message.id, "new" if heard else "old")
        menu.entry(words, lambda: self.context.ask(move, lambda _r: self.refresh(keep=True)), "check")
        menu.addSeparator()
        menu.entry(self.tr("Delete"), partial(self.ask_delete, message), "trash", danger=True)
        return menu

    def _menu(self, message: Any, where: QPoint) -> None:
        self.make_menu(message).popup(where)
