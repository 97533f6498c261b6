"""Where tiles go in a gallery: pure arithmetic in device-independent pixels."""

from __future__ import annotations

from dataclasses import dataclass

ASPECT = 16 / 9
LETTERBOX_LIMIT = 0.12
"""A 16:9 picture fitted into a tile leaves at most this share of it empty."""
MOST_TILES = 49
MIN_TILE_WIDTH = 160
"""Narrower tiles show no face; the gallery turns pages instead."""

_WIDEST = ASPECT / (1 - LETTERBOX_LIMIT)
_NARROWEST = ASPECT * (1 - LETTERBOX_LIMIT)


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


def _tile(columns: int, rows: int, width: int, height: int, gap: int) -> tuple[int, int]:
    """Largest tile of an acceptable shape in a grid of *columns* x *rows*; (0, 0) when there is no room."""
    wide = (width - gap * (columns - 1)) / columns
    tall = (height - gap * (rows - 1)) / rows
    if wide < 1 or tall < 1:
        return 0, 0
    wide = min(wide, tall * _WIDEST)
    tall = min(tall, wide / _NARROWEST)
    whole = int(wide), int(tall)
    # Cutting off fractions may leave the shape's bounds on tiny areas.
    if whole[1] and whole[0] / whole[1] > _WIDEST:
        whole = int(whole[1] * _WIDEST), whole[1]
    if whole[1] and whole[0] / whole[1] < _NARROWEST:
        whole = whole[0], int(whole[0] / _NARROWEST)
    return whole


def letterbox(width: int, height: int) -> float:
    """Share of a *width* x *height* tile that a whole 16:9 picture in it leaves empty, 0..1."""
    if not width or not height:
        return 0.0
    shape = width / height
    return 1 - (ASPECT / shape if shape > ASPECT else shape / ASPECT)


def tile_size(count: int, width: int, height: int, gap: int) -> tuple[int, int, int]:
    """``(columns, tile width, tile height)`` of the grid that shows *count* 16:9 pictures largest."""
    best = (1, 0, 0)
    best_shown = -1.0
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        if (rows - 1) * columns >= count:
            continue
        wide, tall = _tile(columns, rows, width, height, gap)
        shown = min(wide, tall * ASPECT)
        # Of two grids that show pictures alike, the one that covers more of the area.
        if (shown, wide * tall) > (best_shown, best[1] * best[2]):
            best, best_shown = (columns, wide, tall), shown
    return best


def pack(count: int, width: int, height: int, gap: int) -> tuple[Box, ...]:
    """Boxes of *count* equal tiles in an area of *width* x *height*, row by row, centred, *gap* px apart.

    An incomplete last row is centred as well. Empty when nothing fits.
    """
    if count < 1:
        return ()
    columns, wide, tall = tile_size(count, width, height, gap)
    if not wide or not tall:
        return ()
    rows = -(-count // columns)
    top = (height - rows * tall - (rows - 1) * gap) // 2
    boxes = []
    for index in range(count):
        row, column = divmod(index, columns)
        in_row = min(columns, count - row * columns)
        left = (width - in_row * wide - (in_row - 1) * gap) // 2
        boxes.append(Box(left + column * (wide + gap), top + row * (tall + gap), wide, tall))
    return tuple(boxes)


def page_capacity(count: int, width: int, height: int, gap: int) -> int:
    """How many of *count* tiles one page takes: 1..49, as many as stay wide enough to see a face."""
    for fit in range(min(count, MOST_TILES), 1, -1):
        if tile_size(fit, width, height, gap)[1] >= MIN_TILE_WIDTH:
            return fit
    return 1


def contain(picture_width: int, picture_height: int, width: float, height: float) -> tuple[float, float, float, float]:
    """``(x, y, width, height)`` of the whole picture centred in an area."""
    if picture_width <= 0 or picture_height <= 0:
        return 0.0, 0.0, width, height
    scale = min(width / picture_width, height / picture_height)
    wide, tall = picture_width * scale, picture_height * scale
    return (width - wide) / 2, (height - tall) / 2, wide, tall


def cover(picture_width: int, picture_height: int, width: float, height: float) -> tuple[float, float, float, float]:
    """``(x, y, width, height)`` of the part of the picture that fills an area without distortion."""
    if picture_width <= 0 or picture_height <= 0 or width <= 0 or height <= 0:
        return 0.0, 0.0, float(picture_width), float(picture_height)
    scale = max(width / picture_width, height / picture_height)
    wide, tall = width / scale, height / scale
    return (picture_width - wide) / 2, (picture_height - tall) / 2, wide, tall
