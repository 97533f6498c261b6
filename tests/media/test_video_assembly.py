"""Putting frames together from packets, with any order, loss and rubbish."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.media.video_assembly import MAX_BYTES, MAX_PACKETS, AssembledFrame, FrameAssembler
from app.media.video_codec import Part, PayloadError, depayload, packetize_vp8

RTT = 40.0


def frame_bytes(number: int, keyframe: bool, size: int = 3_000) -> bytes:
    first = 0x10 | (0 if keyframe else 1)
    return bytes((first,)) + number.to_bytes(4, "big") + random.Random(number).randbytes(size)


class Stream:
    def __init__(self, first_sequence: int = 65_500) -> None:
        self.sequence = first_sequence
        self.packets: list[tuple[int, int, bool, bytes]] = []
        self.frames: list[bytes] = []

    def add(self, keyframe: bool = False, size: int = 3_000) -> list[tuple[int, int, bool, bytes]]:
        number = len(self.frames)
        data = frame_bytes(number, keyframe, size)
        self.frames.append(data)
        payloads = packetize_vp8(data, number)
        made = []
        for index, payload in enumerate(payloads):
            made.append((self.sequence, number * 3_000, index == len(payloads) - 1, payload))
            self.sequence = (self.sequence + 1) % 65_536
        self.packets += made
        return made


def push(assembler: FrameAssembler, packet: tuple[int, int, bool, bytes], now: float = 0.0) -> list[AssembledFrame]:
    sequence, timestamp, marker, payload = packet
    part: Part | None = None
    damaged = False
    if payload:
        try:
            part = depayload("VP8", payload)
        except PayloadError:
            damaged = True
    return assembler.push(sequence, timestamp, marker, part, "VP8", now, damaged)


def test_a_frame_is_released_by_its_own_last_packet() -> None:
    stream, assembler = Stream(), FrameAssembler()
    packets = stream.add(keyframe=True)
    assert len(packets) > 2
    for packet in packets[:-1]:
        assert push(assembler, packet) == []
    (frame,) = push(assembler, packets[-1])
    assert frame.data == stream.frames[0] and frame.keyframe


def test_a_frame_without_marker_is_released_by_the_next_one() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, (*packet[:2], False, packet[3]))
    frames = push(assembler, stream.add(size=100)[0])
    assert [frame.data for frame in frames] == stream.frames


def test_order_within_a_window_does_not_matter_and_sequence_numbers_wrap() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for number in range(40):
        stream.add(keyframe=number == 0)
    packets = stream.packets
    shuffle = random.Random(3)
    out: list[bytes] = []
    for start in range(0, len(packets), 6):
        window = packets[start : start + 6]
        shuffle.shuffle(window)
        for packet in window:
            out += [frame.data for frame in push(assembler, packet)]
    assert out == stream.frames
    assert assembler.held == 0


def test_nothing_is_released_before_a_keyframe_and_one_is_asked_for() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for _ in range(5):
        for packet in stream.add():
            assert push(assembler, packet, 10.0) == []
    assert assembler.poll(10.0, RTT).keyframe
    assert not assembler.poll(60.0, RTT).keyframe, "one request is on its way"
    assert assembler.poll(900.0, RTT).keyframe
    out = [frame for packet in stream.add(keyframe=True) for frame in push(assembler, packet, 950.0)]
    assert [frame.data for frame in out] == stream.frames[-1:]
    assert not assembler.needs_poll


def test_a_lost_packet_is_asked_for_again_and_completes_the_frame() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, packet)
    lost, *rest = stream.add()
    for packet in rest:
        push(assembler, packet, 33.0)
    assert assembler.poll(34.0, RTT).retransmit == [], "may be reordering"
    assert assembler.poll(45.0, RTT).retransmit == [lost[0]]
    assert assembler.poll(60.0, RTT).retransmit == [], "within a round trip"
    assert assembler.poll(110.0, RTT).retransmit == [lost[0]]
    (frame,) = push(assembler, lost, 120.0)
    assert frame.data == stream.frames[1]
    assert not assembler.needs_poll


def test_a_hopeless_gap_becomes_a_keyframe_request() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, packet)
    for packet in stream.add()[1:]:
        push(assembler, packet, 33.0)
    asked = [assembler.poll(33.0 + step * 10, RTT) for step in range(1, 80)]
    assert any(requests.keyframe for requests in asked)
    assert sum(len(requests.retransmit) for requests in asked) <= 10
    out = [frame for packet in stream.add(keyframe=True) for frame in push(assembler, packet, 900.0)]
    assert [frame.data for frame in out] == stream.frames[-1:]


def test_a_keyframe_behind_a_gap_ends_the_wait() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, packet)
    stream.add()
    out = [frame for packet in stream.add(keyframe=True) for frame in push(assembler, packet, 40.0)]
    assert [frame.data for frame in out] == stream.frames[-1:]
    assert not assembler.needs_poll


def test_padding_between_and_inside_frames_is_nothing() -> None:
    stream, assembler = Stream(10), FrameAssembler()
    first = stream.add(keyframe=True)
    for packet in first[:-1]:
        push(assembler, packet)
    push(assembler, (first[-1][0], 0, False, b""))
    (frame,) = push(assembler, (first[-1][0] + 1, 0, True, first[-1][3]))
    assert frame.data == stream.frames[0]
    assert push(assembler, (first[-1][0] + 2, 0, False, b"")) == []
    following = stream.add(size=50)[0]
    (frame,) = push(assembler, (first[-1][0] + 3, *following[1:]))
    assert frame.data == stream.frames[1]


def test_a_damaged_frame_costs_one_keyframe_not_the_stream() -> None:
    stream, assembler = Stream(), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, packet)
    bad = stream.add(size=100)[0]
    assert push(assembler, (*bad[:3], b"\x80")) == []
    assert assembler.waiting_for_keyframe and assembler.damaged_frames == 1
    out = [frame for packet in stream.add(keyframe=True) for frame in push(assembler, packet)]
    assert [frame.data for frame in out] == stream.frames[-1:]


def test_a_stray_packet_is_ignored_and_a_restarted_stream_is_followed() -> None:
    stream, assembler = Stream(1_000), FrameAssembler()
    for packet in stream.add(keyframe=True):
        push(assembler, packet)
    assert push(assembler, (30_000, 1, True, b"\x10\x00stray")) == []
    out = [frame for packet in stream.add() for frame in push(assembler, packet)]
    assert [frame.data for frame in out] == stream.frames[1:2]
    restarted = Stream(40_000)
    for number in range(3):
        restarted.add(keyframe=number != 1)
    out = [frame for packet in restarted.packets for frame in push(assembler, packet)]
    assert out[-1].data == restarted.frames[-1]


packets = st.tuples(
    st.one_of(st.integers(0, 65_535), st.integers(65_400, 65_535), st.integers(0, 60)),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 5)),
    st.booleans(),
    st.binary(max_size=40),
    st.sampled_from(["VP8", "H264", ""]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(packets, max_size=120))
def test_arbitrary_packets_never_raise_and_never_pile_up(arrivals: list[tuple[int, int, bool, bytes, str]]) -> None:
    assembler = FrameAssembler()
    now = 0.0
    for sequence, timestamp, marker, payload, codec in arrivals:
        now += 3.0
        part: Part | None = None
        damaged = False
        if payload and codec:
            try:
                part = depayload(codec, payload)
            except PayloadError:
                damaged = True
        for frame in assembler.push(sequence, timestamp, marker, part, codec, now, damaged):
            assert frame.data
        requests = assembler.poll(now, RTT)
        assert len(requests.retransmit) <= 128
    assert assembler.held <= MAX_PACKETS


def test_an_endless_unfinished_keyframe_stays_bounded() -> None:
    assembler = FrameAssembler()
    most = 0
    for index in range(3 * MAX_PACKETS):
        payload = packetize_vp8(frame_bytes(1, True, 900), 1)[0] if index % 500 == 0 else b"\x00" + bytes(900)
        push(assembler, (index % 65_536, 7, False, payload), float(index))
        most = max(most, assembler.held)
    assert most <= MAX_PACKETS + 1
    assert assembler._bytes <= MAX_BYTES


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 65_535), st.floats(0.0, 0.25))
def test_with_retransmission_every_frame_comes_out_once_and_in_order(
    source: random.Random, first: int, loss: float
) -> None:
    stream, assembler = Stream(first), FrameAssembler()
    for number in range(12):
        stream.add(keyframe=number == 0, size=2_500)
    by_sequence = {packet[0]: packet for packet in stream.packets}
    out: list[bytes] = []
    now = 0.0
    # The first packet of all arrives: what comes before the first packet seen is unknown to a receiver.
    for index, packet in enumerate(stream.packets):
        now += 5.0
        if index == 0 or source.random() >= loss:
            out += [frame.data for frame in push(assembler, packet, now)]
        for number in assembler.poll(now, 10.0).retransmit:
            out += [frame.data for frame in push(assembler, by_sequence[number], now)]
    out += [frame.data for frame in push(assembler, (*stream.add(size=10)[0],), now)]
    for _ in range(5):
        now += 30.0
        for number in assembler.poll(now, 10.0).retransmit:
            out += [frame.data for frame in push(assembler, by_sequence[number], now)]
    assert out == stream.frames
