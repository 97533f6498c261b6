"""Which vendor a typed or clicked text belongs to, and how its sessions are made."""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from app.vendors.base import Address, SessionFactory

MAX_TEXT = 4_096
"""Characters; nothing longer is a link."""

_NOT_YET: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)^sips?:"), "SIP addresses need a phone account, which Parley does not have yet."),
    (re.compile(r"(?i)^(?:tel|callto):"), "Phone numbers need a phone account, which Parley does not have yet."),
    (re.compile(r"(?i)^pexip(?:-provision)?:"), "Pexip meetings cannot be joined with this version of Parley."),
    (
        re.compile(r"(?i)^(?:file|ftp|mailto|data|javascript|about|ws|wss|xmpp|ssh):"),
        "This is not a link to a meeting.",
    ),
)
"""Texts that mean something, but nothing that can be joined today, each with the sentence that says so."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """``hint`` is one sentence either way: what was found, or why the text cannot be used."""

    address: Address | None
    hint: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor: *recognise* is pure and cheap (no heavy import); *load* may import for a second."""

    name: str
    title: str
    recognise: Callable[[str, str], Address | None]
    """``(text, default server) -> address``, ``None`` when the text is not for this vendor."""
    load: Callable[[], SessionFactory]


def _jitsi_address(text: str, default_server: str) -> Address | None:
    from app.vendors.jitsi.address import recognise

    return recognise(text, default_server)


def _jitsi_session() -> SessionFactory:
    return cast(SessionFactory, importlib.import_module("app.vendors.jitsi.client").JitsiSession)


JITSI = Vendor("jitsi", "Jitsi", _jitsi_address, _jitsi_session)


class Registry:
    """The vendors in the order in which they are asked."""

    def __init__(self, vendors: tuple[Vendor, ...] = (JITSI,)) -> None:
        self._vendors = vendors
        self._factories: dict[str, SessionFactory] = {}

    def recognise(self, text: str, default_server: str) -> Recognised:
        """Never raises, whatever was typed."""
        text = text.strip()
        if not text:
            return Recognised(None, "Type or paste a meeting link or a room name.")
        if len(text) > MAX_TEXT:
            return Recognised(None, "This text is too long to be a meeting link.")
        for pattern, hint in _NOT_YET:
            if pattern.search(text):
                return Recognised(None, hint)
        for vendor in self._vendors:
            address = vendor.recognise(text, default_server)
            if address is not None:
                return Recognised(address, f"{vendor.title} meeting {address.title} on {address.server}")
        return Recognised(None, "This is not a meeting link or room name.")

    async def factory(self, vendor: str) -> SessionFactory:
        """How sessions of *vendor* are made; imports its parts in a worker thread the first time.

        Raises ``LookupError`` for a vendor that is not there.
        """
        if vendor not in self._factories:
            self._factories[vendor] = await asyncio.to_thread(self._by_name()[vendor].load)
        return self._factories[vendor]

    def _by_name(self) -> Mapping[str, Vendor]:
        return {vendor.name: vendor for vendor in self._vendors}
