"""The focus: requests and their refusals, session-initiate, sources, mutes, restarts."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from app.sandbox.jitsi.sasl import TokenPolicy, make_token
from tests.sandbox.raw_client import FEATURES, accept_xml, sid_of, source_xml

UNREWRITTEN = [f for f in FEATURES if "rewriting" not in f]
PLAIN = [f for f in UNREWRITTEN if "json" not in f]


async def enter_two(sandbox, make_client, **settings):
    first, second = make_client(sandbox, **settings), make_client(sandbox, **settings)
    await first.enter()
    await second.enter()
    return first, second


async def test_requests_can_wait_fail_and_succeed(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client = make_client(sandbox)
    await client.start()
    sandbox.faults.not_ready = 1
    assert (await client.request()).has('ready="false"')
    sandbox.faults.focus_unavailable = True
    assert (await client.request()).has("service-unavailable")
    sandbox.faults.focus_unavailable = False
    sandbox.faults.reservation_error = (42, "No slot")
    refused = await client.request()
    assert refused.has('error-code="42"') and refused.has("No slot")
    sandbox.faults.reservation_error = None
    sandbox.faults.graceful_shutdown = True
    assert (await client.request()).has("graceful-shutdown")
    sandbox.faults.graceful_shutdown = False
    assert (await client.request()).has('ready="true"')


async def test_http_requests_do_the_same(make_sandbox):
    policy = TokenPolicy("k")
    sandbox = await make_sandbox(token=policy)
    async with aiohttp.ClientSession() as http:
        url, body = f"{sandbox.web.base_url}/conference-request/v1", {"room": "room@muc.meet.sandbox", "properties": {}}
        async with http.post(url, json=body) as response:
            assert response.status == 403
        headers = {"Authorization": f"Bearer {make_token(policy)}"}
        async with http.post(url, json=body, headers=headers) as response:
            answer = await response.json()
    assert answer["ready"] is True and answer["focusJid"] == "focus@auth.meet.sandbox"
    assert "room@muc.meet.sandbox" in sandbox.focus.conferences


async def test_secure_domain_asks_for_a_login_only_to_open_a_room(make_sandbox, make_client):
    sandbox = await make_sandbox(secure_domain=True, accounts={"ada": "pw"})
    guest = make_client(sandbox)
    await guest.login(to="guest.meet.sandbox")
    await guest.bind("guest.meet.sandbox")
    assert (await guest.request()).has("not-authorized")
    host = make_client(sandbox)
    import base64

    assert (await host.login("PLAIN", base64.b64encode(b"\0ada\0pw").decode())).name == "success"
    await host.bind()
    reply = await host.request()
    conference = reply.find("conference")
    assert conference.get("identity") == "ada@meet.sandbox"
    bad = await guest.request(attributes=" session-id='nonsense'")
    assert bad.has("session-invalid") and bad.has("not-acceptable")
    good = await guest.request(attributes=f" session-id='{conference.get('session-id')}'")
    assert good.has('ready="true"')
    await guest.join()
    await guest.wait(lambda s: s.get("from").endswith(guest.nick) and s.has('affiliation="owner"'))


async def test_the_offer_follows_the_features(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = await enter_two(sandbox, make_client)
    offer = await first.offer()
    assert offer.get("from").endswith("/focus") and offer.has("urn:xmpp:jingle:apps:grouping:0")
    contents = [c.get("name") for c in offer.all("content") if c.get("creator")]
    assert contents == ["audio", "video", "data"]
    names = {(p.get("id"), p.get("name")) for p in offer.all("payload-type")}
    assert {("111", "opus"), ("100", "VP8"), ("96", "rtx"), ("107", "H264"), ("126", "telephone-event")} <= names
    assert offer.has("goog-remb") and not offer.has("transport-cc")
    assert offer.find("sctpmap").get("number") == "5000"
    assert offer.find("web-socket").get("url").startswith(f"ws://127.0.0.1:{sandbox.port}/colibri-ws/")
    assert {c.get("ip") for c in offer.all("candidate")} == {"127.0.0.1"}
    assert offer.find("fingerprint").get("setup") == "actpass"
    sources = json.loads(offer.find("json-message").text)["sources"]
    assert set(sources) == {"jvb"}
    bare_bones = make_client(sandbox, features=["urn:xmpp:jingle:apps:rtp:audio"])
    await bare_bones.enter()
    offer = await bare_bones.offer()
    assert [c.get("name") for c in offer.all("content") if c.get("creator")] == ["audio"]
    assert offer.find("json-message") is None and offer.find("ssrc-info").get("owner") == "jvb"


async def test_one_alone_gets_no_session_and_the_last_one_loses_his(make_sandbox, make_client):
    sandbox = await make_sandbox(single_participant_timeout_s=0.1)
    first = make_client(sandbox)
    await first.enter()
    await first.iq("get", "meet.sandbox", "<ping xmlns='urn:xmpp:ping'/>")
    assert not any(s.has("session-initiate") for s in first.seen)
    second = make_client(sandbox)
    await second.enter()
    await first.offer()
    await second.close()
    ended = await first.wait(lambda s: s.has("session-terminate"))
    assert ended.has("<expired") and ended.has("Idle session timeout")


@pytest.mark.parametrize("features", [UNREWRITTEN, PLAIN], ids=["json", "xml"])
async def test_sources_reach_others_by_jingle_without_rewriting(make_sandbox, make_client, features):
    sandbox = await make_sandbox()
    first, second = await enter_two(sandbox, make_client, features=features)
    offers = [await first.offer(), await second.offer()]
    await second.jingle(accept_xml(second, offers[1]))
    name, msid = f"{first.nick}-a0", f"{first.nick}-audio-0-1 t1"
    mark = len(second.seen)
    accepted = await first.jingle(accept_xml(first, offers[0], source_xml(1111, name, msid)))
    assert accepted.get("type") == "result", accepted.text
    added = await second.wait(lambda s: s.has("source-add"), mark)
    if features is UNREWRITTEN:
        listed = json.loads(added.find("json-message").text)["sources"][first.nick]
        assert listed[2] == [{"s": 1111, "n": name, "m": msid}]
    else:
        assert added.find("source").get("name") == name and added.find("ssrc-info").get("owner") == first.nick
    remove = (
        f"<jingle xmlns='urn:xmpp:jingle:1' action='source-remove' sid='{sid_of(offers[0])}'>"
        f"<content name='audio' creator='initiator'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
        f"{source_xml(1111, name, msid)}</description></content></jingle>"
    )
    assert (await first.jingle(remove)).get("type") == "result"
    await second.wait(lambda s: s.has("source-remove"), mark)
    assert sandbox.participants("room")[first.nick].sources == {}


async def test_bad_sources_and_sids_are_refused(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = await enter_two(sandbox, make_client)
    offers = [await first.offer(), await second.offer()]
    wrong = accept_xml(first, offers[0]).replace(sid_of(offers[0]), "nonsense")
    refused = await first.jingle(wrong)
    assert refused.has("item-not-found") and refused.has("unknown-session")
    zero = accept_xml(first, offers[0], source_xml(0, f"{first.nick}-a0", "a b"))
    assert (await first.jingle(zero)).has("bad-request")
    nameless = accept_xml(first, offers[0], source_xml(5, "", "a b"))
    assert (await first.jingle(nameless)).has("has no name")
    assert (await first.jingle(accept_xml(first, offers[0], source_xml(5, "n-a0", "a b")))).get("type") == "result"
    taken = await second.jingle(accept_xml(second, offers[1], source_xml(5, "m-a0", "c d")))
    assert taken.has("SSRC is already used")
    same_msid = await second.jingle(accept_xml(second, offers[1], source_xml(6, "m-a0", "a b")))
    assert same_msid.has("MSID is already used")
    assert (await first.jingle(accept_xml(first, offers[0]))).has("unexpected-request")


async def test_mutes_are_relayed_refused_and_lifted(make_sandbox, make_client):
    sandbox = await make_sandbox()
    owner, guest = await enter_two(sandbox, make_client)
    mute = "<mute xmlns='http://jitsi.org/jitmeet/audio' jid='{}/{}'>{}</mute>"
    focus = f"{owner.room_jid}/focus"
    on_guest = mute.format(owner.room_jid, guest.nick, "true")
    assert (await guest.iq("set", focus, mute.format(owner.room_jid, owner.nick, "true"))).has("not-allowed")
    assert (await owner.iq("set", focus, on_guest)).get("type") == "result"
    told = await guest.wait(lambda s: s.has("jitmeet/audio") and s.get("type") == "set")
    assert told.get("from") == focus and told.has(f'actor="{owner.room_jid}/{owner.nick}"')
    await guest.result(told)
    assert sandbox.participants("room")[guest.nick].forced_mute == {"audio"}
    assert (await owner.iq("set", focus, mute.format(owner.room_jid, guest.nick, "false"))).has("not-allowed")
    assert (await guest.iq("set", focus, mute.format(owner.room_jid, guest.nick, "false"))).get("type") == "result"
    assert sandbox.participants("room")[guest.nick].forced_mute == frozenset()
    assert (await owner.iq("set", focus, "<mute xmlns='http://jitsi.org/jitmeet/audio'>true</mute>")).has("bad-request")


async def test_restart_gives_a_new_offer_but_not_twice_in_a_row(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = await enter_two(sandbox, make_client)
    offer = await first.offer()
    await first.jingle(accept_xml(first, offer))
    bridge = offer.find("bridge-session").get("id")
    end = (
        "<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='{}'><reason><connectivity-error/></reason>"
        "<bridge-session xmlns='http://jitsi.org/protocol/focus' id='{}' restart='true'/></jingle>"
    )
    assert (await first.jingle(end.format(sid_of(offer), "wrong"))).has("item-not-found")
    mark = len(first.seen)
    assert (await first.jingle(end.format(sid_of(offer), bridge))).get("type") == "result"
    again = await first.offer(mark)
    assert sid_of(again) != sid_of(offer) and again.find("transport").get("ufrag") != offer.find("transport").get(
        "ufrag"
    )
    await first.jingle(accept_xml(first, again))
    soon = await first.jingle(end.format(sid_of(again), again.find("bridge-session").get("id")))
    assert soon.has("resource-constraint")


async def test_move_duplicate_and_peer_offers(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=1)
    client = make_client(sandbox)
    await client.enter()
    offer = await client.offer()
    await client.jingle(accept_xml(client, offer))
    mark = len(client.seen)
    sandbox.duplicate_offer("room", client.nick)
    duplicate = await client.wait(lambda s: s.has("session-initiate"), mark)
    assert sid_of(duplicate) == sid_of(offer)
    await client.result(duplicate)
    mark = len(client.seen)
    sandbox.move("room", client.nick)
    ended = await client.wait(lambda s: s.has("session-terminate"), mark)
    assert ended.has("<success") and ended.has("moving")
    await client.result(ended)
    await client.offer(mark)
    bot = next(p.id for p in sandbox.participants("room").values() if p.is_bot)
    sandbox.offer_peer_session("room", client.nick, bot)
    peer = await client.wait(lambda s: s.has("session-initiate") and s.get("from").endswith(bot), mark)
    await client.result(peer)
    decline = (
        f"<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='{sid_of(peer)}'>"
        f"<reason><decline/></reason></jingle>"
    )
    await client.iq("set", f"{client.room_jid}/{bot}", decline)
    log = sandbox.participants("room")[client.nick].jingle_log
    assert ("p2p answer", "result") in log and ("p2p session-terminate", "decline") in log


async def test_start_muted_after_the_nth(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox), make_client(sandbox)
    await first.start()
    await first.request("<property name='startAudioMuted' value='1'/>")
    await first.join()
    await second.enter()
    assert not (await first.offer()).has("start-muted")
    offer = await second.offer()
    assert offer.find("startmuted").get("audio") == "true" and offer.find("startmuted").get("video") == "false"


async def test_no_bridge_is_told_in_the_focus_presence(make_sandbox, make_client):
    sandbox = await make_sandbox()
    sandbox.faults.bridge_not_available = True
    first, second = await enter_two(sandbox, make_client)
    seen = await first.wait(lambda s: s.has("<bridgeNotAvailable"))
    assert seen.get("from").endswith("/focus")


async def test_silent_members_are_assumed_to_do_the_least(make_sandbox, make_client):
    sandbox = await make_sandbox(disco_timeout_s=0.1)
    first, second = make_client(sandbox), make_client(sandbox)
    first.answer_disco = False
    await first.enter()
    await second.enter()
    offer = await first.offer()
    assert not offer.has('name="rtx"') and offer.find("json-message") is None and offer.has("sctpmap")


async def test_an_error_reply_to_the_offer_ends_the_session(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = await enter_two(sandbox, make_client)
    offer = await first.wait(lambda s: s.has("session-initiate"))
    await first.send(
        f"<iq xmlns='jabber:client' type='error' id='{offer.get('id')}' to='{offer.get('from')}'>"
        "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    ended = await first.wait(lambda s: s.has("session-terminate"))
    assert ended.has("general-error")
    await asyncio.sleep(0)
