from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls.actions import VisibleSource
from app.calls.model import MediaKind, SourceContent
from app.media.api import TrackStats, TransportStats
from app.protocols.xmpp.xml import BadXml, parse, serialise
from app.vendors.jitsi import wire_bridge as wb
from app.vendors.jitsi.constraints import ladder, receiver_constraints
from app.vendors.jitsi.quality import QualityMeter, loss_quality, stats_payload
from app.vendors.jitsi.state import SpeakerClock
from app.vendors.jitsi.wire import (
    SourceState,
    build_command,
    build_source_info,
    parse_conference_json,
    parse_conference_reply,
    parse_json_message,
    parse_message,
    parse_mute,
    parse_presence,
    parse_source_info,
    parse_stamp,
)

ROOM = "team42@conference.meet.example.com"
PRESENCE = f"""<presence xmlns='jabber:client' from='{ROOM}/0f9e8d7c'>
 <x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator' jid='b@meet.example.com/r'/>
 <status code='110'/><status code='x'/></x>
 <nick xmlns='http://jabber.org/protocol/nick'>Bob</nick><email>b@example.com</email><status>away</status>
 <features><feature var='urn:xmpp:jingle:dtmf:0'/></features>
 <SourceInfo>{{"0f9e8d7c-a0":{{"muted":false}},"0f9e8d7c-v1":{{"muted":true,"videoType":"desktop"}},
  "eeeeeeee-v0":{{"muted":false}},"0f9e8d7c-v2":5}}</SourceInfo>
 <jitsi_participant_raisedHand>123</jitsi_participant_raisedHand>
 <etherpad>pad</etherpad><bridgeNotAvailable/>
 <startmuted xmlns='http://jitsi.org/jitmeet/start-muted' audio='true' video='false'/>
 <identity xmlns='http://jitsi.org/jitmeet'><user><id>7</id><name>Robert</name></user></identity>
 <versions xmlns='http://jitsi.org/jitmeet'><component name='focus'>1.2</component></versions>
</presence>"""


def test_presence() -> None:
    p = parse_presence(parse(PRESENCE))
    assert (p.nick, p.name, p.role, p.real_jid, p.email, p.status) == (
        "0f9e8d7c", "Bob", "moderator", "b@meet.example.com/r", "b@example.com", "away",
    )  # fmt: skip
    assert p.sources == {"0f9e8d7c-a0": SourceState(False), "0f9e8d7c-v1": SourceState(True, "desktop")}
    assert p.codes == {110} and p.features == {"urn:xmpp:jingle:dtmf:0"} and p.properties == {"raisedHand": "123"}
    assert p.start_muted == (True, False) and p.bridge_not_available and p.identity_name == "Robert"
    assert p.versions == {"focus": "1.2"}
    assert [c.name for c in p.commands] == ["etherpad"]


def test_presence_of_old_clients() -> None:
    p = parse_presence(
        parse(f"<presence from='{ROOM}/ab'><audiomuted>false</audiomuted><videoType>desktop</videoType></presence>")
    )
    assert p.sources == {"ab-a0": SourceState(False), "ab-v0": SourceState(True, "desktop")}


def test_source_info_round_trip() -> None:
    sources = {"ab-a0": SourceState(True), "ab-v1": SourceState(False, "desktop")}
    assert parse_source_info(build_source_info(sources), "ab") == sources
    assert parse_source_info("[]", "ab") is None and parse_source_info("{", "ab") is None


def test_messages() -> None:
    m = parse_message(
        parse(
            f"<message xmlns='jabber:client' type='groupchat' id='m1' from='{ROOM}/ab'><body>hi</body>"
            "<reply to='m0'/><delay xmlns='urn:xmpp:delay' stamp='2026-01-02T03:04:05Z'/></message>"
        )
    )
    assert (m.body, m.id, m.reply_to, m.sent_at) == ("hi", "m1", "m0", 1767323045000)
    r = parse_message(
        parse("<message><reactions xmlns='urn:xmpp:reactions:0' id='m1'><reaction>👍</reaction></reactions></message>")
    )
    assert (r.reaction_to, r.reactions) == ("m1", ("👍",))
    moderated = parse_message(
        parse(
            "<message><apply-to xmlns='urn:xmpp:fasten:0' id='m9'><moderated xmlns='urn:xmpp:message-moderate:1'/>"
            "</apply-to></message>"
        )
    )
    assert moderated.retracts == "m9"


