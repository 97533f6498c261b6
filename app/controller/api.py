"""What the window may use. :class:`app.controller.controller.Controller` implements it; tests may fake it.

Lives on the signalling loop, which with a window is the Qt loop (qasync), so callbacks may touch widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.calls.accounts import AccountAction, AccountEvent, AccountState, Page, Query
from app.calls.actions import Action
from app.calls.events import CallEvent
from app.calls.model import CallState, SourceContent
from app.media.api import Device, EngineEvent, FrameSlot
from app.vendors.base import Address

Unsubscribe = Callable[[], None]


@dataclass(frozen=True, slots=True)
class JoinOptions:
    """What the pre-join view knows when the person presses Join."""

    display_name: str = ""
    password: str | None = None
    token: str | None = None
    microphone_muted: bool = False
    camera_muted: bool = False
    start_silent: bool = False
    audio_only: bool = False


@dataclass(frozen=True, slots=True)
class RecentMeeting:
    address: Address
    title: str
    joined_at: int
    """Milliseconds since the epoch."""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Recognition:
    """What the home field made of the text so far. ``address`` is ``None`` when it cannot be used; ``hint`` is one
    translated sentence either way ("Jitsi meeting team42 on meet.example.org", "This is not a meeting link")."""

    address: Address | None
    hint: str


class ControllerApi(Protocol):
    def recognise(self, text: str) -> Recognition: ...

    def recent(self) -> tuple[RecentMeeting, ...]: ...

    def remove_recent(self, url: str) -> None: ...

    async def join(self, address: Address, options: JoinOptions) -> str:
        """Start joining and return the call id at once; progress comes as states. Never raises for what a server
        or network does: that is a state with ``phase == FAILED`` and a ``failure``."""

    async def retry(self, call_id: str) -> str:
        """Join the address of a failed or ended call again with the same options; returns the new call id."""

    async def perform(self, call_id: str, action: Action) -> None:
        """Raises :class:`app.vendors.base.ActionRefused` with the sentence to show."""

    def state(self, call_id: str) -> CallState: ...

    def calls(self) -> tuple[str, ...]:
        """Ids of calls that are not over."""

    def subscribe(self, listener: Callable[[CallState, CallEvent], None]) -> Unsubscribe:
        """Called after each event of any call with the state that it led to."""

    def slot(self, call_id: str, source_name: str) -> FrameSlot | None:
        """Pictures of a remote video source, ``None`` while there is no media transport."""

    async def avatar(self, call_id: str, participant_id: str) -> bytes | None:
        """Somebody's picture (PNG, JPEG, GIF or WebP, at most half a megabyte), ``None`` when there is none or the
        privacy settings do not allow to fetch it."""

    def preview(self, content: SourceContent) -> FrameSlot: ...

    def devices(self) -> tuple[Device, ...]: ...

    async def find_active_microphone(self) -> Device | None:
        """The microphone that hears something, after a second of listening to all; ``None`` if all are silent."""

    def subscribe_engine(self, listener: Callable[[EngineEvent], None]) -> Unsubscribe: ...

    async def open_preview(self, *, camera: bool, microphone: bool) -> None:
        """Open devices for the pre-join view (idempotent); failures come as ``InputFailed`` engine events."""

    async def close_preview(self) -> None: ...

    async def play_test_sound(self) -> None: ...

    def setting(self, key: str) -> Any:
        """Value of a declared setting, see :mod:`app.storage.settings`."""

    def set_setting(self, key: str, value: Any) -> None:
        """Validate, keep and apply at once. Raises ``ValueError`` with a sentence when the value does not fit."""

    def subscribe_settings(self, listener: Callable[[Mapping[str, Any]], None]) -> Unsubscribe: ...

    async def close(self) -> None:
        """Leave all calls properly (bounded in time), close devices, flush storage."""


@dataclass(frozen=True, slots=True)
class VendorInfo:
    """A vendor one can sign in to, and what its form asks for."""

    vendor: str
    label: str
    asks_domain: bool = False


class AccountsApi(Protocol):
    """The accounts' half of the controller: the same object implements it beside :class:`ControllerApi`."""

    def vendors(self) -> tuple[VendorInfo, ...]: ...

    def accounts(self) -> tuple[AccountState, ...]:
        """Every known account, signed in or not, in the order in which they were added."""

    def account(self, account_id: str) -> AccountState: ...

    async def sign_in(
        self, vendor: str, server: str, user: str, password: str, *, domain: str = "", stay_signed_in: bool = True
    ) -> str:
        """Add an account and start signing in; returns its id at once. Progress and refusals come as states."""

    async def resume_accounts(self) -> None:
        """At start: sign in every account whose refresh token is in the keyring."""

    async def sign_out(self, account_id: str, *, everywhere: bool = False, forget: bool = False) -> None: ...

    def subscribe_accounts(self, listener: Callable[[AccountState, AccountEvent], None]) -> Unsubscribe: ...

    async def account_perform(self, account_id: str, action: AccountAction) -> Any:
        """Raises :class:`app.vendors.base.ActionRefused` with the sentence to show."""

    async def find(self, account_id: str, query: Query) -> Page: ...

    def secrets_note(self) -> str:
        """One translatable sentence: where sign-ins are kept. Final once the first account has begun to sign in; an
        ``AccountNotice("session_only")`` says so when they are lost at the end of the program."""

    async def dial(self, account_id: str, target: str, *, video: bool = False, room: bool = False) -> str:
        """Place a call and return the call id at once; progress comes as call states.

        Placing or answering a call, or taking one back from hold, holds the others. ``perform`` takes the actions of
        :mod:`app.calls.phone`: an attended transfer is ``TransferTo(target, consult=True)`` on the call to hand over,
        then ``CompleteTransfer`` or ``CancelTransfer`` on it or on the consultation
        (``PhoneInfo.transfer.consultation_call_id``). ``retry`` dials again, or calls back.

        Incoming calls appear by themselves as states with phase ``INCOMING``.
        """
