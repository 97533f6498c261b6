"""A computer with devices, for tests: PulseAudio with null sinks, a driver that stands in for cameras, a display.

Everything above the drivers is real: Qt Multimedia talks to the sound server, FFmpeg's reader to the cameras. Because
Qt finds the sound server once in a process, all scenarios run in one process of their own, one after the other:
:func:`at_devices` turns a coroutine function that takes a :class:`Room` into a test that has it run there.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SCENARIO_TIMEOUT_S = 25.0
RATE = 48_000
DISPLAY_SIZE = "800x600x24"

SINK = "module-null-sink sink_name={0} sink_properties=device.description={0} rate=48000"
SOURCE = "module-remap-source source_name={0} master={1}.monitor source_properties=device.description={0}"
MODULES = (
    SINK.format("parley_other"),
    SINK.format("parley_room"),
    SINK.format("parley_quiet"),
    SOURCE.format("parley_deaf", "parley_quiet"),
    SOURCE.format("parley_mic", "parley_room"),
)
"""What is played in the room is heard by ``parley_mic``; ``parley_deaf`` hears nothing."""
HEADSET = tuple(
    module.replace("description=alsa_", "description=Headset_")
    for module in (
        SINK.format("alsa_output.usb-Parley_Headset-00.stereo"),
        SOURCE.format("alsa_input.usb-Parley_Headset-00.mono", "parley_room"),
    )
)

Scenario = Callable[["Room"], Coroutine[Any, Any, None]]


def at_devices(scenario: Scenario) -> Callable[[Lab], None]:
    """A test that runs *scenario* in the process with the devices."""

    def test(lab: Lab) -> None:
        lab.run(f"tests.e2e.{scenario.__module__.rpartition('.')[2]}", scenario.__name__)

    test.__name__, test.__doc__, test.__module__ = scenario.__name__, scenario.__doc__, scenario.__module__
    test.scenario = scenario  # type: ignore[attr-defined]
    return test


class Lab:
    """Sound server, display and the process of the scenarios."""

    def __init__(self, folder: Path) -> None:
        pulse = folder / "pulse"
        pulse.mkdir(mode=0o700)
        self._children: list[subprocess.Popen[Any]] = []
        display = self._start_display()
        self._environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(pulse),
            "PULSE_SERVER": f"unix:{pulse / 'native'}",
            "HOME": str(folder),
            "PARLEY_HOME": str(folder / "parley"),
            "QT_QPA_PLATFORM": "offscreen",
            "DISPLAY": display,
        }
        self._environment.pop("WAYLAND_DISPLAY", None)
        self._start_pulse()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.device_lab"],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _start_display(self) -> str:
        binary = shutil.which("Xvfb")
        assert binary, "needs the package xvfb"
        read, write = os.pipe()
        arguments = ["-displayfd", str(write), "-screen", "0", DISPLAY_SIZE, "-nolisten", "tcp"]
        self._children.append(subprocess.Popen([binary, *arguments], pass_fds=(write,), stderr=subprocess.DEVNULL))
        os.close(write)
        with os.fdopen(read) as told:
            return f":{told.readline().strip()}"

    def _start_pulse(self) -> None:
        binary = shutil.which("pulseaudio")
        assert binary, "needs the package pulseaudio (and pulseaudio-utils)"
        arguments = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        for module in ("module-native-protocol-unix", *MODULES):
            arguments += ["-L", module]
        self._children.append(subprocess.Popen([binary, *arguments], env=self._environment, stderr=subprocess.DEVNULL))
        end = time.monotonic() + 20
        while "parley_mic" not in self._pactl("list", "short", "sources"):
            assert time.monotonic() < end, "pulseaudio does not answer"
            time.sleep(0.05)
        self._pactl("set-default-sink", "parley_other")
        self._pactl("set-default-source", "parley_deaf")

    def _pactl(self, *arguments: str) -> str:
        done = subprocess.run(["pactl", *arguments], env=self._environment, capture_output=True, text=True, check=False)
        return done.stdout

    def run(self, module: str, name: str) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{module}:{name}\n")
        self._process.stdin.flush()
        hung = threading.Timer(SCENARIO_TIMEOUT_S + 15, self._process.kill)
        hung.start()
        answer = self._process.stdout.readline()
        hung.cancel()
        assert answer, "the process with the devices ended"
        problem = json.loads(answer)
        assert not problem, problem

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        for child in self._children:
            child.terminate()
            child.wait(10)


# ---------------------------------------------------------------- in the process of the scenarios


class Camera:
    """A camera below the device layer: what its driver answers. *colour* fills its picture."""

    def __init__(self, label: str, colour: str, *sizes: tuple[int, int], fps: int = 30) -> None:
        self.label, self.colour, self.fps = label, colour, fps
        self.sizes = sizes or ((320, 180), (640, 360), (1280, 720), (1920, 1080))
        self.refuse: int = 0
        """errno of every attempt to open it."""
        self.delay_s = 0.0
        self.ignores_rate = False
        self.unplugged = False
        self.handles = 0
        self.opened: list[tuple[int, int, int]] = []

    def open(self, open_file: Any, options: dict[str, str]) -> _OpenCamera:
        time.sleep(self.delay_s)
        if self.refuse or self.unplugged:
            number = errno.ENODEV if self.unplugged else self.refuse
            raise OSError(number, os.strerror(number))
        width, height = self.sizes[-1]
        if "video_size" in options:
            width, height = (int(part) for part in options["video_size"].split("x"))
        if options.get("input_format") or (width, height) not in self.sizes:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        asked = int(options.get("framerate", self.fps))
        fps = self.fps if self.ignores_rate else min(asked, self.fps)
        self.opened.append((width, height, asked))
        url = f"color=c={self.colour}:size={width}x{height}:rate={fps},realtime"
        return _OpenCamera(self, open_file(url, format="lavfi"))


class _OpenCamera:
    def __init__(self, camera: Camera, container: Any) -> None:
        self._camera, self._container = camera, container
        camera.handles += 1

    def decode(self, video: int = 0) -> Iterator[Any]:
        for frame in self._container.decode(video=video):
            if self._camera.unplugged:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            yield frame

    def close(self) -> None:
        self._camera.handles -= 1
        self._container.close()


class Cameras:
    """What is plugged in, by path; takes the place of Linux's video devices."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.plugged: dict[str, Camera] = {}

    def install(self) -> None:
        import av

        from app.media import camera_qt

        real = av.open

        def open_device(url: Any, *rest: Any, **how: Any) -> Any:
            camera = self.plugged.get(url) if how.get("format") == "v4l2" else None
            return camera.open(real, dict(how.get("options") or {})) if camera else real(url, *rest, **how)

        av.open = open_device
        camera_qt.qt_application = lambda: None
        camera_qt.SYSFS = str(self._folder)
        camera_qt.glob = self  # type: ignore[assignment]
        camera_qt.RETRY_S = 0.1

    def glob(self, _pattern: str) -> list[str]:
        return list(self.plugged)

    def plug(self, *cameras: Camera) -> None:
        """Exactly these are plugged in from now on, as ``/dev/video0`` and so on."""
        self.plugged = {}
        for number, camera in enumerate(cameras):
            folder = self._folder / f"video{number}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "name").write_text(camera.label)
            self.plugged[f"/dev/video{number}"] = camera


