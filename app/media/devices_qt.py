"""Microphones and loudspeakers through Qt Multimedia (PipeWire, PulseAudio, WASAPI, Core Audio).

Threads: Qt's audio objects need a thread with a Qt event loop. The window's thread has one but is busy painting, and
the engine's loop is no Qt loop; so this backend has a :class:`QThread` of its own, on which every Qt audio object
lives. Public methods may be called from any other thread: they post to it and wait (bounded), so the engine calls them
from a worker thread, never on its loop. Listeners and the mixer run on this thread. A Qt application object must exist,
its event loop need not be running.

A stream outlives its device: when the device goes away the default takes over (a silent clock when there is no
loudspeaker at all), and when it comes back the stream returns to it. A device that stops giving or taking sound for
half a second is opened anew.
"""

from __future__ import annotations

import atexit
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal
from PySide6.QtMultimedia import (
    QAudioDevice,
    QAudioFormat,
    QAudioSink,
    QAudioSource,
    QMediaDevices,
)

from app.media.api import Device, DevicesChanged, EngineEvent, InputFailed, InputStarted
from app.media.convert import RATE, FromDevice, ToDevice
from app.media.devices import BlockListener, NullSpeaker, Stream
from app.media.errors import DeviceError
from app.media.mixer import BLOCK, BLOCK_MS, Mixer, now_ms

logger = logging.getLogger(__name__)

T = TypeVar("T")
Emit = Callable[[EngineEvent], None]

CALL_TIMEOUT_S = 5.0
"""Opening a device takes up to a second on a loaded PulseAudio; five means that the sound server hangs."""
CLOSE_TIMEOUT_MS = 3_000
WATCH_MS = 250
LIST_TICKS = 4
"""The list of devices is compared once a second, besides Qt's signals."""
STALLED_MS = 500.0
"""No samples for so long: the device or the sound server has stopped."""
START_GRACE_MS = 1_500.0
"""More time for the first samples: a sleeping Bluetooth or PulseAudio device needs a second to wake up."""
MAX_RESTARTS = 3
"""In a row without sound between; then the device counts as failed until the list of devices changes."""
FILL_MS = 5
SPEAKER_BUFFER_MS = 80
"""Asked of the device. How much of it is filled adapts to how often it runs dry."""
SPEAKER_FILL_MS, SPEAKER_STEP_MS = 30, 10
"""First filling, and what is added each time the device ran dry. 30 ms keeps capture to loudspeaker at 100 ms."""
SPEAKER_CALM_MS = 60_000.0
"""Without running dry for so long, a step is taken back."""
MAX_READ = 1 << 20
HARDWARE = re.compile(r"(?:alsa|bluez)_(?:input|output|source|sink)\.((?:usb-)[^.]{1,200}|[0-9A-F_:]{17})")
SAMPLE_NAMES = {
    QAudioFormat.SampleFormat.UInt8: "UInt8",
    QAudioFormat.SampleFormat.Int16: "Int16",
    QAudioFormat.SampleFormat.Int32: "Int32",
    QAudioFormat.SampleFormat.Float: "Float",
}


def device_id(device: QAudioDevice) -> str:
    """Stable over restarts on all systems: PulseAudio name, WASAPI endpoint id, Core Audio UID."""
    return bytes(device.id().data()).decode("utf-8", "replace")


def _describe(device: QAudioDevice, kind: str) -> Device:
    identifier = device_id(device)
    return Device(identifier, device.description(), kind, device.isDefault(), group_of(identifier))


def group_of(identifier: str) -> str:
    """What the microphone and the loudspeaker of one piece of equipment have in common; empty when unknown.

    PulseAudio and PipeWire name devices ``alsa_input.usb-Maker_Model-00.mono-fallback``: direction, hardware, profile.
    Only what is plugged in or paired counts: the parts of a sound card on the mainboard do not belong together.
    """
    match = HARDWARE.match(identifier)
    return match.group(1) if match else ""


def choose_format(device: QAudioDevice) -> QAudioFormat:
    """48 kHz int16 mono if the device takes it, else its own preference (converted by us)."""
    wanted = QAudioFormat()
    wanted.setSampleRate(RATE)
    wanted.setChannelCount(1)
    wanted.setSampleFormat(QAudioFormat.SampleFormat.Int16)
    if device.isFormatSupported(wanted):
        return wanted
    own = device.preferredFormat()
    if own.sampleFormat() not in SAMPLE_NAMES:
        own.setSampleFormat(QAudioFormat.SampleFormat.Int16)
    return own


