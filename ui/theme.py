"""Every colour, size, duration and font of the interface. Nothing else names one.

Two palettes of the same tokens; :class:`Theme` says which one holds now, follows the system and tells who paints.
Video areas are dark in both themes: what is painted on them uses :data:`DARK`.
"""

from __future__ import annotations

import sys
import zlib
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication, QWidget


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def blend(over: str, under: str, amount: float) -> str:
    """*over* laid on *under* with opacity *amount* (0..1), as ``#RRGGBB``."""
    mixed = (round(a * amount + b * (1 - amount)) for a, b in zip(_channels(over), _channels(under), strict=True))
    return "#" + "".join(f"{value:02X}" for value in mixed)


def luminance(colour: str) -> float:
    """Relative luminance 0..1 (WCAG 2.1, definition of relative luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Contrast ratio 1..21 (WCAG 2.1, 1.4.3)."""
    bright, dim = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@dataclass(frozen=True, slots=True)
class Palette:
    """One column of the token table. All values are ``#RRGGBB``."""

    name: str
    canvas: str
    """Window background."""
    surface: str
    """Cards, panels, dialogs, fields."""
    raised: str
    """Menus, toasts, floating bars."""
    line: str
    """Hairlines and field borders."""
    text: str
    muted: str
    """Secondary text; also the borders of controls that must be seen without text."""
    accent: str
    on_accent: str
    good: str
    warn: str
    bad: str
    danger: str
    """Fill of what ends or removes something."""
    on_danger: str
    stage: str
    """Behind video."""

    @property
    def hover(self) -> str:
        return blend(self.text, self.surface, 0.07)

    @property
    def pressed(self) -> str:
        return blend(self.text, self.surface, 0.13)

    @property
    def selected(self) -> str:
        """Fill of what is chosen or switched on; text on it stays :attr:`text`, icons may use :attr:`accent`."""
        return blend(self.accent, self.surface, 0.12)

    @property
    def raised_hover(self) -> str:
        return blend(self.text, self.raised, 0.08)

    @property
    def raised_pressed(self) -> str:
        return blend(self.text, self.raised, 0.15)

    @property
    def raised_selected(self) -> str:
        return blend(self.accent, self.raised, 0.16)

    @property
    def off_fill(self) -> str:
        """Fill of a call button whose medium is off."""
        return blend(self.bad, self.raised, 0.16)

    @property
    def accent_hover(self) -> str:
        return blend(self.text, self.accent, 0.10)

    @property
    def accent_pressed(self) -> str:
        return blend(self.text, self.accent, 0.18)

    @property
    def danger_hover(self) -> str:
        return blend(SHADE, self.danger, 0.10)

    @property
    def danger_pressed(self) -> str:
        return blend(SHADE, self.danger, 0.20)


LIGHT = Palette(
    name="light",
    canvas="#F6F7F9",
    surface="#FFFFFF",
    raised="#FFFFFF",
    line="#E2E5EA",
    text="#14171C",
    muted="#5A6472",
    accent="#2A66E5",
    on_accent="#FFFFFF",
    good="#1B7F50",
    warn="#9A5B00",
    bad="#C62F27",
    danger="#C62F27",
    on_danger="#FFFFFF",
    stage="#0C0E11",
)
DARK = Palette(
    name="dark",
    canvas="#111317",
    surface="#1A1D22",
    raised="#23272E",
    line="#2E333B",
    text="#F1F3F6",
    muted="#A4AEBB",
    accent="#78A6FF",
    on_accent="#0C1220",
    good="#4CC38A",
    warn="#F0B429",
    bad="#FF7A72",
    danger="#C62F27",
    on_danger="#FFFFFF",
    stage="#0C0E11",
)

PERSON_COLOURS = (
    "#3F5FA8",
    "#7A4E9E",
    "#A3446B",
    "#9A4F2C",
    "#70621B",
    "#3C7035",
    "#1F7069",
    "#2B6A8E",
    "#5B5FA0",
    "#8C4A4A",
)
"""Backgrounds of initials; white text on each reaches AA."""
ON_PERSON = "#FFFFFF"
SHADE = "#000000"
"""Darkens what lies under it: a frozen picture, a pressed button."""
SCRIM = "#0C0E11"
"""Under names and marks on video, with :data:`SCRIM_OPACITY`."""
SCRIM_OPACITY = 0.78
FROZEN_OPACITY = 0.5
"""How much of a frozen picture is kept."""
DISABLED_OPACITY = 0.45
TILE_EMPTY = "#1B1F25"
"""A tile before its first picture."""


