"""The focus: answers conference requests, sits in every room, runs the Jingle sessions (jitsi.md 3, 5)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from app.protocols.jingle import Jingle, build_jingle, parse_jingle
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el, find, find_all, name_of
from app.sandbox.jitsi.conference import BridgePort, Conference, Member, describe, transport_info
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.muc import FOCUS_NICK, MucService, Occupant, Room
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sessions import CallLater, Cancellable, LocalSession, Router, Session
from app.sandbox.jitsi.sources import SourceError
from app.sandbox.jitsi.stanza import attr, bare, domain, error_reply, resource, result_reply, text_of

log = logging.getLogger(__name__)

INITIAL_TIMEOUT_S = 15.0
"""A conference nobody joins is given up after this time (jicofo ``initial-timeout``)."""
SPARE_ROOM_TIMEOUT_S = 5.0
"""A room without people lasts so long, so that somebody who reconnects finds it again."""
IQ_TIMEOUT_S = 15.0
MAX_CACHED_FEATURES = 500


@dataclass(frozen=True, slots=True)
class ConferenceReply:
    """A granted conference request."""

    ready: bool
    focus_jid: str
    session_id: str = ""
    identity: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConferenceRefusal:
    """A refused one: stanza error condition, HTTP status, text and application condition."""

    condition: str
    status: int
    text: str = ""
    detail: Element | None = None
    kind: str = "cancel"


@dataclass(slots=True)
class Login:
    identity: str
    machine_uid: str
    jids: set[str] = field(default_factory=set)


class Focus:
    """One focus for all rooms of the deployment."""

    def __init__(
        self,
        options: SandboxOptions,
        faults: Faults,
        router: Router,
        muc: MucService,
        bridge: BridgePort,
        call_later: CallLater,
    ) -> None:
        self.options, self._faults, self._router, self._muc, self.bridge = options, faults, router, muc, bridge
        self._call_later = call_later
        self.session = LocalSession(f"{options.focus_user}/focus", self._on_stanza)
        router.register(self.session)
        self.conferences: dict[str, Conference] = {}
        self._logins: dict[str, Login] = {}
        self._features: dict[str, frozenset[str]] = {}
        self._replies: dict[str, tuple[Callable[[Element | None], None], Cancellable]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_conference: list[Callable[[Conference], None]] = []
        self.presence_extra: dict[str, tuple[Element, ...]] = {}
        muc.on_room_gone.append(self._room_gone)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, timer in self._replies.values():
            timer.cancel()
        self._replies.clear()

    # ------------------------------------------------------------------ FocusPort

    def call_later(self, delay: float, action: Callable[[], None]) -> Cancellable:
        return self._call_later(delay, action)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("focus task failed", exc_info=task.exception())

    def send_iq(self, to: str, payload: Element, on_reply: Callable[[Element | None], None]) -> None:
        iq_id = secrets.token_urlsafe(9)
        timer = self._call_later(self._reply_timeout(payload), lambda: self._replied(iq_id, None))
        self._replies[iq_id] = (on_reply, timer)
        kind = "get" if name_of(payload) == "query" else "set"
        self._router.route(self.session, el("iq", ns.CLIENT, {"type": kind, "id": iq_id, "to": to}, payload))

    def _reply_timeout(self, payload: Element) -> float:
        return self.options.disco_timeout_s if name_of(payload) == "query" else IQ_TIMEOUT_S

    def _replied(self, iq_id: str, reply: Element | None) -> None:
        entry = self._replies.pop(iq_id, None)
        if entry is not None:
            entry[1].cancel()
            entry[0](reply)

    def cached_features(self, ver: str) -> frozenset[str] | None:
        return self._features.get(ver)

    def cache_features(self, ver: str, features: frozenset[str]) -> None:
        if len(self._features) < MAX_CACHED_FEATURES:
            self._features[ver] = features

    def bridge_usable(self) -> bool:
        return not self._faults.bridge_not_available

    def is_authenticated(self, real_jid: str) -> bool:
        if domain(real_jid) == self.options.domain and self.options.secure_domain:
            return True
        return any(bare(real_jid) in login.jids for login in self._logins.values())

    def update_presence(self, room: Room, *extra: Element) -> None:
        self.presence_extra[room.jid] = extra
        self._send_presence(room, join=False)

    def _send_presence(self, room: Room, join: bool) -> None:
        properties = {
            "created-ms": str(room.created_ms),
            "octo-enabled": "false",
            "bridge-count": "1",
            "support-terminate-restart": "true",
        }
        items = (el("property", ns.FOCUS, {"key": key, "value": value}) for key, value in properties.items())
        stanza = el("presence", ns.CLIENT, {"to": f"{room.jid}/{FOCUS_NICK}"})
        if join:
            stanza.append(el("x", ns.MUC))
        versions = el("versions", ns.CLIENT, None, el("component", ns.CLIENT, {"name": "focus"}, text="sandbox"))
        stanza.extend([el("conference-properties", ns.FOCUS, None, *items), versions])
        stanza.extend(self.presence_extra.get(room.jid, ()))
        self._router.route(self.session, stanza)

    # ------------------------------------------------------------------ conference requests

    def request(
        self, room_jid: str, requester: str, machine_uid: str, session_id: str, properties: Mapping[str, str]
    ) -> ConferenceReply | ConferenceRefusal:
        """Decide on one request. *requester* is the sender's JID, empty for HTTP without a token."""
        refusal = self._fault_refusal()
        if refusal is not None:
            return refusal
        room_jid = room_jid.lower()
        if "@" not in room_jid or not self._serves(domain(room_jid)):
            return ConferenceRefusal("bad-request", 400, "Unknown conference service")
        login: Login | None = None
        if self.options.secure_domain:
            if session_id:
                login = self._logins.get(session_id)
                if login is None or login.machine_uid != machine_uid or self._faults.session_invalid > 0:
                    self._faults.session_invalid = max(self._faults.session_invalid - 1, 0)
                    return self._invalid_session()
                login.jids.add(bare(requester))
            elif domain(requester) == self.options.domain:
                if not machine_uid:
                    return ConferenceRefusal("not-acceptable", 400, "machine-uid is required", kind="modify")
                session_id = secrets.token_urlsafe(16)
                login = Login(bare(requester), machine_uid, {bare(requester)})
                self._logins[session_id] = login
            elif room_jid not in self.conferences:
                return ConferenceRefusal("not-authorized", 403, kind="auth")
        elif self._faults.session_invalid > 0 and session_id:
            self._faults.session_invalid -= 1
            return self._invalid_session()
        enabled = self.options.secure_domain
        reply_properties = {"authentication": str(enabled).lower(), "externalAuth": "false"}
        reply_properties["sipGatewayEnabled"] = "false"
        if self._faults.not_ready > 0:
            self._faults.not_ready -= 1
            return ConferenceReply(False, self.options.focus_user, properties=reply_properties)
        self.ensure(room_jid, dict(properties))
        identity = login.identity if login is not None else ""
        return ConferenceReply(True, self.options.focus_user, session_id if login else "", identity, reply_properties)

    def _fault_refusal(self) -> ConferenceRefusal | None:
        if self._faults.focus_unavailable:
            return ConferenceRefusal("service-unavailable", 503, "No focus is connected")
        if self._faults.graceful_shutdown:
            detail = el("graceful-shutdown", ns.FOCUS)
            return ConferenceRefusal("service-unavailable", 503, "Shutting down", detail)
        if self._faults.reservation_error is not None:
            code, text = self._faults.reservation_error
            detail = el("reservation-error", ns.FOCUS, {"error-code": code})
            return ConferenceRefusal("service-unavailable", 409, text, detail)
        return None

    def _invalid_session(self) -> ConferenceRefusal:
        return ConferenceRefusal(
            "not-acceptable", 400, "400 invalid-session", el("session-invalid", ns.FOCUS), kind="modify"
        )

    def _serves(self, host: str) -> bool:
        prefix, suffix = "muc.", f".{self.options.domain}"
        return host == self.options.muc or (host.startswith(prefix) and host.endswith(suffix))

    def ensure(self, room_jid: str, properties: dict[str, str]) -> Conference:
        """The conference of a room; the focus enters and so creates the room when it is new."""
        conference = self.conferences.get(room_jid)
        if conference is not None:
            return conference
        room = self._muc.create(room_jid)
        conference = Conference(self, room, properties)
        self.conferences[room_jid] = conference
        room.on_presence.append(conference.member_present)
        room.on_leave.append(lambda occupant, why: self._member_left(conference, occupant))
        self._send_presence(room, join=True)
        for listener in list(self.on_conference):
            listener(conference)
        self._call_later(INITIAL_TIMEOUT_S, lambda: self._leave_if_empty(conference))
        return conference

    def _member_left(self, conference: Conference, occupant: Occupant) -> None:
        conference.member_left(occupant)
        if occupant.nick != FOCUS_NICK and not conference.people():
            self._call_later(SPARE_ROOM_TIMEOUT_S, lambda: self._leave_if_empty(conference))

    def _leave_if_empty(self, conference: Conference) -> None:
        if conference.closed or conference.people():
            return
        conference.room.destroy()
        self._room_gone(conference.room)

    def _room_gone(self, room: Room) -> None:
        conference = self.conferences.pop(room.jid, None)
        self.presence_extra.pop(room.jid, None)
        if conference is not None:
            conference.closed = True
            for nick in list(conference.members):
                self.bridge.expire(conference.id, nick)

    # ------------------------------------------------------------------ stanzas

    def handle_service(self, session: Session, stanza: Element) -> None:
        """Stanzas to ``focus.<domain>``."""
        request = find(stanza, "conference", ns.FOCUS)
        if name_of(stanza) != "iq" or attr(stanza, "type") not in ("get", "set"):
            return
        if request is not None:
            self._conference_iq(session, stanza, request)
        elif find(stanza, "login-url", ns.FOCUS) is not None:
            room = resource(attr(stanza, "room")) or "room"
            url = el("login-url", ns.FOCUS, {"url": f"./{room}?login=true"})
            session.deliver(result_reply(stanza, url))
        elif (logout := find(stanza, "logout", ns.FOCUS)) is not None:
            known = self._logins.pop(attr(logout, "session-id"), None)
            if known is None:
                session.deliver(error_reply(stanza, "modify", "not-acceptable", "", el("session-invalid", ns.FOCUS)))
            else:
                session.deliver(result_reply(stanza, el("logout", ns.FOCUS)))
        else:
            session.deliver(error_reply(stanza, "cancel", "feature-not-implemented"))

    def _conference_iq(self, session: Session, stanza: Element, request: Element) -> None:
        properties = {attr(p, "name"): attr(p, "value") for p in find_all(request, "property")}
        session.machine_uid = attr(request, "machine-uid")
        answer = self.request(
            attr(request, "room"), session.jid, session.machine_uid, attr(request, "session-id"), properties
        )
        if isinstance(answer, ConferenceRefusal):
            details = () if answer.detail is None else (answer.detail,)
            session.deliver(error_reply(stanza, answer.kind, answer.condition, answer.text, *details))
            return
        attributes = {
            "room": attr(request, "room"),
            "ready": str(answer.ready).lower(),
            "focusjid": answer.focus_jid,
            "session-id": answer.session_id or None,
            "identity": answer.identity or None,
        }
        conference = el("conference", ns.FOCUS, attributes)
        conference.extend(
            el("property", ns.FOCUS, {"name": name, "value": value}) for name, value in answer.properties.items()
        )
        session.deliver(result_reply(stanza, conference))

    def _on_stanza(self, stanza: Element) -> None:
        """What the rooms send to the focus as their occupant."""
        kind = attr(stanza, "type")
        if name_of(stanza) != "iq":
            return
        if kind in ("result", "error"):
            self._replied(attr(stanza, "id"), stanza)
            return
        conference = self.conferences.get(bare(attr(stanza, "from")))
        member = conference.members.get(resource(attr(stanza, "from"))) if conference is not None else None
        if conference is None or member is None:
            reply = error_reply(stanza, "cancel", "service-unavailable")
        else:
            reply = self._answer(conference, member, stanza)
        self._router.route(self.session, reply)

    def _answer(self, conference: Conference, member: Member, stanza: Element) -> Element:
        for kind in ("audio", "video", "desktop"):
            mute = find(stanza, "mute", f"{ns.JITMEET}/{kind}")
            if mute is not None:
                return self._mute(conference, member, stanza, mute, kind)
        if find(stanza, "jingle", ns.JINGLE) is not None:
            return self._jingle(conference, member, stanza)
        if find(stanza, "query", ns.DISCO_INFO) is not None:
            query = el("query", ns.DISCO_INFO)
            query.append(el("feature", ns.DISCO_INFO, {"var": ns.DISCO_INFO}))
            return result_reply(stanza, query)
        if find(stanza, "ping", ns.PING) is not None:
            return result_reply(stanza)
        return error_reply(stanza, "cancel", "service-unavailable")

    def _mute(self, conference: Conference, actor: Member, stanza: Element, mute: Element, kind: str) -> Element:
        target = conference.members.get(resource(attr(mute, "jid")))
        value = text_of(mute).strip()
        if target is None:
            return error_reply(stanza, "modify", "bad-request" if not mute.get("jid") else "item-not-found")
        if value not in ("true", "false"):
            return error_reply(stanza, "modify", "bad-request")
        muted = value == "true"
        if target is not actor and (not muted or actor.occupant.role != "moderator"):
            return error_reply(stanza, "cancel", "not-allowed")
        conference.mute(actor.nick, target, kind, muted)
        return result_reply(stanza)

    # ------------------------------------------------------------------ Jingle

    def _jingle(self, conference: Conference, member: Member, stanza: Element) -> Element:
        jingle = parse_jingle(stanza)
        if jingle is None:
            return error_reply(stanza, "modify", "bad-request", "Invalid Jingle")
        session = member.session
        if session is None or session.sid != jingle.sid:
            member.note(jingle.action, "item-not-found")
            unknown = el("unknown-session", ns.JINGLE_ERRORS)
            return error_reply(stanza, "cancel", "item-not-found", "Unknown session", unknown)
        handlers: dict[str, Callable[[Conference, Member, Jingle], None]] = {
            "session-accept": self._accept,
            "source-add": lambda c, m, j: c.add_sources(m.nick, j.all_sources),
            "source-remove": lambda c, m, j: c.remove_sources(m.nick, j.all_sources),
            "session-terminate": self._terminated,
            "session-info": self._info,
            "transport-info": self._transport_info,
        }
        handler = handlers.get(jingle.action)
        if handler is None:
            member.note(jingle.action, "feature-not-implemented")
            return error_reply(stanza, "cancel", "feature-not-implemented")
        try:
            if jingle.action in ("session-accept", "source-add"):
                _check_raw_sources(stanza, jingle)
            handler(conference, member, jingle)
        except SourceError as error:
            member.note(jingle.action, error.condition)
            return error_reply(stanza, "modify", error.condition, str(error))
        member.note(jingle.action, "result")
        return result_reply(stanza)

    def _accept(self, conference: Conference, member: Member, jingle: Jingle) -> None:
        session = member.session
        if session is None or session.state != "pending":
            raise SourceError("session-accept in the wrong state", "unexpected-request")
        transport = jingle.transport
        if transport is None or not transport.ufrag or not transport.fingerprints:
            raise SourceError("No usable transport")
        if jingle.all_sources:
            conference.add_sources(member.nick, jingle.all_sources)
        self.spawn(conference.accept(member, jingle))

    def _terminated(self, conference: Conference, member: Member, jingle: Jingle) -> None:
        restart = jingle.bridge_session is not None and bool(jingle.bridge_session.restart)
        self._check_bridge_session(member, jingle)
        if restart and not conference.may_restart(member):
            raise SourceError("Too many restarts", "resource-constraint")
        conference.session_ended_by(member, restart)

    def _check_bridge_session(self, member: Member, jingle: Jingle) -> None:
        assert member.session is not None
        given = jingle.bridge_session
        if given is not None and given.id != member.session.offer.session_id:
            raise SourceError("Wrong bridge session", "item-not-found")

    def _info(self, conference: Conference, member: Member, jingle: Jingle) -> None:
        self._check_bridge_session(member, jingle)
        if jingle.bridge_session is None:
            return
        if jingle.bridge_session.ice_restart:
            self.spawn(self._restart_ice(conference, member))
        elif jingle.ice_state == "failed":
            if not conference.may_restart(member):
                raise SourceError("Too many restarts", "resource-constraint")
            conference.terminate(member, "success", "restarting", restart=True)

    async def _restart_ice(self, conference: Conference, member: Member) -> None:
        session = member.session
        if session is None:
            return
        session.offer = await self.bridge.restart_ice(conference.id, member.nick, None)
        payload = build_jingle(transport_info(session, conference.focus_jid, "1"))
        self.send_iq(f"{conference.room.jid}/{member.nick}", payload, lambda reply: None)

    def _transport_info(self, conference: Conference, member: Member, jingle: Jingle) -> None:
        transport = jingle.transport
        if transport is None:
            raise SourceError("No transport")
        if transport.ice_generation is not None and transport.ufrag:
            remote = describe(transport)

            async def continue_restart() -> None:
                await self.bridge.restart_ice(conference.id, member.nick, remote)

            self.spawn(continue_restart())


def _check_raw_sources(stanza: Element, jingle: Jingle) -> None:
    """Sources that the parser left out because their SSRC is impossible make the whole change invalid."""
    element = find(stanza, "jingle", ns.JINGLE)
    assert element is not None
    written = 0
    for content in find_all(element, "content", ns.JINGLE):
        description = find(content, "description", ns.RTP)
        if description is not None:
            written += sum(1 for _ in find_all(description, "source", ns.SSMA))
    parsed = sum(len(c.description.sources) for c in jingle.contents if c.description is not None)
    if parsed < written:
        raise SourceError("Invalid SSRC")
