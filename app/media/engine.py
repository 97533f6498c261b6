"""The media engine of a process: :class:`app.media.api.MediaEngine` on a thread of its own.

:class:`Engine` and :class:`EngineTransport` are the handles that signalling and the window hold. They post to the
engine's loop, where :class:`app.media.call_media.CallMedia` and :class:`app.media.inputs.Inputs` do the work.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.calls.model import SourceContent
from app.media import api
from app.media.api import (
    AudioInput,
    AudioOutput,
    AudioProcessing,
    Device,
    IceCandidate,
    LocalSource,
    RemoteSource,
    TransportConfig,
    TransportDescription,
    VideoInput,
)
from app.media.call_media import CallMedia, EngineParts, Local, Parts
from app.media.errors import DeviceError, InvalidState
from app.media.frames import FrameSlotImpl
from app.media.inputs import Inputs
from app.media.runtime import MediaThread, Outbox

if TYPE_CHECKING:
    from app.media.call_recording import CallRecording

logger = logging.getLogger(__name__)

MAX_DATA_BYTES = 262_144
CAMERA_WATCH_S = 2.0
"""How long after plugging in a camera is offered."""


class EngineTransport:
    """:class:`app.media.api.Transport`; every method may be called from any thread."""

    def __init__(self, thread: MediaThread, media: CallMedia, outbox: Outbox, local: TransportDescription) -> None:
        self._thread = thread
        self._media = media
        self._outbox = outbox
        self._local = local
        self._open_channels: set[str] = set()
        self._closed = False
        self._closing: asyncio.Task[None] | None = None
        self.on_closed: Callable[[EngineTransport], None] = lambda transport: None
        self.before_close: Callable[[EngineTransport], Awaitable[None]] | None = None

    def emit(self, event: api.MediaEvent) -> None:
        """On the engine's loop."""
        if isinstance(event, api.DataChannelOpened):
            self._open_channels.add(event.label)
        elif isinstance(event, api.DataChannelClosed):
            self._open_channels.discard(event.label)
        self._outbox.send(event)

    @property
    def call_id(self) -> str:
        return self._media.config.call_id

    @property
    def local(self) -> TransportDescription:
        return self._local

    async def start(self, remote: TransportDescription) -> None:
        await self._thread.call(self._media.transport.start(remote))

    async def restart_ice(self) -> TransportDescription:
        self._local = await self._thread.call(self._media.transport.restart_ice())
        return self._local

    async def continue_ice(self, remote: TransportDescription) -> None:
        await self._thread.call(self._media.transport.continue_ice(remote))

    async def add_remote_candidates(self, candidates: tuple[IceCandidate, ...]) -> None:
        await self._thread.call(self._media.transport.add_remote_candidates(candidates))

    def map_source(self, source: RemoteSource) -> None:
        self._thread.post(self._media.map_source, source)

    def unmap_source(self, name: str) -> None:
        self._thread.post(self._media.unmap_source, name)

    async def add_sender(self, name: str, content: SourceContent, mid: str = "") -> LocalSource:
        """See :meth:`app.media.api.Transport.add_sender`. A new sender is muted until :meth:`set_muted` says else."""

        async def add() -> LocalSource:
            return self._media.add_sender(name, content, mid)

        return await self._thread.call(add())

    async def change_content(self, name: str, content: SourceContent) -> LocalSource:
        async def change() -> LocalSource:
            return self._media.change_content(name, content)

        return await self._thread.call(change())

    async def remove_sender(self, name: str) -> None:
        async def remove() -> None:
            self._media.remove_sender(name)

        await self._thread.call(remove())

    def set_muted(self, name: str, muted: bool) -> None:
        self._thread.post(self._media.set_muted, name, muted)

    def set_max_height(self, name: str, max_height: int | None) -> None:
        self._thread.post(self._media.set_max_height, name, max_height)

    def set_max_bitrate(self, name: str, bps: int | None) -> None:
        self._thread.post(self._media.set_max_bitrate, name, bps)

    def send_dtmf(self, name: str, tones: str, duration_ms: int, gap_ms: int) -> None:
        self._thread.post(self._media.send_dtmf, name, tones, duration_ms, gap_ms)

    def set_media(self, media: tuple[api.MediaDescription, ...]) -> None:
        """Other payload types or extensions after a renegotiation."""
        self._thread.post(self._media.replace_media, media)

    async def open_data_channel(self, label: str, protocol: str) -> None:
        async def open_channel() -> None:
            self._media.transport.open_data_channel(label, protocol)

        await self._thread.call(open_channel())

    def send_data(self, label: str, text: str) -> None:
        if self._closed or label not in self._open_channels:
            raise InvalidState(f"data channel {label!r} is not open")
        if len(text) > MAX_DATA_BYTES:
            raise InvalidState("the message is too long for a data channel")
        self._thread.post(self._send_data, label, text)

    def _send_data(self, label: str, text: str) -> None:
        try:
            self._media.transport.send_data(label, text)
        except InvalidState as error:
            # The channel closed between the check and here; its DataChannelClosed is on the way.
            logger.info("data not sent: %s", error)

    def slot(self, source_name: str) -> FrameSlotImpl:
        return self._media.slots.get(source_name)

    def set_volume(self, source_name: str, volume: float) -> None:
        self._thread.post(self._media.set_volume, source_name, volume)

    def set_receiving(self, source_name: str, wanted: bool) -> None:
        self._thread.post(self._media.set_receiving, source_name, wanted)

    def inject_faults(self, loss: float = 0.0, delay_ms: float = 0.0, blackhole: bool = False) -> None:
        def inject() -> None:
            faults = self._media.transport.faults
            faults.loss, faults.delay_ms, faults.blackhole = loss, delay_ms, blackhole

        self._thread.post(inject)

    async def close(self) -> None:
        """Whoever waits for it may be cancelled; the sockets and tasks of the transport go all the same."""
        self._closed = True
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        if self._closing.get_loop() is asyncio.get_running_loop():
            await asyncio.shield(self._closing)

    async def _close(self) -> None:
        try:
            if self.before_close is not None:
                await self.before_close(self)
        finally:
            await self._end()

    async def _end(self) -> None:
        try:
            await self._thread.call(self._media.close())
        finally:
            self._open_channels.clear()
            self.on_closed(self)

    @property
    def media(self) -> CallMedia:
        """The engine-side object; touch it on the engine's loop only."""
        return self._media


