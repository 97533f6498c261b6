"""DTLS over any datagram path, and the SRTP keys it yields (RFC 6347, RFC 5764, RFC 8122, RFC 8842).

No sockets: datagrams go in by :meth:`DtlsEndpoint.receive` and out by the callback, so that the path below may be
exchanged (ICE restart) without the session noticing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    SRTPProtectionProfile,
    certificate_digest,
)
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from app.media.api import Fingerprint

logger = logging.getLogger(__name__)

SRTP_PROFILES: tuple[SRTPProtectionProfile, ...] = (SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80)
CIPHERS = b":".join(
    b"ECDHE-%s-%s" % (key, cipher)
    for cipher in (b"AES128-GCM-SHA256", b"CHACHA20-POLY1305", b"AES256-GCM-SHA384", b"AES128-SHA", b"AES256-SHA")
    for key in (b"ECDSA", b"RSA")
)
FINGERPRINT_ALGORITHMS = ("sha-512", "sha-384", "sha-256")
"""Strongest first."""
MTU = 1200
"""Datagram size that passes every path in use, VPNs included."""
HANDSHAKE_TIMEOUT_S = 30.0
REPLAY_WINDOW = 1024
RECORD_HEADER = 13
MAX_APPLICATION_DATA = 65536


def make_certificate() -> RTCCertificate:
    """A self-signed ECDSA P-256 certificate, one per transport so that calls cannot be linked by it."""
    return RTCCertificate.generateCertificate()


def fingerprints(certificate: RTCCertificate, algorithms: tuple[str, ...] = ("sha-256",)) -> tuple[Fingerprint, ...]:
    known = {f.algorithm: f.value for f in certificate.getFingerprints()}
    return tuple(Fingerprint(a, known[a]) for a in algorithms)


def fingerprint_matches(certificate: Any, expected: tuple[Fingerprint, ...]) -> bool:
    """Whether the peer's certificate is one of those signalled, judged by the strongest hash given (RFC 8122 5)."""
    for algorithm in FINGERPRINT_ALGORITHMS:
        values = {f.value.upper() for f in expected if f.algorithm.lower() == algorithm}
        if values:
            return certificate_digest(certificate, algorithm) in values
    return False


def split_records(data: bytes, limit: int = MTU) -> list[bytes]:
    """DTLS records packed into datagrams of at most *limit* bytes (a single larger record stays whole)."""
    datagrams: list[bytes] = []
    start = position = 0
    while position < len(data):
        end = len(data)
        if position + RECORD_HEADER <= len(data):
            end = min(end, position + RECORD_HEADER + int.from_bytes(data[position + 11 : position + 13], "big"))
        if end - start > limit and position > start:
            datagrams.append(data[start:position])
            start = position
        position = end
    if start < len(data):
        datagrams.append(data[start:])
    return datagrams


class SrtpContext:
    """SRTP and SRTCP in both directions. Methods return ``None`` for what cannot be (un)protected."""

    def __init__(self, profile: SRTPProtectionProfile, send_key: bytes, receive_key: bytes) -> None:
        self.profile = profile.openssl_profile.decode()
        self._send = self._session(profile, send_key, Policy.SSRC_ANY_OUTBOUND)
        self._receive = self._session(profile, receive_key, Policy.SSRC_ANY_INBOUND)
        self.failures = 0

    @staticmethod
    def _session(profile: SRTPProtectionProfile, key: bytes, direction: int) -> Session:
        policy = Policy(key=key, ssrc_type=direction, srtp_profile=profile.libsrtp_profile)
        # The identical packet may go out twice (retransmission without RTX); a changed one never does.
        policy.allow_repeat_tx = True
        policy.window_size = REPLAY_WINDOW
        return Session(policy)

    def protect(self, packet: bytes) -> bytes | None:
        try:
            return self._send.protect(packet)
        except (pylibsrtp.Error, ValueError):
            self.failures += 1
            return None

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return self._send.protect_rtcp(packet)
        except (pylibsrtp.Error, ValueError):
            self.failures += 1
            return None

    def unprotect(self, packet: bytes) -> bytes | None:
        try:
            return self._receive.unprotect(packet)
        except (pylibsrtp.Error, ValueError):
            self.failures += 1
            return None

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        try:
            return self._receive.unprotect_rtcp(packet)
        except (pylibsrtp.Error, ValueError):
            self.failures += 1
            return None


