from __future__ import annotations

from dataclasses import replace

import pytest

from app.calls import selectors
from app.calls.model import CallPhase, CallState
from app.calls.phone import PhoneInfo


def call(call_id: str, phase: CallPhase = CallPhase.JOINED, **phone: object) -> CallState:
    return CallState(call_id, address="1042", phase=phase, phone=PhoneInfo(**phone))  # type: ignore[arg-type]


MEETING = CallState("m", phase=CallPhase.JOINED)


def test_who_is_active_held_and_ringing() -> None:
    talking, held = call("a"), call("b", held=True)
    ringing, dialling = call("c", CallPhase.INCOMING), call("d", CallPhase.RINGING)
    over = call("e", CallPhase.ENDED, held=True)
    calls = [talking, held, ringing, dialling, over, MEETING]
    assert selectors.active_call(calls) is talking
    assert selectors.active_call([held, dialling, ringing]) is dialling
    assert selectors.active_call([held, over, MEETING]) is None
    assert selectors.active_call([talking, call("f")]) == call("f")
    assert selectors.held_calls(calls) == (held,)
    assert selectors.incoming_calls(calls) == (ringing,)
    assert selectors.is_talking(MEETING) and not selectors.is_talking(held) and not selectors.is_talking(over)


def test_calls_of_one_conference() -> None:
    first, second, alone = call("a", conference_id="x"), call("b", conference_id="x"), call("c")
    assert selectors.merged_calls([first, second, alone], first) == (first, second)
    assert selectors.merged_calls([first, second, alone], alone) == ()
    assert selectors.merged_calls([MEETING], MEETING) == ()


def test_how_long_and_with_whom() -> None:
    answered = call("a", answered_at=1_000, remote_number="1001", remote_name="Anna")
    assert selectors.talk_ms(answered, 4_500) == 3_500 and selectors.talk_ms(answered, 0) == 0
    assert selectors.talk_ms(call("b"), 9) == 0
    assert selectors.talk_ms(replace(MEETING, joined_at=1_000), 3_000) == 2_000
    assert selectors.peer_name(answered) == "Anna"
    assert selectors.peer_name(call("b", remote_number="1001")) == "1001"
    assert selectors.peer_name(call("b")) == "1042"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0:00"),
        (-5, "0:00"),
        (61_999, "1:01"),
        (3_599_000, "59:59"),
        (3_600_000, "1:00:00"),
        (90_061_000, "25:01:01"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    assert selectors.duration_text(milliseconds) == text
