"""Everything that can go wrong with a Jitsi meeting, in one table: code -> sentence and whether a retry makes sense.

The functions below say which wire condition has which code (lib-jitsi-meet's error constants, jitsi.md 4.7 and 9).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.calls.model import Failure
from app.protocols.http import NetworkFailure
from app.protocols.xmpp.stanza import StanzaError


@dataclass(frozen=True, slots=True)
class _Entry:
    message: str
    retryable: bool
    seed: str = ""
    """Name of the same error in lib-jitsi-meet's documentation."""


ERRORS: dict[str, _Entry] = {
    # network
    "bad_address": _Entry("This is not a meeting address. Check the link and try again.", False),
    "dns": _Entry("The server name was not found. Check the address and your network connection.", True),
    "tcp": _Entry("The server cannot be reached. Check the address and your network connection.", True),
    "timeout": _Entry("The server does not answer. Check your network connection and try again.", True),
    "tls": _Entry("The server's certificate is not trusted. Ask its operator, or accept the certificate.", False),
    "too_large": _Entry("The server sent an answer that is too large to be a meeting server's.", False),
    "http_404": _Entry("There is no meeting server at this address. Check the link.", False),
    "http_403": _Entry("The server refuses this address or token. Ask the organiser for a new link.", False),
    "websocket_refused": _Entry("The server refuses the connection. It may not be a meeting server.", True),
    "bad_config": _Entry("The server's configuration cannot be read. It may not be a Jitsi server.", False),
    # connection
    "connection_dropped": _Entry(
        "The connection was lost and could not be restored. Check your network and join again.",
        True,
        "connection.CONNECTION_DROPPED_ERROR",
    ),
    "connection_password_required": _Entry(
        "The server asks for a user name and a password.", True, "connection.PASSWORD_REQUIRED"
    ),
    "sign_in_failed": _Entry("The user name or password is wrong. Try again.", True, "connection.PASSWORD_REQUIRED"),
    "token_refused": _Entry(
        "The server refused the token of this link, which may have expired. Ask for a new link.", False
    ),
    "server_error": _Entry("The server has a problem. Try again later.", True, "connection.SERVER_ERROR"),
    "connection_other": _Entry(
        "The connection to the server failed. Try again.", True, "connection.OTHER_ERROR connection.CONNECTION_ERROR"
    ),
    "shard_changed": _Entry("The meeting has moved to another server. Join again.", True, "connection.OTHER_ERROR"),
    "conference_request_failed": _Entry("The meeting controller does not answer. Try again in a moment.", True),
    "not_live": _Entry("The meeting has not started yet. Try again later.", True),
    # conference
    "connection_error": _Entry(
        "The connection to the meeting was refused or lost. Try again.", True, "conference.CONNECTION_ERROR"
    ),
    "setup_failed": _Entry("The meeting could not be set up. Try again.", True, "conference.SETUP_FAILED"),
    "authentication_required": _Entry(
        "Somebody must sign in to start this meeting. Sign in, or wait for the host.",
        True,
        "conference.AUTHENTICATION_REQUIRED",
    ),
    "password_required": _Entry("This meeting needs a password.", True, "conference.PASSWORD_REQUIRED"),
    "password_wrong": _Entry("The meeting password is wrong. Try again.", True, "conference.PASSWORD_REQUIRED"),
    "password_not_supported": _Entry(
        "This meeting cannot be locked with a password.", False, "conference.PASSWORD_NOT_SUPPORTED"
    ),
    "videobridge_not_available": _Entry(
        "No media server is available. Sound and pictures start when one is back.",
        True,
        "conference.VIDEOBRIDGE_NOT_AVAILABLE",
    ),
    "reservation_error": _Entry("The reservation system refused the meeting.", True, "conference.RESERVATION_ERROR"),
    "graceful_shutdown": _Entry(
        "The service is going down for maintenance. Try again later.", True, "conference.GRACEFUL_SHUTDOWN"
    ),
    "jingle_fatal": _Entry("The media session failed. Try to join again.", True, "conference.JINGLE_FATAL_ERROR"),
    "conference_destroyed": _Entry("The meeting was ended.", False, "conference.CONFERENCE_DESTROYED"),
    "chat_error": _Entry("The message was not delivered.", True, "conference.CHAT_ERROR"),
    "focus_disconnected": _Entry(
        "The meeting controller is gone. Waiting for it to come back.", True, "conference.FOCUS_DISCONNECTED"
    ),
    "max_users": _Entry("The meeting is full.", True, "conference.CONFERENCE_MAX_USERS"),
    "members_only": _Entry(
        "This meeting has a lobby, which Parley cannot wait in yet. Ask the host for the meeting password.", True
    ),
    "access_denied": _Entry("You were not let into the meeting.", False),
    "not_allowed": _Entry("The server does not allow you to join this meeting.", False),
    "room_creation_restricted": _Entry("The meeting does not exist yet and you may not start it.", True),
    "token_mismatch": _Entry("The token of this link is not for this meeting. Ask for a new link.", False),
    "display_name_required": _Entry("The meeting asks for your name.", True),
    "settings_error": _Entry("The server refused the new meeting setting.", True),
    "kicked": _Entry("You were removed from the meeting.", False),
    "ice_failed": _Entry("The media server cannot be reached. Your network may block UDP; try another network.", True),
    # actions
    "not_joined": _Entry("Not possible right now: you are not in the meeting.", True, "connection.WRONG_STATE"),
    "moderator_only": _Entry("Only a moderator can do this.", False),
    "unknown_participant": _Entry("This person has left the meeting.", False),
    "forbidden": _Entry("The server does not allow this.", False),
    "no_answer": _Entry("The server did not answer. Try again.", True),
    "channel_closed": _Entry(
        "Could not be sent: the connection to the media server is not open.", True, "dataChannel.InvalidStateError"
    ),
    "channel_error": _Entry("Could not be sent: the message is too large or not allowed.", False, "dataChannel.Error"),
    "channel_network": _Entry(
        "Could not be sent: the connection to the media server broke.", True, "dataChannel.NetworkError"
    ),
    "no_media": _Entry("Not possible right now: there is no media connection.", True),
    "no_dtmf": _Entry("Nobody in the meeting can receive tones.", False),
    "not_supported": _Entry("Jitsi meetings do not have this function.", False),
    "nothing_to_change": _Entry("There is nothing to change.", False),
    # devices (lib-jitsi-meet's track errors)
    "device_general": _Entry("The camera or microphone cannot be opened.", True, "track.GENERAL"),
    "device_not_found": _Entry("The device was not found. Plug it in or choose another.", True, "track.NOT_FOUND"),
    "device_permission_denied": _Entry(
        "Access to the device was refused. Allow it in the system's privacy settings.", True, "track.PERMISSION_DENIED"
    ),
    "device_busy": _Entry("The device is used by another program. Close that program and try again.", True),
    "device_constraint_failed": _Entry(
        "The device cannot do what the settings ask for. Choose other settings.", True, "track.CONSTRAINT_FAILED"
    ),
    "device_unsupported_resolution": _Entry(
        "The camera does not support this resolution. Choose a lower one.", True, "track.UNSUPPORTED_RESOLUTION"
    ),
    "screen_general": _Entry("Screen sharing failed.", True, "track.SCREENSHARING_GENERIC_ERROR"),
    "screen_cancelled": _Entry("Nothing is shared.", True, "track.SCREENSHARING_USER_CANCELED"),
    "track_disposed": _Entry("This source is no longer in use.", False, "track.TRACK_IS_DISPOSED"),
    "no_stream": _Entry("The source has no media.", False, "track.TRACK_NO_STREAM_FOUND"),
}


