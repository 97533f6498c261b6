"""Which accounts a person has: a small JSON file without secrets. Tokens are in :mod:`app.storage.credentials`."""

from __future__ import annotations

import dataclasses
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.storage.paths import set_aside
from app.storage.settings_file import write_private

log = logging.getLogger(__name__)

VERSION = 1
MAX_ACCOUNTS = 50
MAX_FIELD = 512
MAX_FILE_BYTES = 1_000_000
"""A list of ours has a few kilobytes; anything larger is not ours."""


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account as it is remembered between runs."""

    account_id: str
    vendor: str
    server: str
    user: str
    domain: str = ""
    display_name: str = ""
    stay_signed_in: bool = True
    missed_calls: int = 0
    """Not looked at yet."""


class AccountStore:
    """The records, in the order in which they were added. With *path* ``None`` nothing is kept.

    ``problems`` holds a sentence for each thing that could not be read or written. Lives on one thread.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._records: dict[str, AccountRecord] = {}
        self.problems: list[str] = []
        if path is not None:
            self._load(path)

    def records(self) -> tuple[AccountRecord, ...]:
        return tuple(self._records.values())

    def get(self, account_id: str) -> AccountRecord | None:
        return self._records.get(account_id)

    def keep(self, record: AccountRecord) -> None:
        """Add, or replace the one with the same id. Raises ``ValueError`` when there are too many."""
        if record.account_id not in self._records and len(self._records) >= MAX_ACCOUNTS:
            raise ValueError(f"Parley keeps at most {MAX_ACCOUNTS} accounts.")
        if self._records.get(record.account_id) != record:
            self._records[record.account_id] = record
            self._save()

    def forget(self, account_id: str) -> None:
        if self._records.pop(account_id, None) is not None:
            self._save()

    # ------------------------------------------------------------ file

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problems.append(f"The list of accounts could not be read ({error.strerror}).")
            self._path = None
            return
        try:
            if len(raw) > MAX_FILE_BYTES:
                raise ValueError("too large")
            entries = json.loads(raw)["accounts"]
            if not isinstance(entries, list):
                raise TypeError("not a list of accounts")
        except (ValueError, TypeError, KeyError, RecursionError):
            self._set_aside(path)
            return
        for entry in entries[:MAX_ACCOUNTS]:
            record = _record(entry)
            if record is not None:
                self._records[record.account_id] = record

    def _set_aside(self, path: Path) -> None:
        try:
            aside = set_aside(path)
            self.problems.append(f"The list of accounts is damaged. It was kept as “{aside.name}”.")
        except OSError as error:
            log.warning("damaged list of accounts could not be renamed: %s", error)
            self.problems.append("The list of accounts is damaged.")
            self._path = None

    def _save(self) -> None:
        if self._path is None:
            return
        entries = [dataclasses.asdict(record) for record in self._records.values()]
        text = json.dumps({"version": VERSION, "accounts": entries}, ensure_ascii=False, indent=1)
        try:
            write_private(self._path, text.encode())
        except OSError as error:
            log.warning("the list of accounts could not be written: %s", error)
            self.problems.append(f"The list of accounts could not be saved ({error.strerror}).")


def _record(entry: Any) -> AccountRecord | None:
    """``None`` for what is no account."""
    if not isinstance(entry, dict):
        return None
    values: dict[str, Any] = {}
    for one in dataclasses.fields(AccountRecord):
        wanted = {"stay_signed_in": bool, "missed_calls": int}.get(one.name, str)
        value = entry.get(one.name)
        if isinstance(value, wanted) and not (isinstance(value, str) and len(value) > MAX_FIELD):
            values[one.name] = value
    if not all(values.get(name) for name in ("account_id", "vendor", "server")) or "user" not in values:
        return None
    return AccountRecord(**values)
