"""Settings: one window of sections with a search field, the same in and out of meetings."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.controller.api import ControllerApi
from app.storage.settings import Section
from ui import forms
from ui.settings.pages import Page, make_page
from ui.theme import Size, Space
from ui.widgets.fields import SearchField
from ui.widgets.focus import FocusRing
from ui.widgets.text import Line
from ui.widgets.toast import announce

WIDTH, HEIGHT = 800, 600
MIN_WIDTH, MIN_HEIGHT = 600, 420
LIST_WIDTH = 208


class SettingsWindow(QWidget):
    """A change applies at once; there is nothing to confirm."""

    def __init__(self, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._controller = controller
        self.setWindowTitle(self.tr("Settings"))
        self.setProperty("look", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumSize(MIN_WIDTH, MIN_HEIGHT)
        self.resize(WIDTH, HEIGHT)
        self.search = SearchField(self.tr("Search settings"))
        self.search.textChanged.connect(self._search)
        self.sections = QListWidget()
        self.sections.setAccessibleName(self.tr("Sections"))
        self.sections.setProperty("noFocusRing", True)
        self.sections.currentRowChanged.connect(self._show_row)
        self.stack = QStackedWidget()
        self.nothing = forms.label(self.tr("No setting has that word."), "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.pages: list[Page] = []
        for section in Section:
            if section is not Section.HIDDEN:
                self._add_page(section)
        self.stack.addWidget(self.nothing)
        self._lay_out()
        self._ring = FocusRing(self)
        self._stop = controller.subscribe_settings(lambda _values: self._refresh())
        self.sections.setCurrentRow(0)

    def _add_page(self, section: Section) -> None:
        page = make_page(section, self._controller)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        self.pages.append(page)
        self.stack.addWidget(scroll)
        item = QListWidgetItem(page.title_text)
        item.setSizeHint(QSize(LIST_WIDTH // 2, Size.BUTTON))
        self.sections.addItem(item)

    def _lay_out(self) -> None:
        side = QWidget()
        side.setFixedWidth(LIST_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(Space.M, Space.L, Space.M, Space.M)
        column.setSpacing(Space.M)
        column.addWidget(self.search)
        column.addWidget(self.sections, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addWidget(Line(vertical=True))
        whole.addWidget(self.stack, 1)

    # ------------------------------------------------------------ use

    def present(self) -> None:
        """Show, or bring to the front."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.sections.setFocus()

    def show_section(self, name: str) -> None:
        """Go to a section by its value (``audio``, ``video``, ``shortcuts`` ...)."""
        for place, page in enumerate(self.pages):
            if page.section.value == name:
                self.search.clear()
                self.sections.setCurrentRow(place)
                return

    def page(self, name: str) -> Page:
        return next(page for page in self.pages if page.section.value == name)

    def _show_row(self, place: int) -> None:
        if place >= 0:
            self.stack.setCurrentIndex(place)

    def _refresh(self) -> None:
        for page in self.pages:
            page.refresh()

    def _search(self, text: str) -> None:
        counts = [page.search(text) for page in self.pages]
        for place, count in enumerate(counts):
            self.sections.item(place).setHidden(count == 0 and bool(text.strip()))
        found = [place for place, count in enumerate(counts) if count]
        if not found:
            self.stack.setCurrentWidget(self.nothing)
        elif self.sections.currentRow() not in found:
            self.sections.setCurrentRow(found[0])
        else:
            self.stack.setCurrentIndex(self.sections.currentRow())
        if text.strip():
            announce(self.search, self.tr("%n setting(s) found", "", sum(counts)))

    # ------------------------------------------------------------ events

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.search.text():
                self.search.clear()
            else:
                self.close()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        # A text that is still being typed counts as given.
        focus = self.focusWidget()
        if focus is not None:
            focus.clearFocus()
        super().closeEvent(event)

    def release(self) -> None:
        """Stop listening; call before deletion."""
        self._stop()
        for page in self.pages:
            page.release()
