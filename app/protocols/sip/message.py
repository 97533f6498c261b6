"""SIP messages: parse, read, build (RFC 3261 section 7, 20, 25).

Header grammar (addresses, URIs, Via, CSeq) comes from ``sipmessage``; framing, limits and the rules it is lenient about
(folding, Content-Length, CSeq range, required headers) are checked here. Whatever a peer sends, the only exception that
leaves this module is :class:`RemoteProtocolError`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sipmessage import URI, Address, CSeq, Parameters, Via
from sipmessage.message import COMPACT_FORMS

MAX_MESSAGE = 256 * 1024
"""Characters of one message; an SFU offer of 128 sections is about 100 KiB."""
MAX_HEADERS = 300
MAX_HEADER_VALUE = 8192
MAX_URI = 2048
MAX_CSEQ = 2**31
MAX_FORWARDS = 70
BRANCH_COOKIE = "z9hG4bK"

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,128}")
_STATUS_LINE = re.compile(r"SIP/2\.0 (\d{3})(?: (.*))?", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_VERSION = re.compile(r"SIP/\d{1,4}\.\d{1,4}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PARAMETER = re.compile(r'\s*([^\s=;"]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?\s*')

_CANONICAL = {
    name.lower(): name
    for name in (
        "Accept", "Accept-Encoding", "Alert-Info", "Allow", "Allow-Events", "Answer-Mode", "Authorization", "CSeq",
        "Call-ID", "Call-Info", "Contact", "Content-Disposition", "Content-Length", "Content-Type", "Date", "Diversion",
        "Event", "Expires", "From", "Max-Forwards", "Min-Expires", "Min-SE", "P-Asserted-Identity",
        "Proxy-Authenticate", "Proxy-Authorization", "RAck", "RSeq", "Reason", "Record-Route", "Refer-To",
        "Referred-By", "Replaces", "Require", "Retry-After", "Route", "Server", "Session-Expires", "Subject",
        "Subscription-State", "Supported", "To", "Unsupported", "User-Agent", "Via", "WWW-Authenticate",
    )
}  # fmt: skip
_COMPACT = dict(COMPACT_FORMS)
SINGLE = ("To", "From", "Call-ID", "CSeq")
"""Headers that every message has exactly once (RFC 3261 section 8.1.1)."""

REASONS = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices", 301: "Moved Permanently",
    302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
    483: "Too Many Hops", 484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 500: "Server Internal Error",
    501: "Not Implemented", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}  # fmt: skip


class RemoteProtocolError(Exception):
    """The peer's message breaks the protocol. ``status`` is what a server should answer to it."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.request: Request | None = None
        """What could be read of a bad request, enough to refuse it."""


T = TypeVar("T")


def _grammar(parser: Any, value: str, what: str) -> Any:
    if len(value) > MAX_HEADER_VALUE:
        raise RemoteProtocolError(f"{what} is too long")
    try:
        return parser(value)
    except (ValueError, RecursionError, OverflowError, TypeError) as error:
        raise RemoteProtocolError(f"malformed {what}") from error


def parse_uri(value: str) -> URI:
    """A SIP, SIPS or TEL URI. Other schemes are refused with status 416."""
    if len(value) > MAX_URI:
        raise RemoteProtocolError("URI is too long")
    scheme = _SCHEME.match(value)
    if scheme is None:
        raise RemoteProtocolError("malformed URI")
    name = scheme.group(1).lower()
    if name not in ("sip", "sips", "tel"):
        raise RemoteProtocolError("URI scheme is not supported", 416)
    # URI headers (RFC 3261 section 19.1.1) are no part of the target; see split_uri_headers.
    text = name + value[scheme.end(1) :]
    uri: URI = _grammar(URI.parse, split_uri_headers(text)[0], "URI")
    if uri.port is not None and not 0 < uri.port < 65536:
        raise RemoteProtocolError("URI port is out of range")
    return uri


def split_uri_headers(uri: str) -> tuple[str, dict[str, str]]:
    """Split ``sip:a@b?Replaces=...`` into the URI and its unescaped headers."""
    from urllib.parse import unquote

    at = uri.rfind("@")
    mark = uri.find("?", at + 1)
    if mark < 0:
        return uri, {}
    headers = {}
    for item in uri[mark + 1 :].split("&")[:20]:
        name, _, value = item.partition("=")
        headers[unquote(name).lower()] = unquote(value)
    return uri[:mark], headers


