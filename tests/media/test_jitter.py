"""Playout buffer against simulated networks: frequency, gaps and delay of what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.media.jitter import MAX_PACKETS, JitterBuffer
from app.media.opus import has_fec, make_decoder
from tests.media.audio_helpers import (
    Arrival,
    Run,
    arrivals,
    encode,
    frequency,
    longest_gap_ms,
    roughness,
    run,
    seeded,
    speech,
    tone,
)

SECONDS = 8
LAST_MS = 1_000.0 + SECONDS * 1000


@pytest.fixture(scope="module")
def payloads() -> list[bytes]:
    return encode(tone(440, SECONDS))


def play(packets: list[Arrival], **options: int) -> tuple[JitterBuffer, Run]:
    buffer = JitterBuffer(make_decoder())
    return buffer, run(buffer, packets, LAST_MS - 200, **options)


def steady(result: Run) -> np.ndarray:
    """Without the first half second."""
    return result.sound[24_000:]


def test_clean_network_is_transparent_and_quick(payloads: list[bytes]) -> None:
    buffer, result = play(arrivals(payloads))
    assert frequency(steady(result)) == pytest.approx(440, abs=0.1)
    assert longest_gap_ms(steady(result)) == 0
    assert roughness(steady(result), 440) < 0.001
    assert np.mean(result.delays_ms[100:]) <= 40
    stats = buffer.stats()
    assert (stats.lost, stats.late, stats.duplicates, stats.concealed_ms) == (0, 0, 0, 0)


def test_one_lost_packet_leaves_no_gap_and_no_delay(payloads: list[bytes]) -> None:
    _, clean = play(arrivals(payloads))
    buffer, result = play(arrivals(payloads, lambda index: None if index == 200 else 0.0))
    assert longest_gap_ms(steady(result)) <= 5
    assert roughness(steady(result), 440) < 0.002
    assert result.delays_ms[-1] == pytest.approx(clean.delays_ms[-1], abs=1)
    assert buffer.stats().lost == 1
    assert len(result.sound) == len(clean.sound)


def test_jitter_of_30_ms_costs_at_most_100_ms(payloads: list[bytes]) -> None:
    source = seeded()
    buffer, result = play(arrivals(payloads, lambda index: source.uniform(0, 60)))
    assert np.mean(result.delays_ms[100:]) <= 100
    assert frequency(steady(result)) == pytest.approx(440, abs=0.1)
    assert longest_gap_ms(steady(result)) <= 10
    assert buffer.stats().concealed_ms <= 60
    # Reordered packets are not lost.
    assert buffer.stats().lost == 0


def test_gaussian_jitter_of_30_ms_counted_from_the_mean_arrival(payloads: list[bytes]) -> None:
    source = seeded(3)
    late = [max(0.0, 100 + source.gauss(0, 30)) for _ in payloads]
    _, result = play(arrivals(payloads, late.__getitem__))
    from_mean = np.mean(result.delays_ms[150:]) - (np.mean(late) - min(late))
    assert from_mean <= 100
    assert longest_gap_ms(steady(result)) < 30


def test_twenty_percent_loss_keeps_the_tone(payloads: list[bytes]) -> None:
    source = seeded(2)
    buffer, result = play(arrivals(payloads, lambda index: None if source.random() < 0.2 else 0.0))
    assert frequency(steady(result)) == pytest.approx(440, abs=0.5)
    assert longest_gap_ms(steady(result)) < 60
    assert buffer.stats().lost > 40
    assert result.delays_ms[-1] <= 45


def test_speech_is_rebuilt_from_the_next_packet() -> None:
    sound = speech(SECONDS)
    coded = encode(sound, loss=0.2)
    copies = {index for index, payload in enumerate(coded) if has_fec(payload)}
    assert len(copies) > len(coded) / 3
    lost = {index - 1 for index in sorted(copies)[10::10]}
    buffer, _ = play(arrivals(coded, lambda index: None if index in lost else 0.0))
    assert buffer.stats().recovered >= 0.8 * len(lost)


def test_fec_sounds_closer_to_the_original_than_concealment() -> None:
    coded = encode(speech(SECONDS), loss=0.25)
    lost = {index for index in range(20, len(coded) - 1, 7) if has_fec(coded[index + 1])}
    _, clean = play(arrivals(coded))

    class WithoutFec:
        """The same decoder, denied its redundancy."""

        def __init__(self) -> None:
            self._decoder = make_decoder()

        def can_recover(self, payload: bytes) -> bool:
            return False

        def __getattr__(self, name: str) -> object:
            return getattr(self._decoder, name)

    def error(buffer: JitterBuffer) -> float:
        packets = arrivals(coded, lambda index: None if index in lost else 0.0)
        result = run(buffer, packets, LAST_MS - 200)
        difference = result.sound.astype(float) - clean.sound.astype(float)
        return float(np.mean(np.square(difference)))

    assert error(JitterBuffer(make_decoder())) < 0.7 * error(JitterBuffer(WithoutFec()))


def test_delay_grows_quickly_and_shrinks_slowly(payloads: list[bytes]) -> None:
    source = seeded(4)
    _, result = play(arrivals(payloads, lambda index: source.uniform(0, 80) if 50 <= index < 150 else 0.0))
    by_second = [float(np.mean(result.delays_ms[at : at + 100])) for at in range(0, 700, 100)]
    assert by_second[2] > 60
    assert by_second[3] > 55
    assert by_second[-1] < by_second[2]
    assert frequency(steady(result)) == pytest.approx(440, abs=0.2)


def test_stretching_makes_no_clicks(payloads: list[bytes]) -> None:
    buffer, result = play(arrivals(payloads, lambda index: 90.0 if index < 200 else 0.0))
    stats = buffer.stats()
    assert stats.shortened_ms > 60
    assert roughness(steady(result), 440) < 0.002
    assert longest_gap_ms(steady(result)) == 0
    assert result.delays_ms[-1] < 50


def test_single_stall_is_caught_up(payloads: list[bytes]) -> None:
    """A second without packets that then come all at once (Wi-Fi roaming)."""
    _, result = play(arrivals(payloads, lambda index: (200 - index) * 20.0 if 150 <= index < 200 else 0.0))
    assert np.mean(result.delays_ms[450:]) < 60


def test_repeated_stalls_keep_the_target_up(payloads: list[bytes]) -> None:
    """150 ms without packets twice a second: the buffer learns to bridge them."""
    buffer, result = play(arrivals(payloads, lambda index: max(0.0, 150.0 - (index % 25) * 20.0)))
    tail = result.sound[-3 * 48_000 :]
    assert longest_gap_ms(tail) < 10
    assert buffer.stats().target_ms >= 150


def test_outage_with_loss_adds_no_delay(payloads: list[bytes]) -> None:
    buffer, result = play(arrivals(payloads, lambda index: None if 150 <= index < 200 else 0.0))
    assert np.mean(result.delays_ms[450:]) < 45
    assert buffer.stats().lost == 50
    assert buffer.stats().concealed_ms == pytest.approx(1000, abs=60)


def test_device_that_pulls_in_bursts_of_40_ms(payloads: list[bytes]) -> None:
    _, result = play(arrivals(payloads), burst=4)
    assert longest_gap_ms(result.sound[96_000:]) == 0
    assert np.mean(result.delays_ms[300:]) < 80


def test_clock_drift_is_followed(payloads: list[bytes]) -> None:
    for drift in (0.01, -0.01):
        _, result = play(arrivals(payloads, lambda index, drift=drift: index * drift))
        assert longest_gap_ms(steady(result)) == 0
        assert 15 < result.delays_ms[-1] < 55


def test_duplicates_are_heard_once(payloads: list[bytes]) -> None:
    packets = arrivals(payloads)
    buffer, result = play(sorted(packets + packets, key=lambda arrival: arrival.at_ms))
    assert buffer.stats().duplicates >= len(packets) - 20
    assert frequency(steady(result)) == pytest.approx(440, abs=0.1)
    assert roughness(steady(result), 440) < 0.001


def test_jump_of_timestamps_starts_a_new_timeline(payloads: list[bytes]) -> None:
    """SSRC reused for another sender: other sequence numbers, other timestamps."""
    first = arrivals(payloads[:200])
    second = arrivals(encode(tone(600, 4)), sequence=12_345, timestamp=777_777, start_ms=1_000 + 200 * 20)
    buffer, result = play(first + second)
    assert buffer.stats().resets == 1
    assert frequency(result.sound[-2 * 48_000 :]) == pytest.approx(600, abs=0.2)
    assert longest_gap_ms(result.sound[24_000:]) < 120
    assert result.delays_ms[-1] < 60


def test_stray_packet_does_not_reset(payloads: list[bytes]) -> None:
    packets = arrivals(payloads)
    stray = Arrival(4_000.5, 99, 42, payloads[0])
    buffer, result = play(sorted([*packets, stray], key=lambda arrival: arrival.at_ms))
    assert buffer.stats().resets == 0
    assert longest_gap_ms(steady(result)) == 0


@pytest.mark.parametrize("stamps_go_on", [True, False])
def test_mute_is_silence_and_not_loss(payloads: list[bytes], stamps_go_on: bool) -> None:
    """Three seconds without packets, sequence numbers in a row; timestamps following the clock or not."""
    before, after = arrivals(payloads[:100]), arrivals(payloads[100:200], sequence=65_600, start_ms=6_000)
    step = 150 * 960 if stamps_go_on else 0
    after = [
        Arrival(one.at_ms, one.sequence, (0xFFFF_0000 + (100 + index) * 960 + step) & 0xFFFFFFFF, one.payload)
        for index, one in enumerate(after)
    ]
    buffer, result = play(before + after)
    assert buffer.stats().lost == 0
    assert buffer.stats().concealed_ms < 50
    assert frequency(result.sound[-80_000:-24_000]) == pytest.approx(440, abs=0.2)


def test_dtx_is_comfort_noise_and_not_loss() -> None:
    """Packets of one byte every 400 ms, then speech again."""
    coded = encode(tone(440, 4))
    packets = arrivals(coded[:100])
    for index in range(5):
        at = 100 + index * 20
        packets.append(
            Arrival(1_000 + at * 20, (65_600 + index) & 0xFFFF, (0xFFFF_0000 + at * 960) & 0xFFFFFFFF, coded[0][:1])
        )
    packets += [
        Arrival(
            one.at_ms + 4_000 - 100 * 20,
            (65_605 + index) & 0xFFFF,
            (0xFFFF_0000 + (200 + index) * 960) & 0xFFFFFFFF,
            one.payload,
        )
        for index, one in enumerate(arrivals(coded[100:], start_ms=3_000))
    ]
    buffer, result = play(packets)
    stats = buffer.stats()
    assert (stats.lost, stats.late, stats.discarded) == (0, 0, 0)
    assert stats.concealed_ms < 50
    assert frequency(result.sound[-180_000:-144_000]) == pytest.approx(440, abs=0.5)


def test_sound_never_heard_before_start_and_idle_after_end(payloads: list[bytes]) -> None:
    buffer = JitterBuffer(make_decoder())
    assert buffer.pull(0.0) is None
    assert not buffer.active
    run(buffer, arrivals(payloads[:50]), 4_000.0)
    assert not buffer.active
    assert buffer.pull(4_000.0) is None
    assert buffer.stats().concealed_ms == 0


def test_concealment_fades_out(payloads: list[bytes]) -> None:
    """A sender that stops in the middle of a tone is silent after 200 ms, without a click."""
    buffer = JitterBuffer(make_decoder())
    result = run(buffer, arrivals(payloads[:50]), 3_000.0)
    end = np.flatnonzero(result.sound)[-1]
    assert 48_000 + 150 * 48 < end < 48_000 + 290 * 48
    steps = np.abs(np.diff(result.sound[40_000:].astype(int)))
    assert np.max(steps) < 0.3 * 32767 * 2 * np.pi * 440 / 48_000 * 1.6


packet = st.tuples(
    st.sampled_from(["insert", "pull"]),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.one_of(st.binary(max_size=80), st.just(b"\xfc\xff\xfe")),
    st.floats(0, 50),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(packet, max_size=120))
def test_anything_may_arrive(steps: list[tuple[str, int, int, bytes, float]]) -> None:
    buffer = JitterBuffer(make_decoder())
    clock = 0.0
    for what, sequence, timestamp, payload, passed in steps:
        clock += passed
        if what == "insert":
            buffer.insert(sequence, timestamp, payload, clock)
        else:
            block = buffer.pull(clock)
            assert block is None or block.shape == (480,)
    assert len(buffer._packets) <= MAX_PACKETS
    assert len(buffer._pcm) < 48_000


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.lists(st.integers(-8, 8), min_size=20, max_size=100))
def test_any_order_near_the_wraps(sequence: int, timestamp: int, order: list[int]) -> None:
    """Reordered, repeated and missing packets around any start; what is played is what was given, once."""
    payload = b"\xfc\xff\xfe"
    buffer = JitterBuffer(make_decoder())
    clock = 0.0
    for index, offset in enumerate(order):
        number = index + offset
        stamp = (timestamp + number * 960) & 0xFFFFFFFF
        buffer.insert((sequence + number) & 0xFFFF, stamp, payload, clock)
        for _ in range(2):
            block = buffer.pull(clock)
            assert block is None or block.shape == (480,)
            clock += 10
    stats = buffer.stats()
    assert stats.resets == 0
    assert stats.packets + stats.duplicates + stats.late + stats.discarded == len(order)


def test_bounded_when_nobody_pulls(payloads: list[bytes]) -> None:
    buffer = JitterBuffer(make_decoder())
    for packet in arrivals(payloads):
        buffer.insert(packet.sequence, packet.timestamp, packet.payload, packet.at_ms)
    assert len(buffer._packets) <= MAX_PACKETS
    assert buffer.stats().skipped == len(payloads) - MAX_PACKETS
