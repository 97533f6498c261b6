"""Calls through the stack with media: what one end sends is measured at the other."""

from __future__ import annotations

import json

from app.protocols.sip.events import CallProgress, MessageReceived
from tests.sandbox.wazo.conftest import MakePhone, MakeSandbox, SignIn
from tests.sandbox.wazo.phone import until


async def test_echo_gives_back_sound_and_pictures(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("600", video=True, tone=700)
    call.media.decode = True
    phone.film(call, "phone camera")
    await until(lambda: call.hears(700))
    seen = await until(lambda: call.media.track(""))
    await until(lambda: seen.stamp)
    leg = sandbox.legs("alice")[0]
    assert leg.media.heard.tone_power(700) > 800 and leg.media.seen.keyframes
    phone.hang_up(call)
    await until(lambda: not sandbox.legs())


async def test_two_phones_talk_and_hold(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    alice, bob = await make_phone(sandbox, "alice"), await make_phone(sandbox, "bob")
    events = await (await sign_in(sandbox, "alice")).events()
    mine = await alice.call("1002", tone=500, wait=False)
    theirs = await bob.answer(tone=900)
    await until(lambda: mine.hears(900) and theirs.hears(500))
    created = await events.wait("call_created")
    assert created["sip_call_id"] == mine.key
    assert bob.incoming().headers.get("X-Wazo-Call-ID") == sandbox.legs("bob")[0].id
    await mine.reinvite("sendonly")
    assert (await events.wait("call_held"))["call_id"] == created["call_id"]
    theirs.media.heard.clear()
    await until(lambda: theirs.hears(330) and not theirs.hears(500, 300))
    await mine.reinvite("sendrecv")
    await events.wait("call_resumed")
    theirs.media.heard.clear()
    await until(lambda: theirs.hears(500) and not theirs.hears(330, 300))
    bob.hang_up(theirs)
    await until(lambda: mine.state == "ended")
    await events.wait("call_log_user_created")


async def test_refusals(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox(ring_s=0.3)
    phone = await make_phone(sandbox)
    for number, status in (("602", 486), ("603", 603), ("606", 480), ("607", 488), ("5550000", 404), ("1003", 480)):
        call = await phone.call(number)
        assert phone.ended(call).status == status, number


async def test_ring_cancel_and_early_media(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("605", wait=False)
    await until(lambda: [e for e in call.events(CallProgress) if e.status == 180])
    phone.hang_up(call)
    assert (await until(lambda: phone.ended(call))).status == 487
    early = await phone.call("601", wait=False)
    await until(lambda: early.hears(440))
    assert early.state == "proceeding"
    await until(lambda: early.state == "confirmed")


async def test_all_phones_ring_and_losers_hear_of_it(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, first, second = [await make_phone(sandbox, name) for name in ("alice", "bob", "bob")]
    await alice.call("1002", wait=False)
    await until(lambda: first.incoming() and second.incoming())
    await first.answer()
    lost = await until(lambda: second.ended(next(iter(second.calls.values()))))
    assert lost.elsewhere and len(sandbox.contacts("bob")) == 2


async def test_ivr_reads_back_both_kinds_of_digits(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    import time

    sandbox = await make_sandbox()
    phone = await make_phone(sandbox)
    call = await phone.call("609")
    phone.agent.dtmf(call.key, "5", time.monotonic())
    phone.pump()
    await until(lambda: call.hears(770, 400) and call.hears(1336, 400))
    assert sandbox.legs("alice")[0].media.heard.digits == [("5", "info")]


async def test_messages_are_relayed(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    import time

    sandbox = await make_sandbox()
    alice, bob = await make_phone(sandbox, "alice"), await make_phone(sandbox, "bob")
    mine = await alice.call("1002", wait=False)
    theirs = await bob.answer()
    body = json.dumps({"type": "message/TYPE_CHAT", "content": "hello"})
    await until(lambda: alice.agent.can_offer(mine.key))
    alice.agent.message("", body, time.monotonic(), content_type="application/json", call=mine.key)
    alice.pump()
    got = await until(lambda: theirs.events(MessageReceived))
    assert got[0].body == body and got[0].content_type == "application/json"
    assert sandbox.legs("alice")[0].messages[0].body == body
