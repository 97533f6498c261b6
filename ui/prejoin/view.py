"""Before the meeting: see and hear oneself, choose devices and a name, then join."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.calls.actions import Action, Leave
from app.calls.events import CallEvent, InputAsked
from app.calls.model import Asked, CallPhase, CallState, Failure, SourceContent
from app.controller.api import ControllerApi, JoinOptions
from app.media.api import (
    DevicesChanged,
    EngineEvent,
    InputFailed,
    InputLimited,
    InputSlow,
    InputStarted,
    LocalAudioLevel,
)
from app.vendors.base import Address
from ui import forms
from ui.prejoin import device_words
from ui.prejoin.devices import DevicePicker
from ui.prejoin.join_area import JoinArea
from ui.prejoin.offers import DeviceOffer
from ui.prejoin.preview import SelfView
from ui.prejoin.problem import DeviceProblem
from ui.settings import values
from ui.tasks import Tasks
from ui.theme import Space
from ui.widgets.fields import TextField
from ui.widgets.marks import LevelMeter
from ui.widgets.text import plain

ONE_COLUMN_BELOW = 600
RIGHT_WIDTH = 360
CONTENT_WIDTH = 1040
MAX_NAME = 100
LEVEL_INTERVAL_S = 0.05
"""The meter is not repainted more often than this."""


class PrejoinView(QWidget):
    """One address at a time, given with :meth:`open`.

    Signals:
        joined(str call_id): the conference is joined.
        failed(str call_id): joining ended for good; the state has the failure.
        back_requested(): the person wants home.
    """

    joined = Signal(str)
    failed = Signal(str)
    back_requested = Signal()

    def __init__(self, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._address: Address | None = None
        self.call_id: str | None = None
        self.microphone_muted = False
        self.camera_off = False
        self._silent = self._audio_only = False
        self._level_at = 0.0
        self._camera_failed = self._camera_slow = False
        self._running_inputs: set[str] = set()
        """Inputs that run; without a device that is a stand-in."""
        self._tasks = Tasks(self._refused)
        self.setProperty("look", "canvas")
        self._make_widgets()
        self._lay_out()
        self._stop = controller.subscribe(self._call_event)
        self._stop_engine = controller.subscribe_engine(self._engine_event)

    # ------------------------------------------------------------ building

    def _make_widgets(self) -> None:
        # Back points to where one came from: the other way in scripts that run right to left.
        self.back = forms.icon_button(
            "chevron-right" if self.isRightToLeft() else "chevron-left", self.tr("Back"), self._go_back
        )
        self.title = forms.ElidedLabel("", strong=True, size=20)
        self.server = forms.ElidedLabel("", muted=True)
        self.self_view = SelfView()
        self.self_view.microphone_toggled.connect(self.set_microphone)
        self.self_view.camera_toggled.connect(self.set_camera)
        self.meter = LevelMeter(self.tr("Microphone level"))
        self.meter_hint = forms.label("", "caption")
        self.name = TextField(self.tr("Your name"), self.tr("Your name"))
        self.name.setMaxLength(MAX_NAME)
        self.name.returnPressed.connect(self._enter)
        self.name.textChanged.connect(lambda _t: self._show_media())
        self.microphone = DevicePicker("audioinput", self._controller)
        self.speaker = DevicePicker("audiooutput", self._controller)
        self.camera = DevicePicker("videoinput", self._controller)
        self.test_sound = forms.icon_button("volume", self.tr("Play test sound"), self._play)
        self.speaker.extra.addWidget(self.test_sound)
        for picker in (self.microphone, self.camera):
            picker.looked.connect(self._open_devices)
        self.problem = DeviceProblem(self._controller)
        self.problem.again.connect(self._open_devices)
        self.device_problem, self.try_again = self.problem.text, self.problem.try_again
        self.offer = DeviceOffer(self._controller)
        self.area = JoinArea()
        self.area.join_requested.connect(self.join)
        self.area.cancel_requested.connect(self.cancel)
        self.area.answered.connect(self._answer)

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(Space.M)
        left.addWidget(self.self_view)
        left.addLayout(forms.row(forms.icon_label("microphone", size=16), self.meter, spacing=Space.S))
        left.addWidget(self.meter_hint)
        left.addWidget(self.problem)
        left.addWidget(self.offer)
        left.addStretch(1)
        name_caption = forms.label(self.tr("Your name"), "caption")
        name_caption.setBuddy(self.name)
        right = QVBoxLayout()
        right.setSpacing(Space.M)
        name_box = forms.column(spacing=Space.XS)
        name_box.addWidget(name_caption)
        name_box.addWidget(self.name)
        right.addLayout(name_box)
        for picker in (self.microphone, self.speaker, self.camera):
            right.addWidget(picker)
        right.addSpacing(Space.S)
        right.addWidget(self.area)
        right.addStretch(1)
        self._right = QWidget()
        self._right.setLayout(right)
        self._left = QWidget()
        self._left.setLayout(left)
        right.setContentsMargins(0, 0, 0, 0)
        left.setContentsMargins(0, 0, 0, 0)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(Space.XL)
        self._columns.addWidget(self._left, 1)
        self._columns.addWidget(self._right)
        titles = forms.column(spacing=0)
        titles.addWidget(self.title)
        titles.addWidget(self.server)
        head = QHBoxLayout()
        head.setSpacing(Space.S)
        head.addWidget(self.back)
        head.addLayout(titles, 1)
        content = QWidget()
        content.setMaximumWidth(CONTENT_WIDTH)
        whole = QVBoxLayout(content)
        whole.setContentsMargins(Space.XL, Space.L, Space.XL, Space.L)
        whole.setSpacing(Space.L)
        self._whole = whole
        whole.addLayout(head)
        whole.addLayout(self._columns)
        whole.addStretch(1)
        page = QWidget()
        centred = QHBoxLayout(page)
        centred.setContentsMargins(0, 0, 0, 0)
        centred.addStretch(1)
        centred.addWidget(content, 1000)
        centred.addStretch(1)
        for widget in (page, content):
            widget.setProperty("look", "canvas")
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._scroll)

        self._set_tab_order()

    def _set_tab_order(self) -> None:
        area = self.area
        order: list[QWidget] = [self.back, self.self_view.microphone, self.self_view.camera, self.try_again]
        order += [self.problem.smaller, self.problem.fold, self.offer.accept, self.offer.dismiss, self.name]
        order += [self.microphone.box, self.microphone.again, self.speaker.box, self.test_sound, self.speaker.again]
        order += [self.camera.box, self.camera.again, area.asked.user, area.asked.password, area.asked.name]
        order += [area.join, area.cancel, area.more]
        for before, after in zip(order, order[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < ONE_COLUMN_BELOW
        self._columns.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)
        right = min(RIGHT_WIDTH, max(280, self.width() // 2 - 2 * Space.XL))
        self._right.setMinimumWidth(0 if narrow else right)
        self._right.setMaximumWidth(16777215 if narrow else right)
        tall = self.height() > 640
        self._whole.setContentsMargins(Space.XL, min(96, self.height() // 9) if tall else Space.L, Space.XL, Space.L)

    # ------------------------------------------------------------ use

    def open(self, address: Address) -> None:
        """Get ready for *address*: choices start from the settings, what was typed for another meeting is gone."""
        self._address = address
        self.call_id = None
        self.area.reset()
        self.area.show_problem("")
        self.title.set_text(address.title or address.room)
        self.server.set_text(address.server)
        self.name.setText(values.text(self._controller, "profile.display_name"))
        self.microphone_muted = values.switch(self._controller, "join.microphone_muted")
        self.camera_off = values.switch(self._controller, "join.camera_muted")
        self.problem.clear()
        self._show_media()
        if self.isVisible():
            self._open_devices()
        self.focus_first()

    def focus_first(self) -> None:
        """The name while it is empty, else the Join button, so that Enter joins."""
        (self.area.join if self.name.text().strip() else self.name).setFocus()

    def adopt(self, call_id: str, address: Address | None = None) -> None:
        """Show the progress of a join that was started elsewhere (Retry, Rejoin)."""
        if address is not None:
            self.open(address)
        self.call_id = call_id
        self.area.set_busy(True)
        self._follow(self._controller.state(call_id), None)

    def set_microphone(self, muted: bool) -> None:
        self.microphone_muted = muted
        self._show_media()

    def set_camera(self, off: bool) -> None:
        self.camera_off = off
        self._show_media()
        self._open_devices()

    def _show_media(self) -> None:
        view = self.self_view
        view.set_microphone(self.microphone_muted)
        view.set_camera(self.camera_off)
        view.surface.set_mirrored(values.switch(self._controller, "view.mirror_self"))
        has_camera = bool(self.camera.devices()) or "camera" in self._running_inputs
        slot = self._controller.preview(SourceContent.CAMERA) if has_camera and not self.camera_off else None
        view.surface.set_slot(slot)
        if not has_camera:
            message = device_words.missing_sentence("videoinput")
        elif self.camera_off:
            message = self.tr("Your camera is off")
        elif self._camera_failed:
            message = self.tr("The camera does not work")
        elif self._camera_slow:
            message = device_words.slow_sentence("camera")
        else:
            message = self.tr("The camera is starting…")
        view.surface.set_person(plain(self.name.text()) or "?", message)
        view.camera.set_enabled(has_camera, device_words.missing_sentence("videoinput"))
        has_microphone = bool(self.microphone.devices()) or "microphone" in self._running_inputs
        view.microphone.set_enabled(has_microphone, device_words.missing_sentence("audioinput"))
        self.meter.setEnabled(has_microphone)
        self.meter_hint.setText(
            ""
            if not has_microphone
            else self.tr("You will join with the microphone off.")
            if self.microphone_muted
            else self.tr("Say something: the bar moves when your microphone works.")
        )

    # ------------------------------------------------------------ devices

    def _open_devices(self) -> None:
        self.problem.clear()
        self._camera_failed = self._camera_slow = False
        self._show_media()
        # Asked for even without a device: something may stand in, and the answer says so.
        self._tasks.spawn(self._controller.open_preview(camera=not self.camera_off, microphone=True))

    def reopen_devices(self) -> None:
        """Somebody else used the preview meanwhile (the settings window): take it again."""
        if self.isVisible() and self.call_id is None:
            self._show_media()
            self._open_devices()

    def _picker(self, what: str) -> DevicePicker | None:
        return {"camera": self.camera, "microphone": self.microphone, "speaker": self.speaker}.get(what)

    def _play(self) -> None:
        self._tasks.spawn(self._controller.play_test_sound())

    def _engine_event(self, event: EngineEvent) -> None:
        if isinstance(event, LocalAudioLevel):
            now = time.monotonic()
            if self.isVisible() and now - self._level_at >= LEVEL_INTERVAL_S:
                self._level_at = now
                self.meter.set_level(event.level)
        elif isinstance(event, InputFailed):
            self._running_inputs.discard(event.what)
            picker = self._picker(event.what)
            if picker is not None and not picker.devices():
                # The picker says already that there is none.
                self._show_media()
                return
            self.problem.show_failure(event)
            if event.what == "camera":
                self._camera_failed = True
                self._show_media()
        elif isinstance(event, InputLimited):
            self.problem.show_limit(event)
        elif isinstance(event, InputSlow):
            self._camera_slow = event.what == "camera"
            self._show_media()
        elif isinstance(event, InputStarted):
            self.problem.clear()
            self._camera_slow = self._camera_slow and event.what != "camera"
            self._running_inputs.add(event.what)
            picker = self._picker(event.what)
            if picker is not None:
                picker.set_stand_in(not picker.devices())
            self._camera_failed = self._camera_failed and event.what != "camera"
            self._show_media()
        elif isinstance(event, DevicesChanged):
            self._show_media()
            if self.isVisible() and self.call_id is None:
                self._open_devices()

    # ------------------------------------------------------------ joining

    def join(self, start_silent: bool = False, audio_only: bool = False) -> None:
        if self._address is None or self.area.busy:
            return
        name = plain(self.name.text(), MAX_NAME)
        self._keep_name(name)
        self._silent, self._audio_only = start_silent, audio_only
        options = JoinOptions(
            display_name=name,
            microphone_muted=self.microphone_muted,
            camera_muted=self.camera_off or audio_only,
            start_silent=start_silent or values.switch(self._controller, "join.start_silent"),
            audio_only=audio_only or values.switch(self._controller, "join.audio_only"),
        )
        self.area.set_busy(True)
        self._tasks.spawn(self._controller.join(self._address, options), then=self._started)

    def _keep_name(self, name: str) -> None:
        try:
            self._controller.set_setting("profile.display_name", name)
        except ValueError as error:
            self.area.show_problem(str(error))

    def _started(self, call_id: str) -> None:
        self.call_id = call_id
        self._follow(self._controller.state(call_id), None)

    def cancel(self) -> None:
        """Stop joining and stay here; the call that was begun is left."""
        call_id, self.call_id = self.call_id, None
        self.area.reset()
        self.focus_first()
        if call_id is not None and call_id in self._controller.calls():
            self._tasks.spawn(self._controller.perform(call_id, Leave("cancelled")))

    def _answer(self, action: Action) -> None:
        if self.call_id is not None:
            self._tasks.spawn(self._controller.perform(self.call_id, action))

    def _refused(self, failure: Failure) -> None:
        what = self.area.asked.what
        if what is not None:
            self.area.ask(what, failure, self.name.text())
        else:
            self.area.reset()
            self.area.show_problem(failure.message)

    def _call_event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id == self.call_id:
            self._follow(state, event)

    def _follow(self, state: CallState, event: CallEvent | None) -> None:
        if state.phase in (CallPhase.JOINED, CallPhase.RECONNECTING):
            self._over()
            self.joined.emit(state.call_id)
        elif state.phase is CallPhase.FAILED:
            self._over()
            self.failed.emit(state.call_id)
        elif state.phase is CallPhase.ENDED:
            self.call_id = None
            self.area.reset()
            self.area.show_problem(state.failure.message if state.failure else "")
        elif state.phase is CallPhase.ASKING and state.asked is not None:
            if isinstance(event, InputAsked) or self.area.asked.what is not state.asked:
                failure = event.failure if isinstance(event, InputAsked) else state.failure
                self.area.ask(Asked(state.asked), failure, self.name.text())
                QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self.area))
        elif state.phase is CallPhase.CONNECTING:
            self.area.set_busy(True)

    def _over(self) -> None:
        self.call_id = None
        self.area.reset()

    def _enter(self) -> None:
        self.area.press()

    def _go_back(self) -> None:
        self.cancel()
        self.back_requested.emit()

    # ------------------------------------------------------------ events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            # Fields answer to Enter themselves and then pass the key on.
            if not isinstance(self.focusWidget(), QLineEdit):
                self.area.press()
        elif event.key() == Qt.Key.Key_Escape:
            if self.area.busy or self.area.asked.what is not None:
                self.cancel()
            else:
                self._go_back()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._address is not None:
            self._open_devices()
            self.focus_first()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self.self_view.surface.set_slot(None)

    async def close_preview(self) -> None:
        """Give the devices back; the controller keeps them open itself while a call uses them."""
        await self._controller.close_preview()

    async def release(self) -> None:
        """Stop listening and running; call before the view is deleted."""
        self._stop()
        self._stop_engine()
        for picker in (self.microphone, self.speaker, self.camera):
            picker.release()
        self.offer.release()
        self.self_view.surface.set_slot(None)
        await self._tasks.close()
