"""One remote audio source: packets from the transport, sound for the mixer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from aiortc.rtp import RtpPacket
from numpy.typing import NDArray

from app.media.api import Codec, RemoteSource
from app.media.audio_codecs import TELEPHONE_EVENT, make_decoder
from app.media.dtmf import DtmfReceiver
from app.media.jitter import AudioDecoder, JitterBuffer, JitterStats
from app.media.levels import SILENCE_DBOV, MeanLevel, dbov
from app.media.mixer import Mixer, now_ms

Samples = NDArray[np.int16]

BLOCK_MS = 10
LEAST_GAP_BLOCKS = 10
"""A shorter gap is only the jitter of the playout."""
MOST_GAP_BLOCKS = 600
"""More than the mean remembers."""
LEVEL_FALL_DB = 3.0
"""Per 10 ms block: a meter falls slower than sound, so that syllables do not flicker."""
OFFSET_SMOOTHING = 0.05
"""Share of a new playout offset per block: follows the stretching of the buffer within a quarter of a second."""
OFFSET_JUMP_MS = 200.0
"""A larger change is taken at once (new sender report, other stream)."""


@dataclass(frozen=True, slots=True)
class AudioReceiveStats:
    """Counters since the source was mapped, and values of now."""

    codec: str | None
    packets: int
    bytes: int
    level_dbov: float
    """Energy mean over the last five seconds."""
    jitter: JitterStats


class AudioReceiver:
    """Implements :class:`app.media.parts.Receiver` and :class:`app.media.mixer.MixerSource`.

    ``receive``, ``sender_report`` and ``close`` are called on the engine's loop, ``pull`` on the playout thread.
    *on_started* is called once, on the engine's loop, with the first packet of a codec that can be played.
    """

    def __init__(
        self,
        source: RemoteSource,
        codecs: Iterable[Codec],
        mixer: Mixer,
        on_started: Callable[[], None],
        on_dtmf: Callable[[str, float], None] | None = None,
    ) -> None:
        self.source = source
        self.volume = 1.0
        self.level_dbov = SILENCE_DBOV
        self._mean_level = MeanLevel(BLOCK_MS)
        self._levelled_ms: float | None = None
        self._codecs = {codec.payload_type: codec for codec in codecs}
        self._mixer = mixer
        self._on_started = on_started
        self._on_dtmf = on_dtmf
        self._started = False
        self._closed = False
        self._lock = threading.Lock()
        self._codec: Codec | None = None
        self._decoder: AudioDecoder | None = None
        self._buffer: JitterBuffer | None = None
        self._dtmf: DtmfReceiver | None = None
        self._report: tuple[float, int] | None = None
        self._offset_ms: float | None = None
        self._packets = self._bytes = 0
        mixer.add(self)

    @property
    def participant_id(self) -> str:
        return self.source.participant_id

    @property
    def active(self) -> bool:
        buffer = self._buffer
        return buffer is not None and buffer.active

    @property
    def playout_offset_ms(self) -> float | None:
        return self._offset_ms

    def receive(self, packet: RtpPacket, arrived_ms: float) -> None:
        """Take one packet; *arrived_ms* is on the clock of :func:`app.media.mixer.now_ms`. Never raises."""
        codec = self._codecs.get(packet.payload_type)
        if codec is None or self._closed or not packet.payload:
            return
        self._packets += 1
        self._bytes += len(packet.payload)
        if codec.name.lower() == TELEPHONE_EVENT:
            self._receive_event(codec, packet)
            return
        if codec is not self._codec and not self._switch(codec):
            return
        with self._lock:
            if self._buffer is not None:
                self._buffer.insert(packet.sequence_number, packet.timestamp, packet.payload, arrived_ms)
        if not self._started:
            self._started = True
            self._on_started()

    def sender_report(self, ntp_ms: float, rtp_timestamp: int) -> None:
        self._report = (ntp_ms, rtp_timestamp)

    def remap(self, source: RemoteSource) -> None:
        """The SSRC carries another source now (SSRC rewriting): forget the old sound, keep codec and volume."""
        same = source.name == self.source.name
        self.source = source
        if same:
            return
        self._report, self._offset_ms, self._started = None, None, False
        self.level_dbov = SILENCE_DBOV
        with self._lock:
            if self._buffer is not None:
                self._buffer.reset()

    def close(self) -> None:
        self._closed = True
        self._mixer.remove(self)
        with self._lock:
            self._buffer = None
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None

    def pull(self, at_ms: float, latency_ms: float) -> Samples | None:
        with self._lock:
            if self._buffer is None:
                return None
            block = self._buffer.pull(at_ms)
            timestamp = self._buffer.playout_timestamp
        level = SILENCE_DBOV if block is None else dbov(block)
        with self._lock:
            self._pass_silence(at_ms - BLOCK_MS)
            self._mean_level.add(level)
            self._levelled_ms = at_ms
        self.level_dbov = max(level, self.level_dbov - LEVEL_FALL_DB, SILENCE_DBOV)
        if block is not None and timestamp is not None:
            # The timestamp is of the sample after this block.
            self._update_offset(timestamp, at_ms + latency_ms + 10.0)
        return block

    def stats(self) -> AudioReceiveStats:
        with self._lock:
            jitter = self._buffer.stats() if self._buffer is not None else JitterStats()
            if not self.active:
                self._pass_silence(now_ms())
        codec, level = self._codec.name if self._codec else None, self._mean_level.dbov
        return AudioReceiveStats(codec, self._packets, self._bytes, level, jitter)

    def _pass_silence(self, until_ms: float) -> None:
        """Counts the time as silence in which nothing was sent (muted, DTX) and therefore nothing was pulled."""
        if self._levelled_ms is None:
            return
        blocks = int((until_ms - self._levelled_ms) / BLOCK_MS)
        if blocks < LEAST_GAP_BLOCKS:
            return
        self._levelled_ms += blocks * BLOCK_MS
        for _ in range(min(blocks, MOST_GAP_BLOCKS)):
            self._mean_level.add(SILENCE_DBOV)

    def _switch(self, codec: Codec) -> bool:
        decoder = make_decoder(codec)
        if decoder is None:
            return False
        with self._lock:
            if self._decoder is not None:
                self._decoder.close()
            self._codec, self._decoder = codec, decoder
            self._buffer = JitterBuffer(decoder, codec.clock_rate)
        return True

    def _receive_event(self, codec: Codec, packet: RtpPacket) -> None:
        if self._dtmf is None:
            self._dtmf = DtmfReceiver(codec.clock_rate)
        event = self._dtmf.receive(packet.timestamp, packet.payload)
        if event is not None and self._on_dtmf is not None:
            self._on_dtmf(*event)

    def _update_offset(self, timestamp: int, plays_at_ms: float) -> None:
        if self._report is None or self._codec is None:
            return
        ntp_ms, reported = self._report
        elapsed = ((timestamp - reported + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        offset = plays_at_ms - (ntp_ms + elapsed * 1000.0 / self._codec.clock_rate)
        if self._offset_ms is None or abs(offset - self._offset_ms) > OFFSET_JUMP_MS:
            self._offset_ms = offset
        else:
            self._offset_ms += (offset - self._offset_ms) * OFFSET_SMOOTHING
