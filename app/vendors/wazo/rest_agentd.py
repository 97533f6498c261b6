"""wazo-agentd: the own agent (``users/me`` forms) and the older forms by number (wazo.md 7.7)."""

from __future__ import annotations

from typing import Any

import msgspec

from app.calls.accounts import AgentQueue, AgentState
from app.calls.text import clean_name
from app.vendors.wazo.wire import AGENTD, RestRequest, path, read

ME = f"{AGENTD}/users/me/agents"


class _Queue(msgspec.Struct):
    id: str
    name: str = ""
    display_name: str = ""
    logged: bool = False
    paused: bool = False


class _Agent(msgspec.Struct):
    id: str
    number: str = ""
    logged: bool = False
    paused: bool = False
    paused_reason: str = ""
    queues: tuple[_Queue, ...] = ()


def status() -> RestRequest:
    return RestRequest("GET", ME)


def parse_agent(body: Any) -> AgentState | None:
    raw = read(_Agent, body)
    if raw is None:
        return None
    queues = tuple(
        AgentQueue(queue.id, clean_name(queue.display_name or queue.name), queue.logged, queue.paused)
        for queue in raw.queues
    )
    return AgentState(raw.id, raw.number, raw.logged, raw.paused, clean_name(raw.paused_reason), queues)


def login(line_id: str) -> RestRequest:
    return RestRequest("POST", f"{ME}/login", body={"line_id": int(line_id) if line_id.isdecimal() else line_id})


def logout() -> RestRequest:
    return RestRequest("POST", f"{ME}/logoff")


def pause(reason: str) -> RestRequest:
    return RestRequest("POST", f"{ME}/pause", body={"reason": reason})


def resume() -> RestRequest:
    return RestRequest("POST", f"{ME}/unpause")


def queue(queue_id: str, *, join: bool) -> RestRequest:
    return RestRequest("PUT", path(f"{ME}/queues", queue_id, "login" if join else "logoff"))


def get_agent(agent_id: str) -> RestRequest:
    return RestRequest("GET", path(f"{AGENTD}/agents/by-id", agent_id))


def by_number(number: str, command: str, body: dict[str, Any] | None = None) -> RestRequest:
    """Older form. *command*: login (with context and extension), logoff, pause (with reason) or unpause."""
    return RestRequest("POST", path(f"{AGENTD}/agents/by-number", number, command), body=body)
