"""What the engine measures, as call events and as statistics for the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from app.calls import events as ev
from app.calls.model import frozen_map
from app.media.api import TransportStats
from app.vendors.jitsi.channel import BridgeState
from app.vendors.jitsi.media_session import MediaSession
from app.vendors.jitsi.quality import STATS_INTERVAL_MS, QualityMeter, stats_payload
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context
from app.vendors.jitsi.wire import parse_source_name


class Reports:
    def __init__(self, ctx: Context, room: Room, media: MediaSession, bridge: BridgeState) -> None:
        self._ctx = ctx
        self._room = room
        self._media = media
        self._bridge = bridge
        self._meter = QualityMeter()
        self._sent_ms = 0
        self._packets: dict[str, int] = {}

    def levels(self, levels: Mapping[str, float]) -> None:
        """Levels by source as levels by participant."""
        if not self._ctx.options.audio_levels:
            return
        loudest: dict[str, float] = {}
        for name, level in levels.items():
            known = self._media.sources.get(name)
            parsed = parse_source_name(name)
            owner = known.participant_id if known is not None else (parsed[0] if parsed else "")
            if owner:
                loudest[owner] = max(level, loudest.get(owner, 0.0))
        self._ctx.emit(ev.AudioLevelsChanged(frozen_map(loudest)))

    def _mark_received(self, stats: TransportStats) -> None:
        """Media flows again after a mute or a pause, which the engine does not announce as a new source."""
        before, self._packets = self._packets, {}
        for track in stats.tracks:
            if track.direction == "inbound":
                self._packets[track.source] = track.packets
                if track.packets > before.get(track.source, track.packets):
                    self._room.source_flows(track.source)

    def stats(self, stats: TransportStats) -> None:
        """Once a second; every ten seconds the others are told."""
        now = self._ctx.now()
        quality = self._meter.update(stats, now)
        self._mark_received(stats)
        values = {f.name: getattr(stats, f.name) for f in fields(stats)}
        self._ctx.emit(ev.StatsUpdated(frozen_map(values), quality))
        if self._ctx.options.send_quality and self._bridge.open and now - self._sent_ms >= STATS_INTERVAL_MS:
            self._sent_ms = now
            self._bridge.send_stats(stats_payload(stats, quality, self._media.region))