def test_stamps_and_json() -> None:
    assert parse_stamp("20260102T03:04:05") == 1767323045000
    assert parse_stamp("yesterday") is None and parse_stamp("2026-01-02") is None
    assert parse_json_message("{&quot;type&quot;:&quot;x&quot;}") == {"type": "x"}
    assert parse_json_message("[1]") is None


def test_conference_replies() -> None:
    xml = (
        "<iq><conference xmlns='http://jitsi.org/protocol/focus' ready='true' focusjid='Focus@auth.x/focus' session-id='s' "  # noqa: E501
        "identity='bob'><property name='authentication' value='true'/><property name='live' value='false'/></conference></iq>"  # noqa: E501
    )
    reply = parse_conference_reply(parse(xml))
    assert reply is not None
    assert (reply.ready, reply.focus_jid, reply.session_id, reply.authentication, reply.live) == (
        True, "focus@auth.x", "s", True, False,
    )  # fmt: skip
    again = parse_conference_json({"ready": True, "focusJid": "f@x", "properties": {"authentication": False}})
    assert again is not None and again.ready and not again.authentication
    assert parse_conference_json([]) is None and parse_conference_reply(parse("<iq/>")) is None


def test_mute_command() -> None:
    mute = parse_mute(parse(f"<iq><mute xmlns='http://jitsi.org/jitmeet/video' actor='{ROOM}/ab'>true</mute></iq>"))
    assert mute is not None and (mute.kind, mute.muted, mute.actor) == ("video", True, "ab")
    assert parse_mute(parse("<iq><mute xmlns='urn:other'>true</mute></iq>")) is None


def test_command_names_must_be_xml_names() -> None:
    assert serialise(build_command("a-b", "v", {"k": "1"}, ())).startswith("<a-b ")
    for name in ("", "a b", "<x", "1a", "a>"):
        with pytest.raises(ValueError, match="XML name"):
            build_command(name, "", {}, ())


_names = st.sampled_from(
    ["x", "item", "status", "nick", "SourceInfo", "features", "feature", "identity", "user", "error", "destroy", "body",
     "json-message", "delay", "reply", "reactions", "conference-properties", "property", "mute", "startmuted", "actor"]
)  # fmt: skip
_spaces = st.sampled_from(
    ["jabber:client", "http://jabber.org/protocol/muc#user", "http://jitsi.org/jitmeet", "urn:xmpp:delay",
     "http://jitsi.org/protocol/focus", "http://jitsi.org/jitmeet/audio", "urn:xmpp:reactions:0"]
)  # fmt: skip
_text = st.sampled_from(["", "{}", "[]", "null", '{"a-a0":1}', '{"ab-a0":{"muted":"x"}}', "1e999"]) | st.text(
    max_size=20
)
_attributes = st.dictionaries(
    st.sampled_from(["code", "jid", "from", "id", "stamp", "to", "type", "nick", "var"]), _text, max_size=3
)
_tree = st.recursive(
    st.tuples(_names, _spaces, _attributes, _text, st.just(())),
    lambda inner: st.tuples(_names, _spaces, _attributes, _text, st.lists(inner, max_size=4)),
    max_leaves=10,
)


def _build(tree):  # type: ignore[no-untyped-def]
    from app.protocols.xmpp.xml import el

    name, namespace, attributes, text, children = tree
    return el(name, namespace, attributes, *(_build(c) for c in children), text=text)


