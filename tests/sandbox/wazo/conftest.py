from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from app.sandbox.wazo import WazoSandbox
from tests.sandbox.wazo.client import RestClient
from tests.sandbox.wazo.phone import Phone

MakeSandbox = Callable[..., Awaitable[WazoSandbox]]
SignIn = Callable[..., Awaitable[RestClient]]
MakePhone = Callable[..., Awaitable[Phone]]


@pytest_asyncio.fixture
async def make_sandbox() -> AsyncIterator[MakeSandbox]:
    made: list[WazoSandbox] = []

    async def make(**options: Any) -> WazoSandbox:
        sandbox = WazoSandbox(**{"tls": False, "bots": 0, "quiet_bots": True, "people": 60, "call_log": 40, **options})
        await sandbox.start()
        made.append(sandbox)
        return sandbox

    yield make
    for sandbox in made:
        await sandbox.close()


@pytest_asyncio.fixture
async def sign_in() -> AsyncIterator[SignIn]:
    made: list[RestClient] = []

    async def make(sandbox: WazoSandbox, username: str = "alice", **settings: Any) -> RestClient:
        client = RestClient(sandbox)
        made.append(client)
        await client.sign_in(username, **settings)
        return client

    yield make
    for client in made:
        await client.close()


@pytest_asyncio.fixture
async def make_phone() -> AsyncIterator[MakePhone]:
    made: list[Phone] = []

    async def make(sandbox: WazoSandbox, username: str = "alice", **settings: Any) -> Phone:
        phone = Phone(sandbox, username, **settings)
        made.append(phone)
        await phone.open()
        return phone

    yield make
    for phone in made:
        await phone.close()
