"""Drives one transport of the media engine by offer/answer; the same for every vendor that speaks SDP.

An outgoing call::

    media = NegotiatedMedia(engine, call_id, on_event)
    media.negotiation.add_line("audio")
    sdp = await media.offer()
    ...
    outcome = await media.answered(their_sdp)

and an incoming one, or a change by the far side::

    media.offered(their_sdp)          # look at media.negotiation.lines, state wishes
    sdp = await media.answer()

The caller does one exchange after the other. Errors are :class:`NegotiationError` (the description) and those of the
engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from app.calls.model import SourceContent
from app.media.api import IceServer, MediaEngine, MediaEvent, RemoteSource, Transport, TransportConfig
from app.protocols.sdp.model import Line, Options, Outcome, RemoteTrack, may_send
from app.protocols.sdp.negotiation import Negotiation, NegotiationError

SLIDES = "slides"
"""RFC 4796: a line that shows a document rather than a person."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    ice_servers: tuple[IceServer, ...] = ()
    use_ipv6: bool = True
    video_codecs: tuple[str, ...] = ("VP8", "H264")
    data_channel: bool = False


@dataclass(slots=True)
class _Sender:
    name: str
    mid: str
    content: SourceContent
    muted: bool = False


def default_source(call_id: str, track: RemoteTrack) -> RemoteSource:
    """Named by label where there is one: a line that is used again shows somebody else."""
    content = SourceContent.MICROPHONE
    if track.kind.value == "video":
        content = SourceContent.SCREEN if track.content == SLIDES else SourceContent.CAMERA
    name = f"{call_id}/{track.label or track.mid}"
    return RemoteSource(
        name, track.label or "remote", track.kind, content, track.ssrc, track.rtx_ssrc, track.mid
    )  # fmt: skip


@dataclass(slots=True)
class _Progress:
    started: bool = False
    restarting: bool = False
    """Our ICE credentials are new, the far side's answer to them is still to come."""
    sources: dict[str, RemoteSource] = field(default_factory=dict)