@given(st.sampled_from(["presence", "message", "iq"]), st.lists(_tree, max_size=5), _attributes)
def test_any_stanza_is_read_without_raising(kind: str, trees: list, attributes: dict) -> None:  # type: ignore[type-arg]
    from app.protocols.xmpp.xml import el

    stanza = el(kind, "jabber:client", {**attributes, "from": f"{ROOM}/ab"}, *(_build(t) for t in trees))
    try:
        stanza = parse(serialise(stanza))
    except BadXml:
        return
    parse_presence(stanza)
    parse_message(stanza)
    parse_mute(stanza)
    parse_conference_reply(stanza)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["presence", "message", "iq"]),
            st.sampled_from(["focus", "0f9e8d7c", "a1b2c3d4", ""]),
            st.sampled_from([None, "error", "unavailable", "set", "get", "result", "groupchat", "chat"]),
            st.lists(_tree, max_size=3),
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_no_stanza_breaks_a_session(stanzas: list, joined: bool) -> None:  # type: ignore[type-arg]
    from jitsi_harness import Harness

    from app.protocols.xmpp.xml import el

    h = Harness()
    h = h.join().open_media() if joined else h.connect().request_ok()
    for kind, nick, type_, trees in stanzas:
        sender = f"{ROOM}/{nick}" if nick else ROOM
        h.core.stanza(
            el(kind, "jabber:client", {"from": sender, "type": type_, "id": "x"}, *(_build(t) for t in trees))
        )
        h.pump()
    h.advance(60_000)


# ---------------------------------------------------------------- bridge channel


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"colibriClass": "ServerHello", "version": "2"}, wb.ServerHello("2")),
        (
            {"colibriClass": "DominantSpeakerEndpointChangeEvent", "dominantSpeakerEndpoint": "a", "previousSpeakers": ["b"],  # noqa: E501
             "silence": True},
            wb.DominantSpeaker("a", ("b",), True),
        ),
        (
            {"colibriClass": "EndpointConnectivityStatusChangeEvent", "endpoint": "a", "active": "false"},
            wb.ConnectivityChanged("a", False),
        ),
        ({"colibriClass": "ForwardedSources", "forwardedSources": ["a-v0"]}, wb.ForwardedSources(("a-v0",))),
        ({"colibriClass": "SenderSourceConstraints", "sourceName": "a-v0", "maxHeight": 0}, wb.SenderConstraints("a-v0", 0)),  # noqa: E501
        (
            {"colibriClass": "VideoSourcesMap", "mappedSources": [
                {"source": "a-v0", "owner": "a", "ssrc": 5, "rtx": -1, "videoType": "CAMERA"}, {"source": "b"}]},
            wb.SourcesMap("video", (wb.MappedSource("a-v0", "a", 5, 2**32 - 1, "camera"),)),
        ),
        ({"colibriClass": "ConnectionStats", "estimatedDownlinkBandwidth": 1e6}, wb.ConnectionStats(1e6)),
        ({"colibriClass": "EndpointMessage", "from": "a", "msgPayload": {"x": 1}}, wb.EndpointMessage("a", {"x": 1})),
        ({"colibriClass": "EndpointStats", "from": "a", "x": 1}, wb.EndpointStats("a", {"x": 1})),
        ({"colibriClass": "AddReceiver"}, None),
        ({"colibriClass": 5}, None),
        ([], None),
        ({"colibriClass": "ConnectionStats", "estimatedDownlinkBandwidth": "much"}, None),
    ],
)  # fmt: skip
def test_bridge_messages(data: object, expected: object) -> None:
    assert wb.parse_bridge_message(json.dumps(data)) == expected


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(
    ["dominantSpeakerEndpoint", "previousSpeakers", "endpoint", "active", "forwardedSources", "sourceName", "maxHeight",
     "mappedSources", "ssrc", "estimatedDownlinkBandwidth", "from", "msgPayload"]
)  # fmt: skip


@given(st.sampled_from(sorted(wb._READERS)), st.dictionaries(_fields, _json, max_size=5))
def test_any_bridge_message_is_read_without_raising(kind: str, fields: dict) -> None:  # type: ignore[type-arg]
    from jitsi_harness import Harness

    h = Harness().join().open_media().open_bridge()
    h.member("0f9e8d7c")
    h.bridge(json.dumps({"colibriClass": kind, "from": "0f9e8d7c", **fields}))


