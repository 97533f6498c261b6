"""Where the parts of the meeting view lie for a size, a direction and an open panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.theme import Size, Space

if TYPE_CHECKING:
    from ui.meeting.view import MeetingView

BAR = Size.CALL_BUTTON + 2 * Space.S
"""Height of the floating toolbar."""


class Placing:
    """Sets the geometry of the children of one meeting view."""

    def __init__(self, view: MeetingView) -> None:
        self._view = view

    def lay_out(self, panel_width: int, full_screen: bool) -> None:
        view = self._view
        width, height = view.width(), view.height()
        mirrored = view.isRightToLeft()
        overlay = width < Size.OVERLAY_PANELS_BELOW
        panel = 0
        if view.panels.open_panel:
            panel = min(panel_width, width - Space.XXL) if overlay else min(panel_width, width // 2)
            view.panels.setGeometry(0 if mirrored else width - panel, 0, panel, height)
            view.panels.raise_()
        content = width if overlay else width - panel
        left = panel if mirrored and not overlay else 0
        # What is not covered by a panel: there the bars stay in reach, also when the panel lies over the stage.
        free, free_left = width - panel, panel if mirrored else 0
        view.top_bar.setGeometry(free_left, 0, free, Size.TOP_BAR)
        view.top_bar.raise_()
        # The bar never covers a name; only in full screen, where it goes away, the stage has the whole height.
        below = Space.S if full_screen else BAR + 2 * Space.S
        above = Space.S if full_screen else Size.TOP_BAR
        view.stage.setGeometry(left + Space.S, above, content - 2 * Space.S, max(1, height - above - below))
        view.reactions.setGeometry(left, 0, content, height)
        view.toolbar.fit(free - 2 * Space.M)
        x = free_left + (free - view.toolbar.width()) // 2
        view.toolbar.move(x, height - view.toolbar.height() - Space.S)
        view.alone.adjustSize()
        view.alone.move(free_left + (free - view.alone.width()) // 2, above + Space.L)
        self.banner()
        self.toasts()

    def _free(self) -> tuple[int, int]:
        """Left edge and width of what no panel covers."""
        return self._view.top_bar.x(), self._view.top_bar.width()

    def banner(self) -> None:
        banner = self._view.banner
        left, free = self._free()
        size = banner.sizeHint()
        wide = min(size.width(), free - 2 * Space.M)
        banner.setGeometry(left + (free - wide) // 2, self._view.stage.y() + Space.S, wide, size.height())
        banner.raise_()

    def toasts(self) -> None:
        toasts = self._view.toasts
        left, free = self._free()
        x = left + Space.L
        if self._view.isRightToLeft():
            x = left + free - toasts.width() - Space.L
        toasts.move(x, self._view.height() - BAR - 3 * Space.S - toasts.height())
        toasts.raise_()