def split_list(value: str) -> list[str]:
    """Split at commas that are neither quoted nor inside angle brackets."""
    items: list[str] = []
    start, quoted, angled, escaped = 0, False, False, False
    for position, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char == "<":
            angled = True
        elif char == ">":
            angled = False
        elif char == "," and not angled:
            items.append(value[start:position].strip())
            start = position + 1
    items.append(value[start:].strip())
    return [item for item in items if item]


def split_parameters(value: str) -> tuple[str, dict[str, str]]:
    """``text;a=b;c`` as text and parameters with lower-case names; quotes are taken off, no value is ``""``."""
    start, quoted, angled, escaped = len(value), False, False, False
    for position, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char == "<":
            angled = True
        elif char == ">":
            angled = False
        elif char == ";" and not angled:
            start = position
            break
    parameters: dict[str, str] = {}
    position = start
    while position < len(value) and len(parameters) < 100:
        match = _PARAMETER.match(value, position + 1)
        if match is None:
            break
        parameters.setdefault(match.group(1).lower(), unquote_string((match.group(2) or "").strip()))
        position = value.find(";", match.end())
        if position < 0:
            break
    return value[:start].strip(), parameters


def unquote_string(value: str) -> str:
    if len(value) >= 2 and value[0] == '"' and value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def quote_string(value: str) -> str:
    return '"' + _CONTROL.sub(" ", value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_address(value: str) -> Address:
    """A ``From``, ``To``, ``Contact``, ``Route`` or ``Refer-To`` value (one address)."""
    if len(value) > MAX_HEADER_VALUE:
        raise RemoteProtocolError("address is too long")
    plain, _ = split_parameters(value)
    if "<" in plain:
        opening = plain.rfind("<")
        closing = plain.find(">", opening)
        if closing < 0 or plain[closing + 1 :].strip():
            raise RemoteProtocolError("malformed address")
        name = plain[:opening].strip()
        if name and not name.startswith('"') and _bad_display_name(name):
            raise RemoteProtocolError("malformed display name")
        if name.startswith('"') and not re.fullmatch(r'"(?:[^"\\]|\\.)*"', name, re.DOTALL):
            raise RemoteProtocolError("malformed display name")
        uri = parse_uri(plain[opening + 1 : closing])
    else:
        name = ""
        uri = parse_uri(plain)
        if any(mark in plain for mark in "?,"):
            # RFC 3261 section 20: such a URI must be in angle brackets.
            raise RemoteProtocolError("the address needs angle brackets")
    _, parameters = split_parameters(value)
    return Address(uri=uri, name=unquote_string(name), parameters=_parameters(parameters))


def _bad_display_name(name: str) -> bool:
    return any(char in '<>@,;:"\\' for char in name)


def _parameters(values: dict[str, str]) -> Parameters:
    return Parameters(**{name: value or None for name, value in values.items()})


def with_tag(value: str, tag: str) -> str:
    return value if tag_of(value) or not tag else f"{value};tag={tag}"


def tag_of(value: str) -> str:
    return split_parameters(value)[1].get("tag", "")


def uri_of(value: str) -> str:
    """The bare URI text of an address header."""
    plain, _ = split_parameters(value)
    if "<" in plain:
        opening = plain.rfind("<")
        return plain[opening + 1 :].partition(">")[0]
    return plain


def name_of(value: str) -> str:
    plain, _ = split_parameters(value)
    return unquote_string(plain[: plain.rfind("<")].strip()) if "<" in plain else ""


def user_of(value: str) -> str:
    """User part of an address or URI; the number of a TEL URI; ``""`` when there is none or it is malformed."""
    try:
        return parse_uri(uri_of(value)).user or ""
    except RemoteProtocolError:
        return ""


def name_address(name: str, uri: str, parameters: str = "") -> str:
    return f"{quote_string(name)} <{uri}>{parameters}" if name else f"<{uri}>{parameters}"


class Headers:
    """Header fields in order; names compare case-insensitively and compact forms are expanded."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items: list[tuple[str, str]] = []
        for name, value in items:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        self._items.append((canonical(name), _CONTROL.sub(" ", value).strip()))

    def add_first(self, name: str, value: str) -> None:
        self._items.insert(0, (canonical(name), _CONTROL.sub(" ", value).strip()))

    def set(self, name: str, value: str) -> None:
        self.remove(name)
        self.add(name, value)

    def remove(self, name: str) -> None:
        wanted = canonical(name).lower()
        self._items = [item for item in self._items if item[0].lower() != wanted]

    def get(self, name: str, default: str = "") -> str:
        wanted = canonical(name).lower()
        return next((value for key, value in self._items if key.lower() == wanted), default)

    def all(self, name: str) -> list[str]:
        """Field values as they came, one per line."""
        wanted = canonical(name).lower()
        return [value for key, value in self._items if key.lower() == wanted]

    def listed(self, name: str) -> list[str]:
        """Values of a comma-separated header, over all its lines."""
        return [item for value in self.all(name) for item in split_list(value)]

    def tokens(self, name: str) -> frozenset[str]:
        """Lower-case tokens of e.g. ``Supported``, parameters dropped."""
        return frozenset(item.partition(";")[0].strip().lower() for item in self.listed(name))

    def number(self, name: str) -> int | None:
        text = self.get(name).partition(";")[0].partition("(")[0].strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def copy(self) -> Headers:
        new = Headers()
        new._items = list(self._items)
        return new


def canonical(name: str) -> str:
    lower = name.lower()
    return _COMPACT.get(lower) or _CANONICAL.get(lower) or name


@dataclass(slots=True)
class Message:
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID")

    @property
    def cseq(self) -> CSeq:
        value: CSeq = _grammar(CSeq.parse, self.headers.get("CSeq"), "CSeq")
        return value

    @property
    def from_tag(self) -> str:
        return tag_of(self.headers.get("From"))

    @property
    def to_tag(self) -> str:
        return tag_of(self.headers.get("To"))

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return parse_via((self.headers.listed("Via") or [""])[0])

    @property
    def branch(self) -> str:
        return (split_parameters((self.headers.listed("Via") or [""])[0])[1]).get("branch", "")

    @property
    def content_type(self) -> str:
        """Lower-case media type without parameters."""
        return self.headers.get("Content-Type").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def sdp(self) -> str | None:
        """The session description, also out of a multipart body (RFC 5621)."""
        if not self.body:
            return None
        if self.content_type in ("application/sdp", ""):
            return self.text
        if self.content_type.startswith("multipart/"):
            return _part(self.headers.get("Content-Type"), self.text, "application/sdp")
        return None

    def set_body(self, body: str | bytes | None, content_type: str = "application/sdp") -> None:
        self.body = body.encode() if isinstance(body, str) else (body or b"")
        self.headers.remove("Content-Type")
        if self.body:
            self.headers.add("Content-Type", content_type)

    def _finish(self, first_line: str) -> str:
        lines = [first_line]
        lines += [f"{name}: {value}" for name, value in self.headers if name != "Content-Length"]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(lines) + "\r\n\r\n" + self.body.decode("utf-8", "replace")


@dataclass(slots=True)
class Request(Message):
    method: str = ""
    uri: str = ""

    def __str__(self) -> str:
        return self._finish(f"{self.method} {self.uri} SIP/2.0")

    def copy(self) -> Request:
        return Request(headers=self.headers.copy(), body=self.body, method=self.method, uri=self.uri)

    def response(
        self, status: int, reason: str = "", *, to_tag: str = "", headers: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """An answer with the headers that RFC 3261 section 8.2.6 copies."""
        answer = Response(status=status, reason=reason or REASONS.get(status, "Unknown"))
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in self.headers.all(name):
                answer.headers.add(name, with_tag(value, to_tag) if name == "To" and status > 100 else value)
        if status == 100 and "Timestamp" in self.headers:
            answer.headers.add("Timestamp", self.headers.get("Timestamp"))
        if 100 < status < 300:
            for value in self.headers.all("Record-Route"):
                answer.headers.add("Record-Route", value)
        for name, value in headers:
            answer.headers.add(name, value)
        return answer


@dataclass(slots=True)
class Response(Message):
    status: int = 0
    reason: str = ""

    def __str__(self) -> str:
        return self._finish(f"SIP/2.0 {self.status} {self.reason}")


def _part(content_type: str, text: str, wanted: str) -> str | None:
    boundary = split_parameters(content_type)[1].get("boundary", "")
    if not boundary or len(boundary) > 70:
        return None
    for part in text.split("--" + boundary)[1:20]:
        head, _, body = part.partition("\r\n\r\n")
        if wanted in head.lower():
            return body
    return None


def parse_via(value: str) -> Via:
    plain, parameters = split_parameters(value)
    plain = re.sub(r"\s*/\s*", "/", re.sub(r"\s+", " ", plain), count=2)
    plain = re.sub(r"\s*:\s*(\d+)$", r":\1", plain)
    via: Via = _grammar(Via.parse, plain, "Via")
    if via.port is not None and not 0 < via.port < 65536:
        raise RemoteProtocolError("Via port is out of range")
    return Via(transport=via.transport, host=via.host, port=via.port, parameters=_parameters(parameters))


def is_keep_alive(data: str | bytes) -> bool:
    """Frames of white space only are keep-alives (RFC 7118 section 6, RFC 5626 section 3.5.1)."""
    return not data.strip()


def parse(data: str | bytes) -> Request | Response:
    """Parse one whole message. Raises :class:`RemoteProtocolError`."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > MAX_MESSAGE:
        raise RemoteProtocolError("message is too large", 513)
    raw = raw.lstrip(b"\r\n")
    head_bytes, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        head_bytes = head_bytes.rstrip(b"\r\n")
    try:
        head = head_bytes.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("header is not UTF-8") from error
    first, _, rest = head.partition("\r\n")
    try:
        message = _first_line(first)
    except RemoteProtocolError as error:
        error.request = _salvage(first, rest)
        raise
    try:
        _read_headers(message.headers, rest)
        message.body = _body(message.headers, body)
        _check(message)
    except RemoteProtocolError as error:
        error.request = message if isinstance(message, Request) else None
        raise
    return message


def _salvage(first: str, rest: str) -> Request | None:
    """The headers of a request whose first line is bad."""
    method = first.partition(" ")[0]
    if not _TOKEN.fullmatch(method) or method.upper().startswith("SIP/"):
        return None
    request = Request(method=method)
    try:
        _read_headers(request.headers, rest)
    except RemoteProtocolError:
        return None
    return request


def _first_line(line: str) -> Request | Response:
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise RemoteProtocolError("malformed status line")
        status = int(match.group(1))
        if not 100 <= status <= 699:
            raise RemoteProtocolError("status code is out of range")
        return Response(status=status, reason=_CONTROL.sub(" ", match.group(2) or "")[:MAX_HEADER_VALUE])
    method, _, rest = line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if not _TOKEN.fullmatch(method) or not uri:
        raise RemoteProtocolError("malformed request line")
    if version.upper() != "SIP/2.0":
        raise RemoteProtocolError("not SIP 2.0", 505 if _VERSION.fullmatch(version) else 400)
    if len(uri) > MAX_URI or any(char in ' <>"\t' for char in uri):
        raise RemoteProtocolError("malformed Request-URI")
    return Request(method=method, uri=uri)


def _read_headers(headers: Headers, text: str) -> None:
    # RFC 3261 section 7.3.1: a line that begins with white space continues the one before.
    lines: list[str] = []
    for line in text.split("\r\n") if text else []:
        if line[:1] in (" ", "\t"):
            if not lines:
                raise RemoteProtocolError("a continuation without a header")
            lines[-1] += " " + line.strip()
        elif line:
            lines.append(line)
        if len(lines) > MAX_HEADERS:
            raise RemoteProtocolError("too many headers", 513)
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not _TOKEN.fullmatch(name):
            raise RemoteProtocolError("malformed header line")
        if len(value) > MAX_HEADER_VALUE:
            raise RemoteProtocolError("header is too long", 513)
        headers.add(name, value)


def _body(headers: Headers, body: bytes) -> bytes:
    declared = headers.all("Content-Length")
    if not declared:
        return body
    text = declared[0]
    if len(set(declared)) > 1 or not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RemoteProtocolError("malformed Content-Length")
    length = int(text)
    if length > len(body):
        raise RemoteProtocolError("the body is shorter than Content-Length says")
    return body[:length]


def _check(message: Request | Response) -> None:
    for name in SINGLE:
        values = message.headers.all(name)
        if len(values) != 1 or not values[0]:
            raise RemoteProtocolError(f"{name} must be there exactly once")
    vias = message.headers.listed("Via")
    if not vias:
        raise RemoteProtocolError("Via is missing")
    for via in vias:
        parse_via(via)
    for name in ("From", "To"):
        try:
            parse_address(message.headers.get(name))
        except RemoteProtocolError as error:
            # Other schemes are legal there (RFC 3261 section 8.1.1.2), they only cannot be called back.
            if error.status != 416:
                raise
    cseq = message.cseq
    if not 0 <= cseq.sequence < MAX_CSEQ:
        raise RemoteProtocolError("CSeq is out of range")
    if isinstance(message, Request):
        if cseq.method != message.method:
            raise RemoteProtocolError("CSeq names another method")
        hops = message.headers.all("Max-Forwards")
        if hops and (len(hops) > 1 or not hops[0].isascii() or not hops[0].isdigit() or int(hops[0][:6]) > 255):
            raise RemoteProtocolError("malformed Max-Forwards")


def new_branch() -> str:
    return BRANCH_COOKIE + secrets.token_hex(8)


def new_tag() -> str:
    return secrets.token_hex(6)


def new_call_id() -> str:
    return secrets.token_hex(12)
