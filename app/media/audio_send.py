"""One local audio source: 20 ms blocks of the microphone to RTP packets, and telephone events on the same SSRC."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

import numpy as np
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from app.media.api import Codec
from app.media.audio_codecs import make_encoder
from app.media.dtmf import DEFAULT_DURATION_MS, DEFAULT_GAP_MS, DtmfQueue, EventPacket
from app.media.levels import SILENCE_DBOV, MeanLevel, SpeechDetector, dbov
from app.media.mixer import now_ms
from app.media.parts import PacketSink

Samples = NDArray[np.int16]

BLOCK = 960
BLOCK_MS = 20.0
QUIETEST_LEVEL = -126
"""The videobridge stops forwarding after three packets of level 127 (its mark for digital silence), and the far side
would take the missing packets for a broken source; so silence is sent as the level next to it."""
MIN_BITRATE, MAX_BITRATE = 24_000, 48_000
"""Speech stays clear at 24 kbit/s; more than 48 adds nothing for one voice. Audio never starves for video."""
LOSS_FLOOR = 0.05
"""Expected loss told to Opus before anybody has reported any: keeps the redundant copy on, for the first loss."""
GAP_MS = 60.0
"""Blocks further apart than this were not captured in a row: the timestamp follows the clock, not the count."""


@dataclass(frozen=True, slots=True)
class AudioSendStats:
    packets: int
    bytes: int
    level_dbov: float
    """Energy mean over the last five seconds of what was sent; muted is silence."""
    bitrate_bps: int
    muted: bool


class AudioSender:
    """Implements :class:`app.media.parts.Sender`; everything is called on the engine's loop.

    It begins muted or not as *muted* says. *codec* is the negotiated payload; *telephone_event* the one for DTMF, its
    clock rate counts the durations.
    """

    def __init__(
        self,
        ssrc: int,
        codec: Codec,
        sink: PacketSink,
        *,
        telephone_event: Codec | None = None,
        muted: bool = False,
    ) -> None:
        self.ssrc = ssrc
        self.codec = codec
        self._sink = sink
        self._event_codec = telephone_event
        self._encoder = make_encoder(codec)
        self._encoder.set_loss(LOSS_FLOOR)
        self._muted = muted
        self._marker = True
        # Random beginnings, well away from the wrap so that SRTP's first rollover count is sure (RFC 3711 3.3.1).
        self._sequence = secrets.randbelow(0x7FFF)
        self._timestamp = secrets.randbelow(1 << 31)
        self._captured_ms: float | None = None
        self.tones_done = asyncio.Event()
        """Set while no telephone events are waiting or being sent."""
        self.tones_done.set()
        self._dtmf = DtmfQueue(telephone_event.clock_rate if telephone_event else 8000)
        self._event_timestamp = 0
        self._pump: asyncio.TimerHandle | None = None
        self._closed = False
        self._bitrate = 32_000
        self._packets = self._bytes = 0
        self._level = SILENCE_DBOV
        self._mean_level = MeanLevel(BLOCK * 1000 // 48_000)
        self._speech = SpeechDetector()

    @property
    def muted(self) -> bool:
        return self._muted

    @property
    def clock(self) -> tuple[int, float] | None:
        """RTP timestamp and capture time (ms, :func:`app.media.mixer.now_ms`) of the newest block, for sender
        reports; ``None`` before the first."""
        return None if self._captured_ms is None else (self._timestamp, self._captured_ms)

    def push(self, block: Samples, captured_ms: float) -> None:
        """Send 20 ms (960 samples, int16 mono 48 kHz), also digital silence; while muted only time goes on."""
        if self._closed or len(block) != BLOCK:
            return
        self._advance(captured_ms)
        self._level = dbov(block)
        speech = self._speech.update(self._level)
        self._mean_level.add(SILENCE_DBOV if self._muted else self._level)
        if self._muted or self._dtmf.sounding:
            self._marker = self._marker or self._muted
            return
        payload = self._encoder.encode(block)
        if not payload:
            return
        packet = self._packet(self.codec.payload_type, self._timestamp, payload, marker=self._marker)
        self._marker = False
        self._send(packet, level=max(QUIETEST_LEVEL, round(self._level)), voice=speech)

    def send_dtmf(self, tones: str, duration_ms: float = DEFAULT_DURATION_MS, gap_ms: float = DEFAULT_GAP_MS) -> bool:
        """Queue tones; ``False`` when no telephone-event payload was negotiated. Works muted and without microphone."""
        if self._event_codec is None or self._closed:
            return False
        self._dtmf.add(tones, duration_ms, gap_ms)
        self.tones_done.clear()
        if self._pump is None:
            self._pump_dtmf()
        return True

    def request_keyframe(self) -> None:
        """Sound has none."""

    def set_target_bitrate(self, bps: float) -> None:
        self._bitrate = int(min(max(bps, MIN_BITRATE), MAX_BITRATE))
        self._encoder.set_bitrate(self._bitrate)

    def set_loss(self, fraction: float) -> None:
        self._encoder.set_loss(max(LOSS_FLOOR, fraction))

    def set_dtx(self, enabled: bool) -> None:
        """Send next to nothing in silence (RFC 7587 3.1.3). Off by default: the bridge ranks speakers by packets."""
        self._encoder.set_dtx(enabled)

    def set_muted(self, muted: bool) -> None:
        if self._muted and not muted:
            self._marker = True
        self._muted = muted

    def stats(self) -> AudioSendStats:
        return AudioSendStats(self._packets, self._bytes, self._mean_level.dbov, self._bitrate, self._muted)

    def close(self) -> None:
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()
            self._pump = None
        self._encoder.close()

    def _advance(self, captured_ms: float) -> None:
        """RTP time goes on with captured sound, and over pauses with the clock (RFC 3550 5.1)."""
        units = self.codec.clock_rate * BLOCK // 48_000
        if self._captured_ms is not None:
            passed = captured_ms - self._captured_ms
            if abs(passed - BLOCK_MS) > GAP_MS:
                units = max(units, round(passed * self.codec.clock_rate / 1000))
                self._marker = True
            self._timestamp = (self._timestamp + units) & 0xFFFFFFFF
        self._captured_ms = captured_ms

    def _timestamp_now(self) -> int:
        if self._captured_ms is None:
            # Nothing captured yet: the clock starts with the first tone.
            self._captured_ms = now_ms()
        passed = max(0.0, now_ms() - self._captured_ms)
        return (self._timestamp + round(passed * self.codec.clock_rate / 1000)) & 0xFFFFFFFF

    def _pump_dtmf(self) -> None:
        for due in self._dtmf.due(now_ms()):
            self._send_event(due)
        if self._dtmf.busy:
            self._pump = asyncio.get_running_loop().call_later(BLOCK_MS / 1000, self._pump_dtmf)
        else:
            self._pump = None
            self.tones_done.set()

    def _send_event(self, due: EventPacket) -> None:
        if self._event_codec is None:
            return
        if due.first:
            self._event_timestamp = self._timestamp_now()
        packet = self._packet(
            self._event_codec.payload_type, self._event_timestamp, due.event.build(), marker=due.first
        )
        self._send(packet, level=QUIETEST_LEVEL, voice=False)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> RtpPacket:
        packet = RtpPacket(
            payload_type=payload_type,
            marker=int(marker),
            sequence_number=self._sequence,
            timestamp=timestamp,
            ssrc=self.ssrc,
            payload=payload,
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        return packet

    def _send(self, packet: RtpPacket, *, level: int, voice: bool) -> None:
        self._packets += 1
        self._bytes += len(packet.payload)
        self._sink.send_rtp(packet, audio_level_dbov=level, voice=voice)
