"""What to share: screens and windows with a small picture each, a second camera, sharp text or smooth motion."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.calls.actions import ShareScreen
from app.calls.model import Failure
from app.controller.api import ControllerApi
from app.media.api import Picture
from ui import forms, i18n, icons
from ui.dialogs.base import Dialog
from ui.i18n import translate
from ui.prejoin.preview import to_image
from ui.settings import values
from ui.tasks import Tasks
from ui.theme import DISABLED_OPACITY, Radius, Size, Space, Type, colour, elide, follow, font, theme
from ui.widgets.fields import ComboBox
from ui.widgets.text import plain

CARD = QSize(212, 156)
PICTURE_HEIGHT = 119
COLUMNS = 3
MAX_PREVIEWS = 18
"""Windows beyond these are listed without a picture; each takes time to capture."""
TEST_SOURCE = "test"


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be shared: an id for :class:`ShareScreen`, its name, its group."""

    id: str
    title: str
    kind: str
    """``screen``, ``window``, ``portal``, ``camera`` or ``test``."""


Lister = Callable[[], list[Choice]]
Thumbnailer = Callable[[str], Picture | None]


def list_sources() -> list[Choice]:
    """Screens and windows of this computer. May take a moment: call it in a worker thread."""
    screen = importlib.import_module("app.media.screen")
    return [Choice(s.id, s.title, s.kind) for s in screen.list_screens()]


def title_of(choice: Choice) -> str:
    """The name to show; screens are numbered by the part that lists them, in English."""
    number = choice.id.removeprefix("screen:")
    if choice.kind == "screen" and number.isdigit():
        return translate("ShareDialog", "Screen {number}").format(number=int(number) + 1)
    return plain(choice.title, 120)


def small_picture(source: str) -> Picture | None:
    screen = importlib.import_module("app.media.screen")
    found: Picture | None = screen.thumbnail(source, 2 * CARD.width(), 2 * PICTURE_HEIGHT)
    return found


