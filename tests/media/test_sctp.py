"""Data channels against rude peers, and the DTLS pieces that can be seen without a network."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from google_crc32c import value as crc32c
from hypothesis import given
from hypothesis import strategies as st

from app.media import dtls
from app.media.api import Fingerprint
from app.media.dtls import fingerprint_matches, fingerprints, make_certificate, split_records
from app.media.errors import InvalidState
from app.media.sctp import MAX_INBOX
from tests.media.transport_tools import close, connect, make_pair

CERTIFICATE = make_certificate()


def sctp(tag: int, body: bytes) -> bytes:
    header = (5000).to_bytes(2, "big") * 2 + tag.to_bytes(4, "big")
    checksum = crc32c(header + bytes(4) + body)
    return header + checksum.to_bytes(4, "little") + body


async def test_malformed_packets_leave_the_channel_alive() -> None:
    a, b = await make_pair({"data_channel": True}, {"data_channel": True})
    a.transport.open_data_channel("x", "")
    await connect(a, b)
    await a.until(lambda: bool(a.opened))
    await b.until(lambda: bool(b.opened))
    inside: Any = b.transport._channels
    tag = inside._association._local_verification_tag
    rude = [
        b"",
        b"\x00" * 40,
        sctp(tag, b"\x00\x03\x00\x05\x00"),
        sctp(tag, b"\x01\x00\x00\x04"),
        sctp(0, b"\x01\x00\x00\x04" + b"\x00\x03\x00\x10" + bytes(12)),
        sctp(tag, b"\x82\x00\x00\x08\x00\x0d\x00\x04"),
        sctp(tag, b"\x03\x00\x00\x10" + b"\xff" * 12),
        sctp(tag, b"\x00\x03\x00\x14" + bytes(3) + b"\x09\x00\x07\x00\x00\x00\x00\x00\x32" + b"\x03" * 4),
    ]
    for packet in rude:
        b.transport._on_dtls_data(packet)
    for _ in range(MAX_INBOX * 2):
        b.transport._on_dtls_data(b"flood")
    assert inside._inbox.qsize() <= MAX_INBOX
    await asyncio.sleep(0.05)
    a.transport.send_data("x", "still here")
    await b.until(lambda: b.messages == [("x", "still here")])
    await close(a, b)


async def test_channel_errors_are_told() -> None:
    a, b = await make_pair({"data_channel": True}, {"data_channel": True})
    closed: list[str] = []
    b.transport.on_channel_close = closed.append
    a.transport.open_data_channel("x", "")
    await connect(a, b)
    await a.until(lambda: bool(a.opened))
    with pytest.raises(InvalidState):
        a.transport.open_data_channel("x", "")
    with pytest.raises(InvalidState):
        a.transport.send_data("y", "nobody")
    with pytest.raises(InvalidState):
        a.transport.send_data("x", "z" * 300_000)
    await a.transport.close()
    await b.state("closed")
    await b.transport.close()
    assert closed == ["x"]


async def test_no_data_channel_was_negotiated() -> None:
    a, b = await make_pair()
    with pytest.raises(InvalidState):
        a.transport.open_data_channel("x", "")
    await close(a, b)


async def test_lost_handshake_and_init_are_repeated() -> None:
    a, b = await make_pair({"data_channel": True}, {"data_channel": True})
    a.transport.faults.loss = 0.2
    a.transport.open_data_channel("x", "")
    await connect(a, b)
    await a.until(lambda: bool(a.opened), 20)
    for n in range(30):
        a.transport.send_data("x", f"{n}")
    await b.until(lambda: [m for _, m in b.messages] == [str(n) for n in range(30)], 20)
    await close(a, b)


def test_strongest_fingerprint_decides() -> None:
    certificate = CERTIFICATE._cert
    good = fingerprints(CERTIFICATE, ("sha-256", "sha-512"))
    assert fingerprint_matches(certificate, good)
    assert fingerprint_matches(certificate, (Fingerprint("SHA-256", good[0].value.lower()),))
    assert not fingerprint_matches(certificate, (good[0], Fingerprint("sha-512", "00:11")))
    assert not fingerprint_matches(certificate, ())
    assert not fingerprint_matches(certificate, (Fingerprint("md5", "00"),))


@given(st.binary(max_size=5000))
def test_records_are_never_lost_or_reordered(data: bytes) -> None:
    assert b"".join(split_records(data)) == data


def test_records_fill_datagrams_up_to_the_limit() -> None:
    records = [b"\x16\xfe\xfd" + bytes(8) + n.to_bytes(2, "big") + bytes(n) for n in (300, 500, 700, 100, 1180)]
    datagrams = split_records(b"".join(records))
    assert [len(d) for d in datagrams] == [826, 826, 1193]
    assert all(len(d) <= dtls.MTU for d in datagrams)
