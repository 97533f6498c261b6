"""What the person's settings do to sharing, sounds and logs, at the window, the mixer and the log file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import logs
from app.calls import actions as ac
from app.controller import signals
from app.media.sounds import Sound, samples
from app.sandbox.jitsi import JitsiSandbox
from tests.e2e.desk import Desk
from tests.e2e.jitsi_call import Person, eventually


@pytest.fixture
async def sandbox() -> AsyncIterator[JitsiSandbox]:
    async with JitsiSandbox(bots=0) as running:
        yield running


@pytest.mark.covers("jitsi:meet.isDesktopSharingEnabled")
async def test_share_button_follows_the_setting(english: object, sandbox: JitsiSandbox) -> None:
    async with Desk() as desk, Person(sandbox.url("team"), "Bob"):
        window = desk.open_window()
        await desk.join(sandbox.url("team"))
        window._joined(desk.call_id)
        share = window.meeting.toolbar.buttons["share"]
        await desk.seen(lambda: share.isEnabled())
        desk.controller.set_setting("screen.allowed", False)
        await desk.seen(lambda: not share.isEnabled())
        assert "turned off in the settings" in share.toolTip()
        desk.controller.set_setting("screen.allowed", True)
        await desk.seen(lambda: share.isEnabled())


@pytest.mark.covers(
    "jitsi:meet.setLogLevel",
    "jitsi:meet.logLevels",
    "jitsi:constant.logLevels.TRACE",
    "jitsi:constant.logLevels.DEBUG",
    "jitsi:constant.logLevels.INFO",
    "jitsi:constant.logLevels.LOG",
    "jitsi:constant.logLevels.WARN",
    "jitsi:constant.logLevels.ERROR",
)
@pytest.mark.logs_errors
async def test_log_level_of_the_settings_decides_what_the_log_holds(english: object, tmp_path: Path) -> None:
    file = logs.set_up(tmp_path, "INFO", console=False)
    assert file is not None
    try:
        async with Desk() as desk:
            window = desk.open_window()
            window.open_settings("diagnostics")
            page = window._settings_window.page("diagnostics")
            box = next(row for row in page.rows if row.setting.key == "diagnostics.log_level").control
            names = list(logs.LEVELS)
            assert [box.itemData(i) for i in range(box.count())] == names
            for place, chosen in enumerate(names):
                box.setCurrentIndex(place)
                box.activated.emit(place)
                for name, level in logs.LEVELS.items():
                    logging.getLogger("app.test").log(level, "%s said under %s", name, chosen)
        text = file.read_text()
        for place, chosen in enumerate(names):
            for other, name in enumerate(names):
                assert (f"{name} said under {chosen}" in text) == (other >= place), (name, chosen)
    finally:
        logs.set_up(None, "INFO", console=True)


@pytest.mark.covers("jitsi:track.getId")
async def test_every_track_has_an_id_of_its_own(sandbox: JitsiSandbox) -> None:
    """As the focus knows the sources of two people who send sound, camera and screen."""
    async with Person(sandbox.url("team")) as ada, Person(sandbox.url("team"), "Bob") as bob:
        # At once: also what begins while the media session is being made is announced.
        for person in (ada, bob):
            await person.do(ac.ShareScreen("test"))
        owners = sandbox.conference("team").sources.by_owner

        def complete() -> bool:
            return (
                all(
                    {f"{person.id}-{part}" for part in ("a0", "v0", "v1")}
                    <= {source.name for source in (*owners[person.id].audio, *owners[person.id].video)}
                    for person in (ada, bob)
                    if person.id in owners
                )
                and len(owners) == 2
            )

        await eventually(complete)
        ids: dict[str, str] = {}
        for sources in owners.values():
            for source in (*sources.audio, *sources.video):
                # The retransmission of a track carries the id of the track.
                assert source.msid and ids.setdefault(source.msid, source.name) == source.name
        assert len(ids) == len(set(ids.values())) == 6


class Ear:
    """Hears what a desk's mixer plays."""

    def __init__(self, desk: Desk) -> None:
        self._blocks: list[np.ndarray[Any, np.dtype[np.int16]]] = []
        self.stop = desk.engine._inputs.mixer.add_tap(lambda block, _at: self._blocks.append(block.copy()))

    def forget(self) -> None:
        self._blocks.clear()

    def hears(self, sound: Sound) -> bool:
        """Whether *sound* as it is was among what was played."""
        blocks = tuple(self._blocks)
        wanted = samples(sound).astype(np.float64)
        played = np.concatenate(blocks).astype(np.float64) if blocks else np.zeros(0)
        if len(played) < len(wanted):
            return False
        size = len(played) + len(wanted)
        product = np.fft.irfft(np.fft.rfft(played, size) * np.conj(np.fft.rfft(wanted, size)), size)
        return bool(product.max() > 0.8 * float(np.dot(wanted, wanted)))


async def test_sounds_of_a_meeting_are_played(sandbox: JitsiSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "QUIET_AT_START_S", 0.0)
    monkeypatch.setattr(signals, "PAUSE_S", 0.0)
    async with Desk() as desk:
        await desk.join(sandbox.url("team"))
        ear = Ear(desk)
        async with Person(sandbox.url("team"), "Bob") as bob:
            await eventually(lambda: ear.hears(Sound.JOIN))
            await bob.until(lambda s: len(s.participants) == 2 and s.capabilities["SendReaction"].allowed)
            await bob.do(ac.SendMessage("hello"))
            await eventually(lambda: ear.hears(Sound.MESSAGE))
            await bob.do(ac.RaiseHand(True))
            await eventually(lambda: ear.hears(Sound.HAND))
            await bob.do(ac.SendReaction("clap"))
            await eventually(lambda: ear.hears(Sound.REACTION))
            desk.controller.set_setting("sounds.events", False)
            desk.controller.set_setting("sounds.reactions", False)
            await asyncio.sleep(0.7)  # what is still being played ends
            ear.forget()
            await bob.do(ac.SendMessage("quietly"))
            await bob.do(ac.SendReaction("clap"))
            await desk.until(lambda s: len(s.messages) == 2)
            await asyncio.sleep(0.7)  # nothing can be awaited for a sound that does not come
            assert not any(ear.hears(sound) for sound in (Sound.MESSAGE, Sound.REACTION))
            desk.controller.set_setting("sounds.events", True)
        await eventually(lambda: ear.hears(Sound.LEAVE))
        ear.stop()
