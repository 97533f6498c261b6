"""Offer/answer for one bundled transport (RFC 3264, RFC 9429, RFC 8843) without I/O.

Keeps our lines and theirs in step: stable origin, mids, DTLS roles, hold by direction, rejected and re-used lines,
rollback. What follows for the media engine comes out as :class:`Outcome`; :mod:`app.protocols.sdp.media` applies it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.calls.model import MediaKind
from app.media.api import Codec, HeaderExtension, LocalSource, MediaDescription, TransportDescription
from app.protocols.sdp import codecs as formats
from app.protocols.sdp.description import Description, SdpError, Section, SsrcGroup, parse
from app.protocols.sdp.model import (
    REVERSED,
    Line,
    Options,
    Outcome,
    RemoteTrack,
    direction,
    may_receive,
    may_send,
)

__all__ = [
    "Line",
    "Negotiation",
    "NegotiationError",
    "Options",
    "Outcome",
    "RemoteTrack",
    "default_candidate",
    "direction",
    "may_receive",
    "may_send",
]

MAX_LINES = 128
"""What the largest SFU sends."""
DATA_PROTOCOL = "UDP/DTLS/SCTP"


class NegotiationError(ValueError):
    """The step does not fit the state, or the far side's description does not fit ours."""


@dataclass(frozen=True, slots=True)
class _State:
    phase: str = "stable"
    """stable, local-offer, remote-offer."""
    lines: tuple[Line, ...] = ()
    held: bool = False
    role: str = ""
    """Our DTLS role once agreed: active or passive."""
    remote: Description | None = None
    remote_transport: TransportDescription | None = None


