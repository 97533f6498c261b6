from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from app.calls import selectors
from app.calls.actions import Kick, Lock
from app.calls.model import (
    CallState,
    Capability,
    MediaKind,
    Participant,
    Role,
    Source,
    SourceContent,
    frozen_map,
)


def meeting(**changes: object) -> CallState:
    people = [
        Participant("me", "Me", Role.MODERATOR, is_local=True),
        Participant("a", "Anna", raised_hand_at=20),
        Participant("b", "Bob", raised_hand_at=10),
        Participant("c", "cyril"),
        Participant("rec", "Recorder", is_hidden=True),
    ]
    sources = [Source("c-v0", "c", MediaKind.VIDEO, SourceContent.CAMERA, muted=False)]
    state = CallState(
        "1",
        local_id="me",
        participants=frozen_map({one.id: one for one in people}),
        sources=frozen_map({one.name: one for one in sources}),
    )
    return dataclasses.replace(state, **changes)


def test_hands_are_in_the_order_in_which_they_went_up() -> None:
    assert selectors.hand_order(meeting()) == ("b", "a")
    assert selectors.hand_position(meeting(), "a") == 2
    assert selectors.hand_position(meeting(), "c") is None


def test_speaker_order() -> None:
    state = meeting(dominant_speaker="c", previous_speakers=("a",))
    assert selectors.speaker_order(state) == ("c", "a", "b")
    assert selectors.stage_participant(state) == "c"
    assert selectors.stage_participant(state, pinned="b") == "b"
    screen = Source("b-v1", "b", MediaKind.VIDEO, SourceContent.SCREEN, muted=False)
    state = meeting(dominant_speaker="c", sources=frozen_map({"b-v1": screen}))
    assert selectors.stage_participant(state) == "b"


def test_alone_one_sees_oneself() -> None:
    state = meeting(participants=frozen_map({"me": Participant("me", "Me", is_local=True)}))
    assert selectors.stage_participant(state) == "me"
    assert not selectors.is_last_moderator(state)


def test_list_order_and_last_moderator() -> None:
    assert [one.id for one in selectors.list_order(meeting())] == ["me", "b", "a", "c"]
    assert selectors.is_last_moderator(meeting())


def test_what_a_session_does_not_mention_is_absent() -> None:
    state = meeting(capabilities=frozen_map({"Lock": Capability(False, "Only moderators can lock.")}))
    assert selectors.capability(state, Lock).reason == "Only moderators can lock."
    assert not selectors.capability(state, Kick).present


def test_initials() -> None:
    assert selectors.initials("Anna Maria Berg") == "AB"
    assert selectors.initials("  ((bob)) ") == "B"
    assert selectors.initials("Élodie") == "É"
    assert selectors.initials("👩 !!") == ""


@given(st.text(max_size=50))
def test_initials_never_fail(name: str) -> None:
    assert len(selectors.initials(name)) <= 2
    assert 0 <= selectors.hue(name) < 360


def test_muted_without_a_source() -> None:
    assert selectors.is_muted(meeting(), "a", MediaKind.AUDIO)
    assert not selectors.is_muted(meeting(), "c", MediaKind.VIDEO)
