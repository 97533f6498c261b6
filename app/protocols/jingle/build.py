"""Builds ``<jingle>`` elements from the model, for either side of a session."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from app.media.api import Codec, IceCandidate
from app.protocols.jingle.model import (
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    RtpDescription,
    SourceGroup,
)
from app.protocols.jingle.sources import to_json_sources
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import el


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def build_jingle(jingle: Jingle) -> Element:
    """The element for an IQ of type ``set``. XML sources come from descriptions, JSON ones from ``json_sources``."""
    element = el(
        "jingle",
        ns.JINGLE,
        {
            "action": jingle.action,
            "sid": jingle.sid,
            "initiator": jingle.initiator or None,
            "responder": jingle.responder or None,
        },
    )
    if jingle.bundle:
        members = (el("content", ns.GROUPING, {"name": name}) for name in jingle.bundle)
        element.append(el("group", ns.GROUPING, {"semantics": "BUNDLE"}, *members))
    element.extend(_content(c) for c in jingle.contents)
    if jingle.reason is not None:
        text = el("text", ns.JINGLE, text=jingle.reason.text) if jingle.reason.text else None
        element.append(el("reason", ns.JINGLE, None, el(jingle.reason.condition, ns.JINGLE), text))
    if jingle.ice_state:
        element.append(el("ice-state", ns.FOCUS, text=jingle.ice_state))
    if jingle.bridge_session is not None:
        s = jingle.bridge_session
        attributes = {
            "id": s.id,
            "region": s.region or None,
            "restart": _flag(s.restart),
            "ice-restart": _flag(s.ice_restart),
        }
        element.append(el("bridge-session", ns.FOCUS, attributes))
    if jingle.start_muted is not None:
        audio, video = jingle.start_muted
        element.append(el("startmuted", ns.START_MUTED, {"audio": _flag(audio), "video": _flag(video)}))
    if jingle.json_sources:
        element.append(el("json-message", ns.JITMEET, text=to_json_sources(jingle.json_sources)))
    return element


def _content(content: Content) -> Element:
    attributes = {"creator": content.creator, "name": content.name, "senders": content.senders}
    element = el("content", ns.JINGLE, attributes)
    if content.description is not None:
        element.append(_description(content.description))
    if content.initial_last_n is not None:
        element.append(el("initial-last-n", ns.COLIBRI2, {"value": content.initial_last_n}))
    if content.transport is not None:
        element.append(_transport(content.transport))
    return element


def _description(description: RtpDescription) -> Element:
    element = el("description", ns.RTP, {"media": description.media})
    element.extend(_codec(c) for c in description.codecs)
    element.extend(el("rtp-hdrext", ns.HDREXT, {"id": e.id, "uri": e.uri}) for e in description.header_extensions)
    if description.extmap_allow_mixed:
        element.append(el("extmap-allow-mixed", ns.HDREXT))
    if description.rtcp_mux and description.media != "application":
        element.append(el("rtcp-mux", ns.RTP))
    element.extend(_source(s) for s in description.sources)
    element.extend(_group(g) for g in description.groups)
    return element


def _codec(codec: Codec) -> Element:
    element = el(
        "payload-type",
        ns.RTP,
        {
            "id": codec.payload_type,
            "name": codec.name,
            "clockrate": codec.clock_rate,
            "channels": codec.channels if codec.channels != 1 else None,
        },
    )
    element.extend(el("parameter", ns.RTP, {"name": k, "value": v}) for k, v in codec.parameters.items())
    for feedback in codec.feedback:
        type_, _, subtype = feedback.partition(" ")
        element.append(el("rtcp-fb", ns.RTCP_FB, {"type": type_, "subtype": subtype or None}))
    return element


def _source(source: JingleSource) -> Element:
    attributes = {"ssrc": source.ssrc, "name": source.name or None, "videoType": source.video_type or None}
    element = el("source", ns.SSMA, attributes)
    if source.msid:
        element.append(el("parameter", ns.SSMA, {"name": "msid", "value": source.msid}))
    if source.owner:
        element.append(el("ssrc-info", ns.JITMEET, {"owner": source.owner}))
    return element


def _group(group: SourceGroup) -> Element:
    members = (el("source", ns.SSMA, {"ssrc": s}) for s in group.ssrcs)
    return el("ssrc-group", ns.SSMA, {"semantics": group.semantics}, *members)


def _transport(transport: IceTransport) -> Element:
    attributes = {
        "ufrag": transport.ufrag or None,
        "pwd": transport.pwd or None,
        "ice-generation": transport.ice_generation,
    }
    element = el("transport", ns.ICE_UDP, attributes)
    if transport.rtcp_mux:
        element.append(el("rtcp-mux", ns.ICE_UDP))
    for f in transport.fingerprints:
        attributes = {"hash": f.algorithm, "setup": transport.setup or None}
        element.append(el("fingerprint", ns.DTLS, attributes, text=f.value))
    element.extend(_candidate(i, c) for i, c in enumerate(transport.candidates))
    element.extend(el("web-socket", ns.COLIBRI, {"url": url}) for url in transport.web_sockets)
    if transport.sctp_port is not None:
        sctp = {"number": transport.sctp_port, "protocol": "webrtc-datachannel", "streams": transport.sctp_streams}
        element.append(el("sctpmap", ns.SCTP, sctp))
    return element


def _candidate(index: int, candidate: IceCandidate) -> Element:
    return el(
        "candidate",
        ns.ICE_UDP,
        {
            "component": candidate.component,
            "foundation": candidate.foundation,
            "generation": candidate.generation,
            "id": f"c{index}",
            "ip": candidate.ip,
            "network": 0,
            "port": candidate.port,
            "priority": candidate.priority,
            "protocol": candidate.protocol,
            "type": candidate.type,
            "rel-addr": candidate.related_address,
            "rel-port": candidate.related_port,
            "tcptype": candidate.tcp_type,
        },
    )
