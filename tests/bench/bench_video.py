"""What one video frame costs, step by step, and what whole receive paths cost, on this machine.

python tests/bench/bench_video.py [--seconds 4]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from aiortc.rtp import RtpPacket  # noqa: E402

from app.calls.model import MediaKind, SourceContent  # noqa: E402
from app.media import stamp  # noqa: E402
from app.media.api import Codec, RemoteSource  # noqa: E402
from app.media.frames import FrameSlotImpl  # noqa: E402
from app.media.testcard import TestCard  # noqa: E402
from app.media.video_assembly import FrameAssembler  # noqa: E402
from app.media.video_codec import VideoDecoder, depayload, make_encoder, packetize  # noqa: E402
from app.media.video_receive import VideoReceiver  # noqa: E402

ROUNDS = 120
CODEC = Codec(100, "VP8", 90_000)


def timed(function: Callable[[int], Any]) -> float:
    """Mean milliseconds of CPU of one call."""
    function(0)
    began = time.process_time()
    for index in range(1, ROUNDS + 1):
        function(index)
    return (time.process_time() - began) / ROUNDS * 1000


def steps(width: int, height: int, bitrate: int) -> None:
    card = TestCard(width, height, 1)
    frames = [card.draw(index * 33.3) for index in range(ROUNDS + 1)]
    print(f"{width}x{height} at {bitrate // 1000} kbit/s, CPU ms per frame")
    print(f"  draw the card     {timed(lambda index: card.draw(index * 33.3)):7.3f}")
    print(f"  read the stamp    {timed(lambda index: stamp.read(frames[index])):7.3f}")
    for codec in ("VP8", "H264"):
        encoder, decoder = make_encoder(codec, width, height, bitrate, 30, False), VideoDecoder(codec)
        encoded: list[bytes] = []

        def encode(index: int, encoder: Any = encoder, encoded: list[bytes] = encoded) -> None:
            made = encoder.encode(frames[index], index * 3_000 + 1, False)
            encoded.append(made.data if made is not None else b"")

        print(f"  encode {codec:5}      {timed(encode):7.3f}")
        encoded = [data for data in encoded if data]
        sent = [packetize(codec, data, index) for index, data in enumerate(encoded)]
        assembler = FrameAssembler()
        sequence = 0

        def assemble(index: int, codec: str = codec, sent: list[list[bytes]] = sent, to: Any = assembler) -> None:
            nonlocal sequence
            payloads = sent[index % len(sent)]
            for number, payload in enumerate(payloads):
                last = number == len(payloads) - 1
                part = depayload(codec, payload)
                to.push(sequence % 65_536, index * 3_000, last, part, codec, index * 33.0, False)
                sequence += 1

        print(f"  put together      {timed(assemble):7.3f}   ({sum(map(len, sent)) / len(sent):.1f} packets)")
        source = iter(encoded)
        began, count = time.process_time(), 0
        for data in source:
            decoder.decode(data)
            count += 1
        print(f"  decode {codec:5}      {(time.process_time() - began) / count * 1000:7.3f}")
        encoder.close()
    slot = FrameSlotImpl()
    for shown in ((width, height), (width // 2, height // 2)):

        def convert(index: int, shown: tuple[int, int] = shown) -> None:
            slot._to_bgra(frames[index], *shown)

        print(f"  to BGRA {shown[0]:4}x{shown[1]:<4} {timed(convert):7.3f}")


class Feedback:
    round_trip_ms = 20.0

    def request_keyframe(self, ssrc: int) -> None: ...

    def request_retransmission(self, ssrc: int, sequence_numbers: list[int]) -> None: ...


def packets(width: int, height: int, bitrate: int, seconds: float) -> list[list[RtpPacket]]:
    card, encoder = TestCard(width, height, 1), make_encoder("VP8", width, height, bitrate, 30, False)
    out: list[list[RtpPacket]] = []
    sequence = 0
    for index in range(int(seconds * 30)):
        made = encoder.encode(card.draw(index * 33.3), index * 3_000 + 1, False)
        payloads = packetize("VP8", made.data, index) if made is not None else []
        group = []
        for number, payload in enumerate(payloads):
            last = int(number == len(payloads) - 1)
            group.append(RtpPacket(100, last, sequence % 65_536, index * 3_000, 1, payload))
            sequence += 1
        out.append(group)
    encoder.close()
    return out


async def receive(streams: int, groups: list[list[RtpPacket]], shown_size: tuple[int, int] | None) -> None:
    loop = asyncio.get_running_loop()
    receivers = []
    for index in range(streams):
        slot = FrameSlotImpl()
        if shown_size is not None:
            slot.wants(*shown_size)
            slot.attach(lambda: None)
        source = RemoteSource(f"p{index}-v0", f"p{index}", MediaKind.VIDEO, SourceContent.CAMERA, index)
        receivers.append(VideoReceiver(source, (CODEC,), Feedback(), slot, lambda name: None, lambda name, on: None))
    cpu, began = time.process_time(), loop.time()
    due = began
    for group in groups:
        for receiver in receivers:
            for packet in group:
                receiver.receive(packet, loop.time() * 1000)
        due += 1 / 30
        await asyncio.sleep(max(0.0, due - loop.time()))
    wall = loop.time() - began
    await asyncio.sleep(0.1)
    used = (time.process_time() - cpu) / wall * 100
    shown = sum(receiver.stats().frames for receiver in receivers) / wall
    freezes = sum(receiver.stats().freezes for receiver in receivers)
    what = "decoded only" if shown_size is None else f"and BGRA for {shown_size[0]}x{shown_size[1]}"
    print(f"  {streams} streams {what:22} {shown:6.0f} pictures/s {used:6.1f} % of a core, {freezes} freezes")
    for receiver in receivers:
        receiver.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0)
    seconds = parser.parse_args().seconds
    for size in ((1280, 720, 1_500_000), (640, 360, 500_000), (320, 180, 200_000)):
        steps(*size)
    print("packets to pictures, VP8 1280x720 at 30 a second each")
    groups = packets(1280, 720, 1_500_000, seconds)
    for streams in (1, 4, 9):
        await receive(streams, groups, None)
        await receive(streams, groups, (640, 360))


if __name__ == "__main__":
    asyncio.run(main())
