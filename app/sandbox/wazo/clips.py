"""Pictures of synthetic people: encoded once per sandbox process, stamped with who draws them."""

from __future__ import annotations

from app.sandbox.jitsi.clips import FPS, ClipStore, VideoClip

HEIGHT = 180
"""Small: several bots cost next to nothing."""
STEP = 90_000 // FPS


class Camera:
    """One synthetic camera; each viewer has a position of its own, so that keyframes can be given at once."""

    def __init__(self, store: ClipStore, name: str) -> None:
        self.name = name
        self.clip: VideoClip = store.camera(name, HEIGHT)


class Projector:
    """Plays a camera towards one line."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._position = 0
        self._jump = True
        self._next_at = 0.0

    def want_keyframe(self) -> None:
        self._jump = True

    def due(self, now: float) -> bytes | None:
        """The next frame if its time has come."""
        clip = self._camera.clip
        if now < self._next_at or not clip.ready.is_set() or not clip.frames:
            return None
        self._next_at = max(self._next_at + 1 / FPS, now - 0.1)
        if self._jump:
            self._position, self._jump = clip.next_keyframe(self._position), False
        frame = clip.frames[self._position % len(clip.frames)]
        self._position = (self._position + 1) % len(clip.frames)
        return frame.data
