"""What the command line does to the window from outside: tells what went wrong before, joins by itself, takes a
picture, closes it.

For machines without a display (``make run`` there) and for ``--duration``, which closes the window at its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QApplication

from ui.main_window import MainWindow

log = logging.getLogger(__name__)

POLL_S = 0.1
"""How often the window is looked at; it has no event for "a view is shown" that outsiders may use."""
JOIN_TIMEOUT_S = 60.0
"""A loaded machine may take long to start the demo server and to open devices."""


def main_window() -> MainWindow | None:
    return next((one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)), None)


def tell(sentences: Sequence[str]) -> None:
    """Show each sentence as a toast that stays until it is dismissed."""
    window = main_window()
    for sentence in sentences if window is not None else ():
        window.toast(sentence, "error")


def close_window() -> None:
    window = main_window()
    if window is not None:
        window.close()


async def join_when_ready() -> bool:
    """Press Join as soon as the pre-join view is there; true once the meeting is shown."""
    pressed = False
    for _ in range(int(JOIN_TIMEOUT_S / POLL_S)):
        window = main_window()
        if window is not None and window.meeting is not None:
            return True
        if window is not None and window.failure is not None and window.stack.currentWidget() is window.failure:
            return False
        if not pressed and window is not None and window.prejoin is not None and window.prejoin.isVisible():
            window.prejoin.join()
            pressed = True
        await asyncio.sleep(POLL_S)
    return False


def take_picture(path: Path) -> bool:
    """Save the window as it is shown now; false when there is none or the file cannot be written."""
    window = main_window()
    if window is None:
        return False
    saved = window.grab().save(str(path))
    if not saved:
        log.warning("the picture could not be written to %s", path)
    return saved
