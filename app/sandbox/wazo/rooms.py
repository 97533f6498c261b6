"""Conferences as ConfBridge with ``video_mode=sfu``: one mixed sound, one line per other picture (wazo.md 5)."""

from __future__ import annotations

import asyncio
import datetime
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.sandbox.wazo.bridges import Bridge, Tone
from app.sandbox.wazo.clips import STEP, Camera, Projector
from app.sandbox.wazo.leg_media import Line
from app.sandbox.wazo.state import CONFERENCES
from app.sandbox.wazo.streams import BLOCK, starts_keyframe

if TYPE_CHECKING:
    from app.media.api import Codec
    from app.media.rtp import ReceivedPacket
    from app.sandbox.wazo.call_server import CallServer
    from app.sandbox.wazo.legs import Leg

EVENT_TYPE = "application/x-asterisk-confbridge-event+json"
MAX_MEMBERS = 25
MAX_PENDING_BLOCKS = 10
"""Sound of a member that is not mixed yet; more is dropped, oldest first."""
KEYFRAME_S = 0.5
"""Requests for one picture are passed on at most this often."""
MEETING_GUEST = "meeting-guest"
BOT_NAMES = ("Marie", "Konrad", "Lise", "Niels", "Chien")
BOT_HZ = (520.0, 640.0, 760.0, 880.0, 1000.0)


@dataclass(eq=False)
class Bot:
    """A synthetic member: a picture with a stamp, a tone while it talks, words now and then."""

    id: str
    name: str
    number: str
    hz: float
    camera: Camera
    joined_at: float = field(default_factory=time.time)
    talking: bool = False
    muted: bool = False
    user_uuid: str = ""
    messages: list[tuple[str, str]] = field(default_factory=list)
    """Content type and body of what the room told it, newest last (at most 200)."""
    tone: Tone | None = None

    def hears(self, content_type: str, body: str) -> None:
        self.messages.append((content_type, body))
        del self.messages[:-200]


