"""Who is shown where: pure functions from a call's state and the person's choices to an arrangement of tiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.calls import selectors
from app.calls.model import CallState, MediaKind, SourceContent
from ui.meeting import packing
from ui.meeting.packing import Box
from ui.theme import Size, Space

STRIP_SHRINK = 0.7
"""Tiles of the filmstrip get no smaller than this share of their size so that all fit on one page."""


class Layout(StrEnum):
    SPEAKER = "speaker"
    GALLERY = "gallery"


@dataclass(frozen=True, slots=True, order=True)
class TileKey:
    """One tile: a person, or a person's shared screen."""

    participant_id: str
    screen: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person chose for this view; not state of the call."""

    layout: Layout = Layout.SPEAKER
    pinned: TileKey | None = None
    speaker: str | None = None
    """Participant on the stage by speaking, already steadied by :class:`SpeakerFollower`."""
    page: int = 0
    strip_page: int = 0
    show_self: bool = True
    show_without_video: bool = True
    show_strip: bool = True


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Tiles by place. ``presenter`` is the small picture at the corner of a shared screen, ``corner`` our own at the
    corner of the only other person's."""

    stage: TileKey | None = None
    presenter: TileKey | None = None
    strip: tuple[TileKey, ...] = ()
    gallery: tuple[TileKey, ...] = ()
    corner: TileKey | None = None

    @property
    def overlay(self) -> TileKey | None:
        """The tile that lies on the stage."""
        return self.presenter or self.corner


@dataclass(frozen=True, slots=True)
class Placed:
    """Boxes of the visible tiles in the area given, and how many pages there are."""

    boxes: dict[TileKey, Box]
    page: int = 0
    pages: int = 1
    strip_page: int = 0
    strip_pages: int = 1
    strip_box: Box | None = None
    vertical_strip: bool = False


def has_video(state: CallState, key: TileKey) -> bool:
    return key.screen or not selectors.is_muted(state, key.participant_id, MediaKind.VIDEO)


def source_name(state: CallState, key: TileKey) -> str | None:
    """Name of the video source that a tile shows, ``None`` when there is none that is on."""
    content = SourceContent.SCREEN if key.screen else SourceContent.CAMERA
    source = selectors.source_of(state, key.participant_id, content)
    return None if source is None or source.muted else source.name


def screen_keys(state: CallState) -> tuple[TileKey, ...]:
    """Screens that others share, newest last."""
    return tuple(TileKey(source.participant_id, True) for source in selectors.screens(state))


def people_keys(state: CallState, choices: Choices) -> tuple[TileKey, ...]:
    """Persons in the order of the filmstrip and gallery: ourselves first, then by arrival, so that tiles stay put."""
    keys: list[TileKey] = []
    for one in selectors.visible_participants(state):
        key = TileKey(one.id)
        if one.is_local:
            if choices.show_self:
                keys.insert(0, key)
        elif choices.show_without_video or has_video(state, key) or one.raised_hand_at is not None:
            keys.append(key)
    return tuple(keys)


def arrange(state: CallState, choices: Choices) -> Arrangement:
    screens = screen_keys(state)
    people = people_keys(state, choices)
    pinned = choices.pinned if choices.pinned and _exists(state, choices.pinned) else None
    if choices.layout is Layout.GALLERY and pinned is None:
        everyone = (*reversed(screens), *people)
        if not any(not _is_local(state, key) for key in everyone):
            everyone = (TileKey(state.local_id),) if state.local_id in state.participants else everyone
        return Arrangement(gallery=everyone)
    stage = pinned or (screens[-1] if screens else None) or _speaking(state, choices)
    presenter = TileKey(stage.participant_id) if stage is not None and stage.screen else None
    if presenter is not None and not has_video(state, presenter):
        presenter = None
    # Whoever is large is not repeated small, except that a presenter keeps the place in the strip when pinned away.
    rest = tuple(key for key in (*reversed(screens), *people) if key not in (stage, presenter))
    if presenter is None and len(rest) == 1 and _is_local(state, rest[0]) and stage is not None:
        # Alone with one other person: our own small picture lies at the corner and costs no column.
        return Arrangement(stage=stage, corner=rest[0])
    return Arrangement(stage=stage, presenter=presenter, strip=rest)


def _exists(state: CallState, key: TileKey) -> bool:
    return key in screen_keys(state) if key.screen else key.participant_id in state.participants


def _is_local(state: CallState, key: TileKey) -> bool:
    return key.participant_id == state.local_id


def _speaking(state: CallState, choices: Choices) -> TileKey | None:
    if choices.speaker and choices.speaker in state.participants and choices.speaker != state.local_id:
        return TileKey(choices.speaker)
    wanted = selectors.stage_participant(state)
    return TileKey(wanted) if wanted else None


class SpeakerFollower:
    """Steadies the stage: a new speaker takes it after *hold_ms* of keeping the floor; silence changes nothing."""

    def __init__(self, hold_ms: int) -> None:
        self._hold_ms = hold_ms
        self._current: str | None = None
        self._candidate: str | None = None
        self._since = 0.0

    @property
    def current(self) -> str | None:
        return self._current

    def observe(self, state: CallState, now_ms: float) -> float | None:
        """Take in the dominant speaker. Returns ms after which to ask again, ``None`` when nothing is pending."""
        speaker = state.dominant_speaker
        if self._current is not None and self._current not in state.participants:
            self._current = None
        if speaker is None or speaker == state.local_id or speaker not in state.participants or state.dominant_silent:
            return None
        if speaker == self._current:
            self._candidate = None
            return None
        if self._current is None:
            self._current = speaker
            return None
        if speaker != self._candidate:
            self._candidate, self._since = speaker, now_ms
        waited = now_ms - self._since
        if waited >= self._hold_ms:
            self._current, self._candidate = speaker, None
            return None
        return self._hold_ms - waited


