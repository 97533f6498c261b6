"""The scrolling list of messages: links, hover, keys, and staying at the end only when one is there."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDesktopServices,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QToolTip, QWidget

from app.calls.actions import ReactToMessage, SendMessage
from app.calls.model import CallState, Capability, Message
from app.calls.selectors import capability
from ui.forms import follow_theme
from ui.panels.chat_delegate import ChatDelegate, Hit
from ui.panels.chat_model import MAX_CHARS, ROW_ROLE, ChatModel, Row
from ui.panels.emoji import QUICK
from ui.panels.linkify import find_links, is_web_link
from ui.widgets.menus import Menu
from ui.widgets.text import plain

AT_END_PX = 24
"""A list scrolled to within this distance of its end follows new messages."""
SHOWN_LINK = 60


class ChatList(QListView):
    """Signals:
    reply_requested(str id), react_requested(str id, str emoji), pick_requested(str id): a picker is wanted,
    retry_requested(str id), private_requested(str participant id), at_end_changed(bool).
    """

    reply_requested = Signal(str)
    react_requested = Signal(str, str)
    pick_requested = Signal(str)
    retry_requested = Signal(str)
    private_requested = Signal(str)
    at_end_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chat = ChatModel(self)
        self.painter_ = ChatDelegate(self)
        self.setModel(self.chat)
        self.setItemDelegate(self.painter_)
        self.setAccessibleName(self.tr("Messages"))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(False)
        self.setMouseTracking(True)
        self.setProperty("noFocusRing", True)
        self.verticalScrollBar().setSingleStep(24)
        self._stay = True
        self._loading = False
        self._state: CallState | None = None
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._range_changed)
        follow_theme(self, self._restyle)

    def _restyle(self) -> None:
        # Rows paint themselves: no hover or selection fill behind them.
        self.setStyleSheet(
            "QListView::item, QListView::item:hover, QListView::item:selected { background: transparent; }"
        )
        self.viewport().update()

    # ------------------------------------------------------------ feeding

    def update_state(self, state: CallState) -> tuple[Message, ...]:
        self._state = state
        at_end = self.at_end
        self._stay = at_end
        added = self.chat.update(state)
        if added and at_end:
            self.chat.trim()
            QTimer.singleShot(0, self, self.to_end)
        return added

    @property
    def at_end(self) -> bool:
        bar = self.verticalScrollBar()
        return bool(bar.maximum() - bar.value() <= AT_END_PX)

    def to_end(self) -> None:
        self._stay = True
        self.scrollToBottom()

    @property
    def has_unread_mark(self) -> bool:
        return bool(self.chat.first_unread)

    def set_unread_seen(self) -> None:
        """Take the "New" line away."""
        self.chat.set_first_unread("")

    def to_message(self, message_id: str) -> None:
        row = self.chat.row_of(message_id)
        if row >= 0:
            index = self.chat.index(row)
            self.setCurrentIndex(index)
            self.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _range_changed(self, _low: int, _high: int) -> None:
        if self._stay:
            self.scrollToBottom()

    def _scrolled(self, value: int) -> None:
        self.at_end_changed.emit(self.at_end)
        self._stay = self.at_end
        if value == 0 and not self._loading and self.chat.hidden_before and self.isVisible():
            self._loading = True
            QTimer.singleShot(0, self, self._load_earlier)

    def _load_earlier(self) -> None:
        bar = self.verticalScrollBar()
        before = bar.maximum()
        self._stay = False
        self.chat.show_earlier()
        self.executeDelayedItemsLayout()
        bar.setValue(bar.maximum() - before)
        self._loading = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        stay = self.at_end
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.scheduleDelayedItemsLayout()
        if stay:
            QTimer.singleShot(0, self, self.to_end)

    # ------------------------------------------------------------ pointer

    def _row(self, index: QModelIndex) -> Row:
        row: Row = index.data(ROW_ROLE)
        return row

    def _hit(self, point: QPoint) -> tuple[QModelIndex, Hit | None]:
        index = self.indexAt(point)
        if not index.isValid():
            return index, None
        rect = QRectF(self.visualRect(index))
        hit = self.painter_.hit(self._row(index), rect, QPointF(point), mirrored=self.isRightToLeft())
        return index, hit

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position().toPoint()
        index, hit = self._hit(point)
        self.painter_.hovered = QPersistentModelIndex(index)
        self.painter_.hover_more = hit is not None and hit.kind == "more"
        clickable = hit is not None and hit.kind != "message"
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if clickable else Qt.CursorShape.ArrowCursor)
        if hit is not None and hit.kind == "link":
            QToolTip.showText(event.globalPosition().toPoint(), hit.value, self)
        else:
            QToolTip.hideText()
        self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.painter_.hovered = QPersistentModelIndex()
        self.viewport().update()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            index, hit = self._hit(event.position().toPoint())
            if hit is not None:
                self._act(index, hit, event.globalPosition().toPoint())

    def _act(self, index: QModelIndex, hit: Hit, where: QPoint) -> None:
        row = self._row(index)
        if hit.kind == "link":
            self.open_link(hit.value)
        elif hit.kind == "fold":
            self.chat.set_expanded(index, not row.expanded)
        elif hit.kind == "retry":
            self.retry_requested.emit(row.message.id)
        elif hit.kind == "react":
            self.react_requested.emit(row.message.id, hit.value)
        elif hit.kind == "quote" and hit.value:
            self.to_message(hit.value)
        elif hit.kind == "more":
            self.make_menu(row).popup(where)

    @staticmethod
    def open_link(url: str) -> None:
        if is_web_link(url):
            QDesktopServices.openUrl(QUrl(url))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        if index.isValid() and not self._row(index).message.system:
            where = self.visualRect(index).center() if keyboard else event.pos()
            self.make_menu(self._row(index)).popup(self.viewport().mapToGlobal(where))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and index.isValid():
            if not self._row(index).message.system:
                self.make_menu(self._row(index)).popup(self.viewport().mapToGlobal(self.visualRect(index).center()))
            return
        if event.matches(QKeySequence.StandardKey.Copy) and index.isValid():
            QGuiApplication.clipboard().setText(self._row(index).message.text)
            return
        super().keyPressEvent(event)

    # ------------------------------------------------------------ menu of a message

    def _capability(self, action: type) -> Capability:
        return capability(self._state, action) if self._state is not None else Capability(False, present=False)

    def make_menu(self, row: Row) -> Menu:
        message = row.message
        menu = Menu(self.tr("Message"), self)
        if message.error:
            menu.entry(self.tr("Send again"), lambda: self.retry_requested.emit(message.id), "refresh")
        if not message.retracted:
            menu.entry(
                self.tr("Reply"), lambda: self.reply_requested.emit(message.id), "arrow-back-up",
                capability=self._capability(SendMessage),
            )  # fmt: skip
            self._add_reactions(menu, message)
            text = message.text[:MAX_CHARS]
            menu.entry(self.tr("Copy text"), lambda: QGuiApplication.clipboard().setText(text), "copy")
        if not message.is_local and self._state is not None and message.sender_id in self._state.participants:
            menu.entry(
                self.tr("Write privately to {name}").format(name=row.sender),
                lambda: self.private_requested.emit(message.sender_id), "lock",
                capability=self._capability(SendMessage),
            )  # fmt: skip
        links = () if message.retracted else find_links(message.text[:MAX_CHARS])
        if links:
            menu.addSeparator()
            for link in dict.fromkeys(link.url for link in links[:5]):
                menu.entry(
                    self.tr("Open {link}").format(link=plain(link, SHOWN_LINK)),
                    partial(self.open_link, link),
                    "link",
                )
        return menu

    def _add_reactions(self, menu: Menu, message: Message) -> None:
        allowed = self._capability(ReactToMessage)
        if not allowed.present:
            return
        for emoji in QUICK[:3]:
            menu.entry(
                self.tr("React with {emoji}").format(emoji=emoji),
                partial(self.react_requested.emit, message.id, emoji),
                capability=allowed,
            )
        menu.entry(
            self.tr("Another reaction…"), lambda: self.pick_requested.emit(message.id), "mood-plus", capability=allowed
        )
