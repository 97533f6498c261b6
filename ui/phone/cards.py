"""Several calls at once: cards at the edge. A click takes one up, dragging one onto another merges them."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.calls.model import CallState
from ui import forms, icons
from ui.phone.hub import PhoneHub
from ui.phone.words import call_words, peer
from ui.theme import Duration, Radius, Size, Space, Type, colour, elide, follow, font, theme
from ui.widgets.marks import paint_avatar
from ui.widgets.text import Line

MIME = "application/x-parley-call"
WIDTH = 224
HEIGHT = 68
DIM = 0.6
"""Opacity of the picture of a call on hold; its words stay readable."""


class CallCard(QAbstractButton):
    """Signals: merge_requested(str other): another card was dropped here."""

    merge_requested = Signal(str)

    def __init__(self, call_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.call_id = call_id
        self._name = self._words = ""
        self._held = self._merged = self._current = self._target = False
        self._press: QPoint | None = None
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(120)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("focusRadius", Radius.CARD)
        follow(self)

    @property
    def words(self) -> str:
        return self._words

    @property
    def dim(self) -> bool:
        return self._held

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HEIGHT)

    def show_state(self, state: CallState, *, current: bool, held_since: int | None) -> None:
        phone = state.phone
        self._name = peer(state)
        self._words = call_words(state, held_since)
        self._held = phone is not None and phone.held
        self._merged = phone is not None and bool(phone.conference_id)
        self._current = current
        does = self.tr("Take up the call with {name}") if self._held else self.tr("Show the call with {name}")
        self.setAccessibleName(does.format(name=self._name))
        self.setAccessibleDescription(self._words)
        self.setToolTip(self.tr("Drag onto another call to merge them"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        border = p.accent if self._target or self._current else p.line
        painter.setPen(QPen(colour(border), 2 if self._target or self._current else 1))
        fill = p.selected if self._target else p.hover if self.underMouse() else p.canvas if self._held else p.surface
        painter.setBrush(colour(fill))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), Radius.CARD, Radius.CARD)
        mirrored = self.isRightToLeft()
        face = QRectF(self.width() - Space.M - 36 if mirrored else Space.M, (self.height() - 36) / 2, 36, 36)
        painter.setOpacity(DIM if self._held else 1.0)
        paint_avatar(painter, face, self._name)
        painter.setOpacity(1.0)
        start = Space.M + 36 + Space.S
        width = self.width() - start - Space.M - (24 if self._merged else 0)
        x = self.width() - start - width if mirrored else start
        flags = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading)
        strong = font(Type.BODY, strong=not self._held)
        painter.setFont(strong)
        painter.setPen(colour(p.muted if self._held else p.text))
        painter.drawText(QRectF(x, 13, width, 20), flags, elide(self._name, strong, int(width)))
        small = font(Type.CAPTION, tabular=True)
        painter.setFont(small)
        painter.setPen(colour(p.muted))
        painter.drawText(QRectF(x, 34, width, 20), flags, elide(self._words, small, int(width)))
        if self._merged:
            mark = Space.M if mirrored else self.width() - Space.M - Size.ICON_SMALL
            icons.paint(painter, "users", p.accent, QRectF(mark, (self.height() - 16) / 2, 16, 16))
        painter.end()

    # ------------------------------------------------------------ dragging

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._press = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moved = self._press is not None and (event.position().toPoint() - self._press).manhattanLength()
        if self._press is not None and moved >= QApplication.startDragDistance():
            self._press = None
            self.setDown(False)
            data = QMimeData()
            data.setData(MIME, self.call_id.encode())
            drag = QDrag(self)
            drag.setMimeData(data)
            drag.setPixmap(self.grab())
            drag.exec(Qt.DropAction.MoveAction)
            return
        super().mouseMoveEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        other = bytes(event.mimeData().data(MIME).data()).decode(errors="ignore")
        if other and other != self.call_id:
            self._target = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._target = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._target = False
        self.update()
        other = bytes(event.mimeData().data(MIME).data()).decode(errors="ignore")
        if other and other != self.call_id:
            event.acceptProposedAction()
            self.merge_requested.emit(other)


class CallCards(QWidget):
    """Shown from two calls on. Signals: merge_requested(str call id, str other), add_requested()."""

    merge_requested = Signal(str, str)
    add_requested = Signal()

    def __init__(self, hub: PhoneHub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(self.tr("Calls"))
        self.setFixedWidth(WIDTH + 2 * Space.M)
        self.cards: dict[str, CallCard] = {}
        self._column = QVBoxLayout()
        self._column.setSpacing(Space.S)
        self.merge_all = forms.push_button(self.tr("Merge calls"), self._merge_all, icon="arrows-join")
        inner = QWidget()
        box = QVBoxLayout(inner)
        box.setContentsMargins(Space.M, Space.M, Space.M, Space.M)
        box.setSpacing(Space.M)
        box.addLayout(self._column)
        box.addWidget(self.merge_all)
        box.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inner)
        layout = forms.row(area, Line(vertical=True), spacing=0, parent=self)
        layout.setStretch(0, 1)
        self._clock = QTimer(self)
        self._clock.setInterval(Duration.TICK)
        self._clock.timeout.connect(self.refresh)

    def refresh(self) -> None:
        shown = self._hub.shown_calls()
        current = self._hub.current()
        known = {one.call_id for one in shown}
        for call_id in [one for one in self.cards if one not in known]:
            card = self.cards.pop(call_id)
            self._column.removeWidget(card)
            card.hide()
            card.deleteLater()
        for state in shown:
            card = self.cards.get(state.call_id) or self._make(state.call_id)
            card.show_state(
                state,
                current=current is not None and current.call_id == state.call_id,
                held_since=self._hub.held_since.get(state.call_id),
            )
        conferences = {one.phone.conference_id for one in shown if one.phone is not None}
        self.merge_all.setVisible(len(shown) > 1 and (len(conferences) > 1 or conferences == {""}))
        self.setVisible(len(shown) > 1)

    def _make(self, call_id: str) -> CallCard:
        card = CallCard(call_id)
        card.clicked.connect(lambda: self._hub.choose(call_id))
        card.merge_requested.connect(lambda other: self.merge_requested.emit(call_id, other))
        self.cards[call_id] = card
        self._column.addWidget(card)
        return card

    def _merge_all(self) -> None:
        current = self._hub.current()
        if current is not None:
            self.merge_requested.emit(current.call_id, "")

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._clock.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type]
        self._clock.stop()
