from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calls import events as ev
from app.calls.model import Participant
from app.controller import avatars
from app.controller.avatars import Avatars, allowed, is_picture
from app.protocols.http import HttpResponse, NetworkFailure
from tests.controller.test_controller import Desk

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 20
SERVER = "meet.example.org"


@pytest.mark.parametrize(
    ("url", "own_only", "others"),
    [
        ("https://meet.example.org/a.png", True, True),
        ("https://cdn.MEET.example.org:8443/a.png", True, True),
        ("https://meet.example.org.evil.net/a.png", False, True),
        ("https://pictures.example.net/a.png", False, True),
        ("http://meet.example.org/a.png", False, False),
        ("https://user@meet.example.org/a.png", False, False),
        ("https://192.168.1.1/a.png", False, False),
        ("https://127.0.0.1/a.png", False, False),
        ("https://[::1]/a.png", False, False),
        ("https://localhost/a.png", False, False),
        ("https://printer.local/a.png", False, False),
        ("https:///a.png", False, False),
        ("https://example.net:99999/a.png", False, False),
        ("file:///etc/passwd", False, False),
        ("data:image/png;base64,AA", False, False),
        ("https://pictures.example.net/" + "a" * 3_000, False, False),
        ("", False, False),
    ],
)
def test_where_pictures_may_come_from(url: str, own_only: bool, others: bool) -> None:
    assert allowed(url, SERVER, True) is own_only
    assert allowed(url, SERVER, False) is others


@given(st.text(max_size=200), st.text(max_size=50), st.booleans())
def test_any_text_is_judged(url: str, server: str, own_only: bool) -> None:
    assert not allowed(url, server, own_only) or url.lower().lstrip().startswith("https")


@given(st.binary(max_size=40))
def test_any_bytes_are_judged(body: bytes) -> None:
    assert isinstance(is_picture(body), bool)


class Http:
    asked: list[tuple[str, dict[str, Any], tuple[str, ...]]] = []
    answer: HttpResponse | NetworkFailure = HttpResponse(200, "", {}, PNG)
    gate: asyncio.Event | None = None
    closed = 0

    def __init__(self, trusted: Iterable[str]) -> None:
        self.trusted = tuple(trusted)

    async def request(self, method: str, url: str, **options: Any) -> HttpResponse:
        Http.asked.append((url, options, self.trusted))
        if Http.gate is not None:
            await Http.gate.wait()
        if isinstance(Http.answer, NetworkFailure):
            raise Http.answer
        return Http.answer

    async def close(self) -> None:
        Http.closed += 1


@pytest.fixture(autouse=True)
def fresh() -> None:
    Http.asked, Http.answer, Http.gate, Http.closed = [], HttpResponse(200, "", {}, PNG), None, 0


async def test_a_picture_is_fetched_once_with_bounds_and_without_redirects() -> None:
    faces = Avatars(Http)
    assert await asyncio.gather(*(faces.fetch("https://a/1", ("f",)) for _ in range(3))) == [PNG] * 3
    ((url, options, trusted),) = Http.asked
    assert url == "https://a/1" and trusted == ("f",) and Http.closed == 1
    assert options["max_bytes"] == avatars.MAX_BYTES and options["follow_redirects"] is False
    await faces.close()


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(404, "", {}, PNG),
        HttpResponse(302, "", {"Location": "https://192.168.1.1"}, b""),
        HttpResponse(200, "", {}, b"<svg/>"),
        NetworkFailure("too_large"),
        NetworkFailure("tls"),
    ],
)
async def test_what_is_no_picture_is_refused_quietly_and_not_asked_again(answer: Any) -> None:
    Http.answer = answer
    faces = Avatars(Http)
    assert await faces.fetch("https://a/1") is None and await faces.fetch("https://a/1") is None
    assert len(Http.asked) == 1
    await faces.close()


async def test_memory_is_bounded_and_closing_ends_what_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "MAX_KEPT", 2)
    faces = Avatars(Http)
    for number in range(4):
        await faces.fetch(f"https://a/{number}")
    await faces.fetch("https://a/3")
    assert len(Http.asked) == 4 and len(faces._kept) == 2
    Http.gate = asyncio.Event()
    waiting = asyncio.create_task(faces.fetch("https://a/9"))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await faces.close()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_the_controller_asks_only_where_privacy_allows() -> None:
    desk = Desk()
    desk.controller._avatars = Avatars(Http)
    desk.store.set("general.default_server", "https://meet.example.org")
    call_id, session = await desk.joined()
    for name, url in (("own", f"https://{SERVER}/1"), ("other", "https://pictures.example.net/1"), ("none", "")):
        session.emit(ev.ParticipantJoined(Participant(name, name, avatar_url=url)))
    assert await desk.controller.avatar(call_id, "own") == PNG
    assert await desk.controller.avatar(call_id, "other") is None
    assert [url for url, _, _ in Http.asked] == [f"https://{SERVER}/1"]
    desk.controller.set_setting("privacy.no_third_party", False)
    assert await desk.controller.avatar(call_id, "other") == PNG
    for unknown in ("none", "nobody"):
        assert await desk.controller.avatar(call_id, unknown) is None
    assert await desk.controller.avatar("no call", "own") is None
    await desk.controller.close()
