"""The phone calls of the window: cards, the call in the foreground, and the panel beside it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from app.calls.model import CallState, SourceContent
from app.calls.selectors import remote_participants, source_of
from ui import forms
from ui.meeting.keypad import KeypadPanel
from ui.meeting.keys import takes_text
from ui.phone.acts import PhoneActs
from ui.phone.call_page import DIGITS, AudioPage, PhoneBar, PhoneStage
from ui.phone.cards import CallCards
from ui.phone.context import PhoneContext
from ui.phone.hub import PhoneHub
from ui.phone.transfer import AddPanel, TransferPanel
from ui.theme import Size
from ui.widgets.buttons import IconButton
from ui.widgets.panel import SidePanel
from ui.widgets.text import Line


def needs_stage(state: CallState) -> bool:
    """Whether there is something to see: video or a screen, or a room of several people."""
    phone = state.phone
    if phone is not None and phone.video:
        return True
    if state.local.sharing_screen or len(remote_participants(state)) > 1:
        return True
    others = remote_participants(state)
    screen = [source_of(state, one.id, SourceContent.SCREEN) for one in others]
    return any(source is not None and not source.muted for source in screen)


class PhoneCallView(QWidget):
    """Signals: home_requested(): to the other pages while calls go on. share_requested(str call id).
    settings_requested(str). shortcuts_requested(). left(): no call is left.
    """

    home_requested = Signal()
    share_requested = Signal(str)
    settings_requested = Signal(str)
    shortcuts_requested = Signal()
    left = Signal()

    def __init__(self, context: PhoneContext, hub: PhoneHub, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.hub = context, hub
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("noFocusRing", True)
        self.setAccessibleName(self.tr("Phone calls"))
        self.acts = PhoneActs(context, hub, self.open_panel, self)
        self.cards = CallCards(hub)
        self.cards.merge_requested.connect(self.acts.merge)
        self.audio = AudioPage(hub, self.acts)
        self.bar = PhoneBar(hub, self.acts)
        self.bar.hide()
        self.stages: dict[str, PhoneStage] = {}
        self.middle = QStackedWidget()
        self.middle.addWidget(self.audio)
        self.panels: dict[str, Any] = {}
        self.open_name = ""
        self.back = IconButton("home", self.tr("Show the rest of Parley; the call goes on"), self)
        self.back.clicked.connect(self.home_requested)
        self.back.hide()
        self._side = QStackedWidget(self)
        self._side.hide()
        centre = QVBoxLayout()
        centre.setSpacing(0)
        centre.addWidget(self.bar)
        centre.addWidget(self.middle, 1)
        self._edge = Line(vertical=True)
        self._edge.hide()
        whole = forms.row(self.cards, centre, self._edge, self._side, spacing=0, parent=self)
        whole.setStretch(1, 1)
        self._whole = whole
        hub.changed.connect(self.refresh)
        hub.ended.connect(self._ended)
        self.refresh()

    # ------------------------------------------------------------ state

    def refresh(self) -> None:
        state = self.hub.current()
        self.cards.refresh()
        if state is None:
            return
        stage = needs_stage(state)
        self.bar.setVisible(stage)
        if stage:
            self.bar.show_state(state)
            self.middle.setCurrentWidget(self._stage(state.call_id))
        else:
            self.audio.show_state(state)
            self.middle.setCurrentWidget(self.audio)
        panel = self.panels.get(self.open_name)
        if isinstance(panel, TransferPanel):
            transferring = next((one for one in self.hub.shown_calls() if one.call_id == panel.call_id), None)
            if transferring is None:
                self.close_panel()
            else:
                panel.show_state(transferring)

    def _stage(self, call_id: str) -> PhoneStage:
        if call_id not in self.stages:
            stage = PhoneStage(self.context.controller, call_id)
            stage.digit = self.acts.tone
            stage.leaveRequested.connect(lambda _all: self.acts.run("hang_up"))
            stage.shareRequested.connect(lambda: self.share_requested.emit(call_id))
            stage.settingsRequested.connect(self.settings_requested)
            stage.shortcutsRequested.connect(self.shortcuts_requested)
            stage.homeRequested.connect(self.home_requested)
            self.stages[call_id] = stage
            self.middle.addWidget(stage)
        return self.stages[call_id]

    def _drop_stage(self, call_id: str) -> None:
        stage = self.stages.pop(call_id, None)
        if stage is not None:
            self.middle.removeWidget(stage)
            stage.release()
            stage.deleteLater()

    def _ended(self, state: CallState) -> None:
        self._drop_stage(state.call_id)
        if not self.hub.shown_calls():
            self.close_panel()
            self.left.emit()
        self.refresh()

    # ------------------------------------------------------------ panels

    def open_panel(self, name: str) -> None:
        """Open ``transfer``, ``add`` or ``keypad``; the one that is open already closes."""
        state = self.hub.current()
        if name == self.open_name or state is None:
            self.close_panel()
            return
        panel = self.panels.get(name) or self._make_panel(name)
        self.open_name = name
        self._side.setCurrentWidget(panel)
        self._side.setFixedWidth(Size.SIDE_PANEL)
        self._side.show()
        self._lay_side()
        if isinstance(panel, (TransferPanel, AddPanel)):
            panel.open_for(state.call_id)
        else:
            panel.setFocus()

    def _make_panel(self, name: str) -> SidePanel:
        panel: SidePanel
        if name == "transfer":
            panel = TransferPanel(self.context, self.hub)
        elif name == "add":
            panel = AddPanel(self.context, self.hub)
            panel.merge_requested.connect(self._merge_current)
        else:
            panel = KeypadPanel()
            panel.toneRequested.connect(self.acts.tone)
        panel.closeRequested.connect(self.close_panel)
        self.panels[name] = panel
        self._side.addWidget(panel)
        return panel

    def _merge_current(self, other: str) -> None:
        state = self.hub.current()
        if state is not None:
            self.acts.merge(state.call_id, other)

    def close_panel(self) -> None:
        self.open_name = ""
        self._side.hide()
        self._edge.hide()
        self.setFocus()

    def _lay_side(self) -> None:
        """Beside the call, or over it in narrow windows."""
        if not self.open_name:
            return
        narrow = self.width() < Size.OVERLAY_PANELS_BELOW
        if narrow and self._whole.indexOf(self._side) >= 0:
            self._whole.removeWidget(self._side)
        elif not narrow and self._whole.indexOf(self._side) < 0:
            self._whole.addWidget(self._side)
        self._edge.setVisible(not narrow)
        if narrow:
            x = 0 if self.isRightToLeft() else self.width() - Size.SIDE_PANEL
            self._side.setGeometry(x, 0, Size.SIDE_PANEL, self.height())
            self._side.raise_()

    # ------------------------------------------------------------ events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        tone = event.text()
        if tone and tone in DIGITS and not takes_text(QApplication.focusWidget()):
            self.type_digit(tone)
            return
        if event.key() == Qt.Key.Key_Escape and self.open_name:
            self.close_panel()
            return
        super().keyPressEvent(event)

    def type_digit(self, tone: str) -> None:
        """A digit on the keyboard: a tone, shown on the keypad when that is open."""
        keypad = self.panels.get("keypad")
        if self.open_name == "keypad" and isinstance(keypad, KeypadPanel):
            keypad._press(tone)
        else:
            self.acts.tone(tone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_side()

    def release(self) -> None:
        for call_id in tuple(self.stages):
            self._drop_stage(call_id)
