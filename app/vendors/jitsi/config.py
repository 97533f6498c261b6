"""Discovery of a server's addresses and options from its ``config.js`` (jitsi.md 1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from app.vendors.jitsi.address import MeetingUrl
from app.vendors.jitsi.config_js import ConfigError, evaluate_config

__all__ = ["ConfigError", "JitsiConfig", "config_url", "default_config", "evaluate_config", "make_config"]

OVERRIDABLE = frozenset(
    {
        "startWithAudioMuted",
        "startWithVideoMuted",
        "startAudioMuted",
        "startVideoMuted",
        "startSilent",
        "startAudioOnly",
        "channelLastN",
        "startLastN",
        "resolution",
        "subject",
        "p2p.enabled",
        "enableOpusRed",
        "disableRtx",
        "requireDisplayName",
        "videoQuality.codecPreferenceOrder",
        "flags.ssrcRewritingEnabled",
        "bridgeChannel.preferSctp",
    }
)
"""Keys that a link may set. Addresses and logging are never among them: a link must not redirect a meeting."""


@dataclass(frozen=True, slots=True)
class JitsiConfig:
    """What a client needs of config.js, with the defaults filled in."""

    domain: str
    muc: str
    focus: str
    websocket: str = ""
    bosh: str = ""
    anonymous_domain: str = ""
    auth_domain: str = ""
    focus_user_jid: str = ""
    hidden_domain: str = ""
    conference_request_url: str = ""
    keep_alive_s: float = 60.0
    keep_alive_url: str = ""
    prefer_bosh: bool = False
    channel_last_n: int = -1
    start_audio_muted: int | None = None
    start_video_muted: int | None = None
    start_with_audio_muted: bool = False
    start_with_video_muted: bool = False
    start_silent: bool = False
    prefer_sctp: bool = True
    ignore_bridge_domain: str = ""
    ssrc_rewriting: bool = True
    disable_rtx: bool = False
    enable_ice_restart: bool = False
    enable_websocket_resume: bool = True
    use_turn_udp: bool = False
    codec_preference: tuple[str, ...] = ()
    region: str = ""
    shard: str = ""
    user_region: str = ""
    require_display_name: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def config_url(meeting: MeetingUrl) -> str:
    url = f"{meeting.base}{meeting.context_root}config.js?room={quote(meeting.room, safe='')}"
    return url + (f"&release={quote(meeting.release, safe='')}" if meeting.release else "")


def default_config(meeting: MeetingUrl) -> dict[str, Any]:
    """What usually holds when a server has no config.js (jitsi.md 1.5)."""
    host = urlsplit(meeting.base).hostname or ""
    tenant = meeting.tenant.replace(".", "_").replace("/", ".").lower()
    prefix = f"{tenant}." if tenant else ""
    secure = meeting.base.startswith("https")
    netloc = urlsplit(meeting.base).netloc
    return {
        "hosts": {"domain": host, "muc": f"conference.{prefix}{host}", "focus": f"focus.{host}"},
        "websocket": f"{'wss' if secure else 'ws'}://{netloc}{meeting.context_root}xmpp-websocket",
        "bosh": f"{meeting.base}{meeting.context_root}http-bind",
    }


def make_config(data: Mapping[str, Any], meeting: MeetingUrl) -> JitsiConfig:
    """The evaluated object, the link's overrides and the defaults together. Wrong types count as absent."""
    merged = json.loads(json.dumps(data))
    for path, text in meeting.overrides:
        _override(merged, path, text)
    defaults = default_config(meeting)
    hosts = _dict(merged.get("hosts"))
    domain = _host(hosts.get("domain")) or defaults["hosts"]["domain"]
    muc = _host(hosts.get("muc")) or (f"conference.{domain}" if hosts.get("domain") else defaults["hosts"]["muc"])
    websocket = _service_url(merged.get("websocket"), meeting, ("ws", "wss"))
    bosh = _service_url(merged.get("bosh"), meeting, ("http", "https"))
    if not websocket and not bosh:
        websocket, bosh = defaults["websocket"], defaults["bosh"]
    keep_alive = _number(merged.get("websocketKeepAlive"))
    flags, bridge = _dict(merged.get("flags")), _dict(merged.get("bridgeChannel"))
    deployment, quality = _dict(merged.get("deploymentInfo")), _dict(merged.get("videoQuality"))
    codecs = quality.get("codecPreferenceOrder")
    keep_alive_url = _service_url(merged.get("websocketKeepAliveUrl"), meeting, ("http", "https"))
    if not keep_alive_url and websocket:
        keep_alive_url = "http" + websocket[2:]
    return JitsiConfig(
        domain=domain,
        muc=muc.lower(),
        focus=_host(hosts.get("focus")) or f"focus.{domain}",
        websocket=websocket,
        bosh=bosh,
        anonymous_domain=_host(hosts.get("anonymousdomain")),
        auth_domain=_host(hosts.get("authdomain")),
        focus_user_jid=_text(merged.get("focusUserJid")),
        hidden_domain=_host(merged.get("hiddenDomain")),
        conference_request_url=_service_url(merged.get("conferenceRequestUrl"), meeting, ("http", "https")),
        keep_alive_s=60.0 if keep_alive is None else (-1.0 if keep_alive < 0 else max(keep_alive / 1000, 5.0)),
        keep_alive_url=keep_alive_url,
        prefer_bosh=merged.get("preferBosh") is True,
        channel_last_n=_int(merged.get("channelLastN"), -1),
        start_audio_muted=_optional_int(merged.get("startAudioMuted")),
        start_video_muted=_optional_int(merged.get("startVideoMuted")),
        start_with_audio_muted=merged.get("startWithAudioMuted") is True,
        start_with_video_muted=merged.get("startWithVideoMuted") is True,
        start_silent=merged.get("startSilent") is True,
        prefer_sctp=bridge.get("preferSctp") is not False,
        ignore_bridge_domain=_text(bridge.get("ignoreDomain")),
        ssrc_rewriting=flags.get("ssrcRewritingEnabled") is not False,
        disable_rtx=merged.get("disableRtx") is True,
        enable_ice_restart=merged.get("enableIceRestart") is True,
        enable_websocket_resume=merged.get("enableWebsocketResume") is not False,
        use_turn_udp=merged.get("useTurnUdp") is True,
        codec_preference=tuple(_text(c).lower() for c in codecs[:10]) if isinstance(codecs, list) else (),
        region=_text(deployment.get("region")),
        shard=_text(deployment.get("shard")),
        user_region=_text(deployment.get("userRegion")),
        require_display_name=merged.get("requireDisplayName") is True,
        raw=merged,
    )