def person_colour(name: str) -> str:
    """The same background for the same name, on every machine."""
    return PERSON_COLOURS[zlib.crc32(name.strip().casefold().encode()) % len(PERSON_COLOURS)]


class Space:
    """Distances in px."""

    XS = 4
    S = 8
    M = 12
    L = 16
    XL = 24
    XXL = 32


class Radius:
    SMALL = 6
    """Fields and buttons."""
    CARD = 10
    """Tiles and cards."""
    DIALOG = 14


class Size:
    """Sizes in px."""

    ICON_SMALL = 16
    ICON = 20
    ICON_CALL = 22
    BUTTON = 36
    CALL_BUTTON = 44
    CARET = 20
    """Width of the device-list part of a call button."""
    MARK = 24
    """Height of pills and round marks on tiles."""
    FIELD = 36
    RAIL = 64
    SIDE_PANEL = 340
    SIDE_PANEL_MIN = 280
    SIDE_PANEL_MAX = 560
    TOP_BAR = 48
    FILMSTRIP = 200
    """Width of a filmstrip at the right; at the bottom its height follows from 16:9."""
    FILMSTRIP_BOTTOM = 112
    """Height of the filmstrip at the bottom."""
    SELF_VIEW = 200
    PRESENTER = 200
    TILE_GAP = 8
    PAGE_MARK = 24
    """Height of "Page 1 of 3" under a gallery."""
    FOCUS_WIDTH = 2
    FOCUS_GAP = 2
    SPEAKING_RING = 2
    LINE = 1
    TOAST = 360
    WINDOW_MIN_WIDTH = 720
    WINDOW_MIN_HEIGHT = 480
    OVERLAY_PANELS_BELOW = 900
    """Narrower windows lay panels over the stage."""
    INCOMING_WIDTH = 380
    INCOMING_HEIGHT = 150
    SCROLLBAR = 10


class Duration:
    """Milliseconds."""

    APPEAR = 150
    """What appears or moves (120 to 180)."""
    RING = 150
    """Speaking ring."""
    TOOLBAR_IDLE = 4000
    """Toolbar fades after this long without pointer or key."""
    TOAST = 5000
    VISIBLE_SOURCES = 200
    """Layout changes are reported to the server once they have settled for this long."""
    REACTION = 2600
    """How long a reaction floats."""
    GROUP = 1200
    """Joins and leaves within this time share one toast."""
    SPEAKER_HOLD = 1500
    """A new speaker takes the stage after holding the floor this long, so that a cough does not."""
    FRAME = 16
    """Repaints are not more frequent than this."""
    TICK = 1000
    """Timers that show seconds."""


class Type:
    """Text sizes in px."""

    CAPTION = 12
    BODY = 13
    EMPHASIS = 15
    TITLE = 20
    DISPLAY = 28


@lru_cache(maxsize=256)
def colour(value: str, opacity: float = 1.0) -> QColor:
    """A token as a ``QColor``; do not change the result, it is shared."""
    result = QColor(value)
    result.setAlphaF(opacity)
    return result


def font(size: int = Type.BODY, *, strong: bool = False, tabular: bool = False) -> QFont:
    """The system's interface font at *size* px, weight 400 or 600; *tabular* for numbers that tick."""
    result = QFont(QApplication.font()) if QApplication.instance() else QFont()
    result.setPixelSize(size)
    result.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    if tabular:
        result.setFeature(QFont.Tag("tnum"), 1)
    return result


def elide(text: str, used: QFont, width: int) -> str:
    return QFontMetrics(used).elidedText(text, Qt.TextElideMode.ElideRight, max(0, width))


