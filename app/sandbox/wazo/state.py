"""What the stack knows: users, tokens, settings, conversations. Handlers of the REST services read and change it."""

from __future__ import annotations

import datetime
import secrets
import time
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.wazo.acl import ADMIN_ACL, USER_ACL
from app.sandbox.wazo.bus import Bus
from app.sandbox.wazo.faults import Faults
from app.sandbox.wazo.options import Account, SandboxOptions
from app.sandbox.wazo.people import Person, make_call_log, make_people, stable_uuid
from app.sandbox.wazo.sounds import speech_like_wav

MAX_MESSAGES = 5000
MAX_SESSIONS = 100
"""Tokens per user; more sign-ins answer 429."""
MAX_REQUESTS = 2000
CONFERENCES = (("7", "Daily stand-up", "700"), ("8", "Board", "701"))
SWITCHBOARD = "Reception"


@dataclass(slots=True)
class Token:
    token: str
    user_uuid: str
    session_uuid: str
    acl: tuple[str, ...]
    issued_at: float
    expires_at: float
    client_id: str = ""
    mobile: bool = False
    warned: bool = False


@dataclass(slots=True)
class Line:
    id: int
    name: str
    """SIP user name."""
    password: str
    webrtc: bool
    exten: str


@dataclass(slots=True)
class User:
    account: Account
    uuid: str
    id: int
    lines: list[Line]
    password: str
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields that clients may change: firstname, lastname, email, mobile_phone_number ..."""
    forwards: dict[str, dict[str, Any]] = field(default_factory=dict)
    services: dict[str, bool] = field(default_factory=dict)
    fallbacks: dict[str, Any] = field(default_factory=dict)
    presence: str = "available"
    status: str = ""
    last_activity: str = ""
    personal: dict[str, dict[str, Any]] = field(default_factory=dict)
    favorites: list[tuple[str, str]] = field(default_factory=list)
    cdr: list[dict[str, Any]] = field(default_factory=list)
    voicemails: list[dict[str, Any]] = field(default_factory=list)
    greetings: dict[str, bytes] = field(default_factory=dict)
    blocklist: dict[str, dict[str, Any]] = field(default_factory=dict)
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    faxes: list[dict[str, Any]] = field(default_factory=list)
    agent: dict[str, Any] | None = None
    external: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.settings['firstname']} {self.settings['lastname']}".strip()

    @property
    def exten(self) -> str:
        return self.account.exten

    @property
    def voicemail(self) -> dict[str, Any] | None:
        return {"id": self.id + 100, "name": self.name} if self.account.voicemail else None


@dataclass(slots=True)
class SeenRequest:
    """One REST request as it came, for tests (header values that are secrets are left out)."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    at: float = 0.0


