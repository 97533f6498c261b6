"""Text that came from somebody else: made bounded and harmless before it enters the state.

What is removed: control characters (C0, C1), embedding and override characters that reorder text on screen
(Unicode Standard Annex 9, section 2) and lone surrogates, which no font or file can take.
"""

from __future__ import annotations

import re

MAX_NAME = 100
"""Characters of a name, subject, status and the like."""
MAX_MESSAGE = 10_000
"""Characters of a chat message."""
MAX_ID = 256
"""Characters of an identifier; longer ones are refused, since a cut identifier would name somebody else."""

_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def clean_name(text: str, limit: int = MAX_NAME) -> str:
    """One line: harmful characters removed, white space collapsed, at most *limit* characters."""
    # Cut before the slow parts, so that a megabyte of text costs no more than a line of it.
    head = text[: limit * 4].replace("\n", " ").replace("\t", " ").replace("\r", " ")
    return " ".join(_HARMFUL.sub("", head).split())[:limit].rstrip()


def clean_message(text: str, limit: int = MAX_MESSAGE) -> str:
    """Several lines: harmful characters removed (line breaks and tabs stay), at most *limit* characters."""
    head = text[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")
    return _HARMFUL.sub("", head)[:limit]
