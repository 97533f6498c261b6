"""Which actions can be done now, and if not why not. Pure: a function of the session core's state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.calls.model import Capability, frozen_map
from app.vendors.jitsi.errors import ERRORS

if TYPE_CHECKING:
    from app.vendors.jitsi.core import SessionCore

MODERATOR_ACTIONS = frozenset(
    {
        "Lock",
        "SetSubject",
        "Kick",
        "GrantModerator",
        "RevokeModerator",
        "MuteParticipant",
        "MuteEveryone",
        "SetStartMutedPolicy",
        "LowerHand",
        "EndForAll",
    }
)
CHANNEL_ACTIONS = frozenset({"SendReaction", "LowerHand", "SendEndpointMessage", "SendEndpointStats"})
MEETING_ACTIONS = frozenset(
    {
        "SetMicrophone",
        "SetCamera",
        "ShareScreen",
        "SelectDevices",
        "SetParticipantVolume",
        "SendMessage",
        "ReactToMessage",
        "RetractMessage",
        "MarkMessagesRead",
        "RaiseHand",
        "SetDisplayName",
        "SetVisibleSources",
        "SetReceiveLimit",
        "SetSendLimit",
        "SetAudioOnly",
        "SetProperty",
        "SendCommand",
        "RemoveCommand",
        "SetFeature",
        "SendFeedback",
        "SendDtmf",
    }
)
ALWAYS = frozenset({"Leave", "MarkMessagesRead", "SendFeedback"})
ANSWERS = {"SubmitPassword": "room_password", "SignIn": "sign_in", "SubmitDisplayName": "display_name"}

_YES = Capability(True)


def _no(code: str) -> Capability:
    return Capability(False, ERRORS[code].message)


def capabilities(core: SessionCore) -> Mapping[str, Capability]:
    """By action class name. Absent actions do not exist for Jitsi (here: yet)."""
    local = core.ctx.local
    found: dict[str, Capability] = {}
    for name in MEETING_ACTIONS | MODERATOR_ACTIONS | CHANNEL_ACTIONS:
        found[name] = _YES if local.joined else _no("not_joined")
    if local.joined:
        for name in CHANNEL_ACTIONS:
            if not core.bridge.open:
                found[name] = _no("channel_network" if core.bridge.broken else "channel_closed")
        for name in MODERATOR_ACTIONS:
            if not local.moderator:
                found[name] = _no("moderator_only")
        if not core.room.dtmf_supported:
            found["SendDtmf"] = _no("no_dtmf")
    found["EndForAll"] = _end_for_all(core, found["EndForAll"])
    for name in ALWAYS:
        found[name] = _YES
    waiting = core.joining.waiting_for
    for name, asked in ANSWERS.items():
        matches = waiting is not None and waiting.value == asked
        found[name] = _YES if matches else Capability(False, ERRORS["nothing_to_change"].message, present=False)
    return frozen_map(found)


def _end_for_all(core: SessionCore, found: Capability) -> Capability:
    if core.ctx.local.joined and "end_conference" not in core.components:
        return Capability(False, ERRORS["not_supported"].message, present=False)
    return found
