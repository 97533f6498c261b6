"""The Jingle session with the focus: offers become transports, signalled or mapped sources become engine sources
(jitsi.md 5 and 6)."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from app.calls import events as ev
from app.calls.model import CallPhase, MediaKind, SourceContent
from app.media.api import (
    IceServer,
    LocalSource,
    MediaDescription,
    RemoteSource,
    TransportConfig,
    TransportDescription,
)
from app.protocols.jingle import (
    BridgeSession,
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    Reason,
    RtpDescription,
    SourceGroup,
    SourceSet,
    build_jingle,
    parse_jingle,
)
from app.protocols.xmpp import ns
from app.protocols.xmpp.stanza import StanzaError, error_of, result_of
from app.protocols.xmpp.xml import el
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.errors import failure
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context
from app.vendors.jitsi.wire import parse_source_name
from app.vendors.jitsi.wire_bridge import SourcesMap

ICE_FAILED_DELAY_MS = 2_000
"""A network change often heals by itself; lib-jitsi-meet waits this long after its own checks."""
RESTART_BACKOFF_MS = (5_000, 10_000, 20_000, 40_000, 60_000)
"""The focus accepts one restart per five seconds and five per minute."""
NOTICE_AFTER_RESTARTS = 2
MAX_SOURCES = 4000
BRIDGE_OWNERS = frozenset({"jvb", "mixedmslabel"})


class MediaSession:
    """At most one session at a time; each new offer replaces the one before."""

    def __init__(self, ctx: Context, room: Room) -> None:
        self._ctx = ctx
        self._room = room
        self.trusted_focus: set[str] = set()
        self.ice_servers: tuple[IceServer, ...] = ()
        self.generation = 0
        self.offer: Jingle | None = None
        self.opened = False
        self.accepted = False
        self.state = "new"
        self.local: dict[str, LocalSource] = {}
        self.sources: dict[str, RemoteSource] = {}
        self._description: TransportDescription | None = None
        self._limits: dict[str, int] = {}
        self._wanted: set[str] | None = None
        self._signalled_screen = False
        self._restarts = 0
        self._restart_pending = False
        self._reconnecting = False
        self.send_limit = ctx.options.send_max_height

    @property
    def bridge_session(self) -> str:
        session = self.offer.bridge_session if self.offer is not None else None
        return session.id if session is not None else ""

    @property
    def region(self) -> str:
        session = self.offer.bridge_session if self.offer is not None else None
        return session.region if session is not None else ""

    # ------------------------------------------------------------------ incoming

    def on_iq(self, stanza: Element) -> None:
        """A Jingle request. Always answered."""
        jingle = parse_jingle(stanza)
        sender = stanza.get("from", "")
        ctx = self._ctx
        if jingle is None:
            ctx.send(error_of(stanza, "modify", "bad-request"))
        elif sender.lower() != ctx.focus_occupant.lower():
            self._on_peer(stanza, jingle)
        elif jingle.action == "session-initiate":
            self._on_initiate(stanza, jingle)
        elif self.offer is None or jingle.sid != self.offer.sid:
            ctx.send(error_of(stanza, "cancel", "item-not-found", el("unknown-session", ns.JINGLE_ERRORS)))
        else:
            self._on_action(stanza, jingle)

    def _on_peer(self, stanza: Element, jingle: Jingle) -> None:
        """Somebody wants a direct session: decline, so that both keep using the bridge (jitsi.md 5.13)."""
        ctx = self._ctx
        nick = stanza.get("from", "").rpartition("/")[2]
        if jingle.action != "session-initiate" or self._room.member(nick) is None:
            ctx.send(error_of(stanza, "cancel", "item-not-found", el("unknown-session", ns.JINGLE_ERRORS)))
            return
        ctx.send(result_of(stanza))
        decline = Jingle(
            "session-terminate",
            jingle.sid,
            jingle.initiator or stanza.get("from", ""),
            ctx.jid,
            reason=Reason("decline", "P2P disabled"),
        )
        ctx.ask("set", stanza.get("from"), build_jingle(decline), lambda _r, _e: None)

    def _on_initiate(self, stanza: Element, jingle: Jingle) -> None:
        ctx = self._ctx
        real = self._room.focus_real_jid.lower()
        if not any(real.startswith(focus.lower() + "/") for focus in self.trusted_focus):
            ctx.send(error_of(stanza, "cancel", "not-allowed", el("security-error", ns.JINGLE_ERRORS)))
            return
        if self.offer is not None and self.offer.sid == jingle.sid:
            ctx.send(error_of(stanza, "wait", "service-unavailable"))
            return
        transport = jingle.transport
        if transport is None or not transport.ufrag or not transport.fingerprints:
            ctx.send(error_of(stanza, "modify", "bad-request", text="no usable transport"))
            return
        ctx.send(result_of(stanza))
        self.close()
        self.generation += 1
        self.offer = jingle
        self._restart_pending = False
        self._add_sources(jingle.all_sources)
        if jingle.start_muted is not None:
            self._start_muted(*jingle.start_muted)
        self._open(jingle, transport)

    def _start_muted(self, audio: bool, video: bool) -> None:
        ctx = self._ctx
        if ctx.options.ignore_start_muted or not (audio or video):
            return
        apply_start_muted(ctx, audio, video)

    def _open(self, jingle: Jingle, transport: IceTransport) -> None:
        ctx = self._ctx
        media = []
        senders: list[tuple[str, SourceContent]] = []
        for kind in (MediaKind.AUDIO, MediaKind.VIDEO):
            content = jingle.content(kind.value)
            if content is None or content.description is None:
                continue
            description = content.description
            media.append(MediaDescription(kind, content.name, description.codecs, description.header_extensions))
            if kind is MediaKind.AUDIO:
                senders.append((ctx.source_name("a"), SourceContent.MICROPHONE))
            else:
                senders.append((ctx.source_name("v"), SourceContent.CAMERA))
                if ctx.local.sharing:
                    senders.append((ctx.source_name("v", 1), SourceContent.SCREEN))
        config = TransportConfig(
            call_id=ctx.options.call_id,
            controlling=False,
            setup="active" if transport.setup != "active" else "passive",
            ice_servers=self.ice_servers,
            use_ipv6=ctx.options.use_ipv6,
            media=tuple(media),
            data_channel=self.uses_data_channel,
            sctp_port=transport.sctp_port or 5000,
            video_codecs=ctx.options.video_codecs,
            start_bitrate_bps=ctx.options.start_bitrate_bps,
            lip_sync=ctx.options.lip_sync,
        )
        ctx.effect(fx.OpenMedia(self.generation, config, remote_description(transport), tuple(senders)))

    @property
    def uses_data_channel(self) -> bool:
        transport = self.offer.transport if self.offer is not None else None
        if transport is None or transport.sctp_port is None or not self._ctx.options.data_channel:
            return False
        return self._ctx.config.prefer_sctp or self.bridge_url is None

    @property
    def bridge_url(self) -> str | None:
        """The first bridge WebSocket whose host is not to be ignored."""
        transport = self.offer.transport if self.offer is not None else None
        for url in transport.web_sockets if transport is not None else ():
            try:
                parts = urlsplit(url)
            except ValueError:
                continue
            if parts.scheme in ("ws", "wss") and parts.hostname:
                if parts.hostname == self._ctx.config.ignore_bridge_domain:
                    continue
                return url
        return None

    def _on_action(self, stanza: Element, jingle: Jingle) -> None:
        ctx = self._ctx
        action = jingle.action
        if action in ("source-add", "addsource"):
            ctx.send(result_of(stanza))
            self._add_sources(jingle.all_sources)
        elif action in ("source-remove", "removesource"):
            ctx.send(result_of(stanza))
            self._remove_sources(jingle.all_sources)
        elif action == "session-terminate":
            ctx.send(result_of(stanza))
            self.close()
        elif action == "transport-info":
            ctx.send(result_of(stanza))
            self._on_transport_info(jingle)
        elif action == "session-info":
            ctx.send(result_of(stanza))
        else:
            ctx.send(error_of(stanza, "cancel", "feature-not-implemented"))

    def _on_transport_info(self, jingle: Jingle) -> None:
        transport = jingle.transport
        if transport is None:
            return
        if transport.ice_generation is not None and transport.ufrag:
            remote = remote_description(transport)
            self._ctx.effect(fx.RestartIce(self.generation, remote, transport.ice_generation))
        elif transport.candidates:
            self._ctx.effect(fx.AddCandidates(self.generation, transport.candidates))

    # ------------------------------------------------------------------ sources of others

    def _add_sources(self, sources: SourceSet) -> None:
        for kind, group, groups in (
            (MediaKind.AUDIO, sources.audio, sources.audio_groups),
            (MediaKind.VIDEO, sources.video, sources.video_groups),
        ):
            fid = {g.ssrcs[0]: g.ssrcs[1] for g in groups if g.semantics == "FID" and len(g.ssrcs) == 2}
            secondary = {s for g in groups for s in g.ssrcs[1:]}
            for source in group:
                if source.owner in BRIDGE_OWNERS or not source.owner or source.ssrc in secondary:
                    continue
                self._map(self._remote(source, kind, fid.get(source.ssrc)))

    def _remote(self, source: JingleSource, kind: MediaKind, rtx: int | None) -> RemoteSource:
        letter = "a" if kind is MediaKind.AUDIO else "v"
        name = source.name or f"{source.owner}-{letter}0"
        return RemoteSource(name, source.owner, kind, _content(kind, source.video_type), source.ssrc, rtx)

    def _map(self, source: RemoteSource) -> None:
        if source.participant_id == self._ctx.nick or len(self.sources) >= MAX_SOURCES:
            return
        for other in [n for n, s in self.sources.items() if s.ssrc == source.ssrc and n != source.name]:
            del self.sources[other]
        known = self.sources.get(source.name)
        self.sources[source.name] = source
        video_type = "desktop" if source.content is SourceContent.SCREEN else "camera"
        self._room.source_signalled(source.name, source.participant_id, video_type)
        if self.opened and known != source:
            self._ctx.effect(fx.MapSource(source))
            self._apply_wanted(source)

    def _remove_sources(self, sources: SourceSet) -> None:
        ssrcs = {s.ssrc for s in sources.audio + sources.video}
        for name in [n for n, s in self.sources.items() if s.ssrc in ssrcs]:
            self._unmap(name)
            self._room.source_withdrawn(name)

    def _unmap(self, name: str) -> None:
        if self.sources.pop(name, None) is not None and self.opened:
            self._ctx.effect(fx.UnmapSource(name))

    def participant_left(self, nick: str) -> None:
        """Leaving the room implies that the sources are gone."""
        for name in [n for n, s in self.sources.items() if s.participant_id == nick]:
            self._unmap(name)

    def on_map(self, message: SourcesMap) -> None:
        """Which source is in which slot of the bridge; incremental."""
        kind = MediaKind(message.kind)
        for item in message.sources:
            parsed = parse_source_name(item.source)
            owner = item.owner or (parsed[0] if parsed else "")
            if not owner or owner in BRIDGE_OWNERS:
                continue
            content = _content(kind, item.video_type)
            self._map(RemoteSource(item.source, owner, kind, content, item.ssrc, item.rtx))

    def set_wanted(self, names: set[str]) -> None:
        """Which videos are on screen; the others need not be decoded."""
        before, self._wanted = self._wanted, names
        for name, source in self.sources.items():
            if before is None or (name in before) != (name in names):
                self._apply_wanted(source)

    def _apply_wanted(self, source: RemoteSource) -> None:
        if self.opened and self._wanted is not None and source.kind is MediaKind.VIDEO:
            self._ctx.effect(fx.SetReceiving(source.name, source.name in self._wanted))

    # ------------------------------------------------------------------ answers of the engine

    def media_opened(self, generation: int, description: TransportDescription, local: tuple[LocalSource, ...]) -> None:
        """The transport is there: accept the offer with our sources."""
        if generation != self.generation or self.offer is None:
            return
        ctx = self._ctx
        self.opened = True
        self._description = description
        self.local = {s.name: s for s in local}
        self._signalled_screen = ctx.source_name("v", 1) in self.local
        for source in self.sources.values():
            ctx.effect(fx.MapSource(source))
            self._apply_wanted(source)
        self._apply_local_mutes()
        accept = build_accept(self.offer, description, tuple(local), ctx.jid, ctx.options.channel_last_n)
        sid = self.offer.sid
        ctx.ask("set", ctx.focus_occupant, build_jingle(accept), lambda r, e: self._on_accepted(sid, e))
        if self.uses_data_channel:
            ctx.effect(fx.OpenBridge(self.generation, None))
        elif self.bridge_url is not None:
            ctx.effect(fx.OpenBridge(self.generation, self.bridge_url))

    def _apply_local_mutes(self) -> None:
        ctx = self._ctx
        muted = {ctx.source_name("a"): ctx.local.microphone_muted, ctx.source_name("v"): ctx.local.camera_muted}
        for name in self.local:
            ctx.effect(fx.MuteSender(name, muted.get(name, False)))
            self._apply_limit(name)

    def _on_accepted(self, sid: str, error: StanzaError | None) -> None:
        if self.offer is None or self.offer.sid != sid:
            return
        if error is None:
            if self._ctx.local.sharing:
                # Sharing may have begun after the sources of the answer were settled.
                self.start_screen()
            self.accepted = True
            self._ctx.emit(ev.MeetingInfoChanged(details=self._details()))
            return
        problem = failure("jingle_fatal", f"{error.condition} {error.text}".strip())
        self._ctx.emit(ev.Notice(problem.code, problem.message, "error"))
        self.close()
        self._schedule_restart()

    def _details(self) -> dict[str, str]:
        found = {"bridge_channel": "data channel" if self.uses_data_channel else "websocket"}
        if self.region:
            found["bridge_region"] = self.region
        if self.bridge_session:
            found["bridge_session"] = self.bridge_session
        return found

    def media_failed(self, generation: int, details: str) -> None:
        """The engine could not open or start the transport."""
        if generation != self.generation or self.offer is None:
            return
        self._terminate("failed-application", "media could not start", restart=None)
        problem = failure("jingle_fatal", details)
        self._ctx.emit(ev.Notice(problem.code, problem.message, "error"))
        self.close()

    def ice_restarted(self, generation: int, ice_generation: str, description: TransportDescription) -> None:
        if generation != self.generation or self.offer is None:
            return
        transport = replace(ice_transport(description), ice_generation=ice_generation)
        contents = tuple(Content(c.name, c.creator, transport=transport) for c in self.offer.contents[:1])
        info = Jingle("transport-info", self.offer.sid, self.offer.initiator, self._ctx.jid, contents)
        self._ctx.ask("set", self._ctx.focus_occupant, build_jingle(info), lambda _r, _e: None)

    def on_transport_state(self, generation: int, state: str) -> None:
        if generation != self.generation or self.offer is None:
            return
        self.state = state
        ctx = self._ctx
        ctx.emit(ev.MediaStateChanged(state))
        if state == "connected":
            self._restarts = 0
            self._restart_pending = False
            if self._reconnecting:
                self._reconnecting = False
                ctx.emit(ev.PhaseChanged(CallPhase.JOINED))
        elif state == "failed":
            if not self._reconnecting and ctx.local.joined:
                self._reconnecting = True
                ctx.emit(ev.PhaseChanged(CallPhase.RECONNECTING, "media"))
            if not self._restart_pending:
                self._restart_pending = True
                ctx.after(ICE_FAILED_DELAY_MS, self._restart)

    # ------------------------------------------------------------------ restart

    def _schedule_restart(self) -> None:
        delay = RESTART_BACKOFF_MS[min(self._restarts, len(RESTART_BACKOFF_MS) - 1)]
        self._restart_pending = True
        self._ctx.after(delay, self._restart)

    def _restart(self) -> None:
        """ICE failed and did not recover: ask the focus for a new session (jitsi.md 5.10)."""
        if not self._restart_pending or not self._ctx.local.joined:
            return
        self._restarts += 1
        if self._restarts == NOTICE_AFTER_RESTARTS:
            problem = failure("ice_failed")
            self._ctx.emit(ev.Notice(problem.code, problem.message, "error"))
        if self.offer is not None:
            if self._ctx.config.enable_ice_restart and self._restarts == 1:
                self._session_info(Jingle("session-info", self.offer.sid, bridge_session=self._session(ice=True)))
            else:
                self._terminate("connectivity-error", "ICE FAILED", restart=True)
        self._schedule_restart()

    def _session(self, *, ice: bool) -> BridgeSession:
        return BridgeSession(self.bridge_session, ice_restart=True if ice else None)

    def _session_info(self, jingle: Jingle) -> None:
        assert self.offer is not None
        info = replace(jingle, initiator=self.offer.initiator, responder=self._ctx.jid)
        self._ctx.ask("set", self._ctx.focus_occupant, build_jingle(info), lambda _r, _e: None)

    def report_ice_failed(self) -> None:
        """The older form of the report, for servers without ``support-terminate-restart``."""
        if self.offer is not None:
            info = Jingle("session-info", self.offer.sid, bridge_session=self._session(ice=False), ice_state="failed")
            self._session_info(info)

    def _terminate(self, condition: str, text: str, *, restart: bool | None) -> None:
        if self.offer is None:
            return
        terminate = Jingle(
            "session-terminate",
            self.offer.sid,
            self.offer.initiator,
            self._ctx.jid,
            reason=Reason(condition, text),
            bridge_session=BridgeSession(self.bridge_session, restart=restart) if self.bridge_session else None,
        )
        self._ctx.ask("set", self._ctx.focus_occupant, build_jingle(terminate), lambda _r, _e: None)

    def leave(self) -> None:
        """We leave: end the session politely."""
        self._terminate("success", "Leaving", restart=False)
        self.close()

    def close(self) -> None:
        """Ends the current session locally; the room membership stays."""
        if self.offer is None:
            return
        ctx = self._ctx
        ctx.effect(fx.CloseBridge())
        ctx.effect(fx.CloseMedia(self.generation))
        self.offer = None
        self.opened = self.accepted = False
        self.state = "closed"
        self.local = {}
        self.sources = {}
        self._limits = {}
        self._description = None
        self._signalled_screen = False
        self._room.media_gone()
        ctx.emit(ev.MediaStateChanged("closed"))

    # ------------------------------------------------------------------ our senders

    def on_sender_constraints(self, source: str, max_height: int) -> None:
        name = source or self._ctx.source_name("v")
        if name in self.local:
            self._limits[name] = max_height
            self._apply_limit(name)
            shown = None if max_height < 0 else max_height
            if name == self._ctx.source_name("v"):
                self._ctx.emit(ev.LocalMediaChanged(send_max_height=shown))

    def set_send_limit(self, max_height: int | None) -> None:
        self.send_limit = max_height
        for name in self.local:
            self._apply_limit(name)

    def _apply_limit(self, name: str) -> None:
        source = self.local.get(name)
        if source is None or source.kind is not MediaKind.VIDEO:
            return
        asked = self._limits.get(name, -1)
        bounds = [asked] if asked >= 0 else []
        if self.send_limit is not None and source.content is SourceContent.CAMERA:
            bounds.append(self.send_limit)
        self._ctx.effect(fx.LimitSender(name, min(bounds) if bounds else None))

    def start_screen(self) -> None:
        """The screen is captured: make its sender and signal it, once per session."""
        name = self._ctx.source_name("v", 1)
        if self.opened and name not in self.local:
            self._ctx.effect(fx.AddSender(self.generation, name, SourceContent.SCREEN))
        elif self.opened:
            self._ctx.effect(fx.MuteSender(name, False))

    def stop_screen(self) -> None:
        """Signalling is kept (removal would cost a renegotiation); presence says that it is gone."""
        name = self._ctx.source_name("v", 1)
        if name in self.local:
            self._ctx.effect(fx.MuteSender(name, True))

    def sender_added(self, generation: int, source: LocalSource) -> None:
        if generation != self.generation or self.offer is None:
            return
        ctx = self._ctx
        self.local[source.name] = source
        ctx.effect(fx.MuteSender(source.name, not ctx.local.sharing))
        self._apply_limit(source.name)
        video = self.offer.content("video")
        if video is None:
            return
        contents = (Content(video.name, "initiator", description=_local_description("video", (source,))),)
        add = Jingle("source-add", self.offer.sid, self.offer.initiator, ctx.jid, contents)
        ctx.ask("set", ctx.focus_occupant, build_jingle(add), lambda r, e: self._on_source_added(source.name, e))

    def _on_source_added(self, name: str, error: StanzaError | None) -> None:
        if error is not None:
            problem = failure("screen_general", f"{error.condition} {error.text}".strip())
            self._ctx.emit(ev.Notice(problem.code, problem.message, "error"))
        self._signalled_screen = error is None


def apply_start_muted(ctx: Context, audio: bool, video: bool) -> None:
    """The meeting's rule mutes us on entry; what was muted already stays ours to unmute."""
    local = ctx.local
    changed_audio, changed_video = audio and not local.microphone_muted, video and not local.camera_muted
    if audio:
        local.force_muted.add("audio")
        local.microphone_muted = True
    if video:
        local.force_muted.add("video")
        local.camera_muted = True
    if changed_audio or changed_video:
        ctx.presence_changed()
        if changed_video:
            ctx.effect(fx.ReleaseInput("camera"))
        ctx.emit(ev.StartedMuted(changed_audio, changed_video))
        ctx.emit(
            ev.LocalMediaChanged(
                microphone_muted=True if changed_audio else None, camera_muted=True if changed_video else None
            )
        )


