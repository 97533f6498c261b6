"""The contract between the controller and a vendor's session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.calls.accounts import AccountAction, AccountEvent, Page, Query
from app.calls.actions import Action
from app.calls.events import CallEvent
from app.calls.model import Failure, frozen_map
from app.media.api import MediaEngine, Transport


@dataclass(frozen=True, slots=True)
class Address:
    """What a typed or clicked text means, for one vendor."""

    vendor: str
    text: str
    """As typed, for the recent list and for Retry."""
    url: str
    """Canonical form that can be copied and shared."""
    server: str
    room: str
    title: str
    """What to show, e.g. ``Team42``."""
    extra: Mapping[str, str] = field(default_factory=frozen_map)
    token: str | None = field(default=None, repr=False, compare=False)
    """Secret that the link carried, for this join only: never kept in recents, never shown, never logged."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """All that a session needs to join or call. Options carry vendor-specific settings by name (seed option ids)."""

    call_id: str
    address: Address
    display_name: str = ""
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    user: str | None = None
    user_password: str | None = field(default=None, repr=False)
    microphone_muted: bool = False
    camera_muted: bool = False
    start_silent: bool = False
    trusted_certificates: tuple[str, ...] = ()
    """SHA-256 fingerprints that the person has accepted for this server."""
    options: Mapping[str, Any] = field(default_factory=frozen_map)


class ActionRefused(Exception):
    """An action cannot be performed now. ``failure.message`` is the sentence for the person."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class JoinFailed(Exception):
    """Joining ended for good; the same failure was also emitted as ``PhaseChanged(FAILED)``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Session(Protocol):
    """One call or meeting. Lives on the signalling loop. Emits events from construction to the final phase."""

    async def join(self) -> None:
        """Join and return once in the conference. Emits ``InputAsked`` and waits for the matching action
        (``SubmitPassword``, ``SignIn``, ``SubmitDisplayName``) when the server asks. Raises :class:`JoinFailed`."""

    async def perform(self, action: Action) -> None:
        """Do it and return once the server or bridge has taken it. Raises :class:`ActionRefused`."""

    @property
    def transport(self) -> Transport | None:
        """The media transport while there is one (a new one may replace it; the slots of the old one go dark)."""

    async def close(self) -> None:
        """Leave properly, bounded in time; never raises. Emits the final phase."""


class SessionFactory(Protocol):
    def __call__(self, request: JoinRequest, engine: MediaEngine, emit: Callable[[CallEvent], None]) -> Session: ...


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """What a person gives to sign in. Secrets come from the form or from the keyring and are never logged."""

    account_id: str
    vendor: str
    server: str
    user: str = ""
    password: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    domain: str = ""
    """LDAP or SAML domain, where the server asks for one."""
    backend: str = ""
    display_name: str = ""
    trusted_certificates: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=frozen_map)


REFRESH_TOKEN = "refresh_token"
"""Name under which a session keeps (``AccountHooks.keep_secret``) what signs it in again without a password."""


class SignInFailed(Exception):
    """Signing in ended for good; the failure was also emitted as ``AccountPhaseChanged``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class CallRequest:
    """A call to place. ``target`` is a number, extension, SIP URI, room number or meeting link."""

    call_id: str
    target: str
    video: bool = False
    room: bool = False
    """Join as a video room: one tile per participant."""
    display_name: str = ""
    microphone_muted: bool = False
    replaces_call_id: str = ""
    """Our call that this one consults for (attended transfer)."""
    options: Mapping[str, Any] = field(default_factory=frozen_map)


class AccountSession(Protocol):
    """One signed-in account. Lives on the signalling loop; keeps itself registered until :meth:`close`."""

    async def sign_in(self) -> None:
        """Sign in and register. Raises :class:`SignInFailed`. Afterwards renews tokens and registration by itself."""

    async def sign_out(self, *, everywhere: bool = False) -> None:
        """End calls, unregister, drop the tokens on the server; bounded in time, never raises."""

    async def perform(self, action: AccountAction) -> Any:
        """Do it and return what the action's docstring names. Raises :class:`ActionRefused`."""

    async def find(self, query: Query) -> Page:
        """One page of something large. Raises :class:`ActionRefused`."""

    def place_call(self, request: CallRequest, emit: Callable[[CallEvent], None]) -> Session:
        """Make a session for an outgoing call; ``join()`` places it."""

    def accept_session(self, session_key: str, call_id: str, emit: Callable[[CallEvent], None]) -> Session:
        """The session of an incoming call that was announced with ``on_incoming(session_key)``; it emits its state at
        once and rings until ``Answer`` or ``Decline`` is performed. ``join()`` is never called on it.

        Call ids in actions (``MergeCalls``, ``TransferTo``) are those given here and in :class:`CallRequest`. Of an
        attended transfer a session sees only ``TransferTo(target, call_id=...)`` with both calls established: the
        controller dials the consultation (``CallRequest.replaces_call_id``), cancels it, holds and resumes. The session
        ends the call once it is handed over.
        """

    async def close(self) -> None:
        """Unregister and close sockets, keeping the tokens; bounded in time, never raises."""


@dataclass(frozen=True, slots=True)
class AccountHooks:
    """What an account session calls back, always on the signalling loop."""

    emit: Callable[[AccountEvent], None]
    on_incoming: Callable[[str], None]
    """Session key of a new incoming call."""
    keep_secret: Callable[[str, str], None]
    """Name and value of a secret to keep for the next start (refresh token); the empty value forgets it."""


class AccountFactory(Protocol):
    def __call__(self, request: SignInRequest, engine: MediaEngine, hooks: AccountHooks) -> AccountSession: ...
