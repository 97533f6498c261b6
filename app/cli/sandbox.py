"""The stand-in server: run here (``parley sandbox``), or in a process of its own for the demo."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

from app.cli import exit_codes
from app.cli.headless import signals

log = logging.getLogger(__name__)

START_TIMEOUT_S = 30.0
"""Importing and binding takes about two seconds; a loaded machine may need ten times that."""
STOP_TIMEOUT_S = 5.0
DEMO_ROOM = "demo"
READY = "ready"


class SandboxFailed(Exception):
    """The stand-in server did not start; the text is the sentence for the person."""


async def serve(port: int, bots: int, *, until_eof: bool = False) -> int:
    """Serve until Ctrl-C (or, with *until_eof*, until standard input ends: then the starter is gone)."""
    from app.sandbox.jitsi import JitsiSandbox

    stopped = asyncio.Event()
    try:
        async with JitsiSandbox(port=port, bots=bots) as sandbox:
            url = sandbox.url(DEMO_ROOM)
            if until_eof:
                print(json.dumps({READY: url}), flush=True)
                asyncio.get_running_loop().run_in_executor(None, _wait_for_eof, stopped, asyncio.get_running_loop())
            else:
                print(f"A local Jitsi is ready: {url}\nJoin it with: parley join {url}\nCtrl-C ends it.", flush=True)
            with signals(stopped.set):
                await stopped.wait()
    except OSError as error:
        print(f"The stand-in server could not start on port {port}: {error.strerror}.", file=sys.stderr)
        return exit_codes.BAD_USAGE
    return exit_codes.GOOD


def _wait_for_eof(stopped: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    sys.stdin.buffer.read()
    if not loop.is_closed():
        loop.call_soon_threadsafe(stopped.set)


class SandboxProcess:
    """A stand-in server in its own process, so that its work does not take time from the window's loop.

    It ends when :meth:`stop` is called, and also when this process dies, because its standard input ends then.
    """

    def __init__(self, bots: int = 3) -> None:
        self._bots = bots
        self._process: Process | None = None
        self._url = ""
        self._starting = asyncio.Lock()

    async def start(self) -> str:
        """Link of the demo meeting; starts the server once. Raises :class:`SandboxFailed`."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return self._url
            arguments = [*program(), "sandbox", "jitsi", "--bots", str(self._bots), "--until-eof"]
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
                )
                self._url = await asyncio.wait_for(self._read_url(self._process), START_TIMEOUT_S)
            except (OSError, TimeoutError, ValueError, KeyError) as error:
                await self.stop()
                raise SandboxFailed("The local demo server did not start; “parley sandbox jitsi” shows why.") from error
            return self._url

    @staticmethod
    async def _read_url(process: Process) -> str:
        assert process.stdout is not None
        line = await process.stdout.readline()
        url = json.loads(line)[READY]
        if not isinstance(url, str):
            raise ValueError("no address")
        return url

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
