"""Who is in the room and what they announce: presences become participants, sources and events (jitsi.md 4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.calls import events as ev
from app.calls.model import MediaKind, Participant, Role, Source, SourceContent, frozen_map
from app.protocols.xmpp.jid import Jid, bare
from app.vendors.jitsi.state import FEATURE_DTMF, Context
from app.vendors.jitsi.wire import RoomPresence, SourceState, parse_source_name

MAX_MEMBERS = 1000
_INTERNAL_COMMANDS = frozenset({"jitsi_participant_codecList"})


@dataclass(slots=True)
class Member:
    nick: str
    real_jid: str
    affiliation: str
    participant: Participant
    sources: dict[str, Source] = field(default_factory=dict)
    announced: dict[str, SourceState] = field(default_factory=dict)
    visible: bool = False
    """Whether the others have been told of this member."""
    commands: dict[str, str] = field(default_factory=dict)


def role_of(presence: RoomPresence) -> Role:
    return {"moderator": Role.MODERATOR, "participant": Role.PARTICIPANT}.get(presence.role, Role.NONE)


def raised_hand(value: str | None, now_ms: int) -> int | None:
    """When the hand went up; old clients say just ``true``."""
    if value is None or value in ("", "0", "false"):
        return None
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else now_ms


def source_of(name: str, owner: str, state: SourceState | None, video_type: str = "") -> Source | None:
    """A source as announced. Audio is the microphone; video is camera unless its type says desktop."""
    parsed = parse_source_name(name)
    if parsed is None:
        return None
    kind = MediaKind.AUDIO if parsed[1] == "a" else MediaKind.VIDEO
    content = SourceContent.MICROPHONE
    if kind is MediaKind.VIDEO:
        desktop = ((state.video_type if state else "") or video_type).startswith("desktop")
        content = SourceContent.SCREEN if desktop else SourceContent.CAMERA
    return Source(name, owner, kind, content, muted=state.muted if state is not None else False)


class Room:
    """The members other than the focus and us."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.members: dict[str, Member] = {}
        self.focus_present = False
        self.focus_real_jid = ""
        self.forwarded: frozenset[str] | None = None
        self.local = Participant("")
        self._dtmf = False

    def reset(self) -> None:
        """We are about to join anew: everybody leaves, and comes back when the room says so."""
        for nick in list(self.members):
            self._remove(nick, "")
        self.focus_present = False
        self.forwarded = None

    def member(self, nick: str) -> Member | None:
        return self.members.get(nick)

    def by_real_jid(self, jid: str) -> Member | None:
        return next((m for m in self.members.values() if m.real_jid == jid), None)

    def name_of(self, nick: str) -> str:
        if nick == self._ctx.nick:
            return self._ctx.local.display_name
        member = self.members.get(nick)
        return member.participant.name if member is not None else ""

    # ------------------------------------------------------------------ presences

    def on_available(self, presence: RoomPresence) -> None:
        """A member is there or has changed."""
        if not presence.real_jid or (presence.nick not in self.members and len(self.members) >= MAX_MEMBERS):
            return
        known = self.members.get(presence.nick)
        old = known.participant if known is not None else None
        participant = self._participant(presence, old)
        if known is None:
            known = Member(presence.nick, presence.real_jid, presence.affiliation, participant)
            self.members[presence.nick] = known
        known.participant = participant
        known.real_jid, known.affiliation = presence.real_jid, presence.affiliation
        if presence.sources is not None:
            known.announced = dict(presence.sources)
        if not self._ctx.local.joined:
            return
        if not known.visible:
            self._show(known)
        elif old is not None and old != participant:
            self._changed(old, participant)
        self._sync_sources(known)
        self._commands(known, presence)
        self._update_dtmf()

    def show_all(self) -> None:
        """We have just joined: tell of everybody who was there before."""
        for member in self.members.values():
            if not member.visible:
                self._show(member)
                self._sync_sources(member)
        self._update_dtmf()

    def on_unavailable(self, presence: RoomPresence) -> None:
        nick = presence.nick
        if nick not in self.members:
            return
        if 307 in presence.codes:
            self._ctx.emit(ev.ParticipantKicked(nick, presence.actor, presence.reason))
        self._remove(nick, presence.reason)
        self._update_dtmf()

    def _remove(self, nick: str, reason: str) -> None:
        member = self.members.pop(nick)
        if not member.visible:
            return
        for name in member.sources:
            self._ctx.emit(ev.SourceRemoved(name))
        self._ctx.emit(ev.ParticipantLeft(nick, reason))

    def _participant(self, presence: RoomPresence, old: Participant | None) -> Participant:
        ctx = self._ctx
        hidden = bool(ctx.config.hidden_domain) and Jid.parse(presence.real_jid).domain == ctx.config.hidden_domain
        properties = dict(presence.properties)
        hand = properties.get("raisedHand")
        raised_at = raised_hand(hand, old.raised_hand_at if old and old.raised_hand_at else ctx.now())
        base = old or Participant(presence.nick, joined_at=ctx.now())
        return replace(
            base,
            name=presence.name or presence.identity_name,
            role=role_of(presence),
            is_hidden=hidden,
            is_bot=presence.is_bot,
            email=presence.email,
            avatar_url=presence.avatar_url,
            status=presence.status,
            raised_hand_at=raised_at,
            supports_dtmf=FEATURE_DTMF in presence.features,
            features=presence.features,
            properties=frozen_map(properties),
            region=properties.get("region", ""),
        )

    def _show(self, member: Member) -> None:
        member.visible = True
        self._ctx.emit(ev.ParticipantJoined(member.participant))
        if member.participant.raised_hand_at is not None:
            self._ctx.emit(ev.HandRaised(member.nick, member.participant.raised_hand_at))

    def _changed(self, old: Participant, new: Participant) -> None:
        emit = self._ctx.emit
        emit(ev.ParticipantChanged(new))
        if old.role != new.role:
            emit(ev.RoleChanged(new.id, new.role))
        if old.raised_hand_at != new.raised_hand_at:
            emit(ev.HandRaised(new.id, new.raised_hand_at))
        for key in {**old.properties, **new.properties}:
            before, after = old.properties.get(key), new.properties.get(key)
            if before != after:
                emit(ev.PropertyChanged(new.id, key, before, after))

    def _commands(self, member: Member, presence: RoomPresence) -> None:
        present = {}
        for command in presence.commands:
            present[command.name] = repr(command)
            if member.commands.get(command.name) != present[command.name]:
                self._ctx.emit(
                    ev.CommandReceived(
                        member.nick, command.name, command.value, frozen_map(command.attributes), command.children
                    )
                )
        member.commands = present

    # ------------------------------------------------------------------ sources

    def _sync_sources(self, member: Member) -> None:
        """Announced sources become known ones; those withdrawn go, unless media says that they exist."""
        for name, state in member.announced.items():
            known = member.sources.get(name)
            made = source_of(name, member.nick, state)
            if made is None:
                continue
            if known is None:
                self._add(member, made)
            else:
                receiving = known.receiving and not state.muted
                self._replace(member, replace(known, muted=state.muted, content=made.content, receiving=receiving))
        for name in [n for n in member.sources if n not in member.announced and member.announced]:
            del member.sources[name]
            self._ctx.emit(ev.SourceRemoved(name))

    def _add(self, member: Member, source: Source) -> None:
        source = replace(source, forwarded=self._is_forwarded(source))
        member.sources[source.name] = source
        if member.visible:
            self._ctx.emit(ev.SourceAdded(source))

    def _replace(self, member: Member, source: Source) -> None:
        if member.sources.get(source.name) != source:
            member.sources[source.name] = source
            self._ctx.emit(ev.SourceChanged(source))

    def _is_forwarded(self, source: Source) -> bool:
        return source.kind is MediaKind.AUDIO or self.forwarded is None or source.name in self.forwarded

    def source_signalled(self, name: str, owner: str, video_type: str) -> None:
        """Jingle or a map of the bridge names a source; members without SourceInfo announce theirs only this way."""
        member = self.members.get(owner)
        if member is None:
            return
        known = member.sources.get(name)
        state = member.announced.get(name)
        if known is None:
            made = source_of(name, owner, state, video_type)
            if made is not None and member.visible:
                self._add(member, made)
        elif state is None and known.kind is MediaKind.VIDEO and video_type:
            content = SourceContent.SCREEN if video_type.startswith("desktop") else SourceContent.CAMERA
            self._replace(member, replace(known, content=content))

    def source_withdrawn(self, name: str) -> None:
        for member in self.members.values():
            if name in member.sources and name not in member.announced:
                del member.sources[name]
                self._ctx.emit(ev.SourceRemoved(name))

    def source_started(self, name: str) -> None:
        self._update_source(name, receiving=True, frozen=False)

    def source_flows(self, name: str) -> None:
        """Packets arrive; counts only for what is neither muted nor withheld."""
        parsed = parse_source_name(name)
        member = self.members.get(parsed[0]) if parsed is not None else None
        source = member.sources.get(name) if member is not None else None
        if member is not None and source is not None and not source.muted and source.forwarded:
            self._replace(member, replace(source, receiving=True))

    def source_frozen(self, name: str, frozen: bool) -> None:
        self._update_source(name, frozen=frozen)

    def _update_source(self, name: str, **changes: bool) -> None:
        for member in self.members.values():
            source = member.sources.get(name)
            if source is not None:
                self._replace(member, replace(source, **changes))  # type: ignore[arg-type]

    def set_forwarded(self, names: Iterable[str]) -> None:
        self.forwarded = frozenset(names)
        for member in self.members.values():
            for source in list(member.sources.values()):
                forwarded = self._is_forwarded(source)
                receiving = source.receiving and forwarded
                self._replace(member, replace(source, forwarded=forwarded, receiving=receiving))
        self._ctx.emit(ev.ForwardedSourcesChanged(tuple(sorted(self.forwarded))))

    def media_gone(self) -> None:
        """No transport any more: nothing is received."""
        self.forwarded = None
        for member in self.members.values():
            for source in list(member.sources.values()):
                self._replace(member, replace(source, receiving=False, forwarded=True, frozen=False))

    # ------------------------------------------------------------------ single facts

    def set_participant(self, nick: str, quality: int | None = None, active: bool | None = None) -> None:
        member = self.members.get(nick)
        if member is None:
            return
        changed = member.participant
        if quality is not None:
            changed = replace(changed, quality=quality)
        if active is not None:
            changed = replace(changed, connection_active=active)
        if changed != member.participant:
            member.participant = changed
            if member.visible:
                self._ctx.emit(ev.ParticipantChanged(changed))

    @property
    def dtmf_supported(self) -> bool:
        return self._dtmf

    def _update_dtmf(self) -> None:
        supported = any(m.participant.supports_dtmf for m in self.members.values())
        if supported != self._dtmf:
            self._dtmf = supported
            self._ctx.emit(ev.DtmfSupportChanged(supported))

    def bare_jid(self, nick: str) -> str:
        member = self.members.get(nick)
        return bare(member.real_jid) if member is not None else ""

    # ------------------------------------------------------------------ ourselves

    def update_local(self, presence: RoomPresence | None = None, *, hand: int | None = None) -> None:
        """Our own participant, from what we say or what the room reflects."""
        ctx = self._ctx
        old = self.local
        base = old if old.id == ctx.nick else Participant(ctx.nick, is_local=True, joined_at=ctx.now())
        new = replace(base, name=ctx.local.display_name, email=ctx.options.email, avatar_url=ctx.options.avatar_url)
        if presence is not None:
            properties = frozen_map(presence.properties)
            raised_at = raised_hand(presence.properties.get("raisedHand"), base.raised_hand_at or ctx.now())
            name = ctx.local.display_name or presence.identity_name
            role = role_of(presence)
            new = replace(new, role=role, properties=properties, raised_hand_at=raised_at, name=name)
            new = replace(new, status=presence.status, features=presence.features)
        self.local = new
        if not ctx.local.joined:
            return
        if old.id != new.id:
            ctx.emit(ev.ParticipantJoined(new))
        elif old != new:
            self._changed(old, new)
