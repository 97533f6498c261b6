"""Keeps a :class:`app.media.record.Recorder` fed from one call: what is heard, what is said, who is seen."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from app.calls.model import MediaKind, SourceContent
from app.media.call_media import CallMedia
from app.media.inputs import Inputs
from app.media.mixer import Samples
from app.media.record import RecordedPicture, Recorder

REFRESH_S = 0.5
"""How soon somebody who joins is in the picture."""


class CallRecording:
    """One running recording; made and closed on the engine's loop."""

    def __init__(self, recorder: Recorder, media: CallMedia, inputs: Inputs) -> None:
        self._recorder = recorder
        self._media = media
        self._inputs = inputs
        self._detach: list[Callable[[], None]] = [
            inputs.mixer.add_tap(lambda block, at_ms: recorder.write_audio(block, at_ms, "remote")),
            inputs.add_sink(self._own_voice),
        ]
        self._task = asyncio.create_task(self._refresh())

    def _own_voice(self, block: Samples, at_ms: float) -> None:
        """Only what the others hear is recorded: nothing of a muted microphone."""
        if any(not local.is_video and not local.muted for local in self._media.locals.values()):
            self._recorder.write_audio(block, at_ms, "microphone")

    async def _refresh(self) -> None:
        while True:
            self._recorder.set_pictures(self._pictures())
            await asyncio.sleep(REFRESH_S)

    def _pictures(self) -> tuple[RecordedPicture, ...]:
        own = [
            RecordedPicture(x.source.name, self._inputs.preview(x.source.content), _is_screen(x.source.content))
            for x in self._media.locals.values()
            if x.is_video and not x.muted
        ]
        others = [
            RecordedPicture(name, self._media.slots.get(name), _is_screen(remote.source.content))
            for name, remote in self._media.remotes.items()
            if remote.source.kind is MediaKind.VIDEO
        ]
        return (*others, *own)

    async def close(self) -> Path:
        """Finish the file and return its path."""
        for detach in self._detach:
            detach()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        return await asyncio.to_thread(self._recorder.close)


def _is_screen(content: SourceContent) -> bool:
    return content is SourceContent.SCREEN
