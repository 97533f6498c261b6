"""The meeting that both are measured in: a sandbox with still synthetic participants and one person who sends live.

Run as a process of its own: ``python -m tests.bench.meeting BOTS`` prints ``{"url": ..., "live": ...}`` (the name in
the live stamps) and ends with its standard input. Bots' pictures were encoded beforehand, so only the live sender's
stamps and chirps tell latencies.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace

from app.calls import actions as act
from app.calls.events import CallEvent
from app.media.engine import Engine
from app.sandbox.jitsi import JitsiSandbox
from app.vendors.base import JoinRequest
from app.vendors.jitsi.address import recognise
from app.vendors.jitsi.client import JitsiSession

ROOM = "bench"
LIVE = "test"
"""What the test card is called in its own stamps."""


def _ignore(_event: CallEvent) -> None:
    return


async def _meet(bots: int) -> None:
    loop = asyncio.get_running_loop()
    engine = Engine()
    engine.start()
    async with JitsiSandbox(bots=bots, quiet_bots=True) as sandbox:
        address = recognise(sandbox.url(ROOM))
        assert address is not None
        request = JoinRequest("live", address, "Live", microphone_muted=False, camera_muted=False)
        options = {"video": "test", "audio": "test", "resolution": 720, "fps": 30}
        session = JitsiSession(replace(request, options=options), engine, _ignore)
        await session.join()
        # The sender receives nothing, so that the machine is left to those who are measured.
        await session.perform(act.SetVisibleSources(()))
        print(json.dumps({"url": sandbox.url(ROOM), "live": LIVE}), flush=True)
        await loop.run_in_executor(None, sys.stdin.buffer.read)
        await session.close()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(_meet(int(sys.argv[1])))
