"""Jingle (XEP-0166, 0167, 0176, 0293, 0294, 0320, 0338, 0339, 0343) with Jitsi's additions; read and build, no I/O."""

from app.protocols.jingle.build import build_jingle
from app.protocols.jingle.model import (
    BridgeSession,
    Content,
    IceTransport,
    Jingle,
    JingleSource,
    Reason,
    RtpDescription,
    SourceGroup,
    SourceSet,
)
from app.protocols.jingle.parse import parse_jingle
from app.protocols.jingle.sources import parse_json_sources, to_json_sources

__all__ = [
    "BridgeSession",
    "Content",
    "IceTransport",
    "Jingle",
    "JingleSource",
    "Reason",
    "RtpDescription",
    "SourceGroup",
    "SourceSet",
    "build_jingle",
    "parse_jingle",
    "parse_json_sources",
    "to_json_sources",
]
