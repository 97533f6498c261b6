"""The settings file: JSON, for this user alone, written whole or not at all, migrated by version."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.storage import settings
from app.storage.paths import PRIVATE_FILE, make_private_folder, set_aside

log = logging.getLogger(__name__)

VERSION = 1
MAX_FILE_BYTES = 1_000_000
"""A settings file of ours has a few kilobytes; anything larger is not ours."""

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: Mapping[int, Migration] = {}
"""From the version that is the key to the next one: a function of the values. There is only one version so far."""


class SettingsStore:
    """Values of all declared settings, kept in a file.

    ``problems`` holds a sentence for each thing that could not be read; the window shows them once. With *path*
    ``None`` nothing is kept (headless runs, tests). Lives on one thread.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values = settings.defaults()
        self._unknown: dict[str, Any] = {}
        self._listeners: list[Callable[[Mapping[str, Any]], None]] = []
        self.problems: list[str] = []
        if path is not None:
            self._load(path)

    def get(self, key: str) -> Any:
        """Raises ``KeyError`` for a key that is not declared."""
        return self._values[key]

    def values(self) -> dict[str, settings.Value]:
        return dict(self._values)

    def set(self, key: str, value: Any) -> None:
        """Validate, keep, tell listeners. Raises ``ValueError`` with a sentence; then nothing has changed."""
        self.update({key: value})

    def update(self, changes: Mapping[str, Any]) -> None:
        checked = {key: settings.check(key, value) for key, value in changes.items()}
        changed = {key: value for key, value in checked.items() if self._values[key] != value}
        if not changed:
            return
        self._values.update(changed)
        self._save()
        for listener in tuple(self._listeners):
            listener(changed)

    def override(self, changes: Mapping[str, Any]) -> None:
        """Values for this run only (command-line options): validated, not written, listeners not told."""
        checked = {key: settings.check(key, value) for key, value in changes.items()}
        self._values.update(checked)

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        """*listener* gets the changed keys with their new values."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    # ------------------------------------------------------------ file

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return
        except OSError as error:
            self.problems.append(f"The settings could not be read ({error.strerror}); the defaults are used.")
            self._path = None
            return
        try:
            if len(raw) > MAX_FILE_BYTES:
                raise ValueError("too large")
            document = json.loads(raw)
            version, values = document["version"], document["settings"]
            if not isinstance(version, int) or not isinstance(values, dict):
                raise TypeError("not a settings file")
        except (ValueError, TypeError, KeyError, RecursionError):
            self._set_broken_file_aside(path)
            return
        if version > VERSION:
            self.problems.append("The settings were written by a newer Parley; what this one does not know is kept.")
        for step in range(version, VERSION):
            values = MIGRATIONS[step](values) if step in MIGRATIONS else values
        self._take(values)

    def _set_broken_file_aside(self, path: Path) -> None:
        try:
            aside = set_aside(path)
        except OSError as error:
            log.warning("damaged settings file could not be renamed: %s", error)
            self.problems.append("The settings file is damaged; the defaults are used.")
            self._path = None
            return
        self.problems.append(f"The settings file is damaged. It was kept as “{aside.name}”, the defaults are used.")

    def _take(self, values: Mapping[str, Any]) -> None:
        for key, value in values.items():
            if key not in settings.SETTINGS:
                self._unknown[key] = value
                continue
            try:
                self._values[key] = settings.check(key, value)
            except ValueError as error:
                self.problems.append(f"{error} The default is used.")

    def _save(self) -> None:
        if self._path is None:
            return
        defaults = settings.defaults()
        kept: dict[str, Any] = dict(self._unknown)
        kept.update({key: value for key, value in self._values.items() if value != defaults[key]})
        text = json.dumps({"version": VERSION, "settings": kept}, ensure_ascii=False, indent=1, sort_keys=True)
        try:
            write_private(self._path, text.encode())
        except OSError as error:
            log.warning("settings could not be written: %s", error)
            self.problems.append(f"The settings could not be saved ({error.strerror}).")


def write_private(path: Path, content: bytes) -> None:
    """Replace *path* with *content* in one step; readable and writable by this user alone."""
    make_private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), PRIVATE_FILE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
