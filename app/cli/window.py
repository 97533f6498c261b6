"""The window, and what the options of the command line mean for it. The only module of ``app`` that starts ``ui``."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from app.calls import actions as act
from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState
from app.calls.reducer import FINAL_PHASES
from app.cli import exit_codes, sources
from app.cli.meeting import choose_inputs, complain, trust, write_report
from app.cli.report import Report
from app.cli.sandbox import WAZO, SandboxFailed, SandboxProcess
from app.controller.account_lists import CachedLists
from app.controller.controller import Controller, Preset
from app.controller.devices import Inputs
from app.controller.tasks import TaskScope
from app.crash import CrashHandler
from app.media.api import AudioInput, VideoInput
from app.media.errors import MediaError
from app.storage.account_cache import AccountCache
from app.storage.accounts import AccountStore
from app.storage.history import History
from app.storage.paths import HOME_VARIABLE, Paths
from app.storage.settings_file import SettingsStore
from app.vendors.base import ActionRefused

log = logging.getLogger(__name__)

NO_DISPLAY = (
    "There is no display to open a window on. Use --headless to join without one, or set QT_QPA_PLATFORM=offscreen."
)


def has_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether Qt will find somewhere to put a window; elsewhere than on Linux there always is a place."""
    if not platform.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


class Companion:
    """Carries out ``--report``, ``--record`` and ``--duration`` beside the window."""

    def __init__(self, options: argparse.Namespace, report: Report) -> None:
        self._options = options
        self._report = report
        self._controller: Controller | None = None
        self._tasks = TaskScope()
        self._recording = False

    def attach(self, controller: Controller) -> None:
        """On the window's loop, once it runs."""
        self._controller = controller
        controller.subscribe(self._on_event)
        controller.before_close(self.close)
        if self._options.screenshot is not None:
            self._tasks.start(self._join_by_itself(), "join by itself")

    def exit_code(self) -> int:
        """Only a run that ends by itself is judged; a person who closes the window has seen how it went."""
        if self._options.duration is None:
            return exit_codes.GOOD
        if self._report.joined_ms is None:
            return exit_codes.COULD_NOT_JOIN
        expected = self._options.command == "demo" or self._report.offered_since is not None
        return exit_codes.MEDIA_NEVER_CAME if expected and not self._report.media_came else exit_codes.GOOD

    async def _join_by_itself(self) -> None:
        offscreen = importlib.import_module("ui.offscreen")
        if not await offscreen.join_when_ready():
            complain("The meeting could not be joined.")
            offscreen.close_window()

    def _on_event(self, state: CallState, event: CallEvent) -> None:
        if isinstance(event, ev.PhaseChanged) and event.phase is CallPhase.CONNECTING:
            self._report.begin()
        self._report.on_event(state, event)
        if isinstance(event, ev.MediaStateChanged) and event.state == "connected":
            if self._options.record is not None and not self._recording:
                self._recording = True
                self._tasks.start(self._record(state.call_id), "record")
        elif isinstance(event, ev.Joined):
            self._tasks.start(self._in_meeting(state.call_id), "options of the command line")
        elif isinstance(event, ev.PhaseChanged) and event.phase in FINAL_PHASES:
            self._report.exit_reason = self._report.exit_reason or event.reason or event.phase.value

    async def _record(self, call_id: str) -> None:
        assert self._controller is not None
        try:
            await self._controller.start_recording(call_id, self._options.record)
        except (MediaError, OSError) as error:
            self._recording = False
            complain(f"The meeting is not recorded: {error}.")

    async def _in_meeting(self, call_id: str) -> None:
        assert self._controller is not None
        if self._options.duration is None:
            return
        await asyncio.sleep(self._options.duration)
        self._report.exit_reason = "duration"
        offscreen = importlib.import_module("ui.offscreen")
        if self._options.screenshot is not None and not offscreen.take_picture(self._options.screenshot):
            complain("The screenshot could not be written.")
        try:
            await self._controller.perform(call_id, act.Leave())
        except ActionRefused as error:
            log.info("leaving after the duration: %s", error.failure.code)
        offscreen.close_window()

    def show_phone(self, store: SettingsStore) -> None:
        """Sign in to a phone system of our own. On the window's loop, after :meth:`attach`."""
        assert self._controller is not None
        sandbox = SandboxProcess(vendor=WAZO)
        self._controller.after_close(sandbox.stop)
        self._tasks.start(self._sign_in(store, sandbox), "demo phone")

    async def _sign_in(self, store: SettingsStore, sandbox: SandboxProcess) -> None:
        assert self._controller is not None
        try:
            server = await sandbox.start()
        except SandboxFailed as error:
            complain(str(error))
            importlib.import_module("ui.offscreen").tell((str(error),))
            return
        trust(store, sandbox)
        ready = sandbox.ready
        await self._controller.sign_in(WAZO, server, ready["user"], ready["password"], stay_signed_in=False)

    async def close(self) -> None:
        if self._recording and self._controller is not None:
            try:
                await self._controller.stop_recording()
            except (MediaError, OSError) as error:
                log.error("the recording could not be finished: %s", error)
        await self._tasks.close()


