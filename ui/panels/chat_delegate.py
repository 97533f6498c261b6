"""Paints chat messages and says what is under the pointer."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QDateTime,
    QEvent,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui import i18n, icons
from ui.panels.chat_layout import Laid, fold_text, lay_out, retry_text
from ui.panels.chat_model import ROW_ROLE, Row, time_text
from ui.theme import Palette, Radius, Size, Space, Type, blend, colour, elide, font, theme
from ui.widgets.marks import paint_avatar

CACHE_LIMIT = 1500
"""Measured messages that are kept; more than the list ever shows at once."""
_ModelIndex = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Hit:
    """What is under the pointer: ``link``, ``fold``, ``retry``, ``react``, ``quote``, ``more`` or ``message``."""

    kind: str
    value: str = ""


class ChatDelegate(QStyledItemDelegate):
    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cache: dict[str, tuple[Row, int, str, Laid]] = {}
        self.hovered: QPersistentModelIndex = QPersistentModelIndex()
        self.hover_more = False

    def laid(self, row: Row, width: int) -> Laid:
        name = theme().palette.name
        kept = self._cache.get(row.message.id)
        if kept is not None and kept[1] == width and kept[2] == name and kept[0] == row:
            return kept[3]
        laid = lay_out(row, width, theme().palette)
        if len(self._cache) >= CACHE_LIMIT:
            self._cache.clear()
        self._cache[row.message.id] = (row, width, name, laid)
        return laid

    def forget(self) -> None:
        """Language or font changed."""
        self._cache.clear()

    def sizeHint(self, option: QStyleOptionViewItem, index: _ModelIndex) -> QSize:
        row: Row = index.data(ROW_ROLE)
        width = option.widget.viewport().width() if option.widget is not None else option.rect.width()  # type: ignore[attr-defined]
        return QSize(width, round(self.laid(row, width).height))

    # ------------------------------------------------------------ what is where

    def hit(self, row: Row, rect: QRectF, point: QPointF, *, mirrored: bool) -> Hit | None:
        """What is at *point* (viewport coordinates) of the message painted in *rect*."""
        local = point - rect.topLeft()
        if mirrored:
            local = QPointF(rect.width() - local.x(), local.y())
        laid = self.laid(row, int(rect.width()))
        if laid.retry is not None and laid.retry.contains(local):
            return Hit("retry")
        if laid.fold is not None and laid.fold.contains(local):
            return Hit("fold")
        for pill, emoji in laid.pills:
            if pill.contains(local):
                return Hit("react", emoji)
        if laid.more.contains(local) and not row.message.system:
            return Hit("more")
        if laid.quote is not None and laid.quote.contains(local):
            return Hit("quote", row.message.reply_to or "")
        text_point = QPointF(rect.width() - local.x(), local.y()) if mirrored else local
        url = self._link(laid, rect.width(), text_point, mirrored)
        if url:
            return Hit("link", url)
        return Hit("message") if laid.bubble.contains(local) else None

    @staticmethod
    def _text_origin(laid: Laid, width: float, mirrored: bool) -> QPointF:
        """Where the text starts: the bubble is mirrored, the text inside it is not."""
        if not mirrored or laid.text is None:
            return laid.text_at
        inside = laid.text_at.x() - laid.bubble.left()
        return QPointF(width - laid.bubble.right() + inside, laid.text_at.y())

    def _link(self, laid: Laid, width: float, point: QPointF, mirrored: bool) -> str | None:
        shift = self._text_origin(laid, width, mirrored) - laid.text_at
        return laid.link_at(point - shift)

    # ------------------------------------------------------------ painting

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _ModelIndex) -> None:
        row: Row = index.data(ROW_ROLE)
        rect = QRectF(option.rect)
        laid = self.laid(row, int(rect.width()))
        p = theme().palette
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(rect.topLeft())

        def at(box: QRectF) -> QRectF:
            return QRectF(rect.width() - box.right(), box.y(), box.width(), box.height()) if mirrored else box

        self._dividers(painter, row, laid, p, at)
        if row.message.system:
            painter.setPen(colour(p.muted))
            if laid.text is not None:
                laid.text.draw(painter, self._text_origin(laid, rect.width(), mirrored))
        else:
            self._header(painter, row, laid, p, at)
            self._bubble(painter, row, laid, p, at, focused)
            painter.setPen(colour(p.muted if row.message.retracted else p.text))
            if laid.text is not None:
                laid.text.draw(painter, self._text_origin(laid, rect.width(), mirrored))
            self._extras(painter, row, laid, p, at)
            if focused or (self.hovered.isValid() and QPersistentModelIndex(index) == self.hovered):
                self._more(painter, laid, p, at)
        painter.restore()

    def _dividers(self, painter: QPainter, row: Row, laid: Laid, p: Palette, at) -> None:  # type: ignore[no-untyped-def]
        if laid.day is not None:
            painter.setFont(font(Type.CAPTION, strong=True))
            painter.setPen(colour(p.muted))
            painter.drawText(at(laid.day), Qt.AlignmentFlag.AlignCenter, day_text(row.message.sent_at))
        if laid.unread is not None:
            box = at(laid.unread)
            words = i18n.translate("ChatPanel", "New")
            painter.setFont(font(Type.CAPTION, strong=True))
            width = painter.fontMetrics().horizontalAdvance(words) + 2 * Space.S
            painter.setPen(QPen(colour(p.accent), Size.LINE))
            middle = box.center().y()
            painter.drawLine(QPointF(box.left(), middle), QPointF(box.center().x() - width / 2, middle))
            painter.drawLine(QPointF(box.center().x() + width / 2, middle), QPointF(box.right(), middle))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _header(self, painter: QPainter, row: Row, laid: Laid, p: Palette, at) -> None:  # type: ignore[no-untyped-def]
        if laid.header is None:
            return
        if laid.avatar is not None:
            paint_avatar(painter, at(laid.avatar), row.sender)
        own = row.message.is_local
        when = time_text(row.message.sent_at)
        private = row.private_name
        if own:
            words = i18n.translate("ChatPanel", "Private to {name}").format(name=private) if private else ""
        else:
            words = row.sender
        tail = when if not private or own else i18n.translate("ChatPanel", "private · {time}").format(time=when)
        strong, plain = font(Type.CAPTION, strong=True), font(Type.CAPTION)
        box = at(laid.header)
        painter.setFont(plain)
        tail_width = painter.fontMetrics().horizontalAdvance(tail)
        icon_width = 18 if private else 0
        words = elide(words, strong, round(box.width() - tail_width - icon_width - Space.S))
        painter.setFont(strong)
        words_width = painter.fontMetrics().horizontalAdvance(words)
        gap = Space.S if words else 0
        total = icon_width + words_width + gap + tail_width
        # The group hangs at the side of its bubbles: own messages at the end of the line.
        forward = painter.layoutDirection() != Qt.LayoutDirection.RightToLeft
        at_end = own == forward
        x = box.right() - total if at_end else box.left()
        parts = [("icon", icon_width), ("words", words_width), ("gap", gap), ("tail", tail_width)]
        for kind, width in parts if forward else reversed(parts):
            part = QRectF(x, box.y(), width + 1, box.height())
            if kind == "icon" and private:
                icons.paint(painter, "lock", p.warn, QRectF(x, box.y() + 3, 14, 14))
            elif kind == "words":
                painter.setFont(strong)
                painter.setPen(colour(p.warn if private and own else p.text))
                painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, words)
            elif kind == "tail":
                painter.setFont(plain)
                painter.setPen(colour(p.warn if private and not own else p.muted))
                painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, tail)
            x += width

    def _bubble(self, painter: QPainter, row: Row, laid: Laid, p: Palette, at, focused: bool) -> None:  # type: ignore[no-untyped-def]
        fill = p.selected if row.message.is_local else p.hover
        painter.setBrush(colour(fill))
        edge = p.warn if row.private_name else p.bad if row.message.error else ""
        painter.setPen(QPen(colour(edge), Size.LINE) if edge else Qt.PenStyle.NoPen)
        box = at(laid.bubble)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), Radius.CARD, Radius.CARD)
        if focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour(p.accent), Size.FOCUS_WIDTH))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), Radius.CARD, Radius.CARD)
        if laid.quote is not None:
            quote = at(laid.quote)
            forward = painter.layoutDirection() != Qt.LayoutDirection.RightToLeft
            bar = QRectF(quote.left() if forward else quote.right() - 3, quote.top(), 3, quote.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.accent))
            painter.drawRoundedRect(bar, 1.5, 1.5)
            inner = quote.adjusted(Space.M, 0, 0, 0) if forward else quote.adjusted(0, 0, -Space.M, 0)
            half = QRectF(inner.x(), inner.y(), inner.width(), inner.height() / 2)
            strong, plain = font(Type.CAPTION, strong=True), font(Type.CAPTION)
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
            painter.setPen(colour(p.text))
            painter.setFont(strong)
            painter.drawText(half, flags, elide(row.reply_sender, strong, round(half.width())))
            painter.setPen(colour(blend(p.text, fill, 0.8)))
            painter.setFont(plain)
            half.translate(0, half.height())
            painter.drawText(half, flags, elide(row.reply_text, plain, round(half.width())))

    def _extras(self, painter: QPainter, row: Row, laid: Laid, p: Palette, at) -> None:  # type: ignore[no-untyped-def]
        strong, plain = font(Type.CAPTION, strong=True), font(Type.CAPTION)
        if laid.fold is not None:
            painter.setFont(strong)
            painter.setPen(colour(p.accent))
            painter.drawText(at(laid.fold), Qt.AlignmentFlag.AlignVCenter, fold_text(row))
        for pill, emoji in laid.pills:
            own = emoji in row.own_reactions
            painter.setBrush(colour(p.selected if own else p.surface))
            painter.setPen(QPen(colour(p.accent if own else p.line), Size.LINE))
            box = at(pill).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
            painter.setPen(colour(p.text))
            painter.setFont(plain)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{emoji} {len(row.message.reactions[emoji])}")
        if laid.error is not None and laid.retry is not None:
            box = at(laid.error)
            forward = painter.layoutDirection() != Qt.LayoutDirection.RightToLeft
            icon_x = box.left() if forward else box.right() - 14
            icons.paint(painter, "alert-circle", p.bad, QRectF(icon_x, box.top() + 1, 14, 14))
            words = box.adjusted(20, 0, 0, 0) if forward else box.adjusted(0, 0, -20, 0)
            painter.setPen(colour(p.bad))
            painter.setFont(plain)
            flags = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(words, int(flags), i18n.sentence(row.message.error))
            painter.setPen(colour(p.accent))
            painter.setFont(strong)
            painter.drawText(at(laid.retry), Qt.AlignmentFlag.AlignCenter, retry_text())

    def _more(self, painter: QPainter, laid: Laid, p: Palette, at) -> None:  # type: ignore[no-untyped-def]
        box = at(laid.more)
        painter.setPen(QPen(colour(p.line), Size.LINE))
        painter.setBrush(colour(p.raised_hover if self.hover_more else p.raised))
        painter.drawEllipse(box.adjusted(0.5, 0.5, -0.5, -0.5))
        icons.paint(painter, "dots", p.text, box.adjusted(6, 6, -6, -6))

    def helpEvent(self, event: QEvent, view: object, option: QStyleOptionViewItem, index: _ModelIndex) -> bool:
        # The list shows link targets itself; the default would show the whole message.
        return True


def day_text(milliseconds: int) -> str:
    when = QDateTime.fromMSecsSinceEpoch(milliseconds).date()
    days = when.daysTo(QDateTime.currentDateTime().date())
    if days == 0:
        return i18n.translate("RecentList", "Today")
    if days == 1:
        return i18n.translate("RecentList", "Yesterday")
    return str(i18n.locale().toString(when, QLocale.FormatType.LongFormat))
