"""Meeting links and room names (jitsi.md 1.3)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from app.calls.model import frozen_map
from app.vendors.base import Address

VENDOR = "jitsi"
DEFAULT_SERVER = "https://meet.jit.si"
MAX_TEXT = 2000
_REMOVED = re.compile(r"[:?#\[\]@!$&'()*+,;=><\"]")
_APP_SCHEMES = ("jitsi-meet", "org.jitsi.meet")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s/?#\[\]@]{1,253}?)(:[0-9]{1,5})?", re.IGNORECASE)
_OTHER_FILES = re.compile(r"\.(html?|js|css|png|jpe?g|svg|pdf)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MeetingUrl:
    """The parts of a meeting link that a client needs."""

    base: str
    """``https://host[:port]`` without a path."""
    tenant: str
    """Path between host and room, without slashes at its ends; usually empty."""
    room: str
    """Backend-safe room name: MUC node and value of ``room=``."""
    display_room: str
    overrides: tuple[tuple[str, str], ...] = ()
    """``#config.<path>=<json>`` pairs as written."""
    release: str = ""

    @property
    def context_root(self) -> str:
        return f"/{self.tenant}/" if self.tenant else "/"

    @property
    def url(self) -> str:
        return f"{self.base}{self.context_root}{quote(self.display_room, safe='')}"


def backend_safe_room(name: str) -> str:
    """Percent-decode, NFKC, lower-case, ``encodeURIComponent``, lower-case again."""
    try:
        decoded = unquote(name, errors="strict")
    except UnicodeDecodeError:
        decoded = name
    normal = unicodedata.normalize("NFKC", decoded).lower()
    return quote(normal.encode("utf-8", "ignore"), safe="-_.!~*'()").lower()


def split_meeting_url(text: str) -> tuple[MeetingUrl, str | None] | None:
    """A full link as (parts, token). ``None`` when it is no meeting link. The token is not in the parts."""
    stripped = "".join(text.split())
    if not stripped or len(stripped) > MAX_TEXT:
        return None
    scheme, separator, rest = stripped.partition("://")
    if separator and scheme.lower() in _APP_SCHEMES:
        stripped = "https://" + rest
    elif not separator:
        stripped = "https://" + stripped
    try:
        parts = urlsplit(stripped)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        return None
    return _from_parts(parts, host, port)


def _from_parts(parts: SplitResult, host: str, port: int | None) -> tuple[MeetingUrl, str | None] | None:
    path = [_REMOVED.sub("", p) for p in parts.path.split("/")]
    path = [p for p in path if p and p not in (".", "..")]
    if not path or _OTHER_FILES.search(path[-1]):
        return None
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return None
    netloc = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    base = f"{parts.scheme}://{netloc}" + (f":{port}" if port else "")
    query = parse_qs(parts.query, max_num_fields=50) if parts.query.count("&") < 50 else {}
    fragment = parts.fragment.split("&")[:50]
    token = (query.get("jwt") or [""])[0]
    overrides = []
    for item in fragment:
        key, _, value = item.partition("=")
        if key == "jwt":
            token = token or unquote(value)
        elif key.startswith("config."):
            overrides.append((key[len("config.") :], unquote(value)))
    try:
        display = unquote(path[-1], errors="strict")
    except UnicodeDecodeError:
        display = path[-1]
    room = backend_safe_room(path[-1])
    if not room:
        return None
    tenant = "/".join(path[:-1])
    release = (query.get("release") or [""])[0]
    return MeetingUrl(base, tenant, room, display, tuple(overrides), release), token or None


def recognise(text: str, default_server: str = DEFAULT_SERVER) -> Address | None:
    """What the text means as a Jitsi meeting: a link, ``host/room`` or a bare room name on the default server.

    A token in the link is in :attr:`Address.token` for this join only; the other fields do not show it.
    """
    text = text.strip()
    if not text or len(text) > MAX_TEXT:
        return None
    if "/" not in text and "://" not in text:
        if "@" in text or text.startswith(("sip:", "tel:", "+")) or not re.search(r"\w", text):
            return None
        # A bare name with a dot and no slash is a host without a room.
        if re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", text):
            return None
        name = _REMOVED.sub("", "".join(text.split()))
        text = f"{default_server.rstrip('/')}/{quote(name)}" if name else ""
    elif re.match(r"[a-z][a-z0-9+.-]*:", text, re.IGNORECASE) and "://" not in text and not _looks_like_host(text):
        return None
    found = split_meeting_url(text)
    if found is None:
        return None
    meeting, token = found
    extra = {"tenant": meeting.tenant}
    if meeting.overrides:
        extra["overrides"] = "&".join(f"{k}={v}" for k, v in meeting.overrides)
    if meeting.release:
        extra["release"] = meeting.release
    host = urlsplit(meeting.base).netloc
    return Address(VENDOR, meeting.url, meeting.url, host, meeting.room, meeting.display_room, frozen_map(extra), token)


def _looks_like_host(text: str) -> bool:
    return re.match(r"[^/:]+:\d+/", text) is not None
