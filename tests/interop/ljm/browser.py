"""lib-jitsi-meet in headless Chromium, driven from Python.

The library is not part of this project and there is no official package of it in a registry: the variable
``LIB_JITSI_MEET`` names a built ``lib-jitsi-meet.min.js`` (its own source builds it; every Jitsi server serves one at
``/libs/lib-jitsi-meet.min.js``).
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from playwright.async_api import Page, async_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
POLL_S = 0.1


def library() -> Path:
    """Path of the built library; raises :class:`FileNotFoundError` that says what to do."""
    path = Path(os.environ.get("LIB_JITSI_MEET", ""))
    if not path.is_file():
        raise FileNotFoundError("set LIB_JITSI_MEET to a built lib-jitsi-meet.min.js")
    return path


class LjmBrowser:
    """One headless Chromium with one page per participant."""

    def __init__(self) -> None:
        self.console: list[str] = []
        self.version = ""
        self._library = library()

    async def __aenter__(self) -> Self:
        app = web.Application()
        page = Path(__file__).with_name("page.html")

        async def give_page(request: web.Request) -> web.Response:
            return web.Response(text=page.read_text("utf-8"), content_type="text/html")

        async def give_file(request: web.Request) -> web.StreamResponse:
            path = self._library.with_name(request.match_info["name"])
            return web.FileResponse(path) if path.is_file() else web.Response(status=404)

        app.router.add_get("/", give_page)
        app.router.add_get("/{name}", give_file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self.version = self._browser.version
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._browser.close()
        await self._playwright.stop()
        await self._runner.cleanup()

    async def join(self, config: dict[str, Any], room: str, **options: Any) -> LjmParticipant:
        context = await self._browser.new_context(permissions=["microphone", "camera"])
        page = await context.new_page()
        participant = LjmParticipant(page)
        page.on("console", lambda message: participant.console.append(f"{message.type}: {message.text}"))
        await page.goto(f"http://127.0.0.1:{self._port}/")
        await page.wait_for_function("window.JitsiMeetJS !== undefined")
        participant.library_version = await page.evaluate("JitsiMeetJS.version")
        participant.id = await page.evaluate("options => join(options)", {"config": config, "room": room, **options})
        return participant


class LjmParticipant:
    """One page that has joined. :meth:`report` is what the library told the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.id = ""
        self.library_version = ""
        self.console: list[str] = []

    async def report(self) -> dict[str, Any]:
        return await self.page.evaluate("report()")  # type: ignore[no-any-return]

    async def stats(self) -> list[dict[str, Any]]:
        return await self.page.evaluate("rtcStats()")  # type: ignore[no-any-return]

    async def act(self, name: str, *arguments: Any) -> Any:
        return await self.page.evaluate("([name, args]) => act[name](...args)", [name, list(arguments)])

    async def wait(self, condition: Any, seconds: float = 20.0) -> dict[str, Any]:
        """The first report for which *condition* holds; raises :class:`TimeoutError` with the last one."""
        last: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while True:
                    last = await self.report()
                    if condition(last):
                        return last
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise TimeoutError(f"not seen: {last}") from None

    @property
    def errors(self) -> list[str]:
        return [line for line in self.console if line.startswith("error")]
