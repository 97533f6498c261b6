"""Two engines, real codecs, loopback: what A's card and tone say is read from B's picture slot and loudspeaker."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from app.calls.model import MediaKind, SourceContent
from app.media import api, stamp
from app.media.api import AudioInput, RemoteSource, TransportConfig, VideoInput
from app.media.engine import Engine, EngineTransport
from app.media.errors import InvalidState
from app.media.tones import find_chirps, power_at
from tests.media.transport_tools import AUDIO, eventually, video

LOOPBACK = ("127.0.0.1",)
TONE_HZ = 700.0


class Side:
    def __init__(self, name: str) -> None:
        self.name = name
        self.engine = Engine(bind_addresses=LOOPBACK)
        self.events: list[Any] = []
        self.changed = asyncio.Event()
        self.transport: EngineTransport

    async def open(self, **changes: Any) -> None:
        values = {"call_id": self.name, "media": (AUDIO, video()), "use_ipv6": False, "data_channel": True, **changes}
        self.transport = await self.engine.open_transport(TransportConfig(**values), self._on_event)

    def _on_event(self, event: Any) -> None:
        self.events.append(event)
        self.changed.set()

    def of(self, kind: type) -> list[Any]:
        return [e for e in self.events if isinstance(e, kind)]

    async def until(self, condition: Any, timeout_s: float = 15.0) -> None:
        await eventually(condition, timeout_s, self.changed)

    async def connected(self) -> None:
        await self.until(lambda: any(e.state == "connected" for e in self.of(api.TransportStateChanged)))


class Ear:
    """Records what an engine's loudspeaker plays."""

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock()
        self._blocks: list[np.ndarray] = []
        self.remove = engine._inputs.mixer.add_tap(self._hear)

    def _hear(self, block: np.ndarray, at_ms: float) -> None:
        with self._lock:
            self._blocks.append(block.copy())

    def heard(self, seconds: float) -> np.ndarray:
        with self._lock:
            blocks = self._blocks[-round(seconds * 100) :]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


class Eye:
    """Reads the stamps of every picture of a slot."""

    def __init__(self, slot: Any) -> None:
        self.stamps: list[tuple[stamp.Stamp, float]] = []
        self.sizes: set[tuple[int, int]] = set()
        self.remove = slot.attach_raw(self._see)

    def _see(self, frame: Any, at_ms: float) -> None:
        self.sizes.add((frame.width, frame.height))
        found = stamp.read(frame)
        if found is not None:
            self.stamps.append((found, time.time() * 1000))


@pytest.fixture
async def sides() -> Any:
    left, right = Side("left"), Side("right")
    await left.open()
    await right.open(controlling=True, setup="actpass")
    await left.transport.start(right.transport.local)
    await right.transport.start(left.transport.local)
    await left.connected()
    await right.connected()
    yield left, right
    await asyncio.gather(left.engine.close(), right.engine.close())


def remote(local: api.LocalSource, name: str = "", participant: str = "left") -> RemoteSource:
    return RemoteSource(name or local.name, participant, local.kind, local.content, local.ssrc, local.rtx_ssrc)


