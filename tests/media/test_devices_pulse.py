"""The Qt backend on a real PulseAudio with virtual devices: one loudspeaker whose sound a microphone hears."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(sys.platform != "linux", reason="PulseAudio is the sound server of Linux"),
]

SINK = "module-null-sink sink_name=parley_{0} sink_properties=device.description=Parley_{0} rate=44100"
MICROPHONE = (
    "module-remap-source source_name=parley_mic master=parley_room.monitor "
    "source_properties=device.description=Parley_mic"
)


class Pulse:
    """A sound server of this test's own."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{folder / 'pulse' / 'native'}",
            "HOME": str(folder),
            "QT_QPA_PLATFORM": "offscreen",
        }
        (folder / "pulse").mkdir(mode=0o700)
        binary = shutil.which("pulseaudio")
        assert binary, "needs the package pulseaudio (and pulseaudio-utils)"
        arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        for module in ("module-native-protocol-unix", SINK.format("other"), SINK.format("room"), MICROPHONE):
            arguments += ["-L", module]
        self.process = subprocess.Popen([binary, *arguments], env=self.environment, stderr=subprocess.DEVNULL)

    def wait_ready(self) -> None:
        for _ in range(100):
            listed = subprocess.run(
                ["pactl", "list", "short", "sources"], env=self.environment, capture_output=True, text=True, check=False
            )
            if "parley_mic" in listed.stdout:
                return
            assert self.process.poll() is None, "pulseaudio ended"
            time.sleep(0.1)
        raise AssertionError("pulseaudio does not answer")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def run(self, code: str, timeout: float = 60) -> str:
        """Run a script with a Qt application against this server; its output."""
        script = textwrap.dedent(PREFIX) + textwrap.dedent(code)
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


PREFIX = """
    import subprocess, sys, time
    import numpy as np
    from PySide6.QtCore import QCoreApplication
    application = QCoreApplication([])
    from app.media.api import DevicesChanged, InputFailed, InputStarted
    from app.media.devices import make_backend
    from app.media.mixer import Mixer, now_ms
    from app.media.tones import TestSignal, find_chirps, power_at

    events, heard, played = [], [], []
    backend = make_backend(events.append)
    mixer = Mixer()
    mixer.add_tap(lambda block, at_ms: played.append((block, at_ms)))

    def until(condition, seconds=15.0):
        end = time.monotonic() + seconds
        while not condition():
            application.processEvents()
            assert time.monotonic() < end, ("waited in vain", events)
            time.sleep(0.01)

    def pactl(*arguments):
        return subprocess.run(["pactl", *arguments], capture_output=True, text=True, check=True).stdout

    def unload(text):
        for line in pactl("list", "short", "modules").splitlines():
            if text in line:
                pactl("unload-module", line.split()[0])
                return
        raise AssertionError(text)
"""


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    server = Pulse(tmp_path_factory.mktemp("pulse"))
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


def test_what_is_played_is_heard_in_time(pulse: Pulse) -> None:
    """Chirps through loudspeaker and microphone (44.1 kHz stereo devices): tone intact, times of blocks right."""
    pulse.run(
        """
        labels = {device.id: device.label for device in backend.devices()}
        assert labels["parley_mic"] == "Parley_mic" and labels["parley_room"] == "Parley_room", labels
        microphone = backend.open_microphone("parley_mic", lambda block, at_ms: heard.append((block, at_ms)))
        signal = TestSignal(440.0, 0.0)
        mixer.play(signal.block(48_000 * 30))
        speaker = backend.open_speaker("parley_room", mixer)
        assert (microphone.device, speaker.device) == ("Parley_mic", "Parley_room")
        until(lambda: len(heard) > 350 and power_at(np.concatenate([b for b, _ in heard[-50:]]), 440) > 1000, 25)
        count = len(heard)
        until(lambda: len(heard) > count + 300)
        recent = heard[count : count + 300]
        sound = np.concatenate([block for block, _ in recent])
        # By tenths of a second: a loaded machine lets a virtual sound card slip now and then.
        powers = sorted(power_at(piece, 440) for piece in sound.reshape(-1, 4800))
        assert powers[len(powers) // 2] > 0.9 * 0.12 * 32767, powers
        assert powers[len(powers) // 4] > 0.5 * 0.12 * 32767, powers
        given = np.concatenate([block for block, _ in played])
        promised = [played[at // 480][1] + at % 480 / 48 for at in find_chirps(given)]
        delays = []
        for at in find_chirps(sound):
            captured = recent[at // 480][1] + at % 480 / 48
            delays.append(min((captured - one for one in promised if captured > one - 50), default=999))
        assert delays, "no chirp heard"
        print(delays)
        assert all(-20 < delay < 150 for delay in delays), delays
        microphone.close()
        speaker.close()
        count = len(heard), len(played)
        time.sleep(0.1)
        assert count == (len(heard), len(played))
        backend.close()
        """
    )


def test_unplugged_loudspeaker_falls_back_and_returns(pulse: Pulse) -> None:
    pulse.run(
        f"""
        speaker = backend.open_speaker("parley_room", mixer)
        until(lambda: len(played) > 20)
        unload("sink_name=parley_room")
        until(lambda: speaker.device == "Parley_other")
        failed = [event for event in events if isinstance(event, InputFailed)]
        assert [(event.what, event.code, event.device) for event in failed] == [
            ("speaker", "not_found", "Parley_room")], failed
        count = len(played)
        until(lambda: len(played) > count + 20)
        pactl("load-module", *{SINK.format("room").split()!r})
        until(lambda: speaker.device == "Parley_room")
        until(lambda: any(isinstance(event, InputStarted) and event.device == "Parley_room" for event in events))
        assert any(isinstance(event, DevicesChanged) for event in events)
        count = len(played)
        until(lambda: len(played) > count + 20)
        pactl("load-module", *{MICROPHONE.split()!r})
        until(lambda: any(device.id == "parley_mic" for device in backend.devices()))
        backend.close()
        """
    )


def test_unknown_device_is_refused(pulse: Pulse) -> None:
    pulse.run(
        """
        from app.media.errors import DeviceError
        for call in (lambda: backend.open_speaker("no such", mixer),
                     lambda: backend.open_microphone("no such", lambda block, at_ms: None)):
            try:
                call()
            except DeviceError as error:
                assert error.code == "not_found" and error.device == "no such"
            else:
                raise AssertionError("opened a device that does not exist")
        backend.close()
        backend.close()
        """
    )


def test_active_microphone_is_found(pulse: Pulse) -> None:
    pulse.run(
        """
        import asyncio
        from app.media.device_search import find_active_microphone
        assert asyncio.run(find_active_microphone(backend, 0.5)) is None
        mixer.play(TestSignal(440.0, 0.0).block(48_000 * 30))
        speaker = backend.open_speaker("parley_room", mixer)
        until(lambda: len(played) > 100)
        found = asyncio.run(find_active_microphone(backend, 1.5))
        assert found is not None and found.id == "parley_mic", found
        backend.close()
        """
    )
