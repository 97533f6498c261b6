"""The window of an incoming call: top right of the screen, above everything, without taking the keyboard.

Enter and Escape work only after the person has clicked into it.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.calls.accounts import AccountState, Service
from app.calls.model import CallState
from app.calls.phone import Answer, Decline, IgnoreCall, TransferTo
from app.calls.selectors import capability
from ui import forms
from ui.phone.context import PhoneContext
from ui.phone.words import account_name, peer, peer_number
from ui.theme import Radius, Size, Space, colour, follow, theme
from ui.widgets.buttons import open_menu_at
from ui.widgets.marks import Avatar
from ui.widgets.menus import Menu
from ui.widgets.text import plain
from ui.widgets.toast import announce


class IncomingWindow(QWidget):
    """``IncomingWindow(context, state)``; :meth:`place` puts it at its place in the stack (0 is the top)."""

    finished = Signal(str)

    def __init__(self, context: PhoneContext, state: CallState, parent: QWidget | None = None) -> None:
        super().__init__(
            parent,
            Qt.WindowType.Tool
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint
            | Qt.WindowType.WindowDoesNotAcceptFocus,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setFixedSize(Size.INCOMING_WIDTH, Size.INCOMING_HEIGHT)
        self.setWindowTitle(self.tr("Incoming call"))
        self.context = context
        self.call_id = state.call_id
        self.clicked = False
        self._state = state
        self.avatar = Avatar("", 44)
        self.name = forms.ElidedLabel("", strong=True, size=15)
        self.number = forms.ElidedLabel("", muted=True)
        self.account = forms.ElidedLabel("", muted=True, size=12)
        self._make_buttons()
        self._lay_out()
        self.show_state(state)
        follow(self)

    def _make_buttons(self) -> None:
        self.decline = forms.push_button(self.tr("Decline"), self.do_decline, kind="danger", icon="phone-off")
        self.answer = forms.push_button(self.tr("Answer"), self.do_answer, kind="primary", icon="phone")
        self.answer_video = forms.push_button(
            self.tr("Video"), lambda: self.do_answer(video=True), kind="primary", icon="video"
        )
        self.answer_video.setAccessibleName(self.tr("Answer with video"))
        self.answer_video.setToolTip(f"{self.tr('Answer with video')} (Ctrl+Shift+A)")
        self.answer.setToolTip(f"{self.tr('Answer')} (Ctrl+Shift+S)")
        self.decline.setToolTip(f"{self.tr('Decline')} (Ctrl+Shift+D)")
        self.more = forms.icon_button("dots", self.tr("More ways to deal with this call"), self._open_menu)
        for button in (self.decline, self.answer, self.answer_video, self.more):
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for button in (self.decline, self.answer, self.answer_video):
            button.setStyleSheet(f"padding: 0 {Space.M}px;")

    def _lay_out(self) -> None:
        words = forms.column(spacing=1)
        for widget in (self.name, self.number, self.account):
            words.addWidget(widget)
        top = forms.row(self.avatar, words, self.more, spacing=Space.M)
        top.setStretch(1, 1)
        top.setAlignment(self.more, Qt.AlignmentFlag.AlignTop)
        column = forms.column(self, margin=Space.L, spacing=Space.S)
        column.addLayout(top)
        column.addStretch(1)
        column.addLayout(forms.row(self.decline, 1, self.answer, self.answer_video))

    # ------------------------------------------------------------ state

    def show_state(self, state: CallState) -> None:
        self._state = state
        phone = state.phone
        name = peer(state)
        self.avatar.set_person(name)
        self.name.set_text(name)
        offers = phone is not None and phone.offers_video
        kind = self.tr("Video call") if offers else self.tr("Incoming call")
        self.number.set_text(" · ".join(part for part in (peer_number(state), kind) if part))
        self.account.set_text(self._to_words(state))
        self.account.setVisible(bool(self.account.text()))
        video = capability(state, Answer)
        self.answer.set_enabled(video.allowed, video.reason)
        account = self._account()
        self.answer_video.setVisible(offers or (account is not None and Service.VIDEO in account.services))
        spoken = ", ".join(part for part in (kind, name, peer_number(state), self.account.text()) if part)
        self.setAccessibleName(spoken)

    def _account(self) -> AccountState | None:
        wanted = self._state.phone.account_id if self._state.phone is not None else ""
        return next((one for one in self.context.accounts() if one.account_id == wanted), None)

    def _to_words(self, state: CallState) -> str:
        phone = state.phone
        parts = []
        if phone is not None and phone.diverted_by:
            parts.append(self.tr("Forwarded by {name}").format(name=plain(phone.diverted_by[0], 60)))
        mine = next((one for one in self.context.accounts() if phone and one.account_id == phone.account_id), None)
        if mine is not None:
            line = phone.called_number if phone is not None and phone.called_number else account_name(mine)
            if len(self.context.accounts()) > 1:
                parts.append(self.tr("To {line} on {server}").format(line=plain(line), server=plain(mine.server)))
            else:
                parts.append(self.tr("To {line}").format(line=plain(line)))
        return " · ".join(parts)

    # ------------------------------------------------------------ acts

    def do_answer(self, *, video: bool = False) -> None:
        self.context.perform(self.call_id, Answer(video=video))

    def do_decline(self) -> None:
        self.context.perform(self.call_id, Decline())

    def to_voicemail(self) -> None:
        self.context.perform(self.call_id, Decline(to_voicemail=True))

    def make_menu(self) -> Menu:
        menu = Menu(self.tr("Incoming call"), self)
        state = self._state
        account = self._account()
        if account is not None and Service.VOICEMAIL in account.services:
            menu.entry(self.tr("Send to voicemail"), self.to_voicemail, "record-mail",
                       capability=capability(state, Decline))  # fmt: skip
        menu.entry(self.tr("Redirect to a number…"), self._redirect, "arrow-forward-up",
                   capability=capability(state, TransferTo))  # fmt: skip
        menu.entry(self.tr("Stop ringing here"), lambda: self.context.perform(self.call_id, IgnoreCall()),
                   "volume-off", capability=capability(state, IgnoreCall))  # fmt: skip
        return menu

    def _open_menu(self) -> None:
        open_menu_at(self.make_menu(), self.more, above=False)

    def _redirect(self) -> None:
        from ui.phone.dialogs import NumberDialog

        dialog = NumberDialog(self.tr("Redirect this call"), self.tr("Redirect"), self)
        dialog.chosen.connect(lambda number: self.context.perform(self.call_id, Decline(redirect_to=number)))
        dialog.open()

    # ------------------------------------------------------------ place and keys

    def place(self, position: int) -> None:
        """Top right of the screen that has the window's parent, the *position*-th from above."""
        parent = self.parentWidget()
        screen = parent.screen() if parent is not None else QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        x = room.left() + Space.L if self.isRightToLeft() else room.right() - self.width() - Space.L
        self.move(x, room.top() + Space.L + position * (self.height() + Space.S))

    def appear(self, position: int) -> None:
        self.place(position)
        self.show()
        self.raise_()
        announce(self, self.accessibleName(), urgent=True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.clicked:
            # From now on the keys belong to this window.
            self.clicked = True
            where = self.pos()
            self.setWindowFlag(Qt.WindowType.WindowDoesNotAcceptFocus, False)
            self.move(where)
            self.show()
            self.activateWindow()
            self.setFocus()
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.clicked and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.do_answer()
        elif self.clicked and event.key() == Qt.Key.Key_Escape:
            self.do_decline()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour(p.line), 1))
        painter.setBrush(colour(p.raised))
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(box, Radius.DIALOG, Radius.DIALOG)
        painter.end()


class IncomingStack:
    """All windows of calls that ring here."""

    def __init__(self, context: PhoneContext, owner: QWidget) -> None:
        self._context = context
        self._owner = owner
        self.windows: dict[str, IncomingWindow] = {}

    def ring(self, state: CallState) -> None:
        if state.call_id not in self.windows:
            window = IncomingWindow(self._context, state, self._owner)
            self.windows[state.call_id] = window
            window.appear(len(self.windows) - 1)

    def update(self, state: CallState) -> None:
        window = self.windows.get(state.call_id)
        if window is not None:
            window.show_state(state)

    def hush(self, call_id: str) -> None:
        window = self.windows.pop(call_id, None)
        if window is not None:
            window.hide()
            window.deleteLater()
        for position, other in enumerate(self.windows.values()):
            other.place(position)

    def first(self) -> IncomingWindow | None:
        return next(iter(self.windows.values()), None)

    def clear(self) -> None:
        for call_id in tuple(self.windows):
            self.hush(call_id)
