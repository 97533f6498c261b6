"""All keys of a call in one table: what runs them, what the help shows, and what tooltips add."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

_CONTEXT = "Shortcuts"


@dataclass(frozen=True, slots=True)
class Shortcut:
    """``letter`` works while no text field has the keyboard and can be switched off; ``keys`` always work."""

    id: str
    label: str
    """English source text; :func:`words` translates."""
    letter: str = ""
    keys: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return QCoreApplication.translate(_CONTEXT, self.label)

    def shown(self) -> tuple[str, ...]:
        """Keys as this system writes them."""
        native = tuple(QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) for keys in self.keys)
        if not self.letter:
            return native
        first = QCoreApplication.translate(_CONTEXT, self.letter) if len(self.letter) > 1 else self.letter
        return (first, *native)


def _s(id: str, label: object, letter: object = "", *keys: str) -> Shortcut:
    return Shortcut(id, str(label), str(letter), keys)


SHORTCUTS: tuple[Shortcut, ...] = (
    _s("microphone", QT_TRANSLATE_NOOP("Shortcuts", "Mute or unmute your microphone"), "M", "Ctrl+Shift+M"),
    _s("talk", QT_TRANSLATE_NOOP("Shortcuts", "Push to talk (hold)"), QT_TRANSLATE_NOOP("Shortcuts", "Space")),
    _s("camera", QT_TRANSLATE_NOOP("Shortcuts", "Start or stop your camera"), "V", "Ctrl+Shift+O"),
    _s("share", QT_TRANSLATE_NOOP("Shortcuts", "Share your screen or stop sharing"), "D", "Ctrl+Shift+E"),
    _s("chat", QT_TRANSLATE_NOOP("Shortcuts", "Open or close the chat"), "C"),
    _s("participants", QT_TRANSLATE_NOOP("Shortcuts", "Open or close the list of participants"), "P"),
    _s("hand", QT_TRANSLATE_NOOP("Shortcuts", "Raise or lower your hand"), "R", "Ctrl+Shift+K"),
    _s("filmstrip", QT_TRANSLATE_NOOP("Shortcuts", "Show or hide the filmstrip"), "F"),
    _s("layout", QT_TRANSLATE_NOOP("Shortcuts", "Switch between gallery and speaker view"), "W"),
    _s("speaker_stats", QT_TRANSLATE_NOOP("Shortcuts", "Show speaking times"), "T"),
    _s("quality", QT_TRANSLATE_NOOP("Shortcuts", "Choose the video quality"), "A"),
    _s("statistics", QT_TRANSLATE_NOOP("Shortcuts", "Show connection statistics"), "", "Ctrl+I"),
    _s("full_screen", QT_TRANSLATE_NOOP("Shortcuts", "Full screen"), "S", "F11"),
    _s("leave", QT_TRANSLATE_NOOP("Shortcuts", "Leave the meeting"), "", "Ctrl+Shift+H"),
    _s("help", QT_TRANSLATE_NOOP("Shortcuts", "Show keyboard shortcuts"), "?"),
    _s("focus", QT_TRANSLATE_NOOP("Shortcuts", "Put yourself (0) or somebody (1–9) on the stage"), "0–9"),
    _s("back", QT_TRANSLATE_NOOP("Shortcuts", "Close the panel, unpin or leave full screen"),
       QT_TRANSLATE_NOOP("Shortcuts", "Esc")),
    *(
        _s(f"reaction_{index}", text, "", f"Alt+{index}")
        for index, text in enumerate(
            (
                QT_TRANSLATE_NOOP("Shortcuts", "React with thumbs up"),
                QT_TRANSLATE_NOOP("Shortcuts", "React with clapping"),
                QT_TRANSLATE_NOOP("Shortcuts", "React with laughter"),
                QT_TRANSLATE_NOOP("Shortcuts", "React with surprise"),
                QT_TRANSLATE_NOOP("Shortcuts", "React with disapproval"),
                QT_TRANSLATE_NOOP("Shortcuts", "React with silence"),
            ),
            start=1,
        )
    ),
)  # fmt: skip

BY_ID = {shortcut.id: shortcut for shortcut in SHORTCUTS}
_LETTERS = {shortcut.letter: shortcut.id for shortcut in SHORTCUTS if len(shortcut.letter) == 1}


def letter_action(event: QKeyEvent) -> str | None:
    """Id of the single-letter shortcut that a key event means: an id of :data:`SHORTCUTS`, ``"focus_<n>"`` for a
    digit, or ``None``. Modifiers other than Shift for ``?`` make it something else."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier & ~Qt.KeyboardModifier.ShiftModifier
    if modifiers != Qt.KeyboardModifier.NoModifier:
        return None
    text = event.text()
    if text == "?":
        return "help"
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        return None
    if len(text) == 1 and text in "0123456789":
        return f"focus_{text}"
    return _LETTERS.get(text.upper()) if len(text) == 1 and text.isalpha() else None


def hint(id: str) -> str:
    """The key that tooltips add, ``""`` when there is none."""
    shortcut = BY_ID[id]
    return shortcut.shown()[0] if shortcut.shown() else ""
