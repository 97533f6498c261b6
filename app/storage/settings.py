"""Every setting of the program, declared once: key, type, default, range, words.

Labels and help are English source texts; the window looks them up in its catalogue under the context ``settings``.
Values are plain JSON values. :meth:`Setting.check` is the one place that decides whether a value fits.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MAX_TEXT = 512
"""Characters; no setting is longer, so a damaged file cannot grow the program."""
MAX_LIST = 200
"""Entries of a list setting, for the same reason."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class SettingType(StrEnum):
    SWITCH = "switch"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    DEVICE = "device"
    """Id of a device, ``""`` follows the system's default."""
    LIST = "list"
    """Tuple of texts."""


class Section(StrEnum):
    """Order and grouping in the settings window. ``HIDDEN`` is state of the window that nobody edits by hand."""

    GENERAL = "general"
    AUDIO = "audio"
    VIDEO = "video"
    JOINING = "joining"
    PHONE = "phone"
    SCREEN = "screen"
    NOTIFICATIONS = "notifications"
    SHORTCUTS = "shortcuts"
    NETWORK = "network"
    PRIVACY = "privacy"
    DIAGNOSTICS = "diagnostics"
    HIDDEN = "hidden"


class Applies(StrEnum):
    """When a change takes effect."""

    NOW = "now"
    NEXT_CALL = "next_call"
    RESTART = "restart"


SECTION_LABELS: Mapping[Section, str] = {
    Section.GENERAL: "General",
    Section.AUDIO: "Sound",
    Section.VIDEO: "Video",
    Section.JOINING: "Joining",
    Section.PHONE: "Phone",
    Section.SCREEN: "Screen sharing",
    Section.NOTIFICATIONS: "Notifications",
    Section.SHORTCUTS: "Keyboard",
    Section.NETWORK: "Network",
    Section.PRIVACY: "Privacy",
    Section.DIAGNOSTICS: "Diagnostics",
}

Value = bool | int | str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str | int
    label: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``option`` names it for sessions in ``JoinRequest.options`` (the vendors' own option names)."""

    key: str
    type: SettingType
    default: Value
    section: Section
    label: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: int = 0
    maximum: int = 0
    unit: str = ""
    max_length: int = MAX_TEXT
    device_kind: str = ""
    """For devices: ``audioinput``, ``audiooutput`` or ``videoinput``."""
    applies: Applies = Applies.NOW
    advanced: bool = False
    option: str = ""
    option_inverted: bool = False
    """The vendor's option says the opposite (``disableRtx``)."""

    def check(self, value: Any) -> Value:
        """*value* in canonical form. Raises ``ValueError`` with one sentence for the person."""
        return _CHECKS[self.type](self, value)


def _check_switch(setting: Setting, value: Any) -> Value:
    if not isinstance(value, bool):
        raise ValueError(f"“{setting.label}” is either on or off.")
    return value


def _check_number(setting: Setting, value: Any) -> Value:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"“{setting.label}” must be a whole number.")
    if not setting.minimum <= value <= setting.maximum:
        raise ValueError(f"“{setting.label}” must be between {setting.minimum} and {setting.maximum}.")
    return value


def _check_choice(setting: Setting, value: Any) -> Value:
    for choice in setting.choices:
        if choice.value == value and type(choice.value) is type(value):
            return choice.value
    raise ValueError(f"“{setting.label}” must be one of: {', '.join(choice.label for choice in setting.choices)}.")


def _check_text(setting: Setting, value: Any) -> Value:
    if not isinstance(value, str):
        raise ValueError(f"“{setting.label}” must be a text.")
    text = _CONTROL.sub("", value).strip()
    if len(text) > setting.max_length:
        raise ValueError(f"“{setting.label}” may have at most {setting.max_length} characters.")
    return text


def _check_list(setting: Setting, value: Any) -> Value:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"“{setting.label}” must be a list of texts.")
    if len(value) > MAX_LIST or any(len(item) > setting.max_length for item in value):
        raise ValueError(f"“{setting.label}” is too long.")
    return tuple(_CONTROL.sub("", item) for item in value)


_CHECKS = {
    SettingType.SWITCH: _check_switch,
    SettingType.NUMBER: _check_number,
    SettingType.CHOICE: _check_choice,
    SettingType.TEXT: _check_text,
    SettingType.DEVICE: _check_text,
    SettingType.LIST: _check_list,
}


