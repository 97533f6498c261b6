"""Small bar over a shared screen: zoom out, size, zoom in, fit or 100 %."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ui.meeting.tile import Tile
from ui.meeting.zoom import STEP
from ui.theme import DARK, Size, Space, Type, colour, font
from ui.widgets.buttons import IconButton
from ui.widgets.text import label


class ScreenBar(QWidget):
    """Controls the zoom of one screen tile."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tile: Tile | None = None
        small = {"on_stage": True, "size": 28, "icon_size": Size.ICON_SMALL}
        self.out_button = IconButton("zoom-out", self.tr("Zoom out"), **small)  # type: ignore[arg-type]
        self.in_button = IconButton("zoom-in", self.tr("Zoom in"), **small)  # type: ignore[arg-type]
        self.fit_button = IconButton("arrows-maximize", self.tr("Show actual size"), **small)  # type: ignore[arg-type]
        self._percent = label("100 %", "stage")
        self._percent.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._percent.setMinimumWidth(52)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.XS, 2, Space.XS, 2)
        row.setSpacing(2)
        for widget in (self.out_button, self._percent, self.in_button, self.fit_button):
            row.addWidget(widget)
        self.out_button.clicked.connect(lambda: self._by(1 / STEP))
        self.in_button.clicked.connect(lambda: self._by(STEP))
        self.fit_button.clicked.connect(self.toggle_fit)

    @property
    def text(self) -> str:
        return self._percent.text()

    def set_tile(self, tile: Tile | None) -> None:
        self._tile = tile
        self.refresh()

    def _by(self, factor: float) -> None:
        if self._tile is not None:
            self._tile.zoom_by(factor)

    def toggle_fit(self) -> None:
        if self._tile is None:
            return
        if self._tile.zoom.fits:
            self._tile.zoom_full()
        else:
            self._tile.zoom_fit()

    def refresh(self) -> None:
        tile = self._tile
        if tile is None:
            return
        fits = tile.zoom.fits
        # The size of a fitted screen is of no interest, and it changes with each resize.
        self._percent.setText(self.tr("Fit") if fits else f"{tile.zoom_percent()} %")
        self._percent.setFont(font(Type.CAPTION, tabular=True))
        self.fit_button.set_icon("arrows-maximize" if fits else "maximize")
        self.fit_button.set_text(self.tr("Show actual size") if fits else self.tr("Fit to window"))
        self.out_button.set_enabled(not fits, self.tr("The whole screen is shown"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(DARK.line), Size.LINE))
        painter.setBrush(colour(DARK.raised))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.end()
