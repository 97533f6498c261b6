"""Data channels over DTLS (RFC 8831, RFC 8832, RFC 8841) on aiortc's SCTP association."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable
from typing import Any

from aiortc.exceptions import InvalidStateError
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from app.media.dtls import DtlsEndpoint
from app.media.errors import InvalidState

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 262_144
MAX_CHANNELS = 16
MAX_INBOX = 512
"""Datagrams waiting for the association; more means it cannot keep up and SCTP repeats what is lost."""
MAX_BUFFERED_BYTES = 4_194_304
INITIAL_RTO_S = 1.0
"""RFC 9260 says three seconds for a lost INIT; a call's control channel should not wait that long."""
RECEIVE_WINDOW = 1_048_576


class _DtlsPart:
    """What the association needs of a DTLS transport."""

    def __init__(self, dtls: DtlsEndpoint) -> None:
        self._dtls = dtls
        self._role = "client" if dtls.client else "server"

    @property
    def state(self) -> str:
        return self._dtls.state

    def _register_data_receiver(self, receiver: object) -> None:
        """The owner hands data over itself."""

    def _unregister_data_receiver(self, receiver: object) -> None:
        """See above."""

    async def _send_data(self, data: bytes) -> None:
        # A timer of the association may outlive DTLS by a moment; what it sends is lost either way.
        with contextlib.suppress(ConnectionError):
            self._dtls.send(data)


class _Association(RTCSctpTransport):
    async def _data_channel_receive(self, stream_id: int, pp_id: int, data: bytes) -> None:
        room = stream_id in self._data_channels or len(self._data_channels) < MAX_CHANNELS
        if room and len(data) <= MAX_MESSAGE_BYTES:
            await super()._data_channel_receive(stream_id, pp_id, data)


class DataChannels:
    """The SCTP association of one transport and its channels. Both sides send INIT (RFC 8841 section 9.3)."""

    def __init__(
        self,
        dtls: DtlsEndpoint,
        *,
        local_port: int,
        on_open: Callable[[str, str], None],
        on_close: Callable[[str], None],
        on_message: Callable[[str, str | bytes], None],
    ) -> None:
        self._association = _Association(_DtlsPart(dtls), port=local_port)  # type: ignore[arg-type]
        self._association._rto = INITIAL_RTO_S
        self._association.on("datachannel", self._accepted)
        self._on_open = on_open
        self._on_close = on_close
        self._on_message = on_message
        self._channels: dict[str, RTCDataChannel] = {}
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(MAX_INBOX)
        self._task: asyncio.Task[None] | None = None

    def start(self, remote_port: int) -> None:
        self._task = asyncio.create_task(self._run(remote_port))

    async def _run(self, remote_port: int) -> None:
        await self._association.start(RTCSctpCapabilities(maxMessageSize=MAX_MESSAGE_BYTES), remote_port)
        while True:
            data = await self._inbox.get()
            try:
                await self._association._handle_data(data)
            except (AssertionError, ValueError, KeyError, IndexError, struct.error, AttributeError, TypeError) as error:
                logger.info("SCTP packet dropped: %s", type(error).__name__)
            except ConnectionError:
                return
            if self._association._advertised_rwnd < -RECEIVE_WINDOW:
                logger.warning("SCTP peer ignores the receive window, association closed")
                await self._association.stop()
                return

    def receive(self, data: bytes) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._inbox.put_nowait(data)

    def open(self, label: str, protocol: str) -> None:
        """Open a reliable, ordered channel; ``on_open`` follows when the peer agrees."""
        if label in self._channels:
            raise InvalidState(f"data channel {label!r} exists already")
        channel = RTCDataChannel(self._association, RTCDataChannelParameters(label=label, protocol=protocol))
        self._watch(channel)
        channel.on("open", lambda: self._on_open(label, protocol))

    def _accepted(self, channel: RTCDataChannel) -> None:
        if channel.label in self._channels or len(self._channels) >= MAX_CHANNELS:
            channel.close()
            return
        self._watch(channel)
        self._on_open(channel.label, channel.protocol)

    def _watch(self, channel: RTCDataChannel) -> None:
        label = channel.label
        self._channels[label] = channel

        def closed() -> None:
            if self._channels.get(label) is channel:
                del self._channels[label]
                self._on_close(label)

        def message(data: Any) -> None:
            self._on_message(label, data)

        channel.on("close", closed)
        channel.on("message", message)

    def send(self, label: str, data: str | bytes) -> None:
        """Raises :class:`InvalidState` when the channel is not open or its buffer is full."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            raise InvalidState(f"data channel {label!r} is not open")
        if channel.bufferedAmount > MAX_BUFFERED_BYTES:
            raise InvalidState(f"data channel {label!r} is congested")
        try:
            channel.send(data)
        except (InvalidStateError, ValueError) as error:
            raise InvalidState(f"data channel {label!r} cannot send this") from error

    def close_channel(self, label: str) -> None:
        if channel := self._channels.get(label):
            channel.close()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(ConnectionError):
            await self._association.stop()
