"""``parley join`` and ``parley demo`` without a window, and what both forms share."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

from app.cli import exit_codes, sources
from app.cli.headless import HeadlessRun, Outcome, signals
from app.cli.report import Report
from app.cli.sandbox import WAZO, SandboxFailed, SandboxProcess
from app.controller.api import JoinOptions
from app.controller.controller import Controller
from app.controller.devices import Inputs
from app.media.api import AudioInput, Device
from app.storage.history import History
from app.storage.settings_file import SettingsStore

log = logging.getLogger(__name__)


def complain(sentence: str) -> None:
    """One plain sentence on standard error."""
    print(f"parley: {sentence}", file=sys.stderr)


def read_devices(options: argparse.Namespace) -> tuple[Device, ...]:
    """The devices of this computer, but only if an option names one: listing them takes a while."""
    if not sources.needs_devices(options.video, options.audio):
        return ()
    return asyncio.run(_list_devices())


async def _list_devices() -> tuple[Device, ...]:
    from app.media.engine import Engine

    engine = Engine()
    engine.start()
    try:
        return engine.devices()
    finally:
        await engine.close()


def choose_inputs(options: argparse.Namespace) -> Inputs:
    """Raises :class:`app.cli.sources.UnknownDevice`."""
    return sources.inputs(options.video, options.audio, read_devices(options), headless=options.headless)


def own_name(options: argparse.Namespace, store: SettingsStore) -> str:
    """The name to join with: given, remembered, or the one of the account on this computer."""
    name = options.name or store.get("profile.display_name")
    if name:
        return str(name)
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "Parley"


def run_headless(options: argparse.Namespace, store: SettingsStore) -> int:
    """Join, stay, leave, report; returns the exit code."""
    try:
        inputs = choose_inputs(options)
    except sources.UnknownDevice as error:
        complain(str(error))
        return exit_codes.BAD_USAGE
    return asyncio.run(_headless(options, store, inputs))


async def _headless(options: argparse.Namespace, store: SettingsStore, inputs: Inputs) -> int:
    report = Report()
    if options.command == "demo" and options.vendor == WAZO:
        outcome = await _phone(options, store, inputs, report)
    else:
        outcome = await _meeting(options, store, inputs, report)
    if outcome.sentence:
        complain(outcome.sentence)
    written = write_report(options, report)
    return outcome.exit_code if written or outcome.exit_code else exit_codes.BAD_USAGE


async def _phone(options: argparse.Namespace, store: SettingsStore, inputs: Inputs, report: Report) -> Outcome:
    """The whole phone against a local server."""
    from app.cli.phone_demo import TONE_HZ, PhoneDemo, PhoneLab

    async with AsyncExitStack() as stack:
        sandbox = SandboxProcess(vendor=WAZO)
        stack.push_async_callback(sandbox.stop)
        try:
            server = await sandbox.start()
        except SandboxFailed as error:
            return Outcome(exit_codes.COULD_NOT_JOIN, "no_server", str(error))
        trust(store, sandbox)
        # Whatever was chosen: only a known tone can be told to have come back.
        inputs = replace(inputs, microphone=AudioInput("test", tone_hz=TONE_HZ))
        controller = Controller(store, History(None), inputs=inputs)
        stack.push_async_callback(controller.close)
        ready = sandbox.ready
        lab = PhoneLab(server, ready["user"], ready["password"], ready["echo"], ready["ivr"], ready["room"])
        demo = PhoneDemo(controller, report, lab, options.duration)
        with signals(demo.interrupt):
            return await demo.run()


def trust(store: SettingsStore, sandbox: SandboxProcess) -> None:
    """Accept the certificate of the local server, for this run only."""
    host = sandbox.ready["ready"].partition(":")[0]
    known = tuple(store.get("network.trusted_certificates"))
    store.override({"network.trusted_certificates": (*known, f"{host} {sandbox.ready['fingerprint']}")})


async def _meeting(options: argparse.Namespace, store: SettingsStore, inputs: Inputs, report: Report) -> Outcome:
    async with AsyncExitStack() as stack:
        # A run without a window leaves no trace in the list of recent meetings.
        controller = Controller(store, History(None), inputs=inputs)
        stack.push_async_callback(controller.close)
        text = options.url if options.command == "join" else ""
        if options.command == "demo":
            sandbox = SandboxProcess()
            stack.push_async_callback(sandbox.stop)
            try:
                text = await sandbox.start()
            except SandboxFailed as error:
                return Outcome(exit_codes.COULD_NOT_JOIN, "no_server", str(error))
        found = controller.recognise(text)
        if found.address is None:
            return Outcome(exit_codes.BAD_USAGE, "bad_usage", found.hint)
        run = HeadlessRun(
            controller,
            report,
            duration=options.duration,
            record=options.record,
            expect_media=options.command == "demo",
        )
        with signals(run.interrupt):
            return await run.run(found.address, _join_options(options, store, inputs))


def _join_options(options: argparse.Namespace, store: SettingsStore, inputs: Inputs) -> JoinOptions:
    return JoinOptions(
        display_name=own_name(options, store),
        password=options.password,
        token=options.jwt,
        microphone_muted=inputs.microphone is not None and inputs.microphone.kind == sources.NONE,
        camera_muted=inputs.camera is not None and inputs.camera.kind == sources.NONE,
    )


def write_report(options: argparse.Namespace, report: Report) -> bool:
    """False (after saying why) when the report could not be written."""
    if options.report is None:
        return True
    try:
        report.write(options.report)
    except OSError as error:
        complain(f"The report could not be written: {error.strerror}.")
        return False
    return True
