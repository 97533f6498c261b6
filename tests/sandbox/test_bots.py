"""Synthetic participants and the observer that measures media."""

from __future__ import annotations

import asyncio

from app.media.stamp import source_id
from app.sandbox.jitsi import ThreadedSandbox


async def until(condition, seconds: float = 15.0):
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - the truth of the sandbox has no events
            await asyncio.sleep(0.05)
    return value


def bots(sandbox):
    return [p for p in sandbox.participants("room").values() if p.is_bot]


async def test_bots_come_with_the_first_person_and_go_with_the_last(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=3)
    client = make_client(sandbox)
    await client.enter()
    await until(lambda: len(bots(sandbox)) == 3)
    assert sandbox.participants("room")[client.nick].role == "moderator"
    assert len({bot.name for bot in bots(sandbox)}) == 3
    await client.wait(lambda s: s.has("session-initiate"))
    await client.close()
    await until(lambda: not sandbox.participants("room"))


async def test_an_observer_sees_stamps_and_hears_tones(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=2)
    client = make_client(sandbox)
    await client.enter()
    await until(lambda: len(bots(sandbox)) == 2)
    observer = await sandbox.observe("room")
    speaker = sandbox.crew.bots(sandbox.conference("room"))[0]
    speaker.speaking = True
    name = f"{speaker.nick}-v0"
    await until(lambda: name in observer.video and observer.video[name].stamp is not None)
    assert observer.video[name].stamp.source == source_id(name)
    await until(lambda: observer.video[name].height == 720 and observer.video[name].fps > 20)
    sound = await until(lambda: observer.audio.get(speaker.audio_name))
    await until(lambda: sound.tone_power(speaker.tone_hz) > 300)
    assert sound.tone_power(speaker.tone_hz) > 5 * sound.tone_power(speaker.tone_hz * 1.37)
    assert observer.video[name].broken == 0
    observer.want(180)
    await until(lambda: observer.video[name].height == 180)
    dominant = await until(
        lambda: [m for m in observer.messages if m["colibriClass"] == "DominantSpeakerEndpointChangeEvent"]
    )
    assert dominant[-1]["dominantSpeakerEndpoint"] == speaker.nick


async def test_what_bots_do_is_seen_by_others(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=1)
    client = make_client(sandbox)
    await client.enter()
    await until(lambda: bots(sandbox))
    observer = await sandbox.observe("room")
    bot = sandbox.crew.bots(sandbox.conference("room"))[0]
    bot.say("hello")
    await client.wait(lambda s: s.has("<body>hello</body>") and s.get("from").endswith(bot.nick))
    bot.raise_hand()
    await client.wait(lambda s: s.has("raisedHand") and s.get("from").endswith(bot.nick))
    bot.react("clap")
    await until(lambda: any(m.get("msgPayload", {}).get("reactions") == ["clap"] for m in observer.messages))
    bot.share_screen()
    await client.wait(lambda s: s.has(f"{bot.nick}-v1") and s.has("desktop"))
    await until(lambda: observer.video.get(bot.screen_name) and observer.video[bot.screen_name].stamp)
    assert observer.video[bot.screen_name].stamp.source == source_id(bot.screen_name)
    bot.share_screen(False)
    await until(lambda: bot.screen_name not in sandbox.participants("room")[bot.nick].sources)
    await client.say("private word", bot.nick)
    await until(lambda: (client.nick, "private word") in bot.received)
    sandbox.mute("room", bot.nick, "audio", actor=client.nick)
    await until(lambda: bot.microphone_muted and sandbox.participants("room")[bot.nick].muted("audio"))
    bot.leave()
    await client.wait(lambda s: s.get("type") == "unavailable" and s.get("from").endswith(bot.nick))
    bot.enter()
    await until(lambda: bot.nick in sandbox.participants("room"))
    extra = sandbox.add_bot("room", "Zoë")
    await client.wait(lambda s: s.has(">Zoë</nick>") and s.get("from").endswith(extra))


async def test_lively_bots_speak_in_turns_and_chat(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=2, quiet_bots=False, seed=3)
    client = make_client(sandbox)
    await client.enter()
    crew = await until(lambda: sandbox.crew.bots(sandbox.conference("room")))
    spoke: set[str] = set()

    def everybody_spoke():
        spoke.update(bot.nick for bot in crew if bot.speaking)
        return len(spoke) == 2

    await until(everybody_spoke, 20)
    await client.wait(lambda s: s.name == "message" and s.has("<body>"), 0, 20)


async def test_kicked_bots_stay_away(make_sandbox, make_client):
    sandbox = await make_sandbox(bots=1)
    client = make_client(sandbox)
    await client.enter()
    bot = (await until(lambda: bots(sandbox)))[0]
    kick = (
        "<query xmlns='http://jabber.org/protocol/muc#admin'>"
        f"<item nick='{bot.id}' role='none'><reason>Bye</reason></item></query>"
    )
    assert (await client.iq("set", client.room_jid, kick)).get("type") == "result"
    await until(lambda: not bots(sandbox))


def test_a_sandbox_can_run_in_a_thread():
    with ThreadedSandbox(bots=0) as box:
        assert box.url("room").startswith("http://127.0.0.1:")
        assert box.call(lambda sandbox: sandbox.participants("room")) == {}

        async def open_room(sandbox):
            await sandbox.observe("room")
            return list(sandbox.participants("room"))

        assert len(box.wait(open_room)) == 1
