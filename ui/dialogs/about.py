"""Help: version, licence, shortcuts, and the facts that a report about a problem needs."""

from __future__ import annotations

import platform

from PySide6.QtCore import Signal, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app import __version__
from ui import forms
from ui.dialogs.base import Dialog
from ui.i18n import translate


def version() -> str:
    return __version__


def facts() -> str:
    """Versions and platform, without anything personal."""
    lines = [
        f"Parley {version()}",
        f"Python {platform.python_version()}, Qt {qVersion()}",
        f"{platform.system()} {platform.release()} {platform.machine()}, {QGuiApplication.platformName()}",
    ]
    return "\n".join(lines)


class AboutDialog(Dialog):
    """Signals: shortcuts_requested()."""

    shortcuts_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(translate("Dialogs", "About Parley"), parent)
        self.content.addWidget(forms.label(self.tr("Video meetings in a window of their own, with sound that holds.")))
        self.content.addWidget(forms.label(facts(), "muted"))
        self.content.addWidget(
            forms.label(self.tr("Free software under the GNU General Public License, version 3 or later."), "muted")
        )
        self.copied = forms.label("", "good")
        self.content.addWidget(self.copied)
        self.add_button(self.tr("Keyboard shortcuts"), self._shortcuts)
        self.add_button(self.tr("Copy these facts"), self._copy)
        self.add_button(self.tr("Close"), self.accept, "primary")

    def _shortcuts(self) -> None:
        self.accept()
        self.shortcuts_requested.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(facts())
        self.copied.setText(self.tr("Copied"))
