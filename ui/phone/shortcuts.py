"""Keys of the phone, for what runs them and for the list of keys."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP

from ui.meeting.shortcuts import Shortcut

PHONE_SHORTCUTS: tuple[Shortcut, ...] = (
    Shortcut("answer_video", str(QT_TRANSLATE_NOOP("Shortcuts", "Answer with video")), keys=("Ctrl+Shift+A",)),
    Shortcut("answer", str(QT_TRANSLATE_NOOP("Shortcuts", "Answer the call")), keys=("Ctrl+Shift+S",)),
    Shortcut("decline", str(QT_TRANSLATE_NOOP("Shortcuts", "Decline the call")), keys=("Ctrl+Shift+D",)),
    Shortcut("hold", str(QT_TRANSLATE_NOOP("Shortcuts", "Hold or resume the call")), keys=("Ctrl+Shift+P",)),
)
