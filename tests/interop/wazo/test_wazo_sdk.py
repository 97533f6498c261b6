"""Wazo's own client library against the sandbox: what it does with a real stack must work here too."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.media.stamp import source_id
from app.protocols.sip.events import MessageReceived
from app.sandbox.wazo import WazoSandbox
from tests.interop.wazo.browser import SdkBrowser
from tests.sandbox.wazo.phone import Phone, until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(bots=2, people=50, call_log=20) as running:
        yield running


@pytest_asyncio.fixture
async def browser(sandbox: WazoSandbox) -> AsyncIterator[SdkBrowser]:
    async with SdkBrowser(sandbox) as running:
        yield running


@pytest_asyncio.fixture
async def bob(sandbox: WazoSandbox) -> AsyncIterator[Phone]:
    phone = Phone(sandbox, "bob")
    await phone.open()
    yield phone
    await phone.close()


async def test_signs_in_registers_and_uses_services(sandbox: WazoSandbox, browser: SdkBrowser) -> None:
    page = await browser.open()
    session = await page.sign_in("alice")
    assert session["uuid"] == sandbox.user("alice").uuid and session["version"] == "26.08"
    assert len(sandbox.contacts("alice")) == 1
    assert await page.act("directory", "bob") == ["Bob Baker"]
    assert await page.act("voicemails") == 3
    assert await page.act("callLog") == 5
    assert await page.act("presence", sandbox.user("bob").uuid) == "available"
    await page.act("logout")
    assert not sandbox.state.sessions_of(sandbox.user("alice").uuid)


async def test_echo_holds_digits_and_pictures(sandbox: WazoSandbox, browser: SdkBrowser) -> None:
    page = await browser.open(hz=700, source=77)
    await page.sign_in("alice")
    await page.act("call", "600", True)
    await page.event("ON_CALL_ACCEPTED")
    await page.hears(700)
    await page.sees(77)
    leg = sandbox.legs("alice")[0]
    leg.media.seen.decode = True
    assert (await until(lambda: leg.media.seen.stamp)).source == 77
    assert leg.media.heard.tone_power(700) > 800
    await page.act("hold")
    await until(lambda: leg.held)
    await page.quiet_at(700)
    await page.act("resume")
    await until(lambda: not leg.held)
    await page.hears(700)
    await page.act("hangup")
    await until(lambda: not sandbox.legs())


async def test_digits_are_read_back(sandbox: WazoSandbox, browser: SdkBrowser) -> None:
    page = await browser.open()
    await page.sign_in("alice")
    await page.act("call", "609")
    await page.event("ON_CALL_ACCEPTED")
    leg = sandbox.legs("alice")[0]
    await until(lambda: leg.media.connected)
    await page.act("dtmf", "5")
    await page.hears(770, -60)
    assert leg.media.heard.digits == [("5", "rfc4733")]


async def test_is_called_chats_and_transfers(sandbox: WazoSandbox, browser: SdkBrowser, bob: Phone) -> None:
    page = await browser.open(hz=700)
    await page.sign_in("alice")
    call = await bob.call("1001", tone=900, wait=False)
    await page.event("ON_CALL_INCOMING")
    await page.act("answer")
    await until(lambda: call.hears(700))
    await page.hears(900)
    await page.act("chat", "hello there")
    got = await until(lambda: call.events(MessageReceived))
    assert "hello there" in got[0].body and "TYPE_CHAT" in got[0].body
    await page.act("transfer", "609")
    await until(lambda: not sandbox.legs("alice"))
    bob.agent.dtmf(call.key, "1", time.monotonic())
    bob.pump()
    await until(lambda: call.hears(697, 400) and call.hears(1209, 400))


async def test_consults_and_completes(sandbox: WazoSandbox, browser: SdkBrowser, bob: Phone) -> None:
    page, carol = await browser.open(hz=700), Phone(sandbox, "carol")
    await carol.open()
    try:
        await page.sign_in("alice")
        await page.act("call", "1002")
        first = await bob.answer(tone=900)
        await until(lambda: first.hears(700))
        await page.act("consult", "1003")
        second = await carol.answer(tone=1100)
        await until(lambda: second.hears(700))
        await page.act("complete")
        await until(lambda: first.hears(1100) and second.hears(900))
        await until(lambda: not sandbox.legs("alice"))
    finally:
        await carol.close()


async def test_rejects_and_hears_of_refusals(sandbox: WazoSandbox, browser: SdkBrowser, bob: Phone) -> None:
    page = await browser.open()
    await page.sign_in("carol")
    call = await bob.call("1003", wait=False)
    await page.event("ON_CALL_INCOMING")
    await page.act("reject")
    # The published library refuses with 480, later ones with 603, of which the server makes 403.
    assert (await until(lambda: bob.ended(call))).status in (403, 480)
    await page.act("call", "602")
    await page.event("ON_CALL_REJECTED")
    second = await bob.call("1003", wait=False)
    await page.event("ON_CALL_INCOMING", 2)
    bob.hang_up(second)
    await page.event("ON_CALL_CANCELED")


async def test_two_pages_call_each_other_with_video(sandbox: WazoSandbox, browser: SdkBrowser) -> None:
    first, second = await browser.open(hz=700, source=11), await browser.open(hz=1500, source=22)
    await first.sign_in("alice")
    await second.sign_in("bob")
    await first.act("call", "1002", True)
    await second.event("ON_CALL_INCOMING")
    await second.act("answer", True)
    await first.sees(22)
    await second.sees(11)
    await first.hears(1500)
    await second.hears(700)
    await first.act("hold")
    await second.hears(330)
    await first.act("resume")
    await second.hears(700)
    await second.act("hangup")
    await first.event("ON_CALL_ENDED")


async def test_room_maps_pictures_to_people(sandbox: WazoSandbox, browser: SdkBrowser) -> None:
    first, second = await browser.open(hz=700, source=11), await browser.open(hz=1500, source=22)
    for page, name in ((first, "alice"), (second, "bob")):
        await page.sign_in(name)
        await page.act("joinRoom", "700")
    seen = await first.sees(22)
    await second.sees(11)
    await first.sees(source_id("Marie"))
    bob_leg = sandbox.legs("bob")[0].id
    await first.wait(
        "([call, track]) => act.rooms().some(p => p.callId === call && p.tracks.includes(track))",
        argument=[bob_leg, seen["id"]],
    )
    assert len(await first.act("rooms")) == 4
    await first.hears(1500)
    await second.hears(700)
    await first.act("roomChat", "hi all")
    await second.wait("() => seen.chats.includes('hi all')")
    await first.act("roomSignal", {"colour": "red"})
    await second.wait("() => seen.signals.some(s => s.colour === 'red')")
    await second.act("roomLeave")
    await first.wait("() => act.rooms().length === 3")
    await first.wait("() => !probe.stamps().some(s => s.source === 22)")
