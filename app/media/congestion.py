"""Bandwidth estimation in both directions, sharing among senders, pacing. No I/O; time comes in as an argument.

Delay is judged by the trend of queueing delay over the last frames (draft-ietf-rmcat-gcc-02 section 4, trend line
instead of a Kalman filter), loss by section 6 of the same draft. On the way to us a bridge may strip abs-send-time, so
the sending time of a frame is its RTP timestamp.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MIN_BPS = 60_000.0
MAX_BPS = 20_000_000.0
START_RECEIVE_BPS = 2_500_000.0
"""What bridges assume before the first report."""
START_SEND_BPS = 1_500_000.0
MAX_BLIND_SEND_BPS = 4_000_000.0
"""Growth limit when only loss is known."""
DECREASE = 0.85
INCREASE_PER_S = 1.08
LOSS_LOW, LOSS_HIGH = 0.02, 0.10
TREND_WINDOW = 20
TREND_GAIN = 4.0
TREND_SMOOTHING = 0.9
MAX_TREND_SAMPLES = 60
THRESHOLD_START, THRESHOLD_MIN, THRESHOLD_MAX = 12.5, 6.0, 600.0
THRESHOLD_UP, THRESHOLD_DOWN = 0.0087, 0.039
OVERUSE_TIME_MS = 10.0
RESET_MS = 3000.0
"""A jump this large is a new clock, not queueing."""
GROUP_MS = 5.0
MAX_STREAMS = 120


class RateMeter:
    """Bits per second over a sliding window of one second, in buckets of 50 ms."""

    BUCKET_MS = 50.0

    def __init__(self, window_ms: float = 1000.0) -> None:
        self._window_ms = window_ms
        self._buckets: deque[list[float]] = deque()
        self._total = 0.0
        self._started_ms: float | None = None

    def add(self, size: int, now_ms: float) -> None:
        buckets = self._buckets
        if buckets and now_ms - buckets[-1][0] < self.BUCKET_MS:
            buckets[-1][1] += size
        else:
            self._started_ms = now_ms if self._started_ms is None else self._started_ms
            buckets.append([now_ms, size])
            self._expire(now_ms)
        self._total += size

    def _expire(self, now_ms: float) -> None:
        while self._buckets and now_ms - self._buckets[0][0] > self._window_ms:
            self._total -= self._buckets.popleft()[1]

    def bps(self, now_ms: float) -> float:
        self._expire(now_ms)
        if not self._buckets or self._started_ms is None:
            return 0.0
        span = min(self._window_ms, max(now_ms - self._started_ms, self.BUCKET_MS))
        return self._total * 8000.0 / span


class DelayTrend:
    """Whether queueing delay grows along a path: ``over``, ``normal`` or ``under``."""

    def __init__(self) -> None:
        self.usage = "normal"
        self._threshold = THRESHOLD_START
        self._reset()

    def _reset(self) -> None:
        self._last: tuple[float, float] | None = None
        self._accumulated = self._smoothed = self._previous = 0.0
        self._samples: deque[tuple[float, float]] = deque(maxlen=TREND_WINDOW)
        self._count = 0
        self._over_since: float | None = None
        self.usage = "normal"

    def add(self, sent_ms: float, arrived_ms: float) -> None:
        """One group of packets (a frame): when it was sent by the sender's clock and when it came by ours."""
        if self._last is None:
            self._last = (sent_ms, arrived_ms)
            return
        sent, arrived = sent_ms - self._last[0], arrived_ms - self._last[1]
        if abs(sent) > RESET_MS or abs(arrived - sent) > RESET_MS:
            self._reset()
            self._last = (sent_ms, arrived_ms)
            return
        if sent <= 0:
            return
        self._last = (sent_ms, arrived_ms)
        self._count = min(self._count + 1, MAX_TREND_SAMPLES)
        self._accumulated += arrived - sent
        self._smoothed = TREND_SMOOTHING * self._smoothed + (1 - TREND_SMOOTHING) * self._accumulated
        self._samples.append((arrived_ms, self._smoothed))
        if len(self._samples) == TREND_WINDOW:
            self._detect(_slope(self._samples) * self._count * TREND_GAIN, arrived_ms, max(1.0, arrived))

    def _detect(self, trend: float, now_ms: float, elapsed_ms: float) -> None:
        if trend > self._threshold:
            if self._over_since is None:
                self._over_since = now_ms
            elif now_ms - self._over_since >= OVERUSE_TIME_MS and trend >= self._previous:
                self.usage = "over"
        else:
            self._over_since = None
            self.usage = "under" if trend < -self._threshold else "normal"
        self._previous = trend
        if abs(trend) < self._threshold + 15.0:
            rate = THRESHOLD_UP if abs(trend) > self._threshold else THRESHOLD_DOWN
            self._threshold += rate * (abs(trend) - self._threshold) * min(elapsed_ms, 100.0)
            self._threshold = min(THRESHOLD_MAX, max(THRESHOLD_MIN, self._threshold))