class RoomBridge(Bridge):
    """One conference or meeting. Members are legs, beside them bots."""

    def __init__(self, server: CallServer, rooms: Rooms, key: str, name: str, meeting: dict[str, Any] | None) -> None:
        super().__init__(server)
        self.rooms, self.key, self.name, self.meeting = rooms, key, name, meeting
        self.uuid = str(uuid.uuid4())
        self.created = time.time()
        self.bots: list[Bot] = []
        self.admins: set[str] = set()
        self.video_on = server.options.video_rooms or meeting is not None
        self.banned: set[str] = set()
        self.record_state = "inactive"
        self._pending: dict[str, list[Any]] = {}
        self._projectors: dict[tuple[str, str], Projector] = {}
        self._waiting: set[tuple[str, str]] = set()
        """(receiver, source) pairs whose first keyframe has not come."""
        self._asked: dict[str, float] = {}
        self._joined: dict[str, float] = {}
        self._senders: set[str] = set()

    @property
    def bridge_name(self) -> str:
        return f"wazo-meeting-{self.key}-confbridge" if self.meeting is not None else f"wazo-conference-{self.key}"

    # ------------------------------------------------------------------ people

    def join(self, leg: Leg) -> None:
        super().join(leg)
        self._joined[leg.id] = time.time()
        leg.peer_name = self.name
        leg.publish("call_updated")
        self._user_event("joined", self.participant(leg))
        self._confbridge("ConfbridgeWelcome", [*self.members, *self.bots], only=leg)
        self._confbridge("ConfbridgeJoin", [leg])
        self.streams_changed()

    def leave(self, leg: Leg) -> None:
        if leg not in self.members:
            return
        data = self.participant(leg)
        super().leave(leg)
        self._pending.pop(leg.id, None)
        self._senders.discard(leg.id)
        self._confbridge("ConfbridgeLeave", [leg])
        self._user_event("left", data, [leg])
        self.streams_changed()
        if not self.members:
            self.rooms.emptied(self)

    def add_bot(self, bot: Bot) -> None:
        self.bots.append(bot)
        self._user_event("joined", self.participant(bot))
        self._confbridge("ConfbridgeJoin", [bot])
        self.streams_changed()

    def remove_bot(self, bot: Bot) -> None:
        if bot in self.bots:
            self.bots.remove(bot)
            self._user_event("left", self.participant(bot))
            self._confbridge("ConfbridgeLeave", [bot])
            self.streams_changed()

    def participant(self, member: Leg | Bot) -> dict[str, Any]:
        """As the services list them."""
        is_bot = isinstance(member, Bot)
        user = None if is_bot else member.user  # type: ignore[union-attr]
        joined = member.joined_at if is_bot else self._joined.get(member.id, time.time())  # type: ignore[union-attr]
        return {
            "id": member.id, "call_id": member.id, "caller_id_name": member.name, "caller_id_number": member.number,
            "muted": member.muted, "join_time": int(time.time() - joined), "admin": member.id in self.admins,
            "language": "en_US",
            "user_uuid": user.uuid if user is not None else (getattr(member, "user_uuid", "") or None),
        }  # fmt: skip

    def participants(self) -> list[dict[str, Any]]:
        everybody: list[Leg | Bot] = [*self.members, *self.bots]
        return [self.participant(member) for member in everybody]

    def _user_event(self, what: str, data: dict[str, Any], also: list[Leg] | None = None) -> None:
        """Roster events go to every user who is in the room (wazo.md 5.1)."""
        kind, id_name = ("meeting", "meeting_uuid") if self.meeting is not None else ("conference", "conference_id")
        key: Any = self.key if self.meeting is not None else int(self.key)
        name = (
            f"{kind}_user_participant_{what}" if what in ("joined", "left") else f"conference_user_participant_{what}"
        )
        for uuid_ in {leg.user.uuid for leg in [*self.members, *(also or [])] if leg.user is not None}:
            acl = f"events.users.{uuid_}.{kind}s.{self.key}.participants.{what}"
            self.server.state.bus.publish(
                name, {**data, id_name: key, "tenant_uuid": self.server.state.tenant_uuid}, [uuid_], acl
            )

    # ------------------------------------------------------------------ SIP events

    def _channel(self, member: Leg | Bot, **more: Any) -> dict[str, Any]:
        sip = getattr(member, "sip_call_id", "") or f"bot-{member.id}"
        return {
            "id": member.id, "name": f"PJSIP/{member.number}-{member.id.partition('.')[2]:0>8}", "state": "Up",
            "protocol_id": sip, "caller": {"name": member.name, "number": member.number},
            "creationtime": _stamp(), "language": "en", "admin": member.id in self.admins, "muted": member.muted,
            "channelvars": {"WAZO_SIP_CALL_ID": sip}, **more,
        }  # fmt: skip

    def _confbridge(self, kind: str, about: list[Any], only: Leg | None = None, **more: Any) -> None:
        body = json.dumps({
            "type": kind, "timestamp": _stamp(),
            "bridge": {"id": self.uuid, "name": self.bridge_name, "creationtime": _stamp(), "video_mode": "sfu"},
            "channels": [self._channel(member, **more) for member in about],
        }, indent=2)  # fmt: skip
        if self.meeting is None and not self.video_on:
            return
        for leg in [only] if only is not None else list(self.members):
            leg.message(body, EVENT_TYPE)

    def talking(self, leg: Leg | Bot, talking: bool) -> None:
        if leg.muted:
            return
        if isinstance(leg, Bot):
            leg.talking = talking
        self._confbridge("ConfbridgeTalking", [leg], talking_status="on" if talking else "off")
        if self.meeting is None:
            self._user_event("talk_started" if talking else "talk_stopped", self.participant(leg))

    def mute(self, member: Leg | Bot, muted: bool) -> None:
        member.muted = muted
        self._confbridge("ConfbridgeMute" if muted else "ConfbridgeUnmute", [member])
        if not isinstance(member, Bot):
            member.publish("call_updated")

    def record(self, on: bool) -> None:
        self.record_state = "active" if on else "inactive"
        self._confbridge("ConfbridgeRecord" if on else "ConfbridgeStopRecord", [])

    def message(self, leg: Leg, content_type: str, body: str) -> None:
        super().message(leg, content_type, body)
        for bot in self.bots:
            bot.hears(content_type, body)

    def tell(self, body: dict[str, Any], content_type: str = "application/json") -> None:
        """Something a bot says to everybody."""
        for leg in list(self.members):
            leg.message(json.dumps(body), content_type)

    # ------------------------------------------------------------------ pictures

    def sources_for(self, leg: Leg) -> list[str]:
        """Ids of the members whose pictures go to *leg*."""
        if not self.video_on:
            return []
        legs = [other.id for other in self.members if other is not leg and other.media.video is not None]
        return [*legs, *(bot.id for bot in self.bots)]

    def streams_changed(self) -> None:
        """Offer new lines to whoever needs them."""
        for leg in list(self.members):
            if leg.media.set_extra(self.sources_for(leg)):
                for label in self.sources_for(leg):
                    self._waiting.add((leg.id, label))
                leg.renegotiate()

    def renegotiated(self, leg: Leg) -> None:
        self.streams_changed()

    def offer_answered(self, leg: Leg) -> None:
        for label in self.sources_for(leg):
            self._want(leg, label)

    def takes_video(self, leg: Leg) -> bool:
        return self.video_on

    def video(self, leg: Leg, packet: ReceivedPacket, codec: Codec) -> None:
        name = codec.name.upper()
        opens = None
        for other in self.members:
            line = other.media.line_for(leg.id) if other is not leg else None
            if line is None:
                continue
            if (other.id, leg.id) in self._waiting:
                opens = starts_keyframe(name, packet.payload) if opens is None else opens
                if not opens:
                    self._ask(leg)
                    continue
                self._waiting.discard((other.id, leg.id))
            other.media.relay(line, packet, codec)

    def _ask(self, leg: Leg) -> None:
        now = time.monotonic()
        if now - self._asked.get(leg.id, -1e9) > KEYFRAME_S:
            self._asked[leg.id] = now
            leg.media.request_keyframe()

    def _want(self, leg: Leg, label: str) -> None:
        source = next((other for other in self.members if other.id == label), None)
        if source is not None:
            self._ask(source)
        projector = self._projectors.get((leg.id, label))
        if projector is not None:
            projector.want_keyframe()

    def keyframe(self, leg: Leg, line: Line) -> None:
        if line.label:
            self._want(leg, line.label)

    # ------------------------------------------------------------------ sound

    def audio(self, leg: Leg, packet: ReceivedPacket, codec: Codec, samples: Any) -> None:
        if samples is None or leg.held:
            return
        waiting = self._pending.setdefault(leg.id, [])
        waiting += [samples[at : at + BLOCK] for at in range(0, len(samples), BLOCK)]
        del waiting[:-MAX_PENDING_BLOCKS]

    def tick(self, now: float) -> None:
        import numpy as np

        blocks: dict[str, Any] = {}
        for key, waiting in self._pending.items():
            if waiting:
                block = waiting.pop(0)
                if len(block) == BLOCK:
                    blocks[key] = block.astype(np.int32)
        for bot in self.bots:
            if bot.talking and not bot.muted:
                bot.tone = bot.tone or Tone(bot.hz)
                blocks[bot.id] = bot.tone.block().astype(np.int32)
        total = sum(blocks.values(), np.zeros(BLOCK, np.int32))
        for leg in list(self.members):
            own = blocks.get(leg.id)
            mix = total - own if own is not None else total
            leg.media.play(np.clip(mix, -32768, 32767).astype(np.int16))
            self._show_bots(leg, now)

    def _show_bots(self, leg: Leg, now: float) -> None:
        for bot in self.bots:
            line = leg.media.line_for(bot.id)
            if line is None or not leg.media.connected:
                continue
            projector = self._projectors.get((leg.id, bot.id))
            if projector is None:
                projector = self._projectors[leg.id, bot.id] = Projector(bot.camera)
            frame = projector.due(now)
            if frame is not None:
                leg.media.show(line, frame, STEP)


