"""The accounts' half of :class:`tests.ui.fakes.FakeController`, and states of accounts and phone calls of any kind."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.calls import accounts as ac
from app.calls import actions as a
from app.calls import phone as ph
from app.calls.accounts import (
    AccountAction,
    AccountEvent,
    AccountPhase,
    AccountState,
    Contact,
    Forward,
    Line,
    Page,
    PhoneNumber,
    Presence,
    Query,
    Registration,
    Service,
)
from app.calls.events import CallEvent, PhaseChanged
from app.calls.model import CallPhase, CallState, Capability, LocalMedia, Participant, frozen_map
from app.calls.phone import Direction, PhoneChanged, PhoneInfo
from app.controller.api import Unsubscribe, VendorInfo
from app.vendors.base import ActionRefused

ACCOUNT = "account-1"
PHONE = "phone-1"
NOW = 1_760_000_000_000

_ACCOUNT_ACTIONS = tuple(cls.__name__ for cls in AccountAction.__args__)
_CALL_ACTIONS = tuple(cls.__name__ for cls in a.Action.__args__)  # type: ignore[attr-defined]


def account_capabilities(**changes: Capability) -> Mapping[str, Capability]:
    """Everything allowed, except what *changes* says."""
    return frozen_map({name: Capability(True) for name in _ACCOUNT_ACTIONS} | changes)


def account(account_id: str = ACCOUNT, **fields: Any) -> AccountState:
    """A signed-in, registered account with every service, changed by *fields*."""
    values: dict[str, Any] = {
        "vendor": "wazo",
        "server": "phone.example.org",
        "user": "robin",
        "user_id": "u-robin",
        "display_name": "Robin Meyer",
        "phase": AccountPhase.SIGNED_IN,
        "registration": Registration.REGISTERED,
        "services": frozenset(Service),
        "lines": (Line("line-1", "Desk", "1000", video=True, rooms=True),),
        "presence": Presence("u-robin", "available", connected=True, line="available"),
        "forwards": (Forward("unconditional"), Forward("busy"), Forward("noanswer")),
        "capabilities": account_capabilities(),
    }
    return AccountState(account_id, **(values | fields))


def contact(number: int = 1, **fields: Any) -> Contact:
    """One of many people, the same for the same *number*."""
    first = ("Amélie", "Tomás", "Priya", "Jonas", "Mei-Ling", "Sara", "Liam", "Nadia")[number % 8]
    last = ("Laurent", "Herrera", "Raman", "Lindqvist", "Chen", "Ben Youssef", "O'Connor")[number % 7]
    values: dict[str, Any] = {
        "source": "company",
        "name": f"{first} {last}",
        "numbers": (PhoneNumber(str(1000 + number), "extension"), PhoneNumber(f"+3312345{number:04d}", "mobile")),
        "email": f"{first.lower()}{number}@example.org",
        "user_id": f"u-{number}",
    }
    return Contact(**({"id": f"c{number}"} | values | fields))


def phone_call(
    call_id: str = PHONE,
    *,
    phase: CallPhase = CallPhase.JOINED,
    name: str = "Amélie Laurent",
    number: str = "1042",
    direction: Direction = Direction.OUTGOING,
    local: LocalMedia | None = None,
    account_id: str = ACCOUNT,
    **phone: Any,
) -> CallState:
    """A phone call; *phone* are fields of :class:`app.calls.phone.PhoneInfo`."""
    talking = phase in (CallPhase.JOINED, CallPhase.RECONNECTING)
    values: dict[str, Any] = {"answered_at": NOW if talking else None, "ringing": phase is CallPhase.RINGING}
    info = PhoneInfo(direction, account_id, name, number, **(values | phone))
    people = {"local": Participant("local", "Robin Meyer", is_local=True), "remote": Participant("remote", name)}
    return CallState(
        call_id,
        vendor="wazo",
        address=number,
        room=number,
        phase=phase,
        local_id="local",
        subject=name or number,
        joined_at=NOW if talking else None,
        participants=frozen_map(people),
        local=local or LocalMedia(microphone_muted=False, camera_muted=True),
        capabilities=frozen_map({action: Capability(True) for action in _CALL_ACTIONS}),
        dtmf_supported=True,
        phone=info,
    )


class FakeAccounts:
    """Implements :class:`app.controller.api.AccountsApi`; a base of ``FakeController``, which has the calls.

    Attributes:
        account_states: by account id, in the order in which they were added.
        account_performed: (account id, action) in order. account_refusals: action or query class name to the error.
        results: action class name to what :meth:`account_perform` returns (a value, or a function of the action).
        pages: query class name to the items (a sequence, which is cut by offset and limit), or a function
            ``query -> Page``.
        found: (account id, query) in order. dialled: (account id, target, video, room) in order.
        signed_in: arguments of :meth:`sign_in` in order. signed_out: (account id, everywhere, forget).
    """

    states: dict[str, CallState]

    def __init__(self) -> None:
        self.account_states: dict[str, AccountState] = {}
        self.account_performed: list[tuple[str, AccountAction]] = []
        self.account_refusals: dict[str, ActionRefused] = {}
        self.results: dict[str, Any] = {}
        self.pages: dict[str, Any] = {}
        self.found: list[tuple[str, Query]] = []
        self.dialled: list[tuple[str, str, bool, bool]] = []
        self.signed_in: list[dict[str, Any]] = []
        self.signed_out: list[tuple[str, bool, bool]] = []
        self.resumed = 0
        self.vendor_list = (VendorInfo("wazo", "Wazo", asks_domain=True),)
        self.secrets_persistent = True
        self.find_gate: asyncio.Event | None = None
        """While set and not released, :meth:`find` waits: for states of loading."""
        self._account_listeners: list[Callable[[AccountState, AccountEvent], None]] = []
        self._numbers = itertools.count(1)

    def set(self, state: CallState, event: CallEvent | None = None) -> None:
        raise NotImplementedError

    # -- scripting

    def set_account(self, state: AccountState, event: AccountEvent | None = None) -> None:
        """Make *state* the truth and tell the listeners (event: what led to it)."""
        self.account_states[state.account_id] = state
        for listener in list(self._account_listeners):
            listener(state, event or ac.AccountPhaseChanged(state.phase, state.failure))

    def update_account(
        self, event: AccountEvent | None = None, account_id: str = ACCOUNT, **fields: Any
    ) -> AccountState:
        state = replace(self.account_states[account_id], **fields)
        self.set_account(state, event)
        return state

    def emit_account(self, event: AccountEvent, account_id: str = ACCOUNT) -> None:
        """Tell of an event that leaves the state as it is."""
        self.set_account(self.account_states[account_id], event)

    def change_phone(self, call_id: str = PHONE, **fields: Any) -> None:
        """Replace fields of a call's phone side."""
        state = self.states[call_id]
        phone = replace(state.phone or PhoneInfo(), **fields)
        self.set(replace(state, phone=phone), PhoneChanged(phone))

    def account_asked(self, kind: type, account_id: str = ACCOUNT) -> list[Any]:
        """Account actions of one class that were performed."""
        return [action for where, action in self.account_performed if where == account_id and isinstance(action, kind)]

    # -- AccountsApi

    def vendors(self) -> tuple[VendorInfo, ...]:
        return self.vendor_list

    def accounts(self) -> tuple[AccountState, ...]:
        return tuple(self.account_states.values())

    def account(self, account_id: str) -> AccountState:
        return self.account_states[account_id]

    def secrets_note(self) -> str:
        if self.secrets_persistent:
            return "Passwords are kept in the given store."
        return "This system has no password store; passwords are kept until you quit."

    async def sign_in(
        self, vendor: str, server: str, user: str, password: str, *, domain: str = "", stay_signed_in: bool = True
    ) -> str:
        self.signed_in.append(
            {
                "vendor": vendor,
                "server": server,
                "user": user,
                "password": password,
                "domain": domain,
                "stay_signed_in": stay_signed_in,
            }
        )
        account_id = next(
            (one.account_id for one in self.accounts() if (one.vendor, one.server, one.user) == (vendor, server, user)),
            f"account-{len(self.account_states) + 1}",
        )
        self.set_account(
            AccountState(account_id, vendor, server=server, user=user, phase=AccountPhase.SIGNING_IN),
            ac.AccountPhaseChanged(AccountPhase.SIGNING_IN),
        )
        return account_id

    async def resume_accounts(self) -> None:
        self.resumed += 1

    async def sign_out(self, account_id: str, *, everywhere: bool = False, forget: bool = False) -> None:
        self.signed_out.append((account_id, everywhere, forget))
        event = ac.AccountPhaseChanged(AccountPhase.SIGNED_OUT)
        state = replace(self.account_states[account_id], phase=AccountPhase.SIGNED_OUT, registration=Registration.NONE)
        self.set_account(state, event)
        if forget:
            del self.account_states[account_id]

    def subscribe_accounts(self, listener: Callable[[AccountState, AccountEvent], None]) -> Unsubscribe:
        self._account_listeners.append(listener)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._account_listeners.remove(listener)

        return unsubscribe

    async def account_perform(self, account_id: str, action: AccountAction) -> Any:
        self.account_performed.append((account_id, action))
        name = type(action).__name__
        if name in self.account_refusals:
            raise self.account_refusals[name]
        self._reflect_account(account_id, action)
        result = self.results.get(name)
        return result(action) if callable(result) else result

    def _reflect_account(self, account_id: str, action: AccountAction) -> None:
        state = self.account_states[account_id]
        if isinstance(action, ac.SetPresence):
            presence = replace(state.presence, state=action.state, status=action.status)
            self.update_account(ac.PresenceChanged(presence), account_id, presence=presence)
        elif isinstance(action, ac.SetDoNotDisturb):
            presence = replace(state.presence, do_not_disturb=action.enabled)
            self.update_account(ac.PresenceChanged(presence), account_id, presence=presence)
        elif isinstance(action, ac.SetForward):
            forwards = tuple(action.forward if one.kind == action.forward.kind else one for one in state.forwards)
            self.update_account(ac.ForwardsChanged(forwards), account_id, forwards=forwards)
        elif isinstance(action, ac.MarkCallsSeen):
            self.update_account(ac.CountsChanged(missed_calls=0), account_id, missed_calls=0)

    async def find(self, account_id: str, query: Query) -> Page:
        self.found.append((account_id, query))
        if self.find_gate is not None:
            await self.find_gate.wait()
        name = type(query).__name__
        if name in self.account_refusals:
            raise self.account_refusals[name]
        scripted = self.pages.get(name, ())
        if callable(scripted):
            page: Page = scripted(query)
            return page
        items = tuple(scripted)
        offset, limit = getattr(query, "offset", 0), getattr(query, "limit", len(items) or 1)
        return Page(items[offset : offset + limit], len(items))

    async def dial(self, account_id: str, target: str, *, video: bool = False, room: bool = False) -> str:
        self.dialled.append((account_id, target, video, room))
        call_id = f"phone-{100 + next(self._numbers)}"
        self.set(phone_call(call_id, phase=CallPhase.CONNECTING, name="", number=target, account_id=account_id))
        return call_id

    # -- phone actions of calls

    def reflect_phone(self, call_id: str, action: Any) -> None:
        """What the simplest phone actions do to the state."""
        state = self.states[call_id]
        if isinstance(action, ph.SetHold):
            self.change_phone(call_id, held=action.held)
        elif isinstance(action, ph.SetVideo):
            self.change_phone(call_id, video=action.enabled)
        elif isinstance(action, ph.SetRecording):
            self.change_phone(call_id, recording=action.state)
        elif isinstance(action, ph.Answer):
            phone = replace(state.phone or PhoneInfo(), answered_at=NOW, ringing=False, video=action.video)
            self.set(replace(state, phase=CallPhase.JOINED, joined_at=NOW, phone=phone), PhaseChanged(CallPhase.JOINED))
        elif isinstance(action, (ph.Decline, ph.IgnoreCall)):
            self.set(replace(state, phase=CallPhase.ENDED), PhaseChanged(CallPhase.ENDED, "declined"))
