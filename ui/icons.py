"""Outline icons (Tabler, MIT), tinted when they are loaded."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from ui.theme import DISABLED_OPACITY, Size, theme

ICON_DIR = Path(__file__).resolve().parent.parent / "resources" / "icons"
# Thinner than Tabler's 2: at 20 px a two-unit stroke looks heavy beside body text.
STROKE = "1.75"


@lru_cache(maxsize=256)
def _source(name: str) -> str:
    path = ICON_DIR / f"{name}.svg"
    return path.read_text(encoding="utf-8").replace('stroke-width="2"', f'stroke-width="{STROKE}"')


@lru_cache(maxsize=1024)
def pixmap(name: str, tint: str, size: int = Size.ICON, ratio: float = 1.0) -> QPixmap:
    """Icon *name* in colour *tint* (``#RRGGBB``), *size* logical px at device pixel ratio *ratio*.

    Raises ``FileNotFoundError`` for a name that is not in ``resources/icons``.
    """
    svg = _source(name).replace("currentColor", tint)
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    result = QPixmap(round(size * ratio), round(size * ratio))
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    renderer.render(painter, QRectF(0, 0, result.width(), result.height()))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def icon(name: str, tint: str = "", size: int = Size.ICON) -> QIcon:
    """For Qt's own controls (menu entries, fields). *tint* is ``#RRGGBB``; the theme's text colour when empty.

    Made for the theme that holds now: menus are built when they open, other users rebuild on ``theme().changed``.
    """
    value = tint or theme().palette.text
    result = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, value, size, ratio))
        faded = QPixmap(pixmap(name, value, size, ratio).size())
        faded.setDevicePixelRatio(ratio)
        faded.fill(Qt.GlobalColor.transparent)
        painter = QPainter(faded)
        painter.setOpacity(DISABLED_OPACITY)
        painter.drawPixmap(0, 0, pixmap(name, value, size, ratio))
        painter.end()
        result.addPixmap(faded, QIcon.Mode.Disabled)
    return result


def paint(painter: QPainter, name: str, tint: str, rect: QRectF, *, opacity: float = 1.0) -> None:
    """Paint an icon centred in *rect*, as large as its smaller side."""
    size = int(min(rect.width(), rect.height()))
    if size <= 0:
        return
    ratio = painter.device().devicePixelRatioF()
    picture = pixmap(name, tint, size, ratio)
    before = painter.opacity()
    painter.setOpacity(before * opacity)
    painter.drawPixmap(
        round(rect.x() + (rect.width() - size) / 2), round(rect.y() + (rect.height() - size) / 2), picture
    )
    painter.setOpacity(before)