class Room:
    """What a scenario may do to the computer's devices."""

    def __init__(self, folder: Path, cameras: Cameras) -> None:
        self.folder = folder
        self.cameras = cameras
        self._players: list[subprocess.Popen[bytes]] = []
        self._modules: list[str] = []

    def desk(self, file: Path | None = None, **settings: Any) -> Any:
        """A person at the program who uses this computer's devices."""
        from app.controller.devices import Inputs
        from tests.e2e.desk import Desk

        return Desk(file, inputs=Inputs(), **settings)

    def play(self, sound: NDArray[np.int16], sink: str = "parley_room") -> None:
        """Play *sound* (48 kHz mono) over and over until :meth:`hush`."""
        path = self.folder / "sound.raw"
        path.write_bytes(np.tile(sound, max(1, 20 * RATE // len(sound))).tobytes())
        form = ["--raw", "--format=s16le", f"--rate={RATE}", "--channels=1"]
        self._players.append(subprocess.Popen(["pacat", "--playback", "-d", sink, *form, str(path)]))

    def hush(self) -> None:
        for player in self._players:
            player.terminate()
            player.wait(10)
        self._players.clear()

    async def heard_at(self, sink: str, seconds: float = 0.3) -> float:
        """Level in dBov of what *sink* plays now."""
        from app.media.levels import dbov

        form = ["--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=50"]
        count = int(RATE * seconds) * 2
        recorder = await asyncio.to_thread(
            subprocess.Popen, ["parec", "-d", f"{sink}.monitor", *form], stdout=subprocess.PIPE
        )
        try:
            data = await asyncio.to_thread(recorder.stdout.read, count)
        finally:
            recorder.terminate()
            await asyncio.to_thread(recorder.wait, 10)
        return dbov(np.frombuffer(data, np.int16))

    def plug_audio(self, *modules: str) -> None:
        for module in modules:
            done = subprocess.run(["pactl", "load-module", *module.split()], capture_output=True, text=True, check=True)
            self._modules.append(done.stdout.strip())

    def unplug_audio(self) -> None:
        while self._modules:
            subprocess.run(["pactl", "unload-module", self._modules.pop()], check=False)

    def close(self) -> None:
        self.hush()
        self.unplug_audio()
        self.cameras.plug()


async def _paint(application: Any) -> None:
    """Qt's events between ours; the scenarios let the window live in the same way."""
    while True:
        application.processEvents()
        await asyncio.sleep(0.02)


async def _serve(answers: Any, application: Any) -> None:
    painting = asyncio.create_task(_paint(application))
    cameras = Cameras(Path(tempfile.mkdtemp(prefix="cameras-", dir=os.environ["HOME"])))
    cameras.install()
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        module, _, name = line.partition(":")
        problem = ""
        room = Room(Path(os.environ["HOME"]), cameras)
        try:
            scenario = getattr(importlib.import_module(module), name).scenario
            async with asyncio.timeout(SCENARIO_TIMEOUT_S):
                await scenario(room)
        except Exception:  # whatever went wrong is the test's result
            problem = traceback.format_exc()
        finally:
            room.close()
        answers.write(json.dumps(problem) + "\n")
        answers.flush()
    painting.cancel()


def main() -> None:
    # What anything prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from ui.application import make_application

    application = make_application("en", "light")
    asyncio.run(_serve(answers, application))


if __name__ == "__main__":
    main()
