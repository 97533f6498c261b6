"""Call legs: one dialog with one client, its media, and what it is connected to."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.protocols.sdp.description import SdpError
from app.protocols.sip.user_agent import NotPossible
from app.sandbox.wazo.leg_media import LegMedia, NoCommonCodec
from app.sandbox.wazo.sip_socket import Peer
from app.sandbox.wazo.state import Line, User

if TYPE_CHECKING:
    from app.sandbox.wazo.bridges import Bridge
    from app.sandbox.wazo.call_server import CallServer

log = logging.getLogger(__name__)
KEPT_MESSAGES = 500


@dataclass(slots=True)
class SipMessage:
    """A MESSAGE or INFO that a client sent in this dialog."""

    method: str
    content_type: str
    body: str


@dataclass(eq=False)
class Leg:
    """``id`` is what calld calls ``call_id`` and Asterisk uniqueid."""

    server: CallServer
    id: str
    peer: Peer
    key: str
    """The user agent's key of the call."""
    is_caller: bool
    user: User | None = None
    line: Line | None = None
    name: str = ""
    number: str = ""
    """Who is at this leg."""
    peer_name: str = ""
    peer_number: str = ""
    """Whom it talks to."""
    dialed: str = ""
    contact: str = ""
    """User part of the client's registered contact."""
    conversation_id: str = ""
    sip_call_id: str = ""
    status: str = "Ring"
    held: bool = False
    """By its own client."""
    muted: bool = False
    """By the server."""
    record_state: str = "inactive"
    is_video: bool = False
    created_at: float = field(default_factory=time.time)
    answered_at: float = 0.0
    ended_at: float = 0.0
    media: LegMedia = field(default=None)  # type: ignore[assignment]
    bridge: Bridge | None = None
    on_answered: Callable[[Leg], None] | None = None
    """For legs that the server calls."""
    on_ended: Callable[[Leg, Any], None] | None = None
    on_ringing: Callable[[Leg], None] | None = None
    messages: deque[SipMessage] = field(default_factory=lambda: deque(maxlen=KEPT_MESSAGES))
    recording: list[Any] = field(default_factory=list)
    reinvites: int = 0
    """Offers in the running call that the client made."""
    headers: Any = None
    """Of the INVITE that the client sent."""
    answer_headers: Any = None
    offer_wanted: bool = False
    transferred: bool = False
    """Waits for the outcome of a transfer: the end of the other leg does not end this one."""
    unlogged: bool = False
    """No call record: another phone of the same person has it."""
    diversions: list[str] = field(default_factory=list)
    """``Diversion`` values of forwards on the way, newest first."""

    def __post_init__(self) -> None:
        if self.media is None:
            options = self.server.options
            self.media = LegMedia(self.id, options.allow.split(","), self.server.faults)
        hooks = self.media.hooks
        hooks.audio = lambda packet, codec, samples: self._heard(packet, codec, samples)
        hooks.video = lambda packet, codec: self.bridge.video(self, packet, codec) if self.bridge else None
        hooks.digit = self._digit
        hooks.talking = lambda talking: self.bridge.talking(self, talking) if self.bridge else None
        hooks.keyframe = lambda line: self.bridge.keyframe(self, line) if self.bridge else None

    # ------------------------------------------------------------------ media in

    def _heard(self, packet: Any, codec: Any, samples: Any) -> None:
        if self.record_state == "active" and samples is not None:
            self.recording.append(samples)
        if self.bridge is not None and not self.muted:
            self.bridge.audio(self, packet, codec, samples)

    def _digit(self, digit: str, milliseconds: int) -> None:
        self.server.digit(self, digit)

    # ------------------------------------------------------------------ state

    @property
    def up(self) -> bool:
        return self.status == "Up"

    @property
    def ended(self) -> bool:
        return self.status == "Down"

    def talking_to(self) -> dict[str, str | None]:
        others = self.bridge.others(self) if self.bridge is not None else []
        found: dict[str, str | None] = {leg.id: leg.user.uuid if leg.user else None for leg in others}
        if self.bridge is not None and not found and self.bridge.robot_id:
            found[self.bridge.robot_id] = None
        return found

    def data(self) -> dict[str, Any]:
        """The Call object of wazo.md 7.1."""
        return {
            "call_id": self.id, "conversation_id": self.conversation_id, "sip_call_id": self.sip_call_id,
            "user_uuid": self.user.uuid if self.user else None, "tenant_uuid": self.server.state.tenant_uuid,
            "line_id": self.line.id if self.line else None, "status": self.status, "direction": "internal",
            "is_caller": self.is_caller, "is_video": self.media.has_video() or self.is_video,
            "creation_time": _iso(self.created_at), "answer_time": _iso(self.answered_at),
            "hangup_time": _iso(self.ended_at), "caller_id_name": self.name, "caller_id_number": self.number,
            "peer_caller_id_name": self.peer_name, "peer_caller_id_number": self.peer_number,
            "dialed_extension": self.dialed, "on_hold": self.held, "muted": self.muted, "parked": False,
            "record_state": self.record_state, "talking_to": self.talking_to(),
            "bridges": [self.bridge.id] if self.bridge else [],
        }  # fmt: skip

    def publish(self, name: str) -> None:
        if self.user is not None:
            self.server.state.bus.publish(name, self.data(), [self.user.uuid], f"events.calls.{self.user.uuid}")

    # ------------------------------------------------------------------ doing

    def command(self, action: Callable[[Any, float], object]) -> bool:
        """Do something with the user agent; False when it does not fit the state of the dialog."""
        try:
            action(self.peer.agent, time.monotonic())
        except NotPossible as error:
            log.info("leg %s: %s", self.id, error)
            return False
        finally:
            self.peer.pump()
        return True

    def hang_up(self, cause: int = 16, reasons: tuple[str, ...] = ()) -> None:
        """BYE, CANCEL or a refusal, whatever fits."""
        if not self.ended:
            texts = reasons or (f"Q.850;cause={cause}",)
            if not self.command(lambda agent, now: agent.bye(self.key, now, texts)):
                self.server.ended(self, None)

    def reject(self, status: int, cause: int = 0, reason: str = "") -> None:
        headers = [("Reason", f"Q.850;cause={cause}")] if cause else []
        self.command(lambda agent, now: agent.reject(self.key, now, status, reason, headers))

    def ring(self) -> None:
        self.command(lambda agent, now: agent.progress(self.key, now, status=180, headers=self.id_header()))

    def id_header(self) -> list[tuple[str, str]]:
        return [("X-Wazo-Call-ID", self.id)] if self.server.options.announce_call_id else []

    def identity(self) -> list[tuple[str, str]]:
        if not self.peer_number:
            return []
        return [("P-Asserted-Identity", f'"{self.peer_name}" <sip:{self.peer_number}@127.0.0.1>')]

    async def early(self) -> None:
        """183 with our answer, for media before the call is answered."""
        sdp = self.media.answer()
        self.command(lambda agent, now: agent.progress(self.key, now, status=183, sdp=sdp, headers=self.id_header()))

    def answer(self) -> bool:
        """200 with our answer to the offer that :attr:`media` has accepted."""
        sdp = self.media.answer()
        headers = [*self.id_header(), *self.identity()]
        if not self.command(lambda agent, now: agent.answer(self.key, sdp, now, headers)):
            return False
        self.server.answered(self)
        return True

    def message(self, body: str, content_type: str) -> None:
        """MESSAGE in the dialog."""
        self.command(lambda agent, now: agent.message("", body, now, content_type=content_type, call=self.key))

    # ------------------------------------------------------------------ offers in the running call

    def renegotiate(self) -> None:
        """Make an offer as soon as none is open; asked several times before that, it is one."""
        self.offer_wanted = True
        self.server.spawn(self._offer())

    async def _offer(self) -> None:
        agent = self.peer.agent
        if not self.offer_wanted or self.ended or not self.up or not agent.can_offer(self.key):
            return
        self.offer_wanted = False
        sdp = await self.media.offer()
        if not agent.can_offer(self.key):
            self.offer_wanted = True
            return
        self.command(lambda a, now: a.reinvite(self.key, sdp, now, self.identity()))

    def offer_done(self) -> None:
        if self.offer_wanted:
            self.server.spawn(self._offer())

    async def negotiated(self, step: Awaitable[None]) -> bool:
        """Await a media step; False when both have no common format or the description is malformed."""
        try:
            await step
        except (NoCommonCodec, SdpError) as error:
            log.info("leg %s: no media: %s", self.id, error)
            return False
        return True

    def spawn_close(self) -> None:
        self.server.closing(asyncio.get_running_loop().create_task(self.media.close()))


def _iso(at: float) -> str | None:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat() if at else None
