"""Each switch of the sandbox does what it says, as seen by a client."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.sandbox.media_client import MediaClient


async def test_logins_can_be_refused_or_offered_differently(make_sandbox, make_client):
    sandbox = await make_sandbox()
    sandbox.faults.refuse_login = "temporary-auth-failure"
    assert (await make_client(sandbox).login()).has("temporary-auth-failure")
    sandbox.faults.refuse_login = ""
    sandbox.faults.mechanisms = ("GSSAPI",)
    client = make_client(sandbox)
    await client.connect()
    assert client.seen[-1].has("<mechanism>GSSAPI</mechanism>") and not client.seen[-1].has("ANONYMOUS")
    assert (await make_client(sandbox).login()).has("invalid-mechanism")
    sandbox.faults.mechanisms = None
    sandbox.faults.token_expired = True
    assert (await make_client(sandbox).login()).has("Not acceptable by exp")


async def test_web_sockets_can_be_refused_and_everything_can_be_slow(make_sandbox, make_client):
    sandbox = await make_sandbox()
    sandbox.faults.refuse_websocket = 503
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await make_client(sandbox).connect()
    sandbox.faults.refuse_websocket = 0
    client = make_client(sandbox)
    await client.start()
    sandbox.faults.delay_stanzas_s = 0.3
    started = time.monotonic()
    await client.iq("get", "meet.sandbox", "<ping xmlns='urn:xmpp:ping'/>")
    assert time.monotonic() - started >= 0.3
    sandbox.faults.delay_http_s = 0.2
    started = time.monotonic()
    async with aiohttp.ClientSession() as http, http.get(f"{sandbox.web.base_url}/config.js") as response:
        await response.text()
    assert time.monotonic() - started >= 0.2


async def test_pings_can_stay_unanswered_and_chat_be_refused(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client = make_client(sandbox)
    await client.enter()
    sandbox.faults.refuse_chat = True
    await client.say("anybody?")
    assert (await client.wait(lambda s: s.name == "message" and s.get("type") == "error")).has("not-allowed")
    sandbox.faults.silent_pings = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.iq("get", "meet.sandbox", "<ping xmlns='urn:xmpp:ping'/>")


async def test_joins_can_be_refused_for_a_while(make_sandbox, make_client):
    sandbox = await make_sandbox()
    sandbox.faults.room_creation_restricted = 1
    client = make_client(sandbox)
    await client.start()
    await client.request()
    assert (await client.join()).has("Room creation is restricted")
    await client.request()
    assert (await client.join()).has('code="110"')


async def test_people_can_be_kicked_and_rooms_destroyed_from_outside(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox), make_client(sandbox)
    await first.enter()
    await second.enter()
    sandbox.kick("room", second.nick, "no reason", actor=first.nick)
    kicked = await second.wait(lambda s: s.has('code="307"'))
    assert kicked.has("no reason") and kicked.has(f'nick="{first.nick}"')
    sandbox.set_password("room", "x")
    await first.wait(lambda s: s.has('code="104"'))
    sandbox.grant_moderator("room", first.nick, False)
    await first.wait(lambda s: s.get("from").endswith(first.nick) and s.has('role="participant"'))
    sandbox.destroy("room", "maintenance", "other@muc.meet.sandbox")
    gone = await first.wait(lambda s: s.has("<destroy"))
    assert gone.has("maintenance") and gone.has('jid="other@muc.meet.sandbox"')


async def test_a_session_can_be_ended_for_good(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox), make_client(sandbox)
    await first.start()
    token = await first.enable_resumption()
    await first.request()
    await first.join()
    await second.enter()
    sandbox.end_session("room", first.nick)
    await first.closed.wait()
    await second.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(first.nick))
    assert token not in sandbox.streams.resumable


async def test_speaker_statistics_are_kept_for_newcomers(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox, name="Ada"), make_client(sandbox)
    await first.enter()
    report = (
        "<message xmlns='jabber:client' to='speakerstats.meet.sandbox'><speakerstats xmlns='http://jitsi.org/jitmeet' "
        "room='room@muc.meet.sandbox' silence='{}'/></message>"
    )
    await first.send(report.format("false"))
    await asyncio.sleep(0.2)
    await first.send(report.format("true"))
    await first.iq("get", "meet.sandbox", "<ping xmlns='urn:xmpp:ping'/>")
    spoken = sandbox.services.speaking_ms("room@muc.meet.sandbox")[first.nick]
    assert 150 < spoken < 2000
    await second.enter()
    pushed = await second.wait(lambda s: s.has("totalDominantSpeakerTime"))
    assert pushed.get("from") == "speakerstats.meet.sandbox" and pushed.has(first.nick) and pushed.has("Ada")


async def test_components_ignore_connections_without_the_room_in_their_address(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client = make_client(sandbox)
    real, client.room = client.room, "elsewhere"
    await client.start()
    client.room = real
    await client.request()
    await client.join()
    assert not any(s.has("room_metadata") and s.name == "message" for s in client.seen)


async def test_ice_is_restarted_in_place(make_sandbox):
    sandbox = await make_sandbox(bots=1)
    client = MediaClient(sandbox)
    try:
        await client.enter()
        offer = await client.connect_media()
        client.want(180)
        await client.until(lambda: client.packets)
        sid, bridge = offer.find("jingle").get("sid"), offer.find("bridge-session").get("id")
        mark = len(client.seen)
        await client.jingle(
            f"<jingle xmlns='urn:xmpp:jingle:1' action='session-info' sid='{sid}'>"
            f"<bridge-session xmlns='http://jitsi.org/protocol/focus' id='{bridge}' ice-restart='true'/></jingle>"
        )
        info = await client.wait(lambda s: s.has("transport-info"), mark)
        await client.result(info)
        remote = client.describe(info)
        generation = info.find("transport").get("ice-generation")
        assert generation == "1" and remote.ufrag != offer.find("transport").get("ufrag")
        local = await client.transport.restart_ice()
        answer = (
            f"<jingle xmlns='urn:xmpp:jingle:1' action='transport-info' sid='{sid}'><content creator='initiator' "
            f"name='audio'><transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='{local.ufrag}' "
            f"pwd='{local.pwd}' ice-generation='1'/></content></jingle>"
        )
        assert (await client.jingle(answer)).get("type") == "result"
        before = client.transport.candidate_pair
        await client.transport.continue_ice(remote)
        await client.until(lambda: client.transport.candidate_pair != before)
        count = sum(map(len, client.packets.values()))
        await client.until(lambda: sum(map(len, client.packets.values())) > count + 60)
        assert sandbox.participants("room")[client.nick].transport_state == "connected"
    finally:
        await client.close(clean=False)