def failure(code: str, details: str = "", *, message: str | None = None) -> Failure:
    """The failure of the table; *message* replaces the sentence when the server gives a better one."""
    entry = ERRORS.get(code) or ERRORS["connection_other"]
    return Failure(code, message or entry.message, details, entry.retryable)


def network_failure(error: NetworkFailure, *, has_token: bool = False, signed_in: bool = False) -> Failure:
    """What a failed HTTP request, socket or login means."""
    code = error.code
    details = error.details
    if code == "password_required":
        code = "connection_password_required"
    elif code in ("not_authorized", "no_mechanism"):
        code = "token_refused" if has_token and not signed_in else "sign_in_failed"
    elif error.status >= 500:
        code, details = "server_error", f"HTTP {error.status} {details}".strip()
    elif code == "http_401":
        code = "http_403"
    elif code in ("closed", "stream_error", "protocol", "bind_failed", "resume_failed") or code not in ERRORS:
        details = f"{code} {details}".strip()
        code = "connection_other"
    if error.fingerprint:
        details = f"{details} sha256={error.fingerprint}".strip()
    return failure(code, details)


def join_failure(error: StanzaError, *, tried_password: bool = False, is_guest_domain: bool = False) -> Failure:
    """What an error presence for our own join means (jitsi.md 4.7)."""
    details = f"{error.type}/{error.condition} {error.text}".strip()
    condition = error.condition
    if condition == "not-authorized":
        return failure("password_wrong" if tried_password else "password_required", details)
    if condition == "registration-required":
        return failure("members_only", details)
    if condition == "not-acceptable" and error.has("displayname-required"):
        return failure("display_name_required", details)
    if condition == "service-unavailable":
        return failure("max_users", details)
    if condition == "forbidden":
        return failure("access_denied", details)
    if condition == "not-allowed":
        return _not_allowed(error, details, is_guest_domain=is_guest_domain)
    return failure("connection_error", details)


def _not_allowed(error: StanzaError, details: str, *, is_guest_domain: bool) -> Failure:
    text = error.text.lower()
    if error.has("authentication-required"):
        return failure("authentication_required", details)
    if "token mismatched" in text or "room and token" in text:
        return failure("token_mismatch", details)
    if "room creation is restricted" in text or error.has("room-does-not-exist"):
        return failure("room_creation_restricted", details)
    if is_guest_domain:
        return failure("connection_error", details)
    return failure("not_allowed", details)


def conference_failure(error: StanzaError, reservation_code: str = "") -> Failure:
    """What an error answer to the conference request means (jitsi.md 3.2)."""
    details = f"{error.type}/{error.condition} {error.text}".strip()
    if error.has("reservation-error"):
        said = error.text.rstrip(". ")
        message = f"The reservation system answered: {said}." if said else None
        return failure("reservation_error", f"{details} {reservation_code}".strip(), message=message)
    if error.has("graceful-shutdown"):
        return failure("graceful_shutdown", details)
    if error.condition == "not-authorized":
        return failure("authentication_required", details)
    return failure("conference_request_failed", details)


def action_failure(error: StanzaError) -> Failure:
    """What an error answer to something the person did means."""
    details = f"{error.type}/{error.condition} {error.text}".strip()
    if error.condition == "remote-server-timeout":
        return failure("no_answer", details)
    return failure("forbidden", details)


def device_failure(what: str, code: str, message: str = "") -> Failure:
    """What a :class:`app.media.errors.DeviceError` means; ``code`` and ``what`` as there."""
    if what == "screen":
        return failure("screen_cancelled" if code == "cancelled" else "screen_general", message)
    known = f"device_{code}"
    return failure(known if known in ERRORS else "device_general", f"{what}: {message}")
