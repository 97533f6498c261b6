"""A video room of a Wazo server: a call to ConfBridge whose far side is many people (wazo.md 5)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import MediaKind, SourceContent, frozen_map
from app.media.api import RemoteSource
from app.protocols.http import NetworkFailure
from app.protocols.sdp.negotiation import RemoteTrack
from app.vendors.base import ActionRefused
from app.vendors.wazo import events as wz
from app.vendors.wazo import phone_actions, rest_calld, rest_confd
from app.vendors.wazo.client import RestError
from app.vendors.wazo.errors import failure
from app.vendors.wazo.phone import WazoCallSession
from app.vendors.wazo.phone_core import LOCAL, Picture
from app.vendors.wazo.room_core import HAND, REACTION, REACTIONS, REQUEST, ROOM, UPDATE, RoomCore, Status

CONFBRIDGE = "application/x-asterisk-confbridge-event+json"
_MEETING = re.compile(r"([0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})")

log = logging.getLogger(__name__)


class WazoRoomSession(WazoCallSession):
    """One tile per member; whose video a line carries is told by its label."""

    room = True
    more_actions = frozenset(
        {"RaiseHand", "SendReaction", "SetProperty", "SetDisplayName", "Kick", "MuteParticipant", "SetVisibleSources"}
    )

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.roster = RoomCore()
        extra = self.options.get("extra")
        if isinstance(extra, Mapping):
            texts = {str(key): str(value) for key, value in extra.items()}
            self.roster.status = Status(extra=frozen_map(texts))
        self._told: Status | None = None
        self._title = ""

    # ------------------------------------------------------------ joining

    async def _place(self) -> None:
        line = self.calls.account.line
        if line is not None and self.video and not line.rooms:
            raise ActionRefused(failure("rooms_not_available"))
        found = _MEETING.search(self.target)
        if found is not None:
            await self._find_meeting(found[1].lower())
        await super()._place()
        self.roster.sip_call_id = self.sip_call_id

    async def _find_meeting(self, uuid: str) -> None:
        """From a link to the number to dial."""
        client = self.calls.account.client
        self.roster.meeting, self.roster.room_id = True, uuid
        self.target = f"wazo-meeting-{uuid}"
        for request in (rest_confd.get_meeting(uuid), rest_confd.get_guest_meeting(uuid)):
            try:
                meeting = rest_confd.parse_meeting(await client.call(request))
            except RestError as error:
                if error.error.status in (401, 403, 404):
                    continue
                raise ActionRefused(error.failure) from error
            except NetworkFailure as error:
                raise ActionRefused(failure("room_refused", error.code)) from error
            if meeting is not None:
                self._title = meeting.name
                self.target = meeting.exten or self.target
                return
        raise ActionRefused(failure("number_not_found", "meeting"))

    def joined(self) -> None:
        self.roster.begin()
        if self.server_call_id:
            self.roster.own_leg(self.server_call_id)
        if self._title:
            self.emit(ev.SubjectChanged(self._title))
        self.pump()
        self.calls.account.start(self._enter(), "wazo room")

    async def _enter(self) -> None:
        """Who is here; then tell the others how we are and ask how they are."""
        try:
            if not self.server_call_id:
                await self.calls.learn_server_calls()
            if not self.roster.room_id:
                await self._find_room()
            if self.roster.room_id:
                await self.read_roster()
            await self._broadcast(self.roster.status)
            await self._signal({"type": REQUEST, "origin": self.roster.status.wire(self._origin)})
        except (ActionRefused, RestError, NetworkFailure) as error:
            # ConfBridge's own events tell the roster as well.
            log.info("entering the room: %s", error)

    async def _find_room(self) -> None:
        for room in await self.calls.account.reading.conference_rooms():
            if room.number == self.target:
                self.roster.room_id = room.id
                self.emit(ev.SubjectChanged(room.name))
                return

    async def read_roster(self) -> None:
        request = rest_calld.room_members(self.roster.room_id, meeting=self.roster.meeting)
        self.roster.listed(rest_calld.parse_members(await self.calls.account.client.call(request)))
        self.pump()

    def know_server_call(self, server_call_id: str) -> None:
        super().know_server_call(server_call_id)
        self.roster.own_leg(server_call_id)
        self.pump()

    @property
    def _origin(self) -> str:
        return self.roster.own_call_id or self.server_call_id

    # ------------------------------------------------------------ media

    def _name_source(self) -> Callable[[RemoteTrack], RemoteSource | None]:
        def name(track: RemoteTrack) -> RemoteSource | None:
            if track.kind is MediaKind.AUDIO:
                return RemoteSource(
                    f"{self.call_id}/{track.mid}",
                    ROOM,
                    MediaKind.AUDIO,
                    SourceContent.MICROPHONE,
                    track.ssrc,
                    track.rtx_ssrc,
                    track.mid,
                )
            if not track.label or track.label == self._origin:
                # Our own line: nothing comes back on it.
                return None
            self.roster.seen(track.label)
            self.pump()
            shown = self.roster.status_of(track.label).screensharing
            content = SourceContent.SCREEN if shown else SourceContent.CAMERA
            source = f"{self.call_id}/{track.label}"
            return RemoteSource(source, track.label, MediaKind.VIDEO, content, track.ssrc, track.rtx_ssrc, track.mid)

        return name

    def pump(self) -> None:
        """Deliver what the roster put out."""
        out, self.roster.out = self.roster.out, []
        for event in out:
            self.emit(event)
            if isinstance(event, ev.ParticipantChanged) and self.media is not None:
                self._show_status(event.participant.id)
            elif isinstance(event, ev.LocalKicked):
                self.core.ended("removed", failure("removed"), failed=True)
                self.drain()

    def _show_status(self, call_id: str) -> None:
        status = self.roster.status_of(call_id)
        content = SourceContent.SCREEN if status.screensharing else SourceContent.CAMERA
        if self.media is not None:
            muted = status.video_muted and not status.screensharing
            self.media.change_source(f"{self.call_id}/{call_id}", muted=muted, content=content)

    # ------------------------------------------------------------ what others tell

    def message_received(self, content_type: str, body: str) -> None:
        parsed = _object(body)
        if parsed is not None and (content_type == CONFBRIDGE or str(parsed.get("type", "")).startswith("Confbridge")):
            self.roster.confbridge(parsed)
            self.pump()
        elif parsed is not None and parsed.get("type") == "message/TYPE_CHAT":
            origin, content = parsed.get("origin"), parsed.get("content")
            sender = origin if isinstance(origin, str) and self.roster.knows(origin) else ROOM
            member = self.roster.members.get(sender)
            if isinstance(content, str):
                self._chat(content, sender, member.name if member else self._title or self.core.info.remote_number)
        else:
            super().message_received(content_type, body)

    def signal_received(self, content: Mapping[str, Any]) -> None:
        answer = self.roster.signal(content)
        self.pump()
        if answer:
            self.calls.account.start(self._quiet_broadcast(), "wazo room status")

    def room_news(self, news: wz.RoomNews) -> None:
        member, roster = news.member, self.roster
        ours = member.call_id == self.server_call_id or roster.knows(member.call_id)
        if not self.core.established or (member.room_id and roster.room_id and member.room_id != roster.room_id):
            return
        if not roster.room_id and not ours:
            return
        if not roster.room_id:
            roster.room_id, roster.meeting = member.room_id, news.meeting
        if news.what == "joined":
            roster.joined(member)
        elif news.what == "left":
            roster.left(member.call_id)
        else:
            roster.talking(member.call_id, news.what == "talking")
        self.pump()

    # ------------------------------------------------------------ what we tell

    def drain(self) -> None:
        super().drain()
        core = self.core
        if not core.established:
            return
        sharing = core.agreed.picture is Picture.SCREEN
        status = replace(
            self.roster.status,
            audio_muted=core.microphone_muted,
            video_muted=core.camera_muted and not sharing,
            screensharing=sharing,
            on_hold=core.agreed.held,
        )
        if status != self.roster.status or self._told is None:
            self.roster.status = status
            self._told = status
            self.calls.account.start(self._quiet_broadcast(), "wazo room status")

    async def _quiet_broadcast(self) -> None:
        try:
            await self._broadcast(self.roster.status)
        except ActionRefused as error:
            log.info("status not told: %s", error.failure.code)

    async def _broadcast(self, status: Status) -> None:
        origin = self._origin
        if origin and self.core.established:
            await self._signal({"type": UPDATE, "origin": origin, "status": status.wire(origin)})

    async def _signal(self, content: Mapping[str, Any]) -> None:
        await self.send_body(json.dumps({"type": "message/TYPE_SIGNAL", "content": content}), "application/json")

    async def set_extra(self, key: str, value: str) -> None:
        extra = frozen_map({**self.roster.status.extra, key: value})
        self.roster.status = self._told = replace(self.roster.status, extra=extra)
        await self._broadcast(self.roster.status)

    # ------------------------------------------------------------ actions

    async def perform(self, action: ac.Action) -> None:
        if self.core.is_over:
            raise ActionRefused(failure("not_in_call"))
        match action:
            case ac.RaiseHand(raised):
                at = self.calls.now_ms() if raised else None
                await self.set_extra(HAND, str(at or 0))
                self.emit(ev.HandRaised(LOCAL, at))
            case ac.SetProperty(key, value):
                await self.set_extra(key, value)
            case ac.SetDisplayName(name):
                await self.set_extra("name", name)
            case ac.SendReaction(key):
                if key not in REACTIONS:
                    raise ActionRefused(failure("bad_request", key))
                await self._signal({"type": REACTION, "origin": self._origin, "key": key})
                self.emit(ev.ReactionReceived(LOCAL, (key,)))
            case ac.Kick(participant_id) if not self.core.info.conference_id:
                await self._kick(participant_id)
            case ac.MuteParticipant(participant_id):
                await self._mute(participant_id)
            case _:
                await phone_actions.perform(self, action)

    def chat_body(self, text: str) -> str:
        return json.dumps({"type": "message/TYPE_CHAT", "content": text, "origin": self._origin})

    def _need_member(self, participant_id: str) -> None:
        if not self.roster.knows(participant_id):
            raise ActionRefused(failure("unknown_participant"))
        if not self.roster.room_id:
            raise ActionRefused(failure("not_found", "room"))

    async def _kick(self, participant_id: str) -> None:
        self._need_member(participant_id)
        room = self.roster.room_id
        if self.roster.meeting:
            status = {"callId": participant_id, "banned": True}
            await self._signal({"type": UPDATE, "origin": self._origin, "status": status})
            request = rest_calld.ban_from_meeting(room, participant_id)
        else:
            request = rest_calld.conference_participant(room, participant_id, "kick")
        await self.calls.account.client.ask(request)

    async def _mute(self, participant_id: str) -> None:
        self._need_member(participant_id)
        request = rest_calld.conference_participant(self.roster.room_id, participant_id, "mute")
        await self.calls.account.client.ask(request)


def _object(body: str) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
