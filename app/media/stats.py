"""Numbers for the person and for quality reports: counters in, rates over five seconds out. No I/O."""

from __future__ import annotations

from collections import deque

WINDOW_S = 5.0


class Rate:
    """Mean growth per second of a counter over the last :data:`WINDOW_S` seconds; feed it about once a second."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, float]] = deque()

    def update(self, now_s: float, value: float) -> float:
        points = self._points
        if points and value < points[-1][1]:
            # The counter began anew (another receiver for the same name).
            points.clear()
        points.append((now_s, value))
        while len(points) > 2 and now_s - points[0][0] > WINDOW_S:
            points.popleft()
        elapsed = now_s - points[0][0]
        return (value - points[0][1]) / elapsed if elapsed > 0 else 0.0


class Rates:
    """A :class:`Rate` per key; keys that are not asked for during ten updates of others are forgotten."""

    MAX_KEYS = 512

    def __init__(self) -> None:
        self._rates: dict[object, Rate] = {}

    def update(self, key: object, now_s: float, value: float) -> float:
        rate = self._rates.pop(key, None) or Rate()
        self._rates[key] = rate
        if len(self._rates) > self.MAX_KEYS:
            del self._rates[next(iter(self._rates))]
        return rate.update(now_s, value)
