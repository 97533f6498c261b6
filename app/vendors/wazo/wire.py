"""Requests to and answers of Wazo's REST services, as values: what to send, how to read what comes (sans-IO).

Real servers leave out fields, send ``null``, numbers for texts and other shapes between versions. Reading therefore
never fails as a whole: a field that does not fit takes its default, an item without what makes it usable is dropped.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from app.calls.model import frozen_map

AUTH = "auth/0.1"
CALLD = "calld/1.0"
CTID_NG = "ctid-ng/1.0"
"""What servers before calld call it."""
CONFD = "confd/1.1"
DIRD = "dird/0.1"
AGENTD = "agentd/1.0"
CALL_LOGD = "call-logd/1.0"
CHATD = "chatd/1.0"
ACCESSD = "accessd/1.0"
APPLICATIONS = f"{CALLD}/applications"

MAX_ITEMS = 20_000
"""Items read from one answer; call-logd's own default limit is 1,000."""
MAX_SENTENCE = 300
"""Characters of a server's own explanation that are kept."""

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One request. ``path`` is relative to ``https://<host>/api/`` and already quoted."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=frozen_map)
    body: Any = None
    data: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=frozen_map, repr=False)
    authenticated: bool = True
    """Send ``X-Auth-Token``."""
    long: bool = False
    """Up- or download of a file: allow minutes and megabytes."""

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class ServerError:
    """What one of the four error shapes said (wazo.md 1.2). ``text`` is the server's own wording, bounded."""

    status: int
    text: str = ""
    error_id: str = ""
    reason: str = ""
    """``details.reason`` of token failures: ``not_found_or_expired``, ``missing_permission_or_invalid_tenant``."""
    required_access: str = ""

    @property
    def token_refused(self) -> bool:
        """The token is gone or too old (wazo.md 1.1). A missing permission is a 401 as well, but renewing the token
        does not help there; servers that do not say which it is get the benefit of the doubt."""
        if self.status == 401:
            return self.reason != "missing_permission_or_invalid_tenant"
        return self.status == 404 and self.text == "No such token"


def in_tenant(request: RestRequest, tenant: str) -> RestRequest:
    """The same in another tenant that the account may see; an empty *tenant* is the account's own."""
    if not tenant or not tenant.isascii() or not tenant.isprintable():
        return request
    return replace(request, headers=frozen_map({**request.headers, "Wazo-Tenant": tenant}))


def path(*parts: str) -> str:
    """Join path parts; each part after the first is one quoted segment."""
    return "/".join((parts[0], *(_segment(part) for part in parts[1:])))


def _segment(text: str) -> str:
    # No quoting keeps dot segments from being taken for steps to another resource (RFC 3986 section 6.2.2.3).
    return "_" if text in (".", "..") else quote(text, safe="", errors="replace")


def parameters(**values: str | int | bool | None) -> Mapping[str, str]:
    """Query parameters without those that are ``None`` or empty; booleans as the servers write them."""
    out: dict[str, str] = {}
    for name, value in values.items():
        if value is None or value == "":
            continue
        out[name.rstrip("_")] = str(value).lower() if isinstance(value, bool) else str(value)
    return frozen_map(out)


def read_error(status: int, body: Any) -> ServerError:
    """Any of the four shapes, or none of them, as one value. Never raises."""
    if isinstance(body, dict):
        details = body.get("details")
        details = details if isinstance(details, dict) else {}
        message = _first_text(body.get("message") or body.get("reason") or body.get("error"))
        return ServerError(
            status,
            message or _first_text(details),
            _text(body.get("error_id")),
            _text(details.get("reason")),
            _text(details.get("required_access")),
        )
    return ServerError(status, _first_text(body))


def _text(value: Any) -> str:
    return value[:MAX_SENTENCE] if isinstance(value, str) else ""


def _first_text(value: Any) -> str:
    """The first piece of text in a value of lists and objects, two levels deep."""
    for _ in range(3):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict) and value:
            value = value.get("message") or next(iter(value.values()))
    return _text(value)


# ---------------------------------------------------------------- tolerant reading


@lru_cache(maxsize=128)
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    return tuple((f.name, f.encode_name, f.type) for f in msgspec.structs.fields(kind))


def read(kind: type[T], data: Any) -> T | None:
    """*data* as a struct; ``None`` when it is no object or lacks a required field."""
    if not isinstance(data, dict):
        return None
    values: dict[str, Any] = {}
    for name, key, wanted in _fields(kind):
        found, value = _fit(wanted, data.get(key))
        if found:
            values[name] = value
    try:
        return kind(**values)
    except TypeError:
        return None


def _fit(wanted: Any, value: Any) -> tuple[bool, Any]:
    if value is None:
        return False, None
    if wanted is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return True, str(value)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        inner = read(wanted, value)
        return inner is not None, inner
    arguments = typing.get_args(wanted)
    if typing.get_origin(wanted) is tuple and arguments and isinstance(value, list):
        pairs = (_fit(arguments[0], item) for item in value[:MAX_ITEMS])
        return True, tuple(item for found, item in pairs if found)
    for option in arguments:
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            inner = read(option, value)
            return inner is not None, inner
    try:
        return True, msgspec.convert(value, wanted, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return False, None


def items(body: Any, kind: type[T], key: str = "items") -> tuple[T, ...]:
    """The usable items of ``{"items": [...]}`` (or of a bare list)."""
    found = body.get(key) if isinstance(body, dict) else body
    if not isinstance(found, list):
        return ()
    return tuple(item for item in (read(kind, raw) for raw in found[:MAX_ITEMS]) if item is not None)


def total(body: Any) -> int | None:
    """How many match: ``filtered`` where the server gives it, else ``total``, else ``None``."""
    if not isinstance(body, dict):
        return None
    for key in ("filtered", "total"):
        value = body.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def milliseconds(text: str) -> int | None:
    """A server's time stamp as milliseconds since the epoch; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (OverflowError, OSError, ValueError):
        return None


def timestamp(at_ms: int) -> str:
    """Milliseconds since the epoch as the servers' ISO 8601 form in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
