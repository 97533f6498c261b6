"""Share picker, certificate, password in a call."""

from __future__ import annotations

from app.calls import actions as act
from app.calls.events import InputAsked
from app.calls.model import Asked, CallPhase, Failure
from tests.ui.fakes import CALL, FakeController, _picture, meeting, slide
from tests.ui.shell.helpers import address, click, settle, type_text
from ui.dialogs.about import facts
from ui.dialogs.asked import AskedDialog
from ui.dialogs.certificate import CertificateDialog, fingerprint_of, readable
from ui.dialogs.share import Choice, ShareDialog
from ui.main_window import MainWindow

SOURCES = [Choice("screen:0", "Screen 1", "screen"), Choice("window:1", "Slides", "window")]


def share(window: MainWindow, controller: FakeController, sources: list[Choice]) -> tuple[ShareDialog, list[object]]:
    controller.states[CALL] = meeting(3)
    dialog = ShareDialog(controller, CALL, window, lister=lambda: sources, thumbnailer=lambda _id: _picture(slide(), 1))
    chosen: list[object] = []
    dialog.chosen.connect(chosen.append)
    return dialog, chosen


async def wait_for_cards(dialog: ShareDialog) -> None:
    for _ in range(200):
        await settle(1)
        if dialog.cards and dialog.cards[0]._image is not None:
            return


async def test_share_picker_shows_previews_and_second_camera(window: MainWindow, controller: FakeController) -> None:
    dialog, chosen = share(window, controller, SOURCES)
    dialog.start()
    await wait_for_cards(dialog)
    assert [card.choice.id for card in dialog.cards] == ["screen:0", "window:1", "camera:cam-2"]
    assert dialog.cards[0]._image is not None and not dialog.share.isEnabled()
    click(dialog.cards[1])
    dialog.optimise.setCurrentIndex(dialog.optimise.findData("motion"))
    click(dialog.share)
    assert chosen == [act.ShareScreen("window:1", "motion")]


async def test_the_portal_asks_by_itself(window: MainWindow, controller: FakeController) -> None:
    dialog, chosen = share(window, controller, [Choice("screen:portal", "Screen or window", "portal")])
    dialog.start()
    for _ in range(100):
        await settle(1)
        if chosen:
            break
    assert chosen == [act.ShareScreen("screen:portal", "text")]


async def test_without_screens_there_is_a_sentence_and_the_test_picture(
    window: MainWindow, controller: FakeController
) -> None:
    dialog, chosen = share(window, controller, [])
    dialog.start()
    for _ in range(100):
        await settle(1)
        if dialog.cards:
            break
    assert "No screen was found" in dialog.message.text()
    card = next(card for card in dialog.cards if card.choice.kind == "test")
    click(card)
    click(dialog.share)
    assert chosen == [act.ShareScreen("test", "text")]


async def test_certificate_is_trusted_only_after_comparing(window: MainWindow, controller: FakeController) -> None:
    failure = Failure("tls", "The server cannot prove who it is.", f"meet.example.org sha256={'ab' * 32}")
    assert fingerprint_of(failure) == "ab" * 32 and readable("ab12") == "AB:12"
    dialog = CertificateDialog(address().url, failure, controller, window)
    done: list[bool] = []
    dialog.trusted.connect(lambda: done.append(True))
    dialog.open()
    assert not dialog.trust.isEnabled()
    dialog.check.click()
    click(dialog.trust)
    assert done and controller.settings["network.trusted_certificates"] == (f"meet.example.org {'ab' * 32}",)


async def test_password_asked_in_the_middle_of_a_call(window: MainWindow, controller: FakeController) -> None:
    controller.states[CALL] = meeting(3)
    window._joined(CALL)
    controller.update(InputAsked(Asked.ROOM_PASSWORD), phase=CallPhase.ASKING, asked=Asked.ROOM_PASSWORD)
    await settle()
    dialog = window.findChild(AskedDialog)
    type_text(dialog.form.password, "pw")
    dialog._submit()
    await settle()
    assert controller.asked(act.SubmitPassword)[-1].password == "pw"


async def test_share_from_the_meeting_toolbar_opens_the_picker(window: MainWindow, controller: FakeController) -> None:
    controller.states[CALL] = meeting(3)
    window._joined(CALL)
    await settle()
    window.meeting.shareRequested.emit()
    for _ in range(100):
        await settle(1)
        if window.findChild(ShareDialog) and window.findChild(ShareDialog).isVisible():
            break
    dialog = window.findChild(ShareDialog)
    assert dialog is not None and dialog.isVisible()
    dialog.reject()


def test_facts_hold_versions_only(english: object) -> None:
    assert facts().startswith("Parley 0.1.0")
    assert "/" not in facts().split("\n")[0]


async def test_words_of_the_window_leave_the_meetings_toolbar_free(
    window: MainWindow, controller: FakeController
) -> None:
    window.toast("Settings could not be read.", "error")
    await settle()
    controller.states[CALL] = meeting(3)
    window._joined(CALL)
    await settle()
    toolbar = window.meeting.toolbar
    top = toolbar.mapTo(window, toolbar.rect().topLeft()).y()
    assert window.toasts.geometry().bottom() < top
    window.go_home()
    await settle()
    assert window.toasts.geometry().bottom() > window.height() // 2
