"""Offer/answer between two sides, and with what a real call server sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calls.model import MediaKind, SourceContent, frozen_map
from app.media.api import Codec, Fingerprint, IceCandidate, LocalSource, TransportDescription
from app.protocols.sdp import codecs as formats
from app.protocols.sdp.codecs import AUDIO_CODECS, VIDEO_CODECS, intersect
from app.protocols.sdp.description import SsrcGroup, parse
from app.protocols.sdp.model import Options, Outcome
from app.protocols.sdp.negotiation import Negotiation, NegotiationError, default_candidate
from app.protocols.sip.message import Request, Response
from tests.protocols.sip.test_recorded import sessions


def transport(name: str, digest: str = "AA") -> TransportDescription:
    return TransportDescription(
        name, "secret" * 4, (Fingerprint("sha-256", ":".join([digest] * 32)),), "actpass",
        (IceCandidate("1", 1, "udp", 1, "192.0.2.9", 5000, "host"),),
    )  # fmt: skip


def source(name: str, ssrc: int, content: SourceContent = SourceContent.CAMERA, rtx: int | None = None) -> LocalSource:
    kind = MediaKind.AUDIO if content is SourceContent.MICROPHONE else MediaKind.VIDEO
    return LocalSource(name, kind, content, ssrc, rtx, "cname", f"{name} {name}-t")


A, B = transport("a"), transport("b", "BB")


def exchange(offerer: Negotiation, answerer: Negotiation) -> tuple[Outcome, Outcome, str, str]:
    """What holds at the offerer and at the answerer, and both descriptions."""
    offer = offerer.create_offer(A)
    answerer.apply_offer(offer)
    answer, there = answerer.create_answer(B)
    return offerer.apply_answer(answer), there, offer, answer


def pair(video: bool = False, **options: object) -> tuple[Negotiation, Negotiation]:
    a, b = Negotiation(), Negotiation(Options(**options))  # type: ignore[arg-type]
    a.add_line("audio", source=source("mic", 11, SourceContent.MICROPHONE))
    if video:
        a.add_line("video", source=source("cam", 22, rtx=23))
    exchange(a, b)
    return a, b


def test_origin_is_stable_and_counts() -> None:
    a, b = pair()
    *_, offer, answer = exchange(a, b)
    first, again = parse(offer), parse(answer)
    a.hold(True)
    *_, offer, answer = exchange(a, b)
    second, reply = parse(offer), parse(answer)
    assert second.session_id == first.session_id and second.version == first.version + 1
    assert reply.session_id == again.session_id and reply.version == again.version + 1
    *_, offer, _ = exchange(a, b)
    assert parse(offer).version == second.version, "nothing changed, so the version stays"


def test_sources_are_told() -> None:
    a, b = pair(video=True)
    here, there, offer, _ = exchange(a, b)
    assert [(t.kind, t.ssrc, t.rtx_ssrc, t.stream_id, t.track_id) for t in there.tracks] == [
        (MediaKind.AUDIO, 11, None, "mic", "mic-t"), (MediaKind.VIDEO, 22, 23, "cam", "cam-t"),
    ]  # fmt: skip
    assert parse(offer).sections[1].groups == (SsrcGroup("FID", (22, 23)),)
    assert here.sending == ("0", "1") and there.sending == ("0", "1")
    assert [t.ssrc for t in here.tracks] == [0, 0], "the far side named none: whatever comes"


@pytest.mark.parametrize("way", ["sendonly", "inactive"])
def test_hold_by_either_and_by_both(way: str) -> None:
    a, b = pair(hold_direction=way)
    b.hold(True)
    there, here, offer, answer = exchange(b, a)
    assert parse(offer).sections[0].direction == way
    assert here.held_by_remote and here.sending == () and not there.held_by_remote
    a.hold(True)
    there, here, offer, answer = exchange(a, b)
    assert parse(offer).sections[0].direction == "sendonly" and parse(answer).sections[0].direction == "inactive"
    assert there.held_by_remote and here.held_by_remote and not here.tracks and not there.tracks
    b.hold(False)
    exchange(b, a)
    a.hold(False)
    there, here, *_ = exchange(a, b)
    assert not there.held_by_remote and not here.held_by_remote and there.tracks and here.tracks


def test_roles_are_kept() -> None:
    a, b = Negotiation(), Negotiation()
    a.add_line("audio")
    _, _, offer, answer = exchange(a, b)
    assert (parse(offer).sections[0].setup, parse(answer).sections[0].setup) == ("actpass", "active")
    _, _, offer, answer = exchange(b, a)
    assert (parse(offer).sections[0].setup, parse(answer).sections[0].setup) == ("actpass", "passive")
    assert (a.answer_role(), b.answer_role()) == ("passive", "active")


def test_refused_video_leaves_the_bundle() -> None:
    a, b = pair(video=True, accept_video=False)
    here, there, offer, answer = exchange(a, b)
    assert parse(answer).bundle == ("0",) and parse(answer).sections[1].rejected
    assert here.sending == ("0",) and [m.mid for m in here.media] == ["0"]
    assert parse(offer).sections[1].rejected, "a refused line stays refused in the next offer"


def test_every_line_names_a_connection() -> None:
    """RFC 8866 section 5.7: at least where the session has none. Asterisk refuses offers in which one is missing."""
    a, b = pair(video=True, accept_video=False)
    _, _, first, answer = exchange(a, b)
    second = a.create_offer(A)
    for text in (first, answer, second):
        parts = text.split("\r\nm=")[1:]
        assert len(parts) == 2 and all("\r\nc=IN IP4 " in part for part in parts)


def test_rollback_takes_back_what_the_offer_carried() -> None:
    a, b = pair()
    a.hold(True)
    mid = a.add_line("video")
    a.create_offer(A)
    with pytest.raises(NegotiationError):
        a.create_offer(A)
    with pytest.raises(NegotiationError):
        a.apply_offer("v=0")
    a.rollback()
    assert a.phase == "stable" and not a.held and mid not in {line.mid for line in a.lines}
    b.apply_offer(a.create_offer(A))
    b.rollback()
    assert b.phase == "stable" and b.lines[0].codecs
    a.rollback()
    exchange(b, a)


def test_first_offer_refused_can_be_made_again() -> None:
    a = Negotiation()
    a.add_line("audio")
    a.create_offer(A)
    a.rollback()
    assert [line.mid for line in a.lines] == ["0"]
    assert "m=audio" in a.create_offer(A)


def test_early_media_then_another_answer() -> None:
    a = Negotiation()
    a.add_line("audio")
    a.add_line("video")
    offer = a.create_offer(A)
    one, two = Negotiation(Options(accept_video=False)), Negotiation()
    for side in (one, two):
        side.apply_offer(offer)
    early = a.apply_answer(one.create_answer(B)[0], provisional=True)
    assert a.phase == "local-offer" and early.sending == ("0",)
    final = a.apply_answer(two.create_answer(transport("c", "CC"))[0])
    assert a.phase == "stable" and final.sending == ("0", "1")
    assert final.remote is not None and final.remote.ufrag == "c"


def test_new_credentials_and_new_endpoint_are_noticed() -> None:
    a, b = pair()
    b.apply_offer(a.create_offer(transport("a2")))
    answer, there = b.create_answer(B)
    assert there.remote_restarted_ice and not there.new_endpoint
    a.apply_answer(answer)
    b.apply_offer(a.create_offer(transport("x", "CC")))
    assert b.preview().new_endpoint


def test_upgrade_by_either_side() -> None:
    a, b = pair()
    b.add_line("video", source=source("b-cam", 99))
    there, here, *_ = exchange(b, a)
    assert [t.ssrc for t in here.tracks if t.kind is MediaKind.VIDEO] == [99]
    assert a.first("video") is not None and a.first("video").mid == "1"  # type: ignore[union-attr]
    a.stop("1")
    here, there, offer, answer = exchange(a, b)
    assert parse(offer).sections[1].rejected and parse(answer).sections[1].rejected
    assert not [t for t in there.tracks if t.kind is MediaKind.VIDEO] and a.first("video") is None
    assert a.add_line("video") == "2"
    *_, offer, answer = exchange(a, b)
    assert [s.rejected for s in parse(answer).sections] == [False, True, False]


def test_answers_that_do_not_fit() -> None:
    for answer in ("", "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\n",
                   "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n"):  # fmt: skip
        a = Negotiation()
        a.add_line("audio")
        a.create_offer(A)
        with pytest.raises(NegotiationError):
            a.apply_answer(answer)


def test_no_common_codec() -> None:
    a, b = Negotiation(Options(audio=(Codec(0, "PCMU", 8000),))), Negotiation(Options(audio=(Codec(8, "PCMA", 8000),)))
    a.add_line("audio")
    b.apply_offer(a.create_offer(A))
    with pytest.raises(NegotiationError):
        b.create_answer(B)
    assert b.phase == "remote-offer"
    b.rollback()
    assert b.phase == "stable" and b.lines == ()


def test_content_and_bandwidth() -> None:
    a, b = Negotiation(), Negotiation()
    a.add_line("audio", content="main")
    a.add_line("video", content="main", bandwidth_kbps=576)
    a.add_line("video", content="slides", wanted="inactive")
    here, there, offer, answer = exchange(a, b)
    assert [s.content for s in parse(offer).sections] == ["main", "main", "slides"]
    assert parse(offer).sections[1].bandwidth == (("AS", 576), ("TIAS", 576000))
    assert [s.direction for s in parse(answer).sections] == ["sendrecv", "sendrecv", "inactive"]
    a.change("2", wanted="sendonly", source=source("slides", 77, SourceContent.SCREEN))
    here, there, *_ = exchange(a, b)
    assert [(t.mid, t.content) for t in there.tracks] == [("0", "main"), ("1", "main"), ("2", "slides")]
    assert here.sending == ("0", "1", "2") and there.sending == ("0", "1")


def test_data_channel_line() -> None:
    a, b, c = Negotiation(), Negotiation(Options(data_channel=True)), Negotiation()
    a.add_line("audio")
    a.add_line("application")
    offer = a.create_offer(replace(A, sctp_port=5000))
    b.apply_offer(offer)
    c.apply_offer(offer)
    answer, there = b.create_answer(replace(B, sctp_port=5000))
    assert there.data_channel and there.remote is not None and there.remote.sctp_port == 5000
    assert "webrtc-datachannel" in answer
    assert parse(c.create_answer(B)[0]).sections[1].rejected
    assert a.apply_answer(answer).data_channel


def test_peers_without_bundle_get_one_line() -> None:
    a, b = Negotiation(), Negotiation()
    a.add_line("audio")
    a.add_line("video")
    b.apply_offer(a.create_offer(A).replace("a=group:BUNDLE 0 1\r\n", ""))
    answer, _ = b.create_answer(B)
    assert [s.rejected for s in parse(answer).sections] == [False, True]


def test_peers_without_mids() -> None:
    a, b = Negotiation(), Negotiation()
    a.add_line("audio")
    offer = a.create_offer(A).replace("a=mid:0\r\n", "").replace("a=group:BUNDLE 0\r\n", "")
    b.apply_offer(offer)
    answer, there = b.create_answer(B)
    assert "a=mid" not in answer and there.sending


# ---------------------------------------------------------------- codecs


def test_telephone_event_follows_the_clock_rates() -> None:
    theirs = (
        Codec(107, "opus", 48000, 2), Codec(101, "telephone-event", 48000), Codec(102, "telephone-event", 8000),
        Codec(0, "pcmu", 8000), Codec(13, "CN", 8000),
    )  # fmt: skip
    assert [c.payload_type for c in intersect(AUDIO_CODECS, theirs)] == [107, 101, 102, 0]
    assert intersect(AUDIO_CODECS, theirs[1:3]) == ()


def test_h264_profiles_and_modes() -> None:
    def h264(number: int, profile: str, mode: str) -> Codec:
        return Codec(number, "H264", 90000, 1, frozen_map({"profile-level-id": profile, "packetization-mode": mode}))

    theirs = (h264(1, "42001f", "1"), h264(2, "42e01f", "0"), h264(3, "4d001f", "1"), h264(4, "42E034", "1"))
    assert [c.payload_type for c in intersect(VIDEO_CODECS, theirs)] == [1, 4]


def test_retransmission_goes_with_its_codec() -> None:
    theirs = (
        Codec(98, "VP9", 90000), Codec(99, "rtx", 90000, 1, frozen_map({"apt": "98"})),
        Codec(96, "VP8", 90000, 1, frozen_map(), ("nack", "x-own")),
        Codec(97, "rtx", 90000, 1, frozen_map({"apt": "96"})),
    )  # fmt: skip
    kept = intersect(VIDEO_CODECS, theirs)
    assert [(c.payload_type, c.feedback) for c in kept] == [(96, ("nack",)), (97, ())]


def test_payload_numbers_mean_one_thing_in_a_bundle() -> None:
    used = {96: Codec(96, "opus", 48000, 2)}
    offered = formats.merged((), VIDEO_CODECS, used)
    numbers = [c.payload_type for c in offered]
    assert 96 not in numbers and len(set(numbers)) == 4
    assert int(offered[1].parameters["apt"]) == offered[0].payload_type


def test_default_candidate_is_never_the_hold_address() -> None:
    assert default_candidate(replace(A, candidates=())) == ("127.0.0.1", 9)
    relay = IceCandidate("2", 1, "udp", 0, "203.0.113.1", 7, "relay")
    assert default_candidate(replace(A, candidates=(*A.candidates, relay))) == ("203.0.113.1", 7)


# ---------------------------------------------------------------- a room as the real server makes it


def room() -> tuple[str, list[str]]:
    """The recorded answer to a call of the room, and the offers that followed."""
    call = next(s for s in sessions().values() if getattr(s[0][1], "uri", "").startswith("sip:700@"))
    answer = next(m.sdp for side, m in call if side == "S" and isinstance(m, Response) and m.sdp)
    offers = [m.sdp for side, m in call if side == "S" and isinstance(m, Request) and m.method == "INVITE" and m.sdp]
    assert answer is not None
    return answer, [o for o in offers if o is not None]


def test_recorded_room_step_by_step() -> None:
    answer, offers = room()
    phone = Negotiation()
    phone.add_line("audio", source=source("mic", 11, SourceContent.MICROPHONE))
    phone.add_line("video", source=source("cam", 22))
    phone.create_offer(A)
    joined = phone.apply_answer(answer)
    assert joined.sending == ("0", "1") and joined.media[0].codecs[0].name == "opus"
    assert "ccm fir" in joined.media[1].codecs[0].feedback
    seen: list[dict[str, str]] = []
    for offer in offers:
        phone.apply_offer(offer)
        reply, outcome = phone.create_answer(A)
        ours, theirs = parse(reply), parse(offer)
        assert [s.mid for s in ours.sections] == [s.mid for s in theirs.sections]
        assert [s.rejected for s in ours.sections] == [s.rejected for s in theirs.sections]
        assert ours.sections[0].setup == "passive" and not outcome.remote_restarted_ice
        assert outcome.sending == ("0", "1"), "our camera stays on its own line"
        for extra in ours.sections[2:]:
            assert extra.rejected or extra.direction == "recvonly"
        seen.append({t.mid: t.label for t in outcome.tracks if t.label})
    assert any(seen), "somebody joined"
    assert len({label for step in seen for label in step.values()}) >= 1


def test_line_that_is_used_again_for_somebody_else() -> None:
    answer, offers = room()
    joined = next(o for o in offers if any(s.label for s in parse(o).sections))
    phone = Negotiation()
    phone.add_line("audio")
    phone.add_line("video")
    phone.create_offer(A)
    phone.apply_answer(answer)
    mid = next(s.mid for s in parse(joined).sections if s.label)

    def step(offer: str) -> tuple[str, Outcome]:
        phone.apply_offer(offer)
        return phone.create_answer(A)

    _, first = step(joined)
    before = next(t for t in first.tracks if t.mid == mid)
    sections = joined.split("\r\nm=")
    gone = "\r\nm=".join(
        f"video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}" if f"a=mid:{mid}" in part else part for part in sections
    )
    reply, left = step(gone.rstrip() + "\r\n")
    assert all(t.mid != mid for t in left.tracks)
    assert parse(reply).section(mid).rejected and mid not in parse(reply).bundle  # type: ignore[union-attr]
    assert before.label in joined
    again = joined.replace(before.label, "1795199999.99").replace(str(before.ssrc), "4242")
    _, back = step(again)
    after = next(t for t in back.tracks if t.mid == mid)
    assert (after.label, after.ssrc) == ("1795199999.99", 4242)


STEPS = ["hold a", "hold b", "video a", "video b", "stop a", "glare", "refuse", "restart"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(["hold a", "hold b", "video a", "video b", "stop a", "glare", "refuse", "restart"]), max_size=12
    )
)
def test_any_order_of_changes_keeps_both_sides_in_step(steps: list[str]) -> None:
    a, b = pair()
    held = {"a": False, "b": False}
    for number, step in enumerate(steps):
        word, _, who = step.partition(" ")
        mine, other = (a, b) if who != "b" else (b, a)
        if word == "hold":
            held[who] = not held[who]
            mine.hold(held[who])
        elif word == "video" and mine.first("video") is None and len(mine.lines) < 8:
            mine.add_line("video")
        elif word == "stop" and (line := mine.first("video")) is not None:
            mine.stop(line.mid)
        elif word == "glare":
            a.create_offer(A)
            b.create_offer(B)
            a.rollback()
            b.rollback()
            continue
        elif word == "refuse":
            b.apply_offer(a.create_offer(A))
            b.rollback()
            a.rollback()
            continue
        near, far = (A, B) if mine is a else (B, A)
        if word == "restart":
            near = replace(near, ufrag=f"n{number}")
        other.apply_offer(mine.create_offer(near))
        answer, there = other.create_answer(far)
        here = mine.apply_answer(answer)
        assert [line.mid for line in a.lines] == [line.mid for line in b.lines]
        assert [line.rejected for line in a.lines] == [line.rejected for line in b.lines]
        for left, right in zip(mine.lines, other.lines, strict=True):
            assert {left.current, right.current} in (
                {"sendrecv"}, {"sendonly", "recvonly"}, {"inactive"},
            )  # fmt: skip
        assert ("0" in here.sending) == (not held["b" if mine is a else "a"])
        assert ("0" in there.sending) == (not held["a" if mine is a else "b"])
        assert (a.held, b.held) == (held["a"], held["b"])
