"""A meeting without a window: join, look at everything, leave, tell how it went."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.calls import actions as act
from app.calls.events import CallEvent
from app.calls.model import Asked, CallPhase, CallState, MediaKind
from app.cli import exit_codes
from app.cli.report import Report
from app.controller.api import JoinOptions
from app.controller.controller import Controller
from app.media.errors import MediaError
from app.vendors.base import ActionRefused, Address

log = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 60.0
"""Longer than any server takes; a meeting that waits for its host does not count as joined."""
MEDIA_GRACE_S = 5.0
"""How long offered media may take before a run that ends counts as one in which it never came."""
LOOK_HEIGHT = 720
"""Nobody looks, so everything is asked for as if it were shown large."""
MAX_LOOKED_AT = 49

_ASKED = {
    Asked.ROOM_PASSWORD: "This meeting needs a password; give it with --password.",
    Asked.SIGN_IN: "This server wants you to sign in; open the meeting in the window or give a token with --jwt.",
    Asked.DISPLAY_NAME: "This meeting needs your name; give it with --name.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    exit_code: int
    reason: str
    """Machine-readable, for the report."""
    sentence: str = ""
    """For standard error, when something went wrong."""


class HeadlessRun:
    """One call from joining to leaving. Make it on the running loop."""

    def __init__(
        self,
        controller: Controller,
        report: Report,
        *,
        duration: float | None = None,
        record: Path | None = None,
        expect_media: bool = False,
    ) -> None:
        self._controller = controller
        self._report = report
        self._duration = duration
        self._record = record
        self._recording = False
        self._expect_media = expect_media
        self._interrupted = asyncio.Event()
        self._changed = asyncio.Event()
        self._looked_at: tuple[act.VisibleSource, ...] | None = None
        self._call_id = ""

    def interrupt(self) -> None:
        """Leave properly, as soon as possible. May be called from a signal handler of the loop."""
        self._interrupted.set()
        self._changed.set()

    async def run(self, address: Address, options: JoinOptions) -> Outcome:
        unsubscribe = self._controller.subscribe(self._on_event)
        self._report.begin()
        try:
            self._call_id = await self._controller.join(address, options)
            outcome = await self._until_joined() or await self._stay()
            await self._stop_recording()
            await self._controller.perform(self._call_id, act.Leave())
        finally:
            unsubscribe()
        self._report.exit_reason = outcome.reason
        return outcome

    # ------------------------------------------------------------ phases

    def _state(self) -> CallState:
        return self._controller.state(self._call_id)

    def _on_event(self, state: CallState, event: CallEvent) -> None:
        self._report.on_event(state, event)
        self._changed.set()

    async def _until_joined(self) -> Outcome | None:
        """``None`` once joined, else how it ended."""
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                while True:
                    state = self._state()
                    if state.phase is CallPhase.JOINED:
                        return None
                    ended = self._not_joined(state)
                    if ended is not None:
                        return ended
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return Outcome(exit_codes.COULD_NOT_JOIN, "timeout", "The meeting could not be joined within a minute.")

    def _not_joined(self, state: CallState) -> Outcome | None:
        if self._interrupted.is_set():
            return Outcome(exit_codes.COULD_NOT_JOIN, "interrupted", "Interrupted before the meeting was joined.")
        if state.phase is CallPhase.ASKING and state.asked is not None:
            sentence = state.failure.message if state.failure else _ASKED[state.asked]
            return Outcome(exit_codes.COULD_NOT_JOIN, f"asked:{state.asked.value}", sentence)
        if state.phase is CallPhase.FAILED:
            code = state.failure.code if state.failure else "unknown"
            sentence = state.failure.message if state.failure else "The meeting could not be joined."
            return Outcome(exit_codes.COULD_NOT_JOIN, f"failed:{code}", sentence)
        if state.phase is CallPhase.ENDED:
            return Outcome(exit_codes.COULD_NOT_JOIN, "ended", state.end_reason or "The meeting ended.")
        return None

    async def _stay(self) -> Outcome:
        try:
            async with asyncio.timeout(self._duration):
                reason = await self._until_over()
        except TimeoutError:
            reason = "duration"
        if self._media_never_came():
            return Outcome(
                exit_codes.MEDIA_NEVER_CAME,
                "media_never_came",
                "The meeting was joined, but no picture or sound arrived. A firewall may block UDP.",
            )
        return Outcome(exit_codes.GOOD, reason)

    async def _until_over(self) -> str:
        while True:
            self._changed.clear()
            state = self._state()
            if self._interrupted.is_set():
                return "interrupted"
            if state.phase is CallPhase.ENDED:
                return f"ended:{state.end_reason}" if state.end_reason else "ended"
            if state.phase is CallPhase.FAILED:
                return f"failed:{state.failure.code if state.failure else 'unknown'}"
            await self._start_recording(state)
            await self._look_at_everything(state)
            await self._changed.wait()

    def _media_never_came(self) -> bool:
        if self._report.media_came:
            return False
        since = self._report.offered_since
        return self._expect_media or (since is not None and time.monotonic() - since >= MEDIA_GRACE_S)

    async def _look_at_everything(self, state: CallState) -> None:
        wanted = tuple(
            act.VisibleSource(source.name, LOOK_HEIGHT)
            for source in state.sources.values()
            if source.kind is MediaKind.VIDEO and source.participant_id != state.local_id
        )[:MAX_LOOKED_AT]
        if wanted == self._looked_at or state.phase is not CallPhase.JOINED:
            return
        self._looked_at = wanted
        try:
            await self._controller.perform(self._call_id, act.SetVisibleSources(wanted))
        except ActionRefused as error:
            # Tried again with the next change: the bridge channel may not be open yet.
            log.info("visible sources: %s", error.failure.code)
            self._looked_at = None

    # ------------------------------------------------------------ recording

    async def _start_recording(self, state: CallState) -> None:
        """As soon as there is media: before that the engine knows nothing of the call."""
        if self._record is None or self._recording or state.media_state != "connected":
            return
        try:
            await self._controller.start_recording(self._call_id, self._record)
            self._recording = True
        except (MediaError, OSError) as error:
            self._record = None
            print(f"parley: The meeting is not recorded: {error}.", file=sys.stderr)

    async def _stop_recording(self) -> None:
        if not self._recording:
            return
        try:
            await self._controller.stop_recording()
        except (MediaError, OSError) as error:
            print(f"parley: The recording could not be finished: {error}.", file=sys.stderr)


@contextmanager
def signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C, and an end asked for by the system, leave the meeting properly."""
    loop = asyncio.get_running_loop()
    installed: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
            installed.append(number)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(interrupt))
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)
