"""What views ask of a call: pure functions of the state."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterable

from app.calls.model import CallPhase, CallState, Capability, MediaKind, Participant, Role, Source, SourceContent

SPEAKING_LEVEL = 0.02
"""Audio level (0..1) from which somebody counts as speaking; below it is breath and hum."""
GOOD_QUALITY = 70
FAIR_QUALITY = 40
"""Connection quality in percent: at or above GOOD three bars, at or above FAIR two, else one."""


def is_over(state: CallState) -> bool:
    return state.phase in (CallPhase.ENDED, CallPhase.FAILED)


def local_participant(state: CallState) -> Participant | None:
    return state.participants.get(state.local_id)


def visible_participants(state: CallState) -> tuple[Participant, ...]:
    """Everybody but recorders and other hidden ones, in order of arrival."""
    return tuple(one for one in state.participants.values() if not one.is_hidden)


def remote_participants(state: CallState) -> tuple[Participant, ...]:
    return tuple(one for one in visible_participants(state) if not one.is_local)


def display_name(participant: Participant | None, fallback: str = "Guest") -> str:
    return (participant.name if participant else "") or fallback


def initials(name: str) -> str:
    """One or two capital letters for an avatar; empty when the name has no letter or digit."""
    words = [word for word in (_letters(part) for part in name.split()) if word]
    if not words:
        return ""
    picked = words[0][0] + (words[-1][0] if len(words) > 1 else "")
    return picked.upper()[:2]


def _letters(word: str) -> str:
    return "".join(char for char in word if unicodedata.category(char)[0] in "LN")


def hue(participant_id: str) -> int:
    """A stable hue 0..359 for somebody's avatar, the same on every machine."""
    return zlib.crc32(participant_id.encode("utf-8", "replace")) % 360


def hand_order(state: CallState) -> tuple[str, ...]:
    """Ids of those with a raised hand, first raised first; ties by id so that everybody sees the same order."""
    raised = [one for one in visible_participants(state) if one.raised_hand_at is not None]
    return tuple(one.id for one in sorted(raised, key=lambda one: (one.raised_hand_at or 0, one.id)))


def hand_position(state: CallState, participant_id: str) -> int | None:
    """1 for the first hand, ``None`` when the hand is down."""
    order = hand_order(state)
    return order.index(participant_id) + 1 if participant_id in order else None


def source_of(state: CallState, participant_id: str, content: SourceContent) -> Source | None:
    for source in state.sources.values():
        if source.participant_id == participant_id and source.content is content:
            return source
    return None


def is_muted(state: CallState, participant_id: str, kind: MediaKind) -> bool:
    """Whether the microphone or camera is off; true also when there is none."""
    if participant_id == state.local_id and state.local_id:
        return state.local.microphone_muted if kind is MediaKind.AUDIO else state.local.camera_muted
    content = SourceContent.MICROPHONE if kind is MediaKind.AUDIO else SourceContent.CAMERA
    source = source_of(state, participant_id, content)
    return source is None or source.muted


def screens(state: CallState) -> tuple[Source, ...]:
    """Screens being shared by others, newest last."""
    return tuple(
        source
        for source in state.sources.values()
        if source.content is SourceContent.SCREEN
        and not source.muted
        and source.participant_id != state.local_id
        and source.participant_id in state.participants
    )


def is_speaking(participant: Participant) -> bool:
    return participant.audio_level >= SPEAKING_LEVEL


def quality_bars(quality: int | None) -> int | None:
    """3 good, 2 fair, 1 poor, ``None`` unknown."""
    if quality is None:
        return None
    return 3 if quality >= GOOD_QUALITY else 2 if quality >= FAIR_QUALITY else 1


def speaker_order(state: CallState) -> tuple[str, ...]:
    """Ids of the others, most relevant first: who shares a screen, the dominant speaker, earlier speakers, raised
    hands, those with video, the rest in order of arrival."""
    others = [one.id for one in remote_participants(state)]
    known = frozenset(others)
    sharing = [source.participant_id for source in screens(state)]
    speaking = [state.dominant_speaker or "", *state.previous_speakers]
    with_video = [one for one in others if not is_muted(state, one, MediaKind.VIDEO)]
    wanted = [*sharing, *speaking, *hand_order(state), *with_video, *others]
    return tuple(one for one in dict.fromkeys(wanted) if one in known)


