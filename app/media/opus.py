"""Opus (RFC 6716, RTP payload RFC 7587): encoder with live settings, decoder with in-band FEC and concealment.

Which library, and why: FFmpeg's wrapper (PyAV) neither exposes decoding of the redundant copy (``decode_fec``) nor
concealment (``opus_decode`` without data), and cannot change the encoder while it runs. No maintained wheel carries
libopus for Linux, macOS and Windows, but every PyAV wheel does, as a shared library of its own next to the package
(``av.libs`` or ``av/.dylibs``), with libopus' stable C interface. So that copy is loaded through :mod:`ctypes`, then
the system's libopus is tried. Without either, PyAV decodes and encodes, and losses are filled by repeating the waveform
(:class:`app.media.conceal.Repeater`). ``opus_*_ctl`` is variadic: its ``argtypes`` name only the fixed arguments, which
makes ctypes use the variadic calling convention that Apple's arm64 needs.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.media.conceal import Repeater
from app.media.jitter import DecodeError

logger = logging.getLogger(__name__)

Samples = NDArray[np.int16]

SAMPLE_RATE = 48_000
MAX_PACKET_SAMPLES = 5760
"""120 ms, the longest packet that RFC 6716 3.2.5 allows."""
MAX_PACKET_BYTES = 1275
"""Longest Opus frame (RFC 6716 3.2.1); one frame per packet is all that the encoder makes."""
DEFAULT_BITRATE = 32_000
MIN_BITRATE, MAX_BITRATE = 8_000, 64_000
COMPLEXITY = 5
"""Of 10: half the time of the best for a difference that listeners do not hear on speech at 32 kbit/s."""

_OK = 0
_APPLICATION_VOIP = 2048
_SIGNAL_VOICE = 3001
_SET_BITRATE, _SET_COMPLEXITY, _SET_INBAND_FEC = 4002, 4010, 4012
_SET_LOSS_PERCENT, _SET_DTX, _SET_SIGNAL, _RESET_STATE = 4014, 4016, 4024, 4028
_FRAME_SAMPLES = (480, 960, 1920, 2880) * 3 + (480, 960) * 2 + (120, 240, 480, 960) * 4
"""Samples per frame at 48 kHz of the 32 configurations (RFC 6716 3.1, table 2)."""


def packet_samples(payload: bytes) -> int:
    """Samples at 48 kHz in an Opus packet (RFC 6716 3.1, 3.2); 0 if the packet is malformed."""
    if not payload:
        return 0
    code = payload[0] & 3
    if code == 3:
        if len(payload) < 2:
            return 0
        frames = payload[1] & 0x3F
    else:
        frames = (1, 2, 2)[code]
    samples = _FRAME_SAMPLES[payload[0] >> 3] * frames
    return samples if 0 < samples <= MAX_PACKET_SAMPLES else 0


def has_fec(payload: bytes) -> bool:
    """Whether the packet holds a copy of the one before it (RFC 6716 4.2.4: LBRR flag of the first SILK frame)."""
    if len(payload) < 2 or payload[0] >> 3 >= 16 or payload[0] & 3:
        return False
    frames = max(1, _FRAME_SAMPLES[payload[0] >> 3] // 960)
    flags = payload[1]
    middle = flags >> (7 - frames) & 1
    side = flags >> (6 - 2 * frames) & 1 if payload[0] & 4 and frames <= 3 else 0
    return bool(middle or side)


def _bundled_paths() -> list[Path]:
    import av

    package = Path(av.__file__).parent
    folders = (package.parent / "av.libs", package / ".dylibs", package)
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*opus*")) if path.is_file()]


@lru_cache(maxsize=1)
def load_library() -> ctypes.CDLL | None:
    """libopus with its signatures declared, or ``None`` when the machine has none that can be loaded."""
    names = [str(path) for path in _bundled_paths() if path.suffix in (".dll", ".dylib") or ".so" in path.name]
    system = ctypes.util.find_library("opus")
    for name in [*names, *([system] if system else [])]:
        try:
            library = ctypes.CDLL(name)
            _declare(library)
        except (OSError, AttributeError) as error:
            logger.debug("libopus at %s not usable: %s", Path(name).name, error)
            continue
        return library
    logger.warning("No libopus found on %s: losses will be filled by repetition, without FEC", sys.platform)
    return None


def _declare(library: ctypes.CDLL) -> None:
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.opus_encoder_create.restype = pointer
    library.opus_encoder_create.argtypes = [integer, integer, integer, ctypes.POINTER(integer)]
    library.opus_encode.restype = integer
    library.opus_encode.argtypes = [pointer, pointer, integer, pointer, integer]
    library.opus_encoder_ctl.restype = integer
    library.opus_encoder_ctl.argtypes = [pointer, integer]
    library.opus_encoder_destroy.argtypes = [pointer]
    library.opus_decoder_create.restype = pointer
    library.opus_decoder_create.argtypes = [integer, integer, ctypes.POINTER(integer)]
    library.opus_decode.restype = integer
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]
    library.opus_decoder_ctl.restype = integer
    library.opus_decoder_ctl.argtypes = [pointer, integer]
    library.opus_decoder_destroy.argtypes = [pointer]


class LibopusDecoder:
    """Mono decoder at 48 kHz (libopus mixes stereo down). Implements :class:`app.media.jitter.AudioDecoder`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        error = ctypes.c_int()
        self._library = library
        self._state: int | None = library.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(error))
        if not self._state or error.value != _OK:
            raise DecodeError(f"libopus could not make a decoder ({error.value})")
        self._output = np.zeros(MAX_PACKET_SAMPLES, np.int16)

    def duration(self, payload: bytes) -> int:
        return packet_samples(payload)

    def can_recover(self, payload: bytes) -> bool:
        return has_fec(payload)

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise DecodeError("empty Opus packet")
        return self._decode(payload, MAX_PACKET_SAMPLES, fec=False)

    def recover(self, payload: bytes, samples: int) -> Samples:
        return self._decode(payload, samples, fec=True)

    def conceal(self, samples: int) -> Samples:
        # libopus takes multiples of 2.5 ms only.
        rounded = min(MAX_PACKET_SAMPLES, -(-samples // 120) * 120)
        return self._decode(None, rounded, fec=False)[:samples]

    def reset(self) -> None:
        if self._state:
            self._library.opus_decoder_ctl(self._state, _RESET_STATE)

    def close(self) -> None:
        if self._state:
            self._library.opus_decoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        self.close()

    def _decode(self, payload: bytes | None, samples: int, *, fec: bool) -> Samples:
        if not self._state:
            raise DecodeError("decoder is closed")
        length = len(payload) if payload else 0
        count = self._library.opus_decode(self._state, payload, length, self._output.ctypes.data, samples, int(fec))
        if count < 0:
            raise DecodeError(f"malformed Opus packet ({count})")
        return self._output[:count].copy()


class PyAvOpusDecoder:
    """Decoder by FFmpeg for machines without a loadable libopus: no FEC, losses filled by repetition."""

    def __init__(self) -> None:
        import av

        self._av = av
        self._repeater = Repeater(SAMPLE_RATE)
        self._codec: Any = None
        self.reset()

    def duration(self, payload: bytes) -> int:
        return packet_samples(payload)

    def can_recover(self, payload: bytes) -> bool:
        return False

    def decode(self, payload: bytes) -> Samples:
        if not payload:
            raise DecodeError("empty Opus packet")
        try:
            frames = self._codec.decode(self._av.Packet(payload))
        except (self._av.FFmpegError, ValueError) as error:
            raise DecodeError(str(error)) from error
        parts = [np.frombuffer(frame.planes[0], np.int16, frame.samples * 2)[::2] for frame in frames]
        if not parts:
            raise DecodeError("no sound in the packet")
        samples: Samples = np.ascontiguousarray(np.concatenate(parts))
        return self._repeater.heard(samples)

    def recover(self, payload: bytes, samples: int) -> Samples:
        return self.conceal(samples)

    def conceal(self, samples: int) -> Samples:
        return self._repeater.conceal(samples)

    def reset(self) -> None:
        self._codec = self._av.CodecContext.create("libopus", "r")
        self._codec.format, self._codec.layout, self._codec.sample_rate = "s16", "stereo", SAMPLE_RATE
        self._repeater.reset()

    def close(self) -> None:
        self._codec = None


class LibopusEncoder:
    """Mono speech encoder at 48 kHz; every setting can change between two frames. Raises nothing while running."""

    def __init__(self, library: ctypes.CDLL, bitrate: int = DEFAULT_BITRATE, *, fec: bool = True, dtx: bool = False):
        error = ctypes.c_int()
        self._library = library
        self._state: int | None = library.opus_encoder_create(SAMPLE_RATE, 1, _APPLICATION_VOIP, ctypes.byref(error))
        if not self._state or error.value != _OK:
            raise OSError(f"libopus could not make an encoder ({error.value})")
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        self._set(_SET_COMPLEXITY, COMPLEXITY)
        self._set(_SET_SIGNAL, _SIGNAL_VOICE)
        self._set(_SET_INBAND_FEC, int(fec))
        self._set(_SET_DTX, int(dtx))
        self.set_bitrate(bitrate)

    def encode(self, samples: Samples) -> bytes:
        """One packet from 10, 20, 40 or 60 ms of int16 mono."""
        data = np.ascontiguousarray(samples, np.int16)
        count = self._library.opus_encode(self._state, data.ctypes.data, len(data), self._packet, MAX_PACKET_BYTES)
        if count < 0:
            raise ValueError(f"libopus refused {len(data)} samples ({count})")
        return self._packet.raw[:count]

    def set_bitrate(self, bps: int) -> None:
        self._set(_SET_BITRATE, max(MIN_BITRATE, min(MAX_BITRATE, bps)))

    def set_loss(self, fraction: float) -> None:
        """Expected loss 0..1. Opus spends bits on the redundant copy only when it expects loss."""
        self._set(_SET_LOSS_PERCENT, max(0, min(100, round(fraction * 100))))

    def set_dtx(self, enabled: bool) -> None:
        self._set(_SET_DTX, int(enabled))

    def close(self) -> None:
        if self._state:
            self._library.opus_encoder_destroy(self._state)
            self._state = None

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            self.close()

    def _set(self, request: int, value: int) -> None:
        self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value))


