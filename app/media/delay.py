"""How much delay a jitter buffer needs, from the arrival times of packets (sans-IO).

The relative delay of a packet is how much later it came than the fastest packet of the last seconds; the target is a
high quantile of its distribution, which forgets slowly. So the target rises within a few late packets and falls over
several seconds, and clock drift between the two machines moves the reference with it.
"""

from __future__ import annotations

from collections import deque

import numpy as np

WINDOW_MS = 2_000.0
"""The fastest packet is looked for in this much time: long enough for bursts, short enough to follow clock drift."""
BIN_MS = 5.0
BINS = 120
QUANTILE = 0.97
"""Three late packets in a hundred are left to concealment; waiting for them would cost more than it gives."""
FORGET = 0.99
"""Per packet: a past jitter weighs less than 3 % after 350 packets, seven seconds of 20 ms packets."""
MARGIN_MS = 10.0
"""One playout block."""
INITIAL_MS, INITIAL_PACKETS = 40.0, 25
"""Until half a second of arrivals is known."""
MAX_TARGET_MS = 500.0
STALL_WEIGHT = 4.0
"""A stall shows as one late packet and a burst behind it: one event, weighed like so many packets, so that a stall that
repeats keeps the target up and a single one lets it fall within a second."""


class DelayEstimator:
    """Feed :meth:`update` with every packet; read :attr:`target_ms` and :attr:`base_ms`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._window: deque[tuple[float, float]] = deque()
        self._weights = np.zeros(BINS)
        self._count = 0
        self._last_arrival_ms = 0.0
        self._last_delay = 0.0
        self._packet_ms = 20.0
        self._quantile_ms = 0.0

    @property
    def known(self) -> bool:
        return bool(self._window)

    @property
    def base_ms(self) -> float:
        """Arrival time minus media time of the fastest recent packet."""
        return self._window[0][1]

    @property
    def target_ms(self) -> float:
        """Playout delay to aim at, over the fastest packet.

        Never below one packet and a margin, so that the packet after a lost one is there when its copy is needed.
        """
        floor = self._packet_ms + MARGIN_MS
        if self._count < INITIAL_PACKETS:
            floor = max(floor, INITIAL_MS)
        return min(MAX_TARGET_MS, max(floor, self._quantile_ms + MARGIN_MS))

    def update(self, arrived_ms: float, media_ms: float, packet_ms: float) -> None:
        """One packet: local arrival time, media time (both ms, each with its own zero) and how long it plays."""
        delay = arrived_ms - media_ms
        while self._window and self._window[-1][1] >= delay:
            self._window.pop()
        self._window.append((arrived_ms, delay))
        while len(self._window) > 1 and arrived_ms - self._window[0][0] > WINDOW_MS:
            self._window.popleft()
        self._packet_ms = packet_ms
        relative = delay - self.base_ms
        elapsed, self._last_arrival_ms = arrived_ms - self._last_arrival_ms, arrived_ms
        in_burst = self._count > 0 and elapsed < packet_ms / 4 and delay < self._last_delay
        self._last_delay = delay
        if not in_burst:
            events = min(STALL_WEIGHT, max(1.0, elapsed / packet_ms)) if 0 < relative < MAX_TARGET_MS else 1.0
            self._learn(relative, events)

    def _learn(self, relative: float, events: float) -> None:
        keep = min(FORGET, 1.0 - 1.0 / (self._count + 1)) ** events
        self._weights *= keep
        self._weights[min(BINS - 1, int(relative / BIN_MS))] += 1.0 - keep
        self._count += 1
        position = int(np.searchsorted(np.cumsum(self._weights), QUANTILE))
        self._quantile_ms = (position + 1) * BIN_MS if position else 0.0
