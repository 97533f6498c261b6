"""Messages of the bridge channel ("colibri", jitsi.md 7): JSON objects with a ``colibriClass``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_MESSAGE_CHARS = 200_000
MAX_ENTRIES = 500
MAX_OUT_CHARS = 16_000
"""Data channels of older bridges stall on large messages."""


@dataclass(frozen=True, slots=True)
class ServerHello:
    version: str = ""


@dataclass(frozen=True, slots=True)
class DominantSpeaker:
    endpoint: str
    previous: tuple[str, ...] = ()
    silence: bool = False


@dataclass(frozen=True, slots=True)
class ConnectivityChanged:
    endpoint: str
    active: bool


@dataclass(frozen=True, slots=True)
class ForwardedSources:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SenderConstraints:
    source: str
    max_height: int


@dataclass(frozen=True, slots=True)
class MappedSource:
    source: str
    owner: str
    ssrc: int
    rtx: int | None = None
    video_type: str = ""


@dataclass(frozen=True, slots=True)
class SourcesMap:
    kind: str
    """``audio`` or ``video``."""
    sources: tuple[MappedSource, ...]


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    downlink_bps: float


@dataclass(frozen=True, slots=True)
class EndpointMessage:
    sender: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EndpointStats:
    sender: str
    stats: Mapping[str, Any] = field(default_factory=dict)


BridgeMessage = (
    ServerHello
    | DominantSpeaker
    | ConnectivityChanged
    | ForwardedSources
    | SenderConstraints
    | SourcesMap
    | ConnectionStats
    | EndpointMessage
    | EndpointStats
)


def parse_bridge_message(text: str) -> BridgeMessage | None:
    """One message; ``None`` for what is malformed or unknown."""
    if len(text) > MAX_MESSAGE_CHARS:
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    read = _READERS.get(data.get("colibriClass", "") if isinstance(data.get("colibriClass"), str) else "")
    return read(data) if read is not None else None


def _text(value: Any) -> str:
    return value[:256] if isinstance(value, str) else ""


def _names(value: Any) -> tuple[str, ...]:
    return tuple(v[:256] for v in value[:MAX_ENTRIES] if isinstance(v, str)) if isinstance(value, list) else ()


def _ssrc(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    # Java bridges have been seen to print SSRCs above 2**31 as negative numbers.
    value &= 0xFFFFFFFF if -(2**31) <= value < 0 else ~0
    return value if 0 < value < 2**32 else None


def _hello(data: dict[str, Any]) -> BridgeMessage:
    return ServerHello(_text(data.get("version")))


def _dominant(data: dict[str, Any]) -> BridgeMessage | None:
    endpoint = _text(data.get("dominantSpeakerEndpoint"))
    silence = data.get("silence") in (True, "true")
    return DominantSpeaker(endpoint, _names(data.get("previousSpeakers")), silence) if endpoint else None


def _connectivity(data: dict[str, Any]) -> BridgeMessage | None:
    endpoint = _text(data.get("endpoint"))
    return ConnectivityChanged(endpoint, data.get("active") in (True, "true")) if endpoint else None


def _forwarded(data: dict[str, Any]) -> BridgeMessage | None:
    names = data.get("forwardedSources")
    return ForwardedSources(_names(names)) if isinstance(names, list) else None


def _constraints(data: dict[str, Any]) -> BridgeMessage | None:
    height = data.get("maxHeight")
    if isinstance(height, bool) or not isinstance(height, int) or not -1 <= height < 100_000:
        return None
    return SenderConstraints(_text(data.get("sourceName")), height)


def _map(kind: str, data: dict[str, Any]) -> BridgeMessage | None:
    items = data.get("mappedSources")
    if not isinstance(items, list):
        return None
    found = []
    for item in items[:MAX_ENTRIES]:
        ssrc = _ssrc(item.get("ssrc")) if isinstance(item, dict) else None
        if ssrc is None:
            continue
        source, owner = _text(item.get("source")), _text(item.get("owner"))
        if source:
            video_type = _text(item.get("videoType")).lower()
            found.append(MappedSource(source, owner, ssrc, _ssrc(item.get("rtx")), video_type))
    return SourcesMap(kind, tuple(found))


def _stats(data: dict[str, Any]) -> BridgeMessage | None:
    value = data.get("estimatedDownlinkBandwidth")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e12:
        return None
    return ConnectionStats(float(value))


def _message(data: dict[str, Any]) -> BridgeMessage | None:
    payload = data.get("msgPayload")
    return EndpointMessage(_text(data.get("from")), payload) if isinstance(payload, dict) else None


def _endpoint_stats(data: dict[str, Any]) -> BridgeMessage | None:
    sender = _text(data.get("from"))
    stats = {k: v for k, v in list(data.items())[:100] if k not in ("colibriClass", "from", "to")}
    return EndpointStats(sender, stats) if sender else None


_READERS = {
    "ServerHello": _hello,
    "DominantSpeakerEndpointChangeEvent": _dominant,
    "EndpointConnectivityStatusChangeEvent": _connectivity,
    "ForwardedSources": _forwarded,
    "SenderSourceConstraints": _constraints,
    "VideoSourcesMap": lambda d: _map("video", d),
    "AudioSourcesMap": lambda d: _map("audio", d),
    "ConnectionStats": _stats,
    "EndpointMessage": _message,
    "EndpointStats": _endpoint_stats,
}


def build_bridge_message(class_: str, fields: Mapping[str, Any]) -> str:
    """The text to send. Raises ``ValueError`` for what is no JSON or too large."""
    text = json.dumps({"colibriClass": class_, **fields}, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_OUT_CHARS:
        raise ValueError("message too large for the bridge channel")
    return text


def endpoint_message(to: str, payload: Mapping[str, Any]) -> str:
    return build_bridge_message("EndpointMessage", {"to": to, "msgPayload": dict(payload)})


def endpoint_stats(stats: Mapping[str, Any]) -> str:
    return build_bridge_message("EndpointStats", {k: v for k, v in stats.items() if k not in ("colibriClass", "from")})


def video_type_message(source: str, video_type: str) -> str:
    return build_bridge_message("SourceVideoTypeMessage", {"sourceName": source, "videoType": video_type})
