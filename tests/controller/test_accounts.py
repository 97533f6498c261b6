from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.calls import accounts as ac
from app.calls.accounts import AccountPhase, Registration
from app.calls.model import CallPhase, Capability, frozen_map
from app.controller import accounts as accounts_module
from app.controller.api import AccountsApi, VendorInfo
from app.storage.accounts import AccountStore
from app.vendors.base import ActionRefused
from tests.controller.desk import MemoryKeyring, PhoneDesk
from tests.controller.fakes import FakeAccountSession


@pytest.fixture
async def desk() -> AsyncIterator[PhoneDesk]:
    desk = PhoneDesk()
    yield desk
    await desk.controller.close()


async def test_it_implements_what_the_window_uses(desk: PhoneDesk) -> None:
    api: AccountsApi = desk.controller
    assert api.vendors() == (VendorInfo("phones", "Phones"),)
    assert api.accounts() == ()
    await api.resume_accounts()
    assert desk.engine.log == []  # nothing is made before something needs it


async def test_signing_in_gives_an_id_at_once_and_states_follow(desk: PhoneDesk) -> None:
    account_id = await desk.controller.sign_in("phones", " phone.example.org ", "anna", "secret", domain="ldap")
    assert desk.controller.account(account_id).phase is AccountPhase.SIGNED_OUT
    await desk.wait(lambda: desk.controller.account(account_id).registration is Registration.REGISTERED)
    state = desk.controller.account(account_id)
    assert (state.phase, state.display_name, state.server) == (AccountPhase.SIGNED_IN, "Anna", "phone.example.org")
    request = desk.session.request
    assert (request.password, request.domain, request.account_id) == ("secret", "ldap", account_id)
    assert request.options["tokenExpiration"] == 3600
    assert len(request.options["machine_uid"]) == 32
    phases = [event.phase for _, event in desk.account_events if isinstance(event, ac.AccountPhaseChanged)]
    assert phases == [AccountPhase.SIGNING_IN, AccountPhase.SIGNED_IN]


@pytest.mark.parametrize(("user", "code"), [("wrong", "password"), ("bug", "internal")])
async def test_a_refusal_is_a_state(desk: PhoneDesk, user: str, code: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL + 1, logger="app"):
        account_id = await desk.sign_in(user, AccountPhase.FAILED)
    failure = desk.controller.account(account_id).failure
    assert failure is not None and failure.code == code
    assert desk.accounts.records() == ()  # what never worked is not kept
    with pytest.raises(ActionRefused) as refused:
        await desk.controller.find(account_id, ac.FindContacts())
    assert refused.value.failure.code == "not_signed_in"


async def test_signing_in_again_keeps_the_account_and_replaces_the_session(desk: PhoneDesk) -> None:
    first = await desk.sign_in()
    second = await desk.controller.sign_in("phones", "phone.EXAMPLE.org", "Anna", "secret")
    await desk.wait(lambda: len(FakeAccountSession.made) == 2)
    await desk.wait(lambda: desk.controller.account(first).phase is AccountPhase.SIGNED_IN)
    assert first == second and len(desk.controller.accounts()) == 1
    assert FakeAccountSession.made[0].log == ["close"]
    # What the former session still tells is ignored.
    FakeAccountSession.made[0].hooks.emit(ac.CountsChanged(voicemail_new=7))
    assert desk.controller.account(first).voicemail_new == 0


async def test_several_accounts_stay_in_the_order_in_which_they_were_added(desk: PhoneDesk) -> None:
    ids = [await desk.sign_in(user) for user in ("anna", "bob", "chloe")]
    assert [one.account_id for one in desk.controller.accounts()] == ids


