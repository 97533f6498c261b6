"""Long lists that are read page by page: contacts, calls, voicemail, rooms. One model, one delegate, one view.

A list of ten thousand entries knows how many there are and holds only the pages that were looked at; a page is asked
for when one of its rows is painted.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from app.calls.accounts import Page
from app.calls.model import Failure
from ui import i18n, icons
from ui.forms import follow_theme
from ui.theme import Radius, Size, Space, Type, colour, elide, font, theme
from ui.widgets.marks import paint_avatar
from ui.widgets.text import plain

PAGE = 50
MAX_PAGES = 60
"""Pages kept; the ones looked at longest ago go first."""
ROW_HEIGHT = 56
AVATAR = 36
BUTTON = 32
ITEM_ROLE = int(Qt.ItemDataRole.UserRole) + 1
LOOK_ROLE = ITEM_ROLE + 1
_NUMBER = re.compile(r"\+?\d[\d /:-]*\d")
_ModelIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class RowAct:
    """A button at the end of a row, shown while the row has pointer or keyboard, or always."""

    id: str
    icon: str
    text: str
    tint: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class RowLook:
    """How an item looks. *dot* and *mark_tint* name palette tokens; *spoken* is the row for a screen reader."""

    title: str
    detail: str = ""
    trailing: str = ""
    face: str = ""
    """Name for the avatar; empty with *icon* shows the icon instead."""
    icon: str = ""
    icon_tint: str = "muted"
    dot: str = ""
    mark: str = ""
    """A small icon before the detail."""
    mark_tint: str = "muted"
    strong: bool = False
    count: int = 0
    acts: tuple[RowAct, ...] = ()
    spoken: str = ""


Fetch = Callable[[int, int, Callable[[Page], None], Callable[[Failure], None]], None]
"""``fetch(offset, limit, then, failed)``."""


class PagedModel(QAbstractListModel):
    """Signals: loaded(): the first page is there. failed(Failure)."""

    loaded = Signal()
    failed = Signal(object)

    def __init__(self, look: Callable[[Any], RowLook], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._fetch: Fetch | None = None
        self._pages: OrderedDict[int, tuple[Any, ...]] = OrderedDict()
        self._asked: set[int] = set()
        self._stale: set[int] = set()
        self._count = 0
        self._open_end = False
        self._run = 0
        self.total: int | None = None

    # ------------------------------------------------------------ feeding

    def load(self, fetch: Fetch, *, keep: bool = False) -> None:
        """Read from *fetch* from now on. *keep* shows the old rows until their page has been read again."""
        self._fetch = fetch
        self._run += 1
        self._asked.clear()
        if keep and self._count:
            self._stale = set(self._pages)
        else:
            self._stale.clear()
            self._resize(0)
            self._pages.clear()
        self._ask(0)

    def set_items(self, items: tuple[Any, ...]) -> None:
        """Show a list that is known as a whole."""
        self._run += 1
        self._fetch = None
        self.beginResetModel()
        self._pages.clear()
        for page in range(0, len(items), PAGE):
            self._pages[page // PAGE] = items[page : page + PAGE]
        self._count, self.total, self._open_end = len(items), len(items), False
        self.endResetModel()
        self.loaded.emit()

    def refresh_row(self, predicate: Callable[[Any], bool]) -> None:
        """Paint rows again whose look depends on something outside (a presence)."""
        for page, items in self._pages.items():
            for place, item in enumerate(items):
                if predicate(item):
                    index = self.index(page * PAGE + place)
                    self.dataChanged.emit(index, index)

    def _ask(self, page: int) -> None:
        if self._fetch is None or page in self._asked:
            return
        self._asked.add(page)
        run = self._run
        self._fetch(
            page * PAGE,
            PAGE,
            lambda found: self._arrived(run, page, found),
            lambda failure: self._broke(run, failure),
        )

    def _arrived(self, run: int, page: int, found: Page) -> None:
        if run != self._run:
            return
        items = tuple(found.items[:PAGE])
        self._pages[page] = items
        self._pages.move_to_end(page)
        self._stale.discard(page)
        while len(self._pages) > MAX_PAGES:
            gone, _items = self._pages.popitem(last=False)
            self._asked.discard(gone)
        self.total = found.total
        if found.total is not None:
            self._open_end = False
            self._resize(max(found.total, 0))
        else:
            end = page * PAGE + len(items)
            self._open_end = len(items) == PAGE
            self._resize(end if page * PAGE >= self._count - PAGE else max(end, self._count))
        first, last = page * PAGE, min(self._count, page * PAGE + len(items)) - 1
        if last >= first:
            self.dataChanged.emit(self.index(first), self.index(last))
        if page == 0:
            self.loaded.emit()

    def _broke(self, run: int, failure: Failure) -> None:
        if run == self._run:
            self.failed.emit(failure)

    def _resize(self, count: int) -> None:
        if count > self._count:
            self.beginInsertRows(QModelIndex(), self._count, count - 1)
            self._count = count
            self.endInsertRows()
        elif count < self._count:
            self.beginRemoveRows(QModelIndex(), count, self._count - 1)
            self._count = count
            self.endRemoveRows()

    # ------------------------------------------------------------ reading

    def item(self, row: int) -> Any:
        """The item, or ``None`` while its page is on its way; asks for the page."""
        page = row // PAGE
        items = self._pages.get(page)
        if self._fetch is not None and (items is None or page in self._stale):
            QTimer.singleShot(0, self, lambda: self._ask(page))
        if items is None or row % PAGE >= len(items):
            return None
        return items[row % PAGE]

    def loaded_items(self) -> tuple[Any, ...]:
        return tuple(item for page in sorted(self._pages) for item in self._pages[page])

    def rowCount(self, parent: _ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else self._count

    def canFetchMore(self, parent: _ModelIndex) -> bool:
        return self._open_end and self._count // PAGE not in self._asked

    def fetchMore(self, parent: _ModelIndex) -> None:
        self._ask(self._count // PAGE)

    def data(self, index: _ModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or index.row() >= self._count:
            return None
        if role not in (ITEM_ROLE, LOOK_ROLE, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        item = self.item(index.row())
        if role == ITEM_ROLE or item is None:
            return item
        look = self._look(item)
        if role == LOOK_ROLE:
            return look
        spoken = look.spoken or ", ".join(part for part in (look.title, look.detail, look.trailing) if part)
        return spoken if role == Qt.ItemDataRole.AccessibleTextRole else look.title


class RowDelegate(QStyledItemDelegate):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hovered = -1
        self.hovered_act = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: _ModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def acts(self, look: RowLook, hot: bool) -> tuple[RowAct, ...]:
        return tuple(act for act in look.acts if hot or act.always)

    def act_rects(self, look: RowLook, rect: QRectF, mirrored: bool, hot: bool) -> list[tuple[RowAct, QRectF]]:
        """Buttons of a row from its end inwards, in the order of the look."""
        shown = self.acts(look, hot)
        found = []
        for place, act in enumerate(reversed(shown)):
            offset = Space.L + place * (BUTTON + Space.XS)
            x = rect.left() + offset if mirrored else rect.right() - offset - BUTTON
            found.append((act, QRectF(x, rect.center().y() - BUTTON / 2, BUTTON, BUTTON)))
        return found

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _ModelIndex) -> None:
        rect = QRectF(option.rect)
        look: RowLook | None = index.data(LOOK_ROLE)
        p = theme().palette
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        if look is None:
            self._paint_waiting(painter, rect, mirrored)
            painter.restore()
            return
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hot = index.row() == self.hovered or focused
        if hot or selected:
            painter.setPen(QPen(colour(p.accent), Size.FOCUS_WIDTH) if focused else Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.selected if selected else p.hover))
            body = rect.adjusted(Space.S, 1, -Space.S, -1)
            painter.drawRoundedRect(body.adjusted(1, 1, -1, -1), Radius.SMALL, Radius.SMALL)
        end = self._paint_end(painter, look, rect, mirrored, hot, index.row())
        self._paint_start(painter, look, rect, mirrored)
        self._paint_words(painter, look, rect, mirrored, end)
        painter.restore()

    @staticmethod
    def _box(rect: QRectF, x: float, y: float, width: float, height: float, mirrored: bool) -> QRectF:
        left = rect.right() - x - width if mirrored else rect.left() + x
        return QRectF(left, rect.top() + y, width, height)

    def _paint_waiting(self, painter: QPainter, rect: QRectF, mirrored: bool) -> None:
        p = theme().palette
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(p.hover))
        top = (ROW_HEIGHT - AVATAR) / 2
        painter.drawEllipse(self._box(rect, Space.L, top, AVATAR, AVATAR, mirrored))
        for y, width in ((16, 160), (33, 96)):
            painter.drawRoundedRect(self._box(rect, Space.L + AVATAR + Space.M, y, width, 9, mirrored), 4, 4)

    def _paint_start(self, painter: QPainter, look: RowLook, rect: QRectF, mirrored: bool) -> None:
        p = theme().palette
        box = self._box(rect, Space.L, (ROW_HEIGHT - AVATAR) / 2, AVATAR, AVATAR, mirrored)
        if look.face:
            paint_avatar(painter, box, look.face)
        elif look.icon:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.hover))
            painter.drawEllipse(box)
            inner = box.adjusted(8, 8, -8, -8)
            icons.paint(painter, look.icon, str(getattr(p, look.icon_tint)), inner)
        if look.dot:
            side = 12.0
            x = box.left() - 1 if mirrored else box.right() - side + 1
            painter.setPen(QPen(colour(p.surface), 2))
            painter.setBrush(colour(str(getattr(p, look.dot))))
            painter.drawEllipse(QRectF(x, box.bottom() - side + 1, side, side))

    def _paint_end(self, painter: QPainter, look: RowLook, rect: QRectF, mirrored: bool, hot: bool, row: int) -> float:
        """Paint what stands at the end; returns how much room it takes."""
        p = theme().palette
        shown = self.act_rects(look, rect, mirrored, hot)
        for act, box in shown:
            if row == self.hovered and act.id == self.hovered_act:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour(p.pressed))
                painter.drawRoundedRect(box, Radius.SMALL, Radius.SMALL)
            tint = str(getattr(p, act.tint)) if act.tint else p.text
            icons.paint(painter, act.icon, tint, box.adjusted(6, 6, -6, -6))
        room: float = Space.L + len(shown) * (BUTTON + Space.XS)
        if look.count:
            room += self._paint_count(painter, look.count, rect, room, mirrored)
        # With the buttons of a row that is pointed at there is no room for the time as well.
        if look.trailing and not (hot and any(not act.always for act, _box in shown)):
            used = font(Type.CAPTION, tabular=True)
            painter.setFont(used)
            painter.setPen(colour(p.muted))
            width = painter.fontMetrics().horizontalAdvance(look.trailing) + Space.XS
            x = rect.left() + room if mirrored else rect.right() - room - width
            box = QRectF(x, rect.top(), width, rect.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignTrailing), look.trailing)
            room += width
        return room + Space.S

    @staticmethod
    def _paint_count(painter: QPainter, count: int, rect: QRectF, room: float, mirrored: bool) -> float:
        p = theme().palette
        text = "99+" if count > 99 else str(count)
        painter.setFont(font(11, strong=True, tabular=True))
        width = max(18.0, painter.fontMetrics().horizontalAdvance(text) + 10.0)
        x = rect.left() + room if mirrored else rect.right() - room - width
        box = QRectF(x, rect.center().y() - 9, width, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(p.accent))
        painter.drawRoundedRect(box, 9, 9)
        painter.setPen(colour(p.on_accent))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        return width + Space.S

    def _paint_words(self, painter: QPainter, look: RowLook, rect: QRectF, mirrored: bool, end: float) -> None:
        p = theme().palette
        start = Space.L + AVATAR + Space.M
        width = max(0.0, rect.width() - start - end)
        title = font(Type.BODY, strong=look.strong)
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        painter.setFont(title)
        painter.setPen(colour(p.text))
        top = 8 if look.detail else (ROW_HEIGHT - 20) / 2
        painter.drawText(self._box(rect, start, top, width, 20, mirrored), flags, elide(look.title, title, int(width)))
        if not look.detail:
            return
        if look.mark:
            box = self._box(rect, start, 31, 14, 14, mirrored)
            icons.paint(painter, look.mark, str(getattr(p, look.mark_tint)), box)
            start, width = start + 18, max(0.0, width - 18)
        small = font(Type.CAPTION, tabular=True)
        painter.setFont(small)
        painter.setPen(colour(p.muted))
        detail = elide(plain(look.detail, 300), small, int(width))
        if mirrored:
            # A number keeps its plus sign in front between words that run from right to left (UAX 9, isolates).
            detail = _NUMBER.sub("\u2066\\g<0>\u2069", detail)
        painter.drawText(self._box(rect, start, 28, width, 19, mirrored), flags, detail)


class PagedList(QListView):
    """Signals:
    chosen(object): Enter or double click (a click, when ``single_click``). acted(str id, object): a row's button.
    menu_requested(object, QPoint): right click or the menu key; global position.
    """

    chosen = Signal(object)
    acted = Signal(str, object)
    menu_requested = Signal(object, QPoint)

    def __init__(
        self, name: str, look: Callable[[Any], RowLook], parent: QWidget | None = None, *, single_click: bool = False
    ) -> None:
        super().__init__(parent)
        self.rows = PagedModel(look, self)
        self.painter_ = RowDelegate(self)
        self._single = single_click
        self.setModel(self.rows)
        self.setItemDelegate(self.painter_)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.verticalScrollBar().setSingleStep(24)
        self.setMouseTracking(True)
        self.setProperty("noFocusRing", True)
        follow_theme(self, self._restyle)

    def _restyle(self) -> None:
        self.setStyleSheet(
            "QListView::item, QListView::item:hover, QListView::item:selected { background: transparent; }"
        )
        self.viewport().update()

    def _at(self, point: QPoint) -> tuple[int, Any, str]:
        """Row, item and button under *point*; -1 for none."""
        index = self.indexAt(point)
        look: RowLook | None = index.data(LOOK_ROLE) if index.isValid() else None
        if look is None:
            return index.row(), None, ""
        rect = QRectF(self.visualRect(index))
        hot = index.row() == self.painter_.hovered or index == self.currentIndex()
        for act, box in self.painter_.act_rects(look, rect, self.isRightToLeft(), hot):
            if box.contains(QPointF(point)):
                return index.row(), index.data(ITEM_ROLE), act.id
        return index.row(), index.data(ITEM_ROLE), ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.painter_.hovered = self.indexAt(event.position().toPoint()).row()
        _row, _item, act = self._at(event.position().toPoint())
        self.painter_.hovered_act = act
        clickable = bool(act) or (self._single and _item is not None)
        self.setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
        self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.painter_.hovered, self.painter_.hovered_act = -1, ""
        self.viewport().update()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        _row, item, act = self._at(event.position().toPoint())
        if item is None:
            return
        if act:
            self.acted.emit(act, item)
        elif self._single:
            self.chosen.emit(item)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        _row, item, act = self._at(event.position().toPoint())
        if item is not None and not act and not self._single:
            self.chosen.emit(item)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            _row, item, act = self._at(event.pos())
            look = self.indexAt(event.pos()).data(LOOK_ROLE) if item is not None else None
            words = next((one.text for one in look.acts if one.id == act), "") if look is not None else ""
            QToolTip.showText(event.globalPos(), words, self) if words else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        item = index.data(ITEM_ROLE) if index.isValid() else None
        if item is not None:
            where = self.visualRect(index).center() if keyboard else event.pos()
            self.menu_requested.emit(item, self.viewport().mapToGlobal(where))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        item = index.data(ITEM_ROLE) if index.isValid() else None
        if item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(item)
            return
        if item is not None and event.key() == Qt.Key.Key_Space:
            self.menu_requested.emit(item, self.viewport().mapToGlobal(self.visualRect(index).center()))
            return
        super().keyPressEvent(event)

    def item_at(self, row: int) -> Any:
        return self.rows.item(row)


def someone() -> str:
    return i18n.translate("Phone", "Unknown caller")
