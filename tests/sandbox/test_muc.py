"""Rooms: presence, roles, refusals, chat, kicks, locks."""

from __future__ import annotations

import asyncio

FORM = (
    "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"
    "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>{}</x></query>"
)
ADMIN = "<query xmlns='http://jabber.org/protocol/muc#admin'>{}</query>"


def field(name: str, value: str) -> str:
    return f"<field var='{name}'><value>{value}</value></field>"


async def test_a_join_without_request_is_refused_and_with_one_the_focus_is_there_first(make_sandbox, make_client):
    client = make_client(await make_sandbox())
    await client.start()
    refused = await client.join()
    assert refused.has("not-allowed") and refused.has("Room creation is restricted")
    reply = await client.request()
    assert reply.has('ready="true"') and reply.has('focusjid="focus@auth.meet.sandbox"')
    own = await client.join()
    presences = [s for s in client.seen if s.name == "presence" and s.get("type") == ""]
    assert presences[0].get("from").endswith("/focus") and presences[0].has('jid="focus@auth.meet.sandbox/focus"')
    assert own.has(f'jid="{client.jid}"')


async def test_the_first_becomes_owner_and_the_next_when_he_leaves(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox), make_client(sandbox)
    await first.enter()
    await first.wait(lambda s: s.has('affiliation="owner"') and s.get("from").endswith(first.nick))
    await second.enter()
    assert sandbox.participants("room")[second.nick].role == "participant"
    await first.send(f"<presence xmlns='jabber:client' type='unavailable' to='{first.room_jid}/{first.nick}'/>")
    await first.wait(lambda s: s.get("type") == "unavailable" and s.has('code="110"'))
    await second.wait(lambda s: s.has('affiliation="owner"') and s.get("from").endswith(second.nick))
    assert sandbox.participants("room")[second.nick].role == "moderator"


async def test_presence_is_reflected_whole_and_only_the_last_counts(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox, name="Ada"), make_client(sandbox, name="Bob")
    await first.enter()
    await second.enter()
    hand = "<jitsi_participant_raisedHand>1700000000000</jitsi_participant_raisedHand>"
    mark = len(second.seen)
    await first.send(first.presence_xml(hand + "<identity><user><name>Fake</name></user></identity>"))
    seen = await second.wait(lambda s: s.get("from").endswith(first.nick), mark)
    assert seen.has("1700000000000") and seen.has(">Ada</nick>") and not seen.has("Fake")
    assert sandbox.participants("room")[first.nick].presence["jitsi_participant_raisedHand"] == "1700000000000"


