"""One tile: a person's picture or a shared screen, with its marks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Property as QtProperty
from PySide6.QtCore import QEvent, QPoint, QPointF, QPropertyAnimation, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.media.api import FrameSlot, Picture
from ui.meeting import tile_paint
from ui.meeting.arrange import TileKey
from ui.meeting.tile_model import TileModel, describe
from ui.meeting.zoom import STEP, Zoom
from ui.render import Feed, FrameClock, ImagePainter, VideoPainter, round_corners
from ui.theme import DARK, Duration, Radius, Size, Space, colour, theme
from ui.widgets.buttons import IconButton

MENU_BUTTON = 28
WHEEL_NOTCH = 120.0
"""Eighths of a degree that one step of a mouse wheel reports."""


class Tile(QWidget):
    """Shows one :class:`TileModel`. Keeps nothing of the call.

    Args:
        find_slot: gives the picture slot for a model, ``None`` while there is none.

    Signals:
        pinRequested: double click or Enter.
        menuRequested: the menu should open at this global position.
        zoomChanged: of a shared screen.
    """

    pinRequested = Signal()
    menuRequested = Signal(QPoint)
    zoomChanged = Signal()

    def __init__(
        self,
        model: TileModel,
        clock: FrameClock,
        find_slot: Callable[[TileModel], FrameSlot | None],
        parent: QWidget | None = None,
        painter: VideoPainter | None = None,
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._find_slot = find_slot
        self._video: VideoPainter = painter or ImagePainter()
        self._feed = Feed(clock, self._show_picture)
        self._avatar: QImage | None = None
        self._pill: QPixmap | None = None
        self._ring = 1.0 if model.speaking else 0.0
        self._overlay = False
        self._zoom = Zoom()
        self._drag_from: QPointF | None = None
        self._motion = QPropertyAnimation(self, b"ring", self)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("focusRadius", Radius.CARD)
        self.setProperty("onStage", True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._menu = IconButton("dots", self.tr("Actions"), self, on_stage=True, size=MENU_BUTTON, icon_size=18)
        self._menu.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._menu.setProperty("scrim", True)
        self._menu.clicked.connect(self._open_menu)
        self._menu.hide()
        self._name()

    # -- model

    @property
    def key(self) -> TileKey:
        return self._model.key

    @property
    def model(self) -> TileModel:
        return self._model

    @property
    def menu_button(self) -> IconButton:
        return self._menu

    @property
    def has_picture(self) -> bool:
        model = self._model
        return model.source is not None and not model.paused and self._video.size is not None

    def set_model(self, model: TileModel) -> None:
        before = self._model
        if model != before:
            self._model = model
            self._pill = None
            if model.source is None:
                self._video.clear()
            if model.speaking != before.speaking:
                self._animate_ring(model.speaking)
            self._name()
            self.update()
        self._connect_feed()

    def set_avatar(self, image: QImage | None) -> None:
        self._avatar = image
        self.update()

    def set_overlay(self, overlay: bool) -> None:
        """Whether the tile lies on another picture (the presenter at the corner of a screen)."""
        if overlay != self._overlay:
            self._overlay = overlay
            self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, not overlay)
            self.update()

    def _name(self) -> None:
        self.setAccessibleName(self._model.title)
        words = describe(self._model)
        if words != self.accessibleDescription():
            self.setAccessibleDescription(words)
        self._menu.set_text(self.tr("Actions for {name}").format(name=self._model.name))

    # -- pictures

    def _connect_feed(self) -> None:
        if self._model.source is None or not self.isVisible():
            self._feed.release()
            return
        slot = self._find_slot(self._model)
        # Without a transport (reconnecting) the last picture stays.
        if slot is not None:
            self._feed.attach(slot)
        self._tell_size()

    def _show_picture(self, picture: Picture) -> None:
        self._video.accept(picture)
        self.update()

    def _tell_size(self) -> None:
        ratio = self.devicePixelRatioF()
        wide, tall = round(self.width() * ratio), round(self.height() * ratio)
        size = self._video.size
        if self.key.screen and size is not None and not self._zoom.fits:
            # Zoomed in: the worker must not halve what is looked at closely.
            wide, tall = max(wide, 4096), max(tall, 4096)
        self._feed.wants(wide, tall)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._connect_feed()

    def hideEvent(self, event: QHideEvent) -> None:
        self._feed.release()
        super().hideEvent(event)

    def suspend(self, suspended: bool) -> None:
        """Take no pictures while the window cannot be seen."""
        if suspended:
            self._feed.release()
        else:
            self._connect_feed()

    @property
    def receiving(self) -> bool:
        return self._feed.slot is not None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._pill = None
        x = Space.XS + 2 if self.isRightToLeft() else self.width() - MENU_BUTTON - Space.XS - 2
        self._menu.move(x, Space.XS + 2)
        if self._feed.slot is not None:
            self._tell_size()

    # -- zoom of a shared screen

    @property
    def zoom(self) -> Zoom:
        return self._zoom

    def zoom_percent(self) -> int:
        """Size at which the screen is shown, in percent of its real pixels."""
        size = self._video.size
        if size is None:
            return 100
        return round(self._zoom.factor(size, self._area()) * self.devicePixelRatioF() * 100)

    def _area(self) -> tuple[float, float]:
        return float(self.width()), float(self.height())

    def set_zoom(self, zoom: Zoom) -> None:
        if zoom != self._zoom:
            self._zoom = zoom
            self.setCursor(Qt.CursorShape.ArrowCursor if zoom.fits else Qt.CursorShape.OpenHandCursor)
            self._tell_size()
            self.zoomChanged.emit()
            self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        size = self._video.size
        if size is not None:
            point = None if at is None else (at.x(), at.y())
            self.set_zoom(self._zoom.zoomed(factor, size, self._area(), point))

    def zoom_fit(self) -> None:
        self.set_zoom(Zoom())

    def zoom_full(self) -> None:
        """One pixel of the screen for one pixel here."""
        size = self._video.size
        if size is not None:
            self.set_zoom(Zoom(1 / self.devicePixelRatioF()).clamped(size, self._area()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.key.screen and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = event.angleDelta().y() / WHEEL_NOTCH
            self.zoom_by(STEP**steps, event.position())
            event.accept()
            return
        super().wheelEvent(event)

    def event(self, event: QEvent) -> bool:
        if (
            self.key.screen
            and isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_by(1 + event.value(), event.position())
            return True
        return super().event(event)

    # -- pointer and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._zoom.fits:
            self._drag_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        size = self._video.size
        if self._drag_from is not None and size is not None:
            delta = event.position() - self._drag_from
            self._drag_from = event.position()
            self.set_zoom(self._zoom.moved(delta.x(), delta.y(), size, self._area()))
            return
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag_from is not None:
            self._drag_from = None
            self.setCursor(Qt.CursorShape.ArrowCursor if self._zoom.fits else Qt.CursorShape.OpenHandCursor)
            return
        super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pinRequested.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.pinRequested.emit()
        elif key == Qt.Key.Key_Menu:
            self._open_menu()
        elif self.key.screen and key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(STEP)
        elif self.key.screen and key == Qt.Key.Key_Minus:
            self.zoom_by(1 / STEP)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menuRequested.emit(event.globalPos())

    def _open_menu(self) -> None:
        self.menuRequested.emit(self._menu.mapToGlobal(QPoint(0, self._menu.height() + Space.XS)))

    def enterEvent(self, event: QEnterEvent) -> None:
        self._menu.show()
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self._menu.hide()
        self.update()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._menu.show()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if not self.underMouse():
            self._menu.hide()
        super().focusOutEvent(event)

    # -- painting

    def _get_ring(self) -> float:
        return self._ring

    def _set_ring(self, value: float) -> None:
        self._ring = value
        self.update()

    ring = QtProperty(float, _get_ring, _set_ring)

    def _animate_ring(self, on: bool) -> None:
        self._motion.stop()
        duration = theme().duration(Duration.RING) if self.isVisible() else 0
        if not duration:
            self._set_ring(1.0 if on else 0.0)
            return
        self._motion.setDuration(duration)
        self._motion.setEndValue(1.0 if on else 0.0)
        self._motion.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        rect = QRectF(self.rect())
        painter = QPainter(self)
        if self._overlay:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            path = QPainterPath()
            path.addRoundedRect(rect, Radius.CARD, Radius.CARD)
            painter.setClipPath(path)
        self._paint_picture(painter, rect)
        if not self._overlay and not (self.key.screen and self.has_picture):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            round_corners(painter, rect, Radius.CARD, DARK.stage)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter, rect)
        painter.end()

    def _paint_picture(self, painter: QPainter, rect: QRectF) -> None:
        if not self.has_picture:
            tile_paint.paint_placeholder(painter, rect, self._model.name, self._avatar)
            return
        if not self.key.screen:
            self._video.paint(painter, rect, fill=True, mirrored=self._model.mirrored, dimmed=self._model.lost)
            return
        painter.fillRect(rect, colour(DARK.stage))
        size = self._video.size
        assert size is not None
        x, y, wide, tall = self._zoom.rect(size, self._area())
        # Text must stay legible: screens are scaled smoothly, they change rarely.
        smooth = self._zoom.factor(size, self._area()) * self.devicePixelRatioF() < 2
        painter.save()
        painter.setClipRect(rect)
        self._video.paint(painter, QRectF(x, y, wide, tall), fill=False, dimmed=self._model.lost, smooth=smooth)
        painter.restore()

    def _paint_marks(self, painter: QPainter, rect: QRectF) -> None:
        model, mirrored = self._model, self.isRightToLeft()
        small = rect.width() < tile_paint.SMALL
        if self._pill is None:
            self._pill = tile_paint.name_pill(model, self.width(), self.devicePixelRatioF(), mirrored)
        size = self._pill.deviceIndependentSize()
        inset = Space.XS + 2 if small else Space.S
        x = rect.right() - inset - size.width() if mirrored else inset
        painter.drawPixmap(QPointF(round(x), round(rect.bottom() - inset - size.height())), self._pill)
        if model.hand is not None:
            tile_paint.paint_hand(painter, rect, model.hand, small, mirrored)
        if model.bars is not None:
            shift = Space.S + (MENU_BUTTON if self._menu.isVisible() else 0)
            x = rect.x() + shift if mirrored else rect.right() - shift
            tile_paint.paint_bars(painter, QPointF(x, rect.y() + Space.S), model.bars, mirrored)
        if self._menu.isVisible():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(DARK.stage, 0.7))
            painter.drawRoundedRect(QRectF(self._menu.geometry()), Radius.SMALL, Radius.SMALL)
        if model.notice and rect.width() > 90:
            tile_paint.paint_notice(painter, rect, "wifi-off", self.tr("Connection lost"))
        if self._ring > 0:
            tile_paint.paint_ring(painter, rect, Radius.CARD, self._ring)

    def sizeHint(self) -> QSize:
        return QSize(Size.FILMSTRIP, round(Size.FILMSTRIP * 9 / 16))
