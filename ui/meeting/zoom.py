"""Zoom and position of a shared screen: pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace

STEP = 1.25
"""Factor of one step of the wheel or the buttons."""
MOST = 4.0
"""Four screen pixels for one of the picture; more shows nothing new."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """How a picture lies in its area. ``scale`` is device-independent px per picture px; ``None`` fits the whole.

    ``cx`` and ``cy`` are the point of the picture (0..1) at the centre of the area.
    """

    scale: float | None = None
    cx: float = 0.5
    cy: float = 0.5

    @property
    def fits(self) -> bool:
        return self.scale is None

    def factor(self, picture: tuple[int, int], area: tuple[float, float]) -> float:
        """px of the area per px of the picture."""
        fit = min(area[0] / max(1, picture[0]), area[1] / max(1, picture[1]))
        return fit if self.scale is None else self.scale

    def rect(self, picture: tuple[int, int], area: tuple[float, float]) -> tuple[float, float, float, float]:
        """Where the whole picture lies, ``(x, y, width, height)``; it may reach over the area's edges."""
        scale = self.factor(picture, area)
        wide, tall = picture[0] * scale, picture[1] * scale
        x = (area[0] - wide) / 2 if wide <= area[0] else _within(area[0] / 2 - self.cx * wide, area[0] - wide)
        y = (area[1] - tall) / 2 if tall <= area[1] else _within(area[1] / 2 - self.cy * tall, area[1] - tall)
        return x, y, wide, tall

    def zoomed(
        self, by: float, picture: tuple[int, int], area: tuple[float, float], at: tuple[float, float] | None = None
    ) -> Zoom:
        """Zoom by a factor around the point *at* of the area, which stays where it is."""
        fit = Zoom().factor(picture, area)
        scale = min(max(MOST, fit), self.factor(picture, area) * by)
        if scale <= fit * 1.001:
            return Zoom()
        at = at or (area[0] / 2, area[1] / 2)
        x, y, wide, tall = self.rect(picture, area)
        if not wide or not tall:
            return Zoom()
        px, py = (at[0] - x) / wide, (at[1] - y) / tall
        new_wide, new_tall = picture[0] * scale, picture[1] * scale
        moved = Zoom(scale, px + (area[0] / 2 - at[0]) / new_wide, py + (area[1] / 2 - at[1]) / new_tall)
        return moved.clamped(picture, area)

    def moved(self, dx: float, dy: float, picture: tuple[int, int], area: tuple[float, float]) -> Zoom:
        """Drag the picture by px of the area."""
        if self.scale is None:
            return self
        wide, tall = picture[0] * self.scale, picture[1] * self.scale
        return replace(self, cx=self.cx - dx / wide, cy=self.cy - dy / tall).clamped(picture, area)

    def clamped(self, picture: tuple[int, int], area: tuple[float, float]) -> Zoom:
        """The same view with its centre moved so that no empty edge shows."""
        if self.scale is None:
            return self
        return replace(
            self,
            cx=_centre(self.cx, area[0] / max(1.0, picture[0] * self.scale)),
            cy=_centre(self.cy, area[1] / max(1.0, picture[1] * self.scale)),
        )


def _within(value: float, lowest: float) -> float:
    return max(lowest, min(0.0, value))


def _centre(value: float, shown: float) -> float:
    """Centre 0..1 so that a window of width *shown* (share of the picture) stays inside."""
    return 0.5 if shown >= 1 else min(1 - shown / 2, max(shown / 2, value))