def stage_participant(state: CallState, pinned: str | None = None) -> str | None:
    """Whom the large view shows: the pinned one, else the newest presenter, else the speaker, else anybody else."""
    if pinned and pinned in state.participants:
        return pinned
    presenting = screens(state)
    if presenting:
        return presenting[-1].participant_id
    order = speaker_order(state)
    return order[0] if order else (state.local_id if state.local_id in state.participants else None)


def list_order(state: CallState) -> tuple[Participant, ...]:
    """For the participants panel: ourselves, raised hands in their order, moderators, then by name."""
    hands = {participant_id: index for index, participant_id in enumerate(hand_order(state))}

    def rank(one: Participant) -> tuple[int, int, int, str]:
        hand = hands.get(one.id)
        return (
            0 if one.is_local else 1,
            len(hands) if hand is None else hand,
            0 if one.role is Role.MODERATOR else 1,
            one.name.casefold(),
        )

    return tuple(sorted(visible_participants(state), key=rank))


def is_moderator(state: CallState) -> bool:
    local = local_participant(state)
    return local is not None and local.role is Role.MODERATOR


def is_last_moderator(state: CallState) -> bool:
    """Whether leaving would leave others behind without a moderator."""
    if not is_moderator(state):
        return False
    others = remote_participants(state)
    return bool(others) and not any(one.role is Role.MODERATOR for one in others)


def capability(state: CallState, action: type) -> Capability:
    """Whether an action of this class can be done now. What a session does not mention, its vendor does not know."""
    return state.capabilities.get(action.__name__, Capability(allowed=False, present=False))


def elapsed_ms(state: CallState, now_ms: int) -> int:
    """How long the meeting has been going on, 0 before it began."""
    start = state.started_at or state.joined_at
    return max(0, now_ms - start) if start else 0


# ---------------------------------------------------------------- phone calls


def is_phone(state: CallState) -> bool:
    return state.phone is not None


def is_talking(state: CallState) -> bool:
    """In conversation: connected and not held by us."""
    return state.phase in (CallPhase.JOINED, CallPhase.RECONNECTING) and not (state.phone and state.phone.held)


def incoming_calls(calls: Iterable[CallState]) -> tuple[CallState, ...]:
    """Calls that ring here, first come first."""
    return tuple(one for one in calls if one.phase is CallPhase.INCOMING)


def held_calls(calls: Iterable[CallState]) -> tuple[CallState, ...]:
    """Phone calls that we hold."""
    return tuple(one for one in calls if not is_over(one) and one.phone is not None and one.phone.held)


def active_call(calls: Iterable[CallState]) -> CallState | None:
    """The phone call in the foreground: in conversation, else being set up by us, else ``None``. The newest wins."""
    ours = [one for one in calls if one.phone is not None and not is_over(one)]
    for wanted in (is_talking, _is_outgoing):
        found = [one for one in ours if wanted(one)]
        if found:
            return found[-1]
    return None


def _is_outgoing(state: CallState) -> bool:
    return state.phase in (CallPhase.CONNECTING, CallPhase.RINGING, CallPhase.ASKING)


def merged_calls(calls: Iterable[CallState], state: CallState) -> tuple[CallState, ...]:
    """Calls in the same ad hoc conference as *state*, itself included; empty when it is in none."""
    conference = state.phone.conference_id if state.phone is not None else ""
    if not conference:
        return ()
    return tuple(one for one in calls if one.phone is not None and one.phone.conference_id == conference)


def talk_ms(state: CallState, now_ms: int) -> int:
    """How long a phone call has been answered, 0 before."""
    answered = state.phone.answered_at if state.phone is not None else None
    start = answered or state.joined_at
    return max(0, now_ms - start) if start else 0


def peer_name(state: CallState) -> str:
    """Who is at the other end: name, else number, else what was dialled."""
    phone = state.phone
    return (phone.remote_name or phone.remote_number if phone is not None else "") or state.address


def duration_text(milliseconds: int) -> str:
    """``m:ss``, from an hour on ``h:mm:ss``."""
    seconds = max(0, milliseconds) // 1000
    minutes, hours = seconds // 60 % 60, seconds // 3600
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"
