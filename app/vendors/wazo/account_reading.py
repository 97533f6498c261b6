"""What an account reads from its server at first and again whenever it became stale."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from app.calls import accounts as acc
from app.protocols.http import NetworkFailure
from app.vendors.base import ActionRefused
from app.vendors.wazo import account_queries, rest_agentd, rest_calld, rest_chatd
from app.vendors.wazo.client import RestError
from app.vendors.wazo.errors import network_failure
from app.vendors.wazo.rest_dird import Source, list_sources, parse_conferences, parse_sources, source_contacts

if TYPE_CHECKING:
    from app.vendors.wazo.account import WazoAccount

RELOAD_DELAY_S = 0.3
"""Events come in bursts; one reading serves them all."""
MAX_VOICEMAILS = 1_000
SOURCES_KEPT_S = 300.0
"""Directories come and go with an administrator's work."""

log = logging.getLogger(__name__)


class Reading:
    def __init__(self, account: WazoAccount) -> None:
        self._account = account
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sources: tuple[float, tuple[Source, ...]] = (0.0, ())

    async def load(self, offered: frozenset[acc.Service]) -> None:
        if acc.Service.PRESENCE in offered:
            self.again("presence", at_once=True)
        if acc.Service.VOICEMAIL in offered:
            self.again("voicemail", at_once=True)
        if acc.Service.AGENT in offered:
            self.again("agent", at_once=True)
        if acc.Service.SWITCHBOARD in offered:
            self.again("switchboards", at_once=True)

    def again(self, what: str, *, at_once: bool = False) -> None:
        running = self._running.get(what)
        if running is not None and not running.done():
            return
        self._running[what] = self._account.start(
            self._read_again(what, 0.0 if at_once else RELOAD_DELAY_S), f"wazo {what}"
        )

    async def _read_again(self, what: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        # Events during the reading start another one.
        self._running.pop(what, None)
        readers = {
            "presence": self._read_presence,
            "voicemail": self._read_voicemail,
            "agent": self._read_agent,
            "switchboards": self._read_switchboards,
        }
        try:
            await readers[what]()
        except (RestError, NetworkFailure, ActionRefused) as error:
            log.info("reading %s failed: %s", what, type(error).__name__)

    async def _read_presence(self) -> None:
        users = sorted({self._account.me, *self._account.core.watched})
        for request in rest_chatd.get_presences(users):
            for presence in rest_chatd.parse_presences(await self._account.client.call(request)):
                self._account.emit_all(self._account.core.presence(presence))

    async def _read_voicemail(self) -> None:
        messages, _ = await self.voicemail_messages(MAX_VOICEMAILS)
        self._account.emit_all(
            self._account.core.counts(voicemail_new=sum(message.folder == "new" for message in messages))
        )

    async def _read_agent(self) -> None:
        if self._account.core.agent_id:
            self._account.emit_all(
                self._account.core.set_agent(
                    rest_agentd.parse_agent(await self._account.client.call(rest_agentd.status()))
                )
            )

    async def _read_switchboards(self) -> None:
        for board in list(self._account.core.switchboards):
            for held in (False, True):
                body = await self._account.client.call(rest_calld.switchboard_calls(board, held=held))
                self._account.emit_all(self._account.core.waiting(board, held, rest_calld.parse_waiting(body, held)))

    def voicemail_changed(self, message_id: str) -> None:
        self._account.emit(acc.ListChanged("voicemail", message_id))
        self.again("voicemail", at_once=True)

    async def voicemail_messages(self, limit: int) -> tuple[tuple[acc.VoicemailMessage, ...], int | None]:
        """Newest first. Raises :class:`ActionRefused`."""
        try:
            body = await self._account.client.call(rest_calld.list_voicemail_messages(0, limit))
            return rest_calld.parse_voicemail_messages(body)
        except RestError as error:
            if error.error.status != 404 or error.error.error_id:
                if error.error.error_id == "no-such-user-voicemail":
                    return (), 0
                raise ActionRefused(error.failure) from error
        except NetworkFailure as error:
            raise ActionRefused(network_failure(error)) from error
        # Servers before the list of messages have only the mailbox.
        found = rest_calld.parse_voicemails(await self._account.client.ask(rest_calld.list_voicemails()))
        return found[:limit], len(found)

    async def sources(self) -> tuple[Source, ...]:
        """Directory sources that can be listed, remembered for a while. Raises :class:`ActionRefused`."""
        read_at, found = self._sources
        if not found or time.monotonic() - read_at > SOURCES_KEPT_S:
            found = await account_queries.listable_sources(self._account)
            self._sources = (time.monotonic(), found)
        return found

    async def conference_rooms(self) -> tuple[acc.Room, ...]:
        """Raises :class:`ActionRefused`."""
        rooms: list[acc.Room] = []
        for source in parse_sources(await self._account.client.ask(list_sources("conference"))):
            request = source_contacts("conference", source.uuid, limit=None)
            rooms += parse_conferences(await self._account.client.ask(request))
        return tuple(rooms)
