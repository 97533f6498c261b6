"""``parley doctor``: what this computer has of what Parley needs, and what to do about the rest."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import importlib.metadata
import platform
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from app import __version__
from app.cli import exit_codes
from app.cli.window import has_display
from app.crash import CrashHandler
from app.storage.credentials import system_keyring
from app.storage.paths import Paths, make_private_folder

UDP_TIMEOUT_S = 1.0
"""A datagram to ourselves takes microseconds."""

SYSTEM_LIBRARIES: tuple[tuple[str, str], ...] = (
    ("libEGL.so.1", "libegl1"),
    ("libGL.so.1", "libgl1"),
    ("libxkbcommon.so.0", "libxkbcommon0"),
    ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ("libfontconfig.so.1", "libfontconfig1"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libxcb-cursor.so.0", "libxcb-cursor0"),
    ("libpulse.so.0", "libpulse0"),
)
"""What Qt loads at run time on Linux, with the Debian package that has it."""
_NEEDED_FOR_VIDEO = (("VP8 to receive", "vp8", "r"), ("VP8 to send", "libvpx", "w"))
_NEEDED_FOR_SOUND = (("Opus to receive", "libopus", "r"), ("Opus to send", "libopus", "w"))
_WANTED = (("H.264 to receive", "h264", "r"), ("H.264 to send", "libx264", "w"))


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "--"
    """Works without, with a stand-in or less comfort."""
    BAD = "no"
    """A meeting cannot work like this."""


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    what: str
    words: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict:<3} {self.what:<22} {self.words}"
        return f"{line}\n{'':26} → {self.advice}" if self.advice else line


def run(paths: Paths) -> int:
    """Print every finding; 0 when a meeting can work, 3 when it cannot."""
    print(f"Parley {__version__} on {platform.platform()}, Python {platform.python_version()}\n")
    bad = 0
    for finding in examine(paths):
        print(finding)
        bad += finding.verdict is Verdict.BAD
    print("\nEverything that is needed is there." if not bad else f"\nNot ready: {bad} thing(s) to do first.")
    return exit_codes.COULD_NOT_JOIN if bad else exit_codes.GOOD


def examine(paths: Paths) -> Iterable[Finding]:
    """All findings, in the order in which somebody would ask."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        _python,
        _qt,
        _libraries,
        _display,
        _codecs,
        _sound_processing,
        _devices,
        _keyring,
        _network,
        lambda: _folders(paths),
        lambda: _crashes(paths),
    )
    for check in checks:
        yield from check()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _python() -> Iterable[Finding]:
    yield Finding(Verdict.OK, "Python", platform.python_version())


def _qt() -> Iterable[Finding]:
    version = _version("PySide6-Essentials")
    try:
        importlib.import_module("PySide6.QtCore")
        importlib.import_module("PySide6.QtWidgets")
    except ImportError as error:
        yield Finding(Verdict.BAD, "Qt", str(error), "Install the packages named below, then PySide6-Essentials.")
        return
    if version.startswith("6.12.") and sys.version_info < (3, 12):
        advice = "PySide6 6.12 crashes on Python 3.11: install a version below 6.12."
        yield Finding(Verdict.BAD, "Qt", version, advice)
        return
    yield Finding(Verdict.OK, "Qt", version)


def _libraries() -> Iterable[Finding]:
    if not sys.platform.startswith("linux"):
        return
    missing = [(name, package) for name, package in SYSTEM_LIBRARIES if not _loads(name)]
    if not missing:
        yield Finding(Verdict.OK, "System libraries", f"all {len(SYSTEM_LIBRARIES)} found")
        return
    names = ", ".join(name for name, _ in missing)
    packages = " ".join(package for _, package in missing)
    yield Finding(Verdict.BAD, "System libraries", f"missing: {names}", f"sudo apt-get install {packages}")


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _display() -> Iterable[Finding]:
    if has_display():
        yield Finding(Verdict.OK, "Display", "a window can be opened")
    else:
        yield Finding(Verdict.NOTE, "Display", "none here", "Meetings work with --headless.")


