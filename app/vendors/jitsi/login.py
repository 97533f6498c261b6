"""From a meeting link to a bound XMPP stream: config.js, service URL, domain and credentials (jitsi.md 1 and 2.2)."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.xmpp.connection import ConnectionOptions, ConnectionState, XmppConnection
from app.protocols.xmpp.sasl import Credentials
from app.protocols.xmpp.stanza import iq, parse_error
from app.vendors.base import Address, JoinRequest
from app.vendors.jitsi.address import MeetingUrl, split_meeting_url
from app.vendors.jitsi.config import (
    ConfigError,
    JitsiConfig,
    config_url,
    evaluate_config,
    make_config,
    service_url,
    with_query,
)
from app.vendors.jitsi.wire import parse_conference_reply

CONFIG_TIMEOUT_S = 6.0
"""Together with the connect timeout below ten seconds, so that a dead address is known by then."""
AUTHENTICATE_TIMEOUT_S = 15.0


def meeting_of(address: Address) -> MeetingUrl | None:
    """The link's parts, with the overrides that the address carries."""
    found = split_meeting_url(address.url)
    if found is None:
        return None
    pairs = []
    for item in filter(None, address.extra.get("overrides", "").split("&")):
        key, _, value = item.partition("=")
        pairs.append((key, value))
    return replace(found[0], overrides=found[0].overrides + tuple(pairs), release=address.extra.get("release", ""))


def with_options(config: JitsiConfig, options: Mapping[str, Any]) -> JitsiConfig:
    """The person's own server settings win over what the server says (seed option names)."""
    changes: dict[str, Any] = {}
    url = str(options.get("serviceUrl") or options.get("bosh_url") or "")
    if url.startswith(("ws://", "wss://")):
        changes |= {"websocket": url, "prefer_bosh": False, "keep_alive_url": "http" + url[2:]}
    elif url.startswith(("http://", "https://")):
        changes |= {"bosh": url, "prefer_bosh": True}
    domain, muc = str(options.get("hosts.domain") or ""), str(options.get("hosts.muc") or "")
    if domain:
        changes |= {"domain": domain, "focus": f"focus.{domain}"}
    if muc:
        changes["muc"] = muc.lower()
    if options.get("hosts.anonymousdomain"):
        changes["anonymous_domain"] = str(options["hosts.anonymousdomain"])
    if options.get("useTurnUdp"):
        changes["use_turn_udp"] = True
    if isinstance(options.get("websocketKeepAlive"), (int, float)):
        changes["keep_alive_s"] = float(options["websocketKeepAlive"]) / 1000
    if options.get("websocketKeepAliveUrl"):
        changes["keep_alive_url"] = str(options["websocketKeepAliveUrl"])
    return replace(config, **changes)


async def fetch_config(http: HttpClient, meeting: MeetingUrl, given: Mapping[str, Any] | None) -> JitsiConfig:
    """The server's configuration. Raises :class:`NetworkFailure`; code ``bad_config`` when it cannot be read.

    A server without config.js (404) gets the usual defaults; whether they hold shows at the connection.
    """
    if given is not None:
        return make_config(given, meeting)
    response = await http.request("GET", config_url(meeting), timeout_s=CONFIG_TIMEOUT_S)
    if response.status == 404:
        return replace(make_config({}, meeting), raw={"missing": True})
    if response.status != 200:
        raise NetworkFailure(f"http_{response.status}", "config.js", status=response.status)
    try:
        data = await asyncio.to_thread(evaluate_config, response.text)
    except ConfigError as error:
        raise NetworkFailure("bad_config", str(error)) from error
    return make_config(data, meeting)


def connection_options(
    config: JitsiConfig,
    room: str,
    token: str | None,
    credentials: Credentials | None,
    overrides: Mapping[str, Any],
) -> ConnectionOptions:
    """Where and how to connect. With credentials the login's domain, else the guest domain if there is one."""
    bosh = bool(config.bosh) and (config.prefer_bosh or not config.websocket or overrides.get("bosh") is True)
    domain = config.domain
    if credentials is not None:
        node, _, named = credentials.username.partition("@")
        domain = named or config.auth_domain or config.domain
        credentials = Credentials(node, credentials.password)
    elif config.anonymous_domain and not token:
        domain = config.anonymous_domain
    options = ConnectionOptions(
        service_url=service_url(config, room, token, bosh=bosh),
        domain=domain,
        credentials=credentials,
        resume=config.enable_websocket_resume,
        keep_alive_s=config.keep_alive_s,
        keep_alive_url=with_query(config.keep_alive_url, {"room": room}) if config.keep_alive_url else "",
    )
    ping = overrides.get("xmppPing")
    if not isinstance(ping, Mapping):
        ping = {
            k: overrides[f"xmppPing.{k}"] for k in ("interval", "timeout", "threshold") if f"xmppPing.{k}" in overrides
        }
    if ping:
        options = replace(
            options,
            ping_interval_s=float(ping.get("interval", 10_000)) / 1000,
            ping_timeout_s=float(ping.get("timeout", 5_000)) / 1000,
            ping_threshold=int(ping.get("threshold", 2)),
        )
    delays = overrides.get("resume_delays_s")
    return replace(options, resume_delays_s=tuple(delays)) if delays else options


def machine_uid(request: JoinRequest) -> str:
    """32 hexadecimal digits that stay the same for this installation when the caller keeps them."""
    given = str(request.options.get("machine_uid", ""))
    return given if len(given) == 32 else uuid.uuid4().hex


async def authenticate(http: HttpClient, options: ConnectionOptions, focus: str, request: Element) -> str:
    """Logs in on a second connection and asks the focus there; the session id. Raises :class:`NetworkFailure`."""
    answered: asyncio.Future[Element] = asyncio.get_running_loop().create_future()

    def on_stanza(stanza: Element) -> None:
        if stanza.get("id") == "authenticate" and not answered.done():
            answered.set_result(stanza)

    def ignore(_state: ConnectionState) -> None:
        return

    connection = XmppConnection(replace(options, resume=False), http, on_stanza, ignore)
    try:
        await connection.connect()
        connection.send(iq("set", "authenticate", focus, request))
        async with asyncio.timeout(AUTHENTICATE_TIMEOUT_S):
            stanza = await answered
    except TimeoutError as error:
        raise NetworkFailure("timeout", "authentication") from error
    finally:
        await connection.close()
    problem = parse_error(stanza)
    reply = parse_conference_reply(stanza) if problem is None else None
    if reply is None or not reply.session_id:
        raise NetworkFailure("not_authorized", problem.condition if problem else "no session")
    return reply.session_id


StateListener = Callable[[ConnectionState], None]
