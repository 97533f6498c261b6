"""What one can do in a phone call, once for the round buttons, the bar above the video, the menu and the keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject

from app.calls.actions import Leave, SendDtmf, SetCamera, SetMicrophone
from app.calls.model import CallState, Capability
from app.calls.phone import MergeCalls, Relocate, SetHold, SetRecording, SetVideo, SplitCall, TransferTo
from app.calls.selectors import capability, is_over
from ui import i18n
from ui.phone.context import PhoneContext
from ui.phone.hub import PhoneHub
from ui.phone.words import peer
from ui.widgets.menus import Menu


@dataclass(frozen=True, slots=True)
class Act:
    """How a control of a call looks now. *words* are short, *does* says the effect, *state* how things stand."""

    id: str
    icon: str
    words: str
    does: str
    state: str = ""
    tone: str = ""
    capability: Capability = Capability(True)
    shortcut: str = ""


class PhoneActs(QObject):
    """Actions on the call in the foreground. *panels* opens ``transfer``, ``add`` or ``keypad``."""

    def __init__(
        self, context: PhoneContext, hub: PhoneHub, panels: Callable[[str], object], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._hub = hub
        self._panels = panels

    # ------------------------------------------------------------ how things stand

    def describe(self, state: CallState) -> dict[str, Act]:
        phone = state.phone
        held = phone is not None and phone.held
        video = phone is not None and phone.video
        recording = phone.recording if phone is not None else "inactive"
        muted = state.local.microphone_muted
        acts = [
            Act(
                "mute", "microphone-off" if muted else "microphone",
                self.tr("Unmute") if muted else self.tr("Mute"),
                self.tr("Unmute microphone") if muted else self.tr("Mute microphone"),
                self.tr("Microphone is off") if muted else self.tr("Microphone is on"),
                "off" if muted else "", capability(state, SetMicrophone), "Ctrl+Shift+M",
            ),
            Act(
                "hold", "player-play" if held else "player-pause",
                self.tr("Resume") if held else self.tr("Hold"),
                self.tr("Take the call up again") if held else self.tr("Put on hold"),
                self.tr("On hold") if held else self.tr("Not on hold"),
                "on" if held else "", capability(state, SetHold), "Ctrl+Shift+P",
            ),
            Act(
                "video", "video-off" if video else "video", self.tr("Sound only") if video else self.tr("Video"),
                self.tr("Go on with sound only") if video else self.tr("Add video to the call"),
                self.tr("With video") if video else self.tr("Sound only"), "", capability(state, SetVideo),
            ),
            Act("transfer", "arrow-forward-up", self.tr("Transfer"), self.tr("Transfer the call"),
                capability=capability(state, TransferTo)),
            Act("add", "phone-plus", self.tr("Add"), self.tr("Add a call")),
            Act("keypad", "dialpad", self.tr("Keypad"), self.tr("Open the keypad"),
                capability=capability(state, SendDtmf)),
            Act(
                "record", "player-record", self.tr("Stop") if recording == "active" else self.tr("Record"),
                self.tr("Stop recording") if recording == "active" else self.tr("Record the call"),
                self.tr("The call is being recorded") if recording == "active" else self.tr("Not recorded"),
                "off" if recording == "active" else "", capability(state, SetRecording),
            ),
        ]  # fmt: skip
        return {act.id: act for act in acts}

    # ------------------------------------------------------------ doing

    def run(self, name: str) -> None:
        """Do what the control *name* does to the call in the foreground."""
        state = self._hub.current()
        if state is None or is_over(state):
            return
        phone = state.phone
        if name == "mute":
            self._on_all(state, lambda one: SetMicrophone(not state.local.microphone_muted))
        elif name == "camera":
            self._context.perform(state.call_id, SetCamera(not state.local.camera_muted))
        elif name == "hold":
            self.toggle_hold(state)
        elif name == "video":
            self._context.perform(state.call_id, SetVideo(not (phone is not None and phone.video)))
        elif name == "record":
            now = phone.recording if phone is not None else "inactive"
            self._context.perform(state.call_id, SetRecording("inactive" if now == "active" else "active"))
        elif name == "hang_up":
            self._context.perform(state.call_id, Leave())
        elif name in ("transfer", "add", "keypad"):
            self._panels(name)

    def toggle_hold(self, state: CallState) -> None:
        held = state.phone is not None and state.phone.held
        if held:
            self._hub.choose(state.call_id)
            conference = state.phone.conference_id if state.phone is not None else ""
            for one in self._hub.shown_calls() if conference else ():
                if one.call_id != state.call_id and one.phone is not None and one.phone.conference_id == conference:
                    self._context.perform(one.call_id, SetHold(False))
        else:
            self._on_all(state, lambda _one: SetHold(True))

    def _on_all(self, state: CallState, action: Callable[[CallState], object]) -> None:
        """What is done to a call that is part of a conference is done to the whole of it."""
        conference = state.phone.conference_id if state.phone is not None else ""
        for one in self._hub.shown_calls():
            together = conference and one.phone is not None and one.phone.conference_id == conference
            if one.call_id == state.call_id or together:
                self._context.perform(one.call_id, action(one))  # type: ignore[arg-type]

    def tone(self, digit: str) -> None:
        state = self._hub.current()
        if state is not None and capability(state, SendDtmf).allowed:
            self._context.perform(state.call_id, SendDtmf(digit))

    def merge(self, call_id: str, other: str = "") -> None:
        """Make one conference of the call and another one, or of all."""
        others = (other,) if other else tuple(
            one.call_id for one in self._hub.shown_calls() if one.call_id != call_id
        )  # fmt: skip
        if others:
            self._context.perform(call_id, MergeCalls(others))

    # ------------------------------------------------------------ menu

    def more_menu(self, state: CallState, parent: object) -> Menu:
        menu = Menu(self.tr("More actions"), parent)  # type: ignore[arg-type]
        phone = state.phone
        merged = phone is not None and bool(phone.conference_id)
        perform, call_id = self._context.perform, state.call_id
        others = [one for one in self._hub.shown_calls() if one.call_id != call_id]
        if others and not merged:
            menu.entry(self.tr("Merge with the other calls"), lambda: self.merge(call_id), "arrows-join",
                       capability=capability(state, MergeCalls))  # fmt: skip
        if merged:
            menu.entry(self.tr("Take {name} out of the conference").format(name=peer(state)),
                       lambda: perform(call_id, SplitCall()), "arrows-split",
                       capability=capability(state, SplitCall))  # fmt: skip
            menu.entry(self.tr("Hang up for everyone"), lambda: self._on_all(state, lambda _one: Leave()), "phone-off",
                       danger=True)  # fmt: skip
        if phone is not None and phone.recording == "active":
            menu.entry(self.tr("Pause recording"), lambda: perform(call_id, SetRecording("paused")), "player-pause",
                       capability=capability(state, SetRecording))  # fmt: skip
        if phone is not None and phone.recording == "paused":
            menu.entry(self.tr("Go on recording"), lambda: perform(call_id, SetRecording("active")), "player-record",
                       capability=capability(state, SetRecording))  # fmt: skip
        self._add_relocate(menu, state)
        return menu

    def _add_relocate(self, menu: Menu, state: CallState) -> None:
        allowed = capability(state, Relocate)
        account_id = state.phone.account_id if state.phone is not None else ""
        account = next((one for one in self._context.accounts() if one.account_id == account_id), None)
        if not allowed.present or account is None:
            return
        menu.addSeparator()
        for line in account.lines[1:]:
            label = " ".join(part for part in (line.label, line.number) if part)
            move = partial(self._context.perform, state.call_id, Relocate(line_id=line.id))
            words = self.tr("Move the call to {line}").format(line=label)
            menu.entry(words, move, "arrows-exchange", capability=allowed)
        menu.entry(self.tr("Move the call to my mobile phone"),
                   lambda: self._context.perform(state.call_id, Relocate(to_mobile=True)), "device-mobile",
                   capability=allowed)  # fmt: skip

    @staticmethod
    def reason(act: Act) -> str:
        return i18n.sentence(act.capability.reason)
