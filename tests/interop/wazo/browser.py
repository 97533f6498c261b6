"""Wazo's official client library in headless Chromium, driven from Python.

The library is the package ``@wazo/sdk`` of the npm registry, fetched by name into a cache folder. Without npm,
registry or Chromium everything here raises: these tests fail and never skip.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any, Self

from playwright.async_api import Page, async_playwright

from app.sandbox.wazo import WazoSandbox

PACKAGE = "@wazo/sdk@0.44.7"
"""The newest that is published."""
BUNDLE = "package/dist/wazo-sdk.js"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
]
POLL_S = 0.1
INSTALL_S = 120
AUDIBLE_DB = -45.0
SILENT_DB = -65.0


def library() -> Path:
    """Path of the bundle; fetched once. Raises when it cannot be had."""
    cache = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parley-interop" / PACKAGE.replace("/", "-")
    )
    bundle = cache / BUNDLE
    if not bundle.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", "--silent", "--pack-destination", str(cache), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=True)
        with tarfile.open(cache / done.stdout.strip().splitlines()[-1]) as archive:
            archive.extractall(cache, filter="data")
    if not bundle.is_file():
        raise FileNotFoundError(f"{PACKAGE} has no {BUNDLE}")
    return bundle


class SdkBrowser:
    """One headless Chromium with one page per user of the library."""

    def __init__(self, sandbox: WazoSandbox) -> None:
        self.sandbox = sandbox
        self.version = ""
        page = Path(__file__).with_name("page.html")
        sandbox.web.pages["/interop/page"] = (page.read_bytes(), "text/html")
        sandbox.web.pages["/interop/wazo-sdk.js"] = library()

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        self._browser = await self._playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        self.version = self._browser.version
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._browser.close()
        await self._playwright.stop()

    async def open(self, *, hz: int = 700, source: int = 4711) -> SdkPage:
        context = await self._browser.new_context(permissions=["microphone", "camera"], ignore_https_errors=True)
        page = await context.new_page()
        opened = SdkPage(page, self.sandbox)
        page.on("console", lambda message: opened.console.append(f"{message.type}: {message.text}"))
        await page.goto(f"{self.sandbox.base_url}/interop/page?hz={hz}&source={source}")
        await page.wait_for_function("window.Wazo !== undefined")
        return opened


class SdkPage:
    def __init__(self, page: Page, sandbox: WazoSandbox) -> None:
        self.page, self.sandbox = page, sandbox
        self.console: list[str] = []

    async def act(self, name: str, *arguments: Any) -> Any:
        return await self.page.evaluate("([name, args]) => act[name](...args)", [name, list(arguments)])

    async def sign_in(self, username: str) -> dict[str, Any]:
        """Log in and register."""
        password = self.sandbox.user(username).password
        session: dict[str, Any] = await self.act("signIn", self.sandbox.host, username, password)
        await self.act("connect")
        await self.wait("() => act.registered()")
        return session

    async def wait(self, condition: str, seconds: float = 20.0, argument: Any = None) -> Any:
        """The first true value of a JavaScript function; raises :class:`TimeoutError` with the console."""
        last: Any = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    last = await self.page.evaluate(condition, argument)
                    if last:
                        return last
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            tail = "\n".join(self.console[-30:])
            raise TimeoutError(f"not seen: {condition} ({last!r}, {argument!r})\n{tail}") from None

    async def hears(self, hz: float, least_db: float = AUDIBLE_DB) -> None:
        await self.wait("([hz, db]) => probe.hears(hz) > db", argument=[hz, least_db])

    async def quiet_at(self, hz: float) -> None:
        await self.wait("([hz, db]) => probe.hears(hz) < db", argument=[hz, SILENT_DB])

    async def event(self, name: str, count: int = 1) -> None:
        """Wait until the library has told of this event so often."""
        await self.wait("([name, n]) => seen.events.filter(e => e[0] === name).length >= n", argument=[name, count])

    async def sees(self, source: int) -> dict[str, Any]:
        """A remote picture with this stamp source."""
        found: dict[str, Any] = await self.wait(
            "source => probe.stamps().find(s => s.source === source)", argument=source
        )
        return found
