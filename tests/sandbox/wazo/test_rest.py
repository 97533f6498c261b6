"""REST services: answers, access, the four shapes of errors, pages, faults."""

from __future__ import annotations

import io
import wave

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.wazo.acl import USER_ACL, allows
from app.sandbox.wazo.rest_auth import basic
from tests.sandbox.wazo.client import RestClient
from tests.sandbox.wazo.conftest import MakeSandbox, SignIn
from tests.sandbox.wazo.phone import until


async def test_sign_in_refresh_expiry(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox, access_type="offline", client_id="desk")
    assert client.data["metadata"]["uuid"] == sandbox.user("alice").uuid and client.refresh_token
    assert (await client.call("HEAD", f"auth/0.1/token/{client.token}")).status == 204
    assert (await client.call("HEAD", f"auth/0.1/token/{client.token}?scope=auth.users.read")).status == 403
    sandbox.expire_tokens("alice")
    expired = await client.call("GET", "confd/1.1/users/me")
    assert expired.status == 401 and expired.data["details"]["reason"] == "not_found_or_expired"
    gone = await client.call("GET", f"auth/0.1/token/{client.token}")
    assert gone.status == 404 and gone.data["reason"] == ["No such token"]
    body = {"backend": "wazo_user", "refresh_token": client.refresh_token, "client_id": "desk"}
    fresh = (await client.call("POST", "auth/0.1/token", body)).data["data"]
    assert "refresh_token" not in fresh and fresh["token"] != client.token
    sandbox.revoke("alice")
    refused = await client.call("POST", "auth/0.1/token", body)
    assert refused.status == 401 and refused.data["reason"] == ["Authentication Failed"]


