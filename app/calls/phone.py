"""What a phone call has beyond a meeting: direction, ringing, hold, transfer, merging. Values, events and actions.

They belong to the same closed sets as those in :mod:`app.calls.model`, :mod:`app.calls.events` and
:mod:`app.calls.actions`; a meeting simply never emits them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    NONE = ""
    OUTGOING = "outgoing"
    INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer under way. ``state``: consulting (ringing), answered, completing, failed."""

    target: str
    state: str
    consultation_call_id: str = ""
    """Our call id of the consultation leg."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PhoneInfo:
    """The phone side of a call."""

    direction: Direction = Direction.NONE
    account_id: str = ""
    remote_name: str = ""
    remote_number: str = ""
    called_number: str = ""
    """The number that was dialled, when calls reach us on several."""
    diverted_by: tuple[str, ...] = ()
    """Who forwarded the call to us, nearest first (RFC 5806)."""
    answered_at: int | None = None
    ringing: bool = False
    early_media: bool = False
    auto_answered: bool = False
    answered_elsewhere: bool = False
    offers_video: bool = False
    video: bool = False
    """Video is part of the call now, whether or not anybody's camera is on."""
    held: bool = False
    """By us."""
    held_by_remote: bool = False
    recording: str = "inactive"
    """inactive, active or paused."""
    conference_id: str = ""
    """Calls with the same value are merged."""
    transfer: Transfer | None = None
    server_call_id: str = ""
    cause: str = ""
    """Why it ended: busy, declined, not_found, unavailable, no_answer, cancelled, elsewhere, normal, no_codec or
    failed."""


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    """New phone side of the call; the reducer keeps it as it comes."""

    phone: PhoneInfo


@dataclass(frozen=True, slots=True)
class ToneReceived:
    digit: str


# ---------------------------------------------------------------- actions


@dataclass(frozen=True, slots=True)
class Answer:
    video: bool = False


@dataclass(frozen=True, slots=True)
class Decline:
    """``to_voicemail`` sends the caller there where the server can; ``redirect_to`` elsewhere (302)."""

    to_voicemail: bool = False
    redirect_to: str = ""


@dataclass(frozen=True, slots=True)
class IgnoreCall:
    """Stop ringing here; the caller hears no difference."""


@dataclass(frozen=True, slots=True)
class SetHold:
    held: bool


@dataclass(frozen=True, slots=True)
class SetVideo:
    """Upgrade to video or back to sound only."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class TransferTo:
    """Hand the call to a number, contact or another call of ours (``call_id``).

    ``consult`` first calls the target; then :class:`CompleteTransfer` or :class:`CancelTransfer`.
    """

    target: str = ""
    consult: bool = False
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class CompleteTransfer:
    pass


@dataclass(frozen=True, slots=True)
class CancelTransfer:
    pass


@dataclass(frozen=True, slots=True)
class MergeCalls:
    """Make one conference of this call and others (ids of ours)."""

    call_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SplitCall:
    """Take this call out of its conference."""


@dataclass(frozen=True, slots=True)
class SetRecording:
    """``state``: active, paused or inactive."""

    state: str


@dataclass(frozen=True, slots=True)
class Relocate:
    """Move the call to another of our lines or to the mobile phone."""

    line_id: str = ""
    to_mobile: bool = False


@dataclass(frozen=True, slots=True)
class SendSignal:
    """Custom data to the other side of a call or to everybody in a room; must be JSON."""

    payload: object
    kind: str = "signal"
    """signal, chat or message."""


PhoneEvent = PhoneChanged | ToneReceived
PhoneAction = (
    Answer
    | Decline
    | IgnoreCall
    | SetHold
    | SetVideo
    | TransferTo
    | CompleteTransfer
    | CancelTransfer
    | MergeCalls
    | SplitCall
    | SetRecording
    | Relocate
    | SendSignal
)
