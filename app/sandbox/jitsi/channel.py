"""Messages of the bridge channel (jitsi.md 7): strict reading of what clients send, building of what the bridge sends.

As the videobridge, a message with an unknown field, a repeated field or a wrong type is dropped as a whole; only
``EndpointMessage`` and ``EndpointStats`` carry free fields.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

MAX_MESSAGE_CHARS = 64 * 1024
MAX_NAMES = 500


class BadMessage(ValueError):
    """The message would be dropped by a real bridge; the text says why."""


class Constraint(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    maxHeight: int = -1
    maxFrameRate: float = -1.0


class ReceiverVideoConstraints(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colibriClass: str
    lastN: int | None = None
    selectedSources: list[str] | None = None
    onStageSources: list[str] | None = None
    defaultConstraints: Constraint | None = None
    constraints: dict[str, Constraint] | None = None
    assumedBandwidthBps: int | None = None


class LastNChangedEvent(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colibriClass: str
    lastN: int


class SourceVideoType(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colibriClass: str
    sourceName: str
    videoType: str


class VideoType(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colibriClass: str
    videoType: str


class ReceiverAudioSubscription(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"names": "list"}):
    colibriClass: str
    all: bool | None = None
    include: list[str] | None = None
    exclude: list[str] | None = None
    mode: str | None = None
    names: Any = None


class ClientHello(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    colibriClass: str


class EndpointMessage(msgspec.Struct, frozen=True):
    colibriClass: str
    to: str = ""
    msgPayload: Any = None


class EndpointStats(msgspec.Struct, frozen=True):
    colibriClass: str


Message = (
    ReceiverVideoConstraints
    | LastNChangedEvent
    | SourceVideoType
    | VideoType
    | ReceiverAudioSubscription
    | ClientHello
    | EndpointMessage
    | EndpointStats
)
_TYPES: dict[str, type[Any]] = {
    "ReceiverVideoConstraints": ReceiverVideoConstraints,
    "LastNChangedEvent": LastNChangedEvent,
    "SourceVideoTypeMessage": SourceVideoType,
    "VideoTypeMessage": VideoType,
    "ReceiverAudioSubscription": ReceiverAudioSubscription,
    "ClientHello": ClientHello,
    "EndpointMessage": EndpointMessage,
    "EndpointStats": EndpointStats,
}
VIDEO_TYPES = {"camera", "desktop", "desktop_high_fps", "none", "disabled"}
AUDIO_MODES = {"all", "none", "include", "exclude"}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadMessage("duplicate field")
    return result


def parse(text: str) -> tuple[Message, dict[str, Any]]:
    """The typed message and its raw object. Raises :class:`BadMessage`."""
    if len(text) > MAX_MESSAGE_CHARS:
        raise BadMessage("too long")
    try:
        raw = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from error
    name = raw.get("colibriClass") if isinstance(raw, dict) else None
    if not isinstance(name, str) or name not in _TYPES:
        raise BadMessage(f"unknown colibriClass: {name!r}"[:200])
    try:
        message = msgspec.convert(raw, _TYPES[name])
    except msgspec.ValidationError as error:
        raise BadMessage(str(error)[:200]) from error
    if isinstance(message, SourceVideoType | VideoType) and message.videoType.lower() not in VIDEO_TYPES:
        raise BadMessage("unknown videoType")
    if isinstance(message, ReceiverAudioSubscription) and (message.mode or "all").lower() not in AUDIO_MODES:
        raise BadMessage("unknown mode")
    if isinstance(message, ReceiverVideoConstraints) and len(message.constraints or ()) > MAX_NAMES:
        raise BadMessage("too many constraints")
    return message, raw


def build(name: str, **fields: Any) -> str:
    return json.dumps({"colibriClass": name, **fields}, separators=(",", ":"))