async def test_card_and_tone_arrive(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=640, height=360, fps=30))
    await left.engine.set_microphone(AudioInput(kind="test", tone_hz=TONE_HZ))
    mic = await left.transport.add_sender("left-a0", SourceContent.MICROPHONE)
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    ear, eye = Ear(right.engine), Eye(right.transport.slot("left-v0"))
    right.transport.map_source(remote(mic))
    right.transport.map_source(remote(cam))
    await asyncio.sleep(0.4)
    assert not right.of(api.SourceStarted), "a sender is silent until it is unmuted"
    left.transport.set_muted("left-a0", False)
    left.transport.set_muted("left-v0", False)
    await right.until(lambda: {e.name for e in right.of(api.SourceStarted)} == {"left-a0", "left-v0"})
    await right.until(lambda: len(eye.stamps) > 45)
    numbers = [s.number for s, _ in eye.stamps]
    assert numbers == sorted(numbers)
    ages = sorted(s.age_ms(at) for s, at in eye.stamps[10:])
    assert 0 <= ages[len(ages) // 2] < 600
    await right.until(lambda: len(ear.heard(10)) >= 48_000 * 2)
    sound = ear.heard(1.2)
    assert power_at(sound, TONE_HZ) > 5 * power_at(sound, 1000.0)
    assert find_chirps(sound)
    await right.until(lambda: any(e.levels.get("left-a0", 0) > 0.3 for e in right.of(api.AudioLevels)))
    await right.until(
        lambda: any(t.fps and t.fps > 15 for e in right.of(api.StatsReported) for t in e.stats.tracks if t.frames)
    )
    stats = right.of(api.StatsReported)[-1].stats
    tracks = {t.source: t for t in stats.tracks}
    assert (tracks["left-v0"].width, tracks["left-v0"].height) in eye.sizes
    assert tracks["left-v0"].codec == "VP8" and tracks["left-a0"].codec == "opus"
    assert stats.receive_bitrate_bps > 20_000 and stats.srtp_profile
    # Mute: no packet more, at once.
    left.transport.set_muted("left-v0", True)
    left.transport.set_muted("left-a0", True)
    await asyncio.sleep(0.5)
    seen = len(eye.stamps)
    await asyncio.sleep(0.5)
    assert len(eye.stamps) == seen
    assert power_at(ear.heard(0.3), TONE_HZ) < power_at(sound, TONE_HZ) / 10


async def test_five_percent_loss_costs_no_freeze(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=640, height=360, fps=30))
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    eye = Eye(right.transport.slot("left-v0"))
    right.transport.map_source(remote(cam))
    left.transport.set_muted("left-v0", False)
    await right.until(lambda: len(eye.stamps) > 20)
    right.transport.inject_faults(loss=0.05, delay_ms=15)
    start = len(eye.stamps)
    began = time.monotonic()
    await right.until(lambda: len(eye.stamps) > start + 90, timeout_s=20)
    assert time.monotonic() - began < 8
    numbers = [s.number for s, _ in eye.stamps[start:]]
    assert len(set(numbers)) / (numbers[-1] - numbers[0] + 1) > 0.8


async def test_rewritten_ssrc_changes_name_and_slot(sides: tuple[Side, Side]) -> None:
    """The bridge moves a slot to another source: pictures go to the new name, with no receiver lost."""
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=30))
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    first, second = Eye(right.transport.slot("ann-v0")), Eye(right.transport.slot("bob-v0"))
    right.transport.map_source(remote(cam, "ann-v0", "ann"))
    left.transport.set_muted("left-v0", False)
    await right.until(lambda: len(first.stamps) > 5)
    right.transport.map_source(remote(cam, "bob-v0", "bob"))
    await right.until(lambda: len(second.stamps) > 5)
    seen = len(first.stamps)
    await right.until(lambda: len(second.stamps) > 20)
    assert len(first.stamps) == seen
    assert [e.name for e in right.of(api.SourceStarted)] == ["ann-v0", "bob-v0"]


async def test_packets_before_the_mapping_are_not_lost(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.engine.set_microphone(AudioInput(kind="test"))
    mic = await left.transport.add_sender("left-a0", SourceContent.MICROPHONE)
    left.transport.set_muted("left-a0", False)
    await asyncio.sleep(0.3)
    right.transport.map_source(remote(mic))
    await right.until(lambda: bool(right.of(api.SourceStarted)))
    media = right.transport.media
    assert media.transport.session.reception[mic.ssrc].packets > 5


async def test_paused_by_the_far_side_and_unwanted(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=640, height=360, fps=30))
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    eye = Eye(right.transport.slot("left-v0"))
    right.transport.map_source(remote(cam))
    left.transport.set_muted("left-v0", False)
    await right.until(lambda: len(eye.stamps) > 5)
    left.transport.set_max_height("left-v0", 0)
    await asyncio.sleep(0.4)
    seen = len(eye.stamps)
    await asyncio.sleep(0.4)
    assert len(eye.stamps) == seen
    left.transport.set_max_height("left-v0", 180)
    await right.until(lambda: (320, 180) in eye.sizes)
    right.transport.set_receiving("left-v0", False)
    await asyncio.sleep(0.3)
    seen = len(eye.stamps)
    await asyncio.sleep(0.4)
    assert len(eye.stamps) == seen
    right.transport.set_receiving("left-v0", True)
    await right.until(lambda: len(eye.stamps) > seen + 5)


