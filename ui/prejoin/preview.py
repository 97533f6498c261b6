"""Our own picture before the call: mirrored, 16:9, with the microphone and camera buttons on it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.media.api import FrameSlot, Picture
from ui.theme import DARK, Radius, Space, Type, colour, font, theme
from ui.widgets.buttons import CallButton
from ui.widgets.marks import paint_avatar

AVATAR_SIDE = 96


def to_image(picture: Picture) -> QImage:
    """The picture as an image that shares its memory; keep *picture* as long as the image lives."""
    return QImage(picture.data, picture.width, picture.height, picture.stride, QImage.Format.Format_RGB32)


class PreviewSurface(QWidget):
    """Paints the newest picture of a slot, cropped to fill, or initials and a sentence when there is none.

    Signals:
        arrived: a picture is ready (sent from the worker's thread, received on ours).
    """

    arrived = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slot: FrameSlot | None = None
        self._detach: Callable[[], None] | None = None
        self._picture: Picture | None = None
        self._mirrored = True
        self._name = ""
        self._message = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, False)
        self.arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def set_slot(self, slot: FrameSlot | None) -> None:
        if slot is self._slot:
            return
        if self._detach is not None:
            self._detach()
            self._detach = None
        self._slot, self._picture = slot, None
        if slot is not None:
            self._detach = slot.attach(self.arrived.emit)
            self._tell_size()
            self._take()
        self.update()

    def set_person(self, name: str, message: str = "") -> None:
        """Shown without a picture."""
        if (name, message) != (self._name, self._message):
            self._name, self._message = name, message
            self.setAccessibleDescription(message)
            self.update()

    def set_mirrored(self, mirrored: bool) -> None:
        self._mirrored = mirrored
        self.update()

    @property
    def has_picture(self) -> bool:
        return self._picture is not None

    def _take(self) -> None:
        if self._slot is not None and self.isVisible():
            picture = self._slot.take()
            if picture is not None:
                self._picture = picture
                self.update()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._take()

    def _tell_size(self) -> None:
        if self._slot is not None:
            ratio = self.devicePixelRatioF()
            self._slot.wants(round(self.width() * ratio), round(self.height() * ratio))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell_size()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), Radius.CARD, Radius.CARD)
        painter.setClipPath(shape)
        painter.fillRect(self.rect(), colour(theme().palette.stage))
        if self._picture is not None:
            self._paint_picture(painter, self._picture)
        else:
            self._paint_person(painter)
        painter.end()

    def _paint_picture(self, painter: QPainter, picture: Picture) -> None:
        target = QRectF(self.rect())
        scale = max(target.width() / picture.width, target.height() / picture.height)
        width, height = target.width() / scale, target.height() / scale
        source = QRectF((picture.width - width) / 2, (picture.height - height) / 2, width, height)
        painter.save()
        if self._mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        painter.drawImage(target, to_image(picture), source)
        painter.restore()

    def _paint_person(self, painter: QPainter) -> None:
        rect = QRectF(self.rect())
        side = min(AVATAR_SIDE, rect.height() * 0.4)
        centre = rect.center()
        up = rect.height() * (0.1 if self._message else 0.05)
        if self._name:
            box = QRectF(centre.x() - side / 2, centre.y() - side / 2 - up, side, side)
            paint_avatar(painter, box, self._name)
        if self._message:
            painter.setPen(colour(DARK.muted))
            painter.setFont(font(Type.BODY))
            top = centre.y() + side / 2 - up + Space.M if self._name else centre.y() - 20
            box = QRectF(Space.XL, top, rect.width() - 2 * Space.XL, rect.bottom() - top - 60)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(box, int(flags), self._message)


class StageButton(CallButton):
    """A call button that stands alone on a picture, so it always has a fill."""

    def fill(self) -> QColor | None:
        return super().fill() or colour(self.colours.raised)


class SelfView(QWidget):
    """The surface at 16:9 with two toggles at its foot.

    Signals:
        microphone_toggled(bool muted), camera_toggled(bool muted): by the person.
    """

    microphone_toggled = Signal(bool)
    camera_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.surface = PreviewSurface(self)
        self.surface.setAccessibleName(self.tr("Your picture"))
        self.microphone = StageButton("microphone", self.tr("Mute microphone"), self)
        self.camera = StageButton("video", self.tr("Turn camera off"), self)
        self.microphone.clicked.connect(lambda: self.microphone_toggled.emit(not self.microphone.off))
        self.camera.clicked.connect(lambda: self.camera_toggled.emit(not self.camera.off))
        self._bar = QWidget(self)
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(0, 0, 0, Space.M)
        bar.setSpacing(Space.M)
        bar.addStretch(1)
        for button in (self.microphone, self.camera):
            button.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, False)
            bar.addWidget(button)
        bar.addStretch(1)
        over = QVBoxLayout(self.surface)
        over.setContentsMargins(0, 0, 0, 0)
        over.addStretch(1)
        over.addWidget(self._bar)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        return QSize(480, 270)

    def minimumSizeHint(self) -> QSize:
        return QSize(256, 144)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return round(width * 9 / 16)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = min(self.width(), round(self.height() * 16 / 9))
        height = round(width * 9 / 16)
        self.surface.setGeometry((self.width() - width) // 2, 0, width, height)

    def set_microphone(self, muted: bool) -> None:
        self.microphone.set_off(muted)
        self.microphone.set_icon("microphone-off" if muted else "microphone")
        self.microphone.set_text(self.tr("Unmute microphone") if muted else self.tr("Mute microphone"))
        self.microphone.set_state(self.tr("Microphone is off") if muted else self.tr("Microphone is on"))

    def set_camera(self, off: bool) -> None:
        self.camera.set_off(off)
        self.camera.set_icon("video-off" if off else "video")
        self.camera.set_text(self.tr("Turn camera on") if off else self.tr("Turn camera off"))
        self.camera.set_state(self.tr("Camera is off") if off else self.tr("Camera is on"))
