"""What a sandbox deployment is like: everything an operator of a real one would configure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.jitsi.sasl import TokenPolicy


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Settings of one deployment. The XMPP domain differs from the host on purpose, as in docker installations:
    a client that guesses instead of reading ``config.js`` fails here as it would there."""

    bots: int = 3
    quiet_bots: bool = False
    """Bots keep still: no turns at speaking, no chat, no coming and going (they still send pictures)."""
    seed: int = 1
    domain: str = "meet.sandbox"
    websocket: bool = True
    bosh: bool = True
    tls: bool = False
    """Serve HTTPS and WSS with a fresh self-signed certificate, which a careful client refuses."""
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    secure_domain: bool = False
    """Only people with an account may open rooms; others are guests on ``guest.<domain>``."""
    login_required: bool = False
    """The main domain offers no ANONYMOUS: everybody needs an account."""
    token: TokenPolicy | None = None
    resumption: bool = True
    hibernate_s: float = 60.0
    ping_clients_s: float = 0.0
    """Interval of server pings to clients, 0 for none."""
    bridge_channels: tuple[str, ...] = ("sctp", "websocket")
    ssrc_rewriting: bool = True
    json_sources: bool = True
    min_participants: int = 2
    single_participant_timeout_s: float = 20.0
    disco_timeout_s: float = 5.0
    inactive_after_s: float = 8.0
    """Silence of a member's transport after which the others are told that it is interrupted."""
    auto_owner: bool = True
    max_occupants: int | None = None
    display_name_required: bool = False
    history_length: int = 50
    room_metadata: bool = True
    speaker_stats: bool = True
    ice_servers: tuple[Mapping[str, str], ...] = ()
    """Attributes of the ``<service>`` elements of XEP-0215."""
    http_conference_request: bool = False
    """Announce ``conferenceRequestUrl`` (the path is always served)."""
    max_sources: int = 20
    config: Mapping[str, Any] = field(default_factory=dict)
    """Merged over the generated ``config.js``."""

    @property
    def muc(self) -> str:
        return f"muc.{self.domain}"

    @property
    def focus(self) -> str:
        return f"focus.{self.domain}"

    @property
    def focus_user(self) -> str:
        return f"focus@auth.{self.domain}"

    @property
    def guest_domain(self) -> str:
        return f"guest.{self.domain}"

    @property
    def hidden_domain(self) -> str:
        return f"recorder.{self.domain}"
