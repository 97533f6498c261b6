"""From the test card through encoder, packets, a bad line and the decoder to the slot."""

from __future__ import annotations

import asyncio

import av
import pytest
from aiortc.rtp import RtpPacket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.calls.model import SourceContent
from app.media import stamp
from app.media.api import Codec
from app.media.frames import FrameSlotImpl
from app.media.video_receive import FREEZE_LEAST_MS, SYNC_TOLERANCE_MS, VideoReceiver
from tests.media.video_harness import H264, VP8, Line, Pair, remote


@pytest.mark.parametrize("codec", [VP8, H264], ids=lambda codec: codec.name)
async def test_every_picture_arrives_and_the_last_one_needs_no_successor(codec: Codec) -> None:
    pair = Pair(Line(), codec)
    await pair.run(30)
    last = await pair.until_shown(29)
    assert last.number == 29 and last.source == stamp.source_id("peer-v0")
    assert [found.number for found in pair.stamps] == sorted({found.number for found in pair.stamps})
    assert len(pair.stamps) >= 25
    assert pair.started == ["peer-v0"] and pair.frozen == []
    stats = pair.receiver.stats()
    assert stats.codec == codec.name and (stats.width, stats.height) == (320, 180) and stats.keyframes == 1
    pair.close()


@pytest.mark.parametrize("codec", [VP8, H264], ids=lambda codec: codec.name)
async def test_loss_and_reordering_are_repaired_by_retransmission(codec: Codec) -> None:
    line = Line(loss=0.05, reorder=0.1, delay_ms=10, seed=7)
    pair = Pair(line, codec, size=(640, 360))
    await pair.run(60)
    line.loss = line.reorder = 0.0
    await pair.run(3)
    await pair.run_until_shown(62)
    assert line.nacked, "something was lost"
    assert len(pair.stamps) >= 55
    assert [found.number for found in pair.stamps] == sorted({found.number for found in pair.stamps})
    pair.close()


async def test_without_retransmission_a_keyframe_repairs() -> None:
    line = Line()
    line.answer_nacks = False
    pair = Pair(line)
    await pair.run(10)
    lost = False

    def drop_one(packet: RtpPacket) -> bool:
        nonlocal lost
        lost, before = True, lost
        return not before

    line.drop = drop_one
    await pair.run(45)
    await pair.run_until_shown(50)
    assert line.plis >= 1
    assert (pair.frozen[:1], pair.frozen[-1:]) in (
        ([], []),
        ([("peer-v0", True)], [("peer-v0", False)]),
    )
    pair.close()


async def test_two_percent_loss_and_sixty_ms_round_trip_freeze_nothing() -> None:
    line = Line(loss=0.02, delay_ms=30, seed=11)
    line.round_trip_ms = 30.0
    pair = Pair(line, size=(640, 360))
    pair.sender.set_target_bitrate(500_000)
    await pair.run(120)
    await pair.run_until_shown(110)
    assert line.nacked
    assert pair.receiver.stats().frozen_ms <= 0.01 * 4_000
    assert len(pair.stamps) >= 105
    pair.close()


async def test_after_an_outage_of_a_second_pictures_are_back_within_one_and_a_half() -> None:
    line = Line(delay_ms=30)
    line.round_trip_ms = 30.0
    pair = Pair(line)
    await pair.run(15)
    line.drop = lambda packet: True
    line.answer_nacks = False
    await pair.run(30)
    line.drop = lambda packet: False
    line.answer_nacks = True
    back = pair.card._number
    began = pair.loop.time()
    feeding = asyncio.create_task(pair.run(60))
    await pair.until_shown(back)
    assert pair.loop.time() - began < 1.5
    feeding.cancel()
    pair.close()


async def test_a_screen_that_stands_still_shows_its_last_picture_and_is_not_frozen() -> None:
    pair = Pair(Line(), content=SourceContent.SCREEN)
    pair.push()
    assert (await pair.until_shown(0)).number == 0
    await asyncio.sleep(3 * FREEZE_LEAST_MS / 1000)
    assert pair.frozen == [] and pair.receiver.stats().freezes == 0
    pair.close()


