"""Recent meetings and ratings, in SQLite. All statements run on one worker thread; readers get a copy in memory."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from app.calls.model import frozen_map
from app.storage.database import BUSY_TIMEOUT_S, companions, open_database
from app.storage.paths import PRIVATE_FILE, make_private_folder, set_aside

log = logging.getLogger(__name__)

MAX_RECENT = 100
"""Meetings kept; the oldest goes first."""
CLOSE_TIMEOUT_S = 3.0
"""Closing waits this long for the worker; a disk that hangs must not hold the window."""

_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meeting (
        url TEXT PRIMARY KEY, vendor TEXT NOT NULL, text TEXT NOT NULL, server TEXT NOT NULL, room TEXT NOT NULL,
        title TEXT NOT NULL, extra TEXT NOT NULL, joined_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL
    );
    CREATE INDEX meeting_joined_at ON meeting (joined_at);
    CREATE TABLE rating (
        id INTEGER PRIMARY KEY, url TEXT NOT NULL, rated_at INTEGER NOT NULL, overall INTEGER NOT NULL,
        details TEXT NOT NULL
    );
    """,
)
"""``_MIGRATIONS[n]`` leads from ``user_version`` n to n + 1. Never change one that has been released."""


@dataclass(frozen=True, slots=True)
class MeetingRecord:
    """One remembered meeting. The fields of an address, plus when and how long."""

    url: str
    vendor: str
    text: str
    server: str
    room: str
    title: str
    joined_at: int
    """Milliseconds since the epoch."""
    duration_ms: int = 0
    extra: Mapping[str, str] = field(default_factory=frozen_map)


class History:
    """Open on construction without blocking; :meth:`recent` waits for the first read, a few milliseconds."""

    def __init__(self, path: Path | None) -> None:
        """*path* ``None`` keeps the history in memory only."""
        self._path = path
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="history")
        self._connection: sqlite3.Connection | None = None
        self._recent: dict[str, MeetingRecord] | None = None
        self._closed = False
        self.problems: list[str] = []
        self._opening: Future[dict[str, MeetingRecord]] = self._worker.submit(self._open)

    def recent(self) -> tuple[MeetingRecord, ...]:
        """Newest first."""
        return tuple(sorted(self._cache().values(), key=lambda record: record.joined_at, reverse=True))

    def remember(self, record: MeetingRecord) -> None:
        """Add or renew; one entry per URL."""
        cache = self._cache()
        cache[record.url] = record
        while len(cache) > MAX_RECENT:
            del cache[min(cache.values(), key=lambda one: one.joined_at).url]
        self._submit(lambda database: _write(database, record))

    def remove(self, url: str) -> None:
        self._cache().pop(url, None)
        self._submit(lambda database: database.execute("DELETE FROM meeting WHERE url = ?", (url,)))

    def clear(self) -> None:
        self._cache().clear()
        self._submit(lambda database: database.execute("DELETE FROM meeting"))

    def rate(self, url: str, rated_at: int, overall: int, details: str) -> None:
        """Keep somebody's rating of a meeting."""
        values = (url, rated_at, overall, details)
        self._submit(
            lambda database: database.execute(
                "INSERT INTO rating (url, rated_at, overall, details) VALUES (?, ?, ?, ?)", values
            )
        )

    def close(self) -> None:
        """Finish what is queued, bounded in time. Idempotent."""
        if self._closed:
            return
        self._closed = True
        closing = self._worker.submit(self._close)
        try:
            closing.result(timeout=CLOSE_TIMEOUT_S)
        except TimeoutError:
            log.warning("the history did not close in time")
        self._worker.shutdown(wait=False, cancel_futures=True)

    # ------------------------------------------------------------ worker thread

    def _cache(self) -> dict[str, MeetingRecord]:
        if self._recent is None:
            self._recent = self._opening.result(timeout=BUSY_TIMEOUT_S + CLOSE_TIMEOUT_S)
        return self._recent

    def _submit(self, statement: Callable[[sqlite3.Connection], object]) -> None:
        if not self._closed:
            self._worker.submit(self._run, statement)

    def _run(self, statement: Callable[[sqlite3.Connection], object]) -> None:
        if self._connection is None:
            return
        try:
            with self._connection:
                statement(self._connection)
        except sqlite3.Error as error:
            log.warning("the history could not be written: %s", error)

    def _open(self) -> dict[str, MeetingRecord]:
        try:
            return self._read()
        except sqlite3.DatabaseError as error:
            if self._path is None or "locked" in str(error):
                log.warning("the history could not be opened: %s", error)
                return {}
        return self._start_again(self._path)

    def _start_again(self, path: Path) -> dict[str, MeetingRecord]:
        self._close()
        try:
            aside = set_aside(path)
            for beside in companions(path):
                beside.unlink(missing_ok=True)
            self.problems.append(f"The list of recent meetings is damaged. It was kept as “{aside.name}”.")
            return self._read()
        except (OSError, sqlite3.Error) as error:
            log.warning("the history could not be started again: %s", error)
            return {}

    def _read(self) -> dict[str, MeetingRecord]:
        if self._path is not None:
            try:
                make_private_folder(self._path.parent)
                self._path.touch(mode=PRIVATE_FILE, exist_ok=True)
            except OSError as error:
                self.problems.append(f"Recent meetings are not kept ({error.strerror}).")
                self._path = None
        self._connection = open_database(self._path, _MIGRATIONS)
        rows = self._connection.execute(
            "SELECT url, vendor, text, server, room, title, extra, joined_at, duration_ms FROM meeting"
            " ORDER BY joined_at DESC LIMIT ?",
            (MAX_RECENT,),
        ).fetchall()
        return {row[0]: _record(row) for row in rows}

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _write(database: sqlite3.Connection, record: MeetingRecord) -> None:
    database.execute(
        "INSERT OR REPLACE INTO meeting (url, vendor, text, server, room, title, extra, joined_at, duration_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.url,
            record.vendor,
            record.text,
            record.server,
            record.room,
            record.title,
            json.dumps(dict(record.extra)),
            record.joined_at,
            record.duration_ms,
        ),
    )
    database.execute(
        "DELETE FROM meeting WHERE url NOT IN (SELECT url FROM meeting ORDER BY joined_at DESC LIMIT ?)", (MAX_RECENT,)
    )


def _record(row: tuple[str, str, str, str, str, str, str, int, int]) -> MeetingRecord:
    url, vendor, text, server, room, title, extra, joined_at, duration_ms = row
    try:
        loaded = json.loads(extra)
    except ValueError:
        loaded = {}
    details = {str(key): str(value) for key, value in loaded.items()} if isinstance(loaded, dict) else {}
    return MeetingRecord(url, vendor, text, server, room, title, joined_at, duration_ms, frozen_map(details))
