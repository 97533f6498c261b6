"""Lets a bar appear and disappear softly."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QObject, QPropertyAnimation
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from ui.theme import Duration, theme


class Fader(QObject):
    """Fades *widget*. The opacity effect exists only while something moves: over video it costs a repaint per frame."""

    def __init__(self, widget: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._widget = widget
        self._hidden = False
        self._motion: QPropertyAnimation | None = None

    @property
    def hidden(self) -> bool:
        return self._hidden

    def show(self) -> None:
        self._hidden = False
        self._widget.show()
        self._run(0.0, 1.0)

    def hide(self) -> None:
        self._hidden = True
        self._run(1.0, 0.0)

    def _run(self, start: float, end: float) -> None:
        if self._motion is not None:
            self._motion.stop()
            self._motion = None
        duration = theme().duration(Duration.APPEAR)
        if not duration or not self._widget.isVisible():
            self._finish()
            return
        effect = QGraphicsOpacityEffect(self._widget)
        effect.setOpacity(start)
        self._widget.setGraphicsEffect(effect)
        motion = QPropertyAnimation(effect, b"opacity", effect)
        motion.setDuration(duration)
        motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        motion.setStartValue(start)
        motion.setEndValue(end)
        motion.finished.connect(self._finish)
        motion.start()
        self._motion = motion

    def _finish(self) -> None:
        self._motion = None
        self._widget.setGraphicsEffect(None)  # type: ignore[arg-type]
        self._widget.setVisible(not self._hidden)
