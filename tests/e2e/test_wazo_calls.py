"""Phone calls and conferences of an account on a Wazo stack, seen at the stack and by the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.calls import accounts as acc
from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.accounts import AccountNotice, Registration
from app.calls.model import CallPhase
from app.sandbox.wazo import WazoSandbox
from app.sandbox.wazo.legs import Leg
from app.vendors.wazo import phone_link
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_call import Someone, connected
from tests.e2e.wazo_desk import Office

ALICE_HZ = 700.0
AUDIBLE = 1000.0
"""Amplitude of a tone that certainly is there (of 32767)."""


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox() as running:
        yield running


async def sound_of(leg: Leg, hz: float, there: bool = True) -> None:
    """The stack hears a tone from this client now, or no longer does."""
    leg.media.heard.clear()
    await eventually(lambda: len(leg.media.heard.samples()) > 9600 or not there)
    await eventually(lambda: (leg.media.heard.tone_power(hz) > AUDIBLE) is there)


# ---------------------------------------------------------------- conference of calls


@pytest.mark.covers(
    "wazo:param.adhoc.startConference.host", "wazo:param.adhoc.startConference.otherCalls", "wazo:adhoc.addParticipant",
    "wazo:param.adhoc.addParticipant.participant", "wazo:adhoc.removeParticipant", "wazo:phone.addToConference",
    "wazo:param.adhoc.removeParticipant.callSession", "wazo:phone.removeFromConference", "wazo:webrtc.addToMerge",
    "wazo:webrtc.removeFromMerge", "wazo:phone.muteConference", "wazo:phone.unmuteConference",
    "wazo:phone.holdConference", "wazo:phone.resumeConference",
)  # fmt: skip
async def test_a_conference_grows_is_muted_held_and_shrinks(box: WazoSandbox) -> None:
    async with (
        Someone(box, "alice", options={"tone_hz": ALICE_HZ}) as alice,
        Someone(box, "bob") as bob,
        Someone(box, "carol") as carol,
        Someone(box, "admin") as admin,
    ):
        host, theirs = await connected(alice, bob, "1002")
        await host.do(ph.SetHold(True))
        second, third = await connected(alice, carol, "1003")
        await host.do(ph.MergeCalls((second.call_id,)))
        (key,) = box.calls.rooms.adhoc
        mix = box.calls.rooms.adhoc[key]
        assert key == host.phone.conference_id and mix.host is box.legs("alice")[0]
        (bob_leg,), (carol_leg,) = box.legs("bob"), box.legs("carol")
        await eventually(lambda: set(mix.members) == {mix.host, bob_leg, carol_leg})

        await host.do(ph.SetHold(True))
        third_call, fourth = await connected(alice, admin, "1009")
        await host.do(ph.MergeCalls((third_call.call_id,)))
        (admin_leg,) = box.legs("admin")
        await eventually(lambda: admin_leg in mix.members)
        assert set(host.state.participants) >= {bob_leg.id, carol_leg.id, admin_leg.id}
        await asyncio.gather(host.hears(), theirs.hears(), third.hears(), fourth.hears())

        await host.do(ac.SetMicrophone(True))
        await eventually(lambda: mix.host.muted)
        await sound_of(mix.host, ALICE_HZ, False)
        await host.do(ac.SetMicrophone(False))
        await eventually(lambda: not mix.host.muted)
        await sound_of(mix.host, ALICE_HZ)
        await host.do(ph.SetHold(True))
        assert mix.host.held and host.phone.held
        await theirs.hears()  # the others go on
        await host.do(ph.SetHold(False))
        assert not mix.host.held and not host.phone.held
        await host.hears()

        await host.do(ac.Kick(carol_leg.id))
        await host.event(ev.ParticipantLeft, lambda e: e.participant_id == carol_leg.id)
        assert carol_leg not in mix.members and bob_leg in mix.members and admin_leg in mix.members
        await asyncio.gather(theirs.hears(), fourth.hears())


# ---------------------------------------------------------------- the phone and its socket


@pytest.mark.covers(
    "wazo:webrtc.new", "wazo:phone.new", "wazo:option.webrtc.host", "wazo:option.webrtc.port", "wazo:webrtc.close",
    "wazo:option.webrtc.userAgentString", "wazo:phone.stop", "wazo:webrtc.on", "wazo:event.webrtc.transport.closed",
    "wazo:event.webrtc.transport.transportError", "wazo:event.webrtc.transportCreated",
)  # fmt: skip
async def test_the_phone_opens_is_cut_off_refused_comes_back_and_stops(box: WazoSandbox) -> None:
    async with Someone(box, "alice", options={"userAgentString": "Desk 7"}) as alice:
        assert alice.state.registration is Registration.REGISTERED and str(box.port) in alice.request.server
        await alice.call("600")
        (leg,) = box.legs("alice")
        assert leg.headers.get("User-Agent") == "Desk 7"
        box.faults.refuse_sip_socket = 503
        box.drop_sip("alice")
        await alice.until(lambda s: s.registration is Registration.LOST)

        def lost() -> int:
            changes = [e for e in alice.events if isinstance(e, acc.RegistrationChanged)]
            return sum(change.registration is Registration.LOST for change in changes)

        await alice.wait_for(lambda: lost() >= 2)  # the break, and the refusal of another socket
        box.faults.refuse_sip_socket = 0
        await alice.until(lambda s: s.registration is Registration.REGISTERED)
        assert box.registered("alice") and box.sip.sockets
    assert not box.registered("alice") and not box.legs("alice")
    await eventually(lambda: not box.sip.sockets)


@pytest.mark.covers("wazo:phone.startHeartbeat", "wazo:event.webrtc.transport.keepAliveDebounceTimeout")
async def test_a_server_that_says_nothing_is_noticed(box: WazoSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_link, "WATCH_EVERY_S", 0.1)
    monkeypatch.setattr(phone_link, "SILENCE_S", 0.3)
    monkeypatch.setattr(phone_link, "PROBE_TIMEOUT_S", 1.0)
    async with Someone(box, "alice") as alice:
        await alice.until(lambda s: s.registration is Registration.REGISTERED)
        (peer,) = box.peers("alice")
        box.faults.silent_sip = True
        await alice.until(lambda s: s.registration is Registration.LOST)
        box.faults.silent_sip = False
        await alice.until(lambda s: s.registration is Registration.REGISTERED)
        assert box.registered("alice") and peer.socket not in box.sip.sockets


# ---------------------------------------------------------------- several calls, counted


@pytest.mark.covers("wazo:phone.callCount", "wazo:phone.hasAnActiveCall", "wazo:phone.currentSipSession")
async def test_calls_are_counted_as_the_server_has_them(box: WazoSandbox) -> None:
    async with Office(box) as office:
        await office.sign_in("alice")
        await office.until(lambda s: s.registration is Registration.REGISTERED)
        controller = office.controller
        assert controller.calls() == () and not box.legs("alice")

        async def joined(call_id: str) -> str:
            await office.wait_for(lambda: controller.state(call_id).phase is CallPhase.JOINED)
            return call_id

        first = await joined(await controller.dial(office.id, "600"))
        assert controller.calls() == (first,)
        second = await joined(await controller.dial(office.id, "608"))
        assert set(controller.calls()) == {first, second} and len(box.legs("alice")) == 2
        phones = {one: controller.state(one).phone for one in (first, second)}
        by_id = {leg.id: leg for leg in box.legs("alice")}
        await office.wait_for(
            lambda: all((info := controller.state(one).phone) and info.server_call_id in by_id for one in phones)
        )
        current = [one for one in controller.calls() if not controller.state(one).phone.held]  # type: ignore[union-attr]
        assert current == [second]
        assert not by_id[controller.state(second).phone.server_call_id].held  # type: ignore[union-attr]
        for count, call_id in ((1, second), (0, first)):
            await controller.perform(call_id, ac.Leave())
            await office.wait_for(lambda: len(controller.calls()) == count)  # noqa: B023
            await eventually(lambda: len(box.legs("alice")) == count)  # noqa: B023


# ---------------------------------------------------------------- outside of calls

REFER = (
    "REFER {target} SIP/2.0\r\nVia: SIP/2.0/WSS 127.0.0.1;branch=z9hG4bK{tag}\r\nMax-Forwards: 70\r\n"
    "From: <sip:board@127.0.0.1>;tag={tag}\r\nTo: <{target}>\r\nCall-ID: {tag}\r\nCSeq: 1 REFER\r\n"
    "Contact: <sip:board@127.0.0.1>\r\nRefer-To: <sip:1003@127.0.0.1>\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.covers("wazo:webrtc.message")
async def test_a_message_without_a_call(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        await alice.account.send_text("1002", "Coffee?")
        (message,) = box.calls.out_of_dialog
        assert (message.method, message.body) == ("MESSAGE", "Coffee?")


@pytest.mark.covers("wazo:event.webrtc.outOfDialogReferRequested", "wazo:event.webrtc.transport.message")
async def test_a_server_may_ask_for_a_call_but_not_make_one(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        (peer,) = box.peers("alice")
        (contact,) = box.contacts("alice")
        peer.socket.write(REFER.format(target=contact, tag="outside1"))
        notice = await alice.event(AccountNotice, lambda e: e.code == "refer_requested")
        assert "1003" in notice.message
        await eventually(lambda: any(way == "<" and "Call-ID: outside1" in text for way, text in peer.socket.frames))
        answer = next(text for way, text in peer.socket.frames if way == "<" and "Call-ID: outside1" in text)
        assert answer.startswith("SIP/2.0 603") and not box.legs("alice")
