"""Two bundled transports over loopback: what one sends, the other gets, whatever happens on the way."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace

import pytest
from aiortc.rtp import RtpPacket

from app.calls.model import MediaKind
from app.media import ice, transport
from app.media.api import Fingerprint, IceServer
from app.media.errors import InvalidState
from app.media.transport import BundledTransport
from tests.media.transport_tools import LOOPBACK, Peer, close, config, connect, make_pair, video, video_packet
from tests.media.turn_server import TurnServer


async def test_connects_and_carries_rtp_both_ways_byte_exact() -> None:
    a, b = await make_pair()
    await connect(a, b)
    for sender, receiver, ssrc in ((a, b, 1), (b, a, 2)):
        sender.transport.session.add_stream(ssrc, MediaKind.AUDIO)
        for n in range(20):
            packet = RtpPacket(111, 0, n, n * 960, ssrc, bytes((n,)) * (50 + n))
            sender.transport.session.send_rtp(packet, audio_level_dbov=-30 - n, voice=True)
        await receiver.until(lambda r=receiver: len(r.packets) == 20)
        assert [p.payload for p in receiver.packets] == [bytes((n,)) * (50 + n) for n in range(20)]
        assert [p.sequence_number for p in receiver.packets] == list(range(20))
        assert [p.audio_level for p in receiver.packets] == [-30 - n for n in range(20)]
        assert {p.mid for p in receiver.packets} == {"audio"} and all(p.voice for p in receiver.packets)
    assert a.transport.srtp_profile == b.transport.srtp_profile == "SRTP_AEAD_AES_128_GCM"
    assert a.transport.dtls_cipher
    await close(a, b)
    assert a.states[-1][0] == "closed"


async def test_raw_packets_pass_unchanged() -> None:
    a, b = await make_pair()
    await connect(a, b)
    raw = RtpPacket(111, 1, 7, 99, 5, b"sound").serialize()
    a.transport.send_rtp_raw(raw)
    await b.until(lambda: len(b.packets) == 1)
    assert b.packets[0].raw == raw
    seen: list[bytes] = []
    b.transport.session.on_rtcp = lambda data, parts: seen.append(data)
    compound = bytes.fromhex("80c9000100000005")
    a.transport.send_rtcp_raw(compound)
    await b.until(lambda: compound in seen)
    await close(a, b)


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "plain"])
async def test_ten_percent_loss_is_recovered_by_retransmission(rtx: bool) -> None:
    a, b = await make_pair(auto_nack=True)
    await connect(a, b)
    a.transport.session.add_stream(0x1111, MediaKind.VIDEO, rtx_ssrc=0x2222 if rtx else None)
    total = 600
    a.transport.session.send_rtp(video_packet(0))
    await b.until(lambda: len(b.packets) == 1)
    b.transport.faults.loss = 0.10
    for n in range(1, total):
        a.transport.session.send_rtp(video_packet(n))
        if n % 10 == 0:
            await asyncio.sleep(0.005)
    b.transport.faults.loss = 0.0
    # The tail has nothing behind it that would show a hole.
    a.transport.session.send_rtp(video_packet(total))
    await b.until(lambda: len({p.sequence_number for p in b.packets}) == total + 1)
    again = [p for p in b.packets if p.retransmitted]
    assert a.transport.session.streams[0x1111].retransmissions > 20
    assert bool(again) is rtx
    for packet in b.packets:
        assert packet.payload == video_packet(packet.sequence_number).payload
        assert packet.ssrc == 0x1111 and packet.payload_type == 100
    await close(a, b)


async def test_ice_restart_keeps_srtp_flowing() -> None:
    a, b = await make_pair()
    await connect(a, b)
    a.transport.session.add_stream(1, MediaKind.AUDIO)
    old_pair, old_local = a.transport.candidate_pair, a.transport.local
    sent = 0

    async def talk() -> None:
        nonlocal sent
        while True:
            a.transport.session.send_rtp(RtpPacket(111, 0, sent, sent * 960, 1, b"x"))
            sent += 1
            await asyncio.sleep(0.01)

    talking = asyncio.create_task(talk())
    await b.until(lambda: len(b.packets) > 5)
    offer = await a.transport.restart_ice()
    assert (offer.ufrag, offer.pwd) != (old_local.ufrag, old_local.pwd)
    assert offer.fingerprints == old_local.fingerprints
    answer = await b.transport.restart_ice()
    await a.transport.continue_ice(answer)
    await b.transport.continue_ice(offer)
    await a.until(lambda: a.transport.candidate_pair != old_pair)
    count = len(b.packets)
    await b.until(lambda: len(b.packets) > count + 20)
    talking.cancel()
    await b.until(lambda: len(b.packets) == sent)
    assert a.transport.state == b.transport.state == "connected"
    assert [s for s, _ in a.states] == ["connecting", "connected"]
    await close(a, b)


async def test_restart_brings_back_a_failed_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "SILENCE_S", 0.3)
    monkeypatch.setattr(transport, "DEAD_S", 0.6)
    monkeypatch.setattr(transport, "PROBE_AFTER_S", 0.2)
    a, b = await make_pair()
    await connect(a, b)
    a.transport.faults.blackhole = True
    await a.state("failed")
    await b.state("failed")
    a.transport.faults.blackhole = False
    offer, answer = await a.transport.restart_ice(), await b.transport.restart_ice()
    await a.transport.continue_ice(answer)
    await b.transport.continue_ice(offer)
    await a.state("connected")
    await b.state("connected")
    a.transport.session.add_stream(1, MediaKind.AUDIO)
    a.transport.session.send_rtp(RtpPacket(111, 0, 1, 1, 1, b"back"))
    await b.until(lambda: [p.payload for p in b.packets] == [b"back"])
    await close(a, b)


async def test_blackhole_is_noticed_in_two_seconds_and_forgiven() -> None:
    a, b = await make_pair()
    await connect(a, b)
    started = time.monotonic()
    a.transport.faults.blackhole = True
    await a.state("disconnected")
    noticed = time.monotonic() - started
    assert 1.5 < noticed < 4.0
    a.transport.faults.blackhole = False
    await a.state("connected")
    await b.state("connected")
    await close(a, b)


async def test_quiet_call_stays_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence of muted people is no failure: the path is asked for signs of life."""
    monkeypatch.setattr(transport, "SILENCE_S", 1.2)
    monkeypatch.setattr(transport, "PROBE_AFTER_S", 0.2)
    monkeypatch.setattr("app.media.session.REPORT_INTERVAL_S", 1e9)
    a, b = await make_pair()
    await connect(a, b)
    await asyncio.sleep(2.0)
    assert [s for s, _ in a.states] == ["connecting", "connected"]
    assert a.transport.session.round_trip_ms is not None
    await close(a, b)


