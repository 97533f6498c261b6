"""Faces instead of initials: asks the controller for pictures of people and hands them to the views."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from app.calls.model import CallState

SIDE = 256
"""Pixels; the largest circle on a tile of a large screen."""
MAX_SIDE = 8_192
"""A picture that unpacks to more is not a portrait."""
FORMATS = (b"png", b"jpeg", b"jpg", b"gif", b"webp")


class _Controller(Protocol):
    async def avatar(self, call_id: str, participant_id: str) -> bytes | None: ...


class _Tasks(Protocol):
    def spawn(self, coroutine: Coroutine[Any, Any, Any], *, then: Callable[[Any], None] | None = None) -> Any: ...


def decode(data: bytes) -> QImage | None:
    """*data* as a square picture of at most ``SIDE``, cut at the longer sides; ``None`` when it is none."""
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if bytes(reader.format().data()) not in FORMATS or not size.isValid():
        return None
    if size.isEmpty() or max(size.width(), size.height()) > MAX_SIDE:
        return None
    reader.setScaledSize(size.scaled(QSize(SIDE, SIDE), Qt.AspectRatioMode.KeepAspectRatioByExpanding))
    image = reader.read()
    if image.isNull():
        return None
    side = min(image.width(), image.height(), SIDE)
    return image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)


class AvatarFeed:
    """Asks once for each picture that somebody announces; *show* gets (participant id, picture)."""

    def __init__(self, controller: _Controller, tasks: _Tasks, show: Callable[[str, QImage], None]) -> None:
        self._controller = controller
        self._tasks = tasks
        self._show = show
        self._urls: dict[str, str] = {}

    def set_state(self, state: CallState) -> None:
        for participant in state.participants.values():
            url = participant.avatar_url
            if not url or self._urls.get(participant.id) == url:
                continue
            self._urls[participant.id] = url
            self._tasks.spawn(
                self._controller.avatar(state.call_id, participant.id), then=partial(self._came, participant.id, url)
            )
        for gone in self._urls.keys() - state.participants.keys():
            del self._urls[gone]

    def _came(self, participant_id: str, url: str, data: bytes | None) -> None:
        image = decode(data) if data and self._urls.get(participant_id) == url else None
        if image is not None:
            self._show(participant_id, image)
