"""Which audio codecs there are, by their names in session descriptions (RFC 8866 rtpmap)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.media.api import Codec
from app.media.g711 import G711Decoder, G711Encoder
from app.media.jitter import AudioDecoder
from app.media.opus import make_decoder as make_opus_decoder
from app.media.opus import make_encoder as make_opus_encoder

TELEPHONE_EVENT = "telephone-event"


class AudioEncoder(Protocol):
    """20 ms of 48 kHz mono int16 to one payload; settings apply from the next frame."""

    def encode(self, samples: NDArray[np.int16]) -> bytes: ...

    def set_bitrate(self, bps: int) -> None: ...

    def set_loss(self, fraction: float) -> None: ...

    def set_dtx(self, enabled: bool) -> None: ...

    def close(self) -> None: ...


def is_supported(codec: Codec) -> bool:
    return codec.name.lower() in ("opus", "pcmu", "pcma")


def make_decoder(codec: Codec) -> AudioDecoder | None:
    """A decoder, or ``None`` when the codec is not known (comfort noise, red, telephone-event)."""
    name = codec.name.lower()
    if name == "opus":
        return make_opus_decoder()
    return G711Decoder(name.upper()) if name in ("pcmu", "pcma") else None


def make_encoder(codec: Codec) -> AudioEncoder:
    """Raises :class:`ValueError` for an unknown codec. FEC and DTX follow the far side's wishes (RFC 7587 6.1)."""
    name = codec.name.lower()
    if name == "opus":
        wishes = codec.parameters
        return make_opus_encoder(fec=wishes.get("useinbandfec", "1") == "1", dtx=wishes.get("usedtx", "0") == "1")
    if name in ("pcmu", "pcma"):
        return G711Encoder(name.upper())
    raise ValueError(f"no encoder for {codec.name}")
