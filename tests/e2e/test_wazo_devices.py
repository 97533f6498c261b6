"""Ring device, loudspeaker, microphone and camera of phone calls, on a computer with devices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.calls import actions as ac
from app.calls import phone as ph
from app.calls.accounts import Registration
from app.calls.model import CallPhase, MediaKind
from app.sandbox.wazo import WazoSandbox
from tests.e2e.device_lab import RATE, Camera, Room, at_devices
from tests.e2e.jitsi_call import eventually
from tests.e2e.test_jitsi_devices import colour_of

TONE_HZ = 440.0
TONE = (np.sin(np.arange(RATE) * 2 * np.pi * TONE_HZ / RATE) * 8000).astype(np.int16)
AUDIBLE = 500.0
"""Amplitude of a tone that certainly is there (of 32767)."""
LOUD_DBOV, SILENT_DBOV = -60.0, -95.0


async def signed_in(desk: Any, box: WazoSandbox) -> str:
    desk.store.set("network.trusted_certificates", (f"127.0.0.1 {box.fingerprint}",))
    account: str = await desk.controller.sign_in("wazo", box.host, "alice", "alicepw", stay_signed_in=False)
    await eventually(lambda: desk.controller.account(account).registration is Registration.REGISTERED)
    return account


async def loud(room: Room, sink: str) -> None:
    while await room.heard_at(sink) < LOUD_DBOV:
        pass


async def silent(room: Room, sink: str) -> None:
    while await room.heard_at(sink) > SILENT_DBOV:
        pass


@pytest.mark.covers(
    "wazo:phone.changeRingDevice", "wazo:option.phone.audioDeviceRing", "wazo:phone.changeAudioRingVolume",
    "wazo:phone.changeAudioDevice", "wazo:option.phone.audioDeviceOutput", "wazo:option.webrtc.audioOutputDeviceId",
    "wazo:phone.changeAudioOutputVolume",
)  # fmt: skip
@at_devices
async def test_where_and_how_loud_it_rings_and_talks(room: Room) -> None:
    settings = {"devices__speaker": "parley_room", "devices__ringer": "parley_quiet"}
    async with WazoSandbox() as box, room.desk(**settings) as desk:
        await signed_in(desk, box)
        box.colleague.call(box.user("alice"))
        await eventually(lambda: desk.controller.calls())
        (desk.call_id,) = desk.controller.calls()
        await loud(room, "parley_quiet")  # rings there, and only there
        assert await room.heard_at("parley_room") < SILENT_DBOV
        await desk.controller.perform(desk.call_id, ph.Answer())
        await desk.until(lambda s: s.phase is CallPhase.JOINED)
        await loud(room, "parley_room")
        await silent(room, "parley_quiet")
        far = next(p.id for p in desk.state.participants.values() if not p.is_local)
        await desk.controller.perform(desk.call_id, ac.SetParticipantVolume(far, 0.0))
        await silent(room, "parley_room")
        await desk.controller.perform(desk.call_id, ac.SetParticipantVolume(far, 1.0))
        await loud(room, "parley_room")
        await desk.controller.perform(desk.call_id, ac.SelectDevices(speaker="parley_other"))
        await loud(room, "parley_other")
        await silent(room, "parley_room")
        await desk.leave()
        await desk.until(lambda s: s.phase is CallPhase.ENDED)

        desk.controller.set_setting("phone.ring_volume", 0)
        box.colleague.call(box.user("alice"))
        await eventually(lambda: desk.controller.calls())
        assert await room.heard_at("parley_quiet") < SILENT_DBOV
        desk.call_id = desk.controller.calls()[0]
        await desk.controller.perform(desk.call_id, ph.Decline())


@pytest.mark.covers("wazo:phone.changeAudioInputDevice")
@at_devices
async def test_the_microphone_changes_while_talking(room: Room) -> None:
    settings = {"devices__microphone": "parley_deaf", "devices__speaker": "parley_other"}
    async with WazoSandbox() as box, room.desk(**settings) as desk:
        account = await signed_in(desk, box)
        room.play(TONE)
        desk.call_id = await desk.controller.dial(account, "600")
        await desk.until(lambda s: s.phase is CallPhase.JOINED)
        (leg,) = box.legs("alice")
        heard = leg.media.heard
        await eventually(lambda: heard.packets > 25)
        assert heard.tone_power(TONE_HZ) < AUDIBLE
        await desk.controller.perform(desk.call_id, ac.SelectDevices(microphone="parley_mic"))
        await eventually(lambda: heard.tone_power(TONE_HZ) > AUDIBLE)


@pytest.mark.covers("wazo:phone.changeVideoInputDevice")
@at_devices
async def test_the_camera_changes_while_talking(room: Room) -> None:
    room.cameras.plug(Camera("Red Camera", "red"), Camera("Blue Camera", "blue"))
    async with WazoSandbox() as box, room.desk(devices__speaker="parley_other") as desk:
        account = await signed_in(desk, box)
        desk.call_id = await desk.controller.dial(account, "600", video=True)
        await desk.until(lambda s: s.phase is CallPhase.JOINED)
        state = await desk.until(lambda s: any(x.kind is MediaKind.VIDEO for x in s.sources.values()))
        echo = next(x.name for x in state.sources.values() if x.kind is MediaKind.VIDEO)
        slot = desk.controller.slot(desk.call_id, echo)  # what comes back from the stack
        slot.attach(lambda: None)
        await eventually(lambda: colour_of(slot.take()))
        first = colour_of(slot.take())
        other = "Blue" if first == "red" else "Red"
        camera = next(d.id for d in desk.controller.devices() if other in d.label)
        await desk.controller.perform(desk.call_id, ac.SelectDevices(camera=camera))
        await eventually(lambda: colour_of(slot.take()) == other.lower())
