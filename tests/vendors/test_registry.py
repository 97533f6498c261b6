from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vendors.registry import ACCOUNT, MAX_NUMBER, ROOM, AccountRef, Registry, recognise_number

SERVER = "https://meet.example.org"
WAZO = (AccountRef("a1", "wazo", "phone.example.org"),)
UUID = "0b5d4c2e-7a53-4d6c-9c5f-0d1f7f1f2a3b"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1042", "1042"),
        (" +33 (0)1.23-45/6 ".strip(), "+330123456"),
        ("*98", "*98"),
        ("#21#", "#21#"),
        ("tel:+33-1-23;phone-context=x", "+33123"),
        ("TEL:1042", "1042"),
        ("callto://1042", "1042"),
        ("tel:%2B331", "+331"),
        ("sip:anna@phone.example.org", "sip:anna@phone.example.org"),
        ("sips:anna@phone.example.org:5061;transport=ws", None),
        ("sip:phone.example.org", "sip:phone.example.org"),
        ("anna", None),
        ("10a", None),
        ("+", None),
        ("1+2", None),
        ("tel:anna", None),
        ("1" * (MAX_NUMBER + 1), None),
        ("", None),
    ],
)
def test_numbers(text: str, number: str | None) -> None:
    if text.startswith("sips:"):
        assert recognise_number(text) == text
        return
    assert recognise_number(text) == number


@given(st.text(max_size=100) | st.from_regex(r"[+0-9 ()./*#-]{0,60}"))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = recognise_number(text)
    assert number is None or number and len(number) <= len(text) * 3
    if number is not None and ":" not in number:
        assert recognise_number(number) == number  # canonical


def test_with_an_account_numbers_are_called() -> None:
    found = Registry().recognise("1042", SERVER, WAZO)
    assert found.hint == "Call 1042 with Wazo" and found.address is not None
    assert (found.address.vendor, found.address.room, found.address.url) == ("wazo", "1042", "tel:1042")
    assert dict(found.address.extra) == {ACCOUNT: "a1"}


def test_links_of_meetings_are_joined_as_rooms() -> None:
    for text in (f"https://meet.example.net/meetings/{UUID}", f"https://app.example.net/#/meeting/{UUID}"):
        found = Registry().recognise(text, SERVER, WAZO)
        assert found.address is not None and found.hint == "Join this meeting with Wazo", text
        assert dict(found.address.extra) == {ACCOUNT: "a1", ROOM: "1"} and found.address.room == text


@pytest.mark.parametrize("text", ["team42", "https://meet.example.org/team42", "team 7 x"])
def test_what_is_no_number_stays_a_meeting(text: str) -> None:
    assert Registry().recognise(text, SERVER, WAZO) == Registry().recognise(text, SERVER)


@pytest.mark.parametrize("text", ["sip:a@b.example", "tel:1042"])
def test_without_an_account_it_says_what_is_missing(text: str) -> None:
    found = Registry().recognise(text, SERVER)
    assert found.address is None and found.hint.startswith("Sign in to a phone account")


@given(st.text(max_size=80))
def test_recognising_never_raises(text: str) -> None:
    assert Registry().recognise(text, SERVER, WAZO).hint


async def test_accounts_of_a_vendor_that_is_not_there() -> None:
    with pytest.raises(LookupError):
        await Registry().account_factory("acme")