class PyAvOpusEncoder:
    """Encoder by FFmpeg for machines without a loadable libopus; its bitrate is fixed once it runs."""

    def __init__(self, bitrate: int = DEFAULT_BITRATE, *, fec: bool = True, dtx: bool = False) -> None:
        import av

        self._av = av
        self._codec: Any = av.CodecContext.create("libopus", "w")
        self._codec.bit_rate = bitrate
        self._codec.format, self._codec.layout, self._codec.sample_rate = "s16", "mono", SAMPLE_RATE
        self._codec.options = {
            "application": "voip",
            "fec": str(int(fec)),
            "packet_loss": "10" if fec else "0",
            "dtx": str(int(dtx)),
            "frame_duration": "20",
        }
        self._position = 0

    def encode(self, samples: Samples) -> bytes:
        frame = self._av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, self._position
        self._position += len(samples)
        return b"".join(bytes(packet) for packet in self._codec.encode(frame)[:1])

    def set_bitrate(self, bps: int) -> None:
        """Cannot change while it runs."""

    def set_loss(self, fraction: float) -> None:
        """Set to 10 % from the beginning."""

    def set_dtx(self, enabled: bool) -> None:
        """Fixed when made."""

    def close(self) -> None:
        self._codec = None


def make_decoder() -> LibopusDecoder | PyAvOpusDecoder:
    """The best decoder that this machine has."""
    library = load_library()
    return LibopusDecoder(library) if library else PyAvOpusDecoder()


def make_encoder(
    bitrate: int = DEFAULT_BITRATE, *, fec: bool = True, dtx: bool = False
) -> LibopusEncoder | PyAvOpusEncoder:
    """The best encoder that this machine has."""
    library = load_library()
    if library:
        return LibopusEncoder(library, bitrate, fec=fec, dtx=dtx)
    return PyAvOpusEncoder(bitrate, fec=fec, dtx=dtx)
