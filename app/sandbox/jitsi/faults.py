"""Switches that make the sandbox misbehave as real deployments do. Each is read when it matters; set it any time."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Passive faults. Actions (drop a socket, kick, kill the bridge) are methods of the sandbox."""

    refuse_resumption: bool = False
    refuse_websocket: int = 0
    """HTTP status that answers WebSocket upgrades, 0 for none."""
    refuse_login: str = ""
    """SASL condition that answers every authentication, e.g. ``not-authorized`` or ``temporary-auth-failure``."""
    mechanisms: tuple[str, ...] | None = None
    """SASL mechanisms offered instead of the real ones."""
    token_expired: bool = False
    focus_unavailable: bool = False
    not_ready: int = 0
    """How many conference requests are still answered with ``ready='false'``."""
    reservation_error: tuple[int, str] | None = None
    graceful_shutdown: bool = False
    session_invalid: int = 0
    """How many conference requests are still refused with ``session-invalid``."""
    members_only: bool = False
    bridge_not_available: bool = False
    room_creation_restricted: int = 0
    """How many joins are still refused with "Room creation is restricted"."""
    config_status: int = 200
    config_text: str | None = None
    delay_http_s: float = 0.0
    delay_stanzas_s: float = 0.0
    """Every stanza to a client is held back so long."""
    loss: float = 0.0
    """Fraction of media packets lost in each direction at the bridge."""
    delay_media_s: float = 0.0
    refuse_bridge_channel: bool = False
    refuse_chat: bool = False
    silent_pings: bool = False
    """XMPP pings get no answer."""
    rejected_joins: list[str] = field(default_factory=list)
    """Filled by the server: conditions with which joins were refused, newest last (at most 100)."""
