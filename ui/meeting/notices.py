"""From events to toasts: what is worth saying, in which words, and what belongs together."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.calls import events as ev
from app.calls import selectors
from app.calls.model import CallPhase, CallState
from ui import i18n
from ui.theme import Duration
from ui.widgets.text import plain
from ui.widgets.toast import ToastMessage, ToastStack

QUIET_AT_START_S = 1.5
"""Who is in the room already is announced one by one right after joining; nobody wants toasts for them."""
NAMES_SHOWN = 2
GROUP_LIMIT = 200
"""Names kept for one grouped toast."""


class Notices(QObject):
    """Turns the events of one call into toasts.

    Args:
        wanted: whether a setting (``notifications.join_leave`` ...) is on.
        actions: what toasts offer, by name: ``microphone`` opens the device menu, ``unmute``, ``chat``.
    """

    def __init__(
        self,
        toasts: ToastStack,
        wanted: Callable[[str], bool],
        actions: dict[str, Callable[[], object]],
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._toasts = toasts
        self._wanted = wanted
        self._actions = actions
        self._clock = clock
        self._quiet_until = clock() + QUIET_AT_START_S
        self._joined: dict[str, str] = {}
        self._left: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._group = QTimer(self)
        self._group.setSingleShot(True)
        self._group.setInterval(Duration.GROUP)
        self._group.timeout.connect(self.flush)
        self._handlers: dict[type, Callable[[CallState, ev.CallEvent], None]] = {
            ev.Joined: self._on_joined,
            ev.PhaseChanged: self._on_phase,
            ev.ParticipantJoined: self._on_participant_joined,
            ev.ParticipantLeft: self._on_participant_left,
            ev.ParticipantKicked: self._on_kicked,
            ev.HandRaised: self._on_hand,
            ev.ParticipantChanged: self._on_changed,
            ev.LocalMediaChanged: self._on_local_media,
            ev.StartedMuted: self._on_started_muted,
            ev.RoleChanged: self._on_role,
            ev.LockChanged: self._on_lock,
            ev.MessageReceived: self._on_message,
            ev.AudioInputHint: self._on_hint,
            ev.Notice: self._on_notice,
        }

    def observe(self, state: CallState, event: ev.CallEvent) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(state, event)
        # Remembered for the time when the person is gone from the state.
        if isinstance(event, ev.ParticipantJoined | ev.ParticipantChanged | ev.Joined):
            self._names = {key: self._name(state, key) for key in state.participants}

    def learn(self, state: CallState) -> None:
        """Take the names of those present without saying anything."""
        self._names = {key: self._name(state, key) for key in state.participants}

    def say(self, text: str, level: str = "info", icon: str = "", key: str = "", action: str = "", words: str = "",
            sticky: bool = False) -> None:  # fmt: skip
        self._toasts.show_message(
            ToastMessage(text, level, icon, key, words, self._actions.get(action) if action else None, sticky)
        )

    def _name(self, state: CallState, participant_id: str | None) -> str:
        person = state.participants.get(participant_id or "")
        known = self._names.get(participant_id or "", "")
        return plain(selectors.display_name(person, known or self.tr("Guest")), 40)

    # -- coming and going

    def _on_joined(self, state: CallState, event: ev.CallEvent) -> None:
        self._quiet_until = self._clock() + QUIET_AT_START_S

    def _quiet(self, state: CallState) -> bool:
        return state.phase is not CallPhase.JOINED or self._clock() < self._quiet_until

    def _on_participant_joined(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.ParticipantJoined)
        person = event.participant
        if person.is_local or person.is_hidden or self._quiet(state) or not self._wanted("notifications.join_leave"):
            return
        if len(self._joined) < GROUP_LIMIT:
            self._joined[person.id] = self._name(state, person.id)
        self._group.start()

    def _on_participant_left(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.ParticipantLeft)
        name = self._names.pop(event.participant_id, "")
        if not name or self._quiet(state) or not self._wanted("notifications.join_leave"):
            return
        # Somebody who came and went within the same moment is not worth two toasts.
        if self._joined.pop(event.participant_id, None) is None and len(self._left) < GROUP_LIMIT:
            self._left[event.participant_id] = name
        self._group.start()

    def flush(self) -> None:
        """Say who came and went since the last time."""
        joined, self._joined = tuple(self._joined.values()), {}
        left, self._left = tuple(self._left.values()), {}
        if joined:
            self.say(self._sentence(joined, True), icon="user-plus", key="joined")
        if left:
            self.say(self._sentence(left, False), icon="user", key="left")

    def _sentence(self, names: tuple[str, ...], joined: bool) -> str:
        first = names[0]
        if len(names) == 1:
            text = self.tr("{name} joined") if joined else self.tr("{name} left")
            return text.format(name=first)
        if len(names) == NAMES_SHOWN:
            text = self.tr("{first} and {second} joined") if joined else self.tr("{first} and {second} left")
            return text.format(first=first, second=names[1])
        others = len(names) - 1
        if joined:
            return self.tr("{name} and %n other(s) joined", "", others).format(name=first)
        return self.tr("{name} and %n other(s) left", "", others).format(name=first)

    def _on_kicked(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.ParticipantKicked)
        self._joined.pop(event.participant_id, None)
        name = self._name(state, event.participant_id)
        self._names.pop(event.participant_id, None)
        actor = self._name(state, event.actor_id) if event.actor_id else self.tr("A moderator")
        self.say(self.tr("{actor} removed {name}").format(actor=actor, name=name), icon="user-x")

    # -- hands, roles, lock, messages

    def _on_hand(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.HandRaised)
        key = f"hand-{event.participant_id}"
        if event.raised_at is None:
            self._toasts.dismiss(key)
        elif event.participant_id != state.local_id and self._wanted("notifications.hands"):
            name = self._name(state, event.participant_id)
            self.say(self.tr("{name} raised a hand").format(name=name), icon="hand-stop", key=key)

    def _on_changed(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.ParticipantChanged)
        person = event.participant
        if person.id in self._names and not person.connection_active and not person.is_local:
            name = self._name(state, person.id)
            key = f"lost-{person.id}"
            self.say(self.tr("{name} has connection problems").format(name=name), icon="wifi-off", key=key)

    def _on_role(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.RoleChanged)
        if self._quiet(state):
            return
        if event.participant_id == state.local_id:
            moderator = event.role == "moderator"
            text = self.tr("You are now a moderator") if moderator else self.tr("You are no longer a moderator")
            self.say(text, icon="shield", key="role")

    def _on_lock(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.LockChanged)
        if not self._quiet(state):
            text = self.tr("The meeting now needs a password") if event.locked else self.tr("The password was removed")
            self.say(text, icon="lock" if event.locked else "lock-open", key="lock")

    def _on_message(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.MessageReceived)
        message = event.message
        if message.is_local or message.system or message.retracted or message.reactions:
            return
        if not self._wanted("notifications.chat") or state.unread_messages == 0 or self._quiet(state):
            return
        sender, text = plain(message.sender_name, 40) or self.tr("Guest"), plain(message.text, 120)
        private = self.tr("{name} (private): {text}") if message.private_to else self.tr("{name}: {text}")
        words = private.format(name=sender, text=text)
        self.say(words, icon="message", key="chat", action="chat", words=self.tr("Open chat"))

    # -- our own media

    def _on_local_media(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.LocalMediaChanged)
        if event.microphone_muted is False:
            self._toasts.dismiss("muted-talking")
            self._toasts.dismiss("muted-by")
        if not event.muted_by:
            return
        actor = self._name(state, event.muted_by)
        if event.microphone_muted:
            text = self.tr("{name} muted your microphone").format(name=actor)
            self.say(text, icon="microphone-off", key="muted-by", action="unmute", words=self.tr("Unmute"))
        elif event.camera_muted:
            self.say(self.tr("{name} stopped your camera").format(name=actor), icon="video-off", key="camera-by")

    def _on_started_muted(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.StartedMuted)
        if event.audio and event.video:
            text = self.tr("This meeting starts with microphones and cameras off")
        elif event.audio:
            text = self.tr("This meeting starts with microphones off")
        else:
            text = self.tr("This meeting starts with cameras off")
        self.say(text, icon="microphone-off", key="started-muted")

    def _on_hint(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.AudioInputHint)
        choose = self.tr("Choose another microphone")
        if event.code == "talking_while_muted":
            if state.local.microphone_muted and self._wanted("hints.talk_while_muted"):
                text = self.tr("You are muted but talking")
                self.say(text, "warning", "microphone-off", "muted-talking", "unmute", self.tr("Unmute"))
        elif event.code == "no_signal":
            if self._wanted("hints.no_signal"):
                text = self.tr("No sound comes from your microphone")
                self.say(text, "warning", "microphone-off", "no-signal", "microphone", choose, sticky=True)
        elif event.code == "signal_back":
            self._toasts.dismiss("no-signal")
        elif event.code == "noisy" and self._wanted("hints.noisy"):
            text = self.tr("Your microphone is noisy")
            self.say(text, "warning", "microphone", "noisy", "microphone", choose)

    def offer_microphone(self, label: str, use: Callable[[], object]) -> None:
        """Another microphone hears something while ours is silent: in place of the notice that ours is."""
        text = self.tr("Sound comes from “{name}”. Use it?").format(name=plain(label, 80))
        self._toasts.show_message(
            ToastMessage(text, "warning", "microphone", "no-signal", self.tr("Use it"), use, sticky=True)
        )

    # -- the rest

    def _on_phase(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.PhaseChanged)
        if event.phase is CallPhase.RECONNECTING:
            self._group.stop()
            self._joined.clear()
            self._left.clear()
        elif event.phase is CallPhase.JOINED:
            self._quiet_until = self._clock() + QUIET_AT_START_S

    def _on_notice(self, state: CallState, event: ev.CallEvent) -> None:
        assert isinstance(event, ev.Notice)
        level = event.level if event.level in ("info", "warning", "error") else "info"
        icon = "player-record" if event.code.startswith("recording") else ""
        self.say(i18n.sentence(event.message), level, icon, f"notice-{event.code}")
