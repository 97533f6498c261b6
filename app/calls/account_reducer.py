"""The one place that makes a new :class:`~app.calls.accounts.AccountState`: ``reduce(state, event)``.

Rules as in :mod:`app.calls.reducer`: pure; total (nothing raises); bounded (each collection and text has a limit). When
an event changes nothing the very same state comes back, so that views can compare by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.calls import accounts as ac
from app.calls.accounts import AccountEvent, AccountPhase, AccountState, Registration
from app.calls.model import Capability, Failure, frozen_map
from app.calls.text import MAX_ID, clean_message, clean_name

MAX_LINES = 32
MAX_FORWARDS = 16
MAX_PRESENCES = 1_000
"""People on screen and favourites; the one not heard of for longest goes first."""
MAX_QUEUES = 200
MAX_SWITCHBOARDS = 50
MAX_WAITING = 500
"""Calls of one switchboard."""
MAX_FAXES = 50
"""The oldest goes first."""
MAX_DETAILS = 64
MAX_DETAIL = 1_024
"""Characters of one detail, and of a sentence or path."""
MAX_CAPABILITIES = 128
MAX_COUNT = 1_000_000

_NOT_SIGNED_IN = frozenset({AccountPhase.SIGNED_OUT, AccountPhase.EXPIRED, AccountPhase.FAILED})


def reduce(state: AccountState, event: AccountEvent) -> AccountState:
    """The state after *event*. Returns *state* itself when nothing changed."""
    fold = _FOLDS.get(type(event))
    return state if fold is None else fold(state, event)


# ---------------------------------------------------------------- cleaning


def _id(identifier: str) -> str:
    """Empty when it cannot be used: a cut identifier would name something else."""
    return identifier if len(identifier) <= MAX_ID and identifier == clean_name(identifier, MAX_ID) else ""


def _failure(failure: Failure | None) -> Failure | None:
    if failure is None:
        return None
    return replace(
        failure, message=clean_name(failure.message, MAX_DETAIL), details=clean_message(failure.details, MAX_DETAIL)
    )


def _details(items: Mapping[str, str]) -> Mapping[str, str]:
    kept = list(items.items())[:MAX_DETAILS]
    return frozen_map({clean_name(str(key)): clean_message(str(value), MAX_DETAIL) for key, value in kept})


def _line(line: ac.Line) -> ac.Line:
    return replace(line, label=clean_name(line.label), number=clean_name(line.number))


def _presence(presence: ac.Presence) -> ac.Presence:
    return replace(
        presence,
        state=clean_name(presence.state),
        status=clean_name(presence.status),
        line=clean_name(presence.line),
    )


def _agent(agent: ac.AgentState) -> ac.AgentState:
    return replace(
        agent,
        number=clean_name(agent.number),
        paused_reason=clean_name(agent.paused_reason),
        queues=tuple(replace(one, name=clean_name(one.name)) for one in agent.queues[:MAX_QUEUES]),
    )


def _switchboard(board: ac.Switchboard) -> ac.Switchboard:
    calls = tuple(
        replace(call, name=clean_name(call.name), number=clean_name(call.number))
        for call in board.calls[:MAX_WAITING]
        if _id(call.id)
    )
    return replace(board, name=clean_name(board.name), calls=calls)


def _fax(fax: ac.FaxJob) -> ac.FaxJob:
    return replace(
        fax,
        number=clean_name(fax.number),
        state=clean_name(fax.state),
        error=clean_name(fax.error, MAX_DETAIL),
    )


def _count(value: int) -> int:
    return min(MAX_COUNT, max(0, value))


def _set(state: AccountState, **changes: Any) -> AccountState:
    if all(getattr(state, name) == value for name, value in changes.items()):
        return state
    return replace(state, **changes)


# ---------------------------------------------------------------- folds


def _phase_changed(state: AccountState, event: ac.AccountPhaseChanged) -> AccountState:
    changes: dict[str, Any] = {"phase": event.phase, "failure": _failure(event.failure)}
    if event.phase in _NOT_SIGNED_IN:
        # Nobody can be reached, nor is anything known of others, while we are not signed in.
        changes |= {
            "registration": Registration.NONE,
            "registration_failure": None,
            "services": frozenset(),
            "known_presences": frozen_map(),
            "presence": replace(state.presence, connected=False, line=""),
            "capabilities": frozen_map(),
            "switchboards": (),
            "agent": None,
        }
    return _set(state, **changes)


def _profile_changed(state: AccountState, event: ac.ProfileChanged) -> AccountState:
    user_id = _id(event.user_id)
    own = state.known_presences.get(user_id)
    if own is not None:
        # Our presence came before we knew who we are.
        others = {key: value for key, value in state.known_presences.items() if key != user_id}
        state = replace(state, presence=own, known_presences=frozen_map(others))
    return _set(
        state,
        user_id=user_id,
        display_name=clean_name(event.display_name),
        lines=tuple(_line(line) for line in event.lines[:MAX_LINES] if _id(line.id)),
        services=event.services,
        details=_details(event.details),
    )


def _registration_changed(state: AccountState, event: ac.RegistrationChanged) -> AccountState:
    if state.phase in _NOT_SIGNED_IN:
        return state
    return _set(state, registration=event.registration, registration_failure=_failure(event.failure))


def _presence_changed(state: AccountState, event: ac.PresenceChanged) -> AccountState:
    presence = _presence(event.presence)
    if not _id(presence.user_id):
        return state
    if presence.user_id == state.user_id:
        return _set(state, presence=presence)
    if state.known_presences.get(presence.user_id) == presence:
        return state
    known = {key: value for key, value in state.known_presences.items() if key != presence.user_id}
    known[presence.user_id] = presence
    while len(known) > MAX_PRESENCES:
        del known[next(iter(known))]
    return replace(state, known_presences=frozen_map(known))


def _forwards_changed(state: AccountState, event: ac.ForwardsChanged) -> AccountState:
    forwards = tuple(
        replace(one, kind=clean_name(one.kind), destination=clean_name(one.destination))
        for one in event.forwards[:MAX_FORWARDS]
    )
    return _set(state, forwards=forwards)


def _counts_changed(state: AccountState, event: ac.CountsChanged) -> AccountState:
    changes = {
        name: _count(value)
        for name in ("voicemail_new", "chat_unread", "missed_calls")
        if (value := getattr(event, name)) is not None
    }
    return _set(state, **changes)


def _agent_changed(state: AccountState, event: ac.AgentChanged) -> AccountState:
    return _set(state, agent=None if event.agent is None else _agent(event.agent))


def _switchboard_changed(state: AccountState, event: ac.SwitchboardChanged) -> AccountState:
    board = _switchboard(event.switchboard)
    if not _id(board.id):
        return state
    boards = {one.id: one for one in state.switchboards}
    if board.id not in boards and len(boards) >= MAX_SWITCHBOARDS:
        return state
    boards[board.id] = board
    return _set(state, switchboards=tuple(boards.values()))


def _fax_changed(state: AccountState, event: ac.FaxChanged) -> AccountState:
    fax = _fax(event.fax)
    if not _id(fax.id):
        return state
    faxes = {one.id: one for one in state.faxes} | {fax.id: fax}
    return _set(state, faxes=tuple(faxes.values())[-MAX_FAXES:])


def _capabilities_changed(state: AccountState, event: ac.AccountCapabilitiesChanged) -> AccountState:
    kept = list(event.capabilities.items())[:MAX_CAPABILITIES]
    capabilities: dict[str, Capability] = {
        clean_name(name): replace(one, reason=clean_name(one.reason, MAX_DETAIL)) for name, one in kept
    }
    return _set(state, capabilities=frozen_map(capabilities))


def _unchanged(state: AccountState, event: AccountEvent) -> AccountState:
    """Large collections are never part of the state: views read them again."""
    return state


_FOLDS: Mapping[type, Callable[[AccountState, Any], AccountState]] = {
    ac.AccountPhaseChanged: _phase_changed,
    ac.ProfileChanged: _profile_changed,
    ac.RegistrationChanged: _registration_changed,
    ac.PresenceChanged: _presence_changed,
    ac.ForwardsChanged: _forwards_changed,
    ac.CountsChanged: _counts_changed,
    ac.AgentChanged: _agent_changed,
    ac.SwitchboardChanged: _switchboard_changed,
    ac.FaxChanged: _fax_changed,
    ac.ChatMessageReceived: _unchanged,
    ac.ListChanged: _unchanged,
    ac.AccountNotice: _unchanged,
    ac.AccountCapabilitiesChanged: _capabilities_changed,
}
