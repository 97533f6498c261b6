"""Media of one leg: session descriptions as Asterisk writes them, one bundled transport, streams in and out."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.calls.model import MediaKind
from app.media.api import Codec, HeaderExtension, MediaDescription, TransportConfig, TransportDescription
from app.media.audio_codecs import TELEPHONE_EVENT, is_supported, make_decoder, make_encoder
from app.media.dtmf import DtmfReceiver
from app.media.errors import InvalidState
from app.media.rtp import ReceivedPacket
from app.media.transport import BundledTransport
from app.protocols.sdp import codecs as formats
from app.protocols.sdp.description import Description, SdpError, Section, parse
from app.sandbox.wazo.streams import BLOCK, RATE, AudioHeard, OutStream, VideoSeen

log = logging.getLogger(__name__)

ABS_SEND_TIME = HeaderExtension(2, formats.URI_ABS_SEND_TIME)
VIDEO_FEEDBACK = ("goog-remb", "ccm fir", "nack")
FEEDBACK_LINES = ("rtcp-fb:* ccm fir", "rtcp-fb:* goog-remb", "rtcp-fb:* nack")
AUDIO = (*formats.AUDIO_CODECS,)
VIDEO = tuple(
    replace(codec, feedback=VIDEO_FEEDBACK) for codec in formats.VIDEO_CODECS if codec.name.lower() != "rtx"
)  # fmt: skip
FLIP = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
CANDIDATE_WAIT_S = 5.0


class NoCommonCodec(Exception):
    """Nothing that both sides can; the call is refused with 488."""


@dataclass(slots=True)
class Line:
    """One ``m=`` line towards the client; ``direction`` is the server's view."""

    kind: str
    mid: str
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[HeaderExtension, ...] = ()
    direction: str = "sendrecv"
    live: bool = True
    label: str = ""
    """Id of the leg whose picture this extra line carries."""
    msid: str = ""
    ssrc: int = 0
    out: OutStream | None = None
    remote: Section | None = None

    @property
    def sends(self) -> bool:
        return self.live and self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        return self.live and self.direction in ("sendrecv", "recvonly")

    def codec_of(self, payload_type: int) -> Codec | None:
        return next((c for c in self.codecs if c.payload_type == payload_type), None)

    def matching(self, codec: Codec) -> Codec | None:
        """Our number for somebody else's format."""
        return next((c for c in self.codecs if formats.same(c, codec)), None)


@dataclass(slots=True)
class Hooks:
    """What the leg wants to know."""

    audio: Callable[[ReceivedPacket, Codec, Any], None] = lambda packet, codec, samples: None
    video: Callable[[ReceivedPacket, Codec], None] = lambda packet, codec: None
    digit: Callable[[str, int], None] = lambda digit, milliseconds: None
    talking: Callable[[bool], None] = lambda talking: None
    keyframe: Callable[[Line], None] = lambda line: None
    state: Callable[[str], None] = lambda state: None


