"""Server side of SASL: ANONYMOUS (RFC 4505), PLAIN (RFC 4616), SCRAM-SHA-1/-256 (RFC 5802, RFC 7677), and the
token check of Jitsi's servers (HS256 JWT; the session still authenticates with ANONYMOUS).

Sans-IO: :class:`SaslServer` takes the bytes of one client message and returns what to answer.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCRAM_ITERATIONS = 4096
"""RFC 5802 5.1 minimum; accounts live for the length of one test."""

_HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


@dataclass(frozen=True, slots=True)
class Challenge:
    data: bytes


@dataclass(frozen=True, slots=True)
class Success:
    username: str
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    condition: str
    text: str = ""


Outcome = Challenge | Success | Refused


class TokenError(ValueError):
    """The token is missing, malformed, wrongly signed, expired or for somebody else."""


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """What the server demands of a JWT (claims: jitsi.md 1.7)."""

    secret: str = field(repr=False)
    issuer: str = "parley"
    required: bool = True


def _unpad(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def make_token(policy: TokenPolicy, room: str = "*", lifetime_s: int = 3600, **claims: Any) -> str:
    """An HS256 token that :func:`check_token` accepts, for tests and the demo."""
    header = {"alg": "HS256", "typ": "JWT"}
    payload = {"iss": policy.issuer, "aud": "jitsi", "room": room, "exp": int(time.time()) + lifetime_s, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    signature = hmac.new(policy.secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def check_token(policy: TokenPolicy, token: str, now: float | None = None) -> Mapping[str, Any]:
    """The claims of a valid token; raises :class:`TokenError` with the text that the server sends."""
    try:
        header_part, payload_part, signature_part = token.split(".")
        header, payload = json.loads(_unpad(header_part)), json.loads(_unpad(payload_part))
        signature = _unpad(signature_part)
    except (ValueError, binascii.Error) as error:
        raise TokenError("Invalid token") from error
    if not isinstance(header, dict) or not isinstance(payload, dict) or header.get("alg") != "HS256":
        raise TokenError("Invalid token")
    expected = hmac.new(policy.secret.encode(), f"{header_part}.{payload_part}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(expected, signature):
        raise TokenError("Invalid signature")
    expires = payload.get("exp")
    if not isinstance(expires, int | float) or expires < (time.time() if now is None else now):
        raise TokenError("Not acceptable by exp")
    if payload.get("iss") != policy.issuer:
        raise TokenError("Invalid issuer ('iss' claim)")
    if not isinstance(payload.get("room"), str):
        raise TokenError("'room' claim is missing")
    return payload


def _attributes(message: str) -> dict[str, str]:
    return {part[0]: part[2:] for part in message.split(",") if len(part) >= 2 and part[1] == "="}


class SaslServer:
    """One authentication attempt.

    *accounts* maps user names to passwords. *anonymous_name* is the node that ANONYMOUS yields.
    """

    def __init__(
        self, mechanisms: tuple[str, ...], accounts: Mapping[str, str], anonymous_name: str, token_error: str = ""
    ) -> None:
        self.mechanisms = mechanisms
        self._accounts = accounts
        self._anonymous_name = anonymous_name
        self._token_error = token_error
        self._mechanism = ""
        self._scram: tuple[str, str, str, bytes] | None = None

    def start(self, mechanism: str, initial: bytes) -> Outcome:
        if mechanism not in self.mechanisms:
            return Refused("invalid-mechanism")
        self._mechanism = mechanism
        if mechanism == "ANONYMOUS":
            return Refused("not-allowed", self._token_error) if self._token_error else Success(self._anonymous_name)
        if mechanism == "PLAIN":
            return self._plain(initial)
        return self._scram_first(initial)

    def respond(self, data: bytes) -> Outcome:
        if self._scram is None:
            return Refused("malformed-request")
        return self._scram_final(data)

    def _plain(self, data: bytes) -> Outcome:
        parts = data.split(b"\0")
        if len(parts) != 3:
            return Refused("malformed-request")
        try:
            user, password = parts[1].decode(), parts[2].decode()
        except UnicodeDecodeError:
            return Refused("malformed-request")
        known = self._accounts.get(user)
        if known is None or not hmac.compare_digest(known.encode(), password.encode()):
            return Refused("not-authorized", "Unable to authorize you with the authentication credentials you've sent.")
        return Success(user)

    def _scram_first(self, data: bytes) -> Outcome:
        try:
            message = data.decode()
        except UnicodeDecodeError:
            return Refused("malformed-request")
        if message[:2] not in ("n,", "y,"):
            return Refused("malformed-request")
        gs2, bare_message = message[: message.find(",", 2) + 1], message[message.find(",", 2) + 1 :]
        fields = _attributes(bare_message)
        if "n" not in fields or "r" not in fields:
            return Refused("malformed-request")
        user = fields["n"].replace("=2C", ",").replace("=3D", "=")
        salt = secrets.token_bytes(16)
        nonce = fields["r"] + secrets.token_hex(12)
        first = f"r={nonce},s={base64.b64encode(salt).decode()},i={SCRAM_ITERATIONS}"
        self._scram = (user, gs2, f"{bare_message},{first}", salt)
        return Challenge(first.encode())

    def _scram_final(self, data: bytes) -> Outcome:
        assert self._scram is not None
        user, gs2, first_messages, salt = self._scram
        self._scram = None
        name = _HASHES[self._mechanism]
        try:
            fields = _attributes(data.decode())
            proof = base64.b64decode(fields["p"], validate=True)
            binding = base64.b64decode(fields["c"], validate=True).decode()
            without_proof = data.decode()[: data.decode().rindex(",p=")]
        except (KeyError, ValueError):
            return Refused("malformed-request")
        nonce = _attributes(first_messages.split(",", 2)[2])["r"]
        if binding != gs2 or fields.get("r") != nonce or user not in self._accounts:
            return Refused("not-authorized")
        salted = hashlib.pbkdf2_hmac(name, self._accounts[user].encode(), salt, SCRAM_ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", name)
        message = f"{first_messages},{without_proof}".encode()
        signature = hmac.digest(hashlib.new(name, client_key).digest(), message, name)
        expected = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        if not hmac.compare_digest(expected, proof):
            return Refused("not-authorized")
        server = hmac.digest(hmac.digest(salted, b"Server Key", name), message, name)
        return Success(user, b"v=" + base64.b64encode(server))
