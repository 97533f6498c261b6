"""What the XMPP domain itself and its small components answer: disco, ping, TURN list, speaker statistics, room
metadata, ending the meeting (jitsi.md 2.3, 2.7, 2.8, 4.9, 8.2, 8.5)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.disco import Identity, info_result
from app.protocols.xmpp.xml import el, find, name_of
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.muc import FOCUS_NICK, MucService, Occupant, Room
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sessions import Router, Session
from app.sandbox.jitsi.stanza import attr, bare, error_reply, result_reply, text_of

MAX_METADATA_CHARS = 16 * 1024


def json_push(sender: str, to: str, data: object) -> Element:
    """A component's push (jitsi.md 2.8)."""
    payload = el("json-message", ns.JITMEET, text=json.dumps(data))
    return el("message", ns.CLIENT, {"from": sender, "to": to}, payload)


@dataclass(slots=True)
class _Talk:
    speaker: str = ""
    since: float = 0.0
    total_ms: dict[str, float] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


class Services:
    """Handlers of the domain and of the components of one deployment."""

    def __init__(self, options: SandboxOptions, faults: Faults, router: Router, muc: MucService) -> None:
        self._options, self._faults, self._router, self._muc = options, faults, router, muc
        self._talk: dict[str, _Talk] = {}
        domain = options.domain
        self.speaker_stats_jid = f"speakerstats.{domain}"
        self.metadata_jid = f"metadata.{domain}"
        self.end_conference_jid = f"endconference.{domain}"
        for name in (domain, options.guest_domain, f"auth.{domain}"):
            router.serve(name, self.handle_domain)
        router.serve(self.speaker_stats_jid, self.handle_speaker_stats)
        router.serve(self.metadata_jid, self.handle_metadata)
        router.serve(self.end_conference_jid, self.handle_end)
        muc.on_room_gone.append(lambda room: self._forget(room))

    def identities(self) -> tuple[Identity, ...]:
        found = [Identity("server", "im", "Sandbox"), Identity("component", "end_conference", self.end_conference_jid)]
        if self._options.speaker_stats:
            found.append(Identity("component", "speakerstats", self.speaker_stats_jid))
        if self._options.room_metadata:
            found.append(Identity("component", "room_metadata", self.metadata_jid))
        return tuple(found)

    # ------------------------------------------------------------------ the domain

    def handle_domain(self, session: Session, stanza: Element) -> None:
        if name_of(stanza) != "iq" or attr(stanza, "type") not in ("get", "set"):
            return
        info = find(stanza, "query", ns.DISCO_INFO)
        if find(stanza, "ping", ns.PING) is not None:
            if not self._faults.silent_pings:
                session.deliver(result_reply(stanza))
        elif info is not None:
            features = (ns.DISCO_INFO, ns.PING, ns.EXTDISCO2, ns.EXTDISCO1)
            session.deliver(result_reply(stanza, info_result(features, self.identities(), info.get("node"))))
        elif (services := _services_request(stanza)) is not None:
            session.deliver(result_reply(stanza, self._services(services)))
        else:
            session.deliver(error_reply(stanza, "cancel", "service-unavailable"))

    def _services(self, request: Element) -> Element:
        namespace = request.tag[1:].partition("}")[0]
        answer = el("services", namespace)
        answer.extend(el("service", namespace, dict(server)) for server in self._options.ice_servers)
        return answer

    def _room_of(self, session: Session, given: str = "") -> tuple[Room | None, Occupant | None]:
        """The room that *session* is in; components insist on the ``?room=`` of its connection."""
        for room in self._muc.rooms.values():
            occupant = room.occupant_of(session)
            if occupant is not None and (not given or bare(given).lower() == room.jid):
                return (room, occupant) if session.query_room == bare(room.jid).partition("@")[0] else (None, None)
        return None, None

    # ------------------------------------------------------------------ speaker statistics

    def handle_speaker_stats(self, session: Session, stanza: Element) -> None:
        shape = find(stanza, "speakerstats", ns.JITMEET)
        if shape is None:
            return
        room, occupant = self._room_of(session, attr(shape, "room"))
        if room is None or occupant is None:
            return
        talk = self._talk.setdefault(room.jid, _Talk())
        now = time.time()
        self._settle(talk, now)
        talk.speaker = "" if attr(shape, "silence") == "true" else occupant.nick
        talk.since = now
        talk.names[occupant.nick] = next(
            (text_of(child) for child in occupant.presence if child.tag == f"{{{ns.NICK}}}nick"), ""
        )

    def _settle(self, talk: _Talk, now: float) -> None:
        if talk.speaker:
            talk.total_ms[talk.speaker] = talk.total_ms.get(talk.speaker, 0.0) + (now - talk.since) * 1000
            talk.since = now

    def speaking_ms(self, room_jid: str) -> dict[str, float]:
        """Milliseconds as dominant speaker by endpoint, as clients reported them."""
        talk = self._talk.get(room_jid, _Talk())
        self._settle(talk, time.time())
        return dict(talk.total_ms)

    # ------------------------------------------------------------------ room metadata

    def welcome(self, room: Room, occupant: Occupant) -> None:
        """Pushes that a newcomer gets before its own presence."""
        if occupant.nick == FOCUS_NICK or occupant.session.query_room != room.jid.partition("@")[0]:
            return
        to = occupant.session.jid
        if self._options.room_metadata:
            data = {"type": "room_metadata", "metadata": room.metadata}
            self._router.send(to, json_push(self.metadata_jid, to, data))
        talk = self._talk.get(room.jid)
        if self._options.speaker_stats and talk is not None:
            self._settle(talk, time.time())
            users = {
                nick: {"displayName": talk.names.get(nick, ""), "totalDominantSpeakerTime": round(total)}
                for nick, total in talk.total_ms.items()
            }
            self._router.send(to, json_push(self.speaker_stats_jid, to, {"type": "speakerstats", "users": users}))

    def handle_metadata(self, session: Session, stanza: Element) -> None:
        shape = find(stanza, "room_metadata", ns.JITMEET)
        if shape is None or not self._options.room_metadata:
            return
        room, occupant = self._room_of(session, attr(shape, "room"))
        if room is None or occupant is None or occupant.role != "moderator":
            session.deliver(error_reply(stanza, "auth", "forbidden"))
            return
        try:
            change = json.loads(text_of(shape)[:MAX_METADATA_CHARS])
        except ValueError:
            session.deliver(error_reply(stanza, "modify", "bad-request"))
            return
        if not isinstance(change, dict) or not isinstance(change.get("key"), str):
            session.deliver(error_reply(stanza, "modify", "bad-request"))
            return
        room.metadata[change["key"]] = change.get("data")
        for receiver in room.people():
            data = {"type": "room_metadata", "metadata": room.metadata}
            self._router.send(receiver.session.jid, json_push(self.metadata_jid, receiver.session.jid, data))

    # ------------------------------------------------------------------ end for all

    def handle_end(self, session: Session, stanza: Element) -> None:
        if find(stanza, "end_conference") is None:
            return
        room, occupant = self._room_of(session)
        if room is None or occupant is None or occupant.role != "moderator":
            session.deliver(error_reply(stanza, "auth", "forbidden"))
            return
        room.destroy("The meeting has been terminated")

    def _forget(self, room: Room) -> None:
        self._talk.pop(room.jid, None)


def _services_request(stanza: Element) -> Element | None:
    request = find(stanza, "services", ns.EXTDISCO2)
    return find(stanza, "services", ns.EXTDISCO1) if request is None else request
