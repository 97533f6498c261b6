"""Row above the stage: way home, title, time, lock, layout, full screen."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.calls import selectors
from app.calls.model import CallState
from ui.meeting.arrange import Layout
from ui.meeting.shortcuts import hint
from ui.theme import DARK, Duration, Size, Space, Type, colour, elide, font
from ui.widgets.buttons import IconButton, LabelButton
from ui.widgets.text import label, plain

COMPACT_BELOW = 560


def clock_text(milliseconds: int) -> str:
    """``4:07`` or ``1:04:07``."""
    seconds = max(0, milliseconds) // 1000
    hours, minutes = seconds // 3600, seconds // 60 % 60
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


class TopBar(QWidget):
    """Signals: homeRequested, layoutClicked, fullScreenClicked, lockClicked."""

    homeRequested = Signal()
    layoutClicked = Signal()
    fullScreenClicked = Signal()
    lockClicked = Signal()

    def __init__(self, parent: QWidget | None = None, now_ms: Callable[[], int] | None = None) -> None:
        super().__init__(parent)
        self._now_ms = now_ms or (lambda: int(time.time() * 1000))
        self._state: CallState | None = None
        self._full_title = ""
        self.setFixedHeight(Size.TOP_BAR)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.home = IconButton("home", self.tr("Back to the start page; the meeting goes on"), self, on_stage=True)
        self.title = label("", "stage-emphasis", self)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.time = label("", "stage-muted", self)
        self.time.setFont(font(Type.BODY, tabular=True))
        self.time.setAccessibleDescription(self.tr("Time in the meeting"))
        self.lock = IconButton("lock", self.tr("The meeting is locked with a password"), self, on_stage=True)
        self.layout_button = LabelButton("layout-grid", "", self)
        self.full_screen = IconButton("maximize", self.tr("Full screen"), self, on_stage=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.S, 0, Space.S, 0)
        row.setSpacing(Space.S)
        row.addWidget(self.home)
        row.addWidget(self.title, 1)
        row.addWidget(self.time)
        row.addWidget(self.lock)
        row.addSpacing(Space.S)
        row.addWidget(self.layout_button)
        row.addWidget(self.full_screen)
        self.home.clicked.connect(self.homeRequested)
        self.lock.clicked.connect(self.lockClicked)
        self.layout_button.clicked.connect(self.layoutClicked)
        self.full_screen.clicked.connect(self.fullScreenClicked)
        self.lock.hide()
        self._timer = QTimer(self)
        self._timer.setInterval(Duration.TICK)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def set_state(self, state: CallState, layout: Layout, full_screen: bool) -> None:
        self._state = state
        title = plain(state.subject or state.room or self.tr("Meeting"), 120)
        if title != self._full_title:
            self._full_title = title
            self._fit_title()
        self.lock.setVisible(state.locked)
        gallery = layout is Layout.GALLERY
        # The button names what it leads to, as all toggles do.
        self.layout_button.set_label(
            "layout-sidebar-right" if gallery else "layout-grid",
            self.tr("Speaker view") if gallery else self.tr("Gallery view"),
        )
        self.layout_button.setToolTip(f"{self.layout_button.text()} ({hint('layout')})")
        self.full_screen.set_icon("minimize" if full_screen else "maximize")
        words = self.tr("Leave full screen") if full_screen else self.tr("Full screen")
        self.full_screen.set_text(words, hint("full_screen"))
        self._tick()

    def _tick(self) -> None:
        if self._state is not None and self.isVisible():
            elapsed = selectors.elapsed_ms(self._state, self._now_ms())
            text = clock_text(elapsed) if self._state.joined_at else ""
            if text != self.time.text():
                self.time.setText(text)

    def _fit_title(self) -> None:
        shown = elide(self._full_title, font(Type.EMPHASIS, strong=True), self.title.width())
        self.title.setText(shown)
        # A label follows the direction of its text; a title follows the window.
        side = Qt.AlignmentFlag.AlignRight if self.isRightToLeft() else Qt.AlignmentFlag.AlignLeft
        self.title.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter)
        self.title.setAccessibleName(self._full_title)
        self.title.setToolTip("" if shown == self._full_title else self._full_title)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layout_button.set_compact(self.width() < COMPACT_BELOW)
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self._fit_title()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(QRectF(self.rect()), colour(DARK.stage))
        painter.end()