class Engine:
    """:class:`app.media.api.MediaEngine`. *parts* and *bind_addresses* are for tests."""

    def __init__(self, *, parts: Parts | None = None, bind_addresses: tuple[str, ...] | None = None) -> None:
        self._thread = MediaThread()
        self._lock = threading.Lock()
        self._parts = parts
        self._bind_addresses = bind_addresses
        self._subscribers: set[Outbox] = set()
        self._transports: set[EngineTransport] = set()
        self._inputs = Inputs(post=self._thread.post, emit=self._emit)
        self._backend_ready = False
        self._recording: CallRecording | None = None
        self._recorded: EngineTransport | None = None
        self._known_devices: tuple[Device, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ life and events

    def start(self) -> None:
        self._thread.start()

    async def close(self) -> None:
        for transport in tuple(self._transports):
            await transport.close()
        if self._thread.running:
            await self.stop_recording()
            await self._thread.call(self._end())
            await asyncio.to_thread(self._thread.stop)
            if "app.media.camera_qt" in sys.modules:
                sys.modules["app.media.camera_qt"].run_posted()
        with self._lock:
            for outbox in self._subscribers:
                outbox.close()
            self._subscribers.clear()

    async def _end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._inputs.close()

    def subscribe(self, listener: Callable[[api.EngineEvent], None]) -> Callable[[], None]:
        outbox = Outbox(listener)
        with self._lock:
            self._subscribers.add(outbox)

        def unsubscribe() -> None:
            outbox.close()
            with self._lock:
                self._subscribers.discard(outbox)

        return unsubscribe

    def _emit(self, event: api.EngineEvent) -> None:
        with self._lock:
            subscribers = tuple(self._subscribers)
        for outbox in subscribers:
            outbox.send(event)

    # ------------------------------------------------------------ calls

    async def open_transport(
        self, config: TransportConfig, on_event: Callable[[api.MediaEvent], None]
    ) -> EngineTransport:
        self.start()
        outbox = Outbox(on_event)
        transport = await self._thread.call(self._open(config, outbox))
        with self._lock:
            self._transports.add(transport)
        transport.on_closed = self._forget
        transport.before_close = self._before_close
        return transport

    async def _before_close(self, transport: EngineTransport) -> None:
        """A recording ends with its call."""
        if self._recorded is transport:
            await self.stop_recording()

    def _forget(self, transport: EngineTransport) -> None:
        with self._lock:
            self._transports.discard(transport)
        self._thread.post(self._update_muted)

    async def _open(self, config: TransportConfig, outbox: Outbox) -> EngineTransport:
        handle: EngineTransport | None = None

        def emit(event: api.MediaEvent) -> None:
            if handle is not None:
                handle.emit(event)

        media = CallMedia(
            config,
            emit=emit,
            parts=self._parts or EngineParts(self._inputs.mixer),
            mixer=self._inputs.mixer,
            bind_addresses=self._bind_addresses,
        )
        media.attach_input = self._attach_input
        media.on_muted = self._update_muted
        try:
            await self._inputs.ensure_output()
            local = await media.open()
        except BaseException:
            await media.close()
            raise
        handle = EngineTransport(self._thread, media, outbox, local)
        return handle

    def _attach_input(self, local: Local) -> Callable[[], None]:
        if local.is_video:
            return self._inputs.add_video_sender(local.sender, local.source.content)
        return self._inputs.add_sink(local.sender.push)

    def _update_muted(self) -> None:
        """Talking while muted is noticed only while there is somebody who could have heard it."""
        with self._lock:
            transports = tuple(self._transports)
        microphones = [x for t in transports for x in t.media.locals.values() if not x.is_video]
        self._inputs.set_muted(bool(microphones) and all(x.muted for x in microphones))

    # ------------------------------------------------------------ devices

    def _prepare_backend(self) -> None:
        """On the caller's thread: Qt's device lists want the thread of the application."""
        with self._lock:
            if self._backend_ready:
                return
            self._backend_ready = True
        from app.media.devices import make_backend

        self._inputs.backend = make_backend(self._on_device_event)
        self.start()
        self._thread.post(self._watch)

    def _on_device_event(self, event: api.EngineEvent) -> None:
        """From any thread. The backend of sound knows nothing of cameras, so the whole list is told instead."""
        if isinstance(event, api.DevicesChanged):
            self._thread.post(self._tell_devices)
        else:
            self._emit(event)

    def _tell_devices(self) -> None:
        task = asyncio.ensure_future(self._list_devices())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _list_devices(self) -> None:
        from app.media.camera_qt import cameras_soon

        # Cameras are listed on the window's thread, which may be waiting for the engine to close: no thread waits
        # for it here, as a thread cannot be cancelled.
        try:
            devices = (*await asyncio.to_thread(self._inputs.backend.devices), *await cameras_soon())
        except (DeviceError, TimeoutError) as error:
            logger.warning("devices cannot be listed: %s", error)
            return
        if devices != self._known_devices:
            self._known_devices = devices
            self._emit(api.DevicesChanged(devices))

    async def _watch_cameras(self) -> None:
        """Nothing tells of a new camera without one being open, so the list is looked at now and then."""
        while True:
            await asyncio.sleep(CAMERA_WATCH_S)
            if self._subscribers:
                await self._list_devices()

    def _watch(self) -> None:
        task = asyncio.ensure_future(self._watch_cameras())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def devices(self) -> tuple[Device, ...]:
        self._prepare_backend()
        from app.media.video_capture import list_cameras

        return (*self._inputs.backend.devices(), *list_cameras())

    async def find_active_microphone(self) -> Device | None:
        from app.media.device_search import find_active_microphone

        self._prepare_backend()
        return await find_active_microphone(self._inputs.backend)

    async def set_microphone(self, source: AudioInput | None) -> None:
        await self._with_devices(self._inputs.set_microphone, source)

    async def set_camera(self, source: VideoInput | None) -> None:
        await self._with_devices(self._inputs.set_video, SourceContent.CAMERA, source)

    async def set_screen(self, source: VideoInput | None) -> None:
        await self._with_devices(self._inputs.set_video, SourceContent.SCREEN, source)

    async def set_speaker(self, output: AudioOutput) -> None:
        await self._with_devices(self._inputs.set_speaker, output)

    async def _with_devices(self, action: Callable[..., Any], *args: Any) -> None:
        self.start()
        self._prepare_backend()
        await self._thread.call(action(*args))

    def set_processing(self, processing: AudioProcessing) -> None:
        self.start()
        self._thread.post(self._inputs.set_processing, processing)

    def preview(self, content: SourceContent) -> FrameSlotImpl:
        return self._inputs.preview(content)

    async def play_test_sound(self) -> None:
        """Three notes on the chosen loudspeaker; returns when they have been played."""
        from app.media.sounds import Sound, samples

        self.start()
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def finished() -> None:
            loop.call_soon_threadsafe(done.set)

        await self._thread.call(self._inputs.ensure_output())
        self._inputs.mixer.play(samples(Sound.TEST), on_done=finished)
        await done.wait()

    def play_sound(self, name: str, volume: float = 1.0, device_id: str | None = None) -> Callable[[], None]:
        """See :meth:`app.media.api.MediaEngine.play_sound`."""
        from app.media.sounds import Sound, play

        self.start()
        if device_id is not None:
            from app.media.ringer import Ringer

            self._prepare_backend()
            ringer = Ringer(lambda: self._inputs.backend, self._inputs.mixer)
            asyncio.run_coroutine_threadsafe(self._inputs.ensure_output(), self._thread.loop)
            loop = self._thread.loop
            return ringer.play(
                lambda work: asyncio.run_coroutine_threadsafe(work, loop),
                self._thread.post,
                Sound(name),
                volume,
                device_id,
            )
        asyncio.run_coroutine_threadsafe(self._inputs.ensure_output(), self._thread.loop)
        return play(self._inputs.mixer, Sound(name), volume).stop

    def add_tap(self, tap: Callable[[Any, float], None]) -> Callable[[], None]:
        """See :meth:`app.media.api.MediaEngine.add_tap`."""
        return self._inputs.mixer.add_tap(tap)

    # ------------------------------------------------------------ recording

    async def start_recording(self, path: Path, call_id: str) -> None:
        """See the protocol. Raises :class:`InvalidState` without such a call or while another recording runs, and
        ``OSError`` when the file cannot be made."""
        await self._thread.call(self._start_recording(path, call_id))

    async def _start_recording(self, path: Path, call_id: str) -> None:
        from app.media.call_recording import CallRecording
        from app.media.record import Recorder

        with self._lock:
            transport = next((t for t in self._transports if t.call_id == call_id), None)
        if transport is None:
            raise InvalidState("there is no such call to record")
        if self._recording is not None:
            raise InvalidState("a recording is running already")

        def failed(message: str) -> None:
            self._emit(api.InputFailed("recording", "general", path.name, message))

        recorder = await asyncio.to_thread(Recorder, path, on_failed=failed)
        self._recording = CallRecording(recorder, transport.media, self._inputs)
        self._recorded = transport

    async def stop_recording(self) -> Path | None:
        if not self._thread.running:
            return None
        return await self._thread.call(self._stop_recording())

    async def _stop_recording(self) -> Path | None:
        recording, self._recording, self._recorded = self._recording, None, None
        return None if recording is None else await recording.close()
