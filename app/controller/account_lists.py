"""Contacts and call logs answered from the cache, which follows the server by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Any

from app.calls import accounts as ac
from app.calls.accounts import AccountAction, AccountEvent, AccountPhase, FindCalls, FindContacts, Page, Query, Service
from app.controller.accounts import Account
from app.controller.refusals import refused
from app.controller.tasks import TaskScope
from app.storage.account_cache import CALL_LOG, CONTACTS, MAX_ENTRIES, AccountCache
from app.vendors.base import ActionRefused

log = logging.getLogger(__name__)

PAGE = 500
"""Entries asked for at once when everything is read."""
PAUSE_S = 2.0
"""A list that changed is read again after this: a burst of changes is one reading."""
OVERLAP_MS = 3_600_000
"""Calls enter the log when they end, in the order in which they end; an hour back finds those that began before."""

_SERVICES = {CONTACTS: Service.DIRECTORY, CALL_LOG: Service.CALL_LOG}
_LISTS = {"contacts": CONTACTS, "favourites": CONTACTS, "call_log": CALL_LOG}


class CachedLists:
    """Implements :class:`app.controller.accounts.Lists`.

    A list is read whole once after signing in; from then on it is searched here. What is not found here is asked of the
    server, whose directory may look into places that cannot be listed.
    """

    def __init__(self, cache: AccountCache) -> None:
        self._cache = cache
        self._tasks = TaskScope()
        self._reading: set[tuple[str, str]] = set()
        self._stale: set[tuple[str, str]] = set()
        self._read: set[tuple[str, int, str]] = set()
        """(account, generation of its session, list) that were read whole."""
        self._telling = False
        self._closed = False

    # ------------------------------------------------------------ answering

    async def find(self, account: Account, query: Query) -> Page:
        page = await self._kept(account, query)
        if page is not None:
            return page
        if account.session is None or not account.is_signed_in:
            raise refused("not_signed_in")
        return await account.session.find(query)

    async def _kept(self, account: Account, query: Query) -> Page | None:
        """The answer of the cache; ``None`` when the server must be asked."""
        if isinstance(query, FindContacts):
            if not await self._cache.complete(account.account_id, CONTACTS):
                return None
            page = await self._cache.find_contacts(account.account_id, query)
            elsewhere = not page.total and bool(query.text.strip()) and not query.favourites and not query.personal
        elif isinstance(query, FindCalls):
            if not await self._cache.complete(account.account_id, CALL_LOG):
                return None
            page = await self._cache.find_calls(account.account_id, query)
            elsewhere = False
        else:
            return None
        return None if elsewhere and account.is_signed_in else page

    # ------------------------------------------------------------ following

    def observe(self, account: Account, event: AccountEvent) -> None:
        if isinstance(event, (ac.AccountPhaseChanged, ac.ProfileChanged)):
            if account.state.phase is AccountPhase.SIGNED_IN:
                for what in _SERVICES:
                    if (account.account_id, account.generation, what) not in self._read:
                        self._follow(account, what, whole=True)
        elif isinstance(event, ac.ListChanged) and event.what in _LISTS and not self._telling:
            self._follow(account, _LISTS[event.what])

    async def performed(self, account: Account, action: AccountAction) -> None:
        """What an action of ours changed is seen at once, whether or not the server tells of it."""
        if isinstance(action, ac.SetFavourite):
            await self._cache.set_favourite(account.account_id, action.contact, action.favourite)
            self._tell(account, "favourites")
        elif isinstance(action, (ac.SaveContact, ac.DeleteContact, ac.ImportContacts)):
            self._follow(account, CONTACTS, at_once=True)

    def forget(self, account_id: str) -> None:
        self._tasks.start(self._cache.forget(account_id), "forget")

    async def close(self) -> None:
        self._closed = True
        await self._tasks.close()
        await self._cache.close()

    def _follow(self, account: Account, what: str, *, whole: bool = False, at_once: bool = False) -> None:
        if self._closed or _SERVICES[what] not in account.state.services:
            return
        key = (account.account_id, what)
        if key in self._reading:
            self._stale.add(key)
            return
        self._reading.add(key)
        self._tasks.start(self._keep_up(account, what, 0.0 if whole or at_once else PAUSE_S), f"read {what}")

    async def _keep_up(self, account: Account, what: str, pause_s: float) -> None:
        key = (account.account_id, what)
        try:
            while True:
                await asyncio.sleep(pause_s)
                self._stale.discard(key)
                await self._read_list(account, what)
                if key not in self._stale:
                    return
                pause_s = PAUSE_S
        except ActionRefused as error:
            log.info("%s could not be read: %s", what, error.failure.code)
        except TimeoutError:
            log.info("%s could not be read in time", what)
        finally:
            self._reading.discard(key)

    async def _read_list(self, account: Account, what: str) -> None:
        first = (account.account_id, account.generation, what)
        known = await self._cache.complete(account.account_id, what)
        if what == CALL_LOG and known:
            # Also after signing in: entries of a log do not change, new ones come.
            since = await self._cache.newest_call(account.account_id)
            items = await self._all(account, FindCalls(since=None if since is None else since - OVERLAP_MS))
            changed = items is not None and await self._cache.add_calls(account.account_id, items)
        elif what == CALL_LOG:
            items = await self._all(account, FindCalls())
            changed = items is not None and await self._cache.replace_calls(account.account_id, items)
        else:
            items = await self._all(account, FindContacts())
            changed = bool(items) and await self._cache.replace_contacts(account.account_id, items or ())
        self._read.add(first)
        if changed:
            self._tell(account, what)

    @staticmethod
    async def _all(account: Account, query: FindContacts | FindCalls) -> list[Any] | None:
        """Every entry, ``None`` when the server does not say how many there are."""
        items: list[Any] = []
        while len(items) < MAX_ENTRIES:
            session = account.session
            if session is None or not account.is_signed_in:
                return None
            page = await session.find(replace(query, offset=len(items), limit=PAGE))
            if page.total is None:
                return None
            items.extend(page.items)
            if not page.items or len(items) >= page.total:
                break
        return items

    def _tell(self, account: Account, what: str) -> None:
        self._telling = True
        try:
            account.emit(ac.ListChanged(what))
        finally:
            self._telling = False