async def test_data_channel_and_dtmf(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.transport.open_data_channel("JVB data channel", "http://jitsi.org/protocols/colibri")
    await left.until(lambda: bool(left.of(api.DataChannelOpened)))
    left.transport.send_data("JVB data channel", "ping")
    await right.until(lambda: bool(right.of(api.DataChannelMessage)))
    assert right.of(api.DataChannelMessage)[0].text == "ping"
    seen: list[Any] = []
    right.transport.media.transport.session.on_rtp = lambda p: seen.append(p) if p.payload_type == 126 else None
    await left.transport.add_sender("left-a0", SourceContent.MICROPHONE)
    left.transport.send_dtmf("left-a0", "1", 120, 60)
    await right.until(lambda: any(p.payload[1] & 0x80 for p in seen))
    assert {p.payload[0] for p in seen} == {1}
    assert MediaKind.AUDIO is MediaKind("audio")


async def test_recording_of_a_call_has_both_sides(sides: tuple[Side, Side], tmp_path: Path) -> None:
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=30))
    await left.engine.set_microphone(AudioInput(kind="test", tone_hz=TONE_HZ))
    mic = await left.transport.add_sender("left-a0", SourceContent.MICROPHONE)
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    right.transport.map_source(remote(mic))
    right.transport.map_source(remote(cam))
    for name in ("left-a0", "left-v0"):
        left.transport.set_muted(name, False)
    await right.until(lambda: len(right.of(api.SourceStarted)) == 2)
    with pytest.raises(InvalidState):
        await right.engine.start_recording(tmp_path / "other.mkv", "no such call")
    for side in sides:
        await side.engine.start_recording(tmp_path / f"{side.name}.mkv", side.name)
    await asyncio.sleep(2.0)
    heard = await right.engine.stop_recording()
    # Closing the call finishes the other file.
    await left.transport.close()
    for path in (heard, tmp_path / "left.mkv"):
        assert path is not None
        sound, pictures = play(path)
        assert power_at(sound[len(sound) // 2 :], TONE_HZ) > 1000
        assert any(stamp.read(picture) is not None for picture in pictures)


def play(path: Path) -> tuple[np.ndarray, list[Any]]:
    with av.open(str(path)) as container:
        sound, pictures = [], []
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame)
            else:
                samples = frame.to_ndarray()[0]
                sound.append((samples * 32767).astype(np.int16) if samples.dtype == np.float32 else samples)
    return np.concatenate(sound), pictures


async def test_restart_and_outage_through_the_facade(sides: tuple[Side, Side]) -> None:
    left, right = sides
    await left.engine.set_camera(VideoInput(kind="test", width=320, height=180, fps=30))
    cam = await left.transport.add_sender("left-v0", SourceContent.CAMERA)
    eye = Eye(right.transport.slot("left-v0"))
    right.transport.map_source(remote(cam))
    left.transport.set_muted("left-v0", False)
    await right.until(lambda: len(eye.stamps) > 5)
    before = left.transport.local
    offer, answer = await left.transport.restart_ice(), await right.transport.restart_ice()
    assert left.transport.local == offer and offer.ufrag != before.ufrag
    await left.transport.continue_ice(answer)
    await right.transport.continue_ice(offer)
    seen = len(eye.stamps)
    await right.until(lambda: len(eye.stamps) > seen + 60)
    numbers = [s.number for s, _ in eye.stamps[seen:]]
    assert len(set(numbers)) / (numbers[-1] - numbers[0] + 1) > 0.9, "the restart cost pictures"
    right.transport.inject_faults(blackhole=True)
    await right.until(lambda: right.of(api.TransportStateChanged)[-1].state == "disconnected")
    right.transport.inject_faults()
    seen, began = len(eye.stamps), time.monotonic()
    await right.until(lambda: len(eye.stamps) > seen + 5)
    assert time.monotonic() - began < 3.0
    await right.until(lambda: right.of(api.TransportStateChanged)[-1].state == "connected")
