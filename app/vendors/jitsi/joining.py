"""The way into a conference: ask the focus, enter the room, and what to do when either says no (jitsi.md 3 and 4.7)."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from app.calls import events as ev
from app.calls.model import Asked, CallPhase, Failure
from app.protocols.xmpp.jid import Jid
from app.protocols.xmpp.stanza import StanzaError
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.errors import conference_failure, failure, join_failure
from app.vendors.jitsi.media_session import MediaSession
from app.vendors.jitsi.presence import LocalPresence
from app.vendors.jitsi.state import Context
from app.vendors.jitsi.wire import (
    ConferenceReply,
    build_conference_request,
    parse_conference_json,
    parse_conference_reply,
    reservation_code,
)

REQUEST_TIMEOUT_MS = 15_000
JOIN_TIMEOUT_MS = 15_000
"""The server holds our presence until the focus has entered the room."""
NOT_READY_DELAYS_MS = (1_000, 2_000, 4_000, 8_000, 16_000)
RETRY_DELAYS_MS = (1_000, 2_000, 4_000)
MAX_CREATION_RETRIES = 3
_HEX_NICK = re.compile(r"[0-9a-f]{8}")


class Joining:
    """State of the attempt. What ends it is an effect: ``Entered``, ``Finish``, or a question to the person."""

    def __init__(self, ctx: Context, presence: LocalPresence, media: MediaSession) -> None:
        self._ctx = ctx
        self._presence = presence
        self._media = media
        self.password = ctx.options.password
        self.waiting_for: Asked | None = None
        self.presence_sent = False
        self._session_id = ""
        self._not_ready = 0
        self._failures = 0
        self._creation_retries = 0
        self._nick_changes = 0
        self._attempt = 0
        self._sign_in_tried = False
        self._again = False

    def start(self) -> None:
        """A new stream is bound."""
        ctx = self._ctx
        self.presence_sent = False
        self._not_ready = self._failures = self._creation_retries = self._nick_changes = 0
        if not ctx.nick:
            ctx.nick = self._choose_nick()
        self._request()

    def _node_nick(self) -> str | None:
        node = Jid.parse(self._ctx.jid).node[:8]
        return node if _HEX_NICK.fullmatch(node) else None

    def _choose_nick(self) -> str:
        """Bridges need hexadecimal endpoint ids; strict servers need the start of an anonymous node."""
        own = None if self._ctx.options.signed_in else self._node_nick()
        return own or self._random_nick()

    def _random_nick(self) -> str:
        return re.sub(r"[^0-9a-f]", "", self._ctx.make_id().lower()).ljust(8, "0")[-8:]

    def fail(self, problem: Failure) -> None:
        self._attempt += 1
        self._ctx.effect(fx.Finish(CallPhase.FAILED, problem.message, problem))

    def _ask_person(self, what: Asked, problem: Failure | None) -> None:
        self._attempt += 1
        self.waiting_for = what
        self._ctx.emit(ev.InputAsked(what, problem))

    # ------------------------------------------------------------------ the focus

    def request_again(self) -> None:
        """The focus left while we are in the room: ask for one again."""
        self._again = True
        self._request()

    def request_element(self) -> Element:
        ctx, config = self._ctx, self._ctx.config
        properties = {"rtcstatsEnabled": "false"}
        if config.start_audio_muted is not None:
            properties["startAudioMuted"] = str(config.start_audio_muted)
        if config.start_video_muted is not None:
            properties["startVideoMuted"] = str(config.start_video_muted)
        return build_conference_request(
            ctx.room_jid, ctx.options.machine_uid, properties, self._session_id, ctx.options.token
        )

    def _request(self) -> None:
        ctx, config = self._ctx, self._ctx.config
        if not config.conference_request_url:
            ctx.ask("set", config.focus, self.request_element(), self._on_reply, REQUEST_TIMEOUT_MS)
            return
        element = self.request_element()
        properties = {p.get("name", ""): p.get("value", "") for p in element}
        body: dict[str, Any] = {
            "room": ctx.room_jid,
            "machineUid": ctx.options.machine_uid,
            "properties": properties,
        }
        if self._session_id:
            body["sessionId"] = self._session_id
        ctx.effect(fx.PostConference(body))

    def conference_response(self, status: int, text: str, data: Any) -> None:
        """Answer of the HTTP variant; status 0 means that there was none."""
        if status == 200:
            reply = parse_conference_json(data)
            if reply is not None:
                self._on_conference(reply)
                return
        if status == 403:
            self._refused_request(StanzaError("auth", "not-authorized"), "")
        elif status == 400 and "invalid-session" in text:
            self._refused_request(StanzaError("modify", "not-acceptable", details=(("", "session-invalid"),)), "")
        else:
            self._refused_request(StanzaError("wait", "service-unavailable", f"HTTP {status}"), "")

    def _on_reply(self, result: Element | None, error: StanzaError | None) -> None:
        if error is not None or result is None:
            self._refused_request(error or StanzaError("cancel", "undefined-condition"), "")
            return
        reply = parse_conference_reply(result)
        if reply is None:
            self._refused_request(StanzaError("cancel", "undefined-condition"), reservation_code(result))
        else:
            self._on_conference(reply)

    def _on_conference(self, reply: ConferenceReply) -> None:
        ctx = self._ctx
        if reply.focus_jid:
            self._media.trusted_focus.add(reply.focus_jid)
        if ctx.config.focus_user_jid:
            self._media.trusted_focus.add(ctx.config.focus_user_jid)
        if not self._media.trusted_focus:
            self._media.trusted_focus.add(f"focus@auth.{ctx.config.domain}")
        if reply.session_id:
            self._session_id = reply.session_id
        ctx.emit(ev.MeetingInfoChanged(auth_enabled=reply.authentication, auth_identity=reply.identity))
        if self._again:
            self._again = False
            return
        if not reply.live:
            self.fail(failure("not_live"))
        elif reply.ready:
            self._enter()
        elif self._not_ready >= len(NOT_READY_DELAYS_MS):
            self.fail(failure("conference_request_failed", "the conference never became ready"))
        else:
            self._not_ready += 1
            ctx.after(NOT_READY_DELAYS_MS[self._not_ready - 1], self._request)

    def _refused_request(self, error: StanzaError, code: str) -> None:
        ctx = self._ctx
        if self._again:
            self._again = False
            return
        problem = conference_failure(error, code)
        if problem.code == "authentication_required":
            shown = failure("sign_in_failed", problem.details) if self._sign_in_tried else problem
            self._ask_person(Asked.SIGN_IN, shown)
        elif problem.code in ("reservation_error", "graceful_shutdown"):
            self.fail(problem)
        elif self._failures < len(RETRY_DELAYS_MS):
            if error.has("session-invalid"):
                self._session_id = ""
            self._failures += 1
            ctx.after(RETRY_DELAYS_MS[self._failures - 1], self._request)
        else:
            self.fail(problem)

    # ------------------------------------------------------------------ sign-in

    def sign_in(self, user: str, password: str) -> None:
        self.waiting_for = None
        self._sign_in_tried = True
        self._ctx.effect(fx.Authenticate(user, password, self.request_element()))

    def authenticated(self, session_id: str | None, problem: Failure | None) -> None:
        """Outcome of the second login (jitsi.md 3.3)."""
        if session_id is None:
            self._ask_person(Asked.SIGN_IN, problem or failure("sign_in_failed"))
            return
        self._session_id = session_id
        self._failures = 0
        self._request()

    # ------------------------------------------------------------------ the room

    def _enter(self) -> None:
        ctx = self._ctx
        self._attempt += 1
        attempt = self._attempt
        self.presence_sent = True
        ctx.send(self._presence.join(self.password, http_request=bool(ctx.config.conference_request_url)))
        ctx.after(JOIN_TIMEOUT_MS, lambda: self._timed_out(attempt))

    def _timed_out(self, attempt: int) -> None:
        if attempt == self._attempt and not self._ctx.local.joined:
            self.fail(failure("setup_failed", "the room did not answer"))

    def entered(self) -> None:
        self._attempt += 1
        self.waiting_for = None
        self._creation_retries = 0

    def refused(self, error: StanzaError, _stanza: Element) -> None:
        """An error presence for our join."""
        ctx = self._ctx
        guest = bool(ctx.config.anonymous_domain) and Jid.parse(ctx.jid).domain == ctx.config.anonymous_domain.lower()
        problem = join_failure(error, tried_password=self.password is not None, is_guest_domain=guest)
        code = problem.code
        if code in ("password_required", "password_wrong"):
            self._ask_person(Asked.ROOM_PASSWORD, problem if code == "password_wrong" else None)
        elif code == "display_name_required":
            self._ask_person(Asked.DISPLAY_NAME, None)
        elif code == "room_creation_restricted" and self._creation_retries < MAX_CREATION_RETRIES:
            self._creation_retries += 1
            self._attempt += 1
            ctx.after(RETRY_DELAYS_MS[self._creation_retries - 1], self._request)
        elif self._nick_changes == 0 and self._must_change_nick(error):
            self._nick_changes += 1
            node = Jid.parse(ctx.jid).node[:8]
            ctx.nick = (self._node_nick() or node) if "anonymous" in error.text.lower() else self._random_nick()
            self._enter()
        else:
            self.fail(problem)

    def _must_change_nick(self, error: StanzaError) -> bool:
        return error.condition == "conflict" or "invalid anonymous user id" in error.text.lower()

    def submit_password(self, password: str) -> None:
        self.waiting_for = None
        self.password = password
        self._request()

    def submit_name(self, name: str) -> None:
        self.waiting_for = None
        self._ctx.local.display_name = name
        self._request()
