"""The media half of the shell: the core's requests to transport and bridge channel, and what these report back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from app.calls.model import MediaKind, SourceContent
from app.media import api as media
from app.media.errors import InvalidState, MediaError
from app.protocols.http import HttpClient
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.bridge import LABEL, BridgeChannel
from app.vendors.jitsi.core import SessionCore

OPEN_TIMEOUT_S = 10.0
"""Gathering is bounded by the engine; this guards the meeting against an engine that does not answer."""
CLOSE_TIMEOUT_S = 2.0

log = logging.getLogger(__name__)


class MediaShell:
    """Carries out requests in order. Transport of the newest offer only."""

    def __init__(
        self, engine: media.MediaEngine, http: HttpClient, pump: Callable[[], None], *, silent: bool = False
    ) -> None:
        self._engine = engine
        self._http = http
        self._pump = pump
        self._silent = silent
        self._core: SessionCore | None = None
        self.transport: media.Transport | None = None
        self._generation = 0
        self._bridge: BridgeChannel | None = None
        self._work: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()
        self._worker: asyncio.Task[None] | None = None
        self._volumes: dict[str, float] = {}

    def attach(self, core: SessionCore) -> None:
        self._core = core
        self._worker = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            work = await self._work.get()
            try:
                await work
            except (MediaError, OSError, TimeoutError) as error:
                log.warning("media request failed: %s: %s", type(error).__name__, error)

    # ------------------------------------------------------------------ requests

    def carry_out(self, effect: fx.Effect) -> None:
        match effect:
            case fx.OpenMedia():
                self._work.put_nowait(self._open(effect))
            case fx.CloseMedia():
                self._work.put_nowait(self._close_transport())
            case fx.OpenBridge():
                self._work.put_nowait(self._open_bridge(effect))
            case fx.CloseBridge():
                self._work.put_nowait(self._close_bridge())
            case fx.SendBridge():
                if self._bridge is not None:
                    self._bridge.send(effect.text)
            case fx.AddSender():
                self._work.put_nowait(self._add_sender(effect))
            case fx.RestartIce():
                self._work.put_nowait(self._restart_ice(effect))
            case fx.AddCandidates():
                self._work.put_nowait(self._add_candidates(effect))
            case fx.RemoveSender():
                self._work.put_nowait(self._remove_sender(effect))
            case _:
                if self.transport is not None:
                    try:
                        self._direct(self.transport, effect)
                    except InvalidState as error:
                        log.info("too late for %s: %s", type(effect).__name__, error)

    def _direct(self, transport: media.Transport, effect: fx.Effect) -> None:
        match effect:
            case fx.MapSource():
                if self._silent and effect.source.kind.value == "audio":
                    return
                transport.map_source(effect.source)
                volume = self._volumes.get(effect.source.participant_id)
                if volume is not None and effect.source.kind.value == "audio":
                    transport.set_volume(effect.source.name, volume)
            case fx.UnmapSource():
                transport.unmap_source(effect.name)
            case fx.SetReceiving():
                transport.set_receiving(effect.name, effect.wanted)
            case fx.MuteSender():
                transport.set_muted(effect.name, effect.muted)
            case fx.LimitSender():
                transport.set_max_height(effect.name, effect.max_height)
            case fx.SendTones():
                transport.send_dtmf(effect.name, effect.tones, effect.duration_ms, effect.gap_ms)

    async def _open(self, effect: fx.OpenMedia) -> None:
        core = self._core
        assert core is not None
        if effect.generation != core.media.generation:
            return
        generation = effect.generation
        transport: media.Transport | None = None
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                transport = await self._engine.open_transport(
                    effect.config, lambda event: self._on_event(generation, event)
                )
                local = [await transport.add_sender(name, content) for name, content in effect.senders]
            for source in local:
                self._bound(transport, source)
        except asyncio.CancelledError:
            if transport is not None:
                await transport.close()
            raise
        except (MediaError, OSError, TimeoutError, ValueError) as error:
            log.warning("transport: %s: %s", type(error).__name__, error)
            if transport is not None:
                await transport.close()
            core.media.media_failed(generation, f"{type(error).__name__}: {error}"[:200])
            self._pump()
            return
        if generation != core.media.generation or core.media.offer is None:
            await transport.close()
            return
        self.transport = transport
        self._generation = generation
        core.media.media_opened(generation, transport.local, tuple(local))
        self._pump()
        try:
            await transport.start(effect.remote)
        except (MediaError, OSError, ValueError) as error:
            core.media.media_failed(generation, f"{type(error).__name__}: {error}"[:200])
            self._pump()

    def _bound(self, transport: media.Transport, source: media.LocalSource) -> None:
        """The person's own upper bounds for what a video may send."""
        if self._core is None or source.kind is not MediaKind.VIDEO:
            return
        options = self._core.ctx.options
        screen = source.content is SourceContent.SCREEN
        bps = options.screen_max_bitrate_bps if screen else options.max_bitrate_bps
        if bps is not None:
            transport.set_max_bitrate(source.name, bps)

    async def _close_transport(self) -> None:
        transport, self.transport = self.transport, None
        if transport is not None:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await transport.close()

    async def _add_sender(self, effect: fx.AddSender) -> None:
        if self.transport is None or self._core is None or effect.generation != self._generation:
            return
        source = await self.transport.add_sender(effect.name, effect.content)
        self._bound(self.transport, source)
        self._core.media.sender_added(effect.generation, source)
        self._pump()

    async def _remove_sender(self, effect: fx.RemoveSender) -> None:
        if self.transport is not None:
            await self.transport.remove_sender(effect.name)

    async def _add_candidates(self, effect: fx.AddCandidates) -> None:
        if self.transport is not None and effect.generation == self._generation:
            await self.transport.add_remote_candidates(effect.candidates)

    async def _restart_ice(self, effect: fx.RestartIce) -> None:
        if self.transport is None or self._core is None or effect.generation != self._generation:
            return
        description = await self.transport.restart_ice()
        self._core.media.ice_restarted(effect.generation, effect.ice_generation, description)
        self._pump()
        await self.transport.continue_ice(effect.remote)

    async def _open_bridge(self, effect: fx.OpenBridge) -> None:
        await self._close_bridge()
        core, generation = self._core, effect.generation
        if core is None or generation != self._generation:
            return

        def opened() -> None:
            core.bridge.on_open(generation)
            self._pump()

        def closed() -> None:
            core.bridge.on_closed(generation)
            self._pump()

        def text(message: str) -> None:
            core.bridge_text(message)
            self._pump()

        self._bridge = BridgeChannel(self._http, opened, text, closed)
        if effect.url is not None:
            self._bridge.use_websocket(effect.url)
        elif self.transport is not None:
            self._bridge.use_data_channel(self.transport)

    async def _close_bridge(self) -> None:
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            await bridge.close()
            if self._core is not None:
                self._core.bridge.on_closed(self._generation)

    def set_volume(self, participant_id: str, volume: float) -> None:
        """0.0 .. 2.0, kept for sources that come later."""
        if len(self._volumes) < 1000:
            self._volumes[participant_id] = min(max(volume, 0.0), 2.0)
        if self.transport is None or self._core is None:
            return
        for source in self._core.media.sources.values():
            if source.participant_id == participant_id and source.kind.value == "audio":
                self.transport.set_volume(source.name, self._volumes[participant_id])

    # ------------------------------------------------------------------ reports

    def _on_event(self, generation: int, event: media.MediaEvent) -> None:
        core = self._core
        if core is None or generation != core.media.generation:
            return
        match event:
            case media.TransportStateChanged():
                core.media.on_transport_state(generation, event.state)
            case media.DataChannelOpened():
                if self._bridge is not None and event.label == LABEL:
                    self._bridge.data_channel_opened()
            case media.DataChannelClosed():
                if self._bridge is not None and event.label == LABEL:
                    self._bridge.data_channel_closed()
            case media.DataChannelMessage():
                if self._bridge is not None:
                    self._bridge.data_channel_text(event.text)
            case media.SourceStarted():
                core.room.source_started(event.name)
            case media.SourceFrozen():
                core.room.source_frozen(event.name, event.frozen)
            case media.AudioLevels():
                core.reports.levels(event.levels)
            case media.StatsReported():
                core.reports.stats(event.stats)
        self._pump()

    async def close(self) -> None:
        """Ends channel and transport, bounded in time."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
            self._worker = None
        while not self._work.empty():
            self._work.get_nowait().close()
        try:
            try:
                await self._close_bridge()
            finally:
                await self._close_transport()
        except (MediaError, OSError, TimeoutError) as error:
            log.warning("closing media: %s", type(error).__name__)
