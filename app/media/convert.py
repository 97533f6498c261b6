"""Between what devices want and the engine's 48 kHz mono int16."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
RATE = 48_000

SAMPLE_TYPES: dict[str, tuple[str, float, float]] = {
    "UInt8": ("u1", 256.0, 128.0),
    "Int16": ("<i2", 1.0, 0.0),
    "Int32": ("<i4", 1 / 65536.0, 0.0),
    "Float": ("<f4", 32767.0, 0.0),
}
"""Device sample format: numpy type, factor to int16, and the value of silence."""


class Resampler:
    """Streaming change of rate of mono int16 (FFmpeg's swresample); nothing is done when the rates are equal."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._resampler: Any = None
        if source_rate != target_rate:
            import av

            self._av = av
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=target_rate)

    def push(self, samples: Samples) -> Samples:
        """All output that is ready."""
        if self._resampler is None or not len(samples):
            return samples
        frame = self._av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = self._source_rate
        parts = [np.frombuffer(out.planes[0], np.int16, out.samples) for out in self._resampler.resample(frame)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


class FromDevice:
    """Interleaved bytes of a device to 48 kHz mono, cut into blocks."""

    def __init__(self, rate: int, channels: int, sample_type: str, block: int) -> None:
        self._type, self._factor, self._zero = SAMPLE_TYPES[sample_type]
        self._channels = max(1, channels)
        self._frame_bytes = np.dtype(self._type).itemsize * self._channels
        self._resampler = Resampler(rate, RATE)
        self._block = block
        self._bytes = b""
        self._samples: Samples = np.zeros(0, np.int16)

    @property
    def pending(self) -> int:
        """Samples that wait for a block to be full."""
        return len(self._samples)

    def push(self, data: bytes) -> list[Samples]:
        """Blocks that are complete now."""
        data = self._bytes + data
        whole = len(data) - len(data) % self._frame_bytes
        self._bytes = data[whole:]
        values = np.frombuffer(data[:whole], self._type)
        if self._type == "<i2" and self._channels == 1:
            mono = values
        else:
            frames = (values.astype(np.float32) - self._zero) * self._factor
            mixed = frames.reshape(-1, self._channels).mean(axis=1)
            mono = np.clip(mixed, -32768, 32767).astype(np.int16)
        self._samples = np.concatenate((self._samples, self._resampler.push(mono)))
        blocks = [
            self._samples[at : at + self._block] for at in range(0, len(self._samples) - self._block + 1, self._block)
        ]
        self._samples = self._samples[len(blocks) * self._block :]
        return blocks


class ToDevice:
    """48 kHz mono to interleaved bytes of a device."""

    def __init__(self, rate: int, channels: int, sample_type: str) -> None:
        self._type, self._factor, self._zero = SAMPLE_TYPES[sample_type]
        self._channels = max(1, channels)
        self._resampler = Resampler(RATE, rate)

    def push(self, samples: Samples) -> bytes:
        mono = self._resampler.push(samples)
        if self._type == "<i2":
            values = mono
        else:
            values = (mono.astype(np.float64) / self._factor + self._zero).astype(self._type)
        return np.repeat(values, self._channels).tobytes() if self._channels > 1 else values.tobytes()
