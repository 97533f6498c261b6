"""Settings: every declared setting has a row, changes are kept at once, refusals say why, search finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.media.api import LocalAudioLevel
from app.storage.settings import SETTINGS, Section, SettingType, check
from tests.ui.fakes import FakeController
from tests.ui.shell.conftest import really_delete
from tests.ui.shell.helpers import click, settle
from ui.main_window import MainWindow
from ui.settings.pages import MediaPage
from ui.settings.rows import ChoiceRow, ListRow, NumberRow, SettingRow, SwitchRow, TextRow
from ui.settings.window import SettingsWindow
from ui.theme import theme


class CheckingController(FakeController):
    """Refuses what does not fit, as the real one does."""

    def set_setting(self, key: str, value: object) -> None:
        super().set_setting(key, check(key, value))


@pytest.fixture
def controller() -> FakeController:
    return CheckingController()


@pytest.fixture
def settings(english: object, qtbot: object, controller: FakeController) -> Iterator[SettingsWindow]:
    found = SettingsWindow(controller)
    found.show()
    yield found
    found.close()
    found.release()
    found.deleteLater()
    really_delete()


def row(settings: SettingsWindow, key: str) -> SettingRow:
    return next(r for page in settings.pages for r in page.rows if r.setting.key == key)


async def test_every_declared_setting_is_there(settings: SettingsWindow) -> None:
    shown = {r.setting.key for page in settings.pages for r in page.rows}
    pickers = [p for page in settings.pages for p in page.pickers]
    wanted = {k for k, s in SETTINGS.items() if s.section is not Section.HIDDEN and s.type is not SettingType.DEVICE}
    assert shown == wanted and len(pickers) == 4


async def test_where_it_rings_is_a_choice_of_its_own(settings: SettingsWindow, controller: FakeController) -> None:
    picker = next(p for page in settings.pages if page.section is Section.PHONE for p in page.pickers)
    assert picker.caption.text() == "Ring on"
    picker.box.setCurrentIndex(picker.box.findData("spk-2"))
    picker.box.activated.emit(picker.box.currentIndex())
    assert controller.settings["devices.ringer"] == "spk-2" and controller.settings["devices.speaker"] == ""


async def test_round_trip_of_each_kind(settings: SettingsWindow, controller: FakeController) -> None:
    switch = row(settings, "audio.echo_cancellation")
    assert isinstance(switch, SwitchRow) and switch.control.isChecked()
    switch.control.click()
    assert controller.settings["audio.echo_cancellation"] is False
    choice = row(settings, "video.camera_size")
    assert isinstance(choice, ChoiceRow)
    choice.control.setCurrentIndex(3)
    choice.control.activated.emit(3)
    assert controller.settings["video.camera_size"] == "1920x1080"
    number = row(settings, "video.max_fps")
    assert isinstance(number, NumberRow)
    number.control.setValue(24)
    assert controller.settings["video.max_fps"] == 24
    text = row(settings, "profile.display_name")
    assert isinstance(text, TextRow)
    text.control.setText("  Ada  ")
    text.control.editingFinished.emit()
    assert controller.settings["profile.display_name"] == "Ada"
    controller.set_setting("network.trusted_certificates", ("a.example 11", "b.example 22"))
    listed = row(settings, "network.trusted_certificates")
    assert isinstance(listed, ListRow)
    listed.store(("b.example 22",))
    assert controller.settings["network.trusted_certificates"] == ("b.example 22",)


async def test_values_set_elsewhere_show(settings: SettingsWindow, controller: FakeController) -> None:
    controller.set_setting("video.max_fps", 12)
    assert row(settings, "video.max_fps").control.value() == 12  # type: ignore[attr-defined]


async def test_refused_value_says_why_and_shows_what_holds(settings: SettingsWindow) -> None:
    number = row(settings, "video.max_fps")
    number.store(1000)
    assert "between" in number.problem.text() and not number.problem.isHidden()
    assert number.control.value() == 30  # type: ignore[attr-defined]


async def test_search_filters_rows_and_sections(settings: SettingsWindow) -> None:
    settings.search.setText("echo")
    await settle()
    assert settings.page("audio").isVisible()
    assert not row(settings, "audio.echo_cancellation").isHidden()
    assert row(settings, "audio.noise_suppression").isHidden()
    assert settings.sections.item(0).isHidden()
    settings.search.setText("zzzz")
    assert settings.stack.currentWidget() is settings.nothing
    settings.search.setText("")
    assert not settings.sections.item(0).isHidden()
    settings.search.setText("ping interval")
    assert not row(settings, "diagnostics.ping_interval").isHidden()
    assert not settings.page("diagnostics").advanced.isHidden()


async def test_sound_page_has_meter_and_test_sound(settings: SettingsWindow, controller: FakeController) -> None:
    settings.show_section("audio")
    await settle()
    page = settings.page("audio")
    assert isinstance(page, MediaPage) and page._meter is not None
    assert controller.preview_open == (False, True)
    controller.engine(LocalAudioLevel(0.4, False))
    assert page._meter.level == pytest.approx(0.4)
    settings.show_section("general")
    await settle()
    assert controller.preview_open is None


async def test_theme_and_language_apply_at_once(window: MainWindow, controller: FakeController) -> None:
    controller.set_setting("appearance.theme", "dark")
    assert theme().dark
    window.home.field.set_text("two words")
    controller.set_setting("appearance.language", "fr")
    await settle()
    assert window.home.title.text() == "Rejoindre une réunion"
    assert window.home.field.text() == "two words"
    controller.set_setting("appearance.language", "en")
    await settle()
    assert window.home.title.text() == "Join a meeting"


async def test_opens_from_the_window_at_a_section(window: MainWindow) -> None:
    click(window.rail.settings)
    await settle()
    opened = window._settings_window
    assert opened.isVisible()
    window.open_settings("network")
    assert opened.pages[opened.stack.currentIndex()].section is Section.NETWORK
    opened.close()
