"""Finds web links in plain text, so that a chat message can show them without being rich text.

Only ``http`` and ``https`` are links (RFC 3986 section 3.1 schemes; everything else could start a program).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_LINKS = 50
"""Links marked in one message; the rest stays plain text."""
MAX_LINK_LENGTH = 2048

_CANDIDATE = re.compile(r"https?://[^\s<>\"“”«»\u200e\u200f\u202a-\u202e\u2066-\u2069]+", re.IGNORECASE)
_TRAILING = ".,;:!?'’…"
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Link:
    start: int
    """Index of the first character in the text."""
    length: int
    url: str


def find_links(text: str) -> tuple[Link, ...]:
    """Links of *text* in order. Closing punctuation and unbalanced brackets are left out."""
    links: list[Link] = []
    for match in _CANDIDATE.finditer(text):
        if match.end() - match.start() > 2 * MAX_LINK_LENGTH:
            continue
        url = _trim(match.group())
        if len(url) > MAX_LINK_LENGTH or not is_web_link(url):
            continue
        links.append(Link(match.start(), len(url), url))
        if len(links) >= MAX_LINKS:
            break
    return tuple(links)


def is_web_link(url: str) -> bool:
    """True for an ``http`` or ``https`` address with a host, no credentials and no control characters."""
    if any(ord(c) < 0x20 or c == "\\" for c in url):
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


def _trim(url: str) -> str:
    while url:
        last = url[-1]
        if last in _TRAILING or (last in _PAIRS and url.count(last) > url.count(_PAIRS[last])):
            url = url[:-1]
        else:
            break
    return url
