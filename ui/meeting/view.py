"""The meeting: stage, bars, panels and messages of one call, put together.

Everything shown comes from :class:`app.calls.model.CallState`; everything done is an action for the controller.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QCloseEvent,
    QGuiApplication,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.calls import actions as act
from app.calls import selectors
from app.calls.events import AudioInputHint, CallEvent, PhaseChanged, ReactionReceived
from app.calls.model import CallPhase, CallState, Failure, SourceContent
from app.controller.api import ControllerApi
from app.media.api import Device, FrameSlot
from ui.meeting.alone import AloneCard
from ui.meeting.arrange import Layout, TileKey
from ui.meeting.avatars import AvatarFeed
from ui.meeting.banner import Banner
from ui.meeting.commands import Commands, TaskRunner
from ui.meeting.fade import Fader
from ui.meeting.keypad import KeypadPanel
from ui.meeting.keys import Keys
from ui.meeting.menus import MeetingMenus
from ui.meeting.notices import Notices
from ui.meeting.panels import PanelHost
from ui.meeting.placing import Placing
from ui.meeting.reactions import REACTIONS, ReactionLayer
from ui.meeting.stage import StageArea
from ui.meeting.statistics import StatisticsPanel
from ui.meeting.tile_model import TileModel
from ui.meeting.toolbar import Toolbar
from ui.meeting.top_bar import TopBar
from ui.theme import DARK, Duration, Size, colour
from ui.widgets.buttons import open_menu_at
from ui.widgets.menus import Menu
from ui.widgets.toast import ToastMessage, ToastStack


class MeetingView(QWidget):
    """One call on screen.

    Args:
        tasks: runs the coroutines of the controller; made by the view when absent.
        panels: makers of side panels by name, to replace the usual ``chat`` and ``participants``.

    Signals:
        shareRequested: open the share picker. settingsRequested: open settings at a section ("" for the first).
        leaveRequested: True ends the meeting for all. shortcutsRequested: show the list of keys.
        homeRequested: back to the start page while the meeting goes on. fullScreenChanged: after it changed.
    """

    shareRequested = Signal()
    settingsRequested = Signal(str)
    leaveRequested = Signal(bool)
    shortcutsRequested = Signal()
    homeRequested = Signal()
    fullScreenChanged = Signal(bool)

    def __init__(
        self,
        controller: ControllerApi,
        call_id: str,
        parent: QWidget | None = None,
        *,
        tasks: TaskRunner | None = None,
        panels: dict[str, Callable[[], QWidget]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self.call_id = call_id
        self._unsubscribe: list[Callable[[], None]] = []
        self._watched_window: QObject | None = None
        self._released = False
        self._was_full = False
        self.show_interval_ms = Duration.FRAME
        """States are shown no more often than this."""
        self._last_shown = float("-inf")
        self._show_timer = QTimer(self)
        self._show_timer.setSingleShot(True)
        self._show_timer.timeout.connect(self._show_again)
        self._panel_width = Size.SIDE_PANEL
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("noFocusRing", True)
        self.setMouseTracking(True)
        self.setMinimumSize(320, 240)
        self._tasks = tasks or self._own_tasks()
        self._tasks.on_refused = self._refused
        self.commands = Commands(controller, call_id, self._tasks, self)
        self.commands.shareRequested.connect(self.shareRequested)
        self.commands.leaveRequested.connect(self.leaveRequested)
        self._make_parts(panels or {})
        self._connect_parts()
        self.menus = MeetingMenus(self, controller, self.commands)
        self.keys = Keys(self, controller, self.commands, self._key_actions(), self._focus_person)
        self._menu_open: QMenu | None = None
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(Duration.TOOLBAR_IDLE)
        self._idle.timeout.connect(self._fade_out)
        layout = controller.setting("view.layout") or Layout.SPEAKER
        self.stage.set_choices(replace(self.stage.choices, layout=Layout(layout)))
        self._unsubscribe.append(controller.subscribe(self._on_event))
        self._unsubscribe.append(controller.subscribe_settings(self._on_settings))
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)
        self._apply_settings()
        state = controller.state(call_id)
        self.notices.learn(state)
        self._show_state(state)
        self._wake()

    def _own_tasks(self) -> TaskRunner:
        from ui.tasks import Tasks

        return Tasks()

    def _make_parts(self, panels: dict[str, Callable[[], QWidget]]) -> None:
        self.top_bar = TopBar(self)
        self.stage = StageArea(self._find_slot, self)
        self._faces = AvatarFeed(self._controller, self._tasks, self.stage.set_avatar)
        self.alone = AloneCard(self)
        self.reactions = ReactionLayer(self)
        self.banner = Banner(self)
        self.toolbar = Toolbar(self)
        self.fader = Fader(self.toolbar, self)
        makers = {"keypad": self._make_keypad, "statistics": self._make_statistics}
        makers |= {"chat": self._make_chat, "participants": self._make_participants}
        self.panels = PanelHost(makers | panels, self)
        self.toasts = ToastStack(self)
        self.placing = Placing(self)
        offers: dict[str, Callable[[], object]] = {
            "microphone": lambda: self.open_menu("microphone"),
            "unmute": self.commands.unmute,
            "chat": lambda: self.panels.open("chat"),
        }
        self.notices = Notices(self.toasts, lambda key: bool(self._controller.setting(key)), offers, self)

    def _connect_parts(self) -> None:
        self.top_bar.homeRequested.connect(self.homeRequested)
        self.top_bar.layoutClicked.connect(self.toggle_layout)
        self.top_bar.fullScreenClicked.connect(self.toggle_full_screen)
        self.top_bar.lockClicked.connect(self.ask_lock)
        self.stage.visibleChanged.connect(self._report_visible)
        self.stage.menuRequested.connect(self._open_tile_menu)
        self.stage.choicesChanged.connect(self._show_again)
        self.toolbar.activated.connect(self.activate)
        self.toolbar.menuRequested.connect(self.open_menu)
        self.panels.changed.connect(self._panel_changed)
        self.panels.dragged.connect(self._drag_panel)
        self.toasts.resized.connect(self.placing.toasts)
        self.alone.copyRequested.connect(self.copy_link)

    # -- panels

    def _make_chat(self) -> QWidget:
        from ui.panels.chat import ChatPanel

        return ChatPanel(self._controller, self.call_id)

    def _make_participants(self) -> QWidget:
        from ui.panels.participants import ParticipantsPanel

        panel: QWidget = ParticipantsPanel(self._controller, self.call_id)
        return panel

    def _make_keypad(self) -> QWidget:
        panel = KeypadPanel()
        panel.toneRequested.connect(self.commands.send_tone)
        return panel

    def _make_statistics(self) -> QWidget:
        return StatisticsPanel()

    def toggle_panel(self, name: str) -> None:
        self.panels.toggle(name)

    def write_to(self, participant_id: str) -> None:
        """Open the chat for a private message."""
        self.panels.open("chat")
        write_to = getattr(self.panels.panel("chat"), "write_to", None)
        if write_to is not None:
            write_to(participant_id)

    def _panel_changed(self) -> None:
        if self.panels.open_panel == "chat":
            self.toasts.dismiss("chat")
        self._lay_out()
        self._show_again()
        if not self.panels.open_panel:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drag_panel(self, width: int) -> None:
        self._panel_width = width
        self._controller.set_setting("window.panel_width", width)
        self._lay_out()

    # -- state

    def _find_slot(self, model: TileModel) -> FrameSlot | None:
        if model.is_local and not model.key.screen:
            return self._controller.preview(SourceContent.CAMERA)
        return self._controller.slot(self.call_id, model.source) if model.source else None

    def _on_event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id != self.call_id:
            return
        self.notices.observe(state, event)
        if isinstance(event, AudioInputHint) and event.code == "no_signal":
            self._find_microphone()
        if isinstance(event, PhaseChanged) and event.phase is CallPhase.JOINED:
            self.stage.report_again()
        if isinstance(event, ReactionReceived) and self._controller.setting("notifications.reactions"):
            person = state.participants.get(event.participant_id)
            for key in event.reactions[: len(REACTIONS)]:
                nameless = self.tr("You") if person is not None and person.is_local else self.tr("Guest")
                self.reactions.add(key, selectors.display_name(person, nameless))
        self._show_soon()

    def _find_microphone(self) -> None:
        """Ours is silent: if another one hears something, the notice offers it."""
        if self._controller.setting("hints.no_signal"):
            self._tasks.spawn(self._controller.find_active_microphone(), then=self._offer_microphone)

    def _offer_microphone(self, device: Device | None) -> None:
        if device is not None and device.id != self._controller.setting("devices.microphone"):
            self.notices.offer_microphone(device.label, lambda: self.commands.use_microphone(device.id))

    def _show_soon(self) -> None:
        """Show the newest state: at once, or with the next frame when events come in bursts (a large room)."""
        now = time.monotonic() * 1000
        if now - self._last_shown >= self.show_interval_ms:
            self._show_again()
        elif not self._show_timer.isActive():
            self._show_timer.start(self.show_interval_ms)

    def _show_again(self) -> None:
        if self._released:
            return
        self._show_timer.stop()
        self._show_state(self._controller.state(self.call_id))
        # Counted from the end, so that a slow machine is left time for pictures and clicks.
        self._last_shown = time.monotonic() * 1000

    def _show_state(self, state: CallState) -> None:
        layout = self.stage.choices.layout
        self.stage.set_state(state)
        self._faces.set_state(state)
        self.top_bar.set_state(state, layout, self.full_screen)
        self.toolbar.set_state(state, layout, self.panels.open_panel)
        self._show_banner(state)
        alone = state.phase is CallPhase.JOINED and not selectors.remote_participants(state)
        if alone != self.alone.isVisibleTo(self):
            self.alone.setVisible(alone)
            self._lay_out()
        statistics = self.panels.existing("statistics")
        if isinstance(statistics, StatisticsPanel):
            statistics.set_state(state)
        keypad = self.panels.existing("keypad")
        if isinstance(keypad, KeypadPanel):
            capability = selectors.capability(state, act.SendDtmf)
            keypad.set_allowed(capability.allowed, capability.reason)
        self.menus.forget(state)

    def _show_banner(self, state: CallState) -> None:
        if state.phase is CallPhase.RECONNECTING:
            self.banner.set_message(self.tr("Connection lost. Reconnecting…"), "wifi-off", "warn")
        elif state.phase is CallPhase.CONNECTING:
            self.banner.set_message(self.tr("Connecting…"), "refresh", "accent")
        elif state.phase is CallPhase.LEAVING:
            self.banner.set_message(self.tr("Leaving…"), "logout", "muted")
        elif state.local.sharing_screen:
            self.banner.set_message(self.tr("You are sharing your screen"), "screen-share", "accent")
        elif state.local.audio_only:
            self.banner.set_message(self.tr("Sound only: videos are off"), "volume", "muted")
        elif self.commands.talking:
            self.banner.set_message(self.tr("Release Space to mute"), "microphone", "accent")
        else:
            self.banner.set_message("")
        self.placing.banner()

    def _on_settings(self, changes: Any) -> None:
        self._apply_settings()

    def _apply_settings(self) -> None:
        setting = self._controller.setting
        self.stage.set_mirror_self(bool(setting("view.mirror_self")))
        self.stage.set_choices(
            replace(
                self.stage.choices,
                show_self=bool(setting("view.show_self")),
                show_without_video=bool(setting("view.show_without_video")),
            )
        )
        width = setting("window.panel_width") or Size.SIDE_PANEL
        self._panel_width = min(Size.SIDE_PANEL_MAX, max(Size.SIDE_PANEL_MIN, int(width)))
        self._lay_out()

    def _report_visible(self, sources: tuple[act.VisibleSource, ...]) -> None:
        if selectors.is_over(self._controller.state(self.call_id)):
            return
        self.commands.report(act.SetVisibleSources(sources))

    def _refused(self, failure: Failure) -> None:
        from ui import i18n

        self.toasts.show_message(ToastMessage(i18n.sentence(failure.message), "error", key=f"refused-{failure.code}"))

    # -- acts

    def activate(self, name: str) -> None:
        """Do what the toolbar button *name* does."""
        acts: dict[str, Callable[[], object]] = {
            "microphone": self.commands.toggle_microphone,
            "camera": self.commands.toggle_camera,
            "share": self.commands.toggle_share,
            "chat": lambda: self.toggle_panel("chat"),
            "participants": lambda: self.toggle_panel("participants"),
            "hand": self.commands.toggle_hand,
            "reactions": lambda: self.open_menu("reactions"),
            "layout": self.toggle_layout,
            "more": lambda: self.open_menu("more"),
            "leave": self.commands.leave,
        }
        acts[name]()

    def _key_actions(self) -> dict[str, Callable[[], object]]:
        acts: dict[str, Callable[[], object]] = {
            name: lambda n=name: self.activate(n)  # type: ignore[misc]
            for name in ("microphone", "camera", "share", "chat", "participants", "hand", "layout", "leave")
        }
        acts |= {
            "filmstrip": self.toggle_strip,
            "full_screen": self.toggle_full_screen,
            "speaker_stats": lambda: self.toggle_panel("statistics"),
            "statistics": lambda: self.toggle_panel("statistics"),
            "quality": self._open_quality,
            "help": self.shortcutsRequested.emit,
            "back": self.go_back,
        }
        for index, reaction in enumerate(REACTIONS[:6], start=1):
            acts[f"reaction_{index}"] = lambda key=reaction.key: self.commands.react(key)  # type: ignore[misc]
        return acts

    def toggle_layout(self) -> None:
        choices = self.stage.choices
        gallery = choices.layout is Layout.GALLERY and choices.pinned is None
        self.stage.set_layout(Layout.SPEAKER if gallery else Layout.GALLERY)

    def toggle_strip(self) -> None:
        choices = self.stage.choices
        self.stage.set_choices(replace(choices, show_strip=not choices.show_strip))

    def _focus_person(self, digit: int) -> None:
        state = self._controller.state(self.call_id)
        if digit == 0:
            self.stage.toggle_pin(TileKey(state.local_id))
            return
        others = selectors.remote_participants(state)
        if digit <= len(others):
            self.stage.toggle_pin(TileKey(others[digit - 1].id))

    def go_back(self) -> None:
        """Escape: close the panel, else unpin, else leave full screen."""
        if self.panels.open_panel:
            self.panels.close_panel()
        elif self.stage.choices.pinned is not None:
            self.stage.set_choices(replace(self.stage.choices, pinned=None))
        elif self.full_screen:
            self.toggle_full_screen()

    @property
    def full_screen(self) -> bool:
        return self.window().isFullScreen()

    def toggle_full_screen(self) -> None:
        window = self.window()
        if window.isFullScreen():
            window.showNormal()
        else:
            window.showFullScreen()

    def copy_link(self) -> None:
        QGuiApplication.clipboard().setText(self._controller.state(self.call_id).address)
        self.notices.say(self.tr("Meeting link copied"), "good", "copy", "copied")

    def ask_subject(self) -> None:
        from ui.meeting.room_dialogs import SubjectDialog

        state = self._controller.state(self.call_id)
        if self.commands.can(act.SetSubject):
            SubjectDialog(state.subject, lambda text: self.commands.perform(act.SetSubject(text)), self).open()

    def ask_lock(self) -> None:
        from ui.meeting.room_dialogs import LockDialog

        state = self._controller.state(self.call_id)
        if self.commands.can(act.Lock):
            LockDialog(state.locked, lambda text: self.commands.perform(act.Lock(text)), self).open()

    # -- menus

    def open_menu(self, name: str) -> None:
        """Open the menu of a toolbar button: microphone, camera, reactions, more or leave."""
        self._wake()
        makers = {
            "microphone": self.menus.microphone,
            "camera": self.menus.camera,
            "reactions": self.menus.reactions,
            "more": self.menus.more,
            "leave": self.menus.leave,
        }
        button: QWidget = self.toolbar.leave if name == "leave" else self.toolbar.buttons[name]
        if not button.isVisible():
            button = self.toolbar.buttons["more"]
        menu = makers[name]()
        self._track(menu)
        open_menu_at(menu, button)

    def _open_quality(self) -> None:
        self._wake()
        menu = self.menus.quality()
        self._track(menu)
        open_menu_at(menu, self.toolbar.buttons["more"])

    def _open_tile_menu(self, key: TileKey, at: QPoint) -> None:
        menu = self.menus.tile(key)
        self._track(menu)
        menu.popup(at)

    def _track(self, menu: Menu) -> None:
        self._menu_open = menu
        menu.aboutToHide.connect(self._menu_closed)

    def _menu_closed(self) -> None:
        self._menu_open = None
        self._wake()

    @property
    def open_menu_widget(self) -> QMenu | None:
        return self._menu_open

    # -- the bars come and go

    def _wake(self) -> None:
        if self.fader.hidden:
            self.fader.show()
            self.stage.set_controls_visible(True)
            if self.full_screen:
                self.top_bar.show()
        self._idle.start()

    def _focus_moved(self, old: QWidget | None, new: QWidget | None) -> None:
        # Tab never reaches our key events: it moves the focus.
        if new is not None and new is not self and self.isAncestorOf(new):
            self._wake()

    def _fade_out(self) -> None:
        busy = (
            self._menu_open is not None
            or self.toolbar.underMouse()
            or self.toolbar.isAncestorOf(self.focusWidget() or self)
            or QAccessible.isActive()
            or self._controller.state(self.call_id).phase is not CallPhase.JOINED
        )
        if busy:
            self._idle.start()
            return
        self.fader.hide()
        self.stage.set_controls_visible(False)
        if self.full_screen:
            self.top_bar.hide()

    def _lay_out(self) -> None:
        self.placing.lay_out(self._panel_width, self.full_screen)

    # -- Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.Type.WindowStateChange, QEvent.Type.Expose, QEvent.Type.Show, QEvent.Type.Hide):
            QTimer.singleShot(0, self, self._window_changed)
        elif kind == QEvent.Type.WindowDeactivate:
            self.keys.let_go()
        return False

    def _window_changed(self) -> None:
        window = self.window()
        handle = window.windowHandle()
        exposed = handle is None or handle.isExposed()
        self.stage.set_seen(window.isVisible() and not window.isMinimized() and exposed)
        self._lay_out()
        if not self.full_screen:
            self.top_bar.show()
        self._show_again()
        if self._was_full != self.full_screen:
            self._was_full = self.full_screen
            self.fullScreenChanged.emit(self._was_full)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        window = self.window()
        if self._watched_window is not window:
            self._watched_window = window
            window.installEventFilter(self)
            handle = window.windowHandle()
            if handle is not None:
                handle.installEventFilter(self)
        self._lay_out()
        self._wake()

    def hideEvent(self, event: QHideEvent) -> None:
        self.keys.let_go()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._wake()
        super().mouseMoveEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._wake()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._wake()
        if not self.keys.press(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not self.keys.release(event):
            super().keyReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(DARK.stage))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.release()
        super().closeEvent(event)

    def release(self) -> None:
        """Stop listening and painting; the call itself goes on. The view is of no use afterwards."""
        if self._released:
            return
        self._released = True
        self.keys.let_go()
        for stop in self._unsubscribe:
            stop()
        self._unsubscribe = []
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.disconnect(self._focus_moved)
        self._idle.stop()
        self._show_timer.stop()
        self.stage.set_seen(False)
        self.stage.stop()
        for panel in ("chat", "participants"):
            made = self.panels.existing(panel)
            release = getattr(made, "release", None)
            if release is not None:
                release()
        if self._watched_window is not None:
            with contextlib.suppress(RuntimeError):
                self._watched_window.removeEventFilter(self)
        self._tasks.cancel()
