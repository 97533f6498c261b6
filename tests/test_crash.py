from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from app.crash import MAX_REPORTS, CrashHandler

CRASH = """
import sys, pathlib, threading
from app.crash import CrashHandler
CrashHandler(pathlib.Path(sys.argv[1])).install()
if sys.argv[2] == "thread":
    worker = threading.Thread(target=lambda: 1 / 0, name="worker-7")
    worker.start(); worker.join()
elif sys.argv[2] == "native":
    import faulthandler
    faulthandler._sigsegv()
else:
    raise RuntimeError("password=hunter2abc")
"""


def crash(folder: Path, how: str) -> None:
    subprocess.run([sys.executable, "-c", CRASH, str(folder), how], check=False, capture_output=True, timeout=60)


def test_an_error_leaves_a_report_without_secrets(tmp_path: Path) -> None:
    crash(tmp_path, "error")
    handler = CrashHandler(tmp_path)
    (report,) = handler.pending()
    text = report.read_text()
    assert "RuntimeError" in text and "Parley" in text and "hunter2abc" not in text
    handler.dismiss()
    assert handler.pending() == ()


def test_an_error_in_a_thread_names_it(tmp_path: Path) -> None:
    crash(tmp_path, "thread")
    (report,) = CrashHandler(tmp_path).pending()
    assert "worker-7" in report.read_text()


def test_a_native_fault_is_reported_at_the_next_start(tmp_path: Path) -> None:
    crash(tmp_path, "native")
    handler = CrashHandler(tmp_path)
    handler.install()
    try:
        (report,) = handler.pending()
        assert "native code" in report.read_text()
    finally:
        handler.uninstall()


def test_reports_are_bounded(tmp_path: Path) -> None:
    handler = CrashHandler(tmp_path)
    for number in range(MAX_REPORTS + 3):
        handler.write(f"number {number}", "details")
    assert len(handler.pending()) == MAX_REPORTS
