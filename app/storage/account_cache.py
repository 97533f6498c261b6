"""Contacts and call logs of accounts, in SQLite, so that ten thousand of them page and search at once.

A cache: when it is damaged it is made anew. All statements run on one worker thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from app.calls.accounts import CallLogEntry, Contact, FindCalls, FindContacts, Page, PhoneNumber
from app.calls.model import frozen_map
from app.storage.database import companions, open_database

log = logging.getLogger(__name__)

MAX_ENTRIES = 20_000
"""Contacts, and calls, kept of one account; twice what is promised to search quickly."""
MAX_LIMIT = 1_000
MAX_WORDS = 8
"""Of a search text; more only makes it slower."""
MAX_SEARCHED = 1_000
"""Characters of one entry that are searched."""
CLOSE_TIMEOUT_S = 3.0
CONTACTS = "contacts"
CALL_LOG = "call_log"

_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE contact (
        account_id TEXT NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, numbers TEXT NOT NULL,
        email TEXT NOT NULL, user_id TEXT NOT NULL, favourite INTEGER NOT NULL, personal INTEGER NOT NULL,
        fields TEXT NOT NULL, search TEXT NOT NULL, sort TEXT NOT NULL, PRIMARY KEY (account_id, source, id)
    ) WITHOUT ROWID;
    CREATE INDEX contact_sort ON contact (account_id, sort);
    CREATE TABLE call (
        account_id TEXT NOT NULL, id TEXT NOT NULL, direction TEXT NOT NULL, status TEXT NOT NULL,
        started_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL, name TEXT NOT NULL, number TEXT NOT NULL,
        requested TEXT NOT NULL, recordings TEXT NOT NULL, tags TEXT NOT NULL, search TEXT NOT NULL,
        PRIMARY KEY (account_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX call_started_at ON call (account_id, started_at);
    CREATE TABLE complete (account_id TEXT NOT NULL, list TEXT NOT NULL, PRIMARY KEY (account_id, list));
    """,
)
"""``_MIGRATIONS[n]`` leads from ``user_version`` n to n + 1. Never change one that has been released."""

_CONTACT = "source, id, name, numbers, email, user_id, favourite, personal, fields"
_CALL = "id, direction, status, started_at, duration_ms, name, number, requested, recordings, tags"

T = TypeVar("T")


