"""Links in plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.panels.linkify import MAX_LINKS, find_links, is_web_link


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/a?b=c#d.", ["https://example.org/a?b=c#d"]),
        ("(https://example.org/x_(y))", ["https://example.org/x_(y)"]),
        ("http://a.example, HTTPS://b.example!", ["http://a.example", "HTTPS://b.example"]),
        ("javascript:alert(1) file:///etc/passwd ftp://x.example", []),
        ("https://", []),
        ("https://user:pw@example.org/", []),
        ("<a href='https://example.org'>x</a>", ["https://example.org"]),
        ("https://good.example/\u202emoc.live", ["https://good.example/"]),
    ],
)
def test_links(text: str, urls: list[str]) -> None:
    assert [link.url for link in find_links(text)] == urls


def test_links_are_bounded() -> None:
    assert len(find_links("https://a.example " * 500)) == MAX_LINKS
    assert find_links("https://a.example/" + "x" * 100_000) == ()


@given(st.text(max_size=400), st.sampled_from(["", "https://", "http://a.b/", "https://[", "https://x.y/("]))
def test_any_text_gives_ordered_web_links_inside_the_text(text: str, middle: str) -> None:
    whole = text + middle + text
    end = 0
    for link in find_links(whole):
        assert link.start >= end
        assert whole[link.start : link.start + link.length] == link.url
        assert is_web_link(link.url)
        end = link.start + link.length
