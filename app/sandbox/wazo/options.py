"""What a sandbox stack is like: everything an operator of a real one would configure."""

from __future__ import annotations

from dataclasses import dataclass, field

LINE_CODECS = "!all,opus,g722,alaw,ulaw,vp9,vp8,h264"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    username: str
    password: str = field(repr=False)
    firstname: str
    lastname: str
    exten: str
    subscription_type: int = 2
    webrtc: bool = True
    backend: str = "wazo_user"
    """``wazo_user``, ``ldap_user`` or ``saml``."""
    domain: str = ""
    admin: bool = False
    agent: bool = False
    switchboard: bool = False
    voicemail: bool = True


DEFAULT_ACCOUNTS = (
    Account("alice", "alicepw", "Alice", "Archer", "1001", agent=True, switchboard=True),
    Account("bob", "bobpw", "Bob", "Baker", "1002"),
    Account("carol", "carolpw", "Carol", "Clark", "1003", voicemail=False),
    Account("dave", "davepw", "Dave", "Desk", "1004", webrtc=False),
    Account("erin", "erinpw", "Erin", "Entry", "1005", subscription_type=0),
    Account("lena", "lenapw", "Lena", "Ldap", "1006", backend="ldap_user", domain="ldap.example"),
    Account("sam", "sampw", "Sam", "Saml", "1007", backend="saml", domain="saml.example"),
    Account("admin", "adminpw", "Ada", "Admin", "1009", admin=True),
)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Settings of one stack."""

    tls: bool = True
    """HTTPS and WSS with a fresh self-signed certificate; plain http and ws otherwise."""
    accounts: tuple[Account, ...] = DEFAULT_ACCOUNTS
    people: int = 500
    """Entries of the company directory, beside the accounts."""
    call_log: int = 300
    version: str = "26.08"
    seed: int = 1
    bots: int = 2
    """Synthetic members of every room."""
    quiet_bots: bool = False
    """Bots in rooms neither talk nor chat nor come and go (they still send pictures)."""
    colleague_after_s: float = 0.0
    """The colleague writes to and then calls whoever registers so many seconds later; 0 only when told to."""
    max_expires: int = 3600
    min_expires: int = 60
    default_expires: int = 120
    max_contacts: int = 10
    qualify_s: float = 60.0
    keep_alive_s: float = 90.0
    """Interval of the blank frames on SIP connections."""
    session_expires: int = 300
    min_se: int = 90
    digest_algorithms: tuple[str, ...] = ("MD5",)
    allow: str = LINE_CODECS
    """Codecs of WebRTC lines, as in ``endpoint_section_options``."""
    video_rooms: bool = True
    """Off: ConfBridge without ``video_mode=sfu``, and lines that take one video stream."""
    announce_call_id: bool = True
    """``X-Wazo-Call-ID`` in INVITE and its responses, as from 26.08 on."""
    ring_s: float = 30.0
    """How long a phone rings before the call goes to voicemail or 480."""
    expire_soon_s: float = 60.0
    """``auth_session_expire_soon`` is published when a token has less left than this."""
    old_calld: bool = False
    """calld is known by its former name, ctid-ng, only."""
    token_expiration: int = 7200
    """Seconds, when the client names none."""
