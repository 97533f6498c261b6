"""JsSIP in Chromium calls our phone and is called by it, over Kamailio: somebody else's SIP, SDP and media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.calls import actions as ac
from app.calls import phone as ph
from app.media.tones import DTMF_COLUMNS, DTMF_KEYS, DTMF_ROWS
from tests.interop.sip.browser import Browser
from tests.interop.sip.kamailio import DOMAIN, Kamailio
from tests.interop.sip.phone import Call, Phone

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]
SOURCE, PAGE_HZ, OUR_HZ = 4711, 1000.0, 440.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sides(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Phone, Browser]]:
    users = {"alice": "alice secret", "page": "page secret"}
    async with Kamailio(tmp_path_factory.mktemp("kamailio"), users) as server, Browser() as browser:
        options = {"source": SOURCE, "hz": PAGE_HZ, "url": server.url(), "uri": f"sip:page@{DOMAIN}"}
        await browser.do("options => start(options)", {**options, "password": users["page"]})
        async with Phone(server.url(), "alice", users["alice"], domain=DOMAIN, tone_hz=OUR_HZ) as alice:
            yield alice, browser


def loud(report: dict[str, Any]) -> bool:
    """The frequency asked for is (nearly) the loudest."""
    return bool(report["heard"]["level"] > -70 and report["heard"]["level"] > report["heard"]["peak"] - 6)


def quiet(report: dict[str, Any]) -> bool:
    return bool(report["heard"]["level"] < -80)


async def both_see_and_hear(alice: Phone, call: Call, browser: Browser) -> None:
    await alice.until(lambda: alice.hears(PAGE_HZ))
    await call.sees()
    assert {stamp.source for stamp, _ in call.stamps()} == {SOURCE}
    first = await browser.until(lambda r: r["stamp"] and loud(r), hz=OUR_HZ)
    await browser.until(lambda r: r["stamp"] and r["stamp"]["number"] > first["stamp"]["number"])


async def hold_and_resume(alice: Phone, call: Call, browser: Browser) -> None:
    await call.perform(ph.SetHold(True))
    await browser.until(lambda r: "hold remote" in r["holds"] and quiet(r), hz=OUR_HZ)
    await alice.until(alice.silent)
    await call.perform(ph.SetHold(False))
    await browser.until(lambda r: r["holds"][-1] == "unhold remote")
    await both_see_and_hear(alice, call, browser)
    await browser.do("() => session.hold()")
    await call.until(lambda: call.info.held_by_remote)
    await alice.until(alice.silent)
    await browser.do("() => session.unhold()")
    await call.until(lambda: not call.info.held_by_remote)
    await both_see_and_hear(alice, call, browser)


async def test_our_phone_calls_the_page(sides: tuple[Phone, Browser]) -> None:
    alice, browser = sides
    call = await alice.call("page", video=True)
    await browser.until(lambda r: r["incoming"] == 1)
    await call.until(lambda: call.info.ringing)
    await browser.do("() => answer()")
    await call.until_active()
    await both_see_and_hear(alice, call, browser)
    await hold_and_resume(alice, call, browser)

    # The browser plays telephone events as the sound of the key.
    for key in "5#":
        row, column = divmod(DTMF_KEYS.index(key), 4)
        await call.perform(ac.SendDtmf(key, 2500, 50))
        async with asyncio.timeout(20):
            while True:
                both = await browser.do("hz => hz.map(heard)", [DTMF_ROWS[row], DTMF_COLUMNS[column]])
                if all(loud({"heard": one}) for one in both):
                    break
                await asyncio.sleep(0.05)
        await browser.until(loud, hz=OUR_HZ)
    alice.phone.do(lambda a, now: a.dtmf(call.session.sip_key, "9", now))
    await browser.until(lambda r: r["tones"] == ["9"])
    await call.perform(ac.Leave())
    await browser.until(lambda r: r["ended"] and r["ended"][-1].startswith("ended remote"))
    assert await call.until_over() == "normal"
    assert not browser.errors


async def test_the_page_calls_our_phone(sides: tuple[Phone, Browser]) -> None:
    alice, browser = sides
    await browser.do("target => call(target)", f"sip:alice@{DOMAIN}")
    call = await alice.ringing()
    assert call.info.remote_name == "Chromium" and call.info.offers_video
    await browser.until(lambda r: "progress" in r["states"])
    await call.answer(video=True)
    await both_see_and_hear(alice, call, browser)
    await hold_and_resume(alice, call, browser)
    await browser.do("() => session.sendDTMF('31', {transportType: 'RFC2833', duration: 100, interToneGap: 70})")
    await alice.until(lambda: "".join(alice.keys) == "31")
    await browser.do("() => session.sendDTMF('8', {transportType: 'INFO'})")
    await call.until(lambda: call.tones == "8")
    await browser.do("() => session.terminate()")
    assert await call.until_over() == "normal"
    await browser.do("target => call(target)", f"sip:alice@{DOMAIN}")
    call = await alice.ringing()
    await call.perform(ph.Decline())
    await browser.until(lambda r: r["ended"][-1].startswith("failed remote"))
    assert not browser.errors
