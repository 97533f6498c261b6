"""What a renegotiation changes in a running transport: payload types, lines, inputs; no network."""

from __future__ import annotations

from dataclasses import replace

import pytest
from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind
from app.media.api import Codec, MediaDescription
from app.media.session import RtpSession
from tests.media.transport_tools import AUDIO, video


def session(sent: list[bytes], *media: MediaDescription) -> RtpSession:
    return RtpSession(media, send_rtp=sent.append, send_rtcp=lambda data: None)


def test_stream_belongs_to_its_line() -> None:
    camera, slides = replace(video(), mid="1"), replace(video(), mid="2")
    one = session([], AUDIO, camera, slides)
    assert one.line(MediaKind.VIDEO, "2") is slides
    assert one.line(MediaKind.VIDEO, "gone") is camera and one.line(MediaKind.VIDEO, "") is camera
    assert one.add_stream(1, MediaKind.VIDEO, mid="2").fits(slides)
    assert not one.add_stream(2, MediaKind.VIDEO).fits(slides)


def test_counters_go_on_in_the_stream_that_takes_over() -> None:
    sent: list[bytes] = []
    one = session(sent, AUDIO, video())
    first = one.add_stream(7, MediaKind.AUDIO)
    for number in range(3):
        one.send_rtp(RtpPacket(payload_type=AUDIO.codecs[0].payload_type, sequence_number=number, ssrc=7, payload=b"x"))
    assert len(sent) == 3 and first.packets == 3
    changed = replace(AUDIO, codecs=(Codec(8, "PCMA", 8000),))
    one.configure((changed, video()))
    assert not first.fits(changed)
    second = one.add_stream(7, MediaKind.AUDIO)
    second.take_over(first)
    assert second.packets == 3 and second.fits(changed) and one.streams[7] is second


@pytest.mark.parametrize(("feedback", "kinds"), [(("ccm fir",), (4, 1)), (("nack pli", "ccm fir"), (1,))])
def test_keyframe_requests_follow_what_was_agreed(feedback: tuple[str, ...], kinds: tuple[int, ...]) -> None:
    from app.media import rtcp

    sent: list[bytes] = []
    one = RtpSession((video(*feedback),), send_rtp=lambda data: None, send_rtcp=sent.append)
    one.request_keyframe(5)
    parts = rtcp.parse(sent[0])
    assert type(parts[0]).__name__ == "RtcpRrPacket", "reduced-size RTCP is dropped by many servers"
    assert tuple(p.fmt for p in parts[1:]) == kinds  # type: ignore[union-attr]
