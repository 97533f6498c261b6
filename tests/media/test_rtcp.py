"""RTCP: our messages read by a reference parser and back, transport-wide feedback, malformed input."""

from __future__ import annotations

import time

from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket, RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls.model import MediaKind
from app.media import rtcp
from app.media.rtp import ReceptionStatistics
from app.media.session import RtpSession
from tests.media.transport_tools import AUDIO, video


def session(sent: list[bytes]) -> RtpSession:
    return RtpSession((AUDIO, video(transport_cc=False)), send_rtp=lambda d: None, send_rtcp=sent.append)


@given(st.sets(st.integers(0, 65535), min_size=1, max_size=60))
def test_nack_says_exactly_what_is_missing(numbers: set[int]) -> None:
    part = RtcpPacket.parse(rtcp.make_nack(1, 2, numbers))[0]
    assert isinstance(part, RtcpRtpfbPacket)
    assert {n & 0xFFFF for n in part.lost} == numbers


def test_nack_across_the_wrap_is_short() -> None:
    data = rtcp.make_nack(1, 2, [65534, 65535, 0, 1])
    assert len(data) == 16


def test_remb_fir_pli() -> None:
    remb = RtcpPacket.parse(rtcp.make_remb(1, 2_500_000, [5, 6]))[0]
    assert isinstance(remb, RtcpPsfbPacket)
    bps, ssrcs = rtcp.parse_remb(remb) or (0, [])
    assert abs(bps - 2_500_000) < 20 and ssrcs == [5, 6]
    fir = RtcpPacket.parse(rtcp.make_fir(1, 9, 3))[0]
    assert isinstance(fir, RtcpPsfbPacket) and rtcp.parse_fir(fir) == [9]
    pli = RtcpPacket.parse(rtcp.make_pli(1, 9))[0]
    assert isinstance(pli, RtcpPsfbPacket) and (pli.fmt, pli.media_ssrc) == (1, 9)


@given(st.binary(max_size=200))
def test_parse_never_raises(data: bytes) -> None:
    rtcp.parse(data)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 31), st.integers(198, 208), st.binary(max_size=60)), max_size=4),
    st.booleans(),
)
def test_session_survives_any_rtcp(parts: list[tuple[int, int, bytes]], padded: bool) -> None:
    one = session([])
    one.add_stream(0, MediaKind.VIDEO)
    data = b""
    for count, kind, body in parts:
        body += bytes(-len(body) % 4)
        data += bytes((0x80 | (0x20 if padded else 0) | count, kind)) + (len(body) // 4).to_bytes(2, "big") + body
    one.receive_rtcp(data)
    one.tick(time.monotonic())


def test_sound_parts_before_a_broken_one_count() -> None:
    data = rtcp.make_pli(1, 9) + b"\x80\xc8\xff\xff"
    assert len(rtcp.parse(data)) == 1


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 400)), min_size=1, max_size=300),
    st.integers(0, 65535),
)
def test_transport_feedback_round_trip(gaps: list[int | None], base: int) -> None:
    builder = rtcp.TransportFeedbackBuilder()
    arrivals: dict[int, float] = {}
    now = 10_000.0
    for offset, gap in enumerate(gaps):
        if gap is not None or offset == 0:
            now += (gap or 0) / 4
            builder.add((base + offset) & 0xFFFF, now)
            arrivals[(base + offset) & 0xFFFF] = now
    data = builder.build(1, 2)
    assert data is not None and len(data) % 4 == 0
    part = rtcp.parse(data)[0]
    assert isinstance(part, rtcp.TransportFeedback)
    assert (part.ssrc, part.media_ssrc, part.base_sequence) == (1, 2, base)
    read = {(base + i) & 0xFFFF: a for i, a in enumerate(part.arrivals_ms) if a is not None}
    assert read.keys() == arrivals.keys()
    # 24 bits of reference time wrap; only differences mean anything.
    first = read[base] - arrivals[base]
    assert all(abs(read[s] - arrivals[s] - first) <= 0.25 for s in read)
    assert builder.build(1, 2) is None


def test_transport_feedback_goes_on_where_it_stopped() -> None:
    builder = rtcp.TransportFeedbackBuilder()
    builder.add(65534, 100.0)
    assert builder.build(1, 2) is not None
    builder.add(1, 130.0)
    part = rtcp.parse(builder.build(1, 2) or b"")[0]
    assert isinstance(part, rtcp.TransportFeedback)
    assert part.base_sequence == 65535
    assert [a is None for a in part.arrivals_ms] == [True, True, False]


def test_reports_carry_ntp_mapping_and_delay() -> None:
    sent: list[bytes] = []
    one = session(sent)
    one.add_stream(7, MediaKind.AUDIO)
    now = time.monotonic()
    one.send_rtp(RtpPacket(111, 0, 1, 48_000, 7, b"x" * 80), captured_ms=now * 1000 - 500)
    one.receive_rtp(RtpPacket(100, 0, 1, 1, 55, b"y").serialize(), now * 1000)
    ntp = rtcp.ntp_time()
    one.receive_rtcp(rtcp.make_sr(55, ntp, 1, 1, 1, []))
    one.tick(now + 2.0)
    parts = rtcp.parse(sent[0])
    report = parts[0]
    assert isinstance(report, RtcpSrPacket)
    assert (report.ssrc, report.sender_info.packet_count) == (7, 1)
    assert abs(report.sender_info.rtp_timestamp - (48_000 + 2.5 * 48_000)) < 480
    assert abs(rtcp.ntp_to_unix_ms(report.sender_info.ntp_timestamp) - time.time() * 1000) < 100
    block = report.reports[0]
    assert block.ssrc == 55 and block.lsr == rtcp.ntp_middle(ntp)
    assert abs(block.dlsr / 65536 - 2.0) < 0.2
    # A sender that has been silent since sends no sender report, but receivers' loss is told on.
    sent.clear()
    one.tick(now + 3.1)
    assert isinstance(rtcp.parse(sent[0])[0], RtcpRrPacket)


def test_round_trip_time_from_a_report() -> None:
    stats = ReceptionStatistics(1, 90000)
    stats.add(1, 1, 0.0, 10)
    start = rtcp.ntp_time(1_000_000.0)
    stats.last_sr, stats.last_sr_at = rtcp.ntp_middle(start), 50.0
    block = rtcp.report_block(stats, 50.5)
    trip = rtcp.round_trip_ms(block, rtcp.ntp_time(1_000_000.58))
    assert trip is not None and abs(trip - 80) < 1


def test_many_sources_are_split_over_packets_that_fit() -> None:
    sent: list[bytes] = []
    one = session(sent)
    now = time.monotonic()
    for ssrc in range(1, 101):
        one.receive_rtp(RtpPacket(100, 0, 1, 1, ssrc, b"y").serialize(), now * 1000)
    one.tick(now + 0.5)
    assert all(len(data) < 1250 for data in sent)
    blocks = [r.ssrc for data in sent for p in rtcp.parse(data) if isinstance(p, RtcpRrPacket) for r in p.reports]
    assert sorted(blocks) == list(range(1, 101))
    rembs = [p for d in sent for p in rtcp.parse(d) if isinstance(p, RtcpPsfbPacket) and p.fmt == 15]
    assert len(rembs) == 1


def test_bye_when_a_sender_is_removed() -> None:
    sent: list[bytes] = []
    one = session(sent)
    one.add_stream(7, MediaKind.VIDEO, rtx_ssrc=8)
    one.send_rtp(RtpPacket(100, 0, 1, 1, 7, b"x"))
    one.remove_stream(7)
    assert rtcp.parse(sent[-1])[-1].sources == [7, 8]