class _QtStream:
    """What microphone and loudspeaker have in common: choice of the device, watchdog, fallback and return.

    Everything but :attr:`device` and :meth:`close` runs on the backend's thread.
    """

    what = ""
    kind = ""

    def __init__(self, worker: _Worker, wanted: str) -> None:
        self._worker = worker
        self._wanted = wanted
        self._current = ""
        self._label = ""
        self._restarts = 0
        self._alive_ms = now_ms()
        self._closed = False
        self._opened = False

    @property
    def device(self) -> str:
        return self._label

    @property
    def current_id(self) -> str:
        """Id of the device in use, empty while there is none."""
        return self._current

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._worker.call(lambda: self._worker.forget(self))

    def start(self) -> None:
        """Open the wanted device; raises :class:`DeviceError`."""
        device = self._worker.find(self.kind, self._wanted)
        if device is None:
            noun = "microphone" if self.what == "microphone" else "loudspeaker"
            text = f"The {noun} was not found." if self._wanted else f"There is no {noun} on this computer."
            raise DeviceError(self.what, "not_found", self._wanted, text)
        self._use(device)
        self._opened = True

    def devices_changed(self) -> None:
        """Follow the default, leave a device that went away, return to one that came back."""
        wanted = self._worker.find(self.kind, self._wanted)
        target = wanted or self._worker.find(self.kind, "")
        lost = bool(self._current) and not self._worker.has(self.kind, self._current)
        if lost:
            label = self._label
            self._worker.notify(InputFailed(self.what, "not_found", label, f"{label} was disconnected."))
        if target is None:
            self._release()
            self._current = self._label = ""
            self._nothing_left()
            return
        if device_id(target) != self._current or lost:
            self._restarts = 0
            self._try(target)

    def watch(self) -> None:
        """Called every quarter of a second."""
        if not self._current or now_ms() - self._alive_ms < STALLED_MS:
            return
        self._restarts += 1
        device = self._worker.find(self.kind, self._current)
        if device is None:
            return
        if self._restarts > MAX_RESTARTS:
            self._alive_ms = now_ms()
            if self._restarts == MAX_RESTARTS + 1:
                self._worker.notify(InputFailed(self.what, "general", self._label, f"{self._label} gives no sound."))
            return
        logger.info("%s stalled, opening it again (%d)", self.what, self._restarts)
        self._try(device)

    def alive(self) -> None:
        """Sound moved."""
        self._alive_ms = now_ms()
        self._restarts = 0

    def _try(self, device: QAudioDevice) -> None:
        try:
            self._use(device)
        except DeviceError as error:
            self._nothing_left()
            if self._restarts in (0, MAX_RESTARTS):
                self._worker.notify(InputFailed(self.what, error.code, error.device, str(error)))

    def _use(self, device: QAudioDevice) -> None:
        self._release()
        before = self._current
        self._current, self._label = device_id(device), device.description()
        self._alive_ms = now_ms() + START_GRACE_MS
        self._acquire(device)
        if self._opened and self._current != before:
            self._worker.notify(InputStarted(self.what, self._label))

    def _fail(self, device: QAudioDevice, error: Any) -> DeviceError:
        self._release()
        name = str(getattr(error, "name", error))
        code = "busy" if name == "OpenError" else "general"
        return DeviceError(self.what, code, device_id(device), f"{device.description()} could not be opened ({name}).")

    def _acquire(self, device: QAudioDevice) -> None:
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError

    def _nothing_left(self) -> None:
        """No device of this kind exists or can be opened any more."""

    def finish(self) -> None:
        """The stream is closed for good."""
        self._release()


