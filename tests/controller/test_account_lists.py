from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.calls import accounts as ac
from app.calls.accounts import CallLogEntry, Contact, FindCalls, FindContacts, Page
from app.controller import account_lists
from app.controller.account_lists import CachedLists
from app.storage.account_cache import AccountCache
from app.vendors.base import ActionRefused
from tests.controller.desk import PhoneDesk
from tests.controller.fakes import FakeAccountSession


def people(count: int) -> list[Contact]:
    return [Contact(str(number), "company", f"Person {number:04}") for number in range(count)]


def entry(number: int) -> CallLogEntry:
    return CallLogEntry(str(number), "inbound", "answered", number * 10_000_000, 5, "Anna", "1001")


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PhoneDesk]:
    monkeypatch.setattr(account_lists, "PAUSE_S", 0.0)
    desk = PhoneDesk(lists=CachedLists(AccountCache()))
    yield desk
    await desk.controller.close()


def lists_changed(desk: PhoneDesk) -> list[str]:
    return [event.what for _, event in desk.account_events if isinstance(event, ac.ListChanged)]


async def test_lists_are_read_whole_once_and_then_answered_here(desk: PhoneDesk) -> None:
    FakeAccountSession.pages = {"FindContacts": people(1_200), "FindCalls": [entry(2), entry(1)]}
    account_id = await desk.sign_in()
    await desk.wait(lambda: {"contacts", "call_log"} <= set(lists_changed(desk)))
    offsets = [query.offset for query in desk.session.queries if isinstance(query, FindContacts)]
    assert offsets == [0, 500, 1_000]
    asked = len(desk.session.queries)
    page = await desk.controller.find(account_id, FindContacts("person 117", offset=2, limit=20))
    assert page.total == 12 and page.items[0].name == "Person 1170"
    assert [one.id for one in (await desk.controller.find(account_id, FindCalls())).items] == ["2", "1"]
    assert len(desk.session.queries) == asked  # nothing was asked of the server


async def test_who_is_not_here_is_asked_of_the_server(desk: PhoneDesk) -> None:
    FakeAccountSession.pages = {"FindContacts": people(3)}
    account_id = await desk.sign_in()
    await desk.wait(lambda: "contacts" in lists_changed(desk))
    elsewhere = Contact("x", "ldap", "Zoe")
    FakeAccountSession.pages = {"FindContacts": lambda query: Page((elsewhere,), None)}
    assert (await desk.controller.find(account_id, FindContacts("zoe"))).items == (elsewhere,)
    assert (await desk.controller.find(account_id, FindContacts("zoe", favourites=True))).items == ()


async def test_a_directory_that_does_not_list_everybody_is_always_asked(desk: PhoneDesk) -> None:
    found = Contact("x", "ldap", "Zoe")
    FakeAccountSession.pages = {"FindContacts": lambda query: Page((found,) if query.text else (), None)}
    account_id = await desk.sign_in()
    await desk.wait(lambda: any(isinstance(query, FindContacts) for query in desk.session.queries))
    assert (await desk.controller.find(account_id, FindContacts("z"))).items == (found,)


async def test_a_change_is_followed_and_only_new_calls_are_read(desk: PhoneDesk) -> None:
    FakeAccountSession.pages = {"FindContacts": people(3), "FindCalls": [entry(1)]}
    account_id = await desk.sign_in()
    await desk.wait(lambda: {"contacts", "call_log"} <= set(lists_changed(desk)))
    FakeAccountSession.pages = {"FindContacts": people(5), "FindCalls": [entry(2)]}
    for what in ("contacts", "call_log", "favourites"):
        desk.session.hooks.emit(ac.ListChanged(what))
    await desk.wait(lambda: lists_changed(desk).count("contacts") == 3 and lists_changed(desk).count("call_log") == 3)
    assert (await desk.controller.find(account_id, FindContacts())).total == 5
    assert [one.id for one in (await desk.controller.find(account_id, FindCalls())).items] == ["2", "1"]
    newest = [query for query in desk.session.queries if isinstance(query, FindCalls)][-1]
    assert newest.since == 10_000_000 - account_lists.OVERLAP_MS


async def test_our_own_changes_are_seen_at_once(desk: PhoneDesk) -> None:
    FakeAccountSession.pages = {"FindContacts": people(3)}
    account_id = await desk.sign_in()
    await desk.wait(lambda: "contacts" in lists_changed(desk))
    await desk.controller.account_perform(account_id, ac.SetFavourite(people(3)[1], True))
    assert "favourites" in lists_changed(desk)
    page = await desk.controller.find(account_id, FindContacts(favourites=True))
    assert [one.id for one in page.items] == ["1"]
    FakeAccountSession.pages = {"FindContacts": people(4)}
    await desk.controller.account_perform(account_id, ac.SaveContact(Contact("", "personal", "New")))
    await desk.wait(lambda: lists_changed(desk).count("contacts") == 2)
    assert (await desk.controller.find(account_id, FindContacts())).total == 4


async def test_signed_out_one_can_still_look_and_forgetting_leaves_nothing(desk: PhoneDesk) -> None:
    FakeAccountSession.pages = {"FindContacts": people(3)}
    account_id = await desk.sign_in()
    await desk.wait(lambda: "contacts" in lists_changed(desk))
    await desk.controller.sign_out(account_id)
    assert (await desk.controller.find(account_id, FindContacts())).total == 3
    with pytest.raises(ActionRefused):
        await desk.controller.find(account_id, ac.FindVoicemails())
    await desk.controller.sign_out(account_id, forget=True)
    with pytest.raises(ActionRefused):
        await desk.controller.find(account_id, FindContacts())
