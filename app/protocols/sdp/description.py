"""Session descriptions as values: parse and build (RFC 8866, with RFC 8839, 8122, 5576, 8830, 8843, 4574, 4796).

Tolerant of what real peers send; what is not understood is kept and written back. Only :class:`SdpError` leaves this
module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.calls.model import frozen_map
from app.media.api import Codec, Fingerprint, HeaderExtension, IceCandidate, TransportDescription

MAX_SDP = 256 * 1024
MAX_LINE = 4096
MAX_SECTIONS = 256
"""Wazo's build of Asterisk goes up to 128."""
MAX_ATTRIBUTES = 600
"""Per section."""
MAX_CODECS = 100
MAX_CANDIDATES = 60

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
STATIC_TYPES = {0: ("PCMU", 8000), 3: ("GSM", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000), 13: ("CN", 8000)}
"""Payload types that need no rtpmap (RFC 3551 section 6)."""
RTP_PROTOCOLS = ("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP",
                 "TCP/DTLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVP")  # fmt: skip

_MEDIA = re.compile(r"([A-Za-z0-9\-]{1,32}) (\d{1,5})(?:/\d{1,5})? ([A-Za-z0-9/\-_.]{1,64})(?: (.*))?")


class SdpError(ValueError):
    """The description cannot be used."""


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    semantics: str
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One ``m=`` section. Session-level transport attributes are already filled in."""

    kind: str
    port: int
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: tuple[str, ...] = ()
    mid: str = ""
    direction: str = "sendrecv"
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[HeaderExtension, ...] = ()
    ufrag: str = ""
    pwd: str = field(default="", repr=False)
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: str = ""
    candidates: tuple[IceCandidate, ...] = ()
    end_of_candidates: bool = False
    ice_options: str = ""
    rtcp_mux: bool = False
    rtcp_rsize: bool = False
    bundle_only: bool = False
    msid: tuple[str, ...] = ()
    """``<stream> <track>``, one per ``a=msid``."""
    ssrcs: tuple[int, ...] = ()
    cname: str = ""
    groups: tuple[SsrcGroup, ...] = ()
    label: str = ""
    content: str = ""
    address: str = ""
    bandwidth: tuple[tuple[str, int], ...] = ()
    sctp_port: int | None = None
    extra: tuple[str, ...] = ()
    """Attributes that are not understood, without ``a=``."""

    @property
    def rejected(self) -> bool:
        """RFC 3264 section 6: port 0, unless it only says that the line lives on the bundle (RFC 8843)."""
        return self.port == 0 and not self.bundle_only

    @property
    def is_rtp(self) -> bool:
        return self.protocol.upper() in RTP_PROTOCOLS

    @property
    def sends(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return not self.rejected and self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class Description:
    session_id: str = "0"
    version: int = 0
    username: str = "-"
    address: str = "127.0.0.1"
    name: str = "-"
    bundle: tuple[str, ...] = ()
    ice_lite: bool = False
    bandwidth: tuple[tuple[str, int], ...] = ()
    sections: tuple[Section, ...] = ()
    extra: tuple[str, ...] = ()

    def section(self, mid: str) -> Section | None:
        return next((s for s in self.sections if s.mid == mid), None)

    @property
    def transport(self) -> TransportDescription | None:
        """ICE and DTLS of the bundle: of its first live section. ``None`` without ICE or fingerprint."""
        for section in self.sections:
            if section.rejected or not section.ufrag or not section.fingerprints:
                continue
            sctp = next((s.sctp_port for s in self.sections if s.sctp_port is not None and not s.rejected), None)
            return TransportDescription(
                ufrag=section.ufrag,
                pwd=section.pwd,
                fingerprints=section.fingerprints,
                setup=section.setup or "actpass",
                candidates=section.candidates,
                end_of_candidates=True,
                ice_lite=self.ice_lite,
                sctp_port=sctp,
            )
        return None

    def __str__(self) -> str:
        return build(self)


# ---------------------------------------------------------------- parsing


def parse(text: str) -> Description:
    """Raises :class:`SdpError`."""
    if len(text) > MAX_SDP:
        raise SdpError("the description is too large")
    head: list[tuple[str, str]] = []
    parts: list[list[tuple[str, str]]] = []
    lines = head
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = raw.strip(" \t\0")
        if not line:
            continue
        if len(line) > MAX_LINE or len(line) < 2 or line[1] != "=":
            raise SdpError("malformed line")
        if line[0] == "m":
            if len(parts) >= MAX_SECTIONS:
                raise SdpError("too many media sections")
            lines = []
            parts.append(lines)
        if len(lines) >= MAX_ATTRIBUTES:
            raise SdpError("too many lines")
        lines.append((line[0], line[2:]))
    if not head or head[0] != ("v", "0"):
        raise SdpError("not a version 0 description")
    session = _Attributes(head)
    username, session_id, version, address = _origin(session.first("o"))
    connection = _connection(session.first("c"))
    shared = _shared(session)
    sections = tuple(_section(lines, shared, connection) for lines in parts)
    return Description(
        session_id=session_id,
        version=version,
        username=username,
        address=address,
        name=session.first("s") or "-",
        bundle=_bundle(session),
        ice_lite=session.flag("ice-lite"),
        bandwidth=_bandwidth(session),
        sections=sections,
        extra=session.rest(),
    )


class _Attributes:
    """Lines of one level; remembers which attributes were asked for, so that the others can be kept."""

    def __init__(self, lines: list[tuple[str, str]]) -> None:
        self.lines = lines
        self.attributes: list[tuple[str, str]] = []
        for kind, value in lines:
            if kind == "a":
                name, _, rest = value.partition(":")
                self.attributes.append((name.strip(), rest.strip()))
        self._known: set[str] = set()

    def first(self, kind: str) -> str:
        return next((value for name, value in self.lines if name == kind), "")

    def all(self, name: str) -> list[str]:
        self._known.add(name)
        return [value for key, value in self.attributes if key == name]

    def one(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    def flag(self, name: str) -> bool:
        return bool(self.all(name))

    def rest(self) -> tuple[str, ...]:
        return tuple(f"{n}:{v}" if v else n for n, v in self.attributes if n not in self._known)


def _origin(value: str) -> tuple[str, str, int, str]:
    words = value.split()
    if len(words) != 6 or not words[1].isascii() or not words[1].isdigit() or not words[2].isascii():
        raise SdpError("malformed origin")
    if not words[2].isdigit() or len(words[1]) > 30 or len(words[2]) > 30:
        raise SdpError("malformed origin")
    return words[0], words[1], int(words[2]), words[5]


def _connection(value: str) -> str:
    words = value.split()
    return words[2].partition("/")[0] if len(words) >= 3 else ""


def _bundle(session: _Attributes) -> tuple[str, ...]:
    for value in session.all("group"):
        words = value.split()
        if words and words[0].upper() == "BUNDLE":
            return tuple(words[1:])
    return ()


def _bandwidth(lines: _Attributes) -> tuple[tuple[str, int], ...]:
    found = []
    for kind, value in lines.lines:
        name, _, number = value.partition(":")
        if kind == "b" and number.isascii() and number.isdigit() and len(number) <= 12:
            found.append((name, int(number)))
    return tuple(found[:10])


@dataclass(slots=True)
class _Shared:
    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...]
    setup: str
    direction: str
    ice_options: str
    extensions: tuple[HeaderExtension, ...]


def _shared(session: _Attributes) -> _Shared:
    return _Shared(
        session.one("ice-ufrag"), session.one("ice-pwd"), _fingerprints(session), session.one("setup"),
        _direction(session), session.one("ice-options"), _extensions(session),
    )  # fmt: skip


def _direction(lines: _Attributes) -> str:
    found = ""
    for name in DIRECTIONS:
        if lines.flag(name) and not found:
            found = name
    return found


def _fingerprints(lines: _Attributes) -> tuple[Fingerprint, ...]:
    found = []
    for value in lines.all("fingerprint")[:10]:
        algorithm, _, digest = value.partition(" ")
        digest = digest.strip().upper()
        if re.fullmatch(r"[0-9A-F]{2}(?::[0-9A-F]{2}){15,63}", digest):
            found.append(Fingerprint(algorithm.lower(), digest))
    return tuple(found)


def _extensions(lines: _Attributes) -> tuple[HeaderExtension, ...]:
    found: dict[int, HeaderExtension] = {}
    for value in lines.all("extmap")[:100]:
        words = value.split()
        number = words[0].partition("/")[0] if words else ""
        if len(words) >= 2 and number.isascii() and number.isdigit() and len(number) <= 5:
            found.setdefault(int(number), HeaderExtension(int(number), words[1]))
    return tuple(found.values())


def _section(lines: list[tuple[str, str]], shared: _Shared, connection: str) -> Section:
    match = _MEDIA.fullmatch(lines[0][1])
    if match is None or int(match.group(2)) > 65535:
        raise SdpError("malformed media line")
    at = _Attributes(lines)
    formats = tuple((match.group(4) or "").split()[:MAX_CODECS])
    protocol = match.group(3)
    is_rtp = protocol.upper() in RTP_PROTOCOLS
    ssrcs, cname, source_msids = _ssrcs(at)
    return Section(
        kind=match.group(1).lower(),
        port=int(match.group(2)),
        protocol=protocol,
        formats=formats,
        mid=at.one("mid"),
        direction=_direction(at) or shared.direction or "sendrecv",
        codecs=_codecs(at, formats) if is_rtp else (),
        extensions=_extensions(at) or shared.extensions,
        ufrag=at.one("ice-ufrag") or shared.ufrag,
        pwd=at.one("ice-pwd") or shared.pwd,
        fingerprints=_fingerprints(at) or shared.fingerprints,
        setup=at.one("setup") or shared.setup,
        candidates=_candidates(at),
        end_of_candidates=at.flag("end-of-candidates"),
        ice_options=at.one("ice-options") or shared.ice_options,
        rtcp_mux=at.flag("rtcp-mux"),
        rtcp_rsize=at.flag("rtcp-rsize"),
        bundle_only=at.flag("bundle-only"),
        msid=tuple(at.all("msid")[:10]) or source_msids,
        ssrcs=ssrcs,
        cname=cname,
        groups=_groups(at),
        label=at.one("label"),
        content=at.one("content"),
        address=_connection(at.first("c")) or connection,
        bandwidth=_bandwidth(at),
        sctp_port=_sctp_port(at, protocol, formats),
        extra=at.rest(),
    )


def _sctp_port(at: _Attributes, protocol: str, formats: tuple[str, ...]) -> int | None:
    if "SCTP" not in protocol.upper():
        return None
    words = [at.one("sctp-port"), at.one("sctpmap").partition(" ")[0], *formats[:1]]
    return next((int(w) for w in words if w.isascii() and w.isdigit() and len(w) <= 5), 5000)


def _number(text: str, low: int, high: int) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    return None


def _codecs(at: _Attributes, formats: tuple[str, ...]) -> tuple[Codec, ...]:
    names: dict[int, tuple[str, int, int]] = {}
    for value in at.all("rtpmap")[:MAX_CODECS]:
        number, _, rest = value.partition(" ")
        payload_type, words = _number(number, 0, 127), rest.strip().split("/")
        rate = _number(words[1], 1, 2**31) if len(words) > 1 else None
        if payload_type is not None and rate is not None and words[0]:
            channels = _number(words[2], 1, 255) if len(words) > 2 else None
            names[payload_type] = (words[0], rate, channels or 1)
    parameters: dict[int, dict[str, str]] = {}
    for value in at.all("fmtp")[:MAX_CODECS]:
        number, _, rest = value.partition(" ")
        payload_type = _number(number, 0, 127)
        if payload_type is not None:
            parameters.setdefault(payload_type, {}).update(_format_parameters(rest))
    feedback = at.all("rtcp-fb")
    codecs = []
    for text in formats:
        payload_type = _number(text, 0, 127)
        if payload_type is None:
            continue
        named = names.get(payload_type)
        if named is None:
            if payload_type not in STATIC_TYPES:
                continue
            named = (*STATIC_TYPES[payload_type], 1)
        codecs.append(
            Codec(
                payload_type, named[0], named[1], named[2], frozen_map(parameters.get(payload_type)),
                _feedback(feedback, text, named[0]),
            )
        )  # fmt: skip
    return tuple(codecs)


def _feedback(values: list[str], payload_type: str, name: str) -> tuple[str, ...]:
    found: list[str] = []
    for value in values[:MAX_ATTRIBUTES]:
        target, _, kind = value.partition(" ")
        # RFC 4585 section 4.2: * is every payload type of the section; repair formats have no feedback of their own.
        everyone = target == "*" and name.lower() not in ("rtx", "red", "ulpfec", "telephone-event", "cn")
        kind = " ".join(kind.split())
        if kind and (target == payload_type or everyone) and kind not in found:
            found.append(kind)
    return tuple(found)


def _format_parameters(text: str) -> dict[str, str]:
    """``a=b;c=d``; values without a name (``0-16``, ``111/111``) have the name ``""``."""
    found: dict[str, str] = {}
    for item in text.split(";")[:50]:
        name, equals, value = item.strip().partition("=")
        if equals:
            found[name.strip().lower()] = value.strip()
        elif name:
            found[""] = name
    return found


def _candidates(at: _Attributes) -> tuple[IceCandidate, ...]:
    found = (parse_candidate(value) for value in at.all("candidate")[:MAX_CANDIDATES])
    return tuple(candidate for candidate in found if candidate is not None)


def parse_candidate(value: str) -> IceCandidate | None:
    """A ``candidate`` attribute's value (RFC 8839 section 5.1), with or without its name. ``None``: malformed."""
    words = value.removeprefix("a=").removeprefix("candidate:").split()
    if len(words) < 8 or words[6] != "typ":
        return None
    component, priority = _number(words[1], 1, 256), _number(words[3], 0, 2**32 - 1)
    port = _number(words[5], 0, 65535)
    if component is None or priority is None or port is None:
        return None
    more = dict(zip(words[8::2], words[9::2], strict=False))
    return IceCandidate(
        foundation=words[0][:64],
        component=component,
        protocol=words[2].lower(),
        priority=priority,
        ip=words[4],
        port=port,
        type=words[7],
        related_address=more.get("raddr"),
        related_port=_number(more.get("rport", ""), 0, 65535),
        tcp_type=more.get("tcptype"),
        generation=_number(more.get("generation", ""), 0, 2**31) or 0,
    )


