"""What is measured, told to others or bounded: delays, quality reports, bit rates, hints about the microphone."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.events import AudioInputHint
from app.calls.model import StartMutedPolicy
from app.media.api import Device, MicrophoneHint
from app.media.devices import ClockThread, NullSpeaker
from app.media.mixer import now_ms
from app.media.tones import sine
from app.media.video_receive import VideoReceiver
from app.sandbox.jitsi import JitsiSandbox
from app.vendors.base import ActionRefused
from app.vendors.jitsi import reports
from tests.e2e.desk import TEST_INPUTS, Desk
from tests.e2e.jitsi_call import Person, eventually
from tests.media.turn_server import TurnServer


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


def _cells(window: Any) -> dict[str, str]:
    """The statistics panel as it stands on screen."""
    from ui.meeting.statistics import StatisticsPanel

    panel = window.findChild(StatisticsPanel)
    if panel is None:
        return {}
    return {left.text(): right.text().replace("\u200b", "") for _, left, right in _rows(panel)}


def _rows(panel: Any) -> Any:
    return [(None, left, right) for left, right in panel._cells]


# ---------------------------------------------------------------- delays


@pytest.mark.covers(
    "jitsi:option.conference.e2eping",
    "jitsi:option.conference.e2eping.pingInterval",
    "jitsi:option.conference.rttMonitor",
    "jitsi:option.conference.rttMonitor.enabled",
    "jitsi:option.conference.rttMonitor.initialDelay",
    "jitsi:option.conference.rttMonitor.getStatsInterval",
    "jitsi:option.conference.rttMonitor.stunServers",
    "jitsi:option.conference.deploymentInfo",
    "jitsi:option.conference.deploymentInfo.shard",
)
async def test_delays_and_deployment_in_the_statistics(english: Any, qtbot: Any) -> None:
    async with TurnServer() as stun:
        monitor = {
            "enabled": True,
            "initialDelay": 10,
            "getStatsInterval": 1000,
            "stunServers": {"moon": [f"127.0.0.1:{stun.port}"], "mars": ["127.0.0.1:9"]},
        }
        config = {"e2eping": {"enabled": True, "pingInterval": 150}, "rttMonitor": monitor}
        config["deploymentInfo"] = {"shard": "shard-7", "region": "earth", "userRegion": "earth"}
        async with (
            JitsiSandbox(bots=0, config=config) as sandbox,
            Person(sandbox.url("team"), "Bob") as bob,
            Desk() as desk,
        ):
            window = desk.open_window()
            await desk.join_by_window(sandbox.url("team"))
            await desk.seen(lambda: window.meeting)
            window.meeting.toggle_panel("statistics")
            shown = await desk.seen(
                lambda: c if {"Delay to Bob", "Rtt moon", "Shard"} <= set(c := _cells(window)) else None
            )
            assert shown["Delay to Bob"].removesuffix(" ms").isdigit()
            assert shown["Rtt moon"].removesuffix(" ms").isdigit() and "Rtt mars" not in shown
            assert (shown["Shard"], shown["Region"]) == ("shard-7", "earth")
            desk.call_id = desk.controller.calls()[0]
            # The other end: Bob got pings and answered each.
            truth = sandbox.participants("team")[bob.id]
            answers = [m for m in truth.channel_messages if m.get("msgPayload", {}).get("type") == "e2e-ping-response"]
            assert answers and answers[0]["to"] == desk.id


async def test_without_e2eping_nobody_is_pinged(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await ada.until(lambda s: s.capabilities["SendEndpointMessage"].allowed)
        await bob.until(lambda s: s.capabilities["SendEndpointMessage"].allowed)
        await ada.do(ac.SendEndpointMessage({"name": "last"}))
        await bob.event(ev.EndpointMessageReceived)
        sent = [m.get("msgPayload", {}).get("type") for m in sandbox.participants("team")[ada.id].channel_messages]
        assert "e2e-ping-request" not in sent


@pytest.mark.covers("jitsi:option.init.disableThirdPartyRequests")
async def test_third_parties_are_asked_nothing_unless_allowed() -> None:
    """A region's server elsewhere hears from us only when the person allows it."""
    for forbidden in (True, False):
        async with TurnServer() as stun:
            heard = 0
            handle = stun.handle

            async def count(*arguments: Any, handle: Any = handle) -> None:
                nonlocal heard
                heard += 1
                await handle(*arguments)

            stun.handle = count  # type: ignore[method-assign]
            own, other = f"127.0.0.1:{stun.port}", f"localhost:{stun.port}"
            monitor = {"enabled": True, "initialDelay": 0, "stunServers": {"own": [own], "other": [other]}}
            async with (
                JitsiSandbox(bots=0, config={"rttMonitor": monitor}) as sandbox,
                Desk(privacy__no_third_party=forbidden) as desk,
            ):
                await desk.join(sandbox.url("team"))
                state = await desk.until(lambda s: "rtt_own" in s.details)
                assert ("rtt_other" in state.details) is not forbidden
                assert heard == (1 if forbidden else 2)