def run(options: argparse.Namespace, paths: Paths, store: SettingsStore) -> int:
    """Open the window; returns the exit code once it is closed."""
    if not has_display():
        complain(NO_DISPLAY)
        return exit_codes.BAD_USAGE
    meeting = options.command in ("join", "demo")
    inputs = Inputs()
    if meeting:
        try:
            inputs = choose_inputs(options)
        except sources.UnknownDevice as error:
            complain(str(error))
            return exit_codes.BAD_USAGE
    if options.command == "demo":
        inputs = _with_stand_ins(inputs)
    if meeting and options.name:
        store.override({"profile.display_name": options.name[:100]})
    report = Report()
    companion = Companion(options, report) if meeting else None

    phone = options.command == "demo" and options.vendor == WAZO

    def make_controller() -> Controller:
        preset = Preset(options.password, options.jwt) if meeting else None
        controller = Controller(
            store,
            History(paths.history),
            inputs=inputs,
            preset=preset,
            # The demo's account is for this run, beside no other.
            accounts=AccountStore(None if phone else paths.accounts),
            lists=CachedLists(AccountCache(None if phone else paths.account_cache)),
        )
        # Once the window listens, which it does right after this function.
        asyncio.get_running_loop().call_soon(controller.start_resuming)
        if companion is not None:
            companion.attach(controller)
            if phone:
                companion.show_phone(store)
        return controller

    code = _run_window(options, store, CrashHandler(paths.crashes), make_controller)
    if companion is None:
        return code
    written = write_report(options, report)
    return code or companion.exit_code() or (exit_codes.GOOD if written else exit_codes.BAD_USAGE)


def _with_stand_ins(inputs: Inputs) -> Inputs:
    """The demo shows something even on a computer without camera and microphone."""
    return Inputs(
        microphone=inputs.microphone,
        camera=inputs.camera,
        speaker=inputs.speaker,
        camera_if_none=VideoInput("test"),
        microphone_if_none=AudioInput("test"),
    )


def crash_sentences(crashes: CrashHandler) -> tuple[str, ...]:
    """What to say about crashes of earlier runs. Each is told once; its report stays until newer ones push it out."""
    told = crashes.told()
    new = [path for path in crashes.pending() if path.name not in told]
    crashes.mark_told()
    return (f"Parley ended unexpectedly last time. The report is on this computer: {new[0]}",) if new else ()


def _run_window(options: argparse.Namespace, store: SettingsStore, crashes: CrashHandler, make_controller: Any) -> int:
    # By name, so that nothing of Qt is imported for commands that need no window.
    application = importlib.import_module("ui.application")
    demo: list[SandboxProcess] = []

    async def start_demo() -> str:
        if not demo:
            demo.append(SandboxProcess())
        return await demo[0].start()

    async def stop_demo() -> None:
        for process in demo:
            await process.stop()

    def factory() -> Controller:
        controller: Controller = make_controller()
        controller.after_close(stop_demo)
        sentences = (*crash_sentences(crashes), *controller.problems())
        if sentences:
            # Once the window has its controller, which it gets right after this function.
            asyncio.get_running_loop().call_soon(importlib.import_module("ui.offscreen").tell, sentences)
        return controller

    code: int = application.run(
        factory,
        open_text=options.url if options.command == "join" else None,
        demo=start_demo,
        start_demo=options.command == "demo" and options.vendor != WAZO,
        language=str(store.get("appearance.language")),
        theme_mode=str(store.get("appearance.theme")),
        profile=os.environ.get(HOME_VARIABLE, ""),
    )
    return code
