"""A Wazo stack in one process: REST services, event socket, SIP registrar and call server with media, rooms, people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.sandbox.wazo.faults import Faults
    from app.sandbox.wazo.options import SandboxOptions
    from app.sandbox.wazo.server import ThreadedSandbox, WazoSandbox, serve

__all__ = ["Faults", "SandboxOptions", "ThreadedSandbox", "WazoSandbox", "serve"]


def __getattr__(name: str) -> Any:
    # aiohttp, aiortc and numpy are loaded only by those who run a sandbox.
    if name in ("WazoSandbox", "ThreadedSandbox", "serve"):
        from app.sandbox.wazo import server

        return getattr(server, name)
    if name == "Faults":
        from app.sandbox.wazo.faults import Faults

        return Faults
    if name == "SandboxOptions":
        from app.sandbox.wazo.options import SandboxOptions

        return SandboxOptions
    raise AttributeError(name)
