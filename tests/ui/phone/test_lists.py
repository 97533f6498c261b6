"""Contacts, call log, voicemail, rooms, chat and services."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from app.calls import accounts as ac
from app.calls.accounts import Page
from app.calls.model import Failure
from app.vendors.base import ActionRefused
from tests.ui.fake_accounts import ACCOUNT, contact
from tests.ui.fakes import FakeController
from tests.ui.shell.helpers import click, controls, press, settle, type_text
from ui import screenshots_phone as scenes
from ui.directory.edit import ContactDialog
from ui.directory.files import to_csv, to_vcard
from ui.main_window import MainWindow
from ui.paged import MAX_PAGES, PAGE


async def _open(window: MainWindow, controller: FakeController, name: str):  # type: ignore[no-untyped-def]
    controller.pages |= {
        "FindContacts": scenes.contacts_page,
        "FindCalls": scenes.calls_page,
        "FindVoicemails": scenes.voicemails(),
        "FindRooms": scenes.rooms(),
        "FindChatRooms": scenes.chat_rooms(),
        "FindChatMessages": scenes.chat_messages,
    }
    window.phone.go(name)
    await settle()
    return window.phone.view(name)


# ---------------------------------------------------------------- contacts


async def test_ten_thousand_are_read_by_pages(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "contacts")
    view = page.listing.list
    assert view.rows.rowCount() == scenes.CONTACTS
    queries = [query for _where, query in controller.found if isinstance(query, ac.FindContacts)]
    assert len(queries) <= 2, "only what is on screen is read"
    begun = time.monotonic()
    for step in range(0, 101, 2):
        bar = view.verticalScrollBar()
        bar.setValue(bar.maximum() * step // 100)
        view.viewport().grab()
        await settle(1)
    spent = (time.monotonic() - begun) / 51
    assert spent < 0.2, f"{spent * 1000:.0f} ms for each jump"
    assert len(view.rows._pages) <= MAX_PAGES
    assert view.rows.item(scenes.CONTACTS - 1) is not None


async def test_search_favourites_and_personal(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "contacts")
    type_text(page.search, "pri")
    page.refresh()
    await settle()
    assert all("Pri" in item.name for item in page.listing.list.rows.loaded_items())
    click(page.scopes["favourites"])
    await settle()
    assert controller.found[-1][1] == ac.FindContacts("pri", favourites=True, offset=0, limit=PAGE)
    type_text(page.search, "")
    click(page.scopes["personal"])
    await settle()
    assert all(item.personal for item in page.listing.list.rows.loaded_items())


async def test_call_chat_and_star_from_an_entry(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "contacts")
    someone = page.listing.list.rows.item(2)
    page._act("call", someone)
    page._act("star", someone)
    await settle()
    assert controller.dialled[-1] == (ACCOUNT, someone.numbers[0].number, False, False)
    assert controller.account_asked(ac.SetFavourite) == [ac.SetFavourite(someone, True)]
    room = scenes.chat_rooms()[1]
    controller.results["OpenChatRoom"] = room
    page._act("chat", someone)
    await settle()
    assert controller.account_asked(ac.OpenChatRoom) == [ac.OpenChatRoom((someone.user_id,), someone.name)]
    assert signed_in.phone.view("chat").panel.conversation.room == room


async def test_presences_of_those_on_screen_are_watched(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "contacts")
    page._watch()
    await settle()
    watched = controller.account_asked(ac.WatchPresences)[-1].user_ids
    assert 5 < len(watched) < 40 and "u-1" in watched
    look = page.listing.list.rows._look
    assert look(contact(1)).dot == ""
    known = {"u-1": ac.Presence("u-1", "available", do_not_disturb=True)}
    controller.update_account(ac.PresenceChanged(known["u-1"]), known_presences=known)
    assert look(contact(1)).dot == "bad" and "Do not disturb" in look(contact(1)).detail


async def test_add_edit_and_delete(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "contacts")
    page.add_contact()
    dialog = signed_in.findChild(ContactDialog)
    assert not dialog.save.isEnabled()
    type_text(dialog.name, "Nora Vance")
    type_text(dialog.numbers[0], "+441234")
    click(dialog.save)
    await settle()
    saved = controller.account_asked(ac.SaveContact)[-1].contact
    assert (saved.id, saved.name, saved.numbers[0].number, saved.personal) == ("", "Nora Vance", "+441234", True)
    mine = contact(3, personal=True)
    texts = [action.text() for action in page.make_menu(mine).actions()]
    assert "Edit" in texts and "Delete" in texts
    assert "Edit" not in [action.text() for action in page.make_menu(contact(3)).actions()]


async def test_import_and_export(signed_in: MainWindow, controller: FakeController, tmp_path: Path) -> None:
    page = await _open(signed_in, controller, "contacts")
    source = tmp_path / "people.vcf"
    source.write_text("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A\r\nEND:VCARD\r\n")
    page.import_file(source)
    await settle()
    assert controller.account_asked(ac.ImportContacts)[-1].format == "vcard"
    target = tmp_path / "out.csv"
    page.export_file(target)
    await settle()
    assert target.read_text().splitlines()[0] == "name,number,mobile,email,company"
    assert len(target.read_text().splitlines()) == 5
    page.import_file(tmp_path / "absent.csv")
    assert "could not be read" in signed_in.toasts.toasts[-1].message.text


@given(st.text(), st.text())
def test_vcards_stay_one_card_whatever_a_name_contains(name: str, number: str) -> None:
    text = to_vcard([ac.Contact("1", "x", name, (ac.PhoneNumber(number),))])
    assert text.count("BEGIN:VCARD\r\n") == 1 or "BEGIN:VCARD" in name + number
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCARD" and lines[-2] == "END:VCARD"
    assert all(len(line.encode("utf-8", "replace")) <= 76 for line in lines)
    assert to_csv([ac.Contact("1", "x", name, (ac.PhoneNumber(number),))])


# ---------------------------------------------------------------- call log, voicemail


async def test_call_log_filters_and_calls_back(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "calls")
    page.filter.setCurrentIndex(1)
    page.search.setText("amé")
    page.refresh()
    await settle()
    query = controller.found[-1][1]
    assert (query.text, query.status) == ("amé", "missed")
    entry = page.rows().items[0]
    page.call_back(entry)
    await settle()
    assert controller.dialled == [(ACCOUNT, entry.number, False, False)]
    assert "Add to contacts" in [action.text() for action in page.make_menu(entry).actions()]


async def test_missed_calls_are_seen_after_a_look(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "calls")
    controller.update_account(ac.CountsChanged(missed_calls=2), missed_calls=2)
    assert page._seen.isActive()
    page._mark_seen()
    await settle()
    assert controller.account_asked(ac.MarkCallsSeen) and signed_in.rail.pages["calls"].count == 0


async def test_a_failed_list_says_so_and_can_be_tried_again(signed_in: MainWindow, controller: FakeController) -> None:
    controller.account_refusals["FindCalls"] = ActionRefused(Failure("http", "The server does not answer."))
    signed_in.phone.go("calls")
    await settle()
    listing = signed_in.phone.view("calls").listing
    assert listing.shows == "problem" and listing.problem.text() == "The server does not answer."
    del controller.account_refusals["FindCalls"]
    click(listing.retry)
    await settle()
    assert listing.shows == "empty"


async def test_voicemail_plays_moves_and_deletes(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "voicemail")
    assert page.listing.list.rows.rowCount() == 6
    message = page.listing.list.rows.item(0)
    controller.pages["FetchAudio"] = (scenes.silence(2),)
    page.play(message)
    await settle()
    assert controller.found[-1][1] == ac.FetchAudio("voicemail", message.id, message.mailbox)
    assert page.player.isVisible() and page.player.position.isEnabled()
    assert controller.account_asked(ac.MoveVoicemail) == [ac.MoveVoicemail(message.id, "old")]
    page.player.seek(1000)
    page.delete(message)
    page.call_back(page.listing.list.rows.item(1))
    await settle()
    assert not page.player.isVisible()
    assert controller.account_asked(ac.DeleteVoicemail) == [ac.DeleteVoicemail(message.id)]
    assert controller.dialled[-1][1] == "1001"


async def test_sound_that_cannot_be_had_is_said(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "voicemail")
    controller.account_refusals["FetchAudio"] = ActionRefused(Failure("http", "The message is gone."))
    page.play(page.listing.list.rows.item(3))
    await settle()
    assert page.player.problem.isVisible() and page.player.problem.text() == "The message is gone."


# ---------------------------------------------------------------- chat


async def test_chat_shows_sends_and_keeps_what_failed(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "chat")
    page.open_room(page.rooms[1])
    await settle()
    panel = page.panel
    assert len(panel.conversation.state("").messages) == 5
    controller.account_refusals["SendChatMessage"] = ActionRefused(Failure("network", "It was not delivered."))
    panel.edit.setPlainText("Hello there")
    panel.send()
    await settle()
    failed = panel.conversation.state("").messages[-1]
    assert (failed.text, failed.error) == ("Hello there", "It was not delivered.")
    del controller.account_refusals["SendChatMessage"]
    panel._retry(failed.id)
    await settle()
    sent = controller.account_asked(ac.SendChatMessage)
    assert sent[-1] == ac.SendChatMessage(page.rooms[1].id, "Hello there")
    assert all(not message.error for message in panel.conversation.state("").messages)


async def test_new_messages_arrive_and_are_read(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "chat")
    page.open_room(page.rooms[0])
    await settle()
    room = page.rooms[0].id
    message = ac.ChatMessage("new", room, "u-1", "Tomás Herrera", "Are you there?", 1_900_000_000_000)
    controller.emit_account(ac.ChatMessageReceived(message))
    await settle()
    assert page.panel.conversation.state("").messages[-1].text == "Are you there?"
    assert ac.MarkChatRead(room) in controller.account_asked(ac.MarkChatRead)
    other = ac.ChatMessage("x", "room-3", "u-1", "Tomás Herrera", "Elsewhere", 1_900_000_000_000)
    controller.emit_account(ac.ChatMessageReceived(other))
    await settle()
    assert page.panel.conversation.state("").messages[-1].text == "Are you there?"


async def test_history_is_read_by_pages(signed_in: MainWindow, controller: FakeController) -> None:
    def messages(query: ac.FindChatMessages) -> Page:
        last = 120 if query.before is None else query.before
        numbers = range(max(0, last - query.limit), last)
        items = tuple(ac.ChatMessage(f"m{n}", query.room_id, "u-1", "Tomás", f"text {n}", n) for n in numbers)
        return Page(items)

    page = await _open(signed_in, controller, "chat")
    controller.pages["FindChatMessages"] = messages
    page.open_room(page.rooms[0])
    await settle()
    conversation = page.panel.conversation
    assert len(conversation.state("").messages) == 50
    conversation.load_earlier()
    await settle()
    conversation.load_earlier()
    await settle()
    assert [m.text for m in conversation.state("").messages][0] == "text 0"
    assert len(conversation.state("").messages) == 120 and conversation.complete


# ---------------------------------------------------------------- rooms and services


async def test_rooms_are_joined_made_and_shared(signed_in: MainWindow, controller: FakeController) -> None:
    page = await _open(signed_in, controller, "rooms")
    rooms = scenes.rooms()
    assert any(device.kind == "videoinput" for device in controller.devices())
    page.join(rooms[0])
    await settle()
    controller.device_list = ()
    type_text(page.field, "https://phone.example.org/guest/aurora")
    press(page.field, Qt.Key.Key_Return)
    await settle()
    assert controller.dialled == [
        (ACCOUNT, "9001", True, True),
        (ACCOUNT, "https://phone.example.org/guest/aurora", False, True),
    ]
    page.copy_link(rooms[2])
    assert QGuiApplication.clipboard().text() == rooms[2].link
    page.new_meeting()
    from ui.rooms.view import MeetingDialog

    dialog = signed_in.findChild(MeetingDialog)
    type_text(dialog.name, "Retro")
    dialog.authorize.setChecked(True)
    click(dialog.save)
    await settle()
    assert controller.account_asked(ac.SaveMeeting) == [ac.SaveMeeting("Retro", require_authorization=True)]


async def test_switchboard_agent_fax_and_requests(signed_in: MainWindow, controller: FakeController) -> None:
    boards = (ac.Switchboard("1", "Reception", (ac.WaitingCall("w1", "Amélie", "1"),)),)
    agent = ac.AgentState("a", "2001", True, queues=(ac.AgentQueue("q", "Support", True),))
    fax = ac.FaxJob("f", "123", "/x/offer.pdf", "failed", "Busy.")
    controller.update_account(switchboards=boards, agent=agent, faxes=(fax,))
    page = await _open(signed_in, controller, "services")
    by_name = {widget.accessibleName() or widget.text(): widget for widget in controls(page) if hasattr(widget, "text")}
    click(by_name["Answer Amélie"])
    click(page.agent.pause)
    click(by_name["Retry"])
    type_text(page.api.path, "/confd/1.1/infos")
    controller.results["ApiRequest"] = {"uuid": "1"}
    click(page.api.send)
    await settle()
    assert controller.account_asked(ac.AnswerWaitingCall) == [ac.AnswerWaitingCall("1", "w1")]
    assert controller.account_asked(ac.SetAgent) == [ac.SetAgent("pause")]
    assert controller.account_asked(ac.SendFax) == [ac.SendFax("123", "/x/offer.pdf", fax_id="f")]
    assert controller.account_asked(ac.ApiRequest) == [ac.ApiRequest("GET", "confd/1.1/infos")]
    assert '"uuid": "1"' in page.api.answer.toPlainText()
    controller.account_refusals["SendFax"] = ActionRefused(Failure("bad", "This is not a PDF file."))
    type_text(page.fax.number, "99")
    type_text(page.fax.path, "/tmp/a.txt")
    click(page.fax.send)
    await settle()
    assert page.fax.problem.text() == "This is not a PDF file." and page.fax.number.text() == "99"


@pytest.mark.parametrize("name", ["calls", "contacts", "chat", "voicemail", "rooms", "services", "accounts", "sign_in"])
async def test_everything_has_a_name(signed_in: MainWindow, controller: FakeController, name: str) -> None:
    page = await _open(signed_in, controller, name)
    nameless = [
        widget
        for widget in controls(page)
        if not (widget.accessibleName() or (hasattr(widget, "text") and widget.text()))
        and type(widget).__name__ not in ("QScrollArea", "QWidget", "RoomChat")
    ]
    assert nameless == []
