"""The engine facade with fake receivers and senders: threads, mapping, isolation, sharing, clean ends."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind, SourceContent
from app.media import api
from app.media.api import AudioInput, AudioOutput, RemoteSource, TransportConfig, VideoInput
from app.media.call_media import EARLY_PACKETS, MAX_RESTARTS
from app.media.engine import Engine, EngineTransport
from app.media.errors import DeviceError, InvalidState
from tests.media.transport_tools import AUDIO, eventually, video

LOOPBACK = ("127.0.0.1",)


class FakeReceiver:
    def __init__(self, source: RemoteSource, feedback: Any = None, started: Any = None) -> None:
        self.source, self.feedback, self.started = source, feedback, started
        self.packets: list[int] = []
        self.history = [source.name]
        self.closed = False
        self.wanted = True
        self.volume = 1.0
        self.level_dbov = -20.0
        self.poison: int | None = None

    def receive(self, packet: RtpPacket, arrived_ms: float) -> None:
        assert threading.current_thread().name == "media"
        if packet.sequence_number == self.poison:
            raise ZeroDivisionError("decoder bug")
        self.packets.append(packet.sequence_number)

    def retarget(self, source: RemoteSource, slot: Any) -> None:
        self.source = source
        self.history.append(source.name)

    def remap(self, source: RemoteSource) -> None:
        self.retarget(source, None)

    def set_receiving(self, wanted: bool) -> None:
        self.wanted = wanted

    def sender_report(self, ntp_ms: float, rtp_timestamp: int) -> None: ...

    def stats(self) -> Any:
        jitter = SimpleNamespace(buffer_ms=40.0, concealed_ms=0.0)
        return SimpleNamespace(
            codec="x", fps=1.0, width=2, height=2, freezes=0, frames=1, level_dbov=-20.0, jitter=jitter
        )

    def close(self) -> None:
        self.closed = True


class FakeSender:
    def __init__(self, ssrc: int, codec: api.Codec, sink: Any) -> None:
        self.ssrc, self.codec, self.sink = ssrc, codec, sink
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("set_", "request_", "send_", "push", "input_")):
            return lambda *args: self.calls.append((name, args))
        raise AttributeError(name)

    def stats(self) -> Any:
        return SimpleNamespace(codec="VP8", fps=1.0, width=2, height=2, frames=1, level_dbov=-20.0)

    def close(self) -> None:
        self.calls.append(("close", ()))

    def last(self, name: str) -> Any:
        return next(args for call, args in reversed(self.calls) if call == name)


class FakeParts:
    def __init__(self) -> None:
        self.receivers: list[FakeReceiver] = []
        self.senders: list[FakeSender] = []

    def audio_receiver(self, source: RemoteSource, codecs: Any, on_started: Any) -> FakeReceiver:
        self.receivers.append(FakeReceiver(source, started=on_started))
        return self.receivers[-1]

    def video_receiver(
        self, source: RemoteSource, codecs: Any, feedback: Any, slot: Any, on_started: Any, on_frozen: Any
    ) -> FakeReceiver:
        self.receivers.append(FakeReceiver(source, feedback, on_started))
        return self.receivers[-1]

    def audio_sender(self, ssrc: int, codec: api.Codec, sink: Any, telephone_event: Any) -> FakeSender:
        self.senders.append(FakeSender(ssrc, codec, sink))
        return self.senders[-1]

    def video_sender(self, ssrc: int, codec: api.Codec, sink: Any, content: SourceContent) -> FakeSender:
        self.senders.append(FakeSender(ssrc, codec, sink))
        return self.senders[-1]


class Bench:
    def __init__(self, engine: Engine, parts: FakeParts, transport: EngineTransport, events: list[Any]) -> None:
        self.engine, self.parts, self.transport, self.events = engine, parts, transport, events

    async def settle(self) -> None:
        """Everything posted so far has run."""

        async def nothing() -> None: ...

        await self.engine._thread.call(nothing())

    async def arrive(self, ssrc: int, *sequences: int, payload_type: int = 100) -> None:
        async def feed() -> None:
            import time

            session = self.transport.media.transport.session
            for sequence in sequences:
                packet = RtpPacket(payload_type, 0, sequence, sequence, ssrc, b"data")
                session.receive_rtp(packet.serialize(), time.monotonic() * 1000)

        await self.engine._thread.call(feed())


def source(name: str, ssrc: int, kind: MediaKind = MediaKind.VIDEO, rtx: int | None = None) -> RemoteSource:
    content = SourceContent.CAMERA if kind is MediaKind.VIDEO else SourceContent.MICROPHONE
    return RemoteSource(name, name.split("-")[0], kind, content, ssrc, rtx)


@pytest.fixture
async def bench() -> Any:
    parts, events = FakeParts(), []
    engine = Engine(parts=parts, bind_addresses=LOOPBACK)
    transport = await engine.open_transport(
        TransportConfig("call", media=(AUDIO, video()), use_ipv6=False), events.append
    )
    yield Bench(engine, parts, transport, events)
    await engine.close()


async def test_mapping_moves_receivers_and_names(bench: Bench) -> None:
    t = bench.transport
    t.map_source(source("a-v0", 1, rtx=11))
    t.map_source(source("b-v0", 2))
    await bench.arrive(1, 1)
    await bench.arrive(2, 1, 2)
    first, second = bench.parts.receivers
    assert (first.packets, second.packets) == ([1], [1, 2])
    # Slot 1 carries c now; a is gone.
    t.map_source(source("c-v0", 1))
    await bench.arrive(1, 2)
    assert first.history == ["a-v0", "c-v0"] and first.packets == [1, 2] and len(bench.parts.receivers) == 2
    # b moves to slot 3.
    t.map_source(source("b-v0", 3))
    await bench.arrive(3, 9)
    await bench.arrive(2, 3)
    third = bench.parts.receivers[2]
    assert second.closed and third.source.ssrc == 3 and third.packets == [9]
    # b moves to the slot of c: c ends, the receiver of the slot stays.
    t.map_source(source("b-v0", 1))
    await bench.arrive(1, 3)
    assert third.closed and first.history[-1] == "b-v0" and first.packets == [1, 2, 3]
    assert set(t.media.remotes) == {"b-v0"}
    t.unmap_source("b-v0")
    await bench.settle()
    assert first.closed and not t.media.remotes and not t.media._by_ssrc


async def test_the_same_mapping_again_changes_nothing(bench: Bench) -> None:
    bench.transport.map_source(source("a-v0", 1))
    bench.transport.map_source(source("a-v0", 1, rtx=5))
    await bench.arrive(1, 1)
    assert len(bench.parts.receivers) == 1 and not bench.parts.receivers[0].closed


async def test_a_crash_costs_one_source_and_comes_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.transport.map_source(source("a-v0", 1))
    bench.transport.map_source(source("b-v0", 2))
    await bench.settle()
    bench.parts.receivers[0].poison = 2
    await bench.arrive(1, 1, 2, 3)
    await bench.arrive(2, 7)
    a, b, again = bench.parts.receivers
    assert a.closed and again.packets == [3] and b.packets == [7] and not b.closed
    assert 1 in bench.transport.media.transport.session._keyframe_sent
    for round_ in range(MAX_RESTARTS + 3):
        for receiver in bench.parts.receivers:
            receiver.poison = 50 + round_
        await bench.arrive(1, 50 + round_)
    assert len(bench.parts.receivers) == 2 + MAX_RESTARTS
    assert len([r for r in caplog.records if "failed, starting it anew" in r.message]) == 1


async def test_early_packets_are_kept_bounded(bench: Bench) -> None:
    await bench.arrive(1, *range(10))
    bench.transport.map_source(source("a-v0", 1))
    await bench.settle()
    assert bench.parts.receivers[0].packets == list(range(10))
    for ssrc in range(100, 200):
        await bench.arrive(ssrc, *range(10))
    assert len(bench.transport.media._early) == EARLY_PACKETS


async def test_any_ssrc_of_a_kind(bench: Bench) -> None:
    """SIP peers need not signal SSRCs: 0 takes whatever comes for the kind, keyframes are asked of what came."""
    bench.transport.map_source(source("peer-v0", 0))
    await bench.arrive(4711, 1, 2)
    receiver = bench.parts.receivers[0]
    assert receiver.packets == [1, 2]

    async def ask() -> None:
        receiver.feedback.request_keyframe(0)

    await bench.engine._thread.call(ask())
    assert 4711 in bench.transport.media.transport.session._keyframe_sent


async def test_wishes_survive_unmapping(bench: Bench) -> None:
    t = bench.transport
    slot = t.slot("a-v0")
    t.set_receiving("a-v0", False)
    t.set_volume("a-a0", 0.25)
    t.map_source(source("a-v0", 1))
    t.map_source(source("a-a0", 2, MediaKind.AUDIO))
    await bench.settle()
    assert not bench.parts.receivers[0].wanted and bench.parts.receivers[1].volume == 0.25
    t.unmap_source("a-v0")
    assert t.slot("a-v0") is slot


async def test_levels_from_the_header_extension_and_statistics(bench: Bench) -> None:
    bench.transport.map_source(source("a-a0", 2, MediaKind.AUDIO))
    bench.transport.map_source(source("a-v0", 1))
    await bench.arrive(2, 1, payload_type=111)
    await eventually(lambda: any(isinstance(e, api.StatsReported) for e in bench.events))
    assert any(e.levels.get("a-a0", 0) > 0.5 for e in bench.events if isinstance(e, api.AudioLevels))
    stats = next(e.stats for e in bench.events if isinstance(e, api.StatsReported))
    assert {(t.source, t.direction) for t in stats.tracks} == {("a-a0", "inbound"), ("a-v0", "inbound")}


async def test_senders_share_what_the_far_side_allows(bench: Bench) -> None:
    t = bench.transport
    mic = await t.add_sender("me-a0", SourceContent.MICROPHONE)
    cam = await t.add_sender("me-v0", SourceContent.CAMERA)
    screen = await t.add_sender("me-v1", SourceContent.SCREEN)
    assert len({mic.ssrc, cam.ssrc, screen.ssrc, cam.rtx_ssrc, screen.rtx_ssrc}) == 5 and mic.rtx_ssrc is None
    assert mic.cname == cam.cname and len({mic.msid, cam.msid, screen.msid}) == 3
    with pytest.raises(InvalidState):
        await t.add_sender("me-v0", SourceContent.CAMERA)
    for name in ("me-a0", "me-v0", "me-v1"):
        t.set_muted(name, False)
    await bench.settle()

    async def remb() -> None:
        session = t.media.transport.session
        session.send_estimator.on_remb(948_000)
        session._bandwidth_changed()

    await bench.engine._thread.call(remb())
    _, camera, display = bench.parts.senders
    assert round(camera.last("set_target_bitrate")[0]) == 300_000
    assert round(display.last("set_target_bitrate")[0]) == 600_000
    t.set_max_height("me-v1", 0)
    await bench.settle()
    assert round(camera.last("set_target_bitrate")[0]) == 900_000
    t.set_max_height("me-v0", 180)
    await bench.settle()
    assert round(camera.last("set_target_bitrate")[0]) == 200_000
    await t.remove_sender("me-v0")
    assert ("close", ()) in camera.calls


async def test_keyframe_requests_and_loss_reach_the_sender(bench: Bench) -> None:
    from app.media import rtcp

    cam = await bench.transport.add_sender("me-v0", SourceContent.CAMERA)

    async def feed() -> None:
        bench.transport.media.transport.session.receive_rtcp(rtcp.make_pli(1, cam.ssrc))

    await bench.engine._thread.call(feed())
    assert bench.parts.senders[0].last("request_keyframe") == ()


async def test_events_come_on_the_subscribers_loop(bench: Bench) -> None:
    threads: set[str] = set()
    levels = asyncio.Event()

    def listener(event: Any) -> None:
        threads.add(threading.current_thread().name)
        if isinstance(event, api.LocalAudioLevel) and event.level > 0.3:
            levels.set()

    unsubscribe = bench.engine.subscribe(listener)
    await bench.engine.set_microphone(AudioInput(kind="test"))
    await asyncio.wait_for(levels.wait(), 5)
    assert threads == {threading.current_thread().name}
    unsubscribe()
    await bench.engine.set_microphone(None)


async def test_inputs_reach_senders_that_came_before_and_after(bench: Bench) -> None:
    await bench.transport.add_sender("one-v0", SourceContent.CAMERA)
    await bench.engine.set_camera(VideoInput(kind="test", width=64, height=36, fps=30))
    await bench.transport.add_sender("two-v0", SourceContent.CAMERA)
    await bench.engine.set_microphone(AudioInput(kind="test"))
    await bench.transport.add_sender("one-a0", SourceContent.MICROPHONE)
    await eventually(lambda: all(any(c[0] == "push" for c in s.calls) for s in bench.parts.senders))
    block, _ = bench.parts.senders[2].last("push")
    assert len(block) == 960
    await bench.engine.set_camera(None)
    assert bench.parts.senders[0].last("input_stopped") == ()
    assert bench.engine.preview(SourceContent.CAMERA).take() is None


async def test_device_errors_are_raised_and_told(bench: Bench) -> None:
    failures: list[Any] = []
    bench.engine.subscribe(lambda e: failures.append(e) if isinstance(e, api.InputFailed) else None)
    with pytest.raises(DeviceError) as raised:
        await bench.engine.set_speaker(AudioOutput(kind="device", device_id="no such"))
    assert raised.value.code == "not_found" and raised.value.what == "speaker"
    await asyncio.sleep(0.05)
    assert [(f.what, f.code) for f in failures] == [("speaker", "not_found")]


async def test_hints_about_muted_talk_need_a_muted_sender(bench: Bench) -> None:
    inputs = bench.engine._inputs
    assert inputs._muted is False
    await bench.transport.add_sender("me-a0", SourceContent.MICROPHONE)
    await bench.settle()
    assert inputs._muted is True
    bench.transport.set_muted("me-a0", False)
    await bench.settle()
    assert inputs._muted is False


async def test_test_sound_ends(bench: Bench) -> None:
    await asyncio.wait_for(bench.engine.play_test_sound(), 5)


async def test_closing_is_complete_and_idempotent() -> None:
    before = threading.active_count()
    for _ in range(3):
        engine = Engine(bind_addresses=LOOPBACK)
        events: list[Any] = []
        transport = await engine.open_transport(
            TransportConfig("x", media=(AUDIO, video()), data_channel=True), events.append
        )
        await transport.add_sender("a", SourceContent.MICROPHONE)
        with pytest.raises(InvalidState):
            transport.send_data("nothing", "x")
        await transport.close()
        await transport.close()
        transport.map_source(source("late-v0", 1))
        await engine.close()
        await engine.close()
        transport.set_muted("a", True)
        with pytest.raises(InvalidState):
            await transport.restart_ice()
    await asyncio.sleep(0.1)
    assert threading.active_count() <= before + 4


async def test_a_broken_sender_costs_itself_only(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    await bench.transport.add_sender("one-a0", SourceContent.MICROPHONE)
    await bench.transport.add_sender("two-a0", SourceContent.MICROPHONE)

    def broken(*args: Any) -> None:
        raise ZeroDivisionError

    bench.transport.media.locals["one-a0"].detach()
    bench.engine._inputs.add_sink(broken)
    await bench.engine.set_microphone(AudioInput(kind="test"))
    other = bench.parts.senders[1]
    await eventually(lambda: sum(call == "push" for call, _ in other.calls) > 5)
    assert len([r for r in caplog.records if "listener failed" in r.message]) == 1


@pytest.mark.logs_errors
async def test_broken_statistics_cost_one_receiver(bench: Bench) -> None:
    bench.transport.map_source(source("a-v0", 1))
    bench.transport.map_source(source("b-v0", 2))
    await bench.settle()
    bench.parts.receivers[0].stats = lambda: 1 / 0  # type: ignore[method-assign]
    await eventually(lambda: any(isinstance(e, api.StatsReported) for e in bench.events))
    assert bench.parts.receivers[0].closed and len(bench.parts.receivers) == 3


async def test_silence_is_told_once(bench: Bench) -> None:
    bench.transport.map_source(source("a-a0", 2, MediaKind.AUDIO))
    await bench.settle()
    bench.parts.receivers[0].level_dbov = -127.0
    await eventually(lambda: any(isinstance(e, api.StatsReported) for e in bench.events))
    assert [e.levels for e in bench.events if isinstance(e, api.AudioLevels)][-1:] in ([], [{}])
    assert sum(not e.levels for e in bench.events if isinstance(e, api.AudioLevels)) <= 1


async def test_closing_goes_on_when_nobody_waits_for_it(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(bind_addresses=("127.0.0.1",))
    transport = await engine.open_transport(
        TransportConfig("x", media=(AUDIO, video()), use_ipv6=False), lambda e: None
    )
    media = transport.media
    impatient = asyncio.ensure_future(transport.close())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    async with asyncio.timeout(5):
        await transport.close()
    assert media.transport.state == "closed" and not engine._transports
    await engine.close()
