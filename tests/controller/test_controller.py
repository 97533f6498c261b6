from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.calls import actions as act
from app.calls import events as ev
from app.calls.model import Asked, CallPhase, CallState, SourceContent, frozen_map
from app.controller import call as call_module
from app.controller.api import ControllerApi, JoinOptions
from app.controller.controller import Controller
from app.controller.devices import Inputs
from app.media import api as media
from app.media.errors import DeviceError
from app.storage.history import History
from app.storage.settings_file import SettingsStore
from app.vendors.base import ActionRefused
from app.vendors.registry import Registry, Vendor
from tests.controller.fakes import FakeEngine, FakeSession, fake_registry

WAIT_S = 5.0
"""Far more than anything here takes, so that a loaded machine does not fail the test."""


class Desk:
    """A controller with everything around it faked."""

    def __init__(self, inputs: Inputs | None = None) -> None:
        FakeSession.made.clear()
        FakeSession.joining = asyncio.Event()
        self.engine = FakeEngine()
        self.store = SettingsStore(None)
        self.history = History(None)
        self.events: list[tuple[CallState, ev.CallEvent]] = []
        self.controller = Controller(
            self.store,
            self.history,
            registry=fake_registry(),
            engine_factory=lambda: self.engine,  # type: ignore[arg-type, return-value]
            inputs=inputs,
        )
        self._changed = asyncio.Event()
        self.controller.subscribe(self._on_event)

    def _on_event(self, state: CallState, event: ev.CallEvent) -> None:
        self.events.append((state, event))
        self._changed.set()

    async def join(self, room: str, **options: Any) -> str:
        address = self.controller.recognise(room).address
        assert address is not None
        return await self.controller.join(address, JoinOptions(**options))

    async def until(self, call_id: str, *phases: CallPhase) -> CallState:
        async with asyncio.timeout(WAIT_S):
            while self.controller.state(call_id).phase not in phases:
                self._changed.clear()
                await self._changed.wait()
        return self.controller.state(call_id)

    async def joined(self, room: str = "team", **options: Any) -> tuple[str, FakeSession]:
        call_id = await self.join(room, display_name="Me", **options)
        await self.until(call_id, CallPhase.JOINED)
        await self.settle()
        return call_id, FakeSession.made[-1]

    async def settle(self) -> None:
        """Until the controller's own tasks are done."""
        async with asyncio.timeout(WAIT_S):
            while tasks := tuple(self.controller._tasks._tasks):
                await asyncio.wait(tasks)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.controller.close()


async def test_it_implements_what_the_window_uses(desk: Desk) -> None:
    api: ControllerApi = desk.controller
    assert api.recent() == () and api.calls() == ()
    assert desk.engine.log == []  # nothing is made before something needs it


async def test_joining_gives_an_id_at_once_and_states_follow(desk: Desk) -> None:
    call_id = await desk.join("team", display_name="Me", password="secret")
    assert desk.controller.state(call_id).phase is CallPhase.IDLE
    state = await desk.until(call_id, CallPhase.JOINED)
    assert [one.name for one in state.participants.values()] == ["Me", "Anna"]
    assert FakeSession.made[0].request.password == "secret"
    assert FakeSession.made[0].request.options["useIPv6"] is True
    assert desk.controller.calls() == (call_id,)
    (recent,) = desk.controller.recent()
    assert (recent.title, recent.address.room) == ("team", "team")


async def test_a_dead_server_is_a_state_and_can_be_tried_again(desk: Desk) -> None:
    call_id = await desk.join("dead")
    state = await desk.until(call_id, CallPhase.FAILED)
    assert state.failure is not None and state.failure.code == "dns"
    await desk.settle()
    assert desk.controller.recent() == ()
    again = await desk.controller.retry(call_id)
    assert again != call_id
    await desk.until(again, CallPhase.FAILED)
    assert [one.closed for one in FakeSession.made][0]


