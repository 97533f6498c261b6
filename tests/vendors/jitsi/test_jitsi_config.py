from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vendors.jitsi.address import split_meeting_url
from app.vendors.jitsi.config import ConfigError, JitsiConfig, config_url, evaluate_config, make_config, service_url
from app.vendors.jitsi.config_js import read_literals

DEBIAN = """
/* eslint-disable comma-dangle, no-unused-vars */
var subdomain = "";
if (subdomain) { subdomain = subdomain.substr(0, subdomain.length - 1).split('.').join('_').toLowerCase() + '.'; }
var config = {
    // Connection
    hosts: {
        domain: 'video.example.org',
        // anonymousdomain: 'guest.example.com',
        muc: 'conference.' + subdomain + 'video.example.org',
    },
    bosh: '//video.example.org/http-bind',
    websocket: 'wss://video.example.org/xmpp-websocket',
    testing: { p2pTestMode: false, },
    flags: {},
    p2p: { enabled: true, stunServers: [{ urls: 'stun:turn.example.org:443' }, ], },
    channelLastN: 20, startAudioMuted: 10,
    analytics: { },
    makeJsonParserHappy: 'even if last key had a trailing comma',
};
/* eslint-enable */
"""
DOCKER = """
var config = {};
config.hosts = {};
config.hosts.domain = 'meet.jitsi';
var subdir = 'acme/';
var subdomain = 'acme.';
config.hosts.muc = 'muc.' + subdomain + 'meet.jitsi';
config.hosts.anonymousdomain = 'guest.meet.jitsi';
config.bosh = 'https://video.example.org:8443/' + subdir + 'http-bind';
config.websocket = 'wss://video.example.org:8443/' + subdir + 'xmpp-websocket';
config.bridgeChannel = { preferSctp: true };
config.videoQuality = {};
config.videoQuality.codecPreferenceOrder = ['VP8', 'H264'];
config.enableTalkWhileMuted = true;
if (!config.hasOwnProperty('p2p')) config.p2p = {};
config.p2p.enabled = true;
config.deploymentInfo = { shard: 's1', region: 'eu', userRegion: 'eu-west' };
"""


def made(source: dict, url: str = "https://video.example.org:8443/acme/team") -> JitsiConfig:  # type: ignore[type-arg]
    found = split_meeting_url(url)
    assert found is not None
    return make_config(source, found[0])


def test_debian_shape() -> None:
    config = made(evaluate_config(DEBIAN), "https://video.example.org/team")
    assert (config.domain, config.muc) == ("video.example.org", "conference.video.example.org")
    assert config.bosh == "https://video.example.org/http-bind"
    assert config.websocket == "wss://video.example.org/xmpp-websocket"
    assert (config.channel_last_n, config.start_audio_muted, config.focus) == (20, 10, "focus.video.example.org")
    assert config.ssrc_rewriting and config.keep_alive_url.startswith("https://")


def test_docker_shape() -> None:
    config = made(evaluate_config(DOCKER))
    assert (config.domain, config.muc) == ("meet.jitsi", "muc.acme.meet.jitsi")
    assert config.anonymous_domain == "guest.meet.jitsi"
    assert config.codec_preference == ("vp8", "h264")
    assert (config.shard, config.user_region) == ("s1", "eu-west")
    url = service_url(config, "team", "t/k", bosh=False)
    assert url == "wss://video.example.org:8443/acme/xmpp-websocket?room=team&token=t%2Fk"


def test_both_shapes_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quickjs", None)
    debian, docker = evaluate_config(DEBIAN), evaluate_config(DOCKER)
    assert debian["hosts"]["domain"] == "video.example.org" and debian["p2p"]["enabled"] is True
    assert debian["p2p"]["stunServers"] == [{"urls": "stun:turn.example.org:443"}]
    assert docker["hosts"]["domain"] == "meet.jitsi" and docker["bridgeChannel"] == {"preferSctp": True}


@pytest.mark.parametrize(
    "source",
    [
        "while (true) {}",
        "var a = []; while (true) a.push('x'.repeat(1e6))",
        "function f() { f(); } f();",
        "throw 1",
        "",
    ],
)
def test_hostile_or_empty_files_end_soon(source: str) -> None:
    started = time.thread_time()  # of this thread alone: the machine may be busy with others
    with pytest.raises(ConfigError):
        evaluate_config(source)
    assert time.thread_time() - started < 5


def test_web_page_instead_of_configuration() -> None:
    with pytest.raises(ConfigError):
        evaluate_config("<!DOCTYPE html><html></html>")
    with pytest.raises(ConfigError):
        evaluate_config("x" * 1_000_001)


def test_functions_and_globals_give_nothing_away() -> None:
    data = evaluate_config("var config = {a: 1, f: function () {}, t: typeof require + typeof fetch + typeof std};")
    assert data == {"a": 1, "t": "undefinedundefinedundefined"}


def test_defaults_without_configuration() -> None:
    config = made({}, "https://meet.example.org/acme/team")
    assert (config.domain, config.muc) == ("meet.example.org", "conference.acme.meet.example.org")
    assert config.websocket == "wss://meet.example.org/acme/xmpp-websocket"


def test_links_may_set_harmless_keys_only() -> None:
    fragment = "#config.startWithAudioMuted=true&config.bosh=%22https://evil.example%22&config.p2p.enabled=false"
    config = made({"bosh": "/http-bind"}, "https://meet.example.org/team" + fragment)
    assert config.start_with_audio_muted and config.bosh == "https://meet.example.org/http-bind"
    assert config.raw["p2p"] == {"enabled": False}


def test_secure_pages_do_not_lead_into_the_clear() -> None:
    config = made({"websocket": "ws://meet.example.org/x", "bosh": "http://meet.example.org/y"})
    assert config.websocket.startswith("wss://") and config.bosh.startswith("https://")


def test_config_address() -> None:
    found = split_meeting_url("https://meet.example.org/acme/Caf%C3%A9?release=7")
    assert found is not None
    assert config_url(found[0]) == "https://meet.example.org/acme/config.js?room=caf%25c3%25a9&release=7"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
_keys = st.sampled_from(
    ["hosts", "websocket", "bosh", "channelLastN", "startAudioMuted", "flags", "bridgeChannel", "videoQuality",
     "websocketKeepAlive", "deploymentInfo", "hiddenDomain", "conferenceRequestUrl"]
)  # fmt: skip


@given(st.dictionaries(_keys, _json))
def test_any_configuration_is_usable_or_defaulted(data: dict) -> None:  # type: ignore[type-arg]
    config = made(data)
    assert config.domain and config.muc and (config.websocket or config.bosh)


@given(st.text(alphabet="config.=;{}[]'\",:+ab1\n/*"))
def test_any_source_is_read_without_raising(source: str) -> None:
    read_literals(source)
