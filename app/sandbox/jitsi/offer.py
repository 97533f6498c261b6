"""The Jingle offers of the focus (jitsi.md 5.1), made from what the member's disco features ask for. Pure."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from app.calls.model import frozen_map
from app.media.api import Codec, Fingerprint, HeaderExtension, TransportDescription
from app.protocols.jingle import (
    BridgeSession,
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    RtpDescription,
    SourceSet,
)

AUDIO_FEATURE = "urn:xmpp:jingle:apps:rtp:audio"
VIDEO_FEATURE = "urn:xmpp:jingle:apps:rtp:video"
SCTP_FEATURE = "urn:xmpp:jingle:transports:dtls-sctp:1"
RTX_FEATURE = "urn:ietf:rfc:4588"
REMB_FEATURE = "http://jitsi.org/remb"
TCC_FEATURE = "http://jitsi.org/tcc"
JSON_FEATURE = "http://jitsi.org/json-encoded-sources"
REWRITING_FEATURE = "http://jitsi.org/ssrc-rewriting-1"
DEFAULT_FEATURES = frozenset({AUDIO_FEATURE, VIDEO_FEATURE, SCTP_FEATURE})
"""Assumed when a member does not answer the disco query."""

AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TCC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_ID, ABS_SEND_TIME_ID, TCC_ID, MID_ID = 1, 3, 5, 10

OPUS_PT, DTMF_PT = 111, 126
VP8_PT, VP8_RTX_PT = 100, 96
H264_PT, H264_RTX_PT = 107, 99
RTX_PAYLOAD_TYPES = {VP8_PT: VP8_RTX_PT, H264_PT: H264_RTX_PT}
SCTP_PORT = 5000


@dataclass(frozen=True, slots=True)
class MemberFeatures:
    """The part of a member's disco features that shapes its session."""

    audio: bool
    video: bool
    sctp: bool
    rtx: bool
    remb: bool
    tcc: bool
    json: bool
    rewriting: bool

    @classmethod
    def of(cls, features: frozenset[str], allow_rewriting: bool, allow_json: bool) -> MemberFeatures:
        return cls(
            AUDIO_FEATURE in features,
            VIDEO_FEATURE in features,
            SCTP_FEATURE in features,
            RTX_FEATURE in features,
            REMB_FEATURE in features,
            TCC_FEATURE in features,
            JSON_FEATURE in features and allow_json,
            REWRITING_FEATURE in features and allow_rewriting,
        )


@dataclass(frozen=True, slots=True)
class BridgeOffer:
    """What the bridge gives for one endpoint."""

    session_id: str
    description: TransportDescription
    web_sockets: tuple[str, ...]
    sctp: bool
    audio_ssrc: int
    video_ssrc: int


def audio_description(features: MemberFeatures) -> RtpDescription:
    feedback = ("transport-cc",) if features.tcc else ()
    opus = Codec(OPUS_PT, "opus", 48000, 2, frozen_map({"minptime": "10", "useinbandfec": "1"}), feedback)
    extensions = [HeaderExtension(AUDIO_LEVEL_ID, AUDIO_LEVEL_URI), HeaderExtension(MID_ID, MID_URI)]
    if features.tcc:
        extensions.append(HeaderExtension(TCC_ID, TCC_URI))
    codecs = (opus, Codec(DTMF_PT, "telephone-event", 8000))
    return RtpDescription("audio", codecs, tuple(extensions), extmap_allow_mixed=True)