def _codecs() -> Iterable[Finding]:
    try:
        codec = importlib.import_module("av.codec")
    except ImportError as error:
        yield Finding(Verdict.BAD, "Codecs", str(error), "pip install av")
        return

    def has(name: str, mode: str) -> bool:
        try:
            codec.Codec(name, mode)
        except ValueError:
            return False
        return True

    needed = (*_NEEDED_FOR_VIDEO, *_NEEDED_FOR_SOUND)
    for what, name, mode in needed:
        if not has(name, mode):
            yield Finding(Verdict.BAD, "Codecs", f"{what} is missing", "Install the wheel of av from its registry.")
            return
    extra = [what for what, name, mode in _WANTED if has(name, mode)]
    words = ", ".join([*(what for what, _, _ in needed), *extra])
    yield Finding(Verdict.OK, "Codecs", f"{words} (av {_version('av')})")


def _sound_processing() -> Iterable[Finding]:
    version = _version("livekit")
    if version:
        yield Finding(Verdict.OK, "Echo cancellation", f"livekit {version}")
    else:
        advice = "pip install livekit, or use a headset."
        yield Finding(Verdict.NOTE, "Echo cancellation", "not installed: others may hear an echo", advice)


def _devices() -> Iterable[Finding]:
    try:
        media = importlib.import_module("PySide6.QtMultimedia")
        core = importlib.import_module("PySide6.QtCore")
    except ImportError as error:
        yield Finding(Verdict.BAD, "Devices", str(error), "pip install PySide6-Addons, and the system libraries above.")
        return
    # Device lists need an application object; it ends with the process.
    application = core.QCoreApplication.instance() or core.QCoreApplication([])
    lists = (
        ("Microphone", media.QMediaDevices.audioInputs(), "others will not hear you"),
        ("Speaker", media.QMediaDevices.audioOutputs(), "you will hear nothing"),
        ("Camera", media.QMediaDevices.videoInputs(), "others will not see you"),
    )
    for what, found, consequence in lists:
        names = ", ".join(device.description() for device in found)
        if names:
            yield Finding(Verdict.OK, what, names)
        else:
            yield Finding(Verdict.NOTE, what, f"none found: {consequence}", "Plug one in; Parley notices it at once.")
    del application


def _keyring() -> Iterable[Finding]:
    store, sentence = system_keyring()
    verdict = Verdict.NOTE if store is None else Verdict.OK
    yield Finding(verdict, "Password store", sentence)


def _network() -> Iterable[Finding]:
    for what, family, host in (("UDP on loopback", socket.AF_INET, "127.0.0.1"), ("IPv6", socket.AF_INET6, "::1")):
        problem = _udp_round_trip(family, host)
        if not problem:
            yield Finding(Verdict.OK, what, "works")
        elif what == "IPv6":
            yield Finding(Verdict.NOTE, what, f"{problem}: only IPv4 is used")
        else:
            yield Finding(Verdict.BAD, what, problem, "A firewall on this computer blocks UDP; media needs it.")
    if _has_route():
        yield Finding(Verdict.OK, "Way to the network", "there is a default route")
    else:
        yield Finding(Verdict.NOTE, "Way to the network", "none: only meetings on this computer work")


def _udp_round_trip(family: int, host: str) -> str:
    """Empty when a datagram to ourselves arrives, else why not."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as udp:
            udp.settimeout(UDP_TIMEOUT_S)
            udp.bind((host, 0))
            udp.sendto(b"parley", udp.getsockname())
            return "" if udp.recv(16) == b"parley" else "something else answered"
    except OSError as error:
        return error.strerror or str(error)


def _has_route() -> bool:
    """Connecting a UDP socket sends nothing; it only asks the system for a route (to a documentation address)."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.connect(("192.0.2.1", 9))
    except OSError:
        return False
    return True


def _folders(paths: Paths) -> Iterable[Finding]:
    for what, folder in (("Settings", paths.config), ("History", paths.data), ("Logs", paths.logs)):
        try:
            make_private_folder(folder)
            probe = folder / ".probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            yield Finding(Verdict.NOTE, what, f"{folder}: {error.strerror}", "They last only until you quit.")
        else:
            yield Finding(Verdict.OK, what, str(folder))


def _crashes(paths: Paths) -> Iterable[Finding]:
    pending = CrashHandler(paths.crashes).pending()
    if pending:
        yield Finding(Verdict.NOTE, "Crash reports", f"{len(pending)} kept in {paths.crashes}")
