"""Reads ``<jingle>`` elements. Malformed parts are left out; only a missing action or sid makes the whole unusable."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from app.calls.model import frozen_map
from app.media.api import Codec, Fingerprint, HeaderExtension, IceCandidate
from app.protocols.jingle.model import (
    BridgeSession,
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    Reason,
    RtpDescription,
    SourceGroup,
    SourceSet,
)
from app.protocols.jingle.sources import MAX_SOURCES, MAX_TEXT, parse_json_sources, valid_ssrc
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, find, find_all, name_of

MAX_CONTENTS = 32
MAX_CODECS = 64
MAX_CANDIDATES = 64
MAX_EXTENSIONS = 32
_FINGERPRINT = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){19,63}")


def parse_jingle(stanza: Element) -> Jingle | None:
    """The ``<jingle>`` in an IQ (or the element itself); ``None`` when there is none or it lacks action or sid."""
    element = stanza if stanza.tag == f"{{{ns.JINGLE}}}jingle" else find(stanza, "jingle", ns.JINGLE)
    if element is None or not element.get("action") or not element.get("sid"):
        return None
    contents = tuple(_content(c) for c in list(find_all(element, "content", ns.JINGLE))[:MAX_CONTENTS])
    bundle: tuple[str, ...] = ()
    group = find(element, "group", ns.GROUPING)
    if group is not None and group.get("semantics") == "BUNDLE":
        bundle = tuple(c.get("name", "") for c in group)[:MAX_CONTENTS]
    reason = None
    reason_element = find(element, "reason", ns.JINGLE)
    if reason_element is not None:
        condition = next((name_of(c) for c in reason_element if name_of(c) != "text"), "undefined")
        reason = Reason(condition, (child_text(reason_element, "text") or "")[:MAX_TEXT])
    return Jingle(
        action=element.get("action", ""),
        sid=element.get("sid", "")[:MAX_TEXT],
        initiator=element.get("initiator", ""),
        responder=element.get("responder", ""),
        contents=contents,
        bundle=bundle,
        reason=reason,
        bridge_session=_bridge_session(element),
        start_muted=_start_muted(element),
        json_sources=_json_sources(element),
        ice_state=child_text(element, "ice-state", ns.FOCUS) or "",
    )


def _bool(value: str | None) -> bool | None:
    return None if value is None else value == "true"


def _int(value: str | None, default: int = 0) -> int:
    """A decimal number of at most ten digits, with sign; *default* for everything else."""
    return int(value) if value and re.fullmatch(r"-?[0-9]{1,10}", value) else default


def _bridge_session(element: Element) -> BridgeSession | None:
    session = find(element, "bridge-session", ns.FOCUS)
    if session is None:
        return None
    restart, ice_restart = _bool(session.get("restart")), _bool(session.get("ice-restart"))
    return BridgeSession(session.get("id", ""), session.get("region", ""), restart, ice_restart)


def _start_muted(element: Element) -> tuple[bool, bool] | None:
    muted = find(element, "startmuted", ns.START_MUTED)
    return None if muted is None else (muted.get("audio") == "true", muted.get("video") == "true")


def _json_sources(element: Element) -> SourceSet:
    total = SourceSet()
    for message in list(find_all(element, "json-message", ns.JITMEET))[:MAX_CONTENTS]:
        total = total + parse_json_sources(message.text or "")
    return total


def _content(element: Element) -> Content:
    description = find(element, "description", ns.RTP)
    transport = find(element, "transport", ns.ICE_UDP)
    last_n = find(element, "initial-last-n", ns.COLIBRI2)
    return Content(
        name=element.get("name", "")[:MAX_TEXT],
        creator=element.get("creator", "initiator"),
        senders=element.get("senders", "both"),
        description=None if description is None else _description(description),
        transport=None if transport is None else _transport(transport),
        initial_last_n=None if last_n is None else _int(last_n.get("value"), -1),
    )


def _description(element: Element) -> RtpDescription:
    media = element.get("media", "")
    codecs = (_codec(p) for p in list(find_all(element, "payload-type"))[:MAX_CODECS])
    extensions = (
        HeaderExtension(_int(e.get("id")), e.get("uri", ""))
        for e in list(find_all(element, "rtp-hdrext"))[:MAX_EXTENSIONS]
    )
    return RtpDescription(
        media=media,
        codecs=tuple(c for c in codecs if c is not None),
        header_extensions=tuple(e for e in extensions if 0 < e.id < 256 and e.uri),
        sources=tuple(_xml_sources(element, media)),
        groups=tuple(_xml_groups(element)),
        rtcp_mux=find(element, "rtcp-mux") is not None,
        extmap_allow_mixed=find(element, "extmap-allow-mixed") is not None,
    )


def _codec(element: Element) -> Codec | None:
    payload_type = _int(element.get("id"), -1)
    if not 0 <= payload_type <= 127:
        return None
    parameters = {p.get("name", ""): p.get("value", "") for p in list(find_all(element, "parameter"))[:MAX_CODECS]}
    feedback = []
    for f in list(find_all(element, "rtcp-fb"))[:MAX_CODECS]:
        subtype = f.get("subtype")
        feedback.append(f.get("type", "") + (f" {subtype}" if subtype else ""))
    clock_rate, channels = _int(element.get("clockrate")), _int(element.get("channels"), 1)
    if clock_rate < 0 or not 0 < channels < 256:
        return None
    name = element.get("name", "")[:MAX_TEXT]
    return Codec(payload_type, name, clock_rate, channels, frozen_map(parameters), tuple(feedback))


def _xml_sources(element: Element, media: str) -> list[JingleSource]:
    found = []
    for s in list(find_all(element, "source", ns.SSMA))[:MAX_SOURCES]:
        ssrc = valid_ssrc(s.get("ssrc"))
        if ssrc is None:
            continue
        info = find(s, "ssrc-info", ns.JITMEET)
        owner = (info.get("owner", "") if info is not None else "").rpartition("/")[2]
        msid = next((p.get("value", "") for p in find_all(s, "parameter") if p.get("name") == "msid"), "")
        video_type = (s.get("videoType") or "camera").lower() if media == "video" else ""
        found.append(JingleSource(ssrc, s.get("name", "")[:MAX_TEXT], owner[:MAX_TEXT], msid[:MAX_TEXT], video_type))
    return found


def _xml_groups(element: Element) -> list[SourceGroup]:
    found = []
    for g in list(find_all(element, "ssrc-group", ns.SSMA))[:MAX_SOURCES]:
        members = [valid_ssrc(s.get("ssrc")) for s in g]
        ssrcs = tuple(s for s in members if s is not None)
        if ssrcs and len(ssrcs) == len(members) and len(ssrcs) <= 20:
            found.append(SourceGroup(g.get("semantics", ""), ssrcs))
    return found


def _transport(element: Element) -> IceTransport:
    fingerprints = []
    setup = ""
    for f in list(find_all(element, "fingerprint", ns.DTLS))[:8]:
        value = (f.text or "").strip().upper()
        if _FINGERPRINT.fullmatch(value):
            fingerprints.append(Fingerprint(f.get("hash", "sha-256").lower(), value))
            setup = f.get("setup") or setup
    sctp = find(element, "sctpmap", ns.SCTP)
    candidates = (_candidate(c) for c in list(find_all(element, "candidate"))[:MAX_CANDIDATES])
    return IceTransport(
        ufrag=element.get("ufrag", "")[:MAX_TEXT],
        pwd=element.get("pwd", "")[:MAX_TEXT],
        fingerprints=tuple(fingerprints),
        setup=setup,
        candidates=tuple(c for c in candidates if c is not None),
        web_sockets=tuple(w.get("url", "") for w in list(find_all(element, "web-socket", ns.COLIBRI))[:8]),
        rtcp_mux=find(element, "rtcp-mux") is not None,
        sctp_port=None if sctp is None else _int(sctp.get("number"), 5000),
        sctp_streams=0 if sctp is None else _int(sctp.get("streams")),
        ice_generation=element.get("ice-generation"),
    )


def _candidate(element: Element) -> IceCandidate | None:
    port = _int(element.get("port"), -1)
    component = _int(element.get("component"), -1)
    ip = element.get("ip", "")
    if not ip or not 0 <= port < 65536 or component not in (1, 2):
        return None
    related_port = element.get("rel-port")
    return IceCandidate(
        foundation=element.get("foundation", "1")[:32],
        component=component,
        protocol=element.get("protocol", "udp").lower(),
        priority=max(_int(element.get("priority")), 0),
        ip=ip[:64],
        port=port,
        type=element.get("type", "host"),
        related_address=element.get("rel-addr"),
        related_port=None if related_port is None else _int(related_port),
        tcp_type=element.get("tcptype"),
        generation=_int(element.get("generation")),
    )