async def test_quality_is_told_only_if_the_person_wants(sandbox: JitsiSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "STATS_INTERVAL_MS", 0)
    quiet = {"options": {"sendQuality": False}}
    async with Person(sandbox.url("team"), **quiet) as ada, Person(sandbox.url("team"), "Bob") as bob:

        def told(person: Person) -> bool:
            messages = sandbox.participants("team")[person.id].channel_messages
            return any(m.get("colibriClass") == "EndpointStats" for m in messages)

        await ada.event(ev.StatsUpdated)
        await ada.event(ev.RemoteStatsUpdated, lambda e: e.participant_id == bob.id)
        ada.forget()
        await ada.event(ev.StatsUpdated)
        assert told(bob) and not told(ada)


# ---------------------------------------------------------------- what is sent


@pytest.mark.covers("jitsi:option.conference.testing", "jitsi:option.conference.testing.capScreenshareBitrate")
async def test_screen_bit_rate_is_bounded_where_the_deployment_asks() -> None:
    """As measured by the engine's own target, which the encoder follows, and by the bridge."""
    targets = {}
    for capped in (0, 1):
        config = {"testing": {"capScreenshareBitrate": capped}}
        async with (
            JitsiSandbox(bots=0, config=config) as sandbox,
            Person(sandbox.url("team")) as ada,
            Person(sandbox.url("team"), "Bob"),
        ):
            await ada.until(lambda s: s.media_state == "connected" and s.capabilities["ShareScreen"].allowed)
            await ada.do(ac.ShareScreen("test"))
            name = f"{ada.id}-v1"

            def bps(name: str = name, ada: Person = ada, sandbox: JitsiSandbox = sandbox) -> float:
                source = sandbox.participants("team")[ada.id].sources.get(name)
                return sum(layer.bps for layer in source.layers) if source is not None else 0.0

            await eventually(lambda: bps() > 0)
            ada.forget()
            found = await ada.event(ev.StatsUpdated, lambda e, n=name: any(t.source == n for t in e.stats["tracks"]))
            targets[capped] = next(t.target_bitrate_bps for t in found.stats["tracks"] if t.source == name)
    assert targets[1] <= 500_000 < targets[0]


@pytest.mark.covers("jitsi:option.conference.startBitrate")
async def test_video_starts_with_the_chosen_bit_rate() -> None:
    """Without a word from the bridge (no REMB) the start decides what the first pictures may take."""
    begun = {}
    for kbps in (100, 1000):
        async with (
            JitsiSandbox(bots=0) as sandbox,
            Person(sandbox.url("team"), "Bob"),
            Person(
                sandbox.url("team"),
                options={"enableRemb": False, "startBitrate": kbps, "resolution": 360},
                camera_muted=False,
            ) as ada,
        ):
            name = f"{ada.id}-v0"
            found = await ada.event(
                ev.StatsUpdated,
                lambda e, n=name: any(t.source == n and t.target_bitrate_bps for t in e.stats["tracks"]),
            )
            begun[kbps] = next(t.target_bitrate_bps for t in found.stats["tracks"] if t.source == name)
    assert begun[100] < 200_000 < 400_000 < begun[1000]


@pytest.mark.covers("jitsi:option.connection.enableLipSync")
async def test_pictures_wait_for_the_sound_only_with_lip_sync() -> None:
    """What the receiver of a bot's camera was last told to wait for, with its sound playing."""
    async with JitsiSandbox(bots=1) as sandbox:
        for wanted in (True, False):
            async with Desk(audio__lip_sync=wanted) as desk:
                await desk.join(sandbox.url("team"))
                await desk.until(lambda s: sum(x.receiving for x in s.sources.values()) == 2)
                (_, transport), *_ = desk.engine.opened
                cameras = [r for r in transport._media.remotes.values() if isinstance(r.receiver, VideoReceiver)]
                if wanted:
                    await eventually(lambda cameras=cameras: cameras[0].receiver._target_delay_ms is not None)
                else:
                    desk.events.clear()
                    await desk.until(lambda s: [e for e in desk.events if isinstance(e, ev.StatsUpdated)])
                    assert cameras[0].receiver._target_delay_ms is None


