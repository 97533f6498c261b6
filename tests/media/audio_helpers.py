"""A simulated network for one audio stream and measurements of what comes out of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.media.jitter import JitterBuffer
from app.media.opus import make_encoder

RATE = 48_000
Samples = NDArray[np.int16]


def tone(hz: float, seconds: float, level: float = 0.3) -> Samples:
    times = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hz * times) * level * 32767).astype(np.int16)


def speech(seconds: float, level: float = 0.25) -> Samples:
    """A voice-like sound: gliding harmonics under moving formants, in syllables."""
    times = np.arange(int(seconds * RATE)) / RATE
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * times) + 10 * np.sin(2 * np.pi * 3.1 * times)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    first = 550 + 200 * np.sin(2 * np.pi * 1.3 * times)
    second = 1500 + 400 * np.sin(2 * np.pi * 0.9 * times)
    sound = np.zeros_like(times)
    for harmonic in range(1, 25):
        hz = harmonic * pitch
        gain = np.exp(-(((hz - first) / 150) ** 2)) + 0.5 * np.exp(-(((hz - second) / 250) ** 2)) + 0.02
        sound += gain * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * times) * 2 + 0.9, 0.02, 1)
    noise = np.random.default_rng(1).normal(0, 0.01, len(times))
    sound = sound * syllables + noise
    return (sound / np.max(np.abs(sound)) * level * 32767).astype(np.int16)


def encode(samples: Samples, *, loss: float = 0.1, bitrate: int = 32_000) -> list[bytes]:
    encoder = make_encoder(bitrate)
    encoder.set_loss(loss)
    return [encoder.encode(samples[at : at + 960]) for at in range(0, len(samples) - 959, 960)]


@dataclass(frozen=True)
class Arrival:
    at_ms: float
    sequence: int
    timestamp: int
    payload: bytes


def arrivals(
    payloads: Iterable[bytes],
    delay: Callable[[int], float | None] = lambda index: 0.0,
    *,
    sequence: int = 65_500,
    timestamp: int = 0xFFFF_0000,
    start_ms: float = 1_000.0,
) -> list[Arrival]:
    """When each 20 ms packet arrives; *delay* gives ms, or ``None`` for a lost packet. Numbers wrap early."""
    result = []
    for index, payload in enumerate(payloads):
        late = delay(index)
        if late is not None:
            result.append(
                Arrival(
                    start_ms + index * 20 + late,
                    (sequence + index) & 0xFFFF,
                    (timestamp + index * 960) & 0xFFFFFFFF,
                    payload,
                )
            )
    return sorted(result, key=lambda arrival: arrival.at_ms)


@dataclass
class Run:
    """Output from the first arrival on, silence where the buffer had nothing, and the delay at each block."""

    sound: Samples
    delays_ms: list[float]
    first_ms: float


def run(buffer: JitterBuffer, packets: list[Arrival], until_ms: float, offset_ms: float = 3.0, burst: int = 1) -> Run:
    first = packets[0].at_ms
    clock = first + offset_ms
    queue = list(packets)
    blocks: list[Samples] = []
    delays: list[float] = []
    tick = 0
    while clock < until_ms:
        now = clock if burst == 1 else clock - (tick % burst) * 10.0
        while queue and queue[0].at_ms <= now:
            packet = queue.pop(0)
            buffer.insert(packet.sequence, packet.timestamp, packet.payload, packet.at_ms)
        block = buffer.pull(now)
        blocks.append(np.zeros(480, np.int16) if block is None else block)
        delays.append(buffer.stats().buffer_ms)
        clock += 10.0
        tick += 1
    return Run(np.concatenate(blocks), delays, first)


def frequency(samples: Samples) -> float:
    """Strongest frequency, interpolated between the bins of an FFT."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    peak = int(np.argmax(spectrum[1:-1])) + 1
    left, middle, right = np.log(spectrum[peak - 1 : peak + 2] + 1e-9)
    return float((peak + 0.5 * (left - right) / (left - 2 * middle + right)) * RATE / len(samples))


def longest_gap_ms(samples: Samples, level: float = 600.0) -> float:
    """Longest stretch whose 2.5 ms RMS stays under *level*."""
    rms = np.sqrt(np.mean(np.square(samples[: len(samples) // 120 * 120].astype(np.float64)).reshape(-1, 120), axis=1))
    longest = current = 0
    for quiet in rms < level:
        current = current + 1 if quiet else 0
        longest = max(longest, current)
    return longest * 2.5


def roughness(samples: Samples, hz: float) -> float:
    """Energy outside a band of 60 Hz around *hz*, as a fraction of all: clicks and breaks raise it."""
    spectrum = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))
    bins = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(1 - spectrum[np.abs(bins - hz) < 60].sum() / spectrum.sum())


def seeded(seed: int = 1) -> random.Random:
    return random.Random(seed)
