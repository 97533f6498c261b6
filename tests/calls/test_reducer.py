from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from types import UnionType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls import events as ev
from app.calls import reducer
from app.calls.events import CallEvent
from app.calls.model import (
    Asked,
    CallPhase,
    CallState,
    Capability,
    Failure,
    LocalMedia,
    MediaKind,
    Message,
    Participant,
    Role,
    Source,
    SourceContent,
    StartMutedPolicy,
    frozen_map,
)
from app.calls.reducer import reduce

ids = st.sampled_from(["a", "b", "c", "me", "", "x" * 300])
texts = st.text(max_size=200) | st.sampled_from(["\u202egnp.exe", "a\x00b", "x" * 30_000, "\ud800", "line\none"])
maps = st.dictionaries(st.sampled_from(["a", "b", "c", "key"]), texts, max_size=4).map(frozen_map)
numbers = st.integers(-10, 10**13)


def _special(hint: object) -> st.SearchStrategy[typing.Any] | None:
    table: dict[object, st.SearchStrategy[typing.Any]] = {
        str: texts,
        int: numbers,
        float: st.floats(-2, 2),
        bool: st.booleans(),
        type(None): st.none(),
        frozenset[str]: st.frozensets(ids, max_size=3),
        Mapping[str, str]: maps,
        Mapping[str, float]: st.dictionaries(ids, st.floats(-2, 2), max_size=4),
        Mapping[str, int]: st.dictionaries(ids, numbers, max_size=4),
        Mapping[str, typing.Any]: maps,
        Mapping[str, Capability]: st.dictionaries(ids, st.builds(Capability, st.booleans(), texts), max_size=4),
        Mapping[str, tuple[str, ...]]: st.dictionaries(ids, st.tuples(ids, ids), max_size=4),
        tuple[str, ...]: st.lists(ids, max_size=4).map(tuple),
        tuple[Mapping[str, typing.Any], ...]: st.just(()),
    }
    return table.get(hint)


def strategy(hint: object, name: str = "") -> st.SearchStrategy[typing.Any]:
    """Values of a field; fields that hold identifiers get the few identifiers, so that they meet."""
    if hint is str and (name in {"id", "name_", "to"} or name.endswith("_id")):
        return ids
    special = _special(hint)
    if special is not None:
        return special
    if isinstance(hint, UnionType):
        return st.one_of(*(strategy(one, name) for one in typing.get_args(hint)))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return built(hint)
    assert isinstance(hint, type), hint
    return st.sampled_from(list(hint))  # an enumeration


def built(cls: type) -> st.SearchStrategy[typing.Any]:
    hints = typing.get_type_hints(cls)
    fields = {}
    for field in dataclasses.fields(cls):
        if cls in (Source, ev.SourceRemoved) and field.name == "name":
            fields[field.name] = st.sampled_from(["a-v0", "b-a0", "me-v0", "x" * 300, ""])
        else:
            fields[field.name] = strategy(hints[field.name], field.name)
    return st.builds(cls, **fields)


any_event = st.one_of(*(built(cls) for cls in typing.get_args(CallEvent)))


def check_invariants(state: CallState) -> None:
    assert len(state.messages) <= reducer.MAX_MESSAGES
    assert 0 <= state.unread_messages <= len(state.messages)
    assert len({message.id for message in state.messages}) == len(state.messages)
    for key, participant in state.participants.items():
        assert key == participant.id
        assert 0 < len(key) <= 256
        assert len(participant.name) <= 100
        assert 0.0 <= participant.audio_level <= 1.0
        assert participant.quality is None or 0 <= participant.quality <= 100
        assert len(participant.properties) <= reducer.MAX_PROPERTIES
        for text in (participant.name, participant.status, *participant.properties.values()):
            text.encode()
            assert not any(char in text for char in "\x00\x07\x9f\u202e\u2066")
    for message in state.messages:
        assert len(message.text) <= 10_000
        assert "\u202e" not in message.text and "\x00" not in message.text
    for key, source in state.sources.items():
        assert key == source.name
    assert state.dominant_speaker is None or state.dominant_speaker in state.participants
    assert all(one in state.participants for one in state.previous_speakers)
    assert (state.asked is not None) <= (state.phase is CallPhase.ASKING)
    assert len(state.subject) <= reducer.MAX_PROPERTY


@settings(max_examples=150, deadline=None)
@given(st.lists(any_event, max_size=40))
def test_any_sequence_of_events_keeps_the_invariants(sequence: list[CallEvent]) -> None:
    state = CallState("1")
    for event in sequence:
        before = state
        state = reduce(state, event)
        check_invariants(state)
        if before.phase in reducer.FINAL_PHASES:
            assert state.phase is before.phase
        assert reduce(before, event) == state  # pure: the same again from the same state


def test_every_event_has_a_fold() -> None:
    assert set(reducer._FOLDS) == set(typing.get_args(CallEvent))


