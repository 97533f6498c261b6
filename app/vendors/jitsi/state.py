"""Tables of one session: options, what we know of ourselves, and the context that the parts of the core share."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from app.calls.events import CallEvent
from app.protocols.xmpp.iq import DEFAULT_TIMEOUT_MS, IqTracker, OnAnswer
from app.vendors.jitsi.config import JitsiConfig
from app.vendors.jitsi.events import Effect, Emit, Send

CLIENT_NODE = "https://jitsi.org/jitsi-meet"
"""Focus implementations cache features by this node and our hash; other nodes are not expected."""
FEATURE_RTX = "urn:ietf:rfc:4588"
FEATURE_REMB = "http://jitsi.org/remb"
FEATURE_TCC = "http://jitsi.org/tcc"
FEATURE_REWRITING = "http://jitsi.org/ssrc-rewriting-1"
FEATURE_DTMF = "urn:xmpp:jingle:dtmf:0"

_BASE_FEATURES = frozenset(
    {
        "urn:xmpp:jingle:1",
        "urn:xmpp:jingle:apps:rtp:1",
        "urn:xmpp:jingle:apps:rtp:audio",
        "urn:xmpp:jingle:apps:rtp:video",
        "urn:xmpp:jingle:transports:ice-udp:1",
        "urn:xmpp:jingle:apps:dtls:0",
        "http://jabber.org/protocol/caps",
        "http://jabber.org/protocol/disco#info",
        "http://jitsi.org/json-encoded-sources",
        "http://jitsi.org/source-name",
        "http://jitsi.org/receive-multiple-video-streams",
        "http://jitsi.org/protocol/audio-mute",
        "http://jitsi.org/start-muted-room-metadata",
        "urn:xmpp:rayo:client:1",
    }
)


@dataclass(frozen=True, slots=True)
class CoreOptions:
    """All that a session is told at its start."""

    call_id: str
    config: JitsiConfig
    room: str
    display_room: str = ""
    display_name: str = ""
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    machine_uid: str = ""
    signed_in: bool = False
    microphone_muted: bool = False
    camera_muted: bool = False
    start_silent: bool = False
    audio_only: bool = False
    ssrc_rewriting: bool = True
    rtx: bool = True
    remb: bool = True
    data_channel: bool = True
    ignore_start_muted: bool = False
    use_ipv6: bool = True
    use_relays: bool = True
    send_quality: bool = True
    e2e_ping_ms: int = 0
    start_bitrate_bps: int | None = None
    lip_sync: bool = True
    max_bitrate_bps: int | None = None
    screen_max_bitrate_bps: int | None = None
    audio_levels: bool = True
    video_codecs: tuple[str, ...] = ("VP8", "H264")
    email: str = ""
    avatar_url: str = ""
    region: str = ""
    stats_id: str = ""
    client_node: str = CLIENT_NODE
    channel_last_n: int = -1
    send_max_height: int | None = None

    @property
    def features(self) -> frozenset[str]:
        """Disco features that are true of our media engine. Never transport-cc towards the bridge: it would stop
        all video of a client that does not send the feedback."""
        found = set(_BASE_FEATURES)
        if self.rtx:
            found.add(FEATURE_RTX)
        if self.remb:
            found.add(FEATURE_REMB)
        if self.ssrc_rewriting:
            found.add(FEATURE_REWRITING)
        if self.data_channel:
            found.add("urn:xmpp:jingle:transports:dtls-sctp:1")
        return frozenset(found)


@dataclass(slots=True)
class LocalState:
    """What is true of us now."""

    microphone_muted: bool = True
    camera_muted: bool = True
    sharing: bool = False
    force_muted: set[str] = field(default_factory=set)
    """Kinds that a moderator muted; unmuting lifts it at the bridge first."""
    display_name: str = ""
    moderator: bool = False
    role: str = "none"
    affiliation: str = "none"
    joined: bool = False
    leaving: bool = False
    audio_only: bool = False


class Context:
    """What the parts of the core share: identity, time, sending, timers. Effects are collected for the shell."""

    def __init__(self, options: CoreOptions, clock: Callable[[], int], make_id: Callable[[], str]) -> None:
        self.options = options
        self.local = LocalState(
            microphone_muted=options.microphone_muted or options.start_silent,
            camera_muted=options.camera_muted,
            display_name=options.display_name,
            audio_only=options.audio_only,
        )
        self.now = clock
        self.make_id = make_id
        self.effects: list[Effect] = []
        self.tracker = IqTracker(make_id)
        self.jid = ""
        self.nick = ""
        self.presence_changed: Callable[[], None] = lambda: None
        """Set by the core: sends our presence again."""
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._timer_ids = itertools.count()

    @property
    def config(self) -> JitsiConfig:
        return self.options.config

    @property
    def room_jid(self) -> str:
        return f"{self.options.room}@{self.config.muc}"

    @property
    def focus_occupant(self) -> str:
        return f"{self.room_jid}/focus"

    def occupant(self, nick: str) -> str:
        return f"{self.room_jid}/{nick}"

    def source_name(self, kind: str, index: int = 0) -> str:
        return f"{self.nick}-{kind}{index}"

    def effect(self, effect: Effect) -> None:
        self.effects.append(effect)

    def emit(self, event: CallEvent) -> None:
        self.effects.append(Emit(event))

    def send(self, stanza: Element) -> None:
        self.effects.append(Send(stanza))

    def ask(
        self, type_: str, to: str | None, child: Element, on_answer: OnAnswer, timeout_ms: int = DEFAULT_TIMEOUT_MS
    ) -> None:
        """Sends an IQ; *on_answer* is called once with the result or the error (a timeout is one)."""
        self.send(self.tracker.request(type_, to, child, on_answer, self.now(), timeout_ms))

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.now() + delay_ms, next(self._timer_ids), action))

    def tick(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()
        self.tracker.expire(now)

    def next_due(self) -> int | None:
        """When :meth:`tick` has something to do next, ``None`` when nothing waits."""
        times = [t for t in (self._timers[0][0] if self._timers else None, self.tracker.next_deadline()) if t]
        return min(times, default=None)

    def reset(self) -> None:
        """Forgets what waits: the stream it belonged to is gone."""
        self.tracker.cancel_all()
        self._timers.clear()


class SpeakerClock:
    """Who spoke for how long, from dominant-speaker events and the server's snapshot (jitsi.md 8.2)."""

    def __init__(self) -> None:
        self._total: dict[str, int] = {}
        self._current: str | None = None
        self._since = 0
        self._silent = False

    def _settle(self, now_ms: int) -> None:
        if self._current is not None and not self._silent:
            elapsed = max(0, now_ms - self._since)
            self._total[self._current] = self._total.get(self._current, 0) + elapsed
        self._since = now_ms

    def speaker(self, endpoint: str | None, silent: bool, now_ms: int) -> None:
        self._settle(now_ms)
        self._current, self._silent = endpoint, silent

    def snapshot(self, users: Mapping[str, Any]) -> None:
        """The server's totals up to our joining; never lowers what we counted ourselves."""
        for endpoint, values in list(users.items())[:1000]:
            total = values.get("totalDominantSpeakerTime") if isinstance(values, dict) else None
            if isinstance(total, (int, float)) and not isinstance(total, bool) and 0 <= total < 10**12:
                self._total[endpoint] = max(self._total.get(endpoint, 0), int(total))

    def totals(self, now_ms: int) -> dict[str, int]:
        self._settle(now_ms)
        return dict(self._total)
