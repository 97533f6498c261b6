"""A whole phone without a window: the real program, the real engine, a local phone system at the other end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.slow
@pytest.mark.covers(
    "wazo:feature.Voice",
    "wazo:feature.Video",
    "wazo:auth.setHost",
    "wazo:param.auth.setHost.host",
    "wazo:auth.logIn",
    "wazo:param.auth.logIn.username",
    "wazo:param.auth.logIn.password",
    "wazo:room.connect",
    "wazo:option.room.connect.extension",
    "wazo:webrtc.hold",
    "wazo:phone.hold",
    "wazo:webrtc.sendDTMF",
    "wazo:phone.sendKey",
)
def test_the_demo_calls_holds_sends_tones_and_joins_a_room(parley: Callable[..., Any]) -> None:
    result = parley("demo", "--vendor", "wazo", "--headless", "--duration", "8")
    assert result.code == 0, (result.err, result.report.get("steps"))
    report = result.report
    steps = {one["name"]: one for one in report["steps"]}
    assert list(steps) == ["register", "echo", "tones", "room"] and all(one["good"] for one in steps.values())
    assert steps["echo"]["detail"]["held_and_resumed"] and steps["tones"]["detail"]["read_back"] == 4
    others = [one for one in report["participants"] if not one["local"]]
    assert len(others) >= 3 and steps["room"]["detail"]["videos"] >= 2
    videos, sounds = result.tracks("video"), result.tracks("audio")
    assert len(videos) >= 2 and all(video["fps"] > 5 for video in videos), videos
    assert sounds and sounds[0]["bitrate_bps"] > 0
    assert 0 < report["joined_ms"] < report["first_remote_video_ms"]
    assert report["exit_reason"] == "duration"