def joined() -> CallState:
    state = CallState("1")
    for event in (
        ev.ParticipantJoined(Participant("me", "Me")),
        ev.ParticipantJoined(Participant("a", "Anna", Role.MODERATOR, joined_at=5)),
        ev.ParticipantJoined(Participant("b", "Bob")),
        ev.Joined("me", "team", 1000),
        ev.SourceAdded(Source("a-v0", "a", MediaKind.VIDEO, SourceContent.CAMERA, muted=False)),
        ev.SourceAdded(Source("a-a0", "a", MediaKind.AUDIO, SourceContent.MICROPHONE, muted=False)),
    ):
        state = reduce(state, event)
    return state


def test_join_marks_the_local_participant() -> None:
    state = joined()
    assert state.phase is CallPhase.JOINED
    assert state.participants["me"].is_local
    assert list(state.participants) == ["me", "a", "b"]


def test_leaving_takes_sources_and_speaker_along() -> None:
    state = reduce(joined(), ev.DominantSpeakerChanged("a"))
    state = reduce(state, ev.DominantSpeakerChanged("b"))
    assert state.previous_speakers == ("a",)
    state = reduce(state, ev.ParticipantLeft("a"))
    assert state.sources == {} and state.previous_speakers == () and state.dominant_speaker == "b"
    assert reduce(state, ev.ParticipantLeft("a")) is state


def test_a_change_keeps_level_and_arrival() -> None:
    state = reduce(joined(), ev.AudioLevelsChanged(frozen_map({"a": 0.5})))
    state = reduce(state, ev.ParticipantChanged(Participant("a", "Anna B.")))
    anna = state.participants["a"]
    assert (anna.name, anna.audio_level, anna.joined_at) == ("Anna B.", 0.5, 5)
    state = reduce(state, ev.AudioLevelsChanged())
    assert state.participants["a"].audio_level == 0
    assert reduce(state, ev.AudioLevelsChanged()) is state


def test_wrong_password_asks_again_and_joining_clears_it() -> None:
    failure = Failure("password_wrong", "That password is wrong.")
    state = reduce(CallState("1"), ev.InputAsked(Asked.ROOM_PASSWORD, failure))
    assert state.asked is Asked.ROOM_PASSWORD and state.failure == failure
    state = reduce(state, ev.PhaseChanged(CallPhase.CONNECTING))
    assert state.asked is None and state.failure is None


def test_ended_is_final() -> None:
    state = reduce(joined(), ev.PhaseChanged(CallPhase.ENDED, "ended"))
    assert reduce(state, ev.PhaseChanged(CallPhase.JOINED)) is state
    assert reduce(state, ev.InputAsked(Asked.SIGN_IN)) is state


def test_messages_are_bounded_counted_and_replaced() -> None:
    state = joined()
    for number in range(reducer.MAX_MESSAGES + 5):
        state = reduce(state, ev.MessageReceived(Message(f"m{number}", "a", "Anna", "hi", number)))
    assert len(state.messages) == reducer.MAX_MESSAGES and state.messages[0].id == "m5"
    assert state.unread_messages == reducer.MAX_MESSAGES
    state = reduce(state, ev.MessagesRead())
    state = reduce(state, ev.MessageReceived(Message("m9", "a", "Anna", "edited", 9)))
    assert state.unread_messages == 0
    assert next(one for one in state.messages if one.id == "m9").text == "edited"
    state = reduce(state, ev.MessageReceived(Message("mine", "me", "Me", "x", 1, is_local=True)))
    assert state.unread_messages == 0


def test_muted_by_somebody_is_forgotten_on_unmute() -> None:
    state = reduce(joined(), ev.LocalMediaChanged(microphone_muted=True, muted_by="a"))
    assert state.local == LocalMedia(microphone_muted_by="a")
    state = reduce(state, ev.LocalMediaChanged(microphone_muted=False))
    assert state.local.microphone_muted_by is None and not state.local.microphone_muted


def test_forwarding_concerns_video_only() -> None:
    state = reduce(joined(), ev.ForwardedSourcesChanged(()))
    assert not state.sources["a-v0"].forwarded and state.sources["a-a0"].forwarded
    state = reduce(state, ev.ForwardedSourcesChanged(("a-v0",)))
    assert state.sources["a-v0"].forwarded
    assert reduce(state, ev.ForwardedSourcesChanged(("a-v0",))) is state


@pytest.mark.parametrize(
    "event",
    [
        ev.ParticipantChanged(Participant("nobody")),
        ev.RoleChanged("nobody", Role.MODERATOR),
        ev.SourceChanged(Source("n-v0", "nobody", MediaKind.VIDEO, SourceContent.CAMERA)),
        ev.DominantSpeakerChanged("nobody"),
        ev.HandRaised("nobody", 1),
        ev.SourceRemoved("n-v0"),
        ev.StartMutedPolicyChanged(StartMutedPolicy()),
    ],
)
def test_what_is_unknown_or_says_nothing_new_returns_the_same_state(event: CallEvent) -> None:
    state = joined()
    assert reduce(state, event) is state


def test_the_stay_goes_on_over_a_new_connection() -> None:
    state = reduce(CallState("c"), ev.Joined("me", "team", 1000))
    state = reduce(reduce(state, ev.PhaseChanged(CallPhase.RECONNECTING)), ev.Joined("again", "team", 9000))
    assert (state.local_id, state.joined_at) == ("again", 1000)
