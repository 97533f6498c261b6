"""Video codecs and their RTP payload formats: VP8 (RFC 7741) and H.264 (RFC 6184, packetization modes 0 and 1).

Pure functions split and join payloads; the encoder and decoder classes wrap FFmpeg and libvpx. Nothing here knows of
sockets, loops or threads; an encoder or decoder must be used by one thread at a time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from app.media import video_vpx

logger = logging.getLogger(__name__)

CLOCK_RATE = 90_000
"""RTP clock of every video format (RFC 3551 section 5)."""

MAX_PAYLOAD = 1_160
"""Bytes per RTP payload: with IP, UDP, RTP header, extensions, RTX and SRTP it stays under a 1280-byte path MTU."""

MAX_PIXELS = 4096 * 2304
"""Larger pictures are refused: a few bytes could claim a picture of hundreds of megabytes."""

_START_CODE = b"\x00\x00\x00\x01"
_NAL_IDR, _NAL_SPS, _NAL_STAP_A, _NAL_FU_A = 5, 7, 24, 28
_PICTURE_ID_MODULUS = 1 << 15


class PayloadError(ValueError):
    """A payload that does not follow its format."""


@dataclass(frozen=True, slots=True)
class Part:
    """One payload, ready to be joined with its neighbours."""

    data: bytes
    opens: bool
    """Certainly the first of its frame (VP8), or parameter sets that precede a keyframe (H.264)."""
    keyframe: bool
    """A keyframe starts here."""
    continues: bool = False
    """Needs the payload before it."""


# ---------------------------------------------------------------- receiving


def depayload_vp8(payload: bytes) -> Part:
    """Strip the VP8 payload descriptor (RFC 7741 section 4.2). Raises :class:`PayloadError`."""
    size = len(payload)
    first = payload[0] if size else 0
    position = 1
    if first & 0x80:
        if size < 2:
            raise PayloadError("VP8 descriptor is cut off")
        extension = payload[1]
        position = 2
        if extension & 0x80:
            if size <= position:
                raise PayloadError("VP8 descriptor is cut off")
            position += 2 if payload[position] & 0x80 else 1
        if extension & 0x40:
            position += 1
        if extension & 0x30:
            position += 1
    if size <= position:
        raise PayloadError("VP8 payload is empty")
    opens = bool(first & 0x10) and not first & 0x07
    # Section 4.3: the lowest bit of the first octet of the frame header is 0 for a keyframe.
    return Part(payload[position:], opens, opens and not payload[position] & 0x01, not opens)


def depayload_h264(payload: bytes) -> Part:
    """One H.264 payload as Annex B bytes (RFC 6184 sections 5.6 to 5.8). Raises :class:`PayloadError`."""
    if len(payload) < 2:
        raise PayloadError("H.264 payload is too short")
    kind = payload[0] & 0x1F
    if 1 <= kind <= 23:
        return Part(_START_CODE + payload, kind == _NAL_SPS, kind in (_NAL_IDR, _NAL_SPS))
    if kind == _NAL_STAP_A:
        data, kinds = bytearray(), set()
        position = 1
        while position < len(payload):
            length = int.from_bytes(payload[position : position + 2], "big")
            position += 2
            if not length or position + length > len(payload):
                raise PayloadError("H.264 aggregation is cut off")
            kinds.add(payload[position] & 0x1F)
            data += _START_CODE + payload[position : position + length]
            position += length
        return Part(bytes(data), _NAL_SPS in kinds, bool(kinds & {_NAL_IDR, _NAL_SPS}))
    if kind == _NAL_FU_A:
        if len(payload) < 3:
            raise PayloadError("H.264 fragment is too short")
        kind = payload[1] & 0x1F
        if payload[1] & 0x80:
            header = bytes((payload[0] & 0xE0 | kind,))
            return Part(_START_CODE + header + payload[2:], kind == _NAL_SPS, kind in (_NAL_IDR, _NAL_SPS))
        return Part(payload[2:], False, False, True)
    raise PayloadError("H.264 payload type is not supported")


def depayload(codec: str, payload: bytes) -> Part:
    """*codec* is the encoding name in upper case. Raises :class:`PayloadError`."""
    if codec == "VP8":
        return depayload_vp8(payload)
    if codec == "H264":
        return depayload_h264(payload)
    raise PayloadError("codec is not supported")


# ---------------------------------------------------------------- sending


def packetize_vp8(data: bytes, picture_id: int) -> list[bytes]:
    """Payloads of nearly equal size with a 15-bit picture id (RFC 7741 section 4.2)."""
    extension = b"\x80" + (0x8000 | picture_id % _PICTURE_ID_MODULUS).to_bytes(2, "big")
    pieces = _split_evenly(data, MAX_PAYLOAD - 1 - len(extension))
    return [(b"\x90" if index == 0 else b"\x80") + extension + piece for index, piece in enumerate(pieces)]


def packetize_h264(data: bytes) -> list[bytes]:
    """Payloads of one access unit in Annex B form: STAP-A for small NAL units, FU-A for large ones."""
    payloads: list[bytes] = []
    small: list[bytes] = []

    def flush() -> None:
        if len(small) == 1:
            payloads.append(small[0])
        elif small:
            header = max(unit[0] & 0x60 for unit in small) | _NAL_STAP_A
            payloads.append(bytes((header,)) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in small))
        small.clear()

    for unit in split_annex_b(data):
        if len(unit) > MAX_PAYLOAD:
            flush()
            payloads.extend(_fragment(unit))
            continue
        if 1 + sum(len(other) + 2 for other in small) + len(unit) + 2 > MAX_PAYLOAD:
            flush()
        small.append(unit)
    flush()
    return payloads


def _fragment(unit: bytes) -> Iterator[bytes]:
    indicator, kind = unit[0] & 0xE0 | _NAL_FU_A, unit[0] & 0x1F
    pieces = _split_evenly(unit[1:], MAX_PAYLOAD - 2)
    for index, piece in enumerate(pieces):
        start, end = index == 0, index == len(pieces) - 1
        yield bytes((indicator, kind | (0x80 if start else 0) | (0x40 if end else 0))) + piece


def split_annex_b(data: bytes) -> Iterator[bytes]:
    """NAL units between start codes (H.264 Annex B), without empty ones."""
    position = data.find(b"\x00\x00\x01")
    while position != -1:
        start = position + 3
        position = data.find(b"\x00\x00\x01", start)
        unit = data[start:] if position == -1 else data[start:position]
        # Zero bytes before the next start code belong to it; a NAL unit never ends in one.
        unit = unit.rstrip(b"\x00")
        if unit:
            yield unit


def _split_evenly(data: bytes, limit: int) -> list[bytes]:
    count = max(1, -(-len(data) // limit))
    size, larger = divmod(len(data), count)
    pieces, position = [], 0
    for index in range(count):
        end = position + size + (1 if index < larger else 0)
        pieces.append(data[position:end])
        position = end
    return pieces


def packetize(codec: str, data: bytes, picture_id: int) -> list[bytes]:
    return packetize_vp8(data, picture_id) if codec == "VP8" else packetize_h264(data)


# ---------------------------------------------------------------- decoders


class DecodeError(Exception):
    """The decoder refused a frame; a keyframe is needed."""


class VideoDecoder:
    """FFmpeg's own ``vp8`` or ``h264`` decoder on one thread."""

    def __init__(self, codec: str) -> None:
        import av
        from av.codec.context import Flags

        self.codec = codec
        self._context: Any = av.CodecContext.create({"VP8": "vp8", "H264": "h264"}[codec], "r")
        self._context.thread_count = 1
        self._context.options = {"max_pixels": str(MAX_PIXELS)}
        # Without it the H.264 decoder holds pictures back for B-frames that real-time senders never use.
        self._context.flags |= Flags.low_delay

    def decode(self, data: bytes) -> Any | None:
        """The picture (``av.VideoFrame``), or ``None`` for a frame that shows nothing. Raises :class:`DecodeError`."""
        import av

        try:
            frames = self._context.decode(av.Packet(data))
        except (av.FFmpegError, ValueError, EOFError) as error:
            raise DecodeError(str(error)) from error
        return frames[-1] if frames else None


