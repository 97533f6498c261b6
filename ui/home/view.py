"""Home: one field, the recent meetings, and a way in for somebody who has no link yet."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.controller.api import ControllerApi
from ui import forms, icons
from ui.home.field import MeetingField
from ui.home.recent import RecentList
from ui.theme import ON_PERSON, PERSON_COLOURS, Radius, Space, colour, follow, theme

CONTENT_WIDTH = 640


class EmptyPicture(QWidget):
    """Three overlapping tiles: what a meeting looks like. Decoration only."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(QSize(232, 120))
        follow(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        canvas = colour(theme().palette.canvas)
        tiles = ((0, 22, 128, 76, 7), (104, 22, 128, 76, 5), (44, 8, 144, 90, 0))
        for x, y, width, height, tint in tiles:
            painter.setBrush(canvas)
            painter.drawRoundedRect(QRectF(x - 4, y - 4, width + 8, height + 8), Radius.DIALOG, Radius.DIALOG)
            painter.setBrush(colour(PERSON_COLOURS[tint]))
            painter.drawRoundedRect(QRectF(x, y, width, height), Radius.CARD, Radius.CARD)
            side = height * 0.5
            icons.paint(painter, "user", ON_PERSON, QRectF(x + (width - side) / 2, y + (height - side) / 2, side, side))
        painter.end()


class HomeView(QWidget):
    """Signals:
    opened(Address): go to the pre-join view of this meeting.
    demo_requested(): start a local meeting with synthetic participants.
    link_copied(): the link of a recent meeting is on the clipboard.
    """

    opened = Signal(object)
    demo_requested = Signal()
    link_copied = Signal()

    def __init__(self, *, demo: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller: ControllerApi | None = None
        self.setAcceptDrops(True)
        self.setProperty("look", "canvas")
        self.title = forms.label(self.tr("Join a meeting"), "display")
        self.field = MeetingField(self)
        self.field.opened.connect(self.opened)
        self.recent = RecentList(self)
        self.recent.joined.connect(self.opened)
        self.recent.copied.connect(self._copy)
        self.recent.removed.connect(self._remove)
        self.recent.hide()
        self.empty = self._make_empty(demo)
        self.demo_link = forms.push_button(self.tr("Try a demo meeting"), self.demo_requested.emit, kind="quiet")
        self.demo_link.setVisible(False)
        self._demo = demo
        self._lay_out()

    def _make_empty(self, demo: bool) -> QWidget:
        box = QWidget(self)
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, Space.XXL, 0, 0)
        layout.setSpacing(Space.L)
        sentence = forms.label(
            self.tr("Meetings you join are listed here, one click away from the next time."), "muted"
        )
        sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(EmptyPicture(box), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(sentence)
        self.demo_button = forms.push_button(self.tr("Try a demo meeting"), self.demo_requested.emit)
        self.demo_button.setVisible(demo)
        layout.addWidget(self.demo_button, 0, Qt.AlignmentFlag.AlignHCenter)
        box.hide()
        return box

    def _lay_out(self) -> None:
        content = QWidget()
        content.setMaximumWidth(CONTENT_WIDTH)
        inner = QVBoxLayout(content)
        inner.setContentsMargins(0, 0, 0, Space.XL)
        inner.setSpacing(Space.L)
        inner.addWidget(self.title)
        inner.addWidget(self.field)
        inner.addSpacing(Space.S)
        inner.addWidget(self.empty)
        inner.addWidget(self.recent)
        inner.addWidget(self.demo_link, 0, Qt.AlignmentFlag.AlignLeading)
        inner.addStretch(1)
        page = QWidget()
        centred = QHBoxLayout(page)
        centred.setContentsMargins(Space.XL, 0, Space.XL, 0)
        centred.addStretch(1)
        centred.addWidget(content, 100)
        centred.addStretch(1)
        self._page = page
        self._inner = inner
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(page)
        page.setProperty("look", "canvas")
        content.setProperty("look", "canvas")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)

    # ------------------------------------------------------------ use

    def attach(self, controller: ControllerApi) -> None:
        self._controller = controller
        self.field.attach(controller)
        self.refresh()

    def refresh(self) -> None:
        """Read the recent meetings again."""
        if self._controller is None:
            return
        meetings = self._controller.recent()
        self.recent.show_meetings(meetings)
        self.empty.setVisible(not meetings)
        self.demo_link.setVisible(bool(meetings) and self._demo)

    def set_demo_busy(self, busy: bool) -> None:
        """While the demo meeting starts, its buttons say so and take no second click."""
        words = self.tr("Starting the demo…") if busy else self.tr("Try a demo meeting")
        for button in (self.demo_button, self.demo_link):
            button.setText(words)
            button.setEnabled(not busy)

    def focus_field(self) -> None:
        self.field.edit.setFocus()
        self.field.edit.selectAll()

    def _copy(self, url: str) -> None:
        QGuiApplication.clipboard().setText(url)
        self.link_copied.emit()

    def _remove(self, url: str) -> None:
        if self._controller is None:
            return
        self._controller.remove_recent(url)
        self.refresh()
        self.field.edit.setFocus()

    # ------------------------------------------------------------ events

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
        self.focus_field()

    def resizeEvent(self, event: object) -> None:
        # A little above the middle on tall windows, close to the top on small ones.
        top = max(Space.XL, min(self.height() // 8, 120))
        self._inner.setContentsMargins(0, top, 0, Space.XL)
        super().resizeEvent(event)  # type: ignore[arg-type]

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if MeetingField.accepts(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.field.take_drop(event)
