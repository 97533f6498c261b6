"""Video rooms: one line per other picture with its label, mixed sound, events, removal and re-use of lines."""

from __future__ import annotations

import json

from app.media.stamp import source_id
from app.protocols.sip.events import MessageReceived
from tests.sandbox.wazo.conftest import MakePhone, MakeSandbox, SignIn
from tests.sandbox.wazo.phone import PhoneCall, until


def bridge_events(call: PhoneCall, kind: str) -> list[dict[str, object]]:
    found = [json.loads(e.body) for e in call.events(MessageReceived) if "confbridge" in e.content_type]
    return [e for e in found if e["type"] == kind]


async def test_pictures_sound_events_and_reused_lines(
    make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn
) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    phones = [await make_phone(sandbox, name) for name in ("alice", "bob", "carol")]
    calls = []
    for index, phone in enumerate(phones[:2]):
        call = await phone.call("700", video=True, tone=500 + 200 * index)
        call.media.decode = True
        phone.film(call, f"camera {index}")
        calls.append(call)
    first, second = calls
    bob = sandbox.legs("bob")[0].id
    joined = await events.wait("conference_user_participant_joined", lambda d: d["call_id"] == bob)
    assert joined["conference_id"] == 7 and joined["user_uuid"] == sandbox.user("bob").uuid
    await until(lambda: first.media.labels == {bob})
    track = await until(lambda: first.media.track(bob))
    await until(lambda: track.stamp)
    assert track.stamp.source == source_id("camera 1")
    await until(lambda: first.hears(700) and not first.hears(500, 100) and second.hears(500))
    assert bridge_events(first, "ConfbridgeWelcome") and bridge_events(first, "ConfbridgeJoin")
    await until(lambda: [e for e in bridge_events(first, "ConfbridgeTalking") if e["channels"][0]["id"] == bob])  # type: ignore[index]
    listed = await client.get("calld/1.0/users/me/conferences/7/participants")
    assert {p["caller_id_number"] for p in listed["items"]} == {"1001", "1002"}
    phones[1].hang_up(second)
    await until(lambda: not first.media.labels)
    assert "m=video 0 " in first.offers[-1]
    third = await phones[2].call("700", video=True)
    phones[2].film(third, "camera 2")
    carol = sandbox.legs("carol")[0].id
    await until(lambda: first.media.labels == {carol})
    assert first.offers[-1].count("m=video") == 2, "the freed line is used again"
    track = await until(lambda: first.media.track(carol))
    assert (await until(lambda: track.stamp)).source == source_id("camera 2")


async def test_bots_show_and_talk(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox(bots=2, quiet_bots=False)
    phone = await make_phone(sandbox)
    call = await phone.call("700", video=True)
    call.media.decode = True
    await until(lambda: len(call.media.labels) == 2)
    for label in call.media.labels:
        track = await until(lambda one=label: call.media.track(one))
        await until(lambda seen=track: seen.stamp)
    await until(lambda: call.hears(520))
    await until(lambda: call.hears(640))


async def test_meeting_guest(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    import base64
    from dataclasses import replace

    from app.protocols.sip.user_agent import UserAgent
    from tests.sandbox.wazo.phone import Phone

    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    meeting = (await client.call("POST", "confd/1.1/users/me/meetings", {"name": "Review"})).data
    owner = await make_phone(sandbox)
    await owner.call(meeting["exten"], video=True)
    user, _, password = base64.b64decode(meeting["guest_sip_authorization"]).decode().partition(":")
    guest = Phone(sandbox, "carol")
    guest.agent = UserAgent(replace(guest.config, aor=f"sip:{user}@127.0.0.1", password=password, display_name="Zoe"))
    try:
        await guest.open()
        call = await guest.call("meeting-guest", video=True)
        welcome = await until(lambda: bridge_events(call, "ConfbridgeWelcome"))
        me = [c for c in welcome[0]["channels"] if c["channelvars"]["WAZO_SIP_CALL_ID"] == call.key]  # type: ignore[union-attr,attr-defined]
        assert len(me) == 1
        people = await client.get(f"calld/1.0/users/me/meetings/{meeting['uuid']}/participants")
        assert people["total"] == 2
        other = next(p["call_id"] for p in people["items"] if p["user_uuid"] is None)
        banned = await client.call("DELETE", f"calld/1.0/users/me/meetings/{meeting['uuid']}/participants/{other}")
        assert banned.status == 204
        await until(lambda: call.state == "ended")
    finally:
        await guest.close()
