"""What all REST services share: routes with access rules, the four shapes of errors, pages (wazo.md 1)."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from app.sandbox.wazo.acl import allows
from app.sandbox.wazo.faults import HttpFault
from app.sandbox.wazo.state import SeenRequest, State, Token, User

if TYPE_CHECKING:
    from app.sandbox.wazo.call_server import CallServer

MAX_BODY = 16 * 1024 * 1024
MAX_LIMIT = 1000
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Content-Type, Authorization, X-Auth-Token, Wazo-Tenant, Wazo-Session-Type, X-User-UUID, Range, Accept"
    ),
    "Access-Control-Max-Age": "86400",
}
SECRET_HEADERS = frozenset(("authorization", "x-auth-token", "cookie"))
Handler = Callable[["Call"], Any]


class ApiError(Exception):
    """An error answer. ``shape`` is decided by the service unless given: A, B, C or D."""

    def __init__(self, status: int, message: str, error_id: str = "", shape: str = "", **details: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.error_id = status, message, error_id or message.lower().replace(" ", "-")
        self.shape, self.details = shape, details


@dataclass(slots=True)
class Reply:
    """An answer that is not just 200 and JSON."""

    status: int = 200
    data: Any = None
    body: bytes | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


NO_CONTENT = Reply(204)


@dataclass(slots=True)
class Call:
    """One request in the hands of a handler."""

    state: State
    server: CallServer
    request: web.Request
    params: Mapping[str, str]
    raw: bytes
    token: Token | None
    user: User | None

    @property
    def me(self) -> User:
        if self.user is None:
            raise unauthorized("not_found_or_expired")
        return self.user

    @property
    def tenant(self) -> str:
        """The tenant it is about: the one asked for, or the token's own."""
        return self.request.headers.get("Wazo-Tenant", "") or self.state.tenant_uuid

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object sent. Raises :class:`ApiError` 400."""
        try:
            data = json.loads(self.raw) if self.raw else {}
        except ValueError:
            raise invalid("body", "not JSON") from None
        if not isinstance(data, dict):
            raise invalid("body", "not an object")
        return data

    def text(self, name: str, *, required: bool = True, default: str = "") -> str:
        value = self.body.get(name)
        if value is None and not required:
            return default
        if not isinstance(value, str) or (required and not value):
            raise invalid(name, "a text is needed")
        return value


def invalid(name: str, why: str) -> ApiError:
    error = ApiError(400, "Sent data is invalid", "invalid-data")
    error.details[name] = {"message": why}
    return error


def unauthorized(reason: str, required: str = "") -> ApiError:
    return ApiError(401, "Unauthorized", "unauthorized", "A", reason=reason, required_access=required)


def not_found(message: str, error_id: str = "", **details: Any) -> ApiError:
    return ApiError(404, message, error_id, **details)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    acl: str
    handler: Handler
    token: bool


class Service:
    """The routes of one service; paths are relative to ``/api/<service>/<version>/``."""

    def __init__(self, prefix: str, shape: str) -> None:
        self.prefix, self.shape = prefix, shape
        self.routes: list[Route] = []

    def route(self, methods: str, path: str, acl: str = "", *, token: bool = True) -> Callable[[Handler], Handler]:
        """Register a handler (plain or coroutine function). ``{name}`` in *path* matches one segment and may be used in
        *acl*; a ``users/me`` segment also takes the caller's own uuid."""
        expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)

        def add(handler: Handler) -> Handler:
            for method in methods.split():
                self.routes.append(Route(method, re.compile(expression), acl, handler, token))
            return handler

        return add

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | int:
        """The route and its parameters, or the status that says why there is none."""
        status = 404
        for route in self.routes:
            match = route.pattern.fullmatch(path)
            if match is not None:
                if route.method == method or (method == "HEAD" and route.method == "GET"):
                    return route, match.groupdict()
                status = 405
        return status


