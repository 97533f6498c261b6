"""Tokens: contrast of every pair in use, live change of theme, and that nobody else names a colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLineEdit

from ui import icons
from ui.theme import (
    DARK,
    GRAPHIC_PAIRS,
    LIGHT,
    ON_PERSON,
    PERSON_COLOURS,
    SCRIM,
    SCRIM_OPACITY,
    TEXT_PAIRS,
    TILE_EMPTY,
    Palette,
    blend,
    colour,
    contrast,
    person_colour,
    theme,
)

UI = Path(__file__).resolve().parents[2] / "ui"
TEXT_RATIO = 4.5
GRAPHIC_RATIO = 3.0


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", TEXT_PAIRS, ids="-on-".join)
def test_text_reaches_aa(palette: Palette, pair: tuple[str, str]) -> None:
    assert contrast(getattr(palette, pair[0]), getattr(palette, pair[1])) >= TEXT_RATIO


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("pair", GRAPHIC_PAIRS, ids="-on-".join)
def test_graphics_reach_aa(palette: Palette, pair: tuple[str, str]) -> None:
    assert contrast(getattr(palette, pair[0]), getattr(palette, pair[1])) >= GRAPHIC_RATIO


def test_initials_are_legible_on_every_person_colour() -> None:
    assert all(contrast(ON_PERSON, value) >= TEXT_RATIO for value in PERSON_COLOURS)


@pytest.mark.parametrize("behind", ["#FFFFFF", "#000000", "#808080"])
def test_names_on_any_picture_are_legible(behind: str) -> None:
    pill = blend(SCRIM, behind, SCRIM_OPACITY)
    assert contrast(DARK.text, pill) >= TEXT_RATIO
    assert contrast(DARK.bad, pill) >= GRAPHIC_RATIO
    assert contrast(DARK.warn, pill) >= GRAPHIC_RATIO


def test_marks_on_stage_are_legible() -> None:
    assert contrast(DARK.text, DARK.stage) >= TEXT_RATIO
    assert contrast(DARK.muted, DARK.stage) >= TEXT_RATIO
    assert contrast(DARK.text, TILE_EMPTY) >= TEXT_RATIO
    assert contrast(DARK.on_accent, DARK.warn) >= TEXT_RATIO
    assert contrast(DARK.accent, DARK.stage) >= GRAPHIC_RATIO


def test_known_contrasts() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert blend("#FFFFFF", "#000000", 0.5) == "#808080"


def test_a_person_keeps_the_colour() -> None:
    assert person_colour("Amélie Laurent") == person_colour("  amélie laurent ")
    assert person_colour("") in PERSON_COLOURS
    assert len({person_colour(f"Person {n}") for n in range(100)}) == len(PERSON_COLOURS)


def test_mode_changes_live(qapp: QApplication) -> None:
    theme().install(qapp)
    theme().set_mode("light")
    field = QLineEdit()
    field.show()
    seen: list[str] = []
    theme().changed.connect(lambda: seen.append(theme().palette.name))
    theme().set_mode("dark")
    assert seen == ["dark"]
    assert qapp.palette().color(QPalette.ColorRole.Window) == colour(DARK.canvas)
    assert field.grab().toImage().pixelColor(8, 8) == colour(DARK.surface)
    theme().set_mode("light")
    assert field.grab().toImage().pixelColor(8, 8) == colour(LIGHT.surface)
    with pytest.raises(ValueError, match="no such theme"):
        theme().set_mode("pink")
    theme().set_mode("system")


def test_motion_can_be_switched_off(qapp: QApplication) -> None:
    theme().set_reduced_motion(True)
    assert theme().duration(150) == 0
    theme().set_reduced_motion(False)
    assert theme().duration(150) == 150


def test_only_the_theme_names_colours() -> None:
    """A colour written elsewhere would not follow the theme."""
    named = re.compile(r"""["'#]#?[0-9A-Fa-f]{6}["']""")
    guilty = [
        f"{path.relative_to(UI)}:{number}"
        for path in UI.rglob("*.py")
        if path.name != "theme.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line) and "#" in line
    ]
    assert guilty == []


def test_every_icon_named_in_code_exists_and_is_tinted(qapp: QApplication) -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in UI.rglob("*.py"))
    literals = set(re.findall(r'"([a-z0-9-]+)"', sources))
    present = {path.stem for path in icons.ICON_DIR.glob("*.svg")}
    assert (icons.ICON_DIR / "LICENSE").exists()
    assert present <= literals, f"icons that nobody uses: {sorted(present - literals)}"
    for name in sorted(present):
        image = icons.pixmap(name, "#FF0000", 20, 2.0).toImage()
        assert image.width() == 40
        pixels = [image.pixelColor(x, y) for x in range(40) for y in range(40)]
        inked = [pixel for pixel in pixels if pixel.alpha() > 200]
        assert inked, name
        assert all(pixel.red() > 200 and pixel.green() < 40 for pixel in inked), name
    with pytest.raises(FileNotFoundError):
        icons.pixmap("no-such-icon", "#FF0000")
