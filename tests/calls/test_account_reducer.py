from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from types import UnionType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls import account_reducer as reducer
from app.calls import accounts as ac
from app.calls.account_reducer import reduce
from app.calls.accounts import AccountEvent, AccountPhase, AccountState, Presence, Registration, Service
from app.calls.model import Capability, Failure, frozen_map

ids = st.sampled_from(["a", "b", "me", "", "x" * 300, "new\nline"])
texts = st.text(max_size=60) | st.sampled_from(["\u202egnp.exe", "a\x00b", "x" * 30_000, "\ud800"])
numbers = st.integers(-10, 10**13)


def strategy(hint: object, name: str = "") -> st.SearchStrategy[typing.Any]:
    if hint is str:
        return ids if name == "id" or name.endswith("_id") else texts
    table: dict[object, st.SearchStrategy[typing.Any]] = {
        int: numbers,
        bool: st.booleans(),
        type(None): st.none(),
        Mapping[str, str]: st.dictionaries(texts, texts, max_size=4).map(frozen_map),
        Mapping[str, Capability]: st.dictionaries(ids, st.builds(Capability, st.booleans(), texts), max_size=4),
        frozenset[Service]: st.frozensets(st.sampled_from(list(Service)), max_size=4),
    }
    if hint in table:
        return table[hint]
    if isinstance(hint, UnionType):
        return st.one_of(*(strategy(one, name) for one in typing.get_args(hint)))
    if typing.get_origin(hint) is tuple:
        return st.lists(strategy(typing.get_args(hint)[0]), max_size=4).map(tuple)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return built(hint)
    assert isinstance(hint, type), hint
    return st.sampled_from(list(hint))


def built(cls: type) -> st.SearchStrategy[typing.Any]:
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{one.name: strategy(hints[one.name], one.name) for one in dataclasses.fields(cls)})


any_event = st.one_of(*(built(cls) for cls in typing.get_args(AccountEvent)))


def check_invariants(state: AccountState) -> None:
    assert len(state.known_presences) <= reducer.MAX_PRESENCES
    assert all(key == presence.user_id for key, presence in state.known_presences.items())
    assert state.user_id not in state.known_presences
    assert len(state.faxes) <= reducer.MAX_FAXES and len({fax.id for fax in state.faxes}) == len(state.faxes)
    assert len({board.id for board in state.switchboards}) == len(state.switchboards)
    assert len(state.lines) <= reducer.MAX_LINES and all(line.id for line in state.lines)
    for count in (state.voicemail_new, state.chat_unread, state.missed_calls):
        assert 0 <= count <= reducer.MAX_COUNT
    shown = [state.display_name, state.presence.status, *state.details, *state.details.values()]
    shown += [line.label for line in state.lines]
    for text in shown:
        text.encode()
        assert len(text) <= reducer.MAX_DETAIL
        assert not any(char in text for char in "\x00\x07\x9f\u202e\u2066")
    if state.phase in (AccountPhase.SIGNED_OUT, AccountPhase.EXPIRED, AccountPhase.FAILED):
        assert state.registration is Registration.NONE


@settings(max_examples=120, deadline=None)
@given(st.lists(any_event, max_size=30))
def test_any_sequence_of_events_keeps_the_invariants(sequence: list[AccountEvent]) -> None:
    state = AccountState("1", "wazo")
    for event in sequence:
        before, state = state, reduce(state, event)
        check_invariants(state)
        assert reduce(before, event) == state  # pure: the same again from the same state
        if state == before:
            assert state is before
        assert (state.account_id, state.vendor) == ("1", "wazo")


def test_every_event_has_a_fold() -> None:
    assert set(reducer._FOLDS) == set(typing.get_args(AccountEvent))


