"""The phone's half of the window: pages of the rail, calls in view and in the bar, windows of incoming calls, keys."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from app.calls.accounts import AccountEvent, AccountNotice, AccountPhase, AccountState, ListChanged, Service
from app.calls.actions import Leave, SetMicrophone
from app.calls.model import CallState
from app.calls.phone import Direction
from ui import i18n
from ui.call_bar import CallBar
from ui.phone.context import PhoneContext
from ui.phone.hub import PhoneHub
from ui.phone.incoming import IncomingStack
from ui.phone.shortcuts import PHONE_SHORTCUTS
from ui.phone.words import account_name, cause_words, peer
from ui.rail import Rail
from ui.widgets.toast import ToastMessage

SERVICES: dict[str, tuple[Service, ...]] = {
    "calls": (Service.CALLS, Service.CALL_LOG),
    "contacts": (Service.DIRECTORY, Service.PERSONAL_CONTACTS),
    "chat": (Service.CHAT,),
    "voicemail": (Service.VOICEMAIL,),
    "rooms": (Service.ROOMS, Service.MEETINGS),
    "services": (Service.SWITCHBOARD, Service.AGENT, Service.FAX, Service.API_REQUESTS),
}


def _make(name: str, context: PhoneContext) -> QWidget:
    if name == "calls":
        from ui.calllog.view import CallsPage

        return CallsPage(context)
    if name == "contacts":
        from ui.directory.view import DirectoryPage

        return DirectoryPage(context)
    if name == "chat":
        from ui.chat.view import ChatPage

        return ChatPage(context)
    if name == "voicemail":
        from ui.voicemail.view import VoicemailPage

        return VoicemailPage(context)
    if name == "rooms":
        from ui.rooms.view import RoomsPage

        return RoomsPage(context)
    if name == "services":
        from ui.services.view import ServicesPage

        return ServicesPage(context)
    if name == "accounts":
        from ui.accounts.view import AccountsView

        return AccountsView(context)
    from ui.accounts.sign_in import SignInView

    return SignInView(context)


class PhoneShell(QObject):
    """Signals:
    show_requested(QWidget, str): this view should come to the front; its name in the rail.
    home_requested(). share_requested(str call id). settings_requested(str). shortcuts_requested().
    said(ToastMessage). calls_changed(): the bar may be needed or not.
    """

    show_requested = Signal(object, str)
    home_requested = Signal()
    share_requested = Signal(str)
    settings_requested = Signal(str)
    shortcuts_requested = Signal()
    said = Signal(object)
    calls_changed = Signal()

    def __init__(self, controller: Any, window: QWidget) -> None:
        super().__init__(window)
        self.context = PhoneContext(controller, self)
        self.hub = PhoneHub(self.context, self)
        self.incoming = IncomingStack(self.context, window)
        self.views: dict[str, Any] = {}
        self.call_view: Any = None
        self._window = window
        self._rail: Rail | None = None
        self._bar: CallBar | None = None
        self._here = ""
        self.context.changed.connect(self._account_event)
        self.context.placed.connect(lambda call_id: self._placed(call_id))
        self.context.chat_requested.connect(self.write_to)
        self.context.said.connect(self.said)
        self.hub.ringing.connect(self._ring)
        self.hub.quiet.connect(self.incoming.hush)
        self.hub.answered.connect(lambda _id: self.show_calls())
        self.hub.changed.connect(self._changed)
        self.hub.ended.connect(self._ended)
        self._add_shortcuts()

    def _add_shortcuts(self) -> None:
        acts = {
            "answer_video": lambda: self._answer(video=True),
            "answer": lambda: self._answer(video=False),
            "decline": self._decline,
            "hold": self._hold,
        }
        for known in PHONE_SHORTCUTS:
            shortcut = QShortcut(QKeySequence(known.keys[0]), self._window)
            shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
            shortcut.setAutoRepeat(False)
            shortcut.activated.connect(acts[known.id])

    # ------------------------------------------------------------ the frame

    def dress(self, rail: Rail, bar: CallBar) -> None:
        """Take over the phone's parts of a new frame."""
        self._rail, self._bar = rail, bar
        rail.page_requested.connect(self.go)
        rail.accounts_requested.connect(self.go_accounts)
        bar.return_requested.connect(self.show_calls)
        bar.microphone_requested.connect(self._mute)
        bar.leave_requested.connect(self._hang_up)
        self._show_rail()
        for state in self.hub.incoming():
            self.incoming.ring(state)

    def _show_rail(self) -> None:
        if self._rail is None:
            return
        services = self.context.services()
        shown = frozenset(name for name, wanted in SERVICES.items() if services & set(wanted))
        self._rail.set_pages(shown, accounts=self.context.present)
        self._rail.account.show_accounts(self.context.accounts())
        every = self.context.signed_in()
        missed, chats, mails = (
            sum(getattr(one, name) for one in every) for name in ("missed_calls", "chat_unread", "voicemail_new")
        )
        self._rail.set_count("calls", missed, self.tr("%n missed call(s)", "", missed))
        self._rail.set_count("chat", chats, self.tr("%n unread message(s)", "", chats))
        self._rail.set_count("voicemail", mails, self.tr("%n new message(s)", "", mails))
        if self._here in SERVICES and self._here not in shown:
            self.home_requested.emit()

    def drop_views(self) -> None:
        """The language changed: views are made anew when they are next needed."""
        self.incoming.clear()
        for view in (*self.views.values(), self.call_view):
            if view is not None:
                release = getattr(view, "release", None)
                if release is not None:
                    release()
        self.views = {}
        self.call_view = None

    def left_for(self, view: QWidget) -> None:
        """Another view is in front now."""
        named = {**self.views, "call": self.call_view}
        self._here = next((name for name, one in named.items() if one is view), "")
        self._show_bar()

    # ------------------------------------------------------------ where to

    def view(self, name: str) -> Any:
        if name not in self.views:
            self.views[name] = _make(name, self.context)
            if name == "accounts":
                self.views[name].sign_in_requested.connect(self.sign_in)
            elif name == "sign_in":
                self.views[name].done.connect(self._signed_in)
                self.views[name].cancelled.connect(self._sign_in_cancelled)
        return self.views[name]

    def go(self, name: str) -> None:
        """Open a page of the rail, ``accounts`` or ``sign_in``."""
        view = self.view(name)
        self.show_requested.emit(view, "accounts" if name == "sign_in" else name)
        self._here = name
        view.enter()

    def go_accounts(self) -> None:
        if self.context.accounts():
            self.go("accounts")
        else:
            self.sign_in("")

    def sign_in(self, account_id: str = "") -> None:
        known = next((one for one in self.context.accounts() if one.account_id == account_id), None)
        self.go("sign_in")
        self.view("sign_in").start(known)

    def _signed_in(self, account_id: str) -> None:
        account = self.context.controller.account(account_id)
        self.context.choose(account_id)
        self.context.say(self.tr("Signed in as {name}").format(name=account_name(account)), "good")
        self.go("calls" if account.services & set(SERVICES["calls"]) else "accounts")

    def _sign_in_cancelled(self) -> None:
        if self.context.accounts():
            self.go("accounts")
        else:
            self.home_requested.emit()

    def write_to(self, contact: Any) -> None:
        self.go("chat")
        self.view("chat").write_to(contact)

    # ------------------------------------------------------------ calls

    def show_calls(self) -> None:
        if not self.hub.shown_calls():
            return
        if self.call_view is None:
            from ui.phone.call_view import PhoneCallView

            self.call_view = PhoneCallView(self.context, self.hub)
            self.call_view.home_requested.connect(lambda: self.go("calls"))
            self.call_view.share_requested.connect(self.share_requested)
            self.call_view.settings_requested.connect(self.settings_requested)
            self.call_view.shortcuts_requested.connect(self.shortcuts_requested)
        self._here = "call"
        self.call_view.refresh()
        self.show_requested.emit(self.call_view, "")
        if not self._window.isMinimized():
            self._window.raise_()
        self.call_view.setFocus()

    def _placed(self, call_id: str) -> None:
        self.hub.chosen = call_id
        self.show_calls()

    def _ring(self, state: CallState) -> None:
        self.incoming.ring(state)

    def _changed(self, state: CallState) -> None:
        self.incoming.update(state)
        self._show_bar()
        self.calls_changed.emit()

    def _show_bar(self) -> None:
        current = self.hub.current()
        if self._bar is None or current is None:
            return
        others = len(self.hub.shown_calls()) - 1
        note = self.tr("%n other call(s)", "", others) if others else ""
        self._bar.show_state(current, note, self.hub.held_since.get(current.call_id))

    @property
    def wants_bar(self) -> bool:
        """A phone call goes on and is not in view."""
        return bool(self.hub.shown_calls()) and self._here != "call"

    def _ended(self, state: CallState) -> None:
        words = cause_words(state)
        outgoing = state.phone is not None and state.phone.direction is Direction.OUTGOING
        if words and (outgoing or (state.phone is not None and state.phone.cause == "elsewhere")):
            number = (state.phone.remote_number if state.phone is not None else "") or state.address
            again = (lambda: self.context.dial(number)) if outgoing and number else None
            text = self.tr("Call again") if again is not None else ""
            level = "error" if state.failure is not None else "info"
            self.said.emit(ToastMessage(words, level, "phone-x", f"ended-{state.call_id}", text, again))
        if not self.hub.shown_calls() and self._here == "call":
            self.go("calls")
        self._show_bar()
        self.calls_changed.emit()

    def _mute(self, muted: bool) -> None:
        current = self.hub.current()
        if current is not None:
            self.context.perform(current.call_id, SetMicrophone(muted))

    def _hang_up(self) -> None:
        current = self.hub.current()
        if current is not None:
            self.context.perform(current.call_id, Leave())

    def _answer(self, *, video: bool) -> None:
        first = self.incoming.first()
        if first is not None:
            first.do_answer(video=video)

    def _decline(self) -> None:
        first = self.incoming.first()
        if first is not None:
            first.do_decline()

    def _hold(self) -> None:
        from ui.phone.acts import PhoneActs

        current = self.hub.current()
        if current is not None:
            PhoneActs(self.context, self.hub, lambda _name: None, self).toggle_hold(current)

    # ------------------------------------------------------------ accounts

    def _account_event(self, state: AccountState, event: AccountEvent) -> None:
        if isinstance(event, ListChanged):
            return
        self._show_rail()
        if isinstance(event, AccountNotice):
            level = event.level if event.level in ("info", "good", "warning", "error") else "info"
            self.said.emit(ToastMessage(i18n.sentence(event.message), level, key=f"notice-{event.code}"))
        signing = self.views.get("sign_in")
        if state.phase is AccountPhase.EXPIRED and (signing is None or self._here != "sign_in"):
            words = self.tr("{name} must sign in again.").format(name=account_name(state))
            self.said.emit(
                ToastMessage(words, "warning", key=f"expired-{state.account_id}", action_text=self.tr("Sign in"),
                             action=lambda: self.sign_in(state.account_id), sticky=True)
            )  # fmt: skip

    # ------------------------------------------------------------ opening from elsewhere

    def dials(self, vendor: str) -> bool:
        """Whether addresses of *vendor* are called with an account instead of joined after a look at oneself."""
        return self.context.present and any(one.vendor == vendor for one in self.context.controller.vendors())

    def release(self) -> None:
        self.drop_views()
        self.hub.release()
        self.context.release()

    async def close(self) -> None:
        self.release()
        await self.context.close()

    def names(self) -> tuple[str, ...]:
        """Who is at the other end of the calls, for the title of the window."""
        return tuple(peer(one) for one in self.hub.shown_calls())
