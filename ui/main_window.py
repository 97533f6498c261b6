"""The window: rail, one view at a time, a bar for the running meeting, and the way between them.

Views say what the person wants by signals; this module decides where that leads. State comes from the controller.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.calls.actions import EndForAll, Leave, SendFeedback, SetMicrophone
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState, Failure
from app.controller.api import ControllerApi
from app.vendors.base import Address
from ui import i18n
from ui.call_bar import CallBar
from ui.home.view import HomeView
from ui.rail import Rail
from ui.settings import values
from ui.tasks import Tasks
from ui.theme import Size, Space, theme
from ui.widgets.focus import FocusRing
from ui.widgets.toast import ToastMessage, ToastStack

DEFAULT_WIDTH, DEFAULT_HEIGHT = 1120, 720


class MainWindow(QWidget):
    """Signals: closed(): the person closed the window; the owner leaves calls and ends the process.

    Attributes: painted: set after the first paint.
    """

    closed = Signal()

    def __init__(
        self, *, demo: Callable[[], Coroutine[Any, Any, str]] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.painted = asyncio.Event()
        self._controller: ControllerApi | None = None
        self._demo = demo
        self._call_id: str | None = None
        self._address: Address | None = None
        self._left_id: str | None = None
        self._unsubscribe: list[Callable[[], None]] = []
        self._language = i18n.current_language()
        self._tasks = Tasks(self._refused)
        self.prejoin: Any = None
        self.meeting: Any = None
        self.failure: Any = None
        self.left: Any = None
        self._settings_window: Any = None
        self._awake: Any = None
        self.phone: Any = None
        """The phone's half of the window, once the controller is there (:class:`ui.phone.shell.PhoneShell`)."""
        self.setWindowTitle("Parley")
        self.setMinimumSize(Size.WINDOW_MIN_WIDTH, Size.WINDOW_MIN_HEIGHT)
        self.resize(DEFAULT_WIDTH, DEFAULT_HEIGHT)
        self._build_frame()
        self._add_shortcuts()

    # ------------------------------------------------------------ building

    def _build_frame(self) -> None:
        """Rail, bar and home; the other views are made when they are first needed."""
        self.rail = Rail()
        self.bar = CallBar()
        self.phone_bar = CallBar()
        self.stack = QStackedWidget()
        self.home = HomeView(demo=self._demo is not None)
        self.stack.addWidget(self.home)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.bar)
        right.addWidget(self.phone_bar)
        right.addWidget(self.stack, 1)
        whole = QHBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.rail)
        whole.addLayout(right, 1)
        self._frame = QWidget(self)
        self._frame.setLayout(whole)
        self._frame.setGeometry(self.rect())
        self._frame.show()
        self.toasts = ToastStack(self)
        self.toasts.resized.connect(self._place_toasts)
        self.focus_ring = FocusRing(self)
        self.home.opened.connect(self.open_address)
        self.home.demo_requested.connect(self.start_demo)
        self.home.link_copied.connect(lambda: self.toast(self.tr("Link copied"), "good"))
        self.rail.home_requested.connect(self.go_home)
        self.rail.meeting_requested.connect(self.go_meeting)
        self.rail.settings_requested.connect(self.open_settings)
        self.rail.help_requested.connect(self.open_help)
        self.bar.return_requested.connect(self.go_meeting)
        self.bar.microphone_requested.connect(lambda muted: self._perform(SetMicrophone(muted)))
        self.bar.leave_requested.connect(lambda: self.leave(False))

    def _add_shortcuts(self) -> None:
        for keys, slot in (
            (QKeySequence(QKeySequence.StandardKey.Preferences), self.open_settings),
            (QKeySequence("Ctrl+,"), self.open_settings),
            (QKeySequence("F1"), self.open_help),
            (QKeySequence(QKeySequence.StandardKey.Quit), self.close),
        ):
            if not keys.isEmpty():
                shortcut = QShortcut(keys, self)
                shortcut.activated.connect(slot)
                shortcut.activatedAmbiguously.connect(slot)

    def attach(self, controller: ControllerApi) -> None:
        """Give the window its controller: views become live, settings take effect."""
        self._controller = controller
        self._unsubscribe = [
            controller.subscribe(self._call_event),
            controller.subscribe_settings(lambda _values: self._apply_settings()),
        ]
        self._restore_geometry()
        self._apply_settings()
        self.home.attach(controller)
        self._attach_phone(controller)

    def _attach_phone(self, controller: ControllerApi) -> None:
        from ui.phone.shell import PhoneShell

        self.phone = PhoneShell(controller, self)
        self.phone.show_requested.connect(self._show_phone)
        self.phone.home_requested.connect(self.go_home)
        self.phone.share_requested.connect(self.open_share_for)
        self.phone.settings_requested.connect(self.open_settings)
        self.phone.shortcuts_requested.connect(self.open_shortcuts)
        self.phone.said.connect(lambda message: self.toasts.show_message(message))
        self.phone.calls_changed.connect(self._show_phone_bar)
        self.phone.dress(self.rail, self.phone_bar)

    def _show_phone(self, view: QWidget, where: str) -> None:
        if self.stack.indexOf(view) < 0:
            self.stack.addWidget(view)
        self._show(view, where)

    def _show_phone_bar(self) -> None:
        self.phone_bar.setVisible(self.phone is not None and self.phone.wants_bar)

    @property
    def controller(self) -> ControllerApi:
        if self._controller is None:
            raise RuntimeError("the window has no controller yet")
        return self._controller

    # ------------------------------------------------------------ settings

    def _apply_settings(self) -> None:
        theme().set_mode(values.text(self._controller, "appearance.theme"))
        motion = values.text(self._controller, "appearance.motion")
        reduced = {"full": False, "none": True}.get(motion)
        theme().set_reduced_motion(reduced)
        wanted = values.text(self._controller, "appearance.language")
        language = i18n.pick_language("" if wanted == "system" else wanted)
        if language != self._language:
            self._language = language
            # Not inside the callback of a control that the change of language replaces.
            QTimer.singleShot(0, self, self._change_language)

    def _change_language(self) -> None:
        app = QApplication.instance()
        if app is not None:
            i18n.install(app, self._language)
        self.rebuild()

    def rebuild(self) -> None:
        """Make the views anew in the present language; a meeting in view stays as it is until it ends."""
        where = self.stack.currentWidget()
        typed = self.home.field.text()
        show_home = where is self.home or where is None
        old_frame, meeting = self._frame, self.meeting
        if meeting is not None:
            meeting.setParent(None)
        for view in (self.prejoin,):
            if view is not None:
                self._tasks.spawn(view.release())
        address, prejoin_open = self._address, where is self.prejoin and where is not None
        self.prejoin = self.failure = self.left = None
        self.focus_ring.deleteLater()
        self.toasts.deleteLater()
        if self.phone is not None:
            self.phone.drop_views()
        old_frame.hide()
        old_frame.deleteLater()
        self._build_frame()
        if self._controller is not None:
            self.home.attach(self._controller)
        if self.phone is not None:
            self.phone.dress(self.rail, self.phone_bar)
        self.home.field.set_text(typed)
        if meeting is not None:
            self.stack.addWidget(meeting)
            self.rail.set_meeting(True)
            if self._call_id is not None:
                self.bar.show_state(self.controller.state(self._call_id))
        if self._settings_window is not None:
            reopen = self._settings_window.isVisible()
            self._settings_window.release()
            self._settings_window.deleteLater()
            self._settings_window = None
            if reopen:
                self.open_settings()
        if prejoin_open and address is not None:
            self._show_prejoin(address)
        elif meeting is not None and not show_home:
            self.go_meeting()
        else:
            self.go_home()

    def _restore_geometry(self) -> None:
        kept = values.text(self._controller, "window.geometry")
        if kept:
            self.restoreGeometry(QByteArray.fromBase64(QByteArray(kept.encode("ascii", "ignore"))))

    def _keep_geometry(self) -> None:
        if self._controller is not None:
            kept = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
            try:
                self._controller.set_setting("window.geometry", kept)
            except ValueError:
                # Longer than a setting may be: not worth a word to the person.
                return

    # ------------------------------------------------------------ where to

    def _show(self, view: QWidget, where: str = "") -> None:
        self.stack.setCurrentWidget(view)
        in_meeting = view is self.meeting and view is not None
        self.rail.setVisible(not in_meeting)
        self.rail.set_where(where)
        self.bar.setVisible(self._call_id is not None and not in_meeting)
        self._place_toasts()
        if self.phone is not None:
            self.phone.left_for(view)
            self._show_phone_bar()
        if view is not self.prejoin and self.prejoin is not None and self._controller is not None:
            self._tasks.spawn(self.prejoin.close_preview())

    def go_home(self) -> None:
        self._show(self.home, "home")
        self.home.refresh()
        self.home.focus_field()

    def go_meeting(self) -> None:
        if self.meeting is not None:
            self._show(self.meeting, "meeting")
            self.meeting.setFocus()

    def open_text(self, text: str) -> None:
        """Open a link, room or name as if it had been typed; what cannot be used stays in the field."""
        self.go_home()
        self.home.field.set_text(text)
        self.home.field.open()

    def open_from_outside(self, text: str) -> None:
        """A later start of the program, or the system, hands over *text*; empty only shows the window."""
        self.show()
        if self.isMinimized():
            self.showNormal()
        self.raise_()
        self.activateWindow()
        text = text.strip()
        if text:
            self.open_text(text)

    def open_address(self, address: Address) -> None:
        """To the pre-join view; asks first when a meeting is running. A number is called at once."""
        if self.phone is not None and self.phone.dials(address.vendor):
            room = bool(address.extra.get("room"))
            account = str(address.extra.get("account_id", ""))
            self.phone.context.dial(address.room or address.text, room=room, account=account)
        elif self._call_id is None:
            self._show_prejoin(address)
        else:
            self._ask_switch(address)

    def _ask_switch(self, address: Address) -> None:
        if self._call_id is None:
            self._show_prejoin(address)
            return
        from ui.dialogs.questions import SwitchDialog

        state = self.controller.state(self._call_id)
        if state.address in (address.text, address.url):
            self.go_meeting()
            return
        dialog = SwitchDialog(state.subject or state.room, address.title or address.room, self)
        dialog.confirmed.connect(lambda: self._switch(address))
        dialog.open()

    def _switch(self, address: Address) -> None:
        call_id, self._call_id = self._call_id, None
        self._drop_meeting()
        if call_id is not None:
            self._tasks.spawn(self.controller.perform(call_id, Leave()))
        self._show_prejoin(address)

    def _show_prejoin(self, address: Address) -> None:
        self._address = address
        view = self._make_prejoin()
        view.open(address)
        self._show(view, "")

    def _make_prejoin(self) -> Any:
        if self.prejoin is None:
            from ui.prejoin.view import PrejoinView

            self.prejoin = PrejoinView(self.controller)
            self.prejoin.joined.connect(self._joined)
            self.prejoin.failed.connect(self._failed)
            self.prejoin.back_requested.connect(self.go_home)
            self.stack.addWidget(self.prejoin)
        return self.prejoin

    # ------------------------------------------------------------ demo

    def start_demo(self) -> None:
        """Start the local demo meeting and open its pre-join view."""
        if self._demo is None:
            return
        self.home.set_demo_busy(True)
        self._tasks.spawn(self._start_demo(self._demo))

    async def _start_demo(self, demo: Callable[[], Coroutine[Any, Any, str]]) -> None:
        try:
            link = await demo()
        finally:
            self.home.set_demo_busy(False)
        recognition = self.controller.recognise(link)
        if recognition.address is not None:
            self.open_address(recognition.address)
        else:
            self.toast(recognition.hint, "error")

    # ------------------------------------------------------------ the call

    def _joined(self, call_id: str) -> None:
        from ui.meeting.view import MeetingView

        self._drop_meeting()
        self._call_id = call_id
        self.meeting = MeetingView(
            self.controller, call_id, panels={"participants": lambda: self._make_participants(call_id)}
        )
        self.meeting.setAccessibleName(self.tr("Meeting"))
        self.stack.addWidget(self.meeting)
        self._connect_meeting()
        self.rail.set_meeting(True)
        self.bar.show_state(self.controller.state(call_id))
        self._set_awake(True)
        self._title(self.controller.state(call_id))
        self.go_meeting()

    def _make_participants(self, call_id: str) -> QWidget:
        from ui.meeting.arrange import TileKey
        from ui.panels.participants import ParticipantsPanel

        meeting = self.meeting
        panel = ParticipantsPanel(self.controller, call_id)
        panel.privateMessageRequested.connect(meeting.write_to)
        panel.pinRequested.connect(lambda person: meeting.stage.toggle_pin(TileKey(person)))
        return panel

    def _connect_meeting(self) -> None:
        meeting = self.meeting
        meeting.shareRequested.connect(self.open_share)
        meeting.settingsRequested.connect(self.open_settings)
        meeting.shortcutsRequested.connect(self.open_shortcuts)
        meeting.leaveRequested.connect(self.leave)
        meeting.homeRequested.connect(self.go_home)

    def _drop_meeting(self) -> None:
        meeting, self.meeting = self.meeting, None
        if meeting is not None:
            self.stack.removeWidget(meeting)
            meeting.release()
            meeting.deleteLater()
        self.rail.set_meeting(False)
        self.bar.hide()
        self._set_awake(False)
        self.setWindowTitle("Parley")

    def leave(self, end_for_all: bool = False) -> None:
        """Leave; asks only when that ends something for others."""
        if self._call_id is None:
            return
        state = self.controller.state(self._call_id)
        from ui.dialogs import questions

        if end_for_all:
            dialog: Any = questions.EndForAllDialog(self)
            dialog.confirmed.connect(lambda: self._perform(EndForAll()))
        elif questions.leaves_without_moderator(state):
            dialog = questions.LastModeratorDialog(state, self)
            dialog.leave_chosen.connect(lambda: self._perform(Leave()))
            dialog.end_chosen.connect(lambda: self._perform(EndForAll()))
        else:
            self._perform(Leave())
            return
        dialog.open()

    def _perform(self, action: Any) -> None:
        if self._call_id is not None:
            self._tasks.spawn(self.controller.perform(self._call_id, action))

    def _call_event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id != self._call_id:
            return
        if state.phase is CallPhase.ENDED:
            self._ended(state)
        elif state.phase is CallPhase.FAILED:
            self._failed(state.call_id)
        else:
            if self.bar.isVisible():
                self.bar.show_state(state)
            self._title(state)
            if state.phase is CallPhase.ASKING and state.asked is not None:
                self._ask(state)

    def _title(self, state: CallState) -> None:
        title = f"{state.subject or state.room} – Parley"
        if self.windowTitle() != title:
            self.setWindowTitle(title)

    def _ask(self, state: CallState) -> None:
        """The server asks again in the middle of a call (for example after a reconnect)."""
        from ui.dialogs.asked import AskedDialog

        if state.asked is None or self.findChild(AskedDialog) is not None:
            return
        name = values.text(self._controller, "profile.display_name")
        dialog = AskedDialog(state.asked, state.failure, name, self)
        dialog.answered.connect(self._perform)
        dialog.open()

    def _ended(self, state: CallState) -> None:
        from ui.home.outcome import LeftView

        self._left_id, self._call_id = state.call_id, None
        self._drop_meeting()
        if self.left is None:
            self.left = LeftView()
            self.left.home_requested.connect(self.go_home)
            self.left.rejoin_requested.connect(self._rejoin)
            self.left.rated.connect(self._rate)
            self.stack.addWidget(self.left)
        self.left.show_state(state, int(time.time() * 1000))
        self._show(self.left)

    def _failed(self, call_id: str) -> None:
        from ui.home.outcome import FailureView

        state = self.controller.state(call_id)
        self._left_id, self._call_id = call_id, None
        self._drop_meeting()
        if self.failure is None:
            self.failure = FailureView()
            self.failure.retry_requested.connect(self._rejoin)
            self.failure.back_requested.connect(self.go_home)
            self.failure.certificate_requested.connect(self._explain_certificate)
            self.stack.addWidget(self.failure)
        failure = state.failure or Failure("unknown", self.tr("The meeting could not be joined. Try again."))
        self.home.field.set_text(state.address)
        self.failure.show_failure(failure, state.address, state.subject or state.room)
        self._show(self.failure)

    def _rejoin(self) -> None:
        if self._left_id is None:
            return
        state = self.controller.state(self._left_id)
        address = self._address or self.controller.recognise(state.address).address
        self._tasks.spawn(self.controller.retry(self._left_id), then=lambda call_id: self._adopt(call_id, address))

    def _adopt(self, call_id: str, address: Address | None) -> None:
        view = self._make_prejoin()
        self._show(view)
        view.adopt(call_id, address)

    def _rate(self, stars: int) -> None:
        if self._left_id is not None:
            self._tasks.spawn(self.controller.perform(self._left_id, SendFeedback(stars)))

    def _set_awake(self, awake: bool) -> None:
        if awake and values.switch(self._controller, "general.keep_awake"):
            from ui.awake import KeepAwake

            self._awake = self._awake or KeepAwake(self.tr("Video meeting"))
            self._awake.set(True)
        elif self._awake is not None:
            self._awake.set(False)

    # ------------------------------------------------------------ dialogs

    def open_share(self) -> None:
        if self._call_id is not None:
            self.open_share_for(self._call_id)

    def open_share_for(self, call_id: str) -> None:
        from ui.dialogs.share import ShareDialog

        dialog = ShareDialog(self.controller, call_id, self)
        dialog.chosen.connect(lambda action: self._tasks.spawn(self.controller.perform(call_id, action)))
        dialog.start()

    def open_settings(self, section: str = "") -> None:
        if self._controller is None:
            return
        if self._settings_window is None:
            from ui.settings.window import SettingsWindow

            self._settings_window = SettingsWindow(self._controller, self)
        if isinstance(section, str) and section:
            self._settings_window.show_section(section)
        self._settings_window.present()

    def open_shortcuts(self) -> None:
        from ui.dialogs.shortcuts import ShortcutsDialog

        ShortcutsDialog(self).open()

    def open_help(self) -> None:
        from ui.dialogs.about import AboutDialog

        dialog = AboutDialog(self)
        dialog.shortcuts_requested.connect(self.open_shortcuts)
        dialog.open()

    def _explain_certificate(self) -> None:
        from ui.dialogs.certificate import CertificateDialog

        if self._left_id is None:
            return
        state = self.controller.state(self._left_id)
        dialog = CertificateDialog(state.address, state.failure, self.controller, self)
        dialog.trusted.connect(self._rejoin)
        dialog.open()

    # ------------------------------------------------------------ words

    def toast(self, text: str, level: str = "info") -> None:
        self.toasts.show_message(ToastMessage(i18n.sentence(text), level))

    def _refused(self, failure: Failure) -> None:
        self.toast(failure.message, "error")

    def _place_toasts(self) -> None:
        x = Space.L + (self.rail.width() if self.rail.isVisible() else 0)
        if self.isRightToLeft():
            x = self.width() - x - self.toasts.width()
        y = self.height() - self.toasts.height() - Space.L
        if self._meeting_shown():
            # At the bottom they would lie on the toolbar and on the meeting's own toasts.
            y = Size.TOP_BAR + Space.S
        self.toasts.move(x, y)
        self.toasts.raise_()

    def _meeting_shown(self) -> bool:
        return self.meeting is not None and self.stack.currentWidget() is self.meeting

    # ------------------------------------------------------------ events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._frame.setGeometry(self.rect())
        self._place_toasts()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.painted.is_set():
            QTimer.singleShot(0, self, self.painted.set)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._keep_geometry()
        if self._settings_window is not None:
            self._settings_window.close()
        event.accept()
        self.closed.emit()

    async def shutdown(self) -> None:
        """Stop listening and running; the controller leaves the calls."""
        for stop in self._unsubscribe:
            stop()
        self._unsubscribe = []
        self._set_awake(False)
        if self._settings_window is not None:
            self._settings_window.release()
        if self.prejoin is not None:
            await self.prejoin.release()
        self._drop_meeting()
        if self.phone is not None:
            await self.phone.close()
        await self._tasks.close()
