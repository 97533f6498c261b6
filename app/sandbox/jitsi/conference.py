"""One conference as the focus runs it: members, media sessions, sources, mutes (jitsi.md 3.4, 5)."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from app.calls.model import MediaKind
from app.media.api import TransportDescription
from app.protocols.jingle import BridgeSession, Content, IceTransport, Jingle, Reason, SourceSet, build_jingle
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, find, find_all
from app.sandbox.jitsi.muc import FOCUS_NICK, Occupant, Room
from app.sandbox.jitsi.offer import (
    DEFAULT_FEATURES,
    BridgeOffer,
    MemberFeatures,
    session_initiate,
    source_change,
)
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sessions import Cancellable, LocalSession
from app.sandbox.jitsi.sources import ConferenceSources, strip_simulcast, without_rtx
from app.sandbox.jitsi.stanza import attr, bare

log = logging.getLogger(__name__)

RESTART_INTERVAL_S = 5.0
"""Restarts of one member closer together are refused, as are more than :data:`RESTARTS_PER_MINUTE`."""
RESTARTS_PER_MINUTE = 5


class BridgePort(Protocol):
    """What the focus asks of the bridge."""

    async def allocate(self, conference: str, endpoint: str, features: MemberFeatures) -> BridgeOffer:
        """A fresh transport for *endpoint*; an older one of the same endpoint expires."""

    async def accept(self, conference: str, endpoint: str, remote: TransportDescription, last_n: int) -> None: ...

    async def restart_ice(self, conference: str, endpoint: str, remote: TransportDescription | None) -> BridgeOffer: ...

    def set_sources(self, conference: str, endpoint: str, sources: SourceSet) -> None: ...

    def set_muted(self, conference: str, endpoint: str, kind: MediaKind, muted: bool) -> None: ...

    def expire(self, conference: str, endpoint: str) -> None: ...


class FocusPort(Protocol):
    """What a conference asks of the focus."""

    options: SandboxOptions
    bridge: BridgePort

    def send_iq(self, to: str, payload: Element, on_reply: Callable[[Element | None], None]) -> None: ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None: ...

    def call_later(self, delay: float, action: Callable[[], None]) -> Cancellable: ...

    def update_presence(self, room: Room, *extra: Element) -> None: ...

    def is_authenticated(self, real_jid: str) -> bool: ...

    def cached_features(self, ver: str) -> frozenset[str] | None: ...

    def cache_features(self, ver: str, features: frozenset[str]) -> None: ...

    def bridge_usable(self) -> bool: ...


@dataclass(slots=True)
class MediaSession:
    sid: str
    offer: BridgeOffer
    state: str = "pending"
    """``pending`` until session-accept, then ``active``; ``ended`` after a terminate."""


@dataclass(slots=True)
class Member:
    occupant: Occupant
    features: MemberFeatures | None = None
    raw_features: frozenset[str] = frozenset()
    session: MediaSession | None = None
    inviting: bool = False
    local: bool = False
    """Inside this process (a bot): it needs no media session."""
    joined_order: int = 0
    start_muted: tuple[bool, bool] = (False, False)
    forced_mute: set[str] = field(default_factory=set)
    restarts: list[float] = field(default_factory=list)
    sessions_started: int = 0
    jingle_log: list[tuple[str, str]] = field(default_factory=list)
    """(action, outcome) of what the member sent and of answers to what it was sent; at most 200."""

    @property
    def nick(self) -> str:
        return self.occupant.nick

    def note(self, action: str, outcome: str) -> None:
        self.jingle_log.append((action, outcome))
        del self.jingle_log[:-200]


class Conference:
    """The focus's view of one room."""

    def __init__(self, focus: FocusPort, room: Room, properties: dict[str, str]) -> None:
        self._focus, self.room = focus, room
        self.id = secrets.token_hex(8)
        self.members: dict[str, Member] = {}
        self.sources = ConferenceSources(focus.options.max_sources)
        self.start_audio_muted = _threshold(properties.get("startAudioMuted"))
        self.start_video_muted = _threshold(properties.get("startVideoMuted"))
        self._joined = 0
        self._single_timer: Cancellable | None = None
        self.closed = False

    # ------------------------------------------------------------------ members

    def member_present(self, occupant: Occupant, is_new: bool) -> None:
        if occupant.nick == FOCUS_NICK:
            return
        self._read_policy(occupant)
        if not is_new:
            return
        member = Member(occupant, local=isinstance(occupant.session, LocalSession), joined_order=self._joined)
        self._joined += 1
        self.members[occupant.nick] = member
        self.update_owner()
        if member.local:
            self._invite_all()
        else:
            self._discover(member)

    def _read_policy(self, occupant: Occupant) -> None:
        if occupant.role != "moderator":
            return
        for child in occupant.presence:
            if child.tag == f"{{{ns.START_MUTED}}}startmuted":
                policy = {"audio": child.get("audio") == "true", "video": child.get("video") == "true"}
                self.room.metadata["startMuted"] = policy

    def update_owner(self) -> None:
        """Make somebody owner when nobody is (or everybody who signed in, where sign-in is required)."""
        people = [m for m in self.members.values() if not m.local]
        if self._focus.options.secure_domain:
            for member in people:
                jid = member.occupant.session.jid
                if member.occupant.affiliation != "owner" and self._focus.is_authenticated(jid):
                    self.room.set_affiliation(jid, "owner")
            return
        if not self._focus.options.auto_owner or any(m.occupant.affiliation == "owner" for m in people):
            return
        if people:
            self.room.set_affiliation(people[0].occupant.session.jid, "owner")

    def member_left(self, occupant: Occupant) -> None:
        member = self.members.pop(occupant.nick, None)
        if member is None:
            return
        self.sources.drop(member.nick)
        self._focus.bridge.expire(self.id, member.nick)
        if occupant.affiliation == "owner":
            self.room.affiliations.pop(bare(occupant.session.jid), None)
        self.update_owner()
        if len(self.members) < self._focus.options.min_participants and self._single_timer is None:
            delay = self._focus.options.single_participant_timeout_s
            self._single_timer = self._focus.call_later(delay, self._expire_single)

    def _expire_single(self) -> None:
        self._single_timer = None
        if len(self.members) < self._focus.options.min_participants:
            for member in self.members.values():
                self.terminate(member, "expired", "Idle session timeout")

    def people(self) -> list[Member]:
        return [m for m in self.members.values() if not m.local]

    def _discover(self, member: Member) -> None:
        caps = next((c for c in member.occupant.presence if c.tag == f"{{{ns.CAPS}}}c"), None)
        ver = attr(caps, "ver") if caps is not None else ""
        known = self._focus.cached_features(ver) if ver else None
        if known is not None:
            self._discovered(member, known)
            return
        name = f"{attr(caps, 'node')}#{ver}" if caps is not None else None
        query = el("query", ns.DISCO_INFO, {"node": name})

        def answered(reply: Element | None) -> None:
            answer = find(reply, "query", ns.DISCO_INFO) if reply is not None else None
            if answer is None or reply is None or reply.get("type") != "result":
                self._discovered(member, DEFAULT_FEATURES)
                return
            features = frozenset(attr(f, "var") for f in find_all(answer, "feature"))
            if ver:
                self._focus.cache_features(ver, features)
            self._discovered(member, features)

        self._focus.send_iq(f"{self.room.jid}/{member.nick}", query, answered)

    def _discovered(self, member: Member, features: frozenset[str]) -> None:
        if self.members.get(member.nick) is not member:
            return
        options = self._focus.options
        member.raw_features = features
        member.features = MemberFeatures.of(features, options.ssrc_rewriting, options.json_sources)
        self._invite_all()

    # ------------------------------------------------------------------ sessions

    def _invite_all(self) -> None:
        if len(self.members) < self._focus.options.min_participants:
            return
        if self._single_timer is not None:
            self._single_timer.cancel()
            self._single_timer = None
        for member in list(self.members.values()):
            if member.features is not None and member.session is None and not member.inviting:
                member.inviting = True
                self._focus.spawn(self._invite(member))

    def _muted_at_start(self, member: Member) -> tuple[bool, bool]:
        policy = self.room.metadata.get("startMuted")
        audio = video = False
        if isinstance(policy, dict) and member.occupant.role != "moderator":
            audio, video = policy.get("audio") is True, policy.get("video") is True
        order = member.joined_order
        audio = audio or (self.start_audio_muted is not None and order >= self.start_audio_muted)
        video = video or (self.start_video_muted is not None and order >= self.start_video_muted)
        return audio, video

    async def _invite(self, member: Member) -> None:
        try:
            if not self._focus.bridge_usable():
                self._focus.update_presence(self.room, el("bridgeNotAvailable", ns.CLIENT))
                return
            assert member.features is not None
            offer = await self._focus.bridge.allocate(self.id, member.nick, member.features)
        finally:
            member.inviting = False
        if self.members.get(member.nick) is not member or self.closed:
            self._focus.bridge.expire(self.id, member.nick)
            return
        if member.sessions_started == 0:
            member.start_muted = self._muted_at_start(member)
        member.sessions_started += 1
        session = MediaSession(secrets.token_hex(8), offer)
        member.session = session
        self._send_offer(member, session)

    def _send_offer(self, member: Member, session: MediaSession) -> None:
        assert member.features is not None
        muted = member.start_muted if any(member.start_muted) and member.sessions_started == 1 else None
        sources = SourceSet() if member.features.rewriting else self._visible(member, self.sources.others(member.nick))
        initiator = self.focus_jid
        offer = session_initiate(session.sid, initiator, session.offer, member.features, sources, muted)

        def answered(reply: Element | None) -> None:
            outcome = "result" if reply is None else attr(reply, "type")
            if reply is not None and outcome == "error":
                error = find(reply, "error")
                outcome = "error" if error is None else error[0].tag.partition("}")[2] if len(error) else "error"
                if session.state == "pending" and member.session is session:
                    self.terminate(member, "general-error", "jingle session failed")
            member.note("session-initiate", outcome)

        self._focus.send_iq(f"{self.room.jid}/{member.nick}", build_jingle(offer), answered)

    @property
    def focus_jid(self) -> str:
        return f"{self._focus.options.focus_user}/focus"

    def _visible(self, member: Member, sources: SourceSet) -> SourceSet:
        """What *member* is told of others' sources."""
        assert member.features is not None
        shown = strip_simulcast(sources)
        if not member.features.rtx:
            shown = without_rtx(shown)
        if not member.features.audio:
            shown = SourceSet(video=shown.video, video_groups=shown.video_groups)
        if not member.features.video:
            shown = SourceSet(audio=shown.audio, audio_groups=shown.audio_groups)
        return shown

    def terminate(self, member: Member, condition: str, text: str, restart: bool = False) -> None:
        """End the member's media session; with *restart* a new one follows at once."""
        session, member.session = member.session, None
        self.sources.drop(member.nick)
        self._focus.bridge.expire(self.id, member.nick)
        if session is None or session.state == "ended":
            return
        session.state = "ended"
        payload = build_jingle(
            Jingle(
                "session-terminate",
                session.sid,
                self.focus_jid,
                reason=Reason(condition, text),
                bridge_session=BridgeSession(session.offer.session_id),
            )
        )

        def answered(reply: Element | None) -> None:
            member.note("session-terminate", "result" if reply is None else attr(reply, "type"))

        self._focus.send_iq(f"{self.room.jid}/{member.nick}", payload, answered)
        if restart:
            self._invite_all()

    def resend_offer(self, nick: str) -> None:
        """Send the running session's offer once more (a duplicate)."""
        member = self.members[nick]
        if member.session is not None:
            self._send_offer(member, member.session)

    def session_ended_by(self, member: Member, restart: bool) -> None:
        session, member.session = member.session, None
        removed = self.sources.drop(member.nick)
        self._focus.bridge.expire(self.id, member.nick)
        if session is not None:
            session.state = "ended"
        self._announce("source-remove", member.nick, removed)
        if restart:
            self._invite_all()

    def may_restart(self, member: Member) -> bool:
        now = time.monotonic()
        member.restarts = [at for at in member.restarts if now - at < 60.0]
        if member.restarts and now - member.restarts[-1] < RESTART_INTERVAL_S:
            return False
        if len(member.restarts) >= RESTARTS_PER_MINUTE:
            return False
        member.restarts.append(now)
        return True

    async def accept(self, member: Member, jingle: Jingle) -> None:
        """A session-accept whose sources were accepted: start the transport, tell the others."""
        session, transport = member.session, jingle.transport
        if session is None or transport is None:
            return  # left again before this ran
        session.state = "active"
        video = jingle.content("video")
        last_n = -1 if video is None or video.initial_last_n is None else video.initial_last_n
        remote = describe(transport)
        self._focus.bridge.set_sources(self.id, member.nick, self.sources.by_owner.get(member.nick, SourceSet()))
        await self._focus.bridge.accept(self.id, member.nick, remote, last_n)

    # ------------------------------------------------------------------ sources

    def add_sources(self, nick: str, added: SourceSet) -> None:
        """Raises :class:`SourceError`; otherwise the bridge and everybody who is told by Jingle know the sources."""
        accepted = self.sources.add(nick, added)
        self._focus.bridge.set_sources(self.id, nick, self.sources.by_owner[nick])
        self._announce("source-add", nick, accepted)

    def remove_sources(self, nick: str, removed: SourceSet) -> None:
        gone = self.sources.remove(nick, removed)
        self._focus.bridge.set_sources(self.id, nick, self.sources.by_owner.get(nick, SourceSet()))
        self._announce("source-remove", nick, gone)

    def _announce(self, action: str, owner: str, sources: SourceSet) -> None:
        for member in list(self.members.values()):
            session, features = member.session, member.features
            if member.nick == owner or session is None or features is None or features.rewriting:
                continue
            visible = self._visible(member, sources)
            if visible:
                jingle = source_change(action, session.sid, self.focus_jid, visible, features.json)
                self._focus.send_iq(f"{self.room.jid}/{member.nick}", build_jingle(jingle), lambda reply: None)

    # ------------------------------------------------------------------ mutes

    def mute(self, actor: str, target: Member, kind: str, muted: bool) -> None:
        """Apply a mute: the bridge drops the media and the target is told (unless it acts on itself)."""
        if muted:
            target.forced_mute.add(kind)
        else:
            target.forced_mute.discard(kind)
        media = MediaKind.AUDIO if kind == "audio" else MediaKind.VIDEO
        self._focus.bridge.set_muted(self.id, target.nick, media, muted)
        if actor == target.nick:
            return
        attributes = {"jid": f"{self.room.jid}/{target.nick}", "actor": f"{self.room.jid}/{actor}"}
        payload = el("mute", f"{ns.JITMEET}/{kind}", attributes, text="true")

        def answered(reply: Element | None) -> None:
            target.note(f"mute-{kind}", "timeout" if reply is None else attr(reply, "type"))

        self._focus.send_iq(f"{self.room.jid}/{target.nick}", payload, answered)


def describe(transport: IceTransport) -> TransportDescription:
    """The member's side of the transport in the media engine's terms."""
    setup = transport.setup or "active"
    return TransportDescription(
        transport.ufrag, transport.pwd, transport.fingerprints, setup, transport.candidates, True
    )


def transport_info(session: MediaSession, initiator: str, generation: str) -> Jingle:
    """The bridge's new credentials after an ICE restart."""
    local = session.offer.description
    transport = IceTransport(
        local.ufrag, local.pwd, local.fingerprints, local.setup, local.candidates, ice_generation=generation
    )
    return Jingle("transport-info", session.sid, initiator, contents=(Content("audio", transport=transport),))


def _threshold(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) < 10 else None