class Api:
    """All services behind one origin."""

    def __init__(self, state: State, server: CallServer, services: Iterable[Service]) -> None:
        self.state, self.server = state, server
        self.services = tuple(services)
        self.requests_by_path: dict[str, int] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=200, headers=CORS)
        faults = self.state.faults
        fault = faults.match(request.method, request.path)
        if delay := faults.delay_http_s + (fault.delay_s if fault else 0.0):
            await asyncio.sleep(delay)
        raw = await request.read()
        seen = self._note(request, raw)
        if fault is not None and fault.status and not fault.lose:
            response = self._faulty(request, fault)
        else:
            response = await self._answer(request, raw)
        seen.status = response.status
        response.headers.update(CORS)
        if fault is not None and fault.lose and request.transport is not None:
            request.transport.abort()
        return response

    def _note(self, request: web.Request, raw: bytes) -> SeenRequest:
        body: Any = None
        if raw and "json" in request.headers.get("Content-Type", "json"):
            try:
                body = json.loads(raw)
            except ValueError:
                body = None
        headers = {k.lower(): v for k, v in request.headers.items() if k.lower() not in SECRET_HEADERS}
        query = {k: v for k, v in request.query.items() if k != "token"}
        seen = SeenRequest(request.method, request.path, query, body, 0, headers, time.monotonic())
        self.state.requests.append(seen)
        return seen

    def _faulty(self, request: web.Request, fault: HttpFault) -> web.Response:
        if fault.body is not None:
            return web.json_response(fault.body, status=fault.status)
        service = self._service(request.path)
        messages = {401: "Unauthorized", 403: "Forbidden", 404: "Not found", 503: "Service unavailable"}
        error = ApiError(fault.status, messages.get(fault.status, "Unexpected error"), "")
        if fault.status == 401:
            error = unauthorized("not_found_or_expired")
        return error_response(error, service.shape if service else "A")

    def _path(self, request: web.Request) -> str:
        old, new = ("/api/ctid-ng/", "/api/calld/")
        if self.state.options.old_calld and request.path.startswith((old, new)):
            return request.path.replace(old, new) if request.path.startswith(old) else ""
        return request.path

    def _service(self, path: str) -> Service | None:
        return next((s for s in self.services if path.startswith(f"/api/{s.prefix}/")), None)

    async def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        full = self._path(request)
        service = self._service(full)
        if service is None:
            return web.Response(status=404, text="<html><h1>404 Not Found</h1></html>", content_type="text/html")
        path = full.removeprefix(f"/api/{service.prefix}/").rstrip("/")
        try:
            if len(raw) > MAX_BODY:
                raise ApiError(413, "Request Entity Too Large")
            call, route = self._admit(service, request, path, raw)
            result = route.handler(call)
            if isinstance(result, Awaitable):
                result = await result
        except ApiError as error:
            return error_response(error, service.shape)
        return reply(result, request.method)

    def _admit(self, service: Service, request: web.Request, path: str, raw: bytes) -> tuple[Call, Route]:
        text = request.headers.get("X-Auth-Token", "") or request.query.get("token", "")
        token = self.state.token(text)
        user = self.state.users.get(token.user_uuid) if token is not None else None
        if user is not None:
            path = re.sub(f"^users/{re.escape(user.uuid)}(?=/|$)", "users/me", path)
        found = service.find(request.method, path)
        if isinstance(found, int):
            raise ApiError(found, "Not Found" if found == 404 else "Method Not Allowed")
        route, params = found
        if route.token:
            if token is None or user is None:
                raise unauthorized("not_found_or_expired")
            tenant = request.headers.get("Wazo-Tenant", "")
            required = re.sub(r"\{(\w+)\}", lambda m: params.get(m.group(1), "*"), route.acl)
            bad_tenant = tenant and tenant not in self.state.tenants
            if bad_tenant or not allows(token.acl, required, user.uuid, token.session_uuid):
                raise unauthorized("missing_permission_or_invalid_tenant", required)
        return Call(self.state, self.server, request, params, raw, token, user), route


def reply(result: Any, method: str = "GET") -> web.Response:
    answer = result if isinstance(result, Reply) else Reply(data=result)
    if answer.body is not None:
        return web.Response(
            status=answer.status, body=answer.body, content_type=answer.content_type, headers=dict(answer.headers)
        )
    if answer.status == 204 or method == "HEAD":
        return web.Response(status=answer.status, headers=dict(answer.headers))
    return web.json_response(answer.data, status=answer.status, headers=dict(answer.headers))


def error_response(error: ApiError, shape: str) -> web.Response:
    """One of the four shapes of wazo.md 1.2."""
    shape = error.shape or shape
    data: Any
    if shape == "B":
        data = {"reason": [error.message], "timestamp": [time.time()], "status_code": error.status}
    elif shape == "C":
        data = [error.details] if error.error_id == "invalid-data" else [error.message]
    elif shape == "D":
        data = {"error": error.message}
    else:
        data = {
            "message": error.message,
            "error_id": error.error_id,
            "details": error.details,
            "timestamp": time.time(),
        }
    return web.json_response(data, status=error.status)


# ---------------------------------------------------------------------- pages


def number(call: Call, name: str, default: int, least: int = 0) -> int:
    text = call.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise invalid(name, "Not a valid integer.")
    return int(text)


def page(
    call: Call,
    items: list[dict[str, Any]],
    *,
    order: str = "",
    direction: str = "asc",
    columns: Iterable[str] = (),
    search: Iterable[str] = (),
    limit: int = MAX_LIMIT,
) -> dict[str, Any]:
    """Search, order and cut *items* as the query asks."""
    total = len(items)
    term = call.query.get("search", "").lower()
    if term:
        names = tuple(search)
        items = [item for item in items if any(term in str(item.get(name) or "").lower() for name in names)]
    filtered = len(items)
    wanted = call.query.get("order", order)
    allowed = set(columns) | {order}
    if wanted and wanted not in allowed:
        raise invalid("order", "Must be one of: " + ", ".join(sorted(allowed)) + ".")
    way = call.query.get("direction", direction)
    if way not in ("asc", "desc"):
        raise invalid("direction", "Must be one of: asc, desc.")
    if wanted:
        items = sorted(items, key=lambda item: _sortable(item.get(wanted)), reverse=way == "desc")
    offset, count = number(call, "offset", 0), number(call, "limit", limit)
    return {"items": items[offset : offset + count], "total": total, "filtered": filtered}


def _sortable(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, (int, float)):
        return (1, float(value), "")
    return (2, 0.0, str(value).lower())
