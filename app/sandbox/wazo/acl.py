"""Access control lists of tokens: dotted patterns (wazo.md 1.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

USER_ACL = (
    "agentd.users.me.#",
    "auth.users.me.external.#",
    "auth.users.me.password.update",
    "auth.users.me.sessions.#",
    "auth.users.me.tokens.#",
    "call-logd.users.me.#",
    "calld.users.me.#",
    "calld.switchboards.#",
    "calld.parkings.#",
    "chatd.users.*.presences.read",
    "chatd.users.presences.read",
    "chatd.users.me.presences.update",
    "chatd.users.me.rooms.#",
    "chatd.users.me.identities.read",
    "confd.infos.read",
    "confd.users.me.read",
    "confd.users.me.update",
    "confd.users.me.#.read",
    "confd.users.me.forwards.#",
    "confd.users.me.services.#",
    "confd.users.me.meetings.#",
    "confd.users.me.blocklist.#",
    "confd.users.me.fallbacks.#",
    "dird.personal.#",
    "dird.directories.#",
    "dird.backends.*.sources.*.contacts.read",
    "dird.graphql.me",
    "webhookd.users.me.subscriptions.#",
    "websocketd",
    "events.#",
)
ADMIN_ACL = ("#",)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    words = []
    for word in pattern.split("."):
        words.append({"*": "[^.#]*?", "#": ".*?"}.get(word, re.escape(word)))
    return re.compile(r"\.".join(words))


def allows(acl: Iterable[str], required: str, user_uuid: str, session_uuid: str = "") -> bool:
    """Whether a token with *acl* may do what *required* names. ``me`` and ``my_session`` are the token's own."""
    if not required:
        return True
    forms = {required}
    if user_uuid:
        # Paths say either ``me`` or the uuid; patterns may say either too.
        forms |= {_swap(required, user_uuid, "me"), _swap(required, "me", user_uuid)}
    if session_uuid:
        forms |= {_swap(form, session_uuid, "my_session") for form in tuple(forms)}
    granted = False
    for pattern in acl:
        negated = pattern.startswith("!")
        expression = _compiled(pattern.removeprefix("!"))
        if any(expression.fullmatch(form) for form in forms):
            if negated:
                return False
            granted = True
    return granted


def _swap(text: str, old: str, new: str) -> str:
    return ".".join(new if word == old else word for word in text.split("."))
