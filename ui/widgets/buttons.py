"""Buttons: with words, with an icon, and the large ones of a call.

A toggle's *label* says what a click does ("Mute microphone"); its accessible *description* says how things stand
("Microphone is on"). Off is shown by a slashed icon and another fill, never by colour alone.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QSizePolicy, QWidget

from ui import icons
from ui.theme import DARK, DISABLED_OPACITY, Palette, Radius, Size, Type, colour, follow, font, theme


class PushButton(QPushButton):
    """A button with words. *kind*: ``primary``, ``danger``, ``quiet`` or empty; *large* for the main act of a view."""

    def __init__(self, text: str = "", kind: str = "", parent: QWidget | None = None, *, large: bool = False) -> None:
        super().__init__(text, parent)
        if kind:
            self.setProperty("kind", kind)
        if large:
            self.setProperty("large", "true")
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_enabled(self, allowed: bool, reason: str = "") -> None:
        """Enable, or disable and say why as tooltip."""
        self.setEnabled(allowed)
        self.setToolTip("" if allowed else reason)
        self.setAccessibleDescription("" if allowed else reason)


class IconButton(QAbstractButton):
    """A round-cornered button with one icon.

    Args:
        name: icon in ``resources/icons``.
        text: what a click does; accessible name and tooltip.
        on_stage: painted on video, so always in dark colours.
        size: side in px.
    """

    def __init__(
        self,
        name: str,
        text: str,
        parent: QWidget | None = None,
        *,
        on_stage: bool = False,
        size: int = Size.BUTTON,
        icon_size: int = Size.ICON,
    ) -> None:
        super().__init__(parent)
        self._icon = name
        self._on_stage = on_stage
        self._icon_size = icon_size
        self._tip = text
        self._reason = ""
        self._count = 0
        self._tint = ""
        self.setFixedSize(size, size)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("focusRadius", Radius.SMALL)
        self.set_text(text)
        follow(self)

    @property
    def colours(self) -> Palette:
        return DARK if self._on_stage else theme().palette

    @property
    def icon_name(self) -> str:
        return self._icon

    @property
    def count(self) -> int:
        return self._count

    def set_icon(self, name: str) -> None:
        if name != self._icon:
            self._icon = name
            self.update()

    def set_tint(self, tint: str) -> None:
        """Name of a palette token for the icon, empty for text colour."""
        if tint != self._tint:
            self._tint = tint
            self.update()

    def set_text(self, text: str, shortcut: str = "") -> None:
        """What a click does; *shortcut* (``"M"``) is added to the tooltip."""
        self._tip = f"{text} ({shortcut})" if shortcut else text
        if self.accessibleName() != text:
            self.setAccessibleName(text)
        self.setToolTip(self._reason or self._tip)

    def set_state(self, description: str) -> None:
        """How things stand, for screen readers."""
        if self.accessibleDescription() != description:
            self.setAccessibleDescription(description)

    def set_enabled(self, allowed: bool, reason: str = "") -> None:
        """Enable, or disable and say why as tooltip."""
        self._reason = "" if allowed else reason
        self.setEnabled(allowed)
        self.setToolTip(self._reason or self._tip)
        if self._reason:
            self.setAccessibleDescription(self._reason)

    def set_count(self, count: int) -> None:
        """A number at the corner; 0 hides it."""
        if count != self._count:
            self._count = count
            self.update()

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.update()
        super().leaveEvent(event)

    def fill(self) -> QColor | None:
        """Background for the present state; ``None`` shows what is behind."""
        p = self.colours
        if self.isDown():
            return colour(p.raised_pressed)
        if self.isChecked():
            return colour(p.raised_selected)
        if self.underMouse() and self.isEnabled():
            return colour(p.raised_hover)
        return None

    def tint(self) -> str:
        p = self.colours
        if self._tint:
            return str(getattr(p, self._tint))
        return p.accent if self.isChecked() else p.text

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(DISABLED_OPACITY)
        self.paint_body(painter)
        if self._count:
            paint_count(painter, self.rect(), self._count, self.colours, self.isRightToLeft())
        painter.end()

    def paint_body(self, painter: QPainter) -> None:
        fill = self.fill()
        if fill is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            radius = int(self.property("focusRadius"))
            painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        painter_rect = QRectF(0, 0, self._icon_size, self._icon_size)
        painter_rect.moveCenter(QRectF(self.rect()).center())
        icons.paint(painter, self._icon, self.tint(), painter_rect)


def paint_count(painter: QPainter, rect: QRect, count: int, p: Palette, mirrored: bool) -> None:
    """A number in an accent pill at the upper trailing corner of *rect*."""
    text = "99+" if count > 99 else str(count)
    used = font(10, strong=True, tabular=True)
    painter.setFont(used)
    width = max(16, painter.fontMetrics().horizontalAdvance(text) + 8)
    x = rect.left() + 1 if mirrored else rect.right() - width
    pill = QRectF(x, rect.top() + 1, width, 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(p.accent))
    painter.drawRoundedRect(pill, 8, 8)
    painter.setPen(colour(p.on_accent))
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)


class CallButton(IconButton):
    """44 px button of the call toolbar, optionally with a caret that opens a menu.

    Signals:
        caretClicked: the caret was pressed (or Alt+Down on the button).
    """

    caretClicked = Signal()

    def __init__(
        self, name: str, text: str, parent: QWidget | None = None, *, caret_text: str = "", on_stage: bool = True
    ) -> None:
        super().__init__(name, text, parent, on_stage=on_stage, size=Size.CALL_BUTTON, icon_size=Size.ICON_CALL)
        self._off = False
        self._danger = False
        self._caret: Caret | None = None
        self.setProperty("focusRadius", Size.CALL_BUTTON // 2)
        if caret_text:
            self._caret = Caret(caret_text, self, on_stage=on_stage)
            self._caret.clicked.connect(self.caretClicked)
            self.setFixedSize(Size.CALL_BUTTON + Size.CARET, Size.CALL_BUTTON)
            self._place_caret()

    @property
    def off(self) -> bool:
        return self._off

    @property
    def caret(self) -> Caret | None:
        return self._caret

    def set_off(self, off: bool) -> None:
        """The medium of this button is off: another fill, the caller sets the slashed icon."""
        if off != self._off:
            self._off = off
            self.update()

    def set_danger(self, danger: bool) -> None:
        self._danger = danger
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._caret and event.key() == Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.caretClicked.emit()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._place_caret()
        super().changeEvent(event)

    def _place_caret(self) -> None:
        if self._caret:
            x = 0 if self.isRightToLeft() else self.width() - Size.CARET - 4
            self._caret.setGeometry(x, 0, Size.CARET + 4, self.height())

    def fill(self) -> QColor | None:
        p = self.colours
        if self._danger:
            if self.isDown():
                return colour(p.danger_pressed)
            return colour(p.danger_hover if self.underMouse() and self.isEnabled() else p.danger)
        plain_fill = super().fill()
        if plain_fill is None and self._off:
            return colour(p.off_fill)
        return plain_fill

    def tint(self) -> str:
        if self._danger:
            return self.colours.on_danger
        return self.colours.bad if self._off else super().tint()

    def paint_body(self, painter: QPainter) -> None:
        if self._caret is None:
            super().paint_body(painter)
            return
        fill = self.fill() or colour(self.colours.raised_hover)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        radius = self.height() / 2
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        left = Size.CARET - 2 if self.isRightToLeft() else 2
        box = QRectF(0, 0, self._icon_size, self._icon_size)
        box.moveCenter(QRectF(left, 0, Size.CALL_BUTTON, self.height()).center())
        icons.paint(painter, self._icon, self.tint(), box)


class Caret(QAbstractButton):
    """The part of a call button that opens its menu."""

    def __init__(self, text: str, parent: QWidget, *, on_stage: bool) -> None:
        super().__init__(parent)
        self._on_stage = on_stage
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("focusRadius", Size.CARET // 2)
        follow(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = DARK if self._on_stage else theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isDown() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(p.text, 0.12))
            box = QRectF(0, 0, Size.CARET, Size.CARET + 8)
            box.moveCenter(QRectF(self.rect()).center())
            painter.drawRoundedRect(box, Size.CARET / 2, Size.CARET / 2)
        box = QRectF(0, 0, 14, 14)
        box.moveCenter(QRectF(self.rect()).center())
        icons.paint(painter, "chevron-up", p.text, box)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.click()
            return
        super().keyPressEvent(event)


class LabelButton(QAbstractButton):
    """Icon and words on video or bars: "Leave", "Speaker view". With *caret_text* there is a caret for a menu.

    Signals:
        caretClicked: the caret was pressed (or Alt+Down on the button).
    """

    caretClicked = Signal()

    def __init__(
        self,
        name: str,
        text: str,
        parent: QWidget | None = None,
        *,
        on_stage: bool = True,
        danger: bool = False,
        height: int = Size.BUTTON,
        caret_text: str = "",
    ) -> None:
        super().__init__(parent)
        self._icon = name
        self._on_stage = on_stage
        self._danger = danger
        self._compact = False
        self._height = height
        self.caret = Caret(caret_text, self, on_stage=on_stage)
        self.caret.setVisible(bool(caret_text))
        self._has_caret = bool(caret_text)
        self.setText(text)
        self.setAccessibleName(self._words())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setProperty("focusRadius", height // 2)
        self.caret.clicked.connect(self.caretClicked)
        follow(self)

    def set_label(self, name: str, text: str) -> None:
        if (name, text) == (self._icon, self.text()):
            return
        self._icon = name
        self.setText(text)
        self.setAccessibleName(self._words())
        self.updateGeometry()
        self.update()

    def _words(self) -> str:
        """The text without its mnemonic mark."""
        return self.text().replace("&", "")

    def set_compact(self, compact: bool) -> None:
        """Only the icon, for narrow windows."""
        if compact != self._compact:
            self._compact = compact
            self.updateGeometry()
            self.update()

    def show_caret(self, shown: bool) -> None:
        if shown != self._has_caret:
            self._has_caret = shown
            self.caret.setVisible(shown)
            self.updateGeometry()

    def _caret_width(self) -> int:
        return Size.CARET + 2 if self._has_caret else 0

    def sizeHint(self) -> QSize:
        if self._compact:
            return QSize(self._height + self._caret_width(), self._height)
        words = QFontMetrics(font(Type.BODY, strong=True)).horizontalAdvance(self._words())
        return QSize(words + Size.ICON + 36 + (self._caret_width() - 8 if self._has_caret else 0), self._height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        x = 2 if self.isRightToLeft() else self.width() - Size.CARET - 6
        self.caret.setGeometry(x, 0, Size.CARET + 4, self.height())
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        if self._has_caret and event.key() == Qt.Key.Key_Down and event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self.caretClicked.emit()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = DARK if self._on_stage else theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            painter.setOpacity(DISABLED_OPACITY)
        hover = self.underMouse() and self.isEnabled()
        if self._danger:
            fill: str | None = p.danger_pressed if self.isDown() else p.danger_hover if hover else p.danger
            ink = p.on_danger
        else:
            fill = p.raised_pressed if self.isDown() else p.raised_hover if hover else None
            ink = p.text
        if fill:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(fill))
            painter.drawRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        self._paint_content(painter, ink)
        painter.end()

    def _paint_content(self, painter: QPainter, ink: str) -> None:
        mirrored, caret = self.isRightToLeft(), self._caret_width()
        area = self.rect().adjusted(caret if mirrored else 0, 0, 0 if mirrored else -caret, 0)
        if self._compact:
            box = QRectF(0, 0, Size.ICON, Size.ICON)
            box.moveCenter(QRectF(area).center())
            icons.paint(painter, self._icon, ink, box)
            return
        x = area.right() - 12 - Size.ICON if mirrored else area.x() + 12
        icons.paint(painter, self._icon, ink, QRectF(x, (self.height() - Size.ICON) / 2, Size.ICON, Size.ICON))
        painter.setFont(font(Type.BODY, strong=True))
        painter.setPen(colour(ink))
        left, right = (4, 20 + Size.ICON) if mirrored else (20 + Size.ICON, 4)
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextHideMnemonic
        painter.drawText(area.adjusted(left, 0, -right, 0), flags, self.text())


def open_menu_at(menu: QMenu, widget: QWidget, *, above: bool = True) -> None:
    """Open *menu* above or below *widget*, its edge in line with the widget's leading edge."""
    hint = menu.sizeHint()
    x = widget.width() - hint.width() if widget.isRightToLeft() else 0
    y = -hint.height() - 8 if above else widget.height() + 4
    menu.popup(widget.mapToGlobal(QPoint(x, y)))
