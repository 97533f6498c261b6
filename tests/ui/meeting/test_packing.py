"""Gallery packing: properties that hold for every number of people and every window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.meeting.packing import (
    ASPECT,
    LETTERBOX_LIMIT,
    MIN_TILE_WIDTH,
    MOST_TILES,
    Box,
    contain,
    cover,
    letterbox,
    pack,
    page_capacity,
    tile_size,
)

counts = st.integers(1, MOST_TILES)
widths = st.integers(300, 4000)
heights = st.integers(200, 2400)
GAP = 8


def overlap(first: Box, second: Box) -> bool:
    return first.x < second.right and second.x < first.right and first.y < second.bottom and second.y < first.bottom


@given(counts, widths, heights)
def test_tiles_are_equal_inside_apart_and_hardly_letterboxed(count: int, width: int, height: int) -> None:
    boxes = pack(count, width, height, GAP)
    assert len(boxes) == count
    assert len({(box.width, box.height) for box in boxes}) == 1
    assert letterbox(boxes[0].width, boxes[0].height) <= LETTERBOX_LIMIT + 0.03  # a pixel of rounding on tiny tiles
    if boxes[0].width > 150:
        assert letterbox(boxes[0].width, boxes[0].height) <= LETTERBOX_LIMIT + 0.011
    for index, box in enumerate(boxes):
        assert box.x >= 0 and box.y >= 0 and box.right <= width and box.bottom <= height
        for other in boxes[index + 1 :]:
            assert not overlap(box, other)
            same_row = box.y == other.y
            assert not same_row or abs(other.x - box.x) >= box.width + GAP


@given(counts, widths, heights)
def test_no_other_grid_shows_pictures_larger(count: int, width: int, height: int) -> None:
    _, wide, tall = tile_size(count, width, height, GAP)
    shown = min(wide, tall * ASPECT)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        cell_wide = (width - GAP * (columns - 1)) / columns
        cell_tall = (height - GAP * (rows - 1)) / rows
        assert min(cell_wide, cell_tall * ASPECT) <= shown + 2.5


@given(st.integers(1, 300), widths, heights)
def test_a_page_keeps_tiles_wide_enough(count: int, width: int, height: int) -> None:
    fit = page_capacity(count, width, height, GAP)
    assert 1 <= fit <= min(count, MOST_TILES)
    if fit > 1:
        assert tile_size(fit, width, height, GAP)[1] >= MIN_TILE_WIDTH
    if fit < min(count, MOST_TILES):
        assert tile_size(fit + 1, width, height, GAP)[1] < MIN_TILE_WIDTH


@given(st.integers(-5, 60), st.integers(-10, 30), st.integers(-10, 30))
def test_tiny_areas_never_raise(count: int, width: int, height: int) -> None:
    for box in pack(count, width, height, GAP):
        assert box.width > 0 and box.height > 0


def test_full_hd_fits_forty_nine() -> None:
    assert page_capacity(49, 1904, 948, GAP) == 49
    assert page_capacity(50, 1904, 948, GAP) == 49


@given(st.integers(1, 4000), st.integers(1, 4000), st.floats(1, 4000), st.floats(1, 4000))
def test_contain_and_cover_keep_the_shape(pw: int, ph: int, width: float, height: float) -> None:
    x, y, wide, tall = contain(pw, ph, width, height)
    assert x >= -1e-6 and y >= -1e-6 and x + wide <= width + 1e-6 and y + tall <= height + 1e-6
    assert abs(wide * ph - tall * pw) <= 1e-6 * pw * ph * 4000
    x, y, wide, tall = cover(pw, ph, width, height)
    assert x >= -1e-6 and y >= -1e-6 and x + wide <= pw + 1e-6 and y + tall <= ph + 1e-6
    assert abs(wide * height - tall * width) <= 1e-6 * (1 + width * height) * max(pw, ph)
