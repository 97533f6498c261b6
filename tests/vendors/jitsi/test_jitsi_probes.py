"""What a configuration may say of delays to measure, also nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vendors.jitsi.probes import (
    MAX_REGIONS,
    MAX_SERVERS,
    MIN_INTERVAL_S,
    MIN_PING_MS,
    ping_interval_ms,
    rtt_monitor_options,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=20,
)
KEYS = ("enabled", "initialDelay", "getStatsInterval", "stunServers", "pingInterval")


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING) | ANYTHING)
def test_nonsense_is_harmless(value: Any) -> None:
    interval = ping_interval_ms({"e2eping": value})
    assert interval == 0 or interval >= MIN_PING_MS
    options = rtt_monitor_options({"rttMonitor": value}, "example.org", third_parties=True)
    if options is not None:
        assert options.initial_delay_s >= 0 and options.interval_s >= MIN_INTERVAL_S
        assert 0 < len(options.regions) <= MAX_REGIONS
        assert all(0 < len(servers) <= MAX_SERVERS for servers in options.regions.values())


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"enabled": True}, 10_000),
        ({"pingInterval": 500}, 500),
        ({"pingInterval": 500, "enabled": False}, 0),
        ({"pingInterval": 1}, MIN_PING_MS),
        ({"pingInterval": -1}, 0),
        ({}, 0),
    ],
)
def test_ping_intervals(given: dict[str, Any], found: int) -> None:
    assert ping_interval_ms({"e2eping": given}) == found


def test_only_the_own_host_without_third_parties() -> None:
    servers = {"near": ["stun:example.org:443", "other.example:3478"], "far": ["other.example"], "odd": ["x:0", 5]}
    raw = {"rttMonitor": {"enabled": True, "stunServers": servers}}
    own = rtt_monitor_options(raw, "example.org", third_parties=False)
    assert own is not None and dict(own.regions) == {"near": (("example.org", 443),)}
    everywhere = rtt_monitor_options(raw, "example.org", third_parties=True)
    assert everywhere is not None and everywhere.regions["far"] == (("other.example", 3478),)
    assert "odd" not in everywhere.regions
