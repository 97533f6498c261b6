"""The parts of the sandbox that are pure: whatever comes in, nothing but the documented comes out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.media import rtp
from app.protocols.jingle import JingleSource, SourceGroup, SourceSet
from app.sandbox.jitsi import channel
from app.sandbox.jitsi.allocation import UNLIMITED, Candidate, Downlink, LayerInfo, ReceiverWishes, allocate
from app.sandbox.jitsi.rewriting import OutputStream, parse_vp8, starts_keyframe
from app.sandbox.jitsi.sasl import (
    Challenge,
    Refused,
    SaslServer,
    Success,
    TokenError,
    TokenPolicy,
    check_token,
    make_token,
)
from app.sandbox.jitsi.sources import ConferenceSources, SourceError, strip_simulcast, without_rtx
from app.sandbox.jitsi.speaker import DominantSpeaker

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)
CLASSES = st.sampled_from(sorted(channel._TYPES)) | st.text(max_size=30)


@given(st.text(max_size=300) | st.dictionaries(st.text(max_size=12), JSON).map(json.dumps))
def test_channel_messages_are_read_or_refused(text):
    try:
        message, raw = channel.parse(text)
    except channel.BadMessage:
        return
    assert raw["colibriClass"] == message.colibriClass


@given(CLASSES, st.dictionaries(st.sampled_from(["lastN", "to", "constraints", "list", "all", "x", "mode"]), JSON))
def test_channel_messages_of_known_classes_are_strict(name, fields):
    try:
        message, raw = channel.parse(json.dumps({**fields, "colibriClass": name}))
    except channel.BadMessage:
        return
    if not isinstance(message, channel.EndpointMessage | channel.EndpointStats):
        assert set(raw) <= set(type(message).__struct_encode_fields__)


@given(
    st.binary(max_size=200), st.sampled_from(["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "ANONYMOUS", "X"]), st.binary()
)
def test_no_sasl_message_gets_in_without_the_password(first, mechanism, second):
    server = SaslServer(("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"), {"ada": "secret"}, "x")
    outcome = server.start(mechanism, first)
    if isinstance(outcome, Challenge):
        outcome = server.respond(second)
    assert isinstance(outcome, Refused) or (isinstance(outcome, Success) and first == b"\0ada\0secret")


@given(st.text(max_size=200))
def test_no_text_is_a_valid_token(text):
    with pytest.raises(TokenError):
        check_token(TokenPolicy("secret"), text)


def test_a_token_is_valid_until_it_expires():
    policy = TokenPolicy("secret")
    token = make_token(policy, "room", lifetime_s=60)
    assert check_token(policy, token)["room"] == "room"
    with pytest.raises(TokenError, match="exp"):
        check_token(policy, token, now=9e9)


@given(st.binary(max_size=40))
def test_any_payload_can_be_looked_at(payload):
    fields = parse_vp8(payload)
    for payload_type in (100, 107, 111):
        assert starts_keyframe(payload_type, payload) in (True, False)
    assert fields is None or fields.picture_at < len(payload)


def vp8_packet(ssrc: int, sequence: int, timestamp: int, picture: int, keyframe: bool) -> rtp.ReceivedPacket:
    payload = b"\x90\x80" + (0x8000 | picture).to_bytes(2, "big") + (b"\x10" if keyframe else b"\x11") + b"data"
    packet = rtp.parse(rtp.HEADER.pack(0x80, 0x80 | 100, sequence, timestamp, ssrc) + payload, rtp.ExtensionIds())
    assert packet is not None
    return packet


@given(
    st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.integers(0, 0x7FFF)), min_size=1, max_size=8
    )
)
def test_sources_in_one_slot_join_without_a_seam(starts):
    stream = OutputStream(77, 78, 90000)
    out = []
    now = 1.0
    for index, (sequence, timestamp, picture) in enumerate(starts):
        for step in range(3):
            now += 0.033
            packet = vp8_packet(
                index + 1, (sequence + step) & 0xFFFF, (timestamp + 3000 * step) & 0xFFFFFFFF,
                (picture + step) & 0x7FFF, step == 0,
            )  # fmt: skip
            data = stream.rewrite(packet, now)
            assert data is not None
            parsed = rtp.parse(data, rtp.ExtensionIds())
            assert parsed is not None and parsed.ssrc == 77
            out.append(parsed)
    for before, after in zip(out, out[1:], strict=False):
        assert (after.sequence_number - before.sequence_number) & 0xFFFF == 1
        assert 0 < (after.timestamp - before.timestamp) & 0xFFFFFFFF < 90000
        pictures = [((p.payload[2] & 0x7F) << 8) | p.payload[3] for p in (before, after)]
        assert (pictures[1] - pictures[0]) & 0x7FFF == 1


def test_packets_from_before_the_switch_are_dropped():
    stream = OutputStream(77, None, 90000)
    assert stream.rewrite(vp8_packet(1, 100, 0, 1, True), 1.0) is not None
    assert stream.rewrite(vp8_packet(1, 99, 0, 0, False), 1.0) is None
    assert stream.rewrite(vp8_packet(1, 102, 6000, 3, False), 1.1) is not None
    late = stream.rewrite(vp8_packet(1, 101, 3000, 2, False), 1.1)
    assert late is not None and late[2:4] == (101).to_bytes(2, "big")


def test_withheld_packets_leave_no_gap():
    stream = OutputStream(77, None, 90000)
    first = stream.rewrite(vp8_packet(1, 0xFFFE, 0, 1, True), 1.0)
    for sequence in (0xFFFF, 0, 1):
        stream.skip(vp8_packet(1, sequence, 0, 1, False))
    after = stream.rewrite(vp8_packet(1, 2, 3000, 2, False), 1.1)
    assert first is not None and after is not None
    assert first[2:4] == (0xFFFE).to_bytes(2, "big") and after[2:4] == (0xFFFF).to_bytes(2, "big")
    assert stream.rewrite(vp8_packet(1, 1, 0, 1, False), 1.1) is None


def layers(*heights: int) -> tuple[LayerInfo, ...]:
    return tuple(LayerInfo(height, height, height * 1000.0) for height in heights)


def wishes(**fields) -> ReceiverWishes:
    return ReceiverWishes(heard=True, **fields)


def test_allocation_follows_constraints_last_n_and_bandwidth():
    people = [Candidate(f"{name}-v0", name, layers(180, 360, 720)) for name in "abc"]
    nothing = allocate(people, ReceiverWishes(), [], 1e9)
    assert not nothing.layers and set(nothing.wanted.values()) == {0}
    assert set(allocate(people, wishes(), [], 1e9).layers.values()) == {180}
    full = allocate(people, wishes(default_height=-1), [], 1e9)
    assert set(full.layers.values()) == {720} and set(full.wanted.values()) == {UNLIMITED}
    assert list(allocate(people, wishes(last_n=1), ["b", "a"], 1e9).layers) == ["b-v0"]
    assert allocate(people, wishes(last_n=0), [], 1e9).layers == {}
    staged = allocate(people, wishes(default_height=720, on_stage=("c-v0",)), [], 800_000)
    assert staged.layers == {"c-v0": 360, "a-v0": 180, "b-v0": 180}
    assert allocate(people, wishes(heights={"a-v0": 0}), [], 1e9).layers == {"b-v0": 180, "c-v0": 180}
    single = [Candidate("a-v0", "a", layers(720))]
    assert allocate(single, wishes(), [], 1e9).layers == {"a-v0": 720}


@given(
    st.lists(st.integers(0, 3), max_size=6), st.integers(-1, 4), st.sampled_from([-1, 0, 90, 180, 720]),
    st.floats(0, 1e7),
)  # fmt: skip
def test_allocations_never_break_their_own_rules(counts, last_n, height, bps):
    people = [Candidate(f"{i}-v0", str(i), layers(180, 360, 720)[:count]) for i, count in enumerate(counts)]
    result = allocate(people, wishes(last_n=last_n, default_height=height), [], bps)
    assert last_n < 0 or len(result.layers) <= last_n
    assert height != 0 or not result.layers
    known = {c.name: {layer.ssrc for layer in c.layers} for c in people}
    assert all(ssrc in known[name] for name, ssrc in result.layers.items())


def test_a_downlink_is_unlimited_until_trouble_is_reported():
    link = Downlink(trusted=True)
    link.update(3e6, 0.0, 1.0)
    assert link.usable_bps == float("inf")
    link.on_remb(1e6)
    link.update(3e6, 0.0, 2.0)
    assert link.usable_bps == 1e6
    link.on_remb(5e6)
    link.update(1e6, 0.0, 3.0)
    assert 1e6 < link.usable_bps < 1.1e6
    blind = Downlink(trusted=False)
    blind.on_remb(1.0)
    blind.update(3e6, 0.5, 1.0)
    assert blind.usable_bps == float("inf")


def talk(speaker: DominantSpeaker, who: str, level: float, since: float, seconds: float) -> float:
    now = since
    while now < since + seconds:
        speaker.level(who, level, now)
        speaker.tick(now)
        now += 0.02
    return now


def test_a_cough_does_not_take_the_stage_but_a_speech_does():
    speaker = DominantSpeaker()
    now = talk(speaker, "a", -20, 0.0, 2.0)
    assert speaker.current == "a" and not speaker.silence
    for _ in range(10):
        speaker.level("a", -20, now)
        speaker.level("b", -10, now)
        now += 0.02
    assert speaker.current == "a"
    now = talk(speaker, "a", -80, now, 1.5)
    now = talk(speaker, "b", -20, now, 1.0)
    assert speaker.current == "b" and speaker.previous == ["a"]
    now = talk(speaker, "b", -127, now, 3.0)
    assert speaker.silence and speaker.current == "b"
    assert speaker.remove("b") and speaker.current == "a"


def video(*ssrcs: int, name: str = "a-v0", msid: str = "m t") -> tuple[JingleSource, ...]:
    return tuple(JingleSource(ssrc, name, "", msid, "camera") for ssrc in ssrcs)


def test_source_sets_are_added_whole_or_not_at_all():
    sources = ConferenceSources(limit=6)
    simulcast = SourceSet(
        video=video(1, 2, 3, 11, 12, 13),
        video_groups=(SourceGroup("SIM", (1, 2, 3)), *(SourceGroup("FID", (n, n + 10)) for n in (1, 2, 3))),
    )
    sources.add("a", simulcast)
    shown = strip_simulcast(sources.others("b"))
    assert [s.ssrc for s in shown.video] == [1, 11] and shown.video_groups == (SourceGroup("FID", (1, 11)),)
    assert [s.ssrc for s in without_rtx(shown).video] == [1]
    for bad, text in (
        (SourceSet((), video(7)), "Limit"),
        (SourceSet((), video(1)), "already used"),
        (SourceSet((), video(8), (), (SourceGroup("FID", (8, 9)),)), "Limit|unknown"),
    ):
        with pytest.raises(SourceError, match=text):
            sources.add("a", bad)
    with pytest.raises(SourceError, match="MSID"):
        sources.add("b", SourceSet((), video(20)))
    with pytest.raises(SourceError, match="more than one"):
        sources.add("c", SourceSet((), video(30, 31, msid="x y")))
    assert sources.by_owner["a"].video == tuple(
        JingleSource(s.ssrc, "a-v0", "a", "m t", "camera") for s in simulcast.video
    )
    gone = sources.remove("a", SourceSet((), video(1, 2, 3, 11, 12, 13)))
    assert len(gone.video) == 6 and not sources.by_owner["a"]
    with pytest.raises(SourceError, match="does not exist"):
        sources.remove("a", SourceSet((), video(1)))
