"""The bridge between real transports: who gets which packets, rewriting, retransmission, the channel."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from app.calls.model import MediaKind
from tests.sandbox.media_client import MediaClient
from tests.sandbox.raw_client import FEATURES

LAYERS = (1000, 2000, 3000)


async def two(sandbox, made, **settings):
    clients = [MediaClient(sandbox, **settings) for _ in range(2)]
    made.extend(clients)
    for client in clients:
        await client.enter()
    await asyncio.gather(clients[0].connect_media(11, LAYERS), clients[1].connect_media(22, ()))
    return clients


@pytest.fixture
async def made():
    clients: list[MediaClient] = []
    yield clients
    for client in clients:
        await client.close(clean=False)


async def pump(sender, receiver, done, layers=LAYERS, every=0.02):
    """Send frames (a keyframe when asked for) until *done*."""
    picture = getattr(sender, "picture", 0)
    async with asyncio.timeout(15):
        while not done():
            for ssrc in layers:
                asked = ssrc in sender.keyframe_requests
                if asked:
                    sender.keyframe_requests.remove(ssrc)
                sender.send_frame(ssrc, asked, picture)
            picture += 1
            sender.picture = picture
            await asyncio.sleep(every)


async def test_video_comes_after_constraints_in_a_slot_that_was_announced(make_sandbox, made):
    sandbox = await make_sandbox()
    sender, receiver = await two(sandbox, made)
    for ssrc in LAYERS:
        sender.transport.session.add_stream(ssrc, MediaKind.VIDEO, rtx_ssrc=ssrc + 1)
    for picture in range(10):
        for ssrc in LAYERS:
            sender.send_frame(ssrc, picture == 0, picture)
    await receiver.until(lambda: sandbox.participants("room")[sender.nick].sources[f"{sender.nick}-v0"].packets >= 30)
    assert not receiver.packets and receiver.mapped(f"{sender.nick}-v0") is None
    sender.picture = 10
    receiver.want(720)
    name = f"{sender.nick}-v0"
    await pump(sender, receiver, lambda: len(receiver.packets.get(receiver.mapped(name), ())) > 40)
    ssrc = receiver.mapped(name)
    assert ssrc not in LAYERS
    packets = receiver.packets[ssrc]
    assert packets[0].payload[4] & 1 == 0
    numbers = [p.sequence_number for p in packets]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert receiver.of_class("ForwardedSources")[-1]["forwardedSources"] == [name]
    entry = receiver.of_class("VideoSourcesMap")[-1]["mappedSources"][0]
    assert entry["owner"] == sender.nick and entry["rtx"] and entry["videoType"] == "CAMERA"
    told = await sender.until(lambda: sender.of_class("SenderSourceConstraints"))
    assert told[-1]["sourceName"] == name and told[-1]["maxHeight"] == 720


async def test_layers_switch_at_keyframes_without_a_gap(make_sandbox, made):
    sandbox = await make_sandbox()
    sender, receiver = await two(sandbox, made)
    for ssrc in LAYERS:
        sender.transport.session.add_stream(ssrc, MediaKind.VIDEO, rtx_ssrc=ssrc + 1)
    name = f"{sender.nick}-v0"
    endpoint = sandbox.bridge.endpoint(sandbox.conference("room").id, receiver.nick)
    receiver.want(180)

    def on(layer):
        return lambda: endpoint.outputs.get(name) is not None and endpoint.outputs[name].layer_ssrc == layer

    await pump(sender, receiver, on(LAYERS[0]))
    receiver.want(720)
    await pump(sender, receiver, on(LAYERS[2]))
    receiver.want(180, constraints={name: {"maxHeight": 360}})
    await pump(sender, receiver, on(LAYERS[1]))
    count = len(receiver.packets[receiver.mapped(name)])
    await pump(sender, receiver, lambda: len(receiver.packets[receiver.mapped(name)]) > count + 5)
    packets = receiver.packets[receiver.mapped(name)]
    numbers = [p.sequence_number for p in packets]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    stamps = [p.timestamp for p in packets]
    assert stamps == sorted(stamps)
    pictures = [((p.payload[2] & 0x7F) << 8) | p.payload[3] for p in packets]
    assert all((b - a) % 0x8000 in (0, 1) for a, b in zip(pictures, pictures[1:], strict=False))
    receiver.want(0, constraints={})
    await receiver.until(lambda: receiver.of_class("ForwardedSources")[-1]["forwardedSources"] == [])
    await sender.until(lambda: sender.of_class("SenderSourceConstraints")[-1]["maxHeight"] == 0)


async def test_lost_packets_are_repaired_on_both_legs(make_sandbox, made):
    sandbox = await make_sandbox()
    sender, receiver = await two(sandbox, made)
    sender.transport.session.add_stream(LAYERS[0], MediaKind.VIDEO, rtx_ssrc=LAYERS[0] + 1)
    name = f"{sender.nick}-v0"
    receiver.want(180)
    await pump(sender, receiver, lambda: len(receiver.packets.get(receiver.mapped(name), ())) > 5, LAYERS[:1])
    ssrc = receiver.mapped(name)
    sender.send_frame(LAYERS[0], False, sender.picture, skip=1)
    sender.picture += 1
    await pump(sender, receiver, lambda: _complete(receiver, ssrc), LAYERS[:1])
    lost = receiver.packets[ssrc][-1].sequence_number
    before = len(receiver.packets[ssrc])
    receiver.transport.session.request_retransmission(ssrc, [lost])
    again = await receiver.until(lambda: [p for p in receiver.packets[ssrc][before:] if p.retransmitted])
    assert again[0].sequence_number == lost


def _complete(receiver, ssrc) -> bool:
    numbers = {p.sequence_number for p in receiver.packets[ssrc]}
    return len(numbers) == max(numbers) - min(numbers) + 1


async def test_audio_flows_with_its_level_and_decides_who_speaks(make_sandbox, made):
    sandbox = await make_sandbox()
    sender, receiver = await two(sandbox, made)
    for _ in range(40):
        sender.send_audio(level=20)
        await asyncio.sleep(0.02)
    spoke = await receiver.until(lambda: receiver.of_class("DominantSpeakerEndpointChangeEvent"))
    assert spoke[-1]["dominantSpeakerEndpoint"] == sender.nick and spoke[-1]["silence"] is False
    ssrc = await receiver.until(lambda: receiver.mapped(f"{sender.nick}-a0"))
    assert receiver.packets[ssrc][-1].audio_level == -20 and receiver.packets[ssrc][-1].payload_type == 111
    silent = await receiver.until(
        lambda: [m for m in receiver.of_class("DominantSpeakerEndpointChangeEvent") if m["silence"]]
    )
    assert silent[-1]["dominantSpeakerEndpoint"] == sender.nick
    count = len(receiver.packets[ssrc])
    sender.send_audio(level=127, count=10)
    await receiver.until(lambda: len(receiver.packets[ssrc]) == count + 3)
    sender.send_audio(level=20)
    await receiver.until(lambda: len(receiver.packets[ssrc]) == count + 4)
    assert _complete(receiver, ssrc)
    sandbox.mute("room", sender.nick, "audio")
    sender.send_audio(level=20, count=3)
    await receiver.until(lambda: sandbox.participants("room")[sender.nick].sources[f"{sender.nick}-a0"].packets >= 54)
    assert len(receiver.packets[ssrc]) == count + 4


async def test_without_rewriting_the_ssrcs_are_the_senders(make_sandbox, made):
    sandbox = await make_sandbox()
    sender, receiver = await two(sandbox, made, features=[f for f in FEATURES if "rewriting" not in f])
    for ssrc in LAYERS:
        sender.transport.session.add_stream(ssrc, MediaKind.VIDEO, rtx_ssrc=ssrc + 1)
    receiver.want(720)
    await pump(sender, receiver, lambda: len(receiver.packets.get(LAYERS[0], ())) > 20)
    assert not receiver.of_class("VideoSourcesMap")
    added = next(s for s in receiver.seen if s.has("source-add") or (s.has("session-initiate") and s.has('"s":1000')))
    assert added.has('"s":1000') and added.has('["f",1000,1001]') and not added.has('"s":2000')


async def test_the_channel_relays_messages_and_drops_what_a_real_bridge_drops(make_sandbox, made):
    sandbox = await make_sandbox()
    first, second = await two(sandbox, made)
    first.tell(colibriClass="EndpointMessage", to="", msgPayload={"type": "x", "n": 1})
    got = await second.until(lambda: second.of_class("EndpointMessage"))
    assert got[0]["from"] == first.nick and got[0]["msgPayload"] == {"type": "x", "n": 1}
    second.tell(colibriClass="EndpointMessage", to=first.nick, msgPayload="private")
    await first.until(lambda: first.of_class("EndpointMessage"))
    first.tell(colibriClass="EndpointStats", bitrate={"upload": 5}, connectionQuality=90)
    stats = await second.until(lambda: second.of_class("EndpointStats"))
    assert stats[0]["from"] == first.nick and stats[0]["connectionQuality"] == 90
    first.tell(colibriClass="ReceiverVideoConstraints", lastN=1, surprise=True)
    first.tell(colibriClass="ReceiverVideoConstraints", lastN="many")
    first.transport.send_data("JVB data channel", '{"colibriClass":"ReceiverVideoConstraints","lastN":1,"lastN":2}')
    first.transport.send_data("JVB data channel", "nonsense")
    await first.until(lambda: len(sandbox.participants("room")[first.nick].dropped_messages) == 4)
    assert sandbox.participants("room")[first.nick].constraints == {}
    first.tell(colibriClass="ClientHello")
    await first.until(lambda: first.of_class("ServerHello"))


async def test_the_channel_works_over_a_web_socket_too(make_sandbox, made):
    sandbox = await make_sandbox(bridge_channels=("websocket",))
    client, other = MediaClient(sandbox), MediaClient(sandbox)
    made += [client, other]
    await client.enter()
    await other.enter()
    offer = await client.connect_media(channel="websocket")
    assert offer.find("sctpmap") is None
    url = offer.find("web-socket").get("url")
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(url) as socket:
            assert (await socket.receive_json())["colibriClass"] == "ServerHello"
            await socket.send_json({"colibriClass": "ReceiverVideoConstraints", "lastN": 3})
            await client.until(lambda: sandbox.participants("room")[client.nick].constraints.get("lastN") == 3)
            assert sandbox.participants("room")[client.nick].channel == "websocket"
            sandbox.drop_bridge_channel("room", client.nick)
            async with asyncio.timeout(5):
                async for _ in socket:
                    pass
        async with http.ws_connect(url.replace("pwd=", "pwd=x")) as socket:
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_sender_reports_keep_the_senders_clock(make_sandbox, made):
    sandbox = await make_sandbox(bots=1)
    client = MediaClient(sandbox)
    made.append(client)
    await client.enter()
    await client.connect_media()
    client.want(180)
    bot = next(p for p in sandbox.participants("room").values() if p.is_bot)
    await client.until(lambda: len(client.reports) >= 2)
    names = {client.mapped(f"{bot.id}-a0"), client.mapped(f"{bot.id}-v0")}
    assert {ssrc for ssrc, _, _ in client.reports} <= names
    ssrc, ntp_ms, timestamp = client.reports[-1]
    rate = 48 if ssrc == client.mapped(f"{bot.id}-a0") else 90
    newest = client.packets[ssrc][-1]
    assert abs(((newest.timestamp - timestamp + 2**31) % 2**32 - 2**31) / rate) < 2000


async def test_a_killed_bridge_is_silent_until_the_member_restarts(make_sandbox, made):
    sandbox = await make_sandbox(bots=1)
    client = MediaClient(sandbox)
    made.append(client)
    await client.enter()
    offer = await client.connect_media()
    client.want(180)
    await client.until(lambda: client.packets)
    sandbox.kill_bridge("room")
    await asyncio.sleep(0.3)
    count = sum(map(len, client.packets.values()))
    await asyncio.sleep(0.3)
    assert sum(map(len, client.packets.values())) == count
    mark = len(client.seen)
    sid, bridge = offer.find("jingle").get("sid"), offer.find("bridge-session").get("id")
    await client.jingle(
        f"<jingle xmlns='urn:xmpp:jingle:1' action='session-terminate' sid='{sid}'>"
        "<reason><connectivity-error/></reason>"
        f"<bridge-session xmlns='http://jitsi.org/protocol/focus' id='{bridge}' restart='true'/></jingle>"
    )
    await client.transport.close()
    client.seen[:mark] = []
    await client.connect_media()
    client.want(180)
    await client.until(lambda: any(client.packets.values()))


async def test_media_loss_can_be_switched_on(make_sandbox, made):
    sandbox = await make_sandbox(bots=1)
    client = MediaClient(sandbox)
    made.append(client)
    await client.enter()
    await client.connect_media()
    sandbox.set_media_faults(loss=0.5)
    name = next(p.id for p in sandbox.participants("room").values() if p.is_bot) + "-a0"
    ssrc = await client.until(lambda: client.mapped(name))
    await client.until(lambda: len(client.packets[ssrc]) > 40)
    numbers = [p.sequence_number for p in client.packets[ssrc]]
    assert len(numbers) < 0.8 * (max(numbers) - min(numbers))


async def test_others_are_told_when_somebodys_media_is_interrupted_and_when_it_is_back(make_sandbox, made):
    sandbox = await make_sandbox(inactive_after_s=2.0)
    first, second = await two(sandbox, made)
    first.transport.faults.blackhole = True
    kind = "EndpointConnectivityStatusChangeEvent"
    told = await second.until(lambda: second.of_class(kind))
    assert told == [{"colibriClass": kind, "endpoint": first.nick, "active": "false"}]
    first.transport.faults.blackhole = False
    back = await second.until(lambda: second.of_class(kind)[1:])
    assert back == [{"colibriClass": kind, "endpoint": first.nick, "active": "true"}]