async def test_a_mistake_of_ours_is_logged_and_shown(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        call_id = await desk.join("bug")
        state = await desk.until(call_id, CallPhase.FAILED)
    assert state.failure is not None and state.failure.code == "internal"


async def test_a_password_is_asked_and_given(desk: Desk) -> None:
    call_id = await desk.join("locked")
    state = await desk.until(call_id, CallPhase.ASKING)
    assert state.asked is Asked.ROOM_PASSWORD
    await desk.controller.perform(call_id, act.SubmitPassword("secret"))
    await desk.until(call_id, CallPhase.JOINED)


async def test_what_the_session_cannot_do_never_reaches_it(desk: Desk) -> None:
    call_id, session = await desk.joined()
    with pytest.raises(ActionRefused, match="Only moderators"):
        await desk.controller.perform(call_id, act.Kick("anna"))
    with pytest.raises(ActionRefused, match="does not offer"):
        await desk.controller.perform(call_id, act.Lock("x"))
    desk.controller.set_setting("screen.allowed", False)
    with pytest.raises(ActionRefused, match="turned off"):
        await desk.controller.perform(call_id, act.ShareScreen("screen:0"))
    assert session.performed == []
    await desk.controller.perform(call_id, act.RaiseHand(True))
    assert session.performed == [act.RaiseHand(True)]
    capabilities = desk.controller.state(call_id).capabilities
    assert capabilities["Leave"].allowed and not capabilities["Kick"].allowed


async def test_leaving_while_joining_ends_the_call(desk: Desk) -> None:
    call_id = await desk.join("slow")
    await desk.until(call_id, CallPhase.CONNECTING)
    async with asyncio.timeout(WAIT_S):
        await FakeSession.joining.wait()
    await desk.controller.perform(call_id, act.Leave())
    assert desk.controller.state(call_id).phase is CallPhase.ENDED
    assert FakeSession.made[0].closed
    with pytest.raises(ActionRefused, match="over"):
        await desk.controller.perform(call_id, act.RaiseHand(True))
    await desk.controller.perform(call_id, act.Leave())
    await desk.controller.perform(call_id, act.SendFeedback(5))


async def test_leaving_a_server_that_does_not_answer_is_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(call_module, "LEAVE_TIMEOUT_S", 0.05)
    call_id, _ = await desk.joined("hangs")
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        await desk.controller.perform(call_id, act.Leave())
    assert desk.controller.state(call_id).phase is CallPhase.ENDED


async def test_being_removed_closes_the_session_and_the_devices(desk: Desk) -> None:
    call_id, session = await desk.joined()
    session.emit(ev.LocalKicked("anna", "noise"))
    session.emit(ev.PhaseChanged(CallPhase.ENDED, "removed"))
    await desk.settle()
    assert session.closed
    assert desk.engine.opened("microphone")[-1] is None and desk.engine.opened("camera")[-1] is None
    session.emit(ev.PhaseChanged(CallPhase.JOINED))
    assert desk.controller.state(call_id).phase is CallPhase.ENDED


async def test_the_preview_hands_its_devices_to_the_call(desk: Desk) -> None:
    await desk.controller.open_preview(camera=True, microphone=True)
    await desk.joined()
    await desk.controller.close_preview()
    assert len(desk.engine.opened("camera")) == 1  # never closed and opened again
    assert len(desk.engine.opened("microphone")) == 1
    assert desk.engine.opened("camera")[0] == media.VideoInput("camera", "", 1280, 720, 30)


async def test_closing_the_preview_without_a_call_closes_the_devices(desk: Desk) -> None:
    await desk.controller.open_preview(camera=True, microphone=False)
    await desk.controller.open_preview(camera=True, microphone=False)
    await desk.controller.close_preview()
    assert [one is None for one in desk.engine.opened("camera")] == [False, True]
    assert desk.engine.opened("microphone") == []


async def test_the_camera_is_open_only_while_its_picture_is_sent(desk: Desk) -> None:
    call_id, session = await desk.joined(camera_muted=True)
    assert desk.engine.opened("camera") == []
    await desk.controller.perform(call_id, act.SetCamera(False))
    await desk.controller.perform(call_id, act.SetCamera(True))
    await desk.settle()
    assert [one is None for one in desk.engine.opened("camera")] == [False, True]
    assert session.performed == [act.SetCamera(False), act.SetCamera(True)]
    assert len(desk.engine.opened("microphone")) == 1


async def test_a_camera_that_cannot_be_opened_is_refused_with_the_reason(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[media.EngineEvent] = []
    desk.controller.subscribe_engine(failures.append)
    call_id, _ = await desk.joined(camera_muted=True)
    desk.engine.errors["camera"] = DeviceError("camera", "busy", "cam1", "Another program uses the camera.")
    with caplog.at_level(logging.CRITICAL + 1, logger="app"), pytest.raises(ActionRefused, match="Another program"):
        await desk.controller.perform(call_id, act.SetCamera(False))
    assert [one.code for one in failures if isinstance(one, media.InputFailed)] == ["busy"]
    assert desk.controller.state(call_id).local.camera_muted
    del desk.engine.errors["camera"]
    await desk.controller.perform(call_id, act.SetCamera(False))
    assert not desk.controller.state(call_id).local.camera_muted
    assert len(desk.engine.opened("camera")) == 1


async def test_joining_with_a_broken_camera_joins_without_it(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    failures: list[media.EngineEvent] = []
    desk.controller.subscribe_engine(failures.append)
    desk.engine.errors["camera"] = DeviceError("camera", "not_found", "", "No camera was found.")
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        call_id, _ = await desk.joined()
    local = desk.controller.state(call_id).local
    assert local.camera_muted and not local.camera_available and not local.microphone_muted
    assert len(failures) == 1  # said once, though call and session both wanted it


async def test_a_session_chooses_no_devices_itself(desk: Desk) -> None:
    desk.controller.set_setting("devices.camera", "cam7")
    desk.controller.set_setting("video.camera_size", "640x360")
    call_id, _ = await desk.joined()
    assert desk.engine.opened("camera") == [media.VideoInput("camera", "cam7", 640, 360, 30)]
    await desk.controller.perform(call_id, act.ShareScreen("screen:0"))
    assert desk.engine.opened("screen")[0].fps == desk.controller.setting("screen.max_fps")


async def test_settings_apply_at_once(desk: Desk) -> None:
    call_id, session = await desk.joined()
    desk.controller.set_setting("devices.microphone", "mic2")
    desk.controller.set_setting("audio.noise_suppression", False)
    desk.controller.set_setting("video.receive_max_height", 360)
    desk.controller.set_setting("video.send_max_height", 180)
    desk.controller.set_setting("profile.display_name", "New name")
    await desk.settle()
    assert desk.engine.opened("microphone")[-1] == media.AudioInput("device", "mic2")
    assert desk.engine.opened("processing")[-1].noise_suppression is False
    assert act.SetReceiveLimit(360) in session.performed
    assert act.SetSendLimit(180) in session.performed
    assert act.SetDisplayName("New name") in session.performed
    with pytest.raises(ValueError):
        desk.controller.set_setting("video.send_max_height", 181)
    assert desk.controller.state(call_id).phase is CallPhase.JOINED


async def test_choosing_devices_in_the_call_is_remembered(desk: Desk) -> None:
    call_id, session = await desk.joined()
    await desk.controller.perform(call_id, act.SelectDevices(camera="cam2", speaker="out2"))
    assert desk.controller.setting("devices.camera") == "cam2"
    assert desk.engine.opened("speaker")[-1] == media.AudioOutput("device", "out2")
    assert session.performed == []


async def test_volume_is_kept_when_the_microphone_is_announced_again(desk: Desk) -> None:
    call_id, session = await desk.joined()
    await desk.controller.perform(call_id, act.SetParticipantVolume("anna", 0.0))
    source = desk.controller.state(call_id).sources["anna-a0"]
    session.emit(ev.SourceRemoved("anna-a0"))
    session.emit(ev.SourceAdded(source))
    assert session.transport.volumes == [("anna-a0", 0.0), ("anna-a0", 0.0)]


async def test_hints_reach_the_session_as_the_settings_allow(desk: Desk) -> None:
    _, session = await desk.joined()
    desk.engine.report(media.MicrophoneHint("talking_while_muted"))
    desk.controller.set_setting("hints.noisy", False)
    desk.engine.report(media.MicrophoneHint("noisy"))
    assert session.hints == ["talking_while_muted"]


async def test_a_plugged_device_is_tried_again(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.engine.errors["microphone"] = DeviceError("microphone", "not_found", "", "No microphone was found.")
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        await desk.controller.open_preview(camera=False, microphone=True)
    del desk.engine.errors["microphone"]
    desk.engine.report(media.DevicesChanged(desk.engine.found))
    await desk.settle()
    assert desk.engine.opened("microphone") == [media.AudioInput("device", "")]


async def test_reading_messages(desk: Desk) -> None:
    from app.calls.model import Message

    call_id, session = await desk.joined()
    session.emit(ev.MessageReceived(Message("1", "anna", "Anna", "hello", 1)))
    assert desk.controller.state(call_id).unread_messages == 1
    await desk.controller.perform(call_id, act.MarkMessagesRead())
    assert desk.controller.state(call_id).unread_messages == 0


async def test_a_listener_that_fails_harms_nobody(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def bad(state: CallState, event: ev.CallEvent) -> None:
        raise RuntimeError("a view with a mistake")

    desk.controller._listeners.insert(0, bad)
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        call_id, _ = await desk.joined()
    assert desk.controller.state(call_id).phase is CallPhase.JOINED


async def test_closing_leaves_every_call_and_closes_the_engine() -> None:
    desk = Desk()
    first, _ = await desk.joined("one")
    second = await desk.join("slow")
    await desk.controller.close()
    assert {desk.controller.state(one).phase for one in (first, second)} == {CallPhase.ENDED}
    assert desk.engine.closed and len(desk.controller._tasks) == 0
    await desk.controller.close()


async def test_stand_ins_for_this_run() -> None:
    desk = Desk(Inputs(camera=media.VideoInput("test"), microphone=media.AudioInput("none")))
    call_id, _ = await desk.joined()
    assert desk.engine.opened("camera") == [media.VideoInput("test")]
    assert desk.engine.opened("microphone") == [None]
    assert desk.controller.state(call_id).local.microphone_available
    await desk.controller.close()


async def test_a_stand_in_only_where_there_is_no_camera() -> None:
    desk = Desk(Inputs(camera_if_none=media.VideoInput("test")))
    await desk.controller.open_preview(camera=True, microphone=False)
    desk.engine.found = ()
    desk.engine.report(media.DevicesChanged(()))
    await desk.settle()
    assert [one.kind for one in desk.engine.opened("camera")] == ["camera", "test"]
    await desk.controller.close()


async def test_a_token_of_a_link_is_used_and_not_kept() -> None:
    from dataclasses import replace

    desk = Desk()
    address = desk.controller.recognise("team").address
    assert address is not None
    address = replace(address, token="abc.def.ghi", extra=frozen_map({"jwt": "abc.def.ghi", "tenant": "t"}))
    call_id = await desk.controller.join(address, JoinOptions())
    await desk.until(call_id, CallPhase.JOINED)
    assert FakeSession.made[-1].request.token == "abc.def.ghi"
    assert dict(desk.controller.recent()[0].address.extra) == {"tenant": "t"}
    await desk.controller.close()


async def test_trusted_certificates_are_those_of_the_server() -> None:
    desk = Desk()
    desk.controller.set_setting("network.trusted_certificates", ["meet.jit.si AA:BB", "other CC:DD", "broken"])
    await desk.joined()
    assert FakeSession.made[-1].request.trusted_certificates == ("AA:BB",)
    await desk.controller.close()


async def test_unknown_vendors_and_texts() -> None:
    registry = Registry((Vendor("fake", "Fake", lambda text, server: None, lambda: FakeSession),))
    assert registry.recognise("x", "https://h").address is None
    for text in ("", " ", "sip:anna@host", "tel:123", "javascript:alert(1)", "x" * 10_000):
        found = Registry().recognise(text, "https://meet.example.org")
        assert found.address is None and found.hint.endswith(".")
    with pytest.raises(LookupError):
        await registry.factory("nobody")


async def test_slots(desk: Desk) -> None:
    call_id, _ = await desk.joined()
    assert desk.controller.slot(call_id, "anna-v0") is not None
    assert desk.controller.slot("nobody", "anna-v0") is None
    assert desk.controller.preview(SourceContent.CAMERA) is not None


async def test_the_command_line_fills_in_what_the_window_does_not_ask() -> None:
    from app.controller.controller import Preset

    desk = Desk()
    desk.controller._preset = Preset("from the command line", "token")
    await desk.joined(password="typed")
    assert FakeSession.made[-1].request.password == "typed"
    assert FakeSession.made[-1].request.token == "token"
    assert "from the command line" not in repr(desk.controller._preset)
    order: list[str] = []

    async def before() -> None:
        order.append(f"before with {len(desk.controller.calls())} call")

    async def after() -> None:
        order.append(f"after, engine closed: {desk.engine.closed}")

    desk.controller.before_close(before)
    desk.controller.after_close(after)
    await desk.controller.close()
    assert order == ["before with 1 call", "after, engine closed: True"]