def _content(kind: MediaKind, video_type: str) -> SourceContent:
    if kind is MediaKind.AUDIO:
        return SourceContent.MICROPHONE
    return SourceContent.SCREEN if video_type.startswith("desktop") else SourceContent.CAMERA


def remote_description(transport: IceTransport) -> TransportDescription:
    """The bridge's side for the engine; candidates it cannot use (TCP) are left out."""
    candidates = tuple(c for c in transport.candidates if c.protocol == "udp" and c.component == 1)
    return TransportDescription(
        transport.ufrag,
        transport.pwd,
        transport.fingerprints,
        transport.setup or "actpass",
        candidates,
        sctp_port=transport.sctp_port,
    )


def ice_transport(description: TransportDescription) -> IceTransport:
    """Our side for the wire. Candidates are not sent: the bridge learns our address from our checks."""
    return IceTransport(description.ufrag, description.pwd, description.fingerprints, description.setup)


def _local_description(media: str, sources: tuple[LocalSource, ...]) -> RtpDescription:
    entries: list[JingleSource] = []
    groups: list[SourceGroup] = []
    for s in sources:
        video_type = "" if media == "audio" else ("desktop" if s.content is SourceContent.SCREEN else "camera")
        entries.append(JingleSource(s.ssrc, s.name, "", s.msid, video_type))
        if s.rtx_ssrc is not None:
            entries.append(JingleSource(s.rtx_ssrc, s.name, "", s.msid, video_type))
            groups.append(SourceGroup("FID", (s.ssrc, s.rtx_ssrc)))
    return RtpDescription(media, (), (), tuple(entries), tuple(groups))


def build_accept(
    offer: Jingle, description: TransportDescription, local: tuple[LocalSource, ...], responder: str, last_n: int
) -> Jingle:
    """The session-accept for an offer: one content per offered one, all with our transport."""
    transport = ice_transport(description)
    contents = []
    for content in offer.contents:
        offered = content.description
        if offered is None:
            continue
        if offered.media == "application":
            data = replace(transport, sctp_port=offer.transport.sctp_port if offer.transport else 5000)
            answer = RtpDescription("application", rtcp_mux=False)
            contents.append(Content(content.name, "responder", description=answer, transport=data))
            continue
        kind = MediaKind.AUDIO if offered.media == "audio" else MediaKind.VIDEO
        answer = _local_description(offered.media, tuple(s for s in local if s.kind is kind))
        answer = replace(answer, codecs=offered.codecs, header_extensions=offered.header_extensions)
        contents.append(
            Content(
                content.name,
                "responder",
                description=answer,
                transport=transport,
                initial_last_n=last_n if kind is MediaKind.VIDEO else None,
            )
        )
    names = tuple(c.name for c in contents)
    return Jingle("session-accept", offer.sid, offer.initiator, responder, tuple(contents), names)
