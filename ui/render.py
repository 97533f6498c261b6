"""How pictures get onto the screen.

:class:`VideoPainter` is the seam: a tile gives it pictures and asks it to paint; :class:`ImagePainter` does it with
``QPainter.drawImage``. Pictures come ready to paint (BGRA) from the workers of the engine: nothing is converted here.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol
from weakref import WeakSet

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPixmap, QTransform

from app.media.api import FrameSlot, Picture
from ui.meeting.packing import contain, cover
from ui.theme import FROZEN_OPACITY, SHADE, Duration, colour

SMOOTH_LIMIT = 90_000
"""Device pixels up to which a moving picture is scaled smoothly (about 1 ms); larger ones come scaled by a worker."""


class VideoPainter(Protocol):
    """Paints the newest picture of one tile."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Size of the picture that would be painted, ``None`` before the first."""

    def accept(self, picture: Picture) -> None:
        """Take over *picture*; the former one may be dropped."""

    def clear(self) -> None: ...

    def paint(
        self,
        painter: QPainter,
        target: QRectF,
        *,
        fill: bool,
        mirrored: bool = False,
        dimmed: bool = False,
        smooth: bool | None = None,
    ) -> QRectF:
        """Paint into *target*: filling it (cropped) or whole. Returns the rectangle that the picture covers."""


class ImagePainter:
    """:class:`VideoPainter` on ``QPainter.drawImage``, no GPU needed."""

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._image: QImage | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        return None if self._image is None else (self._image.width(), self._image.height())

    @property
    def sequence(self) -> int:
        return -1 if self._picture is None else self._picture.sequence

    def accept(self, picture: Picture) -> None:
        if picture.width <= 0 or picture.height <= 0 or picture.stride < picture.width * 4:
            return
        if memoryview(picture.data).nbytes < picture.stride * picture.height:
            return
        # The image borrows the buffer: the picture is kept as long as the image is.
        self._image = QImage(picture.data, picture.width, picture.height, picture.stride, QImage.Format.Format_RGB32)
        self._picture = picture

    def clear(self) -> None:
        self._image = None
        self._picture = None

    def paint(
        self,
        painter: QPainter,
        target: QRectF,
        *,
        fill: bool,
        mirrored: bool = False,
        dimmed: bool = False,
        smooth: bool | None = None,
    ) -> QRectF:
        image = self._image
        if image is None or target.isEmpty():
            return QRectF()
        if fill:
            source = QRectF(*cover(image.width(), image.height(), target.width(), target.height()))
            covered = target
        else:
            source = QRectF(image.rect())
            x, y, wide, tall = contain(image.width(), image.height(), target.width(), target.height())
            covered = QRectF(round(target.x() + x), round(target.y() + y), round(wide), round(tall))
        ratio = painter.device().devicePixelRatioF()
        if smooth is None:
            smooth = covered.width() * covered.height() * ratio * ratio <= SMOOTH_LIMIT
        exact = abs(source.width() - covered.width() * ratio) < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth and not exact)
        if mirrored:
            painter.save()
            painter.setTransform(QTransform(-1, 0, 0, 1, covered.x() * 2 + covered.width(), 0), True)
            painter.drawImage(covered, image, source)
            painter.restore()
        else:
            painter.drawImage(covered, image, source)
        if dimmed:
            painter.fillRect(covered, colour(SHADE, 1 - FROZEN_OPACITY))
        return covered


@lru_cache(maxsize=32)
def _corner(radius: int, ratio: float, value: str) -> QPixmap:
    """What lies outside a quarter circle (upper left), in colour *value*."""
    side = round(radius * ratio)
    result = QPixmap(side, side)
    result.fill(Qt.GlobalColor.transparent)
    outside = QPainterPath()
    outside.addRect(0, 0, side, side)
    inside = QPainterPath()
    inside.addEllipse(QPointF(side, side), side, side)
    painter = QPainter(result)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(outside.subtracted(inside), QColor(value))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def round_corners(painter: QPainter, target: QRectF, radius: int, behind: str) -> None:
    """Make *target* look rounded by painting its four corners in the colour *behind* it.

    Far cheaper than clipping each picture to an antialiased path.
    """
    corner = _corner(radius, painter.device().devicePixelRatioF(), behind)
    for right in (False, True):
        for bottom in (False, True):
            painter.save()
            painter.translate(target.right() if right else target.x(), target.bottom() if bottom else target.y())
            painter.scale(-1 if right else 1, -1 if bottom else 1)
            painter.drawPixmap(0, 0, corner)
            painter.restore()


class FrameClock(QObject):
    """Repaints all tiles that have a new picture, together, not faster than the display.

    Workers mark a feed as dirty from their threads. The first mark after a pause is looked at right away, later ones
    one frame after the look before; without marks nothing runs.
    """

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._feeds: WeakSet[Feed] = WeakSet()
        self._asked = threading.Event()
        self._last_ms = -math.inf
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self._woken.connect(self._plan, Qt.ConnectionType.QueuedConnection)

    def add(self, feed: Feed) -> None:
        self._feeds.add(feed)

    def wake(self) -> None:
        """From any thread."""
        if not self._asked.is_set():
            self._asked.set()
            self._woken.emit()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def _plan(self) -> None:
        rest = self._last_ms + Duration.FRAME - time.monotonic() * 1000
        if rest < 1.0:
            self._tick()
        elif not self._timer.isActive():
            self._timer.start(math.ceil(rest))

    def _tick(self) -> None:
        # Before the look: a mark that is set during it asks for another one.
        self._asked.clear()
        self._last_ms = time.monotonic() * 1000
        for feed in tuple(self._feeds):
            feed.flush()


class Feed:
    """Pictures of one slot on their way to one tile. *show* is called in the window's thread."""

    def __init__(self, clock: FrameClock, show: Callable[[Picture], None]) -> None:
        self._clock = clock
        self._show = show
        self._slot: FrameSlot | None = None
        self._detach: Callable[[], None] | None = None
        self._wants = (0, 0)
        self.dirty = False
        clock.add(self)

    @property
    def slot(self) -> FrameSlot | None:
        return self._slot

    def attach(self, slot: FrameSlot | None) -> None:
        """Take pictures from *slot*; ``None`` stops."""
        if slot is self._slot:
            return
        self.release()
        self._slot = slot
        if slot is None:
            return
        if self._wants != (0, 0):
            slot.wants(*self._wants)
        self._detach = slot.attach(self._ready)
        self.dirty = True
        self.flush()

    def wants(self, width: int, height: int) -> None:
        """How large the picture is shown, device pixels."""
        if (width, height) != self._wants:
            self._wants = (width, height)
            if self._slot is not None:
                self._slot.wants(width, height)

    def release(self) -> None:
        if self._detach is not None:
            self._detach()
        self._detach = None
        self._slot = None
        self.dirty = False

    def _ready(self) -> None:
        self.dirty = True
        self._clock.wake()

    def flush(self) -> bool:
        """Show the newest picture if there is one that was not shown."""
        if not self.dirty or self._slot is None:
            return False
        self.dirty = False
        picture = self._slot.take()
        if picture is None:
            return False
        self._show(picture)
        return True


assert sys.byteorder == "little", "BGRA in memory is RGB32 for Qt only on little-endian machines"