class State:
    """See the module's words."""

    def __init__(self, options: SandboxOptions, faults: Faults) -> None:
        self.options, self.faults = options, faults
        self.bus = Bus(faults)
        self.stack_uuid = stable_uuid("stack")
        self.tenant_uuid = stable_uuid("tenant")
        self.people: list[Person] = make_people(options.people, options.seed)
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.refresh_tokens: dict[str, dict[str, Any]] = {}
        """By refresh token: user_uuid, client_id, created_at, mobile."""
        self.saml: dict[str, dict[str, Any]] = {}
        self.chat_rooms: dict[str, dict[str, Any]] = {}
        self.chat_messages: list[dict[str, Any]] = []
        self.meetings: dict[str, dict[str, Any]] = {}
        self.guests: dict[str, dict[str, Any]] = {}
        """Guest authorizations by uuid."""
        self.person_presence: dict[str, dict[str, Any]] = {}
        self.switchboard_uuid = stable_uuid("switchboard")
        self.switchboard: dict[str, list[dict[str, Any]]] = {"queued": [], "held": []}
        self.applications: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.policies: dict[str, dict[str, Any]] = {}
        self.tenants: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        """Of accessd; each with its ``authorizations`` by uuid."""
        self.requests: deque[SeenRequest] = deque(maxlen=MAX_REQUESTS)
        self.logs: deque[dict[str, Any]] = deque(maxlen=MAX_REQUESTS)
        """Entries that clients shipped (fluentd)."""
        self.line_states: dict[int, str] = {}
        for number, account in enumerate(options.accounts, 1):
            self.add_user(account, number)
        application = stable_uuid("application")
        self.applications[application] = {
            "uuid": application, "tenant_uuid": self.tenant_uuid, "name": "Lobby", "destination": "node",
            "destination_options": {"type": "holding", "music_on_hold": "default", "answer": True}, "lines": [],
            "calls": {}, "nodes": {}, "snoops": {},
        }  # fmt: skip
        self.tenants[self.tenant_uuid] = {"uuid": self.tenant_uuid, "name": "Sandbox", "contact": None, "phone": None}
        self.policies[stable_uuid("policy")] = {
            "uuid": stable_uuid("policy"), "name": "wazo_default_user_policy", "description": "", "acl": list(USER_ACL),
        }  # fmt: skip

    # ------------------------------------------------------------------ users

    def add_user(self, account: Account, number: int) -> User:
        uuid_ = stable_uuid("user", account.username)
        lines = [Line(number * 10 + 2, f"{account.username}line", secrets.token_hex(8), account.webrtc, account.exten)]
        if account.username == "alice":
            lines.append(Line(number * 10 + 3, f"{account.username}mobile", secrets.token_hex(8), True, account.exten))
        user = User(account, uuid_, number, lines, account.password)
        user.settings = {
            "firstname": account.firstname, "lastname": account.lastname, "email": f"{account.username}@example.com",
            "mobile_phone_number": f"+3312345678{number % 10}", "language": "en_US", "timezone": "Europe/Paris",
            "ring_seconds": 30, "online_call_record_enabled": True,
        }  # fmt: skip
        user.forwards = {
            kind: {"enabled": False, "destination": None} for kind in ("busy", "noanswer", "unconditional")
        }
        user.services = {"dnd": False, "incallfilter": False}
        user.fallbacks = {
            f"{kind}_destination": None for kind in ("noanswer", "busy", "congestion", "fail")
        }  # fmt: skip
        user.last_activity = now_iso()
        user.cdr = make_call_log(
            self.options.call_log, uuid_, user.name, account.exten, self.people, self.options.seed
        )  # fmt: skip
        if account.voicemail:
            user.voicemails = [self.make_voicemail(user, index) for index in range(3)]
        if account.agent:
            user.agent = {
                "id": number + 500, "number": str(number + 800), "logged": False, "paused": False,
                "paused_reason": None, "extension": None, "context": None, "state_interface": None,
                "queues": [{"id": 3, "name": "support", "display_name": "Support", "logged": False, "paused": False,
                            "paused_reason": None}],
            }  # fmt: skip
        self.users[uuid_] = user
        return user

    def user_named(self, username: str) -> User | None:
        for user in self.users.values():
            if username in (user.account.username, user.settings["email"]):
                return user
        return None

    def user_of_exten(self, exten: str) -> User | None:
        return next((user for user in self.users.values() if user.exten == exten), None)

    def line_named(self, name: str) -> tuple[User, Line] | None:
        for user in self.users.values():
            for line in user.lines:
                if line.name == name:
                    return user, line
        return None

    def name_of(self, uuid_: str) -> str:
        user = self.users.get(uuid_)
        if user is not None:
            return user.name
        return next((person.name for person in self.people if person.uuid == uuid_), "")

    # ------------------------------------------------------------------ voicemail

    def make_voicemail(self, user: User, index: int, caller: Person | None = None) -> dict[str, Any]:
        person = caller or (self.people[(index * 37) % len(self.people)] if self.people else None)
        seconds = 2 + index
        folder = {"id": 1, "name": "inbox", "type": "new"} if index != 1 else {"id": 2, "name": "old", "type": "old"}
        return {
            "id": f"{int(time.time()) - 86400 * index}-{user.id:08x}{secrets.token_hex(2)}",
            "caller_id_name": person.name if person else "Somebody",
            "caller_id_num": person.exten if person else "5551234",
            "duration": seconds,
            "timestamp": int(time.time()) - 86400 * index,
            "empty": False,
            "transcription": {"text": "Hello, please call me back."} if index == 0 else None,
            "folder": folder,
            "tone_hz": 400 + 100 * index,
        }

    def voicemail_audio(self, message: dict[str, Any]) -> bytes:
        if "audio" in message:
            return bytes(message["audio"])
        return speech_like_wav(float(message["duration"]), float(message["tone_hz"]))

    # ------------------------------------------------------------------ tokens

    def new_token(self, user: User, seconds: int, client_id: str = "", mobile: bool = False) -> Token:
        self.expire_tokens()
        now = time.time()
        acl = ADMIN_ACL if user.account.admin else USER_ACL
        token = Token(str(uuid.uuid4()), user.uuid, str(uuid.uuid4()), acl, now, now + seconds, client_id, mobile)
        self.tokens[token.token] = token
        return token

    def token(self, text: str) -> Token | None:
        token = self.tokens.get(text)
        if token is None or token.expires_at <= time.time():
            return None
        return token

    def expire_tokens(self) -> None:
        now = time.time()
        for token in [t for t in self.tokens.values() if t.expires_at <= now]:
            self.drop_token(token.token)

    def drop_token(self, text: str) -> None:
        token = self.tokens.pop(text, None)
        if token is not None:
            self.bus.token_gone(text)
            self.bus.publish(
                "auth_session_deleted",
                {"uuid": token.session_uuid, "user_uuid": token.user_uuid, "tenant_uuid": self.tenant_uuid},
                [token.user_uuid],
                f"events.auth.sessions.{token.session_uuid}.deleted",
            )

    def sessions_of(self, user_uuid: str) -> list[Token]:
        return [token for token in self.tokens.values() if token.user_uuid == user_uuid]

    def warn_tokens(self) -> None:
        """Publish ``auth_session_expire_soon`` where due; called every now and then."""
        now = time.time()
        for token in list(self.tokens.values()):
            if not token.warned and token.expires_at - now < self.options.expire_soon_s:
                token.warned = True
                self.bus.publish(
                    "auth_session_expire_soon",
                    {"uuid": token.session_uuid, "user_uuid": token.user_uuid, "tenant_uuid": self.tenant_uuid},
                    [token.user_uuid],
                    f"events.auth.users.{token.user_uuid}.sessions.{token.session_uuid}.expire_soon",
                )
            if token.expires_at <= now:
                self.drop_token(token.token)

    # ------------------------------------------------------------------ presence

    def presence(self, uuid_: str) -> dict[str, Any] | None:
        """The chatd presence object of a user or of somebody of the directory."""
        user = self.users.get(uuid_)
        if user is None:
            person = next((p for p in self.people if p.uuid == uuid_), None)
            if person is None:
                return None
            state = ("available", "away", "unavailable")[person.id % 3]
            known = self.person_presence.get(uuid_, {})
            return {
                "uuid": uuid_, "tenant_uuid": self.tenant_uuid, "state": state, "status": "", "last_activity": None,
                "line_state": "available" if state != "unavailable" else "unavailable", "mobile": False,
                "do_not_disturb": False, "connected": state != "unavailable",
                "lines": [{"id": person.id, "state": "available"}], **known,
            }  # fmt: skip
        states = {line.id: self.line_states.get(line.id, "unavailable") for line in user.lines}
        order = ("ringing", "progressing", "holding", "talking", "available", "unavailable")
        return {
            "uuid": uuid_, "tenant_uuid": self.tenant_uuid, "state": user.presence, "status": user.status,
            "last_activity": user.last_activity,
            "line_state": min(states.values(), key=order.index, default="unavailable"),
            "mobile": any(token.mobile for token in self.sessions_of(uuid_)),
            "do_not_disturb": user.services["dnd"], "connected": self.bus.connected(uuid_),
            "lines": [{"id": id_, "state": state} for id_, state in states.items()],
        }  # fmt: skip

    def set_line_state(self, line_id: int, state: str, user: User) -> None:
        """State of a line: available, unavailable, ringing, progressing, talking or holding."""
        if self.line_states.get(line_id) != state:
            self.line_states[line_id] = state
            self.presence_changed(user.uuid)

    def presence_changed(self, uuid_: str) -> None:
        presence = self.presence(uuid_)
        if presence is not None:
            self.bus.publish("chatd_presence_updated", presence, None, f"events.chatd.users.{uuid_}.presences.updated")

    def set_presence(self, uuid_: str, state: str, status: str | None = None) -> None:
        user = self.users.get(uuid_)
        if user is not None:
            user.presence, user.last_activity = state, now_iso()
            user.status = user.status if status is None else status
        else:
            self.person_presence.setdefault(uuid_, {}).update(
                {"state": state} | ({"status": status} if status is not None else {})
            )
        self.presence_changed(uuid_)

    def set_dnd(self, user: User, enabled: bool) -> None:
        user.services["dnd"] = enabled
        self.user_event(user, "users_services_dnd_updated", {"enabled": enabled})
        self.presence_changed(user.uuid)

    def user_event(self, user: User, name: str, data: dict[str, Any]) -> None:
        full = {"user_id": user.id, "user_uuid": user.uuid, "tenant_uuid": self.tenant_uuid, **data}
        self.bus.publish(name, full, [user.uuid], f"events.users.{user.uuid}.{name}")

    # ------------------------------------------------------------------ switchboard

    def queue_switchboard(self, item: dict[str, Any]) -> None:
        """Somebody waits for the operators: ``id``, ``caller_id_name``, ``caller_id_number``."""
        self.switchboard["queued"].append(item)
        self.switchboard_changed("queued")

    def leave_switchboard(self, item: dict[str, Any]) -> None:
        for kind, items in self.switchboard.items():
            if item in items:
                items.remove(item)
                self.switchboard_changed(kind)

    def switchboard_changed(self, kind: str) -> None:
        uuid_ = self.switchboard_uuid
        data = {"switchboard_uuid": uuid_, "items": list(self.switchboard[kind]), "tenant_uuid": self.tenant_uuid}
        name = f"switchboard_{kind}_calls_updated"
        self.bus.publish(name, data, None, f"events.switchboards.{uuid_}.calls.{kind}.updated")

    # ------------------------------------------------------------------ chat

    def chat_room(self, users: Iterable[str], name: str = "") -> dict[str, Any]:
        """The room of exactly these people; made (and announced) when there is none."""
        wanted = set(users)
        for room in self.chat_rooms.values():
            if {member["uuid"] for member in room["users"]} == wanted:
                return room
        room = {
            "uuid": str(uuid.uuid4()), "tenant_uuid": self.tenant_uuid, "name": name or None,
            "users": [
                {"uuid": u, "tenant_uuid": self.tenant_uuid, "wazo_uuid": self.stack_uuid} for u in sorted(wanted)
            ],
        }  # fmt: skip
        self.chat_rooms[room["uuid"]] = room
        for member in wanted:
            self.bus.publish("chatd_user_room_created", room, [member], f"events.chatd.users.{member}.rooms.created")
        return room

    def chat(self, room: dict[str, Any], sender: str, content: str, alias: str = "") -> dict[str, Any]:
        message = {
            "uuid": str(uuid.uuid4()), "content": content, "alias": alias or self.name_of(sender), "user_uuid": sender,
            "tenant_uuid": self.tenant_uuid, "wazo_uuid": self.stack_uuid, "created_at": now_iso(),
            "room": {"uuid": room["uuid"]}, "delivery": {"type": "internal", "backend": None, "recipients": []},
        }  # fmt: skip
        self.chat_messages.append(message)
        del self.chat_messages[:-MAX_MESSAGES]
        for member in room["users"]:
            self.bus.publish(
                "chatd_user_room_message_created", message, [member["uuid"]],
                f"events.chatd.users.{member['uuid']}.rooms.{room['uuid']}.messages.created",
            )  # fmt: skip
        return message


def now_iso() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()


def utc(at: float) -> str:
    """As wazo-auth writes times: no zone."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).replace(tzinfo=None).isoformat()
