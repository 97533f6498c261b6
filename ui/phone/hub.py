"""Watches the phone calls of every account: rings, keeps when each was put on hold, and tells who shows them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.calls.events import CallEvent
from app.calls.model import CallPhase, CallState
from app.calls.phone import SetHold, ToneReceived
from app.calls.selectors import active_call, is_over, is_talking
from ui.phone.context import PhoneContext
from ui.phone.words import now_ms


class PhoneHub(QObject):
    """Signals:
    changed(CallState): a phone call has a new state. ended(CallState): it is over.
    ringing(CallState): a call began to ring here. quiet(str call id): it no longer does.
    answered(str call id): an incoming call was taken here. tone(CallState, str): the other side sent a digit.
    """

    changed = Signal(object)
    ended = Signal(object)
    ringing = Signal(object)
    quiet = Signal(str)
    answered = Signal(str)
    tone = Signal(object, str)

    def __init__(self, context: PhoneContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.held_since: dict[str, int] = {}
        self.chosen = ""
        """Call that the person looks at; another becomes it when it ends."""
        self._ringing: set[str] = set()
        self._known: set[str] = set()
        self._stop: Callable[[], None] = context.controller.subscribe(self._event)
        for state in context.calls():
            self._follow(state)

    def _event(self, state: CallState, event: CallEvent) -> None:
        if state.phone is None:
            return
        if isinstance(event, ToneReceived):
            self.tone.emit(state, event.digit)
        self._follow(state)

    def _follow(self, state: CallState) -> None:
        call_id = state.call_id
        if is_over(state):
            known = call_id in self._known
            self._known.discard(call_id)
            self.held_since.pop(call_id, None)
            self._hush(call_id)
            if known:
                self._choose_another(call_id)
                self.ended.emit(state)
            return
        self._known.add(call_id)
        if state.phone is not None and state.phone.held:
            self.held_since.setdefault(call_id, now_ms())
        else:
            self.held_since.pop(call_id, None)
        if state.phase is CallPhase.INCOMING:
            if call_id not in self._ringing:
                self._ringing.add(call_id)
                self.ringing.emit(state)
        elif call_id in self._ringing:
            self._hush(call_id)
            if is_talking(state) or state.phase is CallPhase.CONNECTING:
                self.chosen = call_id
                self.answered.emit(call_id)
        elif self.chosen not in self._known:
            self.chosen = call_id
        self.changed.emit(state)

    def _hush(self, call_id: str) -> None:
        if call_id in self._ringing:
            self._ringing.discard(call_id)
            self.quiet.emit(call_id)

    def _choose_another(self, gone: str) -> None:
        if self.chosen == gone:
            left = self.shown_calls()
            active = active_call(left)
            self.chosen = active.call_id if active is not None else left[-1].call_id if left else ""

    # ------------------------------------------------------------ reading

    def calls(self) -> tuple[CallState, ...]:
        return self.context.calls()

    def shown_calls(self) -> tuple[CallState, ...]:
        """Calls of the phone view: all but those that still ring here."""
        return tuple(one for one in self.calls() if one.phase is not CallPhase.INCOMING and not is_over(one))

    def current(self) -> CallState | None:
        """The call in the foreground."""
        shown = self.shown_calls()
        return next((one for one in shown if one.call_id == self.chosen), shown[-1] if shown else None)

    def incoming(self) -> tuple[CallState, ...]:
        return tuple(one for one in self.calls() if one.phase is CallPhase.INCOMING)

    # ------------------------------------------------------------ acts

    def choose(self, call_id: str) -> None:
        """Look at a call; one that is on hold is taken up again, which puts the one in conversation on hold."""
        state = self.context.controller.state(call_id)
        others = [one for one in self.shown_calls() if one.call_id != call_id and is_talking(one)]
        self.chosen = call_id
        if state.phone is not None and state.phone.held:
            merged = state.phone.conference_id
            for other in others:
                if other.phone is not None and (not merged or other.phone.conference_id != merged):
                    self.context.perform(other.call_id, SetHold(True))
            self.context.perform(call_id, SetHold(False))
        self.changed.emit(state)

    def release(self) -> None:
        self._stop()
