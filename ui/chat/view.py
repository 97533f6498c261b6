"""Chat: rooms at the side, the conversation beside them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QStackedWidget, QWidget

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    ChatMessageReceived,
    ChatRoom,
    Contact,
    CountsChanged,
    FindChatRooms,
    OpenChatRoom,
    PresenceChanged,
    Service,
)  # fmt: skip
from app.calls.accounts import (
    Page as Rows,
)
from app.calls.model import Failure
from ui import forms
from ui.chat.conversation import Conversation
from ui.paged import RowLook
from ui.panels.chat import ChatPanel
from ui.phone.context import PhoneContext
from ui.phone.page import Listing, Page, concerns
from ui.phone.words import presence_tone, presence_words, when_text
from ui.widgets.text import Line, plain

ROOMS_WIDTH = 280
MAX_ROOMS = 500


class RoomChat(ChatPanel):
    """The meeting's chat panel about one room: nobody to choose, nothing to close."""

    def __init__(self, conversation: Conversation, title: str, parent: QWidget | None = None) -> None:
        self.conversation = conversation
        super().__init__(conversation, conversation.call_id, parent)  # type: ignore[arg-type]
        self.set_title(title)
        self._to_row.hide()
        self.close_button.hide()
        self.empty.setText(self.tr("No messages yet. Say hello."))
        self.list.verticalScrollBar().valueChanged.connect(self._maybe_earlier)

    def _maybe_earlier(self, value: int) -> None:
        if value == 0 and not self.list.chat.hidden_before and self.isVisible() and self._seen_once:
            self.conversation.load_earlier()

    def keep_place(self, message_id: str) -> None:
        """After an older page has come: stay at the message that was at the top."""
        row = self.list.chat.row_of(message_id)
        if row >= 0:
            self.list.scrollTo(self.list.chat.index(row), QAbstractItemView.ScrollHint.PositionAtTop)

    def release(self) -> None:
        super().release()
        self.conversation.release()