def _slope(samples: Sequence[tuple[float, float]]) -> float:
    """Least-squares slope."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


class RateControl:
    """Additive-free AIMD on an estimate: falls with queueing or loss, grows while the path is quiet and used."""

    def __init__(self, start_bps: float, max_bps: float = MAX_BPS) -> None:
        self.bps = start_bps
        self._max_bps = max_bps
        self._updated_ms: float | None = None
        self._held_until_ms = 0.0
        self._loss_cut_ms = -1e9

    def update(self, usage: str, measured_bps: float, loss: float | None, now_ms: float) -> float:
        elapsed_s = 0.0 if self._updated_ms is None else min(1.0, (now_ms - self._updated_ms) / 1000)
        self._updated_ms = now_ms
        if usage == "over" and measured_bps > 0:
            if now_ms >= self._held_until_ms:
                self.bps = min(self.bps, DECREASE * measured_bps)
                self._held_until_ms = now_ms + 300.0
        elif loss is not None and loss > LOSS_HIGH:
            if now_ms - self._loss_cut_ms >= 1000.0:
                self._loss_cut_ms = now_ms
                self.bps *= 1 - 0.5 * loss
        elif (
            usage == "normal"
            and now_ms >= self._held_until_ms
            and (loss is None or loss < LOSS_LOW)
            # A path that carries little says nothing about carrying more.
            and (measured_bps <= 0 or self.bps < 1.5 * measured_bps + 10_000)
        ):
            self.bps = self.bps * INCREASE_PER_S**elapsed_s + 1000 * elapsed_s
        self.bps = min(self._max_bps, max(MIN_BPS, self.bps))
        return self.bps


@dataclass(slots=True)
class _Stream:
    timestamp: int
    unwrapped: int
    trend: DelayTrend
    seen_ms: float


class ReceiveEstimator:
    """What this client can receive, from arrival times of frames (RTP timestamps) and loss."""

    def __init__(self, start_bps: float = START_RECEIVE_BPS) -> None:
        self.rate = RateMeter()
        self._control = RateControl(start_bps)
        self._streams: dict[int, _Stream] = {}

    @property
    def bps(self) -> float:
        return self._control.bps

    def add(self, ssrc: int, timestamp: int, clock_rate: int, arrived_ms: float, size: int) -> None:
        """A video packet that came in its own time (not a retransmission)."""
        self.rate.add(size, arrived_ms)
        stream = self._streams.get(ssrc)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS:
                oldest = min(self._streams, key=lambda s: self._streams[s].seen_ms)
                del self._streams[oldest]
            self._streams[ssrc] = _Stream(timestamp, timestamp, DelayTrend(), arrived_ms)
            return
        if timestamp == stream.timestamp:
            return
        delta = (timestamp - stream.timestamp) & 0xFFFFFFFF
        if delta >= 0x80000000:
            return
        stream.unwrapped += delta
        stream.timestamp = timestamp
        stream.seen_ms = arrived_ms
        stream.trend.add(stream.unwrapped * 1000 / clock_rate, arrived_ms)

    def add_bytes(self, size: int, now_ms: float) -> None:
        """Bytes that count for the rate but not for delay (retransmissions, probing padding)."""
        self.rate.add(size, now_ms)

    def update(self, loss: float | None, now_ms: float) -> float:
        usages = {s.trend.usage for s in self._streams.values() if now_ms - s.seen_ms < 2000}
        usage = "over" if "over" in usages else ("under" if "under" in usages else "normal")
        measured = self.rate.bps(now_ms)
        if measured <= 0:
            return self._control.bps
        return self._control.update(usage, measured, loss, now_ms)

    def forget(self, ssrc: int) -> None:
        self._streams.pop(ssrc, None)


class SendEstimator:
    """What this client may send: the lowest of the far side's REMB, transport-wide feedback and reported loss."""

    def __init__(self, start_bps: float = START_SEND_BPS) -> None:
        self.rate = RateMeter()
        self._start_bps = min(max(start_bps, MIN_BPS), MAX_BLIND_SEND_BPS)
        self._remb_bps: float | None = None
        self._loss_control = RateControl(self._start_bps, MAX_BLIND_SEND_BPS)
        self._tcc_control: RateControl | None = None
        self._trend = DelayTrend()
        self._sent: dict[int, tuple[float, int]] = {}
        self._acked = RateMeter()
        self.loss: float | None = None

    @property
    def informed(self) -> bool:
        """Whether the far side says how much it takes."""
        return self._remb_bps is not None or self._tcc_control is not None

    @property
    def bps(self) -> float:
        limits = [b for b in (self._remb_bps, self._tcc_control.bps if self._tcc_control else None) if b is not None]
        if limits:
            return max(MIN_BPS, min([*limits, MAX_BPS]) * (1 - 0.5 * self._excess_loss))
        return self._loss_control.bps

    @property
    def _excess_loss(self) -> float:
        return self.loss if self.loss is not None and self.loss > LOSS_HIGH else 0.0

    def on_remb(self, bps: float) -> None:
        self._remb_bps = min(MAX_BPS, max(MIN_BPS, bps))

    def on_loss(self, fraction: float, now_ms: float) -> None:
        """Loss of a receiver report, 0..1."""
        self.loss = fraction if self.loss is None else 0.5 * self.loss + 0.5 * fraction
        self._loss_control.update("normal", self.rate.bps(now_ms), self.loss, now_ms)

    def sent(self, sequence: int, size: int, now_ms: float) -> None:
        """A packet with a transport-wide sequence number left."""
        self._sent[sequence & 0xFFFF] = (now_ms, size)
        if len(self._sent) > 4096:
            del self._sent[next(iter(self._sent))]

    def on_feedback(self, base_sequence: int, arrivals_ms: Sequence[float | None], now_ms: float) -> None:
        """Transport-wide feedback: arrival times by the far side's clock, ``None`` for what it misses."""
        if self._tcc_control is None:
            self._tcc_control = RateControl(max(self._start_bps, self.rate.bps(now_ms)))
        lost = known = 0
        group_sent = -1e18
        for offset, arrived in enumerate(arrivals_ms):
            record = self._sent.pop((base_sequence + offset) & 0xFFFF, None)
            if record is None:
                continue
            known += 1
            if arrived is None:
                lost += 1
                continue
            self._acked.add(record[1], now_ms)
            if record[0] - group_sent >= GROUP_MS:
                group_sent = record[0]
                self._trend.add(record[0], arrived)
        if known:
            fraction = lost / known
            self.loss = fraction if self.loss is None else 0.8 * self.loss + 0.2 * fraction
        self._tcc_control.update(self._trend.usage, self._acked.bps(now_ms), self.loss, now_ms)


