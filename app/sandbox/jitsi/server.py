"""A whole Jitsi deployment in one process, on loopback: the entry point of this package.

    async with JitsiSandbox(bots=3) as sandbox:
        print(sandbox.url("team"))

Rooms come into being when somebody asks the focus for them; *bots* synthetic participants enter each room after its
first person. All methods must be called on the loop that runs the sandbox; :class:`ThreadedSandbox` runs one in a
thread of its own and passes calls over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Self
from xml.etree.ElementTree import Element

from aiohttp import web

from app.protocols.jingle import build_jingle
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el
from app.sandbox.jitsi.bots import BotCrew
from app.sandbox.jitsi.bridge import Bridge
from app.sandbox.jitsi.conference import Conference, Member
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.focus import Focus
from app.sandbox.jitsi.muc import MucService, Occupant, Room
from app.sandbox.jitsi.muc_admin import handle_room_iq
from app.sandbox.jitsi.observer import Observer, ParticipantTruth, participant_truth
from app.sandbox.jitsi.offer import peer_offer
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.services import Services
from app.sandbox.jitsi.sessions import RemoteSession, Router
from app.sandbox.jitsi.stream import Streams
from app.sandbox.jitsi.web import WebServer, self_signed_context
from app.sandbox.threaded import Threaded

log = logging.getLogger(__name__)

HOST = "127.0.0.1"


class JitsiSandbox:
    """See the module's words. Keyword arguments are fields of :class:`SandboxOptions`."""

    def __init__(self, port: int = 0, **options: Any) -> None:
        self.options = SandboxOptions(**options)
        self.faults = Faults()
        self._wanted_port = port
        self.port = 0
        self.router = Router()
        self.muc = MucService(self.options, self.faults, self.router)
        self.bridge = Bridge(self.options, self.faults)
        self.focus = Focus(self.options, self.faults, self.router, self.muc, self.bridge, self._call_later)
        self.services = Services(self.options, self.faults, self.router, self.muc)
        self.streams = Streams(self.options, self.faults, self.router, self._call_later)
        self.web = WebServer(self.options, self.faults, self.streams, self.focus, self.bridge)
        self.crew = BotCrew(self.options, self.router, self.focus, self.bridge, self._call_later)
        self._timers: set[asyncio.TimerHandle] = set()
        self._runner: web.AppRunner | None = None
        self._wire()

    def _wire(self) -> None:
        self.router.serve(self.options.muc, self.muc.handle)
        self.router.serve_tenants("muc", self.options.domain, self.muc.handle)
        self.router.serve(self.options.focus, self.focus.handle_service)
        self.muc.room_iq = handle_room_iq
        self.focus.on_conference.append(self._conference_started)
        self.focus.on_conference.append(self.crew.conference_started)

    def _conference_started(self, conference: Conference) -> None:
        room = conference.room
        room.on_join.append(lambda occupant: self.services.welcome(room, occupant))

    def _call_later(self, delay: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()

        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = loop.call_later(delay, run)
        self._timers.add(handle)
        return handle

    # ------------------------------------------------------------------ life

    async def start(self) -> None:
        """Bind the port and serve. Raises :class:`OSError` when the port is taken."""
        runner = web.AppRunner(self.web.application(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runner = runner
        context = self_signed_context() if self.options.tls else None
        site = web.TCPSite(runner, HOST, self._wanted_port, ssl_context=context)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self.port = runner.addresses[0][1]
        self.web.base_url = f"{'https' if self.options.tls else 'http'}://{HOST}:{self.port}"
        self.bridge.web_socket_base = self.web.base_url.replace("http", "ws", 1)

    async def close(self) -> None:
        """Stop serving; connections break as they do when a server goes away."""
        await self.crew.close()
        self.web.bosh.close()
        self.web.drop_sockets()
        await self.focus.close()
        await self.bridge.close()
        if self._runner is not None:
            await self._runner.cleanup()
        for timer in list(self._timers):
            timer.cancel()
        self._timers.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    # ------------------------------------------------------------------ addresses

    def url(self, room: str = "demo", tenant: str = "") -> str:
        """Address of a meeting, as a person would paste it."""
        prefix = f"{tenant}/" if tenant else ""
        return f"{self.web.base_url}/{prefix}{room}"

    def room_jid(self, room: str) -> str:
        return room if "@" in room else f"{room.lower()}@{self.options.muc}"

    # ------------------------------------------------------------------ truth

    def room(self, room: str) -> Room:
        """The room as the server knows it. Raises :class:`KeyError` when nobody has opened it."""
        return self.muc.rooms[self.room_jid(room)]

    def conference(self, room: str) -> Conference:
        """The focus's view. Raises :class:`KeyError` when there is none."""
        return self.focus.conferences[self.room_jid(room)]

    def participants(self, room: str) -> Mapping[str, ParticipantTruth]:
        """What server and bridge know of everybody (bots included), by endpoint id; empty without the room."""
        conference = self.focus.conferences.get(self.room_jid(room))
        if conference is None:
            return {}
        return {nick: participant_truth(conference, member, self.bridge) for nick, member in conference.members.items()}

    async def observe(self, room: str, name: str = "Observer") -> Observer:
        """Let an in-process participant enter whose received media can be measured. It sends nothing by itself."""
        return await Observer.enter(self, self.room_jid(room), name)

    # ------------------------------------------------------------------ things that happen to people

    def _member(self, room: str, nick: str) -> tuple[Conference, Member]:
        conference = self.conference(room)
        return conference, conference.members[nick]

    def _session(self, room: str, nick: str) -> RemoteSession | None:
        session = self._member(room, nick)[1].occupant.session
        return session if isinstance(session, RemoteSession) else None

    def drop_connection(self, room: str = "", nick: str = "") -> int:
        """Break the signalling connection of one participant (or everybody's) without a close."""
        session = self._session(room, nick) if nick else None
        return self.web.drop_sockets(session.jid if session is not None else "")

    def end_session(self, room: str, nick: str) -> None:
        """Forget a participant's XMPP session (as when hibernation ends), so that resumption fails."""
        session = self._session(room, nick)
        if session is not None:
            session.end()
            self.web.drop_sockets(session.jid)

    def kick(self, room: str, nick: str, reason: str = "", actor: str = "") -> None:
        occupant = self.room(room).occupants[nick]
        self.room(room).leave(occupant, "kicked", reason, actor or "focus", ("307",))

    def ban(self, room: str, nick: str) -> None:
        self.room(room).set_affiliation(self.room(room).occupants[nick].session.jid, "outcast")

    def grant_moderator(self, room: str, nick: str, granted: bool = True) -> None:
        jid = self.room(room).occupants[nick].session.jid
        self.room(room).set_affiliation(jid, "owner" if granted else "none")

    def mute(self, room: str, nick: str, kind: str = "audio", actor: str = "") -> None:
        """A moderator (*actor*, by default any bot or the focus) mutes somebody."""
        conference, member = self._member(room, nick)
        conference.mute(actor or "focus", member, kind, True)

    def destroy(self, room: str, reason: str = "", alternative: str = "") -> None:
        self.room(room).destroy(reason, alternative)

    def set_password(self, room: str, password: str) -> None:
        self.room(room).password = password
        self.room(room).announce_config_change()

    def kill_bridge(self, room: str = "") -> None:
        """All (or one conference's) bridge transports go silent at once, as when a bridge crashes."""
        self.bridge.kill(self.conference(room).id if room else "")

    def move(self, room: str, nick: str) -> None:
        """Move somebody to another bridge: session-terminate with success, then a new session-initiate."""
        conference, member = self._member(room, nick)
        conference.terminate(member, "success", "moving", restart=True)

    def duplicate_offer(self, room: str, nick: str) -> None:
        self.conference(room).resend_offer(nick)

    def offer_peer_session(self, room: str, nick: str, sender: str) -> None:
        """A P2P offer (jitsi.md 5.13) from the bot *sender*; the answer shows in the member's ``jingle_log``."""
        conference, member = self._member(room, nick)
        bot = self.crew.bot(conference, sender)
        payload = build_jingle(peer_offer(bot.jid))

        def answered(action: str, outcome: str) -> None:
            member.note(f"p2p {action}", outcome)

        bot.send_iq(f"{conference.room.jid}/{nick}", payload, answered)

    def drop_bridge_channel(self, room: str, nick: str) -> None:
        self.bridge.drop_channel(self.conference(room).id, nick)

    def set_media_faults(self, loss: float = 0.0, delay_s: float = 0.0) -> None:
        """Lose a fraction of all packets and delay them, in both directions, for everybody who uses a transport."""
        self.faults.loss, self.faults.delay_media_s = loss, delay_s
        self.bridge.apply_faults()

    def focus_presence(self, room: str, *children: Element) -> None:
        """Put extra children into the focus's presence."""
        self.focus.update_presence(self.room(room), *children)

    def bridge_not_available(self, room: str) -> None:
        self.focus_presence(room, el("bridgeNotAvailable", ns.CLIENT))

    def add_bot(self, room: str, name: str = "", **settings: Any) -> str:
        """One more bot for a room that exists; returns its endpoint id."""
        return self.crew.add(self.conference(room), name, **settings).nick

    def remove_bot(self, room: str, nick: str) -> None:
        self.crew.bot(self.conference(room), nick).leave()

    def occupant(self, room: str, nick: str) -> Occupant:
        return self.room(room).occupants[nick]


class ThreadedSandbox(Threaded[JitsiSandbox]):
    """``with ThreadedSandbox(bots=2) as box: box.call(lambda s: s.kick("room", nick))``"""

    def __init__(self, port: int = 0, **options: Any) -> None:
        super().__init__("jitsi-sandbox", lambda: JitsiSandbox(port, **options))

    def url(self, room: str = "demo", tenant: str = "") -> str:
        assert self.sandbox is not None
        return self.sandbox.url(room, tenant)


async def serve(port: int = 0, bots: int = 3, on_ready: Callable[[JitsiSandbox], None] | None = None) -> None:
    """Run a sandbox until cancelled; *on_ready* is called once it listens."""
    async with JitsiSandbox(port, bots=bots) as sandbox:
        if on_ready is not None:
            on_ready(sandbox)
        await asyncio.Event().wait()
