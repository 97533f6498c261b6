"""A plain REST and event-socket client of the sandbox's stack."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import aiohttp

from app.sandbox.wazo import WazoSandbox

WAIT_S = 10.0


def trusting(sandbox: WazoSandbox) -> aiohttp.TCPConnector:
    """Accepts exactly the certificate that the sandbox has now."""
    if not sandbox.fingerprint:
        return aiohttp.TCPConnector()
    return aiohttp.TCPConnector(ssl=aiohttp.Fingerprint(bytes.fromhex(sandbox.fingerprint.replace(":", ""))))


class Answer:
    def __init__(self, status: int, data: Any, raw: bytes, headers: Any) -> None:
        self.status, self.data, self.raw, self.headers = status, data, raw, headers


class RestClient:
    def __init__(self, sandbox: WazoSandbox) -> None:
        self.sandbox = sandbox
        self.session = aiohttp.ClientSession(connector=trusting(sandbox))
        self.token = self.refresh_token = ""
        self.data: dict[str, Any] = {}

    async def close(self) -> None:
        await self.session.close()

    async def call(self, method: str, path: str, body: Any = None, **settings: Any) -> Answer:
        headers = {"X-Auth-Token": self.token} if self.token else {}
        headers |= settings.pop("headers", {})
        if body is not None and not isinstance(body, bytes):
            settings["json"] = body
        elif body is not None:
            settings["data"] = body
        url = f"{self.sandbox.base_url}/api/{path}"
        async with self.session.request(method, url, headers=headers, allow_redirects=False, **settings) as response:
            raw = await response.read()
            data = json.loads(raw) if raw and response.content_type == "application/json" else None
            return Answer(response.status, data, raw, response.headers)

    async def get(self, path: str, **settings: Any) -> Any:
        answer = await self.call("GET", path, **settings)
        assert answer.status == 200, (answer.status, answer.raw[:300])
        return answer.data

    async def sign_in(self, username: str, password: str = "", **body: Any) -> Answer:
        account = self.sandbox.user(username).account
        secret = base64.b64encode(f"{username}:{password or account.password}".encode()).decode()
        answer = await self.call(
            "POST",
            "auth/0.1/token",
            {"backend": "wazo_user", "expiration": 3600, **body},
            headers={"Authorization": f"Basic {secret}"},
        )
        if answer.status == 200:
            self.data = answer.data["data"]
            self.token = self.data["token"]
            self.refresh_token = self.data.get("refresh_token", "")
        return answer

    async def events(self, version: int = 2, *names: str) -> Events:
        url = f"{self.sandbox.base_url}/api/websocketd/?token={self.token}&version={version}"
        events = Events(await self.session.ws_connect(url), version)
        await events.started(names or ("*",))
        return events


class Events:
    """A started session of the event socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, version: int) -> None:
        self.socket, self.version = socket, version
        self.seen: list[dict[str, Any]] = []

    async def started(self, names: tuple[str, ...]) -> None:
        assert (await self.read())["op"] == "init"
        for name in names:
            await self.socket.send_json({"op": "subscribe", "data": {"event_name": name}})
            assert (await self.read())["op"] == "subscribe"
        await self.socket.send_json({"op": "start"})
        assert (await self.read())["op"] == "start"

    async def read(self) -> dict[str, Any]:
        message = await self.socket.receive(WAIT_S)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(f"{message.type} {self.socket.close_code}")
        data: dict[str, Any] = json.loads(message.data)
        return data

    async def wait(self, name: str, condition: Callable[[dict[str, Any]], bool] = lambda data: True) -> dict[str, Any]:
        """The data of the first (also an earlier) event of this name that fits."""
        known = next((e for e in self.seen if e["name"] == name and condition(e["data"])), None)
        async with asyncio.timeout(WAIT_S):
            while known is None:
                message = await self.read()
                event = message["data"] if self.version == 2 else message
                self.seen.append(event)
                known = event if event.get("name") == name and condition(event["data"]) else None
        self.seen.remove(known)
        return dict(known["data"])
