"""Hand a call over, or call somebody in: one panel, from "to whom" over "ask first" to "done"."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.calls.accounts import Contact
from app.calls.model import CallState
from app.calls.phone import CancelTransfer, CompleteTransfer, TransferTo
from app.calls.selectors import capability
from ui import forms, i18n
from ui.phone.context import PhoneContext
from ui.phone.hub import PhoneHub
from ui.phone.search import Target, TargetSearch
from ui.phone.words import call_words, peer
from ui.theme import Space
from ui.widgets.marks import Avatar
from ui.widgets.panel import SidePanel
from ui.widgets.text import plain
from ui.widgets.toast import announce


class TransferPanel(SidePanel):
    """``open_for(call_id)`` starts; picking somebody shows two ways: ask first, or transfer now."""

    def __init__(self, context: PhoneContext, hub: PhoneHub, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Transfer"))
        self._context = context
        self._hub = hub
        self.call_id = ""
        self.target: Target | None = None
        self.search = TargetSearch(context, self.tr("Number, name or call"), calls=self._other_calls)
        self.search.picked.connect(self.pick)
        self._make_choice()
        self._make_running()
        self.pages = QStackedWidget()
        search_page = QWidget()
        column = forms.column(search_page, margin=Space.M)
        column.addWidget(self.search)
        self.pages.addWidget(search_page)
        self.pages.addWidget(self._choice_page)
        self.pages.addWidget(self._running_page)
        self.body.addWidget(self.pages)

    def _make_choice(self) -> None:
        self.choice_avatar = Avatar("", 56)
        self.choice_name = forms.label("", "emphasis")
        self.choice_number = forms.label("", "muted")
        self.consult = forms.push_button(self.tr("Ask first"), lambda: self._transfer(consult=True), kind="primary")
        self.consult_note = forms.label(self.tr("You talk to them while your caller waits on hold."), "caption")
        self.now = forms.push_button(self.tr("Transfer now"), lambda: self._transfer(consult=False))
        self.now_note = forms.label(self.tr("The call leaves you at once."), "caption")
        self.back = forms.push_button(self.tr("Choose somebody else"), self.choose_again, kind="quiet")
        self._choice_page = QWidget()
        column = forms.column(self._choice_page, margin=Space.L, spacing=Space.S)
        column.addWidget(self.choice_avatar)
        column.addWidget(self.choice_name)
        column.addWidget(self.choice_number)
        column.addSpacing(Space.S)
        for widget in (self.consult, self.consult_note, self.now, self.now_note, self.back):
            column.addWidget(widget)
        column.addStretch(1)

    def _make_running(self) -> None:
        self.running_words = forms.label("", "emphasis")
        self.running_state = forms.label("", "muted")
        self.running_problem = forms.label("", "bad")
        self.complete = forms.push_button(self.tr("Complete transfer"), self.do_complete, kind="primary")
        self.cancel = forms.push_button(self.tr("Back to the caller"), self.do_cancel)
        self._running_page = QWidget()
        column = forms.column(self._running_page, margin=Space.L, spacing=Space.M)
        for widget in (self.running_words, self.running_state, self.running_problem, self.complete, self.cancel):
            column.addWidget(widget)
        column.addStretch(1)

    # ------------------------------------------------------------ flow

    def _other_calls(self) -> tuple[CallState, ...]:
        return tuple(one for one in self._hub.shown_calls() if one.call_id != self.call_id)

    def open_for(self, call_id: str) -> None:
        self.call_id = call_id
        self.target = None
        self.show_state(self._context.controller.state(call_id))
        if self.pages.currentIndex() == 0:
            self.search.start()

    def pick(self, target: object) -> None:
        chosen = Target(target.numbers[0].number, target.name) if isinstance(target, Contact) else target
        assert isinstance(chosen, Target)
        self.target = chosen
        name = plain(chosen.name or chosen.number)
        self.choice_avatar.set_person(name)
        self.choice_name.setText(name)
        self.choice_number.setText(plain(chosen.number) if chosen.name else "")
        self.choice_number.setVisible(bool(self.choice_number.text()))
        running = bool(chosen.call_id)
        # Somebody we already talk to has been asked.
        self.consult.setVisible(not running)
        self.consult_note.setVisible(not running)
        self.now.setText(self.tr("Connect both and leave") if running else self.tr("Transfer now"))
        self.pages.setCurrentIndex(1)
        (self.now if running else self.consult).setFocus()

    def choose_again(self) -> None:
        self.target = None
        self.pages.setCurrentIndex(0)
        self.search.start()

    def _transfer(self, *, consult: bool) -> None:
        target = self.target
        if target is None:
            return
        action = TransferTo(call_id=target.call_id) if target.call_id else TransferTo(target.number, consult=consult)
        self._context.perform(self.call_id, action, then=lambda _r: self._started(consult))

    def _started(self, consult: bool) -> None:
        if not consult:
            self._context.say(self.tr("The call was handed over."), "good")
            self.closeRequested.emit()

    def do_complete(self) -> None:
        self._context.perform(self.call_id, CompleteTransfer(), then=lambda _r: self._completed())

    def _completed(self) -> None:
        self._context.say(self.tr("The call was handed over."), "good")
        self.closeRequested.emit()

    def do_cancel(self) -> None:
        self._context.perform(self.call_id, CancelTransfer())
        self.choose_again()

    # ------------------------------------------------------------ state

    def show_state(self, state: CallState) -> None:
        if state.call_id != self.call_id:
            return
        self.set_title(self.tr("Transfer {name}").format(name=peer(state)))
        allowed = capability(state, TransferTo)
        for button in (self.consult, self.now):
            button.set_enabled(allowed.allowed, i18n.sentence(allowed.reason))
        transfer = state.phone.transfer if state.phone is not None else None
        if transfer is None:
            if self.pages.currentIndex() == 2:
                self.choose_again()
            elif self.target is None:
                self.pages.setCurrentIndex(0)
            return
        name = plain(transfer.target)
        states = {
            "consulting": self.tr("Calling {name}…"),
            "answered": self.tr("{name} is on the line. Ask, then complete the transfer."),
            "completing": self.tr("Handing the call over…"),
            "failed": self.tr("{name} could not be reached. Your caller is still on hold."),
        }
        words = states.get(transfer.state, "{name}").format(name=self._target_name(transfer.consultation_call_id, name))
        if words != self.running_state.text():
            announce(self.running_state, words)
        self.running_words.setText(self.tr("{name} waits on hold.").format(name=peer(state)))
        self.running_state.setText(words)
        self.running_problem.setText(i18n.sentence(transfer.error))
        self.running_problem.setVisible(bool(transfer.error))
        ready = transfer.state in ("answered", "consulting")
        self.complete.set_enabled(ready, words)
        self.cancel.set_enabled(transfer.state != "completing", words)
        self.pages.setCurrentIndex(2)

    def _target_name(self, call_id: str, fallback: str) -> str:
        for one in self._hub.shown_calls():
            if one.call_id == call_id:
                return peer(one)
        return plain(self.target.name) if self.target is not None and self.target.name else fallback

    def words(self) -> str:
        """What the running step says (for the call's own line)."""
        return call_words(self._context.controller.state(self.call_id)) if self.call_id else ""


class AddPanel(SidePanel):
    """Call somebody in addition; calls that exist can be merged with one click.

    Signals: merge_requested(str call id).
    """

    merge_requested = Signal(str)

    def __init__(self, context: PhoneContext, hub: PhoneHub, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.set_title(self.tr("Add a call"))
        self._context = context
        self.search = TargetSearch(context, self.tr("Number, name or call"), calls=hub_others(hub), with_video=True)
        self.search.picked.connect(lambda target: self._pick(target))
        self.search.video_picked.connect(lambda target: self._pick(target, video=True))
        note = forms.label(self.tr("The present call waits on hold. Merge them when all are there."), "caption")
        holder = forms.column(margin=Space.M)
        holder.addWidget(note)
        holder.addWidget(self.search)
        self.body.addLayout(holder)

    def open_for(self, call_id: str) -> None:
        self.search.start()

    def show_state(self, state: CallState) -> None:
        """The panel does not depend on one call."""

    def _pick(self, target: Target, *, video: bool = False) -> None:
        if target.call_id:
            self.merge_requested.emit(target.call_id)
        else:
            self._context.dial(target.number, video=video)
        self.closeRequested.emit()


def hub_others(hub: PhoneHub) -> Callable[[], tuple[CallState, ...]]:
    """Calls besides the one in the foreground."""

    def others() -> tuple[CallState, ...]:
        current = hub.current()
        return tuple(one for one in hub.shown_calls() if current is None or one.call_id != current.call_id)

    return others