def fold(text: str) -> str:
    """*text* for comparing: without accents, case and repeated white space."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())


class AccountCache:
    """Opens on first use. Every method returns quickly; failing ones are logged and answer as if nothing was kept."""

    def __init__(self, path: Path | None = None) -> None:
        """*path* ``None`` keeps it in memory only."""
        self._path = path
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cache")
        self._database: sqlite3.Connection | None = None
        self._closed = False

    # ------------------------------------------------------------ reading

    async def complete(self, account_id: str, what: str) -> bool:
        """Whether everything the server has is (or at least was) here. *what*: ``contacts`` or ``call_log``."""
        query = "SELECT 1 FROM complete WHERE account_id = ? AND list = ?"
        return await self._run(lambda base: base.execute(query, (account_id, what)).fetchone() is not None, False)

    async def find_contacts(self, account_id: str, query: FindContacts) -> Page:
        """By name."""
        where, values = _words(query.text)
        if query.sources:
            where += f" AND source IN ({', '.join('?' * len(query.sources))})"
            values += query.sources
        where += " AND favourite = 1" if query.favourites else ""
        where += " AND personal = 1" if query.personal else ""
        return await self._run(
            lambda base: _page(
                base,
                f"SELECT {_CONTACT} FROM contact WHERE account_id = ?{where} ORDER BY sort, source, id",
                f"SELECT count(*) FROM contact WHERE account_id = ?{where}",
                (account_id, *values),
                query,
                _contact,
            ),
            Page((), 0),
        )

    async def find_calls(self, account_id: str, query: FindCalls) -> Page:
        """Newest first; with ``distinct_peers`` the newest with each number."""
        where, values = _words(query.text)
        for column, wanted in (("direction", query.direction), ("status", query.status), ("number", query.number)):
            if wanted:
                where += f" AND {column} = ?"
                values += (wanted,)
        for comparison, moment in ((">=", query.since), ("<", query.until)):
            if moment is not None:
                where += f" AND started_at {comparison} ?"
                values += (moment,)
        # SQLite takes the other columns from the row that has the maximum.
        one_each = query.distinct_peers
        columns = _CALL.replace("started_at", "max(started_at)") if one_each else _CALL
        group = " GROUP BY number" if one_each else ""
        counted = "count(DISTINCT number)" if one_each else "count(*)"
        return await self._run(
            lambda base: _page(
                base,
                f"SELECT {columns} FROM call WHERE account_id = ?{where}{group} ORDER BY 4 DESC, id DESC",
                f"SELECT {counted} FROM call WHERE account_id = ?{where}",
                (account_id, *values),
                query,
                _call,
            ),
            Page((), 0),
        )

    async def newest_call(self, account_id: str) -> int | None:
        """When the newest call began."""
        query = "SELECT max(started_at) FROM call WHERE account_id = ?"
        return await self._run(lambda base: base.execute(query, (account_id,)).fetchone()[0], None)

    # ------------------------------------------------------------ writing

    async def replace_contacts(self, account_id: str, contacts: Iterable[Contact]) -> bool:
        """These are all contacts there are; true when that is new."""
        rows = {(one.source, one.id): _contact_row(account_id, one) for one in list(contacts)[:MAX_ENTRIES]}
        return await self._run(lambda base: _replace(base, account_id, CONTACTS, "contact", list(rows.values())), False)

    async def replace_calls(self, account_id: str, calls: Iterable[CallLogEntry]) -> bool:
        """These are all calls there are; true when that is new."""
        rows = {one.id: _call_row(account_id, one) for one in list(calls)[:MAX_ENTRIES]}
        return await self._run(lambda base: _replace(base, account_id, CALL_LOG, "call", list(rows.values())), False)

    async def add_calls(self, account_id: str, calls: Iterable[CallLogEntry]) -> bool:
        """Add or replace some; the oldest go when there are too many. True when something changed."""
        rows = [_call_row(account_id, one) for one in list(calls)[:MAX_ENTRIES]]
        return await self._run(lambda base: _add_calls(base, account_id, rows), False)

    async def set_favourite(self, account_id: str, contact: Contact, favourite: bool) -> None:
        query = "UPDATE contact SET favourite = ? WHERE account_id = ? AND source = ? AND id = ?"
        values = (int(favourite), account_id, contact.source, contact.id)
        await self._run(lambda base: base.execute(query, values), None)

    async def forget(self, account_id: str) -> None:
        """Drop everything of an account."""

        def drop(base: sqlite3.Connection) -> None:
            for table in ("contact", "call", "complete"):
                base.execute(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))

        await self._run(drop, None)

    async def close(self) -> None:
        """Finish what is queued, bounded in time. Idempotent."""
        if self._closed:
            return
        self._closed = True
        closing = asyncio.wrap_future(self._worker.submit(self._close))
        try:
            await asyncio.wait_for(closing, CLOSE_TIMEOUT_S)
        except TimeoutError:
            log.warning("the cache of accounts did not close in time")
        self._worker.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------ worker thread

    async def _run(self, statement: Callable[[sqlite3.Connection], T], otherwise: Any) -> T:
        if self._closed:
            return otherwise  # type: ignore[no-any-return]
        return await asyncio.wrap_future(self._worker.submit(self._do, statement, otherwise))

    def _do(self, statement: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        try:
            if self._database is None:
                self._database = self._open()
            with self._database:
                return statement(self._database)
        except (sqlite3.Error, OSError) as error:
            log.warning("the cache of accounts failed: %s", type(error).__name__)
            return otherwise

    def _open(self) -> sqlite3.Connection:
        try:
            return open_database(self._path, _MIGRATIONS)
        except sqlite3.DatabaseError as error:
            if self._path is None or isinstance(error, sqlite3.OperationalError):
                raise
            log.warning("the cache of accounts is damaged; it is made anew")
            for path in (self._path, *companions(self._path)):
                path.unlink(missing_ok=True)
            return open_database(self._path, _MIGRATIONS)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _words(text: str) -> tuple[str, tuple[Any, ...]]:
    """A condition that every word of *text* occurs, and its values."""
    words = fold(text[:MAX_SEARCHED]).split()[:MAX_WORDS]
    escaped = (word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words)
    return " AND search LIKE ? ESCAPE '\\'" * len(words), tuple(f"%{word}%" for word in escaped)


def _page(
    base: sqlite3.Connection,
    select: str,
    count: str,
    values: tuple[Any, ...],
    query: FindContacts | FindCalls,
    make: Callable[[Any], Any],
) -> Page:
    limit, offset = min(MAX_LIMIT, max(0, query.limit)), max(0, query.offset)
    rows = base.execute(f"{select} LIMIT ? OFFSET ?", (*values, limit, offset)).fetchall()
    (total,) = base.execute(count, values).fetchone()
    return Page(tuple(make(row) for row in rows), total)


def _replace(base: sqlite3.Connection, account_id: str, what: str, table: str, rows: list[tuple[Any, ...]]) -> bool:
    base.execute("INSERT OR IGNORE INTO complete (account_id, list) VALUES (?, ?)", (account_id, what))
    before = set(base.execute(f"SELECT * FROM {table} WHERE account_id = ?", (account_id,)).fetchall())
    if before == set(rows):
        return False
    base.execute(f"DELETE FROM {table} WHERE account_id = ?", (account_id,))
    _insert(base, table, rows)
    return True


def _add_calls(base: sqlite3.Connection, account_id: str, rows: list[tuple[Any, ...]]) -> bool:
    known = "SELECT * FROM call WHERE account_id = ? AND id = ?"
    new = [row for row in rows if base.execute(known, row[:2]).fetchone() != row]
    _insert(base, "call", new)
    base.execute(
        "DELETE FROM call WHERE account_id = ?1 AND id NOT IN"
        " (SELECT id FROM call WHERE account_id = ?1 ORDER BY started_at DESC LIMIT ?2)",
        (account_id, MAX_ENTRIES),
    )
    return bool(new)


def _insert(base: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        base.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _contact_row(account_id: str, one: Contact) -> tuple[Any, ...]:
    numbers = [[number.number, number.label] for number in one.numbers]
    digits = ["".join(char for char in number.number if char.isalnum() or char in "+*#") for number in one.numbers]
    searched = " ".join(
        (one.name, one.email, *(number.number for number in one.numbers), *digits, *one.fields.values())
    )
    return (
        account_id,
        one.source,
        one.id,
        one.name,
        json.dumps(numbers),
        one.email,
        one.user_id,
        int(one.favourite),
        int(one.personal),
        json.dumps(dict(one.fields), sort_keys=True),
        fold(searched[:MAX_SEARCHED]),
        fold(one.name),
    )


def _contact(row: tuple[Any, ...]) -> Contact:
    source, identifier, name, numbers, email, user_id, favourite, personal, fields = row
    return Contact(
        identifier,
        source,
        name,
        tuple(PhoneNumber(number, label) for number, label in json.loads(numbers)),
        email,
        user_id,
        bool(favourite),
        bool(personal),
        frozen_map(json.loads(fields)),
    )


def _call_row(account_id: str, one: CallLogEntry) -> tuple[Any, ...]:
    return (
        account_id,
        one.id,
        one.direction,
        one.status,
        one.started_at,
        one.duration_ms,
        one.name,
        one.number,
        one.requested,
        json.dumps(one.recordings),
        json.dumps(one.tags),
        fold(f"{one.name} {one.number} {one.requested}"[:MAX_SEARCHED]),
    )


def _call(row: tuple[Any, ...]) -> CallLogEntry:
    identifier, direction, status, started_at, duration_ms, name, number, requested, recordings, tags = row
    return CallLogEntry(
        identifier,
        direction,
        status,
        started_at,
        duration_ms,
        name,
        number,
        requested,
        tuple(json.loads(recordings)),
        tuple(json.loads(tags)),
    )
