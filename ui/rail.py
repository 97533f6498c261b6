"""The rail at the edge: where one can go, and at its foot settings and help."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ui.accounts.button import AccountButton
from ui.theme import Size, Space, colour, follow, theme
from ui.widgets.buttons import IconButton

PAGES = (
    ("calls", "phone"),
    ("contacts", "address-book"),
    ("chat", "messages"),
    ("voicemail", "record-mail"),
    ("rooms", "users"),
    ("services", "headset"),
)
"""Pages of signed-in accounts and their icons, from above."""


class Rail(QWidget):
    """Signals: home_requested(), meeting_requested(), settings_requested(), help_requested(), accounts_requested(),
    page_requested(str): one of :data:`PAGES`."""

    home_requested = Signal()
    meeting_requested = Signal()
    settings_requested = Signal()
    help_requested = Signal()
    accounts_requested = Signal()
    page_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedWidth(Size.RAIL)
        self.setAccessibleName(self.tr("Navigation"))
        side = Size.CALL_BUTTON
        self.home = IconButton("home", self.tr("Home"), size=side)
        self.meeting = IconButton("video", self.tr("Meeting"), size=side)
        self.settings = IconButton("settings", self.tr("Settings"), size=side)
        self.help = IconButton("help", self.tr("Help"), size=side)
        self.account = AccountButton()
        words = {
            "calls": self.tr("Calls"),
            "contacts": self.tr("Contacts"),
            "chat": self.tr("Chat"),
            "voicemail": self.tr("Voicemail"),
            "rooms": self.tr("Rooms"),
            "services": self.tr("More services"),
        }
        self.pages = {name: IconButton(icon, words[name], size=side) for name, icon in PAGES}
        self._buttons = {"home": self.home, "meeting": self.meeting, **self.pages, "accounts": self.account}
        for name, button in self.pages.items():
            button.hide()
            button.clicked.connect(lambda _c=False, n=name: self._go_page(n))
        self.account.clicked.connect(lambda: self._go(self.accounts_requested))
        self.account.hide()
        for button in self._buttons.values():
            button.setCheckable(True)
        self.home.clicked.connect(lambda: self._go(self.home_requested))
        self.meeting.clicked.connect(lambda: self._go(self.meeting_requested))
        self.settings.clicked.connect(self.settings_requested)
        self.help.clicked.connect(self.help_requested)
        self._where = "home"
        self._counted: dict[str, str] = {}
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(10, Space.M, 10, Space.M)
        column.setSpacing(Space.S)
        column.addWidget(self.home)
        column.addWidget(self.meeting)
        for button in self.pages.values():
            column.addWidget(button)
        column.addStretch(1)
        column.addWidget(self.account)
        column.addWidget(self.help)
        column.addWidget(self.settings)
        self.meeting.hide()
        self.set_where("home")
        follow(self)

    def _go(self, signal: object) -> None:
        # The window answers with set_where: a click alone does not move the mark.
        self.set_where(self._where)
        signal.emit()  # type: ignore[attr-defined]

    def _go_page(self, name: str) -> None:
        self.set_where(self._where)
        self.page_requested.emit(name)

    def set_where(self, where: str) -> None:
        """``home``, ``meeting``, ``accounts``, one of :data:`PAGES` or empty."""
        self._where = where
        for name, button in self._buttons.items():
            button.setChecked(name == where)
            if button is not self.account:
                button.set_state(self._state(name))

    def _state(self, name: str) -> str:
        shown = self.tr("shown now") if name == self._where else ""
        return ", ".join(part for part in (shown, self._counted.get(name, "")) if part)

    # ------------------------------------------------------------ accounts

    def set_pages(self, names: frozenset[str], *, accounts: bool) -> None:
        """Show the pages that the signed-in accounts offer, and the account when one can sign in at all."""
        for name, button in self.pages.items():
            button.setVisible(name in names)
        self.account.setVisible(accounts)
        self._fit()

    def set_count(self, name: str, count: int, words: str) -> None:
        """A number at a page's button; *words* say it."""
        self._counted[name] = words if count else ""
        self.pages[name].set_count(count)
        self.pages[name].set_state(self._state(name))

    def _fit(self) -> None:
        """Smaller buttons where the window is too low for all of them."""
        shown = [one for one in (*self._buttons.values(), self.help, self.settings) if not one.isHidden()]
        roomy = len(shown) * (Size.CALL_BUTTON + Space.S) + 2 * Space.M <= self.height()
        side = Size.CALL_BUTTON if roomy else Size.BUTTON
        self._column.setSpacing(Space.S if roomy else Space.XS)
        margin = (Size.RAIL - side) // 2
        self._column.setContentsMargins(margin, Space.M if roomy else Space.S, margin, Space.M if roomy else Space.S)
        for button in (*self._buttons.values(), self.help, self.settings):
            button.setFixedSize(side, side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def set_meeting(self, running: bool) -> None:
        self.meeting.setVisible(running)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        p = theme().palette
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(p.surface))
        x = 0 if self.isRightToLeft() else self.width() - Size.LINE
        painter.fillRect(QRectF(x, 0, Size.LINE, self.height()), colour(p.line))
        painter.end()