class NegotiatedMedia:
    """*name_source* gives a remote track its name and participant, or ``None`` to leave it out."""

    def __init__(
        self,
        engine: MediaEngine,
        call_id: str,
        on_event: Callable[[MediaEvent], None],
        options: Options | None = None,
        transport_options: TransportOptions | None = None,
        name_source: Callable[[RemoteTrack], RemoteSource | None] | None = None,
    ) -> None:
        self.negotiation = Negotiation(options or Options())
        self.transport: Transport | None = None
        self.outcome: Outcome | None = None
        """Of the last exchange."""
        self._engine = engine
        self._call_id = call_id
        self._on_event = on_event
        self._options = transport_options or TransportOptions()
        self._name_source = name_source or (lambda track: default_source(call_id, track))
        self._senders: dict[str, _Sender] = {}
        self._progress = _Progress()
        self._count = 0

    # ------------------------------------------------------------ exchanges

    async def offer(self, *, ice_restart: bool = False) -> str:
        """Our offer of the present wishes; opens the transport and makes senders where they are missing."""
        if self.negotiation.phase != "stable":
            raise NegotiationError("an exchange is open already")
        if self.transport is None:
            await self._open(controlling=True, setup="actpass")
        assert self.transport is not None
        await self._make_senders()
        if ice_restart and self._progress.started:
            await self.transport.restart_ice()
            self._progress.restarting = True
        return self.negotiation.create_offer(self.transport.local)

    async def answered(self, sdp: str, *, provisional: bool = False) -> Outcome:
        """Their answer to our offer; *provisional* for early media."""
        outcome = self.negotiation.apply_answer(sdp, provisional=provisional)
        await self._apply(outcome, final=not provisional)
        return outcome

    def offered(self, sdp: str) -> Outcome:
        """Their offer. What it would come to with the present wishes; :meth:`answer` or :meth:`refuse` follows."""
        return self.negotiation.apply_offer(sdp)

    async def answer(self) -> str:
        """Our answer, applied at once."""
        pending = self._pending()
        if self.transport is not None and pending.new_endpoint:
            await self._close_transport()
            self.negotiation.forget_transport()
        elif self.transport is not None and pending.remote_restarted_ice and not self._progress.restarting:
            await self.transport.restart_ice()
            self._progress.restarting = True
        if self.transport is None:
            await self._open(controlling=False, setup=self.negotiation.answer_role())
        assert self.transport is not None
        await self._make_senders()
        text, outcome = self.negotiation.create_answer(self.transport.local)
        await self._apply(outcome, final=True)
        return text

    def _pending(self) -> Outcome:
        if self.negotiation.phase != "remote-offer":
            raise NegotiationError("no offer of theirs is open")
        return self.negotiation.preview()

    async def refuse(self) -> None:
        """Our offer was refused or theirs is: back to what held before."""
        self.negotiation.rollback()
        await self._remove_senders()
        if self.transport is not None and self.outcome is not None:
            self.transport.set_media(self.negotiation.media())
            self._set_muting(self.outcome)

    async def close(self) -> None:
        await self._close_transport()

    # ------------------------------------------------------------ wishes that need no exchange

    def sender(self, mid: str) -> str:
        """Name of our source on a line, ``""`` without one."""
        return next((s.name for s in self._senders.values() if s.mid == mid), "")

    def set_muted(self, mid: str, muted: bool) -> None:
        """Our source on a line; stays through hold and resume."""
        for sender in self._senders.values():
            if sender.mid == mid:
                sender.muted = muted
        if self.outcome is not None:
            self._set_muting(self.outcome)

    async def replace_sender(self, mid: str, content: SourceContent) -> None:
        """Another input for our source on a video line, the screen instead of the camera or back. The far side sees the
        same source go on, so no exchange is needed."""
        if self.transport is None:
            return
        for sender in self._senders.values():
            if sender.mid == mid and sender.content is not content:
                source = await self.transport.change_content(sender.name, content)
                sender.content = content
                self.negotiation.change(mid, source=source)

    @property
    def sources(self) -> tuple[RemoteSource, ...]:
        """What is received now."""
        return tuple(self._progress.sources.values())

    # ------------------------------------------------------------ inside

    async def _open(self, *, controlling: bool, setup: str) -> None:
        config = TransportConfig(
            call_id=self._call_id, controlling=controlling, setup=setup, ice_servers=self._options.ice_servers,
            use_ipv6=self._options.use_ipv6, media=self.negotiation.media(), video_codecs=self._options.video_codecs,
            data_channel=self._options.data_channel,
        )  # fmt: skip
        self.transport = await self._engine.open_transport(config, self._on_event)

    async def _make_senders(self) -> None:
        """One for each line of ours that may send; removed ones go."""
        assert self.transport is not None
        await self._remove_senders()
        self.transport.set_media(self.negotiation.media())
        for line in self.negotiation.lines:
            usable = line.live and not line.stopping and line.kind in ("audio", "video")
            if usable and line.ours and may_send(line.wanted) and line.source is None:
                self._count += 1
                name = f"{self._call_id}-{line.kind[0]}{self._count}"
                content = _content(line)
                source = await self.transport.add_sender(name, content, line.mid)
                # A line that was replaced while its sender was being made has nothing to send any more.
                self._senders[name] = _Sender(name, line.mid, content, self._was_muted(line.mid))
                self.negotiation.change(line.mid, source=source)

    def _was_muted(self, mid: str) -> bool:
        return any(s.muted for s in self._senders.values() if s.mid == mid)

    async def _remove_senders(self) -> None:
        live = {line.source.name for line in self.negotiation.lines if line.source is not None and line.live}
        for name in [n for n in self._senders if n not in live]:
            del self._senders[name]
            if self.transport is not None:
                await self.transport.remove_sender(name)

    async def _apply(self, outcome: Outcome, *, final: bool) -> None:
        transport, progress = self.transport, self._progress
        assert transport is not None
        self.outcome = outcome
        transport.set_media(outcome.media)
        if final:
            await self._remove_senders()
        self._map(transport, outcome)
        self._set_muting(outcome)
        if outcome.remote is None:
            return
        if not progress.started:
            progress.started = True
            await transport.start(outcome.remote)
        elif progress.restarting and final:
            progress.restarting = False
            await transport.continue_ice(outcome.remote)

    def _map(self, transport: Transport, outcome: Outcome) -> None:
        wanted: dict[str, RemoteSource] = {}
        for track in outcome.tracks:
            source = self._name_source(track)
            if source is not None:
                wanted[source.name] = source
        known = self._progress.sources
        for name in [n for n in known if n not in wanted]:
            transport.unmap_source(name)
        for name, source in wanted.items():
            if known.get(name) != source:
                transport.map_source(source)
        self._progress.sources = wanted

    def _set_muting(self, outcome: Outcome) -> None:
        if self.transport is not None:
            for sender in self._senders.values():
                self.transport.set_muted(sender.name, sender.muted or sender.mid not in outcome.sending)

    async def _close_transport(self) -> None:
        transport, self.transport = self.transport, None
        self._progress = _Progress()
        self._senders = {}
        if transport is not None:
            await transport.close()


def _content(line: Line) -> SourceContent:
    if line.kind == "audio":
        return SourceContent.MICROPHONE
    return SourceContent.SCREEN if line.content == SLIDES else SourceContent.CAMERA
