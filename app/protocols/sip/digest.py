"""Digest authentication, both sides (RFC 7616 as profiled for SIP by RFC 3261 section 22 and RFC 8760)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.protocols.sip.message import RemoteProtocolError, Request, Response, quote_string, unquote_string

ALGORITHMS: Mapping[str, Callable[[bytes], hashlib._Hash]] = {
    "SHA-512-256": lambda data: hashlib.new("sha512_256", data),
    "SHA-256": hashlib.sha256,
    "MD5": hashlib.md5,
}
"""Strongest first; the ``-sess`` forms use the same hash."""
MAX_ATTEMPTS = 3
"""Of one request: fresh challenge, one stale nonce, one for a second realm. More means wrong credentials."""
MAX_REALMS = 8
NONCE_LIFE_S = 60.0

_ITEM = re.compile(r'\s*([A-Za-z0-9_\-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]*)\s*(?:,|$)')
_QUOTED = frozenset(("username", "realm", "nonce", "uri", "response", "opaque", "cnonce", "domain"))


@dataclass(frozen=True, slots=True)
class Challenge:
    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str = ""
    stale: bool = False
    proxy: bool = False


def parse_parameters(value: str) -> dict[str, str]:
    """Comma-separated parameters after the scheme; quoted values may hold commas. Raises
    :class:`RemoteProtocolError`."""
    result: dict[str, str] = {}
    position = 0
    while position < len(value):
        match = _ITEM.match(value, position)
        if match is None or len(result) > 40:
            raise RemoteProtocolError("malformed authentication parameters")
        result.setdefault(match.group(1).lower(), unquote_string(match.group(2)))
        position = match.end()
    return result


def parse_challenge(value: str, proxy: bool = False) -> Challenge | None:
    """``None`` for other schemes, unknown algorithms and malformed values."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    try:
        items = parse_parameters(rest)
    except RemoteProtocolError:
        return None
    algorithm = items.get("algorithm", "MD5").upper()
    if algorithm.removesuffix("-SESS") not in ALGORITHMS or "nonce" not in items:
        return None
    qop = tuple(token.strip().lower() for token in items.get("qop", "").split(",") if token.strip())
    if qop and "auth" not in qop:
        return None
    stale = items.get("stale", "").lower() == "true"
    return Challenge(items.get("realm", ""), items["nonce"], algorithm, qop, items.get("opaque", ""), stale, proxy)


def challenges(response: Response) -> list[Challenge]:
    """All challenges that can be answered, strongest algorithm first within a realm."""
    found = []
    for name, proxy in (("WWW-Authenticate", False), ("Proxy-Authenticate", True)):
        for value in response.headers.all(name)[:10]:
            challenge = parse_challenge(value, proxy)
            if challenge is not None:
                found.append(challenge)
    order = list(ALGORITHMS)
    return sorted(found, key=lambda c: order.index(c.algorithm.removesuffix("-SESS")))


def _hash(algorithm: str, text: str) -> str:
    return ALGORITHMS[algorithm.removesuffix("-SESS")](text.encode()).hexdigest()


def compute(
    challenge: Challenge, *, username: str, password: str, method: str, uri: str, cnonce: str = "", nc: str = ""
) -> str:
    """The ``response`` value (RFC 7616 section 3.4.1). Without *cnonce* the form of RFC 2069 is used."""
    a1 = _hash(challenge.algorithm, f"{username}:{challenge.realm}:{password}")
    if challenge.algorithm.endswith("-SESS"):
        a1 = _hash(challenge.algorithm, f"{a1}:{challenge.nonce}:{cnonce}")
    a2 = _hash(challenge.algorithm, f"{method}:{uri}")
    if challenge.qop:
        return _hash(challenge.algorithm, f"{a1}:{challenge.nonce}:{nc}:{cnonce}:auth:{a2}")
    return _hash(challenge.algorithm, f"{a1}:{challenge.nonce}:{a2}")


@dataclass(slots=True)
class _Known:
    challenge: Challenge
    count: int = 0


