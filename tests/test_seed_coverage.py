from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.seed_coverage import ROOT, directory, load, parse

LIST = "# heading\na.one | method | does one | sees one\na.two | event | says two | internal [old]\n"


def run_pytest(tmp_path: Path, body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    lists = tmp_path / "lists"
    lists.mkdir(exist_ok=True)
    (lists / "acme.txt").write_text(LIST)
    folder = tmp_path / "suite"
    folder.mkdir(exist_ok=True)
    (folder / "conftest.py").write_text(
        "from tests.seed_coverage import SeedCoverage\n"
        "def pytest_configure(config):\n"
        "    config.addinivalue_line('markers', 'covers(*ids): x')\n"
        "    config.pluginmanager.register(SeedCoverage(config), 'seed')\n"
    )
    (folder / "test_it.py").write_text("import pytest\n" + body)
    environment = os.environ | {"PARLEY_COVERAGE_DIR": str(lists), "PYTHONPATH": str(ROOT)}
    environment.pop("PARLEY_SEED_PROOF", None)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "-c",
        os.devnull,
    ]
    return subprocess.run(
        [*command, *arguments, str(folder)], env=environment, capture_output=True, text=True, timeout=100, check=False
    )


GOOD = """
@pytest.mark.covers("acme:a.one", "acme:a.two")
def test_one(): pass
@pytest.mark.covers("acme:a.two")
def test_two(): assert False
"""


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_an_item_counts_when_its_tests_pass(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run_pytest(tmp_path, GOOD, *arguments)
    assert "acme: 1/2 (50%)  event 0/1  method 1/1" in result.stdout, result.stdout


def test_an_unknown_item_stops_the_run(tmp_path: Path) -> None:
    result = run_pytest(tmp_path, '@pytest.mark.covers("acme:nothing")\ndef test_one(): pass\n')
    assert result.returncode == 4
    assert "acme:nothing" in result.stderr + result.stdout


def test_without_lists_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_COVERAGE_DIR", str(tmp_path / "nowhere"))
    assert directory() is None and load(None) == {}


def test_the_lists_can_be_read() -> None:
    assert parse(LIST, "acme") == {"acme:a.one": "method", "acme:a.two": "event"}
    with pytest.raises(ValueError):
        parse("a | b", "acme")
