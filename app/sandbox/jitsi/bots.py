"""Synthetic participants: they enter each meeting after its first person, send moving pictures and speech-like sound,
and behave like people (speak in turns, chat, raise a hand, react, share a screen, leave and come back)."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import logging
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.media import rtp
from app.media.api import HeaderExtension
from app.media.video_codec import packetize_vp8
from app.protocols.jingle import JingleSource, SourceGroup, SourceSet
from app.protocols.xmpp import ns
from app.protocols.xmpp.xml import child_text, el, find, name_of
from app.sandbox.jitsi.bridge import Bridge
from app.sandbox.jitsi.channel import build
from app.sandbox.jitsi.clips import FPS, FRAME_SAMPLES, SCREEN_FPS, SIZES, AudioClip, ClipStore, VideoClip
from app.sandbox.jitsi.conference import Conference
from app.sandbox.jitsi.focus import Focus
from app.sandbox.jitsi.muc import FOCUS_NICK, Occupant
from app.sandbox.jitsi.offer import AUDIO_LEVEL_ID, AUDIO_LEVEL_URI, OPUS_PT, VP8_PT
from app.sandbox.jitsi.options import SandboxOptions
from app.sandbox.jitsi.sessions import CallLater, LocalSession, Router
from app.sandbox.jitsi.stanza import attr, error_reply, resource, result_reply

log = logging.getLogger(__name__)

NAMES = (
    "Amina Diallo", "Björn Lindqvist", "Chloé Martin", "Dmitri Volkov", "Elif Yılmaz", "Farah Khan",
    "Giulia Rossi", "Hiro Tanaka", "Inês Carvalho", "Jamal Carter", "Kwame Mensah", "Lucía Fernández",
)  # fmt: skip
LINES = (
    "Good morning, everybody!", "Can you all see my screen?", "I agree.", "Let me check the numbers again.",
    "Here are the notes: https://example.org/notes", "Great work on the last release.", "Shall we move on?",
    "One question: who takes the minutes?", "I have to leave in ten minutes.", "Thanks, that helps a lot.",
)  # fmt: skip
REACTIONS = ("like", "clap", "laugh", "surprised", "love")
TONES = (220.0, 330.0, 440.0, 550.0, 660.0, 275.0, 385.0, 495.0, 605.0)
"""Base frequencies of the voices, apart enough to be told from each other by a spectrum."""
_IDS = rtp.ExtensionIds((HeaderExtension(AUDIO_LEVEL_ID, AUDIO_LEVEL_URI),))
WATCHED_HEIGHT = 720
"""What bots ask others to send."""
AUDIO_STEP_S = FRAME_SAMPLES / 48_000
VIDEO_STEP_S = 1 / FPS
SCREEN_STEP_S = 1 / SCREEN_FPS
MAX_LATENESS_S = 0.5
"""A sender that fell behind this far (a suspended machine) skips ahead."""


@dataclass(slots=True)
class _Track:
    """One outgoing SSRC."""

    ssrc: int
    clip: VideoClip | None
    sequence: int
    timestamp_base: int
    position: int = 0
    picture: int = 0

    def play(self, clip: VideoClip) -> None:
        """Go over to *clip* (it begins with a keyframe) unless it is playing already."""
        if self.clip is not clip:
            self.clip, self.position = clip, 0


class Bot:
    """One synthetic participant of one conference. All its media is injected into the bridge; it has no transport."""

    def __init__(self, crew: BotCrew, conference: Conference, nick: str, name: str, index: int) -> None:
        self.crew, self.conference, self.nick, self.name = crew, conference, nick, name
        self.jid = f"{nick}-{secrets.token_hex(4)}@{crew.options.domain}/bot"
        self.session = LocalSession(self.jid, self._on_stanza)
        self.random = random.Random(crew.options.seed * 1000 + index)
        self.tone_hz = TONES[index % len(TONES)] + 7.0 * (index // len(TONES))
        self.microphone_muted = self.camera_muted = False
        self.speaking = False
        self.sharing = False
        self.hand_raised_at = 0
        self.present = False
        self.received: list[tuple[str, str]] = []
        """(sender, text) of chat that reached the bot, at most 200."""
        self._audio_clip: AudioClip = crew.clips.speech(self.tone_hz)
        self._audio_at = 0
        start = self.random.randrange(1, 2**31)
        self._audio = _Track(start, None, self.random.randrange(2**15), self.random.randrange(2**31))
        self._layers = {
            height: _Track(start + 10 + 2 * i, None, self.random.randrange(2**15), self.random.randrange(2**31))
            for i, height in enumerate(SIZES)
        }
        self._first_clip = crew.clips.camera(self.video_name, min(SIZES))
        self._screen = _Track(start + 30, None, self.random.randrange(2**15), self.random.randrange(2**31))
        self._replies: dict[str, Callable[[str, str], None]] = {}
        self._epoch = time.monotonic()

    # ------------------------------------------------------------------ names and sources

    @property
    def audio_name(self) -> str:
        return f"{self.nick}-a0"

    @property
    def video_name(self) -> str:
        return f"{self.nick}-v0"

    @property
    def screen_name(self) -> str:
        return f"{self.nick}-v1"

    def _camera_sources(self) -> SourceSet:
        msid = f"{self.nick}-video-0-1 {self.nick}-v0-track"
        items, groups = [], []
        for track in self._layers.values():
            for ssrc in (track.ssrc, track.ssrc + 1):
                items.append(JingleSource(ssrc, self.video_name, self.nick, msid, "camera"))
            groups.append(SourceGroup("FID", (track.ssrc, track.ssrc + 1)))
        groups.insert(0, SourceGroup("SIM", tuple(track.ssrc for track in self._layers.values())))
        audio = JingleSource(
            self._audio.ssrc, self.audio_name, self.nick, f"{self.nick}-audio-0-1 {self.nick}-a0-track"
        )
        return SourceSet((audio,), tuple(items), (), tuple(groups))

    def _screen_sources(self) -> SourceSet:
        msid = f"{self.nick}-video-1-1 {self.nick}-v1-track"
        pair = (self._screen.ssrc, self._screen.ssrc + 1)
        items = tuple(JingleSource(ssrc, self.screen_name, self.nick, msid, "desktop") for ssrc in pair)
        return SourceSet((), items, (), (SourceGroup("FID", pair),))

    # ------------------------------------------------------------------ coming and going

    def enter(self) -> None:
        """Join the room and begin to send."""
        if self.present or self.conference.closed:
            return
        self.crew.router.register(self.session)
        self.present = True
        self._presence(join=True)
        if self.conference.room.occupants.get(self.nick) is None:
            self.present = False
            self.session.end()
            return
        self.crew.bridge.add_local(self.conference.id, self.nick, None, self._keyframe)
        endpoint = self.crew.bridge.endpoint(self.conference.id, self.nick)
        if endpoint is not None:
            endpoint.channel = _BotChannel(self)
        self.conference.add_sources(self.nick, self._camera_sources())
        wish = {"maxHeight": WATCHED_HEIGHT}
        text = build("ReceiverVideoConstraints", lastN=-1, defaultConstraints=wish)
        owner = self.crew.bridge.conference(self.conference.id)
        if endpoint is not None:
            owner.message(endpoint, text)

    def leave(self) -> None:
        if not self.present:
            return
        self.present = False
        self.speaking = self.sharing = False
        self._send(el("presence", ns.CLIENT, {"type": "unavailable", "to": f"{self.conference.room.jid}/{self.nick}"}))
        self.session.end()

    def removed(self) -> None:
        """The room says that we are out (kicked, destroyed)."""
        if self.present:
            self.present = False
            self.session.end()

    def _presence(self, join: bool = False) -> None:
        info = {
            self.audio_name: {"muted": self.microphone_muted},
            self.video_name: {"muted": self.camera_muted},
        }
        if self.sharing:
            info[self.screen_name] = {"muted": False, "videoType": "desktop"}  # type: ignore[dict-item]
        stanza = el("presence", ns.CLIENT, {"to": f"{self.conference.room.jid}/{self.nick}"})
        if join:
            password = self.conference.room.password
            stanza.append(el("x", ns.MUC, None, el("password", ns.MUC, text=password) if password else None))
        stanza.extend(
            [
                el("nick", ns.NICK, text=self.name),
                el("stats-id", ns.CLIENT, text=f"{self.name.split()[0]}-bot"),
                el("SourceInfo", ns.CLIENT, text=json.dumps(info)),
                el("jitsi_participant_codecList", ns.CLIENT, text="vp8"),
            ]
        )
        if self.hand_raised_at:
            stanza.append(el("jitsi_participant_raisedHand", ns.CLIENT, text=str(self.hand_raised_at)))
        self._send(stanza)

    def _send(self, stanza: Element) -> None:
        self.crew.router.route(self.session, stanza)

    # ------------------------------------------------------------------ what a bot can do

    def say(self, text: str, to: str = "") -> None:
        """Chat to everybody, or to one endpoint id."""
        room = self.conference.room.jid
        attributes = {"type": "chat" if to else "groupchat", "to": f"{room}/{to}" if to else room}
        body = el("body", ns.CLIENT, text=text)
        self._send(el("message", ns.CLIENT, {**attributes, "id": secrets.token_hex(8)}, body))

    def raise_hand(self, raised: bool = True) -> None:
        self.hand_raised_at = int(time.time() * 1000) if raised else 0
        self._presence()

    def react(self, *reactions: str) -> None:
        payload = {"name": "endpoint-reaction", "reactions": list(reactions), "timestamp": int(time.time() * 1000)}
        self.send_endpoint_message("", payload)

    def send_endpoint_message(self, to: str, payload: object) -> None:
        endpoint = self.crew.bridge.endpoint(self.conference.id, self.nick)
        if endpoint is not None:
            text = build("EndpointMessage", to=to, msgPayload=payload)
            self.crew.bridge.conference(self.conference.id).message(endpoint, text)

    def share_screen(self, on: bool = True) -> None:
        if on == self.sharing or not self.present:
            return
        self.sharing = on
        if on:
            self.conference.add_sources(self.nick, self._screen_sources())
            self.crew.schedule(0.0, lambda: self.crew.screen_step(self, time.monotonic()))
        else:
            self.conference.remove_sources(self.nick, self._screen_sources())
        self._presence()

    def set_muted(self, microphone: bool | None = None, camera: bool | None = None) -> None:
        if microphone is not None:
            self.microphone_muted = microphone
        if camera is not None:
            self.camera_muted = camera
            endpoint = self.crew.bridge.endpoint(self.conference.id, self.nick)
            source = endpoint.sources.get(self.video_name) if endpoint is not None else None
            if source is not None:
                source.live = not camera
                self.crew.bridge.conference(self.conference.id).changed()
        self._presence()

    def send_iq(self, to: str, payload: Element, on_answer: Callable[[str, str], None]) -> None:
        """Send an IQ set; *on_answer* hears ("answer", type) and later ("jingle action", reason)."""
        iq_id = secrets.token_hex(6)
        self._replies[iq_id] = on_answer
        self._replies["jingle"] = on_answer
        self._send(el("iq", ns.CLIENT, {"type": "set", "to": to, "id": iq_id}, payload))

    # ------------------------------------------------------------------ what reaches a bot

    def _on_stanza(self, stanza: Element) -> None:
        kind = attr(stanza, "type")
        name = name_of(stanza)
        if name == "presence" and kind == "unavailable" and resource(attr(stanza, "from")) == self.nick:
            self.removed()
        elif name == "message" and kind in ("chat", "groupchat"):
            self._chat(stanza, private=kind == "chat")
        elif name == "iq" and kind in ("result", "error"):
            answer = self._replies.pop(attr(stanza, "id"), None)
            if answer is not None:
                answer("answer", kind)
        elif name == "iq":
            self._request(stanza)

    def _chat(self, stanza: Element, private: bool) -> None:
        text, sender = child_text(stanza, "body"), resource(attr(stanza, "from"))
        if text is None or sender in ("", self.nick) or find(stanza, "delay", ns.DELAY) is not None:
            return
        self.received.append((sender, text))
        del self.received[:-200]
        if private and not self.crew.options.quiet_bots:
            self.crew.schedule(1.0, lambda: self.say(f"You wrote: {text[:200]}", sender) if self.present else None)

    def _request(self, stanza: Element) -> None:
        jingle = find(stanza, "jingle", ns.JINGLE)
        for kind in ("audio", "video", "desktop"):
            mute = find(stanza, "mute", f"{ns.JITMEET}/{kind}")
            if mute is not None and resource(attr(stanza, "from")) == FOCUS_NICK:
                self._send(result_reply(stanza))
                self.set_muted(True if kind == "audio" else None, True if kind == "video" else None)
                return
        if jingle is not None:
            listener = self._replies.get("jingle")
            self._send(result_reply(stanza))
            if listener is not None:
                reason = find(jingle, "reason", ns.JINGLE)
                listener(attr(jingle, "action"), "" if reason is None else reason[0].tag.partition("}")[2])
        elif find(stanza, "ping", ns.PING) is not None or find(stanza, "query", ns.DISCO_INFO) is not None:
            self._send(result_reply(stanza))
        else:
            self._send(error_reply(stanza, "cancel", "service-unavailable"))

    # ------------------------------------------------------------------ media

    def _keyframe(self, ssrc: int) -> None:
        for track in (*self._layers.values(), self._screen):
            if track.ssrc == ssrc and track.clip is not None and track.clip.frames:
                track.position = track.clip.next_keyframe(track.position)

    def send_audio(self, due: float) -> None:
        """One 20 ms frame."""
        if not self.present or self.microphone_muted or not self._audio_clip.ready.is_set():
            return
        frames = self._audio_clip.speech if self.speaking else self._audio_clip.quiet
        frame = frames[self._audio_at % len(frames)]
        self._audio_at += 1
        track = self._audio
        track.sequence = (track.sequence + 1) & 0xFFFF
        timestamp = (track.timestamp_base + int((due - self._epoch) * 48_000)) & 0xFFFFFFFF
        voice = 0x80 if self.speaking else 0
        extension = bytes((0xBE, 0xDE, 0, 1, AUDIO_LEVEL_ID << 4, voice | -frame.level_dbov, 0, 0))
        header = rtp.HEADER.pack(0x90, OPUS_PT, track.sequence, timestamp, track.ssrc)
        self._inject(header + extension + frame.data, timestamp)

    def send_video(self, due: float) -> None:
        """One frame of each layer that somebody is to get."""
        if not self.present or self.camera_muted:
            return
        wanted = self.crew.wanted_layers(self, self.video_name)
        for height, track in self._layers.items():
            if track.ssrc in wanted:
                clip = self.crew.clips.camera(self.video_name, height)
                # The smallest size is made first and stands in until the right one is there.
                track.play(clip if clip.ready.is_set() else self._first_clip)
                self._send_frame(track, due)

    def send_screen(self, due: float) -> None:
        self._screen.play(self.crew.clips.screen(self.screen_name))
        if self._screen.ssrc in self.crew.wanted_layers(self, self.screen_name):
            self._send_frame(self._screen, due)

    def _send_frame(self, track: _Track, due: float) -> None:
        clip = track.clip
        if clip is None or not clip.ready.is_set() or not clip.frames:
            return
        frame = clip.frames[track.position % len(clip.frames)]
        track.position = (track.position + 1) % len(clip.frames)
        track.picture = (track.picture + 1) & 0x7FFF
        timestamp = (track.timestamp_base + int((due - self._epoch) * 90_000)) & 0xFFFFFFFF
        payloads = packetize_vp8(frame.data, track.picture)
        for index, payload in enumerate(payloads):
            track.sequence = (track.sequence + 1) & 0xFFFF
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = rtp.HEADER.pack(0x80, marker | VP8_PT, track.sequence, timestamp, track.ssrc)
            self._inject(header + payload, timestamp)

    def _inject(self, data: bytes, timestamp: int) -> None:
        packet = rtp.parse(data, _IDS, time.monotonic() * 1000)
        if packet is not None:
            self.crew.bridge.inject(self.conference.id, self.nick, packet)

    def report(self) -> None:
        """The sender reports of all tracks, on one clock."""
        endpoint = self.crew.bridge.endpoint(self.conference.id, self.nick)
        if endpoint is None:
            return
        now = time.monotonic()
        tracks = [(self._audio, 48_000), (self._screen, 90_000), *((t, 90_000) for t in self._layers.values())]
        for track, rate in tracks:
            entry = endpoint.by_ssrc.get(track.ssrc)
            if entry is not None:
                entry[1].report = ((track.timestamp_base + int((now - self._epoch) * rate)) & 0xFFFFFFFF, now)


class _BotChannel:
    """What the bridge tells a bot; only the size that others want would matter, and the bot asks for that itself."""

    kind = "local"

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    def send(self, text: str) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


@dataclass(slots=True)
class _Group:
    """The bots of one conference."""

    conference: Conference
    bots: list[Bot] = field(default_factory=list)
    started: bool = False
    speaker: int = 0


class BotCrew:
    """All bots of one sandbox and the one task that plays their media and their script."""

    def __init__(
        self, options: SandboxOptions, router: Router, focus: Focus, bridge: Bridge, call_later: CallLater
    ) -> None:
        self.options, self.router, self.focus, self.bridge = options, router, focus, bridge
        self._call_later = call_later
        self.clips = ClipStore()
        self._groups: dict[str, _Group] = {}
        self._random = random.Random(options.seed)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._counter = itertools.count()
        self._wake: asyncio.Event | None = None
        self._task: asyncio.Task[None] | None = None
        self._names = itertools.count()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self.clips.close)

    # ------------------------------------------------------------------ groups

    def conference_started(self, conference: Conference) -> None:
        group = self._groups[conference.id] = _Group(conference)
        room = conference.room

        def someone(occupant: Occupant, is_new: bool) -> None:
            if is_new and occupant.nick != FOCUS_NICK and not isinstance(occupant.session, LocalSession):
                self._start(group)

        def gone(occupant: Occupant, why: str) -> None:
            if not conference.people() or occupant.nick == FOCUS_NICK:
                for bot in list(group.bots):
                    bot.leave()
                group.started = False
                group.bots.clear()

        room.on_presence.append(someone)
        room.on_leave.append(gone)

    def _start(self, group: _Group) -> None:
        if group.started:
            return
        group.started = True
        for index in range(self.options.bots):
            bot = self._make(group, "", index)
            self.schedule(0.05 * index, bot.enter)
        if self.options.bots and not self.options.quiet_bots:
            self._script(group)

    def _make(self, group: _Group, name: str, index: int) -> Bot:
        nick = f"{self._random.randrange(16**8):08x}"
        bot = Bot(self, group.conference, nick, name or NAMES[index % len(NAMES)], index)
        group.bots.append(bot)
        offset = index * 0.007
        self.schedule(0.1 + offset, lambda: self._audio_step(bot, time.monotonic()))
        self.schedule(0.1 + offset, lambda: self._video_step(bot, time.monotonic()))
        self.schedule(0.2, lambda: self._report_step(bot))
        return bot

    def add(self, conference: Conference, name: str = "", **settings: bool) -> Bot:
        """One more bot, entering at once. *settings*: ``microphone_muted``, ``camera_muted``, ``speaking``."""
        group = self._groups[conference.id]
        bot = self._make(group, name, len(group.bots))
        for key, value in settings.items():
            setattr(bot, key, value)
        bot.enter()
        return bot

    def bot(self, conference: Conference, nick: str) -> Bot:
        """Raises :class:`KeyError` for an unknown one."""
        for bot in self._groups[conference.id].bots:
            if bot.nick == nick:
                return bot
        raise KeyError(nick)

    def bots(self, conference: Conference) -> list[Bot]:
        group = self._groups.get(conference.id)
        return [] if group is None else list(group.bots)

    def wanted_layers(self, bot: Bot, source: str) -> set[int]:
        """SSRCs of the layers of *source* that at least one receiver is allotted."""
        owner = self.bridge.conferences.get(bot.conference.id)
        if owner is None:
            return set()
        found = (e.allocation.layers.get(source) for e in owner.endpoints.values() if e.takes_media)
        return {ssrc for ssrc in found if ssrc is not None}

    # ------------------------------------------------------------------ the clock

    def schedule(self, delay: float, action: Callable[[], None]) -> None:
        self._at(time.monotonic() + delay, action)

    def _at(self, due: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (due, next(self._counter), action))
        if self._wake is None:
            self._wake = asyncio.Event()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        self._wake.set()

    async def _run(self) -> None:
        assert self._wake is not None
        while True:
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now:
                _, _, action = heapq.heappop(self._queue)
                action()
            self._wake.clear()
            wait = self._queue[0][0] - time.monotonic() if self._queue else 60.0
            if wait > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            else:
                await asyncio.sleep(0)

    def _again(self, due: float, step: float, action: Callable[[float], None]) -> None:
        following = due + step
        if following < time.monotonic() - MAX_LATENESS_S:
            following = time.monotonic() + step
        self._at(following, lambda: action(following))

    def _alive(self, bot: Bot) -> bool:
        group = self._groups.get(bot.conference.id)
        return group is not None and bot in group.bots and not bot.conference.closed

    def _audio_step(self, bot: Bot, due: float) -> None:
        if self._alive(bot):
            bot.send_audio(due)
            self._again(due, AUDIO_STEP_S, lambda at: self._audio_step(bot, at))

    def _video_step(self, bot: Bot, due: float) -> None:
        if self._alive(bot):
            bot.send_video(due)
            self._again(due, VIDEO_STEP_S, lambda at: self._video_step(bot, at))

    def screen_step(self, bot: Bot, due: float) -> None:
        if self._alive(bot) and bot.sharing:
            bot.send_screen(due)
            self._again(due, SCREEN_STEP_S, lambda at: self.screen_step(bot, at))

    def _report_step(self, bot: Bot) -> None:
        if self._alive(bot):
            bot.report()
            self.schedule(1.0, lambda: self._report_step(bot))

    # ------------------------------------------------------------------ the script

    def _script(self, group: _Group) -> None:
        self.schedule(1.0, lambda: self._next_speaker(group))
        self.schedule(6.0, lambda: self._chat(group))
        self.schedule(15.0, lambda: self._hand(group))
        self.schedule(22.0, lambda: self._react(group))
        self.schedule(30.0, lambda: self._share(group))
        self.schedule(75.0, lambda: self._break(group))

    def _present(self, group: _Group) -> list[Bot]:
        if group.conference.closed or not group.started:
            return []
        return [bot for bot in group.bots if bot.present]

    def _next_speaker(self, group: _Group) -> None:
        bots = self._present(group)
        if not group.started or group.conference.closed:
            return
        for bot in bots:
            bot.speaking = False
        if bots:
            group.speaker += 1
            bots[group.speaker % len(bots)].speaking = True
        self.schedule(self._random.uniform(2.5, 4.5), lambda: self._next_speaker(group))

    def _pick(self, group: _Group) -> Bot | None:
        bots = self._present(group)
        return self._random.choice(bots) if bots else None

    def _chat(self, group: _Group) -> None:
        bot = self._pick(group)
        if bot is not None:
            bot.say(self._random.choice(LINES))
            self.schedule(self._random.uniform(15, 40), lambda: self._chat(group))

    def _hand(self, group: _Group) -> None:
        bot = self._pick(group)
        if bot is not None:
            bot.raise_hand()
            self.schedule(10.0, lambda: bot.raise_hand(False) if bot.present else None)
            self.schedule(self._random.uniform(40, 80), lambda: self._hand(group))

    def _react(self, group: _Group) -> None:
        bot = self._pick(group)
        if bot is not None:
            bot.react(self._random.choice(REACTIONS))
            self.schedule(self._random.uniform(20, 50), lambda: self._react(group))

    def _share(self, group: _Group) -> None:
        bot = self._pick(group)
        if bot is not None:
            bot.share_screen()
            self.schedule(20.0, lambda: bot.share_screen(False))
            self.schedule(self._random.uniform(60, 90), lambda: self._share(group))

    def _break(self, group: _Group) -> None:
        bots = self._present(group)
        if len(bots) > 1:
            bot = self._random.choice(bots)
            bot.leave()
            self.schedule(10.0, bot.enter)
        if bots:
            self.schedule(self._random.uniform(90, 150), lambda: self._break(group))