async def test_staying_signed_in_survives_a_restart(tmp_path: Path) -> None:
    path, keyring = tmp_path / "accounts.json", MemoryKeyring()
    desk = PhoneDesk(AccountStore(path), keyring)
    account_id = await desk.sign_in()
    await desk.controller.close()
    assert desk.session.log == ["close"]
    assert keyring.kept == {f"phones:{account_id}:refresh_token": "token-anna"}
    assert "token" not in path.read_text() and "secret" not in path.read_text()

    desk = PhoneDesk(AccountStore(path), keyring)
    (state,) = desk.controller.accounts()
    assert (state.phase, state.display_name, state.account_id) == (AccountPhase.SIGNED_OUT, "Anna", account_id)
    await desk.controller.resume_accounts()
    await desk.wait(lambda: desk.controller.account(account_id).phase is AccountPhase.SIGNED_IN)
    assert (desk.session.request.password, desk.session.request.refresh_token) == (None, "token-anna")
    await desk.controller.sign_out(account_id)
    assert desk.session.log == ["sign out", "close"]
    assert keyring.kept == {} and desk.controller.account(account_id).phase is AccountPhase.SIGNED_OUT
    await desk.controller.sign_out(account_id, everywhere=True, forget=True)
    assert desk.controller.accounts() == () and AccountStore(path).records() == ()
    await desk.controller.close()


async def test_who_does_not_stay_signed_in_leaves_nothing_behind(tmp_path: Path) -> None:
    desk = PhoneDesk(AccountStore(tmp_path / "accounts.json"))
    await desk.sign_in(stay_signed_in=False)
    await desk.controller.close()
    assert desk.keyring.kept == {} and AccountStore(tmp_path / "accounts.json").records() == ()


async def test_the_setting_has_the_last_word_on_staying_signed_in(desk: PhoneDesk) -> None:
    desk.controller.set_setting("phone.keep_signed_in", False)
    await desk.sign_in(stay_signed_in=True)
    assert desk.accounts.records() == () and desk.keyring.kept == {}


async def test_without_a_store_of_the_system_it_says_that_sign_ins_are_for_this_run() -> None:
    desk = PhoneDesk(no_keyring=True)
    account_id = await desk.sign_in()
    await desk.wait(lambda: any(isinstance(event, ac.AccountNotice) for _, event in desk.account_events))
    notice = next(event for _, event in desk.account_events if isinstance(event, ac.AccountNotice))
    assert notice.code == "session_only" and "until you quit" in notice.message
    assert desk.controller.secrets_note() == notice.message
    assert desk.controller.account(account_id).phase is AccountPhase.SIGNED_IN
    await desk.controller.close()


async def test_a_refused_token_asks_to_sign_in_again_and_is_forgotten(tmp_path: Path) -> None:
    desk = PhoneDesk(AccountStore(tmp_path / "accounts.json"))
    account_id = await desk.sign_in("revoked")
    await desk.controller.close()
    again = PhoneDesk(AccountStore(tmp_path / "accounts.json"), desk.keyring)
    await again.controller.resume_accounts()
    await again.wait(lambda: again.controller.account(account_id).phase is AccountPhase.EXPIRED)
    await again.controller.close()
    assert desk.keyring.kept == {}
    assert len(FakeAccountSession.made) == 1


async def test_without_network_at_the_start_it_tries_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_module, "RETRY_FIRST_S", 0.001)
    desk = PhoneDesk(AccountStore(tmp_path / "accounts.json"))
    FakeAccountSession.offline_times = 0
    account_id = await desk.sign_in("offline")
    await desk.controller.close()
    FakeAccountSession.offline_times = 3
    again = PhoneDesk(AccountStore(tmp_path / "accounts.json"), desk.keyring)
    await again.controller.resume_accounts()
    await again.wait(lambda: again.controller.account(account_id).phase is AccountPhase.SIGNED_IN)
    assert len(FakeAccountSession.made) == 4
    await again.controller.close()


