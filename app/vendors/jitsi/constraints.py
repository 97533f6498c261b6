"""What we ask the bridge to send: ReceiverVideoConstraints from what is on screen (jitsi.md 7.3). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.calls.actions import VisibleSource

HEIGHTS = (90, 180, 360, 720, 1080, 2160)
"""Layers that senders offer; a bridge rounds to them."""
DEFAULT_HEIGHT = 360
"""Asked for everybody until the window has said what it shows (headless use)."""
MAX_SOURCES = 100


def ladder(height: int) -> int:
    """The smallest layer that is not smaller than *height*."""
    return next((h for h in HEIGHTS if h >= height), HEIGHTS[-1])


def receiver_constraints(
    visible: Sequence[VisibleSource] | None, *, max_height: int | None, last_n: int | None, audio_only: bool
) -> dict[str, Any]:
    """Fields of the message. *visible* is ``None`` until the first layout; stage sources come first."""
    n = -1 if last_n is None or last_n < 0 else last_n
    if audio_only or n == 0:
        return _message(0, [], [], 0, {})
    if visible is None:
        return _message(n, [], [], _limit(DEFAULT_HEIGHT, max_height), {})
    shown = [v for v in visible if v.height > 0][:MAX_SOURCES]
    ordered = sorted(shown, key=lambda v: (not v.on_stage, -v.height))
    constraints = {v.name: {"maxHeight": _limit(ladder(v.height), max_height)} for v in reversed(ordered)}
    on_stage = [v.name for v in ordered if v.on_stage]
    selected = [v.name for v in ordered if not v.on_stage]
    return _message(n, selected, on_stage, 0, constraints)


def _limit(height: int, bound: int | None) -> int:
    return height if bound is None or bound < 0 else min(height, bound)


def _message(
    last_n: int, selected: list[str], on_stage: list[str], default: int, constraints: dict[str, Any]
) -> dict[str, Any]:
    return {
        "lastN": last_n,
        "selectedSources": selected,
        "onStageSources": on_stage,
        "defaultConstraints": {"maxHeight": default},
        "constraints": constraints,
    }
