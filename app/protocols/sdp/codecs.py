"""What we can send and receive, and what is left of it when two sides meet (RFC 3264 section 6.1, RFC 6184, 4733)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.calls.model import frozen_map
from app.media.api import Codec, HeaderExtension

URI_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
URI_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
URI_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
URI_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

VIDEO_FEEDBACK = ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")

AUDIO_CODECS = (
    Codec(111, "opus", 48000, 2, frozen_map({"minptime": "10", "useinbandfec": "1"})),
    Codec(9, "G722", 8000),
    Codec(0, "PCMU", 8000),
    Codec(8, "PCMA", 8000),
    Codec(110, "telephone-event", 48000, 1, frozen_map({"": "0-15"})),
    Codec(126, "telephone-event", 8000, 1, frozen_map({"": "0-15"})),
)
_H264 = frozen_map({"level-asymmetry-allowed": "1", "packetization-mode": "1", "profile-level-id": "42e01f"})
VIDEO_CODECS = (
    Codec(96, "VP8", 90000, 1, frozen_map(), VIDEO_FEEDBACK),
    Codec(97, "rtx", 90000, 1, frozen_map({"apt": "96"})),
    Codec(102, "H264", 90000, 1, _H264, VIDEO_FEEDBACK),
    Codec(103, "rtx", 90000, 1, frozen_map({"apt": "102"})),
)
AUDIO_EXTENSIONS = (HeaderExtension(1, URI_AUDIO_LEVEL), HeaderExtension(4, URI_MID))
VIDEO_EXTENSIONS = (
    HeaderExtension(2, URI_ABS_SEND_TIME),
    HeaderExtension(3, URI_TRANSPORT_CC),
    HeaderExtension(4, URI_MID),
)
FIRST_DYNAMIC, LAST_DYNAMIC = 96, 127


def same(ours: Codec, theirs: Codec) -> bool:
    """Whether both mean the same format; RTX is matched by its ``apt`` elsewhere."""
    if ours.name.lower() != theirs.name.lower() or ours.clock_rate != theirs.clock_rate:
        return False
    if ours.name.upper() == "H264":
        return _mode(ours) == _mode(theirs) and _profile(ours) == _profile(theirs)
    return ours.name.lower() != "rtx" and (ours.channels == theirs.channels or ours.clock_rate == 8000)


def _mode(codec: Codec) -> str:
    return codec.parameters.get("packetization-mode", "0")


def _profile(codec: Codec) -> str:
    """The profile without level (RFC 6184 section 8.1); baseline and constrained baseline count as one, for what we
    send is constrained and what we receive is decoded either way."""
    profile = codec.parameters.get("profile-level-id", "42000a").lower()[:4]
    return "42" if profile[:2] == "42" else profile[:2]


def intersect(ours: Iterable[Codec], theirs: Iterable[Codec]) -> tuple[Codec, ...]:
    """What both can, in *their* order, with their payload types and parameters, and the feedback that both know.

    Telephone events stay only for clock rates of a voice codec that stays (RFC 4733 section 2.1), unless none fits.
    """
    known, offered = tuple(ours), tuple(theirs)
    kept: list[Codec] = []
    for codec in offered:
        mine = next((c for c in known if same(c, codec)), None)
        if mine is not None:
            feedback = tuple(f for f in codec.feedback if f in mine.feedback)
            kept.append(replace(codec, feedback=feedback))
    media = [c for c in kept if c.name.lower() not in ("telephone-event", "cn")]
    if not media:
        return ()
    primary = {c.payload_type for c in media}
    has_rtx = {c.parameters.get("apt") for c in known if c.name.lower() == "rtx"}
    rtx = [
        c for c in offered
        if has_rtx and c.name.lower() == "rtx" and _apt(c) in primary
    ]  # fmt: skip
    chosen = {c.payload_type for c in (*kept, *rtx)}
    wanted = {c.payload_type: c for c in (*kept, *rtx)}
    return tuple(wanted[c.payload_type] for c in offered if c.payload_type in chosen)


def _apt(codec: Codec) -> int:
    text = codec.parameters.get("apt", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else -1


def shared_extensions(
    ours: Iterable[HeaderExtension], theirs: Iterable[HeaderExtension]
) -> tuple[HeaderExtension, ...]:
    uris = {extension.uri for extension in ours}
    return tuple(extension for extension in theirs if extension.uri in uris)


def merged(negotiated: tuple[Codec, ...], ours: tuple[Codec, ...], used: dict[int, Codec]) -> tuple[Codec, ...]:
    """What to offer again: the agreed formats with their numbers, then the rest of ours with free ones.

    *used*: payload types of the whole bundle; one number must not mean two things (RFC 8843 section 10.1.2).
    """
    result = list(negotiated)
    renamed: dict[int, int] = {}
    for codec in ours:
        if codec.name.lower() == "rtx":
            apt = renamed.get(_apt(codec))
            if apt is None:
                continue
            codec = replace(codec, parameters=frozen_map({**codec.parameters, "apt": str(apt)}))
        elif any(same(codec, known) for known in negotiated):
            continue
        number = codec.payload_type
        taken = {c.payload_type for c in result}
        if number in taken or (number in used and not _interchangeable(used[number], codec)):
            free = (n for n in range(FIRST_DYNAMIC, LAST_DYNAMIC + 1) if n not in used and n not in taken)
            found = next(free, None)
            if found is None:
                continue
            number = found
        renamed[codec.payload_type] = number
        codec = replace(codec, payload_type=number)
        used[number] = codec
        result.append(codec)
    return tuple(result)


def _interchangeable(first: Codec, second: Codec) -> bool:
    if first.name.lower() == "rtx" and second.name.lower() == "rtx":
        return first.parameters.get("apt") == second.parameters.get("apt")
    return same(first, second)