# ---------------------------------------------------------------- places


def place(arrangement: Arrangement, choices: Choices, width: int, height: int) -> Placed:
    """Boxes for all tiles that are visible in *width* x *height* px."""
    if width < 1 or height < 1:
        return Placed({})
    if arrangement.gallery:
        return _place_gallery(arrangement.gallery, choices.page, width, height)
    return _place_speaker(arrangement, choices, width, height)


def _place_gallery(keys: tuple[TileKey, ...], page: int, width: int, height: int) -> Placed:
    capacity = packing.page_capacity(len(keys), width, height, Size.TILE_GAP)
    left = 0
    if capacity < len(keys):
        # Several pages: the buttons that turn them and the page number get room of their own.
        left = Size.BUTTON + Size.TILE_GAP
        width, height = max(1, width - 2 * left), max(1, height - Size.PAGE_MARK)
        capacity = packing.page_capacity(len(keys), width, height, Size.TILE_GAP)
    pages = max(1, -(-len(keys) // capacity))
    page = min(max(0, page), pages - 1)
    shown = keys[page * capacity : (page + 1) * capacity]
    # All pages use the size of a full one, so that turning the page does not change every tile.
    boxes = packing.pack(len(shown) if pages == 1 else capacity, width, height, Size.TILE_GAP)
    moved = (Box(box.x + left, box.y, box.width, box.height) for box in boxes)
    return Placed(dict(zip(shown, moved, strict=False)), page, pages)


def _place_speaker(arrangement: Arrangement, choices: Choices, width: int, height: int) -> Placed:
    boxes: dict[TileKey, Box] = {}
    stage = Box(0, 0, width, height)
    strip = _Strip()
    if arrangement.strip and choices.show_strip and arrangement.stage is not None:
        strip = _place_strip(arrangement.strip, choices.strip_page, width, height)
        boxes |= strip.boxes
        assert strip.box is not None
        if strip.vertical:
            stage = Box(0, 0, strip.box.x - Size.TILE_GAP, height)
        else:
            stage = Box(0, 0, width, strip.box.y - Size.TILE_GAP)
    if arrangement.stage is not None:
        boxes[arrangement.stage] = _stage_box(arrangement.stage, stage)
    overlay = arrangement.overlay
    if overlay is not None and (choices.show_strip or overlay == arrangement.presenter):
        wide = min(Size.PRESENTER, stage.width // 4)
        tall = round(wide / packing.ASPECT)
        around = boxes[arrangement.stage] if arrangement.stage is not None else stage
        boxes[overlay] = Box(around.right - wide - Space.M, around.bottom - tall - Space.M, wide, tall)
    return Placed(boxes, 0, 1, strip.page, strip.pages, strip.box, strip.vertical)


@dataclass(frozen=True, slots=True)
class _Strip:
    boxes: dict[TileKey, Box] = field(default_factory=dict)
    box: Box | None = None
    vertical: bool = False
    page: int = 0
    pages: int = 1


def _place_strip(keys: tuple[TileKey, ...], page: int, width: int, height: int) -> _Strip:
    vertical = strip_at_side(width, height)
    length = height if vertical else width
    if vertical:
        wide = min(Size.FILMSTRIP, width // 4)
    else:
        wide = round(min(Size.FILMSTRIP_BOTTOM, height // 4) * packing.ASPECT)
    tall = round(wide / packing.ASPECT)
    along = tall if vertical else wide
    # Somewhat smaller tiles are better than a second page for the last of them.
    fitting = (length + Size.TILE_GAP) // len(keys) - Size.TILE_GAP
    if STRIP_SHRINK * along <= fitting < along:
        wide = round(fitting * packing.ASPECT) if vertical else fitting
        tall = fitting if vertical else round(fitting / packing.ASPECT)
        along = fitting
    step, ends = along + Size.TILE_GAP, 0
    box = Box(width - wide, 0, wide, height) if vertical else Box(0, height - tall, width, tall)
    room = (length + Size.TILE_GAP) // step
    if len(keys) > room:
        # The buttons that turn pages stand at both ends and cover nobody.
        ends = Size.BUTTON + Size.TILE_GAP
        room = (length - 2 * ends + Size.TILE_GAP) // step
    room = max(1, room)
    pages = max(1, -(-len(keys) // room))
    page = min(max(0, page), pages - 1)
    shown = keys[page * room : (page + 1) * room]
    taken = len(shown) * step - Size.TILE_GAP
    # At the side the strip stands at the foot, near the controls; below it is centred. Pages begin at the top.
    start = ends if ends else length - taken if vertical else (length - taken) // 2
    boxes = {}
    for index, key in enumerate(shown):
        offset = max(0, start) + index * step
        boxes[key] = Box(box.x, offset, wide, tall) if vertical else Box(offset, box.y, wide, tall)
    return _Strip(boxes, box, vertical, page, pages)


def _stage_box(key: TileKey, area: Box) -> Box:
    """A screen takes the whole area (it is contained inside); a face keeps a shape that crops little."""
    if key.screen:
        return area
    box = packing.pack(1, area.width, area.height, 0)
    return Box(area.x + box[0].x, area.y + box[0].y, box[0].width, box[0].height) if box else area


def strip_at_side(width: int, height: int) -> bool:
    """Wide windows have the filmstrip at the side, tall ones below."""
    return width / max(1, height) > 1.45