def _switch(key: str, default: bool, section: Section, label: str, help: str = "", **more: Any) -> Setting:
    return Setting(key, SettingType.SWITCH, default, section, label, help, **more)


def _number(
    key: str, default: int, bounds: tuple[int, int], section: Section, label: str, help: str = "", **more: Any
) -> Setting:
    minimum, maximum = bounds
    return Setting(key, SettingType.NUMBER, default, section, label, help, minimum=minimum, maximum=maximum, **more)


def _choice(
    key: str,
    default: str | int,
    choices: Mapping[str | int, str] | Mapping[str, str] | Mapping[int, str],
    section: Section,
    label: str,
    help: str = "",
    **more: Any,
) -> Setting:
    listed = tuple(Choice(value, words) for value, words in choices.items())
    return Setting(key, SettingType.CHOICE, default, section, label, help, choices=listed, **more)


def _text(key: str, default: str, section: Section, label: str, help: str = "", **more: Any) -> Setting:
    return Setting(key, SettingType.TEXT, default, section, label, help, **more)


def _device(key: str, kind: str, section: Section, label: str, help: str = "") -> Setting:
    return Setting(key, SettingType.DEVICE, "", section, label, help, device_kind=kind)


_HEIGHTS: Mapping[str | int, str] = {
    0: "No limit",
    180: "180 lines",
    360: "360 lines",
    720: "720 lines",
    1080: "1080 lines",
}

_GENERAL = (
    _text("profile.display_name", "", Section.GENERAL, "Your name", "Shown to others in a meeting.", max_length=100),
    _text(
        "profile.email", "", Section.GENERAL, "E-mail address", "Optional. Meetings may show it.",
        max_length=254, applies=Applies.NEXT_CALL, advanced=True, option="email",
    ),
    _choice(
        "appearance.language", "system", {"system": "As the system", "en": "English", "fr": "Français"},
        Section.GENERAL, "Language",
    ),
    _choice(
        "appearance.theme", "system", {"system": "As the system", "light": "Light", "dark": "Dark"},
        Section.GENERAL, "Theme",
    ),
    _choice(
        "appearance.motion", "system", {"system": "As the system", "full": "Always", "none": "Never"},
        Section.GENERAL, "Animations",
    ),
    _text(
        "general.default_server", "https://meet.jit.si", Section.GENERAL, "Meeting server",
        "Used when you type only a room name.", max_length=253,
    ),
    _switch("general.keep_recent", True, Section.GENERAL, "Remember recent meetings"),
    _switch(
        "general.keep_awake", True, Section.GENERAL, "Keep the screen on during a call",
        "The system does not dim or lock the screen while you are in a meeting.",
    ),
    _choice(
        "view.layout", "speaker", {"speaker": "Speaker", "gallery": "Gallery"}, Section.GENERAL,
        "Layout at the start of a meeting",
    ),
    _switch("view.mirror_self", True, Section.GENERAL, "Mirror my own picture"),
    _switch("view.show_self", True, Section.GENERAL, "Show my own picture"),
    _switch("view.show_without_video", True, Section.GENERAL, "Show people without video"),
)  # fmt: skip

_AUDIO = (
    _device("devices.microphone", "audioinput", Section.AUDIO, "Microphone"),
    _device("devices.speaker", "audiooutput", Section.AUDIO, "Speaker"),
    _switch(
        "audio.echo_cancellation", True, Section.AUDIO, "Remove echo",
        "Keeps the sound of your loudspeaker out of your microphone.", option="echoCancellation",
    ),
    _switch("audio.noise_suppression", True, Section.AUDIO, "Reduce background noise"),
    _switch("audio.gain_control", True, Section.AUDIO, "Adjust microphone volume automatically"),
    _switch("audio.high_pass", True, Section.AUDIO, "Remove rumble", advanced=True),
    _switch(
        "audio.levels", True, Section.AUDIO, "Show level meters and speaking marks",
        option="disableAudioLevels", option_inverted=True, advanced=True, applies=Applies.NEXT_CALL,
    ),
    _switch(
        "audio.lip_sync", True, Section.AUDIO, "Synchronise sound and picture",
        applies=Applies.NEXT_CALL, advanced=True, option="enableLipSync",
    ),
    _switch(
        "hints.talk_while_muted", True, Section.AUDIO, "Warn me when I talk while muted", option="enableTalkWhileMuted"
    ),
    _switch(
        "hints.no_signal", True, Section.AUDIO, "Warn me when the microphone is silent", option="enableNoAudioDetection"
    ),
    _switch(
        "hints.noisy", True, Section.AUDIO, "Warn me when the microphone is noisy", option="enableNoisyMicDetection"
    ),
)  # fmt: skip