class Negotiation:
    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 (frozen)
        self.options = options
        self._session_id = str(secrets.randbits(62))
        self._version = 0
        self._last = ""
        self._state = _State()
        self._before: _State | None = None
        self._agreed = _State()
        self._was_held = False
        self._open: tuple[Line, ...] = ()
        """The lines of the open offer of ours: every answer to it (of several forks) is held against these."""

    # ------------------------------------------------------------ our wishes

    @property
    def phase(self) -> str:
        return self._state.phase

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._state.lines

    @property
    def held(self) -> bool:
        return self._state.held

    def line(self, mid: str) -> Line:
        found = next((line for line in self.lines if line.mid == mid), None)
        if found is None:
            raise NegotiationError(f"there is no line {mid!r}")
        return found

    def first(self, kind: str) -> Line | None:
        """The line of our own source of this kind, if it lives."""
        return next((x for x in self.lines if x.kind == kind and x.ours and x.live and not x.stopping), None)

    def add_line(
        self,
        kind: str,
        *,
        source: LocalSource | None = None,
        wanted: str = "sendrecv",
        content: str = "",
        bandwidth_kbps: int | None = None,
        mid: str = "",
    ) -> str:
        """A line more in the next offer; returns its mid."""
        if self.phase == "remote-offer":
            raise NegotiationError("an answer cannot add lines")
        if len(self.lines) >= MAX_LINES:
            raise NegotiationError("too many lines")
        used = {line.mid for line in self.lines}
        mid = mid or next(str(n) for n in range(MAX_LINES + 1) if str(n) not in used)
        if mid in used:
            raise NegotiationError(f"the mid {mid!r} is taken")
        line = Line(kind, mid, wanted=wanted, source=source, content=content, bandwidth_kbps=bandwidth_kbps)
        self._state = replace(self._state, lines=(*self.lines, line))
        return mid

    def change(
        self,
        mid: str,
        *,
        source: LocalSource | None = None,
        wanted: str | None = None,
        bandwidth_kbps: int | None = None,
        content: str | None = None,
    ) -> None:
        """Other wishes for a line; they take effect with the next description."""
        line = self.line(mid)
        line = replace(
            line,
            source=source if source is not None else line.source,
            wanted=wanted or line.wanted,
            bandwidth_kbps=bandwidth_kbps if bandwidth_kbps is not None else line.bandwidth_kbps,
            content=content if content is not None else line.content,
        )
        self._replace(line)

    def stop(self, mid: str) -> None:
        """Reject the line in our next description (port 0)."""
        self._replace(replace(self.line(mid), stopping=True))

    def hold(self, held: bool) -> None:
        """Whether we want to hear and see the far side; takes effect with the next description."""
        self._state = replace(self._state, held=held)

    def _replace(self, line: Line) -> None:
        lines = tuple(line if known.mid == line.mid else known for known in self.lines)
        self._state = replace(self._state, lines=lines)

    def _wish(self, line: Line) -> str:
        send, receive = may_send(line.wanted), may_receive(line.wanted)
        if self._state.held:
            return direction(send and self.options.hold_direction == "sendonly", False)
        return direction(send, receive)

    def media(self) -> tuple[MediaDescription, ...]:
        """Per live line what is agreed, or what we shall offer where nothing is agreed yet."""
        used: dict[int, Codec] = {c.payload_type: c for line in self.lines if line.live for c in line.codecs}
        found = []
        for line in self.lines:
            if line.rejected or line.stopping or line.kind not in ("audio", "video"):
                continue
            codecs = line.codecs
            if not codecs:
                codecs = formats.merged((), self._codecs(line.kind), used)
                for codec in codecs:
                    used.setdefault(codec.payload_type, codec)
            found.append(MediaDescription(_kind(line), line.mid, codecs, self._offered_extensions(line)))
        return tuple(found)

    def forget_transport(self) -> None:
        """A new transport takes the old one's place: roles are agreed anew and the sources of old are gone."""
        lines = tuple(replace(line, source=None) for line in self.lines)
        self._state = replace(self._state, lines=lines, role="")

    # ------------------------------------------------------------ offering

    def create_offer(self, transport: TransportDescription) -> str:
        """Our offer from the present wishes. *transport*: the engine's description of our side."""
        if self.phase != "stable":
            raise NegotiationError("an exchange is open already")
        self._before = self._state
        used: dict[int, Codec] = {c.payload_type: c for line in self.lines if line.live for c in line.codecs}
        sections = []
        for line in self.lines:
            if line.rejected or line.stopping:
                sections.append(self._rejected(line))
            elif line.kind == "application":
                sections.append(self._application(line, transport, "actpass"))
            else:
                ours = formats.merged(line.codecs, self._codecs(line.kind), used)
                for codec in ours:
                    used.setdefault(codec.payload_type, codec)
                extensions = self._offered_extensions(line)
                sections.append(self._section(line, self._wish(line), ours, extensions, transport, "actpass"))
        self._state = replace(self._state, phase="local-offer")
        self._open = self.lines
        return self._describe(sections)

    def apply_answer(self, sdp: str, *, provisional: bool = False) -> Outcome:
        """Their answer. *provisional*: early media of a call that is not answered; another answer may follow."""
        if self.phase != "local-offer":
            raise NegotiationError("no offer of ours is open")
        remote = _parse(sdp)
        if len(remote.sections) < len(self._open):
            raise NegotiationError("the answer has fewer sections than the offer")
        bundled = self._bundled(remote)
        lines = []
        for index, line in enumerate(self._open):
            section = remote.sections[index]
            if section.kind != line.kind:
                raise NegotiationError("the answer's sections are in another order")
            lines.append(self._answered(line, section, bundled(index, section)))
        self._remember(remote, tuple(lines))
        agreed = self._before.role if self._before is not None else ""
        if not agreed and self._state.remote_transport is not None:
            agreed = "passive" if self._state.remote_transport.setup == "active" else "active"
        self._state = replace(self._state, role=agreed)
        outcome = self._outcome()
        if not provisional:
            self._complete()
        return outcome

    def _held_by_remote(self) -> bool:
        state = self._state
        if state.held and self.options.hold_direction == "inactive" and self._open:
            # "inactive" is the only answer to our own: it says nothing about their wish.
            return self._was_held
        return _held(state.lines)

    def _complete(self) -> None:
        self._was_held = self._held_by_remote()
        self._state = self._agreed = replace(self._state, phase="stable")
        self._before, self._open = None, ()

    def _answered(self, line: Line, section: Section, bundled: bool) -> Line:
        if line.rejected or line.stopping or section.rejected or not bundled:
            return replace(line, rejected=True, stopping=False, current="inactive", remote=section, source=None)
        if line.kind == "application":
            return replace(line, current="sendrecv", remote=section)
        ours = formats.merged(line.codecs, self._codecs(line.kind), {})
        agreed = formats.intersect(ours, section.codecs)
        if not agreed:
            return replace(line, rejected=True, current="inactive", remote=section, source=None)
        wish = self._wish(line)
        theirs = REVERSED[section.direction]
        current = direction(may_send(wish) and may_send(theirs), may_receive(wish) and may_receive(theirs))
        extensions = formats.shared_extensions(self._offered_extensions(line), section.extensions)
        return replace(line, current=current, codecs=agreed, extensions=extensions, remote=section)

    def rollback(self) -> None:
        """Our offer was refused, or we refuse theirs: all is as before (RFC 9429 section 4.1.10.2). After an offer of
        ours the wishes that it carried (hold, directions, stopped and new lines) are taken back too."""
        before, self._before, self._open = self._before, None, ()
        if before is None:
            return
        if self._state.phase == "local-offer" and self._agreed.remote is not None:
            known = {line.mid: line for line in self._agreed.lines}
            lines = tuple(
                replace(line, wanted=known[line.mid].wanted, stopping=known[line.mid].stopping)
                for line in before.lines
                if line.mid in known
            )
            before = replace(before, lines=lines, held=self._agreed.held)
        self._state = replace(before, phase="stable")

    # ------------------------------------------------------------ answering

    def apply_offer(self, sdp: str) -> Outcome:
        """Their offer; look at :attr:`lines`, state wishes, then :meth:`create_answer`. The outcome is what would hold
        with the present wishes; the answer's is the one to apply."""
        if self.phase != "stable":
            raise NegotiationError("an exchange is open already")
        remote = _parse(sdp)
        if len(remote.sections) < len(self.lines):
            raise NegotiationError("the offer has fewer sections than before")
        if len(remote.sections) > MAX_LINES:
            raise NegotiationError("too many lines")
        self._before = self._state
        bundled = self._bundled(remote)
        lines: list[Line] = []
        for index, section in enumerate(remote.sections):
            known = self.lines[index] if index < len(self.lines) else None
            lines.append(self._offered(known, section, index, bundled(index, section), lines))
        self._remember(remote, tuple(lines))
        self._state = replace(self._state, phase="remote-offer")
        return self._outcome()

    def _offered(self, known: Line | None, section: Section, index: int, bundled: bool, before: list[Line]) -> Line:
        mid = section.mid or (known.mid if known is not None else f"line-{index}")
        if known is None or known.kind != section.kind or (known.mid != mid and section.mid):
            first = not any(x.kind == section.kind and x.ours for x in before)
            wanted = "recvonly"
            if first and (section.kind != "video" or self.options.send_video):
                wanted = "sendrecv"
            known = Line(section.kind, mid, wanted=wanted, ours=first, content=section.content)
        line = replace(known, remote=section, has_mid=bool(section.mid), content=section.content or known.content)
        if section.rejected or not bundled or not self._acceptable(section):
            return replace(line, rejected=True, current="inactive")
        if line.kind == "application":
            return replace(line, rejected=False, current="sendrecv")
        agreed = formats.intersect(self._codecs(line.kind), section.codecs)
        if not agreed:
            return replace(line, rejected=True, current="inactive")
        if known.rejected and not known.ours:
            # A removed line that comes back carries somebody else now.
            line = replace(line, source=None)
        extensions = formats.shared_extensions(self._extensions(line.kind), section.extensions)
        return replace(line, rejected=False, codecs=agreed, extensions=extensions)

    def _acceptable(self, section: Section) -> bool:
        if section.kind == "application":
            return self.options.data_channel and "webrtc-datachannel" in section.formats
        if section.kind == "video":
            return self.options.accept_video and section.is_rtp
        return section.kind == "audio" and section.is_rtp

    def create_answer(self, transport: TransportDescription) -> tuple[str, Outcome]:
        """Our answer, and what holds with it."""
        if self.phase != "remote-offer":
            raise NegotiationError("no offer of theirs is open")
        role = self._state.role or self.answer_role()
        lines, sections = [], []
        for line in self.lines:
            section = line.remote
            if line.rejected or line.stopping or section is None:
                line = replace(line, rejected=True, stopping=False, current="inactive", source=None)
                sections.append(self._rejected(line))
            elif line.kind == "application":
                sections.append(self._application(line, transport, role))
            else:
                wish, theirs = self._wish(line), REVERSED[section.direction]
                send = may_send(wish) and may_send(theirs)
                line = replace(line, current=direction(send, may_receive(wish) and may_receive(theirs)))
                sections.append(self._section(line, line.current, line.codecs, line.extensions, transport, role))
            lines.append(line)
        if not any(line.live for line in lines):
            raise NegotiationError("nothing in the offer can be used")
        self._state = replace(self._state, phase="stable", lines=tuple(lines), role=role)
        outcome, text = self._outcome(), self._describe(sections)
        self._complete()
        return text, outcome

    def preview(self) -> Outcome:
        """What would hold now with the present wishes."""
        return self._outcome()

    def answer_role(self) -> str:
        """Our DTLS role when we answer the present offer (RFC 8842 section 5.3)."""
        if self._state.role:
            return self._state.role
        remote = self._state.remote_transport
        return "passive" if remote is not None and remote.setup == "active" else "active"

    # ------------------------------------------------------------ sections

    def _codecs(self, kind: str) -> tuple[Codec, ...]:
        return self.options.audio if kind == "audio" else self.options.video

    def _extensions(self, kind: str) -> tuple[HeaderExtension, ...]:
        return self.options.audio_extensions if kind == "audio" else self.options.video_extensions

    def _offered_extensions(self, line: Line) -> tuple[HeaderExtension, ...]:
        """Agreed numbers stay; numbers of the others must not collide with them."""
        if line.remote is None or not line.codecs:
            agreed: dict[str, int] = {}
            for other in self.lines:
                agreed.update({e.uri: e.id for e in other.extensions})
            return tuple(HeaderExtension(agreed.get(e.uri, e.id), e.uri) for e in self._extensions(line.kind))
        return line.extensions

    def _section(
        self,
        line: Line,
        way: str,
        codecs: tuple[Codec, ...],
        extensions: tuple[HeaderExtension, ...],
        transport: TransportDescription,
        setup: str,
    ) -> Section:
        section = self._base(line, transport, setup)
        limit = (("AS", line.bandwidth_kbps), ("TIAS", line.bandwidth_kbps * 1000)) if line.bandwidth_kbps else ()
        section = replace(
            section, direction=way, codecs=codecs, extensions=extensions, rtcp_mux=True, content=line.content,
            bandwidth=limit,
        )  # fmt: skip
        source = line.source
        if source is None:
            return section
        ssrcs: tuple[int, ...] = (source.ssrc,)
        groups: tuple[SsrcGroup, ...] = ()
        if source.rtx_ssrc is not None and any(c.name.lower() == "rtx" for c in codecs):
            ssrcs = (source.ssrc, source.rtx_ssrc)
            groups = (SsrcGroup("FID", ssrcs),)
        return replace(section, msid=(source.msid,), ssrcs=ssrcs, groups=groups, cname=source.cname)

    def _base(self, line: Line, transport: TransportDescription, setup: str) -> Section:
        address, port = default_candidate(transport)
        protocol = line.remote.protocol if line.remote is not None else "UDP/TLS/RTP/SAVPF"
        return Section(
            kind=line.kind, port=port, address=address, protocol=protocol, mid=line.mid if line.has_mid else "",
            ufrag=transport.ufrag, pwd=transport.pwd, fingerprints=transport.fingerprints, setup=setup,
            candidates=transport.candidates, end_of_candidates=True,
        )  # fmt: skip

    def _application(self, line: Line, transport: TransportDescription, setup: str) -> Section:
        section = self._base(line, transport, setup)
        protocol = line.remote.protocol if line.remote is not None else DATA_PROTOCOL
        sctp_port = transport.sctp_port or 5000
        return replace(section, protocol=protocol, formats=("webrtc-datachannel",), sctp_port=sctp_port)

    def _rejected(self, line: Line) -> Section:
        protocol = line.remote.protocol if line.remote is not None else "UDP/TLS/RTP/SAVPF"
        old = line.remote.formats[:1] if line.remote is not None else ()
        if line.kind == "application":
            old = ("webrtc-datachannel",)
        shown = old or ("0",)
        mid = line.mid if line.has_mid else ""
        # Every line needs a connection (RFC 8866 section 5.7), even this; Asterisk refuses the offer without it.
        return Section(
            line.kind, port=0, protocol=protocol, formats=shown, mid=mid, direction="inactive", address="0.0.0.0"
        )

    def _describe(self, sections: list[Section]) -> str:
        """Same session, next version (RFC 3264 section 8); the version stays when nothing changed."""
        theirs = self._state.remote.bundle if self._state.phase != "local-offer" and self._state.remote else None
        bundle = tuple(s.mid for s in sections if s.mid and not s.rejected and (theirs is None or s.mid in theirs))

        def text(version: int) -> str:
            return str(
                Description(
                    self._session_id, version, address=self.options.address, bundle=bundle, sections=tuple(sections),
                    extra=("msid-semantic:WMS *",),
                )
            )  # fmt: skip

        body = text(0)
        if body != self._last:
            self._version += 1
            self._last = body
        return text(self._version)

    # ------------------------------------------------------------ what it means

    def _bundled(self, remote: Description) -> Callable[[int, Section], bool]:
        """A test whether a section shares the one transport; the first live one always does."""
        first = next((i for i, s in enumerate(remote.sections) if not s.rejected), 0)

        def test(index: int, section: Section) -> bool:
            return index == first or (bool(section.mid) and section.mid in remote.bundle)

        return test

    def _remember(self, remote: Description, lines: tuple[Line, ...]) -> None:
        transport = remote.transport or self._state.remote_transport
        self._state = replace(self._state, lines=lines, remote=remote, remote_transport=transport)

    def _outcome(self) -> Outcome:
        state, before = self._state, self._before
        old = before.remote_transport if before is not None else None
        new = state.remote_transport
        media, tracks, sending = [], [], []
        for line in state.lines:
            section = line.remote
            if not line.live or section is None or line.kind not in ("audio", "video"):
                continue
            kind = _kind(line)
            current = line.current
            if state.phase == "remote-offer":
                wish, theirs = self._wish(line), REVERSED[section.direction]
                current = direction(may_send(wish) and may_send(theirs), may_receive(wish) and may_receive(theirs))
            media.append(MediaDescription(kind, line.mid, line.codecs, line.extensions))
            if may_receive(current) and section.sends:
                tracks.append(_track(line, section, kind))
            if may_send(current) and line.ours:
                sending.append(line.mid)
        restarted = old is not None and new is not None and (old.ufrag, old.pwd) != (new.ufrag, new.pwd)
        return Outcome(
            remote=new,
            media=tuple(media),
            tracks=tuple(tracks),
            sending=tuple(sending),
            held_by_remote=self._held_by_remote(),
            remote_restarted_ice=restarted,
            new_endpoint=old is not None and new is not None and not _same_certificate(old, new),
            data_channel=any(line.kind == "application" and line.live for line in state.lines),
        )


