"""Around the calls of a phone account, through the controller: people, presence, chat, call log, voicemail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.calls import accounts as acc
from app.sandbox.wazo import WazoSandbox
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_desk import Office


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(people=60, call_log=60) as running:
        yield running


@pytest.mark.covers(
    "wazo:feature.Misc", "wazo:rest.dird.search", "wazo:rest.dird.listPersonalContacts", "wazo:rest.dird.addContact",
    "wazo:rest.dird.editContact", "wazo:rest.dird.deleteContact", "wazo:rest.dird.listFavorites",
    "wazo:rest.dird.markAsFavorite", "wazo:rest.dird.removeFavorite",
)  # fmt: skip
async def test_people(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        alice, someone = box.user("alice"), box.state.people[7]
        (found,) = (await office.find(acc.FindContacts(someone.name))).items
        assert found.numbers[0].number == someone.exten and not found.favourite
        await office.do(acc.SetFavourite(found, True))
        assert len(alice.favorites) == 1
        (starred,) = (await office.find(acc.FindContacts(favourites=True))).items
        assert starred.name == someone.name and starred.favourite
        await office.do(acc.SetFavourite(starred, False))
        assert not alice.favorites and not (await office.find(acc.FindContacts(favourites=True))).items
        new = acc.Contact("", "personal", "Pia Post", (acc.PhoneNumber("5550001", "number"),), personal=True)
        saved = await office.do(acc.SaveContact(new))
        assert alice.personal[saved.id]["firstname"] == "Pia"
        await office.do(acc.SaveContact(replace(saved, email="pia@post.example")))
        assert alice.personal[saved.id]["email"] == "pia@post.example"
        (mine,) = (await office.find(acc.FindContacts(personal=True))).items
        assert mine.name == "Pia Post" and mine.email == "pia@post.example"
        await office.do(acc.DeleteContact(mine))
        assert not alice.personal and not (await office.find(acc.FindContacts(personal=True))).items


@pytest.mark.covers(
    "wazo:feature.Misc", "wazo:rest.callLogd.search", "wazo:rest.callLogd.listCallLogs",
    "wazo:rest.callLogd.listCallLogsFromDate",
)  # fmt: skip
async def test_the_call_log(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        newest = sorted(box.user("alice").cdr, key=lambda one: str(one["start"]), reverse=True)
        page = await office.find(acc.FindCalls(limit=10))
        assert page.total == 60 and [one.id for one in page.items] == [str(one["id"]) for one in newest[:10]]
        further = await office.find(acc.FindCalls(offset=10, limit=10))
        assert [one.id for one in further.items] == [str(one["id"]) for one in newest[10:20]]
        entry = page.items[0]
        found = (await office.find(acc.FindCalls(text=entry.name, limit=50))).items
        assert entry.id in {one.id for one in found} and all(entry.name in one.name for one in found)
        since = (await office.find(acc.FindCalls(since=page.items[5].started_at, limit=50))).items
        assert {one.id for one in since} == {one.id for one in page.items[:6]}
        same = (await office.find(acc.FindCalls(since=page.items[9].started_at, number=entry.number, limit=50))).items
        assert entry.id in {one.id for one in same} and {one.number for one in same} == {entry.number}


@pytest.mark.covers("wazo:rest.calld.listVoicemails", "wazo:rest.calld.deleteVoicemail")
async def test_voicemail(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        await office.until(lambda s: s.voicemail_new == 2)
        await eventually(lambda: bool(box.events.sessions))
        left = box.colleague.leave_voicemail(box.user("alice"))
        await office.until(lambda s: s.voicemail_new == 3)
        page = await office.find(acc.FindVoicemails())
        assert page.items[0].id == left["id"] and page.items[0].name == box.colleague.name
        assert [one.id for one in page.items] == [one["id"] for one in box.user("alice").voicemails]
        await office.do(acc.DeleteVoicemail(left["id"]))
        assert left not in box.user("alice").voicemails
        await office.until(lambda s: s.voicemail_new == 2)


@pytest.mark.covers(
    "wazo:feature.Chat", "wazo:feature.Status", "wazo:rest.calld.getPresence", "wazo:rest.calld.getStatus",
    "wazo:rest.calld.updatePresence", "wazo:rest.calld.listMessages", "wazo:rest.calld.sendMessage",
    "wazo:event.ws.chat", "wazo:event.ws.presence", "wazo:event.ws.USERS_SERVICES_DND_UPDATED",
    "wazo:event.ws.USERS_SERVICES_DND_UPDATED.enabled", "wazo:event.ws.eventName", "wazo:ws.on",
)  # fmt: skip
async def test_presence_and_chat_between_two(box: WazoSandbox) -> None:
    async with Office(box) as alice, Office(box) as bob:
        me = (await alice.sign_in("alice")).user_id
        other = (await bob.sign_in("bob")).user_id
        await eventually(lambda: len([one for one in box.events.sessions if one.started]) == 2)
        await bob.do(acc.WatchPresences((me,)))
        await alice.do(acc.SetPresence("away", "lunch"))
        assert (box.user("alice").presence, box.user("alice").status) == ("away", "lunch")
        await bob.until(lambda s: me in s.known_presences and s.known_presences[me].status == "lunch")
        box.state.set_line_state(box.user("alice").lines[0].id, "talking", box.user("alice"))
        await bob.until(lambda s: s.known_presences[me].line == "talking")
        assert (await bob.command("chatd.getPresence", userUuid=me))["state"] == "away"
        # Another program of hers changes it: the switch here follows.
        for wanted in (True, False):
            box.state.set_dnd(box.user("alice"), wanted)
            await alice.until(lambda s: s.presence.do_not_disturb is wanted)  # noqa: B023
        room = await alice.do(acc.OpenChatRoom((other,)))
        for text in ("one", "two", "three"):
            await alice.do(acc.SendChatMessage(room.id, text))
        assert [one["content"] for one in box.state.chat_messages] == ["one", "two", "three"]
        await bob.until(lambda s: s.chat_unread == 3)
        (seen,) = (await bob.find(acc.FindChatRooms(user_id=me))).items
        page = await bob.find(acc.FindChatMessages(seen.id, limit=2))
        assert [one.text for one in page.items] == ["three", "two"] and page.items[0].sender_name == "Alice Archer"
        answer = await bob.do(acc.SendChatMessage(seen.id, "four"))
        got = await alice.event(acc.ChatMessageReceived, lambda e: e.message.id == answer.id)
        assert got.message.text == "four" and not got.message.is_local
