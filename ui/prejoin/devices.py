"""Device pickers that follow what is plugged in; used before the call and in the settings."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStyleOptionComboBox, QVBoxLayout, QWidget

from app.controller.api import ControllerApi
from app.media.api import Device, DevicesChanged, EngineEvent
from ui import forms
from ui.prejoin import device_words
from ui.settings import values
from ui.theme import Space, elide
from ui.widgets.fields import ComboBox
from ui.widgets.text import plain

SETTING_OF_KIND = {
    "audioinput": "devices.microphone",
    "audiooutput": "devices.speaker",
    "videoinput": "devices.camera",
}
MAX_LABEL = 80


class DeviceBox(ComboBox):
    """Cuts a long name with an ellipsis; the tooltip has all of it."""

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        option.currentText = elide(option.currentText, self.font(), self.width() - 3 * Space.XL)
        self.setToolTip(self.currentText())


class DevicePicker(QWidget):
    """One kind of device: caption, picker, and instead of the picker a sentence while there is none.

    The choice is a setting, so it is kept and applied at once. ``""`` follows the system's default device.

    Signals:
        looked(): "Look again" was pressed.
    """

    looked = Signal()

    def __init__(
        self,
        kind: str,
        controller: ControllerApi,
        parent: QWidget | None = None,
        *,
        setting: str = "",
        caption: str = "",
    ) -> None:
        """*setting* and *caption*: of another use of such a device than the usual one (ringing)."""
        super().__init__(parent)
        self.kind = kind
        self._setting = setting or SETTING_OF_KIND[kind]
        self._controller = controller
        usual = {
            "audioinput": self.tr("Microphone"),
            "audiooutput": self.tr("Speaker"),
            "videoinput": self.tr("Camera"),
        }
        caption = caption or usual[kind]
        self.caption = forms.label(caption, "caption")
        self.box = DeviceBox(caption)
        self.box.activated.connect(self._chosen)
        self.caption.setBuddy(self.box)
        self.missing = forms.label(device_words.missing_sentence(kind), "muted")
        self.again = forms.icon_button("refresh", self.tr("Look again"), self._look_again)
        self.extra = forms.row()
        """Beside the picker: a test button or the like."""
        self._missing_row = QWidget(self)
        line = forms.row(self.missing, self.again, parent=self._missing_row)
        line.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(Space.XS)
        layout.addWidget(self.caption)
        self._box_row = QWidget(self)
        line = forms.row(self.box, self.extra, parent=self._box_row)
        line.setStretch(0, 1)
        layout.addWidget(self._box_row)
        layout.addWidget(self._missing_row)
        self._stop: Callable[[], None] | None = controller.subscribe_engine(self._engine_event)
        self._stop_settings: Callable[[], None] | None = controller.subscribe_settings(lambda _v: self.refresh())
        self.refresh()

    def release(self) -> None:
        """Stop listening; call when the view goes away."""
        for stop in (self._stop, self._stop_settings):
            if stop is not None:
                stop()
        self._stop = self._stop_settings = None

    def set_stand_in(self, stands_in: bool) -> None:
        """There is no device, yet something was started in its place (the demo's test picture and tone)."""
        words = device_words.missing_sentence(self.kind)
        if stands_in and self.kind == "videoinput":
            words = self.tr("No camera found. A test picture is sent instead.")
        elif stands_in and self.kind == "audioinput":
            words = self.tr("No microphone found. A test tone is sent instead.")
        self.missing.setText(words)

    def devices(self) -> list[Device]:
        return [d for d in self._controller.devices() if d.kind == self.kind]

    def refresh(self) -> None:
        """Read devices and choice again."""
        found = self.devices()
        chosen = values.text(self._controller, self._setting)
        entries = [("", self._default_text(found))] + [(d.id, plain(d.label, MAX_LABEL)) for d in found]
        if chosen and chosen not in {d.id for d in found}:
            entries.append((chosen, self.tr("Not plugged in; using the system's default")))
        if entries != [(self.box.itemData(i), self.box.itemText(i)) for i in range(self.box.count())]:
            self.box.clear()
            for identifier, words in entries:
                self.box.addItem(words, identifier)
        self.box.setCurrentIndex(max(0, self.box.findData(chosen)))
        self._box_row.setVisible(bool(found))
        self._missing_row.setVisible(not found)

    def _default_text(self, found: list[Device]) -> str:
        default = next((d for d in found if d.is_default), found[0] if found else None)
        if default is None:
            return self.tr("System default")
        return self.tr("System default ({name})").format(name=plain(default.label, MAX_LABEL))

    def _chosen(self, index: int) -> None:
        self._controller.set_setting(self._setting, self.box.itemData(index) or "")

    def _look_again(self) -> None:
        self.refresh()
        self.looked.emit()

    def _engine_event(self, event: EngineEvent) -> None:
        if isinstance(event, DevicesChanged):
            self.refresh()
