from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from app.sandbox.jitsi import JitsiSandbox
from tests.sandbox.raw_client import RawClient

MakeSandbox = Callable[..., Awaitable[JitsiSandbox]]
MakeClient = Callable[..., RawClient]


@pytest_asyncio.fixture
async def make_sandbox() -> AsyncIterator[MakeSandbox]:
    made: list[JitsiSandbox] = []

    async def make(**options: Any) -> JitsiSandbox:
        sandbox = JitsiSandbox(**{"bots": 0, "quiet_bots": True, **options})
        await sandbox.start()
        made.append(sandbox)
        return sandbox

    yield make
    for sandbox in made:
        await sandbox.close()


@pytest_asyncio.fixture
async def make_client() -> AsyncIterator[MakeClient]:
    made: list[RawClient] = []

    def make(sandbox: JitsiSandbox, **settings: Any) -> RawClient:
        made.append(RawClient(sandbox, **settings))
        return made[-1]

    yield make
    for client in made:
        await client.close(clean=False)


@pytest.fixture
def room() -> str:
    return "room"