class MixBridge(RoomBridge):
    """An ad hoc conference: sound only, made by a host (wazo.md 4.14)."""

    def __init__(self, server: CallServer, rooms: Rooms, key: str, host: Leg) -> None:
        super().__init__(server, rooms, "0", "Conference", None)
        self.key, self.host = key, host
        self.video_on = False

    def _user_event(self, what: str, data: dict[str, Any], also: list[Leg] | None = None) -> None:
        if what not in ("joined", "left") or self.host.user is None:
            return
        full = {"conference_id": self.key, "call_id": data["call_id"], "tenant_uuid": self.server.state.tenant_uuid}
        uuid_ = self.host.user.uuid
        self.server.state.bus.publish(
            f"conference_adhoc_participant_{what}", full, [uuid_], f"events.users.{uuid_}.conferences.adhoc"
        )

    def hung_up(self, leg: Leg) -> None:
        super().hung_up(leg)
        if leg is self.host or len(self.members) < 2:
            self.end()

    def end(self) -> None:
        """Everybody's call ends."""
        if self.rooms.adhoc.pop(self.key, None) is None:
            return
        if self.host.user is not None:
            uuid_ = self.host.user.uuid
            data = {"conference_id": self.key, "tenant_uuid": self.server.state.tenant_uuid}
            self.server.state.bus.publish(
                "conference_adhoc_deleted", data, [uuid_], f"events.users.{uuid_}.conferences"
            )
        for leg in list(self.members):
            leg.hang_up()