@pytest.mark.parametrize("opener", ["active", "passive"])
async def test_data_channel_both_directions_with_both_roles(opener: str) -> None:
    a, b = await make_pair({"data_channel": True}, {"data_channel": True})
    first, second = (a, b) if opener == "active" else (b, a)
    first.transport.open_data_channel("JVB data channel", "http://jitsi.org/protocols/colibri")
    with pytest.raises(InvalidState):
        first.transport.send_data("JVB data channel", "too early")
    await connect(a, b)
    await first.until(lambda: bool(first.opened))
    await second.until(lambda: bool(second.opened))
    assert second.opened == [("JVB data channel", "http://jitsi.org/protocols/colibri")]
    long = "é" * 30_000
    first.transport.send_data("JVB data channel", "hello")
    first.transport.send_data("JVB data channel", long)
    await second.until(lambda: len(second.messages) == 2)
    second.transport.send_data("JVB data channel", '{"colibriClass":"ServerHello"}')
    await first.until(lambda: len(first.messages) == 1)
    assert second.messages == [("JVB data channel", "hello"), ("JVB data channel", long)]
    assert first.messages == [("JVB data channel", '{"colibriClass":"ServerHello"}')]
    await close(a, b)


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
async def test_fingerprint_algorithms(algorithm: str) -> None:
    a, b = await make_pair(fingerprint_algorithms=(algorithm,))
    assert [f.algorithm for f in a.transport.local.fingerprints] == [algorithm]
    await connect(a, b)
    await close(a, b)


async def test_fingerprint_mismatch_fails() -> None:
    a, b = await make_pair()
    wrong = Fingerprint("sha-256", ":".join(["00"] * 32))
    await a.transport.start(replace(b.transport.local, fingerprints=(wrong,)))
    await b.transport.start(a.transport.local)
    await a.state("failed")
    assert "fingerprint" in a.transport.reason
    a.transport.session.add_stream(1, MediaKind.AUDIO)
    a.transport.session.send_rtp(RtpPacket(111, 0, 1, 1, 1, b"secret"))
    assert a.transport.srtp_profile == "" and not b.packets
    await close(a, b)


