"""VP8 encoding by libvpx itself, for the one thing FFmpeg's wrapper cannot do: a bitrate that changes while it runs.

FFmpeg reads ``bit_rate`` of a libvpx context only when it opens it, and a new context starts with a keyframe. libvpx
has ``vpx_codec_enc_config_set`` for that, so this module calls the copy of libvpx that PyAV brings (or the system's)
through ctypes. The structures are checked against libvpx's documented defaults before the first use; a library with
another layout is refused, and :class:`app.media.video_codec.Vp8Encoder` then uses FFmpeg's wrapper.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import logging
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_long, c_size_t, c_uint, c_ulong, c_void_p
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_DEADLINE_REALTIME = 1
_FLAG_FORCE_KEYFRAME = 1
_FRAME_IS_KEY = 1
_PACKET_FRAME = 0
_ABI_MISMATCH = 3
_IMAGE_I420 = 0x102
_RATE_CBR = 1
_KEYFRAMES_AUTO = 1

# vp8e_enc_control_id of vpx/vp8cx.h
_SET_CPUUSED = 13
_SET_NOISE_SENSITIVITY = 15
_SET_STATIC_THRESHOLD = 17
_SET_TOKEN_PARTITIONS = 18
_SET_MAX_INTRA_BITRATE_PCT = 26
_SET_SCREEN_CONTENT_MODE = 31

_ABI_VERSIONS = range(10, 80)
"""Encoder ABI versions tried: the number grows with each release and the header is not there at run time."""


class VpxError(Exception):
    """libvpx refused a call."""


class _Config(Structure):
    """The leading part of ``vpx_codec_enc_cfg_t``; ``tail`` covers what later releases appended."""

    _fields_ = [
        ("g_usage", c_uint),
        ("g_threads", c_uint),
        ("g_profile", c_uint),
        ("g_w", c_uint),
        ("g_h", c_uint),
        ("g_bit_depth", c_int),
        ("g_input_bit_depth", c_uint),
        ("g_timebase_num", c_int),
        ("g_timebase_den", c_int),
        ("g_error_resilient", c_uint),
        ("g_pass", c_int),
        ("g_lag_in_frames", c_uint),
        ("rc_dropframe_thresh", c_uint),
        ("rc_resize_allowed", c_uint),
        ("rc_scaled_width", c_uint),
        ("rc_scaled_height", c_uint),
        ("rc_resize_up_thresh", c_uint),
        ("rc_resize_down_thresh", c_uint),
        ("rc_end_usage", c_int),
        ("rc_twopass_stats_buf", c_void_p),
        ("rc_twopass_stats_sz", c_size_t),
        ("rc_firstpass_mb_buf", c_void_p),
        ("rc_firstpass_mb_sz", c_size_t),
        ("rc_target_bitrate", c_uint),
        ("rc_min_quantizer", c_uint),
        ("rc_max_quantizer", c_uint),
        ("rc_undershoot_pct", c_uint),
        ("rc_overshoot_pct", c_uint),
        ("rc_buf_sz", c_uint),
        ("rc_buf_initial_sz", c_uint),
        ("rc_buf_optimal_sz", c_uint),
        ("rc_2pass_vbr_bias_pct", c_uint),
        ("rc_2pass_vbr_minsection_pct", c_uint),
        ("rc_2pass_vbr_maxsection_pct", c_uint),
        ("rc_2pass_vbr_corpus_complexity", c_uint),
        ("kf_mode", c_int),
        ("kf_min_dist", c_uint),
        ("kf_max_dist", c_uint),
        ("tail", c_uint * 1024),
    ]


class _Image(Structure):
    """``vpx_image_t``."""

    _fields_ = [
        ("fmt", c_int),
        ("cs", c_int),
        ("range", c_int),
        ("w", c_uint),
        ("h", c_uint),
        ("bit_depth", c_uint),
        ("d_w", c_uint),
        ("d_h", c_uint),
        ("r_w", c_uint),
        ("r_h", c_uint),
        ("x_chroma_shift", c_uint),
        ("y_chroma_shift", c_uint),
        ("planes", c_void_p * 4),
        ("stride", c_int * 4),
        ("tail", c_uint * 64),
    ]


class _Packet(Structure):
    """The frame variant of ``vpx_codec_cx_pkt_t``."""

    _fields_ = [
        ("kind", c_int),
        ("buf", c_void_p),
        ("sz", c_size_t),
        ("pts", c_int64),
        ("duration", c_ulong),
        ("flags", c_uint),
        ("partition_id", c_int),
    ]


class _Context(Structure):
    """``vpx_codec_ctx_t``, opaque to us."""

    _fields_ = [("opaque", c_void_p * 32)]


class _Library:
    """A loaded libvpx whose layout was checked."""

    def __init__(self, path: str) -> None:
        lib = ctypes.CDLL(path)
        lib.vpx_codec_vp8_cx.restype = c_void_p
        lib.vpx_codec_enc_config_default.argtypes = [c_void_p, POINTER(_Config), c_uint]
        lib.vpx_codec_enc_init_ver.argtypes = [POINTER(_Context), c_void_p, POINTER(_Config), c_long, c_int]
        lib.vpx_codec_enc_config_set.argtypes = [POINTER(_Context), POINTER(_Config)]
        # Only the fixed arguments are declared: the third one is variadic and ctypes then calls it so.
        lib.vpx_codec_control_.argtypes = [POINTER(_Context), c_int]
        lib.vpx_codec_encode.argtypes = [POINTER(_Context), POINTER(_Image), c_int64, c_ulong, c_long, c_ulong]
        lib.vpx_codec_get_cx_data.argtypes = [POINTER(_Context), POINTER(c_void_p)]
        lib.vpx_codec_get_cx_data.restype = POINTER(_Packet)
        lib.vpx_codec_destroy.argtypes = [POINTER(_Context)]
        lib.vpx_codec_err_to_string.restype = c_char_p
        lib.vpx_img_wrap.argtypes = [POINTER(_Image), c_int, c_uint, c_uint, c_uint, c_void_p]
        lib.vpx_img_wrap.restype = POINTER(_Image)
        self.lib: Any = lib
        self.interface = lib.vpx_codec_vp8_cx()
        self._check_layout()
        self.abi_version = self._find_abi_version()

    def default_config(self) -> _Config:
        config = _Config()
        if self.lib.vpx_codec_enc_config_default(self.interface, byref(config), 0) != 0:
            raise VpxError("libvpx gives no default configuration")
        return config

    def _check_layout(self) -> None:
        config = self.default_config()
        found = (
            (config.g_w, config.g_h, config.g_timebase_num, config.g_timebase_den),
            (config.rc_target_bitrate, config.rc_max_quantizer, config.rc_buf_sz, config.rc_buf_initial_sz),
            (config.kf_mode, config.kf_min_dist, config.kf_max_dist),
        )
        if found != ((320, 240, 1, 30), (256, 63, 6000, 4000), (_KEYFRAMES_AUTO, 0, 128)):
            raise VpxError("libvpx has another configuration layout")
        image = _Image()
        pixels = ctypes.create_string_buffer(16 * 16 * 3 // 2)
        address = ctypes.addressof(pixels)
        self.lib.vpx_img_wrap(byref(image), _IMAGE_I420, 16, 16, 1, address)
        planes = (image.planes[0], image.stride[0], image.stride[1], image.d_w, image.x_chroma_shift)
        if planes != (address, 16, 8, 16, 1):
            raise VpxError("libvpx has another picture layout")

    def _find_abi_version(self) -> int:
        for version in _ABI_VERSIONS:
            context, config = _Context(), self.default_config()
            result = self.lib.vpx_codec_enc_init_ver(byref(context), self.interface, byref(config), 0, version)
            if result == 0:
                self.lib.vpx_codec_destroy(byref(context))
                return version
            if result != _ABI_MISMATCH:
                break
        raise VpxError("libvpx has an unknown interface version")


@functools.cache
def library() -> _Library | None:
    """The usable libvpx of this installation, or ``None``."""
    import av

    package = Path(av.__file__).parent
    folders = (package.parent / "av.libs", package / ".dylibs", package)
    candidates = [str(path) for folder in folders for path in sorted(folder.glob("*vpx*")) if path.is_file()]
    system = ctypes.util.find_library("vpx")
    if system:
        candidates.append(system)
    for candidate in candidates:
        try:
            return _Library(candidate)
        except (OSError, AttributeError, VpxError) as error:
            logger.info("libvpx at %s is not usable: %s", candidate, error)
    return None


class VpxEncoder:
    """One VP8 encoder of one size. Not thread-safe: one caller at a time.

    Frames are ``av.VideoFrame`` in ``yuv420p`` of exactly *width* x *height*.
    """

    def __init__(self, width: int, height: int, bitrate: int, fps: float, *, screen: bool, threads: int) -> None:
        loaded = library()
        if loaded is None:
            raise VpxError("no usable libvpx")
        self._library = loaded
        self._context: _Context | None = None
        config = loaded.default_config()
        config.g_w, config.g_h = width, height
        config.g_threads = threads
        config.g_timebase_num, config.g_timebase_den = 1, 90_000
        config.g_error_resilient = 0
        config.g_lag_in_frames = 0
        config.rc_end_usage = _RATE_CBR
        config.rc_target_bitrate = max(1, bitrate // 1000)
        config.rc_min_quantizer = 2 if not screen else 4
        config.rc_max_quantizer = 56
        config.rc_undershoot_pct, config.rc_overshoot_pct = 100, 15
        config.rc_buf_sz, config.rc_buf_initial_sz, config.rc_buf_optimal_sz = 1000, 500, 600
        # A screen may not drop pictures: the last one before it stands still is the one people read.
        config.rc_dropframe_thresh = 0 if screen else 30
        # Keyframes come when somebody asks for one, never by a timer or a guess at scene cuts.
        config.kf_mode, config.kf_max_dist = 0, 3000
        self._config = config
        self.width, self.height = width, height
        context = _Context()
        self._check(
            loaded.lib.vpx_codec_enc_init_ver(byref(context), loaded.interface, byref(config), 0, loaded.abi_version)
        )
        self._context = context
        self._image = _Image()
        loaded.lib.vpx_img_wrap(byref(self._image), _IMAGE_I420, width, height, 1, None)
        self._control(_SET_CPUUSED, -8 if not screen else -10)
        self._control(_SET_NOISE_SENSITIVITY, 0)
        self._control(_SET_STATIC_THRESHOLD, 1 if not screen else 100)
        self._control(_SET_TOKEN_PARTITIONS, 0)
        # A keyframe may take so many percent of a frame's share: half of the buffer, in frames at this rate.
        self._control(_SET_MAX_INTRA_BITRATE_PCT, max(300, int(config.rc_buf_optimal_sz * 0.5 * fps / 10)))
        self._control(_SET_SCREEN_CONTENT_MODE, 1 if screen else 0)

    def set_bitrate(self, bps: int) -> None:
        """Takes effect with the next frame, which need not be a keyframe."""
        kbps = max(1, bps // 1000)
        if self._context is None or kbps == self._config.rc_target_bitrate:
            return
        self._config.rc_target_bitrate = kbps
        self._check(self._library.lib.vpx_codec_enc_config_set(byref(self._context), byref(self._config)))

    def encode(self, frame: Any, pts: int, duration: int, keyframe: bool) -> tuple[bytes, bool] | None:
        """Encode one frame (times in 1/90000 s). Returns data and whether it is a keyframe; ``None`` if dropped."""
        if self._context is None:
            raise VpxError("the encoder is closed")
        views = []
        for index in range(3):
            view = memoryview(frame.planes[index])
            views.append(view)
            buffer = ctypes.c_char.from_buffer(view)
            self._image.planes[index] = ctypes.addressof(buffer)
            self._image.stride[index] = frame.planes[index].line_size
        lib = self._library.lib
        flags = _FLAG_FORCE_KEYFRAME if keyframe else 0
        self._check(
            lib.vpx_codec_encode(
                byref(self._context), byref(self._image), pts, max(1, duration), flags, _DEADLINE_REALTIME
            )
        )
        data, is_key = b"", False
        position = c_void_p()
        while packet := lib.vpx_codec_get_cx_data(byref(self._context), byref(position)):
            content = packet.contents
            if content.kind == _PACKET_FRAME and content.buf:
                data += ctypes.string_at(content.buf, content.sz)
                is_key = is_key or bool(content.flags & _FRAME_IS_KEY)
        return (data, is_key) if data else None

    def close(self) -> None:
        if self._context is not None:
            self._library.lib.vpx_codec_destroy(byref(self._context))
            self._context = None

    def __del__(self) -> None:
        if getattr(self, "_context", None) is not None:
            self.close()

    def _control(self, control: int, value: int) -> None:
        assert self._context is not None
        self._check(self._library.lib.vpx_codec_control_(byref(self._context), control, c_int(value)))

    def _check(self, result: int) -> None:
        if result != 0:
            raise VpxError(self._library.lib.vpx_codec_err_to_string(result).decode("ascii", "replace"))
