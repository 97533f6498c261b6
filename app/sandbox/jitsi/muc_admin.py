"""What moderators do to a room, and what a room says about itself (XEP-0045 sections 6.4, 8, 9, 10)."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.dataforms import build_form, parse_form
from app.protocols.xmpp.xml import child_text, el, find, find_all
from app.sandbox.jitsi.muc import FOCUS_NICK, Occupant, Room
from app.sandbox.jitsi.sessions import Session
from app.sandbox.jitsi.stanza import attr, error_reply, result_reply

ROOM_INFO = "http://jabber.org/protocol/muc#roominfo"
_RANK = {"outcast": 0, "none": 1, "member": 2, "admin": 3, "owner": 4}


def handle_room_iq(room: Room, session: Session, stanza: Element) -> None:
    """An IQ get or set addressed to the room itself."""
    sender = room.occupant_of(session)
    info, items = find(stanza, "query", ns.DISCO_INFO), find(stanza, "query", "http://jabber.org/protocol/disco#items")
    admin, owner = find(stanza, "query", ns.MUC_ADMIN), find(stanza, "query", ns.MUC_OWNER)
    if info is not None:
        session.deliver(result_reply(stanza, _room_info(room)))
    elif items is not None:
        query = el("query", "http://jabber.org/protocol/disco#items")
        query.extend(el("item", "http://jabber.org/protocol/disco#items", {"jid": room.jid}) for _ in ())
        session.deliver(result_reply(stanza, query))
    elif find(stanza, "ping", ns.PING) is not None:
        session.deliver(result_reply(stanza))
    elif sender is None:
        session.deliver(error_reply(stanza, "cancel", "not-acceptable"))
    elif admin is not None:
        _admin(room, sender, stanza, admin)
    elif owner is not None:
        _owner(room, sender, stanza, owner)
    else:
        session.deliver(error_reply(stanza, "cancel", "service-unavailable"))


def _room_info(room: Room) -> Element:
    features = [
        ns.MUC,
        "muc_nonanonymous",
        "muc_temporary",
        "muc_public",
        "muc_passwordprotected" if room.password else "muc_unsecured",
        "muc_membersonly" if room.members_only else "muc_open",
    ]
    query = el("query", ns.DISCO_INFO, None, el("identity", ns.DISCO_INFO, {"category": "conference", "type": "text"}))
    query.extend(el("feature", ns.DISCO_INFO, {"var": name}) for name in features)
    fields = {
        "muc#roominfo_meetingId": room.meeting_id,
        "muc#roominfo_created_timestamp": str(room.created_ms),
        "muc#roominfo_occupants": str(len(room.people())),
        "muc#roominfo_subject": room.subject,
    }
    query.append(build_form("result", fields, ROOM_INFO))
    return query


def _admin(room: Room, sender: Occupant, stanza: Element, query: Element) -> None:
    if attr(stanza, "type") == "get":
        _list_affiliations(room, sender, stanza, query)
        return
    changes: list[tuple[str, Element, Occupant | None]] = []
    for item in find_all(query, "item", ns.MUC_ADMIN):
        target = room.occupants.get(attr(item, "nick")) if item.get("nick") else None
        if item.get("nick") and target is None:
            sender.session.deliver(error_reply(stanza, "cancel", "item-not-found"))
            return
        if item.get("affiliation") and target is None and ("@" not in attr(item, "jid") or "/" in attr(item, "jid")):
            sender.session.deliver(error_reply(stanza, "modify", "jid-malformed"))
            return
        if not _may_change(sender, item, target):
            sender.session.deliver(error_reply(stanza, "auth", "forbidden"))
            return
        changes.append(("affiliation" if item.get("affiliation") else "role", item, target))
    for what, item, target in changes:
        if what == "affiliation":
            room.set_affiliation(target.session.jid if target else attr(item, "jid"), attr(item, "affiliation"))
        elif target is not None and attr(item, "role") == "none":
            room.leave(target, "kicked", child_text(item, "reason") or "", sender.nick, ("307",))
    sender.session.deliver(result_reply(stanza))


def _may_change(sender: Occupant, item: Element, target: Occupant | None) -> bool:
    if sender.role != "moderator":
        return False
    if item.get("affiliation"):
        return sender.affiliation == "owner" and attr(item, "affiliation") in _RANK
    if target is None or attr(item, "role") not in ("none", "participant", "moderator"):
        return False
    return target.nick != FOCUS_NICK and _RANK[target.affiliation] <= _RANK[sender.affiliation]


def _list_affiliations(room: Room, sender: Occupant, stanza: Element, query: Element) -> None:
    item = find(query, "item", ns.MUC_ADMIN)
    wanted = "" if item is None else attr(item, "affiliation")
    if sender.role != "moderator":
        sender.session.deliver(error_reply(stanza, "auth", "forbidden"))
        return
    result = el("query", ns.MUC_ADMIN)
    for jid, affiliation in room.affiliations.items():
        if affiliation == wanted:
            result.append(el("item", ns.MUC_ADMIN, {"jid": jid, "affiliation": affiliation}))
    sender.session.deliver(result_reply(stanza, result))


def _owner(room: Room, sender: Occupant, stanza: Element, query: Element) -> None:
    if sender.affiliation != "owner":
        sender.session.deliver(error_reply(stanza, "auth", "forbidden", "Only owners can configure rooms"))
        return
    if attr(stanza, "type") == "get":
        fields = {
            "muc#roomconfig_roomname": "",
            "muc#roomconfig_whois": "anyone",
            "muc#roomconfig_membersonly": "1" if room.members_only else "0",
            "muc#roomconfig_moderatedroom": "0",
            "muc#roomconfig_passwordprotectedroom": "1" if room.password else "0",
            "muc#roomconfig_roomsecret": room.password,
            "muc#roomconfig_historylength": "20",
        }
        form = build_form("form", fields, ns.ROOM_CONFIG)
        sender.session.deliver(result_reply(stanza, el("query", ns.MUC_OWNER, None, form)))
        return
    destroy = find(query, "destroy", ns.MUC_OWNER)
    if destroy is not None:
        sender.session.deliver(result_reply(stanza))
        room.destroy(child_text(destroy, "reason") or "", attr(destroy, "jid"))
        return
    submitted = {name: values[0] if values else "" for name, values in parse_form(query).items()}
    if submitted.get("FORM_TYPE") not in (None, ns.ROOM_CONFIG):
        sender.session.deliver(error_reply(stanza, "modify", "bad-request"))
        return
    before = (room.password, room.members_only)
    room.config_fields.update(submitted)
    if "muc#roomconfig_roomsecret" in submitted:
        room.password = submitted["muc#roomconfig_roomsecret"]
    if "muc#roomconfig_membersonly" in submitted:
        room.members_only = submitted["muc#roomconfig_membersonly"] in ("1", "true")
    sender.session.deliver(result_reply(stanza))
    if before != (room.password, room.members_only):
        room.announce_config_change()
