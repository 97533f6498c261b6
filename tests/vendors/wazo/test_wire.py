"""Reading what servers send: tolerant, bounded, never raising."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.accounts import FindCalls
from app.vendors.wazo import (
    rest_agentd,
    rest_auth,
    rest_call_logd,
    rest_calld,
    rest_chatd,
    rest_confd,
    rest_dird,
)
from app.vendors.wazo.errors import ERRORS, server_failure, sign_in_failure, sip_failure
from app.vendors.wazo.wire import ServerError, milliseconds, parameters, path, read, read_error

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("status", "body", "text", "error_id"),
    [
        (404, {"message": "No such call", "error_id": "no-such-call", "details": {}}, "No such call", "no-such-call"),
        (
            401,
            {"reason": ["Authentication Failed"], "timestamp": [1.0], "status_code": 401},
            "Authentication Failed",
            "",
        ),
        (404, ["Resource Not Found - User was not found"], "Resource Not Found - User was not found", ""),
        (409, {"error": "already logged"}, "already logged", ""),
        (500, None, "", ""),
        (400, [{"firstname": ["Longer than maximum length 128."]}], "Longer than maximum length 128.", ""),
    ],
)
def test_the_four_error_shapes_become_one_value(status: int, body: Any, text: str, error_id: str) -> None:
    error = read_error(status, body)
    assert (error.status, error.text, error.error_id) == (status, text, error_id)
    assert server_failure(error).message


@given(JSON)
def test_any_body_is_read_without_raising(body: Any) -> None:
    assert server_failure(read_error(400, body)).message
    rest_auth.parse_session(body)
    rest_confd.parse_profile(body, "me")
    rest_confd.parse_line_sip(body, rest_confd.UserLine("1", "", "", "", None))
    rest_confd.parse_meetings(body)
    rest_calld.parse_calls(body)
    rest_calld.parse_members(body)
    rest_calld.parse_voicemails(body)
    rest_calld.parse_voicemail_messages(body)
    rest_chatd.parse_presences(body)
    rest_chatd.parse_rooms(body)
    rest_chatd.parse_messages(body, "me")
    rest_dird.parse_results(body)
    rest_dird.parse_personals(body)
    rest_dird.parse_source_contacts(body, rest_dird.Source("u", "n", "wazo"))
    rest_dird.parse_numbers(body)
    rest_call_logd.parse_calls(body, "me")
    rest_agentd.parse_agent(body)


@given(st.dictionaries(st.sampled_from(["call_id", "talking_to", "status", "on_hold", "sip_call_id"]), JSON))
def test_fields_that_do_not_fit_take_their_default(raw: dict[str, Any]) -> None:
    call = rest_calld.parse_call(raw)
    assert call is None or isinstance(call.call_id, str)


def test_a_missing_required_field_drops_the_item_only() -> None:
    found = rest_calld.parse_calls({"items": [{"status": "Up"}, {"call_id": "1.2", "on_hold": "not a boolean"}]})
    assert [call.call_id for call in found] == ["1.2"] and found[0].on_hold is False


def test_numbers_serve_as_texts_and_null_as_absent() -> None:
    class Thing(msgspec.Struct):
        id: str
        name: str = "none"

    assert read(Thing, {"id": 12, "name": None}) == Thing("12", "none")


def test_token_problems_that_renewal_can_help_with() -> None:
    assert ServerError(401, reason="not_found_or_expired").token_refused
    assert ServerError(401).token_refused
    assert not ServerError(401, reason="missing_permission_or_invalid_tenant").token_refused
    assert ServerError(404, "No such token").token_refused
    assert not ServerError(404, "No such call").token_refused


def test_failures_tell_causes_apart() -> None:
    assert server_failure(ServerError(401, reason="missing_permission_or_invalid_tenant")).code == "acl_refused"
    assert server_failure(ServerError(401)).code == "token_revoked"
    assert sign_in_failure(ServerError(401), with_password=True).code == "wrong_password"
    assert sign_in_failure(ServerError(401), with_password=False).code == "token_revoked"
    assert sign_in_failure(ServerError(404), with_password=True).code == "wrong_server"
    assert {sip_failure(status).code for status in (404, 486, 603, 480, 488, 403, 503)} == {
        "number_not_found", "busy", "declined", "unavailable", "no_codec", "call_refused", "network_problem",
    }  # fmt: skip


@given(st.integers(300, 699))
def test_every_sip_status_has_a_sentence(status: int) -> None:
    assert sip_failure(status).code in ERRORS and sip_failure(status).message.endswith(".")


def test_every_sentence_is_one() -> None:
    for code, entry in ERRORS.items():
        assert entry.message.endswith(".") and len(entry.message) < 140, code


def test_the_official_clients_sign_in() -> None:
    """As recorded: POST with Basic and exactly these fields."""
    request = rest_auth.create_token("alice", "alicepw", client_id="lab-app")
    assert request.target == "auth/0.1/token" and request.method == "POST" and not request.authenticated
    assert request.headers["Authorization"] == "Basic YWxpY2U6YWxpY2Vwdw=="
    assert request.body == {
        "backend": "wazo_user", "expiration": 3600, "access_type": "offline", "client_id": "lab-app",
    }  # fmt: skip
    assert "alicepw" not in repr(request)


def test_ldap_and_saml_and_refresh_bodies() -> None:
    ldap = rest_auth.create_token("a", "b", backend="ldap_user", domain="ldap.example")
    assert ldap.body["backend"] == "ldap_user" and ldap.body["domain_name"] == "ldap.example"
    again = rest_auth.refresh("r", "c", mobile=True)
    assert again.body["refresh_token"] == "r" and again.headers == {"Wazo-Session-Type": "mobile"}
    assert "access_type" not in again.body
    assert rest_auth.saml_token("s").body == {"saml_session_id": "s", "expiration": 3600}


def test_session_of_an_answer() -> None:
    session = rest_auth.parse_session(
        {
            "data": {
                "token": "t",
                "refresh_token": "r",
                "acl": ["websocketd"],
                "utc_expires_at": "2026-11-20T17:00:00.123456",
                "metadata": {"uuid": "u", "tenant_uuid": "tt"},
            }
        }
    )
    assert session is not None and (session.user_uuid, session.tenant_uuid, session.acl) == ("u", "tt", ("websocketd",))
    assert session.expires_at == 1795194000123
    assert "'t'" not in repr(session) and "'r'" not in repr(session)


def test_jwt_rules_are_read() -> None:
    import base64

    payload = base64.urlsafe_b64encode(json.dumps({"authorizations": [{"rules": [{"name": "portal"}]}]}).encode())
    assert rest_auth.jwt_rules(f"h.{payload.decode().rstrip('=')}.s") == ("portal",)
    assert rest_auth.jwt_rules("nonsense") == () == rest_auth.jwt_rules("a.b.c")


@given(st.text(max_size=40), st.text(max_size=40))
def test_path_segments_cannot_escape(first: str, second: str) -> None:
    text = path("calld/1.0/users/me/calls", first, second)
    assert text.count("/") == 6 and not {".", ".."} & set(text.split("/")) and "?" not in text and "#" not in text


def test_parameters_leave_out_what_is_not_set() -> None:
    assert dict(parameters(limit=0, search="", offset=None, recurse=True, from_="x")) == {
        "limit": "0", "recurse": "true", "from": "x",
    }  # fmt: skip


def test_time_stamps() -> None:
    assert milliseconds("2026-11-20T16:00:00+01:00") == milliseconds("2026-11-20T15:00:00")
    assert milliseconds("yesterday") is None


def test_merged_sip_settings_of_a_line() -> None:
    line = rest_confd.UserLine("12", "abcd", "1001", "default", True)
    body = {
        "auth_section_options": [["username", "old"], ["username", "abcd1234"], ["password", "s3cr3t"]],
        "endpoint_section_options": [
            ["webrtc", "yes"], ["allow", "!all,opus,vp8"], ["max_audio_streams", "1"], ["max_video_streams", "25"],
        ],
    }  # fmt: skip
    sip = rest_confd.parse_line_sip(body, line)
    assert sip is not None and (sip.username, sip.webrtc, sip.video, sip.rooms) == ("abcd1234", True, True, True)
    assert sip.codecs == ("opus", "vp8") and "s3cr3t" not in repr(sip)
    old = rest_confd.parse_line_sip({"username": "u", "secret": "p", "options": [["webrtc", "yes"]]}, line)
    assert old is not None and old.password == "p" and old.webrtc and not old.video


def test_versions_compare_by_number() -> None:
    assert rest_confd.version_at_least("20.12", "20.9") and not rest_confd.version_at_least("19.13", "20.01")
    assert rest_confd.version_at_least("", "20.12")


def test_lookup_columns_by_position() -> None:
    body = {
        "column_headers": ["Name", "Number", "Mobile", "Fav", "Email", "Company"],
        "column_types": ["name", "number", "callable", "favorite", "email", None],
        "results": [
            {
                "column_values": ["Bob\u202e B", "1002", None, True, "b@x", "ACME"],
                "relations": {"user_uuid": "u2", "source_entry_id": "7"},
                "source": "internal",
                "backend": "wazo",
            }
        ],
    }
    (contact,) = rest_dird.parse_results(body)
    assert (contact.id, contact.source, contact.name, contact.user_id) == ("7", "internal", "Bob B", "u2")
    assert contact.favourite and contact.email == "b@x" and contact.fields == {"Company": "ACME"}
    assert [number.number for number in contact.numbers] == ["1002"]


def test_call_log_entries_and_filters() -> None:
    request = rest_call_logd.list_calls(FindCalls("bob", "inbound", since=0, number="+33 1", limit=20, offset=40))
    assert request.query["from"].startswith("1970-01-01") and request.query["number"] == "_331"
    assert request.query["call_direction"] == "inbound" and request.query["offset"] == "40"
    cdr = {
        "id": 5, "start": "2026-11-20T16:00:00+00:00", "answered": False, "duration": None,
        "call_direction": "inbound", "source_name": "Bob", "source_extension": "1002",
        "recordings": [{"uuid": "r1", "deleted": True}, {"uuid": "r2"}],
    }  # fmt: skip
    entries, count = rest_call_logd.parse_calls({"items": [cdr], "total": 9, "filtered": 1}, "me")
    assert count == 1 and entries[0].status == "missed" and entries[0].recordings == ("r2",)
    made = rest_call_logd.parse_entry(cdr | {"source_user_uuid": "me", "destination_extension": "1002"}, "me")
    assert made is not None and made.status == "unanswered" and made.number == "1002"


def test_presences_are_asked_in_batches() -> None:
    requests = rest_chatd.get_presences([f"u{n}" for n in range(65)])
    assert [len(request.query["user_uuid"].split(",")) for request in requests] == [30, 30, 5]


def test_presence_takes_the_most_telling_line_state() -> None:
    body = {"uuid": "u", "state": "away", "lines": [{"id": 1, "state": "available"}, {"id": 2, "state": "ringing"}]}
    presence = rest_chatd.parse_presence(body)
    assert presence is not None and presence.line == "ringing" and presence.state == "away"


def test_reverse_lookup_cannot_be_injected() -> None:
    request = rest_dird.find_numbers(['1001"}}', "+33 1"])
    assert '"1001"' in request.body["query"] and '"+331"' in request.body["query"]
