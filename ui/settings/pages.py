"""The pages of the settings window, one for each section, with live meter, test sound and camera picture."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.calls.model import Failure, SourceContent
from app.controller.api import ControllerApi
from app.media.api import EngineEvent, InputFailed, InputLimited, InputSlow, InputStarted, LocalAudioLevel
from app.storage.settings import SECTION_LABELS, SETTINGS, Section, Setting, SettingType
from ui import forms, i18n
from ui.panels.participants_model import fold
from ui.prejoin import device_words
from ui.prejoin.devices import DevicePicker
from ui.prejoin.offers import DeviceOffer
from ui.prejoin.preview import PreviewSurface
from ui.prejoin.problem import DeviceProblem
from ui.settings import values
from ui.settings.rows import ROWS, SettingRow, words
from ui.tasks import Tasks
from ui.theme import Space
from ui.widgets.marks import LevelMeter

PREVIEW_WIDTH, PREVIEW_HEIGHT = 320, 180
PAGE_WIDTH = 560
SPEECH_SCORE = 0.5
"""From here on the microphone test says that it hears speech."""


class Page(QWidget):
    """Rows of one section; advanced ones behind a fold."""

    def __init__(self, section: Section, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = section
        self._controller = controller
        self.title_text = words(SECTION_LABELS[section])
        self.rows: list[SettingRow] = []
        self.pickers: list[DevicePicker] = []
        self.setProperty("look", "surface")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(Space.XL, Space.XL, Space.XL, Space.XL)
        self.column.setSpacing(Space.L)
        self.column.addWidget(forms.label(self.title_text, "title"))
        settings = [s for s in SETTINGS.values() if s.section is section]
        self.add_head(section)
        for setting in settings:
            if not setting.advanced:
                self._add(setting, self.column)
        self.fold = forms.push_button("", self.toggle_advanced, kind="quiet")
        self.advanced = QWidget()
        advanced = QVBoxLayout(self.advanced)
        advanced.setContentsMargins(0, 0, 0, 0)
        advanced.setSpacing(Space.L)
        hidden = [s for s in settings if s.advanced]
        for setting in hidden:
            self._add(setting, advanced)
        self.advanced.hide()
        self.fold.setVisible(bool(hidden))
        self._label_fold()
        self.column.addWidget(self.fold, 0, Qt.AlignmentFlag.AlignLeading)
        self.column.addWidget(self.advanced)
        self.column.addStretch(1)

    def add_head(self, section: Section) -> None:
        """What stands above the rows."""

    def _add(self, setting: Setting, column: QVBoxLayout) -> None:
        if setting.type is SettingType.DEVICE:
            caption = words(setting.label) if self.section is Section.PHONE else ""
            picker = DevicePicker(setting.device_kind, self._controller, setting=setting.key, caption=caption)
            self.pickers.append(picker)
            column.addWidget(picker)
            self.after_picker(picker, column)
            return
        row = ROWS[setting.type](setting, self._controller)
        self.rows.append(row)
        column.addWidget(row)

    def after_picker(self, picker: DevicePicker, column: QVBoxLayout) -> None:
        """What belongs to a device picker."""

    def toggle_advanced(self) -> None:
        self.advanced.setVisible(self.advanced.isHidden())
        self._label_fold()

    def _label_fold(self) -> None:
        self.fold.setText(
            i18n.translate("SettingsWindow", "Show advanced settings")
            if self.advanced.isHidden()
            else i18n.translate("SettingsWindow", "Hide advanced settings")
        )

    def refresh(self) -> None:
        for row in self.rows:
            row.refresh()

    def search(self, query: str) -> int:
        """Show only what contains *query*; returns how many rows do."""
        wanted = fold(query.strip())
        everything = not wanted or wanted in fold(self.title_text)
        count = 0
        for row in self.rows:
            found = everything or wanted in fold(row.search_text())
            row.setVisible(found)
            count += found
        for picker in self.pickers:
            found = everything or wanted in fold(picker.caption.text())
            picker.setVisible(found)
            count += found
        if wanted:
            self.advanced.setVisible(any(not r.isHidden() for r in self.rows if r.setting.advanced))
        else:
            self.advanced.hide()
        self.fold.setVisible(not wanted and any(r.setting.advanced for r in self.rows))
        self._label_fold()
        return count

    def release(self) -> None:
        for picker in self.pickers:
            picker.release()


class MediaPage(Page):
    """Sound and video: devices are open while the page is in view."""

    def __init__(self, section: Section, controller: ControllerApi, parent: QWidget | None = None) -> None:
        self._meter: LevelMeter | None = None
        self.speech: QLabel | None = None
        self.offer: DeviceOffer | None = None
        self._surface: PreviewSurface | None = None
        self._tasks = Tasks(self._refused)
        self.problem = DeviceProblem(controller)
        self.problem.again.connect(self._open)
        super().__init__(section, controller, parent)
        self._stop = controller.subscribe_engine(self._engine_event)

    def add_head(self, section: Section) -> None:
        if section is Section.VIDEO:
            self._surface = PreviewSurface()
            self._surface.setFixedSize(PREVIEW_WIDTH, PREVIEW_HEIGHT)
            self._surface.setAccessibleName(i18n.translate("SettingsWindow", "Your picture"))
            self._surface.set_person("", i18n.translate("SettingsWindow", "The camera is starting…"))
            self.column.addWidget(self._surface)
        self.column.addWidget(self.problem)
        if section is Section.AUDIO:
            self.offer = DeviceOffer(self._controller)
            self.column.addWidget(self.offer)

    def after_picker(self, picker: DevicePicker, column: QVBoxLayout) -> None:
        if picker.kind == "audioinput":
            self._meter = LevelMeter(i18n.translate("SettingsWindow", "Microphone level"))
            self._meter.setMaximumWidth(FIELD)
            column.addWidget(self._meter)
            self.speech = forms.label("", "caption")
            self._show_speech(0.0)
            column.addWidget(self.speech)
            find = forms.push_button(
                i18n.translate("SettingsWindow", "Find the microphone that hears me"), self._find, icon="microphone"
            )
            column.addWidget(find, 0, Qt.AlignmentFlag.AlignLeading)
        elif picker.kind == "audiooutput":
            test = forms.push_button(i18n.translate("SettingsWindow", "Play test sound"), self._play, icon="volume")
            column.addWidget(test, 0, Qt.AlignmentFlag.AlignLeading)

    def _find(self) -> None:
        if self.offer is not None:
            self.offer.search()

    def _show_speech(self, score: float) -> None:
        if self.speech is None:
            return
        words = (
            i18n.translate("SettingsWindow", "Speech is heard ({score} %)")
            if score >= SPEECH_SCORE
            else i18n.translate("SettingsWindow", "No speech is heard ({score} %)")
        )
        self.speech.setText(words.format(score=round(score * 100)))

    def _play(self) -> None:
        self._tasks.spawn(self._controller.play_test_sound())

    def _refused(self, failure: Failure) -> None:
        self.problem.say(i18n.sentence(failure.message))

    def _engine_event(self, event: EngineEvent) -> None:
        if not self.isVisible():
            return
        if isinstance(event, LocalAudioLevel) and self._meter is not None:
            self._meter.set_level(event.level)
            self._show_speech(event.score)
        elif isinstance(event, InputFailed):
            self.problem.show_failure(event)
        elif isinstance(event, InputLimited):
            self.problem.show_limit(event)
        elif isinstance(event, InputSlow) and self._surface is not None:
            self._surface.set_person("", device_words.slow_sentence(event.what))
        elif isinstance(event, InputStarted):
            self.problem.clear()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.problem.clear()
        camera = self._wants_camera()
        if self._surface is not None:
            self._surface.set_mirrored(values.switch(self._controller, "view.mirror_self"))
            if camera:
                self._surface.set_slot(self._controller.preview(SourceContent.CAMERA))
            else:
                self._surface.set_person("", device_words.missing_sentence("videoinput"))
        self._open()

    def _wants_camera(self) -> bool:
        return self.section is Section.VIDEO and bool(self.pickers[0].devices())

    def _open(self) -> None:
        if not self._controller.calls():
            microphone = self.section is Section.AUDIO
            self._tasks.spawn(self._controller.open_preview(camera=self._wants_camera(), microphone=microphone))

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if event.spontaneous():
            return
        if self._surface is not None:
            self._surface.set_slot(None)
        self.preview_wanted_elsewhere()

    def preview_wanted_elsewhere(self) -> None:
        """The page is out of view: give the devices back unless the pre-join view shows them."""
        window = self.window()
        owner = window.parentWidget()
        prejoin = getattr(owner, "prejoin", None)
        if prejoin is None or not prejoin.isVisible():
            self._tasks.spawn(self._controller.close_preview())
        else:
            prejoin.reopen_devices()

    def release(self) -> None:
        super().release()
        if self.offer is not None:
            self.offer.release()
        self._stop()
        self._tasks.cancel()
        if self._surface is not None:
            self._surface.set_slot(None)


FIELD = 300


class KeyboardPage(Page):
    def __init__(self, section: Section, controller: ControllerApi, parent: QWidget | None = None) -> None:
        super().__init__(section, controller, parent)
        from ui.dialogs.shortcuts import shortcuts_table

        self.column.insertWidget(self.column.count() - 1, forms.separator())
        self.column.insertWidget(self.column.count() - 1, shortcuts_table())


def make_page(section: Section, controller: ControllerApi) -> Page:
    if section in (Section.AUDIO, Section.VIDEO):
        return MediaPage(section, controller)
    if section is Section.SHORTCUTS:
        return KeyboardPage(section, controller)
    return Page(section, controller)
