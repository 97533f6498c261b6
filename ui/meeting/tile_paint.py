"""How the marks on a tile look. Everything here is painted on video, hence in dark colours."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPen, QPixmap

from ui import icons
from ui.meeting.tile_model import TileModel
from ui.theme import DARK, SCRIM, SCRIM_OPACITY, TILE_EMPTY, Size, Space, Type, colour, elide, font, person_colour
from ui.theme import blend as blend_colours
from ui.widgets.marks import paint_avatar

SMALL = 150
"""Tiles narrower than this have smaller marks."""
AVATAR_SHARE = 0.44
AVATAR_MOST = 132


def paint_placeholder(painter: QPainter, rect: QRectF, name: str, image: QImage | None) -> None:
    """A tile without video: a dark tone of the person's colour, picture or initials in the middle."""
    painter.fillRect(rect, colour(blend_colours(person_colour(name), TILE_EMPTY, 0.22)))
    side = min(AVATAR_MOST, min(rect.width(), rect.height()) * AVATAR_SHARE)
    if side < 12:
        return
    circle = QRectF(0, 0, round(side), round(side))
    circle.moveCenter(QPointF(round(rect.center().x()), round(rect.center().y())))
    paint_avatar(painter, circle, name, image)


def name_pill(model: TileModel, width: int, ratio: float, mirrored: bool) -> QPixmap:
    """Name with marks for muted and pinned, at most *width* px wide, as a picture that frames are painted under."""
    small = width < SMALL
    used = font(Type.CAPTION if small else Type.BODY, strong=False)
    height = 20 if small else Size.MARK
    side = 13 if small else 15
    marks = []
    if model.microphone_muted:
        marks.append(("microphone-off", DARK.bad))
    if model.pinned:
        marks.append(("pin-filled", DARK.text))
    if model.key.screen:
        marks.append(("screen-share", DARK.text))
    taken = len(marks) * (side + Space.XS) + 2 * Space.S
    room = width - 2 * Space.S - taken
    text = elide(model.title, used, room) if room > 16 else ""
    words = QFontMetrics(used).horizontalAdvance(text) if text else -Space.XS
    size = QSize(max(height, words + taken), height)
    result = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
    result.setDevicePixelRatio(ratio)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(SCRIM, SCRIM_OPACITY))
    painter.drawRoundedRect(QRectF(0, 0, size.width(), size.height()), height / 2, height / 2)
    x = Space.S
    for name, tint in marks:
        at = size.width() - x - side if mirrored else x
        icons.paint(painter, name, tint, QRectF(at, (height - side) / 2, side, side))
        x += side + Space.XS
    painter.setFont(used)
    painter.setPen(colour(DARK.text))
    box = QRectF(Space.S if mirrored else x, 0, words + 2, height)
    painter.drawText(
        box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignLeft, text
    )
    painter.end()
    return result


def paint_hand(painter: QPainter, rect: QRectF, place: int, small: bool, mirrored: bool) -> None:
    """Raised hand with its number in the queue, upper leading corner."""
    height = 20 if small else Size.MARK
    used = font(Type.CAPTION, strong=True, tabular=True)
    text = str(place)
    words = QFontMetrics(used).horizontalAdvance(text)
    width = words + 16 + 3 * Space.XS + 4
    x = rect.right() - width - Space.S if mirrored else rect.x() + Space.S
    pill = QRectF(x, rect.y() + Space.S, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(DARK.warn))
    painter.drawRoundedRect(pill, height / 2, height / 2)
    icons.paint(painter, "hand-stop", DARK.on_accent, QRectF(pill.x() + 6, pill.y() + (height - 16) / 2, 16, 16))
    painter.setFont(used)
    painter.setPen(colour(DARK.on_accent))
    painter.drawText(
        pill.adjusted(24, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text
    )  # fmt: skip


def paint_bars(painter: QPainter, corner: QPointF, bars: int, mirrored: bool) -> None:
    """One or two lit bars of three, on a dark round; *corner* is the upper trailing corner of the mark."""
    side = Size.MARK
    x = corner.x() if mirrored else corner.x() - side
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(SCRIM, SCRIM_OPACITY))
    painter.drawEllipse(QRectF(x, corner.y(), side, side))
    tone = DARK.bad if bars == 1 else DARK.warn
    for index in range(3):
        tall = 4 + index * 3
        painter.setBrush(colour(tone) if index < bars else colour(DARK.muted, 0.45))
        painter.drawRoundedRect(QRectF(x + 6 + index * 4.5, corner.y() + 17 - tall, 3, tall), 1, 1)


def paint_ring(painter: QPainter, rect: QRectF, radius: float, strength: float) -> None:
    """Accent ring of somebody who speaks; *strength* 0..1 while it comes and goes."""
    painter.setPen(QPen(colour(DARK.accent, strength), Size.SPEAKING_RING + 0.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = Size.SPEAKING_RING / 2 + 0.25
    painter.drawRoundedRect(rect.adjusted(half, half, -half, -half), radius - half, radius - half)


def paint_notice(painter: QPainter, rect: QRectF, icon: str, text: str) -> None:
    """A short sentence in the middle of a tile ("Connection lost")."""
    used = font(Type.BODY if rect.width() >= SMALL else Type.CAPTION, strong=True)
    shown = elide(text, used, round(rect.width()) - 56)
    width = QFontMetrics(used).horizontalAdvance(shown) + 20 + 3 * Space.S
    pill = QRectF(0, 0, width, 32)
    pill.moveCenter(rect.center())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(SCRIM, SCRIM_OPACITY))
    painter.drawRoundedRect(pill, 16, 16)
    icons.paint(painter, icon, DARK.text, QRectF(pill.x() + Space.M, pill.y() + 7, 18, 18))
    painter.setFont(used)
    painter.setPen(colour(DARK.text))
    painter.drawText(pill.adjusted(36, 0, -4, 0), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
