"""SASL for XMPP (RFC 6120 section 6): SCRAM-SHA-256/-1 (RFC 5802, 7677), PLAIN (RFC 4616), ANONYMOUS (RFC 4505)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

PREFERENCE = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")


class SaslError(Exception):
    """The exchange cannot go on (bad server proof, malformed challenge)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str = field(repr=False)


def choose_mechanism(offered: Iterable[str], credentials: Credentials | None) -> str | None:
    """The best mechanism both sides know; ``None`` without one. Without credentials only ANONYMOUS will do."""
    names = set(offered)
    wanted = ("ANONYMOUS",) if credentials is None else PREFERENCE
    return next((m for m in wanted if m in names), None)


class SaslExchange:
    """One exchange. :attr:`initial` goes into ``<auth>``; texts are base64 as on the wire."""

    def __init__(self, mechanism: str, credentials: Credentials | None) -> None:
        self.mechanism = mechanism
        self.initial: str | None = None
        self._scram: Any = None
        self._finished = not mechanism.startswith("SCRAM")
        if mechanism == "ANONYMOUS":
            return
        if credentials is None:
            raise SaslError("no credentials")
        if mechanism == "PLAIN":
            self.initial = _encode(f"\0{credentials.username}\0{credentials.password}")
            return
        from scramp import ScramClient  # type: ignore[import-untyped]
        from scramp.core import ScramException  # type: ignore[import-untyped]

        self._error: type[Exception] = ScramException
        try:
            self._scram = ScramClient([mechanism], credentials.username, credentials.password)
            self.initial = _encode(self._scram.get_client_first())
        except ScramException as error:
            raise SaslError(str(error)) from error

    def challenge(self, text: str | None) -> str:
        """The response to a challenge. Raises :class:`SaslError`."""
        if self._scram is None:
            return ""
        try:
            self._scram.set_server_first(_decode(text))
            return _encode(self._scram.get_client_final())
        except (self._error, ValueError, KeyError, IndexError) as error:
            raise SaslError(str(error)) from error

    def success(self, text: str | None) -> None:
        """Checks the server's proof. Raises :class:`SaslError` when it does not know the password either."""
        if self._scram is None or self._finished:
            return
        try:
            self._scram.set_server_final(_decode(text))
        except (self._error, ValueError, KeyError, IndexError, AttributeError) as error:
            raise SaslError(str(error)) from error
        self._finished = True


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode() or "="


def _decode(text: str | None) -> str:
    try:
        return base64.b64decode(text or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SaslError("malformed challenge") from error
