"""Which video goes to one receiver, and how large: constraints, last-N, bandwidth (jitsi.md 7.3, 6.4). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

UNLIMITED = 2160
DEFAULT_HEIGHT = 180
"""Without ``defaultConstraints``, once the first constraints came."""
ON_STAGE_BASE = 360
"""On-stage sources are raised to this height before others get more than their base."""
HEADROOM = 1.1
GROWTH_PER_S = 1.08
START_BPS = 2_500_000.0
MAX_BPS = 20_000_000.0
MIN_BPS = 30_000.0


@dataclass(slots=True)
class ReceiverWishes:
    """The accumulated ReceiverVideoConstraints of one receiver; ``heard`` once any arrived."""

    heard: bool = False
    last_n: int = -1
    selected: tuple[str, ...] = ()
    on_stage: tuple[str, ...] = ()
    default_height: int = DEFAULT_HEIGHT
    heights: dict[str, int] = field(default_factory=dict)
    assumed_bps: int = -1

    def height(self, source: str) -> int:
        """The wanted height: 0 for none, :data:`UNLIMITED` for no limit."""
        if not self.heard:
            return 0
        value = self.heights.get(source, self.default_height)
        return UNLIMITED if value < 0 else value


@dataclass(frozen=True, slots=True)
class LayerInfo:
    ssrc: int
    height: int
    bps: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source that could be forwarded; *layers* from small to large, only those that carry packets now."""

    name: str
    owner: str
    layers: tuple[LayerInfo, ...]


@dataclass(frozen=True, slots=True)
class Allocation:
    """*layers*: source name to the SSRC of the layer to forward. *wanted*: source name to the height that the receiver
    would take, for the senders' constraints."""

    layers: Mapping[str, int]
    wanted: Mapping[str, int]


def ordered(candidates: Sequence[Candidate], wishes: ReceiverWishes, speakers: Sequence[str]) -> list[Candidate]:
    """By priority: on stage, selected, then the order in which people last spoke, then arrival."""
    rank = {endpoint: index for index, endpoint in enumerate(speakers)}

    def key(item: tuple[int, Candidate]) -> tuple[int, int, int]:
        index, candidate = item
        if candidate.name in wishes.on_stage:
            return 0, wishes.on_stage.index(candidate.name), index
        if candidate.name in wishes.selected:
            return 1, wishes.selected.index(candidate.name), index
        return 2, rank.get(candidate.owner, len(rank)), index

    return [candidate for _, candidate in sorted(enumerate(candidates), key=key)]


def allocate(
    candidates: Sequence[Candidate], wishes: ReceiverWishes, speakers: Sequence[str], available_bps: float
) -> Allocation:
    """Decide for one receiver. Every wanted source first gets its smallest layer, then layers grow by priority."""
    if not wishes.heard or wishes.last_n == 0:
        return Allocation({}, {c.name: 0 for c in candidates})
    queue = [c for c in ordered(candidates, wishes, speakers) if wishes.height(c.name) > 0]
    if wishes.last_n > 0:
        queue = queue[: wishes.last_n]
    wanted = {c.name: 0 for c in candidates}
    wanted.update({c.name: wishes.height(c.name) for c in queue})
    budget = available_bps
    chosen: dict[str, int] = {}
    steps: list[tuple[int, Candidate]] = []
    for candidate in queue:
        useful = [layer for layer in candidate.layers if layer.height <= wanted[candidate.name]]
        steps.append((max(len(useful), 1) if candidate.layers else 0, candidate))
    for limit, candidate in steps:
        if not limit:
            continue
        cost = candidate.layers[0].bps
        if cost > budget and chosen:
            continue
        budget -= cost
        chosen[candidate.name] = 0
    for raise_to in (ON_STAGE_BASE, UNLIMITED):
        for limit, candidate in steps:
            index = chosen.get(candidate.name)
            if index is None or (raise_to == ON_STAGE_BASE and candidate.name not in wishes.on_stage):
                continue
            while index + 1 < limit and candidate.layers[index + 1].height <= raise_to:
                cost = candidate.layers[index + 1].bps - candidate.layers[index].bps
                if cost > budget:
                    break
                budget -= cost
                index += 1
            chosen[candidate.name] = index
    layers = {c.name: c.layers[chosen[c.name]].ssrc for c in queue if c.name in chosen}
    return Allocation(layers, wanted)


@dataclass(slots=True)
class Downlink:
    """What a receiver can take, from its REMB and the loss it reports. Infinite until it reports trouble."""

    trusted: bool
    """False for receivers without retransmission: no estimate of theirs is believed."""
    bps: float = MAX_BPS
    remb: float | None = None
    _updated: float = 0.0

    def on_remb(self, bps: float) -> None:
        self.remb = bps

    def update(self, sent_bps: float, loss: float, now: float) -> None:
        """Call about twice a second with the rate that is being sent and the worst reported loss."""
        elapsed = min(max(now - self._updated, 0.0), 1.0) if self._updated else 0.0
        self._updated = now
        if not self.trusted:
            return
        if loss > 0.10 and sent_bps > 0:
            self.bps = max(min(self.bps, sent_bps) * (1 - 0.5 * loss), MIN_BPS)
        elif self.remb is not None and self.remb < sent_bps * 0.9:
            self.bps = max(self.remb, MIN_BPS)
        elif loss <= 0.02:
            self.bps = min(self.bps * GROWTH_PER_S**elapsed, MAX_BPS)

    @property
    def usable_bps(self) -> float:
        return float("inf") if not self.trusted or self.bps >= MAX_BPS else self.bps
