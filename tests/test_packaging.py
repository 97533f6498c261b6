"""Files for the desktop and the scripts behind make."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest
from defusedxml import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"


def test_the_desktop_entry_opens_links() -> None:
    entry = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read(PACKAGING / "org.parley.Parley.desktop", encoding="utf-8")
    main = entry["Desktop Entry"]
    assert main["Exec"] == "parley %u" and "x-scheme-handler/jitsi-meet;" in main["MimeType"]
    assert set(main["Actions"].rstrip(";").split(";")) == {
        name.removeprefix("Desktop Action ") for name in entry.sections() if name.startswith("Desktop Action ")
    }


def test_the_metainfo_names_the_entry() -> None:
    root = ElementTree.parse(PACKAGING / "org.parley.Parley.metainfo.xml").getroot()
    assert root.findtext("launchable") == "org.parley.Parley.desktop"
    assert root.findtext("project_license") == "GPL-3.0-or-later"


def test_the_icon_is_a_picture() -> None:
    assert ElementTree.parse(ROOT / "resources" / "parley.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize("script", sorted([*PACKAGING.glob("*.sh"), ROOT / "tests" / "run.sh", ROOT / ".ci" / "run"]))
def test_scripts_are_sound_and_executable(script: Path) -> None:
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o111


def test_make_knows_what_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", (ROOT / "README.md").read_text()))
    assert named <= targets and {"run", "test", "clean"} <= targets


def test_the_doctor_names_only_packages_that_the_setup_installs() -> None:
    from app.cli.doctor import SYSTEM_LIBRARIES

    listed = set((PACKAGING / "debian-run.txt").read_text().split())
    assert {package for _, package in SYSTEM_LIBRARIES} <= listed