def signed_in() -> AccountState:
    state = AccountState("1", "wazo", server="phone.example.org", user="anna")
    for event in (
        ac.AccountPhaseChanged(AccountPhase.SIGNING_IN),
        ac.ProfileChanged("me", "Anna", (ac.Line("l1", "Desk", "1000"),), frozenset({Service.CALLS})),
        ac.AccountPhaseChanged(AccountPhase.SIGNED_IN),
        ac.RegistrationChanged(Registration.REGISTERED),
        ac.PresenceChanged(Presence("me", "available", connected=True)),
        ac.PresenceChanged(Presence("bob", "away")),
    ):
        state = reduce(state, event)
    return state


def test_own_presence_and_that_of_others_are_kept_apart() -> None:
    state = signed_in()
    assert state.presence.state == "available"
    assert list(state.known_presences) == ["bob"]
    assert reduce(state, ac.PresenceChanged(Presence("bob", "away"))) is state


def test_who_is_not_signed_in_is_not_registered_and_knows_nobody() -> None:
    state = reduce(signed_in(), ac.AccountPhaseChanged(AccountPhase.EXPIRED, Failure("expired", "Sign in again.")))
    assert state.registration is Registration.NONE and state.known_presences == {} and state.services == frozenset()
    assert state.failure == Failure("expired", "Sign in again.")
    assert state.display_name == "Anna" and state.lines  # shown while signed out, too
    # What was on its way when the session ended changes nothing.
    assert reduce(state, ac.RegistrationChanged(Registration.REGISTERED)) is state


def test_a_lost_registration_says_why_and_forgets_it_when_back() -> None:
    failure = Failure("websocket", "The connection was lost.")
    state = reduce(signed_in(), ac.RegistrationChanged(Registration.LOST, failure))
    assert (state.registration, state.registration_failure) == (Registration.LOST, failure)
    state = reduce(state, ac.RegistrationChanged(Registration.REGISTERED))
    assert state.registration_failure is None


def test_counts_change_one_by_one() -> None:
    state = reduce(signed_in(), ac.CountsChanged(voicemail_new=3))
    state = reduce(state, ac.CountsChanged(missed_calls=-4, chat_unread=2))
    assert (state.voicemail_new, state.chat_unread, state.missed_calls) == (3, 2, 0)
    assert reduce(state, ac.CountsChanged()) is state


def test_faxes_and_presences_are_bounded_the_oldest_goes_first() -> None:
    state = signed_in()
    for number in range(reducer.MAX_FAXES + 3):
        state = reduce(state, ac.FaxChanged(ac.FaxJob(f"f{number}", "1", "/tmp/a.pdf", "sending")))
    assert len(state.faxes) == reducer.MAX_FAXES and state.faxes[0].id == "f3"
    state = reduce(state, ac.FaxChanged(ac.FaxJob("f9", "1", "/tmp/a.pdf", "sent")))
    assert len(state.faxes) == reducer.MAX_FAXES
    assert next(fax for fax in state.faxes if fax.id == "f9").state == "sent"
    for number in range(reducer.MAX_PRESENCES + 2):
        state = reduce(state, ac.PresenceChanged(Presence(f"u{number}", "away")))
    assert len(state.known_presences) == reducer.MAX_PRESENCES and "bob" not in state.known_presences


def test_a_switchboard_replaces_itself() -> None:
    state = reduce(signed_in(), ac.SwitchboardChanged(ac.Switchboard("s", "Desk", (ac.WaitingCall("c", "X", "1"),))))
    state = reduce(state, ac.SwitchboardChanged(ac.Switchboard("s", "Desk")))
    assert state.switchboards == (ac.Switchboard("s", "Desk"),)


@pytest.mark.parametrize(
    "event",
    [
        ac.ListChanged("contacts"),
        ac.AccountNotice("x", "y"),
        ac.ChatMessageReceived(ac.ChatMessage("1", "r", "u", "U", "hi", 1)),
        ac.PresenceChanged(Presence("")),
        ac.FaxChanged(ac.FaxJob("", "1", "p", "sent")),
    ],
)
def test_what_says_nothing_of_the_state_returns_it(event: AccountEvent) -> None:
    state = signed_in()
    assert reduce(state, event) is state
