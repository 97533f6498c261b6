"""Sounds on a loudspeaker of their own, beside the one of calls: the ring tone is heard with the headset put down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.media.api import AudioOutput
from app.media.devices import AudioBackend, Stream, open_speaker
from app.media.errors import DeviceError
from app.media.mixer import Mixer, PlayingSound
from app.media.sounds import Sound, play

logger = logging.getLogger(__name__)

TAIL_S = 0.2
"""What the device still holds when the last sound has ended or was stopped."""


class Ringer:
    """Opens the device for as long as something sounds. Runs on the engine's loop; :meth:`play` on any thread."""

    def __init__(self, backend: Callable[[], AudioBackend], fallback: Mixer) -> None:
        self._backend = backend
        self._fallback = fallback

    def play(
        self,
        start: Callable[[Coroutine[Any, Any, None]], Any],
        post: Callable[..., None],
        sound: Sound,
        volume: float,
        device_id: str,
    ) -> Callable[[], None]:
        """*start* runs a coroutine on the engine's loop, *post* calls a function there. Returns the function that
        stops the sound."""
        stopped = asyncio.Event()
        start(self._play(sound, volume, device_id, stopped, post))
        return lambda: post(stopped.set)

    async def _play(
        self, sound: Sound, volume: float, device_id: str, stopped: asyncio.Event, post: Callable[..., None]
    ) -> None:
        mixer = Mixer()
        try:
            stream: Stream | None = await asyncio.to_thread(
                open_speaker, self._backend(), AudioOutput("device", device_id), mixer
            )
        except DeviceError as error:
            logger.warning("the ring device could not be opened (%s); it rings where calls are heard", error.code)
            mixer, stream = self._fallback, None
        try:
            if not stopped.is_set():
                await self._until_done(mixer, sound, volume, stopped, post)
        finally:
            if stream is not None:
                await asyncio.to_thread(stream.close)

    @staticmethod
    async def _until_done(
        mixer: Mixer, sound: Sound, volume: float, stopped: asyncio.Event, post: Callable[..., None]
    ) -> None:
        playing: PlayingSound = play(mixer, sound, volume, on_done=lambda: post(stopped.set))
        try:
            await stopped.wait()
        finally:
            playing.stop()
        await asyncio.sleep(TAIL_S)