@pytest.mark.covers("jitsi:option.init.desktopSharingFirefoxDisabled")
async def test_screen_sharing_can_be_switched_off(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), "Bob") as bob, Desk(screen__allowed=False) as desk:
        await desk.join(sandbox.url("team"))
        await desk.until(lambda s: s.media_state == "connected")
        with pytest.raises(ActionRefused) as refused:
            await desk.controller.perform(desk.call_id, ac.ShareScreen("test"))
        assert "turned off" in refused.value.failure.message
        assert f"{desk.id}-v1" not in sandbox.participants("team")[desk.id].source_info
        desk.controller.set_setting("screen.allowed", True)
        await desk.controller.perform(desk.call_id, ac.ShareScreen("test"))
        await bob.until(lambda s: s.sources.get(f"{desk.id}-v1") and s.sources[f"{desk.id}-v1"].receiving)


@pytest.mark.covers(
    "jitsi:conference.sendFeedback",
    "jitsi:param.conference.sendFeedback.overallFeedback",
    "jitsi:param.conference.sendFeedback.detailedFeedback",
)
async def test_ratings_after_the_meeting_are_kept(sandbox: JitsiSandbox, tmp_path: Path) -> None:
    """No server takes them: they stay in the person's own history."""
    file = tmp_path / "history.sqlite"
    async with Desk(history=file) as desk:
        await desk.join(sandbox.url("team"))
        await desk.leave()
        for rating in (ac.SendFeedback(4), ac.SendFeedback(2, "The sound was thin")):
            await desk.controller.perform(desk.call_id, rating)
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT url, overall, details FROM rating ORDER BY rated_at, rowid").fetchall()
    assert rows == [(sandbox.url("team"), 4, ""), (sandbox.url("team"), 2, "The sound was thin")]


@pytest.mark.covers("jitsi:option.conference.resolution", "jitsi:option.conference.devices")
async def test_chosen_sources_and_their_size_reach_the_others(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), "Bob"):
        watcher = await sandbox.observe("team")
        for size in (180, 360):
            options = {"resolution": size, "audio": "none"}
            both = {"camera_muted": False, "microphone_muted": False}
            async with Person(sandbox.url("team"), options=options, **both) as ada:
                seen = await eventually(lambda ada=ada: watcher.video.get(f"{ada.id}-v0"))
                await eventually(lambda seen=seen, size=size: seen.height == size)
                assert ada.state.local.microphone_muted
                assert f"{ada.id}-a0" not in watcher.audio
        watcher.leave()


@pytest.mark.covers(
    "jitsi:param.conference.setStartMuted.audioMuted", "jitsi:param.conference.setStartMuted.videoMuted"
)
@pytest.mark.parametrize(("audio", "video"), [(True, False), (False, True)])
async def test_each_kind_can_be_muted_on_entry(sandbox: JitsiSandbox, audio: bool, video: bool) -> None:
    async with Person(sandbox.url("team")) as ada:
        await ada.until(lambda s: s.capabilities["SetStartMutedPolicy"].allowed)
        await ada.do(ac.SetStartMutedPolicy(audio, video))
        await ada.until(lambda s: s.start_muted_policy == StartMutedPolicy(audio, video))
        async with Person(sandbox.url("team"), "Bob", microphone_muted=False, camera_muted=False) as bob:
            muted = await bob.event(ev.StartedMuted)
            assert (muted.audio, muted.video) == (audio, video)
            free, held = ("v0", "a0") if audio else ("a0", "v0")
            await ada.until(lambda s: s.sources.get(f"{bob.id}-{free}") and s.sources[f"{bob.id}-{free}"].receiving)
            state = await ada.until(lambda s: s.sources[f"{bob.id}-{held}"].muted)
            assert not state.sources[f"{bob.id}-{free}"].muted and not state.sources[f"{bob.id}-{held}"].receiving


# ---------------------------------------------------------------- the microphone


class Microphones:
    """A device that picks up what the test says, faster than life: its clock runs ahead of ours."""

    SPEED = 20

    def __init__(self) -> None:
        self.kind = "quiet"
        self._random = np.random.default_rng(1)

    def devices(self) -> tuple[Device, ...]:
        return (Device("one", "Desk microphone", "audioinput", True),)

    def open_microphone(self, device_id: str, listener: Any) -> Any:
        return _Microphone(self, listener)

    def open_speaker(self, device_id: str, mixer: Any) -> Any:
        return NullSpeaker(mixer)

    def close(self) -> None:
        """Holds nothing."""

    def block(self, count: int) -> Any:
        noise = self._random.normal(0, 1, 480)
        if self.kind == "dead":
            return np.zeros(480, np.int16)
        if self.kind == "noisy":
            return (noise * 1000).astype(np.int16)
        if self.kind == "speech":
            # Syllables of 200 ms.
            return (noise * (6000 if count % 30 < 20 else 20)).astype(np.int16)
        return (noise * 4).astype(np.int16)


