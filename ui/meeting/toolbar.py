"""The floating bar of a call: what one does all the time, then more, then Leave."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.calls import actions as act
from app.calls import selectors
from app.calls.model import CallState, Capability
from ui.meeting.arrange import Layout
from ui.meeting.shortcuts import hint
from ui.theme import DARK, Size, Space, colour
from ui.widgets.buttons import CallButton, LabelButton

ORDER = ("microphone", "camera", "share", "chat", "participants", "hand", "reactions", "layout", "more")
DROP_ORDER = ("layout", "reactions", "participants", "hand", "share", "chat")
"""What goes into the menu first when the window gets narrow. Microphone, camera, more and Leave never do."""


class Toolbar(QWidget):
    """Shows the state of one call; every click is a signal.

    Signals:
        activated: id of the button (see :data:`ORDER`) or ``leave``.
        menuRequested: id of the button whose menu should open: ``microphone``, ``camera``, ``reactions``, ``more``
            or ``leave``.
    """

    activated = Signal(str)
    menuRequested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Call controls"))
        self._hidden_by_width: tuple[str, ...] = ()
        self._absent: frozenset[str] = frozenset()
        self._room = Size.WINDOW_MIN_WIDTH
        row = QHBoxLayout(self)
        row.setContentsMargins(Space.S, Space.S, Space.S, Space.S)
        row.setSpacing(Space.S)
        self.buttons: dict[str, CallButton] = {
            "microphone": CallButton("microphone", "", self, caret_text=self.tr("Microphone and speaker")),
            "camera": CallButton("video", "", self, caret_text=self.tr("Camera")),
            "share": CallButton("screen-share", "", self),
            "chat": CallButton("message", "", self),
            "participants": CallButton("users", "", self),
            "hand": CallButton("hand-stop", "", self),
            "reactions": CallButton("mood-smile", "", self),
            "layout": CallButton("layout-grid", "", self),
            "more": CallButton("dots", "", self),
        }
        for name in ORDER:
            button = self.buttons[name]
            row.addWidget(button)
            if name in ("reactions", "more"):
                button.clicked.connect(lambda _=False, n=name: self.menuRequested.emit(n))
            else:
                button.clicked.connect(lambda _=False, n=name: self.activated.emit(n))
            button.caretClicked.connect(lambda n=name: self.menuRequested.emit(n))
        for name in ("share", "chat", "participants", "hand"):
            self.buttons[name].setCheckable(True)
            # The state of the call decides what is checked, not the click.
            self.buttons[name].clicked.connect(lambda checked, n=name: self.buttons[n].setChecked(not checked))
        self.leave = LeaveButton(self)
        self.leave.clicked.connect(lambda: self.activated.emit("leave"))
        self.leave.caretClicked.connect(lambda: self.menuRequested.emit("leave"))
        row.addSpacing(Space.S)
        row.addWidget(self.leave)
        self.buttons["more"].set_text(self.tr("More actions"))
        self.buttons["reactions"].set_text(self.tr("Send a reaction"))

    # -- width

    @property
    def overflow(self) -> tuple[str, ...]:
        """Buttons that are in the menu for want of width, in the order of the bar."""
        return tuple(name for name in ORDER if name in self._hidden_by_width)

    def fit(self, width: int) -> None:
        """Show what fits into *width* px; the rest goes into the menu."""
        self._room = width
        present = [name for name in ORDER if name not in self._absent]
        dropped: list[str] = []
        for compact in (False, True):
            self.leave.set_compact(compact)
            dropped = []
            for name in (*DROP_ORDER, ""):
                shown = [one for one in present if one not in dropped]
                if self._width_of(shown) <= width:
                    break
                if name in present:
                    dropped.append(name)
            if len(dropped) <= 2 or compact:
                break
        self._hidden_by_width = tuple(dropped)
        for name, button in self.buttons.items():
            button.setVisible(name in present and name not in dropped)
        self.resize(self._width_of([one for one in present if one not in dropped]), self.sizeHint().height())

    def _width_of(self, names: list[str]) -> int:
        buttons = sum(self.buttons[name].width() + Space.S for name in names)
        return buttons + Space.S + self.leave.sizeHint().width() + 2 * Space.S

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), Size.CALL_BUTTON + 2 * Space.S)

    # -- state

    def set_state(self, state: CallState, layout: Layout, open_panel: str) -> None:
        """Show what holds. *open_panel* is ``chat``, ``participants`` or anything else."""
        self._set_microphone(state)
        self._set_camera(state)
        self._set_share(state)
        self._set_panels(state, open_panel)
        self._set_hand(state)
        gallery = layout is Layout.GALLERY
        button = self.buttons["layout"]
        button.set_icon("layout-sidebar-right" if gallery else "layout-grid")
        button.set_text(self.tr("Speaker view") if gallery else self.tr("Gallery view"), hint("layout"))
        button.set_state(self.tr("Gallery is shown") if gallery else self.tr("Speaker is shown"))
        self._allow("reactions", selectors.capability(state, act.SendReaction))
        absent = frozenset(
            name
            for name, kind in (
                ("share", act.ShareScreen),
                ("chat", act.SendMessage),
                ("hand", act.RaiseHand),
                ("reactions", act.SendReaction),
            )
            if not selectors.capability(state, kind).present
        )
        if absent != self._absent:
            self._absent = absent
            self.fit(self._room)
        self.leave.set_menu(selectors.capability(state, act.EndForAll).present)

    def _allow(self, name: str, capability: Capability) -> None:
        self.buttons[name].set_enabled(capability.allowed, capability.reason)

    def _set_microphone(self, state: CallState) -> None:
        button, local = self.buttons["microphone"], state.local
        muted = local.microphone_muted
        button.set_icon("microphone-off" if muted else "microphone")
        button.set_off(muted)
        button.set_text(self.tr("Unmute microphone") if muted else self.tr("Mute microphone"), hint("microphone"))
        words = self.tr("Microphone is off") if muted else self.tr("Microphone is on")
        if muted and local.microphone_muted_by:
            words = self.tr("Muted by a moderator")
        if not local.microphone_available:
            words = self.tr("No microphone found")
        self._allow("microphone", selectors.capability(state, act.SetMicrophone))
        if button.isEnabled():
            button.set_state(words)

    def _set_camera(self, state: CallState) -> None:
        button, local = self.buttons["camera"], state.local
        muted = local.camera_muted
        button.set_icon("video-off" if muted else "video")
        button.set_off(muted)
        button.set_text(self.tr("Start camera") if muted else self.tr("Stop camera"), hint("camera"))
        words = self.tr("Camera is off") if muted else self.tr("Camera is on")
        if not local.camera_available:
            words = self.tr("No camera found")
        self._allow("camera", selectors.capability(state, act.SetCamera))
        if button.isEnabled():
            button.set_state(words)

    def _set_share(self, state: CallState) -> None:
        button, sharing = self.buttons["share"], state.local.sharing_screen
        button.set_icon("screen-share-off" if sharing else "screen-share")
        button.setChecked(sharing)
        button.set_text(self.tr("Stop sharing") if sharing else self.tr("Share screen"), hint("share"))
        self._allow("share", selectors.capability(state, act.ShareScreen))
        if button.isEnabled():
            button.set_state(self.tr("You share your screen") if sharing else self.tr("Nothing is shared"))

    def _set_panels(self, state: CallState, open_panel: str) -> None:
        chat, people = self.buttons["chat"], self.buttons["participants"]
        chat.setChecked(open_panel == "chat")
        chat.set_count(0 if open_panel == "chat" else state.unread_messages)
        chat.set_text(self.tr("Close chat") if open_panel == "chat" else self.tr("Open chat"), hint("chat"))
        unread = state.unread_messages
        chat.set_state(self.tr("%n unread message(s)", "", unread) if unread else self.tr("No unread messages"))
        count = len(selectors.visible_participants(state))
        people.setChecked(open_panel == "participants")
        people.set_count(count)
        opened = open_panel == "participants"
        words = self.tr("Close participants") if opened else self.tr("Open participants")
        people.set_text(words, hint("participants"))
        people.set_state(self.tr("%n participant(s)", "", count))

    def _set_hand(self, state: CallState) -> None:
        button = self.buttons["hand"]
        me = selectors.local_participant(state)
        raised = me is not None and me.raised_hand_at is not None
        button.set_icon("hand-off" if raised else "hand-stop")
        button.setChecked(raised)
        button.set_text(self.tr("Lower hand") if raised else self.tr("Raise hand"), hint("hand"))
        self._allow("hand", selectors.capability(state, act.RaiseHand))
        if button.isEnabled():
            button.set_state(self.tr("Your hand is raised") if raised else self.tr("Your hand is down"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(DARK.line), Size.LINE))
        painter.setBrush(colour(DARK.raised))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.end()


class LeaveButton(LabelButton):
    """Red, with words while there is room, and a menu when the meeting can be ended for all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("phone-off", "", parent, danger=True, height=Size.CALL_BUTTON, caret_text="…")
        self.set_label("phone-off", self.tr("&Leave"))
        self.caret.setAccessibleName(self.tr("More ways to leave"))
        self.caret.setToolTip(self.tr("More ways to leave"))
        self.setAccessibleDescription(self.tr("Leave the meeting"))
        self.setToolTip(f"{self.tr('Leave the meeting')} ({hint('leave')})")

    def set_menu(self, present: bool) -> None:
        self.show_caret(present)
