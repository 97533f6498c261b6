"""SQLite files of this user alone, led from version to version by ``user_version``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from app.storage.paths import PRIVATE_FILE, make_private_folder

BUSY_TIMEOUT_S = 2.0
"""Another running Parley may hold the file for a moment."""


def open_database(path: Path | None, migrations: Sequence[str]) -> sqlite3.Connection:
    """The database at *path* (``None``: in memory), made if missing, at the newest version.

    ``migrations[n]`` leads from ``user_version`` n to n + 1. Raises ``OSError`` when the file cannot be made and
    ``sqlite3.Error`` when it cannot be used.
    """
    if path is not None:
        make_private_folder(path.parent)
        path.touch(mode=PRIVATE_FILE, exist_ok=True)
    database = sqlite3.connect(
        path or ":memory:", timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level="IMMEDIATE"
    )
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        migrate(database, migrations)
    except sqlite3.Error:
        database.close()
        raise
    return database


def migrate(database: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """One script per step, so that a crash leaves either the old version or the new one."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    for number in range(version, len(migrations)):
        database.executescript(f"BEGIN; {migrations[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def companions(path: Path) -> tuple[Path, ...]:
    """The files that SQLite keeps beside *path*."""
    return tuple(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
