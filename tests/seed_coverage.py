"""Share of the vendors' documented items that passing tests prove, printed at the end of each run.

The lists (``<vendor>.txt``: ``id | kind | meaning | user``) lie beside the clone in ``shared/coverage`` or where
``PARLEY_COVERAGE_DIR`` says. Tests name items with ``@pytest.mark.covers("jitsi:<id>", ...)``; an item counts when at
least one of its tests passed and none failed. With ``PARLEY_SEED_PROOF`` the proven items of several runs add up in
that file.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

DIRECTORY_VARIABLE = "PARLEY_COVERAGE_DIR"
PROOF_VARIABLE = "PARLEY_SEED_PROOF"
ROOT = Path(__file__).resolve().parent.parent


def directory() -> Path | None:
    """Where the lists are, or ``None``."""
    override = os.environ.get(DIRECTORY_VARIABLE)
    candidates = [Path(override)] if override else [ROOT.parent / "shared" / "coverage"]
    return next((one for one in candidates if one.is_dir()), None)


def parse(text: str, vendor: str) -> dict[str, str]:
    """``{"vendor:id": kind}`` of one list. Raises ``ValueError`` for a line that is not an item."""
    items: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(" | ")
        if len(fields) != 4:
            raise ValueError(f"{vendor}: not an item: {line[:80]}")
        items[f"{vendor}:{fields[0].strip()}"] = fields[1].strip()
    return items


def load(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    items: dict[str, str] = {}
    for path in sorted(folder.glob("*.txt")):
        items |= parse(path.read_text(encoding="utf-8"), path.stem)
    return items


def ids_of(item: pytest.Item) -> list[str]:
    return [str(name) for mark in item.iter_markers("covers") for name in mark.args]


class SeedCoverage:
    """The plugin; with xdist the workers attach the ids to their reports and the controller counts."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = directory()
        self._items = load(self._folder)
        self._passed: set[str] = set()
        self._failed: set[str] = set()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if not self._items:
            return
        unknown = {name: item.nodeid for item in items for name in ids_of(item) if name not in self._items}
        if unknown:
            listed = "; ".join(f"{name} in {where}" for name, where in sorted(unknown.items()))
            raise pytest.UsageError(f"covers marks name items that are in no list: {listed}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Any:
        report = yield
        report.covers = ids_of(item)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        covered = set(getattr(report, "covers", ()))
        if report.failed:
            self._failed |= covered
        elif report.when == "call" and report.passed:
            self._passed |= covered

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if hasattr(self._config, "workerinput"):
            return
        terminalreporter.section("seed items proven by passing tests")
        if self._folder is None:
            terminalreporter.line(f"no lists found beside the clone; set {DIRECTORY_VARIABLE} to count")
            return
        for line in self.table(self._proven()):
            terminalreporter.line(line)

    def _proven(self) -> set[str]:
        proven, failed = set(self._passed), set(self._failed)
        name = os.environ.get(PROOF_VARIABLE)
        if name:
            path = ROOT / name
            if path.exists():
                earlier = json.loads(path.read_text())
                proven |= set(earlier["passed"])
                failed |= set(earlier["failed"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"passed": sorted(proven), "failed": sorted(failed)}))
        return proven - failed

    def table(self, proven: set[str]) -> list[str]:
        lines: list[str] = []
        for vendor in sorted({name.split(":", 1)[0] for name in self._items}):
            mine = {name: kind for name, kind in self._items.items() if name.startswith(f"{vendor}:")}
            total = Counter(mine.values())
            got = Counter(kind for name, kind in mine.items() if name in proven)
            kinds = "  ".join(f"{kind} {got[kind]}/{total[kind]}" for kind in sorted(total))
            count = sum(got.values())
            lines.append(f"{vendor}: {count}/{len(mine)} ({count / max(1, len(mine)):.0%})  {kinds}")
        return lines
