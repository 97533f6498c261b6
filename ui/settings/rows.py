"""One setting as a control with its words. Made from the declaration, so that a new setting needs nothing here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from app.controller.api import ControllerApi
from app.storage.settings import Applies, Setting, SettingType
from ui import forms
from ui.i18n import translate
from ui.settings import values
from ui.theme import Space
from ui.widgets.fields import ComboBox, Switch, TextField
from ui.widgets.text import plain
from ui.widgets.toast import announce

FIELD_WIDTH = 300


def words(text: str) -> str:
    """A label or help text of a declaration in the language of the window."""
    return QCoreApplication.translate("settings", text) if text else ""


class SettingRow(QWidget):
    """Base: caption, control, help, and the sentence when a value does not fit."""

    def __init__(self, setting: Setting, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setting = setting
        self._controller = controller
        self.label_text = words(setting.label)
        self.help_text = words(setting.help)
        self.problem = forms.label("", "bad")
        self.problem.hide()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(Space.XS)
        self.build()
        notes = [self.help_text] if self.help_text else []
        if setting.applies is Applies.NEXT_CALL:
            notes.append(translate("SettingsWindow", "Takes effect in the next meeting."))
        elif setting.applies is Applies.RESTART:
            notes.append(translate("SettingsWindow", "Takes effect after a restart."))
        if notes:
            note = forms.label(" ".join(notes), "caption")
            if isinstance(self.control, Switch):
                note.setContentsMargins(Switch.TRACK.width() + Space.M, 0, 0, 0)
            self.control.setAccessibleDescription(" ".join(notes))
            self.column.addWidget(note)
        self.column.addWidget(self.problem)
        self.refresh()

    control: QWidget

    def build(self) -> None:
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        raise NotImplementedError

    def refresh(self) -> None:
        self.show_value(values.value(self._controller, self.setting.key))

    def search_text(self) -> str:
        return f"{self.label_text} {self.help_text}"

    def store(self, value: Any) -> None:
        """Keep *value*; when it does not fit, say why and show what holds."""
        try:
            self._controller.set_setting(self.setting.key, value)
        except ValueError as error:
            self.problem.setText(str(error))
            self.problem.show()
            announce(self.problem, str(error), urgent=True)
            self.refresh()
        else:
            self.problem.hide()

    def _add_captioned(self, control: QWidget) -> None:
        caption = forms.label(self.label_text)
        caption.setBuddy(control)
        control.setAccessibleName(self.label_text)
        control.setMaximumWidth(FIELD_WIDTH)
        self.column.addWidget(caption)
        self.column.addWidget(control)


class SwitchRow(SettingRow):
    def build(self) -> None:
        self.control: Switch = Switch(self.label_text)
        self.control.clicked.connect(lambda on: self.store(bool(on)))
        self.column.addWidget(self.control, 0, Qt.AlignmentFlag.AlignLeading)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.control):
            self.control.setChecked(bool(value))
        self.control._move(bool(value))


class QuietCombo(ComboBox):
    """Does not change by the wheel while one scrolls past."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ChoiceRow(SettingRow):
    def build(self) -> None:
        self.control: QuietCombo = QuietCombo(self.label_text)
        for choice in self.setting.choices:
            self.control.addItem(words(choice.label), choice.value)
        self.control.activated.connect(lambda index: self.store(self.control.itemData(index)))
        self._add_captioned(self.control)

    def show_value(self, value: Any) -> None:
        self.control.setCurrentIndex(max(0, self.control.findData(value)))


class QuietSpin(QSpinBox):
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class NumberRow(SettingRow):
    def build(self) -> None:
        self.control: QuietSpin = QuietSpin()
        self.control.setRange(self.setting.minimum, self.setting.maximum)
        self.control.setKeyboardTracking(False)
        self.control.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        if self.setting.unit:
            self.control.setSuffix(f" {words(self.setting.unit)}")
        self.control.valueChanged.connect(self.store)
        self._add_captioned(self.control)
        self.control.lineEdit().setAccessibleName(self.label_text)
        self.control.setMaximumWidth(FIELD_WIDTH // 2)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.control):
            self.control.setValue(int(value))


class TextRow(SettingRow):
    def build(self) -> None:
        self.control: TextField = TextField(self.label_text)
        self.control.setMaxLength(self.setting.max_length)
        self.control.editingFinished.connect(self._finished)
        self._add_captioned(self.control)

    def _finished(self) -> None:
        if self.control.text() != values.text(self._controller, self.setting.key):
            self.store(self.control.text())

    def show_value(self, value: Any) -> None:
        if not self.control.hasFocus() and self.control.text() != value:
            self.control.setText(str(value))


class ListRow(SettingRow):
    """Entries that can be removed; they are added elsewhere."""

    def build(self) -> None:
        self.control: QWidget = QWidget()
        self.control.setAccessibleName(self.label_text)
        self._entries = QVBoxLayout(self.control)
        self._entries.setContentsMargins(0, 0, 0, 0)
        self._entries.setSpacing(0)
        self.column.addWidget(forms.label(self.label_text))
        self.column.addWidget(self.control)

    def _remove(self, entry: str) -> None:
        self.store(tuple(kept for kept in values.value(self._controller, self.setting.key) if kept != entry))

    def show_value(self, value: Any) -> None:
        while (item := self._entries.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        if not value:
            self._entries.addWidget(forms.label(translate("SettingsWindow", "None"), "muted"))
        for entry in value:
            text = forms.ElidedLabel(plain(entry, 200))
            remove = forms.icon_button(
                "trash",
                translate("SettingsWindow", "Remove {entry}").format(entry=plain(entry, 40)),
                partial(self._remove, entry),
            )
            line = QWidget()
            forms.row(text, remove, parent=line)
            line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
            self._entries.addWidget(line)


ROWS: dict[SettingType, Callable[[Setting, ControllerApi], SettingRow]] = {
    SettingType.SWITCH: SwitchRow,
    SettingType.CHOICE: ChoiceRow,
    SettingType.NUMBER: NumberRow,
    SettingType.TEXT: TextRow,
    SettingType.LIST: ListRow,
}