class Theme(QObject):
    """Which palette holds. One per application: :func:`theme`.

    Signals:
        changed: colours or motion changed; who paints by itself calls ``update()``.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mode = "system"
        self._reduced_motion: bool | None = None
        self._system_reduced_motion = False
        self._installed = False

    @property
    def dark(self) -> bool:
        if self._mode == "system":
            app = QApplication.instance()
            return isinstance(app, QApplication) and app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._mode == "dark"

    @property
    def palette(self) -> Palette:
        return DARK if self.dark else LIGHT

    @property
    def mode(self) -> str:
        return self._mode

    def set_mode(self, mode: str) -> None:
        """``system``, ``light`` or ``dark``; applies at once to all windows."""
        if mode not in ("system", "light", "dark"):
            raise ValueError(f"no such theme: {mode}")
        if mode == self._mode:
            return
        self._mode = mode
        self._apply()

    @property
    def reduced_motion(self) -> bool:
        return self._system_reduced_motion if self._reduced_motion is None else self._reduced_motion

    def set_reduced_motion(self, reduced: bool | None) -> None:
        """``None`` follows the system."""
        self._reduced_motion = reduced
        self.changed.emit()

    def duration(self, milliseconds: int) -> int:
        """0 when motion is not wanted."""
        return 0 if self.reduced_motion else milliseconds

    def install(self, app: QApplication) -> None:
        """Style *app* and follow the system from now on. Idempotent."""
        if not self._installed:
            self._installed = True
            app.setStyle("Fusion")
            base = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
            base.setPixelSize(Type.BODY)
            app.setFont(base)
            app.styleHints().colorSchemeChanged.connect(self._system_changed)
            # Other platforms do not tell this through Qt; there the setting decides.
            if sys.platform in ("win32", "darwin"):
                self._system_reduced_motion = not QApplication.isEffectEnabled(Qt.UIEffect.UI_General)
        self._apply()

    def _system_changed(self) -> None:
        if self._mode == "system":
            self._apply()

    def _apply(self) -> None:
        app = QApplication.instance()
        if self._installed and isinstance(app, QApplication):
            from ui.stylesheet import stylesheet

            app.setPalette(qpalette(self.palette))
            app.setStyleSheet(stylesheet(self.palette))
        self.changed.emit()


_THEME_NAME = "parley-theme"


def theme() -> Theme:
    """The theme of the running application, made on first use and owned by it."""
    app = QApplication.instance()
    if app is None:
        raise RuntimeError("the theme needs an application")
    found = app.property(_THEME_NAME)
    if not isinstance(found, Theme):
        found = Theme(app)
        app.setProperty(_THEME_NAME, found)
    return found


def follow(widget: QWidget) -> None:
    """Repaint *widget* whenever the theme changes, for as long as it lives."""
    theme().changed.connect(widget.update)


def qpalette(p: Palette) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: p.canvas,
        QPalette.ColorRole.WindowText: p.text,
        QPalette.ColorRole.Base: p.surface,
        QPalette.ColorRole.AlternateBase: p.canvas,
        QPalette.ColorRole.Text: p.text,
        QPalette.ColorRole.Button: p.surface,
        QPalette.ColorRole.ButtonText: p.text,
        QPalette.ColorRole.BrightText: p.bad,
        QPalette.ColorRole.Highlight: p.accent,
        QPalette.ColorRole.HighlightedText: p.on_accent,
        QPalette.ColorRole.Accent: p.accent,
        QPalette.ColorRole.Link: p.accent,
        QPalette.ColorRole.LinkVisited: p.accent,
        QPalette.ColorRole.PlaceholderText: p.muted,
        QPalette.ColorRole.ToolTipBase: p.raised,
        QPalette.ColorRole.ToolTipText: p.text,
        QPalette.ColorRole.Light: p.raised,
        QPalette.ColorRole.Midlight: p.line,
        QPalette.ColorRole.Mid: p.line,
        QPalette.ColorRole.Dark: p.muted,
        QPalette.ColorRole.Shadow: p.stage,
    }
    result = QPalette()
    for role, value in roles.items():
        result.setColor(role, QColor(value))
        disabled = QColor(value)
        if role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
            disabled = QColor(blend(value, p.surface, DISABLED_OPACITY))
        result.setColor(QPalette.ColorGroup.Disabled, role, disabled)
    return result


TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("text", "canvas"),
    ("text", "surface"),
    ("text", "raised"),
    ("text", "hover"),
    ("text", "pressed"),
    ("text", "selected"),
    ("text", "raised_hover"),
    ("text", "raised_pressed"),
    ("text", "raised_selected"),
    ("muted", "canvas"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("muted", "hover"),
    ("muted", "raised_hover"),
    ("accent", "canvas"),
    ("accent", "surface"),
    ("accent", "raised"),
    ("on_accent", "accent"),
    ("on_accent", "accent_hover"),
    ("on_accent", "accent_pressed"),
    ("good", "canvas"),
    ("good", "surface"),
    ("good", "raised"),
    ("warn", "canvas"),
    ("warn", "surface"),
    ("warn", "raised"),
    ("bad", "canvas"),
    ("bad", "surface"),
    ("bad", "raised"),
    ("on_danger", "danger"),
    ("on_danger", "danger_hover"),
    ("on_danger", "danger_pressed"),
)
"""Every (foreground, background) used for text: each reaches 4.5:1 in both palettes."""
GRAPHIC_PAIRS: tuple[tuple[str, str], ...] = (
    ("accent", "selected"),
    ("accent", "raised_selected"),
    ("bad", "off_fill"),
    ("muted", "surface"),
    ("accent", "stage"),
)
"""Every pair used for icons, rings and borders that carry meaning: each reaches 3:1."""