class ChatPage(Page):
    services = (Service.CHAT,)

    def __init__(self, context: PhoneContext, parent: QWidget | None = None) -> None:
        super().__init__(context, "", parent)
        self.title.setText(self.tr("Chat"))
        self.setAccessibleName(self.tr("Chat"))
        self.rooms: tuple[ChatRoom, ...] = ()
        self.panel: RoomChat | None = None
        self._wanted = ""
        self.listing = Listing(
            self.tr("Conversations"), self._look, self.tr("Write to somebody from your contacts."), "messages",
            single_click=True,
        )  # fmt: skip
        self.listing.setFixedWidth(ROOMS_WIDTH)
        self.listing.retry_requested.connect(self.refresh)
        self.listing.list.chosen.connect(self.open_room)
        self.listing.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.nothing = forms.label(self.tr("Choose a conversation."), "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.nothing)
        line = forms.row(self.listing, Line(vertical=True), self.stack, spacing=0)
        line.setStretch(2, 1)
        self.body.addLayout(line, 1)

    # ------------------------------------------------------------ rooms

    def refresh(self) -> None:
        account = self.account
        if account is not None:
            self.context.find(FindChatRooms(), self._found, self._broke, account.account_id)

    def _broke(self, failure: Failure) -> None:
        self.listing.list.rows.failed.emit(failure)

    def _found(self, page: Rows) -> None:
        found = [one for one in page.items if isinstance(one, ChatRoom)][:MAX_ROOMS]
        self.rooms = tuple(sorted(found, key=lambda one: -(one.last_at or 0)))
        self.listing.show_items(self.rooms)
        self._mark()
        wanted = next((one for one in self.rooms if one.id == self._wanted), None)
        if wanted is not None and (self.panel is None or self.panel.conversation.room.id != wanted.id):
            self.open_room(wanted)

    def _mark(self) -> None:
        chosen = self.panel.conversation.room.id if self.panel is not None else ""
        row = next((i for i, one in enumerate(self.rooms) if one.id == chosen), -1)
        if row >= 0:
            self.listing.list.setCurrentIndex(self.listing.list.rows.index(row))

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        about_rooms = concerns(event, "chat_rooms", "chat_messages") or isinstance(event, ChatMessageReceived)
        if about_rooms or (isinstance(event, CountsChanged) and event.chat_unread is not None):
            self.mark_stale()
        elif isinstance(event, PresenceChanged):
            who = event.presence.user_id
            self.listing.list.rows.refresh_row(lambda item: who in item.user_ids)

    def _peer_id(self, room: ChatRoom) -> str:
        me = self.account.user_id if self.account is not None else ""
        others = [one for one in room.user_ids if one != me]
        return others[0] if len(others) == 1 else ""

    def _look(self, room: ChatRoom) -> RowLook:
        name = self.name_of(room)
        account, peer = self.account, self._peer_id(room)
        presence = account.known_presences.get(peer) if account is not None and peer else None
        when = when_text(room.last_at) if room.last_at else ""
        unread = self.tr("%n unread message(s)", "", room.unread) if room.unread else ""
        spoken = ", ".join(
            part for part in (name, presence_words(presence), unread, plain(room.last_text, 120)) if part
        )
        return RowLook(name, plain(room.last_text, 120) or " ", when, face=name, dot=presence_tone(presence),
                       strong=bool(room.unread), count=room.unread, spoken=spoken)  # fmt: skip

    def name_of(self, room: ChatRoom) -> str:
        return plain(room.name) or self.tr("Conversation of %n people", "", len(room.user_ids))

    # ------------------------------------------------------------ one room

    def open_room(self, room: ChatRoom) -> None:
        account = self.account
        if account is None:
            return
        self._wanted = room.id
        if self.panel is not None and self.panel.conversation.room.id == room.id:
            self.panel.edit.setFocus()
            return
        self.close_room()
        conversation = Conversation(self.context, account, room, self._keep_place)
        self.panel = RoomChat(conversation, self.name_of(room))
        self._add_call(self.panel, room)
        self.stack.addWidget(self.panel)
        self.stack.setCurrentWidget(self.panel)
        conversation.load()
        self._mark()

    def _add_call(self, panel: RoomChat, room: ChatRoom) -> None:
        peer = self._peer_id(room)
        account = self.account
        if not peer or account is None or Service.CALLS not in account.services:
            return
        # The directory knows the number of a colleague by the id of the account.
        panel.header.addWidget(forms.icon_button("phone", self.tr("Call"), lambda: self._call(room)))

    def _call(self, room: ChatRoom) -> None:
        from app.calls.accounts import FindContacts

        peer = self._peer_id(room)

        def found(page: Any) -> None:
            contact = next((one for one in page.items if one.user_id == peer and one.numbers), None)
            if contact is None:
                self.context.say(self.tr("No number is known for {name}.").format(name=self.name_of(room)), "warning")
            else:
                self.context.dial(contact.numbers[0].number)

        self.context.find(FindContacts(room.name), found)

    def _keep_place(self) -> None:
        panel = self.panel
        if panel is not None and panel.list.chat.rowCount():
            state = panel.conversation.state("")
            index = min(50, len(state.messages) - 1)
            panel.keep_place(state.messages[index].id)

    def close_room(self) -> None:
        panel, self.panel = self.panel, None
        if panel is not None:
            self.stack.removeWidget(panel)
            panel.release()
            panel.deleteLater()

    def write_to(self, contact: Contact) -> None:
        """Open the conversation with a contact, made when there is none."""
        account = self.context.account(Service.CHAT)
        if account is not None and contact.user_id:
            action = OpenChatRoom((contact.user_id,), contact.name)
            self.context.ask(action, self._opened, account=account.account_id)

    def _opened(self, room: Any) -> None:
        if isinstance(room, ChatRoom):
            self.open_room(room)
            self.mark_stale()

    def enter(self) -> None:
        (self.panel.edit if self.panel is not None else self.listing.list).setFocus()

    def release(self) -> None:
        self.close_room()