async def test_signing_out_and_closing_interrupt_a_sign_in(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in("slow", AccountPhase.SIGNING_IN)
    await desk.wait(lambda: FakeAccountSession.made)
    await desk.controller.sign_out(account_id)
    assert desk.controller.account(account_id).phase is AccountPhase.SIGNED_OUT
    await desk.sign_in("slow", AccountPhase.SIGNING_IN)
    async with asyncio.timeout(5):
        await desk.controller.close()


async def test_a_session_that_hangs_does_not_hold_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts_module, "CLOSE_TIMEOUT_S", 0.01)
    desk = PhoneDesk()
    await desk.sign_in("hangs")
    async with asyncio.timeout(5):
        await desk.controller.close()


async def test_signing_out_ends_the_calls_of_that_account_only(desk: PhoneDesk) -> None:
    anna = await desk.sign_in("anna")
    call_of_anna, session = await desk.talk(anna)
    bob = await desk.sign_in("bob")
    call_of_bob, _ = await desk.talk(bob)
    await desk.controller.sign_out(anna)
    assert session.closed and desk.controller.state(call_of_anna).phase is CallPhase.ENDED
    assert desk.controller.calls() == (call_of_bob,)


async def test_actions_and_queries_reach_the_session_and_are_refused_before_it(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    assert await desk.controller.account_perform(account_id, ac.SetPresence("away")) == "done"
    FakeAccountSession.pages = {"FindContacts": [ac.Contact(str(n), "s", f"N {n}") for n in range(5)]}
    page = await desk.controller.find(account_id, ac.FindContacts(offset=3, limit=50))
    assert [one.id for one in page.items] == ["3", "4"] and page.total == 5
    desk.session.hooks.emit(
        ac.AccountCapabilitiesChanged(
            frozen_map({"SendFax": Capability(False, "No fax here."), "SetAgent": Capability(False, present=False)})
        )
    )
    for action, sentence in (
        (ac.SendFax("1", "/tmp/x.pdf"), "No fax here."),
        (ac.SetAgent("login"), "This server does not offer that."),
    ):
        with pytest.raises(ActionRefused) as refused:
            await desk.controller.account_perform(account_id, action)
        assert refused.value.failure.message == sentence
    assert desk.session.performed == [ac.SetPresence("away")]


async def test_missed_calls_are_counted_kept_and_seen(tmp_path: Path) -> None:
    path = tmp_path / "accounts.json"
    desk = PhoneDesk(AccountStore(path))
    account_id = await desk.sign_in()
    for cause in ("cancelled", "no_answer", "elsewhere"):
        _, session = await desk.ring()
        session.ended(cause)
    _, session = await desk.ring()
    session.ended("normal", answered_elsewhere=True)
    assert desk.controller.account(account_id).missed_calls == 2
    await desk.controller.close()

    desk = PhoneDesk(AccountStore(path), desk.keyring)
    assert desk.controller.account(account_id).missed_calls == 2
    await desk.sign_in()
    await desk.controller.account_perform(account_id, ac.MarkCallsSeen())
    assert desk.controller.account(account_id).missed_calls == 0 and desk.session.performed == []
    await desk.controller.close()
    assert AccountStore(path).records()[0].missed_calls == 0


async def test_numbers_are_recognised_while_an_account_is_signed_in(desk: PhoneDesk) -> None:
    assert desk.controller.recognise("tel:+331234").address is None
    account_id = await desk.sign_in()
    found = desk.controller.recognise("+33 (1) 23-45")
    assert found.address is not None and found.hint == "Call +3312345 with Phones"
    from app.controller.api import JoinOptions

    call_id = await desk.controller.join(found.address, JoinOptions())
    await desk.until(call_id, CallPhase.RINGING)
    assert desk.session.calls[0].request is not None and desk.session.calls[0].request.target == "+3312345"
    assert desk.controller.recent() == ()
    room = desk.controller.recognise("team").address
    assert room is not None and room.vendor == "fake"
    await desk.controller.sign_out(account_id)
    assert desk.controller.recognise("sip:a@b.example").address is None
