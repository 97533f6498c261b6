"""Which side panel is open, how wide it is, and how it is dragged wider."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Size, colour, follow, theme
from ui.widgets.panel import SidePanel

HANDLE = 6


class PanelHost(QWidget):
    """Holds the side panels, shows at most one.

    Panels are made on first use and then kept, so that a draft in the chat survives closing it.

    Signals:
        changed: another panel is open, or none. dragged: new width in px while the edge is dragged.
    """

    changed = Signal()
    dragged = Signal(int)

    def __init__(self, factories: dict[str, Callable[[], QWidget]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._factories = factories
        self._panels: dict[str, QWidget] = {}
        self._open = ""
        self._drag: tuple[float, int] | None = None
        self.setMouseTracking(True)
        self.hide()
        follow(self)

    @property
    def open_panel(self) -> str:
        return self._open

    def panel(self, name: str) -> QWidget:
        """The panel *name*, made now if need be. Raises ``KeyError`` for a name that nobody registered."""
        if name not in self._panels:
            made = self._factories[name]()
            made.setParent(self)
            made.hide()
            if isinstance(made, SidePanel):
                made.closeRequested.connect(self.close_panel)
            self._panels[name] = made
        return self._panels[name]

    def existing(self, name: str) -> QWidget | None:
        return self._panels.get(name)

    def toggle(self, name: str) -> None:
        self.close_panel() if name == self._open else self.open(name)

    def open(self, name: str) -> None:
        panel = self.panel(name)
        for other in self._panels.values():
            if other is not panel:
                other.hide()
        self._open = name
        self.show()
        self._fit()
        panel.show()
        self.changed.emit()
        self._focus_first(panel)

    def _focus_first(self, panel: QWidget) -> None:
        panel.setFocus(Qt.FocusReason.OtherFocusReason)
        if not panel.hasFocus() and not panel.isAncestorOf(panel.focusWidget() or self):
            panel.focusNextChild()

    def close_panel(self) -> None:
        if not self._open:
            return
        self._panels[self._open].hide()
        self._open = ""
        self.hide()
        self.changed.emit()

    def _fit(self) -> None:
        panel = self._panels.get(self._open)
        if panel is not None:
            mirrored = self.isRightToLeft()
            panel.setGeometry(self.rect().adjusted(0 if mirrored else 1, 0, -1 if mirrored else 0, 0))

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def _edge(self) -> QRect:
        x = self.width() - HANDLE if self.isRightToLeft() else 0
        return QRect(x, 0, HANDLE, self.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._edge().contains(event.position().toPoint()):
            self._drag = (event.globalPosition().x(), self.width())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._edge().contains(event.position().toPoint())
        self.setCursor(Qt.CursorShape.SplitHCursor if over or self._drag else Qt.CursorShape.ArrowCursor)
        if self._drag is not None:
            start, width = self._drag
            moved = event.globalPosition().x() - start
            wanted = width + round(moved if self.isRightToLeft() else -moved)
            self.dragged.emit(min(Size.SIDE_PANEL_MAX, max(Size.SIDE_PANEL_MIN, wanted)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(p.surface))
        x = self.width() - 1 if self.isRightToLeft() else 0
        painter.fillRect(QRect(x, 0, Size.LINE, self.height()), colour(p.line))
        painter.end()
