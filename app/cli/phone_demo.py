"""``parley demo --vendor wazo --headless``: a whole phone against the local stand-in server, each step checked."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.calls import actions as act
from app.calls import phone as ph
from app.calls.accounts import AccountPhase, AccountState, Registration
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState, MediaKind
from app.calls.selectors import is_over
from app.cli import exit_codes
from app.cli.headless import LOOK_HEIGHT, MAX_LOOKED_AT, Outcome
from app.cli.listening import Ear, keys_heard, tone_heard
from app.cli.report import Report
from app.controller.controller import Controller
from app.vendors.base import ActionRefused

log = logging.getLogger(__name__)

SIGN_IN_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = 20.0
"""Robots answer at once; the rest is a loaded machine."""
HEAR_TIMEOUT_S = 15.0
LOOK_AGAIN_S = 0.1
"""Sound has no events to wait for."""
TONE_HZ = 587.0
"""Of our microphone, so that it is told from any other tone of a phone system."""
TONE_BLOCKS = 40
"""A tone is there, or not, for 400 ms."""
KEYS = "1590"
MIN_ROOM_S = 5.0
ROOM_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class PhoneLab:
    """Where the stand-in server is, who signs in, and what answers there."""

    server: str
    user: str
    password: str
    echo: str
    ivr: str
    room: str


class StepFailed(Exception):
    """A step of the demo did not do what it should; the text is the sentence for the person."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class PhoneDemo:
    """Registers, calls the echo and hears itself, holds and resumes, sends tones that are read back, joins the room."""

    def __init__(self, controller: Controller, report: Report, lab: PhoneLab, duration: float | None) -> None:
        self._controller = controller
        self._report = report
        self._lab = lab
        self._duration = duration
        self._ear = Ear()
        self._changed = asyncio.Event()
        self._interrupted = False
        self._reported = ""
        """Id of the call that the report is about."""
        self._account_id = ""
        self._looked_at: tuple[act.VisibleSource, ...] = ()

    def interrupt(self) -> None:
        """End as soon as possible. May be called from a signal handler of the loop."""
        self._interrupted = True
        self._changed.set()

    async def run(self) -> Outcome:
        stops = (
            self._controller.subscribe(self._on_event),
            self._controller.subscribe_accounts(self._on_account),
            self._controller.engine().add_tap(self._ear.hear),
        )
        started = time.monotonic()
        try:
            await self._step("register", self._register)
            await self._step("echo", self._echo)
            await self._step("tones", self._tones)
            await self._step("room", lambda: self._room(started))
        except StepFailed as error:
            outcome = Outcome(error.code, "interrupted" if self._interrupted else "step_failed", str(error))
        else:
            outcome = Outcome(exit_codes.GOOD, "duration" if self._duration is not None else "done")
        finally:
            for stop in stops:
                stop()
        self._report.exit_reason = outcome.reason
        return outcome

    async def _step(self, name: str, work: Callable[[], object]) -> None:
        started = time.monotonic()
        try:
            detail = await work()  # type: ignore[misc]
        except ActionRefused as error:
            self._report.step(name, False, started, str(error))
            raise StepFailed(exit_codes.COULD_NOT_JOIN, error.failure.message) from error
        except StepFailed as error:
            self._report.step(name, False, started, str(error))
            raise
        self._report.step(name, True, started, detail)

    # ------------------------------------------------------------ waiting

    def _on_event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id == self._reported:
            self._report.on_event(state, event)
        self._changed.set()

    def _on_account(self, state: AccountState, event: object) -> None:
        self._changed.set()

    async def _until(self, condition: Callable[[], bool], timeout_s: float, code: int, sentence: str) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    if self._interrupted:
                        raise StepFailed(exit_codes.COULD_NOT_JOIN, "Interrupted.")
                    try:
                        await asyncio.wait_for(self._changed.wait(), LOOK_AGAIN_S)
                    except TimeoutError:
                        continue
                    self._changed.clear()
        except TimeoutError:
            raise StepFailed(code, sentence) from None

    # ------------------------------------------------------------ steps

    async def _register(self) -> object:
        lab, controller = self._lab, self._controller
        self._account_id = await controller.sign_in("wazo", lab.server, lab.user, lab.password, stay_signed_in=False)

        def settled() -> bool:
            state = controller.account(self._account_id)
            return state.registration in (Registration.REGISTERED, Registration.REFUSED) or state.phase in (
                AccountPhase.FAILED,
                AccountPhase.EXPIRED,
            )

        await self._until(
            settled, SIGN_IN_TIMEOUT_S, exit_codes.COULD_NOT_JOIN, "The phone was not registered in time."
        )
        state = controller.account(self._account_id)
        failure = state.failure or state.registration_failure
        if state.registration is not Registration.REGISTERED:
            raise StepFailed(exit_codes.COULD_NOT_JOIN, failure.message if failure else "The phone was not registered.")
        return {"name": state.display_name, "lines": len(state.lines)}

    async def _call(self, target: str, *, video: bool = False, room: bool = False) -> str:
        call_id = await self._controller.dial(self._account_id, target, video=video, room=room)
        if room:
            self._reported = call_id
            self._report.begin()

        def settled() -> bool:
            state = self._controller.state(call_id)
            return state.phase is CallPhase.JOINED or is_over(state)

        await self._until(settled, ANSWER_TIMEOUT_S, exit_codes.COULD_NOT_JOIN, f"{target} did not answer.")
        state = self._controller.state(call_id)
        if is_over(state):
            sentence = state.failure.message if state.failure else state.end_reason
            raise StepFailed(exit_codes.COULD_NOT_JOIN, sentence or f"{target} could not be called.")
        return call_id

    async def _hear(self, wanted: bool, sentence: str) -> None:
        """Until our own tone is heard, or is not, from now on."""
        mark = self._ear.mark()

        def heard() -> bool:
            if self._ear.mark() - mark < TONE_BLOCKS:
                return False
            return tone_heard(self._ear.since(mark, TONE_BLOCKS), TONE_HZ) is wanted

        await self._until(heard, HEAR_TIMEOUT_S, exit_codes.MEDIA_NEVER_CAME, sentence)

    async def _echo(self) -> object:
        call_id = await self._call(self._lab.echo)
        started = time.monotonic()
        await self._hear(True, "The echo was not heard.")
        heard_ms = round((time.monotonic() - started) * 1000)
        await self._set_hold(call_id, True)
        await self._hear(False, "Sound went on while the call was held.")
        await self._set_hold(call_id, False)
        await self._hear(True, "The echo was not heard again after the call was taken back.")
        await self._controller.perform(call_id, act.Leave())
        return {"heard_ms": heard_ms, "held_and_resumed": True}

    async def _set_hold(self, call_id: str, held: bool) -> None:
        await self._controller.perform(call_id, ph.SetHold(held))

        def done() -> bool:
            phone = self._controller.state(call_id).phone
            return phone is not None and phone.held is held

        await self._until(done, ANSWER_TIMEOUT_S, exit_codes.COULD_NOT_JOIN, "The call could not be held or resumed.")

    async def _tones(self) -> object:
        call_id = await self._call(self._lab.ivr)
        await self._until(
            lambda: self._controller.state(call_id).media_state == "connected",
            HEAR_TIMEOUT_S,
            exit_codes.MEDIA_NEVER_CAME,
            "There was no sound to send tones in.",
        )
        mark = self._ear.mark()
        await self._controller.perform(call_id, act.SendDtmf(KEYS))
        heard = ""

        def read_back() -> bool:
            nonlocal heard
            heard = keys_heard(self._ear.since(mark))
            # A gap in the sound makes two of one; no key is sent twice in a row.
            return "".join(key for key, _ in itertools.groupby(heard)) == KEYS

        try:
            await self._until(read_back, HEAR_TIMEOUT_S, exit_codes.MEDIA_NEVER_CAME, "The tones were not read back.")
        except StepFailed:
            log.warning("sent %s, heard %r", KEYS, heard)
            raise
        await self._controller.perform(call_id, act.Leave())
        return {"sent": len(KEYS), "read_back": len(KEYS)}

    async def _room(self, started: float) -> object:
        call_id = await self._call(self._lab.room, video=True, room=True)

        def come() -> bool:
            self._changed.set()
            return self._report.first_video_ms is not None and self._report.first_audio_ms is not None

        looking = asyncio.get_running_loop().create_task(self._look(call_id), name="look at everything")
        try:
            await self._until(
                come, ROOM_TIMEOUT_S, exit_codes.MEDIA_NEVER_CAME, "Nobody was seen and heard in the room."
            )
            left = (self._duration or 0.0) - (time.monotonic() - started)
            ends = time.monotonic() + max(MIN_ROOM_S, left)
            await self._until(
                lambda: time.monotonic() >= ends or is_over(self._controller.state(call_id)),
                max(MIN_ROOM_S, left) + LOOK_AGAIN_S * 10,
                exit_codes.GOOD,
                "",
            )
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        state = self._controller.state(call_id)
        if is_over(state):
            raise StepFailed(exit_codes.MEDIA_NEVER_CAME, "The room ended before it should.")
        seen = sum(
            1
            for source in state.sources.values()
            if source.participant_id != state.local_id and source.kind is MediaKind.VIDEO and source.receiving
        )
        await self._controller.perform(call_id, act.Leave())
        return {"participants": len(state.participants), "videos": seen}

    async def _look(self, call_id: str) -> None:
        """Ask for every picture, as a window would."""
        while True:
            state = self._controller.state(call_id)
            wanted = tuple(
                act.VisibleSource(source.name, LOOK_HEIGHT)
                for source in state.sources.values()
                if source.kind is MediaKind.VIDEO and source.participant_id != state.local_id
            )[:MAX_LOOKED_AT]
            if wanted != self._looked_at and not is_over(state):
                self._looked_at = wanted
                try:
                    await self._controller.perform(call_id, act.SetVisibleSources(wanted))
                except ActionRefused as error:
                    log.info("visible sources: %s", error.failure.code)
                    self._looked_at = ()
            await asyncio.sleep(LOOK_AGAIN_S)
