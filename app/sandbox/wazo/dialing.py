"""The dial plan: what a number leads to, ringing people's phones, forwards and voicemail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.sandbox.wazo.bridges import (
    RINGBACK_HZ,
    EchoRobot,
    IvrRobot,
    MusicRobot,
    PairBridge,
    RobotBridge,
    SwitchboardRobot,
    Tone,
    ToneRobot,
    VoicemailRobot,
)
from app.sandbox.wazo.legs import Leg
from app.sandbox.wazo.people import Person
from app.sandbox.wazo.registrar import Binding
from app.sandbox.wazo.state import CONFERENCES, User

if TYPE_CHECKING:
    from app.protocols.sip.events import CallEnded
    from app.sandbox.wazo.call_server import CallServer

ECHO, EARLY, BUSY, REFUSES, RINGS, TONE, IVR = "600", "601", "602", "603", "605", "608", "609"
SWITCHBOARD = "690"
UNAVAILABLE, NO_CODEC, ANSWERS_LATE, HANGS_UP, REDIRECTS, COLLEAGUE = "606", "607", "610", "611", "612", "650"
VOICEMAIL_PREFIX = "*97"
EXTENSIONS = {
    ECHO: "Echo", EARLY: "Echo after early media", BUSY: "Busy", REFUSES: "Declines", RINGS: "Rings for ever",
    TONE: "Tone", IVR: "Reads back digits", UNAVAILABLE: "Unavailable", NO_CODEC: "No common codec",
    ANSWERS_LATE: "Rings, then answers", HANGS_UP: "Answers and hangs up", REDIRECTS: "Redirects to the echo",
    COLLEAGUE: "Grace Colleague", SWITCHBOARD: "Reception",
}  # fmt: skip
REFUSALS = {BUSY: (486, 17), REFUSES: (603, 21), UNAVAILABLE: (480, 19), NO_CODEC: (488, 58)}
EARLY_S = 1.0
LATE_S = 0.6
MAX_FORWARDS = 5
ELSEWHERE = ('SIP;cause=200;text="Call completed elsewhere"', "Q.850;cause=26")
FROM_STATUS = {
    603: (403, 21),
    403: (403, 21),
    486: (486, 17),
    600: (486, 17),
    480: (480, 19),
    408: (480, 18),
    488: (488, 58),
}
"""What the caller hears of what a callee said (wazo.md 8)."""
AUTO_ANSWER = (
    ("Alert-Info", "<http://wazo.community>;info=alert-autoanswer;delay=0;xivo-autoanswer"),
    ("Answer-After", "0"), ("Answer-Mode", "Auto"), ("Call-Info", ";answer-after=0"),
)  # fmt: skip


@dataclass(eq=False)
class Ringing:
    """One attempt to reach somebody: the caller (if any) and the branches that ring."""

    user: User
    caller: Leg | None
    on_answer: Callable[[Leg], None]
    on_fail: Callable[[int, int], None]
    """Status and Q.850 cause when nobody answered."""
    branches: list[Leg] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    status: tuple[int, int] = (480, 19)
    done: bool = False


class Dialing:
    """See the module's words."""

    def __init__(self, server: CallServer) -> None:
        self.server = server
        self._timers: set[asyncio.TimerHandle] = set()
        self._ringing: dict[str, Ringing] = {}

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def later(self, delay: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(handle)
        return handle

    # ------------------------------------------------------------------ the plan

    async def place(self, leg: Leg, number: str, offer: str | None, hops: int = 0) -> None:
        """A call from *leg*, not answered yet, to *number*."""
        server, state = self.server, self.server.state
        leg.is_video = bool(offer and "m=video" in offer)
        if number in REFUSALS:
            leg.peer_name = EXTENSIONS[number]
            leg.reject(*REFUSALS[number])
            return
        if offer is None or not await leg.negotiated(leg.media.accept(offer)):
            leg.reject(488, 58)
            return
        if leg.ended:
            return
        if number in EXTENSIONS:
            leg.peer_name = EXTENSIONS[number]
            await self._robot(leg, number)
            return
        room = self.server.rooms.named(number, leg)
        if room is not None:
            self.server.rooms.enter(leg, room)
            return
        if number.startswith(VOICEMAIL_PREFIX):
            mailbox = state.user_of_exten(number.removeprefix(VOICEMAIL_PREFIX))
            if mailbox is not None:
                self._voicemail(leg, mailbox)
                return
        user = state.user_of_exten(number)
        if user is not None:
            self._call_user(leg, user, hops)
            return
        person = next((p for p in state.people if p.exten == number), None)
        if person is not None:
            self._person(leg, person)
            return
        server.spawn(self._not_found(leg))

    async def _not_found(self, leg: Leg) -> None:
        leg.reject(404, 1)

    def _person(self, leg: Leg, person: Person) -> None:
        """Somebody of the directory: rings, and every third answers with a tone of their own."""
        leg.peer_name = person.name
        leg.ring()
        if person.id % 3 == 0:
            self.later(
                LATE_S, lambda: self._answer(leg, lambda: ToneRobot(self.server, leg, 500.0 + person.id % 7 * 60))
            )
        else:
            self.later(self.server.options.ring_s, lambda: None if leg.ended or leg.up else leg.reject(480, 19))

    def _answer(self, leg: Leg, robot: Callable[[], RobotBridge]) -> None:
        if not leg.ended and not leg.up and leg.answer():
            robot()
            leg.publish("call_updated")

    async def _robot(self, leg: Leg, number: str) -> None:
        server = self.server
        if number == RINGS:
            leg.ring()
        elif number == EARLY:
            await leg.early()
            robot = ToneRobot(server, leg)
            self.later(EARLY_S, lambda: self._answer(leg, lambda: EchoRobot(server, leg)) if robot.leg else None)
        elif number == REDIRECTS:
            leg.command(lambda agent, now: agent.redirect(leg.key, (f"sip:{ECHO}@127.0.0.1",), now))
        elif number == SWITCHBOARD:
            self._answer(leg, lambda: SwitchboardRobot(server, leg))
        elif number == ANSWERS_LATE:
            leg.ring()
            self.later(LATE_S, lambda: self._answer(leg, lambda: ToneRobot(server, leg)))
        elif number == HANGS_UP:
            self._answer(leg, lambda: ToneRobot(server, leg))
            self.later(1.0, lambda: leg.hang_up(16))
        elif number == COLLEAGUE:
            from app.sandbox.wazo.bots import PersonRobot

            leg.ring()
            self.later(LATE_S, lambda: self._answer(leg, lambda: PersonRobot(server, leg, EXTENSIONS[COLLEAGUE])))
        else:
            robots: dict[str, type[RobotBridge]] = {ECHO: EchoRobot, TONE: ToneRobot, IVR: IvrRobot}
            self._answer(leg, lambda: robots[number](server, leg))

    # ------------------------------------------------------------------ people

    def _call_user(self, leg: Leg, user: User, hops: int = 0) -> None:
        leg.peer_name = user.name
        forward = user.forwards["unconditional"]
        if forward["enabled"] and hops < MAX_FORWARDS:
            self._forward(leg, user, forward["destination"], "unconditional", hops)
        elif user.services["dnd"]:
            self._failed(leg, user, 486, 17, hops)
        elif any(entry["number"] == leg.number for entry in user.blocklist.values()):
            leg.reject(403, 21)
        else:
            self.ring(
                user, leg, lambda branch: self._connected(leg, branch),
                lambda status, cause: self._failed(leg, user, status, cause, hops),
            )  # fmt: skip

    def _forward(self, leg: Leg, user: User, number: str, reason: str, hops: int) -> None:
        diversion = f'"{user.name}" <sip:{user.exten}@127.0.0.1>;reason={reason}'
        leg.diversions.insert(0, diversion)
        target = self.server.state.user_of_exten(number)
        if target is not None:
            self._call_user(leg, target, hops + 1)
        else:
            self.server.spawn(self._elsewhere(leg, number))

    async def _elsewhere(self, leg: Leg, number: str) -> None:
        leg.peer_number = number
        if number in REFUSALS:
            leg.reject(*REFUSALS[number])
        elif number in EXTENSIONS:
            leg.peer_name = EXTENSIONS[number]
            await self._robot(leg, number)
        else:
            leg.reject(404, 1)

    def _failed(self, leg: Leg, user: User, status: int, cause: int, hops: int) -> None:
        """Nobody answered: forward, voicemail, or the truth."""
        if leg.ended or leg.up:
            return
        kind = "busy" if status == 486 else "noanswer"
        forward = user.forwards[kind]
        if forward["enabled"] and hops < MAX_FORWARDS and status in (480, 486):
            self._forward(leg, user, forward["destination"], "user-busy" if kind == "busy" else "no-answer", hops)
        elif user.account.voicemail and status in (480, 486):
            self._voicemail(leg, user)
        else:
            leg.reject(status, cause)

    def _voicemail(self, leg: Leg, user: User) -> None:
        leg.peer_name = f"Voicemail of {user.name}"
        self._answer(leg, lambda: VoicemailRobot(self.server, leg, user))

    def _connected(self, caller: Leg, branch: Leg) -> None:
        """A callee answered: the caller's answer follows the formats agreed there."""
        self.server.spawn(self._join(caller, branch))

    async def _join(self, caller: Leg, branch: Leg) -> None:
        if caller.ended:
            branch.hang_up()
            return
        for line, other in ((caller.media.audio, branch.media.audio), (caller.media.video, branch.media.video)):
            if line is None:
                continue
            if other is None:
                line.live = False
                continue
            shared = tuple(c for c in line.codecs if other.matching(c) is not None)
            voice = [c for c in shared if c.name.lower() != "telephone-event"]
            line.codecs = shared if voice else line.codecs
        if not caller.answer():
            branch.hang_up()
            return
        PairBridge(self.server, caller, branch)
        branch.conversation_id = caller.conversation_id
        for leg in (caller, branch):
            leg.publish("call_updated")

    # ------------------------------------------------------------------ ringing phones

    def ring(
        self,
        user: User,
        caller: Leg | None,
        on_answer: Callable[[Leg], None],
        on_fail: Callable[[int, int], None],
        *,
        name: str = "",
        number: str = "",
        video: bool = False,
        auto_answer: bool = False,
        contact: str = "",
        line_id: int = 0,
        headers: tuple[tuple[str, str], ...] = (),
        timeout_s: float = 0.0,
        leg_id: str = "",
    ) -> Ringing:
        """Ring all phones of a user (or one *contact*, or one line); the first that answers wins. *leg_id*: the call id
        that was promised for the first of them."""
        attempt = Ringing(user, caller, on_answer, on_fail)
        bindings = [
            binding
            for line in user.lines
            for binding in self.server.registrar.contacts_of(line.name)
            if line_id in (0, line.id) and contact in ("", binding.user)
        ]
        if not bindings:
            self.later(0, lambda: self._finish(attempt, (480, 20)))
            return attempt
        if caller is not None:
            self._ringing[caller.id] = attempt
            caller.on_ended = lambda leg, event: self._give_up(attempt, ())
        extra = (*(AUTO_ANSWER if auto_answer else ()), *headers)
        who = (caller.name, caller.number) if caller is not None else (name, number)
        for index, binding in enumerate(bindings):
            id_ = leg_id if leg_id and index == 0 else self.server.new_id()
            self.server.spawn(self._branch(attempt, binding, id_, who, video, extra))
        attempt.timer = self.later(timeout_s or self.server.options.ring_s, lambda: self._timeout(attempt))
        return attempt

    async def _branch(
        self,
        attempt: Ringing,
        binding: Binding,
        id_: str,
        who: tuple[str, str],
        video: bool,
        extra: tuple[tuple[str, str], ...],
    ) -> None:
        server, caller = self.server, attempt.caller
        line = next(x for x in attempt.user.lines if x.name == binding.line)
        leg = Leg(server, id_, binding.peer, "", False, attempt.user, line)
        leg.name, leg.number, leg.contact = attempt.user.name, attempt.user.exten, binding.user
        leg.peer_name, leg.peer_number = who
        leg.dialed = attempt.user.exten
        like = caller.media if caller is not None and caller.media.lines else None
        leg.is_video = video = video or (caller is not None and caller.media.has_video())
        attempt.branches.append(leg)
        offer = await leg.media.offer(like=like, video=video)
        if attempt.done:
            leg.spawn_close()
            return
        headers = [*leg.id_header(), *leg.identity(), *extra]
        headers += [("Diversion", text) for text in (caller.diversions if caller else [])]
        sender = f'"{who[0]}" <sip:{who[1]}@127.0.0.1>'
        target = f"sip:{binding.user}@127.0.0.1;transport=ws"

        def invite(agent: Any, now: float) -> None:
            leg.key = agent.invite(target, offer, now, headers=headers, sender=sender)
            leg.conversation_id = caller.conversation_id if caller is not None else ""
            server.add_leg(leg)

        leg.on_ringing = lambda one: self._rings(attempt, one)
        leg.on_answered = lambda one: self._won(attempt, one)
        leg.on_ended = lambda one, event: self._lost(attempt, one, event)
        if not leg.command(invite):
            self._lost(attempt, leg, None)

    def _rings(self, attempt: Ringing, leg: Leg) -> None:
        self.server.ringing(leg)
        caller = attempt.caller
        if caller is not None and not caller.up and not caller.ended and caller.status == "Ring":
            caller.ring()

    def _won(self, attempt: Ringing, leg: Leg) -> None:
        if attempt.done:
            leg.unlogged = True
            leg.hang_up(26, ELSEWHERE)
            return
        attempt.done = True
        self._clear(attempt)
        leg.on_ended = None
        for other in attempt.branches:
            if other is not leg and not other.ended:
                other.on_ended, other.unlogged = None, True
                other.hang_up(26, ELSEWHERE)
        attempt.on_answer(leg)

    def _lost(self, attempt: Ringing, leg: Leg, event: CallEnded | None) -> None:
        if leg in attempt.branches:
            attempt.branches.remove(leg)
        status = event.status if event is not None else 0
        attempt.status = FROM_STATUS.get(status, attempt.status)
        if status in (600, 603):
            # A decline is meant for the whole call, not for one phone (RFC 3261 section 21.6).
            self._finish(attempt, attempt.status)
        elif not attempt.branches:
            self._finish(attempt, attempt.status)

    def _timeout(self, attempt: Ringing) -> None:
        self._finish(attempt, (480, 19))

    def _finish(self, attempt: Ringing, status: tuple[int, int]) -> None:
        if not attempt.done:
            self._give_up(attempt, ())
            attempt.on_fail(*status)

    def _give_up(self, attempt: Ringing, reasons: tuple[str, ...]) -> None:
        """The caller went, or the time is over: phones stop ringing."""
        if attempt.done:
            return
        attempt.done = True
        self._clear(attempt)
        for index, leg in enumerate(list(attempt.branches)):
            leg.on_ended, leg.unlogged = None, index > 0
            leg.hang_up(21, reasons)

    def _clear(self, attempt: Ringing) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
            self._timers.discard(attempt.timer)
        if attempt.caller is not None:
            attempt.caller.on_ended = None
            self._ringing.pop(attempt.caller.id, None)

    def cancel(self, attempt: Ringing) -> None:
        self._give_up(attempt, ())

    # ------------------------------------------------------------------ calls that the server makes

    def connect(self, leg: Leg, number: str, done: Callable[[Leg | None, int], None]) -> None:
        """Put a leg that is up through to *number* (transfer): it hears ringing, then the callee.

        *done* gets the callee's leg (``None`` for robots and failures) and a SIP status.
        """
        server = self.server
        leg.dialed, leg.peer_number = number, number
        user = server.state.user_of_exten(number)
        if number in REFUSALS:
            done(None, REFUSALS[number][0])
        elif number in EXTENSIONS:
            from app.sandbox.wazo.bots import PersonRobot

            leg.peer_name = EXTENSIONS[number]
            robots: dict[str, Callable[[CallServer, Leg], RobotBridge]] = {ECHO: EchoRobot, IVR: IvrRobot}
            robots[COLLEAGUE] = lambda s, x: PersonRobot(s, x, EXTENSIONS[COLLEAGUE])
            robots.get(number, ToneRobot)(server, leg)
            done(None, 200)
        elif server.rooms.named(number, leg) is not None:
            room = server.rooms.named(number, leg)
            assert room is not None
            server.rooms.enter(leg, room)
            done(None, 200)
        elif user is not None:
            leg.peer_name = user.name
            MusicRobot(server, leg, Tone(RINGBACK_HZ, on_ms=1000, off_ms=4000))

            def taken(branch: Leg) -> None:
                if leg.ended:
                    branch.hang_up()
                    return
                PairBridge(server, leg, branch)
                branch.conversation_id = leg.conversation_id
                done(branch, 200)

            self.ring(user, leg, taken, lambda status, cause: done(None, status))
        else:
            done(None, 404)


def rooms_of_conferences() -> dict[str, tuple[str, str]]:
    """Extension to id and name."""
    return {exten: (id_, name) for id_, name, exten in CONFERENCES}
