from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vendors.jitsi.address import backend_safe_room, recognise, split_meeting_url


@pytest.mark.parametrize(
    ("text", "url", "room"),
    [
        ("https://meet.example.org/Team42", "https://meet.example.org/Team42", "team42"),
        ("meet.example.org/Team42", "https://meet.example.org/Team42", "team42"),
        ("meet.example.org:8443/a", "https://meet.example.org:8443/a", "a"),
        ("jitsi-meet://meet.example.org/a", "https://meet.example.org/a", "a"),
        ("  https://meet.example.org/ My Room ", "https://meet.example.org/MyRoom", "myroom"),
        ("https://user:pw@meet.example.org/a", "https://meet.example.org/a", "a"),
        ("https://meet.example.org/acme/a?lang=fr", "https://meet.example.org/acme/a", "a"),
        ("https://meet.example.org/Caf%C3%A9", "https://meet.example.org/Caf%C3%A9", "caf%c3%a9"),
        ("https://meet.example.org/Café", "https://meet.example.org/Caf%C3%A9", "caf%c3%a9"),
        ("http://127.0.0.1:8000/demo", "http://127.0.0.1:8000/demo", "demo"),
        ("https://[::1]:8443/x", "https://[::1]:8443/x", "x"),
        ("team42", "https://meet.jit.si/team42", "team42"),
        ("https://meet.example.org/(a)!b", "https://meet.example.org/ab", "ab"),
    ],
)
def test_what_people_type(text: str, url: str, room: str) -> None:
    address = recognise(text)
    assert address is not None
    assert (address.url, address.room, address.vendor) == (url, room, "jitsi")


@pytest.mark.parametrize(
    "text",
    ["", "   ", "https://meet.example.org", "https://meet.example.org/", "sip:a@b", "bob@example.org", "ftp://x/y",
     "mailto:a@b", "meet.example.org", "+15551234", "https://meet.example.org/static/close.html", "https:///x", "x" * 3000],  # noqa: E501
)  # fmt: skip
def test_what_is_no_meeting(text: str) -> None:
    assert recognise(text) is None


def test_token_is_used_but_not_kept() -> None:
    address = recognise("https://meet.example.org/a?jwt=top.secret.token")
    assert address is not None and address.token == "top.secret.token"
    assert "top.secret" not in repr(address)
    assert "top.secret" not in address.url + address.text + address.title + str(dict(address.extra))
    other = recognise("https://meet.example.org/a#jwt=second")
    assert other is not None and other.token == "second"


def test_tenant_release_and_overrides() -> None:
    address = recognise(
        "https://meet.example.org/acme/a?release=42#config.startWithAudioMuted=true&config.bosh=%22x%22"
    )
    assert address is not None
    assert (address.extra["tenant"], address.extra["release"]) == ("acme", "42")
    assert "startWithAudioMuted=true" in address.extra["overrides"]


def test_default_server_can_be_set() -> None:
    address = recognise("team", "https://video.example.org/acme/")
    assert address is not None and address.url == "https://video.example.org/acme/team"


def test_room_names_as_the_server_writes_them() -> None:
    assert backend_safe_room("ＡＢＣ") == "abc"
    assert backend_safe_room("%zz") == "%25zz"
    assert backend_safe_room("a b") == "a%20b"


@given(st.text(max_size=300))
def test_any_text_is_recognised_or_not(text: str) -> None:
    address = recognise(text)
    if address is not None:
        again = recognise(address.url)
        assert again is not None and again.room == address.room
    split_meeting_url(text)
