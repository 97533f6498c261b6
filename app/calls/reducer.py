"""The one place that makes a new :class:`~app.calls.model.CallState`: ``reduce(state, event)``.

Rules: pure; total (an unknown id is ignored, nothing raises); bounded (each collection and text has a limit);
``ENDED`` and ``FAILED`` are final. When an event changes nothing the very same state comes back, so that views can
compare by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.calls import events as ev
from app.calls.model import (
    CallPhase,
    CallState,
    Capability,
    Failure,
    LocalMedia,
    MediaKind,
    Message,
    Participant,
    Source,
    frozen_map,
)
from app.calls.phone import PhoneChanged, ToneReceived
from app.calls.text import MAX_ID, clean_message, clean_name

MAX_MESSAGES = 2_000
"""The oldest goes first."""
MAX_PARTICIPANTS = 1_000
"""More than any bridge carries; further ones are ignored."""
MAX_SOURCES = 4_000
"""Microphone, camera and screen of everybody, with room to spare."""
MAX_PROPERTIES = 64
MAX_PROPERTY = 1_024
"""Characters of one property or detail."""
MAX_REACTIONS = 32
"""Different emoji under one message."""
MAX_REACTORS = MAX_PARTICIPANTS
MAX_PREVIOUS_SPEAKERS = 20
MAX_STATS = 128
MAX_DIVERSIONS = 16

FINAL_PHASES = frozenset({CallPhase.ENDED, CallPhase.FAILED})


def reduce(state: CallState, event: ev.CallEvent) -> CallState:
    """The state after *event*. Returns *state* itself when nothing changed."""
    fold = _FOLDS.get(type(event))
    return state if fold is None else fold(state, event)


# ---------------------------------------------------------------- cleaning


def _valid_id(identifier: str | None) -> bool:
    return bool(identifier) and len(identifier or "") <= MAX_ID


def _clean_map(items: Mapping[str, str], limit: int = MAX_PROPERTIES) -> Mapping[str, str]:
    cleaned: dict[str, str] = {}
    for key, value in items.items():
        if len(cleaned) >= limit:
            break
        cleaned[clean_name(str(key))] = clean_message(str(value), MAX_PROPERTY)
    return frozen_map(cleaned)


def _clean_participant(participant: Participant) -> Participant:
    return replace(
        participant,
        name=clean_name(participant.name),
        email=clean_name(participant.email, 254),
        avatar_url=clean_name(participant.avatar_url, 2_048),
        status=clean_name(participant.status),
        region=clean_name(participant.region),
        quality=None if participant.quality is None else min(100, max(0, participant.quality)),
        audio_level=min(1.0, max(0.0, participant.audio_level)),
        features=frozenset(list(participant.features)[:MAX_STATS]),
        properties=_clean_map(participant.properties),
    )


def _clean_message(message: Message) -> Message:
    reactions = {
        clean_name(emoji, 16): ids[:MAX_REACTORS] for emoji, ids in list(message.reactions.items())[:MAX_REACTIONS]
    }
    return replace(
        message,
        sender_name=clean_name(message.sender_name),
        text="" if message.retracted else clean_message(message.text),
        error=clean_name(message.error, MAX_PROPERTY),
        reactions=frozen_map(reactions),
    )


def _clean_failure(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure,
        message=clean_name(failure.message, MAX_PROPERTY),
        details=clean_message(failure.details, MAX_PROPERTY),
    )


def _clean_stats(stats: Mapping[str, Any]) -> Mapping[str, Any]:
    return frozen_map(dict(list(stats.items())[:MAX_STATS]))


# ---------------------------------------------------------------- small steps


def _set(state: CallState, **changes: Any) -> CallState:
    if all(getattr(state, name) == value for name, value in changes.items()):
        return state
    return replace(state, **changes)


def _with_participant(state: CallState, participant: Participant) -> CallState:
    if state.participants.get(participant.id) == participant:
        return state
    return replace(state, participants=frozen_map({**state.participants, participant.id: participant}))


def _change_participant(state: CallState, participant_id: str, **changes: Any) -> CallState:
    known = state.participants.get(participant_id)
    return state if known is None else _with_participant(state, replace(known, **changes))


def _with_source(state: CallState, source: Source) -> CallState:
    if state.sources.get(source.name) == source:
        return state
    return replace(state, sources=frozen_map({**state.sources, source.name: source}))


def _without_participant(state: CallState, participant_id: str) -> CallState:
    if participant_id == state.local_id or participant_id not in state.participants:
        return state
    return replace(
        state,
        participants=frozen_map({key: value for key, value in state.participants.items() if key != participant_id}),
        sources=frozen_map(
            {name: source for name, source in state.sources.items() if source.participant_id != participant_id}
        ),
        dominant_speaker=None if state.dominant_speaker == participant_id else state.dominant_speaker,
        previous_speakers=tuple(one for one in state.previous_speakers if one != participant_id),
    )


# ---------------------------------------------------------------- the call as a whole


def _phase_changed(state: CallState, event: ev.PhaseChanged) -> CallState:
    if state.phase in FINAL_PHASES:
        return state
    return _set(
        state,
        phase=event.phase,
        asked=state.asked if event.phase is CallPhase.ASKING else None,
        failure=_clean_failure(event.failure),
        end_reason=clean_name(event.reason, MAX_PROPERTY) or state.end_reason,
    )


def _input_asked(state: CallState, event: ev.InputAsked) -> CallState:
    if state.phase in FINAL_PHASES:
        return state
    return _set(state, phase=CallPhase.ASKING, asked=event.what, failure=_clean_failure(event.failure))


def _joined(state: CallState, event: ev.Joined) -> CallState:
    if state.phase in FINAL_PHASES or not _valid_id(event.local_id):
        return state
    state = _set(
        state,
        phase=CallPhase.JOINED,
        asked=None,
        failure=None,
        local_id=event.local_id,
        room=clean_name(event.room, MAX_PROPERTY),
        # A connection that was made anew does not begin the stay anew.
        joined_at=event.joined_at if state.joined_at is None else state.joined_at,
    )
    return _change_participant(state, event.local_id, is_local=True)


def _subject_changed(state: CallState, event: ev.SubjectChanged) -> CallState:
    return _set(state, subject=clean_name(event.subject, MAX_PROPERTY))


def _lock_changed(state: CallState, event: ev.LockChanged) -> CallState:
    return _set(state, locked=event.locked)


def _policy_changed(state: CallState, event: ev.StartMutedPolicyChanged) -> CallState:
    return _set(state, start_muted_policy=event.policy)


def _info_changed(state: CallState, event: ev.MeetingInfoChanged) -> CallState:
    changes: dict[str, Any] = {}
    if event.meeting_id is not None:
        changes["meeting_id"] = clean_name(event.meeting_id, MAX_ID)
    if event.started_at is not None:
        changes["started_at"] = event.started_at
    if event.auth_enabled is not None:
        changes["auth_enabled"] = event.auth_enabled
    if event.auth_identity is not None:
        changes["auth_identity"] = clean_name(event.auth_identity, MAX_ID)
    if event.details:
        changes["details"] = _clean_map({**state.details, **event.details})
    return _set(state, **changes)


def _dtmf_changed(state: CallState, event: ev.DtmfSupportChanged) -> CallState:
    return _set(state, dtmf_supported=event.supported)


def _capabilities_changed(state: CallState, event: ev.CapabilitiesChanged) -> CallState:
    capabilities: dict[str, Capability] = dict(list(event.capabilities.items())[:MAX_STATS])
    return _set(state, capabilities=frozen_map(capabilities))


def _stats_updated(state: CallState, event: ev.StatsUpdated) -> CallState:
    quality = state.local_quality if event.quality is None else min(100, max(0, event.quality))
    state = _set(state, stats=_clean_stats(event.stats), local_quality=quality)
    return _change_participant(state, state.local_id, quality=quality)


def _media_state_changed(state: CallState, event: ev.MediaStateChanged) -> CallState:
    return _set(state, media_state=clean_name(event.state))


def _local_kicked(state: CallState, event: ev.LocalKicked) -> CallState:
    return _set(state, end_reason=clean_name(event.reason, MAX_PROPERTY) or state.end_reason)


# ---------------------------------------------------------------- participants


def _participant_joined(state: CallState, event: ev.ParticipantJoined) -> CallState:
    participant = _clean_participant(event.participant)
    known = state.participants.get(participant.id)
    if not _valid_id(participant.id) or (known is None and len(state.participants) >= MAX_PARTICIPANTS):
        return state
    if known is not None:
        return _participant_changed(state, ev.ParticipantChanged(participant))
    if participant.id == state.local_id:
        participant = replace(participant, is_local=True)
    return _with_participant(state, participant)


def _participant_changed(state: CallState, event: ev.ParticipantChanged) -> CallState:
    known = state.participants.get(event.participant.id)
    if known is None:
        return state
    # These have events of their own, which the sender of this one does not know of.
    kept = replace(
        _clean_participant(event.participant),
        audio_level=known.audio_level,
        speaking_ms=max(known.speaking_ms, event.participant.speaking_ms),
        joined_at=known.joined_at or event.participant.joined_at,
        is_local=known.is_local or event.participant.id == state.local_id,
        stats=event.participant.stats or known.stats,
    )
    return _with_participant(state, kept)


def _participant_left(state: CallState, event: ev.ParticipantLeft) -> CallState:
    return _without_participant(state, event.participant_id)


def _participant_kicked(state: CallState, event: ev.ParticipantKicked) -> CallState:
    return _without_participant(state, event.participant_id)


def _role_changed(state: CallState, event: ev.RoleChanged) -> CallState:
    return _change_participant(state, event.participant_id, role=event.role)


def _property_changed(state: CallState, event: ev.PropertyChanged) -> CallState:
    known = state.participants.get(event.participant_id)
    if known is None:
        return state
    properties = {key: value for key, value in known.properties.items() if key != event.key}
    if event.new is not None:
        properties[event.key] = event.new
    return _with_participant(state, replace(known, properties=_clean_map(properties)))


def _hand_raised(state: CallState, event: ev.HandRaised) -> CallState:
    return _change_participant(state, event.participant_id, raised_hand_at=event.raised_at)


def _levels_changed(state: CallState, event: ev.AudioLevelsChanged) -> CallState:
    changed = False
    participants: dict[str, Participant] = {}
    for key, participant in state.participants.items():
        level = min(1.0, max(0.0, event.levels.get(key, 0.0)))
        if level != participant.audio_level:
            participant = replace(participant, audio_level=level)
            changed = True
        participants[key] = participant
    return replace(state, participants=frozen_map(participants)) if changed else state


def _speaker_changed(state: CallState, event: ev.DominantSpeakerChanged) -> CallState:
    speaker = event.participant_id
    if speaker is not None and speaker not in state.participants:
        return state
    previous = event.previous or state.previous_speakers
    if not event.previous and state.dominant_speaker not in (None, speaker):
        previous = (str(state.dominant_speaker), *previous)
    known = tuple(one for one in dict.fromkeys(previous) if one in state.participants and one != speaker)
    return _set(
        state,
        dominant_speaker=speaker,
        previous_speakers=known[:MAX_PREVIOUS_SPEAKERS],
        dominant_silent=event.silent,
    )


def _speaker_stats_changed(state: CallState, event: ev.SpeakerStatsChanged) -> CallState:
    for participant_id, milliseconds in event.speaking_ms.items():
        state = _change_participant(state, participant_id, speaking_ms=max(0, milliseconds))
    return state


def _remote_stats_updated(state: CallState, event: ev.RemoteStatsUpdated) -> CallState:
    return _change_participant(state, event.participant_id, stats=_clean_stats(event.stats))


# ---------------------------------------------------------------- sources


def _source_added(state: CallState, event: ev.SourceAdded) -> CallState:
    source = event.source
    # The owner may be announced a moment later: sources and presence travel on different paths.
    if not _valid_id(source.name) or not _valid_id(source.participant_id):
        return state
    if source.name not in state.sources and len(state.sources) >= MAX_SOURCES:
        return state
    return _with_source(state, source)


def _source_changed(state: CallState, event: ev.SourceChanged) -> CallState:
    return _with_source(state, event.source) if event.source.name in state.sources else state


def _source_removed(state: CallState, event: ev.SourceRemoved) -> CallState:
    if event.name not in state.sources:
        return state
    return replace(
        state, sources=frozen_map({name: source for name, source in state.sources.items() if name != event.name})
    )


def _forwarded_changed(state: CallState, event: ev.ForwardedSourcesChanged) -> CallState:
    forwarded = frozenset(event.names)
    sources = {
        name: replace(source, forwarded=name in forwarded)
        if source.kind is MediaKind.VIDEO
        and source.participant_id != state.local_id
        and source.forwarded != (name in forwarded)
        else source
        for name, source in state.sources.items()
    }
    return _set(state, sources=frozen_map(sources))


def _local_media_changed(state: CallState, event: ev.LocalMediaChanged) -> CallState:
    changes: dict[str, Any] = {}
    for name in (
        "microphone_muted",
        "camera_muted",
        "sharing_screen",
        "microphone_available",
        "camera_available",
        "audio_only",
        "send_max_height",
    ):
        value = getattr(event, name)
        if value is not None:
            changes[name] = value
    if event.audio_level is not None:
        changes["audio_level"] = min(1.0, max(0.0, event.audio_level))
    if event.microphone_muted is not None:
        changes["microphone_muted_by"] = event.muted_by if event.microphone_muted else None
    if event.camera_muted is not None:
        changes["camera_muted_by"] = event.muted_by if event.camera_muted else None
    local: LocalMedia = replace(state.local, **changes)
    return _set(state, local=local)


# ---------------------------------------------------------------- chat


def _message_received(state: CallState, event: ev.MessageReceived) -> CallState:
    message = _clean_message(event.message)
    if not _valid_id(message.id):
        return state
    # Replacements concern recent messages: looking from the end finds them at once.
    for index in range(len(state.messages) - 1, -1, -1):
        if state.messages[index].id == message.id:
            if state.messages[index] == message:
                return state
            changed = (*state.messages[:index], message, *state.messages[index + 1 :])
            return replace(state, messages=changed)
    messages = (*state.messages, message)[-MAX_MESSAGES:]
    counts = not message.is_local and not message.system
    unread = min(len(messages), state.unread_messages + (1 if counts else 0))
    return replace(state, messages=messages, unread_messages=unread)


def _messages_read(state: CallState, event: ev.MessagesRead) -> CallState:
    return _set(state, unread_messages=0)


def _unchanged(state: CallState, event: ev.CallEvent) -> CallState:
    return state


def _phone_changed(state: CallState, event: PhoneChanged) -> CallState:
    phone = event.phone
    phone = replace(
        phone,
        remote_name=clean_name(phone.remote_name),
        remote_number=clean_name(phone.remote_number),
        called_number=clean_name(phone.called_number),
        diverted_by=tuple(clean_name(name) for name in phone.diverted_by[:MAX_DIVERSIONS]),
    )
    return state if state.phone == phone else replace(state, phone=phone)


_FOLDS: Mapping[type, Callable[[CallState, Any], CallState]] = {
    ev.PhaseChanged: _phase_changed,
    ev.InputAsked: _input_asked,
    ev.Joined: _joined,
    ev.Notice: _unchanged,
    ev.ParticipantJoined: _participant_joined,
    ev.ParticipantChanged: _participant_changed,
    ev.ParticipantLeft: _participant_left,
    ev.ParticipantKicked: _participant_kicked,
    ev.LocalKicked: _local_kicked,
    ev.RoleChanged: _role_changed,
    ev.PropertyChanged: _property_changed,
    ev.HandRaised: _hand_raised,
    ev.ReactionReceived: _unchanged,
    ev.SourceAdded: _source_added,
    ev.SourceChanged: _source_changed,
    ev.SourceRemoved: _source_removed,
    ev.AudioLevelsChanged: _levels_changed,
    ev.DominantSpeakerChanged: _speaker_changed,
    ev.ForwardedSourcesChanged: _forwarded_changed,
    ev.LocalMediaChanged: _local_media_changed,
    ev.MessageReceived: _message_received,
    ev.MessagesRead: _messages_read,
    ev.SubjectChanged: _subject_changed,
    ev.LockChanged: _lock_changed,
    ev.StartMutedPolicyChanged: _policy_changed,
    ev.StartedMuted: _unchanged,
    ev.MeetingInfoChanged: _info_changed,
    ev.DtmfSupportChanged: _dtmf_changed,
    PhoneChanged: _phone_changed,
    ToneReceived: _unchanged,
    ev.EndpointMessageReceived: _unchanged,
    ev.CommandReceived: _unchanged,
    ev.SpeakerStatsChanged: _speaker_stats_changed,
    ev.CapabilitiesChanged: _capabilities_changed,
    ev.StatsUpdated: _stats_updated,
    ev.RemoteStatsUpdated: _remote_stats_updated,
    ev.MediaStateChanged: _media_state_changed,
    ev.AudioInputHint: _unchanged,
}
