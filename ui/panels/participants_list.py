"""The list of people: marks painted by a delegate, a menu for each person."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ui import i18n, icons
from ui.forms import follow_theme
from ui.panels.participants_model import ROW_ROLE, ParticipantsModel, PersonRow
from ui.theme import Palette, Radius, Size, Space, Type, colour, elide, font, theme
from ui.widgets.marks import paint_avatar

ROW_HEIGHT = 52
AVATAR = 32
MARK = 18
MORE = 28
_ModelIndex = QModelIndex | QPersistentModelIndex


class PersonDelegate(QStyledItemDelegate):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.hovered = QPersistentModelIndex()
        self.faces: dict[str, QImage] = {}
        """Pictures of people by participant id."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _ModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    @staticmethod
    def more_rect(rect: QRectF, mirrored: bool) -> QRectF:
        x = rect.left() + Space.S if mirrored else rect.right() - Space.S - MORE
        return QRectF(x, rect.center().y() - MORE / 2, MORE, MORE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _ModelIndex) -> None:
        row: PersonRow = index.data(ROW_ROLE)
        rect = QRectF(option.rect)
        p = theme().palette
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        hovered = self.hovered.isValid() and QPersistentModelIndex(index) == self.hovered
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        body = rect.adjusted(Space.S, 1, -Space.S, -1)
        if hovered or focused:
            painter.setPen(QPen(colour(p.accent), Size.FOCUS_WIDTH) if focused else Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.hover))
            painter.drawRoundedRect(body.adjusted(1, 1, -1, -1), Radius.SMALL, Radius.SMALL)
        x = Space.L
        face = self._place(rect, x, AVATAR, AVATAR, mirrored)
        paint_avatar(painter, face, row.name, self.faces.get(row.id))
        if row.speaking:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour(p.accent), Size.SPEAKING_RING))
            painter.drawEllipse(face.adjusted(-2, -2, 2, 2))
        end = self._marks(painter, row, rect, p, mirrored, with_more=hovered or focused)
        left = x + AVATAR + Space.M
        self._words(painter, row, rect, p, mirrored, left, rect.width() - end - left - Space.S)
        painter.restore()

    @staticmethod
    def _place(rect: QRectF, x: float, width: float, height: float, mirrored: bool) -> QRectF:
        left = rect.right() - x - width if mirrored else rect.left() + x
        return QRectF(left, rect.center().y() - height / 2, width, height)

    def _words(
        self, painter: QPainter, row: PersonRow, rect: QRectF, p: Palette, mirrored: bool, x: float, width: float
    ) -> None:
        name = i18n.translate("ParticipantsPanel", "{name} (you)").format(name=row.name) if row.is_local else row.name
        notes = []
        if row.moderator:
            notes.append(i18n.translate("ParticipantsPanel", "Moderator"))
        if not row.reachable:
            notes.append(i18n.translate("ParticipantsPanel", "Connection interrupted"))
        if row.status:
            notes.append(row.status)
        strong, plain = font(Type.BODY, strong=row.hand > 0), font(Type.CAPTION)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        box = self._place(rect, x, width, 20, mirrored)
        if notes:
            box.translate(0, -9)
        painter.setFont(strong)
        painter.setPen(colour(p.text))
        painter.drawText(box, flags, elide(name, strong, round(width)))
        if notes:
            box.translate(0, 18)
            painter.setFont(plain)
            painter.setPen(colour(p.muted if row.reachable else p.warn))
            painter.drawText(box, flags, elide(" · ".join(notes), plain, round(width)))

    def _marks(
        self, painter: QPainter, row: PersonRow, rect: QRectF, p: Palette, mirrored: bool, *, with_more: bool
    ) -> float:
        """Paint the marks from the far end; returns the width they take."""
        used = float(Space.L)
        if with_more:
            used = Space.S + MORE + Space.XS
            icons.paint(painter, "dots", p.text, self.more_rect(rect, mirrored).adjusted(4, 4, -4, -4))
        names: list[tuple[str, str]] = []
        if row.camera is not None:
            names.append(("video", p.muted) if row.camera else ("video-off", p.bad))
        if row.microphone is not None:
            names.append(("microphone", p.muted) if row.microphone else ("microphone-off", p.bad))
        if row.sharing:
            names.append(("screen-share", p.accent))
        for name, tint in names:
            box = self._place(rect, rect.width() - used - MARK, MARK, MARK, mirrored)
            icons.paint(painter, name, tint, box)
            used += MARK + Space.S
        if row.hand:
            width = 38.0
            box = self._place(rect, rect.width() - used - width, width, 22, mirrored)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.selected))
            painter.drawRoundedRect(box, 11, 11)
            half = QRectF(box.x() + 4, box.y() + 3, 16, 16)
            icons.paint(painter, "hand-stop", p.accent, half)
            painter.setPen(colour(p.text))
            painter.setFont(font(Type.CAPTION, strong=True, tabular=True))
            painter.drawText(box.adjusted(20, 0, -4, 0), Qt.AlignmentFlag.AlignCenter, str(row.hand))
            used += width + Space.S
        return used


class ParticipantsList(QListView):
    """Signals: menu_requested(str participant id, QPoint global position), opened(str participant id)."""

    menu_requested = Signal(str, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.people = ParticipantsModel(self)
        self.painter_ = PersonDelegate(self)
        self.setModel(self.people)
        self.setItemDelegate(self.painter_)
        self.setAccessibleName(self.tr("Participants"))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setProperty("noFocusRing", True)
        self.verticalScrollBar().setSingleStep(24)
        follow_theme(self, self._restyle)

    def _restyle(self) -> None:
        self.setStyleSheet(
            "QListView::item, QListView::item:hover, QListView::item:selected { background: transparent; }"
        )
        self.viewport().update()

    def set_avatar(self, participant_id: str, image: QImage) -> None:
        self.painter_.faces[participant_id] = image
        self.viewport().update()

    def row_at(self, index: _ModelIndex) -> PersonRow:
        row: PersonRow = index.data(ROW_ROLE)
        return row

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        self.painter_.hovered = QPersistentModelIndex(index)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if index.isValid() else Qt.CursorShape.ArrowCursor)
        self.viewport().update()
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.painter_.hovered = QPersistentModelIndex()
        self.viewport().update()
        super().leaveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self.menu_requested.emit(self.row_at(index).id, event.globalPosition().toPoint())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(event.pos())
        self._request(index)

    def _request(self, index: QModelIndex) -> None:
        if index.isValid():
            where = self.viewport().mapToGlobal(self.visualRect(index).center())
            self.menu_requested.emit(self.row_at(index).id, where)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._request(self.currentIndex())
            return
        super().keyPressEvent(event)
