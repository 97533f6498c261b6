"""Who is in a video room, without I/O: the roster from REST, server events, ConfBridge's SIP events and what members
tell about themselves by signals (wazo.md 5). Outputs are call events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import MediaKind, Participant, Role, Source, SourceContent, frozen_map
from app.calls.text import clean_name
from app.vendors.wazo.phone_core import LOCAL
from app.vendors.wazo.rest_calld import RoomMember, parse_members

UPDATE = "signal/PARTICIPANT_UPDATE"
REQUEST = "signal/PARTICIPANT_REQUEST"
REACTION = "parley/REACTION"
HAND = "raisedHand"
"""Key in a member's extra details: when the hand went up, 0 for down."""
ROOM = "room"
"""Hidden participant that owns the one mixed stream of sound."""
MAX_MEMBERS = 500
MAX_EXTRA = 50
REACTIONS = frozenset({"like", "clap", "laugh", "surprised", "boo", "silence", "love"})


@dataclass(frozen=True, slots=True)
class Status:
    """What a member tells about itself."""

    audio_muted: bool = False
    video_muted: bool = True
    screensharing: bool = False
    on_hold: bool = False
    extra: Mapping[str, str] = field(default_factory=frozen_map)

    def wire(self, call_id: str) -> dict[str, Any]:
        return {
            "callId": call_id,
            "audioMuted": self.audio_muted,
            "videoMuted": self.video_muted,
            "screensharing": self.screensharing,
            "isTalking": False,
            "isOnHold": self.on_hold,
            "extra": dict(self.extra),
        }


@dataclass(slots=True)
class _Member:
    member: RoomMember
    status: Status = Status(video_muted=False)
    """Until told otherwise, a video that comes is there to be seen."""
    known: bool = False
    """On the roster; otherwise only its video is here so far."""
    talking: bool = False


