from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.calls import accounts as ac
from app.calls import actions as act
from app.calls import phone as ph
from app.calls.model import CallPhase, Failure
from app.calls.phone import Direction
from app.controller import phone as phone_module
from app.controller import ringing
from app.controller.api import JoinOptions
from app.vendors.base import ActionRefused
from tests.controller.desk import PhoneDesk
from tests.controller.fakes import FakePhoneSession, FakeSession

RING = ("ring", 0.8, "")
WAITING = ("call_waiting", ringing.WAITING_VOLUME, None)
RINGBACK = ("ringback", 1.0, None)


@pytest.fixture
async def desk() -> AsyncIterator[PhoneDesk]:
    desk = PhoneDesk()
    yield desk
    await desk.controller.close()


# ---------------------------------------------------------------- one call


async def test_dialling_gives_an_id_at_once_and_states_follow(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    call_id = await desk.controller.dial(account_id, " 0(1) 23-4 ", video=True)
    phone = desk.phone(call_id)
    assert (phone.direction, phone.account_id, phone.remote_number) == (Direction.OUTGOING, account_id, "01234")
    await desk.until(call_id, CallPhase.RINGING)
    request = desk.session.calls[0].request
    assert request is not None and (request.target, request.video, request.call_id) == ("01234", True, call_id)
    assert request.display_name == "Anna"
    await desk.wait(lambda: desk.engine.opened("microphone") and desk.engine.opened("camera"))
    desk.session.calls[0].answered()
    state = await desk.until(call_id, CallPhase.JOINED)
    assert state.phone is not None and state.phone.answered_at == 1_000
    assert state.phone.account_id == account_id  # also when the session does not say
    await desk.controller.perform(call_id, act.Leave())
    await desk.until(call_id, CallPhase.ENDED)
    await desk.wait(lambda: desk.engine.opened("microphone")[-1] is None)
    assert desk.session.calls[0].closed


async def test_nobody_is_called_without_an_account_and_it_says_so(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    await desk.controller.sign_out(account_id)
    call_id = await desk.controller.dial(account_id, "1001")
    state = await desk.until(call_id, CallPhase.FAILED)
    assert state.failure is not None and state.failure.message == "Sign in to this account first."
    await desk.sign_in()
    again = await desk.controller.retry(call_id)
    await desk.until(again, CallPhase.RINGING)
    empty = await desk.controller.dial(account_id, "  ")
    assert (await desk.until(empty, CallPhase.FAILED)).failure is not None


async def test_hanging_up_while_it_rings_at_the_other_side_ends_the_session(desk: PhoneDesk) -> None:
    call_id = await desk.controller.dial(await desk.sign_in(), "1001")
    await desk.until(call_id, CallPhase.RINGING)
    assert desk.engine.playing == [RINGBACK]
    await desk.controller.perform(call_id, act.Leave())
    assert desk.session.calls[0].closed and desk.engine.playing == []


async def test_early_media_replaces_our_ringback(desk: PhoneDesk) -> None:
    call_id = await desk.controller.dial(await desk.sign_in(), "1001")
    await desk.until(call_id, CallPhase.RINGING)
    desk.session.calls[0].change(early_media=True)
    assert desk.engine.playing == []


async def test_a_busy_line_is_heard_for_a_moment(desk: PhoneDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "END_TONE_S", 0.02)
    account_id = await desk.sign_in()
    call_id = await desk.controller.dial(account_id, "busy")
    await desk.until(call_id, CallPhase.FAILED)
    assert desk.engine.playing == [("busy", 1.0, None)]
    await desk.wait(lambda: not desk.engine.playing)
    await desk.until(await desk.controller.dial(account_id, "nobody"), CallPhase.FAILED)
    assert desk.engine.playing == [("congestion", 1.0, None)]


# ---------------------------------------------------------------- incoming


async def test_an_incoming_call_rings_on_its_device_until_it_is_answered(desk: PhoneDesk) -> None:
    await desk.sign_in()
    desk.controller.set_setting("devices.ringer", "spk-2")
    desk.controller.set_setting("phone.ring_volume", 30)
    desk.controller.set_setting("phone.ringtone", "ring_soft")
    call_id, session = await desk.ring()
    phone = desk.phone(call_id)
    assert (phone.direction, phone.remote_name, phone.ringing) == (Direction.INCOMING, "Amélie", True)
    assert desk.engine.playing == [("ring_soft", 0.3, "spk-2")]
    assert not desk.engine.opened("microphone")  # nobody listens before the call is answered
    await desk.controller.perform(call_id, ph.Answer(video=True))
    await desk.until(call_id, CallPhase.JOINED)
    assert session.performed == [ph.Answer(video=True)] and desk.engine.playing == []
    assert not desk.phone(call_id).ringing
    await desk.wait(lambda: desk.engine.opened("microphone") and desk.engine.opened("camera"))
    with pytest.raises(ActionRefused):
        await desk.controller.perform(call_id, ph.Answer())


async def test_ignoring_is_silent_and_the_caller_hears_no_difference(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    call_id, session = await desk.ring()
    await desk.controller.perform(call_id, ph.IgnoreCall())
    assert desk.engine.playing == [] and session.performed == []
    state = desk.controller.state(call_id)
    assert state.phase is CallPhase.INCOMING and state.phone is not None and not state.phone.ringing
    session.change(remote_name="Amélie L.")
    assert not desk.phone(call_id).ringing
    session.ended("cancelled")
    assert desk.controller.account(account_id).missed_calls == 1


async def test_declining_counts_as_seen(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    call_id, session = await desk.ring()
    await desk.controller.perform(call_id, ph.Decline(to_voicemail=True))
    assert session.performed == [ph.Decline(to_voicemail=True)]
    assert desk.controller.state(call_id).phase is CallPhase.ENDED
    assert desk.controller.account(account_id).missed_calls == 0 and desk.engine.playing == []


async def test_do_not_disturb_is_silent(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    desk.session.hooks.emit(ac.PresenceChanged(ac.Presence("u-anna", "available", do_not_disturb=True)))
    desk.controller.set_setting("phone.auto_answer", "always")
    call_id, session = await desk.ring("intercom")
    assert not desk.phone(call_id).ringing and desk.engine.sounds == []
    session.ended("cancelled")
    assert desk.controller.account(account_id).missed_calls == 1


@pytest.mark.parametrize(
    ("rule", "key", "answered"),
    [("asked", "intercom", True), ("asked", "key", False), ("never", "intercom", False), ("always", "key", True)],
)
async def test_answering_by_itself_follows_the_rule(
    desk: PhoneDesk, monkeypatch: pytest.MonkeyPatch, rule: str, key: str, answered: bool
) -> None:
    monkeypatch.setattr(phone_module, "AUTO_ANSWER_DELAY_S", 0.0)
    await desk.sign_in()
    desk.controller.set_setting("phone.auto_answer", rule)
    call_id, _ = await desk.ring(key)
    if answered:
        await desk.until(call_id, CallPhase.JOINED)
    else:
        await settle(desk)
        assert desk.controller.state(call_id).phase is CallPhase.INCOMING


async def test_a_call_does_not_answer_itself_over_another(desk: PhoneDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_module, "AUTO_ANSWER_DELAY_S", 0.0)
    first, _ = await desk.talk(await desk.sign_in())
    call_id, _ = await desk.ring("intercom")
    await settle(desk)
    assert desk.controller.state(call_id).phase is CallPhase.INCOMING and not desk.phone(first).held


async def settle(desk: PhoneDesk) -> None:
    """Until the controller's own tasks are done."""
    async with asyncio.timeout(5):
        while tasks := [task for task in desk.controller._tasks._tasks if not task.get_name().startswith("account")]:
            await asyncio.wait(tasks)


# ---------------------------------------------------------------- several


async def test_answering_holds_the_active_call_and_a_second_one_only_beeps(desk: PhoneDesk) -> None:
    first, first_session = await desk.talk(await desk.sign_in())
    second, session = await desk.ring()
    assert desk.engine.playing == [WAITING]
    await desk.controller.perform(second, ph.Answer())
    await desk.until(second, CallPhase.JOINED)
    assert desk.phone(first).held and not desk.phone(second).held
    # Held before answered: nobody hears both.
    assert first_session.performed == [ph.SetHold(True)] and session.performed == [ph.Answer()]
    assert desk.engine.playing == []


async def test_placing_a_call_holds_the_active_one_and_taking_back_swaps(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    first, _ = await desk.talk(account_id)
    second, _ = await desk.talk(account_id, "1002")
    assert desk.phone(first).held and not desk.phone(second).held
    await desk.controller.perform(first, ph.SetHold(False))
    assert not desk.phone(first).held and desk.phone(second).held
    await desk.controller.perform(first, ph.SetHold(True))
    assert desk.phone(first).held and desk.phone(second).held


async def test_calls_of_one_conference_are_not_held_for_each_other(desk: PhoneDesk) -> None:
    account_id = await desk.sign_in()
    first, first_session = await desk.talk(account_id)
    second, second_session = await desk.talk(account_id, "1002")
    first_session.change(held=True, conference_id="c")
    second_session.change(conference_id="c")
    await desk.controller.perform(first, ph.SetHold(False))
    assert not desk.phone(first).held and not desk.phone(second).held


async def test_a_call_that_cannot_be_held_does_not_keep_the_next_one_waiting(
    desk: PhoneDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_module, "HOLD_TIMEOUT_S", 0.02)
    first, session = await desk.talk(await desk.sign_in())
    session.refusals["SetHold"] = ActionRefused(Failure("x", "No."))
    second, _ = await desk.ring()
    await desk.controller.perform(second, ph.Answer())
    assert (await desk.until(second, CallPhase.JOINED)).phone is not None
    del session.refusals["SetHold"]
    monkeypatch.setattr(FakePhoneSession, "perform", hanging(session, FakePhoneSession.perform))
    third, _ = await desk.ring()
    await desk.controller.perform(third, ph.Answer())
    await desk.until(third, CallPhase.JOINED)


def hanging(which: FakePhoneSession, perform: object) -> object:
    async def wait(self: FakePhoneSession, action: object) -> None:
        if self is which:
            await asyncio.Event().wait()
        await perform(self, action)  # type: ignore[operator]

    return wait


async def test_meetings_and_phone_calls_make_room_for_each_other(desk: PhoneDesk) -> None:
    call, _ = await desk.talk(await desk.sign_in())
    address = desk.controller.recognise("team").address
    assert address is not None
    meeting = await desk.controller.join(address, JoinOptions("Me"))
    await desk.until(meeting, CallPhase.JOINED)
    await desk.wait(lambda: desk.phone(call).held)
    assert not desk.controller.state(meeting).local.microphone_muted
    await desk.controller.perform(call, ph.SetHold(False))
    assert desk.controller.state(meeting).local.microphone_muted and FakeSession.made[-1].performed


# ---------------------------------------------------------------- attended transfer


async def consulting(desk: PhoneDesk) -> tuple[str, FakePhoneSession, str, FakePhoneSession]:
    first, session = await desk.talk(await desk.sign_in())
    await desk.controller.perform(first, ph.TransferTo("1002", consult=True))
    consultation = desk.phone(first).transfer.consultation_call_id
    await desk.until(consultation, CallPhase.RINGING)
    return first, session, consultation, desk.session.calls[-1]


async def test_a_consultation_is_linked_and_completed_with_the_call_it_is_for(desk: PhoneDesk) -> None:
    first, session, consultation, other = await consulting(desk)
    await desk.wait(lambda: desk.phone(first).held)
    assert desk.phone(first).transfer == ph.Transfer("1002", "consulting", consultation)
    assert other.request is not None and other.request.replaces_call_id == first
    with pytest.raises(ActionRefused) as refused:
        await desk.controller.perform(first, ph.CompleteTransfer())
    assert refused.value.failure.code == "not_answered"
    other.answered()
    assert desk.phone(first).transfer.state == "answered"
    session.change(remote_name="New name")  # what the session tells does not undo the link
    assert desk.phone(first).transfer.state == "answered"
    await desk.controller.perform(consultation, ph.CompleteTransfer())  # on either of the two
    assert session.performed[-1] == ph.TransferTo("1002", call_id=consultation)
    assert desk.controller.state(first).phase is CallPhase.ENDED


async def test_cancelling_a_transfer_goes_back_to_the_first_call(desk: PhoneDesk) -> None:
    first, _, consultation, other = await consulting(desk)
    other.answered()
    await desk.controller.perform(first, ph.CancelTransfer())
    assert desk.controller.state(consultation).phase is CallPhase.ENDED
    assert desk.phone(first).transfer is None and not desk.phone(first).held


async def test_a_refused_transfer_keeps_both_calls(desk: PhoneDesk) -> None:
    first, session, consultation, other = await consulting(desk)
    other.answered()
    session.refusals["TransferTo"] = ActionRefused(Failure("refused", "The server refused the transfer."))
    with pytest.raises(ActionRefused):
        await desk.controller.perform(first, ph.CompleteTransfer())
    transfer = desk.phone(first).transfer
    assert (transfer.state, transfer.error) == ("answered", "The server refused the transfer.")
    assert set(desk.controller.calls()) == {first, consultation}


async def test_a_consultation_that_is_not_answered_fails_the_transfer_only(desk: PhoneDesk) -> None:
    first, _, _, other = await consulting(desk)
    other.ended("busy")
    transfer = desk.phone(first).transfer
    assert (transfer.state, transfer.error) == ("failed", "The other side did not answer.")
    await desk.controller.perform(first, ph.TransferTo("1003", consult=True))  # on to somebody else
    assert desk.phone(first).transfer.state == "consulting"


async def test_a_consultation_that_hangs_up_ends_the_transfer(desk: PhoneDesk) -> None:
    first, _, _, other = await consulting(desk)
    other.answered()
    other.ended()
    assert desk.phone(first).transfer is None
    with pytest.raises(ActionRefused):
        await desk.controller.perform(first, ph.TransferTo("", consult=True))


async def test_a_blind_transfer_is_the_session_s(desk: PhoneDesk) -> None:
    first, session = await desk.talk(await desk.sign_in())
    await desk.controller.perform(first, ph.TransferTo("1002"))
    assert session.performed == [ph.TransferTo("1002")]


async def test_calling_back_who_called(desk: PhoneDesk) -> None:
    await desk.sign_in()
    call_id, session = await desk.ring()
    session.ended("cancelled")
    again = await desk.controller.retry(call_id)
    assert desk.phone(again).remote_number == "1042" and desk.phone(again).direction is Direction.OUTGOING
