"""Several calls of one phone through the controller: transfer, incoming calls, swapping, lists; seen at the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from app.calls import accounts as ac
from app.calls import actions as act
from app.calls import phone as ph
from app.calls.accounts import Registration
from app.calls.model import CallPhase, CallState
from app.controller.account_lists import CachedLists
from app.controller.controller import Controller
from app.controller.devices import Inputs
from app.media.api import AudioInput, AudioOutput, VideoInput
from app.sandbox.wazo import WazoSandbox
from app.storage.account_cache import AccountCache
from app.storage.history import History
from app.storage.settings_file import SettingsStore

WAIT_S = 30.0
"""A loaded machine may take ten times what anything here takes."""
POLL_S = 0.05
ECHO, TONE, RINGS, BUSY = "600", "608", "605", "602"


class Phone:
    """Alice's phone, and the phone system that it is at."""

    def __init__(self, sandbox: WazoSandbox) -> None:
        self.sandbox = sandbox
        store = SettingsStore(None)
        store.override({"network.trusted_certificates": (f"127.0.0.1 {sandbox.fingerprint}",)})
        inputs = Inputs(AudioInput("test"), VideoInput("test"), AudioOutput("null"))
        self.controller = Controller(store, History(None), inputs=inputs, lists=CachedLists(AccountCache()))
        self.account_id = ""
        self.lists: list[str] = []
        self.controller.subscribe_accounts(
            lambda _, event: self.lists.append(event.what) if isinstance(event, ac.ListChanged) else None
        )

    async def until(self, what: str, condition: Callable[[], object]) -> None:
        # What the server knows has no event here.
        for _ in range(round(WAIT_S / POLL_S)):
            if condition():
                return
            await asyncio.sleep(POLL_S)
        pytest.fail(f"did not happen: {what}")

    async def sign_in(self) -> None:
        self.account_id = await self.controller.sign_in(
            "wazo", self.sandbox.host, "alice", "alicepw", stay_signed_in=False
        )
        await self.until("registered", lambda: self.account().registration is Registration.REGISTERED)

    def account(self) -> ac.AccountState:
        return self.controller.account(self.account_id)

    def state(self, call_id: str) -> CallState:
        return self.controller.state(call_id)

    def info(self, call_id: str) -> ph.PhoneInfo:
        phone = self.state(call_id).phone
        assert phone is not None
        return phone

    async def phase(self, call_id: str, *phases: CallPhase) -> None:
        await self.until(f"{call_id} is {phases}", lambda: self.state(call_id).phase in phases)

    async def call(self, number: str) -> str:
        call_id = await self.controller.dial(self.account_id, number)
        await self.phase(call_id, CallPhase.JOINED)
        return call_id

    def legs(self) -> int:
        return len(self.sandbox.legs("alice"))


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    async with WazoSandbox() as sandbox:
        phone = Phone(sandbox)
        await phone.sign_in()
        yield phone
        await phone.controller.close()
        assert not sandbox.registered("alice")  # nothing is left behind at the server


@pytest.mark.covers(
    "wazo:webrtc.atxfer", "wazo:atxfer.init", "wazo:atxfer.newSession", "wazo:atxfer.complete",
    "wazo:phone.indirectTransfer", "wazo:param.phone.indirectTransfer.target", "wazo:webrtc.waitForRegister",
    "wazo:phone.isRegistered",
)  # fmt: skip
async def test_asking_first_then_handing_over(phone: Phone) -> None:
    first = await phone.call(ECHO)
    await phone.controller.perform(first, ph.TransferTo(TONE, consult=True))
    transfer = phone.info(first).transfer
    assert transfer is not None
    second = transfer.consultation_call_id
    await phone.phase(second, CallPhase.JOINED)
    assert phone.info(first).held and phone.legs() == 2
    await phone.controller.perform(second, ph.CompleteTransfer())
    for call_id in (first, second):
        await phone.phase(call_id, CallPhase.ENDED)
    await phone.until("alice is out of both calls", lambda: phone.legs() == 0)


