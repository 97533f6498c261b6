"""Transfers, merging, relocation, voicemail and forwards, seen at the ends."""

from __future__ import annotations

import time
from typing import Any

from app.sandbox.wazo import WazoSandbox
from tests.sandbox.wazo.conftest import MakePhone, MakeSandbox, SignIn
from tests.sandbox.wazo.phone import Phone, PhoneCall, until


async def three(sandbox: WazoSandbox, make_phone: MakePhone) -> tuple[Phone, Phone, Phone, PhoneCall, PhoneCall]:
    """Alice (500 Hz) talks to Bob (700 Hz); Carol is there."""
    alice, bob, carol = [await make_phone(sandbox, name) for name in ("alice", "bob", "carol")]
    mine = await alice.call("1002", tone=500, wait=False)
    theirs = await bob.answer(tone=700)
    await until(lambda: mine.hears(700) and theirs.hears(500))
    return alice, bob, carol, mine, theirs


async def test_blind_by_refer(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, _, carol, mine, theirs = await three(sandbox, make_phone)
    alice.agent.refer(mine.key, "sip:1003@127.0.0.1", time.monotonic())
    alice.pump()
    hers = await carol.answer(tone=900)
    await until(lambda: theirs.hears(900) and hers.hears(700))
    await until(lambda: mine.state == "ended")


async def test_attended_by_refer_with_replaces(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, _, carol, mine, theirs = await three(sandbox, make_phone)
    await mine.reinvite("sendonly")
    consult = await alice.call("1003", tone=600, wait=False)
    hers = await carol.answer(tone=900)
    await until(lambda: consult.state == "confirmed" and hers.hears(600))
    alice.agent.refer(mine.key, "", time.monotonic(), replaces_call=consult.key)
    alice.pump()
    await until(lambda: theirs.hears(900) and hers.hears(700))
    await until(lambda: mine.state == consult.state == "ended")


async def test_attended_and_cancelled_by_calld(
    make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn
) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    alice, _, carol, mine, theirs = await three(sandbox, make_phone)
    body = {"initiator_call": sandbox.legs("alice")[0].id, "exten": "1003", "flow": "attended"}
    transfer = (await client.call("POST", "calld/1.0/users/me/transfers", body)).data
    theirs.media.heard.clear()
    await until(lambda: theirs.hears(330))
    hers = await carol.answer(tone=900)
    await events.wait("transfer_answered")
    await until(lambda: mine.hears(900) and hers.hears(500))
    assert (await client.call("DELETE", f"calld/1.0/users/me/transfers/{transfer['id']}")).status == 204
    mine.media.heard.clear()
    await until(lambda: mine.hears(700) and hers.state == "ended")
    transfer = (await client.call("POST", "calld/1.0/users/me/transfers", body)).data
    carol.events.clear()
    hers = await carol.answer(tone=900)
    await events.wait("transfer_answered", lambda d: d["id"] == transfer["id"])
    assert (await client.call("PUT", f"calld/1.0/users/me/transfers/{transfer['id']}/complete")).status == 204
    await until(lambda: theirs.hears(900) and hers.hears(700) and mine.state == "ended")


async def test_ad_hoc_conference(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    events = await client.events()
    alice, _, carol, mine, theirs = await three(sandbox, make_phone)
    second = await alice.call("1003", tone=500, wait=False)
    hers = await carol.answer(tone=900)
    await until(lambda: second.hears(900))
    host = next(leg for leg in sandbox.legs("alice") if leg.sip_call_id == mine.key)
    remote = [sandbox.legs("bob")[0].id, sandbox.legs("carol")[0].id]
    body = {"host_call_id": host.id, "participant_call_ids": remote}
    made = await client.call("POST", "calld/1.0/users/me/conferences/adhoc", body)
    assert made.status == 201 and (await events.wait("conference_adhoc_created"))["conference_id"]
    await until(lambda: second.state == "ended")
    await until(
        lambda: mine.hears(700) and mine.hears(900) and theirs.hears(900) and hers.hears(700) and hers.hears(500)
    )
    path = f"calld/1.0/users/me/conferences/adhoc/{made.data['conference_id']}"
    assert (await client.call("DELETE", f"{path}/participants/{remote[1]}")).status == 204
    await until(lambda: hers.state == "ended" and mine.state == "confirmed")
    assert (await client.call("DELETE", path)).status == 204
    await until(lambda: mine.state == theirs.state == "ended")
    await events.wait("conference_adhoc_deleted")


async def test_relocation_to_another_line(make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn) -> None:
    sandbox = await make_sandbox()
    client = await sign_in(sandbox)
    mobile = await make_phone(sandbox, "alice", line=1)
    alice, _, _, mine, theirs = await three(sandbox, make_phone)
    place = {"line_id": sandbox.user("alice").lines[1].id, "contact": mobile.contact}
    leg = next(leg for leg in sandbox.legs("alice") if leg.sip_call_id == mine.key)
    body: dict[str, Any] = {"initiator_call": leg.id, "destination": "line", "location": place, "auto_answer": True}
    assert (await client.call("POST", "calld/1.0/users/me/relocates", body)).status == 201
    moved = await mobile.answer(tone=1100)
    assert mobile.incoming().headers.get("Answer-Mode") == "Auto"
    await until(lambda: theirs.hears(1100) and moved.hears(700) and mine.state == "ended")


async def test_nobody_answers_so_voicemail_records(
    make_sandbox: MakeSandbox, make_phone: MakePhone, sign_in: SignIn
) -> None:
    sandbox = await make_sandbox(ring_s=0.3)
    events = await (await sign_in(sandbox, "bob")).events()
    alice, _ = await make_phone(sandbox, "alice"), await make_phone(sandbox, "bob")
    call = await alice.call("1002", tone=500)
    await until(lambda: call.hears(1000, 300))
    await until(lambda: sandbox.legs("alice")[0].media.heard.packets > 30)
    alice.hang_up(call)
    told = await events.wait("user_voicemail_message_created")
    assert told["message"]["caller_id_num"] == "1001"
    assert sandbox.user("bob").voicemails[0]["audio"][:4] == b"RIFF"


async def test_forward_and_do_not_disturb(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice, bob, carol = [await make_phone(sandbox, name) for name in ("alice", "bob", "carol")]
    sandbox.user("bob").forwards["unconditional"] = {"enabled": True, "destination": "1003"}
    call = await alice.call("1002", wait=False)
    hers = await until(carol.incoming)
    assert "reason=unconditional" in hers.headers.get("Diversion") and bob.incoming() is None
    alice.hang_up(call)
    sandbox.state.set_dnd(sandbox.user("carol"), True)
    busy = await alice.call("1003")
    assert alice.ended(busy).status == 486


async def test_colleague_calls(make_sandbox: MakeSandbox, make_phone: MakePhone) -> None:
    sandbox = await make_sandbox()
    alice = await make_phone(sandbox)
    sandbox.colleague.call(sandbox.user("alice"), video=True)
    call = await alice.answer()
    assert alice.incoming().from_name == sandbox.colleague.name
    await until(lambda: call.hears(587))
    call.media.decode = True
    await until(lambda: (seen := call.media.track("")) and seen.stamp)
