"""``make bench``: Parley beside headless Chromium in the same local meeting, with 1, 4 and 9 videos.

    python -m tests.bench [--videos 1 4 9] [--seconds 8] [--output FILE.md]

Per number of videos one meeting is held in a process of its own (a sandbox with participants that keep still, and one
person whose pictures and chirps are made live); then Parley's window, Parley without a window and Chromium join it one
after the other, only receiving, everything asked for at 720 lines. CPU and memory are of the whole process tree while
nothing else is measured; latencies follow in a phase of their own, because reading stamps costs time. The window and
the page are painted in software without a screen. What is not reached is printed as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from app.media import stamp
from app.media.tones import find_chirps

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-background-networking"]
HEIGHT = 720
READY_S = 60.0
"""Until all pictures come at 720 lines: the synthetic participants encode theirs when the first one asks."""
SETTLE_S = 3.0
"""After that, for buffers and estimates to come to rest."""
LATENCY_S = 4.0
STOP_S = 10.0
SAMPLE_S = 1.0
CPU_AIM, MEMORY_AIM = 0.5, 0.3
DECODED_WITHOUT_WINDOW = "–"


@dataclass
class Result:
    """One program in one meeting."""

    cpu: float = 0.0
    """Share of one core."""
    pss: float = 0.0
    rss: float = 0.0
    """Megabytes, medians of the samples; shared pages are counted once in PSS."""
    decoded: float = 0.0
    shown: float | None = None
    """Pictures a second, all videos together."""
    first_ms: float | None = None
    glass_ms: list[float] = field(default_factory=list)
    mouth_ms: list[float] = field(default_factory=list)
    startup_ms: float | None = None


def tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def cpu_seconds(processes: list[psutil.Process]) -> dict[int, float]:
    spent = {}
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent[process.pid] = times.user + times.system
    return spent


def memory(processes: list[psutil.Process]) -> tuple[float, float]:
    """(PSS, RSS) in megabytes."""
    pss = rss = 0
    for process in processes:
        try:
            info = process.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        pss, rss = pss + info.pss, rss + info.rss
    return pss / 1e6, rss / 1e6


Processes = Callable[[], list[psutil.Process]]
Counts = Callable[[], Awaitable[dict[str, Any]]]


async def measure(
    result: Result, processes: Callable[[], list[psutil.Process]], counts: Counts, seconds: float
) -> None:
    before, began = await counts(), time.monotonic()
    spent = cpu_seconds(processes())
    sizes = []
    while time.monotonic() - began < seconds:
        await asyncio.sleep(SAMPLE_S)
        sizes.append(memory(processes()))
    after, took = await counts(), time.monotonic() - began
    now = cpu_seconds(processes())
    result.cpu = sum(value - spent.get(pid, 0.0) for pid, value in now.items()) / took
    result.pss, result.rss = (statistics.median(one[index] for one in sizes) for index in (0, 1))
    result.decoded = (after["decoded"] - before["decoded"]) / took
    if after.get("shown") is not None:
        result.shown = (after["shown"] - before["shown"]) / took


class Meeting:
    """See :mod:`tests.bench.meeting`."""

    def __init__(self, videos: int) -> None:
        self.videos = videos
        self.url = self.live = ""

    async def __aenter__(self) -> Meeting:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.meeting", str(self.videos - 1)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        told = json.loads(await asyncio.wait_for(self._process.stdout.readline(), READY_S))
        self.url, self.live = told["url"], told["live"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await stop(self._process)


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


class Told:
    """What a measured Parley says of itself, newest value by name."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.values: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            if line.startswith(b"{"):
                self.values |= json.loads(line)
                self._changed.set()
        self.values["ended"] = True
        self._changed.set()

    async def until(self, met: Callable[[dict[str, Any]], bool], seconds: float = READY_S) -> None:
        async with asyncio.timeout(seconds):
            while not met(self.values):
                if self.values.get("ended"):
                    raise RuntimeError("Parley ended early")
                self._changed.clear()
                await self._changed.wait()


async def parley(meeting: Meeting, kind: str, seconds: float) -> Result:
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PARLEY_HOME": folder, "QT_QPA_PLATFORM": "offscreen", "QT_LOGGING_RULES": "*=false"}
        environment |= {"BENCH_REPORT": f"{folder}/report.json", "BENCH_SCREENSHOT": f"{folder}/picture.png"}
        began = time.time()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.parley_side", kind, meeting.url, meeting.live),
            cwd=ROOT,
            env=os.environ | environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        assert process.stdout is not None and process.stdin is not None
        told = Told(process.stdout)
        try:
            await told.until(lambda v: v.get("heights") == [HEIGHT] * meeting.videos)
            await asyncio.sleep(SETTLE_S)
            root = psutil.Process(process.pid)

            async def counts() -> dict[str, Any]:
                assert process.stdin is not None
                told.values.pop("counted", None)
                process.stdin.write(b"counts\n")
                await told.until(lambda v: "counted" in v)
                counted: dict[str, Any] = told.values["counted"]
                return counted

            await measure(result, lambda: tree(root), counts, seconds)
            process.stdin.write(b"latency\n")
            await told.until(lambda v: "glass_ms" in v)
            result.glass_ms, result.mouth_ms = told.values["glass_ms"], told.values["mouth_ms"]
            result.first_ms = told.values.get("first_frame_ms")
            if "window_at" in told.values:
                result.startup_ms = (told.values["window_at"] - began) * 1000
        finally:
            await stop(process)
    return result


def browser_tree() -> list[psutil.Process]:
    """Chromium's processes below this one; the driver's own helper does not count."""
    return [one for one in psutil.Process().children(recursive=True) if is_browser(one)]


def is_browser(process: psutil.Process) -> bool:
    try:
        return "chrom" in process.name()
    except psutil.NoSuchProcess:
        return False


async def chromium(meeting: Meeting, seconds: float) -> tuple[Result, str]:
    from aiohttp import ClientSession, web
    from playwright.async_api import async_playwright

    from app.vendors.jitsi.config_js import evaluate_config

    result = Result()
    base, room = meeting.url.rsplit("/", 1)
    async with ClientSession() as http, http.get(f"{base}/config.js") as response:
        config = evaluate_config(await response.text())
    hosts = config["hosts"]
    wanted = {"domain": hosts["domain"], "muc": hosts["muc"], "focus": hosts.get("focus", f"focus.{hosts['domain']}")}
    wanted |= {"websocket": config["websocket"], "room": room}
    app = web.Application()
    app.router.add_static("/", HERE)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with async_playwright() as playwright:
        began = time.monotonic()
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        try:
            page = await browser.new_page(viewport={"width": 1280, "height": 720})
            await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/page.html")
            result.startup_ms = (time.monotonic() - began) * 1000
            await page.evaluate("wanted => join(wanted)", wanted)
            await until_large(page, meeting.videos)
            await asyncio.sleep(SETTLE_S)

            async def counts() -> dict[str, Any]:
                counted: dict[str, Any] = await page.evaluate("counts()")
                return counted

            await measure(result, browser_tree, counts, seconds)
            result.first_ms = (await counts())["first"]
            live = stamp.source_id(meeting.live)
            heard = await page.evaluate("([live, seconds]) => latency(live, seconds)", [live, LATENCY_S])
            result.glass_ms = heard["ages"]
            sound = np.frombuffer(base64.b64decode(heard["sound"]), np.int16)
            # Chirps begin at whole seconds of the monotonic clock; the page knows only the wall clock.
            began_ms = heard["offset"] - (time.time() - time.monotonic()) * 1000
            result.mouth_ms = [(began_ms + at / 48) % 1000 for at in find_chirps(sound)]
            version = browser.version
        finally:
            await browser.close()
            await runner.cleanup()
    return result, version


async def until_large(page: Any, videos: int) -> None:
    seen: dict[str, Any] = {}
    try:
        async with asyncio.timeout(READY_S):
            while seen.get("heights") != [HEIGHT] * videos:
                await asyncio.sleep(0.2)
                seen = await page.evaluate("counts()")
    except TimeoutError:
        raise RuntimeError(f"Chromium does not show {videos} videos at {HEIGHT} lines: {seen}") from None


# ---------------------------------------------------------------------- the table


def middle(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def text(value: float | None, digits: int = 0) -> str:
    return DECODED_WITHOUT_WINDOW if value is None else f"{value:.{digits}f}"


def ratio(ours: float | None, theirs: float | None) -> str:
    return DECODED_WITHOUT_WINDOW if not ours or not theirs else f"{ours / theirs:.2f}"


ROWS: tuple[tuple[str, Callable[[Result], float | None], int], ...] = (
    ("CPU, % of one core", lambda r: r.cpu * 100, 0),
    ("memory, PSS, MB", lambda r: r.pss, 0),
    ("memory, RSS, MB", lambda r: r.rss, 0),
    ("pictures decoded a second", lambda r: r.decoded, 1),
    ("pictures shown a second", lambda r: r.shown, 1),
    ("CPU ms per picture decoded", lambda r: r.cpu * 1000 / r.decoded if r.decoded else None, 2),
    ("CPU ms per picture shown", lambda r: r.cpu * 1000 / r.shown if r.shown else None, 2),
    ("join to first picture, ms", lambda r: r.first_ms, 0),
    ("glass to glass, ms (median)", lambda r: middle(r.glass_ms), 0),
    ("mouth to ear, ms (median)", lambda r: middle(r.mouth_ms), 0),
    ("start-up, ms", lambda r: r.startup_ms, 0),
)


def table(videos: int, window: Result, headless: Result, browser: Result) -> list[str]:
    lines = [
        f"### {videos} video{'s' if videos > 1 else ''} at {HEIGHT} lines",
        "",
        "| | Parley, window | Parley, headless | Chromium | window : Chromium |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, of, digits in ROWS:
        ours, bare, theirs = of(window), of(headless), of(browser)
        cells = (text(ours, digits), text(bare, digits), text(theirs, digits), ratio(ours, theirs))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", *verdicts(window, browser), ""]


def verdicts(window: Result, browser: Result) -> list[str]:
    found = []
    for name, ours, theirs, aim in (
        ("CPU", window.cpu, browser.cpu, CPU_AIM),
        ("memory (PSS)", window.pss, browser.pss, MEMORY_AIM),
        ("glass to glass", middle(window.glass_ms), middle(browser.glass_ms), 1.0),
        ("mouth to ear", middle(window.mouth_ms), middle(browser.mouth_ms), 1.0),
    ):
        if not ours or not theirs:
            found.append(f"{name}: not measured.")
        else:
            reached = "reached" if ours / theirs <= aim else "NOT reached"
            found.append(f"{name}: {ours / theirs:.2f} of Chromium's, aim at most {aim:g}: {reached}.")
    if window.shown and browser.shown and abs(window.shown / browser.shown - 1) > 0.05:
        found.append("The programs showed different numbers of pictures; compare the CPU per picture.")
    return [f"- {line}" for line in found]


def conditions(chromium_version: str) -> list[str]:
    import aiortc
    import av
    import PySide6

    model = next((x.partition(":")[2].strip() for x in _cpuinfo() if x.startswith("model name")), platform.machine())
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {platform.system()}, {model}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f} at the end; Python {platform.python_version()}, PySide6 {PySide6.__version__}, "
        f"PyAV {av.__version__}, aiortc {aiortc.__version__}; Chromium {chromium_version}.",
        "",
    ]


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


async def run(options: argparse.Namespace) -> list[str]:
    lines: list[str] = []
    version = "?"
    for videos in options.videos:
        async with Meeting(videos) as meeting:
            results = []
            for kind in ("window", "headless"):
                print(f"{videos} videos: Parley, {kind}", file=sys.stderr, flush=True)
                results.append(await parley(meeting, kind, options.seconds))
            print(f"{videos} videos: Chromium", file=sys.stderr, flush=True)
            browser, version = await chromium(meeting, options.seconds)
        part = table(videos, *results, browser)
        print("\n".join(part), flush=True)
        lines += part
    return [*conditions(version), *lines]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--videos", type=int, nargs="+", default=[1, 4, 9])
    parser.add_argument("--seconds", type=float, default=8.0, help="how long CPU and memory are measured")
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    options = parser.parse_args()
    lines = asyncio.run(run(options))
    print(lines[0])
    if options.output is not None:
        options.output.write_text("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
