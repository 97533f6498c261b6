"""Why the controller itself refuses an action: one table of sentences."""

from __future__ import annotations

from app.calls.model import Failure
from app.media.errors import DeviceError
from app.vendors.base import ActionRefused

_SENTENCES = {
    "no_call": "This meeting is over.",
    "not_connected": "Not possible before the meeting is joined.",
    "not_allowed": "You may not do that in this meeting.",
    "absent": "This meeting does not offer that.",
    "screen_not_allowed": "Screen sharing is turned off in the settings.",
    "no_answer": "The server did not answer; please try again.",
    "not_signed_in": "Sign in to this account first.",
    "account_not_allowed": "Your account does not allow that.",
    "account_absent": "This server does not offer that.",
    "transfer_running": "This call is being transferred already.",
    "no_transfer": "There is no transfer to complete.",
    "not_answered": "Wait until the other side has answered.",
    "no_target": "Type a number or pick somebody to call.",
    "media": "The media connection cannot do that right now.",
}

INTERNAL = Failure(
    "internal", "Something went wrong inside Parley; please try again. The log has the details.", retryable=True
)
UNKNOWN_VENDOR = Failure("vendor", "This version of Parley cannot join this kind of meeting.", retryable=False)


def refused(code: str, message: str = "", details: str = "") -> ActionRefused:
    return ActionRefused(Failure(code, message or _SENTENCES[code], details))


def refused_device(error: DeviceError) -> ActionRefused:
    return ActionRefused(Failure(f"device_{error.code}", str(error), f"{error.what}: {error.device}"))
