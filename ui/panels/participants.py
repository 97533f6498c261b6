"""The participants panel: who is here, in what state, and what one may do about it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSlider, QVBoxLayout, QWidget

from app.calls import actions
from app.calls.actions import Action
from app.calls.events import CallEvent
from app.calls.model import CallState, Capability, Failure, MediaKind, Participant, Role, SourceContent
from app.calls.selectors import capability
from app.controller.api import ControllerApi
from ui import forms, i18n
from ui.dialogs.questions import KickDialog, LockDialog, RenameDialog
from ui.meeting.avatars import AvatarFeed
from ui.panels.participants_list import ParticipantsList
from ui.panels.participants_model import muted_kinds, people_count, plain_name
from ui.tasks import Tasks
from ui.theme import Space
from ui.widgets.fields import SearchField
from ui.widgets.menus import Menu
from ui.widgets.panel import SidePanel
from ui.widgets.text import Line
from ui.widgets.toast import announce

SEARCH_FROM = 6
"""With fewer people a search field is only in the way."""
VOLUME_STEPS = 200
"""Slider steps: percent, 0 to 200."""


class ParticipantsPanel(SidePanel):
    """``ParticipantsPanel(controller, call_id)``.

    Signals:
        pinRequested(str participant id): show this person large.
        privateMessageRequested(str participant id): write to this person.
    """

    pinRequested = Signal(str)
    privateMessageRequested = Signal(str)

    def __init__(self, controller: ControllerApi, call_id: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._controller = controller
        self._call_id = call_id
        self._tasks = Tasks(self._refused)
        self._volumes: dict[str, int] = {}
        self.search = SearchField(self.tr("Search participants"))
        self.search.setMaxLength(100)
        self.search.textChanged.connect(self._search)
        self.list = ParticipantsList()
        self.list.menu_requested.connect(self._open_menu)
        self._faces = AvatarFeed(controller, self._tasks, self.list.set_avatar)
        self.nobody = forms.label(self.tr("Nobody here has that name."), "muted")
        self.nobody.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.invite = forms.push_button(self.tr("Copy invite link"), self.copy_link, icon="link")
        self.more = forms.icon_button("dots", self.tr("Meeting controls"), self._open_controls)
        self._lay_out()
        self._stop = controller.subscribe(self._event)
        self.destroyed.connect(self._stop)
        self._state = controller.state(call_id)
        self.show_state(self._state)

    def _lay_out(self) -> None:
        self._search_box = QWidget()
        box = QVBoxLayout(self._search_box)
        box.setContentsMargins(Space.L, Space.M, Space.L, Space.XS)
        box.addWidget(self.search)
        foot = QWidget()
        lines = QVBoxLayout(foot)
        lines.setContentsMargins(Space.L, Space.M, Space.L, Space.M)
        lines.setSpacing(Space.S)
        lines.addWidget(self.problem)
        line = forms.row(self.invite, self.more)
        line.setStretch(0, 1)
        lines.addLayout(line)
        over = QVBoxLayout(self.list)
        over.addWidget(self.nobody)
        self.body.addWidget(self._search_box)
        self.body.addSpacing(Space.XS)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(Line())
        self.body.addWidget(foot)

    # ------------------------------------------------------------ state

    def _event(self, state: CallState, event: CallEvent) -> None:
        if state.call_id == self._call_id:
            self.show_state(state)

    def show_state(self, state: CallState) -> None:
        self._state = state
        count = people_count(state)
        self.set_title(self.tr("Participants ({count})").format(count=count))
        self._search_box.setVisible(count >= SEARCH_FROM or bool(self.search.text()))
        self.list.people.update(state)
        self._faces.set_state(state)
        self.nobody.setVisible(self.list.people.rowCount() == 0)
        self.more.setVisible(bool(self._control_entries()))

    def _search(self, text: str) -> None:
        self.list.people.set_query(text)
        rows = self.list.people.rowCount()
        self.nobody.setVisible(rows == 0)
        announce(self.search, self.tr("%n participant(s) found", "", rows))

    def _may(self, action: type) -> Capability:
        found = capability(self._state, action)
        return Capability(found.allowed, i18n.sentence(found.reason), found.present)

    # ------------------------------------------------------------ doing

    def perform(self, action: Action) -> None:
        self.problem.hide()
        self._tasks.spawn(self._controller.perform(self._call_id, action))

    def _refused(self, failure: Failure) -> None:
        self.problem.setText(i18n.sentence(failure.message))
        self.problem.show()
        announce(self.problem, self.problem.text(), urgent=True)

    def copy_link(self) -> None:
        recognised = self._controller.recognise(self._state.address)
        link = recognised.address.url if recognised.address is not None else self._state.address
        QGuiApplication.clipboard().setText(link)
        self.invite.setText(self.tr("Link copied"))
        announce(self.invite, self.tr("Link copied"))

    # ------------------------------------------------------------ menu of a person

    def _open_menu(self, participant_id: str, where: QPoint) -> None:
        if participant_id in self._state.participants:
            self.make_menu(participant_id).popup(where)

    def make_menu(self, participant_id: str) -> Menu:
        """What can be done about one person now; what the server does not know is left out."""
        person = self._state.participants[participant_id]
        menu = Menu(plain_name(person), self)
        menu.entry(self.tr("Show large"), lambda: self.pinRequested.emit(participant_id), "pin")
        if person.is_local:
            menu.entry(
                self.tr("Change name…"),
                lambda: self._rename(person),
                "pencil",
                capability=self._may(actions.SetDisplayName),
            )
            return menu
        menu.entry(
            self.tr("Write privately"), lambda: self.privateMessageRequested.emit(participant_id), "message",
            capability=self._may(actions.SendMessage),
        )  # fmt: skip
        self._add_volume(menu, person)
        before = len(menu.actions())
        separator = menu.addSeparator()
        self._add_moderation(menu, person)
        if len(menu.actions()) == before + 1:
            menu.removeAction(separator)
        return menu

    def _add_volume(self, menu: Menu, person: Participant) -> None:
        if not self._may(actions.SetParticipantVolume).present:
            return
        menu.heading(self.tr("Volume for me"))
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, VOLUME_STEPS)
        slider.setPageStep(10)
        slider.setValue(self._volumes.get(person.id, 100))
        slider.setAccessibleName(self.tr("Volume of {name}").format(name=plain_name(person)))
        slider.setMinimumWidth(180)
        slider.valueChanged.connect(lambda value: self._set_volume(person.id, value))
        holder = QWidget()
        forms.row(slider, parent=holder).setContentsMargins(Space.M, 0, Space.M, Space.S)
        menu.widget(holder)

    def _set_volume(self, participant_id: str, percent: int) -> None:
        self._volumes[participant_id] = percent
        self.perform(actions.SetParticipantVolume(participant_id, percent / 100))

    def _add_moderation(self, menu: Menu, person: Participant) -> None:
        identifier = person.id
        mute = self._may(actions.MuteParticipant)
        kinds = muted_kinds(self._state, identifier)
        already = Capability(False, self.tr("Already off; only they can turn it on again"), mute.present)
        silent, dark = kinds.get(MediaKind.AUDIO, True), kinds.get(MediaKind.VIDEO, True)
        menu.entry(
            self.tr("Mute"), lambda: self.perform(actions.MuteParticipant(identifier, MediaKind.AUDIO)),
            "microphone-off", capability=already if silent and mute.allowed else mute,
        )  # fmt: skip
        menu.entry(
            self.tr("Turn camera off"), lambda: self.perform(actions.MuteParticipant(identifier, MediaKind.VIDEO)),
            "video-off", capability=already if dark and mute.allowed else mute,
        )  # fmt: skip
        sharing = any(
            s.participant_id == identifier and s.content is SourceContent.SCREEN and not s.muted
            for s in self._state.sources.values()
        )
        if sharing:
            stop = actions.MuteParticipant(identifier, MediaKind.VIDEO, screen=True)
            menu.entry(
                self.tr("Stop their screen share"), lambda: self.perform(stop), "screen-share-off", capability=mute
            )
        if person.raised_hand_at is not None:
            menu.entry(
                self.tr("Lower hand"), lambda: self.perform(actions.LowerHand(identifier)), "hand-off",
                capability=self._may(actions.LowerHand),
            )  # fmt: skip
        if person.role is Role.MODERATOR:
            menu.entry(
                self.tr("Take moderator rights"), lambda: self.perform(actions.RevokeModerator(identifier)), "user",
                capability=self._may(actions.RevokeModerator),
            )  # fmt: skip
        else:
            menu.entry(
                self.tr("Make moderator"), lambda: self.perform(actions.GrantModerator(identifier)), "crown",
                capability=self._may(actions.GrantModerator),
            )  # fmt: skip
        menu.entry(
            self.tr("Remove…"), lambda: self._kick(person), "user-x", capability=self._may(actions.Kick), danger=True
        )

    def _kick(self, person: Participant) -> None:
        dialog = KickDialog(plain_name(person), self.window())
        dialog.confirmed.connect(lambda reason: self.perform(actions.Kick(person.id, reason)))
        dialog.open()

    def _rename(self, person: Participant) -> None:
        dialog = RenameDialog(person.name, self.window())
        dialog.confirmed.connect(self._renamed)
        dialog.open()

    def _renamed(self, name: str) -> None:
        self.perform(actions.SetDisplayName(name))
        try:
            self._controller.set_setting("profile.display_name", name)
        except ValueError as error:
            self._refused(Failure("setting", str(error)))

    # ------------------------------------------------------------ controls of the meeting

    def _control_entries(self) -> bool:
        kinds = (actions.MuteEveryone, actions.SetStartMutedPolicy, actions.Lock)
        return any(capability(self._state, kind).present for kind in kinds)

    def _open_controls(self) -> None:
        menu = self.make_controls()
        menu.popup(self.more.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def make_controls(self) -> Menu:
        """Controls that concern everybody."""
        menu = Menu(self.tr("Meeting controls"), self)
        everyone, policy_may = self._may(actions.MuteEveryone), self._may(actions.SetStartMutedPolicy)
        menu.entry(
            self.tr("Mute everyone else"), lambda: self.perform(self._mute_all(MediaKind.AUDIO)), "microphone-off",
            capability=everyone,
        )  # fmt: skip
        menu.entry(
            self.tr("Turn everyone else's camera off"), lambda: self.perform(self._mute_all(MediaKind.VIDEO)),
            "video-off", capability=everyone,
        )  # fmt: skip
        policy = self._state.start_muted_policy
        if policy_may.present:
            menu.heading(self.tr("On entry"))
        menu.entry(
            self.tr("Newcomers start muted"),
            lambda: self.perform(actions.SetStartMutedPolicy(not policy.audio, policy.video)),
            capability=policy_may, checked=policy.audio,
        )  # fmt: skip
        menu.entry(
            self.tr("Newcomers start without camera"),
            lambda: self.perform(actions.SetStartMutedPolicy(policy.audio, not policy.video)),
            capability=policy_may, checked=policy.video,
        )  # fmt: skip
        lock = self._may(actions.Lock)
        if lock.present:
            menu.addSeparator()
        if self._state.locked:
            menu.entry(
                self.tr("Unlock the meeting"), lambda: self.perform(actions.Lock(None)), "lock-open", capability=lock
            )
            menu.entry(self.tr("Change the password…"), self._lock, "lock", capability=lock)
        else:
            menu.entry(self.tr("Lock with a password…"), self._lock, "lock", capability=lock)
        return menu

    def _mute_all(self, kind: MediaKind) -> Action:
        return actions.MuteEveryone(kind, (self._state.local_id,))

    def _lock(self) -> None:
        dialog = LockDialog(self.window())
        dialog.confirmed.connect(lambda password: self.perform(actions.Lock(password)))
        dialog.open()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.invite.setText(self.tr("Copy invite link"))

    def release(self) -> None:
        """Stop listening; tasks that run are cancelled."""
        self._stop()
        self._tasks.cancel()
