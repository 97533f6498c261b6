"""Reads and builds the stanzas of a Jitsi conference: presence, messages, focus and component traffic. No state."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.jid import bare, resource
from app.protocols.xmpp.stanza import StanzaError, parse_error
from app.protocols.xmpp.xml import child_text, el, find, find_all, name_of, namespace_of

MAX_NAME = 128
MAX_BODY = 20_000
MAX_PROPERTY = 4_000
MAX_ITEMS = 200
MAX_SOURCES = 50
"""Sources of one member; a bridge accepts twenty."""

_SOURCE_NAME = re.compile(r"(?P<owner>[0-9A-Za-z_-]{1,64})-(?P<kind>[av])(?P<index>\d{1,3})(?P<lang>\.[\w-]{1,16})?")
_PROPERTY = "jitsi_participant_"
_NO_COMMANDS = frozenset(
    [
        "x",
        "c",
        "nick",
        "stats-id",
        "email",
        "avatar-url",
        "avatar-id",
        "features",
        "SourceInfo",
        "audiomuted",
        "videomuted",
        "videoType",
        "userId",
        "status",
        "bot",
        "stat",
        "silent",
        "identity",
        "startmuted",
        "priority",
        "show",
        "transcription-status",
        "conference-properties",
        "versions",
        "bridgeNotAvailable",
        "ignore",
        "error",
        "permissions",
        "region",
        "session_id",
        "mode",
        "occupant-id",
        "flip_device",
        "delay",
        "jibri-recording-status",
        "jibri-sip-call-state",
        "call-control",
        "lobbyroom",
        "displayname-required",
        "password",
        "billingid",
    ]
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """One entry of SourceInfo."""

    muted: bool
    video_type: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    value: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    children: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class RoomPresence:
    """A presence from ``room/nick``. Only what the sender wrote; nothing is remembered from earlier ones."""

    nick: str
    available: bool
    real_jid: str = ""
    affiliation: str = "none"
    role: str = "none"
    codes: frozenset[int] = frozenset()
    name: str = ""
    stats_id: str = ""
    email: str = ""
    avatar_url: str = ""
    status: str = ""
    features: frozenset[str] = frozenset()
    is_bot: bool = False
    identity_name: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceState] | None = None
    commands: tuple[Command, ...] = ()
    start_muted: tuple[bool, bool] | None = None
    permissions: Mapping[str, bool] | None = None
    ignore: bool = False
    actor: str | None = None
    reason: str = ""
    destroyed: bool = False
    alternative: str = ""
    focus_properties: Mapping[str, str] | None = None
    bridge_not_available: bool = False
    etherpad: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    error: StanzaError | None = None


def parse_source_name(name: str) -> tuple[str, str, int] | None:
    """(endpoint id, ``a`` or ``v``, index) of a source name, ``None`` when it is none."""
    match = _SOURCE_NAME.fullmatch(name)
    return None if match is None else (match["owner"], match["kind"], int(match["index"]))


def parse_source_info(text: str, owner: str) -> dict[str, SourceState] | None:
    """SourceInfo of *owner*; entries of others are ignored; ``None`` when it is no JSON object."""
    data = _json_object(text)
    if data is None:
        return None
    found: dict[str, SourceState] = {}
    for name, value in list(data.items())[:MAX_SOURCES]:
        parsed = parse_source_name(name)
        if parsed is None or parsed[0] != owner or not isinstance(value, dict):
            continue
        video_type = value.get("videoType")
        found[name] = SourceState(value.get("muted") is True, video_type if isinstance(video_type, str) else "")
    return found


def build_source_info(sources: Mapping[str, SourceState]) -> str:
    data: dict[str, Any] = {}
    for name, state in sources.items():
        data[name] = {"muted": state.muted}
        if state.video_type and state.video_type != "camera":
            data[name]["videoType"] = state.video_type
    return json.dumps(data, separators=(",", ":"))


def parse_presence(stanza: Element) -> RoomPresence:
    """Any presence; malformed parts are left out."""
    nick = resource(stanza.get("from"))
    muc = find(stanza, "x", ns.MUC_USER)
    item = find(muc, "item") if muc is not None else None
    actor = find(item, "actor") if item is not None else None
    destroy = find(muc, "destroy") if muc is not None else None
    reason_holder = destroy if destroy is not None else item
    codes = frozenset(int(c) for c in _codes(muc) if c.isascii() and c.isdigit() and len(c) == 3)
    features_element = find(stanza, "features")
    source_info = child_text(stanza, "SourceInfo")
    sources = parse_source_info(source_info, nick) if source_info is not None else _old_sources(stanza, nick)
    status = child_text(stanza, "status") or ""
    available = stanza.get("type") is None
    user = _identity_user(stanza)
    return RoomPresence(
        nick=nick,
        available=available,
        real_jid=item.get("jid", "") if item is not None else "",
        affiliation=item.get("affiliation", "none") if item is not None else "none",
        role=item.get("role", "none") if item is not None else "none",
        codes=codes,
        name=(child_text(stanza, "nick", ns.NICK) or "")[:MAX_NAME],
        stats_id=(child_text(stanza, "stats-id") or "")[:MAX_NAME],
        email=(child_text(stanza, "email") or "")[:MAX_NAME],
        avatar_url=(child_text(stanza, "avatar-url") or (child_text(user, "avatar") if user is not None else "") or "")[
            :MAX_PROPERTY
        ],
        status=status[:MAX_PROPERTY],
        features=frozenset(f.get("var", "")[:256] for f in list(features_element or ())[:MAX_ITEMS]),
        is_bot=find(stanza, "bot") is not None,
        identity_name=((child_text(user, "name") if user is not None else "") or "")[:MAX_NAME],
        properties=_properties(stanza),
        sources=sources,
        commands=_commands(stanza) if available else (),
        start_muted=_start_muted(stanza),
        permissions=_permissions(stanza),
        ignore=find(stanza, "ignore") is not None,
        actor=(actor.get("nick") or resource(actor.get("jid")) or None) if actor is not None else None,
        reason=((child_text(reason_holder, "reason") if reason_holder is not None else "") or "")[:500]
        or (status[:500] if not available else ""),
        destroyed=destroy is not None,
        alternative=destroy.get("jid", "") if destroy is not None else "",
        focus_properties=_focus_properties(stanza),
        bridge_not_available=find(stanza, "bridgeNotAvailable") is not None,
        etherpad=(child_text(stanza, "etherpad") or "")[:MAX_NAME],
        versions=_versions(stanza),
        error=parse_error(stanza),
    )


def _codes(muc: Element | None) -> list[str]:
    return [s.get("code", "") for s in find_all(muc, "status")] if muc is not None else []


def _identity_user(stanza: Element) -> Element | None:
    identity = find(stanza, "identity")
    return find(identity, "user") if identity is not None else None


def _old_sources(stanza: Element, nick: str) -> dict[str, SourceState] | None:
    audio, video = child_text(stanza, "audiomuted"), child_text(stanza, "videomuted")
    if audio is None and video is None:
        return None
    video_type = child_text(stanza, "videoType") or ""
    return {
        f"{nick}-a0": SourceState(audio != "false"),
        f"{nick}-v0": SourceState(video != "false", video_type if video_type == "desktop" else ""),
    }


def _properties(stanza: Element) -> dict[str, str]:
    found = {}
    for child in list(stanza)[:MAX_ITEMS]:
        name = name_of(child)
        if name.startswith(_PROPERTY):
            found[name[len(_PROPERTY) :][:MAX_NAME]] = (child.text or "").strip()[:MAX_PROPERTY]
    return found


def _commands(stanza: Element) -> tuple[Command, ...]:
    return tuple(
        command_of(c)
        for c in list(stanza)[:MAX_ITEMS]
        if name_of(c) not in _NO_COMMANDS and not name_of(c).startswith(_PROPERTY)
    )


def command_of(element: Element) -> Command:
    attributes = {k: v[:MAX_PROPERTY] for k, v in list(element.items())[:MAX_ITEMS] if not k.startswith("{")}
    children = tuple(_child_dict(c, 3) for c in list(element)[:MAX_ITEMS])
    return Command(name_of(element), (element.text or "").strip()[:MAX_PROPERTY], attributes, children)


def _child_dict(element: Element, depth: int) -> dict[str, Any]:
    return {
        "tagName": name_of(element),
        "attributes": dict(element.items()),
        "value": (element.text or "").strip()[:MAX_PROPERTY],
        "children": [_child_dict(c, depth - 1) for c in list(element)[:MAX_ITEMS]] if depth else [],
    }


_XML_NAME = re.compile(r"[A-Za-z_][\w.-]{0,127}")


def build_command(
    name: str, value: str, attributes: Mapping[str, str], children: tuple[Mapping[str, Any], ...]
) -> Element:
    """The presence child of a command. Raises ``ValueError`` when a name cannot be an XML name."""
    if not _XML_NAME.fullmatch(name) or not all(_XML_NAME.fullmatch(k) for k in attributes):
        raise ValueError("not an XML name")
    element = el(name, ns.CLIENT, dict(attributes), text=value or None)
    for child in children:
        element.append(
            build_command(
                str(child.get("tagName", "")),
                str(child.get("value", "")),
                {str(k): str(v) for k, v in dict(child.get("attributes") or {}).items()},
                tuple(child.get("children") or ()),
            )
        )
    return element


def _start_muted(stanza: Element) -> tuple[bool, bool] | None:
    muted = find(stanza, "startmuted", ns.START_MUTED)
    return None if muted is None else (muted.get("audio") == "true", muted.get("video") == "true")


def _permissions(stanza: Element) -> dict[str, bool] | None:
    permissions = find(stanza, "permissions")
    if permissions is None:
        return None
    return {p.get("name", ""): p.get("val") == "true" for p in list(find_all(permissions, "p"))[:MAX_ITEMS]}


def _focus_properties(stanza: Element) -> dict[str, str] | None:
    properties = find(stanza, "conference-properties", ns.FOCUS)
    if properties is None:
        return None
    return {p.get("key", ""): p.get("value", "")[:256] for p in list(find_all(properties, "property"))[:MAX_ITEMS]}


def _versions(stanza: Element) -> dict[str, str]:
    versions = find(stanza, "versions")
    if versions is None:
        return {}
    return {c.get("name", "")[:64]: (c.text or "").strip()[:128] for c in list(find_all(versions, "component"))[:20]}


# ---------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class RoomMessage:
    """A message from the room, an occupant or a component."""

    sender: str
    """Full ``from``."""
    type: str
    id: str = ""
    body: str | None = None
    subject: str | None = None
    sent_at: int | None = None
    """From a delay element (history), ms since the epoch."""
    reply_to: str | None = None
    reaction_to: str | None = None
    reactions: tuple[str, ...] = ()
    retracts: str | None = None
    replaces: str | None = None
    json: Mapping[str, Any] | None = None
    display_name: str = ""
    codes: frozenset[int] = frozenset()
    invites: bool = False
    invite_password: str = ""
    error: StanzaError | None = None


def parse_message(stanza: Element) -> RoomMessage:
    """Any message; malformed parts are left out."""
    reply = find(stanza, "reply")
    reactions = find(stanza, "reactions", ns.REACTIONS)
    retract = find(stanza, "retract", ns.RETRACT)
    apply_to = find(stanza, "apply-to")
    moderated = None
    if apply_to is not None and find(apply_to, "moderated") is not None:
        moderated = apply_to.get("id")
    replace = find(stanza, "replace", ns.CORRECT)
    muc = find(stanza, "x", ns.MUC_USER)
    body = child_text(stanza, "body")
    json_text = child_text(stanza, "json-message", ns.JITMEET)
    name = find(stanza, "display-name")
    invite = find(muc, "invite") if muc is not None else None
    return RoomMessage(
        sender=stanza.get("from", ""),
        type=stanza.get("type", "normal"),
        id=stanza.get("id", "")[:256],
        body=body[:MAX_BODY] if body is not None else None,
        subject=child_text(stanza, "subject"),
        sent_at=_delay(stanza),
        reply_to=(reply.get("to") or reply.get("id")) if reply is not None else None,
        reaction_to=reactions.get("id") if reactions is not None else None,
        reactions=tuple((r.text or "").strip()[:32] for r in list(reactions)[:20]) if reactions is not None else (),
        retracts=(retract.get("id") if retract is not None else None) or moderated,
        replaces=replace.get("id") if replace is not None else None,
        json=parse_json_message(json_text) if json_text is not None else None,
        display_name=((name.text or "") if name is not None else "")[:MAX_NAME],
        codes=frozenset(int(c) for c in _codes(muc) if c.isascii() and c.isdigit() and len(c) == 3),
        invites=invite is not None,
        invite_password=(child_text(muc, "password") or "") if muc is not None else "",
        error=parse_error(stanza),
    )


def parse_json_message(text: str) -> dict[str, Any] | None:
    """The object of a ``<json-message>`` (HTML-escaped or not), ``None`` when it is none."""
    return _json_object(text) or _json_object(html.unescape(text))


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text.strip())
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _delay(stanza: Element) -> int | None:
    delay = find(stanza, "delay", ns.DELAY)
    if delay is not None:
        return parse_stamp(delay.get("stamp", ""))
    old = find(stanza, "x", ns.DELAY_OLD)
    return parse_stamp(old.get("stamp", "")) if old is not None else None


def parse_stamp(text: str) -> int | None:
    """XEP-0082 or XEP-0091 time as ms since the epoch, ``None`` when it is neither."""
    if re.fullmatch(r"\d{8}T\d\d:\d\d:\d\d", text):
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}Z"
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return int(when.timestamp() * 1000) if when.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def json_message(data: Mapping[str, Any]) -> Element:
    return el("json-message", ns.JITMEET, text=json.dumps(data, separators=(",", ":"), ensure_ascii=False))


# ---------------------------------------------------------------- focus


@dataclass(frozen=True, slots=True)
class ConferenceReply:
    """Answer to the conference request (jitsi.md 3.1)."""

    ready: bool
    focus_jid: str = ""
    session_id: str = ""
    identity: str = ""
    vnode: str = ""
    authentication: bool = False
    live: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)


def build_conference_request(
    room: str, machine_uid: str, properties: Mapping[str, str], session_id: str = "", token: str | None = None
) -> Element:
    attributes = {"room": room, "machine-uid": machine_uid, "session-id": session_id or None, "token": token}
    children = (el("property", ns.FOCUS, {"name": k, "value": v}) for k, v in properties.items())
    return el("conference", ns.FOCUS, attributes, *children)


def parse_conference_reply(stanza: Element) -> ConferenceReply | None:
    conference = find(stanza, "conference", ns.FOCUS)
    if conference is None:
        return None
    properties = {
        p.get("name", ""): p.get("value", "")[:256] for p in list(find_all(conference, "property"))[:MAX_ITEMS]
    }
    return _reply(dict(conference.items()), properties)


def parse_conference_json(data: Any) -> ConferenceReply | None:
    """The same answer from the HTTP variant."""
    if not isinstance(data, dict):
        return None
    names = {
        "focusJid": "focusjid",
        "sessionId": "session-id",
        "ready": "ready",
        "identity": "identity",
        "vnode": "vnode",
    }
    attributes = {names[k]: _plain(v) for k, v in data.items() if k in names}
    raw = data.get("properties")
    properties = {str(k): _plain(v) for k, v in raw.items()} if isinstance(raw, dict) else {}
    return _reply(attributes, properties)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value if value is not None else "")[:1000]


def _reply(attributes: Mapping[str, str], properties: Mapping[str, str]) -> ConferenceReply:
    return ConferenceReply(
        ready=attributes.get("ready") == "true",
        focus_jid=bare(attributes.get("focusjid")),
        session_id=attributes.get("session-id", ""),
        identity=attributes.get("identity", ""),
        vnode=attributes.get("vnode", ""),
        authentication=properties.get("authentication") == "true",
        live=properties.get("live") != "false",
        properties=properties,
    )


def reservation_code(stanza: Element) -> str:
    for parent in (stanza, find(stanza, "error")):
        found = find(parent, "reservation-error", ns.FOCUS) if parent is not None else None
        if found is not None:
            return found.get("error-code", "")
    return ""


@dataclass(frozen=True, slots=True)
class MuteCommand:
    kind: str
    """``audio``, ``video`` or ``desktop``."""
    muted: bool
    actor: str


_MUTE_KINDS = {ns.JITMEET_AUDIO: "audio", ns.JITMEET_VIDEO: "video", ns.JITMEET_DESKTOP: "desktop"}
_MUTE_NAMESPACES = {v: k for k, v in _MUTE_KINDS.items()}


def parse_mute(stanza: Element) -> MuteCommand | None:
    for mute in find_all(stanza, "mute"):
        kind = _MUTE_KINDS.get(namespace_of(mute))
        if kind is not None:
            return MuteCommand(kind, (mute.text or "").strip() == "true", resource(mute.get("actor")))
    return None


def build_mute(kind: str, jid: str, muted: bool) -> Element:
    return el("mute", _MUTE_NAMESPACES[kind], {"jid": jid}, text=str(muted).lower())
