"""Multi-user chat rooms (XEP-0045) as Jitsi's servers run them: non-anonymous rooms that exist once the focus is in."""

from __future__ import annotations

import base64
import binascii
import copy
import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, el, find, find_all, name_of, namespace_of
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sessions import LocalSession, Router, Session
from app.sandbox.jitsi.stanza import attr, bare, domain, error_reply, node, resource, result_reply

FOCUS_NICK = "focus"
_NICK = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_]*")
"""``mod_muc_resource_validate``."""
MAX_CHAT_LOG = 1000
Refusal = tuple[str, str, str, tuple[Element, ...]]


@dataclass(slots=True)
class Occupant:
    nick: str
    session: Session
    presence: list[Element]
    """Children of the newest presence, without those of the MUC protocol itself."""
    affiliation: str = "none"
    role: str = "participant"
    joined_at: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class ChatEntry:
    """One chat message as the server relayed it."""

    sender: str
    text: str
    to: str | None
    """Nick of the receiver of a private message."""
    id: str
    json: str = ""
    """Text of a ``<json-message>``, when there was one."""


class Room:
    """One room. Listeners hear of occupants after everybody in the room was told."""

    def __init__(self, jid: str, options: SandboxOptions, faults: Faults, router: Router) -> None:
        self.jid = jid
        self._options, self._faults, self._router = options, faults, router
        self.occupants: dict[str, Occupant] = {}
        self.affiliations: dict[str, str] = {}
        """Affiliations by bare real JID; members that left keep theirs while the room exists."""
        self.password = ""
        self.members_only = False
        self.subject = ""
        self.subject_by = ""
        self.config_fields: dict[str, str] = {}
        self.meeting_id = secrets.token_hex(16)
        self.created_ms = int(time.time() * 1000)
        self.metadata: dict[str, object] = {}
        self.chat: deque[ChatEntry] = deque(maxlen=MAX_CHAT_LOG)
        self._history: deque[tuple[float, Element]] = deque(maxlen=max(options.history_length, 1))
        self.destroyed = False
        self.on_presence: list[Callable[[Occupant, bool], None]] = []
        """Called with (occupant, is new) after an available presence."""
        self.on_leave: list[Callable[[Occupant, str], None]] = []
        """Called with (occupant, why): ``left``, ``kicked``, ``banned``, ``lost`` or ``destroyed``."""
        self.on_join: list[Callable[[Occupant], None]] = []
        """Called before the newcomer's own presence goes out."""

    # ------------------------------------------------------------------ look-ups

    def occupant_of(self, session: Session) -> Occupant | None:
        return next((o for o in self.occupants.values() if o.session is session), None)

    def occupant_jid(self, occupant: Occupant) -> str:
        return f"{self.jid}/{occupant.nick}"

    def people(self) -> list[Occupant]:
        """Everybody but the focus."""
        return [o for o in self.occupants.values() if o.nick != FOCUS_NICK]

    # ------------------------------------------------------------------ presence

    def presence(self, session: Session, stanza: Element) -> None:
        """A presence of *session* addressed to this room."""
        occupant = self.occupant_of(session)
        kind = attr(stanza, "type")
        if kind == "unavailable":
            if occupant is not None:
                self.leave(occupant, "left", child_text(stanza, "status") or "")
        elif kind:
            return
        elif occupant is not None:
            nick = resource(attr(stanza, "to"))
            if nick != occupant.nick:
                session.deliver(error_reply(stanza, "cancel", "not-acceptable"))
                return
            occupant.presence = _payload(stanza)
            self._broadcast(occupant)
            for listener in list(self.on_presence):
                listener(occupant, False)
        else:
            self._join(session, stanza)

    def _refusal(
        self, session: Session, nick: str, stanza: Element
    ) -> tuple[str, str, str, tuple[Element, ...]] | None:
        """(type, condition, text, details) with which a join is refused."""
        join = find(stanza, "x", ns.MUC)
        password = "" if join is None else child_text(join, "password") or ""
        affiliation = self.affiliations.get(bare(session.jid), "none")
        if not _NICK.fullmatch(nick) or len(nick) > 64:
            return "cancel", "not-allowed", "Invalid nickname", ()
        if nick in self.occupants:
            return "cancel", "conflict", "", ()
        if affiliation == "outcast":
            return "auth", "forbidden", "", ()
        room_claim = str(session.claims.get("room", "*"))
        if room_claim != "*" and room_claim.lower() != node(self.jid):
            return "cancel", "not-allowed", "Room and token mismatched", ()
        if self._options.display_name_required and not child_text(stanza, "nick", ns.NICK):
            return "modify", "not-acceptable", "", (el("displayname-required", ns.JITMEET, {"lobby": "true"}),)
        password_right = bool(self.password) and secrets.compare_digest(password.encode(), self.password.encode())
        closed = (self.members_only or self._faults.members_only) and affiliation == "none"
        if closed and not password_right:
            lobby = f"{node(self.jid)}@lobby.{self._options.domain}"
            return "auth", "registration-required", "", (el("lobbyroom", ns.JITMEET, text=lobby),)
        if self.password and not password_right:
            return "auth", "not-authorized", "", ()
        limit = self._options.max_occupants
        if limit is not None and len(self.people()) >= limit:
            return "cancel", "service-unavailable", "", ()
        return None

    def _join(self, session: Session, stanza: Element) -> None:
        nick = resource(attr(stanza, "to"))
        if nick != FOCUS_NICK or domain(session.jid) != domain(self._options.focus_user):
            refusal: Refusal | None = ("cancel", "conflict", "", ())
            if nick != FOCUS_NICK:
                # Participants inside this process are guests of the house.
                invited = isinstance(session, LocalSession) and nick not in self.occupants
                refusal = None if invited else self._refusal(session, nick, stanza)
            if refusal is not None:
                kind, condition, text, details = refusal
                self._faults.rejected_joins.append(condition)
                del self._faults.rejected_joins[:-100]
                session.deliver(error_reply(stanza, kind, condition, text, *details))
                return
            affiliation = self.affiliations.get(bare(session.jid), "none")
        else:
            affiliation = "owner"
        created = not self.occupants
        role = "moderator" if affiliation in ("owner", "admin") else "participant"
        occupant = Occupant(nick, session, _payload(stanza), affiliation, role)
        ordered = sorted(self.occupants.values(), key=lambda o: o.nick != FOCUS_NICK)
        for other in ordered:
            self._router.send(session.jid, self._presence_of(other))
        self.occupants[nick] = occupant
        session.on_end.append(lambda: self._lost(occupant))
        for join_listener in list(self.on_join):
            join_listener(occupant)
        self._broadcast(occupant, ("100", "110", "201") if created else ("100", "110"))
        self._send_history(session)
        for listener in list(self.on_presence):
            listener(occupant, True)

    def _lost(self, occupant: Occupant) -> None:
        if self.occupants.get(occupant.nick) is occupant:
            self.leave(occupant, "lost", "")

    def _presence_of(
        self, occupant: Occupant, kind: str | None = None, codes: tuple[str, ...] = (), *item_children: Element
    ) -> Element:
        item = el(
            "item",
            ns.MUC_USER,
            {
                "affiliation": occupant.affiliation,
                "role": "none" if kind else occupant.role,
                "jid": occupant.session.jid,
            },
            *item_children,
        )
        statuses = (el("status", ns.MUC_USER, {"code": code}) for code in codes)
        payload = () if kind else tuple(copy.deepcopy(child) for child in occupant.presence)
        identity = None if kind else _identity(occupant.session)
        stanza = el("presence", ns.CLIENT, {"from": self.occupant_jid(occupant), "type": kind}, *payload, identity)
        stanza.append(el("x", ns.MUC_USER, None, item, *statuses))
        return stanza

    def _broadcast(self, occupant: Occupant, own_codes: tuple[str, ...] = ("110",)) -> None:
        for receiver in list(self.occupants.values()):
            codes = own_codes if receiver is occupant else ()
            self._router.send(receiver.session.jid, self._presence_of(occupant, None, codes))

    def leave(
        self, occupant: Occupant, why: str, reason: str = "", actor: str = "", codes: tuple[str, ...] = ()
    ) -> None:
        """Take *occupant* out and tell everybody; *codes* are extra statuses such as 307 for a kick."""
        if self.occupants.get(occupant.nick) is not occupant:
            return
        details: list[Element] = []
        if actor:
            details.append(el("actor", ns.MUC_USER, {"nick": actor}))
        if reason and codes:
            details.append(el("reason", ns.MUC_USER, text=reason))
        receivers = list(self.occupants.values())
        # Out before anybody is told: what a receiver does about it must find the room as it is now.
        del self.occupants[occupant.nick]
        for receiver in receivers:
            own = ("110", *codes) if receiver is occupant else codes
            stanza = self._presence_of(occupant, "unavailable", own, *copy.deepcopy(details))
            if reason and not codes:
                stanza.insert(0, el("status", ns.CLIENT, text=reason))
            self._router.send(receiver.session.jid, stanza)
        for listener in list(self.on_leave):
            listener(occupant, why)

    def destroy(self, reason: str = "", alternative: str = "") -> None:
        """End the room for everybody (XEP-0045 10.9)."""
        if self.destroyed:
            return
        self.destroyed = True
        gone, self.occupants = list(self.occupants.values()), {}
        for occupant in gone:
            stanza = self._presence_of(occupant, "unavailable", ("110",))
            shape = el("destroy", ns.MUC_USER, {"jid": alternative or None})
            if reason:
                shape.append(el("reason", ns.MUC_USER, text=reason))
            user = find(stanza, "x", ns.MUC_USER)
            assert user is not None
            user.append(shape)
            self._router.send(occupant.session.jid, stanza)
        for occupant in gone:
            for listener in list(self.on_leave):
                listener(occupant, "destroyed")

    # ------------------------------------------------------------------ affiliations

    def set_affiliation(self, real_jid: str, affiliation: str) -> None:
        """Grant or take an affiliation; roles follow and everybody is told."""
        self.affiliations[bare(real_jid)] = affiliation
        for occupant in list(self.occupants.values()):
            if bare(occupant.session.jid) != bare(real_jid) or occupant.nick == FOCUS_NICK:
                continue
            occupant.affiliation = affiliation
            if affiliation == "outcast":
                self.leave(occupant, "banned", codes=("301",))
                continue
            occupant.role = "moderator" if affiliation in ("owner", "admin") else "participant"
            self._broadcast(occupant)

    # ------------------------------------------------------------------ messages

    def message(self, session: Session, stanza: Element) -> None:
        """A message of *session* to the room or to one of its occupants."""
        occupant = self.occupant_of(session)
        nick = resource(attr(stanza, "to"))
        if attr(stanza, "type") == "error":
            return
        if occupant is None:
            session.deliver(error_reply(stanza, "modify", "not-acceptable"))
            return
        if not nick and find(stanza, "x", ns.MUC_USER) is not None and attr(stanza, "type") != "groupchat":
            self._invite(occupant, stanza)
            return
        if self._faults.refuse_chat and find(stanza, "body") is not None:
            session.deliver(error_reply(stanza, "cancel", "not-allowed", "Messages are limited in this room"))
            return
        if nick:
            self._private(occupant, nick, stanza)
        elif attr(stanza, "type") == "groupchat":
            self._groupchat(occupant, stanza)
        else:
            session.deliver(error_reply(stanza, "modify", "bad-request"))

    def _groupchat(self, sender: Occupant, stanza: Element) -> None:
        subject, body = find(stanza, "subject"), find(stanza, "body")
        if subject is not None and body is None:
            if sender.role != "moderator":
                sender.session.deliver(error_reply(stanza, "auth", "forbidden"))
                return
            self.subject, self.subject_by = subject.text or "", sender.nick
        else:
            self._log_chat(sender, None, stanza)
        relayed = self._relay(sender, stanza)
        for nick_element in list(find_all(relayed, "nick", ns.NICK)):
            relayed.remove(nick_element)
        if body is not None and self._options.history_length:
            self._history.append((time.time(), copy.deepcopy(relayed)))
        for receiver in list(self.occupants.values()):
            self._router.send(receiver.session.jid, copy.deepcopy(relayed))

    def _private(self, sender: Occupant, nick: str, stanza: Element) -> None:
        target = self.occupants.get(nick)
        if target is None:
            sender.session.deliver(error_reply(stanza, "cancel", "item-not-found", "Recipient not in room"))
            return
        if attr(stanza, "type") == "groupchat":
            sender.session.deliver(error_reply(stanza, "modify", "bad-request"))
            return
        self._log_chat(sender, nick, stanza)
        relayed = self._relay(sender, stanza)
        if find(relayed, "x", ns.MUC_USER) is None:
            relayed.append(el("x", ns.MUC_USER))
        self._router.send(target.session.jid, relayed)

    def _relay(self, sender: Occupant, stanza: Element) -> Element:
        relayed = copy.deepcopy(stanza)
        relayed.set("from", self.occupant_jid(sender))
        relayed.attrib.pop("to", None)
        return relayed

    def _log_chat(self, sender: Occupant, to: str | None, stanza: Element) -> None:
        text, payload = child_text(stanza, "body"), child_text(stanza, "json-message", ns.JITMEET)
        if text is not None or payload is not None:
            self.chat.append(ChatEntry(sender.nick, text or "", to, attr(stanza, "id"), payload or ""))

    def _invite(self, sender: Occupant, stanza: Element) -> None:
        user = find(stanza, "x", ns.MUC_USER)
        assert user is not None
        for invite in find_all(user, "invite", ns.MUC_USER):
            to = attr(invite, "to")
            if sender.role == "moderator":
                self.set_affiliation(to, "member")
            details = el("invite", ns.MUC_USER, {"from": self.occupant_jid(sender)}, el("reason", ns.MUC_USER))
            for target in self._router.find(bare(to)):
                shape = el("x", ns.MUC_USER, None, copy.deepcopy(details))
                self._router.send(target.jid, el("message", ns.CLIENT, {"from": self.jid}, shape))

    def _send_history(self, session: Session) -> None:
        for at, stanza in self._history:
            old = copy.deepcopy(stanza)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
            old.append(el("delay", ns.DELAY, {"from": self.jid, "stamp": stamp}))
            self._router.send(session.jid, old)
        by = f"{self.jid}/{self.subject_by}" if self.subject_by else self.jid
        subject = el("message", ns.CLIENT, {"type": "groupchat", "from": by})
        subject.append(el("subject", ns.CLIENT, text=self.subject))
        self._router.send(session.jid, subject)

    def announce_config_change(self) -> None:
        """Status 104: read the room's information again."""
        for receiver in list(self.occupants.values()):
            shape = el("x", ns.MUC_USER, None, el("status", ns.MUC_USER, {"code": "104"}))
            stanza = el("message", ns.CLIENT, {"type": "groupchat", "from": self.jid}, shape)
            self._router.send(receiver.session.jid, stanza)

    # ------------------------------------------------------------------ IQs between occupants

    def relay_iq(self, session: Session, stanza: Element) -> None:
        """An IQ to an occupant: sent on with the sender's occupant JID and an id that leads the answer back."""
        kind, nick = attr(stanza, "type"), resource(attr(stanza, "to"))
        sender, target = self.occupant_of(session), self.occupants.get(nick)
        if sender is None or target is None:
            if kind in ("get", "set"):
                condition = "not-acceptable" if sender is None else "item-not-found"
                session.deliver(error_reply(stanza, "cancel", condition))
            return
        if kind in ("get", "set"):
            token = base64.b64encode(f"{session.jid}\0{attr(stanza, 'id')}".encode()).decode()
            receiver = target.session.jid
        else:
            try:
                receiver, token = base64.b64decode(attr(stanza, "id"), validate=True).decode().split("\0", 1)
            except (binascii.Error, ValueError):
                return
            if receiver != target.session.jid:
                return
        relayed = copy.deepcopy(stanza)
        relayed.set("from", self.occupant_jid(sender))
        relayed.set("id", token)
        self._router.send(receiver, relayed)


