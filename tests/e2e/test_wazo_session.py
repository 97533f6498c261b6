"""Parley accounts on a Wazo sandbox: what one does, the server or the other one sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from app.calls import accounts as acc
from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.calls.accounts import AccountPhase, Registration
from app.calls.model import CallPhase, CallState, MediaKind, SourceContent
from app.sandbox.wazo import WazoSandbox
from app.vendors.base import ActionRefused, JoinFailed, SignInFailed
from tests.e2e.jitsi_call import eventually
from tests.e2e.wazo_call import Someone, connected


@pytest.fixture
async def box() -> AsyncIterator[WazoSandbox]:
    async with WazoSandbox() as running:
        yield running


# ---------------------------------------------------------------- signing in


@pytest.mark.covers(
    "wazo:auth.logIn", "wazo:param.auth.logIn.username", "wazo:param.auth.logIn.password", "wazo:rest.auth.logIn",
    "wazo:webrtc.waitForRegister", "wazo:event.webrtc.registered", "wazo:phone.isRegistered", "wazo:phone.register",
    "wazo:rest.confd.getUser", "wazo:rest.confd.getUserLineSip", "wazo:ws.connect", "wazo:type.Session",
    "wazo:phone.unregister", "wazo:event.webrtc.unregistered", "wazo:auth.setHost",
)  # fmt: skip
async def test_signing_in_registers_and_closing_unregisters(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        state = await alice.until(lambda s: s.registration is Registration.REGISTERED)
        assert state.phase is AccountPhase.SIGNED_IN and state.display_name == "Alice Archer"
        assert state.lines[0].number == "1001" and acc.Service.CALLS in state.services
        assert box.registered("alice") and alice.secrets["refresh_token"]
        await alice.until(lambda s: s.voicemail_new and s.agent and s.presence.state == "available")
        assert alice.account.events_live
    assert not box.registered("alice")


@pytest.mark.covers("wazo:auth.logout", "wazo:rest.auth.logOut")
async def test_signing_out_drops_the_tokens(box: WazoSandbox) -> None:
    alice = Someone(box, "alice")
    async with alice:
        assert box.state.tokens and box.state.refresh_tokens
        await alice.account.sign_out()
        assert alice.secrets["refresh_token"] == "" and alice.state.phase is AccountPhase.SIGNED_OUT
        assert not box.state.tokens and not box.state.refresh_tokens and not box.registered("alice")


async def failed(someone: Someone) -> str:
    with pytest.raises(SignInFailed) as caught:
        await someone.account.sign_in()
    assert someone.state.phase is AccountPhase.FAILED and someone.state.failure == caught.value.failure
    await someone.account.close()
    await someone.engine.close()
    return caught.value.failure.code


async def test_why_signing_in_fails(box: WazoSandbox) -> None:
    assert await failed(Someone(box, "alice", password="wrong")) == "wrong_password"
    assert await failed(Someone(box, "alice", trusted_certificates=())) == "tls"
    assert await failed(Someone(box, "alice", server="127.0.0.1:1")) == "tcp"
    assert await failed(Someone(box, "alice", server="no such host")) == "bad_address"
    assert await failed(Someone(box, "alice", backend="ldap_user")) == "domain_needed"
    box.faults.fail("auth/0.1/token", 503)
    assert await failed(Someone(box, "alice")) == "service_down"


@pytest.mark.covers(
    "wazo:option.auth.init.minSubscriptionType", "wazo:option.auth.init.authorizationName", "wazo:auth.init",
)  # fmt: skip
async def test_those_without_the_right_are_told_and_their_tokens_dropped(box: WazoSandbox) -> None:
    assert await failed(Someone(box, "erin", options={"minSubscriptionType": 0})) == "subscription"
    assert await failed(Someone(box, "alice", options={"authorizationName": "portal"})) == "authorization"
    assert not box.state.tokens and not box.state.refresh_tokens


@pytest.mark.covers("wazo:option.rest.auth.logIn.backend")
async def test_ldap_users_sign_in_with_their_domain(box: WazoSandbox) -> None:
    async with Someone(box, "lena", domain="ldap.example") as lena:
        assert lena.state.phase is AccountPhase.SIGNED_IN


async def test_an_account_without_a_line_for_us_still_works_otherwise(box: WazoSandbox) -> None:
    async with Someone(box, "dave") as dave:
        assert dave.state.phase is AccountPhase.SIGNED_IN and dave.state.registration is Registration.NONE
        assert dave.state.registration_failure and dave.state.registration_failure.code == "no_webrtc_line"
        page = await dave.account.find(acc.FindContacts("alice"))
        assert page.items[0].name == "Alice Archer"
        with pytest.raises(JoinFailed) as caught:
            await dave.call("600")
        assert caught.value.failure.code == "no_webrtc_line"


@pytest.mark.covers(
    "wazo:auth.validateToken", "wazo:param.auth.validateToken.refreshToken", "wazo:auth.setOnRefreshToken",
    "wazo:api.setRefreshToken", "wazo:option.auth.init.clientId",
)  # fmt: skip
async def test_the_next_start_needs_no_password(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        token = alice.secrets["refresh_token"]
    async with Someone(box, "alice", password=None, refresh_token=token) as again:
        assert again.state.phase is AccountPhase.SIGNED_IN


@pytest.mark.covers("wazo:api.setOnRefreshToken", "wazo:ws.updateToken", "wazo:api.setToken")
async def test_an_expired_token_is_renewed_once_for_all_who_wait(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        await eventually(lambda: alice.account.events_live)
        before = len(box.requests("auth/0.1/token", "POST"))
        box.expire_tokens("alice")
        pages = await asyncio.gather(*(alice.account.find(acc.FindCalls(limit=1)) for _ in range(5)))
        assert all(page.items for page in pages)
        assert len(box.requests("auth/0.1/token", "POST")) == before + 1
        await eventually(lambda: alice.account.events_live)


@pytest.mark.covers("wazo:event.ws.AUTH_SESSION_EXPIRE_SOON")
async def test_a_token_that_ends_soon_is_renewed_before(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        await eventually(lambda: alice.account.events_live)
        session = alice.account.client.session
        box.shorten_tokens("alice", 30)
        await eventually(lambda: alice.account.client.session is not session)


async def test_a_revoked_account_must_sign_in_again(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        box.revoke("alice")
        with pytest.raises(ActionRefused) as caught:
            await alice.account.find(acc.FindCalls())
        assert caught.value.failure.code == "token_revoked"
        await alice.until(lambda s: s.phase is AccountPhase.EXPIRED)
        assert alice.secrets["refresh_token"] == ""


@pytest.mark.covers(
    "wazo:event.webrtc.transport.disconnected", "wazo:event.webrtc.transport.connected", "wazo:option.ws.reconnection"
)
async def test_registration_is_true_through_a_server_restart(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        await alice.until(lambda s: s.registration is Registration.REGISTERED)
        await box.restart()
        await alice.until(lambda s: s.registration is Registration.LOST)
        await alice.until(lambda s: s.registration is Registration.REGISTERED)
        assert box.registered("alice")
        await eventually(lambda: alice.account.events_live)


@pytest.mark.covers("wazo:event.webrtc.registrationFailed")
async def test_a_refused_line_is_shown(box: WazoSandbox) -> None:
    box.faults.reject_register = 403
    async with Someone(box, "alice") as alice:
        assert alice.state.registration is Registration.REFUSED
        assert alice.state.registration_failure and alice.state.registration_failure.code == "registration_refused"


# ---------------------------------------------------------------- calls


@pytest.mark.covers(
    "wazo:webrtc.call", "wazo:webrtc.answer", "wazo:webrtc.hangup", "wazo:phone.makeCall", "wazo:phone.accept",
    "wazo:phone.hangup", "wazo:event.webrtc.invite", "wazo:event.webrtc.inviteSent", "wazo:type.SipSession",
    "wazo:type.CallSession", "wazo:param.phone.makeCall.number", "wazo:option.webrtc.displayName",
    "wazo:option.webrtc.media.audio", "wazo:feature.Voice",
)  # fmt: skip
async def test_two_people_talk(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours = alice.dial("1002")
        theirs = await bob.rings()
        assert theirs.phone.remote_number == "1001" and theirs.phone.remote_name == "Alice Archer"
        assert theirs.state.phase is CallPhase.INCOMING and not theirs.phone.offers_video
        await ours.until(lambda s: s.phase is CallPhase.RINGING)
        await theirs.do(ph.Answer())
        await ours.until(lambda s: s.phase is CallPhase.JOINED)
        await asyncio.gather(ours.hears(), theirs.hears())
        assert ours.phone.remote_name == "Bob Baker" and ours.phone.server_call_id
        await theirs.do(ac.Leave())
        assert (await ours.until(lambda s: s.phase is CallPhase.ENDED)).phone.cause == "normal"
        await theirs.until(lambda s: s.phase is CallPhase.ENDED)


@pytest.mark.parametrize(
    ("number", "code", "cause"),
    [
        ("602", "busy", "busy"),
        ("603", "declined", "declined"),
        ("606", "unavailable", "unavailable"),
        ("607", "no_codec", "no_codec"),
        ("99887", "number_not_found", "not_found"),
    ],
)
async def test_why_a_call_fails(box: WazoSandbox, number: str, code: str, cause: str) -> None:
    async with Someone(box, "alice") as alice:
        call = alice.dial(number)
        state = await call.until(lambda s: s.phase is CallPhase.FAILED)
        assert state.failure and state.failure.code == code and state.phone and state.phone.cause == cause


@pytest.mark.covers("wazo:webrtc.reject", "wazo:phone.reject")
async def test_declining_and_cancelling(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours = alice.dial("1002")
        theirs = await bob.rings()
        await theirs.do(ph.Decline())
        await ours.until(lambda s: s.phase is CallPhase.FAILED)
        assert (await theirs.until(lambda s: s.phase is CallPhase.ENDED)).phone.cause == "declined"
        ours = alice.dial("1002")
        theirs = await bob.rings()
        await ours.until(lambda s: s.phase is CallPhase.RINGING)
        await ours.do(ac.Leave())
        assert (await ours.until(lambda s: s.phase is CallPhase.ENDED)).phone.cause == "cancelled"
        assert (await theirs.until(lambda s: s.phase is CallPhase.ENDED)).phone.cause == "cancelled"


async def test_another_phone_of_ours_answers(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as desk, Someone(box, "bob") as laptop:
        ours = alice.dial("1002")
        first, second = await desk.rings(), await laptop.rings()
        await first.do(ph.Answer())
        await ours.until(lambda s: s.phase is CallPhase.JOINED)
        state = await second.until(lambda s: s.phase is CallPhase.ENDED)
        assert state.phone and state.phone.answered_elsewhere and state.phone.cause == "elsewhere"


async def test_early_media_is_heard_before_the_answer(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        call = alice.dial("601")
        state = await call.until(lambda s: s.phone and s.phone.early_media)
        assert state.phase is CallPhase.RINGING
        await call.until(lambda s: s.phase is CallPhase.JOINED)
        await call.hears()


@pytest.mark.covers(
    "wazo:webrtc.hold", "wazo:webrtc.unhold", "wazo:phone.hold", "wazo:phone.resume", "wazo:phone.unhold",
    "wazo:webrtc.mute", "wazo:webrtc.unmute", "wazo:phone.mute", "wazo:phone.unmute",
)  # fmt: skip
async def test_hold_and_mute_are_what_the_server_has(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, theirs = await connected(alice, bob, "1002")
        (leg,) = box.legs("alice")
        await ours.do(ac.SetMicrophone(True))
        await eventually(lambda: leg.muted)
        await ours.do(ph.SetHold(True))
        assert ours.phone.held and leg.held
        await theirs.hears()  # music
        await ours.do(ph.SetHold(False))
        assert not leg.held and not ours.phone.held and ours.state.local.microphone_muted
        await ours.do(ac.SetMicrophone(False))
        await eventually(lambda: not leg.muted)
        await asyncio.gather(ours.hears(), theirs.hears())


async def test_a_glare_is_solved_by_itself(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        call = await alice.call("600")
        box.faults.glare = 1
        await call.do(ph.SetHold(True))
        (leg,) = box.legs("alice")
        assert leg.held and call.phone.held


@pytest.mark.covers("wazo:webrtc.sendDTMF", "wazo:phone.sendKey")
async def test_tones_reach_the_menu(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        call = await alice.call("609")
        (leg,) = box.legs("alice")
        await eventually(lambda: leg.media.connected)
        await call.do(ac.SendDtmf("12#", 100, 60))
        await eventually(lambda: getattr(leg.bridge, "digits", "") == "12#")
        with pytest.raises(ActionRefused):
            await call.do(ac.SendDtmf("x"))
        await call.hears()  # read back


@pytest.mark.covers(
    "wazo:phone.turnCameraOff", "wazo:phone.turnCameraOn", "wazo:param.phone.accept.cameraEnabled",
    "wazo:param.phone.makeCall.enableVideo", "wazo:event.webrtc.invite.hasVideo", "wazo:option.webrtc.media.video",
    "wazo:feature.Video", "wazo:phone.startScreenSharing", "wazo:phone.stopScreenSharing",
)  # fmt: skip
async def test_video_from_the_start_camera_and_screen(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, theirs = await connected(alice, bob, "1002", video=True)
        assert theirs.phone.offers_video

        def pictures(call: object) -> bool:
            state = call.state  # type: ignore[attr-defined]
            return any(s.kind is MediaKind.VIDEO and s.receiving for s in state.sources.values())

        await asyncio.gather(ours.until(lambda _s: pictures(ours)), theirs.until(lambda _s: pictures(theirs)))
        await ours.do(ac.SetCamera(True))
        assert ours.state.local.camera_muted and ours.phone.video
        await ours.do(ac.SetCamera(False))
        await ours.do(ac.ShareScreen("test"))
        assert ours.state.local.sharing_screen
        await ours.do(ac.ShareScreen(None))
        assert not ours.state.local.sharing_screen and not ours.state.local.camera_muted


async def test_upgrade_and_downgrade(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, theirs = await connected(alice, bob, "1002")
        assert not ours.phone.video
        await ours.do(ph.SetVideo(True))
        assert ours.phone.video
        await theirs.until(lambda s: any(x.kind is MediaKind.VIDEO and x.receiving for x in s.sources.values()))
        await ours.do(ph.SetVideo(False))
        assert not ours.phone.video and ours.state.local.camera_muted
        await asyncio.gather(ours.hears(), theirs.hears())


@pytest.mark.covers("wazo:phone.sendMessage", "wazo:param.phone.sendMessage.body", "wazo:event.webrtc.message")
async def test_chat_and_signals_in_a_call(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, theirs = await connected(alice, bob, "1002")
        await ours.do(ac.SendMessage("hello"))
        message = (await theirs.event(ev.MessageReceived)).message
        assert message.text == "hello" and message.sender_name == "Alice Archer"
        await theirs.do(ph.SendSignal({"x": 1}))
        assert (await ours.event(ev.EndpointMessageReceived)).payload["x"] == 1


@pytest.mark.covers("wazo:webrtc.transfer", "wazo:phone.transfer", "wazo:param.phone.transfer.target")
async def test_blind_transfer(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob, Someone(box, "carol") as carol:
        ours, theirs = await connected(alice, bob, "1002")
        transfer = asyncio.ensure_future(ours.do(ph.TransferTo("1003")))
        third = await carol.rings()
        await third.do(ph.Answer())
        await transfer
        await ours.until(lambda s: s.phase is CallPhase.ENDED)
        await asyncio.gather(theirs.hears(), third.hears())


async def test_a_transfer_to_nobody_is_told(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, _theirs = await connected(alice, bob, "1002")
        with pytest.raises(ActionRefused) as caught:
            await ours.do(ph.TransferTo("99887"))
        assert caught.value.failure.code == "transfer_failed"


@pytest.mark.covers(
    "wazo:webrtc.atxfer",
    "wazo:atxfer.complete",
    "wazo:atxfer.init",
    "wazo:atxfer.newSession",
    "wazo:phone.indirectTransfer",
)
async def test_attended_transfer(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob, Someone(box, "carol") as carol:
        ours, theirs = await connected(alice, bob, "1002")
        await ours.do(ph.SetHold(True))
        consultation, third = await connected(alice, carol, "1003")
        await ours.do(ph.TransferTo("1003", call_id=consultation.call_id))
        await ours.until(lambda s: s.phase is CallPhase.ENDED)
        await consultation.until(lambda s: s.phase is CallPhase.ENDED)
        await asyncio.gather(theirs.hears(), third.hears())


@pytest.mark.covers(
    "wazo:adhoc.startConference", "wazo:phone.startConference", "wazo:type.AdHocAPIConference", "wazo:adhoc.hangup",
    "wazo:phone.hangupConference", "wazo:webrtc.merge",
)  # fmt: skip
async def test_merging_calls(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob, Someone(box, "carol") as carol:
        first, theirs = await connected(alice, bob, "1002")
        await first.do(ph.SetHold(True))
        second, third = await connected(alice, carol, "1003")
        await first.do(ph.MergeCalls((second.call_id,)))
        assert first.phone.conference_id and not first.phone.held
        await second.until(lambda s: s.phase is CallPhase.ENDED)
        await asyncio.gather(first.hears(), theirs.hears(), third.hears())
        await first.do(ac.EndForAll())
        await asyncio.gather(*(call.until(lambda s: s.phase is CallPhase.ENDED) for call in (theirs, third)))


async def test_a_dropped_socket_keeps_the_sound(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        ours, theirs = await connected(alice, bob, "1002")
        box.drop_sip("alice")
        await ours.until(lambda s: s.phase is CallPhase.RECONNECTING)
        await ours.until(lambda s: s.phase is CallPhase.JOINED)
        await asyncio.gather(ours.hears(), theirs.hears())
        await ours.do(ph.SetHold(True))
        assert ours.phone.held


async def test_recording_and_moving_a_call(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        call = await alice.call("600")
        (leg,) = box.legs("alice")
        for state in ("active", "paused", "active", "inactive"):
            await call.do(ph.SetRecording(state))
            await eventually(lambda: leg.record_state == state)  # noqa: B023
            assert call.phone.recording == state


# ---------------------------------------------------------------- rooms


def shows(state: CallState, participant_id: str, content: SourceContent) -> bool:
    videos = [s for s in state.sources.values() if s.kind is MediaKind.VIDEO and s.participant_id == participant_id]
    return any(s.content is content and s.receiving for s in videos)


@pytest.mark.covers(
    "wazo:room.connect", "wazo:option.room.connect.extension", "wazo:option.room.connect.video", "wazo:room.sendChat",
    "wazo:event.room.ON_CHAT", "wazo:event.room.CONFERENCE_USER_PARTICIPANT_JOINED", "wazo:room.participants",
    "wazo:event.room.CONFERENCE_USER_PARTICIPANT_LEFT", "wazo:room.disconnect", "wazo:participant.videoStreams",
    "wazo:event.participant.ON_STREAM_SUBSCRIBED", "wazo:room.mute", "wazo:event.participant.ON_AUDIO_MUTED",
    "wazo:participant.name", "wazo:participant.extra", "wazo:option.room.connect.extra", "wazo:type.RemoteParticipant",
    "wazo:rest.calld.getConferenceParticipantsAsUser", "wazo:event.room.ON_TALKING", "wazo:room.sendSignal",
    "wazo:room.startScreenSharing", "wazo:room.stopScreenSharing", "wazo:event.participant.ON_SCREENSHARING",
    "wazo:event.participant.ON_STOP_SCREENSHARING", "wazo:participant.screensharing",
)  # fmt: skip
async def test_three_in_a_room(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        first = await alice.call("700", video=True, room=True, options={"extra": {"color": "blue"}})
        second = await bob.call("700", video=True, room=True)
        state = await second.until(lambda s: any(p.name == "Alice Archer" for p in s.participants.values()))
        other = next(p.id for p in state.participants.values() if p.name == "Alice Archer")
        await second.until(
            lambda s: any(
                x.participant_id == other and x.kind is MediaKind.VIDEO and x.receiving for x in s.sources.values()
            )
        )
        await second.until(lambda s: s.participants[other].properties.get("color") == "blue")
        await second.event(ev.DominantSpeakerChanged)
        await first.do(ac.SendMessage("hi all"))
        message = await second.event(ev.MessageReceived, lambda e: e.message.text == "hi all")
        assert message.message.sender_name == "Alice Archer"
        await first.do(ac.SetMicrophone(True))
        await second.until(lambda s: s.sources[f"voice/{other}"].muted)
        await first.do(ph.SendSignal({"type": "custom", "n": 7}))
        await second.event(ev.EndpointMessageReceived, lambda e: e.payload.get("n") == 7)
        await first.do(ac.ShareScreen("test"))
        await second.until(lambda s: shows(s, other, SourceContent.SCREEN))
        await first.do(ac.ShareScreen(None))
        await second.until(lambda s: shows(s, other, SourceContent.CAMERA))
        await first.do(ac.RaiseHand(True))
        await second.until(lambda s: s.participants[other].raised_hand_at)
        assert first.session is not None
        await first.session.close()
        await second.until(lambda s: other not in s.participants)


# ---------------------------------------------------------------- around calls


@pytest.mark.covers(
    "wazo:rest.dird.search", "wazo:rest.dird.addContact", "wazo:rest.dird.editContact", "wazo:rest.dird.deleteContact",
    "wazo:rest.dird.listPersonalContacts", "wazo:rest.dird.listFavorites", "wazo:rest.dird.markAsFavorite",
    "wazo:rest.dird.removeFavorite",
)  # fmt: skip
async def test_contacts(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        account = alice.account
        (bob,) = (await account.find(acc.FindContacts("bob baker"))).items
        await account.perform(acc.SetFavourite(bob, True))
        assert [c.name for c in (await account.find(acc.FindContacts(favourites=True))).items] == ["Bob Baker"]
        await account.perform(acc.SetFavourite(bob, False))
        assert not (await account.find(acc.FindContacts(favourites=True))).items
        made = acc.Contact("", "personal", "Zoë Zander", (acc.PhoneNumber("555", "number"),), personal=True)
        saved = await account.perform(acc.SaveContact(made))
        assert saved.id and saved.name == "Zoë Zander"
        await account.perform(acc.SaveContact(replace(saved, email="zoe@example.org")))
        (found,) = (await account.find(acc.FindContacts(personal=True))).items
        assert found.email == "zoe@example.org" and found.numbers[0].number == "555"
        await account.perform(acc.DeleteContact(found))
        assert not (await account.find(acc.FindContacts(personal=True))).items
        card = "BEGIN:VCARD\nVERSION:4.0\nFN:Yan Yu\nTEL:777\nEND:VCARD\n"
        assert await account.perform(acc.ImportContacts(card)) == 1
        assert await account.perform(acc.ImportContacts("First name,Phone\nXi,888\n", "csv")) == 1
        assert len((await account.find(acc.FindContacts(personal=True))).items) == 2
        page = await account.find(acc.FindContacts(offset=500, limit=50))
        assert page.total and page.total > 500 and page.items


@pytest.mark.covers(
    "wazo:rest.callLogd.search", "wazo:rest.callLogd.listCallLogs", "wazo:rest.callLogd.listCallLogsFromDate",
    "wazo:rest.calld.listVoicemails", "wazo:rest.calld.deleteVoicemail",
)  # fmt: skip
async def test_call_log_and_voicemail(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        account = alice.account
        page = await account.find(acc.FindCalls(limit=10))
        assert len(page.items) == 10 and page.total == 300
        later = await account.find(acc.FindCalls(since=page.items[4].started_at, limit=50))
        assert 0 < len(later.items) <= 5
        missed = await account.find(acc.FindCalls(status="missed", limit=5))
        assert len(missed.items) == 5 and {entry.status for entry in missed.items} == {"missed"}
        recorded = next(entry for entry in page.items if entry.recordings)
        sound = await account.find(acc.FetchAudio("recording", recorded.id, recorded.recordings[0]))
        assert sound.items[0][:4] == b"RIFF"
        voicemails = await account.find(acc.FindVoicemails())
        fresh = next(message for message in voicemails.items if message.folder == "new")
        assert (await account.find(acc.FetchAudio("voicemail", fresh.id))).items[0][:4] == b"RIFF"
        before = (await alice.until(lambda s: s.voicemail_new)).voicemail_new
        await account.perform(acc.MoveVoicemail(fresh.id, "old"))
        await alice.until(lambda s: s.voicemail_new == before - 1)
        await account.perform(acc.DeleteVoicemail(fresh.id))
        assert len((await account.find(acc.FindVoicemails())).items) == len(voicemails.items) - 1


@pytest.mark.covers(
    "wazo:event.ws.chat", "wazo:event.ws.presence", "wazo:event.ws.USERS_SERVICES_DND_UPDATED",
    "wazo:event.ws.USERS_SERVICES_DND_UPDATED.enabled", "wazo:feature.Chat", "wazo:feature.Status",
)  # fmt: skip
async def test_chat_and_presence(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        await eventually(lambda: alice.account.events_live and bob.account.events_live)
        room = await alice.account.perform(acc.OpenChatRoom((bob.state.user_id,)))
        await alice.account.perform(acc.SendChatMessage(room.id, "hello bob"))
        await bob.until(lambda s: s.chat_unread == 1)
        (seen,) = (await bob.account.find(acc.FindChatRooms())).items
        assert seen.last_text == "hello bob" and seen.unread == 1
        (message,) = (await bob.account.find(acc.FindChatMessages(seen.id))).items
        assert message.sender_name == "Alice Archer" and not message.is_local
        await bob.account.perform(acc.MarkChatRead(seen.id))
        assert bob.state.chat_unread == 0
        await bob.account.perform(acc.WatchPresences((alice.state.user_id,)))
        await alice.account.perform(acc.SetPresence("away", "lunch"))
        await bob.until(lambda s: any(p.status == "lunch" for p in s.known_presences.values()))
        await alice.account.perform(acc.SetDoNotDisturb(True))
        await alice.until(lambda s: s.presence.do_not_disturb)
        assert box.user("alice").services["dnd"]


async def test_a_chat_message_that_fails_stays_as_a_draft(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        room = await alice.account.perform(acc.OpenChatRoom((bob.state.user_id,)))
        fault = box.faults.fail("messages", 503, method="POST")
        with pytest.raises(ActionRefused):
            await alice.account.perform(acc.SendChatMessage(room.id, "important"))
        (draft,) = (await alice.account.find(acc.FindChatMessages(room.id))).items
        assert draft.text == "important" and draft.error
        box.faults.http.remove(fault)
        await alice.account.perform(acc.SendChatMessage(room.id, "", draft.id))
        (sent,) = (await alice.account.find(acc.FindChatMessages(room.id))).items
        assert sent.text == "important" and not sent.error
        await bob.until(lambda s: s.chat_unread == 1)


@pytest.mark.covers(
    "wazo:rest.agentd.loginWithLineId", "wazo:rest.agentd.getStatus", "wazo:rest.agentd.staticPause",
    "wazo:rest.agentd.staticResume", "wazo:rest.agentd.staticLogout",
)  # fmt: skip
async def test_agent(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        await alice.until(lambda s: s.agent)
        for command, met in (
            ("login", lambda a: a.logged_in),
            ("pause", lambda a: a.paused),
            ("resume", lambda a: not a.paused),
            ("logout", lambda a: not a.logged_in),
        ):
            await alice.account.perform(acc.SetAgent(command))
            assert alice.state.agent and met(alice.state.agent), command


@pytest.mark.covers("wazo:rest.calld.sendFax", "wazo:feature.Fax")
async def test_fax(box: WazoSandbox, tmp_path: Path) -> None:
    document = tmp_path / "a.pdf"
    document.write_bytes(b"%PDF-1.4\n")
    async with Someone(box, "alice") as alice:
        await eventually(lambda: alice.account.events_live)
        await alice.account.perform(acc.SendFax("5551234", str(document)))
        await alice.until(lambda s: s.faxes and s.faxes[-1].state == "sent")
        with pytest.raises(ActionRefused) as caught:
            await alice.account.perform(acc.SendFax("5551234", str(tmp_path / "none.pdf")))
        assert caught.value.failure.code == "unreadable_file"
        assert alice.state.faxes[-1].state == "failed" and alice.state.faxes[-1].path


@pytest.mark.covers("wazo:requester.call", "wazo:requester.new", "wazo:rest.dird.listPersonalContacts")
async def test_any_request_and_refusals(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        body = await alice.account.perform(acc.ApiRequest("GET", "dird/0.1/personal"))
        assert body["items"] == []
        with pytest.raises(ActionRefused) as caught:
            await alice.account.find(acc.FindAdministration("tenants"))
        assert caught.value.failure.code == "acl_refused"
        for path in ("../../etc", "//evil.example/x", "http://evil.example"):
            with pytest.raises(ActionRefused):
                await alice.account.perform(acc.ApiRequest("GET", path))


async def test_forwards(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob, Someone(box, "carol") as carol:
        await alice.account.perform(acc.SetForward(acc.Forward("unconditional", True, "1003")))
        assert next(f for f in alice.state.forwards if f.kind == "unconditional").destination == "1003"
        bob.dial("1001")
        call = await carol.rings()
        assert call.phone.remote_number == "1002" and not alice.incoming
        with pytest.raises(ActionRefused):
            await alice.account.perform(acc.SetForward(acc.Forward("busy", True, " ")))


@pytest.mark.covers(
    "wazo:rest.calld.answerSwitchboardQueuedCall", "wazo:rest.calld.fetchSwitchboardQueuedCalls",
    "wazo:event.webrtc.invite.shouldAutoAnswer",
)  # fmt: skip
async def test_switchboard(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice, Someone(box, "bob") as bob:
        await eventually(lambda: alice.account.events_live)
        caller = bob.dial("690")
        state = await alice.until(lambda s: s.switchboards and s.switchboards[0].calls)
        board = state.switchboards[0]
        await alice.account.perform(acc.AnswerWaitingCall(board.id, board.calls[0].id))
        call = await alice.rings()
        assert call.phone.auto_answered
        await call.do(ph.Answer())
        await asyncio.gather(call.hears(), caller.hears())
        await alice.until(lambda s: not s.switchboards[0].calls)


async def test_a_meeting_by_its_link(box: WazoSandbox) -> None:
    async with Someone(box, "alice") as alice:
        room = await alice.account.perform(acc.SaveMeeting("Team talk"))
        assert room.owned and room.id in {r.id for r in (await alice.account.find(acc.FindRooms())).items}
        call = await alice.call(f"https://{box.host}/meeting/{room.id}", room=True)
        assert (await call.until(lambda s: s.subject)).subject == "Team talk"
        assert call.session is not None
        await call.session.close()
        await alice.account.perform(acc.DeleteMeeting(room.id))
        assert room.id not in {r.id for r in (await alice.account.find(acc.FindRooms())).items}


@pytest.mark.covers(
    "wazo:issueReporter.enable", "wazo:issueReporter.configureRemoteClient", "wazo:option.issueReporter.host",
    "wazo:option.issueReporter.port", "wazo:option.issueReporter.tag", "wazo:option.issueReporter.level",
    "wazo:option.issueReporter.extra", "wazo:option.issueReporter.extra.user_uuid", "wazo:issueReporter.log",
    "wazo:issueReporter.loggerFor", "wazo:constant.issueReporter.TRACE", "wazo:feature.Log",
)  # fmt: skip
async def test_logs_reach_their_server_without_secrets(box: WazoSandbox) -> None:
    received: list[str] = []

    async def take(request: web.Request) -> web.Response:
        received.append(f"{request.path} {await request.text()}")
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tag}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    target = {
        "logs.host": "127.0.0.1", "logs.port": runner.addresses[0][1], "logs.tag": "parley", "logs.level": "trace",
        "logs.extra": {"user_uuid": "someone"},
    }  # fmt: skip
    try:
        async with Someone(box, "alice", options=target) as alice:
            token = alice.account.client.session.token  # type: ignore[union-attr]
            await alice.account.find(acc.FindCalls(limit=1))
        text = "".join(received)
        assert text.startswith("/parley ") and '"category": "http"' in text and '"user_uuid": "someone"' in text
        assert '"level": "trace"' in text and token not in text and "alicepw" not in text
    finally:
        await runner.cleanup()


@pytest.mark.covers(
    "wazo:rest.auth.listTenants", "wazo:rest.auth.createTenant", "wazo:rest.auth.deleteTenant",
    "wazo:rest.auth.listUsers", "wazo:rest.auth.createUser", "wazo:rest.auth.deleteUser",
    "wazo:rest.auth.listGroups", "wazo:rest.auth.createPolicy", "wazo:rest.auth.listPolicies",
    "wazo:rest.confd.listUsers",
)  # fmt: skip
async def test_administration(box: WazoSandbox) -> None:
    async with Someone(box, "admin") as admin:

        async def names(what: str) -> list[object]:
            page = await admin.account.find(acc.FindAdministration(what))
            return [item.get("name") or item.get("username") for item in page.items]

        async def run(command: str, **parameters: object) -> dict[str, object]:
            result = await admin.account.perform(acc.Administer(command, parameters))
            return result if isinstance(result, dict) else {}

        tenant = await run("auth.createTenant", name="North")
        assert "North" in await names("tenants")
        await run("auth.deleteTenant", uuid=tenant["uuid"])
        assert "North" not in await names("tenants")
        user = await run("auth.createUser", username="newbie", password="secret99", firstname="New", lastname="Bie")
        assert "newbie" in await names("logins")
        await run("auth.deleteUser", userUuid=user["uuid"])
        assert "newbie" not in await names("logins")
        await run("auth.createPolicy", name="some-policy", acl=["dird.#"])
        assert "some-policy" in await names("policies")
        assert isinstance(await names("groups"), list) and await admin.account.find(acc.FindAdministration("users"))
        with pytest.raises(ActionRefused) as caught:
            await run("auth.createTenant")
        assert caught.value.failure.code == "bad_request"
        with pytest.raises(ActionRefused):
            await run("no.such")
