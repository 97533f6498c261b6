"""Parley with probes: ``python -m tests.bench.parley_side window|headless URL LIVE``.

Runs the program itself; what it shows is counted where it is painted. One JSON object a line goes to standard output,
commands come by standard input: ``latency`` measures for some seconds, the end of input leaves the meeting. All sources
are asked for at 720 lines, as Chromium's page does, whatever the size of their tiles.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from app.media import stamp
from app.storage.paths import user_paths
from app.storage.settings_file import SettingsStore

LATENCY_S = 4.0
HEIGHT = 720


def say(**what: Any) -> None:
    # In one piece: two threads tell.
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Probe:
    def __init__(self, live: str) -> None:
        self.live = stamp.source_id(live)
        self.windowed = self.window_painted = False
        self.shown: Counter[int] = Counter()
        self.sizes: dict[str, int] = {}
        self.measuring = False
        self.ages: list[float] = []
        self.sound: list[tuple[float, Any]] = []
        self.mixer: Any = None
        self.pressed = 0.0
        self.last: dict[int, int] = {}
        self.receivers: list[Any] = []

    def painted(self, painter: object, picture: Any) -> None:
        key = id(painter)
        if self.last.get(key) == picture.sequence:
            return
        if not self.last:
            say(first_frame_ms=(time.monotonic() - self.pressed) * 1000)
        self.last[key] = picture.sequence
        self.shown[key] += 1
        if self.measuring:
            found = stamp.read_bgra(picture.data, picture.width, picture.height, picture.stride)
            if found is not None and found.source == self.live:
                self.ages.append(found.age_ms(time.time() * 1000))

    def heard(self, samples: Any, plays_at_ms: float) -> None:
        if self.measuring:
            self.sound.append((plays_at_ms, samples.copy()))

    def counts(self) -> dict[str, Any]:
        return {"shown": sum(self.shown.values()) if self.windowed else None, "decoded": decoded(self)}

    def latency(self) -> None:
        from app.media.tones import find_chirps

        self.ages, self.sound, self.measuring = [], [], True
        time.sleep(LATENCY_S)
        self.measuring = False
        delays = []
        if self.sound:
            began, all_sound = self.sound[0][0], np.concatenate([block for _, block in self.sound])
            delays = [(began + at / 48) % 1000 for at in find_chirps(all_sound)]
        say(glass_ms=self.ages, mouth_ms=delays)


def decoded(probe: Probe) -> int:
    """Frames of all receivers right now; the statistics of the program are a second old."""
    return sum(receiver.stats().frames or 0 for receiver in probe.receivers)


def watch(probe: Probe) -> None:
    """Hooks into painting, playing and what is asked for."""
    from app.calls import actions as act
    from app.calls.events import StatsUpdated
    from app.controller.controller import Controller
    from app.media.mixer import Mixer
    from app.media.video_receive import VideoReceiver

    perform, began = Controller.perform, Mixer.__init__

    async def perform_large(self: Controller, call_id: str, action: Any) -> None:
        if isinstance(action, act.SetVisibleSources):
            action = act.SetVisibleSources(tuple(replace(one, height=HEIGHT) for one in action.sources))
        await perform(self, call_id, action)

    def begin(self: Mixer, *arguments: Any, **more: Any) -> None:
        began(self, *arguments, **more)
        self.add_tap(probe.heard)

    from app.cli.report import Report

    on_event = Report.on_event

    def note(self: Report, state: Any, event: Any) -> None:
        on_event(self, state, event)
        if isinstance(event, StatsUpdated):
            tracks = event.stats.get("tracks", ())
            video = [t for t in tracks if get(t, "direction") == "inbound" and get(t, "width")]
            probe.sizes = {get(t, "source"): get(t, "height") for t in video}
            say(heights=sorted(probe.sizes.values()))

    make = VideoReceiver.__init__

    def made(self: VideoReceiver, *arguments: Any, **more: Any) -> None:
        make(self, *arguments, **more)
        probe.receivers.append(self)

    VideoReceiver.__init__ = made  # type: ignore[method-assign]
    Controller.perform = perform_large  # type: ignore[method-assign]
    Mixer.__init__ = begin  # type: ignore[method-assign]
    Report.on_event = note  # type: ignore[method-assign]


def get(track: Any, name: str) -> Any:
    return track.get(name) if isinstance(track, dict) or hasattr(track, "get") else getattr(track, name, None)


def watch_window(probe: Probe) -> None:
    from PySide6.QtGui import QPaintEvent

    from ui.main_window import MainWindow
    from ui.prejoin.view import PrejoinView
    from ui.render import ImagePainter

    paint, event, join = ImagePainter.paint, MainWindow.paintEvent, PrejoinView.join

    def paint_and_count(self: ImagePainter, *arguments: Any, **more: Any) -> Any:
        result = paint(self, *arguments, **more)
        if self._picture is not None:
            probe.painted(self, self._picture)
        return result

    def first_paint(self: MainWindow, what: QPaintEvent) -> None:
        event(self, what)
        if not probe.window_painted:
            probe.window_painted = True
            say(window_at=time.time())

    def press(self: PrejoinView, *arguments: Any) -> None:
        probe.pressed = time.monotonic()
        join(self, *arguments)

    ImagePainter.paint = paint_and_count  # type: ignore[method-assign]
    MainWindow.paintEvent = first_paint  # type: ignore[method-assign]
    PrejoinView.join = press  # type: ignore[method-assign]


def obey(probe: Probe) -> None:
    for line in sys.stdin:
        if line.strip() == "latency":
            probe.latency()
        elif line.strip() == "counts":
            say(counted=probe.counts())
    os.kill(os.getpid(), signal.SIGINT)


def main() -> int:
    kind, url, live = sys.argv[1:4]
    probe = Probe(live)
    threading.Thread(target=obey, args=(probe,), daemon=True).start()
    probe.pressed = time.monotonic()
    arguments = ["join", url, "--name", "Parley", "--video", "none", "--audio", "none"]
    arguments += ["--report", os.environ["BENCH_REPORT"]]
    if kind == "headless":
        arguments += ["--headless"]
    else:
        probe.windowed = True
        paths = user_paths()
        SettingsStore(paths.settings).update({"view.layout": "gallery", "view.show_self": False})
        watch_window(probe)
        arguments += ["--screenshot", os.environ["BENCH_SCREENSHOT"], "--duration", "600"]
    watch(probe)
    from app.__main__ import main as parley

    return parley(arguments)


if __name__ == "__main__":
    sys.exit(main())
