"""Two Parley sessions in one meeting of the sandbox: what one does, the other sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import MediaKind, Role, SourceContent, StartMutedPolicy
from app.sandbox.jitsi import JitsiSandbox
from app.vendors.base import ActionRefused
from tests.e2e.jitsi_call import Person, eventually


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


@pytest.mark.covers(
    "jitsi:event.conference.CONFERENCE_JOINED",
    "jitsi:event.conference.USER_JOINED",
    "jitsi:event.conference.TRACK_ADDED",
    "jitsi:event.conference.TRACK_AUDIO_LEVEL_CHANGED",
    "jitsi:event.conference.LAST_N_ENDPOINTS_CHANGED",
    "jitsi:event.conference.CONFERENCE_UNIQUE_ID_SET",
    "jitsi:event.connectionQuality.LOCAL_STATS_UPDATED",
    "jitsi:event.conference.CONNECTION_STATS",
    "jitsi:conference.join",
    "jitsi:conference.myUserId",
    "jitsi:conference.getParticipants",
    "jitsi:type.JitsiParticipant",
    "jitsi:constant.trackType.video",
    "jitsi:constant.trackType.audio",
    "jitsi:constant.videoType.camera",
    "jitsi:track.getParticipantId",
    "jitsi:track.getSourceName",
    "jitsi:track.getType",
)
async def test_bots_are_seen_and_heard() -> None:
    async with JitsiSandbox(bots=3) as sandbox, Person(sandbox.url("team")) as ada:
        state = await ada.until(lambda s: sum(x.receiving for x in s.sources.values()) >= 6)
        assert len(state.participants) == 4 and state.participants[ada.id].is_local
        videos = [s for s in state.sources.values() if s.kind is MediaKind.VIDEO]
        assert len(videos) == 3 and all(s.content is SourceContent.CAMERA for s in videos)
        assert {s.participant_id for s in videos} == set(state.participants) - {ada.id}
        await ada.event(ev.ForwardedSourcesChanged, lambda e: len(e.names) == 3)
        levels = await ada.event(ev.AudioLevelsChanged, lambda e: any(v > 0.01 for v in e.levels.values()))
        assert set(levels.levels) <= set(state.participants)
        stats = await ada.event(ev.StatsUpdated)
        assert stats.quality is not None and stats.stats["bytes_received"] > 0
        await ada.until(lambda s: s.meeting_id and s.started_at)


@pytest.mark.covers(
    "jitsi:event.conference.TRACK_MUTE_CHANGED",
    "jitsi:track.mute",
    "jitsi:track.unmute",
    "jitsi:track.isMuted",
    "jitsi:conference.addTrack",
    "jitsi:conference.getLocalTracks",
)
async def test_own_picture_and_sound_reach_the_other(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: s.sources.get(f"{ada.id}-v0"))
        assert bob.state.sources[f"{ada.id}-v0"].muted and bob.state.sources[f"{ada.id}-a0"].muted
        await ada.do(ac.SetCamera(False))
        await ada.do(ac.SetMicrophone(False))
        assert not ada.state.local.camera_muted and not ada.state.local.microphone_muted
        await bob.until(lambda s: s.sources[f"{ada.id}-v0"].receiving and s.sources[f"{ada.id}-a0"].receiving)
        assert not bob.state.sources[f"{ada.id}-v0"].muted
        await ada.do(ac.SetCamera(True))
        await ada.do(ac.SetMicrophone(True))
        state = await bob.until(lambda s: s.sources[f"{ada.id}-v0"].muted and s.sources[f"{ada.id}-a0"].muted)
        assert not state.sources[f"{ada.id}-v0"].receiving


@pytest.mark.covers(
    "jitsi:conference.sendTextMessage",
    "jitsi:event.conference.MESSAGE_RECEIVED",
)
async def test_chat(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team")) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
        Person(sandbox.url("team"), "Cleo") as cleo,
    ):
        await ada.until(lambda s: len(s.participants) == 3)
        await ada.do(ac.SendMessage("hello <all> & 🎉"))
        state = await bob.until(lambda s: s.messages)
        note = state.messages[0]
        assert (note.sender_id, note.sender_name, note.text) == (ada.id, "Ada", "hello <all> & 🎉")
        assert ada.state.messages[0].delivered and ada.state.messages[0].is_local
        await bob.do(ac.SendMessage("and you", reply_to=note.id))
        state = await ada.until(lambda s: len(s.messages) == 2)
        assert state.messages[1].reply_to == note.id
        await bob.do(ac.ReactToMessage(note.id, "👍"))
        await ada.until(lambda s: s.messages[0].reactions.get("👍") == (bob.id,))
        await ada.do(ac.SendMessage("only you", to=bob.id))
        state = await bob.until(lambda s: any(m.text == "only you" for m in s.messages))
        assert next(m for m in state.messages if m.text == "only you").private_to == ada.id
        await ada.do(ac.RetractMessage(note.id))
        await bob.until(lambda s: next(m for m in s.messages if m.id == note.id).retracted)
        assert not any(m.text == "only you" for m in cleo.state.messages)


@pytest.mark.logs_errors
@pytest.mark.covers("jitsi:error.conference.CHAT_ERROR")
async def test_refused_message_says_so(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        sandbox.faults.refuse_chat = True
        with pytest.raises(ActionRefused) as refused:
            await ada.do(ac.SendMessage("hello"))
        assert refused.value.failure.code == "chat_error"
        assert "not delivered" in ada.state.messages[0].error


@pytest.mark.covers(
    "jitsi:conference.setDisplayName",
    "jitsi:param.conference.setDisplayName.name",
    "jitsi:event.conference.DISPLAY_NAME_CHANGED",
    "jitsi:conference.setSubject",
    "jitsi:param.conference.setSubject.subject",
    "jitsi:event.conference.SUBJECT_CHANGED",
    "jitsi:conference.setLocalParticipantProperty",
    "jitsi:param.conference.setLocalParticipantProperty.propertyKey",
    "jitsi:param.conference.setLocalParticipantProperty.propertyValue",
    "jitsi:event.conference.PARTICIPANT_PROPERTY_CHANGED",
)
async def test_name_subject_hand_and_properties(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: ada.id in s.participants)
        await ada.do(ac.SetDisplayName("Ada Lovelace"))
        await bob.until(lambda s: s.participants[ada.id].name == "Ada Lovelace")
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.do(ac.SetSubject("Engines"))
        await bob.until(lambda s: s.subject == "Engines")
        await ada.do(ac.RaiseHand(True))
        await bob.until(lambda s: s.participants[ada.id].raised_hand_at)
        await ada.until(lambda s: s.participants[ada.id].raised_hand_at)
        await ada.do(ac.RaiseHand(False))
        await bob.until(lambda s: s.participants[ada.id].raised_hand_at is None)
        await ada.do(ac.SetProperty("mood", "curious"))
        changed = await bob.event(ev.PropertyChanged, lambda e: e.key == "mood")
        assert (changed.participant_id, changed.old, changed.new) == (ada.id, None, "curious")
        assert bob.state.participants[ada.id].properties["mood"] == "curious"


@pytest.mark.covers(
    "jitsi:conference.sendCommand",
    "jitsi:param.conference.sendCommand.name",
    "jitsi:param.conference.sendCommand.values",
    "jitsi:param.conference.sendCommand.values.value",
    "jitsi:param.conference.sendCommand.values.attributes",
    "jitsi:param.conference.sendCommand.values.children",
    "jitsi:conference.sendCommandOnce",
    "jitsi:conference.removeCommand",
    "jitsi:param.conference.removeCommand.name",
    "jitsi:conference.addCommandListener",
    "jitsi:param.conference.addCommandListener.command",
    "jitsi:param.conference.addCommandListener.handler",
)
async def test_commands(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: ada.id in s.participants)
        child = {"tagName": "inner", "value": "x", "attributes": {"k": "v"}, "children": ()}
        await ada.do(ac.SendCommand("lamp", "on", {"colour": "red"}, (child,)))
        heard = await bob.event(ev.CommandReceived, lambda e: e.name == "lamp")
        assert (heard.participant_id, heard.value, dict(heard.attributes)) == (ada.id, "on", {"colour": "red"})
        assert heard.children[0]["tagName"] == "inner" and heard.children[0]["attributes"] == {"k": "v"}
        own = await ada.event(ev.CommandReceived, lambda e: e.name == "lamp")
        assert own.participant_id == ada.id
        await ada.do(ac.SendCommand("bell", "ding", once=True))
        await bob.event(ev.CommandReceived, lambda e: e.name == "bell")
        await ada.do(ac.SetDisplayName("Ada again"))
        await bob.until(lambda s: s.participants[ada.id].name == "Ada again")
        presence = sandbox.participants("team")[ada.id].presence
        assert presence["lamp"] == "on" and "bell" not in presence
        await ada.do(ac.RemoveCommand("lamp"))
        await ada.do(ac.SetDisplayName("Ada"))
        await eventually(lambda: "lamp" not in sandbox.participants("team")[ada.id].presence)


@pytest.mark.covers(
    "jitsi:conference.sendEndpointMessage",
    "jitsi:param.conference.sendEndpointMessage.to",
    "jitsi:param.conference.sendEndpointMessage.payload",
    "jitsi:conference.broadcastEndpointMessage",
    "jitsi:param.conference.broadcastEndpointMessage.payload",
    "jitsi:conference.sendEndpointStatsMessage",
    "jitsi:param.conference.sendEndpointStatsMessage.payload",
    "jitsi:event.conference.ENDPOINT_MESSAGE_RECEIVED",
    "jitsi:event.connectionQuality.REMOTE_STATS_UPDATED",
)
@pytest.mark.parametrize("channel", ["sctp", "websocket"])
async def test_bridge_channel(channel: str) -> None:
    async with (
        JitsiSandbox(bots=0, bridge_channels=(channel,)) as sandbox,
        Person(sandbox.url("team")) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
    ):
        for person in (ada, bob):
            await person.until(lambda s: s.details.get("bridge_channel_state") == "open")
        assert sandbox.participants("team")[ada.id].channel == channel
        await ada.do(ac.SendEndpointMessage({"name": "note", "n": 1}, bob.id))
        got = await bob.event(ev.EndpointMessageReceived)
        assert (got.participant_id, dict(got.payload)) == (ada.id, {"name": "note", "n": 1})
        await ada.do(ac.SendEndpointMessage({"name": "everybody"}))
        await bob.event(ev.EndpointMessageReceived, lambda e: e.payload.get("name") == "everybody")
        await ada.do(ac.SendReaction("clap"))
        await bob.event(ev.ReactionReceived, lambda e: e.reactions == ("clap",) and e.participant_id == ada.id)
        await ada.do(ac.SendEndpointStats({"connectionQuality": 42, "bitrate": {"upload": 7}}))
        await bob.event(ev.RemoteStatsUpdated, lambda e: e.stats.get("connectionQuality") == 42)
        await bob.until(lambda s: s.participants[ada.id].quality == 42)
        await bob.do(ac.RaiseHand(True))
        await ada.until(lambda s: s.participants[bob.id].raised_hand_at)
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.do(ac.LowerHand(bob.id))
        await ada.until(lambda s: s.participants[bob.id].raised_hand_at is None)
        if channel == "sctp":
            return
        sandbox.drop_bridge_channel("team", ada.id)
        await ada.until(lambda s: s.details.get("bridge_channel_state") == "closed")
        with pytest.raises(ActionRefused) as refused:
            await ada.do(ac.SendEndpointMessage({"name": "late"}))
        assert refused.value.failure.code == "channel_network"
        await ada.until(lambda s: s.details.get("bridge_channel_state") == "open")
        await eventually(lambda: sandbox.participants("team")[ada.id].constraints)


@pytest.mark.covers(
    "jitsi:event.conference.USER_ROLE_CHANGED",
    "jitsi:conference.getRole",
    "jitsi:conference.isModerator",
    "jitsi:constant.role.moderator",
    "jitsi:constant.role.none",
    "jitsi:conference.revokeOwner",
    "jitsi:param.conference.revokeOwner.participantId",
    "jitsi:conference.kickParticipant",
    "jitsi:param.conference.kickParticipant.id",
    "jitsi:param.conference.kickParticipant.reason",
    "jitsi:conference.kick",
    "jitsi:param.conference.kick.id",
    "jitsi:event.conference.KICKED",
    "jitsi:event.conference.PARTICIPANT_KICKED",
)
async def test_roles_and_kick(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team")) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
        Person(sandbox.url("team"), "Cleo") as cleo,
    ):
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR and len(s.participants) == 3)
        assert bob.state.participants[bob.id].role is not Role.MODERATOR
        assert not bob.state.capabilities["Kick"].allowed and "moderator" in bob.state.capabilities["Kick"].reason
        with pytest.raises(ActionRefused):
            await bob.do(ac.Kick(ada.id))
        await ada.do(ac.GrantModerator(bob.id))
        await bob.until(lambda s: s.participants[bob.id].role is Role.MODERATOR)
        await cleo.until(lambda s: s.participants[bob.id].role is Role.MODERATOR)
        assert bob.state.capabilities["Kick"].allowed
        await ada.do(ac.RevokeModerator(bob.id))
        await bob.until(lambda s: s.participants[bob.id].role is Role.PARTICIPANT)
        await ada.do(ac.Kick(bob.id, "Enough"))
        kicked = await bob.event(ev.LocalKicked)
        assert (kicked.actor_id, kicked.reason) == (ada.id, "Enough")
        await bob.until(lambda s: s.phase.value == "ended")
        seen = await cleo.event(ev.ParticipantKicked)
        assert (seen.participant_id, seen.actor_id, seen.reason) == (bob.id, ada.id, "Enough")


@pytest.mark.covers(
    "jitsi:conference.lock",
    "jitsi:param.conference.lock.password",
    "jitsi:conference.unlock",
    "jitsi:param.conference.join.password",
    "jitsi:error.conference.PASSWORD_REQUIRED",
)
async def test_lock_and_password(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.do(ac.Lock("tulip"))
        await ada.until(lambda s: s.locked)
        async with Person(sandbox.url("team"), "Bob", start=False) as bob:
            joining = asyncio.create_task(bob.session.join())
            await bob.until(lambda s: s.asked is not None)
            await bob.do(ac.SubmitPassword("rose"))
            await bob.until(lambda s: s.asked is not None and s.failure is not None)
            assert bob.state.failure is not None and "password is wrong" in bob.state.failure.message
            await bob.do(ac.SubmitPassword("tulip"))
            await joining
            await ada.until(lambda s: len(s.participants) == 2)
            await bob.until(lambda s: s.locked)
        await ada.do(ac.Lock(None))
        async with Person(sandbox.url("team"), "Cleo"):
            await ada.until(lambda s: not s.locked and len(s.participants) == 2)


@pytest.mark.covers(
    "jitsi:conference.setStartMutedPolicy",
    "jitsi:param.conference.setStartMutedPolicy.audio",
    "jitsi:param.conference.setStartMutedPolicy.video",
    "jitsi:conference.getStartMutedPolicy",
    "jitsi:type.StartMutedPolicy.audio",
    "jitsi:type.StartMutedPolicy.video",
    "jitsi:event.conference.START_MUTED_POLICY_CHANGED",
    "jitsi:event.conference.STARTED_MUTED",
    "jitsi:conference.isStartAudioMuted",
    "jitsi:conference.isStartVideoMuted",
    "jitsi:conference.setStartMuted",
    "jitsi:event.conference.START_MUTED",
)
async def test_start_muted_rule(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.do(ac.SetStartMutedPolicy(True, False))
        await bob.until(lambda s: s.start_muted_policy == StartMutedPolicy(True, False))
        async with Person(sandbox.url("team"), "Cleo", microphone_muted=False, camera_muted=False) as cleo:
            muted = await cleo.event(ev.StartedMuted)
            assert muted.audio and not muted.video
            assert cleo.state.local.microphone_muted and not cleo.state.local.camera_muted
            await ada.until(lambda s: s.sources.get(f"{cleo.id}-a0") and s.sources[f"{cleo.id}-a0"].muted)
            await cleo.do(ac.SetMicrophone(False))
            await ada.until(lambda s: s.sources[f"{cleo.id}-a0"].receiving)


async def test_moderator_mutes_and_only_the_muted_unmutes(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team")) as ada,
        Person(sandbox.url("team"), "Bob", microphone_muted=False, camera_muted=False) as bob,
    ):
        await ada.until(lambda s: s.participants[ada.id].role is Role.MODERATOR)
        await ada.until(lambda s: s.sources.get(f"{bob.id}-a0") and s.sources[f"{bob.id}-a0"].receiving)
        await ada.do(ac.MuteParticipant(bob.id, MediaKind.AUDIO))
        await bob.until(lambda s: s.local.microphone_muted and s.local.microphone_muted_by == ada.id)
        await ada.until(lambda s: s.sources[f"{bob.id}-a0"].muted)
        await bob.do(ac.SetMicrophone(False))
        await ada.until(lambda s: s.sources[f"{bob.id}-a0"].receiving)
        await ada.do(ac.MuteEveryone(MediaKind.VIDEO))
        await bob.until(lambda s: s.local.camera_muted)


@pytest.mark.covers(
    "jitsi:constant.videoType.desktop",
    "jitsi:param.conference.addTrack.track",
    "jitsi:conference.removeTrack",
    "jitsi:param.conference.removeTrack.track",
    "jitsi:constant.device.desktop",
)
async def test_screen_is_a_second_source(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), camera_muted=False) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: s.sources.get(f"{ada.id}-v0") and s.sources[f"{ada.id}-v0"].receiving)
        await ada.do(ac.ShareScreen("test"))
        assert ada.state.local.sharing_screen
        state = await bob.until(lambda s: s.sources.get(f"{ada.id}-v1") and s.sources[f"{ada.id}-v1"].receiving)
        assert state.sources[f"{ada.id}-v1"].content is SourceContent.SCREEN
        assert state.sources[f"{ada.id}-v0"].content is SourceContent.CAMERA
        await ada.do(ac.ShareScreen(None))
        await bob.until(lambda s: f"{ada.id}-v1" not in s.sources)
        await ada.do(ac.ShareScreen("test"))
        await bob.until(lambda s: s.sources.get(f"{ada.id}-v1") and s.sources[f"{ada.id}-v1"].receiving)


@pytest.mark.covers(
    "jitsi:conference.setReceiverConstraints",
    "jitsi:param.conference.setReceiverConstraints.videoConstraints",
    "jitsi:option.receiverConstraints.lastN",
    "jitsi:option.receiverConstraints.selectedSources",
    "jitsi:option.receiverConstraints.onStageSources",
    "jitsi:option.receiverConstraints.defaultConstraints",
    "jitsi:option.receiverConstraints.constraints",
    "jitsi:conference.selectParticipant",
    "jitsi:conference.selectParticipants",
    "jitsi:conference.setLastN",
    "jitsi:conference.setReceiverVideoConstraint",
)
async def test_what_is_on_screen_decides_what_is_sent() -> None:
    async with JitsiSandbox(bots=2, quiet_bots=True) as sandbox, Person(sandbox.url("team")) as ada:
        await ada.until(lambda s: sum(x.receiving for x in s.sources.values()) == 4)
        first, second = sorted(x.name for x in ada.state.sources.values() if x.kind is MediaKind.VIDEO)

        def wishes() -> dict[str, object]:
            return sandbox.participants("team")[ada.id].constraints

        await ada.do(ac.SetVisibleSources((ac.VisibleSource(first, 500, True), ac.VisibleSource(second, 120))))
        await eventually(lambda: wishes()["heights"] == {first: 720, second: 180})
        assert (wishes()["onStage"], wishes()["selected"], wishes()["defaultHeight"]) == ([first], [second], 0)
        await ada.do(ac.SetReceiveLimit(max_height=360, last_n=1))
        await eventually(lambda: wishes()["lastN"] == 1 and wishes()["heights"] == {first: 360, second: 180})
        await ada.until(lambda s: not s.sources[second].forwarded and s.sources[first].forwarded)
        await ada.do(ac.SetReceiveLimit())
        await ada.do(ac.SetVisibleSources(()))
        await ada.until(lambda s: not s.sources[first].forwarded and not s.sources[second].forwarded)
        await ada.do(ac.SetVisibleSources((ac.VisibleSource(first, 180),)))
        await ada.until(lambda s: s.sources[first].forwarded and s.sources[first].receiving)
        await ada.do(ac.SetAudioOnly(True))
        await ada.until(lambda s: s.local.audio_only and not s.sources[first].forwarded)
        assert any(x.receiving for x in ada.state.sources.values() if x.kind is MediaKind.AUDIO)


@pytest.mark.covers(
    "jitsi:event.conference.DTMF_SUPPORT_CHANGED",
    "jitsi:conference.isDTMFSupported",
    "jitsi:connection.addFeature",
    "jitsi:param.connection.addFeature.feature",
    "jitsi:param.connection.addFeature.submit",
    "jitsi:connection.removeFeature",
    "jitsi:param.connection.removeFeature.feature",
    "jitsi:param.connection.removeFeature.submit",
)
async def test_tones_reach_who_understands_them(sandbox: JitsiSandbox) -> None:
    async with (
        Person(sandbox.url("team"), microphone_muted=False) as ada,
        Person(sandbox.url("team"), "Bob") as bob,
    ):
        observer = await sandbox.observe("team")
        assert not ada.state.capabilities["SendDtmf"].allowed
        await bob.do(ac.SetFeature("urn:xmpp:jingle:dtmf:0", True))
        await ada.until(lambda s: s.dtmf_supported and s.capabilities["SendDtmf"].allowed)
        await eventually(lambda: f"{ada.id}-a0" in observer.audio)
        await ada.do(ac.SendDtmf("15#", 100, 50))
        await eventually(lambda: observer.audio[f"{ada.id}-a0"].events == [1, 5, 11])
        await bob.do(ac.SetFeature("urn:xmpp:jingle:dtmf:0", False))
        await ada.until(lambda s: not s.dtmf_supported)


@pytest.mark.covers(
    "jitsi:event.conference.DOMINANT_SPEAKER_CHANGED",
)
async def test_who_speaks_is_known_and_counted(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team"), microphone_muted=False) as ada, Person(sandbox.url("team"), "Bob") as bob:
        await bob.until(lambda s: s.dominant_speaker == ada.id)
        await ada.until(lambda s: s.dominant_speaker == ada.id)
        await ada.do(ac.SetMicrophone(True))
        await bob.do(ac.SetMicrophone(False))
        state = await ada.until(lambda s: s.dominant_speaker == bob.id)
        assert ada.id in state.previous_speakers
        await ada.until(lambda s: s.participants[ada.id].speaking_ms > 0)


@pytest.mark.covers(
    "jitsi:conference.leave",
    "jitsi:event.conference.USER_LEFT",
    "jitsi:event.conference.CONFERENCE_LEFT",
    "jitsi:event.conference.TRACK_REMOVED",
    "jitsi:connection.disconnect",
    "jitsi:event.connection.CONNECTION_DISCONNECTED",
)
async def test_leaving_is_seen_at_once(sandbox: JitsiSandbox) -> None:
    async with Person(sandbox.url("team")) as ada:
        async with Person(sandbox.url("team"), "Bob") as bob:
            await ada.until(lambda s: s.sources.get(f"{bob.id}-v0"))
            await bob.do(ac.Leave("lunch"))
            assert bob.state.phase.value == "ended"
        left = await ada.event(ev.ParticipantLeft)
        assert (left.participant_id, left.reason) == (bob.id, "lunch")
        await ada.event(ev.SourceRemoved, lambda e: e.name == f"{bob.id}-v0")
        assert list(ada.state.participants) == [ada.id]


@pytest.mark.parametrize("rewriting", [True, False])
async def test_both_ways_of_naming_sources(sandbox: JitsiSandbox, rewriting: bool) -> None:
    mode = {"ssrc_rewriting": rewriting}
    async with (
        Person(sandbox.url("team"), microphone_muted=False, camera_muted=False, options=mode) as ada,
        Person(sandbox.url("team"), "Bob", microphone_muted=False, camera_muted=False, options=mode) as bob,
    ):
        for one, other in ((ada, bob), (bob, ada)):
            await one.until(
                lambda s, o=other: all(
                    f"{o.id}-{k}0" in s.sources and s.sources[f"{o.id}-{k}0"].receiving for k in ("a", "v")
                )
            )
