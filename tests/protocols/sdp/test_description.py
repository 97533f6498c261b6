"""Session descriptions of real peers and arbitrary text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.protocols.sdp.description import MAX_SDP, MAX_SECTIONS, SdpError, build_candidate, parse, parse_candidate

DATA = Path(__file__).parents[2] / "data" / "sip"
RECORDED = (DATA / "recorded.txt").read_text()
FILES = {p.stem: p.read_text() for p in sorted((DATA / "sdp").glob("*.sdp"))}
FILES |= {
    f"recorded-{number:02}": text for number, text in enumerate(re.findall(r"^v=0\n(?:[a-z]=.*\n)+", RECORDED, re.M))
}

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


@pytest.mark.parametrize("name", FILES)
def test_real_descriptions_survive_a_round_trip(name: str) -> None:
    first = parse(FILES[name])
    again = parse(str(first))
    assert again == first
    assert first.transport is not None and first.transport.pwd not in repr(first)
    for section in first.sections:
        assert section.mid
        if not section.rejected and section.is_rtp:
            assert section.codecs and section.rtcp_mux


def test_many_were_recorded() -> None:
    assert len(FILES) >= 20


def test_shape_of_the_call_servers_answer() -> None:
    """RTCP feedback for every payload type, attributes in another order, no rtpmap for static types."""
    text = HEAD + (
        "a=group:BUNDLE 0 1\r\nm=audio 20130 UDP/TLS/RTP/SAVPF 111 0 126\r\nc=IN IP4 203.0.113.5\r\n"
        "a=connection:new\r\n"
        "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 useinbandfec=1; minptime=10\r\na=rtpmap:126 telephone-event/8000\r\n"
        "a=fmtp:126 0-16\r\na=rtcp-fb:* transport-cc\r\na=mid:0\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 96 102\r\na=mid:video-2\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:* ccm fir\r\na=rtcp-fb:* nack\r\n"
        "a=label:1795194900.43\r\na=msid:stream track\r\na=ssrc:1701546573 cname:x\r\na=mid:1\r\na=sendonly\r\n"
    )
    description = parse(text)
    audio, gone, video = description.sections
    assert [(c.name, c.clock_rate, c.channels) for c in audio.codecs] == [
        ("opus", 48000, 2), ("PCMU", 8000, 1), ("telephone-event", 8000, 1),
    ]  # fmt: skip
    assert audio.codecs[0].feedback == ("transport-cc",) and audio.codecs[2].feedback == ()
    assert dict(audio.codecs[0].parameters) == {"useinbandfec": "1", "minptime": "10"}
    assert audio.codecs[2].parameters[""] == "0-16" and "connection:new" in audio.extra
    assert gone.rejected and gone.codecs == () and not gone.sends and gone.mid == "video-2"
    assert video.codecs[0].feedback == ("ccm fir", "nack")
    assert (video.label, video.msid, video.ssrcs, video.direction) == (
        "1795194900.43", ("stream track",), (1701546573,), "sendonly",
    )  # fmt: skip


def test_session_level_values_go_down_to_sections() -> None:
    fingerprint = ":".join(["0A"] * 32)
    text = HEAD + (
        f"c=IN IP6 2001:db8::1\r\na=ice-lite\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:SHA-256 {fingerprint}\r\n"
        "a=setup:passive\r\na=recvonly\r\nm=audio 5 RTP/AVP 8\r\nm=audio 6 RTP/AVP 8\r\na=inactive\r\n"
    )
    description = parse(text)
    first, second = description.sections
    assert (first.direction, second.direction) == ("recvonly", "inactive")
    transport = description.transport
    assert transport is not None and transport.ice_lite and transport.setup == "passive"
    assert transport.fingerprints[0].algorithm == "sha-256" and first.address == "2001:db8::1"


@pytest.mark.parametrize(
    "bad",
    [
        "", "v=1\r\n", "hello", "v=0\r\no=- 1\r\n", "v=0\r\ns=-\r\n", HEAD + "m=audio\r\n",
        HEAD + "m=audio 99999 RTP/AVP 0\r\n", HEAD + "x", HEAD + "a=" + "x" * 5000,
        HEAD + "m=audio 9 RTP/AVP 0\r\n" * (MAX_SECTIONS + 1), HEAD + "a=x\r\n" * 700, " " * (MAX_SDP + 1),
        "v=0\r\no=- " + "9" * 40 + " 1 IN IP4 h\r\n", "v=0\r\no=- ٣ 1 IN IP4 h\r\n",
    ],
)  # fmt: skip
def test_unusable(bad: str) -> None:
    with pytest.raises(SdpError):
        parse(bad)


def test_malformed_details_are_left_out() -> None:
    text = HEAD + (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 300 abc 0\r\na=rtpmap:111 opus/x\r\na=rtpmap:x y\r\na=fmtp:\r\na=rtcp-fb:\r\n"
        "a=candidate:bad\r\na=candidate:1 1 udp x 1.2.3.4 5 typ host\r\na=ssrc:x\r\na=ssrc-group:FID 1 x\r\n"
        "a=fingerprint:sha-256 zz\r\na=extmap:x y\r\na=extmap:1\r\n"
    )
    (section,) = parse(text).sections
    assert [c.name for c in section.codecs] == ["PCMU"]
    assert not (section.candidates or section.ssrcs or section.groups or section.fingerprints or section.extensions)


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    for start in ("", HEAD, HEAD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na="):
        try:
            description = parse(start + text)
        except SdpError:
            continue
        parse(str(description))


@settings(max_examples=200)
@given(st.data())
def test_mutations_of_real_ones(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from(list(FILES.values()))).splitlines()
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[at])))
        lines[at] = lines[at][:cut] + data.draw(st.text(alphabet=" :;/=*0123456789abcxyz-", max_size=12))
    try:
        description = parse("\r\n".join(lines))
    except SdpError:
        return
    assert parse(str(description)).sections[:0] == ()


@pytest.mark.parametrize(
    "text",
    [
        "1 1 udp 2122260223 192.0.2.1 46026 typ host",
        "Hcb007105 1 udp 1 fd00::2 1 typ srflx raddr 10.0.0.1 rport 0",
        "3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active generation 2",
    ],
)
def test_candidates(text: str) -> None:
    candidate = parse_candidate("candidate:" + text)
    assert candidate is not None and build_candidate(candidate) == text
