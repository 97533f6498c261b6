"""One chat room as a conversation that the meeting's chat panel can show.

The panel speaks to a controller about a call; this is a controller about a room. So there is one chat in the program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.calls.accounts import (
    AccountEvent,
    AccountState,
    ChatMessage,
    ChatMessageReceived,
    ChatRoom,
    FindChatMessages,
    ListChanged,
    MarkChatRead,
    Page,
    SendChatMessage,
)
from app.calls.actions import Action, MarkMessagesRead, SendMessage
from app.calls.events import CallEvent, MessageReceived, MessagesRead
from app.calls.model import CallPhase, CallState, Capability, Message, Participant, frozen_map
from app.vendors.base import ActionRefused
from ui.phone.context import PhoneContext, account_capability

PAGE = 50
MAX_MESSAGES = 5000
Listener = Callable[[CallState, CallEvent], None]


def as_message(message: ChatMessage) -> Message:
    return Message(
        message.id,
        message.sender_id,
        message.sender_name,
        message.text,
        message.sent_at,
        message.is_local,
        delivered=not message.error,
        error=message.error,
    )


class Conversation:
    """Implements what :class:`ui.panels.chat.ChatPanel` uses of :class:`app.controller.api.ControllerApi`."""

    def __init__(self, context: PhoneContext, account: AccountState, room: ChatRoom, shown: Callable[[], None]) -> None:
        self._context = context
        self._account_id = account.account_id
        self.room = room
        self._shown = shown
        """Called when an older page has been put in front."""
        self._listeners: list[Listener] = []
        self._numbers = 0
        self.complete = False
        """No older messages are left on the server."""
        self._loading = False
        me = Participant(account.user_id or "me", account.display_name, is_local=True)
        self._state = CallState(
            f"chat:{room.id}",
            phase=CallPhase.JOINED,
            local_id=me.id,
            participants=frozen_map({me.id: me}),
            unread_messages=room.unread,
            capabilities=frozen_map({"SendMessage": account_capability(account, SendChatMessage)}),
        )
        context.changed.connect(self._event)

    @property
    def call_id(self) -> str:
        return self._state.call_id

    # -- what the panel asks

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def state(self, call_id: str) -> CallState:
        return self._state

    async def perform(self, call_id: str, action: Action) -> None:
        perform = self._context.controller.account_perform
        if isinstance(action, SendMessage):
            await self._send(action)
        elif isinstance(action, MarkMessagesRead):
            self._set(replace(self._state, unread_messages=0), MessagesRead())
            await perform(self._account_id, MarkChatRead(self.room.id))

    async def _send(self, action: SendMessage) -> None:
        retried = action.message_id or ""
        ours = retried.startswith("draft-")
        if ours:
            self._drop(retried)
        wanted = SendChatMessage(self.room.id, action.text, "" if ours else retried)
        try:
            await self._context.controller.account_perform(self._account_id, wanted)
        except ActionRefused as refused:
            # It stays where it was written, with its reason and a way to send it again.
            self._numbers += 1
            from ui.phone.words import now_ms

            me = self._state.local_id
            draft = Message(retried or f"draft-{self._numbers}", me, "", action.text, now_ms(), True,
                            delivered=False, error=refused.failure.message)  # fmt: skip
            self._add(draft)

    # -- messages

    def load(self) -> None:
        """Read the newest page."""
        self._find(None)

    def load_earlier(self) -> None:
        if not self.complete and not self._loading and self._state.messages:
            self._find(self._state.messages[0].sent_at)

    def _find(self, before: int | None) -> None:
        self._loading = True
        query = FindChatMessages(self.room.id, before=before, limit=PAGE)
        self._context.find(query, lambda page: self._found(page, before), self._broke, self._account_id)

    def _broke(self, failure: object) -> None:
        self._loading = False
        self._context.refused(failure)  # type: ignore[arg-type]

    def _found(self, page: Page, before: int | None) -> None:
        self._loading = False
        self.complete = len(page.items) < PAGE
        got = [as_message(one) for one in page.items if isinstance(one, ChatMessage)]
        known = {one.id for one in self._state.messages}
        new = [one for one in got if one.id not in known]
        if not new:
            return
        merged = sorted((*self._state.messages, *new), key=lambda one: one.sent_at)[-MAX_MESSAGES:]
        self._set(replace(self._state, messages=tuple(merged)), MessageReceived(merged[-1]))
        if before is not None:
            self._shown()

    def _event(self, state: AccountState, event: AccountEvent) -> None:
        if state.account_id != self._account_id:
            return
        if isinstance(event, ChatMessageReceived) and event.message.room_id == self.room.id:
            self._add(as_message(event.message))
        elif isinstance(event, ListChanged) and event.what == "chat_messages" and event.id in ("", self.room.id):
            self.load()
        allowed = account_capability(state, SendChatMessage)
        if self._state.capabilities.get("SendMessage", Capability(True)) != allowed:
            changed = replace(self._state, capabilities=frozen_map({"SendMessage": allowed}))
            self._set(changed, MessagesRead())

    def _add(self, message: Message) -> None:
        messages = self._state.messages
        place = next((i for i, one in enumerate(messages) if one.id == message.id), None)
        if place is not None:
            changed = (*messages[:place], message, *messages[place + 1 :])
            self._set(replace(self._state, messages=changed), MessageReceived(message))
            return
        unread = self._state.unread_messages + (0 if message.is_local else 1)
        changed = (*messages, message)[-MAX_MESSAGES:]
        self._set(replace(self._state, messages=changed, unread_messages=unread), MessageReceived(message))

    def _drop(self, message_id: str) -> None:
        left = tuple(one for one in self._state.messages if one.id != message_id)
        self._set(replace(self._state, messages=left), MessagesRead())

    def _set(self, state: CallState, event: CallEvent) -> None:
        self._state = state
        for listener in list(self._listeners):
            listener(state, event)

    def release(self) -> None:
        self._context.changed.disconnect(self._event)
        self._listeners.clear()
