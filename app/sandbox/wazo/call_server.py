"""The call server: takes what user agents report, keeps legs and bridges, drives media (a back-to-back user agent)."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import logging
import re
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

from app.protocols.sip.events import (
    AnswerReceived,
    CallAnswered,
    CallEnded,
    CallProgress,
    DtmfReceived,
    Event,
    IncomingCall,
    InfoReceived,
    MessageReceived,
    OfferFailed,
    OfferReceived,
    ReferReceived,
    RequestReceived,
    RetryOffer,
)
from app.protocols.sip.message import Headers, Response, user_of
from app.sandbox.jitsi.clips import ClipStore
from app.sandbox.wazo.bridges import Bridge, recording_wav
from app.sandbox.wazo.clips import Camera
from app.sandbox.wazo.dialing import Dialing
from app.sandbox.wazo.legs import Leg, SipMessage
from app.sandbox.wazo.people import cdr, recording
from app.sandbox.wazo.registrar import Binding, Registrar
from app.sandbox.wazo.rooms import Rooms
from app.sandbox.wazo.sip_socket import Peer, SipSockets
from app.sandbox.wazo.state import Line, State, User
from app.sandbox.wazo.transfers import Transfers

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
TICK_S = 0.02
MAX_LAG_S = 0.2
"""A clock that is later than this skips instead of catching up."""
KEPT_ENDED = 200


class CallServer:
    """See the module's words."""

    sockets: SipSockets

    def __init__(self, state: State) -> None:
        self.state, self.options, self.faults = state, state.options, state.faults
        self.registrar = Registrar(state.options, self._contacts_changed)
        self.legs: dict[str, Leg] = {}
        self.ended_legs: deque[Leg] = deque(maxlen=KEPT_ENDED)
        """Legs that are over, newest last, for tests."""
        self.bridges: set[Bridge] = set()
        self.rooms = Rooms(self)
        self.dialing = Dialing(self)
        self.transfers = Transfers(self)
        self.out_of_dialog: deque[SipMessage] = deque(maxlen=200)
        self.clips: ClipStore | None = None
        self._cameras: dict[str, Camera] = {}
        self._by_key: dict[tuple[Peer, str], Leg] = {}
        self._numbers = itertools.count(40)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._qualify: dict[str, asyncio.TimerHandle] = {}
        self._clock: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------ life

    def start(self) -> None:
        self._clock = asyncio.get_running_loop().create_task(self._tick())

    async def _tick(self) -> None:
        due = time.monotonic()
        while True:
            due += TICK_S
            now = time.monotonic()
            if now - due > MAX_LAG_S:
                due = now
            await asyncio.sleep(max(0.0, due - now))
            for bridge in list(self.bridges):
                bridge.tick(time.monotonic())

    async def close(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        for handle in self._qualify.values():
            handle.cancel()
        self.dialing.close()
        self.rooms.close()
        for leg in list(self.legs.values()):
            leg.spawn_close()
        self.legs.clear()
        tasks = list(self._tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.clips is not None:
            await asyncio.get_running_loop().run_in_executor(None, self.clips.close)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that belongs to the server; errors are logged."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

        def done(finished: asyncio.Task[Any]) -> None:
            self._tasks.discard(finished)
            if not finished.cancelled() and (error := finished.exception()) is not None:
                log.error("a task of the call server failed", exc_info=error)

        task.add_done_callback(done)
        return task

    def closing(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def new_id(self) -> str:
        """As Asterisk makes unique ids."""
        return f"{int(time.time())}.{next(self._numbers)}"

    def camera(self, name: str) -> Camera:
        if self.clips is None:
            self.clips = ClipStore()
        if name not in self._cameras:
            self._cameras[name] = Camera(self.clips, name)
        return self._cameras[name]

    def apply_media_faults(self) -> None:
        for leg in self.legs.values():
            leg.media.apply_faults()

    # ------------------------------------------------------------------ who is who

    def password_of(self, name: str) -> str | None:
        """SIP secret of a line, or of the guests of a meeting."""
        found = self.state.line_named(name)
        if found is not None:
            return found[1].password
        for meeting in self.state.meetings.values():
            if meeting["guest_user"] == name:
                return str(meeting["guest_password"])
        return None

    def identify(self, headers: Headers) -> tuple[str, User | None, Line | None]:
        """SIP user name that a request authenticated as, and whose it is."""
        match = re.search(r'username="([^"]*)"', headers.get("Authorization"))
        name = match.group(1) if match else user_of(headers.get("From"))
        found = self.state.line_named(name)
        return (name, *found) if found is not None else (name, None, None)

    def leg_of(self, peer: Peer, key: str) -> Leg | None:
        return self._by_key.get((peer, key))

    def leg_by_id(self, call_id: str, user: User | None = None) -> Leg | None:
        leg = self.legs.get(call_id)
        return leg if leg is not None and (user is None or leg.user is user) else None

    def add_leg(self, leg: Leg) -> None:
        leg.sip_call_id = leg.peer.agent.calls[leg.key].call_id if leg.key in leg.peer.agent.calls else leg.key
        leg.conversation_id = leg.conversation_id or leg.id
        self.legs[leg.id] = leg
        self._by_key[leg.peer, leg.key] = leg
        leg.publish("call_created")
        self._line_state(leg)

    # ------------------------------------------------------------------ registrations

    def _contacts_changed(self, name: str) -> None:
        found = self.state.line_named(name)
        if found is None:
            return
        user, line = found
        registered = bool(self.registrar.bindings.get(name))
        self.state.bus.publish(
            "line_status_updated",
            {"id": line.id, "technology": "sip", "name": name, "registered": registered, "current_call_count": 0,
             "tenant_uuid": self.state.tenant_uuid},
            None, f"events.lines.{line.id}.status.updated",
        )  # fmt: skip
        if self.state.line_states.get(line.id, "unavailable") in ("available", "unavailable"):
            self.state.set_line_state(line.id, "available" if registered else "unavailable", user)

    def connection_lost(self, peer: Peer) -> None:
        self.registrar.drop_peer(peer)

    def _register(self, peer: Peer, event: RequestReceived) -> None:
        now, request = time.monotonic(), event.request
        name, user, line = self.identify(request.headers)
        response: Response
        if self.faults.reject_register:
            response = request.response(self.faults.reject_register)
        else:
            peer.user_uuid = user.uuid if user is not None else peer.user_uuid
            response = self.registrar.register(request, name, peer)
        peer.agent.send_response(event.id, response, now)
        if response.status == 200:
            for binding in self.registrar.contacts_of(name):
                if binding.peer is peer:
                    self._probe(binding, 0.0)

    def _probe(self, binding: Binding, delay: float) -> None:
        """Qualify: OPTIONS right after registering and then at intervals (wazo.md 4.2)."""
        key = f"{binding.line}/{binding.user}"
        old = self._qualify.pop(key, None)
        if old is not None:
            old.cancel()

        def send() -> None:
            known = self.registrar.bindings.get(binding.line, [])
            if binding in known and binding.peer in self.sockets.peers:
                binding.peer.agent.options(time.monotonic(), f"sip:{binding.user}@{HOST};transport=ws")
                binding.peer.pump()
                self._probe(binding, self.options.qualify_s)

        self._qualify[key] = asyncio.get_running_loop().call_later(delay, send)

    # ------------------------------------------------------------------ events of user agents

    def handle(self, peer: Peer, event: Event) -> None:
        if isinstance(event, RequestReceived):
            if event.request.method == "REGISTER":
                self._register(peer, event)
            else:
                peer.agent.respond(event.id, 501, time.monotonic())
            return
        if isinstance(event, IncomingCall):
            self._incoming(peer, event)
            return
        call = getattr(event, "call", "")
        leg = self._by_key.get((peer, call)) if call else None
        if leg is not None:
            self._leg_event(leg, event)
        elif isinstance(event, MessageReceived):
            self.out_of_dialog.append(SipMessage("MESSAGE", event.content_type, event.body))

    def _leg_event(self, leg: Leg, event: Event) -> None:
        if isinstance(event, CallEnded):
            self.ended(leg, event)
        elif isinstance(event, CallProgress):
            if event.status >= 180 and leg.on_ringing is not None:
                leg.on_ringing(leg)
        elif isinstance(event, CallAnswered):
            self.spawn(self._taken(leg, event))
        elif isinstance(event, OfferReceived):
            self.spawn(self._offered(leg, event))
        elif isinstance(event, AnswerReceived):
            self.spawn(self._offer_answered(leg, event))
        elif isinstance(event, OfferFailed):
            if not event.will_retry:
                leg.offer_done()
        elif isinstance(event, RetryOffer):
            leg.renegotiate()
        elif isinstance(event, MessageReceived):
            leg.messages.append(SipMessage("MESSAGE", event.content_type, event.body))
            if leg.bridge is not None:
                leg.bridge.message(leg, event.content_type, event.body)
        elif isinstance(event, InfoReceived):
            leg.messages.append(SipMessage("INFO", event.content_type, event.body))
        elif isinstance(event, DtmfReceived):
            leg.media.heard.digits.append((event.digit, "info"))
            self.digit(leg, event.digit, "info")
        elif isinstance(event, ReferReceived):
            self.transfers.refer(leg, event)
        leg.offer_done()

    def _incoming(self, peer: Peer, event: IncomingCall) -> None:
        name, user, line = self.identify(event.headers)
        leg = Leg(self, self.new_id(), peer, event.call, True, user, line)
        leg.dialed = leg.peer_number = user_of(event.request_uri) or user_of(event.to_uri)
        leg.name = user.name if user is not None else event.from_name or "Guest"
        leg.number = user.exten if user is not None else name
        leg.headers = event.headers
        leg.contact = user_of(event.headers.get("Contact"))
        self.add_leg(leg)
        if self.faults.reject_invite:
            leg.reject(self.faults.reject_invite)
            return
        if event.replaces is not None:
            self.spawn(self.transfers.replace(leg, event))
            return
        self.spawn(self.dialing.place(leg, leg.dialed, event.sdp))

    async def _taken(self, leg: Leg, event: CallAnswered) -> None:
        """A client answered a call of ours."""
        good = event.sdp is not None and await leg.negotiated(leg.media.apply_answer(event.sdp))
        if leg.ended:
            return
        if not good:
            leg.hang_up(58)
            return
        leg.answer_headers = event.headers
        self.answered(leg)
        if leg.on_answered is not None:
            leg.on_answered(leg)

    async def _offered(self, leg: Leg, event: OfferReceived) -> None:
        """A re-INVITE or UPDATE of a client."""
        if event.sdp is None:
            sdp = await leg.media.offer()
            leg.command(lambda agent, now: agent.accept_offer(leg.key, sdp, now))
            return
        if self.faults.glare > 0:
            self.faults.glare -= 1
            leg.command(lambda agent, now: agent.reject_offer(leg.key, now, 491))
            return
        leg.reinvites += 1
        had_video = leg.media.has_video()
        allow_video = leg.bridge is None or leg.bridge.takes_video(leg)
        if not await leg.negotiated(leg.media.accept(event.sdp, video=allow_video)):
            leg.command(lambda agent, now: agent.reject_offer(leg.key, now, 488))
            return
        answer = leg.media.answer()
        leg.command(lambda agent, now: agent.accept_offer(leg.key, answer, now, leg.identity()))
        self._hold_state(leg)
        if leg.bridge is not None and leg.media.has_video() != had_video:
            leg.bridge.renegotiated(leg)
        leg.offer_done()

    def _hold_state(self, leg: Leg) -> None:
        audio = leg.media.audio
        held = audio is not None and audio.direction in ("recvonly", "inactive")
        if held == leg.held:
            return
        leg.held = held
        if leg.user is not None:
            data = {"call_id": leg.id, "user_uuid": leg.user.uuid, "tenant_uuid": self.state.tenant_uuid}
            name = "call_held" if held else "call_resumed"
            self.state.bus.publish(name, data, [leg.user.uuid], f"events.calls.{leg.user.uuid}")
        leg.publish("call_updated")
        self._line_state(leg)
        if leg.bridge is not None:
            leg.bridge.held(leg)

    async def _offer_answered(self, leg: Leg, event: AnswerReceived) -> None:
        if event.sdp is not None and not event.refresh:
            await leg.negotiated(leg.media.apply_answer(event.sdp))
            if leg.bridge is not None:
                leg.bridge.offer_answered(leg)
        leg.offer_done()

    # ------------------------------------------------------------------ life of a leg

    def answered(self, leg: Leg) -> None:
        if leg.status == "Up":
            return
        leg.status, leg.answered_at = "Up", time.time()
        leg.publish("call_answered")
        leg.publish("call_updated")
        self._line_state(leg)

    def ringing(self, leg: Leg) -> None:
        if leg.status not in ("Ringing", "Up", "Down"):
            leg.status = "Ringing"
            leg.publish("call_updated")
        self._line_state(leg)

    def _line_state(self, leg: Leg) -> None:
        if leg.user is None or leg.line is None:
            return
        mine = [x for x in self.legs.values() if x.line is leg.line and not x.ended]
        states = {
            "ringing" if x.status == "Ringing" and not x.is_caller
            else "progressing" if x.status in ("Ring", "Ringing")
            else "holding" if x.held else "talking"
            for x in mine
        }  # fmt: skip
        order = ("ringing", "progressing", "holding", "talking")
        registered = bool(self.registrar.bindings.get(leg.line.name))
        idle = "available" if registered else "unavailable"
        self.state.set_line_state(leg.line.id, next((s for s in order if s in states), idle), leg.user)

    def ended(self, leg: Leg, event: CallEnded | None) -> None:
        if leg.ended:
            return
        was_up = leg.up
        leg.status, leg.ended_at = "Down", time.time()
        self.legs.pop(leg.id, None)
        self._by_key.pop((leg.peer, leg.key), None)
        self.ended_legs.append(leg)
        data_bridge = leg.bridge
        leg.publish("call_ended")
        if data_bridge is not None:
            data_bridge.hung_up(leg)
        if leg.on_ended is not None:
            leg.on_ended(leg, event)
        self._line_state(leg)
        if leg.user is not None and not leg.unlogged:
            self._log_call(leg, was_up)
        leg.spawn_close()

    def _log_call(self, leg: Leg, answered: bool) -> None:
        """A call record, as call-logd makes them when a call is over."""
        user = leg.user
        assert user is not None
        other = self.state.user_of_exten(leg.peer_number)
        me = (leg.name, leg.number, user.uuid)
        them = (leg.peer_name, leg.peer_number, other.uuid if other is not None else None)
        start = datetime.datetime.fromtimestamp(leg.created_at, datetime.UTC)
        duration = int(leg.ended_at - leg.answered_at) if answered else None
        source, destination = (me, them) if leg.is_caller else (them, me)
        number = max((int(r["id"]) for r in user.cdr), default=0) + 1
        record = cdr(number, source, destination, start, duration, "internal", "answered" if answered else "unknown")
        record["conversation_id"] = leg.conversation_id
        if leg.recording:
            record["recordings"] = [{**recording(record), "audio": recording_wav(leg.recording)}]
        user.cdr.insert(0, record)
        shown = {**record, "recordings": [{k: v for k, v in r.items() if k != "audio"} for r in record["recordings"]]}
        self.state.bus.publish("call_log_user_created", shown, [user.uuid], f"events.call_log.user.{user.uuid}.created")
        if not answered and not leg.is_caller:
            leg.publish("user_missed_call")

    def digit(self, leg: Leg, digit: str, how: str = "rfc4733") -> None:
        if leg.user is not None:
            data = {"call_id": leg.id, "digit": digit, "user_uuid": leg.user.uuid}
            self.state.bus.publish("call_dtmf_created", data, [leg.user.uuid], f"events.calls.{leg.user.uuid}")
        if leg.bridge is not None:
            leg.bridge.digit(leg, digit, how)

    def leave_voicemail(self, user: User, caller: Leg, audio: bytes) -> None:
        """A new message in a mailbox."""
        message = self.state.make_voicemail(user, 0)
        seconds = max(1, (len(audio) - 44) // 16_000)
        message.update(caller_id_name=caller.name, caller_id_num=caller.number, duration=seconds, audio=audio)
        message["transcription"] = None
        user.voicemails.insert(0, message)
        self.voicemail_event(user, message, "created")

    def voicemail_event(self, user: User, message: dict[str, Any], what: str) -> None:
        data = {
            "user_uuid": user.uuid, "tenant_uuid": self.state.tenant_uuid, "voicemail_id": user.id + 100,
            "message_id": message["id"], "message": voicemail_data(user, message),
        }  # fmt: skip
        self.state.bus.publish(
            f"user_voicemail_message_{what}", data, [user.uuid], f"events.users.{user.uuid}.voicemails"
        )


def voicemail_data(user: User, message: dict[str, Any]) -> dict[str, Any]:
    """The message as services show it."""
    hidden = ("audio", "tone_hz")
    mailbox = {"id": user.id + 100, "name": user.name, "accesstype": "personal"}
    return {**{k: v for k, v in message.items() if k not in hidden}, "voicemail": mailbox}
