"""G.711 (PCMU, PCMA; RFC 3551 4.5.14) to and from 48 kHz, with concealment by repetition.

Plain tables and one low-pass filter: the codec is a lookup, so no library is asked for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.media.conceal import Repeater
from app.media.jitter import DecodeError

Samples = NDArray[np.int16]
FACTOR = 6
"""48 kHz over 8 kHz."""
MAX_BYTES = 960
"""120 ms."""
TAPS_PER_PHASE = 16


@lru_cache(maxsize=1)
def _low_pass() -> NDArray[np.float32]:
    """Windowed sinc with its edge at 3.7 kHz of 48 kHz, unity gain."""
    count = FACTOR * TAPS_PER_PHASE + 1
    positions = np.arange(count) - count // 2
    taps = np.sinc(positions * 2 * 3700 / 48000) * np.blackman(count)
    result: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return result


@lru_cache(maxsize=2)
def decoding_table(law: str) -> Samples:
    """256 linear values of ``PCMU`` or ``PCMA`` (ITU-T G.711)."""
    codes = np.arange(256)
    if law == "PCMU":
        inverted = ~codes & 0xFF
        magnitude = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
        values = np.where(inverted & 0x80, -magnitude, magnitude)
    else:
        toggled = codes ^ 0x55
        segment, mantissa = (toggled & 0x70) >> 4, (toggled & 0x0F) << 4
        magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
        values = np.where(toggled & 0x80, magnitude, -magnitude)
    return values.astype(np.int16)


@lru_cache(maxsize=2)
def encoding_table(law: str) -> NDArray[np.uint8]:
    """65536 codes, indexed by the sample as an unsigned 16-bit number: the nearest value of the decoding table."""
    values = decoding_table(law).astype(np.int32)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    samples = np.arange(-32768, 32768)
    right = np.clip(np.searchsorted(ordered, samples), 1, 255)
    nearer_left = samples - ordered[right - 1] <= ordered[right] - samples
    codes = order[np.where(nearer_left, right - 1, right)].astype(np.uint8)
    return np.roll(codes, 32768)


class G711Decoder:
    """Implements :class:`app.media.jitter.AudioDecoder`."""

    def __init__(self, law: str) -> None:
        self._table = decoding_table(law)
        self._repeater = Repeater(48_000)
        self._tail = np.zeros(TAPS_PER_PHASE, np.float32)

    def duration(self, payload: bytes) -> int:
        return len(payload) * FACTOR if 0 < len(payload) <= MAX_BYTES else 0

    def decode(self, payload: bytes) -> Samples:
        if not self.duration(payload):
            raise DecodeError("G.711 payload of a wrong length")
        low = np.concatenate((self._tail, self._table[np.frombuffer(payload, np.uint8)].astype(np.float32)))
        self._tail = low[-TAPS_PER_PHASE:]
        spread = np.zeros(len(low) * FACTOR, np.float32)
        spread[::FACTOR] = low * FACTOR
        full = np.convolve(spread, _low_pass(), "valid")[: len(payload) * FACTOR]
        return self._repeater.heard(np.clip(full, -32768, 32767).astype(np.int16))

    def can_recover(self, payload: bytes) -> bool:
        return False

    def recover(self, payload: bytes, samples: int) -> Samples:
        return self.conceal(samples)

    def conceal(self, samples: int) -> Samples:
        return self._repeater.conceal(samples)

    def reset(self) -> None:
        self._repeater.reset()
        self._tail[:] = 0

    def close(self) -> None:
        self.reset()


class G711Encoder:
    """48 kHz int16 mono to G.711."""

    def __init__(self, law: str) -> None:
        self._table = encoding_table(law)
        self._tail = np.zeros(FACTOR * TAPS_PER_PHASE, np.float32)

    def encode(self, samples: Samples) -> bytes:
        full = np.concatenate((self._tail, samples.astype(np.float32)))
        self._tail = full[-FACTOR * TAPS_PER_PHASE :]
        low = np.convolve(full, _low_pass(), "valid")[::FACTOR][: len(samples) // FACTOR]
        rounded = np.clip(np.rint(low), -32768, 32767).astype(np.int16)
        return self._table[rounded.view(np.uint16)].tobytes()

    def set_bitrate(self, bps: int) -> None:
        """Always 64 kbit/s."""

    def set_loss(self, fraction: float) -> None:
        """Has no redundancy."""

    def set_dtx(self, enabled: bool) -> None:
        """Has none."""

    def close(self) -> None:
        """Holds nothing."""
