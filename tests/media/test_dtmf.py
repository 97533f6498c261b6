"""Telephone events: what is sent when, and what is read from it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.media.dtmf import DtmfQueue, DtmfReceiver, EventPacket, parse_event


def sent(queue: DtmfQueue, step_ms: float = 20.0, limit_ms: float = 20_000.0) -> list[tuple[float, EventPacket]]:
    result = []
    clock = 1_000.0
    while queue.busy and clock < limit_ms:
        result += [(clock, packet) for packet in queue.due(clock)]
        clock += step_ms
    return result


def test_one_tone_at_8_khz() -> None:
    queue = DtmfQueue(8000)
    queue.add("5", 100)
    packets = sent(queue)
    assert packets[0][1].first and not any(packet.first for _, packet in packets[1:])
    assert all(packet.event.event == 5 for _, packet in packets)
    durations = [packet.event.duration for _, packet in packets]
    assert durations == sorted(durations)
    assert [packet.event.end for _, packet in packets][-3:] == [True] * 3
    assert sum(packet.event.end for _, packet in packets) == 3
    assert durations[-3:] == [800] * 3


def test_durations_count_in_the_negotiated_clock() -> None:
    queue = DtmfQueue(48_000)
    queue.add("#", 200)
    assert sent(queue)[-1][1].event.duration == 9_600


def test_gap_and_pause() -> None:
    queue = DtmfQueue(8000)
    queue.add("1,2", 100, 70)
    packets = sent(queue)
    starts = [at for at, packet in packets if packet.first]
    ends = [at for at, packet in packets if packet.event.end]
    assert starts[1] - ends[0] >= 2_000
    queue.add("34", 100, 70)
    packets = sent(queue, 10.0)
    starts = [at for at, packet in packets if packet.first]
    ends = sorted({at for at, packet in packets if packet.event.end})
    assert 70 <= starts[1] - ends[0] <= 90


def test_bounds_and_foreign_characters() -> None:
    queue = DtmfQueue(48_000)
    queue.add("x a é 7" * 1000, 1_000_000, -5)
    assert len(queue._queue) <= 256
    assert max(packet.event.duration for _, packet in sent(queue, 20.0, 3_000.0)) <= 0xFFFF
    queue.clear()
    sent(queue)
    assert not queue.busy


def test_round_trip_with_loss() -> None:
    queue, receiver = DtmfQueue(8000), DtmfReceiver(8000)
    queue.add("0123456789*#ABCD", 60)
    heard = []
    stamp = 0
    for index, (at, packet) in enumerate(sent(queue)):
        stamp = int(at * 8) if packet.first else stamp
        if index % 3:
            continue
        event = receiver.receive(stamp, packet.event.build())
        heard += [event] if event else []
    assert "".join(digit for digit, _ in heard) == "0123456789*#ABCD"
    assert {duration for _, duration in heard} == {60.0}


@given(st.binary(max_size=12), st.integers(0, 0xFFFFFFFF))
def test_garbage(payload: bytes, timestamp: int) -> None:
    event = parse_event(payload)
    assert event is None or len(payload) >= 4
    DtmfReceiver(8000).receive(timestamp, payload)
