"""People of a call as rows: raised hands first in their order, then oneself, then everybody else by name."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.calls.model import CallState, MediaKind, Participant, Role, SourceContent
from ui import i18n

MAX_NAME = 80
"""Characters of a name in the list; a remote side may send more."""
ROW_ROLE = int(Qt.ItemDataRole.UserRole) + 1
_ModelIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What the list shows of one person. ``microphone`` and ``camera``: True on, False off, None not there."""

    id: str
    name: str
    is_local: bool
    is_bot: bool
    moderator: bool
    hand: int
    """Place among the raised hands from 1; 0 without a raised hand."""
    microphone: bool | None
    camera: bool | None
    sharing: bool
    speaking: bool
    reachable: bool
    quality: int | None
    status: str


def plain_name(participant: Participant) -> str:
    """Name to show: one line, bounded, never empty."""
    name = " ".join(participant.name.split())[:MAX_NAME]
    if name:
        return name
    return (
        i18n.translate("ParticipantsPanel", "Me")
        if participant.is_local
        else i18n.translate("ParticipantsPanel", "Guest")
    )


def fold(text: str) -> str:
    """*text* for searching: no case, no accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()


def build_rows(state: CallState, query: str = "") -> tuple[PersonRow, ...]:
    """Rows for the people of *state* whose name contains *query*."""
    wanted = fold(query.strip())
    people = [p for p in state.participants.values() if not p.is_hidden]
    hands = sorted((p for p in people if p.raised_hand_at is not None), key=lambda p: (p.raised_hand_at, p.id))
    place = {p.id: i + 1 for i, p in enumerate(hands)}
    media: dict[str, dict[SourceContent, bool]] = {}
    for source in state.sources.values():
        on = media.setdefault(source.participant_id, {})
        on[source.content] = on.get(source.content, False) or not source.muted
    rows = []
    for p in people:
        name = plain_name(p)
        if wanted and wanted not in fold(name):
            continue
        own = media.get(p.id, {})
        if p.is_local:
            own = {
                SourceContent.MICROPHONE: not state.local.microphone_muted,
                SourceContent.CAMERA: not state.local.camera_muted,
                SourceContent.SCREEN: state.local.sharing_screen,
            }
        rows.append(
            PersonRow(
                id=p.id,
                name=name,
                is_local=p.is_local,
                is_bot=p.is_bot,
                moderator=p.role is Role.MODERATOR,
                hand=place.get(p.id, 0),
                microphone=own.get(SourceContent.MICROPHONE),
                camera=own.get(SourceContent.CAMERA),
                sharing=own.get(SourceContent.SCREEN, False),
                speaking=state.dominant_speaker == p.id and not state.dominant_silent,
                reachable=p.connection_active,
                quality=p.quality,
                status=" ".join(p.status.split())[:MAX_NAME],
            )
        )
    rows.sort(key=lambda r: (r.hand == 0, r.hand, not r.is_local, fold(r.name), r.id))
    return tuple(rows)


def people_count(state: CallState) -> int:
    return sum(1 for p in state.participants.values() if not p.is_hidden)


def muted_kinds(state: CallState, participant_id: str) -> dict[MediaKind, bool]:
    """For each kind that the person has: whether all of it is muted."""
    kinds: dict[MediaKind, bool] = {}
    for source in state.sources.values():
        if source.participant_id == participant_id and source.content is not SourceContent.SCREEN:
            kinds[source.kind] = kinds.get(source.kind, True) and source.muted
    return kinds


class ParticipantsModel(QAbstractListModel):
    """Feeds a list view; rows that stay are updated in place so that selection and scroll position stay too."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PersonRow, ...] = ()
        self._query = ""
        self._state: CallState | None = None
        self._seen: tuple[object, ...] = ()

    def update(self, state: CallState) -> bool:
        """Take over *state*; True when a row changed."""
        seen = (
            state.participants,
            state.sources,
            state.dominant_speaker,
            state.dominant_silent,
            state.local.microphone_muted,
            state.local.camera_muted,
            state.local.sharing_screen,
        )
        self._state = state
        if len(seen) == len(self._seen) and all(a is b for a, b in zip(seen, self._seen, strict=True)):
            return False
        self._seen = seen
        return self._rebuild()

    def set_query(self, query: str) -> None:
        if query != self._query:
            self._query = query
            self._rebuild()

    def _rebuild(self) -> bool:
        if self._state is None:
            return False
        new, old = build_rows(self._state, self._query), self._rows
        if new == old:
            return False
        if [r.id for r in new] == [r.id for r in old]:
            self._rows = new
            for i, (a, b) in enumerate(zip(old, new, strict=True)):
                if a != b:
                    self.dataChanged.emit(self.index(i), self.index(i))
        else:
            self.layoutAboutToBeChanged.emit()
            before = self.persistentIndexList()
            ids = [old[i.row()].id if i.row() < len(old) else "" for i in before]
            self._rows = new
            rows = {r.id: n for n, r in enumerate(new)}
            after = [self.index(rows[i]) if i in rows else QModelIndex() for i in ids]
            self.changePersistentIndexList(before, after)
            self.layoutChanged.emit()
        return True

    def row(self, number: int) -> PersonRow:
        return self._rows[number]

    def row_of(self, participant_id: str) -> int:
        return next((i for i, r in enumerate(self._rows) if r.id == participant_id), -1)

    def rowCount(self, parent: _ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _ModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return row.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join([row.name, *self.marks(row)])
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([row.name, *self.marks(row)])
        return None

    @staticmethod
    def marks(row: PersonRow) -> list[str]:
        """Everything that the row shows by marks, in words."""
        words: list[str] = []
        if row.is_local:
            words.append(i18n.translate("ParticipantsPanel", "you"))
        if row.hand:
            words.append(i18n.translate("ParticipantsPanel", "hand raised, number {place}").format(place=row.hand))
        if row.moderator:
            words.append(i18n.translate("ParticipantsPanel", "moderator"))
        if row.is_bot:
            words.append(i18n.translate("ParticipantsPanel", "automatic participant"))
        if row.microphone is not None:
            words.append(
                i18n.translate("ParticipantsPanel", "microphone on")
                if row.microphone
                else i18n.translate("ParticipantsPanel", "microphone off")
            )
        if row.camera is not None:
            words.append(
                i18n.translate("ParticipantsPanel", "camera on")
                if row.camera
                else i18n.translate("ParticipantsPanel", "camera off")
            )
        if row.sharing:
            words.append(i18n.translate("ParticipantsPanel", "sharing the screen"))
        if row.speaking:
            words.append(i18n.translate("ParticipantsPanel", "speaking"))
        if not row.reachable:
            words.append(i18n.translate("ParticipantsPanel", "connection interrupted"))
        if row.status:
            words.append(row.status)
        return words
