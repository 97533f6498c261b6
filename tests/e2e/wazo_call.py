"""A person with a Wazo account, without a window: account session on the real engine, states as the window has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from app.calls import account_reducer
from app.calls import events as ev
from app.calls.accounts import AccountEvent, AccountState
from app.calls.events import CallEvent
from app.calls.model import CallState
from app.calls.reducer import reduce
from app.media.engine import Engine
from app.sandbox.wazo import WazoSandbox
from app.vendors.base import AccountHooks, CallRequest, Session, SignInRequest
from app.vendors.wazo.account import WazoAccount
from tests.e2e.jitsi_call import PATIENCE_S, with_qt_alive

T = TypeVar("T")
OPTIONS = {"audio": "test", "video": "test", "resolution": 180, "fps": 10}
HEARD_LEVEL = 0.02


class Watched:
    """Something that changes, and a way to wait for it."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    async def wait_for(self, met: Callable[[], T]) -> T:
        async with asyncio.timeout(PATIENCE_S):
            while not (value := met()):
                self._changed.clear()
                await self._changed.wait()
            return value


class PhoneCall(Watched):
    """One call as the window sees it."""

    def __init__(self, call_id: str) -> None:
        super().__init__()
        self.call_id = call_id
        self.state = CallState(call_id)
        self.events: list[CallEvent] = []
        self.levels: dict[str, float] = {}
        self.session: Session | None = None
        self.joining: asyncio.Task[None] | None = None

    def on_event(self, event: CallEvent) -> None:
        self.events.append(event)
        if isinstance(event, ev.AudioLevelsChanged):
            self.levels = dict(event.levels)
        self.state = reduce(self.state, event)
        self._changed.set()

    @property
    def phone(self) -> Any:
        return self.state.phone

    async def do(self, action: Any) -> None:
        assert self.session is not None
        await self.session.perform(action)

    async def until(self, met: Callable[[CallState], Any]) -> CallState:
        await self.wait_for(lambda: met(self.state))
        return self.state

    async def event(self, kind: type[T], met: Callable[[T], bool] = lambda _e: True) -> T:
        return await self.wait_for(lambda: next((e for e in self.events if isinstance(e, kind) and met(e)), None))

    async def hears(self) -> None:
        """The other side's sound arrives now."""
        self.levels = {}
        await self.wait_for(lambda: any(level > HEARD_LEVEL for level in self.levels.values()))


class Someone(Watched):
    """Use as an async context manager: signs in, and closes everything."""

    def __init__(self, sandbox: WazoSandbox, name: str, *, options: dict[str, Any] | None = None, **request: Any):
        super().__init__()
        self.sandbox = sandbox
        self.name = name
        self.engine = Engine()
        self.engine.start()
        self.state = AccountState(name, "wazo")
        self.events: list[AccountEvent] = []
        self.secrets: dict[str, str] = {}
        self.incoming: list[str] = []
        request.setdefault("user", name)
        request.setdefault("password", f"{name}pw")
        request.setdefault("server", sandbox.host)
        request.setdefault("trusted_certificates", (sandbox.fingerprint,))
        made = {**OPTIONS, **(options or {})}
        self.request = SignInRequest(name, "wazo", options=made, **request)
        hooks = AccountHooks(self._on_event, self._on_incoming, self.secrets.__setitem__)
        self.account = WazoAccount(self.request, self.engine, hooks)
        self._calls: list[PhoneCall] = []

    def _on_event(self, event: AccountEvent) -> None:
        self.events.append(event)
        self.state = account_reducer.reduce(self.state, event)
        self._changed.set()

    def _on_incoming(self, key: str) -> None:
        self.incoming.append(key)
        self._changed.set()

    async def __aenter__(self) -> Someone:
        await self.account.sign_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.account.close()
        for call in self._calls:
            if call.joining is not None:
                await asyncio.gather(call.joining, return_exceptions=True)
        await with_qt_alive(self.engine.close())

    async def until(self, met: Callable[[AccountState], Any]) -> AccountState:
        await self.wait_for(lambda: met(self.state))
        return self.state

    async def event(self, kind: type[T], met: Callable[[T], bool] = lambda _e: True) -> T:
        return await self.wait_for(lambda: next((e for e in self.events if isinstance(e, kind) and met(e)), None))

    def dial(self, target: str, **request: Any) -> PhoneCall:
        """Begin to call; :meth:`PhoneCall.until` tells how it goes."""
        call = PhoneCall(f"{self.name}-{len(self._calls)}")
        self._calls.append(call)
        call.session = self.account.place_call(CallRequest(call.call_id, target, **request), call.on_event)
        call.joining = asyncio.ensure_future(call.session.join())
        return call

    async def call(self, target: str, **request: Any) -> PhoneCall:
        """Call and be answered. Raises what joining raises."""
        call = self.dial(target, **request)
        assert call.joining is not None
        async with asyncio.timeout(PATIENCE_S):
            await call.joining
        return call

    async def rings(self) -> PhoneCall:
        """The next incoming call, ringing."""
        key = await self.wait_for(lambda: self.incoming[0] if self.incoming else "")
        self.incoming.pop(0)
        call = PhoneCall(f"{self.name}-{len(self._calls)}")
        self._calls.append(call)
        call.session = self.account.accept_session(key, call.call_id, call.on_event)
        return call


async def connected(one: Someone, other: Someone, number: str, **answer: Any) -> tuple[PhoneCall, PhoneCall]:
    """A running call between two people."""
    from app.calls import phone as ph

    ours = one.dial(number, **{key: value for key, value in answer.items() if key == "video"})
    theirs = await other.rings()
    await theirs.do(ph.Answer(**answer))
    assert ours.joining is not None
    await ours.joining
    return ours, theirs
