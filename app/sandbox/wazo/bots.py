"""A colleague who talks, shows a picture, chats, calls you and changes presence; robots with a picture."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.sandbox.wazo.bridges import RobotBridge, Tone
from app.sandbox.wazo.clips import STEP, Projector
from app.sandbox.wazo.leg_media import Line
from app.sandbox.wazo.legs import Leg
from app.sandbox.wazo.people import stable_uuid

if TYPE_CHECKING:
    from app.sandbox.wazo.call_server import CallServer
    from app.sandbox.wazo.state import User

PERSON_HZ = 587.0
COLLEAGUE_NUMBER = "650"
COLLEAGUE_NAME = "Grace Colleague"


class PersonRobot(RobotBridge):
    """Talks (a tone), shows a stamped picture when there is video, and echoes chat in the call."""

    name = "person"

    def __init__(self, server: CallServer, leg: Leg, who: str, hz: float = PERSON_HZ) -> None:
        super().__init__(server, leg)
        self.who = who
        self._tone = Tone(hz)
        self._projector = Projector(server.camera(who))

    def keyframe(self, leg: Leg, line: Line) -> None:
        self._projector.want_keyframe()

    def message(self, leg: Leg, content_type: str, body: str) -> None:
        try:
            data = json.loads(body)
        except ValueError:
            return
        if isinstance(data, dict) and data.get("type") == "message/TYPE_CHAT":
            reply = {"type": "message/TYPE_CHAT", "content": f"You said: {str(data.get('content'))[:500]}"}
            leg.message(json.dumps(reply), "application/json")

    def tick(self, now: float) -> None:
        leg = self.leg
        if leg is None or leg.held:
            return
        leg.media.play(self._tone.block())
        frame = self._projector.due(now) if leg.media.video is not None else None
        if frame is not None:
            leg.media.show(leg.media.video, frame, STEP)


class Colleague:
    """Somebody of the directory who comes to life: answers chats, calls, changes presence."""

    def __init__(self, server: CallServer) -> None:
        self.server = server
        people = server.state.people
        self.uuid = people[0].uuid if people else stable_uuid("colleague")
        self.name = people[0].name if people else COLLEAGUE_NAME
        self.number = people[0].exten if people else COLLEAGUE_NUMBER
        self.answers_chat = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._greeted: set[str] = set()
        server.state.bus.listeners.append(self._event)

    def _event(self, name: str, data: dict[str, Any]) -> None:
        if name == "chatd_user_room_message_created" and self.answers_chat:
            room = self.server.state.chat_rooms.get(data["room"]["uuid"])
            if room is not None and data["user_uuid"] != self.uuid:
                key = data["uuid"]
                if any(u["uuid"] == self.uuid for u in room["users"]) and key not in self._greeted:
                    self._greeted.add(key)
                    text = f"You wrote: {data['content'][:500]}"
                    self._later(0.2, lambda: self.server.state.chat(room, self.uuid, text))
        elif name == "line_status_updated" and data.get("registered") and self.server.options.colleague_after_s:
            found = self.server.state.line_named(data["name"])
            if found is not None and found[0].uuid not in self._greeted:
                user = found[0]
                self._greeted.add(user.uuid)
                delay = self.server.options.colleague_after_s
                self._later(delay, lambda: self.write_to(user, "Good morning!"))
                self._later(delay + 1, lambda: self.set_presence("away"))
                self._later(delay + 2, lambda: self.call(user))

    def _later(self, delay: float, action: Callable[[], object]) -> None:
        async def run() -> None:
            await asyncio.sleep(delay)
            action()

        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------------ what it can be told to do

    def write_to(self, user: User, text: str) -> dict[str, Any]:
        """Send a chat message; returns it."""
        room = self.server.state.chat_room([user.uuid, self.uuid])
        return self.server.state.chat(room, self.uuid, text)

    def set_presence(self, state: str, status: str = "") -> None:
        self.server.state.set_presence(self.uuid, state, status)

    def call(self, user: User, *, video: bool = False, auto_answer: bool = False, **settings: Any) -> Any:
        """Ring the user's phones; whoever answers hears a tone and (with *video*) sees a picture."""
        return self.server.dialing.ring(
            user, None, lambda leg: self._talk(leg), lambda status, cause: None, name=self.name, number=self.number,
            video=video, auto_answer=auto_answer, **settings,
        )  # fmt: skip

    def _talk(self, leg: Leg) -> None:
        PersonRobot(self.server, leg, self.name)
        leg.publish("call_updated")

    def leave_voicemail(self, user: User) -> dict[str, Any]:
        message = self.server.state.make_voicemail(
            user, 0, self.server.state.people[0] if self.server.state.people else None
        )
        message["timestamp"] = int(time.time())
        user.voicemails.insert(0, message)
        self.server.voicemail_event(user, message, "created")
        return message