_VIDEO = (
    _device("devices.camera", "videoinput", Section.VIDEO, "Camera"),
    _choice(
        "video.camera_size", "1280x720",
        {"320x180": "320 × 180", "640x360": "640 × 360", "1280x720": "1280 × 720", "1920x1080": "1920 × 1080"},
        Section.VIDEO, "Camera resolution",
    ),
    _choice(
        "video.facing", "", {"": "No preference", "user": "Front", "environment": "Rear"}, Section.VIDEO,
        "Preferred camera side", "For tablets and notebooks with two cameras, while no camera is chosen.",
        advanced=True,
    ),
    _number("video.max_fps", 30, (1, 60), Section.VIDEO, "Maximum frame rate", unit="fps", advanced=True),
    _number("video.min_fps", 1, (1, 30), Section.VIDEO, "Minimum frame rate", unit="fps", advanced=True),
    _choice(
        "video.send_max_height", 0, _HEIGHTS, Section.VIDEO, "Send quality", "Upper bound for the picture you send.",
    ),
    _choice(
        "video.receive_max_height", 0, _HEIGHTS, Section.VIDEO, "Receive quality",
        "Upper bound for each picture you receive.",
    ),
    _number(
        "video.receive_last_n", -1, (-1, 100), Section.VIDEO, "Number of videos received",
        "-1 receives all that are on screen; 0 none.", option="channelLastN",
    ),
    _choice(
        "video.preferred_codec", "VP8", {"VP8": "VP8", "H264": "H.264"}, Section.VIDEO, "Preferred codec",
        applies=Applies.NEXT_CALL, advanced=True, option="preferredCodec",
    ),
    _choice(
        "video.never_codec", "", {"": "None", "VP8": "VP8", "H264": "H.264"}, Section.VIDEO, "Never use this codec",
        applies=Applies.NEXT_CALL, advanced=True, option="disabledCodec",
    ),
    _number(
        "video.start_bitrate", 800, (100, 4000), Section.VIDEO, "Start bit rate", unit="kbit/s",
        applies=Applies.NEXT_CALL, advanced=True, option="startBitrate",
    ),
    _number(
        "video.max_bitrate", 2500, (100, 10000), Section.VIDEO, "Maximum bit rate", unit="kbit/s",
        applies=Applies.NEXT_CALL, advanced=True, option="maxBitrate",
    ),
)  # fmt: skip

_JOINING = (
    _switch("join.microphone_muted", False, Section.JOINING, "Join with the microphone off"),
    _switch("join.camera_muted", False, Section.JOINING, "Join with the camera off"),
    _switch(
        "join.audio_only", False, Section.JOINING, "Join without video",
        "Neither sends nor receives pictures; saves power and bandwidth.",
    ),
    _switch(
        "join.start_silent", False, Section.JOINING, "Join without sound",
        "Neither sends nor plays sound, for a second device in the same room.", option="startSilent",
    ),
    _switch(
        "join.ignore_start_muted", False, Section.JOINING, "Ignore mute on entry",
        "Keeps your microphone and camera as you chose them when a meeting mutes newcomers.",
        applies=Applies.NEXT_CALL, option="ignoreStartMuted",
    ),
)  # fmt: skip

