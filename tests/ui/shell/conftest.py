from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from tests.ui.fakes import FakeController
from ui import i18n
from ui.main_window import MainWindow
from ui.theme import theme


def really_delete() -> None:
    """What was marked for deletion goes now: without a running loop it would live on and slow later tests down."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def controller() -> FakeController:
    found = FakeController()
    found.settings["profile.display_name"] = "Robin Meyer"
    return found


@pytest.fixture
def english(qapp: QApplication) -> Iterator[QApplication]:
    """English and the light theme before and after the test."""
    if not qapp.property("styled"):
        theme().install(qapp)
        qapp.setProperty("styled", True)
    theme().set_mode("light")
    i18n.install(qapp, "en")
    yield qapp
    i18n.install(qapp, "en")
    theme().set_mode("light")


@pytest.fixture
def window(english: QApplication, qtbot: object, controller: FakeController) -> Iterator[MainWindow]:
    """The window as it is at start, with a controller."""
    controller.settings["appearance.theme"] = "light"
    controller.settings["appearance.language"] = "en"
    found = MainWindow()
    found.show()
    found.attach(controller)
    yield found
    found.hide()
    found.deleteLater()
    really_delete()
