"""Short sounds that tell what happens in a call: somebody comes, goes, writes, raises a hand, reacts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState

QUIET_AT_START_S = 1.5
"""Who is in the room already is announced one by one right after joining."""
PAUSE_S = 1.0
"""The same sound is not played again sooner: ten people who come at once are one sound."""


class Signals:
    """Plays through *play* (a name of :class:`app.media.sounds.Sound`) what the settings allow."""

    def __init__(
        self,
        play: Callable[[str], object],
        setting: Callable[[str], Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._play = play
        self._setting = setting
        self._clock = clock
        self._quiet_until: dict[str, float] = {}
        self._played: dict[str, float] = {}

    def observe(self, state: CallState, event: CallEvent) -> None:
        if isinstance(event, ev.PhaseChanged) and event.phase is not CallPhase.JOINED:
            self._quiet_until.pop(state.call_id, None)
            return
        if isinstance(event, ev.Joined | ev.PhaseChanged):
            self._quiet_until[state.call_id] = self._clock() + QUIET_AT_START_S
            return
        sound, setting = self._sound(state, event)
        if not sound or not self._setting(setting):
            return
        now = self._clock()
        # Before joining, nobody is told of anything.
        if now < self._quiet_until.get(state.call_id, float("inf")):
            return
        if now - self._played.get(sound, float("-inf")) >= PAUSE_S:
            self._played[sound] = now
            self._play(sound)

    @staticmethod
    def _sound(state: CallState, event: CallEvent) -> tuple[str, str]:
        """The sound of *event* and the setting that allows it."""
        local = state.local_id
        match event:
            case ev.ParticipantJoined(participant) if participant.id != local and not participant.is_hidden:
                return "join", "sounds.events"
            case ev.ParticipantLeft() if event.participant_id != local:
                return "leave", "sounds.events"
            case ev.HandRaised() if event.participant_id != local and event.raised_at is not None:
                return "hand", "sounds.events"
            case ev.MessageReceived(message) if not (message.is_local or message.system or message.retracted):
                return "message", "sounds.events"
            case ev.ReactionReceived() if event.participant_id != local:
                return "reaction", "sounds.reactions"
        return "", ""
