"""Participants: order, search, menus by capability, moderation, link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QGuiApplication

from app.calls import actions as act
from app.calls.model import Capability, Failure, MediaKind, Role, StartMutedPolicy
from app.vendors.base import ActionRefused
from tests.ui.fakes import CALL, LOCAL, FakeController, capabilities, meeting
from tests.ui.shell.conftest import really_delete
from tests.ui.shell.helpers import click, settle
from ui.dialogs.questions import KickDialog, LockDialog, RenameDialog
from ui.panels.participants import ParticipantsPanel
from ui.widgets.menus import Menu


@pytest.fixture
def controller() -> FakeController:
    return FakeController(meeting(9, hands=(5, 2), muted=(1,), without_video=(3,), speaker=4))


@pytest.fixture
def panel(english: object, qtbot: object, controller: FakeController) -> Iterator[ParticipantsPanel]:
    found = ParticipantsPanel(controller, CALL)
    found.resize(340, 640)
    found.show()
    yield found
    found.release()
    found.deleteLater()
    really_delete()


def names(panel: ParticipantsPanel) -> list[str]:
    return [panel.list.people.row(n).name for n in range(panel.list.people.rowCount())]


def entry(menu: Menu, text: str) -> object:
    return next(action for action in menu.actions() if action.text().startswith(text))


def has(menu: Menu, text: str) -> bool:
    return any(action.text().startswith(text) for action in menu.actions())


def test_hands_come_first_in_their_order_then_oneself(panel: ParticipantsPanel) -> None:
    assert names(panel)[:3] == ["Mei-Ling Chen", "Tomás Herrera", "Robin Meyer"]
    assert panel.accessibleName() == "Participants (9)"
    text = panel.list.people.index(0).data(11)  # Qt.AccessibleTextRole
    assert "hand raised, number 1" in text and "microphone on" in text


def test_search_ignores_case_and_accents(panel: ParticipantsPanel) -> None:
    panel.search.setText("TOMAS")
    assert names(panel) == ["Tomás Herrera"]
    panel.search.setText("nobody at all")
    assert names(panel) == [] and panel.nobody.isVisible()


def test_list_follows_changes(panel: ParticipantsPanel, controller: FakeController) -> None:
    controller.change_participant("p0000005", raised_hand_at=None)
    assert names(panel)[0] == "Tomás Herrera"
    controller.change_participant("p0000001", name="A" * 500 + "\n<b>x</b>")
    assert max(len(name) for name in names(panel)) <= 80


async def test_moderator_menu_acts(panel: ParticipantsPanel, controller: FakeController) -> None:
    menu = panel.make_menu("p0000002")
    for text in ("Mute", "Turn camera off", "Lower hand", "Make moderator"):
        entry(menu, text).trigger()  # type: ignore[attr-defined]
    await settle()
    assert controller.asked(act.MuteParticipant) == [
        act.MuteParticipant("p0000002", MediaKind.AUDIO),
        act.MuteParticipant("p0000002", MediaKind.VIDEO),
    ]
    assert controller.asked(act.LowerHand) == [act.LowerHand("p0000002")]
    assert controller.asked(act.GrantModerator) == [act.GrantModerator("p0000002")]
    controller.change_participant("p0000002", role=Role.MODERATOR)
    entry(panel.make_menu("p0000002"), "Take moderator").trigger()  # type: ignore[attr-defined]
    await settle()
    assert controller.asked(act.RevokeModerator)


async def test_kick_asks_for_a_reason(panel: ParticipantsPanel, controller: FakeController) -> None:
    entry(panel.make_menu("p0000002"), "Remove").trigger()  # type: ignore[attr-defined]
    dialog = panel.findChild(KickDialog)
    dialog.reason.setText("too loud")
    dialog._confirm()
    await settle()
    assert controller.asked(act.Kick) == [act.Kick("p0000002", "too loud")]


def test_capabilities_disable_with_reason_or_remove(panel: ParticipantsPanel, controller: FakeController) -> None:
    controller.update(
        capabilities=capabilities(
            MuteParticipant=Capability(False, "Only a moderator can do this."),
            RevokeModerator=Capability(False, present=False),
            GrantModerator=Capability(False, present=False),
            Kick=Capability(False, present=False),
            LowerHand=Capability(False, present=False),
        )
    )
    menu = panel.make_menu("p0000002")
    mute = entry(menu, "Mute")
    assert not mute.isEnabled() and mute.toolTip() == "Only a moderator can do this."  # type: ignore[attr-defined]
    assert not has(menu, "Make moderator") and not has(menu, "Remove") and not has(menu, "Lower hand")
    assert has(menu, "Write privately")


def test_who_is_muted_already_cannot_be_muted_again(panel: ParticipantsPanel) -> None:
    muted = entry(panel.make_menu("p0000001"), "Mute")
    assert not muted.isEnabled() and "Already off" in muted.toolTip()  # type: ignore[attr-defined]


async def test_signals_volume_and_own_name(panel: ParticipantsPanel, controller: FakeController) -> None:
    pinned: list[str] = []
    private: list[str] = []
    panel.pinRequested.connect(pinned.append)
    panel.privateMessageRequested.connect(private.append)
    menu = panel.make_menu("p0000002")
    entry(menu, "Show large").trigger()  # type: ignore[attr-defined]
    entry(menu, "Write privately").trigger()  # type: ignore[attr-defined]
    assert (pinned, private) == (["p0000002"], ["p0000002"])
    panel._set_volume("p0000002", 150)
    own = panel.make_menu(LOCAL)
    assert not has(own, "Mute") and not has(own, "Remove")
    entry(own, "Change name").trigger()  # type: ignore[attr-defined]
    dialog = panel.findChild(RenameDialog)
    dialog.name.setText("Robin M.")
    dialog._confirm()
    await settle()
    assert controller.asked(act.SetParticipantVolume) == [act.SetParticipantVolume("p0000002", 1.5)]
    assert controller.asked(act.SetDisplayName) == [act.SetDisplayName("Robin M.")]
    assert controller.settings["profile.display_name"] == "Robin M."


async def test_controls_for_everybody(panel: ParticipantsPanel, controller: FakeController) -> None:
    menu = panel.make_controls()
    entry(menu, "Mute everyone else").trigger()  # type: ignore[attr-defined]
    entry(menu, "Newcomers start muted").trigger()  # type: ignore[attr-defined]
    entry(menu, "Lock with").trigger()  # type: ignore[attr-defined]
    dialog = panel.findChild(LockDialog)
    assert not dialog.confirm.isEnabled()
    dialog.password.setText("pa55")
    dialog._confirm()
    await settle()
    assert controller.asked(act.MuteEveryone) == [act.MuteEveryone(MediaKind.AUDIO, (LOCAL,))]
    assert controller.asked(act.SetStartMutedPolicy) == [act.SetStartMutedPolicy(True, False)]
    assert controller.asked(act.Lock) == [act.Lock("pa55")]
    controller.update(locked=True, start_muted_policy=StartMutedPolicy(audio=True))
    menu = panel.make_controls()
    assert entry(menu, "Newcomers start muted").isChecked()  # type: ignore[attr-defined]
    entry(menu, "Unlock").trigger()  # type: ignore[attr-defined]
    await settle()
    assert controller.asked(act.Lock)[-1] == act.Lock(None)


async def test_copy_link_and_refusal(panel: ParticipantsPanel, controller: FakeController) -> None:
    click(panel.invite)
    assert QGuiApplication.clipboard().text() == "https://meet.example.org/TeamMeeting"
    controller.refusals["Kick"] = ActionRefused(Failure("forbidden", "The server does not allow this."))
    panel.perform(act.Kick("p0000002"))
    await settle()
    assert panel.problem.isVisible() and panel.problem.text() == "The server does not allow this."
