from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage import settings

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=600) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_every_default_fits_its_own_declaration() -> None:
    for key, setting in settings.SETTINGS.items():
        assert setting.check(setting.default) == setting.default, key
        assert setting.label


@given(st.sampled_from(sorted(settings.SETTINGS)), anything)
def test_any_value_is_taken_in_canonical_form_or_refused_with_a_sentence(key: str, value: object) -> None:
    try:
        taken = settings.check(key, value)
    except ValueError as error:
        assert str(error).endswith(".")
        return
    assert settings.check(key, taken) == taken


def test_numbers_are_not_switches() -> None:
    with pytest.raises(ValueError):
        settings.check("join.audio_only", 1)
    with pytest.raises(ValueError):
        settings.check("video.max_fps", True)
    with pytest.raises(ValueError, match="between 1 and 60"):
        settings.check("video.max_fps", 61)


def test_join_options_use_the_vendors_names_and_sense() -> None:
    values = settings.defaults() | {"network.retransmission": False, "network.use_ipv6": False}
    options = settings.join_options(values)
    assert options["disableRtx"] is True
    assert options["useIPv6"] is False
    assert options["disableAudioLevels"] is False
    assert "serviceUrl" not in options


def test_direction_overrides_and_control_characters_do_not_enter_a_name() -> None:
    assert settings.check("profile.display_name", " A\u202eb\x07 ") == "Ab"


@pytest.mark.parametrize(
    ("address", "host", "port", "tag"),
    [
        ("logs.example.org", "logs.example.org", 443, "parley"),
        ("https://logs.example.org/office/", "logs.example.org", 443, "office"),
        ("localhost:9880/x", "localhost", 9880, "x"),
        ("http://[::1]", "::1", 80, "parley"),
    ],
)
def test_a_log_server_in_the_words_of_sessions(address: str, host: str, port: int, tag: str) -> None:
    values = settings.defaults() | {"diagnostics.log_server": address}
    assert settings.log_options(values) == {}
    options = settings.log_options(values | {"diagnostics.ship_logs": True})
    assert options == {"logs.host": host, "logs.port": port, "logs.tag": tag, "logs.level": "info"}


@given(st.text(max_size=60))
def test_any_log_server_is_taken_or_left(address: str) -> None:
    values = settings.defaults() | {"diagnostics.log_server": address, "diagnostics.ship_logs": True}
    options = settings.log_options(values)
    assert not options or options["logs.host"]
