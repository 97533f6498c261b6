"""People in a video room of a Wazo server: what one does, the others and the server see."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.model import CallState, MediaKind, Source, SourceContent
from app.sandbox.wazo import WazoSandbox
from app.sandbox.wazo.legs import Leg
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_call import PhoneCall, Someone

ROOM_NUMBER, ROOM_KEY = "700", "7"
ALICE_HZ, BOB_HZ = 700.0, 900.0
AUDIBLE = 1000.0
"""Amplitude of a tone that certainly is there (of 32767)."""


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(bots=0) as running:
        yield running


def picture(state: CallState, participant_id: str) -> Source | None:
    found = (s for s in state.sources.values() if s.kind is MediaKind.VIDEO and s.participant_id == participant_id)
    return next(found, None)


async def member_named(call: PhoneCall, name: str) -> str:
    state = await call.until(lambda s: any(p.name == name for p in s.participants.values()))
    return next(p.id for p in state.participants.values() if p.name == name)


async def frames_arrive(leg: Leg) -> None:
    before = leg.media.seen.frames
    await eventually(lambda: leg.media.seen.frames > before + 2)


@pytest.mark.covers(
    "wazo:option.room.connect.audio", "wazo:room.unmute", "wazo:event.participant.ON_AUDIO_UNMUTED",
    "wazo:participant.audioMuted", "wazo:room.turnCameraOff", "wazo:room.turnCameraOn", "wazo:participant.videoMuted",
    "wazo:event.participant.ON_VIDEO_MUTED", "wazo:event.participant.ON_VIDEO_UNMUTED", "wazo:event.room.ON_JOINED",
    "wazo:event.room.ON_JOINED.participant", "wazo:type.LocalParticipant", "wazo:participant.uuid",
    "wazo:participant.streams", "wazo:event.participant.ON_STREAM_SUBSCRIBED.stream",
    "wazo:event.participant.ON_STREAM_UNSUBSCRIBED", "wazo:event.participant.ON_STREAM_UNSUBSCRIBED.stream",
    "wazo:event.room.CONFERENCE_USER_PARTICIPANT_JOINED.participant", "wazo:event.participant.ON_DISCONNECT",
    "wazo:event.room.CONFERENCE_USER_PARTICIPANT_LEFT.participant", "wazo:event.participant.ON_UPDATED",
)  # fmt: skip
async def test_microphone_and_camera_of_a_member(box: WazoSandbox) -> None:
    async with Someone(box, "alice", options={"tone_hz": ALICE_HZ}) as alice, Someone(box, "bob") as bob:
        second = await bob.call(ROOM_NUMBER, video=True, room=True)
        first = await alice.call(ROOM_NUMBER, video=True, room=True, microphone_muted=True)
        (own,), (other,) = box.legs("alice"), box.legs("bob")
        await first.event(ev.Joined)
        local = first.state.participants[first.state.local_id]
        assert local.is_local and local.name == "Alice Archer" and own in box.calls.rooms.open[ROOM_KEY].members

        alice_id = await member_named(second, "Alice Archer")
        assert alice_id == own.id
        uuid = box.user("alice").uuid
        await second.until(lambda s: s.participants[alice_id].properties["user_uuid"] == uuid)
        voice = f"voice/{alice_id}"
        await second.until(lambda s: voice in s.sources and s.sources[voice].muted)
        subscribed = await second.until(lambda s: (found := picture(s, alice_id)) and found.receiving)
        stream = picture(subscribed, alice_id)
        assert stream is not None and stream.content is SourceContent.CAMERA
        assert own.media.heard.tone_power(ALICE_HZ) < AUDIBLE

        await first.do(ac.SetMicrophone(False))
        await second.until(lambda s: not s.sources[voice].muted)
        await eventually(lambda: own.media.heard.tone_power(ALICE_HZ) > AUDIBLE)
        await second.hears()

        changes = len(second.events)
        await first.do(ac.SetCamera(True))
        await second.until(lambda s: picture(s, alice_id).muted)  # type: ignore[union-attr]
        updates = [e for e in second.events[changes:] if isinstance(e, ev.ParticipantChanged)]
        assert any(update.participant.id == alice_id for update in updates)
        await first.do(ac.SetCamera(False))
        await second.until(lambda s: (found := picture(s, alice_id)) and not found.muted and found.receiving)
        await frames_arrive(own)

        await first.do(ac.Leave())
        left = await second.event(ev.ParticipantLeft)
        assert left.participant_id == alice_id
        assert (await second.event(ev.SourceRemoved, lambda e: e.name == stream.name)).name not in second.state.sources
        assert box.calls.rooms.open[ROOM_KEY].members == [other]


@pytest.mark.covers(
    "wazo:param.room.sendChat.content", "wazo:event.room.ON_CHAT.message", "wazo:param.room.sendSignal.content",
    "wazo:event.room.ON_MESSAGE", "wazo:event.room.ON_MESSAGE.message", "wazo:event.room.ON_SCREEN_SHARE_ENDED",
    "wazo:event.room.ON_SCREEN_SHARE_ENDED.participant",
)  # fmt: skip
async def test_words_signals_and_the_end_of_a_share(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        second = await bob.call(ROOM_NUMBER, video=True, room=True)
        first = await alice.call(ROOM_NUMBER, video=True, room=True)
        alice_id = await member_named(second, "Alice Archer")
        await first.do(ac.SendMessage("¡Hola! <b>5 < 6</b>"))
        chat = await second.event(ev.MessageReceived)
        assert chat.message.text == "¡Hola! <b>5 < 6</b>" and chat.message.sender_id == alice_id
        await first.do(ph.SendSignal({"type": "lights", "on": True, "list": [1, 2]}))
        signal = await second.event(ev.EndpointMessageReceived, lambda e: e.payload.get("type") == "lights")
        assert signal.payload["on"] is True and list(signal.payload["list"]) == [1, 2]
        await first.do(ph.SendSignal({"type": "vote", "choice": 3}, "message"))
        custom = await second.event(ev.EndpointMessageReceived, lambda e: e.payload.get("type") == "vote")
        assert custom.payload["choice"] == 3
        await first.do(ac.SendReaction("clap"))
        reaction = await second.event(ev.ReactionReceived)
        assert reaction.participant_id == alice_id and reaction.reactions == ("clap",)

        await first.do(ac.ShareScreen("test"))
        await second.until(
            lambda s: (found := picture(s, alice_id)) and found.content is SourceContent.SCREEN and found.receiving
        )
        await first.do(ac.ShareScreen(None))
        ended = await second.until(lambda s: (f := picture(s, alice_id)) and f.content is SourceContent.CAMERA)
        assert ended.participants[alice_id].name == "Alice Archer"


@pytest.mark.covers(
    "wazo:event.participant.ON_START_TALKING", "wazo:event.participant.ON_STOP_TALKING", "wazo:participant.isTalking",
    "wazo:event.room.ON_TALKING.channel", "wazo:event.room.ON_TALKING.participant",
)  # fmt: skip
async def test_who_talks_is_known_from_the_beginning_to_the_end(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        call = await alice.call(ROOM_NUMBER, video=True, room=True)
        rooms = box.calls.rooms
        room = rooms.open[ROOM_KEY]
        one, two = rooms.new_bot(room, 0, "Uma One"), rooms.new_bot(room, 1, "Tom Two")
        uma, tom = await member_named(call, "Uma One"), await member_named(call, "Tom Two")
        assert (uma, tom) == (one.id, two.id)
        room.talking(one, True)
        await call.event(ev.AudioLevelsChanged, lambda e: e.levels.get(uma, 0) > 0 and tom not in e.levels)
        await call.until(lambda s: s.dominant_speaker == uma)
        room.talking(two, True)
        await call.until(lambda s: s.dominant_speaker == tom)
        call.events.clear()
        room.talking(one, False)
        await call.event(ev.AudioLevelsChanged, lambda e: uma not in e.levels and e.levels.get(tom, 0) > 0)
        room.talking(two, False)
        await call.event(ev.AudioLevelsChanged, lambda e: uma not in e.levels and tom not in e.levels)