def video_description(features: MemberFeatures) -> RtpDescription:
    feedback = ["ccm fir", "nack", "nack pli"]
    if features.tcc:
        feedback.append("transport-cc")
    elif features.remb:
        feedback.append("goog-remb")
    h264 = frozen_map({"profile-level-id": "42e01f", "level-asymmetry-allowed": "1", "packetization-mode": "1"})
    codecs = []
    for codec in (
        Codec(VP8_PT, "VP8", 90000, 1, frozen_map(), tuple(feedback)),
        Codec(H264_PT, "H264", 90000, 1, h264, tuple(feedback)),
    ):
        codecs.append(codec)
        if features.rtx:
            apt = frozen_map({"apt": str(codec.payload_type)})
            codecs.append(Codec(RTX_PAYLOAD_TYPES[codec.payload_type], "rtx", 90000, 1, apt))
    extensions = [HeaderExtension(ABS_SEND_TIME_ID, ABS_SEND_TIME_URI), HeaderExtension(MID_ID, MID_URI)]
    if features.tcc:
        extensions.append(HeaderExtension(TCC_ID, TCC_URI))
    return RtpDescription("video", tuple(codecs), tuple(extensions), extmap_allow_mixed=True)


def session_initiate(
    sid: str,
    initiator: str,
    offer: BridgeOffer,
    features: MemberFeatures,
    sources: SourceSet,
    start_muted: tuple[bool, bool] | None,
) -> Jingle:
    """The offer for one member. *sources* are those of the others (empty when SSRCs are rewritten)."""
    local = offer.description
    transport = IceTransport(
        local.ufrag, local.pwd, local.fingerprints, local.setup, local.candidates, offer.web_sockets, True
    )
    bridge_audio = JingleSource(offer.audio_ssrc, "jvb-a0", "jvb", "mixedmslabel mixedlabelaudio0")
    bridge_video = JingleSource(offer.video_ssrc, "jvb-v0", "jvb", "mixedmslabel mixedlabelvideo0")
    total = SourceSet((bridge_audio,), (bridge_video,)) + sources
    contents: list[Content] = []
    for wanted, description, items, groups in (
        (features.audio, audio_description(features), total.audio, total.audio_groups),
        (features.video, video_description(features), total.video, total.video_groups),
    ):
        if wanted:
            if not features.json:
                description = replace(description, sources=items, groups=groups)
            contents.append(Content(description.media, description=description, transport=transport))
    if features.sctp and offer.sctp:
        data = replace(transport, sctp_port=SCTP_PORT, sctp_streams=1024)
        contents.append(Content("data", description=RtpDescription("application"), transport=data))
    return Jingle(
        "session-initiate",
        sid,
        initiator,
        contents=tuple(contents),
        bundle=tuple(content.name for content in contents),
        bridge_session=BridgeSession(offer.session_id, "sandbox"),
        start_muted=start_muted,
        json_sources=total if features.json else SourceSet(),
    )


def source_change(action: str, sid: str, initiator: str, sources: SourceSet, as_json: bool) -> Jingle:
    """A source-add or source-remove towards a member."""
    if as_json:
        return Jingle(action, sid, initiator, json_sources=sources)
    contents = []
    for media, items, groups in (
        ("audio", sources.audio, sources.audio_groups),
        ("video", sources.video, sources.video_groups),
    ):
        if items:
            contents.append(Content(media, description=RtpDescription(media, (), (), items, groups)))
    return Jingle(action, sid, initiator, contents=tuple(contents))


def peer_offer(initiator: str) -> Jingle:
    """A P2P session-initiate as browsers send it (jitsi.md 5.13): contents named by mid, candidates to be trickled."""
    fingerprint = Fingerprint("sha-256", ":".join(["AB"] * 32))
    transport = IceTransport("p2pu", "p2ppasswordp2ppassword22", (fingerprint,), "actpass")
    opus = Codec(OPUS_PT, "opus", 48000, 2)
    vp8 = Codec(VP8_PT, "VP8", 90000)
    contents = (
        Content("0", description=RtpDescription("audio", (opus,)), transport=transport),
        Content("1", description=RtpDescription("video", (vp8,)), transport=transport),
    )
    return Jingle("session-initiate", secrets.token_hex(6), initiator, contents=contents, bundle=("0", "1"))
