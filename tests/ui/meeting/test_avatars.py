from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QColor, QImage

from tests.ui.fakes import CALL, FakeController, SyncTasks, meeting
from ui.meeting.avatars import SIDE, AvatarFeed, decode


def picture(width: int, height: int, name: str = "PNG") -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#3366CC"))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, name)
    return bytes(data.data())


@pytest.mark.parametrize(("width", "height"), [(600, 400), (400, 600), (20, 20), (1, 900)])
def test_pictures_become_small_squares(qtbot: Any, width: int, height: int) -> None:
    image = decode(picture(width, height))
    assert image is not None and image.width() == image.height() <= SIDE


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM" * 40])
def test_what_is_no_picture_is_left_out(qtbot: Any, data: bytes) -> None:
    assert decode(data) is None


def test_other_formats_and_enormous_ones_are_left_out(qtbot: Any) -> None:
    assert decode(picture(20, 20, "BMP")) is None
    assert decode(picture(9_000, 1)) is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.binary(min_size=1, max_size=20))
def test_damaged_pictures_never_raise(position: int, noise: bytes) -> None:
    whole = picture(30, 30)
    decode(whole[:position] + noise + whole[position + len(noise) :])


def test_each_picture_is_asked_for_once_and_shown(qtbot: Any) -> None:
    controller = FakeController(meeting(3))
    controller.faces = {"p0000001": picture(40, 40)}
    shown: list[str] = []
    feed = AvatarFeed(controller, SyncTasks(), lambda who, image: shown.append(who))
    feed.set_state(controller.state(CALL))
    assert shown == []
    for person in ("p0000001", "p0000002"):
        controller.change_participant(person, avatar_url="https://meet.example.org/a.png")
    for _ in range(3):
        feed.set_state(controller.state(CALL))
    assert shown == ["p0000001"]
    controller.change_participant("p0000001", avatar_url="https://meet.example.org/b.png")
    feed.set_state(controller.state(CALL))
    assert shown == ["p0000001", "p0000001"]
    feed.set_state(meeting(1))
    assert feed._urls == {}
