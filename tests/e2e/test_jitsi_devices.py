"""Cameras, microphones and loudspeakers as a person uses them, with stand-ins below the device layer."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QComboBox

from app.calls.model import SourceContent
from app.media.api import Picture
from app.sandbox.jitsi import JitsiSandbox
from tests.e2e.device_lab import HEADSET, RATE, SINK, Camera, Room, at_devices
from tests.e2e.jitsi_call import Person, eventually

LINK = "https://meet.example.org/team"
TONE = (np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE) * 8000).astype(np.int16)
TALK = (TONE * (np.arange(RATE) % 12_000 < 7_000)).astype(np.int16)
"""Comes and goes four times a second, as syllables do."""


def colour_of(picture: Picture | None) -> str:
    """``red``, ``green``, ``blue`` by the strongest channel, or empty."""
    if picture is None:
        return ""
    rows = np.frombuffer(picture.data, np.uint8)[: picture.stride * picture.height].reshape(picture.height, -1)
    pixels = rows[:, : picture.width * 4].reshape(picture.height, picture.width, 4)
    means = pixels[:, :, :3].mean(axis=(0, 1))
    return ("blue", "green", "red")[int(np.argmax(means))] if means.max() > 60 else ""


def choose(box: QComboBox, words: str) -> None:
    """As a person picks an entry that contains *words*."""
    index = next(i for i in range(box.count()) if words in box.itemText(i))
    box.setCurrentIndex(index)
    box.activated.emit(index)


def entries(box: QComboBox) -> list[str]:
    return [box.itemText(i) for i in range(box.count())]


async def prejoin_of(desk: Any) -> Any:
    window = desk.open_window()
    window.open_text(LINK)
    return await desk.seen(lambda: window.prejoin if window.stack.currentWidget() is window.prejoin else None)


def preview_colour(desk: Any) -> Callable[[], str]:
    slot = desk.controller.preview(SourceContent.CAMERA)
    return lambda: colour_of(slot.take())


@pytest.mark.covers(
    "jitsi:meet.createLocalTracks",
    "jitsi:constant.device.video",
    "jitsi:constant.device.audio",
    "jitsi:option.createLocalTracks.cameraDeviceId",
    "jitsi:option.createLocalTracks.micDeviceId",
    "jitsi:meet.enumerateDevices",
    "jitsi:mediaDevices",
    "jitsi:mediaDevices.enumerateDevices",
    "jitsi:type.MediaDeviceInfo",
    "jitsi:type.MediaDeviceInfo.label",
    "jitsi:type.MediaDeviceInfo.kind",
    "jitsi:type.MediaDeviceInfo.deviceId",
    "jitsi:constant.deviceKind.audioinput",
    "jitsi:constant.deviceKind.audiooutput",
    "jitsi:constant.deviceKind.videoinput",
    "jitsi:track.getDeviceId",
)
@at_devices
async def test_devices_are_listed_chosen_seen_and_heard_before_joining(room: Room) -> None:
    front, rear = Camera("Front Camera", "red"), Camera("Rear Camera", "blue")
    room.cameras.plug(front, rear)
    file = room.folder / "choices.toml"
    file.unlink(missing_ok=True)
    async with room.desk(file) as desk:
        view = await prejoin_of(desk)
        await desk.seen(lambda: preview_colour(desk)() == "red")
        assert {"Front Camera", "Rear Camera"} <= set(entries(view.camera.box))
        assert {"parley_mic", "parley_deaf"} <= set(entries(view.microphone.box))
        assert {"parley_room", "parley_other"} <= set(entries(view.speaker.box))
        assert "Rear Camera" not in entries(view.microphone.box) and "parley_room" not in entries(view.camera.box)
        choose(view.camera.box, "Rear Camera")
        await desk.seen(lambda: preview_colour(desk)() == "blue")
        assert view.camera.box.currentText() == "Rear Camera" and (front.handles, rear.handles) == (0, 1)
        assert view.meter.level < 0.1
        room.play(TONE)
        choose(view.microphone.box, "parley_mic")
        await desk.seen(lambda: view.meter.level > 0.3)
    assert rear.handles == 0
    async with room.desk(file) as desk:
        view = await prejoin_of(desk)
        assert view.camera.box.currentText() == "Rear Camera"
        assert view.microphone.box.currentText() == "parley_mic"
        await desk.seen(lambda: preview_colour(desk)() == "blue")


@pytest.mark.covers(
    "jitsi:mediaDevices.isDeviceListAvailable",
    "jitsi:meet.isDeviceListAvailable",
    "jitsi:mediaDevices.isDeviceChangeAvailable",
    "jitsi:meet.isDeviceChangeAvailable",
)
@at_devices
async def test_lists_are_filled_or_explained(room: Room) -> None:
    async with room.desk() as desk:
        view = await prejoin_of(desk)
        await desk.seen(lambda: view.camera.missing.isVisible() and not view.camera.box.isVisible())
        assert "No camera found" in view.camera.missing.text() and not view.self_view.camera.isEnabled()
        assert view.speaker.box.isVisible() and view.microphone.box.isVisible()
        room.cameras.plug(Camera("Front Camera", "red"))
        await desk.seen(lambda: view.camera.box.isVisible() and view.self_view.camera.isEnabled())
        await desk.seen(lambda: preview_colour(desk)() == "red")


@pytest.mark.covers(
    "jitsi:option.createLocalTracks.resolution",
    "jitsi:option.createLocalTracks.constraints",
    "jitsi:option.createLocalTracks.maxFps",
    "jitsi:error.track.UNSUPPORTED_RESOLUTION",
)
@at_devices
async def test_size_and_rate_are_asked_of_the_camera(room: Room) -> None:
    camera = Camera("Small Camera", "red", (320, 180), (640, 360))
    camera.ignores_rate = True
    room.cameras.plug(camera)
    async with room.desk(video__camera_size="320x180", video__max_fps=10) as desk:
        view = await prejoin_of(desk)
        await desk.seen(lambda: preview_colour(desk)() == "red")
        assert camera.opened[-1] == (320, 180, 10)
        slot = desk.controller.preview(SourceContent.CAMERA)
        assert (slot.take().width, slot.take().height) == (320, 180)
        loop, first = asyncio.get_running_loop(), slot.take().sequence
        began = loop.time()
        await desk.seen(lambda: slot.take().sequence >= first + 12)
        assert 12 / (loop.time() - began) < 11.5, "the camera gives 30 a second, 10 were asked for"
        desk.controller.set_setting("video.camera_size", "1920x1080")
        await desk.seen(lambda: "640 × 360 at most" in view.problem.text.text())
        assert view.problem.smaller.text() == "Use 640 × 360" and view.problem.smaller.isVisible()
        view.problem.smaller.click()
        assert desk.controller.setting("video.camera_size") == "640x360"
        await desk.seen(lambda: camera.opened[-1] == (640, 360, 10) and slot.take() and slot.take().width == 640)
        assert not view.problem.isVisible()


@pytest.mark.covers("jitsi:option.createLocalTracks.minFps", "jitsi:error.track.CONSTRAINT_FAILED")
@at_devices
async def test_camera_that_is_too_slow_is_said(room: Room) -> None:
    room.cameras.plug(Camera("Old Camera", "red", fps=5))
    async with room.desk(video__min_fps=20) as desk:
        view = await prejoin_of(desk)
        await desk.seen(lambda: "gives 5 pictures a second" in view.problem.text.text())
        assert "minimum frame rate" in view.problem.text.text()


@pytest.mark.covers(
    "jitsi:option.createLocalTracks.facingMode",
    "jitsi:constant.facingMode.user",
    "jitsi:constant.facingMode.environment",
)
@at_devices
async def test_preferred_side_picks_the_camera(room: Room) -> None:
    room.cameras.plug(Camera("Tablet Rear", "blue"), Camera("Tablet Front", "red"))
    async with room.desk() as desk:
        window = desk.open_window()
        window.open_settings("video")
        settings = window._settings_window
        page = settings.page("video")
        page.toggle_advanced()
        await desk.seen(lambda: preview_colour(desk)() == "blue")
        row = next(row for row in page.rows if row.setting.key == "video.facing")
        choose(row.control, "Front")
        await desk.seen(lambda: preview_colour(desk)() == "red")
        choose(row.control, "Rear")
        await desk.seen(lambda: preview_colour(desk)() == "blue")


@pytest.mark.covers(
    "jitsi:option.createLocalTracks.fireSlowPromiseEvent",
    "jitsi:event.mediaDevices.USER_MEDIA_SLOW_PROMISE_TIMEOUT",
)
@at_devices
async def test_slow_camera_is_said_to_be_starting_still(room: Room) -> None:
    camera = Camera("Sleepy Camera", "red")
    camera.delay_s = 1.2  # for each of two attempts: compressed pictures are tried first
    room.cameras.plug(camera)
    async with room.desk() as desk:
        view = await prejoin_of(desk)
        surface = view.self_view.surface
        await desk.seen(lambda: "starting" in surface.accessibleDescription())
        assert "still" not in surface.accessibleDescription()
        await desk.seen(lambda: "still starting" in surface.accessibleDescription())
        await desk.seen(lambda: surface.has_picture)
        assert "still" not in surface.accessibleDescription()


@pytest.mark.covers(
    "jitsi:error.track.PERMISSION_DENIED",
    "jitsi:error.track.GENERAL",
    "jitsi:mediaDevices.isDevicePermissionGranted",
    "jitsi:type.JitsiTrackError",
    "jitsi:type.JitsiTrackError.name",
    "jitsi:type.JitsiTrackError.message",
    "jitsi:type.JitsiTrackError.stack",
    "jitsi:type.JitsiTrackError.gum",
    "jitsi:type.JitsiTrackError.gum.error",
    "jitsi:type.JitsiTrackError.gum.constraints",
    "jitsi:type.JitsiTrackError.gum.devices",
    "jitsi:meet.errorTypes",
    "jitsi:meet.errorTypes.JitsiTrackError",
)
@at_devices
async def test_refusals_of_the_system_are_explained_with_details(room: Room) -> None:
    from app import logs

    camera = Camera("Front Camera", "red")
    camera.refuse = errno.EACCES
    room.cameras.plug(camera)
    log = logs.set_up(room.folder / "log", "INFO", console=False)
    assert log is not None
    async with room.desk() as desk:
        view = await prejoin_of(desk)
        await desk.seen(lambda: "privacy settings" in view.problem.text.text())
        assert "camera" in view.problem.text.text() and not view.problem.details.isVisible()
        view.problem.fold.click()
        details = view.problem.details.text()
        assert view.problem.details.isVisible()
        for part in ("device.permission_denied", "could not be opened", "PermissionError", "camera Front Camera"):
            assert part in details, details
        assert "1280x720, 30 fps" in details
        assert "Traceback" in log.read_text() and "PermissionError" in log.read_text()
        camera.refuse = errno.EIO
        view.problem.try_again.click()
        await desk.seen(lambda: "did not start" in view.problem.text.text())
        camera.refuse = 0
        view.problem.try_again.click()
        await desk.seen(lambda: view.self_view.surface.has_picture and not view.problem.isVisible())
    logs.set_up(None, "ERROR", console=True)


@pytest.mark.covers("jitsi:event.track.LOCAL_TRACK_STOPPED", "jitsi:track.isEnded")
@at_devices
async def test_unplugged_camera_goes_dark_with_a_reason(room: Room) -> None:
    camera = Camera("Front Camera", "red")
    room.cameras.plug(camera)
    async with room.desk() as desk:
        view = await prejoin_of(desk)
        surface = view.self_view.surface
        await desk.seen(lambda: surface.has_picture)
        camera.unplugged = True
        await desk.seen(lambda: "not there any more" in view.problem.text.text())
        assert "does not work" in surface.accessibleDescription()
        camera.unplugged = False
        view.problem.try_again.click()
        await desk.seen(lambda: surface.has_picture and not view.problem.isVisible())


@pytest.mark.covers(
    "jitsi:meet.createTrackVADEmitter",
    "jitsi:param.createTrackVADEmitter.localAudioDeviceId",
    "jitsi:param.createTrackVADEmitter.vadProcessor",
    "jitsi:vadProcessor.getSampleLength",
    "jitsi:vadProcessor.getRequiredPCMFrequency",
    "jitsi:vadProcessor.calculateAudioFrameVAD",
    "jitsi:event.detection.VAD_SCORE_PUBLISHED",
)
@at_devices
async def test_microphone_test_shows_speech(room: Room) -> None:
    async with room.desk(devices__microphone="parley_deaf", audio__noise_suppression=False) as desk:
        window = desk.open_window()
        window.open_settings("audio")
        page = window._settings_window.page("audio")
        room.play(TALK)
        await desk.seen(lambda: page.speech.text().startswith("No speech"))
        await asyncio.sleep(0.5)
        assert page.speech.text() == "No speech is heard (0 %)"
        choose(next(p for p in page.pickers if p.kind == "audioinput").box, "parley_mic")
        await desk.seen(lambda: page.speech.text().startswith("Speech is heard"))
        room.hush()
        await desk.seen(lambda: page.speech.text() == "No speech is heard (0 %)")


@pytest.mark.covers(
    "jitsi:meet.getActiveAudioDevice",
    "jitsi:type.ActiveAudioDevice.deviceId",
    "jitsi:type.ActiveAudioDevice.deviceLabel",
)
@at_devices
async def test_the_microphone_that_hears_is_offered(room: Room) -> None:
    from app.media import device_search, levels

    patience, levels.NO_SIGNAL_MS = levels.NO_SIGNAL_MS, 1_500.0
    wake, device_search.WAKE_S = device_search.WAKE_S, 1.5
    try:
        room.play(TONE)
        async with room.desk() as desk:
            view = await prejoin_of(desk)
            await desk.seen(lambda: "Sound comes from “parley_mic”" in view.offer.text.text())
            view.offer.accept.click()
            assert desk.controller.setting("devices.microphone") == "parley_mic" and not view.offer.isVisible()
            await desk.seen(lambda: view.meter.level > 0.3)
        async with (
            JitsiSandbox(bots=0) as sandbox,
            Person(sandbox.url("team"), "Bob") as bob,
            room.desk(audio__noise_suppression=False) as desk,
        ):
            window = desk.open_window()
            await desk.join(sandbox.url("team"), microphone_muted=False)
            window._joined(desk.call_id)
            await desk.seen(lambda: "Sound comes from “parley_mic”. Use it?" in desk.toasts())
            toast = next(t for t in window.meeting.toasts.toasts if "Sound comes" in t.message.text)
            toast.button.click()
            dora = desk.id
            await bob.event(_levels(), lambda e: e.levels.get(dora, 0.0) > 0.2)
    finally:
        levels.NO_SIGNAL_MS, device_search.WAKE_S = patience, wake


def seen_by(person: Person, source: str) -> Callable[[], str]:
    """The colour that *person* sees of a remote video; pictures are made for those who look only."""
    transport = person.session.transport
    assert transport is not None
    slot = transport.slot(source)
    slot.attach(lambda: None)
    return lambda: colour_of(slot.take())


def _levels() -> Any:
    from app.calls.events import AudioLevelsChanged

    return AudioLevelsChanged


@pytest.mark.covers(
    "jitsi:mediaDevices.setAudioOutputDevice",
    "jitsi:mediaDevices.getAudioOutputDevice",
    "jitsi:track.setAudioOutput",
    "jitsi:param.track.setAudioOutput.audioOutputDeviceId",
    "jitsi:event.track.TRACK_AUDIO_OUTPUT_CHANGED",
)
@at_devices
async def test_sound_moves_to_the_chosen_loudspeaker(room: Room) -> None:
    async with JitsiSandbox(bots=1) as sandbox, room.desk(devices__speaker="parley_room") as desk:
        window = desk.open_window()
        await desk.join(sandbox.url("team"))
        window._joined(desk.call_id)

        async def loud(sink: str) -> None:
            while await room.heard_at(sink) < -60:
                pass

        await loud("parley_room")
        assert await room.heard_at("parley_quiet") < -100
        menu = window.meeting.menus.microphone()
        next(action for action in menu.actions() if "parley_quiet" in action.text()).trigger()
        await loud("parley_quiet")
        assert await room.heard_at("parley_room") < -100
        chosen = [a.text() for a in window.meeting.menus.microphone().actions() if a.isChecked()]
        assert "parley_quiet" in chosen
        desk.controller.set_setting("devices.speaker", "")
        await loud("parley_other")


@pytest.mark.covers(
    "jitsi:event.mediaDevices.DEVICE_LIST_CHANGED",
    "jitsi:type.MediaDeviceInfo.groupId",
    "jitsi:mediaDevices.addEventListener",
    "jitsi:mediaDevices.removeEventListener",
)
@at_devices
async def test_headset_is_offered_as_a_whole(room: Room) -> None:
    async with room.desk() as desk:
        view = await prejoin_of(desk)
        told: list[Any] = []
        stop = desk.controller.subscribe_engine(told.append)
        room.plug_audio(*HEADSET)
        await desk.seen(lambda: view.offer.isVisible() and "was plugged in" in view.offer.text.text())
        assert "Headset_" in view.offer.text.text()
        assert told
        await desk.seen(lambda: any("Headset_output" in words for words in entries(view.speaker.box)))
        view.offer.accept.click()
        setting = desk.controller.setting
        microphone = "alsa_input.usb-Parley_Headset-00.mono"
        await desk.seen(lambda: setting("devices.microphone") == microphone)
        if setting("devices.speaker") == "":
            # The microphone was announced before its loudspeaker was there: choosing it offers the other half.
            await desk.seen(lambda: "same headset" in view.offer.text.text())
            view.offer.accept.click()
        assert setting("devices.speaker") == "alsa_output.usb-Parley_Headset-00.stereo"
        stop()
        count = len(told)
        room.plug_audio(SINK.format("parley_late"))
        await desk.seen(lambda: "parley_late" in entries(view.speaker.box))
        assert len(told) == count


@pytest.mark.covers(
    "jitsi:option.createLocalTracks.desktopSharingSourceDevice",
    "jitsi:track.stop",
    "jitsi:track.dispose",
    "jitsi:track",
    "jitsi:type.JitsiLocalTrack",
)
@at_devices
async def test_capture_card_is_shared_as_a_screen_and_the_camera_light_goes_off(room: Room) -> None:
    camera, card = Camera("Front Camera", "red"), Camera("HDMI Capture", "green")
    room.cameras.plug(camera, card)
    async with (
        JitsiSandbox(bots=0) as sandbox,
        Person(sandbox.url("team"), "Bob") as bob,
        room.desk(video__camera_size="320x180") as desk,
    ):
        window = desk.open_window()
        await desk.join(sandbox.url("team"), camera_muted=False)
        window._joined(desk.call_id)
        face, screen = f"{desk.id}-v0", f"{desk.id}-v1"
        await bob.until(lambda s: s.sources.get(face) and s.sources[face].receiving)
        colour = seen_by(bob, face)
        await eventually(lambda: colour() == "red")
        window.meeting.toolbar.buttons["share"].click()
        dialog = await desk.seen(lambda: _dialog(window))
        titles = [card_.text() for card_ in dialog.cards]
        assert "HDMI Capture" in titles and "Front Camera" not in titles and "Screen 1" in titles
        chosen = next(c for c in dialog.cards if c.text() == "HDMI Capture")
        chosen.click()
        dialog.share.click()
        state = await bob.until(lambda s: s.sources.get(screen) and s.sources[screen].receiving)
        assert state.sources[screen].content is SourceContent.SCREEN
        shared = seen_by(bob, screen)
        await eventually(lambda: shared() == "green")
        assert (camera.handles, card.handles) == (1, 1)
        window.meeting.toolbar.buttons["share"].click()
        await bob.until(lambda s: screen not in s.sources or s.sources[screen].muted)
        await desk.seen(lambda: card.handles == 0)
        window.meeting.toolbar.buttons["camera"].click()
        await bob.until(lambda s: s.sources[face].muted)
        await desk.seen(lambda: camera.handles == 0)


def _dialog(window: Any) -> Any:
    from ui.dialogs.share import ShareDialog

    return next((d for d in window.findChildren(ShareDialog) if d.isVisible() and d.cards), None)


@pytest.mark.covers("jitsi:error.track.SCREENSHARING_USER_CANCELED", "jitsi:error.track.SCREENSHARING_GENERIC_ERROR")
@at_devices
async def test_picker_that_is_closed_and_source_that_fails(room: Room) -> None:
    card = Camera("HDMI Capture", "green")
    card.refuse = errno.EIO
    room.cameras.plug(Camera("Front Camera", "red"), card)
    async with (
        JitsiSandbox(bots=0) as sandbox,
        Person(sandbox.url("team"), "Bob") as bob,
        room.desk() as desk,
    ):
        window = desk.open_window()
        await desk.join(sandbox.url("team"))
        window._joined(desk.call_id)
        await bob.until(lambda s: desk.id in s.participants)
        window.meeting.toolbar.buttons["share"].click()
        dialog = await desk.seen(lambda: _dialog(window))
        dialog.reject()
        await desk.seen(lambda: _dialog(window) is None)
        assert not desk.state.local.sharing_screen and not desk.toasts()
        window.meeting.toolbar.buttons["share"].click()
        dialog = await desk.seen(lambda: _dialog(window))
        next(c for c in dialog.cards if c.text() == "HDMI Capture").click()
        dialog.share.click()
        await desk.seen(lambda: "screen" in desk.toasts().lower())
        assert "sharing" in desk.toasts().lower(), desk.toasts()
        assert not desk.state.local.sharing_screen
        assert not any(s.content is SourceContent.SCREEN and not s.muted for s in bob.state.sources.values())


@pytest.mark.covers(
    "jitsi:track.setEffect",
    "jitsi:effect.startEffect",
    "jitsi:effect.stopEffect",
)
@at_devices
async def test_noise_reduction_is_heard_by_the_others(room: Room) -> None:
    """Steady noise in the room: the others hear much less of it while the effect is on."""
    noise = (np.random.default_rng(1).normal(0, 1500, RATE)).astype(np.int16)
    settings = {"audio__gain_control": False, "audio__echo_cancellation": False, "devices__microphone": "parley_mic"}
    async with (
        JitsiSandbox(bots=0) as sandbox,
        Person(sandbox.url("team"), "Bob") as bob,
        room.desk(audio__noise_suppression=False, **settings) as desk,
    ):
        window = desk.open_window()
        await desk.join(sandbox.url("team"), microphone_muted=False)
        dora = desk.id
        room.play(noise)
        plain = await bob.event(_levels(), lambda e: e.levels.get(dora, 0.0) > 0.3)
        before = plain.levels[dora]
        window.open_settings("audio")
        row = next(r for r in window._settings_window.page("audio").rows if r.setting.key == "audio.noise_suppression")
        row.control.click()
        bob.forget()
        await bob.event(_levels(), lambda e: e.levels.get(dora, 0.0) < before - 0.12)
        row.control.click()
        bob.forget()
        await bob.event(_levels(), lambda e: e.levels.get(dora, 0.0) > before - 0.05)
