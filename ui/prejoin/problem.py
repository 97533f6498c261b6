"""What a device cannot do, in one sentence, with what helps beside it and the details behind a fold."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.controller.api import ControllerApi
from app.media.api import InputFailed, InputLimited
from app.storage.settings import SETTINGS
from ui import forms, i18n
from ui.prejoin import device_words
from ui.settings import values
from ui.theme import Space
from ui.widgets.text import plain

SIZE = "video.camera_size"
MAX_DETAIL = 300


def sizes() -> list[tuple[int, int]]:
    """The picture sizes that the settings offer, smallest first."""
    found = []
    for choice in SETTINGS[SIZE].choices:
        width, _, height = str(choice.value).partition("x")
        found.append((int(width), int(height)))
    return sorted(found)


class DeviceProblem(QWidget):
    """Hidden while there is nothing to say.

    Signals:
        again(): "Try again" was pressed.
    """

    again = Signal()

    def __init__(self, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self._lower = ""
        self.text = forms.label("", "warn")
        self.try_again = forms.push_button(i18n.translate("Devices", "Try again"), self.again.emit)
        self.smaller = forms.push_button("", self._use_lower)
        self.fold = forms.push_button("", self.toggle_details, kind="quiet")
        self.details = forms.label("", "caption")
        self.details.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(Space.XS)
        line = forms.row(self.text, self.try_again, self.smaller)
        line.setStretch(0, 1)
        column.addLayout(line)
        column.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeading)
        column.addWidget(self.details)
        self.clear()

    def clear(self) -> None:
        self.say("")

    def say(self, sentence: str) -> None:
        """A sentence without details; an empty one hides everything."""
        self.text.setText(sentence)
        self.details.setText("")
        self.details.hide()
        self.fold.hide()
        self._offer("")
        self.try_again.setVisible(True)
        self.setVisible(bool(sentence))

    def show_failure(self, event: InputFailed) -> None:
        self.say(device_words.failure_sentence(event))
        self.details.setText(details_text(event))
        self.fold.show()
        self._label_fold()
        if event.code == "unsupported_resolution":
            wanted = tuple(int(part) for part in values.text(self._controller, SIZE).split("x"))
            smaller = [size for size in sizes() if size < wanted]
            self._offer("{}x{}".format(*smaller[-1]) if smaller else "")

    def show_limit(self, event: InputLimited) -> None:
        self.say(device_words.limit_sentence(event))
        self.try_again.hide()
        if event.code == "unsupported_resolution":
            fitting = [size for size in sizes() if size[0] <= event.width and size[1] <= event.height]
            self._offer("{}x{}".format(*fitting[-1]) if fitting else "")

    def toggle_details(self) -> None:
        self.details.setVisible(self.details.isHidden())
        self._label_fold()

    def _label_fold(self) -> None:
        hidden = self.details.isHidden()
        self.fold.setText(
            i18n.translate("Devices", "Show details") if hidden else i18n.translate("Devices", "Hide details")
        )

    def _offer(self, size: str) -> None:
        self._lower = size
        words = size.replace("x", " × ")
        self.smaller.setText(i18n.translate("Devices", "Use {size}").format(size=words) if size else "")
        self.smaller.setVisible(bool(size))

    def _use_lower(self) -> None:
        size = self._lower
        self.clear()
        self._controller.set_setting(SIZE, size)


def details_text(event: InputFailed) -> str:
    """For a report: name and words of the error, the system's own error, what was asked of which device."""
    lines = [
        (i18n.translate("Devices", "Error"), f"device.{event.code}"),
        (i18n.translate("Devices", "Message"), event.message),
        (i18n.translate("Devices", "System's error"), event.original),
        (i18n.translate("Devices", "Device"), f"{event.what} {event.device}"),
        (i18n.translate("Devices", "Asked for"), event.constraints),
    ]
    return "\n".join(f"{name}: {plain(words, MAX_DETAIL)}" for name, words in lines if words.strip())
