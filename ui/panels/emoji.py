"""A small picker: the pictographs that people use in meetings, with a name each for search and screen readers."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QPushButton, QVBoxLayout, QWidget

from ui.i18n import translate
from ui.panels.participants_model import fold
from ui.theme import Space
from ui.widgets.fields import SearchField

COLUMNS = 8
QUICK = ("👍", "❤️", "😂", "🎉", "👏", "😮")
"""Offered first when reacting to a message."""


def names() -> tuple[tuple[str, str], ...]:
    """Each emoji with its name in the language of the window."""
    return (
        ("👍", translate("Emoji", "thumbs up")),
        ("👎", translate("Emoji", "thumbs down")),
        ("👏", translate("Emoji", "clapping")),
        ("🙌", translate("Emoji", "raised hands")),
        ("👋", translate("Emoji", "waving")),
        ("🙏", translate("Emoji", "thank you")),
        ("💪", translate("Emoji", "strong")),
        ("👌", translate("Emoji", "ok")),
        ("✌️", translate("Emoji", "victory")),
        ("🤝", translate("Emoji", "handshake")),
        ("✅", translate("Emoji", "done")),
        ("❌", translate("Emoji", "no")),
        ("❤️", translate("Emoji", "heart")),
        ("💔", translate("Emoji", "broken heart")),
        ("🔥", translate("Emoji", "fire")),
        ("✨", translate("Emoji", "sparkles")),
        ("🎉", translate("Emoji", "party")),
        ("🚀", translate("Emoji", "rocket")),
        ("🙂", translate("Emoji", "smiling")),
        ("😀", translate("Emoji", "grinning")),
        ("😂", translate("Emoji", "tears of joy")),
        ("🤣", translate("Emoji", "rolling with laughter")),
        ("😊", translate("Emoji", "blushing")),
        ("😉", translate("Emoji", "winking")),
        ("😍", translate("Emoji", "heart eyes")),
        ("😎", translate("Emoji", "cool")),
        ("🤔", translate("Emoji", "thinking")),
        ("😮", translate("Emoji", "surprised")),
        ("😢", translate("Emoji", "crying")),
        ("😭", translate("Emoji", "sobbing")),
        ("😡", translate("Emoji", "angry")),
        ("😴", translate("Emoji", "sleeping")),
        ("🤯", translate("Emoji", "mind blown")),
        ("😅", translate("Emoji", "relieved")),
        ("🙈", translate("Emoji", "not looking")),
        ("🤷", translate("Emoji", "shrugging")),
        ("👀", translate("Emoji", "eyes")),
        ("💡", translate("Emoji", "idea")),
        ("❓", translate("Emoji", "question")),
        ("❗", translate("Emoji", "exclamation")),
        ("⏰", translate("Emoji", "alarm clock")),
        ("☕", translate("Emoji", "coffee")),
        ("🍕", translate("Emoji", "pizza")),
        ("🎂", translate("Emoji", "cake")),
        ("🎁", translate("Emoji", "gift")),
        ("⭐", translate("Emoji", "star")),
        ("📌", translate("Emoji", "pin")),
        ("📎", translate("Emoji", "paper clip")),
    )


class EmojiPicker(QFrame):
    """A pop-up; closes itself when one is chosen.

    Signals: chosen(str).
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Emoji"))
        self.setProperty("look", "card")
        self.search = SearchField(self.tr("Search emoji"))
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._first)
        self._grid = QGridLayout()
        self._grid.setSpacing(2)
        self.buttons: list[QPushButton] = []
        for emoji, name in names():
            button = QPushButton(emoji)
            button.setProperty("kind", "quiet")
            button.setProperty("emoji", "true")
            button.setFixedSize(36, 36)
            button.setStyleSheet("QPushButton { padding: 0; font-size: 20px; min-height: 0; }")
            button.setAccessibleName(name)
            button.setToolTip(name)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _c=False, e=emoji: self._choose(e))
            self.buttons.append(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        layout.addWidget(self.search)
        layout.addLayout(self._grid)
        self._filter("")

    def _filter(self, text: str) -> None:
        wanted = fold(text.strip())
        shown = [b for b in self.buttons if wanted in fold(b.accessibleName())]
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.setVisible(False)
        for place, button in enumerate(shown):
            self._grid.addWidget(button, place // COLUMNS, place % COLUMNS)
            button.setVisible(True)
        self.adjustSize()

    def _first(self) -> None:
        first = next((b for b in self.buttons if b.isVisibleTo(self)), None)
        if first is not None:
            first.click()

    def _choose(self, emoji: str) -> None:
        self.chosen.emit(emoji)
        self.close()

    def show_above(self, anchor: QWidget) -> None:
        self.adjustSize()
        corner = anchor.mapToGlobal(QPoint(anchor.width() if not self.isRightToLeft() else 0, 0))
        x = corner.x() - (0 if self.isRightToLeft() else self.width())
        screen = anchor.screen().availableGeometry()
        x = max(screen.left(), min(x, screen.right() - self.width()))
        self.move(x, max(screen.top(), corner.y() - self.height() - Space.XS))
        self.show()
        self.search.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
            return
        super().keyPressEvent(event)
