"""Passwords and tokens: in the system's own store, or for this run only, and it says which."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)

SERVICE = "Parley"
STORE_TIMEOUT_S = 20.0
"""The system may ask the person to unlock its store; after this we go on without it."""


class Keyring(Protocol):
    """The part of the package ``keyring`` that is used."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def system_keyring() -> tuple[Keyring | None, str]:
    """The system's store, or ``None`` and one sentence that says why not. May take a second: call in a thread."""
    import keyring
    import keyring.backends.fail
    import keyring.backends.null
    import keyring.errors

    try:
        backend = keyring.get_keyring()
    except (keyring.errors.KeyringError, OSError, RuntimeError) as error:
        return None, f"The system's password store cannot be used ({error}); passwords are kept until you quit."
    if isinstance(backend, (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)):
        return None, "This system has no password store; passwords are kept until you quit."
    if "plaintext" in type(backend).__module__.lower() or "Plaintext" in type(backend).__name__:
        return None, "The password store of this system does not encrypt; passwords are kept until you quit."
    return backend, f"Passwords are kept in {getattr(backend, 'name', type(backend).__name__)}."


class Credentials:
    """Secrets by key (for example ``jitsi:meet.example.org:anna``). ``persistent`` and ``explanation`` are true
    after :meth:`open`. Without a store, or when it fails, secrets live in memory until the program ends."""

    def __init__(self) -> None:
        self._keyring: Keyring | None = None
        self._session: dict[str, str] = {}
        self.explanation = "Passwords are kept until you quit."

    @property
    def persistent(self) -> bool:
        return self._keyring is not None

    async def open(self, keyring: Keyring | None = None) -> None:
        """Find the system's store (or use *keyring*)."""
        if keyring is not None:
            self._keyring, self.explanation = keyring, "Passwords are kept in the given store."
            return
        try:
            self._keyring, self.explanation = await asyncio.wait_for(asyncio.to_thread(system_keyring), STORE_TIMEOUT_S)
        except TimeoutError:
            self.explanation = "The system's password store does not answer; passwords are kept until you quit."

    async def get(self, key: str) -> str | None:
        if key in self._session:
            return self._session[key]
        return await self._call("get_password", key)

    async def set(self, key: str, secret: str) -> bool:
        """Keep *secret*; false when only until the program ends."""
        self._session[key] = secret
        await self._call("set_password", key, secret)
        return self.persistent

    async def delete(self, key: str) -> None:
        self._session.pop(key, None)
        await self._call("delete_password", key)

    async def _call(self, method: str, key: str, *more: str) -> str | None:
        if self._keyring is None:
            return None
        import keyring.errors

        function = getattr(self._keyring, method)
        try:
            answer: str | None = await asyncio.wait_for(
                asyncio.to_thread(function, SERVICE, key, *more), STORE_TIMEOUT_S
            )
            return answer
        except keyring.errors.PasswordDeleteError:
            return None
        except (keyring.errors.KeyringError, OSError, TimeoutError) as error:
            # Only the kind of error: some stores put the secret's name or more into the text.
            log.warning("the password store failed: %s", type(error).__name__)
            self._keyring = None
            self.explanation = "The system's password store failed; passwords are kept until you quit."
            return None
