"""Check Parley against any Jitsi server: `make interop-jitsi JITSI_URL=https://host/`.

Two Parleys join one room without a window, each with test card and tone; a browser joins too when the server serves a
web client. Passes when everybody saw and heard everybody else. Talks only to the server that was named.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp

STAY_S = 35.0
"""From the start until all leave together; long enough to join slowly and for the bridge's first bandwidth ramp, and so
that the means of the last five seconds are of a meeting in which everybody still was."""
LEAVE_S = 20.0
"""What a slow server may take to let everybody out."""
MIN_FPS = 10.0
AUDIBLE_DBOV = -60.0
SHOWN = ("source", "kind", "codec", "fps", "width", "height", "packets_lost", "freezes", "audio_level_dbov")
CHROMIUM = "/usr/bin/chromium"
WEB_OPTIONS = (
    "#config.prejoinConfig.enabled=false&config.p2p.enabled=false&config.startWithAudioMuted=false"
    '&config.disableInitialGUM=false&userInfo.displayName="Browser"'
)


def load(report: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(report.read_text())
    return result


async def run_parley(url: str, name: str, report: Path, over: asyncio.Event) -> dict[str, Any]:
    """Join *url* headless until *over* and return the report; raises ``RuntimeError`` with the reason when Parley
    failed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "join", url, "--headless", "--name", name),
        *("--video", "test", "--audio", "test", "--report", str(report)),
        stderr=asyncio.subprocess.PIPE,
    )
    talking = asyncio.ensure_future(process.communicate())
    leaving = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(talking, LEAVE_S)
    except TimeoutError:
        raise RuntimeError(f"{name} did not end in time") from None
    finally:
        leaving.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{name} ended with {process.returncode}: {errors.decode(errors='replace').strip()}")
    return await asyncio.to_thread(load, report)


async def serves_web_client(url: str) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http, http.get(url) as response:
        text = await response.text(errors="replace")
    return "lib-jitsi-meet" in text


async def run_browser(url: str, over: asyncio.Event) -> list[dict[str, Any]]:
    """Join with Chromium; return width, height and playing time of each video element at the end."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                "--autoplay-policy=no-user-gesture-required",
                "--disable-background-networking",
            ],
        )
        page = await browser.new_page()
        await page.goto(url + WEB_OPTIONS)
        await over.wait()
        videos: list[dict[str, Any]] = await page.evaluate(
            "[...document.querySelectorAll('video')].map(v => "
            "({w: v.videoWidth, h: v.videoHeight, t: v.currentTime, muted: v.muted}))"
        )
        await browser.close()
    return videos


def problems(name: str, report: dict[str, Any], others: int) -> list[str]:
    """What is wrong with one report when *others* participants should have been seen and heard."""
    tracks = report["remote_tracks"]
    seen = {t["participant"] for t in tracks if t["kind"] == "video" and (t["fps"] or 0) >= MIN_FPS}
    heard = {
        t["participant"] for t in tracks if t["kind"] == "audio" and (t["audio_level_dbov"] or -127) > AUDIBLE_DBOV
    }
    found = []
    if len(seen) < others:
        found.append(f"{name} saw {len(seen)} of {others} others at {MIN_FPS} fps or more")
    if len(heard) < others:
        found.append(f"{name} heard {len(heard)} of {others} others")
    return found


async def check(base: str) -> list[str]:
    url = f"{base.rstrip('/')}/parleycheck{secrets.token_hex(4)}"
    browser_joins = await serves_web_client(url)
    print(f"room {url}, browser {'joins' if browser_joins else 'does not join: no web client there'}", flush=True)
    over = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.TaskGroup() as group:
            ada = group.create_task(run_parley(url, "Ada", Path(folder) / "ada.json", over))
            ben = group.create_task(run_parley(url, "Ben", Path(folder) / "ben.json", over))
            browser = group.create_task(run_browser(url, over)) if browser_joins else None
            await asyncio.sleep(STAY_S)
            over.set()
    others = 2 if browser_joins else 1
    found = problems("Ada", ada.result(), others) + problems("Ben", ben.result(), others)
    if browser is not None:
        playing = [video for video in browser.result() if video["w"] > 0 and video["t"] > 1]
        print("browser:", json.dumps(browser.result()))
        if len(playing) < 2:
            found.append(f"the browser played {len(playing)} videos, expected at least 2")
    for name, report in (("Ada", ada.result()), ("Ben", ben.result())):
        print(f"{name}: joined {report['joined_ms']} ms, first video {report['first_remote_video_ms']} ms")
        for track in report["remote_tracks"]:
            print("  ", {name: track[name] for name in SHOWN})
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="address of the Jitsi server, e.g. https://meet.example.org/")
    found = asyncio.run(check(parser.parse_args().url))
    for line in found:
        print("FAILED:", line)
    print("1 passed, 0 failed" if not found else "0 passed, 1 failed")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
