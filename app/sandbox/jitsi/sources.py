"""The sources of one conference and the rules by which members may add and remove them (jitsi.md 5.2, 5.4). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.protocols.jingle import JingleSource, SourceGroup, SourceSet

VIDEO_TYPES = ("", "camera", "desktop")


class SourceError(ValueError):
    """A source change is not acceptable; the text says why, ``condition`` is the stanza error."""

    def __init__(self, text: str, condition: str = "bad-request") -> None:
        super().__init__(text)
        self.condition = condition


@dataclass(slots=True)
class ConferenceSources:
    """Who sends which SSRCs. Changes either succeed as a whole or raise :class:`SourceError`."""

    limit: int = 20
    by_owner: dict[str, SourceSet] = field(default_factory=dict)

    def add(self, owner: str, added: SourceSet) -> SourceSet:
        """Add sources of *owner*; returns what was accepted (owner filled in, empty and repeated groups dropped)."""
        existing = self.by_owner.get(owner, SourceSet())
        accepted = _with_owner(added, owner)
        taken = {s.ssrc: o for o, sources in self.by_owner.items() for s in sources.audio + sources.video}
        msids = {s.msid: o for o, sources in self.by_owner.items() for s in sources.audio + sources.video if s.msid}
        seen: set[int] = set()
        for source in accepted.audio + accepted.video:
            if not 0 < source.ssrc < 2**32:
                raise SourceError(f"Invalid SSRC: {source.ssrc}")
            if source.ssrc in taken or source.ssrc in seen:
                raise SourceError(f"SSRC is already used: {source.ssrc}")
            if not source.name:
                raise SourceError(f"Source {source.ssrc} has no name")
            if source.video_type not in VIDEO_TYPES:
                raise SourceError(f"Invalid video type: {source.video_type}")
            if msids.get(source.msid, owner) != owner:
                raise SourceError(f"MSID is already used: {source.msid}")
            seen.add(source.ssrc)
        groups = existing.audio_groups + existing.video_groups
        accepted = replace(
            accepted,
            audio_groups=tuple(g for g in accepted.audio_groups if g.ssrcs and g not in groups),
            video_groups=tuple(g for g in accepted.video_groups if g.ssrcs and g not in groups),
        )
        result = existing + accepted
        if len(result.audio + result.video) > self.limit:
            raise SourceError(f"Limit of {self.limit} SSRCs exceeded")
        if len(result.audio_groups + result.video_groups) > self.limit:
            raise SourceError(f"Limit of {self.limit} SSRC groups exceeded")
        _check(result)
        self.by_owner[owner] = result
        return accepted

    def remove(self, owner: str, removed: SourceSet) -> SourceSet:
        """Remove by SSRC; groups go with their members. Returns what was removed, with all its details."""
        existing = self.by_owner.get(owner, SourceSet())
        known = {s.ssrc for s in existing.audio + existing.video}
        ssrcs = {s.ssrc for s in removed.audio + removed.video}
        if not ssrcs <= known or not ssrcs:
            raise SourceError("Source does not exist")
        gone, rest = split(existing, ssrcs)
        _check(rest)
        self.by_owner[owner] = rest
        return gone

    def drop(self, owner: str) -> SourceSet:
        """The owner left."""
        return self.by_owner.pop(owner, SourceSet())

    def others(self, owner: str) -> SourceSet:
        total = SourceSet()
        for other, sources in self.by_owner.items():
            if other != owner:
                total = total + sources
        return total


def split(sources: SourceSet, ssrcs: set[int]) -> tuple[SourceSet, SourceSet]:
    """(those with one of *ssrcs*, the others); a group belongs to the first part when any member does."""

    def touched(group: SourceGroup) -> bool:
        return any(ssrc in ssrcs for ssrc in group.ssrcs)

    inside = SourceSet(
        tuple(s for s in sources.audio if s.ssrc in ssrcs),
        tuple(s for s in sources.video if s.ssrc in ssrcs),
        tuple(g for g in sources.audio_groups if touched(g)),
        tuple(g for g in sources.video_groups if touched(g)),
    )
    outside = SourceSet(
        tuple(s for s in sources.audio if s.ssrc not in ssrcs),
        tuple(s for s in sources.video if s.ssrc not in ssrcs),
        tuple(g for g in sources.audio_groups if not touched(g)),
        tuple(g for g in sources.video_groups if not touched(g)),
    )
    return inside, outside


def strip_simulcast(sources: SourceSet) -> SourceSet:
    """Keep only the first SSRC of each ``SIM`` group and its retransmission, as receivers are told."""
    dropped: set[int] = set()
    for group in sources.video_groups:
        if group.semantics == "SIM":
            dropped.update(group.ssrcs[1:])
    for group in sources.video_groups:
        if group.semantics == "FID" and group.ssrcs[0] in dropped:
            dropped.update(group.ssrcs)
    _, rest = split(sources, dropped)
    primary = {g.ssrcs[0] for g in sources.video_groups if g.semantics == "SIM"}
    fid = tuple(g for g in sources.video_groups if g.semantics == "FID" and g.ssrcs[0] in primary | _ungrouped(rest))
    return replace(rest, video_groups=tuple(dict.fromkeys(rest.video_groups + fid)))


def without_rtx(sources: SourceSet) -> SourceSet:
    """For receivers that did not offer retransmission."""
    rtx = {g.ssrcs[1] for g in sources.video_groups if g.semantics == "FID" and len(g.ssrcs) == 2}
    _, rest = split(sources, rtx)
    return rest


def _ungrouped(sources: SourceSet) -> set[int]:
    return {s.ssrc for s in sources.video}


def _with_owner(sources: SourceSet, owner: str) -> SourceSet:
    def own(items: tuple[JingleSource, ...]) -> tuple[JingleSource, ...]:
        return tuple(replace(item, owner=owner) for item in items)

    return replace(sources, audio=own(sources.audio), video=own(sources.video))


def _check(sources: SourceSet) -> None:
    for items, groups in ((sources.audio, sources.audio_groups), (sources.video, sources.video_groups)):
        by_ssrc = {s.ssrc: s for s in items}
        for group in groups:
            members = [by_ssrc.get(ssrc) for ssrc in group.ssrcs]
            if any(member is None for member in members):
                raise SourceError(f"Group contains an unknown source: {group.ssrcs}")
            if group.semantics == "FID" and len(group.ssrcs) != 2:
                raise SourceError(f"Invalid FID group: {group.ssrcs}")
            names = {member.msid for member in members if member is not None}
            if "" in names:
                raise SourceError("Required source parameter 'msid' is not present")
            if len(names) > 1:
                raise SourceError(f"SSRC group with different MSIDs: {group.ssrcs}")
        extended: dict[object, str] = {}
        for source in items:
            if source.msid:
                extended.setdefault(_extended_group(source.ssrc, groups), source.msid)
        if len(set(extended.values())) != len(extended):
            raise SourceError("MSID is used by more than one source")


def _extended_group(ssrc: int, groups: tuple[SourceGroup, ...]) -> object:
    simulcast = next((g for g in groups if g.semantics == "SIM" and ssrc in g.ssrcs), None)
    if simulcast is not None:
        return simulcast
    pair = next((g for g in groups if g.semantics == "FID" and ssrc in g.ssrcs), None)
    if pair is None:
        return ssrc
    return next((g for g in groups if g.semantics == "SIM" and pair.ssrcs[0] in g.ssrcs), pair)
