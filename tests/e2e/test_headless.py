"""``parley`` without a window: the real program, the real engine, the sandbox at the other end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.jitsi import ThreadedSandbox
from tests.e2e.conftest import ROOT

WAIT_S = 40.0
"""For something to happen at the other end; a loaded machine may take ten times the usual second."""
POLL_S = 0.1


def until(what: str, condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(POLL_S)
    pytest.fail(f"did not happen: {what}")


def guests(sandbox: ThreadedSandbox, room: str) -> list[Any]:
    """Those in the room who are not bots, as server and bridge know them."""
    return [one for one in sandbox.call(lambda box: list(box.participants(room).values())) if not one.is_bot]


@pytest.mark.slow
@pytest.mark.covers(
    "jitsi:conference.join",
    "jitsi:conference.leave",
    "jitsi:connection.connect",
    "jitsi:connection.initJitsiConference",
    "jitsi:event.conference.CONFERENCE_JOINED",
    "jitsi:event.conference.CONFERENCE_LEFT",
    "jitsi:event.conference.TRACK_ADDED",
    "jitsi:event.conference.USER_JOINED",
    "jitsi:conference.getParticipants",
    "jitsi:conference.myUserId",
)
def test_the_demo_shows_and_sounds(parley: Callable[..., Any]) -> None:
    result = parley("demo", "--headless", "--duration", "10", "--name", "Tester")
    assert result.code == 0, result.err
    report = result.report
    videos, sounds = result.tracks("video"), result.tracks("audio")
    assert len(videos) == 3 and len(sounds) == 3
    assert all(video["fps"] >= 25 and video["height"] >= 180 for video in videos), videos
    assert all(sound["bitrate_bps"] > 0 for sound in sounds), sounds
    assert {one["participant"] for one in videos} == {one["participant"] for one in sounds}
    assert 0 < report["joined_ms"] < report["first_remote_audio_ms"] < 10_000
    assert report["first_remote_video_ms"] < 10_000
    names = [one["name"] for one in report["participants"] if not one["local"]]
    assert len(names) == 3 and all(names)
    assert [one["name"] for one in report["participants"] if one["local"]] == ["Tester"]
    phases = [one["phase"] for one in report["events"] if one["type"] == "PhaseChanged"]
    assert phases[0] == "connecting" and phases[-1] == "ended"
    assert report["exit_reason"] == "duration"
    assert report["cpu_seconds"] > 0 and report["wall_seconds"] > 10


@pytest.mark.slow
@pytest.mark.covers("jitsi:param.connection.initJitsiConference.name", "jitsi:option.createLocalTracks.devices")
def test_the_other_end_gets_name_and_sound_and_sees_the_leaving(
    sandbox: ThreadedSandbox, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    arguments = command("join", sandbox.url("team"), "--headless", "--name", "Zoë", "--video", "none")
    process = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        (guest,) = until("somebody joins", lambda: guests(sandbox, "team"))
        until("the name arrives", lambda: guests(sandbox, "team")[0].name == "Zoë")

        def sound() -> int:
            sources = guests(sandbox, "team")[0].sources
            listed = sources.values() if isinstance(sources, dict) else sources
            return sum(one.packets for one in listed if one.kind == "audio")

        until("sound arrives at the bridge", lambda: sound() > 50)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, err
        until("the guest is gone", lambda: guest.id not in sandbox.call(lambda box: box.participants("team")))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_meeting_is_recorded(parley: Callable[..., Any], tmp_path: Path) -> None:
    import av

    path = tmp_path / "meeting.mkv"
    result = parley("demo", "--headless", "--duration", "5", "--record", str(path))
    assert result.code == 0 and result.err == ""
    with av.open(str(path)) as file:
        kinds = {stream.type for stream in file.streams}
        pictures = sum(1 for _ in file.decode(video=0))
    assert kinds >= {"audio", "video"} and pictures > 20


def one_sentence(result: Any) -> str:
    assert result.err.startswith("parley: ") and result.err.count("\n") == 1, result.err
    assert result.err.rstrip().endswith(".") and "Traceback" not in result.err
    return str(result.err)


@pytest.mark.covers("jitsi:event.connection.CONNECTION_FAILED")
def test_a_dead_address_is_told_of_within_ten_seconds(parley: Callable[..., Any]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    started = time.monotonic()
    result = parley("join", f"http://127.0.0.1:{port}/room", "--headless")
    assert result.code == 3
    assert "cannot be reached" in one_sentence(result)
    assert time.monotonic() - started < 10
    assert result.report["exit_reason"].startswith("failed:") and result.report["joined_ms"] is None


def test_a_server_that_never_answers_is_told_of_within_ten_seconds(parley: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []
        accepting = threading.Thread(target=lambda: kept.append(server.accept()[0]), daemon=True)
        accepting.start()
        started = time.monotonic()
        result = parley("join", f"http://127.0.0.1:{server.getsockname()[1]}/room", "--headless")
        assert result.code == 3
        assert "does not answer" in one_sentence(result)
        assert time.monotonic() - started < 10
        for one in kept:
            one.close()


def test_a_host_that_does_not_exist(parley: Callable[..., Any]) -> None:
    result = parley("join", "https://no-such-host.invalid/room", "--headless")
    assert result.code == 3
    assert "name was not found" in one_sentence(result)


def test_something_else_than_a_meeting_server(parley: Callable[..., Any], sandbox: ThreadedSandbox) -> None:
    result = parley("join", sandbox.url("team", tenant="no/such/path"), "--headless", "--duration", "1")
    assert result.code in (0, 3)
    assert "Traceback" not in result.err


@pytest.mark.slow
def test_the_demo_server_ends_with_the_program(command: Callable[..., list[str]]) -> None:
    """Also when the program is killed: the server notices that nobody holds its standard input any more."""
    import psutil

    process = subprocess.Popen(
        command("demo", "--headless"), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        parent = psutil.Process(process.pid)
        (child,) = until("the server starts", lambda: parent.children())
        until("the server serves", lambda: [one for one in child.net_connections() if one.status == psutil.CONN_LISTEN])
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    until("the server is gone", lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.slow
def test_offscreen_window_joins_reports_and_takes_a_picture(parley: Callable[..., Any], tmp_path: Path) -> None:
    picture = tmp_path / "screenshot.png"
    result = parley("demo", "--duration", "6", "--screenshot", str(picture), QT_QPA_PLATFORM="offscreen")
    assert result.code == 0, result.err
    assert len(result.tracks("video")) == 3 and result.report["exit_reason"] == "duration"
    from PySide6.QtGui import QImage

    image = QImage(str(picture))
    colours = {image.pixel(x, y) for x in range(0, image.width(), 16) for y in range(0, image.height(), 16)}
    assert image.width() >= 720 and len(colours) > 50  # a black window has a handful
