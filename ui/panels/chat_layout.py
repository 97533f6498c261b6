"""Where the parts of one chat message go, for a given width: measured once, painted and hit-tested many times."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF, QTextCharFormat, QTextLayout, QTextOption

from ui import i18n
from ui.panels.chat_model import COLLAPSED_CHARS, COLLAPSED_LINES, MAX_CHARS, Row
from ui.panels.linkify import Link, find_links
from ui.theme import Palette, Space, Type, colour, font

AVATAR = 28
SIDE = Space.M
BUBBLE_X = SIDE + AVATAR + Space.S
PAD_X = Space.M
PAD_Y = Space.S
MORE = 28
"""Side of the round "more" button beside a bubble."""
DIVIDER = 32
HEADER = 20
PILL = 24
QUOTE_LINE = 18
EMOJI_ONLY_MAX = 3


@dataclass(slots=True)
class Laid:
    """Rectangles are in left-to-right coordinates of the item; the delegate mirrors them."""

    width: float
    height: float = 0.0
    day: QRectF | None = None
    unread: QRectF | None = None
    header: QRectF | None = None
    avatar: QRectF | None = None
    bubble: QRectF = field(default_factory=QRectF)
    quote: QRectF | None = None
    text: QTextLayout | None = None
    text_at: QPointF = field(default_factory=QPointF)
    links: tuple[Link, ...] = ()
    fold: QRectF | None = None
    """"Show more" or "Show less"."""
    pills: list[tuple[QRectF, str]] = field(default_factory=list)
    error: QRectF | None = None
    retry: QRectF | None = None
    more: QRectF = field(default_factory=QRectF)

    def link_at(self, point: QPointF) -> str | None:
        """Address of the link at *point* (item coordinates, left to right)."""
        if self.text is None:
            return None
        local = point - self.text_at
        for number in range(self.text.lineCount()):
            line = self.text.lineAt(number)
            if line.naturalTextRect().contains(local):
                position = line.xToCursor(local.x(), type(line).CursorPosition.CursorOnCharacter)
                for link in self.links:
                    if link.start <= position < link.start + link.length:
                        return link.url
        return None


def is_emoji_only(text: str) -> bool:
    """True for one to three pictographs and nothing else: shown large."""
    bare = [c for c in text if c not in "\u200d\ufe0f" and not 0x1F3FB <= ord(c) <= 0x1F3FF and not c.isspace()]
    return 0 < len(bare) <= EMOJI_ONLY_MAX and all(ord(c) >= 0x2190 and not c.isalnum() for c in bare)


def shown_text(row: Row) -> tuple[str, bool]:
    """The text of a message as it is shown now, and whether it can be folded or unfolded."""
    if row.message.retracted:
        return i18n.translate("ChatPanel", "This message was removed"), False
    text = row.message.text[:MAX_CHARS]
    lines = text.split("\n")
    long = len(text) > COLLAPSED_CHARS or len(lines) > COLLAPSED_LINES
    if long and not row.expanded:
        text = "\n".join(lines[:COLLAPSED_LINES])[:COLLAPSED_CHARS].rstrip() + "…"
    return text, long


def lay_out(row: Row, width: float, palette: Palette) -> Laid:
    """Measure one message for an item *width* px wide."""
    laid = Laid(width)
    y = 0.0
    if row.starts_day:
        laid.day = QRectF(0, y, width, DIVIDER)
        y += DIVIDER
    if row.first_unread:
        laid.unread = QRectF(SIDE, y, width - 2 * SIDE, DIVIDER)
        y += DIVIDER
    if row.message.system:
        return _system(laid, row, y, palette)
    own = row.message.is_local
    if row.starts_group:
        y += Space.S
        laid.header = QRectF(SIDE if own else BUBBLE_X, y, width - SIDE - (SIDE if own else BUBBLE_X), HEADER)
        if not own:
            laid.avatar = QRectF(SIDE, y, AVATAR, AVATAR)
        y += HEADER + 2
    most = width - BUBBLE_X - SIDE - MORE - Space.XS
    bottom = _bubble(laid, row, y, most, palette)
    if own:
        shift = width - SIDE - laid.bubble.right()
        _shift(laid, shift)
    laid.more = QRectF(
        laid.bubble.left() - MORE - Space.XS if own else laid.bubble.right() + Space.XS,
        laid.bubble.top() + 2,
        MORE,
        MORE,
    )
    bottom = _below(laid, row, bottom, most, palette)
    laid.height = bottom + Space.XS
    return laid


def _bubble(laid: Laid, row: Row, y: float, most: float, palette: Palette) -> float:
    text, foldable = shown_text(row)
    big = not row.message.retracted and is_emoji_only(text)
    used = font(Type.DISPLAY if big else Type.BODY)
    used.setItalic(row.message.retracted)
    links = () if row.message.retracted else find_links(text)
    inner_x, inner_y = float(BUBBLE_X + PAD_X), y + PAD_Y
    inner_width = 0.0
    if row.reply_text:
        quote_width = QFontMetricsF(font(Type.CAPTION)).horizontalAdvance(row.reply_text) + Space.M
        name_width = QFontMetricsF(font(Type.CAPTION, strong=True)).horizontalAdvance(row.reply_sender) + Space.M
        inner_width = min(max(quote_width, name_width), most - 2 * PAD_X)
        laid.quote = QRectF(inner_x, inner_y, inner_width, 2 * QUOTE_LINE)
        inner_y += 2 * QUOTE_LINE + Space.XS
    layout, text_width, text_height = _text(text, used, most - 2 * PAD_X, links, palette)
    laid.text, laid.links, laid.text_at = layout, links, QPointF(inner_x, inner_y)
    inner_width = max(inner_width, text_width)
    inner_y += text_height
    if foldable:
        metrics = QFontMetricsF(font(Type.CAPTION, strong=True))
        fold_width = metrics.horizontalAdvance(fold_text(row))
        laid.fold = QRectF(inner_x, inner_y, fold_width, 22)
        inner_width = max(inner_width, fold_width)
        inner_y += 22
    laid.bubble = QRectF(BUBBLE_X, y, inner_width + 2 * PAD_X, inner_y + PAD_Y - y)
    if laid.quote is not None:
        laid.quote.setWidth(inner_width)
    return laid.bubble.bottom()


def fold_text(row: Row) -> str:
    return i18n.translate("ChatPanel", "Show less") if row.expanded else i18n.translate("ChatPanel", "Show more")


def retry_text() -> str:
    return i18n.translate("ChatPanel", "Retry")


def _below(laid: Laid, row: Row, y: float, most: float, palette: Palette) -> float:
    own = row.message.is_local
    if row.message.reactions and not row.message.retracted:
        y += Space.XS
        metrics = QFontMetricsF(font(Type.CAPTION))
        widths = [
            (emoji, metrics.horizontalAdvance(f"{emoji} {len(ids)}") + 2 * Space.S)
            for emoji, ids in row.message.reactions.items()
        ]
        x = laid.bubble.right() - sum(w + Space.XS for _e, w in widths) + Space.XS if own else laid.bubble.left()
        for emoji, width in widths:
            laid.pills.append((QRectF(x, y, width, PILL), emoji))
            x += width + Space.XS
        y += PILL
    if row.message.error:
        retry_width = QFontMetricsF(font(Type.CAPTION, strong=True)).horizontalAdvance(retry_text()) + 2 * Space.S
        width = min(most + MORE, laid.width - 2 * SIDE)
        # Measured as a text layout: QFontMetricsF.boundingRect with flags crashes PySide6 6.11.
        sentence = i18n.sentence(row.message.error)
        _layout, _width, height = _text(sentence, font(Type.CAPTION), width - 20, (), palette)
        x = laid.width - SIDE - width
        needed = max(height, 16.0)
        laid.error = QRectF(x, y + Space.XS, width, needed)
        y += needed + Space.XS
        laid.retry = QRectF(laid.width - SIDE - retry_width, y, retry_width, PILL)
        y += PILL
    return y


def _shift(laid: Laid, dx: float) -> None:
    laid.bubble.translate(dx, 0)
    laid.text_at += QPointF(dx, 0)
    for rect in (laid.quote, laid.fold):
        if rect is not None:
            rect.translate(dx, 0)


def _system(laid: Laid, row: Row, y: float, palette: Palette) -> Laid:
    text, _fold = shown_text(row)
    layout, width, height = _text(text, font(Type.CAPTION), laid.width - 4 * SIDE, (), palette)
    laid.text = layout
    laid.text_at = QPointF((laid.width - width) / 2, y + Space.S)
    laid.bubble = QRectF((laid.width - width) / 2, y, width, height + 2 * Space.S)
    laid.height = y + height + 2 * Space.S
    return laid


def _text(
    text: str, used: QFont, width: float, links: tuple[Link, ...], palette: Palette
) -> tuple[QTextLayout, float, float]:
    """Break *text* into lines; returns the layout with its natural width and its height."""
    layout = QTextLayout(text.replace("\n", "\u2028"), used)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    if links:
        formats = []
        for link in links:
            part = QTextLayout.FormatRange()
            # Qt counts UTF-16 units; characters outside the basic plane take two.
            part.start = _units(text[: link.start])
            part.length = _units(link.url)
            look = QTextCharFormat()
            look.setForeground(colour(palette.accent))
            look.setFontUnderline(True)
            part.format = look
            formats.append(part)
        layout.setFormats(formats)
    layout.setCacheEnabled(True)
    layout.beginLayout()
    height = natural = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(40.0, width))
        line.setPosition(QPointF(0, height))
        height += line.height()
        natural = max(natural, line.naturalTextWidth())
    layout.endLayout()
    return layout, min(natural, width), height


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
