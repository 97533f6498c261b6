"""The menus of the meeting view, built from the state at the moment they open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from app.calls import actions as act
from app.calls import selectors
from app.calls.model import CallState, Capability, MediaKind
from app.controller.api import ControllerApi
from ui import icons
from ui.meeting.arrange import Layout, TileKey
from ui.meeting.commands import Commands
from ui.meeting.reactions import REACTIONS
from ui.meeting.shortcuts import BY_ID, hint
from ui.theme import Size, Space, theme
from ui.widgets.menus import Menu
from ui.widgets.text import label, plain

if TYPE_CHECKING:
    from ui.meeting.view import MeetingView

VOLUME_STEPS = 200
"""Positions of the volume slider: 0 .. 200 percent."""
HEIGHTS: tuple[int, ...] = (0, 720, 360, 180)


class MeetingMenus(QObject):
    """Builds menus for one :class:`ui.meeting.view.MeetingView`."""

    def __init__(self, view: MeetingView, controller: ControllerApi, commands: Commands) -> None:
        super().__init__(view)
        self._view = view
        self._controller = controller
        self._commands = commands
        self._volumes: dict[str, float] = {}

    def _state(self) -> CallState:
        return self._commands.state

    # -- devices

    def microphone(self) -> Menu:
        menu = Menu(self.tr("Microphone and speaker"), self._view)
        self._devices(menu, self.tr("Microphone"), "audioinput", "microphone")
        menu.addSeparator()
        self._devices(menu, self.tr("Speaker"), "audiooutput", "speaker")
        menu.addSeparator()
        menu.entry(self.tr("Sound settings…"), lambda: self._view.settingsRequested.emit("audio"), "settings")
        return menu

    def camera(self) -> Menu:
        menu = Menu(self.tr("Camera"), self._view)
        self._devices(menu, self.tr("Camera"), "videoinput", "camera")
        menu.addSeparator()
        mirror = bool(self._controller.setting("view.mirror_self"))
        menu.entry(
            self.tr("Mirror my own picture"),
            lambda: self._controller.set_setting("view.mirror_self", not mirror),
            checked=mirror,
        )
        menu.entry(self.tr("Video settings…"), lambda: self._view.settingsRequested.emit("video"), "settings")
        return menu

    def _devices(self, menu: Menu, heading: str, kind: str, what: str) -> None:
        menu.heading(heading)
        chosen = self._controller.setting(f"devices.{what}") or ""
        found = [device for device in self._controller.devices() if device.kind == kind]
        if not found:
            entry = menu.entry(self.tr("None found"))
            if entry is not None:
                entry.setEnabled(False)
            return
        default = next((device.label for device in found if device.is_default), "")
        words = self.tr("System default ({device})").format(device=default) if default else self.tr("System default")
        menu.choice(words, self._select(what, ""), checked=chosen == "")
        for device in found:
            menu.choice(device.label, self._select(what, device.id), checked=chosen == device.id)

    def _select(self, what: str, device: str) -> Callable[[], None]:
        return lambda: self._commands.perform(act.SelectDevices(**{what: device}))

    # -- reactions, leaving

    def reactions(self) -> Menu:
        menu = Menu(self.tr("Reactions"), self._view)
        for index, reaction in enumerate(REACTIONS, start=1):
            shortcut = BY_ID[f"reaction_{index}"].shown()[0] if f"reaction_{index}" in BY_ID else ""
            words = f"{reaction.emoji}  {reaction.words}"
            menu.entry(words, self._react(reaction.key), shortcut=shortcut)
        return menu

    def _react(self, key: str) -> Callable[[], None]:
        return lambda: self._commands.react(key)

    def leave(self) -> Menu:
        menu = Menu(self.tr("Leave"), self._view)
        menu.entry(self.tr("&Leave the meeting"), self._commands.leave, "logout", mnemonics=True)
        capability = selectors.capability(self._state(), act.EndForAll)
        words = self.tr("&End the meeting for all")
        menu.entry(words, lambda: self._commands.leave(True), "phone-off", capability=capability, danger=True,
                   mnemonics=True)  # fmt: skip
        return menu

    # -- more

    def more(self) -> Menu:
        state, view = self._state(), self._view
        menu = Menu(self.tr("More actions"), view)
        self._overflow(menu)
        menu.entry(
            self.tr("Leave full &screen") if view.full_screen else self.tr("Full &screen"),
            view.toggle_full_screen, "minimize" if view.full_screen else "maximize",
            shortcut=hint("full_screen"), mnemonics=True,
        )  # fmt: skip
        self._view_entries(menu)
        menu.addMenu(self._quality(menu))
        menu.addSeparator()
        menu.entry(self.tr("&Copy meeting link"), view.copy_link, "copy", mnemonics=True)
        menu.entry(self.tr("Change the s&ubject…"), view.ask_subject, "pencil",
                   capability=selectors.capability(state, act.SetSubject), mnemonics=True)  # fmt: skip
        menu.entry(self.tr("Meeting &password…"), view.ask_lock, "lock",
                   capability=selectors.capability(state, act.Lock), mnemonics=True)  # fmt: skip
        self._moderation(menu, state)
        menu.addSeparator()
        if selectors.capability(state, act.SendDtmf).present:
            menu.entry(self.tr("&Keypad"), lambda: view.toggle_panel("keypad"), "dialpad",
                       capability=self._keypad(state), mnemonics=True)  # fmt: skip
        menu.entry(self.tr("S&tatistics"), lambda: view.toggle_panel("statistics"), "chart-bar",
                   shortcut=hint("statistics"), mnemonics=True)  # fmt: skip
        menu.entry(self.tr("Keyboard s&hortcuts"), view.shortcutsRequested.emit, "keyboard", shortcut=hint("help"),
                   mnemonics=True)  # fmt: skip
        menu.entry(self.tr("Se&ttings"), lambda: view.settingsRequested.emit(""), "settings", mnemonics=True)
        return menu

    def _overflow(self, menu: Menu) -> None:
        view = self._view
        words = {
            "share": self.tr("Stop sharing") if self._state().local.sharing_screen else self.tr("Share screen"),
            "chat": self.tr("Chat"),
            "participants": self.tr("Participants"),
            "hand": view.toolbar.buttons["hand"].accessibleName(),
            "reactions": self.tr("Reactions"),
            "layout": view.toolbar.buttons["layout"].accessibleName(),
        }
        dropped = view.toolbar.overflow
        for name in dropped:
            button = view.toolbar.buttons[name]
            text = words[name]
            if name == "chat" and self._state().unread_messages:
                text = self.tr("Chat ({count})").format(count=self._state().unread_messages)
            if name == "reactions":
                submenu = self.reactions()
                submenu.setTitle(text)
                submenu.setIcon(icons.icon(button.icon_name))
                submenu.setParent(menu, submenu.windowFlags())
                menu.addMenu(submenu)
                continue
            capability = Capability(button.isEnabled(), button.toolTip() if not button.isEnabled() else "")
            menu.entry(text, self._activate(name), button.icon_name, capability=capability,
                       shortcut=hint(name))  # fmt: skip
        if dropped:
            menu.addSeparator()

    def _activate(self, name: str) -> Callable[[], None]:
        return lambda: self._view.activate(name)

    def _view_entries(self, menu: Menu) -> None:
        view = self._view
        shown = bool(self._controller.setting("view.show_self"))
        menu.entry(self.tr("Show my own picture"), lambda: self._controller.set_setting("view.show_self", not shown),
                   checked=shown)  # fmt: skip
        everybody = bool(self._controller.setting("view.show_without_video"))
        menu.entry(
            self.tr("Show people without video"),
            lambda: self._controller.set_setting("view.show_without_video", not everybody),
            checked=everybody,
        )
        if view.stage.choices.layout is Layout.SPEAKER:
            menu.entry(self.tr("Show the filmstrip"), view.toggle_strip, checked=view.stage.choices.show_strip,
                       shortcut=hint("filmstrip"))  # fmt: skip

    def _quality(self, parent: QWidget) -> Menu:
        menu = self.quality()
        menu.setParent(parent, menu.windowFlags())
        menu.setTitle(self.tr("&Video quality"))
        menu.setIcon(icons.icon("video"))
        return menu

    def quality(self) -> Menu:
        """Upper bound for received pictures, down to sound alone."""
        menu = Menu(self.tr("Video quality"), self._view)
        state = self._state()
        audio_only = state.local.audio_only
        limit = self._controller.setting("video.receive_max_height") or 0
        words = {
            0: self.tr("Best"), 720: self.tr("High (720 lines)"), 360: self.tr("Standard (360 lines)"),
            180: self.tr("Low (180 lines)"),
        }  # fmt: skip
        for height in HEIGHTS:
            menu.choice(words[height], self._limit(height), checked=not audio_only and limit == height)
        if selectors.capability(state, act.SetAudioOnly).present:
            menu.choice(self.tr("Sound only"), lambda: self._commands.set_audio_only(True), checked=audio_only)
        return menu

    def _limit(self, height: int) -> Callable[[], None]:
        def choose() -> None:
            if self._state().local.audio_only:
                self._commands.set_audio_only(False)
            self._controller.set_setting("video.receive_max_height", height)

        return choose

    def _moderation(self, menu: Menu, state: CallState) -> None:
        capability = selectors.capability(state, act.MuteEveryone)
        if not capability.present:
            return
        menu.addSeparator()
        menu.entry(
            self.tr("Mute everyone else"),
            lambda: self._commands.perform(act.MuteEveryone(MediaKind.AUDIO, (state.local_id,))),
            "microphone-off", capability=capability,
        )  # fmt: skip
        menu.entry(
            self.tr("Stop everyone else’s camera"),
            lambda: self._commands.perform(act.MuteEveryone(MediaKind.VIDEO, (state.local_id,))),
            "video-off", capability=capability,
        )  # fmt: skip

    def _keypad(self, state: CallState) -> Capability:
        capability = selectors.capability(state, act.SendDtmf)
        if capability.allowed and not state.dtmf_supported:
            return Capability(False, self.tr("Nobody in this meeting understands tones"))
        return capability

    # -- one participant

    def tile(self, key: TileKey) -> Menu:
        """Pin, volume, private message and what a moderator may do."""
        state, commands, view = self._state(), self._commands, self._view
        person = state.participants.get(key.participant_id)
        name = plain(selectors.display_name(person, self.tr("Guest")), 40)
        menu = Menu(self.tr("Actions for {name}").format(name=name), view)
        menu.heading(name)
        pinned = view.stage.choices.pinned == key
        menu.entry(self.tr("Unpin") if pinned else self.tr("Pin to the stage"), lambda: view.stage.toggle_pin(key),
                   "pinned-off" if pinned else "pin-filled")  # fmt: skip
        if person is None:
            return menu
        if person.is_local:
            mirror = bool(self._controller.setting("view.mirror_self"))
            menu.entry(
                self.tr("Mirror my own picture"),
                lambda: self._controller.set_setting("view.mirror_self", not mirror),
                checked=mirror,
            )
            menu.entry(self.tr("Hide my own picture"), lambda: self._controller.set_setting("view.show_self", False),
                       "eye-off")  # fmt: skip
            return menu
        if selectors.capability(state, act.SetParticipantVolume).allowed and not key.screen:
            menu.widget(self._volume(person.id, name))
        menu.entry(self.tr("Private message"), lambda: view.write_to(person.id), "message",
                   capability=selectors.capability(state, act.SendMessage))  # fmt: skip
        menu.addSeparator()
        self._moderator_entries(menu, state, key)
        if person.raised_hand_at is not None:
            menu.entry(self.tr("Lower hand"), lambda: commands.perform(act.LowerHand(person.id)), "hand-off",
                       capability=selectors.capability(state, act.LowerHand))  # fmt: skip
        return menu

    def _moderator_entries(self, menu: Menu, state: CallState, key: TileKey) -> None:
        commands, who = self._commands, key.participant_id
        mute = selectors.capability(state, act.MuteParticipant)
        if key.screen:
            menu.entry(self.tr("Stop this screen"),
                       lambda: commands.perform(act.MuteParticipant(who, MediaKind.VIDEO, screen=True)),
                       "screen-share-off", capability=mute)  # fmt: skip
            return
        already = Capability(False, self.tr("Is off already; only the person can turn it on"))
        silent = selectors.is_muted(state, who, MediaKind.AUDIO)
        dark = selectors.is_muted(state, who, MediaKind.VIDEO)
        menu.entry(self.tr("Mute microphone"), lambda: commands.mute_other(who, MediaKind.AUDIO), "microphone-off",
                   capability=already if silent and mute.allowed else mute)  # fmt: skip
        menu.entry(self.tr("Stop camera"), lambda: commands.mute_other(who, MediaKind.VIDEO), "video-off",
                   capability=already if dark and mute.allowed else mute)  # fmt: skip
        menu.entry(self.tr("Make moderator"), lambda: commands.perform(act.GrantModerator(who)), "shield",
                   capability=selectors.capability(state, act.GrantModerator))  # fmt: skip
        menu.entry(self.tr("Remove from the meeting"), lambda: commands.perform(act.Kick(who)), "user-x",
                   capability=selectors.capability(state, act.Kick), danger=True)  # fmt: skip

    def _volume(self, participant_id: str, name: str) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(Space.S, 0, Space.M, 0)
        mark = label()
        mark.setPixmap(icons.pixmap("volume", theme().palette.text, Size.ICON, self._view.devicePixelRatioF()))
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, VOLUME_STEPS)
        slider.setPageStep(10)
        slider.setFixedWidth(150)
        slider.setAccessibleName(self.tr("Volume of {name}").format(name=name))
        slider.setValue(round(self._volumes.get(participant_id, 1.0) * 100))
        value = label(f"{slider.value()} %", "caption")
        value.setMinimumWidth(44)

        def changed(position: int) -> None:
            value.setText(f"{position} %")
            self._volumes[participant_id] = position / 100
            self._commands.set_volume(participant_id, position / 100)

        slider.valueChanged.connect(changed)
        for widget in (mark, slider, value):
            row.addWidget(widget)
        return holder

    def forget(self, state: CallState) -> None:
        """Drop what was kept for people who are gone."""
        self._volumes = {key: value for key, value in self._volumes.items() if key in state.participants}
