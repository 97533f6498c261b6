"""The session core: a pure state machine. Stanzas, bridge messages, engine answers, actions and the clock go in;
stanzas, engine requests and call events come out (:mod:`app.vendors.jitsi.events`). A trace can be replayed through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from app.calls import events as ev
from app.calls.actions import Action
from app.calls.model import CallPhase, Failure, StartMutedPolicy
from app.media.api import IceServer
from app.protocols.xmpp import ns
from app.protocols.xmpp.dataforms import first
from app.protocols.xmpp.disco import (
    DiscoInfo,
    ExternalService,
    info_query,
    info_result,
    parse_info,
    parse_services,
    services_query,
)
from app.protocols.xmpp.jid import Jid, resource
from app.protocols.xmpp.stanza import StanzaError, error_of, parse_error, presence, result_of
from app.protocols.xmpp.xml import find, name_of
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.actions import Actions
from app.vendors.jitsi.capabilities import capabilities
from app.vendors.jitsi.channel import BridgeState
from app.vendors.jitsi.chat import Chat
from app.vendors.jitsi.errors import failure
from app.vendors.jitsi.joining import Joining
from app.vendors.jitsi.media_session import MediaSession, apply_start_muted
from app.vendors.jitsi.presence import LocalPresence
from app.vendors.jitsi.reports import Reports
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context, CoreOptions
from app.vendors.jitsi.wire import (
    RoomMessage,
    RoomPresence,
    parse_message,
    parse_mute,
    parse_presence,
)

MAX_EARLY_PUSHES = 50
"""Component messages that arrive before discovery says which senders are components."""
FOCUS_WAIT_MS = 20_000
"""Without a focus for this long the conference is asked for again."""


class SessionCore:
    """One conference. Call an input, then take :meth:`take_effects`."""

    def __init__(self, options: CoreOptions, clock: Callable[[], int], make_id: Callable[[], str]) -> None:
        self.ctx = Context(options, clock, make_id)
        self.presence = LocalPresence(self.ctx)
        self.ctx.presence_changed = self.presence.update
        self.room = Room(self.ctx)
        self.media = MediaSession(self.ctx, self.room)
        self.chat = Chat(self.ctx, self.room)
        self.bridge = BridgeState(self.ctx, self.room, self.media)
        self.bridge.lower_own_hand = self._lower_own_hand
        self.joining = Joining(self.ctx, self.presence, self.media)
        self.actions = Actions(self)
        self.reports = Reports(self.ctx, self.room, self.media, self.bridge)
        self.components: dict[str, str] = {}
        self.locked = False
        self.policy = StartMutedPolicy()
        self.finished = False
        self._early: list[RoomMessage] = []
        self._capabilities: Any = None
        self._subject: str | None = None
        self._metadata_seen = False
        self._identities: frozenset[str] = frozenset()

    def take_effects(self) -> list[fx.Effect]:
        self._publish_capabilities()
        effects, self.ctx.effects = self.ctx.effects, []
        return effects

    # ------------------------------------------------------------------ inputs

    def connected(self, jid: str) -> None:
        """The stream is bound: discover, ask the focus, join."""
        ctx = self.ctx
        ctx.jid = jid
        domain = ctx.config.domain
        ctx.ask("get", domain, info_query(), self._on_domain_info)
        ctx.ask("get", domain, services_query(), self._on_services)
        self.joining.start()

    def disconnected(self) -> None:
        """The stream is gone for good; :meth:`connected` may follow with a new one."""
        ctx = self.ctx
        self.media.close()
        self.bridge.open = False
        ctx.local.joined = False
        ctx.reset()
        self.presence.reset()
        self.room.reset()
        self._early.clear()

    def stanza(self, element: Element) -> None:
        """Any stanza of the stream."""
        if self.finished:
            return
        kind = name_of(element)
        if kind == "iq":
            self._iq(element)
        elif kind == "presence":
            self._presence(element)
        elif kind == "message":
            self._message(element)

    def bridge_text(self, text: str) -> None:
        if not self.finished:
            self.bridge.on_text(text)

    def tick(self) -> None:
        self.ctx.tick()

    def perform(self, action: Action) -> int | None:
        """A ticket when the outcome comes as ``ActionDone``, else it is done. Raises ``ActionRefused``."""
        return self.actions.perform(action)

    def leave(self, reason: str = "") -> None:
        """Says goodbye; the shell waits shortly for our own unavailable presence."""
        ctx = self.ctx
        if ctx.local.leaving:
            return
        ctx.local.leaving = True
        self.media.leave()
        if ctx.local.joined or self.joining.presence_sent:
            status = Element(f"{{{ns.CLIENT}}}status")
            status.text = reason
            ctx.send(presence(ctx.occupant(ctx.nick), status if reason else None, type_="unavailable"))
        else:
            self.finish(CallPhase.ENDED, "left")

    def finish(self, phase: CallPhase, reason: str, problem: Failure | None = None) -> None:
        if not self.finished:
            self.finished = True
            self.media.close()
            self.ctx.local.joined = False
            self.ctx.effect(fx.Finish(phase, reason, problem))

    # ------------------------------------------------------------------ discovery

    def _on_domain_info(self, result: Element | None, _error: StanzaError | None) -> None:
        info = parse_info(result) if result is not None else None
        if info is not None:
            self._discovered(info)

    def _discovered(self, info: DiscoInfo) -> None:
        details = {}
        for identity in info.identities:
            if identity.category == "component" and identity.name:
                self.components[identity.type] = identity.name
            elif identity.category == "server" and identity.type in ("shard", "region", "release"):
                details[identity.type] = identity.name
        self._identities = frozenset(details)
        self.bridge.speakerstats_component = self.components.get("speakerstats", "")
        if details:
            self.ctx.emit(ev.MeetingInfoChanged(details=details))
        early, self._early = self._early, []
        for message in early:
            self._component_message(message)

    def _on_services(self, result: Element | None, error: StanzaError | None) -> None:
        if result is not None:
            self._use_services(parse_services(result) or ())
        elif error is not None and error.condition in ("service-unavailable", "feature-not-implemented"):
            self.ctx.ask("get", self.ctx.config.domain, services_query(1), self._on_old_services)

    def _on_old_services(self, result: Element | None, _error: StanzaError | None) -> None:
        if result is not None:
            self._use_services(parse_services(result) or ())

    def _use_services(self, services: tuple[ExternalService, ...]) -> None:
        """For the bridge only TURN over TCP or TLS helps, unless the person wants UDP (jitsi.md 2.7)."""
        wanted = []
        for s in services if self.ctx.options.use_relays else ():
            over_udp = s.transport.lower() == "udp" and s.type == "turn"
            if s.type in ("turn", "turns") and (not over_udp or self.ctx.config.use_turn_udp):
                wanted.append(IceServer(s.type, s.host, s.port, s.transport.lower(), s.username, s.password))
        self.media.ice_servers = tuple(wanted)

    # ------------------------------------------------------------------ IQ

    def _iq(self, stanza: Element) -> None:
        ctx = self.ctx
        if stanza.get("type") in ("result", "error"):
            ctx.tracker.handle(stanza)
            return
        if stanza.get("type") not in ("get", "set"):
            return
        if find(stanza, "jingle", ns.JINGLE) is not None:
            self.media.on_iq(stanza)
        elif find(stanza, "ping", ns.PING) is not None:
            ctx.send(result_of(stanza))
        elif (query := find(stanza, "query", ns.DISCO_INFO)) is not None:
            features = ctx.options.features | self.presence.features
            ctx.send(result_of(stanza, info_result(features, node=query.get("node"))))
        elif find(stanza, "mute") is not None:
            self._on_mute(stanza)
        else:
            ctx.send(error_of(stanza, "cancel", "service-unavailable"))

    def _on_mute(self, stanza: Element) -> None:
        ctx = self.ctx
        mute = parse_mute(stanza)
        if mute is None or stanza.get("from", "").lower() != ctx.focus_occupant.lower():
            ctx.send(error_of(stanza, "auth", "forbidden"))
            return
        if not mute.muted:
            # Nobody else may open our microphone or camera.
            ctx.send(error_of(stanza, "cancel", "not-allowed"))
            return
        ctx.send(result_of(stanza))
        self.actions.force_mute(mute.kind, mute.actor)

    # ------------------------------------------------------------------ presence

    def _presence(self, element: Element) -> None:
        ctx = self.ctx
        sender = Jid.parse(element.get("from"))
        if sender.bare != ctx.room_jid.lower():
            return
        parsed = parse_presence(element)
        if parsed.error is not None:
            if not ctx.local.joined and parsed.nick in ("", ctx.nick):
                self.joining.refused(parsed.error, element)
            return
        if parsed.ignore:
            return
        if parsed.nick == "focus":
            self._focus(parsed)
        elif parsed.nick == ctx.nick or 110 in parsed.codes:
            self._own_presence(parsed)
        elif parsed.available:
            self.room.on_available(parsed)
            self._policy_presence(parsed)
        else:
            self.media.participant_left(parsed.nick)
            self.room.on_unavailable(parsed)

    def _focus(self, parsed: RoomPresence) -> None:
        ctx = self.ctx
        if not parsed.available:
            self.room.focus_present = False
            self.media.close()
            problem = failure("focus_disconnected")
            if ctx.local.joined and not ctx.local.leaving:
                ctx.emit(ev.Notice(problem.code, problem.message, "warning"))
                ctx.after(FOCUS_WAIT_MS, self._ask_again)
            return
        self.room.focus_present = True
        self.room.focus_real_jid = parsed.real_jid
        if parsed.bridge_not_available:
            problem = failure("videobridge_not_available")
            ctx.emit(ev.Notice(problem.code, problem.message, "error"))
        details = {f"version_{k}": v for k, v in parsed.versions.items()}
        if parsed.focus_properties:
            details |= {k.replace("-", "_"): v for k, v in parsed.focus_properties.items() if k == "bridge-count"}
            created = parsed.focus_properties.get("created-ms", "")
            if re.fullmatch(r"\d{10,15}", created):
                ctx.emit(ev.MeetingInfoChanged(started_at=int(created)))
        if details:
            ctx.emit(ev.MeetingInfoChanged(details=details))

    def _ask_again(self) -> None:
        if self.ctx.local.joined and not self.room.focus_present:
            self.joining.request_again()
            self.ctx.after(FOCUS_WAIT_MS, self._ask_again)

    def _own_presence(self, parsed: RoomPresence) -> None:
        ctx = self.ctx
        if not parsed.available:
            self._own_leave(parsed)
            return
        moderator = parsed.role == "moderator"
        role_changed = parsed.role != ctx.local.role
        ctx.local.role, ctx.local.moderator, ctx.local.affiliation = parsed.role, moderator, parsed.affiliation
        if not ctx.local.joined:
            self._entered(parsed)
            return
        self.room.update_local(parsed)
        for command in parsed.commands:
            self.actions.own_command(command)
        if role_changed:
            self._publish_capabilities()

    def _entered(self, parsed: RoomPresence) -> None:
        ctx = self.ctx
        self.joining.entered()
        ctx.local.joined = True
        ctx.emit(ev.Joined(ctx.nick, ctx.options.display_room or ctx.options.room, ctx.now()))
        self.room.update_local(parsed)
        self.room.show_all()
        self.bridge.pings.start()
        self._deployment()
        ctx.emit(
            ev.LocalMediaChanged(
                microphone_muted=ctx.local.microphone_muted,
                camera_muted=ctx.local.camera_muted,
                sharing_screen=ctx.local.sharing,
                audio_only=ctx.local.audio_only,
            )
        )
        if self.presence.stale:
            self.presence.update()
        ctx.effect(fx.Entered())
        if 201 in parsed.codes:
            self.actions.open_room_form()
        self.read_room_info()

    def _deployment(self) -> None:
        """What ``config.js`` says of the deployment; the server's own words (discovery) come on top."""
        config = self.ctx.config
        known = {"shard": config.shard, "region": config.region, "user_region": self.ctx.options.region}
        details = {key: value for key, value in known.items() if value and key not in self._identities}
        if details:
            self.ctx.emit(ev.MeetingInfoChanged(details=details))

    def _own_leave(self, parsed: RoomPresence) -> None:
        ctx = self.ctx
        if ctx.local.leaving:
            self.finish(CallPhase.ENDED, "left")
        elif parsed.destroyed:
            reason = parsed.reason
            problem = failure("conference_destroyed", reason)
            self.finish(CallPhase.ENDED, reason or problem.message, problem)
        elif 307 in parsed.codes:
            ctx.emit(ev.LocalKicked(parsed.actor, parsed.reason))
            problem = failure("kicked", parsed.reason)
            self.finish(CallPhase.ENDED, parsed.reason or problem.message, problem)
        elif not ctx.local.joined:
            return
        else:
            problem = failure("connection_error", parsed.reason)
            self.finish(CallPhase.FAILED, problem.message, problem)

    def _policy_presence(self, parsed: RoomPresence) -> None:
        """The older form of the start-muted rule: in a moderator's presence."""
        if parsed.start_muted is not None and parsed.role == "moderator":
            self.set_policy(StartMutedPolicy(*parsed.start_muted))

    def set_policy(self, policy: StartMutedPolicy) -> None:
        if policy != self.policy:
            self.policy = policy
            self.ctx.emit(ev.StartMutedPolicyChanged(policy))

    # ------------------------------------------------------------------ room information

    def read_room_info(self) -> None:
        self.ctx.ask("get", self.ctx.room_jid, info_query(), self._on_room_info)

    def _on_room_info(self, result: Element | None, _error: StanzaError | None) -> None:
        info = parse_info(result) if result is not None else None
        if info is None:
            return
        ctx = self.ctx
        locked = "muc_passwordprotected" in info.features
        if locked != self.locked:
            self.locked = locked
            ctx.emit(ev.LockChanged(locked))
        meeting_id = first(info.form, "muc#roominfo_meetingId")
        created = first(info.form, "muc#roominfo_created_timestamp")
        started_at = int(created) if re.fullmatch(r"\d{10,15}", created) else None
        if meeting_id or started_at:
            ctx.emit(ev.MeetingInfoChanged(meeting_id=meeting_id[:256] or None, started_at=started_at))

    # ------------------------------------------------------------------ messages

    def _message(self, element: Element) -> None:
        ctx = self.ctx
        services, info = parse_services(element), parse_info(element)
        sender = Jid.parse(element.get("from"))
        if sender.bare == ctx.config.domain.lower() and (services is not None or info is not None):
            # Pushed by the server right after login instead of being asked for (jitsi.md 2.8).
            if info is not None:
                self._discovered(info)
            if services is not None:
                self._use_services(services)
            return
        parsed = parse_message(element)
        if sender.bare != ctx.room_jid.lower():
            self._component_message(parsed)
        elif parse_error(element) is not None:
            self.chat.on_error(parsed)
        elif parsed.subject is not None and parsed.body is None:
            if parsed.subject != self._subject:
                self._subject = parsed.subject
                ctx.emit(ev.SubjectChanged(parsed.subject[:1000]))
        elif parsed.json is not None:
            self._room_json(parsed, resource(parsed.sender))
        elif 104 in parsed.codes and not sender.resource:
            self.read_room_info()
        elif sender.resource and parsed.type in ("groupchat", "chat"):
            self.chat.on_message(parsed)
        elif parsed.body and parsed.type == "groupchat":
            self.chat.system(parsed.body)

    def _room_json(self, parsed: RoomMessage, nick: str) -> None:
        data = parsed.json or {}
        if parsed.sent_at is not None:
            return
        type_ = data.get("type")
        if type_ == "system_chat_message" and not nick:
            text = data.get("message")
            if isinstance(text, str):
                name = data.get("displayName")
                self.chat.system(text, name if isinstance(name, str) else "")
        elif type_ == "editChat" and nick:
            id_, text = data.get("messageId"), data.get("message")
            if isinstance(id_, str) and isinstance(text, str):
                self.chat.edited(id_, nick, text)
        elif nick:
            self.bridge.on_payload(nick, data)

    def _component_message(self, parsed: RoomMessage) -> None:
        if parsed.json is None:
            return
        sender = Jid.parse(parsed.sender).bare
        if not self.components and len(self._early) < MAX_EARLY_PUSHES:
            self._early.append(parsed)
            return
        kind = next((k for k, v in self.components.items() if v.lower() == sender), None)
        data = parsed.json
        if kind is None or "type" not in data:
            return
        if kind == "speakerstats":
            users = data.get("users")
            if isinstance(users, dict):
                self.bridge.clock.snapshot(users)
                self.bridge.report_speaking()
        elif kind == "room_metadata":
            self._metadata(data.get("metadata"))
        elif kind == "conference_duration":
            created = data.get("created_timestamp")
            if isinstance(created, int) and created > 0:
                self.ctx.emit(ev.MeetingInfoChanged(started_at=created))

    def _metadata(self, metadata: Any) -> None:
        if not isinstance(metadata, dict):
            return
        rule = metadata.get("startMuted")
        if isinstance(rule, dict):
            policy = StartMutedPolicy(rule.get("audio") is True, rule.get("video") is True)
            if not self._metadata_seen and not self.ctx.local.joined and not self.ctx.options.ignore_start_muted:
                apply_start_muted(self.ctx, policy.audio, policy.video)
            self.set_policy(policy)
        self._metadata_seen = True

    # ------------------------------------------------------------------ small things

    def _lower_own_hand(self) -> None:
        if self.presence.properties.get("raisedHand", "0") != "0":
            self.presence.properties["raisedHand"] = "0"
            self.presence.update()

    def _publish_capabilities(self) -> None:
        now = capabilities(self)
        if now != self._capabilities:
            self._capabilities = now
            self.ctx.emit(ev.CapabilitiesChanged(now))
