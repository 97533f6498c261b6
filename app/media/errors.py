"""Errors of the media engine."""

from __future__ import annotations

MAX_ORIGINAL = 300
"""Characters kept of a foreign error's words."""


class MediaError(Exception):
    """Base of all errors that the engine raises on purpose."""


class InvalidState(MediaError):
    """The call was made at a time when it cannot be carried out (closed transport, channel not open)."""


class DeviceError(MediaError):
    """A device could not be used.

    ``code``: not_found, permission_denied, busy, unsupported_resolution, constraint_failed, cancelled or general
    (the seed's track errors, ``../coverage`` ids ``error.track.*``). ``what``: microphone, camera, screen, speaker.
    """

    def __init__(self, what: str, code: str, device: str, message: str) -> None:
        super().__init__(message)
        self.what = what
        self.code = code
        self.device = device

    @property
    def original(self) -> str:
        """The error of the system or of a library behind this one, in its own words; empty when there is none."""
        cause = self.__cause__
        return f"{type(cause).__name__}: {cause}"[:MAX_ORIGINAL] if cause is not None else ""