class QtMicrophone(_QtStream):
    """An open microphone, 10 ms blocks to its listener."""

    what, kind = "microphone", "audioinput"

    def __init__(self, worker: _Worker, wanted: str, listener: BlockListener) -> None:
        super().__init__(worker, wanted)
        self._listener = listener
        self._source: QAudioSource | None = None
        self._io: Any = None
        self._converter: FromDevice | None = None

    def _acquire(self, device: QAudioDevice) -> None:
        form = choose_format(device)
        self._converter = FromDevice(form.sampleRate(), form.channelCount(), SAMPLE_NAMES[form.sampleFormat()], BLOCK)
        self._source = QAudioSource(device, form)
        self._io = self._source.start()
        if self._io is None or self._source.error().name not in ("NoError", "UnderrunError"):
            raise self._fail(device, self._source.error())
        self._io.readyRead.connect(self._read)

    def _release(self) -> None:
        if self._io is not None:
            self._io.readyRead.disconnect(self._read)
            self._io = None
        if self._source is not None:
            self._source.stop()
            self._source.deleteLater()
            self._source = None

    def _read(self) -> None:
        if self._io is None or self._converter is None:
            return
        data = bytes(self._io.readAll().data())
        if not data or len(data) > MAX_READ:
            return
        self.alive()
        blocks = self._converter.push(data)
        held = self._converter.pending / (RATE / 1000)
        first = now_ms() - held - len(blocks) * BLOCK_MS
        for index, block in enumerate(blocks):
            self._listener(block, first + index * BLOCK_MS)


class QtSpeaker(_QtStream):
    """An open loudspeaker that pulls the mixer; a silent clock while there is no device."""

    what, kind = "speaker", "audiooutput"

    def __init__(self, worker: _Worker, wanted: str, mixer: Mixer) -> None:
        super().__init__(worker, wanted)
        self._mixer = mixer
        self._sink: QAudioSink | None = None
        self._io: Any = None
        self._converter: ToDevice | None = None
        self._pending = b""
        self._bytes_per_ms = 96.0
        self._fill_ms = SPEAKER_FILL_MS
        self._opened_ms = self._adapted_ms = 0.0
        self._substitute: NullSpeaker | None = None
        self._processed = 0

    def _acquire(self, device: QAudioDevice) -> None:
        form = choose_format(device)
        self._converter = ToDevice(form.sampleRate(), form.channelCount(), SAMPLE_NAMES[form.sampleFormat()])
        self._bytes_per_ms = form.sampleRate() * form.bytesPerFrame() / 1000
        self._sink = QAudioSink(device, form)
        self._sink.setBufferSize(int(SPEAKER_BUFFER_MS * self._bytes_per_ms))
        self._io = self._sink.start()
        if self._io is None or self._sink.error().name not in ("NoError", "UnderrunError"):
            raise self._fail(device, self._sink.error())
        self._pending, self._processed, self._opened_ms = b"", 0, now_ms()
        if self._substitute is not None:
            self._substitute.close()
            self._substitute = None
        self.fill()

    def _release(self) -> None:
        self._io = None
        if self._sink is not None:
            self._sink.stop()
            self._sink.deleteLater()
            self._sink = None

    def _nothing_left(self) -> None:
        if self._substitute is None and not self._closed:
            self._substitute = NullSpeaker(self._mixer)

    def finish(self) -> None:
        super().finish()
        if self._substitute is not None:
            self._substitute.close()
            self._substitute = None

    def fill(self) -> None:
        """Top up the device's buffer from the mixer."""
        if self._io is None or self._sink is None or self._converter is None:
            return
        processed = self._sink.processedUSecs()
        if processed != self._processed:
            self._processed = processed
            self.alive()
        held = self._sink.bufferSize() - self._sink.bytesFree()
        self._adapt(held)
        limit = min(self._sink.bufferSize(), int(self._fill_ms * self._bytes_per_ms))
        while held + len(self._pending) < limit:
            latency = (held + len(self._pending)) / self._bytes_per_ms
            self._pending += self._converter.push(self._mixer.pull(now_ms(), latency))
            written = self._io.write(self._pending)
            if written <= 0:
                break
            self._pending = self._pending[written:]
            held += written

    def _adapt(self, held: int) -> None:
        now = now_ms()
        if held == 0 and now - self._opened_ms > START_GRACE_MS and self._fill_ms < SPEAKER_BUFFER_MS:
            self._fill_ms += SPEAKER_STEP_MS
            self._adapted_ms = now
            logger.info("The loudspeaker ran dry, it gets %d ms from now on", self._fill_ms)
        elif self._fill_ms > SPEAKER_FILL_MS and now - self._adapted_ms > SPEAKER_CALM_MS:
            self._fill_ms -= SPEAKER_STEP_MS
            self._adapted_ms = now


