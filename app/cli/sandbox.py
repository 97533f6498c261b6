"""The stand-in server: run here (``parley sandbox``), or in a process of its own for the demo."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.cli import exit_codes
from app.cli.headless import signals

log = logging.getLogger(__name__)

START_TIMEOUT_S = 30.0
"""Importing and binding takes about two seconds; a loaded machine may need ten times that."""
STOP_TIMEOUT_S = 5.0
DEMO_ROOM = "demo"
JITSI, WAZO = "jitsi", "wazo"
READY = "ready"


class SandboxFailed(Exception):
    """The stand-in server did not start; the text is the sentence for the person."""


async def serve(port: int, bots: int, *, vendor: str = JITSI, until_eof: bool = False) -> int:
    """Serve until Ctrl-C (or, with *until_eof*, until standard input ends: then the starter is gone)."""
    stopped = asyncio.Event()
    opened = _wazo(port, bots) if vendor == WAZO else _jitsi(port, bots)
    try:
        async with opened as (ready, words):
            if until_eof:
                print(json.dumps(ready), flush=True)
                asyncio.get_running_loop().run_in_executor(None, _wait_for_eof, stopped, asyncio.get_running_loop())
            else:
                print(f"{words}\nCtrl-C ends it.", flush=True)
            with signals(stopped.set):
                await stopped.wait()
    except OSError as error:
        print(f"The stand-in server could not start on port {port}: {error.strerror}.", file=sys.stderr)
        return exit_codes.BAD_USAGE
    return exit_codes.GOOD


Opened = AsyncIterator[tuple[dict[str, str], str]]
"""What the starter is told, and what a person is told."""


@asynccontextmanager
async def _jitsi(port: int, bots: int) -> Opened:
    from app.sandbox.jitsi import JitsiSandbox

    async with JitsiSandbox(port=port, bots=bots) as sandbox:
        url = sandbox.url(DEMO_ROOM)
        yield {READY: url}, f"A local Jitsi is ready: {url}\nJoin it with: parley join {url}"


@asynccontextmanager
async def _wazo(port: int, bots: int) -> Opened:
    from app.sandbox.wazo import WazoSandbox
    from app.sandbox.wazo.dialing import ECHO, EXTENSIONS, IVR
    from app.sandbox.wazo.options import DEFAULT_ACCOUNTS
    from app.sandbox.wazo.state import CONFERENCES

    async with WazoSandbox(port=port, bots=bots) as sandbox:
        somebody = DEFAULT_ACCOUNTS[0]
        room = CONFERENCES[0][2]
        numbers = {**EXTENSIONS, **{number: name for _, name, number in CONFERENCES}}
        listed = "\n".join(f"  {number:5} {name}" for number, name in sorted(numbers.items()))
        words = (
            f"A local Wazo is ready: {sandbox.host}\n"
            f"Sign in as {somebody.username} with the password {somebody.password}.\n"
            f"Its certificate has the fingerprint {sandbox.fingerprint}\nNumbers to call:\n{listed}"
        )
        ready = {READY: sandbox.host, "fingerprint": sandbox.fingerprint, "user": somebody.username}
        yield {**ready, "password": somebody.password, "echo": ECHO, "ivr": IVR, "room": room}, words


def _wait_for_eof(stopped: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    sys.stdin.buffer.read()
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopped.set)


class SandboxProcess:
    """A stand-in server in its own process, so that its work does not take time from the window's loop.

    It ends when :meth:`stop` is called, and also when this process dies, because its standard input ends then.
    """

    def __init__(self, bots: int = 3, vendor: str = JITSI) -> None:
        self._bots = bots
        self._vendor = vendor
        self._process: Process | None = None
        self._url = ""
        self.ready: dict[str, str] = {}
        """What the server told when it was ready."""
        self._starting = asyncio.Lock()

    async def start(self) -> str:
        """Link of the demo meeting, or the server to sign in to; starts it once. Raises :class:`SandboxFailed`."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return self._url
            arguments = [*program(), "sandbox", self._vendor, "--bots", str(self._bots), "--until-eof"]
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
                )
                self.ready = await asyncio.wait_for(self._read_ready(self._process), START_TIMEOUT_S)
                self._url = self.ready[READY]
            except (OSError, TimeoutError, ValueError, KeyError) as error:
                await self.stop()
                raise SandboxFailed(
                    f"The local demo server did not start; “parley sandbox {self._vendor}” shows why."
                ) from error
            return self._url

    @staticmethod
    async def _read_ready(process: Process) -> dict[str, str]:
        assert process.stdout is not None
        line = await process.stdout.readline()
        ready = json.loads(line)
        if not isinstance(ready, dict) or not isinstance(ready[READY], str):
            raise ValueError("no address")
        return {str(key): str(value) for key, value in ready.items()}

    async def stop(self) -> None:
        """Idempotent, bounded in time."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            log.warning("the demo server did not end; it is killed")
            process.kill()
            await process.wait()


def program() -> list[str]:
    """How this very program is started again: frozen or from source."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    return [sys.executable, "-m", "app"]
