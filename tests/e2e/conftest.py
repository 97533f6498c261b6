"""Whole programs against the sandbox, on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.jitsi import ThreadedSandbox
from tests.e2e.device_lab import Lab
from tests.ui.shell.conftest import english  # noqa: F401 - a fixture: the application in English

ROOT = Path(__file__).resolve().parents[2]
PROGRAM_TIMEOUT_S = 90.0
"""A hung program fails its test; nothing here takes a third of this on a loaded machine."""


@pytest.fixture
def sandbox() -> Iterator[ThreadedSandbox]:
    """A server with three bots that keep still, on a loop of its own."""
    with ThreadedSandbox(bots=3) as box:
        yield box


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A process on a computer with microphones, loudspeakers, cameras and a screen."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


class Finished:
    """A program that has ended: ``code``, ``out``, ``err``, and its report if it wrote one."""

    def __init__(self, process: subprocess.CompletedProcess[str], report: Path) -> None:
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr
        self.report: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}

    def tracks(self, kind: str, of: str = "remote_tracks") -> list[dict[str, Any]]:
        return [one for one in self.report[of] if one["kind"] == kind]


@pytest.fixture
def command() -> Callable[..., list[str]]:
    """``parley`` with arguments, as this very interpreter runs it."""
    return lambda *arguments: [sys.executable, "-m", "app", *arguments]


@pytest.fixture
def parley(tmp_path: Path, command: Callable[..., list[str]]) -> Callable[..., Finished]:
    """Run ``parley`` to its end, with a report when the command knows one."""

    def run(*arguments: str, **environment: str) -> Finished:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        more = ["--report", str(report)] if arguments and arguments[0] in ("join", "demo") else []
        process = subprocess.run(
            command(*arguments, *more),
            cwd=ROOT,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=PROGRAM_TIMEOUT_S,
            check=False,
        )
        return Finished(process, report)

    return run