class SourceCard(QAbstractButton):
    """A picture and a title; one of a group is chosen."""

    opened = Signal()

    def __init__(self, choice: Choice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = choice
        self._image: QImage | None = None
        self._picture: Picture | None = None
        title = title_of(choice)
        self.setText(title)
        self.setToolTip(title)
        self.setAccessibleName(title)
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(CARD)
        self.setProperty("focusRadius", Radius.CARD)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        follow(self)

    def set_picture(self, picture: Picture | None) -> None:
        self._picture = picture
        self._image = to_image(picture) if picture is not None else None
        self.update()

    def sizeHint(self) -> QSize:
        return CARD

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        super().mouseDoubleClickEvent(event)
        self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.setChecked(True)
            self.opened.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(
            QPen(colour(p.accent if self.isChecked() else p.line), Size.FOCUS_WIDTH if self.isChecked() else 1)
        )
        painter.setBrush(colour(p.selected if self.isChecked() else p.hover if self.underMouse() else p.surface))
        painter.drawRoundedRect(whole, Radius.CARD, Radius.CARD)
        box = QRectF(Space.S, Space.S, self.width() - 2 * Space.S, PICTURE_HEIGHT - Space.S)
        shape = QPainterPath()
        shape.addRoundedRect(box, Radius.SMALL, Radius.SMALL)
        painter.setClipPath(shape)
        painter.fillRect(box, colour(p.canvas))
        if self._image is not None:
            size = self._image.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRectF(0, 0, size.width(), size.height())
            target.moveCenter(box.center())
            painter.drawImage(target, self._image)
        else:
            name = {"window": "app-window", "camera": "video"}.get(self.choice.kind, "device-desktop")
            side = QRectF(0, 0, 36, 36)
            side.moveCenter(box.center())
            icons.paint(painter, name, p.muted, side, opacity=1.0 if self.isEnabled() else DISABLED_OPACITY)
        painter.setClipping(False)
        words = QRectF(Space.S, PICTURE_HEIGHT, self.width() - 2 * Space.S, self.height() - PICTURE_HEIGHT - 2)
        used = font(Type.BODY, strong=self.isChecked())
        painter.setFont(used)
        painter.setPen(colour(p.text))
        room = words.adjusted(0, 0, -Size.ICON if self.isChecked() else 0, 0)
        if self.isRightToLeft():
            room = words.adjusted(Size.ICON if self.isChecked() else 0, 0, 0, 0)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading
        painter.drawText(room, flags, elide(self.text(), used, round(room.width())))
        if self.isChecked():
            x = words.left() if self.isRightToLeft() else words.right() - 16
            icons.paint(painter, "check", p.accent, QRectF(x, words.center().y() - 8, 16, 16))
        painter.end()


class ShareDialog(Dialog):
    """:meth:`start` opens it; on Wayland it asks the system at once instead.

    Signals: chosen(ShareScreen).
    """

    chosen = Signal(object)

    def __init__(
        self,
        controller: ControllerApi,
        call_id: str,
        parent: QWidget | None = None,
        *,
        lister: Lister = list_sources,
        thumbnailer: Thumbnailer = small_picture,
    ) -> None:
        super().__init__(translate("Dialogs", "Share your screen"), parent, width=3 * CARD.width() + 110)
        self._controller = controller
        self._lister, self._thumbnailer = lister, thumbnailer
        self._tasks = Tasks(self._failed)
        self.cards: list[SourceCard] = []
        sharing = controller.state(call_id).local.sharing_screen
        self.message = forms.label(self.tr("Looking for screens and windows…"), "muted")
        self._group = QButtonGroup(self)
        self._holder = QWidget()
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(Space.XS, 0, Space.M, 0)
        self._column.setSpacing(Space.S)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroll_area.setWidget(self._holder)
        self._holder.setProperty("look", "surface")
        self.scroll_area.setMinimumHeight(2 * CARD.height() + 56)
        self.optimise = ComboBox(self.tr("Optimise for"))
        self.optimise.addItem(self.tr("Sharp text: documents and slides"), "text")
        self.optimise.addItem(self.tr("Smooth motion: videos"), "motion")
        self.optimise.setCurrentIndex(self.optimise.findData(values.text(controller, "screen.optimise_for")))
        self.optimise.setMinimumContentsLength(26)
        options = QWidget()
        forms.row(forms.label(self.tr("Optimise for"), wrap=False), self.optimise, 1, spacing=Space.M, parent=options)
        self.content.addWidget(self.message)
        self.content.addWidget(self.scroll_area, 1)
        self.content.addWidget(options)
        self.add_cancel()
        self.share = self.add_button(
            self.tr("Share this instead") if sharing else self.tr("Share"), self._share, "primary"
        )
        self.share.set_enabled(False, self.tr("Choose a screen or window first"))
        self.finished.connect(lambda _r: self._tasks.cancel())

    # ------------------------------------------------------------ filling

    def start(self) -> None:
        """Look what there is, then show it or, when the system asks itself, let it ask."""
        self._tasks.spawn(asyncio.to_thread(self._lister), then=self.fill)

    def fill(self, sources: list[Choice]) -> None:
        if len(sources) == 1 and sources[0].kind == "portal":
            self.chosen.emit(ShareScreen(sources[0].id, self._optimise()))
            self.close()
            self.deleteLater()
            return
        # The camera in use shows the person already; any other, a capture card for one, may be shown as a screen.
        found = [d for d in self._controller.devices() if d.kind == "videoinput"]
        chosen = values.text(self._controller, "devices.camera")
        used = next((d for d in found if d.id == chosen), None) or next((d for d in found if d.is_default), None)
        cameras = [Choice(f"camera:{d.id}", plain(d.label, 80), "camera") for d in found if d is not (used or found[0])]
        groups = [
            (self.tr("Screens"), [s for s in sources if s.kind == "screen"]),
            (self.tr("Windows"), [s for s in sources if s.kind == "window"]),
            (self.tr("Cameras"), cameras),
        ]
        if not sources:
            groups.append((self.tr("For trying out"), [Choice(TEST_SOURCE, self.tr("Moving test picture"), "test")]))
        self.message.setText("" if sources else self.tr("No screen was found that can be shared here."))
        self.message.setVisible(not sources)
        for title, group in groups:
            if group:
                self._column.addWidget(forms.label(title, "caption"))
                self._column.addLayout(self._grid(group))
        self._column.addStretch(1)
        self.open()
        if self.cards:
            self.cards[0].setFocus()
        self._tasks.spawn(self._load_pictures())

    def _grid(self, group: list[Choice]) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(Space.M)
        for place, choice in enumerate(group):
            card = SourceCard(choice)
            card.toggled.connect(self._changed)
            card.opened.connect(self._share)
            self._group.addButton(card)
            self.cards.append(card)
            grid.addWidget(card, place // COLUMNS, place % COLUMNS)
        grid.setColumnStretch(COLUMNS, 1)
        return grid

    async def _load_pictures(self) -> None:
        for card in self.cards[:MAX_PREVIEWS]:
            if card.choice.kind in ("screen", "window"):
                card.set_picture(await asyncio.to_thread(self._thumbnailer, card.choice.id))

    def _failed(self, failure: Failure) -> None:
        self.message.setText(i18n.sentence(failure.message))
        self.message.show()
        if not self.isVisible():
            self.open()

    # ------------------------------------------------------------ choosing

    def _changed(self) -> None:
        self.share.set_enabled(self._chosen() is not None, self.tr("Choose a screen or window first"))

    def _chosen(self) -> SourceCard | None:
        return next((card for card in self.cards if card.isChecked()), None)

    def _optimise(self) -> str:
        return str(self.optimise.currentData())

    def _share(self) -> None:
        card = self._chosen()
        if card is not None:
            self.accept()
            self.chosen.emit(ShareScreen(card.choice.id, self._optimise()))
