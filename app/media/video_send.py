"""One local video: pictures in, paced RTP packets out.

:class:`VideoSender` lives on the engine's loop. Pictures come from a capture thread through :meth:`VideoSender.push`;
scaling and encoding run in the shared encode pool and only ever on the newest picture; packets leave on the loop.
Resolution and frame rate follow the target bitrate, what the far side asks for and what the camera gives, by the pure
functions at the top. A change of bitrate never costs a keyframe, a change of resolution always does.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import RtpPacket

from app.calls.model import SourceContent
from app.media.api import Codec
from app.media.frames import Strand, encode_pool
from app.media.parts import PacketSink
from app.media.video_codec import CLOCK_RATE, EncodedFrame, VideoEncoder, make_encoder, packetize
from app.media.video_vpx import VpxError

logger = logging.getLogger(__name__)

HEIGHTS = (180, 360, 540, 720, 1080)
"""Picture heights that are sent; lib-jitsi-meet's simulcast uses 180, 360 and 720."""
MAX_BITRATES = {180: 200_000, 360: 500_000, 540: 900_000, 720: 1_500_000, 1080: 3_000_000}
"""What a camera picture of each height gains from, bits per second; more is not sent."""
SCREEN_MAX_BITRATE = 2_500_000
MIN_BITRATE = 40_000
START_BITRATE = 800_000
ENOUGH_BITRATES = {180: 0, 360: 160_000, 540: 400_000, 720: 600_000, 1080: 1_600_000}
"""Least bitrate for each height; below it a smaller picture looks better."""
STEP_DOWN_FACTOR = 0.8
"""A height already in use is kept down to this part of its least bitrate, so that it does not flap."""
CAMERA_FPS = 30.0
SCREEN_MOTION_FPS = 30.0
SCREEN_TEXT_FPS = 15.0
SCREEN_LEAST_FPS = 5.0
SCREEN_BITS_PER_FRAME = 60_000
"""Bits of one frame of a changing screen at readable quality; decides how many frames a second it gets."""
FPS_TOLERANCE = 0.6
"""A frame may come this part of an interval after the last one was due: cameras are never exactly on time."""
KEYFRAME_INTERVAL_MS = 300.0
"""Requests within this time of a keyframe share the next one (PLI storms of many viewers)."""
STILL_REFRESH_MS = 1_000.0
"""A screen that stands still repeats its last picture so often: the encoder sharpens it, and loss at the end of a
change is repaired."""
RATE_WINDOW_MS = 5_000.0


def max_bitrate(content: SourceContent, height: int) -> int:
    """Most that a picture of this height is given."""
    if content is SourceContent.SCREEN:
        return SCREEN_MAX_BITRATE
    for step in HEIGHTS:
        if height <= step:
            return MAX_BITRATES[step]
    return MAX_BITRATES[HEIGHTS[-1]]


def choose_height(
    content: SourceContent, source_height: int, max_height: int | None, bitrate: float, current: int | None
) -> int:
    """Height to send, never more than the source has; 0 when the far side asks for nothing.

    *current* is the height in use, kept a little longer than it would be chosen anew.
    """
    if max_height is not None and max_height <= 0:
        return 0
    limit = source_height if max_height is None else min(source_height, max_height)
    if content is SourceContent.SCREEN:
        return limit
    allowed = sorted({min(step, limit) for step in HEIGHTS if step <= limit} | {min(limit, HEIGHTS[0])})
    # A camera of odd height (480, 768) sends its own height rather than the next lower step.
    if max_height is None or max_height >= source_height:
        allowed = sorted({*allowed, limit}) if limit <= HEIGHTS[-1] else allowed
    best = allowed[0]
    for height in allowed[1:]:
        step = next((step for step in HEIGHTS if height <= step), HEIGHTS[-1])
        needed = ENOUGH_BITRATES[step]
        if current is not None and height <= current:
            needed = int(needed * STEP_DOWN_FACTOR)
        if bitrate >= needed:
            best = height
    return best


def choose_fps(content: SourceContent, optimise_for: str, bitrate: float) -> float:
    """Frames per second at most."""
    if content is not SourceContent.SCREEN:
        return CAMERA_FPS
    if optimise_for == "motion":
        return SCREEN_MOTION_FPS
    return min(SCREEN_TEXT_FPS, max(SCREEN_LEAST_FPS, bitrate / SCREEN_BITS_PER_FRAME))