def _ssrcs(at: _Attributes) -> tuple[tuple[int, ...], str, tuple[str, ...]]:
    ssrcs: dict[int, None] = {}
    cname, msids = "", []
    for value in at.all("ssrc")[:200]:
        number, _, attribute = value.partition(" ")
        ssrc = _number(number, 0, 2**32 - 1)
        if ssrc is None:
            continue
        ssrcs[ssrc] = None
        name, _, text = attribute.partition(":")
        if name == "cname" and not cname:
            cname = text
        elif name == "msid" and text not in msids:
            msids.append(text)
    return tuple(ssrcs), cname, tuple(msids[:10])


def _groups(at: _Attributes) -> tuple[SsrcGroup, ...]:
    found = []
    for value in at.all("ssrc-group")[:20]:
        words = value.split()
        numbers = [_number(word, 0, 2**32 - 1) for word in words[1:20]]
        if words and numbers and None not in numbers:
            found.append(SsrcGroup(words[0].upper(), tuple(n for n in numbers if n is not None)))
    return tuple(found)


# ---------------------------------------------------------------- building


def build(description: Description) -> str:
    lines = [
        "v=0",
        f"o={description.username} {description.session_id} {description.version} {_address(description.address)}",
        f"s={description.name}",
        *(f"b={name}:{value}" for name, value in description.bandwidth),
        "t=0 0",
    ]
    if description.bundle:
        lines.append("a=group:BUNDLE " + " ".join(description.bundle))
    if description.ice_lite:
        lines.append("a=ice-lite")
    lines += [f"a={value}" for value in description.extra]
    for section in description.sections:
        lines += _section_lines(section)
    return "\r\n".join(lines) + "\r\n"