@given(st.text())
def test_any_bridge_text_is_read_without_raising(text: str) -> None:
    wb.parse_bridge_message(text)
    wb.parse_bridge_message("[" * 5000)


def test_messages_too_large_or_no_json_are_refused() -> None:
    with pytest.raises(ValueError, match="large"):
        wb.endpoint_message("", {"x": "y" * 20_000})
    with pytest.raises(ValueError):  # noqa: PT011
        wb.endpoint_message("", {"x": float("nan")})


# ---------------------------------------------------------------- constraints and quality


@given(
    st.lists(st.builds(VisibleSource, st.text(max_size=8), st.integers(-5, 4000), st.booleans()), max_size=60),
    st.none() | st.integers(0, 3000),
    st.none() | st.integers(-1, 100),
    st.booleans(),
)
def test_constraints_never_ask_for_more_than_allowed(
    visible: list[VisibleSource], max_height: int | None, last_n: int | None, audio_only: bool
) -> None:
    asked = receiver_constraints(visible, max_height=max_height, last_n=last_n, audio_only=audio_only)
    assert asked["defaultConstraints"] == {"maxHeight": 0}
    heights = [c["maxHeight"] for c in asked["constraints"].values()]
    assert all(h <= (2160 if max_height is None else max_height) for h in heights)
    names = asked["selectedSources"] + asked["onStageSources"]
    assert set(names) == set(asked["constraints"])
    if audio_only or last_n == 0:
        assert asked["lastN"] == 0 and not names


def test_ladder_and_headless_default() -> None:
    assert [ladder(h) for h in (1, 90, 91, 500, 5000)] == [90, 90, 180, 720, 2160]
    asked = receiver_constraints(None, max_height=180, last_n=-1, audio_only=False)
    assert asked["defaultConstraints"] == {"maxHeight": 180} and asked["lastN"] == -1


def _stats(loss: float, *tracks: TrackStats) -> TransportStats:
    return TransportStats(loss_received=loss, loss_sent=0.0, rtt_ms=12.3, send_bitrate_bps=64_000, tracks=tracks)


def test_quality_falls_at_once_and_recovers_slowly() -> None:
    assert [loss_quality(p) for p in (0, 2, 3, 5, 7, 10, 50)] == [100, 100, 70, 50, 30, 10, 0]
    meter = QualityMeter()
    assert meter.update(_stats(0.0), 0) == 100
    assert meter.update(_stats(0.05), 1000) == 50
    assert meter.update(_stats(0.0), 2000) == 51
    assert meter.update(_stats(0.0), 12_000) == 61


def test_quality_knows_a_starved_encoder() -> None:
    track = TrackStats(
        "a-v0", "a", "outbound", MediaKind.VIDEO, SourceContent.CAMERA, 1, height=720, target_bitrate_bps=150_000
    )
    meter = QualityMeter()
    assert meter.update(_stats(0.0, track), 0) == 100
    assert meter.update(_stats(0.0, track), 30_000) == 20
    payload = stats_payload(_stats(0.1, track), 20, "eu")
    assert payload["packetLoss"] == {"total": 10, "download": 10, "upload": 0}
    assert (payload["jvbRTT"], payload["serverRegion"], payload["maxEnabledResolution"]) == (12, "eu", 720)
    json.dumps(payload)


def test_speaking_time_counts_only_sound() -> None:
    clock = SpeakerClock()
    clock.speaker("a", False, 0)
    clock.speaker("b", False, 1000)
    clock.speaker("b", True, 3000)
    assert clock.totals(9000) == {"a": 1000, "b": 2000}
    clock.snapshot({"a": {"totalDominantSpeakerTime": 5000}, "c": {"totalDominantSpeakerTime": "x"}, "d": 7})
    assert clock.totals(9000) == {"a": 5000, "b": 2000}