@dataclass(slots=True)
class DigestClient:
    """Answers challenges and remembers nonces, so that later requests need no second round trip."""

    username: str
    password: str = field(repr=False)
    reuse: bool = True
    _known: dict[tuple[bool, str], _Known] = field(default_factory=dict)

    def authorise(self, request: Request) -> None:
        """Put credentials for every realm known so far on a request that is not challenged yet."""
        if self.reuse and self.password:
            for known in self._known.values():
                self._add(request, known)

    def answer(self, request: Request, response: Response) -> bool:
        """Put answers to the challenges of a 401 or 407 on *request* (in place). ``False``: nothing new to say."""
        if not self.password:
            return False
        best: dict[tuple[bool, str], Challenge] = {}
        for challenge in challenges(response):
            best.setdefault((challenge.proxy, challenge.realm), challenge)
        fresh = False
        tried = self._tried(request)
        for key, challenge in best.items():
            old = tried.get(key)
            # The same realm refused what we sent: only a stale nonce (or one never used) is worth another try.
            if old is not None and not challenge.stale and old == challenge.nonce:
                continue
            if old is not None and not challenge.stale and not self._was_reused(key, old):
                continue
            self._known[key] = _Known(challenge)
            fresh = True
        while len(self._known) > MAX_REALMS:
            del self._known[next(iter(self._known))]
        if not fresh:
            return False
        request.headers.remove("Authorization")
        request.headers.remove("Proxy-Authorization")
        for known in self._known.values():
            self._add(request, known)
        return True

    def forget(self) -> None:
        self._known.clear()

    def _was_reused(self, key: tuple[bool, str], nonce: str) -> bool:
        """The refused nonce was an old one taken along: the server may have forgotten it without saying stale."""
        known = self._known.get(key)
        return known is not None and known.challenge.nonce == nonce and known.count > 1

    def _tried(self, request: Request) -> dict[tuple[bool, str], str]:
        tried = {}
        for name, proxy in (("Authorization", False), ("Proxy-Authorization", True)):
            for value in request.headers.all(name):
                try:
                    items = parse_parameters(value.partition(" ")[2])
                except RemoteProtocolError:
                    continue
                tried[(proxy, items.get("realm", ""))] = items.get("nonce", "")
        return tried

    def _add(self, request: Request, known: _Known) -> None:
        challenge = known.challenge
        known.count += 1
        nc, cnonce = f"{known.count:08x}", secrets.token_hex(8)
        response = compute(
            challenge, username=self.username, password=self.password, method=request.method, uri=request.uri,
            cnonce=cnonce, nc=nc,
        )  # fmt: skip
        items = {
            "username": self.username, "realm": challenge.realm, "nonce": challenge.nonce, "uri": request.uri,
            "response": response, "algorithm": challenge.algorithm,
        }  # fmt: skip
        if challenge.opaque:
            items["opaque"] = challenge.opaque
        if challenge.qop:
            items |= {"qop": "auth", "cnonce": cnonce, "nc": nc}
        elif challenge.algorithm.endswith("-SESS"):
            items["cnonce"] = cnonce
        text = ", ".join(f"{k}={quote_string(v) if k in _QUOTED else v}" for k, v in items.items())
        request.headers.add("Proxy-Authorization" if challenge.proxy else "Authorization", f"Digest {text}")


@dataclass(slots=True)
class DigestServer:
    """Challenges requests and checks their answers; for registrars of tests and the sandbox."""

    realm: str
    password_of: Callable[[str], str | None] = field(repr=False)
    """User name to password; ``None`` for unknown users."""
    algorithms: tuple[str, ...] = ("MD5",)
    proxy: bool = False
    nonce_life_s: float = NONCE_LIFE_S
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    _opaque: str = field(default_factory=lambda: secrets.token_hex(8))

    def check(self, request: Request, now: float) -> tuple[str | None, bool]:
        """The authenticated user name or ``None``, and whether the nonce was right but too old."""
        name = "Proxy-Authorization" if self.proxy else "Authorization"
        for value in request.headers.all(name)[:10]:
            scheme, _, rest = value.partition(" ")
            if scheme.lower() != "digest":
                continue
            try:
                items = parse_parameters(rest)
            except RemoteProtocolError:
                continue
            if items.get("realm") != self.realm or items.get("uri") != request.uri:
                continue
            user, password = items.get("username", ""), self.password_of(items.get("username", ""))
            algorithm = items.get("algorithm", "MD5").upper()
            if password is None or algorithm not in self.algorithms:
                continue
            qop = ("auth",) if items.get("qop") == "auth" else ()
            challenge = Challenge(self.realm, items.get("nonce", ""), algorithm, qop)
            expected = compute(
                challenge, username=user, password=password, method=request.method, uri=request.uri,
                cnonce=items.get("cnonce", ""), nc=items.get("nc", ""),
            )  # fmt: skip
            if not hmac.compare_digest(expected.encode(), items.get("response", "").lower().encode()):
                continue
            age = self._age(items.get("nonce", ""), now)
            if age is None or age > self.nonce_life_s:
                return None, True
            return user, False
        return None, False

    def challenge(self, request: Request, now: float, stale: bool = False) -> Response:
        response = request.response(407 if self.proxy else 401, to_tag=secrets.token_hex(6))
        for algorithm in self.algorithms:
            text = f'Digest realm={quote_string(self.realm)}, nonce="{self._nonce(now)}", opaque="{self._opaque}", '
            text += f'algorithm={algorithm}, qop="auth"' + (", stale=true" if stale else "")
            response.headers.add("Proxy-Authenticate" if self.proxy else "WWW-Authenticate", text)
        return response

    def _nonce(self, now: float) -> str:
        stamp = f"{now:.3f}"
        return f"{stamp}/{hmac.new(self._secret, stamp.encode(), 'sha256').hexdigest()[:32]}"

    def _age(self, nonce: str, now: float) -> float | None:
        stamp, _, mark = nonce.partition("/")
        good = hmac.new(self._secret, stamp.encode(), "sha256").hexdigest()[:32]
        if not hmac.compare_digest(mark.encode(), good.encode()):
            return None
        return now - float(stamp)
