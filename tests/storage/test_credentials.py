from __future__ import annotations

import logging

import keyring.errors
import pytest

from app.storage.credentials import Credentials


class Store:
    def __init__(self, error: Exception | None = None) -> None:
        self.items: dict[tuple[str, str], str] = {}
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        if self.error:
            raise self.error
        return self.items.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.error:
            raise self.error
        self.items[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if (service, username) not in self.items:
            raise keyring.errors.PasswordDeleteError("no such password")
        del self.items[service, username]


async def test_secrets_go_to_the_store() -> None:
    store = Store()
    first = Credentials()
    await first.open(store)
    assert await first.set("jitsi:host:anna", "secret")
    second = Credentials()
    await second.open(store)
    assert await second.get("jitsi:host:anna") == "secret"
    await second.delete("jitsi:host:anna")
    await second.delete("jitsi:host:anna")
    assert store.items == {} and await second.get("jitsi:host:anna") is None


async def test_a_failing_store_leaves_the_session_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    credentials = Credentials()
    await credentials.open(Store(keyring.errors.KeyringLocked("secret is hidden")))
    with caplog.at_level(logging.WARNING):
        assert not await credentials.set("key", "secret")
    assert not credentials.persistent and "until you quit" in credentials.explanation
    assert await credentials.get("key") == "secret"
    assert "secret is" not in caplog.text


async def test_this_machine_says_where_passwords_go() -> None:
    credentials = Credentials()
    await credentials.open()
    assert credentials.explanation.endswith(".")
