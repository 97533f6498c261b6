"""Frame of the phone's pages: title, account, own buttons; and a list that says when it loads, is empty or failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.calls.accounts import AccountEvent, AccountState, ListChanged, Query, Service
from app.calls.model import Failure
from ui import forms, i18n
from ui.paged import Fetch, PagedList, RowLook
from ui.phone.context import PhoneContext
from ui.phone.words import account_name
from ui.theme import Size, Space
from ui.widgets.fields import ComboBox
from ui.widgets.text import Line, plain
from ui.widgets.toast import announce


class AccountPicker(ComboBox):
    """Which account a page shows; hidden while there is only one that could."""

    def __init__(self, context: PhoneContext, services: tuple[Service, ...], parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setAccessibleName(self.tr("Account"))
        self.setMinimumContentsLength(8)
        self.setMaximumWidth(220)
        self._context = context
        self._services = services
        self.activated.connect(lambda _index: context.choose(self.currentData()))
        context.changed.connect(self.fill)
        context.current_changed.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        found = self._context.offering(*self._services) if self._services else self._context.signed_in()
        entries = [(one.account_id, f"{account_name(one)} · {plain(one.server)}") for one in found]
        now = [(self.itemData(i), self.itemText(i)) for i in range(self.count())]
        if entries != now:
            self.clear()
            for account_id, words in entries:
                self.addItem(words, account_id)
        shown = self._context.account(*self._services)
        self.setCurrentIndex(self.findData(shown.account_id) if shown is not None else -1)
        self.setVisible(len(entries) > 1)


class Page(QWidget):
    """A view of the rail. Subclasses fill :attr:`body` and answer :meth:`refresh` and :meth:`account_changed`.

    ``services``: the page is there while a signed-in account offers one of them.
    """

    services: tuple[Service, ...] = ()

    def __init__(self, context: PhoneContext, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.setProperty("look", "canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        self.title = forms.label(title, "title", wrap=False)
        self.picker = AccountPicker(context, self.services)
        self.header = QHBoxLayout()
        self.header.setSpacing(Space.S)
        bar = QWidget()
        bar.setFixedHeight(Size.TOP_BAR + Space.S)
        line = QHBoxLayout(bar)
        line.setContentsMargins(Space.XL, 0, Space.L, 0)
        line.setSpacing(Space.S)
        line.addWidget(self.title)
        line.addStretch(1)
        line.addWidget(self.picker)
        line.addLayout(self.header)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(bar)
        whole.addWidget(Line())
        whole.addLayout(self.body, 1)
        self._shown_account = ""
        self._stale = True
        context.changed.connect(self._event)
        context.current_changed.connect(self._switched)

    @property
    def account(self) -> AccountState | None:
        return self.context.account(*self.services)

    def _switched(self) -> None:
        now = self.account
        name = now.account_id if now is not None else ""
        if name != self._shown_account:
            self._shown_account = name
            self._stale = True
        self._freshen()

    def _event(self, state: AccountState, event: AccountEvent) -> None:
        now = self.account
        if now is not None and now.account_id != self._shown_account:
            self._switched()
        if state.account_id == self._shown_account:
            self.account_changed(state, event)

    def mark_stale(self) -> None:
        """What is shown is old: read it again, at once when the page is in view."""
        self._stale = True
        self._freshen()

    def _freshen(self) -> None:
        if self._stale and self.isVisible() and self._shown_account:
            self._stale = False
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._switched()

    def refresh(self) -> None:
        """Read what the page shows from the account."""

    def account_changed(self, state: AccountState, event: AccountEvent) -> None:
        """The shown account has a new state."""

    def enter(self) -> None:
        """The person came here: put the keyboard where it is useful."""


class Listing(QWidget):
    """A :class:`PagedList` with its other states: loading, empty (a sentence and a way on) and failed (with Retry).

    Signals: retry_requested().
    """

    retry_requested = Signal()

    def __init__(
        self,
        name: str,
        look: Callable[[Any], RowLook],
        empty: str,
        icon: str,
        parent: QWidget | None = None,
        *,
        single_click: bool = False,
    ) -> None:
        super().__init__(parent)
        self.list = PagedList(name, look, single_click=single_click)
        self._empty_text = empty
        self.empty = forms.label(empty, "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.problem = forms.label("", "bad")
        self.problem.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.retry = forms.push_button(self.tr("Try again"), self.retry_requested.emit)
        self.empty_act = forms.push_button("", kind="quiet")
        self.empty_act.hide()
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._middle(forms.icon_label(icon, size=40), self.empty, self.empty_act))
        self._stack.addWidget(self._middle(forms.icon_label("alert-circle", "bad", 40), self.problem, self.retry))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self.list.rows.loaded.connect(self._loaded)
        self.list.rows.failed.connect(self._failed)

    @staticmethod
    def _middle(*widgets: QWidget) -> QWidget:
        box = QWidget()
        box.setProperty("look", "surface")
        box.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(box)
        column.setContentsMargins(Space.XXL, Space.XL, Space.XXL, Space.XL)
        column.setSpacing(Space.M)
        column.addStretch(2)
        for widget in widgets:
            centred = Qt.AlignmentFlag.AlignHCenter
            wide = widget.property("look") in ("muted", "bad")
            column.addWidget(widget, 0, Qt.AlignmentFlag(0) if wide else centred)
        column.addStretch(3)
        return box

    def load(self, fetch: Fetch, *, keep: bool = False, empty: str = "") -> None:
        self.empty.setText(empty or self._empty_text)
        self._stack.setCurrentIndex(0)
        self.list.rows.load(fetch, keep=keep)

    def show_items(self, items: tuple[Any, ...], empty: str = "") -> None:
        self.empty.setText(empty or self._empty_text)
        self.list.rows.set_items(items)

    def offer(self, text: str, clicked: Callable[[], object]) -> None:
        """A button under the sentence of the empty list."""
        self.empty_act.setText(text)
        self.empty_act.clicked.connect(lambda _checked=False: clicked())
        self.empty_act.show()

    def _loaded(self) -> None:
        self._stack.setCurrentIndex(0 if self.list.rows.rowCount() else 1)

    def _failed(self, failure: Failure) -> None:
        if self.list.rows.rowCount():
            return
        self.problem.setText(i18n.sentence(failure.message))
        self._stack.setCurrentIndex(2)
        announce(self.problem, self.problem.text(), urgent=True)

    @property
    def shows(self) -> str:
        """``list``, ``empty`` or ``problem``."""
        return ("list", "empty", "problem")[self._stack.currentIndex()]


def fetcher(context: PhoneContext, account: str, make: Callable[[int, int], Query]) -> Fetch:
    """Reads pages of *account* with the query that *make* builds from offset and limit."""

    def fetch(offset: int, limit: int, then: Any, failed: Any) -> None:
        context.find(make(offset, limit), then, failed, account)

    return fetch


def concerns(event: AccountEvent, *what: str) -> bool:
    """Whether *event* says that one of these lists is stale."""
    return isinstance(event, ListChanged) and event.what in what
