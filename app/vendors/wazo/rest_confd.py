"""wazo-confd: the own user, lines and their SIP settings, forwards, do-not-disturb, meetings (wazo.md 3, 5.7, 7.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app.calls.accounts import Forward, Line, Room
from app.calls.text import clean_name
from app.vendors.wazo.wire import CONFD, RestRequest, items, parameters, path, read

FORWARD_KINDS = ("unconditional", "busy", "noanswer")
VIDEO_CODECS = frozenset({"vp8", "vp9", "h264"})
MAX_LINES = 16


class _Extension(msgspec.Struct):
    exten: str = ""
    context: str = ""


class _Line(msgspec.Struct):
    id: str
    name: str = ""
    context: str = ""
    is_webrtc: bool | None = None
    extensions: tuple[_Extension, ...] = ()
    endpoint_sccp: dict[str, Any] | None = None
    endpoint_custom: dict[str, Any] | None = None


class _Forward(msgspec.Struct):
    enabled: bool = False
    destination: str = ""


class _Service(msgspec.Struct):
    enabled: bool = False


class _Services(msgspec.Struct):
    dnd: _Service = msgspec.field(default_factory=_Service)


class _Named(msgspec.Struct):
    id: str = ""
    uuid: str = ""
    name: str = ""
    number: str = ""


class _User(msgspec.Struct):
    uuid: str = ""
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    username: str = ""
    language: str = ""
    mobile_phone_number: str = ""
    subscription_type: int | None = None
    online_call_record_enabled: bool | None = None
    lines: tuple[_Line, ...] = ()
    forwards: dict[str, Any] = msgspec.field(default_factory=dict)
    services: _Services = msgspec.field(default_factory=_Services)
    voicemail: _Named | None = None
    agent: _Named | None = None
    switchboards: tuple[_Named, ...] = ()


@dataclass(frozen=True, slots=True)
class UserLine:
    """A line as the user has it, before its SIP settings are known."""

    id: str
    name: str
    number: str
    context: str
    is_webrtc: bool | None
    is_sip: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """The own user. ``subscription_type`` is ``None`` when the server does not say."""

    uuid: str
    name: str
    email: str = ""
    mobile: str = ""
    subscription_type: int | None = None
    recording: bool = False
    lines: tuple[UserLine, ...] = ()
    forwards: tuple[Forward, ...] = ()
    do_not_disturb: bool = False
    voicemail_id: str = ""
    agent_id: str = ""
    agent_number: str = ""
    switchboards: tuple[tuple[str, str], ...] = ()
    """Id and name."""


@dataclass(frozen=True, slots=True)
class SipLine:
    """What one needs to register a line."""

    line: UserLine
    username: str
    password: str = field(repr=False)
    webrtc: bool = False
    video: bool = False
    rooms: bool = False
    codecs: tuple[str, ...] = ()

    def value(self) -> Line:
        return Line(
            self.line.id,
            clean_name(self.line.name) or self.line.number,
            self.line.number,
            self.webrtc,
            self.video,
            self.rooms,
        )


def get_user(uuid: str) -> RestRequest:
    return RestRequest("GET", path(CONFD, "users", uuid))


def get_infos() -> RestRequest:
    return RestRequest("GET", f"{CONFD}/infos")


def get_line_sip(user: str, line: str) -> RestRequest:
    where = path(CONFD, "users", user, "lines", line, "associated", "endpoints", "sip")
    return RestRequest("GET", where, query=parameters(view="merged"))


def parse_profile(body: Any, uuid: str) -> Profile | None:
    user = read(_User, body)
    if user is None:
        return None
    name = clean_name(" ".join(part for part in (user.firstname, user.lastname) if part))
    forwards = []
    for kind in FORWARD_KINDS:
        found = read(_Forward, user.forwards.get(kind)) or _Forward()
        forwards.append(Forward(kind, found.enabled, found.destination))
    return Profile(
        user.uuid or uuid,
        name or clean_name(user.username),
        user.email,
        user.mobile_phone_number,
        user.subscription_type,
        user.online_call_record_enabled is not False,
        tuple(_user_line(line) for line in user.lines[:MAX_LINES]),
        tuple(forwards),
        user.services.dnd.enabled,
        user.voicemail.id if user.voicemail else "",
        user.agent.id if user.agent else "",
        user.agent.number if user.agent else "",
        tuple((board.uuid or board.id, clean_name(board.name)) for board in user.switchboards),
    )


def _user_line(line: _Line) -> UserLine:
    extension = line.extensions[0] if line.extensions else _Extension()
    is_sip = line.endpoint_sccp is None and line.endpoint_custom is None
    return UserLine(line.id, line.name, extension.exten, extension.context or line.context, line.is_webrtc, is_sip)


def parse_version(body: Any) -> str:
    version = body.get("wazo_version") if isinstance(body, dict) else None
    return version[:32] if isinstance(version, str) else ""


def version_at_least(version: str, wanted: str) -> bool:
    """Versions are ``YY.NN``, compared part by part; an unknown one counts as new."""
    try:
        return [int(p) for p in version.split(".")] >= [int(p) for p in wanted.split(".")]
    except ValueError:
        return True


def parse_line_sip(body: Any, line: UserLine) -> SipLine | None:
    """Options of the merged view, where the last value of a key wins; also the flat form of engines before 20.13."""
    if not isinstance(body, dict):
        return None
    auth = _options(body.get("auth_section_options"))
    endpoint = _options(body.get("endpoint_section_options")) or _options(body.get("options"))
    username = auth.get("username") or _string(body.get("username"))
    password = auth.get("password") or _string(body.get("secret"))
    if not username:
        return None
    codecs = tuple(part.strip().lower() for part in endpoint.get("allow", "").split(",") if part.strip())
    return SipLine(
        line,
        username,
        password,
        endpoint.get("webrtc") == "yes",
        bool(VIDEO_CODECS & set(codecs)),
        _number(endpoint.get("max_audio_streams")) > 0 and _number(endpoint.get("max_video_streams")) > 1,
        tuple(codec for codec in codecs if not codec.startswith("!")),
    )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: str | None) -> int:
    try:
        return int(value or 0)
    except ValueError:
        return 0


def _options(raw: Any) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in raw if isinstance(raw, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair):
            key, value = pair
            # PJSIP adds up several "allow" lines; everything else is replaced.
            out[key] = f"{out[key]},{value}" if key == "allow" and key in out else value
    return out


# ---------------------------------------------------------------- settings of the user


def set_forward(user: str, forward: Forward) -> RestRequest:
    body = {"destination": forward.destination or None, "enabled": forward.enabled}
    return RestRequest("PUT", path(CONFD, "users", user, "forwards", forward.kind), body=body)


def set_do_not_disturb(user: str, enabled: bool) -> RestRequest:
    return RestRequest("PUT", path(CONFD, "users", user, "services", "dnd"), body={"enabled": enabled})


def update_user(user: str, body: Mapping[str, Any]) -> RestRequest:
    return RestRequest("PUT", path(CONFD, "users", user), body=dict(body))


def list_users(search: str = "", offset: int = 0, limit: int = 50) -> RestRequest:
    query = parameters(search=search, offset=offset or None, limit=limit)
    return RestRequest("GET", f"{CONFD}/users", query=query)


def list_applications(search: str = "", offset: int = 0, limit: int = 50) -> RestRequest:
    query = parameters(search=search, offset=offset or None, limit=limit)
    return RestRequest("GET", f"{CONFD}/applications", query=query)


def external_apps(user: str, name: str = "") -> RestRequest:
    parts = ("users", user, "external", "apps")
    return RestRequest("GET", path(CONFD, *parts, *((name,) if name else ())))


def outgoing_caller_ids(user: str) -> RestRequest:
    return RestRequest("GET", path(CONFD, "users", user, "callerids", "outgoing"))


# ---------------------------------------------------------------- meetings


class _Meeting(msgspec.Struct):
    uuid: str
    name: str = ""
    exten: str = ""
    ingress_http_uri: str = ""
    owner_uuids: tuple[str, ...] = ()
    persistent: bool = False
    require_authorization: bool = False
    guest_sip_authorization: str = ""


@dataclass(frozen=True, slots=True)
class Meeting:
    """``sip_authorization`` is base64 of ``user:password`` for guests, empty when authorization is required."""

    uuid: str
    name: str
    exten: str = ""
    link: str = ""
    owners: tuple[str, ...] = ()
    persistent: bool = False
    require_authorization: bool = False
    sip_authorization: str = field(default="", repr=False)


def list_meetings() -> RestRequest:
    return RestRequest("GET", f"{CONFD}/users/me/meetings")


def get_meeting(uuid: str) -> RestRequest:
    return RestRequest("GET", path(f"{CONFD}/users/me/meetings", uuid))


def save_meeting(name: str, uuid: str = "", *, persistent: bool, require_authorization: bool) -> RestRequest:
    body = {"name": name, "persistent": persistent, "require_authorization": require_authorization}
    if uuid:
        return RestRequest("PUT", path(f"{CONFD}/users/me/meetings", uuid), body=body)
    return RestRequest("POST", f"{CONFD}/users/me/meetings", body=body)


def delete_meeting(uuid: str) -> RestRequest:
    return RestRequest("DELETE", path(f"{CONFD}/users/me/meetings", uuid))


def parse_meeting(body: Any) -> Meeting | None:
    meeting = read(_Meeting, body)
    return _meeting(meeting) if meeting else None


def parse_meetings(body: Any) -> tuple[Meeting, ...]:
    return tuple(_meeting(meeting) for meeting in items(body, _Meeting))


def _meeting(raw: _Meeting) -> Meeting:
    return Meeting(
        raw.uuid,
        clean_name(raw.name),
        raw.exten,
        raw.ingress_http_uri,
        raw.owner_uuids,
        raw.persistent,
        raw.require_authorization,
        raw.guest_sip_authorization,
    )


def meeting_room(meeting: Meeting, user: str) -> Room:
    return Room(
        meeting.uuid,
        meeting.name,
        meeting.exten or f"wazo-meeting-{meeting.uuid}",
        "meeting",
        meeting.link,
        meeting.require_authorization,
        user in meeting.owners,
    )


def get_guest_meeting(uuid: str) -> RestRequest:
    return RestRequest("GET", path(f"{CONFD}/guests/me/meetings", uuid), authenticated=False)


def ask_admission(guest: str, meeting: str, name: str) -> RestRequest:
    """A guest asks to be let in; *guest* is a UUID of the guest's own making."""
    where = path(f"{CONFD}/guests", guest, "meetings", meeting, "authorizations")
    return RestRequest("POST", where, body={"guest_name": name}, authenticated=False)


def get_admission(guest: str, meeting: str, authorization: str) -> RestRequest:
    where = path(f"{CONFD}/guests", guest, "meetings", meeting, "authorizations", authorization)
    return RestRequest("GET", where, authenticated=False)


def list_admissions(meeting: str) -> RestRequest:
    return RestRequest("GET", path(f"{CONFD}/users/me/meetings", meeting, "authorizations"))


def decide_admission(meeting: str, authorization: str, accept: bool) -> RestRequest:
    decision = "accept" if accept else "reject"
    return RestRequest("PUT", path(f"{CONFD}/users/me/meetings", meeting, "authorizations", authorization, decision))