async def test_dead_stun_and_turn_servers_do_not_delay_a_join(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    # Reflexive addresses are asked for from other addresses than loopback only.
    monkeypatch.setattr(ice, "is_loopback", lambda address: False)
    servers = (
        IceServer("stun", "127.0.0.1", port),
        IceServer("turn", "127.0.0.1", port, username="u", credential="p"),
        IceServer("turn", "127.0.0.1", port, "tcp", username="u", credential="p"),
    )
    one = BundledTransport(config("dead", ice_servers=servers), bind_addresses=LOOPBACK)
    started = time.monotonic()
    local = await one.gather()
    assert 0.9 < time.monotonic() - started < 2.0
    assert [c.type for c in local.candidates] == ["host"]
    await one.close()
    silent.close()


async def test_peer_reflexive_peer_without_candidates() -> None:
    """The far side may know nothing of us but what our checks show."""
    a, b = await make_pair()
    await a.transport.start(b.transport.local)
    await b.transport.start(replace(a.transport.local, candidates=()))
    await a.state("connected")
    await b.state("connected")
    assert b.transport.candidate_pair[1].startswith("prflx")
    await close(a, b)


async def test_candidates_may_come_later() -> None:
    a, b = await make_pair()
    late = b.transport.local.candidates
    await a.transport.start(replace(b.transport.local, candidates=(), end_of_candidates=False))
    await b.transport.start(replace(a.transport.local, candidates=(), end_of_candidates=False))
    await a.transport.add_remote_candidates(late)
    await a.state("connected")
    await close(a, b)


async def test_without_addresses_loopback_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "host_addresses", lambda **_: [])
    a, b = BundledTransport(config("a")), BundledTransport(config("b", controlling=True, setup="actpass"))
    await a.gather()
    await b.gather()
    assert {c.ip for c in a.local.candidates} == {"127.0.0.1"}
    left, right = Peer(a), Peer(b)
    await connect(left, right)
    await close(left, right)


async def test_remb_is_one_message_for_all_video() -> None:
    a, b = await make_pair()
    await connect(a, b)
    rembs: list[tuple[int, list[int]]] = []

    def watch(data: bytes, parts: list[object]) -> None:
        from app.media import rtcp

        rembs.extend(r for p in parts if getattr(p, "fmt", 0) == 15 and (r := rtcp.parse_remb(p)) is not None)

    a.transport.session.on_rtcp = watch
    ssrcs = [10, 11, 12, 13]
    for ssrc in ssrcs:
        a.transport.session.add_stream(ssrc, MediaKind.VIDEO)
    for n in range(60):
        for ssrc in ssrcs:
            a.transport.session.send_rtp(video_packet(n, ssrc, 400))
        await asyncio.sleep(0.02)
    await a.until(lambda: bool(rembs))
    await asyncio.sleep(0.2)
    assert len(rembs) <= 3
    assert sorted(rembs[-1][1]) == ssrcs
    assert rembs[-1][0] >= 1_000_000
    assert a.transport.session.send_estimator.informed
    await close(a, b)


async def test_transport_wide_feedback_instead_of_remb() -> None:
    media = {"media": (video(transport_cc=True),)}
    a, b = await make_pair(media, media)
    await connect(a, b)
    a.transport.session.add_stream(1, MediaKind.VIDEO)
    for n in range(80):
        a.transport.session.send_rtp(video_packet(n, 1, 600))
        await asyncio.sleep(0.01)
    await a.until(lambda: a.transport.session.send_estimator.informed)
    assert a.transport.session.send_estimator.loss is not None
    assert a.transport.session.send_estimator.loss < 0.05
    await close(a, b)


async def test_reports_give_round_trip_time_and_keyframe_requests_are_limited() -> None:
    a, b = await make_pair()
    await connect(a, b)
    a.transport.faults.delay_ms = 40.0
    wanted: list[int] = []
    a.transport.session.on_keyframe_request = wanted.append
    reports: list[tuple[int, float, int]] = []
    b.transport.session.on_sender_report = lambda *report: reports.append(report)
    a.transport.session.add_stream(1, MediaKind.VIDEO)
    for n in range(130):
        a.transport.session.send_rtp(video_packet(n, 1, 300))
        if n < 50:
            b.transport.session.request_keyframe(1)
        await asyncio.sleep(0.02)
    await a.until(lambda: a.transport.session.round_trip_ms is not None and len(reports) > 0)
    assert 60 < a.transport.session.round_trip_ms < 400
    assert abs(reports[-1][1] - time.time() * 1000) < 2000
    assert 1 <= len(wanted) <= 7
    await close(a, b)