def scaled_size(width: int, height: int, target_height: int) -> tuple[int, int]:
    """Even size of *target_height* with the same shape."""
    if target_height >= height:
        return width & ~1, height & ~1
    return max(2, round(width * target_height / height) & ~1), max(2, target_height & ~1)


@dataclass(frozen=True, slots=True)
class VideoSendStats:
    """Counters since the sender began; rates are means over the last five seconds."""

    codec: str
    width: int | None
    height: int | None
    fps: float
    bitrate_bps: float
    target_bitrate_bps: float
    frames: int
    keyframes: int
    packets: int
    packet_bytes: int
    skipped: int
    """Pictures not encoded because the encoder was busy or dropped them to keep its rate."""
    plis: int
    encode_ms: float


class VideoSender:
    """Sends one local SSRC; see :class:`app.media.parts.Sender`. :meth:`push` may be called from any thread."""

    def __init__(
        self,
        ssrc: int,
        codec: Codec,
        sink: PacketSink,
        content: SourceContent,
        *,
        optimise_for: str = "motion",
        loop: asyncio.AbstractEventLoop | None = None,
        pool: ThreadPoolExecutor | None = None,
    ) -> None:
        self.ssrc = ssrc
        self.content = content
        self._codec = codec
        self._name = codec.name.upper()
        self._sink = sink
        self._optimise_for = optimise_for
        self._loop = loop or asyncio.get_running_loop()
        self._strand = Strand(pool or encode_pool())
        self._lock = threading.Lock()
        self._newest: tuple[Any, float] | None = None
        self._last: tuple[Any, float] | None = None
        self._scheduled = False
        self._muted = False
        self._closed = False
        self._max_height: int | None = None
        self._max_bitrate: int | None = None
        self._target: float = START_BITRATE
        self._sequence = random.randrange(1 << 15)
        self._timestamp_offset = random.randrange(1 << 32)
        self._picture_id = random.randrange(1 << 15)
        self._keyframe_wanted = True
        self._keyframe_ms = float("-inf")
        self._plis = self._packets = self._bytes = 0
        self._sent: deque[tuple[float, int, bool]] = deque(maxlen=8_192)
        self._first_sent_ms: float | None = None
        self._postponed: asyncio.TimerHandle | None = None
        self._refresh: asyncio.TimerHandle | None = self._loop.call_later(STILL_REFRESH_MS / 1000, self._refresh_still)
        # Of the worker
        self._encoder: VideoEncoder | None = None
        self._reformatter: Any = None
        self._source_key: tuple[int, int] | None = None
        self._taken_ms = float("-inf")
        self._encoded_ms = float("-inf")
        self._encoded_capture_ms = float("-inf")
        self._timestamp: int | None = None
        self._frames = self._keyframes = self._skipped = 0
        self._encode_ms = 0.0

    # ------------------------------------------------------------ control (loop)

    def request_keyframe(self) -> None:
        """PLI or FIR: the next picture is a keyframe, or the last one again if the source stands still."""
        self._plis += 1
        if self._muted or self._closed:
            return
        self._keyframe_wanted = True
        wait = self._keyframe_ms + KEYFRAME_INTERVAL_MS - self._loop.time() * 1000
        self._loop.call_later(max(0.0, wait, 40.0) / 1000, self._repeat_for_keyframe)

    def set_target_bitrate(self, bps: float) -> None:
        self._target = max(MIN_BITRATE, bps)

    def set_max_bitrate(self, bps: int | None) -> None:
        self._max_bitrate = bps

    def set_max_height(self, height: int | None) -> None:
        """Upper bound asked by the far side; 0 pauses, ``None`` removes the bound."""
        paused = self._max_height == 0
        self._max_height = height
        if paused and height != 0:
            self._keyframe_wanted = True
            self._repeat()

    def set_optimise_for(self, optimise_for: str) -> None:
        """``text`` or ``motion``; only a screen is treated differently."""
        if optimise_for != self._optimise_for:
            self._optimise_for = optimise_for
            self._keyframe_wanted = True

    def set_loss(self, fraction: float) -> None:
        """Loss is repaired by retransmission and keyframes; nothing to set in the encoder."""

    def set_muted(self, muted: bool) -> None:
        """No packets while muted; begins again with a keyframe."""
        if muted == self._muted:
            return
        self._muted = muted
        if muted:
            with self._lock:
                # What was seen before muting must not be sent after unmuting.
                self._newest = self._last = None
        else:
            self._keyframe_wanted = True
            if self.content is SourceContent.SCREEN:
                self._repeat()

    def input_stopped(self) -> None:
        """The camera or screen is closed: its last picture is not sent again."""
        with self._lock:
            self._newest = self._last = None

    @property
    def sending(self) -> bool:
        return not (self._muted or self._closed or self._max_height == 0)

    def close(self) -> None:
        self._closed = True
        for timer in (self._refresh, self._postponed):
            if timer is not None:
                timer.cancel()
        self._refresh = self._postponed = None
        with self._lock:
            self._newest = self._last = None
        # The encoder belongs to the strand: after what runs now, it is freed with this object.
        self._strand.close()

    def stats(self) -> VideoSendStats:
        now = self._loop.time() * 1000
        recent = [sent for sent in self._sent if now - sent[0] <= RATE_WINDOW_MS]
        began = self._first_sent_ms
        seconds = 1.0 if began is None else max(0.5, min(RATE_WINDOW_MS, now - began) / 1000)
        encoder = self._encoder
        return VideoSendStats(
            codec=self._name,
            width=encoder.width if encoder else None,
            height=encoder.height if encoder else None,
            fps=sum(1 for sent in recent if sent[2]) / seconds,
            bitrate_bps=sum(sent[1] for sent in recent) * 8 / seconds,
            target_bitrate_bps=self._target,
            frames=self._frames,
            keyframes=self._keyframes,
            packets=self._packets,
            packet_bytes=self._bytes,
            skipped=self._skipped,
            plis=self._plis,
            encode_ms=self._encode_ms,
        )

    # ------------------------------------------------------------ pictures (any thread)

    def push(self, frame: Any, captured_ms: float) -> None:
        """A picture (``av.VideoFrame``) and when it was taken (ms of a monotonic clock). Never blocks."""
        with self._lock:
            # Kept while muted, too: a screen that stands still must be there when sending begins again.
            self._last = (frame, captured_ms)
            if not self.sending:
                return
            if self._newest is not None:
                self._skipped += 1
            self._newest = self._last
            if self._scheduled:
                return
            self._scheduled = True
        self._strand.post(self._encode_newest)

    def _repeat(self) -> None:
        """Encode the last picture once more, as if it had been taken now."""
        now = self._loop.time() * 1000
        with self._lock:
            last = self._last
        if last is not None and self.sending:
            self.push(last[0], max(now, last[1] + 1))

    def _repeat_for_keyframe(self) -> None:
        if self._keyframe_wanted and not self._closed:
            self._repeat()

    def _arm_postponed(self, early_ms: float) -> None:
        """A picture came too early for the frame rate: if a screen shows no other one, it is sent when it is time."""
        if self.content is SourceContent.SCREEN and self._postponed is None and not self._closed:
            self._postponed = self._loop.call_later(early_ms / 1000, self._send_postponed)

    def _send_postponed(self) -> None:
        self._postponed = None
        with self._lock:
            waiting = self._last is not None and self._last[1] > self._encoded_capture_ms
        if waiting:
            self._repeat()

    def _refresh_still(self) -> None:
        self._refresh = None
        if self._closed:
            return
        if self.content is SourceContent.SCREEN and self._loop.time() * 1000 - self._encoded_ms > STILL_REFRESH_MS:
            self._repeat()
        self._refresh = self._loop.call_later(STILL_REFRESH_MS / 1000, self._refresh_still)

    # ------------------------------------------------------------ encoding (worker)

    def _encode_newest(self) -> None:
        with self._lock:
            self._scheduled = False
            newest, self._newest = self._newest, None
        if newest is None or not self.sending:
            return
        frame, captured_ms = newest
        bitrate = self._bitrate(frame.height)
        fps = choose_fps(self.content, self._optimise_for, bitrate)
        keyframe = self._keyframe_wanted and captured_ms - self._keyframe_ms >= KEYFRAME_INTERVAL_MS
        early = FPS_TOLERANCE * 1000 / fps - (captured_ms - self._taken_ms)
        if not keyframe and early > 0:
            self._call(self._arm_postponed, early)
            return
        self._encoded_capture_ms = captured_ms
        # A grid of due times keeps 30 of 60 pictures a second evenly, whatever the jitter of the camera.
        due = self._taken_ms + 1000 / fps
        self._taken_ms = due if captured_ms - due < 500 / fps else captured_ms
        started = self._loop.time()
        try:
            encoded, timestamp = self._encode(frame, captured_ms, bitrate, fps, keyframe)
        except (VpxError, OSError, ValueError) as error:
            logger.warning("video encoder failed, starting it anew: %s", error)
            self._encoder = None
            self._keyframe_wanted = True
            return
        now = self._loop.time()
        self._encode_ms += ((now - started) * 1000 - self._encode_ms) * 0.05
        if encoded is None:
            self._skipped += 1
            return
        self._frames += 1
        self._encoded_ms = now * 1000
        if encoded.keyframe:
            self._keyframes += 1
            self._keyframe_wanted = False
            self._keyframe_ms = max(captured_ms, self._keyframe_ms)
        self._picture_id = (self._picture_id + 1) % (1 << 15)
        self._call(self._send, packetize(self._name, encoded.data, self._picture_id), timestamp)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is closed: the call is over.
            self._closed = True

    def _bitrate(self, source_height: int) -> int:
        limit = max_bitrate(self.content, min(source_height, self._max_height or source_height))
        if self._max_bitrate is not None:
            limit = min(limit, self._max_bitrate)
        return int(max(MIN_BITRATE, min(self._target, limit)))

    def _encode(
        self, frame: Any, captured_ms: float, bitrate: int, fps: float, keyframe: bool
    ) -> tuple[EncodedFrame | None, int]:
        encoder = self._encoder
        source_key = (frame.width, frame.height)
        current = encoder.height if encoder is not None and source_key == self._source_key else None
        height = choose_height(self.content, frame.height, self._max_height, bitrate, current)
        if height == 0:
            return None, 0
        size = scaled_size(frame.width, frame.height, height)
        bitrate = min(bitrate, max_bitrate(self.content, height))
        if encoder is None or (encoder.width, encoder.height) != size:
            if encoder is not None:
                encoder.close()
            screen = self.content is SourceContent.SCREEN
            encoder = self._encoder = make_encoder(self._name, *size, bitrate, fps, screen)
            self._source_key = source_key
            keyframe = True
        else:
            encoder.set_bitrate(bitrate)
        timestamp = int(captured_ms * CLOCK_RATE / 1000)
        if self._timestamp is not None and timestamp <= self._timestamp:
            timestamp = self._timestamp + 1
        self._timestamp = timestamp
        return encoder.encode(self._fit(frame, size), timestamp, keyframe), timestamp

    def _fit(self, frame: Any, size: tuple[int, int]) -> Any:
        from av.video.reformatter import Interpolation, VideoReformatter

        if (frame.width, frame.height) == size and frame.format.name == "yuv420p":
            return frame
        if self._reformatter is None:
            self._reformatter = VideoReformatter()
        method = Interpolation.FAST_BILINEAR
        if self.content is SourceContent.SCREEN:
            # Letters stay readable when every source pixel counts.
            method = Interpolation.AREA
        return self._reformatter.reformat(
            frame, width=size[0], height=size[1], format="yuv420p", interpolation=method, threads=1
        )

    # ------------------------------------------------------------ packets (loop)

    def _send(self, payloads: list[bytes], timestamp: int) -> None:
        if not self.sending:
            return
        now = self._loop.time() * 1000
        if self._first_sent_ms is None:
            self._first_sent_ms = now
        rtp_timestamp = (timestamp + self._timestamp_offset) % (1 << 32)
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            packet = RtpPacket(
                payload_type=self._codec.payload_type,
                marker=int(index == last),
                sequence_number=self._sequence,
                timestamp=rtp_timestamp,
                ssrc=self.ssrc,
                payload=payload,
            )
            self._sequence = (self._sequence + 1) % (1 << 16)
            self._packets += 1
            self._bytes += len(payload)
            self._sent.append((now, len(payload), index == last))
            self._sink.send_rtp(packet)

    def rtp_time(self, captured_ms: float) -> int:
        """RTP timestamp of a moment on the capture clock, for sender reports."""
        return (int(captured_ms * CLOCK_RATE / 1000) + self._timestamp_offset) % (1 << 32)
