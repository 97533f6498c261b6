"""Why a server's certificate was refused, and trusting exactly this one when the person knows better."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.calls.model import Failure
from app.controller.api import ControllerApi
from ui import forms
from ui.dialogs.base import Dialog
from ui.i18n import translate
from ui.settings import values
from ui.widgets.fields import Switch

SETTING = "network.trusted_certificates"
_FINGERPRINT = re.compile(r"\bsha256=([0-9a-fA-F]{64})\b")


def fingerprint_of(failure: Failure | None) -> str:
    """SHA-256 of the refused certificate in lower-case hexadecimal, empty when it is not known."""
    found = _FINGERPRINT.search(failure.details) if failure is not None else None
    return found.group(1).lower() if found else ""


def readable(fingerprint: str) -> str:
    """In pairs, sixteen to a line, as other programs show it."""
    pairs = [fingerprint[i : i + 2].upper() for i in range(0, len(fingerprint), 2)]
    return "\n".join(":".join(pairs[i : i + 16]) for i in range(0, len(pairs), 16))


class CertificateDialog(Dialog):
    """Signals: trusted(): the fingerprint is kept; joining can be tried again."""

    trusted = Signal()

    def __init__(
        self, address: str, failure: Failure | None, controller: ControllerApi, parent: QWidget | None = None
    ) -> None:
        super().__init__(translate("Dialogs", "This server cannot prove who it is"), parent, width=520)
        self._controller = controller
        recognised = controller.recognise(address).address
        self._host = (recognised.server if recognised is not None else "").split(":")[0]
        self._fingerprint = fingerprint_of(failure)
        self.content.addWidget(
            forms.label(
                self.tr(
                    "Its certificate is not signed by an authority that this computer trusts, has expired, or belongs "
                    "to another name. Somebody between you and the server could listen in."
                )
            )
        )
        self.content.addWidget(
            forms.label(
                self.tr(
                    "Go on only if you run this server yourself, or its owner told you this fingerprint on another way."
                ),
                "muted",
            )
        )
        if self._fingerprint:
            shown = forms.label(readable(self._fingerprint), wrap=False)
            shown.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
            shown.setAccessibleName(self.tr("Fingerprint of the certificate"))
            self.content.addWidget(shown)
            self.check = Switch(self.tr("I have compared the fingerprint"))
            self.check.toggled.connect(self._changed)
            self.content.addWidget(self.check)
        self.add_button(self.tr("Do not connect"), self.reject, "primary")
        if self._fingerprint and self._host:
            self.trust = self.add_button(self.tr("Trust this certificate"), self._trust)
            self._changed()

    def _changed(self) -> None:
        self.trust.set_enabled(self.check.isChecked(), self.tr("Compare the fingerprint first"))

    def _trust(self) -> None:
        kept = tuple(values.value(self._controller, SETTING))
        entry = f"{self._host} {self._fingerprint}"
        if entry not in kept:
            self._controller.set_setting(SETTING, (*kept, entry))
        self.accept()
        self.trusted.emit()
