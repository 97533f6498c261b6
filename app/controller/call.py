"""One call: its session, the task that joins, and the state that its events add up to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from app.calls import events as ev
from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState, Capability, Failure, MediaKind, SourceContent, frozen_map
from app.calls.phone import Direction, PhoneChanged, PhoneInfo, Transfer
from app.calls.reducer import reduce
from app.calls.selectors import is_over
from app.controller.api import JoinOptions
from app.controller.refusals import INTERNAL, UNKNOWN_VENDOR
from app.vendors.base import ActionRefused, Address, JoinFailed, Session

log = logging.getLogger(__name__)

LEAVE_TIMEOUT_S = 5.0
"""A goodbye takes a round trip; a server that does not answer must not keep the person waiting."""

LOCAL_ACTIONS = frozenset({"MarkMessagesRead", "SelectDevices", "SetParticipantVolume", "SendFeedback", "Leave"})
"""Actions that need no server: always possible, whatever the session publishes."""

Listener = Callable[["Call", CallState, CallEvent], None]
Open = Callable[[], Awaitable[Session]]
"""Makes the session of a call; raises ``LookupError`` for a vendor that is not there."""


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True, slots=True)
class PhoneSide:
    """What makes a call one of an account's phone, and what to dial again."""

    account_id: str
    target: str = ""
    """What was dialled; empty for incoming calls."""
    incoming: bool = False
    video: bool = False
    room: bool = False
    replaces_call_id: str = ""
    """Our call that this one consults for."""


