"""Connection quality 0..100 and the EndpointStats payload (jitsi.md 7.3, as lib-jitsi-meet computes them). Pure."""

from __future__ import annotations

from typing import Any

from app.calls.model import MediaKind
from app.media.api import TransportStats

STATS_INTERVAL_MS = 10_000
_LOSS_STEPS = ((2, 100.0), (4, 70.0), (6, 50.0), (8, 30.0), (12, 10.0))
MAX_RISE_PER_SECOND = 1.0
"""Quality falls at once and recovers slowly, so that short gaps between losses do not look like good health."""
RAMP_UP_MS = 20_000
"""While an encoder is still ramping up, its bitrate says nothing about the network."""
_TARGETS_BPS = ((180, 200_000), (360, 500_000), (720, 1_500_000), (1080, 3_000_000))


def loss_quality(loss_percent: float) -> float:
    return next((quality for bound, quality in _LOSS_STEPS if loss_percent <= bound), 0.0)


def target_bps(height: int) -> int:
    return next((bps for bound, bps in _TARGETS_BPS if height <= bound), _TARGETS_BPS[-1][1])


class QualityMeter:
    """Our own quality over time."""

    def __init__(self) -> None:
        self._value = 100.0
        self._updated_ms: int | None = None
        self._video_since_ms: int | None = None

    @property
    def value(self) -> int:
        return round(self._value)

    def update(self, stats: TransportStats, now_ms: int) -> int:
        losses = [v for v in (stats.loss_received, stats.loss_sent) if v is not None]
        quality = loss_quality(100 * max(losses)) if losses else 100.0
        video = [t for t in stats.tracks if t.direction == "outbound" and t.kind is MediaKind.VIDEO and t.height]
        if not video:
            self._video_since_ms = None
        else:
            since = now_ms if self._video_since_ms is None else self._video_since_ms
            self._video_since_ms = since
            best = max(video, key=lambda t: t.height or 0)
            if now_ms - since > RAMP_UP_MS and best.target_bitrate_bps:
                # The share of what this size needs that the network lets us send.
                quality = min(quality, 100 * best.target_bitrate_bps / (0.5 * target_bps(best.height or 0)))
        elapsed_s = (now_ms - self._updated_ms) / 1000 if self._updated_ms is not None else None
        if elapsed_s is not None and quality > self._value:
            quality = min(quality, self._value + MAX_RISE_PER_SECOND * elapsed_s)
        self._value = min(max(quality, 0.0), 100.0)
        self._updated_ms = now_ms
        return self.value


def _kbps(bps: float | None) -> int:
    return round((bps or 0) / 1000)


def stats_payload(stats: TransportStats, quality: int, server_region: str = "") -> dict[str, Any]:
    """What we tell the others every ten seconds; rates in kbit/s, losses in percent."""

    def rate(direction: str, kind: MediaKind) -> int:
        return _kbps(sum(t.bitrate_bps or 0 for t in stats.tracks if t.direction == direction and t.kind is kind))

    down, up = 100 * (stats.loss_received or 0), 100 * (stats.loss_sent or 0)
    sent = [t.height for t in stats.tracks if t.direction == "outbound" and t.kind is MediaKind.VIDEO and t.height]
    payload: dict[str, Any] = {
        "bitrate": {
            "audio": {"upload": rate("outbound", MediaKind.AUDIO), "download": rate("inbound", MediaKind.AUDIO)},
            "video": {"upload": rate("outbound", MediaKind.VIDEO), "download": rate("inbound", MediaKind.VIDEO)},
            "upload": _kbps(stats.send_bitrate_bps),
            "download": _kbps(stats.receive_bitrate_bps),
        },
        "packetLoss": {"total": round(max(down, up)), "download": round(down), "upload": round(up)},
        "connectionQuality": quality,
        "maxEnabledResolution": max(sent, default=720),
    }
    if stats.rtt_ms is not None:
        payload["jvbRTT"] = round(stats.rtt_ms)
    if server_region:
        payload["serverRegion"] = server_region
    return payload
