"""A stamp in the picture that machines can read: who drew it, which frame it is, and when.

Specification (so that any program, for instance a page with a canvas, can draw and read the same stamp)
---------------------------------------------------------------------------------------------------------
The stamp is a grid of 32 columns x 3 rows of grey blocks along the bottom edge, over the full width. For a picture of
W x H pixels, block (column c, row r) covers x from floor(c*W/32) to floor((c+1)*W/32) and y from H - 3*B + r*B to
H - 3*B + (r+1)*B with B = floor(H/18). Being a fraction of the picture, it survives scaling as long as the whole
picture is scaled.

The 96 bits run row by row, left to right, most significant bit first:

====  ======================================================================
bits  meaning
====  ======================================================================
8     0xA7, marks a stamp
16    source id (:func:`source_id` of a name, or any number)
24    frame number, modulo 2^24
32    milliseconds since the epoch when the picture was drawn, modulo 2^32
16    CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) of the 10 bytes before
====  ======================================================================

A 1 is luma 208 (canvas: ``rgb(224,224,224)``), a 0 is luma 44 (canvas: ``rgb(32,32,32)``), chroma is neutral. A reader
takes the mean luma of the middle half of each block and compares it with the mean of the darkest and the brightest
block; a stamp counts only when the mark and the checksum are right.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS = 32
ROWS = 3
_BLOCK_HEIGHT_DIVISOR = 18
_MARK = 0xA7
_LUMA_ONE = 208
_LUMA_ZERO = 44
_LEAST_CONTRAST = 24
"""Luma between the darkest and the brightest block below which there is no stamp."""
_TIME_MODULUS = 1 << 32

Bytes2D = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stamp:
    source: int
    number: int
    time_ms: int
    """Milliseconds since the epoch modulo 2^32."""

    def age_ms(self, now_ms: float) -> float:
        """How long ago it was drawn, given the present time in milliseconds since the epoch."""
        age = (now_ms - self.time_ms) % _TIME_MODULUS
        return age - _TIME_MODULUS if age > _TIME_MODULUS / 2 else age


def source_id(name: str) -> int:
    """A 16-bit id of a source name."""
    return binascii.crc_hqx(name.encode("utf-8"), 0xFFFF)


def _bits(source: int, number: int, time_ms: float) -> Bytes2D:
    body = bytes((_MARK,)) + (source & 0xFFFF).to_bytes(2, "big") + (number & 0xFFFFFF).to_bytes(3, "big")
    body += (int(time_ms) % _TIME_MODULUS).to_bytes(4, "big")
    body += binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
    bits: Bytes2D = np.unpackbits(np.frombuffer(body, np.uint8)).reshape(ROWS, COLUMNS)
    return bits


def _columns(width: int) -> NDArray[np.intp]:
    return np.arange(COLUMNS + 1) * width // COLUMNS


def draw(luma: Bytes2D, source: int, number: int, time_ms: float) -> None:
    """Draw a stamp into a luma plane (height x width, writable). Pictures under 64 x 36 are left alone."""
    height, width = luma.shape
    block = height // _BLOCK_HEIGHT_DIVISOR
    if block < 2 or width < COLUMNS * 2:
        return
    values = np.where(_bits(source, number, time_ms) == 1, _LUMA_ONE, _LUMA_ZERO).astype(np.uint8)
    lines = np.repeat(values, np.diff(_columns(width)), axis=1)
    for row in range(ROWS):
        top = height - (ROWS - row) * block
        luma[top : top + block] = lines[row]


def read_luma(luma: Bytes2D) -> Stamp | None:
    """The stamp of a luma plane (height x width), or ``None`` when there is none that can be trusted."""
    height, width = luma.shape
    block = height // _BLOCK_HEIGHT_DIVISOR
    if block < 2 or width < COLUMNS * 2:
        return None
    edges = _columns(width)
    inset = np.maximum(np.diff(edges) // 4, 0)
    left, right = edges[:-1] + inset, np.maximum(edges[1:] - inset, edges[:-1] + inset + 1)
    levels = np.empty((ROWS, COLUMNS))
    for row in range(ROWS):
        top = height - (ROWS - row) * block
        part = luma[top + block // 4 : top + max(block - block // 4, block // 4 + 1)].mean(axis=0)
        sums = np.concatenate(([0.0], np.cumsum(part)))
        levels[row] = (sums[right] - sums[left]) / (right - left)
    low, high = float(levels.min()), float(levels.max())
    if high - low < _LEAST_CONTRAST:
        return None
    data = np.packbits(levels.reshape(-1) > (low + high) / 2).tobytes()
    if data[0] != _MARK or binascii.crc_hqx(data[:10], 0xFFFF) != int.from_bytes(data[10:12], "big"):
        return None
    return Stamp(int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:6], "big"), int.from_bytes(data[6:10], "big"))


def read(frame: Any) -> Stamp | None:
    """The stamp of an ``av.VideoFrame`` (any format; planar YUV is read without conversion)."""
    if not frame.format.name.startswith(("yuv4", "yuvj4", "nv12", "nv21", "gray")) or "p1" in frame.format.name:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8, plane.line_size * frame.height).reshape(frame.height, plane.line_size)
    return read_luma(rows[:, : frame.width])


def read_bgra(data: Any, width: int, height: int, stride: int) -> Stamp | None:
    """The stamp of a BGRA picture (see :class:`app.media.api.Picture`)."""
    rows = np.frombuffer(data, np.uint8, stride * height).reshape(height, stride)
    green: Bytes2D = rows[:, 1 : width * 4 : 4]
    return read_luma(green)