class _Microphone:
    device = "Desk microphone"

    def __init__(self, owner: Microphones, listener: Any) -> None:
        self._count, self._begun = 0, now_ms()

        def tick(_due: float) -> None:
            for _ in range(owner.SPEED):
                self._count += 1
                listener(owner.block(self._count), self._begun + self._count * 10.0)

        self._clock = ClockThread("desk-microphone", tick)

    def close(self) -> None:
        self._clock.close()


@pytest.mark.covers(
    "jitsi:event.conference.TALK_WHILE_MUTED",
    "jitsi:event.conference.NO_AUDIO_INPUT",
    "jitsi:event.conference.AUDIO_INPUT_STATE_CHANGE",
    "jitsi:event.conference.NOISY_MIC",
    "jitsi:option.conference.enableTalkWhileMuted",
    "jitsi:option.conference.enableNoAudioDetection",
    "jitsi:option.conference.enableNoisyMicDetection",
)
async def test_hints_about_the_microphone(sandbox: JitsiSandbox, english: Any, qtbot: Any) -> None:
    """From the device's sound to the notice in the window, each only while its setting is on."""
    inputs = replace(TEST_INPUTS, microphone=None)
    raw = {f"audio__{part}": False for part in ("noise_suppression", "gain_control", "echo_cancellation", "high_pass")}
    async with Person(sandbox.url("team"), "Bob"), Desk(inputs=inputs, **raw) as desk:
        sound = Microphones()
        desk.engine._inputs.backend = sound
        desk.engine._backend_ready = True
        all_hints: list[str] = []
        desk.controller.subscribe_engine(lambda e: all_hints.append(e.code) if isinstance(e, MicrophoneHint) else None)
        window = desk.open_window()
        await desk.join_by_window(sandbox.url("team"))
        await desk.seen(lambda: window.meeting)
        desk.call_id = desk.controller.calls()[0]
        await desk.until(lambda s: s.media_state == "connected")
        hints = [
            ("speech", "talking_while_muted", "hints.talk_while_muted", "You are muted but talking"),
            ("dead", "no_signal", "hints.no_signal", "No sound comes from your microphone"),
            ("noisy", "noisy", "hints.noisy", "Your microphone is noisy"),
        ]
        for kind, code, setting, words in hints:
            for wanted in (False, True):
                desk.controller.set_setting(setting, wanted)
                all_hints.clear()
                desk.events.clear()
                sound.kind = kind
                await desk.seen(lambda code=code: code in all_hints)
                if wanted:
                    await desk.seen(lambda words=words: words in desk.toasts())
                else:
                    assert not [e for e in desk.events if isinstance(e, AudioInputHint) and e.code == code]
                    assert words not in desk.toasts()
                sound.kind = "quiet"
                if code == "no_signal":
                    await desk.seen(lambda: "signal_back" in all_hints)
                    await desk.seen(lambda words=words: words not in desk.toasts())


@pytest.mark.covers("jitsi:conference.replaceTrack")
async def test_another_microphone_takes_over_without_a_new_session(sandbox: JitsiSandbox) -> None:
    raw = {f"audio__{part}": False for part in ("noise_suppression", "gain_control", "echo_cancellation", "high_pass")}
    async with (
        Person(sandbox.url("team"), "Bob"),
        Desk(inputs=replace(TEST_INPUTS, microphone=None), devices__microphone="one", **raw) as desk,
    ):
        desk.engine._inputs.backend = Tones()
        desk.engine._backend_ready = True
        await desk.join(sandbox.url("team"), microphone_muted=False)
        watcher = await sandbox.observe("team")
        name = f"{desk.id}-a0"

        def hears(hz: float, other: float) -> bool:
            seen = watcher.audio.get(name)
            return seen is not None and seen.tone_power(hz) > 500 > 10 * seen.tone_power(other)

        await eventually(lambda: hears(500.0, 900.0))
        before = sandbox.participants("team")[desk.id]
        desk.controller.set_setting("devices.microphone", "two")
        await eventually(lambda: hears(900.0, 500.0))
        after = sandbox.participants("team")[desk.id]
        assert (after.sessions_started, after.jingle_log) == (before.sessions_started, before.jingle_log)
        assert [x.ssrc for x in after.sources[name].layers] == [x.ssrc for x in before.sources[name].layers]


class Tones(Microphones):
    """Two microphones, each with a tone of its own, at the speed of life."""

    SPEED = 1

    def devices(self) -> tuple[Device, ...]:
        return tuple(Device(name, f"Microphone {name}", "audioinput") for name in ("one", "two"))

    def open_microphone(self, device_id: str, listener: Any) -> Any:
        self.hz = {"one": 500.0, "two": 900.0}[device_id]
        return _Microphone(self, listener)

    def block(self, count: int) -> Any:
        return (sine(self.hz, 480, 0.3, count * 480) * 32767).astype(np.int16)