def _payload(stanza: Element) -> list[Element]:
    """What occupants say about themselves; elements that only the server may add are dropped."""
    server_only = {ns.MUC, ns.MUC_USER}
    return [c for c in stanza if namespace_of(c) not in server_only and name_of(c) not in ("identity", "error")]


def _identity(session: Session) -> Element | None:
    """``<identity>`` from the token's context (jitsi.md 4.3)."""
    context = session.claims.get("context")
    user = context.get("user") if isinstance(context, dict) else None
    if not isinstance(user, dict):
        return None
    fields = (el(str(key), ns.CLIENT, text=str(value)) for key, value in user.items() if str(key).isidentifier())
    return el("identity", ns.CLIENT, None, el("user", ns.CLIENT, None, *fields))


class MucService:
    """All rooms of one deployment, tenants included."""

    def __init__(self, options: SandboxOptions, faults: Faults, router: Router) -> None:
        self.options, self.faults, self.router = options, faults, router
        self.rooms: dict[str, Room] = {}
        self.room_iq: Callable[[Room, Session, Element], None] = lambda room, session, stanza: None
        self.on_room_gone: list[Callable[[Room], None]] = []

    def create(self, jid: str) -> Room:
        room = Room(jid, self.options, self.faults, self.router)
        room.on_leave.append(lambda occupant, why: self._emptied(room))
        self.rooms[jid] = room
        return room

    def _emptied(self, room: Room) -> None:
        if not room.occupants and self.rooms.get(room.jid) is room:
            del self.rooms[room.jid]
            for listener in list(self.on_room_gone):
                listener(room)

    def handle(self, session: Session, stanza: Element) -> None:
        to = attr(stanza, "to")
        room = self.rooms.get(bare(to))
        name = name_of(stanza)
        if "@" not in to:
            if name == "iq" and attr(stanza, "type") in ("get", "set"):
                self._service_iq(session, stanza)
            return
        if room is None:
            self._no_room(session, stanza)
        elif name == "presence":
            joining = find(stanza, "x", ns.MUC) is not None and not isinstance(session, LocalSession)
            if joining and self.faults.room_creation_restricted > 0:
                self.faults.room_creation_restricted -= 1
                self._creation_restricted(session, stanza)
                return
            room.presence(session, stanza)
        elif name == "message":
            room.message(session, stanza)
        elif resource(to):
            room.relay_iq(session, stanza)
        elif attr(stanza, "type") in ("get", "set"):
            self.room_iq(room, session, stanza)

    def _service_iq(self, session: Session, stanza: Element) -> None:
        if find(stanza, "query", ns.DISCO_INFO) is not None:
            query = el("query", ns.DISCO_INFO, None, el("identity", ns.DISCO_INFO, {"category": "conference"}))
            query.append(el("feature", ns.DISCO_INFO, {"var": ns.MUC}))
            session.deliver(result_reply(stanza, query))
        else:
            session.deliver(error_reply(stanza, "cancel", "service-unavailable"))

    def _creation_restricted(self, session: Session, stanza: Element) -> None:
        session.deliver(error_reply(stanza, "cancel", "not-allowed", "Room creation is restricted"))

    def _no_room(self, session: Session, stanza: Element) -> None:
        if attr(stanza, "type") in ("error", "unavailable", "result"):
            return
        if name_of(stanza) == "presence":
            self._creation_restricted(session, stanza)
        else:
            session.deliver(error_reply(stanza, "cancel", "item-not-found"))