class Call:
    """Lives on the signalling loop. ``state`` changes only in :meth:`emit`."""

    def __init__(
        self,
        call_id: str,
        address: Address,
        options: JoinOptions,
        listener: Listener,
        phone: PhoneSide | None = None,
    ) -> None:
        self.call_id = call_id
        self.address = address
        self.options = options
        self.state = CallState(call_id, vendor=address.vendor, address=address.text, room=address.room)
        self.phone = phone
        self.transfer: Transfer | None = None
        """A consultation that the controller conducts; shown instead of what the session says."""
        self.silenced = False
        """The person does not want to hear this incoming call ring."""
        self.session: Session | None = None
        self.volumes: dict[str, float] = {}
        self.started_at = now_ms()
        self.finished = asyncio.Event()
        """Set once the session is closed and its devices are released."""
        self.refusals: Callable[[], Mapping[str, Capability]] = dict
        """Actions that the person's own settings forbid now."""
        self._capabilities: Mapping[str, Capability] = {}
        self._listener = listener
        self._joining: asyncio.Task[None] | None = None
        self._leaving = False
        self._phone_info: PhoneInfo | None = None
        if phone is not None:
            direction = Direction.INCOMING if phone.incoming else Direction.OUTGOING
            self._phone_info = PhoneInfo(direction, phone.account_id, remote_number=phone.target, video=phone.video)
            self.state = replace(self.state, phone=self._phone_info)

    @property
    def is_over(self) -> bool:
        return is_over(self.state)

    # ------------------------------------------------------------ events

    def emit(self, event: CallEvent) -> None:
        """Fold *event* into the state and tell the controller; sessions call this on the signalling loop."""
        if self.is_over:
            return
        if isinstance(event, ev.CapabilitiesChanged):
            event = self._with_local_capabilities(event)
        elif isinstance(event, PhoneChanged) and self.phone is not None:
            event = self._with_own_side(self.phone, event)
        before, self.state = self.state, reduce(self.state, event)
        if isinstance(event, ev.PhaseChanged) and self.state is before:
            return  # controller and session both announce where joining and leaving stand
        self._follow(event)
        self._listener(self, self.state, event)

    def _with_local_capabilities(self, event: ev.CapabilitiesChanged) -> ev.CapabilitiesChanged:
        self._capabilities = event.capabilities
        local = {name: Capability(allowed=True) for name in LOCAL_ACTIONS}
        return ev.CapabilitiesChanged(frozen_map({**event.capabilities, **local, **self.refusals()}))

    def refresh_capabilities(self) -> None:
        """A setting changed what is allowed."""
        if self._capabilities:
            self.emit(ev.CapabilitiesChanged(frozen_map(self._capabilities)))

    def _with_own_side(self, phone: PhoneSide, event: PhoneChanged) -> PhoneChanged:
        self._phone_info = event.phone
        info = replace(event.phone, account_id=phone.account_id)
        if self.transfer is not None:
            info = replace(info, transfer=self.transfer)
        if info.direction is Direction.INCOMING:
            unanswered = info.answered_at is None and self.state.joined_at is None
            info = replace(info, ringing=unanswered and not self.silenced)
        return PhoneChanged(info)

    def show_phone(self) -> None:
        """Tell again how the phone side stands, after ``transfer`` or ``silenced`` has changed."""
        if self._phone_info is not None:
            self.emit(PhoneChanged(self._phone_info))

    def _follow(self, event: CallEvent) -> None:
        # A microphone that was announced again, or a new transport, starts at full volume.
        if isinstance(event, ev.SourceAdded) and event.source.kind is MediaKind.AUDIO:
            self.apply_volume(event.source.participant_id)
        elif isinstance(event, ev.MediaStateChanged) and event.state == "connected":
            for participant_id in self.volumes:
                self.apply_volume(participant_id)

    def apply_volume(self, participant_id: str) -> None:
        transport = self.session.transport if self.session is not None else None
        volume = self.volumes.get(participant_id)
        if transport is None or volume is None:
            return
        for source in self.state.sources.values():
            if source.participant_id == participant_id and source.content is SourceContent.MICROPHONE:
                transport.set_volume(source.name, volume)

    # ------------------------------------------------------------ joining and leaving

    async def join(self, open_session: Open) -> None:
        """Join; whatever goes wrong becomes the phase ``FAILED``. Cancelling it is how leaving interrupts."""
        self._joining = asyncio.current_task()
        self.emit(ev.PhaseChanged(CallPhase.CONNECTING))
        try:
            self.session = await open_session()
            await self.session.join()
        except JoinFailed as error:
            self.fail(error.failure)
        except ActionRefused as error:
            self.fail(error.failure)
        except LookupError:
            log.exception("no such vendor: %s", self.address.vendor)
            self.fail(UNKNOWN_VENDOR)
        except Exception as error:
            log.exception("joining failed in an unexpected way")
            self.fail(replace(INTERNAL, details=type(error).__name__))
        finally:
            self._joining = None

    def fail(self, failure: Failure) -> None:
        """End as failed, unless the session has said so already."""
        if not self.is_over:
            self.emit(ev.PhaseChanged(CallPhase.FAILED, failure=failure))

    async def leave(self, reason: str = "") -> None:
        """Leave properly, bounded in time; never raises. Returns once the session is closed."""
        if self._leaving:
            await self.finished.wait()
            return
        self._leaving = True
        if not self.is_over:
            self.emit(ev.PhaseChanged(CallPhase.LEAVING, reason))
        joining = self._joining
        if joining is not None and joining is not asyncio.current_task():
            joining.cancel()
            await asyncio.wait({joining}, timeout=LEAVE_TIMEOUT_S)
        await self._close_session()
        if not self.is_over:
            self.emit(ev.PhaseChanged(CallPhase.ENDED, reason))
        self.finished.set()

    async def _close_session(self) -> None:
        if self.session is None:
            return
        try:
            await asyncio.wait_for(self.session.close(), LEAVE_TIMEOUT_S)
        except TimeoutError:
            log.warning("leaving %s took longer than %s s; gave up", self.call_id, LEAVE_TIMEOUT_S)
        except Exception:
            # The contract says that closing never raises; a session that breaks it must not keep the window open.
            log.exception("closing the session failed")
