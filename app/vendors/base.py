"""The contract between the controller and a vendor's session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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
