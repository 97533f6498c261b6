"""Chat messages of a call as rows: a window on the newest of them, with what the delegate needs to group them.

Only the last :data:`WINDOW_ROWS` messages are rows; :meth:`ChatModel.show_earlier` adds more from the front. So a
meeting with ten thousand messages lays out a few hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QDateTime, QLocale, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.calls.model import CallState, Message
from ui import i18n

WINDOW_ROWS = 200
"""Rows shown at first and added each time the person scrolls to the top."""
TRIM_ABOVE = 600
"""Rows above which a list that stands at its end drops the oldest again."""
GROUP_GAP_MS = 5 * 60 * 1000
"""A message that comes later than this after the one before starts a group with name and time again."""
COLLAPSED_CHARS = 600
COLLAPSED_LINES = 12
"""Longer messages are folded behind "Show more"."""
MAX_CHARS = 20_000
"""Characters of one message that are ever shown."""
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Row:
    """One message and where it stands."""

    message: Message
    sender: str
    starts_group: bool
    starts_day: bool
    first_unread: bool
    private_name: str
    """Name at the other end of a private message, empty for everybody."""
    reply_sender: str
    reply_text: str
    expanded: bool
    own_reactions: frozenset[str]


ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_ModelIndex = QModelIndex | QPersistentModelIndex


class ChatModel(QAbstractListModel):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._messages: tuple[Message, ...] = ()
        self._names: dict[str, str] = {}
        self._participants: object = None
        self._local_id = ""
        self._first = 0
        self._by_id: dict[str, Message] = {}
        self._expanded: set[str] = set()
        self._unread_id = ""

    # ------------------------------------------------------------ feeding

    def update(self, state: CallState) -> tuple[Message, ...]:
        """Take over the messages of *state*; returns those that are new at the end."""
        if state.participants is not self._participants:
            self._participants = state.participants
            self._names.update({p.id: p.name for p in state.participants.values() if p.name})
        self._local_id = state.local_id or self._local_id
        new, old = state.messages, self._messages
        if new is old:
            return ()
        dropped = self._dropped_from_front(old, new)
        if dropped is None:
            self.beginResetModel()
            self._messages = new
            self._first = max(0, len(new) - WINDOW_ROWS)
            self._index()
            self.endResetModel()
            return new if not old else ()
        if dropped:
            visible = max(0, dropped - self._first)
            if visible:
                self.beginRemoveRows(QModelIndex(), 0, visible - 1)
            self._messages = old = old[dropped:]
            self._first = max(0, self._first - dropped)
            if visible:
                self.endRemoveRows()
        changed = [i for i in range(len(old)) if new[i] is not old[i] and new[i] != old[i]]
        added = new[len(old) :]
        if added:
            self.beginInsertRows(QModelIndex(), len(old) - self._first, len(new) - self._first - 1)
        self._messages = new
        self._index()
        if added:
            self.endInsertRows()
        for i in changed:
            if i >= self._first:
                index = self.index(i - self._first)
                self.dataChanged.emit(index, index)
        return added

    @staticmethod
    def _dropped_from_front(old: tuple[Message, ...], new: tuple[Message, ...]) -> int | None:
        """How many of *old* are gone from the front of *new*; ``None`` when *new* is something else."""
        if not old or not new:
            return None
        for dropped, message in enumerate(old):
            if message.id == new[0].id:
                rest = len(old) - dropped
                if rest <= len(new) and new[rest - 1].id == old[-1].id:
                    return dropped
                return None
        return None

    def _index(self) -> None:
        self._by_id = {m.id: m for m in self._messages}

    def show_earlier(self) -> int:
        """Add older messages at the front; returns how many."""
        count = min(WINDOW_ROWS, self._first)
        if count:
            self.beginInsertRows(QModelIndex(), 0, count - 1)
            self._first -= count
            self.endInsertRows()
        return count

    def trim(self) -> None:
        """Drop the oldest rows of a window that has grown long."""
        excess = self.rowCount() - TRIM_ABOVE
        if excess > 0:
            count = self.rowCount() - WINDOW_ROWS
            self.beginRemoveRows(QModelIndex(), 0, count - 1)
            self._first += count
            self.endRemoveRows()

    @property
    def hidden_before(self) -> int:
        return self._first

    def set_expanded(self, index: _ModelIndex, expanded: bool) -> None:
        message = self._messages[self._first + index.row()]
        (self._expanded.add if expanded else self._expanded.discard)(message.id)
        self.dataChanged.emit(index, index)

    def set_first_unread(self, message_id: str) -> None:
        """Draw the "New" line above this message; ``""`` takes it away."""
        if message_id != self._unread_id:
            self._unread_id = message_id
            if self.rowCount():
                self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    @property
    def first_unread(self) -> str:
        return self._unread_id

    def row_of(self, message_id: str) -> int:
        """Row of a message, showing earlier ones when needed; -1 when it is unknown."""
        for i in range(len(self._messages) - 1, -1, -1):
            if self._messages[i].id == message_id:
                while i < self._first:
                    self.show_earlier()
                return i - self._first
        return -1

    def message(self, message_id: str) -> Message | None:
        return self._by_id.get(message_id)

    # ------------------------------------------------------------ reading

    def rowCount(self, parent: _ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._messages) - self._first

    def data(self, index: _ModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        if role == ROW_ROLE:
            return self.row(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._messages[self._first + index.row()].text[:MAX_CHARS]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.spoken(self.row(index.row()))
        return None

    def row(self, number: int) -> Row:
        position = self._first + number
        message = self._messages[position]
        before = self._messages[position - 1] if position else None
        starts_day = before is None or _day(before) != _day(message)
        first_unread = message.id == self._unread_id
        reply = self._by_id.get(message.reply_to) if message.reply_to else None
        return Row(
            message=message,
            sender=self.name_of(message),
            starts_group=starts_day or first_unread or before is None or not _same_group(before, message),
            starts_day=starts_day,
            first_unread=first_unread,
            private_name=self._names.get(message.private_to, message.private_to)[:MAX_NAME]
            if message.private_to
            else "",
            reply_sender=self.name_of(reply) if reply else "",
            reply_text=" ".join(reply.text[:200].split()) if reply and not reply.retracted else "",
            expanded=message.id in self._expanded,
            own_reactions=frozenset(e for e, ids in message.reactions.items() if self._local_id in ids),
        )

    def name_of(self, message: Message) -> str:
        name = message.sender_name or self._names.get(message.sender_id, "")
        return " ".join(name.split())[:MAX_NAME] or i18n.translate("ChatPanel", "Someone")

    def spoken(self, row: Row) -> str:
        """The message as one sentence for a screen reader."""
        message = row.message
        who = i18n.translate("ChatPanel", "You") if message.is_local else row.sender
        if row.private_name:
            if message.is_local:
                who = i18n.translate("ChatPanel", "You, privately to {name}").format(name=row.private_name)
            else:
                who = i18n.translate("ChatPanel", "{name}, privately").format(name=row.sender)
        text = (
            i18n.translate("ChatPanel", "This message was removed") if message.retracted else message.text[:MAX_CHARS]
        )
        spoken = text if message.system else f"{who}, {time_text(message.sent_at)}: {text}"
        if message.error:
            spoken += f". {i18n.sentence(message.error)}"
        for emoji, ids in message.reactions.items():
            spoken += f", {emoji} {len(ids)}"
        return spoken


def _same_group(before: Message, message: Message) -> bool:
    return (
        before.sender_id == message.sender_id
        and before.is_local == message.is_local
        and before.private_to == message.private_to
        and before.system == message.system
        and message.sent_at - before.sent_at < GROUP_GAP_MS
    )


def _day(message: Message) -> int:
    return int(QDateTime.fromMSecsSinceEpoch(message.sent_at).date().toJulianDay())


def time_text(milliseconds: int) -> str:
    """Time of day in the person's own way of writing it."""
    when = QDateTime.fromMSecsSinceEpoch(milliseconds)
    return i18n.locale().toString(when.time(), QLocale.FormatType.ShortFormat)
