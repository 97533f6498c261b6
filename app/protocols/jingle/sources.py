"""Jitsi's compact JSON form of sources: ``{"sources": {owner: [video, video groups, audio, audio groups]}}``."""

from __future__ import annotations

import html
import json
from typing import Any

from app.protocols.jingle.model import JingleSource, SourceGroup, SourceSet

MAX_SOURCES = 2000
"""Twenty SSRCs for each of a hundred senders; conferences beyond that use SSRC rewriting."""
MAX_TEXT = 256
_SEMANTICS = {"f": "FID", "s": "SIM"}
_LETTERS = {v: k for k, v in _SEMANTICS.items()}


def valid_ssrc(value: object) -> int | None:
    """An SSRC 1 .. 2**32-1 from an int or decimal text, ``None`` otherwise."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= 10 else 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**32:
        return None
    return value


def parse_json_sources(text: str) -> SourceSet:
    """Reads the text of a ``<json-message>``; what does not fit the form is left out, never raised."""
    try:
        data = json.loads(html.unescape(text.strip()))
    except (ValueError, RecursionError):
        return SourceSet()
    owners = data.get("sources") if isinstance(data, dict) else None
    result = SourceSet()
    if not isinstance(owners, dict):
        return result
    audio: list[JingleSource] = []
    video: list[JingleSource] = []
    audio_groups: list[SourceGroup] = []
    video_groups: list[SourceGroup] = []
    for owner, lists in owners.items():
        if not isinstance(lists, list) or len(audio) + len(video) > MAX_SOURCES:
            continue
        parts = [part if isinstance(part, list) else [] for part in lists[:4]] + [[]] * 4
        video += _sources(owner, parts[0], video=True)
        video_groups += _groups(parts[1])
        audio += _sources(owner, parts[2], video=False)
        audio_groups += _groups(parts[3])
    return SourceSet(
        tuple(audio[:MAX_SOURCES]),
        tuple(video[:MAX_SOURCES]),
        tuple(audio_groups[:MAX_SOURCES]),
        tuple(video_groups[:MAX_SOURCES]),
    )


def _sources(owner: str, items: list[Any], *, video: bool) -> list[JingleSource]:
    found = []
    for item in items[:MAX_SOURCES]:
        ssrc = valid_ssrc(item.get("s")) if isinstance(item, dict) else None
        if ssrc is None:
            continue
        name, msid = item.get("n"), item.get("m")
        video_type = ("desktop" if item.get("v") == "d" else "camera") if video else ""
        found.append(
            JingleSource(
                ssrc,
                name[:MAX_TEXT] if isinstance(name, str) else "",
                owner[:MAX_TEXT],
                msid[:MAX_TEXT] if isinstance(msid, str) else "",
                video_type,
            )
        )
    return found


def _groups(items: list[Any]) -> list[SourceGroup]:
    found = []
    for item in items[:MAX_SOURCES]:
        if not isinstance(item, list) or not item or not isinstance(item[0], str):
            continue
        semantics = _SEMANTICS.get(item[0])
        ssrcs = tuple(s for s in (valid_ssrc(v) for v in item[1:20]) if s is not None)
        if semantics and ssrcs and len(ssrcs) == len(item[1:20]):
            found.append(SourceGroup(semantics, ssrcs))
    return found


def to_json_sources(sources: SourceSet) -> str:
    """The compact form as text for a ``<json-message>``."""
    owners: dict[str, list[list[Any]]] = {}
    ssrc_owner: dict[int, str] = {}
    for index, group in ((0, sources.video), (2, sources.audio)):
        for s in group:
            item: dict[str, Any] = {"s": s.ssrc}
            if s.name:
                item["n"] = s.name
            if s.msid:
                item["m"] = s.msid
            if s.video_type == "desktop":
                item["v"] = "d"
            owners.setdefault(s.owner, [[], [], [], []])[index].append(item)
            ssrc_owner[s.ssrc] = s.owner
    for index, groups in ((1, sources.video_groups), (3, sources.audio_groups)):
        for g in groups:
            owner = ssrc_owner.get(g.ssrcs[0]) if g.ssrcs else None
            if owner is not None and g.semantics in _LETTERS:
                owners[owner][index].append([_LETTERS[g.semantics], *g.ssrcs])
    return json.dumps({"sources": owners}, separators=(",", ":"))
