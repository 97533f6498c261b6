"""RTP parsing, header extensions, retransmission, statistics: right on good packets, quiet on bad ones."""

from __future__ import annotations

import random

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket, wrap_rtx
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls.model import MediaKind
from app.media import rtp
from app.media.api import Codec, HeaderExtension
from app.media.rtp import ExtensionIds, NackGenerator, OutgoingStream, ReceptionStatistics
from app.media.session import RtpSession
from tests.media.transport_tools import AUDIO, video

EXTENSIONS = (
    HeaderExtension(1, rtp.URI_AUDIO_LEVEL),
    HeaderExtension(3, rtp.URI_ABS_SEND_TIME),
    HeaderExtension(4, rtp.URI_MID),
    HeaderExtension(5, rtp.URI_TRANSPORT_CC),
)
IDS = ExtensionIds(EXTENSIONS)
REFERENCE = HeaderExtensionsMap()
REFERENCE.configure(
    RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=e.id, uri=e.uri) for e in EXTENSIONS])
)
CODECS = (
    Codec(100, "VP8", 90000, feedback=("nack", "nack pli")),
    Codec(96, "rtx", 90000, parameters={"apt": "100"}),
)


def test_parses_what_a_reference_implementation_writes() -> None:
    packet = RtpPacket(111, 1, 65535, 4294967295, 4294967295, b"payload")
    packet.csrc = [7, 8]
    packet.padding_size = 5
    packet.extensions = HeaderExtensions(
        abs_send_time=0x123456, audio_level=(True, 42), mid="audio", transport_sequence_number=65535
    )
    parsed = rtp.parse(packet.serialize(REFERENCE), IDS, 12.5)
    assert parsed is not None
    assert (parsed.payload, parsed.marker, parsed.csrc) == (b"payload", 1, [7, 8])
    assert (parsed.sequence_number, parsed.timestamp, parsed.ssrc) == (65535, 4294967295, 4294967295)
    assert (parsed.audio_level, parsed.voice, parsed.mid) == (-42, True, "audio")
    assert (parsed.abs_send_time, parsed.transport_sequence) == (0x123456, 65535)
    assert parsed.extensions == packet.extensions
    assert parsed.arrived_ms == 12.5


def test_two_byte_extensions() -> None:
    packet = RtpPacket(111, 0, 1, 2, 3, b"x")
    packet.extensions = HeaderExtensions(audio_level=(False, 9), mid="a-rather-long-identifier")
    parsed = rtp.parse(packet.serialize(REFERENCE), IDS)
    assert parsed is not None and parsed.mid == "a-rather-long-identifier" and parsed.audio_level == -9


def test_writes_what_a_reference_implementation_parses() -> None:
    for kind in ("audio", "video"):
        stream = OutgoingStream(9, kind=kind, codecs=CODECS, ids=IDS, mid="v1")
        data = stream.build(RtpPacket(100, 1, 5, 6, 9, b"abc"), -33, True)
        stream.stamp(data, 3.25, 777)
        parsed = RtpPacket.parse(bytes(data), REFERENCE)
        assert (parsed.payload, parsed.marker, parsed.extensions.mid) == (b"abc", 1, "v1")
        assert parsed.extensions.transport_sequence_number == 777
        assert parsed.extensions.audio_level == ((True, 33) if kind == "audio" else None)
        assert parsed.extensions.abs_send_time == (int(3.25 * 2**18) if kind == "video" else None)


def test_rtx_as_the_reference_does() -> None:
    packet = RtpPacket(100, 1, 500, 6, 9, b"abc")
    packet.extensions = HeaderExtensions(mid="v1")
    wrapped = rtp.wrap_rtx(packet.serialize(REFERENCE), 96, 10, 3)
    assert wrapped is not None
    assert bytes(wrapped) == wrap_rtx(packet, 96, 3, 10).serialize(REFERENCE)
    assert rtp.unwrap_rtx(bytes(wrapped), 100, 9) == packet.serialize(REFERENCE)