_PHONE = (
    _device(
        "devices.ringer", "audiooutput", Section.PHONE, "Ring on", "So that you hear it ring with the headset put down."
    ),
    _number("phone.ring_volume", 80, (0, 100), Section.PHONE, "Ring volume", "0 rings silently.", unit="%"),
    _choice(
        "phone.ringtone", "ring", {"ring": "Parley", "ring_classic": "Classic", "ring_soft": "Soft", "none": "None"},
        Section.PHONE, "Ringtone",
    ),
    _switch(
        "phone.call_waiting", True, Section.PHONE, "Call waiting tone",
        "A quiet tone tells of another call while you are talking.",
    ),
    _choice(
        "phone.auto_answer", "asked",
        {"never": "Never", "asked": "When the caller's phone system asks for it", "always": "Always, after a second"},
        Section.PHONE, "Answer automatically", "Never while you are in another call or do not want to be disturbed.",
    ),
    _switch(
        "phone.keep_signed_in", True, Section.PHONE, "Stay signed in",
        "Off: you sign in at every start. A token is kept in the system's password store, never your password.",
    ),
    _number(
        "phone.sign_in_hours", 1, (1, 168), Section.PHONE, "Sign-in lasts", "It is renewed by itself before it ends.",
        unit="h", applies=Applies.RESTART, advanced=True,
    ),
    _choice(
        "phone.dtmf", "rtp", {"rtp": "In the sound (RFC 4733)", "info": "As messages (SIP INFO)"}, Section.PHONE,
        "Send keypad tones", applies=Applies.NEXT_CALL, advanced=True, option="dtmf",
    ),
    _choice(
        "phone.transfer", "call", {"call": "In the call (SIP REFER)", "server": "By the server"}, Section.PHONE,
        "Transfer calls", applies=Applies.NEXT_CALL, advanced=True, option="transfer",
    ),
)  # fmt: skip

_SCREEN = (
    _switch("screen.allowed", True, Section.SCREEN, "Allow screen sharing"),
    _choice(
        "screen.optimise_for", "text", {"text": "Text (sharp)", "motion": "Video (smooth)"}, Section.SCREEN,
        "Optimise for",
    ),
    _number("screen.max_fps", 15, (1, 30), Section.SCREEN, "Maximum frame rate", unit="fps", advanced=True),
    _number(
        "screen.max_bitrate", 2500, (100, 10000), Section.SCREEN, "Maximum bit rate", unit="kbit/s",
        applies=Applies.NEXT_CALL, advanced=True, option="screenshareMaxBitrate",
    ),
)  # fmt: skip

_NOTIFICATIONS = (
    _switch("notifications.join_leave", True, Section.NOTIFICATIONS, "When somebody joins or leaves"),
    _switch("notifications.chat", True, Section.NOTIFICATIONS, "When a message arrives"),
    _switch("notifications.hands", True, Section.NOTIFICATIONS, "When somebody raises a hand"),
    _switch("notifications.reactions", True, Section.NOTIFICATIONS, "Show reactions"),
    _switch("sounds.reactions", True, Section.NOTIFICATIONS, "Sounds with reactions"),
    _switch("sounds.events", True, Section.NOTIFICATIONS, "Sounds for joins, messages and hands"),
)

_SHORTCUTS = (
    _switch(
        "shortcuts.single_letter", True, Section.SHORTCUTS, "Single-letter shortcuts",
        "M mutes, V turns the camera on or off … Never while you type in a field.",
    ),
    _switch("shortcuts.push_to_talk", True, Section.SHORTCUTS, "Hold Space to talk while muted"),
)  # fmt: skip

_NETWORK = (
    _switch("network.use_ipv6", True, Section.NETWORK, "Use IPv6", applies=Applies.NEXT_CALL, option="useIPv6"),
    _switch(
        "network.use_relay", True, Section.NETWORK, "Use relay servers",
        "STUN and TURN servers that the meeting server names. There is never a public one.",
        applies=Applies.NEXT_CALL, option="useStunTurn",
    ),
    _switch(
        "network.turn_udp", True, Section.NETWORK, "TURN over UDP",
        applies=Applies.NEXT_CALL, advanced=True, option="useTurnUdp",
    ),
    _switch(
        "network.retransmission", True, Section.NETWORK, "Retransmission",
        "Asks again for lost packets of a picture.",
        applies=Applies.NEXT_CALL, advanced=True, option="disableRtx", option_inverted=True,
    ),
    _text(
        "network.service_url", "", Section.NETWORK, "Server address",
        "Address of the XMPP service (wss:// or https://…/http-bind) when a server does not publish it.",
        applies=Applies.NEXT_CALL, advanced=True, option="serviceUrl",
    ),
    _text(
        "network.domain", "", Section.NETWORK, "Domain", applies=Applies.NEXT_CALL, advanced=True,
        max_length=253, option="hosts.domain",
    ),
    _text(
        "network.muc_domain", "", Section.NETWORK, "Rooms domain", applies=Applies.NEXT_CALL, advanced=True,
        max_length=253, option="hosts.muc",
    ),
    Setting(
        "network.trusted_certificates", SettingType.LIST, (), Section.NETWORK, "Trusted certificates",
        "Servers whose certificate you accepted yourself, each as “host fingerprint”.",
        applies=Applies.NEXT_CALL, advanced=True,
    ),
)  # fmt: skip

