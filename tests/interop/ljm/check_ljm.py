"""The real lib-jitsi-meet in headless Chromium against the sandbox. Run it by name, with the library at hand:

    LIB_JITSI_MEET=/path/lib-jitsi-meet.min.js python -m pytest tests/interop/ljm/check_ljm.py

It fails when library or browser are missing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.media.stamp import source_id
from app.sandbox.jitsi import JitsiSandbox
from tests.interop.ljm.browser import LjmBrowser, LjmParticipant

pytestmark = pytest.mark.interop
ROOM = "interop"
VP8 = 100


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[LjmBrowser]:
    async with LjmBrowser() as running:
        yield running


def config(sandbox: JitsiSandbox, transport: str = "websocket", **more: Any) -> dict[str, Any]:
    data = sandbox.web.config("")
    return {**data, "serviceUrl": f"{data[transport]}?room={ROOM}", **more}


async def until(condition: Any, seconds: float = 20.0) -> Any:
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - the truth of the sandbox has no events
            await asyncio.sleep(0.1)
    return value


def clean(participant: LjmParticipant) -> bool:
    return not [line for line in participant.errors if "ResourceLoad" not in line]


@pytest.mark.parametrize("channel", ["sctp", "websocket"])
@pytest.mark.parametrize("rewriting", [True, False], ids=["rewritten", "signalled"])
async def test_media_flows_both_ways(browser: LjmBrowser, channel: str, rewriting: bool) -> None:
    async with JitsiSandbox(bots=2) as sandbox:
        settings = {"bridgeChannel": {"preferSctp": channel == "sctp"}, "flags": {"ssrcRewritingEnabled": rewriting}}
        ljm = await browser.join(config(sandbox, **settings), ROOM)
        await ljm.act("constraints", {"lastN": -1, "defaultConstraints": {"maxHeight": 720}})
        bots = [p for p in sandbox.participants(ROOM).values() if p.is_bot]

        def stamped(report: dict[str, Any]) -> bool:
            tracks = report["tracks"]
            return all(
                (tracks.get(f"{bot.id}-v0", {}).get("stamp") or {}).get("source") == source_id(f"{bot.id}-v0")
                and tracks[f"{bot.id}-v0"]["height"] == 720
                and tracks.get(f"{bot.id}-a0", {}).get("level", 0) > 0.05
                for bot in bots
            )

        await ljm.wait(stamped, 30)
        observer = await sandbox.observe(ROOM)
        mine = f"{ljm.id}-v0"
        await until(lambda: mine in observer.video and observer.video[mine].width >= 320)
        assert observer.video[mine].codec == "VP8"
        await until(lambda: f"{ljm.id}-a0" in observer.audio and observer.audio[f"{ljm.id}-a0"].packets > 50)
        await until(lambda: observer.audio[f"{ljm.id}-a0"].samples().any())
        truth = sandbox.participants(ROOM)[ljm.id]
        assert truth.channel == channel and truth.transport_state == "connected" and not truth.dropped_messages
        assert {layer.payload_type for layer in truth.sources[mine].layers if layer.packets} == {VP8}
        first = (await ljm.report())["tracks"][f"{bots[0].id}-v0"]["frames"]
        await asyncio.sleep(2)
        assert (await ljm.report())["tracks"][f"{bots[0].id}-v0"]["frames"] - first >= 45
        assert clean(ljm), ljm.errors


async def test_what_people_do_reaches_the_other_side(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1, quiet_bots=True) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM, name="Chromium Person")
        observer = await sandbox.observe(ROOM, "Watcher")
        await ljm.wait(lambda r: "Watcher" in r["participants"].values())
        assert observer.presences[ljm.id]["nick"] == "Chromium Person"
        await ljm.act("say", "hello from the browser")
        await until(lambda: (ljm.id, "hello from the browser", False) in observer.chat)
        await ljm.act("say", "only for you", observer.nick)
        await until(lambda: (ljm.id, "only for you", True) in observer.chat)
        observer.say("hello <b>browser</b>")
        await ljm.wait(lambda r: [observer.nick, "hello <b>browser</b>", False] in r["messages"])
        await ljm.act("hand", True)
        await until(lambda: observer.presences[ljm.id].get("jitsi_participant_raisedHand", "0") > "0")
        await ljm.act("subject", "Interoperability")
        await until(lambda: observer.subject == "Interoperability")
        await ljm.act("mute", "audio", True)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].muted("audio"))
        await ljm.act("endpoint", observer.nick, {"type": "test", "n": 7})
        await until(lambda: any(m.get("msgPayload") == {"type": "test", "n": 7} for m in observer.messages))
        observer.send_endpoint_message("", {"type": "back", "n": 8})
        await ljm.wait(lambda r: [observer.nick, {"type": "back", "n": 8}] in r["endpoint"])
        assert clean(ljm), ljm.errors


async def test_a_moderator_locks_mutes_and_kicks(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1, quiet_bots=True) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM)
        await ljm.wait(lambda r: r["role"] == "moderator")
        bot = next(p.id for p in sandbox.participants(ROOM).values() if p.is_bot)
        await ljm.act("lock", "s3cret")
        assert sandbox.room(ROOM).password == "s3cret"
        with pytest.raises(Exception, match="passwordRequired"):
            await browser.join(config(sandbox), ROOM)
        second = await browser.join(config(sandbox), ROOM, password="s3cret", name="Second")
        await ljm.wait(lambda r: second.id in r["participants"])
        await ljm.act("muteOther", bot, "audio")
        await until(lambda: sandbox.participants(ROOM)[bot].muted("audio"))
        await ljm.wait(lambda r: r["tracks"].get(f"{bot}-a0", {}).get("muted"))
        await ljm.act("kick", second.id, "out you go")
        await second.wait(lambda r: any(event[0] == "KICKED" for event in r["events"]))
        assert second.id not in sandbox.participants(ROOM)
        await ljm.act("lock", "")
        assert sandbox.room(ROOM).password == ""


async def test_it_is_muted_and_kicked_by_others_and_sees_who_speaks(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1, quiet_bots=True) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM)
        bot = next(p.id for p in sandbox.participants(ROOM).values() if p.is_bot)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].transport_state == "connected")
        await ljm.act("mute", "audio", True)
        sandbox.crew.bot(sandbox.conference(ROOM), bot).speaking = True
        await ljm.wait(lambda r: r["speakers"] and r["speakers"][-1] == [bot, False])
        sandbox.crew.bot(sandbox.conference(ROOM), bot).speaking = False
        await ljm.wait(lambda r: r["speakers"][-1] == [bot, True])
        await ljm.act("mute", "audio", False)
        sandbox.mute(ROOM, ljm.id, "audio", actor=bot)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].muted("audio"))
        sandbox.kick(ROOM, ljm.id, "the end", actor=bot)
        await ljm.wait(lambda r: any(event[0] == "KICKED" for event in r["events"]))


async def test_it_survives_a_lost_connection_and_a_move(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM)
        await ljm.act("constraints", {"lastN": -1, "defaultConstraints": {"maxHeight": 180}})
        bot = next(p.id for p in sandbox.participants(ROOM).values() if p.is_bot)
        await ljm.wait(lambda r: r["tracks"].get(f"{bot}-v0", {}).get("frames", 0) > 10)
        jid = sandbox.occupant(ROOM, ljm.id).session.jid
        sandbox.drop_connection(ROOM, ljm.id)
        await asyncio.sleep(6)
        await ljm.act("say", "still here")
        await until(lambda: any(entry.text == "still here" for entry in sandbox.room(ROOM).chat))
        assert sandbox.occupant(ROOM, ljm.id).session.jid == jid
        sandbox.move(ROOM, ljm.id)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].sessions_started == 2)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].transport_state == "connected")
        await ljm.act("constraints", {"lastN": -1, "defaultConstraints": {"maxHeight": 360}})
        await ljm.wait(lambda r: r["tracks"].get(f"{bot}-v0", {}).get("height") == 360)


async def test_parley_and_the_browser_see_and_hear_each_other(browser: LjmBrowser, tmp_path: Path) -> None:
    """Parley without a window, as a process of its own, next to Chromium."""
    report_file = tmp_path / "report.json"
    async with JitsiSandbox(bots=0) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM, name="Chromium")
        await ljm.act("constraints", {"lastN": -1, "defaultConstraints": {"maxHeight": 720}})
        arguments = ["join", sandbox.url(ROOM), "--headless", "--name", "Parley", "--video", "test", "--audio", "test"]
        arguments += ["--duration", "20", "--report", str(report_file)]
        parley = await asyncio.create_subprocess_exec(sys.executable, "-m", "app", *arguments)
        try:
            other = await until(lambda: [p for p in sandbox.participants(ROOM).values() if p.name == "Parley"])
            video, audio = f"{other[0].id}-v0", f"{other[0].id}-a0"
            first = await ljm.wait(lambda r: r["tracks"].get(video, {}).get("stamp"), 30)
            number = first["tracks"][video]["stamp"]["number"]
            await ljm.wait(lambda r: (r["tracks"].get(video, {}).get("stamp") or {}).get("number", 0) > number + 60)
            await ljm.wait(lambda r: r["tracks"].get(audio, {}).get("level", 0) > 0.02)
            await ljm.act("say", "hello Parley")
            assert await asyncio.wait_for(parley.wait(), 60) == 0
        finally:
            if parley.returncode is None:
                parley.terminate()
        report = json.loads(report_file.read_text())
        tracks = {track["source"]: track for track in report["remote_tracks"]}
        seen, heard = tracks[f"{ljm.id}-v0"], tracks[f"{ljm.id}-a0"]
        assert seen["codec"] == "VP8" and seen["fps"] >= 5 and seen["height"] >= 90
        assert heard["codec"] == "opus" and heard["audio_level_dbov"] is not None
        print("Parley saw", seen, "and heard", heard)
        assert clean(ljm), ljm.errors


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_it_asks_for_a_new_session_when_the_bridge_died(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1) as sandbox:
        ljm = await browser.join(config(sandbox), ROOM)
        await ljm.act("constraints", {"lastN": -1, "defaultConstraints": {"maxHeight": 180}})
        bot = next(p.id for p in sandbox.participants(ROOM).values() if p.is_bot)
        await ljm.wait(lambda r: r["tracks"].get(f"{bot}-v0", {}).get("frames", 0) > 10)
        sandbox.kill_bridge(ROOM)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].sessions_started == 2, 150)
        assert ("session-terminate", "result") in sandbox.participants(ROOM)[ljm.id].jingle_log
        await until(lambda: sandbox.participants(ROOM)[ljm.id].transport_state == "connected")
        seen = (await ljm.report())["tracks"].get(f"{bot}-v0", {}).get("frames", 0)
        await ljm.wait(lambda r: r["tracks"].get(f"{bot}-v0", {}).get("frames", 0) > seen + 10)


async def test_bosh_and_passwords(browser: LjmBrowser) -> None:
    async with JitsiSandbox(bots=1, quiet_bots=True, accounts={"ada": "secret"}, login_required=True) as sandbox:
        with pytest.raises(Exception, match="passwordRequired"):
            await browser.join(config(sandbox), ROOM)
        login = {"id": f"ada@{sandbox.options.domain}", "password": "secret"}
        ljm = await browser.join(config(sandbox, "bosh"), ROOM, login=login)
        await until(lambda: sandbox.participants(ROOM)[ljm.id].transport_state == "connected")
        assert sandbox.participants(ROOM)[ljm.id].real_jid.startswith(f"ada@{sandbox.options.domain}/")
        assert sandbox.web.bosh.sessions
