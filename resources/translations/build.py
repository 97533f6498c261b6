"""``python -m resources.translations.build``: collects the texts of the window into ``parley_<language>.ts``, compiles.

Three sources: what ``pyside6-lupdate`` finds in ``ui/``; the labels of :mod:`app.storage.settings`; and the sentences
that the parts below the window say (:class:`app.calls.model.Failure` and the like), found in their source. Sentences
with values in them become templates in ``ui/messages.py``. With ``--check`` nothing is written: the exit code is 1
when a text is not translated or the files are out of date.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LANGUAGES = ("fr",)
PLURALS_ONLY = ("en",)
BELOW = (
    "app/controller", "app/vendors", "app/media/camera_qt.py", "app/media/inputs.py", "app/media/screen.py",
    "app/storage/accounts.py", "app/storage/credentials.py",
)  # fmt: skip
"""Where sentences for people are written. Logs and the command line are not translated."""
HINTS = (
    "{vendor} meeting {title} on {server}", "Call {target} with {vendor}", "Join this meeting with {vendor}",
)  # fmt: skip
"""Said below the window without being a sentence with a full stop."""
_SENTENCE = re.compile(r"^(?:[A-Z“{])(?=.* )(?:.|\n)*[.?!…]$")
_NOT_FOR_PEOPLE = ("log", "logger", "logging", "warnings", "ValueError", "TypeError", "RuntimeError", "AssertionError")


class _Sentences(ast.NodeVisitor):
    """String literals that read as sentences, without docstrings and arguments of log calls."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func
        while isinstance(name, ast.Attribute):
            name = name.value
        if isinstance(name, ast.Name) and name.id in _NOT_FOR_PEOPLE:
            return
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add(template(node))

    def _add(self, text: str) -> None:
        if _SENTENCE.match(text) and len(text) < 400:
            self.found.append(text)


def template(node: ast.JoinedStr) -> str:
    """``f"Call {self.name} now."`` as ``"Call {name} now."``; names stay unique within one text."""
    parts: list[str] = []
    used: set[str] = set()
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts.append(str(value.value).replace("{", "").replace("}", ""))
            continue
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        name = inner.attr if isinstance(inner, ast.Attribute) else inner.id if isinstance(inner, ast.Name) else "value"
        while name in used:
            name += "_"
        used.add(name)
        parts.append("{" + name + "}")
    return "".join(parts)


def sentences() -> list[str]:
    """All sentences from below the window, in a stable order."""
    visitor = _Sentences()
    for place in BELOW:
        path = ROOT / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path] * path.exists():
            visitor.visit(ast.parse(file.read_text(encoding="utf-8")))
    return sorted(set(HINTS) | {s for s in visitor.found if s.strip("{}._ ") and re.search(r"[a-z]{2} [a-z{“]", s)})


def setting_words() -> list[str]:
    """Labels, help, choices and units of every setting that is shown."""
    sys.path.insert(0, str(ROOT))
    from app.storage.settings import SECTION_LABELS, SETTINGS, Section

    words: dict[str, None] = dict.fromkeys(SECTION_LABELS.values())
    for setting in SETTINGS.values():
        if setting.section is Section.HIDDEN:
            continue
        words |= dict.fromkeys((setting.label, setting.help, setting.unit, *(c.label for c in setting.choices)))
    return [word for word in words if word]


def messages_module(found: list[str]) -> str:
    """Source of ``ui/messages.py``."""
    lines = [f"    {json.dumps(line, ensure_ascii=False)}," for line in found]
    return (
        '"""Sentences with values in them from below the window. Made by resources/translations/build.py."""\n\n'
        "from __future__ import annotations\n\n"
        "# ruff: noqa: E501\n"
        "# fmt: off\n"
        "TEMPLATES: tuple[str, ...] = (\n" + "\n".join(lines) + "\n)\n"
    )


def helper_words() -> list[tuple[str, str]]:
    """Context and text of what modules mark through a function ``_tr`` of their own, which the extraction tool does
    not follow. The context is the literal that ``_tr`` passes on."""
    found: list[tuple[str, str]] = []
    for file in sorted((ROOT / "ui").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        helper = next((n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "_tr"), None)
        if helper is None:
            continue
        context = next(n.value for n in ast.walk(helper) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_tr":
                found += [(context, n.value) for n in node.args if isinstance(n, ast.Constant)]
    return found


def _words_file(folder: Path, found: list[str]) -> Path:
    path = folder / "words.py"
    calls = [f"QCoreApplication.translate('settings', {_quoted(text)})" for text in setting_words()]
    calls += [f"QCoreApplication.translate('messages', {_quoted(text)})" for text in found]
    calls += [f"QCoreApplication.translate('{context}', {_quoted(text)})" for context, text in helper_words()]
    path.write_text("\n".join(calls) + "\n", encoding="utf-8")
    return path


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise SystemExit(f"{name} is not installed; it comes with PySide6-Essentials.")
    return found


def update(folder: Path) -> None:
    """Write ``ui/messages.py`` and the ``.ts`` files into *folder*, and compile them there."""
    found = sentences()
    module = messages_module([text for text in found if "{" in text])
    target = ROOT / "ui" / "messages.py"
    if folder == HERE and (not target.exists() or target.read_text(encoding="utf-8") != module):
        target.write_text(module, encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        words = _words_file(Path(scratch), found)
        left_out = ("messages.py", "screenshots.py")
        sources = [str(p) for p in sorted((ROOT / "ui").rglob("*.py")) if p.name not in left_out]
        for language in (*LANGUAGES, *PLURALS_ONLY):
            options = ["-pluralonly"] if language in PLURALS_ONLY else []
            subprocess.run(
                [_tool("pyside6-lupdate"), *options, "-silent", "-locations", "none", "-no-obsolete", *sources,
                 str(words),
                 "-source-language", "en", "-target-language", language, "-ts", str(folder / f"parley_{language}.ts")],
                check=True, cwd=scratch, capture_output=True,
            )  # fmt: skip
            subprocess.run(
                [_tool("pyside6-lrelease"), "-silent", str(folder / f"parley_{language}.ts"),
                 "-qm", str(folder / f"parley_{language}.qm")],
                check=True, capture_output=True,
            )  # fmt: skip


def untranslated(path: Path) -> Iterator[tuple[str, str]]:
    """Context and source text of what has no finished translation."""
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            forms = [] if translation is None else translation.findall("numerusform")
            texts = [form.text or "" for form in forms] or [translation.text or "" if translation is not None else ""]
            if translation is None or translation.get("type") == "unfinished" or not all(texts):
                yield context.findtext("name", ""), message.findtext("source", "")


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for language in (*LANGUAGES, *PLURALS_ONLY):
                shutil.copy(HERE / f"parley_{language}.ts", folder)
            update(folder)
            missing = [item for language in LANGUAGES for item in untranslated(folder / f"parley_{language}.ts")]
    else:
        update(HERE)
        missing = [item for language in LANGUAGES for item in untranslated(HERE / f"parley_{language}.ts")]
    for context, text in missing:
        print(f"not translated: {context}: {text}")
    return 1 if missing and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
