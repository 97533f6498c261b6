"""The engine and a real browser: ICE, DTLS, SRTP, SCTP, VP8, Opus, RTX and feedback with somebody else's code."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiortc.sdp import SessionDescription

from app.calls.model import MediaKind, SourceContent
from app.media import api
from app.media.api import (
    AudioInput,
    Codec,
    Fingerprint,
    HeaderExtension,
    IceCandidate,
    MediaDescription,
    RemoteSource,
    TransportConfig,
    TransportDescription,
    VideoInput,
)
from app.media.engine import Engine
from tests.media.transport_tools import eventually

pytestmark = pytest.mark.interop

PAGE = """
async () => {
  const canvas = document.createElement('canvas');
  canvas.width = 320; canvas.height = 180;
  const context = canvas.getContext('2d');
  let n = 0;
  setInterval(() => { n++; context.fillStyle = `hsl(${n * 7 % 360},80%,50%)`; context.fillRect(0, 0, 320, 180); }, 33);
  const audio = new AudioContext();
  const tone = audio.createOscillator(); tone.frequency.value = 500; tone.start();
  const out = audio.createMediaStreamDestination(); tone.connect(out);
  const stream = canvas.captureStream(30);
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  pc.addTrack(out.stream.getAudioTracks()[0], stream);
  pc.addTrack(stream.getVideoTracks()[0], stream);
  // A browser decodes what somebody plays.
  pc.ontrack = e => { const player = document.createElement(e.track.kind); player.autoplay = true;
    player.srcObject = new MediaStream([e.track]); document.body.append(player); };
  const channel = window.channel = pc.createDataChannel('from page');
  window.messages = [];
  channel.onmessage = e => window.messages.push(e.data);
  pc.ondatachannel = e => { window.other = e.channel; e.channel.onmessage = m => window.messages.push(m.data); };
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}
"""
STATS = """
async () => {
  const all = [...(await window.pc.getStats()).values()];
  const pick = (type, kind) => all.find(s => s.type === type && s.kind === kind) || {};
  return {state: window.pc.connectionState, messages: window.messages, channel: window.channel.readyState,
    frames: pick('inbound-rtp', 'video').framesDecoded || 0, width: pick('inbound-rtp', 'video').frameWidth || 0,
    audio: pick('inbound-rtp', 'audio').totalSamplesReceived || 0,
    energy: pick('inbound-rtp', 'audio').totalAudioEnergy || 0,
    nacks: pick('inbound-rtp', 'video').nackCount || 0, lost: pick('inbound-rtp', 'video').packetsLost || 0,
    rtx: pick('inbound-rtp', 'video').retransmittedPacketsReceived || 0,
    rtt: pick('remote-inbound-rtp', 'video').roundTripTime,
    nacked: pick('outbound-rtp', 'video').nackCount || 0,
    resent: pick('outbound-rtp', 'video').retransmittedPacketsSent || 0};
}
"""


def media_of(section: Any) -> MediaDescription:
    """What the engine can do of what the page offers."""
    kind = MediaKind(section.kind)
    names = ("opus",) if kind is MediaKind.AUDIO else ("VP8",)
    chosen = [c for c in section.rtp.codecs if c.mimeType.split("/")[1] in names][:1]
    codecs = []
    for codec in chosen:
        feedback = tuple(f"{f.type} {f.parameter}".strip() for f in codec.rtcpFeedback if f.type != "transport-cc")
        codecs.append(
            Codec(codec.payloadType, codec.mimeType.split("/")[1], codec.clockRate, codec.channels or 1, {}, feedback)
        )
        for rtx in section.rtp.codecs:
            if rtx.mimeType.endswith("rtx") and str(rtx.parameters.get("apt")) == str(codec.payloadType):
                apt = {"apt": str(codec.payloadType)}
                codecs.append(Codec(rtx.payloadType, "rtx", 90000, 1, apt))
    wanted = ("ssrc-audio-level", "abs-send-time", "sdes:mid")
    extensions = tuple(HeaderExtension(e.id, e.uri) for e in section.rtp.headerExtensions if e.uri.endswith(wanted))
    return MediaDescription(kind, section.rtp.muxId, tuple(codecs), extensions)


def description_of(offer: SessionDescription) -> TransportDescription:
    first = offer.media[0]
    candidates = tuple(
        IceCandidate(c.foundation, c.component, c.protocol, c.priority, c.ip, c.port, c.type)
        for c in first.ice_candidates
        if not c.ip.endswith(".local")
    )
    fingerprints = tuple(Fingerprint(f.algorithm, f.value) for f in first.dtls.fingerprints)
    return TransportDescription(
        first.ice.usernameFragment, first.ice.password, fingerprints, "actpass", candidates, sctp_port=5000
    )


def answer_of(
    local: TransportDescription,
    media: tuple[MediaDescription, ...],
    senders: dict[MediaKind, api.LocalSource],
    mid: str,
) -> str:
    fingerprint = local.fingerprints[0]
    mids = " ".join([*(m.mid for m in media), mid])
    head = f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mids}\r\na=msid-semantic: WMS *\r\n"
    common = (
        f"c=IN IP4 127.0.0.1\r\na=ice-ufrag:{local.ufrag}\r\na=ice-pwd:{local.pwd}\r\n"
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}\r\na=setup:active\r\n"
    )
    common += "".join(
        f"a=candidate:{c.foundation} {c.component} {c.protocol} {c.priority} {c.ip} {c.port} typ {c.type}\r\n"
        for c in local.candidates
    )
    text = head
    for one in media:
        types = " ".join(str(c.payload_type) for c in one.codecs)
        text += (
            f"m={one.kind.value} 9 UDP/TLS/RTP/SAVPF {types}\r\n{common}a=mid:{one.mid}\r\na=rtcp-mux\r\na=sendrecv\r\n"
        )
        for codec in one.codecs:
            channels = f"/{codec.channels}" if codec.channels > 1 else ""
            text += f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}\r\n"
            for name, value in codec.parameters.items():
                text += f"a=fmtp:{codec.payload_type} {name}={value}\r\n"
            for feedback in codec.feedback:
                text += f"a=rtcp-fb:{codec.payload_type} {feedback}\r\n"
        for extension in one.header_extensions:
            text += f"a=extmap:{extension.id} {extension.uri}\r\n"
        sender = senders[one.kind]
        if sender.rtx_ssrc is not None:
            text += f"a=ssrc-group:FID {sender.ssrc} {sender.rtx_ssrc}\r\n"
        for ssrc in filter(None, (sender.ssrc, sender.rtx_ssrc)):
            text += f"a=ssrc:{ssrc} cname:{sender.cname}\r\na=ssrc:{ssrc} msid:{sender.msid}\r\n"
    text += f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{common}a=mid:{mid}\r\na=sctp-port:5000\r\n"
    return text


@pytest.fixture
async def page() -> Any:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--autoplay-policy=no-user-gesture-required",
                "--allow-loopback-in-peer-connection",
                "--disable-features=WebRtcHideLocalIpsWithMdns",
            ],
        )
        page = await browser.new_page()
        yield page
        await browser.close()


async def test_call_with_a_browser(page: Any) -> None:
    offer = SessionDescription.parse(await page.evaluate(PAGE))
    media = tuple(media_of(m) for m in offer.media if m.kind in ("audio", "video"))
    channel_mid = next(m.rtp.muxId for m in offer.media if m.kind == "application")
    engine = Engine(bind_addresses=("127.0.0.1",))
    events: list[Any] = []
    try:
        transport = await engine.open_transport(
            TransportConfig("browser", media=media, data_channel=True, use_ipv6=False), events.append
        )
        senders = {
            MediaKind.AUDIO: await transport.add_sender("me-a0", SourceContent.MICROPHONE),
            MediaKind.VIDEO: await transport.add_sender("me-v0", SourceContent.CAMERA),
        }
        await engine.set_camera(VideoInput(kind="test", width=640, height=360, fps=30))
        await engine.set_microphone(AudioInput(kind="test"))
        for section in offer.media:
            if section.kind in ("audio", "video"):
                ssrcs = [s.ssrc for s in section.ssrc]
                content = SourceContent.CAMERA if section.kind == "video" else SourceContent.MICROPHONE
                rtx = ssrcs[1] if len(ssrcs) > 1 else None
                transport.map_source(
                    RemoteSource(f"page-{section.kind}", "page", MediaKind(section.kind), content, ssrcs[0], rtx)
                )
        await transport.start(description_of(offer))
        answer = answer_of(transport.local, media, senders, channel_mid)
        await page.evaluate("sdp => window.pc.setRemoteDescription({type: 'answer', sdp})", answer)
        for name in ("me-a0", "me-v0"):
            transport.set_muted(name, False)

        def started() -> set[str]:
            return {e.name for e in events if isinstance(e, api.SourceStarted)}

        await eventually(lambda: started() == {"page-audio", "page-video"}, 20)

        async def until(condition: Any, timeout_s: float = 15.0) -> dict[str, Any]:
            deadline = asyncio.get_running_loop().time() + timeout_s
            while not condition(stats := await page.evaluate(STATS)):
                assert asyncio.get_running_loop().time() < deadline, stats
                await asyncio.sleep(0.2)
            return stats  # type: ignore[no-any-return]

        stats = await until(lambda s: s["frames"] > 30 and s["audio"] > 48_000 and s["energy"] > 0 and s["rtt"])
        assert stats["state"] == "connected" and stats["width"] in (320, 640)
        # Data both ways, on a channel of either side.
        await transport.open_data_channel("from us", "")
        await eventually(
            lambda: {e.label for e in events if isinstance(e, api.DataChannelOpened)} == {"from page", "from us"}
        )
        transport.send_data("from page", "one")
        transport.send_data("from us", json.dumps({"two": "é"}))
        await until(lambda s: sorted(s["messages"]) == ["one", '{"two": "\\u00e9"}'])
        await page.evaluate("() => window.channel.send('three')")
        await eventually(lambda: any(isinstance(e, api.DataChannelMessage) and e.text == "three" for e in events))
        # Loss in both directions is repaired by RTX, and the browser hears of it.
        transport.inject_faults(loss=0.05)
        lossy = await until(lambda s: s["rtx"] > 5 and s["resent"] > 5, 20)
        assert lossy["nacks"] > 0 and lossy["nacked"] > 0
        transport.inject_faults()
        frames = (await page.evaluate(STATS))["frames"]
        await until(lambda s: s["frames"] > frames + 30)

        def report() -> api.TransportStats:
            return next(e.stats for e in reversed(events) if isinstance(e, api.StatsReported))

        await eventually(lambda: report().available_send_bps is not None and report().rtt_ms is not None)
        tracks = {(t.source, t.direction): t for t in report().tracks}
        assert tracks["page-video", "inbound"].width == 320
    finally:
        await engine.close()
