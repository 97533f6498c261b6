"""One focus ring per window: 2 px accent, 2 px away from whatever has the keyboard."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from ui.theme import DARK, Radius, Size, colour, follow, theme

_REACH = Size.FOCUS_GAP + Size.FOCUS_WIDTH
_MOVES = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class FocusRing(QWidget):
    """Laid over *window*; follows the focus while it came from the keyboard.

    A widget's radius is its dynamic property ``focusRadius``; ``noFocusRing`` keeps the ring away (text areas that
    mark themselves).
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._watched: list[QWidget] = []
        self._target: QWidget | None = None
        self._dark = False
        self.hide()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)
        follow(self)

    @property
    def target(self) -> QWidget | None:
        return self._target if self.isVisible() else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES:
            self._place()
        return False

    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        window = self._window
        for old_widget in self._watched:
            if shiboken6.isValid(old_widget):
                old_widget.removeEventFilter(self)
        self._watched = []
        self._target = new if new is not None and self._wanted(new) else None
        widget: QWidget | None = self._target
        # Only what can move the target is watched: a filter on the application would see every repaint.
        while widget is not None and widget is not window:
            widget.installEventFilter(self)
            self._watched.append(widget)
            widget = widget.parentWidget()
        self._place()

    def _wanted(self, new: QWidget) -> bool:
        window = self._window
        # A focus that came with a pressed button needs no ring: the person looks at the pointer.
        by_pointer = QApplication.mouseButtons() != Qt.MouseButton.NoButton
        inside = new is not window and window.isAncestorOf(new)
        return inside and not by_pointer and not isinstance(new, QMenu) and not new.property("noFocusRing")

    def _place(self) -> None:
        target = self._target
        if target is None or not shiboken6.isValid(target) or not target.isVisible():
            self.hide()
            return
        corner = target.mapTo(self._window, QPoint(0, 0))
        box = QRect(corner, target.size()).adjusted(-_REACH, -_REACH, _REACH, _REACH)
        self._dark = bool(getattr(target, "_on_stage", False) or target.property("onStage"))
        self.setGeometry(box)
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._target is None:
            return
        p = DARK if self._dark else theme().palette
        radius = self._target.property("focusRadius")
        radius = float(radius if radius is not None else Radius.SMALL) + _REACH - Size.FOCUS_WIDTH / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(p.accent), Size.FOCUS_WIDTH))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = Size.FOCUS_WIDTH / 2
        box = QRectF(self.rect()).adjusted(half, half, -half, -half)
        radius = min(radius, box.height() / 2)
        painter.drawRoundedRect(box, radius, radius)
        painter.end()
