"""The seam between signalling and media: values and protocols, no implementation.

Signalling speaks of transports, sources and senders; never of aiortc classes. All methods of :class:`MediaEngine`
and :class:`Transport` may be called from any thread: plain methods post to the engine's loop and return at once,
coroutines can be awaited on the caller's own loop. Event callbacks run on the loop that was running when the
callback was registered.

Units: milliseconds, bits per second, pixels; audio levels in dBov (RFC 6464: 0 loudest, -127 silence).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.calls.model import MediaKind, SourceContent, frozen_map

# ---------------------------------------------------------------- transport description (RFC 8839, RFC 8122, RFC 8866)


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server given by the signalling server (XEP-0215, RFC 7064/7065). Never a public default."""

    scheme: str
    """``stun``, ``turn`` or ``turns``."""
    host: str
    port: int
    transport: str = "udp"
    username: str = ""
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class IceCandidate:
    foundation: str
    component: int
    protocol: str
    priority: int
    ip: str
    port: int
    type: str
    related_address: str | None = None
    related_port: int | None = None
    tcp_type: str | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Fingerprint:
    algorithm: str
    """``sha-256``, ``sha-384`` or ``sha-512``."""
    value: str
    """Upper-case hexadecimal bytes separated by colons."""


@dataclass(frozen=True, slots=True)
class TransportDescription:
    """One side of a bundled ICE + DTLS transport."""

    ufrag: str
    pwd: str = field(repr=False)
    fingerprints: tuple[Fingerprint, ...]
    setup: str
    """``actpass``, ``active`` or ``passive`` (RFC 8842)."""
    candidates: tuple[IceCandidate, ...] = ()
    end_of_candidates: bool = True
    ice_lite: bool = False
    sctp_port: int | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type. Retransmission has the name ``rtx`` and the parameter ``apt`` (RFC 4588)."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: Mapping[str, str] = field(default_factory=frozen_map)
    feedback: tuple[str, ...] = ()
    """RTCP feedback, e.g. ``"nack"``, ``"nack pli"``, ``"ccm fir"``, ``"goog-remb"``, ``"transport-cc"``."""


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    id: int
    uri: str


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """What may be sent and received for one kind, in order of preference."""

    kind: MediaKind
    mid: str
    codecs: tuple[Codec, ...]
    header_extensions: tuple[HeaderExtension, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """A source of somebody else and the SSRC that carries it now.

    The mapping may change while the call runs (SSRC rewriting): mapping the same SSRC to another name moves the
    receiver; mapping the same name to another SSRC moves the name.
    """

    name: str
    participant_id: str
    kind: MediaKind
    content: SourceContent
    ssrc: int
    rtx_ssrc: int | None = None
    mid: str = ""
    """Its line, for peers that signal no SSRC (``ssrc`` 0) and have several lines of one kind."""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A source of ours, with SSRCs chosen by the engine."""

    name: str
    kind: MediaKind
    content: SourceContent
    ssrc: int
    rtx_ssrc: int | None
    cname: str
    msid: str
    """``<stream id> <track id>``, unique in the conference."""


@dataclass(frozen=True, slots=True)
class TransportConfig:
    call_id: str
    controlling: bool = False
    setup: str = "active"
    """Our DTLS role as answerer, or ``actpass`` when we offer."""
    ice_servers: tuple[IceServer, ...] = ()
    use_ipv6: bool = True
    media: tuple[MediaDescription, ...] = ()
    data_channel: bool = False
    sctp_port: int = 5000
    video_codecs: tuple[str, ...] = ("VP8", "H264")
    """Codecs that may be sent, best first."""
    start_bitrate_bps: int | None = None
    """What is sent until the far side says how much it takes; ``None`` for the engine's own guess."""
    lip_sync: bool = True
    """Hold pictures back until the same person's sound is heard."""


# ---------------------------------------------------------------- inputs and outputs


@dataclass(frozen=True, slots=True)
class AudioInput:
    """``kind``: ``device`` (id ``""`` follows the system's default), ``test`` (tone and chirps) or ``none``."""

    kind: str = "device"
    device_id: str = ""
    tone_hz: float = 440.0


@dataclass(frozen=True, slots=True)
class VideoInput:
    """``kind``: ``camera``, ``screen``, ``test`` (moving card with a machine-readable stamp) or ``none``.

    ``device_id`` is an id from :meth:`MediaEngine.devices` or from :func:`app.media.screen.list_screens`.
    """

    kind: str = "camera"
    device_id: str = ""
    width: int = 1280
    height: int = 720
    fps: int = 30
    optimise_for: str = "motion"
    min_fps: int = 1
    """A camera that gives fewer pictures a second than this is told of (:class:`InputLimited`), not refused."""


@dataclass(frozen=True, slots=True)
class AudioOutput:
    """``kind``: ``device`` (id ``""`` follows the system's default) or ``null`` (played to nowhere, in real time)."""

    kind: str = "device"
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class AudioProcessing:
    """WebRTC audio processing of the microphone, each part switchable."""

    echo_cancellation: bool = True
    noise_suppression: bool = True
    gain_control: bool = True
    high_pass: bool = True


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    label: str
    kind: str
    """``audioinput``, ``audiooutput`` or ``videoinput``."""
    is_default: bool = False
    group_id: str = ""
    facing: str = ""
    """``user``, ``environment`` or empty."""


# ---------------------------------------------------------------- pictures


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to paint: 32-bit BGRA, premultiplied alpha irrelevant (opaque)."""

    width: int
    height: int
    stride: int
    """Bytes per row."""
    data: Any
    """Buffer of at least ``stride * height`` bytes; valid as long as the object lives."""
    timestamp_ms: float
    """RTP media time in milliseconds, monotonic per source."""
    sequence: int
    """Counts the pictures of this slot, so that a reader knows what it missed."""


class FrameSlot(Protocol):
    """Newest picture of one source. Producers overwrite, readers take the newest, the rest is dropped.

    Conversion to BGRA happens in a worker thread and only while somebody is attached and visible.
    """

    def attach(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call *listener* (from any thread) when a new picture is ready; returns the function that detaches."""

    def take(self) -> Picture | None:
        """The newest picture, or ``None`` before the first."""

    def wants(self, max_width: int, max_height: int) -> None:
        """Say how large the picture is shown (device pixels), so that a worker may halve large frames first."""


# ---------------------------------------------------------------- statistics


@dataclass(frozen=True, slots=True)
class TrackStats:
    """Statistics of one source over the last second; rates are means over the last five seconds."""

    source: str
    participant_id: str
    direction: str
    """``inbound`` or ``outbound``."""
    kind: MediaKind
    content: SourceContent
    ssrc: int
    codec: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    bitrate_bps: float | None = None
    packets: int = 0
    packets_lost: int | None = None
    loss_fraction: float | None = None
    jitter_ms: float | None = None
    freezes: int | None = None
    audio_level_dbov: float | None = None
    buffer_ms: float | None = None
    concealed_ms: float | None = None
    frames: int | None = None
    nacks: int = 0
    plis: int = 0
    target_bitrate_bps: float | None = None


@dataclass(frozen=True, slots=True)
class TransportStats:
    rtt_ms: float | None = None
    bytes_sent: int = 0
    bytes_received: int = 0
    send_bitrate_bps: float = 0.0
    receive_bitrate_bps: float = 0.0
    available_send_bps: float | None = None
    """What the far side's REMB or transport-cc allows us to send."""
    estimated_receive_bps: float | None = None
    """What we told the far side that we can receive."""
    loss_received: float | None = None
    loss_sent: float | None = None
    local_candidate: str = ""
    remote_candidate: str = ""
    transport: str = "udp"
    dtls_cipher: str = ""
    srtp_profile: str = ""
    tracks: tuple[TrackStats, ...] = ()


# ---------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class TransportStateChanged:
    """``connecting``, ``connected``, ``disconnected`` (no consent or nothing received), ``failed``, ``closed``."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DataChannelOpened:
    label: str


@dataclass(frozen=True, slots=True)
class DataChannelClosed:
    label: str


@dataclass(frozen=True, slots=True)
class DataChannelMessage:
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class SourceStarted:
    """First audio packet or first decoded picture of a source since it was mapped."""

    name: str
    kind: MediaKind


@dataclass(frozen=True, slots=True)
class SourceFrozen:
    name: str
    frozen: bool


@dataclass(frozen=True, slots=True)
class AudioLevels:
    """Source name to level 0.0 .. 1.0; about five times a second, only sources that are not silent."""

    levels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StatsReported:
    stats: TransportStats


@dataclass(frozen=True, slots=True)
class LocalAudioLevel:
    """Our microphone after processing, 0.0 .. 1.0, about ten times a second, also while muted."""

    level: float
    speech: bool
    score: float = 0.0
    """How sure the detection of speech is, 0.0 .. 1.0 (:mod:`app.media.vad`)."""


@dataclass(frozen=True, slots=True)
class MicrophoneHint:
    """``talking_while_muted``, ``no_signal``, ``signal_back`` or ``noisy``."""

    code: str


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class InputFailed:
    """A device could not be opened or went away. ``code`` is not_found, permission_denied, busy, cancelled or general,
    unsupported_resolution, constraint_failed; ``what`` is microphone, camera, screen, speaker, or recording (the file
    could not be written on)."""

    what: str
    code: str
    device: str
    message: str
    original: str = ""
    """The error of the system behind it, in its own words."""
    constraints: str = ""
    """What was asked of the device, e.g. ``1280x720, 30 fps``."""


@dataclass(frozen=True, slots=True)
class InputStarted:
    what: str
    device: str


@dataclass(frozen=True, slots=True)
class InputSlow:
    """Opening a device takes unusually long; :class:`InputStarted` or :class:`InputFailed` still follows."""

    what: str


@dataclass(frozen=True, slots=True)
class InputLimited:
    """A camera works, yet gives less than was asked: ``unsupported_resolution`` or ``constraint_failed`` (pictures a
    second). The figures are what it gives."""

    what: str
    code: str
    device: str
    width: int
    height: int
    fps: float = 0.0


MediaEvent = (
    TransportStateChanged
    | DataChannelOpened
    | DataChannelClosed
    | DataChannelMessage
    | SourceStarted
    | SourceFrozen
    | AudioLevels
    | StatsReported
)
EngineEvent = LocalAudioLevel | MicrophoneHint | DevicesChanged | InputFailed | InputStarted | InputSlow | InputLimited


# ---------------------------------------------------------------- protocols used by sessions and the window


class Transport(Protocol):
    """One bundled transport of one call, with its receivers and senders."""

    @property
    def local(self) -> TransportDescription:
        """Our side, valid once :meth:`MediaEngine.open_transport` has returned; new after :meth:`restart_ice`."""

    async def start(self, remote: TransportDescription) -> None:
        """Begin ICE and DTLS towards *remote*; progress comes as :class:`TransportStateChanged`.

        Returns once the description is applied, without waiting for connectivity.
        """

    async def restart_ice(self) -> TransportDescription:
        """New ICE credentials and candidates for our side, DTLS and SRTP kept; follow with :meth:`continue_ice`."""

    async def continue_ice(self, remote: TransportDescription) -> None:
        """Remote side's new credentials after :meth:`restart_ice`."""

    async def add_remote_candidates(self, candidates: tuple[IceCandidate, ...]) -> None: ...

    def set_media(self, media: tuple[MediaDescription, ...]) -> None:
        """Other payload types, header extensions or feedback after a renegotiation. Running senders and receivers go
        over to them, with the SSRCs that they have."""

    def map_source(self, source: RemoteSource) -> None:
        """An SSRC of 0 takes whatever comes for the source's kind (peers that signal no SSRCs)."""

    def unmap_source(self, name: str) -> None: ...

    async def add_sender(self, name: str, content: SourceContent, mid: str = "") -> LocalSource:
        """Make a sender, silent until its input runs and it is unmuted. One per name. *mid*: the line it goes out on;
        default is the first of its kind."""

    async def change_content(self, name: str, content: SourceContent) -> LocalSource:
        """Another input on a video sender that runs (screen instead of camera); SSRC, msid and name stay, so nothing
        has to be signalled. Raises :class:`app.media.errors.InvalidState` without such a sender."""

    async def remove_sender(self, name: str) -> None: ...

    def set_muted(self, name: str, muted: bool) -> None:
        """Stop or resume sending of a local source at once (no packets while muted)."""

    def set_max_height(self, name: str, max_height: int | None) -> None:
        """Upper bound asked by the far side for a local video; 0 pauses it."""

    def set_max_bitrate(self, name: str, bps: int | None) -> None: ...

    def send_dtmf(self, name: str, tones: str, duration_ms: int, gap_ms: int) -> None:
        """Queue RFC 4733 tones on a local audio source."""

    async def open_data_channel(self, label: str, protocol: str) -> None:
        """Open a reliable, ordered data channel once SCTP is up; :class:`DataChannelOpened` follows."""

    def send_data(self, label: str, text: str) -> None:
        """Raises :class:`app.media.errors.InvalidState` when the channel is not open."""

    def slot(self, source_name: str) -> FrameSlot:
        """The picture slot of a remote video source; made on first use, survives unmapping."""

    def set_volume(self, source_name: str, volume: float) -> None: ...

    def set_receiving(self, source_name: str, wanted: bool) -> None:
        """Stop decoding a video nobody looks at; packets are dropped until wanted again (then a keyframe is asked)."""

    def inject_faults(self, loss: float = 0.0, delay_ms: float = 0.0, blackhole: bool = False) -> None:
        """For tests: lose or delay packets in both directions."""

    async def close(self) -> None: ...


class MediaEngine(Protocol):
    """The engine of one process. Inputs are shared by all transports."""

    def start(self) -> None:
        """Start the engine thread. Idempotent."""

    async def close(self) -> None: ...

    def subscribe(self, listener: Callable[[EngineEvent], None]) -> Callable[[], None]: ...

    async def open_transport(self, config: TransportConfig, on_event: Callable[[MediaEvent], None]) -> Transport:
        """Gather candidates (bounded wait) and return a transport whose ``local`` is complete."""

    def devices(self) -> tuple[Device, ...]: ...

    async def find_active_microphone(self) -> Device | None:
        """Listen to all microphones for a moment and return the one that hears most; ``None`` if all are silent."""

    async def set_microphone(self, source: AudioInput | None) -> None:
        """Open, switch or close (``None``) the microphone. Raises :class:`app.media.errors.DeviceError`."""

    async def set_camera(self, source: VideoInput | None) -> None: ...

    async def set_screen(self, source: VideoInput | None) -> None: ...

    async def set_speaker(self, output: AudioOutput) -> None: ...

    def set_processing(self, processing: AudioProcessing) -> None: ...

    def preview(self, content: SourceContent) -> FrameSlot:
        """Our own camera or screen picture."""

    async def play_test_sound(self) -> None: ...

    def play_sound(self, name: str, volume: float = 1.0, device_id: str | None = None) -> Callable[[], None]:
        """Play a sound of :class:`app.media.sounds.Sound` by its value; returns the function that stops it.

        With *device_id* it is played there (``""``: the system's default) beside the loudspeaker of calls; when that
        cannot be opened, on the loudspeaker of calls.
        """

    def add_tap(self, tap: Callable[[Any, float], None]) -> Callable[[], None]:
        """Give every block of 10 ms that is played (480 samples, int16 mono, 48 kHz; and when it is heard) to *tap*, on
        the playout thread; returns the function that ends it."""

    async def start_recording(self, path: Path, call_id: str) -> None:
        """Record the mixed sound and the pictures of one call into a Matroska file until :meth:`stop_recording`."""

    async def stop_recording(self) -> Path | None: ...
