"""Delays measured on purpose: to every other participant over the bridge channel, and to the STUN servers of the
regions that a deployment names (lib-jitsi-meet's ``e2eping`` and ``rttMonitor``)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.calls import events as ev
from app.calls.model import frozen_map
from app.vendors.jitsi import events as fx
from app.vendors.jitsi import wire_bridge as wb
from app.vendors.jitsi.room import Room
from app.vendors.jitsi.state import Context

if TYPE_CHECKING:
    from app.vendors.jitsi.channel import BridgeState

DEFAULT_PING_MS = 10_000
MIN_PING_MS = 100
MAX_PINGED = 20
"""People pinged in one round: in larger meetings the pings of all would be a load of their own."""
E2E_RTT = "e2e_rtt_ms"
"""Key of the round trip in a participant's statistics, milliseconds."""

DEFAULT_INITIAL_DELAY_S = 60.0
DEFAULT_INTERVAL_S = 10.0
MIN_INTERVAL_S = 1.0
STUN_PORT = 3478
ANSWER_TIMEOUT_S = 2.0
"""A region whose answer takes longer is of no use for a conversation."""
MAX_REGIONS = 10
MAX_SERVERS = 4


def ping_interval_ms(raw: Mapping[str, Any]) -> int:
    """How often ``config.js`` wants the others pinged; 0 for never."""
    options = raw.get("e2eping")
    if not isinstance(options, dict) or options.get("enabled") is False:
        return 0
    interval = _number(options.get("pingInterval"))
    if interval is None:
        return DEFAULT_PING_MS if options.get("enabled") is True else 0
    return 0 if interval <= 0 else max(MIN_PING_MS, int(interval))


class EndToEndPings:
    """Pings everybody once per interval and tells how long the answers took."""

    def __init__(self, ctx: Context, room: Room, bridge: BridgeState) -> None:
        self._ctx = ctx
        self._room = room
        self._bridge = bridge
        self._waiting: dict[str, tuple[int, int]] = {}
        """Id and time of the newest request by participant."""
        self._next_id = 0

    def start(self) -> None:
        """We are in the room."""
        self._waiting.clear()
        if self._ctx.options.e2e_ping_ms > 0:
            self._ctx.after(self._ctx.options.e2e_ping_ms, self._round)

    def _round(self) -> None:
        ctx = self._ctx
        if self._bridge.open:
            people = [nick for nick, member in self._room.members.items() if member.visible]
            self._waiting = {nick: sent for nick, sent in self._waiting.items() if nick in people}
            for nick in people[:MAX_PINGED]:
                self._next_id += 1
                self._waiting[nick] = (self._next_id, ctx.now())
                request = {"type": "e2e-ping-request", "id": self._next_id}
                ctx.effect(fx.SendBridge(wb.endpoint_message(nick, request)))
        ctx.after(ctx.options.e2e_ping_ms, self._round)

    def answered(self, sender: str, id_: Any) -> None:
        member, sent = self._room.member(sender), self._waiting.get(sender)
        if member is None or sent is None or sent[0] != id_:
            return
        del self._waiting[sender]
        self._bridge.e2e_rtt[sender] = max(0, self._ctx.now() - sent[1])
        stats = {**self._bridge.remote_stats.get(sender, {}), E2E_RTT: self._bridge.e2e_rtt[sender]}
        self._ctx.emit(ev.RemoteStatsUpdated(sender, frozen_map(stats)))


@dataclass(frozen=True, slots=True)
class RttMonitorOptions:
    """``rttMonitor`` of ``config.js``: STUN servers by region, delays in seconds."""

    regions: Mapping[str, tuple[tuple[str, int], ...]]
    initial_delay_s: float = DEFAULT_INITIAL_DELAY_S
    interval_s: float = DEFAULT_INTERVAL_S


def rtt_monitor_options(raw: Mapping[str, Any], own_host: str, *, third_parties: bool) -> RttMonitorOptions | None:
    """What to measure, ``None`` for nothing. Without *third_parties* only servers on *own_host* are asked."""
    options = raw.get("rttMonitor")
    if not isinstance(options, dict) or options.get("enabled") is not True:
        return None
    servers = options.get("stunServers")
    regions = {}
    for region, addresses in list(servers.items())[:MAX_REGIONS] if isinstance(servers, dict) else ():
        parsed = [_address(one) for one in addresses[:MAX_SERVERS]] if isinstance(addresses, list) else []
        allowed = tuple(one for one in parsed if one is not None and (third_parties or one[0] == own_host))
        if allowed and isinstance(region, str):
            regions[region[:32]] = allowed
    if not regions:
        return None
    delay, interval = _number(options.get("initialDelay")), _number(options.get("getStatsInterval"))
    return RttMonitorOptions(
        regions,
        DEFAULT_INITIAL_DELAY_S if delay is None else max(0.0, delay / 1000),
        DEFAULT_INTERVAL_S if interval is None else max(MIN_INTERVAL_S, interval / 1000),
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return min(float(value), 1e9)


def _address(value: Any) -> tuple[str, int] | None:
    if not isinstance(value, str):
        return None
    host, _, port = value.removeprefix("stun:").rpartition(":")
    if not host:
        host, port = port, str(STUN_PORT)
    if not host or len(host) > 253 or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        return None
    return host, int(port)


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.received.done():
            self.received.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.received.done():
            self.received.set_exception(exc)


async def stun_round_trip(host: str, port: int) -> float | None:
    """Milliseconds until a STUN server answers a binding request (RFC 8489), ``None`` without an answer."""
    from aioice import stun

    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            loop = asyncio.get_running_loop()
            transport, protocol = await loop.create_datagram_endpoint(_Answer, remote_addr=(host, port))
            try:
                begun = time.monotonic()
                transport.sendto(bytes(request))
                data = await protocol.received
            finally:
                transport.close()
        passed = (time.monotonic() - begun) * 1000
        return passed if stun.parse_message(data).transaction_id == request.transaction_id else None
    except (OSError, ValueError, TimeoutError):
        return None


async def monitor_regions(options: RttMonitorOptions, report: Callable[[Mapping[str, str]], None]) -> None:
    """Runs until cancelled; *report* gets ``rtt_<region>`` as text for the meeting's details."""
    await asyncio.sleep(options.initial_delay_s)
    while True:
        found = {}
        for region, servers in options.regions.items():
            times = [await stun_round_trip(*server) for server in servers]
            answered = [one for one in times if one is not None]
            if answered:
                found[f"rtt_{region}"] = f"{min(answered):.0f} ms"
        if found:
            report(found)
        await asyncio.sleep(options.interval_s)
