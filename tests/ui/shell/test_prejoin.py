"""Pre-join: devices, joining and its progress, what servers ask for, errors and the way on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.calls import actions as act
from app.calls.events import InputAsked, PhaseChanged
from app.calls.model import Asked, CallPhase, Failure
from app.media.api import Device, DevicesChanged, InputFailed, InputStarted, LocalAudioLevel
from tests.ui.fakes import LOCAL, FakeController, meeting
from tests.ui.shell.helpers import address, click, press, settle, type_text
from ui.main_window import MainWindow

CALL = "call-1"
WRONG = Failure("password_wrong", "The meeting password is wrong. Try again.")


@pytest.fixture
async def prejoin(window: MainWindow) -> MainWindow:
    window.open_address(address())
    await settle()
    return window


def join_meeting(controller: FakeController, call_id: str = CALL) -> None:
    controller.set(meeting(3, call_id=call_id), PhaseChanged(CallPhase.JOINED))


async def test_enter_joins_with_the_choices_made(prejoin: MainWindow, controller: FakeController) -> None:
    view = prejoin.prejoin
    assert prejoin.focusWidget() is view.area.join
    click(view.self_view.microphone)
    type_text(view.name, "Ada")
    press(view.name, Qt.Key.Key_Return)
    await settle()
    (where, options), *_ = controller.joined
    assert where == address()
    assert options.display_name == "Ada" and options.microphone_muted and not options.camera_muted
    assert controller.settings["profile.display_name"] == "Ada"
    assert view.area.join.text() == "Joining…" and view.area.cancel.isVisible()


async def test_joining_ends_in_the_meeting(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    join_meeting(controller)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.meeting
    assert not prejoin.rail.isVisible()
    assert controller.preview_open is None


async def test_ways_to_join(prejoin: MainWindow, controller: FakeController) -> None:
    menu = prejoin.prejoin.area.make_menu()
    assert len(menu.actions()) == 2
    menu.actions()[0].trigger()
    await settle()
    assert controller.joined[-1][1].start_silent
    prejoin.prejoin.cancel()
    menu.actions()[1].trigger()
    await settle()
    assert controller.joined[-1][1].audio_only and controller.joined[-1][1].camera_muted


async def test_cancel_leaves_and_stays_here(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    click(prejoin.prejoin.area.cancel)
    await settle()
    assert controller.asked(act.Leave)
    assert prejoin.stack.currentWidget() is prejoin.prejoin
    assert prejoin.prejoin.area.join.isEnabled()


async def test_password_wrong_then_right(prejoin: MainWindow, controller: FakeController) -> None:
    view = prejoin.prejoin
    view.area.press()
    await settle()
    assert not view.area.asked.isVisible()
    controller.update(InputAsked(Asked.ROOM_PASSWORD), CALL, phase=CallPhase.ASKING, asked=Asked.ROOM_PASSWORD)
    await settle()
    form = view.area.asked
    assert form.password.isVisible() and not form.problem.isVisible()
    assert prejoin.focusWidget() is form.password
    type_text(form.password, "nope")
    press(form.password, Qt.Key.Key_Return)
    await settle()
    assert controller.asked(act.SubmitPassword)[-1].password == "nope"
    controller.update(InputAsked(Asked.ROOM_PASSWORD, WRONG), CALL)
    await settle()
    assert form.problem.text() == WRONG.message and form.problem.isVisible()
    assert prejoin.focusWidget() is form.password and form.password.selectedText() == "nope"
    type_text(form.password, "right")
    press(form.password, Qt.Key.Key_Return)
    await settle()
    assert controller.asked(act.SubmitPassword)[-1].password == "right"
    join_meeting(controller)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.meeting
    assert form.password.text() == ""


async def test_sign_in_and_display_name(prejoin: MainWindow, controller: FakeController) -> None:
    view = prejoin.prejoin
    view.area.press()
    await settle()
    controller.update(InputAsked(Asked.SIGN_IN), CALL, phase=CallPhase.ASKING, asked=Asked.SIGN_IN)
    await settle()
    form = view.area.asked
    type_text(form.user, "ada")
    press(form.user, Qt.Key.Key_Return)
    assert prejoin.focusWidget() is form.password
    type_text(form.password, "secret")
    click(view.area.join)
    await settle()
    assert controller.asked(act.SignIn)[-1] == act.SignIn("ada", "secret")
    controller.update(InputAsked(Asked.DISPLAY_NAME), CALL, asked=Asked.DISPLAY_NAME)
    await settle()
    assert form.name.isVisible() and not form.password.isVisible()
    type_text(form.name, "Ada")
    press(form.name, Qt.Key.Key_Return)
    await settle()
    assert controller.asked(act.SubmitDisplayName)[-1].name == "Ada"


async def test_missing_devices_are_sentences_and_do_not_block(prejoin: MainWindow, controller: FakeController) -> None:
    view = prejoin.prejoin
    controller.device_list = ()
    controller.engine(DevicesChanged(()))
    await settle()
    assert view.camera.missing.isVisible() and "No camera found" in view.camera.missing.text()
    assert view.microphone.again.isVisible()
    assert not view.self_view.camera.isEnabled()
    view.area.press()
    await settle()
    assert controller.joined


async def test_pickers_follow_hot_plug_and_keep_the_choice(prejoin: MainWindow, controller: FakeController) -> None:
    box = prejoin.prejoin.microphone.box
    assert box.count() == 3 and box.currentData() == ""
    box.setCurrentIndex(2)
    box.activated.emit(2)
    assert controller.settings["devices.microphone"] == "mic-2"
    kept = tuple(d for d in controller.device_list if d.id != "mic-2")
    controller.device_list = (*kept, Device("mic-3", "Desk microphone", "audioinput"))
    controller.engine(DevicesChanged(controller.device_list))
    await settle()
    texts = [box.itemText(i) for i in range(box.count())]
    assert "Desk microphone" in texts
    assert box.currentData() == "mic-2" and "Not plugged in" in box.currentText()


async def test_meter_and_device_failure(prejoin: MainWindow, controller: FakeController) -> None:
    view = prejoin.prejoin
    controller.engine(LocalAudioLevel(0.5, True))
    assert view.meter.level == pytest.approx(0.5)
    controller.engine(InputFailed("camera", "busy", "cam-1", "x"))
    await settle()
    assert "Another program uses the camera" in view.device_problem.text()
    controller.preview_open = None
    click(view.try_again)
    await settle()
    assert controller.preview_open == (True, True)


async def test_test_sound_and_camera_off(prejoin: MainWindow, controller: FakeController) -> None:
    click(prejoin.prejoin.test_sound)
    click(prejoin.prejoin.self_view.camera)
    await settle()
    assert controller.test_sounds == 1
    assert controller.preview_open == (False, True)
    assert prejoin.prejoin.self_view.camera.accessibleName() == "Turn camera on"


async def test_failure_view_details_copy_retry_back(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    failure = Failure("dns", "There is no server with this name.", "getaddrinfo failed")
    controller.update(PhaseChanged(CallPhase.FAILED), CALL, phase=CallPhase.FAILED, failure=failure)
    await settle()
    view = prejoin.failure
    assert prejoin.stack.currentWidget() is view
    assert view.sentence.text() == failure.message
    assert "dns" not in view.sentence.text() and not view.details.isVisible()
    click(view.fold)
    assert "getaddrinfo failed" in view.details.toPlainText()
    click(view.copy)
    assert "dns" in QGuiApplication.clipboard().text()
    assert prejoin.home.field.text() == address().text
    click(view.retry)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.prejoin
    join_meeting(controller)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.meeting


async def test_failure_that_cannot_be_retried_offers_only_back(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    failure = Failure("banned", "You were banned from this meeting.", retryable=False)
    controller.update(PhaseChanged(CallPhase.FAILED), CALL, phase=CallPhase.FAILED, failure=failure)
    await settle()
    assert not prejoin.failure.retry.isVisible()
    click(prejoin.failure.back)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.home
    assert prejoin.home.field.text() == address().text


async def test_leave_rejoin_and_stars(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    controller.set(meeting(3, call_id=CALL, moderator=False))
    await settle()
    prejoin.leave(False)
    await settle()
    assert controller.asked(act.Leave)
    assert prejoin.stack.currentWidget() is prejoin.left
    assert prejoin.left.title.text() == "You left Team meeting"
    click(prejoin.left.stars.buttons[3])
    await settle()
    assert controller.asked(act.SendFeedback)[-1].overall == 4
    click(prejoin.left.rejoin)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.prejoin


async def test_being_removed_says_so_with_the_reason(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    controller.set(meeting(3, call_id=CALL))
    await settle()
    removed = Failure("kicked", "You were removed from the meeting.", retryable=False)
    controller.update(
        PhaseChanged(CallPhase.ENDED), CALL, phase=CallPhase.ENDED, failure=removed, end_reason="<b>noise</b>"
    )
    await settle()
    assert prejoin.left.title.text() == "The meeting is over for you"
    assert prejoin.left.sentence.text() == "You were removed from the meeting. The reason given: <b>noise</b>"


async def test_a_stand_in_replaces_the_missing_camera(prejoin: MainWindow, controller: FakeController) -> None:
    controller.device_list = ()
    controller.engine(DevicesChanged(()))
    controller.engine(InputStarted("camera", "test"))
    await settle()
    view = prejoin.prejoin
    assert view.camera.missing.text() == "No camera found. A test picture is sent instead."
    assert view.self_view.camera.isEnabled() and view.self_view.surface.has_picture


async def test_last_moderator_is_asked(prejoin: MainWindow, controller: FakeController) -> None:
    from ui.dialogs.questions import LastModeratorDialog

    prejoin.prejoin.area.press()
    await settle()
    controller.set(meeting(3, call_id=CALL))
    await settle()
    prejoin.leave(False)
    await settle()
    assert not controller.asked(act.Leave)
    dialog = prejoin.findChild(LastModeratorDialog)
    dialog.end_chosen.emit()
    dialog.close()
    await settle()
    assert controller.asked(act.EndForAll)


async def test_running_call_bar(prejoin: MainWindow, controller: FakeController) -> None:
    prejoin.prejoin.area.press()
    await settle()
    join_meeting(controller)
    await settle()
    prejoin.go_home()
    await settle()
    assert prejoin.bar.isVisible() and prejoin.bar.name.text() == "Team meeting"
    click(prejoin.bar.microphone)
    await settle()
    assert controller.states[CALL].local.microphone_muted
    assert prejoin.bar.microphone.accessibleName() == "Unmute microphone"
    click(prejoin.bar.back)
    await settle()
    assert prejoin.stack.currentWidget() is prejoin.meeting and not prejoin.bar.isVisible()


async def test_another_link_during_a_call_asks_first(prejoin: MainWindow, controller: FakeController) -> None:
    from ui.dialogs.questions import SwitchDialog

    prejoin.prejoin.area.press()
    await settle()
    join_meeting(controller)
    await settle()
    prejoin.open_from_outside("https://meet.example.org/Other")
    await settle()
    dialog = prejoin.findChild(SwitchDialog)
    assert dialog is not None and not controller.asked(act.Leave)
    dialog.confirmed.emit()
    dialog.close()
    await settle()
    assert controller.asked(act.Leave)
    assert prejoin.stack.currentWidget() is prejoin.prejoin and prejoin.prejoin.title.text() == "Other"
    assert LOCAL
