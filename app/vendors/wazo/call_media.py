"""The media of one call: wishes become lines of the description, mutes reach the senders, reports become events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import MediaKind, Source, SourceContent, frozen_map
from app.media import api as media
from app.media.api import IceServer, MediaEngine, RemoteSource, Transport
from app.protocols.sdp.description import SdpError, parse
from app.protocols.sdp.media import SLIDES, NegotiatedMedia, TransportOptions
from app.protocols.sdp.negotiation import Negotiation, Options, Outcome, RemoteTrack
from app.vendors.wazo.phone_core import REMOTE, Picture, Wanted

MAX_ICE_SERVERS = 20
DEFAULT_PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}


def offers_video(sdp: str | None) -> bool:
    """Whether the offer has a video line that lives."""
    if sdp is None:
        return False
    try:
        sections = parse(sdp).sections
    except SdpError:
        return False
    return any(section.kind == "video" and not section.rejected and section.sends for section in sections)


def ice_servers(raw: Any) -> tuple[IceServer, ...]:
    """W3C's form: ``[{"urls": "turn:host:port?transport=udp", "username": ..., "credential": ...}]``."""
    out: list[IceServer] = []
    for entry in raw if isinstance(raw, (list, tuple)) else ():
        if not isinstance(entry, Mapping):
            continue
        urls = entry.get("urls", entry.get("url", ()))
        for url in (urls,) if isinstance(urls, str) else urls if isinstance(urls, (list, tuple)) else ():
            server = _ice_server(str(url), str(entry.get("username", "")), str(entry.get("credential", "")))
            if server is not None and len(out) < MAX_ICE_SERVERS:
                out.append(server)
    return tuple(out)


def _ice_server(url: str, user: str, credential: str) -> IceServer | None:
    scheme, _, rest = url.partition(":")
    address, _, query = rest.partition("?")
    host, colon, port = address.rpartition(":") if "]" not in address or "]:" in address else (address, "", "")
    if not colon:
        host, port = address, ""
    if scheme not in DEFAULT_PORTS or not host or (port and not port.isdecimal()):
        return None
    transport = query.partition("transport=")[2] or ("tcp" if scheme == "turns" else "udp")
    number = int(port) if port else DEFAULT_PORTS[scheme]
    return IceServer(scheme, host.strip("[]"), number, transport, user, credential)


