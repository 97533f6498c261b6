"""Pre-encoded pictures and speech of synthetic participants: made once per participant and size, in a worker thread,
then sent as often as wanted at next to no cost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

FPS = 30
CLIP_S = 4
KEYFRAME_EVERY = FPS
"""Frames between keyframes: a request for one is answered by jumping to the next, at most a second away."""
SCREEN_FPS = 10
SIZES = {180: (320, 180, 150_000), 360: (640, 360, 450_000), 720: (1280, 720, 1_200_000)}
"""Height to width, height and bitrate of the simulcast layers."""
SCREEN_BITRATE = 800_000
FRAME_SAMPLES = 960
SPEECH_S = 3
SPEECH_BITRATE = 32_000
QUIET_DBOV = -78
SYLLABLES_PER_S = 4.0


@dataclass(frozen=True, slots=True)
class ClipFrame:
    data: bytes
    keyframe: bool
    number: int
    """Frame number in the picture's stamp."""


@dataclass(slots=True)
class VideoClip:
    """A loop of VP8 frames that begins with a keyframe. Empty until the worker has made it."""

    fps: int
    frames: list[ClipFrame] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    def next_keyframe(self, position: int) -> int:
        """Index of the first keyframe at or after *position*, cyclic."""
        count = len(self.frames)
        return next((i % count for i in range(position, position + count) if self.frames[i % count].keyframe), 0)


@dataclass(frozen=True, slots=True)
class AudioFrame:
    data: bytes
    level_dbov: int


@dataclass(slots=True)
class AudioClip:
    """Speech-like bursts on one tone, and quiet frames for the pauses."""

    tone_hz: float
    speech: list[AudioFrame] = field(default_factory=list)
    quiet: list[AudioFrame] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)


class ClipStore:
    """Clips of one sandbox. Requests return at once; the worker fills clips in order of request."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sandbox-clips")
        self._video: dict[tuple[str, int], VideoClip] = {}
        self._audio: dict[float, AudioClip] = {}

    def camera(self, source: str, height: int) -> VideoClip:
        """The clip of a camera source at 180, 360 or 720 lines."""
        return self._get(source, height, lambda clip: _encode_camera(clip, source, height), FPS)

    def screen(self, source: str) -> VideoClip:
        return self._get(source, 0, lambda clip: _encode_screen(clip, source), SCREEN_FPS)

    def _get(self, source: str, height: int, make: Any, fps: int) -> VideoClip:
        clip = self._video.get((source, height))
        if clip is None:
            clip = self._video[source, height] = VideoClip(fps)
            self._pool.submit(_run, make, clip)
        return clip

    def speech(self, tone_hz: float) -> AudioClip:
        clip = self._audio.get(tone_hz)
        if clip is None:
            clip = self._audio[tone_hz] = AudioClip(tone_hz)
            self._pool.submit(_run, _encode_speech, clip)
        return clip

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


def _run(make: Any, clip: VideoClip | AudioClip) -> None:
    make(clip)
    clip.ready.set()


def _encode(clip: VideoClip, draw: Any, width: int, height: int, bitrate: int, count: int, screen: bool) -> None:
    from app.media.video_codec import make_encoder

    encoder = make_encoder("VP8", width, height, bitrate, clip.fps, screen)
    frames: list[ClipFrame] = []
    try:
        for number in range(count):
            encoded = encoder.encode(draw(number), number * 90000 // clip.fps, number % KEYFRAME_EVERY == 0)
            if encoded is not None:
                frames.append(ClipFrame(encoded.data, encoded.keyframe, number))
    finally:
        encoder.close()
    clip.frames = frames


def _encode_camera(clip: VideoClip, source: str, height: int) -> None:
    from app.media.stamp import source_id
    from app.media.testcard import TestCard

    width, height, bitrate = SIZES[height]
    card = TestCard(width, height, source_id(source))
    _encode(clip, lambda number: card.draw(number * 1000 / FPS), width, height, bitrate, CLIP_S * FPS, False)


def _encode_screen(clip: VideoClip, source: str) -> None:
    """A document that scrolls: dark lines of different length on white, a title bar, and the stamp."""
    import av
    import numpy as np

    from app.media import stamp

    width, height = 1280, 720
    generator = np.random.default_rng(stamp.source_id(source))
    lengths = generator.integers(300, 1000, 60)

    def draw(number: int) -> Any:
        frame = av.VideoFrame(width, height, "yuv420p")
        luma = np.full((height, width), 235, np.uint8)
        luma[:48] = 70
        for index, length in enumerate(lengths):
            top = 80 + index * 28 - number * 2
            if 60 < top < height - 140:
                luma[top : top + 10, 120 : 120 + int(length)] = 60
        stamp.draw(luma, stamp.source_id(source), number, number * 1000 / SCREEN_FPS)
        for plane, values in zip(frame.planes, (luma, None, None), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
            rows[:, : plane.width] = 128 if values is None else values
        return frame

    _encode(clip, draw, width, height, SCREEN_BITRATE, CLIP_S * SCREEN_FPS, True)


def _encode_speech(clip: AudioClip) -> None:
    """A voice-like sound: a fundamental with two overtones, syllables of a quarter second, a pause per second."""
    import numpy as np

    from app.media.opus import make_encoder

    rate = 48_000
    times = np.arange(SPEECH_S * rate) / rate
    hz = clip.tone_hz
    wave = np.sin(2 * np.pi * hz * times) + 0.3 * np.sin(4 * np.pi * hz * times) + 0.15 * np.sin(6 * np.pi * hz * times)
    envelope = 0.35 + 0.65 * np.clip(np.sin(2 * np.pi * SYLLABLES_PER_S * times), 0, 1)
    envelope = envelope * (times % 1.0 < 0.85)
    samples = (wave * envelope * 0.18 * 32767).astype(np.int16)
    encoder = make_encoder(SPEECH_BITRATE)
    generator = np.random.default_rng(int(hz))
    hush = generator.normal(0, 3, rate).astype(np.int16)
    try:
        clip.speech = [_frame(encoder, samples, start) for start in range(0, len(samples), FRAME_SAMPLES)]
        clip.quiet = [_frame(encoder, hush, start, QUIET_DBOV) for start in range(0, len(hush), FRAME_SAMPLES)]
    finally:
        encoder.close()


def _frame(encoder: Any, samples: Any, start: int, level: int | None = None) -> AudioFrame:
    import numpy as np

    block = samples[start : start + FRAME_SAMPLES]
    if level is None:
        rms = float(np.sqrt(np.mean(np.square(block.astype(np.float64)))))
        level = max(-126, round(20 * np.log10(max(rms, 0.02) / 32767)))
    return AudioFrame(encoder.encode(block), level)
