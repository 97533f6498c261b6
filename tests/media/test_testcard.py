"""The test card moves, tells the time and can be told from others."""

from __future__ import annotations

import numpy as np
import pytest

from app.media import stamp
from app.media.testcard import TestCard


def planes(card: TestCard, now: float) -> np.ndarray:
    return card.draw(now).to_ndarray()


def test_numbers_count_up_and_the_time_is_the_given_one() -> None:
    card = TestCard(640, 360, stamp.source_id("bot1-v0"))
    read = [stamp.read(card.draw(1_000 + index)) for index in range(3)]
    assert read == [stamp.Stamp(stamp.source_id("bot1-v0"), index, 1_000 + index) for index in range(3)]


def test_it_moves_everywhere_the_eye_looks() -> None:
    card = TestCard(320, 180)
    first, later = planes(card, 0), planes(card, 700)
    assert (first[:100] != later[:100]).any(), "the ball"
    assert (first[110:150] != later[110:150]).any(), "the clock"


def test_cards_of_different_sources_look_different() -> None:
    first, second = planes(TestCard(320, 180, 1), 0), planes(TestCard(320, 180, 2), 0)
    assert (first[:90] != second[:90]).mean() > 0.3


@pytest.mark.parametrize("size", [(16, 16), (161, 91), (1920, 1080), (64, 480)])
def test_any_size(size: tuple[int, int]) -> None:
    frame = TestCard(*size).draw(12_345)
    assert (frame.width, frame.height) == (size[0] & ~1, size[1] & ~1)


def test_too_small_is_refused() -> None:
    with pytest.raises(ValueError):
        TestCard(8, 8)
