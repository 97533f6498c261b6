"""Signed-in accounts: their sessions, states, secrets, and what is asked of them."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from app.calls import accounts as ac
from app.calls.account_reducer import reduce
from app.calls.accounts import AccountAction, AccountEvent, AccountPhase, AccountState, Page, Query
from app.calls.model import Failure
from app.calls.text import clean_name
from app.controller.api import Unsubscribe, VendorInfo
from app.controller.refusals import INTERNAL, UNKNOWN_VENDOR, refused
from app.controller.tasks import TaskScope
from app.media.api import MediaEngine
from app.storage.accounts import MAX_FIELD, AccountRecord, AccountStore
from app.storage.credentials import Credentials
from app.vendors.base import REFRESH_TOKEN, AccountHooks, AccountSession, SignInFailed, SignInRequest
from app.vendors.registry import Registry

log = logging.getLogger(__name__)

SIGN_IN_TIMEOUT_S = 60.0
"""Token, profile, sockets and registration, each with a bound of its own below this."""
CLOSE_TIMEOUT_S = 5.0
"""Unregistering takes a round trip; a server that does not answer must not keep the person waiting."""
SIGN_OUT_TIMEOUT_S = 10.0
"""Revoking tokens takes a few requests more."""
RETRY_FIRST_S = 2.0
RETRY_MAX_S = 300.0
"""Between attempts to sign in again by ourselves: short after a start without network, never a load for a server."""

Listener = Callable[[AccountState, AccountEvent], None]


class Account:
    """One account. ``state`` changes only in :meth:`emit`."""

    def __init__(self, record: AccountRecord, listener: Callable[[Account, AccountState, AccountEvent], None]) -> None:
        self.record = record
        self.state = AccountState(
            record.account_id,
            record.vendor,
            server=record.server,
            user=record.user,
            display_name=record.display_name,
            missed_calls=record.missed_calls,
        )
        self.session: AccountSession | None = None
        self.task: asyncio.Task[None] | None = None
        self.generation = 0
        """Counts sessions, so that what a former one still tells is ignored."""
        self.secrets = asyncio.Lock()
        self.secret_names = {REFRESH_TOKEN}
        self._listener = listener

    @property
    def account_id(self) -> str:
        return self.record.account_id

    @property
    def is_signed_in(self) -> bool:
        return self.session is not None and self.state.phase is AccountPhase.SIGNED_IN

    def emit(self, event: AccountEvent) -> None:
        before, self.state = self.state, reduce(self.state, event)
        if isinstance(event, ac.AccountPhaseChanged) and self.state is before:
            return  # we and the session both announce where signing in stands
        self._listener(self, self.state, event)


class Lists(Protocol):
    """Answers queries about large collections, from a cache where there is one."""

    async def find(self, account: Account, query: Query) -> Page: ...

    def observe(self, account: Account, event: AccountEvent) -> None: ...

    async def performed(self, account: Account, action: AccountAction) -> None: ...

    def forget(self, account_id: str) -> None: ...

    async def close(self) -> None: ...


class Accounts:
    """The accounts' half of the controller, see :class:`app.controller.api.AccountsApi`."""

    def __init__(
        self,
        *,
        store: AccountStore,
        credentials: Credentials,
        registry: Registry,
        lists: Lists,
        tasks: TaskScope,
        engine: Callable[[str], MediaEngine],
        on_incoming: Callable[[str, str], None],
        options: Callable[[], Mapping[str, Any]],
        trusted: Callable[[str], tuple[str, ...]],
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._registry = registry
        self._lists = lists
        self._tasks = tasks
        self._engine = engine
        self._on_incoming = on_incoming
        self._options = options
        self._trusted = trusted
        self._opening = asyncio.Lock()
        self._opened = False
        self._listeners: list[Listener] = []
        self._accounts = {record.account_id: Account(record, self._on_event) for record in store.records()}

    # ------------------------------------------------------------ what there is

    def vendors(self) -> tuple[VendorInfo, ...]:
        return tuple(VendorInfo(one.name, one.title, one.asks_domain) for one in self._registry.account_vendors())

    def states(self) -> tuple[AccountState, ...]:
        return tuple(account.state for account in self._accounts.values())

    def state(self, account_id: str) -> AccountState:
        """Raises ``KeyError`` for an account that never was or was forgotten."""
        return self._accounts[account_id].state

    def subscribe(self, listener: Listener) -> Unsubscribe:
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def secrets_note(self) -> str:
        return self._credentials.explanation

    def session(self, account_id: str) -> AccountSession:
        """The session to call with. Raises :class:`ActionRefused` when there is none."""
        account = self._accounts.get(account_id)
        if account is None or account.session is None or not account.is_signed_in:
            raise refused("not_signed_in")
        return account.session

    def _on_event(self, account: Account, state: AccountState, event: AccountEvent) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(state, event)
            except Exception:
                # One view that fails must not take the account or the other views along.
                log.exception("a listener failed on %s", type(event).__name__)
        self._lists.observe(account, event)
        if isinstance(event, (ac.ProfileChanged, ac.CountsChanged, ac.AccountPhaseChanged)):
            self._remember(account)
        if isinstance(event, ac.AccountPhaseChanged) and event.phase is AccountPhase.EXPIRED:
            self._start(self._forget_secrets(account), "secrets")

    def _remember(self, account: Account) -> None:
        state = account.state
        account.record = replace(
            account.record,
            display_name=clean_name(state.display_name) or account.record.display_name,
            missed_calls=state.missed_calls,
        )
        # A person who does not stay signed in leaves no trace, and what never worked is not kept.
        if account.record.stay_signed_in and state.phase is AccountPhase.SIGNED_IN:
            try:
                self._store.keep(account.record)
            except ValueError as error:
                account.emit(ac.AccountNotice("too_many_accounts", str(error), "warning"))

    # ------------------------------------------------------------ signing in

    async def sign_in(
        self, vendor: str, server: str, user: str, password: str, *, domain: str = "", stay_signed_in: bool = True
    ) -> str:
        server, user, domain = (text.strip()[:MAX_FIELD] for text in (server, user, domain))
        account = self._find(vendor, server, user, domain)
        if account is None:
            record = AccountRecord(uuid.uuid4().hex, vendor, server, user, domain)
            account = Account(record, self._on_event)
            self._accounts[account.account_id] = account
        account.record = replace(account.record, stay_signed_in=stay_signed_in)
        if not stay_signed_in:
            self._store.forget(account.account_id)
        request = self._request(account, password=password)
        self._replace_task(account, self._sign_in(account, request))
        return account.account_id

    def _find(self, vendor: str, server: str, user: str, domain: str) -> Account | None:
        wanted = (vendor, server.casefold(), user.casefold(), domain.casefold())
        for account in self._accounts.values():
            one = account.record
            if (one.vendor, one.server.casefold(), one.user.casefold(), one.domain.casefold()) == wanted:
                return account
        return None

    def _request(
        self, account: Account, *, password: str | None = None, refresh_token: str | None = None
    ) -> SignInRequest:
        record = account.record
        return SignInRequest(
            record.account_id,
            record.vendor,
            record.server,
            record.user,
            password=password,
            refresh_token=refresh_token,
            domain=record.domain,
            display_name=record.display_name,
            trusted_certificates=self._trusted(record.server),
            options=self._options(),
        )

    async def resume_accounts(self) -> None:
        for account in tuple(self._accounts.values()):
            if account.record.stay_signed_in and account.session is None and account.task is None:
                self._replace_task(account, self._resume(account))

    async def _resume(self, account: Account) -> None:
        """With the refresh token of an earlier run; tries again by itself while only the network is missing."""
        await self._open_credentials()
        delay = RETRY_FIRST_S
        while True:
            # Read anew: an attempt that got further may have replaced it.
            token = await self._credentials.get(self._key(account, REFRESH_TOKEN))
            if not token:
                return
            await self._sign_in(account, self._request(account, refresh_token=token))
            failure = account.state.failure
            if account.state.phase is not AccountPhase.FAILED or failure is None or not failure.retryable:
                return
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))
            delay = min(RETRY_MAX_S, delay * 2)

    async def _sign_in(self, account: Account, request: SignInRequest) -> None:
        await self._close_session(account)
        account.emit(ac.AccountPhaseChanged(AccountPhase.SIGNING_IN))
        failure: Failure | None = None
        try:
            await self._open_credentials()
            factory = await self._registry.account_factory(request.vendor)
            session = factory(request, self._engine(account.account_id), self._hooks(account))
            account.session = session
            await asyncio.wait_for(session.sign_in(), SIGN_IN_TIMEOUT_S)
        except SignInFailed as error:
            failure = error.failure
        except LookupError:
            log.exception("no such vendor: %s", request.vendor)
            failure = UNKNOWN_VENDOR
        except TimeoutError:
            failure = refused("no_answer").failure
        except Exception as error:
            log.exception("signing in failed in an unexpected way")
            failure = replace(INTERNAL, details=type(error).__name__)
        if failure is None:
            account.emit(ac.AccountPhaseChanged(AccountPhase.SIGNED_IN))
            if account.record.stay_signed_in and not self._credentials.persistent:
                account.emit(ac.AccountNotice("session_only", self._credentials.explanation, "warning"))
            return
        await self._close_session(account)
        if account.state.phase not in (AccountPhase.FAILED, AccountPhase.EXPIRED):
            account.emit(ac.AccountPhaseChanged(AccountPhase.FAILED, failure))

    def _hooks(self, account: Account) -> AccountHooks:
        account.generation += 1
        generation = account.generation

        def current() -> bool:
            return account.generation == generation and self._accounts.get(account.account_id) is account

        def emit(event: AccountEvent) -> None:
            if current():
                account.emit(event)

        def incoming(session_key: str) -> None:
            if current():
                self._on_incoming(account.account_id, session_key)

        def keep_secret(name: str, value: str) -> None:
            if current():
                account.secret_names.add(name)
                self._start(self._keep_secret(account, name, value), "secret")

        return AccountHooks(emit, incoming, keep_secret)

    # ------------------------------------------------------------ signing out

    async def sign_out(self, account_id: str, *, everywhere: bool = False, forget: bool = False) -> None:
        account = self._accounts.get(account_id)
        if account is None:
            return
        await self._stop_task(account)
        if account.session is not None:
            session = account.session
            await self._bounded(session.sign_out(everywhere=everywhere), SIGN_OUT_TIMEOUT_S, "signing out")
            await self._close_session(account)
        await self._forget_secrets(account)
        if forget:
            self._store.forget(account_id)
            self._lists.forget(account_id)
        account.emit(ac.AccountPhaseChanged(AccountPhase.SIGNED_OUT))
        if forget:
            self._accounts.pop(account_id, None)

    async def close(self) -> None:
        """Unregister everywhere, keeping tokens; bounded in time."""
        await self._lists.close()
        accounts = tuple(self._accounts.values())
        await asyncio.gather(*(self._stop_task(account) for account in accounts))
        await asyncio.gather(*(self._close_session(account) for account in accounts))
        for account in accounts:
            async with account.secrets:
                continue  # what was about to be kept is kept

    async def _close_session(self, account: Account) -> None:
        session, account.session = account.session, None
        if session is not None:
            await self._bounded(session.close(), CLOSE_TIMEOUT_S, "closing the account")
            account.generation += 1

    @staticmethod
    async def _bounded(work: Any, timeout_s: float, what: str) -> None:
        try:
            await asyncio.wait_for(work, timeout_s)
        except TimeoutError:
            log.warning("%s took longer than %s s; gave up", what, timeout_s)
        except Exception:
            # The contract says that these never raise; a session that breaks it must not keep the window open.
            log.exception("%s failed", what)

    # ------------------------------------------------------------ secrets

    def _key(self, account: Account, name: str) -> str:
        return f"{account.record.vendor}:{account.account_id}:{name}"

    async def _open_credentials(self) -> None:
        """Finding the system's store takes up to a second, so only who signs in pays for it."""
        async with self._opening:
            if not self._opened:
                self._opened = True
                await self._credentials.open()

    async def _keep_secret(self, account: Account, name: str, value: str) -> None:
        async with account.secrets:
            await self._open_credentials()
            key = self._key(account, name)
            if value and account.record.stay_signed_in:
                await self._credentials.set(key, value)
            else:
                await self._credentials.delete(key)

    async def _forget_secrets(self, account: Account) -> None:
        for name in tuple(account.secret_names):
            await self._keep_secret(account, name, "")

    # ------------------------------------------------------------ asking

    async def perform(self, account_id: str, action: AccountAction) -> Any:
        account = self._account(account_id)
        if isinstance(action, ac.MarkCallsSeen):
            account.emit(ac.CountsChanged(missed_calls=0))
            return None
        session = self.session(account_id)
        capability = account.state.capabilities.get(type(action).__name__)
        if capability is not None and not capability.allowed:
            raise refused("account_not_allowed" if capability.present else "account_absent", capability.reason)
        try:
            result = await session.perform(action)
        except TimeoutError as error:
            raise refused("no_answer") from error
        await self._lists.performed(account, action)
        return result

    async def find(self, account_id: str, query: Query) -> Page:
        account = self._account(account_id)
        try:
            return await self._lists.find(account, query)
        except TimeoutError as error:
            raise refused("no_answer") from error

    def missed(self, account_id: str) -> None:
        """One more call that nobody answered."""
        account = self._accounts.get(account_id)
        if account is not None:
            account.emit(ac.CountsChanged(missed_calls=account.state.missed_calls + 1))

    def _account(self, account_id: str) -> Account:
        account = self._accounts.get(account_id)
        if account is None:
            raise refused("not_signed_in")
        return account

    # ------------------------------------------------------------ tasks

    def _start(self, work: Any, name: str) -> asyncio.Task[Any]:
        return self._tasks.start(work, name)

    def _replace_task(self, account: Account, work: Any) -> None:
        """Run *work* once what the account was doing has ended."""
        before = account.task

        async def run() -> None:
            if before is not None:
                before.cancel()
                await asyncio.wait({before})
            await work

        task = self._start(run(), f"account {account.account_id}")
        # Never started (cancelled before its first step): the coroutine would complain that nobody awaited it.
        task.add_done_callback(lambda _: work.close())
        account.task = task

    @staticmethod
    async def _stop_task(account: Account) -> None:
        task, account.task = account.task, None
        if task is not None and not task.done() and task is not asyncio.current_task():
            task.cancel()
            await asyncio.wait({task})


class DirectLists:
    """Asks the server every time."""

    async def find(self, account: Account, query: Query) -> Page:
        if account.session is None or not account.is_signed_in:
            raise refused("not_signed_in")
        return await account.session.find(query)

    def observe(self, account: Account, event: AccountEvent) -> None:
        """Keeps nothing, so nothing becomes stale."""

    async def performed(self, account: Account, action: AccountAction) -> None:
        """Keeps nothing."""

    def forget(self, account_id: str) -> None:
        """Keeps nothing."""

    async def close(self) -> None:
        """Keeps nothing."""
