"""The meeting view on a fake controller: buttons, keys, panels, banner, self view, what is reported as visible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.calls import actions as act
from app.calls.events import AudioLevelsChanged, PhaseChanged, ReactionReceived
from app.calls.model import CallPhase, Capability, Failure, LocalMedia, MediaKind, SourceContent
from app.media.api import TrackStats
from app.vendors.base import ActionRefused
from tests.ui.fakes import LOCAL, capabilities, meeting
from tests.ui.meeting.conftest import PlainPanel, ShowMeeting, Shown
from ui.meeting.arrange import Layout, TileKey
from ui.meeting.room_dialogs import LockDialog, SubjectDialog
from ui.theme import Duration, Size

MUTED = LocalMedia(microphone_muted=True, camera_muted=True)
FIRST = TileKey("p0000001")


def key(shown: Shown, what: Any, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(shown.view, what, modifiers)
    QApplication.processEvents()


def last(shown: Shown) -> act.Action:
    acted = [action for _, action in shown.controller.performed if not isinstance(action, act.SetVisibleSources)]
    assert acted, "nothing was asked of the controller"
    return acted[-1]


# ---------------------------------------------------------------- buttons


@pytest.mark.parametrize(
    ("button", "action"),
    [
        ("microphone", act.SetMicrophone(True)),
        ("camera", act.SetCamera(True)),
        ("hand", act.RaiseHand(True)),
    ],
)
def test_toggles_ask_for_the_opposite(show: ShowMeeting, button: str, action: act.Action) -> None:
    shown = show()
    QTest.mouseClick(shown.view.toolbar.buttons[button], Qt.MouseButton.LeftButton, pos=QPoint(12, 20))
    assert last(shown) == action


def test_microphone_button_says_action_and_state(show: ShowMeeting) -> None:
    shown = show()
    button = shown.view.toolbar.buttons["microphone"]
    assert (button.icon_name, button.off) == ("microphone", False)
    assert (button.accessibleName(), button.accessibleDescription()) == ("Mute microphone", "Microphone is on")
    button.click()
    assert (button.icon_name, button.off) == ("microphone-off", True)
    assert (button.accessibleName(), button.accessibleDescription()) == ("Unmute microphone", "Microphone is off")
    local = replace(MUTED, microphone_muted_by="p0000001")
    shown.controller.update(local=local)
    assert button.accessibleDescription() == "Muted by a moderator"


def test_share_asks_for_the_picker_and_stops_at_once(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show()
    with qtbot.waitSignal(shown.view.shareRequested, timeout=1000):
        shown.view.toolbar.buttons["share"].click()
    assert not shown.view.toolbar.buttons["share"].isChecked()
    shown.controller.update(local=LocalMedia(False, False, sharing_screen=True))
    assert shown.view.toolbar.buttons["share"].isChecked()
    assert shown.view.banner.text == "You are sharing your screen"
    shown.view.toolbar.buttons["share"].click()
    assert last(shown) == act.ShareScreen(None)


def test_what_cannot_be_done_is_disabled_with_the_reason_and_what_is_unknown_absent(show: ShowMeeting) -> None:
    caps = capabilities(
        ShareScreen=Capability(False, "A moderator must allow it"), RaiseHand=Capability(False, "", False)
    )
    shown = show(replace(meeting(4), capabilities=caps))
    share, hand = shown.view.toolbar.buttons["share"], shown.view.toolbar.buttons["hand"]
    assert not share.isEnabled() and share.toolTip() == "A moderator must allow it"
    assert not hand.isVisible() and "hand" not in shown.view.toolbar.overflow
    key(shown, Qt.Key.Key_R)
    key(shown, Qt.Key.Key_D)
    assert not shown.controller.asked(act.RaiseHand)


def test_leaving_is_asked_of_the_window(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show()
    with qtbot.waitSignal(shown.view.leaveRequested, timeout=1000) as leave:
        QTest.mouseClick(shown.view.toolbar.leave, Qt.MouseButton.LeftButton, pos=QPoint(14, 20))
    assert leave.args == [False]
    with qtbot.waitSignal(shown.view.leaveRequested, timeout=1000) as leave:
        next(entry for entry in shown.view.menus.leave().actions() if "all" in entry.text()).trigger()
    assert leave.args == [True]


def test_counts_of_unread_and_people(show: ShowMeeting) -> None:
    shown = show(meeting(5, unread=3))
    buttons = shown.view.toolbar.buttons
    assert buttons["chat"].count == 3 and buttons["participants"].count == 5
    shown.view.toggle_panel("chat")
    assert buttons["chat"].count == 0 and buttons["chat"].isChecked()


def test_a_refusal_becomes_a_toast(show: ShowMeeting) -> None:
    shown = show()
    shown.controller.refusals["RaiseHand"] = ActionRefused(Failure("no", "The server does not take hands."))
    key(shown, Qt.Key.Key_R)
    assert [toast.message.text for toast in shown.view.toasts.toasts] == ["The server does not take hands."]
    assert shown.view.toasts.toasts[0].stays


# ---------------------------------------------------------------- keys

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize(
    ("what", "modifiers", "action"),
    [
        (Qt.Key.Key_M, Qt.KeyboardModifier.NoModifier, act.SetMicrophone(True)),
        (Qt.Key.Key_V, Qt.KeyboardModifier.NoModifier, act.SetCamera(True)),
        (Qt.Key.Key_R, Qt.KeyboardModifier.NoModifier, act.RaiseHand(True)),
        (Qt.Key.Key_M, CTRL_SHIFT, act.SetMicrophone(True)),
        (Qt.Key.Key_O, CTRL_SHIFT, act.SetCamera(True)),
        (Qt.Key.Key_K, CTRL_SHIFT, act.RaiseHand(True)),
        (Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier, act.SendReaction("like")),
        (Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier, act.SendReaction("clap")),
        (Qt.Key.Key_3, Qt.KeyboardModifier.AltModifier, act.SendReaction("laugh")),
        (Qt.Key.Key_4, Qt.KeyboardModifier.AltModifier, act.SendReaction("surprised")),
        (Qt.Key.Key_5, Qt.KeyboardModifier.AltModifier, act.SendReaction("boo")),
        (Qt.Key.Key_6, Qt.KeyboardModifier.AltModifier, act.SendReaction("silence")),
    ],
)
def test_keys_act(show: ShowMeeting, what: Qt.Key, modifiers: Qt.KeyboardModifier, action: act.Action) -> None:
    shown = show()
    key(shown, what, modifiers)
    assert last(shown) == action


@pytest.mark.parametrize(
    ("what", "modifiers", "signal"),
    [
        (Qt.Key.Key_D, Qt.KeyboardModifier.NoModifier, "shareRequested"),
        (Qt.Key.Key_E, CTRL_SHIFT, "shareRequested"),
        (Qt.Key.Key_H, CTRL_SHIFT, "leaveRequested"),
        (Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier, "shortcutsRequested"),
    ],
)
def test_keys_that_ask_the_window(
    show: ShowMeeting, qtbot: QtBot, what: Qt.Key, modifiers: Qt.KeyboardModifier, signal: str
) -> None:
    shown = show()
    with qtbot.waitSignal(getattr(shown.view, signal), timeout=1000):
        key(shown, "?" if what == Qt.Key.Key_Question else what, modifiers)


def test_keys_open_panels(show: ShowMeeting) -> None:
    shown = show()
    for what, panel in ((Qt.Key.Key_C, "chat"), (Qt.Key.Key_P, "participants"), (Qt.Key.Key_T, "statistics")):
        shown.view.setFocus()
        key(shown, what)
        assert shown.view.panels.open_panel == panel
    shown.view.setFocus()
    key(shown, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert shown.view.panels.open_panel == ""


def test_keys_change_the_view(show: ShowMeeting) -> None:
    shown = show()
    key(shown, Qt.Key.Key_W)
    assert shown.view.stage.choices.layout is Layout.GALLERY
    key(shown, Qt.Key.Key_W)
    assert shown.view.stage.choices.layout is Layout.SPEAKER
    key(shown, Qt.Key.Key_F)
    assert shown.view.stage.placed.strip_box is None
    key(shown, Qt.Key.Key_F)
    assert shown.view.stage.placed.strip_box is not None
    key(shown, Qt.Key.Key_3)
    assert shown.view.stage.arrangement.stage == TileKey("p0000003")
    key(shown, Qt.Key.Key_0)
    assert shown.view.stage.arrangement.stage == TileKey(LOCAL)
    key(shown, Qt.Key.Key_9)
    assert shown.view.stage.choices.pinned == TileKey(LOCAL)
    key(shown, Qt.Key.Key_Escape)
    assert shown.view.stage.choices.pinned is None


def test_full_screen_by_key_and_back_with_escape(show: ShowMeeting) -> None:
    shown = show()
    for what in (Qt.Key.Key_S, Qt.Key.Key_F11):
        key(shown, what)
        assert shown.window.isFullScreen()
        key(shown, Qt.Key.Key_Escape)
        assert not shown.window.isFullScreen()


def test_quality_key_opens_its_menu(show: ShowMeeting) -> None:
    shown = show()
    key(shown, Qt.Key.Key_A)
    menu = shown.view.open_menu_widget
    assert menu is not None
    texts = [entry.text() for entry in menu.actions()]
    assert "Sound only" in texts and len(texts) == 5
    menu.actions()[-1].trigger()
    assert last(shown) == act.SetAudioOnly(True)
    menu.close()


def test_letters_belong_to_text_fields(show: ShowMeeting) -> None:
    shown = show()
    shown.view.toggle_panel("chat")
    panel = shown.view.panels.panel("chat")
    assert isinstance(panel, PlainPanel)
    panel.field.setFocus()
    QApplication.processEvents()
    before = len(shown.controller.performed)
    QTest.keyClicks(panel.field, "mvcdrfwtspa 0123456789?")
    assert panel.field.text() == "mvcdrfwtspa 0123456789?"
    assert len(shown.controller.performed) == before
    assert shown.view.panels.open_panel == "chat"
    QTest.keyClick(panel.field, Qt.Key.Key_M, CTRL_SHIFT)
    assert last(shown) == act.SetMicrophone(True)


def test_letters_can_be_switched_off(show: ShowMeeting) -> None:
    shown = show(shortcuts__single_letter=False)
    for what in (Qt.Key.Key_M, Qt.Key.Key_V, Qt.Key.Key_1):
        key(shown, what)
    assert not shown.controller.asked(act.SetMicrophone)
    assert shown.view.stage.choices.pinned is None
    key(shown, Qt.Key.Key_M, CTRL_SHIFT)
    assert shown.controller.asked(act.SetMicrophone)


def test_push_to_talk_holds_while_space_is_down(show: ShowMeeting) -> None:
    shown = show(meeting(4, local=MUTED))
    QTest.keyPress(shown.view, Qt.Key.Key_Space)
    assert shown.controller.asked(act.SetMicrophone) == [act.SetMicrophone(False)]
    QTest.keyRelease(shown.view, Qt.Key.Key_Space)
    assert shown.controller.asked(act.SetMicrophone) == [act.SetMicrophone(False), act.SetMicrophone(True)]


def test_push_to_talk_does_not_mute_who_was_on(show: ShowMeeting) -> None:
    shown = show()
    key(shown, Qt.Key.Key_Space)
    assert not shown.controller.asked(act.SetMicrophone)


def test_push_to_talk_ends_with_the_view(show: ShowMeeting) -> None:
    shown = show(meeting(4, local=MUTED))
    QTest.keyPress(shown.view, Qt.Key.Key_Space)
    shown.view.hide()
    assert shown.controller.asked(act.SetMicrophone)[-1] == act.SetMicrophone(True)


# ---------------------------------------------------------------- toolbar


@pytest.mark.parametrize("width", [320, 360, 420, 480, 560, 720, 1280])
def test_toolbar_drops_by_width_but_never_the_essentials(show: ShowMeeting, width: int) -> None:
    shown = show(size=(width, 480))
    shown.view.resize(width, 480)
    bar = shown.view.toolbar
    assert bar.width() <= width
    for name in ("microphone", "camera", "more"):
        assert bar.buttons[name].isVisible()
        assert bar.rect().contains(bar.buttons[name].geometry())
    assert bar.leave.isVisible() and bar.rect().contains(bar.leave.geometry())
    visible = {name for name, button in bar.buttons.items() if button.isVisible()}
    assert visible | set(bar.overflow) == set(bar.buttons)
    assert not visible & set(bar.overflow)
    shown.view.open_menu("more")
    menu = shown.view.open_menu_widget
    assert menu is not None
    icons_first = menu.actions()[: len(bar.overflow)]
    assert len(icons_first) == len(bar.overflow)
    if bar.overflow and bar.overflow[0] == "share":
        assert "Share screen" in icons_first[0].text()
    menu.close()


def test_toolbar_at_the_smallest_window_shows_everything(show: ShowMeeting) -> None:
    shown = show(size=(Size.WINDOW_MIN_WIDTH, Size.WINDOW_MIN_HEIGHT))
    assert shown.view.toolbar.overflow == ()


def test_toolbar_fades_and_returns(show: ShowMeeting) -> None:
    shown = show()
    assert shown.view._idle.interval() == Duration.TOOLBAR_IDLE
    shown.view._idle.timeout.emit()
    assert not shown.view.toolbar.isVisible()
    key(shown, Qt.Key.Key_Shift)
    assert shown.view.toolbar.isVisible()
    shown.view._idle.timeout.emit()
    assert not shown.view.toolbar.isVisible()
    tile = shown.view.stage.visible_tiles()[0]
    QTest.mouseMove(tile, QPoint(30, 30))
    QTest.mouseMove(tile, QPoint(40, 40))
    QApplication.processEvents()
    assert shown.view.toolbar.isVisible()


def test_tab_brings_the_toolbar_back(show: ShowMeeting) -> None:
    shown = show()
    shown.view._idle.timeout.emit()
    assert not shown.view.toolbar.isVisible()
    QTest.keyClick(shown.view, Qt.Key.Key_Tab)
    QApplication.processEvents()
    assert shown.view.toolbar.isVisible()


def test_leave_has_a_mnemonic(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show()
    with qtbot.waitSignal(shown.view.leaveRequested, timeout=1000):
        key(shown, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)


def test_toolbar_stays_while_a_menu_is_open_or_it_has_the_keyboard(show: ShowMeeting) -> None:
    shown = show()
    shown.view.open_menu("more")
    shown.view._idle.timeout.emit()
    assert shown.view.toolbar.isVisible()
    menu = shown.view.open_menu_widget
    assert menu is not None
    menu.close()
    shown.view.toolbar.buttons["hand"].setFocus(Qt.FocusReason.TabFocusReason)
    shown.view._idle.timeout.emit()
    assert shown.view.toolbar.isVisible()


def test_device_menu_chooses(show: ShowMeeting) -> None:
    shown = show()
    menu = shown.view.menus.microphone()
    entry = next(one for one in menu.actions() if one.text() == "USB headset")
    entry.trigger()
    assert last(shown) == act.SelectDevices(microphone="mic-2")
    chosen = [one.text() for one in menu.actions() if one.isCheckable() and "default" in one.text()]
    assert chosen == ["System default (Built-in microphone)", "System default (Built-in speakers)"]


# ---------------------------------------------------------------- panels


def test_one_panel_at_a_time_beside_or_over_the_stage(show: ShowMeeting) -> None:
    shown = show(size=(1280, 800))
    wide = shown.view.stage.width()
    shown.view.toggle_panel("chat")
    shown.view.toggle_panel("participants")
    assert not shown.view.panels.panel("chat").isVisible()
    assert shown.view.panels.panel("participants").isVisible()
    assert shown.view.stage.width() < wide
    shown.window.resize(800, 600)
    QApplication.processEvents()
    assert shown.view.stage.geometry().right() > shown.view.panels.x()
    assert not shown.view.toolbar.geometry().intersects(shown.view.panels.geometry())
    shown.view.panels.panel("participants").closeRequested.emit()  # type: ignore[attr-defined]
    assert shown.view.panels.open_panel == ""


def test_keypad_sends_tones(show: ShowMeeting) -> None:
    shown = show()
    shown.view.toggle_panel("keypad")
    panel = shown.view.panels.panel("keypad")
    panel.keys["5"].click()  # type: ignore[attr-defined]
    QTest.keyClicks(panel, "#9")
    assert [one.tones for one in shown.controller.asked(act.SendDtmf)] == ["5", "#", "9"]


def test_statistics_show_figures_of_the_connection_and_each_track(show: ShowMeeting) -> None:
    shown = show(meeting(3))
    shown.view.toggle_panel("statistics")
    track = TrackStats(
        "p0000001-v0", "p0000001", "inbound", MediaKind.VIDEO, SourceContent.CAMERA, 1, codec="VP8", fps=29.6,
        width=1280, height=720, bitrate_bps=1.52e6, loss_fraction=0.011, jitter_ms=4.2,
    )  # fmt: skip
    cipher = "SRTP_AEAD_AES_128_GCM"
    stats = {"rtt_ms": 23.4, "receive_bitrate_bps": 480_000.0, "srtp_profile": cipher, "tracks": (track,)}
    shown.controller.update(stats=stats)
    words = [label.text().replace("\u00a0", " ").replace("\u200b", "")
             for label in shown.view.panels.panel("statistics").findChildren(QLabel)]  # fmt: skip
    for text in ("23 ms", "480 kbit/s", cipher, "Amélie Laurent · camera",
                 "VP8 · 1280×720 · 30 fps · 1.5 Mbit/s · 1.1 % · 4 ms"):  # fmt: skip
        assert text in words
    shown.controller.update(stats={"tracks": ({"direction": "outbound", "kind": "audio"},), "rtt_ms": None})


def test_opening_the_chat_takes_its_toast_away(show: ShowMeeting) -> None:
    shown = show()
    shown.view.notices.say("Ann: hello", key="chat")
    shown.view.toggle_panel("chat")
    assert shown.view.toasts.toasts == ()


def test_subject_and_password_are_asked_and_sent(show: ShowMeeting) -> None:
    shown = show()
    shown.view.ask_subject()
    subject = shown.view.findChild(SubjectDialog)
    assert subject is not None
    subject.field.setText("  Budget ")
    QTest.keyClick(subject.field, Qt.Key.Key_Return)
    assert last(shown) == act.SetSubject("Budget")
    shown.controller.update(locked=True)
    assert shown.view.top_bar.lock.isVisible()
    shown.view.top_bar.lock.click()
    lock = shown.view.findChild(LockDialog)
    assert lock is not None
    next(one for one in lock.findChildren(QPushButton) if one.text() == "Remove password").click()
    assert last(shown) == act.Lock(None)


def test_private_message_opens_the_chat(show: ShowMeeting) -> None:
    shown = show()
    menu = shown.view.menus.tile(FIRST)
    next(one for one in menu.actions() if one.text() == "Private message").trigger()
    panel = shown.view.panels.panel("chat")
    assert shown.view.panels.open_panel == "chat"
    assert isinstance(panel, PlainPanel) and panel.written_to == ["p0000001"]


# ---------------------------------------------------------------- tiles


def test_moderator_actions_follow_capabilities(show: ShowMeeting) -> None:
    shown = show(meeting(4, muted=[1]))
    entries = {one.text(): one for one in shown.view.menus.tile(FIRST).actions()}
    assert not entries["Mute microphone"].isEnabled()
    entries["Stop camera"].trigger()
    entries["Make moderator"].trigger()
    entries["Remove from the meeting"].trigger()
    acted = [action for _, action in shown.controller.performed if not isinstance(action, act.SetVisibleSources)]
    assert acted[-1] == act.Kick("p0000001") and acted[-2] == act.GrantModerator("p0000001")
    no = Capability(False, "Only moderators can do this")
    shown.controller.update(capabilities=capabilities(Kick=no, MuteParticipant=Capability(False, "", False)))
    entries = {one.text(): one for one in shown.view.menus.tile(FIRST).actions()}
    assert "Stop camera" not in entries
    assert not entries["Remove from the meeting"].isEnabled()
    assert entries["Remove from the meeting"].toolTip() == "Only moderators can do this"


def test_double_click_and_enter_pin(show: ShowMeeting) -> None:
    shown = show(meeting(4, speaker=2))
    tile = shown.view.stage.tile(FIRST)
    assert tile is not None
    QTest.mouseDClick(tile, Qt.MouseButton.LeftButton)
    assert shown.view.stage.arrangement.stage == FIRST
    assert tile.model.pinned
    tile.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(tile, Qt.Key.Key_Return)
    assert shown.view.stage.choices.pinned is None


def test_self_view_is_mirrored_and_can_be_hidden(show: ShowMeeting) -> None:
    shown = show()
    mine = shown.view.stage.tile(TileKey(LOCAL))
    assert mine is not None and mine.model.mirrored
    shown.controller.set_setting("view.mirror_self", False)
    assert not mine.model.mirrored
    shown.controller.set_setting("view.show_self", False)
    assert not mine.isVisible()
    assert shown.controller.preview(SourceContent.CAMERA).listeners == []


def test_reconnecting_freezes_the_call_under_a_banner(show: ShowMeeting) -> None:
    shown = show(meeting(4, speaker=1))
    tile = shown.view.stage.tile(FIRST)
    assert tile is not None and tile.has_picture
    shown.controller.update(phase=CallPhase.RECONNECTING)
    assert shown.view.banner.isVisible() and "Reconnecting" in shown.view.banner.text
    assert tile.has_picture and tile.model.lost and not tile.model.speaking
    shown.controller.update(phase=CallPhase.JOINED)
    assert not shown.view.banner.isVisible() and not tile.model.lost


def test_remote_names_are_plain_text_and_bounded(show: ShowMeeting) -> None:
    state = meeting(3)
    shown = show(state)
    shown.controller.change_participant("p0000001", name="<b>Eve</b>\u202e\n" + "x" * 5000)
    tile = shown.view.stage.tile(FIRST)
    assert tile is not None
    assert tile.model.name.startswith("<b>Eve</b> xxx")
    assert len(tile.model.name) <= 80 and "\u202e" not in tile.model.name and "\n" not in tile.model.name
    assert shown.view.menus.tile(FIRST).actions()


def test_reactions_float_and_leave(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show()
    shown.controller.emit(ReactionReceived("p0000001", ("like", "unknown", "love")))
    assert shown.view.reactions.count == 2 and shown.view.reactions.isVisible()
    for _ in range(200):
        shown.view.reactions._step()
    assert shown.view.reactions.count == 0 and not shown.view.reactions.isVisible()
    shown.controller.set_setting("notifications.reactions", False)
    shown.controller.emit(ReactionReceived("p0000001", ("like",)))
    assert shown.view.reactions.count == 0


def test_alone_offers_the_link(show: ShowMeeting) -> None:
    shown = show(meeting(1))
    assert shown.view.alone.isVisible()
    shown.view.alone.button.click()
    assert QGuiApplication.clipboard().text() == "https://meet.example.org/TeamMeeting"
    shown.controller.set(meeting(2))
    assert not shown.view.alone.isVisible()


# ---------------------------------------------------------------- what is reported as visible


def settle(shown: Shown) -> tuple[act.VisibleSource, ...]:
    shown.view.stage._report_timer.timeout.emit()
    reports = shown.controller.asked(act.SetVisibleSources)
    assert reports
    return tuple(reports[-1].sources)


def test_visible_sources_follow_the_screen(show: ShowMeeting) -> None:
    shown = show(meeting(4, speaker=2, without_video=[3]))
    assert shown.view.stage._report_timer.interval() == Duration.VISIBLE_SOURCES
    sources = settle(shown)
    assert [one.name for one in sources] == ["p0000002-v0", "p0000001-v0"]
    assert sources[0].on_stage and not sources[1].on_stage
    stage = shown.view.stage.tile(TileKey("p0000002"))
    assert stage is not None and sources[0].height == round(stage.height() * stage.devicePixelRatioF())
    assert sources[1].height < sources[0].height


def test_nothing_is_visible_in_a_hidden_window_or_with_sound_only(show: ShowMeeting) -> None:
    shown = show(meeting(4))
    assert settle(shown)
    shown.view.hide()
    assert settle(shown) == ()
    assert all(not slot.listeners for slot in shown.controller.slots.values())
    shown.view.show()
    assert settle(shown)
    shown.view.stage.set_seen(False)
    assert settle(shown) == ()
    assert all(not slot.listeners for slot in shown.controller.slots.values())
    shown.view.stage.set_seen(True)
    assert settle(shown)
    shown.controller.update(local=LocalMedia(False, False, audio_only=True))
    assert settle(shown) == ()


def test_minimised_window_asks_for_nothing(show: ShowMeeting) -> None:
    shown = show(meeting(4))
    settle(shown)
    shown.window.showMinimized()
    QApplication.processEvents()
    QApplication.processEvents()
    assert settle(shown) == ()


def test_reports_are_debounced_and_not_repeated(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show(meeting(6))
    qtbot.waitUntil(lambda: len(shown.controller.asked(act.SetVisibleSources)) == 1, timeout=3000)
    for _ in range(5):
        key(shown, Qt.Key.Key_W)
    qtbot.waitUntil(lambda: len(shown.controller.asked(act.SetVisibleSources)) == 2, timeout=3000)
    shown.controller.speak("p0000001")
    qtbot.wait(2 * Duration.VISIBLE_SOURCES)
    assert len(shown.controller.asked(act.SetVisibleSources)) <= 3


def test_a_stream_of_states_does_not_put_a_report_off(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show(meeting(6))
    qtbot.waitUntil(lambda: bool(shown.controller.asked(act.SetVisibleSources)), timeout=3000)
    count = len(shown.controller.asked(act.SetVisibleSources))
    levels = QTimer()
    levels.setInterval(Duration.VISIBLE_SOURCES // 4)
    levels.timeout.connect(lambda: shown.controller.update(AudioLevelsChanged()))
    levels.start()
    shown.view.toggle_layout()
    qtbot.waitUntil(lambda: len(shown.controller.asked(act.SetVisibleSources)) == count + 1, timeout=3000)
    shown.view.hide()
    qtbot.waitUntil(lambda: shown.controller.asked(act.SetVisibleSources)[-1].sources == (), timeout=3000)
    levels.stop()


def test_a_new_connection_is_told_again_and_refusals_stay_quiet(show: ShowMeeting) -> None:
    shown = show(meeting(4))
    first = settle(shown)
    count = len(shown.controller.asked(act.SetVisibleSources))
    shown.controller.refusals["SetVisibleSources"] = ActionRefused(Failure("later", "Not now."))
    shown.controller.update(PhaseChanged(CallPhase.JOINED))
    assert settle(shown) == first
    assert len(shown.controller.asked(act.SetVisibleSources)) == count + 1
    assert shown.view.toasts.toasts == ()


def test_a_burst_of_events_is_shown_once(show: ShowMeeting, qtbot: QtBot) -> None:
    shown = show(meeting(4))
    shown.view.show_interval_ms = Duration.FRAME
    shown.view._last_shown = float("-inf")
    drawn: list[object] = []
    set_state = shown.view.toolbar.set_state
    shown.view.toolbar.set_state = lambda *given: (drawn.append(given[0]), set_state(*given))  # type: ignore[method-assign, func-returns-value]
    for number in range(200):
        shown.controller.update(unread_messages=number + 1)
    assert len(drawn) < 60
    qtbot.waitUntil(lambda: shown.view.toolbar.buttons["chat"].count == 200, timeout=2000)


def test_gallery_pages_report_only_their_tiles(show: ShowMeeting) -> None:
    shown = show(meeting(60), view__layout="gallery")
    shown.view.stage.set_layout(Layout.GALLERY)
    first = {one.name for one in settle(shown)}
    shown.view.stage.turn_page(1)
    second = {one.name for one in settle(shown)}
    assert first and second and not first & second
    for name in first:
        assert shown.controller.slots["call-1", name].listeners == []


def test_release_lets_everything_go(show: ShowMeeting) -> None:
    shown = show(meeting(4))
    shown.view.release()
    assert all(not slot.listeners for slot in shown.controller.slots.values())
    assert shown.controller._listeners == []
    assert shown.controller._settings_listeners == []
