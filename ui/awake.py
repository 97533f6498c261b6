"""Keeps the screen from dimming and locking while a meeting is in view."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import Any

log = logging.getLogger(__name__)

_WINDOWS_KEEP = 0x80000000 | 0x00000001 | 0x00000002
"""ES_CONTINUOUS | ES_SYSTEM_REQUIRED | ES_DISPLAY_REQUIRED."""
_WINDOWS_RELEASE = 0x80000000


class KeepAwake:
    """:meth:`set` is cheap to repeat. Where the system offers nothing it does nothing."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._on = False
        self._cookie: int | None = None
        self._helper: subprocess.Popen[bytes] | None = None

    def set(self, awake: bool) -> None:
        if awake == self._on:
            return
        self._on = awake
        if sys.platform == "win32":
            import ctypes

            ctypes.windll.kernel32.SetThreadExecutionState(_WINDOWS_KEEP if awake else _WINDOWS_RELEASE)
        elif sys.platform == "darwin":
            self._set_mac(awake)
        else:
            self._set_freedesktop(awake)

    def _set_mac(self, awake: bool) -> None:
        if awake:
            # Ends by itself with our process.
            self._helper = subprocess.Popen(["/usr/bin/caffeinate", "-d", "-w", str(os.getpid())])
        elif self._helper is not None:
            self._helper.terminate()
            self._helper.wait()
            self._helper = None

    def _set_freedesktop(self, awake: bool) -> None:
        """org.freedesktop.ScreenSaver (freedesktop.org idle inhibition service)."""
        if not os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
            return
        from PySide6.QtDBus import QDBusConnection, QDBusInterface, QDBusMessage

        interface: Any = QDBusInterface(
            "org.freedesktop.ScreenSaver",
            "/org/freedesktop/ScreenSaver",
            "org.freedesktop.ScreenSaver",
            QDBusConnection.sessionBus(),
        )
        if not interface.isValid():
            return
        if awake:
            answer = interface.call("Inhibit", "Parley", self._reason)
            if answer.type() == QDBusMessage.MessageType.ReplyMessage and answer.arguments():
                self._cookie = int(answer.arguments()[0])
            else:
                log.info("the screen saver did not take the request: %s", answer.errorMessage())
        elif self._cookie is not None:
            interface.call("UnInhibit", self._cookie)
            self._cookie = None
