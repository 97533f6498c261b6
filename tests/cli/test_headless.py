from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.calls import actions as act
from app.calls import events as ev
from app.calls.model import MediaKind, Message, Source, SourceContent, frozen_map
from app.cli import exit_codes, headless
from app.cli.headless import HeadlessRun, Outcome, signals
from app.cli.report import Report
from app.controller.api import JoinOptions
from app.controller.controller import Controller
from app.media.api import TrackStats
from app.storage.history import History
from app.storage.settings_file import SettingsStore
from tests.controller.fakes import FakeEngine, FakeSession, fake_registry

WAIT_S = 5.0
FIELDS = {
    "joined_ms", "first_remote_video_ms", "first_remote_audio_ms", "participants", "remote_tracks", "local_tracks",
    "events", "cpu_seconds", "wall_seconds", "peak_rss_bytes", "exit_reason",
}  # fmt: skip
TRACK_FIELDS = {
    "participant", "source", "kind", "codec", "fps", "width", "height", "bitrate_bps", "packets_lost", "loss_fraction",
    "jitter_ms", "freezes", "audio_level_dbov",
}  # fmt: skip


class Desk:
    def __init__(self) -> None:
        FakeSession.made.clear()
        FakeSession.joining = asyncio.Event()
        self.report = Report()
        self.engine = FakeEngine()
        self.controller = Controller(
            SettingsStore(None),
            History(None),
            registry=fake_registry(),
            engine_factory=lambda: self.engine,  # type: ignore[arg-type, return-value]
        )
        self.joined = asyncio.Event()
        self.controller.subscribe(lambda state, event: isinstance(event, ev.SourceAdded) and self.joined.set())

    def start(self, room: str, **options: Any) -> tuple[HeadlessRun, asyncio.Task[Outcome]]:
        run = HeadlessRun(self.controller, self.report, **options)
        address = self.controller.recognise(room).address
        assert address is not None
        return run, asyncio.create_task(run.run(address, JoinOptions(display_name="Me")))

    async def outcome(self, room: str, **options: Any) -> Outcome:
        _, task = self.start(room, **options)
        return await asyncio.wait_for(task, WAIT_S)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.controller.close()


async def test_a_dead_server_gives_three_and_a_sentence(desk: Desk) -> None:
    outcome = await desk.outcome("dead")
    assert outcome == Outcome(exit_codes.COULD_NOT_JOIN, "failed:dns", "The server name was not found.")
    assert desk.report.document()["exit_reason"] == "failed:dns"


async def test_a_password_that_was_not_given(desk: Desk) -> None:
    outcome = await desk.outcome("locked")
    assert outcome.exit_code == exit_codes.COULD_NOT_JOIN and "--password" in outcome.sentence


async def test_a_server_that_never_answers(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "JOIN_TIMEOUT_S", 0.05)
    assert (await desk.outcome("slow")).reason == "timeout"


async def test_interrupted_while_joining(desk: Desk) -> None:
    run, task = desk.start("slow")
    await asyncio.wait_for(FakeSession.joining.wait(), WAIT_S)
    run.interrupt()
    assert (await asyncio.wait_for(task, WAIT_S)).reason == "interrupted"
    assert FakeSession.made[0].closed


async def test_ctrl_c_leaves_properly(desk: Desk) -> None:
    run, task = desk.start("team")
    with signals(run.interrupt):
        await asyncio.wait_for(desk.joined.wait(), WAIT_S)
        signal.raise_signal(signal.SIGINT)
        outcome = await asyncio.wait_for(task, WAIT_S)
    assert outcome == Outcome(exit_codes.GOOD, "interrupted")
    assert FakeSession.made[0].closed


async def test_media_that_never_came(desk: Desk) -> None:
    outcome = await desk.outcome("team", duration=0.05, expect_media=True)
    assert outcome.exit_code == exit_codes.MEDIA_NEVER_CAME and "UDP" in outcome.sentence


async def test_being_alone_is_no_failure(desk: Desk) -> None:
    assert await desk.outcome("team", duration=0.05) == Outcome(exit_codes.GOOD, "duration")


async def test_everything_is_looked_at_and_reported(desk: Desk, tmp_path: Path) -> None:
    run, task = desk.start("team", record=tmp_path / "m.mkv")
    await asyncio.wait_for(desk.joined.wait(), WAIT_S)
    session = FakeSession.made[0]
    camera = Source("anna-v0", "anna", MediaKind.VIDEO, SourceContent.CAMERA, muted=False, receiving=True)
    session.emit(ev.MediaStateChanged("connected"))
    session.emit(ev.SourceAdded(camera))
    session.emit(ev.MessageReceived(Message("1", "anna", "Anna", "a secret word", 1)))
    stats = (
        TrackStats(
            "anna-a0", "anna", "inbound", MediaKind.AUDIO, SourceContent.MICROPHONE, 1, packets=5, jitter_ms=2.0
        ),
        TrackStats("anna-v0", "anna", "inbound", MediaKind.VIDEO, SourceContent.CAMERA, 2, codec="VP8", fps=29.9),
        TrackStats("me-a0", "me", "outbound", MediaKind.AUDIO, SourceContent.MICROPHONE, 3, codec="opus"),
    )
    session.emit(ev.StatsUpdated(frozen_map({"tracks": stats})))
    session.emit(ev.AudioLevelsChanged(frozen_map({"anna": 0.5})))
    wanted = act.SetVisibleSources((act.VisibleSource("anna-v0", 720),))
    async with asyncio.timeout(WAIT_S):
        while wanted not in session.performed:  # noqa: ASYNC110
            await asyncio.sleep(0)
    run.interrupt()
    assert (await asyncio.wait_for(task, WAIT_S)).exit_code == exit_codes.GOOD
    assert ("record", tmp_path / "m.mkv") in desk.engine.log
    path = tmp_path / "r.json"
    desk.report.write(path)
    text = path.read_text()
    document = json.loads(text)
    assert set(document) >= FIELDS and "a secret word" not in text
    assert document["joined_ms"] > 0 and document["first_remote_video_ms"] > 0 and document["first_remote_audio_ms"] > 0
    assert {"id": "anna", "name": "Anna", "role": "none", "local": False} in document["participants"]
    assert [one["fps"] for one in document["remote_tracks"]] == [None, 29.9]
    assert set(document["remote_tracks"][0]) >= TRACK_FIELDS
    assert [one["codec"] for one in document["local_tracks"]] == ["opus"]
    kinds = [one["type"] for one in document["events"]]
    assert "Joined" in kinds and "AudioLevelsChanged" not in kinds and "StatsUpdated" not in kinds
    assert all(one["t_ms"] >= 0 for one in document["events"])
    assert document["peak_rss_bytes"] > 1_000_000 and document["exit_reason"] == "interrupted"


async def test_an_ended_meeting_ends_the_run(desk: Desk) -> None:
    from app.calls.model import CallPhase

    _, task = desk.start("team")
    await asyncio.wait_for(desk.joined.wait(), WAIT_S)
    FakeSession.made[0].emit(ev.PhaseChanged(CallPhase.ENDED, "The meeting was ended."))
    assert (await asyncio.wait_for(task, WAIT_S)).reason == "ended:The meeting was ended."
