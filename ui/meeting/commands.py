"""What a person can do in a call, for buttons, keys and menus alike. Reads the state, asks the controller."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal

from app.calls import actions as act
from app.calls import selectors
from app.calls.actions import Action
from app.calls.model import CallState, Failure, MediaKind
from app.controller.api import ControllerApi
from app.vendors.base import ActionRefused


class TaskRunner(Protocol):
    """What is needed of :class:`ui.tasks.Tasks`."""

    on_refused: Callable[[Failure], None] | None

    def spawn(self, coroutine: Coroutine[Any, Any, Any], *, then: Callable[[Any], None] | None = None) -> object: ...

    def cancel(self) -> None: ...


class Commands(QObject):
    """Toggles compute the opposite of what the state says now; refusals become toasts through the task runner.

    Signals:
        shareRequested: the picker should open. leaveRequested: True to end the meeting for all.
    """

    shareRequested = Signal()
    leaveRequested = Signal(bool)

    def __init__(self, controller: ControllerApi, call_id: str, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._controller = controller
        self._call_id = call_id
        self._tasks = tasks
        self._talking = False

    @property
    def state(self) -> CallState:
        return self._controller.state(self._call_id)

    def perform(self, action: Action, then: Callable[[Any], None] | None = None) -> None:
        self._tasks.spawn(self._controller.perform(self._call_id, action), then=then)

    def report(self, action: Action) -> None:
        """Tell the session something the person did not ask for; a refusal is none of the person's business."""
        self._tasks.spawn(self._quietly(action))

    async def _quietly(self, action: Action) -> None:
        with contextlib.suppress(ActionRefused):
            await self._controller.perform(self._call_id, action)

    def can(self, kind: type) -> bool:
        return selectors.capability(self.state, kind).allowed

    def toggle_microphone(self) -> None:
        if self.can(act.SetMicrophone):
            self.perform(act.SetMicrophone(not self.state.local.microphone_muted))

    def unmute(self) -> None:
        if self.can(act.SetMicrophone):
            self.perform(act.SetMicrophone(False))

    def talk(self, on: bool) -> None:
        """Push to talk: unmute while held; what was unmuted before stays so."""
        if on and not self._talking and self.state.local.microphone_muted and self.can(act.SetMicrophone):
            self._talking = True
            self.perform(act.SetMicrophone(False))
        elif not on and self._talking:
            self._talking = False
            self.perform(act.SetMicrophone(True))

    @property
    def talking(self) -> bool:
        return self._talking

    def toggle_camera(self) -> None:
        if self.can(act.SetCamera):
            self.perform(act.SetCamera(not self.state.local.camera_muted))

    def use_microphone(self, device_id: str) -> None:
        self.perform(act.SelectDevices(microphone=device_id))

    def toggle_share(self) -> None:
        if not self.can(act.ShareScreen):
            return
        if self.state.local.sharing_screen:
            self.perform(act.ShareScreen(None))
        else:
            self.shareRequested.emit()

    def toggle_hand(self) -> None:
        me = selectors.local_participant(self.state)
        if me is not None and self.can(act.RaiseHand):
            self.perform(act.RaiseHand(me.raised_hand_at is None))

    def react(self, key: str) -> None:
        if self.can(act.SendReaction):
            self.perform(act.SendReaction(key))

    def set_volume(self, participant_id: str, volume: float) -> None:
        self.perform(act.SetParticipantVolume(participant_id, volume))

    def mute_other(self, participant_id: str, kind: MediaKind) -> None:
        self.perform(act.MuteParticipant(participant_id, kind))

    def send_tone(self, tone: str) -> None:
        self.perform(act.SendDtmf(tone))

    def set_receive_limit(self, max_height: int | None) -> None:
        if self.state.local.audio_only:
            self.perform(act.SetAudioOnly(False))
        self.perform(act.SetReceiveLimit(max_height))

    def set_audio_only(self, enabled: bool) -> None:
        self.perform(act.SetAudioOnly(enabled))

    def leave(self, for_all: bool = False) -> None:
        self.leaveRequested.emit(for_all)
