"""A sender and a receiver with nothing but a lossy, reordering line between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable

from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind, SourceContent
from app.media import stamp
from app.media.api import Codec, RemoteSource
from app.media.frames import FrameSlotImpl
from app.media.testcard import TestCard
from app.media.video_receive import VideoReceiver
from app.media.video_send import VideoSender

VP8 = Codec(100, "VP8", 90_000)
H264 = Codec(107, "H264", 90_000)
FRAME_S = 1 / 30


def remote(name: str = "peer-v0", content: SourceContent = SourceContent.CAMERA) -> RemoteSource:
    return RemoteSource(name, name.split("-")[0], MediaKind.VIDEO, content, 4711)


class Line:
    """Carries packets to a receiver, answers NACKs from its history and passes PLIs back."""

    def __init__(self, loss: float = 0.0, reorder: float = 0.0, delay_ms: float = 0.0, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.loss, self.reorder, self.delay_ms = loss, reorder, delay_ms
        self.receiver: VideoReceiver | None = None
        self.sender: VideoSender | None = None
        self.history: dict[int, RtpPacket] = {}
        self.sent: list[RtpPacket] = []
        self.something_sent = asyncio.Event()
        self.held: list[RtpPacket] = []
        self.nacked: list[int] = []
        self.plis = 0
        self.answer_nacks = True
        self.drop: Callable[[RtpPacket], bool] = lambda packet: False

    # app.media.parts.PacketSink
    def send_rtp(self, packet: RtpPacket, *, audio_level_dbov: int | None = None, voice: bool = False) -> None:
        self.history[packet.sequence_number] = packet
        self.sent.append(packet)
        self.something_sent.set()
        if self.drop(packet) or self.random.random() < self.loss:
            return
        if self.random.random() < self.reorder:
            self.held.append(packet)
            return
        self.deliver(packet)
        for late in self.held:
            self.deliver(late)
        self.held.clear()

    def deliver(self, packet: RtpPacket) -> None:
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            if self.receiver is not None:
                self.receiver.receive(packet, loop.time() * 1000)

        if self.delay_ms:
            loop.call_later(self.delay_ms / 1000, arrive)
        else:
            arrive()

    # app.media.parts.Feedback
    round_trip_ms = 20.0

    def request_keyframe(self, ssrc: int) -> None:
        self.plis += 1
        if self.sender is not None:
            asyncio.get_running_loop().call_later(self.round_trip_ms / 1000, self.sender.request_keyframe)

    def request_retransmission(self, ssrc: int, sequence_numbers: list[int]) -> None:
        self.nacked.extend(sequence_numbers)
        if not self.answer_nacks:
            return
        for number in sequence_numbers:
            packet = self.history.get(number)
            if packet is not None and self.random.random() >= self.loss:
                asyncio.get_running_loop().call_later(self.round_trip_ms / 1000, self.deliver, packet)


class Pair:
    """A test card behind a :class:`VideoSender`, a :class:`VideoReceiver`, and the stamps that came out."""

    def __init__(
        self,
        line: Line,
        codec: Codec = VP8,
        content: SourceContent = SourceContent.CAMERA,
        size: tuple[int, int] = (320, 180),
        optimise_for: str = "motion",
    ) -> None:
        self.line = line
        self.card = TestCard(*size, source=stamp.source_id("peer-v0"))
        self.sender = VideoSender(4711, codec, line, content, optimise_for=optimise_for)
        self.slot = FrameSlotImpl()
        self.started: list[str] = []
        self.frozen: list[tuple[str, bool]] = []
        self.stamps: list[stamp.Stamp] = []
        self.sizes: list[tuple[int, int]] = []
        self.shown = asyncio.Event()
        self.froze = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.receiver = VideoReceiver(
            remote(content=content),
            (VP8, H264),
            line,
            self.slot,
            self.started.append,
            self._frozen,
        )
        line.receiver, line.sender = self.receiver, self.sender
        self.slot.attach_raw(self._raw)

    def _frozen(self, name: str, frozen: bool) -> None:
        self.frozen.append((name, frozen))
        self.froze.set()

    def _raw(self, frame: object, timestamp_ms: float) -> None:
        found = stamp.read(frame)
        if found is not None:
            self.stamps.append(found)
            self.sizes.append((frame.width, frame.height))  # type: ignore[attr-defined]
            with contextlib.suppress(RuntimeError):  # a last picture may come when the test's loop is closed
                self.loop.call_soon_threadsafe(self.shown.set)

    def push(self) -> int:
        number = self.card._number
        self.sender.push(self.card.draw(), self.loop.time() * 1000)
        return number

    async def run(self, frames: int, fps: float = 30.0) -> None:
        """Push pictures, never closer together than a camera would, however busy the machine is."""
        for _ in range(frames):
            self.push()
            await asyncio.sleep(1 / fps)

    async def run_until_shown(self, number: int, timeout_s: float = 10.0) -> stamp.Stamp:
        """Push pictures until one with at least this frame number came out: a busy encoder may leave out any one."""
        async with asyncio.timeout(timeout_s):
            while not self.stamps or self.stamps[-1].number < number:
                await self.run(1)
        return self.stamps[-1]

    async def until_shown(self, number: int, timeout_s: float = 10.0) -> stamp.Stamp:
        """Wait until a picture with at least this frame number came out."""
        async with asyncio.timeout(timeout_s):
            while not self.stamps or self.stamps[-1].number < number:
                self.shown.clear()
                if self.stamps and self.stamps[-1].number >= number:
                    break
                await self.shown.wait()
        return self.stamps[-1]

    def close(self) -> None:
        self.sender.close()
        self.receiver.close()
        self.slot.close()
