"""Events between services and the event socket's sessions (wazo.md 6)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.sandbox.wazo.faults import Faults

KEPT = 5000
ORIGIN = "8f1f4a53-5e0c-4d5a-9d5a-0f5c8b6a7d11"


class Subscriber(Protocol):
    """One session of the event socket."""

    token: str
    user_uuid: str

    def event(self, event: dict[str, Any], required_acl: str) -> None: ...

    def token_gone(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Published:
    """An event as it was published, for tests."""

    name: str
    data: dict[str, Any]
    users: tuple[str, ...] | None


class Bus:
    """Hands events to the sessions of those they are for."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.subscribers: set[Subscriber] = set()
        self.published: deque[Published] = deque(maxlen=KEPT)
        self.listeners: list[Callable[[str, dict[str, Any]], None]] = []
        """Services of the stack itself, and bots."""

    def publish(self, name: str, data: dict[str, Any], users: Sequence[str] | None, required_acl: str = "") -> None:
        """*users*: whom it is for; ``None``: everybody of the tenant."""
        self.published.append(Published(name, dict(data), tuple(users) if users is not None else None))
        event: dict[str, Any] = {
            "name": name,
            "origin_uuid": ORIGIN,
            "tenant_uuid": data.get("tenant_uuid"),
            "required_acl": required_acl,
            "required_access": f"event.{name}",
            "timestamp": time.time(),
            "data": data,
        }
        for user in users if users is not None else ("*",):
            event[f"user_uuid:{user}"] = True
        for listener in list(self.listeners):
            listener(name, data)
        if self._faults.silent_events:
            return
        for subscriber in list(self.subscribers):
            if users is None or subscriber.user_uuid in users:
                subscriber.event(event, required_acl)

    def token_gone(self, token: str) -> None:
        for subscriber in list(self.subscribers):
            if subscriber.token == token:
                subscriber.token_gone()

    def connected(self, user_uuid: str) -> bool:
        return any(subscriber.user_uuid == user_uuid for subscriber in self.subscribers)

    def names(self) -> list[str]:
        return [event.name for event in self.published]
