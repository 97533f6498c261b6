"""Toasts: what events say, grouping, limits, what stays, what is offered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.calls import events as ev
from app.calls.model import LocalMedia, Message, Participant, Role, frozen_map
from tests.ui.fakes import LOCAL, START, meeting
from tests.ui.meeting.conftest import ShowMeeting, Shown
from ui.theme import Duration, theme
from ui.widgets.toast import MOST, WAITING_LIMIT, ToastMessage, ToastStack


def texts(shown: Shown) -> list[str]:
    return [toast.message.text for toast in shown.view.toasts.toasts]


def calm(shown: Shown) -> Shown:
    """Past the quiet time after joining."""
    shown.view.notices._quiet_until = 0.0
    return shown


def join(shown: Shown, *names: str) -> None:
    for index, name in enumerate(names):
        person = Participant(f"new{index}", name)
        state = shown.controller.states["call-1"]
        people = frozen_map({**state.participants, person.id: person})
        shown.controller.update(ev.ParticipantJoined(person), participants=people)


def leave(shown: Shown, *ids: str) -> None:
    for one in ids:
        state = shown.controller.states["call-1"]
        people = frozen_map({key: value for key, value in state.participants.items() if key != one})
        shown.controller.update(ev.ParticipantLeft(one), participants=people)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (("Ann",), "Ann joined"),
        (("Ann", "Bob"), "Ann and Bob joined"),
        (("Ann", "Bob", "Cid", "Dee"), "Ann and 3 others joined"),
    ],
)
def test_joins_are_grouped(show: ShowMeeting, names: tuple[str, ...], sentence: str) -> None:
    shown = calm(show())
    join(shown, *names)
    assert texts(shown) == []
    shown.view.notices.flush()
    # With the English plurals loaded, or as the source writes it.
    assert [text.replace("other(s)", "others") for text in texts(shown)] == [sentence]


def test_leaves_say_the_name_though_the_person_is_gone(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = calm(show())
    leave(shown, "p0000001")
    qtbot.waitUntil(lambda: texts(shown) == ["Amélie Laurent left"], timeout=4000)


def test_coming_and_going_at_once_is_not_told(show: ShowMeeting) -> None:
    shown = calm(show())
    join(shown, "Ann")
    leave(shown, "new0")
    shown.view.notices.flush()
    assert texts(shown) == []


def test_nobody_is_announced_right_after_joining_or_when_not_wanted(show: ShowMeeting) -> None:
    shown = show()
    join(shown, "Ann")
    shown.view.notices.flush()
    assert texts(shown) == []
    calm(shown)
    shown.controller.set_setting("notifications.join_leave", False)
    join(shown, "Ann", "Bob")
    shown.view.notices.flush()
    assert texts(shown) == []


def test_hands_come_and_go(show: ShowMeeting) -> None:
    shown = calm(show())
    shown.controller.emit(ev.HandRaised("p0000002", START))
    assert texts(shown) == ["Tomás Herrera raised a hand"]
    shown.controller.emit(ev.HandRaised("p0000002", None))
    assert texts(shown) == []
    shown.controller.emit(ev.HandRaised(LOCAL, START))
    assert texts(shown) == []


def test_muted_but_talking_offers_to_unmute(show: ShowMeeting) -> None:
    shown = calm(show(meeting(3, local=LocalMedia(True, True))))
    shown.controller.emit(ev.AudioInputHint("talking_while_muted"))
    assert texts(shown) == ["You are muted but talking"]
    button = shown.view.toasts.toasts[0].button
    assert button is not None and button.text() == "Unmute"
    button.click()
    assert not shown.controller.states["call-1"].local.microphone_muted
    assert texts(shown) == []


def test_silent_microphone_stays_and_offers_another_one(show: ShowMeeting) -> None:
    shown = calm(show())
    shown.controller.emit(ev.AudioInputHint("no_signal"))
    toast = shown.view.toasts.toasts[0]
    assert toast.message.text == "No sound comes from your microphone" and toast.stays
    assert toast.button is not None and toast.button.text() == "Choose another microphone"
    toast.button.click()
    menu = shown.view.open_menu_widget
    assert menu is not None and any(one.text() == "USB headset" for one in menu.actions())
    menu.close()
    shown.controller.emit(ev.AudioInputHint("no_signal"))
    shown.controller.emit(ev.AudioInputHint("signal_back"))
    assert texts(shown) == []
    shown.controller.set_setting("hints.no_signal", False)
    shown.controller.emit(ev.AudioInputHint("no_signal"))
    assert texts(shown) == []


def test_messages_while_the_chat_is_closed(show: ShowMeeting) -> None:
    shown = calm(show())
    shown.controller.receive(Message("m1", "p0000001", "Amélie <i>", "Hello\n" + "x" * 9000, START))
    (toast,) = shown.view.toasts.toasts
    assert toast.message.text.startswith("Amélie <i>: Hello xxx") and len(toast.message.text) < 200
    assert toast.button is not None
    toast.button.click()
    assert shown.view.panels.open_panel == "chat"
    shown.controller.receive(Message("m2", LOCAL, "Robin", "mine", START, is_local=True))
    assert texts(shown) == []


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (ev.ParticipantKicked("p0000002", "p0000001"), "Amélie Laurent removed Tomás Herrera"),
        (ev.RoleChanged(LOCAL, Role.MODERATOR), "You are now a moderator"),
        (ev.LockChanged(True), "The meeting now needs a password"),
        (ev.StartedMuted(True, False), "This meeting starts with microphones off"),
        (ev.LocalMediaChanged(microphone_muted=True, muted_by="p0000001"), "Amélie Laurent muted your microphone"),
        (ev.Notice("recording_on", "Recording has started"), "Recording has started"),
        (ev.AudioInputHint("noisy"), "Your microphone is noisy"),
    ],
)
def test_what_else_is_told(show: ShowMeeting, event: ev.CallEvent, sentence: str) -> None:
    shown = calm(show())
    shown.controller.emit(event)
    assert texts(shown) == [sentence]


def test_connection_trouble_of_somebody(show: ShowMeeting) -> None:
    shown = calm(show())
    shown.controller.change_participant("p0000001", connection_active=False)
    assert texts(shown) == ["Amélie Laurent has connection problems"]


# ---------------------------------------------------------------- the stack itself


@pytest.fixture
def stack(qtbot: QtBot, qapp: QApplication) -> Iterator[ToastStack]:
    theme().set_reduced_motion(True)
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 600)
    made = ToastStack(window)
    window.show()
    yield made


def shown_texts(stack: ToastStack) -> list[str]:
    return [toast.message.text for toast in stack.toasts]


def test_at_most_three_the_rest_waits_in_order(stack: ToastStack) -> None:
    for number in range(5):
        stack.show_message(ToastMessage(f"message {number}"))
    assert len(stack.toasts) == MOST and stack.waiting == 2
    stack.toasts[0].closed.emit()
    assert shown_texts(stack) == ["message 1", "message 2", "message 3"]


def test_a_flood_is_bounded_and_errors_survive_it(stack: ToastStack) -> None:
    for number in range(3):
        stack.show_message(ToastMessage(f"stays {number}", "error"))
    stack.show_message(ToastMessage("waiting error", "error"))
    for number in range(500):
        stack.show_message(ToastMessage(f"noise {number}"))
    assert stack.waiting == WAITING_LIMIT and len(stack.toasts) == MOST
    stack.toasts[0].closed.emit()
    assert "waiting error" in shown_texts(stack)


def test_an_error_takes_the_place_of_a_passing_message(stack: ToastStack) -> None:
    for number in range(3):
        stack.show_message(ToastMessage(f"message {number}"))
    stack.show_message(ToastMessage("broken", "error"))
    assert shown_texts(stack) == ["message 1", "message 2", "broken"]


def test_five_seconds_pausing_under_the_pointer_errors_stay(stack: ToastStack) -> None:
    stack.show_message(ToastMessage("passing"))
    stack.show_message(ToastMessage("broken", "error"))
    passing, error = stack.toasts
    # Wherever an earlier test left the pointer.
    passing.leaveEvent(None)  # type: ignore[arg-type]
    assert passing._clock.interval() == Duration.TOAST == 5000
    assert passing.counting and not error.counting
    passing.enterEvent(None)  # type: ignore[arg-type]
    assert not passing.counting
    passing.leaveEvent(None)  # type: ignore[arg-type]
    assert passing.counting
    passing._clock.timeout.emit()
    assert shown_texts(stack) == ["broken"]


def test_the_same_key_replaces(stack: ToastStack) -> None:
    stack.show_message(ToastMessage("one", key="k"))
    stack.show_message(ToastMessage("two", key="k"))
    assert shown_texts(stack) == ["two"]
    stack.dismiss("k")
    assert stack.toasts == () and not stack.isVisible()


def test_toasts_are_plain_text(stack: ToastStack) -> None:
    stack.show_message(ToastMessage("<b>bold</b>\u202e" + "y" * 5000))
    text = stack.toasts[0].message.text
    assert text.startswith("<b>bold</b>y") and len(text) <= 240
    assert stack.toasts[0].accessibleName() == text
