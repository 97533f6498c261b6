"""Crash reports: written to a file of this computer, shown at the next start, never sent anywhere."""

from __future__ import annotations

import faulthandler
import logging
import platform
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO

from app import __version__
from app.logs import redact
from app.storage.paths import PRIVATE_FILE, make_private_folder

log = logging.getLogger(__name__)

MAX_REPORTS = 5
"""The oldest goes first."""
MAX_REPORT = 64_000
"""Characters of a report."""
_TOLD_FILE = "told"
_FAULT_FILE = "fault.txt"
"""Where the interpreter writes the stacks of all threads when native code crashes."""


class CrashHandler:
    """Takes over ``sys.excepthook`` and ``threading.excepthook`` from :meth:`install` to :meth:`uninstall`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._fault_file: IO[str] | None = None
        self._installed = False

    def install(self) -> None:
        try:
            make_private_folder(self._folder)
            self._keep_last_fault()
            self._fault_file = (self._folder / _FAULT_FILE).open("w", encoding="utf-8")
            faulthandler.enable(self._fault_file)
        except OSError as error:
            log.warning("crash reports cannot be kept: %s", error)
            return
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        self._installed = True

    def uninstall(self) -> None:
        if not self._installed:
            return
        self._installed = False
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        faulthandler.disable()
        if self._fault_file is not None:
            self._fault_file.close()
            (self._folder / _FAULT_FILE).unlink(missing_ok=True)

    def pending(self) -> tuple[Path, ...]:
        """Reports of earlier runs, newest first; the window shows them and then calls :meth:`dismiss`."""
        try:
            return tuple(sorted(self._folder.glob("crash-*.txt"), reverse=True))
        except OSError:
            return ()

    def told(self) -> frozenset[str]:
        """Names of the reports that the person has been told of."""
        try:
            return frozenset((self._folder / _TOLD_FILE).read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError):
            return frozenset()

    def mark_told(self) -> None:
        names = " ".join(path.name for path in self.pending())
        if not names:
            return
        try:
            (self._folder / _TOLD_FILE).write_text(names, encoding="utf-8")
        except OSError as error:
            log.warning("crash reports will be told of again: %s", error)

    def dismiss(self) -> None:
        for path in self.pending():
            path.unlink(missing_ok=True)

    def write(self, title: str, details: str) -> Path | None:
        """Write a report; returns its path, or ``None`` when it could not be kept."""
        stamp = time.strftime("%Y%m%d-%H%M%S") + f"-{time.time_ns() % 1_000_000_000:09d}"
        path = self._folder / f"crash-{stamp}.txt"
        system = f"Parley {__version__}, Python {platform.python_version()}, {platform.platform()}"
        try:
            path.touch(mode=PRIVATE_FILE)
            path.write_text(f"{title}\n{system}\n\n{_redact_lines(details)}"[:MAX_REPORT], encoding="utf-8")
            for old in self.pending()[MAX_REPORTS:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("the crash report could not be written: %s", error)
            return None
        return path

    def _keep_last_fault(self) -> None:
        path = self._folder / _FAULT_FILE
        if path.exists():
            text = path.read_text(encoding="utf-8", errors="replace")
            if text.strip():
                self.write("Parley was ended by a fault in native code.", text)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        log.critical("unhandled error\n%s", text)
        self.write(f"Unhandled {kind.__name__}", text)

    def _on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        text = "".join(traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback))
        name = args.thread.name if args.thread else "unknown thread"
        log.critical("unhandled error in %s\n%s", name, text)
        self.write(f"Unhandled {args.exc_type.__name__} in {name}", text)


def _redact_lines(text: str) -> str:
    return "\n".join(redact(line) for line in text.splitlines())