def _kind(line: Line) -> MediaKind:
    return MediaKind.AUDIO if line.kind == "audio" else MediaKind.VIDEO


def _held(lines: tuple[Line, ...]) -> bool:
    """Their audio does not receive (RFC 6337 section 5.3), or has the address that old phones hold with."""
    audio = [line.remote for line in lines if line.kind == "audio" and line.live and line.remote is not None]
    return bool(audio) and all(s.direction in ("sendonly", "inactive") or s.address == "0.0.0.0" for s in audio)


def _same_certificate(old: TransportDescription, new: TransportDescription) -> bool:
    return bool(set(old.fingerprints) & set(new.fingerprints))


def _track(line: Line, section: Section, kind: MediaKind) -> RemoteTrack:
    ssrc, rtx = (section.ssrcs[0] if section.ssrcs else 0), None
    for group in section.groups:
        if group.semantics == "FID" and len(group.ssrcs) == 2:
            ssrc, rtx = group.ssrcs
            break
    stream, _, track = (section.msid[0] if section.msid else "").partition(" ")
    return RemoteTrack(line.mid, kind, ssrc, rtx, stream, track, section.label, section.content)


def default_candidate(transport: TransportDescription) -> tuple[str, int]:
    """Address and port for ``c=`` and ``m=`` (RFC 8839 section 4.2.1.3). Never 0.0.0.0, which old peers take for hold;
    port 9 stands for none."""
    order = {"relay": 0, "srflx": 1, "host": 2}
    usable = [c for c in transport.candidates if c.protocol == "udp" and c.component == 1 and c.type in order]
    usable.sort(key=lambda c: (":" in c.ip, order[c.type], -c.priority))
    return (usable[0].ip, usable[0].port) if usable else ("127.0.0.1", 9)


def _parse(sdp: str) -> Description:
    try:
        return parse(sdp)
    except SdpError as error:
        raise NegotiationError(str(error)) from error
