"""Two transports over loopback, and small helpers to wait for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind
from app.media.api import Codec, HeaderExtension, MediaDescription, TransportConfig
from app.media.rtp import URI_ABS_SEND_TIME, URI_AUDIO_LEVEL, URI_MID, URI_TRANSPORT_CC
from app.media.transport import BundledTransport

LOOPBACK = ("127.0.0.1",)
AUDIO = MediaDescription(
    MediaKind.AUDIO,
    "audio",
    (Codec(111, "opus", 48000, 2), Codec(126, "telephone-event", 8000)),
    (HeaderExtension(1, URI_AUDIO_LEVEL), HeaderExtension(4, URI_MID)),
)


def video(*feedback: str, transport_cc: bool = False) -> MediaDescription:
    feedback = feedback or ("nack", "nack pli", "ccm fir", "goog-remb")
    extensions = [HeaderExtension(3, URI_ABS_SEND_TIME), HeaderExtension(4, URI_MID)]
    if transport_cc:
        feedback = (*feedback, "transport-cc")
        extensions.append(HeaderExtension(5, URI_TRANSPORT_CC))
    return MediaDescription(
        MediaKind.VIDEO,
        "video",
        (Codec(100, "VP8", 90000, feedback=feedback), Codec(96, "rtx", 90000, parameters={"apt": "100"})),
        tuple(extensions),
    )


def config(call_id: str, **changes: Any) -> TransportConfig:
    return TransportConfig(**{"call_id": call_id, "media": (AUDIO, video()), "use_ipv6": False, **changes})


async def eventually(
    condition: Callable[[], bool], timeout_s: float = 10.0, changed: asyncio.Event | None = None
) -> None:
    """Wait until *condition* holds, looking at each *changed* and every 20 ms (for what other threads do)."""
    changed = changed or asyncio.Event()
    async with asyncio.timeout(timeout_s):
        while not condition():
            changed.clear()
            try:
                await asyncio.wait_for(changed.wait(), 0.02)
            except TimeoutError:
                continue


class Peer:
    """A transport that remembers what happened."""

    def __init__(self, transport: BundledTransport) -> None:
        self.transport = transport
        self.states: list[tuple[str, str]] = []
        self.packets: list[Any] = []
        self.opened: list[tuple[str, str]] = []
        self.messages: list[tuple[str, str | bytes]] = []
        self.changed = asyncio.Event()
        transport.on_state = lambda state, reason: self._note(self.states, (state, reason))
        transport.on_channel_open = lambda label, protocol: self._note(self.opened, (label, protocol))
        transport.on_message = lambda label, data: self._note(self.messages, (label, data))
        transport.session.on_rtp = lambda packet: self._note(self.packets, packet)

    def _note(self, where: list[Any], what: Any) -> None:
        where.append(what)
        self.changed.set()

    async def until(self, condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
        await eventually(condition, timeout_s, self.changed)

    async def state(self, wanted: str, timeout_s: float = 10.0) -> None:
        await self.until(lambda: self.transport.state == wanted, timeout_s)


async def make_pair(
    left: dict[str, Any] | None = None, right: dict[str, Any] | None = None, **options: Any
) -> tuple[Peer, Peer]:
    """Not started: the left one is controlled and active, like a client; the right one is like a bridge."""
    a = BundledTransport(config("left", **(left or {})), bind_addresses=LOOPBACK, **options)
    b = BundledTransport(
        config("right", controlling=True, setup="actpass", **(right or {})), bind_addresses=LOOPBACK, **options
    )
    await a.gather()
    await b.gather()
    return Peer(a), Peer(b)


async def connect(a: Peer, b: Peer) -> None:
    await a.transport.start(b.transport.local)
    await b.transport.start(a.transport.local)
    await a.state("connected")
    await b.state("connected")


async def close(*peers: Peer) -> None:
    for peer in peers:
        await peer.transport.close()


def video_packet(sequence: int, ssrc: int = 0x1111, size: int = 900, frame: int = 4) -> RtpPacket:
    return RtpPacket(
        payload_type=100,
        marker=int(sequence % frame == frame - 1),
        sequence_number=sequence & 0xFFFF,
        timestamp=(sequence // frame) * 3000,
        ssrc=ssrc,
        payload=sequence.to_bytes(4, "big") * (size // 4),
    )
