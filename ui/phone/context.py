"""What the phone's views share: the controller, the account that they show, and one way to ask and to be refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.calls.accounts import AccountAction, AccountEvent, AccountPhase, AccountState, Page, Query, Service
from app.calls.actions import Action
from app.calls.model import CallState, Capability, Failure
from app.vendors.base import ActionRefused
from ui import i18n
from ui.tasks import Tasks
from ui.widgets.toast import ToastMessage

Then = Callable[[Any], None]
Failed = Callable[[Failure], None]
MAX_TARGET = 256
"""Characters of a number, name or SIP address that is dialled."""


class PhoneContext(QObject):
    """One per window, for every account.

    Signals:
        changed(AccountState, AccountEvent): an account has a new state or told of something.
        current_changed(): another account is the one that the views show, or there is none.
        placed(str): a call was started here; its view should be shown.
        chat_requested(object): open the chat with this contact (:class:`app.calls.accounts.Contact`).
        said(ToastMessage): show a message.
    """

    changed = Signal(object, object)
    current_changed = Signal()
    placed = Signal(str)
    chat_requested = Signal(object)
    said = Signal(object)

    def __init__(self, controller: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.tasks = Tasks(self.refused)
        self._current = ""
        self._stop: Callable[[], None] | None = None
        if self.present:
            self._stop = controller.subscribe_accounts(self._event)
            self._choose()

    @property
    def present(self) -> bool:
        """Whether this program can sign in anywhere at all."""
        return hasattr(self.controller, "subscribe_accounts") and bool(self.controller.vendors())

    # ------------------------------------------------------------ accounts

    def accounts(self) -> tuple[AccountState, ...]:
        return tuple(self.controller.accounts()) if self.present else ()

    def signed_in(self) -> tuple[AccountState, ...]:
        return tuple(one for one in self.accounts() if one.phase is AccountPhase.SIGNED_IN)

    def services(self) -> frozenset[Service]:
        """What all signed-in accounts together offer."""
        return frozenset(service for one in self.signed_in() for service in one.services)

    def offering(self, *services: Service) -> tuple[AccountState, ...]:
        """Signed-in accounts with at least one of *services*."""
        return tuple(one for one in self.signed_in() if one.services & set(services))

    def account(self, *services: Service) -> AccountState | None:
        """The account that is shown now: the chosen one when it offers a service of these, else the first that does."""
        found = self.offering(*services) if services else self.signed_in()
        return next((one for one in found if one.account_id == self._current), found[0] if found else None)

    def choose(self, account_id: str) -> None:
        if account_id != self._current:
            self._current = account_id
            self.current_changed.emit()

    def _choose(self) -> None:
        known = [one.account_id for one in self.signed_in()]
        if self._current not in known:
            self.choose(known[0] if known else "")

    def _event(self, state: AccountState, event: AccountEvent) -> None:
        self._choose()
        self.changed.emit(state, event)

    # ------------------------------------------------------------ asking

    def find(self, query: Query, then: Callable[[Page], None], failed: Failed | None = None, account: str = "") -> None:
        where = account or self._current
        if where:
            self.run(self.controller.find(where, query), then, failed)

    def ask(
        self, action: AccountAction, then: Then | None = None, failed: Failed | None = None, account: str = ""
    ) -> None:
        where = account or self._current
        if where:
            self.run(self.controller.account_perform(where, action), then, failed)

    def perform(self, call_id: str, action: Action, then: Then | None = None, failed: Failed | None = None) -> None:
        self.run(self.controller.perform(call_id, action), then, failed)

    def dial(self, target: str, *, video: bool = False, room: bool = False, account: str = "") -> None:
        """Place a call with the account that is shown, or the given one."""
        target = target.strip()[:MAX_TARGET]
        chosen = account or next((one.account_id for one in (self.account(Service.CALLS),) if one is not None), "")
        if not target:
            return
        if not chosen:
            self.say(self.tr("Sign in to an account with a line to make calls."), "error")
            return
        self.run(self.controller.dial(chosen, target, video=video, room=room), self.placed.emit)

    def enter_room(self, target: str, account: AccountState) -> None:
        """Join a room or meeting: with our camera when there is one and newcomers' cameras are not to stay off."""
        camera = any(device.kind == "videoinput" for device in self.controller.devices())
        video = camera and Service.VIDEO in account.services and not self.controller.setting("join.camera_muted")
        self.dial(target, room=True, video=video, account=account.account_id)

    def run(self, coroutine: Any, then: Then | None = None, failed: Failed | None = None) -> None:
        self.tasks.spawn(self._guard(coroutine, failed), then=lambda result: self._done(result, then))

    async def _guard(self, coroutine: Any, failed: Failed | None) -> Any:
        try:
            return (await coroutine,)
        except ActionRefused as refused:
            if failed is None:
                raise
            failed(refused.failure)
            return None

    @staticmethod
    def _done(result: Any, then: Then | None) -> None:
        if result is not None and then is not None:
            then(result[0])

    def calls(self) -> tuple[CallState, ...]:
        """Phone calls that are not over, oldest first."""
        states = (self.controller.state(call_id) for call_id in self.controller.calls())
        return tuple(state for state in states if state.phone is not None)

    # ------------------------------------------------------------ words

    def say(self, text: str, level: str = "info") -> None:
        self.said.emit(ToastMessage(i18n.sentence(text), level))

    def refused(self, failure: Failure) -> None:
        self.said.emit(ToastMessage(i18n.sentence(failure.message), "error", key=f"refused-{failure.code}"))

    def release(self) -> None:
        """Stop listening; what runs is cancelled."""
        if self._stop is not None:
            self._stop()
            self._stop = None
        self.tasks.cancel()

    async def close(self) -> None:
        self.release()
        await self.tasks.close()


def account_capability(state: AccountState | None, action: type) -> Capability:
    """Whether *action* can be done now; what an account does not mention may be tried."""
    if state is None:
        return Capability(False, present=False)
    found: Capability = state.capabilities.get(action.__name__, Capability(True))
    return found
