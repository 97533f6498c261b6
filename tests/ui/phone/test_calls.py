"""Dialling, ringing, talking, hold and swap, transfer, merging, keypad, keys and the bar."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.calls.accounts import Page, Registration
from app.calls.actions import Leave, SendDtmf, SetMicrophone
from app.calls.events import PhaseChanged
from app.calls.model import CallPhase, Failure
from app.calls.phone import (
    Answer,
    CancelTransfer,
    CompleteTransfer,
    Decline,
    Direction,
    MergeCalls,
    Relocate,
    SetHold,
    SetRecording,
    SetVideo,
    SplitCall,
    Transfer,
    TransferTo,
)
from app.vendors.base import ActionRefused
from tests.ui.fake_accounts import ACCOUNT, PHONE, contact, phone_call
from tests.ui.fakes import FakeController
from tests.ui.shell.helpers import click, press, settle, type_text
from ui.main_window import MainWindow
from ui.phone.call_page import AudioPage, PhoneStage
from ui.phone.cards import MIME
from ui.phone.incoming import IncomingWindow
from ui.phone.search import Target, looks_like_number
from ui.theme import Size


async def _talk(window: MainWindow, controller: FakeController, **fields: object) -> AudioPage:
    controller.set(phone_call(**fields))  # type: ignore[arg-type]
    window.phone.show_calls()
    await settle()
    page: AudioPage = window.phone.call_view.audio
    return page


async def _two(window: MainWindow, controller: FakeController) -> None:
    controller.set(phone_call("phone-2", name="Tomás Herrera", number="1001", held=True))
    await _talk(window, controller)
    window.phone.hub.chosen = PHONE
    window.phone.call_view.refresh()


def _ring(window: MainWindow, controller: FakeController, **fields: object) -> IncomingWindow:
    controller.set(phone_call(phase=CallPhase.INCOMING, direction=Direction.INCOMING, **fields))  # type: ignore[arg-type]
    found: IncomingWindow = window.phone.incoming.first()
    return found


def test_what_can_be_dialled() -> None:
    for text in ("1042", "+33 1 23-45", "*97", "sip:robin@example.org", "robin@example.org"):
        assert looks_like_number(text), text
    for text in ("", "robin", "two words", "room 9"):
        assert not looks_like_number(text), text


# ---------------------------------------------------------------- dialling


async def test_pad_and_enter_dial(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go("calls")
    await settle()
    dial = signed_in.phone.view("calls").dial
    for key in "104":
        click(dial.keys[key])
    QTest.keyClicks(dial.search.field, "2")
    press(dial.search.field, Qt.Key.Key_Return)
    await settle()
    assert controller.dialled == [(ACCOUNT, "1042", False, False)]
    assert signed_in.stack.currentWidget() is signed_in.phone.call_view
    assert signed_in.phone.call_view.audio.status.text() == "Calling…"


async def test_a_name_finds_people_and_video_calls_them(signed_in: MainWindow, controller: FakeController) -> None:
    controller.pages["FindContacts"] = lambda query: Page((contact(2),) if query.text == "pri" else ())
    signed_in.phone.go("calls")
    await settle()
    dial = signed_in.phone.view("calls").dial
    type_text(dial.search.field, "pri")
    dial.search.search()
    await settle()
    names = {target.name for target in dial.search.targets()}
    assert names == {"Priya Raman"}
    dial.dial(video=True)
    await settle()
    assert controller.dialled == [(ACCOUNT, "1002", True, False)]


async def test_no_call_without_registration_and_it_says_why(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go("calls")
    dial = signed_in.phone.view("calls").dial
    type_text(dial.search.field, "1042")
    assert dial.call.isEnabled()
    controller.update_account(registration=Registration.LOST)
    await settle()
    assert not dial.call.isEnabled()
    assert dial.note.text() == "Phone disconnected. Trying again…"


async def test_busy_is_said_with_a_way_on(signed_in: MainWindow, controller: FakeController) -> None:
    await _talk(signed_in, controller, phase=CallPhase.RINGING)
    controller.change_phone(cause="busy")
    controller.update(PhaseChanged(CallPhase.ENDED), PHONE, phase=CallPhase.ENDED)
    await settle()
    message = signed_in.toasts.toasts[-1].message
    assert message.text == "Amélie Laurent is busy." and message.action is not None
    assert signed_in.stack.currentWidget() is signed_in.phone.view("calls")
    message.action()
    await settle()
    assert controller.dialled == [(ACCOUNT, "1042", False, False)]


# ---------------------------------------------------------------- ringing here


async def test_incoming_window_does_not_take_the_keyboard(signed_in: MainWindow, controller: FakeController) -> None:
    found = _ring(signed_in, controller, offers_video=True)
    assert found.isVisible()
    assert (found.width(), found.height()) == (Size.INCOMING_WIDTH, Size.INCOMING_HEIGHT)
    assert found.windowFlags() & Qt.WindowType.WindowDoesNotAcceptFocus
    assert found.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert "Amélie Laurent" in found.accessibleName()
    QTest.keyClick(found, Qt.Key.Key_Escape)
    QTest.keyClick(found, Qt.Key.Key_Return)
    assert controller.asked(Decline, PHONE) == [] and controller.asked(Answer, PHONE) == []


async def test_its_keys_work_once_it_was_clicked(signed_in: MainWindow, controller: FakeController) -> None:
    found = _ring(signed_in, controller)
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)
    QTest.keyClick(found, Qt.Key.Key_Return)
    await settle()
    assert controller.asked(Answer, PHONE) == [Answer(False)]
    assert signed_in.phone.incoming.first() is None
    assert signed_in.stack.currentWidget() is signed_in.phone.call_view


async def test_answer_with_video_decline_and_voicemail(signed_in: MainWindow, controller: FakeController) -> None:
    found = _ring(signed_in, controller, offers_video=True)
    click(found.answer_video)
    await settle()
    assert controller.asked(Answer, PHONE) == [Answer(True)]
    controller.set(phone_call("phone-2", phase=CallPhase.INCOMING))
    entries = {action.text(): action for action in signed_in.phone.incoming.first().make_menu().actions()}
    entries["Send to voicemail"].trigger()
    await settle()
    assert controller.asked(Decline, "phone-2") == [Decline(to_voicemail=True)]
    controller.set(phone_call("phone-3", phase=CallPhase.INCOMING))
    click(signed_in.phone.incoming.first().decline)
    await settle()
    assert controller.asked(Decline, "phone-3") == [Decline()]
    assert signed_in.phone.incoming.windows == {}


async def test_two_that_ring_stand_under_each_other(signed_in: MainWindow, controller: FakeController) -> None:
    first = _ring(signed_in, controller)
    controller.set(phone_call("phone-2", phase=CallPhase.INCOMING))
    second = signed_in.phone.incoming.windows["phone-2"]
    assert second.y() > first.y()
    controller.update(PhaseChanged(CallPhase.ENDED), PHONE, phase=CallPhase.ENDED)
    assert signed_in.phone.incoming.first() is second


async def test_keys_of_the_program(signed_in: MainWindow, controller: FakeController) -> None:
    _ring(signed_in, controller)
    signed_in.phone._answer(video=False)
    await settle()
    signed_in.phone._hold()
    await settle()
    assert controller.asked(Answer, PHONE) == [Answer(False)]
    assert controller.asked(SetHold, PHONE) == [SetHold(True)]
    keys = {shortcut.key().toString() for shortcut in signed_in.findChildren(type(_any_shortcut(signed_in)))}
    assert {"Ctrl+Shift+A", "Ctrl+Shift+S", "Ctrl+Shift+D", "Ctrl+Shift+P"} <= keys


def _any_shortcut(window: MainWindow) -> object:
    from PySide6.QtGui import QShortcut

    return window.findChild(QShortcut)


# ---------------------------------------------------------------- talking


async def test_the_row_does_what_it_says(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _talk(signed_in, controller)
    for name in ("mute", "hold", "video", "record"):
        click(page.buttons[name])
        await settle()
        if name == "video":
            controller.change_phone(video=False)
    assert controller.asked(SetMicrophone, PHONE) == [SetMicrophone(True)]
    assert controller.asked(SetHold, PHONE) == [SetHold(True)]
    assert controller.asked(SetVideo, PHONE) == [SetVideo(True)]
    assert controller.asked(SetRecording, PHONE) == [SetRecording("active")]
    assert page.buttons["mute"].accessibleName() == "Unmute microphone"
    assert page.buttons["mute"].accessibleDescription() == "Microphone is off"
    assert page.buttons["hold"].words == "Resume"
    assert page.status.text() == "On hold · 0:00"
    click(page.hang_up)
    await settle()
    assert controller.asked(Leave, PHONE) == [Leave()]


async def test_what_the_account_does_not_know_is_absent(signed_in: MainWindow, controller: FakeController) -> None:
    from dataclasses import replace

    from app.calls.model import Capability, frozen_map

    state = phone_call()
    capabilities = dict(state.capabilities) | {
        "SetRecording": Capability(False, present=False),
        "TransferTo": Capability(False, "You may not transfer."),
    }
    controller.set(replace(state, capabilities=frozen_map(capabilities)))
    signed_in.phone.show_calls()
    await settle()
    buttons = signed_in.phone.call_view.audio.buttons
    assert not buttons["record"].isVisible()
    assert not buttons["transfer"].isEnabled() and buttons["transfer"].toolTip() == "You may not transfer."


async def test_video_reuses_the_stage_of_the_meeting(signed_in: MainWindow, controller: FakeController) -> None:
    await _talk(signed_in, controller, video=True)
    view = signed_in.phone.call_view
    stage = view.middle.currentWidget()
    assert isinstance(stage, PhoneStage) and view.bar.isVisible()
    QTest.keyClick(stage, Qt.Key.Key_5)
    await settle()
    assert controller.asked(SendDtmf, PHONE) == [SendDtmf("5")]
    controller.change_phone(video=False)
    await settle()
    assert view.middle.currentWidget() is view.audio


async def test_digits_are_tones_and_shown_on_the_keypad(signed_in: MainWindow, controller: FakeController) -> None:
    await _talk(signed_in, controller)
    view = signed_in.phone.call_view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_4)
    view.open_panel("keypad")
    QTest.keyClick(view, Qt.Key.Key_2)
    await settle()
    assert controller.asked(SendDtmf, PHONE) == [SendDtmf("4"), SendDtmf("2")]
    assert view.panels["keypad"].display.text() == "2"


# ---------------------------------------------------------------- several calls


async def test_cards_dim_what_is_held_and_one_click_swaps(signed_in: MainWindow, controller: FakeController) -> None:
    await _two(signed_in, controller)
    cards = signed_in.phone.call_view.cards
    assert cards.isVisible() and set(cards.cards) == {PHONE, "phone-2"}
    assert cards.cards["phone-2"].dim and cards.cards["phone-2"].words.startswith("On hold · 0:0")
    click(cards.cards["phone-2"])
    await settle()
    assert controller.asked(SetHold, PHONE) == [SetHold(True)]
    assert controller.asked(SetHold, "phone-2") == [SetHold(False)]
    assert signed_in.phone.call_view.audio.name.text() == "Tomás Herrera"
    assert cards.cards[PHONE].dim and not cards.cards["phone-2"].dim


async def test_dropping_a_card_on_another_merges(signed_in: MainWindow, controller: FakeController) -> None:
    await _two(signed_in, controller)
    card = signed_in.phone.call_view.cards.cards[PHONE]
    data = QMimeData()
    data.setData(MIME, b"phone-2")
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.MoveAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    card.dropEvent(event)
    await settle()
    assert controller.asked(MergeCalls, PHONE) == [MergeCalls(("phone-2",))]


async def test_a_conference_is_held_muted_and_split_as_one(signed_in: MainWindow, controller: FakeController) -> None:
    await _two(signed_in, controller)
    for call_id in (PHONE, "phone-2"):
        controller.change_phone(call_id, held=False, conference_id="c1")
    await settle()
    view = signed_in.phone.call_view
    assert "Conference with Tomás Herrera" in view.audio.note.text()
    click(view.audio.buttons["hold"])
    await settle()
    assert controller.asked(SetHold, PHONE) == controller.asked(SetHold, "phone-2") == [SetHold(True)]
    state = controller.states[PHONE]
    entries = {action.text(): action for action in view.acts.more_menu(state, view).actions()}
    entries["Take Amélie Laurent out of the conference"].trigger()
    entries["Hang up for everyone"].trigger()
    await settle()
    assert controller.asked(SplitCall, PHONE) == [SplitCall()]
    assert controller.asked(Leave, "phone-2") == [Leave()]


async def test_a_call_moves_to_the_mobile_phone(signed_in: MainWindow, controller: FakeController) -> None:
    await _talk(signed_in, controller)
    view = signed_in.phone.call_view
    entries = {action.text(): action for action in view.acts.more_menu(controller.states[PHONE], view).actions()}
    entries["Move the call to my mobile phone"].trigger()
    await settle()
    assert controller.asked(Relocate, PHONE) == [Relocate(to_mobile=True)]


# ---------------------------------------------------------------- transfer


async def _transfer(window: MainWindow, controller: FakeController):  # type: ignore[no-untyped-def]
    await _talk(window, controller)
    window.phone.call_view.open_panel("transfer")
    await settle()
    return window.phone.call_view.panels["transfer"]


async def test_blind_transfer_to_a_typed_number(signed_in: MainWindow, controller: FakeController) -> None:
    panel = await _transfer(signed_in, controller)
    type_text(panel.search.field, "1003")
    press(panel.search.field, Qt.Key.Key_Return)
    click(panel.now)
    await settle()
    assert controller.asked(TransferTo, PHONE) == [TransferTo("1003")]
    assert signed_in.phone.call_view.open_name == ""


async def test_consult_then_complete_or_go_back(signed_in: MainWindow, controller: FakeController) -> None:
    panel = await _transfer(signed_in, controller)
    panel.pick(Target("1003", "Priya Raman"))
    click(panel.consult)
    await settle()
    assert controller.asked(TransferTo, PHONE) == [TransferTo("1003", True)]
    controller.change_phone(held=True, transfer=Transfer("1003", "answered"))
    await settle()
    assert "Priya Raman is on the line" in panel.running_state.text()
    click(panel.cancel)
    await settle()
    assert controller.asked(CancelTransfer, PHONE) == [CancelTransfer()]
    controller.change_phone(transfer=Transfer("1003", "answered"))
    await settle()
    click(panel.complete)
    await settle()
    assert controller.asked(CompleteTransfer, PHONE) == [CompleteTransfer()]


async def test_a_running_call_can_be_the_target(signed_in: MainWindow, controller: FakeController) -> None:
    await _two(signed_in, controller)
    signed_in.phone.call_view.open_panel("transfer")
    await settle()
    panel = signed_in.phone.call_view.panels["transfer"]
    panel.pick(panel.search.targets()[0])
    assert not panel.consult.isVisible()
    click(panel.now)
    await settle()
    assert controller.asked(TransferTo, PHONE) == [TransferTo(call_id="phone-2")]


async def test_a_refused_transfer_leaves_the_choice_open(signed_in: MainWindow, controller: FakeController) -> None:
    panel = await _transfer(signed_in, controller)
    controller.refusals["TransferTo"] = ActionRefused(Failure("not_found", "This number does not exist."))
    panel.pick(Target("1"))
    click(panel.now)
    await settle()
    assert signed_in.phone.call_view.open_name == "transfer" and panel.target == Target("1")
    assert signed_in.toasts.toasts[-1].message.text == "This number does not exist."


# ---------------------------------------------------------------- the bar


async def test_a_call_out_of_view_has_a_bar(signed_in: MainWindow, controller: FakeController) -> None:
    await _two(signed_in, controller)
    assert not signed_in.phone_bar.isVisible()
    signed_in.phone.go("contacts")
    await settle()
    bar = signed_in.phone_bar
    assert bar.isVisible() and bar.name.text() == "Amélie Laurent"
    assert "1 other call" in bar.detail.text()
    click(bar.microphone)
    click(bar.back)
    await settle()
    assert controller.asked(SetMicrophone, PHONE) == [SetMicrophone(True)]
    assert signed_in.stack.currentWidget() is signed_in.phone.call_view
    QApplication.processEvents()
