"""What the tests of the shell share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget

from app.calls.model import Message
from app.controller.api import RecentMeeting
from app.vendors.base import Address
from tests.ui.fakes import START

ROUNDS = 6


async def settle(rounds: int = ROUNDS) -> None:
    """Let tasks that were started and queued Qt events run."""
    for _ in range(rounds):
        QApplication.processEvents()
        await asyncio.sleep(0.001)


def address(room: str = "TeamMeeting", server: str = "meet.example.org") -> Address:
    url = f"https://{server}/{room}"
    return Address("jitsi", url, url, server, room.lower(), room)


def recent(room: str) -> RecentMeeting:
    return RecentMeeting(address(room), room, START)


def message(number: int, text: str = "hello", sender: str = "p0000001", **fields: object) -> Message:
    return Message(f"m{number}", sender, "Amélie Laurent", text, START + number * 1000, **fields)  # type: ignore[arg-type]


def press(widget: QWidget, key: Qt.Key) -> None:
    QTest.keyClick(widget, key)


def click(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def type_text(edit: QLineEdit, text: str) -> None:
    edit.clear()
    QTest.keyClicks(edit, text)


def controls(root: QWidget) -> Iterator[QWidget]:
    """Everything below *root* that takes the keyboard."""
    for widget in root.findChildren(QWidget):
        if widget.isVisible() and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
            yield widget
