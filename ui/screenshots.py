"""Draws every view and state through stand-ins: ``python -m ui.screenshots OUT_DIR [--only TEXT] [--docs DIR]``.

Each picture is ``<view>-<state>-<theme>-<width>x<height>[-<language>][-200].png``. With ``--docs`` the few that the
documentation shows are written there too, in few colours so that they stay small. Needs no display.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ui.screenshots_phone import SCENES as PHONE_SCENES

SIZES = ((720, 480), (1280, 800), (1920, 1080))
USUAL = (1280, 800)
SETTLE_S = 0.25
"""Long enough for animations of 180 ms and the fade of a first picture."""
DOC_SHOTS = {
    "home-recent-light": "home.png",
    "prejoin-ready-light": "pre-join.png",
    "meeting-9-light": "gallery.png",
    "meeting-share-light": "screen-share.png",
    "meeting-chat-light": "chat.png",
    "meeting-participants-light": "participants.png",
    "settings-audio-light": "settings.png",
    "failure-details-light": "error.png",
    "home-recent-dark": "home-dark.png",
    "prejoin-password-dark": "pre-join-dark.png",
    "phone-sign-in-light": "sign-in.png",
    "phone-calls-light": "calls.png",
    "phone-incoming-light": "incoming-call.png",
    "phone-two-calls-light": "two-calls.png",
    "phone-transfer-consulting-light": "transfer.png",
    "phone-directory-light": "contacts.png",
    "phone-voicemail-light": "voicemail.png",
}
DOC_WIDTH = 1120
DOC_COLOURS = 128


@dataclass
class Stage:
    """One fresh window with a stand-in controller."""

    controller: Any
    window: Any
    fakes: Any
    extra: list[Any] = field(default_factory=list)
    """Windows to draw instead of the main one."""


Scene = Callable[[Stage], Awaitable[None]]
SCENES: dict[str, Scene] = {}


def scene(name: str) -> Callable[[Scene], Scene]:
    def keep(made: Scene) -> Scene:
        SCENES[name] = made
        return made

    return keep


async def settle(seconds: float = 0.05) -> None:
    await asyncio.sleep(seconds)


def address(room: str, server: str = "meet.example.org") -> Any:
    from app.vendors.base import Address

    url = f"https://{server}/{room}"
    return Address("jitsi", url, url, server, room.lower(), room)


def _recent() -> tuple[Any, ...]:
    from app.controller.api import RecentMeeting

    now = int(time.time() * 1000)
    hour = 3_600_000
    rooms: tuple[tuple[str, str, str, int], ...] = (
        ("Team meeting", "TeamMeeting", "meet.example.org", 1),
        ("Project Aurora weekly", "ProjectAurora", "video.example.com", 26),
        ("Board", "Board", "meet.example.org", 80),
        (
            "Quarterly review of everything that the department did, planned and postponed",
            "Review",
            "meet.example.org",
            300,
        ),
    )
    return tuple(
        RecentMeeting(address(room, server), title, now - hours * hour) for title, room, server, hours in rooms
    )


def _messages(fakes: Any) -> tuple[Any, ...]:
    from app.calls.model import Message, frozen_map

    at = int(time.time() * 1000) - 1_800_000
    local = fakes.LOCAL
    return (
        Message("1", "p0000001", "Amélie Laurent", "Good morning everyone 👋", at),
        Message("2", "p0000001", "Amélie Laurent", "The agenda: https://docs.example.org/agenda?week=47", at + 9_000),
        Message("3", "p0000002", "Tomás Herrera", "Thanks! Slides come after the numbers.", at + 60_000,
                reactions=frozen_map({"👍": ("p0000001", local), "🎉": ("p0000003",)})),
        Message("4", local, "Robin Meyer", "I share the numbers in a minute.", at + 120_000, True),
        Message("5", "p0000003", "Priya Raman", "Could you send them to me?", at + 180_000, private_to="p0000003"),
        Message("6", local, "Robin Meyer", "Sure, right after the meeting", at + 200_000, True, "p0000003", "5"),
        Message("7", "p0000002", "Tomás Herrera", "🎉", at + 260_000),
        Message("8", local, "Robin Meyer", "This one did not go out", at + 320_000, True, delivered=False,
                error="The message was not delivered."),
    )  # fmt: skip


# ---------------------------------------------------------------- scenes


@scene("home-empty")
async def _home_empty(stage: Stage) -> None:
    stage.window.go_home()


@scene("home-recent")
async def _home_recent(stage: Stage) -> None:
    stage.controller.recent_list = _recent()
    stage.window.go_home()


@scene("home-recognised")
async def _home_recognised(stage: Stage) -> None:
    stage.controller.recent_list = _recent()
    stage.window.go_home()
    stage.window.home.field.set_text("https://meet.example.org/TeamMeeting")


@scene("home-error")
async def _home_error(stage: Stage) -> None:
    from app.controller.api import Recognition

    stage.controller.recognition = lambda _text: Recognition(None, "This is not a meeting link or room name.")
    stage.window.go_home()
    stage.window.home.field.set_text("what is this")
    stage.window.home.field.open()


@scene("prejoin-ready")
async def _prejoin(stage: Stage) -> None:
    from app.media.api import LocalAudioLevel

    stage.window.open_address(address("TeamMeeting"))
    await settle()
    stage.controller.engine(LocalAudioLevel(0.62, True))


@scene("prejoin-no-devices")
async def _prejoin_no_devices(stage: Stage) -> None:
    stage.controller.device_list = ()
    stage.window.open_address(address("TeamMeeting"))


@scene("prejoin-many-devices")
async def _prejoin_many(stage: Stage) -> None:
    from app.media.api import Device

    more = tuple(
        Device(f"{kind}-{n}", f"Conference unit {n} with a very long product name, USB Audio Class 2.0, port {n}", kind)
        for kind in ("audioinput", "audiooutput", "videoinput")
        for n in range(12)
    )
    stage.controller.device_list = (*stage.controller.device_list, *more)
    for key in ("devices.microphone", "devices.speaker", "devices.camera"):
        stage.controller.settings[key] = {"devices.microphone": "audioinput-3", "devices.speaker": "audiooutput-3"}.get(
            key, "videoinput-3"
        )
    stage.window.open_address(address("TeamMeeting"))


@scene("prejoin-camera-failed")
async def _prejoin_camera_failed(stage: Stage) -> None:
    from app.calls.model import SourceContent
    from app.media.api import InputFailed

    stage.controller.previews[SourceContent.CAMERA] = stage.fakes.FakeSlot(None)
    stage.window.open_address(address("TeamMeeting"))
    await settle()
    stage.controller.engine(InputFailed("camera", "busy", "cam-1", ""))


@scene("prejoin-joining")
async def _prejoin_joining(stage: Stage) -> None:
    stage.window.open_address(address("TeamMeeting"))
    await settle()
    stage.window.prejoin.area.press()


@scene("prejoin-password")
async def _prejoin_password(stage: Stage) -> None:
    from app.calls.events import InputAsked
    from app.calls.model import Asked, CallPhase, Failure

    await _prejoin_joining(stage)
    await settle()
    wrong = Failure("password_wrong", "The meeting password is wrong. Try again.")
    stage.controller.update(InputAsked(Asked.ROOM_PASSWORD, wrong), phase=CallPhase.ASKING, asked=Asked.ROOM_PASSWORD)


@scene("prejoin-sign-in")
async def _prejoin_sign_in(stage: Stage) -> None:
    from app.calls.events import InputAsked
    from app.calls.model import Asked, CallPhase

    await _prejoin_joining(stage)
    await settle()
    stage.controller.update(InputAsked(Asked.SIGN_IN), phase=CallPhase.ASKING, asked=Asked.SIGN_IN)


async def _fail(stage: Stage, code: str, message: str, details: str, retryable: bool = True) -> None:
    from app.calls.events import PhaseChanged
    from app.calls.model import CallPhase, Failure

    await _prejoin_joining(stage)
    await settle()
    failure = Failure(code, message, details, retryable)
    stage.controller.update(PhaseChanged(CallPhase.FAILED), phase=CallPhase.FAILED, failure=failure)
    await settle()


@scene("failure-dns")
async def _failure_dns(stage: Stage) -> None:
    await _fail(stage, "dns", "The server name was not found. Check the address and your network connection.", "")


@scene("failure-details")
async def _failure_details(stage: Stage) -> None:
    await _fail(stage, "tls", "The server's certificate is not trusted. Ask its operator, or accept the certificate.",
                "https://meet.example.org/ ClientConnectorCertificateError sha256=" + "3f" * 32)  # fmt: skip
    stage.window.failure.toggle_details()


@scene("failure-final")
async def _failure_final(stage: Stage) -> None:
    await _fail(stage, "access_denied", "You were not let into the meeting.", "", retryable=False)


async def _meet(stage: Stage, state: Any) -> None:
    if state.joined_at == stage.fakes.START:
        state = replace(state, joined_at=int(time.time() * 1000) - 724_000)
    stage.controller.set(state)
    stage.window._joined(state.call_id)
    await settle()


def _meeting_scene(people: int) -> Scene:
    async def made(stage: Stage) -> None:
        from ui.meeting.arrange import Layout

        state = stage.fakes.meeting(
            people, speaker=1 if people > 1 else None, muted=(3, 5), without_video=(4, 7), hands=(2,)
        )
        await _meet(stage, state)
        if people > 2:
            stage.window.meeting.stage.set_choices(replace(stage.window.meeting.stage.choices, layout=Layout.GALLERY))

    return made


for _people in (1, 2, 9, 25):
    SCENES[f"meeting-{_people}"] = _meeting_scene(_people)


@scene("meeting-share")
async def _meeting_share(stage: Stage) -> None:
    await _meet(stage, stage.fakes.meeting(6, share=1, speaker=1))


@scene("meeting-chat")
async def _meeting_chat(stage: Stage) -> None:
    await _meet(stage, stage.fakes.meeting(5, speaker=2, messages=_messages(stage.fakes)))
    stage.window.meeting.panels.open("chat")


@scene("meeting-participants")
async def _meeting_participants(stage: Stage) -> None:
    from PySide6.QtCore import QPoint

    await _meet(stage, stage.fakes.meeting(9, hands=(5, 2), muted=(1,), without_video=(3,), speaker=4, share=1))
    stage.window.meeting.panels.open("participants")
    await settle()
    panel = stage.window.meeting.panels.panel("participants")
    menu = panel.make_menu("p0000002")
    _overlay(stage, menu, panel.mapTo(stage.window, QPoint(24, 150)))


@scene("meeting-long-names")
async def _meeting_long_names(stage: Stage) -> None:
    names = (
        "Prof. Dr. Maximiliane-Charlotte von und zu Hohenstein-Wittgenstein",
        "مريم عبد الرحمن",
        "李小龍",
        "x" * 200,
    )
    await _meet(stage, stage.fakes.meeting(5, names=names, speaker=1))
    stage.window.meeting.panels.open("participants")


@scene("meeting-reconnecting")
async def _meeting_reconnecting(stage: Stage) -> None:
    from app.calls.model import CallPhase

    state = stage.fakes.meeting(4, frozen=(1, 2, 3), speaker=1)
    await _meet(stage, state)
    stage.controller.set(replace(state, phase=CallPhase.RECONNECTING))


@scene("call-bar")
async def _call_bar(stage: Stage) -> None:
    stage.controller.recent_list = _recent()
    state = stage.fakes.meeting(4)
    await _meet(stage, replace(state, joined_at=int(time.time() * 1000) - 724_000))
    stage.window.go_home()


@scene("left")
async def _left(stage: Stage) -> None:
    from app.calls.actions import Leave

    state = stage.fakes.meeting(4, moderator=False)
    await _meet(stage, replace(state, joined_at=int(time.time() * 1000) - 2_524_000))
    stage.window._perform(Leave())
    await settle()
    stage.window.left.stars.choose(4)


def _settings_scene(section: str, search: str = "") -> Scene:
    async def made(stage: Stage) -> None:
        from app.media.api import LocalAudioLevel

        stage.window.open_settings(section)
        await settle()
        window = stage.window._settings_window
        if search:
            window.search.setText(search)
        stage.controller.engine(LocalAudioLevel(0.5, True))
        stage.extra.append(window)

    return made


for _section in ("general", "audio", "video", "joining", "screen", "notifications", "shortcuts", "network", "privacy",
                 "diagnostics", "phone"):  # fmt: skip
    SCENES[f"settings-{_section}"] = _settings_scene(_section)
SCENES["settings-search"] = _settings_scene("", "microphone")


@scene("dialog-share")
async def _dialog_share(stage: Stage) -> None:
    from ui.dialogs.share import Choice, ShareDialog

    state = stage.fakes.meeting(4)
    await _meet(stage, state)
    found = [
        Choice("screen:0", "Screen 1", "screen"),
        Choice("screen:1", "Screen 2", "screen"),
        Choice("window:1", "Quarterly review – slides", "window"),
        Choice("window:2", "Terminal", "window"),
    ]
    pictures = {"screen:0": stage.fakes.slide(), "window:1": stage.fakes.slide()}
    dialog = ShareDialog(
        stage.controller,
        state.call_id,
        stage.window,
        lister=lambda: found,
        thumbnailer=lambda source: stage.fakes._picture(pictures.get(source, stage.fakes.face(12)), 1),
    )
    dialog.start()
    await settle(0.3)
    dialog.cards[0].click()
    stage.extra.append(dialog)


def _dialog_scene(make: Callable[[Stage], Any]) -> Scene:
    async def made(stage: Stage) -> None:
        dialog = make(stage)
        dialog.open()
        stage.extra.append(dialog)

    return made


def _certificate(stage: Stage) -> Any:
    from app.calls.model import Failure
    from ui.dialogs.certificate import CertificateDialog

    failure = Failure("tls", "", f"sha256={'3fa9' * 16}")
    return CertificateDialog("https://meet.example.org/TeamMeeting", failure, stage.controller, stage.window)


def _question(name: str, *arguments: Any) -> Callable[[Stage], Any]:
    def made(stage: Stage) -> Any:
        module = importlib.import_module("ui.dialogs.questions")
        given = [stage.fakes.meeting(3) if a == "state" else a for a in arguments]
        return getattr(module, name)(*given, stage.window)

    return made


def _plain(module: str, name: str) -> Callable[[Stage], Any]:
    return lambda stage: getattr(importlib.import_module(module), name)(stage.window)


SCENES["dialog-certificate"] = _dialog_scene(_certificate)
SCENES["dialog-kick"] = _dialog_scene(_question("KickDialog", "Tomás Herrera"))
SCENES["dialog-lock"] = _dialog_scene(_question("LockDialog"))
SCENES["dialog-rename"] = _dialog_scene(_question("RenameDialog", "Robin Meyer"))
SCENES["dialog-end"] = _dialog_scene(_question("EndForAllDialog"))
SCENES["dialog-last-moderator"] = _dialog_scene(_question("LastModeratorDialog", "state"))
SCENES["dialog-switch"] = _dialog_scene(_question("SwitchDialog", "Team meeting", "Project Aurora"))
SCENES["dialog-shortcuts"] = _dialog_scene(_plain("ui.dialogs.shortcuts", "ShortcutsDialog"))
SCENES["dialog-about"] = _dialog_scene(_plain("ui.dialogs.about", "AboutDialog"))


def _overlay(stage: Stage, menu: Any, where: Any) -> None:
    """Menus are windows of their own; draw this one into the picture of the window."""
    from PySide6.QtWidgets import QLabel

    menu.ensurePolished()
    menu.adjustSize()
    picture = QLabel(stage.window)
    picture.setPixmap(menu.grab())
    picture.adjustSize()
    picture.move(where)
    picture.show()
    picture.raise_()


# ---------------------------------------------------------------- the phone

SCENES.update(PHONE_SCENES)


# ---------------------------------------------------------------- drawing


@dataclass(frozen=True, slots=True)
class Variant:
    theme: str
    size: tuple[int, int]
    language: str = "en"

    @property
    def suffix(self) -> str:
        width, height = self.size
        language = "" if self.language == "en" else f"-{self.language}"
        return f"{self.theme}-{width}x{height}{language}"


def variants(name: str) -> Iterator[Variant]:
    """Both themes at the usual size; the main views at all sizes, in French and right to left."""
    yield Variant("light", USUAL)
    yield Variant("dark", USUAL)
    if name == "phone-incoming":
        yield Variant("light", USUAL, "fr")
        return
    if name.startswith(("dialog", "settings")):
        yield Variant("light", USUAL, "fr")
        return
    if name.startswith(("home", "prejoin", "failure-details", "meeting", "call-bar", "left", "phone")):
        yield Variant("light", SIZES[0])
        yield Variant("dark", SIZES[2])
        yield Variant("light", SIZES[0], "fr")
        yield Variant("light", USUAL, "qps-plocm")


async def draw(name: str, variant: Variant, out: Path, scale: str) -> Path:
    """Draw one scene; returns the file."""
    from PySide6.QtCore import QCoreApplication, QEvent
    from PySide6.QtWidgets import QApplication

    from ui import i18n
    from ui.main_window import MainWindow
    from ui.theme import theme

    fakes = importlib.import_module("tests.ui.fakes")
    app = QApplication.instance()
    assert app is not None
    theme().set_mode(variant.theme)
    i18n.install(app, variant.language)
    controller = fakes.FakeController()
    controller.settings |= {
        "appearance.theme": variant.theme,
        "appearance.language": variant.language,
        "profile.display_name": "Robin Meyer",
    }

    async def demo() -> str:
        return ""

    window = MainWindow(demo=demo)
    window.resize(*variant.size)
    window.show()
    window.attach(controller)
    stage = Stage(controller, window, fakes)
    await settle()
    await SCENES[name](stage)
    await settle(SETTLE_S)
    target = stage.extra[-1] if stage.extra else window
    path = out / f"{name}-{variant.suffix}{scale}.png"
    target.grab().save(str(path))
    for extra in stage.extra:
        extra.close()
    await window.shutdown()
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return path


async def _draw_all(out: Path, only: str, docs: Path | None, scale: str) -> int:
    count = 0
    for name in SCENES:
        for variant in variants(name):
            if only and only not in f"{name}-{variant.suffix}":
                continue
            if scale and (variant.size != USUAL or variant.language != "en"):
                continue
            path = await draw(name, variant, out, scale)
            count += 1
            document = DOC_SHOTS.get(f"{name}-{variant.theme}")
            if docs is not None and document and variant.size == USUAL and variant.language == "en" and not scale:
                save_small(path, docs / document)
    return count


def save_small(source: Path, target: Path) -> None:
    """A copy for the documentation: narrower, and in a palette of few colours where ImageMagick is installed."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QImage

    image = QImage(str(source))
    if image.width() > DOC_WIDTH:
        image = image.scaledToWidth(DOC_WIDTH, Qt.TransformationMode.SmoothTransformation)
    target.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(target))
    magick = shutil.which("magick") or shutil.which("convert")
    if magick:
        options = ["+dither", "-colors", str(DOC_COLOURS), "-define", "png:compression-level=9", "-strip"]
        subprocess.run([magick, str(target), *options, f"PNG8:{target}"], check=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ui.screenshots", description="Draw every view and state.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", default="", help="draw what has this in its name")
    parser.add_argument("--docs", type=Path, default=None, help="also write the documentation's pictures there")
    parser.add_argument("--double", action="store_true", help="draw at 200 %%")
    options = parser.parse_args(arguments)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_API"] = "pyside6"
    if options.double:
        os.environ["QT_SCALE_FACTOR"] = "2"
    options.out.mkdir(parents=True, exist_ok=True)
    import qasync  # type: ignore[import-untyped]

    from ui.application import make_application

    app = make_application("en", "light")
    loop = qasync.QEventLoop(app)
    with loop:
        scale = "-200" if options.double else ""
        count = loop.run_until_complete(_draw_all(options.out, options.only, options.docs, scale))
    print(f"{count} pictures in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
