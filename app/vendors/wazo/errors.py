"""Everything that can go wrong with a Wazo account or call, in one table: code -> sentence and whether to retry.

The functions below say which condition of which layer has which code: DNS, TCP, TLS, HTTP, WebSocket, SIP, media
(wazo.md 1.2, 6.1 and 8).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.calls.model import Failure
from app.protocols.http import NetworkFailure
from app.vendors.wazo.wire import ServerError


@dataclass(frozen=True, slots=True)
class _Entry:
    message: str
    retryable: bool


ERRORS: dict[str, _Entry] = {
    # network
    "bad_address": _Entry("This is not a server address. Check it and try again.", False),
    "dns": _Entry("The server name was not found. Check the address and your network connection.", True),
    "tcp": _Entry("The server cannot be reached. Check the address and your network connection.", True),
    "timeout": _Entry("The server does not answer. Check your network connection and try again.", True),
    "tls": _Entry("The server's certificate is not trusted. Ask its operator, or accept the certificate.", False),
    "too_large": _Entry("The server sent an answer that is too large.", False),
    "websocket_refused": _Entry("The server refuses the phone connection. It may not be a Wazo server.", True),
    "closed": _Entry("The connection is closed. Try again.", True),
    # signing in
    "wrong_server": _Entry("There is no Wazo server at this address. Check the server address.", False),
    "wrong_password": _Entry("The user name or password is wrong. Try again.", True),
    "too_many_sessions": _Entry(
        "You are signed in at too many places. Sign out somewhere, or wait, and try again.", True
    ),
    "token_revoked": _Entry("The server ended your session. Sign in again.", False),
    "password_external": _Entry("Your password is managed outside of this server. Change it there.", False),
    "domain_needed": _Entry("This way of signing in needs a domain. Enter the domain of your organisation.", True),
    "no_saml": _Entry("This server has no single sign-on for your domain. Sign in with a password.", False),
    "saml_failed": _Entry("Single sign-on failed. Try again, or ask the administrator.", True),
    "bad_answer": _Entry("The server's answer makes no sense. It may not be a Wazo server.", True),
    "subscription": _Entry("Your subscription does not include this program. Ask your administrator.", False),
    "authorization": _Entry("You are not authorised for this program. Ask your administrator.", False),
    # rights and requests
    "acl_refused": _Entry("Your account does not have the right to do this. Ask your administrator.", False),
    "forbidden": _Entry("The server does not allow this.", False),
    "not_found": _Entry("The server does not have this (any more).", False),
    "bad_request": _Entry("The server did not accept these values. Check them and try again.", False),
    "conflict": _Entry("This is already so, or clashes with something else.", False),
    "too_many_requests": _Entry("Too many requests. Wait a moment and try again.", True),
    "server_error": _Entry("The server has a problem. Try again later.", True),
    "service_down": _Entry("A part of the server is down. Try again later.", True),
    "not_supported": _Entry("Wazo accounts do not have this function.", False),
    "not_here": _Entry("This server does not offer this function.", False),
    "not_signed_in": _Entry("Not possible right now: you are not signed in.", True),
    "unreadable_file": _Entry("The file cannot be read. Choose another.", True),
    "not_pdf": _Entry("Only PDF files can be faxed. Choose a PDF file.", True),
    "bad_contacts": _Entry("No contact was found in this text. It must be vCard or CSV.", False),
    "some_contacts_failed": _Entry("Some contacts could not be imported.", False),
    "empty_message": _Entry("There is nothing to send.", False),
    # registration
    "no_webrtc_line": _Entry(
        "Your account has no line for calls with this program. Ask your administrator for a WebRTC line.", False
    ),
    "line_in_use": _Entry("This line is in use in too many places. Sign out on another device.", True),
    "sip_credentials": _Entry("The phone server refuses the line's password. Sign in again.", True),
    "registration_refused": _Entry("The phone server refuses the line. Ask your administrator.", True),
    "phone_unreachable": _Entry("The phone server does not answer. Calls work again when it is back.", True),
    "not_registered": _Entry("The phone is not ready for calls. Wait a moment and try again.", True),
    # calls
    "number_not_found": _Entry("This number does not exist. Check it and try again.", False),
    "number_invalid": _Entry("This is not a complete number. Check it and try again.", False),
    "number_changed": _Entry("This number has changed. Ask for the new one.", False),
    "busy": _Entry("Busy. Try again later.", True),
    "declined": _Entry("The call was declined.", True),
    "unavailable": _Entry("Not available. Try again later.", True),
    "no_answer": _Entry("Nobody answered. Try again later.", True),
    "cancelled": _Entry("The call was cancelled.", True),
    "elsewhere": _Entry("Answered on another device.", False),
    "no_codec": _Entry("The other side cannot use any sound or video format of this program.", False),
    "redirected": _Entry("The call was redirected, which this server does not support for you.", True),
    "call_refused": _Entry("The phone server does not allow this call.", False),
    "network_problem": _Entry("The phone network has a problem. Try again later.", True),
    "ice_blocked": _Entry("Sound cannot get through. Your network may block it; try another network.", True),
    "call_lost": _Entry("The call was lost. Call again.", True),
    "no_media": _Entry("Not possible right now: there is no sound connection.", True),
    "not_in_call": _Entry("Not possible right now: the call is not answered.", True),
    "not_ringing": _Entry("Not possible: the call does not ring any more.", False),
    "pending": _Entry("Please wait: another change of this call is under way.", True),
    "no_transfer": _Entry("There is no transfer under way.", False),
    "transfer_failed": _Entry("The transfer failed. The call is still here.", True),
    "unknown_call": _Entry("The other call is over.", False),
    "no_call_id": _Entry("The server did not say which call this is, so this is not possible.", False),
    "not_merged": _Entry("This call is not part of a conference.", False),
    "bad_tones": _Entry("Only digits, A to D, * and # can be sent as tones.", False),
    "message_failed": _Entry("The message was not delivered.", True),
    "unknown_participant": _Entry("This person has left.", False),
    "rooms_not_available": _Entry("Your line cannot show several people at once. Join with sound only.", False),
    "room_refused": _Entry("The room cannot be joined now.", True),
    "not_admitted": _Entry("You were not let into the meeting.", False),
    "removed": _Entry("You were removed from the room.", False),
    "meeting_full": _Entry("The meeting is full.", True),
    # devices
    "device_general": _Entry("The camera or microphone cannot be opened.", True),
    "device_not_found": _Entry("The device was not found. Plug it in or choose another.", True),
    "device_permission_denied": _Entry(
        "Access to the device was refused. Allow it in the system's privacy settings.", True
    ),
    "device_busy": _Entry("The device is used by another program. Close that program and try again.", True),
    "device_cancelled": _Entry("Nothing was chosen.", True),
}


def failure(code: str, details: str = "", message: str = "") -> Failure:
    """The table's entry as a value; *message* replaces the sentence where the server has a better one."""
    entry = ERRORS[code]
    return Failure(code, message or entry.message, details, entry.retryable)