def share(total_bps: float, wishes: Mapping[Hashable, tuple[float, float]]) -> dict[Hashable, float]:
    """Split *total_bps* by weight; each wish is ``(weight, most it can use)``. What one cannot use goes to the others.

    Nobody gets less than :data:`MIN_BPS`.
    """
    result: dict[Hashable, float] = {}
    open_wishes = {k: w for k, w in wishes.items() if w[0] > 0}
    left = max(0.0, total_bps)
    while open_wishes:
        weights = sum(w for w, _ in open_wishes.values())
        full = [k for k, (w, most) in open_wishes.items() if left * w / weights >= most]
        if not full:
            for key, (weight, _) in open_wishes.items():
                result[key] = left * weight / weights
            break
        for key in full:
            result[key] = open_wishes.pop(key)[1]
        left = max(0.0, total_bps - sum(result.values()))
    return {k: max(MIN_BPS, v) for k, v in result.items()}


class Pacer(Generic[T]):
    """Leaky bucket for video: bursts go out at once up to *burst_bytes*, the rest at *bps*.

    Holds only numbers and packets; the owner sends what :meth:`pop` returns and calls again after :meth:`wait_s`.
    """

    MAX_QUEUE_S = 0.5
    """A longer queue is drained faster: late video is worse than a burst."""
    MAX_PACKETS = 2000
    LEAST_WAIT_S = 0.005
    """Between wake-ups: a finer grain costs a timer per packet and gains nothing."""

    def __init__(self, burst_bytes: int = 12_000) -> None:
        self.bps = 5_000_000.0
        self._burst = float(burst_bytes)
        self._budget = float(burst_bytes)
        self._refilled_s = 0.0
        self._queue: deque[tuple[int, T]] = deque()
        self._queued = 0

    def __len__(self) -> int:
        return len(self._queue)

    def _refill(self, now_s: float) -> None:
        rate = max(self.bps, self._queued * 8 / self.MAX_QUEUE_S)
        self._budget = min(self._burst, self._budget + (now_s - self._refilled_s) * rate / 8)
        self._refilled_s = now_s

    def take(self, size: int, now_s: float) -> bool:
        """Whether a packet may go out right now (then it is paid for)."""
        if self._queue:
            return False
        self._refill(now_s)
        if self._budget <= 0:
            return False
        self._budget -= size
        return True

    def push(self, packet: T, size: int, first: bool = False) -> None:
        """Queue a packet; retransmissions go first."""
        if len(self._queue) >= self.MAX_PACKETS:
            return
        self._queued += size
        (self._queue.appendleft if first else self._queue.append)((size, packet))

    def pop(self, now_s: float) -> T | None:
        """Next packet whose time has come, ``None`` when it is too early or nothing waits."""
        self._refill(now_s)
        if not self._queue or self._budget <= 0:
            return None
        size, packet = self._queue.popleft()
        self._queued -= size
        self._budget -= size
        return packet

    def wait_s(self) -> float:
        """Until :meth:`pop` can give the next packet."""
        return max(self.LEAST_WAIT_S, -self._budget * 8 / max(self.bps, 1.0))

    def clear(self) -> None:
        self._queue.clear()
        self._queued = 0
