"""A Jitsi meeting: the I/O shell around :class:`app.vendors.jitsi.core.SessionCore`."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from app.calls import actions as ac
from app.calls import events as ev
from app.calls.model import Asked, CallPhase, Failure
from app.media import api as media
from app.media.errors import MediaError
from app.protocols.http import HttpClient, NetworkFailure
from app.protocols.xmpp.connection import ConnectionState, XmppConnection
from app.protocols.xmpp.sasl import Credentials
from app.vendors.base import ActionRefused, JoinFailed, JoinRequest
from app.vendors.jitsi import events as fx
from app.vendors.jitsi.config import JitsiConfig, with_query
from app.vendors.jitsi.core import SessionCore
from app.vendors.jitsi.errors import failure, network_failure
from app.vendors.jitsi.inputs import LocalInputs
from app.vendors.jitsi.login import (
    authenticate,
    connection_options,
    fetch_config,
    machine_uid,
    meeting_of,
    with_options,
)
from app.vendors.jitsi.options import core_options
from app.vendors.jitsi.probes import monitor_regions, rtt_monitor_options
from app.vendors.jitsi.shell_media import MediaShell

LEAVE_TIMEOUT_S = 2.0
"""Our own unavailable presence comes back within a round trip; leaving must not hang on a dead server."""
ACTION_TIMEOUT_S = 20.0
"""Every request of the core has a shorter timeout of its own; this one only guards against its errors."""
REJOIN_AGAIN_AFTER_S = 60.0
"""A second loss within this time of a rejoin means that rejoining does not help."""

log = logging.getLogger(__name__)


class JitsiSession:
    """Implements :class:`app.vendors.base.Session`. Make it on the signalling loop."""

    def __init__(self, request: JoinRequest, engine: media.MediaEngine, emit: Callable[[ev.CallEvent], None]) -> None:
        self._request = request
        self._engine = engine
        self._emit_out = emit
        self._token = request.token or request.address.token
        self._credentials: Credentials | None = None
        if request.user and request.user_password is not None:
            self._credentials = Credentials(request.user, request.user_password)
        self._http = HttpClient(request.trusted_certificates)
        self._config: JitsiConfig | None = None
        self._core: SessionCore | None = None
        self._connection: XmppConnection | None = None
        self._inputs = LocalInputs(request, engine, self._emit)
        self._media = MediaShell(engine, self._http, self._pump, silent=request.start_silent)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._entered: asyncio.Future[None] | None = None
        self._sign_in: asyncio.Future[Credentials] | None = None
        self._left = asyncio.Event()
        self._tickets: dict[int, asyncio.Future[Failure | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._final = False
        self._closing = False
        self._rejoined_at: float | None = None
        self._watching_regions = False
        self._unsubscribe: Callable[[], None] | None = None
        self._joining: asyncio.Future[None] | None = None
        self._cleaning: asyncio.Task[None] | None = None
        self._levels_at = 0.0

    @property
    def transport(self) -> media.Transport | None:
        return self._media.transport

    # ------------------------------------------------------------------ join

    async def join(self) -> None:
        self._emit(ev.PhaseChanged(CallPhase.CONNECTING))
        self._entered = asyncio.get_running_loop().create_future()
        self._unsubscribe = self._engine.subscribe(self._on_engine_event)
        work = self._joining = asyncio.ensure_future(self._enter())
        try:
            await asyncio.shield(work)
        except NetworkFailure as error:
            problem = self._network_problem(error)
            await self._end(CallPhase.FAILED, problem.message, problem)
            raise JoinFailed(problem) from error
        except JoinFailed:
            await self._cleanup()
            raise
        except asyncio.CancelledError:
            if not work.cancelled():
                # Our caller was cancelled, not the work by close().
                work.cancel()
                await self._end(CallPhase.ENDED, "cancelled", None)
                raise
            raise JoinFailed(failure("not_joined", "left while joining")) from None

    async def _enter(self) -> None:
        assert self._entered is not None
        await self._prepare()
        await self._connect()
        await self._entered

    def _network_problem(self, error: NetworkFailure) -> Failure:
        return network_failure(error, has_token=self._token is not None, signed_in=self._credentials is not None)

    async def _prepare(self) -> None:
        meeting = meeting_of(self._request.address)
        if meeting is None:
            raise NetworkFailure("bad_address", self._request.address.server)
        found = await fetch_config(self._http, meeting, self._request.options.get("config"))
        self._config = with_options(found, self._request.options)
        options = core_options(
            self._request, self._config, meeting, self._token, machine_uid(self._request), self._credentials is not None
        )
        self._core = SessionCore(options, _now_ms, _make_id)
        self._media.attach(self._core)

    async def _connect(self) -> None:
        """Connects, asking for a sign-in as often as the server wants one."""
        assert self._config is not None and self._core is not None
        room = self._core.ctx.options.room
        while True:
            options = connection_options(self._config, room, self._token, self._credentials, self._request.options)
            connection = XmppConnection(options, self._http, self._on_stanza, self._on_connection_state)
            self._connection = connection
            try:
                jid = await connection.connect()
            except NetworkFailure as error:
                await connection.close()
                if self._config.raw.get("missing") and error.code not in ("password_required", "not_authorized"):
                    raise NetworkFailure("http_404", "config.js") from error
                if error.code not in ("password_required", "not_authorized") or self._token is not None:
                    raise
                await self._ask_sign_in(self._network_problem(error), again=self._credentials is not None)
                continue
            self._core.connected(jid)
            self._pump()
            return

    async def _ask_sign_in(self, problem: Failure, *, again: bool) -> None:
        self._sign_in = asyncio.get_running_loop().create_future()
        self._emit(ev.InputAsked(Asked.SIGN_IN, problem if again else None))
        try:
            self._credentials = await self._sign_in
        finally:
            self._sign_in = None
        self._emit(ev.PhaseChanged(CallPhase.CONNECTING))

    # ------------------------------------------------------------------ actions

    async def perform(self, action: ac.Action) -> None:
        if isinstance(action, ac.Leave):
            await self._leave(action.reason)
            return
        if isinstance(action, ac.SignIn) and self._sign_in is not None and not self._sign_in.done():
            self._sign_in.set_result(Credentials(action.user, action.password))
            return
        core = self._core
        if core is None or self._final:
            raise ActionRefused(failure("not_joined"))
        match action:
            case ac.SetMicrophone(muted=False):
                core.actions.check("SetMicrophone")
                await self._inputs.open_microphone()
                await self._perform(core, action)
            case ac.SetCamera(muted=False):
                await self._unmute_camera(core, action)
            case ac.SetCamera(muted=True):
                await self._perform(core, action)
                await self._inputs.close_camera()
            case ac.ShareScreen():
                await self._share(core, action)
            case ac.SelectDevices():
                core.actions.check("SelectDevices")
                await self._inputs.select(action)
            case ac.SetParticipantVolume():
                core.actions.check("SetParticipantVolume")
                self._media.set_volume(action.participant_id, action.volume)
            case ac.SendFeedback():
                log.info("meeting rated %d of 5", action.overall)
            case _:
                await self._perform(core, action)

    async def _perform(self, core: SessionCore, action: ac.Action) -> None:
        ticket = core.perform(action)
        if ticket is None:
            self._pump()
            return
        outcome: asyncio.Future[Failure | None] = asyncio.get_running_loop().create_future()
        self._tickets[ticket] = outcome
        self._pump()
        try:
            async with asyncio.timeout(ACTION_TIMEOUT_S):
                problem = await outcome
        except TimeoutError:
            problem = failure("no_answer")
        finally:
            self._tickets.pop(ticket, None)
        if problem is not None:
            raise ActionRefused(problem)

    async def _unmute_camera(self, core: SessionCore, action: ac.SetCamera) -> None:
        core.actions.check("SetCamera")
        await self._inputs.open_camera()
        try:
            await self._perform(core, action)
        except ActionRefused:
            await self._inputs.close_camera()
            raise

    async def _share(self, core: SessionCore, action: ac.ShareScreen) -> None:
        core.actions.check("ShareScreen")
        if action.source is None:
            await self._perform(core, action)
            await self._inputs.close_screen()
            return
        await self._inputs.open_screen(action.source, action.optimise_for)
        try:
            await self._perform(core, action)
        except ActionRefused:
            await self._inputs.close_screen()
            raise

    # ------------------------------------------------------------------ leaving

    async def close(self) -> None:
        await self._leave("")

    async def _leave(self, reason: str) -> None:
        if self._final:
            await self._cleanup()
            return
        self._closing = True
        self._emit(ev.PhaseChanged(CallPhase.LEAVING))
        core = self._core
        if core is not None and self._connection is not None and self._connection.jid:
            core.leave(reason)
            self._pump()
            try:
                async with asyncio.timeout(LEAVE_TIMEOUT_S):
                    await self._left.wait()
            except TimeoutError:
                log.info("the server did not confirm that we left")
        await self._end(CallPhase.ENDED, "left", None)

    async def _end(self, phase: CallPhase, reason: str, problem: Failure | None) -> None:
        self._announce_end(phase, reason, problem)
        await self._cleanup()

    def _announce_end(self, phase: CallPhase, reason: str, problem: Failure | None) -> None:
        if self._final:
            return
        self._final = True
        self._emit_out(ev.PhaseChanged(phase, reason, problem))
        entered = self._entered
        if entered is not None and not entered.done():
            entered.set_exception(JoinFailed(problem or failure("not_joined", reason)))
            # Nobody may be waiting any more (close() during join); the exception is then not an error.
            entered.exception()
        for outcome in self._tickets.values():
            if not outcome.done():
                outcome.set_result(problem or failure("not_joined"))

    async def _cleanup(self) -> None:
        """Gives back everything, once; each part is bounded in time."""
        if self._cleaning is None:
            self._closing = True
            self._cleaning = asyncio.ensure_future(self._clean())
        await asyncio.shield(self._cleaning)

    async def _clean(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._joining is not None and not self._joining.done():
            self._joining.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._media.close()
        try:
            await self._inputs.close()
        except MediaError as error:
            log.warning("closing devices: %s", error)
        if self._connection is not None:
            await self._connection.close()
        await self._http.close()

    # ------------------------------------------------------------------ the core's requests

    def _emit(self, event: ev.CallEvent) -> None:
        if not self._final:
            self._emit_out(event)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("session task failed", exc_info=task.exception())

    def _pump(self) -> None:
        core = self._core
        if core is None:
            return
        while effects := core.take_effects():
            for effect in effects:
                self._carry_out(core, effect)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = core.ctx.next_due()
        if due is not None and not self._final:
            delay = max(0.0, (due - _now_ms()) / 1000)
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._core is not None:
            self._core.tick()
            self._pump()

    def _carry_out(self, core: SessionCore, effect: fx.Effect) -> None:
        match effect:
            case fx.Send():
                if self._connection is not None:
                    self._connection.send(effect.stanza)
            case fx.Emit():
                self._emit(effect.event)
            case fx.Entered():
                self._on_entered()
            case fx.Finish():
                self._on_finish(effect)
            case fx.ActionDone():
                outcome = self._tickets.get(effect.ticket)
                if outcome is not None and not outcome.done():
                    outcome.set_result(effect.failure)
            case fx.ReleaseInput():
                self._spawn(self._release(effect.what))
            case fx.PostConference():
                self._spawn(self._post_conference(core, effect))
            case fx.Authenticate():
                self._spawn(self._authenticate(core, effect))
            case _:
                self._media.carry_out(effect)

    def _on_entered(self) -> None:
        if self._entered is not None and not self._entered.done():
            self._entered.set_result(None)
        self._spawn(self._open_inputs())
        self._watch_regions()

    def _watch_regions(self) -> None:
        """Measures the way to the deployment's regions, if it asks for that and the person lets it."""
        assert self._config is not None
        allowed = not self._request.options.get("disableThirdPartyRequests", True)
        host = urlsplit(self._request.address.url).hostname or ""
        options = rtt_monitor_options(self._config.raw, host, third_parties=allowed)
        if options is not None and not self._watching_regions:
            self._watching_regions = True
            self._spawn(monitor_regions(options, lambda found: self._emit(ev.MeetingInfoChanged(details=found))))

    async def _open_inputs(self) -> None:
        """Opens what is not muted. A device that fails leaves us muted, not outside."""
        core = self._core
        if core is None:
            return
        if not core.ctx.local.microphone_muted:
            try:
                await self._inputs.open_microphone()
            except ActionRefused:
                await self._mute_quietly(core, ac.SetMicrophone(True))
        if not core.ctx.local.camera_muted:
            try:
                await self._inputs.open_camera()
            except ActionRefused:
                await self._mute_quietly(core, ac.SetCamera(True))

    async def _mute_quietly(self, core: SessionCore, action: ac.Action) -> None:
        try:
            await self._perform(core, action)
        except ActionRefused as refused:
            log.info("not muted: %s", refused.failure.code)

    async def _release(self, what: str) -> None:
        if what == "camera":
            await self._inputs.close_camera()
        elif what == "screen":
            await self._inputs.close_screen()

    def _on_finish(self, effect: fx.Finish) -> None:
        self._left.set()
        if self._closing:
            return
        self._announce_end(effect.phase, effect.reason, effect.failure)
        self._spawn(self._cleanup())

    async def _post_conference(self, core: SessionCore, effect: fx.PostConference) -> None:
        assert self._config is not None
        url = with_query(self._config.conference_request_url, {"room": core.ctx.options.room})
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            response = await self._http.request("POST", url, json_body=dict(effect.body), headers=headers)
            core.joining.conference_response(response.status, response.text[:2000], response.json())
        except NetworkFailure as error:
            core.joining.conference_response(error.status, error.code, None)
        self._pump()

    async def _authenticate(self, core: SessionCore, effect: fx.Authenticate) -> None:
        assert self._config is not None
        credentials = Credentials(effect.user, effect.password)
        room = core.ctx.options.room
        options = connection_options(self._config, room, None, credentials, self._request.options)
        try:
            session_id = await authenticate(self._http, options, self._config.focus, effect.request)
            core.joining.authenticated(session_id, None)
        except NetworkFailure as error:
            core.joining.authenticated(None, network_failure(error, signed_in=True))
        self._pump()

    # ------------------------------------------------------------------ the connection

    def _on_stanza(self, stanza: Any) -> None:
        if self._core is not None:
            self._core.stanza(stanza)
            self._pump()

    def _on_connection_state(self, state: ConnectionState) -> None:
        core = self._core
        if core is None or self._final or self._closing:
            return
        if state.state == "interrupted":
            if core.ctx.local.joined:
                self._emit(ev.PhaseChanged(CallPhase.RECONNECTING, "network"))
        elif state.state == "resumed":
            if core.ctx.local.joined:
                self._emit(ev.PhaseChanged(CallPhase.JOINED))
        elif state.state == "moved":
            self._emit(ev.Notice("shard_changed", failure("shard_changed").message, "warning"))
        elif state.state == "lost":
            self._spawn(self._on_lost(core, state.failure or NetworkFailure("closed")))

    async def _on_lost(self, core: SessionCore, reason: NetworkFailure) -> None:
        """The stream cannot be resumed: join once more with the same name and inputs."""
        log.info("connection lost: %s", reason.code)
        now = time.monotonic()
        recently = self._rejoined_at is not None and now - self._rejoined_at < REJOIN_AGAIN_AFTER_S
        was_joined = core.ctx.local.joined
        if not was_joined or recently:
            problem = failure("connection_dropped", f"{reason.code} {reason.details}".strip())
            if reason.status >= 500:
                problem = failure("server_error", f"HTTP {reason.status}")
            self._announce_end(CallPhase.FAILED, problem.message, problem)
            await self._cleanup()
            return
        self._rejoined_at = now
        self._emit(ev.PhaseChanged(CallPhase.RECONNECTING, "rejoin"))
        old, self._connection = self._connection, None
        core.disconnected()
        self._pump()
        if old is not None:
            await old.close()
        try:
            await self._connect()
        except NetworkFailure as error:
            problem = failure("connection_dropped", f"{error.code} {error.details}".strip())
            self._announce_end(CallPhase.FAILED, problem.message, problem)
            await self._cleanup()

    # ------------------------------------------------------------------ the engine's inputs

    def _on_engine_event(self, event: media.EngineEvent) -> None:
        core = self._core
        if core is None or self._final or not core.ctx.local.joined:
            return
        match event:
            case media.LocalAudioLevel():
                self._on_own_level(event.level)
            case media.MicrophoneHint():
                if event.code != "talking_while_muted" or core.ctx.local.microphone_muted:
                    self._emit(ev.AudioInputHint(event.code))
            case media.InputFailed():
                self._on_input_failed(core, event)

    def _on_own_level(self, level: float) -> None:
        now = time.monotonic()
        if now - self._levels_at >= 0.2:
            self._levels_at = now
            self._emit(ev.LocalMediaChanged(audio_level=level))

    def _on_input_failed(self, core: SessionCore, event: media.InputFailed) -> None:
        in_use = {
            "microphone": self._inputs.microphone_open,
            "camera": self._inputs.camera_open,
            "screen": self._inputs.screen_open,
        }
        if not in_use.get(event.what, False):
            return
        self._inputs.device_failed(event.what, event.code, event.message)
        if event.what == "camera":
            self._spawn(self._mute_quietly(core, ac.SetCamera(True)))
        elif event.what == "screen":
            self._spawn(self._mute_quietly(core, ac.ShareScreen(None)))

    def drop_connection(self) -> None:
        """For tests: cut the socket as a lost network does."""
        if self._connection is not None:
            self._connection.drop()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _make_id() -> str:
    return secrets.token_hex(16)
