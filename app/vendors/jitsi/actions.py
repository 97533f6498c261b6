"""What each action means on the wire. Part of the session core: no I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import CallPhase, Failure, MediaKind, StartMutedPolicy, frozen_map
from app.protocols.xmpp import ns
from app.protocols.xmpp.dataforms import build_form, first, parse_form
from app.protocols.xmpp.stanza import StanzaError, message
from app.protocols.xmpp.xml import el, find
from app.vendors.base import ActionRefused
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.capabilities import capabilities
from app.vendors.jitsi.channel import REACTIONS
from app.vendors.jitsi.errors import action_failure, failure
from app.vendors.jitsi.wire import Command, build_command, build_mute, json_message

if TYPE_CHECKING:
    from app.vendors.jitsi.core import SessionCore

REACTION_BUFFER_MS = 500
"""Reactions clicked within this time go out as one message."""
MAX_COMMANDS = 50
DEFAULT_KICK_REASON = "You have been kicked."
_TONES = frozenset("0123456789ABCD*#,")


class Actions:
    def __init__(self, core: SessionCore) -> None:
        self._core = core
        self._ctx = core.ctx
        self._tickets = 0
        self._reactions: list[str] = []
        self._echoed: dict[str, str] = {}
        self._handlers: dict[type[Any], Callable[[Any], int | None]] = {
            ac.SetMicrophone: self._microphone,
            ac.SetCamera: self._camera,
            ac.ShareScreen: self._share,
            ac.SendMessage: self._send_message,
            ac.ReactToMessage: self._react,
            ac.RetractMessage: self._retract,
            ac.MarkMessagesRead: self._mark_read,
            ac.RaiseHand: self._raise_hand,
            ac.LowerHand: self._lower_hand,
            ac.SendReaction: self._send_reaction,
            ac.SetDisplayName: self._set_name,
            ac.SetSubject: self._set_subject,
            ac.Lock: self._lock,
            ac.Kick: self._kick,
            ac.GrantModerator: self._grant,
            ac.RevokeModerator: self._revoke,
            ac.MuteParticipant: self._mute_participant,
            ac.MuteEveryone: self._mute_everyone,
            ac.SetStartMutedPolicy: self._set_policy,
            ac.SendDtmf: self._dtmf,
            ac.SetVisibleSources: self._visible,
            ac.SetReceiveLimit: self._receive_limit,
            ac.SetSendLimit: self._send_limit,
            ac.SetAudioOnly: self._audio_only,
            ac.SetProperty: self._set_property,
            ac.SendCommand: self._send_command,
            ac.RemoveCommand: self._remove_command,
            ac.SendEndpointMessage: self._endpoint_message,
            ac.SendEndpointStats: self._endpoint_stats,
            ac.SetFeature: self._set_feature,
            ac.SendFeedback: self._nothing,
            ac.SubmitPassword: self._submit_password,
            ac.SignIn: self._sign_in,
            ac.SubmitDisplayName: self._submit_name,
            ac.EndForAll: self._end_for_all,
        }

    def perform(self, action: ac.Action) -> int | None:
        handler = self._handlers.get(type(action))
        if handler is None:
            raise ActionRefused(failure("not_supported"))
        self.check(type(action).__name__)
        return handler(action)

    def check(self, name: str) -> None:
        """Raises ``ActionRefused`` with the sentence that the control's tooltip shows."""
        capability = capabilities(self._core).get(name)
        if capability is None:
            raise ActionRefused(failure("not_supported"))
        if not capability.allowed:
            code = next((c for c in _REFUSALS if failure(c).message == capability.reason), "not_joined")
            raise ActionRefused(failure(code, name))

    # ------------------------------------------------------------------ tickets

    def _ticket(self) -> int:
        self._tickets += 1
        return self._tickets

    def _ask(self, to: str, child: Element, then: Callable[[], None] | None = None) -> int:
        """An IQ whose answer is the outcome of the action."""
        ticket = self._ticket()

        def answered(_result: Element | None, error: StanzaError | None) -> None:
            if error is None and then is not None:
                then()
            self._ctx.effect(fx.ActionDone(ticket, None if error is None else action_failure(error)))

        self._ctx.ask("set", to, child, answered)
        return ticket

    def _member_jid(self, participant_id: str) -> str:
        if self._core.room.member(participant_id) is None:
            raise ActionRefused(failure("unknown_participant"))
        return self._ctx.occupant(participant_id)

    # ------------------------------------------------------------------ our media

    def _microphone(self, action: ac.SetMicrophone) -> int | None:
        return self._set_muted("audio", self._ctx.source_name("a"), action.muted)

    def _camera(self, action: ac.SetCamera) -> int | None:
        return self._set_muted("video", self._ctx.source_name("v"), action.muted)

    def _set_muted(self, kind: str, name: str, muted: bool) -> int | None:
        local = self._ctx.local
        if not muted and kind in local.force_muted:
            # The bridge drops our packets until the focus has lifted the mute.
            own = self._ctx.occupant(self._ctx.nick)
            mute = build_mute(kind, own, muted=False)

            def lifted() -> None:
                local.force_muted.discard(kind)
                self._apply_muted(kind, name, muted=False)

            return self._ask(self._ctx.focus_occupant, mute, lifted)
        self._apply_muted(kind, name, muted=muted)
        return None

    def _apply_muted(self, kind: str, name: str, *, muted: bool, by: str | None = None) -> None:
        core, local = self._core, self._ctx.local
        if kind == "audio":
            local.microphone_muted = muted
            self._ctx.emit(ev.LocalMediaChanged(microphone_muted=muted, muted_by=by))
        else:
            local.camera_muted = muted
            self._ctx.emit(ev.LocalMediaChanged(camera_muted=muted, muted_by=by))
        if name in core.media.local:
            self._ctx.effect(fx.MuteSender(name, muted))
        if kind == "video":
            core.bridge.announce_video_types()
        core.presence.update()

    def _share(self, action: ac.ShareScreen) -> int | None:
        local = self._ctx.local
        sharing = action.source is not None
        if sharing == local.sharing:
            return None
        if sharing and "desktop" in local.force_muted:
            own = self._ctx.occupant(self._ctx.nick)

            def lifted() -> None:
                local.force_muted.discard("desktop")
                self._apply_sharing(True)

            return self._ask(self._ctx.focus_occupant, build_mute("desktop", own, muted=False), lifted)
        self._apply_sharing(sharing)
        return None

    def _apply_sharing(self, sharing: bool) -> None:
        core = self._core
        self._ctx.local.sharing = sharing
        if sharing:
            core.media.start_screen()
        else:
            core.media.stop_screen()
        self._ctx.emit(ev.LocalMediaChanged(sharing_screen=sharing))
        core.bridge.announce_video_types()
        core.presence.update(now=True)

    def force_mute(self, kind: str, actor: str) -> None:
        """A moderator muted us (jitsi.md 5.7)."""
        ctx = self._ctx
        ctx.local.force_muted.add(kind)
        who = self._core.room.name_of(actor)
        if kind == "audio" and not ctx.local.microphone_muted:
            self._apply_muted("audio", ctx.source_name("a"), muted=True, by=actor or None)
        elif kind == "video" and not ctx.local.camera_muted:
            self._apply_muted("video", ctx.source_name("v"), muted=True, by=actor or None)
            ctx.effect(fx.ReleaseInput("camera"))
        elif kind == "desktop" and ctx.local.sharing:
            self._apply_sharing(False)
            ctx.effect(fx.ReleaseInput("screen"))
        else:
            return
        what = {"audio": "microphone", "video": "camera", "desktop": "screen share"}[kind]
        text = f"{who} turned your {what} off." if who else f"A moderator turned your {what} off."
        ctx.emit(ev.Notice("muted_by_moderator", text, "info", actor or None))

    def _dtmf(self, action: ac.SendDtmf) -> int | None:
        tones = action.tones.upper()
        if not tones or not set(tones) <= _TONES or len(tones) > 100:
            raise ActionRefused(failure("no_dtmf", "tones"))
        name = self._ctx.source_name("a")
        if name not in self._core.media.local:
            raise ActionRefused(failure("no_media"))
        self._ctx.effect(fx.SendTones(name, tones, action.duration_ms, action.gap_ms))
        return None

    # ------------------------------------------------------------------ what we receive

    def _visible(self, action: ac.SetVisibleSources) -> int | None:
        core = self._core
        core.bridge.visible = action.sources
        core.bridge.send_constraints()
        core.media.set_wanted({v.name for v in action.sources if v.height > 0})
        return None

    def _receive_limit(self, action: ac.SetReceiveLimit) -> int | None:
        self._core.bridge.max_height, self._core.bridge.last_n = action.max_height, action.last_n
        self._core.bridge.send_constraints()
        return None

    def _send_limit(self, action: ac.SetSendLimit) -> int | None:
        self._core.media.set_send_limit(action.max_height)
        return None

    def _audio_only(self, action: ac.SetAudioOnly) -> int | None:
        self._ctx.local.audio_only = action.enabled
        self._core.bridge.send_constraints()
        self._ctx.emit(ev.LocalMediaChanged(audio_only=action.enabled))
        return None

    # ------------------------------------------------------------------ chat

    def _send_message(self, action: ac.SendMessage) -> int | None:
        if not action.text.strip():
            raise ActionRefused(failure("chat_error", "empty"))
        if action.to is not None:
            self._member_jid(action.to)
        ticket = self._ticket()

        def sent(problem: Failure | None) -> None:
            self._ctx.effect(fx.ActionDone(ticket, problem))

        self._core.chat.send(action.text, action.to, action.reply_to, action.message_id, sent)
        return ticket

    def _known_message(self, message_id: str) -> None:
        if self._core.chat.find(message_id) is None:
            raise ActionRefused(failure("chat_error", "unknown message"))

    def _react(self, action: ac.ReactToMessage) -> int | None:
        self._known_message(action.message_id)
        self._core.chat.react(action.message_id, action.emoji[:32])
        return None

    def _retract(self, action: ac.RetractMessage) -> int | None:
        self._known_message(action.message_id)
        note = self._core.chat.find(action.message_id)
        if note is None or not note.is_local:
            raise ActionRefused(failure("forbidden"))
        self._core.chat.retract(action.message_id)
        return None

    def _mark_read(self, _action: ac.MarkMessagesRead) -> int | None:
        self._ctx.emit(ev.MessagesRead())
        return None

    # ------------------------------------------------------------------ ourselves

    def _raise_hand(self, action: ac.RaiseHand) -> int | None:
        self._core.presence.properties["raisedHand"] = str(self._ctx.now()) if action.raised else "0"
        self._core.presence.update()
        return None

    def _set_name(self, action: ac.SetDisplayName) -> int | None:
        self._ctx.local.display_name = action.name.strip()[:128]
        self._core.presence.update()
        self._core.room.update_local()
        return None

    def _set_property(self, action: ac.SetProperty) -> int | None:
        _checked(f"jitsi_participant_{action.key}", {})
        if len(self._core.presence.properties) >= MAX_COMMANDS and action.key not in self._core.presence.properties:
            raise ActionRefused(failure("channel_error", "too many properties"))
        self._core.presence.properties[action.key] = action.value[:4000]
        self._core.presence.update()
        return None

    def _send_command(self, action: ac.SendCommand) -> int | None:
        presence = self._core.presence
        element = _checked(action.name, action.attributes, action.value, action.children)
        if action.once:
            presence.update(once=(element,))
            return None
        if len(presence.commands) >= MAX_COMMANDS and action.name not in presence.commands:
            raise ActionRefused(failure("channel_error", "too many commands"))
        presence.commands[action.name] = element
        presence.update()
        return None

    def _remove_command(self, action: ac.RemoveCommand) -> int | None:
        self._core.presence.commands.pop(action.name, None)
        self._echoed.pop(action.name, None)
        return None

    def own_command(self, command: Command) -> None:
        """The room reflects a command of ours: listeners hear it like those of others."""
        if self._echoed.get(command.name) == repr(command):
            return
        if len(self._echoed) < MAX_COMMANDS * 2:
            self._echoed[command.name] = repr(command)
        self._ctx.emit(
            ev.CommandReceived(
                self._ctx.nick, command.name, command.value, frozen_map(command.attributes), command.children
            )
        )

    def _set_feature(self, action: ac.SetFeature) -> int | None:
        features = self._core.presence.features
        if action.enabled:
            features.add(action.feature[:256])
        else:
            features.discard(action.feature)
        if action.submit:
            self._core.presence.update()
        return None

    def _nothing(self, _action: Any) -> int | None:
        return None

    # ------------------------------------------------------------------ bridge channel

    def _send_reaction(self, action: ac.SendReaction) -> int | None:
        if action.key not in REACTIONS:
            raise ActionRefused(failure("not_supported", "reaction"))
        if not self._reactions:
            self._ctx.after(REACTION_BUFFER_MS, self._flush_reactions)
        if len(self._reactions) < 50:
            self._reactions.append(action.key)
        self._ctx.emit(ev.ReactionReceived(self._ctx.nick, (action.key,)))
        return None

    def _flush_reactions(self) -> None:
        keys, self._reactions = self._reactions, []
        if keys and self._core.bridge.open:
            payload = {"name": "endpoint-reaction", "reactions": keys, "timestamp": self._ctx.now()}
            self._core.bridge.send_endpoint("", payload)

    def _lower_hand(self, action: ac.LowerHand) -> int | None:
        self._member_jid(action.participant_id)
        self._core.bridge.send_endpoint(action.participant_id, {"name": "lower-hand-message"})
        return None

    def _endpoint_message(self, action: ac.SendEndpointMessage) -> int | None:
        if action.to:
            self._member_jid(action.to)
        try:
            self._core.bridge.send_endpoint(action.to, action.payload)
        except (ValueError, TypeError) as error:
            raise ActionRefused(failure("channel_error", str(error)[:200])) from error
        return None

    def _endpoint_stats(self, action: ac.SendEndpointStats) -> int | None:
        try:
            self._core.bridge.send_stats(action.payload)
        except (ValueError, TypeError) as error:
            raise ActionRefused(failure("channel_error", str(error)[:200])) from error
        return None

    # ------------------------------------------------------------------ the room

    def _set_subject(self, action: ac.SetSubject) -> int | None:
        subject = el("subject", ns.CLIENT, text=action.subject[:1000])
        self._ctx.send(message(self._ctx.room_jid, subject, type_="groupchat"))
        return None

    def open_room_form(self) -> None:
        """We created the room: everybody may see who is there, as the focus needs it."""
        form = build_form("submit", {"muc#roomconfig_whois": "anyone"}, ns.ROOM_CONFIG)
        query = el("query", ns.MUC_OWNER, None, form)
        self._ctx.ask("set", self._ctx.room_jid, query, lambda _r, _e: None)

    def _lock(self, action: ac.Lock) -> int | None:
        ticket = self._ticket()
        ctx = self._ctx

        def refuse(details: str) -> None:
            ctx.effect(fx.ActionDone(ticket, failure("password_not_supported", details)))

        def got_form(result: Element | None, error: StanzaError | None) -> None:
            query = find(result, "query", ns.MUC_OWNER) if result is not None else None
            fields = parse_form(query) if query is not None else {}
            if error is not None or "muc#roomconfig_roomsecret" not in fields:
                refuse(error.condition if error else "no password field")
                return
            values: dict[str, str | Sequence[str]] = {
                "muc#roomconfig_roomsecret": action.password or "",
                "muc#roomconfig_passwordprotectedroom": "1" if action.password else "0",
                "muc#roomconfig_whois": "anyone",
            }
            if first(fields, "muc#roomconfig_membersonly") in ("1", "true"):
                values["muc#roomconfig_membersonly"] = "1"
            query = el("query", ns.MUC_OWNER, None, build_form("submit", values, ns.ROOM_CONFIG))
            ctx.ask("set", ctx.room_jid, query, submitted)

        def submitted(_result: Element | None, error: StanzaError | None) -> None:
            if error is not None:
                refuse(error.condition)
                return
            self._core.locked = bool(action.password)
            self._core.joining.password = action.password or None
            ctx.emit(ev.LockChanged(bool(action.password)))
            ctx.effect(fx.ActionDone(ticket))

        ctx.ask("get", ctx.room_jid, el("query", ns.MUC_OWNER), got_form)
        return ticket

    def _admin(self, **attributes: str) -> Element:
        reason = attributes.pop("reason", None)
        child = el("reason", ns.MUC_ADMIN, text=reason) if reason else None
        return el("query", ns.MUC_ADMIN, None, el("item", ns.MUC_ADMIN, attributes, child))

    def _kick(self, action: ac.Kick) -> int | None:
        self._member_jid(action.participant_id)
        reason = action.reason[:500] or DEFAULT_KICK_REASON
        return self._ask(self._ctx.room_jid, self._admin(nick=action.participant_id, role="none", reason=reason))

    def _affiliation(self, participant_id: str, affiliation: str) -> int:
        self._member_jid(participant_id)
        jid = self._core.room.bare_jid(participant_id)
        return self._ask(self._ctx.room_jid, self._admin(affiliation=affiliation, jid=jid))

    def _grant(self, action: ac.GrantModerator) -> int | None:
        return self._affiliation(action.participant_id, "owner")

    def _revoke(self, action: ac.RevokeModerator) -> int | None:
        return self._affiliation(action.participant_id, "none")

    def _mute_participant(self, action: ac.MuteParticipant) -> int | None:
        jid = self._member_jid(action.participant_id)
        kind = "desktop" if action.screen else action.kind.value
        return self._ask(self._ctx.focus_occupant, build_mute(kind, jid, muted=True))

    def _mute_everyone(self, action: ac.MuteEveryone) -> int | None:
        ticket = None
        for nick, member in self._core.room.members.items():
            if nick in action.except_ids or member.participant.is_hidden:
                continue
            kind = MediaKind(action.kind).value
            ticket = self._ask(self._ctx.focus_occupant, build_mute(kind, self._ctx.occupant(nick), muted=True))
        return ticket

    def _set_policy(self, action: ac.SetStartMutedPolicy) -> int | None:
        core, ctx = self._core, self._ctx
        core.presence.start_muted = (action.audio, action.video)
        core.presence.update()
        component = core.components.get("room_metadata")
        if component:
            data = {"key": "startMuted", "data": {"audio": action.audio, "video": action.video}}
            text = json_message({**data, "type": "room_metadata"}).text
            ctx.send(message(component, el("room_metadata", ns.JITMEET, {"room": ctx.room_jid}, text=text)))
        core.set_policy(StartMutedPolicy(action.audio, action.video))
        return None

    def _end_for_all(self, _action: ac.EndForAll) -> int | None:
        component = self._core.components.get("end_conference")
        if component is None:
            raise ActionRefused(failure("not_supported"))
        self._ctx.send(message(component, el("end_conference", ns.CLIENT)))
        return None

    # ------------------------------------------------------------------ answers

    def _connecting(self) -> None:
        self._ctx.emit(ev.PhaseChanged(CallPhase.CONNECTING))

    def _submit_password(self, action: ac.SubmitPassword) -> int | None:
        self._connecting()
        self._core.joining.submit_password(action.password)
        return None

    def _sign_in(self, action: ac.SignIn) -> int | None:
        self._connecting()
        self._core.joining.sign_in(action.user, action.password)
        return None

    def _submit_name(self, action: ac.SubmitDisplayName) -> int | None:
        self._connecting()
        self._core.joining.submit_name(action.name.strip()[:128])
        self._core.room.update_local()
        return None


_REFUSALS = (
    "channel_closed",
    "channel_network",
    "moderator_only",
    "no_dtmf",
    "not_supported",
    "nothing_to_change",
    "not_joined",
)


def _checked(name: str, attributes: Any, value: str = "", children: tuple[Any, ...] = ()) -> Element:
    try:
        return build_command(name, value, attributes, children)
    except (ValueError, TypeError) as error:
        raise ActionRefused(failure("channel_error", "not a command name")) from error
