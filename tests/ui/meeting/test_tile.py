"""Tiles: pictures from slots, placeholders, freezes, marks, zoom; and the painter underneath."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.media.api import Picture
from tests.ui.fakes import LOCAL, FakeSlot, face, meeting
from tests.ui.meeting.conftest import ShowMeeting
from ui.meeting.arrange import TileKey
from ui.meeting.tile import Tile
from ui.meeting.tile_model import TileModel, describe, tile_model
from ui.meeting.zoom import MOST, Zoom
from ui.render import Feed, FrameClock, ImagePainter
from ui.theme import DARK, Duration, colour, theme

KEY = TileKey("p0000001")
MODEL = TileModel(KEY, "Amélie Laurent", source="p0000001-v0")


def plain_image(value: str, width: int = 320, height: int = 180) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(value))
    return image


def make(qtbot: QtBot, slot: FakeSlot | None, model: TileModel = MODEL) -> Tile:
    tile = Tile(model, FrameClock(), lambda _model: slot)
    qtbot.addWidget(tile)
    tile.resize(320, 180)
    tile.show()
    tile.set_model(model)
    return tile


def centre(tile: Tile) -> QColor:
    return tile.grab().toImage().pixelColor(160, 60)


def test_initials_until_the_first_picture_then_the_newest(qtbot: QtBot) -> None:
    slot = FakeSlot(None)
    tile = make(qtbot, slot)
    assert not tile.has_picture
    assert tile.grab().toImage().pixelColor(4, 90) != QColor(Qt.GlobalColor.black)
    slot.push(plain_image("#FF0000"))
    slot.push(plain_image("#00FF00"))
    qtbot.waitUntil(lambda: tile.has_picture, timeout=2000)
    assert centre(tile) == QColor("#00FF00")


def test_pictures_from_another_thread_are_coalesced(qtbot: QtBot) -> None:
    slot = FakeSlot(plain_image("#112233"))
    tile = make(qtbot, slot)
    taken: list[int] = []
    slot_take = slot.take

    def take() -> Picture | None:
        taken.append(slot.sequence)
        return slot_take()

    slot.take = take  # type: ignore[method-assign]
    worker = threading.Thread(target=lambda: [slot.push() for _ in range(500)])
    worker.start()
    worker.join()
    qtbot.waitUntil(lambda: bool(taken) and taken[-1] == 500, timeout=2000)
    assert len(taken) < 50
    assert tile.receiving


def test_clock_rests_when_nothing_moves(qtbot: QtBot) -> None:
    clock = FrameClock()
    seen: list[Picture] = []
    feed = Feed(clock, seen.append)
    slot = FakeSlot(plain_image("#112233"))
    feed.attach(slot)
    assert len(seen) == 1 and not clock.running
    slot.push()
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=2000)
    qtbot.waitUntil(lambda: not clock.running, timeout=5000)
    slot.push()
    qtbot.waitUntil(lambda: len(seen) == 3, timeout=2000)


def test_clock_takes_the_first_picture_at_once_and_paces_the_rest(qtbot: QtBot) -> None:
    clock = FrameClock()
    seen: list[float] = []
    feed = Feed(clock, lambda _picture: seen.append(time.monotonic() * 1000))
    slot = FakeSlot(plain_image("#112233"))
    feed.attach(slot)
    slot.push()
    # No timer between the picture and its tile, only the way from the worker's thread to the window's.
    QApplication.sendPostedEvents(clock)
    assert len(seen) == 2 and not clock.running
    for _ in range(3):
        slot.push()
    QApplication.sendPostedEvents(clock)
    qtbot.waitUntil(lambda: len(seen) == 3, timeout=2000)
    assert seen[2] - seen[1] >= Duration.FRAME - 2
    assert not clock.running


def test_hidden_tiles_take_no_pictures_and_old_slots_are_left(qtbot: QtBot) -> None:
    first, second = FakeSlot(plain_image("#112233")), FakeSlot(plain_image("#445566"))
    current = [first]
    tile = Tile(MODEL, FrameClock(), lambda _model: current[0])
    qtbot.addWidget(tile)
    tile.resize(320, 180)
    assert first.listeners == []
    tile.show()
    assert len(first.listeners) == 1
    current[0] = second
    tile.set_model(replace(MODEL, speaking=True))
    assert first.listeners == [] and len(second.listeners) == 1
    tile.hide()
    assert second.listeners == []


def test_tiles_say_how_large_they_are(qtbot: QtBot) -> None:
    slot = FakeSlot(plain_image("#112233"))
    tile = make(qtbot, slot)
    ratio = tile.devicePixelRatioF()
    assert slot.wanted == (round(320 * ratio), round(180 * ratio))
    tile.resize(640, 360)
    assert slot.wanted == (round(640 * ratio), round(360 * ratio))


def test_a_lost_slot_keeps_the_last_picture_dimmed(qtbot: QtBot) -> None:
    slot: list[FakeSlot | None] = [FakeSlot(plain_image("#C8C8C8"))]
    tile = Tile(MODEL, FrameClock(), lambda _model: slot[0])
    qtbot.addWidget(tile)
    tile.resize(320, 180)
    tile.show()
    slot[0] = None
    tile.set_model(replace(MODEL, lost=True))
    assert tile.has_picture
    assert 90 <= centre(tile).red() <= 110


def test_camera_off_shows_initials_again(qtbot: QtBot) -> None:
    slot = FakeSlot(plain_image("#00FF00"))
    tile = make(qtbot, slot)
    assert tile.has_picture
    tile.set_model(replace(MODEL, source=None))
    assert not tile.has_picture and slot.listeners == []
    tile.set_model(replace(MODEL, paused=True))
    assert not tile.has_picture


def test_own_picture_is_mirrored(qtbot: QtBot) -> None:
    image = plain_image("#000000")
    painter = QPainter(image)
    painter.fillRect(0, 0, 160, 180, QColor("#FFFFFF"))
    painter.end()
    tile = make(qtbot, FakeSlot(image), replace(MODEL, mirrored=True))
    shot = tile.grab().toImage()
    assert shot.pixelColor(60, 60).red() < 50 and shot.pixelColor(260, 60).red() > 200


def test_corners_are_round_and_the_ring_shows_who_speaks(qtbot: QtBot) -> None:
    theme().set_reduced_motion(True)
    tile = make(qtbot, FakeSlot(plain_image("#FFFFFF")))
    shot = tile.grab().toImage()
    assert shot.pixelColor(0, 0) == colour(DARK.stage)
    assert shot.pixelColor(160, 0) == QColor("#FFFFFF")
    tile.set_model(replace(MODEL, speaking=True))
    assert tile.grab().toImage().pixelColor(160, 0) == colour(DARK.accent)
    theme().set_reduced_motion(False)
    tile.set_model(replace(MODEL, speaking=False))
    assert tile._motion.duration() == Duration.RING


def test_menu_button_comes_with_pointer_and_focus(qtbot: QtBot) -> None:
    tile = make(qtbot, FakeSlot(plain_image("#FFFFFF")))
    assert not tile.menu_button.isVisible()
    QTest.mouseMove(tile, QPoint(50, 50))
    tile.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert tile.menu_button.isVisible()
    with qtbot.waitSignal(tile.menuRequested, timeout=1000):
        QTest.keyClick(tile, Qt.Key.Key_Menu)
    with qtbot.waitSignal(tile.menuRequested, timeout=1000):
        tile.menu_button.click()


def test_marks_are_also_words() -> None:
    state = meeting(4, muted=[1], hands=[3, 1], poor={1: 20}, speaker=1, without_video=[1])
    words = describe(tile_model(state, KEY, pinned=True))
    for part in ("Amélie Laurent", "microphone off", "camera off", "speaking", "hand raised, number 2",
                 "poor connection", "pinned"):  # fmt: skip
        assert part in words
    assert tile_model(state, TileKey(LOCAL)).title == "Robin Meyer (you)"
    unnamed = {key: replace(one, name="") for key, one in state.participants.items()}
    unnamed_state = replace(state, participants=unnamed)
    assert tile_model(unnamed_state, TileKey(LOCAL)).title == "You"
    assert tile_model(unnamed_state, KEY).title == "Guest"
    assert tile_model(state, TileKey("nobody")).name == "Guest"


@pytest.mark.parametrize("quality", [None, 100, 70])
def test_good_connections_have_no_bars(quality: int | None) -> None:
    state = meeting(2)
    person = replace(state.participants["p0000001"], quality=quality)
    changed = replace(state, participants={**state.participants, "p0000001": person})
    assert tile_model(changed, KEY).bars is None


def test_every_mark_can_be_painted(qtbot: QtBot) -> None:
    model = replace(MODEL, microphone_muted=True, hand=12, bars=1, lost=True, notice=True, pinned=True, speaking=True)
    for size in ((320, 180), (60, 34), (1, 1), (1200, 700)):
        tile = make(qtbot, FakeSlot(face(1)), model)
        tile.resize(*size)
        assert not tile.grab().isNull()


# ---------------------------------------------------------------- screens


def test_zoom_of_a_shared_screen(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show(meeting(3, share=1))
    stage = shown.view.stage
    tile = stage.tile(TileKey("p0000001", True))
    assert tile is not None and tile.zoom.fits and stage.screen_bar.isVisible()
    assert stage.screen_bar.text == "Fit"
    at = QPointF(tile.rect().center())
    wheel = QWheelEvent(
        at, tile.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(tile, wheel)
    assert not tile.zoom.fits
    stage.screen_bar.toggle_fit()
    assert tile.zoom.fits
    stage.screen_bar.toggle_fit()
    assert tile.zoom_percent() == 100 and stage.screen_bar.text == "100 %"
    before = tile.zoom
    QTest.mousePress(tile, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    QTest.mouseMove(tile, QPoint(250, 260))
    QTest.mouseRelease(tile, Qt.MouseButton.LeftButton, pos=QPoint(250, 260))
    assert tile.zoom.cx > before.cx and tile.zoom.cy > before.cy


def test_a_screen_is_shown_whole(show: ShowMeeting) -> None:
    shown = show(meeting(3, share=1))
    tile = shown.view.stage.tile(TileKey("p0000001", True))
    assert tile is not None
    shot = tile.grab().toImage()
    ratio = shot.width() / tile.width()
    x, y, wide, tall = Zoom().rect((1920, 1080), (float(tile.width()), float(tile.height())))
    blue = QColor("#1F3A68")
    for px in (x + 3, x + wide - 4):
        assert shot.pixelColor(round(px * ratio), round((y + 4) * ratio)) == blue
    assert y >= 0 and y + tall <= tile.height() + 1


sizes = st.tuples(st.integers(1, 4000), st.integers(1, 4000))
areas = st.tuples(st.floats(50, 4000), st.floats(50, 4000))


@given(sizes, areas, st.lists(st.tuples(st.floats(0.2, 5), st.floats(0, 1), st.floats(0, 1)), max_size=8))
def test_zoom_never_shows_beyond_the_edges(
    picture: tuple[int, int], area: tuple[float, float], steps: list[tuple[float, float, float]]
) -> None:
    zoom = Zoom()
    for factor, px, py in steps:
        zoom = zoom.zoomed(factor, picture, area, (px * area[0], py * area[1]))
        zoom = zoom.moved((px - 0.5) * 500, (py - 0.5) * 500, picture, area)
        x, y, wide, tall = zoom.rect(picture, area)
        assert zoom.factor(picture, area) <= max(MOST, Zoom().factor(picture, area)) + 1e-9
        for start, length, room in ((x, wide, area[0]), (y, tall, area[1])):
            if length <= room:
                assert abs(start - (room - length) / 2) < 1e-6
            else:
                assert start <= 1e-6 and start + length >= room - 1e-6


def test_zoom_keeps_the_point_under_the_pointer() -> None:
    picture, area, at = (1920, 1080), (960.0, 540.0), (300.0, 200.0)
    zoom = Zoom().zoomed(3, picture, area, at)
    x, y, wide, tall = zoom.rect(picture, area)
    assert ((at[0] - x) / wide, (at[1] - y) / tall) == pytest.approx((300 / 960, 200 / 540))


# ---------------------------------------------------------------- painter


@pytest.mark.parametrize(
    "picture",
    [
        Picture(0, 0, 0, b"", 0, 0),
        Picture(-4, 4, 16, b"x" * 64, 0, 0),
        Picture(100, 100, 400, b"short", 0, 0),
        Picture(100, 100, 10, b"x" * 40000, 0, 0),
    ],
)
def test_painter_refuses_broken_pictures(picture: Picture) -> None:
    painter = ImagePainter()
    painter.accept(picture)
    assert painter.size is None


def test_painter_reads_bgra_with_stride() -> None:
    width, height, stride = 4, 2, 32
    row = bytes((10, 20, 200, 255)) * width + b"\0" * (stride - width * 4)
    painter = ImagePainter()
    painter.accept(Picture(width, height, stride, row * height, 0, 7))
    assert painter.size == (4, 2) and painter.sequence == 7
    target = plain_image("#000000", 40, 20)
    to = QPainter(target)
    covered = painter.paint(to, QRectF(0, 0, 40, 20), fill=True)
    to.end()
    assert covered == QRectF(0, 0, 40, 20)
    assert target.pixelColor(20, 10) == QColor(200, 20, 10)