class _Worker(QObject):
    """Lives on the backend's thread."""

    _posted = Signal(object)

    def __init__(self, notify: Emit) -> None:
        super().__init__()
        self.notify = notify
        self.devices: tuple[Device, ...] = ()
        self._streams: list[_QtStream] = []
        self._media: QMediaDevices | None = None
        self._ticks = 0
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def call(self, function: Callable[[], T]) -> T:
        """Run *function* on the backend's thread and wait. Raises what it raises, or :class:`DeviceError`."""
        if QThread.currentThread() is self.thread():
            return function()
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                future.set_exception(error)

        self._posted.emit(run)
        try:
            return future.result(CALL_TIMEOUT_S)
        except FutureTimeoutError as error:
            future.cancel()
            raise DeviceError("speaker", "general", "", "The sound system of this computer does not answer.") from error

    def _run(self, function: Callable[[], None]) -> None:
        function()

    def setup(self) -> None:
        self._media = QMediaDevices(self)
        self._media.audioInputsChanged.connect(self.refresh)
        self._media.audioOutputsChanged.connect(self.refresh)
        self._watch = QTimer(self)
        self._watch.timeout.connect(self._tick)
        self._watch.start(WATCH_MS)
        self._filler = QTimer(self)
        self._filler.setTimerType(Qt.TimerType.PreciseTimer)
        self._filler.timeout.connect(self._fill)
        self.devices = self._list()

    def teardown(self) -> None:
        for stream in self._streams:
            stream.finish()
        self._streams.clear()
        self._watch.stop()
        self._filler.stop()
        if self._media is not None:
            self._media.deleteLater()
            self._media = None

    def refresh(self) -> None:
        devices = self._list()
        if devices == self.devices:
            return
        self.devices = devices
        self.notify(DevicesChanged(devices))
        for stream in list(self._streams):
            stream.devices_changed()

    def find(self, kind: str, wanted: str) -> QAudioDevice | None:
        """By id, or the system's default for ``""``."""
        known = QMediaDevices.audioInputs() if kind == "audioinput" else QMediaDevices.audioOutputs()
        if wanted:
            return next((device for device in known if device_id(device) == wanted), None)
        standard = QMediaDevices.defaultAudioInput() if kind == "audioinput" else QMediaDevices.defaultAudioOutput()
        if not standard.isNull():
            return standard
        return known[0] if known else None

    def has(self, kind: str, wanted: str) -> bool:
        return any(device.kind == kind and device.id == wanted for device in self.devices)

    def open(self, stream: _QtStream) -> None:
        stream.start()
        self._streams.append(stream)
        if isinstance(stream, QtSpeaker):
            self._filler.start(FILL_MS)

    def forget(self, stream: _QtStream) -> None:
        if stream in self._streams:
            self._streams.remove(stream)
        stream.finish()
        if not any(isinstance(one, QtSpeaker) for one in self._streams):
            self._filler.stop()

    def _list(self) -> tuple[Device, ...]:
        inputs = [_describe(device, "audioinput") for device in QMediaDevices.audioInputs()]
        outputs = [_describe(device, "audiooutput") for device in QMediaDevices.audioOutputs()]
        return (*inputs, *outputs)

    def _tick(self) -> None:
        # Qt's signals were seen missing when a sound server lost several devices at once.
        self._ticks += 1
        if self._ticks % LIST_TICKS == 0:
            self.refresh()
        for stream in list(self._streams):
            stream.watch()

    def _fill(self) -> None:
        for stream in self._streams:
            if isinstance(stream, QtSpeaker):
                stream.fill()


class QtAudioBackend:
    """Implements :class:`app.media.devices.AudioBackend`. *on_event* is called on the backend's thread."""

    def __init__(self, on_event: Emit) -> None:
        self._thread = QThread()
        self._thread.setObjectName("audio-devices")
        self._worker = _Worker(on_event)
        self._worker.moveToThread(self._thread)
        self._thread.start(QThread.Priority.TimeCriticalPriority)
        self._closed = False
        # Qt aborts the process when a running QThread is destroyed.
        atexit.register(self.close)
        self._worker.call(self._worker.setup)

    def devices(self) -> tuple[Device, ...]:
        return self._worker.devices

    def open_microphone(self, device_id: str, listener: BlockListener) -> Stream:
        stream = QtMicrophone(self._worker, device_id, listener)
        self._worker.call(lambda: self._worker.open(stream))
        return stream

    def open_speaker(self, device_id: str, mixer: Mixer) -> Stream:
        stream = QtSpeaker(self._worker, device_id, mixer)
        self._worker.call(lambda: self._worker.open(stream))
        return stream

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._worker.call(self._worker.teardown)
        self._thread.quit()
        if not self._thread.wait(CLOSE_TIMEOUT_MS):
            logger.error("The thread of the sound devices does not end")