async def test_wrong_credentials_and_backends(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    assert (await client.sign_in("alice", "wrong")).status == 401
    assert (await client.sign_in("lena")).status == 401
    assert (await client.sign_in("lena", backend="ldap_user")).status == 400
    assert (await client.sign_in("lena", backend="ldap_user", domain_name="ldap.example")).status == 200
    start = await client.call("POST", "auth/0.1/saml/sso", {"domain": "saml.example", "redirect_url": "app://back"})
    path = start.data["location"].partition("/api/")[2]
    assert (
        await client.call("POST", "auth/0.1/token", {"saml_session_id": start.data["saml_session_id"]})
    ).status == 401
    assert (await client.call("GET", path)).headers["Location"] == "app://back"
    token = await client.call("POST", "auth/0.1/token", {"saml_session_id": start.data["saml_session_id"]})
    assert token.data["data"]["metadata"]["uuid"] == sandbox.user("sam").uuid


async def test_only_what_the_acl_allows(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    alice, admin = await sign_in(sandbox), await sign_in(sandbox, "admin")
    bob = sandbox.user("bob").uuid
    for path in ("auth/0.1/users", "confd/1.1/users", f"confd/1.1/users/{bob}", "auth/0.1/groups"):
        refused = await alice.call("GET", path)
        assert refused.status == 401 and refused.data["details"]["required_access"], path
        assert (await admin.call("GET", path)).status == 200
    assert (await alice.get(f"confd/1.1/users/{sandbox.user('alice').uuid}"))["firstname"] == "Alice"
    headers = {"Wazo-Tenant": "00000000-0000-4000-8000-000000000000"}
    assert (await alice.call("GET", "confd/1.1/infos", headers=headers)).status == 401


async def test_line_has_what_a_phone_needs(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    user = await client.get("confd/1.1/users/me")
    line = user["lines"][0]
    sip = await client.get(f"confd/1.1/users/me/lines/{line['id']}/associated/endpoints/sip?view=merged")
    section = dict(map(tuple, sip["endpoint_section_options"]))
    assert section["webrtc"] == "yes" and section["max_video_streams"] == "25"
    assert dict(map(tuple, sip["auth_section_options"]))["username"] == line["name"]
    missing = await client.call("GET", "confd/1.1/users/me/lines/999/associated/endpoints/sip")
    assert missing.status == 404 and isinstance(missing.data, str)


async def test_settings_are_kept_and_published(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    assert (await client.call("PUT", "confd/1.1/users/me/services/dnd", {"enabled": True})).status == 204
    assert (await events.wait("users_services_dnd_updated"))["enabled"] is True
    assert (await events.wait("chatd_presence_updated", lambda d: d["do_not_disturb"]))["uuid"]
    forward = {"enabled": True, "destination": "1002"}
    assert (await client.call("PUT", "confd/1.1/users/me/forwards/busy", forward)).status == 204
    assert (await events.wait("users_forwards_busy_updated"))["destination"] == "1002"
    bad = await client.call("PUT", "confd/1.1/users/me/forwards/noanswer", {"enabled": True})
    assert bad.status == 400 and isinstance(bad.data, list)


async def test_directory_favourites_and_personal(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox(people=500)
    client = await sign_in(sandbox)
    events = await client.events()
    found = await client.get("dird/0.1/directories/lookup/default?term=baker")
    row = found["results"][0]
    assert row["column_values"][found["column_types"].index("name")] == "Bob Baker"
    path = f"dird/0.1/directories/favorites/{row['source']}/{row['relations']['source_entry_id']}"
    assert (await client.call("PUT", path)).status == 204
    assert (await client.call("PUT", path)).status == 409
    assert (await events.wait("favorite_added"))["source"] == "internal"
    assert len((await client.get("dird/0.1/directories/favorites/default"))["results"]) == 1
    contact = {"firstname": "Zoë", "number": "555", "entreprise": "Paper"}
    made = await client.call("POST", "dird/0.1/personal", contact)
    assert made.status == 201 and (await client.call("POST", "dird/0.1/personal", contact)).status == 409
    csv = b"firstname,number\nMax,1\nMax,1\nIda,2\n"
    result = await client.call(
        "POST", "dird/0.1/personal/import", csv, headers={"Content-Type": "text/csv; charset=utf-8"}
    )
    assert len(result.data["created"]) == 2 and len(result.data["failed"]) == 1
    assert len((await client.get("dird/0.1/directories/lookup/default?term=example.com"))["results"]) == 508
    query = '{me {contacts (profile: "default", extens: ["1002", "0"]) {edges {node {firstname}}}}}'
    edges = (await client.call("POST", "dird/0.1/graphql", {"query": query})).data["data"]["me"]["contacts"]["edges"]
    assert edges[0]["node"]["firstname"] == "Bob" and edges[1]["node"] is None


async def test_chat_reaches_the_other_and_colleague_answers(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    alice, bob = await sign_in(sandbox), await sign_in(sandbox, "bob")
    events = await bob.events()
    users = [{"uuid": sandbox.user("bob").uuid}]
    room = (await alice.call("POST", "chatd/1.0/users/me/rooms", {"users": users})).data
    again = (await alice.call("POST", "chatd/1.0/users/me/rooms", {"users": users})).data
    assert room["uuid"] == again["uuid"]
    path = f"chatd/1.0/users/me/rooms/{room['uuid']}/messages"
    assert (await alice.call("POST", path, {"content": "hello", "alias": "Al"})).status == 201
    assert (await events.wait("chatd_user_room_message_created"))["content"] == "hello"
    assert [m["content"] for m in (await bob.get(path + "?search=ell"))["items"]] == ["hello"]
    assert (await bob.call("GET", "chatd/1.0/users/me/rooms/messages")).status == 400
    users = [{"uuid": sandbox.colleague.uuid}]
    room = (await alice.call("POST", "chatd/1.0/users/me/rooms", {"users": users})).data
    await alice.call("POST", f"chatd/1.0/users/me/rooms/{room['uuid']}/messages", {"content": "you there?"})
    await until(lambda: any(m["content"] == "You wrote: you there?" for m in sandbox.state.chat_messages))


async def test_call_log_pages_filters_and_recordings(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox(call_log=200)
    client = await sign_in(sandbox)
    page = await client.get("call-logd/1.0/users/me/cdr?limit=50&offset=150")
    assert len(page["items"]) == 50 and page["total"] == 200
    assert page["items"][0]["start"] > page["items"][-1]["start"]
    found = await client.get("call-logd/1.0/users/me/cdr?number=_200_&limit=5")
    assert 0 < found["filtered"] < 200
    entry = next(r for r in (await client.get("call-logd/1.0/users/me/cdr"))["items"] if r["recordings"])
    path = f"call-logd/1.0/users/me/cdr/{entry['id']}/recordings/{entry['recordings'][0]['uuid']}/media"
    part = await client.call("GET", path, headers={"Range": "bytes=0-3"})
    assert part.status == 206 and part.raw == b"RIFF"
    assert (await client.call("GET", "call-logd/1.0/users/me/cdr?number=abc")).status == 400


async def test_voicemails_are_sound_files(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    box = await client.get("calld/1.0/users/me/voicemails")
    assert {f["type"] for f in box["folders"]} == {"new", "old", "urgent", "other"}
    message = box["folders"][0]["messages"][0]
    path = f"calld/1.0/users/me/voicemails/messages/{message['id']}"
    audio = await client.call("GET", path + "/recording")
    with wave.open(io.BytesIO(audio.raw)) as file:
        assert file.getnframes() / file.getframerate() == message["duration"]
    assert (await client.call("PUT", path, {"folder_id": 2})).status == 204
    assert (await events.wait("user_voicemail_message_updated"))["message"]["folder"]["type"] == "old"
    assert (await client.call("DELETE", path)).status == 204
    gone = await client.call("DELETE", path)
    assert gone.status == 404 and gone.data["error_id"] == "no-such-voicemail-message"
    carol = await sign_in(sandbox, "carol")
    assert (await carol.call("GET", "calld/1.0/users/me/voicemails")).status == 404


async def test_agent_fax_switchboard_applications(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client, admin = await sign_in(sandbox), await sign_in(sandbox, "admin")
    events = await client.events()
    base = "agentd/1.0/users/me/agents"
    line = sandbox.user("alice").lines[0].id
    assert (await client.call("POST", base + "/login", {"line_id": line})).status == 204
    again = await client.call("POST", base + "/login", {"line_id": line})
    assert again.status == 409 and again.data == {"error": "already logged"}
    assert (await client.call("POST", base + "/pause", {"reason": "lunch"})).status == 204
    assert (await client.get(base))["queues"][0]["paused_reason"] == "lunch"
    assert (await events.wait("agent_paused"))["paused_reason"] == "lunch"
    for number, outcome in (("123", "succeeded"), ("699", "failed")):
        sent = await client.call("POST", f"calld/1.0/users/me/faxes?extension={number}", b"%PDF-1.4")
        assert sent.status == 201
        await events.wait(f"fax_outbound_user_{outcome}")
    board = f"calld/1.0/switchboards/{sandbox.state.switchboard_uuid}/calls/queued"
    assert (await client.get(board))["items"] == []
    app = next(iter(sandbox.state.applications))
    call = (await admin.call("POST", f"calld/1.0/applications/{app}/calls", {"exten": "600", "context": "x"})).data
    node = (await admin.call("POST", f"calld/1.0/applications/{app}/nodes", {"calls": [{"id": call["id"]}]})).data
    assert (await admin.get(f"calld/1.0/applications/{app}/nodes/{node['uuid']}"))["calls"] == [{"id": call["id"]}]
    assert (await client.call("GET", f"calld/1.0/applications/{app}/calls")).status == 401


async def test_meetings_and_guests(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    wish = {"name": "Review", "require_authorization": True}
    meeting = (await client.call("POST", "confd/1.1/users/me/meetings", wish)).data
    assert meeting["guest_sip_authorization"] is None and await events.wait("meeting_user_progress")
    guest = RestClient(sandbox)
    try:
        path = f"confd/1.1/guests/aaaa/meetings/{meeting['uuid']}/authorizations"
        asked = (await guest.call("POST", path, {"guest_name": "Zoe"})).data
        told = await events.wait("meeting_user_guest_authorization_created")
        assert told["guest_name"] == "Zoe"
        verdict = f"confd/1.1/users/me/meetings/{meeting['uuid']}/authorizations/{asked['uuid']}/accept"
        assert (await client.call("PUT", verdict)).status == 200
        assert (await guest.get(f"{path}/{asked['uuid']}"))["guest_sip_authorization"]
        assert (await guest.get(f"calld/1.0/guests/me/meetings/{meeting['uuid']}/status")) == {"full": False}
    finally:
        await guest.close()


async def test_http_faults(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    for status in (401, 403, 404, 500, 503):
        sandbox.faults.fail("personal", status, count=1)
        assert (await client.call("GET", "dird/0.1/personal")).status == status
    sandbox.faults.fail("personal", 0, method="POST", lose=True, count=1)
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", "dird/0.1/personal", {"firstname": "kept"})
    assert [c["firstname"] for c in (await client.get("dird/0.1/personal"))["items"]] == ["kept"]


async def test_tls_is_only_trusted_by_its_fingerprint(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox(tls=True)
    client = await sign_in(sandbox)
    assert (await client.get("confd/1.1/infos"))["wazo_version"] == "26.08"
    await sandbox.change_certificate()
    with pytest.raises(aiohttp.ClientError):
        await client.get("confd/1.1/infos")


def test_access_lists() -> None:
    assert allows(USER_ACL, "confd.users.me.read", "u")
    assert allows(USER_ACL, "confd.users.u.read", "u") and not allows(USER_ACL, "confd.users.v.read", "u")
    assert allows(("a.#", "!a.b"), "a.c", "") and not allows(("a.#", "!a.b"), "a.b", "")
    assert not allows(("a.*",), "a.b.c", "")


@given(st.text(max_size=60))
def test_authorization_header_never_raises(text: str) -> None:
    basic(text)
    basic("Basic " + text)