def test_padding_only_retransmission_is_no_packet() -> None:
    packet = RtpPacket(96, 0, 1, 2, 3, b"")
    packet.padding_size = 200
    assert rtp.unwrap_rtx(packet.serialize(), 100, 9) is None


@given(st.binary(max_size=120))
def test_parse_never_raises(data: bytes) -> None:
    rtp.parse(data, IDS)
    rtp.unwrap_rtx(data, 100, 9)
    rtp.header_length(data)


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 2**16 - 1), st.sampled_from([96, 100, 111, 126, 5]))
def test_session_survives_any_packet(tail: bytes, sequence: int, payload_type: int) -> None:
    session = RtpSession((AUDIO, video()), send_rtp=lambda d: None, send_rtcp=lambda d: None, auto_nack=True)
    for first in (0x80, 0x90, 0xB0, 0xBF):
        session.receive_rtp(bytes((first, payload_type)) + sequence.to_bytes(2, "big") + tail, 1.0)
    session.tick(5.0)


def test_floods_of_new_ssrcs_stay_bounded() -> None:
    session = RtpSession((AUDIO, video()), send_rtp=lambda d: None, send_rtcp=lambda d: None, auto_nack=True)
    rng = random.Random(3)
    for _ in range(3000):
        packet = RtpPacket(rng.choice((100, 111, 96)), 0, rng.randrange(65536), 1, rng.randrange(2**32), b"12345")
        session.receive_rtp(packet.serialize(), 1.0)
        session.request_keyframe(packet.ssrc)
    for table in (session.reception, session._nackers, session._keyframe_sent, session._keyframe_due):
        assert len(table) <= rtp.MAX_TRACKED_SSRCS


def test_routes_by_ssrc_then_mid_then_payload_type() -> None:
    session = RtpSession((AUDIO, video()), send_rtp=lambda d: None, send_rtcp=lambda d: None)
    got: dict[str, list[int]] = {name: [] for name in ("ssrc", "mid", "type", "none")}
    session.router.add(lambda p: got["ssrc"].append(p.ssrc), ssrc=1)
    session.router.add(lambda p: got["mid"].append(p.ssrc), mid="audio")
    session.on_unrouted = lambda p: got["none"].append(p.ssrc)

    def arrive(ssrc: int, payload_type: int, mid: str | None) -> None:
        packet = RtpPacket(payload_type, 0, 1, 1, ssrc, b"x")
        packet.extensions = HeaderExtensions(mid=mid)
        session.receive_rtp(packet.serialize(REFERENCE), 1.0)

    arrive(1, 111, "audio")
    arrive(2, 111, "audio")
    arrive(2, 111, None)
    arrive(3, 100, None)
    session.router.add(lambda p: got["type"].append(p.ssrc), payload_types=(100,))
    arrive(3, 100, None)
    arrive(4, 77, None)
    assert got == {"ssrc": [1], "mid": [2, 2], "none": [3], "type": [3]}


def test_unknown_rtx_ssrc_is_learnt_from_what_was_asked_for() -> None:
    session = RtpSession((video(),), send_rtp=lambda d: None, send_rtcp=lambda d: None)
    packets: list[rtp.ReceivedPacket] = []
    session.on_rtp = packets.append
    lost = RtpPacket(100, 0, 41, 1, 0xAA, b"lost").serialize()
    session.receive_rtp(bytes(rtp.wrap_rtx(lost, 96, 0xBB, 1) or b""), 1.0)
    assert not packets
    session.request_retransmission(0xAA, [41])
    session.receive_rtp(bytes(rtp.wrap_rtx(lost, 96, 0xBB, 2) or b""), 2.0)
    assert [(p.ssrc, p.sequence_number, p.payload, p.retransmitted) for p in packets] == [(0xAA, 41, b"lost", True)]


