"""Which vendor a typed or clicked text belongs to, and how its sessions are made."""

from __future__ import annotations

import asyncio
import importlib
import re
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from app.calls.model import frozen_map
from app.vendors.base import AccountFactory, Address, SessionFactory

ACCOUNT = "account_id"
"""Key of ``Address.extra``: the account that calls. Such an address is dialled, not joined."""
ROOM = "room"
"""Key of ``Address.extra``: set when a video room is joined."""
MAX_TEXT = 4_096
"""Characters; nothing longer is a link."""

_NOT_YET: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)^sips?:"), "Sign in to a phone account to call SIP addresses."),
    (re.compile(r"(?i)^(?:tel|callto):"), "Sign in to a phone account to call phone numbers."),
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


@dataclass(frozen=True, slots=True)
class AccountRef:
    """A signed-in account to call with, as much as recognising a text needs."""

    account_id: str
    vendor: str
    server: str


@dataclass(frozen=True, slots=True)
class AccountVendor:
    """A vendor one can sign in to. *recognise* is pure and cheap: ``(text, server) -> what to dial``."""

    name: str
    title: str
    recognise: Callable[[str, str], Dialable | None]
    load: Callable[[], AccountFactory]
    asks_domain: bool = False


@dataclass(frozen=True, slots=True)
class Dialable:
    """What a text means for a phone. ``room`` joins a video room instead of ringing somebody."""

    target: str
    room: bool = False


MAX_NUMBER = 40
"""Characters; E.164 has 15 digits, service codes and separators make it longer."""
_NUMBER = re.compile(r"[+*#0-9][-+*#0-9 ./()]*")
_SEPARATORS = re.compile(r"[-\s./()]")
_SIP = re.compile(r"(?i)sips?:(?:[^\s@:/;?<>]+@)?[^\s@/;?<>]+(?:[;?][^\s<>]*)?")
_TEL = re.compile(r"(?i)(?:tel|callto):(?://)?(.*)")


def recognise_number(text: str) -> str | None:
    """The number or SIP URI in *text* in the form to dial, ``None`` when it is neither (RFC 3966, RFC 3261 section 19).

    A number has a digit, or is a service code of ``*`` and ``#``; separators for the eye are dropped.
    """
    tel = _TEL.fullmatch(text)
    if tel is not None:
        text = urllib.parse.unquote(tel.group(1)).partition(";")[0]
    elif _SIP.fullmatch(text):
        return text
    if len(text) > MAX_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = _SEPARATORS.sub("", text)
    plain = number[1:] if number.startswith("+") else number
    return number if plain and "+" not in plain else None


_MEETING_PATH = re.compile(r"/(?:#/)?meetings?/([0-9a-fA-F-]{36})/?")


def _wazo_dialable(text: str, server: str) -> Dialable | None:
    """Numbers, SIP and telephone URIs, and links of meetings: any host, the meeting's UUID in the path."""
    number = recognise_number(text)
    if number is not None:
        return Dialable(number)
    if not text.lower().startswith(("https://", "http://")):
        return None
    try:
        url = urllib.parse.urlsplit(text)
    except ValueError:
        return None
    path = f"{url.path.rstrip('/')}/#{url.fragment}" if url.fragment.startswith("/") else url.path
    return Dialable(text, room=True) if url.hostname and _MEETING_PATH.search(path) else None


def _wazo_account() -> AccountFactory:
    return cast(AccountFactory, importlib.import_module("app.vendors.wazo.account").WazoAccount)


WAZO = AccountVendor("wazo", "Wazo", _wazo_dialable, _wazo_account, asks_domain=True)

JITSI = Vendor("jitsi", "Jitsi", _jitsi_address, _jitsi_session)


class Registry:
    """The vendors in the order in which they are asked."""

    def __init__(
        self, vendors: tuple[Vendor, ...] = (JITSI,), account_vendors: tuple[AccountVendor, ...] = (WAZO,)
    ) -> None:
        self._vendors = vendors
        self._account_vendors = account_vendors
        self._factories: dict[str, SessionFactory] = {}
        self._account_factories: dict[str, AccountFactory] = {}

    def account_vendors(self) -> tuple[AccountVendor, ...]:
        return self._account_vendors

    def recognise(self, text: str, default_server: str, accounts: tuple[AccountRef, ...] = ()) -> Recognised:
        """Never raises, whatever was typed. *accounts* are those that can call now; the first is asked first."""
        text = text.strip()
        if not text:
            return Recognised(None, "Type or paste a meeting link or a room name.")
        if len(text) > MAX_TEXT:
            return Recognised(None, "This text is too long to be a meeting link.")
        called = self._recognise_call(text, accounts)
        if called is not None:
            return called
        for pattern, hint in _NOT_YET:
            if pattern.search(text):
                return Recognised(None, hint)
        for vendor in self._vendors:
            address = vendor.recognise(text, default_server)
            if address is not None:
                return Recognised(address, f"{vendor.title} meeting {address.title} on {address.server}")
        return Recognised(None, "This is not a meeting link or room name.")

    def _recognise_call(self, text: str, accounts: tuple[AccountRef, ...]) -> Recognised | None:
        for account in accounts:
            vendor = next((one for one in self._account_vendors if one.name == account.vendor), None)
            found = vendor.recognise(text, account.server) if vendor is not None else None
            if vendor is None or found is None:
                continue
            extra = frozen_map({ACCOUNT: account.account_id, **({ROOM: "1"} if found.room else {})})
            target = found.target
            url = target if ":" in target else f"tel:{target}"
            address = Address(vendor.name, text, url, account.server, target, target, extra)
            if found.room:
                return Recognised(address, f"Join this meeting with {vendor.title}")
            return Recognised(address, f"Call {target} with {vendor.title}")
        return None

    async def account_factory(self, vendor: str) -> AccountFactory:
        """How accounts of *vendor* are made; imports its parts in a worker thread the first time.

        Raises ``LookupError`` for a vendor that is not there.
        """
        if vendor not in self._account_factories:
            found = {one.name: one for one in self._account_vendors}[vendor]
            self._account_factories[vendor] = await asyncio.to_thread(found.load)
        return self._account_factories[vendor]

    async def factory(self, vendor: str) -> SessionFactory:
        """How sessions of *vendor* are made; imports its parts in a worker thread the first time.

        Raises ``LookupError`` for a vendor that is not there.
        """
        if vendor not in self._factories:
            self._factories[vendor] = await asyncio.to_thread(self._by_name()[vendor].load)
        return self._factories[vendor]

    def _by_name(self) -> Mapping[str, Vendor]:
        return {vendor.name: vendor for vendor in self._vendors}
