"""Text fields, pickers and switches."""

from __future__ import annotations

from PySide6.QtCore import Property as QtProperty
from PySide6.QtCore import QPropertyAnimation, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSizePolicy, QWidget

from ui import icons
from ui.theme import DISABLED_OPACITY, Duration, Radius, Size, Space, Type, colour, follow, font, theme

TEXT_LIMIT = 2048
"""Characters that a one-line field takes (a meeting link with a token is long)."""


class TextField(QLineEdit):
    """One line of text. *name* is what a screen reader says; *hint* is shown while empty."""

    def __init__(self, name: str, hint: str = "", parent: QWidget | None = None, *, large: bool = False) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.setMaxLength(TEXT_LIMIT)
        self.setProperty("focusRadius", Radius.SMALL)
        if large:
            self.setProperty("large", "true")

    def set_invalid(self, reason: str = "") -> None:
        """Mark the field (red border, reason for screen readers); an empty reason clears the mark."""
        self.setProperty("invalid", "true" if reason else "false")
        self.setAccessibleDescription(reason)
        self.style().unpolish(self)
        self.style().polish(self)


class SearchField(TextField):
    """A field with a magnifying glass and a button that clears it."""

    def __init__(self, name: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, hint or name, parent)
        self.setClearButtonEnabled(True)
        self._glass = QAction(self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        theme().changed.connect(self._tint)
        self._tint()

    def _tint(self) -> None:
        self._glass.setIcon(icons.icon("search", theme().palette.muted, Size.ICON_SMALL))


class PasswordField(TextField):
    """Hidden text with a button that shows it."""

    def __init__(self, name: str, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(name, hint, parent)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self._eye = QAction(self)
        self._eye.setText(self.tr("Show password"))
        self._eye.triggered.connect(self._toggle)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        theme().changed.connect(self._tint)
        self._tint()

    def _toggle(self) -> None:
        hidden = self.echoMode() == QLineEdit.EchoMode.Password
        self.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self._eye.setText(self.tr("Hide password") if hidden else self.tr("Show password"))
        self._tint()

    def _tint(self) -> None:
        hidden = self.echoMode() == QLineEdit.EchoMode.Password
        self._eye.setIcon(icons.icon("eye" if hidden else "eye-off", theme().palette.muted))


class ComboBox(QComboBox):
    """A picker. Long device names are cut in the box and whole in the list."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("focusRadius", Radius.SMALL)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        follow(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        p = theme().palette
        x = Space.S if self.isRightToLeft() else self.width() - Size.ICON_SMALL - Space.S
        box = QRectF(x, (self.height() - Size.ICON_SMALL) / 2, Size.ICON_SMALL, Size.ICON_SMALL)
        icons.paint(painter, "chevron-down", p.muted, box, opacity=1.0 if self.isEnabled() else DISABLED_OPACITY)
        painter.end()


class Switch(QAbstractButton):
    """On or off, with its label. Space toggles it; screen readers hear a check box."""

    TRACK = QSize(36, 20)

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("focusRadius", Radius.SMALL)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._knob = 0.0
        self._motion = QPropertyAnimation(self, b"knob", self)
        self.toggled.connect(self._move)
        follow(self)

    def _get_knob(self) -> float:
        return self._knob

    def _set_knob(self, value: float) -> None:
        self._knob = value
        self.update()

    knob = QtProperty(float, _get_knob, _set_knob)

    def _move(self, on: bool) -> None:
        self._motion.stop()
        duration = theme().duration(Duration.APPEAR) if self.isVisible() else 0
        if not duration:
            self._set_knob(1.0 if on else 0.0)
            return
        self._motion.setDuration(duration)
        self._motion.setEndValue(1.0 if on else 0.0)
        self._motion.start()

    def sizeHint(self) -> QSize:
        words = QFontMetrics(font(Type.BODY)).horizontalAdvance(self.text())
        return QSize(self.TRACK.width() + (Space.M + words if self.text() else 0), 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(DISABLED_OPACITY)
        mirrored = self.isRightToLeft()
        x = self.width() - self.TRACK.width() if mirrored else 0
        track = QRectF(x, (self.height() - self.TRACK.height()) / 2, self.TRACK.width(), self.TRACK.height())
        on = self.isChecked()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(p.accent if on else p.muted))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        side = track.height() - 4
        travel = track.width() - side - 4
        position = 1 - self._knob if mirrored else self._knob
        painter.setBrush(colour(p.on_accent if on else p.surface))
        painter.drawEllipse(QRectF(track.x() + 2 + travel * position, track.y() + 2, side, side))
        painter.setFont(font(Type.BODY))
        painter.setPen(colour(p.text))
        gap = self.TRACK.width() + Space.M
        box = self.rect().adjusted(0, 0, -gap, 0) if mirrored else self.rect().adjusted(gap, 0, 0, 0)
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading, self.text())
        painter.end()
