"""What the settings of a meeting change on the wire, as server and others see it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import CallPhase, MediaKind
from app.sandbox.jitsi import JitsiSandbox
from app.vendors.base import ActionRefused
from tests.e2e.jitsi_call import Person, eventually


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


@pytest.mark.covers(
    "jitsi:option.init.disableRtx",
    "jitsi:option.init.disabledCodec",
    "jitsi:option.conference.enableRemb",
    "jitsi:option.conference.statisticsId",
    "jitsi:option.conference.deploymentInfo.userRegion",
)
async def test_announced_abilities_and_identity(sandbox: JitsiSandbox) -> None:
    options = {
        "disableRtx": True,
        "enableRemb": False,
        "disabledCodec": "video/H264",
        "statisticsId": "Ada-x1y",
        "userRegion": "moon",
    }
    async with Person(sandbox.url("team"), options=options) as ada, Person(sandbox.url("team"), "Bob") as bob:

        def truth(person: Person) -> Any:
            return sandbox.participants("team")[person.id]

        await eventually(lambda: truth(ada).features and truth(bob).features)
        for feature in ("urn:ietf:rfc:4588", "http://jitsi.org/remb"):
            assert feature not in truth(ada).features and feature in truth(bob).features
        assert "http://jitsi.org/tcc" not in truth(bob).features
        assert truth(ada).presence["jitsi_participant_codecList"] == "vp8"
        assert truth(bob).presence["jitsi_participant_codecList"] == "vp8,h264"
        assert truth(ada).presence["stats-id"] == "Ada-x1y"
        await bob.until(lambda s: ada.id in s.participants and s.participants[ada.id].region == "moon")


@pytest.mark.covers("jitsi:option.init.preferredCodec")
async def test_preferred_codec_is_announced_first(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), options={"preferredCodec": "video/H264"}) as ada:
        assert sandbox.participants("team")[ada.id].presence["jitsi_participant_codecList"] == "h264,vp8"


@pytest.mark.covers("jitsi:option.conference.channelLastN")
async def test_last_n_from_the_start() -> None:
    async with (
        JitsiSandbox(bots=2, quiet_bots=True) as sandbox,
        Person(sandbox.url("team"), options={"channelLastN": 1}) as ada,
    ):
        await ada.event(ev.ForwardedSourcesChanged, lambda e: len(e.names) == 1)
        assert sandbox.participants("team")[ada.id].constraints["lastN"] == 1


@pytest.mark.covers("jitsi:option.conference.startSilent")
async def test_silent_joining_neither_sends_nor_plays_sound() -> None:
    async with (
        JitsiSandbox(bots=1, quiet_bots=True) as sandbox,
        Person(sandbox.url("team"), start_silent=True, microphone_muted=False) as ada,
    ):
        state = await ada.until(lambda s: any(x.receiving for x in s.sources.values()))
        assert not any(x.receiving for x in state.sources.values() if x.kind is MediaKind.AUDIO)
        assert state.local.microphone_muted
        assert "silent" in sandbox.participants("team")[ada.id].presence


@pytest.mark.covers("jitsi:option.conference.ignoreStartMuted")
async def test_the_rule_that_mutes_can_be_ignored(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        await ada.until(lambda s: s.capabilities["SetStartMutedPolicy"].allowed)
        await ada.do(ac.SetStartMutedPolicy(True, True))
        await ada.until(lambda s: s.start_muted_policy.audio)
        how = {"microphone_muted": False, "options": {"ignoreStartMuted": True}}
        async with Person(sandbox.url("team"), "Bob", **how) as bob:
            await ada.until(lambda s: s.sources.get(f"{bob.id}-a0") and s.sources[f"{bob.id}-a0"].receiving)
            assert not bob.state.local.microphone_muted


@pytest.mark.covers(
    "jitsi:option.connection.xmppPing",
    "jitsi:option.connection.xmppPing.interval",
    "jitsi:option.connection.xmppPing.timeout",
    "jitsi:option.connection.xmppPing.threshold",
)
async def test_pings_notice_a_silent_server(sandbox: JitsiSandbox) -> None:
    ping = {"interval": 50, "timeout": 50, "threshold": 2}
    async with Person(sandbox.url("team"), options={"xmppPing": ping}) as ada:
        sandbox.faults.silent_pings = True
        await ada.until(lambda s: s.phase is CallPhase.RECONNECTING)
        sandbox.faults.silent_pings = False
        await ada.until(lambda s: s.phase is CallPhase.JOINED)


@pytest.mark.covers("jitsi:event.connection.WRONG_STATE")
async def test_actions_outside_a_meeting_are_refused(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), start=False) as ada:
        with pytest.raises(ActionRefused) as refused:
            await ada.do(ac.SendMessage("too early"))
        assert refused.value.failure.code == "not_joined" and "not possible" in refused.value.failure.message.lower()
        await ada.session.join()
        await ada.do(ac.Leave())
        with pytest.raises(ActionRefused):
            await ada.do(ac.SendMessage("too late"))


@pytest.mark.covers("jitsi:error.dataChannel.InvalidStateError", "jitsi:error.dataChannel.Error")
async def test_what_the_bridge_channel_cannot_carry_is_said(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        with pytest.raises(ActionRefused) as refused:
            await ada.do(ac.SendEndpointMessage({"name": "nobody there"}))
        assert refused.value.failure.code == "channel_closed"
        async with Person(sandbox.url("team"), "Bob"):
            await ada.until(lambda s: s.capabilities["SendEndpointMessage"].allowed)
            with pytest.raises(ActionRefused) as refused:
                await ada.do(ac.SendEndpointMessage({"name": "x" * 100_000}))
            assert refused.value.failure.code == "channel_error"


@pytest.mark.covers("jitsi:error.conference.JINGLE_FATAL_ERROR")
async def test_refused_media_session_is_said() -> None:
    async with JitsiSandbox(bots=1, quiet_bots=True, max_sources=1) as sandbox, Person(sandbox.url("team")) as ada:
        notice = await ada.event(ev.Notice, lambda e: e.code == "jingle_fatal")
        assert "media session failed" in notice.message
        assert ada.state.phase is CallPhase.JOINED


@pytest.mark.covers("jitsi:option.conference.startAudioMuted", "jitsi:option.conference.startVideoMuted")
async def test_late_comers_of_a_large_meeting_start_muted() -> None:
    config = {"startAudioMuted": 1, "startVideoMuted": 1}
    unmuted = {"microphone_muted": False, "camera_muted": False}
    async with (
        JitsiSandbox(bots=0, config=config) as sandbox,
        Person(sandbox.url("team"), **unmuted) as ada,
        Person(sandbox.url("team"), "Bob", **unmuted) as bob,
    ):
        muted = await bob.event(ev.StartedMuted)
        assert muted.audio and muted.video and bob.state.local.camera_muted
        assert not ada.state.local.microphone_muted
        await ada.until(lambda s: s.sources.get(f"{bob.id}-v0") and s.sources[f"{bob.id}-v0"].muted)
        await bob.do(ac.SetCamera(False))
        await ada.until(lambda s: s.sources[f"{bob.id}-v0"].receiving)


@pytest.mark.covers(
    "jitsi:option.connection.hosts",
    "jitsi:option.connection.hosts.domain",
    "jitsi:option.connection.hosts.muc",
    "jitsi:option.connection.serviceUrl",
    "jitsi:connection.initJitsiConference",
    "jitsi:param.connection.initJitsiConference.name",
)
async def test_addresses_given_by_hand_replace_a_missing_configuration(sandbox: JitsiSandbox) -> None:
    sandbox.faults.config_status = 404
    base = sandbox.url("x").removesuffix("/x")
    for service in (base.replace("http", "ws", 1) + "/xmpp-websocket", base + "/http-bind"):
        by_hand = {"serviceUrl": service, "hosts.domain": "meet.sandbox", "hosts.muc": "muc.meet.sandbox"}
        async with Person(sandbox.url("team"), options=by_hand) as ada:
            assert ada.id in sandbox.participants("team")


@pytest.mark.covers("jitsi:option.init.disableAudioLevels", "jitsi:option.conference.disableAudioLevels")
async def test_audio_levels_can_be_switched_off() -> None:
    async with (
        JitsiSandbox(bots=1) as sandbox,
        Person(sandbox.url("team"), options={"disableAudioLevels": True}) as ada,
    ):
        await ada.until(lambda s: any(x.receiving for x in s.sources.values() if x.kind is MediaKind.AUDIO))
        await ada.event(ev.StatsUpdated)
        assert not [e for e in ada.events if isinstance(e, ev.AudioLevelsChanged)]
