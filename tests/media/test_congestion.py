"""Estimators against simulated bottlenecks, sharing, pacing."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from app.media.congestion import MIN_BPS, DelayTrend, Pacer, RateMeter, ReceiveEstimator, SendEstimator, share


class Link:
    """A bottleneck with a queue: packets leave one after the other at *bps*, 30 ms one way."""

    def __init__(self, bps: float, jitter_ms: float = 0.0) -> None:
        self.bps, self.jitter_ms = bps, jitter_ms
        self.free_ms = 0.0
        self.rng = random.Random(5)

    def pass_on(self, now_ms: float, size: int) -> float:
        self.free_ms = max(self.free_ms, now_ms) + size * 8000 / self.bps
        return self.free_ms + 30 + self.rng.random() * self.jitter_ms


def receive(estimator: ReceiveEstimator, link: Link, rate_bps: float, seconds: float, start_ms: float) -> float:
    """Video of *rate_bps*, 30 frames a second, without abs-send-time; returns the time at the end."""
    frames = int(seconds * 30)
    for n in range(frames):
        sent_ms = start_ms + n * 1000 / 30
        for _ in range(max(1, int(rate_bps / 30 / 8 / 1000))):
            arrived = link.pass_on(sent_ms, 1000)
            estimator.add(1, int(sent_ms * 90), 90000, arrived, 1000)
        estimator.update(0.0, arrived)
    return start_ms + seconds * 1000


def test_receiving_below_the_limit_keeps_the_estimate_up() -> None:
    estimator = ReceiveEstimator()
    receive(estimator, Link(10e6, jitter_ms=4.0), 1_500_000, 20, 0.0)
    assert estimator.bps >= 2_400_000


def test_a_bottleneck_is_found_without_send_times() -> None:
    estimator = ReceiveEstimator()
    link = Link(1_000_000)
    receive(estimator, link, 1_400_000, 3, 0.0)
    assert 500_000 < estimator.bps < 1_000_000


def test_the_estimate_recovers_when_the_bottleneck_is_gone() -> None:
    estimator = ReceiveEstimator()
    end = receive(estimator, Link(1_000_000), 1_400_000, 3, 0.0)
    low = estimator.bps
    for _ in range(30):
        end = receive(estimator, Link(20e6), estimator.bps * 0.95, 1, end)
    assert estimator.bps > 2 * low


def test_loss_cuts_and_light_loss_holds() -> None:
    for loss, check in ((0.2, lambda b: b < 1_600_000), (0.05, lambda b: b == 2_500_000)):
        estimator = ReceiveEstimator()
        for n in range(200):
            estimator.add(1, n * 3000, 90000, n * 33.3, 8000)
            estimator.update(loss, n * 33.3)
        assert check(estimator.bps), (loss, estimator.bps)


def test_trend_ignores_jitter_and_clock_jumps() -> None:
    trend, rng = DelayTrend(), random.Random(2)
    overs = 0
    for n in range(600):
        trend.add(n * 33.0 + (1e7 if n > 300 else 0), n * 33.0 + rng.random() * 6)
        overs += trend.usage == "over"
    assert overs < 12


def test_remb_rules_the_sender() -> None:
    estimator = SendEstimator()
    assert not estimator.informed
    estimator.on_remb(700_000)
    assert estimator.informed and estimator.bps == 700_000
    estimator.on_loss(0.3, 1000.0)
    assert estimator.bps < 700_000
    estimator.on_remb(0)
    assert estimator.bps >= MIN_BPS * 0.7


def test_loss_alone_slows_the_sender() -> None:
    estimator = SendEstimator()
    before = estimator.bps
    for n in range(10):
        estimator.on_loss(0.25, n * 1000.0)
    assert estimator.bps < before / 2


def test_transport_feedback_finds_the_bottleneck() -> None:
    estimator, link = SendEstimator(), Link(800_000)
    now, sequence, waiting = 0.0, 0, []
    for _ in range(400):
        now += 20.0
        for _ in range(max(1, int(min(estimator.bps, 3e6) * 0.02 / 8 / 1000))):
            estimator.rate.add(1000, now)
            estimator.sent(sequence, 1000, now)
            waiting.append((sequence, link.pass_on(now, 1000)))
            sequence += 1
        arrived = [w for w in waiting if w[1] <= now]
        if len(arrived) >= 5:
            estimator.on_feedback(arrived[0][0], [w[1] for w in arrived], now)
            waiting = waiting[len(arrived) :]
    assert 300_000 < estimator.bps < 1_000_000


@given(
    st.floats(0, 1e8),
    st.dictionaries(st.integers(), st.tuples(st.floats(0.1, 10), st.floats(1e5, 1e7)), min_size=1, max_size=6),
)
def test_share_gives_all_that_can_be_used(total: float, wishes: dict[int, tuple[float, float]]) -> None:
    parts = share(total, wishes)
    assert parts.keys() == wishes.keys()
    assert all(
        MIN_BPS <= bps <= max(most, MIN_BPS) * 1.001
        for bps, (_, most) in zip(parts.values(), (wishes[k] for k in parts), strict=True)
    )
    usable = min(total, sum(most for _, most in wishes.values()))
    assert sum(parts.values()) >= usable * 0.999
    assert sum(parts.values()) <= usable * 1.001 + MIN_BPS * len(wishes)


def test_pacer_spreads_a_keyframe_and_keeps_order() -> None:
    pacer: Pacer[int] = Pacer(burst_bytes=5000)
    pacer.bps = 4_000_000
    sent: list[tuple[float, int]] = []
    for n in range(60):
        if pacer.take(1000, 10.0):
            sent.append((10.0, n))
        else:
            pacer.push(n, 1000)
    pacer.push(-1, 1000, first=True)
    now = 10.0
    while len(pacer):
        now += pacer.wait_s()
        while (packet := pacer.pop(now)) is not None:
            sent.append((now, packet))
    assert [n for _, n in sent if n >= 0] == list(range(60))
    assert len([1 for at, _ in sent if at == 10.0]) <= 6
    assert 0.05 < sent[-1][0] - 10.0 < 0.2
    assert sent[6][1] == -1 or sent[5][1] == -1


def test_rate_meter() -> None:
    meter = RateMeter()
    for n in range(300):
        meter.add(1250, n * 10.0)
    assert abs(meter.bps(2990.0) - 1_000_000) < 60_000
    assert meter.bps(9000.0) == 0.0