async def test_muting_is_no_freeze_but_a_dead_end_in_the_middle_of_a_frame_is() -> None:
    line = Line()
    pair = Pair(line, size=(640, 360))
    await pair.run(15)
    await pair.run_until_shown(14)
    pair.sender.set_muted(True)
    await asyncio.sleep(2 * FREEZE_LEAST_MS / 1000)
    assert pair.frozen == []
    pair.sender.set_muted(False)
    line.answer_nacks = False
    line.drop = lambda packet: bool(packet.marker)
    pair.push()
    async with asyncio.timeout(5):
        await pair.froze.wait()
    assert pair.frozen == [("peer-v0", True)] and pair.receiver.stats().freezes == 1
    line.drop = lambda packet: False
    await pair.run(15)
    await pair.run_until_shown(20)
    assert pair.frozen[-1] == ("peer-v0", False)
    pair.close()


async def test_nobody_looks_nothing_is_decoded_and_looking_again_asks_a_keyframe() -> None:
    line = Line()
    pair = Pair(line)
    await pair.run(5)
    await pair.run_until_shown(4)
    pair.receiver.set_receiving(False)
    decoded = pair.receiver.stats().frames
    await pair.run(10)
    assert pair.receiver.stats().frames == decoded and pair.receiver.stats().packets > decoded
    asked = line.plis
    pair.receiver.set_receiving(True)
    assert line.plis == asked + 1
    await pair.run(15)
    assert (await pair.run_until_shown(20)).number >= 20
    pair.close()


async def test_ssrc_rewriting_moves_the_receiver_to_another_source() -> None:
    line = Line()
    pair = Pair(line)
    await pair.run(5)
    await pair.run_until_shown(4)
    other = FrameSlotImpl()
    seen: list[int] = []
    other.attach_raw(lambda frame, ms: seen.append(stamp.read(frame).number))
    pair.receiver.retarget(remote("other-v0"), other)
    shown = len(pair.stamps)
    # Delta frames of the new source cannot be decoded with the old source's pictures: a keyframe is waited for.
    await pair.run(20)
    async with asyncio.timeout(5):
        while not seen or seen[-1] < 20:
            await pair.run(1)
    assert len(pair.stamps) == shown
    assert pair.started == ["peer-v0", "other-v0"]
    assert line.plis >= 1
    pair.close()


async def test_a_decoder_error_costs_one_keyframe_not_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.media import video_receive
    from app.media.video_codec import DecodeError, VideoDecoder

    line = Line()
    pair = Pair(line)
    await pair.run(5)
    await pair.run_until_shown(4)
    decode = VideoDecoder.decode
    failures = [1]

    def broken(self: VideoDecoder, data: bytes) -> object:
        if failures and failures.pop():
            raise DecodeError("broken on purpose")
        return decode(self, data)

    monkeypatch.setattr(video_receive.VideoDecoder, "decode", broken)
    await pair.run(25)
    await pair.run_until_shown(28)
    assert pair.receiver.stats().decode_errors == 1 and line.plis >= 1
    pair.close()


async def test_lip_sync_holds_pictures_back() -> None:
    import time

    pair = Pair(Line())
    # The sender's clock says that a picture taken now carries this RTP timestamp.
    pair.receiver.sender_report(time.time() * 1000, pair.sender.rtp_time(pair.loop.time() * 1000))
    await pair.run(10)
    await pair.run_until_shown(9)
    at_once = pair.receiver.delay_ms
    assert at_once is not None and at_once < 1_000
    pair.receiver.set_target_delay(at_once + 200)
    before = time.time() * 1000
    number = pair.push()
    shown = await pair.until_shown(number)
    assert time.time() * 1000 - before >= 150
    assert shown.number == number
    await pair.run(30)
    await pair.until_shown(number + 25)
    assert [found.number for found in pair.stamps] == sorted({found.number for found in pair.stamps})
    pair.close()


