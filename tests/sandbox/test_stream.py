"""Connecting: login by every mechanism, tokens, binding, stream management, BOSH."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

import aiohttp
import pytest

from app.sandbox.jitsi.sasl import TokenPolicy, make_token


async def test_anonymous_login_gives_a_hex_name_and_pings_are_answered(make_sandbox, make_client):
    relay = {"type": "turn", "host": "127.0.0.1", "port": "3478", "transport": "udp", "username": "u", "password": "p"}
    sandbox = await make_sandbox(ice_servers=(relay,))
    client = make_client(sandbox)
    await client.start()
    assert re.fullmatch(r"[0-9a-f]{32}@meet\.sandbox/.+", client.jid)
    assert (await client.iq("get", "meet.sandbox", "<ping xmlns='urn:xmpp:ping'/>")).get("type") == "result"
    services = await client.iq("get", "meet.sandbox", "<services xmlns='urn:xmpp:extdisco:2'/>")
    assert services.get("type") == "result" and services.find("service").attrib == relay


async def test_disco_names_the_components_it_has(make_sandbox, make_client):
    client = make_client(await make_sandbox())
    await client.start()
    info = await client.iq("get", "meet.sandbox", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    kinds = {node.get("type"): node.get("name") for node in info.all("identity")}
    assert (
        kinds["speakerstats"] == "speakerstats.meet.sandbox" and "room_metadata" in kinds and "end_conference" in kinds
    )
    assert "urn:xmpp:ping" in {node.get("var") for node in info.all("feature")}


async def test_features_are_written_with_the_stream_prefix(make_sandbox, make_client):
    client = make_client(await make_sandbox())
    await client.connect()
    features = next(s for s in client.seen if s.name == "features")
    assert features.text.startswith('<stream:features xmlns:stream="http://etherx.jabber.org/streams">')


async def test_plain_login_accepts_the_right_password_only(make_sandbox, make_client):
    sandbox = await make_sandbox(accounts={"ada": "secret"}, login_required=True)
    good = base64.b64encode(b"\0ada\0secret").decode()
    bad = base64.b64encode(b"\0ada\0wrong").decode()
    client = make_client(sandbox)
    assert (await client.login("PLAIN", good)).name == "success"
    await client.bind()
    assert client.jid.startswith("ada@meet.sandbox/")
    failure = await make_client(sandbox).login("PLAIN", bad)
    assert failure.name == "failure" and failure.has("not-authorized")
    refused = await make_client(sandbox).login("ANONYMOUS")
    assert refused.has("invalid-mechanism")


@pytest.mark.parametrize(("mechanism", "name"), [("SCRAM-SHA-1", "sha1"), ("SCRAM-SHA-256", "sha256")])
async def test_scram_login_proves_the_server_too(make_sandbox, make_client, mechanism, name):
    sandbox = await make_sandbox(accounts={"ada": "secret"}, login_required=True)
    client = make_client(sandbox)
    nonce = secrets.token_hex(8)
    first = f"n=ada,r={nonce}"
    challenge = await client.login(mechanism, base64.b64encode(f"n,,{first}".encode()).decode())
    server_first = base64.b64decode(challenge.xml.text or "").decode()
    fields = dict(part.split("=", 1) for part in server_first.split(","))
    salted = hashlib.pbkdf2_hmac(name, b"secret", base64.b64decode(fields["s"]), int(fields["i"]))
    client_key = hmac.digest(salted, b"Client Key", name)
    without_proof = f"c=biws,r={fields['r']}"
    message = f"{first},{server_first},{without_proof}".encode()
    signature = hmac.digest(hashlib.new(name, client_key).digest(), message, name)
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    mark = len(client.seen)
    answer = base64.b64encode(f"{without_proof},p={proof}".encode()).decode()
    await client.send(f"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{answer}</response>")
    success = await client.wait(lambda s: s.name in ("success", "failure"), mark)
    expected = hmac.digest(hmac.digest(salted, b"Server Key", name), message, name)
    assert base64.b64decode(success.xml.text or "") == b"v=" + base64.b64encode(expected)


async def test_tokens_are_checked_before_anonymous_login_succeeds(make_sandbox, make_client):
    policy = TokenPolicy("shared secret")
    sandbox = await make_sandbox(token=policy)
    for token, text in (
        ("", "Token required"),
        (make_token(policy, lifetime_s=-10), "Not acceptable by exp"),
        (make_token(TokenPolicy("other")), "Invalid signature"),
        ("x.y", "Invalid token"),
    ):
        failure = await make_client(sandbox).login(query=f"&token={token}")
        assert failure.name == "failure" and failure.has("not-allowed") and failure.has(text)
    client = make_client(sandbox)
    user = {"context": {"user": {"name": "Ada Lovelace", "id": "u1"}}}
    await client.enter(f"&token={make_token(policy, room='room', **user)}")
    own = next(s for s in client.seen if s.name == "presence" and s.has('code="110"'))
    assert own.has("<identity>") and own.has("Ada Lovelace")
    other = make_client(sandbox, room="elsewhere")
    await other.start(f"&token={make_token(policy, room='room')}")
    await other.request()
    assert (await other.join()).has("Room and token mismatched")


async def test_a_dropped_connection_is_resumed_with_nothing_lost(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client, other = make_client(sandbox), make_client(sandbox)
    await client.start()
    token = await client.enable_resumption()
    await client.request()
    await client.join()
    await other.enter()
    jid = client.jid
    handled = sum(1 for s in client.seen[client.seen.index(next(s for s in client.seen if s.name == "enabled")) + 1 :]
                  if s.name in ("iq", "message", "presence"))  # fmt: skip
    assert sandbox.drop_connection("room", client.nick) == 1
    await client.closed.wait()
    await other.say("while you were away")
    await other.wait(lambda s: s.has("while you were away"))
    assert client.nick in sandbox.room("room").occupants
    assert (await client.login(query=f"&previd={token}")).name == "success"
    mark = len(client.seen)
    await client.open()
    await client.send(f"<resume xmlns='urn:xmpp:sm:3' h='{handled}' previd='{token}'/>")
    assert (await client.wait(lambda s: s.name in ("resumed", "failed"), mark)).name == "resumed"
    await client.wait(lambda s: s.has("while you were away"), mark)
    assert sandbox.room("room").occupants[client.nick].session.jid == jid
    await client.say("back again")
    await other.wait(lambda s: s.has("back again"))


async def test_resumption_can_be_refused_and_then_the_room_sees_the_loss(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client, other = make_client(sandbox), make_client(sandbox)
    await client.start()
    token = await client.enable_resumption()
    await client.request()
    await client.join()
    await other.enter()
    sandbox.faults.refuse_resumption = True
    sandbox.drop_connection("room", client.nick)
    await client.closed.wait()
    mark = len(other.seen)
    await client.login(query=f"&previd={token}")
    await client.open()
    await client.send(f"<resume xmlns='urn:xmpp:sm:3' h='0' previd='{token}'/>")
    assert (await client.wait(lambda s: s.name in ("resumed", "failed"), 0)).name == "failed"
    await other.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(client.nick), mark)


async def test_hibernation_ends_after_its_time(make_sandbox, make_client):
    sandbox = await make_sandbox(hibernate_s=0.2)
    client, other = make_client(sandbox), make_client(sandbox)
    await client.start()
    await client.enable_resumption()
    await client.request()
    await client.join()
    await other.enter()
    sandbox.drop_connection("room", client.nick)
    await other.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(client.nick))


async def test_without_resumption_a_lost_connection_is_a_lost_participant(make_sandbox, make_client):
    sandbox = await make_sandbox(resumption=False)
    client, other = make_client(sandbox), make_client(sandbox)
    await client.start()
    assert not any(s.has("urn:xmpp:sm:3") for s in client.seen)
    await client.request()
    await client.join()
    await other.enter()
    sandbox.drop_connection("room", client.nick)
    await other.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(client.nick))


async def test_bad_frames_get_a_stream_error_not_silence(make_sandbox, make_client):
    client = make_client(await make_sandbox())
    await client.connect()
    await client.send("<presence")
    assert (await client.wait(lambda s: s.name == "error")).has("not-well-formed")
    entity = make_client(client.sandbox)
    await entity.connect()
    await entity.send("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>")
    assert (await entity.wait(lambda s: s.name == "error")).has("not-well-formed")
    unknown = make_client(client.sandbox)
    await unknown.connect(to="elsewhere.example")
    assert any(s.has("host-unknown") for s in unknown.seen)


async def test_bosh_carries_a_whole_login_and_join(make_sandbox, make_client):
    sandbox = await make_sandbox()
    other = make_client(sandbox)
    await other.enter()
    async with aiohttp.ClientSession() as http:
        url = f"{sandbox.web.base_url}/http-bind?room=room"
        rid = 1000

        async def post(inner: str, attributes: str) -> str:
            nonlocal rid
            rid += 1
            body = f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{rid}' {attributes}>{inner}</body>"
            async with http.post(url, data=body) as response:
                return await response.text()

        opened = await post("", "to='meet.sandbox' wait='2' hold='1' ver='1.6' xmpp:version='1.0' "
                            "xmlns:xmpp='urn:xmpp:xbosh'")  # fmt: skip
        sid = re.search(r'sid="(\w+)"', opened).group(1)  # type: ignore[union-attr]
        assert "ANONYMOUS" in opened and "urn:xmpp:sm" not in opened
        auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"
        assert "<success" in await post(auth, f"sid='{sid}'")
        restart = "xmpp:restart='true' to='meet.sandbox' xmlns:xmpp='urn:xmpp:xbosh'"
        assert "xmpp-bind" in await post("", f"sid='{sid}' {restart}")
        bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
        jid = re.search(r"<jid>([^<]+)</jid>", await post(bind, f"sid='{sid}'")).group(1)  # type: ignore[union-attr]
        join = (
            f"<presence xmlns='jabber:client' to='room@muc.meet.sandbox/{jid[:8]}'>"
            f"<x xmlns='http://jabber.org/protocol/muc'/></presence>"
        )
        answer = await post(join, f"sid='{sid}'")
        assert 'code="110"' in answer and f"/{other.nick}" in answer
        await post("", f"sid='{sid}' type='terminate'")
    await other.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(jid[:8]))


async def test_config_js_and_its_faults(make_sandbox):
    sandbox = await make_sandbox()
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{sandbox.web.base_url}/config.js?room=room") as response:
            text = await response.text()
            assert response.headers["X-Jitsi-Shard"] == "sandbox"
        assert (
            'config.hosts.domain = "meet.sandbox";' in text and f"ws://127.0.0.1:{sandbox.port}/xmpp-websocket" in text
        )
        async with http.get(f"{sandbox.web.base_url}/acme/config.js") as response:
            assert 'config.hosts.muc = "muc.acme.meet.sandbox";' in await response.text()
        sandbox.faults.config_status = 404
        async with http.get(f"{sandbox.web.base_url}/config.js") as response:
            assert response.status == 404


async def test_self_signed_tls_is_refused_by_careful_clients(make_sandbox):
    sandbox = await make_sandbox(tls=True)
    assert sandbox.url("room").startswith("https://127.0.0.1:")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.get(sandbox.url("room"))
        async with http.get(sandbox.url("room"), ssl=False) as response:
            assert response.status == 200