class Rooms:
    """All conferences of the server."""

    def __init__(self, server: CallServer) -> None:
        self.server = server
        self.open: dict[str, RoomBridge] = {}
        self.adhoc: dict[str, MixBridge] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def named(self, number: str, leg: Leg) -> RoomBridge | None:
        """The room behind a number, made when it is not open; ``None`` when the number is none."""
        for id_, name, exten in CONFERENCES:
            if number == exten:
                return self._room(id_, name, None)
        for meeting in self.server.state.meetings.values():
            guest = number == MEETING_GUEST and leg.number == meeting["guest_user"]
            if guest or number in (meeting["exten"], f"wazo-meeting-{meeting['uuid']}"):
                return self._room(meeting["uuid"], meeting["name"], meeting)
        return None

    def _room(self, key: str, name: str, meeting: dict[str, Any] | None) -> RoomBridge:
        room = self.open.get(key)
        if room is None:
            room = self.open[key] = RoomBridge(self.server, self, key, name, meeting)
        return room

    def enter(self, leg: Leg, room: RoomBridge) -> None:
        """Answer (if need be) and put a leg into a room."""
        if len(room.members) + len(room.bots) >= MAX_MEMBERS:
            leg.reject(486, 17) if not leg.up else leg.hang_up(17)
            return
        if room.meeting is not None and leg.user is not None and leg.user.uuid in room.meeting["owner_uuids"]:
            room.admins.add(leg.id)
        leg.peer_name = room.name
        if not leg.up and not leg.answer():
            return
        first = not room.members
        room.join(leg)
        if first and not room.bots:
            for index in range(self.server.options.bots):
                self.later(0.3 + 0.2 * index, lambda i=index: self._bot_enters(room, i))

    def later(self, delay: float, action: Any) -> None:
        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(handle)

    def _bot_enters(self, room: RoomBridge, index: int) -> None:
        if room.members:
            bot = self.new_bot(room, index)
            if not self.server.options.quiet_bots:
                bot.talking = index == 0
                self.later(1.0, lambda: self._bot_talks(room, bot))

    def _bot_talks(self, room: RoomBridge, bot: Bot) -> None:
        """Bots take turns: each talks for two seconds, and sometimes writes."""
        if bot not in room.bots or not room.members:
            return
        mine = int(time.monotonic() / 2) % max(1, len(room.bots)) == room.bots.index(bot)
        if mine != bot.talking:
            room.talking(bot, mine)
        if mine and int(time.monotonic()) % 7 == 0:
            room.tell({"type": "message/TYPE_CHAT", "content": f"Hello from {bot.name}"})
        self.later(0.5, lambda: self._bot_talks(room, bot))

    def new_bot(self, room: RoomBridge, index: int = 0, name: str = "") -> Bot:
        """One more synthetic member."""
        name = name or BOT_NAMES[index % len(BOT_NAMES)]
        hz = BOT_HZ[index % len(BOT_HZ)]
        bot = Bot(self.server.new_id(), name, f"90{index:02d}", hz, self.server.camera(name))
        room.add_bot(bot)
        return bot

    def emptied(self, room: RoomBridge) -> None:
        self.open.pop(room.key, None)
        room.bots.clear()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.open.clear()


def _stamp() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}+0000"