def test_history_is_bounded_and_not_resent_in_a_burst() -> None:
    stream = OutgoingStream(9, kind="video", codecs=CODECS, rtx_ssrc=10)
    for n in range(rtp.HISTORY_PACKETS + 100):
        stream.sent(RtpPacket(100, 0, n, n, 9, b"x").serialize(), 12)
    assert stream.retransmit(0, 1.0) is None
    assert stream.retransmit(300, 1.0) is not None
    assert stream.retransmit(300, 1.001) is None
    assert stream.retransmit(300, 1.1) is not None


def test_reception_statistics_count_loss_wrap_and_jitter() -> None:
    stats = ReceptionStatistics(1, 90000)
    for n in range(200):
        if n % 10 != 9:
            stats.add((65500 + n) & 0xFFFF, n * 3000, 1000 + n * 1000 / 30, 100)
    assert stats.expected == 199 and stats.lost == 19
    assert stats.close_interval() == int(19 / 199 * 256)
    assert stats.jitter_ms < 1
    for n in range(200, 400):
        stats.add((65500 + n) & 0xFFFF, n * 3000, 1000 + n * 1000 / 30 + (20 if n % 2 else 0), 100)
    assert 10 < stats.jitter_ms < 25


def test_nack_generator_asks_repeats_and_gives_up() -> None:
    nack = NackGenerator()
    for n in (65533, 65534, 1, 2):
        nack.add(n, 0.0)
    assert nack.due(0.0, 0.05) == [65535, 0]
    assert nack.due(0.01, 0.05) == []
    assert nack.due(0.07, 0.05) == [65535, 0]
    nack.add(65535, 0.08)
    assert nack.due(0.2, 0.05) == [0]
    assert nack.due(2.0, 0.05) == [] and len(nack) == 0
    nack.add(2000, 3.0)
    assert len(nack) == 0


def test_plain_retransmission_sends_the_very_same_bytes() -> None:
    """A changed packet under the same SRTP index would give away the key stream."""
    sent: list[bytes] = []
    plain = video("nack", "nack pli")
    session = RtpSession((plain,), send_rtp=sent.append, send_rtcp=lambda d: None)
    session.add_stream(5, MediaKind.VIDEO)
    session.send_rtp(RtpPacket(100, 0, 1, 1, 5, b"x"))
    session._on_nack(5, [1, 2, 3])
    assert len(sent) == 2 and sent[0] == sent[1]


def test_retransmission_of_a_forwarded_packet_changes_nothing_in_it() -> None:
    """A forwarder's packets carry other header extensions than this side would write."""
    sent: list[bytes] = []
    session = RtpSession((video(transport_cc=True),), send_rtp=sent.append, send_rtcp=lambda d: None)
    stream = session.add_stream(5, MediaKind.VIDEO, rtx_ssrc=6)
    packet = RtpPacket(100, 1, 7, 9, 5, bytes(range(60))).serialize()
    session.send_raw(packet, stream)
    session._on_nack(5, [7])
    assert sent[0] == packet
    assert rtp.unwrap_rtx(sent[1], 100, 5) == packet


def test_how_to_turn_a_picture_is_read() -> None:
    ids = ExtensionIds((HeaderExtension(11, rtp.URI_VIDEO_ORIENTATION),))
    head = RtpPacket(100, 1, 1, 2, 3).serialize(HeaderExtensionsMap())
    for value, degrees in ((0x00, 0), (0x01, 90), (0x0E, 180), (0x03, 270)):
        data = bytes([head[0] | 0x10]) + head[1:] + bytes([0xBE, 0xDE, 0, 1, 0xB0, value, 0, 0]) + b"picture"
        parsed = rtp.parse(data, ids)
        assert parsed is not None and parsed.rotation == degrees and parsed.payload == b"picture"
    assert rtp.parse(head, ids).rotation is None  # type: ignore[union-attr]
