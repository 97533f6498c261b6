from __future__ import annotations

import pytest

from app.protocols.http import NetworkFailure
from app.protocols.xmpp import ns
from app.protocols.xmpp.stanza import StanzaError
from app.vendors.jitsi.errors import (
    ERRORS,
    action_failure,
    conference_failure,
    device_failure,
    failure,
    join_failure,
    network_failure,
)


def test_every_sentence_is_one_a_person_can_read() -> None:
    for code, entry in ERRORS.items():
        assert entry.message[0].isupper() and entry.message.endswith("."), code
        assert len(entry.message) < 140 and "_" not in entry.message, code


def test_the_seeds_errors_all_have_a_sentence() -> None:
    named = {name for entry in ERRORS.values() for name in entry.seed.split()}
    assert named >= {
        "connection.CONNECTION_DROPPED_ERROR", "connection.CONNECTION_ERROR", "connection.PASSWORD_REQUIRED",
        "connection.SERVER_ERROR", "connection.OTHER_ERROR", "conference.CONNECTION_ERROR", "conference.SETUP_FAILED",
        "conference.AUTHENTICATION_REQUIRED", "conference.PASSWORD_REQUIRED", "conference.PASSWORD_NOT_SUPPORTED",
        "conference.VIDEOBRIDGE_NOT_AVAILABLE", "conference.RESERVATION_ERROR", "conference.GRACEFUL_SHUTDOWN",
        "conference.JINGLE_FATAL_ERROR", "conference.CONFERENCE_DESTROYED", "conference.CHAT_ERROR",
        "conference.FOCUS_DISCONNECTED", "conference.CONFERENCE_MAX_USERS", "track.GENERAL",
        "track.UNSUPPORTED_RESOLUTION", "track.PERMISSION_DENIED", "track.NOT_FOUND", "track.CONSTRAINT_FAILED",
        "track.TRACK_IS_DISPOSED", "track.TRACK_NO_STREAM_FOUND", "track.SCREENSHARING_GENERIC_ERROR",
        "track.SCREENSHARING_USER_CANCELED", "dataChannel.NetworkError", "dataChannel.InvalidStateError",
        "dataChannel.Error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NetworkFailure("dns"), "dns"),
        (NetworkFailure("tls", fingerprint="ab"), "tls"),
        (NetworkFailure("http_404", status=404), "http_404"),
        (NetworkFailure("http_401", status=401), "http_403"),
        (NetworkFailure("http_502", status=502), "server_error"),
        (NetworkFailure("http_418", status=418), "connection_other"),
        (NetworkFailure("password_required"), "connection_password_required"),
        (NetworkFailure("not_authorized"), "sign_in_failed"),
        (NetworkFailure("stream_error"), "connection_other"),
    ],
)
def test_network(error: NetworkFailure, code: str) -> None:
    assert network_failure(error).code == code


def test_refused_token_is_told_from_a_wrong_password() -> None:
    refused = NetworkFailure("not_authorized")
    assert network_failure(refused, has_token=True).code == "token_refused"
    assert network_failure(refused, has_token=True, signed_in=True).code == "sign_in_failed"
    assert "ab12" in network_failure(NetworkFailure("tls", fingerprint="ab12")).details


def test_join_and_request_and_action() -> None:
    assert join_failure(StanzaError("cancel", "not-allowed"), is_guest_domain=True).code == "connection_error"
    assert join_failure(StanzaError("cancel", "conflict")).code == "connection_error"
    assert join_failure(StanzaError("auth", "not-authorized"), tried_password=True).code == "password_wrong"
    reserved = StanzaError("cancel", "service-unavailable", "Booked", ((ns.FOCUS, "reservation-error"),))
    assert conference_failure(reserved, "409").message == "The reservation system answered: Booked."
    assert action_failure(StanzaError("wait", "remote-server-timeout")).code == "no_answer"
    assert action_failure(StanzaError("auth", "forbidden")).code == "forbidden"


@pytest.mark.parametrize(
    ("what", "code", "expected"),
    [
        ("camera", "permission_denied", "device_permission_denied"),
        ("microphone", "not_found", "device_not_found"),
        ("camera", "unsupported_resolution", "device_unsupported_resolution"),
        ("camera", "constraint_failed", "device_constraint_failed"),
        ("camera", "strange", "device_general"),
        ("screen", "cancelled", "screen_cancelled"),
        ("screen", "general", "screen_general"),
    ],
)
def test_devices(what: str, code: str, expected: str) -> None:
    assert device_failure(what, code).code == expected


def test_unknown_codes_still_give_a_sentence() -> None:
    assert failure("no such code").message
