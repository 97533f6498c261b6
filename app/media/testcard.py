"""A moving test picture: colour bars, a clock people can read, a ball that moves, and a stamp machines can read.

The background is drawn once; a frame costs one copy of it and a few small rectangles.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.media import stamp

_BARS = ((180, 128, 128), (168, 44, 136), (145, 147, 44), (134, 63, 52), (63, 193, 204), (51, 109, 212), (28, 212, 120))
"""75 % colour bars, BT.601 limited range (Y, Cb, Cr): white, yellow, cyan, green, magenta, red, blue."""

_GLYPHS = {
    "0": "01110100011000110001100011000101110",
    "1": "00100011000010000100001000010001110",
    "2": "01110100010000100010001000100011111",
    "3": "11110000010000101110000010000111110",
    "4": "00010001100101010010111110001000010",
    "5": "11111100001111000001000011000101110",
    "6": "00110010001000011110100011000101110",
    "7": "11111000010001000100010000100001000",
    "8": "01110100011000101110100011000101110",
    "9": "01110100011000101111000010001001100",
    ":": "00000001000010000000001000010000000",
    ".": "00000000000000000000000000110001100",
    "#": "01010010101111101010111110101001010",
    " ": "0" * 35,
}
"""5 x 7 dots per character, row by row."""

_INK = 235
_PAPER = 16

Plane = NDArray[np.uint8]


class TestCard:
    """Draws frames of one size. Not thread-safe.

    *source* goes into the stamp (see :func:`app.media.stamp.source_id`) and gives each card a hue of its own.
    """

    __test__ = False

    def __init__(self, width: int, height: int, source: int = 0) -> None:
        if width < 16 or height < 16:
            raise ValueError("a test card has at least 16 x 16 pixels")
        self.width, self.height = width & ~1, height & ~1
        self.source = source & 0xFFFF
        self._number = 0
        self._planes = self._background()
        self._scale = max(1, self.height // 90)
        self._glyphs = {
            character: np.kron(
                np.where(np.array(list(dots), np.uint8).reshape(7, 5) == ord("1") - 48, _INK, _PAPER).astype(np.uint8),
                np.ones((self._scale, self._scale), np.uint8),
            )
            for character, dots in _GLYPHS.items()
        }

    def _background(self) -> tuple[Plane, Plane, Plane]:
        shift = self.source % len(_BARS)
        bars = np.array(_BARS[shift:] + _BARS[:shift], np.uint8)
        columns = np.minimum(np.arange(self.width) * len(_BARS) // self.width, len(_BARS) - 1)
        luma = np.tile(bars[columns, 0], (self.height, 1))
        half = columns[::2]
        cb, cr = (np.tile(bars[half, part], (self.height // 2, 1)) for part in (1, 2))
        ramp = np.linspace(16, 235, self.width).astype(np.uint8)
        top = self.height * 9 // 16 & ~1
        luma[top : self.height * 10 // 16] = ramp
        # Neutral colour where the ramp, the clock and the stamp are.
        for plane in (cb, cr):
            plane[top // 2 :] = 128
        luma[self.height * 10 // 16 :] = _PAPER
        return luma, cb, cr

    def draw(self, now_ms: float | None = None) -> Any:
        """The next frame as ``av.VideoFrame`` in ``yuv420p``; *now_ms* is milliseconds since the epoch."""
        import av

        now = time.time() * 1000 if now_ms is None else now_ms
        frame = av.VideoFrame(self.width, self.height, "yuv420p")
        luma = self._copy(frame.planes[0], self._planes[0])
        chroma = [self._copy(frame.planes[index], self._planes[index]) for index in (1, 2)]
        self._draw_ball(luma, chroma, now)
        seconds = int(now // 1000) % 86_400
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{int(now) % 1000:03}"
        self._draw_text(luma, f"{clock} #{self._number % 100_000}", self.height * 10 // 16 + self._scale * 2)
        stamp.draw(luma, self.source, self._number, now)
        self._number += 1
        return frame

    @staticmethod
    def _copy(plane: Any, background: Plane) -> Plane:
        height, width = background.shape
        target = np.frombuffer(plane, np.uint8, plane.line_size * height).reshape(height, plane.line_size)[:, :width]
        target[:] = background
        return target

    def _draw_ball(self, luma: Plane, chroma: list[Plane], now: float) -> None:
        size = self.height // 6 & ~1
        room_x, room_y = self.width - size, self.height * 9 // 16 - size
        x = int(self._swing(now, 4000) * room_x) & ~1
        y = int(self._swing(now, 2600) * room_y) & ~1
        luma[y : y + size, x : x + size] = 120 + self.source % 100
        chroma[0][y // 2 : (y + size) // 2, x // 2 : (x + size) // 2] = 40 + self.source * 37 % 176
        chroma[1][y // 2 : (y + size) // 2, x // 2 : (x + size) // 2] = 40 + self.source * 91 % 176

    @staticmethod
    def _swing(now: float, period_ms: int) -> float:
        """0 to 1 and back within *period_ms*."""
        part = now % period_ms / period_ms * 2
        return part if part <= 1 else 2 - part

    def _draw_text(self, luma: Plane, text: str, top: int) -> None:
        width, height = 6 * self._scale, 7 * self._scale
        left = 2 * self._scale
        if top + height > self.height * 15 // 18:
            return
        for character in text:
            if left + width > self.width:
                return
            glyph = self._glyphs.get(character, self._glyphs[" "])
            luma[top : top + height, left : left + 5 * self._scale] = glyph
            left += width