async def test_chat_public_private_subject_and_history(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second, third = make_client(sandbox), make_client(sandbox), make_client(sandbox)
    await first.enter()
    await second.enter()
    await first.say("hello <all>".replace("<", "&lt;").replace(">", "&gt;"))
    got = await second.wait(lambda s: s.name == "message" and s.has("hello"))
    assert got.get("from").endswith(first.nick) and got.get("id") == "m1" and got.find("body").text == "hello <all>"
    await first.wait(lambda s: s.name == "message" and s.has("hello"))
    await second.say("only you", first.nick)
    assert (await first.wait(lambda s: s.has("only you"))).get("type") == "chat"
    mark = len(second.seen)
    await second.send(
        f"<message xmlns='jabber:client' type='groupchat' to='{second.room_jid}'><subject>x</subject></message>"
    )
    assert (await second.wait(lambda s: s.name == "message" and s.get("type") == "error", mark)).has("forbidden")
    await first.send(
        f"<message xmlns='jabber:client' type='groupchat' to='{first.room_jid}'><subject>Plan</subject></message>"
    )
    await second.wait(lambda s: s.has("<subject>Plan</subject>"))
    await third.enter()
    old = await third.wait(lambda s: s.has("hello"))
    assert old.has("urn:xmpp:delay") and not any(s.has("only you") for s in third.seen)
    await third.wait(lambda s: s.has("<subject>Plan</subject>"))
    assert [(e.sender, e.text, e.to) for e in sandbox.room("room").chat] == [
        (first.nick, "hello <all>", None),
        (second.nick, "only you", first.nick),
    ]


async def test_lock_needs_the_owner_and_joins_need_the_password(make_sandbox, make_client):
    sandbox = await make_sandbox()
    owner, guest, late = make_client(sandbox), make_client(sandbox), make_client(sandbox)
    await owner.enter()
    await guest.enter()
    form = await owner.iq("get", owner.room_jid, "<query xmlns='http://jabber.org/protocol/muc#owner'/>")
    assert form.has("muc#roomconfig_roomsecret")
    change = FORM.format(field("muc#roomconfig_roomsecret", "s3cret") + field("muc#roomconfig_whois", "anyone"))
    assert (await guest.iq("set", guest.room_jid, change)).has("forbidden")
    mark = len(guest.seen)
    assert (await owner.iq("set", owner.room_jid, change)).get("type") == "result"
    await guest.wait(lambda s: s.has('code="104"'), mark)
    info = await guest.iq("get", guest.room_jid, "<query xmlns='http://jabber.org/protocol/disco#info'/>")
    assert info.has("muc_passwordprotected") and info.has("muc#roominfo_meetingId")
    await late.start()
    await late.request()
    assert (await late.join()).has("not-authorized")
    assert (await late.join("wrong")).has("not-authorized")
    assert (await late.join("s3cret")).has('code="110"')
    assert sandbox.faults.rejected_joins == ["not-authorized"] * 2


async def test_kick_grant_revoke_ban(make_sandbox, make_client):
    sandbox = await make_sandbox()
    owner, guest, third = make_client(sandbox), make_client(sandbox), make_client(sandbox)
    for client in (owner, guest, third):
        await client.enter()
    kick = ADMIN.format(f"<item nick='{third.nick}' role='none'><reason>Bye</reason></item>")
    assert (await guest.iq("set", guest.room_jid, kick)).has("forbidden")
    assert (await owner.iq("set", owner.room_jid, kick)).get("type") == "result"
    kicked = await third.wait(lambda s: s.get("type") == "unavailable" and s.has('code="307"'))
    assert kicked.has(f'nick="{owner.nick}"') and kicked.has("<reason>Bye</reason>") and kicked.has('code="110"')
    seen = await guest.wait(lambda s: s.get("type") == "unavailable" and s.has('code="307"'))
    assert not seen.has('code="110"')
    full = ADMIN.format(f"<item affiliation='owner' jid='{guest.jid}'/>")
    assert (await owner.iq("set", owner.room_jid, full)).has("jid-malformed")
    grant = ADMIN.format(f"<item affiliation='owner' jid='{guest.jid.split('/')[0]}'/>")
    assert (await owner.iq("set", owner.room_jid, grant)).get("type") == "result"
    await guest.wait(lambda s: s.get("from").endswith(guest.nick) and s.has('role="moderator"'))
    revoke = ADMIN.format(f"<item affiliation='none' jid='{guest.jid.split('/')[0]}'/>")
    assert (await owner.iq("set", owner.room_jid, revoke)).get("type") == "result"
    assert sandbox.participants("room")[guest.nick].role == "participant"
    sandbox.ban("room", guest.nick)
    await guest.wait(lambda s: s.has('code="301"'))
    await guest.request()
    assert (await guest.join()).has("forbidden")


async def test_refusals_full_members_only_nameless_conflict(make_sandbox, make_client):
    sandbox = await make_sandbox(max_occupants=2, display_name_required=True)
    first, second, third = make_client(sandbox), make_client(sandbox), make_client(sandbox)
    await first.enter()
    nameless = make_client(sandbox, name="")
    await nameless.start()
    await nameless.request()
    assert (await nameless.join()).has("displayname-required")
    sandbox.faults.members_only = True
    await second.start()
    await second.request()
    refused = await second.join()
    assert refused.has("registration-required") and refused.has(">room@lobby.meet.sandbox</lobbyroom>")
    sandbox.faults.members_only = False
    keep, second.nick = second.nick, first.nick
    assert (await second.join()).has("conflict")
    second.nick = keep
    assert (await second.join()).has('code="110"')
    await third.start()
    await third.request()
    assert (await third.join()).has("service-unavailable")


async def test_destroy_and_end_for_all(make_sandbox, make_client):
    sandbox = await make_sandbox()
    owner, guest = make_client(sandbox), make_client(sandbox)
    await owner.enter()
    await guest.enter()
    end = "<message xmlns='jabber:client' to='endconference.meet.sandbox'><end_conference/></message>"
    await guest.send(end)
    assert (await guest.wait(lambda s: s.name == "message" and s.get("type") == "error")).has("forbidden")
    await owner.send(end)
    gone = await guest.wait(lambda s: s.has("<destroy"))
    assert gone.has("The meeting has been terminated") and gone.get("type") == "unavailable"
    assert "room@muc.meet.sandbox" not in sandbox.focus.conferences


async def test_room_metadata_comes_before_the_own_presence_and_only_moderators_set_it(make_sandbox, make_client):
    sandbox = await make_sandbox()
    owner, guest = make_client(sandbox), make_client(sandbox)
    await owner.enter()
    await guest.enter()
    kinds = [
        "metadata" if s.has("room_metadata") else "own"
        for s in guest.seen
        if s.has("room_metadata") and s.name == "message" or s.has('code="110"')
    ]
    assert kinds == ["metadata", "own"]
    change = (
        "<message xmlns='jabber:client' to='metadata.meet.sandbox'><room_metadata xmlns='http://jitsi.org/jitmeet' "
        'room=\'room@muc.meet.sandbox\'>{"key":"startMuted","data":{"audio":true,"video":false}}'
        "</room_metadata></message>"
    )
    await guest.send(change)
    assert (await guest.wait(lambda s: s.get("type") == "error")).has("forbidden")
    mark = len(guest.seen)
    await owner.send(change)
    assert (await guest.wait(lambda s: s.has("startMuted"), mark)).get("from") == "metadata.meet.sandbox"


async def test_iqs_between_occupants_are_relayed_with_ids_that_lead_back(make_sandbox, make_client):
    sandbox = await make_sandbox()
    first, second = make_client(sandbox), make_client(sandbox)
    await first.enter()
    await second.enter()
    mark = len(second.seen)
    asking = asyncio.create_task(first.iq("get", f"{first.room_jid}/{second.nick}", "<ping xmlns='urn:xmpp:ping'/>"))
    ping = await second.wait(lambda s: s.has("urn:xmpp:ping"), mark)
    assert ping.get("from") == f"{first.room_jid}/{first.nick}" and len(ping.get("id")) > 20
    await second.result(ping)
    reply = await asking
    assert reply.get("from") == f"{first.room_jid}/{second.nick}" and reply.get("type") == "result"


async def test_tenants_have_rooms_of_their_own(make_sandbox, make_client):
    sandbox = await make_sandbox()
    client = make_client(sandbox)
    await client.start()
    for service in ("muc.acme.meet.sandbox", "muc.meet.sandbox"):
        payload = f"<conference xmlns='http://jitsi.org/protocol/focus' room='room@{service}' machine-uid='x'/>"
        assert (await client.iq("set", "focus.meet.sandbox", payload)).has('ready="true"')
    assert set(sandbox.focus.conferences) == {"room@muc.acme.meet.sandbox", "room@muc.meet.sandbox"}
