from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from app.calls.model import frozen_map
from app.media.api import Codec, Fingerprint, HeaderExtension, IceCandidate
from app.protocols.jingle import (
    BridgeSession,
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    Reason,
    RtpDescription,
    SourceGroup,
    SourceSet,
    build_jingle,
    parse_jingle,
    parse_json_sources,
    to_json_sources,
)
from app.protocols.xmpp.xml import BadXml, parse, serialise

TRANSPORT = IceTransport(
    "ufr",
    "passphrase",
    (Fingerprint("sha-256", ":".join(["AB"] * 32)),),
    "actpass",
    (IceCandidate("1", 1, "udp", 2130706431, "203.0.113.9", 10000, "host"),),
    ("wss://meet.example.com/colibri-ws/jvb1/9f/a1?pwd=1",),
    True,
    5000,
    1024,
)
OFFER = Jingle(
    "session-initiate",
    "sid1",
    "focus@auth.example.com/focus",
    "",
    (
        Content(
            "audio",
            description=RtpDescription(
                "audio",
                (Codec(111, "opus", 48000, 2, frozen_map({"minptime": "10"}), ("transport-cc",)),),
                (HeaderExtension(1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),),
                (JingleSource(3735928559, "jvb-a0", "jvb", "mixedmslabel mixedlabelaudio0"),),
            ),
            transport=TRANSPORT,
        ),
        Content(
            "video",
            description=RtpDescription(
                "video",
                (
                    Codec(100, "VP8", 90000, 1, frozen_map(), ("ccm fir", "nack", "nack pli")),
                    Codec(96, "rtx", 90000, 1, frozen_map({"apt": "100"})),
                ),
                sources=(
                    JingleSource(5, "0f9e8d7c-v1", "0f9e8d7c", "s t", "desktop"),
                    JingleSource(6, "0f9e8d7c-v1", "0f9e8d7c", "s t", "desktop"),
                ),
                groups=(SourceGroup("FID", (5, 6)),),
                extmap_allow_mixed=True,
            ),
            transport=TRANSPORT,
            initial_last_n=20,
        ),
        Content("data", description=RtpDescription("application", rtcp_mux=False), transport=TRANSPORT),
    ),
    ("audio", "video", "data"),
    Reason("success", "moving"),
    BridgeSession("9f3c", "eu", True, False),
    (True, False),
    SourceSet((JingleSource(9, "x-a0", "x"),)),
    "failed",
)


def test_everything_survives_building_and_reading() -> None:
    assert parse_jingle(parse(serialise(build_jingle(OFFER)))) == OFFER


def test_bundled_transport_and_sources_come_from_all_contents() -> None:
    assert OFFER.transport == TRANSPORT
    assert [s.ssrc for s in OFFER.all_sources.audio] == [3735928559, 9]
    assert OFFER.all_sources.video_groups == (SourceGroup("FID", (5, 6)),)


def test_old_servers_give_the_occupant_address_as_owner() -> None:
    xml = """<jingle xmlns='urn:xmpp:jingle:1' action='source-add' sid='a'><content name='audio'>
      <description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>
      <source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='7'><ssrc-info xmlns='http://jitsi.org/jitmeet'
      owner='team42@conference.example.com/0f9e8d7c'/></source></description></content></jingle>"""
    jingle = parse_jingle(parse(xml))
    assert jingle is not None
    assert jingle.all_sources.audio == (JingleSource(7, "", "0f9e8d7c"),)


def test_compact_sources() -> None:
    text = json.dumps(
        {
            "sources": {
                "0f9e8d7c": [
                    [{"s": 3456, "n": "0f9e8d7c-v0", "m": "a b", "v": "d"}, {"s": 3457, "n": "0f9e8d7c-v0"}],
                    [["f", 3456, 3457]],
                    [{"s": 12, "n": "0f9e8d7c-a0"}],
                ]
            }
        }
    )
    sources = parse_json_sources(text.replace('"', "&quot;"))
    assert sources.video[0] == JingleSource(3456, "0f9e8d7c-v0", "0f9e8d7c", "a b", "desktop")
    assert sources.video_groups == (SourceGroup("FID", (3456, 3457)),)
    assert sources.audio == (JingleSource(12, "0f9e8d7c-a0", "0f9e8d7c"),)
    assert parse_json_sources(to_json_sources(sources)) == sources


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("snmv") | st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=5), _json, max_size=4) | _json)
def test_any_json_is_read_without_raising(value: object) -> None:
    parse_json_sources(json.dumps({"sources": value}))
    parse_json_sources(json.dumps(value))


@given(st.text())
def test_any_text_is_read_without_raising(text: str) -> None:
    assert isinstance(parse_json_sources(text), SourceSet)


_names = st.sampled_from(
    [
        "content",
        "description",
        "payload-type",
        "rtp-hdrext",
        "source",
        "ssrc-group",
        "transport",
        "candidate",
        "fingerprint",
        "parameter",
    ]
)
_ns = st.sampled_from(
    [
        "urn:xmpp:jingle:1",
        "urn:xmpp:jingle:apps:rtp:1",
        "urn:xmpp:jingle:transports:ice-udp:1",
        "urn:xmpp:jingle:apps:rtp:ssma:0",
    ]
)
_attr = st.sampled_from(
    [
        "id",
        "name",
        "ssrc",
        "port",
        "component",
        "priority",
        "clockrate",
        "channels",
        "media",
        "number",
        "rel-port",
    ]
)
_value = st.sampled_from(["", "-1", "0", "1", "99999999999999999999", "½", "१", "1e9", "audio", "video"]) | st.text(
    alphabet="0123456789abc.-", max_size=12
)


def _render(node: tuple[str, str, dict[str, str], list]) -> str:  # type: ignore[type-arg]
    name, namespace, attributes, children = node
    inner = "".join(_render(c) for c in children)
    return (
        f"<{name} xmlns='{namespace}' " + " ".join(f"{k}='{v}'" for k, v in attributes.items()) + f">{inner}</{name}>"
    )


_tree = st.recursive(
    st.tuples(_names, _ns, st.dictionaries(_attr, _value, max_size=4), st.just([])),
    lambda c: st.tuples(_names, _ns, st.dictionaries(_attr, _value, max_size=4), st.lists(c, max_size=4)),
    max_leaves=12,
)


@given(st.lists(_tree, max_size=4))
def test_any_jingle_shape_is_read_without_raising(trees: list) -> None:  # type: ignore[type-arg]
    inner = "".join(_render(t) for t in trees)
    try:
        element = parse(f"<jingle xmlns='urn:xmpp:jingle:1' action='source-add' sid='x'>{inner}</jingle>")
    except BadXml:
        return
    jingle = parse_jingle(element)
    assert jingle is not None
    for source in jingle.all_sources.audio + jingle.all_sources.video:
        assert 0 < source.ssrc < 2**32
    build_jingle(jingle)
