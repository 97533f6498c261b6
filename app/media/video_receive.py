"""One remote video: packets in, newest picture out.

:class:`VideoReceiver` runs on the engine's loop. It puts packets together (:mod:`app.media.video_assembly`), decodes in
the shared worker pool and hands pictures to a :class:`app.media.frames.FrameSlotImpl`. Times are milliseconds of the
loop's clock (``loop.time() * 1000``, the monotonic clock).

When a source counts as frozen
    Pictures are *owed* from the first packet that belongs to no shown picture until one with that packet's timestamp
    or a later one is shown. A source is frozen while pictures have been owed for longer than its own rate explains
    (three frame intervals, and at least one interval plus 150 ms, as in W3C webrtc-stats ``freezeCount``). A muted or
    idle sender and a screen that stands still owe nothing, so they are never frozen, however long the pause; packets
    that end in the middle of a frame, lost packets and undecodable ones are.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import RtpPacket

from app.media.api import Codec, RemoteSource
from app.media.frames import FrameSlotImpl, Strand, decode_pool, rotated
from app.media.parts import Feedback
from app.media.video_assembly import AssembledFrame, FrameAssembler
from app.media.video_codec import CLOCK_RATE, DecodeError, Part, PayloadError, VideoDecoder, depayload

logger = logging.getLogger(__name__)

NACK_POLL_S = 0.010
"""Looking for gaps to ask for, while there are any."""
IDLE_POLL_S = 0.100
"""Looking for freezes and a missing keyframe, while packets come."""
IDLE_AFTER_MS = 1_000.0
"""Without packets for so long the receiver stops polling; the next packet starts it again."""
FREEZE_LEAST_MS = 300.0
"""Shorter gaps are jitter to the eye, not a freeze."""
LONGEST_INTERVAL_MS = 1_000.0
"""A longer time between pictures is a pause and says nothing about the frame rate."""
RATE_WINDOW_MS = 5_000.0
MAX_QUEUED_FRAMES = 60
"""Frames waiting for the decoder, two seconds; beyond it they are dropped and a keyframe is asked for."""
MAX_HOLD_MS = 400.0
"""A picture is held back for lip sync no longer than this."""
SYNC_TOLERANCE_MS = 40.0
"""Sound this much behind its pictures is not noticed: up to 125 ms nobody sees it (ITU-R BT.1359-1 section 2)."""
MAX_HELD_FRAMES = 15
CLOCK_TOLERANCE_MS = 5_000.0
DELAY_SMOOTHING = 0.1


@dataclass(frozen=True, slots=True)
class VideoReceiveStats:
    """Counters since the receiver began; rates are means over the last five seconds."""

    codec: str | None
    width: int | None
    height: int | None
    fps: float
    bitrate_bps: float
    frames: int
    packets: int
    packet_bytes: int
    keyframes: int
    freezes: int
    frozen_ms: float
    nacks: int
    plis: int
    damaged_frames: int
    decode_errors: int
    decode_ms: float
    """Mean time to decode a frame."""


class _Meter:
    """Events and their sizes within the last :data:`RATE_WINDOW_MS`. One thread writes, another may read."""

    def __init__(self) -> None:
        self._events: deque[tuple[float, int]] = deque(maxlen=8_192)
        self._started: float | None = None

    def add(self, now: float, size: int = 0) -> None:
        if self._started is None:
            self._started = now
        self._events.append((now, size))

    def rate(self, now: float) -> tuple[float, float]:
        """Events and size per second."""
        if self._started is None:
            return 0.0, 0.0
        recent = [event for event in list(self._events) if now - event[0] <= RATE_WINDOW_MS]
        seconds = max(0.5, min(RATE_WINDOW_MS, now - self._started) / 1000)
        return len(recent) / seconds, sum(size for _, size in recent) / seconds


class VideoReceiver:
    """Receives one remote SSRC; see :class:`app.media.parts.Receiver`.

    *on_started* (source name) is called once, with the first picture; *on_frozen* (source name, frozen) on each
    change. Both are called on the loop. A decoder error costs one keyframe request, nothing else.
    """

    def __init__(
        self,
        source: RemoteSource,
        codecs: tuple[Codec, ...],
        feedback: Feedback,
        slot: FrameSlotImpl,
        on_started: Callable[[str], None],
        on_frozen: Callable[[str, bool], None],
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        pool: ThreadPoolExecutor | None = None,
    ) -> None:
        self.source = source
        self.slot = slot
        self._codecs = {codec.payload_type: codec.name.upper() for codec in codecs}
        self._feedback = feedback
        self._on_started, self._on_frozen = on_started, on_frozen
        self._loop = loop or asyncio.get_running_loop()
        self._assembler = FrameAssembler()
        self._strand = Strand(pool or decode_pool())
        self._decoder: VideoDecoder | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = True
        self._closed = False
        self._epoch = 0
        self._decode_from: int | None = None
        self._lock = threading.Lock()
        # Written on the loop
        self._last_packet_ms = float("-inf")
        self._owed_since: float | None = None
        self._newest_timestamp: int | None = None
        self._packet_meter, self._shown_meter = _Meter(), _Meter()
        self._packets = self._bytes = self._nacks = self._plis = self._freezes = 0
        self._frozen_since: float | None = None
        self._frozen_ms = 0.0
        self._codec: str | None = None
        self._rotation = 0
        # Written by the worker
        self._started = False
        self._frames = self._keyframes = self._decode_errors = 0
        self._decode_ms = 0.0
        self._interval_ms = 33.0
        self._shown_ms: float | None = None
        self._size: tuple[int, int] | None = None
        self._unwrapped: int | None = None
        # Lip sync
        self._report: tuple[float, int] | None = None
        self._target_delay_ms: float | None = None
        self._delay_ms: float | None = None
        self._held = 0
        self._shown_timestamp: int | None = None

    # ------------------------------------------------------------ packets (loop)

    def receive(self, packet: RtpPacket, arrived_ms: float) -> None:
        """Take a packet; its ``rotation``, if any (degrees clockwise, ``urn:3gpp:video-orientation``), is obeyed."""
        if self._closed:
            return
        codec = self._codecs.get(packet.payload_type)
        self._packets += 1
        self._bytes += len(packet.payload)
        now = self._now()
        if abs(now - arrived_ms) > CLOCK_TOLERANCE_MS:
            arrived_ms = now
        self._packet_meter.add(now, len(packet.payload))
        if not self._wanted:
            return
        part: Part | None = None
        damaged = False
        if packet.payload and codec in ("VP8", "H264"):
            try:
                part = depayload(codec, packet.payload)
            except PayloadError:
                damaged = True
        if part is not None and codec is not None:
            self._codec = codec
            self._note_owed(packet.timestamp, now)
        self._last_packet_ms = now
        # Sent with the last packet of a frame, and only there (3GPP TS 26.114 section 7.4.5).
        rotation = getattr(packet, "rotation", None)
        if packet.marker and part is not None:
            self._rotation = rotation or 0
        elif rotation is not None:
            self._rotation = rotation
        frames = self._assembler.push(
            packet.sequence_number, packet.timestamp, bool(packet.marker), part, codec or "", arrived_ms, damaged
        )
        for frame in frames:
            self._queue(frame)
        if self._assembler.needs_poll and self._assembler.waiting_for_keyframe and self._timer is None:
            self._poll()
        self._arm()

    def _note_owed(self, timestamp: int, now: float) -> None:
        newest = self._newest_timestamp
        if newest is None or 0 < (timestamp - newest) % (1 << 32) < 1 << 31:
            self._newest_timestamp = timestamp
            if self._owed_since is None:
                self._owed_since = now

    def _now(self) -> float:
        return self._loop.time() * 1000

    def _arm(self) -> None:
        if self._timer is None and not self._closed:
            delay = NACK_POLL_S if self._assembler.needs_poll else IDLE_POLL_S
            self._timer = self._loop.call_later(delay, self._tick)
            return
        if self._timer is None or not self._assembler.needs_poll:
            return
        if self._timer.when() - self._loop.time() > NACK_POLL_S:
            self._timer.cancel()
            self._timer = self._loop.call_later(NACK_POLL_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._closed or not self._wanted:
            return
        now = self._now()
        self._check_frozen(now)
        idle = now - self._last_packet_ms > IDLE_AFTER_MS
        if not idle:
            self._poll()
        if not idle or self._frozen_since is not None or self._owed_since is not None:
            delay = NACK_POLL_S if self._assembler.needs_poll and not idle else IDLE_POLL_S
            self._timer = self._loop.call_later(delay, self._tick)

    def _poll(self) -> None:
        requests = self._assembler.poll(self._now(), self._feedback.round_trip_ms)
        if requests.retransmit:
            self._nacks += 1
            self._feedback.request_retransmission(self.source.ssrc, requests.retransmit)
        if requests.keyframe:
            self._request_keyframe()

    def _request_keyframe(self) -> None:
        self._plis += 1
        self._feedback.request_keyframe(self.source.ssrc)

    def _check_frozen(self, now: float) -> None:
        owed = self._owed_since
        limit = max(FREEZE_LEAST_MS, 3 * self._interval_ms, self._interval_ms + 150.0)
        frozen = self._wanted and self._started and owed is not None and now - owed > limit
        if frozen and self._frozen_since is None:
            self._freezes += 1
            self._frozen_since = owed
            self._on_frozen(self.source.name, True)
        elif not frozen and self._frozen_since is not None:
            self._frozen_ms += now - self._frozen_since
            self._frozen_since = None
            self._on_frozen(self.source.name, False)

    # ------------------------------------------------------------ control (loop)

    def sender_report(self, ntp_ms: float, rtp_timestamp: int) -> None:
        self._report = (ntp_ms, rtp_timestamp)

    @property
    def delay_ms(self) -> float | None:
        """Mean time from capture (sender's clock) to slot (our clock), or ``None`` before a sender report.

        It contains the difference of the two clocks, which the same participant's audio has too: compare, do not show.
        """
        return self._delay_ms

    def set_target_delay(self, delay_ms: float | None) -> None:
        """Hold pictures until :attr:`delay_ms` is at most :data:`SYNC_TOLERANCE_MS` less than this (that of the audio);
        ``None`` shows them at once."""
        self._target_delay_ms = delay_ms

    def set_receiving(self, wanted: bool) -> None:
        """Stop decoding, or begin again at the next keyframe, which is asked for at once."""
        if wanted == self._wanted or self._closed:
            return
        self._wanted = wanted
        self._restart()
        if wanted:
            self._assembler.keyframe_asked(self._now())
            self._request_keyframe()

    def retarget(self, source: RemoteSource, slot: FrameSlotImpl) -> None:
        """The SSRC carries another source now (SSRC rewriting): its pictures go to *slot*, from a keyframe on."""
        renamed = source.name != self.source.name
        self.source, self.slot = source, slot
        if renamed:
            self._started = False
            self._restart()
            if self._packets and self._wanted:
                self._assembler.keyframe_asked(self._now())
                self._request_keyframe()

    def _restart(self) -> None:
        with self._lock:
            self._epoch += 1
            self._strand.clear()
        # Sequence numbers go on across a switch, so packets of before must not be taken for new ones.
        self._assembler.expect_keyframe()
        self._owed_since = None
        self._newest_timestamp = None
        self._shown_timestamp = None
        self._delay_ms = None
        self._report = None
        self._check_frozen(self._now())

    def close(self) -> None:
        self._closed = True
        self._epoch += 1
        self._strand.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def stats(self) -> VideoReceiveStats:
        now = self._now()
        frozen_ms = self._frozen_ms + (now - self._frozen_since if self._frozen_since is not None else 0.0)
        return VideoReceiveStats(
            codec=self._codec,
            width=self._size[0] if self._size else None,
            height=self._size[1] if self._size else None,
            fps=self._shown_meter.rate(now)[0],
            bitrate_bps=self._packet_meter.rate(now)[1] * 8,
            frames=self._frames,
            packets=self._packets,
            packet_bytes=self._bytes,
            keyframes=self._keyframes,
            freezes=self._freezes,
            frozen_ms=frozen_ms,
            nacks=self._nacks,
            plis=self._plis,
            damaged_frames=self._assembler.damaged_frames,
            decode_errors=self._decode_errors,
            decode_ms=self._decode_ms,
        )

    # ------------------------------------------------------------ decoding

    def _queue(self, frame: AssembledFrame) -> None:
        if frame.keyframe:
            # Nothing before a keyframe is worth decoding any more.
            self._strand.clear()
        elif self._strand.waiting >= MAX_QUEUED_FRAMES:
            self._strand.clear()
            self._assembler.expect_keyframe()
            return
        epoch, slot, rotation = self._epoch, self.slot, self._rotation
        self._strand.post(lambda: self._decode(frame, epoch, slot, rotation))

    def _decode(self, frame: AssembledFrame, epoch: int, slot: FrameSlotImpl, rotation: int) -> None:
        """In a worker."""
        if epoch != self._epoch:
            return
        started = time.perf_counter()
        try:
            if self._decoder is None or self._decoder.codec != frame.codec:
                self._decoder = VideoDecoder(frame.codec)
            picture = self._decoder.decode(frame.data)
        except DecodeError as error:
            self._decode_errors += 1
            self._decoder = None
            logger.info("video %s: decoder error, asking for a keyframe: %s", self.source.name, error)
            self._call(self._decoder_failed, epoch)
            return
        self._decode_ms += ((time.perf_counter() - started) * 1000 - self._decode_ms) * 0.05
        if picture is None:
            return
        if rotation:
            picture = rotated(picture, rotation)
        self._keyframes += frame.keyframe
        media_ms = self._media_ms(frame.timestamp)
        hold = self._hold_ms(frame.timestamp)
        if hold > 0:
            with self._lock:
                self._held += 1
            self._call(self._show_later, hold, picture, media_ms, frame.timestamp, epoch, slot)
        else:
            slot.put_from_worker(picture, media_ms, behind=self._strand.waiting > 0)
            self._call(self._shown, picture.width, picture.height, frame.timestamp, epoch)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is closed: the call is over.
            self._closed = True

    def _decoder_failed(self, epoch: int) -> None:
        if epoch == self._epoch and not self._closed:
            self._assembler.expect_keyframe()
            self._strand.clear()
            self._poll()
            self._arm()

    def _show_later(
        self, hold: float, picture: Any, media_ms: float, timestamp: int, epoch: int, slot: FrameSlotImpl
    ) -> None:
        def show() -> None:
            with self._lock:
                self._held -= 1
            # A later picture that was not held back may be on screen already.
            if epoch == self._epoch and not self._overtaken(timestamp):
                slot.put(picture, media_ms)
                self._shown(picture.width, picture.height, timestamp, epoch)

        self._loop.call_later(hold / 1000, show)

    def _overtaken(self, timestamp: int) -> bool:
        shown = self._shown_timestamp
        return shown is not None and (timestamp - shown) % (1 << 32) >= 1 << 31

    def _shown(self, width: int, height: int, timestamp: int, epoch: int) -> None:
        if epoch != self._epoch or self._closed:
            return
        now = self._now()
        self._frames += 1
        self._shown_timestamp = timestamp
        self._size = (width, height)
        self._shown_meter.add(now)
        if self._shown_ms is not None and now - self._shown_ms < LONGEST_INTERVAL_MS:
            self._interval_ms += (now - self._shown_ms - self._interval_ms) * 0.05
        self._shown_ms = now
        newest = self._newest_timestamp
        if newest is None or (timestamp - newest) % (1 << 32) < 1 << 31:
            self._owed_since = None
        else:
            # Newer packets are on their way: the wait for them begins with this picture.
            self._owed_since = now
        if not self._started:
            self._started = True
            self._on_started(self.source.name)
        if self._frozen_since is not None:
            self._check_frozen(now)

    # ------------------------------------------------------------ media time (worker)

    def _media_ms(self, timestamp: int) -> float:
        if self._unwrapped is None:
            self._unwrapped = timestamp
        else:
            delta = (timestamp - self._unwrapped + (1 << 31)) % (1 << 32) - (1 << 31)
            self._unwrapped = max(self._unwrapped, self._unwrapped + delta)
        return self._unwrapped * 1000 / CLOCK_RATE

    def _hold_ms(self, timestamp: int) -> float:
        report = self._report
        if report is None:
            return 0.0
        elapsed = ((timestamp - report[1] + (1 << 31)) % (1 << 32) - (1 << 31)) * 1000 / CLOCK_RATE
        delay = time.time() * 1000 - (report[0] + elapsed)
        target = self._target_delay_ms
        hold = 0.0 if target is None else min(MAX_HOLD_MS, target - SYNC_TOLERANCE_MS - delay)
        if hold < 5.0 or self._held >= MAX_HELD_FRAMES:
            hold = 0.0
        shown = delay + hold
        before = self._delay_ms
        self._delay_ms = shown if before is None else before + (shown - before) * DELAY_SMOOTHING
        return hold
