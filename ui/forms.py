"""Small makers for Qt's own controls in the house's look, so that views read as what they contain."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QSizePolicy, QVBoxLayout, QWidget

from ui import icons
from ui.theme import Size, Space, Type, colour, elide, follow, font, theme
from ui.widgets.buttons import IconButton, PushButton
from ui.widgets.text import plain


def label(text: str = "", look: str = "", *, wrap: bool = True, parent: QWidget | None = None) -> QLabel:
    """Plain text, never rich. *look*: muted, caption, emphasis, title, display, good, warn, bad."""
    result = QLabel(parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setWordWrap(wrap)
    if look:
        result.setProperty("look", look)
    return result


def set_look(widget: QWidget, look: str) -> None:
    """Change the look of a label or frame that is already shown."""
    set_property(widget, "look", look)


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet selects on, and apply it."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    widget.update()


def push_button(
    text: str,
    clicked: Callable[[], object] | None = None,
    *,
    kind: str = "",
    large: bool = False,
    icon: str = "",
    parent: QWidget | None = None,
) -> PushButton:
    """A button with words that calls *clicked*. *kind*: primary, danger, quiet or empty for the ordinary one."""
    result = PushButton(text, kind, parent, large=large)
    if icon:
        tint_button(result, icon)
    if clicked is not None:
        result.clicked.connect(lambda _checked=False: clicked())
    return result


def icon_button(
    name: str, text: str, clicked: Callable[[], object] | None = None, *, parent: QWidget | None = None, **look: int
) -> IconButton:
    """A button with an icon; *text* says what a click does."""
    result = IconButton(name, text, parent, **look)  # type: ignore[arg-type]
    if clicked is not None:
        result.clicked.connect(lambda _checked=False: clicked())
    return result


def tint_button(button: PushButton, name: str) -> None:
    """Give *button* an icon in the colour of its text, now and after each change of theme."""

    def apply() -> None:
        p = theme().palette
        tints = {"primary": p.on_accent, "danger": p.on_danger, "quiet": p.accent}
        button.setIcon(icons.icon(name, tints.get(str(button.property("kind") or ""), p.text)))

    follow_theme(button, apply)


class ElidedLabel(QWidget):
    """One line that is cut with an ellipsis instead of widening its view; the whole text is the tooltip."""

    def __init__(
        self, text: str = "", *, strong: bool = False, muted: bool = False, size: int = Type.BODY,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._text = ""
        self._strong, self._muted, self._size = strong, muted, size
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        follow(self)
        self.set_text(text)

    def text(self) -> str:
        return self._text

    def set_text(self, text: str) -> None:
        self._text = plain(text, 400)
        self.setAccessibleName(self._text)
        self.updateGeometry()
        self._set_tip()
        self.update()

    def _font_height(self) -> int:
        return round(self._size * 1.45)

    def sizeHint(self) -> QSize:
        return QSize(160, self._font_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self._font_height())

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._set_tip()

    def _set_tip(self) -> None:
        cut = elide(self._text, font(self._size, strong=self._strong), self.width()) != self._text
        self.setToolTip(self._text if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        used = font(self._size, strong=self._strong)
        painter = QPainter(self)
        painter.setFont(used)
        painter.setPen(colour(p.muted if self._muted else p.text))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeading | Qt.TextFlag.TextSingleLine
        painter.drawText(self.rect(), int(flags), elide(self._text, used, self.width()))
        painter.end()


class _Follower(QObject):
    """Lives as long as its parent; Qt disconnects it when that goes."""

    def __init__(self, parent: QObject, apply: Callable[[], None]) -> None:
        super().__init__(parent)
        self._apply = apply
        theme().changed.connect(self.run)

    def run(self) -> None:
        self._apply()


def follow_theme(widget: QWidget, apply: Callable[[], None]) -> None:
    """Call *apply* now and whenever the theme changes, as long as *widget* lives."""
    apply()
    _Follower(widget, apply)


def icon_label(name: str, tint: str = "muted", size: int = Size.ICON, parent: QWidget | None = None) -> QLabel:
    """A picture that decorates a text beside it; *tint* is the name of a palette token."""
    result = QLabel(parent)
    result.setFixedSize(size, size)

    def apply() -> None:
        ratio = result.devicePixelRatioF()
        result.setPixmap(icons.pixmap(name, getattr(theme().palette, tint), size, ratio))

    follow_theme(result, apply)
    return result


def separator(parent: QWidget | None = None) -> QFrame:
    line = QFrame(parent)
    line.setProperty("look", "line")
    line.setFixedHeight(Size.LINE)
    return line


def column(parent: QWidget | None = None, *, margin: int = 0, spacing: int = Space.S) -> QVBoxLayout:
    layout = QVBoxLayout(parent) if parent is not None else QVBoxLayout()
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


def row(*items: QWidget | QLayout | int, spacing: int = Space.S, parent: QWidget | None = None) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch."""
    layout = QHBoxLayout(parent) if parent is not None else QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for item in items:
        if isinstance(item, int):
            layout.addStretch(item)
        elif isinstance(item, QLayout):
            layout.addLayout(item)
        else:
            layout.addWidget(item)
    return layout


def card(parent: QWidget | None = None) -> QFrame:
    frame = QFrame(parent)
    frame.setProperty("look", "card")
    return frame


def keep_height(widget: QWidget) -> QWidget:
    """Do not let a layout stretch *widget* upwards."""
    widget.setSizePolicy(widget.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Maximum)
    return widget
