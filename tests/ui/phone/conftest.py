from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication

from tests.ui.fake_accounts import account
from tests.ui.fakes import FakeController
from tests.ui.shell.conftest import controller, english, really_delete
from ui.main_window import MainWindow
from ui.theme import theme

__all__ = ["controller", "english"]


@pytest.fixture
def window(english: QApplication, qtbot: object, controller: FakeController) -> Iterator[MainWindow]:
    """The window with nobody signed in."""
    controller.settings["appearance.theme"] = "light"
    controller.settings["appearance.language"] = "en"
    theme().set_reduced_motion(True)
    found = MainWindow()
    found.resize(1280, 800)
    found.show()
    found.attach(controller)
    yield found
    found.phone.release()
    found.hide()
    found.deleteLater()
    really_delete()


@pytest.fixture
def signed_in(window: MainWindow, controller: FakeController) -> MainWindow:
    """The window with one account that offers everything."""
    controller.set_account(account())
    return window
