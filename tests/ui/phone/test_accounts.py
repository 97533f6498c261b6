"""Sign-in, the rail, the state at its foot, presence, do not disturb, forwards, signing out."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.calls.accounts import (
    AccountPhase,
    Forward,
    ListChanged,
    Registration,
    Service,
    SetDoNotDisturb,
    SetForward,
    SetPresence,
)
from app.calls.model import Failure
from app.vendors.base import ActionRefused
from tests.ui.fake_accounts import ACCOUNT, account
from tests.ui.fakes import FakeController
from tests.ui.shell.helpers import click, press, settle, type_text
from ui.main_window import MainWindow


async def _fill(window: MainWindow) -> object:
    window.phone.go_accounts()
    await settle()
    view = window.phone.view("sign_in")
    type_text(view.server, "phone.example.org")
    type_text(view.user, "robin")
    type_text(view.password, "secret")
    return view


async def test_without_an_account_the_rail_offers_to_sign_in_and_nothing_else(window: MainWindow) -> None:
    await settle()
    assert window.rail.account.isVisible()
    assert window.rail.account.accessibleName() == "Sign in"
    assert not any(button.isVisible() for button in window.rail.pages.values())
    click(window.rail.account)
    await settle()
    assert window.stack.currentWidget() is window.phone.view("sign_in")


async def test_a_program_without_such_vendors_shows_no_account(window: MainWindow, controller: FakeController) -> None:
    controller.vendor_list = ()
    window.rebuild()
    await settle()
    assert not window.rail.account.isVisible()


async def test_sign_in_sends_what_was_typed(window: MainWindow, controller: FakeController) -> None:
    view = await _fill(window)
    type_text(view.domain, "example")
    view.stay.setChecked(False)
    press(view.password, Qt.Key.Key_Return)
    await settle()
    assert controller.signed_in == [
        {
            "vendor": "wazo",
            "server": "phone.example.org",
            "user": "robin",
            "password": "secret",
            "domain": "example",
            "stay_signed_in": False,
        }
    ]
    assert not view.button.isEnabled()
    controller.update_account(phase=AccountPhase.SIGNED_IN, services=frozenset(Service))
    await settle()
    assert window.stack.currentWidget() is window.phone.view("calls")
    assert view.password.text() == ""


async def test_a_refusal_is_a_sentence_and_keeps_what_was_typed(window: MainWindow, controller: FakeController) -> None:
    view = await _fill(window)
    view.submit()
    await settle()
    failure = Failure("wrong_credentials", "The user name or the password is wrong.", "401")
    controller.update_account(phase=AccountPhase.FAILED, failure=failure)
    await settle()
    assert view.problem.isVisible() and view.problem.text() == failure.message
    assert (view.server.text(), view.user.text(), view.password.text()) == ("phone.example.org", "robin", "secret")
    assert view.password.property("invalid") == "true"
    assert view.button.isEnabled()
    view._toggle_details()
    assert view.details.text() == "401" and view.details.isVisible()


async def test_an_empty_field_is_asked_for(window: MainWindow, controller: FakeController) -> None:
    window.phone.sign_in()
    view = window.phone.view("sign_in")
    view.submit()
    assert view.problem.text() == "Type the address of your server."
    assert controller.signed_in == []


async def test_the_rail_shows_only_what_the_accounts_offer(window: MainWindow, controller: FakeController) -> None:
    controller.set_account(account(services=frozenset({Service.CALLS, Service.VOICEMAIL})))
    await settle()
    shown = {name for name, button in window.rail.pages.items() if button.isVisible()}
    assert shown == {"calls", "voicemail"}
    controller.set_account(account("account-2", services=frozenset({Service.CHAT})))
    await settle()
    shown = {name for name, button in window.rail.pages.items() if button.isVisible()}
    assert shown == {"calls", "voicemail", "chat"}


async def test_the_registration_is_always_true_at_the_foot(signed_in: MainWindow, controller: FakeController) -> None:
    button = signed_in.rail.account
    assert button.tone == "good"
    assert "Ready for calls" in button.accessibleDescription()
    for registration, tone, words in (
        (Registration.LOST, "warn", "disconnected"),
        (Registration.REFUSED, "bad", "refused"),
        (Registration.NONE, "muted", "no line"),
        (Registration.REGISTERED, "good", "Ready"),
    ):
        controller.update_account(registration=registration)
        assert button.tone == tone
        assert words in button.accessibleDescription()


async def test_counts_are_at_the_buttons_and_said(signed_in: MainWindow, controller: FakeController) -> None:
    controller.update_account(missed_calls=3, chat_unread=1, voicemail_new=2)
    pages = signed_in.rail.pages
    assert (pages["calls"].count, pages["chat"].count, pages["voicemail"].count) == (3, 1, 2)
    assert "3 missed calls" in pages["calls"].accessibleDescription()
    assert "1 unread message" in pages["chat"].accessibleDescription()


async def test_presence_dnd_and_forwards(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go_accounts()
    await settle()
    card = signed_in.phone.view("accounts").cards[ACCOUNT]
    card.presence.setCurrentIndex(card.presence.findData("away"))
    card.status.setText("Lunch")
    card._set_presence()
    click(card.dnd)
    row = card.forwards["busy"]
    click(row.switch)
    assert not row.switch.isChecked(), "without a number nothing is forwarded"
    type_text(row.number, "1042")
    row.number.editingFinished.emit()
    await settle()
    click(row.switch)
    await settle()
    assert controller.account_asked(SetPresence) == [SetPresence("away", "Lunch")]
    assert controller.account_asked(SetDoNotDisturb) == [SetDoNotDisturb(True)]
    assert controller.account_asked(SetForward)[-1] == SetForward(Forward("busy", True, "1042"))
    assert row.switch.isChecked() and card.dnd.isChecked()


async def test_a_refused_switch_goes_back(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go_accounts()
    await settle()
    card = signed_in.phone.view("accounts").cards[ACCOUNT]
    controller.account_refusals["SetDoNotDisturb"] = ActionRefused(Failure("forbidden", "You may not change this."))
    click(card.dnd)
    await settle()
    assert not card.dnd.isChecked()
    assert [toast.message.text for toast in signed_in.toasts.toasts] == ["You may not change this."]


async def test_signing_out_everywhere_and_removing(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go_accounts()
    await settle()
    card = signed_in.phone.view("accounts").cards[ACCOUNT]
    entries = {action.text(): action for action in card.make_menu().actions()}
    entries["Sign out everywhere"].trigger()
    await settle()
    assert controller.signed_out == [(ACCOUNT, True, False)]
    assert card.again.isVisible()
    assert not signed_in.rail.pages["calls"].isVisible()


async def test_an_expired_account_asks_to_sign_in_again(signed_in: MainWindow, controller: FakeController) -> None:
    controller.update_account(phase=AccountPhase.EXPIRED)
    await settle()
    toast = signed_in.toasts.toasts[0].message
    assert toast.text == "Robin Meyer must sign in again." and toast.action is not None
    toast.action()
    await settle()
    view = signed_in.phone.view("sign_in")
    assert (view.server.text(), view.user.text(), view.password.text()) == ("phone.example.org", "robin", "")


async def test_another_language_makes_the_pages_anew(signed_in: MainWindow, controller: FakeController) -> None:
    signed_in.phone.go("calls")
    await settle()
    controller.set_setting("appearance.language", "fr")
    await settle()
    assert signed_in.rail.pages["calls"].accessibleName() == "Appels"
    controller.emit_account(ListChanged("call_log"))
    controller.set_setting("appearance.language", "en")
    await settle()


async def test_a_second_try_is_not_refused_by_the_first(window: MainWindow, controller: FakeController) -> None:
    view = await _fill(window)
    view.submit()
    await settle()
    failure = Failure("wrong_credentials", "The user name or the password is wrong.")
    controller.update_account(phase=AccountPhase.FAILED, failure=failure)
    await settle()

    async def later(*_arguments: object, **_more: object) -> str:
        return ACCOUNT  # its state comes as an event after this

    controller.sign_in = later  # type: ignore[method-assign]
    view.submit()
    await settle()
    assert not view.problem.isVisible() and not view.button.isEnabled()
    controller.update_account(phase=AccountPhase.SIGNED_IN, services=frozenset(Service), failure=None)
    await settle()
    assert window.stack.currentWidget() is window.phone.view("calls")
