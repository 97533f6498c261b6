from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import logs

SECRET = "hunter2abc"


@pytest.mark.parametrize(
    "line",
    [
        f'{{"password": "{SECRET}", "x": 1}}',
        f"{{'room_password': '{SECRET}'}}",
        f"https://host/room?jwt={SECRET}&x=1",
        f"Authorization: Bearer {SECRET}",
        f"a=ice-pwd:{SECRET}",
        f"<transport ufrag='abc' pwd='{SECRET}'/>",
        f'<transport ufrag="abc" pwd="{SECRET}"/>',
        f"<message><body>{SECRET}</body></message>",
        f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{SECRET}</auth>",
        f"<x xmlns='http://jabber.org/protocol/muc'><password>{SECRET}</password></x>",
        f"<field var='muc#roomconfig_roomsecret'><value>{SECRET}</value></field>",
        f"wss://anna:{SECRET}@host/xmpp-websocket",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + SECRET,
        f"credential={SECRET}",
    ],
)
def test_secrets_are_removed(line: str) -> None:
    assert SECRET not in logs.redact(line)
    assert logs.redact(logs.redact(line)) == logs.redact(line)


def test_the_rest_stays() -> None:
    line = "joined room team42 at meet.example.org as a1b2c3d4 in 812 ms"
    assert logs.redact(line) == line


@given(st.text(max_size=2000))
def test_any_text_can_be_redacted(text: str) -> None:
    assert len(logs.redact(text)) <= 2 * logs.MAX_RECORD


@pytest.mark.logs_errors
def test_the_file_is_private_and_holds_no_secret(tmp_path: Path) -> None:
    path = logs.set_up(tmp_path / "logs", "DEBUG", console=False)
    assert path is not None
    try:
        try:
            raise ValueError(f"password={SECRET}")
        except ValueError:
            logging.getLogger("app.test").exception("joining with {'token': '%s'}", SECRET)
        logging.getLogger("app.test").debug("plain words")
        logging.getLogger("other.library").info("chatter")
        text = path.read_text()
        assert SECRET not in text and "plain words" in text and "chatter" not in text
        assert path.stat().st_mode & 0o077 == 0
        logs.set_level("ERROR")
        logging.getLogger("app.test").warning("quiet")
        assert "quiet" not in path.read_text()
    finally:
        for handler in tuple(logging.getLogger().handlers):
            if getattr(handler, "parley", False):
                logging.getLogger().removeHandler(handler)
                handler.close()
        for part in ("app", "ui"):
            logging.getLogger(part).setLevel(logging.NOTSET)
