from __future__ import annotations

import sqlite3
from pathlib import Path

from app.calls.model import frozen_map
from app.storage import history
from app.storage.history import History, MeetingRecord


def record(name: str, joined_at: int, duration_ms: int = 0) -> MeetingRecord:
    return MeetingRecord(
        f"https://host/{name}", "jitsi", name, "host", name, name, joined_at, duration_ms, frozen_map({"a": "b"})
    )


def test_meetings_survive_a_restart_newest_first(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    first = History(path)
    for number in range(3):
        first.remember(record(f"room{number}", number))
    first.remember(record("room0", 10, 60_000))
    first.remove("https://host/room1")
    first.rate("https://host/room0", 11, 5, "fine")
    first.close()
    second = History(path)
    assert [one.room for one in second.recent()] == ["room0", "room2"]
    assert second.recent()[0] == record("room0", 10, 60_000)
    second.close()
    second.close()
    database = sqlite3.connect(path)
    assert database.execute("SELECT overall FROM rating").fetchall() == [(5,)]
    assert database.execute("PRAGMA user_version").fetchone() == (len(history._MIGRATIONS),)
    database.close()
    assert path.stat().st_mode & 0o077 == 0


def test_the_list_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    store = History(path)
    for number in range(history.MAX_RECENT + 20):
        store.remember(record(f"room{number}", number))
    assert len(store.recent()) == history.MAX_RECENT
    store.close()
    again = History(path)
    assert len(again.recent()) == history.MAX_RECENT
    assert again.recent()[-1].room == "room20"
    again.clear()
    assert again.recent() == ()
    again.close()


def test_a_damaged_file_is_kept_aside(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"not a database at all, " * 100)
    store = History(path)
    assert store.recent() == ()
    assert "damaged" in store.problems[0]
    store.remember(record("new", 1))
    store.close()
    assert (tmp_path / "history.sqlite3.broken-1").exists()
    again = History(path)
    assert [one.room for one in again.recent()] == ["new"]
    again.close()


def test_without_a_file() -> None:
    store = History(None)
    store.remember(record("room", 1))
    assert len(store.recent()) == 1
    store.close()
