"""Which microphone hears something: opens all of them for a moment and compares."""

from __future__ import annotations

import asyncio
import logging
import threading

import numpy as np
from numpy.typing import NDArray

from app.media.api import Device
from app.media.devices import AudioBackend, Stream
from app.media.errors import DeviceError
from app.media.levels import SILENCE_DBOV, dbov

logger = logging.getLogger(__name__)

LISTEN_S = 1.0
"""Long enough for a spoken word."""
WAKE_S = 3.0
"""A sleeping Bluetooth device needs two seconds to give its first sound."""
LOOK_S = 0.05
MAX_DEVICES = 16
SIGNAL_DBOV = -75.0
"""A quiet room through any real microphone is louder; a dead input is not."""


class _Ear:
    """The loudest block of one device."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.level_dbov = SILENCE_DBOV
        self.awake = False
        self._lock = threading.Lock()

    def listen(self, block: NDArray[np.int16], captured_ms: float) -> None:
        level = dbov(block)
        with self._lock:
            self.level_dbov = max(self.level_dbov, level)
            self.awake = True


async def find_active_microphone(backend: AudioBackend, listen_s: float = LISTEN_S) -> Device | None:
    """The input with the loudest signal within *listen_s*, the default one among equals; ``None`` if all are silent.

    Devices that cannot be opened (busy, not permitted) are passed over.
    """
    devices = [device for device in backend.devices() if device.kind == "audioinput"][:MAX_DEVICES]
    ears: list[_Ear] = []
    streams: list[Stream] = []
    try:
        for device in devices:
            ear = _Ear(device)
            try:
                streams.append(await asyncio.to_thread(backend.open_microphone, device.id, ear.listen))
            except DeviceError as error:
                logger.info("Microphone passed over: %s", error.code)
                continue
            ears.append(ear)
        for _ in range(round(WAKE_S / LOOK_S)):
            if all(ear.awake for ear in ears):
                break
            await asyncio.sleep(LOOK_S)
        if ears:
            await asyncio.sleep(listen_s)
    finally:
        for stream in streams:
            await asyncio.to_thread(stream.close)
    heard = [ear for ear in ears if ear.level_dbov > SIGNAL_DBOV]
    best = max(heard, key=lambda ear: (round(ear.level_dbov), ear.device.is_default), default=None)
    return best.device if best else None
