"""Offers about devices: a headset that was just plugged in, the other half of it, the microphone that hears one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.calls.model import Failure
from app.controller.api import ControllerApi
from app.media.api import Device, DevicesChanged, EngineEvent, MicrophoneHint
from ui import forms, i18n
from ui.settings import values
from ui.tasks import Tasks
from ui.theme import Space
from ui.widgets.text import plain
from ui.widgets.toast import announce

MAX_LABEL = 80
MICROPHONE, SPEAKER = "devices.microphone", "devices.speaker"


def partner(devices: tuple[Device, ...], chosen: str, kind: str) -> Device | None:
    """The device of *kind* that belongs to the same equipment as the one with the id *chosen*."""
    group = next((d.group_id for d in devices if d.id == chosen), "")
    return next((d for d in devices if group and d.group_id == group and d.kind == kind), None)


class DeviceOffer(QWidget):
    """One offer at a time; hidden without one."""

    def __init__(self, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._changes: dict[str, str] = {}
        self._known = {device.id for device in controller.devices()}
        self._searching = False
        self._tasks = Tasks(self._refused)
        self.text = forms.label("", "emphasis")
        self.accept = forms.push_button(i18n.translate("Devices", "Use it"), self._accept)
        self.dismiss = forms.icon_button("x", i18n.translate("Devices", "Dismiss"), self.clear)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(Space.S)
        line.addWidget(self.text, 1)
        line.addWidget(self.accept)
        line.addWidget(self.dismiss)
        self.hide()
        self._stop: list[Callable[[], None]] = [
            controller.subscribe_engine(self._engine_event),
            controller.subscribe_settings(self._settings_changed),
        ]

    def release(self) -> None:
        """Stop listening; call when the view goes away."""
        for stop in self._stop:
            stop()
        self._stop.clear()
        self._tasks.cancel()

    def clear(self) -> None:
        self._changes = {}
        self.hide()

    def search(self) -> None:
        """Listen to all microphones for a moment and offer the one that hears something."""
        if self._searching:
            return
        self._searching = True
        self._say(i18n.translate("Devices", "Listening to all microphones… Say something."), {})
        self._tasks.spawn(self._controller.find_active_microphone(), then=self._found)

    # ------------------------------------------------------------ offering

    def _say(self, words: str, changes: dict[str, str]) -> None:
        self._changes = changes
        self.text.setText(words)
        self.accept.setVisible(bool(changes))
        self.show()
        announce(self, words)

    def _accept(self) -> None:
        changes = self._changes
        self.clear()
        for key, device in changes.items():
            self._controller.set_setting(key, device)

    def _found(self, device: Device | None) -> None:
        self._searching = False
        if device is None:
            self._say(i18n.translate("Devices", "None of the microphones hears anything."), {})
            return
        words = i18n.translate("Devices", "Sound comes from “{name}”. Use it?")
        self._say(words.format(name=plain(device.label, MAX_LABEL)), {MICROPHONE: device.id})

    def _refused(self, failure: Failure) -> None:
        self._searching = False
        self._say(i18n.sentence(failure.message), {})

    def _engine_event(self, event: EngineEvent) -> None:
        if isinstance(event, DevicesChanged):
            self._devices_changed(event.devices)
        elif isinstance(event, MicrophoneHint):
            owner = self.parentWidget()
            if event.code == "no_signal" and owner is not None and owner.isVisible() and self._wanted():
                self.search()

    def _wanted(self) -> bool:
        # In a meeting its own notice offers the same.
        return not self._controller.calls() and values.switch(self._controller, "hints.no_signal")

    def _devices_changed(self, devices: tuple[Device, ...]) -> None:
        new = [d for d in devices if d.id not in self._known and d.kind == "audioinput"]
        self._known = {device.id for device in devices}
        if any(device not in self._known for device in self._changes.values()):
            self.clear()
        chosen = values.text(self._controller, MICROPHONE)
        if not new or new[0].id == chosen:
            return
        changes = {MICROPHONE: new[0].id}
        speaker = partner(devices, new[0].id, "audiooutput")
        if speaker is not None:
            changes[SPEAKER] = speaker.id
        words = i18n.translate("Devices", "“{name}” was plugged in. Use it?")
        self._say(words.format(name=plain(new[0].label, MAX_LABEL)), changes)

    def _settings_changed(self, changes: Mapping[str, Any]) -> None:
        """Whoever chooses one half of a headset is offered the other."""
        for key, other, kind in ((MICROPHONE, SPEAKER, "audiooutput"), (SPEAKER, MICROPHONE, "audioinput")):
            if not changes.get(key):
                continue
            found = partner(self._controller.devices(), str(changes[key]), kind)
            if found is None or values.text(self._controller, other) == found.id:
                continue
            words = i18n.translate("Devices", "“{name}” belongs to the same headset. Use it as well?")
            self._say(words.format(name=plain(found.label, MAX_LABEL)), {other: found.id})