class LegMedia:
    """See the module's words. Every change of descriptions is serialised by :attr:`lock`."""

    def __init__(self, leg_id: str, allow: Iterable[str], faults: Any) -> None:
        self.id = leg_id
        self.hooks = Hooks()
        self.lock = asyncio.Lock()
        self.lines: list[Line] = []
        self.heard = AudioHeard()
        self.seen = VideoSeen()
        self.transport: BundledTransport | None = None
        self.packets_out = 0
        names = {"ulaw": "PCMU", "alaw": "PCMA", "opus": "OPUS", "vp8": "VP8", "h264": "H264", "g722": "G722"}
        self._allowed = {names.get(name, "") for name in allow}
        self._faults = faults
        self._session_id, self._version = str(secrets.randbits(60)), 1
        self._stream = str(uuid.uuid4())
        self._remote_transport: TransportDescription | None = None
        self._decoders: dict[int, Any] = {}
        self._encoder: tuple[Codec, Any] | None = None
        self._digits: dict[int, DtmfReceiver] = {}
        self._started = False
        self._restarting = False
        self._keyframe_at = 0.0
        self._closed = False

    # ------------------------------------------------------------------ lines

    @property
    def audio(self) -> Line | None:
        return next((line for line in self.lines if line.kind == "audio"), None)

    @property
    def video(self) -> Line | None:
        """The line of the client's own picture."""
        return next((line for line in self.lines if line.kind == "video" and not line.label and line.live), None)

    def has_video(self) -> bool:
        return self.video is not None

    def _known(self, kind: str) -> tuple[Codec, ...]:
        codecs = AUDIO if kind == "audio" else VIDEO
        keep = self._allowed | {TELEPHONE_EVENT.upper()}
        return tuple(c for c in codecs if c.name.upper() in keep)

    def _new_line(self, kind: str, mid: str, codecs: tuple[Codec, ...]) -> Line:
        line = Line(kind, mid, codecs, (ABS_SEND_TIME,) if kind == "video" else ())
        line.msid = f"{self._stream} {uuid.uuid4()}"
        line.ssrc = secrets.randbits(31) + 1
        line.out = OutStream(line.ssrc, 90_000 if kind == "video" else 48_000)
        return line

    # ------------------------------------------------------------------ their offer

    async def accept(self, offer: str, *, only: tuple[Codec, ...] | None = None, video: bool = True) -> None:
        """Take an offer; :meth:`answer` then says what we make of it. *only*: formats that may be agreed.

        Raises :class:`NoCommonCodec` and :class:`SdpError`.
        """
        async with self.lock:
            description = parse(offer)
            lines = [self._taken(index, section, only, video) for index, section in enumerate(description.sections)]
            audio = next((line for line in lines if line.kind == "audio"), None)
            if audio is None or not audio.live:
                raise NoCommonCodec
            self.lines = lines
            await self._transport_for(description, controlling=False, setup="active")

    def _taken(self, index: int, section: Section, only: tuple[Codec, ...] | None, video: bool) -> Line:
        known = self.lines[index] if index < len(self.lines) else None
        mid = section.mid or (known.mid if known is not None else str(index))
        agreed = formats.intersect(self._known(section.kind), section.codecs)
        if only is not None:
            agreed = tuple(
                c for c in agreed if c.name.lower() == TELEPHONE_EVENT or any(formats.same(c, o) for o in only)
            )  # fmt: skip
        voice = [c for c in agreed if c.name.lower() != TELEPHONE_EVENT]
        line = known or self._new_line(section.kind, mid, ())
        wanted = not section.rejected and section.kind in ("audio", "video") and bool(voice)
        extra = section.kind == "video" and any(
            other.kind == "video" and not other.label and other is not line for other in self.lines[:index]
        )  # fmt: skip
        line = replace(line, codecs=agreed, remote=section, live=wanted and (video or section.kind == "audio"))
        if section.kind == "video" and extra and known is None:
            line.live = False
        line.extensions = formats.shared_extensions((ABS_SEND_TIME,), section.extensions)
        line.direction = FLIP.get(section.direction, "sendrecv")
        if line.out is not None and voice:
            line.out.clock_rate = voice[0].clock_rate
        return line

    def answer(self) -> str:
        """Our answer to the accepted offer."""
        assert self.transport is not None
        setup = self.transport.local.setup
        return self._describe("active" if setup == "actpass" else setup)

    # ------------------------------------------------------------------ our offer

    async def offer(self, *, like: LegMedia | None = None, video: bool = False) -> str:
        """A first or further offer. *like*: the formats of another leg, with its numbers."""
        async with self.lock:
            if not self.lines:
                kinds = ["audio", "video"] if video else ["audio"]
                for index, kind in enumerate(kinds):
                    self.lines.append(self._new_line(kind, f"{kind}-{index}", self._offered(kind, like)))
            if self.transport is None:
                self._make_transport(controlling=True, setup="actpass")
            assert self.transport is not None
            await self.transport.gather()
            return self._describe("actpass")

    def _offered(self, kind: str, like: LegMedia | None) -> tuple[Codec, ...]:
        """The other leg's formats with its numbers first, then what else this line may use."""
        line = None
        if like is not None:
            line = like.audio if kind == "audio" else like.video
        if like is None or line is None or not line.codecs:
            return self._known(kind)
        used = {codec.payload_type: codec for one in like.lines for codec in one.codecs}
        return formats.merged(line.codecs, self._known(kind), used)

    def add_video(self, like: LegMedia | None = None) -> bool:
        """Make a line for the other party's picture in the next offer; False when there is one."""
        if self.video is not None:
            return False
        for line in self.lines:
            if line.kind == "video" and not line.live and not line.label:
                line.live, line.direction, line.codecs = True, "sendrecv", self._offered("video", like)
                return True
        mid = f"video-{len(self.lines)}"
        self.lines.append(self._new_line("video", mid, self._offered("video", like)))
        return True

    def set_extra(self, labels: list[str]) -> bool:
        """Which other legs' pictures go to this client, one line each; True when the next offer differs.

        A line whose participant left is closed (port 0) and used again for a later one, with a new stream.
        """
        changed = False
        for line in self.lines:
            if line.label and line.live and line.label not in labels:
                line.live, changed = False, True
        own = self.video or next((x for x in self.lines if x.kind == "video"), None)
        codecs = (own.codecs if own is not None else ()) or self._known("video")
        for label in labels:
            if any(line.live and line.label == label for line in self.lines):
                continue
            fresh = self._new_line("video", f"video-{len(self.lines)}", codecs)
            fresh.label, fresh.direction, fresh.msid = label, "sendonly", f"{uuid.uuid4()} {uuid.uuid4()}"
            free = next((i for i, line in enumerate(self.lines) if line.label and not line.live), None)
            if free is None:
                self.lines.append(fresh)
            else:
                fresh.mid = self.lines[free].mid
                self._forget_stream(self.lines[free])
                self.lines[free] = fresh
            changed = True
        return changed

    def line_for(self, label: str) -> Line | None:
        return next((line for line in self.lines if line.label == label and line.live), None)

    async def apply_answer(self, answer: str) -> None:
        """Their answer to our offer. Raises :class:`NoCommonCodec` and :class:`SdpError`."""
        async with self.lock:
            description = parse(answer)
            for line, section in zip(self.lines, description.sections, strict=False):
                line.remote = section
                if section.rejected:
                    if not line.label:
                        line.live = False
                    continue
                agreed = formats.intersect(line.codecs, section.codecs)
                line.live = line.live and bool(agreed)
                line.codecs = agreed or line.codecs
                line.extensions = formats.shared_extensions(line.extensions, section.extensions)
                line.direction = FLIP.get(section.direction, "sendrecv") if not line.label else "sendonly"
                if line.out is not None and agreed:
                    voice = next((c for c in agreed if c.name.lower() != TELEPHONE_EVENT), agreed[0])
                    line.out.clock_rate = voice.clock_rate
            if self.audio is None or not self.audio.live:
                raise NoCommonCodec
            await self._transport_for(description, controlling=True, setup="actpass")

    # ------------------------------------------------------------------ text

    def _describe(self, setup: str) -> str:
        assert self.transport is not None
        local = self.transport.local
        sections = tuple(self._section(line, local, setup) for line in self.lines)
        # In its offers Asterisk goes on listing removed lines in the group; an answer must not (RFC 8843).
        bundle = tuple(line.mid for line in self.lines if line.live or setup == "actpass")
        self._version += 1
        description = Description(
            self._session_id, self._version, name="Asterisk", bundle=bundle, sections=sections,
            extra=("msid-semantic:WMS *",),
        )  # fmt: skip
        return str(description)

    def _section(self, line: Line, local: TransportDescription, setup: str) -> Section:
        if not line.live:
            # Exactly what a removed stream looks like: a port of 0 and nothing but the mid (wazo.md 5.3).
            kept = line.codecs or self._known(line.kind) or (Codec(0, "PCMU", 8000),)
            return Section(line.kind, 0, formats=(str(kept[0].payload_type),), mid=line.mid, direction="inactive")
        port = next((c.port for c in local.candidates), 9)
        video = line.kind == "video"
        return Section(
            line.kind, port,
            formats=tuple(str(c.payload_type) for c in line.codecs),
            mid=line.mid, direction=line.direction,
            codecs=tuple(replace(c, feedback=()) for c in line.codecs),
            extensions=line.extensions, ufrag=local.ufrag, pwd=local.pwd, fingerprints=local.fingerprints, setup=setup,
            candidates=local.candidates, rtcp_mux=True, msid=(line.msid,), ssrcs=(line.ssrc,), cname=self._stream,
            label=line.label, address="127.0.0.1",
            extra=(("connection:existing" if self._started else "connection:new"), *(FEEDBACK_LINES if video else ())),
        )  # fmt: skip

    # ------------------------------------------------------------------ transport

    def _make_transport(self, *, controlling: bool, setup: str) -> None:
        config = TransportConfig(
            call_id=self.id, controlling=controlling, setup=setup, use_ipv6=False, media=self._descriptions()
        )
        transport = BundledTransport(config, bind_addresses=("127.0.0.1",), auto_nack=True)
        transport.session.on_rtp = self._received
        transport.session.on_keyframe_request = self._keyframe_asked
        transport.on_state = lambda state, reason: self.hooks.state(state)
        self.transport = transport
        self.apply_faults()

    def apply_faults(self) -> None:
        if self.transport is not None:
            self.transport.faults.loss = self._faults.media_loss
            self.transport.faults.delay_ms = self._faults.media_delay_s * 1000
            self.transport.faults.blackhole = self._faults.media_blackhole

    def _descriptions(self) -> tuple[MediaDescription, ...]:
        found = []
        for line in self.lines:
            if line.live and not line.label:
                kind = MediaKind.AUDIO if line.kind == "audio" else MediaKind.VIDEO
                codecs = tuple(replace(c, feedback=VIDEO_FEEDBACK) if line.kind == "video" else c for c in line.codecs)
                found.append(MediaDescription(kind, line.mid, codecs, line.extensions))
        return tuple(found)

    async def _transport_for(self, description: Description, *, controlling: bool, setup: str) -> None:
        remote = description.transport
        if remote is None:
            raise SdpError("the description has no transport")
        if self.transport is None:
            self._make_transport(controlling=controlling, setup=setup)
        assert self.transport is not None
        self.transport.session.configure(self._descriptions())
        self._register_streams()
        old, self._remote_transport = self._remote_transport, remote
        if old is None:
            await self.transport.start(remote)
            self._started = True
        elif (old.ufrag, old.pwd) != (remote.ufrag, remote.pwd):
            try:
                if not self._restarting:
                    await self.transport.restart_ice()
                await self.transport.continue_ice(remote)
            except InvalidState:
                log.info("leg %s: ICE cannot be restarted now", self.id)

    def _register_streams(self) -> None:
        assert self.transport is not None
        session = self.transport.session
        for line in self.lines:
            if line.live and line.ssrc not in session.streams:
                kind = MediaKind.AUDIO if line.kind == "audio" else MediaKind.VIDEO
                session.add_stream(line.ssrc, kind)
            elif not line.live:
                self._forget_stream(line)

    def _forget_stream(self, line: Line) -> None:
        if self.transport is not None and line.ssrc in self.transport.session.streams:
            self.transport.session.remove_stream(line.ssrc)

    @property
    def connected(self) -> bool:
        return self.transport is not None and self.transport.state == "connected"

    async def close(self) -> None:
        self._closed = True
        self.hooks = Hooks()
        if self.transport is not None:
            await self.transport.close()
        if self._encoder is not None:
            self._encoder[1].close()
        for decoder in self._decoders.values():
            if decoder is not None:
                decoder.close()

    # ------------------------------------------------------------------ media in

    def _received(self, packet: ReceivedPacket) -> None:
        if self._closed or not packet.payload:
            return
        audio, video = self.audio, self.video
        codec = audio.codec_of(packet.payload_type) if audio is not None else None
        if codec is not None:
            self._voice(packet, codec)
            return
        codec = video.codec_of(packet.payload_type) if video is not None else None
        if codec is not None:
            if self.seen.add(packet, codec):
                self.request_keyframe()
            self.hooks.video(packet, codec)

    def _voice(self, packet: ReceivedPacket, codec: Codec) -> None:
        if codec.name.lower() == TELEPHONE_EVENT:
            receiver = self._digits.setdefault(codec.clock_rate, DtmfReceiver(codec.clock_rate))
            tone = receiver.receive(packet.timestamp, packet.payload)
            if tone is not None:
                self.heard.digits.append((tone[0], "rfc4733"))
                self.hooks.digit(tone[0], int(tone[1]))
            self.hooks.audio(packet, codec, None)
            return
        if codec.payload_type not in self._decoders:
            self._decoders[codec.payload_type] = make_decoder(codec) if is_supported(codec) else None
        decoder = self._decoders[codec.payload_type]
        samples = None
        if decoder is not None:
            try:
                samples = decoder.decode(packet.payload)
            except ValueError:
                return
            self.heard.codec = codec.name
            if self.heard.add(samples):
                self.hooks.talking(self.heard.talking)
        else:
            self.heard.packets += 1
        self.hooks.audio(packet, codec, samples)

    def request_keyframe(self) -> None:
        """Ask the client for a keyframe, at most a few times a second."""
        now = time.monotonic()
        if self.transport is None or not self.seen.ssrc or now - self._keyframe_at < 0.2:
            return
        self._keyframe_at = now
        self.transport.session.request_keyframe(self.seen.ssrc)

    def _keyframe_asked(self, ssrc: int) -> None:
        line = next((x for x in self.lines if x.ssrc == ssrc), None)
        if line is not None:
            self.hooks.keyframe(line)

    # ------------------------------------------------------------------ media out

    def _send(self, line: Line, data: bytes) -> None:
        if self.transport is None or not self.connected:
            return
        stream = self.transport.session.streams.get(line.ssrc)
        if stream is not None:
            self.packets_out += 1
            self.transport.session.send_raw(data, stream)

    def relay(self, line: Line | None, packet: ReceivedPacket, codec: Codec) -> bool:
        """Forward a packet of somebody else; False when the client does not take this format."""
        if line is None or not line.sends or line.out is None:
            return True
        mine = line.matching(codec)
        if mine is None:
            return codec.name.lower() == TELEPHONE_EVENT
        self._send(line, line.out.relay(packet, mine.payload_type, codec.name.upper(), time.monotonic()))
        return True

    def play(self, samples: Any) -> None:
        """Send 20 ms of sound (int16 mono at 48 kHz)."""
        line = self.audio
        if line is None or not line.sends or line.out is None or not self.connected:
            return
        codec = next((c for c in line.codecs if is_supported(c)), None)
        if codec is None:
            return
        if self._encoder is None or self._encoder[0] != codec:
            self._encoder = (codec, make_encoder(codec))
        payload = self._encoder[1].encode(samples)
        units = BLOCK * codec.clock_rate // RATE
        self._send(line, line.out.make(payload, codec.payload_type, time.monotonic(), samples=units))

    def show(self, line: Line | None, frame: bytes, step: int) -> None:
        """Send one VP8 frame, *step* timestamp units after the one before."""
        from app.media.video_codec import packetize

        if line is None or not line.sends or line.out is None or not self.connected:
            return
        codec = next((c for c in line.codecs if c.name.upper() == "VP8"), None)
        if codec is None:
            return
        parts = packetize("VP8", frame, line.out.next_picture())
        now = time.monotonic()
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            units = step if index == 0 else 0
            self._send(line, line.out.make(part, codec.payload_type, now, marker=int(last), samples=units))