class CallMedia:
    """*emit* gets call events about sources, levels and statistics."""

    def __init__(
        self,
        engine: MediaEngine,
        call_id: str,
        emit: Callable[[CallEvent], None],
        on_state: Callable[[str], None],
        *,
        servers: tuple[IceServer, ...] = (),
        accept_video: bool = True,
        send_video: bool = False,
        name_source: Callable[[RemoteTrack], RemoteSource | None] | None = None,
    ) -> None:
        self._call_id = call_id
        self._emit = emit
        self._on_state = on_state
        self._muted: dict[str, bool] = {"audio": False, "video": True}
        self._sources: dict[str, Source] = {}
        self._name = name_source or self._of_two
        self.negotiated = NegotiatedMedia(
            engine,
            call_id,
            self._on_event,
            Options(accept_video=accept_video, send_video=send_video),
            TransportOptions(ice_servers=servers),
            self._name,
        )

    @property
    def transport(self) -> Transport | None:
        return self.negotiated.transport

    @property
    def negotiation(self) -> Negotiation:
        return self.negotiated.negotiation

    def _of_two(self, track: RemoteTrack) -> RemoteSource | None:
        """The other side of a call of two: one name per kind, whatever line carries it."""
        content = SourceContent.MICROPHONE
        if track.kind is MediaKind.VIDEO:
            content = SourceContent.SCREEN if track.content == SLIDES else SourceContent.CAMERA
        name = f"{self._call_id}/{track.mid}"
        return RemoteSource(name, REMOTE, track.kind, content, track.ssrc, track.rtx_ssrc, track.mid)

    # ------------------------------------------------------------ wishes

    def prepare(self, *, video: bool, conference: bool = False) -> None:
        """Lines of a first offer. In a conference a video line is there from the start, camera or not."""
        self.negotiation.add_line("audio")
        if video or conference:
            self.negotiation.add_line("video")

    async def wish(self, wanted: Wanted) -> None:
        """State *wanted* for the next description."""
        negotiation = self.negotiation
        negotiation.hold(wanted.held)
        line = negotiation.first("video")
        if not wanted.video:
            for one in negotiation.lines:
                if one.kind == "video" and one.live:
                    negotiation.stop(one.mid)
            return
        if line is None:
            content = SLIDES if wanted.picture is Picture.SCREEN else ""
            negotiation.add_line("video", content=content)
            return
        if wanted.picture is not Picture.NONE:
            negotiation.change(line.mid, wanted="sendrecv")
            if line.source is not None:
                await self.show(wanted.picture)

    async def show(self, picture: Picture) -> None:
        """Put camera or screen on our video line."""
        line = self.negotiation.first("video")
        if line is not None and line.source is not None and picture is not Picture.NONE:
            content = SourceContent.SCREEN if picture is Picture.SCREEN else SourceContent.CAMERA
            await self.negotiated.replace_sender(line.mid, content)
            self._apply_mutes()

    def accept_video(self, *, send: bool) -> None:
        """How the next offer of theirs is answered."""
        self.negotiation.options = replace(self.negotiation.options, accept_video=True, send_video=send)

    def set_muted(self, kind: str, muted: bool) -> None:
        self._muted[kind] = muted
        self._apply_mutes()

    def _apply_mutes(self) -> None:
        for kind, muted in self._muted.items():
            line = self.negotiation.first(kind)
            if line is not None:
                self.negotiated.set_muted(line.mid, muted)

    @property
    def has_video(self) -> bool:
        """A video line lives on which something may flow."""
        return any(line.kind == "video" and line.live and line.current != "inactive" for line in self.negotiation.lines)

    # ------------------------------------------------------------ tones

    def tone_sender(self) -> str:
        """Our audio source when RFC 4733 tones were agreed on, else empty."""
        line = self.negotiation.first("audio")
        if line is None or not any(codec.name.lower() == "telephone-event" for codec in line.codecs):
            return ""
        return self.negotiated.sender(line.mid)

    # ------------------------------------------------------------ after an exchange

    def applied(self, outcome: Outcome) -> None:
        """Tell what is received now; senders keep their mutes."""
        self._apply_mutes()
        now: dict[str, Source] = {}
        for remote in self.negotiated.sources:
            known = self._sources.get(remote.name)
            receiving = known is not None and known.receiving
            now[remote.name] = Source(
                remote.name, remote.participant_id, remote.kind, remote.content, muted=False, receiving=receiving
            )
        for name in [name for name in self._sources if name not in now]:
            del self._sources[name]
            self._emit(ev.SourceRemoved(name))
        for name, source in now.items():
            known = self._sources.get(name)
            self._sources[name] = source
            if known is None:
                self._emit(ev.SourceAdded(source))
            elif known != source:
                self._emit(ev.SourceChanged(source))

    def source_of(self, name: str) -> Source | None:
        return self._sources.get(name)

    @property
    def sources(self) -> Mapping[str, Source]:
        return self._sources

    def change_source(self, name: str, **changes: Any) -> None:
        known = self._sources.get(name)
        if known is None:
            return
        changed = replace(known, **changes)
        if changed != known:
            self._sources[name] = changed
            self._emit(ev.SourceChanged(changed))

    # ------------------------------------------------------------ reports of the engine

    def _on_event(self, event: media.MediaEvent) -> None:
        match event:
            case media.TransportStateChanged(state):
                self._emit(ev.MediaStateChanged(state))
                self._on_state(state)
            case media.SourceStarted(name):
                self.change_source(name, receiving=True, frozen=False)
            case media.SourceFrozen(name, frozen):
                self.change_source(name, frozen=frozen)
            case media.AudioLevels(levels):
                loudest: dict[str, float] = {}
                for name, level in levels.items():
                    source = self._sources.get(name)
                    if source is not None:
                        owner = source.participant_id
                        loudest[owner] = max(level, loudest.get(owner, 0.0))
                self._emit(ev.AudioLevelsChanged(frozen_map(loudest)))
            case media.StatsReported(stats):
                values = {field.name: getattr(stats, field.name) for field in fields(stats)}
                self._emit(ev.StatsUpdated(frozen_map(values)))

    async def close(self) -> None:
        await self.negotiated.close()
