"""What one tile shows, as a value: a tile repaints only when its model changes."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.calls import selectors
from app.calls.model import CallPhase, CallState, MediaKind, SourceContent
from ui.meeting.arrange import TileKey, source_name
from ui.widgets.text import plain


def _tr(text: str) -> str:
    return QCoreApplication.translate("Tile", text)


@dataclass(frozen=True, slots=True)
class TileModel:
    key: TileKey
    name: str
    is_local: bool = False
    source: str | None = None
    """Video source to show, ``None`` shows the avatar."""
    microphone_muted: bool = False
    hand: int | None = None
    """Place in the queue of raised hands, 1 is next."""
    bars: int | None = None
    """1 or 2 of 3 bars; ``None`` when the connection is good or unknown."""
    speaking: bool = False
    lost: bool = False
    notice: bool = False
    """Whether the tile says so itself; while the whole call reconnects the banner does."""
    paused: bool = False
    """The server does not send this source now: the avatar is shown until it does."""
    mirrored: bool = False
    pinned: bool = False

    @property
    def title(self) -> str:
        if self.key.screen:
            return _tr("{name}’s screen").format(name=self.name)
        if not self.is_local or self.name == _tr("You"):
            return self.name
        return _tr("{name} (you)").format(name=self.name)


def tile_model(
    state: CallState,
    key: TileKey,
    *,
    pinned: bool = False,
    mirror_self: bool = True,
    hands: tuple[str, ...] | None = None,
) -> TileModel:
    """The model of one tile. An unknown participant gives an empty guest, never an error.

    *hands* is :func:`app.calls.selectors.hand_order` of the state when the caller has it already.
    """
    hands = selectors.hand_order(state) if hands is None else hands
    person = state.participants.get(key.participant_id)
    nameless = _tr("You") if person is not None and person.is_local else _tr("Guest")
    name = plain(selectors.display_name(person, nameless)) or nameless
    if person is None:
        return TileModel(key, name)
    content = SourceContent.SCREEN if key.screen else SourceContent.CAMERA
    source = selectors.source_of(state, key.participant_id, content)
    frozen = source is not None and not source.muted and source.frozen
    reconnecting = state.phase is CallPhase.RECONNECTING and not person.is_local
    lost = frozen or (not person.connection_active and not person.is_local)
    bars = selectors.quality_bars(person.quality)
    return TileModel(
        key=key,
        name=name,
        is_local=person.is_local,
        source=_source(state, key, person.is_local),
        microphone_muted=not key.screen and selectors.is_muted(state, person.id, MediaKind.AUDIO),
        hand=hands.index(person.id) + 1 if person.id in hands and not key.screen else None,
        bars=None if key.screen or bars == 3 else bars,
        speaking=not key.screen and not reconnecting and selectors.is_speaking(person),
        paused=source is not None and not person.is_local and not source.forwarded,
        lost=lost or reconnecting,
        notice=lost and not reconnecting,
        mirrored=person.is_local and not key.screen and mirror_self,
        pinned=pinned,
    )


def _source(state: CallState, key: TileKey, is_local: bool) -> str | None:
    if is_local and not key.screen:
        # Before the server knows our source there is a picture already: our own preview.
        return source_name(state, key) or "" if not state.local.camera_muted else None
    return None if state.local.audio_only else source_name(state, key)


def describe(model: TileModel) -> str:
    """All marks of a tile in words, for screen readers."""
    words = [model.title]
    if model.key.screen:
        words.append(_tr("shared screen"))
    else:
        words.append(_tr("microphone off") if model.microphone_muted else _tr("microphone on"))
        words.append(_tr("camera off") if model.source is None else _tr("camera on"))
    if model.speaking:
        words.append(_tr("speaking"))
    if model.hand is not None:
        words.append(_tr("hand raised, number {place}").format(place=model.hand))
    if model.bars is not None:
        words.append(_tr("poor connection") if model.bars == 1 else _tr("fair connection"))
    if model.lost:
        words.append(_tr("connection lost"))
    if model.pinned:
        words.append(_tr("pinned"))
    return ", ".join(words)
