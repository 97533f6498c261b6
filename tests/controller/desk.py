"""A controller with accounts and everything around it faked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from app.calls import events as ev
from app.calls.accounts import AccountEvent, AccountPhase, AccountState
from app.calls.model import CallPhase, CallState
from app.controller.accounts import Lists
from app.controller.controller import Controller
from app.storage.accounts import AccountStore
from app.storage.credentials import Credentials
from app.storage.history import History
from app.storage.settings_file import SettingsStore
from tests.controller.fakes import FakeAccountSession, FakeEngine, FakePhoneSession, FakeSession, fake_registry

WAIT_S = 5.0
"""Far more than anything here takes, so that a loaded machine does not fail the test."""
POLL_S = 0.02


class MemoryKeyring:
    """A store of the system that never fails."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop(username, None)


class FakeCredentials(Credentials):
    """Uses *keyring* (``None``: this system has no store) instead of looking for the real one."""

    def __init__(self, keyring: MemoryKeyring | None) -> None:
        super().__init__()
        self.given = keyring

    async def open(self, keyring: Any = None) -> None:
        if self.given is not None:
            await super().open(self.given)
        else:
            self.explanation = "This system has no password store; passwords are kept until you quit."


class PhoneDesk:
    def __init__(
        self,
        accounts: AccountStore | None = None,
        keyring: MemoryKeyring | None = None,
        *,
        no_keyring: bool = False,
        lists: Lists | None = None,
    ) -> None:
        FakeSession.made.clear()
        FakeAccountSession.made.clear()
        FakeAccountSession.pages = {}
        self.engine = FakeEngine()
        self.store = SettingsStore(None)
        self.accounts = accounts or AccountStore()
        self.keyring = keyring or MemoryKeyring()
        self.events: list[tuple[CallState, ev.CallEvent]] = []
        self.account_events: list[tuple[AccountState, AccountEvent]] = []
        self.controller = Controller(
            self.store,
            History(None),
            registry=fake_registry(),
            engine_factory=lambda: self.engine,  # type: ignore[arg-type, return-value]
            accounts=self.accounts,
            credentials=FakeCredentials(None if no_keyring else self.keyring),
            lists=lists,
        )
        self._changed = asyncio.Event()
        self.controller.subscribe(lambda state, event: self._on(self.events, state, event))
        self.controller.subscribe_accounts(lambda state, event: self._on(self.account_events, state, event))

    def _on(self, kept: list[Any], state: Any, event: Any) -> None:
        kept.append((state, event))
        self._changed.set()

    async def wait(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                # Not everything that is waited for comes with an event.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), POLL_S)
                self._changed.clear()

    async def sign_in(self, user: str = "anna", phase: AccountPhase = AccountPhase.SIGNED_IN, **more: Any) -> str:
        account_id = await self.controller.sign_in("phones", "phone.example.org", user, "secret", **more)
        await self.wait(lambda: self.controller.account(account_id).phase is phase)
        return account_id

    @property
    def session(self) -> FakeAccountSession:
        return FakeAccountSession.made[-1]

    async def until(self, call_id: str, *phases: CallPhase) -> CallState:
        await self.wait(lambda: self.controller.state(call_id).phase in phases)
        return self.controller.state(call_id)

    async def talk(self, account_id: str, number: str = "1001") -> tuple[str, FakePhoneSession]:
        """An outgoing call that was answered."""
        call_id = await self.controller.dial(account_id, number)
        await self.until(call_id, CallPhase.RINGING)
        session = self.session.calls[-1]
        session.answered()
        await self.until(call_id, CallPhase.JOINED)
        return call_id, session

    async def ring(self, key: str = "key") -> tuple[str, FakePhoneSession]:
        """An incoming call."""
        self.session.hooks.on_incoming(key)
        session = self.session.calls[-1]
        await self.until(session.call_id, CallPhase.INCOMING)
        return session.call_id, session

    def phone(self, call_id: str) -> Any:
        return self.controller.state(call_id).phone