class RoomCore:
    """Ids of participants are call ids of their legs, :data:`LOCAL` for ourselves."""

    def __init__(self, sip_call_id: str = "") -> None:
        self.out: list[CallEvent] = []
        self.sip_call_id = sip_call_id
        self.own_call_id = ""
        self.room_id = ""
        self.meeting = False
        self.status = Status()
        self._members: dict[str, _Member] = {}

    @property
    def members(self) -> Mapping[str, RoomMember]:
        return {call_id: one.member for call_id, one in self._members.items()}

    def knows(self, call_id: str) -> bool:
        return call_id in self._members

    def begin(self) -> None:
        self.out.append(ev.ParticipantJoined(Participant(ROOM, is_hidden=True)))

    # ------------------------------------------------------------ roster

    def own_leg(self, call_id: str) -> None:
        """We know now which leg is ours; it may be on the roster as somebody else already."""
        self.own_call_id = call_id
        if self._members.pop(call_id, None) is not None:
            self.out.append(ev.ParticipantLeft(call_id))

    def listed(self, members: tuple[RoomMember, ...]) -> None:
        """The whole roster: adds whom we do not know, removes who is not there."""
        present = {member.call_id for member in members}
        for call_id in [c for c, one in self._members.items() if one.known and c not in present]:
            self.left(call_id)
        for member in members:
            self.joined(member)

    def joined(self, member: RoomMember) -> None:
        call_id = member.call_id
        if not call_id or call_id == self.own_call_id:
            return
        known = self._members.get(call_id)
        if known is None:
            if len(self._members) >= MAX_MEMBERS:
                return
            self._members[call_id] = known = _Member(member, known=True)
            self.out.append(ev.ParticipantJoined(self._participant(known)))
            self.out.append(ev.SourceAdded(self._voice(known)))
            return
        merged = replace(member, name=member.name or known.member.name, number=member.number or known.member.number)
        if not known.known or merged != known.member:
            known.member, known.known = merged, True
            self.out.append(ev.ParticipantChanged(self._participant(known)))

    def seen(self, call_id: str) -> None:
        """Video of somebody who is not on the roster yet."""
        if call_id and call_id != self.own_call_id and call_id not in self._members:
            self.joined(RoomMember(call_id, ""))
            if call_id in self._members:
                self._members[call_id].known = False

    def left(self, call_id: str) -> None:
        one = self._members.pop(call_id, None)
        if one is not None:
            self.out.append(ev.SourceRemoved(voice_name(call_id)))
            self.out.append(ev.ParticipantLeft(call_id))

    def talking(self, call_id: str, talking: bool) -> None:
        if call_id == self.own_call_id:
            self.out.append(ev.AudioLevelsChanged(frozen_map({LOCAL: 0.5 if talking else 0.0})))
            return
        one = self._members.get(call_id)
        if one is None or one.talking is talking:
            return
        one.talking = talking
        speaking = [member_id for member_id, member in self._members.items() if member.talking]
        self.out.append(ev.AudioLevelsChanged(frozen_map(dict.fromkeys(speaking, 0.5))))
        if talking:
            self.out.append(ev.DominantSpeakerChanged(call_id))

    def _participant(self, one: _Member) -> Participant:
        extra = one.status.extra
        hand = extra.get(HAND, "")
        return Participant(
            one.member.call_id,
            one.member.name,
            Role.MODERATOR if one.member.admin else Role.PARTICIPANT,
            raised_hand_at=int(hand) if hand.isdecimal() and hand != "0" and len(hand) < 16 else None,
            connection_active=not one.status.on_hold,
            properties=frozen_map({"number": one.member.number, "user_uuid": one.member.user_uuid, **extra}),
        )

    @staticmethod
    def _voice(one: _Member) -> Source:
        call_id = one.member.call_id
        muted = one.status.audio_muted or one.member.muted
        return Source(voice_name(call_id), call_id, MediaKind.AUDIO, SourceContent.MICROPHONE, muted, receiving=True)

    # ------------------------------------------------------------ ConfBridge over SIP

    def confbridge(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        channels = event.get("channels")
        found = [_channel(raw) for raw in (channels if isinstance(channels, list) else ())[:MAX_MEMBERS]]
        for member, protocol_id, talking in (one for one in found if one is not None):
            if protocol_id and protocol_id == self.sip_call_id and member.call_id != self.own_call_id:
                self.own_leg(member.call_id)
            if kind in ("ConfbridgeWelcome", "ConfbridgeJoin"):
                self.joined(member)
            elif kind == "ConfbridgeLeave":
                self.left(member.call_id)
            elif kind == "ConfbridgeTalking":
                self.talking(member.call_id, talking)
            elif kind in ("ConfbridgeMute", "ConfbridgeUnmute"):
                self._server_mute(member.call_id, kind == "ConfbridgeMute")

    def _server_mute(self, call_id: str, muted: bool) -> None:
        if call_id == self.own_call_id:
            if muted:
                self.out.append(ev.Notice("muted_by_server", "You were muted in this room.", "info"))
            return
        one = self._members.get(call_id)
        if one is not None:
            one.member = replace(one.member, muted=muted)
            self.out.append(ev.SourceChanged(self._voice(one)))

    # ------------------------------------------------------------ signals

    def signal(self, content: Mapping[str, Any]) -> bool:
        """A signal of a member. ``True`` when our own status must be told to all."""
        kind = content.get("type")
        if kind == UPDATE:
            status = content.get("status")
            if isinstance(status, Mapping):
                self._told(status)
            return False
        if kind == REQUEST:
            origin, wanted = content.get("origin"), content.get("callId")
            if isinstance(origin, Mapping):
                self._told(origin)
            return wanted in (None, self.own_call_id)
        if kind == REACTION:
            key, origin = content.get("key"), content.get("origin")
            if key in REACTIONS and isinstance(origin, str) and origin in self._members:
                self.out.append(ev.ReactionReceived(origin, (str(key),)))
            return False
        if kind != "onTrackUpdated":
            origin = content.get("origin")
            sender = origin if isinstance(origin, str) and origin in self._members else ROOM
            self.out.append(ev.EndpointMessageReceived(sender, frozen_map(content)))
        return False

    def _told(self, raw: Mapping[str, Any]) -> None:
        call_id = raw.get("callId")
        if not isinstance(call_id, str):
            return
        if call_id == self.own_call_id:
            if raw.get("banned") is True:
                self.out.append(ev.LocalKicked(None))
            return
        one = self._members.get(call_id)
        if one is None:
            return
        before, status = one.status, one.status
        for key, name in (
            ("audioMuted", "audio_muted"),
            ("videoMuted", "video_muted"),
            ("screensharing", "screensharing"),
            ("isOnHold", "on_hold"),
        ):
            value = raw.get(key)
            if isinstance(value, bool):
                status = _with(status, name, value)
        extra = raw.get("extra")
        if isinstance(extra, Mapping):
            merged = {**status.extra, **_texts(extra)}
            status = replace(status, extra=frozen_map(dict(list(merged.items())[:MAX_EXTRA])))
        if status == before:
            return
        one.status = status
        self.out.append(ev.ParticipantChanged(self._participant(one)))
        if before.extra.get(HAND) != status.extra.get(HAND):
            self.out.append(ev.HandRaised(call_id, self._participant(one).raised_hand_at))
        if before.audio_muted != status.audio_muted:
            self.out.append(ev.SourceChanged(self._voice(one)))

    def status_of(self, call_id: str) -> Status:
        one = self._members.get(call_id)
        return one.status if one else Status()


def voice_name(call_id: str) -> str:
    """Name of the source that stands for a member's microphone; its sound is part of the room's mix."""
    return f"voice/{call_id}"


def _with(status: Status, name: str, value: bool) -> Status:
    return replace(status, **{name: value})  # type: ignore[arg-type]


def _texts(raw: Mapping[str, Any]) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in list(raw.items())[:MAX_EXTRA]:
        if isinstance(value, (str, int, float, bool)):
            out[clean_name(str(key), 64)] = clean_name(str(value))
    return out


def _channel(raw: Any) -> tuple[RoomMember, str, bool] | None:
    if not isinstance(raw, Mapping):
        return None
    caller = raw.get("caller")
    caller = caller if isinstance(caller, Mapping) else {}
    item = {
        "id": raw.get("id"),
        "caller_id_name": caller.get("name"),
        "caller_id_number": caller.get("number"),
        "admin": raw.get("admin"),
        "muted": raw.get("muted"),
    }
    members = parse_members([item])
    if not members:
        return None
    variables = raw.get("channelvars")
    named = variables.get("WAZO_SIP_CALL_ID") if isinstance(variables, Mapping) else None
    protocol_id = raw.get("protocol_id") or named
    return members[0], protocol_id if isinstance(protocol_id, str) else "", raw.get("talking_status") == "on"
