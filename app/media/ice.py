"""One ICE agent: candidates, connectivity checks and the datagram path they find (RFC 8445, RFC 8838, RFC 7675).

A thin layer over :mod:`aioice` that adds what a client on real networks needs: gathering that never waits long for a
dead STUN or TURN server, several TURN servers, loopback addresses, peer-reflexive-only peers, datagrams handed over
without a queue, and faults for tests. An agent is made anew for each ICE restart; DTLS and SRTP stay above it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, cast

import ifaddr
from aioice import ice, stun, turn
from aioice.candidate import Candidate, candidate_foundation, candidate_priority

from app.media.api import IceCandidate, IceServer

logger = logging.getLogger(__name__)

GATHER_TIMEOUT_S = 1.0
"""How long a join waits for STUN and TURN answers: longer is felt by the user, host candidates are often enough."""
LATE_GATHER_TIMEOUT_S = 8.0
"""Answers that come later still add a way to reach the peer (it learns them as peer-reflexive)."""
TURN_STAGGER_S = 0.15
"""Head start of each preferred TURN server over the next one."""
CONNECT_TIMEOUT_S = 30.0
"""RFC 8863 asks for patience beyond the first failed checks; thirty seconds is what users are ready to wait."""
PROBE_TIMEOUT_S = 0.5
MAX_HOST_ADDRESSES = 12
MAX_REMOTE_CANDIDATES = 64
MAX_STUN_SERVERS = 2
MAX_TURN_SERVERS = 3
COMPONENT = 1
LOOPBACK = {4: "127.0.0.1", 6: "::1"}

DatagramHandler = Callable[[bytes], None]


class IceFailed(ConnectionError):
    """No candidate pair worked within :data:`CONNECT_TIMEOUT_S`."""


@dataclass(slots=True)
class Faults:
    """Artificial trouble on a path, both directions: loss 0..1, delay in milliseconds, or nothing gets through."""

    loss: float = 0.0
    delay_ms: float = 0.0
    blackhole: bool = False
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    @property
    def active(self) -> bool:
        return self.blackhole or self.loss > 0.0 or self.delay_ms > 0.0

    def pass_on(self, deliver: Callable[..., object], *args: object) -> None:
        if self.blackhole or (self.loss > 0.0 and self.rng.random() < self.loss):
            return
        if self.delay_ms > 0.0:
            asyncio.get_running_loop().call_later(self.delay_ms / 1000, deliver, *args)
        else:
            deliver(*args)


def host_addresses(use_ipv4: bool = True, use_ipv6: bool = True) -> list[str]:
    """Addresses of this machine that are not loopback or link-local with a scope, IPv4 first."""
    v4: list[str] = []
    v6: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                if use_ipv4 and not ipaddress.ip_address(ip.ip).is_loopback:
                    v4.append(ip.ip)
            elif use_ipv6 and ip.ip[2] == 0 and not ipaddress.ip_address(ip.ip[0]).is_loopback:
                v6.append(ip.ip[0])
    return (v4 + v6)[:MAX_HOST_ADDRESSES]


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Protocol(ice.StunProtocol):
    """A socket of an agent. Media datagrams skip the STUN parser: STUN starts with 0..3 (RFC 7983)."""

    receiver: _Connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        faults = self.receiver.faults
        if faults.active:
            faults.pass_on(self._deliver, cast(bytes, data), addr)
        else:
            self._deliver(cast(bytes, data), addr)

    def _deliver(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if not data:
            return
        if data[0] > 3:
            self.receiver.on_datagram(data)
        else:
            super().datagram_received(data, addr)

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        self.sendto(bytes(message), addr)

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.receiver.faults.active:
            self.receiver.faults.pass_on(self._sendto, data, addr)
        else:
            self._sendto(data, addr)

    def _sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.receiver.stopped:
            return
        # No route, no buffer: for a datagram both are the same as loss.
        with contextlib.suppress(OSError):
            self.transport.sendto(data, addr)


class _Connection(ice.Connection):
    def __init__(
        self,
        *,
        controlling: bool,
        addresses: list[str],
        servers: tuple[IceServer, ...],
        use_ipv6: bool,
        on_datagram: DatagramHandler,
        faults: Faults,
    ) -> None:
        super().__init__(ice_controlling=controlling, use_ipv6=use_ipv6)
        self.on_datagram = on_datagram
        self.faults = faults
        self.stopped = False
        self.alive_at = time.monotonic()
        self.on_local_candidate: Callable[[Candidate], None] | None = None
        self._addresses = addresses
        self._servers = servers
        self._gathering: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ gathering

    async def gather_candidates(self) -> None:
        if self._local_candidates_start:
            return
        self._local_candidates_start = True
        for address in self._addresses:
            await self.bind(address, announce=True)
        hosts = [p for p in self._protocols if not is_loopback(p.local_candidate.host)]
        stun_servers = [s for s in self._servers if s.scheme in ("stun", "stuns")][:MAX_STUN_SERVERS]
        for server in stun_servers:
            for protocol in hosts:
                if ipaddress.ip_address(protocol.local_candidate.host).version == 4:
                    self._gather(self._gather_reflexive(protocol, server))
        if relays := relay_preference(self._servers):
            self._gather(self._gather_relay(relays))
        if self._gathering:
            await asyncio.wait(self._gathering, timeout=GATHER_TIMEOUT_S)
        self._local_candidates_end = True

    async def bind(self, address: str, announce: bool) -> None:
        """Open a socket on *address*; one that cannot be bound is left out."""
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_datagram_endpoint(lambda: _Protocol(self), local_addr=(address, 0))
        except OSError as error:
            logger.info("cannot bind to %s: %s", address, error)
            return
        sock = transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, turn.UDP_SOCKET_BUFFER_SIZE)
        host, port = transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=COMPONENT,
            transport="udp",
            priority=candidate_priority(COMPONENT, "host"),
            host=host,
            port=port,
            type="host",
        )
        self._protocols.append(protocol)
        if announce:
            self._local_candidates.append(protocol.local_candidate)

    def _gather(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._bounded(work))
        self._gathering.add(task)
        task.add_done_callback(self._gathering.discard)

    async def _bounded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(LATE_GATHER_TIMEOUT_S):
                await work
        except (OSError, TimeoutError, stun.TransactionError, ValueError) as error:
            logger.info("a STUN or TURN server gave no address: %s", type(error).__name__)

    async def _gather_reflexive(self, protocol: ice.StunProtocol, server: IceServer) -> None:
        candidate, _ = await ice.server_reflexive_candidate(protocol, (server.host, server.port))
        known = any(c.host == candidate.host and c.port == candidate.port for c in self._local_candidates)
        if not known and not self._closing:
            self._announce(candidate)

    async def _gather_relay(self, servers: list[IceServer]) -> None:
        """The first TURN server to answer, each one given a head start over the less preferred."""
        tasks = [asyncio.create_task(self._allocate(s, i * TURN_STAGGER_S)) for i, s in enumerate(servers)]
        winner: asyncio.Task[tuple[Candidate, ice.StunProtocol]] | None = None
        pending = set(tasks)
        try:
            while pending and winner is None:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                winner = next((t for t in tasks if t in done and t.exception() is None), None)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for task in tasks:
                if task is not winner and not task.cancelled() and task.exception() is None:
                    await task.result()[1].close()
        if winner is None:
            logger.info("no TURN server gave a relayed address")
            return
        candidate, protocol = winner.result()
        if self._closing:
            await protocol.close()
            return
        self._protocols.append(protocol)
        self._announce(candidate)
        if self._early_checks_done:
            for remote in self._remote_candidates:
                self._pair_remote_candidate(remote)
            self.sort_check_list()

    async def _allocate(self, server: IceServer, delay_s: float) -> tuple[Candidate, ice.StunProtocol]:
        await asyncio.sleep(delay_s)
        return await ice.relayed_candidate(
            component=COMPONENT,
            hide_related_address=False,
            protocol_factory=lambda: _Protocol(self),
            turn_server=(server.host, server.port),
            turn_username=server.username,
            turn_password=server.credential,
            turn_ssl=server.scheme == "turns",
            turn_transport="tcp" if server.scheme == "turns" else server.transport,
        )

    def _announce(self, candidate: Candidate) -> None:
        self._local_candidates.append(candidate)
        if self._local_candidates_end and self.on_local_candidate is not None:
            self.on_local_candidate(candidate)

    # ------------------------------------------------------------ checks

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: ice.StunProtocol) -> None:
        # Only authenticated requests come here, so they prove that the peer lives.
        self.alive_at = time.monotonic()
        if len(self._remote_candidates) >= 2 * MAX_REMOTE_CANDIDATES and not any(
            c._network_host == addr[0] and c.port == addr[1] for c in self._remote_candidates
        ):
            return
        super().check_incoming(message, addr, protocol)

    async def query_consent(self) -> None:
        """Replaced by the owner's liveness probes, which notice a dead path sooner."""

    async def close(self) -> None:
        for task in tuple(self._gathering):
            task.cancel()
        if self._gathering:
            await asyncio.gather(*self._gathering, return_exceptions=True)
        self.stopped = True
        await super().close()


