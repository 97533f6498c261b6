"""Menus that are built when they open, so that they always show what holds now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QLabel, QMenu, QWidget, QWidgetAction

from app.calls.model import Capability
from ui import icons
from ui.theme import Space, theme
from ui.widgets.text import plain


class Menu(QMenu):
    """A menu with icons, checked entries and reasons for what cannot be done.

    Deletes itself once closed. Entries that are absent for the vendor (``Capability.present`` false) are left out.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTipsVisible(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint, True)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._group: QActionGroup | None = None

    def entry(
        self,
        text: str,
        chosen: Callable[[], object] | None = None,
        icon: str = "",
        *,
        capability: Capability | None = None,
        checked: bool | None = None,
        shortcut: str = "",
        danger: bool = False,
        mnemonics: bool = False,
    ) -> QAction | None:
        """Add an entry; *shortcut* is only shown (shortcuts live in one table). Returns ``None`` when absent.

        ``&`` marks the mnemonic only with *mnemonics*: texts from outside may contain it.
        """
        if capability is not None and not capability.present:
            return None
        words = text if mnemonics else plain(text, 120).replace("&", "&&")
        action = self.addAction(f"{words}\t{shortcut}" if shortcut else words)
        if icon:
            action.setIcon(icons.icon(icon, theme().palette.bad if danger else ""))
        if checked is not None:
            action.setCheckable(True)
            action.setChecked(checked)
        if capability is not None and not capability.allowed:
            action.setEnabled(False)
            action.setToolTip(capability.reason)
            action.setStatusTip(capability.reason)
        if chosen is not None:
            action.triggered.connect(lambda _checked=False: chosen())
        return action

    def choice(self, text: str, chosen: Callable[[], object], *, checked: bool) -> QAction:
        """One of several: exclusive within this menu since the last :meth:`heading`."""
        if self._group is None:
            self._group = QActionGroup(self)
            self._group.setExclusive(True)
        action = self.entry(text, chosen, checked=checked)
        assert action is not None
        self._group.addAction(action)
        return action

    def heading(self, text: str) -> None:
        """Heading of the entries that follow; starts a new group of choices."""
        self._group = None
        words = QLabel(plain(text, 120), self)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setProperty("look", "caption")
        words.setContentsMargins(Space.S, Space.S, Space.L, Space.XS)
        holder = QWidgetAction(self)
        holder.setDefaultWidget(words)
        holder.setEnabled(False)
        self.addAction(holder)

    def widget(self, content: QWidget) -> None:
        """Embed a control (a slider) as an entry."""
        holder = QWidgetAction(self)
        holder.setDefaultWidget(content)
        self.addAction(holder)