@pytest.mark.covers("wazo:atxfer.cancel")
async def test_going_back_to_the_first_call(phone: Phone) -> None:
    first = await phone.call(ECHO)
    await phone.controller.perform(first, ph.TransferTo(RINGS, consult=True))
    transfer = phone.info(first).transfer
    assert transfer is not None
    await phone.phase(transfer.consultation_call_id, CallPhase.RINGING)
    await phone.controller.perform(first, ph.CancelTransfer())
    await phone.until("only the first call is there", lambda: phone.legs() == 1)
    assert not phone.info(first).held and phone.info(first).transfer is None
    await phone.controller.perform(first, ph.TransferTo(BUSY, consult=True))
    await phone.until("busy", lambda: (phone.info(first).transfer or ph.Transfer("", "")).state == "failed")
    assert phone.state(first).phase is CallPhase.JOINED


@pytest.mark.covers("wazo:webrtc.unhold", "wazo:phone.resume", "wazo:phone.unhold", "wazo:type.CallSession")
async def test_two_calls_are_swapped_and_the_server_knows(phone: Phone) -> None:
    first, second = await phone.call(ECHO), await phone.call(TONE)
    await phone.until("the first is held", lambda: phone.info(first).held)

    def held() -> list[bool]:
        return [leg.held for leg in phone.sandbox.legs("alice")]

    await phone.until("held at the server", lambda: held() == [True, False])
    await phone.controller.perform(first, ph.SetHold(False))
    await phone.until("swapped at the server", lambda: held() == [False, True])
    assert not phone.info(first).held and phone.info(second).held


@pytest.mark.covers("wazo:webrtc.answer", "wazo:phone.accept", "wazo:webrtc.hangup", "wazo:phone.hangup")
async def test_a_colleague_calls_and_the_active_call_is_held(phone: Phone) -> None:
    first = await phone.call(ECHO)
    phone.sandbox.colleague.call(phone.sandbox.user("alice"))
    await phone.until("it rings", lambda: any(phone.state(one).phase is CallPhase.INCOMING for one in ids(phone)))
    second = next(one for one in ids(phone) if phone.state(one).phase is CallPhase.INCOMING)
    assert phone.info(second).ringing and phone.info(second).remote_name == phone.sandbox.colleague.name
    await phone.controller.perform(second, ph.Answer())
    await phone.phase(second, CallPhase.JOINED)
    assert phone.info(first).held and phone.legs() == 2
    await phone.controller.perform(second, act.Leave())
    await phone.until("hung up at the server", lambda: phone.legs() == 1)


@pytest.mark.covers("wazo:webrtc.reject", "wazo:phone.reject")
async def test_declined_and_missed_calls(phone: Phone) -> None:
    for action in (ph.Decline(), None):
        ringing = phone.sandbox.colleague.call(phone.sandbox.user("alice"), timeout_s=1.0 if action is None else WAIT_S)
        assert ringing is not None
        await phone.until("it rings", lambda: any(phone.state(one).phase is CallPhase.INCOMING for one in ids(phone)))
        call_id = next(one for one in ids(phone) if phone.state(one).phase is CallPhase.INCOMING)
        if action is not None:
            await phone.controller.perform(call_id, action)
        await phone.phase(call_id, CallPhase.ENDED, CallPhase.FAILED)
        await phone.until("gone at the server", lambda: phone.legs() == 0)
    assert phone.account().missed_calls == 1


def ids(phone: Phone) -> tuple[str, ...]:
    return phone.controller.calls()


@pytest.mark.covers("wazo:rest.callLogd.listCallLogs")
async def test_contacts_and_calls_are_read_whole_and_searched_here(phone: Phone) -> None:
    await phone.until("read", lambda: phone.lists.count("contacts") >= 2 and phone.lists.count("call_log") >= 2)
    asked = len(phone.sandbox.requests())
    found = await phone.controller.find(phone.account_id, ac.FindContacts(limit=20))
    assert found.total is not None and found.total >= phone.sandbox.options.people and len(found.items) == 20
    calls = await phone.controller.find(phone.account_id, ac.FindCalls(offset=290, limit=50))
    assert calls.total == phone.sandbox.options.call_log and len(calls.items) == 10
    assert not [one for one in phone.sandbox.requests()[asked:] if "dird" in one.path or "call-logd" in one.path]