def _address(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"


def _section_lines(section: Section) -> Iterable[str]:
    formats = section.formats or tuple(str(c.payload_type) for c in section.codecs) or ("0",)
    yield f"m={section.kind} {section.port} {section.protocol} {' '.join(formats)}"
    if section.address:
        yield f"c={_address(section.address)}"
    for name, amount in section.bandwidth:
        yield f"b={name}:{amount}"
    if section.is_rtp:
        yield f"a={section.direction}"
    if section.mid:
        yield f"a=mid:{section.mid}"
    if section.bundle_only:
        yield "a=bundle-only"
    yield from _transport_lines(section)
    yield from _codec_lines(section.codecs)
    for extension in section.extensions:
        yield f"a=extmap:{extension.id} {extension.uri}"
    if section.label:
        yield f"a=label:{section.label}"
    if section.content:
        yield f"a=content:{section.content}"
    for msid in section.msid:
        yield f"a=msid:{msid}"
    for group in section.groups:
        yield f"a=ssrc-group:{group.semantics} {' '.join(map(str, group.ssrcs))}"
    for ssrc in section.ssrcs:
        yield f"a=ssrc:{ssrc} cname:{section.cname}" if section.cname else f"a=ssrc:{ssrc}"
        for msid in section.msid[:1]:
            yield f"a=ssrc:{ssrc} msid:{msid}"
    if section.sctp_port is not None and "webrtc-datachannel" in formats:
        yield f"a=sctp-port:{section.sctp_port}"
    for value in section.extra:
        yield f"a={value}"


def _transport_lines(section: Section) -> Iterable[str]:
    if section.ufrag:
        yield f"a=ice-ufrag:{section.ufrag}"
        yield f"a=ice-pwd:{section.pwd}"
    if section.ice_options:
        yield f"a=ice-options:{section.ice_options}"
    for fingerprint in section.fingerprints:
        yield f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}"
    if section.setup:
        yield f"a=setup:{section.setup}"
    for candidate in section.candidates:
        yield f"a=candidate:{build_candidate(candidate)}"
    if section.end_of_candidates:
        yield "a=end-of-candidates"
    if section.rtcp_mux:
        yield "a=rtcp-mux"
    if section.rtcp_rsize:
        yield "a=rtcp-rsize"


def _codec_lines(codecs: tuple[Codec, ...]) -> Iterable[str]:
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        yield f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}"
        for kind in codec.feedback:
            yield f"a=rtcp-fb:{codec.payload_type} {kind}"
        if codec.parameters:
            text = ";".join(f"{name}={value}" if name else value for name, value in codec.parameters.items())
            yield f"a=fmtp:{codec.payload_type} {text}"


def build_candidate(candidate: IceCandidate) -> str:
    text = (
        f"{candidate.foundation} {candidate.component} {candidate.protocol} {candidate.priority} {candidate.ip} "
        f"{candidate.port} typ {candidate.type}"
    )
    if candidate.related_address is not None and candidate.related_port is not None:
        text += f" raddr {candidate.related_address} rport {candidate.related_port}"
    if candidate.tcp_type is not None:
        text += f" tcptype {candidate.tcp_type}"
    return text + (f" generation {candidate.generation}" if candidate.generation else "")