def network_failure(error: NetworkFailure, *, phone: bool = False) -> Failure:
    """No answer at all. *phone* is the SIP socket, whose path answers with an error where no phone server is."""
    code, details = error.code, error.details
    if error.fingerprint:
        details = f"{details} SHA-256 {error.fingerprint}"
    if code.startswith("http_"):
        if phone:
            return failure("phone_unreachable" if error.status >= 500 else "websocket_refused", details)
        return failure("wrong_server" if error.status < 500 else "service_down", details)
    return failure(code if code in ERRORS else "tcp", details)


_BY_ERROR_ID = {
    "recording-unauthorized": "forbidden",
    "invalid-extension": "number_not_found",
    "no-such-call": "unknown_call",
    "user-permission-denied": "forbidden",
    "host-call-not-found": "unknown_call",
    "participant-call-not-found": "unknown_call",
    "adhoc-conference-not-found": "not_merged",
}
_BY_STATUS = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "password_external",
    409: "conflict",
    429: "too_many_requests",
    503: "service_down",
}


def server_failure(error: ServerError) -> Failure:
    """A REST service answered with an error. Its own wording goes to the details."""
    details = " ".join(part for part in (str(error.status), error.error_id, error.text) if part)
    if error.status == 401:
        denied = error.reason == "missing_permission_or_invalid_tenant"
        if error.required_access:
            details = f"{details} ({error.required_access})"
        return failure("acl_refused" if denied else "token_revoked", details)
    code = _BY_ERROR_ID.get(error.error_id) or _BY_STATUS.get(error.status)
    if code is None:
        code = "server_error" if error.status >= 500 else "bad_request"
    return failure(code, details)


def sign_in_failure(error: ServerError, *, with_password: bool) -> Failure:
    """``POST token`` was refused (wazo.md 2.1)."""
    details = " ".join(part for part in (str(error.status), error.error_id, error.text) if part)
    if error.status == 401:
        return failure("wrong_password" if with_password else "token_revoked", details)
    if error.status == 429:
        return failure("too_many_sessions", details)
    if error.status in (404, 403, 405):
        return failure("wrong_server", details)
    if error.status == 400:
        return failure("bad_request", details)
    return failure("service_down" if error.status == 503 else "server_error", details)


_SIP = {
    404: "number_not_found",
    604: "number_not_found",
    410: "number_changed",
    484: "number_invalid",
    416: "number_invalid",
    480: "unavailable",
    408: "no_answer",
    486: "busy",
    600: "busy",
    603: "declined",
    487: "cancelled",
    488: "no_codec",
    606: "no_codec",
    415: "no_codec",
    401: "sip_credentials",
    407: "sip_credentials",
    403: "call_refused",
    491: "pending",
    503: "network_problem",
}

CAUSES = {
    "busy": "busy",
    "declined": "declined",
    "call_refused": "declined",
    "number_not_found": "not_found",
    "number_invalid": "not_found",
    "number_changed": "not_found",
    "unavailable": "unavailable",
    "no_answer": "no_answer",
    "cancelled": "cancelled",
    "elsewhere": "elsewhere",
    "no_codec": "no_codec",
}
"""Failure code to ``PhoneInfo.cause``; anything else is ``failed``."""


def sip_failure(status: int, reason: str = "") -> Failure:
    """A final SIP answer to a call (wazo.md 8)."""
    details = f"SIP {status} {reason}".strip()
    code = _SIP.get(status)
    if code is None:
        if 300 <= status < 400:
            code = "redirected"
        elif 400 <= status < 500:
            code = "call_refused"
        else:
            code = "network_problem"
    return failure(code, details)


def registration_failure(status: int, reason: str = "") -> Failure:
    """A final SIP answer to REGISTER."""
    details = f"SIP {status} {reason}".strip()
    if status in (401, 407):
        return failure("sip_credentials", details)
    if status == 403:
        return failure("line_in_use" if "max" in reason.lower() else "registration_refused", details)
    if status in (408, 0) or status >= 500:
        return failure("phone_unreachable", details)
    return failure("registration_refused", details)
