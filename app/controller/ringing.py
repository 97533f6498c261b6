"""What is heard while calls ring: ring tone, call waiting, ringback, busy. One at a time, chosen from all calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.calls.model import CallPhase, CallState
from app.calls.phone import Direction
from app.calls.selectors import is_over, is_talking
from app.media.sounds import Sound

log = logging.getLogger(__name__)

END_TONE_S = 3.0
"""Busy and congestion tones: six beats, long enough to be understood."""
WAITING_VOLUME = 0.4
"""Call waiting is heard over a conversation."""
NO_RINGTONE = "none"

Play = Callable[[str, float, str | None], Callable[[], None]]
"""``(sound, volume 0..1, device id or None for the loudspeaker of calls) -> stop``."""

_BUSY = frozenset({"busy", "declined"})
_QUIET_ENDS = frozenset({"", "normal", "cancelled", "elsewhere"})


@dataclass(frozen=True, slots=True)
class Tone:
    sound: Sound
    volume: float = 1.0
    device_id: str | None = None


def wanted_tone(calls: Iterable[CallState], setting: Callable[[str], Any], answering: frozenset[str]) -> Tone | None:
    """The tone for these calls; *answering* are ids of those that the person has just answered. Pure."""
    alive = [one for one in calls if not is_over(one)]
    incoming = [
        one
        for one in alive
        if one.phase is CallPhase.INCOMING
        and one.call_id not in answering
        and one.phone is not None
        and one.phone.ringing
        and not one.phone.auto_answered
    ]
    talking = any(is_talking(one) for one in alive) or bool(answering)
    if incoming and talking:
        return Tone(Sound.CALL_WAITING, WAITING_VOLUME) if setting("phone.call_waiting") else None
    if incoming:
        if setting("phone.ringtone") == NO_RINGTONE or not setting("phone.ring_volume"):
            return None
        sound = Sound(setting("phone.ringtone"))
        return Tone(sound, setting("phone.ring_volume") / 100, setting("devices.ringer"))
    for one in alive:
        if one.phase is CallPhase.RINGING and not (one.phone is not None and one.phone.early_media):
            return Tone(Sound.RINGBACK)
    return None


def end_tone(state: CallState) -> Tone | None:
    """The tone after a call of ours that was not answered."""
    phone = state.phone
    if phone is None or phone.direction is not Direction.OUTGOING or phone.answered_at is not None:
        return None
    if state.joined_at is not None or phone.early_media or phone.cause in _QUIET_ENDS:
        return None
    return Tone(Sound.BUSY if phone.cause in _BUSY else Sound.CONGESTION)


class Ringer:
    """Plays what :func:`wanted_tone` says. Lives on the signalling loop."""

    def __init__(self, play: Play, setting: Callable[[str], Any]) -> None:
        self._play = play
        self._setting = setting
        self._tone: Tone | None = None
        self._stop: Callable[[], None] | None = None
        self._ending: asyncio.TimerHandle | None = None

    def update(self, calls: Iterable[CallState], answering: frozenset[str] = frozenset()) -> None:
        tone = wanted_tone(calls, self._setting, answering)
        if tone is None and self._ending is not None:
            return  # the busy tone ends by itself
        self._change(tone)

    def ended(self, state: CallState) -> None:
        """A call is over: say so when it never was answered."""
        tone = end_tone(state)
        if tone is not None and self._tone is None:
            self._change(tone)
            self._ending = asyncio.get_running_loop().call_later(END_TONE_S, self.silence)

    def silence(self) -> None:
        self._change(None)

    def _change(self, tone: Tone | None) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if tone == self._tone:
            return
        stop, self._stop, self._tone = self._stop, None, tone
        if stop is not None:
            stop()
        if tone is not None:
            self._stop = self._play(tone.sound.value, tone.volume, tone.device_id)