# ---------------------------------------------------------------- encoders


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    data: bytes
    keyframe: bool


class VideoEncoder(Protocol):
    """An encoder of one picture size; ``yuv420p`` frames of exactly that size go in."""

    width: int
    height: int

    def encode(self, frame: Any, timestamp: int, keyframe: bool) -> EncodedFrame | None:
        """*timestamp* in 1/90000 s, growing. ``None`` when the encoder dropped the frame to keep its bitrate."""

    def set_bitrate(self, bps: int) -> None: ...

    def close(self) -> None: ...


def encoder_threads(width: int, height: int) -> int:
    """Threads for one encoder: a second one only where a picture is large and cores are free."""
    cores = os.cpu_count() or 1
    if width * height >= 1920 * 1080 and cores >= 8:
        return 4
    return 2 if width * height > 640 * 480 and cores >= 4 else 1


class Vp8Encoder:
    """libvpx with live bitrate; FFmpeg's wrapper (rebuilt on larger bitrate changes) where libvpx is not reachable."""

    def __init__(self, width: int, height: int, bitrate: int, fps: float, screen: bool) -> None:
        self.width, self.height = width, height
        self._last_timestamp: int | None = None
        self._frame_duration = int(CLOCK_RATE / max(fps, 1.0))
        self._settings = (fps, screen)
        self._bitrate = bitrate
        self._live: video_vpx.VpxEncoder | None = None
        self._rebuilt: Any = None
        if video_vpx.library() is not None:
            threads = encoder_threads(width, height)
            self._live = video_vpx.VpxEncoder(width, height, bitrate, fps, screen=screen, threads=threads)

    @property
    def live(self) -> bool:
        """Whether the bitrate changes without a keyframe."""
        return self._live is not None

    def encode(self, frame: Any, timestamp: int, keyframe: bool) -> EncodedFrame | None:
        duration = self._frame_duration if self._last_timestamp is None else timestamp - self._last_timestamp
        self._last_timestamp = timestamp
        if self._live is not None:
            encoded = self._live.encode(frame, timestamp, duration, keyframe)
            return EncodedFrame(*encoded) if encoded is not None else None
        return self._encode_with_wrapper(frame, timestamp, keyframe)

    def _encode_with_wrapper(self, frame: Any, timestamp: int, keyframe: bool) -> EncodedFrame | None:
        if self._rebuilt is None:
            self._rebuilt = self._open_wrapper()
        return _encode_with_ffmpeg(self._rebuilt, frame, timestamp, keyframe)

    def _open_wrapper(self) -> Any:
        import av

        context: Any = av.CodecContext.create("libvpx", "w")
        context.width, context.height, context.pix_fmt = self.width, self.height, "yuv420p"
        context.bit_rate, context.gop_size = self._bitrate, 3000
        context.time_base = Fraction(1, CLOCK_RATE)
        context.framerate = Fraction(int(self._settings[0]) or 1, 1)
        context.qmin, context.qmax = 2, 56
        rate = str(self._bitrate)
        context.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "bufsize": rate}
        context.options |= {"minrate": rate, "maxrate": rate, "static-thresh": "1", "undershoot-pct": "100"}
        context.thread_count = encoder_threads(self.width, self.height)
        return context

    def set_bitrate(self, bps: int) -> None:
        if self._live is not None:
            self._live.set_bitrate(bps)
        elif abs(bps - self._bitrate) > self._bitrate * 0.25:
            # The wrapper reads the bitrate only when it opens; smaller changes are not worth the keyframe.
            self._rebuilt = None
        else:
            return
        self._bitrate = bps

    def close(self) -> None:
        if self._live is not None:
            self._live.close()
        self._rebuilt = None


