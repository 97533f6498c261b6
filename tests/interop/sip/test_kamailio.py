"""Two and more of our phones at a real Kamailio: registration, calls with measured media, hold, tones, transfers,
refusals, forks and a cut connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.accounts import Registration
from app.calls.model import CallPhase
from app.protocols.sip import events as sip
from tests.interop.prosody import Wire
from tests.interop.sip.kamailio import DOMAIN, Kamailio
from tests.interop.sip.phone import Call, Phone

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]
USERS = {"alice": "alice secret", "bob": "bob secret", "carol": "carol secret"}
TONES = {"alice": 440.0, "bob": 1000.0, "carol": 2000.0}


class Place:
    def __init__(self, server: Kamailio) -> None:
        self.server = server

    def phone(self, name: str, *, password: str | None = None, port: int | None = None, **options: Any) -> Phone:
        options = {"tone_hz": TONES[name], **options}
        return Phone(self.server.url(port), name, password or USERS[name], domain=DOMAIN, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("kamailio")
    async with Kamailio(folder, USERS) as server:
        yield Place(server)


async def talk(caller: Phone, callee: Phone, *, video: bool = False) -> tuple[Call, Call]:
    """A call that is answered and in which both hear each other."""
    out = await caller.call(callee.name, video=video)
    into = await callee.ringing()
    await out.until(lambda: out.info.ringing)
    await into.answer(video=video)
    await out.until_active()
    await caller.until(lambda: caller.hears(callee.tone_hz))
    await callee.until(lambda: callee.hears(caller.tone_hz))
    return out, into


async def hang_up(call: Call, *others: Call) -> None:
    await call.perform(ac.Leave())
    for one in (call, *others):
        assert await one.until_over() == "normal"


async def test_registration(place: Place) -> None:
    wrong = place.phone("alice", password="not hers")
    with pytest.raises(AssertionError, match="sip_credentials"):
        await wrong.__aenter__()
    assert wrong.states[-1][0] is Registration.REFUSED or any(s is Registration.REFUSED for s, _ in wrong.states)
    async with place.phone("alice") as alice:
        assert alice.phone.registered
        answers = [s for s, _ in alice.states]
        alice.phone.do(lambda a, now: a.register(now))
        key = alice.phone.do(lambda a, now: a.options(now))
        await alice.until(lambda: any(isinstance(e, sip.RequestAnswered) and e.id == key for e in alice.sip))
        assert alice.phone.registered and answers.count(Registration.REGISTERED) == 1
        assert next(e.status for e in alice.sip if isinstance(e, sip.RequestAnswered)) == 200
    assert alice.states[-1][0] is Registration.NONE
    async with place.phone("bob") as bob:
        assert await (await bob.call("alice")).until_over() == "not_found"


async def test_sound_and_picture_hold_and_tones(place: Place) -> None:
    async with place.phone("alice") as alice, place.phone("bob") as bob:
        out, into = await talk(alice, bob, video=True)
        assert into.info.remote_name == "Alice" and into.info.remote_number == "alice" and into.info.offers_video
        await asyncio.gather(out.sees(of="bob"), into.sees(of="alice"))
        numbers = [stamp.number for stamp, _ in into.stamps()]
        assert numbers == sorted(numbers)

        await out.perform(ph.SetHold(True))
        await into.until(lambda: into.info.held_by_remote)
        await alice.until(alice.silent)
        await bob.until(bob.silent)
        await out.perform(ph.SetHold(False))
        await into.until(lambda: not into.info.held_by_remote)
        await alice.until(lambda: alice.hears(bob.tone_hz))
        await bob.until(lambda: bob.hears(alice.tone_hz))
        await asyncio.gather(out.sees(), into.sees())
        await into.perform(ph.SetHold(True))
        await out.until(lambda: out.info.held_by_remote)
        await into.perform(ph.SetHold(False))

        await out.perform(ac.SendDtmf("12#", 80, 40))
        await bob.until(lambda: "".join(bob.keys) == "12#")
        for digit in "7*":
            alice.phone.do(lambda a, now, digit=digit: a.dtmf(out.session.sip_key, digit, now))
        await into.until(lambda: into.tones == "7*")
        await out.perform(ac.SendMessage("<b>hello</b>"))
        await into.until(lambda: [e.message.text for e in into.of(ev.MessageReceived)] == ["<b>hello</b>"])
        await hang_up(into, out)


@pytest.mark.parametrize("attended", [False, True], ids=["blind", "attended"])
async def test_transfer(place: Place, attended: bool) -> None:
    async with (
        place.phone("alice") as alice,
        place.phone("bob", obliging=True) as bob,
        place.phone("carol") as carol,
    ):
        out, into = await talk(alice, bob)
        if attended:
            await out.perform(ph.SetHold(True))
            consult, at_carol = await talk(alice, carol)
            moving = asyncio.create_task(out.perform(ph.TransferTo(call_id=consult.session.call_id)))
        else:
            moving = asyncio.create_task(out.perform(ph.TransferTo("carol")))
        final = await carol.ringing()
        assert final.info.remote_number == "bob"
        await final.answer()
        await moving
        await bob.until(lambda: bob.hears(carol.tone_hz) and not bob.hears(alice.tone_hz))
        await carol.until(lambda: carol.hears(bob.tone_hz) and not carol.hears(alice.tone_hz))
        for one in (out, into, *((consult, at_carol) if attended else ())):
            assert await one.until_over() == "normal"
        await hang_up(bob.made, final)


async def test_no_call(place: Place) -> None:
    async with place.phone("alice") as alice, place.phone("bob") as bob:
        out = await alice.call("nobody")
        assert await out.until_over() == "not_found"
        out = await alice.call("bob")
        into = await bob.ringing()
        await into.perform(ph.Decline())
        assert (await out.until_over(), await into.until_over()) == ("declined", "declined")
        out = await alice.call("bob")
        into = await bob.ringing()
        await into.perform(ph.Decline(to_voicemail=True))
        assert await out.until_over() == "busy"
        out = await alice.call("bob")
        into = await bob.ringing()
        await out.until(lambda: out.info.ringing)
        await out.perform(ac.Leave())
        assert await into.until_over() == "cancelled" and not into.info.answered_elsewhere
        assert await out.until_over() == "cancelled"


async def test_all_of_bobs_phones_ring_and_one_answers(place: Place) -> None:
    async with (
        place.phone("alice") as alice,
        place.phone("bob") as desk,
        place.phone("bob", tone_hz=1500.0) as kitchen,
    ):
        out = await alice.call("bob")
        here, there = await asyncio.gather(desk.ringing(), kitchen.ringing())
        await there.answer()
        await out.until_active()
        assert await here.until_over() == "elsewhere"
        await alice.until(lambda: alice.hears(1500.0))
        await kitchen.until(lambda: kitchen.hears(alice.tone_hz))
        await hang_up(out, there)
        # Whoever declines at one phone declines for all.
        out = await alice.call("bob")
        here, there = await asyncio.gather(desk.ringing(), kitchen.ringing())
        await here.perform(ph.Decline())
        assert await out.until_over() == "declined"
        assert await there.until_over() in ("cancelled", "elsewhere")


async def test_socket_is_cut_in_a_call(place: Place) -> None:
    async with (
        Wire(place.server.port) as wire,
        place.phone("alice", port=wire.port) as alice,
        place.phone("bob") as bob,
    ):
        out, into = await talk(alice, bob)
        wire.cut()
        await alice.until(lambda: alice.connections == [False])
        await alice.until(lambda: alice.states[-1][0] is Registration.LOST)
        # Sound does not go through the socket.
        for phone in (alice, bob):
            phone.ear._blocks.clear()
        await alice.until(lambda: alice.hears(bob.tone_hz))
        await bob.until(lambda: bob.hears(alice.tone_hz))
        wire.mend()
        await alice.until(lambda: alice.connections == [False, True] and alice.phone.registered)
        await alice.until(lambda: any(isinstance(e, sip.AnswerReceived) for e in alice.sip))
        await alice.until(lambda: out.phase is CallPhase.JOINED)
        assert into.phase is CallPhase.JOINED
        for phone in (alice, bob):
            phone.ear._blocks.clear()
        await alice.until(lambda: alice.hears(bob.tone_hz))
        await bob.until(lambda: bob.hears(alice.tone_hz))
        await into.perform(ph.SetHold(True))
        await out.until(lambda: out.info.held_by_remote)
        await into.perform(ph.SetHold(False))
        await hang_up(into, out)
