"""A join request as options of the core: seed option names on one side, :class:`CoreOptions` on the other."""

from __future__ import annotations

from typing import Any

from app.vendors.base import JoinRequest
from app.vendors.jitsi.address import MeetingUrl
from app.vendors.jitsi.config import JitsiConfig
from app.vendors.jitsi.probes import MIN_PING_MS, ping_interval_ms
from app.vendors.jitsi.state import CLIENT_NODE, CoreOptions

SENDABLE = ("VP8", "H264")
"""Codecs that our engine can encode and decode."""

CAPPED_SCREEN_BPS = 500_000
"""lib-jitsi-meet's bound for a shared screen where a deployment wants one."""


def video_codecs(options: Any, config: JitsiConfig) -> tuple[str, ...]:
    """Our codecs in order: what the person prefers, then what the server prefers; never what was disabled."""
    disabled = _codec(options.get("disabledCodec"))
    preferred = [_codec(options.get("preferredCodec")), *(_codec(c) for c in config.codec_preference)]
    ordered = [c for c in dict.fromkeys((*preferred, *SENDABLE)) if c in SENDABLE and c != disabled]
    return tuple(ordered) or ("VP8",)


def _codec(value: Any) -> str:
    """``video/H264`` and ``h264`` alike."""
    return str(value or "").rpartition("/")[2].upper()


def _kbps(value: Any) -> int | None:
    """kbit/s of a setting as bit/s."""
    return int(value) * 1000 if isinstance(value, int) and value > 0 else None


def _screen_cap(given: Any, config: JitsiConfig) -> int | None:
    """The person's bound and the deployment's (``testing.capScreenshareBitrate: 1``), whichever is lower."""
    testing = config.raw.get("testing")
    capped = isinstance(testing, dict) and testing.get("capScreenshareBitrate") in (1, True)
    bounds = [_kbps(given.get("screenshareMaxBitrate")), CAPPED_SCREEN_BPS if capped else None]
    return min((b for b in bounds if b is not None), default=None)


def _ping_ms(given: Any, config: JitsiConfig) -> int:
    own = given.get("e2eping.pingInterval")
    if isinstance(own, int):
        return max(MIN_PING_MS, own) if own > 0 else 0
    return ping_interval_ms(config.raw)


def core_options(
    request: JoinRequest, config: JitsiConfig, meeting: MeetingUrl, token: str | None, uid: str, signed_in: bool
) -> CoreOptions:
    given = request.options
    return CoreOptions(
        call_id=request.call_id,
        config=config,
        room=meeting.room,
        display_room=meeting.display_room,
        display_name=request.display_name.strip()[:128],
        password=request.password or None,
        token=token,
        machine_uid=uid,
        signed_in=signed_in,
        microphone_muted=request.microphone_muted or config.start_with_audio_muted or given.get("audio") == "none",
        camera_muted=request.camera_muted or config.start_with_video_muted or given.get("video") == "none",
        start_silent=request.start_silent or config.start_silent,
        audio_only=bool(given.get("audio_only", False)),
        ssrc_rewriting=bool(given.get("ssrc_rewriting", config.ssrc_rewriting)),
        rtx=not (given.get("disableRtx") or config.disable_rtx),
        remb=bool(given.get("enableRemb", True)),
        data_channel=bool(given.get("openSctp", True)),
        ignore_start_muted=bool(given.get("ignoreStartMuted", False)),
        use_ipv6=bool(given.get("useIPv6", True)),
        use_relays=bool(given.get("useStunTurn", True)),
        send_quality=bool(given.get("sendQuality", True)),
        e2e_ping_ms=_ping_ms(given, config),
        start_bitrate_bps=_kbps(given.get("startBitrate")),
        lip_sync=bool(given.get("enableLipSync", True)),
        max_bitrate_bps=_kbps(given.get("maxBitrate")),
        screen_max_bitrate_bps=_screen_cap(given, config),
        audio_levels=not given.get("disableAudioLevels", False),
        video_codecs=video_codecs(given, config),
        email=str(given.get("email", ""))[:254],
        avatar_url=str(given.get("avatar_url", ""))[:2000],
        region=str(given.get("userRegion", "") or config.user_region),
        stats_id=str(given.get("statisticsId", ""))[:128],
        client_node=str(given.get("clientNode", "") or CLIENT_NODE),
        channel_last_n=int(given.get("channelLastN", config.channel_last_n)),
        send_max_height=given.get("send_max_height"),
    )
