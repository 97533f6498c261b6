from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.storage import settings, settings_file
from app.storage.settings_file import SettingsStore


def test_a_change_survives_a_restart_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    store = SettingsStore(path)
    seen: list[object] = []
    unsubscribe = store.subscribe(seen.append)
    store.set("profile.display_name", "Anna")
    store.set("profile.display_name", "Anna")
    assert seen == [{"profile.display_name": "Anna"}]
    unsubscribe()
    store.set("video.max_fps", 15)
    assert len(seen) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SettingsStore(path).get("profile.display_name") == "Anna"
    assert SettingsStore(path).get("video.max_fps") == 15
    assert [one.name for one in path.parent.iterdir()] == ["settings.json"]


def test_a_refused_value_changes_nothing(tmp_path: Path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    with pytest.raises(ValueError):
        store.update({"video.max_fps": 10, "appearance.theme": "pink"})
    assert store.get("video.max_fps") == 30
    with pytest.raises(ValueError, match="There is no setting"):
        store.set("nonsense", 1)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": "x", "settings": {}}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_broken_file_is_kept_aside_and_reported(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    store = SettingsStore(path)
    assert store.values() == settings.defaults()
    assert "damaged" in store.problems[0]
    assert (tmp_path / "settings.json.broken-1").read_bytes() == content
    store.set("video.max_fps", 20)
    assert SettingsStore(path).get("video.max_fps") == 20


def test_one_bad_value_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(
        json.dumps({"version": 1, "settings": {"video.max_fps": 9999, "join.audio_only": True, "later": 5}})
    )
    store = SettingsStore(path)
    assert store.get("video.max_fps") == 30 and store.get("join.audio_only") is True
    assert len(store.problems) == 1
    store.set("join.audio_only", False)
    assert json.loads(path.read_text())["settings"]["later"] == 5


def test_older_versions_are_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 0, "settings": {"name": "Anna"}}))
    monkeypatch.setattr(settings_file, "MIGRATIONS", {0: lambda old: {"profile.display_name": old["name"]}})
    assert SettingsStore(path).get("profile.display_name") == "Anna"


def test_an_override_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    store = SettingsStore(path)
    store.override({"profile.display_name": "Once"})
    assert store.get("profile.display_name") == "Once"
    assert not path.exists()


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.binary(max_size=200)
    | st.builds(lambda value: json.dumps(value).encode(), st.dictionaries(st.text(), st.integers()))
)
def test_any_file_can_be_opened(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.json"
    path.write_bytes(content)
    assert SettingsStore(path).get("appearance.theme") == "system"
