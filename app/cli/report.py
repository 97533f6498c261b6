"""The report of a meeting: one JSON object, filled from states and events while the call runs."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState, MediaKind
from app.storage.settings_file import write_private

MAX_EVENTS = 10_000
"""Later ones are counted, not kept; a week-long run must not fill the memory."""
MAX_DEPTH = 6

_MEASURED = (ev.AudioLevelsChanged, ev.StatsUpdated, ev.RemoteStatsUpdated)
"""Figures that come all the time and are reported as such, not as changes of state."""
_TRACK_FIELDS = (
    "source",
    "kind",
    "content",
    "codec",
    "fps",
    "width",
    "height",
    "bitrate_bps",
    "packets_lost",
    "loss_fraction",
    "jitter_ms",
    "freezes",
    "audio_level_dbov",
)
_SECRET_FIELDS = frozenset({"text", "password", "token", "payload", "value", "children"})
"""Contents of conversations and secrets: a report says that they were there and how long they were."""


class Report:
    """Collects one call. :meth:`on_event` fits ``ControllerApi.subscribe``; times count from :meth:`begin`."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._cpu_started = _cpu_seconds()
        self.joined_ms: float | None = None
        self.first_video_ms: float | None = None
        self.first_audio_ms: float | None = None
        self.offered_since: float | None = None
        """Since when (monotonic) somebody else has offered media that we have not received yet."""
        self._participants: dict[str, dict[str, Any]] = {}
        self._remote_tracks: list[dict[str, Any]] = []
        self._local_tracks: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._dropped = 0
        self._steps: list[dict[str, Any]] = []
        self.exit_reason = ""

    def step(self, name: str, good: bool, started: float, detail: Any = None) -> None:
        """Note a step of a run and how long it took since *started* (monotonic seconds)."""
        taken_ms = round((time.monotonic() - started) * 1000, 1)
        self._steps.append({"name": name, "good": good, "ms": taken_ms, "detail": _plain(detail)})

    def begin(self) -> None:
        """The moment of pressing Join."""
        self._started = time.monotonic()
        self._cpu_started = _cpu_seconds()

    def elapsed_ms(self) -> float:
        return round((time.monotonic() - self._started) * 1000, 1)

    @property
    def media_came(self) -> bool:
        return self.first_video_ms is not None or self.first_audio_ms is not None

    def on_event(self, state: CallState, event: CallEvent) -> None:
        self._note(event)
        if isinstance(event, ev.Joined) and self.joined_ms is None:
            self.joined_ms = self.elapsed_ms()
        self._follow_media(state, event)
        if state.phase in (CallPhase.JOINED, CallPhase.RECONNECTING):
            for participant in state.participants.values():
                self._participants[participant.id] = {
                    "id": participant.id,
                    "name": participant.name,
                    "role": participant.role.value,
                    "local": participant.is_local,
                }

    def _note(self, event: CallEvent) -> None:
        if isinstance(event, _MEASURED) or (isinstance(event, ev.LocalMediaChanged) and event.audio_level is not None):
            return
        if len(self._events) >= MAX_EVENTS:
            self._dropped += 1
            return
        fields = {
            field.name: _plain(getattr(event, field.name), field.name)
            for field in dataclasses.fields(event)
            if getattr(event, field.name) is not None
        }
        self._events.append({"t_ms": self.elapsed_ms(), "type": type(event).__name__, **fields})

    def _follow_media(self, state: CallState, event: CallEvent) -> None:
        if isinstance(event, (ev.SourceAdded, ev.SourceChanged)):
            source = event.source
            if source.participant_id == state.local_id:
                return
            if source.receiving:
                self._came(source.kind)
            elif not source.muted and self.offered_since is None:
                self.offered_since = time.monotonic()
        elif isinstance(event, ev.StatsUpdated):
            self._take_tracks(event.stats.get("tracks", ()), state.local_id)

    def _came(self, kind: MediaKind) -> None:
        if kind is MediaKind.VIDEO and self.first_video_ms is None:
            self.first_video_ms = self.elapsed_ms()
        elif kind is MediaKind.AUDIO and self.first_audio_ms is None:
            self.first_audio_ms = self.elapsed_ms()

    def _take_tracks(self, tracks: Any, local_id: str) -> None:
        remote: list[dict[str, Any]] = []
        local: list[dict[str, Any]] = []
        for track in tracks:
            get = track.get if isinstance(track, Mapping) else lambda name, of=track: getattr(of, name, None)
            found = {name: _plain(get(name), name) for name in _TRACK_FIELDS}
            entry = {"participant": get("participant_id"), **found}
            if get("direction") == "outbound":
                local.append({**entry, "participant": entry["participant"] or local_id})
                continue
            remote.append(entry)
            kind = MediaKind.AUDIO if get("kind") == MediaKind.AUDIO else MediaKind.VIDEO
            if get("packets") and (kind is MediaKind.AUDIO or get("frames")):
                self._came(kind)
        self._remote_tracks, self._local_tracks = remote, local

    def document(self) -> dict[str, Any]:
        """The report as it stands now."""
        return {
            "joined_ms": self.joined_ms,
            "first_remote_video_ms": self.first_video_ms,
            "first_remote_audio_ms": self.first_audio_ms,
            "participants": list(self._participants.values()),
            "remote_tracks": self._remote_tracks,
            "local_tracks": self._local_tracks,
            "events": self._events,
            "events_dropped": self._dropped,
            "cpu_seconds": round(_cpu_seconds() - self._cpu_started, 3),
            "wall_seconds": round(time.monotonic() - self._started, 3),
            "peak_rss_bytes": _peak_rss_bytes(),
            "exit_reason": self.exit_reason,
            **({"steps": self._steps} if self._steps else {}),
        }

    def write(self, path: Path) -> None:
        """Raises ``OSError`` when *path* cannot be written."""
        text = json.dumps(self.document(), ensure_ascii=False, indent=1, allow_nan=False)
        write_private(path.resolve(), (text + "\n").encode())


def _plain(value: Any, name: str = "", depth: int = 0) -> Any:
    """*value* as JSON: dataclasses as objects, enumerations as texts, conversations as their length."""
    if name in _SECRET_FIELDS and value is not None:
        return {"length": len(value) if hasattr(value, "__len__") else 0}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return round(value, 3) if value == value and abs(value) != float("inf") else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if depth >= MAX_DEPTH:
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name), field.name, depth + 1) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item, str(key), depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [_plain(item, "", depth + 1) for item in items]
    return str(value)


def _cpu_seconds() -> float:
    return time.process_time()


def _peak_rss_bytes() -> int | None:
    try:
        import resource
    except ImportError:
        return None  # Windows has no such module
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
