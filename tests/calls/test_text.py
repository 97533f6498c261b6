from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from app.calls.text import clean_message, clean_name


@given(st.text())
def test_names_are_one_short_line(text: str) -> None:
    name = clean_name(text)
    assert len(name) <= 100 and "\n" not in name and name == name.strip()
    assert clean_name(name) == name
    name.encode()


@given(st.text())
def test_messages_keep_their_lines(text: str) -> None:
    message = clean_message(text)
    message.encode()
    assert clean_message(message) == message


def test_harmful_characters_go_and_emoji_stay() -> None:
    assert clean_name("Anna\u202egnp.exe\x1b[31m") == "Annagnp.exe[31m"
    assert clean_message("a\r\nb\tc\u2066d") == "a\nb\tcd"
    family = "👩\u200d👩\u200d👧"
    assert clean_name(family) == family


def test_a_huge_text_costs_little() -> None:
    started = time.perf_counter()
    clean_name("\u202e" * 50_000_000)
    clean_message("x" * 50_000_000)
    assert time.perf_counter() - started < 1.0
