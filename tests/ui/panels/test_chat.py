"""Chat: sending, failing and retrying, private messages, links, markup, unread, long histories."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest

from app.calls import actions as act
from app.calls.model import Capability, Failure, frozen_map
from app.vendors.base import ActionRefused
from tests.ui.fakes import CALL, LOCAL, FakeController, capabilities, meeting
from tests.ui.shell.conftest import really_delete
from tests.ui.shell.helpers import click, message, press, settle
from ui.panels.chat import ChatPanel
from ui.panels.chat_layout import is_emoji_only, shown_text
from ui.panels.chat_model import WINDOW_ROWS, ChatModel


@pytest.fixture
def controller() -> FakeController:
    return FakeController(meeting(4))


@pytest.fixture
def panel(english: object, qtbot: object, controller: FakeController) -> Iterator[ChatPanel]:
    found = ChatPanel(controller, CALL)
    found.resize(340, 640)
    found.show()
    yield found
    found.release()
    found.deleteLater()
    really_delete()


def write(panel: ChatPanel, text: str) -> None:
    panel.edit.setPlainText(text)
    press(panel.edit, Qt.Key.Key_Return)


async def test_enter_sends_and_shift_enter_starts_a_line(panel: ChatPanel, controller: FakeController) -> None:
    QTest.keyClicks(panel.edit, "one")
    QTest.keyClick(panel.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(panel.edit, "two")
    press(panel.edit, Qt.Key.Key_Return)
    await settle()
    assert controller.asked(act.SendMessage)[-1] == act.SendMessage("one\ntwo")
    assert panel.edit.toPlainText() == ""
    assert panel.list.chat.rowCount() == 1


async def test_private_message_is_marked_and_keeps_its_reader(panel: ChatPanel, controller: FakeController) -> None:
    panel.write_to("p0000002")
    assert panel.private_mark.isVisible() and "Tomás Herrera" in panel.private_mark.text()
    write(panel, "secret")
    await settle()
    assert controller.asked(act.SendMessage)[-1].to == "p0000002"
    row = panel.list.chat.row(0)
    assert row.private_name == "Tomás Herrera"
    assert "privately to Tomás Herrera" in panel.list.chat.spoken(row)


async def test_private_text_does_not_go_to_everybody_when_its_reader_leaves(
    panel: ChatPanel, controller: FakeController
) -> None:
    panel.write_to("p0000002")
    panel.edit.setPlainText("secret")
    people = {k: v for k, v in controller.states[CALL].participants.items() if k != "p0000002"}
    controller.update(participants=frozen_map(people))
    press(panel.edit, Qt.Key.Key_Return)
    await settle()
    assert not controller.asked(act.SendMessage)
    assert panel.edit.toPlainText() == "secret" and "has left" in panel.problem.text()


async def test_refused_message_gives_the_text_back(panel: ChatPanel, controller: FakeController) -> None:
    controller.refusals["SendMessage"] = ActionRefused(Failure("chat_error", "The message was not delivered."))
    write(panel, "important")
    await settle()
    assert panel.edit.toPlainText() == "important"
    assert panel.problem.text() == "The message was not delivered."


async def test_failed_message_stays_and_is_sent_again(panel: ChatPanel, controller: FakeController) -> None:
    failed = message(1, "hello", LOCAL, is_local=True, delivered=False, error="The message was not delivered.")
    controller.receive(failed)
    await settle()
    index = panel.list.chat.index(0)
    laid = panel.list.painter_.laid(panel.list.chat.row(0), panel.list.viewport().width())
    assert laid.retry is not None
    where = panel.list.visualRect(index).topLeft() + laid.retry.center().toPoint()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    await settle()
    assert controller.asked(act.SendMessage)[-1] == act.SendMessage("hello", message_id="m1")
    controller.update(messages=(replace(failed, error="", delivered=True),))
    await settle()
    assert panel.list.chat.rowCount() == 1 and not panel.list.chat.row(0).message.error


async def test_link_opens_and_shows_its_target(
    panel: ChatPanel, controller: FakeController, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    controller.receive(message(1, "https://example.org/agenda"))
    await settle()
    panel.list.to_end()
    await settle()
    index = panel.list.chat.index(0)
    laid = panel.list.painter_.laid(panel.list.chat.row(0), panel.list.viewport().width())
    spot = laid.text_at + QPointF(12, 8)
    hit = panel.list.painter_.hit(
        panel.list.chat.row(0),
        QRectF(panel.list.visualRect(index)),
        QPointF(panel.list.visualRect(index).topLeft()) + spot,
        mirrored=False,
    )
    assert hit is not None and hit.kind == "link" and hit.value == "https://example.org/agenda"
    where = panel.list.visualRect(index).topLeft() + spot.toPoint()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert opened == ["https://example.org/agenda"]
    panel.list.open_link("file:///etc/passwd")
    assert len(opened) == 1


async def test_markup_stays_text_and_long_messages_are_folded(panel: ChatPanel, controller: FakeController) -> None:
    controller.receive(message(1, "<b>bold</b><img src=x>"))
    controller.receive(message(2, "word " * 1000))
    row = panel.list.chat.row(0)
    laid = panel.list.painter_.laid(row, 300)
    assert laid.text is not None and laid.text.text() == "<b>bold</b><img src=x>"
    long = panel.list.chat.row(1)
    text, foldable = shown_text(long)
    assert foldable and len(text) < 700
    panel.list.chat.set_expanded(panel.list.chat.index(1), True)
    assert len(shown_text(panel.list.chat.row(1))[0]) == 5000


async def test_reply_and_reactions(panel: ChatPanel, controller: FakeController) -> None:
    controller.receive(message(1, "question?", reactions=frozen_map({"👍": (LOCAL,)})))
    panel.reply_to("m1")
    assert panel.reply_cancel.isVisible()
    write(panel, "answer")
    await settle()
    assert controller.asked(act.SendMessage)[-1].reply_to == "m1"
    assert panel.list.chat.row(1).reply_text == "question?"
    assert panel.list.chat.row(0).own_reactions == frozenset({"👍"})
    menu = panel.list.make_menu(panel.list.chat.row(0))
    next(a for a in menu.actions() if "👍" in a.text()).trigger()
    await settle()
    assert controller.asked(act.ReactToMessage)[-1] == act.ReactToMessage("m1", "👍")


async def test_reactions_are_absent_where_the_server_knows_none(panel: ChatPanel, controller: FakeController) -> None:
    controller.receive(message(1))
    controller.update(capabilities=capabilities(ReactToMessage=Capability(False, present=False)))
    menu = panel.list.make_menu(panel.list.chat.row(0))
    assert not any("React" in action.text() for action in menu.actions())


async def test_retracted_text_is_gone(panel: ChatPanel, controller: FakeController) -> None:
    controller.receive(message(1, "oops"))
    controller.update(messages=(message(1, "oops", retracted=True),))
    row = panel.list.chat.row(0)
    assert shown_text(row)[0] == "This message was removed"
    assert "oops" not in panel.list.chat.spoken(row)


async def test_unread_divider_pill_and_marking_read(panel: ChatPanel, controller: FakeController) -> None:
    for number in range(60):
        controller.receive(message(number, f"line {number}"))
    await settle()
    assert controller.states[CALL].unread_messages == 0
    panel.list.verticalScrollBar().setValue(0)
    await settle()
    controller.receive(message(100, "new one"))
    await settle()
    assert panel.pill.isVisible() and not panel.list.at_end
    assert controller.states[CALL].unread_messages == 1
    assert panel.list.chat.first_unread == "m100"
    click(panel.pill)
    await settle()
    assert panel.list.at_end and not panel.pill.isVisible()
    assert controller.states[CALL].unread_messages == 0


async def test_draft_survives_closing(panel: ChatPanel, controller: FakeController) -> None:
    panel.edit.setPlainText("half a thought")
    panel.hide()
    controller.receive(message(1))
    await settle()
    assert controller.states[CALL].unread_messages == 1
    panel.show()
    await settle()
    assert panel.edit.toPlainText() == "half a thought"
    assert panel.list.chat.first_unread == "m1"
    assert controller.states[CALL].unread_messages == 0


async def test_writing_is_disabled_with_the_reason(panel: ChatPanel, controller: FakeController) -> None:
    controller.update(capabilities=capabilities(SendMessage=Capability(False, "Not possible right now.")))
    assert not panel.edit.isEnabled() and panel.send_button.toolTip() == "Not possible right now."


async def test_ten_thousand_messages_lay_out_a_window_only(english: object, qtbot: object) -> None:
    messages = tuple(message(n, f"message {n} with some words in it") for n in range(10_000))
    controller = FakeController(meeting(4, messages=messages))
    begun = time.process_time()
    panel = ChatPanel(controller, CALL)
    panel.resize(340, 640)
    panel.show()
    panel.list.executeDelayedItemsLayout()
    opened = time.process_time() - begun
    assert panel.list.chat.rowCount() == WINDOW_ROWS
    begun = time.process_time()
    for number in range(20):
        controller.receive(message(20_000 + number))
    added = (time.process_time() - begun) / 20
    assert opened < 2.0 and added < 0.1
    panel.list.chat.show_earlier()
    assert panel.list.chat.rowCount() == 2 * WINDOW_ROWS + 20
    panel.release()
    panel.deleteLater()


def test_model_follows_a_bounded_history(english: object) -> None:
    model = ChatModel()
    state = meeting(2, messages=tuple(message(n) for n in range(5)))
    model.update(state)
    state = replace(state, messages=(*state.messages[2:], message(9)))
    assert [m.id for m in model.update(state)] == ["m9"]
    assert [model.row(r).message.id for r in range(model.rowCount())] == ["m2", "m3", "m4", "m9"]


def test_groups_by_sender_day_and_privacy(english: object) -> None:
    model = ChatModel()
    model.update(
        meeting(3, messages=(message(1), message(2), message(3, sender="p0000002"), message(4, private_to="p0000001")))
    )
    assert [model.row(n).starts_group for n in range(4)] == [True, False, True, True]
    assert [model.row(n).starts_day for n in range(4)] == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "large"), [("🎉", True), ("👍🏽", True), ("ok", False), ("🎉 yes", False), ("", False)]
)
def test_emoji_alone_are_large(text: str, large: bool) -> None:
    assert is_emoji_only(text) is large


async def test_opened_chat_takes_what_is_typed(panel: ChatPanel) -> None:
    panel.activateWindow()
    panel.setFocus()
    await settle()
    assert panel.focusWidget() is panel.edit
