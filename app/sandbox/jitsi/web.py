"""HTTP side of the sandbox: config.js, XMPP over WebSocket (RFC 7395) and BOSH (XEP-0124/0206), conference requests,
the bridge's WebSocket, and the self-signed certificate for TLS tests."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from app.protocols.xmpp.framing import SUBPROTOCOL, close_frame, is_close, is_open, open_frame
from app.protocols.xmpp.xml import BadXml, parse, serialise
from app.sandbox.jitsi.bosh import BoshSessions
from app.sandbox.jitsi.faults import Faults
from app.sandbox.jitsi.focus import ConferenceRefusal, Focus
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sasl import TokenError, check_token
from app.sandbox.jitsi.stream import ClientStream, Streams

log = logging.getLogger(__name__)

MAX_FRAME_BYTES = 512 * 1024
MAX_QUEUED_FRAMES = 5000
"""A client that reads so slowly loses its connection."""


class ColibriPort(Protocol):
    """What the web side asks of the bridge."""

    async def web_socket(self, conference: str, endpoint: str, password: str, socket: web.WebSocketResponse) -> None:
        """Serve one bridge channel until it closes."""


class XmppSocket:
    """One WebSocket connection with its ordered, possibly delayed, output."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, faults: Faults) -> None:
        self._request, self._socket, self._faults = request, socket, faults
        self._queue: deque[tuple[float, str | None]] = deque()
        self._wake = asyncio.Event()
        self.stream: ClientStream | None = None

    def write(self, text: str) -> None:
        self._put(text)

    def close(self) -> None:
        self._put(serialise(close_frame()))
        self._put(None)

    def _put(self, text: str | None) -> None:
        if len(self._queue) >= MAX_QUEUED_FRAMES:
            self.abort()
            return
        self._queue.append((time.monotonic() + self._faults.delay_stanzas_s, text))
        self._wake.set()

    def abort(self) -> None:
        """Break the connection as a dead network does: no stream close, no WebSocket close."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def pump(self) -> None:
        """Send what is queued, each item at its time."""
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            due, text = self._queue.popleft()
            if due > time.monotonic():
                await asyncio.sleep(due - time.monotonic())
            if text is None:
                await self._socket.close()
                return
            try:
                await self._socket.send_str(text)
            except (ConnectionError, RuntimeError):
                return


class WebServer:
    """Builds the aiohttp application of one sandbox."""

    def __init__(
        self, options: SandboxOptions, faults: Faults, streams: Streams, focus: Focus, colibri: ColibriPort
    ) -> None:
        self._options, self._faults, self._streams = options, faults, streams
        self._focus, self._colibri = focus, colibri
        self.sockets: set[XmppSocket] = set()
        self.bosh = BoshSessions(streams, faults)
        self.base_url = ""
        self.requests: deque[str] = deque(maxlen=200)
        """Paths with query names (values left out) of what was asked, for tests of keep-alive and ``room=``."""

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._observe])
        app.router.add_get("/{prefix:.*}config.js", self._config)
        app.router.add_get("/{prefix:.*}xmpp-websocket", self._xmpp)
        app.router.add_route("*", "/{prefix:.*}http-bind", self._http_bind)
        app.router.add_post("/{prefix:.*}conference-request/v1", self._conference_request)
        app.router.add_get("/colibri-ws/{server}/{conference}/{endpoint}", self._colibri_socket)
        app.router.add_get("/{room:.*}", self._page)
        return app

    @web.middleware
    async def _observe(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        self.requests.append(f"{request.path}?{'&'.join(sorted(request.query))}")
        if self._faults.delay_http_s:
            await asyncio.sleep(self._faults.delay_http_s)
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers["Access-Control-Allow-Origin"] = "*"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type, Authorization"
            response.headers["Access-Control-Expose-Headers"] = "X-Jitsi-Shard"
            response.headers["X-Jitsi-Shard"] = "sandbox"
        return response

    # ------------------------------------------------------------------ pages

    def config(self, tenant: str) -> dict[str, Any]:
        """What ``config.js`` says, as data."""
        options = self._options
        prefix = f"{tenant}/" if tenant else ""
        web_socket = self.base_url.replace("http", "ws", 1) + f"/{prefix}xmpp-websocket"
        label = tenant.lower().replace(".", "_")
        data: dict[str, Any] = {
            "hosts": {
                "domain": options.domain,
                "muc": f"muc.{label}.{options.domain}" if tenant else options.muc,
                "focus": options.focus,
            },
            "focusUserJid": options.focus_user,
            "hiddenDomain": options.hidden_domain,
            "websocketKeepAlive": 60_000,
            "websocketKeepAliveUrl": f"{self.base_url}/{prefix}http-bind",
            "enableRemb": True,
            "enableTcc": False,
            "p2p": {"enabled": False},
            "bridgeChannel": {"preferSctp": "sctp" in options.bridge_channels},
            "flags": {"ssrcRewritingEnabled": options.ssrc_rewriting},
            "deploymentInfo": {"shard": "sandbox", "region": "sandbox", "userRegion": "sandbox"},
        }
        if options.secure_domain:
            data["hosts"]["anonymousdomain"] = options.guest_domain
        if options.websocket:
            data["websocket"] = web_socket
        if options.bosh:
            data["bosh"] = f"{self.base_url}/{prefix}http-bind"
        if options.http_conference_request:
            data["conferenceRequestUrl"] = f"{self.base_url}/{prefix}conference-request/v1"
        data.update(options.config)
        return data

    async def _config(self, request: web.Request) -> web.Response:
        if self._faults.config_status != 200:
            return web.Response(status=self._faults.config_status, text="Not Found")
        text = self._faults.config_text
        if text is None:
            prefix = request.match_info["prefix"].strip("/")
            text = config_script(self.config(prefix.replace("/", "")))
        return web.Response(text=text, content_type="application/javascript")

    async def _page(self, request: web.Request) -> web.Response:
        room = request.match_info["room"]
        text = "Parley sandbox. Open this address in Parley to join the meeting." if room else "Parley sandbox."
        return web.Response(text=text)

    # ------------------------------------------------------------------ XMPP

    async def _xmpp(self, request: web.Request) -> web.StreamResponse:
        if not self._options.websocket or self._faults.refuse_websocket:
            return web.Response(status=self._faults.refuse_websocket or 404)
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,), max_msg_size=MAX_FRAME_BYTES)
        await socket.prepare(request)
        connection = XmppSocket(request, socket, self._faults)
        stream = ClientStream(self._streams, connection.write, connection.close, request.query)
        connection.stream = stream
        self.sockets.add(connection)
        pump = asyncio.get_running_loop().create_task(connection.pump())
        clean = False
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                if self._frame(connection, stream, message.data):
                    clean = True
                    break
        finally:
            self.sockets.discard(connection)
            stream.closed(clean)
            if not clean:
                pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
        return socket

    def _frame(self, connection: XmppSocket, stream: ClientStream, text: str) -> bool:
        """Handle one frame; True when the client closed the stream."""
        try:
            element = parse(text)
        except BadXml:
            stream.stream_error("not-well-formed")
            return False
        if is_open(element):
            opening = open_frame(from_=element.get("to"), stream_id=secrets.token_hex(8))
            connection.write(serialise(opening))
            features = stream.open(element.get("to") or "")
            if features is not None:
                connection.write(features)
        elif is_close(element):
            connection.close()
            return True
        else:
            stream.receive(element)
        return False

    async def _http_bind(self, request: web.Request) -> web.Response:
        if not self._options.bosh:
            return web.Response(status=404)
        if request.method != "POST":
            return web.Response(text="It works! Now point your BOSH client to this URL.")
        body = await self.bosh.handle((await request.read()).decode("utf-8", "replace"), request.query)
        return web.Response(text=body, content_type="text/xml")

    def drop_sockets(self, full_jid: str = "") -> int:
        """Break the connections of one session (or of all) without any close; returns how many."""
        count = 0
        for connection in list(self.sockets):
            session = connection.stream.session if connection.stream is not None else None
            if not full_jid or (session is not None and session.jid == full_jid):
                connection.abort()
                count += 1
        return count

    # ------------------------------------------------------------------ focus and bridge

    async def _conference_request(self, request: web.Request) -> web.Response:
        try:
            data = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400, text="400 bad-request")
        if not isinstance(data, dict) or not isinstance(data.get("room"), str):
            return web.Response(status=400, text="400 bad-request")
        policy, bearer = self._options.token, request.headers.get("Authorization", "")
        if policy is not None and policy.required:
            try:
                check_token(policy, bearer.removeprefix("Bearer "))
            except TokenError:
                return web.Response(status=403, text="403 not-authorized")
        given = data.get("properties")
        properties = {str(k): str(v) for k, v in given.items()} if isinstance(given, Mapping) else {}
        answer = self._focus.request(
            data["room"], "", str(data.get("machineUid", "")), str(data.get("sessionId") or ""), properties
        )
        if isinstance(answer, ConferenceRefusal):
            return web.Response(status=answer.status, text=f"Error: {answer.text or answer.condition}")
        reply = {"ready": answer.ready, "focusJid": answer.focus_jid, "room": data["room"]}
        reply["properties"] = dict(answer.properties)
        if answer.session_id:
            reply.update(sessionId=answer.session_id, identity=answer.identity)
        return web.json_response(reply)

    async def _colibri_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=MAX_FRAME_BYTES, heartbeat=15.0)
        await socket.prepare(request)
        info = request.match_info
        await self._colibri.web_socket(info["conference"], info["endpoint"], request.query.get("pwd", ""), socket)
        return socket


def config_script(data: Mapping[str, Any]) -> str:
    """``config.js`` in the imperative form of docker installations: a few statements, not one literal."""
    lines = ["var config = {};", "config.hosts = {};", "var subdomain = '';", "if (subdomain) {", "  subdomain += '.';"]
    lines += ["}"]
    for key, value in data.items():
        if key == "hosts":
            lines += [f"config.hosts.{name} = {json.dumps(host)};" for name, host in value.items()]
        else:
            lines.append(f"config.{key} = {json.dumps(value)};")
    return "\n".join(lines) + "\n"


def self_signed_context() -> Any:
    """A TLS context with a fresh certificate for ``localhost`` that nobody trusts."""
    import datetime
    import ipaddress
    import os
    import ssl
    import tempfile

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    builder = builder.not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    encoding = serialization.Encoding.PEM
    pem = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    descriptor, path = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem + certificate.public_bytes(encoding))
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context
