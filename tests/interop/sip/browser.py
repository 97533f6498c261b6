"""JsSIP in headless Chromium. The library comes from the npm registry by its name and an exact version, into a cache
folder of the person who runs the tests, and is bundled there; nothing of it becomes part of the project."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from playwright.async_api import Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]
JSSIP, BUNDLER = "jssip@3.13.8", "esbuild@0.28.2"
INSTALL_TIMEOUT_S = 90.0
"""Two small packages; once for all later runs."""
POLL_S = 0.05


class LibraryMissing(Exception):
    """JsSIP cannot be had; the text says why."""


def cache() -> Path:
    """Where what tests fetch is kept between runs, outside of the project."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parley-interop"


async def _run(*command: str, folder: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), INSTALL_TIMEOUT_S)
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise LibraryMissing(f"{command[0]} took too long") from error
    if process.returncode != 0:
        raise LibraryMissing(f"{command[0]} failed: {output.decode(errors='replace')[-1500:]}")


async def library() -> Path:
    """The bundled library; fetched when it is not there yet."""
    folder = cache() / JSSIP
    bundle = folder / "jssip.js"
    if bundle.is_file():
        return bundle
    npm = shutil.which("npm")
    if npm is None:
        raise LibraryMissing("npm is not installed; as an administrator: apt-get install npm")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    (folder / "entry.js").write_text('window.JsSIP = require("jssip");')
    # No install scripts: what is fetched here does not run outside the browser, but for the bundler's own program.
    await _run(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", JSSIP, BUNDLER, folder=folder)
    made = folder / "jssip.js.part"
    program = str(folder / "node_modules/.bin/esbuild")
    await _run(program, "entry.js", "--bundle", "--format=iife", f"--outfile={made}", folder=folder)
    made.rename(bundle)
    return bundle


class Browser:
    """One page with one JsSIP user agent."""

    page: Page

    async def __aenter__(self) -> Self:
        bundle = await library()
        app = web.Application()

        async def give_page(request: web.Request) -> web.FileResponse:
            return web.FileResponse(Path(__file__).with_name("page.html"))

        async def give_library(request: web.Request) -> web.FileResponse:
            return web.FileResponse(bundle)

        app.router.add_get("/", give_page)
        app.router.add_get("/jssip.js", give_library)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self.page = await self._browser.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        await self.page.goto(f"http://127.0.0.1:{port}/")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._browser.close()
        await self._playwright.stop()
        await self._runner.cleanup()

    async def do(self, script: str, argument: Any = None) -> Any:
        return await self.page.evaluate(script, argument)

    async def until(self, condition: Any, *, hz: float = 440.0, timeout_s: float = 20.0) -> dict[str, Any]:
        """The first report of the page for which *condition* holds; its ``heard`` is about *hz*."""
        report: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    report = await self.do("hz => report(hz)", hz)
                    if condition(report):
                        return report
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise AssertionError(f"the page shows {report}, errors {self.errors}") from None
