"""Short messages at the corner: at most three, five seconds, longer while the pointer is on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEasingCurve, QEvent, QPropertyAnimation, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGraphicsOpacityEffect, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import icons
from ui.theme import Duration, Radius, Size, Space, colour, follow, theme
from ui.widgets.buttons import IconButton, PushButton
from ui.widgets.text import label, plain

MOST = 3
TEXT_LIMIT = 240
WAITING_LIMIT = 20
"""Messages kept while three are on screen; older ones that nobody saw are dropped first, errors last."""

_ICONS = {"info": "info-circle", "warning": "alert-triangle", "error": "alert-circle", "good": "check"}
_TONES = {"info": "accent", "warning": "warn", "error": "bad", "good": "good"}


@dataclass(frozen=True, slots=True)
class ToastMessage:
    """What a toast says. *key*: a newer message with the same key replaces the older one."""

    text: str
    level: str = "info"
    """``info``, ``good``, ``warning`` or ``error``; errors stay until dismissed."""
    icon: str = ""
    key: str = ""
    action_text: str = ""
    action: Callable[[], object] | None = None
    sticky: bool = False


class Toast(QWidget):
    """One message.

    Signals:
        closed: it wants to go.
    """

    closed = Signal()

    def __init__(self, message: ToastMessage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.message = message
        self.setFixedWidth(Size.TOAST)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
        self.setAccessibleName(message.text)
        self._text = label(message.text, wrap=True)
        self._cross = IconButton("x", self.tr("Dismiss"), size=28, icon_size=Size.ICON_SMALL)
        self._cross.clicked.connect(self.closed)
        words = QVBoxLayout()
        words.setSpacing(Space.S)
        words.addWidget(self._text)
        self.button: PushButton | None = None
        if message.action_text and message.action is not None:
            self.button = PushButton(message.action_text, "link")
            self.button.clicked.connect(self._act)
            words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeading)
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.M + Size.ICON + Space.M, Space.M, Space.S, Space.M)
        row.setSpacing(Space.S)
        row.addLayout(words, 1)
        row.addWidget(self._cross, 0, Qt.AlignmentFlag.AlignTop)
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(Duration.TOAST)
        self._clock.timeout.connect(self.closed)
        if not self.stays:
            self._clock.start()
        follow(self)

    @property
    def stays(self) -> bool:
        return self.message.sticky or self.message.level == "error"

    @property
    def counting(self) -> bool:
        return self._clock.isActive()

    def _act(self) -> None:
        if self.message.action is not None:
            self.message.action()
        self.closed.emit()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._clock.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        if not self.stays:
            self._clock.start()
        super().leaveEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(p.line), Size.LINE))
        painter.setBrush(colour(p.raised))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), Radius.CARD, Radius.CARD)
        x = self.width() - Space.M - Size.ICON if self.isRightToLeft() else Space.M
        name = self.message.icon or _ICONS.get(self.message.level, "info-circle")
        tone = str(getattr(p, _TONES.get(self.message.level, "accent")))
        icons.paint(painter, name, tone, QRectF(x, Space.M + 3, Size.ICON, Size.ICON))
        painter.end()


class ToastStack(QWidget):
    """Up to three toasts above each other; the newest at the bottom. The owner places it with :meth:`place`."""

    resized = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Notifications"))
        self._waiting: list[ToastMessage] = []
        self._toasts: list[Toast] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(Space.S)
        self.hide()

    @property
    def toasts(self) -> tuple[Toast, ...]:
        return tuple(self._toasts)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def show_message(self, message: ToastMessage) -> None:
        clean = ToastMessage(
            plain(message.text, TEXT_LIMIT), message.level, message.icon, message.key, message.action_text,
            message.action, message.sticky,
        )  # fmt: skip
        if clean.key:
            self._waiting = [old for old in self._waiting if old.key != clean.key]
            for toast in list(self._toasts):
                if toast.message.key == clean.key:
                    self._remove(toast)
        if len(self._toasts) >= MOST and clean.level == "error":
            passing = next((toast for toast in self._toasts if not toast.stays), None)
            if passing is not None:
                self._remove(passing)
        if len(self._toasts) >= MOST:
            self._waiting.append(clean)
            while len(self._waiting) > WAITING_LIMIT:
                unimportant = next((i for i, m in enumerate(self._waiting) if m.level != "error"), 0)
                del self._waiting[unimportant]
            return
        self._add(clean)

    def dismiss(self, key: str) -> None:
        """Take away the message with this key, shown or waiting."""
        self._waiting = [old for old in self._waiting if old.key != key]
        for toast in list(self._toasts):
            if toast.message.key == key:
                self._close(toast)

    def clear(self) -> None:
        self._waiting.clear()
        for toast in list(self._toasts):
            self._remove(toast)

    def _add(self, message: ToastMessage) -> None:
        toast = Toast(message, self)
        toast.closed.connect(lambda: self._close(toast))
        self._toasts.append(toast)
        self._column.addWidget(toast)
        self.show()
        toast.show()
        self._fade_in(toast)
        self._fit()
        announce(self, message.text, urgent=message.level == "error")

    def _fade_in(self, toast: Toast) -> None:
        duration = theme().duration(Duration.APPEAR)
        if not duration or not self.isVisible():
            return
        effect = QGraphicsOpacityEffect(toast)
        toast.setGraphicsEffect(effect)
        motion = QPropertyAnimation(effect, b"opacity", toast)
        motion.setDuration(duration)
        motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        motion.setStartValue(0.0)
        motion.setEndValue(1.0)
        motion.finished.connect(lambda: toast.setGraphicsEffect(None))  # type: ignore[arg-type]
        motion.start()

    def _close(self, toast: Toast) -> None:
        self._remove(toast)
        while self._waiting and len(self._toasts) < MOST:
            self._add(self._waiting.pop(0))

    def _remove(self, toast: Toast) -> None:
        if toast not in self._toasts:
            return
        self._toasts.remove(toast)
        self._column.removeWidget(toast)
        toast.hide()
        toast.deleteLater()
        self.setVisible(bool(self._toasts))
        self._fit()

    def _fit(self) -> None:
        width = Size.TOAST
        height = sum(toast.heightForWidth(width) if toast.hasHeightForWidth() else toast.sizeHint().height()
                     for toast in self._toasts)  # fmt: skip
        height += max(0, len(self._toasts) - 1) * Space.S
        self.resize(width, height)
        self.resized.emit()


def announce(widget: QWidget, text: str, *, urgent: bool = False) -> None:
    """Let a screen reader say *text*."""
    event = QAccessibleAnnouncementEvent(widget, text)
    if urgent:
        event.setPoliteness(QAccessible.AnnouncementPoliteness.Assertive)
    QAccessible.updateAccessibility(event)
