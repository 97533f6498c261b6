"""Who speaks: dominant speaker from audio levels, with hysteresis so that a cough does not take the stage. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

SPEECH_DBOV = -50.0
"""Louder than this counts as speech."""
TAKE_OVER_S = 0.6
"""How long somebody must be clearly louder than the present speaker."""
FIRST_SPEECH_S = 0.2
SILENCE_S = 2.0
"""The dominant speaker said nothing for this long: silence."""
RISE, FALL = 0.25, 0.02
"""Smoothing per packet (20 ms) upwards and downwards."""
MARGIN_DB = 3.0
MAX_PREVIOUS = 10


@dataclass(slots=True)
class _Voice:
    level: float = -127.0
    louder_since: float | None = None
    spoke_at: float = -1e9


@dataclass(slots=True)
class DominantSpeaker:
    """Feed every audio packet to :meth:`level`; call :meth:`tick` a few times a second."""

    current: str = ""
    silence: bool = True
    order: list[str] = field(default_factory=list)
    """Speakers, newest first, the dominant one included."""
    _voices: dict[str, _Voice] = field(default_factory=dict)

    def level(self, endpoint: str, dbov: float, now: float) -> bool:
        """Note one packet's level; True when dominant speaker or silence changed."""
        voice = self._voices.setdefault(endpoint, _Voice())
        rate = RISE if dbov > voice.level else FALL
        voice.level += rate * (dbov - voice.level)
        if dbov > SPEECH_DBOV:
            voice.spoke_at = now
        return self._decide(endpoint, voice, now)

    def _decide(self, endpoint: str, voice: _Voice, now: float) -> bool:
        if endpoint == self.current:
            if self.silence and voice.level > SPEECH_DBOV:
                self.silence = False
                return True
            return False
        present = self._voices.get(self.current)
        quiet = present is None or now - present.spoke_at > SILENCE_S / 2
        reference = SPEECH_DBOV if quiet or present is None else max(SPEECH_DBOV, present.level + MARGIN_DB)
        if voice.level <= reference:
            voice.louder_since = None
            return False
        if voice.louder_since is None:
            voice.louder_since = now
        if now - voice.louder_since < (FIRST_SPEECH_S if quiet else TAKE_OVER_S):
            return False
        voice.louder_since = None
        self._take(endpoint)
        return True

    def _take(self, endpoint: str) -> None:
        self.current, self.silence = endpoint, False
        self.order = [endpoint, *(e for e in self.order if e != endpoint)]

    def tick(self, now: float) -> bool:
        """True when the dominant speaker has just fallen silent."""
        for endpoint, voice in self._voices.items():
            if now - voice.spoke_at > 0.5:
                voice.level = min(voice.level, -100.0)
                voice.louder_since = None
            if endpoint == self.current and not self.silence and now - voice.spoke_at > SILENCE_S:
                self.silence = True
                return True
        return False

    def remove(self, endpoint: str) -> bool:
        """The endpoint left; True when it was the dominant one."""
        self._voices.pop(endpoint, None)
        self.order = [e for e in self.order if e != endpoint]
        if self.current == endpoint:
            self.current, self.silence = (self.order[0] if self.order else ""), True
            return True
        return False

    @property
    def previous(self) -> list[str]:
        return [e for e in self.order if e != self.current][:MAX_PREVIOUS]
