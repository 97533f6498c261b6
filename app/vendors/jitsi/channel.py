"""The bridge channel's meaning: what the bridge says becomes events, what is on screen becomes constraints
(jitsi.md 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.calls import events as ev
from app.calls.actions import VisibleSource
from app.calls.model import frozen_map
from app.protocols.xmpp import ns
from app.protocols.xmpp.stanza import message
from app.protocols.xmpp.xml import el
from app.vendors.jitsi import events as fx
from app.vendors.jitsi import wire_bridge as wb
from app.vendors.jitsi.constraints import receiver_constraints
from app.vendors.jitsi.media_session import MediaSession
from app.vendors.jitsi.probes import E2E_RTT, EndToEndPings
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context, SpeakerClock

REACTIONS = ("like", "clap", "laugh", "surprised", "boo", "silence", "love")
MAX_REACTIONS = 3
"""Receivers show at most three different reactions of one message."""
MAX_PINGS_PER_SECOND = 50


class BridgeState:
    """State of the channel and of what depends on it."""

    def __init__(self, ctx: Context, room: Room, media: MediaSession) -> None:
        self._ctx = ctx
        self._room = room
        self._media = media
        self.open = False
        self.broken = False
        """It was open and is not any more."""
        self.visible: tuple[VisibleSource, ...] | None = None
        self.max_height: int | None = None
        self.last_n: int | None = ctx.options.channel_last_n
        self.clock = SpeakerClock()
        self.speakerstats_component = ""
        self.dominant: str | None = None
        self._last_constraints: dict[str, Any] | None = None
        self._ping_window = (0, 0)
        self.remote_stats: dict[str, Mapping[str, Any]] = {}
        self.e2e_rtt: dict[str, int] = {}
        self.pings = EndToEndPings(ctx, room, self)

    # ------------------------------------------------------------------ channel

    def on_open(self, generation: int) -> None:
        if generation != self._media.generation:
            return
        self.open = True
        self.broken = False
        self._last_constraints = None
        self._ctx.emit(ev.MeetingInfoChanged(details={"bridge_channel_state": "open"}))
        self.send_constraints()
        self.announce_video_types()

    def on_closed(self, generation: int) -> None:
        if generation == self._media.generation and self.open:
            self.open = False
            self.broken = True
            self._ctx.emit(ev.MeetingInfoChanged(details={"bridge_channel_state": "closed"}))

    def send_constraints(self) -> None:
        fields = receiver_constraints(
            self.visible, max_height=self.max_height, last_n=self.last_n, audio_only=self._ctx.local.audio_only
        )
        if self.open and fields != self._last_constraints:
            self._last_constraints = fields
            self._ctx.effect(fx.SendBridge(wb.build_bridge_message("ReceiverVideoConstraints", fields)))

    def announce_video_types(self) -> None:
        """Tells the bridge what our video sources are, before their first frames."""
        if not self.open:
            return
        local = self._ctx.local
        camera = "none" if local.camera_muted else "camera"
        self._ctx.effect(fx.SendBridge(wb.video_type_message(self._ctx.source_name("v"), camera)))
        screen = self._ctx.source_name("v", 1)
        if screen in self._media.local or local.sharing:
            kind = "desktop" if local.sharing else "none"
            self._ctx.effect(fx.SendBridge(wb.video_type_message(screen, kind)))

    # ------------------------------------------------------------------ incoming

    def on_text(self, text: str) -> None:
        """A message of the bridge; malformed and unknown ones are ignored."""
        parsed = wb.parse_bridge_message(text)
        match parsed:
            case wb.DominantSpeaker():
                self._dominant(parsed)
            case wb.ConnectivityChanged():
                self._room.set_participant(parsed.endpoint, active=parsed.active)
            case wb.ForwardedSources():
                self._room.set_forwarded(parsed.names)
            case wb.SenderConstraints():
                self._media.on_sender_constraints(parsed.source, parsed.max_height)
            case wb.SourcesMap():
                self._media.on_map(parsed)
            case wb.ConnectionStats():
                details = {"downlink_kbps": str(round(parsed.downlink_bps / 1000))}
                self._ctx.emit(ev.MeetingInfoChanged(details=details))
            case wb.EndpointMessage():
                self.on_payload(parsed.sender, parsed.payload)
            case wb.EndpointStats():
                self._stats(parsed)

    def _dominant(self, parsed: wb.DominantSpeaker) -> None:
        ctx = self._ctx
        endpoint = parsed.endpoint
        if endpoint != ctx.nick and self._room.member(endpoint) is None:
            return
        now = ctx.now()
        changed = endpoint != self.dominant
        self.clock.speaker(endpoint, parsed.silence, now)
        self.dominant = endpoint
        ctx.emit(ev.DominantSpeakerChanged(endpoint, parsed.previous, parsed.silence))
        self.report_speaking()
        if changed and endpoint == ctx.nick and self.speakerstats_component:
            attributes = {"room": ctx.room_jid, "silence": str(parsed.silence).lower()}
            ctx.send(message(self.speakerstats_component, el("speakerstats", ns.JITMEET, attributes)))

    def report_speaking(self) -> None:
        totals = self.clock.totals(self._ctx.now())
        if totals:
            self._ctx.emit(ev.SpeakerStatsChanged(frozen_map(totals)))

    def _stats(self, parsed: wb.EndpointStats) -> None:
        if self._room.member(parsed.sender) is None:
            return
        quality = parsed.stats.get("connectionQuality")
        if isinstance(quality, (int, float)) and not isinstance(quality, bool) and 0 <= quality <= 100:
            self._room.set_participant(parsed.sender, quality=round(quality))
        present = {nick: known for nick, known in self.remote_stats.items() if self._room.member(nick) is not None}
        self.remote_stats = {**present, parsed.sender: parsed.stats}
        measured = {E2E_RTT: self.e2e_rtt[parsed.sender]} if parsed.sender in self.e2e_rtt else {}
        self._ctx.emit(ev.RemoteStatsUpdated(parsed.sender, frozen_map({**measured, **parsed.stats})))

    def on_payload(self, sender: str, payload: Mapping[str, Any]) -> None:
        """An endpoint message, from the bridge or as a json-message of an occupant."""
        if self._room.member(sender) is None:
            return
        type_, name = payload.get("type"), payload.get("name")
        if type_ == "e2e-ping-request":
            self._answer_ping(sender, payload)
            return
        if type_ == "e2e-ping-response":
            self.pings.answered(sender, payload.get("id"))
            return
        if name == "endpoint-reaction":
            self._reaction(sender, payload.get("reactions"))
        elif name == "lower-hand-message":
            self._lower_hand(sender)
        self._ctx.emit(ev.EndpointMessageReceived(sender, frozen_map(payload)))

    def _answer_ping(self, sender: str, payload: Mapping[str, Any]) -> None:
        second = self._ctx.now() // 1000
        count = self._ping_window[1] + 1 if self._ping_window[0] == second else 1
        self._ping_window = (second, count)
        id_ = payload.get("id")
        if count <= MAX_PINGS_PER_SECOND and self.open and isinstance(id_, (int, str)):
            answer = {"type": "e2e-ping-response", "id": id_ if isinstance(id_, int) else id_[:64]}
            self._ctx.effect(fx.SendBridge(wb.endpoint_message(sender, answer)))

    def _reaction(self, sender: str, keys: Any) -> None:
        if not isinstance(keys, list):
            return
        known = tuple(dict.fromkeys(k for k in keys[:50] if isinstance(k, str) and k in REACTIONS))[:MAX_REACTIONS]
        if known:
            self._ctx.emit(ev.ReactionReceived(sender, known))

    def _lower_hand(self, sender: str) -> None:
        """Only a moderator's request counts."""
        member = self._room.member(sender)
        if member is not None and member.participant.role.value == "moderator" and self.lower_own_hand is not None:
            self.lower_own_hand()

    lower_own_hand: Any = None
    """Set by the core: lowers our hand in presence."""

    def send_endpoint(self, to: str, payload: Mapping[str, Any]) -> None:
        """Raises ``ValueError`` when the payload is no JSON or too large."""
        self._ctx.effect(fx.SendBridge(wb.endpoint_message(to, payload)))

    def send_stats(self, payload: Mapping[str, Any]) -> None:
        self._ctx.effect(fx.SendBridge(wb.endpoint_stats(payload)))
