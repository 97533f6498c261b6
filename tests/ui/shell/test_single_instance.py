"""A second start hands its text to the first."""

from __future__ import annotations

import asyncio
import sys
import uuid

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.shell.helpers import settle
from ui.single_instance import MAX_LINE_BYTES, SingleInstance, decode, encode, hand_over, server_name

HAND_OVER = (
    "import sys; from ui.single_instance import hand_over; sys.exit(0 if hand_over(sys.argv[1], sys.argv[2]) else 1)"
)
WAIT_S = 20.0


async def test_text_of_a_second_process_arrives(english: object) -> None:
    name = f"parley-test-{uuid.uuid4().hex[:12]}"
    first = SingleInstance(name)
    got: list[str] = []
    first.opened.connect(got.append)
    assert first.listen()
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HAND_OVER, "https://meet.example.org/Räum", name
    )
    async with asyncio.timeout(WAIT_S):
        while second.returncode is None or not got:
            await settle(1)
    first.close()
    assert second.returncode == 0 and got == ["https://meet.example.org/Räum"]


def test_nobody_takes_it_when_nothing_runs(english: object) -> None:
    assert not hand_over("x", f"parley-test-{uuid.uuid4().hex[:12]}")


def test_names_differ_by_profile() -> None:
    assert server_name("") == server_name("") != server_name("/other")


@given(st.text(max_size=300))
def test_any_text_survives_the_line(text: str) -> None:
    assert decode(encode(text).rstrip(b"\n")) == text


@given(st.binary(max_size=300))
def test_foreign_lines_are_ignored(line: bytes) -> None:
    decode(line)
    assert decode(b'{"version": 2, "open": "x"}') is None
    assert decode(b"x" * (MAX_LINE_BYTES + 1)) is None
