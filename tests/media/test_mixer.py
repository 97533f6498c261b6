"""Sum, volumes, limiter, taps and sounds."""

from __future__ import annotations

import numpy as np
import pytest

from app.media.mixer import MAX_SOUNDS, Mixer
from app.media.tones import power_at, sine
from tests.media.audio_helpers import Samples, roughness, tone


class Voice:
    """An endless tone."""

    def __init__(self, hz: float, level: float = 0.2, participant: str = "a", offset: float | None = None) -> None:
        self.volume = 1.0
        self.active = True
        self.participant_id = participant
        self.playout_offset_ms = offset
        self.pulled = 0
        self._hz, self._level = hz, level

    def pull(self, at_ms: float, latency_ms: float) -> Samples:
        self.pulled += 1
        return sine(self._hz, 480, self._level, (self.pulled - 1) * 480).astype(np.int16)


def play(mixer: Mixer, blocks: int = 100) -> Samples:
    return np.concatenate([mixer.pull(index * 10.0) for index in range(blocks)])


def test_sources_are_summed_with_their_volumes() -> None:
    mixer = Mixer()
    loud, quiet, off = Voice(500), Voice(900), Voice(1300)
    quiet.volume, off.volume = 0.5, 0.0
    for voice in (loud, quiet, off):
        mixer.add(voice)
    result = play(mixer)
    assert power_at(result, 500) == pytest.approx(0.2 * 32767, rel=0.02)
    assert power_at(result, 900) == pytest.approx(0.1 * 32767, rel=0.02)
    assert power_at(result, 1300) < 5
    # A source at volume zero still consumes its packets.
    assert off.pulled == 100


def test_silent_sources_are_not_asked() -> None:
    mixer = Mixer()
    voice = Voice(500)
    voice.active = False
    mixer.add(voice)
    assert not play(mixer, 5).any()
    assert voice.pulled == 0


def test_limiter_holds_peaks_without_distortion() -> None:
    mixer = Mixer()
    for _ in range(6):
        mixer.add(Voice(500, 0.5))
    result = play(mixer)
    assert np.max(np.abs(result[4800:])) <= 0.93 * 32767
    assert roughness(result[4800:], 500) < 0.001
    assert power_at(result[4800:], 500) > 0.85 * 32767


def test_gain_returns_after_a_loud_moment() -> None:
    mixer = Mixer()
    shout = Voice(500, 0.9)
    other = Voice(500, 0.9)
    voice = Voice(900, 0.2)
    for one in (shout, other, voice):
        mixer.add(one)
    play(mixer, 20)
    mixer.remove(shout)
    mixer.remove(other)
    assert power_at(play(mixer, 200)[48_000:], 900) == pytest.approx(0.2 * 32767, rel=0.03)


def test_taps_get_exactly_what_is_played() -> None:
    mixer = Mixer()
    mixer.add(Voice(500))
    heard: list[Samples] = []
    times: list[float] = []
    remove = mixer.add_tap(lambda block, at_ms: (heard.append(block), times.append(at_ms)))
    played = [mixer.pull(100.0, 35.0), mixer.pull(110.0, 35.0)]
    remove()
    mixer.pull(120.0)
    assert np.array_equal(np.concatenate(heard), np.concatenate(played))
    assert times == [135.0, 145.0]


def test_sounds_end_loop_and_stop() -> None:
    mixer = Mixer()
    done = []
    mixer.play(tone(700, 0.1), on_done=lambda: done.append(True))
    result = play(mixer, 20)
    assert power_at(result[:4800], 700) > 8_000
    assert not result[4800:].any()
    assert done == [True]
    ring = mixer.play(tone(700, 0.05), loop=True)
    assert power_at(play(mixer, 50), 700) > 8_000
    ring.stop()
    play(mixer, 2)
    assert not play(mixer, 10).any()


def test_sounds_are_bounded() -> None:
    mixer = Mixer()
    for _ in range(50):
        mixer.play(tone(700, 1.0), loop=True, volume=0.01)
    play(mixer, 2)
    assert len(mixer._sounds) <= MAX_SOUNDS
    assert not mixer.play(np.zeros(0, np.int16), loop=True)._loop or play(mixer, 1).shape == (480,)


def test_stereo_repeats_the_mix() -> None:
    mixer = Mixer(channels=2)
    mixer.add(Voice(500))
    block = mixer.pull(0.0)
    assert block.shape == (480, 2)
    assert np.array_equal(block[:, 0], block[:, 1])


def test_lip_sync_offsets_are_published_per_participant() -> None:
    mixer = Mixer()
    voice = Voice(500, participant="p1", offset=-1234.5)
    mixer.add(voice)
    assert mixer.playout_offset_ms("p1") is None
    mixer.pull(0.0)
    assert mixer.playout_offset_ms("p1") == -1234.5
    mixer.remove(voice)
    assert mixer.playout_offset_ms("p1") is None


def test_silenced_output_still_runs() -> None:
    mixer = Mixer()
    voice = Voice(500)
    mixer.add(voice)
    mixer.volume = 0.0
    assert not play(mixer, 10).any()
    assert voice.pulled == 10


def test_broken_source_and_broken_tap_cost_only_themselves(caplog: pytest.LogCaptureFixture) -> None:
    mixer = Mixer()

    class Broken(Voice):
        def pull(self, at_ms: float, latency_ms: float) -> Samples:
            raise RuntimeError("decoder")

    def broken_tap(block: Samples, at_ms: float) -> None:
        raise RuntimeError("disk full")

    heard: list[Samples] = []
    mixer.add(Broken(300))
    mixer.add(Voice(500))
    mixer.add_tap(broken_tap)
    mixer.add_tap(lambda block, at_ms: heard.append(block))
    assert power_at(play(mixer, 100), 500) > 6_000
    assert len(heard) == 100
    assert len(mixer._sources) == len(mixer._taps) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