async def test_twenty_cycles_leave_nothing_behind() -> None:
    import psutil

    async def cycle() -> None:
        a, b = await make_pair({"data_channel": True}, {"data_channel": True})
        a.transport.open_data_channel("x", "")
        await connect(a, b)
        await b.until(lambda: bool(b.opened))
        await close(a, b)

    await cycle()
    await asyncio.sleep(0)
    tasks, sockets = len(asyncio.all_tasks()), len(psutil.Process().net_connections("all"))
    for _ in range(20):
        await cycle()
    await asyncio.sleep(0.05)
    assert len(asyncio.all_tasks()) == tasks
    assert len(psutil.Process().net_connections("all")) == sockets


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_relay_carries_the_call_when_nothing_else_does(protocol: str) -> None:
    async with TurnServer() as server:
        servers = (IceServer("turn", "127.0.0.1", server.port, protocol, "user", "secret"),)
        a = Peer(BundledTransport(config("a", ice_servers=servers, data_channel=True), bind_addresses=()))
        b = Peer(
            BundledTransport(config("b", controlling=True, setup="actpass", data_channel=True), bind_addresses=LOOPBACK)
        )
        local = await a.transport.gather()
        await b.transport.gather()
        assert [c.type for c in local.candidates] == ["relay"]
        a.transport.open_data_channel("x", "")
        await connect(a, b)
        assert a.transport.candidate_pair[0].startswith("relay")
        a.transport.session.add_stream(1, MediaKind.AUDIO)
        for n in range(50):
            a.transport.session.send_rtp(RtpPacket(111, 0, n, n, 1, bytes((n,)) * 99))
        await b.until(lambda: [p.sequence_number for p in b.packets] == list(range(50)))
        assert server.allocations == 1
        await close(a, b)
        # Hanging up gives the allocation back.
        assert not server.relays


async def test_the_best_usable_turn_server_is_taken_and_the_others_left() -> None:
    """A dead UDP server costs a moment, a refused one is passed over, the join is not held up."""
    dead = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dead.bind(("127.0.0.1", 0))
    async with TurnServer(password="other") as refusing, TurnServer() as good:
        servers = (
            IceServer("turn", "127.0.0.1", good.port, "tcp", "user", "secret"),
            IceServer("turn", "127.0.0.1", dead.getsockname()[1], "udp", "user", "secret"),
            IceServer("turn", "127.0.0.1", refusing.port, "udp", "user", "secret"),
        )
        assert [s.transport for s in ice.relay_preference(servers)] == ["udp", "udp", "tcp"]
        one = BundledTransport(config("one", ice_servers=servers), bind_addresses=LOOPBACK)
        started = time.monotonic()
        local = await one.gather()
        assert time.monotonic() - started < 1.5
        assert sorted(c.type for c in local.candidates) == ["host", "relay"]
        assert (refusing.allocations, good.allocations) == (0, 1) and refusing.refused > 0
        await one.close()
    dead.close()


async def test_server_reflexive_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "is_loopback", lambda address: False)
    async with TurnServer() as server:
        servers = (IceServer("stun", "127.0.0.1", server.port),)
        one = BundledTransport(config("one", ice_servers=servers), bind_addresses=LOOPBACK)
        started = time.monotonic()
        local = await one.gather()
        assert time.monotonic() - started < 0.9
        assert [(c.type, c.ip, c.port) for c in local.candidates][1:] == [("srflx", "192.0.2.7", 4711)]
        await one.close()


async def test_closing_at_any_time_leaves_nothing() -> None:
    tasks = len(asyncio.all_tasks())
    a, b = await make_pair()
    await close(a, b)
    a, b = await make_pair({"data_channel": True}, {"data_channel": True})
    await a.transport.start(b.transport.local)
    await asyncio.sleep(0.01)
    await close(a, b)
    a, b = await make_pair()
    await connect(a, b)
    await a.transport.restart_ice()
    await a.transport.continue_ice(b.transport.local)
    await close(a, b)
    with pytest.raises(InvalidState):
        await a.transport.restart_ice()
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) == tasks


async def test_ipv6() -> None:
    pairs = []
    for options in ({}, {"controlling": True, "setup": "actpass"}):
        one = BundledTransport(config("six", use_ipv6=True, **options), bind_addresses=("::1",))
        pairs.append(Peer(one))
        await one.gather()
    if not pairs[0].transport.local.candidates:
        pytest.skip("this machine has no IPv6")
    await connect(*pairs)
    assert "::1" in pairs[0].transport.candidate_pair[0]
    await close(*pairs)


async def test_controlling_offerer_is_passive_or_follows_the_answer() -> None:
    """We offer actpass; the answer decides who begins the handshake."""
    for answer in ("active", "passive"):
        a, b = await make_pair({"setup": answer})
        offer = b.transport.local
        assert offer.setup == "actpass"
        await b.transport.start(replace(a.transport.local, setup=answer))
        await a.transport.start(offer)
        await a.state("connected")
        await b.state("connected")
        await close(a, b)
