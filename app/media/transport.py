"""One bundled transport: ICE, DTLS, SRTP, data channels and an RTP session on a single 5-tuple (RFC 8843).

Usable from any asyncio loop and without the engine: a client, a forwarding bridge and tests build on the same class.
Hot path: datagram -> SRTP unprotect -> :meth:`RtpSession.receive_rtp` -> handler, all synchronous.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from aiortc.rtcdtlstransport import RTCCertificate

from app.media import dtls
from app.media.api import IceCandidate, TransportConfig, TransportDescription
from app.media.dtls import DtlsEndpoint, SrtpContext
from app.media.errors import InvalidState
from app.media.ice import Faults, IceAgent, IceFailed
from app.media.rtp import is_rtcp
from app.media.sctp import DataChannels
from app.media.session import RtpSession

logger = logging.getLogger(__name__)

TICK_S = 0.02
SILENCE_S = 2.0
"""Nothing authentic from the peer for this long: 'disconnected'."""
PROBE_AFTER_S = 0.8
"""Silence after which the peer is asked for a sign of life."""
PROBE_INTERVAL_S = 0.5
CONSENT_INTERVAL_S = 5.0
"""RFC 7675: consent is asked for also while media flows."""
DEAD_S = 15.0
"""Silence after which the path counts as failed; RFC 7675 allows at most thirty seconds."""
OLD_PATH_S = 1.0
"""After an ICE restart packets still in flight on the old path are accepted for this long."""
CLOSE_TIMEOUT_S = 2.0
MAX_EARLY_DATAGRAMS = 16
STATES = ("new", "connecting", "connected", "disconnected", "failed", "closed")


class BundledTransport:
    """See the module's words. Callbacks are plain attributes; RTP callbacks are on :attr:`session`."""

    def __init__(
        self,
        config: TransportConfig,
        *,
        bind_addresses: tuple[str, ...] | None = None,
        certificate: RTCCertificate | None = None,
        cname: str = "",
        auto_nack: bool = False,
        fingerprint_algorithms: tuple[str, ...] = ("sha-256",),
    ) -> None:
        """*auto_nack*: ask for missing packets here, for users without receivers of their own (a bridge)."""
        self.config = config
        self.state = "new"
        self.reason = ""
        self.bytes_sent = self.bytes_received = 0
        self.on_state: Callable[[str, str], None] | None = None
        """New state and reason."""
        self.on_channel_open: Callable[[str, str], None] | None = None
        """Label and protocol, for channels of either side."""
        self.on_channel_close: Callable[[str], None] | None = None
        self.on_message: Callable[[str, str | bytes], None] | None = None
        self.on_local_candidate: Callable[[IceCandidate], None] | None = None
        """Candidates found after the description was given (trickle)."""
        self.faults = Faults()
        self.session = RtpSession(
            config.media, send_rtp=self.send_rtp_raw, send_rtcp=self.send_rtcp_raw, cname=cname, auto_nack=auto_nack
        )
        self.session.on_queued = self._schedule_pacing
        self._bind_addresses = bind_addresses
        self._certificate = certificate or dtls.make_certificate()
        self._algorithms = fingerprint_algorithms
        self._controlling = config.controlling
        self._agent: IceAgent | None = None
        self._next_agent: IceAgent | None = None
        self._old_agents: set[asyncio.Task[None]] = set()
        self._dtls: DtlsEndpoint | None = None
        self._srtp: SrtpContext | None = None
        self._channels: DataChannels | None = None
        self._wanted_channels: list[tuple[str, str]] = []
        self._remote: TransportDescription | None = None
        self._early: list[bytes] = []
        self._setup = config.setup
        self._alive_at = 0.0
        self._connect_task: asyncio.Task[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._prober: asyncio.Task[None] | None = None
        self._pacing: asyncio.TimerHandle | None = None
        self._closing = False

    # ------------------------------------------------------------ description

    @property
    def local(self) -> TransportDescription:
        """Our side; of the coming path while an ICE restart is under way."""
        agent = self._next_agent or self._agent
        if agent is None:
            raise InvalidState("the transport has not gathered candidates yet")
        return TransportDescription(
            ufrag=agent.ufrag,
            pwd=agent.pwd,
            fingerprints=dtls.fingerprints(self._certificate, self._algorithms),
            setup=self._setup,
            candidates=agent.candidates,
            sctp_port=self.config.sctp_port if self.config.data_channel else None,
        )

    async def gather(self) -> TransportDescription:
        """Bind sockets, find candidates (bounded) and return our description."""
        if self._agent is None:
            self._agent = await self._new_agent()
        return self.local

    async def _new_agent(self) -> IceAgent:
        agent = IceAgent(
            controlling=self._controlling,
            on_datagram=self._on_datagram,
            servers=self.config.ice_servers,
            use_ipv6=self.config.use_ipv6,
            bind_addresses=self._bind_addresses,
            faults=self.faults,
        )
        agent.on_candidate(lambda c: self.on_local_candidate(c) if self.on_local_candidate else None)
        try:
            await agent.gather()
        except BaseException:
            await agent.close()
            raise
        return agent

    # ------------------------------------------------------------ life

    async def start(self, remote: TransportDescription) -> None:
        """Begin ICE and DTLS towards *remote*; progress comes by :attr:`on_state`."""
        if self.state != "new":
            raise InvalidState("the transport was started already")
        await self.gather()
        self._remote = remote
        self._setup = _answer_setup(self._setup, remote.setup, self._controlling)
        self._set_state("connecting")
        self._ticker = asyncio.create_task(self._tick())
        assert self._agent is not None
        self._connect_task = asyncio.create_task(self._connect(self._agent, remote))

    async def add_remote_candidates(self, candidates: tuple[IceCandidate, ...]) -> None:
        if agent := self._next_agent or self._agent:
            agent.add_remote_candidates(candidates)

    async def restart_ice(self) -> TransportDescription:
        """New credentials and candidates; the old path goes on working until the new one is connected."""
        if self._closing:
            raise InvalidState("the transport is closed")
        await self._cancel_connect()
        if self._next_agent is not None:
            await self._next_agent.close()
            self._next_agent = None
        self._next_agent = await self._new_agent()
        return self.local

    async def continue_ice(self, remote: TransportDescription) -> None:
        """The far side's new credentials; switches over as soon as the new path works."""
        if self._next_agent is None or self._closing:
            raise InvalidState("no ICE restart is under way")
        await self._cancel_connect()
        self._connect_task = asyncio.create_task(self._connect(self._next_agent, remote))

    async def _cancel_connect(self) -> None:
        task = self._connect_task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _connect(self, agent: IceAgent, remote: TransportDescription) -> None:
        try:
            await agent.connect(remote.ufrag, remote.pwd, remote.candidates, remote.ice_lite)
        except IceFailed:
            if self.state != "connected":
                self._set_state("failed", "ice")
            return
        if agent is self._next_agent:
            old, self._agent, self._next_agent = self._agent, agent, None
            if old is not None:
                task = asyncio.create_task(_retire(old))
                self._old_agents.add(task)
                task.add_done_callback(self._old_agents.discard)
        self._controlling = agent.controlling
        self._alive_at = time.monotonic()
        if self._dtls is None:
            self._start_dtls()
        elif self._dtls.state == "connected":
            self._set_state("connected")

    def _start_dtls(self) -> None:
        assert self._remote is not None
        self._dtls = DtlsEndpoint(
            certificate=self._certificate,
            client=self._setup == "active",
            expected=self._remote.fingerprints,
            send=self._send_datagram,
            on_state=self._on_dtls_state,
            on_data=self._on_dtls_data,
        )
        self._dtls.start()
        early, self._early = self._early, []
        for datagram in early:
            self._dtls.receive(datagram)

    def _on_dtls_state(self, state: str, reason: str) -> None:
        assert self._dtls is not None
        if state == "connected":
            self._srtp = self._dtls.srtp
            if self.config.data_channel:
                self._start_channels(self._dtls)
            self._set_state("connected")
        elif state == "failed":
            self._set_state("failed", f"dtls: {reason}")
        elif state == "closed" and not self._closing:
            self._srtp = None
            self._set_state("closed", reason)

    def _start_channels(self, endpoint: DtlsEndpoint) -> None:
        self._channels = DataChannels(
            endpoint,
            local_port=self.config.sctp_port,
            on_open=lambda label, protocol: self.on_channel_open(label, protocol) if self.on_channel_open else None,
            on_close=lambda label: self.on_channel_close(label) if self.on_channel_close else None,
            on_message=lambda label, data: self.on_message(label, data) if self.on_message else None,
        )
        assert self._remote is not None
        self._channels.start(self._remote.sctp_port or self.config.sctp_port)
        for label, protocol in self._wanted_channels:
            self._channels.open(label, protocol)
        self._wanted_channels.clear()

    async def close(self) -> None:
        """Say goodbye (BYE, close_notify) and free everything. Idempotent."""
        if self._closing:
            return
        self._closing = True
        if self._pacing is not None:
            self._pacing.cancel()
        for ssrc in tuple(self.session.streams):
            self.session.remove_stream(ssrc)
        tasks = [t for t in (self._connect_task, self._ticker, self._prober) if t is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._channels is not None:
            await self._channels.close()
        if self._dtls is not None:
            self._dtls.close()
        self._srtp = None
        for task in tuple(self._old_agents):
            task.cancel()
        await asyncio.gather(*self._old_agents, return_exceptions=True)
        for agent in (self._next_agent, self._agent):
            if agent is not None:
                await _bounded_close(agent)
        self._set_state("closed")

    def _set_state(self, state: str, reason: str = "") -> None:
        if state != self.state and self.state != "closed":
            logger.info("transport %s: %s %s", self.config.call_id[:8], state, reason)
            self.state, self.reason = state, reason
            if self.on_state is not None:
                self.on_state(state, reason)

    # ------------------------------------------------------------ datagrams

    def _on_datagram(self, data: bytes) -> None:
        first = data[0]
        if 127 < first < 192:
            srtp = self._srtp
            if srtp is None:
                return
            self.bytes_received += len(data)
            if is_rtcp(data):
                plain = srtp.unprotect_rtcp(data)
                if plain is not None:
                    self._alive_at = time.monotonic()
                    self.session.receive_rtcp(plain)
            else:
                plain = srtp.unprotect(data)
                if plain is not None:
                    self._alive_at = now = time.monotonic()
                    self.session.receive_rtp(plain, now * 1000)
        elif 19 < first < 64:
            self.bytes_received += len(data)
            if self._dtls is not None:
                self._dtls.receive(data)
            elif len(self._early) < MAX_EARLY_DATAGRAMS:
                self._early.append(data)

    def _on_dtls_data(self, data: bytes) -> None:
        self._alive_at = time.monotonic()
        if self._channels is not None:
            self._channels.receive(data)

    def _send_datagram(self, data: bytes) -> None:
        agent = self._agent
        if agent is not None and agent.send(data):
            self.bytes_sent += len(data)

    def send_rtp_raw(self, data: bytes) -> None:
        """Protect and send a complete RTP packet as it is; dropped while there is no path."""
        if self._srtp is not None and self.state != "failed":
            protected = self._srtp.protect(data)
            if protected is not None:
                self._send_datagram(protected)

    def send_rtcp_raw(self, data: bytes) -> None:
        """Protect and send a compound RTCP packet as it is."""
        if self._srtp is not None and self.state != "failed":
            protected = self._srtp.protect_rtcp(data)
            if protected is not None:
                self._send_datagram(protected)

    def _schedule_pacing(self) -> None:
        if self._pacing is None and not self._closing:
            self._pacing = asyncio.get_running_loop().call_later(self.session.pacer.wait_s(), self._pace)

    def _pace(self) -> None:
        self._pacing = None
        if self.session.flush(time.monotonic()) is not None:
            self._schedule_pacing()

    # ------------------------------------------------------------ liveness

    async def _tick(self) -> None:
        next_consent = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            if self._srtp is not None:
                self.session.tick(now)
            if self.state not in ("connected", "disconnected") or self._agent is None:
                continue
            silence = now - max(self._alive_at, self._agent.alive_at)
            if self.state == "connected" and silence > SILENCE_S:
                self._set_state("disconnected", "silence")
            elif self.state == "disconnected" and silence < SILENCE_S:
                self._set_state("connected")
            elif self.state == "disconnected" and silence > DEAD_S:
                self._set_state("failed", "ice")
                continue
            if (silence > PROBE_AFTER_S or now >= next_consent) and (self._prober is None or self._prober.done()):
                next_consent = now + CONSENT_INTERVAL_S
                self._prober = asyncio.create_task(self._probe(self._agent))

    async def _probe(self, agent: IceAgent) -> None:
        trip_ms = await agent.probe()
        if trip_ms is not None:
            self.session.note_round_trip(trip_ms)
        await asyncio.sleep(PROBE_INTERVAL_S)

    # ------------------------------------------------------------ data channels

    def open_data_channel(self, label: str, protocol: str) -> None:
        """Open as soon as SCTP is up; :attr:`on_channel_open` follows."""
        if not self.config.data_channel or self._closing:
            raise InvalidState("this transport has no data channels")
        if self._channels is not None:
            self._channels.open(label, protocol)
        elif all(label != wanted for wanted, _ in self._wanted_channels):
            self._wanted_channels.append((label, protocol))

    def send_data(self, label: str, data: str | bytes) -> None:
        """Raises :class:`InvalidState` when the channel is not open."""
        if self._channels is None:
            raise InvalidState(f"data channel {label!r} is not open")
        self._channels.send(label, data)

    # ------------------------------------------------------------ facts

    @property
    def candidate_pair(self) -> tuple[str, str]:
        return self._agent.pair if self._agent is not None else ("", "")

    @property
    def dtls_cipher(self) -> str:
        return self._dtls.cipher if self._dtls is not None else ""

    @property
    def srtp_profile(self) -> str:
        return self._srtp.profile if self._srtp is not None else ""


def _answer_setup(ours: str, theirs: str, controlling: bool) -> str:
    """Our DTLS role, ``active`` or ``passive`` (RFC 8842 section 5)."""
    if ours in ("active", "passive"):
        return ours
    if theirs in ("active", "passive"):
        return "passive" if theirs == "active" else "active"
    return "passive" if controlling else "active"


async def _retire(agent: IceAgent) -> None:
    try:
        await asyncio.sleep(OLD_PATH_S)
    finally:
        await _bounded_close(agent)


async def _bounded_close(agent: IceAgent) -> None:
    """A TURN server that does not answer must not hold up hanging up."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await agent.close()
    except TimeoutError:
        logger.info("ICE agent closed without the relay's answer")
