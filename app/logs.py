"""Log set-up: one rotating file per user, secrets removed before anything is written."""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from app.storage.paths import PRIVATE_FILE, make_private_folder

LOG_FILE = "parley.log"
MAX_LOG_BYTES = 2_000_000
KEPT_LOGS = 3
MAX_RECORD = 4_000
"""Characters of one record; a server cannot fill the disk with one line."""

TRACE = 5
LEVELS: Mapping[str, int] = {
    "TRACE": TRACE,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "LOG": logging.INFO + 5,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
}
"""The levels that the settings offer (lib-jitsi-meet's names) as levels of :mod:`logging`."""

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(threadName)s %(name)s: %(message)s"
_HIDDEN = "***"

_SECRET_WORDS = (
    r"(?:user_?|room_?)?pass(?:word|wd|phrase)?|pwd|secret|roomsecret|token|jwt|authorization|auth_token"
    r"|access_token|refresh_token|session_?id|credential|ice-pwd|a=ice-pwd|cookie|muc#roomconfig_roomsecret"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # JSON and Python mappings: "password": "x"
    (re.compile(rf"""((?:["'])(?:{_SECRET_WORDS})(?:["'])\s*[:=]\s*)(["']).*?\2""", re.I | re.S), rf"\1\2{_HIDDEN}\2"),
    # XML attributes and key=value pairs, also in URLs
    (re.compile(rf"""(\b(?:{_SECRET_WORDS})\s*=\s*)(["'])[^"']*\2""", re.I), rf"\1\2{_HIDDEN}\2"),
    (re.compile(rf"""(\b(?:{_SECRET_WORDS})\s*=\s*)[^\s&;,<>)"']+""", re.I), rf"\1{_HIDDEN}"),
    # headers and SDP lines: Authorization: Bearer x, a=ice-pwd:x
    (re.compile(r"(\bauthorization\s*:\s*)[^\r\n]+", re.I), rf"\1{_HIDDEN}"),
    (re.compile(r"(\ba=(?:ice-pwd|crypto)\s*:\s*)[^\r\n]+", re.I), rf"\1{_HIDDEN}"),
    (re.compile(r"(\bbearer\s+)[A-Za-z0-9._~+/=-]+", re.I), rf"\1{_HIDDEN}"),
    # JSON Web Tokens wherever they stand (RFC 7519: three base64url parts, the first is an object)
    (re.compile(r"\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"), _HIDDEN),
    # XMPP: message bodies, SASL exchange, room passwords
    (
        re.compile(r"(<(?:\w+:)?(body|auth|response|challenge|success|password)\b[^>]*>)[^<]*(</)", re.I),
        rf"\1{_HIDDEN}\3",
    ),
    (
        re.compile(r"""(var=["']muc#roomconfig_roomsecret["'][^>]*>\s*<value>)[^<]*(</)""", re.I),
        rf"\1{_HIDDEN}\2",
    ),
    # user:password@host in URLs
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]{1,200}:)[^\s/@]{1,200}(@)", re.I), rf"\1{_HIDDEN}\2"),
)


def redact(text: str) -> str:
    """*text* without passwords, tokens, message bodies and SDP or ICE credentials. Idempotent, bounded."""
    if len(text) > MAX_RECORD:
        text = text[:MAX_RECORD] + " …"
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Redacts the finished text, tracebacks included, so that no argument slips through."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _PrivateRotatingFile(logging.handlers.RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]
        Path(self.baseFilename).touch(mode=PRIVATE_FILE, exist_ok=True)
        return super()._open()


def set_level(name: str) -> None:
    """Set the level of our own parts; libraries stay at warnings, or they would drown everything."""
    logging.addLevelName(TRACE, "TRACE")
    logging.addLevelName(LEVELS["LOG"], "LOG")
    level = LEVELS.get(name.upper(), logging.INFO)
    for part in ("app", "ui"):
        logging.getLogger(part).setLevel(level)


def set_up(folder: Path | None, level: str, *, console: bool) -> Path | None:
    """Log to a file in *folder* (``None``: no file) and, with *console*, to standard error.

    Returns the file's path, or ``None`` when there is none. Never raises for a folder that cannot be written.
    """
    root = logging.getLogger()
    for handler in tuple(root.handlers):
        if getattr(handler, "parley", False):
            root.removeHandler(handler)
            handler.close()
    root.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = []
    path: Path | None = None
    if folder is not None:
        path = folder / LOG_FILE
        try:
            make_private_folder(folder)
            handlers.append(
                _PrivateRotatingFile(path, maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOGS, encoding="utf-8", delay=True)
            )
        except OSError:
            path = None
    if console or not handlers:
        stream = logging.StreamHandler(sys.stderr)
        if not console:
            stream.setLevel(logging.ERROR)
        handlers.append(stream)
    for handler in handlers:
        handler.setFormatter(RedactingFormatter(_FORMAT, "%Y-%m-%d %H:%M:%S"))
        handler.parley = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    set_level(level)
    return path
