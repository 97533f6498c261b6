"""The seams inside the engine: what the transport, receivers and senders need of each other.

Everything here runs on the engine's loop, except where said. Packets are :class:`aiortc.rtp.RtpPacket`.
"""

from __future__ import annotations

from typing import Protocol

from aiortc.rtp import RtpPacket


class Feedback(Protocol):
    """Given by the transport to a receiver."""

    def request_keyframe(self, ssrc: int) -> None:
        """Ask for a keyframe (PLI, RFC 4585 6.3.1). Rate-limited by the transport: call whenever needed."""

    def request_retransmission(self, ssrc: int, sequence_numbers: list[int]) -> None:
        """Generic NACK (RFC 4585 6.2.1)."""

    @property
    def round_trip_ms(self) -> float: ...


class PacketSink(Protocol):
    """Given by the transport to a sender."""

    def send_rtp(
        self,
        packet: RtpPacket,
        *,
        audio_level_dbov: int | None = None,
        voice: bool = False,
        captured_ms: float | None = None,
    ) -> None:
        """Stamp the negotiated header extensions (MID, abs-send-time, audio level RFC 6464), remember the packet for
        retransmission if its payload type has RTX or NACK, protect, pace and send it. The sender has set payload
        type, sequence number, timestamp, SSRC, marker and payload. *captured_ms* (``time.monotonic()`` in ms) is when
        the media of this timestamp was captured; it makes sender reports exact for lip sync, default is now."""


class Receiver(Protocol):
    """One remote SSRC. RTX is already unwrapped by the transport."""

    def receive(self, packet: RtpPacket, arrived_ms: float) -> None: ...

    def sender_report(self, ntp_ms: float, rtp_timestamp: int) -> None:
        """Wall clock of the sender (ms since the epoch) at an RTP timestamp, for lip sync."""

    def close(self) -> None: ...


class Sender(Protocol):
    """One local SSRC."""

    ssrc: int

    def request_keyframe(self) -> None:
        """PLI or FIR arrived."""

    def set_target_bitrate(self, bps: float) -> None:
        """Share of the available bandwidth; applied without rebuilding the encoder."""

    def set_loss(self, fraction: float) -> None:
        """Loss that the far side reports (RR), for Opus FEC."""

    def set_muted(self, muted: bool) -> None: ...

    def close(self) -> None: ...