class H264Encoder:
    """x264, constrained baseline, superfast and zerolatency, parameter sets before each keyframe.

    x264 takes a new bitrate while it runs, but only below the ceiling it was opened with and only when it was opened
    as constant bitrate; so it opens at the ceiling and is lowered before the second frame.
    """

    _CEILING = 4_000_000
    _BUFFER_BITS = 600_000

    def __init__(self, width: int, height: int, bitrate: int, fps: float, screen: bool) -> None:
        import av

        self.width, self.height = width, height
        context: Any = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base = Fraction(1, CLOCK_RATE)
        context.framerate = Fraction(max(1, round(fps)), 1)
        context.gop_size = 3000
        context.bit_rate = self._CEILING
        context.thread_count = encoder_threads(width, height)
        options = {"preset": "superfast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"}
        options |= {"maxrate": str(self._CEILING), "bufsize": str(self._BUFFER_BITS), "sc_threshold": "0"}
        context.options = options
        context.open()
        context.bit_rate = min(bitrate, self._CEILING)
        self._context = context

    def encode(self, frame: Any, timestamp: int, keyframe: bool) -> EncodedFrame | None:
        return _encode_with_ffmpeg(self._context, frame, timestamp, keyframe)

    def set_bitrate(self, bps: int) -> None:
        self._context.bit_rate = min(bps, self._CEILING)

    def close(self) -> None:
        self._context = None


def _encode_with_ffmpeg(context: Any, frame: Any, timestamp: int, keyframe: bool) -> EncodedFrame | None:
    from av.video.frame import PictureType

    frame.pts, frame.time_base = timestamp, Fraction(1, CLOCK_RATE)
    frame.pict_type = PictureType.I if keyframe else PictureType.NONE
    packets = context.encode(frame)
    data = b"".join(bytes(packet) for packet in packets)
    return EncodedFrame(data, any(packet.is_keyframe for packet in packets)) if data else None


def make_encoder(codec: str, width: int, height: int, bitrate: int, fps: float, screen: bool) -> VideoEncoder:
    """*codec* is ``VP8`` or ``H264``; sizes must be even."""
    if codec == "H264":
        return H264Encoder(width, height, bitrate, fps, screen)
    return Vp8Encoder(width, height, bitrate, fps, screen)
