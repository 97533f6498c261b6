"""Parley and Wazo's own client library on the same stack: each calls the other, and both meet in a room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.model import MediaKind
from app.media.stamp import read_bgra
from app.sandbox.wazo import WazoSandbox
from tests.e2e.wazo_call import PhoneCall, Someone
from tests.interop.wazo.browser import SdkBrowser, SdkPage
from tests.sandbox.wazo.phone import until

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]
PAGE_HZ, PAGE_SOURCE, PARLEY_HZ = 1500, 22, 440


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox(bots=0, people=50, call_log=20) as running:
        yield running


@pytest_asyncio.fixture
async def page(sandbox: WazoSandbox) -> AsyncIterator[SdkPage]:
    async with SdkBrowser(sandbox) as browser:
        opened = await browser.open(hz=PAGE_HZ, source=PAGE_SOURCE)
        await opened.sign_in("bob")
        yield opened


def picture_of(call: PhoneCall, source: str) -> Any:
    """The stamp of the newest picture of a remote source, as the window would paint it."""
    assert call.session is not None and call.session.transport is not None
    slot = call.session.transport.slot(source)
    picture = slot.take()
    return read_bgra(picture.data, picture.width, picture.height, picture.stride) if picture is not None else None


async def parley_sees_page(call: PhoneCall) -> None:
    state = await call.until(lambda s: any(x.kind is MediaKind.VIDEO and x.receiving for x in s.sources.values()))
    name = next(x.name for x in state.sources.values() if x.kind is MediaKind.VIDEO and x.receiving)
    assert call.session is not None and call.session.transport is not None
    detach = call.session.transport.slot(name).attach(lambda: None)
    try:
        stamp = await until(lambda: picture_of(call, name))
    finally:
        detach()
    assert stamp.source == PAGE_SOURCE


async def page_sees_parley(page: SdkPage) -> None:
    await page.wait("source => probe.stamps().some(s => s.source && s.source !== source)", argument=PAGE_SOURCE)


async def test_parley_calls_the_library(sandbox: WazoSandbox, page: SdkPage) -> None:
    async with Someone(sandbox, "alice") as alice:
        call = alice.dial("1002", video=True)
        await page.event("ON_CALL_INCOMING")
        await page.act("answer", True)
        assert call.joining is not None
        await call.joining
        await page.hears(PARLEY_HZ)
        await call.hears()
        assert sandbox.legs("bob")[0].media.heard.tone_power(PAGE_HZ) > 500
        await page_sees_parley(page)
        await parley_sees_page(call)
        await call.do(ph.SetHold(True))
        await until(lambda: sandbox.legs("alice")[0].held)
        await page.quiet_at(PARLEY_HZ)
        await page.hears(330)
        await call.do(ph.SetHold(False))
        await page.hears(PARLEY_HZ)
        await call.do(ac.SendMessage("hello page"))
        await page.wait("() => seen.chats.includes('hello page')")
        await page.act("chat", "hello Parley")
        await call.event(ev.MessageReceived, lambda e: e.message.text == "hello Parley")
        await page.act("hangup")
        await call.until(lambda s: s.phone.cause == "normal")


async def test_the_library_calls_parley_which_transfers_it(sandbox: WazoSandbox, page: SdkPage) -> None:
    async with Someone(sandbox, "alice") as alice:
        await page.act("call", "1001")
        call = await alice.rings()
        await call.until(lambda s: s.phone.remote_name == "Bob Baker")
        await call.do(ph.Answer())
        await page.hears(PARLEY_HZ)
        await call.hears()
        await page.act("signal", {"colour": "green"})
        await call.event(ev.EndpointMessageReceived, lambda e: "green" in str(e.payload))
        await call.do(ph.TransferTo("609"))
        await until(lambda: not sandbox.legs("alice"))
        await page.act("dtmf", "7")
        await page.hears(852, -60)


async def test_both_in_a_room(sandbox: WazoSandbox, page: SdkPage) -> None:
    async with Someone(sandbox, "alice") as alice:
        call = await alice.call("700", video=True, room=True)
        await page.act("joinRoom", "700")
        await call.until(lambda s: any(p.name == "Bob Baker" for p in s.participants.values()))
        await page.wait("() => act.rooms().some(p => p.name === 'Alice Archer')")
        await page_sees_parley(page)
        await parley_sees_page(call)
        await page.hears(PARLEY_HZ)
        await call.hears()
        await page.act("roomChat", "hi room")
        await call.event(ev.MessageReceived, lambda e: e.message.text == "hi room")
        await call.do(ac.SendMessage("hi from Parley"))
        await page.wait("() => seen.chats.includes('hi from Parley')")
