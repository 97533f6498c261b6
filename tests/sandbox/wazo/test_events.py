"""The event socket: versions, filtering, tokens, close codes."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.wazo.conftest import MakeSandbox, SignIn


async def test_version_one_is_bare(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events(1)
    sandbox.colleague.set_presence("away")
    assert (await events.wait("chatd_presence_updated", lambda d: d["uuid"] == sandbox.colleague.uuid))[
        "state"
    ] == "away"


async def test_only_own_events_and_only_subscribed(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    alice, bob = await sign_in(sandbox), await sign_in(sandbox, "bob")
    events = await alice.events(2, "users_services_dnd_updated")
    await bob.call("PUT", "confd/1.1/users/me/services/dnd", {"enabled": True})
    await alice.call("PUT", "confd/1.1/users/me/services/dnd", {"enabled": True})
    assert (await events.wait("users_services_dnd_updated"))["user_uuid"] == sandbox.user("alice").uuid
    await events.socket.send_json({"op": "ping", "data": {"payload": "x"}})
    assert (await events.read()) == {"op": "pong", "code": 0, "data": {"payload": "x"}}


async def test_token_renewal_and_codes(make_sandbox: MakeSandbox, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    sandbox.shorten_tokens("alice", 30)
    await events.wait("auth_session_expire_soon")
    old = client.token
    await client.sign_in("alice")
    await events.socket.send_json({"op": "token", "data": {"token": client.token}})
    while (await events.read())["op"] != "token":
        pass
    sandbox.state.drop_token(old)
    sandbox.colleague.set_presence("away")
    await events.wait("chatd_presence_updated", lambda d: d["uuid"] == sandbox.colleague.uuid)
    sandbox.expire_tokens("alice")
    with pytest.raises(ConnectionError, match="4003"):
        while True:
            await events.read()
    url = f"{sandbox.base_url}/api/websocketd/"
    for query, code in (("", 4001), ("?token=x", 4002), ("?version=9", 4004)):
        socket = await client.session.ws_connect(url + query)
        await socket.receive(5)
        assert socket.close_code == code, query


@pytest.mark.parametrize(
    "frame", ["x", "[]", '{"op":"nothing"}', json.dumps({"op": "subscribe", "data": {"event_name": 1}})]
)
async def test_misuse_closes(make_sandbox: MakeSandbox, sign_in: SignIn, frame: str) -> None:
    client = await sign_in(await make_sandbox())
    events = await client.events()
    await events.socket.send_str(frame)
    with pytest.raises(ConnectionError, match="4004"):
        await events.read()