class DtlsEndpoint:
    """One DTLS association. ``state``: new, connecting, connected, failed or closed."""

    def __init__(
        self,
        *,
        certificate: RTCCertificate,
        client: bool,
        expected: tuple[Fingerprint, ...],
        send: Callable[[bytes], object],
        on_state: Callable[[str, str], None],
        on_data: Callable[[bytes], None],
    ) -> None:
        self.state = "new"
        self.client = client
        self.srtp: SrtpContext | None = None
        self._expected = expected
        self._send = send
        self._on_state = on_state
        self._on_data = on_data
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._ssl = SSL.Connection(_context(certificate))
        self._ssl.set_ciphertext_mtu(MTU)
        if client:
            self._ssl.set_connect_state()
        else:
            self._ssl.set_accept_state()

    @property
    def cipher(self) -> str:
        return (self._ssl.get_cipher_name() or "") if self.state == "connected" else ""

    def start(self) -> None:
        self._deadline = time.monotonic() + HANDSHAKE_TIMEOUT_S
        self._set_state("connecting")
        self._handshake()

    def receive(self, datagram: bytes) -> None:
        """A datagram whose first byte is 20..63 (RFC 7983)."""
        if self.state == "connecting":
            self._ssl.bio_write(datagram)
            self._handshake()
        elif self.state == "connected":
            self._ssl.bio_write(datagram)
            self._read()

    def send(self, data: bytes) -> None:
        """Application data (SCTP). Raises :class:`ConnectionError` before the handshake or after the end."""
        if self.state != "connected":
            raise ConnectionError("DTLS is not connected")
        try:
            self._ssl.send(data)
        except SSL.Error as error:
            raise ConnectionError("DTLS cannot send") from error
        self._flush()

    def close(self) -> None:
        """Send close_notify and stop."""
        self._cancel_timer()
        if self.state in ("connecting", "connected"):
            try:
                self._ssl.shutdown()
            except SSL.Error:
                logger.debug("DTLS shutdown before the handshake")
            self._flush()
        if self.state != "failed":
            self._set_state("closed")

    # ------------------------------------------------------------ inside

    def _handshake(self) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._flush()
            self._arm_timer()
            return
        except SSL.Error as error:
            self._flush()
            self._fail(f"handshake failed ({_reason(error)})")
            return
        self._flush()
        if not fingerprint_matches(self._ssl.get_peer_certificate(as_cryptography=True), self._expected):
            self._fail("fingerprint mismatch")
            return
        self.srtp = self._derive_srtp()
        if self.srtp is None:
            self._fail("no SRTP profile in common")
            return
        # The peer may still ask for our last flight again, so the timer goes on until OpenSSL needs it no more.
        self._arm_timer()
        self._set_state("connected")
        self._read()

    def _read(self) -> None:
        while True:
            try:
                data = self._ssl.recv(MAX_APPLICATION_DATA)
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self._flush()
                self._cancel_timer()
                self._set_state("closed", "closed by the far side")
                return
            except SSL.Error as error:
                logger.debug("DTLS record dropped: %s", _reason(error))
                break
            if not data:
                break
            self._on_data(data)
        self._flush()

    def _flush(self) -> None:
        pending = b""
        while True:
            try:
                pending += self._ssl.bio_read(65536)
            except SSL.Error:
                break
        for datagram in split_records(pending):
            self._send(datagram)

    def _derive_srtp(self) -> SrtpContext | None:
        selected = self._ssl.get_selected_srtp_profile()
        profile = next((p for p in SRTP_PROFILES if p.openssl_profile == selected), None)
        if profile is None:
            return None
        length = 2 * (profile.key_length + profile.salt_length)
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", length)
        client_key, server_key = profile.get_key_and_salt(material, 0), profile.get_key_and_salt(material, 1)
        return SrtpContext(profile, *((client_key, server_key) if self.client else (server_key, client_key)))

    def _arm_timer(self) -> None:
        self._cancel_timer()
        timeout = self._ssl.DTLSv1_get_timeout()
        if timeout is not None:
            self._timer = asyncio.get_running_loop().call_later(max(timeout, 0.001), self._on_timer)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        if self.state == "connecting" and time.monotonic() > self._deadline:
            self._fail("handshake timed out")
            return
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error as error:
            logger.debug("DTLS timer: %s", _reason(error))
        self._flush()
        self._arm_timer()

    def _fail(self, reason: str) -> None:
        self._cancel_timer()
        self._set_state("failed", reason)

    def _set_state(self, state: str, reason: str = "") -> None:
        if state != self.state:
            self.state = state
            self._on_state(state, reason)


def _context(certificate: RTCCertificate) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
    # Trust comes from the signalled fingerprint, checked after the handshake, not from a certificate authority.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate._cert)
    context.use_privatekey(certificate._key)
    context.set_cipher_list(CIPHERS)
    context.set_tlsext_use_srtp(b":".join(p.openssl_profile for p in SRTP_PROFILES))
    return context


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args and isinstance(error.args[0], list) and error.args[0] else None
    return str(details[0][-1]) if details else type(error).__name__