def service_url(config: JitsiConfig, room: str, token: str | None, *, bosh: bool) -> str:
    """The XMPP service's URL with the query parameters that the server's modules need (jitsi.md 1.6)."""
    url = config.bosh if bosh else config.websocket
    return with_query(url, {"room": room, "token": token})


def with_query(url: str, parameters: Mapping[str, str | None]) -> str:
    pairs: Iterable[str] = (f"{k}={quote(v, safe='')}" for k, v in parameters.items() if v)
    extra = "&".join(pairs)
    return url + (("&" if "?" in url else "?") + extra if extra else "")


def _override(data: dict[str, Any], path: str, text: str) -> None:
    if path not in OVERRIDABLE:
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    *parents, last = path.split(".")
    for parent in parents:
        child = data.get(parent)
        if not isinstance(child, dict):
            child = data[parent] = {}
        data = child
    data[last] = value


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value[:1000] if isinstance(value, str) else ""


def _host(value: Any) -> str:
    text = _text(value).strip()
    return text if text and not any(c in text for c in " /?#@<>\"'") else ""


def _number(value: Any) -> float | None:
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _int(value: Any, default: int) -> int:
    number = _number(value)
    return default if number is None or not -(2**31) < number < 2**31 else int(number)


def _optional_int(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or not 0 <= number < 2**31 else int(number)


def _service_url(value: Any, meeting: MeetingUrl, schemes: tuple[str, str]) -> str:
    """An absolute service URL of the scheme family; scheme-less and path-only forms are completed."""
    text = _text(value).strip()
    if not text:
        return ""
    secure = meeting.base.startswith("https")
    scheme = schemes[1] if secure else schemes[0]
    if text.startswith("//"):
        text = f"{scheme}:{text}"
    elif text.startswith("/"):
        text = f"{scheme}://{urlsplit(meeting.base).netloc}{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme not in schemes or not parts.hostname:
        return ""
    # A page that came over TLS must not lead to a connection in the clear.
    return "" if secure and parts.scheme == schemes[0] else text