async def test_sound_a_little_behind_does_not_hold_pictures_back() -> None:
    import time

    pair = Pair(Line())
    pair.receiver.sender_report(time.time() * 1000, pair.sender.rtp_time(pair.loop.time() * 1000))
    await pair.run(10)
    await pair.run_until_shown(9)
    timestamp = pair.sender.rtp_time(pair.loop.time() * 1000)
    # A picture taken now: nothing of its delay has passed, so the tolerance is all that the sound may be behind.
    pair.receiver.set_target_delay(SYNC_TOLERANCE_MS)
    assert pair.receiver._hold_ms(timestamp) == 0.0
    pair.receiver.set_target_delay(SYNC_TOLERANCE_MS + 200)
    assert 100 <= pair.receiver._hold_ms(timestamp) <= 201
    pair.close()


async def test_a_phone_held_upright_is_shown_upright() -> None:
    line = Line()
    pair = Pair(line)
    receive = pair.receiver.receive

    def turn(packet: RtpPacket) -> None:
        if packet.marker:
            packet.rotation = 90  # type: ignore[attr-defined]
        receive(packet, pair.loop.time() * 1000)

    line.deliver = turn  # type: ignore[method-assign]
    shown = asyncio.Event()
    sizes: list[tuple[int, int]] = []

    def see(frame: av.VideoFrame, ms: float) -> None:
        sizes.append((frame.width, frame.height))
        pair.loop.call_soon_threadsafe(shown.set)

    pair.slot.attach_raw(see)
    pair.push()
    async with asyncio.timeout(5):
        await shown.wait()
    assert sizes[0] == (180, 320)
    pair.close()


class Quiet:
    round_trip_ms = 30.0

    def request_keyframe(self, ssrc: int) -> None: ...

    def request_retransmission(self, ssrc: int, sequence_numbers: list[int]) -> None:
        assert 0 < len(sequence_numbers) <= 128


rubbish = st.lists(
    st.tuples(
        st.integers(0, 65_535),
        st.integers(0, 2**32 - 1),
        st.booleans(),
        st.sampled_from([100, 107, 96]),
        st.one_of(
            st.binary(max_size=60),
            st.binary(max_size=30).map(lambda end: b"\x10\x10\x02\x00\x9d\x01\x2a@\x00@\x00" + end),
        ),
    ),
    max_size=40,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rubbish)
def test_rubbish_never_raises_past_the_receiver(arrivals: list[tuple[int, int, bool, int, bytes]]) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        errors: list[dict[str, object]] = []
        loop.set_exception_handler(lambda _, context: errors.append(context))
        slot = FrameSlotImpl()
        receiver = VideoReceiver(remote(), (VP8, H264), Quiet(), slot, lambda name: None, lambda name, frozen: None)
        for sequence, timestamp, marker, payload_type, payload in arrivals:
            packet = RtpPacket(payload_type, int(marker), sequence, timestamp, 4711, payload)
            receiver.receive(packet, loop.time() * 1000)
        await asyncio.sleep(0.005)
        receiver.stats()
        receiver.close()
        assert errors == []

    asyncio.run(run())


async def test_retransmissions_and_duplicates_are_shown_once() -> None:
    line = Line()
    pair = Pair(line)
    pair.receiver.receive, deliver = pair.receiver.receive, pair.receiver.receive  # type: ignore[method-assign]

    def twice(packet: RtpPacket) -> None:
        now = pair.loop.time() * 1000
        deliver(packet, now)
        deliver(packet, now)
        if line.sent:
            deliver(line.sent[max(0, len(line.sent) - 5)], now)

    line.deliver = twice  # type: ignore[method-assign]
    await pair.run(20)
    await pair.run_until_shown(19)
    numbers = [found.number for found in pair.stamps]
    assert numbers == sorted(set(numbers)) and len(numbers) >= 15
    pair.close()
