"""Switches that make the sandbox misbehave as real stacks do. Each is read when it matters; set it any time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class HttpFault:
    """What happens to requests whose path contains ``path`` (and whose method is ``method``, if given)."""

    path: str
    status: int = 500
    """0 keeps the true answer (for delays and losses)."""
    method: str = ""
    count: int = -1
    """How many requests it still meets; -1 for all."""
    delay_s: float = 0.0
    lose: bool = False
    """The request is carried out, its response is lost: the connection breaks."""
    body: object = None
    """JSON instead of the service's own error shape."""


@dataclass(slots=True)
class Faults:
    """Passive faults. Actions (drop a socket, expire a token) are methods of the sandbox."""

    http: list[HttpFault] = field(default_factory=list)
    delay_http_s: float = 0.0
    delay_sip_s: float = 0.0
    """Every SIP frame to clients is held back so long."""
    refuse_websocket: int = 0
    """HTTP status that answers upgrades of the event socket, 0 for none."""
    refuse_sip_socket: int = 0
    lose_sip: list[str] = field(default_factory=list)
    """Beginnings of SIP frames to clients that are lost, each once, e.g. ``SIP/2.0 200``."""
    reject_register: int = 0
    """SIP status that answers every REGISTER with credentials."""
    reject_invite: int = 0
    glare: int = 0
    """How many re-INVITEs are still answered 491."""
    silent_sip: bool = False
    """Nothing at all is said on SIP connections, as with a dead path."""
    silent_events: bool = False
    """Events are not delivered."""
    media_loss: float = 0.0
    """Fraction of media packets lost in each direction."""
    media_delay_s: float = 0.0
    media_blackhole: bool = False

    def fail(self, path: str, status: int = 500, **settings: object) -> HttpFault:
        """Add an :class:`HttpFault`; remove it with ``faults.http.remove``."""
        fault = HttpFault(path, status, **settings)  # type: ignore[arg-type]
        self.http.append(fault)
        return fault

    def match(self, method: str, path: str) -> HttpFault | None:
        for fault in self.http:
            if fault.path in path and fault.method in ("", method) and fault.count != 0:
                if fault.count > 0:
                    fault.count -= 1
                return fault
        return None
