"""``parley``: the window, meetings without a window, the demo, the sandbox, the doctor."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from app import logs
from app.cli import parser
from app.crash import CrashHandler
from app.storage.paths import Paths, user_paths
from app.storage.settings_file import SettingsStore


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = parser.parse(arguments)
    paths = user_paths()
    store = SettingsStore(paths.settings)
    level = options.log_level or store.get("diagnostics.log_level")
    logs.set_up(paths.logs, level, console=options.log_level is not None)
    if options.command == "doctor":
        from app.cli import doctor

        return doctor.run(paths)
    if options.command == "sandbox":
        from app.cli import sandbox

        return asyncio.run(
            sandbox.serve(options.port, options.bots, vendor=options.vendor, until_eof=options.until_eof)
        )
    crashes = CrashHandler(paths.crashes)
    if store.get("diagnostics.crash_reports"):
        crashes.install()
    code = _meet(options, paths, store)
    # Not in a "finally": an error on its way out is what the handler is for.
    crashes.uninstall()
    return code


def _meet(options: argparse.Namespace, paths: Paths, store: SettingsStore) -> int:
    if options.command is not None and options.headless:
        from app.cli import meeting

        return meeting.run_headless(options, store)
    from app.cli import window

    return window.run(options, paths, store)


if __name__ == "__main__":
    sys.exit(main())
