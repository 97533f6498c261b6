"""Labels that never interpret what they show, and hairlines."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from ui.theme import Size

NAME_LIMIT = 80
"""Characters of a remote name that are kept; longer ones are cut before they reach any layout."""


def plain(text: str, limit: int = NAME_LIMIT) -> str:
    """*text* from outside as one bounded line: control, formatting and surrogate characters removed.

    Right-to-left overrides go too: with them one name could pose as another.
    """
    return _plain(text[: limit * 4], limit)


@lru_cache(maxsize=2048)
def _plain(text: str, limit: int) -> str:
    kept = "".join(" " if char.isspace() else char for char in text if char.isspace() or _harmless(char))
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _harmless(char: str) -> bool:
    # Joiners belong to Persian, Indic scripts and emoji sequences.
    return char in "\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn", "Cf")


def label(text: str = "", look: str = "", parent: QWidget | None = None, *, wrap: bool = False) -> QLabel:
    """A plain-text label. *look*: muted, caption, emphasis, title, display, good, warn, bad or empty (body)."""
    result = QLabel(parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setText(text)
    result.setWordWrap(wrap)
    if look:
        result.setProperty("look", look)
    return result


class Line(QFrame):
    """A hairline."""

    def __init__(self, parent: QWidget | None = None, *, vertical: bool = False) -> None:
        super().__init__(parent)
        self.setProperty("look", "line")
        self.setFrameShape(QFrame.Shape.NoFrame)
        if vertical:
            self.setFixedWidth(Size.LINE)
        else:
            self.setFixedHeight(Size.LINE)