_PRIVACY = (
    _switch(
        "privacy.no_third_party", True, Section.PRIVACY, "No third-party requests",
        "No server but the meeting's own is asked for anything, such as the delay to other regions.",
        option="disableThirdPartyRequests",
    ),
    _switch(
        "privacy.send_quality", True, Section.PRIVACY, "Tell others my connection quality",
        applies=Applies.NEXT_CALL, option="sendQuality",
    ),
)  # fmt: skip

_DIAGNOSTICS = (
    _choice(
        "diagnostics.log_level", "INFO",
        {"TRACE": "Trace", "DEBUG": "Debug", "INFO": "Info", "LOG": "Log", "WARN": "Warning", "ERROR": "Error"},
        Section.DIAGNOSTICS, "Log level",
    ),
    _switch(
        "diagnostics.crash_reports", True, Section.DIAGNOSTICS, "Keep a report when the program crashes",
        "The report stays on this computer and is shown at the next start.",
    ),
    _switch(
        "diagnostics.ship_logs", False, Section.DIAGNOSTICS, "Send the log to a log server",
        "Without passwords, tokens and texts of messages.", applies=Applies.RESTART, advanced=True,
    ),
    _text(
        "diagnostics.log_server", "", Section.DIAGNOSTICS, "Log server",
        "A fluentd HTTP input, for example logs.example.org/parley (HTTPS) or localhost:9880/parley (HTTP).",
        applies=Applies.RESTART, advanced=True,
    ),
    _number(
        "diagnostics.ping_interval", 10_000, (1_000, 120_000), Section.DIAGNOSTICS, "Ping interval", unit="ms",
        applies=Applies.NEXT_CALL, advanced=True, option="xmppPing.interval",
    ),
    _number(
        "diagnostics.ping_timeout", 5_000, (500, 60_000), Section.DIAGNOSTICS, "Ping timeout", unit="ms",
        applies=Applies.NEXT_CALL, advanced=True, option="xmppPing.timeout",
    ),
)  # fmt: skip

_HIDDEN = (
    _text("machine.uid", "", Section.HIDDEN, "Identity of this installation", max_length=32, option="machine_uid"),
    _text("window.geometry", "", Section.HIDDEN, "Window geometry"),
    _number("window.panel_width", 340, (240, 900), Section.HIDDEN, "Width of the side panel"),
)

SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for group in (
        _GENERAL, _AUDIO, _VIDEO, _JOINING, _PHONE, _SCREEN, _NOTIFICATIONS, _SHORTCUTS, _NETWORK, _PRIVACY,
        _DIAGNOSTICS, _HIDDEN,
    )
    for setting in group
}  # fmt: skip


def defaults() -> dict[str, Value]:
    return {key: setting.default for key, setting in SETTINGS.items()}


def check(key: str, value: Any) -> Value:
    """*value* for *key* in canonical form. Raises ``ValueError`` with a sentence; ``KeyError`` never leaves here."""
    setting = SETTINGS.get(key)
    if setting is None:
        raise ValueError(f"There is no setting “{key}”.")
    return setting.check(value)


def log_options(values: Mapping[str, Value]) -> dict[str, Value]:
    """Where accounts send the program's log (``logs.host``, ``logs.port``, ``logs.tag``, ``logs.level``); empty when
    it stays here or the address cannot be used."""
    text = str(values["diagnostics.log_server"])
    if not values["diagnostics.ship_logs"] or not text:
        return {}
    try:
        url = urllib.parse.urlsplit(text if "://" in text else f"//{text}")
        host, port = url.hostname, url.port
    except ValueError:
        return {}
    if not host:
        return {}
    port = port or (80 if url.scheme == "http" else 443)
    tag = url.path.strip("/") or "parley"
    level = str(values["diagnostics.log_level"]).lower()
    return {"logs.host": host, "logs.port": port, "logs.tag": tag, "logs.level": level}


def join_options(values: Mapping[str, Value]) -> dict[str, Value]:
    """The settings that sessions read, under the vendors' own option names. Empty texts are left out."""
    options: dict[str, Value] = {}
    for key, setting in SETTINGS.items():
        if not setting.option:
            continue
        value = values.get(key, setting.default)
        if value == "":
            continue
        options[setting.option] = not value if setting.option_inverted else value
    return options