def relay_preference(servers: tuple[IceServer, ...]) -> list[IceServer]:
    """TURN servers to try: UDP before TCP before TLS, at most :data:`MAX_TURN_SERVERS`, one of each kind first."""
    turns = [s for s in servers if s.scheme in ("turn", "turns")]

    def kind(server: IceServer) -> int:
        return 2 if server.scheme == "turns" else (1 if server.transport == "tcp" else 0)

    first = {kind(s): s for s in reversed(turns)}
    ordered = [first[k] for k in sorted(first)]
    ordered += sorted((s for s in turns if s not in ordered), key=kind)
    return sorted(ordered[:MAX_TURN_SERVERS], key=kind)


class IceAgent:
    """ICE with one peer, one component. Use: :meth:`gather`, :meth:`connect`, :meth:`send`, :meth:`close`."""

    def __init__(
        self,
        *,
        controlling: bool,
        on_datagram: DatagramHandler,
        servers: tuple[IceServer, ...] = (),
        use_ipv6: bool = True,
        bind_addresses: tuple[str, ...] | None = None,
        faults: Faults | None = None,
    ) -> None:
        """*bind_addresses*: exactly these instead of all of this machine; empty for relayed candidates only."""
        addresses = list(bind_addresses) if bind_addresses is not None else host_addresses(use_ipv6=use_ipv6)
        if not addresses and bind_addresses is None:
            addresses = [LOOPBACK[4]]
        self._fixed_addresses = bind_addresses is not None
        self._connection = _Connection(
            controlling=controlling,
            addresses=addresses,
            servers=servers,
            use_ipv6=use_ipv6,
            on_datagram=on_datagram,
            faults=faults or Faults(),
        )
        self._nominated = self._connection._nominated
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ufrag(self) -> str:
        return self._connection.local_username

    @property
    def pwd(self) -> str:
        return self._connection.local_password

    @property
    def controlling(self) -> bool:
        return self._connection.ice_controlling

    @property
    def alive_at(self) -> float:
        """Monotonic seconds of the last authenticated STUN message from the peer."""
        return self._connection.alive_at

    @property
    def connected(self) -> bool:
        return bool(self._nominated)

    @property
    def candidates(self) -> tuple[IceCandidate, ...]:
        return tuple(_from_aioice(c) for c in self._connection.local_candidates)

    def on_candidate(self, listener: Callable[[IceCandidate], None]) -> None:
        """Tell *listener* of candidates found after :meth:`gather` returned."""
        self._connection.on_local_candidate = lambda candidate: listener(_from_aioice(candidate))

    async def gather(self) -> None:
        """Bind sockets and ask STUN and TURN servers; returns within about :data:`GATHER_TIMEOUT_S`."""
        await self._connection.gather_candidates()

    async def connect(self, ufrag: str, pwd: str, candidates: tuple[IceCandidate, ...], ice_lite: bool) -> None:
        """Run checks until a pair is nominated. Raises :class:`IceFailed`."""
        connection = self._connection
        connection.remote_username = ufrag
        connection.remote_password = pwd
        connection.remote_is_lite = ice_lite
        await self._reach_loopback(candidates)
        self.add_remote_candidates(candidates)
        try:
            # End-of-candidates is never signalled: a peer whose candidates all fail may still reach us first.
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()
        except (TimeoutError, ConnectionError) as error:
            raise IceFailed("no candidate pair worked") from error
        connection.alive_at = time.monotonic()

    async def _reach_loopback(self, candidates: tuple[IceCandidate, ...]) -> None:
        """A peer on this machine is reached from a loopback socket, also when other addresses were offered."""
        if self._fixed_addresses:
            return
        bound = {p.local_candidate.host for p in self._connection._protocols}
        for version in {ipaddress.ip_address(c.ip).version for c in candidates if is_loopback(c.ip)}:
            if LOOPBACK[version] not in bound:
                await self._connection.bind(LOOPBACK[version], announce=False)

    def add_remote_candidates(self, candidates: tuple[IceCandidate, ...]) -> None:
        """Add candidates of the peer; unusable ones (TCP, other component, too many) are ignored."""
        for candidate in candidates:
            known = len(self._connection._remote_candidates) + len(self._tasks)
            if candidate.component != COMPONENT or candidate.protocol.lower() != "udp":
                continue
            if known >= MAX_REMOTE_CANDIDATES or not 0 < candidate.port < 65536:
                continue
            # Names (mDNS) resolve slowly; addresses take effect before the task first suspends.
            task = asyncio.ensure_future(self._connection.add_remote_candidate(_to_aioice(candidate)))
            self._tasks.add(task)
            task.add_done_callback(self._candidate_added)

    def _candidate_added(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.info("remote candidate ignored: %s", type(task.exception()).__name__)

    def send(self, data: bytes) -> bool:
        """Send on the nominated pair; ``False`` when there is none."""
        pair = self._nominated.get(COMPONENT)
        if pair is None:
            return False
        cast(_Protocol, pair.protocol).sendto(data, pair.remote_addr)
        return True

    async def probe(self) -> float | None:
        """One consent check (RFC 7675) on the nominated pair: round trip in milliseconds, ``None`` without answer."""
        connection = self._connection
        pair = self._nominated.get(COMPONENT)
        if pair is None or connection.remote_password is None:
            return None
        request = connection.build_request(pair, nominate=False)
        started = time.monotonic()
        key = connection.remote_password.encode()
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S * 2):
                await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)
        except (stun.TransactionError, TimeoutError):
            return None
        connection.alive_at = time.monotonic()
        return (connection.alive_at - started) * 1000

    @property
    def pair(self) -> tuple[str, str]:
        """The nominated pair for people: ``("host 10.0.0.2:4000", "host 10.0.0.3:10000")``, empty before."""
        pair = self._nominated.get(COMPONENT)
        if pair is None:
            return "", ""
        local, remote = pair.local_candidate, pair.remote_candidate
        return f"{local.type} {local.host}:{local.port}", f"{remote.type} {remote.host}:{remote.port}"

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._connection.close()


def _from_aioice(candidate: Candidate) -> IceCandidate:
    return IceCandidate(
        foundation=candidate.foundation,
        component=candidate.component,
        protocol=candidate.transport.lower(),
        priority=candidate.priority,
        ip=candidate.host,
        port=candidate.port,
        type=candidate.type,
        related_address=candidate.related_address,
        related_port=candidate.related_port,
        tcp_type=candidate.tcptype,
        generation=candidate.generation or 0,
    )


def _to_aioice(candidate: IceCandidate) -> Candidate:
    return Candidate(
        foundation=candidate.foundation[:32],
        component=candidate.component,
        transport=candidate.protocol.lower(),
        priority=candidate.priority,
        host=candidate.ip,
        port=candidate.port,
        # A peer may signal what it learnt as peer-reflexive; for checks it is a host like any other.
        type="host" if candidate.type == "prflx" else candidate.type,
        related_address=candidate.related_address,
        related_port=candidate.related_port,
    )
