"""The one origin of the stack: REST, the event socket, SIP over WebSocket, log collection, and files for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from app.sandbox.wazo.event_socket import EventSocket
from app.sandbox.wazo.http import CORS, Api
from app.sandbox.wazo.sip_socket import SipSockets
from app.sandbox.wazo.state import State

MAX_BODY = 20 * 1024 * 1024


class WebServer:
    """Builds the aiohttp application of one sandbox."""

    def __init__(self, state: State, api: Api, events: EventSocket, sip: SipSockets) -> None:
        self._state, self._api, self._events, self._sip = state, api, events, sip
        self.pages: dict[str, tuple[bytes, str] | Path] = {}
        """Path to content and type (or a file), served from the same origin, for browsers."""

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        # nginx locations: the SIP socket is an exact one, the event socket a prefix.
        app.router.add_get("/api/asterisk/ws", self._sip.handle, allow_head=False)
        app.router.add_get("/api/websocketd/", self._events.handle, allow_head=False)
        app.router.add_get("/api/websocketd", self._events.handle, allow_head=False)
        app.router.add_route("*", "/api/{path:.*}", self._api.handle)
        app.router.add_post("/{tag}", self._log)
        app.router.add_options("/{tag}", self._options)
        app.router.add_get("/{path:.*}", self._page)
        return app

    async def _options(self, request: web.Request) -> web.Response:
        return web.Response(headers=CORS)

    async def _log(self, request: web.Request) -> web.Response:
        """A fluentd HTTP input: one entry or a list of them."""
        try:
            data: Any = json.loads(await request.read())
        except ValueError:
            return web.Response(status=400)
        for entry in data if isinstance(data, list) else [data]:
            if isinstance(entry, dict):
                self._state.logs.append({"tag": request.match_info["tag"], **entry})
        return web.Response(text="", headers=CORS)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = self.pages.get(request.path)
        if isinstance(page, Path):
            return web.FileResponse(page)
        if page is not None:
            return web.Response(body=page[0], content_type=page[1])
        if request.path == "/":
            return web.Response(text="Parley sandbox of a Wazo stack. Sign in with Parley.")
        return web.Response(status=404, text="Not Found")
