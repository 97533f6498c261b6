"""A raw client with a real transport: answers the offer, sends stamped VP8 and tones, keeps what it gets."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import defaultdict

from app.media.api import Fingerprint, IceCandidate, TransportConfig, TransportDescription
from app.media.rtp import ReceivedPacket
from app.media.transport import BundledTransport
from app.media.video_codec import packetize_vp8
from app.sandbox.jitsi.bridge import _media
from app.sandbox.jitsi.offer import MemberFeatures
from tests.sandbox.raw_client import RawClient, Stanza, sid_of

LABEL = "JVB data channel"
FULL = MemberFeatures(True, True, True, True, True, False, True, True)
TIMEOUT_S = 15.0


class MediaClient(RawClient):
    """After :meth:`connect_media` the bridge channel is open and packets are in ``packets`` by SSRC."""

    transport: BundledTransport

    async def connect_media(self, audio_ssrc: int = 0, layers: tuple[int, ...] = (), channel: str = "sctp") -> Stanza:
        offer = await self.offer()
        remote = self.describe(offer)
        config = TransportConfig("test", media=_media(FULL), data_channel=True)
        self.transport = BundledTransport(config, bind_addresses=("127.0.0.1",))
        self.packets: dict[int, list[ReceivedPacket]] = defaultdict(list)
        self.messages: list[dict] = []
        self.changed = asyncio.Event()
        self.keyframe_requests: list[int] = []
        self.reports: list[tuple[int, float, int]] = []
        self.transport.session.on_rtp = self._got
        self.transport.session.on_keyframe_request = self.keyframe_requests.append
        self.transport.session.on_sender_report = lambda *report: self.reports.append(report)
        self.transport.on_message = lambda label, data: self._message(str(data))
        opened = asyncio.Event()
        self.transport.on_channel_open = lambda label, protocol: opened.set()
        local = await self.transport.gather()
        mine = local.fingerprints[0]
        await self.transport.start(remote)
        if channel == "sctp":
            self.transport.open_data_channel(LABEL, "http://jitsi.org/protocols/colibri")
        accepted = await self.jingle(self._accept(offer, local, mine, audio_ssrc, layers))
        assert accepted.get("type") == "result", accepted.text
        if channel == "sctp":
            async with asyncio.timeout(TIMEOUT_S):
                await opened.wait()
        self.audio_ssrc, self.layers = audio_ssrc, layers
        self._sequence: dict[int, int] = defaultdict(lambda: 100)
        return offer

    def describe(self, stanza: Stanza) -> TransportDescription:
        """The bridge's side as an offer or a transport-info gives it."""
        transport = next(t for t in stanza.all("transport") if t.get("ufrag"))
        fingerprints = tuple(Fingerprint(f.get("hash"), f.text) for f in stanza.all("fingerprint")[:1])
        candidates = tuple(
            IceCandidate(
                c.get("foundation"), 1, "udp", int(c.get("priority")), c.get("ip"), int(c.get("port")), c.get("type")
            )
            for c in transport.iter()
            if c.tag.endswith("}candidate")
        )
        return TransportDescription(transport.get("ufrag"), transport.get("pwd"), fingerprints, "actpass", candidates)

    def _accept(self, offer, local, mine, audio_ssrc, layers) -> str:
        nick = self.nick
        source = "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' ssrc='{}' name='{}'>"
        source += "<parameter name='msid' value='{}'/></source>"
        audio = source.format(audio_ssrc, f"{nick}-a0", f"{nick}-audio-0-1 {nick}a") if audio_ssrc else ""
        video = "".join(source.format(x, f"{nick}-v0", f"{nick}-video-0-1 {nick}v") for s in layers for x in (s, s + 1))
        group = "<ssrc-group xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' semantics='{}'>{}</ssrc-group>"
        members = "<source ssrc='{}'/>"
        if len(layers) > 1:
            video += group.format("SIM", "".join(members.format(s) for s in layers))
        for ssrc in layers:
            video += group.format("FID", members.format(ssrc) + members.format(ssrc + 1))
        transport = (
            f"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='{local.ufrag}' pwd='{local.pwd}'>"
            f"<fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' hash='{mine.algorithm}' setup='active'>{mine.value}"
            f"</fingerprint></transport>"
        )
        contents = "".join(
            f"<content creator='responder' name='{media}' senders='both'>"
            f"<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='{media}'>{inside}</description>"
            f"{transport}</content>"
            for media, inside in (("audio", audio), ("video", video))
        )
        return (
            f"<jingle xmlns='urn:xmpp:jingle:1' action='session-accept' sid='{sid_of(offer)}' responder='{self.jid}'>"
            f"{contents}</jingle>"
        )

    def _got(self, packet: ReceivedPacket) -> None:
        self.packets[packet.ssrc].append(packet)
        self.changed.set()

    def _message(self, text: str) -> None:
        self.messages.append(json.loads(text))
        self.changed.set()

    async def until(self, condition, seconds: float = TIMEOUT_S):
        """The first true value of *condition*, looked at whenever something arrived (and ten times a second)."""
        async with asyncio.timeout(seconds):
            while not (value := condition()):
                self.changed.clear()
                try:
                    async with asyncio.timeout(0.1):
                        await self.changed.wait()
                except TimeoutError:
                    continue
        return value

    def tell(self, **message) -> None:
        self.transport.send_data(LABEL, json.dumps(message))

    def want(self, height: int = 720, **more) -> None:
        self.tell(colibriClass="ReceiverVideoConstraints", defaultConstraints={"maxHeight": height}, **more)

    def of_class(self, name: str) -> list[dict]:
        return [m for m in self.messages if m["colibriClass"] == name]

    def mapped(self, source: str) -> int | None:
        """The SSRC that the newest map gives for a source."""
        found = None
        for message in self.messages:
            for entry in message.get("mappedSources", ()):
                if entry["source"] == source:
                    found = entry["ssrc"]
        return found

    def send_audio(self, level: int = 20, count: int = 1) -> None:
        for _ in range(count):
            sequence = self._next(self.audio_ssrc)
            extension = bytes((0xBE, 0xDE, 0, 1, 0x10, level, 0, 0))
            header = struct.pack("!BBHLL", 0x90, 111, sequence, sequence * 960, self.audio_ssrc)
            self.transport.send_rtp_raw(header + extension + b"\xf8\xff\xfe")

    def send_frame(self, ssrc: int, keyframe: bool, picture: int, size: int = 2500, skip: int = -1) -> None:
        """One VP8-shaped frame; packet number *skip* is lost on the way."""
        data = bytes((0x10 if keyframe else 0x11,)) + bytes(size)
        payloads = packetize_vp8(data, picture)
        for index, payload in enumerate(payloads):
            sequence = self._next(ssrc)
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack("!BBHLL", 0x80, marker | 100, sequence, picture * 3000, ssrc)
            stream = self.transport.session.streams.get(ssrc)
            if index == skip:
                if stream is not None:
                    stream.sent(header + payload, 12)
                continue
            self.transport.session.send_raw(header + payload, stream)

    def _next(self, ssrc: int) -> int:
        self._sequence[ssrc] += 1
        return self._sequence[ssrc]

    async def close(self, clean: bool = True) -> None:
        if hasattr(self, "transport"):
            await self.transport.close()
        await super().close(clean)
