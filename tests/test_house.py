"""Rules of the house that a tool can check: who imports whom, file sizes, tokens, secrets, repeatable waits."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 800
QT_ALLOWED = re.compile(r"app/media/(?:\w+_qt|screen)\.py")
"""Device modules that may use QtMultimedia and QtGui, imported only when devices are used."""
QT_NAMED = {"app/cli/doctor.py"}
"""Names Qt modules as texts, to tell whether they are there."""
COLOUR = re.compile(r"""["']#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})["']""")
THEME_FILES = {"ui/theme.py"}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def python_files(*folders: str) -> Iterator[tuple[str, str]]:
    for name in tracked():
        if name.endswith(".py") and name.startswith(folders):
            yield name, (ROOT / name).read_text(encoding="utf-8")


def imported_modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def test_imports_run_one_way() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert result.returncode == 0, result.stdout[-3000:]


def test_ruff() -> None:
    result = run("ruff", "check", "app", "ui", "tests", "packaging")
    assert result.returncode == 0, result.stdout[-3000:]


def test_ruff_format() -> None:
    result = run("ruff", "format", "--check", "app", "ui", "tests", "packaging")
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.timeout(300)
def test_mypy_strict() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True, timeout=290, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:]


def test_no_file_is_too_long() -> None:
    long = {
        name: text.count("\n") for name, text in python_files("app/", "ui/", "tests/") if text.count("\n") > MAX_LINES
    }
    assert long == {}


def test_app_has_no_window() -> None:
    offenders = {
        f"{name}: {module}"
        for name, text in python_files("app/")
        for module in imported_modules(ast.parse(text))
        if module.startswith(("PySide6.QtGui", "PySide6.QtWidgets", "PySide6.QtMultimedia"))
        and not QT_ALLOWED.fullmatch(name)
    }
    assert offenders == set()
    widgets = {name for name, text in python_files("app/") if "QtWidgets" in text and name not in QT_NAMED}
    assert widgets == set()


def test_importing_the_application_loads_no_qt() -> None:
    code = (
        "import sys, app.__main__, app.controller.controller, app.cli.meeting\n"
        "print([name for name in sys.modules if 'PySide6' in name])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == "[]"


def test_colours_live_in_the_theme() -> None:
    offenders = [
        f"{name}:{number}"
        for name, text in python_files("ui/")
        if name not in THEME_FILES
        for number, line in enumerate(text.splitlines(), 1)
        if COLOUR.search(line)
    ]
    assert offenders == []


def test_no_task_without_an_owner() -> None:
    """``ensure_future`` and a ``create_task`` whose result is dropped can be collected while they run."""
    offenders = []
    for name, text in python_files("app/", "ui/"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                function = node.value.func
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if called in ("create_task", "ensure_future"):
                    offenders.append(f"{name}:{node.lineno}")
    # A task group owns what it creates.
    assert [one for one in offenders if "group" not in (ROOT / one.split(":")[0]).read_text()] == []


def test_waits_have_names() -> None:
    """A number inside ``sleep`` or ``wait_for`` has no unit and no reason."""
    offenders = []
    for name, text in python_files("app/"):
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            arguments = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "timeout")]
            numbers = [
                one.value
                for one in arguments
                if isinstance(one, ast.Constant) and isinstance(one.value, (int, float)) and one.value
            ]
            if called in ("sleep", "wait_for") and numbers:
                offenders.append(f"{name}:{node.lineno} {called}({numbers[0]})")
    assert offenders == []


def test_one_command_line_entry() -> None:
    assert 'parley = "app.__main__:main"' in (ROOT / "pyproject.toml").read_text()


def test_packaging_does_not_shadow_the_library() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


def test_licence_is_there() -> None:
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text()
