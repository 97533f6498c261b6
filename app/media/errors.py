"""Errors of the media engine."""

from __future__ import annotations


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
