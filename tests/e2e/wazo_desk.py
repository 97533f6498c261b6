"""A person at the program with phone accounts: the real controller, the real engine, a Wazo stack at the other end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.calls import accounts as acc
from app.calls.accounts import AccountEvent, AccountPhase, AccountState, Page
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState
from app.controller.controller import Controller
from app.media.engine import Engine
from app.sandbox.wazo import WazoSandbox
from app.storage.accounts import AccountStore
from app.storage.history import History
from app.storage.settings_file import SettingsStore
from tests.controller.desk import FakeCredentials, MemoryKeyring
from tests.e2e.desk import TEST_INPUTS
from tests.e2e.jitsi_call import with_qt_alive
from tests.e2e.wazo_call import Watched

T = TypeVar("T")


class Office(Watched):
    """An async context manager. Without *trust* the certificate of the sandbox is not accepted."""

    def __init__(
        self,
        box: WazoSandbox,
        *,
        store: AccountStore | None = None,
        keyring: MemoryKeyring | None = None,
        trust: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__()
        self.box = box
        self.store = store or AccountStore()
        self.keyring = keyring or MemoryKeyring()
        kept = SettingsStore(None)
        if trust:
            host = box.host.partition(":")[0]
            kept.set("network.trusted_certificates", (f"{host} {box.fingerprint}",))
        for key, value in settings.items():
            kept.set(key.replace("__", "."), value)
        self.controller = Controller(
            kept,
            History(None),
            engine_factory=Engine,
            inputs=TEST_INPUTS,
            accounts=self.store,
            credentials=FakeCredentials(self.keyring),
        )
        self.id = ""
        self.events: list[AccountEvent] = []
        self.controller.subscribe_accounts(self._on_account)
        self.controller.subscribe(self._on_call)

    def _on_account(self, _state: AccountState, event: AccountEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def _on_call(self, _state: CallState, _event: CallEvent) -> None:
        self._changed.set()

    async def __aenter__(self) -> Office:
        return self

    async def __aexit__(self, *_: object) -> None:
        await with_qt_alive(self.controller.close())

    @property
    def state(self) -> AccountState:
        return self.controller.account(self.id)

    async def sign_in(self, user: str, password: str = "", **how: Any) -> AccountState:
        """Sign in and wait for how it ends."""
        server = how.pop("server", self.box.host)
        self.id = await self.controller.sign_in("wazo", server, user, password or f"{user}pw", **how)
        return await self.settled()

    async def settled(self) -> AccountState:
        phases = (AccountPhase.SIGNED_IN, AccountPhase.FAILED, AccountPhase.EXPIRED)
        return await self.until(lambda s: s.phase in phases)

    async def until(self, met: Callable[[AccountState], Any]) -> AccountState:
        await self.wait_for(lambda: met(self.state))
        return self.state

    async def event(self, kind: type[T], met: Callable[[T], bool] = lambda _e: True) -> T:
        return await self.wait_for(lambda: next((e for e in self.events if isinstance(e, kind) and met(e)), None))

    async def do(self, action: acc.AccountAction) -> Any:
        return await self.controller.account_perform(self.id, action)

    async def command(self, command: str, /, **parameters: Any) -> Any:
        return await self.do(acc.Administer(command, parameters))

    async def find(self, query: acc.Query) -> Page:
        return await self.controller.find(self.id, query)

    async def listed(self, what: str, parent: str = "", **more: Any) -> tuple[Mapping[str, Any], ...]:
        return (await self.find(acc.FindAdministration(what, parent=parent, **more))).items

    async def call_in(self, *phases: CallPhase) -> str:
        """Id of a call that is in one of *phases*, now or soon."""

        def found() -> str:
            calls = self.controller.calls()
            return next((one for one in calls if self.controller.state(one).phase in phases), "")

        return await self.wait_for(found)
