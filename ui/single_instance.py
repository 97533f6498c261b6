"""One window per person: a second start hands its arguments to the first one and ends.

The first process listens on a local socket whose name is a hash of the user and the profile, readable by this
user only. Messages are one JSON object per line, ``{"version": 1, "open": "<text>"}``; anything else is ignored.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_MS = 400
"""A running window answers on the local machine within milliseconds; a longer wait would delay the first start."""
WRITE_TIMEOUT_MS = 1000
"""The hand-over is one short line; a process that does not take it within a second is stuck."""
MAX_LINE_BYTES = 16 * 1024
"""No meeting link is longer; a peer that sends more is cut off."""
PROTOCOL_VERSION = 1


def server_name(profile: str = "") -> str:
    """Name of the local socket for this user and *profile* (a settings folder, empty for the usual one)."""
    digest = hashlib.sha256(f"{getpass.getuser()}\0{Path.home()}\0{profile}".encode()).hexdigest()
    return f"parley-{digest[:24]}"


def encode(text: str) -> bytes:
    """The line that hands *text* over (empty: only show the window)."""
    return json.dumps({"version": PROTOCOL_VERSION, "open": text}).encode() + b"\n"


def decode(line: bytes) -> str | None:
    """What a line asks to open, or ``None`` when it is not one of ours. Never raises."""
    if len(line) > MAX_LINE_BYTES:
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("version") != PROTOCOL_VERSION:
        return None
    text = message.get("open", "")
    return text if isinstance(text, str) else None


def hand_over(text: str, name: str | None = None) -> bool:
    """Give *text* to a window that already runs. True when one took it: this process can end."""
    socket = QLocalSocket()
    socket.connectToServer(name or server_name())
    if not socket.waitForConnected(CONNECT_TIMEOUT_MS):
        return False
    socket.write(encode(text))
    taken = bool(socket.waitForBytesWritten(WRITE_TIMEOUT_MS))
    socket.disconnectFromServer()
    return taken


class SingleInstance(QObject):
    """Listens for later starts of the program.

    Signals:
        opened(str): text that a later start was given; empty when it was only started.
    """

    opened = Signal(str)

    def __init__(self, name: str | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name or server_name()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        self._buffers: dict[QLocalSocket, bytes] = {}

    def listen(self) -> bool:
        """Start listening; a socket file left behind by a crash is replaced. False when that is impossible."""
        if self._server.listen(self._name):
            return True
        QLocalServer.removeServer(self._name)
        if self._server.listen(self._name):
            return True
        log.warning("single instance not available: %s", self._server.errorString())
        return False

    def close(self) -> None:
        self._server.close()
        for socket in list(self._buffers):
            socket.abort()
        self._buffers.clear()

    def _accept(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            self._buffers[socket] = b""
            socket.readyRead.connect(lambda s=socket: self._read(s))
            socket.disconnected.connect(lambda s=socket: self._gone(s))
            if socket.bytesAvailable():
                self._read(socket)

    def _gone(self, socket: QLocalSocket) -> None:
        if self._buffers.pop(socket, None) is not None:
            socket.deleteLater()

    def _read(self, socket: QLocalSocket) -> None:
        if socket not in self._buffers:
            return
        data = self._buffers[socket] + bytes(socket.readAll().data())
        *lines, rest = data.split(b"\n")
        self._buffers[socket] = rest
        for line in lines:
            text = decode(line)
            if text is not None:
                self.opened.emit(text)
        if len(rest) > MAX_LINE_BYTES:
            socket.abort()
