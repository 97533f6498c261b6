"""Calls that the server starts, video added in a call, codecs, switchboard, recording, lost media."""

from __future__ import annotations

import time

from tests.sandbox.wazo.conftest import MakePhone, MakeSandbox, SignIn
from tests.sandbox.wazo.phone import until


async def test_click_to_call(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    assert (await client.call("POST", "calld/1.0/users/me/calls", {"extension": "600"})).status == 400
    phone = await make_phone(sandbox)
    unknown = await client.call("POST", "calld/1.0/users/me/calls", {"extension": "55555"})
    assert unknown.data["error_id"] == "invalid-extension"
    made = await client.call("POST", "calld/1.0/users/me/calls", {"extension": "608"})
    call = await phone.answer()
    assert phone.incoming().headers.get("X-Wazo-Call-ID") == made.data["call_id"]
    await until(lambda: call.hears(440))
    items = (await client.get("calld/1.0/users/me/calls"))["items"]
    assert items[0]["status"] == "Up" and items[0]["talking_to"]
    assert (await client.call("DELETE", f"calld/1.0/users/me/calls/{made.data['call_id']}")).status == 204
    await until(lambda: call.state == "ended")


async def test_video_is_added_for_both(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, bob = await make_phone(sandbox, "alice"), await make_phone(sandbox, "bob")
    mine = await alice.call("1002", wait=False)
    theirs = await bob.answer()
    await until(lambda: alice.agent.can_offer(mine.key))
    mine.media.add_video()
    alice.film(mine, "upgrade")
    theirs.media.decode = True
    await mine.reinvite(Subject="upgrade-video")
    track = await until(lambda: theirs.media.track(""))
    await until(lambda: track.stamp)


async def test_codecs_differ_after_a_transfer(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, bob, carol = [await make_phone(sandbox, name) for name in ("alice", "bob", "carol")]
    bob.allow, carol.allow = ("ulaw",), ("opus",)
    mine = await alice.call("1002", wait=False)
    theirs = await bob.answer(tone=700)
    await until(lambda: mine.hears(700))
    assert theirs.media.heard.codec in ("", "PCMU")
    alice.agent.refer(mine.key, "sip:1003@127.0.0.1", time.monotonic())
    alice.pump()
    hers = await carol.answer(tone=900)
    await until(lambda: theirs.hears(900) and hers.hears(700))


async def test_no_common_codec(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox(allow="!all,alaw,vp8")
    phone = await make_phone(sandbox)
    phone.allow = ("opus",)
    call = await phone.call("600")
    assert phone.ended(call).status == 488


async def test_switchboard(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    alice, bob = await make_phone(sandbox, "alice"), await make_phone(sandbox, "bob")
    waiting = await bob.call("690", tone=700)
    queued = await events.wait("switchboard_queued_calls_updated")
    item = queued["items"][0]
    assert item["caller_id_name"] == "Bob Baker"
    await until(lambda: waiting.hears(330))
    base = f"calld/1.0/switchboards/{sandbox.state.switchboard_uuid}/calls"
    taken = await client.call("PUT", f"{base}/queued/{item['id']}/answer")
    call = await alice.answer(tone=500)
    assert alice.incoming().headers.get("Answer-Mode") == "Auto" and taken.data["call_id"]
    await until(lambda: call.hears(700) and waiting.hears(500))
    assert (await client.get(f"{base}/queued"))["items"] == []
    assert (await client.call("PUT", f"{base}/held/{item['id']}")).status == 204
    await until(lambda: call.state == "ended")
    waiting.media.heard.clear()
    await until(lambda: waiting.hears(330))
    assert [i["id"] for i in (await client.get(f"{base}/held"))["items"]] == [item["id"]]


async def test_recording_mute_and_rest_digits(
    make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn
) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    phone = await make_phone(sandbox)
    call = await phone.call("600", tone=700)
    await until(lambda: call.hears(700))
    path = f"calld/1.0/users/me/calls/{sandbox.legs('alice')[0].id}"
    assert (await client.call("PUT", path + "/record/start")).status == 204
    assert (await client.call("PUT", path + "/dtmf?digits=12")).status == 204
    assert (await events.wait("call_dtmf_created"))["digit"] == "1"
    await until(lambda: len(sandbox.legs("alice")[0].recording) > 20)
    assert (await client.call("PUT", path + "/mute/start")).status == 204
    call.media.heard.clear()
    await until(lambda: call.media.heard.packets and not call.hears(700, 100))
    phone.hang_up(call)
    record = await events.wait("call_log_user_created")
    media = f"call-logd/1.0/users/me/cdr/{record['id']}/recordings/{record['recordings'][0]['uuid']}/media"
    assert (await client.call("GET", media)).raw[:4] == b"RIFF"


async def test_media_can_be_lost(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("608")
    await until(lambda: call.hears(440))
    sandbox.set_media_faults(blackhole=True)
    before = call.media.heard.packets
    await until(lambda: call.media.transport and call.media.transport.state == "disconnected")
    assert call.media.heard.packets < before + 20
    sandbox.set_media_faults()
    await until(lambda: call.media.heard.packets > before + 40)
