"""The area where people and screens are: places tiles, turns pages, reports what is really visible."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.calls import selectors
from app.calls.actions import VisibleSource
from app.calls.model import CallState
from app.media.api import FrameSlot
from ui.meeting.arrange import (
    Arrangement,
    Choices,
    Layout,
    Placed,
    SpeakerFollower,
    TileKey,
    arrange,
    place,
)
from ui.meeting.packing import Box
from ui.meeting.screen_bar import ScreenBar
from ui.meeting.tile import Tile
from ui.meeting.tile_model import TileModel, tile_model
from ui.render import FrameClock
from ui.theme import DARK, Duration, Size, Space, Type, colour, font
from ui.widgets.buttons import IconButton
from ui.widgets.text import label


class StageArea(QWidget):
    """All tiles of one call. Give it states with :meth:`set_state`; it keeps only the person's :class:`Choices`.

    Signals:
        visibleChanged: tuple of :class:`VisibleSource`, settled for 200 ms.
        menuRequested: (TileKey, global position).
        choicesChanged: layout, pin or page changed.
    """

    visibleChanged = Signal(object)
    menuRequested = Signal(object, QPoint)
    choicesChanged = Signal()

    def __init__(self, find_slot: Callable[[TileModel], FrameSlot | None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._find_slot = find_slot
        self._clock = FrameClock(self)
        self._tiles: dict[TileKey, Tile] = {}
        self._avatars: dict[str, QImage] = {}
        self._state: CallState | None = None
        self._choices = Choices()
        self._mirror_self = True
        self._placed = Placed({})
        self._arrangement = Arrangement()
        self._follower = SpeakerFollower(Duration.SPEAKER_HOLD)
        self._seen = True
        self._controls = True
        self._reported: tuple[VisibleSource, ...] | None = None
        self._pending: tuple[VisibleSource, ...] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self._report_timer = self._single(Duration.VISIBLE_SOURCES, self._report)
        self._speaker_timer = self._single(Duration.SPEAKER_HOLD, self._look_at_speaker)
        self._before = self._pager("chevron-left", self.tr("Previous page"), -1)
        self._after = self._pager("chevron-right", self.tr("Next page"), 1)
        self._pages = label("", "stage-muted", self)
        self._pages.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages.hide()
        self._screen_bar = ScreenBar(self)
        self._screen_bar.hide()

    def _single(self, interval: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(then)
        return timer

    def _pager(self, name: str, text: str, step: int) -> IconButton:
        button = IconButton(name, text, self, on_stage=True)
        button.setProperty("focusRadius", Size.BUTTON // 2)
        button.clicked.connect(lambda: self.turn_page(step))
        button.hide()
        return button

    # -- what is shown

    @property
    def choices(self) -> Choices:
        return self._choices

    @property
    def arrangement(self) -> Arrangement:
        return self._arrangement

    @property
    def placed(self) -> Placed:
        return self._placed

    @property
    def screen_bar(self) -> ScreenBar:
        return self._screen_bar

    def tile(self, key: TileKey) -> Tile | None:
        return self._tiles.get(key)

    def visible_tiles(self) -> tuple[Tile, ...]:
        """Tiles that have a place, largest first."""
        keys = sorted(self._placed.boxes, key=lambda key: -self._placed.boxes[key].width)
        return tuple(self._tiles[key] for key in keys)

    def set_state(self, state: CallState) -> None:
        self._state = state
        self._look_at_speaker()

    def set_choices(self, choices: Choices) -> None:
        if choices != self._choices:
            self._choices = choices
            self._refresh()
            self.choicesChanged.emit()

    def set_mirror_self(self, mirror: bool) -> None:
        if mirror != self._mirror_self:
            self._mirror_self = mirror
            self._refresh()

    def set_avatar(self, participant_id: str, image: QImage) -> None:
        self._avatars[participant_id] = image
        for key, tile in self._tiles.items():
            if key.participant_id == participant_id:
                tile.set_avatar(image)

    def set_layout(self, layout: Layout) -> None:
        self.set_choices(replace(self._choices, layout=layout, pinned=None, page=0, strip_page=0))

    def toggle_pin(self, key: TileKey) -> None:
        """Keep *key* large, or let the stage follow the speaker again."""
        pinned = None if self._choices.pinned == key else key
        self.set_choices(replace(self._choices, pinned=pinned))

    def turn_page(self, step: int) -> None:
        if self._arrangement.gallery:
            page = min(max(0, self._placed.page + step), self._placed.pages - 1)
            self.set_choices(replace(self._choices, page=page))
        else:
            page = min(max(0, self._placed.strip_page + step), self._placed.strip_pages - 1)
            self.set_choices(replace(self._choices, strip_page=page))

    def _look_at_speaker(self) -> None:
        if self._state is None:
            return
        again = self._follower.observe(self._state, time.monotonic() * 1000)
        if again is not None and not self._speaker_timer.isActive():
            self._speaker_timer.start(int(again) + 1)
        if self._follower.current != self._choices.speaker:
            self._choices = replace(self._choices, speaker=self._follower.current)
        self._refresh()

    # -- placing

    def _refresh(self) -> None:
        state = self._state
        if state is None:
            return
        arrangement = arrange(state, self._choices)
        placed = place(arrangement, self._choices, self.width(), self.height())
        moved = placed != self._placed or arrangement != self._arrangement
        self._arrangement, self._placed = arrangement, placed
        self._drop_gone(state)
        hands = selectors.hand_order(state)
        for key, box in placed.boxes.items():
            pinned = key == self._choices.pinned
            model = tile_model(state, key, pinned=pinned, mirror_self=self._mirror_self, hands=hands)
            tile = self._tiles.get(key)
            if tile is None:
                tile = self._make(model)
            tile.set_overlay(key == arrangement.overlay)
            rect = self._mirrored(box)
            if tile.geometry() != rect:
                tile.setGeometry(rect)
            if not tile.isVisibleTo(self):
                tile.show()
            tile.set_model(model)
            if not self._seen:
                tile.suspend(True)
        if moved:
            for key, tile in self._tiles.items():
                if key not in placed.boxes:
                    tile.hide()
                    tile.zoom_fit()
            self._place_controls()
            self._set_tab_order()
            self.update()
        self._report_soon()

    def _drop_gone(self, state: CallState) -> None:
        gone = [key for key in self._tiles if key.participant_id not in state.participants]
        for key in gone:
            tile = self._tiles.pop(key)
            tile.hide()
            tile.deleteLater()
            self._avatars.pop(key.participant_id, None)

    def _make(self, model: TileModel) -> Tile:
        tile = Tile(model, self._clock, self._find_slot, self)
        tile.setMouseTracking(True)
        key = model.key
        tile.pinRequested.connect(lambda: self.toggle_pin(key))
        tile.menuRequested.connect(lambda at: self.menuRequested.emit(key, at))
        tile.zoomChanged.connect(self._show_zoom)
        if key.participant_id in self._avatars and not key.screen:
            tile.set_avatar(self._avatars[key.participant_id])
        self._tiles[key] = tile
        return tile

    def _mirrored(self, box: Box) -> QRect:
        x = self.width() - box.right if self.isRightToLeft() else box.x
        return QRect(x, box.y, box.width, box.height)

    def _set_tab_order(self) -> None:
        keys = [self._arrangement.stage, *self._arrangement.strip, *self._arrangement.gallery]
        shown = [self._tiles[key] for key in keys if key is not None and key in self._placed.boxes]
        for first, second in zip(shown, shown[1:], strict=False):
            QWidget.setTabOrder(first, second)

    def _place_controls(self) -> None:
        placed = self._placed
        gallery = bool(self._arrangement.gallery)
        page, pages = (placed.page, placed.pages) if gallery else (placed.strip_page, placed.strip_pages)
        self._before.setVisible(pages > 1)
        self._after.setVisible(pages > 1)
        self._pages.setVisible(pages > 1 and gallery)
        self._before.setEnabled(page > 0)
        self._after.setEnabled(page < pages - 1)
        if pages > 1:
            self._place_pagers(gallery, page, pages)
        self._place_screen_bar()

    def _place_pagers(self, gallery: bool, page: int, pages: int) -> None:
        placed, side = self._placed, Size.BUTTON
        along = not gallery and placed.vertical_strip
        self._before.set_icon("chevron-up" if along else self._towards("chevron-left"))
        self._after.set_icon("chevron-down" if along else self._towards("chevron-right"))
        if gallery or placed.strip_box is None:
            middle = (self.height() - side) // 2
            first, last = QPoint(0, middle), QPoint(self.width() - side, middle)
            words = self.tr("Page {page} of {pages}").format(page=page + 1, pages=pages)
            self._pages.setText(words)
            self._pages.setFont(font(Type.CAPTION))
            self._pages.adjustSize()
            drop = (Size.PAGE_MARK - self._pages.height()) // 2
            x = (self.width() - self._pages.width()) // 2
            self._pages.move(x, self.height() - self._pages.height() - max(0, drop))
        elif along:
            box = self._mirrored(placed.strip_box)
            x = box.x() + (box.width() - side) // 2
            first, last = QPoint(x, box.y()), QPoint(x, box.y() + box.height() - side)
        else:
            box = self._mirrored(placed.strip_box)
            y = box.y() + (box.height() - side) // 2
            first, last = QPoint(0, y), QPoint(self.width() - side, y)
        if self.isRightToLeft() and not along:
            first, last = last, first
        self._before.move(first)
        self._after.move(last)
        self._before.raise_()
        self._after.raise_()

    def _towards(self, name: str) -> str:
        if not self.isRightToLeft():
            return name
        return {"chevron-left": "chevron-right", "chevron-right": "chevron-left"}[name]

    def _place_screen_bar(self) -> None:
        key = self._arrangement.stage
        tile = self._tiles.get(key) if key is not None and key.screen else None
        self._screen_bar.set_tile(tile)
        self._screen_bar.setVisible(tile is not None and self._controls)
        if tile is not None:
            self._screen_bar.adjustSize()
            box = tile.geometry()
            # Beside the presenter: the other corner has the name.
            inset = Space.S
            if self._arrangement.presenter in self._placed.boxes and self._arrangement.presenter is not None:
                inset += self._placed.boxes[self._arrangement.presenter].width + Space.M
            wide = self._screen_bar.width()
            x = box.x() + inset if self.isRightToLeft() else box.x() + box.width() - inset - wide
            self._screen_bar.move(x, box.y() + box.height() - self._screen_bar.height() - Space.S)
            self._screen_bar.raise_()
        overlay = self._tiles.get(self._arrangement.overlay) if self._arrangement.overlay is not None else None
        if overlay is not None:
            overlay.raise_()

    def set_controls_visible(self, visible: bool) -> None:
        """The zoom bar comes and goes with the toolbar."""
        if visible != self._controls:
            self._controls = visible
            self._place_screen_bar()

    def _show_zoom(self) -> None:
        self._screen_bar.refresh()

    # -- what is really seen

    def set_seen(self, seen: bool) -> None:
        """Whether the window can be seen at all (not minimised, not covered as far as the system tells)."""
        if seen == self._seen:
            return
        self._seen = seen
        for key in self._placed.boxes:
            self._tiles[key].suspend(not seen)
        self._report_soon()

    def _visible(self) -> tuple[VisibleSource, ...]:
        if not self._seen or not self.isVisible() or self._state is None or self._state.local.audio_only:
            return ()
        ratio = self.devicePixelRatioF()
        found = []
        for key, box in self._placed.boxes.items():
            tile = self._tiles.get(key)
            if tile is None or tile.model.is_local or not tile.model.source:
                continue
            stage = key == self._arrangement.stage
            found.append(VisibleSource(tile.model.source, round(box.height * ratio), stage))
        # What matters most comes first, so that a server that sends only some sends these.
        return tuple(sorted(found, key=lambda one: (not one.on_stage, -one.height)))

    def _report_soon(self) -> None:
        """Report once what is visible has been the same for a while.

        Only a change starts the clock anew: states come several times a second and must not put the report off.
        """
        visible = self._visible()
        if visible == self._reported:
            self._pending = None
            self._report_timer.stop()
        elif visible != self._pending or not self._report_timer.isActive():
            self._pending = visible
            self._report_timer.start()

    def _report(self) -> None:
        self._pending = None
        visible = self._visible()
        if visible != self._reported:
            self._reported = visible
            self.visibleChanged.emit(visible)

    def report_again(self) -> None:
        """The server forgot what is visible (a new connection): tell it once more."""
        self._reported = None
        self._report_soon()

    def stop(self) -> None:
        """No more reports, no more pictures."""
        self._report_timer.stop()
        self._speaker_timer.stop()
        for tile in self._tiles.values():
            tile.suspend(True)

    # -- Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._report_soon()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(self.rect()), colour(DARK.stage))
        painter.end()
