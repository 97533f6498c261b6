"""A Jitsi deployment in one process: configuration, XMPP server, focus, forwarding bridge, synthetic participants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.sandbox.jitsi.faults import Faults
    from app.sandbox.jitsi.options import SandboxOptions
    from app.sandbox.jitsi.server import JitsiSandbox, ThreadedSandbox, serve

__all__ = ["Faults", "JitsiSandbox", "SandboxOptions", "ThreadedSandbox", "serve"]


def __getattr__(name: str) -> Any:
    # aiohttp, aiortc and numpy are loaded only by those who run a sandbox.
    if name in ("JitsiSandbox", "ThreadedSandbox", "serve"):
        from app.sandbox.jitsi import server

        return getattr(server, name)
    if name == "Faults":
        from app.sandbox.jitsi.faults import Faults

        return Faults
    if name == "SandboxOptions":
        from app.sandbox.jitsi.options import SandboxOptions

        return SandboxOptions
    raise AttributeError(name)
