"""Sender to receiver over an in-memory wire: codecs, timestamps, mute, levels, tones, lip sync, latency."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind, SourceContent
from app.media.api import Codec, RemoteSource
from app.media.audio_receive import AudioReceiver
from app.media.audio_send import AudioSender
from app.media.mixer import Mixer
from app.media.tones import TestSignal, find_chirps, power_at
from tests.media.audio_helpers import Samples, frequency, speech, tone

OPUS = Codec(111, "opus", 48_000, 2, {"useinbandfec": "1", "minptime": "10"})
PCMA = Codec(8, "PCMA", 8_000)
PCMU = Codec(0, "PCMU", 8_000)
EVENT = Codec(126, "telephone-event", 8_000)


class Wire:
    """Collects what a sender gives to its transport."""

    def __init__(self) -> None:
        self.packets: list[RtpPacket] = []
        self.levels: list[int | None] = []
        self.voice: list[bool] = []

    def send_rtp(self, packet: RtpPacket, *, audio_level_dbov: int | None = None, voice: bool = False) -> None:
        self.packets.append(packet)
        self.levels.append(audio_level_dbov)
        self.voice.append(voice)


def source(name: str = "p1-a0", participant: str = "p1") -> RemoteSource:
    return RemoteSource(name, participant, MediaKind.AUDIO, SourceContent.MICROPHONE, 1234)


def blocks(sound: Samples) -> list[Samples]:
    return [sound[at : at + 960] for at in range(0, len(sound) - 959, 960)]


def send(sender: AudioSender, sound: Samples, start_ms: float = 0.0) -> None:
    for index, block in enumerate(blocks(sound)):
        sender.push(block, start_ms + index * 20.0)


def hear(receiver: AudioReceiver, mixer: Mixer, packets: list[RtpPacket], network_ms: float = 5.0) -> Samples:
    """Packet *n* is sent when its block is complete; pulled every 10 ms from time 0 on."""
    queue = [(20.0 * (index + 1) + network_ms, packet) for index, packet in enumerate(packets)]
    result = []
    for tick in range(len(packets) * 2):
        now = tick * 10.0
        while queue and queue[0][0] <= now:
            arrived, packet = queue.pop(0)
            receiver.receive(packet, arrived)
        result.append(mixer.pull(now))
    return np.concatenate(result)


@pytest.mark.parametrize("codec", [OPUS, PCMA, PCMU], ids=lambda codec: codec.name)
def test_tone_arrives(codec: Codec) -> None:
    wire, mixer, started = Wire(), Mixer(), []
    send(AudioSender(1234, codec, wire), tone(440, 3))
    receiver = AudioReceiver(source(), [OPUS, PCMA, PCMU], mixer, lambda: started.append(True))
    result = hear(receiver, mixer, wire.packets)
    assert frequency(result[48_000:]) == pytest.approx(440, abs=0.2)
    assert power_at(result[48_000:], 440) == pytest.approx(0.3 * 32767, rel=0.1)
    assert started == [True]
    stats = receiver.stats()
    assert stats.codec == codec.name
    assert stats.packets >= 149
    assert stats.level_dbov == pytest.approx(-13.5, abs=1)


def test_latency_from_block_to_loudspeaker_under_65_ms() -> None:
    """Own share without devices: capture of a 20 ms block, coding, buffer (the network's 5 ms not counted)."""
    wire, mixer = Wire(), Mixer()
    signal = TestSignal(440.0, 0.0)
    send(AudioSender(1234, OPUS, wire), signal.block(48_000 * 5))
    receiver = AudioReceiver(source(), [OPUS], mixer, lambda: None)
    chirps = find_chirps(hear(receiver, mixer, wire.packets))
    latencies = [at / 48 % 1000 - 5 for at in chirps[1:]]
    assert len(latencies) >= 3
    assert all(20 < latency <= 65 for latency in latencies), latencies


def test_timestamps_go_on_over_mute_and_speech_begins_with_the_marker() -> None:
    wire = Wire()
    sender = AudioSender(1234, OPUS, wire)
    send(sender, tone(440, 0.2))
    sender.set_muted(True)
    send(sender, tone(440, 1.0), 200.0)
    assert len(wire.packets) == 10
    sender.set_muted(False)
    send(sender, tone(440, 0.2), 1_200.0)
    stamps = [packet.timestamp for packet in wire.packets]
    assert (stamps[10] - stamps[9]) & 0xFFFFFFFF == 51 * 960
    assert [packet.marker for packet in wire.packets] == [1] + [0] * 9 + [1] + [0] * 9
    sequences = [packet.sequence_number for packet in wire.packets]
    assert [(b - a) & 0xFFFF for a, b in zip(sequences, sequences[1:], strict=False)] == [1] * 19


def test_timestamps_follow_the_clock_when_the_device_was_closed() -> None:
    wire = Wire()
    sender = AudioSender(1234, OPUS, wire)
    send(sender, tone(440, 0.1))
    send(sender, tone(440, 0.1), 10_000.0)
    stamps = [packet.timestamp for packet in wire.packets]
    assert (stamps[5] - stamps[4]) & 0xFFFFFFFF == pytest.approx((10_000 - 80) * 48, abs=1)


def test_digital_silence_is_sent_and_not_marked_as_such() -> None:
    wire = Wire()
    send(AudioSender(1234, OPUS, wire), np.zeros(48_000, np.int16))
    assert len(wire.packets) == 50
    assert set(wire.levels) == {-126}
    assert not any(wire.voice)


def test_levels_and_voice_of_speech() -> None:
    wire = Wire()
    send(AudioSender(1234, OPUS, wire), speech(3))
    assert -45 < np.mean(wire.levels) < -10
    assert sum(wire.voice) > 75


async def test_dtmf_on_the_audio_ssrc_reaches_the_other_side() -> None:
    wire, mixer, heard = Wire(), Mixer(), []
    sender = AudioSender(1234, OPUS, wire, telephone_event=EVENT, muted=True)
    receiver = AudioReceiver(source(), [OPUS, EVENT], mixer, lambda: None, lambda digit, ms: heard.append((digit, ms)))
    assert sender.send_dtmf("1#", 60, 30)
    async with asyncio.timeout(10):
        await sender.tones_done.wait()
    sender.close()
    assert {packet.payload_type for packet in wire.packets} == {126}
    assert {packet.ssrc for packet in wire.packets} == {1234}
    starts = [packet for packet in wire.packets if packet.marker]
    assert len(starts) == 2
    assert len({packet.timestamp for packet in wire.packets}) == 2
    for packet in wire.packets:
        receiver.receive(packet, 0.0)
    assert heard == [("1", 60.0), ("#", 60.0)]


def test_dtmf_is_refused_when_not_negotiated() -> None:
    assert AudioSender(1, OPUS, Wire()).send_dtmf("1") is False


def test_audio_pauses_during_a_tone() -> None:
    wire = Wire()
    sender = AudioSender(1234, OPUS, wire, telephone_event=EVENT)
    sender._dtmf.add("1", 100)
    sender._dtmf.due(0.0)
    send(sender, tone(440, 0.1))
    assert not wire.packets


def test_bitrate_is_bounded_below_and_above() -> None:
    for asked, low, high in ((1_000, 18_000, 30_000), (5_000_000, 35_000, 60_000)):
        wire = Wire()
        sender = AudioSender(1234, OPUS, wire)
        sender.set_target_bitrate(asked)
        send(sender, speech(3))
        assert low < sum(len(packet.payload) for packet in wire.packets) * 8 / 3 < high


def test_playout_offset_tells_when_a_moment_of_the_sender_is_heard() -> None:
    wire, mixer = Wire(), Mixer()
    sender = AudioSender(1234, OPUS, wire)
    send(sender, tone(440, 3))
    receiver = AudioReceiver(source(), [OPUS], mixer, lambda: None)
    # The sender's wall clock was 1,000,000 when its first block began, at our time 0.
    receiver.sender_report(1_000_000.0, wire.packets[0].timestamp)
    hear(receiver, mixer, wire.packets)
    offset = mixer.playout_offset_ms("p1")
    assert offset is not None
    delay = 1_000_000 + offset
    assert 45 <= delay <= 80
    assert delay == pytest.approx(25 + receiver.stats().jitter.buffer_ms, abs=10.5)


def test_remapped_ssrc_starts_anew() -> None:
    wire, mixer, started = Wire(), Mixer(), []
    send(AudioSender(1234, OPUS, wire), tone(440, 1))
    receiver = AudioReceiver(source(), [OPUS], mixer, lambda: started.append(receiver.source.name))
    hear(receiver, mixer, wire.packets)
    receiver.remap(source("p2-a0", "p2"))
    assert not receiver.active
    hear(receiver, mixer, wire.packets)
    assert started == ["p1-a0", "p2-a0"]
    assert receiver.participant_id == "p2"


def test_codec_switches_in_the_stream() -> None:
    mixer = Mixer()
    receiver = AudioReceiver(source(), [OPUS, PCMA], mixer, lambda: None)
    for codec, hz in ((OPUS, 440), (PCMA, 700)):
        wire = Wire()
        send(AudioSender(1234, codec, wire), tone(hz, 2))
        assert frequency(hear(receiver, mixer, wire.packets)[48_000:]) == pytest.approx(hz, abs=0.5)


def test_closed_receiver_is_silent_and_harmless() -> None:
    wire, mixer = Wire(), Mixer()
    send(AudioSender(1234, OPUS, wire), tone(440, 0.5))
    receiver = AudioReceiver(source(), [OPUS], mixer, lambda: None)
    hear(receiver, mixer, wire.packets)
    receiver.close()
    receiver.receive(wire.packets[0], 600.0)
    assert not mixer.pull(600.0).any()
    assert not receiver.active


def test_garbage_and_unknown_payloads_are_dropped() -> None:
    mixer, started = Mixer(), []
    receiver = AudioReceiver(source(), [OPUS, EVENT, Codec(13, "CN", 8000)], mixer, lambda: started.append(True))
    for payload_type in (5, 13, 126, 111):
        for payload in (b"", b"\x00", b"\xff" * 3000, bytes(range(200))):
            receiver.receive(RtpPacket(payload_type=payload_type, payload=payload, sequence_number=7), 0.0)
    for tick in range(30):
        assert mixer.pull(tick * 10.0).shape == (480,)
